"""The way of a manifest through the hands of its parties, and what the ledgers say at each step."""

from datetime import date

import pytest

from tests.rooms.transfers import world as worlds
from wufei.ledger.kinds import Kind, PlaceKind
from wufei.ledger.models import Balance, LineageEdge, Movement
from wufei.ledger.queries import verify
from wufei.registry.queries import NotPermitted
from wufei.terms.mass import Mass
from wufei.transfers import queries, services
from wufei.transfers.models import Discrepancy, Flag, Manifest, ManifestVersion, Signature
from wufei.transfers.refusals import Code, TransferRefused
from wufei.transfers.services import LineSaid
from wufei.transfers.states import Act, State


def on_the_road(world) -> int:
    rows = Balance.objects.filter(place__organisation=world.generator, place__kind=PlaceKind.TRANSIT)
    return sum(rows.values_list("mass_g", flat=True))


def test_the_whole_way_of_a_drum(world):
    manifest = world.draft()
    assert (manifest.state, manifest.number) == ("DRAFT", None)

    world.issue(manifest)
    assert world.state(manifest) == State.ISSUED
    assert Manifest.objects.get().number == "20265001000001"
    assert world.ledger.holds("危废库") == Mass.of("200", "千克")

    world.load(manifest)
    assert world.ledger.holds("危废库") == Mass(0)
    assert on_the_road(world) == 200_000

    world.deliver(manifest)
    assert world.state(manifest) == State.DELIVERED
    assert Manifest.objects.get().confirm_due_on == date(2026, 7, 8)

    world.receive(manifest, "200")
    assert world.state(manifest) == State.ACCEPTED
    assert on_the_road(world) == 0
    assert world.ledger.kinds() == [Kind.GENERATION, Kind.DISPATCH, Kind.CONTRACTED_UTILISATION]
    assert world.received.kinds() == [Kind.RECEIPT]
    assert world.received.holds("接收库") == Mass.of("200", "千克")
    assert verify(organisation=None).is_ok


def test_the_lot_goes_on_in_the_receivers_ledger(world):
    world.accepted()
    [edge] = LineageEdge.objects.all()
    assert (edge.source_lot.code, edge.target_lot.code, edge.mass_g, edge.document) == (
        "D001", "20265001000001-01", 200_000, "20265001000001",
    )  # fmt: skip


def test_every_signature_names_who_for_whom_over_what(world):
    world.accepted()
    rows = list(Signature.objects.order_by("seq"))
    assert [(s.seq, s.act, s.organisation_name, s.signer_name) for s in rows] == [
        (1, "ISSUE", "綦江齿轮", "张三"), (2, "LOAD", "顺达运输", "李师傅"), (3, "DELIVER", "顺达运输", "李师傅"),
        (4, "ACCEPT", "涪陵油品再生", "王五"),
    ]  # fmt: skip
    from wufei.transfers.content import content_hash

    for signature in rows:
        assert signature.content_sha256 == content_hash(signature.version.document)
    assert len({s.content_sha256 for s in rows}) == 3  # at delivery nothing was filled in beyond the loading


def test_what_the_receiver_weighs_is_what_is_posted_and_the_difference_is_a_task(world):
    manifest = world.receive(world.delivered(), "170")
    assert world.ledger.kinds()[1:] == [Kind.DISPATCH, Kind.STOCKTAKE_LOSS, Kind.CONTRACTED_UTILISATION]
    loss = Movement.objects.get(kind=Kind.STOCKTAKE_LOSS)
    assert (loss.mass_g, loss.note) == (30_000, f"联单 {manifest.number} 接收量少于移出量")
    [task] = queries.open_discrepancies(organisation=world.generator)
    assert (task.kind, task.declared, task.found) == ("MASS", 200_000, 170_000)
    assert on_the_road(world) == 0


def test_a_small_difference_is_posted_and_is_no_task(world):
    world.receive(world.delivered(), "199")
    assert not Discrepancy.objects.exists()
    assert Movement.objects.get(kind=Kind.STOCKTAKE_LOSS).mass_g == 1_000


def test_more_than_was_declared_comes_onto_the_road_before_it_leaves(world):
    world.receive(world.delivered(), "230.5")
    assert world.ledger.kinds()[2:] == [Kind.STOCKTAKE_GAIN, Kind.CONTRACTED_UTILISATION]
    assert on_the_road(world) == 0
    assert world.received.holds("接收库") == Mass.of("230.5", "千克")
    assert Discrepancy.objects.get().found == 230_500


def test_a_discrepancy_is_settled_once_with_a_reason(world):
    world.receive(world.delivered(), "100")
    task = Discrepancy.objects.get()
    said = {"discrepancy": task, "now": world.now}
    own = {"organisation": world.generator, "by": world.officer}
    with pytest.raises(TransferRefused) as refused:
        services.settle_discrepancy(**said, **own, reason="  ")
    assert refused.value.code is Code.REASON_MISSING
    with pytest.raises(TransferRefused) as refused:
        services.settle_discrepancy(**said, organisation=world.receiver, by=world.taker, reason="蒸发")
    assert refused.value.code is Code.WRONG_PARTY
    settled = services.settle_discrepancy(**said, **own, reason="桶内分层，磅差")
    assert (settled.reason, settled.settled_by) == ("桶内分层，磅差", world.officer)
    with pytest.raises(TransferRefused) as refused:
        services.settle_discrepancy(**said, **own, reason="又一次")
    assert refused.value.code is Code.ALREADY_SETTLED
    assert not queries.open_discrepancies(organisation=world.generator).exists()


def test_a_count_that_differs_is_a_task_whatever_the_weight(world):
    manifest = world.delivered()
    line = services.LineReceived(position=1, received=Mass(200_000), count=2, mode="R9")
    world.receive(manifest, lines=[line])
    assert (Discrepancy.objects.get().kind, Discrepancy.objects.get().found) == ("COUNT", 2)


def test_ten_times_the_weight_is_asked_again_before_it_is_accepted(world):
    manifest = world.delivered()
    with pytest.raises(TransferRefused) as refused:
        world.receive(manifest, "2000")
    assert refused.value.code is Code.WEIGHT_IMPLAUSIBLE
    assert (world.state(manifest), on_the_road(world)) == ("DELIVERED", 200_000)
    world.receive(manifest, "2000", is_reweighed=True)
    assert Flag.objects.filter(code="weight_ten_times").exists()
    assert Discrepancy.objects.get().found == 2_000_000


def test_a_refused_load_comes_back_into_store(world):
    manifest = world.delivered()
    world.receive(manifest, act=Act.REFUSE, said={"receiving_contact": "王五", "opinion": "包装破损"})
    assert (world.state(manifest), on_the_road(world)) == ("REFUSED", 200_000)
    assert world.used_g() == 0
    services.take_back(
        manifest=manifest, organisation=world.generator, by=world.officer, now=world.later(hours=3)
    )
    assert (world.state(manifest), on_the_road(world)) == ("RETURNED", 0)
    assert world.ledger.kinds()[1:] == [Kind.DISPATCH, Kind.RETURN]
    assert world.ledger.holds("危废库") == Mass.of("200", "千克")
    again = world.issued("D001")  # the same drum may leave again
    assert again.number == "20265001000002"


def test_part_is_accepted_and_the_rest_comes_back(world):
    world.drum("A"), world.drum("B")
    manifest = world.delivered("A", "B")
    with pytest.raises(TransferRefused) as refused:
        world.receive(manifest, "200", "0-200")
    assert refused.value.code is Code.SOMETHING_RETURNED
    world.receive(manifest, "200", "0-200", act=Act.PARTLY_ACCEPT)
    assert (world.state(manifest), on_the_road(world), world.used_g()) == (
        "PARTLY_ACCEPTED",
        200_000,
        200_000,
    )
    services.take_back(
        manifest=manifest, organisation=world.generator, by=world.officer, now=world.later(hours=3)
    )
    assert (world.state(manifest), on_the_road(world)) == ("PARTLY_RETURNED", 0)
    assert world.ledger.holds("危废库") == Mass.of("200", "千克")
    assert not Discrepancy.objects.exists()


def test_bulk_goes_by_its_mass(world):
    world.ledger.post("2026-06-20 F2 产生 3 吨 危废库 -")
    line = LineSaid(
        stream="F2", mass=Mass.of("1.2", "吨"), store="危废库", said={**worlds.OF_A_LINE, "packaging": "TANK"}
    )
    manifest = world.delivered(lines=[line])
    world.receive(manifest, "1200")
    assert world.ledger.holds("危废库") == Mass.of("1.8", "吨")
    assert LineageEdge.objects.get().source_lot.code == "散堆-F2"


def test_general_waste_has_a_record_of_its_own_kind(world):
    world.ledger.streams("G1", waste_code="SW02")
    world.received.streams("R2", waste_code="SW02")
    world.ledger.post("2026-06-20 G1 产生 3 吨 危废库 -")
    said = {name: worlds.SAID[name] for name in ("contact", "contact_phone", "origin_address")}
    line = LineSaid(stream="G1", mass=Mass.of("3", "吨"), said={"physical_form": "SOLID"})
    manifest = world.delivered(lines=[line], said=said)
    assert manifest.number == "G20265001000001"
    received = services.LineReceived(position=1, received=Mass.of("3", "吨"), mode="利用")
    world.receive(manifest, lines=[received])
    assert world.ledger.kinds()[-1] is Kind.CONTRACTED_UTILISATION
    assert world.used_g() == 0  # no permit of hazardous waste is asked


def second_carrier(world):
    second = worlds.organisation(9, "江北联运", "CARRIER")
    dispatcher = worlds.person("ENVIRONMENT_OFFICER", second, "二段调度")
    worlds.allow_carrier(second, dispatcher)
    worlds.contract(world.generator, second, "TRANSPORT", world.officer)
    return second, dispatcher


def test_several_carriers_sign_in_turn_and_the_load_may_rest(world):
    second, dispatcher = second_carrier(world)
    legs = [services.LegSaid(carrier=world.carrier.uscc), services.LegSaid(carrier=second.uscc)]
    manifest = world.load(world.issue(world.draft(legs=legs)))
    said = {"manifest": manifest, "organisation": world.carrier, "by": world.driver}
    services.store_on_the_way(**said, place="涪陵中转站", reason="夜间禁行", now=world.later(hours=1))
    assert world.state(manifest) == State.STORED_ON_THE_WAY
    services.resume(**said, now=world.later(hours=8))
    with pytest.raises(TransferRefused) as refused:  # the first may not deliver what the second is to carry
        services.deliver(**said, now=world.later(hours=1))
    assert refused.value.code is Code.ACT_NOT_NOW
    drive = {**worlds.DRIVE, "starts_at": "涪陵中转站"}
    with pytest.raises(TransferRefused) as refused:
        services.hand_over(**said, said=drive, now=world.later(minutes=5))
    assert refused.value.code is Code.WRONG_PARTY
    theirs = {"manifest": manifest, "organisation": second, "by": dispatcher}
    services.hand_over(**theirs, said=drive, now=world.later(minutes=5))
    services.deliver(**theirs, now=world.later(hours=2))
    world.receive(manifest, "200")
    acts = list(Signature.objects.order_by("seq").values_list("act", flat=True))
    assert acts == ["ISSUE", "LOAD", "STORE", "RESUME", "HAND_OVER", "DELIVER", "ACCEPT"]
    assert [leg.ended_at is not None for leg in queries.legs_of(manifest)] == [True, True]


def test_many_small_loads_share_one_weighing_to_the_gram(world):
    manifests = []
    for code, kilograms in (("S1", "10"), ("S2", "10"), ("S3", "10")):
        world.drum(code, kilograms)
        manifests.append(world.delivered(code))
    services.receive_load(
        manifests=manifests, organisation=world.receiver, received=Mass(30_001), mode="R9", said=worlds.TAKEN,
        by=world.taker, now=world.later(hours=1),
    )  # fmt: skip
    assert [Manifest.objects.get(pk=m.pk).received_g for m in manifests] == [10_001, 10_000, 10_000]
    assert world.received.holds("接收库") == Mass(30_001)


def test_a_retry_under_the_same_id_signs_once(world):
    manifest, client_id = world.issued(), worlds.new_id()
    world.load(manifest, client_id=client_id)
    world.load(manifest, client_id=client_id)
    assert Signature.objects.filter(act="LOAD").count() == 1
    assert world.ledger.kinds().count(Kind.DISPATCH) == 1
    with pytest.raises(TransferRefused) as refused:  # and without it is told that it's done
        world.load(manifest)
    assert refused.value.code is Code.ACT_NOT_NOW


def test_signatures_and_versions_are_append_only_in_the_database(world):
    from django.db import DatabaseError, transaction

    world.issued()
    for model in (Signature, ManifestVersion):
        for change in (
            lambda m: m.objects.update(manifest=None),
            lambda m: m.objects.all()._raw_delete("default"),
        ):
            with pytest.raises(DatabaseError), transaction.atomic():
                change(model)


def test_a_clock_that_runs_backwards_is_refused(world):
    from datetime import timedelta

    manifest = world.loaded()
    with pytest.raises(TransferRefused) as refused:
        world.deliver(manifest, now=world.now - timedelta(hours=1))
    assert refused.value.code is Code.CLOCK_BACKWARDS
    assert world.state(manifest) == State.IN_TRANSIT


def test_who_has_no_role_signs_nothing(world):
    manifest = world.issued()
    stranger = worlds.person("ENVIRONMENT_OFFICER", worlds.organisation(7, "路人", "ENTERPRISE"), "路人")
    with pytest.raises(NotPermitted):
        world.load(manifest, by=stranger)
    with pytest.raises(NotPermitted):  # a worker of the generator doesn't issue
        world.issue(world.draft(), by=worlds.person("WORKER", world.generator, "班组"))
