"""How long does a list page take at a hundred times the demo data, and how many queries?"""

from collections.abc import Iterable
from statistics import median, quantiles
from time import perf_counter
from typing import Any

from benchmarks import ground

MOVEMENTS = 120_000  # a hundred times those of the demo's enterprise
LIMIT_MS = 100  # the 95th percentile stays below


def fill(number: int, movements: int = MOVEMENTS) -> tuple[Any, Any]:
    """Make an enterprise with so many movements, posted in batches; return it and its officer."""
    from wufei.ledger import services

    organisation, officer = ground.open_ledger(number)
    drafts = ground.drafts(movements, seed=number)
    for start in range(0, movements, 20_000):
        batch = drafts[start : start + 20_000]
        services.post(organisation=organisation, drafts=batch, by=officer, now=ground.NOW)
    return organisation, officer


def measure(
    client: Any, pages: Iterable[tuple[str, str]], *, requests: int = 100, warm_up: int = 5
) -> list[dict[str, Any]]:
    """Ask for each page (name, url) with a signed-in client; return percentiles in milliseconds and queries."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    measured = []
    for name, url in pages:
        for _ in range(warm_up):
            answer = client.get(url)
            assert answer.status_code == 200, (name, url, answer.status_code)
        with CaptureQueriesContext(connection) as asked:
            client.get(url)
        taken = []
        for _ in range(requests):
            begun = perf_counter()
            client.get(url)
            taken.append((perf_counter() - begun) * 1000)
        measured.append(
            {
                "page": name, "requests": requests, "queries": len(asked), "p50_ms": round(median(taken), 1),
                "p95_ms": round(quantiles(taken, n=20)[18], 1), "limit_ms": LIMIT_MS,
            }
        )  # fmt: skip
    return measured
