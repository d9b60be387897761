"""
Tracks for machines: who is under way, where, and what was noticed; and the door through which a tracker itself speaks.

That door isn't in the document: no person and no token comes through it, the tracker's signature does. It is described
in docs/reference/trackers.md.
"""

from typing import Annotated, Any

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
from wufei.registry.api.fields import Answered, Asked, Instant, PageLimit, SearchText, Text300, Uscc
from wufei.registry.api.idempotency import as_text, written_once
from wufei.registry.models import Organisation
from wufei.shopfloor.api import SIGNATURE
from wufei.tracking import queries, services
from wufei.tracking.geometry import LARGEST_LATITUDE, LARGEST_LONGITUDE
from wufei.tracking.incidents import KIND_LABELS, AlertKind
from wufei.tracking.models import Alert, PlannedRoute, Track, Tracker
from wufei.tracking.positions import MOST_BYTES, Batch, Unreadable, parsed
from wufei.tracking.queries import OnTheRoad
from wufei.tracking.refusals import Code, TrackingRefused
from wufei.tracking.route import LONGEST_NAME, MOST, Stage
from wufei.tracking.wording import POSITION_TEXT, TEXT, words, words_of_answer
from wufei.transfers.models import Leg, Manifest

router = Router(tags=["运输轨迹"])
devices = Router(tags=["运输轨迹"])

BATCHES_PER_MINUTE = 120  # of one tracker: a stop to devices gone wild
READ, WRITE = scoped("transfers:read"), scoped("transfers:write")
Reference = Annotated[
    str, Path(min_length=1, max_length=40, pattern=r"^[0-9A-Za-z-]+$", description="联单编号")
]


class PlaceOut(Answered):
    latitude_udeg: int = Field(description="纬度，百万分之一度，WGS-84")
    longitude_udeg: int = Field(description="经度，百万分之一度，WGS-84")


class AlertOut(Answered):
    id: int
    manifest: str
    plate: str
    kind: AlertKind
    label: str
    began_at: Instant
    ended_at: Instant | None = Field(description="null：仍在继续")
    place: PlaceOut | None
    metres: int | None = Field(description="偏离路线最远多少米")
    withdrawn_at: Instant | None = Field(description="补报的位置表明不成立而撤销")
    acknowledged_at: Instant | None
    remark: str


class Alerts(Answered):
    alerts: list[AlertOut]
    next: int | None = Field(description="下一页的 before；没有下一页时为 null")


class TrackLegOut(Answered):
    """One carrier's part of the way."""

    manifest: str
    leg: int
    carrier: str
    carrier_name: str
    plate: str
    started_at: Instant
    ended_at: Instant | None
    is_heard: bool = Field(description="有登记的终端或手机；没有的不判断失联")
    length_m: int
    position_count: int
    outlier_count: int = Field(description="存疑的位置，不画入轨迹")
    last_at: Instant | None
    last_place: PlaceOut | None
    positions_sha256: str
    purged_at: Instant | None = Field(description="位置期满删除的时间；汇总和提醒仍在")
    alerts: list[AlertOut] = Field(description="仍在继续的，或还没有人说明情况的")


class Tracks(Answered):
    tracks: list[TrackLegOut]
    next: int | None = Field(description="下一页的 before；没有下一页时为 null")


class PositionOut(PlaceOut):
    leg: int
    at: Instant
    is_outlier: bool


class TripStageOut(PlaceOut):
    name: str


class TrackOut(Answered):
    manifest: str
    legs: list[TrackLegOut]
    route: list[TripStageOut] = Field(description="申报路线；没有申报的为空，偏离与否无从判断")
    positions: list[PositionOut]
    next: int | None = Field(description="下一页的 offset；没有下一页时为 null")


class TrackerOut(Answered):
    code: str
    name: str
    plate: str
    registered_at: Instant
    retired_at: Instant | None
    last_received_at: Instant | None


class Trackers(Answered):
    trackers: list[TrackerOut]


class StageIn(Asked):
    latitude_udeg: Annotated[int, Field(ge=-LARGEST_LATITUDE, le=LARGEST_LATITUDE)]
    longitude_udeg: Annotated[int, Field(ge=-LARGEST_LONGITUDE, le=LARGEST_LONGITUDE)]
    name: Annotated[str, Field(max_length=LONGEST_NAME)] = ""


class RouteIn(Asked):
    datum: Annotated[str, Field(pattern="^WGS84$", description="坐标系，只收 WGS84")]
    stages: Annotated[list[StageIn], Field(max_length=MOST, description="首点为移出地，末点为接受地")]


class RouteOut(Answered):
    number: int = Field(description="第几次申报")
    stages: list[TripStageOut]
    stated_at: Instant


class RemarkIn(Asked):
    remark: Text300


Before = Annotated[int, Field(ge=1, le=2**62)]


class TracksAsked(Asked):
    under_way: bool = Field(True, description="false：列已运抵的")
    q: SearchText = Field("", description="在车牌、编号、单位中查找")
    before: Before | None = Field(None, description="取自上一页的 next")
    limit: PageLimit = 50


class AlertsAsked(Asked):
    state: Annotated[str, Field(pattern="^(waiting|going_on|acknowledged|withdrawn)$")] | None = None
    kind: AlertKind | None = None
    before: Before | None = Field(None, description="取自上一页的 next")
    limit: PageLimit = 50


class PositionsAsked(Asked):
    offset: Annotated[int, Field(ge=0, le=10**9)] = 0
    limit: Annotated[int, Field(ge=1, le=1000)] = 1000


# --- doors


def _refused(why: TrackingRefused) -> Refused:
    status = 409 if why.is_conflict else 403 if why.code in (Code.NOT_YOUR_LEG, Code.NOT_YOUR_ALERT) else 422
    return Refused(status, why.code.value, words(why))


def _manifest(request: ApiRequest, organisation: Organisation, reference: str) -> Manifest:
    try:
        return queries.manifest_of(
            organisation=organisation, user=request.auth, reference=reference, on=timezone.localdate()
        )
    except Manifest.DoesNotExist:
        message = "没有这份联单，或本单位不是联单的一方；请核对编号。"
        raise Refused(404, "manifest_unknown", message) from None


@router.get("/organisations/{uscc}/tracks", response=answers(Tracks), summary="列出在途车辆", **READ)
def list_tracks(request: ApiRequest, uscc: Uscc, asked: Query[TracksAsked]) -> Tracks:
    """后起运的在前。只有联单各方和主管部门看得到。"""
    organisation = organisation_of(request, uscc, Permission.VIEW_TRACKS)
    rows = queries.legs(
        organisation=organisation, user=request.auth, on=timezone.localdate(), under_way=asked.under_way
    )
    rows = queries.narrowed(rows, text=asked.q).order_by("-pk")
    if asked.before is not None:
        rows = rows.filter(pk__lt=asked.before)
    found = list(rows[: asked.limit + 1])
    page = queries.with_tracks(found[: asked.limit])
    return Tracks(
        tracks=[_leg(row) for row in page], next=page[-1].leg.pk if len(found) > len(page) else None
    )


@router.get(
    "/organisations/{uscc}/manifests/{reference}/track",
    response=answers(TrackOut),
    summary="查看一份联单的轨迹",
    **READ,
)
def get_track(
    request: ApiRequest, uscc: Uscc, reference: Reference, asked: Query[PositionsAsked]
) -> TrackOut:
    """起运至运抵之间的位置，先后为序，存疑的也在内。"""
    organisation = organisation_of(request, uscc, Permission.VIEW_TRACKS)
    manifest = _manifest(request, organisation, reference)
    legs = queries.legs_to_show(manifest)
    positions = [
        PositionOut(
            leg=leg.position, at=fix.at, latitude_udeg=fix.latitude_udeg, longitude_udeg=fix.longitude_udeg,
            is_outlier=fix.is_outlier,
        )
        for leg in legs
        for fix in queries.fixes_of(leg, queries.windows_of(leg))
    ]  # fmt: skip
    end = asked.offset + asked.limit
    return TrackOut(
        manifest=manifest.reference, legs=[_leg(row) for row in queries.with_tracks(legs)],
        route=_stages(queries.route_of(manifest.pk)), positions=positions[asked.offset : end],
        next=end if end < len(positions) else None,
    )  # fmt: skip


@router.put(
    "/organisations/{uscc}/manifests/{reference}/planned-route",
    response=answers(RouteOut, writes=True), summary="申报运输路线", **WRITE,
)  # fmt: skip
@written_once(200)
def state_route(request: ApiRequest, uscc: Uscc, reference: Reference, body: RouteIn) -> RouteOut:
    """移出人或承运人在起运前申报；起运后不能再改。"""
    organisation = organisation_of(request, uscc, Permission.SIGN_MANIFESTS)
    manifest = _manifest(request, organisation, reference)
    stages = [Stage(each.latitude_udeg, each.longitude_udeg, each.name) for each in body.stages]
    try:
        row = services.state_route(
            manifest=manifest, organisation=organisation, stages=stages, by=request.auth, now=timezone.now()
        )
    except TrackingRefused as why:
        raise _refused(why) from None
    return RouteOut(number=row.number, stages=_stages(row), stated_at=row.stated_at)


@router.get("/organisations/{uscc}/track-alerts", response=answers(Alerts), summary="列出运输提醒", **READ)
def list_track_alerts(request: ApiRequest, uscc: Uscc, asked: Query[AlertsAsked]) -> Alerts:
    """后发现的在前：异常停车、偏离路线、失联。"""
    organisation = organisation_of(request, uscc, Permission.VIEW_TRACKS)
    rows = queries.alerts(organisation=organisation, user=request.auth, on=timezone.localdate())
    rows = queries.alerts_in(rows, state=asked.state or "", kind=asked.kind or "").order_by("-pk")
    if asked.before is not None:
        rows = rows.filter(pk__lt=asked.before)
    found = list(rows[: asked.limit + 1])
    page = found[: asked.limit]
    return Alerts(
        alerts=[_alert(row, row.track.leg) for row in page],
        next=page[-1].pk if len(found) > len(page) else None,
    )


@router.post(
    "/organisations/{uscc}/track-alerts/{alert_id}/acknowledge",
    response=answers(AlertOut, writes=True), summary="说明一条提醒的情况", **WRITE,
)  # fmt: skip
@written_once(200)
def acknowledge_alert(
    request: ApiRequest, uscc: Uscc, alert_id: Annotated[int, Path(ge=1, le=2**62)], body: RemarkIn
) -> AlertOut:
    """由承运人或移出人说明，只有一次；提醒不会删除。"""
    organisation = organisation_of(request, uscc, Permission.SIGN_MANIFESTS)
    rows = queries.alerts(organisation=organisation, user=request.auth, on=timezone.localdate())
    row = rows.filter(pk=alert_id).first()
    if row is None:
        raise Refused(404, "alert_unknown", "没有这条提醒，或本单位不是联单的一方；请核对。")
    try:
        done = services.acknowledge(
            alert=row, organisation=organisation, remark=body.remark, by=request.auth, now=timezone.now()
        )
    except TrackingRefused as why:
        raise _refused(why) from None
    return _alert(done, row.track.leg)


@router.get("/organisations/{uscc}/trackers", response=answers(Trackers), summary="列出定位终端", **READ)
def list_trackers(request: ApiRequest, uscc: Uscc) -> Trackers:
    organisation = organisation_of(request, uscc, Permission.VIEW_TRACKS)
    rows = queries.trackers(organisation=organisation).order_by("vehicle__plate", "name", "pk")
    return Trackers(trackers=[_tracker(row) for row in rows])


def _tracker(row: Tracker) -> TrackerOut:
    assert row.vehicle is not None, "a device is in a vehicle"
    return TrackerOut(
        code=row.code, name=row.name, plate=row.vehicle.plate, registered_at=row.registered_at,
        retired_at=row.retired_at, last_received_at=row.last_received_at,  # type: ignore[attr-defined]  # annotated
    )  # fmt: skip


def _leg(row: OnTheRoad) -> TrackLegOut:
    leg, track = row.leg, row.track or Track()
    assert leg.signed_at is not None, "a leg that was begun"
    return TrackLegOut(
        manifest=leg.manifest.reference, leg=leg.position, carrier=leg.carrier.uscc, carrier_name=leg.carrier.name,
        plate=row.plate, started_at=leg.signed_at, ended_at=leg.ended_at, is_heard=track.is_heard,
        length_m=track.length_m, position_count=track.position_count, outlier_count=track.outlier_count,
        last_at=track.last_at, last_place=_place(track.last_latitude_udeg, track.last_longitude_udeg),
        positions_sha256=track.positions_sha256, purged_at=track.purged_at,
        alerts=[_alert(each, leg) for each in row.alerts],
    )  # fmt: skip


def _place(latitude: int | None, longitude: int | None) -> PlaceOut | None:
    if latitude is None or longitude is None:
        return None
    return PlaceOut(latitude_udeg=latitude, longitude_udeg=longitude)


def _alert(row: Alert, leg: Leg) -> AlertOut:
    return AlertOut(
        id=row.pk, manifest=leg.manifest.reference, plate=str(leg.said.get("plate", "")), kind=AlertKind(row.kind),
        label=KIND_LABELS[AlertKind(row.kind)], began_at=row.began_at, ended_at=row.ended_at, metres=row.metres,
        place=_place(row.latitude_udeg, row.longitude_udeg), withdrawn_at=row.withdrawn_at,
        acknowledged_at=row.acknowledged_at, remark=row.remark,
    )  # fmt: skip


def _stages(route: PlannedRoute | None) -> list[TripStageOut]:
    return [TripStageOut(**each.said()) for each in queries.stages_of(route)]


# --- the tracker itself speaks


class TrackerSignature(APIKeyHeader):
    """终端的签名：请求头 X-Wufei-Signature，对这一批位置的规范文本作 HMAC-SHA256。"""

    param_name = SIGNATURE

    def authenticate(self, request: HttpRequest, key: str | None) -> Tracker:
        batch = _batch(request)
        tracker = Tracker.objects.filter(code=batch.tracker, kind=Tracker.Kind.DEVICE).first()
        if tracker is None or not services.is_from(tracker=tracker, batch=batch, signature=key or ""):
            raise AuthenticationError
        return tracker


class RefusedPosition(Answered):
    sequence: int
    code: str
    message: str


class BatchReceivedOut(Answered):
    tracker: str
    sequence: int = Field(description="这一批最后一个的序号")
    accepted: int
    outliers: int
    refused: list[RefusedPosition]
    received_at: Instant
    message: str


def _batch(request: HttpRequest) -> Batch:
    """
    Return what the tracker sent.

    :raises Refused: if it is no batch, or of another tracker than the address names
    """
    if len(request.body) > MOST_BYTES:
        raise Refused(413, "body_too_large", f"一次至多 {MOST_BYTES} 字节。")
    try:
        batch, _ = parsed(request.body)
    except Unreadable as why:
        raise malformed(f"body.{why.field}".rstrip("."), Code.NOT_READABLE, TEXT[Code.NOT_READABLE]) from None
    assert request.resolver_match is not None, "it was routed here"
    if batch.tracker != request.resolver_match.kwargs["code"]:
        raise malformed("body.tracker", Code.TRACKER_UNKNOWN, "内容里的终端编码与地址不一致。")
    return batch


@devices.post(
    "/trackers/{code}/positions",
    auth=TrackerSignature(),
    throttle=PerMinute("tracker", lambda: BATCHES_PER_MINUTE),
    include_in_schema=False,
)
def receive_positions(
    request: HttpRequest, code: Annotated[str, Path(min_length=1, max_length=40)]
) -> HttpResponse:
    """Take a batch; positions that are refused are kept too, and answered the same again."""
    batch, signature = _batch(request), request.headers[SIGNATURE]
    try:
        answer = services.accept(batch=batch, signature=signature, now=timezone.now())
    except TrackingRefused as refused:
        if refused.code is Code.DATUM_UNFIT:
            raise malformed("body.datum", refused.code, TEXT[refused.code]) from None
        raise AuthenticationError from None  # given another secret since the door let it in
    response = HttpResponse(content_type="application/json; charset=utf-8", status=201)
    if not answer.accepted:
        raise nothing_taken(batch, answer)
    response.content = as_text(received(answer))
    if answer.is_replay:
        response["Idempotent-Replay"] = "true"
    return response


def received(answer: services.Answer) -> BatchReceivedOut:
    refused = [
        RefusedPosition(sequence=number, code=why.value, message=POSITION_TEXT[why])
        for number, why in sorted(answer.refusals.items())
    ]
    return BatchReceivedOut(
        tracker=answer.tracker, sequence=answer.sequence, accepted=answer.accepted, outliers=answer.outliers,
        refused=refused, received_at=answer.received_at, message=words_of_answer(answer.refusals, answer.outliers),
    )  # fmt: skip


def nothing_taken(batch: Batch, answer: services.Answer) -> Refused:
    """Return the refusal of a batch of which no position may be used: 409 where it says otherwise than before."""
    places = {each.sequence: at for at, each in enumerate(batch.positions)}
    details = [
        ErrorDetail(where=f"body.positions.{places[number]}", code=why.value, message=POSITION_TEXT[why])
        for number, why in sorted(answer.refusals.items())
    ]
    first: Any = answer.refusals[min(answer.refusals)]
    is_reused = any(each.code == "sequence_reused" for each in details)
    code = "sequence_reused" if is_reused else first.value
    return Refused(409 if is_reused else 422, code, words_of_answer(answer.refusals, 0), details)
