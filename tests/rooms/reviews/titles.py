"""Titles for tests, made as rows: `given(...)` as if granted, `answered(...)` as if re-evaluated."""

from datetime import date
from decimal import Decimal
from typing import Any

from tests.conftest import NOW
from tests.rooms.reviews.world import CHONGQING_FACTORY_2024, World
from wufei.registry.models import Organisation
from wufei.reviews.models import Reevaluation, Title, TitleEvent


def given(
    world: World,
    holder: Organisation | None = None,
    number: str = "CQ-2024-001",
    *,
    edition: str = CHONGQING_FACTORY_2024,
    on: date = date(2024, 5, 10),
    authority: str = "CITY_INDUSTRY",
    **said: Any,
) -> Title:
    """Make a title with the event by which it was given."""
    holder = holder or world.works
    defaults = {"name": "重庆市绿色工厂", "level": "CITY", "year": on.year, "name_given": holder.name}
    title = Title.objects.create(
        edition=edition, number=number, organisation=holder, authority=world.authorities[authority],
        granted_on=on, **(defaults | said),
    )  # fmt: skip
    happened(world, title, "GRANTED", on, holder, by=authority)
    return title


def happened(
    world: World,
    title: Title,
    kind: str,
    on: date,
    holder: Organisation | None = None,
    *,
    by: str = "CITY_INDUSTRY",
    **said: Any,
) -> TitleEvent:
    """Make an event of the title as a row."""
    holder = holder or title.organisation
    defaults = {"holder_name": holder.name, "at": NOW, "by": world.people[by]}
    return TitleEvent.objects.create(title=title, kind=kind, on=on, holder=holder, **(defaults | said))


def answered(world: World, title: Title, year: int, score: str | None) -> Reevaluation:
    """Make the answer of a year as a row."""
    return Reevaluation.objects.create(
        title=title, edition=title.edition, year=year, score=Decimal(score) if score else None, verdict="MET",
        answered_at=NOW, answered_by=world.people["applicant"],
    )  # fmt: skip
