"""What the partial templates of an application's page read: checks on site, consultations, the agency's report."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django import template
from django.template.context import Context
from django.utils import timezone

from wufei.registry.models import User
from wufei.reviews.models import AgencyReport, Application
from wufei.reviews.queries import agencies, consultations, site_checks
from wufei.reviews.site_sketch import Sketch
from wufei.terms.day import local_day

register = template.Library()


def _reader(context: Context) -> tuple[User, date]:
    user = context["request"].user
    assert isinstance(user, User), "LoginRequiredMiddleware saw to it"
    return user, local_day(timezone.now())


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteChecks:
    checks: tuple[site_checks.Checked, ...]
    sketch: Sketch | None
    may_check: bool


@register.simple_tag(takes_context=True)
def site_check_record(context: Context, application: Application) -> SiteChecks:
    """Return the checks on site, and whether the reader may make one now."""
    user, today = _reader(context)
    found = site_checks.record_of(application=application)
    may = site_checks.may_check(user=user, application=application, on=today)
    return SiteChecks(checks=found.checks, sketch=found.sketch, may_check=may)


@register.simple_tag(takes_context=True)
def consultation_record(context: Context, application: Application) -> consultations.Asked:
    """Return who was asked, as far as the reader may know, and what the reader may do."""
    user, today = _reader(context)
    return consultations.asked(user=user, application=application, on=today)


@register.simple_tag
def agency_report(application: Application) -> AgencyReport | None:
    """Return the application's evaluation by an agency, or its assignment."""
    return agencies.live_report(application=application)


@register.filter
def rubric_rows(report: AgencyReport) -> list[dict[str, Any]]:
    """Return the report's points and comments by item of the edition's rubric."""
    return agencies.rubric_rows(report=report)
