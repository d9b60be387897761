"""Trackers are registered for a vehicle, given another secret, retired."""

from datetime import datetime
from typing import Any

from django.db import transaction

from wufei.registry.access import Permission
from wufei.registry.models import Organisation, User
from wufei.registry.queries import require
from wufei.registry.services import audit
from wufei.shopfloor.signing import new_code, new_secret
from wufei.terms.day import local_day
from wufei.tracking import queries
from wufei.tracking.models import Tracker
from wufei.tracking.refusals import Code, TrackingRefused

LONGEST_NAME = 60


@transaction.atomic
def register_tracker(
    *, organisation: Organisation, name: str, plate: str, by: User, now: datetime
) -> tuple[Tracker, str]:
    """
    Register a tracker for a vehicle and return it with its secret, which is shown this once.

    It stays with that vehicle: what is moved to another one is registered anew, so that no track changes its vehicle.

    :raises TrackingRefused: name_missing, vehicle_unknown
    """
    require(user=by, permission=Permission.KEEP_PERMITS, organisation=organisation, on=local_day(now))
    name = name.strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise TrackingRefused(Code.NAME_MISSING)
    vehicle = queries.vehicles_of(organisation=organisation).filter(plate=plate.strip().upper()).first()
    if vehicle is None:
        raise TrackingRefused(Code.VEHICLE_UNKNOWN, plate[:20])
    secret = new_secret()
    tracker = Tracker.objects.create(
        organisation=organisation, code=new_code("T"), kind=Tracker.Kind.DEVICE, name=name, vehicle=vehicle,
        secret=secret, registered_at=now, registered_by=by,
    )  # fmt: skip
    _audit("register_tracker", tracker, {"name": name, "plate": vehicle.plate}, by, now)
    return tracker, secret


@transaction.atomic
def renew_secret(*, tracker: Tracker, by: User, now: datetime) -> str:
    """Give the tracker another secret, shown this once; the one before is of no use any more."""
    row = _locked(tracker, by, now)
    secret = new_secret()
    Tracker.objects.filter(pk=row.pk).update(secret=secret)
    _audit("renew_secret", row, {}, by, now)
    return secret


@transaction.atomic
def retire_tracker(*, tracker: Tracker, by: User, now: datetime) -> None:
    """
    Take the tracker out of use: what it says from now on is refused, what it said stays.

    :raises TrackingRefused: already_retired
    """
    row = _locked(tracker, by, now)
    if row.retired_at is not None:
        raise TrackingRefused(Code.ALREADY_RETIRED)
    Tracker.objects.filter(pk=row.pk).update(retired_at=now)
    _audit("retire_tracker", row, {}, by, now)


def _locked(tracker: Tracker, by: User, now: datetime) -> Tracker:
    require(user=by, permission=Permission.KEEP_PERMITS, organisation=tracker.organisation, on=local_day(now))
    return Tracker.objects.select_for_update(of=("self",)).select_related("organisation").get(pk=tracker.pk)


def _audit(action: str, tracker: Tracker, detail: dict[str, Any], by: User, now: datetime) -> None:
    audit(
        by=by, now=now, organisation=tracker.organisation, action=f"tracking.{action}", object_ref=tracker.code,
        detail=detail,
    )  # fmt: skip
