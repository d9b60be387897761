"""What was found out on the way: consulted departments' opinions, and checks on site."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from wufei.registry.models import Organisation
from wufei.reviews.models.applications import Application


class Consultation(models.Model):
    """A department asked for its opinion on an application: 发展改革、生态环境、应急管理、市场监管、税务."""

    class Opinion(models.TextChoices):
        NO_OBJECTION = "NO_OBJECTION", _("无意见")
        REMARKS = "REMARKS", _("有意见建议")
        OBJECTION = "OBJECTION", _("不同意")

    application = models.ForeignKey(Application, models.PROTECT, related_name="consultations")
    stage = models.CharField(max_length=80)
    department = models.CharField(_("部门"), max_length=60)  # as the edition names it
    authority = models.ForeignKey(
        Organisation, models.PROTECT, null=True, related_name="+"
    )  # if in the system
    asked_at = models.DateTimeField(_("征求时间"))
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    due_on = models.DateField(_("答复期限"))
    opinion = models.CharField(_("意见"), max_length=16, choices=Opinion.choices, blank=True, default="")
    words = models.TextField(_("意见内容"), blank=True, default="")
    file_name = models.CharField(max_length=120, blank=True, default="")
    sha256 = models.CharField(max_length=64, blank=True, default="")
    stored = models.FileField(max_length=200, blank=True)
    answered_at = models.DateTimeField(_("答复时间"), null=True)
    answered_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    closed_unanswered_at = models.DateTimeField(_("逾期未复登记时间"), null=True)  # no reply, not a consent

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("application", "stage", "department"), name="reviews_consulted_once"
            ),
            models.CheckConstraint(
                condition=Q(opinion="", answered_at=None, answered_by=None)
                | (~Q(opinion="") & Q(answered_at__isnull=False, answered_by__isnull=False)),
                name="reviews_consultation_answered_at_and_by",
            ),
            models.CheckConstraint(
                condition=Q(closed_unanswered_at=None) | Q(opinion=""),
                name="reviews_consultation_no_reply_is_none",
            ),
        )
        indexes = (
            models.Index(
                fields=("authority", "due_on"), condition=Q(answered_at=None, closed_unanswered_at=None),
                name="reviews_consultation_open",
            ),
        )  # fmt: skip

    def __str__(self) -> str:
        return f"{self.department} on {self.application_id}"


class SiteCheck(models.Model):
    """A verification on site: when, where, by whom, what was seen. Sent from the phone, also later; append-only."""

    application = models.ForeignKey(Application, models.PROTECT, related_name="site_checks")
    stage = models.CharField(max_length=80)
    client_id = models.UUIDField()  # made on the phone: the same check never counts twice
    checked_at = models.DateTimeField(_("核查时间"))  # by the phone's clock
    latitude = models.DecimalField(_("纬度"), max_digits=9, decimal_places=6, null=True)
    longitude = models.DecimalField(_("经度"), max_digits=9, decimal_places=6, null=True)
    accuracy_m = models.PositiveIntegerField(_("定位精度（米）"), null=True)
    participants = models.TextField(_("参加人员"))
    criteria = models.JSONField(
        _("逐项核查"), default=dict
    )  # criterion → {"seen": "YES"|"NO"|"UNSEEN", "words": ...}
    words = models.TextField(_("核查意见"), blank=True, default="")
    received_at = models.DateTimeField(_("收到时间"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        constraints = (models.UniqueConstraint(fields=("client_id",), name="reviews_site_check_once"),)

    def __str__(self) -> str:
        return f"{self.application_id} at {self.checked_at}"


class SiteCheckPhoto(models.Model):
    """A picture of a check on site. Append-only."""

    check_made = models.ForeignKey(SiteCheck, models.PROTECT, related_name="photos")
    file_name = models.CharField(max_length=120)
    size = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    stored = models.FileField(max_length=200)

    def __str__(self) -> str:
        return self.file_name
