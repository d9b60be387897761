"""An agency's evaluation report: written in drafts that save themselves, handed in once, never changed after."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction

from wufei.paper.attachments import examine
from wufei.policies import queries as policy_queries
from wufei.policies.edition import Scoring
from wufei.registry.access import Role
from wufei.registry.models import RoleAssignment, User
from wufei.registry.services import audit
from wufei.registry.services.storing import store
from wufei.reviews import stages
from wufei.reviews.duties import Duty
from wufei.reviews.models import AgencyReport, Application
from wufei.reviews.queries.acting import other_duty
from wufei.reviews.queries.agencies import conflict_of_agency, is_excluded
from wufei.reviews.refusals import ReviewRefused
from wufei.reviews.services import deciding
from wufei.reviews.services.agencies import lock_report
from wufei.reviews.services.sheets import points_given
from wufei.reviews.stages import Action
from wufei.terms.day import local_day

LONGEST_WORDS = 20_000
AGENCY = "AGENCY"


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What the form of a report says; all of it may still be open in a draft."""

    visited_on: date | None = None
    scores: Mapping[str, str] | None = None  # item of the rubric → points
    comments: Mapping[str, str] | None = None
    conclusion: str = ""
    is_positive: bool | None = None


@transaction.atomic
def save_report(
    *, report: AgencyReport, version: int, written: Written, by: User, now: datetime
) -> AgencyReport:
    """
    Keep a draft of the report as a whole; `version` is that of the report as it was seen.

    :raises ReviewRefused: `stale`, `report_final`, `score_wrong` with the item, `not_permitted`, …
    """
    locked, _application, scoring = _mine(report, version, by, now)
    if written.visited_on and written.visited_on > local_day(now):
        raise ReviewRefused("day_ahead")
    comments = {k: v.strip()[:LONGEST_WORDS] for k, v in (written.comments or {}).items() if v.strip()}
    if scoring is None:
        locked.scores = {}
    else:
        locked.scores = points_given(written.scores or {}, scoring)
    known = {item.id for item in scoring.rubric} if scoring else set()
    if unknown := set(comments) - known:
        raise ReviewRefused("field_unknown", ", ".join(sorted(unknown)))
    locked.comments, locked.visited_on = comments, written.visited_on
    locked.conclusion, locked.is_positive = written.conclusion.strip()[:LONGEST_WORDS], written.is_positive
    locked.version += 1
    locked.save()
    return locked


@transaction.atomic
def attach_report(
    *, report: AgencyReport, version: int, name: str, content: bytes, by: User, now: datetime
) -> AgencyReport:
    """
    Keep the signed report as a file; another one takes its place until it is handed in.

    :raises ReviewRefused, EvidenceRefused:
    """
    locked, application, _scoring = _mine(report, version, by, now)
    examined = examine(name=name, content=content)
    path = store(folder=f"reviews/{application.pk}/agency", content=content, kind=examined.kind)
    locked.file_name, locked.sha256, locked.stored = examined.file_name, examined.sha256, path
    locked.version += 1
    locked.save()
    audit(
        by=by, now=now, organisation=locked.agency, action="reviews.attach_report",
        object_ref=f"application:{application.code}",
        detail={"file_name": examined.file_name, "sha256": examined.sha256},
    )  # fmt: skip
    return locked


@transaction.atomic
def submit_report(*, report: AgencyReport, version: int, by: User, now: datetime) -> AgencyReport:
    """
    Hand in the report as it was saved, complete; it never changes afterwards.

    :raises ReviewRefused: `report_incomplete` with what is open, `conflict_of_interest`, `acted_before`
    """
    locked, application, scoring = _mine(report, version, by, now)
    if missing := lacking(locked, scoring):
        raise ReviewRefused("report_incomplete", "、".join(missing))
    if found := conflict_of_agency(agency=locked.agency, application=application):
        raise ReviewRefused("conflict_of_interest", found.reason)
    edition = policy_queries.edition(application.round.edition)
    if had := other_duty(application, edition, by, Duty.RECOMMEND):
        raise ReviewRefused("acted_before", had)
    locked.submitted_at, locked.submitted_by = now, by
    locked.version += 1
    locked.save()
    audit(
        by=by, now=now, organisation=locked.agency, action="reviews.submit_report",
        object_ref=f"application:{application.code}",
        detail={"is_positive": locked.is_positive, "sha256": locked.sha256},
    )  # fmt: skip
    return locked


@transaction.atomic
def hand_in(*, report: AgencyReport, version: int, case_version: int, by: User, now: datetime) -> Application:
    """
    Hand in the report and pass the case on by its conclusion: both, or neither.

    :raises ReviewRefused:
    """
    submitted = submit_report(report=report, version=version, by=by, now=now)
    assert submitted.application is not None, "assigned for an application"
    action = Action.AGREE if submitted.is_positive else Action.DISAGREE
    return deciding.decide(
        application=submitted.application, version=case_version, action=action,
        said=deciding.Said(words=submitted.conclusion), role=AGENCY, by=by, now=now,
    )  # fmt: skip


def lacking(report: AgencyReport, scoring: Scoring | None) -> list[str]:
    """Return what the report still lacks, as people call it."""
    found = []
    if report.visited_on is None:
        found.append("现场评价日期")
    if scoring:
        found += [item.label for item in scoring.rubric if item.id not in report.scores]
    if not report.conclusion:
        found.append("评价结论")
    if report.is_positive is None:
        found.append("是否合格")
    if not report.sha256:
        found.append("评价报告文件")
    return found


def _mine(
    report: AgencyReport, version: int, by: User, now: datetime
) -> tuple[AgencyReport, Application, Scoring | None]:
    """Return the report for somebody of its agency who may write it now."""
    locked = lock_report(report)
    application = locked.application
    assert application is not None, "assigned for an application"
    staff = RoleAssignment.objects.filter(user=by, organisation=locked.agency, role=Role.AGENCY_STAFF)
    if not by.is_active or not staff.exists():
        raise ReviewRefused("not_permitted")
    if locked.submitted_at is not None:
        raise ReviewRefused("report_final")
    if is_excluded(agency=locked.agency, division_code=application.district_code, on=local_day(now)):
        raise ReviewRefused("agency_excluded", locked.agency.name)
    if locked.withdrawn_at is not None:
        raise ReviewRefused("agency_withdrawn")
    if application.round.closed_at is not None:
        raise ReviewRefused("round_closed")
    edition = policy_queries.edition(application.round.edition)
    if application.outcome or stages.stage_of(edition.stages, application.stage).kind != "third_party":
        raise ReviewRefused("stage_moved_on", application.stage)
    if locked.version != version:
        raise ReviewRefused("stale", str(locked.version))
    return locked, application, edition.scoring
