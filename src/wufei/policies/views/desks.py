"""What the pages of policies share: the edition that was asked for, and how a day is told."""

from datetime import date

from django.http import Http404
from django.utils.translation import gettext as _

from wufei.ledger.views.desk import Desk
from wufei.policies import queries
from wufei.policies.edition import Edition, SubjectKind
from wufei.policies.services import FIRST_YEAR
from wufei.registry.models import OrganisationKind

NOT_EVALUATED = (OrganisationKind.AUTHORITY, OrganisationKind.AGENCY)


def edition_or_404(at: Desk, edition_id: str, year: int | None = None) -> Edition:
    """Return the edition, for a year that an organisation can be evaluated for."""
    if year is not None and not FIRST_YEAR <= year <= at.today.year:
        raise Http404
    try:
        return queries.edition(edition_id)
    except queries.UnknownEdition as error:
        raise Http404 from error


def editions_for(kind: str) -> list[Edition]:
    """Return the editions whose subjects are of that kind."""
    if kind in NOT_EVALUATED:
        return []
    wanted = SubjectKind.PARK if kind == OrganisationKind.PARK else SubjectKind.ENTERPRISE
    return [each for each in queries.known_editions().values() if each.subject_kind is wanted]


def days_until(day: date, today: date) -> tuple[str, str]:
    """Return how far off a day is, in words, and a class: passed, soon or ahead."""
    left = (day - today).days
    if left < 0:
        return _("已过 %d 天") % -left, "passed"
    if left == 0:
        return _("今天截止"), "soon"
    return _("还有 %d 天") % left, "soon" if left <= 14 else "ahead"
