"""Acting on many at once: what would happen to each, the confirmation, the progress, and a way to stop."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Page, Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from wufei.policies import queries as policy_queries
from wufei.registry.views.listing import ROWS_PER_PAGE, page_at
from wufei.reviews import stages, telling
from wufei.reviews.models import Batch, BatchItem
from wufei.reviews.queries import batches as queries
from wufei.reviews.refusals import ReviewRefused
from wufei.reviews.services import batches as services
from wufei.reviews.stages import Action, Outcome
from wufei.reviews.tasks import confirm_and_enqueue
from wufei.reviews.views.rounds_desk import Desk, desk, round_desk
from wufei.reviews.wording import WORDS, words_of


@require_POST
def plan(request: HttpRequest, round_id: int) -> HttpResponse:
    """Say what would happen to each of those that are ticked."""
    of = round_desk(request, round_id)
    said = request.POST.get("action", "")
    try:
        batch = services.plan_batch(
            round_=of.round, codes=request.POST.getlist("codes"),
            action=Action(said) if said in Action.__members__ else Action.SUBMIT,
            role=request.POST.get("role", ""), words=request.POST.get("words", "")[:5000], by=of.at.user, now=of.at.now,
        )  # fmt: skip
    except ReviewRefused as refused:
        messages.error(request, words_of(refused))
        return redirect("reviews:applications", round_id)
    return redirect("reviews:batch", batch.pk)


def _own(at: Desk, key: int) -> Batch:
    try:
        return queries.batch_for(user=at.user, key=key)
    except Batch.DoesNotExist as error:
        raise Http404 from error


@require_safe
def batch(request: HttpRequest, key: int) -> HttpResponse:
    """Show a batch: its preview, its progress, or what became of each."""
    at = desk(request)
    found = _own(at, key)
    only = request.GET.get("only", "")
    rows = queries.items_of(batch=found, only_refused=only == "refused")
    page = page_at(Paginator(rows, ROWS_PER_PAGE), request.GET.get("page"))
    return render(request, "reviews/batch_page.html", _context(at, found, page, only))


@require_safe
def progress(request: HttpRequest, key: int) -> HttpResponse:
    """Say how far the batch is; when it is over, have the page show what became of each."""
    at = desk(request)
    found = _own(at, key)
    context = at.context(batch=found, progress=queries.progress_of(batch=found))
    response = render(request, "reviews/_batch_progress.html", context)
    if found.ended_at is not None:
        response["HX-Refresh"] = "true"
    return response


def _context(at: Desk, found: Batch, page: Page[BatchItem], only: str) -> dict[str, Any]:
    pinned = policy_queries.edition(found.round.edition)
    rows = [(item, _would(pinned.stages, item), _became(item)) for item in page]
    return at.context(
        batch=found, page=page, only=only, round=found.round, rows=rows, progress=queries.progress_of(batch=found),
        action=telling.ACTION_WORDS[Action(found.action)],
        role=telling.role_words(found.role) if found.role else "",
    )  # fmt: skip


def _would(all_stages: Any, item: BatchItem) -> str:
    if item.foreseen_refusal:
        return _in_words(item.foreseen_refusal, "" if item.state != item.State.PLANNED else item.detail)
    if item.foreseen_outcome:
        return telling.OUTCOME_WORDS[Outcome(item.foreseen_outcome)]
    if item.foreseen_stage == item.application.stage and item.state == item.State.PLANNED:
        return _("记下意见，仍在本环节")
    return _("进入“%(stage)s”") % {"stage": stages.stage_of(all_stages, item.foreseen_stage).label}


def _became(item: BatchItem) -> str:
    if item.state == item.State.REFUSED:
        return _in_words(item.refusal, item.detail)
    return str(item.get_state_display())


def _in_words(code: str, detail: str) -> str:
    return words_of(ReviewRefused(code, detail)) if code in WORDS else code


@require_POST
def confirm(request: HttpRequest, key: int) -> HttpResponse:
    """Have the batch done."""
    at = desk(request)
    try:
        confirm_and_enqueue(batch=_own(at, key), by=at.user)
    except ReviewRefused as refused:
        messages.error(request, words_of(refused))
    return redirect("reviews:batch", key)


@require_POST
def stop(request: HttpRequest, key: int) -> HttpResponse:
    """Have no more of the batch done."""
    at = desk(request)
    try:
        services.stop_batch(batch=_own(at, key), by=at.user, now=at.now)
        messages.success(request, _("已停止；已办理的不受影响。"))
    except ReviewRefused as refused:
        messages.error(request, words_of(refused))
    return redirect("reviews:batch", key)
