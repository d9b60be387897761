"""Vehicles and drivers of a carrier for machines."""

from datetime import date
from typing import Annotated

from django.utils import timezone
from ninja import Query, Router
from pydantic import AfterValidator, Field, StringConstraints

from wufei.registry import queries
from wufei.registry.access import Permission
from wufei.registry.api.door import ApiRequest, Refused, answers, organisation_of, scoped
from wufei.registry.api.fields import (
    Answered,
    Asked,
    Day,
    Offset,
    PageLimit,
    Text60,
    Uscc,
    WholeNumber,
    storable,
)
from wufei.registry.api.idempotency import written_once
from wufei.registry.api.permits import EndIn, Key, refused
from wufei.registry.models import Driver, Organisation, Vehicle
from wufei.registry.services import permits as services
from wufei.registry.services.permits import PermitRefused
from wufei.terms.mass import Mass

router = Router(tags=["许可证与合同"])
READ, WRITE = scoped("transfers:read"), scoped("transfers:write")
O = "/organisations/{uscc}"  # noqa: E741
InUse = Annotated[bool, Query(False, description="只列在用的、在职的")]


class VehicleIn(Asked):
    plate: Annotated[str, StringConstraints(max_length=20), AfterValidator(storable)] = Field(
        description="车牌号"
    )
    permit_number: Text60 = Field("", description="道路运输证号")
    valid_through: Day | None = None
    load_g: WholeNumber | None = Field(None, description="核定载质量（克）；装载超过它的，联单上会标出")


class VehicleOut(Answered):
    id: int
    plate: str
    permit_number: str
    valid_through: date | None
    load_g: int | None
    ended_on: date | None


class Vehicles(Answered):
    total: int
    vehicles: list[VehicleOut]


def _vehicle_of(organisation: Organisation, vehicle_id: int) -> Vehicle:
    row = queries.vehicles_of(organisation=organisation).filter(pk=vehicle_id).first()
    if row is None:
        raise Refused(404, "vehicle_unknown", "该单位没有登记这辆车；请核对。")
    return row


def _vehicle_out(row: Vehicle) -> VehicleOut:
    return VehicleOut(
        id=row.pk, plate=row.plate, permit_number=row.permit_number, valid_through=row.valid_through,
        load_g=row.load_g, ended_on=row.ended_on,
    )  # fmt: skip


@router.get(f"{O}/vehicles", response=answers(Vehicles), summary="列出车辆", **READ)
def list_vehicles(
    request: ApiRequest, uscc: Uscc, in_use: InUse = False, limit: PageLimit = 50, offset: Offset = 0
) -> Vehicles:
    """按车牌号排序。"""
    rows = queries.vehicles_of(organisation=organisation_of(request, uscc, Permission.VIEW_MANIFESTS))
    rows = rows.filter(ended_on=None) if in_use else rows
    found = [_vehicle_out(row) for row in rows[offset : offset + limit]]
    return Vehicles(total=rows.count(), vehicles=found)


@router.post(
    f"{O}/vehicles", response=answers(VehicleOut, status=201, writes=True), summary="登记或更改车辆", **WRITE
)
@written_once(201)
def record_vehicle(request: ApiRequest, uscc: Uscc, body: VehicleIn) -> VehicleOut:
    """同一车牌号再登记一次即更改；停用的恢复在用。"""
    organisation = organisation_of(request, uscc, Permission.KEEP_PERMITS)
    try:
        made = services.record_vehicle(
            organisation=organisation, plate=body.plate, permit_number=body.permit_number,
            valid_through=body.valid_through, load=None if body.load_g is None else Mass(body.load_g),
            by=request.auth, now=timezone.now(),
        )  # fmt: skip
    except PermitRefused as why:
        raise refused(why) from None
    return _vehicle_out(made)


@router.get(f"{O}/vehicles/{{vehicle_id}}", response=answers(VehicleOut), summary="查看车辆", **READ)
def get_vehicle(request: ApiRequest, uscc: Uscc, vehicle_id: Key) -> VehicleOut:
    return _vehicle_out(_vehicle_of(organisation_of(request, uscc, Permission.VIEW_MANIFESTS), vehicle_id))


@router.post(
    f"{O}/vehicles/{{vehicle_id}}/end", response=answers(VehicleOut, writes=True), summary="停用车辆", **WRITE
)
@written_once(200)
def end_vehicle(request: ApiRequest, uscc: Uscc, vehicle_id: Key, body: EndIn) -> VehicleOut:
    organisation = organisation_of(request, uscc, Permission.KEEP_PERMITS)
    try:
        ended = services.end_vehicle(
            vehicle=_vehicle_of(organisation, vehicle_id), on=body.on, by=request.auth, now=timezone.now()
        )
    except PermitRefused as why:
        raise refused(why) from None
    return _vehicle_out(ended)


# --- drivers


class DriverIn(Asked):
    name: Text60
    phone: Annotated[str, StringConstraints(max_length=30), AfterValidator(storable)] = ""
    permit_number: Text60 = Field("", description="从业资格证号")
    valid_through: Day | None = None


class DriverOut(Answered):
    id: int
    name: str
    phone: str
    permit_number: str
    valid_through: date | None
    ended_on: date | None


class Drivers(Answered):
    total: int
    drivers: list[DriverOut]


def _driver_of(organisation: Organisation, driver_id: int) -> Driver:
    row = queries.drivers_of(organisation=organisation).filter(pk=driver_id).first()
    if row is None:
        raise Refused(404, "driver_unknown", "该单位没有登记这名驾驶员；请核对。")
    return row


def _driver_out(row: Driver) -> DriverOut:
    return DriverOut(
        id=row.pk, name=row.name, phone=row.phone, permit_number=row.permit_number,
        valid_through=row.valid_through, ended_on=row.ended_on,
    )  # fmt: skip


@router.get(f"{O}/drivers", response=answers(Drivers), summary="列出驾驶员", **READ)
def list_drivers(
    request: ApiRequest, uscc: Uscc, in_use: InUse = False, limit: PageLimit = 50, offset: Offset = 0
) -> Drivers:
    """按姓名排序。"""
    rows = queries.drivers_of(organisation=organisation_of(request, uscc, Permission.VIEW_MANIFESTS))
    rows = rows.filter(ended_on=None) if in_use else rows
    found = [_driver_out(row) for row in rows[offset : offset + limit]]
    return Drivers(total=rows.count(), drivers=found)


@router.post(
    f"{O}/drivers", response=answers(DriverOut, status=201, writes=True), summary="登记或更改驾驶员", **WRITE
)
@written_once(201)
def record_driver(request: ApiRequest, uscc: Uscc, body: DriverIn) -> DriverOut:
    """姓名和从业资格证号相同的，再登记一次即更改；离职的恢复在职。"""
    organisation = organisation_of(request, uscc, Permission.KEEP_PERMITS)
    try:
        made = services.record_driver(
            organisation=organisation, by=request.auth, now=timezone.now(), **body.model_dump()
        )
    except PermitRefused as why:
        raise refused(why) from None
    return _driver_out(made)


@router.get(f"{O}/drivers/{{driver_id}}", response=answers(DriverOut), summary="查看驾驶员", **READ)
def get_driver(request: ApiRequest, uscc: Uscc, driver_id: Key) -> DriverOut:
    return _driver_out(_driver_of(organisation_of(request, uscc, Permission.VIEW_MANIFESTS), driver_id))


@router.post(
    f"{O}/drivers/{{driver_id}}/end", response=answers(DriverOut, writes=True), summary="驾驶员离职", **WRITE
)
@written_once(200)
def end_driver(request: ApiRequest, uscc: Uscc, driver_id: Key, body: EndIn) -> DriverOut:
    organisation = organisation_of(request, uscc, Permission.KEEP_PERMITS)
    try:
        ended = services.end_driver(
            driver=_driver_of(organisation, driver_id), on=body.on, by=request.auth, now=timezone.now()
        )
    except PermitRefused as why:
        raise refused(why) from None
    return _driver_out(ended)
