"""The shapes of what people type about experts and draws; the rules are the services'."""

import re
from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from wufei.reviews.models import Expert, ExpertTie

STATES = [("", _("全部")), ("active", _("在库")), ("inactive", _("已出库"))]
TIES = [("", _("请选择")), *ExpertTie.Kind.choices]


class ExpertFilter(forms.Form):
    """Which experts a list shows."""

    q = forms.CharField(
        label=_("查找"), required=False, max_length=80,
        widget=forms.TextInput(attrs={"placeholder": _("编号、姓名、工作单位")}),
    )  # fmt: skip
    field = forms.ChoiceField(label=_("专业领域"), required=False)
    state = forms.ChoiceField(label=_("状态"), required=False, choices=STATES)

    def __init__(self, said: Any, *, known: Iterable[str]) -> None:
        super().__init__(said)
        _choose(self, "field", [("", _("全部领域")), *((each, each) for each in known)])


def _choose(form: forms.Form, name: str, choices: Iterable[tuple[str, Any]]) -> None:
    field = form.fields[name]
    assert isinstance(field, forms.ChoiceField)
    field.choices = list(choices)


class ExpertForm(forms.Form):
    """An expert of the pool."""

    username = forms.CharField(
        label=_("用户名"), max_length=150, help_text=_("专家登录用的账号，由系统管理员先建立。")
    )
    number = forms.CharField(
        label=_("专家编号"), max_length=20, help_text=_("抽取、评分和公开时只用编号，请不要用姓名。")
    )
    fields_said = forms.CharField(
        label=_("专业领域"), max_length=500, help_text=_("多个领域用顿号或逗号分开。")
    )
    title = forms.CharField(label=_("职称"), max_length=60, required=False)
    employer_name = forms.CharField(label=_("工作单位"), max_length=200)
    employer_uscc = forms.CharField(
        label=_("工作单位统一社会信用代码"), max_length=24, required=False,
        help_text=_("用于自动回避本单位的申报，请尽量填写。"),
    )  # fmt: skip
    is_active = forms.BooleanField(label=_("在库（可以被抽取）"), required=False, initial=True)
    version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, said: Any = None, *, expert: Expert | None = None, known: Iterable[str] = ()) -> None:
        initial: dict[str, Any] = {}
        if expert is not None:
            names = ("number", "title", "employer_name", "employer_uscc", "is_active", "version")
            initial = {name: getattr(expert, name) for name in names}
            initial["fields_said"] = "、".join(expert.fields)
        super().__init__(said, initial=initial)
        if expert is None:
            del self.fields["is_active"]
        else:
            del self.fields["username"]
        if known:
            self.fields["fields_said"].help_text = _(
                "多个领域用顿号或逗号分开。政策版本用到的有：%(known)s。"
            ) % {"known": "、".join(known)}

    def changes(self) -> dict[str, Any]:
        """Return what the service takes."""
        said = self.cleaned_data
        names = ("number", "title", "employer_name", "employer_uscc")
        changes = {name: said[name] for name in names}
        changes["fields"] = [each for each in re.split(r"[、，,;；\s]+", said["fields_said"]) if each]
        if "is_active" in said:
            changes["is_active"] = said["is_active"]
        return changes


class TieForm(forms.Form):
    """What ties an expert to an organisation."""

    uscc = forms.CharField(label=_("统一社会信用代码"), max_length=24)
    kind = forms.ChoiceField(label=_("关系"), choices=TIES)
    note = forms.CharField(label=_("说明"), max_length=200, required=False)


class CommitForm(forms.Form):
    """A commitment to a seed, and how many are to be drawn."""

    seed = forms.CharField(
        label=_("种子"), max_length=200, required=False, strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text=_("由您保管的一段文字，例如事先写好封存的一句话。系统只算出它的 SHA-256 作为承诺值公布，不保存种子；公布种子时须原样填写。"),
    )  # fmt: skip
    commitment = forms.CharField(
        label=_("或直接填写承诺值"), max_length=64, required=False,
        help_text=_("不想让系统经手种子的，自行算出种子的 SHA-256（64 位十六进制）填在这里。"),
    )  # fmt: skip
    number = forms.IntegerField(
        label=_("抽取人数"), min_value=1, max_value=1000, required=False,
        help_text=_("不分领域时填写；分领域抽取的，填下面各领域的人数。"),
    )  # fmt: skip
    reason = forms.CharField(
        label=_("重新抽取的理由"), max_length=200, required=False,
        help_text=_("上一次抽取还没有公布种子时必须填写；那一次随即作废。"),
    )  # fmt: skip

    def __init__(self, said: Any = None, *, known: Iterable[str] = ()) -> None:
        super().__init__(said)
        self.known = list(known)
        for at, field in enumerate(self.known):
            self.fields[f"field_{at}"] = forms.IntegerField(
                label=field, min_value=0, max_value=1000, required=False
            )

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        if bool(said.get("seed")) == bool(said.get("commitment")):
            self.add_error("seed", _("种子和承诺值请填写一项，且只填一项。"))
        if not said.get("number") and not self.per_field():
            self.add_error("number", _("请填写抽取人数，或各领域的人数。"))
        return said

    def per_field(self) -> dict[str, int]:
        """Return how many of each field."""
        said = self.cleaned_data
        return {field: n for at, field in enumerate(self.known) if (n := said.get(f"field_{at}"))}


class RevealForm(forms.Form):
    """The seed."""

    seed = forms.CharField(
        label=_("种子"), max_length=200, strip=False, widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text=_("与承诺时完全一致，一个空格也不能差。"),
    )  # fmt: skip


class ReasonForm(forms.Form):
    """Why an expert steps back or is replaced."""

    reason = forms.CharField(label=_("理由"), max_length=200, widget=forms.Textarea(attrs={"rows": 3}))


class ReplaceForm(ReasonForm):
    """Who steps in for whom, and why."""

    expert = forms.ChoiceField(label=_("改派给"), required=False)

    def __init__(self, said: Any = None, *, experts: Iterable[Expert]) -> None:
        super().__init__(said)
        rows = [(str(e.pk), f"{e.number}　{'、'.join(e.fields)}") for e in experts]
        _choose(self, "expert", [("", _("由系统选最合适、任务最少的")), *rows])


class WordsForm(forms.Form):
    """What is said in a discussion."""

    words = forms.CharField(label=_("发言"), max_length=5000, widget=forms.Textarea(attrs={"rows": 4}))


class CutForm(forms.Form):
    """Where the line would be drawn."""

    number = forms.IntegerField(label=_("取前几名"), min_value=0, max_value=100_000, required=False)
    at_least = forms.DecimalField(label=_("最低分"), max_digits=9, decimal_places=4, required=False)
