"""
What stands in a case file?

The context of the document templates: every text as it is printed, and behind every number the figure
or the statement that it was written from. Frozen; nothing is computed or rounded after this.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from wufei.indicators.figure import Figure, StatedInput

CASE_FILE = "申报书.docx"
SUMMARY = "汇总表.xlsx"
PROVENANCE = "provenance.json"
NOTE = "说明.txt"
NO_DAY = "      年    月    日"  # left to be filled by hand


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One entry of a form."""

    text: str
    value: Decimal | None = None  # exact, in `unit`; None: no number, or unknown
    unit: str = ""
    basis: Figure | StatedInput | None = None
    parts: tuple[StatedInput, ...] = ()  # what a sum of stated inputs adds up


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    label: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A part of the body, as typed by the applicant."""

    heading: str
    paragraphs: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class YearTable:
    """Rows over years: 生产经营, 工业固废."""

    title: str
    years: tuple[int, ...]
    rows: tuple[Row, ...]

    def __post_init__(self) -> None:
        assert all(len(row.cells) == len(self.years) for row in self.rows), "one cell for each year"

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(f"{year} 年" for year in self.years)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filler:
    name: str
    title: str
    phone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Particulars:
    """基本资料 / 基本情况."""

    name: str
    industry: str  # 主导产业 / 从事行业
    address: str
    website: str
    head: str
    mobile: str
    fax: str
    email: str
    counts: tuple[tuple[str, Cell], ...]  # 企业数量, 规上企业数量 / 厂区面积, 员工数量


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneratorRow:
    """One of the largest generators of a park."""

    name: str
    industry: str
    products: tuple[Cell, ...]
    output_value: Cell
    generation: Cell
    utilisation: Cell
    rate: Cell

    def cells(self) -> Iterator[tuple[str, Cell]]:
        for product in self.products:
            yield "主要产品及产量", product
        yield "产值（万元）", self.output_value
        yield "工业固废产生量（万吨）", self.generation
        yield "工业固废利用量（万吨）", self.utilisation
        yield "利用率（%）", self.rate


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkTable:
    """表 1."""

    name: str
    filler: Filler
    particulars: Particulars
    production: YearTable
    waste: YearTable
    generators_year: int
    generators: tuple[GeneratorRow, ...]
    self_description: tuple[str, ...]

    @property
    def title(self) -> str:
        return "表1"


@dataclass(frozen=True, slots=True, kw_only=True)
class EnterpriseTable:
    """表 2."""

    name: str
    filler: Filler
    particulars: Particulars
    production: YearTable
    waste: YearTable
    self_description: tuple[str, ...]

    @property
    def title(self) -> str:
        return "表2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cover:
    organisation: str
    address: str
    contact: str
    phone: str
    email: str
    filed_on: str  # 2026 年 3 月 20 日, or NO_DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """One piece of evidence, as listed under 随附材料."""

    category: str
    file_name: str
    media_type: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryRow:
    """A case in the 典型案例汇总表."""

    province: str
    subject_kind: str
    organisation: str
    title: str
    industry: str
    brief_description: str
    contact: str
    phone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRequirement:
    """What the edition asks and the case does not meet, or not yet visibly."""

    id: str
    clause: str
    verdict: str
    says: str
    explanation: str
    supply: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A number of a document and where it stands there."""

    document: str
    table: str
    row: str
    column: str
    cell: Cell


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFile:
    cover: Cover
    title: str
    sections: tuple[Section, ...]  # 实施情况 in four parts after 制定情况
    quantities: YearTable  # 可量化部分
    park: ParkTable | None = None
    enterprise: EnterpriseTable | None = None
    attachments: tuple[Attachment, ...] = ()
    summary: SummaryRow

    @property
    def table(self) -> ParkTable | EnterpriseTable:
        table = self.park or self.enterprise
        assert table is not None, "a case file has table 1 or table 2"
        return table

    def numbers(self) -> Iterator[Placed]:
        """Yield every number of the document, known or not, in the order of reading; not what is blank."""
        return (placed for placed in self._entries() if placed.cell.text)

    def _entries(self) -> Iterator[Placed]:
        table = self.table
        yield from _of_years(self.quantities)
        for label, cell in table.particulars.counts:
            yield _placed(f"{table.title} 基本情况", label, "", cell)
        yield from _of_years(table.production, table.title)
        yield from _of_years(table.waste, table.title)
        if isinstance(table, ParkTable):
            where = f"{table.title} 主要企业情况（{table.generators_year} 年）"
            for generator in table.generators:
                for column, cell in generator.cells():
                    yield _placed(where, generator.name, column, cell)


def _of_years(table: YearTable, prefix: str = "") -> Iterator[Placed]:
    for row in table.rows:
        for column, cell in zip(table.columns, row.cells, strict=True):
            yield _placed(f"{prefix} {table.title}".strip(), row.label, column, cell)


def _placed(table: str, row: str, column: str, cell: Cell) -> Placed:
    return Placed(document=CASE_FILE, table=table, row=row, column=column, cell=cell)
