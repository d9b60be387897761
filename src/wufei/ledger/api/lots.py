"""Lots for machines: what they become, where they are put, and their whole way."""

from datetime import date, datetime
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from django.utils import timezone
from ninja import Path, Query, Router
from pydantic import Field, StringConstraints

from wufei.ledger import queries, services, tracing
from wufei.ledger.api.movements import (
    Amount,
    MovementOut,
    ReversalIn,
    movement_out,
    movements_refused,
)
from wufei.ledger.kinds import Kind, TransformationKind
from wufei.ledger.models import Container, Transformation
from wufei.ledger.posting import Draft
from wufei.ledger.transforming import Input, Output
from wufei.ledger.wording import REVERSAL_TEXT, TRANSFORMATION_TEXT
from wufei.registry.access import Permission
from wufei.registry.api.door import (
    ApiRequest,
    ErrorDetail,
    Refused,
    answers,
    malformed,
    organisation_of,
    scoped,
)
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
    WholeNumber,
)
from wufei.registry.api.idempotency import written_once
from wufei.registry.models import Organisation
from wufei.terms.day import local_day
from wufei.terms.mass import Mass

router = Router(tags=["批次"])
MOST_LOTS = 200


class LotPart(Amount):
    """A lot with so much of it."""

    store: Code = Field(description="设施编码")
    lot: Annotated[str, StringConstraints(min_length=1, max_length=80)] = Field(description="批次编码")

    def needed(self, where: str) -> Mass:
        mass = self.mass()
        if mass is None:
            raise malformed(where, "amount_missing", "请给出数量：amount 加 unit，或 mass_g。")
        return mass


class PartOut(LotPart):
    stream: Code = Field(description="废物编号")
    packaging: Container.Packaging | None = None
    volume_ml: WholeNumber | None = None


class TransformationIn(Asked):
    kind: TransformationKind
    moved_on: Day
    inputs: Annotated[list[LotPart], Field(min_length=1, max_length=MOST_LOTS)]
    outputs: Annotated[list[PartOut], Field(min_length=1, max_length=MOST_LOTS)]
    loss_g: WholeNumber = Field(0, description="损耗（克）：投入 = 产出 + 损耗")
    loss_reason: Text200 = ""
    handler: Text60 = ""
    client_id: UUID = Field(description="客户端编号：同一编号只记一次")


class TransformationOut(Answered):
    first_seq: int = Field(description="第一条记录的链序号，也是这次转化的编号")
    last_seq: int
    kind: TransformationKind
    moved_on: date
    input_g: int
    loss_g: int
    loss_reason: str
    handler: str
    client_id: UUID
    posted_at: Instant
    posted_by: str
    reversed_at: datetime | None
    reversal_reason: str


class Transformations(Answered):
    transformations: list[TransformationOut]
    next: str | None = Field(description="下一页的 cursor；没有下一页时为 null")


class Cut(Asked):
    cursor: Annotated[str, Field(pattern=r"^[0-9]{1,10}$")] | None = None
    limit: PageLimit = 100


class RelocationIn(LotPart):
    to: Code = Field(description="移入的设施编码")
    moved_on: Day
    handler: Text60 = ""
    client_id: UUID | None = Field(None, description="客户端编号：同一编号只记一次")


class Node(Answered):
    lot: str
    stream: str | None
    organisation: str | None
    created_at: datetime | None


class Edge(Answered):
    from_: str = Field(alias="from")
    to: str
    mass_g: int | None = Field(description="两头都属无权查看的单位时为 null，document 为空")
    kind: str
    at: datetime
    document: str


class Step(Answered):
    lot: str
    kind: Kind
    from_: str = Field(alias="from")
    to: str
    mass_g: int
    on: date
    at: datetime
    person: str
    document: str
    organisation: str
    seq: int


class TraceOut(Answered):
    code: str
    nodes: list[Node]
    edges: list[Edge]
    steps: list[Step]
    cut: bool = Field(description="批次或记录过多，只列出其中一部分")


class TraceAsked(Asked):
    code: Annotated[str, StringConstraints(min_length=1, max_length=400)] = Field(
        description="批次编码、数字识别码，或扫到的二维码内容"
    )


@router.get(
    "/trace", response=answers(TraceOut), summary="追溯一个批次", by_alias=True, **scoped("ledger:read")
)
def trace(request: ApiRequest, uscc: Uscc, asked: Query[TraceAsked]) -> dict[str, Any]:
    """由哪些工序和批次而来，又到了哪里；无权查看的单位，其批次只有位置，没有内容。

    本单位没有的编码，在与本单位批次相连、或在本单位接收、承运的联单上的批次中查找。
    """
    organisation = organisation_of(request, uscc, Permission.VIEW_LEDGER)
    on = local_day(timezone.now())
    try:
        lot = queries.lot_coded(
            asked.code.replace("\x00", ""), asking=organisation, seen_by=request.auth, on=on
        )
    except queries.LotNotFound:
        raise Refused(404, "lot_unknown", "本单位没有这个编码的批次；请核对批次编码或数字识别码。") from None
    except queries.ScanRefused as refused:
        raise malformed("query.code", refused.code, refused.words) from None
    except queries.LotAmbiguous as several:
        whose = "、".join(f"{each.name}（{each.uscc}）" for each in several.organisations)
        message = f"几个单位都有这个编码：{whose}。请改用数字识别码，或扫标签上的二维码。"
        raise malformed("query.code", "lot_ambiguous", message) from None
    return tracing.document(queries.trace(lot=lot, seen_by=request.auth, on=on))


@router.get(
    "/transformations", response=answers(Transformations), summary="列出转化记录", **scoped("ledger:read")
)
def list_transformations(request: ApiRequest, uscc: Uscc, asked: Query[Cut]) -> Transformations:
    """从新到旧；分装、合并、换装、混合、预处理。"""
    organisation = organisation_of(request, uscc, Permission.VIEW_LEDGER)
    rows = Transformation.objects.filter(organisation=organisation).select_related("posted_by", "reversal")
    if asked.cursor is not None:
        rows = rows.filter(first_seq__lt=int(asked.cursor))
    found = list(rows.order_by("-first_seq")[: asked.limit + 1])
    page = found[: asked.limit]
    after = str(page[-1].first_seq) if len(found) > asked.limit else None
    return Transformations(transformations=[_out(row) for row in page], next=after)


@router.post(
    "/transformations",
    response=answers(TransformationOut, status=201, writes=True),
    summary="分装、合并、换装、混合或预处理",
    **scoped("ledger:write"),
)
@written_once(201)
def transform(request: ApiRequest, uscc: Uscc, body: TransformationIn) -> TransformationOut:
    """投入等于产出加损耗，一克不差；不能转化的，答复 409，一条也不会记入。"""
    organisation = organisation_of(request, uscc, Permission.POST_MOVEMENTS)
    inputs = [
        Input(each.store, each.lot, each.needed(f"body.inputs.{i}")) for i, each in enumerate(body.inputs)
    ]
    outputs = [
        Output(
            each.store, each.lot, each.stream, each.needed(f"body.outputs.{i}"), each.packaging or "",
            each.volume_ml,
        )
        for i, each in enumerate(body.outputs)
    ]  # fmt: skip
    try:
        made = services.transform(
            organisation=organisation, kind=body.kind, inputs=inputs, outputs=outputs, loss=Mass(body.loss_g),
            loss_reason=body.loss_reason, moved_on=body.moved_on, handler=body.handler,
            client_id=body.client_id, by=request.auth, now=timezone.now(),
        )  # fmt: skip
    except services.TransformationRefused as refused:
        details = [
            ErrorDetail(where="body", code=each.code.value, message=TRANSFORMATION_TEXT[each.code])
            for each in refused.refusals
        ]
        raise Refused(
            409, "transformation_refused", "不能这样转化；请按 details 改正后重发。", details
        ) from None
    except services.MovementsRefused as refused:
        raise movements_refused(refused, partial(_part, len(inputs))) from None
    except services.ClientIdReused:
        raise Refused(
            409, "client_id_reused", "这个 client_id 已用于另一次转化；请为新的转化换一个。"
        ) from None
    return _out(made)


def _part(inputs: int, index: int) -> str:
    """Return what of a transformation's body its movement of this index is: inputs come first."""
    return f"body.inputs.{index}" if index < inputs else f"body.outputs.{index - inputs}"


FirstSeq = Annotated[int, Path(ge=1, le=2**31 - 1, description="转化的编号：第一条记录的链序号")]


@router.post(
    "/transformations/{first_seq}/reverse",
    response=answers(TransformationOut, status=201, writes=True),
    summary="整体冲正一次转化",
    **scoped("ledger:write"),
)
@written_once(201)
def reverse_transformation(
    request: ApiRequest, uscc: Uscc, first_seq: FirstSeq, body: ReversalIn
) -> TransformationOut:
    """产出的批次还原样在库时才能冲正；投入的批次回到原来的设施。"""
    organisation = organisation_of(request, uscc, Permission.REVERSE_MOVEMENTS)
    row = _at(organisation, first_seq)
    try:
        services.reverse_transformation(
            transformation=row,
            reason=body.reason,
            moved_on=body.moved_on,
            by=request.auth,
            now=timezone.now(),
        )
    except services.ReversalRefused as refused:
        raise Refused(409, refused.code, REVERSAL_TEXT[refused.code]) from None
    return _out(_at(organisation, first_seq))


def _at(organisation: Organisation, first_seq: int) -> Transformation:
    rows = Transformation.objects.filter(organisation=organisation, first_seq=first_seq)
    row = rows.select_related("posted_by", "reversal").first()
    if row is None:
        raise Refused(404, "transformation_unknown", f"没有第 {first_seq} 号转化；请核对编号。")
    return row


def _out(row: Transformation) -> TransformationOut:
    taken_back = getattr(row, "reversal", None)
    return TransformationOut(
        first_seq=row.first_seq, last_seq=row.last_seq, kind=TransformationKind(row.kind),
        moved_on=row.moved_on, input_g=row.input_g, loss_g=row.loss_g, loss_reason=row.loss_reason,
        handler=row.handler, client_id=row.client_id, posted_at=row.posted_at, posted_by=str(row.posted_by),
        reversed_at=taken_back.reversed_at if taken_back else None,
        reversal_reason=taken_back.reason if taken_back else "",
    )  # fmt: skip


@router.post(
    "/relocations",
    response=answers(MovementOut, status=201, writes=True),
    summary="移库",
    **scoped("ledger:write"),
)
@written_once(201)
def relocate(request: ApiRequest, uscc: Uscc, body: RelocationIn) -> MovementOut:
    """把一个批次从一个贮存设施移到另一个；放不下、库存不足的，答复 409。"""
    organisation = organisation_of(request, uscc, Permission.POST_MOVEMENTS)
    lot = queries.lot_of_organisation(organisation=organisation, code=body.lot)
    if lot is None:
        raise Refused(404, "lot_unknown", "本单位没有这个批次；请核对批次编码。")
    draft = Draft(
        Kind.RELOCATION, body.moved_on, lot.stream.code, body.needed("body"), store_code=body.store,
        lot_code=None if lot.is_bulk else lot.code, handler=body.handler, client_id=body.client_id,
        other_place=body.to,
    )  # fmt: skip
    try:
        posted = services.post(organisation=organisation, drafts=[draft], by=request.auth, now=timezone.now())
    except services.MovementsRefused as refused:
        raise movements_refused(refused, lambda _index: "body") from None
    except services.ClientIdReused:
        raise Refused(409, "client_id_reused", "这个 client_id 已用于另一条记录；请换一个。") from None
    [row] = queries.movements(organisation=organisation).filter(pk__in=posted.values("pk"))
    return movement_out(row)
