"""How does a picture become pixels?"""

import io
from functools import lru_cache

from PIL import Image, ImageDraw, ImageFont

from wufei.labels.shapes import Box, Colour, Modules, Picture, Polygon, Words, bounds, merged
from wufei.paper.fonts import FILE

MM_PER_INCH = 25.4
DPI = 300
_FINER = 4  # polygons are drawn so much larger, and made smaller again: smooth edges


def png(picture: Picture, *, dpi: int = DPI) -> bytes:
    """Return the picture as a PNG that knows its true size; the same bytes for the same picture."""
    to = io.BytesIO()
    image(picture, per_mm=dpi / MM_PER_INCH).save(to, "PNG", dpi=(dpi, dpi), optimize=False)
    return to.getvalue()


def image(picture: Picture, *, per_mm: float, on_stock: bool = False) -> Image.Image:
    """
    Return the picture in pixels; `on_stock`: for a printer of one colour, on material that has the ground already.

    Then whatever is not black is left to the material.
    """
    size = (round(picture.width * per_mm), round(picture.height * per_mm))
    drawn = Image.new("L" if on_stock else "RGB", size, 255 if on_stock else Colour.WHITE.value)
    pen = ImageDraw.Draw(drawn)
    for shape in picture.shapes:
        match shape:
            case Box():
                left, top, right, bottom = (round(edge * per_mm) for edge in bounds(shape))
                right, bottom = max(right, left + 1), max(bottom, top + 1)
                pen.rectangle((left, top, right - 1, bottom - 1), fill=_ink(shape.fill, on_stock))
            case Polygon():
                _fill(drawn, shape, per_mm, on_stock)
            case Words():
                at = (shape.x * per_mm, shape.y * per_mm)
                pen.text(
                    at,
                    shape.text,
                    font=_font(shape.em * per_mm),
                    fill=_ink(shape.colour, on_stock),
                    anchor="ls",
                )
            case Modules():
                _modules(pen, shape, per_mm, on_stock)
    return drawn


def _ink(colour: Colour, on_stock: bool) -> int | tuple[int, int, int]:
    if not on_stock:
        return colour.value
    return 0 if colour in (Colour.BLACK, Colour.GREY) else 255


@lru_cache(maxsize=64)
def _font(em: float) -> ImageFont.FreeTypeFont:
    # The basic layout: no kerning, so that a line is as wide as in the PDF.
    return ImageFont.truetype(FILE, em, layout_engine=ImageFont.Layout.BASIC)


def _fill(drawn: Image.Image, shape: Polygon, per_mm: float, on_stock: bool) -> None:
    left, top, right, bottom = bounds(shape)
    x0, y0 = int(left * per_mm) - 1, int(top * per_mm) - 1
    x1, y1 = int(right * per_mm) + 2, int(bottom * per_mm) + 2
    mask = Image.new("L", ((x1 - x0) * _FINER, (y1 - y0) * _FINER))
    points = [((x * per_mm - x0) * _FINER, (y * per_mm - y0) * _FINER) for x, y in shape.points]
    ImageDraw.Draw(mask).polygon(points, fill=255)
    mask = mask.resize((x1 - x0, y1 - y0), Image.Resampling.BOX)
    drawn.paste(_ink(shape.fill, on_stock), (x0, y0), mask)


def _modules(pen: ImageDraw.ImageDraw, shape: Modules, per_mm: float, on_stock: bool) -> None:
    """Every module is equally many whole pixels: a scanner reads what a printer's dots can hold."""
    count = len(shape.rows)
    dots = max(int(shape.side * per_mm) // count, 1)
    x0 = round(shape.x * per_mm + (shape.side * per_mm - dots * count) / 2)
    y0 = round(shape.y * per_mm + (shape.side * per_mm - dots * count) / 2)
    for row, start, length in merged(shape.rows):
        x, y = x0 + start * dots, y0 + row * dots
        pen.rectangle((x, y, x + length * dots - 1, y + dots - 1), fill=_ink(Colour.BLACK, on_stock))
