"""
Who may call which route, for whom: every route of the OpenAPI document × every role × whose it is.

A route without a row fails; so does a row without a route.
"""

from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from tests.rooms.api.world import (
    EDITION,
    MANIFEST,
    PDF,
    PLAN,
    PLANTED,
    Api,
    World,
    closed,
    counted,
    expired,
    generation,
    token,
    with_a_lot,
    with_a_plan,
    with_a_transformation,
)
from wufei.ledger.models import HazardIdentification
from wufei.registry import queries as registry_queries
from wufei.registry.models import Organisation, User
from wufei.storage.models import Zone
from wufei.web.api import api as ninja_api

INSIDERS = ("officer", "worker", "park_officer", "authority", "administrator")
OUTSIDERS = (
    "officer_elsewhere", "worker_elsewhere", "park_officer_elsewhere", "authority_elsewhere", "expert",
    "agency_staff", "nobody",
)  # fmt: skip
# Of those who may see the organisation, who may do what to it.
MAY = {
    "see": {"officer", "worker", "park_officer", "authority", "administrator"},
    "edit": {"officer", "administrator"},
    "read ledger": {"officer", "worker", "park_officer", "authority"},
    "post": {"officer", "worker"},
    "reverse": {"officer"},
    "close": {"officer"},
    "read figures": {"officer", "park_officer", "authority"},
    "read case": {"officer"},
    "write case": {"officer"},
    "run round": {"authority"},
    "read application": {"officer", "authority"},
    "review": {"authority"},
    "read tracks": {"officer", "worker", "authority"},
    "read manifests": {"officer", "worker", "park_officer", "authority"},
    "handle manifests": {"officer"},
    "sign manifests": {"officer", "worker"},
    "keep permits": {"officer"},
    "verify permits": {"authority"},
    "end permits": {"officer", "authority"},
}
ANYBODY = "anybody"  # what is not about one organisation
O = "/organisations/{uscc}"  # noqa: E741
R, A = "/rounds/{round_id}", "/applications/{code}"
M = f"{O}/manifests/{{reference}}"


@dataclass(frozen=True)
class Row:
    needs: str
    answer: int = 200
    query: str = ""
    body: Any = None  # or what makes it of the world
    in_path: tuple[tuple[str, Any], ...] = ()
    by: str = "officer"  # who may, for tests that ask for everything once
    others: int = 403  # for insiders who may not
    outsiders: int = 404
    but: tuple[tuple[str, int], ...] = ()  # person → answer, where it differs


def figure(**said: Any) -> tuple[tuple[str, Any], ...]:
    return (("indicator", "generation_t"), ("year", 2025), *said.items())


OF_A_ZONE = {"name": "乙区", "x_cm": 0, "y_cm": 0, "width_cm": 100, "depth_cm": 100}
THIS_YEAR = (("year", timezone.localdate().year),)

ROWS = {
    "GET /organisations": Row(ANYBODY),
    f"GET {O}": Row("see"),
    f"PATCH {O}": Row("edit", body={"version": 1, "contact": "张三"}),
    f"GET {O}/streams": Row("read ledger"),
    f"PUT {O}/streams/{{code}}": Row(
        "edit",
        body={"name": "飞灰", "waste_code": "900-002-S03", "process_name": "锅炉"},
        in_path=(("code", "S9"),),
    ),
    f"GET {O}/identifications": Row("read ledger"),
    f"POST {O}/identifications": Row("edit", 201, body="identification"),
    f"GET {O}/identifications/{{identification_id}}/report": Row("read ledger"),
    f"GET {O}/stores": Row("read ledger"),
    f"PUT {O}/stores/{{code}}": Row("edit", body={"name": "九号库"}, in_path=(("code", "库9"),)),
    f"GET {O}/movements": Row("read ledger"),
    f"POST {O}/movements": Row("post", 201, body={"movements": [generation()]}),
    f"GET {O}/movements/{{seq}}": Row("read ledger", in_path=(("seq", 1),)),
    f"POST {O}/movements/{{seq}}/reverse": Row(
        "reverse", 201, body={"reason": "重复"}, in_path=(("seq", 1),)
    ),
    f"GET {O}/stock": Row("read ledger"),
    f"GET {O}/plans": Row("read ledger"),
    f"GET {O}/plans/{{year}}": Row("read ledger", in_path=THIS_YEAR),
    f"POST {O}/plans/{{year}}/draft": Row("close", 201, in_path=THIS_YEAR),
    f"PUT {O}/plans/{{year}}/draft": Row(
        "close", in_path=THIS_YEAR, body=lambda world: with_a_plan(world) | {"content": PLAN}
    ),
    f"POST {O}/plans/{{year}}/filings": Row(
        "close", 201, in_path=THIS_YEAR, body=lambda world: with_a_plan(world, ready=True)
    ),
    f"GET {O}/plans/{{year}}/planned": Row(
        "read ledger", in_path=THIS_YEAR, query="?waste_code=900-249-08&receiver=91500110MA5U00002G"
    ),
    f"GET {O}/disclosures/{{year}}": Row("read ledger", in_path=(("year", 2025),)),
    f"POST {O}/disclosures/{{year}}": Row("close", 201, in_path=(("year", 2025),), body={}),
    f"GET {O}/inventory": Row("read ledger"),
    f"GET {O}/books/{{form}}": Row(
        "read ledger", query="?from=2025-01-01&to=2025-12-31", in_path=(("form", "general-2"),)
    ),
    f"GET {O}/trace": Row("read ledger", query="?code=散堆-S1"),
    f"GET {O}/transformations": Row("read ledger"),
    f"POST {O}/transformations": Row(
        "post", 201,
        body=lambda world: with_a_lot(world, {
            "kind": "REPACK", "moved_on": "2025-06-30", "client_id": "00000000-0000-4000-8000-000000000003",
            "inputs": [{"store": "库1", "lot": "L-5", "mass_g": 500}],
            "outputs": [{"store": "库1", "lot": "L-9", "stream": "S1", "mass_g": 500}],
        }),
    ),
    f"POST {O}/transformations/{{first_seq}}/reverse": Row(
        "reverse", 201, body=lambda world: with_a_transformation(world, {"reason": "重复"}),
        in_path=(("first_seq", 3),),
    ),
    f"POST {O}/relocations": Row(
        "post", 201,
        body=lambda world: with_a_lot(
            world, {"store": "库1", "to": "库2", "lot": "L-5", "mass_g": 100, "moved_on": "2025-06-30"}
        ),
    ),
    f"POST {O}/labels/numbers": Row(
        "post", 201,
        body=lambda world: {
            "waste_code": "900-249-08", "on": timezone.localdate().isoformat(), "count": 5,
            "client_id": "00000000-0000-4000-8000-000000000001",
        },
    ),
    f"GET {O}/labels/label": Row("read ledger", query="?code=L-1"),
    f"GET {O}/labels/file": Row("read ledger", query="?code=L-1&format=zpl"),
    f"POST {O}/labels/prints": Row(
        "post", 201, body={"code": "L-1", "format": "PDF", "client_id": "00000000-0000-4000-8000-000000000002"}
    ),
    f"GET {O}/zones": Row("read ledger", query="?store=库1"),
    f"POST {O}/zones": Row("edit", 201, body={"store": "库1", "code": "B"} | OF_A_ZONE | {"x_cm": 900}),
    f"GET {O}/zones/{{zone_id}}": Row("read ledger"),
    f"PUT {O}/zones/{{zone_id}}": Row("edit", body={"code": "A", "version": 1} | OF_A_ZONE),
    f"POST {O}/placements": Row(
        "post", 201,
        body=lambda world: with_a_lot(
            world,
            {"store": "库1", "lot": "L-5", "zone": "A", "client_id": "00000000-0000-4000-8000-000000000011"},
        ),
    ),
    f"GET {O}/time-limits": Row("read ledger"),
    f"GET {O}/stocktakes": Row("read ledger"),
    f"POST {O}/stocktakes": Row(
        "post", 201,
        body=lambda world: with_a_lot(
            world, {"store": "库2", "client_id": "00000000-0000-4000-8000-000000000012"}
        ),
    ),
    f"GET {O}/stocktakes/{{number}}": Row("read ledger"),
    f"POST {O}/stocktakes/{{number}}/counts": Row(
        "post", 201,
        body={
            "lot": "散堆-S1", "method": "WEIGHED", "mass_g": 5_000_000,
            "client_id": "00000000-0000-4000-8000-000000000013",
        },
    ),
    f"POST {O}/stocktakes/{{number}}/close": Row("post", body=counted),
    f"POST {O}/stocktakes/{{number}}/give-up": Row("reverse", body={"reason": "选错了库"}),
    f"POST {O}/stocktakes/{{number}}/post": Row(
        "reverse",
        body=lambda world: closed(
            world, {"moved_on": "2026-07-01", "explanations": [{"lot": "散堆-S1", "text": "风干"}]}
        ),
    ),
    f"GET {O}/inspections": Row("read ledger"),
    f"POST {O}/inspections": Row(
        "post", 201,
        body={
            "store": "库1", "facility": "GENERAL_STORE", "lines": [{"requirement": "gw-rain", "result": "MET"}],
            "client_id": "00000000-0000-4000-8000-000000000014",
        },
    ),
    f"GET {O}/inspections/{{number}}": Row("read ledger"),
    f"GET {O}/corrective-actions": Row("read ledger"),
    "GET /storage-checklists": Row(ANYBODY),
    f"POST {O}/close-month": Row("close", 201, body={"through": "2025-01-31"}),
    f"GET {O}/verify": Row("read ledger"),
    f"GET {O}/scales": Row("read ledger"),
    f"GET {O}/scales/{{scale_code}}/readings": Row("read ledger"),
    f"GET {O}/indicators": Row("read figures", query="?from=2025&to=2025"),
    f"GET {O}/figures/{{indicator}}/{{year}}": Row("read figures", in_path=figure()),
    f"GET {O}/figures/{{indicator}}/{{year}}/movements": Row("read ledger", in_path=figure()),
    f"GET {O}/evaluation": Row("read figures", query=f"?edition={EDITION}&year=2025"),
    f"GET {O}/cases": Row("read case"),
    f"POST {O}/cases": Row("write case", body={"edition": EDITION, "year": 2024}),
    f"GET {O}/cases/{{case_id}}": Row("read case"),
    f"PATCH {O}/cases/{{case_id}}": Row("write case", body={"version": 2, "title": "题目"}),
    f"POST {O}/cases/{{case_id}}/ready": Row("write case", 409, body={"version": 2}),  # not written yet
    f"GET {O}/cases/{{case_id}}/evidence": Row("read case"),
    f"POST {O}/cases/{{case_id}}/evidence": Row("write case", 201, body="upload"),
    f"DELETE {O}/cases/{{case_id}}/evidence/{{evidence_id}}": Row("write case", 204),
    f"GET {O}/cases/{{case_id}}/documents/{{document}}": Row(
        "read case", in_path=(("document", "provenance.json"),)
    ),
    f"GET {O}/tracks": Row("read tracks"),
    f"GET {O}/track-alerts": Row("read tracks"),
    f"POST {O}/track-alerts/{{alert_id}}/acknowledge": Row(
        "sign manifests", 404, body={"remark": "堵车"}, in_path=(("alert_id", 1),)
    ),
    f"GET {O}/trackers": Row("read tracks"),
    f"GET {M}/track": Row("read tracks"),
    f"PUT {M}/planned-route": Row(
        "sign manifests",
        body={
            "datum": "WGS84",
            "stages": [
                {"latitude_udeg": 29_028_000, "longitude_udeg": 106_651_000},
                {"latitude_udeg": 29_712_000, "longitude_udeg": 107_391_000, "name": "涪陵"},
            ],
        },
    ),
    f"GET {O}/manifests": Row("read manifests"),
    f"POST {O}/manifests": Row("handle manifests", 201, body={}),
    f"GET {M}": Row("read manifests"),
    f"PUT {M}": Row("handle manifests", 409, body={"version": 1}),  # it is signed: refused, to who may
    f"POST {M}/acts": Row("handle manifests", body={"act": "CANCEL", "words": "车未到"}),
    f"POST {M}/revisions": Row(
        "handle manifests", 201,
        body={"changes": [{"part": "manifest", "field": "remark", "to": "加急"}], "reason": "漏写"},
    ),
    f"POST {M}/revisions/{{revision_id}}/answer": Row(
        "handle manifests", 404, body={"agrees": True}, in_path=(("revision_id", 1),)
    ),
    f"POST {M}/discrepancies/{{discrepancy_id}}/settle": Row(
        "handle manifests", 404, body={"reason": "蒸发"}, in_path=(("discrepancy_id", 1),)
    ),
    f"GET {O}/weighed-loads": Row("read manifests"),
    f"GET {O}/weighed-loads/{{load_id}}": Row("read manifests", 404, in_path=(("load_id", 1),)),
    f"POST {O}/weighed-loads": Row(  # nobody has brought it yet: refused, to who may
        "sign manifests", 409, body={"manifests": [MANIFEST], "mass_g": 1, "mode": "R9"}
    ),
    f"GET {O}/permits": Row("read manifests"),
    f"POST {O}/permits": Row(
        "keep permits", 201,
        body={"kind": "TRANSPORT", "number": "渝交1", "valid_from": "2026-01-01", "valid_through": "2028-12-31"},
    ),
    f"GET {O}/permits/{{permit_id}}": Row("read manifests"),
    f"POST {O}/permits/{{permit_id}}/verify": Row("verify permits", by="authority"),
    f"POST {O}/permits/{{permit_id}}/revoke": Row("end permits", body={"on": "2026-07-01"}),
    f"GET {O}/contracts": Row("read manifests"),
    f"POST {O}/contracts": Row(
        "handle manifests", 201,
        body=lambda world: {
            "counterparty": world.elsewhere.uscc, "purpose": "TRANSPORT", "number": "HT-9", "signed_on": "2026-01-01",
            "valid_through": "2026-12-31",
        },
    ),
    f"GET {O}/contracts/{{contract_id}}": Row("read manifests"),
    f"POST {O}/contracts/{{contract_id}}/end": Row("handle manifests", body={"on": "2026-07-01"}),
    f"GET {O}/due-diligence": Row("read manifests"),
    f"POST {O}/due-diligence": Row(
        "handle manifests", 201,
        body=lambda world: {
            "subject": world.elsewhere.uscc, "checked_on": "2026-01-05", "valid_through": "2026-12-31",
            "is_passed": True, "qualification": "齐全", "capability": "正常",
        },
    ),
    f"GET {O}/due-diligence/{{record_id}}": Row("read manifests"),
    f"GET {O}/vehicles": Row("read manifests"),
    f"POST {O}/vehicles": Row("keep permits", 201, body={"plate": "渝A00001", "load_g": 20_000_000}),
    f"GET {O}/vehicles/{{vehicle_id}}": Row("read manifests"),
    f"POST {O}/vehicles/{{vehicle_id}}/end": Row("keep permits", body={"on": "2026-06-30"}),
    f"GET {O}/drivers": Row("read manifests"),
    f"POST {O}/drivers": Row("keep permits", 201, body={"name": "王师傅"}),
    f"GET {O}/drivers/{{driver_id}}": Row("read manifests"),
    f"POST {O}/drivers/{{driver_id}}/end": Row("keep permits", body={"on": "2026-06-30"}),
    f"GET {O}/transfer-approvals": Row("handle manifests"),
    f"POST {O}/transfer-approvals": Row(
        "handle manifests", 201,
        body=lambda world: {
            "receiver": world.elsewhere.uscc, "kind": "APPROVAL", "number": "渝环跨9号", "waste_code": "900-249-08",
            "approved_g": 1_000, "valid_from": "2026-01-01", "valid_through": "2026-12-31",
        },
    ),
    f"GET {O}/transfer-approvals/{{approval_id}}": Row("handle manifests"),
    f"GET {O}/collection/declarations": Row("read ledger"),
    f"POST {O}/collection/declarations": Row(  # it is no small generator: refused, to who may
        "post", 409, body={"month": "2026-06", "is_nothing": True, "client_id": "00000000-0000-4000-8000-000000000001"}
    ),
    f"GET {O}/collection/ready": Row("sign manifests"),
    f"GET {O}/collection/rounds": Row("sign manifests"),
    f"POST {O}/collection/rounds": Row(  # it has no collection point: refused, to who may
        "handle manifests", 409,
        body={
            "uid": "00000000-0000-4000-8000-000000000002", "point": "库1", "planned_on": "2026-07-01", "plate": "渝A1",
            "driver": "李", "picks": [],
        },
    ),
    f"GET {O}/collection/rounds/{{number}}": Row("sign manifests", 404, in_path=(("number", 1),)),
    f"POST {O}/collection/rounds/{{number}}/acts": Row(
        "sign manifests", 404, body={"act": "START"}, in_path=(("number", 1),)
    ),
    "GET /manifest-fields": Row(ANYBODY),
    "GET /editions": Row(ANYBODY),
    "GET /editions/{edition_id}": Row(ANYBODY, in_path=(("edition_id", EDITION),)),
    "GET /rounds": Row(ANYBODY),
    "POST /rounds": Row(
        "run round", by="authority", others=404, but=(("administrator", 403),),
        body=lambda world: {
            "edition": "chongqing-2026-6-enterprise", "year": timezone.localdate().year + 1,
            "authority": world.authority.uscc, "notice_text": "现予征集。",
            "submission_deadline": f"{timezone.localdate().year + 1}-03-01",
        },
    ),
    f"GET {R}": Row(ANYBODY),
    f"PATCH {R}": Row(
        "run round", by="authority", outsiders=403, body=lambda world: {"version": world.round.version, "title": "新"}
    ),
    f"POST {R}/publish": Row("run round", by="authority", others=404, in_path=(("round_id", "draft"),)),
    f"GET {R}/status": Row("run round", by="authority", outsiders=403, but=(("authority_elsewhere", 200),)),
    f"GET {R}/ranking": Row("run round", by="authority", outsiders=403),
    f"GET {R}/applications": Row(ANYBODY, by="authority"),
    f"GET {O}/applications": Row("write case"),
    f"POST {O}/applications": Row(  # not written yet
        "write case", 409, body=lambda world: {"round_id": world.case_round.pk, "case_id": world.case.pk}
    ),
    f"GET {A}": Row("read application", by="authority", others=404),
    f"POST {A}/acts": Row(
        "review", 201, by="authority", others=404, but=(("officer", 403),),
        body=lambda world: {"version": world.application.version, "action": "RETURN", "words": "请补正。"},
    ),
    f"GET {A}/consultations": Row("review", by="authority", others=404, but=(("officer", 403),)),
    f"POST {A}/consultations": Row("review", 201, by="authority", others=404, but=(("officer", 403),), body={}),
    f"POST {A}/consultations/{{consultation_id}}/reply": Row(
        "review", by="authority", others=404, but=(("officer", 403),), body="reply"
    ),
    "GET /notices": Row(ANYBODY),
    "GET /notices/{notice_id}": Row(ANYBODY),
    "GET /register": Row(ANYBODY),
    "GET /tasks": Row(ANYBODY),
}  # fmt: skip


@cache
def routes() -> dict[str, dict[str, Any]]:
    schema = ninja_api.get_openapi_schema(path_prefix="")
    return {
        f"{method.upper()} {path}": said
        for path, methods in schema["paths"].items()
        for method, said in methods.items()
    }


def body_of(row: Row, world: World) -> Any:
    if callable(row.body):
        return row.body(world)
    if row.body not in ("upload", "reply", "identification"):
        return row.body
    from django.core.files.uploadedfile import SimpleUploadedFile

    file = SimpleUploadedFile("新.pdf", PDF.replace(b"9", b"8"))
    if row.body == "identification":
        return {
            "stream": "S1", "basis": "TESTS", "result": "NOT_HAZARDOUS", "judged_by": "检测所", "file": file,
            "judged_on": "2025-03-01", "client_id": "00000000-0000-4000-8000-000000000009",
        }  # fmt: skip
    said = {"category": "PROOF"} if row.body == "upload" else {"opinion": "NO_OBJECTION"}
    return said | {"file": file}


def who(row: Row, *, after: Row | None = None) -> str:
    """Return who may ask: whoever asked before it, where that one may."""
    if after is None or (row.needs != ANYBODY and after.by not in MAY[row.needs]):
        return row.by
    return row.by if after.by in dict(row.but) else after.by


def places(row: Row, world: World) -> dict[str, Any]:
    """Return what stands in the path."""
    there = {
        "uscc": world.mine.uscc, "case_id": world.case.pk, "evidence_id": world.evidence.pk,
        "round_id": world.round.pk, "code": world.application.code, "consultation_id": world.consultation.pk,
        "identification_id": HazardIdentification.objects.filter(organisation=world.mine).earliest("pk").pk,
        "notice_id": world.notice.pk, "reference": MANIFEST, "scale_code": world.scale.code,
        "zone_id": Zone.objects.get(store__organisation=world.mine, code="A").pk, "number": 1,
    }  # fmt: skip
    there |= world.papers
    said = {name: world.draft.pk if value == "draft" else value for name, value in row.in_path}
    return there | said


def ask(route: str, row: Row, world: World, caller: Api) -> Any:
    """Send the request and undo what it did."""
    method, path = route.split(" ")
    address = path.format(**places(row, world)) + row.query
    with transaction.atomic():
        response = caller.ask(method, address, body_of(row, world))
        transaction.set_rollback(True)
    return response


def check(route: str, row: Row, world: World) -> None:
    """Compare what every person is answered with what the table says."""
    for person in (*INSIDERS, *OUTSIDERS):
        response = ask(route, row, world, world.api(person))
        if row.needs == ANYBODY:
            expected = row.answer
        elif person in OUTSIDERS:
            expected = row.outsiders
        else:
            expected = row.answer if person in MAY[row.needs] else row.others
        expected = dict(row.but).get(person, expected)
        told = response.content.decode()
        assert response.status_code == expected, (route, person, told[:300])
        if person in OUTSIDERS and not person.endswith("_elsewhere"):
            assert PLANTED not in told, (route, person)


def test_every_route_has_its_row():
    assert sorted(routes()) == sorted(ROWS)


@pytest.mark.parametrize("route", ROWS)
def test_each_role_may_do_to_an_organisation_what_the_table_says_and_no_more(world, route):
    check(route, ROWS[route], world)


@pytest.mark.parametrize("route", ROWS)
def test_without_a_living_token_of_the_scope_nothing_is_answered(world, route):
    row, scope = ROWS[route], routes()[route]["x-scope"]
    officer, today = world.people["officer"], timezone.now()
    others = [each for each in ("ledger:read", "cases:write", "organisations:read") if each != scope]
    refused = {
        "anonymous": (Api(None), 401),
        "made up": (Api("wufei_made-up"), 401),
        "expired": (Api(token(officer, **expired(today))), 401),
        "revoked": (Api(token(officer, revoked_at=today - timedelta(hours=1))), 401),
        "wrong scope": (Api(token(officer, *others)), 403),
    }
    for kind, (caller, expected) in refused.items():
        response = ask(route, row, world, caller)
        assert response.status_code == expected, (route, kind, response.content.decode())
        assert response.json()["code"] == ("scope_missing" if expected == 403 else "not_authenticated")
    gone = world.people["officer"]
    caller = Api(token(gone, scope))
    User.objects.filter(pk=gone.pk).update(is_active=False)
    assert ask(route, row, world, caller).status_code == 401


def test_the_operator_of_the_command_line_has_no_token(world, operator):
    assert Api(token(operator)).get("/organisations").status_code == 401


@pytest.mark.parametrize("route", [f"GET {O}", f"GET {O}/movements", f"PATCH {O}", f"GET {O}/cases"])
def test_the_check_itself_fails_where_visibility_is_not_filtered(world, route, monkeypatch):
    monkeypatch.setattr(registry_queries, "visible_organisations", lambda **_: Organisation.objects.all())
    with pytest.raises(AssertionError):
        check(route, ROWS[route], world)


def test_a_list_holds_what_the_person_may_see_and_nothing_else(world):
    def listed(person: str) -> list[str]:
        told = world.api(person).get("/organisations").json()
        assert told["total"] == len(told["organisations"])
        return [row["name"] for row in told["organisations"]]

    assert listed("officer") == [world.mine.name]
    assert listed("park_officer") == [world.mine.name, "园区"]
    assert listed("officer_elsewhere") == [world.elsewhere.name]
    assert listed("expert") == listed("nobody") == []
    assert len(listed("administrator")) == 9


def test_what_is_anothers_is_not_found_under_ones_own_address(world, officer_api):
    assert officer_api.get(world.address(f"/cases/{world.other_case.pk}")).status_code == 404
    stolen = world.address(f"/cases/{world.other_case.pk}/evidence/{world.evidence.pk}")
    assert officer_api.ask("DELETE", stolen).status_code == 404
    crossed = f"/organisations/{world.elsewhere.uscc}/cases/{world.case.pk}"
    assert world.api("officer_elsewhere").get(crossed).status_code == 404
