"""
What do the signs of a store look like?

Three kinds: of the zone in which hazardous waste stands, of a facility for hazardous waste (both HJ 1276), of a place
for general waste (GB 15562.2). Sizes, grounds and arrangement are from memory: **unverified**, and each sign's page
says so.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from wufei.labels.pictograms import Hazard, pictogram, warning_triangle
from wufei.labels.shapes import (
    HAN_DEPTH,
    HAN_HEIGHT,
    Box,
    Colour,
    Picture,
    Point,
    Polygon,
    Shape,
    Words,
    bar,
    frame,
    placed,
    shortened,
    width_of,
    wrapped,
)
from wufei.labels.sizes import sign_size_for

ARE_VERIFIED = False
MOST_WASTES = 6  # named one by one on a zone's sign


class SignKind(StrEnum):
    ZONE = "ZONE"  # 危险废物贮存分区标志
    FACILITY = "FACILITY"  # 危险废物贮存设施标志
    GENERAL = "GENERAL"  # 一般固体废物提示标志


TITLES = {
    SignKind.ZONE: "危险废物贮存分区标志",
    SignKind.FACILITY: "危险废物贮存设施",
    SignKind.GENERAL: "一般固体废物",
}
# Width and height in millimetres, and from how far one may look; of the general sign GB 15562.2 knows one size.
_FACILITY_SIZES: tuple[tuple[Decimal, float, float], ...] = (
    (Decimal(0), 300, 186),
    (Decimal(4), 600, 372),
    (Decimal(10), 900, 558),
)
_GENERAL_SIZE = (480.0, 300.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waste:
    """A hazardous waste that stands in a zone."""

    name: str
    waste_code: str
    hazards: tuple[Hazard, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """What a sign says."""

    kind: SignKind
    organisation: str
    store: str
    store_code: str
    contact: str
    distance_m: Decimal
    wastes: tuple[Waste, ...] = ()


def picture(sign: Sign) -> Picture:
    """Return the sign at its true size."""
    match sign.kind:
        case SignKind.ZONE:
            return _zone(sign)
        case SignKind.FACILITY:
            return _facility(sign)
        case SignKind.GENERAL:
            return _general(sign)


def _zone(sign: Sign) -> Picture:
    side = float(sign_size_for(sign.distance_m).side_mm)
    unit = side / 100
    shapes: list[Shape] = [
        Box(0, 0, side, side, Colour.YELLOW),
        *frame(unit * 1.5, unit * 1.5, side - unit * 3, side - unit * 3, unit, Colour.BLACK),
        *_centred(TITLES[sign.kind], side / 2, unit * 5, unit * 7.6, side - unit * 8),
        Box(unit * 2.5, unit * 15.5, side - unit * 5, unit * 0.4, Colour.BLACK),
        *_lines(
            (f"{sign.store}  {sign.store_code}", sign.organisation),
            unit * 6,
            unit * 18,
            unit * 5,
            side - unit * 12,
        ),
    ]
    shown = sign.wastes[:MOST_WASTES]
    top, bottom = unit * 32, side - unit * 12
    rows = max(len(shown), 3)
    height = (bottom - top) / rows
    for at, waste in enumerate(shown):
        shapes += _waste(waste, unit * 5, top + at * height, side - unit * 10, height - unit * 1.2, unit)
    left_out = len(sign.wastes) - len(shown)
    foot = f"另有 {left_out} 种，见台账。　" if left_out else ""
    shapes += _lines(
        (f"{foot}负责人：{sign.contact}",), unit * 6, side - unit * 10, unit * 4.2, side - unit * 12
    )
    return Picture(width=side, height=side, shapes=tuple(shapes))


def _waste(waste: Waste, x: float, y: float, width: float, height: float, unit: float) -> list[Shape]:
    """One block in orange: name and code, and the hazards beside them."""
    shapes: list[Shape] = [
        Box(x, y, width, height, Colour.BLACK),
        Box(x + unit * 0.3, y + unit * 0.3, width - unit * 0.6, height - unit * 0.6, Colour.ORANGE),
    ]
    reach = min(height * 0.42, unit * 7)
    taken = len(waste.hazards) * reach * 2.1
    for at, hazard in enumerate(waste.hazards):
        middle = x + width - unit * 1.5 - taken + reach * 1.05 + at * reach * 2.1
        shapes += placed(pictogram(hazard), x=middle, y=y + height / 2, scale=reach)
    em = min(height * 0.34, unit * 5.2)
    room = width - taken - unit * 5
    top = y + (height - 2.4 * em) / 2
    return [*shapes, *_lines((waste.name, waste.waste_code), x + unit * 2, top, em, room)]


def _facility(sign: Sign) -> Picture:
    _, width, height = next(
        size for size in reversed(_FACILITY_SIZES) if sign.distance_m > size[0] or not size[0]
    )
    unit = height / 100
    reach = unit * 31
    right = unit * 78
    room = width - right - unit * 7
    title_em = min(unit * 14, room / len(TITLES[sign.kind]))
    said = (
        f"单位名称：{sign.organisation}", f"设施名称：{sign.store}", f"设施编码：{sign.store_code}",
        f"负责人及联系方式：{sign.contact}",
    )  # fmt: skip
    shapes: list[Shape] = [
        Box(0, 0, width, height, Colour.YELLOW),
        *frame(unit * 2, unit * 2, width - unit * 4, height - unit * 4, unit * 1.6, Colour.BLACK),
        *placed(warning_triangle(), x=unit * 41, y=unit * 44, scale=reach),
        *_centred("危险废物", unit * 41, unit * 76, unit * 12, unit * 60),
        Words(right, unit * 24, TITLES[sign.kind], title_em),
        Box(right, unit * 30, room, unit * 0.6, Colour.BLACK),
    ]
    return Picture(
        width=width,
        height=height,
        shapes=(*shapes, *_filled(said, right, unit * 35, room, unit * 56, unit * 7)),
    )


def _general(sign: Sign) -> Picture:
    width, height = _GENERAL_SIZE
    unit = height / 100
    right = unit * 72
    room = width - right - unit * 7
    said = (f"单位名称：{sign.organisation}", f"设施名称：{sign.store}", f"设施编码：{sign.store_code}")
    shapes: list[Shape] = [
        Box(0, 0, width, height, Colour.GREEN),
        *frame(unit * 2, unit * 2, width - unit * 4, height - unit * 4, unit * 1.2, Colour.WHITE),
        *placed(_heap(), x=unit * 38, y=unit * 48, scale=unit * 30),
        Words(
            right, unit * 30, TITLES[sign.kind], min(unit * 13.5, room / len(TITLES[sign.kind])), Colour.WHITE
        ),
        Box(right, unit * 37, room, unit * 0.6, Colour.WHITE),
    ]
    said_in_white = _filled(said, right, unit * 42, room, unit * 46, unit * 7, Colour.WHITE)
    return Picture(width=width, height=height, shapes=(*shapes, *said_in_white))


def _heap() -> list[Polygon]:
    """A heap on the ground, and a bucket that tips onto it."""
    bucket: tuple[Point, ...] = ((-0.72, -0.86), (0.02, -0.62), (-0.06, -0.2), (-0.52, -0.35))
    grains: list[Polygon] = []
    for x, y, size in ((0.16, -0.36, 0.07), (0.3, -0.16, 0.06), (0.08, -0.08, 0.06), (0.27, 0.06, 0.05)):
        grains.append(Polygon(((x, y - size), (x + size, y), (x, y + size), (x - size, y)), Colour.WHITE))
    heap: tuple[Point, ...] = (
        (-0.86, 0.72), (-0.5, 0.44), (-0.3, 0.5), (-0.02, 0.2), (0.24, 0.22), (0.44, 0.46), (0.6, 0.44), (0.9, 0.72),
    )  # fmt: skip
    return [
        Polygon(bucket, Colour.WHITE),
        Polygon(bar((-0.98, -0.6), (-0.6, -0.5), 0.09), Colour.WHITE),
        *grains,
        Polygon(heap, Colour.WHITE),
        Polygon(((-1, 0.8), (1, 0.8), (1, 0.88), (-1, 0.88)), Colour.WHITE),
    ]


def _centred(text: str, middle: float, top: float, em: float, room: float) -> list[Words]:
    em = min(em, em * room / width_of(text, em))
    y = top + HAN_HEIGHT * em - HAN_DEPTH * em
    return [Words(middle - width_of(text, em) / 2, y, text, em)]


def _lines(texts: Sequence[str], x: float, top: float, em: float, room: float) -> list[Words]:
    """One line for each text, made smaller down to two thirds where it is too long, and then cut."""
    drawn = []
    for at, text in enumerate(texts):
        wide = width_of(text, em)
        size = em if wide <= room else max(em * room / wide, em * 0.66)
        y = top + at * em * 1.3 + HAN_HEIGHT * em - HAN_DEPTH * em
        drawn.append(Words(x, y, shortened(text, size, room), size))
    return drawn


def _filled(
    texts: Sequence[str],
    x: float,
    top: float,
    room: float,
    height: float,
    em: float,
    colour: Colour = Colour.BLACK,
) -> list[Words]:
    """Set the texts as large as they fit, broken where they must."""
    while True:
        lines = [line for text in texts for line in wrapped(text, em, room)]
        if len(lines) * em * 1.3 <= height:
            break
        em *= 0.95
    return [
        Words(x, top + at * em * 1.3 + HAN_HEIGHT * em, line, em, colour) for at, line in enumerate(lines)
    ]
