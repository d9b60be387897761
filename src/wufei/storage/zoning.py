"""
May this waste stand in that zone, what stands too near to what, and how full is a zone?

Pure. Lengths are centimetres in the store's own plan, from its upper left corner.
"""

import re
from collections.abc import Collection, Iterable
from enum import StrEnum
from itertools import combinations
from typing import NamedTuple

from wufei.ledger.transforming import Incompatible, StreamNature

NEAR_PER_CENT = 80
NEIGHBOURS_WITHIN_CM = 100  # our own reading: GB 18597-2023 names no distance


class Fullness(StrEnum):
    """How full a zone is."""

    FREE = "FREE"
    NEAR = "NEAR"
    OVER = "OVER"


class Rectangle(NamedTuple):
    x_cm: int
    y_cm: int
    width_cm: int
    depth_cm: int


class Waste(NamedTuple):
    """What stands somewhere, as far as its neighbours mind."""

    stream_code: str
    nature: StreamNature


def is_permitted(*, permitted: Collection[str], stream_code: str, waste_category: str) -> bool:
    """
    Is the stream, or its category, among the words of the zone? A zone without words takes all.

    >>> is_permitted(permitted=["HW08"], stream_code="F1", waste_category="HW08")
    True
    """
    return not permitted or stream_code in permitted or waste_category in permitted


def clash(one: Waste, other: Waste, rules: Iterable[Incompatible]) -> str:
    """Return why the two may not stand beside each other, or ""."""
    if one.stream_code == other.stream_code:
        return ""
    for rule in rules:
        for first, second in ((one, other), (other, one)):
            if _is_a(first.nature, rule.one) and _is_a(second.nature, rule.other):
                return rule.why
    return ""


def _is_a(nature: StreamNature, word: str) -> bool:
    return word == nature.waste_category or word in nature.hazards


def first_clash(one: Iterable[Waste], other: Iterable[Waste], rules: Collection[Incompatible]) -> str:
    """Return why some waste of the one may not stand beside some of the other, or ""."""
    others = set(other)
    return next((why for each in set(one) for that in others if (why := clash(each, that, rules))), "")


def neighbours(places: dict[int, Rectangle]) -> list[tuple[int, int]]:
    """Return the pairs of zones with less than a metre between them."""
    return [
        (one, other)
        for one, other in combinations(sorted(places), 2)
        if _gap(places[one].x_cm, places[one].width_cm, places[other].x_cm, places[other].width_cm)
        < NEIGHBOURS_WITHIN_CM
        and _gap(places[one].y_cm, places[one].depth_cm, places[other].y_cm, places[other].depth_cm)
        < NEIGHBOURS_WITHIN_CM
    ]


def _gap(start: int, length: int, other_start: int, other_length: int) -> int:
    return max(other_start - (start + length), start - (other_start + other_length), 0)


def level(*, used: int, limit: int | None) -> Fullness:
    """
    >>> level(used=81, limit=100), level(used=80, limit=100), level(used=101, limit=100), level(used=9, limit=None)
    (<Fullness.NEAR: 'NEAR'>, <Fullness.FREE: 'FREE'>, <Fullness.OVER: 'OVER'>, <Fullness.FREE: 'FREE'>)
    """
    if limit is None or used * 100 <= limit * NEAR_PER_CENT:
        return Fullness.FREE
    return Fullness.OVER if used > limit else Fullness.NEAR


def fuller(one: Fullness, other: Fullness) -> Fullness:
    order = list(Fullness)
    return max(one, other, key=order.index)


def overlap(one: Rectangle, other: Rectangle) -> bool:
    """
    >>> overlap(Rectangle(0, 0, 100, 100), Rectangle(100, 0, 50, 50))
    False
    """
    return (
        one.x_cm < other.x_cm + other.width_cm
        and other.x_cm < one.x_cm + one.width_cm
        and one.y_cm < other.y_cm + other.depth_cm
        and other.y_cm < one.y_cm + one.depth_cm
    )


def is_category(word: str) -> bool:
    """
    >>> is_category("HW08"), is_category("SW17"), is_category("油")
    (True, True, False)
    """
    return re.fullmatch(r"(HW|SW)\d\d", word) is not None
