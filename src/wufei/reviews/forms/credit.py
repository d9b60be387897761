"""The shapes of what people type about facts of credit."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from wufei.reviews.forms.days import day_field


class CreditFilter(forms.Form):
    """Which facts a list shows."""

    q = forms.CharField(label=_("名称、代码、文号或内容"), required=False, max_length=80)
    kind = forms.ChoiceField(label=_("类别"), required=False)
    since = day_field(label=_("自"), required=False)

    def __init__(self, *args: Any, kinds: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["kind"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", _("全部类别")), *((kind, kind) for kind in kinds)]


class CreditFileForm(forms.Form):
    """A file of facts."""

    file = forms.FileField(
        label=_("文件"),
        help_text=_(".csv 或 .xlsx，表头为：统一社会信用代码、类别、来源、文号、日期、内容。"),
    )
