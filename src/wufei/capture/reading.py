"""What do the sheets say? Rows with typed values, every fault named by sheet, row and column."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from io import BytesIO
from typing import Any, cast

from python_calamine import CalamineError, CalamineWorkbook

from wufei.capture import cells
from wufei.capture.cells import CellFault, Raw
from wufei.capture.faults import Fault, WorkbookRefused
from wufei.capture.layout import (
    EXAMPLE_MARK,
    LEDGER,
    ORGANISATION,
    REJECT_COLUMN,
    SHEET_BY_NAME,
    CellKind,
    Column,
    Sheet,
    example_row,
    plain_name,
)
from wufei.capture.safe_opening import SafeWorkbook

Progress = Callable[[str, int, int], None]  # phase, done, total

_DECIMAL_PLACES = 6
_BELOW = Decimal(10) ** 12
_LIKE_NUMBERS = (bool, int, float)
_EXAMPLE_HEAD = "".join(cells.half_width(EXAMPLE_MARK).split())


@dataclass(slots=True)
class Findings:
    """What is gathered while reading: every fault, and every notice once with its count."""

    faults: list[Fault] = field(default_factory=list)
    bad_rows: dict[str, set[int]] = field(default_factory=dict)
    _notices: Counter[str] = field(default_factory=Counter)

    def fault(self, sheet: str, row: int | None, column: str | None, code: str, message: str) -> None:
        self.faults.append(Fault(sheet, row, column, code, message))
        if row is not None:
            self.bad_rows.setdefault(sheet, set()).add(row)

    def notice(self, text: str) -> None:
        self._notices[text] += 1

    @property
    def notices(self) -> list[str]:
        return [text if n == 1 else f"{text}（共 {n} 处）" for text, n in self._notices.items()]


@dataclass(slots=True)
class Table:
    """A sheet as it stands: where its columns are, and its rows that are not empty."""

    sheet: Sheet
    places: dict[str, int]  # column -> index in a row
    rows: list[tuple[int, list[Raw]]]  # Excel's row number, cells
    formulas: set[tuple[int, str]] = field(default_factory=set)  # row and column: reported already
    has_sound_header: bool = True  # no required column is missing, none is there twice


@dataclass(slots=True)
class TypedRow:
    number: int
    values: dict[str, Any]  # None where the cell is empty or at fault
    is_sound: bool


@dataclass(slots=True)
class TypedColumns:
    """The same by columns, for a sheet of a hundred thousand rows."""

    numbers: list[int]  # Excel's row numbers
    values: dict[str, list[Any]] = field(default_factory=dict)  # None where the cell is empty or at fault
    faulty: dict[str, set[int]] = field(default_factory=dict)  # column -> numbers of the rows at fault there

    def of(self, column: str) -> list[Any]:
        """Return the column's values; all None where the sheet doesn't have the column."""
        return self.values.get(column) or [None] * len(self.numbers)


def read_tables(safe: SafeWorkbook, findings: Findings) -> dict[str, Table]:
    """
    Return the sheets that the layout knows, by name.

    :raises WorkbookRefused: if the file can't be read as a workbook
    """
    tables: dict[str, Table] = {}
    rows_of = _rows(safe)
    for name in safe.sheet_names:
        sheet = SHEET_BY_NAME.get(plain_name(name))
        if sheet is None:
            findings.notice(f"工作表“{name}”不在模板中，已忽略。")
        elif sheet.name in tables:
            findings.notice(f"工作表“{name}”与另一张同名，已忽略。")
        else:
            tables[sheet.name] = _table(sheet, rows_of.pop(name), findings)
            _report_formulas(tables[sheet.name], safe, name, findings)
    if ORGANISATION.name not in tables:
        message = "缺少工作表“单位信息”；请用 wufei template 生成的模板填写，工作表名称不要改动。"
        findings.fault(ORGANISATION.name, None, None, "sheet_missing", message)
    return tables


def _rows(safe: SafeWorkbook) -> dict[str, list[list[Raw]]]:
    """Return the cells of the sheets that the layout knows."""
    refused = WorkbookRefused("damaged", "工作簿读不出来；请用 Excel 或 WPS 另存为 .xlsx 后再提交。")
    try:
        with CalamineWorkbook.from_object(BytesIO(safe.content)) as workbook:
            return {
                name: cast(
                    "list[list[Raw]]", workbook.get_sheet_by_name(name).to_python(skip_empty_area=False)
                )
                for name in safe.sheet_names
                if plain_name(name) in SHEET_BY_NAME
            }
    except CalamineError as error:
        raise refused from error
    except BaseException as error:
        # A panic in calamine's Rust is no Exception; it means that the file is broken.
        if type(error).__name__ != "PanicException":
            raise
        raise refused from None


def _table(sheet: Sheet, rows: list[list[Raw]], findings: Findings) -> Table:
    """Find the header, the first row that is not empty, and leave out empty and example rows."""
    filled = ((number, row) for number, row in enumerate(rows, start=1) if not _is_blank_row(row))
    header_number, header = next(filled, (1, []))
    places: dict[str, int] = {}
    table = Table(sheet, places, [])
    for index, title in enumerate(header):
        name = plain_name(str(title))
        column = next((c for c in sheet.columns if plain_name(c.name) == name), None)
        if column is None:
            if name and name != REJECT_COLUMN:
                findings.notice(f"“{sheet.name}”的列“{title}”不在模板中，已忽略。")
        elif column.name in places:
            message = f"列“{column.name}”出现了两次；请删去一列。"
            findings.fault(sheet.name, header_number, column.name, "column_twice", message)
            table.has_sound_header = False
        else:
            places[column.name] = index
    table.rows = _without_examples(list(filled), table, findings)
    for column in sheet.columns:
        if column.required and column.name not in places and (table.rows or sheet is ORGANISATION):
            message = f"缺少必填的列“{column.name}”；第一行应为：{'、'.join(c.name for c in sheet.columns)}。"
            findings.fault(sheet.name, header_number, column.name, "column_missing", message)
            table.has_sound_header = False
    return table


def _is_blank_row(row: list[Raw]) -> bool:
    """A row of spaces is as empty as one of nothing."""
    for raw in row:  # noqa: SIM110  # a generator takes three times as long, a hundred thousand times
        if raw.__class__ is not str or (raw and str(raw).strip()):
            return False
    return True


def _without_examples(
    rows: list[tuple[int, list[Raw]]], table: Table, findings: Findings
) -> list[tuple[int, list[Raw]]]:
    """A row is an example where its first column bears the mark; it is left out where nothing was changed."""
    first = table.places.get(table.sheet.columns[0].name)
    if first is None:
        return rows
    marked = {
        cell for cell in {row[first] for _, row in rows if row[first].__class__ is str} if _is_mark(cell)
    }
    if not marked:
        return rows
    for number, row in rows:
        if row[first] in marked:
            _report_changed_example(number, row, table, findings)
    return [(number, row) for number, row in rows if row[first] not in marked]


def _is_mark(cell: Raw) -> bool:
    return "".join(cells.half_width(str(cell)).split()).startswith(_EXAMPLE_HEAD)


def _report_changed_example(number: int, row: list[Raw], table: Table, findings: Findings) -> None:
    examples = dict(zip((c.name for c in table.sheet.columns), example_row(table.sheet), strict=True))
    for name, index in table.places.items():
        said = "" if row[index] == "" else cells.shown(row[index]).strip()
        if said not in ("", examples[name]):
            message = (
                f"这一行带有“{EXAMPLE_MARK}”却已被改动，不能确定是否要导入；"
                f"要导入请去掉“{EXAMPLE_MARK}”几个字，不导入请删去这一行。"
            )
            findings.fault(table.sheet.name, number, table.sheet.columns[0].name, "example_changed", message)
            return


def _report_formulas(table: Table, safe: SafeWorkbook, name: str, findings: Findings) -> None:
    formulas = safe.formulas.get(name)
    if not formulas:
        return
    columns = {index: column for column, index in table.places.items()}
    numbers = {number for number, _ in table.rows}
    for formula in formulas:
        if formula.row in numbers and formula.column in columns:
            message = "单元格里是公式，不能确定其数值；请复制后选择性粘贴为数值（粘贴为数值）。"
            findings.fault(table.sheet.name, formula.row, columns[formula.column], "formula", message)
            table.formulas.add((formula.row, columns[formula.column]))


def typed_rows(table: Table, findings: Findings, *, today: date) -> Iterator[TypedRow]:
    """Yield each row with its values by column; faults are noted, not raised."""
    typed = typed_columns(table, findings, today=today)
    bad_rows = findings.bad_rows.get(table.sheet.name, set())
    for number, *values in zip(typed.numbers, *typed.values.values(), strict=True):
        is_sound = table.has_sound_header and number not in bad_rows
        yield TypedRow(number, dict(zip(typed.values, values, strict=True)), is_sound)


def typed_columns(table: Table, findings: Findings, *, today: date) -> TypedColumns:
    """Return the values column by column; faults are noted, not raised."""
    typed = TypedColumns([number for number, _ in table.rows])
    # Calamine's rows are all of one length.
    raws = list(zip(*(row for _, row in table.rows), strict=True))
    for column in table.sheet.columns:
        if column.name in table.places:
            read = _reader(column, findings, table.sheet.name, today)
            found = _read_each(raws[table.places[column.name]] if raws else (), read)
            typed.faulty[column.name] = _report_faulty(table, column, typed.numbers, found, findings)
            typed.values[column.name] = found
    return typed


def _read_each(raws: Sequence[Raw], read: Callable[[Raw], object]) -> list[Any]:
    """
    Return the cells' values: None for an empty cell, or the fault itself.

    What a column says again and again is read once, so that a hundred thousand rows cost little.
    """
    if len(set(map(type, raws)).intersection(_LIKE_NUMBERS)) > 1:
        # 1, 1.0 and True are one key of a dict, but not one thing in a cell.
        keys = list(zip(map(type, raws), raws, strict=True))
        by_type = {key: _read(key[1], read) for key in dict.fromkeys(keys)}
        return [by_type[key] for key in keys]
    values = {raw: _read(raw, read) for raw in dict.fromkeys(raws)}
    return [*map(values.__getitem__, raws)]


def _report_faulty(
    table: Table, column: Column, numbers: list[int], values: list[Any], findings: Findings
) -> set[int]:
    """Note what is at fault or missing in a column, put None in its place, and return in which rows."""
    faulty: set[int] = set()
    must_be_filled = column.required and not _may_be_empty(table, column)
    wrong = {CellFault, type(None)} if must_be_filled else {CellFault}
    if wrong.isdisjoint(map(type, values)):
        return faulty
    for at, value in enumerate(values):
        if value.__class__ is CellFault:
            findings.fault(table.sheet.name, numbers[at], column.name, value.code, value.message)
            values[at] = None
        elif value is not None or not must_be_filled:
            continue
        elif (numbers[at], column.name) not in table.formulas:
            message = f"{column.name}没有填；{column.note}"
            findings.fault(table.sheet.name, numbers[at], column.name, "value_missing", message)
        faulty.add(numbers[at])
    return faulty


def _may_be_empty(table: Table, column: Column) -> bool:
    """The unit may stand in the amount's own cell: 1.2万吨."""
    return table.sheet is LEDGER and column.name == "单位"


def _read(raw: Raw, read: Callable[[Raw], object]) -> object:
    """Return the value, None for an empty cell, or the fault itself."""
    if raw == "" or (isinstance(raw, str) and not raw.strip()):
        return None
    try:
        return read(raw)
    except CellFault as fault:
        return fault


def _reader(column: Column, findings: Findings, sheet: str, today: date) -> Callable[[Raw], object]:
    match column.kind:
        case CellKind.TEXT:
            return lambda raw: cells.read_text(raw, column) or None
        case CellKind.CODE:
            return lambda raw: cells.read_code(raw, column) or None
        case CellKind.YEAR:
            return lambda raw: cells.read_year(raw, today=today)
        case CellKind.AMOUNT:
            return cells.read_amount
        case CellKind.NUMBER:
            return lambda raw: cells.read_number(raw, column, places=_DECIMAL_PLACES, below=_BELOW)
        case CellKind.DAY:
            return lambda raw: read_day(raw, findings, sheet, column, today=today)
        case CellKind.CHOICE:
            words = cells.UNIT_WORDS | cells.ANSWER_WORDS | cells.KIND_WORDS
            return lambda raw: cells.read_choice(raw, column, words)


def read_day(
    raw: Raw,
    findings: Findings,
    sheet: str,
    column: Column,
    *,
    today: date,
    earliest_year: int = cells.EARLIEST_YEAR,
) -> date:
    """Return the day; a time of day is left out with a notice."""
    day, had_time = cells.read_day(raw, today=today, earliest_year=earliest_year)
    if had_time:
        findings.notice(f"“{sheet}”的“{column.name}”带有时刻，只取日期。")
    return day
