"""The check on site as a phone meets it: the sheet, what it sends, the photos, and who gets none of it."""

import json
import re
import uuid
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.template import Context, Template
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.conftest import NOW
from tests.rooms.reviews import world as worlds
from tests.rooms.reviews.test_site_checks import PNG
from wufei.reviews.models import SiteCheck, SiteCheckPhoto
from wufei.reviews.services.site_checks import record_site_check
from wufei.reviews.views.site_checks import _said

# Held here, and not in the table of every route: who may follows from who decides the stage.
ROUTES = frozenset(
    f"reviews:{name}" for name in ("site-checks", "site-check", "site-check-photo", "site-check-worker")
)


@pytest.fixture
def world(db):
    return worlds.build(experts=1)


@pytest.fixture
def round_(world):
    return worlds.round_of(world)


@pytest.fixture
def application(world, round_):
    return at_site_check(world, round_)


def at_site_check(world, round_, works=None):
    return worlds.advance(world, worlds.handed_in(world, round_, works), "site-check")


def address(application) -> str:
    return reverse("reviews:site-check", args=[application.code])


def sheet(**said):
    ordinary = {
        "client_id": str(uuid.uuid4()),
        "checked_at": NOW.isoformat(),
        "participants": "张三、李四",
        "words": "与材料一致。",
        "criteria": json.dumps({"basic-4": {"seen": "NO", "words": "贮存场所没有标识。"}}),
        "latitude": "29.0280004",
        "longitude": "106.651",
        "accuracy_m": "12",
        "photos": [SimpleUploadedFile("库房.png", PNG, "image/png")],
    }
    return {name: value for name, value in (ordinary | said).items() if value is not None}


def send(client, world, application, *, by="DISTRICT_INDUSTRY", **said):
    client.force_login(world.people[by])
    return client.post(address(application), sheet(**said))


def made(world, application, **said):
    ordinary = {
        "client_id": uuid.uuid4(),
        "checked_at": NOW,
        "participants": "张三",
        "photos": [("库房.png", PNG)],
        "position": (Decimal("29.028"), Decimal("106.651")),
        "accuracy_m": 12,
        "criteria": {"basic-4": {"seen": "NO", "words": "没有标识。"}},
    }
    by = world.people["DISTRICT_INDUSTRY"]
    return record_site_check(application=application, by=by, now=NOW, **(ordinary | said))


def test_what_a_phone_sends_is_stored_and_sent_again_is_the_same(client, world, application):
    client_id = str(uuid.uuid4())
    first = send(client, world, application, client_id=client_id)
    again = send(client, world, application, client_id=client_id)

    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    kept = SiteCheck.objects.get()
    assert (kept.latitude, kept.longitude, kept.accuracy_m) == (Decimal("29.028"), Decimal("106.651"), 12)
    assert kept.criteria["basic-4"] == {"seen": "NO", "words": "贮存场所没有标识。"}
    assert kept.photos.count() == 1


def test_a_check_without_position_or_photo_is_stored_as_well(client, world, application):
    answer = send(
        client, world, application, latitude=None, longitude=None, accuracy_m=None, photos=None, criteria=None
    )

    assert answer.status_code == 201
    assert SiteCheck.objects.get().latitude is None


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"client_id": "x"}, "malformed"),
        ({"checked_at": "2026-07-01T10:00:00"}, "malformed"),  # without a time zone
        ({"checked_at": "gestern"}, "malformed"),
        ({"criteria": "[1]"}, "malformed"),
        ({"criteria": "{"}, "malformed"),
        ({"criteria": '{"basic-4": {"seen": 1}}'}, "malformed"),
        ({"latitude": "NaN"}, "malformed"),
        ({"latitude": "91"}, "position_impossible"),
        ({"participants": " "}, "participants_missing"),
        ({"checked_at": "2999-01-01T00:00:00+08:00"}, "clock_ahead"),
        ({"photos": [SimpleUploadedFile("a.png", b"no picture")]}, "content_does_not_fit_name"),
        ({"photos": [SimpleUploadedFile("a.pdf", worlds.PDF)]}, "photo_type"),
    ],
)
def test_a_refusal_says_why_in_words_and_stores_nothing(client, world, application, said, code):
    answer = send(client, world, application, **said)

    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert answer.json()["words"].endswith("。")
    assert not SiteCheck.objects.exists()


def test_a_check_for_a_stage_that_is_done_comes_back_with_the_reason(client, world, application):
    made(world, application)
    for role in ("DISTRICT_INDUSTRY", "DISTRICT_ENVIRONMENT"):
        worlds.act(world, application, role, "AGREE")

    answer = send(client, world, application)

    assert answer.status_code in (409, 422)
    assert answer.json()["words"]


@pytest.mark.parametrize(
    ("person", "status"),
    [
        ("applicant", 404),
        ("OTHER_DISTRICT_INDUSTRY", 404),
        ("agency", 404),
        ("expert1", 404),
        ("nobody", 404),
        ("DISTRICT_ENVIRONMENT", 201),
    ],
)
def test_the_sheet_is_for_those_who_decide_the_stage(client, world, application, person, status):
    assert send(client, world, application, by=person).status_code == status
    assert client.get(address(application)).status_code == (200 if status == 201 else 404)


EXACT = "98.1203007518796992481203007518797"


def test_the_sheet_shows_each_requirement_with_its_claimed_figures(client, world, round_):
    criteria = [
        {
            "id": "basic-4",
            "verdict": "MET",
            "explanation": "x",
            "missing": [],
            "children": [],
            "figures": [
                {"id": "r", "name": "综合利用率", "year": 2025, "value": EXACT, "unit": "%", "missing": []}
            ],
        }
    ]
    content = {"texts": {}, "numbers": [], "evaluation": {"criteria": criteria}, "evidence": []}
    handed = worlds.handed_in(world, round_, content=content)
    application = worlds.advance(world, handed, "site-check")
    client.force_login(world.people["DISTRICT_INDUSTRY"])

    body = client.get(address(application)).content.decode()

    assert 'data-criterion="basic-4"' in body
    assert f'<strong title="{EXACT} %">98.12</strong>' in body
    assert "不属实" in body
    assert "<script>" not in body
    assert "onclick" not in body


def test_the_list_has_what_is_mine_to_check(client, world, round_, application):
    elsewhere = worlds.applicant(world, "渝北建材有限公司", worlds.OTHER_DISTRICT)
    other = at_site_check(world, round_, elsewhere)
    client.force_login(world.people["DISTRICT_INDUSTRY"])

    body = client.get(reverse("reviews:site-checks")).content.decode()

    assert address(application) in body
    assert address(other) not in body
    for person in ("applicant", "CITY_INDUSTRY", "nobody"):
        client.force_login(world.people[person])
        assert address(application) not in client.get(reverse("reviews:site-checks")).content.decode()


def test_the_list_asks_the_database_as_often_for_three_as_for_one(
    client, world, round_, application, django_assert_num_queries
):
    client.force_login(world.people["DISTRICT_INDUSTRY"])
    client.get(reverse("reviews:site-checks"))
    with CaptureQueriesContext(connection) as one:
        client.get(reverse("reviews:site-checks"))
    for name in ("乙厂", "丙厂"):
        at_site_check(world, round_, worlds.applicant(world, name))
    with django_assert_num_queries(len(one)):
        assert client.get(reverse("reviews:site-checks")).content.decode().count("data-keep") == 3


# ---- photos and the record -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("person", "status"),
    [
        ("DISTRICT_INDUSTRY", 200),
        ("DISTRICT_ENVIRONMENT", 200),
        ("OTHER_DISTRICT_INDUSTRY", 404),
        ("applicant", 404),
        ("expert1", 404),
        ("nobody", 404),
    ],
)
def test_photos_are_handed_out_to_those_who_decide(client, world, application, person, status):
    made(world, application)
    client.force_login(world.people[person])

    answer = client.get(reverse("reviews:site-check-photo", args=[SiteCheckPhoto.objects.get().pk]))

    assert answer.status_code == status
    if status == 200:
        assert b"".join(answer.streaming_content) == PNG
        assert answer["Content-Type"] == "image/png"
        assert answer["X-Content-Type-Options"] == "nosniff"


def record(world, application, person="DISTRICT_INDUSTRY") -> str:
    request = RequestFactory().get("/")
    request.user = world.people[person]
    template = Template('{% include "reviews/_site_checks.html" %}')
    return template.render(Context({"application": application, "request": request}))


def test_the_record_has_findings_coordinates_photos_and_a_sketch_without_a_map_from_outside(
    world, application
):
    made(world, application)
    made(world, application, position=(Decimal("29.0285"), Decimal("106.652")))

    body = record(world, application)

    for said in ("不属实", "没有标识。", "29.028000", "106.651000", "精度约 12 米", "去现场核查", "<svg"):
        assert said in body
    assert body.count('class="dot"') == 2
    assert "http" not in body.replace("http://www.w3.org", "")


def test_the_record_of_ten_checks_asks_no_more_than_that_of_one(
    world, application, django_assert_num_queries
):
    made(world, application)
    with CaptureQueriesContext(connection) as one:
        record(world, application)
    for _ in range(9):
        made(world, application)
    with django_assert_num_queries(len(one)):
        assert record(world, application).count("<article") == 10


# ---- without a network -----------------------------------------------------------------------


def test_the_worker_serves_its_own_folder_and_names_all_that_the_sheet_needs(client, world, application):
    answer = client.get(
        reverse("reviews:site-check-worker")
    )  # nobody is signed in: it says nothing of anybody
    body = answer.content.decode()

    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/javascript")
    assert answer["Cache-Control"] == "no-cache"
    assert reverse("reviews:site-checks") == "/reviews/site-checks/"
    assert reverse("reviews:site-check-worker").startswith("/reviews/site-checks/")
    client.force_login(world.people["DISTRICT_INDUSTRY"])
    page = client.get(address(application)).content.decode()
    needed = set(re.findall(r'(?:src|href)="(/static/[^"#]+)', page))
    assert needed
    for each in needed:
        assert each in body, each


def test_a_moment_without_time_zone_is_not_guessed():
    with pytest.raises(ValueError, match="checked_at"):
        _said({"client_id": str(uuid.uuid4()), "checked_at": "2026-07-01T10:00:00"})
    kept = _said({"client_id": str(uuid.uuid4()), "checked_at": "2026-07-01T10:00:00.123Z"})
    assert kept["checked_at"] == datetime(2026, 7, 1, 10, tzinfo=UTC)
