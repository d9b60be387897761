"""
Under which conditions is a hazardous waste exempt, and at which stage? 危险废物豁免管理清单

The list of the 2021 edition: 32 numbers, 57 rows. Whether and how the 2025 edition changed it
is not at hand; every row says from which edition it is.
"""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from wufei.catalogue import tables
from wufei.catalogue.hazardous_list import edition_named
from wufei.catalogue.waste_codes import WasteClass, WasteCodeFault, read_waste_code

COLUMNS = ("no", "category_or_code", "waste", "exempt_stage", "condition", "exempt_content")
EDITION = "2021"
FILE = "hazardous-waste-exemptions-2021.csv"
NOTICE = "豁免条件以2021年版《危险废物豁免管理清单》为准；2025年版清单尚未取得，未核对。"

_CODE = re.compile(r"\d{3}-\d{3}-\d{2}")
_CATEGORY = re.compile(r"HW\d{2}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Exemption:
    """One row of the list. All words are those of the list."""

    number: int  # 序号, 1–32
    waste_codes: tuple[str, ...]  # empty where the row names a category or an origin
    waste_category: str | None  # "HW34" where the row is for a whole category
    origin: str  # "历史遗留危险废物" where the row is for an origin, "-" for the last; else ""
    waste: str
    stages: tuple[str, ...]  # 豁免环节: "收集", "运输", "利用", "处置", or "全部环节"
    condition: str
    exempt_content: str
    edition: str
    is_verified: bool
    source: str


@cache
def exemptions() -> tuple[Exemption, ...]:
    """
    Return every row of the list, in its order.

    :raises TableRefused: if the shipped file is broken
    """
    rows = tables.read_rows(tables.SHIPPED / FILE, COLUMNS)
    return tuple(_exemption(row, tables.SHIPPED / FILE, line) for line, row in rows)


def _exemption(row: tables.Row, path: Path, line: int) -> Exemption:
    if not row["no"].isdecimal() or not row["exempt_stage"]:
        raise tables.refusal(path, line, "应有序号和豁免环节。")
    scope = row["category_or_code"]
    codes = tuple(_CODE.findall(scope))  # several codes stand one after the other
    category = scope if _CATEGORY.fullmatch(scope) else None
    edition = edition_named(EDITION)
    return Exemption(
        number=int(row["no"]),
        waste_codes=codes,
        waste_category=category,
        origin="" if codes or category else scope,
        waste=row["waste"],
        stages=tuple(row["exempt_stage"].split("、")),
        condition=row["condition"],
        exempt_content=row["exempt_content"],
        edition=EDITION,
        is_verified=edition.is_verified,
        source=f"{edition.title}附录《危险废物豁免管理清单》",
    )


def exemptions_for(code_or_category: str) -> tuple[Exemption, ...]:
    """
    Return the rows for a hazardous-waste code or a category.

    For a code: the rows that name it or its category. For a category: those that name it or
    any code of it. Rows that hold by origin are `exemptions_by_origin`. Empty for any other
    text.
    """
    reading = read_waste_code(code_or_category)
    if reading.fault is WasteCodeFault.CODE_UNKNOWN:
        return ()
    if reading.waste_class is not WasteClass.HAZARDOUS or reading.category is None:
        return ()
    wanted = reading.code or reading.category[2:]  # a category alone is its last two digits
    return tuple(
        row
        for row in exemptions()
        if row.waste_category == reading.category or any(code.endswith(wanted) for code in row.waste_codes)
    )


def exemptions_by_origin() -> tuple[Exemption, ...]:
    """Return the rows that hold by origin, whatever the code: household, accidents, legacy, others."""
    return tuple(row for row in exemptions() if row.origin)
