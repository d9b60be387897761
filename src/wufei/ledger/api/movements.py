"""The ledger for machines: streams, stores, movements, stock, closing, verification."""

from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Self
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import timezone
from ninja import Path, Query, Router
from pydantic import Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from wufei.ledger import queries, services
from wufei.ledger.kinds import BY_HAND, INTO_STORE, LABELS, Kind, PlaceKind
from wufei.ledger.models import Movement, Place, Stream
from wufei.ledger.posting import Draft
from wufei.ledger.wording import CLOSING_TEXT, DECLARATION_TEXT, REFUSAL_TEXT, REVERSAL_TEXT
from wufei.registry.access import Permission
from wufei.registry.api.door import (
    ApiRequest,
    ErrorDetail,
    Refused,
    answers,
    malformed,
    organisation_of,
    scoped,
    stale,
)
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
    Text300,
    Uscc,
    Version,
    WholeNumber,
)
from wufei.registry.api.idempotency import written_once
from wufei.registry.models import Organisation
from wufei.terms.mass import InexactMass, Mass

router = Router(tags=["台账"])

KIND_OF = {label: kind for kind, label in LABELS.items()} | {kind.value: kind for kind in Kind}
KIND_WORDS = [*(kind.value for kind in Kind), *LABELS.values()]
WORDS_BY_HAND = [*(kind.value for kind in BY_HAND), *(LABELS[kind] for kind in BY_HAND)]
MOST_AT_ONCE = 1000


class Unit(StrEnum):
    GRAM = "克"
    KILOGRAM = "千克"
    TONNE = "吨"
    TEN_THOUSAND_TONNES = "万吨"


class Amount(Asked):
    """Either an amount as people write it, with its unit, or whole grams."""

    amount: Annotated[str, Field(pattern=r"^[0-9]{1,12}(\.[0-9]{1,10})?$")] | None = None
    unit: Unit | None = None
    mass_g: WholeNumber | None = None

    def mass(self) -> Mass | None:
        if self.mass_g is not None:
            return Mass(self.mass_g)
        if self.amount is None or self.unit is None:
            return None
        return Mass.of(Decimal(self.amount), self.unit)

    @model_validator(mode="after")
    def _one_way_of_saying_it(self) -> Self:
        if (self.amount is None) != (self.unit is None):
            raise PydanticCustomError("unit_missing", "数量（amount）和单位（unit）须同时给出。")
        if self.amount is not None and self.mass_g is not None:
            raise PydanticCustomError("amount_twice", "amount 加 unit 与 mass_g 只能给出一种。")
        try:
            self.mass()
        except InexactMass:
            raise PydanticCustomError("amount_too_fine", "数量精确到克为止；请减少小数位数。") from None
        return self


class DraftIn(Amount):
    kind: Annotated[str, Field(json_schema_extra={"enum": WORDS_BY_HAND}, description="环节：代码或中文")]
    moved_on: Day
    stream: Code = Field(description="废物编号")
    store: Code | None = Field(None, description="设施编码；不填为第一个贮存设施")
    lot: Code | None = Field(None, description="批次编码；不填为散堆")
    method: Text60 = ""
    counterparty: Text200 = Field("", description="对方单位")
    handler: Text60 = Field("", description="经办人")
    note: Text300 = ""
    client_id: UUID | None = Field(None, description="由客户端生成；同一编号只记一次账")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.mass() is None:
            raise PydanticCustomError("amount_missing", "请给出数量：amount 加 unit，或 mass_g。")
        if self.kind not in WORDS_BY_HAND:
            raise PydanticCustomError("kind_unknown", "没有这个环节；应为产生、自行利用、委外处置等。")
        return self

    def draft(self) -> Draft:
        mass = self.mass()
        assert mass is not None, "checked above"
        return Draft(
            kind=KIND_OF[self.kind], moved_on=self.moved_on, stream_code=self.stream, mass=mass,
            store_code=self.store, lot_code=self.lot, method=self.method, counterparty=self.counterparty,
            handler=self.handler, note=self.note, client_id=self.client_id,
        )  # fmt: skip


class DraftsIn(Asked):
    movements: Annotated[list[DraftIn], Field(min_length=1, max_length=MOST_AT_ONCE)]


class MovementOut(Answered):
    seq: int = Field(description="链序号，从 1 起，不重复、不中断")
    kind: Kind
    kind_label: str
    moved_on: date
    stream: str
    stream_name: str
    waste_code: str
    store: str
    lot: str | None = Field(description="批次编码；散堆为 null")
    mass_g: int
    method: str
    counterparty: str
    handler: str
    note: str
    client_id: UUID
    reverses: int | None = Field(description="所冲正记录的链序号")
    reversed_by: int | None = Field(description="冲正本记录的链序号")
    reversal_reason: str
    posted_at: Instant
    posted_by: str
    previous_hash: str
    chain_hash: str


class Movements(Answered):
    movements: list[MovementOut]


class MovementPage(Movements):
    next: str | None = Field(description="下一页的 cursor；没有下一页时为 null")


class ReversalIn(Asked):
    reason: Annotated[Text200, StringConstraints(min_length=1)]
    moved_on: Day | None = Field(None, description="冲正日期；原记录所在月份已结账时须给出")


class StreamIn(Asked):
    name: Annotated[Text120, StringConstraints(min_length=1)]
    waste_code: Annotated[str, Field(pattern=r"^[0-9A-Za-z-]{4,16}$")]
    process_name: Annotated[Text60, StringConstraints(min_length=1)] = Field(description="产生工序")
    physical_form: Text60 = ""
    main_components: Text200 = ""
    version: Version | None = Field(None, description="修改时须带上；新申报时不填")


class StreamOut(Answered):
    code: str
    name: str
    waste_code: str
    waste_category: str
    waste_class: str
    process_name: str
    physical_form: str
    main_components: str
    version: int


class Streams(Answered):
    streams: list[StreamOut]


class StoreIn(Amount):
    """A store; `amount` with `unit`, or `mass_g`, is its capacity; none where it has no limit."""

    name: Annotated[Text120, StringConstraints(min_length=1)]
    store_type: Text60 = ""
    version: Version | None = Field(None, description="修改时须带上；新申报时不填")


class StoreOut(Answered):
    code: str
    name: str
    store_type: str
    capacity_g: int | None
    version: int


class Stores(Answered):
    stores: list[StoreOut]


class StockRow(Answered):
    store: str
    store_name: str
    stream: str
    stream_name: str
    waste_code: str
    waste_class: str
    lot: str | None
    mass_g: int


class StockOut(Answered):
    on: date | None = Field(description="当日终了时的库存；null 为现在")
    stock: list[StockRow]


class ClosingIn(Asked):
    through: Day = Field(description="结账至这一天（月末）")


class ClosingOut(Answered):
    closed_through: date
    seq: int
    chain_hash: str
    closed_at: Instant


class FaultOut(Answered):
    movement: int | None
    kind: str
    message: str


class VerificationOut(Answered):
    movements: int
    ok: bool
    faults: list[FaultOut]


# --- streams and stores ----------------------------------------------------------------

CodeInPath = Annotated[str, Path(min_length=1, max_length=60, description="编号")]


def _stream(row: Stream) -> StreamOut:
    return StreamOut(
        code=row.code, name=row.name, waste_code=row.waste_code, waste_category=row.waste_category,
        waste_class=row.waste_class, process_name=row.process.name, physical_form=row.physical_form,
        main_components=row.main_components, version=row.version,
    )  # fmt: skip


def _store(row: Place) -> StoreOut:
    return StoreOut(
        code=row.code,
        name=row.name,
        store_type=row.store_type,
        capacity_g=row.capacity_g,
        version=row.version,
    )


def _refuse_stale(row: Stream | Place | None, version: int | None) -> None:
    """Let go on only who saw the row as it stands, or found none where there is none."""
    actual = row.version if row else None
    if actual != version:
        raise stale(actual)


def _declaration_refused(refused: services.DeclarationRefused) -> Refused:
    message = DECLARATION_TEXT[refused.code]
    detail = ErrorDetail(code=refused.code, message=refused.detail or message)
    return Refused(409, refused.code, message, [detail])


def _storable_code(code: str) -> str:
    if not code.isprintable() or code != code.strip():
        message = "编号首尾不能有空格，也不能含有换行等不能保存的字符；请改写。"
        raise malformed("path.code", "text_not_storable", message)
    return code


@router.get("/streams", response=answers(Streams), summary="列出废物", **scoped("ledger:read"))
def list_streams(request: ApiRequest, uscc: Uscc) -> Streams:
    organisation = organisation_of(request, uscc, Permission.VIEW_LEDGER)
    rows = Stream.objects.filter(organisation=organisation).select_related("process").order_by("code")
    return Streams(streams=[_stream(row) for row in rows])


@router.put(
    "/streams/{path:code}",
    response=answers(StreamOut, writes=True),
    summary="申报或修改一种废物",
    **scoped("ledger:write"),
)
@written_once(200)
def put_stream(request: ApiRequest, uscc: Uscc, code: CodeInPath, body: StreamIn) -> StreamOut:
    organisation = organisation_of(request, uscc, Permission.EDIT_ORGANISATION)
    mine = Stream.objects.filter(organisation=organisation, code=_storable_code(code))
    _refuse_stale(mine.select_for_update().first(), body.version)
    try:
        services.declare_stream(
            organisation=organisation, code=code, by=request.auth, now=timezone.now(),
            **body.model_dump(exclude={"version"}),
        )  # fmt: skip
    except services.DeclarationRefused as refused:
        raise _declaration_refused(refused) from None
    return _stream(mine.select_related("process").get())


@router.get("/stores", response=answers(Stores), summary="列出贮存设施", **scoped("ledger:read"))
def list_stores(request: ApiRequest, uscc: Uscc) -> Stores:
    """按申报先后排列；记账时不写设施编码的，记入第一个。"""
    organisation = organisation_of(request, uscc, Permission.VIEW_LEDGER)
    return Stores(stores=[_store(row) for row in queries.stores_of(organisation=organisation)])


@router.put(
    "/stores/{path:code}",
    response=answers(StoreOut, writes=True),
    summary="申报或修改一个贮存设施",
    **scoped("ledger:write"),
)
@written_once(200)
def put_store(request: ApiRequest, uscc: Uscc, code: CodeInPath, body: StoreIn) -> StoreOut:
    organisation = organisation_of(request, uscc, Permission.EDIT_ORGANISATION)
    capacity = body.mass()
    if capacity is not None and capacity.grams <= 0:
        raise malformed("body.mass_g", "mass_not_positive", "能力应大于零；没有限制时不填。")
    mine = Place.objects.filter(organisation=organisation, code=_storable_code(code), kind=PlaceKind.STORE)
    _refuse_stale(mine.select_for_update().first(), body.version)
    try:
        services.declare_store(
            organisation=organisation, code=code, name=body.name, store_type=body.store_type,
            capacity=capacity, by=request.auth, now=timezone.now(),
        )  # fmt: skip
    except services.DeclarationRefused as refused:
        raise _declaration_refused(refused) from None
    return _store(mine.get())


# --- movements -------------------------------------------------------------------------


def movement_out(row: Movement) -> MovementOut:
    into = (row.kind in INTO_STORE) != (row.reverses_id is not None)
    reversal = getattr(row, "reversal", None)
    return MovementOut(
        seq=row.seq, kind=Kind(row.kind), kind_label=LABELS[Kind(row.kind)], moved_on=row.moved_on,
        stream=row.stream.code, stream_name=row.stream.name, waste_code=row.stream.waste_code,
        store=row.target.code if into else row.source.code,
        lot=None if row.lot.is_bulk else row.lot.code, mass_g=row.mass_g, method=row.method,
        counterparty=row.counterparty, handler=row.handler, note=row.note, client_id=row.client_id,
        reverses=row.reverses.seq if row.reverses else None,
        reversed_by=reversal.seq if reversal else None, reversal_reason=row.reversal_reason,
        posted_at=row.posted_at, posted_by=str(row.posted_by), previous_hash=row.previous_hash,
        chain_hash=row.chain_hash,
    )  # fmt: skip


class Order(StrEnum):
    SEQ = "seq"
    SEQ_DOWN = "-seq"
    DAY = "moved_on"
    DAY_DOWN = "-moved_on"


class MovementFilter(Asked):
    from_: Day | None = Field(None, alias="from", description="起始日期（含）")
    to: Day | None = Field(None, description="截止日期（含）")
    stream: Code | None = Field(None, description="废物编号")
    kind: Annotated[str, Field(json_schema_extra={"enum": KIND_WORDS})] | None = Field(
        None, description="环节"
    )
    store: Code | None = Field(None, description="设施编码")
    lot: Code | None = Field(None, description="批次编码")
    q: SearchText = Field("", description="在废物名称、批次、对方单位、经办人、备注中查找")
    sort: Order = Order.SEQ_DOWN
    cursor: Annotated[str, Field(pattern=r"^([0-9]{4}-[0-9]{2}-[0-9]{2}\.)?[0-9]{1,9}$")] | None = Field(
        None, description="上一页的 next"
    )
    limit: PageLimit = 50

    @model_validator(mode="after")
    def _readable(self) -> Self:
        if self.kind is not None and self.kind not in KIND_OF:
            raise PydanticCustomError("kind_unknown", "没有这个环节；应为产生、自行利用、委外处置等。")
        if self.cursor is not None and ("." in self.cursor) != (self.sort in (Order.DAY, Order.DAY_DOWN)):
            raise PydanticCustomError("cursor_of_another_sort", "cursor 与 sort 不符；请从第一页重新读取。")
        if self.cursor is not None and "." in self.cursor:
            try:
                date.fromisoformat(self.cursor[:10])
            except ValueError:
                raise PydanticCustomError("cursor_malformed", "cursor 不对；请从第一页重新读取。") from None
        return self


def _filtered(rows: QuerySet[Movement], asked: MovementFilter) -> QuerySet[Movement]:
    said = {
        "moved_on__gte": asked.from_,
        "moved_on__lte": asked.to,
        "stream__code": asked.stream,
        "kind": KIND_OF[asked.kind].value if asked.kind else None,
        "lot__code": asked.lot,
    }
    rows = rows.filter(**{name: value for name, value in said.items() if value is not None})
    if asked.store is not None:
        store = {"kind": PlaceKind.STORE, "code": asked.store}
        rows = rows.filter(
            Q(**{f"source__{k}": v for k, v in store.items()})
            | Q(**{f"target__{k}": v for k, v in store.items()})
        )
    if asked.q:
        columns = ("stream__name", "lot__code", "counterparty", "handler", "note")
        found = Q()
        for column in columns:
            found |= Q(**{f"{column}__icontains": asked.q})
        rows = rows.filter(found)
    return rows


def _page(rows: QuerySet[Movement], asked: MovementFilter) -> tuple[Sequence[Movement], str | None]:
    """Return one page and where the next begins; rows posted meanwhile shift nothing."""
    is_down, by_day = asked.sort.startswith("-"), asked.sort.endswith("moved_on")
    beyond = "lt" if is_down else "gt"
    if asked.cursor is not None and by_day:
        day, seq = asked.cursor.split(".")
        rows = rows.filter(**{f"moved_on__{beyond}e": day}).filter(
            Q(**{f"moved_on__{beyond}": day}) | Q(**{f"seq__{beyond}": int(seq)})
        )
    elif asked.cursor is not None:
        rows = rows.filter(**{f"seq__{beyond}": int(asked.cursor)})
    mark = "-" if is_down else ""
    order = [f"{mark}moved_on", f"{mark}seq"] if by_day else [f"{mark}seq"]
    found = list(rows.order_by(*order)[: asked.limit + 1])
    page = found[: asked.limit]
    if len(found) <= asked.limit:
        return page, None
    last = page[-1]
    return page, f"{last.moved_on.isoformat()}.{last.seq}" if by_day else str(last.seq)


@router.get("/movements", response=answers(MovementPage), summary="列出台账记录", **scoped("ledger:read"))
def list_movements(request: ApiRequest, uscc: Uscc, asked: Query[MovementFilter]) -> MovementPage:
    """冲正的记录和冲正记录都在其中，`reverses`、`reversed_by` 指明彼此。"""
    organisation = organisation_of(request, uscc, Permission.VIEW_LEDGER)
    page, after = _page(_filtered(queries.movements(organisation=organisation), asked), asked)
    return MovementPage(movements=[movement_out(row) for row in page], next=after)


@router.post(
    "/movements",
    response=answers(Movements, status=201, writes=True),
    summary="记账（一条或多条，全部记入或全部不记）",
    **scoped("ledger:write"),
)
@written_once(201)
def post_movements(request: ApiRequest, uscc: Uscc, body: DraftsIn) -> Movements:
    """不能记账的，答复 409，details 逐条说明是第几条、什么原因；一条也不会记入。"""
    organisation = organisation_of(request, uscc, Permission.POST_MOVEMENTS)
    drafts = [each.draft() for each in body.movements]
    given = [draft.client_id for draft in drafts if draft.client_id is not None]
    if len(set(given)) != len(given):
        raise malformed("body.movements", "client_id_twice", "client_id 不得重复。")
    try:
        posted = services.post(organisation=organisation, drafts=drafts, by=request.auth, now=timezone.now())
    except services.MovementsRefused as refused:
        raise movements_refused(refused) from None
    except services.ClientIdReused as refused:
        detail = ErrorDetail(where="body.movements", code="client_id_reused", message=str(refused.client_id))
        message = "这个 client_id 已用于另一条记录；请为新的记录换一个，重发旧记录时内容须相同。"
        raise Refused(409, "client_id_reused", message, [detail]) from None
    rows = queries.movements(organisation=organisation).filter(pk__in=posted.values("pk")).order_by("seq")
    return Movements(movements=[movement_out(row) for row in rows])


def movements_refused(
    refused: services.MovementsRefused, where: Callable[[int], str] = "body.movements.{}".format
) -> Refused:
    """Return the refusal as it is answered; `where` says what in the body each movement is of."""
    details = [
        ErrorDetail(where=where(index), code=each.code.value, message=REFUSAL_TEXT[each.code])
        for index, refusals in refused.refusals
        for each in refusals
    ]
    message = "有记录不能记账，全部未记；请按 details 逐条改正后重发。"
    return Refused(409, "movements_refused", message, details)


SeqInPath = Annotated[int, Path(ge=1, le=2**31 - 1, description="链序号")]


def _at(organisation: Organisation, seq: int) -> Movement:
    row = queries.movements(organisation=organisation).filter(seq=seq).first()
    if row is None:
        raise Refused(404, "movement_unknown", f"没有第 {seq} 号记录；请核对链序号。")
    return row


@router.get(
    "/movements/{seq}", response=answers(MovementOut), summary="查看一条台账记录", **scoped("ledger:read")
)
def get_movement(request: ApiRequest, uscc: Uscc, seq: SeqInPath) -> MovementOut:
    return movement_out(_at(organisation_of(request, uscc, Permission.VIEW_LEDGER), seq))


@router.post(
    "/movements/{seq}/reverse",
    response=answers(MovementOut, status=201, writes=True),
    summary="冲正一条台账记录",
    **scoped("ledger:write"),
)
@written_once(201)
def reverse_movement(request: ApiRequest, uscc: Uscc, seq: SeqInPath, body: ReversalIn) -> MovementOut:
    """答复的是冲正记录。"""
    organisation = organisation_of(request, uscc, Permission.REVERSE_MOVEMENTS)
    movement = _at(organisation, seq)
    if not body.reason.isprintable():
        raise malformed("body.reason", "text_not_storable", "不能含有换行等字符；请改写。")
    try:
        reversal = services.reverse(
            movement=movement, reason=body.reason, moved_on=body.moved_on, by=request.auth, now=timezone.now()
        )
    except services.ReversalRefused as refused:
        detail = ErrorDetail(code=refused.code, message=refused.detail or REVERSAL_TEXT[refused.code])
        raise Refused(409, refused.code, REVERSAL_TEXT[refused.code], [detail]) from None
    return movement_out(_at(organisation, reversal.seq))


# --- stock, months, verification -------------------------------------------------------


@router.get("/stock", response=answers(StockOut), summary="查看库存", **scoped("ledger:read"))
def stock(request: ApiRequest, uscc: Uscc, on: Day | None = None) -> StockOut:
    organisation = organisation_of(request, uscc, Permission.VIEW_LEDGER)
    rows = [
        StockRow(
            store=row.store_code, store_name=row.store_name, stream=row.stream_code,
            stream_name=row.stream_name, waste_code=row.waste_code, waste_class=row.waste_class,
            lot=None if row.is_bulk else row.lot_code, mass_g=row.mass_g,
        )
        for row in queries.stock(organisation=organisation, on=on)
    ]  # fmt: skip
    return StockOut(on=on, stock=rows)


@router.post(
    "/close-month",
    response=answers(ClosingOut, status=201, writes=True),
    summary="结账",
    **scoped("ledger:write"),
)
@written_once(201)
def close_month(request: ApiRequest, uscc: Uscc, body: ClosingIn) -> ClosingOut:
    """结账后，该月及以前不能再记账；不能撤销。"""
    organisation = organisation_of(request, uscc, Permission.CLOSE_MONTH)
    try:
        closing = services.close_month(
            organisation=organisation, through=body.through, by=request.auth, now=timezone.now()
        )
    except services.ClosingRefused as refused:
        raise Refused(409, refused.code, CLOSING_TEXT[refused.code]) from None
    return ClosingOut(
        closed_through=closing.closed_through, seq=closing.seq, chain_hash=closing.chain_hash,
        closed_at=closing.closed_at,
    )  # fmt: skip


@router.get("/verify", response=answers(VerificationOut), summary="校验台账", **scoped("ledger:read"))
def verify(request: ApiRequest, uscc: Uscc) -> VerificationOut:
    """重算哈希链、结存、月度合计和日根，指出第一处不对的记录。记录很多时需要数秒。"""
    organisation = organisation_of(request, uscc, Permission.VIEW_LEDGER)
    found = services.verify(organisation=organisation, by=request.auth, now=timezone.now())
    faults = [FaultOut(movement=f.movement, kind=f.kind, message=f.message) for f in found.faults]
    return VerificationOut(movements=found.movements, ok=found.is_ok, faults=faults)
