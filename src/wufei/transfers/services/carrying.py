"""
The carriers sign, in turn: load, hand over, store on the way, go on, deliver.

When the first carrier signs, the waste leaves the generator's store for the road. Permit, contract and due diligence
are looked at once more on that day: the manifest may have waited.
"""

import uuid
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django.db import transaction

from wufei.ledger.kinds import Kind
from wufei.ledger.posting import TEXT_LIMITS, Draft, transit_code
from wufei.registry import permits
from wufei.registry.access import Permission
from wufei.registry.models import Driver, Organisation, PermitKind, User, Vehicle
from wufei.registry.queries import permits_of, read_permit, waste_permits
from wufei.terms.day import local_day
from wufei.terms.mass import Mass
from wufei.transfers import queries
from wufei.transfers.deadlines import confirmation_due
from wufei.transfers.fields import Part, Signing
from wufei.transfers.models import Leg, Manifest
from wufei.transfers.refusals import Code, Reason, refused
from wufei.transfers.services.issuing import LACKS, contract_reasons
from wufei.transfers.services.signing import (
    Held,
    faults_in,
    flag,
    hold,
    lacking,
    movement_id,
    post,
    poster_for,
    refuse,
    sign,
    turn,
)
from wufei.transfers.states import Act, Party
from wufei.transfers.wording import in_tonnes


@transaction.atomic
def load(
    *,
    manifest: Manifest,
    organisation: Organisation,
    said: Mapping[str, Any] | None = None,
    by: User,
    now: datetime,
    client_id: uuid.UUID | None = None,
) -> Manifest:
    """
    Sign as the first carrier: the waste is on the road.

    :raises TransferRefused, NotPermitted:
    """
    held = _held(manifest, organisation, by, now, client_id)
    if held.is_done:
        return held.manifest
    leg = queries.next_leg(held.legs)
    move = turn(held, Act.LOAD, leg=leg)
    assert leg is not None, "an issued manifest has a carrier"
    today = local_day(now)
    _fill(held, leg, said or {})
    refuse(_receiver_reasons(held, today))
    refuse(contract_reasons(held, today))
    refuse(_carrier_reasons(held, leg, today))
    _begin(held, leg)
    held.manifest.loaded_at = now
    sign(held, move, place=leg.said.get("starts_at", ""))
    post(held, held.manifest.generator, _dispatches(held, leg, today), poster_for(held))
    return held.manifest


@transaction.atomic
def hand_over(
    *,
    manifest: Manifest,
    organisation: Organisation,
    said: Mapping[str, Any] | None = None,
    by: User,
    now: datetime,
    client_id: uuid.UUID | None = None,
) -> Manifest:
    """
    Sign as the next carrier, who has the waste from the one before: where and when is kept.

    :raises TransferRefused, NotPermitted:
    """
    held = _held(manifest, organisation, by, now, client_id)
    if held.is_done:
        return held.manifest
    leg = queries.next_leg(held.legs)
    if leg is None:
        raise refused(Code.ACT_NOT_NOW, "没有下一个承运人")
    move = turn(held, Act.HAND_OVER, leg=leg)
    _fill(held, leg, said or {})
    refuse(_carrier_reasons(held, leg, local_day(now)))
    before = queries.running_leg(held.legs)
    if before is not None:
        before.ended_at = now
        before.save(update_fields=["ended_at"])
    _begin(held, leg)
    sign(held, move, place=leg.said.get("starts_at", ""))
    return held.manifest


@transaction.atomic
def store_on_the_way(
    *,
    manifest: Manifest,
    organisation: Organisation,
    place: str,
    reason: str,
    by: User,
    now: datetime,
    client_id: uuid.UUID | None = None,
) -> Manifest:
    """Put the load down on the way for a while: where and why is kept, and the waste stays on the manifest."""
    held = _held(manifest, organisation, by, now, client_id)
    if held.is_done:
        return held.manifest
    move = turn(held, Act.STORE, leg=queries.running_leg(held.legs))
    if not place.strip() or not reason.strip():
        raise refused(Code.REASON_MISSING, "须写明暂存的地点和原因")
    sign(held, move, words=reason.strip(), place=place.strip())
    return held.manifest


@transaction.atomic
def resume(
    *,
    manifest: Manifest,
    organisation: Organisation,
    by: User,
    now: datetime,
    client_id: uuid.UUID | None = None,
) -> Manifest:
    """Go on after the load was put down."""
    held = _held(manifest, organisation, by, now, client_id)
    if held.is_done:
        return held.manifest
    sign(held, turn(held, Act.RESUME, leg=queries.running_leg(held.legs)))
    return held.manifest


@transaction.atomic
def deliver(
    *,
    manifest: Manifest,
    organisation: Organisation,
    words: str = "",
    by: User,
    now: datetime,
    client_id: uuid.UUID | None = None,
) -> Manifest:
    """
    Sign as the last carrier that the waste is at the receiver's; from now the receiver's five working days run.

    What lapsed while it was on the road is flagged, not refused: the waste is there.
    """
    held = _held(manifest, organisation, by, now, client_id)
    if held.is_done:
        return held.manifest
    leg = queries.running_leg(held.legs)
    move = turn(held, Act.DELIVER, leg=leg)
    assert leg is not None, "what is on the road is carried by somebody"
    if queries.next_leg(held.legs) is not None:
        raise refused(Code.ACT_NOT_NOW, "还有后一承运人没有接运")
    today = local_day(now)
    leg.ended_at = now
    leg.save(update_fields=["ended_at"])
    due = confirmation_due(today)
    held.manifest.delivered_at, held.manifest.confirm_due_on = now, due.on
    sign(held, move, words=words.strip(), place=leg.said.get("ends_at", ""))
    if due.unknown_year is not None:
        flag(held, "due_day_unknown", str(due.unknown_year))
    flag_lapsed(held, today)
    return held.manifest


def flag_lapsed(held: Held, on: date) -> None:
    """Flag a permit that was in date when the waste left, and no longer is."""
    row = held.manifest
    assert row.receiver is not None, "it is required"
    if not row.is_hazardous:
        return
    known = waste_permits(organisation=row.receiver)
    lapsed = {
        line.waste_code
        for line in held.lines
        if permits.cover(known, waste_code=line.waste_code, on=on).group is None
    }
    if lapsed:
        flag(held, "permit_lapsed_on_the_road", "、".join(sorted(lapsed)))
    for leg in held.legs:
        vehicle = leg.vehicle
        if vehicle is not None and vehicle.valid_through is not None and vehicle.valid_through < on:
            flag(held, "vehicle_permit_lapsed_on_the_road", vehicle.plate)


# --- what they share


def _held(
    manifest: Manifest, organisation: Organisation, by: User, now: datetime, client_id: uuid.UUID | None
) -> Held:
    return hold(
        manifest=manifest, organisation=organisation, permission=Permission.SIGN_MANIFESTS, by=by, now=now,
        client_id=client_id,
    )  # fmt: skip


def _fill(held: Held, leg: Leg, said: Mapping[str, Any]) -> None:
    """Take what the carrier fills in, and see that nothing is left out."""
    refuse(faults_in(Part.LEG, said, f"legs.{leg.position}.", only=Party.CARRIER))
    leg.said = {**leg.said, **{name: value for name, value in said.items() if value not in (None, "")}}
    if plate := leg.said.get("plate"):
        leg.said["plate"] = str(plate).strip().upper()
        leg.vehicle = Vehicle.objects.filter(organisation=held.organisation, plate=leg.said["plate"]).first()
    if leg.vehicle is not None and leg.vehicle.permit_number:
        leg.said.setdefault("vehicle_permit", leg.vehicle.permit_number)
    if leg.said.get("driver") and "driver_phone" not in leg.said:
        known = Driver.objects.filter(organisation=held.organisation, name=leg.said["driver"], ended_on=None)
        if phone := known.exclude(phone="").values_list("phone", flat=True).first():
            leg.said["driver_phone"] = phone
    refuse(each for each in lacking(held, Signing.CARRIER, leg=leg) if each.where.startswith("legs."))


def _begin(held: Held, leg: Leg) -> None:
    leg.signed_at = held.now
    leg.save(update_fields=["said", "vehicle", "signed_at"])
    vehicle = leg.vehicle
    if vehicle is not None and vehicle.load_g is not None:
        grams = queries.on_vehicle(vehicle=vehicle)
        if grams > vehicle.load_g:
            detail = f"{vehicle.plate} 核定 {in_tonnes(vehicle.load_g)} 吨，装载 {in_tonnes(grams)} 吨"
            flag(held, "vehicle_overloaded", detail)


def _receiver_reasons(held: Held, on: date) -> list[Reason]:
    row = held.manifest
    assert row.receiver is not None, "it is required"
    if not row.is_hazardous:
        return []
    known = waste_permits(organisation=row.receiver)
    found = []
    for line in held.lines:
        lacks = permits.cover(known, waste_code=line.waste_code, on=on).lacks
        if lacks:
            found.append(
                Reason(LACKS[lacks], f"lines.{line.position}", f"{row.receiver.name}，{line.waste_code}")
            )
    return found


def _carrier_reasons(held: Held, leg: Leg, on: date) -> list[Reason]:
    """What carries hazardous waste has its permits in date: carrier, vehicle, driver (第十三条)."""
    if not held.manifest.is_hazardous:
        return []
    found = []
    own = [
        read_permit(row) for row in permits_of(organisation=held.organisation, kinds=[PermitKind.TRANSPORT])
    ]
    if not any(each.holds_on(on) for each in own):
        found.append(Reason(Code.TRANSPORT_PERMIT_MISSING, "legs", held.organisation.name))
    vehicle = leg.vehicle
    if vehicle is None or vehicle.ended_on is not None:
        found.append(Reason(Code.VEHICLE_UNKNOWN, "legs.plate", leg.said["plate"]))
    elif vehicle.valid_through is None or vehicle.valid_through < on:
        found.append(Reason(Code.VEHICLE_NOT_IN_DATE, "legs.plate", vehicle.plate))
    drivers = Driver.objects.filter(organisation=held.organisation, name=leg.said["driver"], ended_on=None)
    known = list(drivers.values_list("valid_through", flat=True))
    if not known:
        found.append(Reason(Code.DRIVER_UNKNOWN, "legs.driver", leg.said["driver"]))
    elif not any(through is not None and through >= on for through in known):
        found.append(Reason(Code.DRIVER_NOT_IN_DATE, "legs.driver", leg.said["driver"]))
    return found


def _dispatches(held: Held, leg: Leg, on: date) -> list[Draft]:
    row = held.manifest
    assert row.number is not None, "it was issued"
    assert row.receiver is not None, "it is required"
    # Who let it out of the store; the driver stands on the manifest.
    handler = queries.hands_of([row.number])[row.number].issuer or str(leg.said.get("driver", ""))
    return [
        Draft(
            kind=Kind.DISPATCH, moved_on=on, stream_code=line.stream.code, mass=Mass(line.declared_g),
            store_code=line.store_code or None, lot_code=line.lot_code or None, counterparty=row.receiver.name,
            handler=handler[: TEXT_LIMITS["handler"]], note=f"联单 {row.number}",
            client_id=movement_id(held, f"dispatch:{line.position}"), other_place=transit_code(row.number),
        )
        for line in held.lines
    ]  # fmt: skip
