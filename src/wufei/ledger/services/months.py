"""Months that are closed, ledgers that are verified, days that are sealed."""

from datetime import date, datetime, timedelta

from django.db import transaction

from wufei.ledger import queries
from wufei.ledger.chain import preferred_algorithm, root_of
from wufei.ledger.models import (
    DailyRoot,
    Head,
    MonthClosing,
    RootTimestamp,
    StockSnapshot,
    VerifiedHead,
)
from wufei.ledger.services.moving import ROWS_AT_ONCE, lock_head
from wufei.registry.access import Permission
from wufei.registry.models import Organisation, User
from wufei.registry.queries import require
from wufei.registry.services import audit
from wufei.terms.day import local_day


class ClosingRefused(Exception):
    """The month was not closed; `code` says why."""

    def __init__(self, code: str):
        self.code = code  # not_a_month_end, not_over_yet, already_closed
        super().__init__(code)


@transaction.atomic
def close_month(*, organisation: Organisation, through: date, by: User, now: datetime) -> MonthClosing:
    """
    Close all months through the day, and keep what the stores held on it.

    :raises ClosingRefused: if the day is no month's end, is not over yet, or was closed before
    """
    require(user=by, permission=Permission.CLOSE_MONTH, organisation=organisation, on=local_day(now))
    head = lock_head(organisation)
    if (through + timedelta(days=1)).day != 1:
        raise ClosingRefused("not_a_month_end")
    if through >= local_day(now):
        raise ClosingRefused("not_over_yet")
    if head.closed_through and through <= head.closed_through:
        raise ClosingRefused("already_closed")
    closing = MonthClosing.objects.create(
        organisation=organisation, closed_through=through, seq=head.seq, chain_hash=head.chain_hash,
        closed_at=now, closed_by=by,
    )  # fmt: skip
    held = queries.held_on(organisation=organisation, on=through)
    StockSnapshot.objects.bulk_create(
        (
            StockSnapshot(closing=closing, place_id=place, lot_id=lot, mass_g=grams)
            for (place, lot), grams in held.items()
        ),
        batch_size=ROWS_AT_ONCE,
    )
    Head.objects.filter(organisation=organisation).update(closed_through=through)
    audit(
        by=by, now=now, organisation=organisation, action="ledger.close_month",
        object_ref=through.isoformat(), detail={"seq": head.seq},
    )  # fmt: skip
    return closing


def verify(*, organisation: Organisation | None, by: User, now: datetime) -> queries.Verification:
    """Verify one ledger or all as a whole and keep what was found: what evaluations verify follows on it."""
    found = queries.verify(organisation=organisation)  # which may take long: outside the transaction
    with transaction.atomic():
        VerifiedHead.keep(found.standings, now)
        audit(
            by=by, now=now, organisation=organisation, action="ledger.verify",
            detail={"movements": found.movements, "faults": len(found.faults)},
        )  # fmt: skip
    return found


@transaction.atomic
def seal_day(*, by: User, now: datetime) -> DailyRoot:
    """Keep one hash over the heads of all chains as they stand; a day that is sealed stays as it is."""
    day = local_day(now)
    if sealed := DailyRoot.objects.filter(day=day).first():
        return sealed
    ends = Head.objects.filter(seq__gt=0).values_list("organisation__uscc", "seq", "chain_hash")
    heads = [(str(uscc), int(seq), str(end)) for uscc, seq, end in ends.order_by("organisation__uscc")]
    algorithm = preferred_algorithm()
    root = DailyRoot.objects.create(
        day=day, heads=heads, algorithm=algorithm, sealed_at=now,
        root=root_of(algorithm=algorithm, heads=heads),
    )  # fmt: skip
    audit(by=by, now=now, action="ledger.seal_day", object_ref=day.isoformat())
    return root


@transaction.atomic
def attach_timestamp(*, root: DailyRoot, response: bytes, by: User, now: datetime) -> RootTimestamp:
    """Keep a trusted timestamp over a daily root."""
    attached = RootTimestamp.objects.create(root=root, response=response, attached_at=now)
    audit(by=by, now=now, action="ledger.attach_timestamp", object_ref=root.day.isoformat())
    return attached
