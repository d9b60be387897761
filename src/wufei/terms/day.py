"""The day on which something is done: the calendar's, in China, wherever the machine stands."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")


def local_day(now: datetime) -> date:
    """
    Return the day in China at the instant.

    >>> from datetime import UTC
    >>> str(local_day(datetime(2026, 7, 1, 17, tzinfo=UTC)))
    '2026-07-02'
    """
    return now.astimezone(SHANGHAI).date()
