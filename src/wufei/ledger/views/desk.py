"""Who asks, of which organisation, when, and what may they do there? Every page of the ledger begins so."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from wufei.registry import queries
from wufei.registry.access import Permission
from wufei.registry.models import Organisation, User
from wufei.terms.day import local_day


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    organisation: Organisation
    user: User
    now: datetime
    today: date
    held: frozenset[Permission]

    @property
    def uscc(self) -> str:
        return self.organisation.uscc

    def context(self, **more: Any) -> dict[str, Any]:
        """Return what every template needs: the organisation, the day, and what may be offered."""
        may = {permission.name: True for permission in self.held}
        return {"organisation": self.organisation, "today": self.today, "may": may, **more}


def desk(request: HttpRequest, uscc: str, permission: Permission = Permission.VIEW_LEDGER) -> Desk:
    """
    Return who asks, of what; refused by default.

    :raises Organisation.DoesNotExist: if the person may not see it
    :raises NotPermitted: if the person may not do this
    """
    assert request.user.is_authenticated  # LoginRequiredMiddleware saw to it
    now = timezone.now()
    today = local_day(now)
    organisation = queries.organisation_for(user=request.user, uscc=uscc, permission=permission, on=today)
    held = queries.permissions_for(user=request.user, organisation=organisation, on=today)
    return Desk(organisation=organisation, user=request.user, now=now, today=today, held=held)
