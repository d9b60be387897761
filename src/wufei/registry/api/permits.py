"""Permits, contracts and due diligence for machines: what an organisation may take, and with whom it has what."""

from datetime import date
from typing import Annotated

from django.db.models import QuerySet
from django.utils import timezone
from ninja import Path, Query, Router
from pydantic import Field

from wufei.registry import queries
from wufei.registry.access import Permission
from wufei.registry.api.door import (
    ApiRequest,
    ErrorDetail,
    Refused,
    answers,
    malformed,
    not_permitted,
    organisation_of,
    scoped,
)
from wufei.registry.api.fields import (
    Answered,
    Asked,
    Code,
    Day,
    Instant,
    Offset,
    PageLimit,
    Text60,
    Text120,
    Text300,
    Uscc,
    WholeNumber,
)
from wufei.registry.api.idempotency import written_once
from wufei.registry.models import Contract, DueDiligence, OperatingPermit, Organisation, PermitKind
from wufei.registry.queries import NotPermitted
from wufei.registry.services import permits as services
from wufei.registry.services.permits import GroupSaid, PermitRefused
from wufei.registry.wording import PERMIT_REFUSALS
from wufei.terms.mass import Mass

router = Router(tags=["许可证与合同"])
READ, WRITE = scoped("transfers:read"), scoped("transfers:write")
O = "/organisations/{uscc}"  # noqa: E741
Key = Annotated[int, Path(ge=1, le=2**62)]
WasteCodes = Annotated[list[Text60], Field(max_length=200)]
# What stands already, and so can't be done again; the rest can't be in any paper.
STANDING = frozenset({"recorded_already", "verified_already", "ended_already"})


def refused(why: PermitRefused) -> Refused:
    text = PERMIT_REFUSALS[why.code]
    message = f"{text}（{why.detail}）" if why.detail else text
    detail = ErrorDetail(where="body", code=why.code, message=message)
    return Refused(409 if why.code in STANDING else 422, why.code, text, [detail])


def named(uscc: str, where: str) -> Organisation:
    """
    Return the organisation that a paper names.

    :raises Refused: 422 if there is none
    """
    found = Organisation.objects.filter(uscc=uscc.strip().upper()).first()
    if found is None:
        raise malformed(f"body.{where}", "party_unknown", "没有登记这个单位；请核对统一社会信用代码。")
    return found


class EndIn(Asked):
    on: Day = Field(description="终止、停用的日期；当天起不再有效")


# --- permits


class PermitGroupIn(Asked):
    name: Text120 = ""
    waste_codes: WasteCodes = Field(description="代码或类别，例如 HW08、900-041-49")
    modes: Annotated[list[Annotated[str, Field(pattern=r"^[A-Za-z0-9]{1,8}$")]], Field(max_length=40)] = []
    capacity_g: WholeNumber = Field(description="年经营能力（克）")


class PermitIn(Asked):
    kind: PermitKind
    number: Text60
    issued_by: Text120 = ""
    valid_from: Day
    valid_through: Day
    groups: Annotated[list[PermitGroupIn], Field(max_length=50)] = Field([], description="运输许可不填")


class PermitGroupOut(Answered):
    name: str
    waste_codes: list[str]
    modes: list[str]
    capacity_g: int
    year: int = Field(description="used_g 是哪一年的")
    used_g: int
    left_g: int


class PermitOut(Answered):
    id: int
    kind: PermitKind
    kind_label: str
    number: str
    issued_by: str
    valid_from: date
    valid_through: date
    revoked_on: date | None
    verified_at: Instant | None = Field(description="未经主管部门核实的为 null")
    groups: list[PermitGroupOut]


class Permits(Answered):
    total: int
    permits: list[PermitOut]


def _permits(organisation: Organisation) -> QuerySet[OperatingPermit]:
    return queries.permits_of(organisation=organisation).prefetch_related("groups__uses")


def _permit_of(organisation: Organisation, permit_id: int) -> OperatingPermit:
    row = _permits(organisation).filter(pk=permit_id).first()
    if row is None:
        raise Refused(404, "permit_unknown", "该单位没有这份许可证；请核对。")
    return row


def _permit_out(row: OperatingPermit) -> PermitOut:
    year, groups = timezone.localdate().year, []
    for group in row.groups.all():
        used = next((use.used_g for use in group.uses.all() if use.year == year), 0)
        groups.append(
            PermitGroupOut(
                name=group.name, waste_codes=group.waste_codes, modes=group.modes, capacity_g=group.capacity_g,
                year=year, used_g=used, left_g=group.capacity_g - used,
            )
        )  # fmt: skip
    return PermitOut(
        id=row.pk, kind=PermitKind(row.kind), kind_label=row.get_kind_display(), number=row.number,
        issued_by=row.issued_by, valid_from=row.valid_from, valid_through=row.valid_through,
        revoked_on=row.revoked_on, verified_at=row.verified_at, groups=groups,
    )  # fmt: skip


@router.get(f"{O}/permits", response=answers(Permits), summary="列出许可证", **READ)
def list_permits(
    request: ApiRequest,
    uscc: Uscc,
    kind: PermitKind | None = None,
    limit: PageLimit = 50,
    offset: Offset = 0,
) -> Permits:
    """有效期长的在前，连同今年已用和剩余的能力。"""
    organisation = organisation_of(request, uscc, Permission.VIEW_MANIFESTS)
    rows = _permits(organisation)
    rows = rows.filter(kind=kind) if kind else rows
    found = [_permit_out(row) for row in rows[offset : offset + limit]]
    return Permits(total=rows.count(), permits=found)


@router.post(
    f"{O}/permits", response=answers(PermitOut, status=201, writes=True), summary="登记许可证", **WRITE
)
@written_once(201)
def record_permit(request: ApiRequest, uscc: Uscc, body: PermitIn) -> PermitOut:
    organisation = organisation_of(request, uscc, Permission.KEEP_PERMITS)
    groups = [
        GroupSaid(
            name=each.name, waste_codes=each.waste_codes, modes=each.modes, capacity=Mass(each.capacity_g)
        )
        for each in body.groups
    ]
    try:
        made = services.record_permit(
            organisation=organisation, kind=body.kind, number=body.number, issued_by=body.issued_by,
            valid_from=body.valid_from, valid_through=body.valid_through, groups=groups, by=request.auth,
            now=timezone.now(),
        )  # fmt: skip
    except PermitRefused as why:
        raise refused(why) from None
    return _permit_out(_permit_of(organisation, made.pk))


@router.get(f"{O}/permits/{{permit_id}}", response=answers(PermitOut), summary="查看许可证", **READ)
def get_permit(request: ApiRequest, uscc: Uscc, permit_id: Key) -> PermitOut:
    return _permit_out(_permit_of(organisation_of(request, uscc, Permission.VIEW_MANIFESTS), permit_id))


@router.post(
    f"{O}/permits/{{permit_id}}/verify", response=answers(PermitOut, writes=True), summary="核实许可证", **WRITE
)  # fmt: skip
@written_once(200)
def verify_permit(request: ApiRequest, uscc: Uscc, permit_id: Key) -> PermitOut:
    """由主管部门办理。"""
    organisation = organisation_of(request, uscc, Permission.VERIFY_PERMITS)
    try:
        services.verify_permit(
            permit=_permit_of(organisation, permit_id), by=request.auth, now=timezone.now()
        )
    except PermitRefused as why:
        raise refused(why) from None
    return _permit_out(_permit_of(organisation, permit_id))


@router.post(
    f"{O}/permits/{{permit_id}}/revoke", response=answers(PermitOut, writes=True), summary="终止许可证", **WRITE
)  # fmt: skip
@written_once(200)
def revoke_permit(request: ApiRequest, uscc: Uscc, permit_id: Key, body: EndIn) -> PermitOut:
    """吊销、注销或提前终止：由持证单位或主管部门登记。"""
    organisation = organisation_of(request, uscc, Permission.VIEW_MANIFESTS)
    permit = _permit_of(organisation, permit_id)
    try:
        services.revoke_permit(permit=permit, on=body.on, by=request.auth, now=timezone.now())
    except PermitRefused as why:
        raise refused(why) from None
    except NotPermitted as why:
        raise not_permitted(why.permission) from None
    return _permit_out(_permit_of(organisation, permit_id))


# --- contracts


class ContractIn(Asked):
    counterparty: Code = Field(description="对方的统一社会信用代码")
    purpose: Contract.Purpose
    number: Text60
    signed_on: Day
    valid_through: Day
    waste_codes: WasteCodes = Field([], description="不填为全部废物")


class ContractOut(Answered):
    id: int
    counterparty: str
    counterparty_name: str
    purpose: Contract.Purpose
    purpose_label: str
    number: str
    signed_on: date
    valid_through: date
    ended_on: date | None
    waste_codes: list[str]


class Contracts(Answered):
    total: int
    contracts: list[ContractOut]


def _contract_of(organisation: Organisation, contract_id: int) -> Contract:
    row = queries.contracts_of(organisation=organisation).filter(pk=contract_id).first()
    if row is None:
        raise Refused(404, "contract_unknown", "该单位没有这份合同；请核对。")
    return row


def _contract_out(row: Contract) -> ContractOut:
    return ContractOut(
        id=row.pk, counterparty=row.counterparty.uscc, counterparty_name=row.counterparty.name,
        purpose=Contract.Purpose(row.purpose), purpose_label=row.get_purpose_display(), number=row.number,
        signed_on=row.signed_on, valid_through=row.valid_through, ended_on=row.ended_on,
        waste_codes=row.waste_codes,
    )  # fmt: skip


@router.get(f"{O}/contracts", response=answers(Contracts), summary="列出合同", **READ)
def list_contracts(
    request: ApiRequest,
    uscc: Uscc,
    purpose: Contract.Purpose | None = None,
    counterparty: Annotated[
        str, Query("", pattern=r"^[0-9A-Z]{0,18}$", description="对方的统一社会信用代码")
    ] = "",
    limit: PageLimit = 50,
    offset: Offset = 0,
) -> Contracts:
    """有效期长的在前。"""
    rows = queries.contracts_of(organisation=organisation_of(request, uscc, Permission.VIEW_MANIFESTS))
    rows = rows.filter(purpose=purpose) if purpose else rows
    rows = rows.filter(counterparty__uscc=counterparty) if counterparty else rows
    found = [_contract_out(row) for row in rows[offset : offset + limit]]
    return Contracts(total=rows.count(), contracts=found)


@router.post(
    f"{O}/contracts", response=answers(ContractOut, status=201, writes=True), summary="登记合同", **WRITE
)
@written_once(201)
def record_contract(request: ApiRequest, uscc: Uscc, body: ContractIn) -> ContractOut:
    organisation = organisation_of(request, uscc, Permission.HANDLE_MANIFESTS)
    try:
        made = services.record_contract(
            organisation=organisation, counterparty=named(body.counterparty, "counterparty"),
            purpose=body.purpose, number=body.number, signed_on=body.signed_on,
            valid_through=body.valid_through, waste_codes=body.waste_codes, by=request.auth, now=timezone.now(),
        )  # fmt: skip
    except PermitRefused as why:
        raise refused(why) from None
    return _contract_out(made)


@router.get(f"{O}/contracts/{{contract_id}}", response=answers(ContractOut), summary="查看合同", **READ)
def get_contract(request: ApiRequest, uscc: Uscc, contract_id: Key) -> ContractOut:
    return _contract_out(_contract_of(organisation_of(request, uscc, Permission.VIEW_MANIFESTS), contract_id))


@router.post(
    f"{O}/contracts/{{contract_id}}/end", response=answers(ContractOut, writes=True), summary="提前终止合同", **WRITE
)  # fmt: skip
@written_once(200)
def end_contract(request: ApiRequest, uscc: Uscc, contract_id: Key, body: EndIn) -> ContractOut:
    organisation = organisation_of(request, uscc, Permission.HANDLE_MANIFESTS)
    try:
        ended = services.end_contract(
            contract=_contract_of(organisation, contract_id), on=body.on, by=request.auth, now=timezone.now()
        )
    except PermitRefused as why:
        raise refused(why) from None
    return _contract_out(ended)


# --- due diligence


class DueDiligenceIn(Asked):
    subject: Code = Field(description="被核实单位的统一社会信用代码")
    checked_on: Day
    valid_through: Day
    is_passed: bool
    qualification: Text300 = Field(description="主体资格")
    capability: Text300 = Field(description="技术能力")
    note: Text300 = ""


class DueDiligenceOut(Answered):
    id: int
    subject: str
    subject_name: str
    checked_on: date
    valid_through: date
    is_passed: bool
    qualification: str
    capability: str
    note: str


class DueDiligences(Answered):
    total: int
    records: list[DueDiligenceOut]


def _diligence_out(row: DueDiligence) -> DueDiligenceOut:
    return DueDiligenceOut(
        id=row.pk, subject=row.subject.uscc, subject_name=row.subject.name, checked_on=row.checked_on,
        valid_through=row.valid_through, is_passed=row.is_passed, qualification=row.qualification,
        capability=row.capability, note=row.note,
    )  # fmt: skip


@router.get(f"{O}/due-diligence", response=answers(DueDiligences), summary="列出对接受人的核实记录", **READ)
def list_due_diligence(
    request: ApiRequest,
    uscc: Uscc,
    subject: Annotated[
        str, Query("", pattern=r"^[0-9A-Z]{0,18}$", description="被核实单位的统一社会信用代码")
    ] = "",
    limit: PageLimit = 50,
    offset: Offset = 0,
) -> DueDiligences:
    """新的在前；对同一单位以最近一次为准。"""
    rows = queries.due_diligence_of(organisation=organisation_of(request, uscc, Permission.VIEW_MANIFESTS))
    rows = rows.filter(subject__uscc=subject) if subject else rows
    found = [_diligence_out(row) for row in rows[offset : offset + limit]]
    return DueDiligences(total=rows.count(), records=found)


@router.post(
    f"{O}/due-diligence", response=answers(DueDiligenceOut, status=201, writes=True),
    summary="登记对接受人主体资格和技术能力的核实", **WRITE,
)  # fmt: skip
@written_once(201)
def record_due_diligence(request: ApiRequest, uscc: Uscc, body: DueDiligenceIn) -> DueDiligenceOut:
    organisation = organisation_of(request, uscc, Permission.HANDLE_MANIFESTS)
    said = body.model_dump(exclude={"subject"})
    try:
        made = services.record_due_diligence(
            organisation=organisation, subject=named(body.subject, "subject"), by=request.auth,
            now=timezone.now(), **said,
        )  # fmt: skip
    except PermitRefused as why:
        raise refused(why) from None
    return _diligence_out(made)


@router.get(
    f"{O}/due-diligence/{{record_id}}", response=answers(DueDiligenceOut), summary="查看核实记录", **READ
)
def get_due_diligence(request: ApiRequest, uscc: Uscc, record_id: Key) -> DueDiligenceOut:
    organisation = organisation_of(request, uscc, Permission.VIEW_MANIFESTS)
    row = queries.due_diligence_of(organisation=organisation).filter(pk=record_id).first()
    if row is None:
        raise Refused(404, "record_unknown", "该单位没有这条核实记录；请核对。")
    return _diligence_out(row)
