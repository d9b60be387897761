"""The pages of stock-taking: the sheets, and one sheet while it is counted, when it is closed, when it is posted."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from wufei.ledger.models import Stream
from wufei.ledger.queries import stores_of
from wufei.ledger.services import MovementsRefused
from wufei.ledger.views.desk import Desk, desk
from wufei.ledger.wording import REFUSAL_TEXT
from wufei.registry.access import Permission
from wufei.registry.views.listing import listing, page_at
from wufei.storage import queries, services
from wufei.storage.forms import CountForm, DifferencesForm, GiveUpForm, LotFilter, OpenForm
from wufei.storage.models import StocktakeSheet
from wufei.storage.refusals import Code, StorageRefused
from wufei.storage.stocktaking import Progress
from wufei.storage.wording import words

ROWS = 50
# Which field of a count each refusal is about; the others are about the whole.
FIELD_OF = {
    Code.LOT_CODE_MISSING: "lot",
    Code.COUNTED_ALREADY: "lot",
    Code.RECOUNTED_ALREADY: "lot",
    Code.MASS_OUT_OF_RANGE: "amount",
    Code.STREAM_MISSING: "stream",
}


@require_http_methods(["GET", "POST"])
def stocktakes(request: HttpRequest, uscc: str) -> HttpResponse:
    """List the sheets, and open one."""
    at = desk(
        request, uscc, Permission.POST_MOVEMENTS if request.method == "POST" else Permission.VIEW_LEDGER
    )
    form = OpenForm(request.POST or None, stores=stores_of(organisation=at.organisation))
    if request.method == "POST" and form.is_valid():
        try:
            sheet = services.open_sheet(
                organisation=at.organisation, store_code=form.cleaned_data["store"],
                client_id=form.cleaned_data["client_id"], by=at.user, now=at.now,
            )  # fmt: skip
        except StorageRefused as refused:
            form.add_error(None, words(refused))
        else:
            messages.success(request, _("已开%(name)s；账面数已封存。") % {"name": sheet.name})
            return redirect("storage:stocktake", uscc, sheet.number)
    rows = queries.sheets(organisation=at.organisation)
    context = at.context(
        form=form, has_stores=bool(form.fields["store"].choices),  # type: ignore[attr-defined]
        listing=listing(request=request, rows=rows, sorts={"number": ("number",)}, default_sort="-number"),
    )  # fmt: skip
    return render(request, "storage/stocktakes.html", context, status=422 if form.errors else 200)


@require_safe
def stocktake(request: HttpRequest, uscc: str, number: int) -> HttpResponse:
    """Show one sheet; while it is open, nothing of what the books hold."""
    at = desk(request, uscc)
    return _page(request, at, _sheet(at, number))


def _sheet(at: Desk, number: int) -> StocktakeSheet:
    return get_object_or_404(queries.sheets(organisation=at.organisation), number=number)


def _page(request: HttpRequest, at: Desk, sheet: StocktakeSheet, **forms: Any) -> HttpResponse:
    status = 422 if any(form.errors for form in forms.values()) else 200
    if hasattr(sheet, "closing"):
        return render(request, "storage/closed.html", _closed(request, at, sheet, **forms), status=status)
    return render(request, "storage/counting.html", _counting(request, at, sheet, **forms), status=status)


def _counting(request: HttpRequest, at: Desk, sheet: StocktakeSheet, **forms: Any) -> dict[str, Any]:
    rows = queries.to_count(sheet=sheet, by=at.user)
    filters = LotFilter(request.GET)
    said = filters.cleaned_data if filters.is_valid() else {}
    text = said.get("text", "").strip()
    shown = [
        row for row in rows
        if (not text or text in f"{row.lot_code} {row.stream_name} {row.waste_code}")
        and (said.get("waits") != "yes" or row.can_count)
    ]  # fmt: skip
    streams = Stream.objects.filter(organisation=at.organisation).order_by("code")
    waiting = [row for row in rows if row.progress in (Progress.NOT_COUNTED, Progress.RECOUNT_ASKED)]
    return at.context(
        sheet=sheet, page=page_at(Paginator(shown, ROWS), request.GET.get("page")), filters=filters,
        is_filtered=any(request.GET.get(name) for name in filters.fields), total=len(rows),
        done=len(rows) - len(waiting), recounts=sum(r.progress is Progress.RECOUNT_ASKED for r in rows),
        count_form=forms.get("count") or CountForm(streams=streams, lot=request.GET.get("lot", "")[:80]),
        give_up_form=forms.get("give_up") or GiveUpForm(),
    )  # fmt: skip


def _closed(request: HttpRequest, at: Desk, sheet: StocktakeSheet, **forms: Any) -> dict[str, Any]:
    found = queries.to_post(sheet=sheet)
    counts = sheet.counts.select_related("stream", "counted_by").order_by("lot_code", "pk")
    is_due = bool(found) and not hasattr(sheet, "settlement")
    form = forms.get("differences") or (_differences_form(sheet, found) if is_due else None)
    counted = at.user.pk in queries.counters_of(sheet=sheet)
    return at.context(
        sheet=sheet, is_due=is_due, form=form, counted=counted,
        rows=[(each, form[f"why-{each.row.pk}"] if form and is_due else None) for each in found],
        page=page_at(Paginator(counts, ROWS), request.GET.get("page")),
    )  # fmt: skip


def _differences_form(
    sheet: StocktakeSheet, found: list[queries.ToPost], said: Any = None
) -> DifferencesForm:
    lots = [(each.row.pk, each.row.lot_code) for each in found]
    return DifferencesForm(said, lots=lots, opened_on=sheet.opened_on)


@require_POST
def count(request: HttpRequest, uscc: str, number: int) -> HttpResponse:
    """Enter what was found of one lot."""
    at = desk(request, uscc, Permission.POST_MOVEMENTS)
    sheet = _sheet(at, number)
    form = CountForm(
        request.POST, streams=Stream.objects.filter(organisation=at.organisation).order_by("code")
    )
    if not form.is_valid():
        return _page(request, at, sheet, count=form)
    try:
        row = services.count_lot(
            sheet=sheet, found=form.found, client_id=form.cleaned_data["client_id"], by=at.user, now=at.now
        )
    except StorageRefused as refused:
        if refused.code is Code.SHEET_CLOSED:
            messages.error(request, words(refused))
            return redirect("storage:stocktake", uscc, number)
        form.add_error(FIELD_OF.get(refused.code), words(refused))
        return _page(request, at, sheet, count=form)
    messages.success(request, _("已登记“%(lot)s”。") % {"lot": row.lot_code})
    return redirect("storage:stocktake", uscc, number)


@require_POST
def close(request: HttpRequest, uscc: str, number: int) -> HttpResponse:
    """End the counting."""
    at = desk(request, uscc, Permission.POST_MOVEMENTS)
    sheet = _sheet(at, number)
    try:
        services.close_sheet(sheet=sheet, by=at.user, now=at.now)
    except StorageRefused as refused:
        messages.error(request, words(refused))
    else:
        messages.success(request, _("盘点已结束；差异列在下面。"))
    return redirect("storage:stocktake", uscc, number)


@require_POST
def give_up(request: HttpRequest, uscc: str, number: int) -> HttpResponse:
    """Give the sheet up for a reason."""
    at = desk(request, uscc, Permission.REVERSE_MOVEMENTS)
    sheet = _sheet(at, number)
    form = GiveUpForm(request.POST)
    if form.is_valid():
        try:
            services.give_up_sheet(sheet=sheet, reason=form.cleaned_data["reason"], by=at.user, now=at.now)
        except StorageRefused as refused:
            messages.error(request, words(refused))
        else:
            messages.success(request, _("%(name)s已作废。") % {"name": sheet.name})
        return redirect("storage:stocktake", uscc, number)
    return _page(request, at, sheet, give_up=form)


@require_POST
def post(request: HttpRequest, uscc: str, number: int) -> HttpResponse:
    """Explain and post the differences."""
    at = desk(request, uscc, Permission.REVERSE_MOVEMENTS)
    sheet = _sheet(at, number)
    found = queries.to_post(sheet=sheet)
    form = _differences_form(sheet, found, request.POST)
    if not hasattr(sheet, "closing") or not found:
        code = Code.NOTHING_TO_POST if hasattr(sheet, "closing") else Code.SHEET_NOT_CLOSED
        messages.error(request, words(StorageRefused(code)))
        return redirect("storage:stocktake", uscc, number)
    if not form.is_valid():
        return _page(request, at, sheet, differences=form)
    try:
        services.post_differences(
            sheet=sheet, explanations=form.explanations, moved_on=form.cleaned_data["moved_on"], by=at.user,
            now=at.now,
        )  # fmt: skip
    except StorageRefused as refused:
        form.add_error("moved_on" if refused.code is Code.DAY_OUT_OF_RANGE else None, words(refused))
        return _page(request, at, sheet, differences=form)
    except MovementsRefused as refused:
        due = [each for each in found if each.due_g]
        for index, reasons in refused.refusals:
            form.add_error(f"why-{due[index].row.pk}", [REFUSAL_TEXT[each.code] for each in reasons])
        return _page(request, at, sheet, differences=form)
    messages.success(request, _("差异已记账。"))
    return redirect("storage:stocktake", uscc, number)
