"""
What is known of a subject when it is evaluated?

Plain frozen data: figures, declarations, judgements, stated values and facts. What is
not in here is not known; it is never taken for no or for 0.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from wufei.indicators.figure import Figure

YEARS_BACK = 3  # where the edition compares no change, nothing depends on it
EXCEPTION = "exception"  # the question under which a granted exception is kept


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredAnswer:
    answer: str  # YES, NO, NOT_APPLICABLE
    basis: str = ""  # the register looked into
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedAnswer:
    answer: str
    reason: str
    judged_by: str
    judged_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    value: Decimal
    basis: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreRange:
    """Baseline 基准值 and leading value 引领值 of one indicator in one industry."""

    baseline: Decimal
    leading: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirements:
    """An industry's requirement set, as an authority maintains it."""

    name: str
    industry_code: str
    in_force_from: date
    source: str
    is_illustrative: bool
    ranges: Mapping[str, ScoreRange]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    subject: str  # 统一社会信用代码
    year: int
    on: date  # the day of the evaluation
    figures: Mapping[tuple[str, int], Figure] = field(default_factory=dict)  # by indicator and year
    declarations: Mapping[tuple[str, int], DeclaredAnswer] = field(default_factory=dict)  # by item and year
    judgements: Mapping[tuple[str, str], JudgedAnswer] = field(
        default_factory=dict
    )  # by criterion and question
    stated: Mapping[tuple[str, int], Stated] = field(default_factory=dict)  # by item and year
    facts: Mapping[str, str | date] = field(default_factory=dict)  # "established_on", "kind", "division_code"
    requirements: Requirements | None = None
    years_back: int = YEARS_BACK  # with which year before the change figures in here compare
