"""What must be there before an act – a check on site, replies, score sheets, a notice that is over – and who may not."""

from collections.abc import Collection
from datetime import date

from django.db.models import Count, Q

from wufei.policies.edition import Edition, Scoring, Stage
from wufei.registry.models import OrganisationKind, User
from wufei.reviews.duties import Duty, duty_of
from wufei.reviews.models import (
    Act,
    AgencyReport,
    Application,
    Assignment,
    Consultation,
    LateAdmission,
    NoticeItem,
    Objection,
    SiteCheck,
)
from wufei.reviews.queries.rounds import reported_by
from wufei.reviews.stages import Action


def unmet_before(
    *, application: Application, edition: Edition, stage: Stage, action: Action, on: date
) -> str:
    """Return the code of what is missing before the act; "" where nothing is."""
    is_late = action is Action.AGREE and is_reported_late(
        application=application, edition=edition, stage=stage, on=on
    )
    if is_late and leave_to_report(application=application, on=on) is None:
        return "reported_too_late"
    if stage.kind == "site_check" and action is Action.AGREE:
        made = SiteCheck.objects.filter(application=application, stage=stage.id).exists()
        return "" if made else "site_check_missing"
    if stage.kind == "third_party" and action in (Action.AGREE, Action.DISAGREE):
        return _report(application, is_positive=action is Action.AGREE)
    if stage.kind == "consultation" and action is Action.CONCLUDE:
        return _consultations(application, stage)
    if stage.kind == "experts" and action is Action.CONCLUDE:
        return _sheets(application, stage, edition.scoring)
    if action is Action.CONFIRM:
        return unmet_in_notice(applications=[application], action=action, on=on).get(application.pk, "")
    if action is Action.RECOGNISE and stage.kind == "decision":
        open_ = Objection.objects.filter(item__application=application, decision="")
        return "objection_open" if open_.exists() else ""
    return ""


def is_reported_late(*, application: Application, edition: Edition, stage: Stage, on: date) -> bool:
    """Return whether the stage is the one with which those below report, and their day is over."""
    day = reported_by(round_=application.round, edition=edition, stage=stage.id)
    return day is not None and day.stage == stage.id and on > day.on


def leave_to_report(*, application: Application, on: date) -> LateAdmission | None:
    """Return the leave to report the case late: its applicant's own, or that of an authority it is reported by."""
    divisions = {f"{application.district_code[:digits]:0<6}" for digits in (2, 4, 6)}
    reporting = Q(organisation__kind=OrganisationKind.AUTHORITY, organisation__division_code__in=divisions)
    rows = LateAdmission.objects.filter(round=application.round_id, until__gte=on)
    return rows.filter(Q(organisation=application.organisation_id) | reporting).order_by("-pk").first()


def _report(application: Application, *, is_positive: bool) -> str:
    """The agency's report is there, and concludes what its agency now says."""
    reports = AgencyReport.objects.filter(application=application, withdrawn_at=None)
    found = reports.order_by("-assigned_at", "-pk").first()  # of whom it was asked last
    if found is None or found.submitted_at is None:
        return "report_missing"
    return "" if found.is_positive == is_positive else "report_says_otherwise"


def _consultations(application: Application, stage: Stage) -> str:
    """Every department was asked, and has replied or let its time pass; silence is no consent, but no bar."""
    rows = Consultation.objects.filter(application=application, stage=stage.id)
    asked = {row.department: row for row in rows}
    if any(department.name not in asked for department in stage.departments):
        return "consultations_missing"
    open_ = [row for row in asked.values() if row.answered_at is None and row.closed_unanswered_at is None]
    return "consultations_open" if open_ else ""


def _sheets(application: Application, stage: Stage, scoring: Scoring | None) -> str:
    """As many experts as the edition asks for were given the case, and all of them are done, in every turn."""
    assigned = Assignment.objects.filter(application=application, stage=stage.id, withdrawn_at=None)
    found = assigned.aggregate(
        experts=Count("expert", distinct=True), given=Count("pk"), done=Count("sheet__submitted_at")
    )
    if found["experts"] < (scoring.experts_per_case if scoring else 1):
        return "sheets_too_few"
    return "sheets_missing" if found["done"] < found["given"] else ""


def unmet_in_notice(*, applications: Collection[Application], action: Action, on: date) -> dict[int, str]:
    """Return by application what is missing before it is listed or let go on; those that lack nothing are left out."""
    if action is not Action.CONFIRM:
        return {}
    keys = [each.pk for each in applications]
    items = NoticeItem.objects.filter(application__in=keys, removed_at=None).order_by("pk")
    ends = {row.application_id: (row.pk, row.notice.ends_on) for row in items.select_related("notice")}
    contested = set(
        Objection.objects.filter(item__in=[pk for pk, _ in ends.values()], decision="").values_list(
            "item", flat=True
        )
    )
    found = {}
    for key in keys:
        if key not in ends:
            found[key] = "notice_missing"
        elif on <= ends[key][1]:  # it runs through its last day
            found[key] = "notice_running"
        elif ends[key][0] in contested:
            found[key] = "objection_open"
    return found


def other_duty(application: Application, edition: Edition, person: User, duty: Duty) -> Duty | None:
    """Return the other duty that the person has in the case already, if any."""
    kinds = {stage.id: stage.kind for stage in edition.stages}
    done = Act.objects.filter(application=application, by=person) | Act.objects.filter(
        application=application, on_behalf_of=person
    )
    for stage_id, action in done.values_list("stage", "action").distinct():
        had = duty_of(kinds[stage_id], Action(action))
        if had is not None and had is not duty:
            return had
    # Who handed in a sheet has judged the case, also where the sheet no longer counts.
    counts = Q(withdrawn_at=None) | Q(sheet__submitted_at__isnull=False)
    scores = Assignment.objects.filter(counts, application=application, expert__user=person)
    if duty is not Duty.SCORE and scores.exists():
        return Duty.SCORE
    # Who handed in the agency's report recommended, whoever of the agency passed the case on.
    reported = AgencyReport.objects.filter(application=application, submitted_by=person)
    return Duty.RECOMMEND if duty is not Duty.RECOMMEND and reported.exists() else None
