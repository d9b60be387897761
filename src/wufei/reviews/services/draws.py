"""The public draw of experts: the commitment to a seed first, the seed and whom it draws afterwards."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from wufei.policies import queries as policy_queries
from wufei.registry.models import User
from wufei.registry.services import audit
from wufei.reviews import draw
from wufei.reviews.draw import Candidate, NotEnoughCandidates
from wufei.reviews.models import Draw, Round
from wufei.reviews.queries.experts import candidates_for, drawn_experts, expert_stage
from wufei.reviews.refusals import ReviewRefused
from wufei.reviews.services.rounds import locked_round

LONGEST_SEED = 200


@transaction.atomic
def commit_draw(
    *,
    round_: Round,
    commitment: str,
    number: int = 0,
    per_field: Mapping[str, int] | None = None,
    stage: str = "",
    reason: str = "",
    by: User,
    now: datetime,
) -> Draw:
    """
    Publish the commitment to a seed, with the list that will be drawn from; nothing of either changes later.

    The seed itself stays with who runs the draw. While a draw of the stage is open another needs a reason,
    and closes the open one for good.

    :raises NotPermitted, ReviewRefused: `commitment_malformed`, `draw_open`, `not_enough_candidates`, …
    """
    locked = locked_round(round_, by, now)
    if locked.closed_at is not None:
        raise ReviewRefused("round_closed")
    at = expert_stage(edition=policy_queries.edition(locked.edition), stage=stage)
    commitment = commitment.strip().lower()
    if not re.fullmatch("[0-9a-f]{64}", commitment):
        raise ReviewRefused("commitment_malformed")
    per_field = {field: n for field, n in (per_field or {}).items() if n}
    number = sum(per_field.values()) if per_field else number
    if number < 1 or min([*per_field.values(), 1]) < 1:
        raise ReviewRefused("number_missing")
    open_ = Draw.objects.filter(round=locked, stage=at.id, revealed_at=None)
    if open_.exists() and not reason.strip():
        raise ReviewRefused("draw_open")
    experts, excluded = candidates_for(round_=locked, stage=at.id)
    candidates = draw.in_order(Candidate(e.number, tuple(e.fields)) for e in experts)
    _refuse_too_few(candidates, number, per_field)
    row = Draw.objects.create(
        round=locked, stage=at.id, number=number, per_field=per_field, candidates=draw.published(candidates),
        excluded=[{"number": e.number, "reason": e.reason, "uscc": e.uscc} for e in excluded],
        commitment=commitment, committed_at=now, committed_by=by,
    )  # fmt: skip
    detail = {"commitment": commitment, "number": number, "per_field": per_field, "reason": reason.strip()}
    _audit("reviews.commit_draw", row, by, now, detail)
    return row


def _refuse_too_few(candidates: list[Candidate], number: int, per_field: Mapping[str, int]) -> None:
    try:  # how many there are does not depend on the seed unless fields overlap; the reveal asks again
        draw.draw(candidates, seed="", number=number, per_field=per_field or None)
    except NotEnoughCandidates as few:
        raise ReviewRefused("not_enough_candidates", f"{few.field}：{few.available} < {few.wanted}") from few


@transaction.atomic
def reveal_draw(*, draw_: Draw, seed: str, by: User, now: datetime) -> Draw:
    """
    Publish the seed, and draw. Once: what was drawn stands.

    :raises NotPermitted, ReviewRefused: `seed_changed` where the seed is not the one committed to,
        `already_drawn`, `draw_superseded`, `drawn_twice`
    """
    round_ = locked_round(draw_.round, by, now)
    locked = Draw.objects.select_for_update(of=("self",)).get(pk=draw_.pk)
    if locked.revealed_at is not None:
        raise ReviewRefused("already_drawn")
    if Draw.objects.filter(round=round_, stage=locked.stage, pk__gt=locked.pk).exists():
        raise ReviewRefused("draw_superseded")
    if not seed or len(seed) > LONGEST_SEED or not draw.keeps(seed, locked.commitment):
        raise ReviewRefused("seed_changed")
    candidates = [Candidate(row["number"], tuple(row["fields"])) for row in locked.candidates]
    try:
        found = draw.draw(candidates, seed=seed, number=locked.number, per_field=locked.per_field or None)
    except NotEnoughCandidates as few:
        raise ReviewRefused("not_enough_candidates", few.field) from few
    before = {expert.number for expert in drawn_experts(round_=round_, stage=locked.stage)}
    if twice := sorted(before & {each.number for each in found}):
        raise ReviewRefused("drawn_twice", "、".join(twice))
    locked.seed, locked.drawn = seed, [each.number for each in found]
    locked.revealed_at, locked.revealed_by = now, by
    locked.save(update_fields=["seed", "drawn", "revealed_at", "revealed_by"])
    _audit("reviews.reveal_draw", locked, by, now, {"seed": seed, "drawn": locked.drawn})
    return locked


def _audit(action: str, row: Draw, by: User, now: datetime, detail: dict[str, Any]) -> None:
    audit(
        by=by, now=now, organisation=row.round.authority, action=action, object_ref=f"draw:{row.pk}",
        detail=detail,
    )  # fmt: skip
