"""
S2: schemathesis speaks to every route as its document says, and as it doesn't say, each time anew.

No answer is a 5xx, none has a status or a shape that the document doesn't name. In the suite a few hundred
cases; `WUFEI_API_CASES=20000` (and `WUFEI_API_SEED`) asks for more, as the nightly run does.
"""

import os
import uuid
import zlib
from functools import cache
from typing import Any

import hypothesis
import pytest
import schemathesis
from django.core.wsgi import get_wsgi_application
from django.db import transaction
from hypothesis import HealthCheck, Phase, given
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.rooms.api.test_access import ANYBODY, ROWS, Row, places, routes
from tests.rooms.api.world import EDITION, ROOT, World, build, token

CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_headers_conformance,
    response_schema_conformance,
]  # fmt: skip
ROUTES = sorted(routes())
CASES = int(os.environ.get("WUFEI_API_CASES", "400"))
SEED = int(os.environ.get("WUFEI_API_SEED", "20251121"))


def draw(*said: Any) -> int:
    """Return a number that is the same for the same case in every run."""
    return zlib.crc32(repr(said).encode("utf-8", "surrogatepass"))


@cache
def document() -> Any:
    """Return the document as it is served, read once."""
    return schemathesis.openapi.from_wsgi(f"{ROOT}/openapi.json", app=get_wsgi_application())


NOWHERE = Row(ANYBODY)


def version_at(path: str, world: World) -> int:
    """Return the version of what the path edits."""
    if "/applications/" in path:
        return world.application.version
    return world.case.version if "cases" in path else 1


def steer(case: Any, world: World) -> None:
    """Bring most cases to what there is: an organisation, a case, an edition, a stream that exist."""
    lot = draw(case.body, case.query, case.path_parameters)
    case.headers = dict(case.headers or {})
    if case.method != "GET" and lot % 8:
        case.headers["Idempotency-Key"] = uuid.uuid4().hex
    if lot % 4 == 0:
        return
    in_path = {"code": "库1"} if "stores" in case.path or "streams" in case.path else {}
    in_path = places(NOWHERE, world) | {
        "seq": 1, "indicator": "utilisation_rate_pct", "year": 2025, "edition_id": EDITION,
    } | in_path  # fmt: skip
    _overwrite(case.path_parameters, in_path)
    if lot % 4 == 1:
        return
    _overwrite(case.query, {"edition": EDITION, "year": 2025, "from": 2024, "to": 2025})
    if isinstance(case.body, dict):
        version = version_at(case.path, world)
        in_body = {"version": version, "edition": EDITION, "year": 2025, "through": "2025-01-31"}
        _overwrite(case.body, in_body)
        for draft in case.body.get("movements") or () if lot % 4 == 3 else ():
            if isinstance(draft, dict):
                draft |= {"stream": "S1", "moved_on": "2025-03-20", "mass_g": lot, "store": None}
                draft |= {"amount": None, "unit": None, "lot": None}


def _overwrite(said: Any, there: dict[str, Any]) -> None:
    if isinstance(said, dict):
        said |= {name: value for name, value in there.items() if name in said}


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize("route", ROUTES)
def test_every_answer_is_one_that_the_document_names(db, unhurried, route, mode):
    world = build()
    method, path = route.split(" ")
    bearer = {"Authorization": f"Bearer {token(world.people[ROWS[route].by])}"}
    operation = document()[ROOT + path][method]
    statuses: set[int] = set()

    @hypothesis.seed(SEED)
    @hypothesis.settings(
        max_examples=max(2, CASES // (2 * len(ROUTES))), deadline=None, database=None,
        phases=[Phase.generate], suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy(generation_mode=mode))
    def speak(case: Any) -> None:
        steer(case, world)
        with transaction.atomic():
            response = case.call(headers=bearer)
            case.validate_response(response, checks=CHECKS)
            transaction.set_rollback(True)
        statuses.add(response.status_code)

    try:
        speak()
    except hypothesis.errors.Unsatisfiable:
        pytest.skip("nothing about this route can be wrong in that way")
    assert statuses
    assert 401 not in statuses
