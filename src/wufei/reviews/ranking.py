"""
Who comes first, and what decided it?

By the normalised score, the higher first. Equal scores are settled by the edition's tie rules in their
order: the mean of an item of the rubric, or a figure of the frozen case. A figure that is not known loses
the tie, and the place says so. What no rule separates shares its rank.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby

from wufei.policies.edition import TieRule


@dataclass(frozen=True, slots=True)
class Contender:
    case: int
    code: str
    score: Decimal


@dataclass(frozen=True, slots=True)
class Place:
    """A case's place: the rules that parted it from those of equal score, and what was not known of it."""

    case: int
    rank: int
    decided_by: tuple[str, ...] = ()  # as the rules say it
    unknown: tuple[str, ...] = ()  # figures that were asked and are not known
    is_shared: bool = False  # no rule parts it from another of its rank


Values = Mapping[int, Decimal | None]  # by case; None or absent: not known
ValuesOf = Callable[[TieRule, Sequence[int]], Values]


def rank(contenders: Iterable[Contender], *, ties: Sequence[TieRule], values_of: ValuesOf) -> list[Place]:
    """
    Return the places, the first first.

    `values_of` is asked only for the cases that are tied, once for each rule.
    """
    ordered = sorted(contenders, key=lambda each: (-each.score, each.code))
    groups = [list(group) for _, group in groupby(ordered, key=lambda each: each.score)]
    tied = [each.case for group in groups if len(group) > 1 for each in group]
    values = [values_of(rule, tied) for rule in ties] if tied else []
    places: list[Place] = []
    for group in groups:
        first = len(places) + 1
        if len(group) == 1:
            places.append(Place(group[0].case, first))
        else:
            places += _settled(group, first, ties, values)
    return places


def _settled(
    group: Sequence[Contender], first: int, ties: Sequence[TieRule], values: Sequence[Values]
) -> list[Place]:
    """Put those of equal score in order; each place names the rules that part it from its neighbours."""
    keys = {
        each.case: tuple(_key(rule, known.get(each.case)) for rule, known in zip(ties, values, strict=True))
        for each in group
    }
    ordered = sorted(group, key=lambda each: (keys[each.case], each.code))
    ranks: list[int] = []
    for place, each in enumerate(ordered):
        shares = place > 0 and keys[each.case] == keys[ordered[place - 1].case]
        ranks.append(ranks[-1] if shares else first + place)
    sharing = Counter(ranks)
    places = []
    for place, each in enumerate(ordered):
        beside = [ordered[at] for at in (place - 1, place + 1) if 0 <= at < len(ordered)]
        parted = {p for other in beside if (p := _parted(keys[each.case], keys[other.case])) is not None}
        asked = range(max(parted, default=-1) + 1) if parted else range(len(ties))
        places.append(
            Place(
                each.case,
                ranks[place],
                decided_by=tuple(ties[p].says for p in sorted(parted)),
                unknown=tuple(ties[p].says for p in asked if values[p].get(each.case) is None),
                is_shared=sharing[ranks[place]] > 1,
            )
        )
    return places


def _key(rule: TieRule, value: Decimal | None) -> tuple[int, Decimal]:
    if value is None:
        return 1, Decimal(0)
    return 0, value if rule.better == "lower" else -value


def _parted(one: Sequence[object], other: Sequence[object]) -> int | None:
    """Return the first rule by which the two differ."""
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=True)) if a != b), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """What a cut-off would select."""

    selected: int
    passed_over: int  # within the number, but below the score that is asked
    is_through_tie: bool  # the line runs between cases of one rank: it can't be drawn there
    last_score: Decimal | None
    next_score: Decimal | None


def cut(
    places: Sequence[Place],
    scores: Mapping[int, Decimal],
    *,
    number: int | None,
    at_least: Decimal | None = None,
) -> Cut:
    """Return what happens where the first `number` are selected, of those with a score of `at_least`."""
    wanted = len(places) if number is None else min(number, len(places))
    good = [place for place in places[:wanted] if at_least is None or scores[place.case] >= at_least]
    count = len(good)
    through = 0 < count < len(places) and places[count - 1].rank == places[count].rank
    return Cut(
        selected=count,
        passed_over=wanted - count,
        is_through_tie=through,
        last_score=scores[places[count - 1].case] if count else None,
        next_score=scores[places[count].case] if count < len(places) else None,
    )
