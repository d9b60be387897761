"""What is handed in: one workbook."""

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from wufei.capture.faults import WorkbookRefused
from wufei.capture.safe_opening import check_size


class UploadForm(forms.Form):
    """A workbook, not larger than is read at all."""

    file = forms.FileField(
        label=_("数据工作簿（.xlsx）"),
        max_length=200,
        allow_empty_file=True,
        widget=forms.ClearableFileInput(
            attrs={"accept": ".xlsx,application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}
        ),
        error_messages={"required": _("请选择一个 .xlsx 文件。")},
    )

    def clean_file(self) -> UploadedFile[Any]:
        file: UploadedFile[Any] = self.cleaned_data["file"]
        try:
            check_size(file.size or 0)
        except WorkbookRefused as refused:
            raise forms.ValidationError(refused.fault.message) from refused
        return file
