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
from typing import NamedTuple

from wufei.policies.edition import TieRule


class Contender(NamedTuple):
    case: int
    code: str
    score: Decimal


class Place(NamedTuple):
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

    `values_of` is asked once for each rule, and only for the cases that the rules before it left tied.
    """
    ordered = sorted(contenders, key=lambda each: (-each.score, each.code))
    groups = [list(group) for _, group in groupby(ordered, key=lambda each: each.score)]
    keys: dict[int, list[_Key]] = {each.case: [] for each in ordered}
    values: list[Values] = []
    for rule in ties:
        tied = _tied(groups, keys)
        values.append(values_of(rule, tied) if tied else {})
        for case in tied:
            keys[case].append(_key(rule, values[-1].get(case)))
    places: list[Place] = []
    for group in groups:
        if len(group) == 1:
            places.append(Place(group[0].case, len(places) + 1))
        else:
            places += _settled(group, len(places) + 1, ties, keys)
    return places


def _tied(groups: Iterable[Sequence[Contender]], keys: Mapping[int, Sequence["_Key"]]) -> list[int]:
    """Return the cases that the rules so far do not part from another of the same score."""
    found: list[int] = []
    for group in groups:
        if len(group) > 1:
            alike = Counter(tuple(keys[each.case]) for each in group)
            found += [each.case for each in group if alike[tuple(keys[each.case])] > 1]
    return found


def _settled(
    group: Sequence[Contender], first: int, ties: Sequence[TieRule], keys: Mapping[int, Sequence["_Key"]]
) -> list[Place]:
    """Put those of equal score in order; each place names the rules that part it from its neighbours."""
    ordered = sorted(group, key=lambda each: (tuple(keys[each.case]), each.code))
    ranks: list[int] = []
    for place, each in enumerate(ordered):
        shares = place > 0 and keys[each.case] == keys[ordered[place - 1].case]
        ranks.append(ranks[-1] if shares else first + place)
    sharing = Counter(ranks)
    places = []
    for place, each in enumerate(ordered):
        own = keys[each.case]
        beside = [ordered[at] for at in (place - 1, place + 1) if 0 <= at < len(ordered)]
        parted = {at for other in beside if (at := _parted(own, keys[other.case])) is not None}
        places.append(
            Place(
                each.case,
                ranks[place],
                decided_by=tuple(ties[at].says for at in sorted(parted)),
                unknown=tuple(ties[at].says for at, (is_unknown, _) in enumerate(own) if is_unknown),
                is_shared=sharing[ranks[place]] > 1,
            )
        )
    return places


_Key = tuple[int, Decimal]  # whether it is unknown; the value, the better the smaller


def _key(rule: TieRule, value: Decimal | None) -> _Key:
    if value is None:
        return 1, Decimal(0)
    return 0, value if rule.better == "lower" else -value


def _parted(one: Sequence[_Key], other: Sequence[_Key]) -> int | None:
    """Return the first rule by which the two differ; a rule was asked only where those before did not part."""
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), None)


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
