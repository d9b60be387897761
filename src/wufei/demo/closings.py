"""
The gear works closes a month soon after its end, and draws up what it reports of it.

Done while the months pass, so that a closing stands where the chain stood on that day. What follows is still open.
"""

from datetime import date, datetime, time, timedelta

from wufei.ledger import services as ledger
from wufei.ledger.models import MonthClosing
from wufei.registry.models import Organisation, User
from wufei.terms.day import SHANGHAI
from wufei.terms.period import Period

CLOSES = "gear"
FIRST, LAST = date(2026, 7, 31), date(2026, 9, 30)
AFTER_DAYS = 5


def close_last_month(*, organisation: Organisation, day: date, by: User) -> None:
    """Close the month before the day, where it is five days over and open, and draw up its report."""
    through = day.replace(day=1) - timedelta(days=1)
    if not FIRST <= through <= LAST or (day - through).days < AFTER_DAYS:
        return
    if MonthClosing.objects.filter(organisation=organisation, closed_through=through).exists():
        return
    now = datetime.combine(day, time(18, 30), SHANGHAI)
    ledger.close_month(organisation=organisation, through=through, by=by, now=now)
    month = Period.month(through.year, through.month)
    ledger.make_waste_report(organisation=organisation, period=month, by=by, now=now)
