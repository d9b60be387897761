"""
What does the label of a batch of general industrial waste look like?

No standard asks for one; contents and size are ours. It is white, so that nobody takes it for hazardous waste.
"""

from dataclasses import dataclass
from datetime import date

from wufei.labels import qr
from wufei.labels.fields import Block, Field, fit, set_block
from wufei.labels.hazard_label import chinese_day, kilograms
from wufei.labels.payload import Payload
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
    width_of,
)
from wufei.labels.sizes import BLANK_MM

TITLE = "一般工业固体废物"
WIDTH_MM, HEIGHT_MM = 100, 70
LEAST_TEXT_MM = 3
_LINE = 0.8
_LARGEST = 1.3


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchLabel:
    """What stands on the label of one batch."""

    uscc: str
    lot: str
    name: str
    waste_code: str
    category: str  # SW17
    process: str
    physical_form: str
    organisation: str
    on: date | None
    mass_g: int | None
    volume_ml: int | None = None
    remarks: str = ""

    @property
    def payload(self) -> Payload:
        return Payload(
            digital_id=None, uscc=self.uscc, waste_code=self.waste_code, lot=self.lot, mass_g=self.mass_g,
            volume_ml=self.volume_ml, on=self.on,
        )  # fmt: skip


def picture(label: BatchLabel) -> Picture:
    """Return the label at its true size."""
    edge = BLANK_MM + _LINE
    inner, tall = WIDTH_MM - 2 * edge, HEIGHT_MM - 2 * edge
    band, code, pad = 8.5, 24.0, 1.3
    least = em_for_height(LEAST_TEXT_MM)
    upper, lower = _blocks(label, inner - 2 * pad, inner - code - 3 * pad, code + 2 * pad)
    setting = fit(
        (upper, lower), height=tall - band, padding=0.6, largest_em=least * _LARGEST, least_em=least
    )
    outer = (BLANK_MM, BLANK_MM, WIDTH_MM - 2 * BLANK_MM, HEIGHT_MM - 2 * BLANK_MM)
    shapes: list[Shape] = [
        Box(0, 0, WIDTH_MM, HEIGHT_MM, Colour.WHITE),
        *frame(*outer, _LINE, Colour.BLACK),
        *_band(edge, inner, band),
    ]
    top = edge + band
    shapes += set_block(upper, setting, x=edge + pad, y=top, height=setting.heights[0])
    top += setting.heights[0]
    shapes.append(Box(edge, top, inner, 0.3, Colour.BLACK))
    shapes += set_block(lower, setting, x=edge + pad, y=top, height=setting.heights[1])
    middle = top + (setting.heights[1] - code) / 2
    shapes += qr.drawn(str(label.payload), x=edge + inner - code - pad / 2, y=middle, side=code)
    return Picture(width=WIDTH_MM, height=HEIGHT_MM, shapes=tuple(shapes), cut=setting.cut, em=setting.em)


def _blocks(label: BatchLabel, wide: float, narrow: float, least_height: float) -> tuple[Block, Block]:
    upper = Block(
        fields=(
            Field(name="废物名称", text=label.name),
            Field(name="废物代码", text=" ".join(dict.fromkeys((label.waste_code, label.category)))),
            Field(name="产生单位", text=label.organisation),
        ),
        width=wide,
    )
    lower = Block(
        fields=(
            Field(name="批次编码", text=label.lot),
            Field(name="产生工序", text=label.process),
            Field(name="物理性状", text=label.physical_form),
            Field(name="日期", text=chinese_day(label.on) if label.on else "", may_be_cut=False),
            Field(name="重量", text=kilograms(label.mass_g), may_be_cut=False),
            *((Field(name="备注", text=label.remarks),) if label.remarks else ()),
        ),
        width=narrow,
        least_height=least_height,
    )
    return upper, lower


def _band(edge: float, inner: float, height: float) -> list[Shape]:
    em = height * 0.68
    x = edge + (inner - width_of(TITLE, em)) / 2
    y = edge + (height + HAN_HEIGHT * em) / 2 - HAN_DEPTH * em
    return [Box(edge, edge, inner, height, Colour.BLACK), Words(x, y, TITLE, em, Colour.WHITE)]
