"""
What is stored of the ledger. Write only through `ledger.services`.

Balances and monthly flows are kept by triggers of the database (`migrations/0002_guards.py`),
so that no program, ours or another's, can post without them. A foreign key has no index of its own
where a declared one begins with it or nobody reads by it: each would be written with every movement.
"""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from wufei.ledger.identifying import BASIS_LABELS, RESULT_LABELS, Basis, Result
from wufei.ledger.kinds import LABELS, TRANSFORMATION_LABELS, Kind, PlaceKind, TransformationKind
from wufei.registry.models import Organisation


class WasteClass(models.TextChoices):
    GENERAL = "GENERAL", _("一般工业固废")
    HAZARDOUS = "HAZARDOUS", _("危险废物")


class Place(models.Model):
    """Where an organisation's waste can be, come from, or end. `code` never changes: the chain names it."""

    organisation = models.ForeignKey(Organisation, models.PROTECT, db_index=False, related_name="+")
    code = models.CharField(_("设施编码"), max_length=240)
    name = models.CharField(_("设施名称"), max_length=220)
    kind = models.CharField(_("类型"), max_length=20, choices=[(k.value, k.value) for k in PlaceKind])
    store_type = models.CharField(_("贮存设施类型"), max_length=60, blank=True, default="")
    capacity_g = models.BigIntegerField(_("能力（克）"), null=True, blank=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("organisation", "code"), name="ledger_place_code_once"),
            models.CheckConstraint(
                condition=Q(capacity_g=None) | Q(capacity_g__gt=0), name="ledger_place_capacity_is_positive"
            ),
        )

    def __str__(self) -> str:
        return f"{self.code} of {self.organisation_id}"


class Stream(models.Model):
    """A waste stream 废物流: one waste of one process. `code` never changes: the chain names it."""

    organisation = models.ForeignKey(Organisation, models.PROTECT, db_index=False, related_name="+")
    code = models.CharField(_("废物编号"), max_length=60)
    name = models.CharField(_("废物名称"), max_length=120)
    waste_code = models.CharField(_("废物代码"), max_length=16)
    waste_category = models.CharField(_("废物类别"), max_length=4)  # HW08, SW17
    waste_class = models.CharField(_("废物属性"), max_length=10, choices=WasteClass.choices)
    process = models.ForeignKey(Place, models.PROTECT, db_index=False, related_name="+")
    physical_form = models.CharField(_("物理性状"), max_length=60, blank=True, default="")
    main_components = models.CharField(_("主要成分"), max_length=200, blank=True, default="")
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("organisation", "code"), name="ledger_stream_code_once"),
        )

    def __str__(self) -> str:
        return f"{self.code} of {self.organisation_id}"


class Lot(models.Model):
    """
    Waste of one stream that is followed as one: a labelled lot, or the stream's bulk.

    Bulk stock is one lot for each stream: a heap has no days in it (docs/adr/0010).
    """

    organisation = models.ForeignKey(Organisation, models.PROTECT, db_index=False, related_name="+")
    stream = models.ForeignKey(Stream, models.PROTECT, related_name="lots")
    code = models.CharField(_("批次编码"), max_length=80)
    is_bulk = models.BooleanField(_("散堆"), default=False)
    # How and when a labelled lot came to be; a bulk lot has neither.
    origin = models.CharField(max_length=20, default="", blank=True)  # a Kind that puts into store
    origin_year = models.PositiveSmallIntegerField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("organisation", "code"), name="ledger_lot_code_once"),
            models.UniqueConstraint(
                fields=("stream",), condition=Q(is_bulk=True), name="ledger_lot_one_bulk_per_stream"
            ),
            models.CheckConstraint(
                condition=Q(is_bulk=True, origin="", origin_year=None)
                | (Q(is_bulk=False, origin_year__isnull=False) & ~Q(origin="")),
                name="ledger_lot_labelled_has_origin",
            ),
        )

    def __str__(self) -> str:
        return f"{self.code} of {self.organisation_id}"


class Container(models.Model):
    """容器、包装物: what a labelled lot is in."""

    class Packaging(models.TextChoices):
        DRUM = "DRUM", _("桶")
        BAG = "BAG", _("袋")
        BOX = "BOX", _("箱")
        TANK = "TANK", _("罐")
        PALLET = "PALLET", _("托盘")
        OTHER = "OTHER", _("其他")

    lot = models.OneToOneField(Lot, models.PROTECT, related_name="container")
    packaging = models.CharField(_("包装方式"), max_length=10, choices=Packaging.choices)
    volume_ml = models.PositiveBigIntegerField(_("容积（毫升）"), null=True, blank=True)
    digital_id = models.CharField(_("数字识别码"), max_length=40, null=True, unique=True)  # noqa: DJ001  # unique

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(volume_ml=None) | Q(volume_ml__gt=0), name="ledger_container_volume_is_positive"
            ),
        )

    def __str__(self) -> str:
        return f"{self.packaging} of {self.lot_id}"


# What a movement names is there and stays: the guard refuses a movement whose ends are not of its organisation,
# and foreign keys of the balances and flows that follow from it keep those ends. Foreign keys here would ask
# the same once more, one row at a time, and lock what they find.
GUARDED: Any = {"db_constraint": False, "db_index": False}


class MovementQuerySet(models.QuerySet["Movement"]):
    def within(self, first_day: date, last_day: date) -> Self:
        return self.filter(moved_on__range=(first_day, last_day))

    def effective(self) -> Self:
        """Leave out what was reversed, and the reversals themselves."""
        return self.filter(reverses=None, reversal=None)


class Movement(models.Model):
    """
    Mass of one lot, moved from one place to another within an organisation's ledger.

    Rows are never changed or deleted, which the database itself refuses; a mistake is
    reversed by a second movement and posted again.
    """

    organisation = models.ForeignKey(Organisation, models.PROTECT, **GUARDED, related_name="+")
    seq = models.PositiveIntegerField(_("链序号"))
    kind = models.CharField(_("环节"), max_length=24, choices=[(k.value, LABELS[k]) for k in Kind])
    stream = models.ForeignKey(Stream, models.PROTECT, **GUARDED, related_name="+")
    lot = models.ForeignKey(Lot, models.PROTECT, **GUARDED, related_name="movements")
    source = models.ForeignKey(Place, models.PROTECT, **GUARDED, related_name="+")
    target = models.ForeignKey(Place, models.PROTECT, **GUARDED, related_name="+")
    mass_g = models.BigIntegerField(_("质量（克）"))
    moved_on = models.DateField(_("日期"))
    method = models.CharField(_("方式"), max_length=60, default="", blank=True)
    counterparty = models.CharField(_("对方单位"), max_length=200, default="", blank=True)
    handler = models.CharField(_("经办人"), max_length=60, default="", blank=True)
    note = models.CharField(_("备注"), max_length=300, default="", blank=True)
    client_id = models.UUIDField(_("客户端编号"))  # made by the client; the same id never counts twice
    fingerprint = models.CharField(max_length=64, default="", blank=True)  # of an imported row
    reverses = models.OneToOneField("self", models.PROTECT, null=True, related_name="reversal")
    reversal_reason = models.CharField(_("冲正原因"), max_length=200, default="", blank=True)
    posted_at = models.DateTimeField(_("记账时间"))
    posted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, db_index=False, related_name="+")
    previous_hash = models.CharField(max_length=64)
    chain_hash = models.CharField(_("链值"), max_length=64)

    objects = MovementQuerySet.as_manager()

    class Meta:
        constraints = (
            models.CheckConstraint(condition=Q(mass_g__gt=0), name="ledger_movement_mass_is_positive"),
            models.CheckConstraint(condition=~Q(source=F("target")), name="ledger_movement_goes_somewhere"),
            models.CheckConstraint(
                condition=Q(reverses=None, reversal_reason="")
                | (Q(reverses__isnull=False) & ~Q(reversal_reason="")),
                name="ledger_movement_reversal_has_reason",
            ),
            models.UniqueConstraint(fields=("organisation", "seq"), name="ledger_movement_seq_once"),
            models.UniqueConstraint(
                fields=("organisation", "client_id"), name="ledger_movement_client_id_once"
            ),
        )
        indexes = (
            models.Index(fields=("organisation", "moved_on", "seq"), name="ledger_movement_by_day"),
            models.Index(fields=("organisation", "mass_g", "seq"), name="ledger_movement_by_mass"),
            models.Index(fields=("lot", "moved_on"), name="ledger_movement_by_lot"),
            models.Index(fields=("stream", "moved_on"), name="ledger_movement_by_stream"),
        )

    def __str__(self) -> str:
        return f"#{self.seq} of {self.organisation_id}: {self.mass_g} g"

    @property
    def sign(self) -> int:
        """-1 for a reversal, which takes back what the same kind put there."""
        return -1 if self.reverses_id else 1


class Balance(models.Model):
    """What a place holds of a lot: the sum of the movements, kept by a trigger."""

    place = models.ForeignKey(Place, models.PROTECT, db_index=False, related_name="+")
    lot = models.ForeignKey(Lot, models.PROTECT, related_name="+")
    mass_g = models.BigIntegerField()
    is_source = models.BooleanField()  # of a place that may be drawn below zero

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("place", "lot"), name="ledger_balance_once"),
            models.CheckConstraint(
                condition=Q(mass_g__gte=0) | Q(is_source=True), name="ledger_balance_not_overdrawn"
            ),
        )

    def __str__(self) -> str:
        return f"{self.place_id}/{self.lot_id}: {self.mass_g} g"


class MonthlyFlow(models.Model):
    """
    What moved in a month by stream, kind, method and counterparty, signed: kept by a trigger.

    The indicators read these instead of the movements; `wufei verify` recomputes them.
    """

    organisation = models.ForeignKey(Organisation, models.PROTECT, db_index=False, related_name="+")
    stream = models.ForeignKey(Stream, models.PROTECT, db_index=False, related_name="+")
    kind = models.CharField(max_length=24)
    month = models.DateField()  # its first day
    method = models.CharField(max_length=60, default="")
    counterparty = models.CharField(max_length=200, default="")
    # Of a labelled lot: how and in which year it came to be. Bulk: "" and 0.
    lot_origin = models.CharField(max_length=20, default="")
    lot_origin_year = models.PositiveSmallIntegerField(default=0)
    mass_g = models.BigIntegerField()
    movement_count = models.IntegerField()  # reversals included

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=(
                    "organisation", "month", "stream", "kind", "method", "counterparty", "lot_origin",
                    "lot_origin_year",
                ),
                name="ledger_monthly_flow_once",
            ),
        )  # fmt: skip

    def __str__(self) -> str:
        return f"{self.month:%Y-%m} {self.kind} {self.stream_id}: {self.mass_g} g"


class Head(models.Model):
    """Where an organisation's chain ends, and through which day its months are closed."""

    organisation = models.OneToOneField(Organisation, models.PROTECT, primary_key=True, related_name="+")
    seq = models.PositiveIntegerField(default=0)
    chain_hash = models.CharField(max_length=64)
    algorithm = models.CharField(max_length=10)  # "sm3" or "sha256"
    closed_through = models.DateField(null=True)

    def __str__(self) -> str:
        return f"{self.organisation_id} at {self.seq}"


class Transformation(models.Model):
    """
    Lots that went in and lots that came out: split, merged, repacked, mixed, treated. Append-only.

    Its movements stand together in the chain: `first_seq` to `last_seq`. Mass in = mass out + declared loss.
    """

    organisation = models.ForeignKey(Organisation, models.PROTECT, db_index=False, related_name="+")
    kind = models.CharField(
        _("方式"), max_length=10, choices=[(k.value, k.value) for k in TransformationKind]
    )
    moved_on = models.DateField(_("日期"))
    input_g = models.BigIntegerField(_("投入（克）"))
    loss_g = models.BigIntegerField(_("损耗（克）"), default=0)
    loss_reason = models.CharField(_("损耗原因"), max_length=200, blank=True, default="")
    handler = models.CharField(_("经办人"), max_length=60, blank=True, default="")
    client_id = models.UUIDField()
    first_seq = models.PositiveIntegerField()
    last_seq = models.PositiveIntegerField()
    posted_at = models.DateTimeField(_("记账时间"))
    posted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, db_index=False, related_name="+")

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("organisation", "client_id"), name="ledger_transformation_client_id_once"
            ),
            models.UniqueConstraint(
                fields=("organisation", "first_seq"), name="ledger_transformation_seq_once"
            ),
            models.CheckConstraint(
                condition=Q(loss_g=0, loss_reason="") | (Q(loss_g__gt=0) & ~Q(loss_reason="")),
                name="ledger_transformation_loss_has_reason",
            ),
            models.CheckConstraint(
                condition=Q(input_g__gt=F("loss_g")), name="ledger_transformation_yields_something"
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} #{self.first_seq}-{self.last_seq} of {self.organisation_id}"

    @property
    def label(self) -> str:
        return TRANSFORMATION_LABELS[TransformationKind(self.kind)]


class TransformationReversal(models.Model):
    """A transformation that was taken back as a whole. Append-only."""

    transformation = models.OneToOneField(Transformation, models.PROTECT, related_name="reversal")
    reason = models.CharField(_("冲正原因"), max_length=200)
    reversed_at = models.DateTimeField()
    reversed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        constraints = (
            models.CheckConstraint(condition=~Q(reason=""), name="ledger_transformation_reversal_has_reason"),
        )

    def __str__(self) -> str:
        return f"reversal of {self.transformation_id}"


class LineageEdge(models.Model):
    """
    So much of one lot became part of another: by a transformation, or under a manifest. Append-only.

    Indexed both ways, so that a lot's way is walked back and forth at one price.
    """

    source_lot = models.ForeignKey(Lot, models.PROTECT, db_index=False, related_name="+")
    target_lot = models.ForeignKey(Lot, models.PROTECT, db_index=False, related_name="+")
    mass_g = models.BigIntegerField()
    kind = models.CharField(max_length=24)  # a TransformationKind, or TRANSFER
    at = models.DateTimeField()
    transformation = models.ForeignKey(Transformation, models.PROTECT, null=True, related_name="edges")
    document = models.CharField(max_length=60, default="", blank=True)  # the manifest's number

    class Meta:
        constraints = (
            models.CheckConstraint(condition=Q(mass_g__gt=0), name="ledger_lineage_mass_is_positive"),
            models.CheckConstraint(
                condition=~Q(source_lot=F("target_lot")), name="ledger_lineage_goes_somewhere"
            ),
            models.CheckConstraint(
                condition=Q(transformation__isnull=False, document="")
                | (Q(transformation=None) & ~Q(document="")),
                name="ledger_lineage_by_one_thing",
            ),
            models.UniqueConstraint(
                fields=("transformation", "source_lot", "target_lot"), name="ledger_lineage_once_transformed"
            ),
            models.UniqueConstraint(
                fields=("document", "source_lot", "target_lot"),
                condition=Q(transformation=None),
                name="ledger_lineage_once_transferred",
            ),
        )
        indexes = (
            models.Index(fields=("source_lot", "target_lot"), name="ledger_lineage_forward"),
            models.Index(fields=("target_lot", "source_lot"), name="ledger_lineage_back"),
        )

    def __str__(self) -> str:
        return f"{self.source_lot_id} → {self.target_lot_id}: {self.mass_g} g"


class VerifiedHead(models.Model):
    """
    How far an organisation's ledger was read as a whole, and what was found: the last `services.verify` of it.

    From here on an evaluation verifies by itself what came after. The row proves nothing: who can write it can
    write anything, and `wufei verify` never looks at it.
    """

    organisation = models.OneToOneField(Organisation, models.PROTECT, primary_key=True, related_name="+")
    seq = models.PositiveIntegerField()  # of the head as it stood; 0: there was none
    chain_hash = models.CharField(max_length=64)
    movements = models.PositiveIntegerField()  # how many were read
    faults = models.PositiveIntegerField()  # how many were found
    first_fault = models.TextField()  # in words; "" where there was none
    verified_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(faults=0, first_fault="") | (Q(faults__gt=0) & ~Q(first_fault="")),
                name="ledger_verified_head_fault_is_named",
            ),
        )

    def __str__(self) -> str:
        return f"{self.organisation_id} verified through {self.seq}"

    @classmethod
    def keep(cls, found: Iterable[Self], now: datetime) -> None:
        """Put what was found in the place of what was kept before."""
        rows = list(found)
        for row in rows:
            row.verified_at = now
        fields = ("seq", "chain_hash", "movements", "faults", "first_fault", "verified_at")
        cls.objects.bulk_create(
            rows, 500, update_conflicts=True, unique_fields=("organisation",), update_fields=fields
        )


class MonthClosing(models.Model):
    """A month that takes no more postings, with the chain as it stood. Append-only."""

    organisation = models.ForeignKey(Organisation, models.PROTECT, db_index=False, related_name="+")
    closed_through = models.DateField(_("结账至"))
    seq = models.PositiveIntegerField()
    chain_hash = models.CharField(max_length=64)
    closed_at = models.DateTimeField(_("结账时间"))
    closed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, db_index=False, related_name="+")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("organisation", "closed_through"), name="ledger_closing_once"),
        )

    def __str__(self) -> str:
        return f"{self.organisation_id} through {self.closed_through}"


class StockSnapshot(models.Model):
    """What a store held of a lot when the month was closed. Append-only."""

    closing = models.ForeignKey(MonthClosing, models.PROTECT, db_index=False, related_name="snapshots")
    place = models.ForeignKey(Place, models.PROTECT, db_index=False, related_name="+")
    lot = models.ForeignKey(Lot, models.PROTECT, db_index=False, related_name="+")
    mass_g = models.BigIntegerField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("closing", "place", "lot"), name="ledger_snapshot_once"),
        )

    def __str__(self) -> str:
        return f"{self.place_id}/{self.lot_id}: {self.mass_g} g"


class DailyRoot(models.Model):
    """
    One hash over the heads of all chains. Append-only.

    It catches rows cut off the end of a chain; only a timestamp over it, kept by
    somebody else, shows that everything was not made anew as a whole.
    """

    day = models.DateField(unique=True)
    root = models.CharField(max_length=64)
    algorithm = models.CharField(max_length=10)
    heads = models.JSONField()  # [[organisation's uscc, seq, chain hash], ...], sorted
    sealed_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.day} {self.root[:12]}"


class RootTimestamp(models.Model):
    """A trusted timestamp over a daily root. Append-only."""

    root = models.ForeignKey(DailyRoot, models.PROTECT, related_name="timestamps")
    response = models.BinaryField()  # RFC 3161 TimeStampResp, DER
    attached_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"timestamp of {self.root_id}"


class WasteReport(models.Model):
    """
    What was reported of an organisation's hazardous waste for a period (HJ 1259-2022). Append-only.

    Made anew when the ledger changed: the latest `number` of a period holds, the earlier ones stay.
    """

    organisation = models.ForeignKey(Organisation, models.PROTECT, db_index=False, related_name="+")
    first_day = models.DateField(_("期间自"))
    last_day = models.DateField(_("期间至"))
    number = models.PositiveIntegerField(_("第几次"))
    control_class = models.CharField(max_length=10, blank=True)  # "" where it is not known
    content = models.JSONField()  # `books.waste_reports.content`
    seq = models.PositiveIntegerField(_("链序号"))
    chain_hash = models.CharField(max_length=64)
    made_at = models.DateTimeField(_("生成时间"))
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, db_index=False, related_name="+")

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("organisation", "first_day", "last_day", "number"), name="ledger_waste_report_once"
            ),
            models.CheckConstraint(
                condition=Q(last_day__gte=F("first_day")), name="ledger_waste_report_ends_after_it_begins"
            ),
        )

    def __str__(self) -> str:
        return f"{self.organisation_id} {self.first_day}/{self.last_day} #{self.number}"


class HazardIdentification(models.Model):
    """
    危险性判别: whether a stream's waste is hazardous, on what ground, by whom. Append-only.

    The one judged last holds, of those that no other one replaces.
    """

    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    stream = models.ForeignKey(Stream, models.PROTECT, related_name="+")
    basis = models.CharField(
        _("判别依据"), max_length=10, choices=[(b.value, BASIS_LABELS[b]) for b in Basis]
    )
    result = models.CharField(
        _("判别结果"), max_length=14, choices=[(r.value, RESULT_LABELS[r]) for r in Result]
    )
    waste_code = models.CharField(_("危险废物代码"), max_length=16, blank=True, default="")
    properties = models.CharField(_("危险特性"), max_length=20, blank=True, default="")  # "T,C"
    judged_by = models.CharField(_("检测机构或判别人"), max_length=120)
    report_number = models.CharField(_("报告编号"), max_length=80, blank=True, default="")
    judged_on = models.DateField(_("判别日期"))
    valid_through = models.DateField(_("有效期至"), null=True, blank=True)
    note = models.CharField(_("说明"), max_length=300, blank=True, default="")
    file_name = models.CharField(_("报告文件"), max_length=120, blank=True, default="")
    media_type = models.CharField(max_length=100, blank=True, default="")
    size = models.PositiveBigIntegerField(default=0)
    sha256 = models.CharField("SHA-256", max_length=64, blank=True, default="")
    stored = models.FileField(max_length=200, blank=True, default="")
    replaces = models.OneToOneField("self", models.PROTECT, null=True, related_name="replaced_by")
    replaced_because = models.CharField(_("更正原因"), max_length=200, blank=True, default="")
    client_id = models.UUIDField()
    recorded_at = models.DateTimeField(_("登记时间"))
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, db_index=False, related_name="+"
    )

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("organisation", "client_id"), name="ledger_identification_client_id_once"
            ),
            models.CheckConstraint(
                condition=Q(result="HAZARDOUS") & ~Q(waste_code="") & ~Q(properties="")
                | ~Q(result="HAZARDOUS") & Q(waste_code="", properties=""),
                name="ledger_identification_hazard_is_named",
            ),
            models.CheckConstraint(
                condition=Q(replaces=None, replaced_because="")
                | Q(replaces__isnull=False) & ~Q(replaced_because=""),
                name="ledger_identification_correction_has_reason",
            ),
            models.CheckConstraint(
                condition=Q(valid_through=None) | Q(valid_through__gte=F("judged_on")),
                name="ledger_identification_ends_after_it_begins",
            ),
        )

    def __str__(self) -> str:
        return f"{self.stream_id} {self.result} on {self.judged_on}"
