"""
What must an enterprise report of its hazardous waste, how often, and what changed since it last did?

HJ 1259-2022: the class of the unit (4.2.1, by the yearly amount of 4.2.3) decides whether it reports by month, by
quarter or by year only. The tables C.1–C.3 and the interface of the national system are not at hand: the
document made here is our own, described in docs/guides/environment-officer.md.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple

from wufei.ledger.kinds import Kind
from wufei.terms.period import Period

FORMAT = "wufei-hazardous-waste-report/1"
KEY_FROM_G = 100_000_000  # 100 吨, 4.2.1
SIMPLIFIED_FROM_G = 10_000_000  # 10 吨


class ControlClass(StrEnum):
    KEY = "KEY"  # 重点监管
    SIMPLIFIED = "SIMPLIFIED"  # 简化管理
    REGISTERED = "REGISTERED"  # 登记管理


class Span(StrEnum):
    MONTH = "MONTH"
    QUARTER = "QUARTER"
    YEAR = "YEAR"


CLASS_LABELS = {
    ControlClass.KEY: "重点监管单位",
    ControlClass.SIMPLIFIED: "简化管理单位",
    ControlClass.REGISTERED: "登记管理单位",
}
SPAN_LABELS = {Span.MONTH: "月度申报", Span.QUARTER: "季度申报", Span.YEAR: "年度申报"}
SPANS: Mapping[ControlClass, tuple[Span, ...]] = {
    ControlClass.KEY: (Span.MONTH, Span.YEAR),
    ControlClass.SIMPLIFIED: (Span.QUARTER, Span.YEAR),
    ControlClass.REGISTERED: (Span.YEAR,),
}
MAY_BE_SET = "设区的市级以上生态环境主管部门可以另行确定类别（4.2.2）；另有确定的，以其为准。"


@dataclass(frozen=True, slots=True)
class Classification:
    """Of which class a unit is, and why; None where what is known does not tell."""

    control_class: ControlClass | None
    reasons: tuple[str, ...]

    @property
    def label(self) -> str:
        return CLASS_LABELS[self.control_class] if self.control_class else "未知"


def classify(
    *, generated: Mapping[int, int], year: int, has_own_facility: bool, holds_permit: bool
) -> Classification:
    """
    Return the class of a unit in a year, from what it generated in earlier years, in grams.

    >>> classify(generated={2024: 12_000_000}, year=2025, has_own_facility=False, holds_permit=False).label
    '简化管理单位'
    """
    reasons = []
    if has_own_facility:
        reasons.append("有危险废物自行利用或处置（4.2.1 第二项）")
    if holds_permit:
        reasons.append("持有危险废物经营许可证（4.2.1 第三项）")
    years = [each for each in range(year - 3, year) if each in generated]
    amount = max((generated[each] for each in years), default=None)
    if amount is not None:
        said = "、".join(str(each) for each in years)
        reasons.append(f"{said} 年中最大年产生量 {_plain(amount)} 吨（4.2.3）")
    if has_own_facility or holds_permit or (amount is not None and amount >= KEY_FROM_G):
        found: ControlClass | None = ControlClass.KEY
    elif amount is None:
        found = None
        reasons.append("此前没有整年的台账：年产生量按环评、排污许可中较大的数（4.2.3），台账里没有")
    else:
        found = ControlClass.SIMPLIFIED if amount >= SIMPLIFIED_FROM_G else ControlClass.REGISTERED
    return Classification(found, (*reasons, MAY_BE_SET))


def span_of(period: Period) -> Span | None:
    """
    Return whether the days are a year, a quarter or a month; None: no period to report.

    >>> span_of(Period(date(2025, 4, 1), date(2025, 6, 30)))
    <Span.QUARTER: 'QUARTER'>
    """
    if period.is_year:
        return Span.YEAR
    if period.is_month:
        return Span.MONTH
    first, last = period.first_day, period.last_day
    quarter_ends = (
        Period.month(first.year, first.month + 2).last_day if first.month in (1, 4, 7, 10) else None
    )
    return Span.QUARTER if first.day == 1 and last == quarter_ends else None


def due_on(period: Period) -> date:
    """
    Return the last day to report: the 15th of the month after, of a year the 31st of March.

    >>> str(due_on(Period.month(2025, 12))), str(due_on(Period.year(2025)))
    ('2026-01-15', '2026-03-31')
    """
    after = period.last_day + timedelta(days=1)
    return date(after.year, 3, 31) if period.is_year else after.replace(day=15)


class Flow(NamedTuple):
    """What moved of a stream in the period, reversals taken off."""

    stream: str
    kind: str
    method: str
    receiver: str
    mass_g: int


@dataclass(frozen=True, slots=True)
class Waste:
    """A hazardous stream, and what the stores held of it when the period began and ended."""

    stream: str
    name: str
    waste_code: str
    waste_category: str
    stock_before_g: int
    stock_after_g: int


# What a stream's line says, by kind; everything else that changes the stock is summed as 其他.
_SUMS = {
    Kind.GENERATION: "generated_t",
    Kind.RECEIPT: "received_t",
    Kind.OWN_UTILISATION: "own_utilised_t",
    Kind.OWN_DISPOSAL: "own_disposed_t",
    Kind.CONTRACTED_UTILISATION: "contracted_utilised_t",
    Kind.CONTRACTED_DISPOSAL: "contracted_disposed_t",
}
WAYS = {Kind.CONTRACTED_UTILISATION: "委外利用", Kind.CONTRACTED_DISPOSAL: "委外处置"}
LABELS = {
    "stock_before_t": "期初贮存量", "generated_t": "产生量", "received_t": "接收量", "own_utilised_t": "自行利用量",
    "own_disposed_t": "自行处置量", "contracted_utilised_t": "委外利用量", "contracted_disposed_t": "委外处置量",
    "stock_after_t": "期末贮存量",
}  # fmt: skip


def content(wastes: Iterable[Waste], flows: Iterable[Flow]) -> list[dict[str, Any]]:
    """Return what is reported, stream by stream, masses in 吨 as exact decimal texts."""
    of_stream: dict[str, list[Flow]] = defaultdict(list)
    for flow in flows:
        of_stream[flow.stream].append(flow)
    found = []
    for waste in wastes:
        moved = of_stream[waste.stream]
        if not (moved or waste.stock_before_g or waste.stock_after_g):
            continue
        sums: dict[str, int] = defaultdict(int)
        away: dict[tuple[str, str, str], int] = defaultdict(int)
        for flow in moved:
            if key := _SUMS.get(Kind(flow.kind)):
                sums[key] += flow.mass_g
            if flow.kind in WAYS:
                away[flow.receiver, flow.method, flow.kind] += flow.mass_g
        found.append(
            {
                "stream": waste.stream, "name": waste.name, "waste_code": waste.waste_code,
                "waste_category": waste.waste_category, "stock_before_t": _plain(waste.stock_before_g),
                **{key: _plain(sums[key]) for key in _SUMS.values()},
                "stock_after_t": _plain(waste.stock_after_g),
                "contracted": [
                    {"receiver": receiver, "mode": mode, "kind": kind, "mass_t": _plain(grams)}
                    for (receiver, mode, kind), grams in sorted(away.items()) if grams
                ],
            }
        )  # fmt: skip
    return found


@dataclass(frozen=True, slots=True)
class Change:
    """A number that is another than when it was last reported; "" where it was not, or is no longer, there."""

    stream: str
    what: str
    before: str
    after: str


def changes(before: Iterable[Mapping[str, Any]], after: Iterable[Mapping[str, Any]]) -> list[Change]:
    """Return what changed from one content to the other, number by number."""
    then, now = _numbers(before), _numbers(after)
    return [
        Change(stream, what, then.get((stream, what), ""), now.get((stream, what), ""))
        for stream, what in dict.fromkeys((*then, *now))
        if then.get((stream, what)) != now.get((stream, what))
    ]


def _numbers(wastes: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], str]:
    found: dict[tuple[str, str], str] = {}
    for waste in wastes:
        stream = f"{waste['stream']} {waste['name']} {waste['waste_code']}"
        found |= {(stream, label): str(waste[key]) for key, label in LABELS.items()}
        for each in waste["contracted"]:
            whom = each["receiver"] or "未写明单位"
            found[stream, f"{WAYS[Kind(each['kind'])]} {whom} {each['mode']}".strip()] = each["mass_t"]
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A report as it is handed out."""

    uscc: str
    name: str
    period: Period
    number: int
    control_class: str  # "" where it is not known
    wastes: list[dict[str, Any]]
    made_at: str  # ISO 8601
    seq: int
    chain_hash: str


def document(report: Report) -> dict[str, Any]:
    """Return the report as the JSON document that docs/guides/environment-officer.md describes."""
    span = span_of(report.period)
    assert span, "a report is of a month, a quarter or a year"
    return {
        "format": FORMAT,
        "organisation": {"uscc": report.uscc, "name": report.name},
        "period": {
            "from": report.period.first_day.isoformat(), "to": report.period.last_day.isoformat(),
            "span": span.value, "due_on": due_on(report.period).isoformat(),
        },
        "number": report.number,
        "control_class": report.control_class or None,
        "unit": "吨",
        "wastes": report.wastes,
        "ledger": {"seq": report.seq, "chain_hash": report.chain_hash, "made_at": report.made_at},
    }  # fmt: skip


HEADINGS = (
    "废物编号", "废物名称", "危险废物代码", "危险废物类别", *(f"{label}（吨）" for label in LABELS.values()),
    "委外单位", "委外方式", "委外去向", "委外数量（吨）",
)  # fmt: skip


def lines(report: Report) -> list[list[str | Decimal]]:
    """Return the report as the lines of a workbook: one for each waste, and one more for each further receiver."""
    found: list[list[str | Decimal]] = []
    for waste in report.wastes:
        head = [waste["stream"], waste["name"], waste["waste_code"], waste["waste_category"]]
        sums = [Decimal(waste[key]) for key in LABELS]
        away = [
            [each["receiver"], each["mode"], WAYS[Kind(each["kind"])], Decimal(each["mass_t"])]
            for each in waste["contracted"]
        ]
        found.append([*head, *sums, *(away[0] if away else ())])
        # The sums stand once, so that a column adds up.
        found += [[*head, *[""] * len(sums), *more] for more in away[1:]]
    return found


def _plain(grams: int) -> str:
    tonnes = Decimal(grams).scaleb(-6)
    return f"{tonnes.normalize():f}" if grams else "0"
