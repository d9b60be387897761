"""Checks on site: sent from the phone, perhaps hours later, and kept once."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from wufei.paper.attachments import examine
from wufei.policies import queries as policy_queries
from wufei.registry.models import User
from wufei.registry.services import audit
from wufei.registry.services.storing import store
from wufei.reviews import stages
from wufei.reviews.models import Application, SiteCheck, SiteCheckPhoto
from wufei.reviews.queries.roles import roles_on
from wufei.reviews.refusals import ReviewRefused
from wufei.reviews.services.deciding import lock
from wufei.terms.day import local_day

MAX_PHOTOS = 30
CLOCK_AHEAD = timedelta(minutes=10)  # a phone's clock may be that far ahead of ours
SEEN = frozenset({"YES", "NO", "UNSEEN"})


@transaction.atomic
def record_site_check(
    *,
    application: Application,
    client_id: UUID,
    checked_at: datetime,
    participants: str,
    words: str = "",
    criteria: Mapping[str, Mapping[str, str]] | None = None,
    position: tuple[Decimal, Decimal] | None = None,
    accuracy_m: int | None = None,
    photos: Sequence[tuple[str, bytes]] = (),
    by: User,
    now: datetime,
) -> SiteCheck:
    """
    Keep a check on site; the same `client_id` sent again returns what stands.

    `criteria` says of each criterion whether it was seen (YES, NO, UNSEEN) and in which words; `position` is
    latitude and longitude in degrees.

    :raises ReviewRefused:
    """
    locked = lock(application)  # of two that are sent at once the second finds the first
    standing = SiteCheck.objects.filter(client_id=client_id).first()
    if standing is not None:
        if standing.application_id != application.pk or standing.by_id != by.pk:
            raise ReviewRefused("client_id_reused")
        return standing
    edition = policy_queries.edition(locked.round.edition)
    stage = stages.stage_of(edition.stages, locked.stage)
    if not set(roles_on(user=by, application=locked, on=local_day(now))) & set(stages.deciders(stage)):
        raise ReviewRefused("not_permitted")
    if locked.outcome or stage.kind != "site_check":
        raise ReviewRefused("stage_moved_on", stage.id)
    known = {criterion.id for criterion in edition.criteria}
    said = {key: dict(value) for key, value in (criteria or {}).items()}
    _refuse_unsound(said, known, participants, checked_at, position, len(photos), now)
    made = SiteCheck.objects.create(
        application=locked, stage=stage.id, client_id=client_id, checked_at=checked_at,
        latitude=position[0] if position else None, longitude=position[1] if position else None,
        accuracy_m=accuracy_m, participants=participants.strip(), criteria=said, words=words.strip(),
        received_at=now, by=by,
    )  # fmt: skip
    for name, content in photos:
        _keep(made, name, content)
    audit(
        by=by, now=now, organisation=locked.organisation, action="reviews.site_check",
        object_ref=f"application:{locked.code}", detail={"site_check": made.pk, "photos": len(photos)},
    )  # fmt: skip
    return made


def _refuse_unsound(
    criteria: Mapping[str, Mapping[str, str]],
    known: set[str],
    participants: str,
    checked_at: datetime,
    position: tuple[Decimal, Decimal] | None,
    photo_count: int,
    now: datetime,
) -> None:
    if not participants.strip():
        raise ReviewRefused("participants_missing")
    if checked_at > now + CLOCK_AHEAD:
        raise ReviewRefused("clock_ahead", checked_at.isoformat())
    if unknown := set(criteria) - known:
        raise ReviewRefused("criterion_unknown", "、".join(sorted(unknown)))
    if any(set(each) - {"seen", "words"} or each.get("seen") not in SEEN for each in criteria.values()):
        raise ReviewRefused("criterion_answer_unknown")
    if position and not (abs(position[0]) <= 90 and abs(position[1]) <= 180):
        raise ReviewRefused("position_impossible")
    if photo_count > MAX_PHOTOS:
        raise ReviewRefused("too_many_photos", str(MAX_PHOTOS))


def _keep(check: SiteCheck, name: str, content: bytes) -> None:
    examined = examine(name=name, content=content)
    if examined.kind not in ("jpg", "png"):
        raise ReviewRefused("photo_type", name)
    path = store(folder=f"reviews/{check.application_id}", content=content, kind=examined.kind)
    SiteCheckPhoto.objects.create(
        check_made=check,
        file_name=examined.file_name,
        size=examined.size,
        sha256=examined.sha256,
        stored=path,
    )
