"""`wufei case`: the official case file of an organisation, from its ledger."""

import json
import sys
from pathlib import Path
from typing import NoReturn

import click
from django.utils import timezone
from rich.console import Console
from rich.table import Table

from wufei.cases import amounts, provenance, queries, services
from wufei.cases.refusals import sentence
from wufei.policies.criteria import WORDS
from wufei.policies.queries import known_editions
from wufei.registry.models import Organisation
from wufei.registry.services import operator
from wufei.terms.arguments import why


@click.command()
@click.argument("uscc")
@click.option("--edition", "edition_id", metavar="ID", required=True, help="版本编号，见 wufei editions。")
@click.option("--year", type=click.IntRange(1949, 2200), required=True, help="数据年度（最后一个完整年份）。")
@click.option(
    "--out",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="写入的文件夹。",
)
@click.option("--json", "as_json", is_flag=True, help="供机器读取的输出。")
def case(uscc: str, edition_id: str, year: int, out: Path, as_json: bool) -> None:
    """生成典型案例申报书、汇总表和数据来源（provenance.json）。"""
    organisation = Organisation.objects.filter(uscc=uscc.strip().upper()).first()
    if organisation is None:
        _refuse(f"没有统一社会信用代码为 {uscc} 的单位。请核对代码，或先用 wufei import 导入。")
    produced = _produce(organisation, edition_id, year)
    files = _write(produced, out)
    for requirement in produced.requirements:
        click.echo(
            f"{requirement.verdict}：{requirement.id} {requirement.says}{requirement.explanation}", err=True
        )
    if as_json:
        answer = {
            "organisation": organisation.uscc,
            "edition": edition_id,
            "year": year,
            "files": {name: str(path) for name, path in files.items()},
            "verdict": produced.verdict.value,
            "open_requirements": [provenance.requirement_document(r) for r in produced.requirements],
            "numbers": produced.number_count,
        }
        click.echo(json.dumps(answer, ensure_ascii=False))
    else:
        _show(organisation, produced, files)


def _produce(organisation: Organisation, edition_id: str, year: int) -> services.Produced:
    now, by = timezone.now(), operator()
    try:
        draft = services.open_case(
            organisation=organisation, edition_id=edition_id, year=year, by=by, now=now
        )
        return services.produce(case=draft, by=by, now=now)
    except queries.NoCaseFile as refused:
        if refused.code == "edition_unknown":
            _refuse(f"没有版本“{edition_id}”。现有：{'、'.join(known_editions())}。")
        if refused.code == "subject_kind_differs":
            kind = organisation.get_kind_display()
            _refuse(
                f"版本“{edition_id}”的对象与{organisation.name}的单位类型（{kind}）不符；请换用相应的版本。"
            )
        _refuse(sentence(refused.code))
    except (services.DraftRefused, services.LedgerChanging) as refused:
        _refuse(sentence(refused.code))


def _write(produced: services.Produced, out: Path) -> dict[str, Path]:
    files = {name: out / name for name in produced.files}
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, path in files.items():
            path.write_bytes(produced.files[name])
    except OSError as error:
        _refuse(f"不能写入“{out}”（{why(error)}）；请检查路径和权限，文件若正打开请先关闭。")
    return files


def _show(organisation: Organisation, produced: services.Produced, files: dict[str, Path]) -> None:
    table = Table(
        "文件", "路径", "大小", title=f"{organisation}　自评：{WORDS[produced.verdict]}", title_justify="left"
    )
    for name, path in files.items():
        table.add_row(name, str(path), amounts.file_size(path.stat().st_size))
    console = Console(file=sys.stdout, markup=False, highlight=False)
    console.print(table)
    console.print(f"文书中共有 {produced.number_count} 个数，来源见 provenance.json。")


def _refuse(message: str) -> NoReturn:
    click.echo(message, err=True)
    sys.exit(1)
