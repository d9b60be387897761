"""The shapes of what is asked of figures and of what is stated for a year, and the words of refusals."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from wufei.indicators.services import FIRST_YEAR

INPUT_REFUSALS = {
    "year_out_of_range": _("年份须在 1949 年以后，且不晚于今年。"),
    "amount_negative": _("不能小于零。"),
    "amount_absurd": _("数额过大，请检查单位是否填错。"),
    "amount_too_fine": _("小数最多六位。"),
    "text_missing": _("请填写。"),
    "stale_edit": _("您打开本页以后，别人改过这一项。现存的数已列在下面；核对后再点保存，即以您填写的为准。"),
}
_LAST_YEAR = 2200


class YearsFilter(forms.Form):
    """Which years of which stream."""

    since = forms.IntegerField(label=_("从"), min_value=FIRST_YEAR, max_value=_LAST_YEAR, required=False)
    through = forms.IntegerField(label=_("到"), min_value=FIRST_YEAR, max_value=_LAST_YEAR, required=False)
    stream = forms.ChoiceField(label=_("废物"), required=False)

    def __init__(self, *args: Any, streams: list[tuple[str, str]], **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["stream"].choices = [("", _("全部废物")), *streams]  # type: ignore[attr-defined]
        if not streams:
            del self.fields["stream"]


class FigureQuestion(forms.Form):
    """Which cut of a figure."""

    stream = forms.CharField(required=False, max_length=40)
    dimension = forms.CharField(required=False, max_length=120)
    month = forms.IntegerField(required=False, min_value=1, max_value=12)
    span = forms.IntegerField(required=False, min_value=1, max_value=20)


def _amount(label: Any, digits: int, *, required: bool = False) -> forms.DecimalField:
    attributes = {"inputmode": "decimal", "autocomplete": "off"}
    return forms.DecimalField(
        label=label, required=required, max_digits=digits, decimal_places=6, widget=forms.TextInput(attrs=attributes)
    )  # fmt: skip


class VersionedForm(forms.Form):
    """A form that knows which version of the row it was filled from; 0: there was none."""

    version = forms.IntegerField(min_value=0, widget=forms.HiddenInput)


class OperationForm(VersionedForm):
    output_value_10k_yuan = _amount(_("产值（万元）"), 20)
    sales_10k_yuan = _amount(_("销售额（万元）"), 20)
    value_added_10k_yuan = _amount(_("工业增加值（万元）"), 20)

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["value_added_10k_yuan"].help_text = _("可以为负数。产生强度按此计算。")


class ProductForm(VersionedForm):
    name = forms.CharField(label=_("产品名称"), max_length=120)
    output = _amount(_("产量"), 24, required=True)
    unit = forms.CharField(
        label=_("单位"), max_length=20, help_text=_("产量、产能同一单位，如：万吨、万千瓦时。")
    )
    capacity = _amount(_("产能"), 24)
    is_main = forms.BooleanField(
        label=_("主产品"), required=False, help_text=_("单位产品产生量按主产品计算，一年只标一种。")
    )
