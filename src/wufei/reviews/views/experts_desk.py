"""Which round is it, and at which of its stages do experts score? Pages of experts' work begin so."""

from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest

from wufei.policies.edition import Scoring, Stage
from wufei.registry.access import Permission
from wufei.registry.queries import require
from wufei.reviews.models import Assignment, Round
from wufei.reviews.queries.experts import assignment_for, expert_stage, scoring_of
from wufei.reviews.refusals import ReviewRefused
from wufei.reviews.views.rounds_desk import Desk, RoundDesk, desk, round_desk


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredRound:
    of: RoundDesk
    stage: Stage
    scoring: Scoring

    @property
    def at(self) -> Desk:
        return self.of.at

    @property
    def round(self) -> Round:
        return self.of.round

    def context(self, **more: Any) -> dict[str, Any]:
        return self.of.context(stage=self.stage, scoring=self.scoring, **more)


def scored_round(request: HttpRequest, round_id: int, *, must_run: bool = True) -> ScoredRound:
    """
    Return the round with the stage that is asked for.

    :raises Http404: where the person may not see it, or no expert scores in it
    :raises NotPermitted: where the person sees it, but does not run it
    """
    of = round_desk(request, round_id)
    if must_run:
        user, authority = of.at.user, of.round.authority
        require(user=user, permission=Permission.RUN_ROUND, organisation=authority, on=of.at.today)
    try:
        stage = expert_stage(edition=of.edition, stage=request.GET.get("stage", ""))
        return ScoredRound(of=of, stage=stage, scoring=scoring_of(edition=of.edition))
    except ReviewRefused as refused:
        raise Http404 from refused


def own_assignment(request: HttpRequest, assignment_id: int) -> tuple[Desk, Assignment]:
    """
    Return the expert's own assignment.

    :raises Http404: where it is another's or was withdrawn
    """
    at = desk(request)
    try:
        return at, assignment_for(user=at.user, pk=assignment_id)
    except Assignment.DoesNotExist as error:
        raise Http404 from error
