"""
Small generators for machines: their declarations, what is ready at which of them, and the rounds that fetch it.

A signing code is no thing for machines: here a refused write is undone as a whole, and the wrong try with it.
"""

from datetime import date
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from django.utils import timezone
from ninja import Path, Query, Router
from pydantic import Field

from wufei.collection import queries, services
from wufei.collection.models import CollectionRound, Stop
from wufei.collection.months import Word
from wufei.collection.queries import MonthSaid, Ready, Wanted
from wufei.collection.refusals import Code as RefusalCode
from wufei.collection.refusals import CollectionRefused
from wufei.collection.services import Pick, Said, Weighing
from wufei.collection.wording import REFUSAL_TEXT, words
from wufei.registry.access import Permission
from wufei.registry.api.door import ApiRequest, ErrorDetail, Refused, answers, organisation_of, scoped
from wufei.registry.api.fields import (
    Answered,
    Asked,
    Code,
    Day,
    Instant,
    Offset,
    PageLimit,
    SearchText,
    Text60,
    Text200,
    Uscc,
)
from wufei.registry.api.idempotency import written_once
from wufei.registry.models import Organisation
from wufei.terms.mass import Mass

router = Router(tags=["小微企业收运"])
O = "/organisations/{uscc}/collection"  # noqa: E741
MOST_LINES, MOST_PICKS = 100, 100
# What can't be so at all; the rest could be, and isn't now.
MALFORMED = frozenset(
    {
        RefusalCode.MASS_OUT_OF_RANGE, RefusalCode.TEXT_NOT_STORABLE, RefusalCode.NOTHING_AND_SOMETHING,
        RefusalCode.NOTHING_CHOSEN, RefusalCode.ORDER_MALFORMED, RefusalCode.VEHICLE_MISSING,
        RefusalCode.WEIGHING_MISSING, RefusalCode.REASON_MISSING, RefusalCode.STREAM_LEFT_OUT,
        RefusalCode.STREAM_UNKNOWN, RefusalCode.MONTH_OUT_OF_RANGE,
    }
)  # fmt: skip
Grams = Annotated[int, Field(ge=0, le=10**14)]
Month = Annotated[
    str, Field(pattern=r"^(19|20|21)[0-9]{2}-(0[1-9]|1[0-2])$", description="月份，例如 2026-06")
]
Number = Annotated[int, Path(ge=1, le=2**31 - 1, description="轮次号")]
READ_LEDGER, WRITE_LEDGER = scoped("ledger:read"), scoped("ledger:write")
READ, WRITE = scoped("transfers:read"), scoped("transfers:write")


def _refused(why: CollectionRefused) -> Refused:
    where = f"body.{why.where}" if why.where else None
    detail = ErrorDetail(where=where, code=why.code.value, message=words(why))
    status = 422 if why.code in MALFORMED else 409
    return Refused(status, why.code.value, REFUSAL_TEXT[why.code], [detail])


# --- declarations


class DeclaredMonth(Answered):
    month: str
    word: Word = Field(description="DECLARED 已申报，NOTHING 申报为没有，NOT_YET 未到期，SILENT 未申报即未知")
    due_on: date
    new_g: int | None = Field(description="新产生；未申报的为 null，不是 0")
    number: int | None = Field(description="第几次申报")
    declared_at: Instant | None


class DeclaredMonths(Answered):
    months: list[DeclaredMonth]


class DeclaredWasteIn(Asked):
    stream: Code
    new_g: Grams = Field(description="本月新产生")
    standing_g: Grams | None = Field(None, description="现在共存；不填即按账面")
    reason: Text200 = Field("", description="现存与账面不同时的原因")


class MonthDeclarationIn(Asked):
    month: Month
    lines: Annotated[list[DeclaredWasteIn], Field(max_length=MOST_LINES)] = []
    is_nothing: bool = Field(False, description="本月没有产生任何废物")
    client_id: UUID = Field(description="由客户端生成；重发时用同一个")


def _month_out(row: MonthSaid) -> DeclaredMonth:
    declared = row.declaration
    return DeclaredMonth(
        month=f"{row.month:%Y-%m}", word=row.word, due_on=row.due_on, new_g=row.new_g,
        number=declared.number if declared else None, declared_at=declared.declared_at if declared else None,
    )  # fmt: skip


@router.get(
    f"{O}/declarations", response=answers(DeclaredMonths), summary="列出小微企业各月申报", **READ_LEDGER
)
def list_declarations(request: ApiRequest, uscc: Uscc) -> DeclaredMonths:
    """新的在前。未申报的月份数量为 null：不知道，不是没有。"""
    organisation = organisation_of(request, uscc, Permission.VIEW_LEDGER)
    rows = queries.months_said(organisation=organisation, on=timezone.localdate())
    return DeclaredMonths(months=[_month_out(row) for row in rows])


@router.post(
    f"{O}/declarations", response=answers(DeclaredMonth, status=201, writes=True), summary="申报一个月，或更正", **WRITE_LEDGER
)  # fmt: skip
@written_once(201)
def declare_month(request: ApiRequest, uscc: Uscc, body: MonthDeclarationIn) -> DeclaredMonth:
    """每种废物都要写到，或者 is_nothing。再次申报即更正：台账记差额，或冲正后重记。"""
    organisation = organisation_of(request, uscc, Permission.POST_MOVEMENTS)
    month = date.fromisoformat(f"{body.month}-01")
    lines = [
        Said(
            stream_code=each.stream, new=Mass(each.new_g), reason=each.reason,
            standing=Mass(each.standing_g) if each.standing_g is not None else None,
        )
        for each in body.lines
    ]  # fmt: skip
    try:
        services.declare(
            organisation=organisation, month=month, lines=lines, is_nothing=body.is_nothing, client_id=body.client_id,
            by=request.auth, now=timezone.now(),
        )  # fmt: skip
    except CollectionRefused as why:
        raise _refused(why) from None
    rows = queries.months_said(organisation=organisation, on=timezone.localdate())
    return next(_month_out(row) for row in rows if row.month == month)


# --- what is ready


class ReadyWasteFilter(Asked):
    q: SearchText = Field("", description="单位名称、信用代码")
    division: Annotated[str, Field(pattern=r"^([0-9]{6})?$", description="行政区划代码")] = ""
    park: SearchText = Field("", description="园区名称")
    waste: Annotated[str, Field(max_length=16, pattern=r"^[0-9A-Za-z-]*$", description="废物代码或类别")] = ""
    at_least_g: Grams = 0
    at_least_days: Annotated[int, Field(ge=0, le=10**5)] = 0
    standing: Annotated[
        str, Field(pattern=r"^(collectable|due|unknown)?$", description="collectable、due 或 unknown")
    ] = ""
    offset: Offset = 0
    limit: PageLimit = 50


class ReadyWaste(Answered):
    generator: str
    generator_name: str
    address: str
    stream: str | None
    waste_code: str | None
    waste_name: str | None
    mass_g: int | None = Field(description="可收；未知的为 null")
    planned_g: int
    since: date | None
    days: int | None
    last_day: date | None
    declared_for: str | None = Field(description="最近申报的月份")
    word: Word
    lacks: str = Field(
        description="为什么不能收：contract、area、missing、not_in_date、code、capacity；可以收的为空"
    )
    capacity_left_g: int | None = Field(description="许可证今年还剩的能力；一般固废为 null")


class ReadyWastes(Answered):
    ready: list[ReadyWaste]
    total: int


def _ready_out(row: Ready) -> ReadyWaste:
    stream = row.stream
    return ReadyWaste(
        generator=row.generator.uscc, generator_name=row.generator.name, address=row.generator.address,
        stream=stream.code if stream else None, waste_code=stream.waste_code if stream else None,
        waste_name=stream.name if stream else None, mass_g=row.mass_g, planned_g=row.planned_g, since=row.since,
        days=row.days, last_day=row.last, declared_for=f"{row.declared_for:%Y-%m}" if row.declared_for else None,
        word=row.word, lacks=row.lacks, capacity_left_g=row.left_g,
    )  # fmt: skip


@router.get(f"{O}/ready", response=answers(ReadyWastes), summary="列出各家可收的废物", **READ)
def list_ready(request: ApiRequest, uscc: Uscc, asked: Query[ReadyWasteFilter]) -> ReadyWastes:
    """只列与本单位签有有效收集合同的小微企业；期限近的在前。"""
    organisation = organisation_of(request, uscc, Permission.SIGN_MANIFESTS)
    rows = queries.ready(collector=organisation, user=request.auth, on=timezone.localdate())
    wanted = Wanted(
        text=asked.q, division=asked.division, park=asked.park, waste=asked.waste.upper(), at_least_g=asked.at_least_g,
        at_least_days=asked.at_least_days, standing=asked.standing,
    )  # fmt: skip
    found = queries.narrowed(rows, wanted)
    page = found[asked.offset : asked.offset + asked.limit]
    return ReadyWastes(ready=[_ready_out(row) for row in page], total=len(found))


# --- rounds


class StopLine(Answered):
    position: int
    waste_code: str
    waste_name: str
    lot: str
    declared_g: int
    received_g: int | None


class CollectionStop(Answered):
    stop: int
    position: int
    generator: str
    generator_name: str
    state: str
    reason: str
    words: str
    manifest: str | None = Field(description="联单编号；移出人签字之前没有")
    lines: list[StopLine]


class CollectionRoundOut(Answered):
    number: int
    uid: UUID
    state: str
    planned_on: date
    plate: str
    driver: str
    point: str
    started_at: Instant | None
    closed_at: Instant | None
    stops: list[CollectionStop]


class CollectionRounds(Answered):
    rounds: list[CollectionRoundOut]
    total: int


class CollectionRoundState(StrEnum):
    """As the round's own; by a name that no other room's states have in the document."""

    PLANNED = "PLANNED"
    UNDER_WAY = "UNDER_WAY"
    CLOSED = "CLOSED"
    CANCELLED = "CANCELLED"


class CollectionRoundFilter(Asked):
    state: CollectionRoundState | None = None
    offset: Offset = 0
    limit: PageLimit = 50


class CollectionPick(Asked):
    generator: Code = Field(description="统一社会信用代码")
    stream: Code
    mass_g: Annotated[int, Field(ge=1, le=10**14)] | None = Field(
        None, description="散装只收一部分时填；不填即全部"
    )


class CollectionRoundIn(Asked):
    uid: UUID = Field(description="由客户端生成；同一编号只建一个轮次")
    point: Code = Field(description="收集点的贮存设施编码")
    planned_on: Day
    plate: Text60
    driver: Text60
    driver_phone: Text60 = ""
    picks: Annotated[list[CollectionPick], Field(max_length=MOST_PICKS)]


class CollectionRoundAct(StrEnum):
    START = "START"
    CANCEL = "CANCEL"
    REORDER = "REORDER"
    LEAVE_OUT = "LEAVE_OUT"
    LOAD = "LOAD"
    CLOSE = "CLOSE"


class CollectionWeighing(Asked):
    waste_code: Code
    received_g: Grams
    mode: Text60


class CollectionRoundActIn(Asked):
    act: CollectionRoundAct
    stop: Annotated[int, Field(ge=1, le=10**15)] | None = Field(None, description="LEAVE_OUT、LOAD：哪一站")
    order: Annotated[list[Annotated[int, Field(ge=1, le=10**15)]], Field(max_length=1000)] = Field(
        [], description="REORDER：各站依次"
    )
    reason: Text60 = Field(
        "", description="LEAVE_OUT：NOT_AT_HOME、NOT_PACKED、NOT_THERE、NO_ROOM、PLAN_CHANGED"
    )
    words: Text200 = ""
    weighings: Annotated[list[CollectionWeighing], Field(max_length=200)] = Field(
        [], description="CLOSE：每种废物合并过磅"
    )
    is_reweighed: bool = False


def _round_out(row: CollectionRound) -> CollectionRoundOut:
    return CollectionRoundOut(
        number=row.number, uid=row.uid, state=row.state, planned_on=row.planned_on, plate=row.plate, driver=row.driver,
        point=row.point.store.code, started_at=row.started_at, closed_at=row.closed_at,
        stops=[_stop_out(each) for each in row.stops.all()],
    )  # fmt: skip


def _stop_out(each: Stop) -> CollectionStop:
    lines = [
        StopLine(
            position=line.position, waste_code=line.waste_code, waste_name=line.waste_name, lot=line.lot_code,
            declared_g=line.declared_g, received_g=line.received_g,
        )
        for line in each.manifest.lines.all()
    ]  # fmt: skip
    return CollectionStop(
        stop=each.pk, position=each.position, generator=each.generator.uscc, generator_name=each.generator.name,
        state=each.state, reason=each.reason, words=each.words, manifest=each.manifest.number, lines=lines,
    )  # fmt: skip


def _round(request: ApiRequest, organisation: Organisation, number: int) -> CollectionRound:
    rows = queries.rounds_of(organisation=organisation, user=request.auth, on=timezone.localdate())
    found = queries.listed_rounds(rows.filter(number=number)).order_by("-pk").first()
    if found is None:
        raise Refused(404, "round_unknown", "本单位没有这个收运轮次；请核对轮次号。")
    return found


@router.get(f"{O}/rounds", response=answers(CollectionRounds), summary="列出收运轮次", **READ)
def list_collection_rounds(
    request: ApiRequest, uscc: Uscc, asked: Query[CollectionRoundFilter]
) -> CollectionRounds:
    """新的在前。"""
    organisation = organisation_of(request, uscc, Permission.SIGN_MANIFESTS)
    rows = queries.rounds_of(organisation=organisation, user=request.auth, on=timezone.localdate())
    if asked.state is not None:
        rows = rows.filter(state=asked.state)
    page = queries.listed_rounds(rows).order_by("-number", "-pk")[asked.offset : asked.offset + asked.limit]
    return CollectionRounds(rounds=[_round_out(row) for row in page], total=rows.count())


@router.post(
    f"{O}/rounds",
    response=answers(CollectionRoundOut, status=201, writes=True),
    summary="安排一个收运轮次",
    **WRITE,
)
@written_once(201)
def plan_collection_round(request: ApiRequest, uscc: Uscc, body: CollectionRoundIn) -> CollectionRoundOut:
    """每家各开一份联单草稿；各站按 picks 的顺序。"""
    organisation = organisation_of(request, uscc, Permission.HANDLE_MANIFESTS)
    points = queries.points_of(organisation=organisation, on=timezone.localdate())
    point = points.filter(store__code=body.point).first()
    try:
        if point is None:
            raise CollectionRefused(RefusalCode.POINT_UNKNOWN, where="point")
        made = services.plan_round(
            organisation=organisation, point=point, planned_on=body.planned_on, plate=body.plate, driver=body.driver,
            driver_phone=body.driver_phone, uid=body.uid, by=request.auth, now=timezone.now(),
            picks=[
                Pick(
                    generator=each.generator, stream_code=each.stream,
                    mass=Mass(each.mass_g) if each.mass_g is not None else None,
                )
                for each in body.picks
            ],
        )  # fmt: skip
    except CollectionRefused as why:
        raise _refused(why) from None
    return _round_out(_round(request, organisation, made.number))


@router.get(
    f"{O}/rounds/{{number}}", response=answers(CollectionRoundOut), summary="查看一个收运轮次", **READ
)
def get_collection_round(request: ApiRequest, uscc: Uscc, number: Number) -> CollectionRoundOut:
    organisation = organisation_of(request, uscc, Permission.SIGN_MANIFESTS)
    return _round_out(_round(request, organisation, number))


@router.post(
    f"{O}/rounds/{{number}}/acts", response=answers(CollectionRoundOut, writes=True),
    summary="办理收运轮次：出发、取消、排序、略过、装车、过磅", **WRITE,
)  # fmt: skip
@written_once(200)
def act_on_collection_round(
    request: ApiRequest, uscc: Uscc, number: Number, body: CollectionRoundActIn
) -> CollectionRoundOut:
    """
    CANCEL 须有填写联单的权限。LOAD 须移出人已签字；签收码只在页面上输入。

    过磅后每家的接受量按移出量分摊，合计一克不差。
    """
    needs = (
        Permission.HANDLE_MANIFESTS if body.act is CollectionRoundAct.CANCEL else Permission.SIGN_MANIFESTS
    )
    organisation = organisation_of(request, uscc, needs)
    row = _round(request, organisation, number)
    try:
        _do(request, row, body)
    except CollectionRefused as why:
        raise _refused(why) from None
    return _round_out(_round(request, organisation, number))


def _do(request: ApiRequest, row: CollectionRound, body: CollectionRoundActIn) -> None:
    by, now = request.auth, timezone.now()
    match body.act:
        case CollectionRoundAct.START:
            services.start_round(round_=row, by=by, now=now)
        case CollectionRoundAct.CANCEL:
            services.cancel_round(round_=row, words=body.words, by=by, now=now)
        case CollectionRoundAct.REORDER:
            services.reorder(round_=row, order=body.order, by=by, now=now)
        case CollectionRoundAct.LEAVE_OUT:
            services.leave_out(stop=_stop(row, body), reason=body.reason, words=body.words, by=by, now=now)
        case CollectionRoundAct.LOAD:
            services.load_signed(stop=_stop(row, body), by=by, now=now)
        case CollectionRoundAct.CLOSE:
            weighed = [
                Weighing(waste_code=each.waste_code, received=Mass(each.received_g), mode=each.mode)
                for each in body.weighings
            ]
            services.close_round(
                round_=row, weighings=weighed, is_reweighed=body.is_reweighed, by=by, now=now
            )


def _stop(row: CollectionRound, body: CollectionRoundActIn) -> Stop:
    found = next((each for each in row.stops.all() if each.pk == body.stop), None)
    if found is None:
        raise CollectionRefused(RefusalCode.STOP_UNKNOWN, where="stop")
    return found
