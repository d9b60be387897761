"""
How does a management plan look as a file: .xlsx in the layout of HJ 1259 annex A, or PDF?

Pure. Masses are numbers in 吨 in the workbook; what people typed is text and stays text. The columns were compared
with the standard's text; the national system's own template was not at hand, which each file says.
"""

from collections.abc import Sequence
from typing import Any, BinaryIO

import xlsxwriter

from wufei.filings.plan import NORM, Cell, Column, Filed, Row, Table, cell_text, full_rows, sums, tables_for
from wufei.ledger.book_exports import MASS_FORMAT, OPTIONS
from wufei.paper.sheets import Heading, Sheet, write_sheets
from wufei.terms.mass import Mass

UNVERIFIED = (
    f"栏目按 {NORM} 全文整理；国家危险废物信息管理系统的填报模板没有查到，未核实，请据此在国家系统中填报。"
)
CODES = ("waste_code", "receiver_uscc", "permit_number")  # which no line break may cut
NUMBER = Column(key="", label="序号", width=5)


def state_of(filed: Filed) -> str:
    """Say which version it is."""
    if not filed.number:
        return "草稿，未备案"
    change = f"，变更原因：{filed.reason}" if filed.reason else ""
    return f"第 {filed.number} 版，{filed.filed_at[:10]} 备案{change}"


def _facts(filed: Filed) -> list[tuple[str, str]]:
    return [
        ("单位名称", filed.name), ("统一社会信用代码", filed.uscc), ("年度", str(filed.year)), ("版本", state_of(filed))
    ]  # fmt: skip


def _marks(filed: Filed) -> list[str]:
    said = [UNVERIFIED, *filed.remarks]
    if filed.number:
        said.append(
            f"内容 SHA-256 {filed.digest}；备案时台账到第 {filed.seq} 号记录，链值 {filed.chain_hash}"
        )
    return said


def _columns(table: Table) -> tuple[Column, ...]:
    return (NUMBER, *(column for column in table.columns if column.cell is not Cell.STREAM))


def _values(table: Table, number: int, row: Row) -> list[Any]:
    """Return the cells of a row: texts, and Decimals for masses."""
    found: list[Any] = [number]
    for column in _columns(table)[1:]:
        value = row.get(column.key)
        if column.cell is Cell.MASS:
            found.append(None if value is None else Mass(int(value)).tonnes)
        else:
            found.append(cell_text(column, value))
    return found


# --- PDF


def write_pdf(out: BinaryIO, filed: Filed) -> int:
    """Write the tables that the unit's class asks for, each on pages of its own; return how many pages."""
    tables = tables_for(filed.control_class)
    sheets = [_sheet(table, filed, is_last=table is tables[-1]) for table in tables]
    return write_sheets(out, *sheets, title=f"{filed.name} {filed.year} 年危险废物管理计划")


def _sheet(table: Table, filed: Filed, *, is_last: bool) -> Sheet:
    rows = full_rows(table, filed.content)
    headings, texts, totals = _listed(table, rows) if table.is_one else _tabled(table, rows)
    return Sheet(
        number=table.number, title=table.title, facts=_facts(filed), headings=headings, rows=texts, totals=totals,
        remarks=_marks(filed) if is_last else (), signatures=("填报人", "单位负责人", "日期") if is_last else (),
        footer=f"{filed.name} {filed.year} 年危险废物管理计划　{state_of(filed)}",
    )  # fmt: skip


def _listed(table: Table, rows: Sequence[Row]) -> tuple[list[Heading], list[list[str]], list[str]]:
    row = rows[0] if rows else {}
    said = [[column.label, cell_text(column, row.get(column.key))] for column in table.columns]
    return [Heading("项目", width=30), Heading("内容", width=70)], said, []


def _tabled(table: Table, rows: Sequence[Row]) -> tuple[list[Heading], list[list[str]], list[str]]:
    columns = _columns(table)
    headings = [
        Heading(
            column.label, column.group, column.width, column.cell is Cell.MASS or column is NUMBER,
            keeps_whole=column.key in CODES,
        )
        for column in columns
    ]  # fmt: skip
    texts = [
        [str(number), *(cell_text(column, row.get(column.key)) for column in columns[1:])]
        for number, row in enumerate(rows, 1)
    ]
    found = sums(table, rows)
    if not rows or not found:
        return headings, texts, []
    totals = [cell_text(column, found[column.key]) if column.key in found else "" for column in columns]
    totals[1 if not totals[1] else 0] = "合计"
    return headings, texts, totals


# --- workbook


def write_xlsx(out: BinaryIO, filed: Filed) -> None:
    """Write one sheet for each table, and one that says what the file is."""
    workbook = xlsxwriter.Workbook(out, OPTIONS)
    edged = {"border": 1, "valign": "vcenter", "font_size": 9, "text_wrap": True}
    look = {
        "title": workbook.add_format({"bold": True, "font_size": 14, "align": "center", "valign": "vcenter"}),
        "plain": workbook.add_format({"font_size": 10, "text_wrap": True, "valign": "top"}),
        "head": workbook.add_format(edged | {"bold": True, "align": "center", "bg_color": "#E8F3EC"}),
        "text": workbook.add_format(edged),
        "mass": workbook.add_format(edged | {"num_format": MASS_FORMAT}),
        "sum": workbook.add_format(edged | {"num_format": MASS_FORMAT, "bold": True, "bg_color": "#F4F6F5"}),
    }
    for table in tables_for(filed.control_class):
        page = workbook.add_worksheet(table.number)
        page.set_landscape()
        page.set_paper(9)  # A4
        page.fit_to_pages(1, 0)
        (_write_list if table.is_one else _write_table)(
            page, table, full_rows(table, filed.content), filed, look
        )
    about = workbook.add_worksheet("说明")
    about.set_column(0, 0, 22)
    about.set_column(1, 1, 80)
    for line, (label, text) in enumerate([*_facts(filed), *(("说明", mark) for mark in _marks(filed))]):
        about.write_string(line, 0, label, look["head"])
        about.write_string(line, 1, text, look["plain"])
    workbook.close()


def _head(page: Any, table: Table, filed: Filed, last: int, look: dict[str, Any]) -> None:
    page.merge_range(0, 0, 0, last, f"{table.number}　{table.title}", look["title"])
    page.set_row(0, 26)
    page.merge_range(1, 0, 1, last, "　　".join(f"{a}：{b}" for a, b in _facts(filed)), look["plain"])
    page.set_row(1, 30)


def _write_list(page: Any, table: Table, rows: Sequence[Row], filed: Filed, look: dict[str, Any]) -> None:
    row = rows[0] if rows else {}
    page.set_column(0, 0, 36)
    page.set_column(1, 1, 90)
    _head(page, table, filed, 1, look)
    for line, column in enumerate(table.columns, 2):
        text = cell_text(column, row.get(column.key))
        page.write_string(line, 0, column.label, look["head"])
        page.write_string(line, 1, text, look["text"])
        page.set_row(line, 15 * max(1, text.count("\n") + 1 + 2 * len(text) // 90))


def _write_table(page: Any, table: Table, rows: Sequence[Row], filed: Filed, look: dict[str, Any]) -> None:
    columns = _columns(table)
    for at, column in enumerate(columns):
        page.set_column(
            at,
            at,
            max(
                column.width, {"waste_code": 13, "receiver_uscc": 21, "permit_number": 18}.get(column.key, 6)
            ),
        )
    _head(page, table, filed, len(columns) - 1, look)
    _write_heads(page, columns, look)
    for number, row in enumerate(rows, 1):
        lines = 1
        for at, value in enumerate(_values(table, number, row)):
            if isinstance(value, str):
                page.write_string(3 + number, at, value, look["text"])
                lines = max(lines, -(-2 * len(value) // max(columns[at].width, 6)))
            elif value is None:
                page.write_blank(3 + number, at, None, look["mass"])
            else:
                page.write_number(3 + number, at, value, look["text" if at == 0 else "mass"])
        page.set_row(3 + number, 6 + 12 * lines)
    line = 4 + len(rows)
    found = sums(table, rows)
    if not rows:
        page.merge_range(line, 0, line, len(columns) - 1, "没有。", look["text"])
    elif found:
        for at, column in enumerate(columns):
            if column.key in found:
                page.write_number(line, at, Mass(found[column.key]).tonnes, look["sum"])
            else:
                page.write_string(line, at, "合计" if at == 1 else "", look["sum"])


def _write_heads(page: Any, columns: Sequence[Column], look: dict[str, Any]) -> None:
    """Write the headings in two rows: groups over labels, and alone what has no group."""
    at = 0
    while at < len(columns):
        group = columns[at].group
        if not group:
            page.merge_range(2, at, 3, at, columns[at].label, look["head"])
            at += 1
            continue
        end = at
        while end + 1 < len(columns) and columns[end + 1].group == group:
            end += 1
        if end > at:
            page.merge_range(2, at, 2, end, group, look["head"])
        else:
            page.write_string(2, at, group, look["head"])
        for each in range(at, end + 1):
            page.write_string(3, each, columns[each].label, look["head"])
        at = end + 1
    page.set_row(2, 28)
    page.set_row(3, 52)
    page.freeze_panes(4, 0)


WRITERS = {"xlsx": write_xlsx, "pdf": write_pdf}
