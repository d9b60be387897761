"""Applications: a case within a round, what was decided of it, and the quotas it counts towards."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from wufei.cases.models import Case, Submission
from wufei.registry.models import Organisation
from wufei.reviews.models.rounds import Round
from wufei.reviews.stages import Action, Outcome


class Application(models.Model):
    """
    A case that was submitted to a round, and where it stands.

    `stage`, `outcome` and `contested` follow from the acts and are kept for lists; `version` counts the acts.
    """

    round = models.ForeignKey(Round, models.PROTECT, related_name="applications")
    case = models.ForeignKey(Case, models.PROTECT, null=True, related_name="+")  # None: came in a package
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")  # who holds it now
    submission = models.ForeignKey(Submission, models.PROTECT, related_name="+")  # what is being judged
    code = models.CharField(_("编号"), max_length=40, unique=True)  # how experts know it: says nothing of who
    district_code = models.CharField(max_length=6, db_index=True)
    stage = models.CharField(_("环节"), max_length=80, blank=True, default="")
    outcome = models.CharField(
        _("结果"), max_length=16, choices=[(o.value, o.value) for o in Outcome], blank=True, default=""
    )
    contested = models.BooleanField(_("意见不一致"), default=False)
    stage_since = models.DateTimeField(_("进入环节时间"))
    due_on = models.DateField(_("办理期限"), null=True)
    late_reason = models.CharField(_("逾期接收理由"), max_length=200, blank=True, default="")
    version = models.PositiveIntegerField(default=0)
    is_direct = models.BooleanField(default=True)  # False: it came in a package from the level below
    came_with = models.JSONField(null=True)  # what the package says was done below; None: it came in none

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("round", "case"), name="reviews_application_once"),
            models.UniqueConstraint(
                fields=("round", "organisation"), condition=~Q(outcome="WITHDRAWN"),
                name="reviews_application_of_organisation_once",
            ),
            models.CheckConstraint(
                condition=Q(outcome="", stage__gt="") | (~Q(outcome="") & Q(due_on=None)),
                name="reviews_application_stage_or_outcome",
            ),
            models.CheckConstraint(
                condition=Q(contested=False) | Q(outcome=""), name="reviews_application_contested_is_open"
            ),
        )  # fmt: skip
        indexes = (
            models.Index(fields=("round", "stage", "stage_since"), name="reviews_application_by_stage"),
            models.Index(fields=("round", "outcome"), name="reviews_application_by_outcome"),
            models.Index(fields=("due_on",), name="reviews_application_by_due"),
            models.Index(
                fields=("round", "stage", "outcome", "district_code"), name="reviews_application_by_place"
            ),
            models.Index(
                fields=("round",), condition=Q(contested=True), name="reviews_application_contested"
            ),
            # Lists go by the code: what they narrow by is read from the index, in its order.
            models.Index(
                fields=("round", "code", "district_code", "stage", "outcome"),
                name="reviews_application_in_order",
            ),
            models.Index(fields=("round", "version"), name="reviews_application_by_version"),
        )

    def __str__(self) -> str:
        return self.code


class Act(models.Model):
    """
    What somebody did with an application. Append-only, which the database itself holds.

    `released_at` of an act whose decision stays pending until it is let out is that of the releasing act;
    applicants are told of a decision only when it is released.
    """

    application = models.ForeignKey(Application, models.PROTECT, related_name="acts")
    seq = models.PositiveIntegerField()
    stage = models.CharField(_("环节"), max_length=80)
    action = models.CharField(_("动作"), max_length=16, choices=[(a.value, a.value) for a in Action])
    role = models.CharField(_("身份"), max_length=40)  # "DISTRICT_INDUSTRY", as the edition names it
    acted_for = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    submission = models.ForeignKey(Submission, models.PROTECT, related_name="+")  # what was seen
    words = models.TextField(_("意见"), blank=True, default="")
    comments = models.JSONField(_("逐项意见"), default=dict)  # field of the case or criterion → words
    details = models.JSONField(default=dict)
    is_pending = models.BooleanField(default=False)  # not told to the applicant before a RELEASE
    at = models.DateTimeField(_("时间"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    on_behalf_of = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("application", "seq"), name="reviews_act_seq_once"),
            models.CheckConstraint(
                condition=Q(action__in=[a.value for a in Action]), name="reviews_act_is_known"
            ),
            models.CheckConstraint(
                condition=Q(on_behalf_of=None) | ~Q(on_behalf_of=F("by")), name="reviews_act_for_another"
            ),
        )
        indexes = (
            models.Index(fields=("by", "at"), name="reviews_act_by_person"),
            models.Index(fields=("action", "application"), name="reviews_act_by_action"),
            models.Index(fields=("application", "by", "action"), name="reviews_act_by_case_and_person"),
        )

    def __str__(self) -> str:
        return f"#{self.seq} {self.action} at {self.stage}"


class ActDocument(models.Model):
    """A file that stands with an act: an opinion, a sealed scan. Append-only."""

    act = models.ForeignKey(Act, models.PROTECT, related_name="documents")
    file_name = models.CharField(_("文件名"), max_length=120)
    size = models.PositiveBigIntegerField(_("大小（字节）"))
    sha256 = models.CharField("SHA-256", max_length=64)
    stored = models.FileField(max_length=200)

    def __str__(self) -> str:
        return self.file_name


class QuotaUse(models.Model):
    """How much of a quota is used: raised only where it is below its cap, in one conditional statement."""

    round = models.ForeignKey(Round, models.PROTECT, related_name="+")
    quota = models.CharField(max_length=80)  # id in the edition
    scope = models.CharField(max_length=6)  # division: "500000", "440100"; "" for the country
    cap = models.PositiveIntegerField()
    used = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("round", "quota", "scope"), name="reviews_quota_once"),
            models.CheckConstraint(condition=Q(used__lte=F("cap")), name="reviews_quota_not_exceeded"),
        )

    def __str__(self) -> str:
        return f"{self.quota} {self.scope}: {self.used} of {self.cap}"
