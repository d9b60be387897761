"""
Which month is to be declared, until when, and what does it mean that nothing was said?

Pure. Silence is unknown: a month that nobody declared has no mass, not even none.
"""

from datetime import date, timedelta
from enum import StrEnum


class Word(StrEnum):
    """What is known of a generator's month."""

    DECLARED = "DECLARED"
    NOTHING = "NOTHING"  # it said that there was nothing
    NOT_YET = "NOT_YET"  # there is time left
    SILENT = "SILENT"  # the day has passed: unknown
    BEFORE = "BEFORE"  # it was not registered then


def month_of(day: date) -> date:
    """
    Return the first day of the day's month.

    >>> month_of(date(2026, 7, 31))
    datetime.date(2026, 7, 1)
    """
    return day.replace(day=1)


def month_after(month: date) -> date:
    """
    >>> month_after(date(2026, 12, 1))
    datetime.date(2027, 1, 1)
    """
    return (month.replace(day=28) + timedelta(days=4)).replace(day=1)


def month_before(month: date) -> date:
    """
    >>> month_before(date(2026, 1, 1))
    datetime.date(2025, 12, 1)
    """
    return (month.replace(day=1) - timedelta(days=1)).replace(day=1)


def last_day_of(month: date) -> date:
    """
    >>> last_day_of(date(2024, 2, 1))
    datetime.date(2024, 2, 29)
    """
    return month_after(month) - timedelta(days=1)


def due_on(month: date, due_day: int) -> date:
    """
    Return the last day on which the month is declared in time.

    >>> due_on(date(2026, 12, 1), 5)
    datetime.date(2027, 1, 5)
    """
    return month_after(month).replace(day=due_day)


def latest_due(today: date, due_day: int) -> date:
    """
    Return the newest month whose day has passed.

    >>> latest_due(date(2026, 7, 5), 5), latest_due(date(2026, 7, 6), 5)
    (datetime.date(2026, 5, 1), datetime.date(2026, 6, 1))
    """
    last = month_before(month_of(today))
    return last if today > due_on(last, due_day) else month_before(last)


def asked_for(today: date) -> date:
    """
    Return the month that the page asks for: the one that ended last.

    >>> asked_for(date(2026, 7, 31))
    datetime.date(2026, 6, 1)
    """
    return month_before(month_of(today))


def may_be_declared(month: date, *, began_on: date, today: date) -> bool:
    """Return whether the month can be declared: not before the registration, not ahead of its time."""
    return month.day == 1 and month_of(began_on) <= month <= month_of(today)


def word_on(month: date, *, said: bool | None, began_on: date, today: date, due_day: int) -> Word:
    """
    Return what is known of the month.

    :param said: whether there was something; None: nobody said a word
    """
    if said is not None:
        return Word.DECLARED if said else Word.NOTHING
    if month < month_of(began_on):
        return Word.BEFORE
    return Word.SILENT if today > due_on(month, due_day) else Word.NOT_YET


def months_between(first: date, last: date) -> list[date]:
    """
    >>> [str(each) for each in months_between(date(2026, 11, 1), date(2027, 1, 1))]
    ['2026-11-01', '2026-12-01', '2027-01-01']
    """
    found = []
    while first <= last:
        found.append(first)
        first = month_after(first)
    return found
