"""Permits, contracts, due diligence, vehicles, drivers and approvals over the API: what is told, kept, refused."""

import pytest

from tests.rooms.api.world import Api, token
from tests.rooms.transfers import world as worlds
from wufei.registry.models import AuditEntry, Contract, Driver, OperatingPermit, Vehicle
from wufei.transfers.models import TransferApproval


@pytest.fixture
def world(db, monkeypatch):
    monkeypatch.setattr("django.utils.timezone.now", lambda: worlds.NOW)
    return worlds.build()


def api(user) -> Api:
    return Api(token(user))


def at(organisation, *more) -> str:
    return "/".join([f"/organisations/{organisation.uscc}", *map(str, more)])


def dispatcher(world) -> Api:
    return api(worlds.User.objects.get(username="调度"))


PERMIT = {
    "kind": "COLLECTION", "number": "SJ-1", "issued_by": "市局", "valid_from": "2026-01-01",
    "valid_through": "2028-12-31",
    "groups": [{"name": "废油", "waste_codes": ["hw08"], "modes": ["r9"], "capacity_g": 5_000_000}],
}  # fmt: skip


def test_a_permit_is_recorded_read_verified_and_ended(world):
    made = api(world.taker).post(at(world.receiver, "permits"), PERMIT)
    assert made.status_code == 201, made.content.decode()
    told = made.json()
    assert (told["groups"], told["verified_at"]) == (
        [{"name": "废油", "waste_codes": ["HW08"], "modes": ["R9"], "capacity_g": 5_000_000, "year": 2026, "used_g": 0,
          "left_g": 5_000_000}],
        None,
    )  # fmt: skip
    address = at(world.receiver, "permits", told["id"])
    assert api(world.taker).get(address).json() == told
    authority = worlds.organisation(80, "市局", "AUTHORITY", "500000")
    inspector = api(worlds.person("AUTHORITY_OFFICER", authority, "市局"))
    assert api(world.taker).post(address + "/verify").status_code == 403
    assert inspector.post(address + "/verify").json()["verified_at"].startswith("2026-07-01")
    again = inspector.post(address + "/verify")
    assert (again.status_code, again.json()["code"]) == (409, "verified_already")
    ended = inspector.post(address + "/revoke", {"on": "2026-07-01"})
    assert ended.json()["revoked_on"] == "2026-07-01"
    assert inspector.post(address + "/revoke", {"on": "2026-07-02"}).json()["code"] == "ended_already"
    actions = AuditEntry.objects.filter(organisation=world.receiver, object_ref="SJ-1").values_list(
        "action", flat=True
    )
    assert sorted(actions) == ["registry.record_permit", "registry.revoke_permit", "registry.verify_permit"]


def test_the_capacity_told_is_what_is_left_over_all_manifests(world):
    world.issued()
    [told] = api(world.taker).get(at(world.receiver, "permits") + "?kind=COMPREHENSIVE").json()["permits"]
    assert [(g["used_g"], g["left_g"]) for g in told["groups"]] == [(200_000, 999_800_000)]


@pytest.mark.parametrize(
    ("said", "status", "code"),
    [
        ({"number": " "}, 422, "number_missing"), ({"valid_through": "2025-01-01"}, 422, "days_reversed"),
        ({"groups": []}, 422, "groups_missing"), ({"kind": "PASSPORT"}, 422, "request_malformed"),
        ({"groups": [{"waste_codes": ["HW99"], "capacity_g": 1}]}, 422, "waste_code_unknown"),
        ({"groups": [{"waste_codes": ["HW08"], "capacity_g": 0}]}, 422, "capacity_not_positive"),
        ({"groups": [{"waste_codes": ["HW08"], "capacity_g": 1.5}]}, 422, "request_malformed"),
        ({"number": "CQ\x00"}, 422, "request_malformed"), ({"number": "CQ5001020001", "kind": "COMPREHENSIVE", "valid_from": "2024-01-01"}, 409, "recorded_already"),
    ],
)  # fmt: skip
def test_a_permit_that_cant_be_is_refused_and_nothing_is_kept(world, said, status, code):
    before = OperatingPermit.objects.count()
    response = api(world.taker).post(at(world.receiver, "permits"), PERMIT | said)
    assert (response.status_code, response.json()["code"]) == (status, code), response.content.decode()
    assert OperatingPermit.objects.count() == before


def test_a_contract_is_recorded_listed_and_ended(world):
    said = {
        "counterparty": world.receiver.uscc, "purpose": "RECEIVING", "number": "HT-2", "signed_on": "2026-02-01",
        "valid_through": "2026-12-31", "waste_codes": ["900-249-08"],
    }  # fmt: skip
    caller, address = api(world.officer), at(world.generator, "contracts")
    made = caller.post(address, said)
    assert made.status_code == 201, made.content.decode()
    assert caller.post(address, said).json()["code"] == "recorded_already"
    assert caller.post(address, said | {"counterparty": "9150"}).json()["code"] == "request_malformed"
    assert caller.post(address, said | {"counterparty": world.generator.uscc}).json()["code"] == "with_itself"
    listed = caller.get(f"{address}?purpose=RECEIVING&counterparty={world.receiver.uscc}").json()
    assert (listed["total"], [row["number"] for row in listed["contracts"]]) == (2, ["HT-RECEIVING", "HT-2"])
    one = f"{address}/{made.json()['id']}"
    assert caller.get(one).json() == made.json()
    assert caller.post(one + "/end", {"on": "2026-01-01"}).json()["code"] == "days_reversed"
    assert caller.post(one + "/end", {"on": "2026-06-30"}).json()["ended_on"] == "2026-06-30"
    assert caller.post(one + "/end", {"on": "2026-06-30"}).status_code == 409
    assert api(world.driver).get(at(world.carrier, "contracts")).json() == {"total": 0, "contracts": []}


def test_what_was_found_of_a_receiver_is_recorded_and_the_latest_stands_first(world):
    said = {
        "subject": world.receiver.uscc, "checked_on": "2026-06-01", "valid_through": "2026-12-31", "is_passed": False,
        "qualification": "许可证将到期", "capability": "正常",
    }  # fmt: skip
    caller, address = api(world.officer), at(world.generator, "due-diligence")
    made = caller.post(address, said)
    assert made.status_code == 201, made.content.decode()
    told = caller.get(f"{address}?subject={world.receiver.uscc}").json()
    assert [row["is_passed"] for row in told["records"]] == [False, True]
    assert caller.get(f"{address}/{made.json()['id']}").json() == made.json()
    for wrong, code in (
        ({"capability": " "}, "found_missing"),
        ({"checked_on": "2026-08-01"}, "days_reversed"),
        ({"subject": "nobody"}, "request_malformed"),
    ):
        assert caller.post(address, said | wrong).json()["code"] == code


def test_vehicles_and_drivers_are_recorded_and_ended(world):
    caller = dispatcher(world)
    for kind, model, said, key in (
        (
            "vehicles",
            Vehicle,
            {"plate": "渝b00001", "permit_number": "渝运证2", "load_g": 5_000_000},
            "vehicle",
        ),
        ("drivers", Driver, {"name": "赵师傅", "phone": "13800000002"}, "driver"),
    ):
        address = at(world.carrier, kind)
        made = caller.post(address, said | {"valid_through": "2027-12-31"})
        assert made.status_code == 201, made.content.decode()
        one = f"{address}/{made.json()['id']}"
        assert caller.get(one).json() == made.json()
        assert caller.get(address).json()["total"] == 2
        assert caller.post(one + "/end", {"on": "2026-07-02"}).json()["code"] == "days_reversed"
        assert caller.post(one + "/end", {"on": "2026-06-30"}).json()["ended_on"] == "2026-06-30"
        assert caller.post(one + "/end", {"on": "2026-06-30"}).json()["code"] == "ended_already"
        assert caller.get(address + "?in_use=true").json()["total"] == 1
        back = caller.post(address, said)  # what was ended is in use again
        assert (back.json()["id"], back.json()["ended_on"]) == (made.json()["id"], None)
        assert model.objects.filter(organisation=world.carrier).count() == 2
        assert caller.get(f"{address}/999999").json()["code"] == f"{key}_unknown"
    assert caller.post(at(world.carrier, "vehicles"), {"plate": " "}).json()["code"] == "plate_missing"
    assert caller.post(at(world.carrier, "vehicles"), {"plate": "渝B1", "load_g": 0}).status_code == 422
    assert caller.post(at(world.carrier, "drivers"), {"name": " "}).json()["code"] == "name_missing"


def test_an_approval_is_recorded_and_tells_what_is_left(db, monkeypatch):
    monkeypatch.setattr("django.utils.timezone.now", lambda: worlds.NOW)
    world = worlds.build(receiver_division="510100")
    said = {
        "receiver": world.receiver.uscc, "kind": "APPROVAL", "number": "渝环跨1号", "waste_code": worlds.OIL,
        "approved_g": 300_000, "valid_from": "2026-01-01", "valid_through": "2026-12-31",
    }  # fmt: skip
    caller, address = api(world.officer), at(world.generator, "transfer-approvals")
    made = caller.post(address, said)
    assert made.status_code == 201, made.content.decode()
    world.issued()
    told = caller.get(f"{address}/{made.json()['id']}").json()
    assert (told["used_g"], told["left_g"]) == (200_000, 100_000)
    assert caller.get(address).json()["total"] == 1
    for wrong, status, code in (
        ({}, 409, "approval_twice"), ({"approved_g": 0}, 422, "approval_malformed"),
        ({"valid_through": "2027-06-30"}, 422, "approval_malformed"), ({"waste_code": "9"}, 422, "approval_malformed"),
        ({"receiver": "9150"}, 422, "request_malformed"),
    ):  # fmt: skip
        response = caller.post(address, said | wrong)
        assert (response.status_code, response.json()["code"]) == (status, code)
    assert TransferApproval.objects.count() == 1
    assert caller.get(f"{address}/999999").status_code == 404


def test_what_is_anothers_is_not_found_under_ones_own_address(world):
    """The receiver's permit, the generator's contract: their keys say nothing to anybody else."""
    contract = Contract.objects.filter(organisation=world.generator).first()
    vehicle, driver = Vehicle.objects.get(), Driver.objects.get()
    own = api(world.officer)
    for kind, key in (("permits", world.permit.pk), ("vehicles", vehicle.pk), ("drivers", driver.pk)):
        assert own.get(at(world.generator, kind, key)).status_code == 404
        assert own.get(at(world.receiver, kind, key)).status_code == 404  # it isn't seen at all
    for of in (world.receiver, world.generator):
        assert api(world.taker).get(at(of, "contracts", contract.pk)).status_code == 404
        assert (
            api(world.taker).post(at(of, "contracts", contract.pk, "end"), {"on": "2026-07-01"}).status_code
            == 404
        )
    contract.refresh_from_db()
    assert contract.ended_on is None
    assert (
        own.post(at(world.generator, "vehicles", vehicle.pk, "end"), {"on": "2026-07-01"}).status_code == 404
    )


@pytest.mark.parametrize("kind", ["permits", "contracts", "due-diligence", "vehicles", "drivers"])
def test_lists_are_paged_and_take_the_same_few_statements(world, kind, django_assert_max_num_queries):
    owner, caller = (
        (world.carrier, dispatcher(world)) if kind in ("vehicles", "drivers") else (world.receiver, api(world.taker))
    )  # fmt: skip

    def add(n: int) -> None:
        said = {
            "permits": PERMIT | {"number": f"P{n}"},
            "contracts": {"counterparty": world.generator.uscc, "purpose": "TRANSPORT", "number": f"C{n}",
                          "signed_on": "2026-01-01", "valid_through": "2026-12-31"},
            "due-diligence": {"subject": world.generator.uscc, "checked_on": "2026-01-01", "valid_through": "2026-12-31",
                              "is_passed": True, "qualification": "齐", "capability": "好"},
            "vehicles": {"plate": f"渝B{n:05}"}, "drivers": {"name": f"师傅{n}"},
        }[kind]  # fmt: skip
        assert caller.post(at(owner, kind), said).status_code == 201

    add(0)
    caller.get(at(owner, kind))
    with django_assert_max_num_queries(20) as one:
        caller.get(at(owner, kind))
        few = len(one.captured_queries)
    for n in range(1, 12):
        add(n)
    with django_assert_max_num_queries(few):
        told = caller.get(at(owner, kind)).json()
    rows = next(value for name, value in told.items() if name != "total")
    assert told["total"] == len(rows) == len({row["id"] for row in rows}) >= 12
    second = caller.get(at(owner, kind) + "?limit=5&offset=5").json()
    assert next(value for name, value in second.items() if name != "total") == rows[5:10]
