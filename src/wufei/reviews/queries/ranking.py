"""What reads scores: the ranking of a round, in two queries; each tie rule asks once more for each thousand tied."""

import gc
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.db.models import Count, Sum

from wufei.policies import queries as policy_queries
from wufei.policies.edition import Scoring, TieRule
from wufei.reviews import ranking as ranks
from wufei.reviews.models import Application, Expert, Round
from wufei.reviews.queries.experts import expert_stage, scored_so_far, scoring_of, submitted_sheets
from wufei.reviews.queries.frozen import FigureOf
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
    with _no_collection():
        return _ranked(round_, at.id, scoring)


def _ranked(round_: Round, stage: str, scoring: Scoring) -> Ranking:
    applications = _applications(round_)
    scores = case_scores(
        _sheets(round_, stage, applications),
        method=scoring.normalisation,
        outlier_points=scoring.outlier_points,
    )
    contenders = [ranks.Contender(pk, applications[pk][0][0], each.normalised) for pk, each in scores.items()]
    places = ranks.rank(contenders, ties=scoring.ties, values_of=_TieValues(round_, stage))
    unscored = sum(
        1 for pk, (_, stands_at) in applications.items() if stands_at == stage and pk not in scores
    )
    return Ranking(
        stage=stage, scoring=scoring, unscored=unscored,
        rows=tuple(
            RankedCase(
                place.rank, place.case, *applications[place.case][0], scores[place.case], place.decided_by,
                place.unknown, place.is_shared,
            )
            for place in places
        ),
    )  # fmt: skip


@contextmanager
def _no_collection() -> Iterator[None]:
    """
    Put off the search for cycles: of the hundreds of thousands of tuples made here none is in one.

    Looking through all of them again and again as they become more is a third of the work otherwise.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def ranking_shown(*, round_: Round, stage: str = "") -> Ranking:
    """
    Return the ranking for a page: worked out once, and again when anything has happened that enters it.

    Sheets, withdrawals and acts only ever become more, and versions rise: their numbers say whether anything has.
    They are read first, so what is kept is never older than they say. Decisions rank anew.

    :raises ReviewRefused: `no_expert_stage`, `edition_has_no_scoring`
    """
    return _kept(round_, round_.uid, stage, _happened(round_))


@lru_cache(maxsize=4)
def _kept(round_: Round, _uid: UUID, stage: str, _happened: tuple[Any, ...]) -> Ranking:
    return ranking(round_=round_, stage=stage)


def _happened(round_: Round) -> tuple[Any, ...]:
    """Return how much has happened that a ranking follows from: counted by indexes, kept nowhere."""
    acts = Application.objects.filter(round=round_).aggregate(cases=Count("pk"), versions=Sum("version"))
    experts = Expert.objects.filter(pool=round_.authority_id).aggregate(versions=Sum("version"))
    return *scored_so_far(), acts["cases"], acts["versions"], experts["versions"]


def named_today(rows: Sequence[RankedCase]) -> list[RankedCase]:
    """Return the rows with the names that their organisations have now."""
    found = Application.objects.filter(pk__in=[row.application for row in rows])
    names = dict(found.values_list("pk", "organisation__name"))
    return [replace(row, organisation=names.get(row.application, row.organisation)) for row in rows]


def _applications(round_: Round) -> dict[int, tuple[tuple[str, str, str], str]]:
    """Return of each application code, organisation and district, and at which stage it still is."""
    rows = Application.objects.filter(round=round_).exclude(outcome=Outcome.WITHDRAWN).order_by()
    found = rows.values_list("pk", "code", "organisation__name", "district_code", "stage", "outcome")
    return {
        pk: ((code, name, district), "" if outcome else stage)
        for pk, code, name, district, stage, outcome in found
    }


def _sheets(round_: Round, stage: str, applications: Mapping[int, Any]) -> list[Sheet]:
    """Return the sheets that count: of each expert on a case the one of the last turn."""
    rows = submitted_sheets(round_=round_, stage=stage).order_by()
    last: dict[tuple[int, str], tuple[int, Decimal]] = {}
    for case, expert, turn, total in rows.values_list(
        "assignment__application_id", "assignment__expert__number", "assignment__turn", "total"
    ):
        assert total is not None, "a submitted sheet has a total"
        if case in applications and turn > last.get((case, expert), (0, total))[0]:
            last[case, expert] = turn, total
    return [Sheet(case, expert, total) for (case, expert), (_, total) in last.items()]


class _TieValues:
    """What the tied cases have of an item or a figure; asked for these alone."""

    def __init__(self, round_: Round, stage: str):
        self._round, self._stage = round_, stage
        self._items: dict[int, list[dict[str, str]]] = {}

    def __call__(self, rule: TieRule, cases: Sequence[int]) -> ranks.Values:
        return self._means(rule.item, cases) if rule.item else self._figures(rule.figure or "", cases)

    def _means(self, item: str, cases: Sequence[int]) -> ranks.Values:
        self._read([case for case in cases if case not in self._items])
        means: dict[int, Decimal | None] = {}
        for case in cases:
            given = [Decimal(scores[item]) for scores in self._items[case] if item in scores]
            means[case] = sum(given, Decimal(0)) / len(given) if given else None
        return means

    def _read(self, cases: Sequence[int]) -> None:
        for part in batched(cases):
            last: dict[tuple[int, int], tuple[int, dict[str, str]]] = {}
            rows = submitted_sheets(round_=self._round, stage=self._stage).order_by()
            for case, expert, turn, scores in rows.filter(assignment__application__in=part).values_list(
                "assignment__application_id", "assignment__expert_id", "assignment__turn", "scores"
            ):
                if turn > last.get((case, expert), (0, {}))[0]:
                    last[case, expert] = turn, scores
            for case in part:
                self._items[case] = []
            for (case, _), (_, scores) in last.items():
                self._items[case].append(scores)

    def _figures(self, indicator: str, cases: Sequence[int]) -> ranks.Values:
        found: dict[int, Decimal | None] = {}
        for part in batched(cases):
            rows = Application.objects.filter(pk__in=part).order_by()
            for pk, value in rows.annotate(said=FigureOf(indicator)).values_list("pk", "said"):
                found[pk] = decimal_or_none(value)
        return found


def batched(keys: Sequence[int]) -> Iterator[Sequence[int]]:
    """Yield the keys in parts that one statement takes."""
    for start in range(0, len(keys), MANY):
        yield keys[start : start + MANY]


def decimal_or_none(said: str | None) -> Decimal | None:
    """
    Return the number that is written; None where there is none.

    >>> decimal_or_none("12.50"), decimal_or_none(None), decimal_or_none("未知")
    (Decimal('12.50'), None, None)
    """
    try:
        return Decimal(said) if said is not None else None
    except InvalidOperation:
        return None
