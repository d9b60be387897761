"""
What has this person to do? Computed from where everything stands whenever it is asked, and kept nowhere.

The counter in the frame of every page is the sum of the same sets that the list shows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import lru_cache
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Exists, F, Func, IntegerField, Model, OuterRef, Q, QuerySet

from wufei.collection import months
from wufei.collection import queries as collection_queries
from wufei.collection.models import Registration, SmallGenerator
from wufei.collection.rules import declaration_due_day
from wufei.ledger.queries.identifying import ending_records
from wufei.policies import queries as policy_queries
from wufei.policies.edition import Edition
from wufei.registry.access import Permission
from wufei.registry.models import Organisation, OrganisationKind, User
from wufei.registry.queries import lapsing_permits, organisations_where
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
    Round,
)
from wufei.reviews.queries.applications_seen import Held, held_roles
from wufei.reviews.stages import Action
from wufei.storage import queries as storage_queries
from wufei.transfers import queries as manifest_queries
from wufei.transfers.models import Revision

SHOWN = 50  # of each kind


class TaskKind(StrEnum):
    CORRECT = "CORRECT"  # 退回的申报待补正
    IDENTIFY = "IDENTIFY"  # 危险性判别即将到期或已过期
    DECIDE = "DECIDE"  # 待办理
    SETTLE = "SETTLE"  # 意见不一致，待协调
    REPLY = "REPLY"  # 征求意见待答复
    SCORE = "SCORE"  # 待评分
    EVALUATE = "EVALUATE"  # 第三方评价待报告
    OBJECTION = "OBJECTION"  # 异议待处理
    NOTICE = "NOTICE"  # 公示期满，待办结
    CHANGE = "CHANGE"  # 称号变更待审核
    CORRECTIVE_ACTION = "CORRECTIVE_ACTION"  # 贮存设施检查发现的问题，待整改
    CONFIRM = "CONFIRM"  # 联单待确认
    TAKE_BACK = "TAKE_BACK"  # 退回的废物待收回
    REVISION = "REVISION"  # 联单更正待答复
    DIFFERENCE = "DIFFERENCE"  # 接收差异待处理
    PERMIT = "PERMIT"  # 许可证将到期
    APPROVAL = "APPROVAL"  # 跨省批准将到期
    DECLARE = "DECLARE"  # 小微企业月度申报
    REGISTER = "REGISTER"  # 小微企业登记待确认


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Something to do, and until when."""

    kind: TaskKind
    key: tuple[int | str, ...]  # of what it concerns: what its page is found by
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


def counts(*, user: User, on: date, held: Sequence[Held] | None = None) -> Counts:
    """Return how many tasks and unread messages the person has, in three queries however many there are."""
    unread, tasks = _counted(_asked(user, held_roles(user=user, on=on) if held is None else held, on))
    return Counts(tasks=sum(tasks.values()), unread=unread)


@dataclass(frozen=True, slots=True)
class _Asked:
    """Who asks, known by all that decides what is asked: the person, its roles, the open rounds, the day."""

    key: tuple[Any, ...]
    user: User = field(compare=False)
    held: tuple[Held, ...] = field(compare=False)
    rounds: tuple["OpenRounds", ...] = field(compare=False)
    on: date = field(compare=False)

    @property
    def sets(self) -> dict[TaskKind, QuerySet[Any]]:
        return _sets(user=self.user, held=self.held, rounds=self.rounds, on=self.on)


def _asked(user: User, held: Sequence[Held], on: date) -> _Asked:
    rounds = open_rounds() if held else []
    roles = tuple((h.role, h.organisation.pk, h.organisation.division_code, h.person.pk) for h in held)
    of = tuple((id(each.edition), each.keys) for each in rounds)  # an edition is loaded once
    return _Asked((connection.vendor, user.pk, on, roles, of), user, tuple(held), tuple(rounds), on)


def _counted(asked: _Asked) -> tuple[int, dict[TaskKind, int]]:
    """Return how many messages are unread and how many tasks of each kind there are, in one statement."""
    kinds, sql, parameters = _statement(asked)
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        unread, *found = cursor.fetchone()
    return unread, dict(zip(kinds, found, strict=True))


@lru_cache(maxsize=256)
def _statement(asked: _Asked) -> tuple[tuple[TaskKind, ...], str, tuple[Any, ...]]:
    """
    Return what counts each set, and the kinds that it counts behind the messages.

    Only the words of the question are kept, never an answer. Every page asks it, and the ORM takes longer to put it
    into words than the database to answer. Written out here: as annotations of one query the ORM would rename each
    set's tables as well.
    """
    sets = asked.sets
    parts: list[str] = []
    parameters: list[Any] = []
    for rows in (Message.objects.filter(to=asked.user, read_at=None), *sets.values()):
        counted = rows.order_by().values_list(Func(F("pk"), function="COUNT", output_field=IntegerField()))
        try:
            sql, said = counted.query.sql_with_params()
        except EmptyResultSet:
            sql, said = "0", ()
        parts.append(f"({sql})")
        parameters += said
    return tuple(sets), f"SELECT {', '.join(parts)}", tuple(parameters)


def tasks_of(*, user: User, on: date) -> list[TaskGroup]:
    """Return what the person has to do, kind by kind, the most urgent first; empty kinds are left out."""
    asked = _asked(user, held_roles(user=user, on=on), on)
    _, numbers = _counted(asked)
    editions = policy_queries.known_editions()
    found = []
    for kind, rows in asked.sets.items():
        if number := numbers[kind]:
            shown = tuple(_READ[kind](row, on, editions) for row in _first(kind, rows))
            found.append(TaskGroup(kind=kind, count=number, tasks=shown))
    return found


def _first(kind: TaskKind, rows: QuerySet[Any]) -> Sequence[Model]:
    due, beside = _ORDER[kind]
    order = [F(due).asc(nulls_last=True), "pk"] if due else ["pk"]
    keys = list(rows.order_by(*order).values_list("pk", flat=True)[:SHOWN])  # whole rows only of those shown
    shown = rows.model._default_manager.filter(pk__in=keys).select_related(*beside).in_bulk()
    return [shown[key] for key in keys]


def _sets(
    *, user: User, held: Sequence[Held], rounds: Sequence["OpenRounds"], on: date
) -> dict[TaskKind, QuerySet[Any]]:
    """Return the set of each kind; none for a kind that none of the person's roles has."""
    found: dict[TaskKind, QuerySet[Any]] = {}
    applicants = [h for h in held if h.is_applicant]
    officers = [h for h in held if not h.is_applicant]
    if applicants:
        found[TaskKind.CORRECT] = to_correct(applicants, rounds)
        found[TaskKind.DECLARE] = collection_queries.to_declare(on=on).filter(
            organisation__in={h.organisation.pk for h in applicants if h.person == user}
        )
    if held:
        found[TaskKind.REGISTER] = collection_queries.pending_for(
            organisations=[
                h.organisation
                for h in held
                if h.person == user and h.organisation.kind != OrganisationKind.AUTHORITY
            ]
        )
    if keepers := {h.organisation.pk for h in applicants if h.person == user}:
        found[TaskKind.IDENTIFY] = ending_records(organisations=sorted(keepers), on=on)
    if officers:
        found[TaskKind.DECIDE] = to_decide(officers, rounds)
        found[TaskKind.SETTLE] = to_settle(officers, rounds)
        authorities = {h.organisation.pk for h in officers}
        found[TaskKind.REPLY] = Consultation.objects.filter(
            authority__in=authorities, answered_at=None, closed_unanswered_at=None, application__outcome=""
        )
        found[TaskKind.OBJECTION] = Objection.objects.filter(
            item__notice__round__authority__in=authorities, decision=""
        )
        found[TaskKind.NOTICE] = _notices_over(authorities, on)
        found[TaskKind.CHANGE] = _changes(officers)
    found[TaskKind.CORRECTIVE_ACTION] = storage_queries.actions_waiting_for(
        user=user, officer_of={each.organisation.pk for each in applicants if each.person == user}, on=on
    )
    found[TaskKind.SCORE] = Assignment.objects.filter(
        expert__user=user, withdrawn_at=None, application__outcome="", application__stage=F("stage")
    ).exclude(sheet__submitted_at__isnull=False)
    found[TaskKind.EVALUATE] = AgencyReport.objects.filter(
        agency__in=user.role_assignments.filter(organisation__kind=OrganisationKind.AGENCY).values(
            "organisation_id"
        ),
        submitted_at=None,
        withdrawn_at=None,
        application__outcome="",
    )
    return found | _of_manifests(user, on)


def _of_manifests(user: User, on: date) -> dict[TaskKind, QuerySet[Any]]:
    """Return what waits on manifests, and which permits end, in the organisations where the person may act on it."""
    signing, handling, keeping = (
        organisations_where(user=user, permission=each)
        for each in (Permission.SIGN_MANIFESTS, Permission.HANDLE_MANIFESTS, Permission.KEEP_PERMITS)
    )
    return {
        TaskKind.CONFIRM: manifest_queries.to_confirm(organisations=signing),
        TaskKind.TAKE_BACK: manifest_queries.to_take_back(organisations=handling),
        TaskKind.REVISION: manifest_queries.to_answer(organisations=handling),
        TaskKind.DIFFERENCE: manifest_queries.to_settle(organisations=handling),
        TaskKind.PERMIT: lapsing_permits(organisations=keeping, on=on),
        TaskKind.APPROVAL: manifest_queries.lapsing_approvals(organisations=handling, on=on),
    }


@dataclass(frozen=True, slots=True)
class OpenRounds:
    """The rounds of one edition in which something can still be done."""

    edition: Edition
    keys: tuple[int, ...]


def open_rounds() -> list[OpenRounds]:
    """Return the open rounds by edition: there are few, and all else is found by them."""
    keys: dict[str, list[int]] = {}
    rows = Round.objects.filter(published_at__isnull=False, closed_at=None).order_by("pk")
    for pk, edition in rows.values_list("pk", "edition"):
        keys.setdefault(edition, []).append(pk)
    return [OpenRounds(policy_queries.edition(edition), tuple(found)) for edition, found in keys.items()]


def _at(rounds: OpenRounds, ids: Sequence[str]) -> Q:
    return Q(round__in=rounds.keys, stage__in=ids, outcome="")


def to_correct(held: Sequence[Held], rounds: Sequence[OpenRounds]) -> QuerySet[Application]:
    """Return the applications of these applicants that were sent back: they stand at the first stage again."""
    condition = Q(pk__in=[])
    for each in rounds:
        condition |= _at(each, [each.edition.stages[0].id])
    return Application.objects.filter(condition, organisation__in={each.organisation.pk for each in held})


def to_decide(held: Sequence[Held], rounds: Sequence[OpenRounds]) -> QuerySet[Application]:
    """Return the applications at a stage that one of the roles decides, and on which it has said nothing yet."""
    condition = Q(pk__in=[])
    for role in held:
        for each in rounds:
            if (mine := _mine(role, each)) is not None:
                condition |= role.covers() & mine
    return Application.objects.filter(condition)


def _mine(held: Held, rounds: OpenRounds) -> Q | None:
    """Return the stages that the role decides alone, with others, of a notice, and those at which it approves."""
    ids: dict[str, list[str]] = {"alone": [], "jointly": [], "notice": [], "approving": []}
    for stage in rounds.edition.stages[1:]:
        deciders = stages.deciders(stage)
        if held.role not in deciders:
            continue
        if stage.kind in ("decision", "above"):
            ids["approving"].append(stage.id)
        elif stage.kind == "notice":
            ids["notice"].append(stage.id)
        else:
            is_joint = len(deciders) > 1 and stage.kind in stages.VOTED
            ids["jointly" if is_joint else "alone"].append(stage.id)
    found: Q | None = None
    for name, still in (
        ("alone", Q()), ("jointly", Q(~Exists(_said(held.role)))), ("notice", Q(~Exists(_in_notice()))),
        ("approving", ~Exists(_recommended(by=held.person)) & ~Exists(_recommended(on_behalf_of=held.person))),
    ):  # fmt: skip
        if ids[name]:
            there = _at(rounds, ids[name]) & still
            found = there if found is None else found | there
    return found


def _in_notice() -> QuerySet[NoticeItem]:
    return NoticeItem.objects.filter(
        application=OuterRef("pk"), notice__stage=OuterRef("stage"), removed_at=None
    )


def to_settle(held: Sequence[Held], rounds: Sequence[OpenRounds]) -> QuerySet[Application]:
    """Return the contested applications that one of the roles settles."""
    condition = Q(pk__in=[])
    for role in held:
        for each in rounds:
            if ids := [stage.id for stage in each.edition.stages if role.role in stage.settled_by]:
                condition |= role.covers() & _at(each, ids)
    return Application.objects.filter(condition, contested=True)


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


def _recommended(**whose: User) -> QuerySet[Act]:
    """Return what keeps the person from approving: it handed in or recommended, itself or through another (S7)."""
    other = (
        Action.SUBMIT, Action.WITHDRAW, Action.RETURN, Action.AGREE, Action.DISAGREE, Action.SETTLE_FOR,
        Action.SETTLE_AGAINST,
    )  # fmt: skip
    return Act.objects.filter(**whose, application=OuterRef("pk"), action__in=other)


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
    TaskKind.IDENTIFY: ("valid_through", ("organisation", "stream")),
    TaskKind.DECIDE: ("due_on", ("organisation", "round")),
    TaskKind.SETTLE: ("due_on", ("organisation", "round")),
    TaskKind.REPLY: ("due_on", ("application__organisation",)),
    TaskKind.SCORE: ("due_on", ("application",)),
    TaskKind.EVALUATE: ("", ("organisation",)),
    TaskKind.OBJECTION: ("", ("item",)),
    TaskKind.NOTICE: ("ends_on", ("round",)),
    TaskKind.CHANGE: ("due_on", ("title__organisation",)),
    TaskKind.CORRECTIVE_ACTION: ("due_on", ("organisation", "line__inspection__store")),
    TaskKind.CONFIRM: ("confirm_due_on", ("generator", "receiver")),
    TaskKind.TAKE_BACK: ("", ("generator", "receiver")),
    TaskKind.REVISION: ("", ("manifest__generator", "manifest__receiver", "proposed_for")),
    TaskKind.DIFFERENCE: ("", ("manifest__generator", "line")),
    TaskKind.PERMIT: ("valid_through", ("organisation",)),
    TaskKind.APPROVAL: ("valid_through", ("generator", "receiver")),
    TaskKind.DECLARE: ("", ("organisation",)),
    TaskKind.REGISTER: ("", ("collector", "park")),
}


def _task(
    kind: TaskKind, key: tuple[int | str, ...], subject: str, what: str, due_on: date | None, on: date
) -> Task:
    return Task(
        kind=kind, key=key, subject=subject, what=what, due_on=due_on,
        is_overdue=due_on is not None and due_on < on,
    )  # fmt: skip


def _of_application(kind: TaskKind) -> Any:
    def read(row: Application, on: date, editions: Mapping[str, Edition]) -> Task:
        stage = stages.stage_of(editions[row.round.edition].stages, row.stage)
        label = stage.applicant_label if kind is TaskKind.CORRECT else stage.label
        return _task(kind, (row.code,), row.organisation.name, label, row.due_on, on)

    return read


def _of_month(row: SmallGenerator, on: date) -> Task:
    month = months.asked_for(on)
    key = (row.organisation.uscc, month.year, month.month)
    due = months.due_on(month, declaration_due_day())
    return _task(TaskKind.DECLARE, key, row.organisation.name, f"{month:%Y-%m}", due, on)


def _of_registration(row: Registration, on: date) -> Task:
    return _task(TaskKind.REGISTER, (row.pk,), row.name, "", None, on)


_READ: Mapping[TaskKind, Any] = {
    TaskKind.CORRECT: _of_application(TaskKind.CORRECT),
    TaskKind.IDENTIFY: lambda r, on, _: _task(
        TaskKind.IDENTIFY,
        (r.organisation.uscc, r.stream_id),
        r.stream.name,
        r.organisation.name,
        r.valid_through,
        on,
    ),
    TaskKind.DECIDE: _of_application(TaskKind.DECIDE),
    TaskKind.SETTLE: _of_application(TaskKind.SETTLE),
    TaskKind.REPLY: lambda r, on, _: _task(
        TaskKind.REPLY, (r.pk,), r.application.organisation.name, r.department, r.due_on, on
    ),
    TaskKind.SCORE: lambda r, on, _: _task(TaskKind.SCORE, (r.pk,), r.application.code, "", r.due_on, on),
    TaskKind.EVALUATE: lambda r, on, _: _task(
        TaskKind.EVALUATE, (r.pk,), r.organisation.name, str(r.year), None, on
    ),
    TaskKind.OBJECTION: lambda r, on, _: _task(
        TaskKind.OBJECTION, (r.code,), r.item.name_shown, r.code, None, on
    ),
    TaskKind.NOTICE: lambda r, on, _: _task(TaskKind.NOTICE, (r.pk,), r.title, r.round.title, r.ends_on, on),
    TaskKind.CHANGE: lambda r, on, _: _task(
        TaskKind.CHANGE, (r.pk,), r.title.name_given, r.get_kind_display(), r.due_on, on
    ),
    TaskKind.CORRECTIVE_ACTION: lambda r, on, _: _task(
        TaskKind.CORRECTIVE_ACTION,
        (r.organisation.uscc, r.number),
        f"{r.name}：{r.line.remark}",
        r.line.inspection.store.name,
        r.due_on,
        on,
    ),
    TaskKind.CONFIRM: lambda r, on, _: _task(
        TaskKind.CONFIRM, (r.receiver.uscc, r.number), r.number, r.generator.name, r.confirm_due_on, on
    ),
    TaskKind.TAKE_BACK: lambda r, on, _: _task(
        TaskKind.TAKE_BACK, (r.generator.uscc, r.number), r.number, r.receiver.name, None, on
    ),
    TaskKind.REVISION: lambda r, on, _: _task(
        TaskKind.REVISION, (_answering(r).uscc, r.manifest.number), r.manifest.number, r.proposed_for.name, None, on
    ),
    TaskKind.DIFFERENCE: lambda r, on, _: _task(
        TaskKind.DIFFERENCE, (r.manifest.generator.uscc, r.manifest.number), r.manifest.number, r.line.waste_name,
        None, on,
    ),
    TaskKind.PERMIT: lambda r, on, _: _task(
        TaskKind.PERMIT, (r.organisation.uscc,), r.number, r.organisation.name, r.valid_through, on
    ),
    TaskKind.APPROVAL: lambda r, on, _: _task(
        TaskKind.APPROVAL, (r.generator.uscc,), r.number, r.receiver.name, r.valid_through, on
    ),
    TaskKind.DECLARE: lambda r, on, _: _of_month(r, on),
    TaskKind.REGISTER: lambda r, on, _: _of_registration(r, on),
}  # fmt: skip


def _answering(row: Revision) -> Organisation:
    """Return who is to answer: the receiver what the generator proposed, the generator what anybody else did."""
    manifest = row.manifest
    assert manifest.receiver is not None, "it was issued"
    return manifest.receiver if row.proposed_for_id == manifest.generator_id else manifest.generator
