"""Rounds: the list, opening one, its notice, publishing, late admissions, its page with statistics, its files."""

from datetime import date
from typing import Any
from urllib.parse import quote

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from wufei.cases.refusals import sentence
from wufei.paper.attachments import MEDIA_TYPES, EvidenceRefused
from wufei.policies import queries as policy_queries
from wufei.policies.edition import Edition
from wufei.registry.access import Permission
from wufei.registry.models import Organisation
from wufei.registry.queries import require
from wufei.registry.views.listing import ROWS_PER_PAGE, filters, page_at
from wufei.registry.views.organisations import division_name, industry_name
from wufei.reviews import telling
from wufei.reviews.forms.rounds import (
    DOCUMENT_KINDS,
    DocumentForm,
    LateForm,
    OpenRoundForm,
    RoundFilter,
    RoundForm,
)
from wufei.reviews.models import Application, Round, RoundDocument
from wufei.reviews.queries import rounds as queries
from wufei.reviews.queries.applications import officers_list
from wufei.reviews.queries.applications_seen import held_roles
from wufei.reviews.queries.rounds_recommending import recommending_stage
from wufei.reviews.refusals import ReviewRefused
from wufei.reviews.services import rounds as services
from wufei.reviews.services.rounds_recommending import add_document
from wufei.reviews.stages import Outcome
from wufei.reviews.views.rounds_desk import RoundDesk, desk, round_desk
from wufei.reviews.wording import words_of

DEADLINES = frozenset({"deadline_in_past", "deadline_after_report"})


@require_safe
def rounds(request: HttpRequest) -> HttpResponse:
    """List the rounds that the reader may see."""
    at = desk(request)
    editions = [e for e in policy_queries.known_editions().values() if e.stages]
    form = RoundFilter(request.GET, editions=editions)
    asked = filters(form)
    rows = queries.found_rounds(
        among=queries.visible_rounds(user=at.user, on=at.today),
        text=asked.get("q", ""), edition=asked.get("edition", ""), state=asked.get("state", ""),
    )  # fmt: skip
    page = page_at(Paginator(rows, ROWS_PER_PAGE), request.GET.get("page"))
    authorities = at.authorities()
    own = {authority.pk for authority in authorities}
    counts = queries.counts_of(rounds=[row for row in page if row.authority_id in own])
    titles = {e.id: e.title for e in editions}
    shown = [(row, titles.get(row.edition, row.edition), counts.get(row.pk, 0) if row.authority_id in own else None)
             for row in page]  # fmt: skip
    is_filtered = any(request.GET.get(name) for name in form.fields)
    context = at.context(
        form=form, page=page, rows=shown, can_open=bool(_openable(authorities)[1]),
        listing={"is_filtered": is_filtered},
    )  # fmt: skip
    return render(request, "reviews/rounds_list.html", context)


def _openable(authorities: list[Organisation]) -> tuple[list[Edition], list[Organisation]]:
    """Return the editions of which one of these authorities opens a round, and those that open one."""
    pairs = [
        (edition, authority)
        for edition in policy_queries.known_editions().values()
        for authority in authorities
        if queries.runs_rounds_of(edition=edition, authority=authority)
    ]
    found = {authority.pk for _, authority in pairs}
    editions = {edition.id: edition for edition, _ in pairs}
    return list(editions.values()), [each for each in authorities if each.pk in found]


@require_http_methods(["GET", "POST"])
def open_round(request: HttpRequest) -> HttpResponse:
    """Open a round from an edition."""
    at = desk(request)
    editions, authorities = _openable(at.authorities())
    if not authorities:
        raise Http404
    first = {"year": at.today.year}
    form = OpenRoundForm(request.POST or None, editions=editions, authorities=authorities, initial=first)
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        authority = next(a for a in authorities if a.uscc == said["authority"])
        try:
            opened = services.open_round(
                edition_id=said["edition"], year=said["year"], authority=authority, title=said["title"], by=at.user,
                now=at.now,
            )  # fmt: skip
            return redirect("reviews:edit-round", opened.pk)
        except ReviewRefused as refused:
            form.add_error(None, words_of(refused))
    context = at.context(form=form, heading=_("发起一轮申报"), button=_("发起"), symbol="plus")
    return render(request, "reviews/rounds_form.html", context, status=422 if form.errors else 200)


@require_safe
def round_page(request: HttpRequest, round_id: int) -> HttpResponse:
    """Show a round: its notice and dates, how far the applications are, its files."""
    of = round_desk(request, round_id)
    if request.GET.get("part") == "statistics":
        return render(request, "reviews/_rounds_statistics.html", _statistics(of))
    among = _counted(of)
    openable = officers_list(user=of.at.user, on=of.at.today, edition=of.edition) if of.runs else None
    status = None if among is None else queries.status_of(round_=of.round, among=among, openable=openable)
    documents = [row for row in of.round.documents.select_related("added_by", "authority").order_by("pk")
                 if _may_read(of, row)]  # fmt: skip
    reporting = queries.reporting_days(round_=of.round)
    context = of.context(
        reporting=reporting, other_dates=[day for day in of.edition.dates if day not in reporting], status=status, outcomes=_in_words(status) if status else (), documents=documents,
        kinds=dict(DOCUMENT_KINDS), document_form=DocumentForm() if of.runs else None,
        quotas=queries.quotas_of(round_=of.round) if of.runs else (),
        late=of.round.late_admissions.select_related("organisation", "by").order_by("-pk") if of.runs else (),
        recommends=_recommends(of), is_applicant=_is_applicant(of),
        has_experts=any(stage.kind == "experts" for stage in of.edition.stages),
    )  # fmt: skip
    return render(request, "reviews/rounds_page.html", context)


def _in_words(status: queries.Status) -> list[tuple[str, str, int, int]]:
    return [
        (code, telling.OUTCOME_WORDS[Outcome(code)], number, status.outcomes_not_yet.get(code, 0))
        for code, number in status.outcomes.items()
    ]


def _is_applicant(of: RoundDesk) -> bool:
    return any(held.is_applicant for held in held_roles(user=of.at.user, on=of.at.today))


def _recommends(of: RoundDesk) -> list[Organisation]:
    return [a for a in of.at.authorities() if recommending_stage(edition=of.edition, authority=a) is not None]


def _counted(of: RoundDesk) -> Any:
    """Return the applications that the counts are of: all for who runs the round, else what an officer sees."""
    if of.runs:
        return Application.objects.all()
    if not of.at.authorities():
        return None
    return officers_list(user=of.at.user, on=of.at.today, edition=of.edition)


def _statistics(of: RoundDesk) -> dict[str, Any]:
    among = _counted(of)
    if among is None:
        raise Http404
    found = queries.statistics(round_=of.round, among=among)
    most = max((row.reached for row in found.stages), default=0)
    return of.context(
        stages=[(row, row.reached * 100 // most if most else 0) for row in found.stages],
        districts=[(division_name(row.code), row) for row in found.districts],
        industries=[(_industry(row.code), row) for row in found.industries],
    )


def _industry(code: str) -> str:
    return industry_name(code) if code else _("未填行业代码")


@require_http_methods(["GET", "POST"])
def edit_round(request: HttpRequest, round_id: int) -> HttpResponse:
    """Edit the notice, the deadline and the quotas."""
    of = _run_by(request, round_id)
    form = RoundForm(request.POST or None, round_=of.round, edition=of.edition)
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            services.edit_round(
                round_=of.round, version=form.cleaned_data["version"], changes=form.changes(), by=of.at.user,
                now=of.at.now,
            )  # fmt: skip
            messages.success(request, _("已保存。"))
            return redirect("reviews:round", round_id)
        except ReviewRefused as refused:
            words = words_of(refused)
            if refused.code == "stale":
                words = _("本轮刚被他人修改，您的内容没有保存：请另开窗口核对后，复制过去再保存。")
            form.add_error("submission_deadline" if refused.code in DEADLINES else None, words)
            status = 409 if refused.is_conflict else 422
    elif form.errors:
        status = 422
    context = of.context(form=form, heading=_("编辑通知"), button=_("保存"), symbol="check")
    return render(request, "reviews/rounds_form.html", context, status=status)


def _run_by(request: HttpRequest, round_id: int) -> RoundDesk:
    """
    Return the round for who runs it.

    :raises NotPermitted: for others who see it
    """
    of = round_desk(request, round_id)
    at = of.at
    require(user=at.user, permission=Permission.RUN_ROUND, organisation=of.round.authority, on=at.today)
    return of


@require_POST
def publish(request: HttpRequest, round_id: int) -> HttpResponse:
    """Publish the call."""
    of = _run_by(request, round_id)
    return _done(request, of.round, _("已发布，开始接收申报。"),
                 lambda: services.publish_round(round_=of.round, by=of.at.user, now=of.at.now))  # fmt: skip


@require_POST
def close(request: HttpRequest, round_id: int) -> HttpResponse:
    """Close the round."""
    of = _run_by(request, round_id)
    return _done(request, of.round, _("本轮已结束。"),
                 lambda: services.close_round(round_=of.round, by=of.at.user, now=of.at.now))  # fmt: skip


def _done(request: HttpRequest, round_: Round, words: str, act: Any) -> HttpResponse:
    try:
        act()
        messages.success(request, words)
    except ReviewRefused as refused:
        messages.error(request, words_of(refused))
    return redirect("reviews:round", round_.pk)


@require_http_methods(["GET", "POST"])
def admit_late(request: HttpRequest, round_id: int) -> HttpResponse:
    """Let one organisation hand in after the deadline."""
    of = _run_by(request, round_id)
    form = LateForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        organisation = Organisation.objects.filter(uscc=said["uscc"].strip().upper()).first()
        if organisation is None:
            form.add_error("uscc", _("没有这个统一社会信用代码的单位，请核对。"))
        elif _admitted(of, organisation, said["until"], said["reason"], form):
            messages.success(request, _("已登记：允许%(name)s逾期报送。") % {"name": organisation.name})
            return redirect("reviews:round", round_id)
    context = of.context(form=form, heading=_("逾期接收"), button=_("登记"), symbol="check")
    return render(request, "reviews/rounds_form.html", context, status=422 if form.errors else 200)


def _admitted(of: RoundDesk, organisation: Organisation, until: date, reason: str, form: LateForm) -> bool:
    try:
        services.admit_late(
            round_=of.round,
            organisation=organisation,
            until=until,
            reason=reason,
            by=of.at.user,
            now=of.at.now,
        )
    except ReviewRefused as refused:
        form.add_error("until" if refused.code == "deadline_in_past" else None, words_of(refused))
        return False
    return True


@require_POST
def upload(request: HttpRequest, round_id: int) -> HttpResponse:
    """Keep a file with the round."""
    of = _run_by(request, round_id)
    form = DocumentForm(request.POST, request.FILES)
    if not form.is_valid():
        messages.error(request, _("请选择文件和类别。"))
        return redirect("reviews:round", round_id)
    said = form.cleaned_data
    keep_file(request, of, of.round.authority, said["kind"], said["file"], is_public=said["is_public"])
    return redirect("reviews:round", round_id)


def keep_file(
    request: HttpRequest, of: RoundDesk, authority: Organisation, kind: str, file: Any, *, is_public: bool
) -> None:
    """Keep what was uploaded, and say so or why not."""
    try:
        kept = add_document(
            round_=of.round, authority=authority, kind=kind, file_name=file.name or "", content=file.read(),
            is_public=is_public, by=of.at.user, now=of.at.now,
        )  # fmt: skip
        messages.success(request, _("已上传“%(name)s”。") % {"name": kept.file_name})
    except EvidenceRefused as refused:
        messages.error(request, sentence(refused.code))
    except ReviewRefused as refused_review:
        messages.error(request, words_of(refused_review))


def _may_read(of: RoundDesk, row: RoundDocument) -> bool:
    """A file is read by who runs the round and by whose it is; a public one by everybody."""
    own = {authority.pk for authority in of.at.authorities()} if not of.runs else set()
    return of.runs or row.is_public or row.authority_id in own


@require_safe
def document(request: HttpRequest, round_id: int, document_id: int) -> HttpResponseBase:
    """Hand out a file of the round, always as a download."""
    of = round_desk(request, round_id)
    row = of.round.documents.filter(pk=document_id).first()
    if row is None or not _may_read(of, row):
        raise Http404
    return attached(row.stored, row.file_name)


def attached(stored: Any, name: str) -> FileResponse:
    """Return a stored file as a download under its name."""
    kind = str(stored.name).rsplit(".", 1)[-1]
    media_type = MEDIA_TYPES.get(kind, "application/octet-stream")
    response = FileResponse(stored.open("rb"), content_type=media_type)
    response["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name)}"
    response["X-Content-Type-Options"] = "nosniff"
    return response
