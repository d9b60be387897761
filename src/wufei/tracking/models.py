"""
What is stored of vehicles on their way. Write only through `tracking.services`.

Positions are never changed; they are deleted when they were kept long enough. Planned routes are append-only, and alerts
are never deleted: the database itself holds both (`migrations/0002_guards.py`).
"""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from wufei.registry.models import Organisation, Vehicle
from wufei.tracking.geometry import LARGEST_LATITUDE, LARGEST_LONGITUDE
from wufei.tracking.incidents import KIND_LABELS, AlertKind
from wufei.transfers.models import Leg, Manifest

WHO = settings.AUTH_USER_MODEL
KINDS = [(kind.value, KIND_LABELS[kind]) for kind in AlertKind]


class Tracker(models.Model):
    """A device 定位终端 in a vehicle, or the phone of a driver on one leg. `code` is given by us, and no secret."""

    class Kind(models.TextChoices):
        DEVICE = "DEVICE", _("车载终端")
        PHONE = "PHONE", _("手机")

    organisation = models.ForeignKey(Organisation, models.PROTECT, db_index=False, related_name="+")
    code = models.CharField(_("终端编码"), max_length=40, unique=True)
    kind = models.CharField(_("类型"), max_length=6, choices=Kind.choices)
    name = models.CharField(_("名称"), max_length=60)
    vehicle = models.ForeignKey(Vehicle, models.PROTECT, null=True, related_name="+")  # of a device, for good
    leg = models.ForeignKey(Leg, models.PROTECT, null=True, related_name="+")  # of a phone
    # To verify a signature takes the secret itself; no page, log or answer ever shows it again.
    secret = models.CharField(max_length=64, blank=True, default="")
    registered_at = models.DateTimeField(_("登记时间"))
    registered_by = models.ForeignKey(WHO, models.PROTECT, related_name="+")
    retired_at = models.DateTimeField(_("停用时间"), null=True, blank=True)

    class Meta:
        verbose_name = _("定位终端")
        constraints = (
            models.CheckConstraint(
                condition=(Q(kind="DEVICE", vehicle__isnull=False, leg=None) & ~Q(secret=""))
                | Q(kind="PHONE", vehicle=None, leg__isnull=False, secret=""),
                name="tracking_tracker_in_a_vehicle_or_on_a_leg",
            ),
        )
        indexes = (models.Index(fields=("organisation", "name"), name="tracking_tracker_by_name"),)

    def __str__(self) -> str:
        return f"{self.code} of {self.organisation_id}"


class Position(models.Model):
    """Where a tracker said it was, with the reason where that may not be used. WGS-84, micro-degrees."""

    tracker = models.ForeignKey(Tracker, models.PROTECT, db_index=False, related_name="+")
    sequence = models.BigIntegerField(_("序号"))
    digest = models.CharField(max_length=64)  # of what was said: the same again is the same position
    # None where what was said means nothing.
    at = models.DateTimeField(_("定位时间"), null=True)
    latitude_udeg = models.IntegerField(_("纬度"), null=True)
    longitude_udeg = models.IntegerField(_("经度"), null=True)
    received_at = models.DateTimeField(_("收到时间"), db_index=True)
    refusal = models.CharField(_("拒收原因"), max_length=24, blank=True, default="")
    is_outlier = models.BooleanField(_("存疑"), default=False)  # kept, and not drawn

    class Meta:
        verbose_name = _("位置")
        constraints = (
            models.UniqueConstraint(fields=("tracker", "sequence", "digest"), name="tracking_position_once"),
            models.UniqueConstraint(
                fields=("tracker", "sequence"), condition=~Q(refusal="sequence_reused"),
                name="tracking_position_number_once",
            ),
            models.CheckConstraint(
                condition=~Q(refusal="")
                | Q(
                    at__isnull=False,
                    latitude_udeg__gte=-LARGEST_LATITUDE, latitude_udeg__lte=LARGEST_LATITUDE,
                    longitude_udeg__gte=-LARGEST_LONGITUDE, longitude_udeg__lte=LARGEST_LONGITUDE,
                ),
                name="tracking_position_accepted_is_somewhere",
            ),
        )  # fmt: skip
        indexes = (
            models.Index(fields=("tracker", "at"), name="tracking_position_by_time"),
            models.Index(fields=("tracker", "-received_at"), name="tracking_position_latest"),
        )

    def __str__(self) -> str:
        return f"{self.tracker_id} #{self.sequence}"


class PlannedRoute(models.Model):
    """The way that a manifest's load is to go, stated before it left; the latest holds. Append-only."""

    manifest = models.ForeignKey(Manifest, models.PROTECT, db_index=False, related_name="+")
    number = models.PositiveSmallIntegerField()
    stages = models.JSONField(_("路线"))  # [{"latitude_udeg", "longitude_udeg", "name"}, …]
    stated_for = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    stated_by = models.ForeignKey(WHO, models.PROTECT, related_name="+")
    stated_at = models.DateTimeField(_("申报时间"))

    class Meta:
        verbose_name = _("申报路线")
        constraints = (
            models.UniqueConstraint(fields=("manifest", "number"), name="tracking_route_number_once"),
        )

    def __str__(self) -> str:
        return f"route {self.number} of {self.manifest_id}"


class Track(models.Model):
    """
    The track of one leg, summed up from its positions each time that it is judged.

    It stays when the positions are deleted; `positions_sha256` then tells whether a copy that somebody kept is the same.
    """

    leg = models.OneToOneField(Leg, models.PROTECT, related_name="+")
    judged_at = models.DateTimeField()
    is_heard = models.BooleanField(default=False)  # a tracker or a phone was there to be heard
    position_count = models.PositiveIntegerField(_("位置数"), default=0)
    outlier_count = models.PositiveIntegerField(_("存疑位置数"), default=0)
    length_m = models.PositiveIntegerField(_("里程（米）"), default=0)
    first_at = models.DateTimeField(_("首个位置"), null=True)
    last_at = models.DateTimeField(_("最后位置"), null=True)
    last_latitude_udeg = models.IntegerField(null=True)
    last_longitude_udeg = models.IntegerField(null=True)
    positions_sha256 = models.CharField(max_length=64, blank=True, default="")
    ended_at = models.DateTimeField(null=True)  # judged to the end of the leg
    purged_at = models.DateTimeField(_("位置删除时间"), null=True)

    class Meta:
        verbose_name = _("轨迹")
        constraints = (
            models.CheckConstraint(
                condition=Q(last_at=None)
                | Q(
                    first_at__isnull=False,
                    last_latitude_udeg__isnull=False,
                    last_longitude_udeg__isnull=False,
                ),
                name="tracking_track_last_is_somewhere",
            ),
        )
        indexes = (models.Index(fields=("ended_at",), name="tracking_track_ended"),)

    def __str__(self) -> str:
        return f"track of leg {self.leg_id}"


class Alert(models.Model):
    """
    A stop, a detour or a silence that was noticed. Never deleted.

    What a later backlog disproves is withdrawn, and stands with that.
    """

    track = models.ForeignKey(Track, models.PROTECT, db_index=False, related_name="alerts")
    kind = models.CharField(_("提醒"), max_length=8, choices=KINDS)
    began_at = models.DateTimeField(_("开始"))
    ended_at = models.DateTimeField(_("结束"), null=True)  # None: it goes on
    latitude_udeg = models.IntegerField(null=True)
    longitude_udeg = models.IntegerField(null=True)
    metres = models.PositiveIntegerField(_("偏离（米）"), null=True)
    opened_at = models.DateTimeField(_("发现时间"))
    withdrawn_at = models.DateTimeField(_("撤销时间"), null=True)
    acknowledged_at = models.DateTimeField(_("处理时间"), null=True)
    acknowledged_by = models.ForeignKey(WHO, models.PROTECT, null=True, related_name="+")
    acknowledged_for = models.ForeignKey(Organisation, models.PROTECT, null=True, related_name="+")
    remark = models.CharField(_("情况说明"), max_length=300, blank=True, default="")

    class Meta:
        verbose_name = _("运输提醒")
        constraints = (
            models.UniqueConstraint(fields=("track", "kind", "began_at"), name="tracking_alert_once"),
            models.CheckConstraint(
                condition=Q(ended_at=None) | Q(ended_at__gte=models.F("began_at")),
                name="tracking_alert_ends_after_it_begins",
            ),
            models.CheckConstraint(
                condition=Q(acknowledged_at=None, acknowledged_by=None, acknowledged_for=None, remark="")
                | (
                    Q(acknowledged_at__isnull=False, acknowledged_by__isnull=False)
                    & Q(acknowledged_for__isnull=False)
                    & ~Q(remark="")
                ),
                name="tracking_alert_acknowledged_with_remark",
            ),
        )
        indexes = (
            models.Index(
                fields=("track",), condition=Q(acknowledged_at=None, withdrawn_at=None),
                name="tracking_alert_waiting",
            ),
        )  # fmt: skip

    def __str__(self) -> str:
        return f"{self.kind} of {self.track_id}"
