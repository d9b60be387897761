"""
By how much did a figure change over the years (近三年累计)?

Levels are quotients that may not come out even (1 ÷ 3); a change is computed from what they are
quotients of, so that exactly 10 % is exactly 10, and not 9.99…9.
"""

from dataclasses import replace
from fractions import Fraction

from wufei.indicators.definitions import INDICATORS
from wufei.indicators.figure import Figure, Missing, StatedInput
from wufei.indicators.rates import together_missing, written
from wufei.indicators.stated import PRODUCT_ITEM, PRODUCTS

SPAN = 3  # 近三年累计: a year against the third year before it; an edition may read it otherwise


def gain_pp(indicator: str, *, new: Figure, old: Figure) -> Figure:
    """Return how many percentage points the new rate lies above the old one."""
    assert new.unit == old.unit == "%", "percentage points are of rates"
    value = None if new.value is None or old.value is None else written(_exact(new) - _exact(old))
    return _change(indicator, new, old, value, together_missing(new, old))


def reduction_pct(indicator: str, *, new: Figure, old: Figure) -> Figure:
    """Return by how many per cent the new figure lies below the old one; unknown where the old is 0."""
    value, missing = None, together_missing(new, old)
    if new.value is not None and old.value is not None:
        if new.unit != old.unit:
            missing = (
                _incomparable(new, f"{new.year} 年单位（{new.unit}）与 {old.year} 年（{old.unit}）不同"),
            )
        elif old.value <= 0:
            missing = (_incomparable(new, f"{old.year} 年{old.name}为 0，无从计算降幅"),)
        else:
            value = written((1 - _exact(new) / _exact(old)) * 100)
    return _change(indicator, new, old, value, missing)


def _exact(level: Figure) -> Fraction:
    """Return the value of a rate or an intensity before it was written to so many digits."""
    values = [part.value for part in level.basis if isinstance(part, Figure)]
    part, *whole = [Fraction(value) for value in values if value is not None]
    scale = 100 if level.unit == "%" else 1
    exact = scale * part / sum(whole)
    assert level.value == written(exact), f"{level.indicator} is the quotient of its basis"
    return exact


def product_reduction_pct(*, new: Figure, old: Figure) -> Figure:
    """Return 单位产品产生量近三年累计降幅; unknown where the main product is another one."""
    reduced = reduction_pct("generation_per_product_reduction_pct", new=new, old=old)
    before, after = _main_product(old), _main_product(new)
    if reduced.value is None or before == after:
        return reduced
    label = f"{new.year} 年主产品（{after}）与 {old.year} 年（{before}）不同，不能比较"
    missing = Missing(code="main_product_changed", label=label, where=PRODUCTS, subject=new.subject)
    return replace(reduced, value=None, missing=(missing,))


def _main_product(figure: Figure) -> str | None:
    stated = [leaf for leaf in figure.leaves() if isinstance(leaf, StatedInput)]
    products = [leaf.item.removeprefix(PRODUCT_ITEM) for leaf in stated if leaf.item.startswith(PRODUCT_ITEM)]
    return products[0] if products else None


def _incomparable(new: Figure, label: str) -> Missing:
    return Missing(code="not_comparable", label=label, where="数据工作簿", subject=new.subject)


def _change(indicator: str, new: Figure, old: Figure, value: object, missing: tuple[Missing, ...]) -> Figure:
    definition = INDICATORS[indicator]
    return replace(
        new,
        indicator=indicator,
        name=definition.name,
        value=value,  # type: ignore[arg-type]  # a Decimal or None, as the callers made it
        unit=definition.unit,
        formula=definition.formula,
        source=str(definition.source),
        basis=(new, old),
        missing=missing,
    )
