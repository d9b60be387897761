"""A round whose cases stand before the experts, for tests of what experts do."""

import itertools
from typing import Any

from tests.conftest import NOW
from tests.rooms.reviews import world as worlds
from tests.rooms.reviews.world import CHONGQING, World
from wufei.policies import queries as policy_queries
from wufei.registry.models import User
from wufei.reviews import draw
from wufei.reviews.models import Application, Assignment, Draw, Round
from wufei.reviews.queries.experts import expert_stage
from wufei.reviews.services import draws, sheets

SEED = "一颗种子"
STAGE = "city-experts"
_numbers = itertools.count(1)


def at_experts(world: World, round_: Round, n: int = 3, **said: Any) -> list[Application]:
    """Hand in the cases of n new applicants and bring them to the experts."""
    stage = expert_stage(edition=policy_queries.edition(round_.edition)).id
    found = []
    for _ in range(n):
        works = worlds.applicant(world, f"江津第{next(_numbers)}热电有限公司")
        found.append(worlds.advance(world, worlds.handed_in(world, round_, works, **said), stage))
    return found


def officer(world: World) -> User:
    return world.people["CITY_INDUSTRY"]


def drawn(world: World, round_: Round, n: int = 3, *, seed: str = SEED, **said: Any) -> Draw:
    by = officer(world)
    made = draws.commit_draw(
        round_=round_, commitment=draw.commitment(seed), number=n, by=by, now=NOW, **said
    )
    return draws.reveal_draw(draw_=made, seed=seed, by=by, now=NOW)


def score(assignment: Assignment, *points: str, submit: bool = True) -> None:
    """Fill the sheet item by item; the last points are used for the rest."""
    edition = policy_queries.edition(assignment.application.round.edition)
    assert edition.scoring is not None
    given = dict(itertools.zip_longest((i.id for i in edition.scoring.rubric), points, fillvalue=points[-1]))
    by = assignment.expert.user
    saved = sheets.save_sheet(assignment=assignment, version=0, scores=given, comments={}, by=by, now=NOW)
    if submit:
        sheets.submit_sheet(assignment=assignment, version=saved.version, by=by, now=NOW)


__all__ = ["CHONGQING", "SEED", "STAGE", "at_experts", "drawn", "officer", "score"]
