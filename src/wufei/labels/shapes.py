"""
What is drawn where, on no paper in particular: a picture is shapes in millimetres from its upper left corner.

`pdf`, `png` and `zpl` each put the same shapes on paper, so that a label looks alike wherever it is printed.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from reportlab.pdfbase.pdfmetrics import stringWidth

from wufei.paper.fonts import font_name

Point = tuple[float, float]

# Of the em, in our typeface: a Chinese character is so high, and stands so far below the baseline.
HAN_HEIGHT = 0.885
HAN_DEPTH = 0.085


class Colour(Enum):
    """A colour and its RGB."""

    BLACK = (0, 0, 0)
    WHITE = (255, 255, 255)
    ORANGE = (255, 150, 0)  # 橘黄 of HJ 1276
    YELLOW = (255, 255, 0)
    RED = (255, 0, 0)
    GREEN = (0, 120, 60)  # 提示标志的绿: our reading
    GREY = (110, 110, 110)


@dataclass(frozen=True, slots=True)
class Box:
    x: float
    y: float
    width: float
    height: float
    fill: Colour


@dataclass(frozen=True, slots=True)
class Polygon:
    points: tuple[Point, ...]
    fill: Colour


@dataclass(frozen=True, slots=True)
class Words:
    """One line of text; `y` is its baseline."""

    x: float
    y: float
    text: str
    em: float
    colour: Colour = Colour.BLACK

    @property
    def width(self) -> float:
        return width_of(self.text, self.em)


@dataclass(frozen=True, slots=True)
class Modules:
    """A square of QR modules, True where dark; its quiet zone is left free around it."""

    x: float
    y: float
    side: float
    rows: tuple[tuple[bool, ...], ...]


Shape = Box | Polygon | Words | Modules


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A label or sign at its true size."""

    width: float
    height: float
    shapes: tuple[Shape, ...]
    cut: tuple[str, ...] = ()  # contents that did not fit even at the smallest text, and end in an ellipsis
    em: float = 0  # of its contents


# --- text


def width_of(text: str, em: float) -> float:
    """Return how wide a line is."""
    return float(stringWidth(text, font_name(), em))


def em_for_height(height: float) -> float:
    """Return the em at which a Chinese character is so high."""
    return height / HAN_HEIGHT


_STAYS_BEHIND = frozenset("，。、；：？！）》」』”’…,.;:?!)%")  # never first on a line


def wrapped(text: str, em: float, width: float) -> list[str]:
    """Break a text into lines that are no wider; a Latin word or number is kept whole where it fits on a line."""
    lines: list[str] = []
    line = ""
    for part in _unbreakable(text):
        if width_of(line + part, em) <= width:
            line += part
            continue
        if part[0] in _STAYS_BEHIND and line:
            line, part = line[:-1], line[-1] + part
        if line:
            lines.append(line.rstrip())
        line = part.lstrip()
        while width_of(line, em) > width and len(line) > 1:
            fits = _how_many_fit(line, em, width)
            lines.append(line[:fits])
            line = line[fits:]
    return [*lines, line.rstrip()] if line.strip() or not lines else lines


def _unbreakable(text: str) -> Iterator[str]:
    """Yield the parts between which a line may break."""
    part = ""
    for character in " ".join(text.split()):
        is_latin = character.isascii() and character != " "
        if part and not (is_latin and part[-1].isascii() and part[-1] != " "):
            yield part
            part = ""
        part += character
    if part:
        yield part


def _how_many_fit(text: str, em: float, width: float) -> int:
    fits = 1
    while fits < len(text) and width_of(text[: fits + 1], em) <= width:
        fits += 1
    return fits


def shortened(text: str, em: float, width: float) -> str:
    """Return the text, or as much of its beginning as fits on one line, with an ellipsis."""
    if width_of(text, em) <= width:
        return text
    while text and width_of(text + "…", em) > width:
        text = text[:-1]
    return text + "…"


# --- forms


SIDES = 64  # of what is drawn for an ellipse
STEPS = 16  # of what is drawn for one curve


def ellipse(x: float, y: float, rx: float, ry: float, *, turn: float = 0) -> tuple[Point, ...]:
    """Return an ellipse about a point, turned by degrees."""
    cos, sin = math.cos(math.radians(turn)), math.sin(math.radians(turn))
    points = []
    for at in range(SIDES):
        angle = 2 * math.pi * at / SIDES
        dx, dy = rx * math.cos(angle), ry * math.sin(angle)
        points.append((x + dx * cos - dy * sin, y + dx * sin + dy * cos))
    return tuple(points)


def bar(start: Point, end: Point, width: float) -> tuple[Point, ...]:
    """Return a straight bar of a width, cut square at both ends."""
    (ax, ay), (bx, by) = start, end
    length = math.hypot(bx - ax, by - ay)
    nx, ny = (by - ay) / length * width / 2, (ax - bx) / length * width / 2
    return ((ax + nx, ay + ny), (bx + nx, by + ny), (bx - nx, by - ny), (ax - nx, ay - ny))


def curve(*controls: Point) -> tuple[Point, ...]:
    """Return a chain of cubic curves: a start, then three points for each; the last closes on the first."""
    points: list[Point] = []
    for at in range(0, len(controls) - 3, 3):
        a, b, c, d = controls[at : at + 4]
        for step in range(STEPS):
            t = step / STEPS
            u = 1 - t
            points.append(
                (
                    u**3 * a[0] + 3 * u * u * t * b[0] + 3 * u * t * t * c[0] + t**3 * d[0],
                    u**3 * a[1] + 3 * u * u * t * b[1] + 3 * u * t * t * c[1] + t**3 * d[1],
                )
            )
    return (*points, controls[-1])


def placed(shapes: Iterable[Polygon], *, x: float, y: float, scale: float) -> list[Polygon]:
    """Return shapes drawn about (0, 0), made larger and moved."""
    return [Polygon(tuple((x + px * scale, y + py * scale) for px, py in s.points), s.fill) for s in shapes]


def frame(x: float, y: float, width: float, height: float, line: float, colour: Colour) -> list[Box]:
    """Return a border whose outer edge is the rectangle."""
    return [
        Box(x, y, width, line, colour),
        Box(x, y + height - line, width, line, colour),
        Box(x, y + line, line, height - 2 * line, colour),
        Box(x + width - line, y + line, line, height - 2 * line, colour),
    ]


def bounds(shape: Shape) -> tuple[float, float, float, float]:
    """Return left, top, right and bottom of a shape; of words by the height of Chinese characters."""
    match shape:
        case Box(x, y, width, height, _):
            return x, y, x + width, y + height
        case Modules(x, y, side, _):
            return x, y, x + side, y + side
        case Polygon(points, _):
            return (
                min(px for px, _ in points), min(py for _, py in points),
                max(px for px, _ in points), max(py for _, py in points),
            )  # fmt: skip
        case Words():
            top = shape.y - (HAN_HEIGHT - HAN_DEPTH) * shape.em
            return shape.x, top, shape.x + shape.width, shape.y + HAN_DEPTH * shape.em


def merged(rows: Sequence[Sequence[bool]]) -> Iterator[tuple[int, int, int]]:
    """Yield the runs of dark modules: row, first column, how many."""
    for row, cells in enumerate(rows):
        start: int | None = None
        for column, is_dark in enumerate((*cells, False)):
            if is_dark and start is None:
                start = column
            elif not is_dark and start is not None:
                yield row, start, column - start
                start = None
