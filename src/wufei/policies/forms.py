"""The shapes of what is declared, judged and maintained, and the words of refusals."""

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from wufei.catalogue.industries import read_industry_code
from wufei.policies.edition import Scored
from wufei.policies.models import Answer
from wufei.policies.services import Code

STATEMENT_REFUSALS = {
    Code.YEAR_OUT_OF_RANGE: _("年份须在 1949 年以后，且不晚于今年。"),
    Code.ANSWER_UNKNOWN: _("请选“是”“否”或“不适用”。"),
    Code.TEXT_MISSING: _("请填写。"),
    Code.TEXT_TOO_LONG: _("文字过长，请缩短。"),
    Code.CRITERION_UNKNOWN: _("这个政策版本没有这一条，可能已经更新；请返回评价页重新打开。"),
    Code.QUESTION_UNKNOWN: _("这一条没有这个问题，可能已经更新；请返回评价页重新打开。"),
    Code.NO_EXCEPTION_HERE: _("这一条不是“原则上”的要求，不能准予例外。"),
    Code.ITEM_UNKNOWN: _("没有这个填报项，可能已经更新；请重新打开本页。"),
    Code.VALUE_NOT_DECIMAL: _("请填数字，如 12.5，小数最多八位。"),
    Code.INDUSTRY_UNKNOWN: _("没有这个行业代码；请按 GB/T 4754 填写。"),
    Code.KEY_UNKNOWN: _("这个政策版本没有这项评分指标，可能已经更新；请重新打开本页。"),
    Code.RANGE_WRONG_WAY: _("基准值与引领值方向反了：越大越好的指标，引领值不小于基准值；越小越好的相反。"),
    Code.NOT_AN_AUTHORITY: _("只有主管部门维护行业要求。"),
    Code.ALREADY_MAINTAINED: _("该行业在这一天已有一套要求；已施行的不改写，请换一个施行日期。"),
    Code.STALE_EDIT: _("您打开本页以后，别人改过这一项，现存的内容已列出；核对后再保存，即以您填写的为准。"),
}


class DayInput(forms.DateInput):
    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


class YearForm(forms.Form):
    year = forms.TypedChoiceField(label=_("评价年份"), coerce=int, required=False)

    def __init__(self, *args: Any, years: range, **kwargs: Any):
        super().__init__(*args, **kwargs)
        choices = [(year, _("%(year)d 年") % {"year": year}) for year in years]
        self.fields["year"].choices = choices  # type: ignore[attr-defined]


class StatementForm(forms.Form):
    """One row of a page where each row is saved by itself."""

    item = forms.CharField(widget=forms.HiddenInput, max_length=120)
    version = forms.IntegerField(widget=forms.HiddenInput, min_value=0)
    basis = forms.CharField(label=_("依据"), required=False, max_length=300)


class DeclarationForm(StatementForm):
    answer = forms.ChoiceField(label=_("结论"), choices=[("", _("未声明")), *Answer.choices])
    field_order = ("item", "version", "answer", "basis")


class ValueForm(StatementForm):
    value = forms.DecimalField(
        label=_("数值"), max_digits=24, decimal_places=8,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )  # fmt: skip
    field_order = ("item", "version", "value", "basis")


class JudgementForm(forms.Form):
    answer = forms.ChoiceField(label=_("结论"), widget=forms.RadioSelect)
    reason = forms.CharField(
        label=_("理由"), max_length=500, widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("写明看了什么材料、依据什么作出结论；连同您的姓名和时间一并留存，至多 500 字。"),
    )  # fmt: skip

    def __init__(self, *args: Any, is_exception: bool, **kwargs: Any):
        super().__init__(*args, **kwargs)
        choices = [("YES", _("准予例外")), ("NO", _("不准予"))] if is_exception else Answer.choices
        self.fields["answer"].choices = choices  # type: ignore[attr-defined]


class RequirementsForm(forms.Form):
    industry_code = forms.CharField(
        label=_("行业代码"),
        max_length=5,
        help_text=_("GB/T 4754 的中类代码，三位数字，与企业登记的代码一致。"),
    )
    name = forms.CharField(label=_("名称"), max_length=120, help_text=_("如：水泥制造业评价要求。"))
    in_force_from = forms.DateField(label=_("施行日期"), widget=DayInput)
    source = forms.CharField(label=_("依据"), max_length=200, help_text=_("发布文件的名称和文号。"))
    is_illustrative = forms.BooleanField(
        label=_("示意数据，不作依据"), required=False, help_text=_("评价中会标明。")
    )

    def __init__(self, *args: Any, scored: list[Scored], **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.scored = scored
        for each in scored:
            for end, label in (("baseline", _("基准值")), ("leading", _("引领值"))):
                self.fields[f"{end}_{each.key}"] = forms.DecimalField(
                    label=f"{each.name} {label}", required=False, max_digits=24, decimal_places=8,
                    widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
                )  # fmt: skip

    def clean_industry_code(self) -> str:
        reading = read_industry_code(self.cleaned_data["industry_code"])
        if reading.industry is None:
            raise forms.ValidationError(reading.message)
        return reading.industry.code

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        for each in self.scored:
            ends = [said.get(f"{end}_{each.key}") for end in ("baseline", "leading")]
            if ends.count(None) == 1 and not any(
                f"{end}_{each.key}" in self.errors for end in ("baseline", "leading")
            ):
                self.add_error(f"leading_{each.key}", _("基准值和引领值要么都填，要么都不填。"))
        return said

    def values(self) -> dict[str, dict[str, str]]:
        """Return the ranges that were filled in."""
        said = self.cleaned_data
        return {
            each.key: {end: _plain(said[f"{end}_{each.key}"]) for end in ("baseline", "leading")}
            for each in self.scored
            if said.get(f"baseline_{each.key}") is not None
        }


def _plain(value: Decimal) -> str:
    return format(value, "f")
