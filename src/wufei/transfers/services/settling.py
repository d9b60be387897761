"""A difference above tolerance is somebody's task until it is settled with a reason."""

from datetime import datetime

from django.db import transaction

from wufei.registry.access import Permission
from wufei.registry.models import Organisation, User
from wufei.registry.queries import lineage_of, require
from wufei.registry.services import audit
from wufei.terms.day import local_day
from wufei.transfers.models import Discrepancy
from wufei.transfers.refusals import Code, refused


@transaction.atomic
def settle_discrepancy(
    *, discrepancy: Discrepancy, organisation: Organisation, reason: str, by: User, now: datetime
) -> Discrepancy:
    """
    Settle a difference of the organisation's own waste: say why it is so.

    :raises TransferRefused, NotPermitted:
    """
    require(user=by, permission=Permission.HANDLE_MANIFESTS, organisation=organisation, on=local_day(now))
    row = Discrepancy.objects.select_for_update().get(pk=discrepancy.pk)
    if row.manifest.generator_id not in lineage_of(organisation=organisation):
        raise refused(Code.WRONG_PARTY, row.manifest.generator.name)
    if row.settled_at is not None:
        raise refused(Code.ALREADY_SETTLED)
    if not reason.strip():
        raise refused(Code.REASON_MISSING)
    row.reason, row.settled_at, row.settled_by = reason.strip()[:300], now, by
    row.save()
    audit(
        by=by, now=now, organisation=organisation, action="transfers.settle_discrepancy",
        object_ref=row.manifest.reference, detail={"line": row.line_id, "kind": row.kind},
    )  # fmt: skip
    return row
