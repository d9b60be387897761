"""
S2: schemathesis walks the API along the links of its document, each answer giving the next request.

No answer on the way is a 5xx, none has a status or a shape that the document doesn't name, and what was just
made is there. In the suite a few hundred calls; `WUFEI_API_CASES=7000` (and `WUFEI_API_SEED`) asks for more.
"""

import json
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import hypothesis
import pytest
import schemathesis
from django.core.wsgi import get_wsgi_application
from django.db import transaction
from hypothesis import HealthCheck, Phase
from schemathesis.config import SchemathesisConfig
from schemathesis.core.errors import NoLinksFound
from schemathesis.core.failures import FailureGroup, ServerError
from schemathesis.generation.stateful.state_machine import StepInput, StepOutput
from schemathesis.openapi.checks import UndefinedStatusCode
from schemathesis.specs.openapi.checks import ensure_resource_availability, use_after_free

from tests.rooms.api.test_access import ROWS, Row, body_of, places, routes, who
from tests.rooms.api.test_conformance import CHECKS, NOWHERE, SEED, draw, version_at
from tests.rooms.api.world import EDITION, PDF, ROOT, World, build, token
from wufei.cases import services as case_services
from wufei.cases.services import LONG_TEXTS, SHORT_TEXTS
from wufei.ledger.api import movements as ledger_api
from wufei.ledger.models import Movement
from wufei.web import api_links
from wufei.web.api import api as ninja_api
from wufei.web.api_links import Link

CALLS = int(os.environ.get("WUFEI_API_CASES", "500"))
DECLARED = sum(map(len, api_links.LINKS.values()))
STEPS = 50  # of one scenario; what it did is undone at its end
ONLY_OUR_LINKS = {"phases": {"stateful": {"inference": {"algorithms": []}}}}
ALONG_THE_WAY = [*CHECKS, use_after_free, ensure_resource_availability]


@dataclass
class Tally:
    """What was asked and answered on the way."""

    statuses: Counter[int] = field(default_factory=Counter)
    followed: Counter[str] = field(default_factory=Counter)  # the links whose values were sent
    arrived: Counter[str] = field(default_factory=Counter)  # of these, answered with 2xx

    @property
    def calls(self) -> int:
        return self.statuses.total()

    def count(self, step: StepInput, status: int) -> None:
        self.statuses[status] += 1
        if step.transition is not None and step.is_applied:
            self.followed[step.transition.id] += 1
            self.arrived[step.transition.id] += status < 300

    def __str__(self) -> str:
        never = sorted(self.followed.keys() - (+self.arrived).keys())
        return (
            f"calls {self.calls}, through links {self.followed.total()}, of them 2xx {self.arrived.total()}; "
            f"links followed {len(self.followed)}, with success {len(+self.arrived)}; "
            f"statuses {dict(sorted(self.statuses.items()))}; never with success {never}"
        )


def steer(step: StepInput, world: World, number: int) -> None:
    """Bring most requests to what there is, in all that their link left open."""
    case, linked = step.case, {name for _, name in step.applied_parameters}
    lot = draw(case.body, case.query, case.path_parameters)
    case.headers = dict(case.headers or {})
    if case.method != "GET" and lot % 16:
        case.headers["Idempotency-Key"] = f"step-{number}"
    if lot % 8 == 0:
        return
    in_path = places(NOWHERE, world) | {
        "seq": 1, "indicator": "generation_t", "year": 2025, "edition_id": EDITION,
    }  # fmt: skip
    if "/applications/" not in case.path:
        in_path["code"] = f"编号{lot % 4}"
    in_query = {"edition": EDITION, "year": 2025, "from": 2024, "to": 2025}
    _fill(case.path_parameters, in_path, linked)
    if isinstance(case.query, dict) and lot % 8 != 1:
        _fill(case.query, in_query, linked)
        for name in case.query.keys() - in_query.keys() - linked:
            del case.query[name]
    if isinstance(case.body, dict) and lot % 8 != 2:
        _steer_body(case, world, linked, lot // 8)


# What a body of the storage routes says of the store that there is.
OF_STORAGE: dict[str, dict[str, Any]] = {
    "counts": {"lot": "散堆-S1", "method": "MISSING", "stream": ""},
    "inspections": {
        "store": "库1", "facility": "GENERAL_STORE", "inspected_at": None,
        "lines": [{"requirement": "gw-rain", "result": "MET"}],
    },
    "zones": {"store": "库1", "permitted": [], "capacity_g": None, "x_cm": 900},
    "{zone_id}": {"code": "A", "permitted": [], "capacity_g": None},
    "placements": {"store": "库1", "zone": "A", "lot": "散堆-S1"},
}  # fmt: skip


def _steer_body(case: Any, world: World, linked: set[str | None], lot: int) -> None:
    in_body = {
        "edition": EDITION, "year": 2024 + lot % 2, "through": "2025-01-31", "waste_code": "900-002-S03",
        "name": "名称", "moved_on": None, "reason": "记错", "contact": "张三", "filed_on": "2025-11-21",
        "file": PDF.replace(b"9", str(lot % 9).encode()),
        "version": version_at(case.path, world), "authority": world.authority.uscc, "comments": {},
        "round_id": world.case_round.pk, "case_id": world.case.pk, "quotas": {}, "departments": None,
    }  # fmt: skip
    in_body |= OF_STORAGE.get(case.path.rsplit("/", 1)[-1], {})
    _fill(case.body, in_body, linked)
    for name in ("amount", "unit", "mass_g"):
        case.body.pop(name, None)
    drafts = [draft for draft in case.body.get("movements") or () if isinstance(draft, dict)]
    stream = drafts[0].get("stream") if drafts and "movements" in linked else "S1"
    for draft in drafts:
        kind = {"kind": "产生"} if lot % 2 else {"kind": draft.get("kind")}
        client_id = {"client_id": draft["client_id"]} if "client_id" in draft else {}
        draft.clear()
        draft |= kind | client_id | {"stream": stream, "moved_on": "2025-03-20", "mass_g": 1 + lot % 1000}


def _fill(said: Any, there: dict[str, Any], linked: set[str | None]) -> None:
    if isinstance(said, dict):
        said |= {name: value for name, value in there.items() if name in said and name not in linked}


def written(world: World) -> None:
    """Write all of the case, so that it may be marked ready, and mark it, so that it may be handed in."""
    officer = world.people["officer"]
    texts = dict.fromkeys(LONG_TEXTS | SHORT_TEXTS, "已写") | {"filed_on": "2025-11-21"}
    case_services.save_draft(
        case=world.case, version=world.case.version, changes=texts, by=officer, now=world.now
    )
    world.case.refresh_from_db()
    case_services.mark_ready(case=world.case, version=world.case.version, by=officer, now=world.now)
    world.case.refresh_from_db()


def walk(calls: int) -> Tally:
    """Walk along the links for about so many calls, and say what happened."""
    world, tally = build(), Tally()
    written(world)
    config = SchemathesisConfig.from_dict(ONLY_OUR_LINKS)
    schema = schemathesis.openapi.from_wsgi(f"{ROOT}/openapi.json", app=get_wsgi_application(), config=config)
    bearers = {name: f"Bearer {token(world.people[name])}" for name in {row.by for row in ROWS.values()}}

    class Walk(schema.as_state_machine()):  # type: ignore[misc]  # made from the document
        def setup(self) -> None:
            self.scenario = transaction.atomic()
            self.scenario.__enter__()

        def teardown(self) -> None:
            transaction.set_rollback(True)
            self.scenario.__exit__(None, None, None)

        def step(self, input: StepInput) -> StepOutput:
            steer(input, world, tally.calls)
            row = ROWS[f"{input.case.method} {input.case.operation.path.removeprefix(ROOT)}"]
            response = input.case.call(headers={"Authorization": bearers[row.by]})
            self.after_call(response, input.case)
            tally.count(input, response.status_code)
            input.case.validate_response(response, checks=ALONG_THE_WAY, recorder=self.recorder)
            return StepOutput(response, input.case)

    settings = hypothesis.settings(
        max_examples=max(2, calls // STEPS), stateful_step_count=STEPS, deadline=None, database=None,
        phases=[Phase.generate], suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    hypothesis.seed(SEED)(Walk).run(settings=settings)
    return tally


def test_every_answer_along_the_links_is_one_that_the_document_names(db, unhurried):
    tally = walk(CALLS)
    print(f"seed {SEED}: {tally}")

    assert 401 not in tally.statuses
    assert tally.followed.total() > tally.calls // 8  # each operation without one is a beginning as well
    assert len(+tally.arrived) >= (DECLARED * 19 // 20 if tally.calls > 5000 else 30)


def test_the_walk_itself_fails_where_the_document_keeps_a_status_to_itself(db, unhurried, monkeypatch):
    """Only who has reversed a movement, or closed its month, is refused to reverse it."""
    answers = f"{ROOT}/organisations/{{uscc}}/movements/{{seq}}/reverse"
    altered(monkeypatch, lambda schema: schema["paths"][answers]["post"]["responses"].pop(409))

    with pytest.raises(FailureGroup) as caught:
        walk(4000)
    [failure] = caught.value.exceptions
    assert isinstance(failure, UndefinedStatusCode)
    assert (failure.status_code, failure.operation) == (409, f"POST {answers}")


def test_the_walk_itself_fails_where_only_what_was_made_on_the_way_breaks(db, unhurried, monkeypatch):
    whole = ledger_api.movement_out

    def movement(row: Movement) -> ledger_api.MovementOut:
        assert getattr(row, "reversal", None) is None, "planted: a reversed movement can't be read"
        return whole(row)

    monkeypatch.setattr(ledger_api, "movement_out", movement)
    with pytest.raises(FailureGroup) as caught:
        walk(4000)
    assert {type(failure) for failure in caught.value.exceptions} >= {ServerError, UndefinedStatusCode}


def test_the_walk_itself_fails_where_the_document_has_no_links(db, unhurried, monkeypatch):
    def unlink(schema: dict[str, Any]) -> None:
        for said in operations(schema).values():
            for answer in said["responses"].values():
                answer.pop("links", None)

    altered(monkeypatch, unlink)
    with pytest.raises(NoLinksFound):
        walk(CALLS)


def altered(monkeypatch: pytest.MonkeyPatch, alter: Callable[[dict[str, Any]], Any]) -> None:
    whole = ninja_api.get_openapi_schema

    def get_altered_schema(**said: Any) -> Any:
        schema = deepcopy(whole(**said))  # made once for the process
        alter(schema)
        return schema

    monkeypatch.setattr(ninja_api, "get_openapi_schema", get_altered_schema)


# --- the links themselves --------------------------------------------------------------


def operations(schema: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {said["operationId"]: said for methods in schema["paths"].values() for said in methods.values()}


def links(schema: dict[str, Any]) -> Iterator[tuple[dict[str, Any], dict[str, Any], dict[str, Any]]]:
    for said in operations(schema).values():
        for answer in said["responses"].values():
            for link in answer.get("links", {}).values():
                yield said, answer, link


def faults(schema: dict[str, Any]) -> list[str]:
    """Return what the links say that isn't so."""
    found = []
    for said, answer, link in links(schema):
        target = operations(schema)[link["operationId"]]
        taken = {each["name"] for each in target["parameters"]}
        needed = {each["name"] for each in target["parameters"] if each["in"] == "path"}
        given = link["parameters"]
        where = f"{said['operationId']} to {target['operationId']}"
        found += [f"{where}: {name} is not taken" for name in given.keys() - taken]
        found += [f"{where}: {name} is needed" for name in needed - given.keys()]
        said_of = json.dumps([given, link.get("requestBody")])
        found += [
            f"{where}: the answer has no {pointer}"
            for pointer in re.findall(r"\$response\.body#/([^\"]+)", said_of)
            if not _holds(answer, pointer.split("/"), schema)
        ]
    return found


def _holds(answer: dict[str, Any], pointer: list[str], schema: dict[str, Any]) -> bool:
    shape = answer["content"]["application/json"]["schema"]
    for step in pointer:
        if "$ref" in shape:
            shape = schema["components"]["schemas"][shape["$ref"].rsplit("/", 1)[-1]]
        shape = shape.get("items") if step.isdigit() else shape.get("properties", {}).get(step)
        if shape is None:
            return False
    return True


def test_every_link_gives_what_its_target_takes_out_of_what_its_answer_holds():
    schema = ninja_api.get_openapi_schema(path_prefix="")

    assert len(list(links(schema))) == DECLARED
    assert faults(schema) == []


@pytest.mark.parametrize(
    ("link", "fault"),
    [
        (Link("get_edition", {"edition_id": "$response.body#/editions/0/name"}), "has no editions/0/name"),
        (Link("get_edition", {"edition": "$response.body#/editions/0/id"}), "edition is not taken"),
        (Link("get_edition", {}), "edition_id is needed"),
        (Link("mark_ready", api_links.CASE, {"version": "$response.body#/version"}), "has no version"),
    ],
)
def test_the_check_of_links_fails_for_one_that_leads_nowhere(link, fault):
    schema = ninja_api.get_openapi_schema(path_prefix="")
    [(_, answer, _)] = [each for each in links(schema) if each[0]["operationId"].endswith("list_editions")]
    ids = {name.rsplit("_api_", 1)[-1]: name for name in operations(schema)}
    answer["links"] = {"planted": api_links.document(link, ids)}

    assert any(fault in each for each in faults(schema))


@dataclass
class Sent:
    path: dict[str, Any]
    query: dict[str, Any]
    answer: Any

    def value(self, said: Any) -> Any:
        """Return what an expression of a link stands for, None where it isn't there."""
        if isinstance(said, dict):
            return {name: self.value(each) for name, each in said.items()}
        if isinstance(said, list):
            return [self.value(each) for each in said]
        source, _, name = str(said).partition("#/" if "#/" in str(said) else ".")
        if source == "$response.body":
            found = self.answer.json()
            for step in name.split("/"):
                found = found[int(step)] if step.isdigit() else found[step]
            return found
        if source == "$request":
            place, _, name = name.partition(".")
            return getattr(self, place).get(name)
        return said


def send(
    route: str, said: Any, world: World, given: dict[str, Any], body: Any, *, after: Row | None = None
) -> Sent:
    method, address = route.split(" ")
    row = ROWS[route]
    of_case = {"version": world.case.version} if "/cases/" in route else {}
    path = places(row, world) | given
    taken = {each["name"] for each in said["parameters"] if each["in"] == "query"}
    query = dict(parse_qsl(row.query.removeprefix("?"))) | {n: v for n, v in given.items() if n in taken}
    sent = body_of(row, world)
    if isinstance(sent, dict) and "version" in sent:
        sent = sent | of_case
    for name, value in (body or {}).items():
        sent = sent | {name: [sent[name][0] | value[0]] if isinstance(value, list) else value}
    answer = world.api(who(row, after=after)).ask(
        method, f"{address.format(**path)}?{urlencode(query)}", sent
    )
    return Sent(path, query, answer)


def test_each_link_followed_from_a_real_answer_brings_a_success(world):
    written(world)
    document = routes()
    route_of = {said["operationId"]: route for route, said in document.items()}
    followed, refused = 0, []
    for route, said in document.items():
        links_of = {n: link for a in said["responses"].values() for n, link in a.get("links", {}).items()}
        for name, link in links_of.items():
            with transaction.atomic():
                first = send(route, said, world, {}, None)
                assert first.answer.status_code < 300, (route, first.answer.content.decode())
                given = {n: v for n, v in first.value(link["parameters"]).items() if v is not None}
                body = first.value(link.get("requestBody"))
                to = route_of[link["operationId"]]
                then = send(to, document[to], world, given, body, after=ROWS[route])
                transaction.set_rollback(True)
            followed += 1
            if then.answer.status_code >= 300:
                refused.append((route, name, then.answer.content.decode()))
    assert (followed, refused) == (DECLARED, [])


def test_the_reference_page_lists_every_link():
    text = (Path(__file__).parents[3] / "docs/reference/api.md").read_text()
    for name, leads in api_links.LINKS.items():
        assert f"| `{name}` | {', '.join(f'`{link.name or link.to}`' for link in leads)} |" in text, name


def test_every_operation_but_the_doors_is_reached_by_a_link():
    schema = ninja_api.get_openapi_schema(path_prefix="")
    reached = {link["operationId"] for _, _, link in links(schema)}

    doors = operations(schema).keys() - reached
    assert sorted(doors) == [
        "wufei_collection_api_act_on_collection_round",
        "wufei_collection_api_declare_month",
        "wufei_collection_api_get_collection_round",
        "wufei_collection_api_plan_collection_round",
        "wufei_filings_api_plans_get_planned",
        "wufei_ledger_api_books_read_book",
        "wufei_policies_api_list_editions",
        "wufei_reviews_api_lists_list_tasks",
        "wufei_reviews_api_lists_list_titles",
        "wufei_reviews_api_rounds_list_rounds",
        "wufei_tracking_api_acknowledge_alert",
        "wufei_transfers_api_loads_get_load",
        "wufei_transfers_api_loads_receive_load",
        "wufei_transfers_api_manifests_answer_revision",
        "wufei_transfers_api_manifests_list_manifest_fields",
        "wufei_transfers_api_manifests_settle_discrepancy",
    ]
