"""One weighing of many manifests: what stands to be weighed by vehicle, the shares before the signature, what was."""

from collections.abc import Sequence
from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from wufei.ledger.queries import stores_of
from wufei.ledger.views.desk import Desk, desk
from wufei.registry.access import Permission
from wufei.registry.views.listing import ROWS_PER_PAGE, page_at
from wufei.terms.day import local_day
from wufei.terms.mass import Mass
from wufei.transfers import queries, services
from wufei.transfers.fields import Part, Shape, fields_of
from wufei.transfers.forms import LoadForm
from wufei.transfers.models import Manifest, ManifestLine
from wufei.transfers.refusals import TransferRefused
from wufei.transfers.states import Party
from wufei.transfers.views.drafting import tell
from wufei.transfers.views.listing import wastes

MOST_AT_ONCE = 100  # manifests on one vehicle
WAITING_SHOWN = 500


@require_http_methods(["GET", "POST"])
def weigh(request: HttpRequest, uscc: str) -> HttpResponse:
    """Choose what came on one vehicle, weigh it once, look at the shares, and sign for all."""
    at = desk(request, uscc, Permission.SIGN_MANIFESTS)
    waiting = list(queries.to_weigh(organisation=at.organisation, user=at.user, on=at.today)[:WAITING_SHOWN])
    asked = (request.POST if request.method == "POST" else request.GET).getlist("m")
    chosen = [row for row in waiting if row.number in asked][:MOST_AT_ONCE]
    if not chosen:
        context = at.context(groups=_by_vehicle(waiting), was_asked=bool(asked))
        return render(request, "transfers/weighing.html", context)
    posted = request.POST if request.method == "POST" else None
    form = _form(at, chosen, posted)
    shares: list[tuple[Manifest, ManifestLine, int]] = []
    if posted is not None and form.is_valid():
        shares = _shares(chosen, form.mass())
        if "sign" in posted and posted.get("seen") == str(
            form.mass().grams
        ):  # else another weight was looked at
            try:
                load = _receive(at, chosen, form)
            except TransferRefused as refused:
                tell(form, refused)
            else:
                return redirect("transfers:weighed-load", at.uscc, load.pk)
    context = at.context(
        chosen=[(row, wastes(row), _plate(row)) for row in chosen], form=form, shares=shares,
        declared_g=sum(row.declared_g for row in chosen),
        received_g=sum(grams for _row, _line, grams in shares), several=len({_plate(row) for row in chosen}) > 1,
    )  # fmt: skip
    return render(request, "transfers/weigh_load.html", context, status=422 if form.errors else 200)


def _plate(row: Manifest) -> str:
    legs = list(row.legs.all())
    return str(legs[-1].said.get("plate", "")) if legs else ""


def _by_vehicle(waiting: Sequence[Manifest]) -> list[dict[str, Any]]:
    """Group what waits by the vehicle that brought it on a day, the first that arrived first."""
    groups: dict[tuple[str, Any], list[Manifest]] = {}
    for row in waiting:
        assert row.delivered_at is not None, "it has arrived"
        groups.setdefault((_plate(row), local_day(row.delivered_at)), []).append(row)
    return [
        {
            "plate": plate, "day": day, "rows": [(row, wastes(row)) for row in rows],
            "declared_g": sum(row.declared_g for row in rows),
        }
        for (plate, day), rows in groups.items()
    ]  # fmt: skip


def _form(at: Desk, chosen: Sequence[Manifest], posted: Any) -> LoadForm:
    is_hazardous = any(row.is_hazardous for row in chosen)
    own = [
        each
        for each in fields_of(Part.MANIFEST, on=at.today, is_hazardous=is_hazardous, filled_by=Party.RECEIVER)
        if each.shape is not Shape.ORGANISATION
    ]
    initial = {"receiving_contact": str(at.user)[:60], "opinion": _("同意接受")}
    return LoadForm(
        posted, own=own, stores=stores_of(organisation=at.organisation), is_hazardous=is_hazardous, initial=initial
    )  # fmt: skip


def _shares(chosen: Sequence[Manifest], mass: Mass) -> list[tuple[Manifest, ManifestLine, int]]:
    """Return what each line would have of the weighing, in the order in which it is shared out."""
    pairs = [
        (row, line) for row in sorted(chosen, key=lambda each: each.number or "") for line in row.lines.all()
    ]
    parts = services.shares_of([line for _row, line in pairs], mass)
    return [(row, line, grams) for (row, line), grams in zip(pairs, parts, strict=True)]


def _receive(at: Desk, chosen: Sequence[Manifest], form: LoadForm) -> Any:
    given = form.cleaned_data
    return services.receive_load(
        manifests=chosen, organisation=at.organisation, received=form.mass(), mode=given["mode"],
        said=form.said(), store_code=given.get("store", ""), is_reweighed=given["is_reweighed"], by=at.user,
        now=at.now, client_id=given["client_id"],
    )  # fmt: skip


@require_safe
def loads(request: HttpRequest, uscc: str) -> HttpResponse:
    """List what was weighed together."""
    at = desk(request, uscc, Permission.VIEW_MANIFESTS)
    text = request.GET.get("q", "").strip()[:40]
    rows = queries.loads_of(organisation=at.organisation)
    if text:
        rows = queries.loads_saying(rows, text)
    page = page_at(Paginator(rows, ROWS_PER_PAGE), request.GET.get("page"))
    return render(request, "transfers/loads.html", at.context(page=page, text=text))


@require_safe
def load(request: HttpRequest, uscc: str, key: int) -> HttpResponse:
    """Show one weighing with the share of each."""
    at = desk(request, uscc, Permission.VIEW_MANIFESTS)
    row = queries.loads_of(organisation=at.organisation).filter(pk=key).first()
    if row is None:
        raise Http404
    lines = queries.load_lines(load=row)
    now_g = sum(line.received_g or 0 for line in lines)
    had = {(number, position): grams for number, position, grams in row.shares}
    parts = [(line, had[line.manifest.number, line.position]) for line in lines]
    shown = [(line, grams, line.received_g != grams) for line, grams in parts]
    return render(request, "transfers/load.html", at.context(row=row, lines=shown, now_g=now_g))
