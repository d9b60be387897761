"""
Which way is the load to go? Read from what people write: one point in a line, latitude, longitude, and a name.

Pure. Degrees on WGS-84; the first point is the generator's place, the last the receiver's.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from wufei.tracking.geometry import LARGEST_LATITUDE, LARGEST_LONGITUDE, MICRO, Point, degrees

FEWEST, MOST = 2, 100
LONGEST_NAME = 40
_NUMBER = r"([+-]?[0-9]{1,3}(?:\.[0-9]{1,9})?)"
_LINE = re.compile(rf"{_NUMBER}[\s,，]+{_NUMBER}(?:[\s,，]+(\S.*))?")


class RouteUnreadable(ValueError):
    """The line with that number (from 1; 0: the whole) is no point of a route."""

    def __init__(self, line: int):
        self.line = line
        super().__init__(line)


@dataclass(frozen=True, slots=True)
class Stage:
    """A point of a planned route."""

    latitude_udeg: int
    longitude_udeg: int
    name: str = ""

    @property
    def point(self) -> Point:
        return self.latitude_udeg, self.longitude_udeg

    def said(self) -> dict[str, Any]:
        return {
            "latitude_udeg": self.latitude_udeg,
            "longitude_udeg": self.longitude_udeg,
            "name": self.name,
        }


def read_route(text: str) -> tuple[Stage, ...]:
    """
    Read the points of a route, finer than a micro-degree rounded.

    >>> read_route("29.0281, 106.6512 綦江\\n29.7121 107.3916 涪陵")[1]
    Stage(latitude_udeg=29712100, longitude_udeg=107391600, name='涪陵')

    :raises RouteUnreadable: if a line is no point, or there are too few or too many
    """
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            found.append(_stage(line.strip(), number))
    return checked(found)


def _stage(line: str, number: int) -> Stage:
    said = _LINE.fullmatch(line)
    if said is None:
        raise RouteUnreadable(number)
    latitude, longitude = (round(Decimal(said[at]) * MICRO) for at in (1, 2))
    stage = Stage(latitude, longitude, (said[3] or "").strip())
    if not is_sound(stage):
        raise RouteUnreadable(number)
    return stage


def is_sound(stage: Stage) -> bool:
    return (
        abs(stage.latitude_udeg) <= LARGEST_LATITUDE
        and abs(stage.longitude_udeg) <= LARGEST_LONGITUDE
        and len(stage.name) <= LONGEST_NAME
        and (stage.name == "" or stage.name.isprintable())
    )


def checked(stages: Sequence[Stage]) -> tuple[Stage, ...]:
    """
    Return the stages, if they make a route.

    :raises RouteUnreadable:
    """
    if not FEWEST <= len(stages) <= MOST or len({each.point for each in stages}) < FEWEST:
        raise RouteUnreadable(0)
    for number, each in enumerate(stages, 1):
        if not is_sound(each):
            raise RouteUnreadable(number)
    return tuple(stages)


def written(stages: Sequence[Stage]) -> str:
    """Return the route as it is read."""
    lines = [f"{degrees(s.latitude_udeg)}, {degrees(s.longitude_udeg)} {s.name}".rstrip() for s in stages]
    return "\n".join(lines)
