"""What reads checks on site: what is to be checked, what is claimed, and what was found."""

from dataclasses import dataclass
from datetime import date

from django.db.models import Count, Q, QuerySet

from wufei.policies import queries as policy_queries
from wufei.policies.edition import Edition
from wufei.registry.models import User
from wufei.reviews import stages
from wufei.reviews.models import Application, SiteCheck, SiteCheckPhoto
from wufei.reviews.queries.applications_seen import held_roles, visible
from wufei.reviews.queries.roles import roles_on
from wufei.reviews.site_sketch import Place, Sketch, sketch

SEEN_WORDS = {"YES": "属实", "NO": "不属实", "UNSEEN": "未核查"}


def to_check(*, user: User, on: date) -> QuerySet[Application]:
    """Return the applications at a check on site that the person decides, with how often each was checked."""
    condition = Q(pk__in=[])
    for held in held_roles(user=user, on=on):
        if held.is_applicant or held.person != user:
            continue
        for edition in policy_queries.known_editions().values():
            ids = [s.id for s in edition.stages if s.kind == "site_check" and held.role in stages.deciders(s)]
            if ids:
                condition |= held.covers() & Q(round__edition=edition.id, stage__in=ids)
    rows = Application.objects.filter(condition, outcome="", round__closed_at=None)
    counted = rows.annotate(check_count=Count("site_checks", distinct=True))
    return counted.select_related("organisation", "round").order_by("due_on", "code")


def may_check(*, user: User, application: Application, on: date) -> bool:
    """Return whether the person may record a check on site now."""
    edition = policy_queries.edition(application.round.edition)
    stage = stages.stage_of(edition.stages, application.stage)
    if application.outcome or stage.kind != "site_check" or application.round.closed_at is not None:
        return False
    return bool(set(roles_on(user=user, application=application, on=on)) & set(stages.deciders(stage)))


@dataclass(frozen=True, slots=True)
class Found:
    """What was found of one criterion."""

    clause: str
    says: str
    seen: str  # in words
    is_wrong: bool
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A check on site as it is read."""

    number: int
    check: SiteCheck
    found: tuple[Found, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """All checks of an application, in their order, and where they were."""

    checks: tuple[Checked, ...]
    sketch: Sketch | None


def record_of(*, application: Application) -> Record:
    """Return what was checked on site, in three queries however much it is."""
    edition = policy_queries.edition(application.round.edition)
    rows = list(
        SiteCheck.objects.filter(application=application)
        .select_related("by")
        .prefetch_related("photos")
        .order_by("checked_at", "pk")
    )
    checks = [
        Checked(number=number, check=row, found=tuple(_found(row, edition)))
        for number, row in enumerate(rows, start=1)
    ]
    places = [
        Place(
            label=str(each.number), latitude=each.check.latitude, longitude=each.check.longitude,
            accuracy_m=each.check.accuracy_m,
        )
        for each in checks if each.check.latitude is not None and each.check.longitude is not None
    ]  # fmt: skip
    return Record(checks=tuple(checks), sketch=sketch(places))


def _found(row: SiteCheck, edition: Edition) -> list[Found]:
    return [
        Found(
            criterion.clause, criterion.says, SEEN_WORDS[said["seen"]], said["seen"] == "NO", said.get("words", "")
        )
        for criterion in edition.criteria
        if (said := row.criteria.get(criterion.id))
    ]  # fmt: skip


def photo_for(*, user: User, key: int, on: date) -> SiteCheckPhoto:
    """
    Return a photo of an application that the person sees as one of those who decide.

    :raises SiteCheckPhoto.DoesNotExist: otherwise
    """
    row = SiteCheckPhoto.objects.select_related("check_made__application").get(pk=key)
    application = row.check_made.application
    own = any(
        held.is_applicant and held.organisation.pk == application.organisation_id
        for held in held_roles(user=user, on=on)
    )
    if own or not visible(user=user, on=on).filter(pk=application.pk).exists():
        raise SiteCheckPhoto.DoesNotExist
    return row
