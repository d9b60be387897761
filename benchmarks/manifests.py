"""
How long does a manifest of three containers take over the API, and how long its list, with one and with a thousand?

Requests of Django's test client with a token, one after the other; statements are all that reach the database, those
past Django's cursor too. The manifests of the long list are copies laid down past the services: what is measured of
them is how they are read.
"""

import hashlib
import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from statistics import median
from time import perf_counter
from typing import Any
from unittest import mock

from stdnum.cn import uscc

NOW = datetime(2026, 7, 1, 2, 0, tzinfo=UTC)
MADE, MANY, ASKED = 100, 1_000, 60
LIMIT = 200  # rows of a page of the API
MOST_STATEMENTS = 15  # promised of a creation
OIL = "900-249-08"
SAID = {
    "contact": "张三", "contact_phone": "023-48600001", "emergency_phone": "023-48600119",
    "emergency_measures": "围堵、吸附，立即报告", "origin_address": "厂区", "consignor": "GENERATOR",
}  # fmt: skip
OF_A_LINE = {"hazards": "T,I", "physical_form": "LIQUID", "packaging": "DRUM"}
# Where the statements past Django's cursor are asked.
PAST = ("wufei.registry.queries", "wufei.ledger.queries.before_posting", "wufei.ledger.services.moving")


def measure(made: int = MADE, many: int = MANY) -> list[dict[str, Any]]:
    """Return a row for a creation, and one for the list with one manifest and with many."""
    parties = _parties()
    rows = [_created(parties, made)]
    _leave_one()
    rows.append(_listed(parties))
    copy_manifests(many - 1)
    rows.append(_listed(parties))
    return rows


def _parties() -> dict[str, Any]:
    from wufei.ledger import services as ledger
    from wufei.registry.models import ApiToken, Organisation, RoleAssignment, User

    kinds = {"generator": "ENTERPRISE", "carrier": "CARRIER", "receiver": "UTILISER"}
    made: dict[str, Any] = {}
    for number, (role, kind) in enumerate(kinds.items(), 1):
        stem = f"91500110MA8{number:06d}"
        made[role] = Organisation.objects.create(
            uscc=stem + uscc.calc_check_digit(stem),
            name=role,
            kind=kind,
            division_code="500110",
            created_at=NOW,
        )
    officer = User.objects.create(username="officer", full_name="张三")
    RoleAssignment.objects.create(user=officer, organisation=made["generator"], role="ENVIRONMENT_OFFICER")
    said = {"organisation": made["generator"], "by": officer, "now": NOW}
    ledger.declare_store(code="危废库", name="危废库", **said)
    ledger.declare_stream(code="F1", name="废油", waste_code=OIL, process_name="工序1", **said)
    secret = uuid.uuid4().hex
    ApiToken.objects.create(
        user=officer, name="bench", digest=hashlib.sha256(secret.encode()).hexdigest(), created_at=NOW,
        scopes=["transfers:read", "transfers:write"],
    )  # fmt: skip
    return made | {"officer": officer, "secret": secret}


def _drums(parties: dict[str, Any], count: int) -> list[str]:
    from wufei.ledger import services as ledger
    from wufei.ledger.kinds import Kind
    from wufei.ledger.posting import Draft
    from wufei.terms.mass import Mass

    codes = [f"桶-{n:05}" for n in range(count)]
    drafts = [
        Draft(Kind.GENERATION, date(2026, 6, 20), "F1", Mass(200_000), store_code="危废库", lot_code=code)
        for code in codes
    ]
    ledger.post(organisation=parties["generator"], drafts=drafts, by=parties["officer"], now=NOW)
    return codes


def _created(parties: dict[str, Any], count: int) -> dict[str, Any]:
    codes = _drums(parties, 3 * (count + 1))
    taken, statements = [], 0
    for n in range(count + 1):
        body = {
            "receiver": parties["receiver"].uscc, "said": SAID, "legs": [{"carrier": parties["carrier"].uscc}],
            "lines": [{"lot": code, "said": OF_A_LINE} for code in codes[3 * n : 3 * n + 3]],
        }  # fmt: skip
        with _counted() as seen:
            begun = perf_counter()
            response = _ask(parties, "POST", body)
            taken.append(1000 * (perf_counter() - begun))
        assert response.status_code == 201, response.content.decode()
        statements = max(statements, len(seen))
    assert statements <= MOST_STATEMENTS, statements
    return {"what": "create, three containers", "manifests": count, "statements": statements, **_times(taken)}


def _listed(parties: dict[str, Any]) -> dict[str, Any]:
    """Ask for the first page again and again, then for all pages once: each manifest is told once."""
    from wufei.transfers.models import Manifest

    taken, statements = [], 0
    for _ in range(ASKED + 1):
        with _counted() as seen:
            begun = perf_counter()
            _ask(parties, "GET", query=f"?limit={LIMIT}")
            taken.append(1000 * (perf_counter() - begun))
        statements = len(seen)
    found: list[str] = []
    cursor = ""
    while cursor is not None:
        told = _ask(parties, "GET", query=f"?limit={LIMIT}" + (f"&cursor={cursor}" if cursor else "")).json()
        found += [row["uid"] for row in told["manifests"]]
        cursor = told["next"]
    there = Manifest.objects.count()
    assert len(found) == len(set(found)) == there, (len(found), len(set(found)), there)
    return {"what": "list", "manifests": there, "statements": statements, **_times(taken)}


def _times(taken: list[float]) -> dict[str, float]:
    warm = sorted(taken[1:])  # the first fills what is kept in memory
    return {"p50_ms": round(median(warm), 1), "p95_ms": round(warm[int(len(warm) * 0.95)], 1)}


def _ask(parties: dict[str, Any], method: str, body: Any = None, query: str = "") -> Any:
    from django.test import Client

    headers = {"Authorization": f"Bearer {parties['secret']}", "Idempotency-Key": uuid.uuid4().hex}
    address = f"/api/v1/organisations/{parties['generator'].uscc}/manifests{query}"
    return Client().generic(
        method, address, json.dumps(body) if body else "", content_type="application/json", headers=headers
    )


@contextmanager
def _counted() -> Iterator[list[str]]:
    """Collect every statement but those that only begin and end a transaction."""
    from importlib import import_module

    from django.db import connection

    from wufei.registry import queries

    seen: list[str] = []
    real = queries.asked

    def past(sql: str, *parameters: Any) -> Any:
        seen.append(sql)
        return real(sql, *parameters)

    def on_the_way(execute: Any, sql: str, parameters: Any, many: bool, context: Any) -> Any:
        if not sql.startswith(("SAVEPOINT", "RELEASE", "BEGIN", "COMMIT", "ROLLBACK")):
            seen.append(sql)
        return execute(sql, parameters, many, context)

    patches = [mock.patch.object(import_module(name), "asked", past) for name in PAST]
    for patch in patches:
        patch.start()
    try:
        with connection.execute_wrapper(on_the_way):
            yield seen
    finally:
        for patch in patches:
            patch.stop()


def _leave_one() -> None:
    from wufei.transfers.models import Manifest

    first = Manifest.objects.order_by("pk").first()
    assert first is not None, "some were made"
    Manifest.objects.exclude(pk=first.pk).delete()


def copy_manifests(times: int) -> None:
    """Lay down so many copies of each manifest, with lines and legs; a container stays on the one it is on."""
    from wufei.transfers.models import Leg, Manifest, ManifestLine

    originals = list(Manifest.objects.prefetch_related("lines", "legs"))
    number = 0
    for _ in range(times):
        copies = []
        for one in originals:
            number += 1
            said = _fields(one, "uid")
            copies.append(Manifest(**said | {"number": f"2026500{number:07d}" if one.number else None}))
        Manifest.objects.bulk_create(copies)
        pairs = list(zip(originals, copies, strict=True))
        ManifestLine.objects.bulk_create(
            ManifestLine(**_fields(line, "manifest_id") | {"manifest_id": copy.pk, "holds_lot": False})
            for one, copy in pairs
            for line in one.lines.all()
        )
        Leg.objects.bulk_create(
            Leg(**_fields(leg, "manifest_id") | {"manifest_id": copy.pk})
            for one, copy in pairs
            for leg in one.legs.all()
        )


def _fields(row: Any, *but: str) -> dict[str, Any]:
    names = {field.attname for field in row._meta.concrete_fields} - {"id", *but}
    return {name: getattr(row, name) for name in names}
