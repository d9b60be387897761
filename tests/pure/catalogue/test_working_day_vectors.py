"""
Working days over the holidays of 2024 to 2026, written out here once more.

The arrangement is typed from the same notices, not read from the table, and the N-th day is found by another
way: every weekday of a range of days is set down, holidays struck out, worked weekends added.
"""

import json
from datetime import date, timedelta

import pytest
from click.testing import CliRunner

from wufei.catalogue.cli import workdays
from wufei.catalogue.working_days import calendar, is_working_day, nth_working_day, working_days_between

# (first, last) of each holiday, then the weekends that are worked for it.
ARRANGED = {
    2024: (
        [("01-01", "01-01"), ("02-10", "02-17"), ("04-04", "04-06"), ("05-01", "05-05"), ("06-10", "06-10"),
         ("09-15", "09-17"), ("10-01", "10-07")],
        ["02-04", "02-18", "04-07", "04-28", "05-11", "09-14", "09-29", "10-12"],
    ),
    2025: (
        [("01-01", "01-01"), ("01-28", "02-04"), ("04-04", "04-06"), ("05-01", "05-05"), ("05-31", "06-02"),
         ("10-01", "10-08")],
        ["01-26", "02-08", "04-27", "09-28", "10-11"],
    ),
    2026: (
        [("01-01", "01-03"), ("02-15", "02-23"), ("04-04", "04-06"), ("05-01", "05-05"), ("06-19", "06-21"),
         ("09-25", "09-27"), ("10-01", "10-07")],
        ["01-04", "02-14", "02-28", "05-09", "09-20", "10-10"],
    ),
}  # fmt: skip


def on(year: int, day: str) -> date:
    return date.fromisoformat(f"{year}-{day}")


def written_out() -> list[date]:
    """Every working day from 1 January 2024 to 31 December 2026."""
    days = {date(2024, 1, 1) + timedelta(days=each) for each in range(366 + 365 + 365)}
    worked = {day for day in days if day.isoweekday() <= 5}
    for year, (holidays, weekends) in ARRANGED.items():
        for first, last in holidays:
            worked -= {day for day in days if on(year, first) <= day <= on(year, last)}
        worked |= {on(year, day) for day in weekends}
    return sorted(worked)


WORKED = written_out()


@pytest.fixture(autouse=True)
def _nothing_imported(monkeypatch):
    monkeypatch.delenv("WUFEI_DATA", raising=False)


def test_each_day_of_the_three_years_is_worked_or_not_as_written_out():
    days = [date(2024, 1, 1) + timedelta(days=each) for each in range(1096)]

    assert [day for day in days if is_working_day(day)] == WORKED


def test_the_table_names_no_holiday_or_worked_weekend_besides():
    known = calendar()
    of_years = {day for day in known.working_weekends if day.year in ARRANGED}

    assert of_years == {on(year, day) for year, (_, weekends) in ARRANGED.items() for day in weekends}


@pytest.mark.parametrize("n", [1, 5, 10, 30])
def test_the_nth_working_day_is_the_nth_of_those_written_out(n):
    for start in (date(2024, 1, 1) + timedelta(days=each) for each in range(1030)):
        expected = [day for day in WORKED if day > start][n - 1]
        assert nth_working_day(start, n) == expected, start
        assert working_days_between(start, expected) == n


# Counted on a paper calendar.
VECTORS = [
    # Spring Festival
    ("2024-02-09", 1, "2024-02-18"),  # the Sunday after it is worked
    ("2024-02-09", 5, "2024-02-22"),
    ("2024-02-02", 1, "2024-02-04"),  # the Sunday before it is worked
    ("2025-01-24", 1, "2025-01-26"),
    ("2025-01-27", 1, "2025-02-05"),
    ("2025-01-27", 5, "2025-02-10"),  # 8 February, a Saturday, is worked
    ("2026-02-13", 1, "2026-02-14"),
    ("2026-02-14", 1, "2026-02-24"),
    ("2026-02-14", 5, "2026-02-28"),
    # Labour Day
    ("2024-04-26", 1, "2024-04-28"),
    ("2024-04-30", 6, "2024-05-11"),  # a Saturday, worked
    ("2025-04-30", 1, "2025-05-06"),
    ("2026-04-30", 4, "2026-05-09"),
    ("2026-04-30", 5, "2026-05-11"),
    # National Day
    ("2024-09-27", 2, "2024-09-30"),  # Sunday the 29th, then Monday
    ("2024-09-30", 5, "2024-10-12"),
    ("2025-09-26", 1, "2025-09-28"),
    ("2025-09-30", 1, "2025-10-09"),
    ("2025-09-30", 3, "2025-10-11"),
    ("2026-09-30", 3, "2026-10-10"),
    ("2026-09-18", 1, "2026-09-20"),
    # the turn of a year
    ("2024-12-31", 1, "2025-01-02"),
    ("2025-12-31", 1, "2026-01-04"),
]


@pytest.mark.parametrize(("start", "n", "end"), VECTORS)
def test_workdays_over_the_holidays(start, n, end):
    result = CliRunner().invoke(workdays, [start, str(n), "--json"])

    assert (result.exit_code, json.loads(result.stdout)["end"]) == (0, end)
