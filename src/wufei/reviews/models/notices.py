"""Public notices 公示, and the objections raised against what stands in them."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from wufei.reviews.models.applications import Application
from wufei.reviews.models.rounds import Round


class PublicNotice(models.Model):
    """A list shown to the public for a number of working days."""

    round = models.ForeignKey(Round, models.PROTECT, related_name="notices")
    stage = models.CharField(max_length=80)
    title = models.CharField(_("标题"), max_length=200)
    text = models.TextField(_("正文"))
    working_days = models.PositiveSmallIntegerField(_("公示工作日"))
    begins_on = models.DateField(_("起"))
    ends_on = models.DateField(_("止"))  # the last working day, through its end
    contact = models.CharField(_("联系方式"), max_length=200, blank=True, default="")
    published_at = models.DateTimeField()
    published_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(ends_on__gt=F("begins_on")), name="reviews_notice_ends_after_it_begins"
            ),
        )

    def __str__(self) -> str:
        return self.title


class NoticeItem(models.Model):
    """An application in a notice; a removed one stays on record with its reason."""

    notice = models.ForeignKey(PublicNotice, models.PROTECT, related_name="items")
    application = models.ForeignKey(Application, models.PROTECT, related_name="notice_items")
    position = models.PositiveIntegerField()
    name_shown = models.CharField(max_length=200)  # the holder's name on the day
    removed_at = models.DateTimeField(null=True)
    removed_reason = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("notice", "application"), name="reviews_notice_item_once"),
            models.CheckConstraint(
                condition=Q(removed_at=None, removed_reason="")
                | (Q(removed_at__isnull=False) & ~Q(removed_reason="")),
                name="reviews_notice_item_removed_with_reason",
            ),
        )

    def __str__(self) -> str:
        return f"{self.position} {self.name_shown}"


class Extension(models.Model):
    """A notice's end put off. Append-only."""

    notice = models.ForeignKey(PublicNotice, models.PROTECT, related_name="extensions")
    ends_on = models.DateField()
    reason = models.CharField(max_length=200)
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    def __str__(self) -> str:
        return f"{self.notice_id} until {self.ends_on}"


class Objection(models.Model):
    """What somebody says against an application in a notice, and what was decided of it."""

    class Decision(models.TextChoices):
        UPHELD = "UPHELD", _("异议成立")
        DISMISSED = "DISMISSED", _("异议不成立")

    item = models.ForeignKey(NoticeItem, models.PROTECT, related_name="objections")
    code = models.CharField(_("受理编号"), max_length=20, unique=True)
    objector_name = models.CharField(_("异议人"), max_length=60)
    objector_contact = models.CharField(_("联系方式"), max_length=120)
    words = models.TextField(_("异议内容"))
    received_at = models.DateTimeField(_("收到时间"))
    decision = models.CharField(
        _("处理结果"), max_length=12, choices=Decision.choices, blank=True, default=""
    )
    decision_words = models.TextField(_("处理意见"), blank=True, default="")
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(decision="", decided_at=None, decided_by=None)
                | (~Q(decision="") & Q(decided_at__isnull=False, decided_by__isnull=False)),
                name="reviews_objection_decided_at_and_by",
            ),
        )

    def __str__(self) -> str:
        return self.code


class ObjectionEvidence(models.Model):
    """A file that an objector handed in."""

    objection = models.ForeignKey(Objection, models.PROTECT, related_name="evidence")
    file_name = models.CharField(max_length=120)
    size = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    stored = models.FileField(max_length=200)

    def __str__(self) -> str:
        return self.file_name
