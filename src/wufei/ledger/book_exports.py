"""
How does an official ledger look as a file: .xlsx in the official layout, or PDF for filing?

Pure. Masses are numbers in 吨 and days are days in the workbook; what people typed is text and stays text.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, BinaryIO, Protocol

import xlsxwriter

from wufei.ledger.books.layouts import Cell, Column, Layout, Missing, Row
from wufei.paper.sheets import Heading, Sheet, write_sheets
from wufei.terms.period import Period

OPTIONS = {
    "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False,
    "default_date_format": "yyyy-mm-dd",
}  # fmt: skip
MASS_FORMAT = "#,##0.######"
# A PDF is for filing: more lines than this nobody prints.
MOST_LINES = {"xlsx": 50_000, "pdf": 5_000}
ENDINGS = tuple(MOST_LINES)


class Book(Protocol):
    """What `queries.books.official_book` returns."""

    @property
    def layout(self) -> Layout: ...
    @property
    def period(self) -> Period: ...
    @property
    def rows(self) -> list[Row]: ...
    @property
    def totals(self) -> dict[str, Any]: ...
    @property
    def missing(self) -> list[Missing]: ...
    @property
    def remarks(self) -> list[str]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeper:
    """Whose ledger it is, and who took it out when; the head says of which chain it is a view."""

    name: str
    uscc: str
    made_at: datetime  # in local time, without a zone: workbooks know none
    made_by: str
    head_seq: int
    head_hash: str

    @property
    def mark(self) -> str:
        return (
            f"台账第 {self.head_seq} 号记录，链值 {self.head_hash[:16]}" if self.head_seq else "台账没有记录"
        )


def facts(book: Book, keeper: Keeper) -> list[tuple[str, str]]:
    """Return what stands above the table."""
    return [
        ("单位名称", keeper.name), ("统一社会信用代码", keeper.uscc),
        ("期间", f"{book.period.first_day} 至 {book.period.last_day}"), ("填写要求", book.layout.filled),
    ]  # fmt: skip


def missing_lines(missing: Sequence[Missing]) -> list[str]:
    """Say what is blank that should not be, and where it would come from; alike columns in one line."""
    alike: dict[tuple[int, str], list[str]] = defaultdict(list)
    for each in missing:
        alike[each.count, each.column.source].append(label_of(each.column))
    return [f"{'、'.join(labels)}：{count} 行空白，{why}" for (count, why), labels in alike.items()]


def label_of(column: Column) -> str:
    return f"{column.group}·{column.label}" if column.group else column.label


def texts(book: Book, row: Row) -> list[str]:
    """Return a line as it is printed."""
    return [_text(row.get(column.key)) for column in book.layout.columns]


def _text(value: object) -> str:
    if isinstance(value, Decimal):
        plain = f"{value.normalize():,f}"
        return plain.rstrip("0").rstrip(".") if "." in plain else plain
    return "" if value is None else str(value)


def total_texts(book: Book) -> list[str]:
    """Return the line of sums; empty where the table has none or no lines."""
    if not book.rows or not book.totals:
        return []
    said = [_text(book.totals.get(column.key)) for column in book.layout.columns]
    place = next((i for i, text in enumerate(said) if not text), 0)
    said[place] = "合计"
    return said


# --- PDF


def write_pdf(out: BinaryIO, book: Book, keeper: Keeper) -> int:
    """Write the table as landscape A4 pages; return how many."""
    layout = book.layout
    sheet = Sheet(
        number=layout.number,
        title=layout.title,
        facts=facts(book, keeper),
        headings=[
            Heading(c.label, c.group, c.width, c.cell in (Cell.MASS, Cell.COUNT), c.keeps_whole)
            for c in layout.columns
        ],
        rows=[texts(book, row) for row in book.rows],
        totals=total_texts(book),
        remarks=[f"依据：{layout.norm}。", *book.remarks, *missing_lines(book.missing)],
        signatures=layout.signatures,
        footer=f"由{keeper.made_by}于 {keeper.made_at:%Y-%m-%d %H:%M} 从台账生成；{keeper.mark}",
    )
    return write_sheets(out, sheet)


# --- workbook


def write_xlsx(out: BinaryIO, book: Book, keeper: Keeper) -> None:
    """Write the table in its official layout and, on a second sheet, what is missing and where it is from."""
    workbook = xlsxwriter.Workbook(out, OPTIONS)
    look = _Look(workbook)
    page = workbook.add_worksheet(book.layout.number)
    last = len(book.layout.columns) - 1
    for at, column in enumerate(book.layout.columns):
        page.set_column(at, at, _wide(column))
    page.merge_range(0, 0, 0, last, f"{book.layout.number}　{book.layout.title}", look.title)
    page.set_row(0, 26)
    page.set_row(1, 20)
    page.merge_range(1, 0, 1, last, "　　".join(f"{a}：{b}" for a, b in facts(book, keeper)), look.plain)
    _write_heads(page, book.layout.columns, look)
    line = 4
    for row in book.rows:
        page.set_row(line, _high(book, row))
        _write_row(page, line, [row.get(column.key) for column in book.layout.columns], look)
        line += 1
    line = _write_end(page, line, book, look)
    _set_print(page, line, last, book, keeper)
    _write_about(workbook, book, keeper, look)
    workbook.close()


def _wide(column: Column) -> int:
    """Return the width of a column in half-width letters; codes, days and masses fit into theirs."""
    if column.key in ("code", "before"):
        return 21
    return max(column.width, 12) if column.keeps_whole and column.cell is not Cell.COUNT else column.width


def _high(book: Book, row: Row) -> int:
    """Return the height of a row in points: not every program makes room for lines that wrap."""
    lines = 1
    for column, text in zip(book.layout.columns, texts(book, row), strict=True):
        taken = sum(1 if letter.isascii() else 2 for letter in text)
        lines = max(lines, -(-taken // (_wide(column) - 1)))
    return 6 + 12 * lines


class _Look:
    """The formats of a workbook."""

    def __init__(self, workbook: Any):
        edged = {"border": 1, "valign": "vcenter", "font_size": 9, "text_wrap": True}
        self.title = workbook.add_format(
            {"bold": True, "font_size": 14, "align": "center", "valign": "vcenter"}
        )
        self.plain = workbook.add_format({"font_size": 10, "text_wrap": True, "valign": "top"})
        self.head = workbook.add_format(edged | {"bold": True, "align": "center", "bg_color": "#E8F3EC"})
        self.text = workbook.add_format(edged | {"align": "left", "indent": 1})
        self.day = workbook.add_format(edged | {"num_format": "yyyy-mm-dd", "align": "center"})
        self.mass = workbook.add_format(edged | {"num_format": MASS_FORMAT, "align": "right", "indent": 1})
        self.sum = workbook.add_format(
            edged | {"num_format": MASS_FORMAT, "bold": True, "bg_color": "#F4F6F5"}
        )


def _write_heads(page: Any, columns: Sequence[Column], look: _Look) -> None:
    """Write the headings in two rows: groups over labels, and alone what has no group."""
    at = 0
    while at < len(columns):
        column = columns[at]
        if not column.group:
            page.merge_range(2, at, 3, at, column.label, look.head)
            at += 1
            continue
        end = at
        while end + 1 < len(columns) and columns[end + 1].group == column.group:
            end += 1
        if end > at:
            page.merge_range(2, at, 2, end, column.group, look.head)
        else:
            page.write_string(2, at, column.group, look.head)
        for each in range(at, end + 1):
            page.write_string(3, each, columns[each].label, look.head)
        at = end + 1
    page.set_row(2, 30)
    page.set_row(3, 44)
    page.freeze_panes(4, 0)


def _write_row(page: Any, line: int, values: Sequence[object], look: _Look) -> None:
    for at, value in enumerate(values):
        if isinstance(value, Decimal):
            page.write_number(line, at, value, look.mass)  # written with 16 digits
        elif isinstance(value, date):
            page.write_datetime(line, at, datetime(value.year, value.month, value.day), look.day)  # noqa: DTZ001
        elif isinstance(value, int):
            page.write_number(line, at, value, look.text)
        elif value:
            page.write_string(line, at, str(value), look.text)
        else:
            page.write_blank(line, at, None, look.text)


def _write_end(page: Any, line: int, book: Book, look: _Look) -> int:
    """Write the sums, the remarks and the line to sign on; return the last row."""
    last = len(book.layout.columns) - 1
    if not book.rows:
        page.merge_range(line, 0, line, last, "本期没有记录。", look.text)
        line += 1
    elif sums := total_texts(book):
        for at, (column, text) in enumerate(zip(book.layout.columns, sums, strict=True)):
            if column.key in book.totals:
                page.write_number(line, at, book.totals[column.key], look.sum)
            else:
                page.write_string(line, at, text, look.sum)
        line += 1
    room = sum(map(_wide, book.layout.columns))
    for number, remark in enumerate([f"依据：{book.layout.norm}。", *book.remarks], 1):
        page.set_row(line, 15 * (1 + 2 * len(remark) // room))  # merged cells don't grow by themselves
        page.merge_range(line, 0, line, last, f"注{number}：{remark}", look.plain)
        line += 1
    signed = "　　　　　".join(f"{label}：＿＿＿＿＿＿＿＿" for label in book.layout.signatures)
    page.set_row(line, 28)
    page.merge_range(line, 0, line, last, signed, look.plain)
    return line


def _set_print(page: Any, line: int, last: int, book: Book, keeper: Keeper) -> None:
    page.set_landscape()
    page.set_paper(9)  # A4
    page.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
    page.fit_to_pages(1, 0)
    page.repeat_rows(0, 3)
    page.print_area(0, 0, line, last)
    page.set_footer(f"&L&8{keeper.mark}&R&8第 &P 页，共 &N 页")


def _write_about(workbook: Any, book: Book, keeper: Keeper, look: _Look) -> None:
    about = workbook.add_worksheet("说明")
    about.set_paper(9)
    about.fit_to_pages(1, 0)
    about.set_column(0, 0, 22)
    about.set_column(1, 1, 80)
    said = [
        *facts(book, keeper),
        ("依据", book.layout.norm),
        ("栏目", "与标准全文核对过" if book.layout.is_verified else "未与公告全文核对，凭记忆整理"),
        ("来源", f"由台账生成，不另存：{keeper.mark}"),
        ("导出", f"{keeper.made_at:%Y-%m-%d %H:%M} {keeper.made_by}"),
        ("行数", str(len(book.rows))),
        *(("未填", text) for text in missing_lines(book.missing)),
    ]
    for at, (label, text) in enumerate(said):
        about.write_string(at, 0, label, look.head)
        about.write_string(at, 1, text, look.plain)


# By the ending of the file.
WRITERS: Mapping[str, Callable[[BinaryIO, Book, Keeper], Any]] = {"xlsx": write_xlsx, "pdf": write_pdf}
