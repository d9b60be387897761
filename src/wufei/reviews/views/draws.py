"""The public draw: the commitment, the seed, whom it drew, and how anybody can check it."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from wufei.registry.access import Permission
from wufei.registry.queries import require
from wufei.reviews import draw as method
from wufei.reviews.forms.experts import CommitForm, RevealForm
from wufei.reviews.models import Draw
from wufei.reviews.queries import experts as queries
from wufei.reviews.refusals import ReviewRefused
from wufei.reviews.services import draws as services
from wufei.reviews.views.experts_desk import ScoredRound, scored_round
from wufei.reviews.wording import conflict_words, words_of


@require_http_methods(["GET", "POST"])
def draws(request: HttpRequest, round_id: int) -> HttpResponse:
    """List the draws of the round; who runs it commits to another."""
    of = scored_round(request, round_id, must_run=request.method == "POST")
    form = CommitForm(request.POST or None, known=of.scoring.expert_fields)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            said = form.cleaned_data
            try:
                made = services.commit_draw(
                    round_=of.round, stage=of.stage.id, number=said["number"] or 0, per_field=form.per_field(),
                    commitment=said["commitment"] or method.commitment(said["seed"]), reason=said["reason"],
                    by=of.at.user, now=of.at.now,
                )  # fmt: skip
                messages.success(request, _("承诺值已公布，候选名单已固定。请妥善保管种子。"))
                return redirect("reviews:draw", round_id, made.pk)
            except ReviewRefused as refused:
                form.add_error(None, words_of(refused))
                status = 409 if refused.is_conflict else 422
    context = of.context(form=form, **_offered(of))
    return render(request, "reviews/draws_list.html", context, status=status)


def _offered(of: ScoredRound) -> dict[str, Any]:
    rows = list(queries.draws_of(round_=of.round, stage=of.stage.id))
    shown: dict[str, Any] = {"draws": rows, "has_open": any(row.revealed_at is None for row in rows[:1])}
    if of.of.runs:
        candidates, excluded = queries.candidates_for(round_=of.round, stage=of.stage.id)
        by_field: dict[str, int] = dict.fromkeys(of.scoring.expert_fields, 0)
        for each in candidates:
            for field in each.fields:
                by_field[field] = by_field.get(field, 0) + 1
        shown |= {
            "candidates": candidates, "by_field": by_field,
            "excluded": [(each, conflict_words(each.reason)) for each in excluded],
        }  # fmt: skip
    return shown


@require_http_methods(["GET", "POST"])
def draw(request: HttpRequest, round_id: int, draw_id: int) -> HttpResponse:
    """Show a draw with all that is needed to redo it; who runs the round publishes the seed."""
    of = scored_round(request, round_id, must_run=False)
    row = queries.draws_of(round_=of.round).filter(pk=draw_id).first()
    if row is None:
        raise Http404
    form, status = RevealForm(request.POST or None), 200
    if request.method == "POST":
        user, authority = of.at.user, of.round.authority
        require(user=user, permission=Permission.RUN_ROUND, organisation=authority, on=of.at.today)
        status = 422
        if form.is_valid():
            try:
                services.reveal_draw(draw_=row, seed=form.cleaned_data["seed"], by=user, now=of.at.now)
                messages.success(request, _("种子已公布，抽取完成。"))
                return redirect("reviews:draw", round_id, draw_id)
            except ReviewRefused as refused:
                form.add_error(None, words_of(refused))
                status = 409 if refused.is_conflict else 422
    return render(request, "reviews/draws_page.html", of.context(**_shown(of, row), form=form), status=status)


def _shown(of: ScoredRound, row: Draw) -> dict[str, Any]:
    newest = queries.draws_of(round_=of.round, stage=row.stage).first()
    drawn: dict[str, method.Drawn] = {}
    if row.seed:
        candidates = [method.Candidate(c["number"], tuple(c["fields"])) for c in row.candidates]
        again = method.draw(candidates, seed=row.seed, number=row.number, per_field=row.per_field or None)
        drawn = {each.number: each for each in again}
    names = {}
    if of.of.runs:
        experts = queries.experts_of(pool=of.round.authority).filter(number__in=list(drawn))
        names = {each.number: str(each.user) for each in experts}
    return {
        "draw": row, "is_superseded": row.revealed_at is None and newest is not None and newest.pk != row.pk,
        "drawn": [(each, names.get(each.number, "")) for each in drawn.values()],
        "excluded": [(c["number"], conflict_words(c["reason"])) for c in row.excluded],
    }  # fmt: skip
