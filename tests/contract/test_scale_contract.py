"""
`wufei scale` and `wufei gateway`: the installed commands, with a real broker, killed in the middle.

What the scale was answered is there once, and posted once, whoever went away when.
"""

import json
import os
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from tests.contract.conftest import WUFEI, Answer
from tests.contract.workbooks import enterprise, save, uscc, waste, workbook
from tests.rooms.shopfloor.broker import Broker, free_port
from wufei.shopfloor.models import Scale

pytestmark = pytest.mark.slow

CODE = uscc(1)


@pytest.fixture
def broker(tmp_path) -> Iterator[Broker]:
    made = Broker(tmp_path / "broker").start()
    yield made
    made.stop()


class Process:
    """A command that runs until it is ended; its lines are read as they come."""

    def __init__(self, data: Path, *said: Any):
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("WUFEI", "DJANGO"))}
        environment.pop("DATABASE_URL", None)
        self.out = data / f"out-{time.monotonic_ns()}"
        with self.out.open("wb") as out:
            command = [str(WUFEI), "--data", str(data), *map(str, said)]
            self.process = subprocess.Popen(command, stdout=out, stderr=out, env=environment)

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.read_text().splitlines() if line.startswith("{")]

    def wait_for(self, truth: Callable[[list[dict[str, Any]]], bool], seconds: float = 40) -> None:
        until = time.monotonic() + seconds
        while not truth(self.lines()):
            assert self.process.poll() is None or truth(self.lines()), self.out.read_text()
            assert time.monotonic() < until, self.out.read_text()
            time.sleep(0.05)

    def ready(self) -> "Process":
        self.wait_for(lambda lines: any(line["event"] == "ready" for line in lines))
        return self

    def readings(self) -> int:
        return sum(line["event"] == "reading" for line in self.lines())

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(how)
        return self.process.wait(30)


@pytest.fixture
def data(on_a_store, tmp_path) -> Path:
    """A store with a factory in it: TS001, W01."""
    book = save(workbook(enterprise(CODE), ledger=[], streams=[waste("W01")]), tmp_path / "data.xlsx")
    done = on_a_store("import", book, "--json")
    assert done.code == 0, done.err
    return tmp_path / "data"


def registered(run: Callable[..., Answer], *more: str) -> dict[str, str]:
    until = (timezone.localdate() + timedelta(days=200)).isoformat()
    said = [
        "--name",
        "一号秤",
        "--store",
        "TS001",
        "--capacity",
        "60",
        "--division",
        "0.01",
        "--calibrated-until",
        until,
    ]
    done = run("scale", "register", CODE, *said, *more, "--json")
    assert done.code == 0, done.err
    return dict(done.json)


def kept(data: Path) -> tuple[list[int], list[int]]:
    """Return the numbers of the accepted readings, and the masses that were posted."""
    with closing(sqlite3.connect(data / "wufei.sqlite3")) as store:
        numbers = store.execute(
            "SELECT sequence FROM shopfloor_reading WHERE refusal = '' ORDER BY 1"
        ).fetchall()
        masses = store.execute(
            "SELECT m.mass_g FROM ledger_movement m JOIN shopfloor_readinguse u ON u.movement_id = m.id "
            "JOIN shopfloor_reading r ON r.id = u.reading_id WHERE r.net_g = m.mass_g"
        ).fetchall()
        [(movements,)] = store.execute("SELECT count(*) FROM ledger_movement").fetchall()
    assert movements == len(masses)
    return [n for (n,) in numbers], [g for (g,) in masses]


def test_over_mqtt_nothing_answered_is_lost_and_nothing_posts_twice_whoever_is_killed(
    on_a_store, data, broker
):
    scale = registered(on_a_store, "--post", "W01")
    gateway = Process(data, "gateway", "--broker", broker.address, "--json").ready()
    sending = Process(
        data, "scale", "simulate", scale["code"], "--broker", broker.address, "--readings", "60", "--json"
    )
    gateway.wait_for(lambda _: gateway.readings() >= 10)
    gateway.end(signal.SIGKILL)
    time.sleep(0.5)  # the scale goes on speaking; the broker keeps what it says
    second = Process(data, "gateway", "--broker", broker.address, "--json").ready()
    second.wait_for(lambda _: second.readings() >= 10)
    broker.kill()
    time.sleep(0.5)
    broker.start()
    assert sending.process.wait(120) == 0, sending.out.read_text()

    [told] = sending.lines()
    assert told == {"sent": 60, "accepted": 60}
    assert second.end() == 0
    numbers, masses = kept(data)
    assert numbers == list(range(1, 61))
    assert len(masses) == 60
    assert on_a_store("verify", CODE, "--json").json["ok"] is True


def test_what_was_sent_while_no_gateway_ran_arrives_when_it_is_back(on_a_store, data, broker):
    scale = registered(on_a_store)
    Process(data, "gateway", "--broker", broker.address, "--json").ready().end()

    alone = on_a_store(
        "scale", "simulate", scale["code"], "--broker", broker.address, "--patience", 2, "--json"
    )
    assert (alone.code, alone.json) == (1, {"sent": 1, "unanswered": 1})
    broker.stop()
    broker.start()  # on what it wrote down
    gateway = Process(data, "gateway", "--broker", broker.address, "--json").ready()
    gateway.wait_for(lambda _: gateway.readings() >= 1)
    gateway.end()
    assert kept(data)[0] == [1]


def test_over_http_from_the_command_line_to_a_served_site(on_a_store, data):
    scale = registered(on_a_store, "--post", "W01")
    port = free_port()
    site = Process(data, "serve", "--port", str(port), "--workers", "1", "--json")
    site.wait_for(lambda lines: any("address" in line for line in lines))
    said = ("scale", "simulate", scale["code"], "--http", f"http://127.0.0.1:{port}", "--json")

    sound = on_a_store(*said, "--readings", 3)
    assert (sound.code, sound.json) == (0, {"sent": 3, "accepted": 3})
    outcome = {}
    for fault in (
        "unstable",
        "negative",
        "zero",
        "overload",
        "comma",
        "future",
        "backwards",
        "reused",
        "signature",
    ):
        done = on_a_store(*said, "--fault", fault)
        assert done.code == 0, (fault, done.err)
        outcome[fault] = {name: n for name, n in done.json.items() if name not in ("sent", "accepted")}
    site.end()

    assert outcome == {
        "unstable": {"unstable": 1}, "negative": {"negative": 1}, "zero": {"zero": 1},
        "overload": {"overload": 1}, "comma": {"weight_has_comma": 1}, "future": {"taken_in_future": 1},
        "backwards": {"clock_backwards": 1}, "reused": {"sequence_reused": 1},
        "signature": {"not_authenticated": 1},
    }  # fmt: skip
    numbers, masses = kept(data)
    assert len(numbers) == len(masses) == 5  # three, and the sound ones before "backwards" and "reused"


# --- in this process


@pytest.fixture
def floor(ledger):
    ledger.stores(库1=None)


def test_scales_are_registered_and_listed(wufei, organisation, officer, floor):
    said = ["--name", "秤", "--store", "库1", "--capacity", "60", "--calibrated-until", "2030-01-01"]
    done = wufei("scale", "register", organisation.uscc, *said, "--division", "0.01", "--json")
    row = Scale.objects.get()
    assert (done.code, done.json) == (0, {"code": row.code, "secret": row.secret})
    assert (row.capacity_g, row.division_g) == (60_000, 10)
    listed = wufei("scale", "list", organisation.uscc, "--json")
    [told] = listed.json["scales"]
    assert (told["code"], told["waiting"], told["is_retired"]) == (row.code, 0, False)
    assert row.secret not in listed.out + wufei("scale", "list", organisation.uscc).out
    assert row.code in wufei("scale", "list", organisation.uscc).out


@pytest.mark.parametrize(
    ("said", "code", "words"),
    [
        (["--store", "库9", "--division", "0.01"], 1, "没有这个贮存设施"),
        (["--store", "库1", "--division", "99"], 1, "分度值"),
        (["--store", "库1", "--division", "0,01"], 2, "应为千克数"),
        (["--store", "库1", "--division", "0.0001"], 2, "应为千克数"),
    ],
)
def test_what_cannot_be_said_of_a_scale_is_refused_in_words(wufei, organisation, floor, said, code, words):
    until = ["--calibrated-until", "2030-01-01"]
    done = wufei("scale", "register", organisation.uscc, "--name", "秤", "--capacity", "60", *until, *said)
    assert done.code == code
    assert words in done.err
    assert not Scale.objects.exists()


@pytest.mark.parametrize(
    "said", [("gateway",), ("gateway", "--broker", "http://x"), ("gateway", "--broker", "host:99999")]
)
def test_without_a_brokers_address_the_gateway_says_how_to_give_one(wufei, said):
    done = wufei(*said)
    assert done.code == 2
    assert "MQTT" in done.err


def test_an_unknown_organisation_or_scale_is_said(wufei, db):
    assert wufei("scale", "list", "91500110MA5U00001P").code == 1
    done = wufei("scale", "simulate", "C00000000", "--http", "http://127.0.0.1:1")
    assert done.code == 2
    assert "--secret" in done.err
