"""
What is a case worth, when some experts are strict and others generous?

Raw: the mean of the totals that its experts gave. Normalised: every sheet is first put on the scale of all
sheets – z-score within the expert, mapped back to the mean and the standard deviation of all sheets – and
then averaged. An expert whose sheets are all alike, or who has only one, says nothing of who is better:
his z-score is 0, so that his sheet counts as the mean of all. Decimals throughout; rounded once, at the
end, to four places; what is equal there is equal.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext
from typing import Literal, NamedTuple

PLACES = Decimal("0.0001")
Method = Literal["none", "z_score"]
_CONTEXT = Context(prec=34, rounding=ROUND_HALF_EVEN)


class Sheet(NamedTuple):
    """A submitted sheet: who gave what to which case."""

    case: int
    expert: str
    total: Decimal


class Judged(NamedTuple):
    """A sheet beside what it counts for."""

    expert: str
    raw: Decimal
    normalised: Decimal
    is_outlier: bool


class CaseScore(NamedTuple):
    case: int
    raw: Decimal
    normalised: Decimal
    sheets: tuple[Judged, ...]  # by expert

    @property
    def has_outlier(self) -> bool:
        return any(sheet.is_outlier for sheet in self.sheets)


@dataclass(frozen=True, slots=True)
class Scale:
    """How an expert's totals are put on the common scale: `total × factor + shift`."""

    factor: Decimal
    shift: Decimal
    sheets: int
    mean: Decimal
    deviation: Decimal


def total_of(scores: Mapping[str, Decimal], maxima: Mapping[str, Decimal]) -> Decimal:
    """Return the total of a sheet that scores every item within its maximum."""
    assert scores.keys() == maxima.keys(), "a total is that of every item"
    return sum(scores.values(), Decimal(0))


def case_scores(sheets: Sequence[Sheet], *, method: Method, outlier_points: Decimal) -> dict[int, CaseScore]:
    """Return the score of every case that has a sheet."""
    with localcontext(_CONTEXT):
        by_expert = scales(sheets, method=method)
        by_case: dict[int, list[tuple[str, Decimal, Decimal]]] = defaultdict(list)
        for sheet in sheets:
            scale = by_expert[sheet.expert]
            by_case[sheet.case].append((sheet.expert, sheet.total, sheet.total * scale.factor + scale.shift))
        return {case: _case_score(case, rows, outlier_points) for case, rows in by_case.items()}


def scales(sheets: Sequence[Sheet], *, method: Method) -> dict[str, Scale]:
    """Return how each expert's totals are put on the common scale."""
    by_expert: dict[str, list[Decimal]] = defaultdict(list)
    for sheet in sheets:
        by_expert[sheet.expert].append(sheet.total)
    mean, deviation = _spread([sheet.total for sheet in sheets])
    return {expert: _scale(totals, mean, deviation, method) for expert, totals in sorted(by_expert.items())}


def _scale(totals: Sequence[Decimal], mean: Decimal, deviation: Decimal, method: Method) -> Scale:
    own_mean, own = _spread(totals)
    if method == "none":
        factor, shift = Decimal(1), Decimal(0)
    elif own == 0:
        factor, shift = Decimal(0), mean
    else:
        factor = deviation / own
        shift = mean - own_mean * factor
    return Scale(factor=factor, shift=shift, sheets=len(totals), mean=own_mean, deviation=own)


def _spread(totals: Sequence[Decimal]) -> tuple[Decimal, Decimal]:
    """Return mean and standard deviation, of the whole and not of a sample."""
    if not totals:
        return Decimal(0), Decimal(0)
    with localcontext(_CONTEXT):
        n = len(totals)
        total = sum(totals, Decimal(0))
        # n²·variance, exactly: equal totals have a deviation of 0, not of a rounding.
        scaled = n * sum((each * each for each in totals), Decimal(0)) - total * total
        return total / n, scaled.sqrt() / n


def _case_score(case: int, rows: list[tuple[str, Decimal, Decimal]], outlier_points: Decimal) -> CaseScore:
    rows.sort()
    n = len(rows)
    raws = [raw for _, raw, _ in rows]
    far = outliers(raws, outlier_points)
    return CaseScore(
        case=case,
        raw=(sum(raws, Decimal(0)) / n).quantize(PLACES),
        normalised=(sum((put for _, _, put in rows), Decimal(0)) / n).quantize(PLACES),
        sheets=tuple(
            Judged(expert, raw, put.quantize(PLACES), is_far)
            for (expert, raw, put), is_far in zip(rows, far, strict=True)
        ),
    )


def outliers(totals: Sequence[Decimal], points: Decimal) -> list[bool]:
    """Return for every total whether it lies that many points or more from the median of the others."""
    if len(totals) < 2 or max(totals) - min(totals) < points:
        return [False] * len(totals)
    return [
        abs(each - median([*totals[:place], *totals[place + 1 :]])) >= points
        for place, each in enumerate(totals)
    ]


def median(totals: Iterable[Decimal]) -> Decimal:
    """Return the middle one, or the mean of the two in the middle."""
    ordered = sorted(totals)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
