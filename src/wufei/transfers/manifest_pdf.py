"""
How does a manifest look on paper?

The form that the ministry issued beside the measures is not in our files: the layout is ours, in the order of its
three parts, and says so.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from xml.sax.saxutils import escape
from zoneinfo import ZoneInfo

from reportlab.graphics.barcode.qr import QrCodeWidget
from reportlab.graphics.shapes import Drawing
from reportlab.lib import colors
from reportlab.lib.enums import TA_LEFT, TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from wufei.paper.fonts import font_name
from wufei.transfers.wording import in_tonnes

WIDTH = A4[0] - 32 * mm - 12  # the frame's own padding
INK, SOFT, LINE, TINT = (
    colors.black,
    colors.HexColor("#5b6570"),
    colors.HexColor("#9aa3ab"),
    colors.HexColor("#eef3f0"),
)
FOOT = "版式由无废 Wufei 按《危险废物转移管理办法》所列内容编排，不是生态环境部另行制定的联单格式。"
SHANGHAI = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    position: int
    name: str
    code: str
    lot: str
    hazards: str
    packaging: str
    count: int | None
    declared_g: int
    received_g: int | None
    mode: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """One thing that a revision changed, once both sides had agreed to it."""

    label: str
    before: str
    after: str
    reason: str
    proposed_for: str
    agreed_for: str
    agreed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """All that stands on the paper, in words."""

    title: str
    number: str
    state: str
    generator: tuple[str, str]  # name, 统一社会信用代码
    receiver: tuple[str, str]
    own: Sequence[tuple[str, str]]
    taken: Sequence[tuple[str, str]]
    legs: Sequence[tuple[str, Sequence[tuple[str, str]]]]
    lines: Sequence[Line]
    signatures: Sequence[tuple[str, str, str, datetime, str]] = field(default_factory=tuple)
    corrections: Sequence[Correction] = field(default_factory=tuple)


def drawn(sheet: Sheet) -> bytes:
    """Return the manifest as a PDF of as many A4 pages as it takes."""
    out = io.BytesIO()
    document = SimpleDocTemplate(
        out, pagesize=A4, leftMargin=16 * mm, rightMargin=16 * mm, topMargin=14 * mm, bottomMargin=18 * mm,
        title=f"{sheet.title} {sheet.number}", author="无废 Wufei", creator="无废 Wufei",
    )  # fmt: skip

    def foot(canvas: Canvas, page: SimpleDocTemplate) -> None:
        canvas.saveState()
        canvas.setFont(font_name(), 7)
        canvas.setFillColor(SOFT)
        canvas.drawString(16 * mm, 10 * mm, FOOT)
        canvas.drawRightString(A4[0] - 16 * mm, 10 * mm, f"{sheet.number}　第 {page.page} 页")
        canvas.restoreState()

    document.build(_story(sheet), onFirstPage=foot, onLaterPages=foot)
    return out.getvalue()


def _story(sheet: Sheet) -> list[Flowable]:
    parts: list[Flowable] = [_head(sheet)]
    parts += [
        _title("第一部分　移出人填写"),
        _facts([("单位名称", sheet.generator[0]), ("统一社会信用代码", sheet.generator[1]), *sheet.own]),
    ]
    parts += [Spacer(1, 2 * mm), _lines(sheet.lines)]
    for at, (carrier, rows) in enumerate(sheet.legs, 1):
        turn = f"（第 {at} 承运人）" if len(sheet.legs) > 1 else ""
        parts += [_title(f"第二部分　承运人填写{turn}"), _facts([("单位名称", carrier), *rows])]
    parts += [_title("第三部分　接受人填写")]
    parts += [
        _facts([("单位名称", sheet.receiver[0]), ("统一社会信用代码", sheet.receiver[1]), *sheet.taken])
    ]
    parts += [Spacer(1, 2 * mm), _received(sheet.lines)]
    if sheet.signatures:
        parts += [_title("签署"), _signatures(sheet.signatures)]
    if sheet.corrections:
        parts += [_title("签署之后的更正（以更正后的为准，各版均已保存）"), _corrections(sheet.corrections)]
    return parts


def _style(size: float = 8.5, **said: object) -> ParagraphStyle:
    return ParagraphStyle(
        "said", fontName=font_name(), fontSize=size, leading=size * 1.4, wordWrap="CJK", **said
    )


def _words(text: object, size: float = 8.5, **said: object) -> Paragraph:
    return Paragraph(escape(str(text)), _style(size, **said))


def _title(text: str) -> Flowable:
    return _words(text, 10, spaceBefore=4 * mm, spaceAfter=1.5 * mm)


def _head(sheet: Sheet) -> Table:
    code = QrCodeWidget(sheet.number, barLevel="M")
    left, bottom, right, top = code.getBounds()
    side = 22 * mm
    picture = Drawing(side, side, transform=[side / (right - left), 0, 0, side / (top - bottom), 0, 0])
    picture.add(code)
    words = [
        _words(sheet.title, 17),
        Spacer(1, 3 * mm),
        _words(f"编号　{sheet.number}", 12),
        _words(f"状态　{sheet.state}", 9, textColor=SOFT),
    ]
    return Table(
        [[words, picture]], colWidths=[WIDTH - 26 * mm, 26 * mm],
        style=TableStyle([("VALIGN", (0, 0), (-1, -1), "TOP"), ("LEFTPADDING", (0, 0), (0, 0), 0)]),
    )  # fmt: skip


def _facts(rows: Sequence[tuple[str, str]]) -> Table:
    """Two facts a row; a long one has the row to itself."""
    cells: list[list[object]] = []
    spans = []
    waiting: tuple[str, str] | None = None
    for label, text in rows:
        if len(text) > 24:
            if waiting:
                cells.append([_label(waiting[0]), _words(waiting[1]), "", ""])
                waiting = None
            spans.append(("SPAN", (1, len(cells)), (3, len(cells))))
            cells.append([_label(label), _words(text), "", ""])
        elif waiting:
            cells.append([_label(waiting[0]), _words(waiting[1]), _label(label), _words(text)])
            waiting = None
        else:
            waiting = (label, text)
    if waiting:
        spans.append(("SPAN", (1, len(cells)), (3, len(cells))))
        cells.append([_label(waiting[0]), _words(waiting[1]), "", ""])
    label_width = 30 * mm
    widths = [label_width, WIDTH / 2 - label_width] * 2
    return Table(cells, colWidths=widths, style=_ruled(extra=spans))


def _label(text: str) -> Paragraph:
    return _words(text, 8, textColor=SOFT)


def _ruled(*, head: bool = False, extra: Sequence[tuple[object, ...]] = ()) -> TableStyle:
    said: list[tuple[object, ...]] = [
        ("GRID", (0, 0), (-1, -1), 0.4, LINE), ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
        ("TOPPADDING", (0, 0), (-1, -1), 2.5), ("BOTTOMPADDING", (0, 0), (-1, -1), 2.5),
        ("LEFTPADDING", (0, 0), (-1, -1), 4), ("RIGHTPADDING", (0, 0), (-1, -1), 4),
    ]  # fmt: skip
    if head:
        said.append(("BACKGROUND", (0, 0), (-1, 0), TINT))
    return TableStyle([*said, *extra])


def _tonnes(grams: int | None) -> str:
    return "" if grams is None else in_tonnes(grams)


def _table(
    heads: Sequence[str], rows: Sequence[Sequence[object]], widths: Sequence[float], numbers: int = 0
) -> Table:
    """The last `numbers` columns stand to the right."""
    total = sum(widths)
    cells = [
        [_label(each) for each in heads],
        *(
            [
                _words(cell, 8, alignment=TA_RIGHT if at >= len(heads) - numbers else TA_LEFT)
                for at, cell in enumerate(row)
            ]
            for row in rows
        ),
    ]
    scaled = [WIDTH * each / total for each in widths]
    return Table(cells, colWidths=scaled, repeatRows=1, style=_ruled(head=True))


def _lines(lines: Sequence[Line]) -> Table:
    rows: list[tuple[object, ...]] = [
        (
            line.position,
            line.name,
            line.code,
            line.hazards,
            line.packaging,
            line.count or "",
            line.lot,
            _tonnes(line.declared_g),
        )
        for line in lines
    ]
    rows.append(
        (
            "",
            "合计",
            "",
            "",
            "",
            sum(line.count or 0 for line in lines),
            "",
            _tonnes(sum(line.declared_g for line in lines)),
        )
    )
    heads = (
        "序号",
        "废物名称",
        "废物代码",
        "危险特性",
        "包装方式",
        "包装数量",
        "容器、批次编码",
        "移出量（吨）",
    )
    return _table(heads, rows, (10, 32, 22, 16, 16, 16, 40, 20), 1)


def _received(lines: Sequence[Line]) -> Table:
    rows: list[tuple[object, ...]] = [
        (line.position, line.name, line.code, line.mode, _tonnes(line.received_g), _difference(line))
        for line in lines
    ]
    known = [line.received_g for line in lines if line.received_g is not None]
    rows.append(("", "合计", "", "", _tonnes(sum(known)) if known else "", ""))
    heads = ("序号", "废物名称", "废物代码", "利用、处置方式", "接受量（吨）", "差异（吨）")
    return _table(heads, rows, (10, 46, 26, 30, 28, 28), 2)


def _difference(line: Line) -> str:
    if line.received_g is None:
        return ""
    difference = line.received_g - line.declared_g
    return f"{'+' if difference > 0 else '−' if difference < 0 else ''}{_tonnes(abs(difference))}"


def _signatures(rows: Sequence[tuple[str, str, str, datetime, str]]) -> Table:
    cells = [
        (act, organisation, person, f"{at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}", f"{digest[:16]}…")
        for act, organisation, person, at, digest in rows
    ]
    return _table(("环节", "单位", "签署人", "时间", "内容哈希（SHA-256）"), cells, (18, 52, 24, 32, 44))


def _corrections(rows: Sequence[Correction]) -> Table:
    cells = [
        (
            each.label, each.before or "—", each.after, each.reason,
            f"{each.proposed_for} 提出，{each.agreed_for} 同意", f"{each.agreed_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}",
        )
        for each in rows
    ]  # fmt: skip
    return _table(("栏目", "更正前", "更正后", "原因", "商定", "生效时间"), cells, (30, 26, 26, 32, 40, 26))
