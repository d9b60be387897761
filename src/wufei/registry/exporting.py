"""
How is a list written as a workbook that carries no live formula?

Pure. What people typed is written as text, whatever it begins with.
"""

import io
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal

import xlsxwriter

Cell = str | int | Decimal | date | datetime | None

# Text stays text: no formulas, links or numbers are made of it.
AS_TYPED = {
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
    "constant_memory": True,
    "remove_timezone": True,
    "default_date_format": "yyyy-mm-dd",
}
LONGEST_TEXT = 32_767  # of a cell


def workbook(*, title: str, headings: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """Return an .xlsx with one sheet: the headings, then the rows."""
    written = io.BytesIO()
    with xlsxwriter.Workbook(written, AS_TYPED) as book:
        sheet = book.add_worksheet(title[:31])
        bold = book.add_format({"bold": True, "bg_color": "#E8F3EC", "bottom": 1})
        instant = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        sheet.freeze_panes(1, 0)
        sheet.set_column(0, max(0, len(headings) - 1), 18)
        for column, heading in enumerate(headings):
            sheet.write_string(0, column, heading, bold)
        for number, row in enumerate(rows, start=1):
            for column, cell in enumerate(row):
                if isinstance(cell, str):
                    sheet.write_string(number, column, cell[:LONGEST_TEXT])
                elif isinstance(cell, datetime):
                    sheet.write_datetime(number, column, cell, instant)
                elif cell is not None:
                    sheet.write(number, column, cell)
    return written.getvalue()
