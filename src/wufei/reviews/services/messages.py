"""Messages in the system and by e-mail, reminders before deadlines, and who stands in for whom."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction
from django.dispatch import Signal

from wufei.cases.services.returning import leave_notes
from wufei.policies import queries as policy_queries
from wufei.policies.edition import Edition
from wufei.registry.access import Permission
from wufei.registry.models import RoleAssignment, User
from wufei.registry.queries import NotPermitted, holds_as_operator
from wufei.registry.services import audit
from wufei.reviews import stages, telling
from wufei.reviews.models import Act, Application, Delegation, Message
from wufei.reviews.queries import messages as queries
from wufei.reviews.queries.applications_seen import shown_to_applicants
from wufei.reviews.refusals import ReviewRefused
from wufei.reviews.stages import Action, Outcome, Standing
from wufei.reviews.telling import Telling
from wufei.terms.day import local_day

# Sent with the keys of messages once they are committed; `apps` hands them to a worker that mails them.
told = Signal()
LONGEST_DAYS = 366


def tell(*, to: Iterable[User], what: Telling, now: datetime, key: str = "") -> int:
    """
    Leave a message with each person; return how many are new.

    With a `key` the same is told to a person once, however often this is called.
    """
    return tell_each(tellings=[(user, what, key) for user in to], now=now)


@transaction.atomic
def tell_each(*, tellings: Iterable[tuple[User, Telling, str]], now: datetime) -> int:
    """Leave each person its message, in two statements; return how many are new."""
    wanted = list({(u.pk, k) if k else (u.pk, n): (u, w, k) for n, (u, w, k) in enumerate(tellings)}.values())
    keys = {key for _, _, key in wanted if key}
    there = set(Message.objects.filter(key__in=keys).values_list("to_id", "key")) if keys else set()
    fresh = [(u, w, k) for u, w, k in wanted if not k or (u.pk, k) not in there]
    made = Message.objects.bulk_create(
        Message(to=u, subject=w.subject[:200], text=w.text, link=w.link, key=k[:120], sent_at=now)
        for u, w, k in fresh
    )
    pks = [message.pk for message in made]
    if pks:
        transaction.on_commit(lambda: told.send(sender=Message, pks=pks))
    return len(pks)


def tell_of_act(
    *, application: Application, edition: Edition, before: Standing, then: Standing, act: Act, now: datetime
) -> None:
    """Tell the applicant what it may know of the act, and those who settle that there is something to settle."""
    round_title, code = application.round.title, application.code
    if act.action == Action.RETURN:
        what = telling.of_return(
            code=code, round_title=round_title, by_whom=act.acted_for.name, words=act.words,
            comments=len(act.comments),
        )  # fmt: skip
        tell(to=_applicants(application), what=what, now=now)
        if application.case_id is not None:  # and where it writes, beside what is said of each place
            leave_notes(
                case_id=application.case_id, by_whom=act.acted_for.name, words=act.words, comments=act.comments,
                now=now,
            )  # fmt: skip
    elif act.action in (Action.RELEASE, Action.PASS_ON):
        what = telling.of_release(code=code, round_title=round_title)
        tell(to=_applicants(application), what=what, now=now)
    elif then.outcome not in (None, Outcome.WITHDRAWN) and not _is_held_back(application, act):
        assert then.outcome is not None
        what = telling.of_outcome(code=code, round_title=round_title, outcome=then.outcome, words=act.words)
        tell(to=_applicants(application), what=what, now=now)
    if then.is_contested and not before.is_contested:
        stage = stages.stage_of(edition.stages, then.stage)
        what = telling.of_contest(code=code, name=application.organisation.name, stage=stage.label)
        tell(to=queries.officers_in(stage.settled_by, application.district_code), what=what, now=now)


def _applicants(application: Application) -> list[User]:
    """Return who is told as the applicant; nobody where it may not know of the application yet."""
    known = Application.objects.filter(shown_to_applicants(), pk=application.pk)
    is_shown = application.is_direct or known.exists()
    return queries.applicants_of(application.organisation) if is_shown else []


def _is_held_back(application: Application, act: Act) -> bool:
    """What was pending before hides what comes after, until it is released."""
    known = stages.told(list(application.acts.order_by("seq")))
    return all(each.pk != act.pk for each in known)


@transaction.atomic
def mark_read(*, message: Message, by: User, now: datetime) -> Message:
    """
    Note that the person read it; again changes nothing.

    :raises NotPermitted: if the message is another's
    """
    if message.to_id != by.pk:
        raise NotPermitted(Permission.VIEW_ORGANISATION)
    Message.objects.filter(pk=message.pk, read_at=None).update(read_at=now)
    message.refresh_from_db()
    return message


@transaction.atomic
def mark_all_read(*, by: User, now: datetime) -> int:
    """Note that the person read everything; return how many were unread."""
    return Message.objects.filter(to=by, read_at=None).update(read_at=now)


# ---- reminders ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reminded:
    """How many people were reminded of what; those who were before are not counted again."""

    applications: int
    consultations: int
    scorings: int
    deadlines: int

    @property
    def total(self) -> int:
        return self.applications + self.consultations + self.scorings + self.deadlines


def remind(*, by: User, now: datetime, days_before: int = 3) -> Reminded:
    """
    Remind of what is due within the days or overdue; each person of each once before and once after.

    :raises NotPermitted: if `by` is not the operator: a timer's job
    """
    if not holds_as_operator(user=by, permission=Permission.MANAGE_USERS):
        raise NotPermitted(Permission.MANAGE_USERS)
    today = local_day(now)
    return Reminded(
        applications=tell_each(tellings=_due_applications(today, days_before), now=now),
        consultations=tell_each(tellings=_due_consultations(today, days_before), now=now),
        scorings=tell_each(tellings=_due_scorings(today, days_before), now=now),
        deadlines=tell_each(tellings=_near_deadlines(today, days_before), now=now),
    )


def _key(what: str, pk: int, due_on: date, is_over: bool) -> str:
    return f"{what}:{pk}:{due_on.isoformat()}:{'over' if is_over else 'near'}"


def _due_applications(today: date, days: int) -> Iterator[tuple[User, Telling, str]]:
    rows = queries.applications_due(on=today, within_days=days)
    people = queries.officers()
    for row in rows:
        edition = policy_queries.edition(row.round.edition)
        stage = stages.stage_of(edition.stages, row.stage)
        assert row.due_on is not None, "what has no limit is never due"
        is_over = row.due_on < today
        what = telling.of_due(
            code=row.code, name=row.organisation.name, stage=stage.label, due_on=row.due_on, is_over=is_over
        )
        for user in people.towards(stages.deciders(stage), row.district_code):
            yield user, what, _key(f"due:{stage.id}", row.pk, row.due_on, is_over)


def _due_consultations(today: date, days: int) -> Iterator[tuple[User, Telling, str]]:
    for row, users in queries.consultations_due(on=today, within_days=days):
        is_over = row.due_on < today
        what = telling.of_consultation_due(
            department=row.department,
            name=row.application.organisation.name,
            due_on=row.due_on,
            is_over=is_over,
        )
        for user in users:
            yield user, what, _key("consultation", row.pk, row.due_on, is_over)


def _due_scorings(today: date, days: int) -> Iterator[tuple[User, Telling, str]]:
    for row in queries.assignments_due(on=today, within_days=days):
        assert row.due_on is not None, "what has no limit is never due"
        is_over = row.due_on < today
        what = telling.of_scoring_due(code=row.application.code, due_on=row.due_on, is_over=is_over)
        yield row.expert.user, what, _key("score", row.pk, row.due_on, is_over)


def _near_deadlines(today: date, days: int) -> Iterator[tuple[User, Telling, str]]:
    for round_, user in queries.drafts_not_handed_in(on=today, within_days=days):
        assert round_.submission_deadline is not None, "what has no deadline is never near it"
        what = telling.of_deadline(round_title=round_.title, deadline=round_.submission_deadline)
        yield user, what, _key("deadline", round_.pk, round_.submission_deadline, False)


# ---- who stands in for whom -----------------------------------------------------------------


@transaction.atomic
def delegate(
    *, principal: User, deputy: User, from_day: date, to_day: date, reason: str, by: User, now: datetime
) -> Delegation:
    """
    Hand the principal's tasks to a colleague for some days.

    The colleague holds a role in the same organisation, so that nobody opens cases to outsiders.

    :raises NotPermitted, ReviewRefused:
    """
    if by.pk != principal.pk and not holds_as_operator(user=by, permission=Permission.MANAGE_USERS):
        raise NotPermitted(Permission.MANAGE_USERS)
    if not from_day <= to_day:
        raise ReviewRefused("days_reversed")
    if to_day < local_day(now):
        raise ReviewRefused("deadline_in_past", to_day.isoformat())
    if (to_day - from_day).days > LONGEST_DAYS:
        raise ReviewRefused("delegation_too_long")
    if principal.pk == deputy.pk or not deputy.is_active or not _shares_role(principal, deputy):
        raise ReviewRefused("not_a_colleague")
    User.objects.select_for_update().get(pk=principal.pk)
    there = Delegation.objects.filter(principal=principal, ended_at=None)
    if there.filter(from_day__lte=to_day, to_day__gte=from_day).exists():
        raise ReviewRefused("delegated_already")
    row = Delegation.objects.create(
        principal=principal, deputy=deputy, from_day=from_day, to_day=to_day, reason=reason.strip(), made_at=now,
        made_by=by,
    )  # fmt: skip
    what = telling.of_delegation(principal=str(principal), from_day=from_day, to_day=to_day)
    tell(to=[deputy], what=what, now=now)
    detail = {"deputy": deputy.username, "from": from_day.isoformat(), "to": to_day.isoformat()}
    audit(
        by=by,
        now=now,
        action="reviews.delegate",
        object_ref=f"user:{principal.username}"[:120],
        detail=detail,
    )
    return row


def _shares_role(principal: User, deputy: User) -> bool:
    """All that the principal may do in a review, the deputy is trusted with by its own roles."""
    theirs = set(RoleAssignment.objects.filter(user=deputy).values_list("organisation_id", "role"))
    own = set(RoleAssignment.objects.filter(user=principal).values_list("organisation_id", "role"))
    return bool(own) and own <= theirs


@transaction.atomic
def end_delegation(*, delegation: Delegation, by: User, now: datetime) -> Delegation:
    """
    End a hand-over before its time.

    :raises NotPermitted, ReviewRefused:
    """
    is_party = by.pk in (delegation.principal_id, delegation.deputy_id)
    if not is_party and not holds_as_operator(user=by, permission=Permission.MANAGE_USERS):
        raise NotPermitted(Permission.MANAGE_USERS)
    if not Delegation.objects.filter(pk=delegation.pk, ended_at=None).update(ended_at=now):
        raise ReviewRefused("already_decided")
    audit(by=by, now=now, action="reviews.end_delegation", object_ref=f"delegation:{delegation.pk}")
    delegation.refresh_from_db()
    return delegation
