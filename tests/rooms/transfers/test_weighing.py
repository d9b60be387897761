"""Many small loads under one weighing: shares to the gram, all or none, once; and the pages of it."""

import pytest
from django.db import DatabaseError, transaction
from django.test import Client
from django.urls import reverse

from tests.rooms.transfers import world as worlds
from wufei.ledger.queries import verify
from wufei.registry.queries import NotPermitted
from wufei.terms.mass import Mass
from wufei.transfers import queries, services
from wufei.transfers.fields import Part
from wufei.transfers.models import Manifest, WeighedLoad
from wufei.transfers.refusals import Code, TransferRefused


@pytest.fixture
def world(db, monkeypatch):
    made = worlds.build()
    monkeypatch.setattr("django.utils.timezone.now", lambda: made.now)
    return made


def small(world, *kilograms: str) -> list[Manifest]:
    found = []
    for text in kilograms:
        world.made += 1
        code = world.drum(f"S{world.made:03}", text)
        found.append(world.delivered(code))
    world.later(hours=1)
    return found


def weigh(world, manifests, grams: int, **said) -> WeighedLoad:
    asked = {
        "organisation": world.receiver, "received": Mass(grams), "mode": "R9", "said": worlds.TAKEN,
        "by": world.taker, "now": world.now,
    }  # fmt: skip
    return services.receive_load(manifests=manifests, **(asked | said))


def code_of(call, *args, **said) -> Code:
    with pytest.raises(TransferRefused) as refused:
        call(*args, **said)
    return refused.value.code


def received(manifests) -> list[int | None]:
    return [Manifest.objects.get(pk=each.pk).received_g for each in manifests]


def test_each_share_is_kept_to_the_gram_with_the_weighing(world):
    rows = small(world, "10", "20", "40")
    load = weigh(world, rows, 69_001)
    assert received(rows) == [9_857, 19_715, 39_429]
    assert load.shares == [[row.number, 1, grams] for row, grams in zip(rows, received(rows), strict=True)]
    assert sum(received(rows)) == load.received_g == 69_001
    assert (load.declared_g, load.plate, load.manifests.count()) == (70_000, "渝A12345", 3)
    assert world.received.holds("接收库") == Mass(69_001)
    assert verify(organisation=None).is_ok


def test_a_retry_weighs_once_and_the_id_is_for_these_alone(world):
    rows, client_id = small(world, "10", "10"), worlds.new_id()
    first = weigh(world, rows, 20_000, client_id=client_id)
    assert weigh(world, rows, 20_000, client_id=client_id) == first
    assert code_of(weigh, world, rows[:1], 10_000, client_id=client_id) is Code.CLIENT_ID_REUSED
    assert code_of(weigh, world, rows, 20_000) is Code.ACT_NOT_NOW
    assert WeighedLoad.objects.count() == 1


@pytest.mark.parametrize("grams", [0, -5])
def test_nothing_weighs_nothing(world, grams):
    rows = small(world, "10")
    assert code_of(weigh, world, rows, grams) is Code.MASS_NOT_POSITIVE
    assert code_of(weigh, world, [], 5) is Code.LINES_MISSING
    assert world.state(rows[0]) == "DELIVERED"


def test_all_are_received_or_none(world):
    rows = small(world, "10", "10")
    moving = world.loaded()
    assert code_of(weigh, world, [*rows, moving], 220_000) is Code.ACT_NOT_NOW
    assert code_of(weigh, world, rows, 200_000) is Code.WEIGHT_IMPLAUSIBLE
    assert [world.state(row) for row in rows] == ["DELIVERED", "DELIVERED"]
    assert not WeighedLoad.objects.exists()
    assert world.received.holds("接收库") == Mass(0)


def test_only_the_receiver_weighs(world):
    rows = small(world, "10")
    assert (
        code_of(weigh, world, rows, 10_000, organisation=world.generator, by=world.officer)
        is Code.WRONG_PARTY
    )
    with pytest.raises(NotPermitted):
        weigh(world, rows, 10_000, by=world.driver)


def test_what_was_weighed_is_append_only_in_the_database(world):
    weigh(world, small(world, "10"), 10_000)
    for change in (
        lambda: WeighedLoad.objects.update(received_g=1),
        lambda: WeighedLoad.objects.all()._raw_delete("default"),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()


# --- the pages


def client(user) -> Client:
    made = Client()
    made.force_login(user)
    return made


def at(route, organisation, **said) -> str:
    return reverse(f"transfers:{route}", kwargs={"uscc": organisation.uscc, **said})


def form(rows, **said):
    return {
        "m": [row.number for row in rows],
        "client_id": str(worlds.new_id()),
        "mode": "R9",
        **worlds.TAKEN,
        **said,
    }


def test_a_vehicle_is_weighed_once_from_the_list_to_the_shares(world):
    rows, taker = small(world, "10", "20"), client(world.taker)
    to = at("weighing", world.receiver)
    page = taker.get(to).content.decode()
    assert "渝A12345" in page
    assert all(row.number in page for row in rows)
    asked = taker.get(to + f"?m={rows[0].number}&m={rows[1].number}").content.decode()
    assert "2 份联单一次过磅" in asked
    assert "移出合计 0.03 吨" in asked
    said = form(rows, tonnes="0.029001")
    seen = taker.post(to, said)
    shown = seen.content.decode()
    assert (seen.status_code, "0.009667" in shown, "0.019334" in shown) == (200, True, True)
    assert received(rows) == [None, None]  # looked at, not signed
    assert 'name="seen" value="29001"' in shown
    unseen = taker.post(to, said | {"sign": "1", "seen": "30000"})  # the weight was changed after the look
    assert (unseen.status_code, received(rows)) == (200, [None, None])
    done = taker.post(to, said | {"sign": "1", "seen": "29001"})
    assert done.status_code == 302, done.content.decode()
    assert received(rows) == [9_667, 19_334]
    one = taker.get(done.url).content.decode()
    assert all(text in one for text in ("0.029001 吨", "0.009667", rows[0].number, "綦江齿轮"))
    assert (
        taker.post(to, said | {"sign": "1", "seen": "29001"}).status_code == 200
    )  # nothing of it waits any more
    assert WeighedLoad.objects.count() == 1
    listed = taker.get(at("weighed-loads", world.receiver) + "?q=渝A1").content.decode()
    assert "0.029001" in listed
    assert "没有符合条件的记录" in taker.get(at("weighed-loads", world.receiver) + "?q=没有").content.decode()
    manifest = (
        client(world.officer).get(at("manifest", world.generator, reference=rows[0].number)).content.decode()
    )
    assert "与同车各单合并过磅" in manifest


@pytest.mark.parametrize("tonnes", ["0", "-1", "0,03", "很多", "0.0000001"])
def test_a_weight_that_cant_be_is_refused_on_the_page(world, tonnes):
    rows = small(world, "10")
    response = client(world.taker).post(at("weighing", world.receiver), form(rows, tonnes=tonnes, sign="1"))
    assert (response.status_code, received(rows)) == (422, [None])


def test_a_slip_of_the_unit_is_said_and_nothing_is_done(world):
    rows = small(world, "10", "20")
    response = client(world.taker).post(
        at("weighing", world.receiver), form(rows, tonnes="29", sign="1", seen="29000000")
    )
    assert (response.status_code, "复磅" in response.content.decode()) == (422, True)
    assert received(rows) == [None, None]


def test_what_was_corrected_later_stands_beside_its_share(world):
    rows = small(world, "10", "20")
    load = weigh(world, rows, 29_000)
    change = services.Change(part=Part.LINE, position=1, field="received_g", to=9_000)
    revision = services.propose_revision(
        manifest=rows[0],
        organisation=world.receiver,
        changes=[change],
        reason="抄错",
        by=world.taker,
        now=world.now,
    )
    services.answer_revision(
        revision=revision, organisation=world.generator, agrees=True, by=world.officer, now=world.now
    )
    page = client(world.taker).get(at("weighed-load", world.receiver, key=load.pk)).content.decode()
    assert "更正为 0.009" in page
    assert "现在的接受量合计 0.028333 吨" in page


def test_nobody_else_sees_a_weighing(world):
    load = weigh(world, small(world, "10"), 10_000)
    stranger = client(
        worlds.person("ENVIRONMENT_OFFICER", worlds.organisation(90, "路人", "UTILISER"), "路人")
    )
    for route, said in (("weighing", {}), ("weighed-loads", {}), ("weighed-load", {"key": load.pk})):
        assert stranger.get(at(route, world.receiver, **said)).status_code == 404, route
        assert Client().get(at(route, world.receiver, **said)).status_code == 302, route
    assert client(world.officer).get(at("weighed-load", world.generator, key=load.pk)).status_code == 404


def test_the_lists_take_as_many_queries_for_one_as_for_twelve(world, django_assert_max_num_queries):
    def ask(route: str) -> int:
        taker = client(world.taker)  # anew: days go by, and a session ends
        with django_assert_max_num_queries(60) as seen:
            assert taker.get(at(route, world.receiver)).status_code == 200
            return len(seen.captured_queries)

    weigh(world, small(world, "10"), 10_000)
    small(world, "10")
    ask("weighing"), ask("weighed-loads")
    few = [ask(route) for route in ("weighing", "weighed-loads")]
    for _ in range(11):
        weigh(world, small(world, "10"), 10_000)
    small(world, *["10"] * 11)
    assert [ask(route) for route in ("weighing", "weighed-loads")] == few
    assert queries.loads_of(organisation=world.receiver).count() == 12
