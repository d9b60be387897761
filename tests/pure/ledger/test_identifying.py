"""How a stream stands with its hazard identification, and what may be recorded."""

from dataclasses import replace
from datetime import date

import pytest

from wufei.ledger import identifying
from wufei.ledger.identifying import (
    BASIS_LABELS,
    RESULT_LABELS,
    STANDING_LABELS,
    WARNS,
    Basis,
    Finding,
    IdentificationStanding,
    Refused,
    Result,
    Said,
    Validity,
    Waste,
    identified,
    known_validities,
    last_day,
    refusal,
)
from wufei.ledger.wording import IDENTIFICATION_TEXT

TODAY = date(2026, 7, 1)
SLAG = Waste(is_hazardous=False, waste_code="SW02")
OIL = Waste(is_hazardous=True, waste_code="900-249-08")
UNLISTED = Waste(is_hazardous=True, waste_code="900-000-08")


def found(result="NOT_HAZARDOUS", through=None, basis="TESTS", on=date(2025, 1, 31)) -> Finding:
    return Finding(
        basis=Basis(basis), result=Result(result), judged_on=on, valid_through=through,
        waste_code="900-000-08" if result == "HAZARDOUS" else "",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("waste", "finding", "standing"),
    [
        (OIL, None, "BY_CATALOGUE"),
        (OIL, found(through=date(2025, 2, 1)), "BY_CATALOGUE"),
        (SLAG, None, "MISSING"),
        (UNLISTED, None, "MISSING"),
        (SLAG, found(), "VALID"),
        (SLAG, found(through=date(2026, 6, 30)), "EXPIRED"),
        (SLAG, found(through=TODAY), "DUE_SOON"),
        (SLAG, found(through=date(2026, 8, 30)), "DUE_SOON"),
        (SLAG, found(through=date(2026, 8, 31)), "VALID"),
        (SLAG, found("UNDETERMINED"), "UNDETERMINED"),
        (SLAG, found("UNDETERMINED", through=date(2026, 6, 30)), "EXPIRED"),
        (SLAG, found("HAZARDOUS"), "CONTRADICTED"),
        (SLAG, found("HAZARDOUS", through=date(2026, 6, 30)), "CONTRADICTED"),
        (UNLISTED, found("HAZARDOUS"), "VALID"),
        (UNLISTED, found("NOT_HAZARDOUS"), "CONTRADICTED"),
    ],
)
def test_how_a_stream_stands(waste, finding, standing):
    said = identified(waste, finding, TODAY)

    assert said.standing == standing
    assert said.warns is (standing in WARNS)
    assert bool(said.words) is (standing not in ("VALID", "BY_CATALOGUE"))


def test_a_contradiction_says_what_to_do():
    words = identified(SLAG, found("HAZARDOUS"), TODAY).words

    assert "900-000-08" in words
    assert "废物清单" in words
    assert "900-000-××" in identified(UNLISTED, found(), TODAY).words


def test_every_code_and_standing_has_words():
    assert list(IDENTIFICATION_TEXT) == list(Refused)
    assert list(STANDING_LABELS) == list(IdentificationStanding)
    assert (list(BASIS_LABELS), list(RESULT_LABELS)) == (list(Basis), list(Result))


def test_no_end_is_made_up_and_each_rule_says_where_it_is_from():
    assert set(known_validities()) == set(Basis)
    for rule in known_validities().values():
        assert (rule.months, rule.confidence) == (None, "unverified")
        assert rule.source


def test_a_rule_of_months_binds_where_it_ends_before_the_record(monkeypatch):
    rules = {
        each: Validity(basis=each, months=13, source="地方规定", confidence="verified") for each in Basis
    }
    monkeypatch.setattr(identifying, "known_validities", lambda: rules)

    assert last_day(found()) == date(2026, 2, 28)
    assert last_day(found(through=date(2025, 6, 1))) == date(2025, 6, 1)
    assert last_day(found(through=date(2027, 6, 1))) == date(2026, 2, 28)


GOOD = Said(
    basis=Basis.TESTS, result=Result.HAZARDOUS, judged_by="检测所", judged_on=TODAY, waste_code="900-000-08",
    properties=("T", "C"), has_report=True,
)  # fmt: skip
SAFE = replace(GOOD, result=Result.NOT_HAZARDOUS, waste_code="", properties=())


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (GOOD, None),
        (SAFE, None),
        (replace(SAFE, basis=Basis.EXPERT, has_report=False), None),
        (replace(SAFE, has_report=False), "report_missing"),
        (replace(SAFE, judged_by=" "), "judge_missing"),
        (replace(SAFE, judged_on=date(2026, 7, 2)), "day_in_future"),
        (replace(SAFE, valid_through=date(2026, 6, 30)), "ends_before_begin"),
        (replace(SAFE, note="x" * 301), "text_not_storable"),
        (replace(SAFE, note="一\n二"), "text_not_storable"),
        (replace(GOOD, waste_code=""), "code_missing"),
        (replace(GOOD, waste_code="SW02"), "code_not_hazardous"),
        (replace(GOOD, waste_code="没有"), "code_not_hazardous"),
        (replace(GOOD, properties=()), "properties_missing"),
        (replace(GOOD, properties=("X",)), "properties_missing"),
        (replace(SAFE, waste_code="900-249-08"), "code_not_asked"),
        (replace(SAFE, properties=("T",)), "properties_not_asked"),
    ],
)
def test_what_may_be_recorded(said, code):
    assert refusal(said, TODAY) == code
