"""`wufei ledger-book` and `wufei stock`: every key that the issue names, and what is refused."""

from datetime import datetime

import openpyxl
import pypdfium2
import pytest

from wufei.ledger import book_exports
from wufei.ledger.books.layouts import LAYOUTS
from wufei.terms.day import SHANGHAI


@pytest.fixture
def uscc(ledger):
    ledger.stores(库1=None)
    ledger.streams("渣")
    ledger.streams("油", waste_code="900-249-08")
    ledger.post("2025-01-10 渣 产生 30 吨 库1 -", "2025-02-10 渣 委外利用 10 吨 库1 -")
    ledger.post("2025-03-01 油 产生 0.25 吨 库1 桶1")
    return ledger.organisation.uscc


def book(wufei, uscc, out, form="hw-1", *more):
    return wufei(
        "ledger-book", uscc, "--form", form, "--from", "2025-01-01", "--to", "2025-12-31", "--out", out, *more
    )


@pytest.mark.parametrize("form", list(LAYOUTS))
@pytest.mark.parametrize("ending", ["xlsx", "pdf"])
def test_every_form_is_written_in_both_ways(wufei, uscc, tmp_path, form, ending):
    out = tmp_path / f"book.{ending}"
    got = book(wufei, uscc, out, form, "--json")

    assert (got.code, got.err) == (0, "")
    assert (got.json["form"], got.json["organisation"], got.json["from"], got.json["to"], got.json["file"]) == (
        form, uscc, "2025-01-01", "2025-12-31", str(out),
    )  # fmt: skip
    assert got.json["is_verified"] is form.startswith("hw-")
    if ending == "xlsx":
        assert LAYOUTS[form].title in openpyxl.load_workbook(out).worksheets[0]["A1"].value
    else:
        assert len(pypdfium2.PdfDocument(out)) >= 1


def test_it_says_how_many_rows_their_sums_and_what_is_missing(wufei, uscc, tmp_path):
    got = book(wufei, uscc, tmp_path / "b.xlsx", "hw-1", "--json")

    assert (got.json["rows"], got.json["totals"]) == (1, {"mass": "0.250000"})
    assert {each["column"]: each["rows"] for each in got.json["missing"]} == {
        "container_code": 1, "packaging": 1, "container_count": 1, "handler": 1,
    }  # fmt: skip
    plain = book(wufei, uscc, tmp_path / "b.xlsx")
    assert plain.code == 0
    assert "表B.1" in plain.out
    assert "产生部门经办人：1 行空白" in plain.out


@pytest.mark.parametrize(
    ("said", "code", "why"),
    [
        (("91110000600037341L", "--form", "hw-1", "--from", "2025-01-01", "--to", "2025-12-31", "--out", "b.xlsx"), 1,
         "没有统一社会信用代码"),
        (("USCC", "--form", "hw-9", "--from", "2025-01-01", "--to", "2025-12-31", "--out", "b.xlsx"), 2, "hw-9"),
        (("USCC", "--form", "hw-1", "--from", "2025-12-31", "--to", "2025-01-01", "--out", "b.xlsx"), 2, "晚于"),
        (("USCC", "--form", "hw-1", "--from", "2025-02-30", "--to", "2025-12-31", "--out", "b.xlsx"), 2, "2025-02-30"),
        (("USCC", "--form", "hw-1", "--from", "2025-01-01", "--to", "2025-12-31", "--out", "b.docx"), 2, ".pdf"),
        (("USCC", "--form", "hw-1", "--from", "2025-01-01", "--to", "2025-12-31", "--out", "no/b.xlsx"), 1, "不能写到"),
    ],
)  # fmt: skip
def test_what_makes_no_book(wufei, uscc, tmp_path, monkeypatch, said, code, why):
    monkeypatch.chdir(tmp_path)
    got = wufei("ledger-book", *(uscc if each == "USCC" else each for each in said))

    assert got.code == code
    assert why in got.err
    assert list(tmp_path.iterdir()) == []


def test_a_period_too_long_for_one_file_is_refused_before_one_is_made(wufei, uscc, tmp_path, monkeypatch):
    monkeypatch.setitem(book_exports.MOST_LINES, "pdf", 0)
    got = book(wufei, uscc, tmp_path / "b.pdf")

    assert got.code == 1
    assert "请缩短期间" in got.err
    assert list(tmp_path.iterdir()) == []


def test_the_stock_of_now_and_of_a_past_moment(wufei, uscc):
    now, before = wufei("stock", uscc, "--json"), wufei("stock", uscc, "--at", "2025-02-01T12:00", "--json")

    assert now.code == 0
    assert now.json == [
        {"place": "库1", "stream": "油", "lot": "桶1", "mass_g": 250_000, "since": "2025-03-01"},
        {"place": "库1", "stream": "渣", "lot": "散堆-渣", "mass_g": 20_000_000, "since": "2025-01-10"},
    ]
    assert [(row["lot"], row["mass_g"]) for row in before.json] == [("散堆-渣", 30_000_000)]
    assert "散堆-渣" in wufei("stock", uscc).out


def test_a_day_is_its_end_and_an_instant_may_name_its_zone(wufei, uscc):
    def held(at: str) -> list[str]:
        return [row["lot"] for row in wufei("stock", uscc, "--at", at, "--json").json]

    assert held("2025-03-01") == ["桶1", "散堆-渣"]
    assert held("2025-02-28") == ["散堆-渣"]
    assert held("2025-03-01T15:59:59+00:00") == ["散堆-渣"]
    assert held("2025-03-01T16:00:00+00:00") == ["桶1", "散堆-渣"]  # the next day in China
    assert held(datetime(2025, 1, 9, tzinfo=SHANGHAI).isoformat()) == []


def test_a_stock_that_cannot_be_asked_for(wufei, uscc):
    unknown, garbled = wufei("stock", "91110000600037341L"), wufei("stock", uscc, "--at", "昨天")

    assert (unknown.code, garbled.code) == (1, 2)
    assert "没有统一社会信用代码" in unknown.err
    assert "2026-06-30T12:00" in garbled.err
    assert wufei("stock", uscc, "--at", "2020-01-01", "--json").json == []
