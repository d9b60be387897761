"""What must be there before an act: a check on site, replies, score sheets, a notice that is over."""

from datetime import date

from wufei.policies.edition import Stage
from wufei.reviews.models import (
    AgencyReport,
    Application,
    Assignment,
    Consultation,
    NoticeItem,
    Objection,
    SiteCheck,
)
from wufei.reviews.stages import Action


def unmet_before(*, application: Application, stage: Stage, action: Action, on: date) -> str:
    """Return the code of what is missing before the act; "" where nothing is."""
    if stage.kind == "site_check" and action is Action.AGREE:
        made = SiteCheck.objects.filter(application=application, stage=stage.id).exists()
        return "" if made else "site_check_missing"
    if stage.kind == "third_party" and action in (Action.AGREE, Action.DISAGREE):
        return _report(application, is_positive=action is Action.AGREE)
    if stage.kind == "consultation" and action is Action.CONCLUDE:
        return _consultations(application, stage)
    if stage.kind == "experts" and action is Action.CONCLUDE:
        return _sheets(application, stage)
    if action is Action.CONFIRM:
        return _notice(application, on)
    if action is Action.RECOGNISE and stage.kind == "decision":
        open_ = Objection.objects.filter(item__application=application, decision="")
        return "objection_open" if open_.exists() else ""
    return ""


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


def _sheets(application: Application, stage: Stage) -> str:
    assigned = Assignment.objects.filter(application=application, stage=stage.id, withdrawn_at=None)
    if not assigned.exists():
        return "sheets_missing"
    return "sheets_missing" if assigned.exclude(sheet__submitted_at__isnull=False).exists() else ""


def _notice(application: Application, on: date) -> str:
    """The notice ran all its working days, and no objection is open."""
    item = NoticeItem.objects.filter(application=application, removed_at=None).select_related("notice").last()
    if item is None:
        return "notice_missing"
    if on <= item.notice.ends_on:
        return "notice_running"
    return "objection_open" if Objection.objects.filter(item=item, decision="").exists() else ""
