"""Movements: posted, and taken back. Each call is one transaction that holds the organisation's chain."""

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from functools import cache, partial
from itertools import chain, islice
from typing import Any, NamedTuple, cast

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils.functional import SimpleLazyObject

from wufei.ledger import posting, queries
from wufei.ledger.chain import Link, genesis, link_hash, preferred_algorithm
from wufei.ledger.kinds import INTERNAL, INTO_STORE, TRANSFORMING, Kind, PlaceKind
from wufei.ledger.models import (
    Head,
    Lot,
    Movement,
    Place,
)
from wufei.ledger.posting import Draft, Refusal, lot_code_of, other_code, other_end, place_name
from wufei.ledger.queries import HeadRow, Named
from wufei.registry.access import Permission
from wufei.registry.models import Organisation, User
from wufei.registry.queries import NotPermitted, Question, asked, insert_both, require
from wufei.registry.services import audit_row
from wufei.terms.day import local_day
from wufei.terms.mass import Mass

ROWS_AT_ONCE = 10_000
ROWS_PER_STATEMENT = 1_500  # times 21 columns: SQLite takes some 32,000 parameters


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


@transaction.atomic
def post(
    *,
    organisation: Organisation,
    drafts: Sequence[Draft],
    by: User,
    now: datetime,
    capacity_binds: bool = True,
    is_of_a_whole: bool = False,
    progress: Callable[[int], None] | None = None,
) -> QuerySet[Movement]:
    """
    Post all drafts or none, and return the movements in the order of their posting.

    A draft whose client id was posted before with the same content is not posted again;
    the movement that stands is returned in its place. Only who keeps the whole that a movement is part of, a
    manifest, says `is_of_a_whole`.

    :raises MovementsRefused: if the ledger would no longer be true
    :raises ClientIdReused: if a client id stands for something else
    """
    today, codes = local_day(now), posting.codes_of(drafts)
    found = _standing(organisation, drafts, codes, by, today)
    if not found.may:
        raise NotPermitted(Permission.POST_MOVEMENTS)
    head = found.head
    assert head is not None, "it was made where it wasn't there"
    posted = _already_posted(organisation, drafts, found.used_client_ids) if found.used_client_ids else {}
    fresh = [draft for draft in drafts if draft.client_id not in posted]
    last_seq = head.seq
    if fresh:
        ground = queries.ground(
            organisation=organisation, drafts=fresh, codes=codes, rows=found.rows, today=today,
            closed_through=head.closed_through,
        )  # fmt: skip
        refusals = posting.examine(
            fresh, ground.book, capacity_binds=capacity_binds, is_of_a_whole=is_of_a_whole
        )
        if any(refusals):
            # By the index in what was asked, replayed drafts included.
            index_of = [i for i, draft in enumerate(drafts) if draft.client_id not in posted]
            raise MovementsRefused([(index_of[i], rs) for i, rs in enumerate(refusals) if rs])
        last_seq = head.seq + len(fresh)
        note = audit_row(
            by=by, now=now, organisation=organisation, action="ledger.post",
            object_ref=f"{head.seq + 1}-{last_seq}", detail={"movements": len(fresh)},
        )  # fmt: skip
        append(organisation, head, entries(organisation, fresh, ground), by, now, note, progress)
    seqs = [*posted.values(), *range(head.seq + 1, last_seq + 1)] if posted else None
    return _posted(organisation, head.seq + 1, last_seq, seqs)


def _posted(organisation: Organisation, first: int, last: int, seqs: list[int] | None) -> QuerySet[Movement]:
    """Return the movements; the query is built only for who looks at them."""

    def rows() -> QuerySet[Movement]:
        mine = Movement.objects.filter(organisation=organisation).order_by("seq")
        return mine.filter(seq__range=(first, last)) if seqs is None else mine.filter(seq__in=seqs)

    return cast("QuerySet[Movement]", _Unasked(rows))


class _Unasked(SimpleLazyObject):
    """A query that isn't even built before somebody looks at it."""

    def __radd__(self, other: Any) -> Any:
        return NotImplemented  # so that `some_list += it` takes it row by row


def _standing(
    organisation: Organisation, drafts: Sequence[Draft], codes: posting.Codes, by: User, today: date
) -> queries.Standing:
    look = partial(
        queries.standing, organisation=organisation, drafts=drafts, codes=codes, user=by, on=today,
        permission=Permission.POST_MOVEMENTS,
    )  # fmt: skip
    found = look()
    if found.head is None and found.may:
        begin_chain(organisation)
        found = look()
    return found


def lock_head(organisation: Organisation) -> HeadRow:
    """Take the organisation's chain for ourselves until the transaction ends; one writer at a time."""
    head = queries.locked_head(organisation=organisation)
    if head is None:
        begin_chain(organisation)
        head = queries.locked_head(organisation=organisation)
        assert head is not None, "it was made just now"
    return head


def begin_chain(organisation: Organisation) -> None:
    algorithm = preferred_algorithm()
    start = genesis(uscc=organisation.uscc, algorithm=algorithm)
    Head.objects.get_or_create(
        organisation=organisation, defaults={"algorithm": algorithm, "chain_hash": start}
    )


def _already_posted(
    organisation: Organisation, drafts: Sequence[Draft], used: Sequence[uuid.UUID]
) -> dict[uuid.UUID, int]:
    """Return the seq of the drafts whose client ids are used, if they say what was said before."""
    given = {draft.client_id: draft for draft in drafts if draft.client_id is not None}
    rows = Movement.objects.filter(organisation=organisation).select_related(
        "stream", "lot", "source", "target"
    )
    found: dict[uuid.UUID, int] = {}
    for start in range(0, len(used), queries.NAMED_AT_ONCE):
        for row in rows.filter(client_id__in=used[start : start + queries.NAMED_AT_ONCE]):
            if not _says_the_same(row, given[row.client_id]):
                raise ClientIdReused(row.client_id)
            found[row.client_id] = row.seq
    return found


def _says_the_same(row: Movement, draft: Draft) -> bool:
    store, other = (row.target, row.source) if draft.kind in INTO_STORE else (row.source, row.target)
    return (
        row.reverses_id is None
        and (row.kind, row.moved_on, row.stream.code, row.mass_g)
        == (draft.kind, draft.moved_on, draft.stream_code, draft.mass.grams)
        and row.lot.code == lot_code_of(draft)
        and draft.store_code in (None, store.code)
        and (draft.kind not in INTERNAL or draft.other_place == other.code)
        and (row.method, row.counterparty, row.handler, row.note)
        == (draft.method, draft.counterparty, draft.handler, draft.note)
    )


class Route(NamedTuple):
    """The rows that a movement joins."""

    kind: str
    stream: Named
    lot: Named
    source: Named
    target: Named


class Entry(NamedTuple):
    """A movement before it has a place in the chain."""

    draft: Draft
    route: Route
    reverses: Movement | None = None
    reason: str = ""


def entries(organisation: Organisation, drafts: Sequence[Draft], ground: queries.Ground) -> list[Entry]:
    """Look up, or bring into being, what the drafts name. What comes in goes first: no balance dips."""
    others = _others(organisation, drafts, ground)
    lots = _lots(organisation, drafts, ground)
    routes: dict[tuple[str | None, ...], Route] = {}

    def route_of(draft: Draft) -> Route:
        stream = ground.streams[draft.stream_code]
        store = ground.stores[draft.store_code or ground.book.first_store or ""]
        code = other_code(draft.kind, draft.counterparty, draft.other_place)
        other = stream.process if code is None else others.get(code) or ground.stores[code]
        ends = (other, store) if draft.kind in INTO_STORE else (store, other)
        return Route(draft.kind.value, stream.stream, lots[lot_code_of(draft)], *ends)

    found = []
    for draft in sorted(drafts, key=lambda d: (_turn(d.kind), d.moved_on)):
        key = (
            draft.kind, draft.stream_code, draft.store_code, draft.lot_code, draft.counterparty,
            draft.other_place,
        )  # fmt: skip
        route = routes.get(key)
        if route is None:
            route = routes[key] = route_of(draft)
        found.append(Entry(draft, route))
    return found


def _turn(kind: Kind) -> int:
    if kind in INTERNAL:
        return 1
    return 0 if kind in INTO_STORE else 2


def _others(
    organisation: Organisation, drafts: Sequence[Draft], ground: queries.Ground
) -> Mapping[str, Named]:
    """Return the ends that are neither processes nor declared; what is named first comes into being."""
    fresh: dict[str, Place] = {}
    named = dict.fromkeys((draft.kind, draft.counterparty, draft.other_place) for draft in drafts)
    for kind, counterparty, other_place in named:
        code = other_code(kind, counterparty, other_place)
        is_there = code is None or code in ground.others or code in ground.stores
        if code is not None and not is_there and code not in fresh:
            end = other_end(kind)
            name = place_name(end, counterparty if end is PlaceKind.OUTSIDE else "", code)
            fresh[code] = Place(organisation=organisation, code=code, kind=end.value, name=name)
    if not fresh:
        return ground.others
    made = Place.objects.bulk_create(fresh.values(), batch_size=ROWS_AT_ONCE)
    return {**ground.others, **{place.code: Named(place.pk, place.code) for place in made}}


def _lots(organisation: Organisation, drafts: Sequence[Draft], ground: queries.Ground) -> Mapping[str, Named]:
    """Return the lots of the drafts; a label that is used first comes into being with its origin."""
    fresh: dict[str, Lot] = {}
    for draft in drafts:
        code = lot_code_of(draft)
        if code in ground.lots or code in fresh:
            continue
        if draft.lot_code is None:
            lot = Lot(is_bulk=True)
        else:
            lot = Lot(origin=draft.kind.value, origin_year=draft.moved_on.year)
        lot.organisation, lot.stream_id = organisation, ground.streams[draft.stream_code].stream.pk
        lot.code = code
        fresh[code] = lot
    if not fresh:
        return ground.lots
    made = Lot.objects.bulk_create(fresh.values(), batch_size=ROWS_AT_ONCE)
    return {**ground.lots, **{lot.code: Named(lot.pk, lot.code) for lot in made}}


def append(
    organisation: Organisation,
    head: HeadRow,
    entries: Sequence[Entry],
    by: User,
    now: datetime,
    note: Question,
    progress: Callable[[int], None] | None = None,
) -> None:
    """
    Put the movements at the end of the chain, and the note of it into the audit log.

    The database moves the masses and the head by itself.
    """
    rows = _chained(organisation, head, entries, by, now.astimezone(UTC))
    if len(entries) == 1:
        insert_both(Question(insertion(1), next(rows)), note)
        return
    for done in _inserted(rows):
        if progress:
            progress(done)
    asked(note.sql, *note.parameters)


COLUMNS = (
    "organisation_id", "seq", "kind", "stream_id", "lot_id", "source_id", "target_id", "mass_g", "moved_on",
    "method", "counterparty", "handler", "note", "client_id", "fingerprint", "reverses_id", "reversal_reason",
    "posted_at", "posted_by_id", "previous_hash", "chain_hash",
)  # fmt: skip


def _chained(
    organisation: Organisation, head: HeadRow, entries: Sequence[Entry], by: User, instant: datetime
) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of the movements, each with the hash that ties it to the one before."""
    is_sqlite = connection.vendor == "sqlite"
    posted_at: Any = connection.ops.adapt_datetimefield_value(instant)
    organisation_pk, by_pk, username = organisation.pk, by.pk, by.username
    seq, own = head.seq, head.chain_hash
    for draft, (kind, stream, lot, source, target), reverses, reason in entries:
        seq, previous = seq + 1, own
        grams, client_id = draft.mass.grams, draft.client_id or uuid.uuid4()
        reversed_seq, reversed_pk = (reverses.seq, reverses.pk) if reverses else (None, None)
        link = Link(
            seq, kind, stream.code, lot.code, source.code, target.code, grams, draft.moved_on, draft.method,
            draft.counterparty, draft.handler, draft.note, client_id, draft.fingerprint, reversed_seq, reason,
            instant, username,
        )  # fmt: skip
        own = link_hash(algorithm=head.algorithm, previous=previous, link=link)
        yield (
            organisation_pk, seq, kind, stream.pk, lot.pk, source.pk, target.pk, grams,
            draft.moved_on.isoformat() if is_sqlite else draft.moved_on, draft.method, draft.counterparty,
            draft.handler, draft.note, client_id.hex if is_sqlite else client_id, draft.fingerprint,
            reversed_pk, reason, posted_at, by_pk, previous, own,
        )  # fmt: skip


def _inserted(rows: Iterator[tuple[Any, ...]]) -> Iterator[int]:
    """
    Insert rows past the ORM, which would take several times as long for a hundred thousand of them.

    Yield now and then how many were given to the database. They are chained while it works on those before:
    PostgreSQL takes them one by one (COPY) and moves the masses at the end; on SQLite a statement with triggers
    has a price of its own, so many rows go into each, and the driver lets go of the interpreter meanwhile.
    """
    if connection.vendor == "sqlite":
        yield from _inserted_together(rows)
        return
    with connection.cursor() as cursor, cursor.copy(f"COPY {INTO_MOVEMENTS} FROM STDIN") as copy:
        done = 0
        for done, row in enumerate(rows, 1):
            copy.write_row(row)
            if done % ROWS_AT_ONCE == 0:
                yield done
        yield done


def _inserted_together(rows: Iterator[tuple[Any, ...]]) -> Iterator[int]:
    def some() -> list[tuple[Any, ...]]:
        return list(islice(rows, ROWS_PER_STATEMENT))

    done = 0
    with ThreadPoolExecutor(max_workers=1) as beside:
        coming = beside.submit(some)
        while batch := coming.result():
            coming = beside.submit(some)
            asked(insertion(len(batch)), *chain.from_iterable(batch))
            done += len(batch)
            yield done


INTO_MOVEMENTS = f"ledger_movement ({', '.join(COLUMNS)})"


@cache
def insertion(count: int) -> str:
    """Return the statement that inserts so many movements."""
    row = f"({', '.join(['%s'] * len(COLUMNS))})"
    return f"INSERT INTO {INTO_MOVEMENTS} VALUES {', '.join([row] * count)}"  # noqa: S608


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
    head = lock_head(organisation)
    movement = queries.movements(organisation=organisation).get(pk=movement.pk)
    day = moved_on or movement.moved_on
    if not reason.strip():
        raise ReversalRefused("reason_missing")
    if movement.reverses_id:
        raise ReversalRefused("is_a_reversal")
    if hasattr(movement, "reversal"):
        raise ReversalRefused("already_reversed")
    if _is_part_of_whole(movement):
        raise ReversalRefused("part_of_whole")
    if day < movement.moved_on or day > local_day(now):
        raise ReversalRefused("day_out_of_order", day.isoformat())
    if head.closed_through and day <= head.closed_through:
        raise ReversalRefused("month_closed", head.closed_through.isoformat())
    draft = Draft(
        kind=Kind(movement.kind), moved_on=day, stream_code=movement.stream.code,
        mass=Mass(movement.mass_g),
        lot_code=None if movement.lot.is_bulk else movement.lot.code,
        method=movement.method, counterparty=movement.counterparty,
        store_code=movement.source.code if movement.kind == Kind.RELOCATION else None,
        other_place=movement.target.code if movement.kind == Kind.RELOCATION else None,
    )  # fmt: skip
    if draft.kind in INTO_STORE or draft.kind is Kind.RELOCATION:
        _refuse_short_reversal(organisation, movement, draft, local_day(now))
    ends = (movement.stream, movement.lot, movement.target, movement.source)
    stream, lot, source, target = (Named(row.pk, row.code) for row in ends)
    route = Route(draft.kind.value, stream, lot, source, target)
    note = audit_row(
        by=by, now=now, organisation=organisation, action="ledger.reverse",
        object_ref=str(movement.seq), detail={"reason": reason},
    )  # fmt: skip
    append(organisation, head, [Entry(draft, route, movement, reason)], by, now, note)
    return Movement.objects.get(organisation=organisation, seq=head.seq + 1)


def _is_part_of_whole(movement: Movement) -> bool:
    on_the_road = PlaceKind.TRANSIT in (movement.source.kind, movement.target.kind)
    return on_the_road or movement.kind in TRANSFORMING


def _refuse_short_reversal(organisation: Organisation, movement: Movement, draft: Draft, today: date) -> None:
    """What was put into a store can be taken back only as far as it is still there."""
    book = queries.book(organisation=organisation, drafts=[draft], today=today)
    free = posting.can_be_taken(
        book=book, store_code=movement.target.code, lot_code=movement.lot.code, on=draft.moved_on
    )
    if movement.mass_g > free:
        raise ReversalRefused("source_overdrawn", f"{movement.mass_g - free} g short")
