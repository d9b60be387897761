"""The shapes of what is written into a case."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from wufei.cases.models import EvidenceCategory
from wufei.policies.edition import Edition

# The parts of the body, in the order of the form; the limit is on all of them together.
BODY = ("title", "plan", "practices", "results", "innovation", "conditions")
HINTS = {
    "title": _("准确、鲜明、简洁，能概括做法和成效。"),
    "brief_description": _("列入典型案例汇总表。"),
    "plan": _("建设方案的目标、任务、组织和制定过程。"),
    "practices": _("源头减量、综合利用、贮存处置、管理制度等做法。"),
    "results": _("能量化的尽量量化；可量化部分的表由台账自动填写。"),
    "innovation": _("技术、模式、机制上的创新。"),
    "conditions": _("别处采用需要什么条件。"),
    "self_description": _("填入表中的“自述”。"),
    "leading_industry": _("不填则按登记的行业写入。"),
    "filed_on": _("不填则在封面上留空。"),
}
SHORT = (
    "leading_industry",
    "filler_name",
    "filler_title",
    "filler_phone",
    "head_mobile",
    "contact",
    "phone",
    "email",
)


class OpenForm(forms.Form):
    """Under which edition, for which year."""

    edition = forms.ChoiceField(label=_("政策"))
    year = forms.TypedChoiceField(label=_("数据年度"), coerce=int)

    def __init__(self, *args: Any, editions: list[Edition], years: range, **kwargs: Any):
        super().__init__(*args, **kwargs)
        offered = [(each.id, f"{each.title}（{each.norm.number}）") for each in editions]
        self.fields["edition"].choices = offered  # type: ignore[attr-defined]
        self.fields["year"].choices = [(year, f"{year} 年") for year in years]  # type: ignore[attr-defined]


class EvidenceForm(forms.Form):
    category = forms.ChoiceField(label=_("材料类别"), choices=EvidenceCategory.choices)
    file = forms.FileField(
        label=_("文件"), help_text=_("pdf、docx、xlsx、jpg、png，每个不超过 20 MB，合计不超过 200 MB。"),
        allow_empty_file=True,
        widget=forms.FileInput(attrs={"accept": ".pdf,.docx,.xlsx,.jpg,.jpeg,.png"}),
    )  # fmt: skip
