"""Ledgers as people would write them, for the pure tests."""

from datetime import date
from decimal import Decimal

from wufei.indicators.facts import Facts, Flow, Operation, Product, StreamFacts
from wufei.ledger.kinds import LABELS, Kind
from wufei.terms.mass import Mass

KINDS = {label: kind for kind, label in LABELS.items()}


def flow(line: str) -> Flow:
    """
    Read a row: month, stream, 环节, amount, unit; then 方式, 对方单位, lot origin and year (- for none).
    """
    said = [*line.split(), "-", "-", "-", "0"]
    on, stream, kind, amount, unit, method, counterparty, origin, origin_year = said[:9]
    day = date.fromisoformat(on if len(on) == 10 else f"{on}-01")
    return Flow(
        stream=stream,
        kind=KINDS[kind],
        on=day,
        mass_g=Mass.of(amount, unit).grams,
        method=method.strip("-"),
        counterparty=counterparty.strip("-"),
        lot_origin=KINDS[origin].value if origin != "-" else "",
        lot_origin_year=int(origin_year.strip("-") or 0),
    )


def facts(
    table: str,
    *,
    uscc: str = "U1",
    name: str = "甲厂",
    value_added: dict[int, str | None] | None = None,
    products: dict[int, tuple[Product, ...]] | None = None,
    categories: dict[str, str] | None = None,
    keeps_ledger: bool = True,
) -> Facts:
    flows = tuple(flow(line) for line in table.splitlines() if line.strip())
    said = categories or {}
    streams = {}
    for code in sorted({f.stream for f in flows} | set(said)):
        category = said.get(code, "SW02")
        streams[code] = StreamFacts(
            code=code,
            name=f"废物{code}",
            waste_category=category,
            waste_class="HAZARDOUS" if category.startswith("HW") else "GENERAL",
        )
    operations = {
        year: Operation(value_added=None if amount is None else Decimal(amount))
        for year, amount in (value_added or {}).items()
    }
    return Facts(
        uscc=uscc,
        name=name,
        keeps_ledger=keeps_ledger,
        streams=streams,
        flows=flows,
        operations=operations,
        products=products or {},
    )


def product(name: str, output: str, unit: str = "吨", *, is_main: bool = False) -> Product:
    return Product(name=name, output=Decimal(output), unit=unit, is_main=is_main)


__all__ = ["KINDS", "Kind", "facts", "flow", "product"]
