"""
What does the label of a container with hazardous waste look like, by HJ 1276-2022?

Contents, colours and sizes are of secondary sources; how the contents are arranged is ours.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from wufei.labels import qr
from wufei.labels.digital_id import DigitalId
from wufei.labels.fields import Block, Field, fit, set_block
from wufei.labels.payload import Payload
from wufei.labels.pictograms import HAZARD_WORDS, Hazard, pictogram
from wufei.labels.shapes import (
    HAN_DEPTH,
    HAN_HEIGHT,
    Box,
    Colour,
    Picture,
    Shape,
    Words,
    em_for_height,
    frame,
    placed,
    width_of,
)
from wufei.labels.sizes import BLANK_MM, BORDER_MM, LabelSize, size_for

TITLE = "危险废物"
GRAMS_PER_KILOGRAM = 1000
_LARGEST = 1.3  # of the smallest text
_THIN = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class HazardLabel:
    """What stands on the label of one container."""

    digital_id: DigitalId
    name: str
    category: str  # HW08
    physical_form: str
    main_components: str
    harmful_components: str
    precautions: str
    organisation: str
    contact: str  # person and telephone
    mass_g: int | None  # None: to be written by hand
    hazards: tuple[Hazard, ...]
    volume_ml: int | None = None
    remarks: str = ""
    lot: str = ""

    @property
    def size(self) -> LabelSize:
        return size_for(self.volume_ml)

    @property
    def payload(self) -> Payload:
        number = self.digital_id
        return Payload(
            digital_id=number, uscc=number.uscc, waste_code=number.waste_code, lot=self.lot,
            hazards=tuple(hazard.value for hazard in self.hazards), mass_g=self.mass_g, volume_ml=self.volume_ml,
            on=number.on,
        )  # fmt: skip


def picture(label: HazardLabel) -> Picture:
    """Return the label at its true size."""
    size = label.size
    side = float(size.side_mm)
    line = max(float(BORDER_MM), side / 100)
    edge = BLANK_MM + line  # where the inside of the border begins
    inner = side - 2 * edge
    pad = side * 0.013
    title_height = side * 0.105
    beside = side * (0.28 if len(label.hazards) < 3 else 0.335)  # what the pictograms take
    code = side * 0.25
    blocks = _blocks(label, inner=inner, pad=pad, beside=beside, code=code)
    least = em_for_height(size.least_text_mm)
    setting = fit(
        blocks, height=inner - title_height, padding=pad * 0.6, largest_em=least * _LARGEST, least_em=least
    )
    shapes: list[Shape] = [
        Box(0, 0, side, side, Colour.ORANGE),
        *frame(BLANK_MM, BLANK_MM, side - 2 * BLANK_MM, side - 2 * BLANK_MM, line, Colour.BLACK),
        *_title(edge, inner, title_height),
    ]
    y = edge + title_height
    tops = []
    for block, height in zip(blocks, setting.heights, strict=True):
        shapes.append(Box(edge, y, inner, _THIN, Colour.BLACK))
        shapes += set_block(block, setting, x=edge + pad, y=y, height=height)
        tops.append((y, height))
        y += height
    right = edge + inner - beside
    (top, high), (bottom, low) = tops[0], tops[-1]
    shapes.append(Box(right, top, _THIN, high, Colour.BLACK))
    shapes += _hazards(label.hazards, right + _THIN, top + _THIN, beside - _THIN, high - _THIN, least)
    shapes += qr.drawn(
        str(label.payload), x=edge + inner - pad - code, y=bottom + (low + _THIN - code) / 2, side=code
    )
    return Picture(width=side, height=side, shapes=tuple(shapes), cut=setting.cut, em=setting.em)


def _blocks(label: HazardLabel, *, inner: float, pad: float, beside: float, code: float) -> tuple[Block, ...]:
    """Return the contents: beside the pictograms, as wide as the label, and beside the code."""
    number = label.digital_id
    return (
        Block(
            fields=(
                Field(name="废物名称", text=label.name),
                Field(name="废物类别", text=label.category, may_be_cut=False),
                Field(name="废物代码", text=number.waste_code, may_be_cut=False),
                Field(name="废物形态", text=label.physical_form),
                Field(name="主要成分", text=label.main_components),
            ),
            width=inner - beside - 2 * pad,
            least_height=beside * 0.9,
        ),
        Block(
            fields=(
                Field(name="有害成分", text=label.harmful_components),
                Field(name="注意事项", text=label.precautions),
                Field(name="数字识别码", text=number.grouped, may_be_cut=False),
                Field(name="产生/收集单位", text=label.organisation),
            ),
            width=inner - 2 * pad,
        ),
        Block(
            fields=(
                Field(name="联系人和联系方式", text=label.contact),
                Field(name="产生日期", text=chinese_day(number.on), may_be_cut=False),
                Field(name="废物重量", text=kilograms(label.mass_g), may_be_cut=False),
                Field(name="备注", text=label.remarks),
            ),
            width=inner - code - 3 * pad,
            least_height=code + 2 * pad,
        ),
    )


def _title(edge: float, inner: float, height: float) -> list[Shape]:
    em = height * 0.74
    gap = em * 0.28  # the four characters stand apart
    width = width_of(TITLE, em) + gap * (len(TITLE) - 1)
    x = edge + (inner - width) / 2
    y = edge + (height + HAN_HEIGHT * em) / 2 - HAN_DEPTH * em
    return [Words(x + at * (em + gap), y, character, em) for at, character in enumerate(TITLE)]


def _hazards(
    hazards: Sequence[Hazard], x: float, y: float, width: float, height: float, em: float
) -> list[Shape]:
    """Return the pictograms, each above its word, in as few rows as keep them large."""
    if not hazards:
        return []
    columns, rows, reach = max(
        (_grid(len(hazards), columns, width, height, em) for columns in range(1, len(hazards) + 1)),
        key=lambda grid: grid[2],
    )
    shapes: list[Shape] = []
    for at, hazard in enumerate(hazards):
        row, column = divmod(at, columns)
        in_row = min(columns, len(hazards) - row * columns)
        cell, tall = width / in_row, height / rows
        middle = x + column * cell + cell / 2
        top = y + row * tall + (tall - 2 * reach - em) / 2
        shapes += placed(pictogram(hazard), x=middle, y=top + reach, scale=reach)
        word = HAZARD_WORDS[hazard]
        shapes.append(Words(middle - width_of(word, em) / 2, top + 2 * reach + HAN_HEIGHT * em, word, em))
    return shapes


def _grid(count: int, columns: int, width: float, height: float, em: float) -> tuple[int, int, float]:
    rows = -(-count // columns)
    tall = height / rows - em * 1.15
    word = 3 * em * 1.06  # 腐蚀性
    wide = width / columns
    return columns, rows, (min(wide * 0.94, tall * 0.94) / 2 if wide >= word else tall * 0.05)


def chinese_day(day: date) -> str:
    """
    >>> chinese_day(date(2026, 7, 1))
    '2026年7月1日'
    """
    return f"{day.year}年{day.month}月{day.day}日"


def kilograms(mass_g: int | None) -> str:
    """
    Return a mass as a label says it; without one, room to write it.

    >>> kilograms(185_000), kilograms(185_500), kilograms(None)
    ('185 kg', '185.5 kg', '＿＿＿＿ kg')
    """
    if mass_g is None:
        return "＿＿＿＿ kg"
    text = f"{Decimal(mass_g) / GRAMS_PER_KILOGRAM:f}"
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text} kg"
