"""The shapes of what people type; the rules are the services'."""

import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from wufei.ledger.models import Place, Stream
from wufei.registry.models import User
from wufei.storage.checklists import Checklist, Facility, ItemResult
from wufei.storage.models import StocktakeCount, Zone
from wufei.storage.photos import Photo
from wufei.storage.refusals import Code
from wufei.storage.services import LONGEST, LONGEST_REMARK, Found, InspectionSaid, LineSaid, ZoneSaid
from wufei.storage.wording import FACILITY_TEXT, REFUSAL_TEXT, RESULT_TEXT
from wufei.storage.zoning import Rectangle
from wufei.terms.day import local_day
from wufei.terms.mass import InexactMass, Mass

UNITS = [(unit, unit) for unit in ("千克", "吨")]
CM_PER_METRE = 100
MISSING = StocktakeCount.Method.MISSING


class OpenForm(forms.Form):
    """Which store is counted."""

    store = forms.ChoiceField(label=_("贮存设施"))
    client_id = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, said: Any = None, *, stores: Iterable[Place]) -> None:
        super().__init__(said, initial={"client_id": uuid.uuid4()})
        self.fields["store"].choices = [(s.code, f"{s.code} {s.name}") for s in stores]  # type: ignore[attr-defined]


class LotFilter(forms.Form):
    """Which lots of an open sheet are listed."""

    text = forms.CharField(
        label=_("查找"), required=False, max_length=80,
        widget=forms.TextInput(attrs={"placeholder": _("批次编码、废物名称或代码")}),
    )  # fmt: skip
    waits = forms.ChoiceField(
        label=_("范围"), required=False, choices=[("", _("全部")), ("yes", _("等我盘的"))]
    )


class CountForm(forms.Form):
    """What was found of a lot."""

    lot = forms.CharField(
        label=_("批次编码"), max_length=LONGEST["lot_code"],
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "off"}),
        help_text=_("扫标签，或从下表点“盘”；散堆写“散堆-”加废物编号。"),
    )  # fmt: skip
    method = forms.ChoiceField(label=_("方式"), choices=StocktakeCount.Method.choices)
    amount = forms.DecimalField(
        label=_("盘得数量"), required=False, max_digits=20, decimal_places=6, localize=False,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )  # fmt: skip
    unit = forms.ChoiceField(label=_("单位"), choices=UNITS)
    stream = forms.ChoiceField(label=_("账上没有的，是哪种废物"), required=False)
    note = forms.CharField(label=_("说明"), required=False, max_length=LONGEST["note"])
    client_id = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, said: Any = None, *, streams: Iterable[Stream], lot: str = "") -> None:
        super().__init__(said, initial={"client_id": uuid.uuid4(), "lot": lot})
        self.fields["stream"].choices = [  # type: ignore[attr-defined]
            ("", _("账上有，不用选")), *((s.code, f"{s.code} {s.name}") for s in streams)
        ]  # fmt: skip

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        said["mass"] = Mass(0)
        if said.get("method") == MISSING or "amount" in self.errors:
            return said
        if said.get("amount") is None:
            self.add_error(
                "amount",
                forms.ValidationError(_("请填写盘得的数量；没有找到的，方式选“未找到”。"), code="missing"),
            )
            return said
        try:
            said["mass"] = Mass.of(said["amount"], said.get("unit", "千克"))
        except InexactMass:
            self.add_error(
                "amount", forms.ValidationError(_("数量最多精确到 1 克；请改正。"), code="inexact")
            )
        return said

    @property
    def found(self) -> Found:
        said = self.cleaned_data
        return Found(
            lot_code=said["lot"], method=said["method"], mass=said["mass"], stream_code=said["stream"],
            note=said["note"],
        )  # fmt: skip


class GiveUpForm(forms.Form):
    reason = forms.CharField(label=_("作废原因"), max_length=LONGEST["reason"])


class DifferencesForm(forms.Form):
    """Why each lot differs, and the day on which that is posted."""

    moved_on = forms.DateField(
        label=_("记账日期"), input_formats=["%Y-%m-%d"],
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        help_text=_("一般为盘点日；该月已结账的，用未结账的日期。"),
    )  # fmt: skip

    def __init__(self, said: Any = None, *, lots: Iterable[tuple[int, str]], opened_on: date) -> None:
        super().__init__(said, initial={"moved_on": opened_on})
        self.lots = {f"why-{key}": code for key, code in lots}
        for name, code in self.lots.items():
            self.fields[name] = forms.CharField(
                label=_("%(lot)s的差异原因") % {"lot": code}, max_length=LONGEST["explanation"]
            )

    @property
    def explanations(self) -> dict[str, str]:
        return {code: self.cleaned_data[name] for name, code in self.lots.items()}


def _length(label: Any, initial: str = "") -> forms.DecimalField:
    return forms.DecimalField(
        label=label, max_digits=6, decimal_places=2, localize=False, initial=initial or None,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )  # fmt: skip


class StoreChoice(forms.Form):
    """Which store is shown."""

    store = forms.ChoiceField(label=_("贮存设施"))

    def __init__(self, said: Any, *, stores: Iterable[Place]) -> None:
        super().__init__(said)
        self.fields["store"].choices = [(s.code, f"{s.code} {s.name}") for s in stores]  # type: ignore[attr-defined]


class ZoneForm(forms.Form):
    """A zone, in metres and tonnes."""

    code = forms.CharField(label=_("分区编码"), max_length=40)
    name = forms.CharField(label=_("分区名称"), max_length=80)
    permitted = forms.CharField(
        label=_("允许存放"), required=False, max_length=400,
        help_text=_("废物编号或类别（如 HW08、SW17），用逗号或空格分开；不填为不限。"),
    )  # fmt: skip
    tonnes = forms.DecimalField(
        label=_("容量（吨）"), required=False, max_digits=15, decimal_places=6, localize=False,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )  # fmt: skip
    containers = forms.IntegerField(label=_("容器数"), required=False, min_value=1, max_value=1_000_000)
    x = _length(_("距左墙（米）"), "0")
    y = _length(_("距上墙（米）"), "0")
    width = _length(_("长（米）"))
    depth = _length(_("宽（米）"))
    version = forms.IntegerField(widget=forms.HiddenInput, initial=0, min_value=0)

    def __init__(self, said: Any = None, *, zone: Zone | None = None) -> None:
        super().__init__(said, initial=_initial(zone) if zone else None)

    @property
    def said(self) -> ZoneSaid:
        said = self.cleaned_data
        lengths = (int(said[name] * CM_PER_METRE) for name in ("x", "y", "width", "depth"))
        return ZoneSaid(
            code=said["code"], name=said["name"], containers=said["containers"], place=Rectangle(*lengths),
            permitted=tuple(filter(None, re.split(r"[\s,，、;；]+", said["permitted"]))),
            capacity=None if said["tonnes"] is None else Mass.of(said["tonnes"], "吨"),
        )  # fmt: skip


def _initial(zone: Zone) -> dict[str, Any]:
    lengths = {"x": zone.x_cm, "y": zone.y_cm, "width": zone.width_cm, "depth": zone.depth_cm}
    return {
        "code": zone.code, "name": zone.name, "permitted": "、".join(zone.permitted), "containers": zone.containers,
        "tonnes": _plain(Mass(zone.capacity_g).tonnes) if zone.capacity_g else None, "version": zone.version,
        **{name: _plain(Decimal(cm) / CM_PER_METRE) for name, cm in lengths.items()},
    }  # fmt: skip


def _plain(number: Decimal) -> str:
    said = f"{number:f}"
    return said.rstrip("0").rstrip(".") if "." in said else said


class PlaceForm(forms.Form):
    """Which lot goes into which zone."""

    store = forms.CharField(widget=forms.HiddenInput, max_length=240)
    lot = forms.CharField(
        label=_("批次编码"), max_length=LONGEST["lot_code"],
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "off"}),
    )  # fmt: skip
    zone = forms.ChoiceField(label=_("放入分区"), required=False)
    client_id = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, said: Any = None, *, zones: Iterable[Zone], store: str = "", lot: str = "") -> None:
        known = [(zone.code, f"{zone.code} {zone.name}") for zone in zones]
        initial = {"client_id": uuid.uuid4(), "store": store, "lot": lot}
        super().__init__(said, initial=initial | ({"zone": known[0][0]} if known else {}))
        self.fields["zone"].choices = [  # type: ignore[attr-defined]
            *known, ("", _("移出分区"))
        ]  # fmt: skip


# --- inspections

USUAL_CORRECTION = timedelta(days=7)
MOMENT = "%Y-%m-%dT%H:%M"


class InspectionFilter(forms.Form):
    """Which inspections are listed."""

    q = forms.CharField(
        label=_("查找"), required=False, max_length=80,
        widget=forms.TextInput(attrs={"placeholder": _("说明、备注或检查人")}),
    )  # fmt: skip
    store = forms.ChoiceField(label=_("贮存设施"), required=False)
    state = forms.ChoiceField(
        label=_("结果"), required=False,
        choices=[("", _("全部")), ("waiting", _("有未办结的整改")), ("clean", _("没有不符合项"))],
    )  # fmt: skip

    def __init__(self, said: Any, *, stores: Iterable[Place]) -> None:
        super().__init__(said)
        self.fields["store"].choices = [  # type: ignore[attr-defined]
            ("", _("全部")), *((s.code, f"{s.code} {s.name}") for s in stores)
        ]  # fmt: skip


class ActionFilter(forms.Form):
    """Which corrective actions are listed."""

    q = forms.CharField(
        label=_("查找"), required=False, max_length=80,
        widget=forms.TextInput(attrs={"placeholder": _("要求、问题、设施或责任人")}),
    )  # fmt: skip
    state = forms.ChoiceField(
        label=_("状态"), required=False,
        choices=[
            ("", _("全部")), ("open", _("未办结")), ("overdue", _("已逾期")), ("closed", _("已办结")),
            ("late", _("逾期办结")),
        ],
    )  # fmt: skip


class InspectionChoice(StoreChoice):
    """Which store is inspected, and by which checklist."""

    facility = forms.ChoiceField(
        label=_("设施类别"), choices=[(each.value, FACILITY_TEXT[each]) for each in Facility]
    )


def _day(label: Any, initial: date) -> forms.DateField:
    return forms.DateField(
        label=label, required=False, initial=initial, input_formats=["%Y-%m-%d"],
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
    )  # fmt: skip


def _words(label: Any, rows: int, *, required: bool = False) -> forms.CharField:
    return forms.CharField(
        label=label, required=required, max_length=LONGEST_REMARK, widget=forms.Textarea(attrs={"rows": rows})
    )


class InspectionForm(forms.Form):
    """What was found of each requirement of the checklist; what isn't met names who puts it right, and until when."""

    inspected_at = forms.DateTimeField(
        label=_("检查时间"), input_formats=[MOMENT],
        widget=forms.DateTimeInput(format=MOMENT, attrs={"type": "datetime-local"}),
    )  # fmt: skip
    remark = _words(_("备注"), 2)
    client_id = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(
        self, said: Any = None, *, checklist: Checklist, people: Sequence[User], by: User, now: datetime
    ) -> None:
        super().__init__(said, initial={"client_id": uuid.uuid4(), "inspected_at": now})
        self.checklist = checklist
        known = [(each.username, str(each)) for each in people]
        results = [(each.value, RESULT_TEXT[each]) for each in ItemResult]
        due_on = local_day(now) + USUAL_CORRECTION
        for each in checklist.requirements:
            self.fields[f"result-{each.id}"] = forms.ChoiceField(
                label=each.says,
                choices=results,
                initial=ItemResult.NOT_LOOKED_AT.value,
                widget=forms.RadioSelect,
            )
            self.fields[f"remark-{each.id}"] = _words(_("说明"), 1)
            self.fields[f"due-{each.id}"] = _day(_("整改期限"), due_on)
            self.fields[f"responsible-{each.id}"] = forms.ChoiceField(
                label=_("责任人"), choices=known, initial=by.username, required=False
            )

    def clean(self) -> dict[str, Any]:
        """What isn't met needs its words and its day: said of each at once, not of the first alone."""
        said = super().clean() or {}
        for each in self.checklist.requirements:
            if said.get(f"result-{each.id}") != ItemResult.NOT_MET:
                continue
            for name, code in (("remark", Code.WHAT_IS_WRONG_MISSING), ("due", Code.DUE_DAY_WRONG)):
                if not said.get(f"{name}-{each.id}") and f"{name}-{each.id}" not in self.errors:
                    self.add_error(f"{name}-{each.id}", REFUSAL_TEXT[code])
        return said

    def said(
        self,
        *,
        store_code: str,
        facility: Facility,
        pictures: Mapping[str, Sequence[Photo]],
        photos: Sequence[Photo],
    ) -> InspectionSaid:
        said = self.cleaned_data
        lines = [
            LineSaid(
                requirement=each.id, result=ItemResult(said[f"result-{each.id}"]), remark=said[f"remark-{each.id}"],
                due_on=said[f"due-{each.id}"], responsible=said[f"responsible-{each.id}"],
                photos=pictures.get(each.id, ()),
            )
            for each in self.checklist.requirements
        ]  # fmt: skip
        return InspectionSaid(
            store_code=store_code, facility=facility.value, inspected_at=said["inspected_at"], lines=lines,
            remark=said["remark"], photos=photos,
        )  # fmt: skip


class CorrectionForm(forms.Form):
    """What was done, and when."""

    corrected_on = forms.DateField(
        label=_("整改日期"), input_formats=["%Y-%m-%d"],
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
    )  # fmt: skip
    words = _words(_("整改情况"), 3, required=True)
    client_id = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, said: Any = None, *, today: date) -> None:
        super().__init__(said, initial={"client_id": uuid.uuid4(), "corrected_on": today})
