"""Rounds: a call under one edition, and the packages that pass from one level's round to the next."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from wufei.registry.models import Organisation


class Round(models.Model):
    """A year's round of one edition, opened by the authority that runs it: 征集/申报."""

    uid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)  # the same in every system
    edition = models.CharField(_("政策版本"), max_length=80)
    year = models.PositiveSmallIntegerField(_("年度"))
    authority = models.ForeignKey(Organisation, models.PROTECT, related_name="+", verbose_name=_("组织单位"))
    title = models.CharField(_("名称"), max_length=200)
    notice_text = models.TextField(_("通知正文"), default="", blank=True)
    addressees = models.TextField(_("主送单位"), default="", blank=True)
    submission_deadline = models.DateField(_("报送截止日期"), null=True, blank=True)
    grace_minutes = models.PositiveIntegerField(_("截止时正在提交的宽限（分钟）"), default=30)
    quotas = models.JSONField(_("名额"), default=dict)  # quota id of the edition → number; else the edition's
    opened_at = models.DateTimeField(_("发起时间"))
    opened_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    published_at = models.DateTimeField(_("发布时间"), null=True)
    published_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    closed_at = models.DateTimeField(_("结束时间"), null=True)
    closed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("edition", "year", "authority"), name="reviews_round_once"),
            models.CheckConstraint(
                condition=Q(published_at=None, published_by=None)
                | Q(published_at__isnull=False, published_by__isnull=False),
                name="reviews_round_published_at_and_by",
            ),
            models.CheckConstraint(
                condition=Q(closed_at=None, closed_by=None)
                | Q(closed_at__isnull=False, closed_by__isnull=False),
                name="reviews_round_closed_at_and_by",
            ),
        )

    def __str__(self) -> str:
        return f"{self.edition} {self.year}"


class LateAdmission(models.Model):
    """An authority's leave to one organisation to hand in after the deadline, with the reason. Append-only."""

    round = models.ForeignKey(Round, models.PROTECT, related_name="late_admissions")
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    until = models.DateField(_("接收至"))
    reason = models.CharField(_("理由"), max_length=200)
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    def __str__(self) -> str:
        return f"{self.organisation_id} until {self.until}"


class RoundDocument(models.Model):
    """A file that goes with a round: the sealed notice, a recommendation letter, the minutes, the decision."""

    round = models.ForeignKey(Round, models.PROTECT, related_name="documents")
    kind = models.CharField(max_length=24)  # "notice", "recommendation", "minutes", "decision", "other"
    authority = models.ForeignKey(
        Organisation, models.PROTECT, null=True, related_name="+"
    )  # whose it is; None: the round's
    file_name = models.CharField(_("文件名"), max_length=120)
    size = models.PositiveBigIntegerField(_("大小（字节）"))
    sha256 = models.CharField("SHA-256", max_length=64)
    stored = models.FileField(max_length=200)
    is_public = models.BooleanField(_("公开"), default=False)
    added_at = models.DateTimeField()
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    def __str__(self) -> str:
        return self.file_name


class SigningKey(models.Model):
    """An authority's Ed25519 key; `private_key` is only there for authorities that work in this system."""

    authority = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    public_key = models.CharField(max_length=64, unique=True)  # hex
    private_key = models.CharField(max_length=64, default="", blank=True)  # hex
    made_at = models.DateTimeField()
    trusted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    def __str__(self) -> str:
        return f"{self.public_key[:16]} of {self.authority_id}"


class Package(models.Model):
    """A signed package that left a round, or was loaded into one. Append-only."""

    round = models.ForeignKey(Round, models.PROTECT, related_name="packages")
    is_incoming = models.BooleanField()
    source_round = models.UUIDField()
    sha256 = models.CharField(max_length=64)
    public_key = models.CharField(max_length=64)
    application_count = models.PositiveIntegerField()
    handled_at = models.DateTimeField()
    handled_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("round", "source_round"),
                condition=Q(is_incoming=True),
                name="reviews_package_loaded_once",
            ),
        )

    def __str__(self) -> str:
        return self.sha256
