"""
What the round of 500 must come to, counted from its script alone.

Exact fractions and nothing of `wufei`: the scale of the experts, the order, the ties, the places of each district,
who takes the place of one that withdrew, and with what each case ends. A case is known by its place in the script,
which is the order in which codes are given.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import isqrt
from typing import NamedTuple

# How a case fares before anything is scored, or while it is.
ENDS = {
    "rejected": "REJECTED",
    "settled against": "REJECTED",
    "found wanting": "REJECTED",
    "withdraws": "WITHDRAWN",
    "withdraws when scored": "WITHDRAWN",
    "too late": "",
}
SCORED = {"withdraws when scored"}  # they have sheets, which count for nothing


@dataclass(frozen=True)
class Fate:
    """What the script has in store for an applicant."""

    district: str
    way: str
    figure: int | None  # its utilisation rate, as first handed in
    figure_later: int | None  # as handed in again, where it is
    wavers: bool  # withdraws once it is recommended
    lot: float  # who is objected to, who is refused at the end

    @property
    def is_scored(self) -> bool:
        return self.way not in ENDS or self.way in SCORED


class Sheet(NamedTuple):
    total: int
    level: int  # of it


Sheets = Mapping[tuple[int, str], Sheet]  # by case and expert; of two turns the last


class Line(NamedTuple):
    rank: int
    case: int
    raw: Fraction
    normalised: Fraction
    is_shared: bool


class Result(NamedTuple):
    first_ranking: list[Line]  # before those who were recommended withdrew
    ranking: list[Line]
    recommended: list[int]  # in the order of the ranking
    outcomes: dict[int, str]
    listed: list[int]


def counted(fates: Sequence[Fate], sheets: Sheets, *, cap: int) -> Result:
    """Return what the round comes to."""
    outcomes = {case: end for case, fate in enumerate(fates) if (end := ENDS.get(fate.way)) is not None}
    gone = {case for case, end in outcomes.items() if end == "WITHDRAWN"}
    first = ranked(fates, sheets, gone)
    leave = {case for case in chosen(first, fates, cap) if fates[case].wavers}
    gone |= leave
    ranking = ranked(fates, sheets, gone)
    kept = [case for case in chosen(first, fates, cap) if case not in leave]
    recommended = chosen(ranking, fates, cap, already=kept)
    by_lot = sorted(recommended, key=lambda case: fates[case].lot)
    removed, refused = by_lot[0], by_lot[-1]
    listed = [case for case in recommended if case not in (removed, refused)]
    for line in ranking:
        outcomes[line.case] = "RECOGNISED" if line.case in listed else "NOT_SELECTED"
    outcomes |= dict.fromkeys(leave, "WITHDRAWN") | {removed: "REMOVED", refused: "REFUSED"}
    return Result(first, ranking, recommended, {k: v for k, v in outcomes.items() if v}, listed)


def chosen(
    ranking: Iterable[Line], fates: Sequence[Fate], cap: int, *, already: Collection[int] = ()
) -> list[int]:
    """Return who takes the places of its district, the better first; who has one keeps it."""
    taken = Counter(fates[case].district for case in already)
    found = []
    for line in ranking:
        district = fates[line.case].district
        if line.case in already:
            found.append(line.case)
        elif taken[district] < cap:
            taken[district] += 1
            found.append(line.case)
    return found


def ranked(fates: Sequence[Fate], sheets: Sheets, gone: Collection[int]) -> list[Line]:
    """Return everybody in the order of score, then level, then figure; code parts the rest without a rank."""
    counting = {key: sheet for key, sheet in sheets.items() if key[0] not in gone}
    put = on_one_scale({key: Fraction(sheet.total) for key, sheet in counting.items()})
    rows: dict[int, list[tuple[Fraction, Fraction, Fraction]]] = defaultdict(list)
    for key, sheet in counting.items():
        rows[key[0]].append((put[key], Fraction(sheet.total), Fraction(sheet.level)))
    keys = {}
    for case, said in rows.items():
        normalised, raw, level = (sum(column, Fraction(0)) / len(said) for column in zip(*said, strict=True))
        figure = figure_of(fates[case])
        better = (-round(normalised, 4), -level, figure is None, -(figure or 0))
        keys[case] = (better, round(raw, 4), round(normalised, 4))
    alike = Counter(better for better, _, _ in keys.values())
    order = sorted(keys, key=lambda case: (keys[case][0], case))
    lines: list[Line] = []
    for at, case in enumerate(order):
        better, raw, normalised = keys[case]
        shares = at > 0 and keys[order[at - 1]][0] == better
        rank = lines[-1].rank if shares else at + 1
        lines.append(Line(rank, case, raw, normalised, alike[better] > 1))
    return lines


def figure_of(fate: Fate) -> int | None:
    """Return the figure that was handed in last."""
    return fate.figure if fate.figure_later is None else fate.figure_later


def on_one_scale(totals: Mapping[tuple[int, str], Fraction]) -> dict[tuple[int, str], Fraction]:
    """Return each total as far from the mean of all, in deviations of all, as its expert put it from his own."""
    mean, variance = _spread(totals.values())
    found = {}
    of_expert: Callable[[str], list[Fraction]] = lambda who: [t for (_, e), t in totals.items() if e == who]  # noqa: E731
    own = {expert: _spread(of_expert(expert)) for expert in {expert for _, expert in totals}}
    for key, total in totals.items():
        own_mean, own_variance = own[key[1]]
        stretch = _root(variance / own_variance) if own_variance else Fraction(0)
        found[key] = mean + (total - own_mean) * stretch
    return found


def _spread(values: Iterable[Fraction]) -> tuple[Fraction, Fraction]:
    numbers = list(values)
    mean = sum(numbers, Fraction(0)) / len(numbers)
    return mean, sum(((each - mean) ** 2 for each in numbers), Fraction(0)) / len(numbers)


def _root(square: Fraction) -> Fraction:
    """Return the root to thirty places."""
    return Fraction(isqrt(int(square * 10**60)), 10**30)
