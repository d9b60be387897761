"""What is done with an application: one append-only act at a time, and the standing that follows from it."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import F, Prefetch, QuerySet

from wufei.cases.models import Submission
from wufei.catalogue.working_days import nth_working_day, working_days_between
from wufei.paper.attachments import examine
from wufei.policies import queries as policy_queries
from wufei.policies.edition import Edition
from wufei.registry.models import Organisation, User
from wufei.registry.queries import roles_of
from wufei.registry.services import Audited, audit, audit_each
from wufei.registry.services.storing import store
from wufei.reviews import checklist, clock, stages
from wufei.reviews.duties import Duty, duty_of
from wufei.reviews.models import (
    Act,
    ActDocument,
    Application,
    Assignment,
    QuotaUse,
    Round,
    Title,
)
from wufei.reviews.queries.acting import (
    is_reported_late,
    leave_to_report,
    other_duty,
    unmet_before,
    unmet_in_notice,
)
from wufei.reviews.queries.applications import standing_by, starts_at, told
from wufei.reviews.queries.applications_seen import shown_to_applicants
from wufei.reviews.queries.packages import taken_in_of
from wufei.reviews.queries.roles import authority_roles_among, principals_of, roles_on
from wufei.reviews.queries.rounds import reported_by
from wufei.reviews.refusals import ReviewRefused
from wufei.reviews.services import messages
from wufei.reviews.services.rounds import quota_number, quota_of
from wufei.reviews.stages import Action, Outcome, Standing
from wufei.terms.day import local_day

NEEDS_WORDS = frozenset(
    {
        Action.RETURN, Action.DISAGREE, Action.SETTLE_FOR, Action.SETTLE_AGAINST, Action.REMOVE,
        Action.REFUSE, Action.WITHDRAW, Action.PASS_ON,
    }
)  # fmt: skip
# These come with more than an act: a frozen submission, a notice with its items, a successor.
HAS_OWN_SERVICE = frozenset({Action.SUBMIT, Action.PUBLISH, Action.CONFIRM, Action.REMOVE, Action.PASS_ON})
HANDED_IN_AGAIN = "申报单位重新报送，此前版本的评分不再计入"
Candidate = tuple[str, Organisation, User | None]  # role, acted for, whose deputy


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a person says with an act: words, comments on single fields, files as (name, content)."""

    words: str = ""
    comments: Mapping[str, str] | None = None
    documents: Sequence[tuple[str, bytes]] = ()
    details: Mapping[str, Any] | None = None


@transaction.atomic
def decide(
    *,
    application: Application,
    version: int,
    action: Action,
    said: Said = Said(),
    role: str = "",
    by: User,
    now: datetime,
) -> Application:
    """
    Do what the stage offers, and put the application where it stands after it.

    `role` says in which of several roles the person acts; it may be left out where only one can. A deputy acts
    for its principal, and both stand in the act.

    :raises ReviewRefused: `stale` where somebody acted since `version` was seen; `not_permitted`;
        `stage_moved_on` where the stage offers no such action; `action_has_own_service` of what is done
        together with more than an act
    """
    if action in HAS_OWN_SERVICE:
        raise ReviewRefused("action_has_own_service")
    return carry_out(
        application=application, version=version, action=action, said=said, role=role, by=by, now=now
    )


@transaction.atomic
def carry_out(
    *,
    application: Application,
    version: int,
    action: Action,
    said: Said = Said(),
    role: str = "",
    by: User,
    now: datetime,
) -> Application:
    """Do what `decide` does, and what other services do together with their own rows."""
    locked = lock(application)
    if locked.version != version:
        raise ReviewRefused("stale")
    edition = policy_queries.edition(locked.round.edition)
    standing = standing_of(locked, edition)
    if action is Action.WITHDRAW:
        return _withdrawn(locked, edition, standing, said, role, by, now)
    role, acted_for, principal = _role(locked, edition, standing, action, role, by, now)
    _check(locked, edition, standing, action, said, (by, principal), now)
    then = stages.after(edition.stages, standing, action=action, role=role)
    return record(
        locked, edition, standing, then, action=action, role=role, acted_for=acted_for, said=said, by=by,
        now=now, principal=principal,
    )  # fmt: skip


@transaction.atomic
def withdraw(
    *, application: Application, told_version: int, said: Said, role: str = "", by: User, now: datetime
) -> Application:
    """
    Withdraw a case of which its applicant knows no more than it was told.

    :raises ReviewRefused: as `decide`; `stale` where it was told of something since it saw `told_version`
    """
    locked = lock(application)
    if told(locked, list(locked.acts.order_by("seq"))).version != told_version:
        raise ReviewRefused("stale")
    return carry_out(
        application=locked, version=locked.version, action=Action.WITHDRAW, said=said, role=role, by=by, now=now,
    )  # fmt: skip


def _withdrawn(
    application: Application,
    edition: Edition,
    standing: Standing,
    said: Said,
    role: str,
    by: User,
    now: datetime,
) -> Application:
    """
    Let the applicant withdraw from where it knows the case to be; what was decided and not told is past then.

    So it learns of no decision by what it is offered, nor by what it is refused.
    """
    known = standing_by(application, edition, stages.told(list(application.acts.order_by("seq"))))
    role, acted_for, principal = _role(application, edition, known, Action.WITHDRAW, role, by, now)
    if not application.is_direct:
        raise ReviewRefused("withdrawn_below")
    _check(application, edition, known, Action.WITHDRAW, said, (by, principal), now)
    if Title.objects.filter(application=application).exists():
        raise ReviewRefused("withdrawal_closed")  # the register is public: this tells nothing new
    _withdraw_above(application, acted_for, said, by, now, principal)
    _give_back_quotas(application, edition, standing)
    then = stages.after(edition.stages, known, action=Action.WITHDRAW, role=role)
    return record(
        application, edition, known, then, action=Action.WITHDRAW, role=role, acted_for=acted_for, said=said,
        by=by, now=now, principal=principal,
    )  # fmt: skip


def _withdraw_above(
    application: Application, acted_for: Organisation, said: Said, by: User, now: datetime, principal: User | None
) -> None:  # fmt: skip
    """
    End what the level above took in of the case too, if it is in this store.

    :raises ReviewRefused: `withdrawal_closed` where that level has told what it decided
    """
    copies = taken_in_of(application)
    shown = set(copies.filter(shown_to_applicants()).values_list("pk", flat=True))
    for copy in _lockable().filter(pk__in=copies).exclude(outcome=Outcome.WITHDRAWN):
        edition = policy_queries.edition(copy.round.edition)
        acts = list(copy.acts.order_by("seq"))
        known = standing_by(copy, edition, stages.told(acts))
        is_offered = Action.WITHDRAW in stages.offers(edition.stages, known, role=stages.APPLICANT)
        if (copy.pk in shown and not is_offered) or Title.objects.filter(application=copy).exists():
            raise ReviewRefused("withdrawal_closed")
        _give_back_quotas(copy, edition, standing_by(copy, edition, acts))
        then = Standing(stage=known.stage, outcome=Outcome.WITHDRAWN)
        record(
            copy, edition, known, then, action=Action.WITHDRAW, role=stages.APPLICANT, acted_for=acted_for,
            said=said, by=by, now=now, principal=principal, in_log_of=copy.round.authority,
        )  # fmt: skip


def lock(application: Application) -> Application:
    """Return the application, kept from others until the transaction ends."""
    return _lockable().get(pk=application.pk)


def _lockable() -> QuerySet[Application]:
    rows = Application.objects.select_for_update(of=("self",))
    return rows.select_related("round__authority", "organisation", "submission")


def standing_of(application: Application, edition: Edition) -> Standing:
    """Return where the application stands by its acts."""
    return standing_by(application, edition, list(application.acts.order_by("seq")))


def _role(
    application: Application,
    edition: Edition,
    standing: Standing,
    action: Action,
    role: str,
    by: User,
    now: datetime,
) -> Candidate:
    """Return in which role the person acts, for whom, and as whose deputy."""
    today = local_day(now)
    candidates: list[Candidate] = []
    for person in (by, *principals_of(user=by, on=today)):
        held = roles_on(user=person, application=application, on=today)
        candidates += [(r, o, None if person == by else person) for r, o in held.items() if role in ("", r)]
    return _chosen(candidates, application, edition, standing, action)


def _chosen(
    candidates: Sequence[Candidate],
    application: Application,
    edition: Edition,
    standing: Standing,
    action: Action,
) -> Candidate:
    """Return the first of the roles to which the stage offers the action."""
    if not candidates:
        raise ReviewRefused("not_permitted")
    acting = stages.roles_that_act(edition.stages) | {stages.APPLICANT}
    if not any(r in acting for r, _, _ in candidates):
        raise ReviewRefused("not_permitted")
    for candidate in candidates:
        if action in stages.offers(edition.stages, standing, role=candidate[0]):
            return candidate
    if action in (Action.RELEASE, Action.PASS_ON):
        for candidate in candidates:
            if candidate[1] == application.round.authority:
                return candidate
        raise ReviewRefused("not_permitted")
    if all(role == stages.APPLICANT for role, _, _ in candidates):
        raise _refusal_as_told(application, edition)
    if any(standing.votes.get(candidate[0]) == action for candidate in candidates):
        raise ReviewRefused("already_decided")
    offered = [c for c in candidates if stages.offers(edition.stages, standing, role=c[0])]
    code = "stage_moved_on" if offered or standing.outcome else "not_your_stage"
    raise ReviewRefused(code, stages.stage_of(edition.stages, standing.stage).label)


def _refusal_as_told(application: Application, edition: Edition) -> ReviewRefused:
    """Return why an applicant may not, from what it was told: it learns of no decision by being refused."""
    known = standing_by(application, edition, stages.told(list(application.acts.order_by("seq"))))
    offered = stages.offers(edition.stages, known, role=stages.APPLICANT)
    code = "stage_moved_on" if offered or known.outcome else "not_your_stage"
    return ReviewRefused(code, stages.stage_of(edition.stages, known.stage).applicant_label)


def _check(
    application: Application,
    edition: Edition,
    standing: Standing,
    action: Action,
    said: Said,
    people: Sequence[User | None],
    now: datetime,
) -> None:
    """Refuse what may not be done now, or not by these people: a deputy answers for its principal and itself."""
    if application.round.closed_at is not None:
        raise ReviewRefused("round_closed")
    if action in NEEDS_WORDS and not said.words.strip():
        raise ReviewRefused("words_missing")
    stage = stages.stage_of(edition.stages, standing.stage)
    missing = checklist.unjudged(edition, (said.details or {}).get("checklist", {}))
    if missing and not said.words.strip() and checklist.is_asked_at(edition.stages, stage, action):
        raise ReviewRefused("checks_missing", checklist.named(missing))
    duty = duty_of(stage.kind, action)
    for person in people:
        if person and duty and (other := other_duty(application, edition, person, duty)):
            raise ReviewRefused("acted_before", other)
    if code := unmet_before(
        application=application, edition=edition, stage=stage, action=action, on=local_day(now)
    ):
        raise ReviewRefused(code)


def record(
    application: Application,
    edition: Edition,
    before: Standing,
    then: Standing,
    *,
    action: Action,
    role: str,
    acted_for: Organisation,
    said: Said,
    by: User,
    now: datetime,
    principal: User | None = None,
    in_log_of: Organisation | None = None,
) -> Application:
    """Write the act, move the application, count quotas, and note it in the audit log. Locked before."""
    stage = stages.stage_of(edition.stages, before.stage)
    left = then.stage != before.stage or then.outcome is not None
    details = dict(said.details or {})
    if action is Action.RETURN:
        details["remaining_working_days"] = clock.remaining(
            local_day(now), application.due_on, between=working_days_between
        )
    is_late = action is Action.AGREE and is_reported_late(
        application=application, edition=edition, stage=stage, on=local_day(now)
    )
    if is_late and (leave := leave_to_report(application=application, on=local_day(now))):
        details["late_reason"] = leave.reason
    is_forward = action not in (Action.RETURN, Action.SUBMIT)  # who hands in again passes nothing
    if left and is_forward and stage.quota and then.outcome is None:
        use_quota(application.round, edition, stage.quota, application.district_code)
    act = _act(
        application, edition, before, action, (role, acted_for, principal), said, by, now, details=details
    )
    act.save()
    attach(act, said.documents)
    messages.tell_of_act(application=application, edition=edition, before=before, then=then, act=act, now=now)
    _move(application, edition, before, then, now)
    # In the log of who acted: the applicant reads its own, and is told of a held decision by its release only.
    entry = _entry(act)
    audit(
        by=by, now=now, organisation=in_log_of or acted_for, action=f"reviews.{action.lower()}",
        object_ref=entry.object_ref, detail=entry.detail,
    )  # fmt: skip
    return application


def _act(
    application: Application,
    edition: Edition,
    before: Standing,
    action: Action,
    candidate: Candidate,
    said: Said,
    by: User,
    now: datetime,
    *,
    details: Mapping[str, Any] | None = None,
) -> Act:
    """Return the act as it will stand, the next of the application."""
    role, acted_for, principal = candidate
    stage = stages.stage_of(edition.stages, before.stage)
    return Act(
        application=application, seq=application.version + 1, stage=before.stage, action=action.value, role=role,
        acted_for=acted_for, submission=application.submission, words=said.words.strip(),
        comments=dict(said.comments or {}), details=dict(details or {}),
        is_pending=stage.is_held and action in stages.HELD_BACK, at=now, by=by, on_behalf_of=principal,
    )  # fmt: skip


def _entry(act: Act) -> Audited:
    return Audited(
        organisation=act.acted_for, object_ref=f"application:{act.application.code}",
        detail={"stage": act.stage, "seq": act.seq, "role": act.role},
    )  # fmt: skip


@transaction.atomic
def act_in_notice(
    *, round_: Round, applications: Sequence[Application], action: Action, by: User, now: datetime
) -> list[Application]:
    """
    List all of them in a notice, or let all of them go on after it: the same few queries however many they are.

    :raises ReviewRefused: as `decide`, of the first of them; nothing is done then
    """
    assert action in (Action.PUBLISH, Action.CONFIRM), "what ends a case is done to one at a time"
    if round_.closed_at is not None:
        raise ReviewRefused("round_closed")
    edition = policy_queries.edition(round_.edition)
    locked = _locked_with_acts(applications)
    candidates = _authority_roles(by, now)
    unmet = unmet_in_notice(applications=locked, action=action, on=local_day(now))
    acts, passed = [], Counter[tuple[str, str]]()
    for application in locked:
        if code := unmet.get(application.pk):
            raise ReviewRefused(code)
        before = standing_by(application, edition, list(application.acts.all()))
        candidate = _chosen(candidates(application), application, edition, before, action)
        then = stages.after(edition.stages, before, action=action, role=candidate[0])
        quota = stages.stage_of(edition.stages, before.stage).quota
        if quota and then.stage != before.stage:
            passed[quota, quota_scope(edition, quota, application.district_code)] += 1
        acts.append(_act(application, edition, before, action, candidate, Said(), by, now))
        _put(application, edition, before, then, now)
    for (quota, scope), number in passed.items():
        use_quota(round_, edition, quota, scope, number=number)
    Act.objects.bulk_create(acts)
    Application.objects.bulk_update(locked, MOVED)
    audit_each(by=by, now=now, action=f"reviews.{action.lower()}", entries=[_entry(act) for act in acts])
    return locked


def _locked_with_acts(applications: Sequence[Application]) -> list[Application]:
    """
    Return the applications in their order, locked, each with its acts.

    :raises ReviewRefused: `stale` where somebody acted on one since it was read
    """
    rows = _lockable().filter(pk__in=[each.pk for each in applications]).order_by("pk")
    found = {row.pk: row for row in rows.prefetch_related(Prefetch("acts", Act.objects.order_by("seq")))}
    locked = [found[each.pk] for each in applications]
    for row, seen in zip(locked, applications, strict=True):
        if row.version != seen.version:
            raise ReviewRefused("stale")
    return locked


def _authority_roles(by: User, now: datetime) -> Callable[[Application], list[Candidate]]:
    """Return what tells in which of its roles, or of those it stands in for, an officer acts on a case."""
    people = [by, *principals_of(user=by, on=local_day(now))]
    held = [
        (None if person == by else person, roles_of(user=person)) for person in people if person.is_active
    ]

    def candidates(application: Application) -> list[Candidate]:
        return [
            (role, organisation, principal)
            for principal, roles in held
            for role, organisation in authority_roles_among(roles, application.district_code)
        ]

    return candidates


MOVED = ("version", "contested", "stage", "outcome", "stage_since", "due_on")


def _move(
    application: Application, edition: Edition, before: Standing, then: Standing, now: datetime
) -> None:
    _put(application, edition, before, then, now)
    application.save(update_fields=[*MOVED, "submission", "organisation"])


def _put(application: Application, edition: Edition, before: Standing, then: Standing, now: datetime) -> None:
    """Put the application where it stands after an act; not saved yet."""
    application.version += 1
    application.contested = then.is_contested
    application.stage = then.stage
    application.outcome = then.outcome.value if then.outcome else ""
    if then.outcome is not None:
        application.due_on = None
    elif then.stage != before.stage:
        application.stage_since = now
        application.due_on = _due(application, edition, before, then, now)


def _due(
    application: Application, edition: Edition, before: Standing, then: Standing, now: datetime
) -> date | None:
    """
    Return until when the stage is to be done; a clock that a return had suspended goes on.

    Never later than those below have to report by.
    """
    own = _own_due(application, edition, before, then, now)
    report = reported_by(round_=application.round, edition=edition, stage=then.stage)
    days = [day for day in (own, report.on if report else None) if day is not None]
    return min(days, default=None)


def _own_due(
    application: Application, edition: Edition, before: Standing, then: Standing, now: datetime
) -> date | None:
    stage = stages.stage_of(edition.stages, then.stage)
    if before.returned_from == then.stage and before.stage == edition.stages[0].id:
        returned = application.acts.filter(action=Action.RETURN).order_by("-seq").first()
        left = returned.details.get("remaining_working_days") if returned else None
        return clock.due(local_day(now), left, nth=nth_working_day)
    return clock.due(local_day(now), stage.due_working_days, nth=nth_working_day)


def use_quota(round_: Round, edition: Edition, quota_id: str, division_code: str, *, number: int = 1) -> None:
    """
    Count more towards the quota, where there is room: one conditional statement, whoever else writes.

    :raises ReviewRefused: `quota_used_up`
    """
    scope = quota_scope(edition, quota_id, division_code)
    QuotaUse.objects.get_or_create(
        round=round_, quota=quota_id, scope=scope, defaults={"cap": quota_number(round_, quota_id)}
    )
    free = QuotaUse.objects.filter(round=round_, quota=quota_id, scope=scope, used__lte=F("cap") - number)
    if not free.update(used=F("used") + number):
        raise ReviewRefused("quota_used_up", quota_id)


def quota_scope(edition: Edition, quota_id: str, division_code: str) -> str:
    """Return for which division the quota counts."""
    digits = {"province": 2, "city": 4, "district": 6, "country": 0}[quota_of(edition, quota_id).per]
    return division_code[:digits].ljust(6, "0") if digits else ""


def _give_back_quotas(application: Application, edition: Edition, standing: Standing) -> None:
    """Whoever withdraws gives back what it counted towards, and counts anew when it is handed in again."""
    ids = [stage.id for stage in edition.stages]
    began = ids.index(starts_at(application, edition) or ids[0])
    for stage in edition.stages[began : ids.index(standing.returned_from or standing.stage)]:
        if stage.quota:
            give_back_quota(application, edition, stage.id)


def give_back_quota(application: Application, edition: Edition, stage_id: str) -> None:
    """Count one less: the case left after it had counted."""
    stage = stages.stage_of(edition.stages, stage_id)
    assert stage.quota is not None, "only a stage with a quota counted"
    scope = quota_scope(edition, stage.quota, application.district_code)
    QuotaUse.objects.filter(round=application.round, quota=stage.quota, scope=scope, used__gt=0).update(
        used=F("used") - 1
    )


def attach(act: Act, documents: Sequence[tuple[str, bytes]]) -> None:
    """Keep the files that stand with an act; each is looked into before it is kept."""
    for name, content in documents:
        examined = examine(name=name, content=content)
        path = store(folder=f"reviews/{act.application_id}", content=content, kind=examined.kind)
        ActDocument.objects.create(
            act=act, file_name=examined.file_name, size=examined.size, sha256=examined.sha256, stored=path
        )


@transaction.atomic
def pass_on(
    *, application: Application, successor: Organisation, words: str, by: User, now: datetime
) -> Application:
    """
    Let the successor of a renamed, merged or closed applicant go on with the open case.

    :raises ReviewRefused:
    """
    locked = lock(application)
    edition = policy_queries.edition(locked.round.edition)
    standing = standing_of(locked, edition)
    if standing.outcome is not None:
        raise ReviewRefused("stage_moved_on", stages.stage_of(edition.stages, standing.stage).label)
    role, acted_for, principal = _role(locked, edition, standing, Action.PASS_ON, "", by, now)
    _check(locked, edition, standing, Action.PASS_ON, Said(words=words), (by, principal), now)
    details = {"from": locked.organisation.uscc, "to": successor.uscc}
    locked.organisation = successor
    return record(
        locked, edition, standing, standing, action=Action.PASS_ON, role=role, acted_for=acted_for,
        said=Said(words=words, details=details), by=by, now=now, principal=principal,
    )  # fmt: skip


def submit_again(
    application: Application, submission: Submission, edition: Edition, by: User, now: datetime
) -> Application:
    """Record that the case was handed in, first or again; locked before."""
    standing = standing_of(application, edition)
    if Action.SUBMIT not in stages.offers(edition.stages, standing, role=stages.APPLICANT):
        raise _refusal_as_told(application, edition)
    if other := other_duty(application, edition, by, Duty.SUBMIT):
        raise ReviewRefused("acted_before", other)
    application.submission = submission
    then = stages.after(edition.stages, standing, action=Action.SUBMIT, role=stages.APPLICANT)
    _set_sheets_aside(application, edition, then, now)
    return record(
        application, edition, standing, then, action=Action.SUBMIT, role=stages.APPLICANT,
        acted_for=application.organisation, said=Said(), by=by, now=now,
    )  # fmt: skip


def _set_sheets_aside(application: Application, edition: Edition, then: Standing, now: datetime) -> None:
    """
    Let no sheet of an earlier submission count where experts are still to judge the new one; all stay on record.

    What was concluded before a return stands, for the case goes on where it was interrupted.
    """
    ids = [stage.id for stage in edition.stages]
    ahead = ids[ids.index(then.stage) :]
    Assignment.objects.filter(application=application, stage__in=ahead, withdrawn_at=None).update(
        withdrawn_at=now, withdrawn_reason=HANDED_IN_AGAIN
    )
