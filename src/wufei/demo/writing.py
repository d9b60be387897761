"""Write a made-up workbook as the file that an enterprise would hand in."""

from datetime import date
from io import BytesIO

import xlsxwriter

from wufei.capture.layout import SHEETS
from wufei.demo.district import Workbook


def written(workbook: Workbook) -> bytes:
    """Return the .xlsx, sheets and columns as the data workbook has them."""
    out = BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False})
    day_format = book.add_format({"num_format": "yyyy-mm-dd"})
    for sheet in SHEETS:
        page = book.add_worksheet(sheet.name)
        page.write_row(0, 0, [column.name for column in sheet.columns])
        for number, row in enumerate(workbook.sheets.get(sheet.name, ()), 1):
            for at, value in enumerate(row):
                if isinstance(value, date):
                    page.write_datetime(number, at, value, day_format)  # type: ignore[arg-type]
                elif value != "":
                    page.write(number, at, value)
    book.close()
    return out.getvalue()
