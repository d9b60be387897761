"""Write docs/performance.md from what was measured."""

from pathlib import Path
from typing import Any

from benchmarks import pages

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"

HEAD = """\
# Performance

Written by `python -m benchmarks` (`make bench`); the figures are in `benchmarks/last.json`. On a shared machine
absolute figures say little, so each candidate is measured in turn with its baselines in one run, and the ratios
are what counts.

## Importing many: a workbook of 100,000 rows

*Imported* is what `wufei import` does once its process stands: the .xlsx is read and checked before anything opens
it, its cells are read, every row is validated, what was imported before is left out by fingerprint, stores and
streams are declared, and all is posted and committed. *Posted* is the part of it that is `ledger.services.post`, of
drafts that are ready: permission, client ids, examination of every row, hash chain, insertion, balances, monthly
flows, audit row, commit. *Raw, same table* inserts the rows that came of it into a copy of the movement table with
its indexes and constraints but without triggers, by the fastest means that the driver has (many rows in a statement
on SQLite, COPY on PostgreSQL). *Raw, bare table* is the same into a table without any index.

**The promise is the first ratio:** the whole import, validation, balances and chain included, at least at a third
of the raw rate of the same rows into the same table. The second ratio, of posting alone, isn't the promise; it says
how much of the import is the ledger's and how much is the reading of the workbook. CPU seconds are those of our own
process, so on PostgreSQL the server's are not in them, and only SQLite's give a ratio.

"""

SINGLE = """
## Posting one: against the bare two-statement transaction

*Bare* is `BEGIN; INSERT a row; UPDATE a balance; COMMIT` through Django's cursor into a table with nothing but a
key. *Same table* inserts into a copy of the movement table with its indexes and constraints. *Driver* is the bare
transaction through psycopg or sqlite3 themselves. A posting does all of: permission, lock, client id, look-ups,
examination, chain, insertion, balances, flows, audit row. Eight writers are eight processes. Promised: at least
half.

"""

PAGES = """
## Pages, with the power plant's ledger a hundredfold

In-process requests of Django's test client, 60 warm ones a page, wall and CPU time; *first* is the first request
with nothing kept in memory, after all was verified as a whole and one more movement posted. Promised: p95 below 100 ms on every list page.

"""

REVIEWS = """
## Reviews: a round of 20,000 cases and 300 experts

*Assigned* is `assign_cases`: ties, earlier acts and fields read, the flow solved, 60,000 assignments written, experts
told. *Ranked* is `ranking`: 60,000 sheets normalised by expert, ties settled by the edition's rules, the slowest of
five. Promised: assigned under 5 s with loads within one of even, ranked under 2 s. CPU seconds are those of our own
process, so on PostgreSQL the server's are not in them.

"""

REVIEW_PAGES = """
### List pages of reviews and portal, with 20,000 cases

The same 20,000 stand in a city's round at every stage, with some 100,000 acts, 70,000 opinions asked of departments,
20,000 titles, messages, facts of credit and entries of the library. Measured as above, 30 warm requests a page.
*First* is the first request after the start: there the ranking, the loads of the experts and the funnel are worked
out; afterwards a page works them out again only when a sheet, a withdrawal or an act more is counted. Promised: p95
below 100 ms on every list page.

"""

MANIFESTS = """
## Manifests over the API

In-process requests with a token, the first left out; statements are all that reach the database, those past Django's
cursor too, without those that only begin and end a transaction. Promised: a manifest of three containers is made in
at most 15; the list takes the same few for one and for a thousand, and tells none twice.

"""

FLOOR = """
## Pages of the shop floor, the stores and the road, with the demo's drums and manifests a hundredfold

Measured as above, 30 warm requests a page. Promised: p95 below 100 ms on every list page.

"""

LINEAGE = """
## The whole way of a code, and what stood then

A ledger of many lots that were poured together tens of layers deep. *Way* is what a code joins, back and forth, with
the edges between; *trace* is what the page shows, with places, documents and what the viewer may not see. Beside it
the same recursive query over the edges without an index, and a graph in memory (networkx; loading it comes first).
Promised: a way below 50 ms and the stock of a past day below 200 ms, both at p95. Every month is closed, and one lot in
fifty stays in store; in the same ledger without any closing, half of the lots standing (25,000 in a store's
enterprise), a past stock took 1.9 s.

"""

PROMISES = """
## Promises of the ledger at their full size

"""


def write(results: dict[str, Any]) -> None:
    page = HEAD + _table(
        "| database | imported/s | raw, same table/s | **import to same table** | to bare table "
        "| posted/s | post to same table | CPU s: import | post | raw | import to raw, by CPU | of |",
        [_import_row(database, row) for database, row in _rows(results, "import")],
    )
    page += SINGLE + _table(
        "| database | writers | posted/s | bare/s | ratio to bare | to same table | to driver | postings |",
        [_single_row(database, row) for database, row in _rows(results, "single")],
    )
    if "promises" in results:
        page += PROMISES + _table(
            "| database | promise | what came out |",
            [
                _promise_row(database, row)
                for what in ("promises", "backup")
                for database, row in _rows(results, what)
            ],
        )
    if "pages" in results:
        page += PAGES + pages.table([row for _, row in _rows(results, "pages")])
    if "floor" in results:
        page += FLOOR + pages.table([row for _, row in _rows(results, "floor")])
    if "reviews" in results:
        page += REVIEWS + _table(
            "| database | cases | assigned s | CPU s | loads | ranked s | CPU s | in a tie |",
            [_review_row(database, row) for database, row in _rows(results, "reviews")],
        )
        page += REVIEW_PAGES + _table(
            "| page | database | queries | first ms | p50 ms | p95 ms | p50 CPU ms | p95 CPU ms | below 100 ms |",
            _review_pages(_rows(results, "reviews")),
        )
    if "manifests" in results:
        page += MANIFESTS + _table(
            "| database | what | manifests | statements | p50 ms | p95 ms |",
            [_manifest_row(database, row) for database, row in _rows(results, "manifests")],
        )
    if "lineage" in results:
        page += LINEAGE + _table(
            "| lots | movements | edges | lots on a way | way p50 ms | **p95** | trace p50 ms | p95 | not indexed p50 ms "
            "| in memory p50 ms | loaded in s | past stock p50 ms | **p95** |",
            [_lineage_row(row) for _, row in _rows(results, "lineage")],
        )
    PAGE.write_text(page + _how(results))


def _rows(results: dict[str, Any], what: str) -> list[tuple[str, dict[str, Any]]]:
    return [(name, row) for name, found in results.get(what, {}).items() for row in found["measured"]]


def _table(head: str, rows: list[str]) -> str:
    columns = head.count("|") - 1
    return "\n".join([head, "|" + "---|" * columns, *rows]) + "\n"


def _manifest_row(database: str, row: dict[str, Any]) -> str:
    cells = (database, row["what"], f"{row['manifests']:,}", row["statements"], row["p50_ms"], row["p95_ms"])
    return "| " + " | ".join(map(str, cells)) + " |"


def _lineage_row(row: dict[str, Any]) -> str:
    return (
        f"| {row['lots']:,} | {row['movements']:,} | {row['edges']:,} | {row['lots_on_a_way_p50']:.0f} "
        f"| {row['lineage_p50_ms']} | **{row['lineage_p95_ms']}** | {row['trace_p50_ms']} | {row['trace_p95_ms']} "
        f"| {row['unindexed_p50_ms']} | {row['in_memory_p50_ms']} | {row['in_memory_loading_s']} "
        f"| {row['inventory_p50_ms']} | **{row['inventory_p95_ms']}** |"
    )


def _import_row(database: str, row: dict[str, Any]) -> str:
    rate, cpu = row["rows_per_second"], row["cpu_seconds"]
    imported, posted = row["ratios"]["imported"], row["ratios"]["posted"]
    by_cpu = f"{imported['cpu']:.2f}" if database == "sqlite" else "–"
    return (
        f"| {database} | {rate['imported']:,} | {rate['raw_indexed, imported']:,} "
        f"| **{imported['raw_indexed']:.2f}** | {imported['raw_bare']:.2f} "
        f"| {rate['posted']:,} | {posted['raw_indexed']:.2f} "
        f"| {cpu['imported']} | {cpu['posted']} | {cpu['raw_indexed, imported']} | {by_cpu} "
        f"| {row['repetitions']} × {row['rows']:,} rows |"
    )


def _single_row(database: str, row: dict[str, Any]) -> str:
    who = f"{row['writers']}, one organisation" if row["same_organisation"] else str(row["writers"])
    rate, ratio = row["per_second"], row["ratios"]
    return (
        f"| {database} | {who} | {rate['post']:,} | {rate['bare']:,} | **{ratio['bare']:.2f}** "
        f"| {ratio['indexed']:.2f} | {ratio['driver']:.2f} | {row['transactions']['post']:,} |"
    )


def _promise_row(database: str, row: dict[str, Any]) -> str:
    said = ", ".join(f"{key} {value:,}" for key, value in row.items() if key != "promise")
    return f"| {database} | {row['promise']} | {said} |"


def _review_row(database: str, row: dict[str, Any]) -> str:
    return (
        f"| {database} | {row['cases']:,} | **{row['assigning_s']}** | {row['assigning_cpu_s']} "
        f"| {row['smallest_load']} to {row['largest_load']} | **{max(row['ranking_s'])}** "
        f"| {max(row['ranking_cpu_s'])} | {row['tied']:,} |"
    )


def _review_pages(measured: list[tuple[str, dict[str, Any]]]) -> list[str]:
    """Return a line for each page and database, those of one page beside each other."""
    names = [page["page"] for page in measured[0][1]["pages"]]
    found = {(page["page"], database): page for database, row in measured for page in row["pages"]}
    return [
        f"| {name} | {database} | {page['queries']} | {page['first_ms']} | {page['p50_ms']} | {page['p95_ms']} "
        f"| {page['cpu_p50_ms']} | {page['cpu_p95_ms']} | {'yes' if page['p95_ms'] < page['limit_ms'] else '**no**'} |"
        for name in names
        for database, _ in measured
        if (page := found.get((name, database)))
    ]


def _how(results: dict[str, Any]) -> str:
    lines = ["\n## When and on what\n"]
    for what, databases in results.items():
        for database, found in databases.items():
            run = found["run"]
            lines.append(
                f"- `python -m benchmarks {what} --database {database}`: {run['at']}, after commit {run['commit']}, "
                f"{run['machine']}, Python {run['python']}, SQLite {run['sqlite']}"
            )
    return "\n".join(lines) + "\n" + READING


READING = """
## How to read it

- Of some five CPU seconds that an import of 100,000 rows takes on SQLite, three are posting's own, half a second is
  calamine's (it reads the cells), a quarter is the check that nothing hostile is opened, and little more than a
  second is ours: typing and validating cells, fingerprints, client ids, drafts. Rows are chained while the database
  works on those before them, so the clock shows less than the processor.
- SQLite has one writer at a time: eight writers queue, bare or not, and those who wait sleep longer and longer.
- On PostgreSQL writers of different organisations don't wait for each other; those of one organisation wait at the
  end of its chain until the one before them commits, as the bare ones wait at its balance.
- Half of the bare transaction isn't reached everywhere: the table says where. Runs under other loads gave 0.37 to
  0.40 (SQLite) and 0.32 to 0.52 (PostgreSQL) with one writer, so take two digits for one. A posting writes some
  eighteen pages (six indexes of the movement, two balances, a flow, the head, the audit row with its indexes), the
  bare transaction three; on SQLite that alone is some 100 µs of the 600 that a posting takes. It runs five
  statements and the triggers, the bare transaction two; on PostgreSQL each is a round trip.
- PostgreSQL plans a statement in the time in which it runs several. `registry.queries.asked` goes past Django's
  cursor and lets psycopg prepare what every posting asks (behind PgBouncer in transaction mode: 1.21 or newer).
"""
