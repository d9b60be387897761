"""
Every page of rounds, applications, batches, tasks and messages × everybody (promise S1).

The table says who may, independently of the code; all others find nothing, or are told that they may not.
`tests/rooms/web/test_every_route.py` takes its rows from here.
"""

from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.test import Client
from django.urls import reverse

from tests.conftest import NOW
from tests.rooms.reviews import world as worlds
from wufei.cases.models import SubmittedEvidence
from wufei.reviews.models import ActDocument, Delegation, Message
from wufei.reviews.services import batches
from wufei.reviews.services.rounds_recommending import add_document
from wufei.reviews.stages import Action

PEOPLE = (
    "applicant", "stranger", "DISTRICT_INDUSTRY", "DISTRICT_INDUSTRY_2", "DISTRICT_ENVIRONMENT", "OTHER_DISTRICT_INDUSTRY",
    "CITY_INDUSTRY", "CITY_ENVIRONMENT", "PROVINCE_INDUSTRY", "MINISTRY_INDUSTRY", "DISTRICT_TAX", "expert1", "agency",
    "administrator", "nobody",
)  # fmt: skip
EVERYBODY = set(PEOPLE)
OF_THE_DISTRICT = {"DISTRICT_INDUSTRY", "DISTRICT_INDUSTRY_2", "DISTRICT_ENVIRONMENT"}
SEES_IT = OF_THE_DISTRICT | {"applicant"}
OFFICERS = EVERYBODY - {"applicant", "stranger", "expert1", "agency", "administrator", "nobody"}
RUNS_IT = {"CITY_INDUSTRY"}
ISSUERS = {"CITY_INDUSTRY", "PROVINCE_INDUSTRY", "MINISTRY_INDUSTRY"}  # of an edition's level and region
# A published round's page is everybody's; what is in it is each one's own.
ROWS: dict[str, dict[str, set[str]]] = {
    "reviews:rounds": {"GET": EVERYBODY},
    "reviews:open-round": {"GET": ISSUERS, "POST": ISSUERS},
    "reviews:round": {"GET": EVERYBODY},
    "reviews:edit-round": {"GET": RUNS_IT, "POST": RUNS_IT},
    "reviews:publish-round": {"POST": RUNS_IT},
    "reviews:close-round": {"POST": RUNS_IT},
    "reviews:admit-late": {"GET": RUNS_IT, "POST": RUNS_IT},
    "reviews:add-document": {"POST": RUNS_IT},
    "reviews:round-document": {"GET": {"CITY_INDUSTRY", "DISTRICT_INDUSTRY", "DISTRICT_INDUSTRY_2"}},
    "reviews:recommendations": {
        "GET": {"DISTRICT_INDUSTRY", "DISTRICT_INDUSTRY_2"}, "POST": {"DISTRICT_INDUSTRY", "DISTRICT_INDUSTRY_2"},
    },
    "reviews:sealed-recommendation": {"POST": {"DISTRICT_INDUSTRY", "DISTRICT_INDUSTRY_2"}},
    "reviews:stages": {"GET": {"administrator"}},
    "reviews:applications": {"GET": EVERYBODY},
    "reviews:plan-batch": {"POST": EVERYBODY},
    "reviews:hand-in": {"POST": {"applicant"}},
    "reviews:mine": {"GET": EVERYBODY},
    "reviews:application": {"GET": SEES_IT},
    "reviews:doubts": {"GET": SEES_IT - {"applicant"}},
    "reviews:decide": {"POST": set()},  # without an act nothing is asked: 404 for all
    "reviews:pass-on": {"POST": OF_THE_DISTRICT},
    "reviews:act-document": {"GET": OF_THE_DISTRICT},
    "reviews:submitted-file": {"GET": SEES_IT},
    "reviews:case-file": {"GET": SEES_IT},
    "reviews:batch": {"GET": {"DISTRICT_INDUSTRY"}},
    "reviews:batch-progress": {"GET": {"DISTRICT_INDUSTRY"}},
    "reviews:confirm-batch": {"POST": {"DISTRICT_INDUSTRY"}},
    "reviews:stop-batch": {"POST": {"DISTRICT_INDUSTRY"}},
    "reviews:tasks": {"GET": EVERYBODY},
    "reviews:messages": {"GET": EVERYBODY},
    "reviews:read-all-messages": {"POST": EVERYBODY},
    "reviews:read-message": {"POST": {"applicant"}},
    "reviews:delegations": {"GET": EVERYBODY, "POST": EVERYBODY},
    "reviews:end-delegation": {"POST": {"DISTRICT_INDUSTRY", "DISTRICT_INDUSTRY_2"}},
}  # fmt: skip
ALLOWED = {200, 302, 409, 422}


@pytest.fixture
def world(db, tmp_path, settings):
    described = {**settings.STORAGES["default"], "OPTIONS": {"location": tmp_path}}
    settings.STORAGES = {**settings.STORAGES, "default": described}
    built = worlds.build()
    stranger = worlds.applicant(built, "别家公司")
    built.people["stranger"] = built.applicant_of(stranger)
    return built


@pytest.fixture
def arguments(world, monkeypatch) -> dict[str, Any]:
    """Real objects of the district: what is not shown could have been shown."""
    from django.utils import timezone

    monkeypatch.setattr(timezone, "now", lambda: NOW)
    made = worlds.round_of(world)
    application = worlds.handed_in(world, made, case_file=ContentFile(b"PK\x03\x04", "a.docx"))
    by = world.people["DISTRICT_INDUSTRY"]
    worlds.act(world, application, "DISTRICT_INDUSTRY", "AGREE", documents=[("意见.pdf", worlds.PDF)])
    application.refresh_from_db()
    file = SubmittedEvidence.objects.create(
        submission=application.submission, category="PROOF", file_name="a.pdf", kind="pdf", size=8, sha256="0" * 64,
        stored=ContentFile(worlds.PDF, "a.pdf"),
    )  # fmt: skip
    document = add_document(
        round_=made, authority=world.authorities["DISTRICT_INDUSTRY"], kind="recommendation", file_name="a.pdf",
        content=worlds.PDF, is_public=False, by=by, now=NOW,
    )  # fmt: skip
    batch = batches.plan_batch(
        round_=made,
        codes=[application.code],
        action=Action.AGREE,
        role="DISTRICT_INDUSTRY",
        words="",
        by=by,
        now=NOW,
    )
    message = Message.objects.create(to=world.people["applicant"], subject="甲", text="乙", sent_at=NOW)
    delegation = Delegation.objects.create(
        principal=by, deputy=world.people["DISTRICT_INDUSTRY_2"], from_day="2030-01-01", to_day="2030-01-02",
        made_at=NOW, made_by=by,
    )  # fmt: skip
    return {
        "round_id": made.pk, "code": application.code, "case_id": application.case_id, "file_id": file.pk,
        "uscc": world.authorities["DISTRICT_INDUSTRY"].uscc,
        "document_id": {
            "reviews:round-document": document.pk, "reviews:act-document": ActDocument.objects.get().pk,
        },
        "key": {
            "reviews:read-message": message.pk, "reviews:end-delegation": delegation.pk,
        } | dict.fromkeys((name for name in ROWS if "batch" in name), batch.pk),
    }  # fmt: skip


def address(route: str, arguments: dict[str, Any]) -> str:
    from tests.rooms.web.test_every_route import _argument_names  # which names a route takes

    said = {name: arguments[name] for name in _argument_names(route)}
    return reverse(route, kwargs={n: v[route] if isinstance(v, dict) else v for n, v in said.items()})


@pytest.mark.parametrize("route", ROWS)
def test_each_person_gets_what_the_table_says(world, arguments, route):
    asked = address(route, arguments)
    for method, allowed in ROWS[route].items():
        assert getattr(Client(), method.lower())(asked).status_code == 302, "one signs in first"
        for person in PEOPLE:
            client = Client()
            client.force_login(world.people[person])
            status = getattr(client, method.lower())(asked).status_code
            assert status in (ALLOWED if person in allowed else {403, 404}), (person, method, status)


def test_without_the_rule_of_visibility_the_same_check_finds_the_leak(world, arguments, monkeypatch):
    """The control."""
    from wufei.reviews.models import Application
    from wufei.reviews.queries import applications_seen

    monkeypatch.setattr(applications_seen, "visible", lambda **_: Application.objects.all())
    client = Client()
    client.force_login(world.people["OTHER_DISTRICT_INDUSTRY"])
    assert client.get(address("reviews:application", arguments)).status_code == 200
