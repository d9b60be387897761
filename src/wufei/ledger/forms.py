"""The shapes of what people type; the rules are the ledger's."""

import uuid
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from wufei.ledger import identifying
from wufei.ledger.books.layouts import GENERAL, HAZARDOUS
from wufei.ledger.books.periods import PARTS, period_of
from wufei.ledger.identifying import BASIS_LABELS, LONGEST, PROPERTIES, RESULT_LABELS, STANDING_LABELS
from wufei.ledger.kinds import BY_HAND, LABELS, TRANSFORMATION_LABELS, Kind, TransformationKind
from wufei.ledger.models import Container, HazardIdentification, Place, Stream
from wufei.ledger.posting import TEXT_LIMITS, Draft
from wufei.ledger.transforming import Input, Output
from wufei.terms.mass import GRAMS_PER_UNIT, InexactMass, Mass
from wufei.terms.period import Period

UNITS = [(unit, unit) for unit in ("吨", "千克", "万吨")]
KINDS = [(kind.value, LABELS[kind]) for kind in Kind]
KINDS_BY_HAND = [(kind.value, LABELS[kind]) for kind in BY_HAND]
ONLY = [
    ("", _("全部记录")),
    ("reversed", _("只看冲正和被冲正的")),
    ("unnamed", _("只看委外而缺对方单位的")),
]


class DayInput(forms.DateInput):
    """The browser's own calendar; it takes and gives ISO days in every language."""

    input_type = "date"

    def __init__(self, **said: Any) -> None:
        super().__init__(format="%Y-%m-%d", **said)


class SuggestingInput(forms.TextInput):
    """A text with suggestions that stand in a datalist."""

    def __init__(self, list_id: str, **said: Any) -> None:
        super().__init__(attrs={"list": list_id, "autocomplete": "off", **said})


def day_field(**said: Any) -> forms.DateField:
    return forms.DateField(widget=DayInput(), input_formats=["%Y-%m-%d"], **said)


class MovementFilter(forms.Form):
    """Which movements a list shows; everything is optional."""

    since = day_field(label=_("自"), required=False)
    through = day_field(label=_("至"), required=False)
    kind = forms.ChoiceField(label=_("环节"), required=False)
    stream = forms.ChoiceField(label=_("废物"), required=False)
    store = forms.ChoiceField(label=_("贮存设施"), required=False)
    lot = forms.CharField(label=_("批次编码"), required=False, max_length=80)
    party = forms.CharField(
        label=_("对方单位"), required=False, max_length=200, widget=SuggestingInput("known-parties")
    )
    only = forms.ChoiceField(label=_("范围"), required=False, choices=ONLY)
    text = forms.CharField(
        label=_("搜索"), required=False, max_length=80,
        widget=forms.TextInput(attrs={"placeholder": _("经办人、备注、方式、废物、#序号")}),
    )  # fmt: skip

    def __init__(self, said: Any, *, streams: Iterable[Stream], stores: Iterable[Place]) -> None:
        super().__init__(said)
        choice(self, "kind").choices = [("", _("全部环节")), *KINDS]
        choice(self, "stream").choices = [
            ("", _("全部废物")),
            *((s.code, f"{s.code} {s.name}") for s in streams),
        ]
        choice(self, "store").choices = [
            ("", _("全部设施")),
            *((s.code, f"{s.code} {s.name}") for s in stores),
        ]

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        since, through = said.get("since"), said.get("through")
        if since and through and since > through:
            message = _("结束日期早于开始日期，所以没有列出记录；请改正。")
            self.add_error("through", forms.ValidationError(message, code="reversed"))
        return said


def choice(form: forms.Form, name: str) -> forms.ChoiceField:
    field = form.fields[name]
    assert isinstance(field, forms.ChoiceField), f"{name} is a choice"
    return field


class EntryForm(forms.Form):
    """One movement, as a shift writes it down."""

    kind = forms.ChoiceField(label=_("环节"), choices=[("", _("请选择")), *KINDS_BY_HAND])
    stream = forms.ChoiceField(label=_("废物"))
    amount = forms.DecimalField(
        label=_("数量"), max_digits=20, decimal_places=6, localize=False,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )  # fmt: skip
    unit = forms.ChoiceField(label=_("单位"), choices=UNITS, initial="吨")
    moved_on = day_field(label=_("日期"))
    store = forms.ChoiceField(label=_("贮存设施"))
    lot = forms.CharField(
        label=_("批次编码"), required=False, max_length=TEXT_LIMITS["lot_code"],
        widget=SuggestingInput("known-lots"), help_text=_("有标签的桶、袋填标签上的编码；散堆不填。"),
    )  # fmt: skip
    method = forms.CharField(
        label=_("利用或处置方式"), required=False, max_length=TEXT_LIMITS["method"],
        widget=SuggestingInput("known-methods"),
    )  # fmt: skip
    counterparty = forms.CharField(
        label=_("对方单位"), required=False, max_length=TEXT_LIMITS["counterparty"],
        widget=SuggestingInput("known-parties"), help_text=_("委外和接收请填全称；缺了去向就查不到。"),
    )  # fmt: skip
    handler = forms.CharField(label=_("经办人"), required=False, max_length=TEXT_LIMITS["handler"])
    note = forms.CharField(label=_("备注"), required=False, max_length=TEXT_LIMITS["note"])
    client_id = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(
        self, said: Any = None, *, streams: Sequence[Stream], stores: Sequence[Place], **rest: Any
    ) -> None:
        super().__init__(said, **rest)
        choice(self, "stream").choices = [
            ("", _("请选择")),
            *((s.code, f"{s.code} {s.name}") for s in streams),
        ]
        choice(self, "store").choices = [(s.code, f"{s.code} {s.name}") for s in stores]
        self.fields["client_id"].initial = uuid.uuid4

    def clean_amount(self) -> Decimal:
        amount: Decimal = self.cleaned_data["amount"]
        if amount <= 0:
            raise forms.ValidationError(_("数量应大于零；请核对数量。"))
        return amount

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        if said.get("amount") is not None and said.get("unit") in GRAMS_PER_UNIT:
            try:
                said["mass"] = Mass.of(said["amount"], said["unit"])
            except InexactMass:
                self.add_error("amount", _("最小记到 1 克；请减少小数位数。"))
        return said

    def draft(self) -> Draft:
        """Return what is wanted posted; only of a valid form."""
        said = self.cleaned_data
        return Draft(
            kind=Kind(said["kind"]), moved_on=said["moved_on"], stream_code=said["stream"], mass=said["mass"],
            store_code=said["store"], lot_code=said["lot"] or None, method=said["method"],
            counterparty=said["counterparty"], handler=said["handler"], note=said["note"],
            client_id=said["client_id"],
        )  # fmt: skip


class ReversalForm(forms.Form):
    """Why a movement is taken back, and on which day where its own month is closed."""

    reason = forms.CharField(
        label=_("冲正原因"), max_length=200, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("写明错在哪里、正确的是什么，例如：磅单 A-17 误录为 20 吨，实为 2 吨。"),
        error_messages={"required": _("请写明冲正原因。")},
    )  # fmt: skip
    moved_on = day_field(label=_("冲正日期"))

    def clean_reason(self) -> str:
        # A ledger keeps single lines.
        return " ".join(str(self.cleaned_data["reason"]).split())


class ClosingForm(forms.Form):
    """Through which day the months are to be closed."""

    through = day_field()

    def __init__(self, said: Any = None, *, initial: dict[str, date] | None = None) -> None:
        super().__init__(said, initial=initial)
        self.fields["through"].widget = forms.HiddenInput()


class DayForm(forms.Form):
    """As of which day; none: now."""

    on = day_field(label=_("截至日期"), required=False)


class VersionedForm(forms.Form):
    """An edit that knows which version it began from; 0: something new."""

    version = forms.IntegerField(widget=forms.HiddenInput, min_value=0, initial=0)


class StreamForm(VersionedForm):
    code = forms.CharField(
        label=_("废物编号"), max_length=60, help_text=_("本单位自编，如 SW02-01；记账后不能改。")
    )
    name = forms.CharField(label=_("废物名称"), max_length=120)
    waste_code = forms.CharField(
        label=_("废物代码"), max_length=16,
        help_text=_("一般固废如 900-001-S02 或 SW02，危险废物如 900-249-08。"),
    )  # fmt: skip
    process_name = forms.CharField(label=_("产生工序"), max_length=100)
    physical_form = forms.CharField(label=_("物理性状"), required=False, max_length=60)
    main_components = forms.CharField(label=_("主要成分"), required=False, max_length=200)


class StoreForm(VersionedForm):
    code = forms.CharField(
        label=_("设施编码"), max_length=60, help_text=_("本单位自编，如 TS001；记账后不能改。")
    )
    name = forms.CharField(label=_("设施名称"), max_length=120)
    store_type = forms.CharField(label=_("类型"), required=False, max_length=60)
    capacity = forms.DecimalField(
        label=_("贮存能力（吨）"), required=False, max_digits=15, decimal_places=6, localize=False,
        widget=forms.TextInput(attrs={"inputmode": "decimal"}), help_text=_("不限的留空。"),
    )  # fmt: skip

    def clean_capacity(self) -> Mass | None:
        tonnes = self.cleaned_data["capacity"]
        if tonnes is None:
            return None
        if not 0 < tonnes <= 10**8:
            raise forms.ValidationError(_("能力应大于零、不超过 1 亿吨；不限的请留空。"))
        return Mass.of(tonnes, "吨")


class LotFilter(forms.Form):
    """Which labelled lots in store a list shows."""

    text = forms.CharField(label=_("批次编码、数字识别码"), required=False, max_length=80)
    stream = forms.ChoiceField(label=_("废物"), required=False)
    store = forms.ChoiceField(label=_("贮存设施"), required=False)

    def __init__(self, said: Any, *, streams: Sequence[Stream], stores: Sequence[Place]) -> None:
        super().__init__(said)
        choice(self, "stream").choices = [("", _("全部")), *((s.code, f"{s.code} {s.name}") for s in streams)]
        choice(self, "store").choices = [("", _("全部")), *((s.code, f"{s.code} {s.name}") for s in stores)]


class RelocationForm(forms.Form):
    """Where the chosen lots are put."""

    to = forms.ChoiceField(label=_("移入"))
    moved_on = day_field(label=_("日期"))
    handler = forms.CharField(label=_("经办人"), required=False, max_length=TEXT_LIMITS["handler"])

    def __init__(self, said: Any = None, *, stores: Sequence[Place], **rest: Any) -> None:
        super().__init__(said, **rest)
        choice(self, "to").choices = [(s.code, f"{s.code} {s.name}") for s in stores]


def kilograms_field(**said: Any) -> forms.DecimalField:
    return forms.DecimalField(
        max_digits=16, decimal_places=3, min_value=Decimal("0.001"), localize=False,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}), **said,
    )  # fmt: skip


class InputForm(forms.Form):
    """How much of a lot goes in."""

    store = forms.CharField(widget=forms.HiddenInput, max_length=60)
    lot = forms.CharField(widget=forms.HiddenInput, max_length=TEXT_LIMITS["lot_code"])
    amount = kilograms_field(label=_("投入（千克）"))

    def input(self) -> Input:
        said = self.cleaned_data
        return Input(said["store"], said["lot"], Mass.of(said["amount"], "千克"))


class OutputForm(forms.Form):
    """A lot that comes out."""

    lot = forms.CharField(label=_("批次编码"), max_length=TEXT_LIMITS["lot_code"])
    stream = forms.ChoiceField(label=_("废物"))
    store = forms.ChoiceField(label=_("贮存设施"))
    amount = kilograms_field(label=_("产出（千克）"))
    packaging = forms.ChoiceField(
        label=_("包装"), required=False, choices=[("", "—"), *Container.Packaging.choices]
    )
    litres = forms.DecimalField(
        label=_("容积（升）"), required=False, max_digits=9, decimal_places=3, min_value=Decimal("0.001"),
        localize=False, widget=forms.TextInput(attrs={"inputmode": "decimal"}),
    )  # fmt: skip

    def __init__(self, *said: Any, streams: Sequence[Stream], stores: Sequence[Place], **rest: Any) -> None:
        super().__init__(*said, **rest)
        choice(self, "stream").choices = [(s.code, f"{s.code} {s.name}") for s in streams]
        choice(self, "store").choices = [(s.code, f"{s.code} {s.name}") for s in stores]

    def output(self) -> Output:
        said = self.cleaned_data
        litres = said["litres"]
        return Output(
            said["store"], said["lot"].strip(), said["stream"], Mass.of(said["amount"], "千克"),
            said["packaging"], int(litres * 1000) if litres else None,
        )  # fmt: skip


class TransformationForm(forms.Form):
    """What is done to the lots."""

    kind = forms.ChoiceField(
        label=_("方式"), choices=[(kind.value, TRANSFORMATION_LABELS[kind]) for kind in TransformationKind]
    )
    moved_on = day_field(label=_("日期"))
    loss = forms.DecimalField(
        label=_("损耗（千克）"), required=False, max_digits=16, decimal_places=3, min_value=Decimal(0),
        localize=False, widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
        help_text=_("投入 = 产出 + 损耗，一克不差。"),
    )  # fmt: skip
    loss_reason = forms.CharField(label=_("损耗原因"), required=False, max_length=200)
    handler = forms.CharField(label=_("经办人"), required=False, max_length=TEXT_LIMITS["handler"])
    client_id = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, *said: Any, **rest: Any) -> None:
        super().__init__(*said, **rest)
        self.fields["client_id"].initial = uuid.uuid4

    def loss_mass(self) -> Mass:
        return Mass.of(self.cleaned_data["loss"] or Decimal(0), "千克")


class PeriodForm(forms.Form):
    """Which year, or which part of it."""

    year = forms.TypedChoiceField(label=_("年份"), coerce=int)
    part = forms.ChoiceField(label=_("期间"), required=False, choices=list(PARTS.items()))

    def __init__(self, said: Any, *, years: Iterable[int]) -> None:
        super().__init__(said)
        choice(self, "year").choices = [(str(year), str(year)) for year in years]

    @property
    def period(self) -> Period:
        """Return the days; only of a valid form."""
        return period_of(self.cleaned_data["year"], self.cleaned_data["part"])


class BookForm(PeriodForm):
    """Which official ledger, of which year or part of it."""

    form = forms.ChoiceField(label=_("台账"))

    def __init__(self, said: Any, *, years: Iterable[int]) -> None:
        super().__init__(said, years=years)
        groups = ((_("一般工业固体废物"), GENERAL), (_("危险废物"), HAZARDOUS))
        choice(self, "form").choices = [
            (name, [(each.id, f"{each.number} {each.title}") for each in layouts]) for name, layouts in groups
        ]


class IdentificationFilter(forms.Form):
    """Which streams the list of identifications shows."""

    text = forms.CharField(label=_("废物名称、编号、代码"), required=False, max_length=80)
    state = forms.ChoiceField(
        label=_("状态"), required=False,
        choices=[
            ("", _("全部")),
            ("warns", _("需要处理的")),
            *((each.value, STANDING_LABELS[each]) for each in identifying.IdentificationStanding),
        ],
    )  # fmt: skip


class IdentificationForm(forms.Form):
    """Whether a stream's waste is hazardous, and who says so."""

    basis = forms.ChoiceField(label=_("判别依据"), choices=[("", _("请选择")), *BASIS_LABELS.items()])
    result = forms.ChoiceField(label=_("判别结果"), choices=[("", _("请选择")), *RESULT_LABELS.items()])
    waste_code = forms.CharField(
        label=_("危险废物代码"), required=False, max_length=16, help_text=_("结果为危险废物时填写，如 900-249-08。")
    )  # fmt: skip
    properties = forms.MultipleChoiceField(
        label=_("危险特性"), required=False, choices=list(PROPERTIES.items()), widget=forms.CheckboxSelectMultiple
    )  # fmt: skip
    judged_by = forms.CharField(label=_("检测机构或判别人"), max_length=LONGEST["judged_by"])
    report_number = forms.CharField(label=_("报告编号"), required=False, max_length=LONGEST["report_number"])
    judged_on = day_field(label=_("判别日期"))
    valid_through = day_field(
        label=_("有效期至"), required=False, help_text=_("按报告填写；没有写明的留空。")
    )
    report = forms.FileField(
        label=_("报告文件"), required=False, allow_empty_file=True,
        help_text=_("pdf、docx、xlsx、jpg、png，不超过 20 MB；以检测为依据的必须上传。"),
        widget=forms.FileInput(attrs={"accept": ".pdf,.docx,.xlsx,.jpg,.jpeg,.png"}),
    )  # fmt: skip
    note = forms.CharField(label=_("说明"), required=False, max_length=LONGEST["note"])
    replaces = forms.TypedChoiceField(
        label=_("更正哪一条"), required=False, coerce=int, empty_value=None,
        help_text=_("此前登记有误的选那一条；新的判别不选。"),
    )  # fmt: skip
    reason = forms.CharField(label=_("更正原因"), required=False, max_length=LONGEST["reason"])
    client_id = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)

    def __init__(self, *said: Any, replaceable: Iterable[HazardIdentification], **rest: Any) -> None:
        super().__init__(*said, **rest)
        rows = [(row.pk, f"{row.judged_on} {row.get_result_display()}") for row in replaceable]
        choice(self, "replaces").choices = [("", _("不是更正")), *rows]
        if not rows:
            del self.fields["replaces"], self.fields["reason"]

    def said(self) -> identifying.Said:
        """Return what is to be recorded; only of a valid form."""
        said = self.cleaned_data
        return identifying.Said(
            basis=identifying.Basis(said["basis"]), result=identifying.Result(said["result"]),
            judged_by=said["judged_by"], judged_on=said["judged_on"], valid_through=said["valid_through"],
            waste_code=said["waste_code"].strip(), properties=tuple(said["properties"]),
            report_number=said["report_number"], note=said["note"], has_report=bool(said["report"]),
        )  # fmt: skip
