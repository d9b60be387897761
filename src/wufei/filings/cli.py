"""`wufei plan`: a year's management plan for hazardous waste as a file."""

import io
import json
import sys
from pathlib import Path
from typing import Any

import click

from wufei.filings import plan, plan_documents, queries
from wufei.filings.plan import Filed
from wufei.registry.models import Organisation
from wufei.terms.arguments import OutFile

ENDINGS = ("xlsx", "pdf", "json")


@click.command(name="plan")
@click.argument("uscc")
@click.option("--year", required=True, type=click.IntRange(1949, 2200), help="年度。")
@click.option(
    "--out", required=True, type=OutFile(), help="写到哪个文件：.xlsx、.pdf 或 .json。"
)  # fmt: skip
@click.option(
    "--number", default=0, type=click.IntRange(0, 10**6), help="第几版；不写为现行的一版，没有备案的用草稿。"
)
@click.option("--json", "as_json", is_flag=True, help="供机器读取的输出。")
def plan_command(uscc: str, year: int, out: Path, number: int, as_json: bool) -> None:
    """写出一年的危险废物管理计划（HJ 1259-2022 附录A）。"""
    ending = out.suffix.lower().removeprefix(".")
    if ending not in ENDINGS:
        raise click.UsageError(f"文件名应以 {'、'.join(f'.{each}' for each in ENDINGS)} 结尾。")
    organisation = Organisation.objects.filter(uscc=uscc.strip().upper()).first()
    if organisation is None:
        click.echo(f"没有统一社会信用代码为 {uscc} 的单位。请核对代码。", err=True)
        sys.exit(1)
    filed = _plan(organisation, year, number)
    if filed is None:
        which = f"第 {number} 版" if number else ""
        click.echo(f"{organisation.name} {year} 年没有{which}管理计划；请先在“管理计划”页编制。", err=True)
        sys.exit(1)
    content = io.BytesIO()
    if ending == "json":
        content.write(json.dumps(plan.document(filed), ensure_ascii=False, indent=1).encode())
    else:
        writer: Any = plan_documents.WRITERS[ending]
        writer(content, filed)
    out.write_bytes(content.getvalue())
    if as_json:
        said = {
            "organisation": uscc,
            "year": year,
            "number": filed.number or None,
            "sha256": filed.digest or None,
        }
        click.echo(json.dumps(said | {"file": str(out)}, ensure_ascii=False))
    else:
        click.echo(f"已写到 {out}：{plan_documents.state_of(filed)}。")


def _plan(organisation: Organisation, year: int, number: int) -> Filed | None:
    rows = queries.filed_plans(organisation=organisation, year=year)
    row = (rows.filter(number=number) if number else rows).first()
    if row is not None:
        return queries.plan_handed_out(row, organisation=organisation)
    draft = queries.drafted(organisation=organisation, year=year) if not number else None
    return queries.draft_handed_out(draft, organisation=organisation) if draft else None
