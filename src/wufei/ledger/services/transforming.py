"""Lots that become others: split, merged, repacked, mixed, treated; and what joins lots into a lineage."""

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from django.db import transaction

from wufei.catalogue.waste_codes import read_waste_code
from wufei.ledger import posting, queries, transforming
from wufei.ledger.kinds import Kind, PlaceKind, TransformationKind
from wufei.ledger.models import (
    Container,
    LineageEdge,
    Lot,
    Movement,
    Place,
    Stream,
    Transformation,
    TransformationReversal,
)
from wufei.ledger.posting import Draft
from wufei.ledger.queries import Ground, Named
from wufei.ledger.services.declaring import place_of
from wufei.ledger.services.moving import (
    ClientIdReused,
    Entry,
    MovementsRefused,
    ReversalRefused,
    Route,
    append,
    lock_head,
)
from wufei.ledger.tracing import TRANSFER
from wufei.ledger.transforming import Input, LotFacts, Output, StreamNature, TransformationRefusal
from wufei.registry.access import Permission
from wufei.registry.models import Organisation, User
from wufei.registry.queries import require
from wufei.registry.services import audit, audit_row
from wufei.terms.day import local_day
from wufei.terms.mass import Mass


class TransformationRefused(Exception):
    """Nothing was posted; `refusals` says why."""

    def __init__(self, refusals: Sequence[TransformationRefusal]):
        self.refusals = list(refusals)
        super().__init__("; ".join(f"{each.code} {each.detail}" for each in self.refusals))


class Became(NamedTuple):
    """So much of one lot became part of another."""

    source_lot_id: int
    target_lot_id: int
    mass: Mass


@transaction.atomic
def transform(
    *,
    organisation: Organisation,
    kind: TransformationKind,
    inputs: Sequence[Input],
    outputs: Sequence[Output],
    loss: Mass,
    loss_reason: str = "",
    moved_on: date,
    handler: str = "",
    client_id: UUID,
    by: User,
    now: datetime,
) -> Transformation:
    """
    Take lots out of their stores and put new ones into store in their place, all or nothing.

    The same client id with the same content returns what stands.

    :raises TransformationRefused: if these lots can't become those
    :raises MovementsRefused: if a store doesn't hold what goes in, or can't take what comes out
    :raises ClientIdReused: if the client id stands for something else
    """
    require(user=by, permission=Permission.POST_MOVEMENTS, organisation=organisation, on=local_day(now))
    head = lock_head(organisation)
    lots = _lots_of(organisation, inputs)
    drafts = _drafts(lots, inputs, outputs, loss, moved_on, handler)
    if stands := Transformation.objects.filter(organisation=organisation, client_id=client_id).first():
        return _the_same(stands, kind, drafts)
    _refuse(organisation, kind, inputs, outputs, loss, loss_reason, lots)
    ground = _ground(organisation, drafts, head.closed_through, local_day(now))
    known = [lots[each.lot_code] for each in inputs]
    fresh = _fresh_lots(organisation, outputs, ground, transforming.origin_of(known))
    entries = _entries(organisation, drafts, ground, fresh)
    note = audit_row(
        by=by, now=now, organisation=organisation, action="ledger.transform",
        object_ref=f"{head.seq + 1}-{head.seq + len(entries)}", detail={"kind": kind.value},
    )  # fmt: skip
    append(organisation, head, entries, by, now, note)
    made = Transformation.objects.create(
        organisation=organisation, kind=kind.value, moved_on=moved_on,
        input_g=sum(each.mass.grams for each in inputs), loss_g=loss.grams, loss_reason=loss_reason.strip(),
        handler=handler, client_id=client_id, first_seq=head.seq + 1, last_seq=head.seq + len(entries),
        posted_at=now, posted_by=by,
    )  # fmt: skip
    _join(made, [ground.lots[each.lot_code].pk for each in inputs], inputs, fresh, outputs, now)
    return made


def _drafts(
    lots: Mapping[str, LotFacts],
    inputs: Sequence[Input],
    outputs: Sequence[Output],
    loss: Mass,
    moved_on: date,
    handler: str,
) -> list[Draft]:
    """Return the movements: what goes in, what comes out, and what of each input was lost."""
    streams = {code: lot.stream_code for code, lot in lots.items()}
    went_in = [
        Draft(
            Kind.TRANSFORMATION_INPUT, moved_on, streams.get(each.lot_code, ""), each.mass,
            store_code=each.store_code, lot_code=each.lot_code, handler=handler,
        )
        for each in inputs
    ]  # fmt: skip
    came_out = [
        Draft(
            Kind.TRANSFORMATION_OUTPUT, moved_on, each.stream_code, each.mass, store_code=each.store_code,
            lot_code=each.lot_code, handler=handler,
        )
        for each in outputs
    ]  # fmt: skip
    return [*went_in, *came_out, *_lost(went_in, [each.mass.grams for each in outputs], loss)]


def _lost(went_in: Sequence[Draft], came_out: Sequence[int], loss: Mass) -> list[Draft]:
    if not loss.grams or sum(d.mass.grams for d in went_in) != sum(came_out) + loss.grams:
        return []
    cells = transforming.shares([draft.mass.grams for draft in went_in], came_out)
    left = [draft.mass.grams - sum(row) for draft, row in zip(went_in, cells, strict=True)]
    return [
        draft._replace(kind=Kind.TRANSFORMATION_LOSS, mass=Mass(grams), store_code=None)
        for draft, grams in zip(went_in, left, strict=True)
        if grams
    ]


def _lots_of(organisation: Organisation, inputs: Sequence[Input]) -> dict[str, LotFacts]:
    codes = [each.lot_code for each in inputs]
    rows = Lot.objects.filter(organisation=organisation, code__in=codes).select_related("stream")
    return {
        lot.code: LotFacts(
            stream_code=lot.stream.code,
            origin=lot.origin,
            origin_year=lot.origin_year or 0,
            is_bulk=lot.is_bulk,
        )
        for lot in rows
    }


def _refuse(
    organisation: Organisation,
    kind: TransformationKind,
    inputs: Sequence[Input],
    outputs: Sequence[Output],
    loss: Mass,
    loss_reason: str,
    lots: Mapping[str, LotFacts],
) -> None:
    codes = {lot.stream_code for lot in lots.values()}
    natures = {
        stream.code: _nature(stream)
        for stream in Stream.objects.filter(organisation=organisation, code__in=codes)
    }
    found = transforming.refusals(
        kind, inputs, outputs, loss=loss, loss_reason=loss_reason, lots=lots, streams=natures,
        incompatible=transforming.known_incompatible(),
    )  # fmt: skip
    if found:
        raise TransformationRefused(found)


def _nature(stream: Stream) -> StreamNature:
    entry = read_waste_code(stream.waste_code).entry
    hazards = frozenset(re.findall(r"In|[TCIR]", entry.hazard)) if entry else frozenset()
    return StreamNature(waste_class=stream.waste_class, waste_category=stream.waste_category, hazards=hazards)


def _ground(organisation: Organisation, drafts: Sequence[Draft], closed: date | None, today: date) -> Ground:
    """Return what the movements stand on, if they may be posted: a loss needs no store of its own."""
    moved = [draft for draft in drafts if draft.kind is not Kind.TRANSFORMATION_LOSS]
    codes = posting.codes_of(moved)
    ground = queries.ground_of(
        organisation=organisation, drafts=moved, codes=codes, today=today, closed_through=closed
    )
    found = posting.examine(moved, ground.book, is_of_a_whole=True)
    if any(found):
        raise MovementsRefused([(index, why) for index, why in enumerate(found) if why])
    return ground


def _fresh_lots(
    organisation: Organisation, outputs: Sequence[Output], ground: Ground, origin: tuple[str, int]
) -> list[Lot]:
    kind, year = origin
    made = Lot.objects.bulk_create(
        Lot(
            organisation=organisation, stream_id=ground.streams[each.stream_code].stream.pk, code=each.lot_code,
            origin=kind, origin_year=year,
        )
        for each in outputs
    )  # fmt: skip
    Container.objects.bulk_create(
        Container(lot=lot, packaging=each.packaging, volume_ml=each.volume_ml)
        for lot, each in zip(made, outputs, strict=True)
        if each.packaging
    )
    return made


def _entries(
    organisation: Organisation, drafts: Sequence[Draft], ground: Ground, fresh: Sequence[Lot]
) -> list[Entry]:
    within = _named(place_of(organisation, PlaceKind.TRANSFORMATION, ""))
    lost = _named(place_of(organisation, PlaceKind.DISCREPANCY, ""))
    lots = {**ground.lots, **{lot.code: Named(lot.pk, lot.code) for lot in fresh}}
    entries = []
    for draft in drafts:
        store = ground.stores.get(draft.store_code or "", within)
        ends = {
            Kind.TRANSFORMATION_INPUT: (store, within),
            Kind.TRANSFORMATION_OUTPUT: (within, store),
            Kind.TRANSFORMATION_LOSS: (within, lost),
        }[draft.kind]
        stream = ground.streams[draft.stream_code].stream
        entries.append(Entry(draft, Route(draft.kind.value, stream, lots[draft.lot_code or ""], *ends)))
    return entries


def _named(place: Place) -> Named:
    return Named(place.pk, place.code)


def _join(
    made: Transformation,
    sources: Sequence[int],
    inputs: Sequence[Input],
    fresh: Sequence[Lot],
    outputs: Sequence[Output],
    now: datetime,
) -> None:
    cells = transforming.shares([i.mass.grams for i in inputs], [o.mass.grams for o in outputs])
    LineageEdge.objects.bulk_create(
        LineageEdge(
            source_lot_id=source, target_lot=lot, mass_g=grams, kind=made.kind, at=now, transformation=made
        )
        for source, row in zip(sources, cells, strict=True)
        for lot, grams in zip(fresh, row, strict=True)
        if grams
    )


def _the_same(stands: Transformation, kind: TransformationKind, drafts: Sequence[Draft]) -> Transformation:
    """Return what stands, if it says what is said now."""
    rows = Movement.objects.filter(
        organisation=stands.organisation_id, seq__range=(stands.first_seq, stands.last_seq)
    )
    said = sorted((d.kind.value, d.moved_on, d.lot_code, d.mass.grams) for d in drafts)
    stood = sorted(rows.values_list("kind", "moved_on", "lot__code", "mass_g"))
    if stands.kind != kind or stood != said:
        raise ClientIdReused(stands.client_id)
    return stands


@transaction.atomic
def reverse_transformation(
    *, transformation: Transformation, reason: str, by: User, now: datetime, moved_on: date | None = None
) -> TransformationReversal:
    """
    Take a transformation back as a whole, as long as all that came out is still where it was put.

    :raises ReversalRefused: if it was taken back before, or something of what came out has gone on
    """
    organisation = transformation.organisation
    require(user=by, permission=Permission.REVERSE_MOVEMENTS, organisation=organisation, on=local_day(now))
    head = lock_head(organisation)
    day = moved_on or transformation.moved_on
    if not reason.strip():
        raise ReversalRefused("reason_missing")
    if TransformationReversal.objects.filter(transformation=transformation).exists():
        raise ReversalRefused("already_reversed")
    if day < transformation.moved_on or day > local_day(now):
        raise ReversalRefused("day_out_of_order", day.isoformat())
    if head.closed_through and day <= head.closed_through:
        raise ReversalRefused("month_closed", head.closed_through.isoformat())
    rows = list(
        queries.movements(organisation=organisation)
        .filter(seq__range=(transformation.first_seq, transformation.last_seq))
        .order_by("-seq")
    )
    entries = [_taken_back(row, day, reason) for row in rows]
    _refuse_what_went_on(organisation, rows, entries, local_day(now))
    note = audit_row(
        by=by, now=now, organisation=organisation, action="ledger.reverse_transformation",
        object_ref=f"{transformation.first_seq}-{transformation.last_seq}", detail={"reason": reason},
    )  # fmt: skip
    append(organisation, head, entries, by, now, note)
    return TransformationReversal.objects.create(
        transformation=transformation, reason=reason.strip(), reversed_at=now, reversed_by=by
    )


def _taken_back(row: Movement, day: date, reason: str) -> Entry:
    kind = Kind(row.kind)
    store = {Kind.TRANSFORMATION_INPUT: row.source, Kind.TRANSFORMATION_OUTPUT: row.target}.get(kind)
    draft = Draft(
        kind, day, row.stream.code, Mass(row.mass_g), store_code=store.code if store else None,
        lot_code=row.lot.code,
    )  # fmt: skip
    ends = (row.stream, row.lot, row.target, row.source)
    return Entry(draft, Route(row.kind, *(Named(end.pk, end.code) for end in ends)), row, reason)


def _refuse_what_went_on(
    organisation: Organisation, rows: Sequence[Movement], entries: Sequence[Entry], today: date
) -> None:
    out = [entry.draft for entry in entries if entry.draft.kind is Kind.TRANSFORMATION_OUTPUT]
    book = queries.book(organisation=organisation, drafts=out, today=today)
    for draft in out:
        free = posting.can_be_taken(
            book=book, store_code=draft.store_code or "", lot_code=draft.lot_code or "", on=draft.moved_on
        )
        if draft.mass.grams > free:
            raise ReversalRefused("source_overdrawn", f"{draft.lot_code}: {draft.mass.grams - free} g short")


@transaction.atomic
def record_lineage(*, document: str, became: Sequence[Became], by: User, now: datetime) -> None:
    """
    Record what lots of one organisation became in another's under a manifest; said twice, it stands once.

    The person must be one who posts for those that the lots became.
    """
    takers = Organisation.objects.filter(
        pk__in=Lot.objects.filter(pk__in=[each.target_lot_id for each in became]).values("organisation")
    )
    for taker in takers:
        require(user=by, permission=Permission.POST_MOVEMENTS, organisation=taker, on=local_day(now))
        audit(by=by, now=now, organisation=taker, action="ledger.record_lineage", object_ref=document)
    LineageEdge.objects.bulk_create(
        (
            LineageEdge(
                source_lot_id=each.source_lot_id, target_lot_id=each.target_lot_id, mass_g=each.mass.grams,
                kind=TRANSFER, at=now, document=document,
            )
            for each in became
        ),
        ignore_conflicts=True,
    )  # fmt: skip


@transaction.atomic
def describe_container(
    *,
    organisation: Organisation,
    lot_code: str,
    packaging: str,
    volume_ml: int | None = None,
    digital_id: str | None = None,
    by: User,
    now: datetime,
) -> Container:
    """Say what a labelled lot is in, and under which 数字识别码; said anew, it holds from then on."""
    require(user=by, permission=Permission.POST_MOVEMENTS, organisation=organisation, on=local_day(now))
    lot = Lot.objects.get(organisation=organisation, code=lot_code, is_bulk=False)
    said = {"packaging": packaging, "volume_ml": volume_ml}
    if digital_id is not None:
        said["digital_id"] = digital_id
    container, _made = Container.objects.update_or_create(lot=lot, defaults=said)
    audit(
        by=by, now=now, organisation=organisation, action="ledger.describe_container", object_ref=lot_code,
        detail={key: str(value) for key, value in said.items()},
    )  # fmt: skip
    return container


class ContainerSaid(NamedTuple):
    """What a labelled lot is in."""

    lot_code: str
    packaging: str
    volume_ml: int | None = None


@transaction.atomic
def describe_containers(
    *, organisation: Organisation, containers: Sequence[ContainerSaid], by: User, now: datetime
) -> None:
    """Say of many labelled lots what they are in; of which it was said before, it stays."""
    require(user=by, permission=Permission.POST_MOVEMENTS, organisation=organisation, on=local_day(now))
    codes = [each.lot_code for each in containers]
    rows = Lot.objects.filter(organisation=organisation, code__in=codes, is_bulk=False)
    lots = dict(rows.values_list("code", "pk"))
    Container.objects.bulk_create(
        (
            Container(lot_id=lots[each.lot_code], packaging=each.packaging, volume_ml=each.volume_ml)
            for each in containers
        ),
        ignore_conflicts=True,
    )
    audit(
        by=by, now=now, organisation=organisation, action="ledger.describe_container",
        object_ref=f"{codes[0]}…{codes[-1]}" if codes else "", detail={"containers": len(codes)},
    )  # fmt: skip
