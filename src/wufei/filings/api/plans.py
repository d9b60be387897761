"""Management plans for machines: drafted, checked, filed, and planned against actual."""

from typing import Annotated, Any

from django.utils import timezone
from ninja import Path, Query, Router
from pydantic import Field

from wufei.filings import plan, queries, services
from wufei.filings.models import FiledPlan, PlanDraft
from wufei.filings.refusals import Code, FilingRefused
from wufei.filings.wording import words
from wufei.registry.access import Permission
from wufei.registry.api.door import ApiRequest, Refused, answers, malformed, organisation_of, scoped
from wufei.registry.api.fields import (
    FIRST_YEAR,
    LAST_YEAR,
    Answered,
    Asked,
    Instant,
    Text200,
    Uscc,
    Version,
)
from wufei.registry.api.idempotency import written_once
from wufei.registry.models import Organisation
from wufei.terms.day import local_day

router = Router(tags=["管理计划和信息公开"])
YearInPath = Annotated[int, Path(ge=FIRST_YEAR, le=LAST_YEAR, description="年度")]
CONFLICTS = (Code.STALE_EDIT, Code.DRAFT_MISSING, Code.NOTHING_CHANGED, Code.FAULTS_LEFT, Code.NOT_OVER_YET)


def refused(why: FilingRefused) -> Refused:
    """Return the refusal as the API says it."""
    if why.code in CONFLICTS:
        return Refused(409, why.code.value, words(why))
    return malformed("body", why.code.value, words(why))


class FiledPlanOut(Answered):
    year: int
    number: int
    control_class: str
    reason: str
    sha256: str
    seq: int
    chain_hash: str
    filed_at: Instant
    filed_by: str


class FiledPlans(Answered):
    plans: list[FiledPlanOut]


def _filed(row: FiledPlan) -> FiledPlanOut:
    return FiledPlanOut(
        year=row.year, number=row.number, control_class=row.control_class, reason=row.reason, sha256=row.sha256,
        seq=row.seq, chain_hash=row.chain_hash, filed_at=row.filed_at, filed_by=str(row.filed_by),
    )  # fmt: skip


@router.get("/plans", response=answers(FiledPlans), summary="列出备案的管理计划", **scoped("ledger:read"))
def list_plans(request: ApiRequest, uscc: Uscc) -> FiledPlans:
    """危险废物管理计划（HJ 1259-2022），各年各版，新的在前。"""
    organisation = organisation_of(request, uscc, Permission.VIEW_LEDGER)
    return FiledPlans(plans=[_filed(row) for row in queries.filed_plans(organisation=organisation)])


class FoundOut(Answered):
    table: str
    row: int = Field(description="从 1 起；0 为整张表")
    column: str
    message: str
    is_fault: bool = Field(description="错误须改正才能备案；其余为提示")


class ProgressOut(Answered):
    stream: str
    name: str
    what: str
    receiver: str
    planned_g: int | None = Field(description="null：计划没有列入")
    actual_g: int


class PlanOut(Answered):
    year: int
    plan: dict[str, Any] | None = Field(description="现行的一版，如下载的 JSON；没有备案为 null")
    versions: list[FiledPlanOut]
    draft: dict[str, Any] | None = Field(description="草稿的各表，数量为整数克；没有为 null")
    version: int | None = Field(description="草稿的版本，保存和备案时写上")
    findings: list[FoundOut] = Field(description="草稿的错误和提示")
    progress: list[ProgressOut] = Field(description="现行计划和台账的实际")


def _document(row: FiledPlan, organisation: Organisation) -> dict[str, Any]:
    return plan.document(queries.plan_handed_out(row, organisation=organisation))


def _plan(organisation: Organisation, year: int) -> PlanOut:
    versions = list(queries.filed_plans(organisation=organisation, year=year))
    draft = queries.drafted(organisation=organisation, year=year)
    today = local_day(timezone.now())
    return PlanOut(
        year=year, plan=_document(versions[0], organisation) if versions else None,
        versions=[_filed(row) for row in versions], draft=draft.content if draft else None,
        version=draft.version if draft else None, findings=_findings(organisation, draft),
        progress=[
            ProgressOut(
                stream=each.stream, name=each.name, what=each.what, receiver=each.receiver,
                planned_g=each.planned_g, actual_g=each.actual_g,
            )
            for each in queries.progress(organisation=organisation, year=year, on=today)
        ],
    )  # fmt: skip


def _findings(organisation: Organisation, draft: PlanDraft | None) -> list[FoundOut]:
    if draft is None:
        return []
    content = plan.with_wastes(draft.content, queries.waste_facts(organisation=organisation))
    return [
        FoundOut(
            table=each.table, row=each.row, column=each.column, message=each.words, is_fault=each.is_fault
        )
        for each in queries.findings(organisation=organisation, year=draft.year, content=content)
    ]


@router.get(
    "/plans/{year}", response=answers(PlanOut), summary="查看一年的管理计划和执行情况", **scoped("ledger:read")
)  # fmt: skip
def get_plan(request: ApiRequest, uscc: Uscc, year: YearInPath) -> PlanOut:
    """现行的一版、草稿及其错误、计划和实际。"""
    return _plan(organisation_of(request, uscc, Permission.VIEW_LEDGER), year)


@router.post(
    "/plans/{year}/draft", response=answers(PlanOut, status=201, writes=True), summary="编制或变更管理计划",
    **scoped("ledger:write"),
)  # fmt: skip
@written_once(201)
def start_plan(request: ApiRequest, uscc: Uscc, year: YearInPath) -> PlanOut:
    """由台账和上一年的计划预填一份草稿；已有草稿的答复那一份。只为今年或明年编制。"""
    organisation = organisation_of(request, uscc, Permission.CLOSE_MONTH)
    try:
        services.start_draft(organisation=organisation, year=year, by=request.auth, now=timezone.now())
    except FilingRefused as why:
        raise refused(why) from None
    return _plan(organisation, year)


class PlanDraftIn(Asked):
    version: Version
    content: dict[str, list[dict[str, Any]]] = Field(
        description="各表的行，栏目同 GET 的 draft；数量为整数克或 null；没有列出的表为空"
    )


@router.put(
    "/plans/{year}/draft", response=answers(PlanOut, writes=True), summary="保存管理计划的草稿",
    **scoped("ledger:write"),
)  # fmt: skip
@written_once(200)
def save_plan(request: ApiRequest, uscc: Uscc, year: YearInPath, body: PlanDraftIn) -> PlanOut:
    """整份替换；version 须是读到的那一版，否则答复 409。"""
    organisation = organisation_of(request, uscc, Permission.CLOSE_MONTH)
    try:
        services.save_draft(
            organisation=organisation, year=year, content=body.content, version=body.version, by=request.auth,
            now=timezone.now(),
        )  # fmt: skip
    except FilingRefused as why:
        raise refused(why) from None
    return _plan(organisation, year)


class FilingIn(Asked):
    version: Version
    reason: Text200 = Field("", description="变更原因；第二版起必填")


@router.post(
    "/plans/{year}/filings", response=answers(FiledPlanOut, status=201, writes=True), summary="备案管理计划",
    **scoped("ledger:write"),
)  # fmt: skip
@written_once(201)
def file_plan(request: ApiRequest, uscc: Uscc, year: YearInPath, body: FilingIn) -> FiledPlanOut:
    """草稿没有错误才能备案；备案后内容固定，另一版须写明原因。"""
    organisation = organisation_of(request, uscc, Permission.CLOSE_MONTH)
    try:
        made = services.file_plan(
            organisation=organisation, year=year, version=body.version, reason=body.reason, by=request.auth,
            now=timezone.now(),
        )  # fmt: skip
    except FilingRefused as why:
        raise refused(why) from None
    return _filed(made)


class PlannedAsked(Asked):
    waste_code: Annotated[str, Field(max_length=16, description="危险废物代码")]
    receiver: Annotated[str, Field(max_length=18, description="接收单位的统一社会信用代码")]


class PlannedOut(Answered):
    is_planned: bool | None = Field(description="null：这一年没有备案的计划")
    planned_g: int | None


@router.get(
    "/plans/{year}/planned", response=answers(PlannedOut), summary="某种危险废物转移给某单位是否列入计划",
    **scoped("ledger:read"),
)  # fmt: skip
def get_planned(request: ApiRequest, uscc: Uscc, year: YearInPath, asked: Query[PlannedAsked]) -> PlannedOut:
    """转移联单须依管理计划填写（转移管理办法第十四条）。"""
    organisation = organisation_of(request, uscc, Permission.VIEW_LEDGER)
    receiver = Organisation.objects.filter(uscc=asked.receiver).first() or Organisation(uscc=asked.receiver)
    found = queries.planned(
        organisation=organisation, waste_code=asked.waste_code, year=year, receiver=receiver
    )
    return PlannedOut(
        is_planned=None if found.number is None else bool(found.rows), planned_g=found.planned_g
    )
