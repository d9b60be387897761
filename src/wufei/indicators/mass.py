"""
How much was generated, utilised, disposed of, and is in store?

One function per indicator, each from a tally. Unknown, never 0, where the ledger of the
year is empty; exactly 0 where the ledger has records but none of the kind.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import cache

from wufei.indicators.definitions import INDICATORS
from wufei.indicators.facts import DISPOSAL, INTO_STORE, OUT_OF_STORE, UTILISATION
from wufei.indicators.figure import Basis, Figure, Missing, MovementsBehind
from wufei.indicators.tallies import Tally
from wufei.ledger.kinds import Kind
from wufei.terms.period import Period

WORKBOOK_LEDGER = "数据工作簿“台账”"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Whose figures, of which days and of which waste; and what is missing for any to be known."""

    subject: str  # 统一社会信用代码
    period: Period
    stream: str | None = None
    waste_category: str | None = None
    waste_class: str | None = None
    stream_name: str | None = None
    dimension: str | None = None
    missing: tuple[Missing, ...] = ()
    stock_missing: tuple[Missing, ...] = ()  # the stock is known from 期初贮存 alone
    first_year: int | None = None  # of the ledger: the stock rests on all that came since


def ledger_missing(*, year: int, subject: str, name: str = "") -> Missing:
    """Return what is missing when a ledger holds nothing of the year."""
    label = f"{name} {year} 年台账" if name else f"{year} 年台账"
    return Missing(code="ledger", label=label, where=WORKBOOK_LEDGER, subject=subject)


def tonnes(grams: int) -> Decimal:
    """
    Return the mass in tonnes, exactly.

    >>> tonnes(1_250_000)
    Decimal('1.250000')
    """
    return Decimal(grams).scaleb(-6)


@cache
def _values(kinds: tuple[Kind, ...]) -> tuple[str, ...]:
    return tuple(kind.value for kind in kinds)


def behind(scope: Scope, tally: Tally, *kinds: Kind, sign: int = 1) -> MovementsBehind:
    """Return the movements of the kinds that the scope covers."""
    return MovementsBehind(
        organisation=scope.subject,
        kinds=_values(kinds),
        period=scope.period,
        stream=scope.stream,
        waste_category=scope.waste_category,
        waste_class=scope.waste_class,
        stream_name=scope.stream_name,
        sign=sign,
        mass_g=tally.moved(kinds),
        count=tally.records(kinds),
    )


def mass_figure(
    indicator: str,
    scope: Scope,
    grams: int,
    basis: Iterable[Basis],
    *,
    missing: tuple[Missing, ...] | None = None,
) -> Figure:
    """Return a figure in tonnes; unknown where something is missing."""
    definition = INDICATORS[indicator]
    lacking = scope.missing if missing is None else missing
    return Figure(
        indicator=indicator,
        name=definition.name,
        value=None if lacking else tonnes(grams),
        unit=definition.unit,
        period=scope.period,
        subject=scope.subject,
        stream=scope.stream,
        dimension=scope.dimension,
        formula=definition.formula,
        source=str(definition.source),
        basis=tuple(basis),
        missing=lacking,
    )


def generation(scope: Scope, tally: Tally) -> Figure:
    return mass_figure(
        "generation_t", scope, tally.mass[Kind.GENERATION], [behind(scope, tally, Kind.GENERATION)]
    )


def receipt(scope: Scope, tally: Tally) -> Figure:
    return mass_figure("receipt_t", scope, tally.mass[Kind.RECEIPT], [behind(scope, tally, Kind.RECEIPT)])


def received(indicator: str, scope: Scope, tally: Tally, *kinds: Kind, sign: int = 1) -> Figure:
    """Return how much of the outflows was waste taken in from outside."""
    grams = tally.received_of(kinds)
    basis = [behind(scope, tally, *kinds), behind(scope, tally, Kind.RECEIPT)] if grams else []
    return mass_figure(indicator, scope, sign * grams, basis)


def own_part(indicator: str, received_indicator: str, scope: Scope, tally: Tally, kind: Kind) -> Figure:
    """Return how much of an outflow was the organisation's own waste; received waste stands as a deduction."""
    basis: list[Basis] = [behind(scope, tally, kind)]
    if tally.received_of([kind]):
        deduction = received(received_indicator, scope, tally, kind, sign=-1)
        basis.append(replace(deduction, name=f"减：{deduction.name}"))
    return mass_figure(indicator, scope, tally.own[kind], basis)


def own_utilisation(scope: Scope, tally: Tally) -> Figure:
    return own_part("own_utilisation_t", "received_utilisation_t", scope, tally, Kind.OWN_UTILISATION)


def contracted_utilisation(scope: Scope, tally: Tally) -> Figure:
    return own_part(
        "contracted_utilisation_t", "received_utilisation_t", scope, tally, Kind.CONTRACTED_UTILISATION
    )


def utilisation(scope: Scope, tally: Tally) -> Figure:
    parts = [own_utilisation(scope, tally), contracted_utilisation(scope, tally)]
    return mass_figure("utilisation_t", scope, tally.own_of(UTILISATION), parts)


def utilisation_by_way(scope: Scope, tally: Tally) -> list[Figure]:
    """Return the utilisation of own waste by method (方式); none stands for 未填方式."""
    if scope.missing:
        return []
    figures = []
    for way in sorted(tally.way_count):
        moved = replace(
            behind(scope, tally, *UTILISATION),
            method=way,
            mass_g=tally.way_mass[way],
            count=tally.way_count[way],
        )
        basis: list[Basis] = [moved]
        if deduction := tally.ways[way] - tally.way_mass[way]:
            part = mass_figure("received_utilisation_t", scope, deduction, [moved])
            basis.append(replace(part, name=f"减：{part.name}"))
        of_way = replace(scope, dimension=way or "未填方式")
        figures.append(mass_figure("utilisation_by_way_t", of_way, tally.ways[way], basis))
    return figures


def received_utilisation(scope: Scope, tally: Tally) -> Figure:
    return received("received_utilisation_t", scope, tally, *UTILISATION)


def received_disposal(scope: Scope, tally: Tally) -> Figure:
    return received("received_disposal_t", scope, tally, *DISPOSAL)


def own_disposal(scope: Scope, tally: Tally) -> Figure:
    return own_part("own_disposal_t", "received_disposal_t", scope, tally, Kind.OWN_DISPOSAL)


def contracted_disposal(scope: Scope, tally: Tally) -> Figure:
    return own_part("contracted_disposal_t", "received_disposal_t", scope, tally, Kind.CONTRACTED_DISPOSAL)


def disposal(scope: Scope, tally: Tally) -> Figure:
    parts = [own_disposal(scope, tally), contracted_disposal(scope, tally)]
    return mass_figure("disposal_t", scope, tally.own_of(DISPOSAL), parts)


def earlier_years(indicator: str, scope: Scope, tally: Tally, kinds: tuple[Kind, ...]) -> Figure:
    """Return how much of the outflows was stock of earlier years (attribution.py says by which reading)."""
    basis = [
        behind(scope, tally, *UTILISATION),
        behind(scope, tally, *DISPOSAL),
        behind(scope, tally, Kind.GENERATION, sign=-1),
    ]
    return mass_figure(indicator, scope, tally.earlier_of(kinds), basis)


def earlier_years_utilisation(scope: Scope, tally: Tally) -> Figure:
    return earlier_years("earlier_years_utilisation_t", scope, tally, UTILISATION)


def earlier_years_disposal(scope: Scope, tally: Tally) -> Figure:
    return earlier_years("earlier_years_disposal_t", scope, tally, DISPOSAL)


def stock(scope: Scope, until: Tally) -> Figure:
    """Return what is in store at the end of the period; `until` tallies all since the ledger began."""
    first_day = date(scope.first_year or scope.period.first_day.year, 1, 1)
    since = replace(scope, period=Period(min(first_day, scope.period.first_day), scope.period.last_day))
    basis = [behind(since, until, *INTO_STORE), behind(since, until, *OUT_OF_STORE, sign=-1)]
    return mass_figure("stock_t", scope, until.stock_g, basis, missing=scope.stock_missing)


def storage(scope: Scope, tally: Tally) -> Figure:
    """Return how much of the period's own generation is still in store when it ends."""
    basis = [behind(scope, tally, *INTO_STORE), behind(scope, tally, *OUT_OF_STORE, sign=-1)]
    return mass_figure("storage_t", scope, tally.storage_g, basis)


def mass_balance_gap(parts: Mapping[str, Figure]) -> Figure:
    """Return what the balance of the National Bureau of Statistics leaves over; 0 when it closes."""
    names = (
        "generation_t", "utilisation_t", "earlier_years_utilisation_t", "disposal_t",
        "earlier_years_disposal_t", "storage_t",
    )  # fmt: skip
    generated, used, used_old, disposed, disposed_old, stored = (parts[name] for name in names)
    definition = INDICATORS["mass_balance_gap_t"]
    values = [parts[name].value for name in names]
    gap = None
    if all(value is not None for value in values):
        gap = balance_gap(*(value for value in values if value is not None))
    return replace(
        generated,
        indicator=definition.id,
        name=definition.name,
        value=gap,
        formula=definition.formula,
        source=str(definition.source),
        basis=(generated, used, used_old, disposed, disposed_old, stored),
    )


def balance_gap(
    generated: Decimal,
    utilised: Decimal,
    utilised_of_earlier: Decimal,
    disposed: Decimal,
    disposed_of_earlier: Decimal,
    stored: Decimal,
    dumped: Decimal = Decimal(0),
) -> Decimal:
    """
    Return 产生 −（利用−往年）− 贮存 −（处置−往年）− 倾倒丢弃, which is 0 when a balance closes.

    >>> balance_gap(*map(Decimal, ("613.98", "578.27", "0.56", "34.36", "0.51", "2.41")))
    Decimal('0.01')
    """
    return generated - (utilised - utilised_of_earlier) - stored - (disposed - disposed_of_earlier) - dumped


OF_TALLY: tuple[Callable[[Scope, Tally], Figure], ...] = (
    generation,
    utilisation,
    own_utilisation,
    contracted_utilisation,
    received_utilisation,
    receipt,
    disposal,
    own_disposal,
    contracted_disposal,
    received_disposal,
    earlier_years_utilisation,
    earlier_years_disposal,
    storage,
)
