"""
What does a vehicle's tracker say, and which of its positions may be used?

Pure. A message is a batch: the backlog of a lorry that was without network comes in one. What can't be read as one at
all is nobody's (`Unreadable`); each position in it is judged by itself, refused with the first of `Refused` that holds.
"""

import json
from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum, auto
from hashlib import sha256
from itertools import pairwise
from typing import Any

from wufei.tracking.geometry import LARGEST_LATITUDE, LARGEST_LONGITUDE, Point, distance_m
from wufei.tracking.limits import LONGEST_BATCH, Limits

WGS84 = "WGS84"  # the only datum that is taken; GCJ-02 is some hundreds of metres off, and looks the same
LARGEST_SEQUENCE = 2**53 - 1
LONGEST_TEXT = 40
LARGEST_NUMBER = 10**12
MOST_BYTES = 128 * 1024
FIELDS = ("tracker", "datum", "positions")
OF_A_POSITION = ("sequence", "at", "latitude_udeg", "longitude_udeg")
# So many that agree with one another outweigh the one before them, which then was the wrong one.
AGREEING = 3


class Refused(StrEnum):
    """Why a position may not be used, in order of precedence."""

    SEQUENCE_REUSED = auto()  # the tracker said something else under this number
    COORDINATE_MALFORMED = auto()
    LATITUDE_OUT_OF_RANGE = auto()
    LONGITUDE_OUT_OF_RANGE = auto()
    NO_FIX = auto()  # 0, 0: what a receiver says that sees no satellite
    TIME_MALFORMED = auto()
    TIME_WITHOUT_ZONE = auto()
    TRACKER_RETIRED = auto()
    TAKEN_IN_FUTURE = auto()
    TOO_OLD = auto()
    OUTSIDE_TRIP = auto()  # of a phone: before it set out, or after it arrived
    CLOCK_BACKWARDS = auto()  # order of numbers and order of time disagree


class Unreadable(Exception):
    """The message is no batch of positions; `field` says what of it (or "" where it is no JSON object)."""

    def __init__(self, field: str):
        self.field = field
        super().__init__(field)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """A position as the tracker wrote it."""

    sequence: int
    at: str
    latitude_udeg: int | str
    longitude_udeg: int | str

    def said(self) -> dict[str, int | str]:
        return {name: getattr(self, name) for name in OF_A_POSITION}

    def canonical(self) -> str:
        return " ".join(json.dumps(value, ensure_ascii=False) for value in self.said().values())

    @property
    def digest(self) -> str:
        """What tells one content from another under the same sequence number."""
        return sha256(self.canonical().encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Positions of one tracker, and the datum that they are in."""

    tracker: str
    datum: str
    positions: tuple[Reported, ...]

    @property
    def device(self) -> str:
        return self.tracker

    @property
    def sequence(self) -> int:
        """The number under which the batch is answered: its last position's."""
        return self.positions[-1].sequence

    def said(self) -> dict[str, Any]:
        return {
            "tracker": self.tracker,
            "datum": self.datum,
            "positions": [p.said() for p in self.positions],
        }

    def canonical(self) -> str:
        """
        Return the text that the tracker signs: a line for each position, its values as in JSON.

        >>> print(Batch(tracker="T1", datum="WGS84", positions=(Reported(sequence=7, latitude_udeg=29028100,
        ...     longitude_udeg=106651200, at="2026-07-01T10:00:00+08:00"),)).canonical())
        wufei-positions-1
        tracker="T1"
        datum="WGS84"
        7 "2026-07-01T10:00:00+08:00" 29028100 106651200
        """
        head = [f"{name}={json.dumps(getattr(self, name), ensure_ascii=False)}" for name in FIELDS[:2]]
        return "\n".join(("wufei-positions-1", *head, *(each.canonical() for each in self.positions)))


def batch_of(said: Any) -> Batch:
    """
    Return the batch that a JSON value is.

    :raises Unreadable: if a field is missing, unknown, of another type or too long, or there are too many positions
    """
    if not isinstance(said, Mapping):
        raise Unreadable("")
    if unknown := sorted(map(str, said.keys() - set(FIELDS) - {"signature"})):
        raise Unreadable(unknown[0][:LONGEST_TEXT])
    for name in FIELDS[:2]:
        if not _is_text(said.get(name)):
            raise Unreadable(name)
    rows = said.get("positions")
    if not isinstance(rows, list) or not 0 < len(rows) <= LONGEST_BATCH:
        raise Unreadable("positions")
    positions = tuple(_reported(row, f"positions.{at}") for at, row in enumerate(rows))
    return Batch(tracker=said["tracker"], datum=said["datum"], positions=positions)


def _reported(said: Any, where: str) -> Reported:
    if not isinstance(said, Mapping):
        raise Unreadable(where)
    if unknown := sorted(map(str, said.keys() - set(OF_A_POSITION))):
        raise Unreadable(f"{where}.{unknown[0][:LONGEST_TEXT]}")
    for name in OF_A_POSITION:
        if not _is_sound(name, said.get(name)):
            raise Unreadable(f"{where}.{name}")
    return Reported(**{name: said[name] for name in OF_A_POSITION})


def _is_sound(name: str, value: Any) -> bool:
    if name == "at":
        return _is_text(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return 0 < value <= LARGEST_SEQUENCE if name == "sequence" else abs(value) <= LARGEST_NUMBER
    return name != "sequence" and _is_text(value)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= LONGEST_TEXT and value.isprintable()


def parsed(body: bytes) -> tuple[Batch, str]:
    """
    Read a batch from the wire, and the signature that stands in it ("" where none does).

    :raises Unreadable: if it is none
    """
    if len(body) > MOST_BYTES:
        raise Unreadable("")
    try:
        said = json.loads(body.decode("utf-8"), parse_float=Decimal, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise Unreadable("") from None
    batch = batch_of(said)
    signature = said.get("signature", "")
    if not isinstance(signature, str) or len(signature) > 200:
        raise Unreadable("signature")
    return batch, signature


def _no_number(name: str) -> Any:
    raise ValueError(name)  # NaN, Infinity


# --- may it be used?


@dataclass(frozen=True, slots=True, order=True)
class Fix:
    """A position that means something: where at which instant. Sorted by the tracker's own numbers."""

    sequence: int
    at: datetime
    latitude_udeg: int
    longitude_udeg: int
    is_outlier: bool = False  # kept, and not drawn: nothing on the road comes here so fast

    @property
    def point(self) -> Point:
        return self.latitude_udeg, self.longitude_udeg


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What became of one reported position."""

    reported: Reported
    fix: Fix | None  # None: what it says means nothing
    refusal: Refused | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What a batch is to be held against: which numbers are taken, and the accepted positions around them."""

    taken: frozenset[int]
    around: Sequence[Fix]
    is_retired: bool = False
    trip: tuple[datetime, datetime | None] | None = None  # of a phone: from when until when


def judged(reported: Iterable[Reported], known: Known, now: datetime, limits: Limits) -> list[Judged]:
    """Judge the positions in the order of their numbers, each beside those accepted before it."""
    line, taken = sorted(known.around), set(known.taken)
    found = []
    for each in sorted(reported, key=lambda row: row.sequence):
        fix = _fix_of(each)
        if each.sequence in taken:
            found.append(
                Judged(
                    reported=each, fix=None if isinstance(fix, Refused) else fix, refusal=Refused.SEQUENCE_REUSED
                )
            )  # fmt: skip
            continue
        taken.add(each.sequence)
        if isinstance(fix, Refused):
            found.append(Judged(reported=each, fix=None, refusal=fix))
            continue
        refusal = _refusal(fix, line, known, now, limits)
        if refusal is None:
            fix = _marked(fix, line, limits)
            insort(line, fix)
        found.append(Judged(reported=each, fix=fix, refusal=refusal))
    return found


def _fix_of(said: Reported) -> Fix | Refused:
    latitude, longitude = said.latitude_udeg, said.longitude_udeg
    if isinstance(latitude, str) or isinstance(longitude, str):
        return Refused.COORDINATE_MALFORMED
    if abs(latitude) > LARGEST_LATITUDE:
        return Refused.LATITUDE_OUT_OF_RANGE
    if abs(longitude) > LARGEST_LONGITUDE:
        return Refused.LONGITUDE_OUT_OF_RANGE
    if latitude == longitude == 0:
        return Refused.NO_FIX
    try:
        at = datetime.fromisoformat(said.at)
    except ValueError:
        return Refused.TIME_MALFORMED
    if at.utcoffset() is None:
        return Refused.TIME_WITHOUT_ZONE
    if not 2000 <= at.year <= 2200:
        return Refused.TIME_MALFORMED
    return Fix(said.sequence, at, latitude, longitude)


def _refusal(fix: Fix, line: Sequence[Fix], known: Known, now: datetime, limits: Limits) -> Refused | None:
    if known.is_retired:
        return Refused.TRACKER_RETIRED
    if fix.at > now + limits.clock_ahead:
        return Refused.TAKEN_IN_FUTURE
    if fix.at < now - limits.backlog:
        return Refused.TOO_OLD
    if known.trip is not None:
        start, end = known.trip
        if fix.at < start or (end is not None and fix.at > end):
            return Refused.OUTSIDE_TRIP
    at = bisect_left(line, fix)
    if (at and fix.at < line[at - 1].at) or (at < len(line) and fix.at > line[at].at):
        return Refused.CLOCK_BACKWARDS
    return None


def _marked(fix: Fix, line: Sequence[Fix], limits: Limits) -> Fix:
    """Mark a position to which nothing on the road gets so fast; those that agree among themselves come to be believed."""
    before = line[: bisect_left(line, fix)]
    last = next((at for at in range(len(before) - 1, -1, -1) if not before[at].is_outlier), None)
    if last is None or is_possible(before[last], fix, limits):
        return fix
    strays = [*before[last + 1 :], fix][-AGREEING:]
    if len(strays) == AGREEING and all(is_possible(one, other, limits) for one, other in pairwise(strays)):
        return fix
    return Fix(fix.sequence, fix.at, fix.latitude_udeg, fix.longitude_udeg, is_outlier=True)


def is_possible(one: Fix, other: Fix, limits: Limits) -> bool:
    """Return whether a vehicle gets from the one to the other in the time; standing receivers jump a little."""
    seconds = max(1.0, (other.at - one.at).total_seconds())
    metres = distance_m(one.point, other.point)
    return metres <= limits.stop_radius_m or metres / seconds <= limits.top_speed_kmh / 3.6
