"""The pages of management plans: the years, one year's plan, its editing and filing, and its files."""

import io
import json
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from wufei.filings import plan, plan_documents, queries, services
from wufei.filings.forms import FilingForm, VersionForm, plan_forms
from wufei.filings.models import FiledPlan, PlanDraft
from wufei.filings.plan import Content, Filed, tables_for
from wufei.filings.refusals import FilingRefused
from wufei.filings.wording import words
from wufei.ledger.models import Stream
from wufei.ledger.views.desk import Desk, desk
from wufei.registry.access import Permission
from wufei.registry.views.listing import page_at

ROWS = 30
CONTENT_TYPES = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "pdf": "application/pdf",
    "json": "application/json",
}  # fmt: skip
DUE = (3, 31)  # HJ 1259 5.2.2


@require_safe
def plans(request: HttpRequest, uscc: str) -> HttpResponse:
    """List the years with what was filed; this year and the next may be begun."""
    at = desk(request, uscc)
    filed = list(queries.filed_plans(organisation=at.organisation))
    drafts = {row.year: row for row in PlanDraft.objects.filter(organisation=at.organisation)}
    latest: dict[int, FiledPlan] = {}
    for row in filed:
        latest.setdefault(row.year, row)
    years = sorted({*latest, *drafts, at.today.year, at.today.year + 1}, reverse=True)
    rows = [(year, latest.get(year), drafts.get(year), _may_begin(at, year)) for year in years]
    page = page_at(Paginator(rows, ROWS), request.GET.get("page"))
    is_late = at.today.year not in latest and (at.today.month, at.today.day) > DUE
    return render(request, "filings/plans.html", at.context(page=page, is_late=is_late))


def _may_begin(at: Desk, year: int) -> bool:
    return at.today.year <= year <= at.today.year + 1


@require_safe
def plan_page(request: HttpRequest, uscc: str, year: int) -> HttpResponse:
    """Show a year's plan: what holds, what a draft still lacks, planned against actual, every version."""
    at = desk(request, uscc)
    return _plan_page(request, at, year)


def _plan_page(
    request: HttpRequest, at: Desk, year: int, *, form: FilingForm | None = None, status: int = 200
) -> HttpResponse:
    _within_time(year)
    versions = list(queries.filed_plans(organisation=at.organisation, year=year))
    draft = queries.drafted(organisation=at.organisation, year=year)
    if not versions and draft is None and not _may_begin(at, year):
        raise Http404
    found = (
        queries.findings(organisation=at.organisation, year=year, content=_content_of(at, draft))
        if draft is not None
        else []
    )
    shown = queries.plan_handed_out(versions[0], organisation=at.organisation) if versions else None
    context = at.context(
        year=year, versions=versions, draft=draft, found=found, faults=sum(each.is_fault for each in found),
        tables=_shown_tables(shown) if shown else [], may_begin=_may_begin(at, year),
        progress=queries.progress(organisation=at.organisation, year=year, on=at.today), due=DUE,
        form=form or (FilingForm(initial={"version": draft.version}) if draft else None),
    )  # fmt: skip
    return render(request, "filings/plan.html", context, status=status)


def _within_time(year: int) -> None:
    if not 1949 <= year <= 2200:
        raise Http404


def _content_of(at: Desk, draft: PlanDraft) -> Content:
    return plan.with_wastes(draft.content, queries.waste_facts(organisation=at.organisation))


def _shown_tables(filed: Filed) -> list[tuple[plan.Table, list[list[tuple[plan.Column, str]]]]]:
    """Return each table with its rows, a column and its text side by side."""
    return [
        (
            table,
            [
                [(column, plan.cell_text(column, row.get(column.key))) for column in table.columns]
                for row in plan.full_rows(table, filed.content)
            ],
        )
        for table in tables_for(filed.control_class)
    ]


@require_POST
def start(request: HttpRequest, uscc: str, year: int) -> HttpResponse:
    """Begin the plan of the year, or the change of what was filed."""
    at = desk(request, uscc, Permission.CLOSE_MONTH)
    try:
        services.start_draft(organisation=at.organisation, year=year, by=at.user, now=at.now)
    except FilingRefused as refused:
        messages.error(request, words(refused))
        return redirect("filings:plans", uscc)
    return redirect("filings:edit-plan", uscc, year)


@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, uscc: str, year: int) -> HttpResponse:
    """Write the draft, table by table."""
    at = desk(request, uscc, Permission.CLOSE_MONTH)
    draft = queries.drafted(organisation=at.organisation, year=year)
    if draft is None:
        raise Http404
    rows = Stream.objects.filter(organisation=at.organisation, waste_class="HAZARDOUS").order_by("code")
    streams = [(row.code, f"{row.code} {row.name}") for row in rows]
    posted = request.POST if request.method == "POST" else None
    control_class = plan.control_class_of(draft.content)
    # A table that the class doesn't ask for is shown while it has rows, so that they can be taken away.
    of_class = tables_for(control_class)
    asked = [each for each in plan.TABLES if each in of_class or (not each.is_one and draft.content[each.id])]
    tables = plan_forms(draft.content, posted, streams, asked)
    version = VersionForm(posted, initial={"version": draft.version})
    if posted is not None and all([each.is_valid for each in tables]) and version.is_valid():  # noqa: C419
        content = draft.content | {each.table.id: each.rows() for each in tables}
        try:
            services.save_draft(
                organisation=at.organisation, year=year, content=content, by=at.user, now=at.now,
                version=version.cleaned_data["version"],
            )  # fmt: skip
        except FilingRefused as refused:
            messages.error(request, words(refused))
        else:
            messages.success(request, _("已保存草稿。"))
            return redirect("filings:plan" if "done" in posted else "filings:edit-plan", uscc, year)
    is_wrong = posted is not None
    context = at.context(year=year, draft=draft, tables=tables, version=version)
    return render(request, "filings/edit_plan.html", context, status=422 if is_wrong else 200)


@require_POST
def give_up(request: HttpRequest, uscc: str, year: int) -> HttpResponse:
    """Throw the draft away."""
    at = desk(request, uscc, Permission.CLOSE_MONTH)
    form = VersionForm(request.POST)
    try:
        version = form.cleaned_data["version"] if form.is_valid() else 0
        services.give_up_draft(
            organisation=at.organisation, year=year, version=version, by=at.user, now=at.now
        )
    except FilingRefused as refused:
        messages.error(request, words(refused))
        return redirect("filings:plans", uscc)
    messages.success(request, _("已放弃草稿；已备案的不变。"))
    return redirect("filings:plans", uscc)


@require_POST
def file(request: HttpRequest, uscc: str, year: int) -> HttpResponse:
    """File the draft."""
    at = desk(request, uscc, Permission.CLOSE_MONTH)
    form = FilingForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("页面已过期；请刷新后重试。"))
        return redirect("filings:plans", uscc)
    try:
        made = services.file_plan(
            organisation=at.organisation, year=year, by=at.user, now=at.now, **form.cleaned_data
        )
    except FilingRefused as refused:
        form.add_error("reason" if refused.code.value.startswith("reason") else None, words(refused))
        return _plan_page(request, at, year, form=form, status=422)
    messages.success(request, _("已备案为第 %(n)d 版，内容已固定。") % {"n": made.number})
    return redirect("filings:plan", uscc, year)


@require_safe
def download(
    request: HttpRequest, uscc: str, year: int, number: int, ending: str
) -> HttpResponse | FileResponse:
    """Hand out a version as it was filed; number 0 is the draft, and says so."""
    at = desk(request, uscc)
    if ending not in CONTENT_TYPES:
        raise Http404
    if number:
        row = queries.filed_plans(organisation=at.organisation, year=year).filter(number=number).first()
        if row is None:
            raise Http404
        filed = queries.plan_handed_out(row, organisation=at.organisation)
    else:
        draft = queries.drafted(organisation=at.organisation, year=year)
        if draft is None:
            raise Http404
        filed = queries.draft_handed_out(draft, organisation=at.organisation)
    title = f"危险废物管理计划-{at.organisation.name}-{year}-{number or '草稿'}.{ending}"
    return FileResponse(
        written(filed, ending), as_attachment=True, filename=title, content_type=CONTENT_TYPES[ending]
    )


def written(filed: Filed, ending: str) -> io.BytesIO:
    """Return the plan as a file."""
    out = io.BytesIO()
    if ending == "json":
        out.write(json.dumps(plan.document(filed), ensure_ascii=False, indent=1).encode())
    else:
        writer: Any = plan_documents.WRITERS[ending]
        writer(out, filed)
    out.seek(0)
    return out
