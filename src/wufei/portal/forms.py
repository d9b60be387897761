"""The shapes of what visitors type; the rules are the services'."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from wufei.policies.edition import Edition
from wufei.reviews.models import Title
from wufei.reviews.queries.register import STANDINGS
from wufei.reviews.services.notices import MAX_FILES, MAX_WORDS

NOTICE_STATES = [("", _("全部公示")), ("running", _("公示中")), ("past", _("已结束"))]
CALL_STATES = [("", _("全部通知")), ("open", _("正在接收"))]


def _search(hint: Any) -> forms.CharField:
    return forms.CharField(
        label=_("查找"), required=False, max_length=80, widget=forms.TextInput(attrs={"placeholder": hint})
    )


class SearchForm(forms.Form):
    """Words to search for."""

    q = forms.CharField(label=_("查找"), required=False, max_length=80)


class CallFilter(forms.Form):
    """Which calls a list shows."""

    q = _search(_("名称、组织单位"))
    state = forms.ChoiceField(label=_("状态"), required=False, choices=CALL_STATES)


class NoticeFilter(forms.Form):
    """Which notices a list shows."""

    q = _search(_("标题、单位名称"))
    state = forms.ChoiceField(label=_("状态"), required=False, choices=NOTICE_STATES)


class RegisterFilter(forms.Form):
    """Which titles the register shows, and as of which day."""

    q = _search(_("单位现名称或原名称、编号、信用代码"))
    edition = forms.ChoiceField(label=_("政策"), required=False)
    level = forms.ChoiceField(
        label=_("级别"), required=False, choices=[("", _("全部级别")), *Title.Level.choices]
    )
    state = forms.ChoiceField(
        label=_("状态"), required=False, choices=[("", _("全部状态")), *STANDINGS.items()]
    )
    at = forms.DateField(
        label=_("截至"), required=False, input_formats=["%Y-%m-%d"],
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )  # fmt: skip

    def __init__(self, *args: Any, editions: list[Edition], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["edition"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", _("全部政策")), *((each.id, each.title) for each in editions)]


class AgencyFilter(forms.Form):
    """Which agencies a list shows: whose list, and of which year."""

    q = _search(_("机构名称、信用代码"))
    authority = forms.ChoiceField(label=_("公布单位"), required=False)
    year = forms.TypedChoiceField(label=_("年度"), required=False, coerce=int, empty_value=None)

    def __init__(
        self, *args: Any, authorities: Iterable[tuple[str, str]], years: Iterable[int], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        choices: dict[str, list[tuple[str, Any]]] = {
            "authority": [("", _("全部单位")), *authorities],
            "year": [("", _("全部年度")), *((str(year), str(year)) for year in years)],
        }
        for name, offered in choices.items():
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.choices = offered


class SeveralFilesInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class SeveralFilesField(forms.FileField):
    """Several files of one field, as a list; what they are the service examines."""

    widget = SeveralFilesInput

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile]:
        given = data if isinstance(data, (list, tuple)) else [data] if data else []
        if len(given) > MAX_FILES:
            raise forms.ValidationError(_("最多 %(n)s 个文件。") % {"n": MAX_FILES})
        return [super(SeveralFilesField, self).clean(each, initial) for each in given]


class ObjectionForm(forms.Form):
    """What somebody says against what stands in a notice."""

    name = forms.CharField(
        label=_("姓名或单位名称"), max_length=60, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    contact = forms.CharField(
        label=_("联系方式"), max_length=120,
        help_text=_("手机、邮箱或地址，只供受理单位核实和答复，不对外公开。查询办理情况时要用。"),
    )  # fmt: skip
    words = forms.CharField(
        label=_("异议内容"), max_length=MAX_WORDS, widget=forms.Textarea(attrs={"rows": 8}),
        help_text=_("请写明事实和依据，不超过 %(n)s 字。") % {"n": MAX_WORDS},
    )  # fmt: skip
    papers = SeveralFilesField(
        label=_("证明材料"), required=False,
        help_text=_("pdf、docx、xlsx、jpg、png，最多 %(n)s 个，合计不超过 40 MB。") % {"n": MAX_FILES},
        widget=SeveralFilesInput(attrs={"accept": ".pdf,.docx,.xlsx,.jpg,.jpeg,.png"}),
    )  # fmt: skip


class LookupForm(forms.Form):
    """Which objection is asked for."""

    code = forms.CharField(
        label=_("受理编号"), max_length=20,
        widget=forms.TextInput(attrs={"autocomplete": "off", "placeholder": "YY20260701-1A2B3C"}),
    )  # fmt: skip
    contact = forms.CharField(
        label=_("联系方式"), max_length=120, help_text=_("与提出异议时填写的一致。"),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )  # fmt: skip
