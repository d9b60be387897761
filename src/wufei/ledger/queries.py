"""What reads the ledger. The official ledgers, balances of a day and the book before a posting are all views of movements."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, cast

from django.db import connection
from django.db.models import (
    BigIntegerField,
    Case,
    Count,
    Exists,
    F,
    OuterRef,
    QuerySet,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Coalesce, TruncMonth

from wufei.ledger.chain import Link, StoredLink, chain_faults, root_of
from wufei.ledger.kinds import INTO_STORE, SOURCES, PlaceKind
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
    Stream,
)
from wufei.ledger.posting import CREATES_LOT, Book, Draft, Fault, lot_code_of
from wufei.ledger.timestamp import TimestampInvalid, timestamp_of
from wufei.registry.models import Organisation

SIGNED_MASS = Case(
    When(reverses=None, then=F("mass_g")), default=-F("mass_g"), output_field=BigIntegerField()
)


# --- before a posting ------------------------------------------------------------------


def book(*, organisation: Organisation, drafts: Sequence[Draft], today: date) -> Book:
    """Return what is known of the ledger as far as the drafts touch it, in five queries."""
    first_day = min((draft.moved_on for draft in drafts), default=today)
    head = Head.objects.filter(organisation=organisation).first()
    stores = stores_of(organisation=organisation)
    lot_codes = {lot_code_of(draft) for draft in drafts}
    lots, undone = _lots_of(organisation=organisation, codes=lot_codes, drafts=drafts)
    held, later = _standing(
        organisation=organisation, lot_codes=lot_codes, first_day=first_day, stores=stores
    )
    wanted = {draft.stream_code for draft in drafts}
    streams = Stream.objects.filter(organisation=organisation)
    if len(wanted) <= 100:
        streams = streams.filter(code__in=wanted)
    return Book(
        today=today,
        stores={store.code: store.capacity_g for store in stores},
        streams=frozenset(streams.values_list("code", flat=True)),
        lots=lots,
        undone_lots=undone,
        held=held,
        later=later,
        closed_through=head.closed_through if head else None,
    )


def stores_of(*, organisation: Organisation) -> list[Place]:
    """Return the organisation's stores in the order of their declaration."""
    return list(Place.objects.filter(organisation=organisation, kind=PlaceKind.STORE).order_by("pk"))


def _lots_of(
    *, organisation: Organisation, codes: set[str], drafts: Sequence[Draft]
) -> tuple[dict[str, str], dict[str, tuple[str, str, int]]]:
    if not any(draft.lot_code for draft in drafts):
        return {}, {}
    made = Movement.objects.effective().filter(lot=OuterRef("pk"), kind__in=CREATES_LOT)
    rows = Lot.objects.filter(organisation=organisation, is_bulk=False)
    if len(codes) <= 500:  # else all of them in one go: SQLite takes a limited number of parameters
        rows = rows.filter(code__in=codes)
    lots: dict[str, str] = {}
    undone: dict[str, tuple[str, str, int]] = {}
    for code, stream, origin, year, is_made in rows.annotate(is_made=Exists(made)).values_list(
        "code", "stream__code", "origin", "origin_year", "is_made"
    ):
        if is_made:
            lots[code] = stream
        else:
            undone[code] = (stream, origin, year or 0)
    return lots, undone


def _standing(
    *, organisation: Organisation, lot_codes: set[str], first_day: date, stores: Sequence[Place]
) -> tuple[dict[tuple[str, str], int], dict[tuple[str, str], list[tuple[date, int]]]]:
    """Return what the stores hold before the day, and what moved from then on, by (store, lot)."""
    code_of = {store.pk: store.code for store in stores}
    balances = Balance.objects.filter(place__in=code_of)
    # Where no store has a limit, only the lots in question matter.
    only_lots = all(store.capacity_g is None for store in stores) and len(lot_codes) <= 500
    if only_lots:
        balances = balances.filter(lot__code__in=lot_codes, lot__organisation=organisation)
    held = {
        (code_of[place], lot): grams
        for place, lot, grams in balances.values_list("place_id", "lot__code", "mass_g")
    }
    later: dict[tuple[str, str], list[tuple[date, int]]] = defaultdict(list)
    moved = Movement.objects.filter(organisation=organisation, moved_on__gte=first_day)
    if only_lots:
        moved = moved.filter(lot__code__in=lot_codes)
    for end, sign in (("target_id", 1), ("source_id", -1)):
        rows = (
            moved.filter(**{f"{end}__in": code_of})
            .values_list(end, "lot__code", "moved_on")
            .annotate(grams=Sum("mass_g"))
            .order_by()
        )
        for place, lot, day, grams in rows:
            later[code_of[place], lot].append((day, sign * grams))
            held[code_of[place], lot] = held.get((code_of[place], lot), 0) - sign * grams
    return held, later


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


def stock_by_stream(*, organisation: Organisation, on: date) -> dict[str, int]:
    """Return the grams in store at the end of the month that the day is in, by stream code."""
    into = Case(
        When(kind__in=[k.value for k in INTO_STORE], then=F("mass_g")),
        default=-F("mass_g"),
        output_field=BigIntegerField(),
    )
    rows = MonthlyFlow.objects.filter(organisation=organisation, month__lte=on).values_list("stream__code")
    return dict(rows.annotate(grams=Sum(into)).order_by())


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
