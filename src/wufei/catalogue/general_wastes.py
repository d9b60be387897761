"""
Which solid wastes that are not hazardous have a code? 固体废物分类与代码目录

Announcement 2024 no. 4 has 35 categories and over 200 codes. At hand are the categories and
14 common codes, all unverified; a well-formed code that is not among them may well exist.
"""

import re
from collections.abc import Mapping
from datetime import date
from functools import cache

from wufei.catalogue import tables
from wufei.catalogue.waste_entries import WasteClass, WasteEntry

EDITION = "2024"
DOCUMENT = "生态环境部公告2024年第4号《固体废物分类与代码目录》"
IN_FORCE_FROM = date(2024, 1, 19)
COLUMNS = ("category", "category_name", "code", "name", "industry", "status")
FILE = "solid-waste-codes-2024.csv"

# Article on the code: the last three characters tell the kind by range.
_RANGES = ((1, 59, "工业固体废物"), (60, 69, "生活垃圾"), (70, 79, "建筑垃圾"), (80, 89, "农业固体废物"))


def general_waste_entries() -> Mapping[str, WasteEntry]:
    """Return the categories (SW01 …) and the codes at hand, by code."""
    return _entries()


@cache
def _entries() -> Mapping[str, WasteEntry]:
    path = tables.SHIPPED / FILE
    found: dict[str, WasteEntry] = {}
    for line, row in tables.read_rows(path, COLUMNS):
        code = row["code"] or row["category"]
        if not re.fullmatch(r"SW\d{2}", row["category"]) or not code.endswith(row["category"][2:]):
            raise tables.refusal(path, line, f"代码“{code}”与类别“{row['category']}”不一致。")
        if code in found:
            raise tables.refusal(path, line, f"代码“{code}”重复。")
        found[code] = _entry(code, row)
    return found


def _entry(code: str, row: tables.Row) -> WasteEntry:
    is_verified = row["status"] == "verified"
    return WasteEntry(
        code=code,
        category=row["category"],
        category_name=row["category_name"],
        name=row["name"] or row["category_name"],
        industry=row["industry"],
        hazard="",
        waste_class=WasteClass.GENERAL,
        edition=EDITION,
        is_verified=is_verified,
        in_force_from=IN_FORCE_FROM,
        in_force_until=None,
        source=DOCUMENT + ("" if is_verified else "；未见原表，凭记忆录入，未核对"),
    )


def source_kind(category: str) -> str:
    """
    Return which of the five first-level kinds a category belongs to.

    >>> source_kind("SW02"), source_kind("SW64"), source_kind("SW99")
    ('工业固体废物', '生活垃圾', '其他固体废物')
    """
    number = int(category[2:])
    return next((kind for first, last, kind in _RANGES if first <= number <= last), "其他固体废物")


def is_industrial(category: str) -> bool:
    """Return whether a solid-waste category is industrial: S01–S59, except S08."""
    return category != "SW08" and source_kind(category) == "工业固体废物"
