"""
What would this workbook post?

Pure: turns a file that is safe to open into typed content, with every fault and notice. Which of
it may be posted the ledger says; `services` asks it.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from stdnum.cn import uscc as uscc_rules
from stdnum.exceptions import InvalidChecksum, InvalidLength, ValidationError

from wufei.capture import cells
from wufei.capture.cells import CellFault
from wufei.capture.layout import (
    DECLARATION_ITEMS,
    DECLARATIONS,
    LEDGER,
    OPERATIONS,
    ORGANISATION,
    ORGANISATION_ITEM_BY_NAME,
    ORGANISATION_ITEMS,
    PRODUCTS,
    STORES,
    STREAMS,
    CellKind,
    Column,
    Sheet,
    plain_name,
)
from wufei.capture.reading import (
    Findings,
    Progress,
    Table,
    TypedColumns,
    TypedRow,
    read_day,
    read_tables,
    typed_columns,
    typed_rows,
)
from wufei.capture.safe_opening import open_safely
from wufei.catalogue.divisions import division_of_names
from wufei.catalogue.industries import read_industry_code
from wufei.catalogue.waste_codes import read_waste_code
from wufei.ledger.kinds import BY_HAND, LABELS, Kind
from wufei.ledger.posting import Draft
from wufei.terms.mass import InexactMass, Mass

EARLIEST_FOUNDING = 1840
# Client ids of imported rows are made from this, so that the same row always gets the same one.
CLIENT_IDS = UUID("6f1c2f0e-5d0b-5a54-9a5e-0f5f2f7b6c11")
_KIND_OF_LABEL = {LABELS[kind]: kind for kind in BY_HAND}
_STEP = 5_000  # rows between two reports of progress


class LedgerRow(NamedTuple):
    """A sound row of 台账."""

    number: int
    moved_on: date
    stream_code: str
    kind: Kind
    mass: Mass
    method: str
    counterparty: str
    store_code: str | None
    lot_code: str | None
    handler: str
    note: str
    fingerprint: str  # the same for the same content, wherever the row stands


@dataclass(slots=True)
class OrganisationInfo:
    """单位信息: what is stated; `fields` only what is filled and sound."""

    uscc: str | None = None
    kind_label: str | None = None  # 企业, 园区, ...
    park: str | None = None  # name or 统一社会信用代码
    fields: dict[str, Any] = field(default_factory=dict)
    is_sound: bool = True
    rows: dict[str, int] = field(default_factory=dict)  # item -> Excel's row number


@dataclass(slots=True)
class WorkbookContent:
    """What a workbook says, typed; rows with faults are left out."""

    organisation: OrganisationInfo
    operations: list[TypedRow] = field(default_factory=list)
    products: list[TypedRow] = field(default_factory=list)
    streams: list[TypedRow] = field(default_factory=list)
    stores: list[TypedRow] = field(default_factory=list)
    declarations: list[TypedRow] = field(default_factory=list)
    ledger: list[LedgerRow] = field(default_factory=list)
    tables: dict[str, Table] = field(default_factory=dict)
    findings: Findings = field(default_factory=Findings)


def read_workbook(content: bytes, *, today: date, progress: Progress | None = None) -> WorkbookContent:
    """
    Return what the workbook says, with every fault and notice.

    :raises WorkbookRefused: if the file may not or can't be opened
    """
    report = progress or (lambda phase, done, total: None)
    report("reading", 0, 1)
    safe = open_safely(content)
    findings = Findings()
    tables = read_tables(safe, findings)
    report("reading", 1, 1)
    said = WorkbookContent(organisation=OrganisationInfo(), tables=tables, findings=findings)
    if ORGANISATION.name in tables:
        said.organisation = _organisation(tables[ORGANISATION.name], findings, today)
    said.operations = _sheet_rows(said, OPERATIONS, today)
    said.products = _products(said, today)
    said.streams = _streams(said, today)
    said.stores = _stores(said, today)
    said.declarations = _declarations(said, today)
    said.ledger = _ledger(said, today, report)
    order = {name: index for index, name in enumerate(tables)}
    findings.faults.sort(key=lambda f: (order.get(f.sheet or "", -1), f.row or 0))
    return said


# --- 单位信息


FIELD_OF_ITEM = {
    "单位名称": "name", "行业代码": "industry_code", "详细地址": "address", "成立日期": "established_on",
    "负责人": "head", "联系人": "contact", "电话": "phone", "邮箱": "email", "网址": "website",
    "厂区面积(平方米)": "site_area_m2", "员工数量": "employee_count",
}  # fmt: skip


def _organisation(table: Table, findings: Findings, today: date) -> OrganisationInfo:
    info = OrganisationInfo()
    values: dict[str, object] = {}
    faults_before = len(findings.faults)
    for item, number, raw in _items(table, findings):
        info.rows[item.name] = number
        try:
            values[item.name] = _item_value(item, raw, findings, today)
        except CellFault as fault:
            findings.fault(ORGANISATION.name, number, "内容", fault.code, f"{item.name}：{fault.message}")
    for item in ORGANISATION_ITEMS:
        if item.required and item.name not in info.rows:
            message = f"没有填“{item.name}”；{item.note}"
            findings.fault(ORGANISATION.name, None, item.name, "item_missing", message)
    info.uscc = values.get("统一社会信用代码")  # type: ignore[assignment]  # _item_value gives str
    info.kind_label = values.get("单位类型")  # type: ignore[assignment]
    info.park = values.get("所属园区")  # type: ignore[assignment]
    info.fields = {name: values[item] for item, name in FIELD_OF_ITEM.items() if item in values}
    _read_division(info, values, findings)
    info.is_sound = len(findings.faults) == faults_before and not findings.bad_rows.get(ORGANISATION.name)
    return info


def _items(table: Table, findings: Findings) -> Iterable[tuple[Column, int, object]]:
    """Yield each filled item once."""
    name_at, value_at = table.places.get("项目"), table.places.get("内容")
    if name_at is None or value_at is None:
        if name_at is not None:
            message = "缺少列“内容”；第一行应为：项目、内容。"
            findings.fault(ORGANISATION.name, 1, "内容", "column_missing", message)
        return
    seen: set[str] = set()
    bad_rows = findings.bad_rows.get(ORGANISATION.name, set())
    known = {plain_name(name): item for name, item in ORGANISATION_ITEM_BY_NAME.items()}
    for number, row in table.rows:
        said, raw = str(row[name_at]), row[value_at]
        item = known.get(plain_name(said))
        is_blank = isinstance(raw, str) and not raw.strip()
        if item is None:
            if said.strip():
                findings.notice(f"“单位信息”的项目“{cells.shown(said)}”不在模板中，已忽略。")
            elif not is_blank:
                message = "内容前面没有项目名称；请按模板在“项目”列填写。"
                findings.fault(ORGANISATION.name, number, "项目", "value_missing", message)
        elif is_blank or number in bad_rows:
            continue
        elif item.name in seen:
            message = f"“{item.name}”填了两次；请只留一行。"
            findings.fault(ORGANISATION.name, number, "项目", "item_twice", message)
        else:
            seen.add(item.name)
            yield item, number, raw


def _item_value(item: Column, raw: object, findings: Findings, today: date) -> object:
    match item.name:
        case "统一社会信用代码":
            return read_uscc(cells.read_code(raw, item))
        case "行业代码":
            reading = read_industry_code(cells.read_code(raw, item))
            if reading.industry is None:
                raise CellFault("industry_unknown", reading.message)
            if reading.industry.level != "group":
                message = (
                    f"“{reading.text}”是大类；应为 GB/T 4754-2017 中类代码（3 位），"
                    "若开头的 0 被表格软件去掉，请把单元格设为文本。"
                )
                raise CellFault("industry_not_a_group", message)
            for notice in reading.notices:
                findings.notice(notice)
            return reading.industry.code
        case "成立日期":
            return read_day(
                raw, findings, ORGANISATION.name, item, today=today, earliest_year=EARLIEST_FOUNDING
            )
        case "厂区面积(平方米)":
            return cells.read_number(raw, item, places=2, below=Decimal(10) ** 12)
        case "员工数量":
            return int(cells.read_number(raw, item, places=0, below=Decimal(10) ** 8))
        case "单位类型":
            return cells.read_choice(raw, item, {})
        case "邮箱":
            return _email(cells.read_text(raw, item))
    return cells.read_code(raw, item) if item.kind is CellKind.CODE else cells.read_text(raw, item)


def _email(text: str) -> str:
    plain = cells.half_width(text)
    name, at, host = plain.partition("@")
    if not (name and at and "." in host) or " " in plain or "@" in host:
        raise CellFault("email_malformed", f"“{cells.shown(text)}”不是邮箱地址；应如 name@example.com。")
    return plain


def read_uscc(text: str) -> str:
    """Return a 统一社会信用代码 whose check digit is right."""
    plain = uscc_rules.compact(text)
    try:
        return uscc_rules.validate(plain)
    except InvalidLength:
        message = f"“{cells.shown(text)}”有 {len(plain)} 位；统一社会信用代码应为 18 位。"
        raise CellFault("uscc_length", message) from None
    except InvalidChecksum:
        right = uscc_rules.calc_check_digit(plain[:17])
        message = (
            f"“{plain}”校验码不对：按前 17 位，末位应为 {right}；请对照营业执照，看末位或前面哪一位填错了。"
        )
        raise CellFault("uscc_check_digit", message) from None
    except (ValidationError, ValueError):
        message = f"“{cells.shown(text)}”含有不该有的字符；应为数字和大写字母（不含 I、O、Z、S、V），前 8 位为数字。"
        raise CellFault("uscc_malformed", message) from None


def _read_division(info: OrganisationInfo, values: dict[str, object], findings: Findings) -> None:
    names = [values.get(item) for item in ("省", "市", "区县")]
    if not all(isinstance(name, str) for name in names):
        return
    reading = division_of_names(*(str(name) for name in names))
    if reading.division is None:
        item = {"province_unknown": "省", "city_unknown": "市"}.get(str(reading.fault), "区县")
        findings.fault(ORGANISATION.name, info.rows[item], "内容", "division_unknown", reading.message)
    else:
        info.fields["division_code"] = reading.division.six_digits


# --- the smaller sheets


def _sheet_rows(said: WorkbookContent, sheet: Sheet, today: date) -> list[TypedRow]:
    """Return the sound rows of a sheet; what names the same thing twice is refused."""
    table = said.tables.get(sheet.name)
    if table is None:
        return []
    sound: list[TypedRow] = []
    first: dict[tuple[object, ...], TypedRow] = {}
    for row in typed_rows(table, said.findings, today=today):
        key = tuple(row.values.get(name) for name in sheet.key)
        before = first.setdefault(key, row)
        if not row.is_sound:
            continue
        if before is row:
            sound.append(row)
        elif before.values != row.values:
            message = f"{'、'.join(sheet.key)}与第{before.number}行相同，内容却不同；请只留一行，或改正{sheet.key[-1]}。"
            said.findings.fault(sheet.name, row.number, sheet.key[-1], "row_twice", message)
        else:
            said.findings.notice(f"“{sheet.name}”有完全相同的重复行，只取一行。")
    return sound


def _products(said: WorkbookContent, today: date) -> list[TypedRow]:
    rows = _sheet_rows(said, PRODUCTS, today)
    mains: dict[object, int] = defaultdict(int)
    for row in rows:
        mains[row.values["年份"]] += row.values.get("主产品") == "是"
    for year, count in mains.items():
        if count > 1:
            said.findings.notice(f"“产品”{year} 年有 {count} 个主产品；单位产品产生量按主产品计算，请确认。")
    return rows


def _streams(said: WorkbookContent, today: date) -> list[TypedRow]:
    sound: list[TypedRow] = []
    for row in _sheet_rows(said, STREAMS, today):
        reading = read_waste_code(str(row.values["废物代码"]))
        if reading.fault is not None:
            said.findings.fault(STREAMS.name, row.number, "废物代码", "waste_code_unknown", reading.message)
            continue
        for notice in reading.notices:
            said.findings.notice(f"“废物清单”{row.values['废物编号']}：{notice}")
        row.values["废物代码"] = reading.code
        sound.append(row)
    return sound


def _stores(said: WorkbookContent, today: date) -> list[TypedRow]:
    sound: list[TypedRow] = []
    for row in _sheet_rows(said, STORES, today):
        if ":" in str(row.values["设施编码"]):
            message = "设施编码不能含冒号；请改用字母、数字和横线，如 TS001。"
            said.findings.fault(STORES.name, row.number, "设施编码", "code_reserved", message)
            continue
        capacity = row.values.get("能力(吨)")
        if isinstance(capacity, Decimal):
            try:
                mass = Mass.of(capacity, "吨")
            except InexactMass:  # no cover: the column takes six places
                raise AssertionError from None
            if not 0 < mass.grams <= cells.ABSURD_MASS.grams:
                message = "能力应大于零、不超过 1 亿吨；不限的请留空。"
                said.findings.fault(STORES.name, row.number, "能力(吨)", "capacity_out_of_range", message)
                continue
            row.values["能力(吨)"] = mass
        sound.append(row)
    return sound


def _declarations(said: WorkbookContent, today: date) -> list[TypedRow]:
    rows = _sheet_rows(said, DECLARATIONS, today)
    known = {plain_name(item): item for item in DECLARATION_ITEMS}
    for row in rows:
        item = str(row.values["项目"])
        if plain_name(item) in known:
            row.values["项目"] = known[plain_name(item)]
        else:
            said.findings.notice(f"“声明”的项目“{cells.shown(item)}”不是现有政策所问的事项，仍予记录。")
    return rows


# --- 台账


def _ledger(said: WorkbookContent, today: date, report: Progress) -> list[LedgerRow]:
    table = said.tables.get(LEDGER.name)
    if table is None:
        return []
    total = len(table.rows)
    report("checking", 0, total)
    typed = typed_columns(table, said.findings, today=today)
    masses = _masses(typed, said.findings)
    if not table.has_sound_header:
        report("checking", total, total)
        return []
    rows: list[LedgerRow] = []
    bad_rows = said.findings.bad_rows.get(LEDGER.name, set())
    texts = ("方式", "对方单位", "设施编码", "批次编码", "经办人", "备注")
    columns = (typed.of("日期"), typed.of("废物编号"), typed.of("环节"), masses, *map(typed.of, texts))
    for done, (number, *values) in enumerate(zip(typed.numbers, *columns, strict=True), start=1):
        if done % _STEP == 0:
            report("checking", done, total)
        if number not in bad_rows:
            rows.append(_ledger_row(number, *values))
    report("checking", total, total)
    return rows


def _masses(typed: TypedColumns, findings: Findings) -> list[Mass | None]:
    """Return each row's mass, None where amount or unit is at fault."""
    masses: list[Mass | None] = []
    faulty = typed.faulty.get("单位", set())
    for number, amount, unit in zip(typed.numbers, typed.of("数量"), typed.of("单位"), strict=True):
        mass = None
        if amount is not None and number not in faulty:
            try:
                mass = cells.mass_of(amount, unit)
            except CellFault as fault:
                column = "单位" if fault.code.startswith("unit_") else "数量"
                findings.fault(LEDGER.name, number, column, fault.code, fault.message)
        masses.append(mass)
    return masses


def _ledger_row(
    number: int,
    day: date,
    stream: str,
    label: str,
    mass: Mass,
    method: str | None,
    counterparty: str | None,
    store: str | None,
    lot: str | None,
    handler: str | None,
    note: str | None,
) -> LedgerRow:
    kind = _KIND_OF_LABEL[label]
    method, counterparty, handler, note = method or "", counterparty or "", handler or "", note or ""
    # What identifies a row's content; the parts are joined by a character that no cell can hold.
    said = (
        f"{day.isoformat()}\x1f{stream}\x1f{kind._value_}\x1f{mass.grams}\x1f{method}\x1f{counterparty}"
        f"\x1f{store or ''}\x1f{lot or ''}\x1f{handler}\x1f{note}"
    )
    return LedgerRow(
        number, day, stream, kind, mass, method, counterparty, store, lot, handler, note,
        hashlib.sha256(said.encode()).hexdigest(),
    )  # fmt: skip


# --- what of it is new


@dataclass(frozen=True, slots=True)
class Imported:
    """How often a row's content was posted, and how often that was taken back."""

    posted: int
    reversed: int

    @property
    def effective(self) -> int:
        return self.posted - self.reversed


def new_drafts(
    said: Sequence[LedgerRow], *, before: Mapping[str, Imported], uscc: str
) -> tuple[list[LedgerRow], list[Draft]]:
    """
    Return the rows that were not imported before, and their drafts.

    Two rows of the same content are two movements; so of each content only as many are new as
    there are more of them here than stand in the ledger.
    """
    # Hashed once: what all client ids of the organisation begin with.
    beginning = hashlib.sha1(CLIENT_IDS.bytes + f"{uscc}/".encode(), usedforsecurity=False)
    seen: dict[str, int] = {}
    rows: list[LedgerRow] = []
    drafts: list[Draft] = []
    for row in said:
        mark = row.fingerprint
        index = seen.get(mark, 0)
        seen[mark] = index + 1
        if (imported := before.get(mark)) is not None:
            if index < imported.effective:
                continue
            index += imported.posted - imported.effective
        # The same as uuid5(CLIENT_IDS, f"{uscc}/{mark}/{index}"), in half its time.
        whole = beginning.copy()
        whole.update(f"{mark}/{index}".encode())
        rows.append(row)
        drafts.append(_draft(row, UUID(bytes=whole.digest()[:16], version=5)))
    return rows, drafts


def _draft(row: LedgerRow, client_id: UUID) -> Draft:
    _, day, stream, kind, mass, method, counterparty, store, lot, handler, note, fingerprint = row
    return Draft(
        kind, day, stream, mass, store, lot, method, counterparty, handler, note, client_id, fingerprint
    )
