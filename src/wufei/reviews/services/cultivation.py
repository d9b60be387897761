"""An authority's tiered cultivation library 梯度培育库: who is in it, at which tier, since when."""

from datetime import date, datetime

from django.db import IntegrityError, transaction

from wufei.policies import queries as policy_queries
from wufei.registry.access import Permission
from wufei.registry.models import Organisation, User
from wufei.registry.queries import require
from wufei.registry.services import audit
from wufei.reviews.models import Cultivation
from wufei.reviews.refusals import ReviewRefused
from wufei.terms.day import local_day


@transaction.atomic
def enter_cultivation(
    *,
    authority: Organisation,
    organisation: Organisation,
    programme: str,
    tier: str,
    since: date,
    note: str = "",
    by: User,
    now: datetime,
) -> Cultivation:
    """
    Enter an organisation that the authority supervises.

    :raises NotPermitted, UnknownEdition, ReviewRefused: `cultivated_already`, `subject_kind_differs`
    """
    today = local_day(now)
    require(user=by, permission=Permission.RUN_ROUND, organisation=authority, on=today)
    require(user=by, permission=Permission.REVIEW_CASE, organisation=organisation, on=today)
    edition = policy_queries.edition(programme)
    if (organisation.kind == "PARK") != (edition.subject_kind == "PARK"):
        raise ReviewRefused("subject_kind_differs", organisation.name)
    if since > today:
        raise ReviewRefused("day_ahead", since.isoformat())
    try:
        with transaction.atomic():
            row = Cultivation.objects.create(
                authority=authority, organisation=organisation, programme=programme,
                tier=Cultivation.Tier(tier), since=since, note=note.strip(), entered_at=now, entered_by=by,
            )  # fmt: skip
    except IntegrityError as twice:
        raise ReviewRefused("cultivated_already", organisation.name) from twice
    _audit("reviews.enter_cultivation", row, by, now)
    return row


@transaction.atomic
def move_cultivation(
    *, cultivation: Cultivation, tier: str, on: date, note: str = "", by: User, now: datetime
) -> Cultivation:
    """
    Move an organisation to another tier from the day on; the time at the tier before stays on record.

    :raises NotPermitted, ReviewRefused: `not_cultivated`, `tier_same`, `before_last_change`, `day_ahead`
    """
    locked = _locked(cultivation, on, by, now)
    if locked.tier == tier:
        raise ReviewRefused("tier_same")
    locked.until = on
    locked.save(update_fields=["until"])
    row = Cultivation.objects.create(
        authority=locked.authority, organisation=locked.organisation, programme=locked.programme,
        tier=Cultivation.Tier(tier), since=on, note=note.strip(), entered_at=now, entered_by=by,
    )  # fmt: skip
    _audit("reviews.move_cultivation", row, by, now)
    return row


@transaction.atomic
def leave_cultivation(
    *, cultivation: Cultivation, on: date, note: str, by: User, now: datetime
) -> Cultivation:
    """
    Take an organisation out of the library, in words.

    :raises NotPermitted, ReviewRefused: `not_cultivated`, `words_missing`, `before_last_change`, `day_ahead`
    """
    locked = _locked(cultivation, on, by, now)
    if not note.strip():
        raise ReviewRefused("words_missing")
    locked.until, locked.note = on, note.strip()
    locked.save(update_fields=["until", "note"])
    _audit("reviews.leave_cultivation", locked, by, now)
    return locked


def _locked(cultivation: Cultivation, on: date, by: User, now: datetime) -> Cultivation:
    require(user=by, permission=Permission.RUN_ROUND, organisation=cultivation.authority, on=local_day(now))
    rows = Cultivation.objects.select_for_update(of=("self",)).select_related("authority", "organisation")
    locked = rows.get(pk=cultivation.pk)
    if locked.until is not None:
        raise ReviewRefused("not_cultivated", locked.organisation.name)
    if on > local_day(now):
        raise ReviewRefused("day_ahead", on.isoformat())
    if on < locked.since:
        raise ReviewRefused("before_last_change", locked.since.isoformat())
    return locked


def _audit(action: str, row: Cultivation, by: User, now: datetime) -> None:
    audit(
        by=by, now=now, organisation=row.organisation, action=action,
        object_ref=f"{row.authority.uscc} {row.programme}"[:120], detail={"tier": row.tier},
    )  # fmt: skip
