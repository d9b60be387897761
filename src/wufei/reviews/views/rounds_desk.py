"""Who asks, when, and which round or application is it? Every page of reviews begins so."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.http import Http404, HttpRequest
from django.utils import timezone

from wufei.policies import queries as policy_queries
from wufei.policies.edition import Edition
from wufei.registry.access import Permission
from wufei.registry.models import Organisation, User
from wufei.registry.queries import may, visible_organisations
from wufei.registry.views.listing import reader
from wufei.reviews.models import Application, Round
from wufei.reviews.queries.applications_seen import application_for
from wufei.reviews.queries.rounds import visible_rounds
from wufei.terms.day import local_day


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    user: User
    now: datetime
    today: date

    def context(self, **more: Any) -> dict[str, Any]:
        return {"today": self.today, **more}

    def authorities(self) -> list[Organisation]:
        """Return the authorities for which the person runs rounds and recommends."""
        rows = visible_organisations(user=self.user, permission=Permission.RUN_ROUND, on=self.today)
        return list(rows.order_by("name", "pk"))


def desk(request: HttpRequest) -> Desk:
    """Return who asks, and when."""
    now = timezone.now()
    return Desk(user=reader(request), now=now, today=local_day(now))


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundDesk:
    at: Desk
    round: Round
    edition: Edition
    runs: bool  # whether the person runs the round

    def context(self, **more: Any) -> dict[str, Any]:
        return self.at.context(round=self.round, edition=self.edition, runs=self.runs, **more)


def round_desk(request: HttpRequest, round_id: int) -> RoundDesk:
    """
    Return the round, if the person may see it.

    :raises Http404: otherwise
    """
    at = desk(request)
    found = visible_rounds(user=at.user, on=at.today).filter(pk=round_id).first()
    if found is None:
        raise Http404
    runs = may(user=at.user, permission=Permission.RUN_ROUND, organisation=found.authority, on=at.today)
    return RoundDesk(at=at, round=found, edition=policy_queries.edition(found.edition), runs=runs)


def one_application(at: Desk, code: str) -> Application:
    """
    Return the application, if the person may see it.

    :raises Http404: otherwise
    """
    try:
        return application_for(user=at.user, code=code, on=at.today)
    except Application.DoesNotExist as error:
        raise Http404 from error
