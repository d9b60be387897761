"""What is stored of uploads. Write only through `capture.services`."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from wufei.registry.models import Organisation


class UploadState(models.TextChoices):
    STAGED = "STAGED", _("待确认")
    QUEUED = "QUEUED", _("排队中")
    RUNNING = "RUNNING", _("导入中")
    DONE = "DONE", _("已导入")
    REFUSED = "REFUSED", _("未导入")  # nothing was posted; the result says why


class Upload(models.Model):
    """A workbook that somebody handed in on the web, and what became of it."""

    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    file_name = models.CharField(_("文件名"), max_length=200)
    sha256 = models.CharField(_("文件摘要"), max_length=64)
    size = models.PositiveIntegerField(_("文件大小"))
    file = models.FileField(_("文件"), upload_to="uploads/%Y/%m", max_length=200)
    rejects = models.FileField(_("错误行"), upload_to="uploads/%Y/%m", max_length=200, blank=True, default="")
    state = models.CharField(
        _("状态"), max_length=10, choices=UploadState.choices, default=UploadState.STAGED
    )
    accept_valid = models.BooleanField(_("只导入正确的行"), default=False)
    result = models.JSONField(_("结果"), null=True)  # as the command line prints it
    created_at = models.DateTimeField(_("上传时间"))
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    confirmed_at = models.DateTimeField(_("确认时间"), null=True)
    confirmed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        verbose_name = _("数据工作簿")
        constraints = (
            models.CheckConstraint(
                condition=Q(confirmed_at=None, confirmed_by=None)
                | Q(confirmed_at__isnull=False, confirmed_by__isnull=False),
                name="capture_upload_confirmed_by_somebody",
            ),
        )
        indexes = (models.Index(fields=("organisation", "-created_at"), name="capture_upload_latest"),)

    def __str__(self) -> str:
        return f"{self.file_name} of {self.organisation_id}: {self.state}"
