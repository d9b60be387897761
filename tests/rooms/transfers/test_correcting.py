"""Masses are corrected by a revision that the other side agrees to; the ledgers follow, and nothing is edited."""

from datetime import date, datetime
from typing import Any

import pytest

from tests.rooms.transfers import world as worlds
from tests.rooms.transfers.test_revising import answer, code_of, propose
from wufei.ledger import services as ledger
from wufei.ledger.kinds import Kind, PlaceKind, TransformationKind
from wufei.ledger.models import Balance, Lot, MonthlyFlow, Movement
from wufei.ledger.queries import trace, verify
from wufei.ledger.transforming import Input, Output
from wufei.registry.models import RoleAssignment
from wufei.registry.services import operator
from wufei.terms.mass import Mass
from wufei.transfers import queries, services
from wufei.transfers.fields import Part
from wufei.transfers.models import Discrepancy, Flag, Manifest, ManifestLine, ManifestVersion
from wufei.transfers.refusals import Code, TransferRefused
from wufei.transfers.services import Change, LineSaid
from wufei.transfers.states import Act


def declared(kilograms: int, line: int = 1) -> Change:
    return Change(part=Part.LINE, position=line, field="declared_g", to=kilograms * 1000)


def received(kilograms: int, line: int = 1) -> Change:
    return Change(part=Part.LINE, position=line, field="received_g", to=kilograms * 1000)


def of_receiver(world) -> dict[str, Any]:
    return {"organisation": world.receiver, "by": world.taker}


def of_generator(world) -> dict[str, Any]:
    return {"organisation": world.generator, "by": world.officer}


def corrected(world, manifest, *changes, by_receiver: bool = True):
    """The one proposes, the other agrees."""
    proposer, other = of_receiver(world), of_generator(world)
    if not by_receiver:
        proposer, other = other, proposer
    return answer(world, propose(world, manifest, *changes, **proposer), **other)


def effective(world, organisation=None) -> list[tuple[Kind, int]]:
    rows = Movement.objects.filter(organisation=organisation or world.generator).effective()
    return sorted((Kind(row.kind), row.mass_g) for row in rows)


def at_rest(organisation) -> dict[str, int]:
    """What all the places of the organisation hold together: nothing, for each movement has two ends."""
    rows = Balance.objects.filter(place__organisation=organisation)
    on_the_road = rows.filter(place__kind=PlaceKind.TRANSIT).values_list("mass_g", flat=True)
    return {"sum": sum(rows.values_list("mass_g", flat=True)), "on the road": sum(on_the_road)}


def sound(world) -> None:
    assert verify(organisation=None).is_ok
    for each in (world.generator, world.receiver):
        assert at_rest(each)["sum"] == 0


def test_what_was_received_is_corrected_in_both_ledgers(world):
    manifest = world.receive(world.delivered(), "170")
    before = Movement.objects.count()
    corrected(world, manifest, received(180))

    assert effective(world) == sorted(
        [(Kind.GENERATION, 200_000), (Kind.DISPATCH, 200_000), (Kind.STOCKTAKE_LOSS, 20_000),
         (Kind.CONTRACTED_UTILISATION, 180_000)]
    )  # fmt: skip
    assert effective(world, world.receiver) == [(Kind.RECEIPT, 180_000)]
    assert world.received.holds("接收库") == Mass.of("180", "千克")
    assert at_rest(world.generator)["on the road"] == 0
    assert Movement.objects.count() == before + 6  # three taken back, three posted again: nothing was edited
    reasons = set(Movement.objects.exclude(reverses=None).values_list("reversal_reason", flat=True))
    assert reasons == {f"联单 {manifest.number} 更正：写错了"}
    row = Manifest.objects.get(pk=manifest.pk)
    assert (row.received_g, queries.lines_of(row)[0].received_g, world.used_g()) == (180_000,) * 3
    sound(world)


def test_the_months_count_what_was_corrected(world):
    manifest = world.receive(world.delivered(), "170")
    corrected(world, manifest, received(180))
    flows = MonthlyFlow.objects.filter(organisation=world.generator, kind=Kind.CONTRACTED_UTILISATION)
    assert sum(flows.values_list("mass_g", flat=True)) == 180_000


def test_a_difference_that_a_correction_takes_away_is_settled_by_it_and_one_that_it_makes_is_open(world):
    manifest = world.receive(world.delivered(), "170")
    corrected(world, manifest, received(199))
    [task] = Discrepancy.objects.all()
    assert (task.found, task.settled_by, task.reason) == (199_000, world.officer, "更正后在允差以内：写错了")

    corrected(world, manifest, received(150))
    [task] = Discrepancy.objects.all()
    assert (task.declared, task.found, task.settled_at, task.reason) == (200_000, 150_000, None, "")
    assert list(queries.open_discrepancies(organisation=world.generator)) == [task]

    whole = world.receive(world.delivered(), "200")
    corrected(world, whole, received(100))
    assert Discrepancy.objects.get(manifest=whole).found == 100_000


def test_more_than_was_declared_becomes_less_and_more_again(world):
    manifest = world.receive(world.delivered(), "230")
    for kilograms, kinds in (
        (150, {Kind.STOCKTAKE_LOSS: 50_000}),
        (200, {}),
        (210, {Kind.STOCKTAKE_GAIN: 10_000}),
    ):
        corrected(world, manifest, received(kilograms))
        found = dict(effective(world))
        assert {kind: found.get(kind, 0) for kind in kinds} == kinds
        assert found[Kind.CONTRACTED_UTILISATION] == kilograms * 1000
        assert at_rest(world.generator)["on the road"] == 0
    sound(world)


def test_the_trace_tells_the_corrected_mass_once(world):
    manifest = world.receive(world.delivered(), "170")
    corrected(world, manifest, received(180))
    corrected(world, manifest, received(175))
    drum = Lot.objects.get(organisation=world.generator, code="D001")
    told = trace(lot=drum, seen_by=operator(), on=world.now.date())
    assert [(edge.mass_g, edge.document) for edge in told.edges] == [(175_000, manifest.number)]
    assert sorted(step.mass_g for step in told.steps if step.kind is Kind.RECEIPT) == [175_000]


def test_what_was_sent_is_corrected_on_the_road_and_the_container_left_as_a_whole(world):
    manifest = world.loaded()
    corrected(world, manifest, declared(190), by_receiver=False)
    assert at_rest(world.generator)["on the road"] == 190_000
    assert world.ledger.holds("危废库") == Mass(0)
    assert effective(world) == sorted(
        [(Kind.GENERATION, 200_000), (Kind.STOCKTAKE_LOSS, 10_000), (Kind.DISPATCH, 190_000)]
    )
    assert world.used_g() == 190_000
    corrected(world, manifest, declared(205), by_receiver=False)
    assert (at_rest(world.generator)["on the road"], world.used_g()) == (205_000, 205_000)
    world.receive(world.deliver(manifest), "205")
    assert not Discrepancy.objects.exists()
    sound(world)


def test_what_was_sent_is_corrected_after_it_was_received_too(world):
    manifest = world.receive(world.delivered(), "150")
    corrected(world, manifest, declared(150), by_receiver=False)
    assert effective(world) == sorted(
        [(Kind.GENERATION, 200_000), (Kind.STOCKTAKE_LOSS, 50_000), (Kind.DISPATCH, 150_000),
         (Kind.CONTRACTED_UTILISATION, 150_000)]
    )  # fmt: skip
    assert Discrepancy.objects.get().settled_at is not None
    assert world.used_g() == 150_000
    sound(world)


def test_a_load_of_bulk_is_corrected_as_far_as_the_heap_has_it(world):
    world.ledger.post("2026-06-20 F2 产生 3 吨 危废库 -")
    line = LineSaid(stream="F2", mass=Mass.of("1.2", "吨"), store="危废库", said=worlds.OF_A_LINE)
    manifest = world.loaded(lines=[line])
    corrected(world, manifest, declared(1500), by_receiver=False)
    assert world.ledger.holds("危废库") == Mass.of("1.5", "吨")  # the heap keeps the rest
    with pytest.raises(TransferRefused) as why:
        corrected(world, manifest, declared(3001), by_receiver=False)
    assert why.value.code is Code.LEDGER_REFUSED
    assert "库存不足" in why.value.reasons[0].detail
    assert at_rest(world.generator)["on the road"] == 1_500_000
    sound(world)


def test_before_it_is_loaded_what_is_declared_must_stand_in_store(world):
    manifest = world.issued()
    assert code_of(propose, world, manifest, declared(190)) is Code.LOT_NOT_WHOLE
    world.ledger.post("2026-06-25 F1 盘亏 10 千克 危废库 D001")
    corrected(world, manifest, declared(190), by_receiver=False)
    row = Manifest.objects.get(pk=manifest.pk)
    assert (row.declared_g, world.used_g()) == (190_000, 190_000)
    world.load(manifest)
    assert at_rest(world.generator)["on the road"] == 190_000


def test_every_version_is_kept_and_the_signatures_stay_over_what_was_signed(world):
    manifest = world.receive(world.delivered(), "170")
    corrected(world, manifest, received(180))
    versions = ManifestVersion.objects.filter(manifest=manifest).order_by("number")
    assert [v.document["lines"][0].get("received_g") for v in versions][-2:] == [170_000, 180_000]
    signature = queries.signatures_of(manifest).get(act=Act.ACCEPT)
    assert signature.version.document["lines"][0]["received_g"] == 170_000


def test_a_closed_month_stays_closed_and_is_corrected_today(world):
    manifest = world.receive(world.delivered(), "170")
    world.now = datetime(2026, 8, 3, 9, tzinfo=world.now.tzinfo)
    for of in (of_generator(world), of_receiver(world)):
        ledger.close_month(through=date(2026, 7, 31), now=world.now, **of)
    corrected(world, manifest, received(180))
    days = set(Movement.objects.filter(posted_at__gte=world.now).values_list("moved_on", flat=True))
    assert days == {date(2026, 8, 3)}
    july = MonthlyFlow.objects.filter(month=date(2026, 7, 1), kind=Kind.CONTRACTED_UTILISATION)
    assert sum(july.values_list("mass_g", flat=True)) == 170_000
    sound(world)


def test_what_the_receiver_has_used_cant_be_corrected_away(world):
    manifest = world.receive(world.delivered(), "170")
    code = f"{manifest.number}-01"
    ledger.transform(
        organisation=world.receiver, kind=TransformationKind.SPLIT, inputs=[Input("接收库", code, Mass(160_000))],
        outputs=[Output("接收库", f"{code}-{n}", "R1", Mass(80_000)) for n in "ab"], loss=Mass(0),
        moved_on=world.now.date(), client_id=worlds.new_id(), by=world.taker, now=world.now,
    )  # fmt: skip
    revision = propose(world, manifest, received(150), **of_receiver(world))
    assert code_of(answer, world, revision, **of_generator(world)) is Code.LEDGER_REFUSED
    assert (queries.lines_of(manifest)[0].received_g, revision.state) == (170_000, "PROPOSED")
    services.withdraw_revision(revision=revision, now=world.now, **of_receiver(world))
    corrected(world, manifest, received(165))  # as far as it is still there
    assert world.received.holds("接收库") == Mass.of("165", "千克")
    sound(world)


def test_the_capacity_of_the_permit_binds_a_correction_too(db):
    world = worlds.build(capacity="0.25")
    manifest = world.receive(world.delivered(), "200")
    revision = propose(world, manifest, received(260), **of_receiver(world))
    assert code_of(answer, world, revision, **of_generator(world)) is Code.CAPACITY_EXHAUSTED
    assert (world.used_g(), world.received.holds("接收库")) == (200_000, Mass(200_000))
    sound(world)


def test_only_generator_and_receiver_agree_on_a_mass(world):
    manifest = world.receive(world.delivered(), "170")
    revision = propose(world, manifest, received(180), **of_receiver(world))
    dispatcher = {"organisation": world.carrier, "by": worlds.User.objects.get(username="调度")}
    assert code_of(answer, world, revision, **dispatcher) is Code.WRONG_PARTY
    assert code_of(propose, world, manifest, declared(1), **dispatcher) in (
        Code.FIELD_OF_ANOTHER_PARTY, Code.REVISION_OPEN,
    )  # fmt: skip


@pytest.mark.parametrize("to", [0, -5, "5", 1.5, True])
def test_a_mass_that_cant_be_is_refused(world, to):
    manifest = world.receive(world.delivered(), "170")
    change = Change(part=Part.LINE, position=1, field="received_g", to=to)
    wanted = {Code.MASS_NOT_POSITIVE} if to in (0, -5) and to is not True else {Code.FIELD_MALFORMED}
    assert code_of(propose, world, manifest, change, **of_receiver(world)) in wanted


def test_ten_times_is_weighed_again_before_it_is_proposed(world):
    manifest = world.receive(world.delivered(), "170")
    assert code_of(propose, world, manifest, received(2000), **of_receiver(world)) is Code.WEIGHT_IMPLAUSIBLE
    revision = propose(world, manifest, received(2000), is_reweighed=True, **of_receiver(world))
    answer(world, revision, **of_generator(world))
    assert Flag.objects.filter(manifest=manifest, code="weight_ten_times").count() == 1


def test_what_goes_back_is_counted_by_a_stocktake_and_not_corrected(world):
    world.drum("A"), world.drum("B")
    manifest = world.delivered("A", "B")
    world.receive(manifest, "150-50", "0-200", act=Act.PARTLY_ACCEPT)
    for change, of in ((declared(210), of_generator), (received(5, line=2), of_receiver)):
        assert code_of(propose, world, manifest, change, **of(world)) is Code.NOT_REVISABLE
    corrected(world, manifest, received(140))
    services.take_back(manifest=manifest, now=world.later(hours=1), **of_generator(world))
    corrected(world, manifest, received(148))
    assert at_rest(world.generator)["on the road"] == 0
    assert dict(effective(world))[Kind.STOCKTAKE_LOSS] == 2_000
    assert world.ledger.holds("危废库") == Mass(250_000)
    sound(world)


def test_a_receiver_that_keeps_no_ledger_here_is_corrected_on_paper(db):
    world = worlds.build(receiver_keeps_ledger=False)
    manifest = world.receive(world.delivered(), "170")
    corrected(world, manifest, received(180))
    assert dict(effective(world))[Kind.CONTRACTED_UTILISATION] == 180_000
    assert effective(world, world.receiver) == []


def test_who_may_no_longer_post_still_proposed_it_and_the_platform_posts(world):
    manifest = world.receive(world.delivered(), "170")
    revision = propose(world, manifest, received(180), **of_receiver(world))
    RoleAssignment.objects.filter(user=world.taker).delete()
    answer(world, revision, **of_generator(world))
    posted = Movement.objects.filter(organisation=world.receiver, kind=Kind.RECEIPT).order_by("-seq").first()
    assert posted.posted_by == operator()
    assert world.received.holds("接收库") == Mass.of("180", "千克")


def test_two_lines_of_one_heap_are_told_apart(world):
    world.ledger.post("2026-06-20 F2 产生 3 吨 危废库 -")
    line = LineSaid(stream="F2", mass=Mass.of("0.5", "吨"), store="危废库", said=worlds.OF_A_LINE)
    manifest = world.receive(world.delivered(lines=[line, line]), "500", "490")
    corrected(world, manifest, received(495, line=2))
    assert [row.received_g for row in queries.lines_of(manifest)] == [500_000, 495_000]
    assert effective(world, world.receiver) == [(Kind.RECEIPT, 495_000), (Kind.RECEIPT, 500_000)]
    assert Manifest.objects.get(pk=manifest.pk).received_g == 995_000
    sound(world)


def test_what_changed_meanwhile_is_not_overwritten(world):
    manifest = world.receive(world.delivered(), "170")
    revision = propose(world, manifest, received(180), **of_receiver(world))
    ManifestLine.objects.filter(manifest=manifest).update(received_g=171_000)
    assert code_of(answer, world, revision, **of_generator(world)) is Code.STALE_EDIT


def test_agreeing_twice_corrects_once(world):
    manifest = world.receive(world.delivered(), "170")
    revision = corrected(world, manifest, received(180))
    count = Movement.objects.count()
    assert code_of(answer, world, revision, **of_generator(world)) is Code.REVISION_NOT_OPEN
    assert Movement.objects.count() == count
