"""The API of small generators: a month, a list, a round."""

import uuid
from datetime import date

import pytest
from django.utils import timezone

from tests.rooms.api.world import Api, token
from tests.rooms.collection import world as worlds
from tests.rooms.collection.world import OIL, RAGS
from wufei.collection import services
from wufei.collection.api import CollectionRoundState
from wufei.collection.models import CollectionRound, Stop


@pytest.fixture
def world(db, monkeypatch):
    made = worlds.build()
    monkeypatch.setattr("django.utils.timezone.now", lambda: made.now)
    return made


def api(user, world) -> Api:
    return Api(token(user, created_at=world.now))


def address(organisation, path: str) -> str:
    return f"/organisations/{organisation.uscc}/collection/{path}"


def test_a_month_is_declared_corrected_and_read(world):
    shop, owner = world.generator(date(2026, 5, 3))
    caller, to = api(owner, world), address(shop, "declarations")
    said = {
        "month": "2026-06", "client_id": str(uuid.uuid4()),
        "lines": [{"stream": "F01", "new_g": 50_000}, {"stream": "F02", "new_g": 0}],
    }  # fmt: skip
    made = caller.post(to, said)
    assert made.status_code == 201, made.content.decode()
    assert caller.post(to, said).json() == made.json()  # the same client id counts once
    more = said | {
        "client_id": str(uuid.uuid4()),
        "lines": [{"stream": "F01", "new_g": 60_000}, {"stream": "F02", "new_g": 0}],
    }
    assert caller.post(to, more).json()["number"] == 2
    months = caller.get(to).json()["months"]
    assert [(row["month"], row["word"], row["new_g"]) for row in months] == [
        ("2026-07", "NOT_YET", None), ("2026-06", "DECLARED", 60_000), ("2026-05", "SILENT", None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("said", "status", "code"),
    [
        ({"lines": [{"stream": "F01", "new_g": 1}]}, 422, "stream_left_out"),
        ({"lines": [{"stream": "F09", "new_g": 1}]}, 422, "stream_unknown"),
        ({"is_nothing": True, "lines": [{"stream": "F01", "new_g": 1}]}, 422, "nothing_and_something"),
        ({"is_nothing": True, "month": "2026-13"}, 422, "request_malformed"),
        ({"is_nothing": True, "month": "2027-01"}, 422, "month_out_of_range"),
        ({"lines": [{"stream": "F01", "new_g": -1}]}, 422, "request_malformed"),
    ],
)
def test_what_cannot_be_declared_is_refused_by_its_code(world, said, status, code):
    shop, owner = world.generator(date(2026, 5, 3))
    asked = {"month": "2026-06", "client_id": str(uuid.uuid4())} | said
    refused = api(owner, world).post(address(shop, "declarations"), asked)
    assert (refused.status_code, refused.json()["code"]) == (status, code)


def test_a_round_from_the_list_to_the_scale(world):
    shop, owner = world.with_waste()
    away, _theirs = world.with_waste(F02="0")
    officer, driver = api(world.officer, world), api(world.driver, world)
    ready = officer.get(address(world.collector, "ready?waste=HW08&limit=1")).json()
    assert (ready["total"], [row["mass_g"] for row in ready["ready"]]) == (2, [50_000])
    plan = {
        "uid": str(uuid.uuid4()), "point": "SJ1", "planned_on": "2026-07-02", "plate": "渝A12345", "driver": "李师傅", "driver_phone": "13800000001",
        "picks": [
            {"generator": away.uscc, "stream": "F01"}, {"generator": shop.uscc, "stream": "F01", "mass_g": 40_000},
            {"generator": shop.uscc, "stream": "F02"},
        ],
    }  # fmt: skip
    made = officer.post(address(world.collector, "rounds"), plan)
    assert made.status_code == 201, made.content.decode()
    first, second = made.json()["stops"]
    assert [line["declared_g"] for line in second["lines"]] == [40_000, 8_000]

    acts = address(world.collector, "rounds/1/acts")

    def act(**said):
        return driver.post(acts, said)

    assert (
        act(act="REORDER", order=[second["stop"], first["stop"]]).json()["stops"][0]["stop"] == second["stop"]
    )
    assert act(act="START").json()["state"] == "UNDER_WAY"
    assert act(act="LOAD", stop=second["stop"]).json()["code"] == "not_signed"
    assert act(act="CANCEL").status_code == 403  # the driver may not
    assert act(act="LEAVE_OUT", stop=first["stop"], reason="ELSEWHERE").json()["code"] == "reason_missing"
    assert act(act="LEAVE_OUT", stop=first["stop"], reason="NOT_AT_HOME").status_code == 200
    assert act(act="LOAD", stop=10**9).json()["code"] == "stop_unknown"
    services.sign_as_generator(
        stop=Stop.objects.get(pk=second["stop"]), organisation=shop, by=owner, now=timezone.now()
    )
    assert act(act="LOAD", stop=second["stop"]).status_code == 200
    assert act(act="CLOSE", weighings=[]).json()["code"] == "weighing_missing"
    weighed = [
        {"waste_code": OIL, "received_g": 39_999, "mode": "R9"}, {"waste_code": RAGS, "received_g": 8_001, "mode": "D10"},
    ]  # fmt: skip
    done = act(act="CLOSE", weighings=weighed)
    assert done.status_code == 200, done.content.decode()
    assert [line["received_g"] for stop in done.json()["stops"] for line in stop["lines"]] == [
        39_999,
        8_001,
        None,
    ]
    listed = officer.get(address(world.collector, "rounds?state=CLOSED")).json()
    assert (listed["total"], listed["rounds"][0]["number"]) == (1, 1)
    assert officer.get(address(world.collector, "rounds/1")).json()["state"] == "CLOSED"
    assert officer.get(address(world.collector, "rounds/2")).status_code == 404


def test_the_list_of_rounds_takes_the_same_queries_for_one_and_for_four(world, django_assert_num_queries):
    caller, to = api(world.officer, world), address(world.collector, "rounds")
    world.plan(world.with_waste()[0])
    caller.get(to)
    with django_assert_num_queries(8):
        assert len(caller.get(to).json()["rounds"]) == 1
    for _more in range(3):
        world.plan(world.with_waste()[0], world.with_waste()[0])
    with django_assert_num_queries(8):
        assert len(caller.get(to).json()["rounds"]) == 4


def test_the_states_of_a_round_in_the_document_are_the_rounds():
    assert [each.value for each in CollectionRoundState] == CollectionRound.State.values
