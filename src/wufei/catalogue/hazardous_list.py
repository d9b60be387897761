"""
Which hazardous wastes does each edition of the national list name? 国家危险废物名录

The 2021 edition is shipped complete. Of the 2025 edition only the rules are known; its table
is imported by an administrator. Editions and their rules: `data/hazardous-waste-editions.yaml`.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from wufei.catalogue import tables
from wufei.catalogue.waste_entries import WasteClass, WasteEntry

COLUMNS = ("category", "category_name", "industry", "code", "name", "hazard")
CODE = re.compile(r"\d{3}-\d{3}-(\d{2})")
CATEGORY = re.compile(r"HW\d{2}")
HAZARD = re.compile(r"(T|C|I|R|In)([,/](T|C|I|R|In))*")
PREFIX = "hazardous-waste-"


class EditionRule(BaseModel):
    """What an edition says beside its table, and how sure we are of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    clause: str
    says: str
    is_verified: bool
    source: str


class HazardousEdition(BaseModel):
    """One edition of the list. `table` is the shipped file, None where only the rules are known."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    edition: str
    title: str
    document: str
    in_force_from: date
    in_force_until: date | None
    kinds: int
    table: str | None
    is_verified: bool
    source: str
    rules: tuple[EditionRule, ...]

    def is_in_force(self, day: date) -> bool:
        return self.in_force_from <= day and (self.in_force_until is None or day < self.in_force_until)


@dataclass(frozen=True, slots=True)
class HazardousTable:
    """
    The codes of one edition.

    `notices` are Chinese: what an administrator should know though the table was accepted.
    """

    edition: HazardousEdition
    entries: Mapping[str, WasteEntry]  # by code
    notices: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        return len(self.entries)


class _EditionFile(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    editions: tuple[HazardousEdition, ...]


@cache
def hazardous_editions() -> tuple[HazardousEdition, ...]:
    """
    Return the editions of the list, oldest first.

    :raises TableRefused: if the shipped file is broken
    """
    path = tables.SHIPPED / "hazardous-waste-editions.yaml"
    try:
        found = _EditionFile.model_validate(yaml.safe_load(path.read_text("utf-8"))).editions
    except (ValidationError, yaml.YAMLError) as error:
        raise tables.refusal(path, 1, str(error)) from error
    assert [e.in_force_from for e in found] == sorted(e.in_force_from for e in found), "oldest first"
    return found


def edition_named(name: str) -> HazardousEdition:
    """
    Return the edition of that year.

    :raises KeyError: if no such edition is known
    """
    return {edition.edition: edition for edition in hazardous_editions()}[name]


def load_hazardous_table(
    path: Path, edition: str, *, is_verified: bool = False, source: str = ""
) -> HazardousTable:
    """
    Read and check a table of hazardous-waste codes; nothing is stored.

    The columns are `COLUMNS`. Every row is checked, so that all faults are seen at once.

    :raises TableRefused: if the edition is unknown, or any row is faulty
    """
    try:
        found = edition_named(edition)
    except KeyError as error:
        known = "、".join(e.edition for e in hazardous_editions())
        reason = f"不认识《国家危险废物名录》的“{edition}”年版；可导入的版本：{known}。"
        raise tables.refusal(path, 1, reason) from error
    rows = tables.read_rows(path, COLUMNS)
    faults = tuple(_faults(path.name, rows))
    if faults:
        raise tables.TableRefused(*faults)
    source = source or f"导入文件 {path.name}"
    entries = {row["code"]: _entry(row, found, is_verified, source) for _, row in rows}
    return HazardousTable(found, entries, _count_notices(found, len(entries)))


def _faults(file: str, rows: list[tuple[int, tables.Row]]) -> Iterable[tables.TableFault]:
    if not rows:
        yield tables.TableFault(file, 1, "表中没有代码。")
    lines: dict[str, int] = {}
    for line, row in rows:
        for reason in _row_faults(row):
            yield tables.TableFault(file, line, reason)
        first = lines.setdefault(row["code"], line)
        if first != line:
            yield tables.TableFault(file, line, f"代码 {row['code']} 与第{first}行重复。")


def _row_faults(row: tables.Row) -> Iterable[str]:
    category, code = row["category"], row["code"]
    matched = CODE.fullmatch(code)
    if not matched:
        yield f"代码“{code}”的格式不对，应为8位数字，如 900-249-08。"
    elif CATEGORY.fullmatch(category) and matched[1] != category[2:]:
        yield f"代码“{code}”的末两位应与类别 {category} 一致，为 {category[2:]}。"
    if category not in _known_categories():
        yield f"类别“{category}”不在HW01–HW50之内，应如 HW08（无HW41–HW44）。"
    for column, label in (("category_name", "类别名称"), ("industry", "行业来源"), ("name", "危险废物")):
        if not row[column]:
            yield f"{label}（{column}）为空。"
    if not HAZARD.fullmatch(row["hazard"].replace("，", ",")):
        yield f"危险特性“{row['hazard']}”不对，应由 T、C、I、R、In 以“,”或“/”连接。"


@cache
def _known_categories() -> frozenset[str]:
    """The categories themselves: HW01–HW50 without HW41–HW44, as both editions have them."""
    return frozenset(f"HW{number:02}" for number in range(1, 51) if not 41 <= number <= 44)


def _entry(row: tables.Row, edition: HazardousEdition, is_verified: bool, source: str) -> WasteEntry:
    return WasteEntry(
        code=row["code"],
        category=row["category"],
        category_name=row["category_name"],
        name=row["name"],
        industry=row["industry"],
        hazard=row["hazard"].replace("，", ","),
        waste_class=WasteClass.HAZARDOUS,
        edition=edition.edition,
        is_verified=is_verified,
        in_force_from=edition.in_force_from,
        in_force_until=edition.in_force_until,
        source=source,
    )


def _count_notices(edition: HazardousEdition, count: int) -> tuple[str, ...]:
    if count == edition.kinds:
        return ()
    return (
        f"{edition.title}官方公布为{edition.kinds}种，本表有{count}种；表中没有的旧代码将显示为已停用，"
        "请核对是否漏行。",
    )


def import_hazardous_table(
    path: Path, *, edition: str, data_dir: Path | None = None, verified_against: str = ""
) -> HazardousTable:
    """
    Check a table and keep it in the data directory, where it holds from now on.

    `verified_against` says which text the rows were compared with, and by whom; without it
    the entries are shown as unverified. An earlier import of the edition is replaced.

    :raises TableRefused: if the table is broken, the edition is shipped with the software,
        or no data directory is known
    """
    table = load_hazardous_table(path, edition)
    if table.edition.table is not None:
        raise tables.refusal(path, 1, f"{table.edition.title}已随软件提供，不能导入替换。")
    folder = tables.imported_folder(data_dir)
    if folder is None:
        raise tables.refusal(path, 1, "不知道数据目录；请设置环境变量 WUFEI_DATA 或用 --data 指定。")
    content = tables.to_csv(COLUMNS, [_row(entry) for entry in table.entries.values()])
    note = {
        "edition": edition,
        "file": path.name,
        "count": table.count,
        "sha256": hashlib.sha256(content.encode()).hexdigest(),
        "verified_against": verified_against,
    }
    tables.store(folder, f"{PREFIX}{edition}.csv", content)
    tables.store(folder, f"{PREFIX}{edition}.json", json.dumps(note, ensure_ascii=False, indent=1))
    return _imported_table(folder, edition, tables.signature(folder, PREFIX))


def _row(entry: WasteEntry) -> tables.Row:
    return {column: getattr(entry, column) for column in COLUMNS}


def hazardous_tables(*, data_dir: Path | None = None) -> tuple[HazardousTable, ...]:
    """
    Return the tables at hand, shipped and imported, oldest edition first.

    :raises TableRefused: if an imported table was damaged since its import
    """
    folder = tables.imported_folder(data_dir)
    return _tables(folder, tables.signature(folder, PREFIX))


@cache
def _tables(folder: Path | None, signature: tables.Signature) -> tuple[HazardousTable, ...]:
    present = {name for name, *_ in signature}
    found = []
    for edition in hazardous_editions():
        if edition.table is not None:
            found.append(_shipped_table(edition.edition))
        elif folder is not None and f"{PREFIX}{edition.edition}.csv" in present:
            found.append(_imported_table(folder, edition.edition, signature))
    return tuple(found)


@cache
def _shipped_table(edition: str) -> HazardousTable:
    found = edition_named(edition)
    assert found.table is not None, "only a shipped edition has a file"
    path = tables.SHIPPED / found.table
    return load_hazardous_table(path, edition, is_verified=found.is_verified, source=found.source)


@cache
def _imported_table(folder: Path, edition: str, signature: tables.Signature) -> HazardousTable:
    """Load an imported table; `signature` is not read, it makes a new import a new call."""
    path = folder / f"{PREFIX}{edition}.csv"
    note = _import_note(path)
    against = note.get("verified_against", "")
    source = f"管理员导入：{note.get('file', path.name)}" + (f"；核对依据：{against}" if against else "")
    return load_hazardous_table(path, edition, is_verified=bool(against), source=source)


def _import_note(path: Path) -> dict[str, str]:
    """Return what was noted at the import; nothing where the table is no longer the one noted."""
    try:
        note = json.loads(path.with_suffix(".json").read_text("utf-8"))
        is_the_one = note["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return {key: str(value) for key, value in note.items()} if is_the_one else {}


def hazardous_categories(*, data_dir: Path | None = None) -> Mapping[str, WasteEntry]:
    """Return each category (HW01 …) as an entry of the newest edition at hand that names it."""
    folder = tables.imported_folder(data_dir)
    return _categories(folder, tables.signature(folder, PREFIX))


@cache
def _categories(folder: Path | None, signature: tables.Signature) -> Mapping[str, WasteEntry]:
    found: dict[str, WasteEntry] = {}
    for table in _tables(folder, signature):  # a newer edition overwrites
        for entry in table.entries.values():
            found[entry.category] = replace(
                entry, code=entry.category, name=entry.category_name, industry="", hazard=""
            )
    return dict(sorted(found.items()))
