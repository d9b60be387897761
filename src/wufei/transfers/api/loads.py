"""Many small loads under one weighing, for machines."""

from typing import Annotated

from django.utils import timezone
from ninja import Path, Router

from wufei.registry.access import Permission
from wufei.registry.api.door import ApiRequest, ErrorDetail, Refused, answers, organisation_of, scoped
from wufei.registry.api.fields import Offset, PageLimit, Uscc
from wufei.registry.api.idempotency import written_once
from wufei.transfers import queries, services
from wufei.transfers.api.manifests import manifest_at, refused
from wufei.transfers.api.shapes import LoadIn, LoadOut, LoadRow, Loads, load_out, load_row
from wufei.transfers.refusals import TransferRefused

router = Router(tags=["转移联单"])
READ, WRITE = scoped("transfers:read"), scoped("transfers:write")
ADDRESS = "/organisations/{uscc}/weighed-loads"


@router.get(ADDRESS, response=answers(Loads), summary="列出合并过磅", **READ)
def list_loads(request: ApiRequest, uscc: Uscc, limit: PageLimit = 50, offset: Offset = 0) -> Loads:
    """新的在前。"""
    rows = queries.loads_of(organisation=organisation_of(request, uscc, Permission.VIEW_MANIFESTS))
    found = [LoadRow(**load_row(row, row.count)) for row in rows[offset : offset + limit]]  # type: ignore[attr-defined]  # annotated
    return Loads(total=rows.count(), loads=found)


@router.post(
    ADDRESS,
    response=answers(LoadOut, writes=True),
    summary="一车多单一次过磅：接受量按移出量分摊到克",
    **WRITE,
)
@written_once(200)
def receive_load(request: ApiRequest, uscc: Uscc, body: LoadIn) -> LoadOut:
    organisation = organisation_of(request, uscc, Permission.SIGN_MANIFESTS)
    mass = body.mass()
    if mass is None:
        detail = ErrorDetail(
            where="body", code="amount_missing", message="请给出数量：amount 加 unit，或 mass_g。"
        )
        raise Refused(422, "request_malformed", "请给出过磅的数量。", [detail])
    rows = [manifest_at(request, organisation, each) for each in dict.fromkeys(body.manifests)]
    try:
        load = services.receive_load(
            manifests=rows, organisation=organisation, received=mass, mode=body.mode, said=body.said,
            store_code=body.store, is_reweighed=body.is_reweighed, by=request.auth, now=timezone.now(),
            client_id=body.client_id,
        )  # fmt: skip
    except TransferRefused as why:
        raise refused(why) from None
    return load_out(load)


@router.get(f"{ADDRESS}/{{load_id}}", response=answers(LoadOut), summary="查看一次合并过磅", **READ)
def get_load(request: ApiRequest, uscc: Uscc, load_id: Annotated[int, Path(ge=1, le=2**62)]) -> LoadOut:
    organisation = organisation_of(request, uscc, Permission.VIEW_MANIFESTS)
    load = queries.loads_of(organisation=organisation).filter(pk=load_id).first()
    if load is None:
        raise Refused(404, "load_unknown", "该单位没有这次合并过磅；请核对。")
    return load_out(load)
