"""An agency's own pages: what was assigned to it, and the report; and the applicant's page that chooses it."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from wufei.cases.models import Case
from wufei.cases.queries import label_of
from wufei.cases.refusals import sentence
from wufei.paper.attachments import EvidenceRefused
from wufei.policies import queries as policy_queries
from wufei.policies.edition import RubricItem
from wufei.registry.views.listing import ROWS_PER_PAGE, filters, page_at
from wufei.registry.views.organisations import division_name
from wufei.reviews import claims
from wufei.reviews.forms.agencies import AssignForm, ReportFilter, ReportForm, ReturnForm, WithdrawForm
from wufei.reviews.models import AgencyReport, Application
from wufei.reviews.queries import agencies as queries
from wufei.reviews.queries.roles import roles_on
from wufei.reviews.refusals import ReviewRefused
from wufei.reviews.services import agencies as services
from wufei.reviews.services import agencies_reporting as reporting
from wufei.reviews.services import deciding
from wufei.reviews.services.deciding import Said
from wufei.reviews.stages import APPLICANT, Action
from wufei.reviews.views.rounds import attached
from wufei.reviews.views.rounds_desk import Desk, desk, one_application
from wufei.reviews.wording import words_of


@require_safe
def reports(request: HttpRequest) -> HttpResponse:
    """List what the reader's agencies were asked to evaluate."""
    at = desk(request)
    form = ReportFilter(request.GET)
    wanted = filters(form)
    rows = queries.narrowed_reports(
        among=queries.reports_of(user=at.user), text=wanted.get("q", ""), state=wanted.get("state", "")
    )
    page = Paginator(rows.order_by("submitted_at", "-assigned_at", "pk"), ROWS_PER_PAGE)
    context = at.context(
        form=form, page=page_at(page, request.GET.get("page")),
        listing={"is_filtered": any(request.GET.get(name) for name in form.fields)},
    )  # fmt: skip
    return render(request, "reviews/agencies_own_list.html", context)


def _own(at: Desk, key: int) -> tuple[AgencyReport, Application]:
    try:
        found = queries.report_for(user=at.user, key=key)
    except AgencyReport.DoesNotExist as error:
        raise Http404 from error
    if found.application is None:
        raise Http404
    return found, found.application


def _items(report: AgencyReport) -> tuple[RubricItem, ...]:
    scoring = policy_queries.edition(report.edition).scoring
    return scoring.rubric if scoring else ()


@require_http_methods(["GET", "POST"])
def report(request: HttpRequest, key: int) -> HttpResponse:
    """Show the case and the report; its buttons save, and hand in with the conclusion."""
    at = desk(request)
    found, application = _own(at, key)
    if request.method == "GET":
        return _page(request, at, found, application)
    form = ReportForm(request.POST, report=found)
    if not form.is_valid():
        return _page(request, at, found, application, form=form, status=422)
    said: dict[str, Any] = {"report": found, "by": at.user, "now": at.now}
    try:
        saved = reporting.save_report(
            version=form.cleaned_data["version"], written=form.written(_items(found)), **said
        )
        if request.POST.get("action") == "submit":
            reporting.hand_in(version=saved.version, case_version=application.version, **said)
            messages.success(request, _("评价报告已提交，不能再改。"))
            return redirect("reviews:agency-reports")
        messages.success(request, _("草稿已保存。"))
        return redirect("reviews:agency-report", key)
    except ReviewRefused as refused:
        fresh, application = _own(at, key)
        if refused.code != "stale":  # what was saved before is saved; its version is the one to go on with
            again = request.POST.copy()
            again["version"] = str(fresh.version)
            form.data = again
        status = 409 if refused.is_conflict else 422
        return _page(request, at, fresh, application, form=form, error=words_of(refused), status=status)


def _page(
    request: HttpRequest,
    at: Desk,
    found: AgencyReport,
    application: Application,
    *,
    form: ReportForm | None = None,
    error: str = "",
    status: int = 200,
) -> HttpResponse:
    content = application.submission.content
    edition = policy_queries.edition(found.edition)
    shut_out = queries.is_excluded(agency=found.agency, division_code=application.district_code, on=at.today)
    is_at = queries.needs_agency(application=application) and found.withdrawn_at is None and not shut_out
    known = {field.name for field in Case._meta.get_fields()}
    items = [
        {**row, "score": form.data.get(f"score-{row['item'].id}", ""),
         "comment": form.data.get(f"comment-{row['item'].id}", "")} if form else row
        for row in queries.rubric_rows(report=found)
    ]  # fmt: skip
    context = at.context(
        report=found, application=application, round=application.round, edition=edition, error=error, items=items,
        total=queries.total_of(report=found), form=form or ReportForm(report=found), shut_out=shut_out,
        may_write=is_at and found.submitted_at is None, may_act=is_at, withdraw_form=WithdrawForm(),
        return_form=ReturnForm(), district=division_name(application.district_code),
        lacking=reporting.lacking(found, edition.scoring), claims=claims.claims(content, edition),
        texts=[(label_of(n) if n in known else n, text) for n, text in claims.texts(content)],
        files=application.submission.files.order_by("pk"),
    )  # fmt: skip
    return render(request, "reviews/agencies_own_report.html", context, status=status)


@require_POST
def save(request: HttpRequest, key: int) -> HttpResponse:
    """Save the draft while it is being written; answers the version that the next save is upon."""
    at = desk(request)
    found, _application = _own(at, key)
    form = ReportForm(request.POST, report=found)
    if not form.is_valid():
        words = "；".join(str(each[0]) for each in form.errors.values())
        return JsonResponse({"words": words}, status=422)
    try:
        saved = reporting.save_report(
            report=found, version=form.cleaned_data["version"], written=form.written(_items(found)), by=at.user,
            now=at.now,
        )  # fmt: skip
    except ReviewRefused as refused:
        words = words_of(refused)
        if refused.code == "stale":
            words = _("这份报告在别处改过，本页没有自动保存：请另开窗口核对，复制需要的内容后再改。")
        return JsonResponse({"words": words}, status=409 if refused.is_conflict else 422)
    return JsonResponse({"version": saved.version})


@require_http_methods(["GET", "POST"])
def report_file(request: HttpRequest, key: int) -> HttpResponseBase:
    """Hand out the signed report, or take it."""
    at = desk(request)
    found, _application = _own(at, key)
    if request.method == "GET":
        if not found.sha256:
            raise Http404
        return attached(found.stored, found.file_name)
    file = request.FILES.get("file")
    try:
        if file is None:
            raise EvidenceRefused("file_empty")
        reporting.attach_report(
            report=found, version=found.version, name=file.name or "", content=file.read(), by=at.user, now=at.now
        )  # fmt: skip
        messages.success(request, _("已上传评价报告。"))
    except EvidenceRefused as refused_file:
        messages.error(request, sentence(refused_file.code))
    except ReviewRefused as refused:
        messages.error(request, words_of(refused))
    return redirect("reviews:agency-report", key)


@require_POST
def act(request: HttpRequest, key: int) -> HttpResponse:
    """Send the case back for correction; or pass it on by a report that was handed in before."""
    at = desk(request)
    found, application = _own(at, key)
    is_return = request.POST.get("action") == "return"
    form = ReturnForm(request.POST)
    if is_return and not form.is_valid():
        messages.error(request, _("请写明需要补正的内容。"))
        return redirect("reviews:agency-report", key)
    passed = Action.AGREE if found.is_positive else Action.DISAGREE
    said = request.POST.get("version", "")
    try:
        deciding.decide(
            application=application, version=int(said) if said.isdecimal() and len(said) < 10 else 0,
            action=Action.RETURN if is_return else passed, role=reporting.AGENCY, by=at.user, now=at.now,
            said=Said(words=form.cleaned_data["words"] if is_return else found.conclusion),
        )  # fmt: skip
        messages.success(request, _("已退回申报单位补正。") if is_return else _("已按评价结论办理。"))
    except ReviewRefused as refused:
        messages.error(request, words_of(refused))
    return redirect("reviews:agency-report", key)


@require_POST
def withdraw(request: HttpRequest, key: int) -> HttpResponse:
    """Decline an assignment, with the reason."""
    at = desk(request)
    found, _application = _own(at, key)
    try:
        services.withdraw_agency(report=found, reason=request.POST.get("reason", ""), by=at.user, now=at.now)
        messages.success(request, _("已退回委托。"))
    except ReviewRefused as refused:
        messages.error(request, words_of(refused))
    return redirect("reviews:agency-reports")


@require_safe
def submitted_file(request: HttpRequest, key: int, file_id: int) -> HttpResponseBase:
    """Hand out a file of the submission to the agency, while it is asked."""
    found, application = _own(desk(request), key)
    row = application.submission.files.filter(pk=file_id).first()
    if row is None or found.withdrawn_at is not None:
        raise Http404
    return attached(row.stored, row.file_name)


# ---- the applicant's page --------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
def choose(request: HttpRequest, code: str) -> HttpResponse:
    """Let the applicant choose an agency, take the choice back, and read the report."""
    at = desk(request)
    application = one_application(at, code)
    if APPLICANT not in roles_on(user=at.user, application=application, on=at.today):
        raise Http404
    offered = list(queries.agencies_for(application=application, on=at.today))
    authority = application.round.authority
    best = [m.agency_id for m in queries.recommended_agencies(authority=authority, year=at.today.year)]
    form = AssignForm(request.POST or None, agencies=offered, recommended=best)
    standing = queries.live_report(application=application)
    status = 200
    if request.method == "POST":
        words = _chosen(request, at, application, standing, form, offered)
        if not words:
            return redirect("reviews:choose-agency", code)
        messages.error(request, words)
        status = 422
    context = at.context(
        application=application, round=application.round, report=standing, form=form,
        needs=queries.needs_agency(application=application), withdraw_form=WithdrawForm(),
        items=queries.rubric_rows(report=standing) if standing and standing.submitted_at else (),
    )  # fmt: skip
    return render(request, "reviews/agencies_choose.html", context, status=status)


def _chosen(
    request: HttpRequest,
    at: Desk,
    application: Application,
    standing: AgencyReport | None,
    form: AssignForm,
    offered: Any,
) -> str:
    """Do what was asked; return why not, or nothing."""
    said: dict[str, Any] = {"by": at.user, "now": at.now}
    try:
        if request.POST.get("action") == "withdraw":
            if standing is None:
                return str(words_of(ReviewRefused("agency_withdrawn")))
            services.withdraw_agency(report=standing, reason=request.POST.get("reason", ""), **said)
            messages.success(request, _("已解除委托。"))
            return ""
        if not form.is_valid():
            return _("请选择第三方机构。")
        chosen = next(each for each in offered if each.uscc == form.cleaned_data["agency"])
        services.assign_agency(application=application, agency=chosen, **said)
        messages.success(request, _("已委托%(name)s，对方会收到消息。") % {"name": chosen.name})
        return ""
    except ReviewRefused as refused:
        return words_of(refused)


@require_safe
def report_of(request: HttpRequest, code: str) -> HttpResponseBase:
    """Hand out the agency's signed report to those who see the application."""
    application = one_application(desk(request), code)
    found = queries.live_report(application=application)
    if found is None or found.submitted_at is None or not found.sha256:
        raise Http404
    return attached(found.stored, found.file_name)
