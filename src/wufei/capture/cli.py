"""`wufei template`, `wufei import`."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar
from rich.table import Table

from wufei.capture.faults import WorkbookRefused
from wufei.capture.reading import Progress
from wufei.capture.safe_opening import read_file
from wufei.capture.template import template as template_content
from wufei.terms.arguments import why

if TYPE_CHECKING:
    from wufei.capture.services import ImportResult

PHASES = {"reading": "读取", "checking": "检查", "posting": "记账"}
MAX_SHOWN = 50


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="以 JSON 输出。")
def template(file: Path, as_json: bool) -> None:
    """写出一个空的数据工作簿（.xlsx）：带下拉列表、各列说明和一行导入时忽略的示例。"""
    try:
        file.write_bytes(template_content())
    except OSError as error:
        click.echo(f"写不了文件“{file}”：{why(error)}；请检查文件夹和权限。", err=True)
        sys.exit(1)
    if as_json:
        click.echo(json.dumps({"file": str(file)}, ensure_ascii=False))
    else:
        click.echo(f"已写出模板：{file}。填好后用 wufei import {file} 导入。")


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--accept-valid", is_flag=True, help="只导入正确的行；其余写入同目录的错误行工作簿，改正后可再导入。"
)
@click.option("--dry-run", is_flag=True, help="只检查，不记账。")
@click.option("--json", "as_json", is_flag=True, help="以 JSON 输出。")
def import_command(file: Path, accept_valid: bool, dry_run: bool, as_json: bool) -> None:
    """
    导入数据工作簿：全部记账，或一行也不记。单位尚未登记的，先登记。

    退出码：0 已导入（或此前都已导入）；1 有错误而没有导入。加 --accept-valid 时，
    只要有正确的内容已导入即为 0，即使还列出了错误。
    """
    from django.utils import timezone  # app ready

    from wufei.capture import services  # app ready
    from wufei.registry.services import operator  # app ready

    try:
        content = read_file(file)
    except WorkbookRefused as refused:
        result = services.ImportResult(errors=(refused.fault,))
    else:
        with _shown_progress(as_json) as progress:
            result = services.import_workbook(
                content=content,
                by=operator(),
                now=timezone.now(),
                accept_valid=accept_valid,
                dry_run=dry_run,
                may_create_organisation=True,
                progress=progress,
            )
    path = _write_rejects(file, result) if result.is_taken and not dry_run else None
    _print(result, path, as_json)
    sys.exit(0 if result.is_taken else 1)


@contextmanager
def _shown_progress(as_json: bool) -> Iterator[Progress | None]:
    """Show a bar for each phase on standard error."""
    if as_json:
        yield None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        bars: dict[str, Any] = {}

        def report(phase: str, done: int, total: int) -> None:
            if phase not in bars:
                bars[phase] = bar.add_task(PHASES[phase], total=total)
            bar.update(bars[phase], completed=done, total=total)

        yield report


def _write_rejects(file: Path, result: "ImportResult") -> Path | None:
    if result.rejects is None:
        return None
    path = next(p for p in _free_names(file) if not p.exists())
    try:
        path.write_bytes(result.rejects)
    except OSError as error:  # what is sound was taken already
        click.echo(
            f"错误行工作簿写不了“{path}”：{why(error)}；请改正原工作簿后再导入，已导入的行不会重复。",
            err=True,
        )
        return None
    return path


def _free_names(file: Path) -> Iterator[Path]:
    yield file.with_name(f"{file.stem}-错误行.xlsx")
    number = 2
    while True:
        yield file.with_name(f"{file.stem}-错误行-{number}.xlsx")
        number += 1


def _print(result: "ImportResult", rejects: Path | None, as_json: bool) -> None:
    if as_json:
        said = result.as_dict() | ({"rejects": str(rejects)} if rejects else {})
        click.echo(json.dumps(said, ensure_ascii=False))
        return
    if result.organisation:
        click.echo(
            f"单位 {result.organisation}：台账记账 {result.posted} 行，跳过已导入的 {result.skipped} 行。"
        )
    for notice in result.notices:
        click.echo(f"提示：{notice}")
    if result.errors:
        _print_errors(result)
    if rejects:
        click.echo(f"错误的行已写入：{rejects}；改正后可再导入。")


def _print_errors(result: "ImportResult") -> None:
    table = Table(title=f"错误 {len(result.errors)} 处", title_justify="left")
    for title in ("工作表", "行", "列", "错误"):
        table.add_column(title, overflow="fold")
    for fault in result.errors[:MAX_SHOWN]:
        table.add_row(fault.sheet or "", str(fault.row or ""), fault.column or "", fault.message)
    Console(stderr=True, markup=False, emoji=False, highlight=False).print(table)
    if len(result.errors) > MAX_SHOWN:
        click.echo(f"另有 {len(result.errors) - MAX_SHOWN} 处，用 --json 看全部。", err=True)
