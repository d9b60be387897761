"""What reads the ledger. The official ledgers and balances of a day are views of movements; all else stands beside."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date

from django.db.models import QuerySet, Sum

from wufei.ledger.kinds import PlaceKind
from wufei.ledger.models import Balance, Lot, Movement, StockSnapshot
from wufei.ledger.queries.above import ScanRefused
from wufei.ledger.queries.before_posting import (
    NAMED_AT_ONCE,
    Ground,
    HeadRow,
    Named,
    Standing,
    book,
    ground,
    ground_of,
    locked_head,
    standing,
    stores_of,
)
from wufei.ledger.queries.durability import (
    UnsafeStore,
    durability_faults,
    refuse_unsafe_store,
    store_settings,
)
from wufei.ledger.queries.lineage import (
    LotAmbiguous,
    LotNotFound,
    lot_coded,
    lot_of_organisation,
    lots_found,
    lots_in_store,
    trace,
)
from wufei.ledger.queries.verifying import (
    SIGNED_MASS,
    Verification,
    chain_rows,
    timestamp_faults,
    verify,
    verify_further,
)
from wufei.registry.models import Organisation

__all__ = [
    "NAMED_AT_ONCE", "SIGNED_MASS", "Ground", "HeadRow", "LotAmbiguous", "LotNotFound", "Named", "ScanRefused", "Standing", "Stock", "UnsafeStore", "Verification",
    "book", "chain_rows", "durability_faults", "ground", "ground_of", "held_on", "locked_head", "lot_coded", "lot_of_organisation", "lots_found", "lots_in_store", "movements",
    "refuse_unsafe_store", "snapshot_of", "standing", "stock", "store_settings", "stores_of",
    "timestamp_faults", "trace", "verify", "verify_further",
]  # fmt: skip


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
