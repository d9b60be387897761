"""Which share of the waste is utilised, which is disposed of?"""

from dataclasses import replace
from decimal import Decimal, localcontext
from fractions import Fraction

from wufei.indicators.definitions import INDICATORS
from wufei.indicators.figure import Figure, Missing
from wufei.indicators.mass import WORKBOOK_LEDGER

DIGITS = 34  # of a quotient that does not come out even


def quotient(dividend: Decimal, divisor: Decimal, *, scale: int = 1) -> Decimal:
    """
    Return scale × dividend ÷ divisor to 34 digits.

    >>> quotient(Decimal(1), Decimal(3), scale=100)
    Decimal('33.33333333333333333333333333333333')
    """
    with localcontext(prec=DIGITS):
        return scale * dividend / divisor


def written(exact: Fraction) -> Decimal:
    """
    Return the nearest decimal of 34 digits.

    >>> written(Fraction(10))
    Decimal('10')
    """
    return quotient(Decimal(exact.numerator), Decimal(exact.denominator))


def together_missing(*figures: Figure) -> tuple[Missing, ...]:
    """Return what the figures miss, each once, in their order."""
    return tuple(dict.fromkeys(missing for figure in figures for missing in figure.missing))


def share_pct(indicator: str, *, part: Figure, generated: Figure, earlier: Figure) -> Figure:
    """
    Return part ÷ (generated + earlier) × 100.

    A missing mass makes the share missing too; over no waste at all it is unknown.
    """
    assert {part.unit, generated.unit, earlier.unit} == {"吨"}, "convert before, not here"
    definition = INDICATORS[indicator]
    value, missing = None, together_missing(part, generated, earlier)
    if part.value is not None and generated.value is not None and earlier.value is not None:
        whole = generated.value + earlier.value
        if whole > 0:
            value = quotient(part.value, whole, scale=100)
        else:
            missing = (
                Missing(
                    code="denominator_zero",
                    label=f"{generated.period} 产生量与往年贮存量之和不大于 0，无从计算比率",
                    where=WORKBOOK_LEDGER,
                    subject=generated.subject,
                ),
            )
    return replace(
        generated,
        indicator=indicator,
        name=definition.name,
        value=value,
        unit=definition.unit,
        formula=definition.formula,
        source=str(definition.source),
        basis=(part, generated, earlier),
        missing=missing,
    )


def utilisation_rate(*, utilised: Figure, generated: Figure, earlier: Figure) -> Figure:
    """Return 综合利用率 = 综合利用量 ÷（产生量＋综合利用往年贮存量）× 100."""
    return share_pct("utilisation_rate_pct", part=utilised, generated=generated, earlier=earlier)


def disposal_rate(*, disposed: Figure, generated: Figure, earlier: Figure) -> Figure:
    """Return 处置率 = 处置量 ÷（产生量＋处置往年贮存量）× 100."""
    return share_pct("disposal_rate_pct", part=disposed, generated=generated, earlier=earlier)
