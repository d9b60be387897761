"""Lots over the API: transformed, taken back, relocated, traced."""

import uuid

import pytest

from tests.rooms.api.world import generation
from wufei.ledger import services as ledger_services
from wufei.ledger.models import Movement

pytestmark = pytest.mark.django_db


@pytest.fixture
def stocked(world, officer_api):
    ledger_services.declare_store(
        organisation=world.mine, code="库2", name="二号库", by=world.people["officer"], now=world.now
    )
    answer = officer_api.post(
        world.address("/movements"),
        {"movements": [generation("3", lot="L-1"), generation("2", lot="L-2")]},
    )
    assert answer.status_code == 201, answer.content.decode()
    return world


def merging(**said):
    return {
        "kind": "MERGE", "moved_on": "2025-03-21", "client_id": str(uuid.uuid4()), "loss_g": 0,
        "inputs": [
            {"store": "库1", "lot": "L-1", "amount": "3", "unit": "吨"},
            {"store": "库1", "lot": "L-2", "amount": "2", "unit": "吨"},
        ],
        "outputs": [{"store": "库2", "lot": "L-3", "stream": "S1", "amount": "5", "unit": "吨", "packaging": "TANK"}],
    } | said  # fmt: skip


def test_two_lots_are_merged_traced_and_taken_back(stocked, officer_api):
    made = officer_api.post(stocked.address("/transformations"), merging())
    assert made.status_code == 201, made.content.decode()
    told = officer_api.get(stocked.address("/trace?code=L-3")).json()
    assert [(e["from"], e["to"], e["mass_g"]) for e in told["edges"]] == [
        ("L-1", "L-3", 3_000_000), ("L-2", "L-3", 2_000_000),
    ]  # fmt: skip
    assert {node["lot"] for node in told["nodes"]} == {"L-1", "L-2", "L-3"}

    first = made.json()["first_seq"]
    back = officer_api.post(stocked.address(f"/transformations/{first}/reverse"), {"reason": "并错了"})
    assert (back.status_code, back.json()["reversal_reason"]) == (201, "并错了")
    [listed] = officer_api.get(stocked.address("/transformations")).json()["transformations"]
    assert listed["reversed_at"] is not None
    again = officer_api.post(stocked.address(f"/transformations/{first}/reverse"), {"reason": "并错了"})
    assert (again.status_code, again.json()["code"]) == (409, "already_reversed")


def test_what_does_not_balance_is_refused_in_words_and_nothing_is_posted(stocked, officer_api):
    before = Movement.objects.count()
    answer = officer_api.post(stocked.address("/transformations"), merging(loss_g=1, loss_reason="挥发"))
    assert (answer.status_code, answer.json()["code"]) == (409, "transformation_refused")
    assert [each["code"] for each in answer.json()["details"]] == ["mass_not_balanced"]
    assert Movement.objects.count() == before


def test_what_the_ledger_refuses_of_a_transformation_points_at_input_or_output(stocked, officer_api):
    said = merging()
    outputs = [each | {"lot": "L-1"} for each in said["outputs"]]
    answer = officer_api.post(stocked.address("/transformations"), said | {"outputs": outputs})
    assert answer.status_code == 409
    unknown = [said["inputs"][0], said["inputs"][1] | {"store": "没有"}]
    answer = officer_api.post(stocked.address("/transformations"), said | {"inputs": unknown})
    assert [each["where"] for each in answer.json()["details"]] == ["body.inputs.1"], answer.json()
    outputs = [each | {"store": "没有"} for each in said["outputs"]]
    answer = officer_api.post(stocked.address("/transformations"), said | {"outputs": outputs})
    assert [each["where"] for each in answer.json()["details"]] == ["body.outputs.0"], answer.json()


def test_a_lot_is_put_into_another_store(stocked, officer_api):
    body = {
        "store": "库1", "to": "库2", "lot": "L-1", "amount": "3", "unit": "吨", "moved_on": "2025-03-22",
        "client_id": str(uuid.uuid4()),
    }  # fmt: skip
    assert officer_api.post(stocked.address("/relocations"), body).json()["kind"] == "RELOCATION"
    assert officer_api.post(stocked.address("/relocations"), body).status_code == 201
    rows = officer_api.get(stocked.address("/stock")).json()["stock"]
    assert [row["mass_g"] for row in rows if (row["store"], row["lot"]) == ("库2", "L-1")] == [3_000_000]
    gone = officer_api.post(stocked.address("/relocations"), body | {"client_id": str(uuid.uuid4())})
    assert (gone.status_code, gone.json()["details"][0]["code"]) == (409, "source_overdrawn")


def test_a_code_of_nobody_s_is_not_found(stocked, officer_api):
    assert officer_api.get(stocked.address("/trace?code=L-77")).json()["code"] == "lot_unknown"
