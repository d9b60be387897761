"""
When must it be done?

Working days by the Chinese calendar. A return for correction suspends the clock that it interrupts: what was
left of it starts again with the day the case comes back.
"""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta

from wufei.terms.day import SHANGHAI

NthWorkingDay = Callable[[date, int], date]
WorkingDaysBetween = Callable[[date, date], int]


def due(start: date, working_days: int | None, *, nth: NthWorkingDay) -> date | None:
    """Return the last day to act, counted from the day after `start`; None: no limit is set."""
    return nth(start, working_days) if working_days else None


def remaining(today: date, due_on: date | None, *, between: WorkingDaysBetween) -> int | None:
    """Return how many working days are left when the clock is suspended; at least one; None: no limit is set."""
    return None if due_on is None else max(1, between(today, due_on))


def end_of(day: date) -> datetime:
    """Return the instant at which the day ends in China."""
    return datetime.combine(day + timedelta(days=1), time.min, tzinfo=SHANGHAI)


def is_in_time(now: datetime, *, deadline: date | None, grace_minutes: int, began_at: datetime) -> bool:
    """
    Return whether a submission arrives in time.

    Who had the case complete before the deadline ended, and is only sending it, has the stated grace.
    """
    if deadline is None or now < end_of(deadline):
        return True
    return began_at < end_of(deadline) and now < end_of(deadline) + timedelta(minutes=grace_minutes)
