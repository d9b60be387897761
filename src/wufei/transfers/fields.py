"""
What stands on a manifest: who fills it, from which signature it must be there, from which it is sealed?

The one table: the API, the pages, the PDF and docs/reference/manifests.md are drawn from it. The form that
the ministry issued beside the measures (第六条) is not in our files: whatever no article of the measures names is
marked unverified, and shown so.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import IntEnum, StrEnum

from wufei.transfers.states import Party, State


class Signing(IntEnum):
    """The signatures in their order."""

    GENERATOR = 1  # 移出人签发
    CARRIER = 2  # 承运人起运
    DELIVERY = 3  # 运抵
    RECEIVER = 4  # 接受人确认


SIGNING_LABELS: Mapping[Signing, str] = {
    Signing.GENERATOR: "移出人签发",
    Signing.CARRIER: "承运人起运",
    Signing.DELIVERY: "承运人运抵",
    Signing.RECEIVER: "接受人确认",
}

# The last signature that a manifest in the state bears; a draft has none, and what was cancelled says nothing more.
SIGNED_IN: Mapping[State, Signing | None] = {
    State.DRAFT: None,
    State.CANCELLED: None,
    State.ISSUED: Signing.GENERATOR,
    State.IN_TRANSIT: Signing.CARRIER,
    State.STORED_ON_THE_WAY: Signing.CARRIER,
    State.DELIVERED: Signing.DELIVERY,
    State.ACCEPTED: Signing.RECEIVER,
    State.PARTLY_ACCEPTED: Signing.RECEIVER,
    State.REFUSED: Signing.RECEIVER,
    State.PARTLY_RETURNED: Signing.RECEIVER,
    State.RETURNED: Signing.RECEIVER,
}


class Part(StrEnum):
    """Where on the manifest it stands."""

    MANIFEST = "manifest"
    LINE = "line"
    LEG = "leg"


class Shape(StrEnum):
    TEXT = "text"
    PHONE = "phone"
    DAY = "day"
    MASS = "mass"  # whole grams
    COUNT = "count"
    CODE = "code"
    ORGANISATION = "organisation"
    CHOICE = "choice"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    name: str
    label: str
    part: Part
    filled_by: Party
    required_from: Signing | None  # None: may stay empty
    sealed_from: Signing
    shape: Shape = Shape.TEXT
    most: int = 200  # characters
    in_force_from: date = date(2022, 1, 1)
    in_force_through: date | None = None
    clause: str = ""  # of 危险废物转移管理办法
    is_verified: bool = False  # whether an article names it; else it is from memory of the form
    hazardous_only: bool = False
    choices: tuple[tuple[str, str], ...] = ()
    help: str = ""

    def holds_on(self, day: date) -> bool:
        return self.in_force_from <= day and (self.in_force_through is None or day <= self.in_force_through)


PHYSICAL_FORMS = (
    ("SOLID", "固态"),
    ("LIQUID", "液态"),
    ("SEMI_SOLID", "半固态"),
    ("GAS", "气态"),
    ("OTHER", "其他"),
)
PACKAGING = (
    ("DRUM", "桶"), ("BAG", "袋"), ("BOX", "箱"), ("TANK", "罐（槽）"), ("PALLET", "托盘"), ("BULK", "散装"),
    ("OTHER", "其他"),
)  # fmt: skip
_G, _C, _R = Party.GENERATOR, Party.CARRIER, Party.RECEIVER
_M, _L, _LEG = Part.MANIFEST, Part.LINE, Part.LEG
_S = Signing

FIELDS: tuple[Field, ...] = (
    # --- the generator's part
    Field(name="receiver", label="接受人", part=_M, filled_by=_G, required_from=_S.GENERATOR,
          sealed_from=_S.GENERATOR, shape=Shape.ORGANISATION, clause="第十条（四）", is_verified=True),
    Field(name="contact", label="移出人经办人", part=_M, filled_by=_G, required_from=_S.GENERATOR,
          sealed_from=_S.GENERATOR, most=60, clause="第十条（四）"),
    Field(name="contact_phone", label="经办人电话", part=_M, filled_by=_G, required_from=_S.GENERATOR,
          sealed_from=_S.GENERATOR, shape=Shape.PHONE, most=30, clause="第十条（四）"),
    Field(name="emergency_phone", label="应急联系电话", part=_M, filled_by=_G, required_from=_S.GENERATOR,
          sealed_from=_S.GENERATOR, shape=Shape.PHONE, most=30, clause="第十条（四）", hazardous_only=True),
    Field(name="emergency_measures", label="突发环境事件防范措施", part=_M, filled_by=_G,
          required_from=_S.GENERATOR, sealed_from=_S.GENERATOR, most=500, clause="第十条（四）", is_verified=True,
          hazardous_only=True),
    Field(name="origin_address", label="移出地址", part=_M, filled_by=_G, required_from=_S.GENERATOR,
          sealed_from=_S.GENERATOR, clause="第十条（四）"),
    Field(name="planned_on", label="计划交付日期", part=_M, filled_by=_G, required_from=None,
          sealed_from=_S.GENERATOR, shape=Shape.DAY),
    Field(name="consignor", label="托运人", part=_M, filled_by=_G, required_from=_S.GENERATOR,
          sealed_from=_S.GENERATOR, shape=Shape.CHOICE, clause="第三十一条（五）", is_verified=True,
          hazardous_only=True, choices=(("GENERATOR", "移出人"), ("RECEIVER", "接受人")),
          help="只能由移出人或者接受人担任。"),
    Field(name="transport_class", label="危险货物类别、项别和编号", part=_M, filled_by=_G, required_from=None,
          sealed_from=_S.GENERATOR, most=120, clause="第十三条", is_verified=True, hazardous_only=True),
    Field(name="remark", label="移出人备注", part=_M, filled_by=_G, required_from=None,
          sealed_from=_S.GENERATOR, most=300),
    # --- each waste
    Field(name="stream", label="废物编号", part=_L, filled_by=_G, required_from=_S.GENERATOR,
          sealed_from=_S.GENERATOR, shape=Shape.CODE, most=60, clause="第十条（四）", is_verified=True),
    Field(name="lot", label="容器、批次编码", part=_L, filled_by=_G, required_from=None,
          sealed_from=_S.GENERATOR, shape=Shape.CODE, most=80, clause="第十三条", is_verified=True,
          help="有标签的桶、袋填标签上的编码；散装不填。"),
    Field(name="declared_g", label="移出量", part=_L, filled_by=_G, required_from=_S.GENERATOR,
          sealed_from=_S.GENERATOR, shape=Shape.MASS, clause="第十条（三）、（四）", is_verified=True),
    Field(name="hazards", label="危险特性", part=_L, filled_by=_G, required_from=_S.GENERATOR,
          sealed_from=_S.GENERATOR, most=20, clause="第十条（四）", is_verified=True, hazardous_only=True),
    Field(name="physical_form", label="形态", part=_L, filled_by=_G, required_from=_S.GENERATOR,
          sealed_from=_S.GENERATOR, shape=Shape.CHOICE, clause="第十八条", is_verified=True,
          choices=PHYSICAL_FORMS),
    Field(name="harmful_components", label="有害成分名称", part=_L, filled_by=_G, required_from=None,
          sealed_from=_S.GENERATOR, hazardous_only=True),
    Field(name="packaging", label="包装方式", part=_L, filled_by=_G, required_from=_S.GENERATOR,
          sealed_from=_S.GENERATOR, shape=Shape.CHOICE, clause="第十八条", is_verified=True, choices=PACKAGING),
    Field(name="package_count", label="包装数量", part=_L, filled_by=_G, required_from=_S.GENERATOR,
          sealed_from=_S.GENERATOR, shape=Shape.COUNT, clause="第十八条", is_verified=True),
    # --- each carrier's part
    Field(name="carrier", label="承运人", part=_LEG, filled_by=_G, required_from=_S.GENERATOR,
          sealed_from=_S.CARRIER, shape=Shape.ORGANISATION, clause="第十一条（二）", is_verified=True),
    Field(name="plate", label="运输工具（车牌号）", part=_LEG, filled_by=_C, required_from=_S.CARRIER,
          sealed_from=_S.CARRIER, most=20, clause="第十一条（二）", is_verified=True),
    Field(name="vehicle_permit", label="营运证件号", part=_LEG, filled_by=_C, required_from=_S.CARRIER,
          sealed_from=_S.CARRIER, most=60, clause="第十一条（二）", is_verified=True, hazardous_only=True),
    Field(name="driver", label="驾驶员", part=_LEG, filled_by=_C, required_from=_S.CARRIER,
          sealed_from=_S.CARRIER, most=60, clause="第十三条"),
    Field(name="driver_phone", label="驾驶员电话", part=_LEG, filled_by=_C, required_from=_S.CARRIER,
          sealed_from=_S.CARRIER, shape=Shape.PHONE, most=30),
    Field(name="starts_at", label="运输起点", part=_LEG, filled_by=_C, required_from=_S.CARRIER,
          sealed_from=_S.CARRIER, clause="第十一条（二）", is_verified=True),
    Field(name="ends_at", label="运输终点", part=_LEG, filled_by=_C, required_from=_S.CARRIER,
          sealed_from=_S.CARRIER, clause="第十一条（二）", is_verified=True),
    Field(name="route", label="经由地", part=_LEG, filled_by=_C, required_from=None, sealed_from=_S.CARRIER),
    Field(name="waybill", label="危险货物运单号", part=_LEG, filled_by=_C, required_from=None,
          sealed_from=_S.CARRIER, most=60, clause="第十一条（二）", is_verified=True, hazardous_only=True),
    # --- the receiver's part
    Field(name="receiving_contact", label="接受人经办人", part=_M, filled_by=_R, required_from=_S.RECEIVER,
          sealed_from=_S.RECEIVER, most=60),
    Field(name="opinion", label="是否接受的意见", part=_M, filled_by=_R, required_from=_S.RECEIVER,
          sealed_from=_S.RECEIVER, most=300, clause="第十二条（二）", is_verified=True),
    Field(name="mode", label="利用、处置方式", part=_L, filled_by=_R, required_from=_S.RECEIVER,
          sealed_from=_S.RECEIVER, shape=Shape.CODE, most=8, clause="第十二条（二）", is_verified=True,
          help="HJ 1033 附录F 的代码，例如 R9、D10。"),
    Field(name="received_g", label="接受量", part=_L, filled_by=_R, required_from=_S.RECEIVER,
          sealed_from=_S.RECEIVER, shape=Shape.MASS, clause="第十二条（二）", is_verified=True),
    Field(name="received_count", label="接受件数", part=_L, filled_by=_R, required_from=None,
          sealed_from=_S.RECEIVER, shape=Shape.COUNT, clause="第十八条", is_verified=True),
)  # fmt: skip

# What the ledgers follow.
MASSES = frozenset(each.name for each in FIELDS if each.shape is Shape.MASS)

_PHONE = re.compile(r"[0-9+()（）\-\s转]{5,30}")


def fields_of(
    part: Part, *, on: date, is_hazardous: bool, filled_by: Party | None = None
) -> tuple[Field, ...]:
    """Return the fields of that part of a manifest, as they hold on the day."""
    return tuple(
        each
        for each in FIELDS
        if each.part is part
        and each.holds_on(on)
        and (is_hazardous or not each.hazardous_only)
        and (filled_by is None or each.filled_by is filled_by)
    )


def named(part: Part, name: str) -> Field:
    """Return the field of that name."""
    return next(each for each in FIELDS if each.part is part and each.name == name)


def is_empty(value: object) -> bool:
    """Return whether nothing was filled in; a zero is something."""
    return value is None or value == ""


def missing(
    part: Part, said: Mapping[str, object], *, at: Signing, on: date, is_hazardous: bool
) -> Iterator[Field]:
    """Yield the fields that must be there at the signature and aren't."""
    for each in fields_of(part, on=on, is_hazardous=is_hazardous):
        if each.required_from is not None and each.required_from <= at and is_empty(said.get(each.name)):
            yield each


def is_sealed(field: Field, signed: Signing | None) -> bool:
    """Return whether the field may no longer be changed but by a revision; `signed`: the last signature."""
    return signed is not None and field.sealed_from <= signed


def fault(field: Field, value: object) -> str | None:
    """Return what is wrong with the value by itself, as a code, None where nothing is."""
    if is_empty(value):
        return None
    if field.shape in (Shape.MASS, Shape.COUNT):
        if isinstance(value, bool) or not isinstance(value, int):
            return "not_a_number"
        return "not_positive" if value <= 0 and field.name != "received_count" else None
    if not isinstance(value, str) or not value.isprintable():
        return "not_storable"
    if len(value) > field.most:
        return "too_long"
    if field.shape is Shape.PHONE and not _PHONE.fullmatch(value):
        return "not_a_phone"
    if field.shape is Shape.CHOICE and value not in dict(field.choices):
        return "not_a_choice"
    if field.shape is Shape.DAY:
        try:
            date.fromisoformat(value)
        except ValueError:
            return "not_a_day"
    return None
