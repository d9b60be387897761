"""What is published, and what the caller has to do: notices, the register, tasks."""

from datetime import date
from enum import StrEnum
from typing import Annotated

from django.db.models import Count, Q, QuerySet
from django.utils import timezone
from ninja import Query, Router
from pydantic import Field

from wufei.registry.api.door import ApiRequest, Refused, answers, scoped
from wufei.registry.api.fields import Answered, Day, Instant, Offset, PageLimit, SearchText, Year
from wufei.reviews.api.desk import KeyInPath
from wufei.reviews.models import PublicNotice, Title
from wufei.reviews.queries import register
from wufei.reviews.queries.tasks import Task, TaskKind, tasks_of

router = Router(tags=["申报与评审"])


class NoticeLine(Answered):
    id: int
    round_id: int
    title: str
    authority: str
    begins_on: date
    ends_on: date = Field(description="至该日终了")
    working_days: int
    items: int = Field(description="名单中的单位数，不含已移出的")


class Notices(Answered):
    total: int
    notices: list[NoticeLine]


class ItemOut(Answered):
    position: int
    application: str
    name: str
    removed_at: Instant | None
    removed_reason: str


class NoticeOut(NoticeLine):
    text: str
    contact: str
    published_at: Instant
    listed: list[ItemOut]


class Standing(StrEnum):
    IN_FORCE = "IN_FORCE"
    REMOVED = "REMOVED"
    REVOKED = "REVOKED"
    EXPIRED = "EXPIRED"


class TitleOut(Answered):
    number: str
    title: str
    edition: str
    level: Title.Level
    year: int
    organisation: str
    holder: str
    name_given: str
    authority: str
    document: str
    granted_on: date
    valid_to: date | None
    state: Standing
    ended_on: date | None
    cause: str


class Titles(Answered):
    at: date
    total: int
    titles: list[TitleOut]


class TaskOut(Answered):
    kind: TaskKind
    key: str
    subject: str
    what: str
    due_on: date | None
    is_overdue: bool


class GroupOut(Answered):
    kind: TaskKind
    count: int = Field(description="全部件数")
    tasks: list[TaskOut] = Field(description="期限最近的若干件")


class Tasks(Answered):
    count: int
    groups: list[GroupOut]


@router.get("/notices", response=answers(Notices, named=False), summary="列出公示", **scoped("reviews:read"))
def list_notices(
    request: ApiRequest,
    round_id: Annotated[int | None, Query(ge=1, le=2**63 - 1, description="只列这一轮的")] = None,
    running: Annotated[bool | None, Query(description="是否正在公示")] = None,
    limit: PageLimit = 50,
    offset: Offset = 0,
) -> Notices:
    """公示人人可见，新的在前。"""
    rows = PublicNotice.objects.all()
    if round_id is not None:
        rows = rows.filter(round=round_id)
    if running is not None:
        is_over = Q(ends_on__lt=timezone.localdate())
        rows = rows.filter(~is_over if running else is_over)
    page = _counted(rows).order_by("-begins_on", "-pk")[offset : offset + limit]
    return Notices(total=rows.count(), notices=[_line(row) for row in page])


def _counted(rows: QuerySet[PublicNotice]) -> QuerySet[PublicNotice]:
    standing = Count("items", filter=Q(items__removed_at=None))
    return rows.select_related("round__authority").annotate(standing=standing)


def _line(row: PublicNotice) -> NoticeLine:
    return NoticeLine(
        id=row.pk, round_id=row.round_id, title=row.title, authority=row.round.authority.name,
        begins_on=row.begins_on, ends_on=row.ends_on, working_days=row.working_days,
        items=row.standing,  # type: ignore[attr-defined]  # annotated by _counted
    )  # fmt: skip


@router.get(
    "/notices/{notice_id}", response=answers(NoticeOut), summary="查看一次公示", **scoped("reviews:read")
)
def get_notice(request: ApiRequest, notice_id: KeyInPath) -> NoticeOut:
    row = _counted(PublicNotice.objects.filter(pk=notice_id)).first()
    if row is None:
        raise Refused(404, "notice_unknown", "没有这次公示；请先用 notices 列出公示。")
    listed = [
        ItemOut(
            position=item.position, application=item.application.code, name=item.name_shown,
            removed_at=item.removed_at, removed_reason=item.removed_reason,
        )
        for item in row.items.select_related("application").order_by("position")
    ]  # fmt: skip
    return NoticeOut(
        **_line(row).model_dump(),
        text=row.text,
        contact=row.contact,
        published_at=row.published_at,
        listed=listed,
    )


@router.get("/register", response=answers(Titles, named=False), summary="查询名单", **scoped("reviews:read"))
def list_titles(
    request: ApiRequest,
    at: Annotated[Day | None, Query(description="该日的名单；不写：今天")] = None,
    edition: Annotated[str, Query(pattern=r"^[a-z0-9-]{0,80}$", description="政策版本编号")] = "",
    level: Title.Level | None = None,
    state: Standing | None = None,
    year: Year | None = None,
    q: Annotated[SearchText, Query("", description="名称（含曾用名）、代码或编号")] = "",
    limit: PageLimit = 50,
    offset: Offset = 0,
) -> Titles:
    """该日之前授予的称号，及其在该日的持有人、名称和状态；名单人人可见。"""
    on = at or timezone.localdate()
    rows = register.titles(at=on, edition=edition, level=level or "", state=state or "", year=year, text=q)
    page = rows.order_by("-granted_on", "number")[offset : offset + limit]
    return Titles(
        at=on, total=rows.count(), titles=[TitleOut(**register.title_document(row)) for row in page]
    )


@router.get("/tasks", response=answers(Tasks, named=False), summary="我的待办", **scoped("reviews:read"))
def list_tasks(request: ApiRequest) -> Tasks:
    """令牌所属人员（及其代办的）此刻要办的事，按类别，期限近的在前。"""
    groups = tasks_of(user=request.auth, on=timezone.localdate())
    found = [GroupOut(kind=g.kind, count=g.count, tasks=[_task(t) for t in g.tasks]) for g in groups]
    return Tasks(count=sum(group.count for group in found), groups=found)


def _task(task: Task) -> TaskOut:
    return TaskOut(
        kind=task.kind, key=str(task.key), subject=task.subject, what=task.what, due_on=task.due_on,
        is_overdue=task.is_overdue,
    )  # fmt: skip
