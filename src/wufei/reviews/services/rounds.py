"""Rounds: opened from an edition, edited, published, closed."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django.db import transaction

from wufei.policies import queries as policy_queries
from wufei.policies.edition import Edition, Quota
from wufei.registry.access import Permission
from wufei.registry.models import Organisation, OrganisationKind, User
from wufei.registry.queries import require
from wufei.registry.services import audit
from wufei.reviews.models import LateAdmission, QuotaUse, Round
from wufei.reviews.queries.rounds import reporting_days, runs_rounds_of
from wufei.reviews.refusals import ReviewRefused
from wufei.terms.day import local_day

EDITABLE = frozenset({"title", "notice_text", "addressees", "submission_deadline", "grace_minutes", "quotas"})


@transaction.atomic
def open_round(
    *, edition_id: str, year: int, authority: Organisation, by: User, now: datetime, title: str = ""
) -> Round:
    """
    Open the authority's round of an edition, or return the one that is open.

    :raises NotPermitted, UnknownEdition, ReviewRefused:
    """
    require(user=by, permission=Permission.RUN_ROUND, organisation=authority, on=local_day(now))
    edition = policy_queries.edition(edition_id)
    if authority.kind != OrganisationKind.AUTHORITY:
        raise ReviewRefused("not_an_authority", authority.name)
    if not edition.stages:
        raise ReviewRefused("edition_has_no_stages", edition_id)
    if not runs_rounds_of(edition=edition, authority=authority):
        raise ReviewRefused("not_the_issuer", edition.norm.issuer)
    if not 2000 <= year <= local_day(now).year + 1:
        raise ReviewRefused("year_absurd", str(year))
    deadline = min((each.on for each in edition.dates if each.on.year == year), default=None)
    round_, created = Round.objects.get_or_create(
        edition=edition_id, year=year, authority=authority,
        defaults={
            "title": title or _title(edition, year), "addressees": "\n".join(edition.addressees),
            "submission_deadline": deadline, "opened_at": now, "opened_by": by,
        },
    )  # fmt: skip
    if created:
        _audit(round_, "reviews.open_round", by, now, {"edition": edition_id, "year": year})
    return round_


def call_text(*, edition: Edition) -> str:
    """Return a plain call for who has written none: what it is under, and where the rest stands."""
    return (
        f"根据{edition.norm.issuer}《{edition.norm.title}》（{edition.norm.number}），现组织开展{edition.title}申报工作。"
        "申报条件、办理程序、名额和所用表格以该文件为准。请符合条件的单位在本系统编写申报材料，于截止日前报送。"
    )


def _title(edition: Edition, year: int) -> str:
    return edition.title if f"{year}年" in edition.title else f"{year}年度{edition.title}"


@transaction.atomic
def edit_round(*, round_: Round, version: int, changes: Mapping[str, Any], by: User, now: datetime) -> Round:
    """
    Change the notice, the deadline or the quotas of a round.

    A quota never falls below what is recommended already; a deadline never lies in the past.

    :raises NotPermitted, ReviewRefused:
    """
    locked = locked_round(round_, by, now)
    if locked.version != version:
        raise ReviewRefused("stale", str(locked.version))
    if unknown := set(changes) - EDITABLE:
        raise ReviewRefused("field_unknown", ", ".join(sorted(unknown)))
    deadline = changes.get("submission_deadline", locked.submission_deadline)
    if deadline != locked.submission_deadline and deadline is not None:
        if deadline < local_day(now):
            raise ReviewRefused("deadline_in_past", deadline.isoformat())
        _refuse_after_report(locked, deadline)
    for field, value in changes.items():
        setattr(locked, field, value)
    if "quotas" in changes:
        _set_caps(locked)
    locked.version += 1
    locked.save()
    said = {field: str(value) for field, value in changes.items()}
    _audit(locked, "reviews.edit_round", by, now, said)
    return locked


def _refuse_after_report(round_: Round, deadline: date) -> None:
    """Who applies is through before those below have to report what they recommend, or the same day at the latest."""
    if (first := next(iter(reporting_days(round_=round_)), None)) and deadline > first.on:
        raise ReviewRefused("deadline_after_report", f"{first.label}：{first.on.isoformat()}")


def _set_caps(round_: Round) -> None:
    for use in QuotaUse.objects.select_for_update().filter(round=round_):
        cap = quota_number(round_, use.quota)
        if cap < use.used:
            raise ReviewRefused("quota_below_use", f"{use.used} > {cap}")
        use.cap = cap
        use.save(update_fields=["cap"])


def quota_of(edition: Edition, quota_id: str) -> Quota:
    """Return the edition's quota of that id."""
    return next(quota for quota in edition.quotas if quota.id == quota_id)


def quota_number(round_: Round, quota_id: str) -> int:
    """Return how many the round may recommend under the quota: what was set for it, else the edition's."""
    said = round_.quotas.get(quota_id)
    if said is not None:
        if not isinstance(said, int) or isinstance(said, bool) or said < 0:
            raise ReviewRefused("quota_not_whole", quota_id)
        return said
    return quota_of(policy_queries.edition(round_.edition), quota_id).number


@transaction.atomic
def publish_round(*, round_: Round, by: User, now: datetime) -> Round:
    """
    Publish the call; from now on cases are taken in.

    :raises NotPermitted, ReviewRefused:
    """
    locked = locked_round(round_, by, now)
    if locked.published_at is not None:
        raise ReviewRefused("already_published")
    edition = policy_queries.edition(locked.edition)
    if not runs_rounds_of(edition=edition, authority=locked.authority):
        raise ReviewRefused("not_the_issuer", edition.norm.issuer)
    if not locked.notice_text.strip():
        raise ReviewRefused("notice_text_missing")
    if locked.submission_deadline is None:
        raise ReviewRefused("deadline_missing")
    if locked.submission_deadline < local_day(now):
        raise ReviewRefused("deadline_in_past", locked.submission_deadline.isoformat())
    _refuse_after_report(locked, locked.submission_deadline)
    locked.published_at, locked.published_by = now, by
    locked.save(update_fields=["published_at", "published_by"])
    _audit(locked, "reviews.publish_round", by, now, {})
    return locked


@transaction.atomic
def close_round(*, round_: Round, by: User, now: datetime) -> Round:
    """
    Close a round in which nothing is open any more.

    :raises NotPermitted, ReviewRefused:
    """
    locked = locked_round(round_, by, now)
    if locked.closed_at is not None:
        raise ReviewRefused("round_closed")
    if still := locked.applications.filter(outcome="").count():
        raise ReviewRefused("applications_open", str(still))
    locked.closed_at, locked.closed_by = now, by
    locked.save(update_fields=["closed_at", "closed_by"])
    _audit(locked, "reviews.close_round", by, now, {})
    return locked


@transaction.atomic
def admit_late(
    *, round_: Round, organisation: Organisation, until: date, reason: str, by: User, now: datetime
) -> LateAdmission:
    """
    Let one organisation hand in, or one authority below report, after its deadline, with the reason on record.

    :raises NotPermitted, ReviewRefused:
    """
    locked = locked_round(round_, by, now)
    if not reason.strip():
        raise ReviewRefused("words_missing")
    if until < local_day(now):
        raise ReviewRefused("deadline_in_past", until.isoformat())
    row = LateAdmission.objects.create(
        round=locked, organisation=organisation, until=until, reason=reason.strip(), at=now, by=by
    )
    _audit(locked, "reviews.admit_late", by, now, {"organisation": organisation.uscc, "reason": reason})
    return row


def locked_round(round_: Round, by: User, now: datetime) -> Round:
    """
    Return the round, locked, for who runs it.

    :raises NotPermitted:
    """
    require(user=by, permission=Permission.RUN_ROUND, organisation=round_.authority, on=local_day(now))
    return Round.objects.select_for_update(of=("self",)).select_related("authority").get(pk=round_.pk)


def _audit(round_: Round, action: str, by: User, now: datetime, detail: dict[str, Any]) -> None:
    audit(
        by=by, now=now, action=action, organisation=round_.authority, object_ref=f"round:{round_.pk}",
        detail=detail,
    )  # fmt: skip
