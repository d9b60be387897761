"""Handing in: a case becomes, or is again, an application of a round."""

from collections.abc import Iterator
from datetime import datetime
from itertools import count

from django.db import transaction
from django.db.models import Q

from wufei.cases.models import Case
from wufei.cases.services.submitting import freeze
from wufei.policies import queries as policy_queries
from wufei.registry.access import Permission
from wufei.registry.models import User
from wufei.registry.queries import require
from wufei.reviews import clock, stages
from wufei.reviews.models import Application, Round
from wufei.reviews.queries.register import bars
from wufei.reviews.refusals import ReviewRefused
from wufei.reviews.services import deciding
from wufei.terms.day import local_day


@transaction.atomic
def submit(*, round_: Round, case: Case, by: User, now: datetime) -> Application:
    """
    Hand in the case: it is frozen as it stands, and goes to the first review, or back to where it was returned.

    :raises NotPermitted, NotReady, ReviewRefused:
    """
    require(user=by, permission=Permission.EDIT_CASE, organisation=case.organisation, on=local_day(now))
    round_ = Round.objects.select_for_update(of=("self",)).select_related("authority").get(pk=round_.pk)
    if round_.published_at is None or round_.published_at > now:
        raise ReviewRefused("round_not_open")
    if round_.closed_at is not None:
        raise ReviewRefused("round_closed")
    if case.edition != round_.edition:
        raise ReviewRefused("case_of_another_edition", case.edition)
    edition = policy_queries.edition(round_.edition)
    standing = Application.objects.select_for_update(of=("self",)).filter(round=round_, case=case)
    application = standing.select_related("round__authority", "organisation", "submission").first()
    is_new = application is None or application.outcome == stages.Outcome.WITHDRAWN
    late_reason = _late_reason(round_, case, now) if is_new else ""
    if barred := bars(organisation=case.organisation, edition=edition, on=local_day(now)):
        raise ReviewRefused("barred", barred[0].until.isoformat())
    submission = freeze(case=case, by=by, now=now)
    if application is None:
        _refuse_second(round_, case)
        application = Application.objects.create(
            round=round_, case=case, organisation=case.organisation, submission=submission,
            code=next(next_codes(round_)), district_code=case.organisation.division_code, stage=edition.stages[0].id,
            stage_since=now, late_reason=late_reason,
        )  # fmt: skip
    elif is_new and late_reason != application.late_reason:
        application.late_reason = late_reason
        application.save(update_fields=["late_reason"])
    return deciding.submit_again(application, submission, edition, by, now)


def _refuse_second(round_: Round, case: Case) -> None:
    """
    Refuse who is there already, by itself or in a package, and who stands in a round that passes cases on to this one.

    Both alike: so nobody learns by it whether its case was passed on.
    """
    below = [each.id for each in policy_queries.known_editions().values() if each.extends == round_.edition]
    there = Q(round=round_) | Q(round__edition__in=below, round__year=round_.year)
    others = Application.objects.filter(there, organisation=case.organisation)
    if others.exclude(outcome=stages.Outcome.WITHDRAWN).exists():
        raise ReviewRefused("applied_already")


def _late_reason(round_: Round, case: Case, now: datetime) -> str:
    """Return the reason for which a late case is admitted; "" where it is in time."""
    if clock.is_in_time(
        now, deadline=round_.submission_deadline, grace_minutes=round_.grace_minutes, began_at=case.updated_at
    ):
        return ""
    today = local_day(now)
    leave = (
        round_.late_admissions.filter(organisation=case.organisation, until__gte=today)
        .order_by("-pk")
        .first()
    )
    if leave is None:
        raise ReviewRefused(
            "too_late", round_.submission_deadline.isoformat() if round_.submission_deadline else ""
        )
    return leave.reason


def next_codes(round_: Round) -> Iterator[str]:
    """Yield the next codes of the round: each says the year and a number, and nothing of who it is."""
    start = round_.applications.count() + 1
    return (f"{round_.year}-{round_.pk:03d}-{number:05d}" for number in count(start))
