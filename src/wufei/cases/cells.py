"""How does a figure or a statement become an entry of a form?"""

from collections.abc import Callable
from decimal import Decimal

from wufei.cases import amounts
from wufei.cases.case_file import Cell
from wufei.indicators.figure import Figure, StatedInput
from wufei.paper.texts import one_line

BLANK = Cell(text="")
UNKNOWN = Cell(text=amounts.UNKNOWN)


def from_figure(figure: Figure | None, write: Callable[[Decimal], str]) -> Cell:
    """Return the figure written by the rule of its kind; 未知 where it is not known."""
    if figure is None:
        return UNKNOWN
    text = amounts.UNKNOWN if figure.value is None else write(figure.value)
    return Cell(text=text, value=figure.value, unit=figure.unit, basis=figure)


def amount(figure: Figure | None) -> Cell:
    assert figure is None or figure.unit == "吨", "万吨 is written from 吨"
    return from_figure(figure, amounts.in_10k_tonnes)


def percentage(figure: Figure | None) -> Cell:
    return from_figure(figure, amounts.percentage)


def intensity(figure: Figure | None) -> Cell:
    return from_figure(figure, amounts.intensity)


def money(figure: Figure | None) -> Cell:
    return from_figure(figure, amounts.stated)


def from_statement(statement: StatedInput, *, with_unit: bool = False, name: str = "") -> Cell:
    """Return what was stated, with its unit where the form says 根据实际情况标注单位."""
    if not isinstance(statement.value, Decimal):
        return Cell(text=amounts.UNKNOWN, unit=statement.unit, basis=statement)
    number = amounts.stated(statement.value)
    text = one_line(f"{name} {number} {statement.unit}" if with_unit else number)
    return Cell(text=text, value=statement.value, unit=statement.unit, basis=statement)


def total(parts: tuple[StatedInput, ...], *, label: str, with_unit: bool = True) -> Cell:
    """
    Return the sum of stated inputs of one unit.

    Unknown where one of them is; 见各产品 where the units differ and nothing can be added.
    """
    if not parts or any(not isinstance(part.value, Decimal) for part in parts):
        return Cell(text=amounts.UNKNOWN, parts=parts)
    if len({part.unit for part in parts}) > 1:
        return Cell(text=f"见{label}", parts=parts)
    if len(parts) == 1:
        return from_statement(parts[0], with_unit=with_unit)
    value = sum((part.value for part in parts if isinstance(part.value, Decimal)), Decimal(0))
    unit = parts[0].unit
    number = amounts.stated(value)
    return Cell(
        text=one_line(f"{number} {unit}") if with_unit else number, value=value, unit=unit, parts=parts
    )
