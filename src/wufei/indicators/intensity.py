"""How much waste comes with each 万元 of value added, and with each unit of the main product?"""

from dataclasses import replace

from wufei.indicators.definitions import INDICATORS
from wufei.indicators.figure import Figure, Missing
from wufei.indicators.rates import quotient, together_missing
from wufei.indicators.stated import OPERATIONS, PRODUCTS


def _per(indicator: str, *, generated: Figure, divisor: Figure, unit: str, none: Missing) -> Figure:
    assert generated.unit == "吨", "convert before, not here"
    assert generated.year == divisor.year, "figures of different years"
    definition = INDICATORS[indicator]
    value, missing = None, together_missing(generated, divisor)
    if generated.value is not None and divisor.value is not None:
        if divisor.value > 0:
            value = quotient(generated.value, divisor.value)
        else:
            missing = (none,)
    return replace(
        generated,
        indicator=indicator,
        name=definition.name,
        value=value,
        unit=unit,
        formula=definition.formula,
        source=str(definition.source),
        basis=(generated, divisor),
        missing=missing,
    )


def generation_intensity(*, generated: Figure, value_added: Figure) -> Figure:
    """
    Return the tonnes of industrial solid waste generated for each 万元 of value added.

    A missing number makes the intensity missing too, and it says which number; over no
    value added it is unknown, not infinite.
    """
    assert value_added.unit == "万元", "convert before, not here"
    none = Missing(
        code="value_added",
        label=f"{generated.year} 年工业增加值不大于 0，无从计算强度",
        where=OPERATIONS,
        subject=generated.subject,
    )
    indicator = "generation_intensity_t_per_10k_yuan"
    return _per(indicator, generated=generated, divisor=value_added, unit="吨/万元", none=none)


def generation_per_product(*, generated: Figure, output: Figure) -> Figure:
    """Return the tonnes generated for each unit of the main product."""
    none = Missing(
        code="output",
        label=f"{generated.year} 年主产品产量为 0，无从计算单位产品产生量",
        where=PRODUCTS,
        subject=generated.subject,
    )
    unit = f"吨/{output.unit}"
    return _per("generation_per_product", generated=generated, divisor=output, unit=unit, none=none)
