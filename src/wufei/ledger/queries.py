"""What reads the ledger. The official ledgers, balances of a day and the book before a posting are all views of movements."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from typing import Any, NamedTuple, cast
from uuid import UUID

from django.db import connection
from django.db.models import (
    BigIntegerField,
    Case,
    Count,
    F,
    QuerySet,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Coalesce, TruncMonth

from wufei.ledger import posting
from wufei.ledger.chain import Link, StoredLink, chain_faults, root_of
from wufei.ledger.kinds import SOURCES, PlaceKind
from wufei.ledger.models import (
    Balance,
    DailyRoot,
    Head,
    Lot,
    MonthlyFlow,
    Movement,
    Place,
    RootTimestamp,
    StockSnapshot,
)
from wufei.ledger.posting import CREATES_LOT, Book, Draft, Fault
from wufei.ledger.timestamp import TimestampInvalid, timestamp_of
from wufei.registry.models import Organisation
from wufei.registry.queries import asked

SIGNED_MASS = Case(
    When(reverses=None, then=F("mass_g")), default=-F("mass_g"), output_field=BigIntegerField()
)


# --- before a posting ------------------------------------------------------------------
#
# Past the ORM: building a query takes it longer than SQLite takes to answer one, and these are asked
# with every single posting (docs/performance.md). Each asks once, for one draft and for a hundred thousand.

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

CLIENT_IDS = "SELECT client_id FROM ledger_movement WHERE organisation_id = %s AND {named}"


class HeadRow(NamedTuple):
    """Where an organisation's chain ends."""

    seq: int
    chain_hash: str
    algorithm: str
    closed_through: date | None


def locked_head(*, organisation: Organisation) -> HeadRow | None:
    """Return where the chain ends, and keep other writers from it until the transaction ends."""
    # Writers queue here; SQLite has one writer anyway. The key stays, so that references to it go on.
    lock = " FOR NO KEY UPDATE" if connection.features.has_select_for_update else ""
    for seq, chain_hash, algorithm, closed in asked(HEAD + lock, organisation.pk):
        return HeadRow(seq, chain_hash, algorithm, closed and _day(closed))
    return None


def used_client_ids(*, organisation: Organisation, client_ids: Sequence[UUID]) -> list[UUID]:
    """Return which of the client ids stand in the ledger already."""
    is_sqlite = connection.vendor == "sqlite"
    used: list[UUID] = []
    for start in range(0, len(client_ids), NAMED_AT_ONCE):
        some = client_ids[start : start + NAMED_AT_ONCE]
        condition, names = _named("client_id", [i.hex for i in some] if is_sqlite else some)
        rows = asked(CLIENT_IDS.format(named=condition), organisation.pk, *names)
        used += [UUID(found) if is_sqlite else found for (found,) in rows]
    return used


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
    return ground(organisation=organisation, drafts=drafts, today=today, closed_through=closed).book


def ground(
    *, organisation: Organisation, drafts: Sequence[Draft], today: date, closed_through: date | None
) -> Ground:
    """Look up all that posting the drafts needs to know: one query for most, two more for some."""
    codes = posting.codes_of(drafts)
    seen = _seen(organisation, codes)
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

    stores: dict[str, Named] = field(default_factory=dict)  # all, in the order of declaration
    capacities: dict[str, int | None] = field(default_factory=dict)
    others: dict[str, Named] = field(default_factory=dict)
    streams: dict[str, StreamEnds] = field(default_factory=dict)
    lots: dict[str, Named] = field(default_factory=dict)
    held: dict[tuple[str, str], int] = field(default_factory=dict)
    last_days: set[date] = field(default_factory=set)


def _seen(organisation: Organisation, codes: posting.Codes) -> _Seen:
    lots, lot_codes = _named("l.code", codes.lots)
    others, other_codes = _named("p.code", codes.others)
    streams, stream_codes = _named("s.code", codes.streams)
    own = organisation.pk
    rows = asked(_ground(lots, others, streams), own, *lot_codes, own, *other_codes, own, *stream_codes)
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
        elif other == PlaceKind.STORE:
            seen.stores[code], seen.capacities[code] = Named(pk, code), grams
        else:
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


# --- lists and stock -------------------------------------------------------------------


def movements(*, organisation: Organisation) -> QuerySet[Movement]:
    """Return the organisation's movements with all that a list shows, in one query; order is the caller's."""
    return Movement.objects.filter(organisation=organisation).select_related(
        "stream", "lot", "source", "target", "posted_by", "reversal", "reverses"
    )


@dataclass(frozen=True, slots=True)
class Stock:
    """What a store holds of a lot."""

    store_code: str
    store_name: str
    stream_code: str
    stream_name: str
    waste_code: str
    waste_class: str
    lot_code: str
    is_bulk: bool
    mass_g: int


def stock(*, organisation: Organisation, on: date | None = None) -> list[Stock]:
    """Return what the stores hold now, or held at the end of the day, by store and lot; nothing at zero."""
    held = _held_now(organisation) if on is None else held_on(organisation=organisation, on=on)
    lots = {
        lot.pk: lot for lot in Lot.objects.filter(pk__in={lot for _, lot in held}).select_related("stream")
    } if len(held) <= 500 else {
        lot.pk: lot for lot in Lot.objects.filter(organisation=organisation).select_related("stream")
    }  # fmt: skip
    stores = {place.pk: place for place in stores_of(organisation=organisation)}
    rows = [
        Stock(
            stores[place].code, stores[place].name, lots[lot].stream.code, lots[lot].stream.name,
            lots[lot].stream.waste_code, lots[lot].stream.waste_class, lots[lot].code, lots[lot].is_bulk, grams,
        )
        for (place, lot), grams in held.items()
    ]  # fmt: skip
    return sorted(rows, key=lambda row: (row.store_code, row.stream_code, row.lot_code))


def _held_now(organisation: Organisation) -> dict[tuple[int, int], int]:
    rows = Balance.objects.filter(
        place__organisation=organisation, place__kind=PlaceKind.STORE, mass_g__gt=0
    ).values_list("place_id", "lot_id", "mass_g")
    return {(place, lot): grams for place, lot, grams in rows}


def held_on(*, organisation: Organisation, on: date) -> dict[tuple[int, int], int]:
    """Replay the movements: return what each store held of each lot at the end of the day, by (place, lot)."""
    held: dict[tuple[int, int], int] = defaultdict(int)
    moved = Movement.objects.filter(organisation=organisation, moved_on__lte=on)
    for end, sign in (("target", 1), ("source", -1)):
        rows = (
            moved.filter(**{f"{end}__kind": PlaceKind.STORE})
            .values_list(f"{end}_id", "lot_id")
            .annotate(grams=Sum("mass_g"))
            .order_by()
        )
        for place, lot, grams in rows:
            held[place, lot] += sign * grams
    return {key: grams for key, grams in held.items() if grams}


def snapshot_of(*, closing_id: int) -> dict[tuple[int, int], int]:
    """Return what was held when a month was closed, by (place, lot)."""
    rows = StockSnapshot.objects.filter(closing=closing_id).values_list("place_id", "lot_id", "mass_g")
    return {(place, lot): grams for place, lot, grams in rows}


# --- verification ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Verification:
    movements: int
    faults: tuple[Fault, ...]

    @property
    def is_ok(self) -> bool:
        return not self.faults


def verify(*, organisation: Organisation | None = None) -> Verification:
    """Recompute chains, balances, monthly flows and daily roots, and name what is wrong."""
    organisations = [organisation] if organisation else list(Organisation.objects.order_by("uscc"))
    heads = {head.organisation_id: head for head in Head.objects.all()}
    faults: list[Fault] = []
    for each in organisations:
        faults += _chain_faults_of(each, heads.get(each.pk))
    scope = {} if organisation is None else {"organisation": organisation}
    faults += _balance_faults(scope)
    faults += _flow_faults(scope)
    faults += _reversal_faults(scope)
    faults += _root_faults(organisation)
    return Verification(Movement.objects.filter(**scope).count(), tuple(faults))


def chain_rows(*, organisation: Organisation) -> Iterator[StoredLink]:
    """Yield the organisation's movements as the chain sees them, in order."""
    rows = (
        Movement.objects.filter(organisation=organisation)
        .order_by("seq")
        .values_list(
            "pk", "previous_hash", "chain_hash", "seq", "kind", "stream__code", "lot__code", "source__code",
            "target__code", "mass_g", "moved_on", "method", "counterparty", "handler", "note", "client_id",
            "fingerprint", "reverses__seq", "reversal_reason", "posted_at", "posted_by__username",
        )
    )  # fmt: skip
    for pk, previous, own, *said in rows.iterator(chunk_size=5000):
        yield StoredLink(pk, previous, own, Link(*cast("tuple[Any, ...]", said)))


def _chain_faults_of(organisation: Organisation, head: Head | None) -> Iterable[Fault]:
    rows = chain_rows(organisation=organisation)
    if head is None:
        return [Fault(row.movement, "headless", f"{organisation.uscc}：有记录而无链尾") for row in rows][:1]
    return chain_faults(
        uscc=organisation.uscc,
        algorithm=head.algorithm,
        rows=rows,
        head_seq=head.seq,
        head_hash=head.chain_hash,
    )


def _balance_faults(scope: dict[str, Any]) -> Iterator[Fault]:
    summed: dict[tuple[int, int], int] = defaultdict(int)
    moved = Movement.objects.filter(**scope)
    for end, sign in (("target_id", 1), ("source_id", -1)):
        for place, lot, grams in moved.values_list(end, "lot_id").annotate(g=Sum("mass_g")).order_by():
            summed[place, lot] += sign * grams
    within = {f"place__{key}": value for key, value in scope.items()}
    kept: dict[tuple[int, int], int] = {}
    for place, lot, grams, kind in Balance.objects.filter(**within).values_list(
        "place_id", "lot_id", "mass_g", "place__kind"
    ):
        kept[place, lot] = grams
        if grams < 0 and kind not in SOURCES:
            yield Fault(None, "overdrawn", f"场所 {place} 批次 {lot} 的结存为负：{grams} 克")
    for key in sorted(summed.keys() | kept.keys()):
        if summed.get(key, 0) != kept.get(key, 0):
            yield Fault(
                None,
                "balance_mismatch",
                f"场所 {key[0]} 批次 {key[1]} 的结存为 {kept.get(key, 0)} 克，按记录应为 {summed.get(key, 0)} 克",
            )


def _flow_faults(scope: dict[str, Any]) -> Iterator[Fault]:
    fields = ("organisation_id", "stream_id", "kind", "month", "method", "counterparty")
    summed = {
        (*row[:8],): (row[8], row[9])
        for row in Movement.objects.filter(**scope)
        .annotate(month=TruncMonth("moved_on"), origin_year=Coalesce("lot__origin_year", Value(0)))
        .values_list(*fields, "lot__origin", "origin_year")
        .annotate(grams=Sum(SIGNED_MASS), rows=Count("pk"))
        .order_by()
    }
    kept = {
        (*row[:8],): (row[8], row[9])
        for row in MonthlyFlow.objects.filter(**scope).values_list(
            *fields, "lot_origin", "lot_origin_year", "mass_g", "movement_count"
        )
    }
    for key in summed.keys() | kept.keys():
        if summed.get(key) != kept.get(key):
            yield Fault(
                None,
                "flow_mismatch",
                f"{key[3]:%Y-%m} 废物流 {key[1]} {key[2]} 的月度合计为 {kept.get(key)}，按记录应为 {summed.get(key)}",
            )


def _reversal_faults(scope: dict[str, Any]) -> Iterator[Fault]:
    crooked = (
        Movement.objects.filter(**scope, reverses__isnull=False)
        .exclude(
            reverses__mass_g=F("mass_g"),
            reverses__source=F("target"),
            reverses__target=F("source"),
            reverses__lot=F("lot"),
            reverses__kind=F("kind"),
        )
        .values_list("pk", "seq")
    )
    for pk, seq in crooked:
        yield Fault(pk, "reversal_mismatch", f"第 {seq} 号记录与它所冲正的记录不对称")


def _root_faults(organisation: Organisation | None) -> Iterator[Fault]:
    """Yield where a chain no longer says what a daily root recorded of it."""
    claimed: dict[tuple[str, int], tuple[str, date]] = {}
    for root in DailyRoot.objects.order_by("day"):
        heads = [tuple(head) for head in root.heads]
        if root_of(algorithm=root.algorithm, heads=heads) != root.root:
            yield Fault(None, "root_mismatch", f"{root.day} 的日根与其所列各链不符")
        for uscc, seq, chain_hash in heads:
            if organisation is None or organisation.uscc == uscc:
                claimed[uscc, seq] = (chain_hash, root.day)
    if not claimed:
        return
    seqs = {seq for _, seq in claimed}
    rows = Movement.objects.filter(organisation__uscc__in={uscc for uscc, _ in claimed})
    if len(seqs) <= 500:
        rows = rows.filter(seq__in=seqs)
    standing = {
        (uscc, seq): (pk, own)
        for uscc, seq, pk, own in rows.values_list("organisation__uscc", "seq", "pk", "chain_hash")
    }
    for (uscc, seq), (chain_hash, day) in sorted(claimed.items()):
        pk, own = standing.get((uscc, seq), (None, None))
        if own != chain_hash:
            yield Fault(
                pk, "root_mismatch", f"{uscc}：第 {seq} 号记录与 {day} 日根所记不符，其后的链被重造过"
            )


def timestamp_faults(authority_pem: bytes) -> Iterator[Fault]:
    """Yield the daily roots that have timestamps, none of which is by the authority over the root as it stands."""
    stamped: dict[DailyRoot, list[str]] = defaultdict(list)
    for stamp in RootTimestamp.objects.select_related("root").order_by("pk"):
        try:
            timestamp_of(root=stamp.root.root, response=bytes(stamp.response), authority_pem=authority_pem)
        except TimestampInvalid as why:
            stamped[stamp.root].append(str(why))
        else:
            stamped[stamp.root] = []
    for root, faults in stamped.items():
        if faults:
            yield Fault(None, "timestamp_invalid", f"{root.day} 的日根与可信时间戳不符：{faults[-1]}")


# --- the store itself ------------------------------------------------------------------


class UnsafeStore(Exception):
    """The database could lose an acknowledged movement; the message says which setting."""


def durability_faults(settings: dict[str, str]) -> list[str]:
    """
    Return which settings of the database could lose what was acknowledged.

    >>> durability_faults({"synchronous": "1", "journal_mode": "wal"})
    ['synchronous=1']
    """
    safe = {
        "synchronous": {"2", "3"},  # FULL, EXTRA
        "journal_mode": {"wal", "delete", "truncate", "persist"},
        "fsync": {"on"},
        "synchronous_commit": {"on", "local", "remote_apply", "remote_write"},
        "full_page_writes": {"on"},
    }
    return [f"{name}={value}" for name, value in settings.items() if value.lower() not in safe[name]]


def store_settings() -> dict[str, str]:
    """Return the settings of the connected database on which durability rests."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(
                "SELECT s.synchronous, j.journal_mode FROM pragma_synchronous s, pragma_journal_mode j"
            )
            synchronous, journal_mode = cursor.fetchone()
            return {"synchronous": str(synchronous), "journal_mode": journal_mode}
        names = ("fsync", "synchronous_commit", "full_page_writes")
        cursor.execute("SELECT " + ", ".join(f"current_setting('{name}')" for name in names))
        return dict(zip(names, cursor.fetchone(), strict=True))


def refuse_unsafe_store() -> None:
    """
    Let the program go on only where the database keeps what it acknowledges.

    :raises UnsafeStore: naming the settings to change
    """
    if faults := durability_faults(store_settings()):
        raise UnsafeStore(
            "数据库的设置可能在断电时丢失已确认的记录，拒绝启动："
            + "，".join(faults)
            + "。请改为 SQLite synchronous=FULL，或 PostgreSQL fsync=on、full_page_writes=on、synchronous_commit=on。"
        )
