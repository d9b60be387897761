"""Reports of hazardous waste (HJ 1259): what there is to report, what changed, and the files of what was made."""

import json
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from wufei.ledger import services
from wufei.ledger.books import waste_reports as reports
from wufei.ledger.books.periods import PARTS
from wufei.ledger.forms import PeriodForm
from wufei.ledger.models import WasteReport
from wufei.ledger.queries import waste_reports as queries
from wufei.ledger.views.books import CONTENT_TYPES, years_of
from wufei.ledger.views.desk import Desk, desk
from wufei.ledger.wording import WASTE_REPORT_TEXT
from wufei.registry.access import Permission
from wufei.registry.exporting import workbook
from wufei.terms.period import Period


@require_safe
def report(request: HttpRequest, uscc: str) -> HttpResponse:
    """Show what there is to report of a period, and what changed since it was last reported."""
    at = desk(request, uscc)
    form = _form(at, request.GET.dict())
    period = form.period
    found = queries.report_content(organisation=at.organisation, period=period)
    made = list(queries.waste_reports(organisation=at.organisation, period=period).select_related("made_by"))
    classified = queries.control_class(
        organisation=at.organisation, year=period.first_day.year, on=period.last_day
    )
    span = reports.span_of(period)
    assert span, "a year, a quarter or a month was chosen"
    spans = reports.SPANS[classified.control_class] if classified.control_class else ()
    context = at.context(
        form=form, part=PARTS[form.cleaned_data["part"]], wastes=found, labels=reports.LABELS, made=made,
        rows=[(waste, [(label, waste[key]) for key, label in reports.LABELS.items()]) for waste in found],
        changes=reports.changes(made[0].content, found) if made else None,
        classified=classified, spans=[reports.SPAN_LABELS[each] for each in spans],
        span=reports.SPAN_LABELS[span], is_asked_for=not spans or span in spans,
        due_on=reports.due_on(period), is_over=period.last_day < at.today,
    )  # fmt: skip
    return render(request, "ledger/waste_report.html", context)


def _form(at: Desk, said: dict[str, str]) -> PeriodForm:
    """Return what was chosen; the month that was over last where nothing was, or what can't be."""
    last = at.today.replace(day=1) - timedelta(days=1)
    years = years_of(at)
    if last.year not in years:
        years = range(at.today.year, last.year - 1, -1)
    usual = {"year": str(last.year), "part": f"{last.month:02d}"}
    form = PeriodForm(usual | {key: said[key] for key in usual if key in said}, years=years)
    if not form.is_valid():
        form = PeriodForm(usual, years=years)
        assert form.is_valid(), "the last month can be chosen"
    return form


@require_POST
def make(request: HttpRequest, uscc: str) -> HttpResponse:
    """Draw up the report of a period."""
    at = desk(request, uscc, Permission.CLOSE_MONTH)
    form = _form(at, request.POST.dict())
    before = queries.waste_reports(organisation=at.organisation, period=form.period).count()
    try:
        made = services.make_waste_report(
            organisation=at.organisation, period=form.period, by=at.user, now=at.now
        )
    except services.WasteReportRefused as refused:
        messages.error(request, _(WASTE_REPORT_TEXT[refused.code]))
    else:
        if made.number > before:
            messages.success(request, _("已生成第 %(n)d 次申报，可以下载。") % {"n": made.number})
        else:
            messages.info(request, _("与第 %(n)d 次申报相同，没有重新生成。") % {"n": made.number})
    query = urlencode(form.cleaned_data)
    return redirect(f"{reverse('ledger:waste-report', args=(at.uscc,))}?{query}")


@require_safe
def download(request: HttpRequest, uscc: str, waste_report_id: int, ending: str) -> HttpResponse:
    """Hand out a report as it was made."""
    at = desk(request, uscc)
    row = WasteReport.objects.filter(organisation=at.organisation, pk=waste_report_id).first()
    if row is None or ending not in ("json", "xlsx"):
        raise Http404
    said = _handed_out(at, row)
    name = f"危险废物申报-{at.organisation.name}-{said.period}-{row.number}.{ending}".replace("/", "至")
    content: Any
    if ending == "json":
        content = json.dumps(reports.document(said), ensure_ascii=False, indent=1)
    else:
        content = workbook(title="危险废物申报", headings=reports.HEADINGS, rows=reports.lines(said))
    response = HttpResponse(content, content_type=CONTENT_TYPES.get(ending, "application/json"))
    response.headers["Content-Disposition"] = (
        content_disposition_header(as_attachment=True, filename=name) or ""
    )
    return response


def _handed_out(at: Desk, row: WasteReport) -> reports.Report:
    return reports.Report(
        uscc=at.uscc, name=at.organisation.name, period=Period(row.first_day, row.last_day),
        number=row.number, control_class=row.control_class, wastes=row.content, seq=row.seq,
        chain_hash=row.chain_hash, made_at=timezone.localtime(row.made_at).isoformat(timespec="seconds"),
    )  # fmt: skip
