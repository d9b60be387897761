"""What changes labels: numbers are reserved and used, prints recorded, a stream's particulars kept."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F
from stdnum.cn import uscc as check_digits

from wufei.catalogue.waste_codes import WasteClass as CodeClass
from wufei.catalogue.waste_codes import read_waste_code
from wufei.labels import queries
from wufei.labels.digital_id import LAST_SEQUENCE, DigitalId
from wufei.labels.models import DigitalIdBlock, DigitalIdCounter, LabelPrint, Particulars, PrintFormat
from wufei.labels.pictograms import hazards_of
from wufei.labels.refusals import Code, LabelRefused
from wufei.ledger import services as ledger
from wufei.ledger.models import Container, Lot, Stream, WasteClass
from wufei.registry.access import Permission
from wufei.registry.models import Organisation, User
from wufei.registry.queries import require
from wufei.registry.services import Audited, audit, audit_each
from wufei.terms.day import local_day

FURTHEST = timedelta(days=31)  # beforehand or late: our own bound
MOST_COPIES = 20
MOST_AT_ONCE = 400  # copies of all labels together: what one file may hold


# --- numbers


def reserve_numbers(
    *,
    organisation: Organisation,
    waste_code: str,
    on: date,
    count: int,
    device: str = "",
    client_id: UUID,
    by: User,
    now: datetime,
) -> DigitalIdBlock:
    """
    Reserve numbers in a row; asked again under the same `client_id`, return the same ones.

    :raises LabelRefused: if the day's 999 do not suffice, or something in the request can't be so
    """
    require(user=by, permission=Permission.POST_MOVEMENTS, organisation=organisation, on=local_day(now))
    asked = DigitalIdBlock(
        organisation=organisation, waste_code=_hazardous_code(waste_code), on=on, device=device.strip(),
        client_id=client_id, reserved_at=now, reserved_by=by,
    )  # fmt: skip
    _refuse_impossible(asked, count, local_day(now))
    try:
        with transaction.atomic():
            return _reserved(asked, count)
    except IntegrityError:  # at the same moment, under this client id, of another waste or day
        raise LabelRefused(Code.CLIENT_ID_REUSED, str(client_id)) from None


def _reserved(asked: DigitalIdBlock, count: int) -> DigitalIdBlock:
    key = {"organisation": asked.organisation, "waste_code": asked.waste_code, "on": asked.on}
    DigitalIdCounter.objects.bulk_create([DigitalIdCounter(**key)], ignore_conflicts=True)
    # Who comes second waits here; then it sees what the first one did.
    counter = DigitalIdCounter.objects.select_for_update().get(**key)
    if before := DigitalIdBlock.objects.filter(
        organisation=asked.organisation, client_id=asked.client_id
    ).first():
        if (before.waste_code, before.on, before.count) != (asked.waste_code, asked.on, count):
            raise LabelRefused(Code.CLIENT_ID_REUSED, str(asked.client_id))
        return before
    moved = DigitalIdCounter.objects.filter(pk=counter.pk, last__lte=LAST_SEQUENCE - count).update(
        last=F("last") + count
    )
    if not moved:
        raise LabelRefused(Code.NUMBERS_EXHAUSTED, f"还剩 {LAST_SEQUENCE - counter.last} 个")
    counter.refresh_from_db(fields=["last"])
    asked.first, asked.last = counter.last - count + 1, counter.last
    asked.save(force_insert=True)
    audit(
        by=asked.reserved_by, now=asked.reserved_at, organisation=asked.organisation,
        action="labels.reserve_numbers", object_ref=f"{asked.waste_code} {asked.on}",
        detail={"first": asked.first, "last": asked.last, "device": asked.device},
    )  # fmt: skip
    return asked


def _hazardous_code(waste_code: str) -> str:
    read = read_waste_code(waste_code)
    if read.code is None or read.waste_class is not CodeClass.HAZARDOUS:
        raise LabelRefused(Code.WASTE_NOT_HAZARDOUS, waste_code)
    return read.code


def _refuse_impossible(asked: DigitalIdBlock, count: int, today: date) -> None:
    if not 1 <= count <= LAST_SEQUENCE:
        raise LabelRefused(Code.COUNT_OUT_OF_RANGE, str(count))
    if not today - FURTHEST <= asked.on <= today + FURTHEST:
        raise LabelRefused(Code.DAY_OUT_OF_RANGE, asked.on.isoformat())
    if not check_digits.is_valid(asked.organisation.uscc):
        raise LabelRefused(Code.ORGANISATION_HAS_NO_VALID_CODE, asked.organisation.uscc)


@transaction.atomic
def use_number(
    *,
    organisation: Organisation,
    lot_code: str,
    digital_id: DigitalId,
    packaging: str,
    volume_ml: int | None = None,
    by: User,
    now: datetime,
) -> Container:
    """
    Put a reserved number on the container of a lot; put there again, nothing changes.

    :raises LabelRefused: if the number is another's, another waste's, not reserved, or used
    """
    require(user=by, permission=Permission.POST_MOVEMENTS, organisation=organisation, on=local_day(now))
    lot = _locked_lot(organisation, lot_code)
    number = str(digital_id)
    if digital_id.uscc != organisation.uscc:
        raise LabelRefused(Code.NUMBER_OF_ANOTHER_ORGANISATION, digital_id.uscc)
    if digital_id.waste_code != lot.stream.waste_code:
        raise LabelRefused(Code.NUMBER_OF_ANOTHER_WASTE, digital_id.waste_code)
    container = Container.objects.filter(lot=lot).first()
    if container and container.digital_id == number:
        return container
    if container and container.digital_id:
        raise LabelRefused(Code.LOT_NUMBERED_ALREADY, container.digital_id)
    if not queries.is_reserved(number=digital_id, organisation=organisation):
        raise LabelRefused(Code.NUMBER_NOT_RESERVED, number)
    if Container.objects.filter(digital_id=number).exists():
        raise LabelRefused(Code.NUMBER_USED, number)
    try:
        with transaction.atomic():
            return ledger.describe_container(
                organisation=organisation, lot_code=lot.code, packaging=packaging, volume_ml=volume_ml,
                digital_id=number, by=by, now=now,
            )  # fmt: skip
    except IntegrityError:  # another container took it at the same moment
        raise LabelRefused(Code.NUMBER_USED, number) from None


@transaction.atomic
def number_container(
    *,
    organisation: Organisation,
    lot_code: str,
    packaging: str,
    volume_ml: int | None,
    client_id: UUID,
    by: User,
    now: datetime,
) -> Container:
    """
    Say what a lot is in, and give it a number of its own if it is hazardous and has none.

    :raises LabelRefused: if the lot isn't there, or the numbers of its day are used up
    """
    require(user=by, permission=Permission.POST_MOVEMENTS, organisation=organisation, on=local_day(now))
    lot = _locked_lot(organisation, lot_code)
    container = Container.objects.filter(lot=lot).first()
    has_number = container is not None and container.digital_id
    if lot.stream.waste_class != WasteClass.HAZARDOUS or has_number:
        return ledger.describe_container(
            organisation=organisation,
            lot_code=lot.code,
            packaging=packaging,
            volume_ml=volume_ml,
            by=by,
            now=now,
        )
    born_on = queries.born_on(queries.lots(organisation=organisation).get(pk=lot.pk))
    if not check_digits.is_valid(organisation.uscc):
        raise LabelRefused(Code.ORGANISATION_HAS_NO_VALID_CODE, organisation.uscc)
    block = _reserved(
        DigitalIdBlock(
            organisation=organisation, waste_code=lot.stream.waste_code, on=born_on or local_day(now),
            device=lot.code[:60], client_id=client_id, reserved_at=now, reserved_by=by,
        ),
        1,
    )  # fmt: skip
    number = DigitalId(organisation.uscc, block.waste_code, block.on, block.first)
    return ledger.describe_container(
        organisation=organisation, lot_code=lot.code, packaging=packaging, volume_ml=volume_ml,
        digital_id=str(number), by=by, now=now,
    )  # fmt: skip


def _locked_lot(organisation: Organisation, lot_code: str) -> Lot:
    own = Lot.objects.select_for_update(of=("self",)).select_related("stream")
    found = own.filter(organisation=organisation, code=lot_code, is_bulk=False).first()
    if found is None:
        raise LabelRefused(Code.LOT_UNKNOWN, lot_code)
    return found


# --- prints


@transaction.atomic
def record_prints(
    *,
    organisation: Organisation,
    lots: Sequence[Lot],
    print_format: PrintFormat,
    count: int,
    reason: str = "",
    client_id: UUID,
    by: User,
    now: datetime,
) -> list[LabelPrint]:
    """
    Record that the labels of these lots are printed, each so many times; under the same `client_id` only once.

    :raises LabelRefused: if one was printed before and no reason is given, or one may not be printed at all
    """
    require(user=by, permission=Permission.POST_MOVEMENTS, organisation=organisation, on=local_day(now))
    keys = sorted({lot.pk for lot in lots})
    if not 1 <= count <= MOST_COPIES or count * len(keys) > MOST_AT_ONCE:
        raise LabelRefused(Code.PRINT_COUNT_OUT_OF_RANGE, str(count * len(keys)))
    # Whoever prints the same label at the same moment waits here.
    locked = list(
        Lot.objects.select_for_update(of=("self",))
        .filter(organisation=organisation, pk__in=keys)
        .order_by("pk")
    )
    if not keys or len(locked) != len(keys):
        raise LabelRefused(Code.LOT_UNKNOWN, "")
    before = list(LabelPrint.objects.filter(organisation=organisation, client_id=client_id))
    if before:
        if {each.lot_id for each in before} != set(keys):
            raise LabelRefused(Code.CLIENT_ID_REUSED, str(client_id))
        return before
    printed = set(LabelPrint.objects.filter(lot__in=keys).values_list("lot_id", flat=True))
    if printed and not reason.strip():
        raise LabelRefused(
            Code.REPRINT_WITHOUT_REASON, "、".join(s.code for s in locked if s.pk in printed)[:200]
        )
    rows = [
        LabelPrint(
            organisation=organisation, lot=lot, digital_id=_number_of(lot), format=print_format, count=count,
            is_reprint=lot.pk in printed, reason=reason.strip() if lot.pk in printed else "", client_id=client_id,
            printed_at=now, printed_by=by,
        )
        for lot in {lot.pk: lot for lot in lots}.values()
    ]  # fmt: skip
    made = LabelPrint.objects.bulk_create(rows)
    audit_each(
        by=by, now=now, action="labels.print",
        entries=(
            Audited(
                organisation=organisation, object_ref=row.lot.code,
                detail={"format": str(print_format), "count": count, "reason": row.reason},
            )
            for row in made
        ),
    )  # fmt: skip
    return made


def _number_of(lot: Lot) -> str:
    """
    :raises LabelRefused: if the lot is hazardous and has no number: its label would be none
    """
    container = queries.container_of(lot)
    if lot.stream.waste_class != WasteClass.HAZARDOUS:
        return ""
    if container is None or not container.digital_id:
        raise LabelRefused(Code.LOT_WITHOUT_NUMBER, lot.code)
    return container.digital_id


# --- what only labels say


@transaction.atomic
def keep_particulars(
    *,
    stream: Stream,
    version: int,
    hazards: str = "",
    harmful_components: str = "",
    precautions: str = "",
    contact: str = "",
    remarks: str = "",
    by: User,
    now: datetime,
) -> Particulars:
    """
    Keep what the labels of a stream say; `version` is the one that was read, 0 where nothing was.

    :raises LabelRefused: if somebody else wrote meanwhile, or a hazard is none
    """
    organisation = stream.organisation
    require(user=by, permission=Permission.EDIT_ORGANISATION, organisation=organisation, on=local_day(now))
    letters = [
        part for part in hazards.replace("，", ",").replace("/", ",").replace(" ", "").split(",") if part
    ]
    known = [hazard.value for hazard in hazards_of(",".join(letters))]
    if len(known) != len(letters):
        raise LabelRefused(Code.HAZARD_UNKNOWN, hazards)
    Stream.objects.select_for_update(of=("self",)).get(pk=stream.pk)
    row = Particulars.objects.filter(stream=stream).first() or Particulars(stream=stream, version=0)
    if row.version != version:
        raise LabelRefused(Code.STALE_EDIT, str(row.version))
    row.hazards, row.harmful_components, row.precautions = ",".join(known), harmful_components, precautions
    row.contact, row.remarks, row.version = contact, remarks, version + 1
    row.save()
    audit(
        by=by, now=now, organisation=organisation, action="labels.keep_particulars", object_ref=stream.code,
        detail={"hazards": row.hazards, "harmful_components": harmful_components, "precautions": precautions,
                "contact": contact, "remarks": remarks},
    )  # fmt: skip
    return row
