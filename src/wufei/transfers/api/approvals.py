"""Approvals and filings of what crosses a province's border, for machines."""

from datetime import date
from enum import StrEnum
from typing import Annotated

from django.utils import timezone
from ninja import Path, Router
from pydantic import Field, StringConstraints

from wufei.registry.access import Permission
from wufei.registry.api.door import ApiRequest, Refused, answers, malformed, organisation_of, scoped
from wufei.registry.api.fields import (
    Answered,
    Asked,
    Code,
    Day,
    Offset,
    PageLimit,
    Text60,
    Text120,
    Uscc,
    WholeNumber,
)
from wufei.registry.api.idempotency import written_once
from wufei.registry.models import Organisation
from wufei.terms.mass import Mass
from wufei.transfers import queries, services
from wufei.transfers.api.manifests import refused
from wufei.transfers.models import TransferApproval
from wufei.transfers.refusals import TransferRefused

router = Router(tags=["转移联单"])
READ, WRITE = scoped("transfers:read"), scoped("transfers:write")
ADDRESS = "/organisations/{uscc}/transfer-approvals"


class ApprovalKind(StrEnum):
    """`TransferApproval.Kind` under a name of its own: the document calls shapes by their names."""

    APPROVAL = "APPROVAL"  # 批准
    FILING = "FILING"  # 备案


class ApprovalIn(Asked):
    receiver: Code = Field(description="接受人的统一社会信用代码")
    kind: ApprovalKind = Field(description="批准 APPROVAL，备案 FILING")
    number: Annotated[Text120, StringConstraints(max_length=80)] = Field(description="文号")
    waste_code: Text60
    approved_g: WholeNumber = Field(description="批准数量（克）")
    valid_from: Day
    valid_through: Day


class ApprovalOut(Answered):
    id: int
    receiver: str
    receiver_name: str
    kind: ApprovalKind
    kind_label: str
    number: str
    waste_code: str
    approved_g: int
    used_g: int = Field(description="已签发联单占用的")
    left_g: int
    valid_from: date
    valid_through: date


class Approvals(Answered):
    total: int
    approvals: list[ApprovalOut]


def _out(row: TransferApproval) -> ApprovalOut:
    return ApprovalOut(
        id=row.pk, receiver=row.receiver.uscc, receiver_name=row.receiver.name,
        kind=ApprovalKind(row.kind), kind_label=row.get_kind_display(), number=row.number,
        waste_code=row.waste_code, approved_g=row.approved_g, used_g=row.used_g,
        left_g=row.approved_g - row.used_g, valid_from=row.valid_from, valid_through=row.valid_through,
    )  # fmt: skip


@router.get(ADDRESS, response=answers(Approvals), summary="列出跨省转移的批准和备案", **READ)
def list_approvals(request: ApiRequest, uscc: Uscc, limit: PageLimit = 50, offset: Offset = 0) -> Approvals:
    """有效期长的在前，连同剩余的数量。"""
    rows = queries.approvals_of(organisation=organisation_of(request, uscc, Permission.HANDLE_MANIFESTS))
    found = [_out(row) for row in rows[offset : offset + limit]]
    return Approvals(total=rows.count(), approvals=found)


@router.post(
    ADDRESS,
    response=answers(ApprovalOut, status=201, writes=True),
    summary="登记跨省转移的批准或备案",
    **WRITE,
)
@written_once(201)
def record_approval(request: ApiRequest, uscc: Uscc, body: ApprovalIn) -> ApprovalOut:
    """批准的有效期不超过十二个月（第二十七条）。"""
    organisation = organisation_of(request, uscc, Permission.HANDLE_MANIFESTS)
    receiver = Organisation.objects.filter(uscc=body.receiver.strip().upper()).first()
    if receiver is None:
        raise malformed("body.receiver", "party_unknown", "没有登记这个单位；请核对统一社会信用代码。")
    said = body.model_dump(exclude={"receiver", "approved_g"})
    try:
        made = services.record_approval(
            organisation=organisation, receiver=receiver, approved=Mass(body.approved_g), by=request.auth,
            now=timezone.now(), **said,
        )  # fmt: skip
    except TransferRefused as why:
        raise refused(why) from None
    return _out(made)


@router.get(f"{ADDRESS}/{{approval_id}}", response=answers(ApprovalOut), summary="查看批准或备案", **READ)
def get_approval(
    request: ApiRequest, uscc: Uscc, approval_id: Annotated[int, Path(ge=1, le=2**62)]
) -> ApprovalOut:
    organisation = organisation_of(request, uscc, Permission.HANDLE_MANIFESTS)
    row = queries.approvals_of(organisation=organisation).filter(pk=approval_id).first()
    if row is None:
        raise Refused(404, "approval_unknown", "该单位没有这份批准或备案；请核对。")
    return _out(row)
