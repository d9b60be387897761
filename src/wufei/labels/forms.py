"""The shapes of what people type; the rules are the labels' services'."""

import uuid
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from wufei.labels.digital_id import LAST_SEQUENCE
from wufei.labels.models import PrintFormat
from wufei.labels.services import MOST_COPIES
from wufei.labels.signs import SignKind
from wufei.labels.sizes import ML_PER_LITRE
from wufei.ledger.models import Container, Place, Stream, WasteClass

MOST_LITRES = 100_000
PRINTED = [("", _("全部")), ("no", _("未打印")), ("yes", _("已打印"))]
SCOPES = [("", _("在库")), ("all", _("包括已出库"))]
MANY = [PrintFormat.SHEET, PrintFormat.PDF, PrintFormat.ZPL]  # a picture is of one label


class LabelFilter(forms.Form):
    """Which labels the list shows; everything is optional."""

    text = forms.CharField(
        label=_("查找"), required=False, max_length=400,
        widget=forms.TextInput(attrs={"placeholder": _("编码、数字识别码、废物名称或代码；可扫码")}),
    )  # fmt: skip
    stream = forms.ChoiceField(label=_("废物"), required=False)
    store = forms.ChoiceField(label=_("贮存设施"), required=False)
    waste_class = forms.ChoiceField(
        label=_("废物属性"), required=False, choices=[("", _("全部")), *WasteClass.choices]
    )
    printed = forms.ChoiceField(label=_("标签"), required=False, choices=PRINTED)
    scope = forms.ChoiceField(label=_("范围"), required=False, choices=SCOPES)

    def __init__(self, said: Any, *, streams: Iterable[Stream], stores: Iterable[Place]) -> None:
        super().__init__(said)
        self.fields["stream"].choices = [  # type: ignore[attr-defined]
            ("", _("全部废物")), *((s.code, f"{s.code} {s.name}") for s in streams)
        ]  # fmt: skip
        self.fields["store"].choices = [  # type: ignore[attr-defined]
            ("", _("全部设施")), *((s.code, f"{s.code} {s.name}") for s in stores)
        ]  # fmt: skip


class PrintForm(forms.Form):
    """How the chosen labels are printed."""

    print_format = forms.ChoiceField(label=_("格式"), choices=PrintFormat.choices)
    count = forms.IntegerField(label=_("每个容器张数"), min_value=1, max_value=MOST_COPIES, initial=1)
    reason = forms.CharField(
        label=_("重印原因"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"placeholder": _("打印过的须写明，例如“破损”")}),
    )
    client_id = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, said: Any = None, *, of_many: bool = False, **rest: Any) -> None:
        super().__init__(said, initial={"client_id": uuid.uuid4()} | rest.pop("initial", {}), **rest)
        if of_many:
            self.fields["print_format"].choices = [(each.value, each.label) for each in MANY]  # type: ignore[attr-defined]


class ContainerForm(forms.Form):
    """What a lot is in."""

    packaging = forms.ChoiceField(label=_("包装方式"), choices=Container.Packaging.choices)
    litres = forms.DecimalField(
        label=_("容积（升）"), required=False, min_value=Decimal("0.001"), max_value=MOST_LITRES, decimal_places=3,
        localize=False, widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
        help_text=_("标签大小由容积定：不超过 50 升 100×100，不超过 450 升 150×150，更大的 200×200 毫米。"),
    )  # fmt: skip
    client_id = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, said: Any = None, *, container: Container | None = None) -> None:
        initial: dict[str, Any] = {"client_id": uuid.uuid4()}
        if container is not None:
            initial["packaging"] = container.packaging
            if container.volume_ml:
                litres = f"{Decimal(container.volume_ml) / ML_PER_LITRE:f}"
                initial["litres"] = litres.rstrip("0").rstrip(".") if "." in litres else litres
        super().__init__(said, initial=initial)

    @property
    def volume_ml(self) -> int | None:
        litres: Decimal | None = self.cleaned_data["litres"]
        return None if litres is None else int(litres * ML_PER_LITRE)


class NumbersForm(forms.Form):
    """How many numbers are reserved, of what, for whom."""

    waste_code = forms.ChoiceField(label=_("废物代码"))
    on = forms.DateField(
        label=_("产生日期"), input_formats=["%Y-%m-%d"],
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
    )  # fmt: skip
    count = forms.IntegerField(label=_("数量"), min_value=1, max_value=LAST_SEQUENCE, initial=20)
    device = forms.CharField(
        label=_("预留给"), max_length=60, help_text=_("手机、班组或姓名，便于日后查对。")
    )
    client_id = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, said: Any = None, *, codes: Sequence[tuple[str, str]], today: date) -> None:
        super().__init__(said, initial={"client_id": uuid.uuid4(), "on": today})
        self.fields["waste_code"].choices = [(code, f"{code} {name}") for code, name in codes]  # type: ignore[attr-defined]


class ParticularsForm(forms.Form):
    """What only labels say of a stream."""

    hazards = forms.CharField(
        label=_("危险特性"), required=False, max_length=20,
        help_text=_("T 毒性、C 腐蚀性、I 易燃性、R 反应性、In 感染性，用逗号分开；不填则按名录。"),
    )  # fmt: skip
    harmful_components = forms.CharField(label=_("有害成分"), required=False, max_length=200)
    precautions = forms.CharField(
        label=_("注意事项"), required=False, max_length=200, help_text=_("不填则按危险特性给出通用的话。")
    )
    contact = forms.CharField(
        label=_("联系人和联系方式"),
        required=False,
        max_length=120,
        help_text=_("不填则用单位信息中的联系人和电话。"),
    )
    remarks = forms.CharField(label=_("备注"), required=False, max_length=100)
    version = forms.IntegerField(widget=forms.HiddenInput, min_value=0)


class SignForm(forms.Form):
    """Which sign of which store."""

    store = forms.ChoiceField(label=_("贮存设施"))
    kind = forms.ChoiceField(
        label=_("标志"),
        choices=[
            (SignKind.ZONE.value, _("危险废物贮存分区标志")),
            (SignKind.FACILITY.value, _("危险废物贮存设施标志")),
            (SignKind.GENERAL.value, _("一般固体废物贮存场所标志")),
        ],
    )
    distance_m = forms.DecimalField(
        label=_("观察距离（米）"), min_value=Decimal("0.1"), max_value=Decimal(100), decimal_places=1,
        initial=Decimal("2.5"), localize=False, widget=forms.TextInput(attrs={"inputmode": "decimal"}),
        help_text=_("多远能看清；距离越远，标志越大。"),
    )  # fmt: skip

    def __init__(self, said: Any = None, *, stores: Iterable[Place]) -> None:
        super().__init__(said)
        self.fields["store"].choices = [(s.code, f"{s.code} {s.name}") for s in stores]  # type: ignore[attr-defined]
