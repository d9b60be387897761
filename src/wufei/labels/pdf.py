"""How does a picture become a PDF: alone at its true size, or many on sheets of A4?"""

import io
from collections.abc import Sequence

from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

from wufei.labels.shapes import Box, Colour, Modules, Picture, Polygon, Words, merged
from wufei.paper.fonts import font_name

A4 = (210.0, 297.0)
MARGIN_MM = 4  # what an office printer leaves white
GAP_MM = 2
CREATOR = "Wufei 无废"


def single(pictures: Sequence[Picture], *, title: str) -> bytes:
    """Return one page for each picture, just as large as it."""
    to = io.BytesIO()
    canvas = _canvas(to, title)
    for picture in pictures:
        canvas.setPageSize((picture.width * mm, picture.height * mm))
        _draw(canvas, picture, 0, 0, picture.height)
        canvas.showPage()
    canvas.save()
    return to.getvalue()


def sheet(pictures: Sequence[Picture], *, title: str) -> bytes:
    """Return A4 pages with as many pictures at their true size as fit, marked where to cut."""
    to = io.BytesIO()
    canvas = _canvas(to, title)
    canvas.setPageSize((A4[0] * mm, A4[1] * mm))
    for page in arranged(pictures):
        for picture, x, y in page:
            _draw(canvas, picture, x, y, A4[1])
            _cutting_marks(canvas, picture, x, y)
        canvas.showPage()
    canvas.save()
    return to.getvalue()


def arranged(pictures: Sequence[Picture]) -> list[list[tuple[Picture, float, float]]]:
    """Return the pages: which picture is where, in the order given; rows from the top, each as high as its highest."""
    pages: list[list[tuple[Picture, float, float]]] = [[]]
    left = top = float(MARGIN_MM)
    row_height = 0.0
    for picture in pictures:
        assert max(picture.width + 2 * MARGIN_MM, picture.height + 2 * MARGIN_MM) <= A4[1], "fits on A4"
        if left > MARGIN_MM and left + picture.width > A4[0] - MARGIN_MM:
            left, top, row_height = float(MARGIN_MM), top + row_height + GAP_MM, 0.0
        if top > MARGIN_MM and top + picture.height > A4[1] - MARGIN_MM:
            pages.append([])
            left, top, row_height = float(MARGIN_MM), float(MARGIN_MM), 0.0
        pages[-1].append((picture, left, top))
        left += picture.width + GAP_MM
        row_height = max(row_height, picture.height)
    return pages


def _canvas(to: io.BytesIO, title: str) -> Canvas:
    canvas = Canvas(to, invariant=1, pageCompression=1)
    canvas.setTitle(title)
    canvas.setCreator(CREATOR)
    canvas.setAuthor(CREATOR)
    return canvas


def _draw(canvas: Canvas, picture: Picture, x0: float, y0: float, page_height: float) -> None:
    """Draw from the upper left corner; PDF counts from the lower left one."""

    def x(value: float) -> float:
        return (x0 + value) * mm

    def y(value: float) -> float:
        return (page_height - y0 - value) * mm

    for shape in picture.shapes:
        match shape:
            case Box():
                _ink(canvas, shape.fill)
                canvas.rect(x(shape.x), y(shape.y + shape.height), shape.width * mm, shape.height * mm, 0, 1)
            case Polygon():
                _ink(canvas, shape.fill)
                path = canvas.beginPath()
                path.moveTo(x(shape.points[0][0]), y(shape.points[0][1]))
                for px, py in shape.points[1:]:
                    path.lineTo(x(px), y(py))
                path.close()
                canvas.drawPath(path, stroke=0, fill=1)
            case Words():
                _ink(canvas, shape.colour)
                canvas.setFont(font_name(), shape.em * mm)
                canvas.drawString(x(shape.x), y(shape.y), shape.text)
            case Modules():
                _ink(canvas, Colour.BLACK)
                cell = shape.side / len(shape.rows)
                path = canvas.beginPath()
                for row, start, length in merged(shape.rows):
                    left, bottom = shape.x + start * cell, shape.y + (row + 1) * cell
                    path.rect(x(left), y(bottom), length * cell * mm, cell * mm)
                canvas.drawPath(path, stroke=0, fill=1)


def _ink(canvas: Canvas, colour: Colour) -> None:
    canvas.setFillColorRGB(*(part / 255 for part in colour.value))


def _cutting_marks(canvas: Canvas, picture: Picture, x: float, y: float) -> None:
    """Thin lines along the edges: outside them nothing belongs to the label."""
    canvas.setLineWidth(0.2)
    canvas.setDash(2, 3)
    canvas.setStrokeColorRGB(0.6, 0.6, 0.6)
    canvas.rect(x * mm, (A4[1] - y - picture.height) * mm, picture.width * mm, picture.height * mm, 1, 0)
    canvas.setDash()
