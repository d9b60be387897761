"""Checklists: every requirement has words, a kind of store and how sure we are of its clause."""

from datetime import date

import pytest

from wufei.storage.checklists import Confidence, Facility, known_checklists, likely_facility, next_due
from wufei.storage.wording import CONFIDENCE_TEXT, FACILITY_TEXT


@pytest.mark.parametrize("facility", Facility)
def test_every_kind_of_store_has_a_checklist_with_its_words(facility):
    checklist = known_checklists()[facility]
    ids = [each.id for each in checklist.requirements]
    assert len(ids) == len(set(ids)) >= 4
    assert checklist.facility is facility
    assert FACILITY_TEXT[facility]
    assert checklist.interval.days > 0
    for each in checklist.requirements:
        assert 4 <= len(each.says) <= 200
        assert len(each.id) <= 60
        assert facility in each.applies_to
        assert CONFIDENCE_TEXT[each.confidence] or each.confidence is Confidence.VERIFIED


def test_a_requirement_whose_clause_is_not_known_is_not_called_verified():
    every = {each for found in known_checklists().values() for each in found.requirements}
    assert {each.confidence for each in every if not each.clause} == {Confidence.UNVERIFIED}
    assert {each.confidence for each in every if each.standard == "GB 18597-2023"} == {
        Confidence.SECONDARY, Confidence.UNVERIFIED,
    }  # fmt: skip


def test_a_storage_point_is_looked_at_for_its_three_tonnes_and_a_store_for_its_containment():
    def asked(facility: Facility) -> dict[str, str]:
        return {each.id: each.clause for each in known_checklists()[facility].requirements}

    assert asked(Facility.HAZARDOUS_POINT)["hw-point-amount"] == "8.3.5"
    assert "hw-point-amount" not in asked(Facility.HAZARDOUS_STORE)
    assert asked(Facility.HAZARDOUS_STORE)["hw-containment"] == "6.2.2"
    assert "gw-liner-2" not in asked(Facility.GENERAL_SITE_1)
    assert list(asked(Facility.GENERAL_STORE).values()) == ["1", "1", "1", ""]


def test_no_interval_is_claimed_to_be_the_standards():
    assert {each.interval.confidence for each in known_checklists().values()} == {Confidence.UNVERIFIED}


def test_the_next_inspection_is_due_as_many_days_after_the_last():
    days = known_checklists()[Facility.HAZARDOUS_STORE].interval.days
    due = next_due(last=date(2026, 2, 25), facility=Facility.HAZARDOUS_STORE)
    assert (due - date(2026, 2, 25)).days == days


def test_a_store_of_general_waste_alone_is_no_hazardous_one():
    assert likely_facility(["GENERAL"]) is Facility.GENERAL_STORE
    assert likely_facility(["GENERAL", "HAZARDOUS"]) is Facility.HAZARDOUS_STORE
