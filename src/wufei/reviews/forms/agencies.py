"""The shapes of what people type about third-party agencies; the rules are the services'."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from wufei.policies.edition import RubricItem
from wufei.registry.models import Organisation
from wufei.reviews.forms.days import day_field
from wufei.reviews.models import AgencyMark, AgencyReport, SpotCheck
from wufei.reviews.services.agencies_reporting import Written

STATES = [
    ("", _("全部")), ("recommended", _("已列入推荐名单")), ("unmarked", _("未评估")), ("excluded", _("已取消资格")),
]  # fmt: skip
REPORT_STATES = [
    ("", _("全部")), ("open", _("待提交")), ("submitted", _("已提交")), ("unchecked", _("已提交、未抽查")),
    ("withdrawn", _("已解除")),
]  # fmt: skip
VERDICTS = [("", _("请选择")), ("yes", _("评价合格")), ("no", _("评价不合格"))]


class AgencyFilter(forms.Form):
    """Which agencies an authority's list shows."""

    q = forms.CharField(
        label=_("查找"), required=False, max_length=80,
        widget=forms.TextInput(attrs={"placeholder": _("机构名称、统一社会信用代码")}),
    )  # fmt: skip
    year = forms.TypedChoiceField(label=_("年度"), required=False, coerce=int)
    state = forms.ChoiceField(label=_("状态"), required=False, choices=STATES)

    def __init__(self, said: Any, *, years: Iterable[int]) -> None:
        super().__init__(said)
        field = self.fields["year"]
        assert isinstance(field, forms.TypedChoiceField)
        field.choices = [(year, str(year)) for year in years]


class ReportFilter(forms.Form):
    """Which reports a list shows."""

    q = forms.CharField(
        label=_("查找"), required=False, max_length=80,
        widget=forms.TextInput(attrs={"placeholder": _("单位名称、编号")}),
    )  # fmt: skip
    state = forms.ChoiceField(label=_("状态"), required=False, choices=REPORT_STATES)


class AssignForm(forms.Form):
    """Which agency is to evaluate."""

    agency = forms.ChoiceField(
        label=_("第三方机构"), help_text=_("与申报单位有利害关系的机构不能委托，选择后系统会核对。")
    )

    def __init__(self, *said: Any, agencies: Iterable[Organisation], recommended: Iterable[int] = ()) -> None:
        super().__init__(*said)
        best = set(recommended)
        rows = sorted(agencies, key=lambda a: (a.pk not in best, a.name))
        field = self.fields["agency"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [
            ("", _("请选择")),
            *(
                (a.uscc, _("%(name)s（推荐名单）") % {"name": a.name} if a.pk in best else a.name)
                for a in rows
            ),
        ]


class JudgeForm(forms.Form):
    """An authority's marks for an agency's year."""

    year = forms.IntegerField(label=_("年度"), min_value=2000, max_value=2100)
    strength = forms.DecimalField(
        label=_("综合实力"), min_value=0, max_value=100, decimal_places=2, max_digits=5
    )
    report_quality = forms.DecimalField(
        label=_("报告质量"), min_value=0, max_value=100, decimal_places=2, max_digits=5
    )
    process = forms.DecimalField(
        label=_("工作过程"), min_value=0, max_value=100, decimal_places=2, max_digits=5
    )
    words = forms.CharField(
        label=_("评语"), required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 2})
    )
    is_recommended = forms.BooleanField(label=_("列入本年度推荐名单（对外公开）"), required=False)

    def __init__(self, said: Any = None, *, year: int, mark: AgencyMark | None = None) -> None:
        names = ("strength", "report_quality", "process", "words", "is_recommended")
        initial = {name: getattr(mark, name) for name in names} if mark else {}
        super().__init__(said, initial={"year": year, **initial})


class ExcludeForm(forms.Form):
    """Why an agency may not evaluate any more."""

    cause = forms.CharField(label=_("事由"), max_length=200)
    document = forms.CharField(label=_("文号"), max_length=60, required=False)


class SpotCheckForm(forms.Form):
    """What a spot check found."""

    result = forms.ChoiceField(
        label=_("抽查结果"), choices=SpotCheck.Result.choices, widget=forms.RadioSelect
    )
    words = forms.CharField(label=_("情况"), max_length=5000, widget=forms.Textarea(attrs={"rows": 3}))


class WithdrawForm(forms.Form):
    """Why an assignment ends."""

    reason = forms.CharField(label=_("原因"), max_length=200)


class ReturnForm(forms.Form):
    """What the applicant is to correct."""

    words = forms.CharField(
        label=_("需要补正的内容"), max_length=5000, widget=forms.Textarea(attrs={"rows": 3})
    )


class ReportForm(forms.Form):
    """An agency's report; a draft may leave everything open."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    visited_on = day_field(label=_("现场评价日期"), required=False)
    conclusion = forms.CharField(
        label=_("评价结论"), required=False, max_length=20_000, widget=forms.Textarea(attrs={"rows": 6})
    )
    verdict = forms.ChoiceField(label=_("是否合格"), required=False, choices=VERDICTS)

    def __init__(self, said: Any = None, *, report: AgencyReport) -> None:
        verdict = {True: "yes", False: "no", None: ""}[report.is_positive]
        initial = {
            "version": report.version, "visited_on": report.visited_on, "conclusion": report.conclusion,
            "verdict": verdict,
        }  # fmt: skip
        super().__init__(said, initial=initial)

    def written(self, items: Iterable[RubricItem]) -> Written:
        """Return what the service takes; points and comments are named after the rubric's items."""
        said, ids = self.cleaned_data, [item.id for item in items]
        return Written(
            visited_on=said["visited_on"], conclusion=said["conclusion"],
            is_positive={"yes": True, "no": False, "": None}[said["verdict"]],
            scores={each: str(self.data.get(f"score-{each}", ""))[:20] for each in ids},
            comments={each: str(self.data.get(f"comment-{each}", "")) for each in ids},
        )  # fmt: skip
