"""
The promises L4, L5 and L6 at their full size; the tests hold smaller versions of the same.

L4: 20 seeds × 10,000 steps, nothing unbalanced. L5: 500 tampers, all located. L6: 1,000 random days.
"""

import random
from datetime import timedelta
from time import perf_counter
from typing import Any

TAMPERS_OF_A_KIND = 100
DAYS_ASKED = 1000


def conserve_mass(first_seed: int, seeds: int, steps: int) -> dict[str, Any]:
    """L4: post, reverse and close at random beside a plain oracle; return how much of it was acknowledged."""
    from tests.rooms.ledger.test_state_machine import open_ledger, play_beside_the_oracle

    begun, acknowledged, refused = perf_counter(), 0, 0
    for seed in range(first_seed, first_seed + seeds):
        taken, not_taken = play_beside_the_oracle(open_ledger(seed), seed=seed, steps=steps)
        acknowledged, refused = acknowledged + taken, refused + not_taken
    return {
        "promise": "L4", "seeds": seeds, "steps": steps, "acknowledged": acknowledged, "refused": refused,
        "broken": 0, "seconds": round(perf_counter() - begun),
    }  # fmt: skip


def locate_tampers(database: str) -> dict[str, Any]:
    """L5: edit, delete, reorder, insert and replace rows at random; each is named."""
    from tests.rooms.ledger import test_chain as chain

    organisation = chain.open_ledger(900)
    chain.play_randomly(organisation, seed=5, steps=60)
    chain.without_guards(database)
    begun, kinds = perf_counter(), (chain.edit, chain.delete, chain.reorder, chain.insert, chain.replace)
    for tamper in kinds:
        chain.tamper_and_be_named(organisation, tamper, seeds=range(TAMPERS_OF_A_KIND))
    return {
        "promise": "L5", "tampers": TAMPERS_OF_A_KIND * len(kinds), "located": TAMPERS_OF_A_KIND * len(kinds),
        "seconds": round(perf_counter() - begun),
    }  # fmt: skip


def ask_the_past() -> dict[str, Any]:
    """L6: the replay to any day equals the snapshots and what was held then, added up by hand."""
    from tests.rooms.ledger.test_state_machine import (
        DAYS,
        FIRST_DAY,
        added_up_by_hand,
        open_ledger,
        play_randomly,
    )
    from wufei.ledger import queries

    organisation = open_ledger(901)
    movements = play_randomly(organisation, seed=6, steps=2000)
    held_on = added_up_by_hand(organisation)
    begun, chance = perf_counter(), random.Random(6)
    for _ in range(DAYS_ASKED):
        day = FIRST_DAY + timedelta(days=chance.randrange(-5, DAYS + 5))
        assert queries.held_on(organisation=organisation, on=day) == held_on(day), day
    return {
        "promise": "L6", "days": DAYS_ASKED, "movements": movements, "equal": DAYS_ASKED,
        "seconds": round(perf_counter() - begun),
    }  # fmt: skip


def on_the_store(function_name: str, environment: dict[str, str], *arguments: Any) -> dict[str, Any]:
    """Run one of the above on the store of the environment, whatever store the tests' modules chose."""
    import tests.rooms.ledger.test_chain  # noqa: F401  # its conftest points the settings elsewhere
    from benchmarks import stores

    stores.use(environment)
    return dict(globals()[function_name](*arguments))
