"""Promise S3: hostile files are refused before they are opened, soon, and in little memory."""

import io
import time
from pathlib import Path

import pytest
from openpyxl import Workbook

from tests.pure.capture.hostile import HOSTILE, honest, with_sheet
from wufei.capture import safe_opening, sheet_scan
from wufei.capture.faults import WorkbookRefused
from wufei.capture.safe_opening import open_safely
from wufei.capture.sheet_scan import FormulaCell
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
    before, began = peak_kb(), time.process_time()

    refusal = refused(content)

    assert time.process_time() - began <= 1  # of CPU: on a busy machine the clock says nothing
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
    ("module", "limit", "control"),
    [
        (safe_opening, "MAX_RATIO", "bomb of blanks"),
        (sheet_scan, "MAX_ROWS", "a million rows"),
        (sheet_scan, "MAX_ELEMENT_DEPTH", "depth"),
    ],
)
def test_control_without_its_limit_the_file_is_not_caught_by_it(monkeypatch, module, limit, control):
    """The control: with the limit taken away, that refusal no longer comes."""
    build, code = HOSTILE[control]
    monkeypatch.setattr(module, limit, 10**9)
    monkeypatch.setattr(sheet_scan, "MAX_CELLS", 10**9)
    content = build()

    assert code_of(content) != code


def code_of(content: bytes) -> str | None:
    try:
        open_safely(content)
    except WorkbookRefused as refusal:
        return refusal.code
    return None


# --- plain rows are looked at by themselves; the parser must have come to the same

PLAIN = (
    b'<row r="1"><c r="A1" t="s"><v>0</v></c></row><row r="2" spans="1:2"><c r="A2"/><c r="B2" s="1" /></row>'
)
SHEETS = {
    "plain": PLAIN,
    "a formula in the third row": PLAIN + b'<row r="3"><c r="A3"><f>1+1</f><v>2</v></c></row>',
    "a formula, then a plain row": b'<row r="1"><c r="B1"><f>1</f></c></row><row r="2"><c r="A2"/></row>',
    "an inline string": b'<row r="1"><c r="A1" t="inlineStr"><is><t xml:space="preserve"> a &amp; b</t></is></c></row>',
    "rich text": b'<row r="1"><c r="A1" t="inlineStr"><is><r><t>a</t></r></is></c></row>',
    "rows out of order": b'<row r="2"><c r="A2"/></row><row r="1"><c r="A1"/></row>',
    "a row twice": PLAIN + b'<row r="2"/>',
    "the cell of another row": PLAIN + b'<row r="3"><c r="A9999999"/></row>',
    "too many columns": b'<row r="1"><c r="BI1"/></row>',
    "a row too far": b'<row r="300002"><c r="A300002"/></row>',
    "row nought": b'<row r="0"><c r="A0"/></row>',
    "a row without its number": PLAIN + b'<row><c r="A3"/></row>',
    "a cell without its place": PLAIN + b'<row r="3"><c><v>1</v></c><c/></row>',
    "its place said twice": PLAIN + b'<row r="3" r="4"><c r="A3" r="B3"/></row>',
    "single quotes": PLAIN + b"<row r='3'><c r='A3'/></row>",
    "an unknown entity": PLAIN + b'<row r="3"><c r="A3"><v>&bomb;</v></c></row>',
    "a comment": PLAIN + b'<!-- <row r="3"> --><row r="4"><c r="A4"><f>1</f></c></row>',
    "a prefix": PLAIN + b'<x:row xmlns:x="u" r="3"><x:c r="A3"><x:f>1</x:f></x:c></x:row>',
    "never closed": PLAIN + b'<row r="3"><c r="A3">',
    "closed in the wrong order": PLAIN + b'<row r="3"><c r="A3"></row></c>',
    "rows within rows": PLAIN + b'<row r="3"><row r="4"/></row>',
    "white space between": b'\n <row r="1">\n  <c r="A1"><v>1</v></c>\n </row>\n',
    "an old mark of control": PLAIN + b'<row r="3"><c r="A3"><v>\x01</v></c></row>',
    "many rows": b"".join(
        b'<row r="%d"><c r="A%d"><v>%d</v></c></row>' % (n, n, n) for n in range(1, 20_001)
    ),
    "many rows and a formula": b"".join(b'<row r="%d"><c r="A%d"/></row>' % (n, n) for n in range(1, 20_001))
    + b'<row r="20001"><c r="B20001"><f>1</f></c></row>',
}


def outcome(content: bytes) -> object:
    try:
        return open_safely(content).formulas
    except WorkbookRefused as refusal:
        return refusal.code


@pytest.mark.parametrize("name", SHEETS)
@pytest.mark.parametrize("chunk", [7, 100, 4096, sheet_scan.CHUNK])
def test_plain_rows_are_judged_as_the_parser_would(monkeypatch, name, chunk):
    if chunk < 4096 and len(SHEETS[name]) > 10_000:
        chunk = 4096
    content = with_sheet(SHEETS[name])
    monkeypatch.setattr(safe_opening, "CHUNK", chunk)

    quick = outcome(content)
    monkeypatch.setattr(sheet_scan.SheetScan, "_without_plain_rows", lambda self, pieces: pieces)

    assert quick == outcome(content)


def test_plain_rows_and_cells_are_counted(monkeypatch):
    content = with_sheet(SHEETS["many rows"])
    monkeypatch.setattr(sheet_scan, "MAX_CELLS", 20_000)
    assert outcome(content) == {}
    monkeypatch.setattr(sheet_scan, "MAX_CELLS", 19_999)
    assert outcome(content) == "too_many_cells"
