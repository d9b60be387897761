"""Commands on the ledger: `wufei verify`, `wufei seal`."""

import json
import sys
from pathlib import Path

import click
from django.utils import timezone
from rich.console import Console
from rich.table import Table

from wufei.ledger import queries, services
from wufei.ledger.models import DailyRoot
from wufei.ledger.posting import Fault
from wufei.ledger.timestamp import TimestampInvalid, request_for, timestamp_of
from wufei.registry.models import Organisation
from wufei.registry.services import operator


@click.command()
@click.argument("uscc", required=False)
@click.option("--authority", type=click.Path(exists=True, path_type=Path), help="时间戳机构的证书（PEM）。")
@click.option("--json", "as_json", is_flag=True, help="供机器读取的输出。")
def verify(uscc: str | None, authority: Path | None, as_json: bool) -> None:
    """重算哈希链、结存、月度合计和日根，指出第一处不对的记录。"""
    organisation = None
    if uscc and (organisation := Organisation.objects.filter(uscc=uscc).first()) is None:
        click.echo(f"没有统一社会信用代码为 {uscc} 的单位。请核对代码，或先用 wufei import 导入。", err=True)
        sys.exit(1)
    result = services.verify(organisation=organisation, by=operator(), now=timezone.now())
    faults = [*result.faults, *(queries.timestamp_faults(authority.read_bytes()) if authority else ())]
    if as_json:
        said = {
            "movements": result.movements,
            "ok": not faults,
            "faults": [{"movement": f.movement, "kind": f.kind, "message": f.message} for f in faults],
        }
        click.echo(json.dumps(said, ensure_ascii=False))
    else:
        _show(result.movements, faults)
    sys.exit(1 if faults else 0)


def _show(movements: int, faults: list[Fault]) -> None:
    console = Console(markup=False, highlight=False)
    if not faults:
        console.print(f"{movements} 条记录，链、结存、月度合计、日根全部相符。")
        return
    table = Table("记录", "类型", "说明")
    for fault in faults:
        table.add_row(str(fault.movement or "—"), fault.kind, fault.message)
    console.print(table)


@click.command()
@click.option("--request", type=click.Path(path_type=Path), help="把时间戳请求（.tsq）写到这个文件。")
@click.option(
    "--response", type=click.Path(exists=True, path_type=Path), help="收下时间戳机构的答复（.tsr）。"
)
@click.option("--authority", type=click.Path(exists=True, path_type=Path), help="时间戳机构的证书（PEM）。")
@click.option("--json", "as_json", is_flag=True, help="供机器读取的输出。")
def seal(request: Path | None, response: Path | None, authority: Path | None, as_json: bool) -> None:
    """给今天各单位的链尾加一个总的哈希（日根），并可加盖可信时间戳。"""
    if response and not authority:
        raise click.UsageError("收下答复须同时给出 --authority 证书，以便核对。")
    now = timezone.now()
    if response and authority:
        root = DailyRoot.objects.order_by("-day").first()
        if root is None:
            click.echo("还没有日根。请先运行 wufei seal --request FILE。", err=True)
            sys.exit(1)
        try:
            timestamp_of(root=root.root, response=response.read_bytes(), authority_pem=authority.read_bytes())
        except TimestampInvalid as why:
            click.echo(f"时间戳答复与 {root.day} 的日根不符，未收下：{why}", err=True)
            sys.exit(1)
        services.attach_timestamp(root=root, response=response.read_bytes(), by=operator(), now=now)
    else:
        root = services.seal_day(by=operator(), now=now)
        if request:
            request.write_bytes(request_for(root.root))
    said = {
        "day": root.day.isoformat(),
        "root": root.root,
        "algorithm": root.algorithm,
        "chains": len(root.heads),
    }
    click.echo(
        json.dumps(said, ensure_ascii=False)
        if as_json
        else f"{root.day} 日根 {root.root}（{len(root.heads)} 条链）"
    )
