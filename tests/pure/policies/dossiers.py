"""Dossiers for tests: facts that make an operand come out as wanted."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from wufei.indicators.definitions import INDICATORS
from wufei.indicators.figure import Figure, Missing
from wufei.policies import loading
from wufei.policies.criteria import years_after
from wufei.policies.dossier import DeclaredAnswer, Dossier, JudgedAnswer, ScoreRange, Stated
from wufei.policies.edition import (
    All,
    Any_,
    Criterion,
    Declared,
    Edition,
    FigureThreshold,
    Judged,
    Not,
    OneOf,
    StartsWith,
    StatedThreshold,
    YearsSince,
)
from wufei.terms.period import Period

KNOWN = frozenset(INDICATORS)
EDITIONS = loading.load_editions([loading.OURS], known_indicators=KNOWN)
ON = date(2026, 7, 1)
YEAR = 2025
SUBJECT = "91500110MA5U000017"
OPPOSITE = {"YES": "NO", "NO": "YES"}
TINY = Decimal("0.000000001")


def figure(indicator: str, value: str | Decimal | None, year: int = YEAR) -> Figure:
    defined = INDICATORS[indicator]
    missing = (
        ()
        if value is not None
        else (Missing(code="x", label=f"{year} 年{defined.name}的数据", where="台账"),)
    )
    return Figure(
        indicator=indicator,
        name=defined.name,
        value=None if value is None else Decimal(value),
        unit=defined.unit,
        period=Period.year(year),
        subject=SUBJECT,
        missing=missing,
    )


def empty(year: int = YEAR, on: date = ON) -> Dossier:
    return Dossier(subject=SUBJECT, year=year, on=on)


def with_facts(dossier: Dossier, **more: dict[Any, Any]) -> Dossier:
    """Return the dossier with more in its mappings."""
    return replace(dossier, **{field: {**getattr(dossier, field), **rows} for field, rows in more.items()})


def value_of(edition: Edition, criterion: Criterion, name: str, on: date = ON) -> Decimal:
    dated = edition.parameter(criterion, name).on(max(on, edition.in_force_from))
    assert dated is not None, f"{edition.id} {criterion.id}: {name} has no value on {on}"
    return dated.value


def making(dossier: Dossier, edition: Edition, criterion: Criterion, operand: Any, wanted: bool) -> Dossier:
    """Return the dossier with facts under which the operand is met, or not met."""
    match operand:
        case All() | Any_():
            every = isinstance(operand, All) == wanted
            for leg in operand.legs if every else operand.legs[:1]:
                dossier = making(dossier, edition, criterion, leg, wanted)
            return dossier
        case Not():
            return making(dossier, edition, criterion, operand.leg, not wanted)
        case FigureThreshold() | StatedThreshold():
            bound = value_of(edition, criterion, operand.at_least or operand.at_most)
            if operand.at_least:
                value = bound if wanted else bound - TINY
            else:
                value = bound if wanted else bound + TINY
            return with_number(dossier, operand, value)
        case Declared():
            window = int(value_of(edition, criterion, operand.window)) if operand.window else 1
            answer = operand.expects if wanted else OPPOSITE[operand.expects]
            years = range(dossier.year - window + 1, dossier.year + 1)
            rows = {(operand.declaration, y): DeclaredAnswer(answer=answer, basis="信用中国") for y in years}
            return with_facts(dossier, declarations=rows)
        case Judged():
            answer = operand.expects if wanted else OPPOSITE[operand.expects]
            return with_facts(dossier, judgements={(criterion.id, operand.judgement): judged(answer)})
        case OneOf():
            return with_facts(dossier, facts={operand.fact: operand.one_of[0] if wanted else "AGENCY"})
        case StartsWith():
            return with_facts(
                dossier, facts={operand.fact: (operand.starts_with[0] if wanted else "99") + "0110"}
            )
        case YearsSince():
            years = int(value_of(edition, criterion, operand.years_at_least))
            since = date(ON.year - years, ON.month, ON.day if wanted else ON.day + 1)
            assert (years_after(since, years) <= ON) == wanted
            return with_facts(dossier, facts={operand.fact: since})
    raise AssertionError(operand)


def with_number(dossier: Dossier, operand: FigureThreshold | StatedThreshold, value: Decimal) -> Dossier:
    year = dossier.year + operand.year_offset
    if isinstance(operand, FigureThreshold):
        return with_facts(dossier, figures={(operand.figure, year): figure(operand.figure, value, year)})
    return with_facts(dossier, stated={(operand.stated, year): Stated(value=value)})


def judged(answer: str) -> JudgedAnswer:
    return JudgedAnswer(answer=answer, reason="已核对", judged_by="张三", judged_on=ON)


def wholly_met(edition: Edition) -> Dossier:
    """Return a dossier that meets every criterion with a test."""
    dossier = empty()
    for criterion in edition.criteria:
        if criterion.test:
            dossier = making(dossier, edition, criterion, criterion.test, True)
    return dossier


def ranges(edition: Edition) -> dict[str, ScoreRange]:
    """Return baseline and leading values for every scored indicator that needs them."""
    made = {}
    for criterion in edition.criteria:
        scored = criterion.score
        if scored and not scored.judged and not scored.baseline:
            low, high = Decimal(20), Decimal(60)
            higher = scored.better == "higher"
            made[scored.key] = ScoreRange(baseline=low if higher else high, leading=high if higher else low)
    return made
