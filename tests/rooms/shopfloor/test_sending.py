"""A pretended scale says the same again until it is answered, over HTTP and over MQTT."""

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from django.utils import timezone
from paho.mqtt.enums import CallbackAPIVersion

from tests.rooms.shopfloor.broker import Broker
from wufei.shopfloor.broker import AddressMalformed, address_of, answers_topic, readings_topic
from wufei.shopfloor.cli import sending
from wufei.shopfloor.simulating import sound

MESSAGE = sound("C23456789", 7, timezone.now())


@pytest.fixture(autouse=True)
def hurried(monkeypatch):
    monkeypatch.setattr(sending, "AGAIN_SECONDS", 0.2)


class Site(ThreadingHTTPServer):
    """Answers as it is told to, one after another, and keeps what it was sent."""

    def __init__(self, *answers: tuple[int, dict[str, Any]]):
        self.left, self.heard = list(answers), []
        site = self

        class Answering(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                site.heard.append((self.path, self.headers["X-Wufei-Signature"], json.loads(body)))
                status, said = site.left.pop(0) if len(site.left) > 1 else site.left[0]
                self.send_response(status)
                self.end_headers()
                self.wfile.write(json.dumps(said).encode())

            def log_message(self, *_: Any) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Answering)


@pytest.fixture
def serve() -> Iterator[Any]:
    running: list[Site] = []

    def begin(*answers: tuple[int, dict[str, Any]]) -> Site:
        running.append(Site(*answers))
        threading.Thread(target=running[-1].serve_forever, daemon=True).start()
        return running[-1]

    yield begin
    for site in running:
        site.shutdown()
        site.server_close()


def over_http(site: Site, seconds: float = 5) -> dict[str, Any] | None:
    sender = sending.OverHttp(f"http://127.0.0.1:{site.server_port}/")
    try:
        return sender.send(MESSAGE, "signed", time.monotonic() + seconds)
    finally:
        sender.close()


def test_over_http_the_same_is_sent_again_while_the_site_is_not_well(serve):
    site = serve((503, {}), (429, {}), (201, {"message": "已收到。"}))
    answer = over_http(site)
    assert answer == {"message": "已收到。", "code": None}
    assert len(site.heard) == 3
    assert {path for path, _, _ in site.heard} == {"/api/v1/scales/C23456789/readings"}
    assert all(said == (site.heard[0][1], MESSAGE.said()) for said in ((s, b) for _, s, b in site.heard))


def test_over_http_a_refusal_is_an_answer_and_is_not_sent_again(serve):
    site = serve((422, {"code": "unstable", "message": "没有稳定"}))
    answer = over_http(site)
    assert answer is not None
    assert (answer["code"], len(site.heard)) == ("unstable", 1)


def test_over_http_nothing_is_answered_where_there_is_no_site(serve):
    assert over_http(serve((503, {})), seconds=0.5) is None
    nobody = sending.OverHttp("http://127.0.0.1:9")
    assert nobody.send(MESSAGE, "signed", time.monotonic() + 0.3) is None


@pytest.mark.slow
def test_over_mqtt_the_same_is_sent_again_until_its_own_answer_comes(tmp_path):
    broker = Broker(tmp_path / "broker").start()
    heard: list[dict[str, Any]] = []

    def answer(client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        heard.append(json.loads(message.payload))
        sequence = MESSAGE.sequence - 1 if len(heard) < 3 else MESSAGE.sequence  # another's, at first
        client.publish(answers_topic("C23456789"), json.dumps({"sequence": sequence, "code": None}), qos=1)

    gateway = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="gateway", protocol=mqtt.MQTTv311)
    gateway.on_message = answer
    gateway.connect("127.0.0.1", broker.port)
    gateway.subscribe(readings_topic("C23456789"), qos=1)
    gateway.loop_start()
    sender = sending.OverMqtt(address_of(broker.address), "C23456789")
    try:
        got = sender.send(MESSAGE, "signed", time.monotonic() + 15)
        nothing = sender.send(sound("C23456789", 9, timezone.now()), "signed", time.monotonic() + 0.5)
    finally:
        sender.close()
        gateway.loop_stop()
        gateway.disconnect()
        broker.stop()
    assert got == {"sequence": 7, "code": None}
    assert len(heard) >= 3
    assert heard[0] == heard[2] == MESSAGE.said() | {"signature": "signed"}
    assert nothing is None


@pytest.mark.parametrize("text", ["", "http://x", "host:99999", "host:port", "mqtt://", "mqtt://host/topic"])
def test_what_is_no_address_of_a_broker_is_refused(text):
    with pytest.raises(AddressMalformed):
        address_of(text)
