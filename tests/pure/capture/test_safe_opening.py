"""Promise S3: hostile files are refused before they are opened, soon, and in little memory."""

import io
import time
from pathlib import Path

import pytest
from openpyxl import Workbook

from tests.pure.capture.hostile import HOSTILE, honest, with_sheet
from wufei.capture import safe_opening
from wufei.capture.faults import WorkbookRefused
from wufei.capture.safe_opening import FormulaCell, open_safely
from wufei.capture.template import template

MB = 1024 * 1024


def peak_kb() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1])


def refused(content: bytes) -> WorkbookRefused:
    with pytest.raises(WorkbookRefused) as caught:
        open_safely(content)
    return caught.value


def test_there_are_enough_hostile_files():
    assert len(HOSTILE) >= 30


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_soon_in_little_memory_and_in_chinese(name):
    build, code = HOSTILE[name]
    content = build()
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far
    before, began = peak_kb(), time.perf_counter()

    refusal = refused(content)

    assert time.perf_counter() - began <= 1
    assert peak_kb() - before <= 100 * 1024
    assert refusal.code == code
    assert any("一" <= c <= "鿿" for c in refusal.message)
    assert refusal.message.endswith("。")


def test_honest_workbooks_are_let_through():
    assert open_safely(honest()).sheet_names == ("台账",)
    assert len(open_safely(template()).sheet_names) == 7


def test_a_hyperlink_in_a_cell_is_no_external_link():
    workbook = Workbook()
    workbook.active["A1"] = "网址"
    workbook.active["A1"].hyperlink = "https://example.com"
    stream = io.BytesIO()
    workbook.save(stream)

    assert open_safely(stream.getvalue()).sheet_names == ("Sheet",)


def test_formulas_are_found_where_they_stand():
    sheet = with_sheet(
        b'<row r="2"><c r="B2"><f>1+1</f><v>2</v></c><c r="C2"><v>1</v></c></row>'
        b'<row r="4"><c r="A4"><f t="array" ref="A4:A5">B1:B2</f></c></row>'
        b'<row r="5"><c r="A5"><v>1</v></c><c><f>2</f></c></row>'
    )

    assert open_safely(sheet).formulas == {
        "台账": (FormulaCell(2, 1), FormulaCell(4, 0), FormulaCell(5, 0), FormulaCell(5, 1))
    }


def test_a_prefix_does_not_hide_a_cell():
    assert refused(with_sheet(b'<x:row xmlns:x="u" r="1"><x:c r="XFD1"/></x:row>')).code == "too_many_columns"


def test_a_file_too_large_is_not_even_read(tmp_path, monkeypatch):
    path = tmp_path / "huge.xlsx"
    with path.open("wb") as file:
        file.truncate(safe_opening.MAX_FILE_BYTES + 1)
    monkeypatch.setattr(Path, "read_bytes", lambda self: pytest.fail("was read"))

    with pytest.raises(WorkbookRefused) as caught:
        safe_opening.read_file(path)

    assert caught.value.code == "file_too_large"


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    for path in (tmp_path / "none.xlsx", tmp_path):
        with pytest.raises(WorkbookRefused) as caught:
            safe_opening.read_file(path)
        assert caught.value.code == "file_missing"


@pytest.mark.parametrize(
    ("limit", "control"),
    [("MAX_RATIO", "bomb of blanks"), ("MAX_ROWS", "a million rows"), ("MAX_ELEMENT_DEPTH", "depth")],
)
def test_control_without_its_limit_the_file_is_not_caught_by_it(monkeypatch, limit, control):
    """The control: with the limit taken away, that refusal no longer comes."""
    build, code = HOSTILE[control]
    monkeypatch.setattr(safe_opening, limit, 10**9)
    monkeypatch.setattr(safe_opening, "MAX_CELLS", 10**9)
    content = build()

    assert code_of(content) != code


def code_of(content: bytes) -> str | None:
    try:
        open_safely(content)
    except WorkbookRefused as refusal:
        return refusal.code
    return None
