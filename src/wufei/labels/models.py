"""
What is stored of labels. Write only through `labels.services`.

Blocks of numbers and prints are append-only, which the database itself holds (`migrations/0002_guards.py`).
"""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from wufei.labels.digital_id import LAST_SEQUENCE
from wufei.ledger.models import Lot, Stream
from wufei.registry.models import Organisation

WHO = settings.AUTH_USER_MODEL


class Particulars(models.Model):
    """What only the labels of a stream say. What is left empty is taken from the list, or from the organisation."""

    stream = models.OneToOneField(Stream, models.PROTECT, related_name="+")
    hazards = models.CharField(_("危险特性"), max_length=20, blank=True, default="")  # T,I
    harmful_components = models.CharField(_("有害成分"), max_length=200, blank=True, default="")
    precautions = models.CharField(_("注意事项"), max_length=200, blank=True, default="")
    contact = models.CharField(_("联系人和联系方式"), max_length=120, blank=True, default="")
    remarks = models.CharField(_("备注"), max_length=100, blank=True, default="")
    version = models.PositiveIntegerField(default=1)

    def __str__(self) -> str:
        return f"of stream {self.stream_id}"


class DigitalIdCounter(models.Model):
    """How many numbers were given out for a waste code and a day: a conditional update moves it on."""

    organisation = models.ForeignKey(Organisation, models.PROTECT, db_index=False, related_name="+")
    waste_code = models.CharField(max_length=10)
    on = models.DateField()
    last = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("organisation", "waste_code", "on"), name="labels_digital_id_counter_once"
            ),
            models.CheckConstraint(
                condition=Q(last__gte=0, last__lte=LAST_SEQUENCE), name="labels_digital_id_counter_has_room"
            ),
        )

    def __str__(self) -> str:
        return f"{self.waste_code} {self.on}: {self.last}"


class DigitalIdBlock(models.Model):
    """Numbers of one waste code and day, reserved beforehand for somebody who labels without a network. Append-only."""

    organisation = models.ForeignKey(Organisation, models.PROTECT, db_index=False, related_name="+")
    waste_code = models.CharField(_("废物代码"), max_length=10)
    on = models.DateField(_("产生日期"))
    first = models.PositiveSmallIntegerField(_("起"))
    last = models.PositiveSmallIntegerField(_("止"))
    device = models.CharField(_("预留给"), max_length=60, blank=True, default="")  # a phone, a person
    client_id = models.UUIDField()  # made by the client; asked again, it has the same numbers
    reserved_at = models.DateTimeField(_("预留时间"))
    reserved_by = models.ForeignKey(WHO, models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("预留的数字识别码")
        constraints = (
            models.UniqueConstraint(
                fields=("organisation", "waste_code", "on", "first"), name="labels_block_begins_once"
            ),
            models.UniqueConstraint(
                fields=("organisation", "waste_code", "on", "last"), name="labels_block_ends_once"
            ),
            models.UniqueConstraint(fields=("organisation", "client_id"), name="labels_block_client_id_once"),
            models.CheckConstraint(
                condition=Q(first__gte=1, last__gte=F("first"), last__lte=LAST_SEQUENCE),
                name="labels_block_is_within_the_format",
            ),
        )
        indexes = (models.Index(fields=("organisation", "-reserved_at"), name="labels_block_latest"),)

    def __str__(self) -> str:
        return f"{self.waste_code} {self.on}: {self.first}–{self.last}"

    @property
    def count(self) -> int:
        return self.last - self.first + 1


class PrintFormat(models.TextChoices):
    PDF = "PDF", _("单张 PDF")
    SHEET = "SHEET", _("A4 拼版")
    PNG = "PNG", _("图片")
    ZPL = "ZPL", _("标签打印机")


class LabelPrint(models.Model):
    """One time that a label was printed, and why again. Append-only."""

    organisation = models.ForeignKey(Organisation, models.PROTECT, db_index=False, related_name="+")
    lot = models.ForeignKey(Lot, models.PROTECT, related_name="+")
    digital_id = models.CharField(_("数字识别码"), max_length=37, blank=True, default="")
    format = models.CharField(_("格式"), max_length=6, choices=PrintFormat.choices)
    count = models.PositiveSmallIntegerField(_("张数"))
    is_reprint = models.BooleanField(_("重印"))
    reason = models.CharField(_("重印原因"), max_length=200, blank=True, default="")
    client_id = models.UUIDField()  # made by the client; the same id never counts twice
    printed_at = models.DateTimeField(_("打印时间"))
    printed_by = models.ForeignKey(WHO, models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("标签打印记录")
        constraints = (
            models.CheckConstraint(condition=Q(count__gte=1), name="labels_print_of_something"),
            models.CheckConstraint(
                condition=Q(is_reprint=False, reason="") | (Q(is_reprint=True) & ~Q(reason="")),
                name="labels_print_again_has_reason",
            ),
            models.UniqueConstraint(
                fields=("lot",), condition=Q(is_reprint=False), name="labels_print_first_once"
            ),
            models.UniqueConstraint(
                fields=("organisation", "client_id", "lot"), name="labels_print_client_id_once"
            ),
        )
        indexes = (models.Index(fields=("lot", "-printed_at"), name="labels_print_latest"),)

    def __str__(self) -> str:
        return f"{self.lot_id}: {self.count} × {self.format}"
