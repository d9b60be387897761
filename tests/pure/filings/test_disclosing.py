"""What an enterprise makes public: known, unknown, and what differs since."""

import io

import pypdfium2
import pytest

from wufei.filings.disclosing import (
    AMOUNTS,
    Difference,
    Flow,
    Published,
    Store,
    Waste,
    content,
    differences,
    digest,
    duties,
)
from wufei.filings.disclosure_documents import write_pdf

T = 1_000_000


def waste(stream="油", *, is_known=True, begins_known=True, before=0, after=0) -> Waste:
    return Waste(
        stream=stream, name=f"废{stream}", waste_class="HAZARDOUS" if stream == "油" else "GENERAL",
        waste_code="900-249-08" if stream == "油" else "SW02", waste_category="HW08", stock_before_g=before,
        stock_after_g=after, is_known=is_known, begins_known=begins_known,
    )  # fmt: skip


FLOWS = [
    Flow("油", "GENERATION", "", "", 12 * T), Flow("油", "CONTRACTED_DISPOSAL", "D10", "处置厂", 8 * T),
    Flow("油", "CONTRACTED_DISPOSAL", "D10", "二厂", 3 * T), Flow("油", "OWN_UTILISATION", "R9", "", T),
]  # fmt: skip


def made(wastes=None, flows=FLOWS, *, is_closed=True):
    stores = [Store(code="库1", name="危废库", store_type="", capacity_g=None)]
    return content(
        wastes=wastes or [waste(before=T, after=T)], flows=flows, stores=stores, is_closed=is_closed
    )


def amounts(row) -> list[int | None]:
    return [None if row[key] is None else row[key] // T for key in AMOUNTS]


def test_in_a_closed_year_what_was_not_posted_is_zero_and_in_an_open_one_unknown():
    assert amounts(made()["wastes"][0]) == [1, 12, 0, 1, 0, 0, 11, 1]
    assert amounts(made(is_closed=False)["wastes"][0]) == [1, 12, None, 1, None, None, 11, 1]


def test_a_waste_that_the_ledger_has_never_seen_is_unknown_even_in_a_closed_year():
    said = made([waste("油", after=T), waste("渣", is_known=False, begins_known=False)])
    assert amounts(said["wastes"][1]) == [None] * 8
    assert set(said["totals"]["GENERAL"].values()) == {None}
    assert said["totals"]["HAZARDOUS"]["generated_g"] == 12 * T


def test_stock_when_the_year_began_is_unknown_where_the_ledger_does_not_go_back():
    assert made([waste(begins_known=False, after=T)])["wastes"][0]["stock_before_g"] is None
    opened = made(flows=[*FLOWS, Flow("油", "OPENING_STOCK", "", "", 2 * T)])
    assert opened["wastes"][0]["stock_before_g"] == 3 * T


def test_one_unknown_amount_makes_the_sum_unknown():
    said = made([waste(after=T), waste("油", is_known=False, begins_known=False)], flows=[])
    assert said["totals"]["HAZARDOUS"]["generated_g"] is None


def test_where_it_went_stands_largest_first():
    row = made()["wastes"][0]
    assert [(each["receiver"], each["mass_g"] // T) for each in row["flows"]] == [("处置厂", 8), ("二厂", 3)]
    assert [(each["kind"], each["method"]) for each in row["own"]] == [("OWN_UTILISATION", "R9")]


def test_what_differs_is_named_figure_by_figure():
    now = made(flows=[Flow("油", "GENERATION", "", "", 13 * T), *FLOWS[1:3]], is_closed=False)
    assert differences(made(), made()) == []
    found = {each.what: each for each in differences(made(), now)}
    assert found["产生量"] == Difference("油 废油 900-249-08", "产生量", 12 * T, 13 * T)
    assert (found["接收量"].before, found["接收量"].after) == (0, None)
    assert not found["自行利用 R9"].is_there
    assert digest(made()) != digest(now)


def test_each_duty_says_where_it_is_from_and_the_law_is_not_at_hand():
    confidence = {each.says[:6]: each.confidence for each in duties()}
    assert confidence["固体废物污染"] == "unverified"
    assert all(each.source for each in duties())


@pytest.mark.parametrize("is_closed", [True, False])
def test_the_pdf_says_unknown_and_not_zero(is_closed):
    said = Published(
        uscc="91500110MA5U00001L", name="甲厂", year=2025, number=1, content=made(is_closed=is_closed), sha256="a" * 64,
        reason="", published_at="2026-03-01T10:00:00+08:00", seq=9, chain_hash="b" * 64, algorithm="sm3", daily_root="",
    )  # fmt: skip
    out = io.BytesIO()
    assert write_pdf(out, said) == 3
    pages = [page.get_textpage().get_text_bounded() for page in pypdfium2.PdfDocument(out.getvalue())]
    assert ("未知" in pages[0].split("注1")[0]) is not is_closed
    assert "处置厂" in pages[1]
    assert "未知" in pages[2]  # the store's capacity
