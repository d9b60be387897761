"""The shapes of what people type about consultations; the rules are the services'."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from wufei.reviews.models import Consultation

STATES = [("open", _("待答复")), ("answered", _("已答复")), ("silent", _("未答复")), ("", _("全部"))]


class ConsultationFilter(forms.Form):
    """Which consultations a department's list shows."""

    q = forms.CharField(
        label=_("查找"), required=False, max_length=80,
        widget=forms.TextInput(attrs={"placeholder": _("单位名称、编号")}),
    )  # fmt: skip
    state = forms.ChoiceField(label=_("状态"), required=False, choices=STATES)


class ReplyForm(forms.Form):
    """A department's opinion."""

    opinion = forms.ChoiceField(
        label=_("意见"), choices=Consultation.Opinion.choices, widget=forms.RadioSelect
    )
    words = forms.CharField(
        label=_("意见内容"), required=False, max_length=5000, widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("有意见建议或不同意的，必须写明。"),
    )  # fmt: skip
    file = forms.FileField(
        label=_("盖章复函"), required=False, help_text=_("pdf、docx、jpg 或 png，不超过 20 MB。")
    )

    def __init__(self, *said: Any, needs_file: bool = False) -> None:
        super().__init__(*said)
        self.fields["file"].required = needs_file
