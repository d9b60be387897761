"""
What has this person to do? Computed from where everything stands whenever it is asked, and kept nowhere.

The counter in the frame of every page is the sum of the same sets that the list shows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from django.db.models import Exists, F, Func, IntegerField, Model, OuterRef, Q, QuerySet, Subquery

from wufei.policies import queries as policy_queries
from wufei.policies.edition import Edition
from wufei.registry.models import OrganisationKind, User
from wufei.reviews import stages
from wufei.reviews.models import (
    Act,
    AgencyReport,
    Application,
    Assignment,
    ChangeReport,
    Consultation,
    Message,
    NoticeItem,
    Objection,
    PublicNotice,
)
from wufei.reviews.queries.applications_seen import Held, held_roles
from wufei.reviews.stages import Action

SHOWN = 50  # of each kind


class TaskKind(StrEnum):
    CORRECT = "CORRECT"  # 退回的申报待补正
    DECIDE = "DECIDE"  # 待办理
    SETTLE = "SETTLE"  # 意见不一致，待协调
    REPLY = "REPLY"  # 征求意见待答复
    SCORE = "SCORE"  # 待评分
    EVALUATE = "EVALUATE"  # 第三方评价待报告
    OBJECTION = "OBJECTION"  # 异议待处理
    NOTICE = "NOTICE"  # 公示期满，待办结
    CHANGE = "CHANGE"  # 称号变更待审核


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Something to do, and until when."""

    kind: TaskKind
    key: int | str  # of what it concerns: an application's code, else the row's key
    subject: str
    what: str  # the stage, the department, the title
    due_on: date | None
    is_overdue: bool
    on_behalf_of: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskGroup:
    """The tasks of one kind; `count` of all, `tasks` the first of them by their deadline."""

    kind: TaskKind
    count: int
    tasks: tuple[Task, ...]


@dataclass(frozen=True, slots=True)
class Counts:
    tasks: int
    unread: int


def counts(*, user: User, on: date) -> Counts:
    """Return how many tasks and unread messages the person has, in two queries."""
    held = held_roles(user=user, on=on)
    sets: Mapping[str, QuerySet[Any]] = {
        **{kind.value: rows for kind, rows in _sets(user=user, held=held, on=on).items()},
        "UNREAD": Message.objects.filter(to=user, read_at=None),
    }
    asked = {f"n_{name.lower()}": _count(rows) for name, rows in sets.items()}
    found = User.objects.filter(pk=user.pk).annotate(**asked).values(*asked).get()
    unread = found.pop("n_unread") or 0
    return Counts(tasks=sum(number or 0 for number in found.values()), unread=unread)


def _count(rows: QuerySet[Any]) -> Subquery:
    counted = rows.order_by().annotate(number=Func(F("pk"), function="COUNT")).values("number")
    return Subquery(counted, output_field=IntegerField())


def tasks_of(*, user: User, on: date) -> list[TaskGroup]:
    """Return what the person has to do, kind by kind, the most urgent first; empty kinds are left out."""
    held = held_roles(user=user, on=on)
    found = []
    for kind, rows in _sets(user=user, held=held, on=on).items():
        number = rows.order_by().count()
        if number:
            shown = tuple(_READ[kind](row, on) for row in _first(kind, rows))
            found.append(TaskGroup(kind=kind, count=number, tasks=shown))
    return found


def _first(kind: TaskKind, rows: QuerySet[Any]) -> Sequence[Model]:
    due, beside = _ORDER[kind]
    order = [F(due).asc(nulls_last=True), "pk"] if due else ["pk"]
    return list(rows.select_related(*beside).order_by(*order)[:SHOWN])


def _sets(*, user: User, held: Sequence[Held], on: date) -> dict[TaskKind, QuerySet[Any]]:
    """Return the set of each kind; none for a kind that none of the person's roles has."""
    found: dict[TaskKind, QuerySet[Any]] = {}
    applicants = [h for h in held if h.is_applicant]
    officers = [h for h in held if not h.is_applicant]
    if applicants:
        found[TaskKind.CORRECT] = to_correct(applicants)
    if officers:
        found[TaskKind.DECIDE] = to_decide(officers)
        found[TaskKind.SETTLE] = to_settle(officers)
        authorities = {h.organisation.pk for h in officers}
        found[TaskKind.REPLY] = Consultation.objects.filter(
            authority__in=authorities, answered_at=None, closed_unanswered_at=None, application__outcome=""
        )
        found[TaskKind.OBJECTION] = Objection.objects.filter(
            item__notice__round__authority__in=authorities, decision=""
        )
        found[TaskKind.NOTICE] = _notices_over(authorities, on)
        found[TaskKind.CHANGE] = _changes(officers)
    found[TaskKind.SCORE] = Assignment.objects.filter(
        expert__user=user, withdrawn_at=None, application__outcome="", application__stage=F("stage")
    ).exclude(sheet__submitted_at__isnull=False)
    found[TaskKind.EVALUATE] = AgencyReport.objects.filter(
        agency__in=user.role_assignments.filter(organisation__kind=OrganisationKind.AGENCY).values(
            "organisation_id"
        ),
        submitted_at=None,
    )
    return found


def to_correct(held: Sequence[Held]) -> QuerySet[Application]:
    """Return the applications of these applicants that were sent back, or handed in and are theirs again."""
    whose = {each.organisation.pk for each in held}
    return Application.objects.filter(organisation__in=whose, outcome="", round__closed_at=None).filter(
        _at({edition.id: [edition.stages[0].id] for edition in _editions()})
    )


def to_decide(held: Sequence[Held]) -> QuerySet[Application]:
    """Return the applications at a stage that one of the roles decides, and on which it has said nothing yet."""
    condition = Q(pk__in=[])
    for each in held:
        plain, alone, approving = _stages_of(each)
        mine = Q(pk__in=[])
        if alone:
            mine |= _at(alone)
        if plain:
            mine |= _at(plain) & Q(~Exists(_said(each.role)))
        if approving:
            mine |= _at(approving) & Q(~Exists(_recommended(each.person)))
        condition |= each.covers() & mine
    in_notice = NoticeItem.objects.filter(
        application=OuterRef("pk"), notice__stage=OuterRef("stage"), removed_at=None
    )
    return Application.objects.filter(condition, ~Exists(in_notice), outcome="", round__closed_at=None)


def to_settle(held: Sequence[Held]) -> QuerySet[Application]:
    """Return the contested applications that one of the roles settles."""
    condition = Q(pk__in=[])
    for each in held:
        at = {
            edition.id: ids
            for edition in _editions()
            if (ids := [s.id for s in edition.stages if each.role in s.settled_by])
        }
        if at:
            condition |= each.covers() & _at(at)
    return Application.objects.filter(condition, contested=True, outcome="", round__closed_at=None)


def _editions() -> list[Edition]:
    return [edition for edition in policy_queries.known_editions().values() if edition.stages]


def _at(stages_by_edition: Mapping[str, Sequence[str]]) -> Q:
    condition = Q(pk__in=[])
    for edition, ids in stages_by_edition.items():
        condition |= Q(round__edition=edition, stage__in=ids)
    return condition


def _stages_of(held: Held) -> tuple[dict[str, list[str]], dict[str, list[str]], dict[str, list[str]]]:
    """Return the stages that the role decides with others, alone, and those at which it approves."""
    jointly: dict[str, list[str]] = {}
    alone: dict[str, list[str]] = {}
    approving: dict[str, list[str]] = {}
    for edition in _editions():
        for stage in edition.stages[1:]:
            deciders = stages.deciders(stage)
            if held.role not in deciders:
                continue
            if stage.kind in ("decision", "above"):
                into = approving
            else:
                into = jointly if len(deciders) > 1 and stage.kind in stages.VOTED else alone
            into.setdefault(edition.id, []).append(stage.id)
    return jointly, alone, approving


def _said(role: str) -> QuerySet[Act]:
    """Return the role's votes of this visit to the stage: what was said before a return no longer counts."""
    later = Act.objects.filter(
        application=OuterRef("application"), seq__gt=OuterRef("seq"),
        action__in=(Action.RETURN, Action.WITHDRAW),
    )  # fmt: skip
    return Act.objects.filter(
        ~Exists(later), application=OuterRef("pk"), stage=OuterRef("stage"), role=role,
        action__in=(Action.AGREE, Action.DISAGREE),
    )  # fmt: skip


def _recommended(person: User) -> QuerySet[Act]:
    """Return what keeps the person from approving: it handed in or recommended (S7)."""
    other = (
        Action.SUBMIT, Action.WITHDRAW, Action.RETURN, Action.AGREE, Action.DISAGREE, Action.SETTLE_FOR,
        Action.SETTLE_AGAINST,
    )  # fmt: skip
    return Act.objects.filter(
        Q(by=person) | Q(on_behalf_of=person), application=OuterRef("pk"), action__in=other
    )


def _notices_over(authorities: set[int], on: date) -> QuerySet[PublicNotice]:
    standing = NoticeItem.objects.filter(
        notice=OuterRef("pk"), removed_at=None, application__outcome="",
        application__stage=OuterRef("stage"),
    )  # fmt: skip
    return PublicNotice.objects.filter(Exists(standing), round__authority__in=authorities, ends_on__lt=on)


def _changes(held: Sequence[Held]) -> QuerySet[ChangeReport]:
    """Reports go through the district, and are then recorded by the authority that gave the title."""
    condition = Q(
        state=ChangeReport.State.DISTRICT_AGREED, title__authority__in={h.organisation.pk for h in held}
    )
    for each in held:
        if each.role == "DISTRICT_INDUSTRY":
            condition |= Q(
                state=ChangeReport.State.REPORTED,
                title__organisation__division_code=each.organisation.division_code,
            )
    return ChangeReport.objects.filter(condition)


# ---- a row as a task -------------------------------------------------------------------------

_ORDER: Mapping[TaskKind, tuple[str, tuple[str, ...]]] = {
    TaskKind.CORRECT: ("due_on", ("organisation", "round")),
    TaskKind.DECIDE: ("due_on", ("organisation", "round")),
    TaskKind.SETTLE: ("due_on", ("organisation", "round")),
    TaskKind.REPLY: ("due_on", ("application__organisation",)),
    TaskKind.SCORE: ("due_on", ("application",)),
    TaskKind.EVALUATE: ("", ("organisation",)),
    TaskKind.OBJECTION: ("", ("item",)),
    TaskKind.NOTICE: ("ends_on", ("round",)),
    TaskKind.CHANGE: ("due_on", ("title__organisation",)),
}


def _task(kind: TaskKind, key: int | str, subject: str, what: str, due_on: date | None, on: date) -> Task:
    return Task(
        kind=kind, key=key, subject=subject, what=what, due_on=due_on,
        is_overdue=due_on is not None and due_on < on,
    )  # fmt: skip


def _of_application(kind: TaskKind) -> Any:
    def read(row: Application, on: date) -> Task:
        stage = stages.stage_of(policy_queries.edition(row.round.edition).stages, row.stage)
        label = stage.applicant_label if kind is TaskKind.CORRECT else stage.label
        return _task(kind, row.code, row.organisation.name, label, row.due_on, on)

    return read


_READ: Mapping[TaskKind, Any] = {
    TaskKind.CORRECT: _of_application(TaskKind.CORRECT),
    TaskKind.DECIDE: _of_application(TaskKind.DECIDE),
    TaskKind.SETTLE: _of_application(TaskKind.SETTLE),
    TaskKind.REPLY: lambda r, on: _task(
        TaskKind.REPLY, r.pk, r.application.organisation.name, r.department, r.due_on, on
    ),
    TaskKind.SCORE: lambda r, on: _task(TaskKind.SCORE, r.pk, r.application.code, "", r.due_on, on),
    TaskKind.EVALUATE: lambda r, on: _task(
        TaskKind.EVALUATE, r.pk, r.organisation.name, str(r.year), None, on
    ),
    TaskKind.OBJECTION: lambda r, on: _task(TaskKind.OBJECTION, r.pk, r.item.name_shown, r.code, None, on),
    TaskKind.NOTICE: lambda r, on: _task(TaskKind.NOTICE, r.pk, r.title, r.round.title, r.ends_on, on),
    TaskKind.CHANGE: lambda r, on: _task(
        TaskKind.CHANGE, r.pk, r.title.name_given, r.get_kind_display(), r.due_on, on
    ),
}
