"""The official ledgers and the stock of a moment over the API."""

import pytest

from tests.tables import LedgerTable
from wufei.registry.services import operator


@pytest.fixture
def booked(world, now):
    table = LedgerTable(organisation=world.mine, by=operator(), now=now)
    table.stores(库8=None)
    table.streams("油", waste_code="900-249-08")
    table.post("2025-03-01 油 产生 0.25 吨 库8 桶1", "2025-03-02 油 产生 1 吨 库8 桶2", handler="张三")
    table.post("2025-03-09 油 委外处置 0.25 吨 库8 桶1", counterparty="处置厂")
    return world


def test_a_table_is_read_a_page_at_a_time_with_its_sums(booked, officer_api):
    got = officer_api.get(booked.address("/books/hw-1?from=2025-01-01&to=2025-12-31&offset=1&limit=1")).json()

    assert (got["form"], got["records"], got["totals"]["mass"], got["is_verified"]) == (
        "hw-1",
        2,
        "1.250000",
        True,
    )
    [row] = got["rows"]
    assert (row["number"], row["code"], row["mass"], row["generated_on"]) == (
        2, "HWCS20250302001", "1.000000", "2025-03-02",
    )  # fmt: skip
    assert row["packaging"] is None
    assert list(got["columns"])[:3] == ["number", "code", "generated_on"]
    assert {each["column"] for each in got["missing"]} == {"container_code", "packaging", "container_count"}


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("hw-1?from=2025-12-31&to=2025-01-01", 422), ("hw-9?from=2025-01-01&to=2025-12-31", 422),
        ("hw-1?from=2025-01-01", 422), ("hw-1?from=2025-02-30&to=2025-12-31", 422),
    ],
)  # fmt: skip
def test_what_makes_no_table(booked, officer_api, query, code):
    assert officer_api.get(booked.address(f"/books/{query}")).status_code == code


def test_the_stock_of_now_and_of_a_moment(booked, officer_api):
    now = officer_api.get(booked.address("/inventory")).json()
    then = officer_api.get(booked.address("/inventory?at=2025-03-02T08:00:00%2B08:00")).json()

    assert {"place": "库8", "stream": "油", "lot": "桶2", "mass_g": 1_000_000, "since": "2025-03-02"} in now[
        "stock"
    ]
    assert [row["lot"] for row in then["stock"] if row["place"] == "库8"] == ["桶1"]


def test_a_moment_without_a_zone_is_refused(booked, officer_api):
    answer = officer_api.get(booked.address("/inventory?at=2025-03-02T08:00:00"))

    assert answer.status_code == 422
    assert "时区" in answer.content.decode()
