"""What is reported of hazardous waste: by whom, by when, and what changed."""

from datetime import date
from decimal import Decimal

import pytest

from wufei.ledger.books.periods import PARTS, period_of
from wufei.ledger.books.waste_reports import (
    Change,
    Flow,
    Report,
    Waste,
    changes,
    classify,
    content,
    document,
    due_on,
    lines,
    span_of,
)
from wufei.terms.period import Period

TONNE = 1_000_000


@pytest.mark.parametrize(
    ("tonnes", "own", "permit", "expected"),
    [
        ({2022: 10, 2023: 100, 2024: 1}, False, False, "KEY"),
        ({2022: 10, 2023: Decimal("99.999999"), 2024: 1}, False, False, "SIMPLIFIED"),
        ({2021: 500, 2022: 10, 2023: 9, 2024: 1}, False, False, "SIMPLIFIED"),
        ({2021: 500, 2022: Decimal("9.999999"), 2023: 9, 2024: 1}, False, False, "REGISTERED"),
        ({2024: 3}, False, False, "REGISTERED"),
        ({2024: 3}, True, False, "KEY"),
        ({2024: 3}, False, True, "KEY"),
        ({}, True, False, "KEY"),
        ({}, False, False, None),
        ({2025: 500}, False, False, None),  # the year itself tells nothing of its class
        ({2024: 0}, False, False, "REGISTERED"),
    ],
)
def test_the_class_of_a_unit(tonnes, own, permit, expected):
    found = classify(
        generated={year: int(amount * TONNE) for year, amount in tonnes.items()}, year=2025, has_own_facility=own,
        holds_permit=permit,
    )  # fmt: skip

    assert found.control_class == expected
    assert any("4.2.2" in reason for reason in found.reasons)
    assert found.label != "未知" if expected else any("环评" in reason for reason in found.reasons)


@pytest.mark.parametrize(
    ("part", "day"),
    [
        ("", "2026-03-31"),
        ("Q1", "2025-04-15"),
        ("Q4", "2026-01-15"),
        ("01", "2025-02-15"),
        ("12", "2026-01-15"),
    ],
)
def test_the_last_day_to_report(part, day):
    assert due_on(period_of(2025, part)) == date.fromisoformat(day)


def test_only_a_year_a_quarter_or_a_month_is_reported():
    assert {part: span_of(period_of(2024, part)) for part in PARTS} == {
        part: "YEAR" if not part else "QUARTER" if part.startswith("Q") else "MONTH" for part in PARTS
    }
    for first, last in (("2025-02-01", "2025-04-30"), ("2025-01-02", "2025-03-31"), ("2025-01-01", "2025-06-30"),
                        ("2025-11-01", "2026-01-31")):  # fmt: skip
        assert span_of(Period(date.fromisoformat(first), date.fromisoformat(last))) is None


OIL = Waste("油", "废油", "900-249-08", "HW08", 2 * TONNE, 3 * TONNE)
FLOWS = [
    Flow("油", "GENERATION", "", "", 5 * TONNE), Flow("油", "CONTRACTED_DISPOSAL", "D10", "甲", 3 * TONNE),
    Flow("油", "CONTRACTED_UTILISATION", "R9", "乙", TONNE), Flow("油", "DISPATCH", "", "甲", 3 * TONNE),
]  # fmt: skip


def test_the_content_is_exact_and_leaves_out_what_was_never_there():
    [waste] = content([OIL, Waste("渣", "漆渣", "900-252-12", "HW12", 0, 0)], FLOWS)

    assert (waste["stock_before_t"], waste["generated_t"], waste["contracted_disposed_t"]) == ("2", "5", "3")
    assert waste["contracted"] == [
        {"receiver": "乙", "mode": "R9", "kind": "CONTRACTED_UTILISATION", "mass_t": "1"},
        {"receiver": "甲", "mode": "D10", "kind": "CONTRACTED_DISPOSAL", "mass_t": "3"},
    ]


def test_what_changed_is_named_number_by_number():
    before = content([OIL], FLOWS)
    after = content([OIL], [*FLOWS[1:], Flow("油", "GENERATION", "", "", 5 * TONNE + 1)])
    gone = content([OIL], FLOWS[:2])

    assert changes(before, before) == []
    assert changes(before, after) == [Change("油 废油 900-249-08", "产生量", "5", "5.000001")]
    assert changes(before, gone) == [
        Change("油 废油 900-249-08", "委外利用量", "1", "0"), Change("油 废油 900-249-08", "委外利用 乙 R9", "1", ""),
    ]  # fmt: skip
    assert {change.before for change in changes([], before)} == {""}


def test_the_document_and_the_lines_say_the_same():
    said = Report(
        uscc="U", name="某厂", period=period_of(2025, "Q1"), number=2, control_class="KEY", seq=9, chain_hash="ab",
        wastes=content([OIL], FLOWS), made_at="2025-04-02T09:00:00+08:00",
    )  # fmt: skip

    found = document(said)
    assert found["period"] == {
        "from": "2025-01-01",
        "to": "2025-03-31",
        "span": "QUARTER",
        "due_on": "2025-04-15",
    }
    assert (found["number"], found["control_class"], found["ledger"]["seq"]) == (2, "KEY", 9)
    written = lines(said)
    assert [row[5] for row in written] == [5, ""]  # 产生量 once, though there are two receivers
    assert sum(row[15] for row in written) == 4
