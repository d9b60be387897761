"""
What was not taken, as a workbook in the same layout with a column 错误, to be corrected and imported again.

What was typed leaves as text: a cell that begins with = or + is a string here, never a formula.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from io import BytesIO
from math import isfinite

from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from wufei.capture.cells import Raw
from wufei.capture.faults import Fault
from wufei.capture.layout import ORGANISATION, REJECT_COLUMN
from wufei.capture.reading import Table

FONT = "宋体"
_ERROR_WIDTH = 60


def rejects(tables: Mapping[str, Table], faults: Sequence[Fault]) -> bytes:
    """
    Return the rows at fault, each with its faults.

    单位信息 is there as a whole, for no import goes without it; so is a sheet whose header is at fault.
    """
    by_row: dict[tuple[str, int], list[Fault]] = defaultdict(list)
    for fault in faults:
        if fault.sheet is not None and fault.row is not None:
            by_row[fault.sheet, fault.row].append(fault)
    stream = BytesIO()
    # Nothing that looks like a formula, a link or a number is turned into one.
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    with Workbook(stream, options) as workbook:
        formats = {
            "plain": workbook.add_format({"font_name": FONT}),
            "header": workbook.add_format(
                {"font_name": FONT, "bold": True, "bg_color": "#DDEBF7", "border": 1}
            ),
            "error": workbook.add_format({"font_name": FONT, "font_color": "#C00000"}),
            "day": workbook.add_format({"font_name": FONT, "num_format": "yyyy-mm-dd"}),
            "moment": workbook.add_format({"font_name": FONT, "num_format": "yyyy-mm-dd hh:mm"}),
        }
        for name, table in tables.items():
            whole = table.sheet is ORGANISATION or not table.has_sound_header
            rows = [(n, row) for n, row in table.rows if whole or (name, n) in by_row]
            if rows:
                _write_sheet(workbook.add_worksheet(name), table, rows, by_row, formats)
    return stream.getvalue()


def _write_sheet(
    page: Worksheet,
    table: Table,
    rows: Sequence[tuple[int, list[Raw]]],
    by_row: Mapping[tuple[str, int], list[Fault]],
    formats: Mapping[str, Format],
) -> None:
    # A required column that was not there is there to be filled.
    titles = [c.name for c in table.sheet.columns if c.name in table.places or c.required]
    for at, title in enumerate([*titles, REJECT_COLUMN]):
        page.write_string(0, at, title, formats["header"])
    page.freeze_panes(1, 0)
    page.set_column(0, len(titles) - 1, 16)
    page.set_column(len(titles), len(titles), _ERROR_WIDTH)
    for line, (number, row) in enumerate(rows, start=1):
        found = by_row.get((table.sheet.name, number), [])
        # What a formula last showed is not certain, so it is not handed on as a value.
        formulas = {fault.column for fault in found if fault.code == "formula"}
        for at, title in enumerate(titles):
            if title in table.places and title not in formulas:
                _write(page, line, at, row[table.places[title]], formats)
        page.write_string(line, len(titles), "；".join(_said(f) for f in found), formats["error"])


def _said(fault: Fault) -> str:
    return f"{fault.column}：{fault.message}" if fault.column else fault.message


def _write(page: Worksheet, line: int, at: int, raw: Raw, formats: Mapping[str, Format]) -> None:
    if isinstance(raw, str):
        if raw:
            page.write_string(line, at, raw, formats["plain"])
    elif isinstance(raw, bool):
        page.write_boolean(line, at, raw, formats["plain"])
    elif isinstance(raw, datetime):
        page.write_datetime(line, at, raw, formats["moment" if raw.time() != time() else "day"])
    elif isinstance(raw, date):
        page.write_datetime(line, at, raw, formats["day"])
    elif isinstance(raw, float | int) and isfinite(raw):
        page.write_number(line, at, raw, formats["plain"])
    else:
        # No workbook can hold a number that is not finite, except as text.
        assert isinstance(raw, time | timedelta | float), f"calamine gives no {type(raw)}"
        page.write_string(line, at, str(raw), formats["plain"])
