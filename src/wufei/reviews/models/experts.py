"""Experts: who they are, what ties them, how they were drawn, what they were given and how they scored."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from wufei.registry.models import Organisation
from wufei.reviews.models.applications import Application
from wufei.reviews.models.rounds import Round


class Expert(models.Model):
    """A person in an authority's pool of experts."""

    pool = models.ForeignKey(Organisation, models.PROTECT, related_name="+")  # the authority whose pool it is
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    number = models.CharField(_("专家编号"), max_length=20)
    fields = models.JSONField(_("专业领域"), default=list)  # texts, as the edition's `expert_fields`
    title = models.CharField(_("职称"), max_length=60, blank=True, default="")
    employer_name = models.CharField(_("工作单位"), max_length=200)
    employer_uscc = models.CharField(_("工作单位统一社会信用代码"), max_length=18, blank=True, default="")
    is_active = models.BooleanField(_("在库"), default=True)
    version = models.PositiveIntegerField(default=1)
    entered_at = models.DateTimeField()
    entered_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("pool", "user"), name="reviews_expert_once"),
            models.UniqueConstraint(fields=("pool", "number"), name="reviews_expert_number_once"),
        )

    def __str__(self) -> str:
        return self.number


class ExpertTie(models.Model):
    """What ties an expert to an organisation; it keeps the expert from that organisation's cases."""

    class Kind(models.TextChoices):
        EMPLOYER = "EMPLOYER", _("本单位")
        ADVISER = "ADVISER", _("曾为其提供咨询或评价")
        GROUP = "GROUP", _("同一集团")
        KIN = "KIN", _("近亲属任职")
        DECLARED = "DECLARED", _("本人申请回避")

    expert = models.ForeignKey(Expert, models.PROTECT, related_name="ties")
    uscc = models.CharField(_("统一社会信用代码"), max_length=18)
    kind = models.CharField(_("关系"), max_length=12, choices=Kind.choices)
    note = models.CharField(_("说明"), max_length=200, blank=True, default="")
    declared_at = models.DateTimeField()
    declared_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("expert", "uscc", "kind"), condition=Q(ended_at=None), name="reviews_tie_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.expert_id} {self.kind} {self.uscc}"


class Draw(models.Model):
    """
    A public draw of experts: the commitment to the seed first, the seed afterwards.

    `candidates` is the list that was drawn from, in its order, frozen at the commitment.
    """

    round = models.ForeignKey(Round, models.PROTECT, related_name="draws")
    stage = models.CharField(max_length=80)
    number = models.PositiveIntegerField(_("抽取人数"))  # in all
    per_field = models.JSONField(_("各领域人数"), default=dict)  # field → number; empty: from all
    candidates = models.JSONField(default=list)  # [{"number", "fields"}], sorted by number
    excluded = models.JSONField(default=list)  # [{"number", "reason"}]
    commitment = models.CharField(_("种子承诺值"), max_length=64)  # SHA-256 of the seed, published first
    committed_at = models.DateTimeField()
    committed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    seed = models.CharField(_("种子"), max_length=200, blank=True, default="")
    drawn = models.JSONField(default=list)  # numbers, in the order of the draw
    revealed_at = models.DateTimeField(null=True)
    revealed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(seed="", revealed_at=None, revealed_by=None)
                | (~Q(seed="") & Q(revealed_at__isnull=False, revealed_by__isnull=False)),
                name="reviews_draw_revealed_at_and_by",
            ),
        )

    def __str__(self) -> str:
        return f"{self.round_id} {self.commitment[:12]}"


class Assignment(models.Model):
    """An expert's task to score an application; `turn` 2 is the second scoring after discussion."""

    application = models.ForeignKey(Application, models.PROTECT, related_name="assignments")
    expert = models.ForeignKey(Expert, models.PROTECT, related_name="assignments")
    stage = models.CharField(max_length=80)
    turn = models.PositiveSmallIntegerField(_("轮次"), default=1)
    assigned_at = models.DateTimeField()
    assigned_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    due_on = models.DateField(null=True)
    withdrawn_at = models.DateTimeField(null=True)  # recused, replaced, handed in again: it no longer counts
    withdrawn_reason = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("application", "expert", "stage", "turn"), condition=Q(withdrawn_at=None),
                name="reviews_assignment_once",
            ),
            models.CheckConstraint(
                condition=Q(withdrawn_at=None, withdrawn_reason="")
                | (Q(withdrawn_at__isnull=False) & ~Q(withdrawn_reason="")),
                name="reviews_assignment_withdrawn_with_reason",
            ),
        )  # fmt: skip
        indexes = (
            models.Index(fields=("expert", "stage"), name="reviews_assignment_by_expert"),
            models.Index(
                fields=("application", "stage", "turn", "expert"),
                condition=Q(withdrawn_at=None),
                name="reviews_assignment_live",
            ),
            models.Index(
                fields=("withdrawn_at",),
                condition=Q(withdrawn_at__isnull=False),
                name="reviews_assignment_withdrawn",
            ),
        )

    def __str__(self) -> str:
        return f"{self.application_id} to {self.expert_id}"


class ScoreSheet(models.Model):
    """What an expert gave, item by item. A submitted sheet never changes; before that it is a draft."""

    assignment = models.OneToOneField(Assignment, models.PROTECT, related_name="sheet")
    scores = models.JSONField(_("分项得分"), default=dict)  # item → decimal text
    comments = models.JSONField(_("分项评语"), default=dict)  # item → words
    words = models.TextField(_("总体评价"), blank=True, default="")
    total = models.DecimalField(_("总分"), max_digits=9, decimal_places=4, null=True)
    version = models.PositiveIntegerField(default=1)
    saved_at = models.DateTimeField()
    submitted_at = models.DateTimeField(_("提交时间"), null=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(submitted_at=None) | Q(total__isnull=False),
                name="reviews_sheet_submitted_has_total",
            ),
        )
        indexes = (
            models.Index(
                fields=("assignment", "submitted_at"),
                condition=Q(submitted_at__isnull=False),
                name="reviews_sheet_submitted",
            ),
        )

    def __str__(self) -> str:
        return f"{self.assignment_id}: {self.total}"


class Discussion(models.Model):
    """What was said about an application before the second scoring; experts stand there by number. Append-only."""

    application = models.ForeignKey(Application, models.PROTECT, related_name="discussion")
    stage = models.CharField(max_length=80)
    speaker = models.CharField(max_length=40)  # the expert's number, or "组织者"
    words = models.TextField()
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    def __str__(self) -> str:
        return f"{self.speaker} on {self.application_id}"
