"""
How long may this waste stand in store, and how many days are left?

Pure. The limits are data (`data/time_limits.yaml`), each with its source; several may apply, and the shortest binds.
"""

import calendar
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache
from pathlib import Path

import yaml

DUE_SOON_DAYS = 30


class Holder(StrEnum):
    OPERATOR = "OPERATOR"
    ANY = "ANY"


class Due(StrEnum):
    NO_LIMIT = "NO_LIMIT"
    IN_TIME = "IN_TIME"
    SOON = "SOON"
    OVERDUE = "OVERDUE"


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeLimit:
    id: str
    holder: Holder
    waste_class: str
    months: int
    division: str
    source: str
    confidence: str  # verified, unverified


@cache
def known_time_limits() -> tuple[TimeLimit, ...]:
    """Return the limits that we ship."""
    said = yaml.safe_load((Path(__file__).parent / "data" / "time_limits.yaml").read_text(encoding="utf-8"))
    return tuple(TimeLimit(**row | {"holder": Holder(row["holder"])}) for row in said["limits"])


def limit_for(
    *, limits: Iterable[TimeLimit], is_operator: bool, waste_class: str, division: str
) -> TimeLimit | None:
    """Return the shortest limit that applies, if any does."""
    applying = [
        limit
        for limit in limits
        if (limit.holder is Holder.ANY or is_operator)
        and limit.waste_class == waste_class
        and division.startswith(limit.division)
    ]
    return min(applying, key=lambda limit: limit.months, default=None)


def last_day(since: date, months: int) -> date:
    """
    Return the last day on which it may still stand there.

    >>> last_day(date(2024, 2, 29), 12), last_day(date(2025, 8, 31), 6)
    (datetime.date(2025, 2, 28), datetime.date(2026, 2, 28))
    """
    at = since.year * 12 + since.month - 1 + months
    year, month = at // 12, at % 12 + 1
    return date(year, month, min(since.day, calendar.monthrange(year, month)[1]))


def due(*, last: date | None, today: date) -> Due:
    if last is None:
        return Due.NO_LIMIT
    if today > last:
        return Due.OVERDUE
    return Due.SOON if (last - today).days <= DUE_SOON_DAYS else Due.IN_TIME
