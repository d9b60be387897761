"""
Where did a vehicle stop, stray or fall silent on its way?

Pure. What is asked of a stretch of the way is answered from its positions, in the order of time. An incident that is not
over has no end. Without a planned route nobody knows of a detour: then none is found, and that is said, not "no detour".
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import pairwise

from wufei.tracking.geometry import Point, distance_m, distance_to_segment_m
from wufei.tracking.limits import Limits
from wufei.tracking.positions import Fix


class AlertKind(StrEnum):
    STOP = "STOP"
    DETOUR = "DETOUR"
    SILENCE = "SILENCE"


KIND_LABELS = {AlertKind.STOP: "异常停车", AlertKind.DETOUR: "偏离路线", AlertKind.SILENCE: "失联"}


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of the way on which the load is on the vehicle."""

    start: datetime
    end: datetime | None  # None: still under way

    def holds(self, at: datetime) -> bool:
        return self.start <= at and (self.end is None or at <= self.end)


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    kind: AlertKind
    began_at: datetime
    ended_at: datetime | None
    point: Point | None  # where it stood, strayed farthest, or was last heard of
    metres: int | None = None  # of a detour: how far from the route at most


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """What is known beforehand of a way."""

    places: tuple[Point, ...]  # the generator's, the receiver's: to stand there is no stop
    route: tuple[Point, ...] = ()  # (): none was stated
    heard_from: datetime | None = None  # since when there is something to hear; None: never


def incidents(
    window: Window, fixes: Sequence[Fix], way: Way, *, now: datetime, limits: Limits
) -> list[Incident]:
    """Return all incidents of the stretch, by kind; `fixes` are of the window, in the order of time."""
    found = [*stops(window, fixes, way, limits)]
    if len(way.route) > 1:
        found += detours(window, fixes, way.route, limits)
    if way.heard_from is not None:
        found += silences(window, fixes, way.heard_from, now=now, limits=limits)
    return found


def stops(window: Window, fixes: Sequence[Fix], way: Way, limits: Limits) -> Iterator[Incident]:
    """Yield where it stood longer than the limit, within a small circle about where it first stood."""
    first = 0
    while first < len(fixes):
        after = first + 1
        while (
            after < len(fixes) and distance_m(fixes[first].point, fixes[after].point) <= limits.stop_radius_m
        ):
            after += 1
        start, last = fixes[first], fixes[after - 1]
        is_over = after < len(fixes)
        stood_until = last.at if is_over else window.end
        if last.at - start.at > limits.stop_after and not _is_in_place(start.point, way.places, limits):
            yield Incident(kind=AlertKind.STOP, began_at=start.at, ended_at=stood_until, point=start.point)
        first = after


def _is_in_place(point: Point, places: Sequence[Point], limits: Limits) -> bool:
    return any(distance_m(point, place) <= limits.place_radius_m for place in places)


def detours(
    window: Window, fixes: Sequence[Fix], route: Sequence[Point], limits: Limits
) -> Iterator[Incident]:
    """Yield where it was outside the corridor longer than the limit."""
    run: list[tuple[Fix, float]] = []
    near = 0  # the piece of the route that it was near to last: nearly always it still is
    for fix in fixes:
        if distance_to_segment_m(fix.point, route[near], route[near + 1]) <= limits.corridor_m:
            far = 0.0
        else:
            near, far = _nearest(fix.point, route)
        if far > limits.corridor_m:
            run.append((fix, far))
            continue
        if run:
            yield from _detour(run, fix.at, limits)
        run = []
    if run:
        yield from _detour(run, window.end, limits)


def _nearest(point: Point, route: Sequence[Point]) -> tuple[int, float]:
    far = [distance_to_segment_m(point, one, other) for one, other in pairwise(route)]
    at = min(range(len(far)), key=far.__getitem__)
    return at, far[at]


def _detour(run: Sequence[tuple[Fix, float]], end: datetime | None, limits: Limits) -> Iterator[Incident]:
    if run[-1][0].at - run[0][0].at > limits.detour_after:
        farthest, metres = max(run, key=lambda each: each[1])
        yield Incident(
            kind=AlertKind.DETOUR, began_at=run[0][0].at, ended_at=end, point=farthest.point,
            metres=round(metres),
        )  # fmt: skip


def silences(
    window: Window, fixes: Sequence[Fix], heard_from: datetime, *, now: datetime, limits: Limits
) -> Iterator[Incident]:
    """Yield the gaps that are longer than the limit, the one up to now among them."""
    last: Fix | None = None
    since = max(window.start, heard_from)
    for fix in fixes:
        if fix.at - since > limits.silent_after:
            yield _silence(since, fix.at, last)
        last, since = fix, max(since, fix.at)
    if (window.end or now) - since > limits.silent_after:
        yield _silence(since, window.end, last)


def _silence(since: datetime, end: datetime | None, last: Fix | None) -> Incident:
    return Incident(kind=AlertKind.SILENCE, began_at=since, ended_at=end, point=last.point if last else None)
