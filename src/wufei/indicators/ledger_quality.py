"""Is the ledger detailed, complete as to where waste went, and unaltered?"""

from dataclasses import replace
from decimal import Decimal

from wufei.indicators.definitions import INDICATORS
from wufei.indicators.facts import CONTRACTED
from wufei.indicators.figure import Basis, Figure, Missing, MovementsBehind, plain
from wufei.indicators.mass import WORKBOOK_LEDGER, Scope, behind, tonnes
from wufei.indicators.tallies import Tally
from wufei.ledger.kinds import Kind


def _figure(
    indicator: str,
    scope: Scope,
    value: Decimal | None,
    basis: tuple[Basis, ...],
    missing: tuple[Missing, ...],
) -> Figure:
    definition = INDICATORS[indicator]
    return Figure(
        indicator=indicator,
        name=definition.name,
        value=value,
        unit=definition.unit,
        period=scope.period,
        subject=scope.subject,
        stream=scope.stream,
        formula=definition.formula,
        source=str(definition.source),
        basis=basis,
        missing=missing,
    )


def movements_count(scope: Scope, tally: Tally) -> Figure:
    """Return how many movements the ledger of the period holds."""
    value = None if scope.missing else Decimal(sum(tally.count.values()))
    basis = (behind(scope, tally, *Kind),)
    return _figure("ledger_movements_count", scope, value, basis, scope.missing)


def destination_named(scope: Scope, tally: Tally) -> Figure:
    """Return 100 where every contracted movement names its receiver; unknown where some don't."""
    basis = (behind(scope, tally, *CONTRACTED),)
    missing = scope.missing
    if not missing and any(tally.unnamed.values()):
        records, mass = sum(tally.unnamed_count.values()), plain(tonnes(sum(tally.unnamed.values())))
        year = scope.period.first_day.year
        label = f"{year} 年有 {records} 条委外利用、处置记录（{mass} 吨）缺“对方单位”"
        missing = (
            Missing(
                code="counterparty", label=label, where=f"{WORKBOOK_LEDGER}对方单位列", subject=scope.subject
            ),
        )
    value = None if missing else Decimal(100)
    return _figure("ledger_destination_named_pct", scope, value, basis, missing)


def chain_intact(scope: Scope, *, movements: int, faults: int) -> Figure:
    """Return 1 where the ledger verifies, 0 where a fault was found; unknown where it is empty."""
    missing = scope.missing
    if not missing and movements == 0:
        missing = (Missing(code="ledger", label="台账", where=WORKBOOK_LEDGER, subject=scope.subject),)
    whole = MovementsBehind(
        organisation=scope.subject,
        kinds=tuple(kind.value for kind in Kind),
        period=scope.period,  # the whole chain was verified; these are the year's
    )
    value = None if missing else Decimal(0 if faults else 1)
    return replace(_figure("ledger_chain_intact", scope, value, (whole,), missing), stream=None)
