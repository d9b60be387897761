"""
Which indicators are there? Each once: its id, name, unit, formula and source clause.

`reading` says where the text leaves something open and we decided; it is shown as 我们的读法.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from types import MappingProxyType

from wufei.terms.citation import Citation

CASE_CALL = "工信厅联节函〔2025〕539号"
GREEN_FACTORY = "GB/T 36132-2025"
STATISTICS = "国家统计局 工业固体废物平衡关系"
CITY_NOTICE = "广州市固体废物污染环境防治信息公告（2021 年）"
LEDGER_GUIDE = "生态环境部公告2021年第82号"
OWN = "Wufei"


@dataclass(frozen=True, slots=True, kw_only=True)
class Indicator:
    id: str  # "utilisation_rate_pct"
    name: str  # 工业固体废物综合利用率
    unit: str  # "%"
    formula: str
    source: Citation
    reading: str = ""  # what the text leaves open and how we read it
    is_of_park: bool = False
    # What 0 and 1 mean, of an indicator that answers a question; empty: the value is an amount.
    words: tuple[str, str] | tuple[()] = ()


_LEDGER = Citation(LEDGER_GUIDE, "附表2（未核对原文）", "按月汇总产生、利用、处置、贮存的数量和方式")
_B11 = Citation(
    GREEN_FACTORY, "附录B B.11", "综合利用率＝综合利用量（不含外购）÷（产生量＋综合利用往年贮存量）"
)
_BALANCE = Citation(
    STATISTICS, "产生量平衡式（二手资料）", "产生＝（利用−往年）＋贮存＋（处置−往年）＋倾倒丢弃"
)
_DISPOSAL_RATE = Citation(CITY_NOTICE, "处置率（二手资料）", "处置率＝处置量÷（产生量＋处置往年贮存量）")
_FORM_1 = Citation(CASE_CALL, "附件2 表1 注", "产生强度＝工业固体废物产生量（吨）÷工业增加值（万元）")
_FORM_1_PARK = Citation(CASE_CALL, "附件2 表1", "填写园区企业产生和园区企业利用的，不含外运")
_FORM_2 = Citation(CASE_CALL, "附件2 表2", "企业填报产值、销售额、产品产量和工业固废产生、利用量")
_PARK_GAIN = Citation(CASE_CALL, "二、（一）1", "近三年综合利用率累计提高 20 个百分点以上")
_PARK_REDUCTION = Citation(CASE_CALL, "二、（一）2", "产生强度近三年累计降幅≥10%")
_PARK_RECORDS = Citation(CASE_CALL, "二、（一）5", "固废种类、数量、流向、贮存、利用、处置信息详实准确")
_GAIN = Citation(CASE_CALL, "二、（二）1", "近三年综合利用率累计提高 20 个百分点以上")
_REDUCTION = Citation(CASE_CALL, "二、（二）2", "单位产品产生量显著低于同行业平均水平，或近三年累计降幅≥10%")
_RECORDS = Citation(CASE_CALL, "二、（二）5", "种类、数量、流向等信息详实准确，可追溯、可查询")

_OWN_WASTE = "只计本单位产生的废物；接收的废物在其产生单位计算，另列“利用接收废物量”。"
_EARLIER = (
    "有批次的按批次产生年份；散堆当年的利用和处置先取当年产生量，超出部分为往年贮存量，"
    "按利用与处置的数量比例分摊；期初贮存为往年贮存。"
)
_THREE_YEARS = "近三年累计为当年与三年前之年相比（2025 年与 2022 年）。"

_ALL: tuple[Indicator, ...] = (
    Indicator(id="generation_t", name="工业固体废物产生量", unit="吨", formula="环节“产生”的数量之和（冲正相抵）", source=_LEDGER),
    Indicator(
        id="utilisation_t", name="工业固体废物综合利用量", unit="吨", formula="自行利用量＋委外利用量",
        source=_B11, reading=_OWN_WASTE,
    ),
    Indicator(
        id="own_utilisation_t", name="自行利用量", unit="吨", formula="环节“自行利用”的数量之和−其中利用接收废物量",
        source=_LEDGER, reading=_OWN_WASTE,
    ),
    Indicator(
        id="contracted_utilisation_t", name="委外利用量", unit="吨",
        formula="环节“委外利用”的数量之和−其中转出的接收废物量", source=_LEDGER, reading=_OWN_WASTE,
    ),
    Indicator(
        id="utilisation_by_way_t", name="综合利用量（按方式）", unit="吨", formula="该方式的自行利用量＋委外利用量",
        source=_FORM_2, reading=_OWN_WASTE,
    ),
    Indicator(
        id="received_utilisation_t", name="利用接收废物量", unit="吨",
        formula="利用的接收废物：批次按来源，散堆按年初构成加当年入库的比例", source=_B11,
        reading="散堆中自产与接收混堆时，按年初构成加当年入库的比例分摊，尾差归接收。",
    ),
    Indicator(
        id="received_disposal_t", name="处置接收废物量", unit="吨",
        formula="处置的接收废物：批次按来源，散堆按年初构成加当年入库的比例", source=_LEDGER,
        reading="散堆中自产与接收混堆时，按年初构成加当年入库的比例分摊，尾差归接收。",
    ),
    Indicator(id="receipt_t", name="接收量", unit="吨", formula="环节“接收”的数量之和（冲正相抵）", source=_LEDGER),
    Indicator(
        id="disposal_t", name="工业固体废物处置量", unit="吨", formula="自行处置量＋委外处置量", source=_LEDGER,
        reading="只计本单位产生的废物。",
    ),
    Indicator(
        id="own_disposal_t", name="自行处置量", unit="吨", formula="环节“自行处置”的数量之和−其中接收的废物",
        source=_LEDGER, reading="只计本单位产生的废物。",
    ),
    Indicator(
        id="contracted_disposal_t", name="委外处置量", unit="吨", formula="环节“委外处置”的数量之和−其中接收的废物",
        source=_LEDGER, reading="只计本单位产生的废物。",
    ),
    Indicator(
        id="earlier_years_utilisation_t", name="综合利用往年贮存量", unit="吨",
        formula="（利用量＋处置量−当年产生量）中的利用部分", source=_B11, reading=_EARLIER,
    ),
    Indicator(
        id="earlier_years_disposal_t", name="处置往年贮存量", unit="吨",
        formula="（利用量＋处置量−当年产生量）中的处置部分", source=_DISPOSAL_RATE, reading=_EARLIER,
    ),
    Indicator(
        id="stock_t", name="期末贮存量", unit="吨", formula="至期末入库之和−出库之和", source=_LEDGER,
        reading="含接收未用的废物。",
    ),
    Indicator(
        id="storage_t", name="本期产生的贮存量", unit="吨",
        formula="期末贮存量−期初贮存量＋利用和处置往年贮存量−本期补录的期初贮存−接收净额−盘盈＋盘亏", source=_BALANCE,
    ),
    Indicator(
        id="mass_balance_gap_t", name="物料平衡差", unit="吨",
        formula="产生量−（综合利用量−综合利用往年贮存量）−（处置量−处置往年贮存量）−本期产生的贮存量", source=_BALANCE,
    ),
    Indicator(
        id="utilisation_rate_pct", name="工业固体废物综合利用率", unit="%",
        formula="综合利用量÷（产生量＋综合利用往年贮存量）×100%", source=_B11, reading=_EARLIER,
    ),
    Indicator(
        id="disposal_rate_pct", name="工业固体废物处置率", unit="%",
        formula="处置量÷（产生量＋处置往年贮存量）×100%", source=_DISPOSAL_RATE, reading=_EARLIER,
    ),
    Indicator(
        id="output_value_10k_yuan", name="产值", unit="万元", formula="单位填报", source=_FORM_2,
    ),
    Indicator(id="sales_10k_yuan", name="销售额", unit="万元", formula="单位填报", source=_FORM_2),
    Indicator(id="value_added_10k_yuan", name="工业增加值", unit="万元", formula="单位填报", source=_FORM_1),
    Indicator(
        id="main_product_output", name="主产品产量", unit="单位产品", formula="单位填报", source=_FORM_2,
        reading="只有一种产品时即为主产品；有几种时须且只能标一种为主产品。",
    ),
    Indicator(
        id="generation_intensity_t_per_10k_yuan", name="工业固体废物产生强度", unit="吨/万元",
        formula="产生量（吨）÷工业增加值（万元）", source=_FORM_1,
    ),
    Indicator(
        id="generation_per_product", name="单位产品工业固体废物产生量", unit="吨/单位产品",
        formula="产生量（吨）÷主产品产量", source=_REDUCTION,
        reading="只有一种产品时即为主产品；有几种时须且只能标一种为主产品。",
    ),
    Indicator(
        id="utilisation_rate_gain_pp", name="综合利用率近三年累计提高", unit="个百分点",
        formula="当年综合利用率−三年前综合利用率", source=_GAIN, reading=_THREE_YEARS,
    ),
    Indicator(
        id="generation_intensity_reduction_pct", name="产生强度近三年累计降幅", unit="%",
        formula="（三年前产生强度−当年产生强度）÷三年前产生强度×100%", source=_PARK_REDUCTION, reading=_THREE_YEARS,
    ),
    Indicator(
        id="generation_per_product_reduction_pct", name="单位产品产生量近三年累计降幅", unit="%",
        formula="（三年前单位产品产生量−当年单位产品产生量）÷三年前单位产品产生量×100%", source=_REDUCTION,
        reading=_THREE_YEARS + "两年的主产品和单位应相同。",
    ),
    Indicator(id="ledger_movements_count", name="台账记录数", unit="条", formula="当年台账记录条数（含冲正）", source=_RECORDS),
    Indicator(
        id="ledger_destination_named_pct", name="委外去向登记率", unit="%",
        formula="写明对方单位的委外利用和处置量÷委外利用和处置量×100%", source=_RECORDS,
        reading="有记录缺对方单位时为未知，补齐后为 100%；没有委外时为 100%。",
    ),
    Indicator(
        id="ledger_chain_intact", name="台账校验", unit="", formula="台账链和余额重新计算无误为 1，否则为 0",
        words=("有误", "无误"),
        reading=(
            "运营人员每天整体校验一次，取数时再校验其后新增的记录。整体校验发现过错误的，在再次校验无误之前为 0；"
            "更早的记录若在两次整体校验之间被绕过系统改动，到下一次整体校验时显示。"
        ),
        source=Citation(OWN, "docs/architecture.md", "每个单位的记录成链，改动可被查出"),
    ),
)  # fmt: skip

_CLASSES = {"general": "一般工业固体废物", "hazardous": "危险废物"}
_BY_CLASS = (
    "generation_t", "utilisation_t", "disposal_t", "earlier_years_utilisation_t", "earlier_years_disposal_t",
    "stock_t", "utilisation_rate_pct", "disposal_rate_pct",
)  # fmt: skip
_INSIDE = (
    "自行利用本单位产生的废物，加上委托当日园区成员利用的；不含外运和从园外接收的，"
    "成员间转移只在产生单位计一次。对方单位以名称或统一社会信用代码认定。"
)
# Park counterparts: what differs from the indicator of the same name.
_PARK: dict[str, dict[str, object]] = {
    "generation_t": {"name": "园区内工业固废产生量", "formula": "各成员在园期间产生量之和", "source": _FORM_1_PARK},
    "utilisation_t": {
        "name": "园区内工业固废利用量", "source": _FORM_1_PARK, "reading": _INSIDE,
        "formula": "各成员在园期间自行利用量＋委托园区成员利用量",
    },
    "disposal_t": {
        "name": "园区工业固废处置量", "formula": "各成员在园期间处置量之和", "source": _FORM_1_PARK,
        "reading": "成员产生的废物，无论在园内或园外处置。",
    },
    "earlier_years_utilisation_t": {
        "name": "园区内综合利用往年贮存量", "formula": "园区内利用量中的往年贮存量", "source": _B11,
    },
    "earlier_years_disposal_t": {
        "name": "园区处置往年贮存量", "formula": "各成员处置往年贮存量之和", "source": _DISPOSAL_RATE,
    },
    "stock_t": {
        "name": "园区期末贮存量", "formula": "期末之日各成员贮存量之和", "source": _FORM_1_PARK,
    },
    "utilisation_rate_pct": {
        "name": "工业固体废物园区内综合利用率", "source": _FORM_1_PARK, "reading": _INSIDE,
        "formula": "园区内利用量÷（园区内产生量＋园区内综合利用往年贮存量）×100%",
    },
    "disposal_rate_pct": {"name": "园区工业固废处置率", "source": _DISPOSAL_RATE},
    "value_added_10k_yuan": {
        "name": "园区工业增加值", "formula": "园区填报；未填报时为各成员之和", "source": _FORM_1,
        "reading": "未填报时，成员须全年在园且都已填报，否则为未知。",
    },
    "output_value_10k_yuan": {
        "name": "园区总产值", "formula": "园区填报；未填报时为各成员之和", "source": _FORM_1_PARK,
        "reading": "未填报时，成员须全年在园且都已填报，否则为未知。",
    },
    "generation_intensity_t_per_10k_yuan": {"name": "园区工业固废产生强度", "source": _FORM_1},
    "utilisation_rate_gain_pp": {"name": "园区内综合利用率近三年累计提高", "source": _PARK_GAIN},
    "generation_intensity_reduction_pct": {"name": "园区产生强度近三年累计降幅", "source": _PARK_REDUCTION},
    "ledger_movements_count": {
        "name": "园区台账记录数", "formula": "各成员当年台账记录条数之和", "source": _PARK_RECORDS,
    },
    "ledger_destination_named_pct": {"name": "园区委外去向登记率", "source": _PARK_RECORDS},
    "ledger_chain_intact": {
        "name": "园区台账校验", "formula": "各成员台账重新计算都无误为 1，否则为 0", "source": _PARK_RECORDS,
    },
}  # fmt: skip
_ONLY_OF_PARK: tuple[Indicator, ...] = (
    Indicator(
        id="park_sent_out_utilisation_t", name="外运利用量", unit="吨", formula="各成员委托园区成员以外单位利用的量之和",
        source=_FORM_1_PARK, reading=_INSIDE, is_of_park=True,
    ),
    Indicator(
        id="park_generation_by_waste_t", name="园区内工业固废产生量（按固废）", unit="吨",
        formula="各成员在园期间该废物产生量之和", source=_FORM_1_PARK, reading="按废物名称合并。", is_of_park=True,
    ),
    Indicator(
        id="park_utilisation_by_waste_t", name="园区内工业固废利用量（按固废）", unit="吨",
        formula="各成员在园期间该废物的园区内利用量之和", source=_FORM_1_PARK, reading="按废物名称合并。",
        is_of_park=True,
    ),
)  # fmt: skip


def in_words(indicator: str, value: Decimal) -> str | None:
    """
    Return what the value of a question means; None where the indicator is an amount.

    >>> in_words("ledger_chain_intact", Decimal(1)), in_words("generation_t", Decimal(1))
    ('无误', None)
    """
    definition = INDICATORS.get(indicator)
    if definition is None or not definition.words or value not in (0, 1):
        return None
    return definition.words[int(value)]


def park_id(indicator: str) -> str:
    """
    Return the id of an indicator's counterpart over the members of a park.

    >>> park_id("generation_t")
    'park_generation_t'
    """
    return f"park_{indicator}"


def _all() -> Mapping[str, Indicator]:
    plain = {indicator.id: indicator for indicator in _ALL}
    for prefix, label in _CLASSES.items():
        for of in _BY_CLASS:
            name = plain[of].name.replace("工业固体废物", "")
            plain[f"{prefix}_{of}"] = replace(plain[of], id=f"{prefix}_{of}", name=label + name)
    for of, changes in _PARK.items():
        plain[park_id(of)] = replace(plain[of], id=park_id(of), is_of_park=True, **changes)  # type: ignore[arg-type]
    for indicator in _ONLY_OF_PARK:
        plain[indicator.id] = indicator
    return MappingProxyType(plain)


INDICATORS: Mapping[str, Indicator] = _all()
PARK_COUNTERPARTS: frozenset[str] = frozenset(_PARK)
CLASS_PREFIXES: Mapping[str, str] = MappingProxyType({"GENERAL": "general_", "HAZARDOUS": "hazardous_"})
BY_CLASS: tuple[str, ...] = _BY_CLASS
