"""What people declare and judge, and what authorities maintain. Write only through `policies.services`."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from wufei.registry.models import Organisation


class Answer(models.TextChoices):
    YES = "YES", _("是")
    NO = "NO", _("否")
    NOT_APPLICABLE = "NOT_APPLICABLE", _("不适用")


class Declaration(models.Model):
    """声明: an organisation's answer to an item for one year, and the register it looked into."""

    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    item = models.CharField(_("项目"), max_length=120)
    year = models.PositiveSmallIntegerField(_("年份"))
    answer = models.CharField(_("结论"), max_length=16, choices=Answer.choices)
    basis = models.CharField(_("依据"), max_length=300, default="", blank=True)
    source = models.CharField(max_length=120, default="")
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("organisation", "item", "year"), name="policies_declaration_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.organisation_id} {self.year} {self.item}"


class Judgement(models.Model):
    """
    A named officer's answer to a question that a rule puts to a person, or an exception granted.

    Append-only; the latest of a question counts.
    """

    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    edition = models.CharField(max_length=80)
    criterion = models.CharField(max_length=80)
    year = models.PositiveSmallIntegerField()
    question = models.CharField(max_length=80)  # the operand's id; "exception" for an exception
    answer = models.CharField(max_length=16, choices=Answer.choices)
    reason = models.CharField(_("理由"), max_length=500)
    judged_at = models.DateTimeField()
    judged_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        constraints = (models.CheckConstraint(condition=~Q(reason=""), name="policies_judgement_has_reason"),)
        indexes = (models.Index(fields=("organisation", "edition", "year"), name="policies_judgement_of"),)

    def __str__(self) -> str:
        return f"{self.edition} {self.criterion} {self.question}: {self.answer}"


class StatedValue(models.Model):
    """A number or a yes/no that a self-assessment asks for and no ledger holds, with its evidence."""

    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    item = models.CharField(max_length=80)  # "energy_intensity_kgce_per_10k_yuan"
    year = models.PositiveSmallIntegerField()
    value = models.DecimalField(max_digits=24, decimal_places=8)
    basis = models.CharField(_("依据"), max_length=300, default="", blank=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("organisation", "item", "year"), name="policies_stated_value_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.organisation_id} {self.year} {self.item}"


class RequirementSet(models.Model):
    """Baseline and leading values of an industry for a scored edition, kept by an authority, by date."""

    edition = models.CharField(max_length=80)
    industry_code = models.CharField(max_length=4)
    name = models.CharField(max_length=120)
    in_force_from = models.DateField()
    values = models.JSONField()  # {"energy_intensity": {"baseline": "30", "leading": "20"}, ...}
    is_illustrative = models.BooleanField(default=False)
    source = models.CharField(max_length=200)
    maintained_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    maintained_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("edition", "industry_code", "in_force_from"), name="policies_requirements_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.edition} {self.industry_code} from {self.in_force_from}"
