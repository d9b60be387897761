"""Any code, scanned anywhere, tells its history: to the parties of a manifest too, and from a label's QR code."""

import uuid
from datetime import date
from urllib.parse import urlencode

import pytest
from django.test import Client

from tests.conftest import NOW
from tests.rooms.api.world import Api, token
from tests.rooms.transfers import world as worlds
from wufei.labels import queries as labels
from wufei.labels import services as label_services
from wufei.ledger.kinds import Kind
from wufei.ledger.models import Container, Movement
from wufei.ledger.queries.books import official_book
from wufei.terms.period import Period

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def today(monkeypatch):
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)


def asked(by, organisation, code: str):
    """Return what the API and the page answer."""
    client = Client()
    client.force_login(by)
    answer = Api(token(by)).get(f"/organisations/{organisation.uscc}/trace?{urlencode({'code': code})}")
    return answer, client.get("/trace/", {"code": code})


def payload_of(world, code: str) -> str:
    label_services.number_container(
        lot_code=code, client_id=uuid.uuid4(), packaging="DRUM", volume_ml=200_000, organisation=world.generator,
        by=world.officer, now=NOW,
    )  # fmt: skip
    own = labels.lots(organisation=world.generator)
    return str(labels.label(own.get(code=code)).payload)


def test_a_scanned_label_is_traced(world):
    payload = payload_of(world, world.drum("D001"))
    number = payload.split("/")[2]
    for said in (payload, f" {payload}\n", number, f"{number[:18]} {number[18:]}", " D001 "):
        answer, page = asked(world.officer, world.generator, said)
        assert (answer.status_code, page.status_code) == (200, 200), said
        assert answer.json()["code"] == "D001"


def test_a_torn_label_and_one_of_another_system_are_told_apart(world):
    payload = payload_of(world, world.drum("D001"))
    torn = "二维码的内容不完整或读错了"
    for said, code, words in (
        (payload[:-3], "payload_torn", torn),
        (payload.replace("/D001/", "/D002/"), "payload_torn", torn),
        ("https://example.org/1", "payload_of_another_system", "这是其他系统的二维码"),
        (payload.split("/")[2][:-2], "code_torn", "数字识别码不完整"),
    ):
        answer, page = asked(world.officer, world.generator, said)
        [detail] = answer.json()["details"]
        assert (answer.status_code, detail["code"], page.status_code) == (422, code, 404), said
        assert words in detail["message"]
        assert words in page.content.decode()


def test_who_receives_or_carries_a_container_may_trace_it_and_reads_no_details(world):
    world.drum("D001", "123")
    manifest = world.draft("D001")
    parties = ((world.taker, world.receiver), (world.driver, world.carrier))
    for by, organisation in parties:
        assert [each.status_code for each in asked(by, organisation, "D001")] == [404, 404], (
            "drafts are private"
        )

    world.issue(manifest)
    for by, organisation in parties:
        answer, page = asked(by, organisation, "D001")
        assert (answer.status_code, page.status_code) == (200, 200)
        said = answer.json()
        assert [(n["stream"], n["organisation"], n["created_at"]) for n in said["nodes"]] == [
            (None, None, None)
        ]
        assert said["steps"] == []
        for planted in ("危废库", "张三", "F1", "0.123", world.generator.name, world.generator.uscc):
            assert planted not in page.content.decode(), planted


def test_the_generator_may_trace_what_its_waste_became(world):
    manifest = world.accepted()
    answer, page = asked(world.officer, world.generator, f"{manifest.number}-01")
    assert (answer.status_code, page.status_code) == (200, 200)
    assert {node["organisation"] for node in answer.json()["nodes"]} == {world.generator.name, None}
    for planted in ("接收库", "王五", world.receiver.uscc):
        assert planted not in page.content.decode()
    answer, _ = asked(world.driver, world.carrier, f"{manifest.number}-01")
    [edge] = answer.json()["edges"]
    assert (edge["mass_g"], edge["document"]) == (None, "")


def test_who_has_nothing_to_do_with_it_finds_nothing(world):
    manifest = world.accepted()
    other = worlds.organisation(9, "别家", "UTILISER")
    stranger = worlds.person("ENVIRONMENT_OFFICER", other, "外人")
    for code in ("D001", f"{manifest.number}-01", payload_of_the_drum(world)):
        assert [each.status_code for each in asked(stranger, other, code)] == [404, 404], code


def payload_of_the_drum(world) -> str:
    return payload_of(world, world.drum("D500"))


# --- the official ledgers of the same way


def book(organisation, form: str) -> dict:
    july = Period(date(2026, 7, 1), date(2026, 7, 31))
    [row] = official_book(organisation=organisation, form=form, period=july, most=10).rows
    return row


def test_who_let_the_drum_out_of_store_is_not_who_drove_it(world):
    world.loaded()
    row = book(world.generator, "hw-3")
    assert (row["handler"], row["carrier_handler"]) == ("张三", "李师傅")
    assert Movement.objects.get(kind=Kind.DISPATCH).handler == "张三"


def test_the_receiver_s_ledger_knows_the_container_and_who_took_it_in(world):
    manifest = world.accepted()
    row = book(world.receiver, "hw-2")
    assert (row["container_code"], row["packaging"], row["container_count"], row["handler"]) == (
        f"{manifest.number}-01", "桶", 1, "王五",
    )  # fmt: skip


def test_a_load_of_several_packages_is_no_container(world):
    drum = worlds.LineSaid(lot=world.drum("D001"), package_count=3, said=worlds.OF_A_LINE)
    manifest = world.deliver(world.load(world.issue(world.draft(lines=[drum]))))
    world.receive(manifest, "200")
    assert not Container.objects.filter(lot__organisation=world.receiver).exists()
