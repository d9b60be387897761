"""How a pretended device speaks: over HTTP or MQTT, again and again until it is answered."""

import json
import queue
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import click

from wufei.shopfloor.broker import Address, answers_topic, readings_topic
from wufei.shopfloor.cli.connecting import client_for

AGAIN_SECONDS = 2.0


class Told(Protocol):
    """What a device sends: of whom, and under which number it is answered."""

    @property
    def device(self) -> str: ...

    @property
    def sequence(self) -> int: ...

    def said(self) -> Mapping[str, Any]: ...


class Sender(Protocol):
    def send(self, message: Told, signature: str, until: float) -> dict[str, Any] | None:
        """Return what was answered; None where nothing was until then (`time.monotonic`)."""

    def close(self) -> None: ...


class OverHttp:
    def __init__(self, site: str, *, below: str = "scales/{}/readings"):
        if not site.startswith(("http://", "https://")):
            raise click.UsageError(
                f"站点地址“{site}”不对；应如 https://wufei.example.cn 或 http://127.0.0.1:8000。"
            )
        self.site, self.below = site.rstrip("/"), below

    def send(self, message: Told, signature: str, until: float) -> dict[str, Any] | None:
        request = urllib.request.Request(  # noqa: S310 where the person at the command line says
            f"{self.site}/api/v1/{self.below.format(message.device)}", method="POST",
            data=json.dumps(message.said()).encode(),
            headers={"Content-Type": "application/json", "X-Wufei-Signature": signature},
        )  # fmt: skip
        while time.monotonic() < until:
            try:
                with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
                    said: dict[str, Any] = json.load(answer)
                    return said | {"code": None}
            except urllib.error.HTTPError as refused:
                if refused.code < 500 and refused.code != 429:
                    told: dict[str, Any] = json.load(refused)
                    return told
            except (OSError, ValueError):
                pass  # not there, or not whole: again
            time.sleep(min(AGAIN_SECONDS, max(0.0, until - time.monotonic())))
        return None

    def close(self) -> None:
        pass


class OverMqtt:
    def __init__(
        self,
        address: Address,
        device: str,
        *,
        topic: Callable[[str], str] = readings_topic,
        answers: Callable[[str], str] = answers_topic,
    ):
        self.topic = topic
        self.answers: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self.client = client_for(address, name=f"wufei-device-{uuid.uuid4().hex[:12]}", lasts=False)
        self.client.on_connect = lambda client, *_: client.subscribe(answers(device), qos=1)
        self.client.on_message = lambda _client, _data, message: self.answers.put(json.loads(message.payload))
        self.client.loop_start()

    def send(self, message: Told, signature: str, until: float) -> dict[str, Any] | None:
        topic, text = self.topic(message.device), json.dumps({**message.said(), "signature": signature})
        again = 0.0
        while (now := time.monotonic()) < until:
            if now >= again and self.client.is_connected():
                self.client.publish(topic, text, qos=1)
                again = now + AGAIN_SECONDS
            try:
                answer = self.answers.get(timeout=0.1)
            except queue.Empty:
                continue
            if answer.get("sequence") == message.sequence:
                return answer
        return None

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()
