"""What is stored of cases. Write only through `cases.services`."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from wufei.registry.models import Organisation


class CaseState(models.TextChoices):
    DRAFT = "DRAFT", _("草稿")
    READY = "READY", _("待报送")


class Case(models.Model):
    """
    A case file being written: an organisation's, for an edition and a year.

    Only what a person writes is kept here; every number comes from the ledger when it is asked for.
    """

    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    edition = models.CharField(_("政策版本"), max_length=80)
    year = models.PositiveSmallIntegerField(_("数据年度"))
    state = models.CharField(_("状态"), max_length=8, choices=CaseState.choices, default=CaseState.DRAFT)

    title = models.TextField(_("典型案例名称（题目）"), default="", blank=True)
    brief_description = models.TextField(_("案例简要描述"), default="", blank=True)
    plan = models.TextField(_("建设方案制定情况"), default="", blank=True)
    practices = models.TextField(_("主要做法"), default="", blank=True)
    results = models.TextField(_("取得的成效"), default="", blank=True)
    innovation = models.TextField(_("创新点"), default="", blank=True)
    conditions = models.TextField(_("推广应用的条件"), default="", blank=True)
    self_description = models.TextField(_("园区自述 / 企业自述"), default="", blank=True)
    leading_industry = models.CharField(_("主导产业 / 从事行业"), max_length=200, default="", blank=True)
    filler_name = models.CharField(_("填表人"), max_length=60, default="", blank=True)
    filler_title = models.CharField(_("职务"), max_length=60, default="", blank=True)
    filler_phone = models.CharField(_("联系电话"), max_length=60, default="", blank=True)
    head_mobile = models.CharField(_("负责人手机"), max_length=60, default="", blank=True)
    contact = models.CharField(_("单位联系人"), max_length=60, default="", blank=True)
    phone = models.CharField(_("单位联系电话"), max_length=60, default="", blank=True)
    email = models.CharField(_("邮箱"), max_length=120, default="", blank=True)
    above_scale_count = models.PositiveIntegerField(_("规上企业数量"), null=True, blank=True)
    filed_on = models.DateField(_("申报日期"), null=True, blank=True)

    # While it is returned for correction: {"by", "at", "words", "comments": {field or criterion: words}}.
    returned = models.JSONField(_("退回意见"), default=dict, blank=True)

    version = models.PositiveIntegerField(default=1)  # a stale edit is refused
    created_at = models.DateTimeField(_("创建时间"))
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    updated_at = models.DateTimeField(_("修改时间"))
    updated_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("organisation", "edition", "year"), name="cases_case_once"),
            models.CheckConstraint(condition=Q(state__in=CaseState.values), name="cases_case_state_is_known"),
        )

    def __str__(self) -> str:
        return f"{self.edition} {self.year} of {self.organisation_id}"


class EvidenceCategory(models.TextChoices):
    """随附材料, as the form lists them."""

    PLAN = "PLAN", _("建设方案")
    MANAGEMENT_BODY = "MANAGEMENT_BODY", _("建设管理机构设置情况")
    PLAN_PROGRESS = "PLAN_PROGRESS", _("建设方案落实情况")
    PROOF = "PROOF", _("证明材料")
    PICTURE = "PICTURE", _("图片")
    OTHER = "OTHER", _("其他")


class Evidence(models.Model):
    """A file handed in with a case. Its content never changes; a removed one is kept, but no longer counts."""

    case = models.ForeignKey(Case, models.PROTECT, related_name="evidence")
    category = models.CharField(_("材料类别"), max_length=20, choices=EvidenceCategory.choices)
    file_name = models.CharField(_("文件名"), max_length=120)
    kind = models.CharField(_("类型"), max_length=8)  # by its content: pdf, docx, xlsx, jpg, png
    media_type = models.CharField(max_length=100)
    size = models.PositiveBigIntegerField(_("大小（字节）"))
    sha256 = models.CharField("SHA-256", max_length=64)
    stored = models.FileField(max_length=200)
    uploaded_at = models.DateTimeField(_("上传时间"))
    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    removed_at = models.DateTimeField(_("移除时间"), null=True)
    removed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("case", "sha256"), condition=Q(removed_at=None), name="cases_evidence_once"
            ),
            models.CheckConstraint(
                condition=Q(removed_at=None, removed_by=None)
                | Q(removed_at__isnull=False, removed_by__isnull=False),
                name="cases_evidence_removed_at_and_by",
            ),
        )

    def __str__(self) -> str:
        return f"{self.file_name} of case {self.case_id}"


class Submission(models.Model):
    """
    A case as it was handed in: frozen, numbered, never changed, which the database itself holds.

    What a reviewer judges is this, not the draft that its owner may already have gone on with. `content`
    holds the texts, the form's numbers, the evaluation and the evidence's hashes; `ledger_heads` where the
    ledgers behind the numbers ended, so that what was posted since can be shown.
    """

    case = models.ForeignKey(
        Case, models.PROTECT, null=True, related_name="submissions"
    )  # None: from a package
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    name_given = models.CharField(_("报送时名称"), max_length=200)
    edition = models.CharField(_("政策版本"), max_length=80)
    year = models.PositiveSmallIntegerField(_("数据年度"))
    number = models.PositiveIntegerField(_("版次"))
    content = models.JSONField()  # {"texts", "numbers", "evaluation", "evidence", "particulars"}
    ledger_heads = models.JSONField(default=list)  # [[uscc, seq, chain hash]]
    content_sha256 = models.CharField(max_length=64)  # of content and heads, as canonical JSON
    case_file = models.FileField(_("申报书"), max_length=200, blank=True)
    case_file_sha256 = models.CharField(max_length=64, blank=True, default="")
    submitted_at = models.DateTimeField(_("报送时间"))
    submitted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("case", "number"), name="cases_submission_number_once"),
        )
        indexes = (models.Index(fields=("content_sha256",), name="cases_submission_by_content"),)

    def __str__(self) -> str:
        return f"{self.edition} {self.year} of {self.organisation_id}, no. {self.number}"


class SubmittedEvidence(models.Model):
    """A file of a submission; `shingles` are hashes of its text, by which near-duplicates are found."""

    submission = models.ForeignKey(Submission, models.PROTECT, related_name="files")
    category = models.CharField(_("材料类别"), max_length=20, choices=EvidenceCategory.choices)
    file_name = models.CharField(_("文件名"), max_length=120)
    kind = models.CharField(_("类型"), max_length=8)
    size = models.PositiveBigIntegerField(_("大小（字节）"))
    sha256 = models.CharField("SHA-256", max_length=64, db_index=True)
    stored = models.FileField(max_length=200)
    shingles = models.JSONField(default=list)  # MinHash of the text, 64 numbers; empty: no text

    def __str__(self) -> str:
        return self.file_name


class SketchNumber(models.Model):
    """
    A number of the sketch of a submission's texts, or of one of its files: by it those who share some are found.

    Kept beside the sketches themselves, which are in `content` and `shingles`, so that a comparison need not
    read all of them; made from them anew it is the same.
    """

    submission = models.ForeignKey(Submission, models.PROTECT, related_name="+", db_index=False)
    file = models.ForeignKey(
        SubmittedEvidence, models.PROTECT, null=True, related_name="+", db_index=False
    )  # None: of the texts
    number = models.BigIntegerField()

    class Meta:
        indexes = (
            models.Index(fields=("number", "file", "submission"), name="cases_sketch_by_number"),
            models.Index(fields=("submission",), name="cases_sketch_of_submission"),
        )

    def __str__(self) -> str:
        return f"{self.number} of {self.submission_id}"


class Headline(models.Model):
    """What peers of a submission are compared by: `content`'s headline, kept apart from its long texts."""

    submission = models.OneToOneField(Submission, models.PROTECT, primary_key=True, related_name="headline")
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+", db_index=False)
    year = models.PositiveSmallIntegerField()
    figures = models.JSONField()

    class Meta:
        indexes = (models.Index(fields=("year", "organisation"), name="cases_headline_by_year"),)

    def __str__(self) -> str:
        return f"of {self.submission_id}"
