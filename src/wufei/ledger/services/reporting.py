"""Reports of hazardous waste: drawn from the ledger, and kept as they were made."""

from datetime import datetime

from django.db import transaction

from wufei.ledger.books.waste_reports import span_of
from wufei.ledger.models import WasteReport
from wufei.ledger.queries.waste_reports import control_class, report_content, waste_reports
from wufei.ledger.services.moving import lock_head
from wufei.registry.access import Permission
from wufei.registry.models import Organisation, User
from wufei.registry.queries import require
from wufei.registry.services import audit
from wufei.terms.day import local_day
from wufei.terms.period import Period


class WasteReportRefused(Exception):
    """No report was made; `code` says why."""

    def __init__(self, code: str):
        self.code = code  # no_period, not_over_yet
        super().__init__(code)


@transaction.atomic
def make_waste_report(*, organisation: Organisation, period: Period, by: User, now: datetime) -> WasteReport:
    """
    Draw up what is to be reported of the period; where nothing changed, the report made last stands.

    :raises WasteReportRefused: if the days are no month, quarter or year, or are not over yet
    """
    today = local_day(now)
    require(user=by, permission=Permission.CLOSE_MONTH, organisation=organisation, on=today)
    if span_of(period) is None:
        raise WasteReportRefused("no_period")
    if period.last_day >= today:
        raise WasteReportRefused("not_over_yet")
    head = lock_head(organisation)  # no movement comes between what is read and what is kept
    found = report_content(organisation=organisation, period=period)
    classified = control_class(organisation=organisation, year=period.first_day.year, on=period.last_day)
    said = classified.control_class.value if classified.control_class else ""
    last = waste_reports(organisation=organisation, period=period).first()
    if last and (last.content, last.control_class) == (found, said):
        return last
    made = WasteReport.objects.create(
        organisation=organisation, first_day=period.first_day, last_day=period.last_day,
        number=last.number + 1 if last else 1, control_class=said, content=found, seq=head.seq,
        chain_hash=head.chain_hash, made_at=now, made_by=by,
    )  # fmt: skip
    audit(
        by=by, now=now, organisation=organisation, action="ledger.make_waste_report",
        object_ref=f"{period}#{made.number}", detail={"seq": head.seq},
    )  # fmt: skip
    return made
