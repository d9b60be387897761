"""A round in which some things are published and others are not."""

import re
from datetime import date

import pytest

from tests.conftest import NOW
from tests.rooms.reviews import world as worlds
from wufei.reviews.services import notices

EVE = NOW.replace(year=2026, month=9, day=29)  # a Tuesday; off 1 to 7 October, worked on Saturday 10 October


@pytest.fixture(autouse=True)
def today(monkeypatch):
    monkeypatch.setattr("django.utils.timezone.now", lambda: EVE)


@pytest.fixture
def world(db):
    made = worlds.build()
    made.now = EVE
    return made


@pytest.fixture
def round_(world):
    return worlds.round_of(world, worlds.CHONGQING_FACTORY, deadline=date(2026, 12, 1), now=EVE)


@pytest.fixture
def two(world, round_):
    """Two applications at the public notice; a third is still being judged."""
    both = (world.works, worlds.applicant(world, "綦江铝业有限公司"))
    found = [worlds.advance(world, worlds.handed_in(world, round_, w), "public-notice") for w in both]
    worlds.handed_in(world, round_, worlds.applicant(world, "未决水泥有限公司"))
    return found


@pytest.fixture
def notice(world, two):
    return notices.publish_notice(
        round_=two[0].round, applications=two, title="关于拟认定名单的公示", text="现予公示。",
        contact="023-00000000", by=world.people["CITY_INDUSTRY"], now=EVE,
    )  # fmt: skip


def words_of(response) -> str:
    html = re.sub(r"<(script|style|svg|head)\b.*?</\1>", "", response.content.decode(), flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())
