"""Scales are registered, changed, given another secret, retired."""

from datetime import date, datetime
from typing import Any

from django.db import transaction

from wufei.ledger.kinds import PlaceKind
from wufei.ledger.models import Place, Stream
from wufei.registry.access import Permission
from wufei.registry.models import Organisation, User
from wufei.registry.queries import require
from wufei.registry.services import audit
from wufei.shopfloor.models import Rule, Scale
from wufei.shopfloor.refusals import Code, ShopfloorRefused
from wufei.shopfloor.signing import new_code, new_secret
from wufei.terms.day import local_day
from wufei.terms.mass import Mass

# What is said of a scale; all of it may be changed later.
SAID = ("name", "store_id", "capacity_g", "division_g", "calibrated_until", "rule", "stream_id")


@transaction.atomic
def register_scale(
    *,
    organisation: Organisation,
    name: str,
    store: str,
    capacity: Mass,
    division: Mass,
    calibrated_until: date,
    stream: str = "",
    by: User,
    now: datetime,
) -> tuple[Scale, str]:
    """
    Register a scale and return it with its secret, which is shown this once.

    Where a stream is named, accepted readings are posted as its generation, in the name of `by`.

    :raises ShopfloorRefused: if something said can't be so
    """
    require(user=by, permission=Permission.EDIT_ORGANISATION, organisation=organisation, on=local_day(now))
    said = _sound(organisation, name, store, capacity, division, calibrated_until, stream)
    _require_to_post(said, organisation, by, now)
    secret = new_secret()
    scale = Scale.objects.create(
        organisation=organisation, code=new_code(), secret=secret, ruled_by=by, registered_at=now, **said
    )
    _audit("register_scale", scale, {name: str(value) for name, value in said.items()}, by, now)
    return scale, secret


@transaction.atomic
def change_scale(
    *,
    scale: Scale,
    version: int,
    name: str,
    store: str,
    capacity: Mass,
    division: Mass,
    calibrated_until: date,
    stream: str = "",
    by: User,
    now: datetime,
) -> bool:
    """
    Change what is said of a scale; return whether anything was written.

    :raises ShopfloorRefused: if something said can't be so, or somebody else changed it since that version
    """
    row = _locked(scale, by, now)
    if row.version != version:
        raise ShopfloorRefused(Code.STALE_EDIT)
    said = _sound(row.organisation, name, store, capacity, division, calibrated_until, stream)
    changed = {name: value for name, value in said.items() if getattr(row, name) != value}
    if not changed:
        return False
    more: dict[str, Any] = {}
    if changed.keys() & {"rule", "stream_id", "store_id"} and said["rule"] == Rule.POST:
        _require_to_post(said, row.organisation, by, now)
        more["ruled_by"] = by
    Scale.objects.filter(pk=row.pk).update(**changed, **more, version=version + 1)
    _audit("change_scale", row, {name: str(value) for name, value in changed.items()}, by, now)
    return True


@transaction.atomic
def renew_secret(*, scale: Scale, by: User, now: datetime) -> str:
    """Give the scale another secret, shown this once; the one before is of no use any more."""
    row = _locked(scale, by, now)
    secret = new_secret()
    Scale.objects.filter(pk=row.pk).update(secret=secret, version=row.version + 1)
    _audit("renew_secret", row, {}, by, now)
    return secret


@transaction.atomic
def retire_scale(*, scale: Scale, by: User, now: datetime) -> None:
    """
    Take the scale out of use: what it says from now on is refused, what it said stays.

    :raises ShopfloorRefused: already_retired
    """
    row = _locked(scale, by, now)
    if row.retired_at is not None:
        raise ShopfloorRefused(Code.ALREADY_RETIRED)
    Scale.objects.filter(pk=row.pk).update(retired_at=now, version=row.version + 1)
    _audit("retire_scale", row, {}, by, now)


def _locked(scale: Scale, by: User, now: datetime) -> Scale:
    require(
        user=by, permission=Permission.EDIT_ORGANISATION, organisation=scale.organisation, on=local_day(now)
    )
    return Scale.objects.select_for_update(of=("self",)).select_related("organisation").get(pk=scale.pk)


def _require_to_post(said: dict[str, Any], organisation: Organisation, by: User, now: datetime) -> None:
    """Who has a scale post in their name must be one who may post."""
    if said["rule"] == Rule.POST:
        require(user=by, permission=Permission.POST_MOVEMENTS, organisation=organisation, on=local_day(now))


def _sound(
    organisation: Organisation,
    name: str,
    store: str,
    capacity: Mass,
    division: Mass,
    calibrated_until: date,
    stream: str,
) -> dict[str, Any]:
    name = name.strip()
    if not name or len(name) > 60 or not name.isprintable():
        raise ShopfloorRefused(Code.NAME_MISSING)
    if capacity.grams <= 0:
        raise ShopfloorRefused(Code.CAPACITY_NOT_POSITIVE)
    if not 0 < division.grams <= capacity.grams:
        raise ShopfloorRefused(Code.DIVISION_UNFIT)
    place = Place.objects.filter(organisation=organisation, kind=PlaceKind.STORE, code=store).first()
    if place is None:
        raise ShopfloorRefused(Code.STORE_UNKNOWN, store)
    posted = Stream.objects.filter(organisation=organisation, code=stream).first() if stream else None
    if stream and posted is None:
        raise ShopfloorRefused(Code.STREAM_UNKNOWN, stream)
    return {
        "name": name, "store_id": place.pk, "capacity_g": capacity.grams, "division_g": division.grams,
        "calibrated_until": calibrated_until, "rule": (Rule.POST if posted else Rule.WAIT).value,
        "stream_id": posted.pk if posted else None,
    }  # fmt: skip


def _audit(action: str, scale: Scale, detail: dict[str, Any], by: User, now: datetime) -> None:
    audit(
        by=by, now=now, organisation=scale.organisation, action=f"shopfloor.{action}", object_ref=scale.code,
        detail=detail,
    )  # fmt: skip
