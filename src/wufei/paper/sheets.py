"""
How is an official table set on paper?

As landscape A4 pages: title and facts above, the headings again on each page, lines that wrap within their
columns, page numbers, and at the end the sum, the remarks and the line to sign on. Plain text in, a PDF out.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import BinaryIO

from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas

from wufei.paper.fonts import font_name

WIDTH, HEIGHT = landscape(A4)
SIDE, TOP, FOOT = 30.0, 30.0, 36.0  # margins, in points
PAD = 2.4
LEADING = 1.28
# Below these a printed table can't be read; above, a narrow one looks clumsy.
LARGEST, SMALLEST = 9.0, 5.6
NOTHING = "本期没有记录。"
PICTURES, ACROSS = 6, 3  # on a page, in a row
GAP, CAPTION = 12.0, 28.0
INK, FAINT, SHADE = (0.1, 0.12, 0.14), (0.35, 0.38, 0.42), (0.93, 0.95, 0.94)
NEVER_LAST = "（《“‘〔"  # opening marks
NEVER_FIRST = "，。；：、）》”’〕／·"


@dataclass(frozen=True, slots=True)
class Heading:
    label: str
    group: str = ""  # the heading over it and its neighbours
    width: int = 12  # in half-width characters, before the table is fitted to the page
    is_number: bool = False
    keeps_whole: bool = False  # days, numbers and codes, which no line break may cut


@dataclass(frozen=True, slots=True)
class Picture:
    """A JPEG picture with what is written beneath it."""

    caption: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A table to be set; every row has a text for each heading. Pictures follow on pages of their own."""

    number: str  # 表B.1
    title: str
    facts: Sequence[tuple[str, str]]
    headings: Sequence[Heading]
    rows: Sequence[Sequence[str]]
    totals: Sequence[str] = ()
    remarks: Sequence[str] = ()
    signatures: Sequence[str] = ()
    footer: str = ""
    pictures: Sequence[Picture] = ()


@dataclass(slots=True)
class _Line:
    """A row whose texts are broken into lines."""

    cells: list[list[str]]
    height: float
    is_total: bool = False


@dataclass(slots=True)
class _Grid:
    """Where columns stand and how large letters are."""

    sheet: Sheet
    size: float
    widths: list[float] = field(default_factory=list)

    @property
    def lefts(self) -> list[float]:
        found, left = [], SIDE
        for width in self.widths:
            found.append(left)
            left += width
        return found

    @property
    def leading(self) -> float:
        return self.size * LEADING


@cache
def _width_of(letter: str) -> float:
    """Return the width of a letter of size 1."""
    return float(stringWidth(letter, font_name(), 1000)) / 1000


def broken(text: str, width: float, size: float, most: int = 40) -> list[str]:
    """Break a text into at most so many lines of the width; what is left over ends in an ellipsis."""
    lines: list[str] = []
    line, taken = "", 0.0
    for letter in text:
        wide = _width_of(letter) * size
        if line and taken + wide > width and letter not in NEVER_FIRST:
            carried = line[-1] if line[-1] in NEVER_LAST and len(line) > 1 else ""
            lines.append(line.removesuffix(carried) if carried else line)
            line, taken = carried, sum(map(_width_of, carried)) * size
        line, taken = line + letter, taken + wide
    lines.append(line)
    if len(lines) > most:
        lines = [*lines[: most - 1], f"{lines[most - 1][:-1]}…"]
    return lines


def write_sheets(out: BinaryIO, *sheets: Sheet, title: str = "") -> int:
    """Write the tables as one PDF, each on pages of its own with its pictures after it; return how many pages."""
    grids = [(grid, _pages(grid), _albums(grid.sheet)) for grid in map(_grid, sheets)]
    count = sum(len(pages) + len(albums) for _, pages, albums in grids)
    canvas = Canvas(out, pagesize=(WIDTH, HEIGHT), invariant=1)
    canvas.setTitle(title or f"{sheets[0].number} {sheets[0].title}")
    number = 0
    for grid, pages, albums in grids:
        for place, lines in enumerate(pages, 1):
            number += 1
            _draw_page(canvas, grid, lines, number, count, is_last=place == len(pages))
        for pictures in albums:
            number += 1
            _draw_pictures(canvas, grid.sheet, pictures)
            _end_page(canvas, grid.sheet, number, count)
    canvas.save()
    return count


def _albums(sheet: Sheet) -> list[Sequence[Picture]]:
    return [sheet.pictures[at : at + PICTURES] for at in range(0, len(sheet.pictures), PICTURES)]


# --- measuring


def _grid(sheet: Sheet) -> _Grid:
    """Fit the columns to the page, in letters as large as they may be: what keeps whole first, then the rest."""
    asked = sum(heading.width for heading in sheet.headings)
    room = WIDTH - 2 * SIDE
    size = max(SMALLEST, min(LARGEST, room / asked / 0.6))
    widths = [room * heading.width / asked for heading in sheet.headings]
    whole = {
        place: _whole_width(sheet, place, size)
        for place, each in enumerate(sheet.headings)
        if each.keeps_whole
    }
    rest = {place: each.width for place, each in enumerate(sheet.headings) if place not in whole}
    if rest and sum(whole.values()) < room * 2 / 3:
        left = room - sum(whole.values())
        widths = [
            whole[place] if place in whole else left * rest[place] / sum(rest.values())
            for place in range(len(sheet.headings))
        ]
    return _Grid(sheet, size, widths)


def _whole_width(sheet: Sheet, place: int, size: float) -> float:
    """Return what a column takes to break none of its texts; a heading has three letters side by side."""
    texts = [row[place] for row in (*sheet.rows, *([sheet.totals] if sheet.totals else []))]
    longest = max((sum(map(_width_of, text)) for text in texts), default=0.0)
    return max(longest, 3.0) * size + 2 * PAD + 0.5


def _line(grid: _Grid, texts: Sequence[str], *, is_total: bool = False) -> _Line:
    cells = [broken(text, width - 2 * PAD, grid.size) for text, width in zip(texts, grid.widths, strict=True)]
    return _Line(cells, max(map(len, cells)) * grid.leading + 2 * PAD, is_total)


def _has_groups(grid: _Grid) -> bool:
    return any(heading.group for heading in grid.sheet.headings)


def _head_heights(grid: _Grid) -> tuple[float, float]:
    """Return the heights of the line of groups and of the line of labels."""
    labels = max(
        len(broken(heading.label, width - 2 * PAD, grid.size))
        for heading, width in zip(grid.sheet.headings, grid.widths, strict=True)
    )
    groups = max(
        (len(broken(name, wide - 2 * PAD, grid.size)) for _, wide, name in _groups(grid) if name), default=0
    )
    return (
        groups * grid.leading + 2 * PAD if _has_groups(grid) else 0.0,
        labels * grid.leading + 2 * PAD,
    )


def _groups(grid: _Grid) -> list[tuple[float, float, str]]:
    """Return the groups of columns by (left, width, name); a column without one stands alone."""
    found: list[tuple[float, float, str]] = []
    for heading, left, width in zip(grid.sheet.headings, grid.lefts, grid.widths, strict=True):
        if heading.group and found and found[-1][2] == heading.group:
            found[-1] = (found[-1][0], found[-1][1] + width, heading.group)
        else:
            found.append((left, width, heading.group))
    return found


def _above(grid: _Grid) -> float:
    """Return how much of a page title, facts and headings take."""
    return 24 + 11 * len(_fact_lines(grid)) + 6 + sum(_head_heights(grid))


def _pages(grid: _Grid) -> list[list[_Line]]:
    """Spread the lines over pages; the last line stands with what is beneath the table."""
    room = HEIGHT - TOP - FOOT - _above(grid)
    lines = [_line(grid, row) for row in grid.sheet.rows]
    if grid.sheet.totals:
        lines.append(_line(grid, grid.sheet.totals, is_total=True))
    pages: list[list[_Line]] = [[]]
    taken = 0.0
    for line in lines:
        if taken + line.height > room and pages[-1]:
            pages.append([])
            taken = 0.0
        pages[-1].append(line)
        taken += line.height
    if taken + _beneath(grid) > room:
        pages.append([pages[-1].pop()] if len(pages[-1]) > 1 else [])
    return pages


def _beneath(grid: _Grid) -> float:
    remarks = len(_remark_lines(grid)) * 10
    return remarks + (30 if grid.sheet.signatures else 0) + (20 if not grid.sheet.rows else 0) + 8


def _remark_lines(grid: _Grid) -> list[str]:
    """Return the remarks, numbered and broken to the width of the page."""
    found = []
    for number, remark in enumerate(grid.sheet.remarks, 1):
        found += broken(f"注{number}：{remark}", WIDTH - 2 * SIDE, 7.5)
    return found


def _fact_lines(grid: _Grid) -> list[str]:
    return broken("　　".join(f"{label}：{said}" for label, said in grid.sheet.facts), WIDTH - 2 * SIDE, 8.5)


# --- drawing


def _draw_page(
    canvas: Canvas, grid: _Grid, lines: Sequence[_Line], number: int, of: int, *, is_last: bool
) -> None:
    sheet, font = grid.sheet, font_name()
    canvas.setFillColorRGB(*INK)
    canvas.setFont(font, 13)
    top = HEIGHT - TOP
    canvas.drawCentredString(WIDTH / 2, top - 12, sheet.title)
    canvas.setFont(font, 9)
    canvas.drawString(SIDE, top - 11, sheet.number)
    top -= 24
    canvas.setFont(font, 8.5)
    for text in _fact_lines(grid):
        top -= 11
        canvas.drawString(SIDE, top + 2, text)
    top -= 6
    if lines or not sheet.rows:
        top = _draw_head(canvas, grid, top)
        for line in lines:
            top = _draw_line(canvas, grid, line, top)
        if not sheet.rows:
            top = _draw_nothing(canvas, grid, top)
    if is_last:
        _draw_beneath(canvas, grid, top)
    _end_page(canvas, sheet, number, of)


def _end_page(canvas: Canvas, sheet: Sheet, number: int, of: int) -> None:
    canvas.setFont(font_name(), 7.5)
    canvas.setFillColorRGB(*FAINT)
    canvas.drawString(SIDE, FOOT - 14, sheet.footer)
    canvas.drawRightString(WIDTH - SIDE, FOOT - 14, f"第 {number} 页，共 {of} 页")
    canvas.showPage()


def _draw_pictures(canvas: Canvas, sheet: Sheet, pictures: Sequence[Picture]) -> None:
    """Draw pictures in rows of three, each whole within its field, its caption in two lines beneath."""
    canvas.setFillColorRGB(*INK)
    canvas.setFont(font_name(), 9)
    canvas.drawString(SIDE, HEIGHT - TOP - 11, f"{sheet.number} {sheet.title}　照片")
    width = (WIDTH - 2 * SIDE - (ACROSS - 1) * GAP) / ACROSS
    height = (HEIGHT - TOP - 20 - FOOT) * ACROSS / PICTURES
    for place, picture in enumerate(pictures):
        left = SIDE + place % ACROSS * (width + GAP)
        top = HEIGHT - TOP - 20 - place // ACROSS * height
        canvas.drawImage(
            ImageReader(io.BytesIO(picture.content)), left, top - height + CAPTION, width, height - CAPTION - GAP,
            preserveAspectRatio=True, anchor="sw",
        )  # fmt: skip
        canvas.setFont(font_name(), 7.5)
        for line, text in enumerate(broken(picture.caption, width, 7.5, most=2)):
            canvas.drawString(left, top - height + CAPTION - 10 * (line + 1), text)


def _box(
    canvas: Canvas, left: float, top: float, width: float, height: float, *, shaded: bool = False
) -> None:
    canvas.setLineWidth(0.4)
    canvas.setStrokeColorRGB(*INK)
    canvas.setFillColorRGB(*SHADE)
    canvas.rect(left, top - height, width, height, stroke=1, fill=int(shaded))
    canvas.setFillColorRGB(*INK)


def _draw_centred(
    canvas: Canvas, grid: _Grid, text: str, left: float, top: float, width: float, height: float
) -> None:
    lines = broken(text, width - 2 * PAD, grid.size)
    base = top - (height - len(lines) * grid.leading) / 2 - grid.size * 0.95
    for place, line in enumerate(lines):
        canvas.drawCentredString(left + width / 2, base - place * grid.leading, line)


def _draw_head(canvas: Canvas, grid: _Grid, top: float) -> float:
    over, labels = _head_heights(grid)
    canvas.setFont(font_name(), grid.size)
    for left, width, name in _groups(grid):
        if name:
            _box(canvas, left, top, width, over, shaded=True)
            _draw_centred(canvas, grid, name, left, top, width, over)
    for heading, left, width in zip(grid.sheet.headings, grid.lefts, grid.widths, strict=True):
        begins, high = (top - over, labels) if heading.group else (top, over + labels)
        _box(canvas, left, begins, width, high, shaded=True)
        _draw_centred(canvas, grid, heading.label, left, begins, width, high)
    return top - over - labels


def _draw_line(canvas: Canvas, grid: _Grid, line: _Line, top: float) -> float:
    canvas.setFont(font_name(), grid.size)
    for heading, cell, left, width in zip(
        grid.sheet.headings, line.cells, grid.lefts, grid.widths, strict=True
    ):
        _box(canvas, left, top, width, line.height, shaded=line.is_total)
        base = top - (line.height - len(cell) * grid.leading) / 2 - grid.size * 0.95
        for place, text in enumerate(cell):
            if heading.is_number:
                canvas.drawRightString(left + width - PAD, base - place * grid.leading, text)
            else:
                canvas.drawString(left + PAD, base - place * grid.leading, text)
    return top - line.height


def _draw_nothing(canvas: Canvas, grid: _Grid, top: float) -> float:
    _box(canvas, SIDE, top, WIDTH - 2 * SIDE, 20)
    canvas.setFont(font_name(), 8.5)
    canvas.drawCentredString(WIDTH / 2, top - 13, NOTHING)
    return top - 20


def _draw_beneath(canvas: Canvas, grid: _Grid, top: float) -> None:
    canvas.setFont(font_name(), 7.5)
    canvas.setFillColorRGB(*FAINT)
    top -= 4
    for text in _remark_lines(grid):
        top -= 10
        canvas.drawString(SIDE, top, text)
    canvas.setFillColorRGB(*INK)
    canvas.setFont(font_name(), 9)
    if grid.sheet.signatures:
        each = (WIDTH - 2 * SIDE) / len(grid.sheet.signatures)
        for place, label in enumerate(grid.sheet.signatures):
            canvas.drawString(SIDE + place * each, top - 24, f"{label}：＿＿＿＿＿＿＿＿＿＿")
