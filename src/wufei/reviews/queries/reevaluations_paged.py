"""
A year's re-evaluation, page by page: the same list as `reevaluations`, found in the database.

What is in a year's bottom follows from one number: the lowest score that no longer fits into the share. Whoever
scored less is in it. So neither the page nor its totals read more titles than they show.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_FLOOR, Decimal
from typing import Any

from django.db.models import Count, Q, QuerySet

from wufei.policies.edition import Edition
from wufei.registry.models import Organisation
from wufei.reviews.models import Reevaluation, Title, TitleEvent
from wufei.reviews.queries.reevaluations import Due, Line, Place, Silent, deadline_of, rule_of
from wufei.reviews.queries.register import ENDING, editions_of, titles, titles_seen_by


@dataclass(frozen=True, slots=True, kw_only=True)
class YearsBottom:
    """One year's population and its bottom, in numbers."""

    year: int
    population: int
    allowed: int
    in_bottom: int
    cut: Decimal | None  # the highest score within the bottom
    below: Decimal | None  # who scored less is in the bottom; None: nobody is left outside it

    @property
    def tied_at(self) -> Decimal | None:
        """Return the score of the tied group that was left out because it did not fit."""
        return self.below if self.in_bottom < self.allowed else None

    def has(self, score: Decimal) -> bool:
        """Return whether a score of that year is in its bottom."""
        return self.below is None or score < self.below


class YearPaged:
    """A year's re-evaluation under an edition, as one authority works with it."""

    def __init__(self, *, edition: Edition, year: int, authority: Organisation) -> None:
        """
        Find the bottom of the year and of those before it.

        :raises ReviewRefused: `edition_has_no_bottom_rule`
        """
        self.edition, self.year, self._authority = edition, year, authority
        self.share_pct, self.years_needed = rule_of(edition, year)
        self.deadline = deadline_of(edition, year)
        self._editions = [each.id for each in editions_of(edition)]
        self._found: dict[int, YearsBottom] = {}
        for each in range(year - self.years_needed + 1, year + 1):
            self._of(each)
        self._lines = self._population(year).filter(self._seen("title"))
        self._silent = self._unanswered().filter(self._seen(""))

    @property
    def by_year(self) -> dict[int, YearsBottom]:
        """Return the years that count for a removal, and those before them through which a run goes on."""
        return {
            year: of for year, of in sorted(self._found.items()) if of.population or year == self.year
        }  # fmt: skip

    def _of(self, year: int) -> YearsBottom:
        if year not in self._found:
            self._found[year] = self._bottom(year)
        return self._found[year]

    # ---- the parts: how many, and one page of each -------------------------------------------

    def line_count(self) -> int:
        """Return how many of the year's population the authority works with."""
        own = self._authority.pk
        of_others = Title.objects.filter(
            Q(authority__lt=own) | Q(authority__gt=own), edition__in=self._editions
        )
        return self._lines.count() if of_others.exists() else self._of(self.year).population

    def lines(self, first: int, number: int) -> list[Line]:
        """Return the lines from the first-th on, the highest score first."""
        rows = self._lines.order_by("-score", "title__number").values_list("title_id", "score")
        page = [(pk, score) for pk, score in rows[first - 1 : first - 1 + number] if score is not None]
        shown, ranks = (
            self._titles(pk for pk, _ in page),
            self._ranks(self.year, [score for _, score in page]),
        )
        runs = self._runs(dict(page))
        return [
            Line(
                title=shown[pk], score=score, rank=ranks[score],
                in_bottom=self._of(self.year).has(score), years_in_bottom=len(runs[pk]),
            )
            for pk, score in page
        ]  # fmt: skip

    def due_keys(self) -> list[tuple[int, bool]]:
        """Return which titles are due for removal, and whether for want of an answer: for the bottom first."""
        warned = list(self._warnings().values_list("title_id", flat=True))
        silent = self._silent.filter(~Q(pk__in=_ended()), pk__in=warned).exclude(
            reevaluations__year=self.year
        )
        return [(pk, False) for pk in self._due_for_bottom()] + [
            (pk, True) for pk in silent.order_by("number").values_list("pk", flat=True)
        ]

    def due(self, keys: Sequence[tuple[int, bool]]) -> list[Due]:
        """Return those that are due, with the proof."""
        shown = self._titles(pk for pk, _ in keys)
        bottom = [pk for pk, unanswered in keys if not unanswered]
        answered = self._population(self.year).filter(title__in=bottom).values_list("title_id", "score")
        places = self._places({pk: score for pk, score in answered if score is not None})
        warned = dict(self._warnings(title__in=list(shown)).values_list("title_id", "on"))
        return [
            Due(title=shown[pk], reason="no_answer", warned_on=warned[pk])
            if unanswered
            else Due(title=shown[pk], reason="bottom", places=places[pk])
            for pk, unanswered in keys
        ]

    def silent_count(self) -> int:
        """Return of how many no score is known."""
        return self._silent.count()

    def silent(self, first: int, number: int) -> list[Silent]:
        """Return those of whom no score is known from the first-th on, by number."""
        keys = list(
            self._silent.order_by("number").values_list("pk", flat=True)[first - 1 : first - 1 + number]
        )
        shown = self._titles(keys)
        answers = Reevaluation.objects.filter(title__in=keys, year=self.year)
        answered = set(answers.values_list("title_id", flat=True))
        warned = dict(self._warnings(title__in=keys).values_list("title_id", "on"))
        return [
            Silent(title=shown[pk], answered=pk in answered, warned_on=warned.get(pk)) for pk in keys
        ]  # fmt: skip

    # ---- populations ---------------------------------------------------------------------------

    def _population(self, year: int) -> QuerySet[Reevaluation]:
        """Return the answers with a score of the titles that were in force on any day of the year."""
        first, last = date(year, 1, 1), date(year, 12, 31)
        return Reevaluation.objects.filter(
            Q(title__valid_to=None) | Q(title__valid_to__gte=first), year=year, score__isnull=False,
            title__edition__in=self._editions, title__granted_on__lte=last,
        ).exclude(title__in=_ended(on__lt=first))  # fmt: skip

    def _population_count(self, year: int) -> int:
        """Return how many the population has: all answers without those of the few titles that do not count."""
        first, last = date(year, 1, 1), date(year, 12, 31)
        left_out = Title.objects.filter(
            ~Q(edition__in=self._editions)
            | Q(granted_on__gt=last)
            | Q(valid_to__lt=first)
            | Q(pk__in=_ended(on__lt=first))
        )
        answers = Reevaluation.objects.filter(year=year, score__isnull=False)
        return answers.count() - answers.filter(title__in=left_out.values("pk")).count()

    def _bottom(self, year: int) -> YearsBottom:
        rows = self._population(year)
        population = self._population_count(year)
        allowed = int((population * self.share_pct / 100).to_integral_value(rounding=ROUND_FLOOR))
        lowest = [
            score
            for score in rows.order_by("score").values_list("score", flat=True)[: allowed + 1]
            if score is not None
        ]
        below = lowest[allowed] if allowed < len(lowest) else None
        inside = lowest if below is None else [score for score in lowest if score < below]
        return YearsBottom(
            year=year, population=population, allowed=allowed, in_bottom=len(inside),
            cut=inside[-1] if inside else None, below=below,
        )  # fmt: skip

    def _in_bottom(self, year: int) -> QuerySet[Reevaluation] | None:
        of = self._of(year)
        if not of.in_bottom:
            return None
        rows = self._population(year)
        return rows if of.below is None else rows.filter(score__lt=of.below)

    def _due_for_bottom(self) -> list[int]:
        """Return the titles that are in the bottom for as many years running as it takes, and stand, by number."""
        rows = self._in_bottom(self.year)
        if rows is None:
            return []
        for year in range(self.year - self.years_needed + 1, self.year):
            earlier = self._in_bottom(year)
            if earlier is None:
                return []
            rows = rows.filter(title__in=list(earlier.values_list("title_id", flat=True)))
        rows = rows.exclude(title__in=_ended()).filter(self._seen("title"))
        return list(rows.order_by("title__number").values_list("title_id", flat=True))

    def _unanswered(self) -> QuerySet[Title]:
        """Return who answered without a score, and who was asked and did not answer."""
        first, last = date(self.year, 1, 1), date(self.year, 12, 31)
        answers = Reevaluation.objects.filter(year=self.year)
        asked = Q(granted_on__lt=first) & ~Q(pk__in=_ended(on__lte=last))
        return (
            Title.objects.filter(
                Q(valid_to=None) | Q(valid_to__gte=first), edition__in=self._editions, granted_on__lte=last
            )
            .exclude(pk__in=_ended(on__lt=first))
            .exclude(pk__in=answers.filter(score__isnull=False).values("title_id"))
            .filter(asked | Q(pk__in=answers.filter(score=None).values("title_id")))
        )

    def _warnings(self, **whose: object) -> QuerySet[TitleEvent]:
        return TitleEvent.objects.filter(
            kind=TitleEvent.Kind.WARNED, cause__endswith=f"#{self.year}", **whose
        )

    def _seen(self, title: str) -> Q:
        """Return the titles that the authority works with: its own are known without asking who holds them."""
        to = f"{title}__" if title else ""
        held = titles_seen_by(authority=self._authority, at=date.max).exclude(authority=self._authority)
        return Q(**{f"{to}authority": self._authority}) | Q(**{f"{to}pk__in": held.values("pk")})

    # ---- rows ------------------------------------------------------------------------------------

    def _titles(self, keys: Iterable[int]) -> dict[int, Title]:
        return {row.pk: row for row in titles(at=date.max).filter(pk__in=list(keys))}

    def _ranks(self, year: int, scores: Sequence[Decimal]) -> dict[Decimal, int]:
        """Return the place of each score in the year: counted from the nearer end, then from score to score."""
        if not scores:
            return {}
        of, rows, top = self._of(year), self._population(year), max(scores)
        above = (
            of.population - rows.filter(score__lte=top).count()
            if of.has(top)
            else rows.filter(score__gt=top).count()
        )
        between = rows.filter(score__gte=min(scores), score__lte=top).order_by("-score")
        found: dict[Decimal, int] = {}
        for score, number in between.values_list("score").annotate(n=Count("pk")):
            assert score is not None, "the population has scores"
            found[score] = above + 1
            above += number
        return found

    def _runs(self, now: Mapping[int, Decimal]) -> dict[int, dict[int, Decimal]]:
        """Return by title the years running through this one in which it was in the bottom, with the scores."""
        of = self._of(self.year)
        runs = {pk: {self.year: score} if of.has(score) else {} for pk, score in now.items()}
        year, running = self.year, [pk for pk, run in runs.items() if run]
        while running and (rows := self._in_bottom(year := year - 1)) is not None:
            earlier = dict(rows.filter(title__in=running).values_list("title_id", "score"))
            for pk, score in earlier.items():
                assert score is not None, "the population has scores"
                runs[pk][year] = score
            running = list(earlier)
        return runs

    def _places(self, now: Mapping[int, Decimal]) -> dict[int, tuple[Place, ...]]:
        runs = self._runs(now)
        years = sorted({year for run in runs.values() for year in run})
        ranks = {
            year: self._ranks(year, [run[year] for run in runs.values() if year in run]) for year in years
        }
        return {
            pk: tuple(self._place(year, score, ranks[year][score]) for year, score in sorted(run.items()))
            for pk, run in runs.items()
        }

    def _place(self, year: int, score: Decimal, rank: int) -> Place:
        of = self._of(year)
        assert of.cut is not None, "the title is in the bottom"
        return Place(
            year=year, population=of.population, allowed=of.allowed, cut=of.cut, score=score, rank=rank
        )  # fmt: skip


def _ended(**when: object) -> QuerySet[Any, Any]:
    return TitleEvent.objects.filter(kind__in=ENDING, **when).values("title_id")
