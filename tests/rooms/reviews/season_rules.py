"""What must be true of a season that was played, judged from its rows alone and by rules of their own."""

from collections import defaultdict
from datetime import timedelta
from typing import Any

from django.db.models import F

from tests.rooms.reviews.season import Season, working_days
from wufei.policies import queries as policy_queries
from wufei.reviews import stages
from wufei.reviews.clock import end_of
from wufei.reviews.models import Act, Application, Assignment, LateAdmission, Objection, QuotaUse
from wufei.reviews.stages import Action, Outcome
from wufei.terms.day import local_day

# Said once more than in the code, so that a slip there shows here.
SUBMITS = {"SUBMIT", "WITHDRAW"}
RECOMMENDS = {"RETURN", "AGREE", "DISAGREE", "SETTLE_FOR", "SETTLE_AGAINST"}
APPROVES = {"RECOGNISE", "REFUSE"}


def faults(season: Season) -> dict[str, list[str]]:
    """Return what is wrong, by rule; every list is empty where all is well."""
    rows = list(
        Application.objects.filter(round__in=season.rounds)
        .select_related("round", "organisation")
        .order_by("pk")
    )
    found: dict[str, list[str]] = {
        "transitions": [], "notices": [], "objections": [], "quotas": [], "conflicts": [], "duties": [],
        "late": [], "clocks": list(season.clock_faults),
    }  # fmt: skip
    for row in rows:
        acts = list(row.acts.order_by("seq").select_related("by"))
        found["transitions"] += _transitions(row, acts)
        found["notices"] += _notices(row, acts)
        found["objections"] += _objections(row, acts)
        found["duties"] += _duties(row, acts)
        found["late"] += _late(row, acts)
    found["conflicts"] += _conflicts(season)
    found["quotas"] += _quotas(season)
    return found


def _transitions(row: Application, acts: list[Act]) -> list[str]:
    """Every act was offered when it was done, none is lost, and the row says where they lead."""
    if [act.seq for act in acts] != list(range(1, row.version + 1)):
        return [f"{row.code}: acts {[act.seq for act in acts]}, version {row.version}"]
    try:
        standing = stages.replay(policy_queries.edition(row.round.edition).stages, acts)
    except (stages.NotYourDecision, stages.DecisionNotOffered) as refused:
        return [f"{row.code}: {refused}"]
    led = (standing.stage, standing.outcome or "", standing.is_contested)
    stored = (row.stage, row.outcome, row.contested)
    return [] if led == stored else [f"{row.code}: {stored}, by its acts {led}"]


def _notices(row: Application, acts: list[Act]) -> list[str]:
    """Between the day it was put up and the day it was cleared lie all the working days."""
    found = []
    for act in acts:
        if act.action != Action.CONFIRM:
            continue
        item = row.notice_items.select_related("notice").get(removed_at=None)
        up = local_day(item.notice.published_at)
        ran = working_days(up, local_day(act.at) - timedelta(days=1))
        wanted = next(s for s in policy_queries.edition(row.round.edition).stages if s.kind == "notice")
        if ran < (wanted.working_days or 0) or not local_day(act.at) > item.notice.ends_on:
            found.append(f"{row.code}: up {up}, cleared {act.at}, {ran} working days")
    if (
        any(a.action == Action.RECOGNISE for a in acts)
        and "green" in row.round.edition
        and not row.notice_items.count()
    ):
        found.append(f"{row.code}: recognised without a notice")
    return found


def _objections(row: Application, acts: list[Act]) -> list[str]:
    at = [act.at for act in acts if act.action in (Action.CONFIRM, Action.RECOGNISE)]
    objections = Objection.objects.filter(item__application=row)
    return [
        f"{row.code}: {each.code} open at {instant}"
        for each in objections for instant in at
        if each.received_at <= instant and (each.decided_at is None or each.decided_at > instant)
    ]  # fmt: skip


def _duties(row: Application, acts: list[Act]) -> list[str]:
    duties: dict[int, set[str]] = defaultdict(set)
    for act in acts:
        for duty, actions in (("submit", SUBMITS), ("recommend", RECOMMENDS), ("approve", APPROVES)):
            if act.action in actions:
                duties[act.by_id].add(duty)
    for assignment in _scored(row):
        duties[assignment.expert.user_id].add("score")
    return [f"{row.code}: {person} {sorted(had)}" for person, had in duties.items() if len(had) > 1]


def _scored(row: Application) -> Any:
    rows = Assignment.objects.filter(application=row, withdrawn_at=None, sheet__submitted_at__isnull=False)
    return rows.select_related("expert__user")


def _conflicts(season: Season) -> list[str]:
    return [
        f"{row.application.code}: {row.expert.user.username}"
        for entry in season.entries if entry.application is not None
        for row in _scored(Application.objects.get(pk=entry.application))
        if row.expert.user.username in entry.kept_away
    ]  # fmt: skip


def _late(row: Application, acts: list[Act]) -> list[str]:
    """Whoever was handed in for the first time, or anew after it was withdrawn, came in time or had leave."""
    deadline = row.round.submission_deadline
    assert deadline is not None
    latest = end_of(deadline) + timedelta(minutes=row.round.grace_minutes)
    found = []
    for before, act in zip([None, *acts], acts, strict=False):
        anew = before is None or before.action == Action.WITHDRAW
        if act.action != Action.SUBMIT or not anew or act.at < latest:
            continue
        leave = LateAdmission.objects.filter(
            round=row.round,
            organisation=act.submission.organisation_id,
            at__lte=act.at,
            until__gte=local_day(act.at),
        )
        if not leave.exists():
            found.append(f"{row.code}: handed in {act.at}, deadline {deadline}")
    return found


def _quotas(season: Season) -> list[str]:
    """Count anew, act by act in the order of time, how many have passed each stage with a quota."""
    found = []
    for round_ in season.rounds:
        edition = policy_queries.edition(round_.edition)
        order = [stage.id for stage in edition.stages]
        acts = (
            Act.objects.filter(application__round=round_).order_by("at", "pk").select_related("application")
        )
        for stage in edition.stages:
            if not stage.quota:
                continue
            cap = round_.quotas.get(
                stage.quota, next(q.number for q in edition.quotas if q.id == stage.quota)
            )
            through: set[int] = set()
            passed: dict[int, list[Act]] = defaultdict(list)
            for act in acts:
                passed[act.application_id].append(act)
                standing = stages.replay(edition.stages, passed[act.application_id])
                gone = standing.outcome is Outcome.WITHDRAWN
                is_past = order.index(standing.stage) > order.index(stage.id)
                (through.add if is_past and not gone else through.discard)(act.application_id)
                if len(through) > cap:
                    found.append(f"{round_.edition}: {len(through)} of {cap} at {act.at}")
            used = sum(
                QuotaUse.objects.filter(round=round_, quota=stage.quota).values_list("used", flat=True)
            )
            if used != len(through):
                found.append(f"{round_.edition}: {used} counted, {len(through)} there")
    if QuotaUse.objects.filter(used__gt=F("cap")).exists():
        found.append("counted over the cap")
    return found
