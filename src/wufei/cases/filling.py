"""
How is a case file filled from a dossier?

Row by row as annex 2 and 3 of 工信厅联节函〔2025〕539号 ask. Nothing is guessed: what is not known is 未知,
a text that was not written is empty.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

from wufei.cases import cells
from wufei.cases.case_file import (
    NO_DAY,
    CaseFile,
    Cell,
    Cover,
    EnterpriseTable,
    Filler,
    GeneratorRow,
    ParkTable,
    Particulars,
    Row,
    Section,
    SummaryRow,
    YearTable,
)
from wufei.cases.dossier import Applicant, Dossier, Figures, Generator, Texts
from wufei.catalogue.divisions import division_of_code, path_names
from wufei.catalogue.industries import industry
from wufei.indicators.facts import Product
from wufei.indicators.figure import Figure, Missing, StatedInput
from wufei.paper.texts import one_line, paragraphs
from wufei.terms.period import Period

REGISTRY = "单位信息"
PRODUCTS = "数据工作簿“产品”"
OPERATIONS = "数据工作簿“年度经营”"
DRAFT = "案例草稿"
# Of the printed form: brackets of a row's label, and a row that is to be renamed.
_UNITS_VARY = "（根据实际情况标注单位）"
_WASTE_1 = "固废 1（请将“固废 X”修改为实际的固废名称，下同）"
_PARTS = ("（一）主要做法", "（二）取得的成效", "（三）创新点", "（四）推广应用的条件")


def case_file(dossier: Dossier) -> CaseFile:
    """Return the case file, filled."""
    spec, applicant, texts = dossier.spec, dossier.applicant, dossier.texts
    return CaseFile(
        cover=_cover(applicant, texts),
        title=one_line(texts.title),
        sections=_sections(texts),
        quantities=_quantities(dossier),
        park=_park_table(dossier) if spec.is_park else None,
        enterprise=None if spec.is_park else _enterprise_table(dossier),
        attachments=dossier.attachments,
        summary=_summary(dossier),
    )


# --- cover, body, summary -----------------------------------------------------------------


def _cover(applicant: Applicant, texts: Texts) -> Cover:
    return Cover(
        organisation=one_line(applicant.name),
        address=one_line(applicant.address),
        contact=one_line(texts.contact or applicant.contact),
        phone=one_line(texts.phone or applicant.phone),
        email=one_line(texts.email or applicant.email),
        filed_on=_day(texts.filed_on),
    )


def _day(day: date | None) -> str:
    return f"{day.year} 年 {day.month} 月 {day.day} 日" if day else NO_DAY


def _sections(texts: Texts) -> tuple[Section, ...]:
    written = (texts.practices, texts.results, texts.innovation, texts.conditions)
    parts = (Section(heading=h, paragraphs=paragraphs(t)) for h, t in zip(_PARTS, written, strict=True))
    return (Section(heading="一、建设方案制定情况", paragraphs=paragraphs(texts.plan)), *parts)


def _summary(dossier: Dossier) -> SummaryRow:
    spec, applicant, texts = dossier.spec, dossier.applicant, dossier.texts
    return SummaryRow(
        province=province_name(applicant.division_code),
        subject_kind=spec.subject_word,
        organisation=one_line(applicant.name),
        title=one_line(texts.title),
        industry=_industry_text(dossier),
        brief_description=one_line(texts.brief_description),
        contact=one_line(texts.contact or applicant.contact),
        phone=one_line(texts.phone or applicant.phone),
    )


def province_name(division_code: str) -> str:
    """
    Return the province as the form's example writes it: without 省, 市 or 自治区.

    >>> province_name("500110"), province_name("450000"), province_name("")
    ('重庆', '广西', '')
    """
    if division_of_code(division_code) is None:
        return ""
    return re.sub("(省|市|(壮族|回族|维吾尔)?自治区)$", "", path_names(division_code)[0])


def industry_name(code: str) -> str:
    """
    Return the industry as the form's note writes it.

    >>> industry_name("342"), industry_name("3421"), industry_name("999")
    ('342 金属加工机械制造', '342 金属加工机械制造', '')
    """
    found = industry(code[:3])
    return f"{found.code} {found.name}" if found else ""


def _industry_text(dossier: Dossier) -> str:
    said = one_line(dossier.texts.leading_industry)
    if said or not dossier.spec.is_park:
        return said or industry_name(dossier.applicant.industry_code)
    return "、".join(row.label for row in _industry_rows(dossier)[:3])


def _quantities(dossier: Dossier) -> YearTable:
    """可量化部分: what the ledger says of the years that the form asks for."""
    years, figures = dossier.spec.waste_years, dossier.figures
    park = "park_" if dossier.spec.is_park else ""
    inside = "园区内" if dossier.spec.is_park else ""
    rows = [
        _row(f"{inside}工业固废产生量（万吨）", figures, f"{park}generation_t", years, cells.amount),
        _row(f"{inside}工业固废综合利用量（万吨）", figures, f"{park}utilisation_t", years, cells.amount),
        _row("工业固废处置量（万吨）", figures, f"{park}disposal_t", years, cells.amount),
        _row(
            f"工业固废{inside}综合利用率（%）",
            figures,
            f"{park}utilisation_rate_pct",
            years,
            cells.percentage,
        ),
    ]
    if dossier.spec.is_park:
        intensity = "park_generation_intensity_t_per_10k_yuan"
        rows.append(_row("工业固废产生强度（吨/万元）", figures, intensity, years, cells.intensity))
    else:
        rows.append(_per_product(figures, years))
    return YearTable(title="主要量化数据", years=years, rows=tuple(rows))


def _per_product(figures: Figures, years: Sequence[int]) -> Row:
    row = _row("单位产品工业固废产生量", figures, "generation_per_product", years, cells.intensity)
    units = {cell.unit for cell in row.cells if cell.value is not None}
    if len(units) == 1:
        return replace(row, label=f"{row.label}（{units.pop()}）")
    said = (replace(c, text=f"{c.text} {c.unit}") if c.value is not None else c for c in row.cells)
    return replace(row, cells=tuple(said))


def _row(
    label: str, figures: Figures, indicator: str, years: Sequence[int], write: Callable[[Figure | None], Cell]
) -> Row:
    return Row(label=label, cells=tuple(write(figures.of(indicator, year)) for year in years))


def _with_parts(whole: Row, parts: Iterable[Row], *, printed: str, after: str = "") -> list[Row]:
    """
    Return the row and what it divides into, the first of which the form begins with 其中.

    Where nobody knows the parts, the row stands as `printed` in the form, to be filled by hand.
    """
    rows = list(parts)
    if rows:
        rows[0] = replace(rows[0], label=f"其中，{rows[0].label}{after}")
    elif any(cell.value is None for cell in whole.cells):
        rows = [Row(label=f"其中，{printed}", cells=(cells.UNKNOWN,) * len(whole.cells))]
    return [whole, *rows]


def _largest_first(rows: Iterable[Row]) -> list[Row]:
    """Return the rows that say something, the largest of the last known year first."""
    telling = [row for row in rows if any(cell.value != 0 for cell in row.cells)]
    return sorted(telling, key=lambda row: (-_last_known(row), row.label))


def _last_known(row: Row) -> Decimal:
    return next((cell.value for cell in reversed(row.cells) if cell.value is not None), Decimal(0))


# --- what both tables have ----------------------------------------------------------------


def _filler(texts: Texts) -> Filler:
    return Filler(
        name=one_line(texts.filler_name),
        title=one_line(texts.filler_title),
        phone=one_line(texts.filler_phone),
    )


def _particulars(dossier: Dossier, counts: tuple[tuple[str, Cell], ...]) -> Particulars:
    applicant, texts = dossier.applicant, dossier.texts
    return Particulars(
        name=one_line(applicant.name),
        industry=_industry_text(dossier),
        address=one_line(applicant.address),
        website=one_line(applicant.website),
        head=one_line(applicant.head),
        mobile=one_line(texts.head_mobile),
        fax=one_line(applicant.fax),
        email=one_line(texts.email or applicant.email),
        counts=counts,
    )


def _count(
    dossier: Dossier, label: str, value: Decimal | int | None, unit: str, source: str
) -> tuple[str, Cell]:
    """Return a number of the first part; it is left blank where nobody stated it."""
    year = dossier.spec.waste_years[-1]
    if value is None:
        return label, cells.BLANK
    stated = StatedInput(
        organisation=dossier.applicant.uscc, item=label, label=label, year=year, value=Decimal(value), unit=unit,
        source=source,
    )  # fmt: skip
    return label, cells.from_statement(stated)


# --- table 2 ------------------------------------------------------------------------------


def _enterprise_table(dossier: Dossier) -> EnterpriseTable:
    applicant, years, figures = dossier.applicant, dossier.spec.production_years, dossier.figures
    production = [
        _row("产值（万元）", figures, "output_value_10k_yuan", years, cells.money),
        _row("销售额（万元）", figures, "sales_10k_yuan", years, cells.money),
        *_product_rows(dossier),
    ]
    counts = (
        _count(dossier, "厂区面积（平方米）", applicant.site_area_m2, "平方米", REGISTRY),
        _count(dossier, "员工数量", applicant.employee_count, "人", REGISTRY),
    )
    return EnterpriseTable(
        name=one_line(applicant.name),
        filler=_filler(dossier.texts),
        particulars=_particulars(dossier, counts),
        production=YearTable(title="生产经营情况", years=years, rows=tuple(production)),
        waste=YearTable(
            title="工业固废产生与综合利用情况",
            years=dossier.spec.waste_years,
            rows=tuple(_waste_rows(dossier)),
        ),
        self_description=paragraphs(dossier.texts.self_description),
    )


def _product_rows(dossier: Dossier) -> list[Row]:
    years = dossier.spec.production_years
    label = "各产品"
    capacities, outputs = [], []
    for year in years:
        made = dossier.products.get(year, ())
        capacities.append(cells.total(tuple(_capacity(dossier, p, year) for p in made), label=label))
        outputs.append(
            cells.total(tuple(_output(dossier.applicant.uscc, p, year) for p in made), label=label)
        )
    names = dict.fromkeys(
        p.name for year in reversed(years) for p in _main_first(dossier.products.get(year, ()))
    )
    parts = (Row(label=one_line(name), cells=_outputs_of(dossier, name)) for name in names)
    return [
        Row(label=f"产能{_UNITS_VARY}", cells=tuple(capacities)),
        *_with_parts(
            Row(label=f"产量{_UNITS_VARY}", cells=tuple(outputs)),
            parts,
            printed="产品 1（请将产品 X 修改为实际产品名称，下同）",
        ),
    ]


def _main_first(products: Iterable[Product]) -> list[Product]:
    return sorted(products, key=lambda p: (not p.is_main, p.name))


def _outputs_of(dossier: Dossier, name: str) -> tuple[Cell, ...]:
    found = []
    for year in dossier.spec.production_years:
        made = [p for p in dossier.products.get(year, ()) if p.name == name]
        stated = [_output(dossier.applicant.uscc, product, year) for product in made]
        found.append(cells.from_statement(stated[0], with_unit=True) if stated else cells.UNKNOWN)
    return tuple(found)


def _output(uscc: str, product: Product, year: int) -> StatedInput:
    return StatedInput(
        organisation=uscc, item=f"product:{product.name}", label=f"{product.name}产量", year=year,
        value=product.output, unit=product.unit, source=product.source or PRODUCTS,
    )  # fmt: skip


def _capacity(dossier: Dossier, product: Product, year: int) -> StatedInput:
    return StatedInput(
        organisation=dossier.applicant.uscc, item=f"capacity:{product.name}", label=f"{product.name}产能",
        year=year, value=product.capacity, unit=product.unit, source=product.source or PRODUCTS,
    )  # fmt: skip


def _waste_rows(dossier: Dossier) -> list[Row]:
    figures, years = dossier.figures, dossier.spec.waste_years
    codes = dict.fromkeys(f.stream for f in figures.cuts("generation_t", years) if f.stream)
    names = [dossier.stream_names.get(code, code) for code in codes]
    wastes = []
    for code, name in zip(codes, names, strict=True):
        label = one_line(name if names.count(name) == 1 else f"{name}（{code}）")
        made = tuple(cells.amount(figures.of("generation_t", year, stream=code)) for year in years)
        wastes.append(Row(label=label, cells=made))
    ways = dict.fromkeys(f.dimension for f in figures.cuts("utilisation_by_way_t", years) if f.dimension)
    used = (Row(label=one_line(way), cells=_used_by(figures, way, years)) for way in ways)
    return [
        *_with_parts(
            _row("工业固废产生量（万吨）", figures, "generation_t", years, cells.amount),
            _largest_first(wastes),
            printed="固废 1（请将固废 X 修改为实际产生的固废名称，下同）",
        ),
        *_with_parts(
            _row("工业固废综合利用量（万吨）", figures, "utilisation_t", years, cells.amount),
            _largest_first(used),
            printed="方式 1（请将方式 X 修改为实际产生的固废名称，下同）",
        ),
        _row("工业固废综合利用率（%）", figures, "utilisation_rate_pct", years, cells.percentage),
    ]


def _used_by(figures: Figures, way: str, years: Sequence[int]) -> tuple[Cell, ...]:
    """Return what was used by the way; where the year's ledger has none of it, that is 0 by the total."""
    found = []
    for year in years:
        figure = figures.of("utilisation_by_way_t", year, dimension=way)
        whole = figures.of("utilisation_t", year)
        if figure is None and whole is not None and whole.value is not None:
            figure = replace(
                whole, indicator="utilisation_by_way_t", value=Decimal(0), dimension=way, basis=(whole,)
            )
        found.append(cells.amount(figure))
    return tuple(found)


# --- table 1 ------------------------------------------------------------------------------


def _park_table(dossier: Dossier) -> ParkTable:
    spec, figures = dossier.spec, dossier.figures
    members = dossier.members.get(spec.waste_years[-1], ())
    total = _row(
        "园区总产值（万元）", figures, "park_output_value_10k_yuan", spec.production_years, cells.money
    )
    production = _with_parts(
        total,
        _industry_rows(dossier),
        printed="产业 1*（万元）（请将“产业 X”修改为产业实际名称，下同）",
        after="*（万元）",
    )
    counts = (
        _count(dossier, "企业数量", len(members), "家", f"{spec.waste_years[-1]} 年末园区成员"),
        _count(dossier, "规上企业数量", dossier.texts.above_scale_count, "家", DRAFT),
    )
    return ParkTable(
        name=one_line(dossier.applicant.name),
        filler=_filler(dossier.texts),
        particulars=_particulars(dossier, counts),
        production=YearTable(title="生产经营总体情况", years=spec.production_years, rows=tuple(production)),
        waste=YearTable(
            title="工业固废产生与利用总体情况", years=spec.waste_years, rows=tuple(_park_waste_rows(dossier))
        ),
        generators_year=spec.waste_years[-1],
        generators=tuple(_generator(generator, spec.waste_years[-1]) for generator in dossier.largest),
        self_description=paragraphs(dossier.texts.self_description),
    )


def _park_waste_rows(dossier: Dossier) -> list[Row]:
    figures, years = dossier.figures, dossier.spec.waste_years
    intensity = "park_generation_intensity_t_per_10k_yuan"

    def by_waste(indicator: str) -> list[Row]:
        names = dict.fromkeys(f.dimension for f in figures.cuts(indicator, years) if f.dimension)
        rows = (
            Row(
                label=one_line(name),
                cells=tuple(cells.amount(figures.of(indicator, year, dimension=name)) for year in years),
            )
            for name in names
        )
        return _largest_first(rows)

    return [
        _row("园区工业固废产生强度*", figures, intensity, years, cells.intensity),
        *_with_parts(
            _row("园区内工业固废产生量（万吨）", figures, "park_generation_t", years, cells.amount),
            by_waste("park_generation_by_waste_t"),
            printed=_WASTE_1,
        ),
        *_with_parts(
            _row("园区内工业固废利用量（万吨）", figures, "park_utilisation_t", years, cells.amount),
            by_waste("park_utilisation_by_waste_t"),
            printed="固废 1",
        ),
        _row(
            "工业固体废物园区内综合利用率（%）", figures, "park_utilisation_rate_pct", years, cells.percentage
        ),
    ]


def _industry_rows(dossier: Dossier) -> list[Row]:
    """产业 X: the output value of the members of an industry (中类), largest first."""
    years = dossier.spec.production_years
    codes = {m.industry_code[:3] for year in years for m in dossier.members.get(year, ()) if m.industry_code}
    rows = []
    for code in sorted(codes):
        values = tuple(cells.money(_industry_value(dossier, code, year)) for year in years)
        rows.append(Row(label=industry_name(code) or code, cells=values))
    return _largest_first(rows)


def _industry_value(dossier: Dossier, code: str, year: int) -> Figure:
    """Return the sum over the industry's members of the year's end; unknown where one has not stated it."""
    members = [m for m in dossier.members.get(year, ()) if m.industry_code[:3] == code]
    stated = tuple(
        StatedInput(
            organisation=m.uscc, item="output_value", label=f"{m.name}产值", year=year,
            value=m.output_values.get(year), unit="万元", source=OPERATIONS,
        )
        for m in members
    )  # fmt: skip
    missing = tuple(
        Missing(
            code="output_value", label=f"{m.name} {year} 年产值（万元）", where=OPERATIONS, subject=m.uscc
        )
        for m in members
        if year not in m.output_values
    )
    known = [m.output_values[year] for m in members if year in m.output_values]
    return Figure(
        indicator="park_output_value_by_industry_10k_yuan",
        name=f"{industry_name(code) or code}产值",
        value=None if missing else sum(known, Decimal(0)),
        unit="万元",
        period=Period.year(year),
        subject=dossier.applicant.uscc,
        dimension=code,
        formula="年末在园、属该行业中类的各成员产值之和",
        source="工信厅联节函〔2025〕539号 附件2 表1",
        basis=stated,
        missing=missing,
    )


def _generator(generator: Generator, year: int) -> GeneratorRow:
    products = tuple(
        cells.from_statement(_output(generator.uscc, product, year), with_unit=True, name=product.name)
        for product in _main_first(generator.products)
    )
    return GeneratorRow(
        name=one_line(generator.name),
        industry=industry_name(generator.industry_code),
        products=products,
        output_value=cells.money(generator.output_value),
        generation=cells.amount(generator.generation),
        utilisation=cells.amount(generator.utilisation),
        rate=cells.percentage(generator.rate),
    )
