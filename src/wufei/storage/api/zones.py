"""Zones for machines: what stands where and for how long, a zone declared or changed, a lot put into one."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from django.utils import timezone
from ninja import Path, Query, Router
from pydantic import Field, StringConstraints

from wufei.ledger.models import Place
from wufei.ledger.queries import stores_of
from wufei.registry.access import Permission
from wufei.registry.api.door import ApiRequest, Refused, answers, organisation_of, scoped
from wufei.registry.api.fields import (
    Answered,
    Asked,
    Code,
    Instant,
    Offset,
    PageLimit,
    Text60,
    Text120,
    Uscc,
    Version,
    WholeNumber,
)
from wufei.registry.api.idempotency import written_once
from wufei.registry.models import Organisation
from wufei.storage import queries, services
from wufei.storage.api.refused import LotCode, storage_refused
from wufei.storage.models import Zone
from wufei.storage.queries import Standing, Timed, ZoneView
from wufei.storage.refusals import Code as RefusalCode
from wufei.storage.refusals import StorageRefused
from wufei.storage.services import ZoneSaid
from wufei.storage.time_limits import Due
from wufei.storage.zoning import Fullness, Rectangle
from wufei.terms.mass import Mass

router = Router(tags=["贮存"])
READ, WRITE = scoped("ledger:read"), scoped("ledger:write")
Centimetres = Annotated[int, Field(ge=0, le=1_000_000)]
MOST_PERMITTED = 50


class ZoneIn(Asked):
    code: Annotated[str, StringConstraints(min_length=1, max_length=40)] = Field(description="分区编码")
    name: Annotated[str, StringConstraints(min_length=1, max_length=80)]
    permitted: Annotated[list[Text60], Field(max_length=MOST_PERMITTED)] = Field(
        [], description="允许存放的废物编号或类别；空为不限"
    )
    capacity_g: WholeNumber | None = Field(None, description="容量（克）；不填为不限")
    containers: Annotated[int, Field(ge=1, le=1_000_000)] | None = Field(None, description="最多多少个容器")
    x_cm: Centimetres = Field(description="距左墙")
    y_cm: Centimetres = Field(description="距上墙")
    width_cm: Centimetres
    depth_cm: Centimetres

    def said(self) -> ZoneSaid:
        return ZoneSaid(
            code=self.code, name=self.name, permitted=tuple(self.permitted), containers=self.containers,
            capacity=None if self.capacity_g is None else Mass(self.capacity_g),
            place=Rectangle(self.x_cm, self.y_cm, self.width_cm, self.depth_cm),
        )  # fmt: skip


class NewZoneIn(ZoneIn):
    store: Code = Field(description="设施编码")


class ZoneEditIn(ZoneIn):
    version: Version


class ZoneLine(Answered):
    id: int
    store: str
    code: str
    name: str
    permitted: list[str]
    capacity_g: int | None
    containers: int | None
    x_cm: int
    y_cm: int
    width_cm: int
    depth_cm: int
    version: int


class ZoneRow(ZoneLine):
    mass_g: int = Field(description="现存（克）")
    standing_containers: int = Field(description="现存容器数")
    level: Fullness
    warnings: list[str] = Field(description="与相邻分区不相容、不再允许存放的")


class StandingLot(Answered):
    lot: str
    stream: str
    stream_name: str
    waste_code: str
    mass_g: int
    days: int = Field(description="在库天数")


class Zones(Answered):
    store: str
    zones: list[ZoneRow]
    loose_lots: int = Field(description="还没有放入分区的批次数")


class ZoneOut(ZoneRow):
    lots: list[StandingLot]


class PlacementIn(Asked):
    store: Code = Field(description="设施编码")
    lot: LotCode = Field(description="批次编码")
    zone: Text60 = Field("", description="分区编码；空为移出分区")
    client_id: UUID = Field(description="由客户端生成；同一编号只放一次")


class PlacementOut(Answered):
    store: str
    lot: str
    zone: str
    client_id: UUID
    placed_at: Instant
    placed_by: str


class TimedLot(Answered):
    store: str
    lot: str
    stream: str
    stream_name: str
    waste_code: str
    mass_g: int
    since: date
    days: int = Field(description="在库天数")
    last: date | None = Field(description="最迟哪一天；没有期限规定为 null")
    days_left: int | None
    due: Due
    source: str = Field(description="期限的依据；没有为空")
    confidence: str = Field(description="依据是否核实：verified、unverified；没有为空")


class TimeLimits(Answered):
    total: int
    lots: list[TimedLot]


def _line(zone: Zone, store: Place) -> dict[str, Any]:
    names = (
        "code", "name", "permitted", "capacity_g", "containers", "x_cm", "y_cm", "width_cm", "depth_cm", "version",
    )  # fmt: skip
    return {"id": zone.pk, "store": store.code} | {name: getattr(zone, name) for name in names}


def _row(view: ZoneView, store: Place) -> dict[str, Any]:
    return _line(view.zone, store) | {
        "mass_g": view.mass_g, "standing_containers": view.containers, "level": view.level,
        "warnings": list(view.warnings),
    }  # fmt: skip


def _standing(lot: Standing) -> StandingLot:
    return StandingLot(
        lot=lot.lot_code, stream=lot.stream.code, stream_name=lot.stream.name, waste_code=lot.stream.waste_code,
        mass_g=lot.mass_g, days=lot.days,
    )  # fmt: skip


def _store(organisation: Organisation, code: str) -> Place:
    found = next((store for store in stores_of(organisation=organisation) if store.code == code), None)
    if found is None:
        raise storage_refused(StorageRefused(RefusalCode.STORE_UNKNOWN, code))
    found.organisation = organisation
    return found


ZoneId = Annotated[int, Path(ge=1, le=2**63 - 1, description="分区的 id")]


def _zone(organisation: Organisation, zone_id: int) -> Zone:
    own = Zone.objects.filter(store__organisation=organisation).select_related("store__organisation")
    found = own.filter(pk=zone_id).first()
    if found is None:
        raise Refused(404, "zone_unknown", "没有这个分区；请先用 zones 列出已有的分区。")
    return found


@router.get("/zones", response=answers(Zones), summary="列出一个设施的分区", **READ)
def list_zones(
    request: ApiRequest,
    uscc: Uscc,
    store: Text120 = "",
) -> Zones:
    """store 不填为第一个贮存设施。每个分区现存多少、是否将满或超量、有什么不合之处。"""
    organisation = organisation_of(request, uscc, Permission.VIEW_LEDGER)
    stores = stores_of(organisation=organisation)
    if not store and not stores:
        return Zones(store="", zones=[], loose_lots=0)
    found = _store(organisation, store) if store else stores[0]
    views, loose = queries.zone_views(store=found, today=timezone.localdate())
    return Zones(
        store=found.code, zones=[ZoneRow(**_row(view, found)) for view in views], loose_lots=len(loose)
    )


@router.post("/zones", response=answers(ZoneLine, status=201, writes=True), summary="划一个分区", **WRITE)
@written_once(201)
def create_zone(request: ApiRequest, uscc: Uscc, body: NewZoneIn) -> ZoneLine:
    organisation = organisation_of(request, uscc, Permission.EDIT_ORGANISATION)
    store = _store(organisation, body.store)
    try:
        zone = services.declare_zone(store=store, said=body.said(), by=request.auth, now=timezone.now())
    except StorageRefused as why:
        raise storage_refused(why) from None
    return ZoneLine(**_line(zone, store))


@router.get("/zones/{zone_id}", response=answers(ZoneOut), summary="查看一个分区", **READ)
def get_zone(request: ApiRequest, uscc: Uscc, zone_id: ZoneId) -> ZoneOut:
    """连同里面的批次。"""
    zone = _zone(organisation_of(request, uscc, Permission.VIEW_LEDGER), zone_id)
    views, _ = queries.zone_views(store=zone.store, today=timezone.localdate())
    view = next(view for view in views if view.zone.pk == zone.pk)
    return ZoneOut(**_row(view, zone.store), lots=[_standing(lot) for lot in view.lots])


@router.put("/zones/{zone_id}", response=answers(ZoneLine, writes=True), summary="修改一个分区", **WRITE)
@written_once(200)
def change_zone(request: ApiRequest, uscc: Uscc, zone_id: ZoneId, body: ZoneEditIn) -> ZoneLine:
    """里面的批次不动。version 不是最新的，答复 409。"""
    zone = _zone(organisation_of(request, uscc, Permission.EDIT_ORGANISATION), zone_id)
    try:
        changed = services.declare_zone(
            store=zone.store, said=body.said(), zone=zone, version=body.version, by=request.auth, now=timezone.now()
        )  # fmt: skip
    except StorageRefused as why:
        raise storage_refused(why) from None
    return ZoneLine(**_line(changed, zone.store))


@router.post(
    "/placements", response=answers(PlacementOut, status=201, writes=True), summary="把批次放入或移出分区", **WRITE
)  # fmt: skip
@written_once(201)
def place_lot(request: ApiRequest, uscc: Uscc, body: PlacementIn) -> PlacementOut:
    """不允许存放、与分区内已有废物不相容的答复 409，不放。"""
    organisation = organisation_of(request, uscc, Permission.POST_MOVEMENTS)
    try:
        row = services.place_lot(
            organisation=organisation, store_code=body.store, lot_code=body.lot, zone_code=body.zone,
            client_id=body.client_id, by=request.auth, now=timezone.now(),
        )  # fmt: skip
    except StorageRefused as why:
        raise storage_refused(why) from None
    return PlacementOut(
        store=body.store, lot=row.lot.code, zone=row.zone.code if row.zone else "", client_id=row.client_id,
        placed_at=row.placed_at, placed_by=str(row.placed_by),
    )  # fmt: skip


@router.get("/time-limits", response=answers(TimeLimits), summary="在库批次存放了多久、还能放多久", **READ)
def list_time_limits(
    request: ApiRequest,
    uscc: Uscc,
    due: Annotated[Due | None, Query(description="只列这一种")] = None,
    limit: PageLimit = 50,
    offset: Offset = 0,
) -> TimeLimits:
    """超期的和先到期的在前。"""
    organisation = organisation_of(request, uscc, Permission.VIEW_LEDGER)
    rows: Sequence[Timed] = queries.timed(organisation=organisation, today=timezone.localdate())
    if due is not None:
        rows = [row for row in rows if row.due is due]
    return TimeLimits(total=len(rows), lots=[_timed(row) for row in rows[offset : offset + limit]])


def _timed(row: Timed) -> TimedLot:
    return TimedLot(
        store=row.place, lot=row.lot_code, stream=row.stream.code, stream_name=row.stream.name,
        waste_code=row.stream.waste_code, mass_g=row.mass_g, since=row.since, days=row.days, last=row.last,
        days_left=row.days_left, due=row.due, source=row.limit.source if row.limit else "",
        confidence=row.limit.confidence if row.limit else "",
    )  # fmt: skip
