"""What must be so before the waste may leave."""

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction

from tests.rooms.transfers import world as worlds
from wufei.labels.digital_id import DigitalId
from wufei.labels.payload import Payload
from wufei.ledger import services as ledger
from wufei.registry.models import (
    Contract,
    Driver,
    DueDiligence,
    OperatingPermit,
    Organisation,
    PermitGroup,
    Vehicle,
)
from wufei.registry.services import permits
from wufei.terms.mass import Mass
from wufei.transfers import queries, services
from wufei.transfers.models import Flag, Manifest, ManifestLine, TransferApproval
from wufei.transfers.refusals import Code, TransferRefused
from wufei.transfers.services import LegSaid, LineSaid, issuing


def codes_of(call, *args, **said) -> list[Code]:
    with pytest.raises(TransferRefused) as refused:
        call(*args, **said)
    return [reason.code for reason in refused.value.reasons]


def test_numbers_follow_one_another_within_the_city_and_year(world):
    assert [world.issued().number for _ in range(3)] == ["20265001000001", "20265001000002", "20265001000003"]


def test_a_number_that_was_given_elsewhere_is_kept_and_passed_over(world):
    world.issue(world.draft(), number="2026 5001 000002")
    assert [world.issued().number, world.issued().number] == ["20265001000001", "20265001000003"]


@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("20265001000001", Code.NUMBER_TAKEN), ("2026500100000", Code.NUMBER_MALFORMED),
        ("20264401000009", Code.NUMBER_OF_ANOTHER_PLACE), ("G20265001000009", Code.NUMBER_OF_ANOTHER_PLACE),
    ],
)  # fmt: skip
def test_a_number_that_cant_be_is_refused_and_nothing_is_done(world, number, code):
    world.issued()
    manifest, used = world.draft(), world.used_g()
    assert codes_of(world.issue, manifest, number=number) == [code]
    assert (world.state(manifest), world.used_g()) == ("DRAFT", used)
    assert not ManifestLine.objects.filter(manifest=manifest, holds_lot=True).exists()


def test_what_is_not_filled_in_is_named(world):
    manifest = world.draft(said=worlds.SAID | {"contact": ""}, legs=[])
    with pytest.raises(TransferRefused) as refused:
        world.issue(manifest)
    assert [(r.code, r.where, r.detail) for r in refused.value.reasons] == [
        (Code.FIELD_MISSING, "contact", "移出人经办人"), (Code.LEGS_MISSING, "legs", ""),
    ]  # fmt: skip
    assert Code.LINES_MISSING in codes_of(world.issue, world.draft(lines=[]))


def test_without_a_permit_for_it_nothing_leaves(world):
    group = PermitGroup.objects.filter(permit=world.permit)
    group.update(waste_codes=["HW09"])
    assert codes_of(world.issue, world.draft()) == [Code.PERMIT_LACKS_CODE]
    group.update(waste_codes=["HW08"])
    OperatingPermit.objects.filter(pk=world.permit.pk).update(valid_through=date(2026, 6, 30))
    assert codes_of(world.issue, world.draft()) == [Code.PERMIT_NOT_IN_DATE]
    OperatingPermit.objects.filter(pk=world.permit.pk).update(kind="TRANSPORT")
    assert codes_of(world.issue, world.draft()) == [Code.PERMIT_MISSING]


def test_a_permit_on_its_last_day_holds(world):
    OperatingPermit.objects.filter(pk=world.permit.pk).update(valid_through=worlds.TODAY)
    assert world.issued().state == "ISSUED"


def test_a_permit_that_nobody_looked_at_is_flagged_and_one_that_was_is_not(world):
    world.issued()
    assert Flag.objects.get().code == "permit_unverified"
    authority = worlds.organisation(20, "市局", "AUTHORITY", "500000")
    inspector = worlds.person("AUTHORITY_OFFICER", authority, "市局")
    permits.verify_permit(permit=world.permit, by=inspector, now=world.now)
    world.issued()
    assert Flag.objects.count() == 1


def test_a_permit_that_lapses_before_loading_is_refused_and_on_the_road_is_flagged(world):
    waiting, moving = world.issued(), world.loaded()
    OperatingPermit.objects.filter(pk=world.permit.pk).update(valid_through=date(2026, 7, 1))
    world.later(days=1)
    assert codes_of(world.load, waiting) == [Code.PERMIT_NOT_IN_DATE]
    world.receive(world.deliver(moving), "200")
    assert world.state(moving) == "ACCEPTED"
    assert Flag.objects.filter(manifest=moving, code="permit_lapsed_on_the_road").count() == 1


def test_the_capacity_of_the_year_is_counted_over_all_manifests(db):
    world = worlds.build(capacity="0.5")
    first, second = world.issued(), world.issued()
    assert world.used_g() == 400_000
    with pytest.raises(TransferRefused) as refused:
        world.issued()
    assert refused.value.code is Code.CAPACITY_EXHAUSTED
    assert "还剩 0.1 吨" in refused.value.reasons[0].detail
    services.cancel(
        manifest=first,
        organisation=world.generator,
        reason="车未到",
        by=world.officer,
        now=world.later(minutes=1),
    )
    assert world.used_g() == 200_000
    world.issued()
    world.receive(world.deliver(world.load(second)), "150")
    assert world.used_g() == 350_000  # what was received, no longer what was declared


def test_more_than_was_declared_may_not_overrun_the_capacity(db):
    world = worlds.build(capacity="0.25")
    manifest = world.delivered()
    assert codes_of(world.receive, manifest, "260") == [Code.CAPACITY_EXHAUSTED]
    assert (world.state(manifest), world.used_g()) == ("DELIVERED", 200_000)
    world.receive(manifest, "250")
    assert world.used_g() == 250_000


def test_contract_and_due_diligence_are_asked_before_anything_leaves(world):
    waiting = world.issued()
    DueDiligence.objects.all().delete()
    assert codes_of(world.issue, world.draft()) == [Code.DUE_DILIGENCE_MISSING]
    assert codes_of(world.load, waiting) == [Code.DUE_DILIGENCE_MISSING]
    worlds.checked(world.generator, world.receiver, world.officer, is_passed=False)
    assert codes_of(world.issue, world.draft()) == [Code.DUE_DILIGENCE_MISSING]
    worlds.checked(world.generator, world.receiver, world.officer, checked_on=date(2026, 1, 6))
    Contract.objects.filter(purpose="RECEIVING").update(waste_codes=["HW09"])
    assert codes_of(world.issue, world.draft()) == [Code.CONTRACT_MISSING]
    Contract.objects.filter(purpose="RECEIVING").update(waste_codes=["HW08"], valid_through=date(2026, 6, 30))
    assert codes_of(world.issue, world.draft()) == [Code.CONTRACT_MISSING]
    Contract.objects.filter(purpose="RECEIVING").update(valid_through=worlds.FAR)
    Contract.objects.filter(purpose="TRANSPORT").delete()
    assert codes_of(world.issue, world.draft()) == [Code.CONTRACT_MISSING]


def test_the_consignor_has_the_contract_with_the_carrier(world):
    Contract.objects.filter(purpose="TRANSPORT").delete()
    worlds.contract(world.receiver, world.carrier, "TRANSPORT", world.taker)
    assert world.issued(said=worlds.SAID | {"consignor": "RECEIVER"}).state == "ISSUED"


def test_carrier_vehicle_and_driver_have_their_permits_in_date(world):
    waiting = world.issued()
    assert codes_of(
        world.load, waiting, said=worlds.DRIVE | {"plate": "渝B00000", "vehicle_permit": "1"}
    ) == [Code.VEHICLE_UNKNOWN]
    assert codes_of(world.load, waiting, said=worlds.DRIVE | {"driver": "无名"}) == [Code.DRIVER_UNKNOWN]
    late = {"valid_through": date(2026, 6, 30)}
    Vehicle.objects.update(**late)
    Driver.objects.update(**late)
    OperatingPermit.objects.filter(kind="TRANSPORT").update(**late)
    assert codes_of(world.load, waiting) == [
        Code.TRANSPORT_PERMIT_MISSING, Code.VEHICLE_NOT_IN_DATE, Code.DRIVER_NOT_IN_DATE,
    ]  # fmt: skip
    assert world.state(waiting) == "ISSUED"


def test_a_container_leaves_once(world):
    world.drum("X")
    first, second = world.draft("X"), world.draft("X")
    world.issue(first)
    assert codes_of(world.issue, second) == [Code.LOT_ON_ANOTHER_MANIFEST]
    world.load(first)
    assert codes_of(world.issue, second) == [Code.STOCK_SHORT]
    assert codes_of(world.draft, "X") == [Code.STOCK_SHORT]


def test_the_database_itself_lets_one_manifest_hold_a_container(world):
    world.drum("X")
    first, second = world.draft("X"), world.draft("X")
    world.issue(first)
    with pytest.raises(IntegrityError), transaction.atomic():
        ManifestLine.objects.filter(manifest=second).update(holds_lot=True)


def test_a_container_goes_as_a_whole(world):
    world.drum("X")
    line = LineSaid(lot="X", mass=Mass(150_000), said=worlds.OF_A_LINE)
    assert codes_of(world.issue, world.draft(lines=[line])) == [Code.LOT_NOT_WHOLE]


def test_bulk_must_be_there(world):
    world.ledger.post("2026-06-20 F2 产生 1 吨 危废库 -")
    line = LineSaid(stream="F2", mass=Mass.of("0.6", "吨"), said=worlds.OF_A_LINE)
    assert codes_of(world.issue, world.draft(lines=[line, line])) == [Code.STOCK_SHORT, Code.STOCK_SHORT]


def test_who_was_closed_begins_no_manifest_and_ends_those_that_are_open(world):
    moving = world.loaded()
    heir = worlds.organisation(30, "承继公司", "UTILISER")
    heirs_officer = worlds.person("ENVIRONMENT_OFFICER", heir, "承继人")
    admin = worlds.person("ADMINISTRATOR", worlds.organisation(31, "平台", "AGENCY"), "管理员")
    from wufei.registry.services import successions

    successions.record_succession(
        predecessor=world.receiver, successor=heir, kind="MERGER", on=worlds.TODAY, document="文",
        by=worlds.person("AUTHORITY_OFFICER", worlds.organisation(32, "市局", "AUTHORITY", "500000"), "市局"),
        now=world.now,
    )  # fmt: skip
    successions.close_organisation(organisation=world.receiver, on=worlds.TODAY, by=admin, now=world.now)
    assert codes_of(world.issue, world.draft()) == [Code.PARTY_CLOSED]
    world.deliver(moving)
    world.receive(moving, "200", organisation=heir, by=heirs_officer)
    assert world.state(moving) == "ACCEPTED"
    assert Flag.objects.filter(manifest=moving, code="party_closed_on_the_road").exists()
    seen = queries.manifests(organisation=heir, user=heirs_officer, on=worlds.TODAY)
    assert [each.number for each in seen] == [Manifest.objects.get(pk=moving.pk).number]


# --- across a province's border


@pytest.fixture
def far(db):
    return worlds.build(receiver_division="510100")


def approve(world, tonnes="0.3", **said) -> TransferApproval:
    asked = {
        "organisation": world.generator, "receiver": world.receiver, "kind": "APPROVAL", "number": "渝环跨〔2026〕1号",
        "waste_code": worlds.OIL, "approved": Mass.of(tonnes, "吨"), "valid_from": date(2026, 1, 1),
        "valid_through": date(2026, 12, 31), "by": world.officer, "now": world.now,
    }  # fmt: skip
    return services.record_approval(**(asked | said))


def test_nothing_crosses_the_border_without_an_approval(far):
    assert codes_of(far.issue, far.draft()) == [Code.APPROVAL_MISSING]
    assert far.used_g() == 0
    approve(far, number="备案1", kind="FILING")  # of hazardous waste a filing is not enough
    assert codes_of(far.issue, far.draft()) == [Code.APPROVAL_MISSING]


def test_what_is_left_of_the_approval_goes_down_with_each_manifest(far):
    approval = approve(far)
    first = far.issued()
    assert codes_of(far.issue, far.draft()) == [Code.APPROVAL_EXHAUSTED]
    far.receive(far.deliver(far.load(first)), "100")
    approval.refresh_from_db()
    assert approval.used_g == 100_000
    assert far.issued().number == "20265001000002"


@pytest.mark.parametrize(
    "said",
    [{"approved": Mass(0)}, {"number": " "}, {"valid_through": date(2027, 1, 1)}, {"waste_code": "900-249-88"},
     {"valid_through": date(2025, 12, 31)}],
)  # fmt: skip
def test_an_approval_that_cant_be_is_refused(far, said):
    assert codes_of(approve, far, **said) == [Code.APPROVAL_MALFORMED]


def test_an_approval_is_recorded_once(far):
    approve(far)
    assert codes_of(approve, far) == [Code.APPROVAL_TWICE]


# --- drafts


def test_the_same_draft_sent_again_is_one_draft(world):
    uid = worlds.new_id()
    world.drum("X")
    assert world.draft("X", uid=uid) == world.draft("X", uid=uid)
    assert Manifest.objects.count() == 1


def test_a_line_left_out_of_an_edit_is_gone_after_it(world):
    world.drum("A"), world.drum("B")
    manifest = world.draft("A", "B")
    said = {
        "manifest": manifest, "organisation": world.generator, "receiver": world.receiver.uscc, "said": worlds.SAID,
        "legs": [LegSaid(carrier=world.carrier.uscc)], "by": world.officer, "now": world.now,
    }  # fmt: skip
    edited = services.edit_draft(**said, version=1, lines=[LineSaid(lot="B", said=worlds.OF_A_LINE)])
    assert [line.lot_code for line in queries.lines_of(edited)] == ["B"]
    assert (edited.declared_g, edited.version) == (200_000, 2)
    assert codes_of(services.edit_draft, **said, version=1, lines=[]) == [Code.STALE_EDIT]
    world.issue(edited)
    assert codes_of(services.edit_draft, **said, version=3, lines=[]) == [Code.SEALED]


@pytest.mark.parametrize("grams", [0, -1])
def test_a_quantity_below_or_at_zero_is_refused_in_a_draft_already(world, grams):
    line = LineSaid(stream="F1", mass=Mass(grams))
    assert codes_of(world.draft, lines=[line])[0] is Code.MASS_NOT_POSITIVE
    assert not Manifest.objects.exists()


def test_what_a_draft_may_not_say(world):
    world.drum("A")
    a = LineSaid(lot="A", said=worlds.OF_A_LINE)
    assert codes_of(world.draft, lines=[a, a]) == [Code.LOT_TWICE]
    assert codes_of(world.draft, "别处的桶") == [Code.LOT_UNKNOWN]
    assert codes_of(world.draft, lines=[LineSaid(stream="没有", mass=Mass(1))]) == [Code.STREAM_UNKNOWN]
    assert codes_of(world.draft, "A", receiver=world.generator.uscc) == [Code.SAME_PARTY]
    assert codes_of(world.draft, "A", receiver=world.carrier.uscc) == [Code.PARTY_UNFIT]
    assert codes_of(world.draft, "A", receiver="91500110MA5U99999X") == [Code.PARTY_UNKNOWN]
    assert codes_of(world.draft, "A", said={"opinion": "同意"}) == [Code.FIELD_OF_ANOTHER_PARTY]
    assert codes_of(world.draft, "A", said={"colour": "红"}) == [Code.FIELD_UNKNOWN]
    assert codes_of(world.draft, "A", said={"contact_phone": "x"}) == [Code.FIELD_MALFORMED]
    world.ledger.streams("G1", waste_code="SW02")
    mixed = [a, LineSaid(stream="G1", mass=Mass(1))]
    assert codes_of(world.draft, lines=mixed) == [Code.WASTE_CLASS_MIXED]


def test_forty_drafts_at_the_same_moment_are_forty_drafts(world):
    world.ledger.post("2026-06-20 F2 产生 1 吨 危废库 -")
    line = LineSaid(stream="F2", mass=Mass(1), said=worlds.OF_A_LINE)
    for _ in range(40):
        world.draft(lines=[line])
    assert Manifest.objects.count() == 40


# --- who sees what


def test_a_draft_is_its_own_organisations(world):
    draft, issued = world.draft(), world.issued()
    park = worlds.organisation(40, "园区", "PARK")
    authority = worlds.organisation(41, "区局", "AUTHORITY")
    seen = {
        name: {m.pk for m in queries.manifests(organisation=of, user=user, on=worlds.TODAY)}
        for name, of, user in (
            ("officer", world.generator, world.officer),
            ("carrier", world.carrier, world.driver),
            ("receiver", world.receiver, world.taker),
            ("authority", world.generator, worlds.person("AUTHORITY_OFFICER", authority, "区局")),
        )
    }
    assert seen == {
        "officer": {draft.pk, issued.pk}, "carrier": {issued.pk}, "receiver": {issued.pk}, "authority": {issued.pk},
    }  # fmt: skip
    from wufei.registry.queries import NotPermitted

    with pytest.raises(NotPermitted):
        queries.manifests(
            organisation=world.generator, user=worlds.person("PARK_OFFICER", park, "园区"), on=worlds.TODAY
        )


def test_a_party_in_two_roles_is_listed_once(world):
    """The receiver carries it itself."""
    worlds.allow_carrier(world.receiver, world.taker)
    worlds.contract(world.generator, world.receiver, "TRANSPORT", world.officer)
    world.issued(legs=[LegSaid(carrier=world.receiver.uscc), LegSaid(carrier=world.receiver.uscc)])
    assert queries.manifests(organisation=world.receiver, user=world.taker, on=worlds.TODAY).count() == 1


def test_a_list_takes_the_same_few_queries_for_one_and_for_thirty(world, django_assert_num_queries):
    world.ledger.post("2026-06-20 F2 产生 1 吨 危废库 -")
    line = LineSaid(stream="F2", mass=Mass(1), said=worlds.OF_A_LINE)

    def look() -> int:
        rows = queries.manifests(organisation=world.generator, user=world.officer, on=worlds.TODAY)
        return len(
            [
                [(one.waste_name, leg.carrier.name) for one in m.lines.all() for leg in m.legs.all()]
                for m in queries.listed(rows)
            ]
        )

    world.issued(lines=[line])
    with django_assert_num_queries(4):
        assert look() == 1
    for _ in range(29):
        world.issued(lines=[line])
    with django_assert_num_queries(4):
        assert look() == 30


def test_what_is_overdue(world):
    manifest = world.delivered()
    rows = Manifest.objects.all()
    assert not queries.late(rows=rows, on=date(2026, 7, 8)).exists()
    assert queries.late(rows=rows, on=date(2026, 7, 9)).get() == manifest
    world.now += timedelta(days=10)
    world.receive(manifest, "200")
    assert not queries.late(rows=rows, on=date(2026, 7, 20)).exists()
    assert Flag.objects.filter(code="confirmed_late").exists()


def test_an_organisation_without_its_city_has_no_number(world):
    Organisation.objects.filter(pk=world.generator.pk).update(division_code="500000")
    assert codes_of(world.issue, world.draft()) == [Code.DIVISION_TOO_COARSE]


# --- what the scanner reads


def label_of(world, code: str, **said) -> tuple[str, str]:
    """Number the drum and return its 数字识别码 and what its QR code says."""
    digital_id = DigitalId(uscc=world.generator.uscc, waste_code=worlds.OIL, on=date(2026, 6, 20), sequence=1)
    ledger.describe_container(
        organisation=world.generator, lot_code=code, packaging="DRUM", digital_id=str(digital_id), by=world.officer,
        now=world.now,
    )  # fmt: skip
    payload = Payload(digital_id=digital_id, uscc=world.generator.uscc, waste_code=worlds.OIL, **said)
    return str(digital_id), str(payload)


def test_a_container_is_known_by_its_code_its_number_and_its_qr_code(world):
    world.drum("桶1")
    number, bare = label_of(world, "桶1")
    whole = label_of(world, "桶1", lot="桶1")[1]
    for text in ("桶1", number, bare, whole):
        [line] = queries.lines_of(world.draft(lines=[LineSaid(lot=text)]))
        assert (line.lot_code, line.said["packaging"], line.declared_g) == ("桶1", "DRUM", 200_000)


def test_the_same_container_scanned_twice_in_two_ways_is_one_too_many(world):
    world.drum("桶1")
    number, _ = label_of(world, "桶1")
    assert codes_of(world.draft, lines=[LineSaid(lot="桶1"), LineSaid(lot=number)]) == [Code.LOT_TWICE]


def test_a_torn_code_and_one_from_another_system_are_refused(world):
    world.drum("桶1")
    whole = label_of(world, "桶1", lot="桶1")[1]
    for text, code in (
        (whole[:-3], Code.SCAN_TORN), (whole.replace("/%E6", "/%E7"), Code.SCAN_TORN),
        ("https://example.org/label/1", Code.SCAN_FOREIGN), ("别处-0001", Code.LOT_UNKNOWN),
    ):  # fmt: skip
        assert codes_of(world.draft, lines=[LineSaid(lot=text)]) == [code], text
    assert not Manifest.objects.exists()


@pytest.mark.parametrize(("foreseen", "flagged"), [(True, []), (None, []), (False, [worlds.OIL])])
def test_what_the_filed_plan_of_the_year_does_not_foresee_is_flagged(world, monkeypatch, foreseen, flagged):
    """第十四条. What a filed plan foresees is `filings`' to say; none filed here says nothing."""
    asked = []
    monkeypatch.setattr(issuing, "is_planned", lambda **said: asked.append(said) or foreseen)
    manifest = world.issued()

    found = Flag.objects.filter(manifest=manifest, code="not_in_plan").values_list("detail", flat=True)
    assert list(found) == flagged
    [said] = asked
    assert (said["organisation"], said["receiver"], said["waste_code"], said["year"]) == (
        world.generator, world.receiver, worlds.OIL, 2026,
    )  # fmt: skip
