"""Stops, detours and silences, told from positions."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as some

from wufei.tracking.geometry import distance_m, distance_to_line_m, length_m, simplified
from wufei.tracking.incidents import AlertKind, Way, Window, incidents
from wufei.tracking.limits import limits
from wufei.tracking.positions import Fix

START = datetime(2026, 7, 1, 2, 0, tzinfo=UTC)
HOME, GOAL = (29_000_000, 106_000_000), (29_000_000, 107_000_000)
EAST = 10_000  # micro-degrees: some 970 m here


def fixes(*where: tuple[float, int, int]) -> list[Fix]:
    """Minutes after the start, and east and north of home in thousandths of a degree."""
    return [
        Fix(n, START + timedelta(minutes=at), HOME[0] + north * 1000, HOME[1] + east * 1000)
        for n, (at, east, north) in enumerate(where, 1)
    ]


def found(
    way: list[Fix], *, minutes: float, end: float | None = None, route=(HOME, GOAL), heard: float | None = 0.0
):
    window = Window(START, None if end is None else START + timedelta(minutes=end))
    known = Way(
        places=(HOME, GOAL), route=route, heard_from=None if heard is None else START + timedelta(minutes=heard)
    )  # fmt: skip
    rows = incidents(window, way, known, now=START + timedelta(minutes=minutes), limits=limits())
    return [
        (
            each.kind, (each.began_at - START) // timedelta(minutes=1),
            None if each.ended_at is None else (each.ended_at - START) // timedelta(minutes=1),
        )
        for each in rows
    ]  # fmt: skip


def drive(start: int, end: int, east: int = 10) -> list[tuple[float, int, int]]:
    return [(minute, minute * east, 0) for minute in range(start, end + 1)]


def test_a_lorry_that_drives_along_its_route_gives_no_cause():
    assert found(fixes(*drive(0, 60)), minutes=61) == []


def test_who_stands_too_long_elsewhere_is_noticed_and_who_stands_at_home_or_at_the_goal_is_not():
    home = fixes(*[(minute, 0, 0) for minute in range(0, 60, 5)])
    assert found(home, minutes=56) == []
    goal = fixes(*[(minute, 1000, 0) for minute in range(0, 60, 5)])
    assert found(goal, minutes=56) == []
    road = fixes(*[(minute, 500, 0) for minute in range(0, 60, 5)])
    assert found(road, minutes=56) == [(AlertKind.STOP, 0, None)]


def test_a_stop_ends_when_it_drives_on_or_arrives():
    stood = [(minute, 200, 0) for minute in range(20, 46, 5)]
    way = fixes(*drive(0, 19), *stood, (46, 210, 0), (50, 250, 0))
    assert found(way, minutes=51) == [(AlertKind.STOP, 20, 45)]
    arrived = fixes(*drive(0, 19), *stood)
    assert found(arrived, minutes=90, end=47) == [(AlertKind.STOP, 20, 47)]
    short = fixes(*drive(0, 19), *[(minute, 200, 0) for minute in range(20, 41, 5)], (41, 210, 0))
    assert found(short, minutes=42) == []


def test_who_leaves_the_corridor_long_enough_is_noticed_once():
    off = [(minute, minute * 10, 60) for minute in range(20, 31)]  # 6.7 km north of the route
    way = fixes(*drive(0, 19), *off, *drive(31, 40))
    assert found(way, minutes=41) == [(AlertKind.DETOUR, 20, 31)]
    assert found(way[:31], minutes=31) == [(AlertKind.DETOUR, 20, None)]
    short = fixes(*drive(0, 19), *off[:5], *drive(31, 40))
    assert found(short, minutes=41) == []


def test_without_a_route_no_detour_is_found_and_none_is_denied():
    off = fixes(*[(minute, minute * 10, 60) for minute in range(40)])
    assert found(off, minutes=40, route=()) == []


def test_silence_is_found_before_between_and_after_positions():
    way = fixes((20, 0, 0), (21, 10, 0), (50, 200, 0))
    assert found(way, minutes=60) == [(AlertKind.SILENCE, 0, 20), (AlertKind.SILENCE, 21, 50)]
    assert found(way, minutes=66)[-1] == (AlertKind.SILENCE, 50, None)
    assert found(way, minutes=99, end=70)[-1] == (AlertKind.SILENCE, 50, 70)
    assert found([], minutes=16) == [(AlertKind.SILENCE, 0, None)]
    assert found([], minutes=15) == []


def test_where_there_is_nothing_to_hear_nobody_is_silent():
    assert found([], minutes=600, heard=None) == []
    assert found([], minutes=30, heard=20) == []
    assert found([], minutes=36, heard=20) == [(AlertKind.SILENCE, 20, None)]


def test_distances_are_those_of_the_earth():
    assert round(distance_m((0, 0), (0, 1_000_000))) == 111_195
    assert round(distance_m((90_000_000, 0), (-90_000_000, 0))) == 20_015_114
    assert round(length_m([HOME, GOAL, HOME])) == 2 * round(distance_m(HOME, GOAL))
    assert round(distance_to_line_m((29_010_000, 106_500_000), (HOME, GOAL))) == 1112
    assert distance_to_line_m(HOME, [GOAL]) == distance_m(HOME, GOAL)


_PLANE = some.floats(-1000, 1000, allow_nan=False)


@given(some.lists(some.tuples(_PLANE, _PLANE), max_size=40), some.floats(0.01, 50))
def test_a_simplified_line_keeps_its_ends_and_strays_no_more_than_the_tolerance(points, tolerance):
    kept = simplified(points, tolerance)
    assert kept == sorted(set(kept))
    if points:
        assert kept[0] == 0
        assert kept[-1] == len(points) - 1
    for first, last in pairwise(kept):
        for each in points[first + 1 : last]:
            assert _to_segment(each, points[first], points[last]) <= tolerance * 1.000001


def _to_segment(point, one, other) -> float:
    (px, py), (ax, ay), (bx, by) = point, one, other
    dx, dy = bx - ax, by - ay
    squared = dx * dx + dy * dy
    along = 0 if squared == 0 else max(0, min(1, ((px - ax) * dx + (py - ay) * dy) / squared))
    return ((px - ax - along * dx) ** 2 + (py - ay - along * dy) ** 2) ** 0.5
