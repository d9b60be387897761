"""What reads facts of credit: an authority those of whom it supervises, a reviewer those of one organisation."""

from datetime import date

from django.db.models import OuterRef, Q, QuerySet, Subquery

from wufei.registry.access import Permission
from wufei.registry.models import Organisation, User
from wufei.registry.queries import lineage_of, visible_organisations
from wufei.reviews.models import CreditFact


def facts_seen_by(
    *, user: User, on: date, text: str = "", kind: str = "", since: date | None = None
) -> QuerySet[CreditFact]:
    """
    Return the facts of those whom the user reviews, and those that the user imported, each with its `name`.

    A fact of a code that nobody here has is seen by who imported it alone.
    """
    reviewed = visible_organisations(user=user, permission=Permission.REVIEW_CASE, on=on).values("uscc")
    rows = CreditFact.objects.filter(Q(uscc__in=reviewed) | Q(imported_by=user))
    named = Organisation.objects.filter(uscc=OuterRef("uscc")).values("name")[:1]
    rows = rows.annotate(name=Subquery(named)).select_related("imported_by")
    if text:
        rows = rows.filter(
            Q(uscc__icontains=text)
            | Q(name__icontains=text)
            | Q(words__icontains=text)
            | Q(reference__icontains=text)
        )
    if kind:
        rows = rows.filter(kind=kind)
    if since:
        rows = rows.filter(on__gte=since)
    return rows


def kinds_seen_by(*, user: User, on: date) -> list[str]:
    """Return the kinds of fact that the user sees."""
    return list(facts_seen_by(user=user, on=on).order_by("kind").values_list("kind", flat=True).distinct())


def facts_of(*, organisation: Organisation) -> list[CreditFact]:
    """Return the facts of the organisation and of all that it came from, the latest first."""
    codes = Organisation.objects.filter(pk__in=lineage_of(organisation=organisation)).values("uscc")
    return list(
        CreditFact.objects.filter(uscc__in=codes).select_related("imported_by").order_by("-on", "-pk")
    )
