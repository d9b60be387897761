"""Third-party agencies: asked to evaluate, released from it, judged, spot-checked, and shut out for falsehood."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from wufei.policies import queries as policy_queries
from wufei.registry.access import Permission, Role
from wufei.registry.models import Organisation, OrganisationKind, RoleAssignment, User
from wufei.registry.queries import jurisdiction_prefix, require
from wufei.registry.services import audit
from wufei.reviews import stages, telling
from wufei.reviews.models import AgencyExclusion, AgencyMark, AgencyReport, Application, SpotCheck
from wufei.reviews.queries import agencies as queries
from wufei.reviews.queries.messages import applicants_of
from wufei.reviews.queries.roles import roles_on
from wufei.reviews.refusals import ReviewRefused
from wufei.reviews.services.deciding import lock
from wufei.reviews.services.messages import tell
from wufei.terms.day import local_day

FULL_MARKS = Decimal(100)
PLACES = 2


# ---- assignments -----------------------------------------------------------------------------


@transaction.atomic
def assign_agency(*, application: Application, agency: Organisation, by: User, now: datetime) -> AgencyReport:
    """
    Ask an agency to evaluate the applicant on site: chosen by the applicant, or given by an authority.

    :raises ReviewRefused: `not_permitted`, `stage_moved_on`, `agency_unknown`, `agency_excluded`,
        `agency_assigned`, `conflict_of_interest` with the reason
    """
    locked = lock(application)
    _require_who_may_ask(locked, by, now)
    if locked.round.closed_at is not None:
        raise ReviewRefused("round_closed")
    if not queries.needs_agency(application=locked):
        raise ReviewRefused("stage_moved_on", locked.stage)
    today = local_day(now)
    if queries.is_excluded(agency=agency, division_code=locked.district_code, on=today):
        raise ReviewRefused("agency_excluded", agency.name)
    if not queries.agencies().filter(pk=agency.pk).exists():
        raise ReviewRefused("agency_unknown")
    standing = queries.live_report(application=locked)
    if standing is not None:
        shut_out = queries.is_excluded(agency=standing.agency, division_code=locked.district_code, on=today)
        if not shut_out:  # what an excluded agency reported no longer counts
            raise ReviewRefused("agency_assigned", standing.agency.name)
    if found := queries.conflict_of_agency(agency=agency, application=locked):
        raise ReviewRefused("conflict_of_interest", found.reason)
    report = _asked(locked, agency, by, now)
    audit(
        by=by, now=now, organisation=locked.organisation, action="reviews.assign_agency",
        object_ref=f"application:{locked.code}", detail={"agency": agency.uscc, "report": report.pk},
    )  # fmt: skip
    what = telling.of_agency_assigned(
        report=report.pk, name=locked.organisation.name, round_title=locked.round.title
    )
    tell(to=_staff_of(agency), what=what, now=now)
    return report


def _require_who_may_ask(application: Application, by: User, now: datetime) -> None:
    """The applicant chooses; so may the round's authority, and those that act in the edition where it is."""
    held = roles_on(user=by, application=application, on=local_day(now))
    edition = policy_queries.edition(application.round.edition)
    named = stages.roles_that_act(edition.stages) - {"AGENCY"}
    if not any(role == stages.APPLICANT or role in named for role in held):
        raise ReviewRefused("not_permitted")


def _asked(application: Application, agency: Organisation, by: User, now: datetime) -> AgencyReport:
    year = application.round.year
    rows = AgencyReport.objects.select_for_update()
    before = rows.filter(
        agency=agency, organisation=application.organisation, edition=application.round.edition, year=year
    ).first()
    if before is None:
        return AgencyReport.objects.create(
            agency=agency, organisation=application.organisation, edition=application.round.edition, year=year,
            application=application, assigned_at=now, assigned_by=by,
        )  # fmt: skip
    if before.submitted_at is not None:
        raise ReviewRefused("agency_assigned", agency.name)
    before.application, before.assigned_at, before.assigned_by = application, now, by
    before.withdrawn_at = before.withdrawn_reason = None
    before.version += 1
    before.save()
    return before


def _staff_of(agency: Organisation) -> list[User]:
    rows = RoleAssignment.objects.filter(organisation=agency, role=Role.AGENCY_STAFF, user__is_active=True)
    return [row.user for row in rows.select_related("user")]


@transaction.atomic
def withdraw_agency(*, report: AgencyReport, reason: str, by: User, now: datetime) -> AgencyReport:
    """
    End an assignment without a report: the agency declines it, or who may ask takes it back.

    :raises ReviewRefused: `not_permitted`, `words_missing`, `report_final`, `agency_withdrawn`
    """
    locked = lock_report(report)
    application = locked.application
    assert application is not None, "assigned for an application"
    is_own = RoleAssignment.objects.filter(user=by, organisation=locked.agency, role=Role.AGENCY_STAFF)
    if not is_own.exists():
        _require_who_may_ask(application, by, now)
    if not reason.strip():
        raise ReviewRefused("words_missing")
    if locked.submitted_at is not None:
        raise ReviewRefused("report_final")
    if locked.withdrawn_at is not None:
        raise ReviewRefused("agency_withdrawn")
    _withdraw(locked, reason.strip()[:200], by, now)
    return locked


def _withdraw(report: AgencyReport, reason: str, by: User, now: datetime) -> None:
    assert report.application is not None, "assigned for an application"
    report.withdrawn_at, report.withdrawn_reason = now, reason
    report.version += 1
    report.save(update_fields=["withdrawn_at", "withdrawn_reason", "version"])
    audit(
        by=by, now=now, organisation=report.organisation, action="reviews.withdraw_agency",
        object_ref=f"application:{report.application.code}",
        detail={"agency": report.agency.uscc, "reason": reason},
    )  # fmt: skip
    what = telling.of_agency_withdrawn(
        code=report.application.code, agency=report.agency.name, reason=reason
    )  # fmt: skip
    tell(to=applicants_of(report.organisation), what=what, now=now)


def lock_report(report: AgencyReport) -> AgencyReport:
    """Return the report, kept from others until the transaction ends; its application first, as everywhere."""
    application = lock(report.application) if report.application is not None else None
    rows = AgencyReport.objects.select_for_update(of=("self",)).select_related("agency", "organisation")
    found = rows.get(pk=report.pk)
    found.application = application
    return found


# ---- how the authority judges ----------------------------------------------------------------


def _require_judge(authority: Organisation, by: User, now: datetime) -> None:
    require(user=by, permission=Permission.RUN_ROUND, organisation=authority, on=local_day(now))
    if authority.branch not in queries.JUDGES:
        raise ReviewRefused("not_permitted")


@transaction.atomic
def judge_agency(
    *,
    authority: Organisation,
    agency: Organisation,
    year: int,
    strength: Decimal,
    report_quality: Decimal,
    process: Decimal,
    words: str = "",
    is_recommended: bool = False,
    by: User,
    now: datetime,
) -> AgencyMark:
    """
    Judge an agency's work of a year out of 100 each; judged again, the new marks stand and the log has the old.

    :raises NotPermitted, ReviewRefused: `mark_wrong`, `year_absurd`, `agency_unknown`; `agency_excluded` and
        `agency_false` where it may not be recommended
    """
    _require_judge(authority, by, now)
    if agency.kind != OrganisationKind.AGENCY:
        raise ReviewRefused("agency_unknown")
    if not 2000 <= year <= local_day(now).year:
        raise ReviewRefused("year_absurd")
    marks = {"strength": strength, "report_quality": report_quality, "process": process}
    for each in marks.values():
        exponent = each.as_tuple().exponent
        if not isinstance(exponent, int) or exponent < -PLACES or not 0 <= each <= FULL_MARKS:
            raise ReviewRefused("mark_wrong")
    if is_recommended:
        _refuse_unfit(authority, agency, year, now)
    row = AgencyMark.objects.select_for_update().filter(authority=authority, agency=agency, year=year).first()
    before = _marks(row)
    row = row or AgencyMark(authority=authority, agency=agency, year=year)
    for name, each in marks.items():
        setattr(row, name, each)
    row.words, row.is_recommended, row.at, row.by = words.strip(), is_recommended, now, by
    row.save()
    audit(
        by=by, now=now, organisation=authority, action="reviews.judge_agency", object_ref=f"agency:{agency.uscc}",
        detail={"year": year, "before": before, "after": _marks(row)},
    )  # fmt: skip
    return row


def _refuse_unfit(authority: Organisation, agency: Organisation, year: int, now: datetime) -> None:
    if queries.is_excluded(agency=agency, division_code=authority.division_code, on=local_day(now)):
        raise ReviewRefused("agency_excluded", agency.name)
    if queries.found_false(agency=agency, authority=authority, year=year):
        raise ReviewRefused("agency_false")


def _marks(row: AgencyMark | None) -> dict[str, Any]:
    if row is None:
        return {}
    said = {name: format(getattr(row, name), "f") for name in ("strength", "report_quality", "process")}
    return {**said, "is_recommended": row.is_recommended}


@transaction.atomic
def spot_check(
    *, report: AgencyReport, authority: Organisation, result: str, words: str, by: User, now: datetime
) -> SpotCheck:
    """
    Keep what a spot check of a submitted report found.

    :raises NotPermitted, ReviewRefused: `not_permitted` outside the jurisdiction, `report_missing`,
        `spot_result_unknown`, `words_missing`
    """
    _require_judge(authority, by, now)
    division = report.organisation.division_code
    if not division.startswith(jurisdiction_prefix(authority.division_code)):
        raise ReviewRefused("not_permitted")
    if report.submitted_at is None:
        raise ReviewRefused("report_missing")
    if result not in SpotCheck.Result.values:
        raise ReviewRefused("spot_result_unknown")
    if not words.strip():
        raise ReviewRefused("words_missing")
    row = SpotCheck.objects.create(report=report, result=result, words=words.strip(), at=now, by=by)
    audit(
        by=by, now=now, organisation=authority, action="reviews.spot_check",
        object_ref=f"agency:{report.agency.uscc}", detail={"report": report.pk, "result": result},
    )  # fmt: skip
    if result == SpotCheck.Result.FALSE:  # what was found false is recommended no longer
        marks = AgencyMark.objects.filter(authority=authority, agency=report.agency, year=report.year)
        marks.update(is_recommended=False)
    return row


@transaction.atomic
def exclude_agency(
    *,
    authority: Organisation,
    agency: Organisation,
    cause: str,
    document: str = "",
    by: User,
    now: datetime,
) -> AgencyExclusion:
    """
    Take the agency's leave to evaluate within the jurisdiction: no new assignment, and open ones end.

    It is announced: it stands on the authority's public list, and its people and those it was to evaluate are told.

    :raises NotPermitted, ReviewRefused: `agency_unknown`, `words_missing`, `excluded_already`
    """
    _require_judge(authority, by, now)
    if agency.kind != OrganisationKind.AGENCY:
        raise ReviewRefused("agency_unknown")
    if not cause.strip():
        raise ReviewRefused("words_missing")
    Organisation.objects.select_for_update().get(pk=agency.pk)  # two at once: the second is told
    if AgencyExclusion.objects.filter(authority=authority, agency=agency).exists():
        raise ReviewRefused("excluded_already")
    row = AgencyExclusion.objects.create(
        authority=authority, agency=agency, on=local_day(now), cause=cause.strip()[:200], document=document.strip()[:60],
        at=now, by=by,
    )  # fmt: skip
    AgencyMark.objects.filter(authority=authority, agency=agency, year=local_day(now).year).update(
        is_recommended=False
    )
    open_ = queries.reports_within(authority=authority).filter(
        agency=agency, submitted_at=None, withdrawn_at=None, application__isnull=False
    )
    for each in open_.order_by("application_id"):
        _withdraw(lock_report(each), f"评价资格已被{authority.name}取消"[:200], by, now)
    audit(
        by=by, now=now, organisation=authority, action="reviews.exclude_agency", object_ref=f"agency:{agency.uscc}",
        detail={"cause": row.cause, "document": row.document},
    )  # fmt: skip
    what = telling.of_agency_excluded(authority=authority.name, cause=row.cause, on=row.on)
    tell(to=_staff_of(agency), what=what, now=now)
    return row
