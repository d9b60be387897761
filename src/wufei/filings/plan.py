"""
What does a management plan for hazardous waste say, table by table?

HJ 1259-2022, annex A (读过全文): tables A.1–A.7, and by the class of the unit which of them it fills in (5.3). One
list of columns drives the page, the checks, the API's document and the files.

Content is plain JSON: for each table a list of rows, masses as whole grams. What the standard calls 自动生成 is not
stored twice: it comes from the row of table A.3 that says the same stream.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any

from wufei.ledger.books.waste_reports import CLASS_LABELS, ControlClass
from wufei.terms.mass import Mass

FORMAT = "wufei-hazardous-waste-management-plan/1"
NORM = "HJ 1259-2022 附录A（资料性附录）"
LONGEST = 200
LONGEST_TEXT = 4000
MOST_ROWS = 200

Row = dict[str, Any]
Content = dict[str, Any]


class Cell(StrEnum):
    TEXT = "TEXT"
    LONG = "LONG"
    MASS = "MASS"  # whole grams; 吨 where people read it
    STREAM = "STREAM"  # a stream's code
    CHOICE = "CHOICE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    key: str
    label: str
    group: str = ""
    cell: Cell = Cell.TEXT
    width: int = 12
    is_required: bool = False
    of_waste: bool = False  # 自动生成: from the stream's row of A.3
    choices: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    id: str  # the key in the content
    number: str
    title: str
    classes: tuple[ControlClass, ...]
    columns: tuple[Column, ...]
    is_one: bool = False  # one row, shown as a list of facts

    @property
    def entered(self) -> tuple[Column, ...]:
        """Return the columns that the content stores."""
        return tuple(column for column in self.columns if not column.of_waste)


ALL = tuple(ControlClass)
UP_TO_SIMPLIFIED = (ControlClass.KEY, ControlClass.SIMPLIFIED)
KEY_ONLY = (ControlClass.KEY,)

REACHES = (("WITHIN", "省内转移"), ("ACROSS", "跨省转移"), ("ABROAD", "境外转移"))
OWN_KINDS = (("UTILISATION", "自行利用设施"), ("DISPOSAL", "自行处置设施"))
RECEIVERS = (
    ("PERMIT", "危险废物经营许可证持有单位"),
    ("EXEMPT", "危险废物利用处置环节豁免管理单位"),
    ("ABROAD", "中华人民共和国境外的危险废物利用处置单位"),
)
_STREAM = Column(key="stream", label="废物编号", cell=Cell.STREAM, width=10, is_required=True)
_NAMES = (
    Column(key="name", label="行业俗称/单位内部名称", group="危险废物名称", width=14, of_waste=True),
    Column(key="catalogue_name", label="国家危险废物名录名称", group="危险废物名称", width=20, of_waste=True),
)
_KIND = (
    Column(key="waste_category", label="危险废物类别", width=7, of_waste=True),
    Column(key="waste_code", label="危险废物代码", width=11, of_waste=True),
)
_NATURE = (
    Column(key="harmful", label="有害成分名称", width=12, of_waste=True),
    Column(key="form", label="形态", width=7, of_waste=True),
    Column(key="hazards", label="危险特性", width=7, of_waste=True),
)
_WASTE = (*_NAMES, *_KIND, *_NATURE)


def _mass(key: str, label: str, *, is_required: bool = True) -> Column:
    return Column(key=key, label=label, cell=Cell.MASS, width=11, is_required=is_required)


def _must(key: str, label: str, width: int = 12) -> Column:
    return Column(key=key, label=label, width=width, is_required=True)


def _facility(*columns: tuple[str, str, str]) -> tuple[Column, ...]:
    return tuple(Column(key=key, label=label, group=group, width=8) for key, label, group in columns)


TABLES = (
    Table(
        id="basic", number="表A.1", title="单位基本信息表", classes=ALL, is_one=True,
        columns=(
            _must("name", "单位名称"), _must("registered_address", "注册地址"),
            _must("site_address", "生产经营场所地址"), _must("division", "行政区划"),
            _must("industry", "行业类别"), _must("industry_code", "行业代码"),
            Column(key="longitude", label="生产经营场所中心经度"), Column(key="latitude", label="生产经营场所中心纬度"),
            _must("uscc", "统一社会信用代码"),
            Column(
                key="control_class", label="管理类别", cell=Cell.CHOICE, is_required=True,
                choices=tuple((each.value, f"危险废物{'环境' if each is ControlClass.KEY else ''}{CLASS_LABELS[each]}") for each in ControlClass),
            ),
            _must("representative", "法定代表人"), _must("representative_phone", "法定代表人联系电话"),
            _must("technician", "危险废物环境管理技术负责人"), _must("technician_phone", "技术负责人联系电话"),
            _must("assessment", "是否有环境影响评价审批文件"),
            Column(key="assessment_number", label="环境影响评价审批文件文号或备案编号"),
            _must("permit", "是否有排污许可证或是否进行排污登记"),
            Column(key="permit_number", label="排污许可证证书编号或排污登记表编号"),
        ),
    ),
    Table(
        id="facilities", number="表A.2", title="设施信息表", classes=KEY_ONLY,
        columns=(
            _must("unit", "主要生产单元名称", 9), _must("process", "主要工艺名称", 9), _must("name", "设施名称", 10),
            _must("code", "设施编码", 8),
            *_facility(
                ("parameter", "参数名称", "污染防治设施参数"), ("design", "设计值", "污染防治设施参数"),
                ("design_unit", "计量单位", "污染防治设施参数"), ("capacity", "生产能力", "生产设施生产能力"),
                ("capacity_unit", "计量单位", "生产设施生产能力"), ("intermediate", "中间产品名称", "产品产量"),
                ("intermediate_amount", "中间产品数量", "产品产量"), ("intermediate_unit", "中间产品计量单位", "产品产量"),
                ("product", "最终产品名称", "产品产量"), ("product_amount", "最终产品数量", "产品产量"),
                ("product_unit", "最终产品计量单位", "产品产量"), ("material_kind", "种类", "原辅料"),
                ("material", "名称", "原辅料"), ("material_amount", "用量", "原辅料"),
                ("material_unit", "计量单位", "原辅料"),
            ),
        ),
    ),
    Table(
        id="generation", number="表A.3", title="危险废物产生情况信息表", classes=ALL,
        columns=(
            _STREAM, Column(key="facility_code", label="产生危险废物设施编码", width=10),
            _must("facility", "产生危险废物设施名称"), _must("process", "对应产废环节名称"), *_NAMES, *_KIND,
            Column(key="harmful", label="有害成分名称", is_required=True),
            Column(key="form", label="形态", width=7, is_required=True), _NATURE[2],
            _mass("planned_g", "本年度预计产生量（吨）"),
            *_facility(
                ("own_utilisation", "自行利用设施编码", "内部治理方式及去向"),
                ("own_utilisation_capacity", "自行利用设施设计能力", "内部治理方式及去向"),
                ("own_disposal", "自行处置设施编码", "内部治理方式及去向"),
                ("own_disposal_capacity", "自行处置设施设计能力", "内部治理方式及去向"),
                ("store", "贮存设施编码", "内部治理方式及去向"), ("store_capacity", "贮存设施设计能力", "内部治理方式及去向"),
            ),
        ),
    ),
    Table(
        id="storage", number="表A.4", title="危险废物贮存情况信息表", classes=UP_TO_SIMPLIFIED,
        columns=(
            _must("store", "贮存设施编码", 10), _must("store_type", "贮存设施类型", 10), _STREAM, *_WASTE,
            _must("packaging", "包装形式", 10), _mass("remaining_g", "本年度预计剩余贮存量（吨）"),
        ),
    ),
    Table(
        id="own", number="表A.5", title="危险废物自行利用/处置情况信息表", classes=KEY_ONLY,
        columns=(
            Column(key="kind", label="设施类型", cell=Cell.CHOICE, choices=OWN_KINDS, is_required=True),
            _must("facility", "设施编码", 10), _STREAM, *_WASTE, _must("mode", "自行利用/处置方式代码", 8),
            _mass("planned_g", "本年度预计自行利用/处置量（吨）"),
        ),
    ),
    Table(
        id="reduction", number="表A.6", title="危险废物减量化计划和措施", classes=UP_TO_SIMPLIFIED,
        columns=(
            _STREAM, *_NAMES, Column(key="planned_g", label="本年度预计产生量（吨）", cell=Cell.MASS, of_waste=True),
            _mass("reduced_g", "预计减少量（吨）"),
        ),
    ),
    Table(
        id="measures", number="表A.6（续）", title="降低危害性的计划和措施", classes=UP_TO_SIMPLIFIED, is_one=True,
        columns=(
            Column(key="less_harm", label="降低危险废物危害性的计划", cell=Cell.LONG, is_required=True, width=40),
            Column(
                key="measures", label="减少危险废物产生量和降低危害性的措施", cell=Cell.LONG, is_required=True, width=40
            ),
        ),
    ),
    Table(
        id="transfers", number="表A.7", title="危险废物转移情况信息表", classes=ALL,
        columns=(
            Column(key="reach", label="转移类型", cell=Cell.CHOICE, choices=REACHES, is_required=True, width=8),
            _STREAM, *_WASTE, _mass("planned_g", "本年度预计转移量（吨）"),
            _must("mode", "利用/处置方式代码", 7),
            Column(key="receiver_kind", label="拟接收单位类型", cell=Cell.CHOICE, choices=RECEIVERS, is_required=True),
            _must("receiver", "拟接收单位名称", 16),
            Column(key="receiver_uscc", label="拟接收单位统一社会信用代码", width=14),
            Column(key="permit_number", label="许可证编码", width=12),
        ),
    ),
)  # fmt: skip
BY_ID: Mapping[str, Table] = {table.id: table for table in TABLES}


@dataclass(frozen=True, slots=True, kw_only=True)
class WasteFacts:
    """What is kept of a hazardous stream; the plan freezes it with the rest."""

    stream: str
    name: str
    catalogue_name: str
    waste_category: str
    waste_code: str
    hazards: str


def tables_for(control_class: str) -> tuple[Table, ...]:
    """Return the tables that a unit of the class fills in; all of them while the class is not known."""
    return tuple(table for table in TABLES if not control_class or control_class in table.classes)


def control_class_of(content: Content) -> str:
    rows = content.get("basic") or [{}]
    return str(rows[0].get("control_class", ""))


def empty() -> Content:
    """Return a plan that says nothing yet."""
    return {table.id: [{}] if table.is_one else [] for table in TABLES} | {"wastes": {}}


def tidy(said: Mapping[str, Any]) -> Content:
    """
    Return the content with every key it may have and no other: texts on one line, masses as whole grams or None.

    :raises Untidy: if something is of another kind than its column
    """
    unknown = sorted(said.keys() - BY_ID.keys() - {"wastes"})
    if unknown:
        raise Untidy(unknown[0], 0, "", "没有这张表。")
    return {table.id: _rows(table, said.get(table.id, [])) for table in TABLES}


@dataclass(frozen=True, slots=True)
class Untidy(Exception):  # what is said can't be stored
    table: str
    row: int
    column: str
    words: str


def _rows(table: Table, rows: Any) -> list[Row]:
    if not isinstance(rows, list) or len(rows) > MOST_ROWS:
        raise Untidy(table.id, 0, "", f"应是至多 {MOST_ROWS} 行的列表。")
    if table.is_one and len(rows) > 1:
        raise Untidy(table.id, 2, "", "这张表只有一行。")
    tidied = [_row(table, number, row) for number, row in enumerate(rows, 1)]
    return tidied or ([_row(table, 1, {})] if table.is_one else [])


def _row(table: Table, number: int, row: Any) -> Row:
    known = {column.key: column for column in table.entered}
    if not isinstance(row, dict) or row.keys() - known.keys():
        unknown = sorted(row.keys() - known.keys()) if isinstance(row, dict) else [""]
        raise Untidy(table.id, number, str(unknown[0]), "没有这一栏。")
    return {key: _value(table, number, column, row.get(key)) for key, column in known.items()}


def _value(table: Table, number: int, column: Column, value: Any) -> str | int | None:
    if column.cell is Cell.MASS:
        if value is None or (type(value) is int and 0 <= value <= 10**14):
            return value  # type: ignore[no-any-return]
        raise Untidy(table.id, number, column.key, "应是不小于零、不超过 1 亿吨的整数克，或 null。")
    text = "" if value is None else value
    most = LONGEST_TEXT if column.cell is Cell.LONG else LONGEST
    if not isinstance(text, str) or len(text) > most:
        raise Untidy(table.id, number, column.key, f"应是至多 {most} 字的文字。")
    said = "\n".join(text.splitlines()) if column.cell is Cell.LONG else " ".join(text.split())
    if any(not letter.isprintable() and letter != "\n" for letter in said):
        raise Untidy(table.id, number, column.key, "含有不能保存的字符。")
    if column.choices and said and said not in dict(column.choices):
        raise Untidy(
            table.id, number, column.key, f"应是 {'、'.join(key for key, _ in column.choices)} 之一。"
        )
    return said


def with_wastes(content: Content, facts: Iterable[WasteFacts]) -> Content:
    """Return the content with what is kept of each stream that it names."""
    named = {str(row.get("stream")) for table in TABLES for row in content[table.id] if row.get("stream")}
    said = {
        each.stream: {
            "name": each.name, "catalogue_name": each.catalogue_name, "waste_category": each.waste_category,
            "waste_code": each.waste_code, "hazards": each.hazards,
        }
        for each in facts
        if each.stream in named
    }  # fmt: skip
    return content | {"wastes": said}


def full_rows(table: Table, content: Content) -> list[Row]:
    """Return the rows of a table with what is 自动生成 filled in."""
    wastes: Mapping[str, Row] = content.get("wastes", {})
    by_stream = {row.get("stream"): row for row in content["generation"]}
    found = []
    for row in content[table.id]:
        whole = dict(row)
        stream = row.get("stream")
        known = {**wastes.get(str(stream), {}), **_generated(by_stream.get(stream, {}))}
        for column in table.columns:
            if column.of_waste:
                whole[column.key] = known.get(column.key, "" if column.cell is not Cell.MASS else None)
        found.append(whole)
    return found


def _generated(row: Mapping[str, Any]) -> Row:
    return {key: row[key] for key in ("harmful", "form", "planned_g") if key in row}


def cell_text(column: Column, value: Any) -> str:
    """Return a value as people read it: masses in 吨, choices in words."""
    if value is None or value == "":
        return ""
    if column.cell is Cell.MASS:
        return tonnes(int(value))
    return dict(column.choices).get(str(value), str(value))


def tonnes(grams: int) -> str:
    """
    Return a mass in 吨, exact and without trailing zeros.

    >>> tonnes(1_250_000), tonnes(0)
    ('1.25', '0')
    """
    text = f"{Mass(grams).tonnes:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def sums(table: Table, rows: Sequence[Row]) -> dict[str, int]:
    """Return the sum of each column of masses; a mass that is not said is left out of it."""
    keys = [column.key for column in table.columns if column.cell is Cell.MASS]
    return {key: sum(int(row[key]) for row in rows if row.get(key) is not None) for key in keys}


def digest(content: Content) -> str:
    """Return the SHA-256 of the content in one fixed way of writing it."""
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Filed:
    """A plan as it is handed out: filed, or a draft (number 0)."""

    uscc: str
    name: str
    year: int
    number: int
    content: Content
    reason: str = ""
    digest: str = ""
    filed_at: str = ""  # ISO 8601
    filed_by: str = ""
    seq: int = 0
    chain_hash: str = ""
    remarks: Sequence[str] = field(default_factory=tuple)

    @property
    def control_class(self) -> str:
        return control_class_of(self.content)


def document(filed: Filed) -> dict[str, Any]:
    """Return the plan as the JSON document that docs/guides/environment-officer.md describes."""
    return {
        "format": FORMAT,
        "norm": NORM,
        "organisation": {"uscc": filed.uscc, "name": filed.name},
        "year": filed.year,
        "number": filed.number or None,  # null: a draft
        "control_class": filed.control_class or None,
        "reason": filed.reason,
        "tables": {table.id: full_rows(table, filed.content) for table in tables_for(filed.control_class)},
        "sha256": filed.digest or None,
        "filed_at": filed.filed_at or None,
        "ledger": {"seq": filed.seq, "chain_hash": filed.chain_hash} if filed.number else None,
    }


def share(part: int, whole: int) -> Decimal | None:
    """
    Return how much of the whole the part is, in hundredths; None of nothing.

    >>> share(1, 3), share(1, 0)
    (Decimal('33.3'), None)
    """
    return (Decimal(part) * 100 / whole).quantize(Decimal("0.1")) if whole else None
