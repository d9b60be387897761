"""Which streams and stores are there? Their lists, and the forms that add and change them."""

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from wufei.catalogue.waste_codes import read_waste_code
from wufei.ledger import queries, services
from wufei.ledger.forms import StoreForm, StreamForm, VersionedForm
from wufei.ledger.kinds import PlaceKind
from wufei.ledger.models import Place, Stream
from wufei.ledger.views.desk import Desk, desk
from wufei.ledger.views.standing import by_store
from wufei.ledger.wording import DECLARATION_TEXT
from wufei.registry.access import Permission
from wufei.terms.mass import Mass

# Which field a refusal belongs to.
FIELD_OF = {"waste_code_unknown": "waste_code", "code_reserved": "code"}


@require_safe
def streams(request: HttpRequest, uscc: str) -> HttpResponse:
    """List the waste streams."""
    at = desk(request, uscc)
    rows = Stream.objects.filter(organisation=at.organisation).select_related("process").order_by("code")
    return render(request, "ledger/streams.html", at.context(rows=rows))


@require_safe
def stores(request: HttpRequest, uscc: str) -> HttpResponse:
    """List the stores with how full they are."""
    at = desk(request, uscc)
    rows = by_store(
        queries.stores_of(organisation=at.organisation), queries.stock(organisation=at.organisation)
    )
    return render(request, "ledger/stores.html", at.context(rows=rows))


@require_http_methods(["GET", "POST"])
def stream(request: HttpRequest, uscc: str, key: int | None = None) -> HttpResponse:
    """Add a stream, or change one."""
    at = desk(request, uscc, Permission.EDIT_ORGANISATION)
    row = _row(Stream.objects.select_related("process"), at, key)
    initial: dict[str, Any] = {}
    if row is not None:
        names = ("code", "name", "waste_code", "physical_form", "main_components", "version")
        initial = {name: getattr(row, name) for name in names} | {"process_name": row.process.name}
    form = StreamForm(request.POST if request.method == "POST" else None, initial=initial)
    _hold_code(form, row)

    def declare(said: dict[str, Any]) -> None:
        services.declare_stream(organisation=at.organisation, by=at.user, now=at.now, **said)

    if request.method == "POST" and form.is_valid() and _declared(form, Stream, at, declare):
        reading = read_waste_code(form.cleaned_data["waste_code"])
        for notice in reading.notices:
            messages.info(request, notice)
        messages.success(request, _("已保存废物“%(name)s”。") % {"name": form.cleaned_data["name"]})
        return redirect("ledger:streams", at.uscc)
    context = at.context(form=form, row=row)
    return render(request, "ledger/stream.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
def store(request: HttpRequest, uscc: str, key: int | None = None) -> HttpResponse:
    """Add a store, or change one."""
    at = desk(request, uscc, Permission.EDIT_ORGANISATION)
    row = _row(Place.objects.filter(kind=PlaceKind.STORE), at, key)
    initial: dict[str, Any] = {}
    if row is not None:
        initial = {name: getattr(row, name) for name in ("code", "name", "store_type", "version")}
        if row.capacity_g is not None:
            tonnes = f"{Mass(row.capacity_g).tonnes:f}"
            initial["capacity"] = tonnes.rstrip("0").rstrip(".") if "." in tonnes else tonnes
    form = StoreForm(request.POST if request.method == "POST" else None, initial=initial)
    _hold_code(form, row)

    def declare(said: dict[str, Any]) -> None:
        services.declare_store(organisation=at.organisation, by=at.user, now=at.now, **said)

    if request.method == "POST" and form.is_valid() and _declared(form, Place, at, declare):
        messages.success(request, _("已保存贮存设施“%(name)s”。") % {"name": form.cleaned_data["name"]})
        return redirect("ledger:stores", at.uscc)
    context = at.context(form=form, row=row)
    return render(request, "ledger/store.html", context, status=422 if form.errors else 200)


def _row(rows: Any, at: Desk, key: int | None) -> Any:
    if key is None:
        return None
    found = rows.filter(organisation=at.organisation, pk=key).first()
    if found is None:
        raise Http404
    return found


def _hold_code(form: VersionedForm, row: Any) -> None:
    """A code never changes once it is declared: the chain names it."""
    if row is not None:
        form.fields["code"].disabled = True
        form.fields["code"].help_text = _("编码记在链上，不能改。")


def _declared(form: VersionedForm, model: Any, at: Desk, declare: Any) -> bool:
    """Write what the form says, unless somebody else wrote since it was opened; return whether it was written."""
    said = {name: value for name, value in form.cleaned_data.items() if name != "version"}
    with transaction.atomic():
        standing = (
            model.objects.select_for_update()
            .filter(organisation=at.organisation, code=said["code"])
            .values_list("version", flat=True)
            .first()
        )
        if standing is not None and form.cleaned_data["version"] == 0:
            form.add_error("code", _("这个编码已经用过；请另编，或从列表中打开它修改。"))
            return False
        if (standing or 0) != form.cleaned_data["version"]:
            form.add_error(None, _(DECLARATION_TEXT["stale_edit"]))
            return False
        try:
            declare(said)
        except services.DeclarationRefused as refused:
            in_chinese = any("一" <= c <= "鿿" for c in refused.detail)
            text = refused.detail if in_chinese else _(DECLARATION_TEXT[refused.code])
            form.add_error(FIELD_OF.get(refused.code), text)
            return False
    return True
