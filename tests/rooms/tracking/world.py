"""A load on the road, and a tracker that says where it is."""

import itertools
import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tests.rooms.transfers.world import World
from wufei.shopfloor.signing import signature
from wufei.tracking import services
from wufei.tracking.models import Alert, Tracker
from wufei.tracking.positions import Batch, batch_of
from wufei.tracking.route import Stage
from wufei.tracking.services import Answer
from wufei.transfers.models import Leg, Manifest

PLATE = "渝A12345"
HOME, GOAL = (29_028_000, 106_651_000), (29_712_000, 107_391_000)
ROUTE = (Stage(*HOME, "綦江"), Stage(*GOAL, "涪陵"))


def along(part: float) -> tuple[int, int]:
    """Return the point that far on the way; the whole is 105 km."""
    return tuple(round(one + (other - one) * part) for one, other in zip(HOME, GOAL, strict=True))  # type: ignore[return-value]


def registered(world: World, **said: Any) -> Tracker:
    asked = {
        "organisation": world.carrier,
        "name": "车头终端",
        "plate": PLATE,
        "by": dispatcher(world),
        "now": world.now,
    }
    tracker, _ = services.register_tracker(**(asked | said))
    return tracker


def dispatcher(world: World) -> Any:
    from wufei.registry.models import User

    return User.objects.get(username="调度")


@dataclass
class Voice:
    """What the tracker says: each position under the next number."""

    tracker: Tracker
    numbers: Any = field(default_factory=lambda: itertools.count(1))

    def batch(self, *where: tuple[datetime, tuple[int, int]], **said: Any) -> Batch:
        rows = [
            {
                "sequence": next(self.numbers), "at": at.isoformat(), "latitude_udeg": point[0],
                "longitude_udeg": point[1],
            }
            for at, point in where
        ]  # fmt: skip
        return batch_of({"tracker": self.tracker.code, "datum": "WGS84", "positions": rows} | said)

    def signed(self, batch: Batch, secret: str | None = None) -> bytes:
        return json.dumps(
            batch.said() | {"signature": signature(batch, secret or self.tracker.secret)}
        ).encode()

    def says(self, *where: tuple[datetime, tuple[int, int]], now: datetime | None = None) -> Answer:
        batch = self.batch(*where)
        return services.accept(
            batch=batch, signature=signature(batch, self.tracker.secret), now=now or where[-1][0]
        )


def drive(
    start: datetime, minutes: int, *, begin: float = 0.0, each: float = 0.01, every: int = 1
) -> list[Any]:
    """Return positions: from that part of the way on, so much farther each time."""
    steps = range(0, minutes + 1, every)
    return [(start + timedelta(minutes=at), along(min(1.0, begin + each * n))) for n, at in enumerate(steps)]


def stand(start: datetime, minutes: int, *, at: float) -> list[Any]:
    return [(start + timedelta(minutes=n), along(at)) for n in range(0, minutes + 1, 5)]


def under_way(world: World, *, route: bool = True, **said: Any) -> tuple[Manifest, Leg]:
    """Send a load off, with its route stated."""
    manifest = world.issued(**said)
    if route:
        services.state_route(
            manifest=manifest, organisation=world.generator, stages=ROUTE, by=world.officer, now=world.now
        )
    manifest = world.load(manifest)
    return manifest, Leg.objects.get(manifest=manifest)


def alerts() -> list[tuple[str, bool, bool]]:
    """Return the alerts in the order of their beginning: kind, over, withdrawn."""
    rows = Alert.objects.order_by("began_at", "kind")
    return [(row.kind, row.ended_at is not None, row.withdrawn_at is not None) for row in rows]
