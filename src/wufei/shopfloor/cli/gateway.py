"""
`wufei gateway`: takes the readings of scales from an MQTT broker.

The broker is told that a message has arrived only after its reading is committed, and keeps it until then: so
broker, database and gateway may each go away at any moment. What comes twice is one reading (`services.accept`).
"""

import json
import queue
import signal
import threading
from collections.abc import Callable
from typing import Any

import click
import paho.mqtt.client as mqtt
from django.db import InterfaceError, OperationalError, close_old_connections, connection
from django.utils import timezone

from wufei.shopfloor import services
from wufei.shopfloor.broker import READINGS, Address, answers_topic, scale_of
from wufei.shopfloor.cli.connecting import chosen, client_for
from wufei.shopfloor.reading import Unreadable, parsed
from wufei.shopfloor.refusals import Code, ShopfloorRefused
from wufei.shopfloor.wording import TEXT, words_of_reading

Say = Callable[[dict[str, Any]], None]
LONGEST_PAUSE = 10.0  # seconds between two tries while the database is away


class Gateway:
    """One subscriber. The network has a thread of its own; readings are committed one after another in `run`."""

    def __init__(self, address: Address, *, name: str, say: Say):
        self.say = say
        self.stopped = threading.Event()
        self.arrived: queue.SimpleQueue[tuple[int, mqtt.MQTTMessage]] = queue.SimpleQueue()
        # Counts connections: what came over an earlier one comes again, under numbers that may mean others.
        self.connection = 0
        self.client = client_for(address, name=name, lasts=True, manual_ack=True)
        self.client.on_connect = self._on_connect
        self.client.on_subscribe = lambda *_: say({"event": "ready"})
        self.client.on_disconnect = self._on_disconnect
        self.client.on_message = lambda _client, _data, message: self.arrived.put((self.connection, message))

    def _on_connect(self, client: mqtt.Client, _data: Any, _flags: Any, reason: Any, _more: Any) -> None:
        if reason.is_failure:
            self.say({"event": "not_connected", "reason": str(reason)})
            return
        self.connection += 1
        client.subscribe(READINGS, qos=1)

    def _on_disconnect(self, _client: mqtt.Client, _data: Any, _flags: Any, reason: Any, _more: Any) -> None:
        self.connection += 1
        if not self.stopped.is_set():
            self.say({"event": "disconnected", "reason": str(reason)})

    def run(self) -> None:
        """Take readings until stopped."""
        self.client.loop_start()
        try:
            while not self.stopped.is_set():
                try:
                    came_over, message = self.arrived.get(timeout=0.25)
                except queue.Empty:
                    continue
                if came_over == self.connection:
                    self._take(came_over, message)
        finally:
            self.client.disconnect()
            self.client.loop_stop()

    def _take(self, came_over: int, message: mqtt.MQTTMessage) -> None:
        answer = self._committed(message)
        if answer is None:
            return  # stopped before it was: the broker has it still
        self.say({"event": "reading", **answer})
        text = json.dumps(answer, ensure_ascii=False)
        self.client.publish(answers_topic(scale_of(message.topic)), text, qos=1)
        if came_over == self.connection:
            self.client.ack(message.mid, message.qos)

    def _committed(self, message: mqtt.MQTTMessage) -> dict[str, Any] | None:
        """Return what is answered once it is committed; wait as long as the database is away."""
        pause = 0.5
        while not self.stopped.is_set():
            try:
                close_old_connections()
                return answer_to(message.topic, bytes(message.payload))
            except (OperationalError, InterfaceError) as away:
                connection.close()
                self.say({"event": "database_away", "reason": str(away).splitlines()[0]})
                self.stopped.wait(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
        return None


def answer_to(topic: str, payload: bytes) -> dict[str, Any]:
    """Return what the sender of a message is told."""
    try:
        message, signature = parsed(payload)
    except Unreadable as why:
        return _refused(None, Code.NOT_READABLE, why.field)
    if message.scale != scale_of(topic):
        return _refused(message.sequence, Code.SCALE_UNKNOWN, message.scale)
    try:
        answer = services.accept(message=message, signature=signature, now=timezone.now())
    except ShopfloorRefused as refused:
        return _refused(message.sequence, refused.code, refused.detail)
    return {
        "scale": answer.scale, "sequence": answer.sequence, "accepted": not answer.refusal,
        "code": answer.refusal or None, "message": words_of_reading(answer.refusal, answer.waits_because),
        "movement": answer.movement, "received_at": timezone.localtime(answer.received_at).isoformat(),
    }  # fmt: skip


def _refused(sequence: int | None, code: Code, detail: str) -> dict[str, Any]:
    return {
        "scale": None, "sequence": sequence, "accepted": False, "code": code.value, "message": TEXT[code],
        "detail": detail, "movement": None, "received_at": None,
    }  # fmt: skip


EVENTS = {
    "ready": "已连上 MQTT 服务器，等待读数（Ctrl-C 停止）。",
    "disconnected": "与 MQTT 服务器的连接断了，正在重连：{reason}",
    "not_connected": "MQTT 服务器不让连接，稍后再试：{reason}",
    "database_away": "数据库不可用，读数留在 MQTT 服务器上，稍后再试：{reason}",
    "reading": "{scale} #{sequence} {message}",
}


@click.command()
@click.option("--broker", metavar="HOST:PORT", help="MQTT 服务器；不写则用环境变量 WUFEI_BROKER。")
@click.option(
    "--name", default="wufei-gateway", show_default=True, help="在 MQTT 服务器上的名字，每个网关一个。"
)
@click.option("--json", "as_json", is_flag=True, help="每件事输出一行 JSON。")
def gateway(broker: str | None, name: str, as_json: bool) -> None:
    """从 MQTT 服务器接收秤的读数，直到停止。"""

    def say(event: dict[str, Any]) -> None:
        line = json.dumps(event, ensure_ascii=False) if as_json else EVENTS[event["event"]].format(**event)
        click.echo(line)

    running = Gateway(chosen(broker), name=name, say=say)
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: running.stopped.set())
    running.run()
