"""Is it known of each waste whether it is hazardous? The list, one stream's records, and a new record."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from wufei.ledger import services
from wufei.ledger.forms import IdentificationFilter, IdentificationForm
from wufei.ledger.identifying import PROPERTIES, Refused, known_validities
from wufei.ledger.models import HazardIdentification, Stream
from wufei.ledger.queries import identifying as queries
from wufei.ledger.queries.identifying import StreamStanding
from wufei.ledger.views.desk import Desk, desk
from wufei.ledger.wording import IDENTIFICATION_TEXT
from wufei.paper.attachments import REFUSAL_TEXT as FILE_TEXT
from wufei.paper.attachments import EvidenceRefused, check_size
from wufei.registry.access import Permission
from wufei.registry.views import listing
from wufei.registry.views.listing import page_at

ROWS = 50
# Which field a refusal belongs to.
FIELD_OF = {
    Refused.CODE_MISSING: "waste_code",
    Refused.CODE_NOT_HAZARDOUS: "waste_code",
    Refused.CODE_NOT_ASKED: "waste_code",
    Refused.PROPERTIES_MISSING: "properties",
    Refused.PROPERTIES_NOT_ASKED: "properties",
    Refused.JUDGE_MISSING: "judged_by",
    Refused.REPORT_MISSING: "report",
    Refused.DAY_IN_FUTURE: "judged_on",
    Refused.ENDS_BEFORE_BEGIN: "valid_through",
    Refused.REASON_MISSING: "reason",
}


@require_safe
def identifications(request: HttpRequest, uscc: str) -> HttpResponse:
    """List the streams with how each stands, those that warn first."""
    at = desk(request, uscc)
    form = IdentificationFilter(request.GET)
    rows = _found(at, form)
    if request.GET.get("export") == "xlsx":
        return _export(at, rows)
    context = at.context(
        page=page_at(Paginator(rows, ROWS), request.GET.get("page")), form=form, validities=known_validities().values(),
        warned=sum(row.identified.warns for row in rows),
        listing={"is_filtered": any(request.GET.get(name) for name in form.fields)},
    )  # fmt: skip
    return render(request, "ledger/identifications.html", context)


def _found(at: Desk, form: IdentificationFilter) -> list[StreamStanding]:
    said = form.cleaned_data if form.is_valid() else {}
    text, state = said.get("text", ""), said.get("state", "")
    rows = queries.standings(organisation=at.organisation, on=at.today)
    found = [
        row
        for row in rows
        if any(text in part for part in (row.stream.name, row.stream.code, row.stream.waste_code))
        and (not state or state == row.identified.standing or (state == "warns" and row.identified.warns))
    ]
    return sorted(found, key=lambda row: not row.identified.warns)


def _export(at: Desk, rows: Sequence[StreamStanding]) -> HttpResponse:
    """Hand the list out as a workbook, narrowed as on the page."""
    return listing.export(
        title=f"危险性判别-{at.organisation.name}", rows=rows,
        columns=(
            (_("废物编号"), lambda row: row.stream.code),
            (_("废物名称"), lambda row: row.stream.name),
            (_("废物代码"), lambda row: row.stream.waste_code),
            (_("管理属性"), lambda row: row.stream.get_waste_class_display()),
            (_("状态"), lambda row: row.identified.label),
            (_("判别依据"), lambda row: row.record.get_basis_display() if row.record else ""),
            (_("判别结果"), lambda row: row.record.get_result_display() if row.record else ""),
            (_("危险废物代码"), lambda row: row.record.waste_code if row.record else ""),
            (_("危险特性"), lambda row: row.record.properties if row.record else ""),
            (_("检测机构或判别人"), lambda row: row.record.judged_by if row.record else ""),
            (_("报告编号"), lambda row: row.record.report_number if row.record else ""),
            (_("判别日期"), lambda row: row.record.judged_on if row.record else None),
            (_("有效期至"), lambda row: row.identified.through),
            (_("报告 SHA-256"), lambda row: row.record.sha256 if row.record else ""),
            (_("说明"), lambda row: row.identified.words),
        ),
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
def identification(request: HttpRequest, uscc: str, stream_id: int) -> HttpResponse:
    """Show what was found of a stream, and take another record."""
    permission = Permission.EDIT_ORGANISATION if request.method == "POST" else Permission.VIEW_LEDGER
    at = desk(request, uscc, permission)
    rows = Stream.objects.filter(organisation=at.organisation).select_related("process")
    stream = get_object_or_404(rows, pk=stream_id)
    records = list(queries.records_of(organisation=at.organisation).filter(stream=stream))
    standing_records = [row for row in records if not hasattr(row, "replaced_by")]
    form = IdentificationForm(request.POST or None, request.FILES or None, replaceable=standing_records)
    if request.method == "POST" and form.is_valid() and _recorded(at, stream, form):
        messages.success(request, _("已登记“%(name)s”的危险性判别。") % {"name": stream.name})
        return redirect("ledger:identification", uscc, stream_id)
    [standing] = queries.standings(organisation=at.organisation, on=at.today, streams=[stream])
    context = at.context(
        stream=stream, standing=standing, form=form, validities=known_validities().values(),
        records=[(row, _properties(row), hasattr(row, "replaced_by")) for row in records],
    )  # fmt: skip
    return render(request, "ledger/identification.html", context, status=422 if form.errors else 200)


def _properties(row: HazardIdentification) -> Sequence[str]:
    return [PROPERTIES[each] for each in row.properties.split(",") if each]


def _recorded(at: Desk, stream: Stream, form: IdentificationForm) -> bool:
    said: dict[str, Any] = form.cleaned_data
    file = said["report"]
    try:
        if file is not None:
            check_size(file.size or 0)
        services.record_identification(
            organisation=at.organisation, stream_code=stream.code, said=form.said(), client_id=said["client_id"],
            file_name=file.name or "" if file else "", content=file.read() if file else None,
            replaces=said.get("replaces"), reason=said.get("reason", ""), by=at.user, now=at.now,
        )  # fmt: skip
    except EvidenceRefused as refused:
        form.add_error("report", _(FILE_TEXT[refused.code]))
        return False
    except services.IdentificationRefused as refused:
        form.add_error(FIELD_OF.get(refused.code), _(IDENTIFICATION_TEXT[refused.code]))
        return False
    return True


@require_safe
def report(request: HttpRequest, uscc: str, identification_id: int) -> HttpResponseBase:
    """Hand a report out as it came in, always as a download."""
    at = desk(request, uscc)
    row = (
        queries.records_of(organisation=at.organisation)
        .filter(pk=identification_id)
        .exclude(sha256="")
        .first()
    )
    if row is None:
        raise Http404
    response = FileResponse(row.stored.open("rb"), content_type=row.media_type)
    response["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(row.file_name)}"
    response["X-Content-Type-Options"] = "nosniff"
    return response
