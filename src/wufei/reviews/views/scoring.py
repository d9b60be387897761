"""
An expert's own pages: what is to be scored, the case without names, the sheet, stepping back.

Blind: nothing here reads the application's organisation; all that is shown comes from `expert_view`.
"""

import re
from typing import Any
from urllib.parse import quote

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from wufei.cases import queries as case_queries
from wufei.paper.attachments import MEDIA_TYPES
from wufei.policies import queries as policy_queries
from wufei.policies.edition import Scoring
from wufei.registry.views.listing import ROWS_PER_PAGE, page_at
from wufei.reviews.blinding import NotSurelyBlind
from wufei.reviews.forms.experts import ReasonForm, WordsForm
from wufei.reviews.models import Assignment, ScoreSheet
from wufei.reviews.queries import experts as expert_queries
from wufei.reviews.queries import sheets as queries
from wufei.reviews.refusals import ReviewRefused
from wufei.reviews.services import assignments as assignment_services
from wufei.reviews.services import sheets as services
from wufei.reviews.views.experts_desk import own_assignment
from wufei.reviews.views.rounds_desk import desk
from wufei.reviews.wording import words_of


@require_safe
def tasks(request: HttpRequest) -> HttpResponse:
    """List what the reader was given to score; by code, never by name."""
    at = desk(request)
    rows = expert_queries.own_assignments(user=at.user)
    page = page_at(Paginator(rows, ROWS_PER_PAGE), request.GET.get("page"))
    shown = [(row, _sheet_of(row), _title(row.application.round.edition)) for row in page]
    done = rows.filter(sheet__submitted_at__isnull=False).count()
    context = at.context(page=page, rows=shown, done=done)
    return render(request, "reviews/scoring_list.html", context)


def _title(edition_id: str) -> str:
    known = policy_queries.known_editions().get(edition_id)
    return known.title if known else edition_id


def _sheet_of(row: Assignment) -> ScoreSheet | None:
    return getattr(row, "sheet", None)


@require_http_methods(["GET", "POST"])
def sheet(request: HttpRequest, assignment_id: int) -> HttpResponse:
    """Show the case and its sheet; without scripts its buttons save and submit."""
    at, row = own_assignment(request, assignment_id)
    if request.method == "GET":
        return _page(request, at, row)
    try:
        saved = _save(request, at, row)
        if request.POST.get("action") == "submit":
            services.submit_sheet(assignment=row, version=saved.version, by=at.user, now=at.now)
            messages.success(request, _("已提交。提交后不能再改。"))
            return redirect("reviews:scoring")
        messages.success(request, _("草稿已保存。"))
        return redirect("reviews:score-sheet", assignment_id)
    except ReviewRefused as refused:
        status = 409 if refused.is_conflict else 422
        return _page(request, at, row, error=words_of(refused), said=request.POST, status=status)


def _save(request: HttpRequest, at: Any, row: Assignment) -> ScoreSheet:
    scoring = _scoring(row)
    said = request.POST
    return services.save_sheet(
        assignment=row, version=_version(said.get("version", "")),
        scores={item.id: said.get(f"score-{item.id}", "") for item in scoring.rubric},
        comments={item.id: said.get(f"comment-{item.id}", "") for item in scoring.rubric},
        words=said.get("words", ""), by=at.user, now=at.now,
    )  # fmt: skip


def _version(said: str) -> int:
    return int(said) if re.fullmatch("[0-9]{1,9}", said) else 0


def _scoring(row: Assignment) -> Scoring:
    return expert_queries.scoring_of(edition=policy_queries.edition(row.application.round.edition))


@require_POST
def save(request: HttpRequest, assignment_id: int) -> HttpResponse:
    """
    Save the draft while it is being written.

    Where it was saved elsewhere meanwhile the answer is 409; the page then knows the newer version, so that
    saving once more is a decision and not an accident.
    """
    at, row = own_assignment(request, assignment_id)
    state, error, status = "saved", "", 200
    try:
        version = _save(request, at, row).version
    except ReviewRefused as refused:
        state, error = refused.code, words_of(refused)
        status = 409 if refused.is_conflict else 422
        kept = ScoreSheet.objects.filter(assignment=row).values_list("version", flat=True).first()
        version = (kept or 0) if refused.code == "stale" else _version(request.POST.get("version", ""))
    context = at.context(state=state, error=error, version=version, now=at.now)
    return render(request, "reviews/_scoring_state.html", context, status=status)


def _page(
    request: HttpRequest, at: Any, row: Assignment, *, error: str = "", said: Any = None, status: int = 200
) -> HttpResponse:
    scoring = _scoring(row)
    kept = ScoreSheet.objects.filter(assignment=row).first()
    shown = kept or _first_turn(row)
    items = [
        {
            "item": item,
            "score": said.get(f"score-{item.id}", "") if said else shown.scores.get(item.id, "") if shown else "",
            "comment": said.get(f"comment-{item.id}", "") if said
            else shown.comments.get(item.id, "") if shown else "",
        }
        for item in scoring.rubric
    ]  # fmt: skip
    view = queries.expert_view(assignment=row)
    is_open = row.application.stage == row.stage and not row.application.outcome
    context = at.context(
        assignment=row, view=view, scoring=scoring, items=items, error=error, sheet=kept,
        version=kept.version if kept else 0, words=said.get("words", "") if said else shown.words if shown else "",
        texts=[(case_queries.label_of(name), text) for name, text in view.case.texts],
        edition=_title(row.application.round.edition), reason_form=ReasonForm(), words_form=WordsForm(),
        is_final=bool(kept and kept.submitted_at), is_open=is_open,
    )  # fmt: skip
    return render(request, "reviews/scoring_sheet.html", context, status=status)


def _first_turn(row: Assignment) -> ScoreSheet | None:
    """Return what the expert gave in the first turn: the second begins with it."""
    if row.turn == 1:
        return None
    return ScoreSheet.objects.filter(
        assignment__application=row.application_id, assignment__expert=row.expert_id, assignment__stage=row.stage,
        assignment__turn=1, submitted_at__isnull=False,
    ).first()  # fmt: skip


@require_POST
def recuse(request: HttpRequest, assignment_id: int) -> HttpResponse:
    """Step back from the case, with the reason."""
    at, row = own_assignment(request, assignment_id)
    form = ReasonForm(request.POST)
    try:
        reason = form.cleaned_data["reason"] if form.is_valid() else ""
        assignment_services.recuse(assignment=row, reason=reason, by=at.user, now=at.now)
        messages.success(request, _("已申请回避，该件不再由您评分。"))
        return redirect("reviews:scoring")
    except ReviewRefused as refused:
        status = 409 if refused.is_conflict else 422
        return _page(request, at, row, error=words_of(refused), status=status)


@require_POST
def discuss(request: HttpRequest, assignment_id: int) -> HttpResponse:
    """Say something about the case under one's number."""
    at, row = own_assignment(request, assignment_id)
    form = WordsForm(request.POST)
    try:
        words = form.cleaned_data["words"] if form.is_valid() else ""
        assignment_services.discuss(application=row.application, words=words, by=at.user, now=at.now)
        return redirect("reviews:score-sheet", assignment_id)
    except ReviewRefused as refused:
        status = 409 if refused.is_conflict else 422
        return _page(request, at, row, error=words_of(refused), status=status)


@require_safe
def file(request: HttpRequest, assignment_id: int, number: int) -> HttpResponse:
    """Hand out an attachment, written anew from its blanked text; what can't be blanked is withheld."""
    _at, row = own_assignment(request, assignment_id)
    try:
        about, content = queries.blind_file(assignment=row, number=number)
    except (LookupError, NotSurelyBlind) as withheld:
        raise Http404 from withheld
    response = HttpResponse(content, content_type=MEDIA_TYPES[about.kind])
    response["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(about.name)}"
    return response
