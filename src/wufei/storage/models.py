"""
What is stored of storage. Write only through `storage.services`.

All of stock-taking, placements and inspections are append-only, which the database itself holds (the migrations
named after guards): a sheet goes on by new rows that name it, and takes no count once its closing is there; what an
inspection found is put right by new rows too.
"""

from datetime import date

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from wufei.ledger.models import Lot, Movement, Place, Stream
from wufei.registry.models import Organisation
from wufei.storage.checklists import Confidence, Facility, ItemResult
from wufei.terms.day import local_day


class StocktakeSheet(models.Model):
    """盘点表: one store is counted; the books are frozen at this moment."""

    organisation = models.ForeignKey(Organisation, models.PROTECT, db_index=False, related_name="+")
    store = models.ForeignKey(Place, models.PROTECT, related_name="+")
    number = models.PositiveIntegerField(_("盘点表号"))
    seq = models.PositiveIntegerField()  # the last movement that the frozen books contain
    client_id = models.UUIDField()
    opened_at = models.DateTimeField(_("开表时间"))
    opened_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, db_index=False, related_name="+")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("organisation", "number"), name="storage_sheet_number_once"),
            models.UniqueConstraint(
                fields=("organisation", "client_id"), name="storage_sheet_client_id_once"
            ),
        )

    def __str__(self) -> str:
        return f"sheet {self.number} of {self.organisation_id}"

    @property
    def opened_on(self) -> date:
        return local_day(self.opened_at)

    @property
    def name(self) -> str:
        """What movements call it."""
        return f"盘点表{self.number}"


class BookLine(models.Model):
    """What the books held of a lot when the sheet was opened. Who counts doesn't see it."""

    sheet = models.ForeignKey(StocktakeSheet, models.PROTECT, db_index=False, related_name="book_lines")
    lot = models.ForeignKey(Lot, models.PROTECT, db_index=False, related_name="+")
    mass_g = models.BigIntegerField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("sheet", "lot"), name="storage_book_line_once"),)

    def __str__(self) -> str:
        return f"{self.sheet_id}/{self.lot_id}: {self.mass_g} g"


class StocktakeCount(models.Model):
    """What one person found of one lot; at zero, that it wasn't to be found."""

    class Method(models.TextChoices):
        WEIGHED = "WEIGHED", _("过磅")
        COUNTED = "COUNTED", _("点数")
        MISSING = "MISSING", _("未找到")

    sheet = models.ForeignKey(StocktakeSheet, models.PROTECT, db_index=False, related_name="counts")
    lot_code = models.CharField(_("批次编码"), max_length=80)
    # None where the ledger knew no such lot when it was counted
    lot = models.ForeignKey(Lot, models.PROTECT, null=True, db_index=False, related_name="+")
    stream = models.ForeignKey(Stream, models.PROTECT, db_index=False, related_name="+")
    method = models.CharField(_("方式"), max_length=10, choices=Method.choices)
    mass_g = models.BigIntegerField(_("盘得（克）"))
    moved_g = (
        models.BigIntegerField()
    )  # came in (or went out, below zero) between the sheet's moment and the count
    seq = models.PositiveIntegerField()  # the last movement that `moved_g` contains
    is_recount = models.BooleanField(default=False)
    note = models.CharField(_("说明"), max_length=200, blank=True, default="")
    client_id = models.UUIDField()
    counted_at = models.DateTimeField(_("盘点时间"))
    counted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("sheet", "client_id"), name="storage_count_client_id_once"),
            models.UniqueConstraint(
                fields=("sheet", "lot_code", "counted_by"),
                condition=Q(is_recount=False),
                name="storage_count_once_each",
            ),
            models.UniqueConstraint(
                fields=("sheet", "lot_code"), condition=Q(is_recount=True), name="storage_recount_once"
            ),
            models.CheckConstraint(
                condition=Q(method="MISSING", mass_g=0) | (~Q(method="MISSING") & Q(mass_g__gt=0)),
                name="storage_count_is_of_something",
            ),
        )

    def __str__(self) -> str:
        return f"{self.sheet_id}/{self.lot_code}: {self.mass_g} g"

    @property
    def at_opening_g(self) -> int:
        return self.mass_g - self.moved_g


class StocktakeClosing(models.Model):
    """The sheet takes no more counts: done, or given up for a reason."""

    sheet = models.OneToOneField(StocktakeSheet, models.PROTECT, related_name="closing")
    given_up_because = models.CharField(_("作废原因"), max_length=200, blank=True, default="")
    closed_at = models.DateTimeField(_("结束时间"))
    closed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, db_index=False, related_name="+")

    def __str__(self) -> str:
        return f"closing of {self.sheet_id}"


class StocktakeDifference(models.Model):
    """A lot of which there was more or less than the books said, both as of the sheet's moment."""

    sheet = models.ForeignKey(StocktakeSheet, models.PROTECT, db_index=False, related_name="differences")
    count = models.OneToOneField(StocktakeCount, models.PROTECT, related_name="difference")  # that holds
    lot_code = models.CharField(_("批次编码"), max_length=80)
    stream = models.ForeignKey(Stream, models.PROTECT, db_index=False, related_name="+")
    book_g = models.BigIntegerField(_("账面（克）"))
    counted_g = models.BigIntegerField(_("实盘（克）"))

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("sheet", "lot_code"), name="storage_difference_once"),
            models.CheckConstraint(condition=~Q(book_g=F("counted_g")), name="storage_difference_differs"),
        )

    def __str__(self) -> str:
        return f"{self.sheet_id}/{self.lot_code}: {self.difference_g} g"

    @property
    def difference_g(self) -> int:
        return self.counted_g - self.book_g


class StocktakeSettlement(models.Model):
    """An officer who didn't count explained all differences of the sheet and posted them."""

    sheet = models.OneToOneField(StocktakeSheet, models.PROTECT, related_name="settlement")
    moved_on = models.DateField(_("记账日期"))
    settled_at = models.DateTimeField(_("处理时间"))
    settled_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, db_index=False, related_name="+")

    def __str__(self) -> str:
        return f"settlement of {self.sheet_id}"


class Explanation(models.Model):
    """Why there was a difference, and the movement that brought the books to what is there."""

    difference = models.OneToOneField(StocktakeDifference, models.PROTECT, related_name="explanation")
    text = models.CharField(_("原因"), max_length=180)
    # Posted after the count and dated before the sheet: the books had caught up by so much already.
    late_g = models.BigIntegerField()
    movement = models.OneToOneField(Movement, models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = (
            models.CheckConstraint(condition=~Q(text=""), name="storage_explanation_says_something"),
        )

    def __str__(self) -> str:
        return f"{self.difference_id}: {self.text}"


class Zone(models.Model):
    """分区: a marked part of a store. What it may take are stream codes and waste categories; none: everything."""

    store = models.ForeignKey(Place, models.PROTECT, db_index=False, related_name="+")
    code = models.CharField(_("分区编码"), max_length=40)
    name = models.CharField(_("分区名称"), max_length=80)
    permitted = models.JSONField(_("允许存放"), default=list)  # ["HW08", "F1"]
    capacity_g = models.BigIntegerField(_("容量（克）"), null=True, blank=True)
    containers = models.PositiveIntegerField(_("容器数"), null=True, blank=True)
    x_cm = models.IntegerField(_("距左墙（厘米）"))
    y_cm = models.IntegerField(_("距上墙（厘米）"))
    width_cm = models.IntegerField(_("长（厘米）"))
    depth_cm = models.IntegerField(_("宽（厘米）"))
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("store", "code"), name="storage_zone_code_once"),
            models.CheckConstraint(
                condition=Q(x_cm__gte=0, y_cm__gte=0, width_cm__gt=0, depth_cm__gt=0),
                name="storage_zone_has_size",
            ),
            models.CheckConstraint(
                condition=(Q(capacity_g=None) | Q(capacity_g__gt=0))
                & (Q(containers=None) | Q(containers__gt=0)),
                name="storage_zone_limits_are_positive",
            ),
        )

    def __str__(self) -> str:
        return f"{self.code} of {self.store_id}"


class Placement(models.Model):
    """A lot was put into a zone, or (None) out of its zone. Append-only: the newest of a lot in a store holds."""

    store = models.ForeignKey(Place, models.PROTECT, db_index=False, related_name="+")
    lot = models.ForeignKey(Lot, models.PROTECT, db_index=False, related_name="+")
    zone = models.ForeignKey(Zone, models.PROTECT, null=True, related_name="placements")
    client_id = models.UUIDField()
    placed_at = models.DateTimeField(_("时间"))
    placed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, db_index=False, related_name="+")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("store", "client_id"), name="storage_placement_client_id_once"),
        )
        indexes = (models.Index(fields=("store", "lot", "id"), name="storage_placement_newest"),)

    def __str__(self) -> str:
        return f"{self.lot_id} in {self.zone_id}"


class Inspection(models.Model):
    """贮存设施检查: somebody looked at a store by the checklist of its kind. Append-only, as all that hangs on it."""

    organisation = models.ForeignKey(Organisation, models.PROTECT, db_index=False, related_name="+")
    store = models.ForeignKey(Place, models.PROTECT, db_index=False, related_name="+")
    number = models.PositiveIntegerField(_("检查号"))
    facility = models.CharField(
        _("设施类别"), max_length=20, choices=[(each.value, each.value) for each in Facility]
    )
    inspected_at = models.DateTimeField(_("检查时间"))
    inspected_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, db_index=False, related_name="+"
    )
    remark = models.CharField(_("备注"), max_length=500, blank=True, default="")
    client_id = models.UUIDField()
    recorded_at = models.DateTimeField(_("登记时间"))

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("organisation", "number"), name="storage_inspection_number_once"),
            models.UniqueConstraint(
                fields=("organisation", "client_id"), name="storage_inspection_client_id_once"
            ),
        )
        indexes = (models.Index(fields=("store", "inspected_at"), name="storage_inspection_of_store"),)

    def __str__(self) -> str:
        return f"inspection {self.number} of {self.organisation_id}"

    @property
    def name(self) -> str:
        return f"检查{self.number}"

    @property
    def inspected_on(self) -> date:
        return local_day(self.inspected_at)


class InspectionLine(models.Model):
    """What was found of one requirement, in the words that it had then."""

    inspection = models.ForeignKey(Inspection, models.PROTECT, db_index=False, related_name="lines")
    position = models.PositiveIntegerField()
    requirement = models.CharField(max_length=60)
    says = models.CharField(_("要求"), max_length=200)
    standard = models.CharField(_("标准"), max_length=40)
    clause = models.CharField(_("条款"), max_length=20, blank=True, default="")
    confidence = models.CharField(max_length=10, choices=[(c.value, c.value) for c in Confidence])
    result = models.CharField(_("结果"), max_length=14, choices=[(r.value, r.value) for r in ItemResult])
    remark = models.CharField(_("说明"), max_length=500, blank=True, default="")

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("inspection", "requirement"), name="storage_inspection_line_once"
            ),
            models.CheckConstraint(
                condition=~Q(result="NOT_MET", remark=""), name="storage_inspection_line_says_what_is_wrong"
            ),
        )

    def __str__(self) -> str:
        return f"{self.inspection_id}/{self.requirement}: {self.result}"


class CorrectiveAction(models.Model):
    """整改: what isn't met is put right by a person until a day."""

    organisation = models.ForeignKey(Organisation, models.PROTECT, db_index=False, related_name="+")
    number = models.PositiveIntegerField(_("整改号"))
    line = models.OneToOneField(InspectionLine, models.PROTECT, related_name="corrective_action")
    due_on = models.DateField(_("整改期限"))
    responsible = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("organisation", "number"), name="storage_corrective_action_number_once"
            ),
        )

    def __str__(self) -> str:
        return f"corrective action {self.number} of {self.organisation_id}"

    @property
    def name(self) -> str:
        return f"整改{self.number}"


class Correction(models.Model):
    """整改办结: what was done, on which day."""

    corrective_action = models.OneToOneField(CorrectiveAction, models.PROTECT, related_name="correction")
    corrected_on = models.DateField(_("整改日期"))
    words = models.CharField(_("整改情况"), max_length=500)
    client_id = models.UUIDField()
    closed_at = models.DateTimeField(_("办结时间"))
    closed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, db_index=False, related_name="+")

    class Meta:
        constraints = (
            models.CheckConstraint(condition=~Q(words=""), name="storage_correction_says_something"),
        )

    def __str__(self) -> str:
        return f"correction of {self.corrective_action_id}"


class InspectionPhoto(models.Model):
    """A picture of the store (`line` None), of what was found of a requirement, or of its correction."""

    inspection = models.ForeignKey(Inspection, models.PROTECT, related_name="photos")
    line = models.ForeignKey(InspectionLine, models.PROTECT, null=True, db_index=False, related_name="photos")
    correction = models.ForeignKey(
        Correction, models.PROTECT, null=True, db_index=False, related_name="photos"
    )
    stored = models.FileField(max_length=200)
    sha256 = models.CharField("SHA-256", max_length=64)
    size = models.PositiveBigIntegerField()
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(correction=None) | ~Q(line=None), name="storage_photo_of_correction_has_line"
            ),
        )

    def __str__(self) -> str:
        return self.sha256
