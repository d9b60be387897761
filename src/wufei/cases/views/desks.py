"""Which case is it, who asks, and is it theirs to write? Every page of a case begins so."""

from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest

from wufei.cases import queries
from wufei.cases.dossier import FormSpec
from wufei.cases.models import Case
from wufei.ledger.views.desk import Desk, desk
from wufei.policies.edition import Edition
from wufei.registry.access import Permission


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseDesk:
    at: Desk
    case: Case
    edition: Edition
    spec: FormSpec

    def context(self, **more: Any) -> dict[str, Any]:
        return self.at.context(case=self.case, edition=self.edition, spec=self.spec, **more)


def case_desk(
    request: HttpRequest, uscc: str, case_id: int, permission: Permission = Permission.VIEW_CASE
) -> CaseDesk:
    """
    Return the organisation's own case; another's is not there.

    :raises Http404: if the organisation has no such case, or its edition was taken away
    """
    at = desk(request, uscc, permission)
    case = (
        queries.visible_cases(user=at.user, on=at.today)
        .filter(organisation=at.organisation, pk=case_id)
        .first()
    )
    if case is None:
        raise Http404
    try:
        edition = queries.edition_for(organisation=at.organisation, edition_id=case.edition)
    except queries.NoCaseFile as error:
        raise Http404 from error
    spec = queries.form_spec(edition=edition, year=case.year)
    return CaseDesk(at=at, case=case, edition=edition, spec=spec)
