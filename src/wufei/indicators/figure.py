"""
A figure: one number with its unit, its period and where it came from.

The only thing that leaves this room. A value that cannot be known is None, and
`missing` says what would have to be supplied; it is never 0.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Union

from wufei.terms.period import Period


@dataclass(frozen=True, slots=True, kw_only=True)
class MovementsBehind:
    """
    The movements that a figure sums: a query that can be asked again.

    Every given field narrows. `sign` is +1 where the mass adds to the figure, -1 where
    it is taken from it; a reversal counts with the opposite sign by itself.
    """

    organisation: str  # 统一社会信用代码
    kinds: tuple[str, ...]  # ledger kinds: "GENERATION", ...
    period: Period
    stream: str | None = None  # stream code; None: all streams
    waste_category: str | None = None  # "HW08", "SW02"; None: all
    waste_class: str | None = None  # "GENERAL", "HAZARDOUS"; None: both
    stream_name: str | None = None  # 废物名称, where a park adds up streams of one name
    method: str | None = None  # 方式
    counterparties: tuple[str, ...] | None = None  # 对方单位, as written; None: any
    sign: int = 1
    mass_g: int = 0  # what the movements summed to when the figure was computed
    count: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedInput:
    """A number that the organisation stated itself (年度经营, 产品, 声明), and where."""

    organisation: str
    item: str  # "value_added"
    label: str  # 工业增加值
    year: int
    value: Decimal | str | None
    unit: str
    source: str  # where it was stated: 数据工作簿 年度经营


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """What would have to be supplied before the figure is known."""

    code: str  # "value_added"
    label: str  # 2025 年工业增加值（万元）
    where: str  # 数据工作簿“年度经营”
    subject: str = ""  # 统一社会信用代码 of who has to supply it


Basis = Union["Figure", MovementsBehind, StatedInput]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    indicator: str  # "utilisation_rate_pct"
    name: str  # 工业固废综合利用率
    value: Decimal | None
    unit: str  # "%", "吨", "吨/万元"
    period: Period
    subject: str  # 统一社会信用代码
    stream: str | None = None
    dimension: str | None = None  # a further cut: a way of use, a waste category; None: none
    formula: str = ""  # as a person reads it: 综合利用量 ÷（产生量＋综合利用往年贮存量）
    source: str = ""  # document and clause
    basis: tuple[Basis, ...] = ()
    missing: tuple[Missing, ...] = ()

    def __post_init__(self) -> None:
        if self.value is None and not self.missing:
            raise ValueError(f"{self.indicator}: an unknown figure says what is missing.")
        if isinstance(self.value, float):
            raise TypeError(f"{self.indicator}: a figure is a Decimal, never a float.")

    @property
    def year(self) -> int:
        return self.period.first_day.year

    def leaves(self) -> Iterator[MovementsBehind | StatedInput]:
        """Yield the movements and stated inputs that the figure finally rests on."""
        for part in self.basis:
            if isinstance(part, Figure):
                yield from part.leaves()
            else:
                yield part


def plain(value: Decimal | None) -> str | None:
    """
    Write a value without exponent and without rounding.

    >>> plain(Decimal("1E+3")), plain(Decimal("0.10"))
    ('1000', '0.1')
    """
    if value is None:
        return None
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
