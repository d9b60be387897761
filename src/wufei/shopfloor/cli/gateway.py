"""
A gateway: takes what devices say from an MQTT broker; scales here, and what else the rooms above listen to.

The broker is told that a message has arrived only after its reading is committed, and keeps it until then: so
broker, database and gateway may each go away at any moment. What comes twice is one reading (`services.accept`).
"""

import json
import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import paho.mqtt.client as mqtt
from django.db import InterfaceError, OperationalError, close_old_connections, connection
from django.utils import timezone

from wufei.shopfloor import services
from wufei.shopfloor.broker import READINGS, Address, answers_topic, scale_of
from wufei.shopfloor.cli.connecting import client_for
from wufei.shopfloor.reading import Unreadable, parsed
from wufei.shopfloor.refusals import Code, ShopfloorRefused
from wufei.shopfloor.wording import TEXT, words_of_reading

Say = Callable[[dict[str, Any]], None]
LONGEST_PAUSE = 10.0  # seconds between two tries while the database is away


@dataclass(frozen=True, slots=True)
class Channel:
    """What is listened to, and how it is answered once it is committed."""

    topic: str  # with + for the device
    event: str  # what each message is called in the gateway's own lines
    answer: Callable[[str, bytes], dict[str, Any]]  # of topic and payload
    answers_to: Callable[[str], str]  # the topic of the answer


class Gateway:
    """One subscriber. The network has a thread of its own; readings are committed one after another in `run`."""

    def __init__(self, address: Address, *, name: str, say: Say, channels: Sequence[Channel] = ()):
        self.say = say
        self.channels = channels or (SCALES,)
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
        client.subscribe([(each.topic, 1) for each in self.channels])

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
        listening = (each for each in self.channels if mqtt.topic_matches_sub(each.topic, message.topic))
        channel = next(listening, None)
        if channel is None:  # of a gateway of the same name that listened to more
            return
        answer = self._committed(channel, message)
        if answer is None:
            return  # stopped before it was: the broker has it still
        self.say({"event": channel.event, **answer})
        text = json.dumps(answer, ensure_ascii=False)
        self.client.publish(channel.answers_to(message.topic), text, qos=1)
        if came_over == self.connection:
            self.client.ack(message.mid, message.qos)

    def _committed(self, channel: Channel, message: mqtt.MQTTMessage) -> dict[str, Any] | None:
        """Return what is answered once it is committed; wait as long as the database is away."""
        pause = 0.5
        while not self.stopped.is_set():
            try:
                close_old_connections()
                return channel.answer(message.topic, bytes(message.payload))
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


SCALES = Channel(READINGS, "reading", answer_to, lambda topic: answers_topic(scale_of(topic)))
