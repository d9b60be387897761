"""`wufei plan`: a year's management plan as a file, and what is refused."""

import json

import openpyxl
import pypdfium2
import pytest

from tests.rooms.filings.test_plans import complete
from wufei.filings import services


@pytest.fixture
def started(ledger, organisation, officer, now):
    ledger.stores(库1=None)
    ledger.streams("油", waste_code="900-249-08")
    ledger.post("2025-02-01 油 产生 12 吨 库1 -")
    said = {"organisation": organisation, "year": 2026, "by": officer, "now": now}
    return said, services.start_draft(**said)


def plan(wufei, uscc, out, *more, year="2026"):
    return wufei("plan", uscc, "--year", year, "--out", out, *more)


def test_a_draft_is_written_and_says_that_it_is_one(wufei, started, organisation, tmp_path):
    got = plan(wufei, organisation.uscc, tmp_path / "a.json")

    assert (got.code, got.err) == (0, "")
    assert "草稿，未备案" in got.out
    said = json.loads((tmp_path / "a.json").read_text())
    assert (said["year"], said["number"], said["organisation"]["uscc"]) == (2026, None, organisation.uscc)


def test_what_was_filed_is_written_in_each_way(wufei, started, organisation, tmp_path):
    said, draft = started
    content = complete(draft.content) | {
        "generation": [{**draft.content["generation"][0], "harmful": "石油类", "form": "液态"}]
    }
    saved = services.save_draft(version=draft.version, content=content, **said)
    made = services.file_plan(version=saved.version, **said)

    for ending in ("xlsx", "pdf", "json"):
        got = plan(wufei, organisation.uscc, tmp_path / f"a.{ending}", "--number", "1")
        assert (got.code, got.err) == (0, "")
        assert "第 1 版" in got.out
    assert json.loads((tmp_path / "a.json").read_text())["sha256"] == made.sha256
    got = plan(wufei, organisation.uscc, tmp_path / "b.pdf", "--json")
    assert got.json == {
        "organisation": organisation.uscc, "year": 2026, "number": 1, "sha256": made.sha256,
        "file": str(tmp_path / "b.pdf"),
    }  # fmt: skip
    assert "表A.3" in openpyxl.load_workbook(tmp_path / "a.xlsx").sheetnames
    assert len(pypdfium2.PdfDocument(tmp_path / "a.pdf")) == 6


@pytest.mark.parametrize(
    ("uscc", "year", "name", "more", "code", "words"),
    [
        ("91500110MA5U99999X", "2026", "a.pdf", (), 1, "请核对代码"),
        (None, "2025", "a.pdf", (), 1, "没有管理计划"),
        (None, "2026", "a.pdf", ("--number", "1"), 1, "没有第 1 版管理计划"),
        (None, "2026", "a.txt", (), 2, ".xlsx"),
        (None, "二六", "a.pdf", (), 2, "year"),
    ],
)
def test_what_is_refused_says_why_and_writes_nothing(
    wufei, started, organisation, tmp_path, uscc, year, name, more, code, words
):
    got = plan(wufei, uscc or organisation.uscc, tmp_path / name, *more, year=year)

    assert got.code == code
    assert words in got.err
    assert not (tmp_path / name).exists()
