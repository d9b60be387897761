"""`wufei indicators` and `wufei figure`: what the numbers are, and where each comes from."""

import json
import sys
from typing import Any, NoReturn

import click
from rich.console import Console
from rich.table import Table
from rich.tree import Tree

from wufei.indicators import queries
from wufei.indicators.definitions import INDICATORS
from wufei.indicators.document import figure_document, line_document
from wufei.indicators.figure import Figure, MovementsBehind, StatedInput, plain
from wufei.indicators.mass import tonnes
from wufei.registry.models import Organisation

YEARS = click.IntRange(1949, 2200)


@click.command()
@click.argument("uscc")
@click.option("--from", "from_year", type=YEARS, required=True, help="起始年份。")
@click.option("--to", "to_year", type=YEARS, required=True, help="截止年份。")
@click.option("--months", is_flag=True, help="另列各月的量和自 1 月起累计的率。")
@click.option("--by-category", is_flag=True, help="另按废物类别（HW08、SW02……）汇总。")
@click.option("--integrity", is_flag=True, help="另重算台账链，列出“台账校验”（较慢）。")
@click.option("--json", "as_json", is_flag=True, help="供机器读取的输出。")
def indicators(
    uscc: str, from_year: int, to_year: int, months: bool, by_category: bool, integrity: bool, as_json: bool
) -> None:
    """列出一个单位或园区各年的指标。"""
    if from_year > to_year:
        raise click.UsageError(f"起始年份 {from_year} 晚于截止年份 {to_year}。")
    organisation = _organisation(uscc)
    found = queries.figures(
        organisation=organisation, from_year=from_year, to_year=to_year, months=months,
        by_category=by_category, include_integrity=integrity,
    )  # fmt: skip
    if as_json:
        lines = [_line(each) for each in found]
        click.echo(json.dumps({"organisation": organisation.uscc, "figures": lines}, ensure_ascii=False))
    else:
        _show_lines(organisation, found)


@click.command("figure")
@click.argument("uscc")
@click.argument("indicator", metavar="ID")
@click.argument("year", type=YEARS)
@click.option("--stream", help="只看一个废物编号。")
@click.option("--dimension", help="利用方式、废物类别或废物名称。")
@click.option("--json", "as_json", is_flag=True, help="供机器读取的输出。")
def figure(
    uscc: str, indicator: str, year: int, stream: str | None, dimension: str | None, as_json: bool
) -> None:
    """说明一个数从哪里来，直到每一条台账记录。"""
    organisation = _organisation(uscc)
    if indicator not in INDICATORS:
        known = "、".join(INDICATORS)
        raise click.BadParameter(f"没有指标“{indicator}”。可用的有：{known}。", param_hint="ID")
    try:
        found = queries.figure(
            organisation=organisation, indicator=indicator, year=year, stream=stream, dimension=dimension
        )
    except queries.UnknownIndicator:
        _refuse(
            f"{organisation.name}没有这一项：{indicator}（废物编号 {stream or '全部'}，分项 {dimension or '无'}）。"
        )
    if as_json:
        said = figure_document(found, movements=queries.movement_documents)
        click.echo(json.dumps(said, ensure_ascii=False))
    else:
        _console().print(_tree(found))


def _line(figure: Figure) -> dict[str, Any]:
    """Return a line of the output; one of several ways or categories of an indicator says which in its name."""
    said = line_document(figure)
    return said if figure.dimension is None else said | {"name": f"{figure.name}：{figure.dimension}"}


def _organisation(uscc: str) -> Organisation:
    found = Organisation.objects.filter(uscc=uscc.strip().upper()).first()
    if found is None:
        _refuse(f"没有统一社会信用代码为 {uscc} 的单位。请核对代码，或先用 wufei import 导入。")
    return found


def _refuse(message: str) -> NoReturn:
    click.echo(message, err=True)
    sys.exit(1)


def _shown(value: Figure) -> str:
    """Write the value as a person reads it: six decimals at most."""
    if value.value is None:
        return "未知"
    return plain(round(value.value, 6)) or ""


def _console() -> Console:
    """What people typed is printed as it stands: no brackets are taken for markup."""
    return Console(file=sys.stdout, markup=False, emoji=False, highlight=False)


def _show_lines(organisation: Organisation, found: list[Figure]) -> None:
    table = Table(title=str(organisation), title_justify="left")
    for title in ("年份", "指标", "废物", "值", "单位", "缺什么"):
        table.add_column(title, overflow="fold")
    for each in found:
        cut = " ".join(filter(None, (each.stream, each.dimension)))
        lacking = "；".join(missing.label for missing in each.missing)
        table.add_row(str(each.period), each.name, cut, _shown(each), each.unit, lacking)
    _console().print(table)


def _tree(found: Figure, tree: Tree | None = None) -> Tree:
    label = f"{found.name} {found.period}：{_shown(found)} {found.unit}　{found.formula}（{found.source}）"
    branch = Tree(label) if tree is None else tree.add(label)
    for missing in found.missing:
        branch.add(f"缺：{missing.label}——{missing.where}")
    for part in found.basis:
        if isinstance(part, Figure):
            _tree(part, branch)
        elif isinstance(part, StatedInput):
            branch.add(f"{part.label} {part.year}：{part.value} {part.unit}（{part.source}）")
        else:
            _add_movements(part, branch)
    return branch


def _add_movements(part: MovementsBehind, branch: Tree) -> None:
    rows = queries.movements_behind(part)
    leaf = branch.add(f"{len(rows)} 条台账记录，合计 {plain(tonnes(part.mass_g))} 吨")
    for row in rows:
        said = [f"#{row.seq}", row.moved_on.isoformat(), row.get_kind_display(), row.stream.code]
        said += [f"{plain(tonnes(row.sign * row.mass_g))} 吨", row.method, row.counterparty]
        leaf.add(" ".join(filter(None, said)))
