"""What changes the ledger. Every write is here, each in one transaction."""

import dataclasses
import uuid
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.db.models import QuerySet

from wufei.catalogue.waste_codes import read_waste_code
from wufei.ledger import posting, queries
from wufei.ledger.chain import Link, genesis, link_hash, preferred_algorithm, root_of
from wufei.ledger.kinds import INTO_STORE, ROUTES, Kind, PlaceKind
from wufei.ledger.models import (
    DailyRoot,
    Head,
    Lot,
    MonthClosing,
    Movement,
    Place,
    RootTimestamp,
    StockSnapshot,
    Stream,
)
from wufei.ledger.posting import Draft, Refusal, lot_code_of
from wufei.registry.access import Permission
from wufei.registry.models import Organisation, User
from wufei.registry.queries import require
from wufei.registry.services import audit
from wufei.terms.mass import Mass

SHANGHAI = ZoneInfo("Asia/Shanghai")
ROWS_AT_ONCE = 2000


class MovementsRefused(Exception):
    """Nothing was posted; `refusals` says why, by the draft's index."""

    def __init__(self, refusals: Sequence[tuple[int, tuple[Refusal, ...]]]):
        self.refusals = list(refusals)
        super().__init__("; ".join(f"{i}: {r.code} {r.detail}" for i, rs in self.refusals for r in rs))


class ClientIdReused(Exception):
    """The client's id was used before, for something else."""

    def __init__(self, client_id: uuid.UUID):
        self.client_id = client_id
        super().__init__(str(client_id))


class ReversalRefused(Exception):
    """The movement was not reversed; `code` says why."""

    def __init__(self, code: str, detail: str = ""):
        self.code = code  # already_reversed, is_a_reversal, reason_missing, month_closed, source_overdrawn
        self.detail = detail
        super().__init__(f"{code} {detail}")


class ClosingRefused(Exception):
    """The month was not closed; `code` says why."""

    def __init__(self, code: str):
        self.code = code  # not_a_month_end, not_over_yet, already_closed
        super().__init__(code)


class DeclarationRefused(Exception):
    """The store or stream was not written; `code` says why, `detail` in Chinese where the catalogue said it."""

    def __init__(self, code: str, detail: str = ""):
        self.code = code  # waste_code_unknown, code_reserved, stale_edit
        self.detail = detail
        super().__init__(f"{code} {detail}")


def local_day(now: datetime) -> date:
    """Return the day in China at the instant."""
    return now.astimezone(SHANGHAI).date()


# --- what there is ---------------------------------------------------------------------


@transaction.atomic
def declare_store(
    *,
    organisation: Organisation,
    code: str,
    name: str,
    store_type: str = "",
    capacity: Mass | None = None,
    by: User,
    now: datetime,
) -> bool:
    """Declare a store, or change its name, type and capacity; return whether anything was written."""
    require(user=by, permission=Permission.EDIT_ORGANISATION, organisation=organisation, on=local_day(now))
    if ":" in code:
        raise DeclarationRefused("code_reserved", code)
    said = {"name": name, "store_type": store_type, "capacity_g": capacity.grams if capacity else None}
    return _declare(Place, organisation, code, {"kind": PlaceKind.STORE.value, **said}, by, now)


@transaction.atomic
def declare_stream(
    *,
    organisation: Organisation,
    code: str,
    name: str,
    waste_code: str,
    process_name: str,
    physical_form: str = "",
    main_components: str = "",
    by: User,
    now: datetime,
) -> bool:
    """
    Declare a waste stream, or change what is said of it; return whether anything was written.

    :raises DeclarationRefused: if the waste code is not understood
    """
    require(user=by, permission=Permission.EDIT_ORGANISATION, organisation=organisation, on=local_day(now))
    reading = read_waste_code(waste_code)
    if reading.fault:
        raise DeclarationRefused("waste_code_unknown", reading.message)
    process = _place(organisation, PlaceKind.PROCESS, process_name)
    said = {
        "name": name,
        "waste_code": reading.code,
        "waste_category": reading.category,
        "waste_class": reading.waste_class,
        "process_id": process.pk,
        "physical_form": physical_form,
        "main_components": main_components,
    }
    return _declare(Stream, organisation, code, said, by, now)


def _declare(
    model: Any, organisation: Organisation, code: str, said: dict[str, Any], by: User, now: datetime
) -> bool:
    row, created = model.objects.select_for_update().get_or_create(
        organisation=organisation, code=code, defaults=said
    )
    changed = {key: value for key, value in said.items() if getattr(row, key) != value}
    if not created and not changed:
        return False
    if changed:
        model.objects.filter(pk=row.pk).update(**changed, version=row.version + 1)
    audit(
        by=by,
        now=now,
        organisation=organisation,
        action=f"ledger.declare_{model.__name__.lower()}",
        object_ref=code,
        detail={key: str(value) for key, value in (changed or said).items()},
    )
    return True


def _place(organisation: Organisation, kind: PlaceKind, name: str) -> Place:
    """Return a place that comes into being when it is first named: a process, an outside party."""
    code = f"{kind.lower()}:{name}"[:120]
    return Place.objects.get_or_create(
        organisation=organisation, code=code, defaults={"kind": kind.value, "name": name or code}
    )[0]


# --- movements -------------------------------------------------------------------------


@transaction.atomic
def post(
    *,
    organisation: Organisation,
    drafts: Sequence[Draft],
    by: User,
    now: datetime,
    capacity_binds: bool = True,
    progress: Callable[[int], None] | None = None,
) -> QuerySet[Movement]:
    """
    Post all drafts or none, and return the movements in the order of their posting.

    A draft whose client id was posted before with the same content is not posted again;
    the movement that stands is returned in its place.

    :raises MovementsRefused: if the ledger would no longer be true
    :raises ClientIdReused: if a client id stands for something else
    """
    require(user=by, permission=Permission.POST_MOVEMENTS, organisation=organisation, on=local_day(now))
    head = _lock_head(organisation)
    standing = _already_posted(organisation, drafts)
    fresh = [draft for draft in drafts if draft.client_id not in standing]
    first_seq = head.seq + 1
    if fresh:
        book = queries.book(organisation=organisation, drafts=fresh, today=local_day(now))
        refusals = posting.examine(fresh, book, capacity_binds=capacity_binds)
        if any(refusals):
            # By the index in what was asked, replayed drafts included.
            index_of = [i for i, draft in enumerate(drafts) if draft.client_id not in standing]
            raise MovementsRefused([(index_of[i], rs) for i, rs in enumerate(refusals) if rs])
        _append(organisation, head, _routed(organisation, fresh, book), by, now, progress)
        audit(
            by=by,
            now=now,
            organisation=organisation,
            action="ledger.post",
            object_ref=f"{first_seq}-{head.seq}",
            detail={"movements": len(fresh)},
        )
    mine = Movement.objects.filter(organisation=organisation)
    if standing:
        return mine.filter(seq__in=[*standing.values(), *range(first_seq, head.seq + 1)]).order_by("seq")
    return mine.filter(seq__range=(first_seq, head.seq)).order_by("seq")


def _lock_head(organisation: Organisation) -> Head:
    """Take the organisation's chain for ourselves until the transaction ends; one writer at a time."""
    head = Head.objects.select_for_update().filter(organisation=organisation).first()
    if head is None:
        algorithm = preferred_algorithm()
        Head.objects.get_or_create(
            organisation=organisation,
            defaults={
                "algorithm": algorithm,
                "chain_hash": genesis(uscc=organisation.uscc, algorithm=algorithm),
            },
        )
        head = Head.objects.select_for_update().get(organisation=organisation)
    return head


def _already_posted(organisation: Organisation, drafts: Sequence[Draft]) -> dict[uuid.UUID, int]:
    """Return the seq of the drafts that stand already, by client id."""
    given = {draft.client_id: draft for draft in drafts if draft.client_id is not None}
    if not given:
        return {}
    rows = Movement.objects.filter(organisation=organisation).select_related(
        "stream", "lot", "source", "target"
    )
    if len(given) <= 500:
        rows = rows.filter(client_id__in=list(given))
    found: dict[uuid.UUID, int] = {}
    for row in rows.iterator(chunk_size=5000):
        draft = given.get(row.client_id)
        if draft is None:
            continue
        if not _says_the_same(row, draft):
            raise ClientIdReused(row.client_id)
        found[row.client_id] = row.seq
    return found


def _says_the_same(row: Movement, draft: Draft) -> bool:
    store = row.target if draft.kind in INTO_STORE else row.source
    return (
        row.reverses_id is None
        and (row.kind, row.moved_on, row.stream.code, row.mass_g)
        == (draft.kind, draft.moved_on, draft.stream_code, draft.mass.grams)
        and row.lot.code == lot_code_of(draft)
        and draft.store_code in (None, store.code)
        and (row.method, row.counterparty, row.handler, row.note)
        == (draft.method, draft.counterparty, draft.handler, draft.note)
    )


@dataclasses.dataclass(slots=True)
class _Routed:
    """A movement with its rows looked up, before it has a place in the chain."""

    kind: str
    stream: Stream
    lot: Lot
    source: Place
    target: Place
    draft: Draft
    reverses: Movement | None = None
    reason: str = ""


def _routed(organisation: Organisation, drafts: Sequence[Draft], book: posting.Book) -> list[_Routed]:
    """Look up, or bring into being, what the drafts name. What comes in goes first: no balance dips."""
    streams = {s.code: s for s in Stream.objects.filter(organisation=organisation).select_related("process")}
    stores = {store.code: store for store in queries.stores_of(organisation=organisation)}
    places: dict[tuple[PlaceKind, str], Place] = {}
    lots = _lots(organisation, drafts, streams)
    routed = []
    for draft in sorted(drafts, key=lambda d: (d.kind not in INTO_STORE, d.moved_on)):
        stream = streams[draft.stream_code]
        store = stores[draft.store_code or book.first_store or ""]
        from_kind, to_kind = ROUTES[draft.kind]
        other_kind = from_kind if to_kind is PlaceKind.STORE else to_kind
        other = stream.process if other_kind is PlaceKind.PROCESS else None
        if other is None:
            name = draft.counterparty if other_kind is PlaceKind.OUTSIDE else ""
            if (other_kind, name) not in places:
                places[other_kind, name] = _place(organisation, other_kind, name)
            other = places[other_kind, name]
        source, target = (other, store) if to_kind is PlaceKind.STORE else (store, other)
        routed.append(_Routed(draft.kind, stream, lots[lot_code_of(draft)], source, target, draft))
    return routed


def _lots(organisation: Organisation, drafts: Sequence[Draft], streams: dict[str, Stream]) -> dict[str, Lot]:
    codes = {lot_code_of(draft) for draft in drafts}
    mine = Lot.objects.filter(organisation=organisation)
    found = {lot.code: lot for lot in (mine.filter(code__in=codes) if len(codes) <= 500 else mine)}
    fresh: dict[str, Lot] = {}
    for draft in drafts:
        code = lot_code_of(draft)
        if code in found or code in fresh:
            continue
        if draft.lot_code is None:
            lot = Lot(is_bulk=True)
        else:
            lot = Lot(origin=draft.kind.value, origin_year=draft.moved_on.year)
        lot.organisation, lot.stream, lot.code = organisation, streams[draft.stream_code], code
        fresh[code] = lot
    if fresh:
        Lot.objects.bulk_create(fresh.values(), batch_size=ROWS_AT_ONCE)
    return found | fresh


def _append(
    organisation: Organisation,
    head: Head,
    routed: Sequence[_Routed],
    by: User,
    now: datetime,
    progress: Callable[[int], None] | None,
) -> None:
    """Put the movements at the end of the chain. The database moves the masses by itself."""
    instant = now.astimezone(UTC)
    rows = _chained(head, routed, by, instant)
    done = 0
    while batch := [row for row, _ in zip(rows, range(ROWS_AT_ONCE), strict=False)]:
        _insert(organisation, batch, by, instant)
        done += len(batch)
        if progress:
            progress(done)
    Head.objects.filter(pk=head.pk).update(seq=head.seq, chain_hash=head.chain_hash)


def _chained(
    head: Head, routed: Sequence[_Routed], by: User, instant: datetime
) -> Iterator[tuple[_Routed, Link, str, str]]:
    for each in routed:
        draft = each.draft
        link = Link(
            head.seq + 1, each.kind, each.stream.code, each.lot.code, each.source.code, each.target.code,
            draft.mass.grams, draft.moved_on, draft.method, draft.counterparty, draft.handler, draft.note,
            draft.client_id or uuid.uuid4(), draft.fingerprint,
            each.reverses.seq if each.reverses else None, each.reason, instant, by.username,
        )  # fmt: skip
        previous = head.chain_hash
        head.chain_hash = link_hash(algorithm=head.algorithm, previous=previous, link=link)
        head.seq += 1
        yield each, link, previous, head.chain_hash


COLUMNS = (
    "organisation_id", "seq", "kind", "stream_id", "lot_id", "source_id", "target_id", "mass_g", "moved_on",
    "method", "counterparty", "handler", "note", "client_id", "fingerprint", "reverses_id", "reversal_reason",
    "posted_at", "posted_by_id", "previous_hash", "chain_hash",
)  # fmt: skip


def _insert(
    organisation: Organisation, batch: Sequence[tuple[_Routed, Link, str, str]], by: User, instant: datetime
) -> None:
    """Insert rows past the ORM, which would take several times as long for a hundred thousand of them."""
    is_sqlite = connection.vendor == "sqlite"
    posted_at: Any = connection.ops.adapt_datetimefield_value(instant)
    values = [
        (
            organisation.pk, link.seq, link.kind, each.stream.pk, each.lot.pk, each.source.pk, each.target.pk,
            link.mass_g, link.moved_on.isoformat() if is_sqlite else link.moved_on, link.method,
            link.counterparty, link.handler, link.note,
            link.client_id.hex if is_sqlite else link.client_id, link.fingerprint,
            each.reverses.pk if each.reverses else None, link.reversal_reason, posted_at, by.pk, previous, own,
        )
        for each, link, previous, own in batch
    ]  # fmt: skip
    table = connection.ops.quote_name(Movement._meta.db_table)
    with connection.cursor() as cursor:
        if not is_sqlite and len(values) > 1:
            with cursor.copy(f"COPY {table} ({', '.join(COLUMNS)}) FROM STDIN") as copy:
                for row in values:
                    copy.write_row(row)
            return
        marks = ", ".join(["%s"] * len(COLUMNS))
        statement = f"INSERT INTO {table} ({', '.join(COLUMNS)}) VALUES ({marks})"  # noqa: S608
        if len(values) == 1:
            cursor.execute(statement, values[0])
        else:
            cursor.executemany(statement, values)


@transaction.atomic
def reverse(
    *, movement: Movement, reason: str, by: User, now: datetime, moved_on: date | None = None
) -> Movement:
    """
    Take a movement back by a second one, on its own day or, where that month is closed, on the day given.

    :raises ReversalRefused: if it was reversed before, is itself a reversal, or the ledger would not be true
    """
    organisation = movement.organisation
    require(user=by, permission=Permission.REVERSE_MOVEMENTS, organisation=organisation, on=local_day(now))
    head = _lock_head(organisation)
    movement = queries.movements(organisation=organisation).get(pk=movement.pk)
    day = moved_on or movement.moved_on
    if not reason.strip():
        raise ReversalRefused("reason_missing")
    if movement.reverses_id:
        raise ReversalRefused("is_a_reversal")
    if hasattr(movement, "reversal"):
        raise ReversalRefused("already_reversed")
    if day < movement.moved_on or day > local_day(now):
        raise ReversalRefused("day_out_of_order", day.isoformat())
    if head.closed_through and day <= head.closed_through:
        raise ReversalRefused("month_closed", head.closed_through.isoformat())
    draft = Draft(
        kind=Kind(movement.kind), moved_on=day, stream_code=movement.stream.code,
        mass=Mass(movement.mass_g),
        lot_code=None if movement.lot.is_bulk else movement.lot.code,
        method=movement.method, counterparty=movement.counterparty,
    )  # fmt: skip
    if draft.kind in INTO_STORE:
        _refuse_short_reversal(organisation, movement, draft, local_day(now))
    routed = _Routed(
        draft.kind, movement.stream, movement.lot, movement.target, movement.source, draft, movement, reason
    )
    _append(organisation, head, [routed], by, now, None)
    audit(
        by=by, now=now, organisation=organisation, action="ledger.reverse",
        object_ref=str(movement.seq), detail={"reason": reason},
    )  # fmt: skip
    return Movement.objects.get(organisation=organisation, seq=head.seq)


def _refuse_short_reversal(organisation: Organisation, movement: Movement, draft: Draft, today: date) -> None:
    """What was put into a store can be taken back only as far as it is still there."""
    book = queries.book(organisation=organisation, drafts=[draft], today=today)
    free = posting.can_be_taken(
        book=book, store_code=movement.target.code, lot_code=movement.lot.code, on=draft.moved_on
    )
    if movement.mass_g > free:
        raise ReversalRefused("source_overdrawn", f"{movement.mass_g - free} g short")


# --- months and days -------------------------------------------------------------------


@transaction.atomic
def close_month(*, organisation: Organisation, through: date, by: User, now: datetime) -> MonthClosing:
    """
    Close all months through the day, and keep what the stores held on it.

    :raises ClosingRefused: if the day is no month's end, is not over yet, or was closed before
    """
    require(user=by, permission=Permission.CLOSE_MONTH, organisation=organisation, on=local_day(now))
    head = _lock_head(organisation)
    if (through + timedelta(days=1)).day != 1:
        raise ClosingRefused("not_a_month_end")
    if through >= local_day(now):
        raise ClosingRefused("not_over_yet")
    if head.closed_through and through <= head.closed_through:
        raise ClosingRefused("already_closed")
    closing = MonthClosing.objects.create(
        organisation=organisation, closed_through=through, seq=head.seq, chain_hash=head.chain_hash,
        closed_at=now, closed_by=by,
    )  # fmt: skip
    held = queries.held_on(organisation=organisation, on=through)
    StockSnapshot.objects.bulk_create(
        (
            StockSnapshot(closing=closing, place_id=place, lot_id=lot, mass_g=grams)
            for (place, lot), grams in held.items()
        ),
        batch_size=ROWS_AT_ONCE,
    )
    Head.objects.filter(pk=head.pk).update(closed_through=through)
    audit(
        by=by, now=now, organisation=organisation, action="ledger.close_month",
        object_ref=through.isoformat(), detail={"seq": head.seq},
    )  # fmt: skip
    return closing


@transaction.atomic
def seal_day(*, by: User, now: datetime) -> DailyRoot:
    """Keep one hash over the heads of all chains as they stand; a day that is sealed stays as it is."""
    day = local_day(now)
    if sealed := DailyRoot.objects.filter(day=day).first():
        return sealed
    ends = Head.objects.filter(seq__gt=0).values_list("organisation__uscc", "seq", "chain_hash")
    heads = [(str(uscc), int(seq), str(end)) for uscc, seq, end in ends.order_by("organisation__uscc")]
    algorithm = preferred_algorithm()
    root = DailyRoot.objects.create(
        day=day, heads=heads, algorithm=algorithm, sealed_at=now,
        root=root_of(algorithm=algorithm, heads=heads),
    )  # fmt: skip
    audit(by=by, now=now, action="ledger.seal_day", object_ref=day.isoformat())
    return root


@transaction.atomic
def attach_timestamp(*, root: DailyRoot, response: bytes, by: User, now: datetime) -> RootTimestamp:
    """Keep a trusted timestamp over a daily root."""
    attached = RootTimestamp.objects.create(root=root, response=response, attached_at=now)
    audit(by=by, now=now, action="ledger.attach_timestamp", object_ref=root.day.isoformat())
    return attached
