"""Approvals and filings of what crosses a province's border."""

from datetime import date, datetime, timedelta

from django.db import IntegrityError, transaction

from wufei.catalogue.waste_codes import read_waste_code
from wufei.registry.access import Permission
from wufei.registry.models import Organisation, User
from wufei.registry.queries import require
from wufei.registry.services import audit
from wufei.terms.day import local_day
from wufei.terms.mass import Mass
from wufei.transfers.models import TransferApproval
from wufei.transfers.refusals import Code, refused


@transaction.atomic
def record_approval(
    *,
    organisation: Organisation,
    receiver: Organisation,
    kind: str,
    number: str,
    waste_code: str,
    approved: Mass,
    valid_from: date,
    valid_through: date,
    by: User,
    now: datetime,
) -> TransferApproval:
    """
    Record the approval, or filing, of one waste from the organisation to the receiver in another province.

    :raises TransferRefused: approval_malformed, approval_twice
    """
    require(user=by, permission=Permission.HANDLE_MANIFESTS, organisation=organisation, on=local_day(now))
    reading = read_waste_code(waste_code)
    is_approval = kind == TransferApproval.Kind.APPROVAL
    if reading.fault or reading.code is None:
        raise refused(Code.APPROVAL_MALFORMED, reading.message)
    if not number.strip() or approved.grams <= 0 or valid_through < valid_from:
        raise refused(Code.APPROVAL_MALFORMED)
    if is_approval and valid_through > _a_year_after(valid_from):
        raise refused(Code.APPROVAL_MALFORMED, "有效期超过十二个月")
    try:
        with transaction.atomic():
            row = TransferApproval.objects.create(
                generator=organisation, receiver=receiver, kind=kind, number=number.strip(),
                waste_code=reading.code, approved_g=approved.grams, valid_from=valid_from,
                valid_through=valid_through, recorded_at=now, recorded_by=by,
            )  # fmt: skip
    except IntegrityError as twice:
        raise refused(Code.APPROVAL_TWICE, number.strip()) from twice
    audit(
        by=by, now=now, organisation=organisation, action="transfers.record_approval", object_ref=row.number,
        detail={"waste_code": row.waste_code, "approved_g": row.approved_g, "receiver": receiver.uscc},
    )  # fmt: skip
    return row


def _a_year_after(day: date) -> date:
    """Return the last day of twelve months that begin on the day."""
    try:
        return day.replace(year=day.year + 1) - timedelta(days=1)
    except ValueError:  # 29 February
        return date(day.year + 1, 2, 28)
