"""What organisations state themselves, year by year. Write only through `indicators.services`."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from wufei.registry.models import Organisation


class AnnualOperation(models.Model):
    """年度经营: an organisation's production value of one year, in 万元. None: not stated."""

    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    year = models.PositiveSmallIntegerField(_("年份"))
    output_value_10k_yuan = models.DecimalField(_("产值（万元）"), max_digits=20, decimal_places=6, null=True)
    sales_10k_yuan = models.DecimalField(_("销售额（万元）"), max_digits=20, decimal_places=6, null=True)
    value_added_10k_yuan = models.DecimalField(
        _("工业增加值（万元）"), max_digits=20, decimal_places=6, null=True
    )
    source = models.CharField(max_length=120, default="")
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("organisation", "year"), name="indicators_operation_once"),
        )

    def __str__(self) -> str:
        return f"{self.organisation_id} {self.year}"


class AnnualProduct(models.Model):
    """产品: what an organisation made in one year."""

    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    year = models.PositiveSmallIntegerField(_("年份"))
    name = models.CharField(_("产品名称"), max_length=120)
    capacity = models.DecimalField(_("产能"), max_digits=24, decimal_places=6, null=True)
    output = models.DecimalField(_("产量"), max_digits=24, decimal_places=6)
    unit = models.CharField(_("单位"), max_length=20)
    is_main = models.BooleanField(_("主产品"), default=False)
    source = models.CharField(max_length=120, default="")
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("organisation", "year", "name"), name="indicators_product_once"),
            models.CheckConstraint(condition=Q(output__gte=0), name="indicators_product_output_not_negative"),
        )

    def __str__(self) -> str:
        return f"{self.organisation_id} {self.year} {self.name}"
