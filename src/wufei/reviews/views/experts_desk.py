"""Which round is it, and at which of its stages do experts score? Pages of experts' work begin so."""

from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest

from wufei.policies.edition import Scoring, Stage
from wufei.registry.access import Permission
from wufei.registry.queries import NotPermitted
from wufei.reviews.models import Assignment, Round
from wufei.reviews.queries.experts import assignment_for, expert_stage, scoring_of
from wufei.reviews.queries.roles import authority_roles
from wufei.reviews.refusals import ReviewRefused
from wufei.reviews.stages import deciders
from wufei.reviews.views.rounds_desk import Desk, RoundDesk, desk, round_desk


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredRound:
    of: RoundDesk
    stage: Stage
    scoring: Scoring
    reads_scores: bool  # runs the round, or decides with it what the experts judged

    @property
    def at(self) -> Desk:
        return self.of.at

    @property
    def round(self) -> Round:
        return self.of.round

    def context(self, **more: Any) -> dict[str, Any]:
        return self.of.context(stage=self.stage, scoring=self.scoring, reads_scores=self.reads_scores, **more)


def scored_round(
    request: HttpRequest, round_id: int, *, must_run: bool = True, deciders_may: bool = False
) -> ScoredRound:
    """
    Return the round with the stage that is asked for; `deciders_may` opens it to who decides with it afterwards.

    :raises Http404: where the person may not see it, or no expert scores in it
    :raises NotPermitted: where the person sees it, but does not run it
    """
    of = round_desk(request, round_id)
    try:
        stage = expert_stage(edition=of.edition, stage=request.GET.get("stage", ""))
        scoring = scoring_of(edition=of.edition)
    except ReviewRefused as refused:
        raise Http404 from refused
    reads = of.runs or _decides_after(of, stage)
    if must_run and not (reads if deciders_may else of.runs):
        raise NotPermitted(Permission.RUN_ROUND)
    return ScoredRound(of=of, stage=stage, scoring=scoring, reads_scores=reads)


def _decides_after(of: RoundDesk, judged: Stage) -> bool:
    """Return whether the person decides a later stage for another department of the authority's own place."""
    place = of.round.authority.division_code
    own = {
        role
        for role, organisation in authority_roles(user=of.at.user, division_code=place)
        if organisation.division_code == place
    }
    every = of.edition.stages
    later = every[[stage.id for stage in every].index(judged.id) + 1 :]
    return any(own & set(deciders(stage)) for stage in later)


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
