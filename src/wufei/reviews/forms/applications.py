"""The shapes of what people type about applications."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from wufei.policies.edition import Stage
from wufei.reviews.telling import OUTCOME_WORDS

ONLY = [
    ("", _("全部")), ("open", _("未办结")), ("contested", _("意见不一致")), ("overdue", _("已逾期")),
    ("returned", _("退回补正中")),
]  # fmt: skip


class ApplicationFilter(forms.Form):
    """Which applications a list shows."""

    text = forms.CharField(
        label=_("查找"), required=False, max_length=80,
        widget=forms.TextInput(attrs={"placeholder": _("单位名称、代码、编号")}),
    )  # fmt: skip
    stage = forms.ChoiceField(label=_("环节"), required=False)
    outcome = forms.ChoiceField(
        label=_("结果"), required=False,
        choices=[("", _("全部结果")), *((o.value, words) for o, words in OUTCOME_WORDS.items())],
    )  # fmt: skip
    district = forms.ChoiceField(label=_("区县"), required=False)
    only = forms.ChoiceField(label=_("范围"), required=False, choices=ONLY)

    def __init__(self, said: Any, *, stages: Iterable[Stage], districts: Iterable[tuple[str, str]]) -> None:
        super().__init__(said)
        for name, choices in (
            ("stage", [("", _("全部环节")), *((s.id, s.label) for s in stages)]),
            ("district", [("", _("全部区县")), *districts]),
        ):
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.choices = choices


class PassOnForm(forms.Form):
    """Who goes on with an open case."""

    uscc = forms.CharField(label=_("承继单位统一社会信用代码"), max_length=18)
    words = forms.CharField(label=_("依据和说明"), widget=forms.Textarea(attrs={"rows": 2}))
