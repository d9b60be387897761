"""What reads scores: the ranking of a round, in four queries at most however many cases there are."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from wufei.policies import queries as policy_queries
from wufei.policies.edition import Edition, Scoring, TieRule
from wufei.reviews import ranking as ranks
from wufei.reviews.models import Application, Round
from wufei.reviews.queries.experts import counted_sheets, expert_stage, scoring_of
from wufei.reviews.scoring import CaseScore, Sheet, case_scores
from wufei.reviews.stages import Outcome

MANY = 900


@dataclass(frozen=True, slots=True)
class RankedCase:
    """A case in its place, with all that put it there."""

    rank: int
    application: int
    code: str
    organisation: str
    district_code: str
    score: CaseScore
    decided_by: tuple[str, ...]  # tie rules, as the edition says them
    unknown: tuple[str, ...]  # tie rules whose figure is not known of it
    is_shared: bool

    @property
    def raw(self) -> Decimal:
        return self.score.raw

    @property
    def normalised(self) -> Decimal:
        return self.score.normalised


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    stage: str
    scoring: Scoring
    rows: tuple[RankedCase, ...]
    unscored: int  # applications at the stage that nobody has scored yet

    def cut(self, *, number: int | None, at_least: Decimal | None = None) -> ranks.Cut:
        """Return what a cut-off would select."""
        places = [ranks.Place(row.application, row.rank) for row in self.rows]
        scores = {row.application: row.normalised for row in self.rows}
        return ranks.cut(places, scores, number=number, at_least=at_least)


def ranking(*, round_: Round, stage: str = "") -> Ranking:
    """
    Return the ranking by the sheets that count.

    :raises ReviewRefused: `no_expert_stage`, `edition_has_no_scoring`
    """
    edition = policy_queries.edition(round_.edition)
    at, scoring = expert_stage(edition=edition, stage=stage), scoring_of(edition=edition)
    applications = _applications(round_)
    scores = case_scores(
        _sheets(round_, at.id, applications),
        method=scoring.normalisation,
        outlier_points=scoring.outlier_points,
    )
    contenders = [ranks.Contender(pk, applications[pk][0], each.normalised) for pk, each in scores.items()]
    places = ranks.rank(contenders, ties=scoring.ties, values_of=_TieValues(round_, at.id, edition))
    waiting = Application.objects.filter(round=round_, stage=at.id, outcome="")
    unscored = sum(1 for pk in waiting.values_list("pk", flat=True) if pk not in scores)
    return Ranking(
        stage=at.id, scoring=scoring, unscored=unscored,
        rows=tuple(
            RankedCase(
                place.rank, place.case, *applications[place.case], scores[place.case], place.decided_by,
                place.unknown, place.is_shared,
            )
            for place in places
        ),
    )  # fmt: skip


def _applications(round_: Round) -> dict[int, tuple[str, str, str]]:
    rows = Application.objects.filter(round=round_).exclude(outcome=Outcome.WITHDRAWN).order_by()
    found = rows.values_list("pk", "code", "organisation__name", "district_code")
    return {pk: (code, name, district) for pk, code, name, district in found}


def _sheets(round_: Round, stage: str, applications: Mapping[int, Any]) -> list[Sheet]:
    rows = counted_sheets(round_=round_, stage=stage).order_by()
    found = rows.values_list("assignment__application_id", "assignment__expert__number", "total")
    return [
        Sheet(case, expert, total)
        for case, expert, total in found
        if case in applications and total is not None
    ]


class _TieValues:
    """What the tied cases have of an item or a figure; asked for these alone."""

    def __init__(self, round_: Round, stage: str, edition: Edition):
        self._round, self._stage, self._edition = round_, stage, edition
        self._items: dict[int, dict[str, list[Decimal]]] | None = None

    def __call__(self, rule: TieRule, cases: Sequence[int]) -> ranks.Values:
        return self._means(rule.item, cases) if rule.item else self._figures(rule.figure or "", cases)

    def _means(self, item: str, cases: Sequence[int]) -> ranks.Values:
        if self._items is None:
            self._items = self._read(cases)
        means = {}
        for case in cases:
            given = self._items.get(case, {}).get(item)
            means[case] = sum(given, Decimal(0)) / len(given) if given else None
        return means

    def _read(self, cases: Sequence[int]) -> dict[int, dict[str, list[Decimal]]]:
        wanted = set(cases)
        rows = counted_sheets(round_=self._round, stage=self._stage).order_by()
        if len(wanted) <= MANY:
            rows = rows.filter(assignment__application__in=wanted)
        found: dict[int, dict[str, list[Decimal]]] = defaultdict(lambda: defaultdict(list))
        for case, scores in rows.values_list("assignment__application_id", "scores"):
            if case in wanted:
                for item, given in scores.items():
                    found[case][item].append(Decimal(given))
        return found

    def _figures(self, indicator: str, cases: Sequence[int]) -> ranks.Values:
        wanted = set(cases)
        rows = Application.objects.filter(round=self._round).order_by()
        if len(wanted) <= MANY:
            rows = rows.filter(pk__in=wanted)
        found = rows.values_list("pk", "submission__year", "submission__content__numbers")
        return {pk: figure_in(numbers, indicator, year) for pk, year, numbers in found if pk in wanted}


def figure_in(numbers: Any, indicator: str, year: int) -> Decimal | None:
    """
    Return the figure of the case's year as it was frozen, of the whole and not of a stream; None: not known.

    >>> figure_in([{"indicator": "generation_t", "year": 2025, "value": "12.5"}], "generation_t", 2025)
    Decimal('12.5')
    """
    for number in numbers if isinstance(numbers, list) else ():
        of_whole = number.get("stream") is None and number.get("dimension") is None
        if number.get("indicator") == indicator and number.get("year") == year and of_whole:
            try:
                return Decimal(number["value"]) if number.get("value") is not None else None
            except (InvalidOperation, TypeError):
                return None
    return None
