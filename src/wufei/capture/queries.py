"""What reads uploads, and what the ledger holds of rows that were imported before."""

from datetime import date

from django.db.models import Count, QuerySet

from wufei.capture.importing import Imported
from wufei.capture.models import Upload
from wufei.ledger.models import Movement
from wufei.registry.access import Permission
from wufei.registry.models import Organisation, OrganisationKind, User
from wufei.registry.queries import visible_organisations


def imported_rows(*, organisation: Organisation, first_day: date, last_day: date) -> dict[str, Imported]:
    """Return what was imported before, by fingerprint, of the rows of those days."""
    rows = (
        Movement.objects.within(first_day, last_day)
        .filter(organisation=organisation, reverses=None)
        .exclude(fingerprint="")
        .values_list("fingerprint")
        .annotate(posted=Count("pk"), undone=Count("reversal"))
        .order_by()
    )
    return {fingerprint: Imported(posted, undone) for fingerprint, posted, undone in rows}


def uploads(*, user: User, on: date) -> QuerySet[Upload]:
    """Return the uploads of the organisations for which the user may import, the latest first."""
    mine = visible_organisations(user=user, permission=Permission.IMPORT_WORKBOOK, on=on)
    return Upload.objects.filter(organisation__in=mine).select_related(
        "organisation", "created_by", "confirmed_by"
    ).order_by("-created_at", "-pk")  # fmt: skip


def parks_said(*, said: str) -> list[Organisation]:
    """Return the registered parks of that name or 统一社会信用代码."""
    parks = Organisation.objects.filter(kind=OrganisationKind.PARK)
    return list(parks.filter(uscc=said.upper())) or list(parks.filter(name=said))
