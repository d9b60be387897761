"""Inspections for machines: the checklists, what was found in a store, what is to be put right."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from django.utils import timezone
from ninja import Query, Router
from pydantic import AwareDatetime, Field

from wufei.registry.access import Permission
from wufei.registry.api.door import ApiRequest, Refused, answers, organisation_of, scoped
from wufei.registry.api.fields import (
    Answered,
    Asked,
    Code,
    Day,
    Instant,
    PageLimit,
    SearchText,
    Text60,
    Text120,
    Text200,
    Uscc,
)
from wufei.registry.api.idempotency import written_once
from wufei.registry.models import Organisation
from wufei.storage import queries, services
from wufei.storage.api.refused import Cursor, Number, Text500, storage_refused
from wufei.storage.checklists import Checklist, Confidence, Facility, ItemResult, known_checklists
from wufei.storage.models import CorrectiveAction, Inspection
from wufei.storage.queries import LineFound, StoreDue
from wufei.storage.refusals import StorageRefused
from wufei.storage.services import InspectionSaid, LineSaid
from wufei.storage.wording import FACILITY_TEXT

router = Router(tags=["贮存"])
checklists = Router(tags=["贮存"])
READ, WRITE = scoped("ledger:read"), scoped("ledger:write")
MOST_LINES = 100


class RequirementOut(Answered):
    id: str
    says: str
    clause: str = Field(description="条款；不知道的为空")
    confidence: Confidence = Field(description="依据是否核实")


class ChecklistOut(Answered):
    facility: Facility
    facility_label: str
    standard: str
    title: str
    interval_days: int = Field(description="两次检查之间至多多少天")
    interval_says: str
    interval_confidence: Confidence
    requirements: list[RequirementOut]


class Checklists(Answered):
    checklists: list[ChecklistOut]


class InspectedIn(Asked):
    requirement: Text60 = Field(description="要求的 id，见 GET /storage-checklists")
    result: ItemResult
    remark: Text500 = Field("", description="不符合的必填")
    due_on: Day | None = Field(None, description="不符合的必填：整改期限")
    responsible: Text200 = Field("", description="不符合的必填：责任人的用户名")


class InspectionIn(Asked):
    store: Code = Field(description="设施编码")
    facility: Facility = Field(description="设施类别，决定用哪张检查表")
    inspected_at: AwareDatetime | None = Field(None, description="检查时间；不填为现在")
    lines: Annotated[list[InspectedIn], Field(min_length=1, max_length=MOST_LINES)] = Field(
        description="没有写进来的项为未检查"
    )
    remark: Text500 = ""
    client_id: UUID = Field(description="由客户端生成；同一编号只记一次")

    def said(self, now: datetime) -> InspectionSaid:
        lines = [
            LineSaid(
                requirement=each.requirement, result=each.result, remark=each.remark, due_on=each.due_on,
                responsible=each.responsible,
            )
            for each in self.lines
        ]  # fmt: skip
        return InspectionSaid(
            store_code=self.store, facility=self.facility.value, inspected_at=self.inspected_at or now, lines=lines,
            remark=self.remark,
        )  # fmt: skip


class CorrectiveActionOut(Answered):
    number: int
    inspection: int
    store: str
    requirement: str
    says: str
    remark: str = Field(description="哪里不符合")
    responsible: str = Field(description="责任人的用户名")
    due_on: date
    is_overdue: bool
    corrected_on: date | None
    correction: str = Field(description="整改情况；未办结为空")
    closed_by: str


class CorrectiveActions(Answered):
    corrective_actions: list[CorrectiveActionOut]
    next: str | None = Field(description="下一页的 cursor；没有下一页时为 null")


class InspectedLine(Answered):
    requirement: str
    says: str
    standard: str
    clause: str
    confidence: Confidence
    result: ItemResult
    remark: str
    photos: list[str] = Field(description="照片的 SHA-256")
    corrective_action: int | None = Field(description="整改号")


class InspectionRow(Answered):
    number: int
    name: str
    store: str
    facility: Facility
    inspected_at: Instant
    inspected_by: str
    recorded_at: Instant
    remark: str
    not_met: int = Field(description="不符合的项数")
    to_correct: int = Field(description="未办结的整改数")


class InspectionOut(InspectionRow):
    lines: list[InspectedLine]
    photos: list[str] = Field(description="全景照片的 SHA-256")


class StoreDueOut(Answered):
    store: str
    facility: Facility
    last: int | None = Field(description="上次检查的号；没有检查过为 null")
    last_on: date | None
    due_on: date | None = Field(description="下次应不晚于")
    is_overdue: bool = Field(description="没有检查过，或超过间隔")
    interval_days: int
    interval_confidence: Confidence


class Inspections(Answered):
    stores: list[StoreDueOut] = Field(description="全部贮存设施，最急的在前")
    inspections: list[InspectionRow]
    next: str | None = Field(description="下一页的 cursor；没有下一页时为 null")


def _row(row: Any) -> dict[str, Any]:
    return {
        "number": row.number, "name": row.name, "store": row.store.code, "facility": Facility(row.facility),
        "inspected_at": row.inspected_at, "inspected_by": str(row.inspected_by), "recorded_at": row.recorded_at,
        "remark": row.remark, "not_met": row.not_met, "to_correct": row.to_correct,
    }  # fmt: skip


def _line(each: LineFound) -> InspectedLine:
    return InspectedLine(
        requirement=each.line.requirement, says=each.line.says, standard=each.line.standard, clause=each.line.clause,
        confidence=Confidence(each.line.confidence), result=ItemResult(each.line.result), remark=each.line.remark,
        photos=[photo.sha256 for photo in each.photos],
        corrective_action=each.action.number if each.action else None,
    )  # fmt: skip


def _due(each: StoreDue) -> StoreDueOut:
    return StoreDueOut(
        store=each.store.code, facility=each.facility, last=each.last.number if each.last else None,
        last_on=each.last.inspected_on if each.last else None, due_on=each.due_on, is_overdue=each.is_overdue,
        interval_days=each.interval.days, interval_confidence=each.interval.confidence,
    )  # fmt: skip


def _action(row: CorrectiveAction, today: date) -> CorrectiveActionOut:
    done = getattr(row, "correction", None)
    return CorrectiveActionOut(
        number=row.number, inspection=row.line.inspection.number, store=row.line.inspection.store.code,
        requirement=row.line.requirement, says=row.line.says, remark=row.line.remark,
        responsible=row.responsible.username, due_on=row.due_on, is_overdue=done is None and row.due_on < today,
        corrected_on=done.corrected_on if done else None, correction=done.words if done else "",
        closed_by=str(done.closed_by) if done else "",
    )  # fmt: skip


def _whole(organisation: Organisation, number: int) -> InspectionOut:
    row: Inspection | None = queries.inspections(organisation=organisation).filter(number=number).first()
    if row is None:
        raise Refused(404, "inspection_unknown", f"没有检查{number}；请先用 inspections 列出。")
    lines = [_line(each) for each in queries.lines_of(inspection=row)]
    photos = [photo.sha256 for photo in queries.photos_of_store(inspection=row)]
    return InspectionOut(**_row(row), lines=lines, photos=photos)


@checklists.get(
    "/storage-checklists", response=answers(Checklists, named=False), summary="贮存设施检查表", **READ
)
def list_checklists(request: ApiRequest) -> Checklists:
    """各类设施按 GB 18597、GB 18599 要看的项，是本系统的概括；依据没有核实的照样标明。"""
    return Checklists(checklists=[_checklist(each) for each in known_checklists().values()])


def _checklist(each: Checklist) -> ChecklistOut:
    return ChecklistOut(
        facility=each.facility, facility_label=FACILITY_TEXT[each.facility], standard=each.standard, title=each.title,
        interval_days=each.interval.days, interval_says=each.interval.says,
        interval_confidence=each.interval.confidence,
        requirements=[
            RequirementOut(id=row.id, says=row.says, clause=row.clause, confidence=row.confidence)
            for row in each.requirements
        ],
    )  # fmt: skip


@router.get("/inspections", response=answers(Inspections), summary="列出贮存设施检查", **READ)
def list_inspections(
    request: ApiRequest,
    uscc: Uscc,
    store: Text120 = "",
    q: SearchText = "",
    cursor: Annotated[Cursor | None, Query(description="上一页的 next")] = None,
    limit: PageLimit = 50,
) -> Inspections:
    """新的在前；连同各设施上次检查和下次期限。store 只列这个设施的，q 在说明、备注、检查人中查找。"""
    organisation = organisation_of(request, uscc, Permission.VIEW_LEDGER)
    rows = queries.narrowed(queries.inspections(organisation=organisation), store=store, text=q)
    if cursor is not None:
        rows = rows.filter(number__lt=int(cursor))
    found = list(rows.order_by("-number")[: limit + 1])
    page = found[:limit]
    stores = queries.stores_due(organisation=organisation, today=timezone.localdate())
    return Inspections(
        stores=[_due(each) for each in stores], inspections=[InspectionRow(**_row(row)) for row in page],
        next=str(page[-1].number) if len(found) > limit else None,
    )  # fmt: skip


@router.post(
    "/inspections", response=answers(InspectionOut, status=201, writes=True), summary="登记一次贮存设施检查", **WRITE
)  # fmt: skip
@written_once(201)
def record_inspection(request: ApiRequest, uscc: Uscc, body: InspectionIn) -> InspectionOut:
    """不符合的项各开一项整改。照片在页面上传；整改须附照片，在页面办结。"""
    organisation = organisation_of(request, uscc, Permission.POST_MOVEMENTS)
    now = timezone.now()
    try:
        made = services.record_inspection(
            organisation=organisation, said=body.said(now), client_id=body.client_id, by=request.auth, now=now
        )
    except StorageRefused as why:
        raise storage_refused(why) from None
    return _whole(organisation, made.number)


@router.get("/inspections/{number}", response=answers(InspectionOut), summary="查看一次贮存设施检查", **READ)
def get_inspection(request: ApiRequest, uscc: Uscc, number: Number) -> InspectionOut:
    return _whole(organisation_of(request, uscc, Permission.VIEW_LEDGER), number)


@router.get("/corrective-actions", response=answers(CorrectiveActions), summary="列出整改", **READ)
def list_corrective_actions(
    request: ApiRequest,
    uscc: Uscc,
    state: Annotated[
        str, Query(pattern=r"^(open|overdue|closed|late)?$", description="open、overdue、closed、late")
    ] = "",
    cursor: Annotated[Cursor | None, Query(description="上一页的 next")] = None,
    limit: PageLimit = 50,
) -> CorrectiveActions:
    """新的在前。"""
    organisation = organisation_of(request, uscc, Permission.VIEW_LEDGER)
    today = timezone.localdate()
    rows = queries.actions_narrowed(
        queries.corrective_actions(organisation=organisation), state=state, today=today
    )
    if cursor is not None:
        rows = rows.filter(number__lt=int(cursor))
    found = list(rows.order_by("-number")[: limit + 1])
    page = found[:limit]
    after = str(page[-1].number) if len(found) > limit else None
    return CorrectiveActions(corrective_actions=[_action(row, today) for row in page], next=after)
