"""How does a single posting compare to the bare two-statement transaction, with one writer and with eight?"""

import uuid
from collections.abc import Callable
from datetime import date
from statistics import median
from time import perf_counter
from typing import Any

from benchmarks import ground, stores

SIDES = ("post", "bare", "indexed", "driver")
WINDOW = 0.25  # seconds that each side has in turn


def prepare(organisations: int) -> None:
    ground.make_bare_tables()
    from wufei.ledger import services

    for number in range(organisations):
        organisation, officer = ground.open_ledger(number)
        drafts = ground.drafts(500, seed=number)
        services.post(organisation=organisation, drafts=drafts, by=officer, now=ground.NOW)


def write(number: int, organisation_number: int, windows: int) -> dict[str, list[int]]:
    """Write as fast as one writer can, each side in turn; return how many transactions fitted in each window."""
    sides = _sides(number, organisation_number)
    done: dict[str, list[int]] = {name: [] for name in SIDES}
    for name in SIDES:
        for _ in range(10):
            sides[name]()
    for _ in range(windows):
        for name in SIDES:
            stores.wait_for_all()
            end, count, one = perf_counter() + WINDOW, 0, sides[name]
            while perf_counter() < end:
                one()
                count += 1
            done[name].append(count)
    return done


def _sides(number: int, organisation_number: int) -> dict[str, Callable[[], None]]:
    from django.db import connection, transaction

    from wufei.ledger import services
    from wufei.ledger.posting import Draft
    from wufei.ledger.services.moving import insertion
    from wufei.registry.models import Organisation, User
    from wufei.registry.queries import asked

    officer = User.objects.get(username=f"officer{organisation_number}")
    organisation = Organisation.objects.get(name=f"企业{organisation_number}")
    [pattern] = ground.stored_rows(organisation, limit=1)
    [draft] = ground.drafts(1, first=date(2026, 6, 1), last=date(2026, 6, 30))
    told: dict[str, Any] = {
        "kind": draft.kind, "moved_on": draft.moved_on, "stream_code": draft.stream_code, "mass": draft.mass,
        "store_code": draft.store_code, "handler": draft.handler,
    }  # fmt: skip
    is_sqlite = connection.vendor == "sqlite"
    first = 200_000_000 * (number + 1)  # of this writer's rows
    taken = "SELECT max(seq) FROM raw_indexed WHERE organisation_id = %s AND seq BETWEEN %s AND %s"
    [(seq,)] = asked(taken, organisation.pk, first, first + 199_999_999)
    seq = seq or first
    update = "UPDATE raw_balance SET mass_g = mass_g + %s WHERE id = %s"
    inserts = {t: insertion(1).replace("ledger_movement", t) for t in ("raw_bare", "raw_indexed")}

    def row() -> tuple[Any, ...]:
        nonlocal seq
        seq += 1
        client_id = uuid.uuid4()
        return (pattern[0], seq, *pattern[2:13], client_id.hex if is_sqlite else client_id, *pattern[14:])

    def post() -> None:
        made = Draft(**told, client_id=uuid.uuid4())
        services.post(organisation=organisation, drafts=[made], by=officer, now=ground.NOW)

    def through_django(table: str) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(inserts[table], row())
            cursor.execute(update, (pattern[7], organisation_number))

    def through_the_driver() -> None:
        connection.ensure_connection()
        driver: Any = connection.connection
        if is_sqlite:
            driver.execute("BEGIN IMMEDIATE")
            driver.execute(inserts["raw_bare"].replace("%s", "?"), row())
            driver.execute(update.replace("%s", "?"), (pattern[7], organisation_number))
            driver.execute("COMMIT")
            return
        with driver.transaction():
            driver.execute(inserts["raw_bare"], row())
            driver.execute(update, (pattern[7], organisation_number))

    return {
        "post": post,
        "bare": lambda: through_django("raw_bare"),
        "indexed": lambda: through_django("raw_indexed"),
        "driver": through_the_driver,
    }


def measure(environment: dict[str, str], *, writers: int, same: bool, windows: int) -> dict[str, Any]:
    """Let the writers write at the same time, each in an organisation of its own or all in the same one."""
    arguments = [(n, 0 if same else n, windows) for n in range(writers)]
    counted = stores.in_processes(environment, write, arguments)
    totals = {
        name: [sum(each[name][w] for each in counted) for w in range(windows)] for name in SIDES
    }  # fmt: skip
    return {
        "writers": writers,
        "same_organisation": same,
        "windows": windows,
        "transactions": {name: sum(total) for name, total in totals.items()},
        "per_second": {name: round(sum(total) / windows / WINDOW) for name, total in totals.items()},
        "ratios": {
            name: round(sum(totals["post"]) / sum(totals[name]), 3) for name in SIDES if name != "post"
        },
        "ratios_median": {
            name: round(median(p / max(b, 1) for p, b in zip(totals["post"], totals[name], strict=True)), 3)
            for name in SIDES
            if name != "post"
        },
    }
