"""
How long do a backup and its restoring take, and is what stands then the same? (promise L8)

A ledger of ten organisations is posted through the services, backed up while nobody else is there, and restored into
another empty store of the same kind. Restoring checks every hash before and verifies every chain, balance and monthly
flow after.
"""

from pathlib import Path
from time import perf_counter
from typing import Any

ORGANISATIONS = 10


def fill(movements: int) -> None:
    """Post the movements, a tenth of them in each organisation."""
    from benchmarks import ground
    from wufei.ledger import services

    each = movements // ORGANISATIONS
    for number in range(ORGANISATIONS):
        organisation, officer = ground.open_ledger(number)
        drafts = ground.drafts(each, seed=number)
        services.post(organisation=organisation, drafts=drafts, by=officer, now=ground.NOW)


def back_up_to(path: str) -> dict[str, Any]:
    from wufei.web.backing_up import back_up

    begun = perf_counter()
    made = back_up(Path(path), tell=_silent)
    return {"backup_s": round(perf_counter() - begun, 1), "root": made["root"], "bytes": made["bytes"]}


def restore_of(path: str) -> dict[str, Any]:
    from wufei.web.restoring import restore_from

    begun = perf_counter()
    found = restore_from(Path(path), tell=_silent)
    return {"restore_s": round(perf_counter() - begun, 1), **found}


def _silent(_phase: str, _done: int, _total: int) -> None:
    return None


def measure(database: str, movements: int) -> dict[str, Any]:
    """Return how long each took; what is not the same afterwards ends the run."""
    from benchmarks import stores

    with stores.store(database) as one, stores.store(database) as other:
        path = f"{one['WUFEI_DATA']}/one.wufei"
        stores.in_processes(one, fill, [(movements,)])
        [made] = stores.in_processes(one, back_up_to, [(path,)])
        [found] = stores.in_processes(other, restore_of, [(path,)])
    assert found["ok"], found["faults"][:3]
    assert (found["root"], found["movements"]) == (made["root"], movements)
    return {
        "promise": "L8", "movements": movements, "megabytes": round(made["bytes"] / 1e6),
        "backup_s": made["backup_s"], "restore_s": found["restore_s"],
        "of_the_300_s_promised": round(made["backup_s"] + found["restore_s"]),
    }  # fmt: skip
