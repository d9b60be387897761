"""The shapes of what people fill in on manifests, drawn from the one table of fields."""

import uuid
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from wufei.catalogue.disposal_modes import disposal_modes
from wufei.ledger.models import Place, Stream
from wufei.registry.models import Organisation
from wufei.terms.mass import InexactMass, Mass
from wufei.transfers.fields import Field, Shape
from wufei.transfers.models import ManifestLine
from wufei.transfers.states import LABELS, PARTY_LABELS

MOST_CARRIERS = 3
MOST_LINES = 200


class DayInput(forms.DateInput):
    input_type = "date"

    def __init__(self, **said: Any) -> None:
        super().__init__(format="%Y-%m-%d", **said)


def day_field(**said: Any) -> forms.DateField:
    return forms.DateField(widget=DayInput(), input_formats=["%Y-%m-%d"], **said)


def form_field(field: Field, *, required: bool) -> forms.Field:
    """Return the form field of a row of the table."""
    said: dict[str, Any] = {"label": field.label, "required": required, "help_text": field.help}
    if field.shape is Shape.CHOICE:
        return forms.ChoiceField(choices=[("", _("请选择")), *field.choices], **said)
    if field.shape is Shape.DAY:
        return day_field(**said)
    widget: forms.Widget = forms.Textarea(attrs={"rows": 2}) if field.most > 300 else forms.TextInput()
    if field.shape is Shape.PHONE:
        widget = forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "off"})
    return forms.CharField(max_length=field.most, widget=widget, **said)


def tonnes_field(**said: Any) -> forms.DecimalField:
    widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})
    return forms.DecimalField(max_digits=18, decimal_places=6, localize=False, widget=widget, **said)


def mass_of(said: Decimal | None) -> Mass | None:
    """Return the tonnes of a form as mass; None where nothing was said."""
    if said is None:
        return None
    try:
        return Mass.of(said, "吨")
    except InexactMass as fine:  # the field takes six decimals
        raise AssertionError(said) from fine


class ManifestFilter(forms.Form):
    """Which manifests a list shows."""

    q = forms.CharField(
        label=_("搜索"), required=False, max_length=80,
        widget=forms.TextInput(attrs={"placeholder": _("编号、单位、废物、容器")}),
    )  # fmt: skip
    state = forms.ChoiceField(
        label=_("状态"),
        required=False,
        choices=[("", _("全部状态")), *((s.value, w) for s, w in LABELS.items())],
    )
    role = forms.ChoiceField(
        label=_("本单位是"), required=False,
        choices=[("", _("任一方")), *((p.value, w) for p, w in PARTY_LABELS.items())],
    )  # fmt: skip
    since = day_field(label=_("签发自"), required=False)
    through = day_field(label=_("签发至"), required=False)
    overdue = forms.BooleanField(label=_("逾期未确认"), required=False)


class DraftForm(forms.Form):
    """The generator's part of a draft: its parties, its own fields, and the codes that were scanned."""

    receiver = forms.ChoiceField(label=_("接受人"), required=False)
    scanned = forms.CharField(
        label=_("扫描容器"), required=False, max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 3, "autocomplete": "off", "spellcheck": "false"}),
        help_text=_("每行一个编码；用扫码枪依次扫描即可。废物、重量和包装从台账带出。"),
    )  # fmt: skip
    version = forms.IntegerField(widget=forms.HiddenInput, initial=0)
    uid = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)

    def __init__(
        self,
        said: Any = None,
        *,
        receivers: Iterable[Organisation],
        carriers: Iterable[Organisation],
        own: Sequence[Field],
        **rest: Any,
    ) -> None:
        super().__init__(said, **rest)
        _choose(self, "receiver", receivers)
        carriers = list(carriers)
        for at in range(1, MOST_CARRIERS + 1):
            label = _("承运人") if at == 1 else _("后一承运人")
            self.fields[f"carrier{at}"] = forms.ChoiceField(label=label, required=False)
            _choose(self, f"carrier{at}", carriers)
        for each in own:
            if each.shape is not Shape.ORGANISATION:
                self.fields[each.name] = form_field(each, required=False)
        self.own = [each.name for each in own if each.shape is not Shape.ORGANISATION]

    def said(self) -> dict[str, str]:
        values = {name: self.cleaned_data.get(name) for name in self.own}
        return {name: _plain(value) for name, value in values.items() if value not in (None, "")}

    def carriers(self) -> list[str]:
        found = (self.cleaned_data.get(f"carrier{at}", "") for at in range(1, MOST_CARRIERS + 1))
        return [each for each in found if each]

    def codes(self) -> list[str]:
        return list(dict.fromkeys(filter(None, map(str.strip, self.cleaned_data["scanned"].splitlines()))))


def _plain(value: Any) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _choose(form: forms.Form, name: str, rows: Iterable[Organisation]) -> None:
    field = form.fields[name]
    assert isinstance(field, forms.ChoiceField)
    field.choices = [("", _("请选择")), *((row.uscc, row.name) for row in rows)]


class LineForm(forms.Form):
    """One waste of a draft: a container that stands in store, or a load of bulk."""

    lot = forms.CharField(required=False, max_length=80, widget=forms.HiddenInput)
    stream = forms.ChoiceField(label=_("废物"), required=False)
    store = forms.CharField(required=False, max_length=240, widget=forms.HiddenInput)
    tonnes = tonnes_field(label=_("移出量（吨）"), required=False)
    package_count = forms.IntegerField(label=_("包装数量"), required=False, min_value=1, max_value=10**6)
    drop = forms.BooleanField(label=_("删去"), required=False)

    def __init__(
        self, said: Any = None, *, streams: Iterable[Stream], own: Sequence[Field], **rest: Any
    ) -> None:
        super().__init__(said, **rest)
        field = self.fields["stream"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", _("请选择")), *((row.code, f"{row.code} {row.name}") for row in streams)]
        self.own = [each.name for each in own if each.shape in (Shape.TEXT, Shape.CHOICE)]
        for each in own:
            if each.name in self.own:
                self.fields[each.name] = form_field(each, required=False)
        self.order_fields([*(name for name in self.fields if name != "drop"), "drop"])

    @property
    def is_filled(self) -> bool:
        said = self.cleaned_data
        return not said.get("drop") and bool(said.get("lot") or said.get("stream"))

    def said(self) -> dict[str, str]:
        return {name: self.cleaned_data[name] for name in self.own if self.cleaned_data.get(name)}


FROM_THE_REGISTER = {"vehicle_permit", "driver_phone"}  # of the vehicle and the driver that are named


class ActForm(forms.Form):
    """What an act asks for beside its fields of the table."""

    client_id = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)

    def __init__(
        self,
        said: Any = None,
        *,
        own: Sequence[Field] = (),
        more: Sequence[str] = (),
        stores: Iterable[Place] = (),
        at: Any = None,
        **rest: Any,
    ) -> None:
        super().__init__(said, **rest)
        self.own = [each.name for each in own]
        for each in own:
            is_known = each.name in FROM_THE_REGISTER
            self.fields[each.name] = form_field(
                each, required=each.required_from is not None and not is_known
            )
            if is_known:
                self.fields[each.name].help_text = _("不填则取登记的。")
        for name in more:
            self.fields[name] = EXTRA[name]()
        if "store" in more:
            field = self.fields["store"]
            assert isinstance(field, forms.ChoiceField)
            field.choices = [
                ("", _("原处或第一个设施")),
                *((row.code, f"{row.code} {row.name}") for row in stores),
            ]

    def said(self) -> dict[str, str]:
        values = {name: self.cleaned_data.get(name) for name in self.own}
        return {name: _plain(value) for name, value in values.items() if value not in (None, "")}


EXTRA = {
    "number": lambda: forms.CharField(
        label=_("已有的联单编号"), required=False, max_length=20,
        help_text=_("国家系统或纸质联单已给出编号的填写；不填由本系统依次编号。"),
    ),
    "paper_completed_on": lambda: day_field(
        label=_("纸质联单转移完成日期"), required=False, help_text=_("补录纸质联单时填写；应在完成后十个工作日内。")
    ),
    "reason": lambda: forms.CharField(label=_("原因"), max_length=300),
    "place": lambda: forms.CharField(label=_("暂存地点"), max_length=200),
    "words": lambda: forms.CharField(label=_("附言"), required=False, max_length=300),
    "store": lambda: forms.ChoiceField(label=_("贮存设施"), required=False),
    "is_reweighed": lambda: forms.BooleanField(label=_("重量相差十倍以上的，已经复磅确认"), required=False),
}  # fmt: skip


class ReceivedForm(forms.Form):
    """What the receiver found of one line."""

    received = tonnes_field(label=_("接受量（吨）"), min_value=0)
    returned = tonnes_field(label=_("退回量（吨）"), required=False, min_value=0)
    count = forms.IntegerField(label=_("接受件数"), required=False, min_value=0, max_value=10**6)
    mode = forms.ChoiceField(label=_("利用、处置方式"), required=False)
    stream = forms.ChoiceField(label=_("记入废物"), required=False)

    def __init__(
        self,
        said: Any = None,
        *,
        line: ManifestLine,
        streams: Iterable[Stream],
        is_hazardous: bool,
        **rest: Any,
    ) -> None:
        super().__init__(said, **rest)
        self.line = line
        mode, stream = self.fields["mode"], self.fields["stream"]
        assert isinstance(mode, forms.ChoiceField)
        assert isinstance(stream, forms.ChoiceField)
        mode.choices = [("", _("请选择")), *_modes(is_hazardous=is_hazardous)]
        stream.choices = [("", _("按废物代码")), *((row.code, f"{row.code} {row.name}") for row in streams)]


class LoadForm(forms.Form):
    """One weighing of many manifests: what the scale said, and what the receiver fills in for all of them."""

    client_id = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)
    tonnes = tonnes_field(label=_("过磅量（吨）"), min_value=Decimal("0.000001"))
    mode = forms.ChoiceField(label=_("利用、处置方式"))
    store = forms.ChoiceField(label=_("入库设施"), required=False)
    is_reweighed = forms.BooleanField(label=_("重量相差十倍以上的，已经复磅确认"), required=False)

    def __init__(
        self,
        said: Any = None,
        *,
        own: Sequence[Field],
        stores: Iterable[Place],
        is_hazardous: bool,
        **rest: Any,
    ) -> None:
        super().__init__(said, **rest)
        mode, store = self.fields["mode"], self.fields["store"]
        assert isinstance(mode, forms.ChoiceField)
        assert isinstance(store, forms.ChoiceField)
        mode.choices = [("", _("请选择")), *_modes(is_hazardous=is_hazardous)]
        store.choices = [("", _("第一个设施")), *((row.code, f"{row.code} {row.name}") for row in stores)]
        if len(store.choices) == 1:
            del self.fields["store"]
        self.own = [each.name for each in own]
        for each in own:
            self.fields[each.name] = form_field(each, required=each.required_from is not None)

    def mass(self) -> Mass:
        mass = mass_of(self.cleaned_data["tonnes"])
        assert mass is not None, "it is required"
        return mass

    def said(self) -> dict[str, str]:
        return {name: self.cleaned_data[name] for name in self.own if self.cleaned_data[name]}


def _modes(*, is_hazardous: bool) -> list[tuple[str, Any]]:
    plain = [] if is_hazardous else [("利用", _("利用")), ("处置", _("处置"))]
    return [*plain, *((each.code, f"{each.code} {each.label}") for each in disposal_modes().values())]


class RevisionForm(forms.Form):
    """What a party wants its own fields to say instead, and why."""

    reason = forms.CharField(label=_("更正原因"), max_length=300)
    is_reweighed = forms.BooleanField(label=_("重量相差十倍以上的，已经复磅确认"), required=False)

    def __init__(self, said: Any = None, *, rows: Sequence[tuple[str, Field, Any]], **rest: Any) -> None:
        super().__init__(said, **rest)
        self.rows = list(rows)
        for key, field, value in rows:
            made = _revised_field(field)
            made.initial = _shown(field, value)
            self.fields[key] = made
        if not any(field.shape is Shape.MASS for _key, field, _value in rows):
            del self.fields["is_reweighed"]
        self.order_fields([*(key for key, _field, _value in rows), "is_reweighed", "reason"])

    def changed(self) -> Iterator[tuple[str, Field, str | int]]:
        """Yield what shall say something else; what is left empty stays."""
        for key, field, value in self.rows:
            said = self.cleaned_data[key]
            if said in (None, ""):
                continue
            said = _grams(said) if field.shape is Shape.MASS else said
            said = said if isinstance(said, int) else _plain(said)
            if said != value:
                yield key, field, said


def _revised_field(field: Field) -> forms.Field:
    if field.shape is Shape.MASS:
        return tonnes_field(label=_("%s（吨）") % field.label, required=False)
    if field.shape is Shape.COUNT:
        return forms.IntegerField(label=field.label, required=False, min_value=1, max_value=10**6)
    return form_field(field, required=False)


def _shown(field: Field, value: Any) -> Any:
    return Mass(value).tonnes if field.shape is Shape.MASS and value is not None else value


def _grams(tonnes: Decimal) -> int:
    mass = mass_of(tonnes)
    assert mass is not None, "something was said"
    return mass.grams


class AnswerForm(forms.Form):
    agrees = forms.ChoiceField(choices=[("yes", _("同意")), ("no", _("不同意")), ("withdraw", _("撤回"))])
    answer = forms.CharField(label=_("答复"), required=False, max_length=300)


class ReasonForm(forms.Form):
    reason = forms.CharField(label=_("原因"), max_length=300)


class ApprovalForm(forms.Form):
    """An approval, or filing, of what leaves the province."""

    receiver = forms.ChoiceField(label=_("接受人"))
    kind = forms.ChoiceField(label=_("类型"), choices=[("APPROVAL", _("批准")), ("FILING", _("备案"))])
    number = forms.CharField(label=_("文号"), max_length=80)
    waste_code = forms.CharField(label=_("废物代码"), max_length=16)
    tonnes = tonnes_field(label=_("批准数量（吨）"), min_value=Decimal("0.000001"))
    valid_from = day_field(label=_("有效期自"))
    valid_through = day_field(label=_("有效期至"))

    def __init__(self, said: Any = None, *, receivers: Iterable[Organisation], **rest: Any) -> None:
        super().__init__(said, **rest)
        _choose(self, "receiver", receivers)
