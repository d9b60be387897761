"""
Which industry is this? GB/T 4754-2017 国民经济行业分类

At hand are the 97 divisions (大类, 2 digits) and 473 groups (中类, 3 digits) with amendment 1;
the 1382 classes (小类, 4 digits) are not. Unverified: taken over from a secondary source.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from wufei.catalogue import tables
from wufei.catalogue.waste_codes import normal_form

EDITION = "GB/T 4754-2017"
SOURCE = "GB/T 4754-2017（含第1号修改单），转录自二手资料，未核对；有大类、中类，无小类"
COLUMNS = ("level", "section", "code", "name")
FILE = "gbt4754-2017-industries.csv"

CLASSES_NOT_LOADED = "本系统载入了 GB/T 4754-2017 的大类和中类，没有小类（4 位代码，如“火力发电”）"
# What so many names of industries have in common that it says nothing about any of them.
_COMMON = frozenset("制造业和其他及的与类品加工活动服务用具设备产生行")

_LENGTHS = {"division": 2, "group": 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class Industry:
    code: str  # "34" of a division, "342" of a group
    name: str
    level: str  # "division" 大类 or "group" 中类
    section: str  # 门类, one letter: "C" 制造业
    division_code: str  # of a division its own
    edition: str = EDITION
    is_verified: bool = False
    source: str = SOURCE


@dataclass(frozen=True, slots=True, kw_only=True)
class IndustryReading:
    """What an industry code was read as: `industry`, or None and a Chinese `message`."""

    text: str
    industry: Industry | None = None
    notices: tuple[str, ...] = ()
    fault: str = ""  # "code_malformed", "code_unknown"
    message: str = ""


@cache
def industries() -> Mapping[str, Industry]:
    """
    Return the divisions and groups by code.

    :raises TableRefused: if the shipped file is broken
    """
    path = tables.SHIPPED / FILE
    found: dict[str, Industry] = {}
    for line, row in tables.read_rows(path, COLUMNS):
        code = row["code"]
        if len(code) != _LENGTHS.get(row["level"]) or not code.isdecimal() or code in found:
            raise tables.refusal(path, line, f"行业代码“{code}”与级别不符或重复。")
        found[code] = Industry(
            code=code, name=row["name"], level=row["level"], section=row["section"], division_code=code[:2]
        )
    return found


def industry(code: str) -> Industry | None:
    """Return the division or group of that code; None where there is none."""
    return industries().get(code)


def read_industry_code(text: str) -> IndustryReading:
    """
    Read an industry code as people write it: 342, C342, or a class such as 3421.

    Of a class only the group is known; a notice says so.
    """
    matched = re.fullmatch(r"([A-T])?(\d{2,4})", normal_form(text))
    if not matched:
        message = f"“{text}”不是行业代码；应为GB/T 4754-2017中类代码，3位数字，如 342（金属加工机械制造）。"
        return IndustryReading(text=text, fault="code_malformed", message=message)
    section, code = matched.groups()
    found = industry(code[:3])
    if found is None or section not in (None, found.section):
        near = "、".join(f"{i.code} {i.name}" for i in _group_neighbours(code)) or "01–97"
        message = f"GB/T 4754-2017中没有行业代码“{text}”；同大类的有：{near}。"
        return IndustryReading(text=text, fault="code_unknown", message=message)
    notices: tuple[str, ...] = ()
    if len(code) == 4:
        notices = (f"本系统只有大类和中类；小类 {code} 未核对，按中类 {found.code} {found.name}处理。",)
    return IndustryReading(text=text, industry=found, notices=notices)


def _group_neighbours(code: str) -> tuple[Industry, ...]:
    return tuple(i for i in industries().values() if i.level == "group" and i.division_code == code[:2])[:8]


def groups_of(division_code: str) -> tuple[Industry, ...]:
    """Return the groups of a division, by code."""
    return tuple(i for i in industries().values() if i.level == "group" and i.division_code == division_code)


def industries_named(part: str) -> tuple[Industry, ...]:
    """Return the industries whose name contains the text, the whole name first, then by code."""
    hits = [i for i in industries().values() if part and part in i.name]
    return tuple(sorted(hits, key=lambda i: (i.name != part, i.code)))


def industries_near(text: str, *, limit: int = 5) -> tuple[Industry, ...]:
    """
    Return the groups (中类) whose names share most characters with the text, at least two of them.

    >>> industries_near("火力发电")[0].name
    '电力生产'
    """
    asked = {c for c in text if "\u4e00" <= c <= "\u9fff"} - _COMMON
    groups = (i for i in industries().values() if i.level == "group")
    shared = [(len(asked & set(i.name)), len(i.name), i) for i in groups]
    near = sorted((each for each in shared if each[0] >= 2), key=lambda s: (-s[0], s[1], s[2].code))
    return tuple(i for _, _, i in near[:limit])
