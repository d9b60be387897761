"""What does an authority recommend, in which order, and how does that stand against its quota?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from django.db.models import Avg, Q

from wufei.policies import queries as policy_queries
from wufei.policies.edition import Edition, Stage
from wufei.registry.models import Organisation
from wufei.registry.queries import levels_of
from wufei.reviews import stages
from wufei.reviews.models import Application, QuotaUse, RecommendationPlace, Round
from wufei.reviews.queries.applications_seen import within
from wufei.reviews.stages import Outcome

_OUT = (Outcome.REJECTED, Outcome.WITHDRAWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommended:
    """A row of the list."""

    position: int
    application: Application
    score: Decimal | None  # mean of the experts' sheets; None: there are none
    has_passed: bool  # the authority has recommended it
    is_over: bool  # beyond the quota, in this order


@dataclass(frozen=True, slots=True, kw_only=True)
class RecommendationList:
    rows: tuple[Recommended, ...]
    is_placed: bool  # the order was given; else it is by score
    quota_says: str = ""
    cap: int | None = None  # None: no quota is set
    used: int = 0

    @property
    def over(self) -> int:
        return sum(row.is_over for row in self.rows)


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


def recommendation_list(*, round_: Round, authority: Organisation) -> RecommendationList:
    """Return the list in the order that was given, else by score; the same few queries however long it is."""
    edition = policy_queries.edition(round_.edition)
    stage = recommending_stage(edition=edition, authority=authority)
    if stage is None:
        return RecommendationList(rows=(), is_placed=False)
    ids = [each.id for each in edition.stages]
    candidates = candidates_of(round_=round_, authority=authority, edition=edition)
    places = dict(
        RecommendationPlace.objects.filter(round=round_, authority=authority).values_list(
            "application_id", "position"
        )
    )
    cap, used, says = _quota(round_, edition, stage, authority)
    rows = []
    for position, (application, score) in enumerate(_in_order(candidates, places), start=1):
        passed = _has_passed(application, ids, stage)
        rows.append(
            Recommended(
                position=position, application=application, score=score, has_passed=passed,
                is_over=cap is not None and position > cap,
            )
        )  # fmt: skip
    return RecommendationList(rows=tuple(rows), is_placed=bool(places), quota_says=says, cap=cap, used=used)


def _has_passed(application: Application, ids: Sequence[str], stage: Stage) -> bool:
    further = ids.index(application.stage) > ids.index(stage.id)
    return further and application.outcome not in _OUT


def candidates_of(
    *, round_: Round, authority: Organisation, edition: Edition
) -> list[tuple[Application, Decimal | None]]:
    """Return what the authority may recommend, with the mean of the experts' sheets."""
    stage = recommending_stage(edition=edition, authority=authority)
    assert stage is not None, "asked only of who recommends"
    ids = [each.id for each in edition.stages]
    scored = Q(assignments__withdrawn_at=None, assignments__sheet__submitted_at__isnull=False)
    rows = (
        Application.objects.filter(
            within(authority.division_code), round=round_, stage__in=ids[ids.index(stage.id) :]
        )
        .exclude(outcome__in=_OUT)
        .select_related("organisation")
        .annotate(mean=Avg("assignments__sheet__total", filter=scored))
        .order_by("code")
    )
    return [(row, _rounded(row.mean)) for row in rows]


def _rounded(mean: object) -> Decimal | None:
    return None if mean is None else Decimal(str(mean)).quantize(Decimal("0.01"), ROUND_HALF_UP)


def _in_order(
    candidates: Sequence[tuple[Application, Decimal | None]], places: Mapping[int, int]
) -> list[tuple[Application, Decimal | None]]:
    """Those with a place by it, the others behind them by score, equal ones by code."""

    def key(row: tuple[Application, Decimal | None]) -> tuple[int, Decimal, str]:
        application, score = row
        last = len(candidates) + len(places) + 1
        return (places.get(application.pk, last), -(score or Decimal(-1)), application.code)

    return sorted(candidates, key=key)


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
