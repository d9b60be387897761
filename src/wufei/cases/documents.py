"""
How do the official documents come to be?

Pure: template and form in, bytes out; the same form gives the same bytes. What people typed is escaped
and never run as a template, a formula or mark-up.
"""

import io
import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import xlsxwriter
from docxtpl import DocxTemplate
from jinja2 import StrictUndefined
from jinja2.sandbox import SandboxedEnvironment

from wufei.cases.case_file import CaseFile, OpenRequirement, SummaryRow

TEMPLATES = Path(__file__).parent / "templates"
_FILE = "case-file.docx"
# Of every entry and property: the clock has no place in a document's hash.
_EPOCH = datetime(1980, 1, 1, tzinfo=UTC)
_SUMMARY_ROWS = 5
_SUMMARY_COLUMNS = (
    ("序号", 6), ("省份", 9), ("单位属性", 10), ("单位名称", 24), ("典型案例名称", 28), ("主导产业", 20),
    ("案例简要描述\n（不超过200字）", 44), ("单位联系人", 12), ("电话", 16),
)  # fmt: skip


@cache
def templates() -> frozenset[str]:
    """Return the ids of the templates that there are."""
    return frozenset(folder.name for folder in TEMPLATES.iterdir() if (folder / _FILE).is_file())


@cache
def template(template_id: str) -> bytes:
    """
    Return the template of that id.

    :raises KeyError: if there is none
    """
    if template_id not in templates():
        raise KeyError(template_id)
    return (TEMPLATES / template_id / _FILE).read_bytes()


def render(template: bytes, form: CaseFile) -> bytes:
    """Return the case file as .docx."""
    document = DocxTemplate(io.BytesIO(template))
    environment = SandboxedEnvironment(undefined=StrictUndefined, autoescape=True)
    document.render({"form": form}, jinja_env=environment, autoescape=True)
    assert document.docx is not None, "rendered"  # get_docx() would load the template anew
    properties = document.docx.core_properties
    properties.author = form.cover.organisation
    properties.title = form.title
    properties.last_modified_by = ""
    properties.created = properties.modified = _EPOCH.replace(tzinfo=None)
    out = io.BytesIO()
    document.save(out)
    return repacked(out.getvalue())


def repacked(content: bytes) -> bytes:
    """Return the archive with its entries in order and undated."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        names = sorted(old.namelist(), key=lambda name: (name != "[Content_Types].xml", name))
        for name in names:
            entry = zipfile.ZipInfo(name, _EPOCH.timetuple()[:6])
            entry.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(entry, old.read(name))
    return out.getvalue()


def summary(rows: Sequence[SummaryRow]) -> bytes:
    """Return the 典型案例汇总表 as .xlsx; who reports it fills in its own name."""
    out = io.BytesIO()
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    with xlsxwriter.Workbook(out, options) as workbook:
        workbook.set_properties({"author": "", "created": _EPOCH.replace(tzinfo=None)})
        sheet = workbook.add_worksheet("典型案例汇总表")
        _set_up_page(sheet)
        _write_summary(workbook, sheet, rows)
    return out.getvalue()


def _set_up_page(sheet: Any) -> None:
    sheet.set_paper(9)  # A4
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.set_margins(left=0.6, right=0.6, top=0.8, bottom=0.8)
    sheet.center_horizontally()
    sheet.set_footer('&C&"宋体"第 &P 页')
    sheet.repeat_rows(3)
    for column, (_, width) in enumerate(_SUMMARY_COLUMNS):
        sheet.set_column(column, column, width)


def _write_summary(workbook: Any, sheet: Any, rows: Sequence[SummaryRow]) -> None:
    last = len(_SUMMARY_COLUMNS) - 1
    face = {"font_name": "宋体", "font_size": 11, "valign": "vcenter"}
    plain = workbook.add_format({**face, "font_name": "黑体", "font_size": 14})
    title = workbook.add_format({**face, "font_name": "方正小标宋简体", "font_size": 20, "align": "center"})
    left = workbook.add_format({**face, "font_name": "仿宋_GB2312", "font_size": 12})
    head = workbook.add_format(
        {**face, "font_name": "黑体", "align": "center", "text_wrap": True, "border": 1}
    )
    cell = {**face, "align": "center", "text_wrap": True, "border": 1, "num_format": "@"}
    # A text that begins like a formula stays a text even where somebody edits the cell.
    plain_cell, quoted = workbook.add_format(cell), workbook.add_format({**cell, "quote_prefix": True})

    sheet.write_string(0, 0, "附件 3", plain)
    sheet.merge_range(1, 0, 1, last, "典型案例汇总表", title)
    sheet.merge_range(2, 0, 2, last, "报送单位名称：                              （加盖单位公章）", left)
    sheet.set_row(1, 36)
    sheet.set_row(2, 24)
    sheet.set_row(3, 36)
    for column, (label, _) in enumerate(_SUMMARY_COLUMNS):
        sheet.write_string(3, column, label, head)
    for index in range(max(_SUMMARY_ROWS, len(rows))):
        texts = _summary_texts(rows[index]) if index < len(rows) else ("",) * last
        sheet.set_row(4 + index, 36 if not any(texts) else _height(texts))
        sheet.write_number(4 + index, 0, index + 1, plain_cell)
        for column, text in enumerate(texts, start=1):
            live = text.startswith(("=", "+", "-", "@", "\t"))
            sheet.write_string(4 + index, column, text, quoted if live else plain_cell)
    end = 4 + max(_SUMMARY_ROWS, len(rows))
    sheet.set_row(end, 26)
    sheet.merge_range(end, 0, end, last, "报送单位联系人：                              电话：", left)
    sheet.print_area(0, 0, end, last)


def _summary_texts(row: SummaryRow) -> tuple[str, ...]:
    return (
        row.province, row.subject_kind, row.organisation, row.title, row.industry, row.brief_description,
        row.contact, row.phone,
    )  # fmt: skip


def _height(texts: Sequence[str]) -> int:
    """Return how high a row must be so that its longest text is seen when printed."""
    lines = (
        -(-2 * len(text) // (width - 2)) for text, (_, width) in zip(texts, _SUMMARY_COLUMNS[1:], strict=True)
    )
    return min(400, max(36, 16 * max(lines)))


def note(
    *, organisation: str, edition: str, year: int, verdict: str, requirements: Sequence[OpenRequirement],
    remarks: Sequence[str],
) -> str:  # fmt: skip
    """Return the cover note 说明.txt: what is not met or not known. It is not handed in."""
    lines = [
        "情况说明（供本单位核对，不随文报送）",
        "",
        f"单位：{organisation}",
        f"政策版本：{edition}",
        f"数据年度：{year} 年",
        f"自评结论：{verdict}",
        "",
        "一、未满足或未知的要求",
    ]
    for number, requirement in enumerate(requirements, start=1):
        lines.append(f"{number}. 【{requirement.verdict}】{requirement.clause}　{requirement.says}")
        lines.append(f"   {requirement.explanation}")
        lines += [f"   需补充：{missing}" for missing in requirement.supply]
    if not requirements:
        lines.append("没有。")
    lines += ["", "二、文书中的未填和未知项", *(remarks or ["没有。"])]
    return "\n".join(lines) + "\n"
