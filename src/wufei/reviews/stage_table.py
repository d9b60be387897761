"""
Who may do what with a case, at which stage and in which state?

Pure: one row for each state that a case of the edition can be in, with what each role is offered there.
From it come `docs/reference/stages.md`, the page for administrators, and the tests that try every cell.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from wufei.policies.edition import Stage
from wufei.reviews import stages
from wufei.reviews.stages import APPLICANT, Action, Outcome, Standing
from wufei.reviews.telling import OUTCOME_WORDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A state, and what it offers to whom; a role that is not there may do nothing."""

    stage: Stage
    state: str
    standing: Standing
    offered: Mapping[str, frozenset[Action]]


def roles(all_stages: Sequence[Stage]) -> list[str]:
    """Return the roles that the edition names, the applicant first, in the order of the stages."""
    named = [
        role for stage in all_stages for role in (*stage.decided_by, *stage.concluded_by, *stage.settled_by)
    ]
    return list(dict.fromkeys([APPLICANT, *named]))


def table(all_stages: Sequence[Stage]) -> list[Row]:
    """Return every state of the edition with what it offers."""
    found = []
    for stage in all_stages:
        for state, standing in _states(all_stages, stage):
            offered = {
                role: actions
                for role in roles(all_stages)
                if (actions := stages.offers(all_stages, standing, role=role))
            }
            found.append(Row(stage=stage, state=state, standing=standing, offered=offered))
    return found


def _states(all_stages: Sequence[Stage], stage: Stage) -> list[tuple[str, Standing]]:
    """Return the states of a case at the stage, and those in which it can leave it."""
    if stage == all_stages[0]:
        found = [("编写中", Standing(stage=stage.id))]
        returned = Standing(stage=stage.id, returned_from=all_stages[1].id)
        found.append(("退回补正", returned))
        withdrawn = Standing(stage=stage.id, returned_from=all_stages[1].id, outcome=Outcome.WITHDRAWN)
        return [*found, (f"办结：{OUTCOME_WORDS[Outcome.WITHDRAWN]}", withdrawn)]
    found = [("待办", Standing(stage=stage.id))]
    deciders = stages.deciders(stage)
    if stage.kind in stages.VOTED and len(deciders) > 1:
        first, second = deciders[:2]
        found.append(("一方已同意", Standing(stage=stage.id, votes={first: Action.AGREE})))
        contested = {first: Action.AGREE, second: Action.DISAGREE}
        found.append(("意见不一致", Standing(stage=stage.id, votes=contested)))
    if stage.kind == "notice":
        found.append(("公示中", Standing(stage=stage.id, is_in_notice=True)))
    for outcome in _ways_out(stage):
        found.append((f"办结：{OUTCOME_WORDS[outcome]}", Standing(stage=stage.id, outcome=outcome)))
    return found


def _ways_out(stage: Stage) -> list[Outcome]:
    """Return with which outcomes a case can leave the review at the stage."""
    if stage.kind in ("decision", "above"):
        return [Outcome.RECOGNISED, Outcome.REFUSED]
    if stage.kind == "notice":
        return [Outcome.REMOVED]
    refused = [] if stage.kind == "experts" else [Outcome.REJECTED]
    if stage.kind == "shortlist":
        refused = [Outcome.NOT_SELECTED]
    return [*refused, Outcome.WITHDRAWN]
