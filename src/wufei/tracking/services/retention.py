"""Positions tell where a driver was: they are deleted when they were kept long enough; sums and alerts stay."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from wufei.registry.access import Permission
from wufei.registry.models import User
from wufei.registry.queries import require_as_operator
from wufei.registry.services import audit
from wufei.tracking.limits import limits
from wufei.tracking.models import Position, Track
from wufei.tracking.services.judging import watch
from wufei.transfers.models import Leg
from wufei.transfers.states import ON_THE_ROAD


@dataclass(frozen=True, slots=True)
class Deleted:
    positions: int
    tracks: int  # of which the sums alone are left


def delete_old_positions(*, by: User, now: datetime) -> Deleted:
    """
    Delete the positions that were received longer ago than they are kept, but for those of a leg still under way.

    Before that every leg that ended is judged to its end, so that its sums are whole.
    """
    require_as_operator(user=by, permission=Permission.EDIT_ORGANISATION)
    watch(now=now)
    return _delete(by, now)


@transaction.atomic
def _delete(by: User, now: datetime) -> Deleted:
    cut = now - limits().kept
    running = Leg.objects.filter(ended_at=None, signed_at__lt=cut, manifest__state__in=ON_THE_ROAD)
    of_its_vehicle = running.filter(
        Q(vehicle=OuterRef("tracker__vehicle")) | Q(pk=OuterRef("tracker__leg")),
        signed_at__lte=OuterRef("at"),
    )
    old = Position.objects.filter(received_at__lt=cut).exclude(Exists(of_its_vehicle))
    ended = Track.objects.filter(ended_at__isnull=False, purged_at=None, first_at__lt=cut)
    tracks = ended.update(purged_at=now)
    positions = old.delete()[0]
    if positions or tracks:
        audit(
            by=by, now=now, organisation=None, action="tracking.delete_old_positions", object_ref="",
            detail={"positions": positions, "tracks": tracks, "before": cut.isoformat()},
        )  # fmt: skip
    return Deleted(positions, tracks)
