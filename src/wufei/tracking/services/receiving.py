"""
Positions are received: signed by a device, or sent by the phone of a driver who is under way.

A batch, and the alerts that it opens or closes, are written in one transaction, under a lock on the tracker: what comes
twice, through whichever door, is there once and is answered the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from wufei.registry.access import Permission
from wufei.registry.models import Organisation, User
from wufei.registry.queries import require
from wufei.shopfloor.signing import is_signed
from wufei.terms.day import local_day
from wufei.tracking import queries
from wufei.tracking.limits import limits
from wufei.tracking.models import Position, Tracker
from wufei.tracking.positions import WGS84, Batch, Judged, Refused, Reported, Unreadable, judged, parsed
from wufei.tracking.refusals import Code, TrackingRefused
from wufei.tracking.services.judging import judge
from wufei.transfers.models import Leg, Manifest
from wufei.transfers.states import ON_THE_ROAD, State


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a tracker is told of a batch; the same however often it asks."""

    tracker: str
    sequence: int  # the batch's last
    accepted: int  # the doubtful ones among them
    outliers: int
    refusals: Mapping[int, Refused]  # by sequence number
    received_at: datetime  # the last of its positions
    is_replay: bool


def receive(*, body: bytes, now: datetime) -> Answer:
    """
    Take a batch as it came in, with its signature in it.

    :raises TrackingRefused: not_readable, tracker_unknown, signature_wrong, datum_unfit: then nothing of it is kept
    """
    try:
        batch, signature = parsed(body)
    except Unreadable as why:
        raise TrackingRefused(Code.NOT_READABLE, why.field) from None
    return accept(batch=batch, signature=signature, now=now)


def is_from(*, tracker: Tracker, batch: Batch, signature: str) -> bool:
    """Return whether the tracker itself said so."""
    return is_signed(batch, tracker.secret, signature)


@transaction.atomic
def accept(*, batch: Batch, signature: str, now: datetime) -> Answer:
    """
    Keep the positions of a signed batch, and see what they say of the way.

    :raises TrackingRefused: tracker_unknown, signature_wrong, datum_unfit
    """
    devices = Tracker.objects.select_for_update(of=("self",)).filter(kind=Tracker.Kind.DEVICE)
    tracker = devices.filter(code=batch.tracker).first()
    if tracker is None:
        raise TrackingRefused(Code.TRACKER_UNKNOWN, batch.tracker)
    if not is_from(tracker=tracker, batch=batch, signature=signature):
        raise TrackingRefused(Code.SIGNATURE_WRONG, tracker.code)
    return _keep(tracker, batch, now)


@transaction.atomic
def accept_from_phone(
    *, manifest: Manifest, organisation: Organisation, phone: UUID, batch: Batch, by: User, now: datetime
) -> Answer:
    """
    Keep the positions of a driver's phone: of the manifest that the organisation has under way.

    What the phone saw before the load left or after it arrived is refused; what it saw between and sends later is taken.

    :param phone: made by the phone's page when the driver began to report; of this leg alone
    :raises TrackingRefused: not_your_leg, not_under_way, phone_of_another, datum_unfit
    """
    require(user=by, permission=Permission.SIGN_MANIFESTS, organisation=organisation, on=local_day(now))
    leg = queries.carried_by(organisation=organisation, manifest=manifest)
    if leg is None:
        raise TrackingRefused(Code.NOT_YOUR_LEG)
    is_late = leg.ended_at is not None and now - leg.ended_at <= limits().backlog
    if not is_late and (leg.ended_at is not None or State(leg.manifest.state) not in ON_THE_ROAD):
        raise TrackingRefused(Code.NOT_UNDER_WAY)
    return _keep(_phone(leg, organisation, phone, by, now), batch, now)


def _phone(leg: Leg, organisation: Organisation, phone: UUID, by: User, now: datetime) -> Tracker:
    code = f"P{phone.hex}"
    row, _ = Tracker.objects.get_or_create(
        code=code,
        defaults={
            "organisation": organisation, "kind": Tracker.Kind.PHONE, "name": str(by)[:60], "leg": leg,
            "registered_at": now, "registered_by": by,
        },
    )  # fmt: skip
    if row.leg_id != leg.pk or row.registered_by_id != by.pk:
        raise TrackingRefused(Code.PHONE_OF_ANOTHER)
    return Tracker.objects.select_for_update(of=("self",)).select_related("leg").get(pk=row.pk)


def _keep(tracker: Tracker, batch: Batch, now: datetime) -> Answer:
    if batch.datum != WGS84:
        raise TrackingRefused(Code.DATUM_UNFIT, batch.datum)
    said = {(each.sequence, each.digest): each for each in batch.positions}
    kept = _kept(tracker, said)
    fresh = [each for key, each in said.items() if key not in kept]
    if fresh:
        sequences = [each.sequence for each in fresh]
        known = queries.known_of(tracker=tracker, sequences=sequences, now=now, limits=limits())
        found = judged(fresh, known, now, limits())
        rows = Position.objects.bulk_create([_row(tracker, each, now) for each in found])
        kept |= {(row.sequence, row.digest): row for row in rows}
        _judge_legs(tracker, found, now)
    rows = [kept[key] for key in said]
    return Answer(
        tracker=tracker.code, sequence=batch.sequence, is_replay=not fresh,
        accepted=sum(not row.refusal for row in rows), outliers=sum(row.is_outlier for row in rows),
        refusals={row.sequence: Refused(row.refusal) for row in rows if row.refusal},
        received_at=max(row.received_at for row in rows),
    )  # fmt: skip


def _kept(tracker: Tracker, said: Mapping[tuple[int, str], Reported]) -> dict[tuple[int, str], Position]:
    """Return what came before of the same, by number and content."""
    numbers = {sequence for sequence, _ in said}
    rows = queries.said_by(tracker=tracker).filter(sequence__in=numbers)
    return {(row.sequence, row.digest): row for row in rows}


def _row(tracker: Tracker, each: Judged, now: datetime) -> Position:
    fix = each.fix
    return Position(
        tracker=tracker, sequence=each.reported.sequence, digest=each.reported.digest, received_at=now,
        refusal=each.refusal or "", at=fix.at if fix else None,
        latitude_udeg=fix.latitude_udeg if fix else None, longitude_udeg=fix.longitude_udeg if fix else None,
        is_outlier=fix.is_outlier if fix else False,
    )  # fmt: skip


def _judge_legs(tracker: Tracker, found: list[Judged], now: datetime) -> None:
    times = [each.fix.at for each in found if each.refusal is None and each.fix is not None]
    if times:
        for leg in queries.legs_touched(tracker, min(times), max(times)):
            judge(leg=leg, now=now)
