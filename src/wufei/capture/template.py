"""What does an empty data workbook look like?"""

from io import BytesIO

from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from wufei.capture.layout import (
    ORGANISATION,
    ORGANISATION_ITEMS,
    SHEETS,
    CellKind,
    Column,
    Sheet,
    example_row,
)

FONT = "宋体"
_LAST_LISTED_ROW = 100_000  # drop-down lists reach so far
_THIN = Side(style="thin", color="BFBFBF")
_BORDER = Border(left=_THIN, right=_THIN, top=_THIN, bottom=_THIN)
_HEADER = PatternFill("solid", fgColor="DDEBF7")
_REQUIRED = PatternFill("solid", fgColor="FCE4D6")
_EXAMPLE_FONT = Font(name=FONT, size=11, italic=True, color="808080")
_EXAMPLE_FILL = PatternFill("solid", fgColor="F2F2F2")
_EXAMPLE_NOTE = "灰色斜体的第一行是示例，导入时忽略，可删去。请从下一行填起；照示例填写时不要带“示例（导入时忽略）”这几个字。"


def template() -> bytes:
    """Return the empty workbook: lists, notes, and one example row in each sheet."""
    workbook = Workbook()
    workbook.remove(workbook.worksheets[0])
    for sheet in SHEETS:
        page = workbook.create_sheet(sheet.name)
        _write_header(page, sheet)
        _write_example(page, sheet)
        if sheet is ORGANISATION:
            _write_items(page)
        else:
            _write_lists(page, sheet)
        page.freeze_panes = "A2"
    workbook.properties.creator = "无废 Wufei"
    workbook.properties.title = "数据工作簿"
    stream = BytesIO()
    workbook.save(stream)
    return stream.getvalue()


def _write_header(page: Worksheet, sheet: Sheet) -> None:
    for number, column in enumerate(sheet.columns, start=1):
        cell = page.cell(1, number, column.name)
        cell.font = Font(name=FONT, size=11, bold=True, color="C00000" if column.required else "000000")
        cell.fill = _REQUIRED if column.required else _HEADER
        cell.border = _BORDER
        cell.alignment = Alignment(horizontal="center", vertical="center", wrap_text=True)
        cell.comment = _comment(column, with_example_note=number == 1)
        page.column_dimensions[get_column_letter(number)].width = column.width
        if column.kind in (CellKind.CODE, CellKind.TEXT):
            page.column_dimensions[get_column_letter(number)].number_format = "@"
    page.row_dimensions[1].height = 24


def _comment(column: Column, *, with_example_note: bool = False) -> Comment:
    text = f"{'必填。' if column.required else '选填。'}{column.note}"
    if with_example_note:
        text += f"\n{_EXAMPLE_NOTE}"
    comment = Comment(text, "无废 Wufei")
    comment.width, comment.height = 320, 130 if with_example_note else 80
    return comment


def _write_example(page: Worksheet, sheet: Sheet) -> None:
    for number, value in enumerate(example_row(sheet), start=1):
        cell = page.cell(2, number, value or None)
        cell.font, cell.fill, cell.border = _EXAMPLE_FONT, _EXAMPLE_FILL, _BORDER
        cell.number_format = "@"


def _write_items(page: Worksheet) -> None:
    for row, item in enumerate(ORGANISATION_ITEMS, start=3):
        name, value = page.cell(row, 1, item.name), page.cell(row, 2)
        name.font = Font(
            name=FONT, size=11, bold=item.required, color="C00000" if item.required else "000000"
        )
        name.fill = _REQUIRED if item.required else _HEADER
        name.comment = _comment(item)
        name.border = value.border = _BORDER
        value.font = Font(name=FONT, size=11)
        value.number_format = "yyyy-mm-dd" if item.kind is CellKind.DAY else "@"
        if item.kind is CellKind.NUMBER:
            value.number_format = "General"
        if item.allowed:
            rule = _list(item, strict=True)
            page.add_data_validation(rule)
            rule.add(f"B{row}")


def _write_lists(page: Worksheet, sheet: Sheet) -> None:
    for number, column in enumerate(sheet.columns, start=1):
        letter = get_column_letter(number)
        if column.kind is CellKind.DAY:
            page.column_dimensions[letter].number_format = "yyyy-mm-dd"
        if column.allowed or column.suggested:
            rule = _list(column, strict=bool(column.allowed))
            page.add_data_validation(rule)
            rule.add(f"{letter}2:{letter}{_LAST_LISTED_ROW}")


def _list(column: Column, *, strict: bool) -> DataValidation:
    values = ",".join(column.allowed or column.suggested)
    assert len(values) <= 255, "Excel takes no longer list"
    return DataValidation(
        type="list",
        formula1=f'"{values}"',
        allow_blank=True,
        showErrorMessage=strict,
        errorTitle="不在列表中" if strict else None,
        error=f"请从列表中选择：{'、'.join(column.allowed)}" if strict else None,
    )
