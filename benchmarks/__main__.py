"""
Measure, and write down what came out.

    python -m benchmarks [import|single|promises|pages|floor|reviews|lineage|backup|manifests ...] [--rows N] [--database sqlite|postgresql]
"""

import argparse
import json
import os
import platform
import sqlite3
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import (
    backup,
    floor,
    importing,
    lineage,
    manifests,
    pages,
    promises,
    report,
    reviews,
    single,
    stores,
)

RESULTS = Path(__file__).with_name("last.json")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "what",
        nargs="*",
        default=["import", "single"],
        help="import, single, promises, pages, floor, reviews, lineage, backup, manifests",
    )
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--repetitions", type=int, default=5, help="of an import")
    parser.add_argument("--windows", type=int, default=20, help="of a quarter of a second, for each side")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--steps", type=int, default=10_000)
    parser.add_argument("--lots", type=int, default=1_000_000, help="of a lineage, with five movements each")
    parser.add_argument("--movements", type=int, default=1_000_000, help="of a backup")
    parser.add_argument("--database", choices=stores.DATABASES, action="append")
    given = parser.parse_args()
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for database in given.database or stores.DATABASES:
        for what in given.what:
            measured = MEASURES[what](database, given)
            results.setdefault(what, {})[database] = {"run": _run(), "measured": measured}
            print(json.dumps({database: {what: measured}}, ensure_ascii=False, indent=1), flush=True)
            RESULTS.write_text(json.dumps(results, ensure_ascii=False, indent=1) + "\n")
    report.write(results)


def _import(database: str, given: argparse.Namespace) -> list[dict[str, Any]]:
    with stores.store(database) as environment:
        return stores.in_processes(environment, importing.measure, [(given.rows, given.repetitions)])


def _single(database: str, given: argparse.Namespace) -> list[dict[str, Any]]:
    with stores.store(database) as environment:
        stores.in_processes(environment, single.prepare, [(8,)])
        return [
            single.measure(environment, writers=writers, same=same, windows=given.windows)
            for writers, same in ((1, False), (8, False), (8, True))
        ]


def _promises(database: str, given: argparse.Namespace) -> list[dict[str, Any]]:
    measured = []
    for name, arguments in (
        ("conserve_mass", (1, given.seeds, given.steps)),
        ("locate_tampers", (database,)),
        ("ask_the_past", ()),
    ):
        with stores.store(database) as environment:
            measured += stores.in_processes(
                environment, promises.on_the_store, [(name, environment, *arguments)]
            )
    return measured


def _pages(database: str, given: argparse.Namespace) -> list[dict[str, Any]]:
    with stores.store(database) as environment:
        [size] = stores.in_processes(environment, pages.prepare, [()])
        [measured] = stores.in_processes(environment, pages.measure, [()])
        return [row | size for row in measured]


def _floor(database: str, given: argparse.Namespace) -> list[dict[str, Any]]:
    with stores.store(database) as environment:
        [size] = stores.in_processes(environment, floor.prepare, [()])
        [measured] = stores.in_processes(environment, floor.measure, [()])
        return [row | size for row in measured]


def _reviews(database: str, given: argparse.Namespace) -> list[dict[str, Any]]:
    with stores.store(database) as environment:
        [measured] = stores.in_processes(environment, reviews.measure, [()])
        [looked] = stores.in_processes(environment, reviews.look, [()])
        return [measured | {"pages": looked}]


def _lineage(database: str, given: argparse.Namespace) -> list[dict[str, Any]]:
    if database != "postgresql":
        return []  # the promise is PostgreSQL's
    with stores.store(database) as environment:
        return stores.in_processes(environment, lineage.measure, [(given.lots, 5 * given.lots)])


def _backup(database: str, given: argparse.Namespace) -> list[dict[str, Any]]:
    return [backup.measure(database, given.movements)]


def _manifests(database: str, given: argparse.Namespace) -> list[dict[str, Any]]:
    with stores.store(database) as environment:
        [measured] = stores.in_processes(environment, manifests.measure, [()])
        return measured


MEASURES = {
    "import": _import, "single": _single, "promises": _promises, "pages": _pages, "floor": _floor, "reviews": _reviews,
    "lineage": _lineage, "backup": _backup, "manifests": _manifests,
}  # fmt: skip


def _run() -> dict[str, str]:
    """Return when and on what was measured."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    return {
        "at": datetime.now(UTC).isoformat(timespec="minutes"),
        "commit": commit.stdout.strip(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}",
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
    }


if __name__ == "__main__":
    main()
