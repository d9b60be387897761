"""`wufei tracker`: register and list trackers, watch for silence, delete what is old, and pretend to be a lorry."""

import json
import signal
import sys
import threading
import time
from collections import Counter
from datetime import timedelta
from typing import Any

import click
from django.db import InterfaceError, OperationalError, close_old_connections
from django.utils import timezone
from rich.console import Console
from rich.table import Table

from wufei.registry.models import Organisation
from wufei.registry.services import operator
from wufei.shopfloor.cli.connecting import chosen
from wufei.shopfloor.cli.sending import OverHttp, OverMqtt, Sender
from wufei.shopfloor.signing import new_secret, signature
from wufei.tracking import queries, services
from wufei.tracking.limits import LONGEST_BATCH, limits
from wufei.tracking.models import Tracker
from wufei.tracking.refusals import TrackingRefused
from wufei.tracking.simulating import Fault, batches
from wufei.tracking.topics import answers_topic, positions_topic
from wufei.tracking.wording import TEXT


@click.group("tracker")
def tracker() -> None:
    """登记和查看车载定位终端，监看失联，删除到期的位置，或模拟一辆车。"""


def _organisation(uscc: str) -> Organisation:
    found = Organisation.objects.filter(uscc=uscc.upper()).first()
    if found is None:
        click.echo(f"没有统一社会信用代码为 {uscc} 的单位。请核对代码。", err=True)
        sys.exit(1)
    return found


@tracker.command()
@click.argument("uscc")
@click.option("--plate", required=True, help="车牌号；车辆须已登记。")
@click.option("--name", required=True, help="名称，如 车头终端。")
@click.option("--json", "as_json", is_flag=True, help="供机器读取的输出。")
def register(uscc: str, plate: str, name: str, as_json: bool) -> None:
    """给一辆车登记终端，输出它的编码和密钥；密钥只显示这一次。"""
    try:
        row, secret = services.register_tracker(
            organisation=_organisation(uscc), name=name, plate=plate, by=operator(), now=timezone.now()
        )
    except TrackingRefused as refused:
        click.echo(TEXT[refused.code], err=True)
        sys.exit(1)
    if as_json:
        click.echo(json.dumps({"code": row.code, "secret": secret}, ensure_ascii=False))
    else:
        click.echo(f"终端编码 {row.code}\n密钥     {secret}\n密钥只显示这一次，请写入终端。")


@tracker.command("list")
@click.argument("uscc")
@click.option("--json", "as_json", is_flag=True, help="供机器读取的输出。")
def list_command(uscc: str, as_json: bool) -> None:
    """列出一个单位的车载终端。"""
    rows = list(queries.trackers(organisation=_organisation(uscc)).order_by("vehicle__plate", "name", "pk"))
    if as_json:
        click.echo(json.dumps({"trackers": [_plain(row) for row in rows]}, ensure_ascii=False))
        return
    table = Table("编码", "车牌号", "名称", "状态", "最近收到")
    for row in rows:
        said = _plain(row)
        state = "停用" if said["is_retired"] else "在用"
        table.add_row(row.code, said["plate"], row.name, state, said["last_received_at"] or "—")
    Console(markup=False, highlight=False).print(table)


def _plain(row: Tracker) -> dict[str, Any]:
    assert row.vehicle is not None, "a device is in a vehicle"
    last = row.last_received_at  # type: ignore[attr-defined]  # annotated
    return {
        "code": row.code, "name": row.name, "plate": row.vehicle.plate, "is_retired": row.retired_at is not None,
        "last_received_at": timezone.localtime(last).isoformat() if last else None,
    }  # fmt: skip


@tracker.command()
@click.option("--every", default=60, show_default=True, type=click.IntRange(5, 3600), help="每多少秒看一次。")
@click.option("--once", is_flag=True, help="只看一次。")
@click.option("--json", "as_json", is_flag=True, help="供机器读取的输出。")
def watch(every: int, once: bool, as_json: bool) -> None:
    """监看在途车辆，发现失联等情况即开出提醒，直到停止；`wufei serve` 已带着它。"""
    if once:
        seen = services.watch(now=timezone.now())
        click.echo(json.dumps({"judged": seen}) if as_json else f"看过 {seen} 段运输。")
        return
    stopped = threading.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: stopped.set())
    while not stopped.is_set():
        try:
            close_old_connections()
            services.watch(now=timezone.now())
        except (OperationalError, InterfaceError) as away:  # it comes back, or an operator sees why not
            click.echo(f"数据库不可用，稍后再看：{str(away).splitlines()[0]}", err=True)
        stopped.wait(every)


@tracker.command()
@click.option("--json", "as_json", is_flag=True, help="供机器读取的输出。")
def purge(as_json: bool) -> None:
    """删除保存期满的位置；里程、时长、校验值和提醒保留。"""
    done = services.delete_old_positions(by=operator(), now=timezone.now())
    if as_json:
        click.echo(json.dumps({"positions": done.positions, "tracks": done.tracks}))
    else:
        days = limits().kept.days
        click.echo(f"已删除 {days} 天以前的 {done.positions} 个位置，{done.tracks} 段轨迹只留汇总。")


@tracker.command()
@click.argument("code")
@click.option("--http", "site", metavar="URL", help="经 HTTP 发给这个网站，如 http://127.0.0.1:8000。")
@click.option("--broker", metavar="HOST:PORT", help="经 MQTT 发；不写 --http 时默认用环境变量 WUFEI_BROKER。")
@click.option(
    "--positions", "count", default=60, show_default=True, type=click.IntRange(1, 100_000), help="位置个数。"
)
@click.option(
    "--every",
    default=30,
    show_default=True,
    type=click.IntRange(1, 3600),
    help="相隔多少秒；最后一个是现在。",
)
@click.option(
    "--batch",
    "size",
    default=50,
    show_default=True,
    type=click.IntRange(1, LONGEST_BATCH),
    help="每次发几个。",
)
@click.option("--fault", type=click.Choice([each.value for each in Fault]), help="路上有这种情况或毛病。")
@click.option("--secret", help="密钥；终端登记在本机数据库里时不用写。")
@click.option("--sequence", "first", type=click.IntRange(1), help="从这个序号起；默认接着上一个。")
@click.option(
    "--patience", default=60, show_default=True, type=click.IntRange(1, 3600), help="每次等多少秒。"
)
@click.option("--json", "as_json", is_flag=True, help="供机器读取的输出。")
def simulate(code: str, count: int, fault: str | None, as_json: bool, **said: Any) -> None:
    """模拟一辆车，发出一路的位置，没有答复就重发。"""
    if said["site"] and said["broker"]:
        raise click.UsageError("--http 和 --broker 只能写一个。")
    known = Tracker.objects.filter(code=code, kind=Tracker.Kind.DEVICE).first()
    secret = said["secret"] or (known.secret if known else None)
    if secret is None:
        raise click.UsageError(f"本机没有登记终端 {code}：请用 --secret 写明它的密钥。")
    wanted = Fault(fault) if fault else None
    if wanted is Fault.SIGNATURE:
        secret = new_secret()
    outcome: Counter[str] = Counter()
    sender: Sender = (
        OverHttp(said["site"], below="trackers/{}/positions")
        if said["site"]
        else OverMqtt(chosen(said["broker"]), code, topic=positions_topic, answers=answers_topic)
    )
    first = said["first"] or (queries.next_sequence(tracker=known) if known else 1)
    told = batches(
        tracker=code, first=first, count=count, every=timedelta(seconds=said["every"]), size=said["size"],
        until=timezone.localtime(), fault=wanted,
    )  # fmt: skip
    try:
        for batch in told:
            answer = sender.send(batch, signature(batch, secret), time.monotonic() + said["patience"])
            _count(outcome, answer, len(batch.positions))
            if not as_json:
                words = (answer or {}).get("message", "没有答复")
                click.echo(f"#{batch.positions[0].sequence}–{batch.sequence} {words}")
    finally:
        sender.close()
    if as_json:
        click.echo(json.dumps({"sent": count, **dict(sorted(outcome.items()))}, ensure_ascii=False))
    is_spoilt = wanted is not None and wanted not in (Fault.STOP, Fault.DETOUR)
    sys.exit(1 if outcome["unanswered"] or (not is_spoilt and outcome["accepted"] < count) else 0)


def _count(outcome: Counter[str], answer: dict[str, Any] | None, size: int) -> None:
    """Count what became of the positions: by both doors' words."""
    if answer is None:
        outcome["unanswered"] += size
        return
    refused = answer.get("refused") or answer.get("details") or []
    for each in refused:
        outcome[each["code"]] += 1
    accepted = answer.get("accepted", 0)
    outcome["accepted"] += accepted
    outcome["outliers"] += answer.get("outliers", 0)
    if not refused and not accepted:
        outcome[answer["code"]] += size
