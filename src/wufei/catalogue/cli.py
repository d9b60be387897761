"""`wufei catalogue …` and `wufei workdays`: look-ups and imports for people and scripts."""

import json
import sys
from collections.abc import Iterable
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any, NoReturn

import click
from rich.console import Console
from rich.table import Table

from wufei.catalogue import tables
from wufei.catalogue.disposal_modes import ModeKind, disposal_mode
from wufei.catalogue.divisions import Level, division_of_code, path_names
from wufei.catalogue.exemptions import NOTICE as EXEMPTION_NOTICE
from wufei.catalogue.exemptions import exemptions_for
from wufei.catalogue.hazardous_list import import_hazardous_table
from wufei.catalogue.industries import CLASSES_NOT_LOADED, industries_near, industry
from wufei.catalogue.search import Hit, Kind
from wufei.catalogue.search import search as search_all
from wufei.catalogue.waste_codes import Standing, WasteClass, WasteCodeReading, look_up_waste_code
from wufei.catalogue.working_days import YearNotLoaded, import_working_days, nth_working_day
from wufei.terms.arguments import FIRST_YEAR, LAST_YEAR, Day

as_json = click.option("--json", "is_json", is_flag=True, help="输出JSON。")


def _print_json(answer: object) -> None:
    click.echo(json.dumps(answer, ensure_ascii=False, indent=1, default=str))


def _print_table(title: str, columns: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*row)
    Console(file=sys.stdout, markup=False, emoji=False, highlight=False).print(table)


def _refuse(message: str) -> NoReturn:
    click.echo(message, err=True)
    raise SystemExit(1)


def _day(text: str) -> date:
    return Day().convert(text, None, None)


def _verified(is_verified: bool) -> str:
    return "已核对" if is_verified else "未核对"


@click.group()
def catalogue() -> None:
    """查废物代码、行业和区划；导入新版目录。"""


@catalogue.command()
@click.argument("text", required=False, default="")
@click.option("--kind", type=click.Choice([str(kind) for kind in Kind]), help="只查一类。")
@click.option("--industry", "of_industry", default="", help="只查某行业的废物：行业代码或名称。")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help="最多几条。")
@as_json
def search(text: str, kind: str | None, of_industry: str, limit: int, is_json: bool) -> None:
    """按代码、名称、拼音首字母（fmh）或行业查找。"""
    if not text.strip() and not of_industry.strip():
        raise click.UsageError("请给出要查的代码、名称或拼音首字母，或用 --industry 给出行业。")
    kinds = (Kind(kind),) if kind else tuple(Kind)
    result = search_all(text, kinds=kinds, industry=of_industry, limit=limit)
    if is_json:
        hits = [_hit(hit) for hit in result.hits]
        _print_json({"total": result.total, "limit": result.limit, "hits": hits})
    elif result.hits:
        rows = (
            (hit.code, hit.name, hit.context, hit.edition, _verified(hit.is_verified), "".join(hit.notices))
            for hit in result.hits
        )
        columns = ("代码", "名称", "类别与来源", "版本", "核对", "提示")
        _print_table(f"共{result.total}条，显示{len(result.hits)}条", columns, rows)
    if not result.total:
        _refuse(_nothing_found(text or of_industry))


def _nothing_found(text: str) -> str:
    said = f"没有查到“{text}”；可改用名称的一部分、代码的前几位或拼音首字母。"
    if near := industries_near(text):
        listed = "、".join(f"{each.code} {each.name}" for each in near)
        said += f"\n{CLASSES_NOT_LOADED}。名称相近的中类：{listed}。"
    return said


def _hit(hit: Hit) -> dict[str, Any]:
    return asdict(hit) | {"kind": str(hit.kind), "rank": hit.rank.name.lower()}


@catalogue.command()
@click.argument("code")
@as_json
def show(code: str, is_json: bool) -> None:
    """显示一个代码：废物、行业、区划或利用处置方式。"""
    waste = look_up_waste_code(code)
    found = _other_meanings(code)
    if waste.is_readable:
        found = {"waste": _waste(waste)} | found
    if not found:
        if is_json:
            _print_json({"code": code, "fault": waste.fault, "message": waste.message})
        _refuse(waste.message)
    if is_json:
        _print_json({"code": code} | found)
        return
    for kind, fields in found.items():
        said = {name: value for name, value in fields.items() if value not in (None, "", [])}
        rows = ((LABELS[name], _shown(name, value)) for name, value in said.items())
        _print_table(LABELS[kind], ("项", "内容"), rows)


def _waste(reading: WasteCodeReading) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "code": reading.code,
        "waste_class": reading.waste_class,
        "category": reading.category,
        "category_name": reading.category_name,
        "standing": reading.standing,
        "is_verified": reading.is_verified,
        "notices": list(reading.notices),
        "entry": asdict(reading.entry) if reading.entry else None,
    }
    if reading.waste_class is WasteClass.HAZARDOUS and reading.code:
        rows = exemptions_for(reading.code)
        fields["exemptions"] = [asdict(row) for row in rows]
        fields["notices"] += [EXEMPTION_NOTICE] if rows else []
    return fields


def _other_meanings(code: str) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    if (of_industry := industry(code)) is not None:
        found["industry"] = asdict(of_industry)
    if (division := division_of_code(code)) is not None:
        found["division"] = asdict(division) | {"path": list(path_names(division.code))}
    if (mode := disposal_mode(code)) is not None:
        found["disposal_mode"] = asdict(mode)
    return found


# What the fields of an answer are called for people; scripts get the names themselves.
LABELS = {
    "waste": "废物", "industry": "行业", "division": "行政区划", "disposal_mode": "利用处置方式",
    "code": "代码", "name": "名称", "label": "名称", "waste_class": "种类", "category": "类别",
    "category_name": "类别名称", "standing": "状态", "is_verified": "核对", "notices": "提示", "entry": "目录条目",
    "hazard": "危险特性", "edition": "版本", "in_force_from": "施行之日", "in_force_until": "废止之日",
    "source": "来源", "level": "级别", "section": "门类", "division_code": "大类代码", "parent_code": "上级代码",
    "path": "全称", "kind": "利用或处置", "exemptions": "豁免管理清单", "number": "序号", "waste_codes": "废物代码",
    "waste_category": "废物类别", "origin": "来历", "stages": "豁免环节", "condition": "豁免条件",
    "exempt_content": "豁免内容",
}  # fmt: skip
VALUES = {
    WasteClass.GENERAL: "一般固体废物", WasteClass.HAZARDOUS: "危险废物",
    Standing.LISTED: "在现行版本中", Standing.SUCCESSOR_NOT_LOADED: "在已载入的最新版本中，现行版本尚未导入",
    Standing.RETIRED: "已停用", Standing.NOT_YET_IN_FORCE: "尚未施行", Standing.IDENTIFIED: "经鉴别认定",
    Standing.NOT_IN_TABLE: "代码表中没有（代码表不全）", Standing.CATEGORY_ONLY: "只是类别",
    ModeKind.UTILISATION: "利用", ModeKind.DISPOSAL: "处置",
    Level.PROVINCE: "省级", Level.CITY: "地级", Level.DISTRICT: "县级",
}  # fmt: skip
INDUSTRY_LEVELS = {"division": "大类", "group": "中类"}
# Of an entry these are said above it already; whether its own edition was verified is not whether it holds.
ABOVE_THE_ENTRY = frozenset({"code", "category", "category_name", "waste_class", "is_verified"})


def _shown(name: str, value: Any) -> str:
    """Write a field for people."""
    match name, value:
        case "is_verified", bool():
            return _verified(value)
        case "entry", dict():
            return _lines({key: part for key, part in value.items() if key not in ABOVE_THE_ENTRY})
        case _, dict():
            return _lines(value)
        case "level", str() if value in INDUSTRY_LEVELS:
            return INDUSTRY_LEVELS[value]
        case "notices", _:
            return "\n".join(value)
        case "exemptions", _:
            return "\n\n".join(_shown("entry", row) for row in value)
        case _, list() | tuple():
            return ("" if name == "path" else "、").join(map(str, value))
    return VALUES.get(value, str(value))


def _lines(fields: dict[str, Any]) -> str:
    said = {name: value for name, value in fields.items() if value not in (None, "", ())}
    return "\n".join(f"{LABELS[name]}：{_shown(name, value)}" for name, value in said.items())


def _data_option(command: Any) -> Any:
    return click.option("--data", "data_dir", type=click.Path(path_type=Path), help="数据目录。")(command)


@catalogue.command("import-hazardous")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--edition", required=True, help="版本年份，如 2025。")
@click.option("--verified-against", default="", help="与何文本核对、由谁核对；不填则显示为未核对。")
@_data_option
@as_json
def import_hazardous(
    file: Path, edition: str, verified_against: str, data_dir: Path | None, is_json: bool
) -> None:
    """导入某一版《国家危险废物名录》的代码表（CSV）。"""
    try:
        table = import_hazardous_table(
            file, edition=edition, data_dir=data_dir, verified_against=verified_against
        )
    except tables.TableRefused as error:
        _refuse_table(error, is_json)
    if is_json:
        _print_json({"edition": edition, "count": table.count, "notices": list(table.notices)})
        return
    click.echo(f"已导入{table.edition.title}：{table.count}个代码。")
    for notice in table.notices:
        click.echo(notice, err=True)


@catalogue.command("import-workdays")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--year", type=click.IntRange(FIRST_YEAR, LAST_YEAR), required=True, help="年份，如 2027。")
@click.option("--notice", required=True, help="国务院办公厅通知的文号。")
@_data_option
@as_json
def import_workdays(file: Path, year: int, notice: str, data_dir: Path | None, is_json: bool) -> None:
    """导入一年的节假日安排（CSV：day,kind,name）。"""
    try:
        known = import_working_days(file, year=year, notice=notice, data_dir=data_dir)
    except tables.TableRefused as error:
        _refuse_table(error, is_json)
    if is_json:
        _print_json({"year": year, "notice": notice, "loaded_years": sorted(known.notices)})
        return
    click.echo(f"已导入{year}年工作日安排（{notice}）。")


def _refuse_table(error: tables.TableRefused, is_json: bool) -> NoReturn:
    if is_json:
        _print_json({"refused": [asdict(fault) for fault in error.faults]})
    _refuse("未导入，请改正后重试：\n" + "\n".join(str(fault) for fault in error.faults))


@click.command()
@click.argument("start")
@click.argument("number", metavar="N", type=click.IntRange(min=1))
@as_json
def workdays(start: str, number: int, is_json: bool) -> None:
    """START 之后第 N 个工作日（START 当日不计）。"""
    first = _day(start)
    try:
        end = nth_working_day(first, number)
    except YearNotLoaded as error:
        if is_json:
            _print_json({"fault": error.code, "year": error.year, "message": error.message})
        _refuse(error.message)
    if is_json:
        _print_json({"start": first, "working_days": number, "end": end})
        return
    click.echo(f"{first} 之后第{number}个工作日：{end}")
