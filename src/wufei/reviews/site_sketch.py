"""
Where was it checked? A little drawing of the places to each other, without a map from outside.

Pure. Only for the eye: what counts are the coordinates that stand beside it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

SIDE = 200  # of the drawing
MARGIN = 24
METRES_PER_DEGREE = 111_320
NICE = (10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a check was made, as the phone said."""

    label: str
    latitude: Decimal
    longitude: Decimal
    accuracy_m: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dot:
    label: str
    x: int
    y: int
    radius: int  # of the accuracy, in the drawing's units


@dataclass(frozen=True, slots=True, kw_only=True)
class Sketch:
    dots: tuple[Dot, ...]
    bar: int  # length of the scale bar in the drawing's units
    bar_metres: int


def sketch(places: Sequence[Place]) -> Sketch | None:
    """
    Draw the places, north up, all of them within the drawing; None where there is none.

    >>> drawn = sketch([Place(label="1", latitude=Decimal("29.0"), longitude=Decimal("106.6"), accuracy_m=10)])
    >>> [(dot.x, dot.y) for dot in drawn.dots], drawn.bar_metres
    ([(100, 100)], 20)
    """
    if not places:
        return None
    middle = sum(float(each.latitude) for each in places) / len(places)
    east = METRES_PER_DEGREE * math.cos(math.radians(middle))
    points = [(float(p.longitude) * east, float(p.latitude) * METRES_PER_DEGREE) for p in places]
    left, right = min(x for x, _ in points), max(x for x, _ in points)
    low, high = min(y for _, y in points), max(y for _, y in points)
    spread = max(right - left, high - low, 2 * max((p.accuracy_m or 0) for p in places), 50)
    scale = (SIDE - 2 * MARGIN) / spread
    dots = tuple(
        Dot(
            label=place.label,
            x=round(SIDE / 2 + (x - (left + right) / 2) * scale),
            y=round(SIDE / 2 - (y - (low + high) / 2) * scale),
            radius=min(round((place.accuracy_m or 0) * scale), SIDE // 2),
        )
        for place, (x, y) in zip(places, points, strict=True)
    )
    metres = max((each for each in NICE if each * scale <= SIDE / 2), default=NICE[0])
    return Sketch(dots=dots, bar=min(round(metres * scale), SIDE - MARGIN), bar_metres=metres)
