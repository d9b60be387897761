"""Organisations: who there is, as far as the person may see it."""

from datetime import date
from decimal import Decimal
from typing import Annotated

from django.utils import timezone
from ninja import Query, Router
from pydantic import Field, StringConstraints

from wufei.registry import queries, services
from wufei.registry.access import Permission
from wufei.registry.api.door import (
    ApiRequest,
    ErrorDetail,
    Refused,
    answers,
    organisation_of,
    scoped,
    stale,
)
from wufei.registry.api.fields import (
    Answered,
    Asked,
    Day,
    Offset,
    PageLimit,
    SearchText,
    Text4,
    Text60,
    Text120,
    Text200,
    Text300,
    Uscc,
    Version,
)
from wufei.registry.api.idempotency import written_once
from wufei.registry.models import Organisation, OrganisationKind
from wufei.registry.services import OrganisationRefused, StaleEdit

router = Router(tags=["单位"])


class OrganisationOut(Answered):
    uscc: str
    name: str
    kind: OrganisationKind
    kind_label: str
    industry_code: str
    division_code: str
    address: str
    established_on: date | None
    head: str
    contact: str
    phone: str
    fax: str
    email: str
    website: str
    site_area_m2: str | None = Field(description="十进制数")
    employee_count: int | None
    version: int = Field(description="修改时须带上")


class Organisations(Answered):
    total: int
    organisations: list[OrganisationOut]


class OrganisationPatch(Asked):
    """What is to be changed; what isn't named stays."""

    version: Version
    name: Annotated[Text200, StringConstraints(min_length=1)] = ""
    industry_code: Text4 = ""
    address: Text300 = ""
    established_on: Day | None = None
    head: Text60 = ""
    contact: Text60 = ""
    phone: Text60 = ""
    fax: Text60 = ""
    email: Text120 = ""
    website: Text200 = ""
    site_area_m2: Annotated[str, Field(pattern=r"^[0-9]{1,14}(\.[0-9]{1,2})?$")] | None = None
    employee_count: Annotated[int, Field(strict=True, ge=0, le=2**31 - 1)] | None = None


def document(row: Organisation) -> OrganisationOut:
    return OrganisationOut(
        uscc=row.uscc, name=row.name, kind=OrganisationKind(row.kind), kind_label=row.get_kind_display(),
        industry_code=row.industry_code, division_code=row.division_code, address=row.address,
        established_on=row.established_on, head=row.head, contact=row.contact, phone=row.phone, fax=row.fax,
        email=row.email, website=row.website,
        site_area_m2=None if row.site_area_m2 is None else f"{row.site_area_m2:f}",
        employee_count=row.employee_count, version=row.version,
    )  # fmt: skip


@router.get(
    "/organisations",
    response=answers(Organisations, named=False),
    summary="列出单位",
    **scoped("organisations:read"),
)
def list_organisations(
    request: ApiRequest,
    q: Annotated[SearchText, Query("", description="单位名称或统一社会信用代码的一部分")] = "",
    kind: OrganisationKind | None = None,
    division: Annotated[
        str, Query(pattern=r"^([0-9]{6})?$", description="行政区划代码；省、市的代码包括其下各区县")
    ] = "",
    limit: PageLimit = 50,
    offset: Offset = 0,
) -> Organisations:
    """您看得到的单位，按统一社会信用代码排序。"""
    seen = queries.visible_organisations(user=request.auth, on=timezone.localdate())
    found = queries.found_organisations(among=seen, text=q, kind=kind or "", division_code=division)
    page = found.order_by("uscc")[offset : offset + limit]
    return Organisations(total=found.count(), organisations=[document(row) for row in page])


@router.get(
    "/organisations/{uscc}",
    response=answers(OrganisationOut),
    summary="查看一个单位",
    **scoped("organisations:read"),
)
def get_organisation(request: ApiRequest, uscc: Uscc) -> OrganisationOut:
    return document(organisation_of(request, uscc, Permission.VIEW_ORGANISATION))


@router.patch(
    "/organisations/{uscc}",
    response=answers(OrganisationOut, writes=True),
    summary="修改单位信息",
    **scoped("organisations:write"),
)
@written_once(200)
def change_organisation(request: ApiRequest, uscc: Uscc, body: OrganisationPatch) -> OrganisationOut:
    """须带上读取时的版本号（version）；其间被他人修改过的，答复 409，不会覆盖。"""
    organisation = organisation_of(request, uscc, Permission.EDIT_ORGANISATION)
    said = body.model_dump(exclude_unset=True, exclude={"version"})
    if said.get("site_area_m2") is not None:
        said["site_area_m2"] = Decimal(said["site_area_m2"])
    try:
        services.change_organisation(
            organisation=organisation, by=request.auth, now=timezone.now(), version=body.version, **said
        )
    except StaleEdit as refused:
        raise stale(refused.current.version) from None
    except OrganisationRefused as refused:
        details = [
            ErrorDetail(where=f"body.{name}", code="not_possible", message=message)
            for name, messages in refused.errors.items()
            for message in messages
        ]
        raise Refused(
            422, "organisation_refused", "单位信息有误；请按 details 逐项改正后重发。", details
        ) from None
    organisation.refresh_from_db()
    return document(organisation)
