"""The gateway within this process, with a real broker: what is acknowledged, and when."""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from django.db import OperationalError
from django.utils import timezone
from paho.mqtt.enums import CallbackAPIVersion

from tests.rooms.shopfloor.broker import Broker
from tests.rooms.shopfloor.conftest import Voice
from wufei.ledger.models import Movement
from wufei.shopfloor import services
from wufei.shopfloor.broker import address_of, answers_topic, readings_topic
from wufei.shopfloor.cli import gateway as gateways
from wufei.shopfloor.models import Reading

pytestmark = pytest.mark.slow


@pytest.fixture
def broker(tmp_path) -> Iterator[Broker]:
    made = Broker(tmp_path / "broker").start()
    yield made
    made.stop()


class Running:
    """A gateway of this process, on a thread of its own, and a device that speaks and listens."""

    def __init__(self, broker: Broker, scale: str):
        self.events: list[dict[str, Any]] = []
        self.answers: list[dict[str, Any]] = []
        self.gateway = gateways.Gateway(address_of(broker.address), name="test", say=self.events.append)
        self.device = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="device", protocol=mqtt.MQTTv311)
        self.device.on_message = lambda _c, _d, message: self.answers.append(json.loads(message.payload))
        self.device.connect("127.0.0.1", broker.port)
        self.device.subscribe(answers_topic(scale), qos=1)
        self.device.loop_start()

    def run_until(self, truth: Callable[[], bool]) -> None:
        """The gateway works in this thread, where the test's database is, until it is so."""
        until = time.monotonic() + 30
        stopped = self.gateway.stopped
        real = stopped.is_set
        stopped.is_set = lambda: real() or truth() or time.monotonic() > until  # type: ignore[method-assign]
        self.gateway.run()
        self.device.loop_stop()
        self.device.disconnect()
        assert truth(), self.events

    def send(self, topic: str, *bodies: bytes) -> None:
        self.gateway.client.loop_start()
        until = time.monotonic() + 20
        while {"event": "ready"} not in self.events and time.monotonic() < until:
            time.sleep(0.05)
        for body in bodies:
            self.device.publish(topic, body, qos=1).wait_for_publish(10)


@pytest.fixture
def voice_now(scale) -> Voice:
    return Voice(scale, timezone.now())


def test_while_the_database_is_away_a_reading_is_not_acknowledged_and_then_committed_once(
    broker, voice_now, monkeypatch
):
    monkeypatch.setattr(gateways, "close_old_connections", lambda: None)
    monkeypatch.setattr(gateways, "connection", type("Kept", (), {"close": staticmethod(lambda: None)}))
    real, tries = services.accept, []

    def away_twice(**said: Any) -> Any:
        tries.append(1)
        if len(tries) <= 2:
            raise OperationalError("the database is away")
        return real(**said)

    monkeypatch.setattr(services, "accept", away_twice)
    running = Running(broker, voice_now.scale.code)
    running.send(readings_topic(voice_now.scale.code), voice_now.signed(voice_now.said()))
    running.run_until(lambda: len(running.answers) == 1)

    assert len(tries) == 3
    assert [each["event"] for each in running.events].count("database_away") == 2
    assert Reading.objects.count() == 1
    assert running.answers[0]["accepted"] is True


def test_what_is_nobodys_reading_is_answered_and_holds_nothing_up(broker, voice_now, monkeypatch):
    monkeypatch.setattr(gateways, "close_old_connections", lambda: None)
    code, said = voice_now.scale.code, voice_now.said()
    running = Running(broker, code)
    running.send(
        readings_topic(code), b"12.5 kg", voice_now.signed(said, "wrong"), voice_now.signed(said | {"scale": "C0"}),
        voice_now.signed(said | {"stable": False}), voice_now.signed(said | {"sequence": 2}),
    )  # fmt: skip
    running.run_until(lambda: len(running.answers) == 5)

    assert [each["code"] for each in running.answers] == [
        "not_readable", "signature_wrong", "scale_unknown", "unstable", None,
    ]  # fmt: skip
    assert [row.sequence for row in Reading.objects.order_by("pk")] == [1, 2]
    assert not Movement.objects.exists()


def test_a_broker_that_asks_for_a_password_is_given_it(tmp_path):
    guarded = Broker(tmp_path / "guarded", user="floor", password="p@ss:word").start()
    events: list[dict[str, Any]] = []
    right = gateways.Gateway(
        address_of(f"mqtt://floor:p%40ss%3Aword@{guarded.address}"), name="right", say=events.append
    )
    wrong = gateways.Gateway(address_of(guarded.address), name="wrong", say=events.append)
    try:
        for each in (right, wrong):
            each.client.loop_start()
        until = time.monotonic() + 20
        while {each["event"] for each in events} < {"ready", "not_connected"} and time.monotonic() < until:
            time.sleep(0.05)
    finally:
        for each in (right, wrong):
            each.stopped.set()
            each.client.disconnect()
            each.client.loop_stop()
        guarded.stop()
    assert {"event": "ready"} in events
    assert any(each["event"] == "not_connected" for each in events)
