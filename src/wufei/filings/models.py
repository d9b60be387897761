"""
What is stored of filings. Write only through `filings.services`.

What was filed or published is append-only, which the database itself holds (`migrations/0002_guards.py`); a plan's
draft is changed in place, with a version that a stale edit fails on.
"""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from wufei.registry.models import Organisation


class PlanDraft(models.Model):
    """The management plan of a year as it is being written; gone once it is filed."""

    organisation = models.ForeignKey(Organisation, models.PROTECT, db_index=False, related_name="+")
    year = models.PositiveSmallIntegerField(_("年度"))
    content = models.JSONField()  # `plan.tidy`
    version = models.PositiveIntegerField(default=1)
    changed_at = models.DateTimeField(_("修改时间"))
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, db_index=False, related_name="+")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("organisation", "year"), name="filings_plan_draft_once"),
        )

    def __str__(self) -> str:
        return f"draft of {self.organisation_id} for {self.year}"


class FiledPlan(models.Model):
    """危险废物管理计划, as it was filed: the latest `number` of a year holds. Append-only."""

    organisation = models.ForeignKey(Organisation, models.PROTECT, db_index=False, related_name="+")
    year = models.PositiveSmallIntegerField(_("年度"))
    number = models.PositiveIntegerField(_("第几版"))
    control_class = models.CharField(_("管理类别"), max_length=10)
    content = models.JSONField()  # `plan.with_wastes`
    sha256 = models.CharField("SHA-256", max_length=64)
    reason = models.CharField(_("变更原因"), max_length=200, blank=True, default="")
    seq = models.PositiveIntegerField(_("链序号"))
    chain_hash = models.CharField(max_length=64)
    filed_at = models.DateTimeField(_("备案时间"))
    filed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, db_index=False, related_name="+")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("organisation", "year", "number"), name="filings_plan_once"),
            models.CheckConstraint(
                condition=Q(number=1, reason="") | (Q(number__gt=1) & ~Q(reason="")),
                name="filings_plan_change_has_reason",
            ),
        )

    def __str__(self) -> str:
        return f"plan of {self.organisation_id} for {self.year} #{self.number}"


class Disclosure(models.Model):
    """信息公开: what an enterprise published of its waste of a year, with the ledger as it stood. Append-only."""

    organisation = models.ForeignKey(Organisation, models.PROTECT, db_index=False, related_name="+")
    year = models.PositiveSmallIntegerField(_("年度"))
    number = models.PositiveIntegerField(_("第几版"))
    name_given = models.CharField(_("单位名称"), max_length=200)  # as it was then
    content = models.JSONField()  # `disclosing.content`
    sha256 = models.CharField("SHA-256", max_length=64)
    reason = models.CharField(_("变更原因"), max_length=200, blank=True, default="")
    seq = models.PositiveIntegerField(_("链序号"))
    chain_hash = models.CharField(
        max_length=64
    )  # where the organisation's ledger ended: the root of all before it
    algorithm = models.CharField(max_length=10)
    daily_root = models.CharField(max_length=64, blank=True, default="")  # of the last sealed day, if any was
    published_at = models.DateTimeField(_("公开时间"))
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, db_index=False, related_name="+"
    )

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("organisation", "year", "number"), name="filings_disclosure_once"
            ),
            models.CheckConstraint(
                condition=Q(number=1, reason="") | (Q(number__gt=1) & ~Q(reason="")),
                name="filings_disclosure_change_has_reason",
            ),
        )
        indexes = (models.Index(fields=("-published_at",), name="filings_disclosure_latest"),)

    def __str__(self) -> str:
        return f"disclosure of {self.organisation_id} for {self.year} #{self.number}"
