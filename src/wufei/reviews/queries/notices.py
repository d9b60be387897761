"""What an officer reads of public notices: who may be listed, what stands in them, what was said against it."""

from dataclasses import dataclass
from datetime import date

from django.db.models import Count, F, Q, QuerySet

from wufei.catalogue.working_days import YearNotLoaded, nth_working_day, working_days_between
from wufei.policies.edition import Edition, Stage
from wufei.registry.access import Permission
from wufei.registry.models import User
from wufei.registry.queries import visible_organisations
from wufei.reviews.models import Application, NoticeItem, Objection, ObjectionEvidence, PublicNotice, Round

_OPEN = Q(items__objections__isnull=False, items__objections__decision="")


def notice_stage(edition: Edition) -> Stage | None:
    """Return the edition's stage of public notice; None: it has none."""
    return next((stage for stage in edition.stages if stage.kind == "notice"), None)


def to_be_listed(*, round_: Round, stage: Stage) -> QuerySet[Application]:
    """Return what stands at the notice and in none that it could still pass, by code."""
    standing = NoticeItem.objects.filter(removed_at=None, notice__stage=stage.id).values("application_id")
    rows = Application.objects.filter(round=round_, stage=stage.id, outcome="").exclude(pk__in=standing)
    return rows.select_related("organisation", "round").order_by("code")


@dataclass(frozen=True, slots=True)
class Foreseen:
    """When a notice put up today would run."""

    begins_on: date
    ends_on: date
    working_days: int


def foreseen(*, stage: Stage, on: date) -> Foreseen:
    """
    Return when a notice put up on the day would run.

    :raises YearNotLoaded:
    """
    assert stage.working_days, "an edition's notice says for how many working days it runs"
    return Foreseen(on, nth_working_day(on, stage.working_days), stage.working_days)


def working_days_of(notice: PublicNotice) -> int:
    """Return for how many working days the notice runs as it stands now, put off or not."""
    try:
        return working_days_between(notice.begins_on, notice.ends_on)
    except YearNotLoaded:  # a calendar that was taken away since
        return notice.working_days


def notices_of(*, round_: Round) -> QuerySet[PublicNotice]:
    """Return the round's notices, the newest first, with what they list and how many objections are open."""
    return (
        PublicNotice.objects.filter(round=round_)
        .annotate(
            listed=Count("items", filter=Q(items__removed_at=None), distinct=True),
            objections=Count("items__objections", distinct=True),
            undecided=Count("items__objections", filter=_OPEN, distinct=True),
        )
        .order_by("-pk")
    )


def _run_by(user: User, on: date) -> Q:
    own = visible_organisations(user=user, permission=Permission.RUN_ROUND, on=on)
    return Q(round__authority__in=own)


def notice_for(*, user: User, pk: int, on: date) -> PublicNotice:
    """
    Return a notice to who runs its round.

    :raises PublicNotice.DoesNotExist: otherwise
    """
    rows = PublicNotice.objects.filter(_run_by(user, on)).select_related("round__authority", "published_by")
    return rows.prefetch_related("extensions__by").get(pk=pk)


def items_of(*, notice: PublicNotice) -> QuerySet[NoticeItem]:
    """Return what stands in the notice, each with the number of its objections."""
    rows = NoticeItem.objects.filter(notice=notice).select_related("application__organisation")
    return rows.annotate(objected=Count("objections")).order_by("position")


def objections_to(*, notice: PublicNotice) -> QuerySet[Objection]:
    """Return what was said against what stands in the notice, the undecided first, by time."""
    rows = Objection.objects.filter(item__notice=notice).select_related("item", "decided_by")
    return rows.annotate(files=Count("evidence")).order_by(
        F("decided_at").asc(nulls_first=True), "received_at", "pk"
    )


def objection_for(*, user: User, code: str, on: date) -> Objection:
    """
    Return an objection with its files to who runs the round.

    :raises Objection.DoesNotExist: otherwise
    """
    notices = PublicNotice.objects.filter(_run_by(user, on)).values("pk")
    rows = Objection.objects.filter(item__notice__in=notices, code=code)
    return (
        rows.select_related("item__notice__round__authority", "item__application", "decided_by")
        .prefetch_related("evidence")
        .get()
    )


def evidence_of(*, objection: Objection, pk: int) -> ObjectionEvidence | None:
    """Return a file that came with the objection."""
    return ObjectionEvidence.objects.filter(objection=objection, pk=pk).first()
