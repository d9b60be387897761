"""
Two lorries on the road: one stood too long on its way, of the other nothing is heard any more.

Told through the doors that carriers use: a tracker for each, a route stated before the load leaves, signed positions.
The places are where the towns roughly are; the ways between them are made up.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from wufei.demo.road_data import road
from wufei.registry.models import Organisation, User
from wufei.shopfloor.signing import signature
from wufei.tracking.geometry import Point
from wufei.tracking.models import Tracker
from wufei.tracking.positions import WGS84, Batch, batch_of
from wufei.tracking.route import Stage
from wufei.tracking.services import accept, judge, register_tracker, state_route
from wufei.tracking.simulating import points
from wufei.transfers.models import Leg, Manifest

EVERY = timedelta(minutes=1)
STOOD_AFTER, STOOD_FOR, DROVE_ON = 45, 40, 30  # minutes
HEARD_FOR = 50
AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Lorry:
    """A lorry with a tracker, and which of the two stories is its own."""

    plate: str
    tracker: Tracker
    secret: str
    stands: bool


def equip(*, carrier: Organisation, by: User, now: datetime) -> list[Lorry]:
    """Give the lorries their trackers; the first one stands on its way, the second falls silent."""
    lorries: list[Lorry] = []
    for plate in road()["tracked_vehicles"]:
        tracker, secret = register_tracker(
            organisation=carrier, name="车载终端（演示）", plate=plate, by=by, now=now
        )
        lorries.append(Lorry(plate, tracker, secret, stands=not lorries))
    return lorries


def plan(*, manifest: Manifest, organisation: Organisation, by: User, now: datetime) -> None:
    """State the way before the load leaves."""
    state_route(manifest=manifest, organisation=organisation, stages=_stages(), by=by, now=now)


def drive(*, lorry: Lorry, manifest: Manifest) -> None:
    """Let the lorry's tracker say where it was from the hour on at which the load left."""
    leg = Leg.objects.get(manifest=manifest)
    assert leg.signed_at is not None, "it was loaded"
    told = _where(lorry)
    for first in range(0, len(told), AT_ONCE):
        batch = _batch(lorry, leg.signed_at, told[first : first + AT_ONCE], first)
        last = leg.signed_at + EVERY * (first + len(batch.positions) - 1)
        accept(batch=batch, signature=signature(batch, lorry.secret), now=last)
    if not lorry.stands:
        judge(leg=leg, now=leg.signed_at + EVERY * (HEARD_FOR + 60), by_clock=True)


def _stages() -> list[Stage]:
    return [
        Stage(int(each["latitude_udeg"]), int(each["longitude_udeg"]), each["name"])
        for each in road()["route"]
    ]


def _where(lorry: Lorry) -> list[Point]:
    """Return where the lorry is each minute."""
    way = [stage.point for stage in _stages()]
    driven = list(points(way, every=EVERY, count=STOOD_AFTER + DROVE_ON, fault=None))
    if lorry.stands:
        return driven[:STOOD_AFTER] + [driven[STOOD_AFTER]] * STOOD_FOR + driven[STOOD_AFTER:]
    return driven[:HEARD_FOR]


def _batch(lorry: Lorry, begun: datetime, told: list[Point], first: int) -> Batch:
    rows = [
        {
            "sequence": number + 1, "at": (begun + EVERY * number).isoformat(), "latitude_udeg": point[0],
            "longitude_udeg": point[1],
        }
        for number, point in enumerate(told, first)
    ]  # fmt: skip
    return batch_of({"tracker": lorry.tracker.code, "datum": WGS84, "positions": rows})
