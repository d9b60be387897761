"""
How far, how long, how near to a line? On WGS-84 coordinates in whole micro-degrees.

Pure. Lengths are of a sphere of the earth's mean radius: right to half a per cent, which no rule here feels.
"""

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise

Point = tuple[int, int]  # latitude, longitude in micro-degrees

EARTH_RADIUS_M = 6_371_008.8
MICRO = 1_000_000
METRES_PER_UDEG = math.pi * EARTH_RADIUS_M / 180 / MICRO  # along a meridian
LARGEST_LATITUDE, LARGEST_LONGITUDE = 90 * MICRO, 180 * MICRO


def distance_m(one: Point, other: Point) -> float:
    """
    Return the metres between two points (haversine).

    >>> round(distance_m((29_028_000, 106_651_000), (29_029_000, 106_651_000)))
    111
    """
    if one == other:
        return 0.0
    latitude, other_latitude = math.radians(one[0] / MICRO), math.radians(other[0] / MICRO)
    up = math.sin((other_latitude - latitude) / 2) ** 2
    across = math.sin(math.radians((other[1] - one[1]) / MICRO) / 2) ** 2
    half = up + math.cos(latitude) * math.cos(other_latitude) * across
    return 2 * EARTH_RADIUS_M * math.asin(math.sqrt(min(1.0, half)))


def length_m(points: Iterable[Point]) -> float:
    """Return the length of the line through the points."""
    return sum(distance_m(one, other) for one, other in pairwise(points))


def distance_to_segment_m(point: Point, start: Point, end: Point) -> float:
    """Return the metres from the point to the straight piece between two others, in the plane about the point."""
    shrink = math.cos(math.radians(point[0] / MICRO))
    ax, ay = (start[1] - point[1]) * shrink, float(start[0] - point[0])
    bx, by = (end[1] - point[1]) * shrink, float(end[0] - point[0])
    dx, dy = bx - ax, by - ay
    squared = dx * dx + dy * dy
    along = 0.0 if squared == 0 else max(0.0, min(1.0, -(ax * dx + ay * dy) / squared))
    return math.hypot(ax + along * dx, ay + along * dy) * METRES_PER_UDEG


def distance_to_line_m(point: Point, line: Sequence[Point]) -> float:
    """Return the metres from the point to the nearest piece of the line."""
    if len(line) == 1:
        return distance_m(point, line[0])
    return min(distance_to_segment_m(point, one, other) for one, other in pairwise(line))


def simplified(points: Sequence[tuple[float, float]], tolerance: float) -> list[int]:
    """
    Return which points a line may keep so that it strays nowhere more than the tolerance (Douglas–Peucker).

    >>> simplified([(0, 0), (1, 0.1), (2, 0), (3, 5)], 0.5)
    [0, 2, 3]
    """
    if len(points) < 3:
        return list(range(len(points)))
    kept, ahead = {0, len(points) - 1}, [(0, len(points) - 1)]
    while ahead:
        first, last = ahead.pop()
        at, far = _farthest(points, first, last)
        if far > tolerance:
            kept.add(at)
            ahead += [(first, at), (at, last)]
    return sorted(kept)


def _farthest(points: Sequence[tuple[float, float]], first: int, last: int) -> tuple[int, float]:
    (ax, ay), (bx, by) = points[first], points[last]
    dx, dy = bx - ax, by - ay
    squared = dx * dx + dy * dy
    found, far = first, 0.0
    for at in range(first + 1, last):
        px, py = points[at][0] - ax, points[at][1] - ay
        along = 0.0 if squared == 0 else max(0.0, min(1.0, (px * dx + py * dy) / squared))
        x, y = px - along * dx, py - along * dy
        if (squared_far := x * x + y * y) > far:
            found, far = at, squared_far
    return found, math.sqrt(far)


def degrees(udeg: int) -> str:
    """
    Write micro-degrees as decimal degrees, exactly.

    >>> degrees(29_028_100), degrees(-500_000), degrees(0)
    ('29.028100', '-0.500000', '0.000000')
    """
    whole, part = divmod(abs(udeg), MICRO)
    return f"{'-' if udeg < 0 else ''}{whole}.{part:06d}"
