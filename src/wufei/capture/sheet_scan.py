"""
What stands in a part of XML, read in small pieces?

Declarations and absurd depth are refused; of a sheet its rows, columns and cells are counted, and the
cells that hold formulas are remembered.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from xml.parsers import expat

from wufei.capture.faults import WorkbookRefused
from wufei.capture.layout import MAX_COLUMNS, MAX_ROWS

MAX_CELLS = 4_000_000  # of all sheets
MAX_FORMULAS = 2_000  # remembered; a person mends those first
MAX_ELEMENT_DEPTH = 60
CHUNK = 256 * 1024

RESAVE = "请用 Excel 或 WPS 打开后另存为“Excel 工作簿（.xlsx）”，再重新提交。"
DAMAGED = f"文件不完整或已损坏；{RESAVE}"
_REF = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
_ROWS_BEGIN = b"<sheetData>"
_ROW_BEGINS = b'<row r="'
# A row as Excel, WPS and the libraries write it: nothing but cells of this row with a value or an inline string.
_ATTRIBUTES = rb'(?: (?!r=)[A-Za-z:0-9]++="[^<>&"\x00-\x1f]*+")*+'
_TEXT = rb"[^<&\x00-\x08\x0b\x0c\x0e-\x1f]*+(?:&(?:amp|lt|gt|quot|apos|#[0-9]{1,7}|#x[0-9A-Fa-f]{1,6});[^<&\x00-\x08\x0b\x0c\x0e-\x1f]*+)*+"
_PLAIN_ROW = re.compile(
    rb'<row r="([1-9][0-9]{0,6})"' + _ATTRIBUTES + rb" ?(?:/>|>(?:"
    rb'<c r="(?:[A-Z]|A[A-Z]|B[A-H])\1"' + _ATTRIBUTES + rb" ?(?:/>|>(?:"
    rb"<v>" + _TEXT + rb"</v>|<is><t" + _ATTRIBUTES + rb">" + _TEXT + rb"</t></is>|<v ?/>)?+</c>)"
    rb")*+</row>)"
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class FormulaCell:
    row: int  # as Excel counts, from 1
    column: int  # from 0


@dataclass(slots=True)
class Budget:
    """What may still be unpacked, of all parts together."""

    unpacked: int = 0
    cells: int = 0


def local_name(name: str) -> str:
    return name.rsplit("}", 1)[-1].rsplit(":", 1)[-1]


def check_declarations(piece: bytes) -> None:
    """UTF-16 would hide everything from the checks; a DOCTYPE brings entities."""
    if piece.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\x00" in piece[:64]:
        raise WorkbookRefused("not_plain", f"文件内部的编码不常见（应为 UTF-8），不能读取；{RESAVE}")
    if b"<!DOCTYPE" in piece or b"<!ENTITY" in piece:
        _refuse_declarations()


class Watch:
    """Read XML in pieces with expat, and refuse declarations and absurd depth."""

    def __init__(self) -> None:
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self.on_start
        self.parser.EndElementHandler = self.on_end
        self.parser.StartDoctypeDeclHandler = self.on_doctype
        self.parser.XmlDeclHandler = self.on_declaration
        self.depth = 0

    def read(self, pieces: Iterator[bytes]) -> None:
        for index, piece in enumerate(pieces):
            if index == 0:
                check_declarations(piece[:4096])
            self.parser.Parse(piece)
        self.parser.Parse(b"", True)

    def on_start(self, name: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        if self.depth > MAX_ELEMENT_DEPTH:
            raise WorkbookRefused("too_deep", f"文件内部嵌套过深，可能是恶意文件；{RESAVE}")

    def on_end(self, name: str) -> None:
        self.depth -= 1

    def on_doctype(self, *_: object) -> None:
        _refuse_declarations()

    def on_declaration(self, version: str, encoding: str | None, standalone: int) -> None:
        if encoding is not None and encoding.casefold() not in ("utf-8", "us-ascii"):
            raise WorkbookRefused("not_plain", f"文件内部的编码不常见（应为 UTF-8），不能读取；{RESAVE}")


class SheetScan(Watch):
    """Count rows, columns and cells of a sheet, and remember where formulas stand."""

    def __init__(self, budget: Budget) -> None:
        super().__init__()
        # A million cells pass here: attributes come as a list, and ends are only counted.
        self.ends: list[str] = []
        self.parser.EndElementHandler = self.ends.append
        self.parser.ordered_attributes = True
        self.budget = budget
        self.row = 0
        self.row_text = "0"
        self.column = -1
        self.formulas: list[FormulaCell] = []

    def read(self, pieces: Iterator[bytes]) -> None:
        super().read(self._counted(self._without_plain_rows(pieces)))

    def _without_plain_rows(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """
        Look at plain rows here, at four times the parser's speed, and leave to it all the rest.

        From the first row on that is not plain (a formula, rich text, a comment) the parser reads on.
        """
        waiting, in_rows, is_over = b"", False, False
        for piece in pieces:
            if is_over:
                yield piece
                continue
            waiting += piece
            if not in_rows:
                head, mark, rest = waiting.partition(_ROWS_BEGIN)
                if not mark and len(head) <= len(_ROWS_BEGIN):
                    continue
                in_rows, waiting = bool(mark), rest if mark else head[-len(_ROWS_BEGIN) :]
                yield head + mark if mark else head[: -len(_ROWS_BEGIN)]
            if in_rows:
                waiting = waiting[self._plain_rows(waiting) :]
                # What is left is the beginning of a plain row, or something else.
                may_be_plain = waiting[: len(_ROW_BEGINS)] == _ROW_BEGINS[: len(waiting)]
                is_over = not may_be_plain or b"</row>" in waiting or len(waiting) > CHUNK
                if is_over:
                    yield waiting
        if not is_over:
            yield waiting

    def _plain_rows(self, text: bytes) -> int:
        """Count the plain rows that the text begins with, and return where they end."""
        at = 0
        match = _PLAIN_ROW.match
        while (found := match(text, at)) is not None:
            self._row(found[1].decode())
            at = found.end()
        self.budget.cells += text.count(b"<c ", 0, at)
        self._check_number_of_cells()
        return at

    def _check_number_of_cells(self) -> None:
        if self.budget.cells > MAX_CELLS:
            message = "单元格过多；请按年份拆成几个工作簿，并删去模板以外的列。"
            raise WorkbookRefused("too_many_cells", message)

    def _counted(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """Look at depth and number of cells between two pieces."""
        for piece in pieces:
            yield piece
            self.depth -= len(self.ends)
            self.ends.clear()
            if self.depth > MAX_ELEMENT_DEPTH:
                raise WorkbookRefused("too_deep", f"文件内部嵌套过深，可能是恶意文件；{RESAVE}")
            self._check_number_of_cells()

    def on_start(self, name: str, attributes: list[str]) -> None:  # type: ignore[override]  # ordered_attributes
        self.depth += 1
        if name == "c":
            self.budget.cells += 1
            if attributes and attributes[0] == "r":
                said = attributes[1]
            else:
                said = _attribute(attributes, "r")
            if said:
                column = _COLUMNS.get(said.removesuffix(self.row_text))
                if column is None:
                    self._odd_cell(said)
                else:
                    self.column = column
            else:
                self.column += 1
                if self.column >= MAX_COLUMNS:
                    _refuse_columns()
        elif name == "f":
            self._formula(attributes)
        elif name == "row":
            self._row(_attribute(attributes, "r"))
        elif ":" in name:
            self.depth -= 1
            self.on_start(local_name(name), attributes)

    def _odd_cell(self, said: str) -> None:
        matched = _REF.fullmatch(said)
        if matched is None or matched[2] != self.row_text:
            raise WorkbookRefused("damaged", DAMAGED)
        _refuse_columns()

    def _row(self, said: str) -> None:
        if said and not (said.isascii() and said.isdecimal()):
            raise WorkbookRefused("damaged", DAMAGED)
        row = int(said[:9]) if said else self.row + 1
        if row <= self.row:
            raise WorkbookRefused("damaged", DAMAGED)
        self.row, self.row_text, self.column = row, str(row), -1
        if row > MAX_ROWS + 1:
            message = f"工作表超过 {MAX_ROWS:,} 行；请按年份拆成几个工作簿，并删去末尾的空行。"
            raise WorkbookRefused("too_many_rows", message)

    def _formula(self, attributes: list[str]) -> None:
        if len(self.formulas) >= MAX_FORMULAS:
            return
        self.formulas.append(FormulaCell(self.row, self.column))
        if _attribute(attributes, "t") in ("array", "dataTable"):
            self.formulas.extend(_covered(_attribute(attributes, "ref"), self.formulas[-1]))


def _attribute(attributes: list[str], name: str) -> str:
    """Return an attribute of the flat list [name, value, name, value, ...]; "" where it is not there."""
    for at in range(0, len(attributes), 2):
        if attributes[at] == name:
            return attributes[at + 1]
    return ""


def _covered(reference: str, first: FormulaCell) -> list[FormulaCell]:
    """Return the other cells that an array formula fills: A1:A9."""
    corners = [_REF.fullmatch(part) for part in reference.split(":")]
    if len(corners) != 2 or corners[0] is None or corners[1] is None:
        return []
    rows = range(int(corners[0][2]), min(int(corners[1][2]), int(corners[0][2]) + MAX_FORMULAS) + 1)
    columns = range(column_number(corners[0][1]), min(column_number(corners[1][1]), MAX_COLUMNS) + 1)
    cells = (FormulaCell(row, column) for row in rows for column in columns)
    return [cell for _, cell in zip(range(MAX_FORMULAS), cells, strict=False) if cell != first]


def column_number(letters: str) -> int:
    """
    Return a column's number from 0.

    >>> column_number("A"), column_number("AA")
    (0, 26)
    """
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


_COLUMNS = {
    letters: column_number(letters)
    for letters in (
        *map(chr, range(65, 91)), *(a + b for a in "AB" for b in map(chr, range(65, 91))),
    )
    if column_number(letters) < MAX_COLUMNS
}  # fmt: skip


def _refuse_columns() -> None:
    raise WorkbookRefused("too_many_columns", f"工作表超过 {MAX_COLUMNS} 列；请删去模板以外的列。")


def _refuse_declarations() -> None:
    raise WorkbookRefused("declarations", f"文件内部含有 DOCTYPE 或实体声明，可能是恶意文件；{RESAVE}")
