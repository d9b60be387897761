"""Dossiers as an enterprise and a park would bring them, full and empty."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

from wufei.cases.case_file import Attachment
from wufei.cases.dossier import Applicant, Dossier, Figures, FormSpec, Generator, Member, Texts
from wufei.indicators.facts import Product
from wufei.indicators.figure import Figure, Missing, MovementsBehind
from wufei.terms.period import Period

USCC = "91500110MA5U00001X"
YEARS = (2022, 2023, 2024, 2025)

ENTERPRISE_SPEC = FormSpec(
    template="case-file-enterprise", subject_word="企业", is_park=False, year=2025,
    production_years=YEARS[:-1], waste_years=YEARS, body_limit=8000, self_description_limit=1000,
    brief_description_limit=200,
)  # fmt: skip
PARK_SPEC = replace(ENTERPRISE_SPEC, template="case-file-park", subject_word="园区", is_park=True)


def figure(indicator, value, unit, year, *, stream=None, dimension=None, subject=USCC, kinds=("GENERATION",)):
    known = None if value is None else Decimal(value)
    behind = MovementsBehind(organisation=subject, kinds=kinds, period=Period.year(year), stream=stream)
    missing = (
        ()
        if value is not None
        else (Missing(code="ledger", label=f"{year} 年台账", where="数据工作簿“台账”"),)
    )
    return Figure(
        indicator=indicator, name=indicator, value=known, unit=unit, period=Period.year(year), subject=subject,
        stream=stream, dimension=dimension, basis=(behind,), missing=missing,
    )  # fmt: skip


def over_years(indicator, values, unit, **said):
    return [figure(indicator, value, unit, year, **said) for year, value in zip(YEARS, values, strict=True)]


APPLICANT = Applicant(
    uscc=USCC, name="綦江渝南火电有限公司", industry_code="441", division_code="500110",
    address="重庆市綦江区三江街道电厂路 1 号", head="张三", contact="李四", phone="023-48600001",
    fax="023-48600002", email="huanbao@example.cn", website="www.example.cn",
    site_area_m2=Decimal("652000.50"), employee_count=1260,
)  # fmt: skip
LONG = (
    "公司坚持以源头减量、资源化利用和无害化处置为主线，将固体废物管理纳入生产经营全过程，"
    "综合利用率由 2022 年的 75.10% 提高到 2025 年的 94.10%，形成了可复制、可推广的模式。"
)
TEXTS = Texts(
    title="綦江渝南火电“煤电—石膏—建材”耦合消纳模式",
    brief_description="以粉煤灰、脱硫石膏就近制备建材为核心，打通“电厂—石膏板厂—建筑工地”链条。",
    plan=f"{LONG}\n{LONG}", practices=f"{LONG}\n\n{LONG}\n{LONG}", results=LONG, innovation=LONG,
    conditions=LONG, self_description=f"{LONG}{LONG}\n{LONG}", filler_name="王五", filler_title="环保主管",
    filler_phone="13800000000", head_mobile="13900000000", filed_on=date(2026, 3, 20), above_scale_count=7,
)  # fmt: skip
ATTACHMENTS = tuple(
    Attachment(category=c, file_name=n, media_type="application/pdf", size=1024, sha256=str(i) * 64)
    for i, (c, n) in enumerate((("建设方案", "无废企业建设方案.pdf"), ("证明材料", "综合利用协议.pdf")))
)


def enterprise_figures():
    found = [
        *over_years("generation_t", ("812345.678", "798000", "776543.21", "751000.4"), "吨"),
        *over_years("utilisation_t", ("610000", "640000.5", "680000", "706700"), "吨"),
        *over_years("disposal_t", ("100000", "90000", "80000", "44300.4"), "吨"),
        *over_years("utilisation_rate_pct", ("75.0911234", "80.2", "87.567", "94.0955"), "%"),
        *over_years("generation_per_product", ("0.1623", "0.15", "0.1432", "0.13989"), "吨/万千瓦时"),
        *over_years("output_value_10k_yuan", ("185000", "192000.5", "201000", None), "万元"),
        *over_years("sales_10k_yuan", ("180000", None, "199000", None), "万元"),
    ]
    streams = {"F1": ("500000", "490000", "480000", "470000"), "S1": ("312344.678", "307999", "296542.21", "281000.1"),
               "H1": ("1", "1", "1", "0.3"), "Z1": ("0", "0", "0", "0")}  # fmt: skip
    for code, values in streams.items():
        found += over_years("generation_t", values, "吨", stream=code)
    found += over_years(
        "utilisation_by_way_t", ("600000", "630000.5", "670000", "700000"), "吨", dimension="生产水泥"
    )
    found += over_years(
        "utilisation_by_way_t", ("10000", "10000", "10000", "6700"), "吨", dimension="制石膏板"
    )[1:]
    return found


PRODUCTS = {
    year: (Product(name="上网电量", output=Decimal(5_000_000 + year), unit="万千瓦时", is_main=True, capacity=Decimal("6000000")),)
    for year in YEARS[:-1]
}  # fmt: skip
PRODUCTS[2024] += (Product(name="石膏粉", output=Decimal("12.5"), unit="万吨"),)


def enterprise(**changes) -> Dossier:
    full = Dossier(
        spec=ENTERPRISE_SPEC, applicant=APPLICANT, texts=TEXTS, figures=Figures(enterprise_figures()),
        products=PRODUCTS, stream_names={"F1": "粉煤灰", "S1": "脱硫石膏", "H1": "废矿物油", "Z1": "废布"},
        attachments=ATTACHMENTS,
    )  # fmt: skip
    return replace(full, **changes)


def park(**changes) -> Dossier:
    found = [
        *over_years("park_generation_t", ("5012345.678", "4998000", "4876543.21", "4751000.4"), "吨"),
        *over_years("park_utilisation_t", ("3610000", "3840000.5", "4080000", "4306700"), "吨"),
        *over_years("park_disposal_t", ("100000", "90000", "80000", "44300.4"), "吨"),
        *over_years("park_utilisation_rate_pct", ("72.02", "76.83", "83.666666", "90.6483"), "%"),
        *over_years("park_output_value_10k_yuan", ("1850000", "1920000.5", None, None), "万元"),
        *over_years(
            "park_generation_intensity_t_per_10k_yuan", ("1.23456", "1.1", None, "0.98765"), "吨/万元"
        ),
    ]
    for name, values in {
        "粉煤灰": ("3000000", "2900000", "2800000", "2700000"),
        "赤泥": ("9", "8", "7", "6.5"),
    }.items():
        found += over_years("park_generation_by_waste_t", values, "吨", dimension=name)
        found += over_years("park_utilisation_by_waste_t", values, "吨", dimension=name)
    industries = ("441", "321", "301", "302", "345", "145", "811", "421")
    members = tuple(
        Member(
            uscc=f"U{i}", name=f"园区成员第{i}有限责任公司", industry_code=code,
            output_values={year: Decimal(1000 * i + year) for year in YEARS[:-1] if (i, year) != (3, 2024)},
        )
        for i, code in enumerate(industries, start=1)
    )  # fmt: skip
    largest = tuple(
        Generator(
            uscc=m.uscc, name=m.name, industry_code=m.industry_code,
            products=(Product(name="产品甲", output=Decimal(1200 + i), unit="万吨"), Product(name="产品乙", output=Decimal(3), unit="台"))[: 1 + i % 2],
            output_value=figure("output_value_10k_yuan", 1000 * i, "万元", 2025, subject=m.uscc),
            generation=figure("generation_t", 900000 - 1000 * i, "吨", 2025, subject=m.uscc),
            utilisation=figure("utilisation_t", 800000, "吨", 2025, subject=m.uscc),
            rate=figure("utilisation_rate_pct", "88.888888", "%", 2025, subject=m.uscc),
        )
        for i, m in enumerate(members, start=1)
    )  # fmt: skip
    full = Dossier(
        spec=PARK_SPEC, applicant=replace(APPLICANT, name="綦江工业园区", industry_code="", site_area_m2=None),
        texts=TEXTS, figures=Figures(found), members=dict.fromkeys(YEARS, members), largest=largest,
        attachments=ATTACHMENTS,
    )  # fmt: skip
    return replace(full, **changes)


def nothing(spec: FormSpec) -> Dossier:
    """Who has a name and nothing else."""
    return Dossier(
        spec=spec, applicant=Applicant(uscc=USCC, name="新单位"), texts=Texts(), figures=Figures(())
    )
