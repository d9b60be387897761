"""
A code's whole way in a ledger of five million movements and a million lots, with deep merges; and what stood then.

The ledger is laid down past services and triggers, row by row as they would write it: what is measured is how it is
read. Beside it, for comparison: the same recursive query over a copy of the edges without an index, and an
in-memory graph.
"""

import random
import time
from bisect import bisect_left
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from statistics import median
from typing import Any

NOW = datetime(2026, 7, 1, 2, 0, tzinfo=UTC)
FIRST_DAY, DAYS = date(2022, 1, 1), 1_400
ORGANISATIONS = 20
CAMPAIGN = 250  # lots that are split and poured together among themselves
MERGED = 3
MASS = 200_000
STAYS = 50  # of so many lots one stays in store; the others are gone after a few days
ASKED, ASKED_SLOWLY = 300, 3


def measure(lots: int, movements: int) -> dict[str, Any]:
    """Lay the ledger down and return how long its lots' ways and its past stocks take to tell."""
    begun = time.perf_counter()
    chance = random.Random(4)
    edges = _lay_down(lots, movements, chance)
    laid_s = time.perf_counter() - begun
    from wufei.ledger.models import Lot

    some = chance.sample(list(Lot.objects.values_list("pk", flat=True)), ASKED)
    return {
        "lots": lots, "movements": movements, "edges": edges, "laid_down_s": round(laid_s),
        **_lineage(some), **_inventory(chance),
    }  # fmt: skip


def _lineage(some: list[int]) -> dict[str, Any]:
    from wufei.ledger.models import Lot
    from wufei.ledger.queries import lineage
    from wufei.registry.services import operator

    def way(lot: int) -> int:
        joined = lineage.lots_joined([lot])
        lineage.edges_between(joined)  # read with it, as every way that is told has its edges
        return len(joined)

    def whole(lot: int) -> int:
        row = Lot.objects.select_related("organisation", "stream").get(pk=lot)
        return len(lineage.trace(lot=row, seen_by=by, on=NOW.date()).nodes)

    by = operator()
    ways, sizes = _timed(way, some)
    traces, _sizes = _timed(whole, some[:60])
    return {
        "lots_on_a_way_p50": median(sizes), "lots_on_a_way_most": max(sizes),
        **_said("lineage", ways), **_said("trace", traces),
        **_said("unindexed", _timed(_unindexed(), some[:ASKED_SLOWLY])[0]), **_in_memory(some),
    }  # fmt: skip


def _timed(ask: Callable[[int], int], lots: list[int]) -> tuple[list[float], list[int]]:
    ask(lots[0])
    taken, sizes = [], []
    for lot in lots:
        begun = time.perf_counter()
        sizes.append(ask(lot))
        taken.append(1000 * (time.perf_counter() - begun))
    return taken, sizes


def _said(what: str, taken: list[float]) -> dict[str, float]:
    ordered = sorted(taken)
    return {
        f"{what}_p50_ms": round(median(ordered), 2),
        f"{what}_p95_ms": round(ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))], 2),
    }


def _unindexed() -> Callable[[int], int]:
    from django.db import connection

    from wufei.ledger.queries.lineage import STANDS, WAY

    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE bare_edge AS SELECT * FROM ledger_lineageedge")
    sql = WAY.format(lots="CAST(%s AS bigint)", stands=STANDS).replace("ledger_lineageedge", "bare_edge")

    def ask(lot: int) -> int:
        with connection.cursor() as cursor:
            cursor.execute(sql, [lot, lot])
            return len(cursor.fetchall())

    return ask


def _in_memory(some: list[int]) -> dict[str, Any]:
    import networkx

    from wufei.ledger.models import LineageEdge

    begun = time.perf_counter()
    graph = networkx.DiGraph()
    graph.add_edges_from(LineageEdge.objects.values_list("source_lot_id", "target_lot_id").iterator(50_000))
    loaded = time.perf_counter() - begun

    def ask(lot: int) -> int:
        if lot not in graph:
            return 1
        return 1 + len(networkx.ancestors(graph, lot)) + len(networkx.descendants(graph, lot))

    return {"in_memory_loading_s": round(loaded, 1), **_said("in_memory", _timed(ask, some)[0])}


def _inventory(chance: random.Random) -> dict[str, Any]:
    from wufei.ledger.queries import inventory
    from wufei.registry.models import Organisation

    organisations = list(Organisation.objects.filter(name__startswith="企业"))
    taken = []
    for _ in range(40):
        organisation = chance.choice(organisations)
        day = FIRST_DAY + timedelta(days=chance.randrange(DAYS))
        at = datetime(day.year, day.month, day.day, 4, tzinfo=UTC)
        begun = time.perf_counter()
        inventory.inventory(organisation=organisation, at=at)
        taken.append(1000 * (time.perf_counter() - begun))
    return _said("inventory", taken)


# ---- the ledger that is read ----------------------------------------------------------------------


def _lay_down(lots: int, movements: int, chance: random.Random) -> int:
    from django.db import connection

    from benchmarks.ground import open_ledger
    from wufei.registry.services import operator

    grounds = [_ground(open_ledger(number)[0]) for number in range(ORGANISATIONS)]
    each = lots // ORGANISATIONS
    with connection.cursor() as cursor:
        cursor.execute(
            "SET session_replication_role = replica"
        )  # no triggers: what they keep is laid down too
        lot_columns = "id, organisation_id, stream_id, code, is_bulk, origin, origin_year"
        _copy(cursor, f"ledger_lot ({lot_columns})", _lots(grounds, each))
        from wufei.ledger.services.moving import COLUMNS

        into = f"ledger_movement ({', '.join(COLUMNS)})"
        _copy(cursor, into, _movements(grounds, each, movements // lots, operator().pk))
        closing_columns = "id, organisation_id, closed_through, seq, chain_hash, closed_at, closed_by_id"
        _copy(cursor, f"ledger_monthclosing ({closing_columns})", _closings(grounds, operator().pk))
        snapshot_columns = "closing_id, place_id, lot_id, mass_g"
        _copy(
            cursor, f"ledger_stocksnapshot ({snapshot_columns})", _snapshots(grounds, each, movements // lots)
        )
        edge_columns = "source_lot_id, target_lot_id, mass_g, kind, at, transformation_id, document"
        _copy(cursor, f"ledger_lineageedge ({edge_columns})", _edges(lots, chance))
        cursor.execute(BALANCES)
        cursor.execute("SET session_replication_role = DEFAULT")
        cursor.execute("ANALYZE")
        cursor.execute("SELECT count(*) FROM ledger_lineageedge")
        return int(cursor.fetchone()[0])


BALANCES = """
    INSERT INTO ledger_balance (place_id, lot_id, mass_g, is_source)
    SELECT place_id, lot_id, sum(grams), p.kind NOT IN ('STORE', 'TRANSIT') FROM (
      SELECT target_id AS place_id, lot_id, mass_g AS grams FROM ledger_movement
      UNION ALL SELECT source_id, lot_id, -mass_g FROM ledger_movement) AS legs
    JOIN ledger_place p ON p.id = place_id GROUP BY place_id, lot_id, p.kind"""


def _ground(organisation: Any) -> dict[str, Any]:
    from wufei.ledger.models import Place, Stream

    places = {place.code: place.pk for place in Place.objects.filter(organisation=organisation)}
    end = Place.objects.create(
        organisation=organisation, code="own_disposal:", kind="OWN_DISPOSAL", name="自行处置"
    )
    return {
        "organisation": organisation.pk, "end": end.pk, "process": places["process:工序1"],
        "stores": [pk for code, pk in places.items() if ":" not in code],
        "streams": list(Stream.objects.filter(organisation=organisation).values_list("pk", flat=True)),
    }  # fmt: skip


def _copy(cursor: Any, into: str, rows: Iterator[tuple[Any, ...]]) -> None:
    with cursor.copy(f"COPY {into} FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def _lots(grounds: list[dict[str, Any]], each: int) -> Iterator[tuple[Any, ...]]:
    for g, ground in enumerate(grounds):
        for n in range(each):
            key = g * each + n + 1
            stream = ground["streams"][n % len(ground["streams"])]
            yield key, ground["organisation"], stream, f"L{key}", False, "GENERATION", 2022


def _movements(grounds: list[dict[str, Any]], each: int, apiece: int, by: int) -> Iterator[tuple[Any, ...]]:
    """Each lot is generated, put from store to store, and nearly every one disposed of."""
    from uuid import UUID

    number = 0
    for g, ground in enumerate(grounds):
        for n in range(each):
            key, day = g * each + n + 1, FIRST_DAY + timedelta(days=DAYS * n // each)
            stream, at = ground["streams"][n % len(ground["streams"])], n % 3
            for step in range(apiece):
                number += 1
                store = ground["stores"][(at + step) % 3]
                if step == 0:
                    kind, source, target = "GENERATION", ground["process"], store
                elif step == apiece - 1 and n % STAYS:
                    kind, source, target = (
                        "OWN_DISPOSAL",
                        ground["stores"][(at + step - 1) % 3],
                        ground["end"],
                    )
                else:
                    kind, source, target = "RELOCATION", ground["stores"][(at + step - 1) % 3], store
                moved_on = day + timedelta(days=step)
                posted_at = datetime(moved_on.year, moved_on.month, moved_on.day, 2, tzinfo=UTC)
                yield (
                    ground["organisation"], n * apiece + step + 1, kind, stream, key, source, target, MASS, moved_on,
                    "", "", "", "", UUID(int=number), "", None, "", posted_at, by, "0" * 64, "0" * 64,
                )  # fmt: skip


def _month_ends() -> list[date]:
    days = (FIRST_DAY + timedelta(days=n) for n in range(DAYS))
    return [day for day in days if (day + timedelta(days=1)).day == 1]


def _closings(grounds: list[dict[str, Any]], by: int) -> Iterator[tuple[Any, ...]]:
    """Every month is closed, as an enterprise closes it before it files."""
    ends = _month_ends()
    for g, ground in enumerate(grounds):
        for k, end in enumerate(ends):
            yield g * len(ends) + k + 1, ground["organisation"], end, 0, "0" * 64, NOW, by


def _snapshots(grounds: list[dict[str, Any]], each: int, apiece: int) -> Iterator[tuple[Any, ...]]:
    """What stood in the stores when each month was closed, by the same rule as `_movements`."""
    ends = _month_ends()
    for g, ground in enumerate(grounds):
        for n in range(each):
            day = FIRST_DAY + timedelta(days=DAYS * n // each)
            last = len(ends) if n % STAYS == 0 else bisect_left(ends, day + timedelta(days=apiece - 1))
            for k in range(bisect_left(ends, day), last):
                step = min((ends[k] - day).days, apiece - 1)
                yield g * len(ends) + k + 1, ground["stores"][(n + step) % 3], g * each + n + 1, MASS


def _edges(lots: int, chance: random.Random) -> Iterator[tuple[Any, ...]]:
    """Within a campaign each lot is poured together from a few that were there before: tens of layers deep."""
    for key in range(1, lots + 1):
        within = (key - 1) % CAMPAIGN
        if within < 10:
            continue
        for source in {
            key - chance.randrange(1, min(within, 12) + 1) for _ in range(chance.randrange(1, MERGED + 1))
        }:
            yield source, key, MASS // MERGED, "TRANSFER", NOW, None, f"M{key}"
