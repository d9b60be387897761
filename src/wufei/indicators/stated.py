"""What the organisation stated itself, as figures: value of production, value added, main product."""

from collections.abc import Sequence
from decimal import Decimal

from wufei.indicators.definitions import INDICATORS
from wufei.indicators.facts import Operation, Product
from wufei.indicators.figure import Figure, Missing, StatedInput
from wufei.terms.period import Period

OPERATIONS = "数据工作簿“年度经营”"
PRODUCTS = "数据工作簿“产品”"
PRODUCT_ITEM = "product:"  # what the item of a stated output begins with; then the product's name
_ITEMS = {
    "output_value_10k_yuan": "output_value",
    "sales_10k_yuan": "sales",
    "value_added_10k_yuan": "value_added",
}


def stated_amount(
    indicator: str, *, subject: str, year: int, operation: Operation | None, name: str = ""
) -> Figure:
    """Return an amount of 年度经营, unknown where it was not stated."""
    definition = INDICATORS[indicator]
    item = _ITEMS[indicator]
    label = definition.name
    value: Decimal | None = getattr(operation, item) if operation else None
    missing: tuple[Missing, ...] = ()
    if value is None:
        who = f"{name} " if name else ""
        missing = (
            Missing(code=item, label=f"{who}{year} 年{label}（万元）", where=OPERATIONS, subject=subject),
        )
    stated = StatedInput(
        organisation=subject,
        item=item,
        label=label,
        year=year,
        value=value,
        unit="万元",
        source=(operation.source if operation and operation.source else OPERATIONS),
    )
    return Figure(
        indicator=indicator,
        name=label,
        value=value,
        unit="万元",
        period=Period.year(year),
        subject=subject,
        formula=definition.formula,
        source=str(definition.source),
        basis=(stated,),
        missing=missing,
    )


def main_product_output(*, subject: str, year: int, products: Sequence[Product]) -> Figure:
    """Return the output of the main product: the only one flagged, or the only one there is."""
    definition = INDICATORS["main_product_output"]
    flagged = [product for product in products if product.is_main]
    chosen = flagged if flagged else list(products)
    if len(chosen) == 1:
        product = chosen[0]
        stated = StatedInput(
            organisation=subject,
            item=PRODUCT_ITEM + product.name,
            label=f"{product.name}产量",
            year=year,
            value=product.output,
            unit=product.unit,
            source=product.source or PRODUCTS,
        )
        return Figure(
            indicator=definition.id,
            name=definition.name,
            value=product.output,
            unit=product.unit,
            period=Period.year(year),
            subject=subject,
            formula=definition.formula,
            source=str(definition.source),
            basis=(stated,),
        )
    if not products:
        code, label = "product", f"{year} 年主产品产量"
    elif flagged:
        names = "、".join(product.name for product in flagged)
        code, label = (
            "main_product_ambiguous",
            f"{year} 年主产品：标了 {len(flagged)} 种（{names}），请只留一种",
        )
    else:
        code, label = "main_product_not_flagged", f"{year} 年主产品：有 {len(products)} 种产品，请标出一种"
    return Figure(
        indicator=definition.id,
        name=definition.name,
        value=None,
        unit=definition.unit,
        period=Period.year(year),
        subject=subject,
        formula=definition.formula,
        source=str(definition.source),
        missing=(Missing(code=code, label=label, where=PRODUCTS, subject=subject),),
    )
