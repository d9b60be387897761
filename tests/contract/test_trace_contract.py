"""`wufei trace CODE --json`: every key that the issue names."""

import json
import uuid
from datetime import date, datetime

import pytest

from tests.conftest import NOW
from wufei.ledger import services
from wufei.ledger.kinds import TransformationKind
from wufei.ledger.transforming import Input, Output
from wufei.terms.mass import Mass


@pytest.fixture
def merged(ledger):
    ledger.stores(库1=None)
    ledger.streams("F1")
    ledger.post("2025-01-01 F1 产生 600 千克 库1 A", "2025-01-02 F1 产生 400 千克 库1 B")
    services.transform(
        organisation=ledger.organisation, kind=TransformationKind.MERGE, loss=Mass(10_000), loss_reason="蒸发",
        inputs=[Input("库1", "A", Mass(600_000)), Input("库1", "B", Mass(400_000))],
        outputs=[Output("库1", "M", "F1", Mass(990_000))], moved_on=date(2025, 3, 1), client_id=uuid.uuid4(),
        by=ledger.by, now=NOW,
    )  # fmt: skip
    return ledger


def test_the_whole_way_of_a_code(wufei, merged):
    got = wufei("trace", "M", "--json")

    assert got.code == 0
    assert got.json["code"] == "M"
    assert {frozenset(node) for node in got.json["nodes"]} == {
        frozenset({"lot", "stream", "organisation", "created_at"})
    }
    assert {node["lot"]: node["stream"] for node in got.json["nodes"]} == {"A": "F1", "B": "F1", "M": "F1"}
    assert all(datetime.fromisoformat(node["created_at"]).tzinfo for node in got.json["nodes"])
    assert {frozenset(edge) for edge in got.json["edges"]} == {
        frozenset({"from", "to", "mass_g", "kind", "at", "document"})
    }
    assert [(e["from"], e["to"], e["kind"]) for e in got.json["edges"]] == [
        ("A", "M", "MERGE"),
        ("B", "M", "MERGE"),
    ]
    assert sum(edge["mass_g"] for edge in got.json["edges"]) == 990_000


def test_an_unknown_code_is_the_answer_no(wufei, merged):
    got = wufei("trace", "Z", "--json")

    assert (got.code, got.out) == (1, "")
    assert "没有编码为“Z”的批次" in got.err


def test_a_code_of_several_organisations_asks_which(wufei, merged, make_organisation, make_user):
    from tests.tables import LedgerTable

    other = make_organisation("乙厂")
    table = LedgerTable(organisation=other, by=make_user("ENVIRONMENT_OFFICER", other), now=NOW)
    table.stores(库1=None)
    table.streams("F9")
    table.post("2025-01-01 F9 产生 1 吨 库1 A")

    asked = wufei("trace", "A", "--json")
    assert asked.code == 1
    assert "乙厂" in asked.err
    assert [
        n["stream"] for n in wufei("trace", "A", "--organisation", other.uscc, "--json").json["nodes"]
    ] == ["F9"]


def test_people_read_a_table_and_machines_an_epcis_file(wufei, merged, tmp_path):
    got = wufei("trace", "M", "--epcis", tmp_path / "m.jsonld")

    assert "合并" in got.out
    assert "产生" in got.out
    assert json.loads((tmp_path / "m.jsonld").read_text())["type"] == "EPCISDocument"


def test_wrong_use_is_told_apart(wufei, merged):
    assert wufei("trace").code == 2
