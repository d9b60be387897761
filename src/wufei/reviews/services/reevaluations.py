"""The yearly re-evaluation 自评价对标: a holder answers, and who does not is reminded."""

from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.db import IntegrityError, transaction

from wufei.policies import queries as policy_queries
from wufei.policies.criteria import Evaluation
from wufei.policies.explanations import as_json
from wufei.registry.access import Permission, Role
from wufei.registry.models import Organisation, RoleAssignment, User
from wufei.registry.queries import require
from wufei.registry.services import audit
from wufei.reviews.models import Message, Reevaluation, Title
from wufei.reviews.queries.reevaluations import reevaluation
from wufei.reviews.queries.register import editions_of
from wufei.reviews.refusals import ReviewRefused
from wufei.reviews.services.register import holding_event, locked_title, refuse_ended
from wufei.terms.day import local_day

_PLACES = Decimal("0.0001")


def evaluated(*, title: Title, holder: Organisation, edition_id: str, year: int, now: datetime) -> Evaluation:
    """
    Judge the holder against the edition as it would be answered now.

    A year's answer rests on the figures of the last complete year before it: our reading.

    :raises ReviewRefused: `edition_of_another_programme`
    """
    own = policy_queries.edition(title.edition)
    if edition_id not in {each.id for each in editions_of(own)}:
        raise ReviewRefused("edition_of_another_programme", edition_id)
    return policy_queries.evaluation(
        organisation=holder, edition_id=edition_id, year=year - 1, on=local_day(now)
    )


@transaction.atomic
def record_reevaluation(*, title: Title, edition_id: str, year: int, by: User, now: datetime) -> Reevaluation:
    """
    Answer the year's re-evaluation: the holder is judged by the edition, and the explanation is frozen.

    Where something is missing there is no score, only the range that the explanation has.

    :raises NotPermitted, ReviewRefused: `already_decided` where the year was answered
    """
    locked, events = locked_title(title.pk)
    holding = holding_event(events)
    require(user=by, permission=Permission.EDIT_CASE, organisation=holding.holder, on=local_day(now))
    refuse_ended(events)
    if not locked.granted_on.year <= year <= local_day(now).year:
        raise ReviewRefused("year_absurd", str(year))
    found = evaluated(title=locked, holder=holding.holder, edition_id=edition_id, year=year, now=now)
    score = found.score.quantize(_PLACES, rounding=ROUND_HALF_UP) if found.score is not None else None
    try:
        with transaction.atomic():
            row = Reevaluation.objects.create(
                title=locked, edition=edition_id, year=year, score=score, verdict=found.verdict.value,
                evaluation=as_json(found), answered_at=now, answered_by=by,
            )  # fmt: skip
    except IntegrityError as twice:
        raise ReviewRefused("already_decided", str(year)) from twice
    audit(
        by=by, now=now, organisation=holding.holder, action="reviews.reevaluate",
        object_ref=f"title:{locked.number}", detail={"year": year, "score": str(score)},
    )  # fmt: skip
    return row


@transaction.atomic
def remind(*, authority: Organisation, edition_id: str, year: int, by: User, now: datetime) -> int:
    """
    Tell the officers of those holders of the authority's titles who have not answered; once a day each.

    :returns: how many people were told

    :raises NotPermitted, ReviewRefused:
    """
    require(user=by, permission=Permission.RUN_ROUND, organisation=authority, on=local_day(now))
    result = reevaluation(policy_queries.edition(edition_id), year)
    silent = [
        each.title
        for each in result.no_answer
        if not each.answered and each.title.authority_id == authority.pk
    ]
    until = f"请于{result.deadline:%Y-%m-%d}前完成。" if result.deadline else "请尽快完成。"
    messages = [
        Message(
            to_id=officer, key=f"reevaluation:{title.pk}:{year}:{local_day(now)}",
            subject=f"请完成{year}年度自评价对标", sent_at=now, link=f"/o/{title.holder_uscc}/titles/{title.pk}/",
            text=f"{title.name}（编号{title.number}）尚未开展{year}年度自评价对标。{until}",
        )
        for title, officer in _officers(silent)
    ]  # fmt: skip
    said = Message.objects.filter(key__in={each.key for each in messages}).values_list("to_id", "key")
    known = set(said)
    fresh = [each for each in messages if (each.to_id, each.key) not in known]
    Message.objects.bulk_create(fresh, ignore_conflicts=True)
    told = len(fresh)
    audit(
        by=by, now=now, organisation=authority, action="reviews.remind_holders",
        object_ref=f"{edition_id}:{year}"[:120], detail={"titles": len(silent), "people": told},
    )  # fmt: skip
    return told


def _officers(titles: list[Any]) -> list[tuple[Any, int]]:
    """Return each title with each of its holder's officers."""
    rows = RoleAssignment.objects.filter(
        organisation__in={title.holder_now for title in titles}, user__is_active=True,
        role__in=(Role.ENVIRONMENT_OFFICER.value, Role.PARK_OFFICER.value),
    )  # fmt: skip
    people: dict[int, list[int]] = {}
    for organisation, user in rows.values_list("organisation_id", "user_id"):
        people.setdefault(organisation, []).append(user)
    return [(title, user) for title in titles for user in people.get(title.holder_now, ())]
