"""
Which criteria has nobody judged yet, of those that decide? Pure.

Who lets a case through its first review, or recognises it, says something of each: criterion by criterion, or in
words for all of them. A tick that was never made is no judgement.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from wufei.policies.edition import Criterion, Edition, Stage
from wufei.reviews.stages import Action

TICKS = ("YES", "NO", "DOUBT")  # 符合、不符合、存疑
SHOWN = 8  # clauses that a refusal names


def is_asked_at(stages: Sequence[Stage], stage: Stage, action: Action) -> bool:
    """Return whether the act passes a judgement on the whole case: the first review's, or the decision's."""
    if action is Action.RECOGNISE:
        return stage.kind == "decision"
    first = next((each for each in stages if each.kind == "review"), None)
    return action is Action.AGREE and first is not None and stage.id == first.id


def unjudged(edition: Edition, checks: Mapping[str, Mapping[str, Any]]) -> list[Criterion]:
    """Return the criteria that decide – conditions, vetoes, indicators – of which the checks say nothing."""
    return [
        each for each in edition.criteria if each.decides and checks.get(each.id, {}).get("tick") not in TICKS
    ]


def named(criteria: Sequence[Criterion]) -> str:
    """Return the clauses of the criteria, for a refusal; of many the first, and how many there are."""
    clauses = list(dict.fromkeys(each.clause for each in criteria))
    more = f"等 {len(criteria)} 条" if len(clauses) > SHOWN else ""
    return "；".join(clauses[:SHOWN]) + more
