"""
The generator signs: everything that must be so before the waste may leave is looked at here, then the number given.

Looked at are the parties, the receiver's permit and what is left of its capacity of the year, contract and due
diligence, the approval where a province's border is crossed, and that each container stands in store as a whole and
on no other manifest.
"""

import uuid
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F

from wufei.filings.queries import is_planned
from wufei.ledger.kinds import PlaceKind
from wufei.ledger.models import Balance, WasteClass
from wufei.registry import permits
from wufei.registry.access import Permission
from wufei.registry.models import Contract, Organisation, PermitUse, User
from wufei.registry.queries import contracts_on, due_diligence_on, waste_permits
from wufei.registry.services.permits import take_capacity
from wufei.terms.day import local_day
from wufei.terms.mass import Mass
from wufei.transfers import numbering
from wufei.transfers.deadlines import paper_due
from wufei.transfers.fields import Signing
from wufei.transfers.models import Manifest, ManifestLine, NumberSeries, TransferApproval
from wufei.transfers.numbering import ManifestNumber
from wufei.transfers.refusals import Code, Reason, TransferRefused, refused
from wufei.transfers.services.signing import Held, flag, hold, lacking, refuse, sign, turn
from wufei.transfers.states import HOLDING, Act

LACKS = {
    "missing": Code.PERMIT_MISSING,
    "not_in_date": Code.PERMIT_NOT_IN_DATE,
    "code": Code.PERMIT_LACKS_CODE,
}


@transaction.atomic
def issue(
    *,
    manifest: Manifest,
    organisation: Organisation,
    number: str = "",
    paper_completed_on: date | None = None,
    by: User,
    now: datetime,
    client_id: uuid.UUID | None = None,
) -> Manifest:
    """
    Sign as generator, and give the manifest its number.

    :param number: one that the national system, or a paper manifest, gave already
    :param paper_completed_on: the day on which a transfer on paper was completed
    :raises TransferRefused, NotPermitted:
    """
    held = hold(
        manifest=manifest, organisation=organisation, permission=Permission.HANDLE_MANIFESTS, by=by, now=now,
        client_id=client_id,
    )  # fmt: skip
    if held.is_done:
        return held.manifest
    move = turn(held, Act.ISSUE)
    today = local_day(now)
    if paper_completed_on is not None and paper_completed_on > today:
        raise refused(Code.PAPER_DAY_IN_FUTURE, paper_completed_on.isoformat(), "paper_completed_on")
    refuse(_incomplete(held))
    refuse(stock_faults(held))
    refuse(_papers_missing(held, today))
    _take_permits(held, today)
    _take_approvals(held, today)
    _compare_with_plan(held, today)
    _hold_lots(held)
    row = held.manifest
    row.number = str(_given(row, number) if number else _next_number(row, today))
    row.issued_on = today
    try:
        with transaction.atomic():
            sign(held, move)
    except IntegrityError as taken:
        raise refused(Code.NUMBER_TAKEN, row.number) from taken
    if paper_completed_on is not None:
        due = paper_due(paper_completed_on)
        if due.on is not None and today > due.on:
            flag(held, "entered_late", due.on.isoformat())
    return row


# --- is it complete?


def _incomplete(held: Held) -> list[Reason]:
    row = held.manifest
    found = lacking(held, Signing.GENERATOR)
    if not held.lines:
        found.append(Reason(Code.LINES_MISSING, "lines"))
    if not held.legs:
        found.append(Reason(Code.LEGS_MISSING, "legs"))
    parties = [row.receiver, *(leg.carrier for leg in held.legs)]
    found += [
        Reason(Code.PARTY_CLOSED, detail=each.name)
        for each in parties
        if each is not None and each.closed_on is not None
    ]
    return found


def stock_faults(held: Held) -> list[Reason]:
    """A container goes as a whole from where it stands; of bulk there must be enough."""
    codes = [line.lot_code or f"散堆-{line.stream.code}" for line in held.lines]
    rows = Balance.objects.filter(
        lot__organisation=held.manifest.generator,
        lot__code__in=codes,
        place__kind=PlaceKind.STORE,
        mass_g__gt=0,
    ).values_list("lot__code", "mass_g")
    there: dict[str, int] = {}
    for code, grams in rows:
        there[code] = there.get(code, 0) + grams
    wanted: dict[str, int] = {}
    for code, line in zip(codes, held.lines, strict=True):
        wanted[code] = wanted.get(code, 0) + line.declared_g
    found = []
    for code, line in zip(codes, held.lines, strict=True):
        where, has = f"lines.{line.position}", there.get(code, 0)
        if line.lot_code and has and has != wanted[code]:
            detail = f"{line.lot_code} 库中 {Mass(has).tonnes:f} 吨"
            found.append(Reason(Code.LOT_NOT_WHOLE, f"{where}.declared_g", detail))
        elif has < wanted[code]:
            detail = f"{line.waste_name} 库中 {Mass(has).tonnes:f} 吨"
            found.append(Reason(Code.STOCK_SHORT, f"{where}.declared_g", detail))
    return found


# --- may they?


def _papers_missing(held: Held, on: date) -> list[Reason]:
    return [*contract_reasons(held, on), *_transport_contracts(held, on)]


def contract_reasons(held: Held, on: date) -> Iterator[Reason]:
    """Yield what is missing between generator and receiver: contract, due diligence."""
    generator, receiver = held.manifest.generator, held.manifest.receiver
    assert receiver is not None, "it is required"
    rows = contracts_on(organisation=generator, purpose=Contract.Purpose.RECEIVING, on=on)
    listed = list(rows.filter(counterparty=receiver).values_list("waste_codes", flat=True))
    for line in held.lines:
        if not any(not codes or permits.covers(codes, line.waste_code) for codes in listed):
            detail = f"{receiver.name}，{line.waste_code}"
            yield Reason(Code.CONTRACT_MISSING, f"lines.{line.position}", detail)
    if due_diligence_on(organisation=generator, subject=receiver, on=on) is None:
        yield Reason(Code.DUE_DILIGENCE_MISSING, "receiver", receiver.name)


def _transport_contracts(held: Held, on: date) -> Iterator[Reason]:
    """The consignor has a contract with each carrier; who carries its own waste needs none."""
    row = held.manifest
    consignor = row.receiver if row.said.get("consignor") == "RECEIVER" else row.generator
    assert consignor is not None, "it is required"
    carriers = {leg.carrier_id: leg.carrier for leg in held.legs if leg.carrier_id != consignor.pk}
    rows = contracts_on(organisation=consignor, purpose=Contract.Purpose.TRANSPORT, on=on)
    has = set(rows.filter(counterparty__in=carriers).values_list("counterparty_id", flat=True))
    for key, carrier in carriers.items():
        if key not in has:
            yield Reason(Code.CONTRACT_MISSING, "legs", f"{consignor.name}与{carrier.name}的运输合同")


def _compare_with_plan(held: Held, on: date) -> None:
    """
    Flag what the filed plan of the year does not foresee (第十四条).

    No plan filed here says nothing: it may have been filed in the national system.
    """
    row = held.manifest
    assert row.receiver is not None, "it is required"
    for code in sorted({line.waste_code for line in held.lines} if row.is_hazardous else ()):
        said = is_planned(organisation=row.generator, waste_code=code, receiver=row.receiver, year=on.year)
        if said is False:
            flag(held, "not_in_plan", code)


def _take_permits(held: Held, on: date) -> None:
    """Find the permit that takes each waste, and take its capacity of the year."""
    row = held.manifest
    assert row.receiver is not None, "it is required"
    if not row.is_hazardous:
        return
    known = waste_permits(organisation=row.receiver)
    reasons = []
    for line in held.lines:
        found = permits.cover(known, waste_code=line.waste_code, on=on)
        if found.group is None:
            detail = f"{row.receiver.name}，{line.waste_code}"
            reasons.append(Reason(LACKS[found.lacks], f"lines.{line.position}", detail))
        else:
            assert found.permit is not None, "a group is of a permit"
            line.permit_group_id, line.capacity_year = found.group.key, on.year
            if not found.permit.is_verified:
                flag(held, "permit_unverified", found.permit.number)
    refuse(reasons)
    capacity = {group.key: group.capacity_g for permit in known for group in permit.groups}
    wanted: dict[int, int] = {}
    for line in held.lines:
        assert line.permit_group_id is not None, "it was found just now"
        wanted[line.permit_group_id] = wanted.get(line.permit_group_id, 0) + line.declared_g
    for group_id, grams in sorted(wanted.items()):  # in one order, so that two never wait for each other
        if not take_capacity(group_id=group_id, year=on.year, grams=grams):
            used = (
                PermitUse.objects.filter(group=group_id, year=on.year)
                .values_list("used_g", flat=True)
                .first()
            )
            left = Mass(capacity[group_id] - (used or 0)).tonnes
            raise refused(Code.CAPACITY_EXHAUSTED, f"还剩 {left:f} 吨，需要 {Mass(grams).tonnes:f} 吨")


def crosses_province(manifest: Manifest) -> bool:
    assert manifest.receiver is not None, "it is required"
    return manifest.generator.division_code[:2] != manifest.receiver.division_code[:2]


def _take_approvals(held: Held, on: date) -> None:
    """Where a province's border is crossed: find the approval, or filing, of each waste and take from it."""
    row = held.manifest
    if not crosses_province(row):
        return
    kinds = [TransferApproval.Kind.APPROVAL]
    if row.waste_class == WasteClass.GENERAL:
        kinds.append(TransferApproval.Kind.FILING)
    codes = {line.waste_code for line in held.lines}
    rows = TransferApproval.objects.filter(
        generator=row.generator, receiver=row.receiver, kind__in=kinds, waste_code__in=codes, valid_from__lte=on,
        valid_through__gte=on,
    ).order_by("valid_through", "pk")  # fmt: skip
    by_code: dict[str, list[TransferApproval]] = {}
    for each in rows:
        by_code.setdefault(each.waste_code, []).append(each)
    for line in sorted(held.lines, key=lambda each: (each.waste_code, each.position)):
        line.approval_id = _taken_from(by_code.get(line.waste_code, []), line)


def _taken_from(approvals: list[TransferApproval], line: ManifestLine) -> int:
    where = f"lines.{line.position}"
    if not approvals:
        raise refused(Code.APPROVAL_MISSING, line.waste_code, where)
    for each in approvals:
        if take_approved(approval_id=each.pk, grams=line.declared_g):
            return each.pk
    left = Mass(max(each.approved_g - each.used_g for each in approvals)).tonnes
    raise refused(Code.APPROVAL_EXHAUSTED, f"{line.waste_code} 还剩 {left:f} 吨", where)


def take_approved(*, approval_id: int, grams: int) -> bool:
    """Take so much of what was approved, or nothing; the condition and the sum are one statement."""
    rows = TransferApproval.objects.filter(pk=approval_id, used_g__lte=F("approved_g") - grams)
    return rows.update(used_g=F("used_g") + grams) == 1


def _hold_lots(held: Held) -> None:
    """Hold each container; the database lets one manifest hold it."""
    for line in held.lines:
        line.holds_lot = line.lot_id is not None
    lots = [line.lot_id for line in held.lines if line.lot_id is not None]
    other = ManifestLine.objects.filter(lot__in=lots, holds_lot=True).select_related("manifest").first()
    if other is not None:
        raise _held_by(other)
    try:
        with transaction.atomic():
            ManifestLine.objects.bulk_update(
                held.lines, ["holds_lot", "permit_group", "capacity_year", "approval"]
            )
    except IntegrityError as meanwhile:
        raise refused(Code.LOT_ON_ANOTHER_MANIFEST) from meanwhile


def _held_by(other: ManifestLine) -> TransferRefused:
    assert other.manifest.now_in in HOLDING, "what ended holds nothing"
    return refused(Code.LOT_ON_ANOTHER_MANIFEST, f"{other.lot_code}，联单 {other.manifest.number}")


# --- which number?


def _city(manifest: Manifest) -> str:
    try:
        return numbering.city_of(manifest.generator.division_code)
    except numbering.DivisionTooCoarse as coarse:
        raise refused(Code.DIVISION_TOO_COARSE, manifest.generator.division_code) from coarse


def _given(manifest: Manifest, text: str) -> ManifestNumber:
    """Return the number that was given elsewhere."""
    try:
        number = numbering.read_number(text)
    except numbering.NumberMalformed as wrong:
        raise refused(Code.NUMBER_MALFORMED, text) from wrong
    if number.city_code != _city(manifest) or number.is_general == manifest.is_hazardous:
        raise refused(Code.NUMBER_OF_ANOTHER_PLACE, text)
    if Manifest.objects.filter(number=str(number)).exists():
        raise refused(Code.NUMBER_TAKEN, str(number))
    return number


def _next_number(manifest: Manifest, on: date) -> ManifestNumber:
    """Take the city's next serial number of the year; one that was given elsewhere is passed over."""
    city_code, is_general = _city(manifest), not manifest.is_hazardous
    key: dict[str, Any] = {"year": on.year, "city_code": city_code, "is_general": is_general}
    NumberSeries.objects.bulk_create([NumberSeries(**key)], ignore_conflicts=True)
    series = NumberSeries.objects.select_for_update().get(**key)
    serial = series.last + 1
    while serial <= numbering.LAST_SERIAL:
        number = ManifestNumber(on.year, city_code, serial, is_general)
        if not Manifest.objects.filter(number=str(number)).exists():
            NumberSeries.objects.filter(pk=series.pk).update(last=serial)
            return number
        serial += 1
    raise refused(Code.SERIALS_EXHAUSTED)
