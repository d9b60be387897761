"""
How does a ledger look as a workbook?

Amounts are numbers in 吨, days are days; what people typed is text and stays text, never a formula.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import BinaryIO

import xlsxwriter

# A sheet takes 1,048,576 rows.
MAX_ROWS = 1_000_000
COLUMNS = (
    ("序号", 8), ("日期", 12), ("环节", 12), ("废物编号", 14), ("废物名称", 20), ("废物代码", 14),
    ("数量(吨)", 16), ("方式", 16), ("对方单位", 28), ("设施编码", 14), ("批次编码", 20), ("经办人", 12),
    ("备注", 28), ("冲正序号", 10), ("冲正原因", 28), ("记账时间", 18), ("记账人", 12), ("链值", 20),
)  # fmt: skip
OPTIONS = {
    "constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False,
    "strings_to_numbers": False, "default_date_format": "yyyy-mm-dd",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """A movement as it is handed out; `tonnes` is negative for a reversal."""

    seq: int
    moved_on: date
    kind: str
    stream_code: str
    stream_name: str
    waste_code: str
    tonnes: Decimal
    method: str
    counterparty: str
    store_code: str
    lot_code: str
    handler: str
    note: str
    reverses: int | None
    reversal_reason: str
    posted_at: datetime  # in local time, without a zone: workbooks know none
    posted_by: str
    chain_hash: str


def write_ledger(out: BinaryIO, rows: Iterable[Row], notes: Sequence[tuple[str, str]]) -> int:
    """Write the movements and, on a second sheet, what they are; return how many were written."""
    book = xlsxwriter.Workbook(out, OPTIONS)
    head = book.add_format({"bold": True, "bg_color": "#E8F3EC", "border": 1})
    mass = book.add_format({"num_format": "#,##0.######"})
    moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
    page = book.add_worksheet("台账")
    page.freeze_panes(1, 0)
    for at, (title, width) in enumerate(COLUMNS):
        page.set_column(at, at, width)
        page.write_string(0, at, title, head)
    written = 0
    is_cut = False
    for row in rows:
        if written == MAX_ROWS:
            is_cut = True
            break
        written += 1
        _write_row(page, written, row, mass, moment)
    page.autofilter(0, 0, max(written, 1), len(COLUMNS) - 1)
    about = book.add_worksheet("说明")
    about.set_column(0, 0, 16)
    about.set_column(1, 1, 60)
    said = [*notes, ("记录数", f"{written}")]
    if is_cut:
        said.append(("注意", f"一张表最多 {MAX_ROWS} 行，其后的记录没有导出；请分期导出。"))
    for at, (label, text) in enumerate(said):
        about.write_string(at, 0, label, head)
        about.write_string(at, 1, text)
    book.close()
    return written


def _write_row(
    page: xlsxwriter.worksheet.Worksheet,
    line: int,
    row: Row,
    mass: xlsxwriter.format.Format,
    moment: xlsxwriter.format.Format,
) -> None:
    for at, value in enumerate(getattr(row, name) for name in Row.__slots__):
        if isinstance(value, str):
            if value:
                page.write_string(line, at, value)
        elif isinstance(value, datetime):
            page.write_datetime(line, at, value, moment)
        elif isinstance(value, date):
            page.write_datetime(line, at, datetime(value.year, value.month, value.day))  # noqa: DTZ001
        elif isinstance(value, Decimal):
            page.write_number(line, at, value, mass)  # type: ignore[arg-type]  # written with 16 digits
        elif value is not None:
            page.write_number(line, at, value)
