"""
What does this waste code mean, and may it be used?

Reads what people write: a hazardous-waste code (900-249-08), a nine-character solid-waste code
(900-001-S17) or a solid-waste category alone (SW02). Answers with the entry, notices and, where
the code cannot be used, one fault that says in Chinese what would be right.
"""

import re
import unicodedata
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum, auto
from pathlib import Path

from wufei.catalogue.general_wastes import (
    DOCUMENT,
    general_waste_entries,
    is_industrial,
    source_kind,
)
from wufei.catalogue.hazardous_list import (
    HazardousEdition,
    HazardousTable,
    hazardous_categories,
    hazardous_editions,
    hazardous_tables,
)
from wufei.catalogue.waste_entries import WasteClass, WasteEntry

__all__ = [
    "Standing",
    "WasteClass",
    "WasteCodeFault",
    "WasteCodeReading",
    "WasteEntry",
    "look_up_waste_code",
    "normal_form",
    "read_waste_code",
    "waste_entries",
]

IDENTIFIED = "900-000"  # article 6: not listed, but identified as hazardous

_EXPECTED = "应为危险废物代码（如 900-249-08）、固体废物代码（如 900-001-S17）或类别（如 SW02）。"
_DASHES = dict.fromkeys(map(ord, "‐‑‒–—―−－﹣﹘─━_"), "-")
_INVISIBLE = re.compile(r"[\s\u200b-\u200f\u2060\ufeff]+")
_HAZARDOUS = re.compile(r"(?:(HW\d{2})类?[-/:,、]?)?(\d{3})-?(\d{3})-?(\d{2})")
_SOLID = re.compile(r"(?:(SW\d{2})类?[-/:,、]?)?(\d{3})-?(\d{3})-?SW?(\d{2})")
_CATEGORY = re.compile(r"([HS]W)-?(\d{2})类?")


class Standing(StrEnum):
    """How far a readable code is known."""

    LISTED = auto()  # in the edition that holds on the day, and that edition is loaded
    SUCCESSOR_NOT_LOADED = auto()  # listed in the newest table at hand; a newer edition holds
    RETIRED = auto()  # only an older edition has it
    NOT_YET_IN_FORCE = auto()  # only a later edition has it
    IDENTIFIED = auto()  # 900-000-××, article 6
    NOT_IN_TABLE = auto()  # well-formed solid-waste code that our partial table lacks
    CATEGORY_ONLY = auto()  # SW02: the third level is not known


class WasteCodeFault(StrEnum):
    """Why a code cannot be used."""

    CODE_MISSING = auto()
    CODE_MALFORMED = auto()
    CATEGORY_UNKNOWN = auto()
    CATEGORY_CONTRADICTED = auto()
    HAZARDOUS_CODE_MISSING = auto()  # HW08 alone
    CODE_UNKNOWN = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class WasteCodeReading:
    """
    What was read. Either `fault` and `message` are set, or `code` and `standing` are.

    A fault may still know `waste_class` and `category`. `notices` and `message` are Chinese.
    """

    text: str
    code: str | None = None  # in normal form: 900-249-08, 900-001-S17, SW02
    waste_class: WasteClass | None = None
    category: str | None = None  # "HW08", "SW17"
    category_name: str = ""
    entry: WasteEntry | None = None
    standing: Standing | None = None
    notices: tuple[str, ...] = ()
    fault: WasteCodeFault | None = None
    message: str = ""

    @property
    def is_readable(self) -> bool:
        return self.fault is None

    @property
    def is_verified(self) -> bool:
        """Whether the code stands in a verified table of the edition that holds on the day."""
        return self.standing is Standing.LISTED and self.entry is not None and self.entry.is_verified

    @property
    def is_industrial(self) -> bool | None:
        """Whether a solid-waste category is industrial (S01–S59); None for hazardous waste."""
        if self.waste_class is not WasteClass.GENERAL or self.category is None:
            return None
        return is_industrial(self.category)


def normal_form(text: str) -> str:
    """
    Return the text with half-width capitals, plain dashes and no spaces.

    >>> normal_form("９００－２４９－０８ ")
    '900-249-08'
    """
    folded = unicodedata.normalize("NFKC", text.translate(_DASHES)).translate(_DASHES).upper()
    # Once more: marks that stood apart may stand together when what was between them is gone.
    return re.sub("-{2,}", "-", unicodedata.normalize("NFKC", _INVISIBLE.sub("", folded)))


def read_waste_code(text: str, *, on: date | None = None, data_dir: Path | None = None) -> WasteCodeReading:
    """
    Read a waste code as people write it.

    `on` is the day by whose edition the code is judged; None: the newest edition. Missing
    hyphens are put in where the digits leave no doubt.
    """
    plain = re.sub(r"(?<=^\d{8})\.0$", "", normal_form(text))  # a number cell of a workbook
    if not plain:
        return WasteCodeReading(
            text=text, fault=WasteCodeFault.CODE_MISSING, message=f"废物代码为空；{_EXPECTED}"
        )
    if matched := _HAZARDOUS.fullmatch(plain):
        prefix, *parts = matched.groups()
        return _contradiction(text, prefix, f"HW{parts[2]}") or _read_hazardous(text, parts, on, data_dir)
    if matched := _SOLID.fullmatch(plain):
        prefix, *parts = matched.groups()
        return _contradiction(text, prefix, f"SW{parts[2]}") or _read_solid(text, parts)
    if matched := _CATEGORY.fullmatch(plain):
        category = matched[1] + matched[2]
        if matched[1] == "HW":
            return _read_hazardous_category(text, category, data_dir)
        return _read_solid_category(text, category)
    return _malformed(text, plain, data_dir)


def look_up_waste_code(text: str, *, data_dir: Path | None = None) -> WasteCodeReading:
    """
    Read a waste code that somebody looks up: a category answers too, and nobody is told what to fill in.

    How far the answer is verified is said of the edition that holds now, as `read_waste_code` does.
    """
    read = read_waste_code(text, data_dir=data_dir)
    if read.fault is WasteCodeFault.HAZARDOUS_CODE_MISSING:
        assert read.category is not None, "the fault is about a known category"
        entry = hazardous_categories(data_dir=data_dir)[read.category]
        holding = _edition_on(None).edition
        notices: tuple[str, ...] = ()
        standing = Standing.LISTED if entry.edition == holding else Standing.SUCCESSOR_NOT_LOADED
        if standing is Standing.SUCCESSOR_NOT_LOADED:
            notices = (_not_loaded_notice(entry.edition, holding),)
        return replace(
            read, code=read.category, entry=entry, standing=standing, notices=notices, fault=None, message=""
        )
    if read.standing is Standing.CATEGORY_ONLY and read.category is not None:
        codes = [
            e for e in general_waste_entries().values() if e.category == read.category and not e.is_category
        ]
        loaded = f"本系统载入了其中 {len(codes)} 个" if codes else "本系统还没有载入它的"
        notice = f"{read.category} 是类别；{loaded}三级代码（代码表不全，未核对）。"
        return replace(read, notices=(notice, *read.notices[1:]))
    return read


def _contradiction(text: str, prefix: str | None, category: str) -> WasteCodeReading | None:
    """Return the fault of a code written with another category than its own: HW09 900-249-08."""
    if prefix in (None, category):
        return None
    message = f"“{text}”前面写的类别是 {prefix}，而代码末两位属于 {category}；请改为一致。"
    return WasteCodeReading(text=text, fault=WasteCodeFault.CATEGORY_CONTRADICTED, message=message)


def _malformed(text: str, plain: str, data_dir: Path | None) -> WasteCodeReading:
    hint = _EXPECTED
    if re.fullmatch(r"\d{7}", plain):
        whole = f"0{plain[:2]}-{plain[2:5]}-{plain[5:]}"
        if any(whole in table.entries for table in hazardous_tables(data_dir=data_dir)):
            hint = f"少了一位，可能被表格软件去掉了开头的0；应为 {whole}，请把单元格设为文本。"
    message = f"“{text}”不是废物代码；{hint}"
    return WasteCodeReading(text=text, fault=WasteCodeFault.CODE_MALFORMED, message=message)


# --- hazardous waste


def _read_hazardous(text: str, parts: list[str], on: date | None, data_dir: Path | None) -> WasteCodeReading:
    code, category = "-".join(parts), f"HW{parts[2]}"
    known = hazardous_categories(data_dir=data_dir).get(category)
    if known is None:
        return _unknown_hazardous_category(text, category)
    read = WasteCodeReading(
        text=text,
        code=code,
        waste_class=WasteClass.HAZARDOUS,
        category=category,
        category_name=known.category_name,
    )
    if code.startswith(IDENTIFIED):
        return replace(read, standing=Standing.IDENTIFIED, notices=(_identified_notice(category, on),))
    loaded = hazardous_tables(data_dir=data_dir)
    holders = [table for table in loaded if code in table.entries]
    if not holders:
        return _unknown_hazardous_code(read, loaded)
    return _judged(read, holders, loaded, _edition_on(on))


def _edition_on(on: date | None) -> HazardousEdition:
    """Return the edition that holds on the day; the oldest known one before all of them."""
    editions = hazardous_editions()
    if on is None:
        return editions[-1]
    return next((e for e in reversed(editions) if e.in_force_from <= on), editions[0])


def _judged(
    read: WasteCodeReading,
    holders: list[HazardousTable],
    loaded: tuple[HazardousTable, ...],
    holding: HazardousEdition,
) -> WasteCodeReading:
    """Say how the code stands to the edition that holds, and take the entry nearest to it."""
    by_edition = {table.edition.edition: table for table in holders}
    assert read.code is not None, "only a readable code is judged"
    if holding.edition in by_edition:
        entry = by_edition[holding.edition].entries[read.code]
        return replace(read, entry=entry, standing=Standing.LISTED)
    earlier = [t for t in holders if t.edition.in_force_from < holding.in_force_from]
    if not earlier:
        table = holders[0]
        since = table.edition.in_force_from
        notice = f"{read.code} 是{table.edition.title}的代码，自{since}起施行，当日尚未施行。"
        standing = Standing.NOT_YET_IN_FORCE
    else:
        table = earlier[-1]
        standing, notice = _superseded(read.code, table.edition, holding, loaded)
    return replace(read, entry=table.entries[read.code], standing=standing, notices=(notice,))


def _superseded(
    code: str, listed: HazardousEdition, holding: HazardousEdition, loaded: tuple[HazardousTable, ...]
) -> tuple[Standing, str]:
    if all(table.edition.edition != holding.edition for table in loaded):
        return Standing.SUCCESSOR_NOT_LOADED, _not_loaded_notice(listed.edition, holding.edition)
    notice = (
        f"{code} 是{listed.title}的代码，自{holding.in_force_from}起施行的{holding.edition}年版已无此代码"
        f"（已停用）；请按{holding.edition}年版重新归类。"
    )
    return Standing.RETIRED, notice


def _not_loaded_notice(listed: str, holding: str) -> str:
    return f"以{listed}年版为准，{holding}年版尚未导入，未核对。"


def _identified_notice(category: str, on: date | None) -> str:
    number = category[2:]
    if _edition_on(on).edition == "2021":
        return (
            f"900-000-{number} 用于未列入名录、经鉴别属于 {category} 类的危险废物（2021年版第六条），"
            "须有鉴别结论。"
        )
    return (
        f"900-000-{number} 用于经鉴别属于 {category} 类的危险废物，须有鉴别结论；2025年版第六条第二款要求"
        "先按主要有害成分和危险特性归入名录已有代码，确实无法归入的才用此代码（条文据二手资料，未核对）。"
    )


def _unknown_hazardous_category(text: str, category: str) -> WasteCodeReading:
    message = (
        f"“{text}”末两位对应的类别 {category} 不存在；危险废物类别为 HW01–HW40、HW45–HW50。"
        "一般固体废物请用《固体废物分类与代码目录》的代码，如 900-001-S17，或只填类别，如 SW02。"
    )
    return WasteCodeReading(text=text, fault=WasteCodeFault.CATEGORY_UNKNOWN, message=message)


def _unknown_hazardous_code(read: WasteCodeReading, loaded: tuple[HazardousTable, ...]) -> WasteCodeReading:
    assert read.code is not None, "the code was well-formed"
    listed = {c for table in loaded for c, e in table.entries.items() if e.category == read.category}
    near = sorted(listed, key=lambda c: (_distance(c, read.code or ""), c))[:3]
    titles = "、".join(table.edition.title for table in loaded)
    message = (
        f"代码 {read.code} 不在{titles}中；{read.category} {read.category_name}共有{len(listed)}个代码，"
        f"相近的有 {'、'.join(near)}。"
    )
    newest = hazardous_editions()[-1]
    if all(table.edition.edition != newest.edition for table in loaded):
        message += f"如为{newest.edition}年版新增的代码，请管理员先导入{newest.edition}年版；"
    message += f"经鉴别为危险废物而未列入名录的，用 {IDENTIFIED}-{read.code[-2:]}。"
    return replace(read, code=None, fault=WasteCodeFault.CODE_UNKNOWN, message=message)


def _distance(a: str, b: str) -> tuple[bool, int]:
    """Return how far apart two codes of a category are: first by industry, then by number."""
    return a[:3] != b[:3], abs(int(a[:3] + a[4:7]) - int(b[:3] + b[4:7]))


def _read_hazardous_category(text: str, category: str, data_dir: Path | None) -> WasteCodeReading:
    known = hazardous_categories(data_dir=data_dir).get(category)
    if known is None:
        return _unknown_hazardous_category(text, category)
    tables = hazardous_tables(data_dir=data_dir)
    example = next(e.code for t in reversed(tables) for e in t.entries.values() if e.category == category)
    return WasteCodeReading(
        text=text,
        waste_class=WasteClass.HAZARDOUS,
        category=category,
        category_name=known.category_name,
        fault=WasteCodeFault.HAZARDOUS_CODE_MISSING,
        message=f"危险废物须填8位代码，不能只填类别 {category} {known.category_name}；如 {example}。",
    )


# --- general solid waste


def _read_solid(text: str, parts: list[str]) -> WasteCodeReading:
    code, category = f"{parts[0]}-{parts[1]}-S{parts[2]}", f"SW{parts[2]}"
    entry = general_waste_entries().get(code)
    read = _solid_reading(text, code, category)
    if read.fault is not None:
        return read
    if entry is None:
        if not 1 <= int(parts[1]) <= 99:
            notice = f"{code} 的顺序码 {parts[1]} 不在001–099之内，请核对。"
            read = replace(read, notices=(notice, *read.notices))
        notice = (
            f"{code} 不在本系统的代码表中（三级代码表不全），未核对；"
            f"类别 {category} {read.category_name}存在。"
        )
        return replace(read, standing=Standing.NOT_IN_TABLE, notices=(notice, *read.notices))
    notices = () if entry.is_verified else (f"{code} {entry.name}：代码表未核对。",)
    return replace(read, entry=entry, standing=Standing.LISTED, notices=(*notices, *read.notices))


def _read_solid_category(text: str, category: str) -> WasteCodeReading:
    read = _solid_reading(text, category, category)
    if read.fault is not None:
        return read
    notice = f"只填了类别 {category} {read.category_name}，三级代码未填。"
    return replace(
        read,
        entry=general_waste_entries()[category],
        standing=Standing.CATEGORY_ONLY,
        notices=(notice, *read.notices),
    )


def _solid_reading(text: str, code: str, category: str) -> WasteCodeReading:
    known = general_waste_entries().get(category)
    if known is None:
        message = (
            f"“{text}”的类别 {category} 不在{DOCUMENT}的35个类别中；"
            "工业固体废物类别为 SW01–SW17（无 SW08）和 SW59。"
        )
        return WasteCodeReading(text=text, fault=WasteCodeFault.CATEGORY_UNKNOWN, message=message)
    notices: tuple[str, ...] = ()
    if not is_industrial(category):
        notices = (f"{category} {known.category_name}属于{source_kind(category)}，不是工业固体废物。",)
    return WasteCodeReading(
        text=text,
        code=code,
        waste_class=WasteClass.GENERAL,
        category=category,
        category_name=known.category_name,
        notices=notices,
    )


# --- what is listed


def waste_entries(*, data_dir: Path | None = None) -> tuple[WasteEntry, ...]:
    """
    Return every waste the catalogue knows: categories and codes, hazardous first, by code.

    Of a code that several editions have, the newest entry; retired codes are among them.
    """
    newest: dict[str, WasteEntry] = dict(hazardous_categories(data_dir=data_dir))
    for table in hazardous_tables(data_dir=data_dir):
        newest.update(table.entries)
    return (*(newest[code] for code in sorted(newest)), *general_waste_entries().values())
