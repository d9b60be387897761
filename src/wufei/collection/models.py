"""
What is stored of small generators and their collection. Write only through `collection.services`.

Declarations with their lines, and what was confirmed with a signing code, are append-only, which the database itself
holds (`migrations/0002_guards.py`).
"""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from wufei.ledger.models import Movement, Place, Stream
from wufei.registry.models import Organisation
from wufei.transfers.models import Manifest


class Registration(models.Model):
    """
    A light registration 登记: what a small generator says of itself, or somebody says of it with its consent.

    Nothing is granted until a collector, the park or an authority confirms it; then `organisation` is there.
    """

    class State(models.TextChoices):
        PENDING = "PENDING", _("待确认")
        CONFIRMED = "CONFIRMED", _("已确认")
        DECLINED = "DECLINED", _("未通过")

    uscc = models.CharField(_("统一社会信用代码"), max_length=18)
    name = models.CharField(_("单位名称"), max_length=200)
    address = models.CharField(_("详细地址"), max_length=300)
    contact = models.CharField(_("联系人"), max_length=60)
    phone = models.CharField(_("电话"), max_length=30)
    division_code = models.CharField(_("行政区划代码"), max_length=6, db_index=True)
    # [{"waste_code", "name", "form", "packaging", "usual_g"}, …]
    wastes = models.JSONField(_("废物"))
    collector = models.ForeignKey(Organisation, models.PROTECT, null=True, related_name="+")
    park = models.ForeignKey(Organisation, models.PROTECT, null=True, related_name="+")
    has_checked_collector = models.BooleanField(_("已核实收集单位"), default=False)
    consent = models.CharField(
        _("同意书"), max_length=200, blank=True, default=""
    )  # of who is registered by another
    state = models.CharField(_("状态"), max_length=10, choices=State.choices, default=State.PENDING)
    submitted_at = models.DateTimeField(_("登记时间"))
    submitted_by = models.ForeignKey(  # None: the public page
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    decided_at = models.DateTimeField(_("办理时间"), null=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    decided_for = models.ForeignKey(Organisation, models.PROTECT, null=True, related_name="+")
    reason = models.CharField(_("原因"), max_length=300, blank=True, default="")
    organisation = models.ForeignKey(Organisation, models.PROTECT, null=True, related_name="+")
    # What the registrant looks the registration up by, and once sets an account with; only its digest is kept.
    receipt_digest = models.CharField(max_length=64, unique=True)
    activated_at = models.DateTimeField(_("设账号时间"), null=True)
    activated_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("uscc",), condition=Q(state="PENDING"), name="collection_registration_one_pending"
            ),
            models.CheckConstraint(
                condition=Q(state="PENDING", decided_at=None, decided_by=None, decided_for=None)
                | (
                    ~Q(state="PENDING")
                    & Q(decided_at__isnull=False, decided_by__isnull=False, decided_for__isnull=False)
                ),
                name="collection_registration_decided_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(state="CONFIRMED", organisation__isnull=False)
                | (~Q(state="CONFIRMED") & Q(organisation=None)),
                name="collection_registration_confirmed_has_organisation",
            ),
            models.CheckConstraint(
                condition=~Q(state="DECLINED") | ~Q(reason=""), name="collection_registration_declined_why"
            ),
            models.CheckConstraint(
                condition=Q(activated_at=None, activated_by=None)
                | Q(activated_at__isnull=False, activated_by__isnull=False, state="CONFIRMED"),
                name="collection_registration_activated_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(submitted_by=None) | ~Q(consent=""), name="collection_registration_with_consent"
            ),
        )
        indexes = (models.Index(fields=("state", "collector"), name="collection_registrations"),)

    def __str__(self) -> str:
        return f"{self.name} {self.state}"


class SmallGenerator(models.Model):
    """An organisation that declares month by month; whoever confirmed its registration stands there."""

    organisation = models.OneToOneField(Organisation, models.PROTECT, primary_key=True, related_name="+")
    registration = models.OneToOneField(Registration, models.PROTECT, null=True, related_name="+")
    began_on = models.DateField(_("开始申报日期"))
    enrolled_at = models.DateTimeField()
    enrolled_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    ended_on = models.DateField(_("停止申报日期"), null=True)

    def __str__(self) -> str:
        return f"small generator {self.organisation_id}"


class Declaration(models.Model):
    """What a small generator said of a month; said anew, the newest holds. Append-only."""

    organisation = models.ForeignKey(Organisation, models.PROTECT, db_index=False, related_name="+")
    month = models.DateField(_("月份"))  # its first day
    number = models.PositiveSmallIntegerField(_("第几次"))
    is_nothing = models.BooleanField(_("没有产生"))
    posted_on = models.DateField(_("记账日期"))
    client_id = models.UUIDField()
    declared_at = models.DateTimeField(_("申报时间"))
    declared_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, db_index=False, related_name="+"
    )

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("organisation", "month", "number"), name="collection_declaration_number_once"
            ),
            models.UniqueConstraint(
                fields=("organisation", "client_id"), name="collection_declaration_client_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.organisation_id} {self.month:%Y-%m} #{self.number}"


class DeclarationLine(models.Model):
    """One waste of a declaration: how much is new, and how much stands there where that was said. Append-only."""

    declaration = models.ForeignKey(Declaration, models.PROTECT, db_index=False, related_name="lines")
    stream = models.ForeignKey(Stream, models.PROTECT, related_name="+")
    new_g = models.BigIntegerField(_("新产生（克）"))
    containers = models.DecimalField(_("容器数"), max_digits=9, decimal_places=2, null=True)
    usual_g = models.BigIntegerField(_("每个容器（克）"), null=True)
    standing_g = models.BigIntegerField(_("现存（克）"), null=True)  # None: not said
    reason = models.CharField(_("差异原因"), max_length=200, blank=True, default="")

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("declaration", "stream"), name="collection_declaration_line_once"
            ),
            models.CheckConstraint(
                condition=Q(new_g__gte=0) & (Q(standing_g=None) | Q(standing_g__gte=0)),
                name="collection_declaration_line_not_negative",
            ),
        )

    def __str__(self) -> str:
        return f"{self.declaration_id}/{self.stream_id}: {self.new_g} g"


class DeclaredMovement(models.Model):
    """A movement that a declaration posted. Append-only; what was taken back the ledger knows."""

    line = models.ForeignKey(DeclarationLine, models.PROTECT, related_name="movements")
    movement = models.OneToOneField(Movement, models.PROTECT, related_name="+")

    def __str__(self) -> str:
        return f"{self.line_id}: {self.movement_id}"


class CollectionPoint(models.Model):
    """收集点: a store of the collector, where the waste of small generators waits, and for which districts."""

    store = models.OneToOneField(Place, models.PROTECT, primary_key=True, related_name="+")
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    address = models.CharField(_("地址"), max_length=300)
    divisions = models.JSONField(_("收集范围"))  # division codes: ["500110"]; as the permit says
    emergency_phone = models.CharField(_("应急联系电话"), max_length=30)
    emergency_measures = models.CharField(_("突发环境事件防范措施"), max_length=500)
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    ended_on = models.DateField(_("停用日期"), null=True)

    def __str__(self) -> str:
        return f"point {self.store_id} of {self.organisation_id}"


class CollectionRound(models.Model):
    """收集轮次: one vehicle, one day, many generators; each has its own manifest on it (第十六条)."""

    class State(models.TextChoices):
        PLANNED = "PLANNED", _("已计划")
        UNDER_WAY = "UNDER_WAY", _("收运中")
        CLOSED = "CLOSED", _("已完成")
        CANCELLED = "CANCELLED", _("已取消")

    uid = models.UUIDField(unique=True)  # made by the client
    collector = models.ForeignKey(Organisation, models.PROTECT, db_index=False, related_name="+")
    point = models.ForeignKey(CollectionPoint, models.PROTECT, related_name="+")
    number = models.PositiveIntegerField(_("轮次"))
    planned_on = models.DateField(_("收运日期"))
    plate = models.CharField(_("车牌号"), max_length=20)
    driver = models.CharField(_("驾驶员"), max_length=60)
    driver_phone = models.CharField(_("驾驶员电话"), max_length=30)
    state = models.CharField(_("状态"), max_length=10, choices=State.choices, default=State.PLANNED)
    planned_at = models.DateTimeField()
    planned_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    started_at = models.DateTimeField(_("出发时间"), null=True)
    closed_at = models.DateTimeField(_("完成时间"), null=True)
    closed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("collector", "number"), name="collection_round_number_once"),
            models.CheckConstraint(
                condition=(Q(state__in=("CLOSED", "CANCELLED")) & Q(closed_at__isnull=False))
                | (Q(state__in=("PLANNED", "UNDER_WAY")) & Q(closed_at=None)),
                name="collection_round_closed_at",
            ),
            models.CheckConstraint(
                condition=Q(closed_at=None, closed_by=None)
                | Q(closed_at__isnull=False, closed_by__isnull=False),
                name="collection_round_closed_by_somebody",
            ),
        )

    def __str__(self) -> str:
        return f"round {self.number} of {self.collector_id}"


class Stop(models.Model):
    """A generator on a round, with the manifest of what it hands over there."""

    class State(models.TextChoices):
        WAITING = "WAITING", _("待收")
        LOADED = "LOADED", _("已装车")
        LEFT_OUT = "LEFT_OUT", _("未收")

    class Reason(models.TextChoices):
        NOT_AT_HOME = "NOT_AT_HOME", _("单位无人")
        NOT_PACKED = "NOT_PACKED", _("没有按要求包装、贴标签")
        NOT_THERE = "NOT_THERE", _("现场没有可收的废物")
        NO_ROOM = "NO_ROOM", _("车辆装不下")
        PLAN_CHANGED = "PLAN_CHANGED", _("调整计划")

    round = models.ForeignKey(CollectionRound, models.PROTECT, related_name="stops")
    position = models.PositiveSmallIntegerField(_("顺序"))
    generator = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    manifest = models.OneToOneField(Manifest, models.PROTECT, related_name="+")
    state = models.CharField(_("状态"), max_length=10, choices=State.choices, default=State.WAITING)
    reason = models.CharField(_("未收原因"), max_length=14, choices=Reason.choices, blank=True, default="")
    words = models.CharField(_("说明"), max_length=200, blank=True, default="")
    settled_at = models.DateTimeField(null=True)
    settled_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=(Q(state="LEFT_OUT") & ~Q(reason="")) | (~Q(state="LEFT_OUT") & Q(reason="")),
                name="collection_stop_left_out_why",
            ),
            models.CheckConstraint(
                condition=Q(state="WAITING", settled_at=None, settled_by=None)
                | (~Q(state="WAITING") & Q(settled_at__isnull=False, settled_by__isnull=False)),
                name="collection_stop_settled_by_somebody",
            ),
        )
        indexes = (models.Index(fields=("round", "position"), name="collection_stops_in_order"),)

    def __str__(self) -> str:
        return f"stop {self.position} of {self.round_id}"


class SigningCode(models.Model):
    """签收码: by which a generator signs on the driver's phone. Whose it is signs; only a salted hash is kept."""

    organisation = models.OneToOneField(Organisation, models.PROTECT, primary_key=True, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    code_hash = models.CharField(max_length=128)
    set_at = models.DateTimeField()
    failures = models.PositiveSmallIntegerField(default=0)
    locked_until = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"signing code of {self.organisation_id}"


class SpotSignature(models.Model):
    """That a manifest was signed with the generator's code on the driver's phone: whose code, whose phone. Append-only."""

    stop = models.OneToOneField(Stop, models.PROTECT, related_name="spot_signature")
    holder = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    driver = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    content_sha256 = models.CharField(max_length=64)  # of the manifest as it was signed
    signed_at = models.DateTimeField(_("时间"))

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=~Q(holder=F("driver")), name="collection_spot_signature_of_another"
            ),
        )

    def __str__(self) -> str:
        return f"spot signature of {self.stop_id}"
