"""The ledger over HTTP: what is posted, listed, refused and reversed."""

import json
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.rooms.api.world import generation
from wufei.ledger.kinds import LABELS, Kind
from wufei.ledger.models import Movement
from wufei.ledger.posting import Code
from wufei.ledger.wording import REFUSAL_TEXT


def posted(api: Any, world: Any, *drafts: dict[str, Any]) -> Any:
    return api.post(world.address("/movements"), {"movements": list(drafts)})


def test_a_posted_movement_is_answered_as_it_stands_in_the_ledger(world, officer_api):
    response = posted(officer_api, world, generation("1.25", counterparty="", note="三班", lot="桶-1"))
    assert response.status_code == 201
    [row] = response.json()["movements"]
    stored = Movement.objects.get(organisation=world.mine, seq=row["seq"])
    assert row == {
        "seq": 2, "kind": "GENERATION", "kind_label": "产生", "moved_on": "2025-03-20", "stream": "S1",
        "stream_name": "炉渣（机密企业甲）", "waste_code": stored.stream.waste_code, "store": "库1",
        "lot": "桶-1", "mass_g": 1_250_000, "method": "", "counterparty": "", "handler": "", "note": "三班",
        "client_id": str(stored.client_id), "reverses": None, "reversed_by": None, "reversal_reason": "",
        "posted_at": row["posted_at"], "posted_by": "officer", "previous_hash": stored.previous_hash,
        "chain_hash": stored.chain_hash,
    }  # fmt: skip
    assert row["posted_at"].endswith("+08:00")
    assert officer_api.get(world.address("/movements/2")).json() == row


@pytest.mark.parametrize(
    ("said", "grams"),
    [
        ({"amount": "1", "unit": "克"}, 1),
        ({"amount": "0.5", "unit": "千克"}, 500),
        ({"amount": "1.000001", "unit": "吨"}, 1_000_001),
        ({"amount": "0.0000000001", "unit": "万吨"}, 1),
        ({"mass_g": 7}, 7),
    ],
)
def test_an_amount_is_read_exactly(world, officer_api, said, grams):
    draft = {"kind": "GENERATION", "moved_on": "2025-03-20", "stream": "S1", **said}
    assert posted(officer_api, world, draft).json()["movements"][0]["mass_g"] == grams


@pytest.mark.parametrize(
    ("said", "where", "code"),
    [
        ({"amount": "0.0000001", "unit": "吨"}, "body.movements.0", "amount_too_fine"),
        ({"amount": "1"}, "body.movements.0", "unit_missing"),
        ({}, "body.movements.0", "amount_missing"),
        ({"amount": "1", "unit": "吨", "mass_g": 1}, "body.movements.0", "amount_twice"),
        ({"amount": "1", "unit": "斤"}, "body.movements.0.unit", "enum"),
        ({"amount": "-1", "unit": "吨"}, "body.movements.0.amount", "string_pattern_mismatch"),
        ({"amount": "１", "unit": "吨"}, "body.movements.0.amount", "string_pattern_mismatch"),
        ({"amount": 1.5, "unit": "吨"}, "body.movements.0.amount", "string_type"),
        ({"mass_g": 1.0}, "body.movements.0.mass_g", "int_type"),
        ({"mass_g": 2**63}, "body.movements.0.mass_g", "less_than_equal"),
        ({"mass_g": 1, "note": "a\x00b"}, "body.movements.0.note", "text_not_storable"),
        ({"mass_g": 1, "note": "\ud800"}, "body.movements.0.note", "string_unicode"),
        ({"mass_g": 1, "moved_on": "2025-02-30"}, "body.movements.0.moved_on", "day_impossible"),
        ({"mass_g": 1, "moved_on": "9999-12-31"}, "body.movements.0.moved_on", "day_out_of_range"),
        ({"mass_g": 1, "moved_on": 1_700_000_000}, "body.movements.0.moved_on", "day_malformed"),
        ({"mass_g": 1, "kind": "丢弃"}, "body.movements.0", "kind_unknown"),
        ({"mass_g": 1, "client_id": "x"}, "body.movements.0.client_id", "uuid_parsing"),
        ({"mass_g": 1, "amonut": "1"}, "body.movements.0.amonut", "extra_forbidden"),
    ],
)
def test_what_can_not_be_read_is_named_and_nothing_is_posted(world, officer_api, said, where, code):
    draft = {"kind": "产生", "moved_on": "2025-03-20", "stream": "S1"} | said
    response = officer_api.post(
        world.address("/movements"), json.dumps({"movements": [generation(), draft][1:]})
    )
    told = response.json()
    assert response.status_code == 422, told
    assert (told["code"], [(d["where"], d["code"]) for d in told["details"]]) == (
        "request_malformed", [(where, code)],
    )  # fmt: skip
    assert not told["details"][0]["message"].isascii()  # Chinese
    assert Movement.objects.filter(organisation=world.mine).count() == 1


def test_all_rows_are_posted_or_none_and_each_refusal_is_named_by_its_row(world, officer_api):
    response = posted(
        officer_api, world,
        generation(),
        generation(stream="S9", day="2027-01-01"),
        {"kind": "自行利用", "moved_on": "2025-03-21", "stream": "S1", "amount": "999", "unit": "吨"},
    )  # fmt: skip
    told = response.json()
    assert (response.status_code, told["code"]) == (409, "movements_refused")
    assert told["details"] == [
        {"where": "body.movements.1", "code": code.value, "message": REFUSAL_TEXT[code]}
        for code in (Code.MOVED_ON_IN_FUTURE, Code.STREAM_UNKNOWN)
    ] + [
        {
            "where": "body.movements.2",
            "code": "source_overdrawn",
            "message": REFUSAL_TEXT[Code.SOURCE_OVERDRAWN],
        }
    ]
    assert Movement.objects.filter(organisation=world.mine).count() == 1


def test_a_movement_is_reversed_once_with_its_reason(world, officer_api):
    path = world.address("/movements/1/reverse")
    reversal = officer_api.post(path, {"reason": "重复记账"})
    assert reversal.status_code == 201
    told = reversal.json()
    assert (told["reverses"], told["reversal_reason"], told["store"]) == (1, "重复记账", "库1")
    assert officer_api.get(world.address("/movements/1")).json()["reversed_by"] == told["seq"]
    assert officer_api.get(world.address("/stock")).json()["stock"] == []

    again = officer_api.post(path, {"reason": "重复记账"})
    assert (again.status_code, again.json()["code"]) == (409, "already_reversed")
    assert officer_api.post(world.address("/movements/99/reverse"), {"reason": "x"}).status_code == 404
    empty = officer_api.post(world.address("/movements/2/reverse"), {"reason": " "})
    assert empty.status_code == 409


def test_a_closed_month_takes_nothing_more(world, officer_api):
    closing = officer_api.post(world.address("/close-month"), {"through": "2025-01-31"})
    assert (closing.status_code, closing.json()["closed_through"]) == (201, "2025-01-31")
    refused = posted(officer_api, world, generation(day="2025-01-20"))
    assert [d["code"] for d in refused.json()["details"]] == ["month_closed"]
    for through, code in (
        ("2025-01-31", "already_closed"), ("2025-02-27", "not_a_month_end"), ("2199-12-31", "not_over_yet"),
    ):  # fmt: skip
        response = officer_api.post(world.address("/close-month"), {"through": through})
        assert (response.status_code, response.json()["code"]) == (409, code)


@pytest.fixture
def many(world, officer_api):
    drafts = [
        generation(str(n % 7 + 1), day=f"2025-0{n % 3 + 2}-1{n % 5}", note=f"第{n}车") for n in range(30)
    ]
    drafts += [
        {"kind": "委外利用", "moved_on": "2025-05-02", "stream": "S1", "amount": "3", "unit": "吨",
         "counterparty": "建材厂"},
    ]  # fmt: skip
    assert posted(officer_api, world, *drafts).status_code == 201


def listed(api: Any, world: Any, query: str) -> list[dict[str, Any]]:
    """Walk through all pages."""
    rows, cursor = [], ""
    while True:
        response = api.get(world.address(f"/movements?{query}{cursor}"))
        assert response.status_code == 200, response.content.decode()
        page = response.json()
        rows += page["movements"]
        if page["next"] is None:
            return rows
        cursor = f"&cursor={page['next']}"


@pytest.mark.parametrize("sort", ["seq", "-seq", "moved_on", "-moved_on"])
def test_the_pages_hold_each_movement_once_in_order(world, officer_api, many, sort):
    rows = listed(officer_api, world, f"limit=7&sort={sort}")
    column = sort.removeprefix("-")
    keys = [(row[column], row["seq"]) for row in rows]
    assert len(rows) == 32
    assert keys == sorted(keys, reverse=sort.startswith("-"))
    assert sorted(row["seq"] for row in rows) == list(range(1, 33))


@pytest.mark.parametrize(
    ("query", "holds"),
    [
        ("from=2025-05-01", lambda row: row["moved_on"] >= "2025-05-01"),
        ("to=2025-02-12", lambda row: row["moved_on"] <= "2025-02-12"),
        ("kind=委外利用", lambda row: row["kind"] == "CONTRACTED_UTILISATION"),
        ("kind=GENERATION", lambda row: row["kind"] == "GENERATION"),
        ("stream=S1", lambda row: True),
        ("stream=S2", lambda row: False),
        ("store=库1", lambda row: True),
        ("store=库2", lambda row: False),
        ("lot=桶-1", lambda row: False),
        ("q=建材", lambda row: row["counterparty"] == "建材厂"),
        ("q=第7车", lambda row: row["note"] == "第7车"),
    ],
)
def test_a_filter_leaves_what_fits_and_nothing_else(world, officer_api, many, query, holds):
    everything = listed(officer_api, world, "sort=seq")
    assert listed(officer_api, world, f"sort=seq&{query}") == [row for row in everything if holds(row)]


@pytest.mark.parametrize(
    ("query", "where"),
    [
        ("form=2025-01-01", "query.form"),  # a slip would else list everything
        ("limit=201", "query.limit"),
        ("limit=0", "query.limit"),
        ("kind=x", "query"),
        ("sort=seq&cursor=2025-01-01.3", "query"),
        ("sort=moved_on&cursor=3", "query"),
        ("sort=moved_on&cursor=2025-13-01.3", "query"),
        ("q=%00", "query.q"),
        ("from=20250101", "query.from"),
    ],
)
def test_a_question_that_is_not_understood_is_not_answered_with_everything(world, officer_api, query, where):
    response = officer_api.get(world.address(f"/movements?{query}"))
    assert (response.status_code, response.json()["details"][0]["where"]) == (422, where)


def test_a_list_takes_as_many_queries_for_a_hundred_rows_as_for_one(world, officer_api):
    def queries(path: str) -> int:
        with CaptureQueriesContext(connection) as seen:
            assert officer_api.get(path).status_code == 200
        return len(seen)

    path = world.address("/movements?limit=200")
    officer_api.get(path)
    one = queries(path)
    posted(officer_api, world, *[generation(note=str(n)) for n in range(100)])
    officer_api.post(world.address("/movements/5/reverse"), {"reason": "重复"})
    assert len(officer_api.get(path).json()["movements"]) == 102
    assert queries(path) == one


def test_stock_is_told_for_now_and_for_any_day(world, officer_api, many):
    now = officer_api.get(world.address("/stock")).json()
    assert now["on"] is None
    then = officer_api.get(world.address("/stock?on=2025-01-31")).json()
    assert then["stock"] == [
        {
            "store": "库1", "store_name": "一号库", "stream": "S1", "stream_name": "炉渣（机密企业甲）",
            "waste_code": "900-002-S03", "waste_class": "GENERAL", "lot": None, "mass_g": 5_000_000,
        }
    ]  # fmt: skip
    assert officer_api.get(world.address("/stock?on=1990-01-01")).json()["stock"] == []


def test_a_store_is_declared_then_changed_by_whoever_saw_it_last(world, officer_api):
    path = world.address("/stores/库2")
    made = officer_api.ask("PUT", path, {"name": "二号库", "amount": "500", "unit": "吨"})
    assert made.json() == {
        "code": "库2", "name": "二号库", "store_type": "", "capacity_g": 500_000_000, "version": 1,
    }  # fmt: skip
    changed = officer_api.ask("PUT", path, {"name": "新库", "mass_g": 1, "version": 1})
    assert (changed.status_code, changed.json()["version"]) == (200, 2)
    for body in ({"name": "旧", "version": 1}, {"name": "旧"}):
        stale = officer_api.ask("PUT", path, body)
        assert (stale.status_code, stale.json()["code"]) == (409, "stale_edit")
    assert officer_api.ask("PUT", world.address("/stores/无"), {"name": "x", "version": 1}).status_code == 409
    assert (
        officer_api.ask("PUT", world.address("/stores/a:b"), {"name": "x"}).json()["code"] == "code_reserved"
    )
    assert officer_api.ask("PUT", path, {"name": "x", "mass_g": 0, "version": 2}).status_code == 422
    stores = officer_api.get(world.address("/stores")).json()["stores"]
    assert [(store["code"], store["name"]) for store in stores] == [("库1", "一号库"), ("库2", "新库")]


def test_a_stream_is_declared_with_a_known_waste_code(world, officer_api):
    path = world.address("/streams/S2")
    body = {"name": "废机油", "waste_code": "900-214-08", "process_name": "机加工"}
    made = officer_api.ask("PUT", path, body)
    assert (made.status_code, made.json()["waste_category"], made.json()["waste_class"]) == (
        200, "HW08", "HAZARDOUS",
    )  # fmt: skip
    stale = officer_api.ask("PUT", path, body | {"name": "废油"})
    assert (stale.status_code, stale.json()["code"]) == (409, "stale_edit")
    wrong = officer_api.ask("PUT", world.address("/streams/S3"), body | {"waste_code": "999-999-99"})
    assert (wrong.status_code, wrong.json()["code"]) == (409, "waste_code_unknown")
    assert [s["code"] for s in officer_api.get(world.address("/streams")).json()["streams"]] == ["S1", "S2"]


def test_every_refusal_of_the_ledger_has_words_that_say_what_to_do():
    assert list(REFUSAL_TEXT) == list(Code)
    assert all(text.endswith("。") and "；" in text for text in REFUSAL_TEXT.values())
    assert set(LABELS) == set(Kind)
