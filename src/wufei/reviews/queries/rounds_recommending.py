"""What does an authority recommend, in which order, and how does that stand against its quota?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import QuerySet

from wufei.policies import queries as policy_queries
from wufei.policies.edition import Edition, Stage
from wufei.registry.models import Organisation
from wufei.registry.queries import levels_of
from wufei.reviews import stages
from wufei.reviews.models import Application, QuotaUse, RecommendationPlace, Round
from wufei.reviews.queries.applications_seen import within
from wufei.reviews.queries.ranking import RankedCase, ranking_shown
from wufei.reviews.stages import Outcome

_OUT = (Outcome.REJECTED, Outcome.WITHDRAWN)
_STILL_IN = ("", *(each.value for each in Outcome if each not in _OUT))  # named, so that an index finds them


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommended:
    """A row of the list."""

    position: int
    application: Application
    score: Decimal | None  # the experts', as the ranking normalises it; None: they have not judged it before
    has_passed: bool  # the authority has recommended it
    is_over: bool  # beyond the quota, in this order


@dataclass(frozen=True, slots=True, kw_only=True)
class RecommendationList:
    rows: tuple[Recommended, ...]  # those asked for
    total: int
    is_placed: bool  # the order was given; else it is the ranking's
    is_judged: bool = False  # experts judge before this authority recommends
    quota_says: str = ""
    cap: int | None = None  # None: no quota is set
    used: int = 0

    @property
    def over(self) -> int:
        """Return how many are beyond the quota, on whichever page they stand."""
        return 0 if self.cap is None else max(0, self.total - self.cap)


def recommending_stage(*, edition: Edition, authority: Organisation) -> Stage | None:
    """Return the stage with which the authority recommends: the last before the decision that it decides."""
    roles = {f"{level}_{authority.branch}" for level in levels_of(authority.division_code)}
    found = [
        stage
        for stage in edition.stages
        if stage.kind in ("review", "site_check", "shortlist") and roles & set(stages.deciders(stage))
    ]
    counted = [stage for stage in found if stage.quota]
    return (counted or found)[-1] if found else None


@dataclass(frozen=True, slots=True, kw_only=True)
class NotYet:
    """What an authority's recommendation still lacks; it bars nothing, but whoever recommends is told."""

    authority: Organisation
    order: bool  # no order was saved: the list goes by score
    scan: bool  # the signed and sealed list was not put in


def lacking(*, round_: Round, authority: Organisation) -> NotYet:
    """Return what the authority's recommendation still lacks."""
    scans = round_.documents.filter(kind="recommendation", authority=authority)
    return NotYet(
        authority=authority, order=not places_of(round_, authority).exists(), scan=not scans.exists()
    )


def recommendation_list(
    *,
    round_: Round,
    authority: Organisation,
    first: int = 1,
    number: int | None = None,
    total: int | None = None,
) -> RecommendationList:
    """
    Return the list in the order that was given, else the ranking's, or a part of it from the first-th on.

    The same few queries however long it is; only the rows of the part are read. `total` is of who has counted.
    """
    edition = policy_queries.edition(round_.edition)
    stage = recommending_stage(edition=edition, authority=authority)
    if stage is None:
        return RecommendationList(rows=(), total=0, is_placed=False)
    ids = [each.id for each in edition.stages]
    candidates = candidates_of(round_=round_, authority=authority, edition=edition)
    judged = judged_before(edition=edition, stage=stage)
    ranked = ranked_before(round_, judged)
    scores = {row.application: row.normalised for row in ranked}
    end = None if number is None else first - 1 + number
    keys = in_order(candidates, round_, authority, ranked)[first - 1 : end]
    read = candidates if number is None else candidates.filter(pk__in=keys)
    applications = {row.pk: row for row in read.select_related("organisation")}
    cap, used, says = _quota(round_, edition, stage, authority)
    rows = tuple(
        Recommended(
            position=position, application=applications[key], score=scores.get(key),
            has_passed=_has_passed(applications[key], ids, stage), is_over=cap is not None and position > cap,
        )
        for position, key in enumerate(keys, start=first)
    )  # fmt: skip
    return RecommendationList(
        rows=rows, total=candidates.count() if total is None else total, is_judged=bool(judged),
        is_placed=places_of(round_, authority).exists(), quota_says=says, cap=cap, used=used,
    )  # fmt: skip


def _has_passed(application: Application, ids: Sequence[str], stage: Stage) -> bool:
    further = ids.index(application.stage) > ids.index(stage.id)
    return further and application.outcome not in _OUT


def places_of(round_: Round, authority: Organisation) -> QuerySet[RecommendationPlace]:
    """Return the places that the authority gave."""
    return RecommendationPlace.objects.filter(round=round_, authority=authority)


def candidates_of(*, round_: Round, authority: Organisation, edition: Edition) -> QuerySet[Application]:
    """Return what the authority may recommend."""
    stage = recommending_stage(edition=edition, authority=authority)
    assert stage is not None, "asked only of who recommends"
    ids = [each.id for each in edition.stages]
    return Application.objects.filter(
        within(authority.division_code),
        round=round_,
        stage__in=ids[ids.index(stage.id) :],
        outcome__in=_STILL_IN,
    )


def judged_before(*, edition: Edition, stage: Stage) -> str:
    """
    Return the stage of experts whose scores an authority has before it when it recommends; "" where there is none.

    Scores given later are not its own: who recommends before the experts judge neither sees nor orders by them.
    """
    if edition.scoring is None:
        return ""
    ids = [each.id for each in edition.stages]
    before = edition.stages[: ids.index(stage.id)]
    return next((each.id for each in reversed(before) if each.kind == "experts"), "")


def in_order(
    candidates: QuerySet[Application], round_: Round, authority: Organisation, ranked: Sequence[RankedCase]
) -> list[int]:
    """Return the keys: those with a place by it, the others behind them as the experts rank them, then by code."""
    places = dict(places_of(round_, authority).values_list("application", "position"))
    ranks = {row.application: row.rank for row in ranked}
    rows = candidates.order_by("code").values_list("pk", flat=True)
    last = len(rows) + 1
    return sorted(rows, key=lambda key: (places.get(key, last), ranks.get(key, last)))


def ranked_before(round_: Round, judged: str) -> Sequence[RankedCase]:
    """Return the ranking of the stage of experts; nothing where there is no such stage."""
    return ranking_shown(round_=round_, stage=judged).rows if judged else ()


def moved(codes: Sequence[str], to: Mapping[str, int]) -> list[str]:
    """
    Return the codes with some of them at other places, counted from 1; the rest keep their order around them.

    >>> moved("abcde", {"e": 1}), moved("abcde", {"a": 2, "b": 1}), moved("abc", {"a": 99})
    (['e', 'a', 'b', 'c', 'd'], ['b', 'a', 'c', 'd', 'e'], ['b', 'c', 'a'])
    """
    found = [code for code in codes if code not in to]
    for code in sorted(to, key=lambda each: (to[each], each)):
        found.insert(to[code] - 1, code)
    return found


def _quota(
    round_: Round, edition: Edition, stage: Stage, authority: Organisation
) -> tuple[int | None, int, str]:
    if not stage.quota:
        return None, 0, ""
    quota = next(q for q in edition.quotas if q.id == stage.quota)
    digits = {"province": 2, "city": 4, "district": 6, "country": 0}[quota.per]
    scope = authority.division_code[:digits].ljust(6, "0") if digits else ""
    use = QuotaUse.objects.filter(round=round_, quota=quota.id, scope=scope).first()
    said = round_.quotas.get(quota.id)
    cap = use.cap if use else (said if isinstance(said, int) else quota.number)
    return cap, use.used if use else 0, quota.says
