"""`wufei evaluate` and `wufei editions`: what an edition asks, and whether an organisation meets it."""

import json
import sys
from pathlib import Path
from typing import Any, NoReturn

import click
from django.utils import timezone
from rich.console import Console
from rich.table import Table

from wufei.indicators.figure import plain
from wufei.policies import queries
from wufei.policies.criteria import WORDS, Evaluation, Finding
from wufei.policies.edition import Edition
from wufei.policies.explanations import as_json as evaluation_document
from wufei.registry.models import Organisation
from wufei.terms.truth import Truth

YEARS = click.IntRange(1949, 2200)
SUBJECTS = {"ENTERPRISE": "企业", "PARK": "园区"}


@click.command()
@click.argument("uscc")
@click.option("--edition", "edition_id", metavar="ID", required=True, help="版本编号，见 wufei editions。")
@click.option("--year", type=YEARS, required=True, help="评价年份。")
@click.option("--json", "as_json", is_flag=True, help="供机器读取的输出。")
def evaluate(uscc: str, edition_id: str, year: int, as_json: bool) -> None:
    """按一个政策版本评价一个单位，逐条说明满足、不满足或未知。"""
    organisation = Organisation.objects.filter(uscc=uscc.strip().upper()).first()
    if organisation is None:
        _refuse(f"没有统一社会信用代码为 {uscc} 的单位。请核对代码，或先用 wufei import 导入。")
    try:
        found = queries.evaluation(
            organisation=organisation, edition_id=edition_id, year=year, on=timezone.localdate()
        )
    except queries.UnknownEdition:
        _refuse(f"没有版本“{edition_id}”。现有：{'、'.join(queries.known_editions())}。")
    if as_json:
        click.echo(json.dumps(evaluation_document(found), ensure_ascii=False))
    else:
        _show(organisation, found)


@click.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="供机器读取的输出。")
@click.pass_context
def editions(context: click.Context, as_json: bool) -> None:
    """列出政策版本；wufei editions check 检查一个版本文件。"""
    if context.invoked_subcommand is not None:
        return
    found = list(queries.known_editions().values())
    if as_json:
        click.echo(json.dumps([_edition_document(edition) for edition in found], ensure_ascii=False))
        return
    table = Table()
    for title in ("编号", "名称", "对象", "依据", "施行", "条款数"):
        table.add_column(title, overflow="fold")
    table.columns[0].min_width = max(len(edition.id) for edition in found)
    for edition in found:
        subject = SUBJECTS[edition.subject_kind]
        since = edition.in_force_from.isoformat()
        table.add_row(
            edition.id, edition.title, subject, edition.norm.number, since, str(len(edition.criteria))
        )
    _console().print(table)


@editions.command()
@click.argument("file", metavar="FILE.yaml", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="供机器读取的输出。")
def check(file: Path, as_json: bool) -> None:
    """检查一个版本文件，指出错在哪一行、为什么。"""
    faults = queries.check_file(file)
    if as_json:
        rows = [{"file": str(f.file), "line": f.line, "reason": f.reason} for f in faults]
        click.echo(json.dumps({"ok": not faults, "faults": rows}, ensure_ascii=False))
    for fault in faults:
        click.echo(str(fault), err=True)
    if faults:
        sys.exit(1)
    if not as_json:
        click.echo(f"{file}：没有发现错误。")


def _refuse(message: str) -> NoReturn:
    click.echo(message, err=True)
    sys.exit(1)


def _edition_document(edition: Edition) -> dict[str, Any]:
    return {
        "id": edition.id,
        "title": edition.title,
        "subject_kind": edition.subject_kind.value,
        "document": edition.norm.number,
        "issuer": edition.norm.issuer,
        "in_force_from": edition.in_force_from.isoformat(),
        "extends": edition.extends,
        "dates": [{"id": d.id, "label": d.label, "on": d.on.isoformat()} for d in edition.dates],
        "quotas": [
            {"id": q.id, "number": q.number, "per": q.per, "severity": q.severity.value}
            for q in edition.quotas
        ],
        "addressees": list(edition.addressees),
        "criteria": [c.id for c in edition.criteria],
    }


def _console() -> Console:
    """What people typed is printed as it stands: no brackets are taken for markup."""
    return Console(file=sys.stdout, markup=False, emoji=False, highlight=False)


def _show(organisation: Organisation, found: Evaluation) -> None:
    console = _console()
    heading = f"{organisation}　{found.edition.title}　{found.year} 年：{WORDS[found.verdict]}"
    # Nothing is cut off: a sentence that does not fit goes on in the next line.
    table = Table(title=heading, title_justify="left")
    for title, width in (("条款", 14), ("要求", 12), ("结论", 8), ("说明", 24)):
        table.add_column(title, overflow="fold", min_width=width)
    for finding in found.findings:
        clause = f"{finding.criterion.id}\n{finding.criterion.clause}"
        table.add_row(clause, finding.criterion.says, _verdict(finding), finding.node.explanation)
    console.print(table)
    if found.is_scored:
        low, high = plain(round(found.score_min, 6)), plain(round(found.score_max, 6))
        score = f"得分 {low}" if found.score is not None else f"得分区间 {low}—{high}（有缺项）"
        console.print(score)
    for note in found.notes:
        console.print(f"注：{note}")
    for finding in found.findings:
        if finding.verdict == Truth.NOT_MET:
            console.print(f"{finding.criterion.id} 不满足：{finding.criterion.says}")
        for missing in finding.node.supply:
            where = f"（{missing.where}）" if missing.where else ""
            console.print(f"{finding.criterion.id} 未知，须补充：{missing.label}{where}")


def _verdict(finding: Finding) -> str:
    words = WORDS[finding.verdict]
    if finding.exception_granted:
        return f"{words}（已准予例外）"
    if finding.exception_required:
        return f"{words}（须准予例外）"
    return words if finding.criterion.decides else f"{words}（不计入结论）"
