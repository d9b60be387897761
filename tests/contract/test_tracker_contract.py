"""
`wufei tracker` and `wufei gateway`: the installed commands, with a real broker, killed in the middle.

What a lorry was answered is there once, whoever went away when.
"""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.contract.test_scale_contract import Process
from tests.contract.workbooks import enterprise, save, uscc, waste, workbook
from tests.rooms.shopfloor.broker import Broker, free_port
from tests.rooms.tracking.world import PLATE, under_way
from tests.rooms.transfers import world as worlds
from wufei.tracking.models import Position, Tracker

CODE = uscc(1)
VEHICLE = """
import django
django.setup()
from django.utils import timezone
from wufei.registry.models import Organisation
from wufei.registry.services import operator
from wufei.registry.services.permits import record_vehicle
record_vehicle(
    organisation=Organisation.objects.get(uscc="{code}"), plate="渝A12345", by=operator(), now=timezone.now(),
)
"""


@pytest.fixture
def broker(tmp_path) -> Iterator[Broker]:
    made = Broker(tmp_path / "broker").start()
    yield made
    made.stop()


@pytest.fixture
def data(on_a_store, tmp_path) -> Path:
    """A store with a factory in it that has a lorry."""
    book = save(workbook(enterprise(CODE), ledger=[], streams=[waste("W01")]), tmp_path / "data.xlsx")
    done = on_a_store("import", book, "--json")
    assert done.code == 0, done.err
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("WUFEI", "DJANGO", "DATABASE"))}
    environment |= {"WUFEI_DATA": str(tmp_path / "data"), "DJANGO_SETTINGS_MODULE": "wufei.web.settings"}
    subprocess.run([sys.executable, "-c", VEHICLE.format(code=CODE)], env=environment, check=True)
    return tmp_path / "data"


def registered(run: Any) -> dict[str, str]:
    done = run("tracker", "register", CODE, "--plate", PLATE, "--name", "车头", "--json")
    assert done.code == 0, done.err
    return dict(done.json)


def kept(data: Path) -> list[int]:
    with closing(sqlite3.connect(data / "wufei.sqlite3")) as store:
        rows = store.execute(
            "SELECT sequence FROM tracking_position WHERE refusal = '' ORDER BY 1"
        ).fetchall()
    return [number for (number,) in rows]


def batches(process: Process) -> int:
    return sum(line["event"] == "positions" for line in process.lines())


@pytest.mark.slow
def test_over_mqtt_no_answered_position_is_lost_or_there_twice_whoever_is_killed(on_a_store, data, broker):
    tracker = registered(on_a_store)
    gateway = Process(data, "gateway", "--broker", broker.address, "--json").ready()
    said = (
        "tracker",
        "simulate",
        tracker["code"],
        "--broker",
        broker.address,
        "--positions",
        "400",
        "--batch",
        "10",
    )
    sending = Process(data, *said, "--json")
    gateway.wait_for(lambda _: batches(gateway) >= 5)
    gateway.end(signal.SIGKILL)
    time.sleep(0.5)  # the lorry goes on speaking; the broker keeps what it says
    second = Process(data, "gateway", "--broker", broker.address, "--json").ready()
    second.wait_for(lambda _: batches(second) >= 5)
    broker.kill()
    time.sleep(0.5)
    broker.start()
    assert sending.process.wait(120) == 0, sending.out.read_text()

    [told] = sending.lines()
    assert (told["sent"], told["accepted"]) == (400, 400)
    assert second.end() == 0
    assert kept(data) == list(range(1, 401))


@pytest.mark.slow
def test_over_http_from_the_command_line_to_a_served_site(on_a_store, data):
    tracker = registered(on_a_store)
    port = free_port()
    site = Process(data, "serve", "--port", str(port), "--workers", "1", "--json")
    site.wait_for(lambda lines: any("address" in line for line in lines))
    said = (
        "tracker",
        "simulate",
        tracker["code"],
        "--http",
        f"http://127.0.0.1:{port}",
        "--json",
        "--every",
        1,
    )

    sound = on_a_store(*said, "--positions", 120, "--batch", 50)
    assert (sound.code, sound.json) == (0, {"sent": 120, "accepted": 120, "outliers": 0})
    outcome = {}
    for fault in ("range", "future", "backwards", "reused", "datum", "signature"):
        time.sleep(3.1)  # each after the one before, as its clock says
        done = on_a_store(*said, "--positions", 3, "--fault", fault)
        assert done.code == 0, (fault, done.out, done.err)
        outcome[fault] = {
            name: n for name, n in done.json.items() if name not in ("sent", "accepted", "outliers")
        }
    site.end()

    assert outcome == {
        "range": {"latitude_out_of_range": 1}, "future": {"taken_in_future": 1}, "backwards": {"clock_backwards": 1},
        "reused": {"sequence_reused": 1}, "datum": {"datum_unfit": 1}, "signature": {"not_authenticated": 3},
    }  # fmt: skip


# --- in this process


@pytest.fixture
def world(db) -> worlds.World:
    return worlds.build()


def test_trackers_are_registered_and_listed(wufei, world):
    uscc_ = world.carrier.uscc
    done = wufei("tracker", "register", uscc_, "--plate", PLATE, "--name", "车头", "--json")
    row = Tracker.objects.get()
    assert (done.code, done.json) == (0, {"code": row.code, "secret": row.secret})
    [told] = wufei("tracker", "list", uscc_, "--json").json["trackers"]
    assert told == {
        "code": row.code, "name": "车头", "plate": PLATE, "is_retired": False, "last_received_at": None,
    }  # fmt: skip
    listed = wufei("tracker", "list", uscc_).out
    assert row.code in listed
    assert row.secret not in listed
    second = wufei("tracker", "register", uscc_, "--plate", PLATE, "--name", "车尾").out
    assert Tracker.objects.get(name="车尾").secret in second


def test_what_can_not_be_is_refused_in_words(wufei, world):
    for said, words in (
        (("register", world.carrier.uscc, "--plate", "渝Z", "--name", "x"), "没有这辆车"),
        (("register", world.carrier.uscc, "--plate", PLATE, "--name", " "), "名称"),
        (("list", "91500110MA5U00001P"), "没有统一社会信用代码"),
    ):
        done = wufei("tracker", *said)
        assert done.code == 1
        assert words in done.err
    done = wufei("tracker", "simulate", "T00000000", "--http", "http://127.0.0.1:1")
    assert (done.code, "--secret" in done.err) == (2, True)
    done = wufei("tracker", "simulate", "T0", "--http", "http://x", "--broker", "y")
    assert (done.code, "只能写一个" in done.err) == (2, True)


def test_who_watches_and_who_deletes_says_what_was_done(wufei, world):
    under_way(world)
    assert wufei("tracker", "watch", "--once", "--json").json == {"judged": 0}
    wufei("tracker", "register", world.carrier.uscc, "--plate", PLATE, "--name", "车头")
    assert wufei("tracker", "watch", "--once").out == "看过 1 段运输。\n"
    assert wufei("tracker", "purge", "--json").json == {"positions": 0, "tracks": 0}
    Position.objects.create(
        tracker=Tracker.objects.get(), sequence=1, digest="0" * 64, received_at=worlds.NOW.replace(year=2020),
        refusal="no_fix",
    )  # fmt: skip
    assert wufei("tracker", "purge").out == "已删除 180 天以前的 1 个位置，0 段轨迹只留汇总。\n"
