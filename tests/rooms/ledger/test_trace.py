"""Any code tells its whole way: back to the process steps, forward to use or disposal, across organisations."""

import json
import uuid
from datetime import date
from pathlib import Path

import pytest
from django.test import Client
from jsonschema import Draft7Validator

from tests.conftest import NOW
from tests.tables import LedgerTable
from wufei.ledger import queries, services, tracing
from wufei.ledger.epcis import epcis_document
from wufei.ledger.kinds import Kind, TransformationKind
from wufei.ledger.models import Lot
from wufei.ledger.posting import Draft, transit_code
from wufei.ledger.services import Became
from wufei.ledger.transforming import Input, Output
from wufei.registry.services import operator
from wufei.terms.mass import Mass

pytestmark = pytest.mark.django_db
ROUTES = frozenset({"ledger:trace", "ledger:trace-epcis"})  # a lot's own organisation says who may see it
ON = date(2026, 7, 1)
DAY = date(2025, 3, 1)
NUMBER = "20255001000007"
SCHEMA = json.loads((Path(__file__).parents[2] / "vendor/epcis/EPCISDocument.schema.json").read_text())


@pytest.fixture
def plant(ledger):
    """A and B are poured together into M; M goes to the disposer under a manifest as R, which burns it."""
    ledger.stores(库1=None)
    ledger.streams("F1")
    ledger.post("2025-01-01 F1 产生 600 千克 库1 A", "2025-01-02 F1 产生 400 千克 库1 B")
    services.transform(
        organisation=ledger.organisation, kind=TransformationKind.MERGE, loss=Mass(0), moved_on=DAY,
        inputs=[Input("库1", "A", Mass(600_000)), Input("库1", "B", Mass(400_000))],
        outputs=[Output("库1", "M", "F1", Mass(1_000_000), "DRUM")],
        client_id=uuid.uuid4(), by=ledger.by, now=NOW,
    )  # fmt: skip
    road = transit_code(NUMBER)
    whole = {"mass": Mass(1_000_000), "lot_code": "M", "stream_code": "F1", "moved_on": DAY}
    for draft in (
        Draft(kind=Kind.DISPATCH, store_code="库1", other_place=road, **whole),
        Draft(kind=Kind.CONTRACTED_DISPOSAL, store_code=road, counterparty="处置厂", **whole),
    ):
        services.post(
            organisation=ledger.organisation, drafts=[draft], is_of_a_whole=True, by=ledger.by, now=NOW
        )
    return ledger


def test_a_way_is_cut_only_where_there_is_more(plant, monkeypatch):
    from wufei.ledger.queries import lineage

    lot = Lot.objects.get(code="M")
    for most, lots, is_cut in ((4, 3, False), (3, 3, False), (2, 2, True)):
        monkeypatch.setattr(lineage, "MOST_LOTS", most)
        found = queries.trace(lot=lot, seen_by=operator(), on=ON)
        assert (len(found.nodes), found.is_cut) == (lots, is_cut), most


@pytest.fixture
def disposer(plant, make_organisation, make_user):
    organisation = make_organisation(name="处置厂", kind="UTILISER")
    table = LedgerTable(organisation=organisation, by=make_user("ENVIRONMENT_OFFICER", organisation), now=NOW)
    table.stores(仓=None)
    table.streams("R1")
    table.post("2025-03-02 R1 接收 1000 千克 仓 R", "2025-03-05 R1 自行处置 990 千克 仓 R")
    became = Became(lot_of(plant.organisation, "M").pk, lot_of(organisation, "R").pk, Mass(1_000_000))
    services.record_lineage(document=NUMBER, became=[became], by=table.by, now=NOW)
    return table


def lot_of(organisation, code: str) -> Lot:
    return Lot.objects.get(organisation=organisation, code=code)


def traced(lot: Lot, by) -> tracing.Trace:
    return queries.trace(lot=lot, seen_by=by, on=ON)


def ways(trace: tracing.Trace) -> list[tuple[str, str, int, str]]:
    return [(e.source, e.target, e.mass_g, e.kind) for e in trace.edges]


WHOLE_WAY = [("A", "M", 600_000, "MERGE"), ("B", "M", 400_000, "MERGE"), ("M", "R", 1_000_000, "TRANSFER")]


@pytest.mark.parametrize("code", ["A", "M", "R"])
def test_from_any_of_its_lots_the_whole_way_is_told(plant, disposer, code):
    whose = disposer.organisation if code == "R" else plant.organisation
    told = traced(lot_of(whose, code), operator())

    assert set(ways(told)) >= {way for way in WHOLE_WAY if code in way[:2]}
    assert ways(traced(lot_of(plant.organisation, "M"), operator())) == WHOLE_WAY
    burnt = [step for step in told.steps if step.kind is Kind.OWN_DISPOSAL]
    assert [(step.lot, step.mass_g, step.person) for step in burnt] == [("R", 990_000, str(disposer.by))]


def test_what_only_shares_an_ancestor_or_an_heir_is_not_on_the_way(plant, disposer):
    """B went into M as A did, but what A became holds no word of where B came from but through M."""
    assert {node.lot for node in traced(lot_of(plant.organisation, "A"), operator()).nodes} == {"A", "M", "R"}


def test_of_another_organisation_s_lot_only_its_place_in_the_way_is_told(plant, disposer):
    told = traced(lot_of(plant.organisation, "M"), plant.by)

    [unseen] = [node for node in told.nodes if not node.is_open]
    assert (unseen.code, unseen.stream, unseen.organisation, unseen.created_at) == ("", None, None, None)
    assert ways(told)[-1] == ("M", unseen.lot, 1_000_000, "TRANSFER")
    said = json.dumps(tracing.document(told), ensure_ascii=False) + json.dumps(tracing.drawing(told))
    for planted in ("R1", "仓", str(disposer.by), disposer.organisation.uscc):
        assert planted not in said
    assert {step.lot for step in told.steps} == {"A", "B", "M"}


def test_what_was_taken_back_joins_nothing(plant):
    plant.post("2025-01-03 F1 产生 5 克 库1 C")
    repacked = services.transform(
        organisation=plant.organisation, kind=TransformationKind.REPACK, loss=Mass(0), moved_on=DAY,
        inputs=[Input("库1", "C", Mass(5))], outputs=[Output("库1", "D", "F1", Mass(5))],
        client_id=uuid.uuid4(), by=plant.by, now=NOW,
    )  # fmt: skip
    services.reverse_transformation(transformation=repacked, reason="错", by=plant.by, now=NOW)

    told = traced(lot_of(plant.organisation, "C"), operator())
    assert ([node.lot for node in told.nodes], told.edges) == (["C"], ())
    assert [step.kind for step in told.steps] == [Kind.GENERATION]


def test_a_code_of_two_organisations_is_asked_back_and_one_of_none_is_not_found(plant, disposer):
    disposer.post("2025-03-06 R1 接收 1 千克 仓 A")
    with pytest.raises(queries.LotAmbiguous) as several:
        queries.lot_coded("A", seen_by=operator(), on=ON)
    assert len(several.value.organisations) == 2
    assert queries.lot_coded("A", seen_by=plant.by, on=ON).organisation == plant.organisation
    assert (
        queries.lot_coded("A", uscc=disposer.organisation.uscc, seen_by=operator(), on=ON).stream.code == "R1"
    )
    disposer.post("2025-03-06 R1 接收 1 千克 仓 别的")
    for code in ("没有", "别的"):
        with pytest.raises(queries.LotNotFound):
            queries.lot_coded(code, seen_by=plant.by, on=ON)


def test_what_one_s_own_waste_became_elsewhere_is_found_and_told_without_its_details(plant, disposer):
    found = queries.lot_coded("R", seen_by=plant.by, on=ON)
    assert found.organisation == disposer.organisation
    text = page(plant.by, code="R").content.decode()
    assert (NUMBER in text, "有 1 个批次属于您无权查看的单位" in text) == (True, True)
    for planted in ("R1", "仓", str(disposer.by), disposer.organisation.uscc):
        assert planted not in text

    told = traced(lot_of(plant.organisation, "A"), disposer.by)
    between = next(edge for edge in told.edges if edge.kind == "MERGE")
    assert (between.mass_g, between.document) == (None, ""), "what A became at the plant is the plant's"


def test_what_was_received_says_under_which_manifest(plant, disposer):
    told = traced(lot_of(disposer.organisation, "R"), operator())
    assert [s.document for s in told.steps if s.kind is Kind.RECEIPT] == [NUMBER]


def test_a_label_s_number_leads_to_the_lot(plant):
    services.describe_container(
        organisation=plant.organisation,
        lot_code="A",
        packaging="DRUM",
        digital_id="9" * 37,
        by=plant.by,
        now=NOW,
    )
    assert queries.lot_coded("9" * 37, seen_by=plant.by, on=ON).code == "A"


def test_however_long_the_way_it_takes_the_same_few_queries(plant, disposer, django_assert_max_num_queries):
    lot = lot_of(plant.organisation, "M")
    previous = "E0"
    plant.post("2025-01-03 F1 产生 100 克 库1 E0")
    for turn in range(1, 31):
        services.transform(
            organisation=plant.organisation, kind=TransformationKind.REPACK, loss=Mass(0), moved_on=DAY,
            inputs=[Input("库1", previous, Mass(100))], outputs=[Output("库1", f"E{turn}", "F1", Mass(100))],
            client_id=uuid.uuid4(), by=plant.by, now=NOW,
        )  # fmt: skip
        previous = f"E{turn}"
    with django_assert_max_num_queries(8):
        assert len(traced(lot, plant.by).nodes) == 4
    with django_assert_max_num_queries(8):
        assert len(traced(lot_of(plant.organisation, "E15"), plant.by).nodes) == 31


def test_the_export_is_epcis_2_0_by_its_published_schema(plant, disposer):
    validator = Draft7Validator(SCHEMA)
    for by in (operator(), plant.by):
        said = epcis_document(traced(lot_of(plant.organisation, "M"), by), created_at=NOW)
        assert [error.message for error in validator.iter_errors(said)] == []
        kinds = [event["type"] for event in said["epcisBody"]["eventList"]]
        assert kinds.count("TransformationEvent") == (2 if by == operator() else 1)
    merged = next(e for e in said["epcisBody"]["eventList"] if e["type"] == "TransformationEvent")
    assert sum(q["quantity"] for q in merged["inputQuantityList"]) == 1_000_000
    assert [q["quantity"] for q in merged["outputQuantityList"]] == [1_000_000]
    made = next(e for e in said["epcisBody"]["eventList"] if e["type"] == "ObjectEvent")
    made["action"] = "没有这个动作"
    assert list(validator.iter_errors(said)), "the schema tells a wrong document from a right one"


# ---- pages ------------------------------------------------------------------------------------------


def page(by, **said):
    client = Client()
    client.force_login(by)
    return client.get("/trace/", said)


def test_the_page_tells_each_step_with_its_person_and_document(plant, disposer):
    text = page(plant.by, code="M").content.decode()

    for words in ("合并", "发运", "委外处置", NUMBER, str(plant.by), "有 1 个批次属于您无权查看的单位"):
        assert words in text
    assert "R1" not in text


def test_the_page_says_what_to_do_where_there_is_no_such_code(plant, disposer):
    disposer.post("2025-03-06 R1 接收 1 千克 仓 别的")
    answer = page(plant.by, code="别的")
    assert answer.status_code == 404
    assert "没有找到这个编码" in answer.content.decode()
    assert page(plant.by).status_code == 200


def test_the_export_is_offered_to_who_sees_the_lot_only(plant, disposer):
    client = Client()
    client.force_login(plant.by)
    answer = client.get("/trace/epcis/", {"code": "M"})
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/ld+json")
    assert disposer.organisation.uscc not in client.get("/trace/epcis/", {"code": "R"}).content.decode()
    assert client.get("/trace/epcis/", {"code": "别的"}).status_code == 404
