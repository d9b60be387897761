"""The shapes of what people fill in of small generators; the rules are the services'."""

import uuid
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from wufei.catalogue.disposal_modes import disposal_modes
from wufei.collection.models import Stop
from wufei.collection.queries import WasteAsked
from wufei.collection.services import Agreed, RegistrationSaid, Said, WasteSaid
from wufei.ledger.models import Place
from wufei.registry.models import Driver, Organisation, Vehicle
from wufei.terms.mass import InexactMass, Mass
from wufei.transfers.fields import PACKAGING, PHYSICAL_FORMS
from wufei.transfers.models import ManifestLine

WASTE_ROWS = 4
FINE = _("最细到克，即小数点后三位。")
PLAIN_MODES = [("利用", _("利用")), ("处置", _("处置"))]  # of general waste


class DayInput(forms.DateInput):
    input_type = "date"

    def __init__(self, **said: Any) -> None:
        super().__init__(format="%Y-%m-%d", **said)


def day_field(**said: Any) -> forms.DateField:
    return forms.DateField(widget=DayInput(), input_formats=["%Y-%m-%d"], **said)


def number_field(**said: Any) -> forms.DecimalField:
    """Return a field for a number that is not below zero, typed on a phone's number pad."""
    widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})
    asked: dict[str, Any] = {
        "max_digits": 14,
        "decimal_places": 3,
        "min_value": 0,
        "required": False,
        "widget": widget,
    }
    return forms.DecimalField(**(asked | said))


def kilograms(said: Decimal | None) -> Mass | None:
    """Return the kilograms of a form as mass; None where nothing was said."""
    if said is None:
        return None
    try:
        return Mass.of(said, "千克")
    except InexactMass as fine:  # the field takes three decimals
        raise AssertionError(said) from fine


def are_valid(each: Iterable[forms.Form]) -> bool:
    """Validate all of them, so that each says what is wrong with it."""
    return all([form.is_valid() for form in each])  # noqa: C419  # a generator would stop at the first


def plain(grams: int | None) -> str:
    """Write grams as kilograms for a field."""
    if grams is None:
        return ""
    text = f"{Decimal(grams) / 1000:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


# --- registration


class WasteForm(forms.Form):
    """One waste of a registration; a row without a code is no row."""

    waste_code = forms.CharField(
        label=_("废物代码"), required=False, max_length=40,
        widget=forms.TextInput(attrs={"list": "known-wastes", "autocomplete": "off", "placeholder": "900-249-08"}),
    )  # fmt: skip
    name = forms.CharField(label=_("俗称"), required=False, max_length=120)
    form = forms.ChoiceField(label=_("形态"), required=False, choices=[("", _("请选择")), *PHYSICAL_FORMS])
    packaging = forms.ChoiceField(
        label=_("用什么装"), required=False, choices=[("", _("请选择")), *PACKAGING]
    )
    usual = number_field(label=_("装满一个约（公斤）"))

    def said(self) -> WasteSaid | None:
        given = self.cleaned_data
        if not given["waste_code"].strip():
            return None
        return WasteSaid(
            waste_code=given["waste_code"], name=given["name"], form=given["form"], packaging=given["packaging"],
            usual=kilograms(given["usual"]),
        )  # fmt: skip


class RegistrationForm(forms.Form):
    """Who a small generator is."""

    uscc = forms.CharField(
        label=_("统一社会信用代码"), max_length=40, help_text=_("营业执照上的 18 位代码。"),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}),
    )  # fmt: skip
    name = forms.CharField(label=_("单位名称"), max_length=200)
    division_code = forms.CharField(
        label=_("所在区县的六位代码"), max_length=6, help_text=_("例如 500110（重庆市綦江区）。"),
        widget=forms.TextInput(attrs={"inputmode": "numeric"}),
    )  # fmt: skip
    address = forms.CharField(label=_("详细地址"), max_length=300)
    contact = forms.CharField(
        label=_("联系人"), max_length=60, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    phone = forms.CharField(
        label=_("电话"), max_length=30, help_text=_("查询办理情况、设置账号时要用。"),
        widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "tel"}),
    )  # fmt: skip
    collector = forms.ChoiceField(
        label=_("收集单位"), required=False, help_text=_("与谁签收集合同就选谁；还没有的可以不选。")
    )
    park = forms.ChoiceField(label=_("所在园区"), required=False)
    has_checked_collector = forms.BooleanField(
        label=_("本单位已核实所选收集单位的主体资格（营业执照、许可证）和技术能力"), required=False
    )

    def __init__(
        self, *args: Any, collectors: Iterable[Organisation], parks: Iterable[Organisation], **rest: Any
    ) -> None:
        super().__init__(*args, **rest)
        self.known = {each.uscc: each for each in (*collectors, *parks)}
        _choose(self, "collector", collectors, _("暂不选择"))
        _choose(self, "park", parks, _("不在园区内"))

    def said(self, wastes: Sequence[WasteForm]) -> RegistrationSaid:
        given = self.cleaned_data
        facts = {
            name: given[name] for name in ("uscc", "name", "division_code", "address", "contact", "phone")
        }
        return RegistrationSaid(
            **facts, wastes=[waste for each in wastes if (waste := each.said()) is not None],
            collector=self.known.get(given.get("collector", "")), park=self.known.get(given.get("park", "")),
            has_checked_collector=given["has_checked_collector"],
        )  # fmt: skip


def _choose(form: forms.Form, name: str, among: Iterable[Organisation], nobody: Any) -> None:
    field = form.fields[name]
    assert isinstance(field, forms.ChoiceField)
    field.choices = [("", nobody), *((each.uscc, each.name) for each in among)]


def waste_forms(posted: Any) -> list[WasteForm]:
    return [WasteForm(posted, prefix=f"waste{at}") for at in range(1, WASTE_ROWS + 1)]


class AgreedForm(forms.Form):
    """The written contract with the collector; left empty as a whole where there is none."""

    TOGETHER = ("number", "signed_on", "valid_through")

    number = forms.CharField(label=_("收集合同编号"), max_length=60, required=False)
    signed_on = day_field(label=_("签订日期"), required=False)
    valid_through = day_field(label=_("有效期至"), required=False)

    def said(self) -> Agreed | None:
        given = self.cleaned_data
        return Agreed(**{name: given[name] for name in self.TOGETHER}) if given.get("number") else None

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        said = [bool(given.get(name)) for name in self.TOGETHER]
        if any(said) and not all(said) and not self.errors:
            raise forms.ValidationError(_("合同编号、签订日期和有效期须一起填写。"))
        return given


class OnBehalfForm(forms.Form):
    consent = forms.CharField(
        label=_("该单位的书面同意"),
        max_length=200,
        help_text=_("同意书或委托书的编号、日期；原件由本单位保存。"),
    )


class DecisionForm(forms.Form):
    reason = forms.CharField(label=_("不通过的原因"), max_length=300, required=False)


class AgreementForm(AgreedForm):
    """A contract that a generator records itself."""

    collector = forms.ChoiceField(label=_("收集单位"))
    has_checked_collector = forms.BooleanField(
        label=_("本单位已核实该收集单位的主体资格（营业执照、许可证）和技术能力"), required=False
    )
    field_order = ("collector", "number", "signed_on", "valid_through", "has_checked_collector")

    def __init__(self, *args: Any, collectors: Iterable[Organisation], **rest: Any) -> None:
        super().__init__(*args, **rest)
        collectors = list(collectors)
        self.known = {each.uscc: each for each in collectors}
        _choose(self, "collector", collectors, _("请选择"))
        for name in ("number", "signed_on", "valid_through"):
            self.fields[name].required = True

    def said(self) -> Agreed:
        return Agreed(**{name: self.cleaned_data[name] for name in ("number", "signed_on", "valid_through")})


class LookUpForm(forms.Form):
    """Which registration is asked for."""

    receipt = forms.CharField(
        label=_("登记编号"), max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}),
    )  # fmt: skip
    phone = forms.CharField(
        label=_("登记时填的电话"), max_length=30, widget=forms.TextInput(attrs={"inputmode": "tel"})
    )


class ActivationForm(forms.Form):
    """One's own account."""

    username = forms.CharField(
        label=_("用户名"), max_length=150, help_text=_("字母、数字和 @ . + - _。"),
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}),
    )  # fmt: skip
    password = forms.CharField(
        label=_("密码"), max_length=200, help_text=_("至少 10 个字符，不能全是数字。"),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )  # fmt: skip


# --- the monthly declaration


class WasteDeclaredForm(forms.Form):
    """What is said of one waste: in kilograms, or in containers of a usual weight."""

    new = number_field(
        label=_("本月新产生（公斤）"), error_messages={"invalid": _("请填数字，例如 36 或 36.5。")}
    )
    containers = number_field(label=_("或：个数"), decimal_places=2, max_digits=9)
    usual = number_field(label=_("每个约（公斤）"))
    standing = number_field(label=_("现在共存（公斤）"))
    reason = forms.CharField(label=_("与账面不同的原因"), required=False, max_length=200)

    def __init__(self, posted: Any, *, waste: WasteAsked, **rest: Any) -> None:
        self.waste = waste
        suggested = waste.suggested
        initial: dict[str, Any] = {"usual": plain(waste.usual_g)}
        if suggested is not None and suggested.containers is not None:
            initial["containers"] = f"{suggested.containers.normalize():f}"
        elif suggested is not None:
            initial["new"] = plain(suggested.new_g)
        super().__init__(posted, prefix=f"waste{waste.stream.pk}", initial=initial, **rest)
        self.fields["standing"].help_text = _("不填即按账面。")

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        count, usual = given.get("containers"), given.get("usual")
        if count and not usual:
            self.add_error("usual", _("填了个数，还须填每个约多重。"))
        elif count and usual:
            try:
                counted = Mass.of(count * usual, "千克")
            except InexactMass:
                self.add_error("containers", FINE)
            else:
                if given.get("new") not in (None, Decimal(0)) and kilograms(given["new"]) != counted:
                    self.add_error("new", _("公斤数与个数乘以每个的重量不同；请只填一种。"))
                given["counted"] = counted
        return given

    def said(self, *, is_nothing: bool) -> Said:
        given = self.cleaned_data
        new = given.get("counted") or kilograms(given.get("new")) or Mass(0)
        count = given.get("containers") or None
        return Said(
            stream_code=self.waste.stream.code, new=Mass(0) if is_nothing else new,
            standing=kilograms(given.get("standing")), reason=given.get("reason", ""),
            containers=None if is_nothing else count, usual=kilograms(given.get("usual")),
        )  # fmt: skip

    @property
    def is_silent(self) -> bool:
        """Whether nothing at all was said of what is new."""
        return self.cleaned_data.get("new") is None and not self.cleaned_data.get("containers")


class DeclarationForm(forms.Form):
    is_nothing = forms.BooleanField(label=_("本月没有产生任何废物"), required=False)
    client_id = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)


class SigningCodeForm(forms.Form):
    code = forms.CharField(
        label=_("新的签收码"), max_length=12, help_text=_("6 至 12 位数字；收运人员上门时，由本人在他的手机上输入。"),
        widget=forms.PasswordInput(attrs={"inputmode": "numeric", "autocomplete": "new-password"}),
    )  # fmt: skip


# --- collecting


class ReadyFilter(forms.Form):
    """How the list of what is ready is narrowed."""

    q = forms.CharField(
        label=_("搜索"), required=False, max_length=80,
        widget=forms.TextInput(attrs={"placeholder": _("单位名称、信用代码")}),
    )  # fmt: skip
    division = forms.CharField(label=_("区县代码"), required=False, max_length=6)
    park = forms.ChoiceField(label=_("园区"), required=False)
    waste = forms.CharField(label=_("废物代码或类别"), required=False, max_length=16)
    at_least = number_field(label=_("不少于（公斤）"))
    days = forms.IntegerField(label=_("存放不少于（天）"), required=False, min_value=0, max_value=99_999)
    standing = forms.ChoiceField(
        label=_("情况"), required=False,
        choices=[("", _("全部")), ("collectable", _("可以收")), ("due", _("临近或超过期限、限量")), ("unknown", _("未申报，未知"))],
    )  # fmt: skip

    def __init__(self, *args: Any, parks: Iterable[str], **rest: Any) -> None:
        super().__init__(*args, **rest)
        field = self.fields["park"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", _("全部")), *((each, each) for each in sorted(set(parks) - {""}))]

    def clean_division(self) -> str:
        code: str = self.cleaned_data["division"].strip()
        if code and not (len(code) == 6 and code.isascii() and code.isdecimal()):
            raise forms.ValidationError(_("行政区划代码须为六位数字。"))
        return code


class RoundForm(forms.Form):
    """When, with which vehicle, to which point."""

    point = forms.ChoiceField(label=_("运到收集点"))
    planned_on = day_field(label=_("收运日期"))
    plate = forms.CharField(label=_("车牌号"), max_length=20)
    driver = forms.CharField(label=_("驾驶员"), max_length=60)
    driver_phone = forms.CharField(
        label=_("驾驶员电话"),
        max_length=30,
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "tel"}),
    )
    uid = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)

    def __init__(
        self,
        *args: Any,
        points: Iterable[Any],
        vehicles: Sequence[Vehicle],
        drivers: Sequence[Driver],
        **rest: Any,
    ) -> None:
        super().__init__(*args, **rest)
        field = self.fields["point"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(each.store.code, each.store.name) for each in points]
        for name, suggestions in (("plate", "known-plates"), ("driver", "known-drivers")):
            self.fields[name].widget.attrs |= {"list": suggestions, "autocomplete": "off"}
        if len(vehicles) == 1:
            self.fields["plate"].initial = vehicles[0].plate
        if len(drivers) == 1:
            self.fields["driver"].initial = drivers[0].name
            self.fields["driver_phone"].initial = drivers[0].phone


class RoundFilter(forms.Form):
    state = forms.ChoiceField(label=_("状态"), required=False)

    def __init__(self, *args: Any, states: Iterable[tuple[str, Any]], **rest: Any) -> None:
        super().__init__(*args, **rest)
        field = self.fields["state"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", _("全部状态")), *states]


class GeneratorFilter(forms.Form):
    q = forms.CharField(
        label=_("搜索"), required=False, max_length=80,
        widget=forms.TextInput(attrs={"placeholder": _("单位名称、信用代码")}),
    )  # fmt: skip
    standing = forms.ChoiceField(
        label=_("上一个到期月份"), required=False,
        choices=[("", _("全部")), ("silent", _("未申报")), ("spoken", _("已申报"))],
    )  # fmt: skip


class WeighedForm(forms.Form):
    """The weight of one waste of a whole round, and what becomes of it."""

    received = number_field(label=_("过磅（公斤）"), required=True)
    mode = forms.ChoiceField(label=_("利用、处置方式"))

    def __init__(
        self, posted: Any, *, waste_code: str, name: str, declared_g: int, is_hazardous: bool
    ) -> None:
        super().__init__(posted, prefix=f"waste-{waste_code}")
        self.waste_code, self.name, self.declared_g = waste_code, name, declared_g
        field = self.fields["mode"]
        assert isinstance(field, forms.ChoiceField)
        listed = [(each.code, f"{each.code} {each.label}") for each in disposal_modes().values()]
        field.choices = [("", _("请选择")), *(listed if is_hazardous else PLAIN_MODES)]


class ReweighedForm(forms.Form):
    is_reweighed = forms.BooleanField(label=_("与移出量相差十倍以上的，已复称无误"), required=False)


class SpotForm(forms.Form):
    """What is weighed at the door, and the generator's code."""

    code = forms.CharField(
        label=_("移出人的签收码"), max_length=12, required=False,
        widget=forms.PasswordInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )  # fmt: skip

    def __init__(self, posted: Any, *, lines: Iterable[ManifestLine], **rest: Any) -> None:
        super().__init__(posted, **rest)
        self.lines = list(lines)
        for line in self.lines:
            if not line.lot_code:
                label = _("%(name)s（公斤）") % {"name": line.waste_name}
                self.fields[f"mass{line.position}"] = number_field(
                    label=label, required=True, initial=plain(line.declared_g), min_value=Decimal("0.001")
                )

    def masses(self) -> dict[int, Mass]:
        found = {}
        for line in self.lines:
            mass = kilograms(self.cleaned_data.get(f"mass{line.position}"))
            if mass is not None:
                found[line.position] = mass
        return found


class LeaveOutForm(forms.Form):
    reason = forms.ChoiceField(
        label=_("未收原因"), choices=[("", _("请选择")), *Stop.Reason.choices], required=False
    )
    words = forms.CharField(label=_("说明"), max_length=200, required=False)


class PointForm(forms.Form):
    """A collection point."""

    store = forms.ChoiceField(
        label=_("贮存设施"), help_text=_("收集点是本单位台账上的一个贮存设施；能力在贮存设施中填写。")
    )
    address = forms.CharField(label=_("地址"), max_length=300)
    divisions = forms.CharField(
        label=_("收集范围"),
        max_length=400,
        help_text=_("许可证所准的区县，六位代码，用逗号隔开；例如 500110。"),
    )
    emergency_phone = forms.CharField(label=_("应急联系电话"), max_length=30)
    emergency_measures = forms.CharField(
        label=_("突发环境事件防范措施"), max_length=500, help_text=_("写在每份联单上；收集单位为托运人。")
    )

    def __init__(self, *args: Any, stores: Iterable[Place], **rest: Any) -> None:
        super().__init__(*args, **rest)
        field = self.fields["store"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(each.code, each.name) for each in stores]
