"""By which day must who have done what? Counted in working days; a year that is not loaded is said, not guessed."""

from dataclasses import dataclass
from datetime import date

from wufei.catalogue.working_days import YearNotLoaded, nth_working_day

CONFIRM_WITHIN = 5  # working days after arrival, 第十八条
ENTER_PAPER_WITHIN = 10  # working days after the transfer, 第二十条


@dataclass(frozen=True, slots=True)
class Due:
    """The last day, or why it isn't known."""

    on: date | None
    unknown_year: int | None = None


def working_days_after(start: date, days: int) -> Due:
    """Return the last day of so many working days after the start."""
    try:
        return Due(nth_working_day(start, days))
    except YearNotLoaded as missing:
        return Due(None, missing.year)


def confirmation_due(arrived_on: date) -> Due:
    """Return the day by which the receiver must have confirmed what arrived on that day."""
    return working_days_after(arrived_on, CONFIRM_WITHIN)


def paper_due(completed_on: date) -> Due:
    """Return the day by which a paper manifest must have been entered."""
    return working_days_after(completed_on, ENTER_PAPER_WITHIN)
