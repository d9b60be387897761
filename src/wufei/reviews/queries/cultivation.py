"""What reads the tiered cultivation library."""

from datetime import date

from django.db.models import Q, QuerySet

from wufei.registry.models import Organisation
from wufei.reviews.models import Cultivation


def cultivated(
    *,
    authority: Organisation,
    at: date | None = None,
    programme: str = "",
    tier: str = "",
    division: str = "",
    text: str = "",
) -> QuerySet[Cultivation]:
    """Return who is in the authority's library on the day, or who ever was, each with the organisation."""
    rows = Cultivation.objects.filter(authority=authority).select_related("organisation", "entered_by")
    if at is not None:
        rows = rows.filter(since__lte=at).filter(Q(until=None) | Q(until__gt=at))
    if text:
        rows = rows.filter(Q(organisation__name__icontains=text) | Q(organisation__uscc__icontains=text))
    if division:
        rows = rows.filter(organisation__division_code__startswith=division)
    said = {"programme": programme, "tier": tier}
    return rows.filter(**{name: value for name, value in said.items() if value})
