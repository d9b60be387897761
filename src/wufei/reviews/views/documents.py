"""The official papers: one address for each, and whoever may not see what is in it does not get it."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from wufei.cases.documents import summary
from wufei.paper.attachments import MEDIA_TYPES
from wufei.registry.access import Permission
from wufei.registry.queries import may, require
from wufei.reviews import documents
from wufei.reviews.models import Assignment, PublicNotice, Round
from wufei.reviews.queries import documents as queries
from wufei.reviews.queries.applications import sees_as_officer
from wufei.reviews.queries.experts import assignment_for
from wufei.reviews.queries.notices import notice_for
from wufei.reviews.queries.rounds_recommending import recommending_stage
from wufei.reviews.refusals import ReviewRefused
from wufei.reviews.views.notices import run_by
from wufei.reviews.views.rounds_desk import desk, one_application, round_desk
from wufei.reviews.wording import words_of

# paper → its name, its file, how it is made of a round
OF_A_ROUND: dict[str, tuple[Any, str, Callable[[Round], bytes]]] = {
    "call": (_("申报通知"), "申报通知.docx", lambda r: documents.call_notice(queries.call(round_=r))),
    "minutes": (
        _("专家评审会议纪要"), "专家评审会议纪要.docx", lambda r: documents.meeting_minutes(queries.minutes(round_=r)),
    ),
    "list": (_("名单"), "名单.docx", lambda r: documents.title_list(queries.title_list(round_=r))),
    "summary": (_("汇总表（附件3）"), "汇总表.xlsx", lambda r: summary(queries.summary_rows(round_=r))),
    "decision": (
        _("认定文件"), "认定文件.docx", lambda r: documents.decision_paper(queries.decision(round_=r)),
    ),
}  # fmt: skip


def _download(content: bytes, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type=MEDIA_TYPES[name.rsplit(".", 1)[-1]])
    response["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name)}"
    response["X-Content-Type-Options"] = "nosniff"
    return response


@require_safe
def papers(request: HttpRequest, round_id: int) -> HttpResponse:
    """List the papers of a round that the reader may have."""
    of = round_desk(request, round_id)
    authorities = [
        a for a in of.at.authorities() if recommending_stage(edition=of.edition, authority=a) is not None
    ]
    if not of.runs and not authorities:
        require(
            user=of.at.user,
            permission=Permission.RUN_ROUND,
            organisation=of.round.authority,
            on=of.at.today,
        )
    notices = PublicNotice.objects.filter(round=of.round).order_by("-pk") if of.runs else ()
    context = of.context(
        papers=[(key, name, file) for key, (name, file, _make) in OF_A_ROUND.items()] if of.runs else (),
        authorities=authorities, notices=notices,
    )  # fmt: skip
    return render(request, "reviews/documents_page.html", context)


@require_safe
def paper(request: HttpRequest, round_id: int, paper: str) -> HttpResponse:
    """Hand out a paper of a round to who runs it."""
    of = run_by(request, round_id)
    if paper not in OF_A_ROUND:
        raise Http404
    _name, file, make = OF_A_ROUND[paper]
    try:
        return _download(make(of.round), f"{of.round.year}年度{file}")
    except ReviewRefused as refused:
        messages.error(request, words_of(refused))
        return redirect("reviews:papers", round_id)


@require_safe
def recommendation(request: HttpRequest, round_id: int, uscc: str) -> HttpResponse:
    """Hand out an authority's letter of recommendation to its own people."""
    of = round_desk(request, round_id)
    authority = next((each for each in of.at.authorities() if each.uscc == uscc), None)
    if authority is None or recommending_stage(edition=of.edition, authority=authority) is None:
        raise Http404
    try:
        letter = queries.recommendation(round_=of.round, authority=authority)
    except ReviewRefused as refused:
        messages.error(request, words_of(refused))
        return redirect("reviews:papers", round_id)
    return _download(documents.recommendation_letter(letter), "推荐函.docx")


@require_safe
def notice(request: HttpRequest, notice_id: int) -> HttpResponse:
    """Hand out a public notice as a paper."""
    at = desk(request)
    try:
        found = notice_for(user=at.user, pk=notice_id, on=at.today)
    except PublicNotice.DoesNotExist as error:
        raise Http404 from error
    return _download(documents.public_notice(queries.notice(notice=found)), "公示.docx")


@require_safe
def opinions(request: HttpRequest, code: str) -> HttpResponse:
    """Hand out the departments' opinions on an application to officers who see it, never to its applicant."""
    at = desk(request)
    found = one_application(at, code)
    if not sees_as_officer(user=at.user, application=found, on=at.today):
        raise Http404
    return _download(
        documents.opinion_sheet(queries.opinions(application=found)), f"部门意见表-{found.code}.docx"
    )


@require_safe
def score_sheet(request: HttpRequest, assignment_id: int) -> HttpResponse:
    """Hand out an expert's sheet, to the expert and to who runs the round."""
    at = desk(request)
    try:
        found = assignment_for(user=at.user, pk=assignment_id)
    except Assignment.DoesNotExist as error:
        rows = Assignment.objects.select_related("application__round__authority", "expert")
        other = rows.filter(pk=assignment_id).first()
        if other is None or not may(
            user=at.user, permission=Permission.RUN_ROUND, organisation=other.application.round.authority,
            on=at.today,
        ):  # fmt: skip
            raise Http404 from error
        found = other
    try:
        sheet = queries.score_paper(assignment=found)
    except ReviewRefused as refused:
        raise Http404 from refused
    name = f"专家评分表-{sheet.code}-{sheet.expert}-{sheet.turn}.docx"
    return _download(documents.score_sheet(sheet), name)
