"""What would a lorry's tracker say on its way? Sound batches, or with a fault, to try the doors with. Pure."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Any

from wufei.tracking.geometry import Point, distance_m
from wufei.tracking.positions import WGS84, Batch, Reported, batch_of

# From 綦江 towards 涪陵; made up, as the crow flies.
WAY: tuple[Point, ...] = ((29_028_000, 106_651_000), (29_220_000, 106_880_000), (29_480_000, 107_120_000),
                          (29_712_000, 107_391_000))  # fmt: skip
SPEED_KMH = 60


class Fault(StrEnum):
    STOP = "stop"  # stands in the middle of the way
    DETOUR = "detour"
    RANGE = "range"
    FUTURE = "future"
    BACKWARDS = "backwards"
    REUSED = "reused"
    JUMP = "jump"  # a position to which nothing gets so fast
    DATUM = "datum"
    SIGNATURE = "signature"  # made by the sender


def points(way: Sequence[Point], *, every: timedelta, count: int, fault: Fault | None) -> Iterator[Point]:
    """Give where a lorry at an even speed is every so often; at the end of its way it stands."""
    step = SPEED_KMH / 3.6 * every.total_seconds()
    for number in range(count):
        run = number
        if fault is Fault.STOP:
            run = min(number, count // 3)
        at = _along(way, run * step)
        if fault is Fault.DETOUR and count // 3 <= number:
            at = (at[0] - 60_000, at[1] + 60_000)
        yield at


def _along(way: Sequence[Point], metres: float) -> Point:
    for one, other in pairwise(way):
        piece = distance_m(one, other)
        if metres <= piece:
            part = metres / piece if piece else 0.0
            return round(one[0] + (other[0] - one[0]) * part), round(one[1] + (other[1] - one[1]) * part)
        metres -= piece
    return way[-1]


def batches(
    *,
    tracker: str,
    first: int,
    count: int,
    every: timedelta,
    until: datetime,
    size: int,
    fault: Fault | None = None,
) -> Iterator[Batch]:
    """Give `count` positions from the number `first` on, the last of them at `until`, `size` in a batch."""
    begun = until - every * (count - 1)
    rows: list[dict[str, Any]] = [
        {
            "sequence": first + n, "at": (begun + every * n).isoformat(timespec="seconds"), "latitude_udeg": at[0],
            "longitude_udeg": at[1],
        }
        for n, at in enumerate(points(WAY, every=every, count=count, fault=fault))
    ]  # fmt: skip
    _spoil(rows, fault, until)
    for start in range(0, len(rows), size):
        datum = "GCJ02" if fault is Fault.DATUM else WGS84
        yield batch_of({"tracker": tracker, "datum": datum, "positions": rows[start : start + size]})


def _spoil(rows: list[dict[str, Any]], fault: Fault | None, until: datetime) -> None:
    """Make the last position what the fault says."""
    last = rows[-1]
    if fault is Fault.RANGE:
        last["latitude_udeg"] = 91_000_000
    elif fault is Fault.FUTURE:
        last["at"] = (until + timedelta(days=1)).isoformat(timespec="seconds")
    elif fault is Fault.BACKWARDS:
        last["at"] = (until - timedelta(days=1)).isoformat(timespec="seconds")
    elif fault is Fault.REUSED:
        last["sequence"] = rows[0]["sequence"]
    elif fault is Fault.JUMP:
        last["latitude_udeg"] += 5_000_000


def sound(*, tracker: str, sequence: int, at: datetime, point: Point) -> Batch:
    """Return a batch of one sound position."""
    said = Reported(
        sequence=sequence,
        at=at.isoformat(timespec="seconds"),
        latitude_udeg=point[0],
        longitude_udeg=point[1],
    )
    return Batch(tracker=tracker, datum=WGS84, positions=(said,))
