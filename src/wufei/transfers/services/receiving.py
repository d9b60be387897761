"""
The receiver weighs and signs: accepts, accepts in part, or refuses; what goes back, the generator takes back.

Each line is what was declared = what is received + what goes back + the difference. The difference leaves the road
as a loss, or comes onto it as a gain, with the manifest's number; above the tolerance it is somebody's task.
"""

import uuid
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial

from django.db import transaction
from django.db.models import F

from wufei.catalogue.disposal_modes import ModeKind, disposal_mode
from wufei.ledger import queries as ledger_queries
from wufei.ledger import services as ledger
from wufei.ledger.kinds import Kind
from wufei.ledger.models import Container, Lot, Movement, Stream
from wufei.ledger.posting import TEXT_LIMITS, Draft, bulk_code, transit_code
from wufei.registry.access import Permission
from wufei.registry.models import Organisation, User
from wufei.registry.services.permits import give_back_capacity, take_capacity
from wufei.terms.day import local_day
from wufei.terms.mass import Mass
from wufei.transfers.fields import Part, Signing
from wufei.transfers.models import Discrepancy, Manifest, ManifestLine, TransferApproval
from wufei.transfers.refusals import Code, Reason, refused
from wufei.transfers.services.carrying import flag_lapsed
from wufei.transfers.services.issuing import take_approved
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
from wufei.transfers.tolerance import Tolerance, is_beyond, is_implausible, tolerance_on

# General waste has no codes of its own for what becomes of it.
PLAIN_MODES = {"利用": ModeKind.UTILISATION, "处置": ModeKind.DISPOSAL}


@dataclass(frozen=True, slots=True, kw_only=True)
class LineReceived:
    """What the receiver found of one line."""

    position: int
    received: Mass
    returned: Mass = field(default_factory=partial(Mass, 0))  # what goes back
    count: int | None = None
    mode: str = ""


@transaction.atomic
def receive(
    *,
    manifest: Manifest,
    organisation: Organisation,
    act: Act,
    lines: Sequence[LineReceived] = (),
    said: Mapping[str, str] | None = None,
    stream_codes: Mapping[int, str] | None = None,
    store_code: str = "",
    is_reweighed: bool = False,
    by: User,
    now: datetime,
    client_id: uuid.UUID | None = None,
) -> Manifest:
    """
    Sign as receiver: ACCEPT, PARTLY_ACCEPT or REFUSE.

    :param stream_codes: in which stream of the receiver's own ledger each line comes, where its code leaves a choice
    :param is_reweighed: a weight that is ten times the declared one was weighed again, and is so
    :raises TransferRefused, NotPermitted:
    """
    assert act in (Act.ACCEPT, Act.PARTLY_ACCEPT, Act.REFUSE), act
    held = hold(
        manifest=manifest, organisation=organisation, permission=Permission.SIGN_MANIFESTS, by=by, now=now,
        client_id=client_id,
    )  # fmt: skip
    if held.is_done:
        return held.manifest
    move = turn(held, act)
    row, today = held.manifest, local_day(now)
    refuse(faults_in(Part.MANIFEST, said or {}, only=Party.RECEIVER))
    row.said = {**row.said, **(said or {})}
    if act is Act.REFUSE:
        _send_all_back(held)
    else:
        _take_in(held, act, lines, is_reweighed)
    # A line of which nothing is kept has no way of utilisation, and no received weight above nothing.
    refuse(each for each in lacking(held, Signing.RECEIVER) if not _is_of_sent_back(held, each))
    lock_ledgers({row.generator, organisation})  # before the capacities, everywhere in this order
    _settle_capacity(held)
    row.received_g = sum(line.received_g or 0 for line in held.lines)
    row.confirmed_at = now
    ManifestLine.objects.bulk_update(held.lines, ["received_g", "returned_g", "received_count", "mode"])
    sign(held, move, words=str(row.said.get("opinion", "")))
    tolerance = tolerance_on(today)
    _open_discrepancies(held, tolerance)
    post(held, row.generator, _off_the_road(held), poster_for(held))
    _into_own_ledger(held, stream_codes or {}, store_code)
    _flag_arrival(held, is_reweighed)
    return row


def _send_all_back(held: Held) -> None:
    for line in held.lines:
        line.received_g, line.returned_g, line.received_count = 0, line.declared_g, None


def _take_in(held: Held, act: Act, lines: Sequence[LineReceived], is_reweighed: bool) -> None:
    """Take what was found of each line; every line has to be told of."""
    found = {each.position: each for each in lines}
    own = {line.position: line for line in held.lines}
    reasons = [Reason(Code.LINE_UNKNOWN, f"lines.{at}") for at in found.keys() - own.keys()]
    reasons += [
        Reason(Code.LINE_LEFT_OUT, f"lines.{at}", line.waste_name)
        for at, line in own.items()
        if at not in found
    ]
    refuse(reasons)
    for at, line in own.items():
        each = found[at]
        reasons += _line_faults(held, line, each, is_reweighed)
        line.received_g, line.returned_g = each.received.grams, each.returned.grams
        line.received_count, line.mode = each.count, each.mode.strip().upper()
    if not reasons:
        if not any(line.received_g for line in held.lines):
            reasons.append(Reason(Code.NOTHING_RECEIVED))
        elif act is Act.ACCEPT and any(line.returned_g for line in held.lines):
            reasons.append(Reason(Code.SOMETHING_RETURNED))
    refuse(reasons)


def _line_faults(held: Held, line: ManifestLine, each: LineReceived, is_reweighed: bool) -> list[Reason]:
    where, found = f"lines.{line.position}", []
    if each.received.grams < 0 or each.returned.grams < 0:
        found.append(Reason(Code.MASS_NOT_POSITIVE, f"{where}.received_g"))
    if each.received.grams == 0 and each.returned.grams == 0:
        found.append(Reason(Code.MASS_NOT_POSITIVE, f"{where}.received_g", "没有接受的请填退回量"))
    if each.returned.grams > line.declared_g:
        found.append(Reason(Code.RETURN_TOO_LARGE, f"{where}.returned_g"))
    if each.received.grams and mode_kind(each.mode, is_hazardous=held.manifest.is_hazardous) is None:
        found.append(Reason(Code.MODE_UNKNOWN, f"{where}.mode", each.mode))
    kept = line.declared_g - each.returned.grams
    odd = kept > 0 and is_implausible(declared_g=kept, received_g=each.received.grams)
    if odd and not is_reweighed:
        detail = f"移出 {Mass(kept).tonnes:f} 吨，接收 {each.received.tonnes:f} 吨"
        found.append(Reason(Code.WEIGHT_IMPLAUSIBLE, f"{where}.received_g", detail))
    return found


def mode_kind(mode: str, *, is_hazardous: bool) -> ModeKind | None:
    """Return whether a way is one of utilisation or of disposal; None where there is no such way."""
    known = disposal_mode(mode)
    if known is not None:
        return known.kind
    return None if is_hazardous else PLAIN_MODES.get(mode.strip())


def _is_of_sent_back(held: Held, reason: Reason) -> bool:
    sent_back = {f"lines.{line.position}." for line in held.lines if not line.received_g}
    return any(reason.where.startswith(start) for start in sent_back)


def _settle_capacity(held: Held) -> None:
    """What was taken of capacity and approval when the manifest was issued becomes what was received."""
    for line in sorted(
        held.lines, key=lambda each: (each.permit_group_id or 0, each.approval_id or 0, each.position)
    ):
        more = (line.received_g or 0) - line.declared_g
        where = f"lines.{line.position}.received_g"
        if line.permit_group_id and line.capacity_year and more:
            said = {"group_id": line.permit_group_id, "year": line.capacity_year}
            if more < 0:
                give_back_capacity(**said, grams=-more)
            elif not take_capacity(**said, grams=more):
                raise refused(Code.CAPACITY_EXHAUSTED, line.waste_name, where)
        if line.approval_id and more:
            if more < 0:
                TransferApproval.objects.filter(pk=line.approval_id).update(used_g=F("used_g") + more)
            elif not take_approved(approval_id=line.approval_id, grams=more):
                raise refused(Code.APPROVAL_EXHAUSTED, line.waste_name, where)


def lock_ledgers(organisations: Set[Organisation]) -> None:
    """Take the chains in one order, so that two that send to each other never wait for one another."""
    for each in sorted(organisations, key=lambda one: one.pk):
        ledger_queries.locked_head(organisation=each)


# --- the generator's ledger


def _off_the_road(held: Held) -> list[Draft]:
    """Return the movements that end what was on the road."""
    on = local_day(held.now)
    return [draft for line in held.lines for draft in ends_of(held, line, on=on).values()]


def ends_of(held: Held, line: ManifestLine, *, on: date, suffix: str = "") -> dict[str, Draft]:
    """
    Return by what the line ends on the road: used or disposed of, lost, or more than was declared.

    :param suffix: what tells the client ids of a correction from those of what it corrects
    """
    row = held.manifest
    assert row.number is not None, "it was issued"
    assert row.receiver is not None, "it is required"
    received, kept = line.received_g or 0, line.declared_g - line.returned_g
    note, found = f"联单 {row.number}", {}

    def draft(kind: Kind, grams: int, what: str, note: str) -> Draft:
        return Draft(
            kind=kind, moved_on=on, stream_code=line.stream.code, mass=Mass(grams),
            store_code=transit_code(str(row.number)), lot_code=line.lot_code or None, note=note,
            client_id=movement_id(held, f"{what}:{line.position}{suffix}"),
        )  # fmt: skip

    if received > kept:
        found["gain"] = draft(Kind.STOCKTAKE_GAIN, received - kept, "gain", f"{note} 接收量多于移出量")
    elif received < kept:
        found["loss"] = draft(Kind.STOCKTAKE_LOSS, kept - received, "loss", f"{note} 接收量少于移出量")
    if received:
        is_used = mode_kind(line.mode, is_hazardous=row.is_hazardous) is ModeKind.UTILISATION
        kind = Kind.CONTRACTED_UTILISATION if is_used else Kind.CONTRACTED_DISPOSAL
        ended = draft(kind, received, "received", note)
        found["received"] = ended._replace(method=line.mode, counterparty=row.receiver.name)
    return found


def _open_discrepancies(held: Held, tolerance: Tolerance) -> None:
    found = []
    for line in held.lines:
        received, kept = line.received_g or 0, line.declared_g - line.returned_g
        if kept and is_beyond(declared_g=kept, received_g=received, tolerance=tolerance):
            found.append(Discrepancy(line=line, kind=Discrepancy.Kind.MASS, declared=kept, found=received))
        count = line.package_count
        if (
            not line.returned_g
            and line.received_count is not None
            and count not in (None, line.received_count)
        ):
            found.append(
                Discrepancy(
                    line=line, kind=Discrepancy.Kind.COUNT, declared=count or 0, found=line.received_count
                )
            )
    for each in found:
        each.manifest, each.opened_at = held.manifest, held.now
    Discrepancy.objects.bulk_create(found)


def _flag_arrival(held: Held, is_reweighed: bool) -> None:
    row, today = held.manifest, local_day(held.now)
    if row.confirm_due_on is not None and today > row.confirm_due_on:
        flag(held, "confirmed_late", row.confirm_due_on.isoformat())
    odd = [
        line
        for line in held.lines
        if is_implausible(declared_g=line.declared_g - line.returned_g or 1, received_g=line.received_g or 0)
        and line.declared_g > line.returned_g
    ]
    if odd and is_reweighed:
        flag(held, "weight_ten_times", "、".join(f"第 {line.position} 行" for line in odd))
    flag_lapsed(held, today)


# --- the receiver's ledger


def _into_own_ledger(held: Held, stream_codes: Mapping[int, str], store_code: str) -> None:
    """Post what came in where the receiver keeps its ledger here, as lots that know where they are from."""
    row = held.manifest
    came = [line for line in held.lines if line.received_g]
    stores = ledger_queries.stores_of(organisation=held.organisation)
    if not came or not stores:
        return
    streams = _streams_for(held, came, stream_codes)
    assert row.number is not None, "it was issued"
    number = row.number
    drafts = [
        Draft(
            kind=Kind.RECEIPT, moved_on=local_day(held.now), stream_code=streams[line.position].code,
            mass=Mass(line.received_g or 0), store_code=store_code or None,
            lot_code=f"{number}-{line.position:02}", counterparty=row.generator.name, note=f"联单 {number}",
            handler=str(held.by)[: TEXT_LIMITS["handler"]],
            client_id=movement_id(held, f"receipt:{line.position}"),
        )
        for line in came
    ]  # fmt: skip
    posted = {move.client_id: move for move in _with_lots(post(held, held.organisation, drafts, held.by))}
    for line, draft in zip(came, drafts, strict=True):
        assert draft.client_id is not None
        line.receipt_lot = posted[draft.client_id].lot
    ManifestLine.objects.bulk_update(came, ["receipt_lot"])
    _describe_containers(held, came)
    _record_lineage(held, came, number)


def _describe_containers(held: Held, came: Sequence[ManifestLine]) -> None:
    """Say what each single package is in; a load of several is no container, and bulk is in none."""
    volumes = dict(
        Container.objects.filter(lot__in=[line.lot_id for line in came if line.lot_id]).values_list(
            "lot", "volume_ml"
        )
    )
    found = [
        ledger.ContainerSaid(
            line.receipt_lot.code, line.said["packaging"], volumes.get(line.lot_id) if line.lot_id else None
        )
        for line in came
        if line.receipt_lot is not None
        and (line.received_count or line.package_count) == 1
        and line.said.get("packaging") in Container.Packaging.values
    ]
    if found:
        ledger.describe_containers(organisation=held.organisation, containers=found, by=held.by, now=held.now)


def _with_lots(moved: list[Movement]) -> list[Movement]:
    return list(Movement.objects.filter(pk__in=[each.pk for each in moved]).select_related("lot"))


def _streams_for(
    held: Held, came: Sequence[ManifestLine], stream_codes: Mapping[int, str]
) -> dict[int, Stream]:
    """Return the receiver's stream of each line: the one that was named, or its first of the same waste code."""
    own = list(Stream.objects.filter(organisation=held.organisation).order_by("code"))
    by_code = {each.code: each for each in own}
    by_waste: dict[str, Stream] = {}
    for each in own:
        by_waste.setdefault(each.waste_code, each)
    found, reasons = {}, []
    for line in came:
        wanted = stream_codes.get(line.position, "")
        stream = by_code.get(wanted) if wanted else by_waste.get(line.waste_code)
        if stream is None:
            reasons.append(
                Reason(
                    Code.RECEIVER_STREAM_MISSING, f"lines.{line.position}.stream", wanted or line.waste_code
                )
            )
        else:
            found[line.position] = stream
    refuse(reasons)
    return found


def _record_lineage(held: Held, came: Sequence[ManifestLine], number: str) -> None:
    bulk = [bulk_code(line.stream.code) for line in came if line.lot_id is None]
    lots = {
        lot.code: lot.pk for lot in Lot.objects.filter(organisation=held.manifest.generator, code__in=bulk)
    }
    became = [
        ledger.Became(
            line.lot_id or lots[bulk_code(line.stream.code)], line.receipt_lot.pk, Mass(line.received_g or 0)
        )
        for line in came
        if line.receipt_lot is not None
    ]
    ledger.record_lineage(document=number, became=became, by=held.by, now=held.now)


# --- what goes back


@transaction.atomic
def take_back(
    *,
    manifest: Manifest,
    organisation: Organisation,
    store_code: str = "",
    words: str = "",
    by: User,
    now: datetime,
    client_id: uuid.UUID | None = None,
) -> Manifest:
    """
    Sign as generator that what the receiver did not take is back in store.

    :raises TransferRefused, NotPermitted:
    """
    held = hold(
        manifest=manifest, organisation=organisation, permission=Permission.HANDLE_MANIFESTS, by=by, now=now,
        client_id=client_id,
    )  # fmt: skip
    if held.is_done:
        return held.manifest
    move = turn(held, Act.TAKE_BACK)
    row = held.manifest
    assert row.number is not None, "it was issued"
    drafts = [
        Draft(
            kind=Kind.RETURN, moved_on=local_day(now), stream_code=line.stream.code, mass=Mass(line.returned_g),
            store_code=store_code or line.store_code or None, lot_code=line.lot_code or None,
            note=f"联单 {row.number} 退回", client_id=movement_id(held, f"return:{line.position}"),
            other_place=transit_code(row.number),
        )
        for line in held.lines
        if line.returned_g
    ]  # fmt: skip
    sign(held, move, words=words.strip())
    post(held, row.generator, drafts, poster_for(held))
    return row
