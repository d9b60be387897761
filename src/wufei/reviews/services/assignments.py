"""Who scores what: assigned by the machine with even loads, replaced where an expert steps back, scored again."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Count, F, QuerySet

from wufei.catalogue.working_days import nth_working_day
from wufei.policies import queries as policy_queries
from wufei.policies.edition import Edition
from wufei.registry.access import Permission
from wufei.registry.models import User
from wufei.registry.queries import require
from wufei.registry.services import audit
from wufei.reviews import clock
from wufei.reviews.assignment import CannotAssign, CaseToAssign, ExpertToAssign, assign, replacements
from wufei.reviews.conflicts import Reason
from wufei.reviews.models import Application, Assignment, Discussion, Expert, ExpertTie, Round, ScoreSheet
from wufei.reviews.queries import experts as queries
from wufei.reviews.refusals import ReviewRefused
from wufei.reviews.services.messages import tell_each
from wufei.reviews.services.rounds import locked_round
from wufei.reviews.telling import Telling
from wufei.terms.day import local_day

ORGANISER = "组织者"
SCORING = "/reviews/scoring/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What an assignment came to."""

    cases: int
    assignments: int
    smallest_load: int
    largest_load: int
    mismatches: int
    is_even: bool


@transaction.atomic
def assign_cases(*, round_: Round, stage: str = "", by: User, now: datetime) -> Given:
    """
    Give every case at the stage that lacks experts as many of the drawn ones as the edition asks for.

    In conflict is nobody, loads differ by one at most, fields are met as far as can be; the seed is the
    round's own identity, so that the same ground gives the same assignment.

    :raises NotPermitted, ReviewRefused: `draw_missing`, `nothing_to_assign`, `too_few_experts`,
        `too_few_without_conflict` with the codes of the cases
    """
    locked = locked_round(round_, by, now)
    edition = policy_queries.edition(locked.edition)
    at, scoring = queries.expert_stage(edition=edition, stage=stage), queries.scoring_of(edition=edition)
    experts = [e for e in queries.drawn_experts(round_=locked, stage=at.id) if e.is_active]
    if not experts:
        raise ReviewRefused("draw_missing")
    lacking = queries.unassigned(round_=locked, stage=at.id, per_case=scoring.experts_per_case)
    live = {row.pk: row.live for row in lacking.order_by("code").only("pk")}
    if not live:
        raise ReviewRefused("nothing_to_assign")
    loads = _loads(locked, at.id)
    cases = _cases(lacking, experts, edition, at.id, scoring.expert_fields)
    seed = f"{locked.uid}|{at.id}"
    fresh = [case for case in cases if not live[case.key]]
    there = [ExpertToAssign(e.pk, frozenset(e.fields), loads.get(e.pk, 0)) for e in experts]
    try:
        given = assign(fresh, there, per_case=scoring.experts_per_case, seed=seed)
    except CannotAssign as none:
        codes = Application.objects.filter(pk__in=none.cases[:20]).order_by("code")
        raise ReviewRefused(none.code, "、".join(codes.values_list("code", flat=True))) from none
    pairs = [(case, expert) for case, panel in given.panels.items() for expert in panel]
    loads = dict(given.loads)
    for case in cases:
        if live[case.key]:
            missing = scoring.experts_per_case - live[case.key]
            pairs += _completed(case, experts, loads, missing, seed, at.id)
    due = clock.due(local_day(now), at.due_working_days, nth=nth_working_day)
    _insert(pairs, at.id, due, by, now)
    _tell(experts, Counter(expert for _, expert in pairs), locked, now)
    result = Given(
        cases=len(cases), assignments=len(pairs), smallest_load=min(loads.values()),
        largest_load=max(loads.values()), mismatches=given.mismatches, is_even=given.is_even,
    )  # fmt: skip
    detail = {"stage": at.id, "seed": seed, "cases": len(cases), "assignments": len(pairs)}
    audit(
        by=by, now=now, organisation=locked.authority, action="reviews.assign", object_ref=f"round:{locked.pk}",
        detail=detail,
    )  # fmt: skip
    return result


COLUMNS = """
    INSERT INTO reviews_assignment
      (application_id, expert_id, stage, turn, assigned_at, assigned_by_id, due_on, withdrawn_reason)"""
ONE_BY_ONE = COLUMNS + " VALUES (%s, %s, %s, 1, %s, %s, %s, '')"
ALL_AT_ONCE = COLUMNS + (
    " SELECT given.application, given.expert, %s, 1, %s, %s, %s, '' "
    "FROM unnest(%s::bigint[], %s::bigint[]) AS given(application, expert)"
)


def _insert(
    pairs: Sequence[tuple[int, int]], stage: str, due_on: date | None, by: User, now: datetime
) -> None:
    """Write the assignments past the ORM, which takes ten seconds for sixty thousand of them."""
    at, due = connection.ops.adapt_datetimefield_value(now), connection.ops.adapt_datefield_value(due_on)
    said = (stage, at, by.pk, due)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cases, experts = [case for case, _ in pairs], [expert for _, expert in pairs]
            cursor.execute(ALL_AT_ONCE, [*said, cases, experts])
        else:
            cursor.executemany(ONE_BY_ONE, [(case, expert, *said) for case, expert in pairs])


def _tell(experts: Iterable[Expert], given: Mapping[int, int], round_: Round, now: datetime) -> None:
    """Tell the experts that there is something to score, and nothing of whose it is."""
    tell_each(
        tellings=[
            (
                e.user,
                Telling("有新的评审任务", f"“{round_.title}”有 {given[e.pk]} 件申报请您评分。", SCORING),
                "",
            )
            for e in experts
            if given.get(e.pk)
        ],
        now=now,
    )


def _loads(round_: Round, stage: str) -> dict[int, int]:
    rows = queries.assignments_of(round_=round_, stage=stage).filter(turn=1).order_by()
    return dict(rows.values_list("expert_id").annotate(n=Count("pk")))


def _cases(
    among: QuerySet[Application], experts: list[Expert], edition: Edition, stage: str, known: Iterable[str]
) -> list[CaseToAssign]:
    """Return the cases with their fields and with whom they must not go to."""
    index = queries.ties_of(experts=experts)
    applications = Application.objects.filter(pk__in=among.order_by().values("pk"))
    acted = queries.acted(applications=applications, experts=experts, edition=edition)
    gone: dict[int, set[int]] = defaultdict(set)  # who had it before: stepped back, or was replaced
    for case, expert in Assignment.objects.filter(
        application__in=applications.values("pk"),
        stage=stage,
        turn=1,
        assigned_at__gte=F(
            "application__submission__submitted_at"
        ),  # who had an earlier submission may have this
    ).values_list("application_id", "expert_id"):
        gone[case].add(expert)
    fields = queries.fields_of(applications=applications, known=known)
    nothing: frozenset[str] = frozenset()
    return [
        CaseToAssign(
            case,
            fields.get(case, nothing),
            frozenset(index.conflicts(interests))
            | frozenset(acted.get(case, ()))
            | frozenset(gone.get(case, ())),
        )
        for case, interests in queries.interests_of(applications=applications).items()
    ]


def _completed(
    case: CaseToAssign, experts: list[Expert], loads: dict[int, int], missing: int, seed: str, stage: str
) -> list[tuple[int, int]]:
    """Return who completes the panel of a case that has some of its experts already."""
    there = [ExpertToAssign(e.pk, frozenset(e.fields), loads.get(e.pk, 0)) for e in experts]
    chosen = list(replacements(case, there, panel=(), seed=seed))[:missing]
    if len(chosen) < missing:
        code = Application.objects.values_list("code", flat=True).get(pk=case.key)
        raise ReviewRefused("too_few_without_conflict", code)
    for expert in chosen:
        loads[expert] = loads.get(expert, 0) + 1
    return [(case.key, expert) for expert in chosen]


@transaction.atomic
def replace_expert(
    *, assignment: Assignment, reason: str, expert: Expert | None = None, by: User, now: datetime
) -> Assignment:
    """
    Take the case from the expert and give it to another of the drawn ones: to the one named, else to whom
    it fits best. The sheet of who had it no longer counts.

    :raises NotPermitted, ReviewRefused: `words_missing`, `assignment_withdrawn`, `conflict_of_interest`,
        `acted_before`, `too_few_without_conflict`
    """
    round_ = assignment.application.round
    require(user=by, permission=Permission.RUN_ROUND, organisation=round_.authority, on=local_day(now))
    locked = _withdrawn(assignment, reason, now)
    made = _given_to_another(locked, expert, by, now)
    if made is None:
        raise ReviewRefused("too_few_without_conflict", locked.application.code)
    detail = {"from": locked.expert.number, "to": made.expert.number, "reason": reason.strip()}
    _audit("reviews.replace_expert", locked.application, by, now, detail)
    return made


@transaction.atomic
def recuse(*, assignment: Assignment, reason: str, by: User, now: datetime) -> Assignment | None:
    """
    Let an expert step back from a case: 申请回避. The case goes to another of the drawn ones where one is free.

    The tie is kept, so that nobody gives the expert a case of that applicant again.

    :raises ReviewRefused: `not_permitted`, `words_missing`, `sheet_final`, `assignment_withdrawn`
    """
    if assignment.expert.user_id != by.pk:
        raise ReviewRefused("not_permitted")
    if ScoreSheet.objects.filter(assignment=assignment, submitted_at__isnull=False).exists():
        raise ReviewRefused("sheet_final")
    locked = _withdrawn(assignment, reason, now)
    ExpertTie.objects.get_or_create(
        expert=locked.expert, uscc=locked.application.organisation.uscc, kind=ExpertTie.Kind.DECLARED,
        ended_at=None, defaults={"note": reason.strip()[:200], "declared_at": now, "declared_by": by},
    )  # fmt: skip
    made = _given_to_another(locked, None, by, now)
    detail = {
        "expert": locked.expert.number,
        "reason": reason.strip(),
        "to": made.expert.number if made else "",
    }
    _audit("reviews.recuse", locked.application, by, now, detail)
    return made


def _withdrawn(assignment: Assignment, reason: str, now: datetime) -> Assignment:
    if not reason.strip():
        raise ReviewRefused("words_missing")
    rows = Assignment.objects.select_for_update(of=("self",))
    locked = rows.select_related("application__round__authority", "application__organisation", "expert").get(
        pk=assignment.pk
    )
    if locked.withdrawn_at is not None:
        raise ReviewRefused("assignment_withdrawn")
    if locked.application.stage != locked.stage or locked.application.outcome:
        raise ReviewRefused("stage_moved_on", locked.application.stage)
    locked.withdrawn_at, locked.withdrawn_reason = now, reason.strip()[:200]
    locked.save(update_fields=["withdrawn_at", "withdrawn_reason"])
    return locked


def _given_to_another(gone: Assignment, expert: Expert | None, by: User, now: datetime) -> Assignment | None:
    """Give the case to the expert that is named, else to who fits best; None: nobody is free."""
    application, round_ = gone.application, gone.application.round
    edition = policy_queries.edition(round_.edition)
    experts = [e for e in queries.drawn_experts(round_=round_, stage=gone.stage) if e.is_active]
    known = queries.scoring_of(edition=edition).expert_fields
    [case] = _cases(Application.objects.filter(pk=application.pk), experts, edition, gone.stage, known)
    if expert is not None:
        _refuse_unfit(expert, experts, case, application, edition)
        chosen: int | None = expert.pk
    else:
        loads = _loads(round_, gone.stage)
        there = [ExpertToAssign(e.pk, frozenset(e.fields), loads.get(e.pk, 0)) for e in experts]
        chosen = next(replacements(case, there, panel=(), seed=f"{round_.uid}|{gone.stage}"), None)
    if chosen is None:
        return None
    chosen_one = next(e for e in experts if e.pk == chosen)
    _tell([chosen_one], {chosen: 1}, round_, now)
    return Assignment.objects.create(
        application=application, expert=chosen_one, stage=gone.stage,
        turn=gone.turn, assigned_at=now, assigned_by=by, due_on=gone.due_on,
    )  # fmt: skip


def _refuse_unfit(
    expert: Expert, experts: list[Expert], case: CaseToAssign, application: Application, edition: Edition
) -> None:
    if all(e.pk != expert.pk for e in experts):
        raise ReviewRefused("expert_not_drawn", expert.number)
    if expert.pk not in case.forbidden:
        return
    if found := queries.conflict_with(expert=expert, application=application):
        raise ReviewRefused("conflict_of_interest", found.reason)
    one = Application.objects.filter(pk=application.pk)
    if queries.acted(applications=one, experts=[expert], edition=edition).get(application.pk):
        raise ReviewRefused("conflict_of_interest", Reason.ACTED)
    raise ReviewRefused("had_it_before", expert.number)


@transaction.atomic
def second_turn(*, application: Application, words: str, by: User, now: datetime) -> list[Assignment]:
    """
    Let the same experts score a case again after discussion; what they give then counts.

    :raises NotPermitted, ReviewRefused: `words_missing`, `sheets_missing`, `second_turn_there`
    """
    require(
        user=by, permission=Permission.RUN_ROUND, organisation=application.round.authority, on=local_day(now)
    )
    if not words.strip():
        raise ReviewRefused("words_missing")
    locked = _at_stage(application)
    live = Assignment.objects.filter(application=locked, stage=locked.stage, withdrawn_at=None)
    if live.filter(turn=2).exists():
        raise ReviewRefused("second_turn_there")
    first = list(live.filter(turn=1).select_related("expert__user"))
    done = ScoreSheet.objects.filter(assignment__in=first, submitted_at__isnull=False).count()
    if not first or done < len(first):
        raise ReviewRefused("sheets_missing")
    _tell([row.expert for row in first], {row.expert_id: 1 for row in first}, locked.round, now)
    made = Assignment.objects.bulk_create(
        Assignment(
            application=locked, expert=row.expert, stage=locked.stage, turn=2, assigned_at=now, assigned_by=by,
            due_on=row.due_on,
        )
        for row in first
    )  # fmt: skip
    _said(locked, ORGANISER, words, by, now)
    _audit("reviews.second_turn", locked, by, now, {"words": words.strip()})
    return made


@transaction.atomic
def discuss(*, application: Application, words: str, by: User, now: datetime) -> Discussion:
    """
    Say something about a case before it is scored again: experts by their number, who runs the round as such.

    :raises ReviewRefused, NotPermitted:
    """
    if not words.strip():
        raise ReviewRefused("words_missing")
    locked = _at_stage(application)
    own = Assignment.objects.filter(
        application=locked, stage=locked.stage, withdrawn_at=None, expert__user=by
    ).select_related("expert")
    if (assigned := own.first()) is not None:
        if not own.filter(sheet__submitted_at__isnull=False).exists():
            raise ReviewRefused("sheet_first")  # nobody hears the others before having judged alone
        return _said(locked, assigned.expert.number, words, by, now)
    require(user=by, permission=Permission.RUN_ROUND, organisation=locked.round.authority, on=local_day(now))
    return _said(locked, ORGANISER, words, by, now)


def _at_stage(application: Application) -> Application:
    rows = Application.objects.select_for_update(of=("self",)).select_related("round__authority")
    locked = rows.get(pk=application.pk)
    edition = policy_queries.edition(locked.round.edition)
    if locked.outcome or all(s.id != locked.stage or s.kind != "experts" for s in edition.stages):
        raise ReviewRefused("stage_moved_on", locked.stage)
    return locked


def _said(application: Application, speaker: str, words: str, by: User, now: datetime) -> Discussion:
    return Discussion.objects.create(
        application=application, stage=application.stage, speaker=speaker, words=words.strip(), at=now, by=by
    )


def _audit(action: str, application: Application, by: User, now: datetime, detail: dict[str, Any]) -> None:
    audit(
        by=by, now=now, organisation=application.round.authority, action=action,
        object_ref=f"application:{application.code}", detail=detail,
    )  # fmt: skip
