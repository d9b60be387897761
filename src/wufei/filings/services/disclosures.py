"""Disclosures: published as the ledger says now, and published anew for a reason."""

from datetime import date, datetime

from django.db import transaction

from wufei.filings import disclosing, queries
from wufei.filings.models import Disclosure
from wufei.filings.refusals import Code, FilingRefused
from wufei.filings.services.plans import storable_reason
from wufei.ledger.models import DailyRoot
from wufei.ledger.services.moving import lock_head
from wufei.registry.access import Permission
from wufei.registry.models import Organisation, User
from wufei.registry.queries import require
from wufei.registry.services import audit
from wufei.terms.day import local_day


@transaction.atomic
def publish_disclosure(
    *, organisation: Organisation, year: int, reason: str = "", by: User, now: datetime
) -> Disclosure:
    """
    Publish what the ledger says of the year, frozen with where the ledger ended; a second version says why.

    :raises FilingRefused: if the year is not over, nothing changed, or a change has no reason
    """
    today = local_day(now)
    require(user=by, permission=Permission.CLOSE_MONTH, organisation=organisation, on=today)
    if not 1949 <= year <= 2200:
        raise FilingRefused(Code.YEAR_OUT_OF_RANGE, str(year))
    if date(year, 12, 31) >= today:
        raise FilingRefused(Code.NOT_OVER_YET, str(year))
    head = lock_head(organisation)  # no movement comes between what is read and what is kept
    content = queries.current_content(organisation=organisation, year=year)
    standing = queries.disclosures_of(organisation=organisation, year=year).first()
    if standing is not None and standing.content == content:
        raise FilingRefused(Code.NOTHING_CHANGED)
    sealed = DailyRoot.objects.order_by("-day").values_list("root", flat=True).first()
    made = Disclosure.objects.create(
        organisation=organisation, year=year, number=standing.number + 1 if standing else 1,
        name_given=organisation.name, content=content, sha256=disclosing.digest(content),
        reason=storable_reason(reason) if standing else "", seq=head.seq, chain_hash=head.chain_hash,
        algorithm=head.algorithm, daily_root=sealed or "", published_at=now, published_by=by,
    )  # fmt: skip
    audit(
        by=by, now=now, organisation=organisation, action="filings.publish_disclosure",
        object_ref=f"{year}#{made.number}", detail={"sha256": made.sha256, "reason": made.reason},
    )  # fmt: skip
    return made
