"""How often may an address try something?"""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F

from wufei.portal.models import AttemptCount

# In an hour: generous for an office behind one address, too few for guessing or flooding.
LIMITS = {"objection": 20, "lookup": 40, "registration": 10, "activation": 20}
KEPT = timedelta(days=2)


class TooOften(Exception):
    """The address has tried that as often as it may in this hour."""

    def __init__(self, kind: str):
        self.code = "too_often"
        self.kind = kind
        super().__init__(kind)


@transaction.atomic
def note_attempt(*, kind: str, address_digest: str, now: datetime) -> None:
    """
    Count an attempt in one conditional statement, so that writers at the same moment never pass the limit.

    :raises TooOften: if the limit of the hour is reached
    """
    hour = now.replace(minute=0, second=0, microsecond=0)
    AttemptCount.objects.filter(hour__lt=hour - KEPT).delete()
    row, _ = AttemptCount.objects.get_or_create(kind=kind, address_digest=address_digest, hour=hour)
    counted = AttemptCount.objects.filter(pk=row.pk, number__lt=LIMITS[kind]).update(number=F("number") + 1)
    if not counted:
        raise TooOften(kind)
