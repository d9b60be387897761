"""
Scales for machines: what there is and what it said; and the door through which a scale itself speaks.

That door isn't in the document: no person and no token comes through it, the scale's signature does. It is
described in docs/reference/scales.md.
"""

from datetime import date
from typing import Annotated

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Path, Query, Router
from ninja.errors import AuthenticationError
from ninja.security import APIKeyHeader
from pydantic import Field

from wufei.registry.access import Permission
from wufei.registry.api.door import (
    ApiRequest,
    ErrorDetail,
    PerMinute,
    Refused,
    answers,
    malformed,
    organisation_of,
    scoped,
)
from wufei.registry.api.fields import Answered, Asked, Instant, PageLimit, Uscc
from wufei.registry.api.idempotency import as_text
from wufei.shopfloor import queries, services
from wufei.shopfloor.models import Reading, Scale
from wufei.shopfloor.reading import MOST_BYTES, Message, Unreadable, parsed
from wufei.shopfloor.reading import Refused as ReadingRefused
from wufei.shopfloor.refusals import Code, ShopfloorRefused
from wufei.shopfloor.wording import READING_TEXT, TEXT, words_of_reading

router = Router(tags=["秤"])
devices = Router(tags=["秤"])

SIGNATURE = "X-Wufei-Signature"
READINGS_PER_MINUTE = 600  # of one scale: a stop to devices gone wild


class ScaleOut(Answered):
    code: str = Field(description="秤编码")
    name: str
    store: str = Field(description="所在贮存设施的编码")
    capacity_g: int
    division_g: int
    calibrated_until: date = Field(description="检定有效期的最后一天")
    calibration: str = Field(description="valid 有效、soon 30 天内到期、over 已过期")
    rule: str = Field(description="WAIT 等工人取用、POST 自动记为产生")
    stream: str | None = Field(description="自动记账的废物编号")
    retired_at: Instant | None
    last_received_at: Instant | None
    waiting: int = Field(description="等待取用的读数")


class Scales(Answered):
    scales: list[ScaleOut]


class ReadingOut(Answered):
    sequence: int
    gross_g: int | None
    tare_g: int | None
    net_g: int | None
    taken_at: Instant | None
    received_at: Instant
    refusal: str | None = Field(description="拒收原因的代码")
    waits_because: str | None = Field(description="未能自动记账的原因")
    movement: int | None = Field(description="取用它的记录的链序号")
    set_aside: str | None = Field(description="作废的原因")


class ReadingPage(Answered):
    readings: list[ReadingOut]
    next: int | None = Field(description="下一页的 before；没有下一页时为 null")


class ReadingsAsked(Asked):
    before: Annotated[int, Field(ge=1, le=2**62)] | None = Field(
        None, description="只列更早收到的；取自上一页的 next"
    )
    state: Annotated[str, Field(pattern="^(waiting|taken|set_aside|refused|not_posted)$")] | None = None
    limit: PageLimit = 50


ScaleCode = Annotated[str, Path(min_length=1, max_length=12, description="秤编码")]


@router.get("/scales", response=answers(Scales), summary="列出秤", **scoped("ledger:read"))
def list_scales(request: ApiRequest, uscc: Uscc) -> Scales:
    organisation = organisation_of(request, uscc, Permission.VIEW_LEDGER)
    return Scales(
        scales=[_scale(row) for row in queries.scales(organisation=organisation).order_by("name", "pk")]
    )


@router.get(
    "/scales/{scale_code}/readings",
    response=answers(ReadingPage),
    summary="列出一台秤的读数",
    **scoped("ledger:read"),
)
def list_readings(
    request: ApiRequest, uscc: Uscc, scale_code: ScaleCode, asked: Query[ReadingsAsked]
) -> ReadingPage:
    """最近收到的在前；拒收的也在内。"""
    organisation = organisation_of(request, uscc, Permission.VIEW_LEDGER)
    scale = queries.scale_of(organisation=organisation, code=scale_code)
    if scale is None:
        raise Refused(404, Code.SCALE_UNKNOWN, TEXT[Code.SCALE_UNKNOWN])
    rows = queries.in_state(queries.readings(scale=scale), asked.state or "").order_by("-pk")
    if asked.before is not None:
        rows = rows.filter(pk__lt=asked.before)
    found = list(rows[: asked.limit + 1])
    shown = found[: asked.limit]
    return ReadingPage(
        readings=[_reading(row) for row in shown], next=shown[-1].pk if len(found) > len(shown) else None
    )


def _scale(row: Scale) -> ScaleOut:
    return ScaleOut(
        code=row.code, name=row.name, store=row.store.code, capacity_g=row.capacity_g,
        division_g=row.division_g, calibrated_until=row.calibrated_until,
        calibration=queries.calibration(scale=row, on=timezone.localdate()), rule=row.rule,
        stream=row.stream.code if row.stream else None, retired_at=row.retired_at,
        last_received_at=row.last_received_at, waiting=row.waiting or 0,  # type: ignore[attr-defined]  # annotated
    )  # fmt: skip


def _reading(row: Reading) -> ReadingOut:
    use = getattr(row, "use", None)
    return ReadingOut(
        sequence=row.sequence, gross_g=row.gross_g, tare_g=row.tare_g, net_g=row.net_g, taken_at=row.taken_at,
        received_at=row.received_at, refusal=row.refusal or None, waits_because=row.waits_because or None,
        movement=use.movement.seq if use and use.movement else None, set_aside=use.reason or None if use else None,
    )  # fmt: skip


# --- the scale itself speaks


class ScaleSignature(APIKeyHeader):
    """秤的签名：请求头 X-Wufei-Signature，对读数的规范文本作 HMAC-SHA256。"""

    param_name = SIGNATURE

    def authenticate(self, request: HttpRequest, key: str | None) -> Scale:
        scale = Scale.objects.filter(code=_message(request).scale).first()
        if scale is None or not services.is_from(scale=scale, message=_message(request), signature=key or ""):
            raise AuthenticationError
        return scale


class ReceivedOut(Answered):
    scale: str
    sequence: int
    received_at: Instant
    movement: int | None = Field(description="按规则自动记账的链序号")
    waits_because: str | None = Field(description="未能自动记账、等工人取用的原因")
    message: str


def _message(request: HttpRequest) -> Message:
    """
    Return what the scale sent.

    :raises Refused: if it is no reading, or of another scale than the address names
    """
    if len(request.body) > MOST_BYTES:
        raise Refused(413, "body_too_large", f"一条读数至多 {MOST_BYTES} 字节。")
    try:
        message, _ = parsed(request.body)
    except Unreadable as why:
        raise malformed(f"body.{why.field}".rstrip("."), Code.NOT_READABLE, TEXT[Code.NOT_READABLE]) from None
    assert request.resolver_match is not None, "it was routed here"
    if message.scale != request.resolver_match.kwargs["code"]:
        raise malformed("body.scale", Code.SCALE_UNKNOWN, "读数里的秤编码与地址不一致。")
    return message


@devices.post(
    "/scales/{code}/readings",
    auth=ScaleSignature(),
    throttle=PerMinute("scale", lambda: READINGS_PER_MINUTE),
    include_in_schema=False,
)
def receive_reading(request: HttpRequest, code: ScaleCode) -> HttpResponse:
    """Take a reading; what is refused is kept too, and answered the same again."""
    message, signature = _message(request), request.headers[SIGNATURE]
    try:
        answer = services.accept(message=message, signature=signature, now=timezone.now())
    except ShopfloorRefused:  # retired, or given another secret, since the door let it in
        raise AuthenticationError from None
    if answer.refusal:
        words = READING_TEXT[ReadingRefused(answer.refusal)]
        status = 409 if answer.refusal == ReadingRefused.SEQUENCE_REUSED else 422
        raise Refused(
            status, answer.refusal, words, [ErrorDetail(where="body", code=answer.refusal, message=words)]
        )
    said = ReceivedOut(
        scale=answer.scale, sequence=answer.sequence, received_at=answer.received_at, movement=answer.movement,
        waits_because=answer.waits_because or None, message=words_of_reading("", answer.waits_because),
    )  # fmt: skip
    response = HttpResponse(as_text(said), status=201, content_type="application/json; charset=utf-8")
    if answer.is_replay:
        response["Idempotent-Replay"] = "true"
    return response
