"""How does posting 100,000 rows at once compare to inserting the same rows raw?"""

import gc
from statistics import median
from time import perf_counter
from typing import Any

from benchmarks import ground


def measure(rows: int, repetitions: int) -> dict[str, Any]:
    """
    Post the drafts, and insert the rows that came of it into bare tables, in turn.

    Posting has everything in it that importing does once a workbook is read: permission, client ids,
    examination, chain, balances, flows, audit row, commit.
    """
    from wufei.ledger import queries, services

    ground.make_bare_tables()
    seconds: dict[str, list[float]] = {"posted": [], "raw_indexed": [], "raw_bare": []}
    for repetition in range(repetitions):
        organisation, officer = ground.open_ledger(repetition)
        drafts = ground.drafts(rows, seed=repetition)
        gc.collect()
        begun = perf_counter()
        services.post(organisation=organisation, drafts=drafts, by=officer, now=ground.NOW)
        seconds["posted"].append(perf_counter() - begun)
        stored = ground.stored_rows(organisation)
        assert len(stored) == rows
        for table in ("raw_indexed", "raw_bare"):
            gc.collect()
            begun = perf_counter()
            ground.insert_raw(table, stored)
            seconds[table].append(perf_counter() - begun)
    assert queries.verify(organisation=organisation).is_ok
    return {
        "rows": rows,
        "repetitions": repetitions,
        "rows_per_second": {name: round(rows / median(taken)) for name, taken in seconds.items()},
        "ratio_to_indexed": _ratio(seconds, "raw_indexed"),
        "ratio_to_bare": _ratio(seconds, "raw_bare"),
    }


def _ratio(seconds: dict[str, list[float]], table: str) -> float:
    pairs = zip(seconds[table], seconds["posted"], strict=True)
    return round(median(raw / posted for raw, posted in pairs), 3)
