"""Light registration: who may say it, who confirms it, what is there then."""

from datetime import date

import pytest

from tests.conftest import NOW, valid_uscc
from tests.rooms.collection import world as worlds
from tests.rooms.collection.world import AGREED, PASSWORD, WASTES
from tests.rooms.transfers.world import organisation, person
from wufei.collection import services
from wufei.collection.models import Registration, SmallGenerator
from wufei.collection.refusals import Code, CollectionRefused
from wufei.collection.services import WasteSaid
from wufei.ledger.models import Place, Stream
from wufei.registry.models import Contract, DueDiligence, Organisation, ParkMembership, RoleAssignment, User
from wufei.registry.queries import NotPermitted
from wufei.terms.mass import Mass


def refusal(call, **said) -> tuple[Code, str]:
    with pytest.raises(CollectionRefused) as caught:
        call(**said)
    return caught.value.code, caught.value.where


def confirm(world, row, **said):
    asked = {"organisation": world.collector, "agreed": AGREED, "by": world.officer, "now": world.now}
    return services.confirm(registration=row, **(asked | said))


def test_nothing_is_granted_until_it_is_confirmed(world):
    row, receipt = world.registered()
    assert row.state == "PENDING"
    assert not Organisation.objects.filter(uscc=row.uscc).exists()
    asked = {
        "receipt": receipt,
        "phone": row.phone,
        "username": "shop",
        "password": PASSWORD,
        "now": world.now,
    }
    assert refusal(services.activate, **asked) == (Code.ACTIVATION_UNKNOWN, "")
    assert not User.objects.filter(username="shop").exists()
    assert receipt not in str(row.__dict__)  # only its digest is kept


def test_what_the_collector_confirms_has_a_store_streams_a_contract_and_an_account_of_its_own(world):
    row, receipt = world.registered()
    made = confirm(world, row)
    shop = made.organisation
    assert (shop.name, shop.kind, shop.address, shop.phone) == (
        row.name,
        "ENTERPRISE",
        row.address,
        row.phone,
    )
    assert list(Place.objects.filter(organisation=shop, kind="STORE").values_list("code", flat=True)) == [
        "K1"
    ]
    assert list(
        Stream.objects.filter(organisation=shop).values_list("code", "name", "waste_code", "physical_form").order_by("code")
    ) == [("F01", "废机油", worlds.OIL, "液态"), ("F02", "沾油抹布", worlds.RAGS, "固态")]  # fmt: skip
    contract = Contract.objects.get(organisation=shop)
    assert (contract.counterparty, contract.number) == (world.collector, "XW-1")
    assert "CQSJ0001" in DueDiligence.objects.get(organisation=shop).qualification
    row.refresh_from_db()
    assert (row.decided_by, row.decided_for, made.enrolled_by) == (
        world.officer,
        world.collector,
        world.officer,
    )

    user = services.activate(
        receipt=receipt.lower(), phone=f" {row.phone[:3]}-{row.phone[3:]}", username="shop", password=PASSWORD, now=NOW
    )  # fmt: skip
    assert RoleAssignment.objects.get(user=user).organisation == shop
    assert user.check_password(PASSWORD)
    again = {"receipt": receipt, "phone": row.phone, "username": "shop2", "password": PASSWORD, "now": NOW}
    assert refusal(services.activate, **again) == (Code.ACTIVATED_ALREADY, "")


def test_a_code_that_is_registered_already_says_what_to_do(world):
    row, _receipt = world.registered()
    assert refusal(services.submit, said=world.said(uscc=row.uscc), now=NOW) == (
        Code.REGISTRATION_PENDING,
        "uscc",
    )
    confirm(world, row)
    assert refusal(services.submit, said=world.said(uscc=row.uscc), now=NOW) == (
        Code.ORGANISATION_EXISTS,
        "uscc",
    )


def test_two_that_say_the_same_code_at_once_are_one_organisation(world):
    row, _receipt = world.registered()
    confirm(world, row)
    late = Registration.objects.create(
        uscc=valid_uscc("91500110MA7Y00001"), name="乙", address="街", contact="乙", phone="12345", division_code="500110",
        wastes=row.wastes, collector=world.collector, submitted_at=NOW, receipt_digest="x",
    )  # fmt: skip
    Organisation.objects.filter(uscc=row.uscc).update(uscc=late.uscc)
    with pytest.raises(CollectionRefused) as caught:
        confirm(world, late)
    assert caught.value.code is Code.ORGANISATION_EXISTS


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"uscc": "91500110MA7X000011"}, (Code.USCC_MALFORMED, "uscc")),
        ({"name": "  "}, (Code.FACT_MISSING, "name")),
        ({"address": "一" * 301}, (Code.FACT_MALFORMED, "address")),
        ({"contact": "周\n老板"}, (Code.FACT_MALFORMED, "contact")),
        ({"phone": "无"}, (Code.FACT_MALFORMED, "phone")),
        ({"division_code": "500199"}, (Code.DIVISION_UNKNOWN, "division_code")),
        ({"division_code": "50"}, (Code.DIVISION_UNKNOWN, "division_code")),
        ({"division_code": "440106"}, (Code.COLLECTOR_ELSEWHERE, "collector")),
        ({"has_checked_collector": False}, (Code.NOT_CHECKED, "has_checked_collector")),
        ({"wastes": ()}, (Code.WASTES_MISSING, "wastes")),
        ({"wastes": WASTES * 5}, (Code.WASTES_MISSING, "wastes")),
        ({"wastes": (WASTES[0], WASTES[0])}, (Code.WASTE_TWICE, "wastes.2")),
        (
            {"wastes": (WasteSaid(waste_code="999-999-99", form="SOLID", packaging="BAG"),)},
            (Code.WASTE_CODE_UNKNOWN, "wastes.1"),
        ),
        ({"wastes": (WasteSaid(waste_code=worlds.OIL, packaging="BAG"),)}, (Code.FACT_MISSING, "wastes.1")),
        (
            {"wastes": (WasteSaid(waste_code=worlds.OIL, form="LIQUID", packaging="DRUM", usual=Mass(0)),)},
            (Code.MASS_OUT_OF_RANGE, "wastes.1"),
        ),
    ],
)
def test_what_cannot_be_so_is_refused_and_nothing_is_kept(world, said, expected):
    assert refusal(services.submit, said=world.said(**said), now=NOW) == expected
    assert not Registration.objects.exists()


def test_a_collector_without_a_point_is_none(world):
    other = organisation(31, "别的收集单位", "UTILISER")
    assert refusal(services.submit, said=world.said(collector=other), now=NOW)[0] is Code.COLLECTOR_UNKNOWN


def test_the_collector_confirms_with_its_contract(world):
    row, _receipt = world.registered()
    with pytest.raises(CollectionRefused) as caught:
        confirm(world, row, agreed=None)
    assert caught.value.code is Code.CONTRACT_MISSING
    assert not Organisation.objects.filter(uscc=row.uscc).exists()


def test_a_park_registers_its_own_with_their_consent_and_they_are_its_members(world):
    park = organisation(21, "桥河园区", "PARK")
    by = person("PARK_OFFICER", park, "园区干事")
    said = {"organisation": park, "by": by, "now": NOW}
    without = refusal(services.register_on_behalf, said=world.said(), consent=" ", **said)
    assert without == (Code.CONSENT_MISSING, "consent")
    row, _receipt = services.register_on_behalf(
        said=world.said(), consent="同意书 2026-06-20", agreed=AGREED, **said
    )
    assert (row.state, row.consent, row.submitted_by, row.decided_for) == (
        "CONFIRMED",
        "同意书 2026-06-20",
        by,
        park,
    )
    assert ParkMembership.objects.get(member=row.organisation).park == park
    assert Contract.objects.get(organisation=row.organisation).counterparty == world.collector
    far = world.said(division_code="500102", collector=None)
    assert (
        refusal(services.register_on_behalf, said=far, consent="有", **said)[0] is Code.NOT_YOURS_TO_CONFIRM
    )


def test_a_collector_registers_on_behalf_and_is_the_collector(world):
    row, _receipt = services.register_on_behalf(
        said=world.said(collector=None), consent="委托书 3 号", agreed=AGREED, organisation=world.collector,
        by=world.officer, now=NOW,
    )  # fmt: skip
    assert (row.collector, row.state) == (world.collector, "CONFIRMED")


def test_the_district_confirms_what_lies_in_it_without_a_contract(world):
    district = organisation(22, "区生态环境局", "AUTHORITY")
    far = organisation(23, "外区局", "AUTHORITY", "500102")
    row, _receipt = world.registered()
    said = {"agreed": None, "organisation": far, "by": person("AUTHORITY_OFFICER", far, "外区")}
    with pytest.raises(CollectionRefused) as caught:
        confirm(world, row, **said)
    assert caught.value.code is Code.NOT_YOURS_TO_CONFIRM
    made = confirm(
        world, row, agreed=None, organisation=district, by=person("AUTHORITY_OFFICER", district, "本区")
    )
    assert not Contract.objects.filter(organisation=made.organisation).exists()


def test_another_collector_confirms_nothing(world):
    row, _receipt = world.registered()
    other = organisation(31, "别的收集单位", "UTILISER")
    with pytest.raises(CollectionRefused) as caught:
        confirm(world, row, organisation=other, by=person("ENVIRONMENT_OFFICER", other, "别人"))
    assert caught.value.code is Code.NOT_YOURS_TO_CONFIRM
    with pytest.raises(NotPermitted):
        confirm(world, row, by=person("ENVIRONMENT_OFFICER", other, "假冒"))
    with pytest.raises(NotPermitted):
        confirm(world, row, by=world.driver)


def test_what_was_declined_says_why_and_may_be_said_anew(world):
    row, receipt = world.registered()
    said = {"registration": row, "organisation": world.collector, "by": world.officer, "now": NOW}
    assert refusal(services.decline, reason="", **said) == (Code.REASON_MISSING, "reason")
    services.decline(reason="地址不清", **said)
    assert services.look_up(receipt=receipt, phone=row.phone).reason == "地址不清"
    assert refusal(services.decline, reason="再次", **said)[0] is Code.DECIDED_ALREADY
    services.submit(said=world.said(uscc=row.uscc), now=NOW)


def test_a_receipt_opens_nothing_without_the_phone_number(world):
    row, receipt = world.registered()
    assert refusal(services.look_up, receipt=receipt, phone="13900000000")[0] is Code.ACTIVATION_UNKNOWN
    assert refusal(services.look_up, receipt="ABCD", phone=row.phone)[0] is Code.ACTIVATION_UNKNOWN


def test_a_lost_receipt_is_renewed_by_whoever_confirmed_and_the_old_one_ends(world):
    row, receipt = world.registered()
    confirm(world, row)
    said = {"registration": row, "by": world.officer, "now": NOW}
    fresh = services.renew_receipt(organisation=world.collector, **said)
    assert refusal(services.look_up, receipt=receipt, phone=row.phone)[0] is Code.ACTIVATION_UNKNOWN
    user = services.activate(receipt=fresh, phone=row.phone, username="shop", password=PASSWORD, now=NOW)
    assert user.username == "shop"
    assert refusal(services.renew_receipt, organisation=world.collector, **said)[0] is Code.ACTIVATED_ALREADY


def test_an_organisation_that_is_here_already_enrols_itself_and_agrees_with_a_collector(world):
    works = organisation(41, "齿轮小厂", "ENTERPRISE")
    officer = person("ENVIRONMENT_OFFICER", works, "小厂")
    services.enrol(organisation=works, by=officer, now=NOW)
    assert SmallGenerator.objects.get().began_on == date(2026, 7, 1)
    assert refusal(services.enrol, organisation=works, by=officer, now=NOW)[0] is Code.ENROLLED_ALREADY
    said = {"organisation": works, "collector": world.collector, "agreed": AGREED, "by": officer, "now": NOW}
    assert refusal(services.agree, has_checked_collector=False, **said)[0] is Code.NOT_CHECKED
    services.agree(has_checked_collector=True, **said)
    assert Contract.objects.get(organisation=works).recorded_by == officer
    assert (
        refusal(services.agree, has_checked_collector=True, **said)[0] is Code.CONTRACT_MALFORMED
    )  # the same number
    with pytest.raises(NotPermitted):
        services.enrol(organisation=works, by=world.officer, now=NOW)


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"store_code": "无"}, Code.STORE_UNKNOWN),
        ({"divisions": []}, Code.POINT_MALFORMED),
        ({"divisions": ["999999"]}, Code.DIVISION_UNKNOWN),
        ({"emergency_phone": ""}, Code.POINT_MALFORMED),
        ({"address": "一\n二"}, Code.POINT_MALFORMED),
    ],
)
def test_a_point_is_a_store_with_its_districts(world, said, code):
    asked = {
        "organisation": world.collector, "store_code": "SJ1", "address": "街", "divisions": ["500110"],
        "emergency_phone": "1", "emergency_measures": "堵", "by": world.officer, "now": NOW,
    }  # fmt: skip
    assert refusal(services.record_point, **(asked | said))[0] is code
