"""Third-party agencies: their reports, how their work was judged, and who is shut out."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from wufei.registry.models import Organisation
from wufei.reviews.models.applications import Application


class AgencyReport(models.Model):
    """An agency's evaluation on site of an organisation; `scores` follow the edition's rubric."""

    agency = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    edition = models.CharField(max_length=80)
    year = models.PositiveSmallIntegerField()
    application = models.ForeignKey(Application, models.PROTECT, null=True, related_name="agency_reports")
    assigned_at = models.DateTimeField(_("委托时间"))
    assigned_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    visited_on = models.DateField(_("现场评价日期"), null=True)
    scores = models.JSONField(default=dict)  # item → decimal text
    comments = models.JSONField(default=dict)
    conclusion = models.TextField(_("评价结论"), blank=True, default="")
    is_positive = models.BooleanField(_("评价合格"), null=True)
    file_name = models.CharField(max_length=120, blank=True, default="")
    sha256 = models.CharField(max_length=64, blank=True, default="")
    stored = models.FileField(max_length=200, blank=True)
    submitted_at = models.DateTimeField(null=True)
    submitted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    # Declined, taken back, or the agency was excluded. Null and not "": SQLite would make the table anew to add
    # a column with a default, and drop what guards it.
    withdrawn_at = models.DateTimeField(_("解除委托时间"), null=True)
    withdrawn_reason = models.CharField(_("解除委托原因"), max_length=200, null=True)  # noqa: DJ001
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("agency", "organisation", "edition", "year"), name="reviews_agency_report_once"
            ),
            models.CheckConstraint(
                condition=Q(submitted_at=None, submitted_by=None)
                | Q(submitted_at__isnull=False, submitted_by__isnull=False, is_positive__isnull=False),
                name="reviews_agency_report_submitted_at_and_by",
            ),
        )

    def __str__(self) -> str:
        return f"{self.agency_id} on {self.organisation_id}"


class AgencyMark(models.Model):
    """How an authority judged an agency's work in a year: strength, report quality, process."""

    authority = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    agency = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    year = models.PositiveSmallIntegerField()
    strength = models.DecimalField(_("综合实力"), max_digits=6, decimal_places=2)
    report_quality = models.DecimalField(_("报告质量"), max_digits=6, decimal_places=2)
    process = models.DecimalField(_("工作过程"), max_digits=6, decimal_places=2)
    words = models.TextField(blank=True, default="")
    is_recommended = models.BooleanField(_("推荐"), default=False)
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("authority", "agency", "year"), name="reviews_agency_mark_once"),
        )

    def __str__(self) -> str:
        return f"{self.agency_id} in {self.year}"


class SpotCheck(models.Model):
    """A spot check of an agency's report 抽查."""

    class Result(models.TextChoices):
        SOUND = "SOUND", _("属实")
        FLAWED = "FLAWED", _("有瑕疵")
        FALSE = "FALSE", _("弄虚作假")

    report = models.ForeignKey(AgencyReport, models.PROTECT, related_name="spot_checks")
    result = models.CharField(_("结果"), max_length=8, choices=Result.choices)
    words = models.TextField(_("情况"))
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    def __str__(self) -> str:
        return f"{self.result} of {self.report_id}"


class AgencyExclusion(models.Model):
    """An agency that may not evaluate any more, and why: 取消评价资格. Append-only."""

    authority = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    agency = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    on = models.DateField(_("日期"))
    cause = models.CharField(_("事由"), max_length=200)
    document = models.CharField(_("文号"), max_length=60, blank=True, default="")
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("authority", "agency"), name="reviews_exclusion_once"),
        )

    def __str__(self) -> str:
        return f"{self.agency_id} from {self.on}"
