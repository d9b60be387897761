"""Stock-taking for machines: a sheet opened, counted blind, closed, given up, its differences posted."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from django.utils import timezone
from ninja import Query, Router
from pydantic import Field, StringConstraints

from wufei.ledger.api.movements import Amount, movements_refused
from wufei.ledger.services import MovementsRefused
from wufei.registry.access import Permission
from wufei.registry.api.door import ApiRequest, Refused, answers, organisation_of, scoped
from wufei.registry.api.fields import (
    Answered,
    Asked,
    Code,
    Day,
    Instant,
    PageLimit,
    Text60,
    Text200,
    Uscc,
)
from wufei.registry.api.idempotency import written_once
from wufei.registry.models import Organisation, User
from wufei.storage import queries, services
from wufei.storage.api.refused import Cursor, LotCode, Number, storage_refused
from wufei.storage.models import StocktakeCount, StocktakeSheet
from wufei.storage.refusals import StorageRefused
from wufei.storage.services import Found
from wufei.storage.stocktaking import Progress
from wufei.terms.mass import Mass

router = Router(tags=["贮存"])
READ, WRITE = scoped("ledger:read"), scoped("ledger:write")
MOST_EXPLAINED = 5_000


class StocktakeIn(Asked):
    store: Code = Field(description="设施编码")
    client_id: UUID = Field(description="由客户端生成；同一编号只开一张表")


class CountIn(Amount):
    lot: LotCode = Field(description="批次编码；散堆写“散堆-”加废物编号")
    method: StocktakeCount.Method
    stream: Text60 = Field("", description="账上没有的批次是哪种废物")
    note: Text200 = ""
    client_id: UUID = Field(description="由客户端生成；同一编号只登记一次")

    def found(self) -> Found:
        return Found(
            lot_code=self.lot, method=self.method, mass=self.mass() or Mass(0), stream_code=self.stream,
            note=self.note,
        )  # fmt: skip


class GiveUpIn(Asked):
    reason: Annotated[Text200, StringConstraints(min_length=1)]


class ExplanationIn(Asked):
    lot: LotCode
    text: Annotated[str, StringConstraints(min_length=1, max_length=180)]


class SettlementIn(Asked):
    moved_on: Day = Field(description="记账日期")
    explanations: Annotated[list[ExplanationIn], Field(max_length=MOST_EXPLAINED)]


class CountOut(Answered):
    lot: str
    method: StocktakeCount.Method
    mass_g: int
    is_recount: bool
    client_id: UUID
    counted_at: Instant


class LotToCount(Answered):
    """Nothing of what the books hold, nor of what others found."""

    lot: str
    stream_name: str
    waste_code: str
    is_on_books: bool
    progress: Progress
    can_count: bool = Field(description="现在轮到我盘")
    mine: list[CountOut] = Field(description="我盘得的")


class DifferenceOut(Answered):
    lot: str
    stream_name: str
    book_g: int
    counted_g: int
    late_g: int = Field(description="盘点之后补记到账上的，不再记")
    due_g: int = Field(description="要记的：盘盈为正，盘亏为负")
    explanation: str
    movement: int | None = Field(description="记账的链序号")


class StocktakeRow(Answered):
    number: int
    name: str
    store: str
    state: str = Field(description="OPEN、GIVEN_UP、MATCHED、TO_POST、POSTED")
    opened_at: Instant
    opened_by: str
    differences: int | None = Field(description="差异项；还没有结束的为 null")


class Stocktakes(Answered):
    stocktakes: list[StocktakeRow]
    next: str | None = Field(description="下一页的 cursor；没有下一页时为 null")


class StocktakeOut(StocktakeRow):
    given_up_because: str
    to_count: list[LotToCount] = Field(description="盘点结束以前")
    found: list[DifferenceOut] = Field(description="盘点结束以后的差异")
    posted_on: date | None = None


def _state(sheet: StocktakeSheet) -> str:
    if not hasattr(sheet, "closing"):
        return "OPEN"
    if sheet.closing.given_up_because:
        return "GIVEN_UP"
    if hasattr(sheet, "settlement"):
        return "POSTED"
    return "TO_POST" if sheet.difference_count else "MATCHED"  # type: ignore[attr-defined]  # annotated


def _row(sheet: StocktakeSheet) -> dict[str, Any]:
    state = _state(sheet)
    return {
        "number": sheet.number, "name": sheet.name, "store": sheet.store.code, "state": state,
        "opened_at": sheet.opened_at, "opened_by": str(sheet.opened_by),
        "differences": None if state in ("OPEN", "GIVEN_UP") else sheet.difference_count,  # type: ignore[attr-defined]
    }  # fmt: skip


def _count(row: StocktakeCount) -> CountOut:
    return CountOut(
        lot=row.lot_code, method=StocktakeCount.Method(row.method), mass_g=row.mass_g, is_recount=row.is_recount,
        client_id=row.client_id, counted_at=row.counted_at,
    )  # fmt: skip


def _sheet(organisation: Organisation, number: int) -> StocktakeSheet:
    found = queries.sheets(organisation=organisation).filter(number=number).first()
    if found is None:
        raise Refused(404, "stocktake_unknown", f"没有盘点表{number}；请先用 stocktakes 列出。")
    return found


def _whole(organisation: Organisation, number: int, by: User) -> StocktakeOut:
    sheet = _sheet(organisation, number)
    is_closed = hasattr(sheet, "closing")
    to_count = [] if is_closed else queries.to_count(sheet=sheet, by=by)
    return StocktakeOut(
        **_row(sheet), given_up_because=sheet.closing.given_up_because if is_closed else "",
        to_count=[
            LotToCount(
                lot=row.lot_code, stream_name=row.stream_name, waste_code=row.waste_code, is_on_books=row.is_on_books,
                progress=row.progress, can_count=row.can_count, mine=[_count(each) for each in row.mine],
            )
            for row in to_count
        ],
        found=[_difference(each) for each in queries.to_post(sheet=sheet)] if is_closed else [],
        posted_on=sheet.settlement.moved_on if hasattr(sheet, "settlement") else None,
    )  # fmt: skip


def _difference(each: queries.ToPost) -> DifferenceOut:
    said = getattr(each.row, "explanation", None)
    return DifferenceOut(
        lot=each.row.lot_code, stream_name=each.row.stream.name, book_g=each.row.book_g, counted_g=each.row.counted_g,
        late_g=each.late_g, due_g=each.due_g, explanation=said.text if said else "",
        movement=said.movement.seq if said and said.movement else None,
    )  # fmt: skip


@router.get("/stocktakes", response=answers(Stocktakes), summary="列出盘点表", **READ)
def list_stocktakes(
    request: ApiRequest,
    uscc: Uscc,
    cursor: Annotated[Cursor | None, Query(description="上一页的 next")] = None,
    limit: PageLimit = 50,
) -> Stocktakes:
    """新的在前。"""
    organisation = organisation_of(request, uscc, Permission.VIEW_LEDGER)
    rows = queries.sheets(organisation=organisation)
    if cursor is not None:
        rows = rows.filter(number__lt=int(cursor))
    found = list(rows.order_by("-number")[: limit + 1])
    page = found[:limit]
    after = str(page[-1].number) if len(found) > limit else None
    return Stocktakes(stocktakes=[StocktakeRow(**_row(sheet)) for sheet in page], next=after)


@router.post(
    "/stocktakes", response=answers(StocktakeOut, status=201, writes=True), summary="开一张盘点表", **WRITE
)  # fmt: skip
@written_once(201)
def open_stocktake(request: ApiRequest, uscc: Uscc, body: StocktakeIn) -> StocktakeOut:
    """开表时的账面数随表封存。一个设施同时只有一张没办完的表。"""
    organisation = organisation_of(request, uscc, Permission.POST_MOVEMENTS)
    try:
        sheet = services.open_sheet(
            organisation=organisation, store_code=body.store, client_id=body.client_id, by=request.auth,
            now=timezone.now(),
        )  # fmt: skip
    except StorageRefused as why:
        raise storage_refused(why) from None
    return _whole(organisation, sheet.number, request.auth)


@router.get("/stocktakes/{number}", response=answers(StocktakeOut), summary="查看一张盘点表", **READ)
def get_stocktake(request: ApiRequest, uscc: Uscc, number: Number) -> StocktakeOut:
    """盘点结束以前看不到账面数，也看不到别人盘得的数量。"""
    return _whole(organisation_of(request, uscc, Permission.VIEW_LEDGER), number, request.auth)


@router.post(
    "/stocktakes/{number}/counts", response=answers(CountOut, status=201, writes=True), summary="登记盘得的数量",
    **WRITE,
)  # fmt: skip
@written_once(201)
def count_lot(request: ApiRequest, uscc: Uscc, number: Number, body: CountIn) -> CountOut:
    """每人每个批次一次；两人不一致的，第三次为准。没有找到的，method 为 MISSING，不带数量。"""
    sheet = _sheet(organisation_of(request, uscc, Permission.POST_MOVEMENTS), number)
    try:
        row = services.count_lot(
            sheet=sheet, found=body.found(), client_id=body.client_id, by=request.auth, now=timezone.now()
        )
    except StorageRefused as why:
        raise storage_refused(why) from None
    return _count(row)


@router.post(
    "/stocktakes/{number}/close", response=answers(StocktakeOut, writes=True), summary="结束盘点", **WRITE
)  # fmt: skip
@written_once(200)
def close_stocktake(request: ApiRequest, uscc: Uscc, number: Number) -> StocktakeOut:
    """列出全部差异。还有没盘的、要复盘的，答复 409。"""
    organisation = organisation_of(request, uscc, Permission.POST_MOVEMENTS)
    try:
        services.close_sheet(sheet=_sheet(organisation, number), by=request.auth, now=timezone.now())
    except StorageRefused as why:
        raise storage_refused(why) from None
    return _whole(organisation, number, request.auth)


@router.post(
    "/stocktakes/{number}/give-up", response=answers(StocktakeOut, writes=True), summary="作废一张盘点表", **WRITE
)  # fmt: skip
@written_once(200)
def give_up_stocktake(request: ApiRequest, uscc: Uscc, number: Number, body: GiveUpIn) -> StocktakeOut:
    organisation = organisation_of(request, uscc, Permission.REVERSE_MOVEMENTS)
    sheet = _sheet(organisation, number)
    try:
        services.give_up_sheet(sheet=sheet, reason=body.reason, by=request.auth, now=timezone.now())
    except StorageRefused as why:
        raise storage_refused(why) from None
    return _whole(organisation, number, request.auth)


@router.post(
    "/stocktakes/{number}/post", response=answers(StocktakeOut, writes=True), summary="解释差异并记账", **WRITE
)  # fmt: skip
@written_once(200)
def post_differences(request: ApiRequest, uscc: Uscc, number: Number, body: SettlementIn) -> StocktakeOut:
    """由没有参加盘点的人办。每一项差异都要有原因。"""
    organisation = organisation_of(request, uscc, Permission.REVERSE_MOVEMENTS)
    try:
        services.post_differences(
            sheet=_sheet(organisation, number), moved_on=body.moved_on, by=request.auth, now=timezone.now(),
            explanations={each.lot: each.text for each in body.explanations},
        )  # fmt: skip
    except StorageRefused as why:
        raise storage_refused(why) from None
    except MovementsRefused as why:
        raise movements_refused(why) from None
    return _whole(organisation, number, request.auth)
