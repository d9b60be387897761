"""The shapes of what people type; the rules are the services'."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from wufei.ledger.models import Place, Stream
from wufei.shopfloor.models import Scale
from wufei.terms.mass import Mass

STATES = [
    ("", _("全部读数")),
    ("waiting", _("等待取用")),
    ("taken", _("已取用")),
    ("refused", _("已拒收")),
    ("not_posted", _("未能自动记账")),
    ("set_aside", _("已作废")),
]
_DECIMAL = {"inputmode": "decimal", "autocomplete": "off"}


def _weight(label: Any, help_text: Any = "") -> forms.DecimalField:
    return forms.DecimalField(
        label=label, max_digits=12, decimal_places=3, min_value=Decimal("0.001"), localize=False,
        widget=forms.TextInput(attrs=_DECIMAL), help_text=help_text,
    )  # fmt: skip


class ScaleForm(forms.Form):
    """A scale as it is registered, or changed."""

    name = forms.CharField(label=_("名称"), max_length=60, help_text=_("工人认得的叫法，如 酸洗线一号秤。"))
    store = forms.ChoiceField(label=_("所在贮存设施"), help_text=_("在这台秤上称的，默认入这个设施。"))
    capacity = _weight(_("最大秤量（千克）"), _("超过的读数会拒收。"))
    division = _weight(_("分度值（千克）"))
    calibrated_until = forms.DateField(
        label=_("检定有效期至"), input_formats=["%Y-%m-%d"],
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        help_text=_("检定证书上的最后一天；过期后的读数会拒收。"),
    )  # fmt: skip
    stream = forms.ChoiceField(
        label=_("收到读数后"), required=False,
        help_text=_("选一种废物，则每个有效读数自动记为它的产生（散堆），记在保存本页的人名下。"),
    )  # fmt: skip
    version = forms.IntegerField(widget=forms.HiddenInput, initial=0)

    def __init__(
        self, said: Any = None, *, stores: Iterable[Place], streams: Iterable[Stream], **rest: Any
    ) -> None:
        super().__init__(said, **rest)
        for name, choices in (
            ("store", [("", _("请选择")), *((row.code, f"{row.code} {row.name}") for row in stores)]),
            (
                "stream",
                [
                    ("", _("等工人在手机上取用")),
                    *((row.code, f"自动记为 {row.code} {row.name}") for row in streams),
                ],
            ),
        ):
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField), f"{name} is a choice"
            field.choices = choices

    def said(self) -> dict[str, Any]:
        """Return what the service takes."""
        given = {name: value for name, value in self.cleaned_data.items() if name != "version"}
        for name in ("capacity", "division"):
            given[name] = Mass.of(given[name], "千克")
        return given


def initial_of(scale: Scale) -> dict[str, Any]:
    """Return what the form of a scale begins with."""
    return {
        "name": scale.name, "store": scale.store.code, "capacity": _plain(scale.capacity_g),
        "division": _plain(scale.division_g), "calibrated_until": scale.calibrated_until,
        "stream": scale.stream.code if scale.stream else "", "version": scale.version,
    }  # fmt: skip


def _plain(grams: int) -> str:
    text = f"{Decimal(grams) / 1000:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


class ReadingFilter(forms.Form):
    """Which readings a list shows."""

    state = forms.ChoiceField(label=_("状态"), required=False, choices=STATES)
    since = forms.DateField(
        label=_("自"), required=False, input_formats=["%Y-%m-%d"],
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
    )  # fmt: skip
    through = forms.DateField(
        label=_("至"), required=False, input_formats=["%Y-%m-%d"],
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
    )  # fmt: skip


class ReasonForm(forms.Form):
    reason = forms.CharField(label=_("原因"), max_length=200)
