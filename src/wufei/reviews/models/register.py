"""The register 名单: titles, what happened to them, their yearly re-evaluation, and facts of credit."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from wufei.registry.models import Organisation
from wufei.reviews.models.applications import Application


class Title(models.Model):
    """A title as it was given. It never changes; what happened to it afterwards are its events."""

    class Level(models.TextChoices):
        DISTRICT = "DISTRICT", _("区县级")
        CITY = "CITY", _("市级")
        PROVINCE = "PROVINCE", _("省级")
        MINISTRY = "MINISTRY", _("国家级")

    edition = models.CharField(_("政策版本"), max_length=80)
    name = models.CharField(_("称号"), max_length=120)
    level = models.CharField(_("级别"), max_length=10, choices=Level.choices)
    year = models.PositiveSmallIntegerField(_("认定年度"))
    number = models.CharField(_("编号"), max_length=60, unique=True)
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")  # that it was given to
    name_given = models.CharField(_("认定时名称"), max_length=200)
    authority = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    application = models.OneToOneField(Application, models.PROTECT, null=True, related_name="title")
    granted_on = models.DateField(_("认定日期"))
    valid_to = models.DateField(_("有效期至"), null=True)  # None: until it is removed or revoked
    document = models.CharField(_("文号"), max_length=60, blank=True, default="")

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_to__gt=F("granted_on")),
                name="reviews_title_valid_after_grant",
            ),
        )
        indexes = (models.Index(fields=("edition", "year"), name="reviews_title_by_edition"),)

    def __str__(self) -> str:
        return self.number


class TitleEvent(models.Model):
    """Something that happened to a title. Append-only; who holds it and whether it stands follow from these."""

    class Kind(models.TextChoices):
        GRANTED = "GRANTED", _("认定")
        RENAMED = "RENAMED", _("更名")
        REORGANISED = "REORGANISED", _("重组承继")
        REMOVED = "REMOVED", _("移出名单")
        REVOKED = "REVOKED", _("撤销称号")
        WARNED = "WARNED", _("限期整改")

    title = models.ForeignKey(Title, models.PROTECT, related_name="events")
    kind = models.CharField(_("事项"), max_length=12, choices=Kind.choices)
    on = models.DateField(_("日期"))
    holder = models.ForeignKey(Organisation, models.PROTECT, related_name="+")  # from this day on
    holder_name = models.CharField(max_length=200)
    cause = models.CharField(_("事由"), max_length=80, blank=True, default="")  # criterion id of the edition
    words = models.TextField(_("说明"), blank=True, default="")
    document = models.CharField(_("文号"), max_length=60, blank=True, default="")
    bars_until = models.DateField(_("不得申报至"), null=True)  # of a revocation
    announced_at = models.DateTimeField(null=True)
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=~Q(kind__in=("REMOVED", "REVOKED")) | ~Q(cause=""),
                name="reviews_title_ends_with_cause",
            ),
            models.UniqueConstraint(
                fields=("title",),
                condition=Q(kind__in=("REMOVED", "REVOKED")),
                name="reviews_title_ends_once",
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} of {self.title_id}"


class ChangeReport(models.Model):
    """A holder's report that it was renamed or reorganised, within 30 working days, through its district."""

    class Kind(models.TextChoices):
        RENAME = "RENAME", _("更名")
        REORGANISATION = "REORGANISATION", _("重组")
        CLOSURE = "CLOSURE", _("依法终止")

    class State(models.TextChoices):
        REPORTED = "REPORTED", _("待区县审核")
        DISTRICT_AGREED = "DISTRICT_AGREED", _("待市级办理")
        RECORDED = "RECORDED", _("已调整")
        REFUSED = "REFUSED", _("不予调整")

    title = models.ForeignKey(Title, models.PROTECT, related_name="change_reports")
    kind = models.CharField(_("事项"), max_length=16, choices=Kind.choices)
    completed_on = models.DateField(_("办理手续日期"))
    due_on = models.DateField(_("上报期限"))
    new_name = models.CharField(_("新名称"), max_length=200, blank=True, default="")
    successor = models.ForeignKey(Organisation, models.PROTECT, null=True, related_name="+")
    words = models.TextField(_("说明"), blank=True, default="")
    file_name = models.CharField(max_length=120, blank=True, default="")
    sha256 = models.CharField(max_length=64, blank=True, default="")
    stored = models.FileField(max_length=200, blank=True)
    state = models.CharField(_("状态"), max_length=16, choices=State.choices, default=State.REPORTED)
    reported_at = models.DateTimeField()
    reported_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    district_words = models.TextField(blank=True, default="")
    district_at = models.DateTimeField(null=True)
    district_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    city_words = models.TextField(blank=True, default="")
    city_at = models.DateTimeField(null=True)
    city_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(district_at=None, district_by=None)
                | Q(district_at__isnull=False, district_by__isnull=False),
                name="reviews_change_district_at_and_by",
            ),
            models.CheckConstraint(
                condition=Q(city_at=None, city_by=None) | Q(city_at__isnull=False, city_by__isnull=False),
                name="reviews_change_city_at_and_by",
            ),
        )
        indexes = (models.Index(fields=("state", "due_on"), name="reviews_change_by_state"),)

    def __str__(self) -> str:
        return f"{self.kind} of {self.title_id}"


class Reevaluation(models.Model):
    """A title's yearly self-evaluation against the new requirements 自评价对标. One a year; append-only."""

    title = models.ForeignKey(Title, models.PROTECT, related_name="reevaluations")
    edition = models.CharField(max_length=80)  # that it was evaluated against
    year = models.PositiveSmallIntegerField(_("年度"))
    score = models.DecimalField(_("得分"), max_digits=9, decimal_places=4, null=True)  # None: not known
    verdict = models.CharField(max_length=8)
    submission = models.ForeignKey("cases.Submission", models.PROTECT, null=True, related_name="+")
    evaluation = models.JSONField(default=dict)
    answered_at = models.DateTimeField()
    answered_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        constraints = (models.UniqueConstraint(fields=("title", "year"), name="reviews_reevaluation_once"),)
        indexes = (models.Index(fields=("year", "score", "title"), name="reviews_reevaluation_by_score"),)

    def __str__(self) -> str:
        return f"{self.title_id} {self.year}: {self.score}"


class CreditFact(models.Model):
    """A fact of credit or a penalty, imported with its source and date. Append-only."""

    uscc = models.CharField(_("统一社会信用代码"), max_length=18, db_index=True)
    kind = models.CharField(_("类别"), max_length=40)
    source = models.CharField(_("来源"), max_length=120)
    reference = models.CharField(_("文号"), max_length=120, blank=True, default="")
    on = models.DateField(_("日期"))
    words = models.CharField(_("内容"), max_length=500)
    fingerprint = models.CharField(max_length=64, unique=True)
    imported_at = models.DateTimeField()
    imported_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        indexes = (
            models.Index(fields=("on",), name="reviews_credit_by_day"),
            models.Index(fields=("kind", "uscc", "imported_by"), name="reviews_credit_by_kind"),
        )

    def __str__(self) -> str:
        return f"{self.kind} of {self.uscc}"


class Cultivation(models.Model):
    """An organisation in an authority's tiered cultivation library 梯度培育库."""

    class Tier(models.TextChoices):
        SEED = "SEED", _("培育对象")
        DISTRICT = "DISTRICT", _("区县级")
        CITY = "CITY", _("市级")
        NATION = "NATION", _("国家级")

    authority = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    programme = models.CharField(_("方向"), max_length=80)  # edition id
    tier = models.CharField(_("梯度"), max_length=10, choices=Tier.choices)
    since = models.DateField(_("入库日期"))
    until = models.DateField(_("出库日期"), null=True)
    note = models.CharField(_("说明"), max_length=200, blank=True, default="")
    entered_at = models.DateTimeField()
    entered_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("authority", "organisation", "programme"), condition=Q(until=None),
                name="reviews_cultivation_once",
            ),
        )  # fmt: skip

    def __str__(self) -> str:
        return f"{self.organisation_id} {self.tier}"
