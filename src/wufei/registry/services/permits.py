"""
What an organisation may take, with whom it has contracts, what it drives: every write is here.

An organisation says itself which permits it has; an authority that supervises it says that it is so. The capacity
of a year is taken by one conditional statement, so that no two manifests can take the same tonne.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import IntegrityError, transaction
from django.db.models import F, Subquery

from wufei.catalogue.waste_codes import look_up_waste_code
from wufei.registry import queries
from wufei.registry.access import Permission
from wufei.registry.models import (
    Contract,
    Driver,
    DueDiligence,
    OperatingPermit,
    Organisation,
    PermitGroup,
    PermitKind,
    PermitUse,
    User,
    Vehicle,
)
from wufei.registry.services import audit
from wufei.terms.day import local_day
from wufei.terms.mass import Mass


class PermitRefused(Exception):
    """It can't be recorded so; `code` says why, `detail` which."""

    def __init__(self, code: str, detail: str = ""):
        # number_missing, days_reversed, groups_missing, waste_code_unknown, capacity_not_positive, load_not_positive,
        # recorded_already, with_itself, found_missing, plate_missing, name_missing, verified_already, ended_already
        self.code, self.detail = code, detail
        super().__init__(f"{code} {detail}".strip())


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupSaid:
    """Wastes that a permit names together."""

    waste_codes: Sequence[str]
    capacity: Mass
    name: str = ""
    modes: Sequence[str] = ()


def _codes(said: Sequence[str]) -> list[str]:
    """Return the codes in their one spelling; a code that the catalogue doesn't know is refused."""
    found = []
    for text in said:
        reading = look_up_waste_code(text)
        if reading.fault:
            raise PermitRefused("waste_code_unknown", text)
        assert reading.code is not None, "what was read has a code"
        found.append(reading.code)
    return found


@transaction.atomic
def record_permit(
    *,
    organisation: Organisation,
    kind: str,
    number: str,
    valid_from: date,
    valid_through: date,
    groups: Sequence[GroupSaid] = (),
    issued_by: str = "",
    by: User,
    now: datetime,
) -> OperatingPermit:
    """
    Record a permit of the organisation, not verified yet.

    :raises PermitRefused, NotPermitted:
    """
    queries.require(user=by, permission=Permission.KEEP_PERMITS, organisation=organisation, on=local_day(now))
    if not number.strip():
        raise PermitRefused("number_missing")
    if valid_through < valid_from:
        raise PermitRefused("days_reversed")
    if kind != PermitKind.TRANSPORT and not groups:
        raise PermitRefused("groups_missing")
    if any(each.capacity.grams <= 0 for each in groups):
        raise PermitRefused("capacity_not_positive")
    rows = [(each, _codes(each.waste_codes)) for each in groups]
    if any(not codes for _, codes in rows):
        raise PermitRefused("groups_missing")
    try:
        with transaction.atomic():
            permit = OperatingPermit.objects.create(
                organisation=organisation, kind=kind, number=number.strip(), issued_by=issued_by.strip(),
                valid_from=valid_from, valid_through=valid_through, recorded_at=now, recorded_by=by,
            )  # fmt: skip
    except IntegrityError as twice:
        raise PermitRefused("recorded_already", number) from twice
    PermitGroup.objects.bulk_create(
        PermitGroup(
            permit=permit, name=each.name, waste_codes=codes, modes=[m.upper() for m in each.modes],
            capacity_g=each.capacity.grams,
        )
        for each, codes in rows
    )  # fmt: skip
    audit(
        by=by, now=now, organisation=organisation, action="registry.record_permit", object_ref=permit.number,
        detail={"kind": kind, "valid_through": valid_through.isoformat()},
    )  # fmt: skip
    return permit


@transaction.atomic
def verify_permit(*, permit: OperatingPermit, by: User, now: datetime) -> OperatingPermit:
    """
    Put on record that an authority looked at the permit, and that it is so.

    :raises PermitRefused, NotPermitted:
    """
    row = OperatingPermit.objects.select_for_update().get(pk=permit.pk)
    organisation = row.organisation
    queries.require(
        user=by, permission=Permission.VERIFY_PERMITS, organisation=organisation, on=local_day(now)
    )
    if row.verified_at is not None:
        raise PermitRefused("verified_already")
    row.verified_at, row.verified_by = now, by
    row.save(update_fields=["verified_at", "verified_by"])
    audit(by=by, now=now, organisation=organisation, action="registry.verify_permit", object_ref=row.number)
    return row


@transaction.atomic
def revoke_permit(*, permit: OperatingPermit, on: date, by: User, now: datetime) -> OperatingPermit:
    """Put on record that the permit ended before its time: by its holder, or by an authority."""
    row = OperatingPermit.objects.select_for_update().get(pk=permit.pk)
    organisation, today = row.organisation, local_day(now)
    if not queries.may(user=by, permission=Permission.VERIFY_PERMITS, organisation=organisation, on=today):
        queries.require(user=by, permission=Permission.KEEP_PERMITS, organisation=organisation, on=today)
    if row.revoked_on is not None:
        raise PermitRefused("ended_already")
    row.revoked_on = on
    row.save(update_fields=["revoked_on"])
    audit(
        by=by, now=now, organisation=organisation, action="registry.revoke_permit", object_ref=row.number,
        detail={"on": on.isoformat()},
    )  # fmt: skip
    return row


@transaction.atomic
def record_contract(
    *,
    organisation: Organisation,
    counterparty: Organisation,
    purpose: str,
    number: str,
    signed_on: date,
    valid_through: date,
    waste_codes: Sequence[str] = (),
    by: User,
    now: datetime,
) -> Contract:
    """
    Record a contract that the organisation has with who takes or carries its waste.

    :raises PermitRefused, NotPermitted:
    """
    queries.require(
        user=by, permission=Permission.HANDLE_MANIFESTS, organisation=organisation, on=local_day(now)
    )
    if not number.strip():
        raise PermitRefused("number_missing")
    if organisation == counterparty:
        raise PermitRefused("with_itself")
    if valid_through < signed_on:
        raise PermitRefused("days_reversed")
    try:
        with transaction.atomic():
            contract = Contract.objects.create(
                organisation=organisation, counterparty=counterparty, purpose=purpose, number=number.strip(),
                signed_on=signed_on, valid_through=valid_through, waste_codes=_codes(waste_codes),
                recorded_at=now, recorded_by=by,
            )  # fmt: skip
    except IntegrityError as twice:
        raise PermitRefused("recorded_already", number) from twice
    audit(
        by=by, now=now, organisation=organisation, action="registry.record_contract", object_ref=contract.number,
        detail={"counterparty": counterparty.uscc, "valid_through": valid_through.isoformat()},
    )  # fmt: skip
    return contract


@transaction.atomic
def end_contract(*, contract: Contract, on: date, by: User, now: datetime) -> Contract:
    """
    Put on record that the contract ended before its time; on the day itself it no longer holds.

    :raises PermitRefused, NotPermitted:
    """
    row = Contract.objects.select_for_update().get(pk=contract.pk)
    queries.require(
        user=by, permission=Permission.HANDLE_MANIFESTS, organisation=row.organisation, on=local_day(now)
    )
    if row.ended_on is not None:
        raise PermitRefused("ended_already", row.number)
    if on < row.signed_on:
        raise PermitRefused("days_reversed")
    row.ended_on = on
    row.save(update_fields=["ended_on"])
    audit(
        by=by, now=now, organisation=row.organisation, action="registry.end_contract", object_ref=row.number,
        detail={"on": on.isoformat()},
    )  # fmt: skip
    return row


@transaction.atomic
def record_due_diligence(
    *,
    organisation: Organisation,
    subject: Organisation,
    checked_on: date,
    valid_through: date,
    is_passed: bool,
    qualification: str,
    capability: str,
    note: str = "",
    by: User,
    now: datetime,
) -> DueDiligence:
    """
    Record what the organisation found of who is to take its waste: 主体资格, 技术能力.

    :raises PermitRefused, NotPermitted:
    """
    today = local_day(now)
    queries.require(user=by, permission=Permission.HANDLE_MANIFESTS, organisation=organisation, on=today)
    if not qualification.strip() or not capability.strip():
        raise PermitRefused("found_missing")
    if valid_through < checked_on or checked_on > today:
        raise PermitRefused("days_reversed")
    row = DueDiligence.objects.create(
        organisation=organisation, subject=subject, checked_on=checked_on, valid_through=valid_through,
        is_passed=is_passed, qualification=qualification.strip(), capability=capability.strip(), note=note,
        recorded_at=now, recorded_by=by,
    )  # fmt: skip
    audit(
        by=by, now=now, organisation=organisation, action="registry.record_due_diligence",
        object_ref=subject.uscc, detail={"is_passed": is_passed, "checked_on": checked_on.isoformat()},
    )  # fmt: skip
    return row


@transaction.atomic
def record_vehicle(
    *,
    organisation: Organisation,
    plate: str,
    permit_number: str = "",
    valid_through: date | None = None,
    load: Mass | None = None,
    by: User,
    now: datetime,
) -> Vehicle:
    """
    Record a vehicle, or change what is said of it; one that was taken out of use is in use again.

    :param load: 核定载质量, what it may carry
    :raises PermitRefused, NotPermitted:
    """
    queries.require(user=by, permission=Permission.KEEP_PERMITS, organisation=organisation, on=local_day(now))
    plate = plate.strip().upper()
    if not plate:
        raise PermitRefused("plate_missing")
    if load is not None and load.grams <= 0:
        raise PermitRefused("load_not_positive")
    said = {
        "permit_number": permit_number.strip(), "valid_through": valid_through,
        "load_g": load.grams if load else None, "ended_on": None,
    }  # fmt: skip
    row, _ = Vehicle.objects.update_or_create(organisation=organisation, plate=plate, defaults=said)
    audit(by=by, now=now, organisation=organisation, action="registry.record_vehicle", object_ref=plate)
    return row


@transaction.atomic
def record_driver(
    *,
    organisation: Organisation,
    name: str,
    phone: str = "",
    permit_number: str = "",
    valid_through: date | None = None,
    by: User,
    now: datetime,
) -> Driver:
    """Record a driver, or change what is said of them."""
    queries.require(user=by, permission=Permission.KEEP_PERMITS, organisation=organisation, on=local_day(now))
    if not name.strip():
        raise PermitRefused("name_missing")
    said = {"phone": phone.strip(), "valid_through": valid_through, "ended_on": None}
    row, _ = Driver.objects.update_or_create(
        organisation=organisation, name=name.strip(), permit_number=permit_number.strip(), defaults=said
    )
    audit(by=by, now=now, organisation=organisation, action="registry.record_driver", object_ref=row.name)
    return row


@transaction.atomic
def end_vehicle(*, vehicle: Vehicle, on: date, by: User, now: datetime) -> Vehicle:
    """
    Put on record that the vehicle is out of use: it carries nothing any more.

    :raises PermitRefused, NotPermitted:
    """
    row = Vehicle.objects.select_for_update().get(pk=vehicle.pk)
    _end(row, row.plate, "registry.end_vehicle", on, by, now)
    return row


@transaction.atomic
def end_driver(*, driver: Driver, on: date, by: User, now: datetime) -> Driver:
    """
    Put on record that the driver has left.

    :raises PermitRefused, NotPermitted:
    """
    row = Driver.objects.select_for_update().get(pk=driver.pk)
    _end(row, row.name, "registry.end_driver", on, by, now)
    return row


def _end(row: Vehicle | Driver, name: str, action: str, on: date, by: User, now: datetime) -> None:
    today = local_day(now)
    queries.require(user=by, permission=Permission.KEEP_PERMITS, organisation=row.organisation, on=today)
    if row.ended_on is not None:
        raise PermitRefused("ended_already", name)
    if on > today:
        raise PermitRefused("days_reversed")
    row.ended_on = on
    row.save(update_fields=["ended_on"])
    audit(
        by=by, now=now, organisation=row.organisation, action=action, object_ref=name,
        detail={"on": on.isoformat()},
    )  # fmt: skip


# --- the capacity of a year


@transaction.atomic
def take_capacity(*, group_id: int, year: int, grams: int) -> bool:
    """
    Take so much of the group's capacity of the year, or nothing; return whether it was there to take.

    One statement holds the condition and the sum: who comes second waits, and looks at the sum as it then is.
    """
    PermitUse.objects.bulk_create([PermitUse(group_id=group_id, year=year, used_g=0)], ignore_conflicts=True)
    capacity = PermitGroup.objects.filter(pk=group_id).values("capacity_g")
    taken = PermitUse.objects.filter(
        group_id=group_id, year=year, used_g__lte=Subquery(capacity) - grams
    ).update(used_g=F("used_g") + grams)
    return taken == 1


def give_back_capacity(*, group_id: int, year: int, grams: int) -> None:
    """Give back what was taken and not used."""
    given = PermitUse.objects.filter(group_id=group_id, year=year, used_g__gte=grams).update(
        used_g=F("used_g") - grams
    )
    assert given == 1, "no more is given back than was taken"
