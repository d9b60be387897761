"""The doors for machines: what a token may read, and how a tracker itself speaks over HTTP and MQTT."""

import json
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from django.core.cache import cache
from django.db import OperationalError
from django.test import Client
from paho.mqtt.enums import CallbackAPIVersion

from tests.rooms.api.world import Api, token
from tests.rooms.shopfloor.broker import Broker
from tests.rooms.tracking import world as roads
from tests.rooms.tracking.world import GOAL, HOME, PLATE, along, drive, stand, under_way
from wufei.shopfloor.broker import address_of
from wufei.shopfloor.cli import gateway as gateways
from wufei.shopfloor.signing import signature
from wufei.tracking import api as door
from wufei.tracking import services
from wufei.tracking.cli.gateway import CHANNELS, EVENTS
from wufei.tracking.models import Alert, Position
from wufei.tracking.positions import MOST_BYTES
from wufei.tracking.topics import answers_topic, positions_topic

MINUTE = timedelta(minutes=1)


@pytest.fixture
def at_work(world, monkeypatch):
    """The tracker at the desk of the door: its clock is ours."""
    monkeypatch.setattr("django.utils.timezone.now", lambda: world.now)
    return roads.Voice(roads.registered(world))


def send(batch, *, signed: str | None, code: str | None = None, body: bytes | None = None):
    headers = {} if signed is None else {door.SIGNATURE: signed}
    return Client(enforce_csrf_checks=True).post(
        f"/api/v1/trackers/{code or batch.tracker}/positions",
        data=body if body is not None else json.dumps(batch.said()), content_type="application/json", headers=headers,
    )  # fmt: skip


def test_a_signed_batch_is_taken_and_answered_the_same_again(world, at_work):
    batch = at_work.batch((world.now, HOME), (world.now, (91_000_000, 0)))
    signed = signature(batch, at_work.tracker.secret)
    first, again = (send(batch, signed=signed) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    said = first.json()
    assert (said["accepted"], said["outliers"], said["sequence"]) == (1, 0, 2)
    assert [each["code"] for each in said["refused"]] == ["latitude_out_of_range"]
    assert again["Idempotent-Replay"] == "true"
    assert "Idempotent-Replay" not in first
    assert Position.objects.count() == 2


def test_a_batch_of_which_nothing_may_be_used_is_refused_each_time(world, at_work):
    late = at_work.batch((world.now + timedelta(hours=1), HOME))
    for _ in range(2):
        answer = send(late, signed=signature(late, at_work.tracker.secret))
        assert (answer.status_code, answer.json()["code"]) == (422, "taken_in_future")
        assert answer.json()["details"][0]["where"] == "body.positions.0"
    at_work.numbers = iter([1])
    other = at_work.batch((world.now, GOAL))
    answer = send(other, signed=signature(other, at_work.tracker.secret))
    assert (answer.status_code, answer.json()["code"]) == (409, "sequence_reused")


def test_without_the_trackers_own_signature_nothing_is_taken(world, at_work):
    batch = at_work.batch((world.now, HOME))
    signed = signature(batch, at_work.tracker.secret)
    other = signature(batch, roads.registered(world, name="另一台").secret)
    for wrong in (None, "", "0" * 64, other):
        assert send(batch, signed=wrong).status_code == 401
    assert send(at_work.batch((world.now, GOAL)), signed=signed).status_code == 401
    assert not Position.objects.exists()


def test_what_is_no_batch_is_named_by_its_field(world, at_work):
    batch = at_work.batch((world.now, HOME))
    said = batch.said()
    said["positions"][0]["latitude_udeg"] = 29.5
    answer = send(batch, signed="x", body=json.dumps(said).encode())
    assert (answer.status_code, answer.json()["details"][0]["where"]) == (
        422,
        "body.positions.0.latitude_udeg",
    )
    assert send(batch, signed="x", code="T00000000").json()["details"][0]["code"] == "tracker_unknown"
    assert send(batch, signed="x", body=b" " * (MOST_BYTES + 1)).status_code == 413
    gcj = at_work.batch((world.now, HOME), datum="GCJ02")
    answer = send(gcj, signed=signature(gcj, at_work.tracker.secret))
    assert (answer.status_code, answer.json()["details"][0]["code"]) == (422, "datum_unfit")
    assert not Position.objects.exists()


def test_a_tracker_gone_wild_is_stopped_for_a_while(world, at_work, monkeypatch):
    cache.clear()  # of what devices before it were counted
    monkeypatch.setattr(door, "BATCHES_PER_MINUTE", 2)
    statuses = []
    for _ in range(4):
        batch = at_work.batch((world.now, HOME))
        statuses.append(send(batch, signed=signature(batch, at_work.tracker.secret)).status_code)
    assert statuses == [201, 201, 429, 429]


def test_a_token_reads_tracks_and_alerts_and_answers_one(world, at_work):
    manifest, _leg = under_way(world)
    start = world.now
    world.later(hours=3)
    at_work.says(*drive(start, 5), *stand(start + 6 * MINUTE, 30, at=0.06), now=world.now)
    services.watch(now=world.now)
    api, here = Api(token(world.driver)), f"/organisations/{world.carrier.uscc}"

    [row] = api.get(f"{here}/tracks").json()["tracks"]
    assert (row["manifest"], row["plate"], row["position_count"], row["is_heard"]) == (
        manifest.number, PLATE, 13, True,
    )  # fmt: skip
    assert [each["kind"] for each in row["alerts"]] == ["STOP", "SILENCE"]
    assert api.get(f"{here}/tracks?under_way=false").json()["tracks"] == []

    track = api.get(f"{here}/manifests/{manifest.number}/track?limit=10").json()
    assert (len(track["positions"]), track["next"]) == (10, 10)
    rest = api.get(f"{here}/manifests/{manifest.number}/track?limit=10&offset=10").json()
    assert (len(rest["positions"]), rest["next"]) == (3, None)
    assert track["positions"][0] == {
        "leg": 1, "at": "2026-07-01T10:10:00+08:00", "latitude_udeg": HOME[0], "longitude_udeg": HOME[1],
        "is_outlier": False,
    }  # fmt: skip
    assert [each["name"] for each in track["route"]] == ["綦江", "涪陵"]

    page = api.get(f"{here}/track-alerts?limit=1").json()
    assert len(page["alerts"]) == 1
    older = api.get(f"{here}/track-alerts?limit=1&before={page['next']}").json()
    assert older["next"] is None
    stop = next(each for each in page["alerts"] + older["alerts"] if each["kind"] == "STOP")
    at = f"{here}/track-alerts/{stop['id']}/acknowledge"
    done = api.ask("POST", at, {"remark": "加水"})
    assert (done.status_code, done.json()["remark"]) == (200, "加水")
    assert api.ask("POST", at, {"remark": "加水"}).json()["code"] == "already_acknowledged"
    theirs = f"/organisations/{world.receiver.uscc}/track-alerts"
    waiting = Alert.objects.get(acknowledged_at=None)
    refused = Api(token(world.taker)).ask("POST", f"{theirs}/{waiting.pk}/acknowledge", {"remark": "x"})
    assert (refused.status_code, refused.json()["code"]) == (403, "not_your_alert")

    [tracker] = api.get(f"{here}/trackers").json()["trackers"]
    assert (tracker["code"], tracker["plate"]) == (at_work.tracker.code, PLATE)
    assert at_work.tracker.secret not in api.get(f"{here}/trackers").content.decode()


def test_a_route_is_stated_by_the_api_and_sealed_when_the_load_leaves(world, at_work):
    manifest = world.issued()
    api, at = Api(token(world.officer)), f"/organisations/{world.generator.uscc}/manifests/{manifest.number}"
    stages = [
        {"latitude_udeg": HOME[0], "longitude_udeg": HOME[1]}, {"latitude_udeg": GOAL[0], "longitude_udeg": GOAL[1]}
    ]  # fmt: skip
    body = {"datum": "WGS84", "stages": stages}
    assert api.ask("PUT", f"{at}/planned-route", body).json()["number"] == 1
    assert api.ask("PUT", f"{at}/planned-route", body | {"datum": "GCJ02"}).status_code == 422
    assert (
        api.ask("PUT", f"{at}/planned-route", body | {"stages": stages[:1]}).json()["code"]
        == "route_malformed"
    )
    world.load(manifest)
    sealed = api.ask("PUT", f"{at}/planned-route", body | {"stages": stages[::-1]})
    assert (sealed.status_code, sealed.json()["code"]) == (409, "route_sealed")


# --- MQTT


@pytest.fixture
def broker(tmp_path) -> Iterator[Broker]:
    made = Broker(tmp_path / "broker").start()
    yield made
    made.stop()


class Running:
    """A gateway of this process, listening to scales and vehicles, and a tracker that speaks and listens."""

    def __init__(self, broker: Broker, tracker: str):
        self.events: list[dict[str, Any]] = []
        self.answers: list[dict[str, Any]] = []
        self.gateway = gateways.Gateway(
            address_of(broker.address), name="test", say=self.events.append, channels=CHANNELS
        )
        self.device = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="device", protocol=mqtt.MQTTv311)
        self.device.on_message = lambda _c, _d, message: self.answers.append(json.loads(message.payload))
        self.device.connect("127.0.0.1", broker.port)
        self.device.subscribe(answers_topic(tracker), qos=1)
        self.device.loop_start()

    def send(self, topic: str, *bodies: bytes) -> None:
        self.gateway.client.loop_start()
        until = time.monotonic() + 20
        while {"event": "ready"} not in self.events and time.monotonic() < until:
            time.sleep(0.05)
        for body in bodies:
            self.device.publish(topic, body, qos=1).wait_for_publish(10)

    def run_until_answered(self, count: int) -> None:
        until = time.monotonic() + 30
        stopped = self.gateway.stopped
        stopped.is_set = lambda: len(self.answers) >= count or time.monotonic() > until  # type: ignore[method-assign]
        self.gateway.run()
        self.device.loop_stop()
        self.device.disconnect()
        assert len(self.answers) == count, self.events


@pytest.mark.slow
def test_over_mqtt_a_batch_is_acknowledged_when_it_is_committed(world, at_work, broker, monkeypatch):
    monkeypatch.setattr(gateways, "close_old_connections", lambda: None)
    monkeypatch.setattr(gateways, "connection", type("Kept", (), {"close": staticmethod(lambda: None)}))
    real, tries = services.accept, []

    def away_twice(**said: Any) -> Any:
        tries.append(1)
        if len(tries) <= 2:
            raise OperationalError("the database is away")
        return real(**said)

    monkeypatch.setattr(services, "accept", away_twice)
    code = at_work.tracker.code
    batch = at_work.batch((world.now, HOME), (world.now, along(0.001)))
    other = at_work.batch((world.now, HOME))
    running = Running(broker, code)
    running.send(
        positions_topic(code), at_work.signed(batch), at_work.signed(batch), b"29.5", at_work.signed(other, "wrong"),
        json.dumps(other.said() | {"tracker": "T0", "signature": "x"}).encode(),
    )  # fmt: skip
    running.run_until_answered(5)

    assert len(tries) == 5
    assert [each["event"] for each in running.events].count("database_away") == 2
    assert [each["code"] for each in running.answers] == [
        None, None, "not_readable", "signature_wrong", "tracker_unknown",
    ]  # fmt: skip
    assert running.answers[0] == running.answers[1]
    assert (running.answers[0]["accepted"], running.answers[0]["sequence"]) == (2, 2)
    assert Position.objects.count() == 2
    for event in running.events:
        assert EVENTS[event["event"]].format(**event)
