"""What phones send: posted once, answered the same again, refused with the reason, given up with the reason."""

import json
from datetime import date, timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from tests.rooms.shopfloor.conftest import Voice
from wufei.labels.models import DigitalIdCounter
from wufei.labels.payload import Payload
from wufei.ledger import services as ledger_services
from wufei.ledger.models import Container, Movement
from wufei.registry.models import AuditEntry
from wufei.registry.queries import NotPermitted
from wufei.shopfloor import services
from wufei.shopfloor.models import AbandonedEntry, Phone, ReadingUse
from wufei.shopfloor.refusals import Code, ShopfloorRefused
from wufei.terms.mass import Mass

pytestmark = pytest.mark.django_db


@pytest.fixture
def worker(make_user, floor):
    return make_user("WORKER", floor.organisation)


@pytest.fixture
def browser(worker):
    client = Client()
    client.force_login(worker)
    return client


@pytest.fixture
def at(floor, monkeypatch, now):
    """The address of the worker's page; the server's clock is ours."""
    monkeypatch.setattr(timezone, "now", lambda: now)
    return f"/o/{floor.organisation.uscc}/work/"


def generated(**said):
    return {
        "kind": "generation", "client_id": str(uuid4()), "made_at": "2026-07-01T09:00:00+08:00", "stream": "W1",
        "lot": "T1-000001", "mass_g": 12_340, "store": "库1", "reading": None,
    } | said  # fmt: skip


def relocated(**said):
    return {
        "kind": "relocation", "client_id": str(uuid4()), "made_at": "2026-07-01T09:10:00+08:00",
        "scanned": "T1-000001", "to_store": "库2", "seen_in": "库1",
    } | said  # fmt: skip


def send(browser, at, said):
    return browser.post(f"{at}entries/", json.dumps(said), content_type="application/json")


def code_of(answer) -> str:
    assert answer.status_code in (403, 409, 422), answer.content
    said = answer.json()
    assert said["words"].endswith("。")
    return said["code"]


def test_an_entry_is_posted_once_however_often_it_is_sent(browser, at, worker):
    said = generated()
    first, again = send(browser, at, said), send(browser, at, said)

    assert (first.status_code, again.status_code) == (201, 201)
    assert (first.json()["is_replay"], again.json()["is_replay"]) == (False, True)
    assert first.json() | {"is_replay": True} == again.json()
    [movement] = Movement.objects.select_related("lot", "target")
    assert (movement.mass_g, movement.lot.code, movement.target.code) == (12_340, "T1-000001", "库1")
    assert (movement.posted_by, movement.handler, movement.moved_on) == (
        worker,
        str(worker),
        date(2026, 7, 1),
    )


def test_the_same_id_for_something_else_is_refused(browser, at):
    said = generated()
    send(browser, at, said)
    assert code_of(send(browser, at, said | {"mass_g": 9})) == Code.CLIENT_ID_REUSED
    assert code_of(
        send(browser, at, said | {"kind": "relocation", "scanned": "T1-000001", "to_store": "库2"})
    ) == (Code.CLIENT_ID_REUSED)
    assert Movement.objects.count() == 1


def test_a_refusal_of_the_ledger_comes_back_with_its_code_and_may_be_mended_under_the_same_id(browser, at):
    said = generated(mass_g=1_200_000)
    assert code_of(send(browser, at, said)) == "target_over_capacity"
    assert send(browser, at, said | {"store": "库2"}).status_code == 201
    assert code_of(send(browser, at, generated())) == "lot_code_used"


def test_a_closed_month_is_a_conflict(browser, at, floor, officer, now):
    ledger_services.close_month(
        organisation=floor.organisation, through=date(2026, 5, 31), by=officer, now=now
    )
    late = send(browser, at, generated(made_at="2026-05-31T23:00:00+08:00"))
    assert (late.status_code, code_of(late)) == (409, "month_closed")
    assert "2026-05-31" in late.json()["words"]


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"made_at": "2026-07-01T10:10:01+08:00"}, Code.MADE_IN_FUTURE),
        ({"mass_g": 100_000_001}, Code.MASS_TOO_LARGE),
        ({"mass_g": 0}, Code.MALFORMED),
        ({"stream": "W9"}, "stream_unknown"),
        ({"store": "库9"}, "store_unknown"),
        ({"lot": "散堆-W1"}, "lot_code_reserved"),
        ({"reading": {"scale": "C00000000", "sequence": 1}}, Code.READING_UNKNOWN),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_half_done(browser, at, said, code):
    assert code_of(send(browser, at, generated(**said))) == code
    assert not Movement.objects.exists()


def test_a_reading_is_taken_with_the_entry_and_by_no_other(browser, at, voice: Voice):
    voice.says(12_340)
    shown = browser.get(f"{at}readings/{voice.scale.code}/").json()
    reading = shown["reading"]
    assert (reading["net_g"], reading["sequence"], shown["trouble"]) == (12_340, 1, "")
    said = generated(reading={"scale": reading["scale"], "sequence": reading["sequence"]})

    assert code_of(send(browser, at, said | {"mass_g": 12_341})) == Code.READING_DIFFERS
    assert send(browser, at, said).status_code == 201
    assert send(browser, at, said).json()["is_replay"] is True
    other = generated(lot="T1-000002", reading=said["reading"])
    assert code_of(send(browser, at, other)) == Code.READING_TAKEN
    [use] = ReadingUse.objects.select_related("movement")
    assert (use.movement.seq, use.by_rule) == (1, False)
    assert Movement.objects.count() == 1
    assert browser.get(f"{at}readings/{voice.scale.code}/").json()["reading"] is None


def test_why_the_scale_shows_nothing_is_said(browser, at, voice, officer, now):
    voice.says(stable=False)
    said = browser.get(f"{at}readings/{voice.scale.code}/").json()
    assert said["reading"] is None
    assert "还没有稳定" in said["trouble"]
    services.retire_scale(scale=voice.scale, by=officer, now=now)
    assert browser.get(f"{at}readings/{voice.scale.code}/").json()["code"] == Code.SCALE_UNKNOWN


# --- into another store


def test_a_container_is_moved_once_as_a_whole(browser, at, floor):
    send(browser, at, generated())
    said = relocated()
    first, again = send(browser, at, said), send(browser, at, said)

    assert (first.json()["store"], first.json()["mass_g"], again.json()["is_replay"]) == ("库2", 12_340, True)
    assert floor.kinds() == ["GENERATION", "RELOCATION"]
    assert (floor.holds("库1").grams, floor.holds("库2").grams) == (0, 12_340)


def test_a_container_that_somebody_else_moved_is_a_conflict(browser, at):
    send(browser, at, generated())
    send(browser, at, relocated())
    moved = send(browser, at, relocated(to_store="库1"))
    assert code_of(moved) == Code.CONTAINER_MOVED
    assert "库2" in moved.json()["words"]
    assert code_of(send(browser, at, relocated())) == Code.ALREADY_THERE


def test_a_container_that_left_is_in_no_store(browser, at, floor):
    send(browser, at, generated())
    floor.post("2026-07-01 W1 自行处置 12.34 千克 库1 T1-000001")
    assert code_of(send(browser, at, relocated())) == Code.NOT_IN_STORE


def test_a_label_of_ours_is_read_and_a_torn_or_foreign_one_is_refused(browser, at, floor):
    send(browser, at, generated())
    label = str(Payload(digital_id=None, uscc=floor.organisation.uscc, waste_code="SW02", lot="T1-000001"))
    told = browser.get(f"{at}lots/", {"code": label}).json()
    assert (told["lot"], told["store"], told["mass_g"]) == ("T1-000001", "库1", 12_340)
    for wrong in (label[:-3], "https://example.org/T1-000001", "T9-000001", "散堆-W1"):
        assert browser.get(f"{at}lots/", {"code": wrong}).json()["code"] == Code.CODE_UNKNOWN
        assert code_of(send(browser, at, relocated(scanned=wrong, seen_in=None))) == Code.CODE_UNKNOWN
    assert send(browser, at, relocated(scanned=label)).status_code == 201


def test_another_factorys_container_is_unknown(browser, at, make_organisation, make_user, now):
    send(browser, at, generated())
    elsewhere = make_organisation("乙厂")
    stranger = Client()
    stranger.force_login(make_user("WORKER", elsewhere))
    there = f"/o/{elsewhere.uscc}/work/"
    assert stranger.get(f"{there}lots/", {"code": "T1-000001"}).status_code == 422
    assert send(stranger, at, relocated()).status_code == 404


# --- containers and their numbers


@pytest.fixture
def hazardous(floor):
    floor.streams("H1", waste_code="900-249-08")
    return {"stream": "H1", "packaging": "DRUM"}


def reserved(browser, at, **said):
    body = {"client_id": str(uuid4()), "waste_code": "900-249-08", "on": "2026-07-01"} | said
    return browser.post(f"{at}numbers/", json.dumps(body), content_type="application/json")


def test_a_hazardous_container_bears_the_number_that_the_phone_had_reserved(browser, at, floor, hazardous):
    same = str(uuid4())
    blocks = [reserved(browser, at, client_id=same).json() for _ in range(2)]
    assert blocks == [{"first": 1, "last": 20}] * 2
    assert reserved(browser, at).json() == {"first": 21, "last": 40}
    number = f"{floor.organisation.uscc}9002490820260701007"
    said = generated(**hazardous, digital_id=number)
    first, again = send(browser, at, said), send(browser, at, said)

    assert (first.status_code, first.json()["digital_id"]) == (201, number)
    assert again.json()["digital_id"] == number
    container = Container.objects.get()
    assert (container.lot.code, container.packaging, container.digital_id) == ("T1-000001", "DRUM", number)
    used = send(browser, at, generated(**hazardous, lot="T1-000002", digital_id=number))
    assert code_of(used) == "number_used"
    assert Movement.objects.count() == 1


def test_without_a_reserved_number_the_next_one_is_given_and_kept(browser, at, floor, hazardous):
    said = generated(**hazardous)
    numbers = [send(browser, at, said).json()["digital_id"] for _ in range(2)]
    assert numbers == [f"{floor.organisation.uscc}9002490820260701001"] * 2


@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("{uscc}9002490820260701500", "number_not_reserved"),
        ("91110000600037341L9002490820260701001", "number_of_another_organisation"),
        ("{uscc}9002170820260701001", "number_of_another_waste"),
    ],
)
def test_a_number_that_is_not_the_containers_is_refused_and_nothing_is_half_done(
    browser, at, floor, hazardous, number, code
):
    said = generated(**hazardous, digital_id=number.format(uscc=floor.organisation.uscc))
    assert code_of(send(browser, at, said)) == code
    assert not Movement.objects.exists()
    assert not Container.objects.exists()


def test_what_was_weighed_stands_also_where_the_days_numbers_are_used_up(browser, at, floor, hazardous):
    DigitalIdCounter.objects.create(
        organisation=floor.organisation, waste_code="900-249-08", on=date(2026, 7, 1), last=999
    )
    answer = send(browser, at, generated(**hazardous)).json()
    assert (answer["seq"], answer["digital_id"]) == (1, "")
    assert answer["label_trouble"]
    assert Container.objects.get().digital_id is None
    assert code_of(reserved(browser, at)) == "numbers_exhausted"


def test_a_general_container_has_a_packaging_and_no_number(browser, at):
    answer = send(browser, at, generated(packaging="BAG")).json()
    assert (answer["digital_id"], answer["label_trouble"]) == ("", "")
    assert Container.objects.get().packaging == "BAG"


# --- phones, and what is given up


def test_each_phone_has_a_number_of_its_own_and_keeps_it(browser, at):
    one, other = ({"client_id": str(uuid4())} for _ in range(2))
    prefixes = [
        browser.post(f"{at}phone/", json.dumps(said), content_type="application/json").json()["prefix"]
        for said in (one, other, one)
    ]
    assert prefixes == ["T1", "T2", "T1"]
    assert Phone.objects.count() == 2


def test_what_is_given_up_is_kept_once_with_its_reason(browser, at, floor):
    lost = generated()
    said = {
        "kind": "abandonment", "client_id": lost["client_id"], "made_at": lost["made_at"],
        "content": lost | {"words": "废物W1 12.34 千克"}, "refusal": "贮存设施已满。", "reason": "已手工登记",
    }  # fmt: skip
    for _ in range(2):
        assert send(browser, at, said).status_code == 201
    [row] = AbandonedEntry.objects.all()
    assert (row.reason, row.content["mass_g"]) == ("已手工登记", 12_340)
    assert AuditEntry.objects.filter(action="shopfloor.abandon").count() == 1
    page = browser.get(f"/o/{floor.organisation.uscc}/abandoned-entries/").content.decode()
    assert "废物W1 12.34 千克" in page
    assert "已手工登记" in page


def test_what_stands_in_the_ledger_cannot_be_given_up(browser, at):
    posted = generated()
    send(browser, at, posted)
    said = posted | {"kind": "abandonment", "content": {}, "refusal": "x", "reason": "y"}
    assert code_of(send(browser, at, said)) == Code.CLIENT_ID_REUSED


def test_without_the_csrf_token_nothing_is_taken(worker, at):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(worker)
    assert send(strict, at, generated()).status_code == 403
    assert not Movement.objects.exists()


def test_a_service_refuses_who_may_not_post(floor, make_user, make_organisation, now):
    district = make_user("AUTHORITY_OFFICER", make_organisation("区局", kind="AUTHORITY"))
    said = {"organisation": floor.organisation, "client_id": uuid4(), "by": district, "now": now}
    for act, more in (
        (services.register_phone, {}),
        (services.enter_generation, {"made_at": now, "stream": "W1", "lot": "L", "mass": Mass(1)}),
        (services.enter_relocation, {"made_at": now, "scanned": "L", "to_store": "库1"}),
        (services.abandon, {"content": {}, "refusal": "x", "reason": "y", "made_at": now}),
    ):
        with pytest.raises(NotPermitted):
            act(**said, **more)


def test_a_blank_reason_gives_nothing_up(floor, officer, now):
    with pytest.raises(ShopfloorRefused) as why:
        services.abandon(
            organisation=floor.organisation, client_id=uuid4(), content={}, refusal="x", reason="  ",
            made_at=now - timedelta(hours=1), by=officer, now=now,
        )  # fmt: skip
    assert why.value.code is Code.REASON_MISSING
