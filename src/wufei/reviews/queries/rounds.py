"""What reads rounds: which there are, how far their applications are, and their statistics."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

from django.core.exceptions import EmptyResultSet
from django.db.models import Count, Q, QuerySet, Sum
from django.db.models.functions import Substr

from wufei.policies import queries as policy_queries
from wufei.policies.edition import Deadline, Edition, Stage
from wufei.registry.access import Permission
from wufei.registry.models import Organisation, User
from wufei.registry.queries import jurisdiction_prefix, levels_of, visible_organisations
from wufei.reviews.models import Act, Application, Consultation, QuotaUse, Round
from wufei.reviews.stages import Action, Outcome
from wufei.terms.day import local_day

DAY = timedelta(days=1)


def visible_rounds(*, user: User, on: date) -> QuerySet[Round]:
    """Return the rounds that the user may see: the published ones, and those of the authority worked for."""
    own = visible_organisations(user=user, permission=Permission.RUN_ROUND, on=on)
    rows = Round.objects.filter(Q(published_at__isnull=False) | Q(authority__in=own))
    return rows.select_related("authority", "opened_by")


def found_rounds(
    *, among: QuerySet[Round], text: str = "", edition: str = "", state: str = ""
) -> QuerySet[Round]:
    """Narrow rounds by a part of the title, by edition, by state; the newest first."""
    if text:
        among = among.filter(Q(title__icontains=text) | Q(authority__name__icontains=text))
    if edition:
        among = among.filter(edition=edition)
    states = {
        "unpublished": Q(published_at=None),
        "open": Q(published_at__isnull=False, closed_at=None),
        "closed": Q(closed_at__isnull=False),
    }
    if state in states:
        among = among.filter(states[state])
    return among.order_by("-year", "-pk")


def counts_of(*, rounds: Iterable[Round]) -> dict[int, int]:
    """Return how many applications each of the rounds has."""
    rows = Application.objects.filter(round__in=list(rounds)).order_by()
    return dict(rows.values_list("round_id").annotate(n=Count("pk")))


def runs_rounds_of(*, edition: Edition, authority: Organisation) -> bool:
    """Return whether the authority is of the level, the branch and the region that issued the edition."""
    level, _, branch = edition.run_by.partition("_")
    if level not in levels_of(authority.division_code) or authority.branch != branch:
        return False
    if edition.region is None:
        return True
    if level in levels_of(edition.region):
        return authority.division_code == edition.region
    return authority.division_code.startswith(jurisdiction_prefix(edition.region))


def reporting_days(*, round_: Round) -> list[Deadline]:
    """Return the days by which those below report to who runs the round, the first day first."""
    edition = policy_queries.edition(round_.edition)
    return edition.reporting_days(year=round_.year, since=local_day(round_.opened_at))


def reported_by(*, round_: Round, edition: Edition, stage: str) -> Deadline | None:
    """Return by when those below report a case that stands at the stage; None: no day binds them."""
    return edition.reported_by(stage, year=round_.year, since=local_day(round_.opened_at))


@dataclass(frozen=True, slots=True)
class StageCount:
    id: str
    label: str
    count: int  # that stand there now
    not_yet: int = 0  # of these the reader may open none: they have not come to its level


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """
    How far the applications of a round are.

    Who runs a round counts all of it, though it opens a case only when that has come to its level: `not_yet` says
    of how many that is not so.
    """

    stages: tuple[StageCount, ...]
    outcomes: Mapping[str, int]  # outcome → number, those that occur
    contested: int
    outcomes_not_yet: Mapping[str, int]  # those that ended below the reader's level

    @property
    def applications(self) -> int:
        return sum(row.count for row in self.stages) + sum(self.outcomes.values())

    @property
    def not_yet(self) -> int:
        return sum(row.not_yet for row in self.stages) + sum(self.outcomes_not_yet.values())


def status_of(
    *,
    round_: Round,
    among: QuerySet[Application] | None = None,
    openable: QuerySet[Application] | None = None,
) -> Status:
    """Return the counts per stage and outcome, in one query; `openable` is what the reader may open of them."""
    rows = (Application.objects.all() if among is None else among).filter(round=round_).order_by()
    opened = Q() if openable is None else Q(pk__in=openable.filter(round=round_).order_by().values("pk"))
    at, outcomes, contested = Counter[str](), Counter[str](), 0
    at_not_yet, outcomes_not_yet = Counter[str](), Counter[str]()
    counted = rows.values_list("stage", "outcome", "contested").annotate(
        n=Count("pk"), open=Count("pk", filter=opened) if openable is not None else Count("pk")
    )
    for stage, outcome, is_contested, number, may_open in counted:
        contested += number if is_contested else 0
        (outcomes if outcome else at)[outcome or stage] += number
        (outcomes_not_yet if outcome else at_not_yet)[outcome or stage] += number - may_open
    edition = policy_queries.edition(round_.edition)
    return Status(
        stages=tuple(StageCount(s.id, s.label, at[s.id], at_not_yet[s.id]) for s in edition.stages),
        outcomes={o.value: outcomes[o.value] for o in Outcome if outcomes[o.value]}, contested=contested,
        outcomes_not_yet={o: number for o, number in outcomes_not_yet.items() if number},
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class StageStatistics:
    """What happened at a stage: how many came there, how many went on, and in how many days."""

    id: str
    label: str
    reached: int
    now_there: int
    ended_there: int
    mean_days: Decimal | None  # of those that left it; None: nobody has


@dataclass(frozen=True, slots=True)
class Share:
    """How those of one district or industry fared."""

    code: str
    applications: int
    open: int
    recognised: int
    not_selected: int
    withdrawn: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    stages: tuple[StageStatistics, ...]
    districts: tuple[Share, ...]
    industries: tuple[Share, ...]


def statistics(*, round_: Round, among: QuerySet[Application] | None = None) -> Statistics:
    """Return the round's funnel, the days per stage, and how districts and industries fared."""
    rows = (Application.objects.all() if among is None else among).filter(round=round_).order_by()
    edition = policy_queries.edition(round_.edition)
    by_industry = rows.annotate(industry=Substr("organisation__industry_code", 1, 2))
    return Statistics(
        stages=_funnel(round_, edition, rows),
        districts=_shares(rows, "district_code"),
        industries=_shares(by_industry, "industry"),
    )


def _funnel(round_: Round, edition: Edition, rows: QuerySet[Application]) -> tuple[StageStatistics, ...]:
    """
    Return the funnel: worked out once, and again when an act or a consultation more is in the round.

    Which applications a person sees, and how far each is, follows from these alone; they only ever become more, and
    are counted first, so what is kept is never older than the count says.
    """
    try:
        sql, parameters = rows.values("pk").query.sql_with_params()
    except EmptyResultSet:
        sql, parameters = "", ()  # who asks sees none
    acts = Application.objects.filter(round=round_).aggregate(cases=Count("pk"), acts=Sum("version"))
    asked = Consultation.objects.filter(application__round=round_).count()
    happened = (round_.uid, acts["cases"], acts["acts"], asked)
    return _kept_funnel(_Asked(sql, tuple(map(str, parameters)), rows), edition.id, happened)


@dataclass(frozen=True, slots=True)
class _Asked:
    """Applications, known by the question that they answer."""

    sql: str
    parameters: tuple[str, ...]
    rows: QuerySet[Application] = field(compare=False)


@lru_cache(maxsize=64)
def _kept_funnel(
    asked: _Asked, edition_id: str, _happened: tuple[object, ...]
) -> tuple[StageStatistics, ...]:
    return _worked_out(policy_queries.edition(edition_id), asked.rows)


def _worked_out(edition: Edition, rows: QuerySet[Application]) -> tuple[StageStatistics, ...]:
    """An application reached a stage if it stands there, left it, or stands further on."""
    place = {stage.id: index for index, stage in enumerate(edition.stages)}
    furthest: dict[int, int] = {}
    now_there, ended = Counter[str](), Counter[str]()
    for pk, stage, outcome in rows.values_list("pk", "stage", "outcome"):
        furthest[pk] = place.get(stage, 0)
        (ended if outcome else now_there)[stage] += 1
    days, left = _days(rows, place, furthest)
    reached = Counter(furthest.values())
    return tuple(
        StageStatistics(
            id=stage.id, label=stage.label,
            reached=sum(number for index, number in reached.items() if index >= at),
            now_there=now_there[stage.id], ended_there=ended[stage.id],
            mean_days=_mean(days[stage.id], left[stage.id]),
        )
        for at, stage in enumerate(edition.stages)
    )  # fmt: skip


def _days(
    rows: QuerySet[Application], place: Mapping[str, int], furthest: dict[int, int]
) -> tuple[Mapping[str, timedelta], Mapping[str, int]]:
    """Return the time spent at each stage and by how many; note how far each ever came."""
    spent: dict[str, timedelta] = defaultdict(timedelta)
    at_stage: dict[str, set[int]] = defaultdict(set)
    acts = Act.objects.filter(application__in=rows.values("pk")).exclude(
        action__in=(Action.RELEASE, Action.PASS_ON)
    )
    last: tuple[int, datetime] | None = None
    for pk, stage, at in acts.order_by("application_id", "seq").values_list("application_id", "stage", "at"):
        furthest[pk] = max(furthest[pk], place.get(stage, 0))
        if last is not None and last[0] == pk:
            spent[stage] += at - last[1]
            at_stage[stage].add(pk)
        last = (pk, at)
    return spent, {stage: len(keys) for stage, keys in at_stage.items()} | dict.fromkeys(
        set(place) - set(at_stage), 0
    )


def _mean(spent: timedelta, number: int) -> Decimal | None:
    if not number:
        return None
    days = Decimal(spent // timedelta(seconds=1)) / Decimal(86_400) / number
    return days.quantize(Decimal("0.1"), ROUND_HALF_UP)


_NOT_SELECTED = (Outcome.REFUSED, Outcome.REJECTED, Outcome.NOT_SELECTED, Outcome.REMOVED)


def _shares(rows: QuerySet[Application], by: str) -> tuple[Share, ...]:
    found = rows.values_list(by).annotate(
        n=Count("pk"),
        open=Count("pk", filter=Q(outcome="")),
        recognised=Count("pk", filter=Q(outcome=Outcome.RECOGNISED)),
        not_selected=Count("pk", filter=Q(outcome__in=_NOT_SELECTED)),
        withdrawn=Count("pk", filter=Q(outcome=Outcome.WITHDRAWN)),
    )
    return tuple(Share(*row) for row in found.order_by("-n", by))


@dataclass(frozen=True, slots=True)
class QuotaStanding:
    """A quota as it stands in one division."""

    id: str
    says: str
    stage: str
    scope: str
    cap: int
    used: int

    @property
    def left(self) -> int:
        return self.cap - self.used


def quotas_of(*, round_: Round, scope: str | None = None) -> list[QuotaStanding]:
    """Return the quotas that are counted already, of one division or all."""
    edition = policy_queries.edition(round_.edition)
    says = {quota.id: quota.says for quota in edition.quotas}
    stage_of: dict[str, Stage] = {stage.quota: stage for stage in edition.stages if stage.quota}
    rows = QuotaUse.objects.filter(round=round_).order_by("quota", "scope")
    if scope is not None:
        rows = rows.filter(scope=scope)
    return [
        QuotaStanding(
            row.quota,
            says.get(row.quota, row.quota),
            stage_of[row.quota].label if row.quota in stage_of else "",
            row.scope,
            row.cap,
            row.used,
        )
        for row in rows
    ]
