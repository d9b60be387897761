"""The shapes of what people type; the rules are the services'."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from wufei.registry.models import Vehicle
from wufei.tracking.incidents import KIND_LABELS
from wufei.tracking.positions import WGS84
from wufei.tracking.queries import Concern

CONCERNS = [
    ("", _("全部车辆")),
    (Concern.ALERT, _("有正在发生的提醒")),
    (Concern.WAITING, _("有待说明的提醒")),
    (Concern.NEVER_HEARD, _("还没有位置")),
]
STATES = [
    ("", _("全部")),
    ("waiting", _("待说明")),
    ("going_on", _("仍在继续")),
    ("acknowledged", _("已说明")),
    ("withdrawn", _("已撤销")),
]
DATUMS = [
    ("", _("请选择")),
    (WGS84, "WGS-84"),
    ("GCJ02", "GCJ-02（火星坐标）"),
    ("BD09", "BD-09（百度坐标）"),
]


class RoadFilter(forms.Form):
    """Which vehicles a list shows."""

    q = forms.CharField(label=_("车牌、编号、单位"), max_length=100, required=False)
    way = forms.ChoiceField(
        label=_("行程"), required=False, choices=[("", _("在途")), ("ended", _("已运抵"))]
    )
    concern = forms.ChoiceField(label=_("情况"), required=False, choices=CONCERNS)


class AlertFilter(forms.Form):
    q = forms.CharField(label=_("车牌、编号"), max_length=100, required=False)
    kind = forms.ChoiceField(
        label=_("提醒"),
        required=False,
        choices=[("", _("全部")), *((k.value, label) for k, label in KIND_LABELS.items())],
    )
    state = forms.ChoiceField(label=_("状态"), required=False, choices=STATES)


class TrackerForm(forms.Form):
    """A tracker as it is registered."""

    plate = forms.ChoiceField(label=_("车辆"), help_text=_("终端只属于这一辆车；换到别的车上须重新登记。"))
    name = forms.CharField(label=_("名称"), max_length=60, help_text=_("如 车头终端。"))

    def __init__(self, said: Any = None, *, vehicles: Iterable[Vehicle], **rest: Any) -> None:
        super().__init__(said, **rest)
        field = self.fields["plate"]
        assert isinstance(field, forms.ChoiceField), "plate is a choice"
        field.choices = [("", _("请选择")), *((row.plate, row.plate) for row in vehicles)]


class RouteForm(forms.Form):
    """A planned route, a point in a line."""

    datum = forms.ChoiceField(
        label=_("坐标系"),
        choices=DATUMS,
        help_text=_("从国内地图上取的点多为 GCJ-02，相差几百米，须先换算成 WGS-84。"),
    )
    text = forms.CharField(
        label=_("途经的点"), max_length=12_000,
        widget=forms.Textarea(attrs={"rows": 6, "placeholder": "29.0281, 106.6512 綦江\n29.7121, 107.3916 涪陵"}),
        help_text=_("每行一个点：纬度，经度，名称。首行为移出地，末行为接受地；起运后不能再改。"),
    )  # fmt: skip


class RemarkForm(forms.Form):
    remark = forms.CharField(max_length=300)
