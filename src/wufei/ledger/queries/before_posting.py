"""
What must be known before a posting: who may, where the chain ends, what the drafts touch.

Past the ORM: building a query takes it longer than SQLite takes to answer one, and these are asked with every
single posting (docs/performance.md). Each asks once, for one draft and for a hundred thousand.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from itertools import chain
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection
from django.db.models import (
    Sum,
)

from wufei.ledger import posting
from wufei.ledger.kinds import HOLDERS, PlaceKind
from wufei.ledger.models import (
    Balance,
    Head,
    Movement,
    Place,
)
from wufei.ledger.posting import CREATES_LOT, Book, Draft
from wufei.registry.access import Permission
from wufei.registry.models import Organisation, User
from wufei.registry.queries import Question, asked, grants_it, roles_towards

NAMED_AT_ONCE = 500  # else all of the organisation's: SQLite takes a limited number of parameters

# Lots with what stores and facilities hold of them, and the last day on which they moved at all; places with
# what they can take; streams with their process.
GROUND = """
    SELECT 'lot', l.id, l.code, b.place_id, NULL, b.mass_g,
        (SELECT max(m.moved_on) FROM ledger_movement m WHERE m.lot_id = l.id)
      FROM ledger_lot l LEFT JOIN ledger_balance b ON b.lot_id = l.id AND NOT b.is_source
      WHERE l.organisation_id = %s AND {lots}
    UNION ALL
    SELECT 'place', p.id, p.code, NULL, p.kind, p.capacity_g, NULL FROM ledger_place p
      WHERE p.organisation_id = %s AND (p.kind = 'STORE' OR {others})
    UNION ALL
    SELECT 'stream', s.id, s.code, p.id, p.code, NULL, NULL
      FROM ledger_stream s JOIN ledger_place p ON p.id = s.process_id
      WHERE s.organisation_id = %s AND {streams}
    ORDER BY 1, 2"""

LABELLED_LOTS = """
    SELECT l.code, s.code, l.origin, l.origin_year, EXISTS (
      SELECT 1 FROM ledger_movement m LEFT JOIN ledger_movement r ON r.reverses_id = m.id
      WHERE m.lot_id = l.id AND m.kind IN ({creating}) AND m.reverses_id IS NULL AND r.id IS NULL)
    FROM ledger_lot l JOIN ledger_stream s ON s.id = l.stream_id
    WHERE l.organisation_id = %s AND NOT l.is_bulk AND {named}"""

MOVED_AFTER = """
    SELECT target_id, lot_id, moved_on, sum(mass_g) FROM ledger_movement
    WHERE organisation_id = %s AND moved_on > %s AND {lots} GROUP BY target_id, lot_id, moved_on
    UNION ALL
    SELECT source_id, lot_id, moved_on, -sum(mass_g) FROM ledger_movement
    WHERE organisation_id = %s AND moved_on > %s AND {lots} GROUP BY source_id, lot_id, moved_on"""

HEAD = "SELECT seq, chain_hash, algorithm, closed_through FROM ledger_head WHERE organisation_id = %s"

# Beside the head as it is once it is ours, its seq as this statement saw it before it had to wait.
STANDING = """
    WITH head AS ({head})
    SELECT 'head', seq, chain_hash, (SELECT seq FROM ledger_head WHERE organisation_id = %s), algorithm, 0,
      closed_through FROM head
    UNION ALL {rest}"""

CLIENT_IDS = """
    SELECT 'used', seq, CAST(client_id AS text), NULL, NULL, 0, NULL FROM ledger_movement
    WHERE organisation_id = %s AND {named}"""


class HeadRow(NamedTuple):
    """Where an organisation's chain ends."""

    seq: int
    chain_hash: str
    algorithm: str
    closed_through: date | None


class Standing(NamedTuple):
    """What a posting finds, with the chain kept from other writers until the transaction ends."""

    may: bool
    head: HeadRow | None  # None: nothing was ever posted
    used_client_ids: list[UUID]
    rows: list[tuple[Any, ...]]  # for `ground`


def standing(
    *,
    organisation: Organisation,
    drafts: Sequence[Draft],
    codes: posting.Codes,
    permission: Permission,
    user: User,
    on: date,
) -> Standing:
    """Take the chain for ourselves and read what the drafts touch, in one statement."""
    client_ids = [draft.client_id for draft in drafts if draft.client_id is not None]
    questions = (
        roles_towards(user=user, organisation=organisation, on=on),
        _client_ids(organisation, client_ids[:NAMED_AT_ONCE]),
        _ground_question(organisation, codes),
    )
    sql = _standing(_head_to_lock(), *(question.sql for question in questions))
    given = (organisation.pk, organisation.pk, *chain.from_iterable(q.parameters for q in questions))
    found = _by_kind(asked(sql, *given))
    if any(seq != seen for _, seq, _, seen, _, _, _ in found["head"]):
        # Another writer went before us. The statement saw what stood when it began to wait: look again.
        found = _by_kind(asked(sql, *given))
    head = next((_head(row) for row in found["head"]), None)
    used = [code for _, _, code, _, _, _, _ in found["used"]]
    if head is not None and head.seq:  # else nothing was ever posted
        used += _more_used(organisation, client_ids[NAMED_AT_ONCE:], head.seq)
    return Standing(
        may=grants_it(user=user, permission=permission, organisation=organisation, roles=found["role"]),
        head=head,
        used_client_ids=[UUID(code) for code in used],
        rows=found["ground"],
    )


def _more_used(organisation: Organisation, client_ids: Sequence[UUID], posted: int) -> list[str]:
    """Return which of many client ids stand in the ledger, by few statements."""
    if len(client_ids) > posted:  # then all that is there are fewer than what is asked for
        question = Question(CLIENT_IDS.format(named="1 = 1"), (organisation.pk,))
        asked_for = {client_id.hex for client_id in client_ids}
        rows = asked(question.sql, *question.parameters)
        return [code for _, _, code, _, _, _, _ in rows if UUID(code).hex in asked_for]
    used: list[str] = []
    for start in range(0, len(client_ids), NAMED_AT_ONCE):
        question = _client_ids(organisation, client_ids[start : start + NAMED_AT_ONCE])
        used += [code for _, _, code, _, _, _, _ in asked(question.sql, *question.parameters)]
    return used


def _by_kind(rows: Iterable[tuple[Any, ...]]) -> dict[str, list[tuple[Any, ...]]]:
    by_kind: dict[str, list[tuple[Any, ...]]] = {"head": [], "role": [], "used": [], "ground": []}
    for row in rows:
        by_kind.get(row[0], by_kind["ground"]).append(row)
    return by_kind


@cache
def _standing(head: str, roles: str, client_ids: str, ground: str) -> str:
    return STANDING.format(head=head, rest=" UNION ALL ".join((roles, client_ids, ground)))


def locked_head(*, organisation: Organisation) -> HeadRow | None:
    """Return where the chain ends, and keep other writers from it until the transaction ends."""
    rows = asked(_head_to_lock(), organisation.pk)
    return next(
        (_head((None, seq, own, None, algorithm, 0, closed)) for seq, own, algorithm, closed in rows), None
    )


def _head_to_lock() -> str:
    # Writers queue here; SQLite has one writer anyway. The key stays, so that references to it go on.
    return HEAD + (" FOR NO KEY UPDATE" if connection.vendor == "postgresql" else "")


def _head(row: tuple[Any, ...]) -> HeadRow:
    _, seq, chain_hash, _, algorithm, _, closed = row
    return HeadRow(seq, chain_hash, algorithm, closed and _day(closed))


def _client_ids(organisation: Organisation, some: Sequence[UUID]) -> Question:
    condition, names = _named("client_id", [i.hex for i in some] if connection.vendor == "sqlite" else some)
    return Question(CLIENT_IDS.format(named=condition), (organisation.pk, *names))


class Named(NamedTuple):
    """A stored row by its key, and by the code that the chain knows it by."""

    pk: int
    code: str


class StreamEnds(NamedTuple):
    stream: Named
    process: Named


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What a posting stands on: the book that it is examined by, and the rows that it names, by code."""

    book: Book
    stores: Mapping[str, Named]
    others: Mapping[str, Named]  # places that are neither stores nor processes, as far as they are there yet
    streams: Mapping[str, StreamEnds]
    lots: Mapping[str, Named]  # as far as they are there yet


def book(*, organisation: Organisation, drafts: Sequence[Draft], today: date) -> Book:
    """Return what is known of the ledger as far as the drafts touch it."""
    closed = Head.objects.filter(organisation=organisation).values_list("closed_through", flat=True).first()
    codes = posting.codes_of(drafts)
    return ground_of(
        organisation=organisation, drafts=drafts, codes=codes, today=today, closed_through=closed
    ).book


def ground_of(
    *,
    organisation: Organisation,
    drafts: Sequence[Draft],
    codes: posting.Codes,
    today: date,
    closed_through: date | None,
) -> Ground:
    """Return what the drafts stand on, read now."""
    question = _ground_question(organisation, codes)
    rows = asked(question.sql, *question.parameters)
    return ground(
        organisation=organisation, drafts=drafts, codes=codes, rows=rows, today=today,
        closed_through=closed_through,
    )  # fmt: skip


def ground(
    *,
    organisation: Organisation,
    drafts: Sequence[Draft],
    codes: posting.Codes,
    rows: Iterable[tuple[Any, ...]],
    today: date,
    closed_through: date | None,
) -> Ground:
    """Make the ground of the rows that are standing: nothing more is asked for most drafts, two things for some."""
    seen = _seen(rows)
    made, undone = _labelled_lots(organisation, codes.labelled)
    limited = {seen.stores[c].pk for c in codes.filled(seen.capacities) if seen.capacities[c] is not None}
    if limited:
        _add_the_rest(seen.held, seen.stores, limited)
        seen.last_days.add(_last_day(organisation))
    first_day = min((draft.moved_on for draft in drafts), default=today)
    later: Mapping[tuple[str, str], list[tuple[date, int]]] = {}
    # Where nothing moved after the first day, what is held now is what was held then.
    if any(day > first_day for day in seen.last_days):
        later = _later(organisation, first_day, seen, limited)
        for key, nets in later.items():
            seen.held[key] = seen.held.get(key, 0) - sum(grams for _, grams in nets)
    return Ground(
        book=Book(
            today=today, stores=seen.capacities, streams=frozenset(seen.streams), lots=made,
            undone_lots=undone, held=seen.held, later=later, closed_through=closed_through,
        ),
        stores=seen.stores, others=seen.others, streams=seen.streams, lots=seen.lots,
    )  # fmt: skip


@dataclass(slots=True)
class _Seen:
    """The rows that drafts name, and how they stand now."""

    stores: dict[str, Named] = field(
        default_factory=dict
    )  # all, in the order of declaration; named transits too
    capacities: dict[str, int | None] = field(default_factory=dict)
    others: dict[str, Named] = field(default_factory=dict)
    streams: dict[str, StreamEnds] = field(default_factory=dict)
    lots: dict[str, Named] = field(default_factory=dict)
    held: dict[tuple[str, str], int] = field(default_factory=dict)
    last_days: set[date] = field(default_factory=set)


def _ground_question(organisation: Organisation, codes: posting.Codes) -> Question:
    lots, lot_codes = _named("l.code", codes.lots)
    others, other_codes = _named("p.code", codes.others)
    streams, stream_codes = _named("s.code", codes.streams)
    own = organisation.pk
    return Question(_ground(lots, others, streams), (own, *lot_codes, own, *other_codes, own, *stream_codes))


def _seen(rows: Iterable[tuple[Any, ...]]) -> _Seen:
    seen = _Seen()
    standing = []
    for what, pk, code, other_pk, other, grams, day in rows:
        if what == "lot":
            seen.lots[code] = Named(pk, code)
            standing.append((other_pk, code, grams))
            if day is not None:
                seen.last_days.add(_day(day))
        elif what == "stream":
            seen.streams[code] = StreamEnds(Named(pk, code), Named(other_pk, other))
        else:
            if other in HOLDERS:
                seen.stores[code], seen.capacities[code] = Named(pk, code), grams
            if other != PlaceKind.STORE:
                seen.others[code] = Named(pk, code)
    store_of = {store.pk: code for code, store in seen.stores.items()}
    seen.held = {(store_of[place], lot): grams for place, lot, grams in standing if place in store_of}
    return seen


def _named(column: str, names: Collection[Any]) -> tuple[str, Collection[Any]]:
    """Return the condition that the column is one of the names, and its parameters; all pass where too many."""
    if len(names) > NAMED_AT_ONCE:
        return "1 = 1", ()
    return _one_of(column, len(names)), names


@cache
def _one_of(column: str, count: int) -> str:
    return f"{column} IN ({', '.join(['%s'] * count)})" if count else "1 = 0"


def _day(value: date | str) -> date:
    """Return the day that a raw query gave: SQLite gives text."""
    return date.fromisoformat(value) if isinstance(value, str) else value


@cache
def _ground(lots: str, others: str, streams: str) -> str:
    return GROUND.format(lots=lots, others=others, streams=streams)


def _labelled_lots(
    organisation: Organisation, codes: Collection[str]
) -> tuple[dict[str, str], dict[str, tuple[str, str, int]]]:
    """Return the streams of the labelled lots that are there, and what those were whose making was reversed."""
    if not codes:
        return {}, {}
    condition, names = _named("l.code", codes)
    creating = ", ".join(f"'{kind.value}'" for kind in sorted(CREATES_LOT))
    sql = LABELLED_LOTS.format(creating=creating, named=condition)
    lots: dict[str, str] = {}
    undone: dict[str, tuple[str, str, int]] = {}
    for code, stream, origin, year, is_made in asked(sql, organisation.pk, *names):
        if is_made:
            lots[code] = stream
        else:
            undone[code] = (stream, origin, year)
    return lots, undone


def _add_the_rest(
    held: dict[tuple[str, str], int], stores: Mapping[str, Named], limited: Collection[int]
) -> None:
    """Add what the stores of limited capacity hold of all other lots, in one sum under no lot's name."""
    sums = Balance.objects.filter(place__in=limited).values_list("place").annotate(g=Sum("mass_g")).order_by()
    total = dict(sums)
    for code, store in stores.items():
        if store.pk in total:
            known = sum(grams for (of, _), grams in held.items() if of == code)
            held[code, ""] = total[store.pk] - known


def _last_day(organisation: Organisation) -> date:
    """Return the last day on which anything moved."""
    days = Movement.objects.filter(organisation=organisation).order_by("-moved_on")
    return days.values_list("moved_on", flat=True).first() or date.min


def _later(
    organisation: Organisation, first_day: date, seen: _Seen, limited: Collection[int]
) -> dict[tuple[str, str], list[tuple[date, int]]]:
    """Return what moved after the day, net by day, of the lots in question and in stores of limited capacity."""
    store_of = {store.pk: code for code, store in seen.stores.items()}
    lot_of = {lot.pk: code for code, lot in seen.lots.items()}
    condition, names = ("1 = 1", ()) if limited else _named("lot_id", lot_of)
    scope = (organisation.pk, connection.ops.adapt_datefield_value(first_day), *names)
    net: dict[tuple[str, str], dict[date, int]] = defaultdict(lambda: defaultdict(int))
    for place, lot, day, grams in asked(MOVED_AFTER.format(lots=condition), *scope, *scope):
        if place in store_of and (lot in lot_of or place in limited):
            net[store_of[place], lot_of.get(lot, "")][_day(day)] += int(grams)
    return {key: sorted(by_day.items()) for key, by_day in net.items()}


def stores_of(*, organisation: Organisation) -> list[Place]:
    """Return the organisation's stores in the order of their declaration."""
    return list(Place.objects.filter(organisation=organisation, kind=PlaceKind.STORE).order_by("pk"))
