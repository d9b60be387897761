"""
Who is in the bottom share of a year, and for how many years running?

Each year's population is counted by itself: the titles in force in that year whose score is known. How many
are in the bottom is the share of it, rounded down. Ties never go against the holder: a tied group that does
not fit into that number as a whole is left out as a whole. A year without a score breaks the run. How it is
rounded and how ties fall are our reading; the edition's text says neither.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_FLOOR, Decimal

OUR_READING = (
    "后百分之几的个数按当年有得分的在册称号数向下取整；得分并列而不能全部列入的，并列者都不列入；"
    "当年没有得分的不计入总数，并中断连续年数。"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Year:
    """One year's population and its bottom."""

    year: int
    scores: Mapping[str, Decimal]  # by title
    allowed: int  # how many the share gives, rounded down
    bottom: frozenset[str]

    @property
    def cut(self) -> Decimal | None:
        """Return the highest score within the bottom; None where nobody is in it."""
        return max((self.scores[title] for title in self.bottom), default=None)

    @property
    def tied_at(self) -> Decimal | None:
        """Return the score of the tied group that was left out because it did not fit; None: there is none."""
        if len(self.bottom) == self.allowed:
            return None
        return min(score for title, score in self.scores.items() if title not in self.bottom)

    @property
    def ranks(self) -> dict[str, int]:
        """Return the place of each title, the highest score first; equal scores share a place."""
        place, found = 1, dict[str, int]()
        for _, titles in _by_score(self.scores, is_reversed=True):
            found |= dict.fromkeys(titles, place)
            place += len(titles)
        return found


def year_of(year: int, scores: Mapping[str, Decimal], *, share_pct: Decimal) -> Year:
    """Return the year's bottom."""
    allowed = int((len(scores) * share_pct / 100).to_integral_value(rounding=ROUND_FLOOR))
    bottom: set[str] = set()
    for _, titles in _by_score(scores):
        if len(bottom) + len(titles) > allowed:
            break
        bottom.update(titles)
    return Year(year=year, scores=dict(scores), allowed=allowed, bottom=frozenset(bottom))


def _by_score(
    scores: Mapping[str, Decimal], *, is_reversed: bool = False
) -> Iterable[tuple[Decimal, list[str]]]:
    groups: dict[Decimal, list[str]] = {}
    for title, score in scores.items():
        groups.setdefault(score, []).append(title)
    return sorted(groups.items(), reverse=is_reversed)


def runs(years: Mapping[int, Year], *, through: int) -> dict[str, int]:
    """Return for each title of the last bottom in how many years running, through that year, it was there."""
    found: Counter[str] = Counter()
    running, year = years[through].bottom, through
    while running:
        found.update(running)
        year -= 1
        running = running & years[year].bottom if year in years else frozenset()
    return dict(found)


def whole_years_after(day: date, years: int) -> date:
    """
    Return the last day of that many whole years, the day they begin not counted.

    >>> whole_years_after(date(2026, 3, 10), 3), whole_years_after(date(2028, 2, 29), 3)
    (datetime.date(2029, 3, 10), datetime.date(2031, 2, 28))
    """
    try:
        return day.replace(year=day.year + years)
    except ValueError:  # 29 February has no like in that year: the month's last day
        return day.replace(year=day.year + years, day=28)
