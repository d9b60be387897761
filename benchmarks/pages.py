"""
How long does a page take at a hundred times the demo data, and how many queries does it ask?

The demo district is built as `wufei demo` builds it; then every movement of its power plant is posted 99 times
more, as a sliver of its mass on the same day, so that no store overflows. The other members of the park are
multiplied likewise as often as asked. Organisations, users and members of the park grow by rows of their own.
The machine is shared: the time of the processor stands beside that of the clock.
"""

import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from typing import Any

NOW = datetime(2026, 7, 1, 2, 0, tzinfo=UTC)
LIMIT_MS = 100  # the 95th percentile stays below
BATCH = 20_000  # movements posted at once
SLIVER = 10_000  # of which a copy has one part
YEAR = 2025
EDITIONS = {"power": "chongqing-2026-6-enterprise", "park": "chongqing-2026-6-park"}
ORGANISATIONS = 1_500  # a hundred times those of the demo
USERS = 1_200


@dataclass(frozen=True, slots=True)
class Page:
    name: str
    user: str
    address: str


def prepare(times: int = 100, times_others: int = 3) -> dict[str, int]:
    """Build the demo and multiply it; return how much there is."""
    from wufei.demo import services as demo
    from wufei.ledger.models import Movement
    from wufei.registry.models import Organisation, User
    from wufei.registry.services import operator

    with TemporaryDirectory() as folder:
        demo.build(folder=Path(folder), by=operator(), now=NOW, report=lambda _said: None)
    named = _named()
    for organisation in Organisation.objects.filter(kind__in=("ENTERPRISE", "UTILISER")):
        multiply(organisation, times if organisation == named["power"] else times_others)
    _more_organisations(named["park"])
    _more_users()
    _open_cases(named)
    _verify_and_go_on(named["power"])
    return {
        "movements": Movement.objects.count(),
        "of_the_enterprise": Movement.objects.filter(organisation=named["power"]).count(),
        "organisations": Organisation.objects.count(),
        "users": User.objects.count(),
    }


def multiply(organisation: Any, times: int) -> None:
    """Post every movement so many times in all; what comes in is rounded up, what goes out down."""
    from wufei.ledger import services
    from wufei.ledger.kinds import INTO_STORE, Kind
    from wufei.ledger.models import Movement, Place
    from wufei.ledger.posting import Draft
    from wufei.registry.services import operator
    from wufei.terms.mass import Mass

    Place.objects.filter(organisation=organisation).update(capacity_g=None)
    rows = Movement.objects.filter(organisation=organisation, lot__is_bulk=True).effective()
    drafts = []
    for row in rows.select_related("stream", "source", "target").order_by("seq"):
        comes_in = Kind(row.kind) in INTO_STORE
        store = row.target if comes_in else row.source
        sliver = row.mass_g // SLIVER + (1 if comes_in else 0)
        if sliver:
            draft = Draft(
                kind=Kind(row.kind), moved_on=row.moved_on, stream_code=row.stream.code, store_code=store.code,
                mass=Mass(sliver), method=row.method, counterparty=row.counterparty, handler=row.handler,
            )  # fmt: skip
            drafts += [draft] * (times - 1)
    for start in range(0, len(drafts), BATCH):
        batch = [each._replace(client_id=uuid.uuid4()) for each in drafts[start : start + BATCH]]
        services.post(organisation=organisation, drafts=batch, by=operator(), now=NOW)


def _named() -> dict[str, Any]:
    from wufei.registry.models import RoleAssignment

    assigned = RoleAssignment.objects.select_related("organisation", "user")
    return {each.user.username: each.organisation for each in assigned}


def _more_organisations(park: Any) -> None:
    """Add carriers, a tenth of which are members of the park: they keep no ledger."""
    from stdnum.cn import uscc

    from wufei.registry.models import Organisation, ParkMembership

    made = []
    for number in range(ORGANISATIONS):
        stem = f"91500110MABEN{number:04d}"
        made.append(
            Organisation(
                uscc=stem + uscc.calc_check_digit(stem), name=f"运输公司{number}", kind="CARRIER",
                division_code="500110", created_at=NOW,
            )
        )  # fmt: skip
    Organisation.objects.bulk_create(made)
    ParkMembership.objects.bulk_create(
        ParkMembership(park=park, member=each, joined_on=date(2020, 1, 1)) for each in made[::10]
    )


def _more_users() -> None:
    from wufei.registry.models import User

    User.objects.bulk_create(User(username=f"person{number}", full_name="某某") for number in range(USERS))


def _open_cases(named: dict[str, Any]) -> None:
    from wufei.cases import services
    from wufei.registry.services import operator

    for name, edition in EDITIONS.items():
        services.open_case(organisation=named[name], edition_id=edition, year=YEAR, by=operator(), now=NOW)


def _verify_and_go_on(organisation: Any) -> None:
    """Verify the whole, as the operator does every day, and post one more movement."""
    from wufei.ledger import services
    from wufei.ledger.kinds import Kind
    from wufei.ledger.models import Movement
    from wufei.ledger.posting import Draft
    from wufei.registry.services import operator
    from wufei.terms.mass import Mass

    services.verify(organisation=None, by=operator(), now=NOW)
    generated = Movement.objects.filter(organisation=organisation, kind=Kind.GENERATION, lot__is_bulk=True)
    row = generated.select_related("stream", "target").latest("moved_on", "seq")
    draft = Draft(
        kind=Kind.GENERATION, moved_on=row.moved_on, stream_code=row.stream.code, store_code=row.target.code,
        mass=Mass(1), client_id=uuid.uuid4(),
    )  # fmt: skip
    services.post(organisation=organisation, drafts=[draft], by=operator(), now=NOW)


def pages() -> Iterator[Page]:
    """Yield the pages that are measured."""
    from django.urls import reverse

    from wufei.cases.models import Case

    named = _named()
    power, park, district = (named[name].uscc for name in ("power", "park", "district-industry"))
    ledger = reverse("ledger:movements", args=[power])
    yield from (
        Page(f"ledger{said}", "power", ledger + query)
        for said, query in (
            ("", ""), (", page 500", "?page=500"), (", a kind", "?kind=GENERATION"),
            (", by mass", "?sort=-mass"), (", three months", "?since=2025-01-01&through=2025-03-31"),
            (", half a month", "?since=2025-01-01&through=2025-01-15"), (", a text", "?text=%E6%B0%B4%E6%B3%A5"),
            (", without a receiver", "?only=unnamed"), (", reversed", "?only=reversed"),
        )
    )  # fmt: skip
    for name, user, route, arguments in (
        ("stock", "power", "ledger:stock", [power]),
        ("streams", "power", "ledger:streams", [power]),
        ("stores", "power", "ledger:stores", [power]),
        ("months of the ledger", "power", "ledger:months", [power]),
        ("home of the enterprise", "power", "organisation-home", [power]),
        ("home of the park", "park", "organisation-home", [park]),
        ("home of the authority", "district-industry", "organisation-home", [district]),
        ("flows", "power", "flows", [power]),
        ("figures of the enterprise", "power", "indicators:figures", [power]),
        ("figures of the park", "park", "indicators:figures", [park]),
        ("months of the enterprise", "power", "indicators:months", [power, YEAR]),
        ("months of the park", "park", "indicators:months", [park, YEAR]),
        ("a figure", "power", "indicators:figure", [power, "utilisation_rate_pct", YEAR]),
        ("a figure of the park", "park", "indicators:figure", [park, "park_utilisation_rate_pct", YEAR]),
        ("editions", "power", "policies:editions", [power]),
        ("evaluation of the enterprise", "power", "policies:evaluation", [power, EDITIONS["power"], YEAR]),
        ("evaluation of the park", "park", "policies:evaluation", [park, EDITIONS["park"], YEAR]),
        ("declarations", "power", "policies:declarations", [power, YEAR]),
        ("cases", "power", "cases:cases", [power]),
        ("uploads", "power", "capture:uploads", [power]),
        ("organisations", "admin", "registry:organisations", []),
        ("members of the park", "park", "registry:members", [park]),
        ("audit log", "power", "registry:audit-log", [power]),
        ("users", "admin", "registry:users", []),
    ):
        yield Page(name, user, reverse(route, args=arguments))
    for name in EDITIONS:
        case = Case.objects.get(organisation=named[name])
        for route in ("case", "form", "check"):
            address = reverse(f"cases:{route}", args=[named[name].uscc, case.pk])
            yield Page(f"{route} of the {'park' if name == 'park' else 'enterprise'}", name, address)


def measure(requests: int = 60) -> list[dict[str, Any]]:
    """Ask for each page again and again; return milliseconds, of the clock and of the processor, and queries."""
    return measured(pages(), requests, warm_up=3)


def measured(asked: Iterable[Page], requests: int, warm_up: int) -> list[dict[str, Any]]:
    """Ask for each of the pages as who reads it, as a process that serves the site and built nothing of it."""
    from django.conf import settings
    from django.test import Client

    import wufei.web.wsgi  # noqa: F401  # what is loaded and kept is as in a worker of the site
    from wufei.registry.models import User

    settings.ALLOWED_HOSTS = ["*"]
    clients: dict[str, Any] = {}
    found = []
    for page in asked:
        if page.user not in clients:
            clients[page.user] = Client()
            if page.user:
                clients[page.user].force_login(User.objects.get(username=page.user))
        found.append(measured_page(page, clients[page.user].get, requests, warm_up))
    return found


def measured_page(page: Page, get: Callable[..., Any], requests: int, warm_up: int) -> dict[str, Any]:
    """Return what a page takes; `first_ms` is the first request, with nothing kept from before."""
    from django.core.cache import cache
    from django.db import connection

    cache.clear()
    first, _ = _timed(get, page)
    for _ in range(warm_up):
        get(page.address, secure=True)
    asked: list[str] = []

    def counted(execute: Any, sql: str, *said: Any) -> Any:
        asked.append(sql)
        return execute(sql, *said)

    with connection.execute_wrapper(counted):
        get(page.address, secure=True)
    taken = [_timed(get, page) for _ in range(requests)]
    clock, processor = [wall for wall, _ in taken], [cpu for _, cpu in taken]
    return {
        "page": page.name, "requests": requests, "queries": len(asked), "first_ms": round(first, 1),
        "p50_ms": round(median(clock), 1), "p95_ms": _p95(clock), "cpu_p50_ms": round(median(processor), 1),
        "cpu_p95_ms": _p95(processor), "limit_ms": LIMIT_MS,
    }  # fmt: skip


def _timed(get: Callable[..., Any], page: Page) -> tuple[float, float]:
    wall, cpu = perf_counter(), process_time()
    answer = get(page.address, secure=True)
    taken = (perf_counter() - wall) * 1000, (process_time() - cpu) * 1000
    if answer.status_code != 200:
        raise RuntimeError(f"{page.name}: {page.address} answers {answer.status_code}")
    return taken


def _p95(taken: list[float]) -> float:
    return round(quantiles(taken, n=20)[18], 1) if len(taken) > 1 else round(taken[0], 1)


def table(measured: list[dict[str, Any]]) -> str:
    """Return what was measured as a table for people."""
    head = "| page | queries | first ms | p50 ms | p95 ms | p50 CPU ms | p95 CPU ms | below 100 ms |"
    rows = (
        f"| {row['page']} | {row['queries']} | {row['first_ms']} | {row['p50_ms']} | {row['p95_ms']} "
        f"| {row['cpu_p50_ms']} | {row['cpu_p95_ms']} | {'yes' if row['p95_ms'] < LIMIT_MS else '**no**'} |"
        for row in measured
    )
    return "\n".join([head, "|---" * 8 + "|", *rows])
