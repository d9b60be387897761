"""Permits, contracts, due diligence: who may record them, and what can't be so."""

import re
from datetime import date
from pathlib import Path

import pytest
from django.db import IntegrityError, transaction

import wufei.registry.services.permits as module
from tests.conftest import NOW
from wufei.registry.forms import read_codes
from wufei.registry.models import Contract, PermitKind, PermitUse, Vehicle
from wufei.registry.queries import NotPermitted, due_diligence_on, waste_permits
from wufei.registry.services import permits
from wufei.registry.services.permits import GroupSaid, PermitRefused
from wufei.registry.wording import PERMIT_REFUSALS
from wufei.terms.mass import Mass

GROUP = GroupSaid(waste_codes=["HW08", "900-041-49"], capacity=Mass.of("10", "吨"), modes=["r9"])


def permit(organisation, by, **said):
    asked = {
        "kind": PermitKind.COMPREHENSIVE, "number": "CQ1", "valid_from": date(2026, 1, 1),
        "valid_through": date(2028, 12, 31), "groups": [GROUP],
    }  # fmt: skip
    return permits.record_permit(organisation=organisation, by=by, now=NOW, **(asked | said))


def code_of(call, *args, **said) -> str:
    with pytest.raises(PermitRefused) as refused:
        call(*args, **said)
    return refused.value.code


@pytest.fixture
def other(make_organisation):
    return make_organisation("别的厂", kind="UTILISER")


def test_every_refusal_has_words():
    named = set(re.findall(r'PermitRefused\("([a-z_]+)"', Path(module.__file__).read_text()))
    assert named == set(PERMIT_REFUSALS)


def test_a_permit_is_read_as_it_was_recorded(organisation, officer):
    permit(organisation, officer)
    [read] = waste_permits(organisation=organisation)
    [group] = read.groups
    assert (group.waste_codes, group.modes, group.capacity_g) == (("HW08", "900-041-49"), ("R9",), 10_000_000)
    assert not read.is_verified


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"number": " "}, "number_missing"),
        ({"valid_through": date(2025, 12, 31)}, "days_reversed"),
        ({"groups": []}, "groups_missing"),
        ({"groups": [GroupSaid(waste_codes=[], capacity=Mass(1))]}, "groups_missing"),
        ({"groups": [GroupSaid(waste_codes=["HW99"], capacity=Mass(1))]}, "waste_code_unknown"),
        ({"groups": [GroupSaid(waste_codes=["HW08"], capacity=Mass(0))]}, "capacity_not_positive"),
    ],
)
def test_a_permit_that_cant_be_is_refused(organisation, officer, said, code):
    assert code_of(permit, organisation, officer, **said) == code


def test_a_permit_is_recorded_once_and_by_its_own_organisation(organisation, officer, other, make_user):
    permit(organisation, officer)
    assert code_of(permit, organisation, officer) == "recorded_already"
    with pytest.raises(NotPermitted):
        permit(other, officer)
    with pytest.raises(NotPermitted):
        permit(organisation, make_user("WORKER", organisation), number="CQ2")


def test_only_an_authority_verifies_and_only_once(organisation, officer, make_organisation, make_user):
    row = permit(organisation, officer)
    with pytest.raises(NotPermitted):
        permits.verify_permit(permit=row, by=officer, now=NOW)
    far = make_user(
        "AUTHORITY_OFFICER", make_organisation("外省局", kind="AUTHORITY", division_code="440100")
    )
    with pytest.raises(NotPermitted):
        permits.verify_permit(permit=row, by=far, now=NOW)
    near = make_user("AUTHORITY_OFFICER", make_organisation("区局", kind="AUTHORITY"))
    assert permits.verify_permit(permit=row, by=near, now=NOW).verified_by == near
    assert code_of(permits.verify_permit, permit=row, by=near, now=NOW) == "verified_already"
    permits.revoke_permit(permit=row, on=date(2026, 7, 1), by=near, now=NOW)
    assert (
        code_of(permits.revoke_permit, permit=row, on=date(2026, 7, 1), by=officer, now=NOW)
        == "ended_already"
    )


def test_contracts_and_due_diligence(organisation, officer, other):
    said = {
        "organisation": organisation, "purpose": Contract.Purpose.RECEIVING, "number": "HT1",
        "signed_on": date(2026, 1, 1), "valid_through": date(2026, 12, 31), "by": officer, "now": NOW,
    }  # fmt: skip
    permits.record_contract(counterparty=other, **said)
    assert code_of(permits.record_contract, counterparty=other, **said) == "recorded_already"
    assert (
        code_of(permits.record_contract, counterparty=organisation, **(said | {"number": "2"}))
        == "with_itself"
    )
    assert code_of(permits.record_contract, counterparty=other, **(said | {"number": ""})) == "number_missing"
    late = said | {"number": "3", "valid_through": date(2025, 12, 31)}
    assert code_of(permits.record_contract, counterparty=other, **late) == "days_reversed"
    found = {
        "organisation": organisation, "subject": other, "checked_on": date(2026, 1, 1), "is_passed": True,
        "valid_through": date(2026, 12, 31), "qualification": "齐全", "capability": "具备", "by": officer, "now": NOW,
    }  # fmt: skip
    assert code_of(permits.record_due_diligence, **(found | {"capability": " "})) == "found_missing"
    assert (
        code_of(permits.record_due_diligence, **(found | {"checked_on": date(2026, 8, 1)})) == "days_reversed"
    )
    permits.record_due_diligence(**found)
    asked = {"organisation": organisation, "subject": other}
    assert due_diligence_on(**asked, on=date(2026, 12, 31)) is not None
    assert due_diligence_on(**asked, on=date(2027, 1, 1)) is None
    assert due_diligence_on(**asked, on=date(2025, 12, 31)) is None
    permits.record_due_diligence(**(found | {"checked_on": date(2026, 6, 1), "is_passed": False}))
    assert due_diligence_on(**asked, on=date(2026, 12, 31)) is None  # the later one counts


def test_a_vehicle_that_is_recorded_again_is_the_same_one(organisation, officer):
    said = {"organisation": organisation, "by": officer, "now": NOW}
    permits.record_vehicle(plate="渝a12345", **said)
    permits.record_vehicle(plate=" 渝A12345 ", permit_number="7", valid_through=date(2027, 1, 1), **said)
    assert Vehicle.objects.get().permit_number == "7"
    assert code_of(permits.record_vehicle, plate=" ", **said) == "plate_missing"
    assert code_of(permits.record_driver, name=" ", **said) == "name_missing"


def test_capacity_is_taken_as_far_as_it_is_there_and_given_back(organisation, officer):
    [group] = permit(organisation, officer).groups.all()
    asked = {"group_id": group.pk, "year": 2026}
    assert permits.take_capacity(**asked, grams=10_000_000)
    assert not permits.take_capacity(**asked, grams=1)
    assert permits.take_capacity(group_id=group.pk, year=2027, grams=1)  # of another year
    permits.give_back_capacity(**asked, grams=4_000_000)
    assert permits.take_capacity(**asked, grams=4_000_000)
    with pytest.raises(AssertionError, match="no more is given back"):
        permits.give_back_capacity(**asked, grams=10_000_001)
    with pytest.raises(IntegrityError), transaction.atomic():
        PermitUse.objects.update(used_g=-1)


def test_codes_are_read_however_they_are_separated():
    assert read_codes("HW08、900-041-49，HW49 ;HW50\n") == ["HW08", "900-041-49", "HW49", "HW50"]
    assert read_codes("  ") == []
