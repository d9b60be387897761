"""Third-party agencies as an authority sees them: the list with marks, reports, spot checks, exclusion."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.html import format_html_join
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from wufei.ledger.views.desk import Desk
from wufei.policies import queries as policy_queries
from wufei.registry.models import Organisation, OrganisationKind
from wufei.registry.views.listing import ROWS_PER_PAGE, export, filters, listing, page_at, sorted_rows
from wufei.registry.views.organisations import division_name
from wufei.reviews.forms.agencies import (
    AgencyFilter,
    AssignForm,
    ExcludeForm,
    JudgeForm,
    ReportFilter,
    SpotCheckForm,
)
from wufei.reviews.models import AgencyExclusion, AgencyMark, AgencyReport
from wufei.reviews.queries import agencies as queries
from wufei.reviews.queries.agencies import Judged
from wufei.reviews.refusals import ReviewRefused
from wufei.reviews.services import agencies as services
from wufei.reviews.views.register import authority_desk
from wufei.reviews.views.rounds import attached
from wufei.reviews.wording import words_of

YEARS = 6


def _year(at: Desk, said: Any) -> int:
    return said if isinstance(said, int) else at.today.year


@require_safe
def agencies(request: HttpRequest, uscc: str) -> HttpResponse:
    """List the agencies with what they did in the year and how that was judged."""
    at = authority_desk(request, uscc)
    form = AgencyFilter(request.GET, years=range(at.today.year, at.today.year - YEARS, -1))
    wanted = filters(form)
    year = _year(at, wanted.get("year"))
    seen: dict[str, Any] = {"authority": at.organisation, "year": year}
    rows = queries.agencies_seen(**seen, text=wanted.get("q", ""), state=wanted.get("state", ""))
    if request.GET.get("export") == "xlsx":
        ordered, _sort = sorted_rows(request=request, rows=rows, sorts=queries.SORTS, default="name")
        judged = queries.judged(**seen, rows=list(ordered))
        title = _("第三方评价机构 %(year)s") % {"year": year}
        return export(title=title, columns=_columns(), rows=judged)
    shown = listing(request=request, rows=rows, sorts=queries.SORTS, default_sort="name", form=form)
    context = at.context(
        listing=shown, rows=queries.judged(**seen, rows=list(shown.page)), year=year,
        waiting=queries.waiting(authority=at.organisation).count(),
    )  # fmt: skip
    return render(request, "reviews/agencies_list.html", context)


def _columns() -> list[tuple[str, Callable[[Judged], Any]]]:
    def mark(name: str) -> Callable[[Judged], Any]:
        return lambda row: getattr(row.mark, name) if row.mark else None

    return [
        (_("机构名称"), lambda row: row.agency.name),
        (_("统一社会信用代码"), lambda row: row.agency.uscc),
        (_("受托评价"), lambda row: row.assigned),
        (_("已提交报告"), lambda row: row.submitted),
        (_("抽查"), lambda row: row.checked),
        (_("有瑕疵"), lambda row: row.flawed),
        (_("弄虚作假"), lambda row: row.false),
        (_("综合实力"), mark("strength")),
        (_("报告质量"), mark("report_quality")),
        (_("工作过程"), mark("process")),
        (_("平均"), lambda row: row.mean),
        (_("推荐名单"), lambda row: _("是") if row.mark and row.mark.is_recommended else ""),
        (_("取消资格日期"), lambda row: row.exclusion.on if row.exclusion else None),
        (_("取消资格事由"), lambda row: row.exclusion.cause if row.exclusion else ""),
    ]


def _agency(uscc: str) -> Organisation:
    found = Organisation.objects.filter(kind=OrganisationKind.AGENCY, uscc=uscc).first()
    if found is None:
        raise Http404
    return found


@require_safe
def agency(request: HttpRequest, uscc: str, agency_uscc: str) -> HttpResponse:
    """Show one agency: its reports within the jurisdiction, its marks by year, its exclusion."""
    at = authority_desk(request, uscc)
    return _agency_page(request, at, _agency(agency_uscc))


def _agency_page(
    request: HttpRequest, at: Desk, found: Organisation, status: int = 200, **forms: Any
) -> HttpResponse:
    form = ReportFilter(request.GET)
    wanted = filters(form)
    rows = queries.narrowed_reports(
        among=queries.reports_within(authority=at.organisation).filter(agency=found),
        text=wanted.get("q", ""), state=wanted.get("state", ""),
    )  # fmt: skip
    page = Paginator(rows.prefetch_related("spot_checks").order_by("-year", "-pk"), ROWS_PER_PAGE)
    marks = list(
        AgencyMark.objects.filter(authority=at.organisation, agency=found)
        .select_related("by")
        .order_by("-year")
    )
    this_year = next((mark for mark in marks if mark.year == at.today.year), None)
    exclusion = AgencyExclusion.objects.filter(authority=at.organisation, agency=found).first()
    context = at.context(
        agency=found, page=page_at(page, request.GET.get("page")), form=form, marks=marks, exclusion=exclusion,
        listing={"is_filtered": any(request.GET.get(name) for name in form.fields)},
        judge_form=forms.get("judge_form") or JudgeForm(year=at.today.year, mark=this_year),
        exclude_form=forms.get("exclude_form") or ExcludeForm(),
        may_judge=at.organisation.branch in queries.JUDGES,
    )  # fmt: skip
    return render(request, "reviews/agencies_page.html", context, status=status)


@require_POST
def judge(request: HttpRequest, uscc: str, agency_uscc: str) -> HttpResponse:
    """Judge the agency's work of a year."""
    at, found = authority_desk(request, uscc), _agency(agency_uscc)
    form = JudgeForm(request.POST, year=at.today.year)
    if form.is_valid():
        try:
            services.judge_agency(
                authority=at.organisation, agency=found, by=at.user, now=at.now, **form.cleaned_data
            )
            messages.success(request, _("已保存评估结果。"))
            return redirect("reviews:agency", uscc, agency_uscc)
        except ReviewRefused as refused:
            form.add_error(None, words_of(refused))
    return _agency_page(request, at, found, 422, judge_form=form)


@require_POST
def exclude(request: HttpRequest, uscc: str, agency_uscc: str) -> HttpResponse:
    """Take the agency's leave to evaluate here."""
    at, found = authority_desk(request, uscc), _agency(agency_uscc)
    form = ExcludeForm(request.POST)
    if form.is_valid():
        try:
            services.exclude_agency(
                authority=at.organisation, agency=found, by=at.user, now=at.now, **form.cleaned_data
            )
            messages.success(request, _("已取消该机构的评价资格，并对外公布。"))
            return redirect("reviews:agency", uscc, agency_uscc)
        except ReviewRefused as refused:
            form.add_error(None, words_of(refused))
    return _agency_page(request, at, found, 422, exclude_form=form)


# ---- reports and spot checks -----------------------------------------------------------------


def _report(at: Desk, report_id: int) -> AgencyReport:
    found = queries.reports_within(authority=at.organisation).filter(pk=report_id).first()
    if found is None:
        raise Http404
    return found


@require_http_methods(["GET", "POST"])
def report(request: HttpRequest, uscc: str, report_id: int) -> HttpResponse:
    """Show a report, and keep what a spot check of it found."""
    at = authority_desk(request, uscc)
    found = _report(at, report_id)
    form = SpotCheckForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            services.spot_check(
                report=found, authority=at.organisation, by=at.user, now=at.now, **form.cleaned_data
            )
            messages.success(request, _("已登记抽查结果。"))
            return redirect("reviews:agency-report-read", uscc, report_id)
        except ReviewRefused as refused:
            form.add_error(None, words_of(refused))
    edition = policy_queries.known_editions().get(found.edition)
    context = at.context(
        report=found, items=queries.rubric_rows(report=found), total=queries.total_of(report=found), form=form,
        checks=found.spot_checks.select_related("by").order_by("-pk"), edition=edition,
        may_check=found.submitted_at is not None and at.organisation.branch in queries.JUDGES,
    )  # fmt: skip
    status = 422 if request.method == "POST" else 200
    return render(request, "reviews/agencies_report_read.html", context, status=status)


@require_safe
def report_file(request: HttpRequest, uscc: str, report_id: int) -> HttpResponseBase:
    """Hand out the signed report."""
    found = _report(authority_desk(request, uscc), report_id)
    if not found.sha256 or found.submitted_at is None:
        raise Http404
    return attached(found.stored, found.file_name)


# ---- giving an agency ------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
def waiting(request: HttpRequest, uscc: str) -> HttpResponse:
    """List the applications that need an agency and have none, and give one."""
    at = authority_desk(request, uscc)
    rows = queries.waiting(authority=at.organisation)
    offered = list(queries.agencies())
    best = [m.agency_id for m in queries.recommended_agencies(authority=at.organisation, year=at.today.year)]
    status = 200
    if request.method == "POST":
        application = rows.filter(code=request.POST.get("code", "")).first()
        if application is None:
            raise Http404
        form = AssignForm(request.POST, agencies=offered, recommended=best)
        if form.is_valid():
            chosen = next(a for a in offered if a.uscc == form.cleaned_data["agency"])
            try:
                services.assign_agency(application=application, agency=chosen, by=at.user, now=at.now)
                messages.success(request, _("已委托%(name)s。") % {"name": chosen.name})
                return redirect("reviews:agencies-waiting", uscc)
            except ReviewRefused as refused:
                messages.error(request, words_of(refused))
                status = 409 if refused.is_conflict else 422
        else:
            messages.error(request, _("请选择第三方机构。"))
            status = 422
    page = page_at(Paginator(rows.order_by("stage_since", "code"), ROWS_PER_PAGE), request.GET.get("page"))
    form = AssignForm(agencies=offered, recommended=best)
    context = at.context(
        page=page, rows=[(row, division_name(row.district_code)) for row in page],
        options=format_html_join(
            "", '<option value="{}">{}</option>', form.fields["agency"].choices  # type: ignore[attr-defined]
        ),
    )  # fmt: skip
    return render(request, "reviews/agencies_waiting.html", context, status=status)
