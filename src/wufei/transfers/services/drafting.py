"""
A draft: made from scanned containers or typed loads, changed as a whole, thrown away. It is its organisation's own.

An edit says all that the draft shall say: a line that it leaves out is gone after it.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, NamedTuple

from django.db import IntegrityError, transaction
from django.db.models import F

from wufei.catalogue.waste_codes import read_waste_code
from wufei.ledger.models import Lot, Stream, WasteClass
from wufei.ledger.posting import ABSURD_MASS
from wufei.registry.access import Permission
from wufei.registry.models import Organisation, OrganisationKind, User
from wufei.registry.queries import require
from wufei.registry.services import audit
from wufei.registry.services.permits import give_back_capacity
from wufei.terms.day import local_day
from wufei.terms.mass import Mass
from wufei.transfers import fields, queries
from wufei.transfers.fields import Part
from wufei.transfers.models import Leg, Manifest, ManifestLine, TransferApproval
from wufei.transfers.refusals import Code, Reason, refused
from wufei.transfers.scanned import Scanned, read_scanned
from wufei.transfers.services.signing import Held, faults_in, hold, refuse, sign, turn
from wufei.transfers.states import Act, Party, State

CARRIERS = frozenset(
    {OrganisationKind.CARRIER.value, OrganisationKind.ENTERPRISE.value, OrganisationKind.UTILISER.value}
)
RECEIVERS = frozenset({OrganisationKind.UTILISER.value, OrganisationKind.ENTERPRISE.value})
# As people write the form of a waste; what is written otherwise, the officer chooses.
FORM_OF = {
    **{label: code for code, label in fields.PHYSICAL_FORMS}, "固体": "SOLID", "液体": "LIQUID", "半固体": "SEMI_SOLID",
    "污泥": "SEMI_SOLID", "气体": "GAS",
}  # fmt: skip
PACKAGING_OF = {"DRUM", "BAG", "BOX", "TANK", "PALLET", "OTHER"}


@dataclass(frozen=True, slots=True, kw_only=True)
class LineSaid:
    """A container, by its code alone, or a load of a stream's bulk with its mass."""

    lot: str = ""
    stream: str = ""
    mass: Mass | None = None  # of a container: what the store holds of it
    store: str = ""
    package_count: int | None = None
    said: Mapping[str, Any] = field(
        default_factory=dict
    )  # hazards, physical_form, harmful_components, packaging


@dataclass(frozen=True, slots=True, kw_only=True)
class LegSaid:
    """A carrier in turn, by its 统一社会信用代码; what the carrier itself fills may be known before."""

    carrier: str
    said: Mapping[str, Any] = field(default_factory=dict)


class Drafted(NamedTuple):
    """A draft with what stands on it, as it was just written: nothing has to be read again."""

    manifest: Manifest
    lines: Sequence[ManifestLine]
    legs: Sequence[Leg]


def create_draft(**said: Any) -> Manifest:
    """Make a draft and return it: `draft` for who needs no more of it."""
    return draft(**said).manifest


@transaction.atomic
def draft(
    *,
    organisation: Organisation,
    receiver: str = "",
    legs: Sequence[LegSaid] = (),
    lines: Sequence[LineSaid] = (),
    said: Mapping[str, Any] | None = None,
    uid: uuid.UUID | None = None,
    by: User,
    now: datetime,
) -> Drafted:
    """
    Make a draft of the organisation as generator; the same uid again brings the draft that stands.

    :raises TransferRefused: client_id_reused where the uid stands for a draft that says something else
    :raises NotPermitted:
    """
    today = local_day(now)
    require(user=by, permission=Permission.HANDLE_MANIFESTS, organisation=organisation, on=today)
    asked = _Asked(receiver, legs, lines, said or {})
    if uid is not None and Manifest.objects.filter(uid=uid).exists():
        return _drafted_before(uid, organisation, asked)
    known = _known(organisation, receiver, legs)
    rows = _lines(organisation, lines)
    reasons = [*_faults(said or {}, lines, legs), *rows.reasons, *known.reasons]
    refuse(reasons)
    manifest = Manifest(
        uid=uid or uuid.uuid4(), generator=organisation, receiver=known.receiver, said=dict(said or {}),
        waste_class=rows.waste_class, declared_g=rows.total_g, created_at=now, created_by=by,
    )  # fmt: skip
    try:
        with transaction.atomic():
            manifest.save(force_insert=True)
    except IntegrityError:  # another sent the same at the same moment
        return _drafted_before(manifest.uid, organisation, asked)
    legs_made = _write(manifest, rows, known)
    audit(
        by=by, now=now, organisation=organisation, action="transfers.create_draft",
        object_ref=str(manifest.uid), detail={"lines": len(rows.lines)},
    )  # fmt: skip
    return Drafted(manifest, rows.lines, legs_made)


class _Asked(NamedTuple):
    """What a client says that its draft shall say."""

    receiver: str
    legs: Sequence[LegSaid]
    lines: Sequence[LineSaid]
    said: Mapping[str, Any]


def _drafted_before(uid: uuid.UUID, organisation: Organisation, asked: _Asked) -> Drafted:
    """Return what was made under the client's id before; what was edited since says something else rightly."""
    standing = Manifest.objects.select_related("generator", "receiver").get(uid=uid)
    found = Drafted(standing, queries.lines_of(standing), queries.legs_of(standing))
    is_untouched = standing.now_in is State.DRAFT and standing.version == 1
    if standing.generator_id != organisation.pk or (is_untouched and not _says(found, organisation, asked)):
        raise refused(Code.CLIENT_ID_REUSED, str(uid))
    return found


def _says(found: Drafted, organisation: Organisation, asked: _Asked) -> bool:
    """Does the draft say what is asked, but for what it was given from the ledger?"""
    row = found.manifest
    lines, unread = _scanned(organisation, asked.lines)
    return (
        not unread
        and (row.receiver.uscc if row.receiver else "") == asked.receiver
        and row.said == dict(asked.said)
        and [(leg.carrier.uscc, leg.said) for leg in found.legs]
        == [(leg.carrier, dict(leg.said)) for leg in asked.legs]
        and len(found.lines) == len(lines)
        and all(_line_says(line, each) for line, each in zip(found.lines, lines, strict=True))
    )


def _line_says(line: ManifestLine, each: LineSaid) -> bool:
    return (
        line.lot_code == each.lot
        and each.stream in ("", line.stream.code)
        and each.store in ("", line.store_code)
        and (each.mass is None or each.mass.grams == line.declared_g)
        and each.package_count in (None, line.package_count)
        and all(line.said.get(name) == value for name, value in each.said.items())
    )


@transaction.atomic
def edit_draft(
    *,
    manifest: Manifest,
    organisation: Organisation,
    version: int,
    receiver: str = "",
    legs: Sequence[LegSaid] = (),
    lines: Sequence[LineSaid] = (),
    said: Mapping[str, Any] | None = None,
    by: User,
    now: datetime,
) -> Manifest:
    """
    Let the draft say this and nothing else.

    :raises TransferRefused: stale_edit where somebody wrote since that version; sealed where it was signed
    """
    held = hold(
        manifest=manifest, organisation=organisation, permission=Permission.HANDLE_MANIFESTS, by=by, now=now
    )
    row = held.manifest
    if row.generator_id != organisation.pk:
        raise refused(Code.WRONG_PARTY, row.generator.name)
    if row.now_in is not State.DRAFT:
        raise refused(Code.SEALED)
    if row.version != version:
        raise refused(Code.STALE_EDIT, f"现在的版本号是 {row.version}")
    known = _known(organisation, receiver, legs)
    rows = _lines(organisation, lines)
    refuse([*_faults(said or {}, lines, legs), *rows.reasons, *known.reasons])
    row.receiver, row.said = known.receiver, dict(said or {})
    row.waste_class, row.declared_g, row.version = rows.waste_class, rows.total_g, row.version + 1
    row.save()
    row.lines.all().delete()
    row.legs.all().delete()
    _write(row, rows, known)
    audit(
        by=by, now=now, organisation=organisation, action="transfers.edit_draft", object_ref=str(row.uid),
        detail={"lines": len(rows.lines), "version": row.version},
    )  # fmt: skip
    return row


@transaction.atomic
def cancel(
    *,
    manifest: Manifest,
    organisation: Organisation,
    reason: str,
    by: User,
    now: datetime,
    client_id: uuid.UUID | None = None,
) -> Manifest:
    """
    Cancel a manifest before it is on the road, and give back what it had taken.

    :raises TransferRefused, NotPermitted:
    """
    held = hold(
        manifest=manifest, organisation=organisation, permission=Permission.HANDLE_MANIFESTS, by=by, now=now,
        client_id=client_id,
    )  # fmt: skip
    if held.is_done:
        return held.manifest
    move = turn(held, Act.CANCEL)
    if not reason.strip() and held.manifest.number:
        raise refused(Code.REASON_MISSING)
    give_back(held)
    sign(held, move, words=reason.strip())
    return held.manifest


def give_back(held: Held) -> None:
    """Give back the capacity and the approved quantity that the manifest's lines had taken, as far as unused."""
    for line in sorted(held.lines, key=lambda each: (each.permit_group_id or 0, each.approval_id or 0)):
        unused = line.declared_g if line.received_g is None else 0
        if unused and line.permit_group_id and line.capacity_year:
            give_back_capacity(group_id=line.permit_group_id, year=line.capacity_year, grams=unused)
        if unused and line.approval_id:
            TransferApproval.objects.filter(pk=line.approval_id).update(used_g=F("used_g") - unused)


# --- what a draft says


@dataclass
class _Known:
    receiver: Organisation | None
    carriers: list[tuple[Organisation, LegSaid]]
    reasons: list[Reason]


@dataclass
class _Lines:
    lines: list[ManifestLine]
    waste_class: str
    total_g: int
    reasons: list[Reason]


def _known(organisation: Organisation, receiver: str, legs: Sequence[LegSaid]) -> _Known:
    """Look up the parties that the draft names, in one statement."""
    wanted = {each for each in (receiver, *(leg.carrier for leg in legs)) if each}
    found = {each.uscc: each for each in Organisation.objects.filter(uscc__in=wanted)} if wanted else {}
    reasons = [Reason(Code.PARTY_UNKNOWN, detail=code) for code in sorted(wanted - found.keys())]
    taker = found.get(receiver)
    if taker is not None:
        if taker.pk == organisation.pk:
            reasons.append(Reason(Code.SAME_PARTY, "receiver"))
        elif taker.kind not in RECEIVERS:
            reasons.append(Reason(Code.PARTY_UNFIT, "receiver", taker.name))
    carriers = [(found[leg.carrier], leg) for leg in legs if leg.carrier in found]
    for at, (carrier, _) in enumerate(carriers, 1):
        if carrier.kind not in CARRIERS:
            reasons.append(Reason(Code.PARTY_UNFIT, f"legs.{at}.carrier", carrier.name))
    return _Known(taker, carriers, reasons)


def _faults(said: Mapping[str, Any], lines: Sequence[LineSaid], legs: Sequence[LegSaid]) -> list[Reason]:
    found = faults_in(Part.MANIFEST, said, only=Party.GENERATOR)
    for at, line in enumerate(lines, 1):
        found += faults_in(Part.LINE, line.said, f"lines.{at}.", only=Party.GENERATOR)
        if line.mass is not None and line.mass.grams <= 0:
            found.append(Reason(Code.MASS_NOT_POSITIVE, f"lines.{at}.declared_g"))
        if line.mass is not None and line.mass.grams > ABSURD_MASS.grams:
            found.append(Reason(Code.MASS_ABSURD, f"lines.{at}.declared_g", f"{line.mass.tonnes:f} 吨"))
        if line.package_count is not None and line.package_count <= 0:
            found.append(Reason(Code.FIELD_MALFORMED, f"lines.{at}.package_count", "包装数量：应大于零"))
    for at, leg in enumerate(legs, 1):
        found += faults_in(Part.LEG, leg.said, f"legs.{at}.")
    return found


def _lines(organisation: Organisation, lines: Sequence[LineSaid]) -> _Lines:
    """Build the lines: a container brings its stream, its mass and its packaging with it."""
    lines, reasons = _scanned(organisation, lines)
    lots = queries.scannable(organisation=organisation, codes=[each.lot for each in lines if each.lot])
    streams = queries.streams_named(
        organisation=organisation, codes=[each.stream for each in lines if each.stream and not each.lot]
    )
    seen: set[str] = set()
    built = []
    for at, each in enumerate(lines, 1):
        where = f"lines.{at}"
        if each.lot and each.lot in seen:
            reasons.append(Reason(Code.LOT_TWICE, f"{where}.lot", each.lot))
            continue
        seen.add(each.lot)
        built += _of_container(each, at, lots, reasons) if each.lot else _of_bulk(each, at, streams, reasons)
    classes = {line.stream.waste_class for line in built}
    if len(classes) > 1:
        reasons.append(Reason(Code.WASTE_CLASS_MIXED, "lines"))
    waste_class = classes.pop() if len(classes) == 1 else WasteClass.HAZARDOUS.value
    return _Lines(built, waste_class, sum(line.declared_g for line in built), reasons)


def _scanned(organisation: Organisation, lines: Sequence[LineSaid]) -> tuple[list[LineSaid], list[Reason]]:
    """Return the lines with the codes of the lots that were scanned, and what could not be read."""
    read = [read_scanned(each.lot) if each.lot else Scanned() for each in lines]
    behind = queries.codes_behind(
        organisation=organisation, digital_ids=[each.digital_id for each in read if each.digital_id]
    )
    named, reasons = [], []
    for at, (line, scanned) in enumerate(zip(lines, read, strict=True), 1):
        if scanned.refused is not None:
            reasons.append(Reason(scanned.refused, f"lines.{at}.lot", line.lot[:60]))
            continue
        code = scanned.lot or behind.get(scanned.digital_id, scanned.digital_id)
        named.append(replace(line, lot=code))
    return named, reasons


def _of_container(
    each: LineSaid, at: int, lots: Mapping[str, tuple[Lot, dict[str, int]]], reasons: list[Reason]
) -> list[ManifestLine]:
    lot, held = lots.get(each.lot, (None, {}))
    if lot is None or lot.is_bulk or each.stream not in ("", lot.stream.code):
        reasons.append(Reason(Code.LOT_UNKNOWN, f"lines.{at}.lot", each.lot))
        return []
    store = each.store or next(iter(held), "")
    mass = each.mass or Mass(held.get(store, 0))
    if mass.grams <= 0:
        reasons.append(Reason(Code.STOCK_SHORT, f"lines.{at}.lot", f"{each.lot} 不在库中"))
        return []
    container = getattr(lot, "container", None)
    said = dict(each.said)
    if container is not None and container.packaging in PACKAGING_OF:
        said.setdefault("packaging", container.packaging)
    return [_line(each, at, lot.stream, said, mass, lot=lot, store=store, count=each.package_count or 1)]


def _of_bulk(
    each: LineSaid, at: int, streams: Mapping[str, Stream], reasons: list[Reason]
) -> list[ManifestLine]:
    stream = streams.get(each.stream)
    if stream is None:
        reasons.append(Reason(Code.STREAM_UNKNOWN, f"lines.{at}.stream", each.stream))
        return []
    if each.mass is None:
        reasons.append(Reason(Code.MASS_NOT_POSITIVE, f"lines.{at}.declared_g", "没有填数量"))
        return []
    said = {"packaging": "BULK"} | dict(each.said)
    return [_line(each, at, stream, said, each.mass, store=each.store, count=each.package_count or 1)]


def _line(
    each: LineSaid,
    at: int,
    stream: Stream,
    said: dict[str, Any],
    mass: Mass,
    *,
    lot: Lot | None = None,
    store: str = "",
    count: int,
) -> ManifestLine:
    for name, value in _defaults(stream).items():
        said.setdefault(name, value)
    return ManifestLine(
        position=at, stream=stream, lot=lot, lot_code=lot.code if lot else "", waste_code=stream.waste_code,
        waste_category=stream.waste_category, waste_name=stream.name, store_code=store, said=said,
        package_count=count, declared_g=mass.grams,
    )  # fmt: skip


def _defaults(stream: Stream) -> dict[str, str]:
    """Return what the catalogue and the stream say of the waste already: hazards, physical form, components."""
    found = {}
    reading = read_waste_code(stream.waste_code)
    if reading.entry is not None and reading.entry.hazard and reading.waste_class == WasteClass.HAZARDOUS:
        found["hazards"] = reading.entry.hazard
    form = FORM_OF.get(stream.physical_form.strip())
    if form is not None:
        found["physical_form"] = form
    if stream.waste_class == WasteClass.HAZARDOUS and stream.main_components:
        found["harmful_components"] = stream.main_components
    return found


def _write(manifest: Manifest, rows: _Lines, known: _Known) -> list[Leg]:
    for line in rows.lines:
        line.manifest = manifest
    ManifestLine.objects.bulk_create(rows.lines)
    return Leg.objects.bulk_create(
        Leg(manifest=manifest, position=at, carrier=carrier, said=dict(leg.said))
        for at, (carrier, leg) in enumerate(known.carriers, 1)
    )
