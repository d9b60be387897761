"""`wufei scale`: register and list scales, and a pretended scale to try the gateway with."""

import json
import sys
import time
from collections import Counter
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import click
from django.utils import timezone
from rich.console import Console
from rich.table import Table

from wufei.registry.models import Organisation
from wufei.registry.services import operator
from wufei.shopfloor import queries, services
from wufei.shopfloor.cli.connecting import chosen
from wufei.shopfloor.cli.sending import OverHttp, OverMqtt, Sender
from wufei.shopfloor.models import Scale
from wufei.shopfloor.refusals import ShopfloorRefused
from wufei.shopfloor.signing import new_secret, signature
from wufei.shopfloor.simulating import Fault, messages
from wufei.shopfloor.wording import TEXT
from wufei.terms.day import local_day
from wufei.terms.mass import InexactMass, Mass

CALIBRATION = {"valid": "有效", "soon": "即将到期", "over": "已过期"}


@click.group("scale")
def scale() -> None:
    """登记和查看秤，或模拟一台秤。"""


def _organisation(uscc: str) -> Organisation:
    found = Organisation.objects.filter(uscc=uscc.upper()).first()
    if found is None:
        click.echo(f"没有统一社会信用代码为 {uscc} 的单位。请核对代码。", err=True)
        sys.exit(1)
    return found


HEAVIEST = Mass.of(Decimal(1_000), "吨")  # no scale weighs more


def _kilograms(_context: click.Context, parameter: click.Parameter, said: str) -> Mass:
    try:
        mass = Mass.of(Decimal(said), "千克")
    except (InvalidOperation, InexactMass, ValueError, OverflowError):
        raise click.BadParameter("应为千克数，精确到克，如 60 或 0.01。", param=parameter) from None
    if mass.grams > HEAVIEST.grams:
        raise click.BadParameter(f"不应超过 {HEAVIEST.tonnes:,f} 吨。", param=parameter)
    return mass


@scale.command()
@click.argument("uscc")
@click.option("--name", required=True, help="名称，如 一号秤。")
@click.option("--store", required=True, help="所在贮存设施的编码。")
@click.option("--capacity", required=True, callback=_kilograms, metavar="KG", help="最大秤量，千克。")
@click.option("--division", required=True, callback=_kilograms, metavar="KG", help="分度值，千克。")
@click.option(
    "--calibrated-until", required=True, type=click.DateTime(["%Y-%m-%d"]), help="检定有效期的最后一天。"
)
@click.option("--post", "stream", default="", help="收到读数即记为这种废物的产生；不写则等工人取用。")
@click.option("--json", "as_json", is_flag=True, help="供机器读取的输出。")
def register(uscc: str, calibrated_until: datetime, as_json: bool, **said: Any) -> None:
    """登记一台秤，输出它的编码和密钥；密钥只显示这一次。"""
    try:
        row, secret = services.register_scale(
            organisation=_organisation(uscc), calibrated_until=calibrated_until.date(), by=operator(),
            now=timezone.now(), **said,
        )  # fmt: skip
    except ShopfloorRefused as refused:
        click.echo(TEXT[refused.code], err=True)
        sys.exit(1)
    if as_json:
        click.echo(json.dumps({"code": row.code, "secret": secret}, ensure_ascii=False))
    else:
        click.echo(f"秤编码 {row.code}\n密钥   {secret}\n密钥只显示这一次，请写入秤或采集器。")


@scale.command("list")
@click.argument("uscc")
@click.option("--json", "as_json", is_flag=True, help="供机器读取的输出。")
def list_command(uscc: str, as_json: bool) -> None:
    """列出一个单位的秤。"""
    today = local_day(timezone.now())
    rows = list(queries.scales(organisation=_organisation(uscc)).order_by("name", "pk"))
    if as_json:
        click.echo(json.dumps({"scales": [_plain(row) for row in rows]}, ensure_ascii=False))
        return
    table = Table("编码", "名称", "设施", "最大秤量", "检定至", "收到读数后", "等待取用")
    for row in rows:
        state = "停用" if row.retired_at else CALIBRATION[queries.calibration(scale=row, on=today)]
        table.add_row(
            row.code, row.name, row.store.code, f"{row.capacity_g:,} 克", f"{row.calibrated_until} {state}",
            f"记为 {row.stream.code}" if row.stream else "等工人取用", str(_waiting(row)),
        )  # fmt: skip
    Console(markup=False, highlight=False).print(table)


def _waiting(row: Scale) -> int:
    return row.waiting or 0  # type: ignore[attr-defined]  # annotated


def _plain(row: Scale) -> dict[str, Any]:
    return {
        "code": row.code, "name": row.name, "store": row.store.code, "capacity_g": row.capacity_g,
        "division_g": row.division_g, "calibrated_until": row.calibrated_until.isoformat(),
        "stream": row.stream.code if row.stream else None, "is_retired": row.retired_at is not None,
        "waiting": _waiting(row),
    }  # fmt: skip


@scale.command()
@click.argument("code")
@click.option("--http", "site", metavar="URL", help="经 HTTP 发给这个网站，如 http://127.0.0.1:8000。")
@click.option("--broker", metavar="HOST:PORT", help="经 MQTT 发；不写 --http 时默认用环境变量 WUFEI_BROKER。")
@click.option(
    "--readings", "count", default=1, show_default=True, type=click.IntRange(1, 100_000), help="条数。"
)
@click.option("--fault", type=click.Choice([each.value for each in Fault]), help="读数带这种毛病。")
@click.option("--secret", help="密钥；秤登记在本机数据库里时不用写。")
@click.option("--sequence", "first", type=click.IntRange(1), help="从这个序号起；默认接着上一条。")
@click.option(
    "--patience", default=60, show_default=True, type=click.IntRange(1, 3600), help="每条等多少秒。"
)
@click.option("--json", "as_json", is_flag=True, help="供机器读取的输出。")
def simulate(code: str, count: int, fault: str | None, patience: int, as_json: bool, **said: Any) -> None:
    """模拟一台秤，发出读数，没有答复就重发。"""
    if said["site"] and said["broker"]:
        raise click.UsageError("--http 和 --broker 只能写一个。")
    known = Scale.objects.filter(code=code).first()
    secret = said["secret"] or (known.secret if known else None)
    if secret is None:
        raise click.UsageError(f"本机没有登记秤 {code}：请用 --secret 写明它的密钥。")
    if fault == Fault.SIGNATURE:
        secret = new_secret()
    first = said["first"] or (queries.next_sequence(scale=known) if known else 1)
    wanted = Fault(fault) if fault else None
    sender: Sender = OverHttp(said["site"]) if said["site"] else OverMqtt(chosen(said["broker"]), code)
    outcome: Counter[str] = Counter()
    try:
        for number in range(first, first + count):
            # Each at its own time, as a scale does; what needs a sound one before it brings its own.
            start = number + (number - first if wanted in (Fault.BACKWARDS, Fault.REUSED) else 0)
            for message in messages(scale=code, first=start, count=1, fault=wanted, now=timezone.localtime()):
                answer = sender.send(message, signature(message, secret), time.monotonic() + patience)
                outcome["unanswered" if answer is None else answer["code"] or "accepted"] += 1
                if not as_json:
                    click.echo(
                        f"#{message.sequence} {message.net} {message.unit} {(answer or {}).get('message', '没有答复')}"
                    )
    finally:
        sender.close()
    if as_json:
        click.echo(json.dumps({"sent": outcome.total(), **dict(sorted(outcome.items()))}, ensure_ascii=False))
    sys.exit(1 if outcome["unanswered"] or (fault is None and outcome["accepted"] < count) else 0)
