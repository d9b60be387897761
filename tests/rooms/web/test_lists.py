"""Every list, asked for a page that isn't there: the nearest one is shown, and never an error."""

from datetime import date
from hashlib import sha256
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.paginator import Paginator
from django.urls import reverse

import wufei.web
from tests.conftest import NOW
from tests.rooms.reviews.titles import given
from tests.rooms.reviews.world import (
    CHONGQING_FACTORY,
    advance,
    build,
    handed_in,
    keep_ledger,
    organisation,
    person,
    round_of,
)
from tests.rooms.web.test_every_route import _argument_names
from wufei.capture.models import Upload
from wufei.registry.models import ParkMembership
from wufei.registry.views.listing import page_at
from wufei.reviews.models import PublicNotice

BACKEND = "django.contrib.auth.backends.ModelBackend"
ASKED = ("-1", "abc", "999999")
# Who reads which list; the rest of an address is filled in from the world.
LISTS = {
    None: [
        "portal:calls", "portal:notices", "portal:notice", "portal:register", "portal:ended", "portal:draws",
        "portal:cases",
    ],
    "applicant": [
        "ledger:movements", "indicators:figure", "indicators:figure-movements", "capture:uploads", "capture:upload",
        "registry:organisations", "registry:audit-log", "reviews:rounds", "reviews:messages",
    ],
    "park": ["organisation-home", "registry:members"],
    "administrator": ["registry:users", "registry:organisations", "reviews:keys"],
    "CITY_INDUSTRY": [
        "organisation-home", "registry:organisations", "reviews:rounds", "reviews:applications", "reviews:register",
        "reviews:changes", "reviews:cultivation", "reviews:credit-facts", "reviews:experts", "reviews:agencies",
        "reviews:agency", "reviews:agencies-waiting", "reviews:assignments", "reviews:scores", "reviews:ranking",
        "reviews:packages", "reviews:notices", "reviews:notice", "reviews:draws", "reviews:site-checks",
        "reviews:consultations", "reviews:messages", "policies:requirements",
    ],
    "expert1": ["reviews:scoring"],
    "agency": ["reviews:agency-reports"],
}  # fmt: skip
ROUTES = [(who, route) for who, routes in LISTS.items() for route in routes]


@pytest.fixture(autouse=True)
def today(monkeypatch, settings):
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)


@pytest.fixture
def world(db):
    return build()


@pytest.fixture
def addresses(world):
    """Return the address of a route for a person; what the route names is really there."""
    round_ = round_of(world, CHONGQING_FACTORY)
    advance(world, handed_in(world, round_), "decision")
    keep_ledger(world, world.works)
    given(world)
    park = organisation("园区", "PARK")
    world.people["park"] = person("park", "PARK_OFFICER", park)
    ParkMembership.objects.create(park=park, member=world.works, joined_on=date(2020, 1, 1))
    upload = Upload.objects.create(
        organisation=world.works, file_name="a.xlsx", sha256=sha256(b"PK\x03\x04").hexdigest(), size=4,
        file=ContentFile(b"PK\x03\x04", "a.xlsx"), created_at=NOW, created_by=world.people["applicant"],
    )  # fmt: skip
    own = {"applicant": world.works, "park": park, "CITY_INDUSTRY": world.authorities["CITY_INDUSTRY"]}
    known = {
        "round_id": round_.pk, "notice_id": PublicNotice.objects.get().pk, "indicator": "generation_t",
        "year": 2025, "leaf": 0, "key": upload.pk, "agency_uscc": world.agency.uscc,
    }  # fmt: skip

    def of(who: str | None, route: str) -> str:
        said = known | {"uscc": own[who].uscc if who in own else ""}
        return reverse(route, kwargs={name: said[name] for name in _argument_names(route)})

    return of


def test_every_list_answers_whatever_page_is_asked_for(client, world, addresses):
    wrong = []
    for who, route in ROUTES:
        client.logout()
        if who:
            client.force_login(world.people[who], backend=BACKEND)
        found = {asked: client.get(addresses(who, route), {"page": asked}).status_code for asked in ASKED}
        wrong += [f"{who} {route} ?page={asked[:9]}: {code}" for asked, code in found.items() if code != 200]
    assert wrong == []


@pytest.mark.parametrize(
    ("asked", "number"),
    [
        *[(each, 1) for each in ("-1", "-999999", "0", "000", "abc", "1.5", "", None, "1", "9" * 5000)],
        ("2", 2), (" 2 ", 2), ("3", 3), ("4", 3), ("999999", 3),
    ],
)  # fmt: skip
def test_the_page_shown_is_the_nearest_to_what_was_asked_for(asked, number):
    assert page_at(Paginator(range(25), 10), asked).number == number


def test_no_list_asks_a_paginator_by_itself():
    """Django's own answer to a page below one is the last page."""
    sources = Path(wufei.web.__file__).parents[1]
    helpers = {"registry/views/listing.py", "reviews/queries/applications.py"}  # the latter is given a number
    found = {
        str(path.relative_to(sources)) for path in sources.rglob("*.py") if ".get_page(" in path.read_text()
    }
    assert found == helpers
