"""The list of movements, its export, and one movement with where its waste came from and went."""

import tempfile
from collections.abc import Iterator

from django.db.models import QuerySet
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from wufei.ledger import exports, queries
from wufei.ledger.forms import MovementFilter
from wufei.ledger.kinds import INTO_STORE, LABELS, Kind
from wufei.ledger.models import Movement, Place, Stream
from wufei.ledger.views.desk import Desk, desk
from wufei.ledger.views.listing import (
    MAX_COUNTED,
    Wanted,
    counted_totals,
    listing,
    narrowed,
    outside_parties,
    sort_of,
)
from wufei.registry.models import Organisation
from wufei.terms.mass import Mass

TRACE_LIMIT = 10


def filter_of(request: HttpRequest, organisation: Organisation) -> tuple[MovementFilter, Wanted]:
    """Return the filter form and what was understood of it; what was not is shown at its field."""
    streams = Stream.objects.filter(organisation=organisation).order_by("code")
    form = MovementFilter(request.GET, streams=streams, stores=queries.stores_of(organisation=organisation))
    form.is_valid()
    is_reversed = form.has_error("through", "reversed")
    return form, Wanted.of(form.cleaned_data | {"is_impossible": is_reversed})


@require_safe
def movements(request: HttpRequest, uscc: str) -> HttpResponse:
    """List the movements: filtered, sorted, a page at a time, with their totals."""
    at = desk(request, uscc)
    form, wanted = filter_of(request, at.organisation)
    if request.GET.get("part") == "totals":
        totals = counted_totals(organisation=at.organisation, wanted=wanted)
        return render(request, "ledger/_totals.html", {"totals": totals})
    found = listing(
        organisation=at.organisation,
        wanted=wanted,
        sort=sort_of(request.GET.get("sort", "")),
        page=request.GET.get("page", "1"),
    )
    return render(
        request,
        "ledger/movements.html",
        at.context(
            form=form,
            listing=found,
            totals=found.totals,
            is_filtered=wanted.is_filtered,
            has_more_filters=bool(wanted.store or wanted.lot or wanted.party or wanted.only),
            max_counted=MAX_COUNTED,
            parties=outside_parties(at.organisation),
        ),
    )


@require_safe
def export(request: HttpRequest, uscc: str) -> FileResponse:
    """Hand out the filtered movements as a workbook."""
    at = desk(request, uscc)
    form, wanted = filter_of(request, at.organisation)
    rows = narrowed(organisation=at.organisation, wanted=wanted).order_by("moved_on", "seq")
    out = tempfile.TemporaryFile()  # noqa: SIM115 the response closes it
    exports.write_ledger(out, _exported(rows.select_related(*EXPORTED)), _notes(at, form))
    out.seek(0)
    return FileResponse(
        out,
        as_attachment=True,
        filename=f"台账-{at.organisation.name}-{at.today:%Y%m%d}.xlsx",
        content_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    )


EXPORTED = ("stream", "lot", "source", "target", "posted_by", "reverses")


def _exported(rows: QuerySet[Movement]) -> Iterator[exports.Row]:
    for row in rows.iterator(chunk_size=2000):
        store = store_of(row)
        yield exports.Row(
            row.seq, row.moved_on, LABELS[Kind(row.kind)], row.stream.code, row.stream.name,
            row.stream.waste_code, Mass(row.sign * row.mass_g).tonnes, row.method, row.counterparty, store.code,
            "" if row.lot.is_bulk else row.lot.code, row.handler, row.note,
            row.reverses.seq if row.reverses else None, row.reversal_reason,
            timezone.localtime(row.posted_at).replace(tzinfo=None), str(row.posted_by), row.chain_hash,
        )  # fmt: skip


def _notes(at: Desk, form: MovementFilter) -> list[tuple[str, str]]:
    said = [(str(form.fields[name].label), str(value)) for name, value in form.cleaned_data.items() if value]
    return [
        (_("单位"), at.organisation.name),
        (_("统一社会信用代码"), at.organisation.uscc),
        (_("导出时间"), f"{timezone.localtime(at.now):%Y-%m-%d %H:%M}"),
        (_("导出人"), str(at.user)),
        (_("数量单位"), _("吨；冲正记录为负数，各行相加即为净额")),
        (_("筛选条件"), "；".join(f"{label}：{value}" for label, value in said) or _("无，全部记录")),
    ]


def store_of(row: Movement) -> Place:
    """Return the store of a movement: where its kind puts to, or takes from; a reversal the other way."""
    into = (Kind(row.kind) in INTO_STORE) == (row.reverses_id is None)
    return row.target if into else row.source


def movement_of(at: Desk, seq: int) -> Movement:
    row = queries.movements(organisation=at.organisation).filter(seq=seq).first()
    if row is None:
        raise Http404
    return row


@require_safe
def movement(request: HttpRequest, uscc: str, seq: int) -> HttpResponse:
    """Show one movement: its facts, its place in the chain, and its lot backwards and forwards."""
    at = desk(request, uscc)
    row = movement_of(at, seq)
    lot = queries.movements(organisation=at.organisation).filter(lot=row.lot)
    into = [kind.value for kind in INTO_STORE]
    came = lot.filter(kind__in=into, moved_on__lte=row.moved_on).order_by("-moved_on", "-seq")
    went = lot.exclude(kind__in=into).filter(moved_on__gte=row.moved_on).order_by("moved_on", "seq")
    return render(
        request,
        "ledger/movement.html",
        at.context(
            row=row,
            store=store_of(row),
            came=[*reversed(came[:TRACE_LIMIT])],
            went=list(went[:TRACE_LIMIT]),
            trace_limit=TRACE_LIMIT,
            can_be_reversed=row.reverses_id is None and not hasattr(row, "reversal"),
        ),
    )
