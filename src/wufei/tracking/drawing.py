"""
How is a track drawn without a map from elsewhere?

Pure. A plane about the track, east to the right and north up, a graticule of degrees under it: no roads, no borders, for
no outlines are in our data. All that is returned is text or whole tenths of a unit, ready to stand in an SVG.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from itertools import pairwise

from wufei.tracking.geometry import METRES_PER_UDEG, MICRO, Point, degrees, distance_m, simplified
from wufei.tracking.positions import Fix

WIDE, DEEP = 480, 360
MARGIN = 30
LEAST_SPAN_M = 1_500  # what is drawn is at least so wide: a lorry that stands is no storm
TOLERANCE = 0.4  # of a unit: less than a line's width
FARTHEST_APART = 110  # between two arrows, in units
GAP = timedelta(minutes=10)  # longer apart, two positions are not joined by a full line


class Mark(StrEnum):
    START = "start"
    END = "end"
    NOW = "now"
    PLACE = "place"
    STOP = "STOP"
    DETOUR = "DETOUR"
    SILENCE = "SILENCE"


@dataclass(frozen=True, slots=True)
class Marked:
    """Something at a point: where it stands in the picture, what it is, what is written beside it."""

    mark: Mark
    point: Point
    text: str


@dataclass(frozen=True, slots=True)
class Label:
    x: str
    y: str
    text: str
    mark: Mark | None = None
    is_left: bool = False  # written to the left of its point, for there is no room on the right


@dataclass(frozen=True, slots=True)
class Line:
    x1: str
    y1: str
    x2: str
    y2: str
    text: str
    is_meridian: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """What the template draws; paths are the `d` of an SVG path."""

    wide: int = WIDE
    deep: int = DEEP
    graticule: Sequence[Line]
    corridor: str  # "" where no route was stated
    corridor_width: str
    track: str
    gaps: str
    arrows: Sequence[tuple[str, str, str]]  # x, y, degrees clockwise from east
    outliers: Sequence[tuple[str, str]]
    marks: Sequence[Label]
    scale_px: str
    scale_words: str
    point_count: int
    drawn_count: int


@dataclass(frozen=True, slots=True)
class _Plane:
    """Micro-degrees to units."""

    west: float
    north: float
    shrink: float  # of a degree of longitude against one of latitude
    units_per_udeg: float
    left: float = 0.0
    top: float = 0.0

    def at(self, point: Point) -> tuple[float, float]:
        x = (point[1] - self.west) * self.shrink * self.units_per_udeg + self.left
        return x, (self.north - point[0]) * self.units_per_udeg + self.top

    def east_at(self, x: float) -> float:
        return (x - self.left) / self.units_per_udeg / self.shrink + self.west

    def north_at(self, y: float) -> float:
        return self.north - (y - self.top) / self.units_per_udeg

    @property
    def units_per_metre(self) -> float:
        return self.units_per_udeg / METRES_PER_UDEG


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What is to be drawn: the stretches of the way, what is marked, the way that was stated."""

    ways: Sequence[Sequence[Fix]]
    marks: Sequence[Marked]
    route: Sequence[Point] = ()
    corridor_m: int = 0
    outliers: Sequence[Point] = field(default_factory=tuple)


def picture(scene: Scene) -> Picture | None:
    """Return the picture; None where there is nothing to draw."""
    shown = [fix.point for way in scene.ways for fix in way] + [each.point for each in scene.marks]
    shown += scene.route
    if not shown:
        return None
    plane = _plane(shown)
    full, dashed, arrows, drawn = _way(scene.ways, plane)
    metres, words = _scale(plane)
    return Picture(
        graticule=_graticule(plane),
        corridor=_path([plane.at(each) for each in scene.route]) if len(scene.route) > 1 else "",
        corridor_width=_n(max(3.0, 2 * scene.corridor_m * plane.units_per_metre)),
        track=full, gaps=dashed, arrows=arrows,
        outliers=[(_n(x), _n(y)) for x, y in map(plane.at, scene.outliers) if _is_inside(x, y)],
        marks=_labels(scene.marks, plane), scale_px=_n(metres * plane.units_per_metre), scale_words=words,
        point_count=sum(map(len, scene.ways)), drawn_count=drawn,
    )  # fmt: skip


def _n(value: float) -> str:
    """Write a length to a tenth, without a needless zero."""
    text = f"{value:.1f}"
    return "0" if text == "-0.0" else text.removesuffix(".0")


def _is_inside(x: float, y: float) -> bool:
    return 0 <= x <= WIDE and 0 <= y <= DEEP


def _plane(shown: Sequence[Point]) -> _Plane:
    south, north = min(p[0] for p in shown), max(p[0] for p in shown)
    west, east = min(p[1] for p in shown), max(p[1] for p in shown)
    shrink = max(0.01, math.cos(math.radians((south + north) / 2 / MICRO)))
    least = LEAST_SPAN_M / METRES_PER_UDEG
    high, wide = max(north - south, least), max((east - west) * shrink, least)
    units = min((WIDE - 2 * MARGIN) / wide, (DEEP - 2 * MARGIN) / high)
    # What is drawn stands in the middle.
    left = (WIDE - (east - west) * shrink * units) / 2
    top = (DEEP - (north - south) * units) / 2
    return _Plane(west, north, shrink, units, left, top)


def _way(ways: Iterable[Sequence[Fix]], plane: _Plane) -> tuple[str, str, list[tuple[str, str, str]], int]:
    """Return the full lines, the dashed ones over gaps, the arrows, and of how many points."""
    full, dashed, arrows, drawn = [], [], [], 0
    for way in ways:
        for run in _runs(way):
            points = [plane.at(fix.point) for fix in run]
            kept = [points[at] for at in simplified(points, TOLERANCE)]
            full.append(_path(kept))
            arrows += _arrows(kept)
            drawn += len(kept)
        dashed += [
            _path([plane.at(one.point), plane.at(other.point)])
            for one, other in pairwise(way)
            if other.at - one.at > GAP
        ]
    return " ".join(full), " ".join(dashed), arrows, drawn


def _runs(way: Sequence[Fix]) -> list[list[Fix]]:
    runs: list[list[Fix]] = []
    for fix in way:
        if runs and fix.at - runs[-1][-1].at <= GAP:
            runs[-1].append(fix)
        else:
            runs.append([fix])
    return runs


def _path(points: Sequence[tuple[float, float]]) -> str:
    """
    Return the path through the points; one alone is a dot.

    >>> _path([(0, 0), (10, 2.55)]), _path([(1, 1)])
    ('M0 0L10 2.5', 'M1 1h0.1')
    """
    head, *rest = [f"{_n(x)} {_n(y)}" for x, y in points]
    return f"M{head}" + ("".join(f"L{each}" for each in rest) or "h0.1")


def _arrows(points: Sequence[tuple[float, float]]) -> list[tuple[str, str, str]]:
    """Return an arrow every so far along the line, turned as the line goes there."""
    found = []
    left = FARTHEST_APART / 2
    for (ax, ay), (bx, by) in pairwise(points):
        length = math.hypot(bx - ax, by - ay)
        if length == 0:
            continue
        while left <= length:
            part = left / length
            turned = math.degrees(math.atan2(by - ay, bx - ax))
            found.append((_n(ax + (bx - ax) * part), _n(ay + (by - ay) * part), _n(turned)))
            left += FARTHEST_APART
        left -= length
    return found


def nice_step(span: float, most: int) -> float:
    """
    Return the widest apart of 1, 2, 5 × 10ⁿ that gives at most so many steps within the span.

    >>> nice_step(95, 5), nice_step(0.9, 4)
    (20, 0.5)
    """
    power = 10.0 ** math.floor(math.log10(span / most))
    for step in (1, 2, 5, 10):
        if span / (step * power) <= most:
            found = step * power
            return round(found) if found >= 1 else found
    raise AssertionError("ten times the power of ten below is enough")


def _graticule(plane: _Plane) -> list[Line]:
    """Return meridians and parallels at even degrees."""
    west, east = plane.east_at(0), plane.east_at(WIDE)
    south, north = plane.north_at(DEEP), plane.north_at(0)
    step = max(1, round(nice_step(max(east - west, north - south), 5)))
    lines = []
    for longitude in range(math.ceil(west / step) * step, math.floor(east) + 1, step):
        x = _n(plane.at((0, longitude))[0])
        lines.append(Line(x, "0", x, str(DEEP), _words(longitude, step, "EW"), True))
    for latitude in range(math.ceil(south / step) * step, math.floor(north) + 1, step):
        y = _n(plane.at((latitude, 0))[1])
        lines.append(Line("0", y, str(WIDE), y, _words(latitude, step, "NS"), False))
    return lines


def _words(udeg: int, step: int, ends: str) -> str:
    """
    Write a degree as finely as the step asks.

    >>> _words(29_500_000, 500_000, "NS"), _words(-1_000_000, 1_000_000, "EW")
    ('29.5°N', '1°W')
    """
    text = degrees(abs(udeg)).rstrip("0").rstrip(".")
    places = max(0, 6 - (len(str(step)) - 1))
    whole, _, part = text.partition(".")
    text = f"{whole}.{part.ljust(places, '0')}" if places and step % MICRO else whole
    return f"{text}°{ends[0] if udeg >= 0 else ends[1]}"


def _scale(plane: _Plane) -> tuple[float, str]:
    """Return the metres of the scale bar, and its words."""
    metres = nice_step(WIDE / plane.units_per_metre, 4)
    return metres, f"{metres // 1000:g} 公里" if metres >= 1000 else f"{metres:g} 米"


def _labels(marks: Iterable[Marked], plane: _Plane) -> list[Label]:
    found = []
    for each in marks:
        x, y = plane.at(each.point)
        found.append(Label(_n(x), _n(y), each.text, each.mark, x > WIDE * 0.62))
    return found


def sampled(count: int, most: int) -> list[int]:
    """
    Return which of so many rows to list: at most `most`, evenly, the first and the last among them.

    >>> sampled(3, 5), sampled(10, 4), sampled(0, 4)
    ([0, 1, 2], [0, 3, 6, 9], [])
    """
    if count <= most:
        return list(range(count))
    return sorted({round(at * (count - 1) / (most - 1)) for at in range(most)})


def speeds(fixes: Sequence[Fix]) -> list[int | None]:
    """Return at each position the speed since the one before, in whole km/h; None at the first."""
    found: list[int | None] = [None] * min(1, len(fixes))
    for one, other in pairwise(fixes):
        seconds = (other.at - one.at).total_seconds()
        found.append(round(distance_m(one.point, other.point) / seconds * 3.6) if seconds > 0 else None)
    return found
