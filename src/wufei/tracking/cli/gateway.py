"""
`wufei gateway`: takes the readings of scales and the positions of vehicles from an MQTT broker.

What is answered was committed: see `shopfloor.cli.gateway`.
"""

import json
import signal
from typing import Any

import click
from django.utils import timezone

from wufei.shopfloor.cli.connecting import chosen
from wufei.shopfloor.cli.gateway import SCALES, Channel, Gateway
from wufei.tracking import services
from wufei.tracking.positions import Unreadable, parsed
from wufei.tracking.refusals import Code, TrackingRefused
from wufei.tracking.services import Answer
from wufei.tracking.topics import POSITIONS, answers_topic, tracker_of
from wufei.tracking.wording import POSITION_TEXT, TEXT, words_of_answer


def answer_to(topic: str, payload: bytes) -> dict[str, Any]:
    """Return what the sender of positions is told."""
    try:
        batch, signature = parsed(payload)
    except Unreadable as why:
        return _refused(None, Code.NOT_READABLE, why.field)
    if batch.tracker != tracker_of(topic):
        return _refused(batch.sequence, Code.TRACKER_UNKNOWN, batch.tracker)
    try:
        return said(services.accept(batch=batch, signature=signature, now=timezone.now()))
    except TrackingRefused as refused:
        return _refused(batch.sequence, refused.code, refused.detail)


def said(answer: Answer) -> dict[str, Any]:
    """Return an answer as a tracker reads it; `code` is the first refusal's."""
    refused = [
        {"sequence": number, "code": why.value, "message": POSITION_TEXT[why]}
        for number, why in sorted(answer.refusals.items())
    ]
    return {
        "tracker": answer.tracker, "sequence": answer.sequence, "accepted": answer.accepted,
        "outliers": answer.outliers, "refused": refused, "code": refused[0]["code"] if refused else None,
        "message": words_of_answer(answer.refusals, answer.outliers),
        "received_at": timezone.localtime(answer.received_at).isoformat(),
    }  # fmt: skip


def _refused(sequence: int | None, code: Code, detail: str) -> dict[str, Any]:
    return {
        "tracker": None, "sequence": sequence, "accepted": 0, "outliers": 0, "refused": [], "code": code.value,
        "message": TEXT[code], "detail": detail, "received_at": None,
    }  # fmt: skip


VEHICLES = Channel(POSITIONS, "positions", answer_to, lambda topic: answers_topic(tracker_of(topic)))
CHANNELS = (SCALES, VEHICLES)
EVENTS = {
    "ready": "已连上 MQTT 服务器，等待读数（Ctrl-C 停止）。",
    "disconnected": "与 MQTT 服务器的连接断了，正在重连：{reason}",
    "not_connected": "MQTT 服务器不让连接，稍后再试：{reason}",
    "database_away": "数据库不可用，读数留在 MQTT 服务器上，稍后再试：{reason}",
    "reading": "{scale} #{sequence} {message}",
    "positions": "{tracker} #{sequence} {message}",
}


@click.command()
@click.option("--broker", metavar="HOST:PORT", help="MQTT 服务器；不写则用环境变量 WUFEI_BROKER。")
@click.option(
    "--name", default="wufei-gateway", show_default=True, help="在 MQTT 服务器上的名字，每个网关一个。"
)
@click.option("--json", "as_json", is_flag=True, help="每件事输出一行 JSON。")
def gateway(broker: str | None, name: str, as_json: bool) -> None:
    """从 MQTT 服务器接收秤的读数和车辆的位置，直到停止。"""

    def say(event: dict[str, Any]) -> None:
        line = json.dumps(event, ensure_ascii=False) if as_json else EVENTS[event["event"]].format(**event)
        click.echo(line)

    running = Gateway(chosen(broker), name=name, say=say, channels=CHANNELS)
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: running.stopped.set())
    running.run()
