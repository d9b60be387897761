"""Labels for machines: numbers are reserved, a label read and drawn, a print recorded."""

from datetime import date
from enum import StrEnum
from typing import Annotated
from urllib.parse import quote
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from ninja import Query, Router
from pydantic import Field, StringConstraints

from wufei.labels import queries, services
from wufei.labels.digital_id import LAST_SEQUENCE, DigitalId, DigitalIdRefused
from wufei.labels.models import DigitalIdBlock, LabelPrint, PrintFormat
from wufei.labels.output import MEDIA_TYPES, file_of
from wufei.labels.payload import PayloadRefused
from wufei.labels.refusals import Code, LabelRefused
from wufei.labels.services import MOST_COPIES
from wufei.labels.wording import words
from wufei.ledger.models import Lot
from wufei.registry.access import Permission
from wufei.registry.api.door import ApiRequest, ErrorDetail, Refused, answers, organisation_of, scoped
from wufei.registry.api.fields import Answered, Asked, Day, Instant, Text60, Text200, Uscc, storable
from wufei.registry.api.idempotency import written_once
from wufei.registry.models import Organisation

router = Router(tags=["标签"])

LabelRefusal = LabelRefused | DigitalIdRefused | PayloadRefused
REFUSALS = (LabelRefused, DigitalIdRefused, PayloadRefused)
CodeAsked = Annotated[str, StringConstraints(min_length=1, max_length=400)]


class LabelFormat(StrEnum):
    PDF = "pdf"
    PNG = "png"
    ZPL = "zpl"


class Dpi(StrEnum):
    COARSE = "203"
    FINE = "300"


class BlockIn(Asked):
    waste_code: Annotated[str, Field(pattern=r"^[0-9A-Za-z-]{4,16}$", description="危险废物代码")]
    on: Day = Field(description="产生日期")
    count: Annotated[int, Field(ge=1, le=LAST_SEQUENCE, strict=True)]
    device: Text60 = Field("", description="预留给谁、哪台手机")
    client_id: UUID = Field(description="由客户端生成；同一编号只预留一次")


class BlockOut(Answered):
    waste_code: str
    on: date
    first: int
    last: int
    first_digital_id: str
    last_digital_id: str
    device: str
    client_id: UUID
    reserved_at: Instant
    reserved_by: str


class PrintOut(Answered):
    format: PrintFormat
    count: int
    is_reprint: bool
    reason: str
    printed_at: Instant
    printed_by: str


class LabelOut(Answered):
    lot: str
    digital_id: str | None
    name: str
    waste_code: str
    waste_class: str
    hazards: list[str]
    mass_g: int | None
    generated_on: date | None
    packaging: str | None
    volume_ml: int | None
    width_mm: int
    height_mm: int
    faces: int = Field(description="贴几面")
    payload: str = Field(description="二维码的内容")
    cut: list[str] = Field(description="放不下、以省略号结尾的内容")
    prints: list[PrintOut]


class LabelAsked(Asked):
    code: CodeAsked = Field(description="批次编码、数字识别码，或扫到的二维码内容")


class FileAsked(LabelAsked):
    format: LabelFormat = LabelFormat.PDF
    dpi: Dpi = Field(Dpi.COARSE, description="标签打印机的分辨率，用于 zpl")


class PrintIn(Asked):
    code: CodeAsked
    format: PrintFormat
    count: Annotated[int, Field(ge=1, le=MOST_COPIES, strict=True)] = 1
    reason: Text200 = Field("", description="打印过的须写明重印原因")
    client_id: UUID = Field(description="由客户端生成；同一编号只登记一次")


@router.post(
    "/labels/numbers",
    response=answers(BlockOut, status=201, writes=True),
    summary="预留数字识别码",
    **scoped("ledger:write"),
)
@written_once(201)
def reserve_numbers(request: ApiRequest, uscc: Uscc, body: BlockIn) -> BlockOut:
    """预留的号码相连、不重复，没有网络时也可以用来贴标签；每个废物代码每天至多 999 个。"""
    organisation = organisation_of(request, uscc, Permission.POST_MOVEMENTS)
    try:
        block = services.reserve_numbers(
            organisation=organisation, by=request.auth, now=timezone.now(), **body.model_dump()
        )
    except LabelRefused as refused:
        raise _refused(refused) from None
    return _block(block, organisation)


def _block(row: DigitalIdBlock, organisation: Organisation) -> BlockOut:
    first, last = (
        str(DigitalId(organisation.uscc, row.waste_code, row.on, at)) for at in (row.first, row.last)
    )
    return BlockOut(
        waste_code=row.waste_code, on=row.on, first=row.first, last=row.last, first_digital_id=first,
        last_digital_id=last, device=row.device, client_id=row.client_id, reserved_at=row.reserved_at,
        reserved_by=str(row.reserved_by),
    )  # fmt: skip


@router.get(
    "/labels/label",
    response=answers(LabelOut) | {409: answers(None, writes=True)[409]},
    summary="查看一个标签",
    **scoped("ledger:read"),
)
def get_label(request: ApiRequest, uscc: Uscc, asked: Query[LabelAsked]) -> LabelOut:
    organisation = organisation_of(request, uscc, Permission.VIEW_LEDGER)
    lot = _lot(organisation, asked.code)
    return _label(lot)


@router.get(
    "/labels/file",
    response=answers(None) | {409: answers(None, writes=True)[409]},
    summary="下载一个标签（不登记打印）",
    **scoped(
        "ledger:read",
        responses={
            200: {
                "content": {
                    media_type: {"schema": {"type": "string", "format": "binary"}}
                    for media_type in sorted(set(MEDIA_TYPES.values()))
                }
            }
        },
    ),
)
def get_label_file(request: ApiRequest, uscc: Uscc, asked: Query[FileAsked]) -> HttpResponse:
    """打印后请用“登记打印”记下。"""
    organisation = organisation_of(request, uscc, Permission.VIEW_LEDGER)
    lot = _lot(organisation, asked.code)
    try:
        of = queries.label(lot)
    except LabelRefused as refused:
        raise _refused(refused) from None
    file = file_of(
        [queries.picture(of)] * queries.faces(of), print_format=asked.format.upper(), title=lot.code,
        dpi=int(asked.dpi),
    )  # fmt: skip
    response = HttpResponse(file.content, content_type=file.media_type)
    name = quote(f"{lot.code}.{file.suffix}", safe="")
    response["Content-Disposition"] = f"attachment; filename*=UTF-8''{name}"
    return response


@router.post(
    "/labels/prints",
    response=answers(LabelOut, status=201, writes=True),
    summary="登记打印",
    **scoped("ledger:write"),
)
@written_once(201)
def register_print(request: ApiRequest, uscc: Uscc, body: PrintIn) -> LabelOut:
    """首次打印不需原因；再印须写明原因，否则答复 409。"""
    organisation = organisation_of(request, uscc, Permission.POST_MOVEMENTS)
    lot = _lot(organisation, storable(body.code))
    try:
        services.record_prints(
            organisation=organisation, lots=[lot], print_format=body.format, count=body.count, reason=body.reason,
            client_id=body.client_id, by=request.auth, now=timezone.now(),
        )  # fmt: skip
    except LabelRefused as refused:
        raise _refused(refused) from None
    return _label(lot)


def _lot(organisation: Organisation, code: str) -> Lot:
    try:
        return queries.lot_with(organisation=organisation, code=code.replace("\x00", ""))
    except REFUSALS as refused:
        raise _refused(refused) from None


def _refused(refused: LabelRefusal) -> Refused:
    status = 404 if refused.code == Code.LOT_UNKNOWN else 409
    detail = [ErrorDetail(code=str(refused.code), message=refused.detail)] if refused.detail else []
    return Refused(status, str(refused.code), words(refused), detail)


def _label(lot: Lot) -> LabelOut:
    try:
        of = queries.label(lot)
    except LabelRefused as refused:
        raise _refused(refused) from None
    drawn, container = queries.picture(of), queries.container_of(lot)
    return LabelOut(
        lot=lot.code, digital_id=container.digital_id if container else None, name=of.name,
        waste_code=lot.stream.waste_code, waste_class=lot.stream.waste_class, hazards=list(of.payload.hazards),
        mass_g=of.mass_g, generated_on=of.payload.on, packaging=container.packaging if container else None,
        volume_ml=of.volume_ml, width_mm=round(drawn.width), height_mm=round(drawn.height),
        faces=queries.faces(of), payload=str(of.payload), cut=list(drawn.cut),
        prints=[_print(row) for row in queries.prints_of(lot=lot)],
    )  # fmt: skip


def _print(row: LabelPrint) -> PrintOut:
    return PrintOut(
        format=PrintFormat(row.format), count=row.count, is_reprint=row.is_reprint, reason=row.reason,
        printed_at=row.printed_at, printed_by=str(row.printed_by),
    )  # fmt: skip
