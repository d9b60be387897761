"""
What is stored of scales, their readings, and what phones could not post. Write only through `shopfloor.services`.

Readings and what became of them are append-only, which the database itself holds (`migrations/0002_guards.py`).
"""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from wufei.ledger.models import Movement, Place, Stream
from wufei.registry.models import Organisation

WHO = settings.AUTH_USER_MODEL


class Rule(models.TextChoices):
    """What becomes of an accepted reading."""

    WAIT = "WAIT", _("等工人取用")
    POST = "POST", _("自动记为产生")


class Scale(models.Model):
    """A scale 秤 that may send readings. `code` is given by us, stands for ever, and is no secret."""

    organisation = models.ForeignKey(Organisation, models.PROTECT, db_index=False, related_name="+")
    code = models.CharField(_("秤编码"), max_length=12, unique=True)
    name = models.CharField(_("名称"), max_length=60)
    store = models.ForeignKey(Place, models.PROTECT, related_name="+")  # where it stands
    capacity_g = models.BigIntegerField(_("最大秤量（克）"))
    division_g = models.BigIntegerField(_("分度值（克）"))
    calibrated_until = models.DateField(_("检定有效期至"))  # its last day
    # To verify a signature takes the secret itself; no page, log or answer ever shows it again.
    secret = models.CharField(max_length=64)
    rule = models.CharField(_("收到读数后"), max_length=8, choices=Rule.choices, default=Rule.WAIT)
    stream = models.ForeignKey(Stream, models.PROTECT, null=True, blank=True, related_name="+")
    ruled_by = models.ForeignKey(WHO, models.PROTECT, related_name="+")  # in whose name it posts
    registered_at = models.DateTimeField(_("登记时间"))
    retired_at = models.DateTimeField(_("停用时间"), null=True, blank=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = _("秤")
        constraints = (
            models.CheckConstraint(
                condition=Q(capacity_g__gt=0, division_g__gt=0, division_g__lte=models.F("capacity_g")),
                name="shopfloor_scale_weighs_something",
            ),
            models.CheckConstraint(
                condition=Q(rule="WAIT", stream=None) | Q(rule="POST", stream__isnull=False),
                name="shopfloor_scale_posts_a_stream",
            ),
        )
        indexes = (models.Index(fields=("organisation", "name"), name="shopfloor_scale_by_name"),)

    def __str__(self) -> str:
        return f"{self.code} of {self.organisation_id}"


class Reading(models.Model):
    """What a scale said of one weighing, with the reason where it may not be used. Append-only."""

    scale = models.ForeignKey(Scale, models.PROTECT, db_index=False, related_name="+")
    sequence = models.BigIntegerField(_("读数序号"))
    digest = models.CharField(max_length=64)  # of what was said: the same again is the same reading
    said = models.JSONField(_("原文"))
    # None where what was said means nothing.
    gross_g = models.BigIntegerField(_("毛重（克）"), null=True)
    tare_g = models.BigIntegerField(_("皮重（克）"), null=True)
    net_g = models.BigIntegerField(_("净重（克）"), null=True)
    taken_at = models.DateTimeField(_("称重时间"), null=True)
    received_at = models.DateTimeField(_("收到时间"))
    refusal = models.CharField(_("拒收原因"), max_length=24, blank=True, default="")
    # Why an accepted reading was not posted by rule and waits for a person.
    waits_because = models.CharField(_("未自动记账的原因"), max_length=40, blank=True, default="")

    class Meta:
        verbose_name = _("读数")
        constraints = (
            models.UniqueConstraint(fields=("scale", "digest"), name="shopfloor_reading_once"),
            models.UniqueConstraint(
                fields=("scale", "sequence"),
                condition=~Q(refusal="sequence_reused"),
                name="shopfloor_reading_number_once",
            ),
            models.CheckConstraint(
                condition=~Q(refusal="") | Q(net_g__gt=0, taken_at__isnull=False),
                name="shopfloor_reading_accepted_weighs",
            ),
        )
        indexes = (models.Index(fields=("scale", "-received_at"), name="shopfloor_reading_latest"),)

    def __str__(self) -> str:
        return f"{self.scale_id} #{self.sequence}"


class ReadingUse(models.Model):
    """What became of an accepted reading: the movement that took it, or why it is nobody's. Append-only."""

    reading = models.OneToOneField(Reading, models.PROTECT, related_name="use")
    movement = models.OneToOneField(Movement, models.PROTECT, null=True, related_name="+")
    reason = models.CharField(_("作废原因"), max_length=200, blank=True, default="")
    by_rule = models.BooleanField(default=False)
    at = models.DateTimeField(_("时间"))
    by = models.ForeignKey(WHO, models.PROTECT, related_name="+")

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(movement__isnull=False, reason="") | (Q(movement=None) & ~Q(reason="")),
                name="shopfloor_reading_use_movement_or_reason",
            ),
        )

    def __str__(self) -> str:
        return f"{self.reading_id} → {self.movement_id or self.reason}"


class Phone(models.Model):
    """A phone that makes lot codes without a network: its number begins them, so no two phones make the same."""

    organisation = models.ForeignKey(Organisation, models.PROTECT, db_index=False, related_name="+")
    number = models.PositiveIntegerField(_("手机编号"))
    client_id = models.UUIDField()  # made by the phone; asked again, it has the same number
    registered_at = models.DateTimeField()
    registered_by = models.ForeignKey(WHO, models.PROTECT, related_name="+")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("organisation", "number"), name="shopfloor_phone_number_once"),
            models.UniqueConstraint(fields=("organisation", "client_id"), name="shopfloor_phone_once"),
        )

    def __str__(self) -> str:
        return f"{self.number} of {self.organisation_id}"


class AbandonedEntry(models.Model):
    """An entry of a phone that was refused and that its worker gave up, with the reason. Append-only."""

    organisation = models.ForeignKey(Organisation, models.PROTECT, db_index=False, related_name="+")
    client_id = models.UUIDField()
    content = models.JSONField(_("内容"))  # as the phone had it
    refusal = models.CharField(_("未收下的原因"), max_length=300)
    reason = models.CharField(_("放弃的原因"), max_length=200)
    made_at = models.DateTimeField(_("填写时间"))
    abandoned_at = models.DateTimeField(_("放弃时间"))
    abandoned_by = models.ForeignKey(WHO, models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("放弃的记录")
        constraints = (
            models.UniqueConstraint(fields=("organisation", "client_id"), name="shopfloor_abandoned_once"),
            models.CheckConstraint(condition=~Q(reason=""), name="shopfloor_abandoned_with_reason"),
        )
        indexes = (models.Index(fields=("organisation", "-abandoned_at"), name="shopfloor_abandoned_latest"),)

    def __str__(self) -> str:
        return f"{self.client_id} of {self.organisation_id}"
