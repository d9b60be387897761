"""Which days are a year, a quarter or a month that a person chose?"""

import calendar
from datetime import date

from wufei.terms.period import Period

QUARTERS = {f"Q{number}": f"第 {number} 季度" for number in range(1, 5)}
MONTHS = {f"{number:02d}": f"{number} 月" for number in range(1, 13)}
WHOLE_YEAR = ""
PARTS = {WHOLE_YEAR: "全年", **QUARTERS, **MONTHS}


def period_of(year: int, part: str) -> Period:
    """
    Return the days of the year, or of a part of it.

    >>> str(period_of(2025, "Q2"))
    '2025-04-01/2025-06-30'
    >>> str(period_of(2024, "02")), str(period_of(2024, ""))
    ('2024-02', '2024')
    """
    if part in QUARTERS:
        last = int(part[1]) * 3
        return Period(date(year, last - 2, 1), date(year, last, calendar.monthrange(year, last)[1]))
    return Period.month(year, int(part)) if part in MONTHS else Period.year(year)
