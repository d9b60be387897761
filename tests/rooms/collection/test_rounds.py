"""A round from the list of what is ready to the scale of the collection point."""

import uuid
from datetime import date

import pytest

from tests.rooms.collection import world as worlds
from tests.rooms.collection.world import OIL, PIN
from wufei.collection import queries, services
from wufei.collection.models import CollectionRound, SpotSignature, Stop
from wufei.collection.refusals import Code, CollectionRefused
from wufei.collection.services import Pick
from wufei.ledger import queries as ledger_queries
from wufei.ledger import services as ledger
from wufei.ledger.kinds import Kind
from wufei.ledger.models import Lot
from wufei.ledger.posting import Draft
from wufei.ledger.services import declare_store
from wufei.registry.models import Contract
from wufei.registry.queries import NotPermitted
from wufei.terms.mass import Mass
from wufei.transfers.models import Manifest, ManifestLine


def kilograms(rows) -> dict[tuple[str, str], int | None]:
    return {(row.generator.name, row.stream.code if row.stream else ""): row.mass_g for row in rows}


def refusal(call, *args, **said) -> Code:
    with pytest.raises(CollectionRefused) as caught:
        call(*args, **said)
    return caught.value.code


def test_a_round_of_three_is_weighed_once_and_shared_to_the_gram(world):
    shops = [world.with_waste(), world.with_waste(F01="30"), world.with_waste(F01="20", F02="0")]
    round_ = world.started(*(shop for shop, _owner in shops))
    assert Manifest.objects.filter(state="DRAFT").count() == 3
    world.loaded(round_, *shops)
    world.close(round_, oil="99.001", rags="16.5")

    lines = ManifestLine.objects.order_by("manifest__generator__name", "position")
    assert [(line.waste_code, line.declared_g, line.received_g) for line in lines] == [
        (OIL, 50_000, 49_501), (worlds.RAGS, 8_000, 8_250), (OIL, 30_000, 29_700), (worlds.RAGS, 8_000, 8_250),
        (OIL, 20_000, 19_800),
    ]  # fmt: skip
    assert sum(line.received_g for line in lines if line.waste_code == OIL) == 99_001
    assert set(Manifest.objects.values_list("state", flat=True)) == {"ACCEPTED"}
    stock = queries.stock_of_point(point=world.point, today=date(2026, 7, 1))
    assert sorted((row.timed.mass_g, [each.name for each in row.generators]) for row in stock) == [
        (8_250, ["汽修店01"]), (8_250, ["汽修店02"]), (19_800, ["汽修店03"]), (29_700, ["汽修店02"]),
        (49_501, ["汽修店01"]),
    ]  # fmt: skip
    assert CollectionRound.objects.get().state == "CLOSED"
    for shop, _owner in shops:
        assert ledger_queries.stock(organisation=shop) == []
        assert not ledger_queries.verify(organisation=shop).faults


def test_what_stands_at_the_point_is_traced_back_to_its_generator(world):
    shop, owner = world.with_waste(F02="0")
    world.close(world.loaded(world.started(shop), (shop, owner)), oil="50")
    lot = Lot.objects.get(organisation=world.collector)
    trace = ledger_queries.trace(lot=lot, seen_by=world.officer, on=date(2026, 7, 2))
    assert len(trace.edges) == 1
    assert trace.edges[0].mass_g == 50_000


def test_the_list_says_what_is_ready_and_what_is_unknown(world):
    shop, owner = world.with_waste()
    quiet, _ = world.generator(date(2026, 4, 3))  # never said a word of April
    nothing, theirs = world.generator(date(2026, 4, 3))
    for month in (date(2026, 4, 1), date(2026, 5, 1)):
        world.declare(nothing, theirs, month, is_nothing=True)
    found = {(row.generator.name, row.stream.code if row.stream else ""): row for row in world.ready()}
    assert {key: row.mass_g for key, row in found.items()} == {
        (shop.name, "F01"): 50_000, (shop.name, "F02"): 8_000, (quiet.name, ""): None,
    }  # fmt: skip
    assert found[quiet.name, ""].is_unknown
    assert found[shop.name, "F01"].left_g == 50_000_000
    assert owner.username == "shop1"


def test_only_who_has_a_contract_is_on_the_list(world):
    shop, _owner = world.with_waste()
    Contract.objects.filter(organisation=shop).update(ended_on=date(2026, 6, 20))
    assert world.ready() == []
    pick = [Pick(generator=shop.uscc, stream_code="F01")]
    assert refusal(world.plan, shop, picks=pick) is Code.NOT_SERVED


@pytest.mark.parametrize(
    ("change", "lacks"),
    [
        (lambda w: w.point.__class__.objects.update(divisions=["500102"]), "area"),
        (lambda w: Contract.objects.update(waste_codes=["HW49"]), "contract"),
        (lambda w: permit(w).update(valid_through=date(2026, 6, 30)), "not_in_date"),
        (lambda w: permit(w).first().groups.update(waste_codes=["HW49"]), "code"),
        (lambda w: permit(w).first().groups.update(capacity_g=1), ""),
    ],
)
def test_the_collectors_permit_area_and_contract_must_cover_the_waste(world, change, lacks):
    shop, _owner = world.with_waste(F02="0")
    change(world)
    [row] = world.ready()
    assert row.lacks == lacks
    assert row.may_be_collected is (lacks == "")
    if lacks:
        assert refusal(world.plan, shop) is Code.NOT_COVERED


def permit(world):
    from wufei.registry.models import OperatingPermit

    return OperatingPermit.objects.filter(organisation=world.collector, kind="COLLECTION")


def test_the_capacity_of_the_year_binds_when_the_generator_signs(world):
    shop, owner = world.with_waste(F02="0")
    permit(world).first().groups.update(capacity_g=49_999)
    round_ = world.started(shop)
    world.pin(shop, owner)
    with pytest.raises(CollectionRefused, match="还剩") as caught:
        world.sign(round_, shop)
    assert caught.value.code is Code.MANIFEST_REFUSED
    assert world.stop(round_, shop).state == "WAITING"
    assert not SpotSignature.objects.exists()


def test_what_is_planned_is_not_planned_twice(world):
    shop, _owner = world.with_waste()
    world.plan(shop)
    assert kilograms(world.ready()) == {(shop.name, "F01"): 0, (shop.name, "F02"): 0}
    assert [row.planned_g for row in world.ready()] == [50_000, 8_000]
    again = [Pick(generator=shop.uscc, stream_code="F01")]
    assert refusal(world.plan, shop, picks=again) is Code.NOT_READY


def test_a_part_of_the_bulk_may_be_planned_and_the_rest_stays_ready(world):
    shop, _owner = world.with_waste()
    world.plan(shop, picks=[Pick(generator=shop.uscc, stream_code="F01", mass=Mass(20_000))])
    assert kilograms(world.ready()) == {(shop.name, "F01"): 30_000, (shop.name, "F02"): 8_000}


def test_the_same_uid_plans_once(world):
    shop, _owner = world.with_waste()
    uid = uuid.uuid4()
    first = world.plan(shop, uid=uid)
    assert world.plan(shop, uid=uid, picks=[]) == first
    assert Stop.objects.count() == 1


def test_who_is_not_at_home_is_left_out_with_the_reason_and_is_ready_again(world):
    home, away = world.with_waste(F02="0"), world.with_waste(F02="0")
    round_ = world.started(home[0], away[0])
    world.loaded(round_, home)
    assert refusal(world.close, round_, oil="50") is Code.STOPS_OPEN
    stop = world.stop(round_, away[0])
    services.leave_out(stop=stop, reason="NOT_AT_HOME", words="店门上锁", by=world.driver, now=world.now)
    assert Manifest.objects.get(pk=stop.manifest_id).state == "CANCELLED"
    assert kilograms(world.ready()) == {(away[0].name, "F01"): 50_000}
    world.close(round_, oil="50")
    assert world.stop(round_, away[0]).words == "店门上锁"


def test_a_generator_signs_on_its_own_phone_and_the_driver_loads(world):
    shop, owner = world.with_waste(F02="0")
    round_ = world.started(shop)
    stop = world.stop(round_, shop)
    assert refusal(services.load_signed, stop=stop, by=world.driver, now=world.now) is Code.NOT_SIGNED
    services.sign_as_generator(stop=stop, organisation=shop, by=owner, now=world.later(minutes=5))
    services.load_signed(stop=stop, by=world.driver, now=world.later(minutes=5))
    assert Manifest.objects.get().state == "IN_TRANSIT"
    assert world.stop(round_, shop).state == "LOADED"
    assert not SpotSignature.objects.exists()


def test_a_code_signs_for_whose_it_is_and_both_are_kept(world):
    shop, owner = world.with_waste(F02="0")
    round_ = world.started(shop)
    world.pin(shop, owner)
    world.sign(round_, shop, masses={1: Mass(47_500)})
    manifest = Manifest.objects.get()
    assert manifest.declared_g == 47_500
    first, second = manifest.signatures.order_by("seq")
    assert (first.act, first.signed_by, second.act, second.signed_by) == (
        "ISSUE",
        owner,
        "LOAD",
        world.driver,
    )
    kept = SpotSignature.objects.get()
    assert (kept.holder, kept.driver, kept.content_sha256) == (owner, world.driver, first.content_sha256)


def test_five_wrong_codes_lock_it_for_a_quarter_of_an_hour(world):
    shop, owner = world.with_waste(F02="0")
    round_ = world.started(shop)
    assert refusal(world.sign, round_, shop) is Code.SIGNING_CODE_MISSING
    world.pin(shop, owner)
    start = world.now
    for _try in range(5):
        world.now = start
        assert refusal(world.sign, round_, shop, code="000001") is Code.SIGNING_CODE_WRONG
    world.now = start
    assert refusal(world.sign, round_, shop) is Code.SIGNING_CODE_LOCKED
    assert Manifest.objects.get().state == "DRAFT"
    world.later(minutes=20)
    world.sign(round_, shop)
    assert Manifest.objects.get().state == "IN_TRANSIT"


@pytest.mark.parametrize(
    "code", ["12345", "1234567890123", "111111", "234567", "765432", "38041a", "３８０４１７"]
)
def test_a_code_that_is_guessed_at_once_is_refused(world, code):
    shop, owner = world.with_waste()
    asked = {"organisation": shop, "code": code, "by": owner, "now": world.now}
    assert refusal(services.set_signing_code, **asked) is Code.SIGNING_CODE_MALFORMED


def test_whoever_left_the_generator_signs_no_more(world):
    shop, owner = world.with_waste(F02="0")
    round_ = world.started(shop)
    world.pin(shop, owner)
    owner.role_assignments.all().delete()
    with pytest.raises(NotPermitted):
        world.sign(round_, shop)


def test_a_round_that_is_called_off_frees_its_stops(world):
    shop, owner = world.with_waste(F02="0")
    round_ = world.plan(shop)
    services.sign_as_generator(stop=world.stop(round_, shop), organisation=shop, by=owner, now=world.now)
    services.cancel_round(round_=round_, by=world.officer, now=world.later(minutes=5))
    assert kilograms(world.ready()) == {(shop.name, "F01"): 50_000}
    assert Manifest.objects.get().state == "CANCELLED"
    assert refusal(services.start_round, round_=round_, by=world.driver, now=world.now) is Code.ROUND_NOT_NOW


def test_the_order_is_by_hand_and_names_each_stop_once(world):
    round_ = world.plan(world.with_waste()[0], world.with_waste()[0], world.with_waste()[0])
    keys = [stop.pk for stop in queries.stops_of(round_)]
    services.reorder(round_=round_, order=keys[::-1], by=world.driver, now=world.now)
    assert [stop.pk for stop in queries.stops_of(round_)] == keys[::-1]
    for wrong in (keys[:2], [keys[0], *keys], [*keys[:2], 10**6]):
        asked = {"round_": round_, "order": wrong, "by": world.driver, "now": world.now}
        assert refusal(services.reorder, **asked) is Code.ORDER_MALFORMED


def test_every_waste_of_the_round_is_weighed(world):
    shop = world.with_waste()
    round_ = world.loaded(world.started(shop[0]), shop)
    assert refusal(world.close, round_, oil="50") is Code.WEIGHING_MISSING
    assert refusal(world.close, round_, oil="50", rags="0") is Code.WEIGHING_MISSING
    assert refusal(world.close, round_, oil="5000", rags="8") is Code.MANIFEST_REFUSED  # ten times as much
    assert Manifest.objects.get().state == "IN_TRANSIT"  # nothing half done


def test_hazardous_and_general_waste_are_two_stops(world):
    wastes = (
        *worlds.WASTES[:1],
        worlds.WasteSaid(waste_code=worlds.PAPER, name="废纸", form="SOLID", packaging="BAG"),
    )
    shop, owner = world.generator(date(2026, 6, 3), wastes=wastes)
    world.declare(shop, owner, F01="50", F02="12")
    round_ = world.started(shop)
    assert sorted(stop.manifest.waste_class for stop in queries.stops_of(round_)) == ["GENERAL", "HAZARDOUS"]


def test_a_stranger_plans_signs_and_reads_nothing(world, make_user, make_organisation):
    shop, owner = world.with_waste()
    round_ = world.started(shop)
    other = make_user("ENVIRONMENT_OFFICER", make_organisation())
    stop = world.stop(round_, shop)
    said = {"by": other, "now": world.now}
    for call in (
        lambda: queries.ready(collector=world.collector, user=other, on=date(2026, 7, 1)),
        lambda: queries.rounds_of(organisation=world.collector, user=other, on=date(2026, 7, 1)),
        lambda: world.plan(shop, by=other),
        lambda: services.start_round(round_=round_, **said),
        lambda: services.reorder(round_=round_, order=[stop.pk], **said),
        lambda: services.leave_out(stop=stop, reason="NOT_AT_HOME", **said),
        lambda: services.load_signed(stop=stop, **said),
        lambda: services.sign_on_the_spot(stop=stop, code=PIN, **said),
        lambda: services.sign_as_generator(stop=stop, organisation=shop, **said),
        lambda: services.close_round(round_=round_, weighings=[], **said),
        lambda: services.cancel_round(round_=round_, **said),
        lambda: services.set_signing_code(organisation=shop, code=PIN, **said),
        lambda: services.close_point(point=world.point, on=date(2026, 7, 1), **said),
    ):
        with pytest.raises(NotPermitted):
            call()
    assert owner.username == "shop1"


def test_the_list_takes_the_same_few_queries_for_one_generator_and_for_ten(world, django_assert_num_queries):
    world.with_waste()
    with django_assert_num_queries(13):
        assert len(world.ready()) == 2
    for _more in range(9):
        world.with_waste()
    with django_assert_num_queries(13):
        assert len(world.ready()) == 20


def test_a_labelled_drum_goes_as_a_whole_and_the_bulk_beside_it(world):
    shop, owner = world.with_waste(F02="0")
    drum = Draft(
        Kind.GENERATION, date(2026, 6, 20), "F01", Mass(180_000), lot_code="D-1", client_id=uuid.uuid4()
    )
    ledger.post(organisation=shop, drafts=[drum], by=owner, now=world.now)
    assert kilograms(world.ready()) == {(shop.name, "F01"): 230_000}
    part = [Pick(generator=shop.uscc, stream_code="F01", mass=Mass(100_000))]
    assert refusal(world.plan, shop, picks=part) is Code.NOT_READY  # half a drum is none
    round_ = world.loaded(world.started(shop), (shop, owner))
    lines = ManifestLine.objects.order_by("position").values_list("lot_code", "declared_g", "package_count")
    assert list(lines) == [("D-1", 180_000, 1), ("", 50_000, 1)]
    world.close(round_, oil="230.001")
    assert sum(ManifestLine.objects.values_list("received_g", flat=True)) == 230_001
    assert ledger_queries.stock(organisation=shop) == []


def test_a_point_that_is_full_takes_no_more_and_nothing_is_half_done(world):
    shop = world.with_waste(F02="0")
    declare_store(
        organisation=world.collector, code="SJ1", name="收集点", store_type="收集点", capacity=Mass(49_000),
        by=world.officer, now=world.now,
    )  # fmt: skip
    round_ = world.loaded(world.started(shop[0]), shop)
    with pytest.raises(CollectionRefused, match="超出贮存设施的能力") as caught:
        world.close(round_, oil="50")
    assert caught.value.code is Code.MANIFEST_REFUSED
    assert Manifest.objects.get().state == "IN_TRANSIT"
    assert CollectionRound.objects.get().state == "UNDER_WAY"


def test_a_point_that_was_closed_is_planned_for_no_more(world):
    shop, _owner = world.with_waste()
    services.close_point(point=world.point, on=date(2026, 7, 1), by=world.officer, now=world.now)
    assert not queries.is_collector(organisation=world.collector, on=date(2026, 7, 1))
    world.point.refresh_from_db()
    picks = [Pick(generator=shop.uscc, stream_code="F01")]
    assert refusal(world.plan, shop, picks=picks) is Code.POINT_UNKNOWN


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"planned_on": date(2026, 6, 30)}, Code.DAY_OUT_OF_RANGE), ({"plate": " "}, Code.VEHICLE_MISSING),
        ({"driver": ""}, Code.VEHICLE_MISSING), ({"driver_phone": ""}, Code.VEHICLE_MISSING),
        ({"picks": []}, Code.NOTHING_CHOSEN),
        ({"picks": [Pick(generator="91500110MA7X000016", stream_code="F01", mass=Mass(50_001))]}, Code.NOT_READY),
    ],
)  # fmt: skip
def test_a_round_that_cannot_be_is_refused_and_drafts_nothing(world, said, code):
    shop, _owner = world.with_waste()
    assert refusal(world.plan, shop, **said) is code
    assert not Manifest.objects.exists()
