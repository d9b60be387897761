"""Who finds which entry of their own in the menu: only what can ever hold something for them."""

import re
from datetime import timedelta

import pytest

from tests.conftest import NOW
from tests.rooms.reviews.world import (
    CHONGQING_FACTORY,
    World,
    advance,
    build,
    handed_in,
    organisation,
    person,
    round_of,
)
from wufei.reviews.models import Delegation
from wufei.reviews.queries.consultations import own_consultations
from wufei.reviews.queries.site_checks import to_check
from wufei.reviews.services.consultations import consult
from wufei.terms.day import local_day

MINE, CHECKS, ASKED, SCORING, AGENCY = "我的申报", "现场核查", "征求意见", "我的评审", "我的评价"
FOR_EVERYBODY = ["待办", "消息", "申报轮次"]
# By what the editions say of each role: the district checks on site in four, the city in those of 2024; the
# departments of the level that asks are consulted, its own 经信 is not.
OWN = {
    "applicant": [MINE],
    "park": [MINE],
    "worker": [],
    "DISTRICT_INDUSTRY": [CHECKS],
    "DISTRICT_ENVIRONMENT": [CHECKS, ASKED],
    "DISTRICT_TAX": [ASKED],
    "CITY_INDUSTRY": [CHECKS],
    "CITY_ENVIRONMENT": [ASKED],
    "CITY_EMERGENCY": [ASKED],
    "PROVINCE_INDUSTRY": [],
    "MINISTRY_INDUSTRY": [],
    "MINISTRY_ENVIRONMENT": [],
    "expert1": [SCORING],
    "agency": [AGENCY],
    "administrator": [],
    "nobody": [],
    "deputy of applicant": [MINE],
    "deputy of DISTRICT_TAX": [],
}


@pytest.fixture
def world(db, settings) -> World:
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
    built = build(experts=1, second_officers=False)
    park = organisation("园区", "PARK")
    built.people |= {
        "park": person("park", "PARK_OFFICER", park),
        "worker": person("worker", "WORKER", built.works),
    }
    today = local_day(NOW)
    for principal in ("applicant", "DISTRICT_TAX"):
        built.people[f"deputy of {principal}"] = deputy = person(f"deputy of {principal}")
        Delegation.objects.create(
            principal=built.people[principal], deputy=deputy, reason="出差", made_at=NOW, made_by=deputy,
            from_day=today - timedelta(days=1), to_day=today + timedelta(days=900),
        )  # fmt: skip
    return built


def menu(client, user) -> list[str]:
    """Return the labels of the first group of the menu, as the page shows them."""
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    page = client.get("/reviews/tasks/").content.decode()
    [first, *_] = re.findall(r'<ul class="shell-nav">(.*?)</ul>', page, re.DOTALL)
    return [re.sub(r"<[^>]+>", "", each) for each in re.findall(r"</svg>([^<]+)", first)]


@pytest.mark.parametrize("who", OWN)
def test_the_menu_offers_what_is_of_use_to_the_role(client, world, who):
    assert menu(client, world.people[who]) == FOR_EVERYBODY + OWN[who]


def test_whoever_has_something_to_check_or_to_answer_finds_the_way_there(client, world):
    application = handed_in(world, round_of(world, CHONGQING_FACTORY))
    advance(world, application, "site-check")
    checking = {who for who in OWN if to_check(user=world.people[who], on=local_day(NOW)).exists()}
    application = advance(world, application, "consultation")
    consult(application=application, by=world.people["DISTRICT_INDUSTRY"], now=NOW)
    asked = {who for who in OWN if own_consultations(user=world.people[who]).exists()}

    assert checking == {"DISTRICT_INDUSTRY"}
    assert asked == {"DISTRICT_ENVIRONMENT", "DISTRICT_TAX"}
    assert all(CHECKS in menu(client, world.people[who]) for who in checking)
    assert all(ASKED in menu(client, world.people[who]) for who in asked)
