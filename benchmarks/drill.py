"""
The drill (`make drill`): clients work while the server, the gateway or the database is killed without warning.

Programs post movements, phones enter what workers weigh, scales send signed readings over HTTP and over MQTT that
post by rule, a clerk drafts manifests. Each says a thing again and again until it is acknowledged, as a phone or a
scale does. At random the server's whole process group (with its background worker), the gateway or, with PostgreSQL,
the database with all its processes gets SIGKILL, and is started again. At the end everything that was acknowledged
must stand exactly once, nothing that nobody said may stand, mass must be conserved and the chain verify (promises L1
and L3), and no restart may have taken more than ten seconds.

    python -m benchmarks.drill [--database sqlite|postgresql] [--kills 50] [--up 1]
    python -m benchmarks.drill --kills 60 --up 6    # for 50,000 acknowledged
    python -m benchmarks.drill --control    # PostgreSQL with synchronous_commit=off: must lose what it acknowledged

What a kill shows and what not: the control loses what still lies in the database's own memory, some tenths of a
second of it. What was written and not synced stays in the machine's page cache and outlives every kill; that it is
synced is shown by `tests/rooms/ledger/test_power_loss.py`, and SQLite's careless setting passes any drill.
"""

import argparse
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import psutil
from paho.mqtt.enums import CallbackAPIVersion

from benchmarks import stores
from benchmarks.ground import STORES, STREAMS
from wufei.shopfloor import signing, simulating
from wufei.shopfloor.broker import answers_topic, readings_topic

# Where the drill gives up, those who still try must not keep its process.
Thread = partial(threading.Thread, daemon=True)
WUFEI = Path(sys.executable).with_name("wufei")
WORKERS, PHONES, SCALES, MQTT_SCALES, CLERKS = 4, 2, 2, 1, 1
RESTART_S = 10  # promised
UP = (0.4, 1.6)  # between a start and the next kill, as shares of `--up`
GIVE_UP_S = 60
AGAIN = 0.2  # of what was acknowledged is sent once more, to see that it is not counted twice


def prepare(people: int, phones: int, scales: int) -> dict[str, Any]:
    """Make an organisation with people who hold tokens or are signed in, and its scales; return what clients know."""
    from benchmarks.ground import open_ledger
    from wufei.registry.models import RoleAssignment, User
    from wufei.registry.rules import Scope
    from wufei.registry.services import issue_token
    from wufei.shopfloor.services import register_scale
    from wufei.terms.mass import Mass

    organisation, officer = open_ledger(1)
    now = datetime.now(UTC)
    tokens = []
    for number in range(people):
        user = User.objects.create(username=f"client{number}")
        RoleAssignment.objects.create(user=user, organisation=organisation, role="ENVIRONMENT_OFFICER")
        scopes = [scope.value for scope in Scope]
        tokens.append(
            issue_token(user=user, name="drill", scopes=scopes, expires_at=None, by=user, now=now)[1]
        )
    known = []
    for number in range(scales):
        scale, secret = register_scale(
            organisation=organisation, name=f"秤{number}", store=STORES[0], capacity=Mass.of("100", "吨"),
            division=Mass(10), calibrated_until=(now + timedelta(days=90)).date(), stream=STREAMS[0], by=officer,
            now=now,
        )  # fmt: skip
        known.append((scale.code, secret))
    sessions = [_signed_in(organisation, f"worker{number}") for number in range(phones)]
    return {"uscc": organisation.uscc, "tokens": tokens, "scales": known, "sessions": sessions}


def _signed_in(organisation: Any, name: str) -> str:
    """Return the session of a worker who signed in on a phone."""
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.sessions.backends.db import SessionStore

    from wufei.registry.models import RoleAssignment, User

    user = User.objects.create_user(name, password="a-long-pass-phrase-1")
    RoleAssignment.objects.create(user=user, organisation=organisation, role="WORKER")
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return str(session.session_key)


def found(said: dict[str, Any]) -> dict[str, Any]:
    """Compare what stands with what was acknowledged, and with what was said at all."""
    from wufei.ledger import queries
    from wufei.ledger.models import Movement
    from wufei.registry.models import Organisation
    from wufei.transfers.models import Manifest

    organisation = Organisation.objects.get(uscc=said["uscc"])
    rows = Movement.objects.filter(organisation=organisation).values_list("client_id", "mass_g")
    standing = Counter(str(client_id) for client_id, _ in rows)
    masses = {str(client_id): grams for client_id, grams in rows}
    drafts = Counter(str(uid) for uid in Manifest.objects.values_list("uid", flat=True))
    verified = queries.verify(organisation=organisation)
    return {
        "acknowledged": len(said["movements"]) + len(said["drafts"]),
        "standing": len(standing) + len(drafts),
        "lost": [each for each in said["movements"] if each not in standing]
        + [each for each in said["drafts"] if each not in drafts],
        "double": [each for each, times in (standing + drafts).items() if times > 1],
        "wrong_mass": [each for each, grams in said["movements"].items() if masses.get(each, grams) != grams],
        "never_said": [each for each in standing if each not in said["asked"]],
        "faults": [fault.message for fault in verified.faults],
    }


@dataclass
class Drill:
    """What the clients share."""

    address: str
    uscc: str
    stop: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)
    asked: set[str] = field(default_factory=set)
    movements: dict[str, int] = field(default_factory=dict)  # client id → grams, acknowledged
    drafts: set[str] = field(default_factory=set)
    answers: Counter[str] = field(default_factory=Counter)

    def say(self, path: str, body: bytes, headers: dict[str, str]) -> dict[str, Any] | None:
        """Send the request until it is answered; None: refused, or the drill is over and nobody answered."""
        begun = time.monotonic()
        while not (self.stop.is_set() and time.monotonic() - begun > GIVE_UP_S):
            request = urllib.request.Request(
                f"{self.address}{path}", data=body, headers=headers, method="POST"
            )
            try:
                with urllib.request.urlopen(request, timeout=10) as answer:
                    said = json.loads(answer.read())
                    self.answers["acknowledged"] += 1
                    return said
            except urllib.error.HTTPError as refused:
                self.answers[str(refused.code)] += 1
                if refused.code == 429:
                    time.sleep(5)
                elif refused.code < 500:
                    print(refused.read().decode()[:300], file=sys.stderr)
                    return None
            except (OSError, ValueError):
                self.answers["cut off"] += 1
            time.sleep(0.2)
        return None

    def said(self, client_id: str) -> None:
        with self.lock:
            self.asked.add(client_id)

    def write(self, token: str, path: str, body: dict[str, Any], key: str) -> dict[str, Any] | None:
        headers = {
            "Authorization": f"Bearer {token}", "Content-Type": "application/json", "Idempotency-Key": key,
        }  # fmt: skip
        return self.say(f"/api/v1/organisations/{self.uscc}{path}", json.dumps(body).encode(), headers)


def work(drill: Drill, token: str, seed: int) -> None:
    """Post one generation after another, and some of them again."""
    chance = random.Random(seed)
    today = datetime.now(UTC).date() - timedelta(days=1)
    while not drill.stop.is_set():
        client_id, grams = (
            str(uuid.UUID(int=chance.getrandbits(128), version=4)),
            chance.randrange(1000, 10**6),
        )
        movement = {
            "kind": "GENERATION", "moved_on": today.isoformat(), "stream": chance.choice(STREAMS),
            "store": chance.choice(STORES), "mass_g": grams, "client_id": client_id,
        }  # fmt: skip
        drill.said(client_id)
        if drill.write(token, "/movements", {"movements": [movement]}, client_id) is None:
            continue
        with drill.lock:
            drill.movements[client_id] = grams
        if chance.random() < AGAIN:  # under the same key, and under another: the client id alone must hold
            again = client_id if chance.random() < 0.5 else uuid.uuid4().hex
            drill.write(token, "/movements", {"movements": [movement]}, again)


def enter(drill: Drill, phone: int, session: str, seed: int) -> None:
    """Enter one container after another on a phone, and some of them again."""
    chance, number, csrf = random.Random(seed), 0, "d" * 32
    headers = {
        "Content-Type": "application/json", "Cookie": f"sessionid={session}; csrftoken={csrf}", "X-CSRFToken": csrf,
    }  # fmt: skip
    while not drill.stop.is_set():
        number += 1
        client_id, grams = (
            str(uuid.UUID(int=chance.getrandbits(128), version=4)),
            chance.randrange(1000, 10**5),
        )
        entry = {
            "kind": "generation", "client_id": client_id, "made_at": datetime.now(UTC).isoformat(),
            "stream": chance.choice(STREAMS), "lot": f"T{phone}-{number:06}", "mass_g": grams,
            "store": chance.choice(STORES), "reading": None,
        }  # fmt: skip
        drill.said(client_id)
        for _ in range(1 + (chance.random() < AGAIN)):
            if drill.say(f"/o/{drill.uscc}/work/entries/", json.dumps(entry).encode(), headers) is None:
                break
            with drill.lock:
                drill.movements[client_id] = grams


def weigh_over_mqtt(drill: Drill, code: str, secret: str, broker: Any) -> None:
    """Publish one signed reading after another, each until the gateway answers it."""
    answers: dict[int, dict[str, Any]] = {}
    device = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=f"device-{code}", protocol=mqtt.MQTTv311)

    def hear(_client: Any, _data: Any, heard: Any) -> None:
        answer = json.loads(heard.payload)
        answers[answer["sequence"]] = answer

    device.on_message = hear
    device.connect("127.0.0.1", broker.port)
    device.subscribe(answers_topic(code), qos=1)
    device.loop_start()
    sequence = 0
    while not drill.stop.is_set():
        sequence += 1
        [message] = simulating.messages(
            scale=code, first=sequence, count=1, fault=None, now=datetime.now(UTC)
        )
        client_id = str(signing.client_id(code, sequence))
        drill.said(client_id)
        payload = json.dumps(message.said() | {"signature": signing.signature(message, secret)})
        begun = time.monotonic()
        while sequence not in answers and time.monotonic() - begun < GIVE_UP_S:
            device.publish(readings_topic(code), payload, qos=1)
            until = time.monotonic() + 3
            while sequence not in answers and time.monotonic() < until:
                time.sleep(0.02)
        if answers.get(sequence, {}).get("movement"):
            drill.answers["acknowledged over MQTT"] += 1
            with drill.lock:
                drill.movements[client_id] = int(message.net)
        time.sleep(0.12)
    device.loop_stop()
    device.disconnect()


def weigh(drill: Drill, code: str, secret: str) -> None:
    """Send one signed reading after another."""

    sequence = 0
    while not drill.stop.is_set():
        sequence += 1
        [message] = simulating.messages(
            scale=code, first=sequence, count=1, fault=None, now=datetime.now(UTC)
        )
        client_id = str(signing.client_id(code, sequence))
        drill.said(client_id)
        headers = {
            "Content-Type": "application/json",
            "X-Wufei-Signature": signing.signature(message, secret),
        }
        answer = drill.say(f"/api/v1/scales/{code}/readings", json.dumps(message.said()).encode(), headers)
        if answer is not None and answer.get("movement"):
            with drill.lock:
                drill.movements[client_id] = int(message.net)
        time.sleep(0.12)  # below a scale's limit of readings a minute


def draft(drill: Drill, token: str, seed: int) -> None:
    """Draft one manifest after another."""
    chance = random.Random(seed)
    while not drill.stop.is_set():
        uid = str(uuid.UUID(int=chance.getrandbits(128), version=4))
        body = {"uid": uid, "lines": [{"stream": "F1", "store": "库1", "mass_g": 1000}]}
        if drill.write(token, "/manifests", body, uid) is not None:
            with drill.lock:
                drill.drafts.add(uid)


# ---- what is killed -------------------------------------------------------------------------------


def start_server(environment: dict[str, str], port: int) -> subprocess.Popen[bytes]:
    """Start `wufei serve` as a process group of its own, and wait until it answers."""
    said = {**os.environ, **{key: value for key, value in environment.items() if value}}
    if not environment["DATABASE_URL"]:
        said.pop("DATABASE_URL", None)
    words = Path(environment["WUFEI_DATA"]) / "serve.log"
    with words.open("ab") as log:
        server = subprocess.Popen(
            [str(WUFEI), "serve", "--port", str(port), "--workers", "2"], env=said, start_new_session=True,
            stdout=log, stderr=subprocess.STDOUT,
        )  # fmt: skip
    until = time.monotonic() + GIVE_UP_S
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2):
                return server
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"the server did not come back:\n{words.read_text(errors='replace')[-5000:]}")


def kill_server(server: subprocess.Popen[bytes]) -> None:
    os.killpg(server.pid, signal.SIGKILL)
    server.wait()


def kill_database(folder: Path) -> None:
    """Kill the postmaster and all its children at once, and wait until nothing of them is left."""
    postmaster = psutil.Process(int((folder / "pg" / "postmaster.pid").read_text().split()[0]))
    all_of_it = [postmaster, *postmaster.children(recursive=True)]
    for each in all_of_it:
        with suppress(psutil.NoSuchProcess):
            each.kill()
    # A dead postmaster that nobody has taken note of looks alive to who starts it again.
    _gone, left = psutil.wait_procs(all_of_it, timeout=GIVE_UP_S)
    assert not left, left


def start_database(folder: Path) -> None:
    import pgserver  # slow import

    server = pgserver.PostgresServer._instances[folder / "pg"]  # started by us; pgserver knows no other way
    until = time.monotonic() + GIVE_UP_S
    while True:
        try:
            server.ensure_postgres_running()
            return
        except Exception:  # its children are not all gone yet
            if time.monotonic() > until:
                raise
            time.sleep(0.3)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def start_gateway(environment: dict[str, str], broker: Any) -> subprocess.Popen[bytes]:
    said = {**os.environ, **{key: value for key, value in environment.items() if value}}
    if not environment["DATABASE_URL"]:
        said.pop("DATABASE_URL", None)
    return subprocess.Popen(
        [str(WUFEI), "gateway", "--broker", broker.address, "--name", "drill"], env=said,
        start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


class Site:
    """What is killed and started again: server, gateway, database."""

    def __init__(self, environment: dict[str, str], broker: Any):
        self.environment, self.broker, self.port = environment, broker, free_port()
        self.folder = Path(environment["WUFEI_DATA"])
        self.server = start_server(environment, self.port)
        self.gateway = start_gateway(environment, broker) if broker else None
        self.killed: Counter[str] = Counter()
        self.restarts: list[float] = []

    def parts(self, *, is_careless: bool) -> list[tuple[str, ...]]:
        """Return what may be killed together."""
        if is_careless:
            return [("database",)]  # a server that starts would refuse it
        one: list[tuple[str, ...]] = [("server",)]
        if self.gateway:
            one.append(("gateway",))
        if self.environment["DATABASE_URL"]:
            one += [("database",), ("server", "database")]
        return one

    def kill_and_start(self, what: tuple[str, ...]) -> None:
        self.killed[" and ".join(what)] += 1
        begun = time.monotonic()
        if "server" in what:
            kill_server(self.server)
        if "gateway" in what and self.gateway:
            kill_server(self.gateway)
        if "database" in what:
            kill_database(self.folder)
        if "database" in what:
            start_database(self.folder)
        if "server" in what:
            self.server = start_server(self.environment, self.port)
        if "gateway" in what:
            self.gateway = start_gateway(self.environment, self.broker)
        self.restarts.append(time.monotonic() - begun)

    def end(self) -> None:
        kill_server(self.server)
        if self.gateway:
            kill_server(self.gateway)


def make_careless(environment: dict[str, str]) -> None:
    """Let the database acknowledge before it writes: what start-up refuses, set when all has started."""
    import psycopg

    with psycopg.connect(environment["DATABASE_URL"], autocommit=True) as admin:
        admin.execute("ALTER SYSTEM SET synchronous_commit = off")
        admin.execute("ALTER SYSTEM SET wal_writer_delay = '10s'")  # long enough to be hit
        admin.execute("ALTER SYSTEM SET wal_writer_flush_after = 0")
        admin.execute("SELECT pg_reload_conf()")


def run(
    database: str, kills: int, *, up_s: float = 1.0, seed: int = 7, is_careless: bool = False
) -> dict[str, Any]:
    """Hold the drill, and return what was acknowledged and what is wrong."""
    chance = random.Random(seed)
    with stores.store(database) as environment, _broker(environment) as broker:
        [world] = stores.in_processes(
            environment, prepare, [(WORKERS + CLERKS, PHONES, SCALES + MQTT_SCALES)]
        )
        site = Site(environment, broker)
        if is_careless:
            make_careless(environment)
        drill = Drill(f"http://127.0.0.1:{site.port}", world["uscc"])
        clients = _clients(drill, world, broker)
        for client in clients:
            client.start()
        for _ in range(kills):
            time.sleep(up_s * chance.uniform(*UP))
            site.kill_and_start(chance.choice(site.parts(is_careless=is_careless)))
        drill.stop.set()
        for client in clients:
            client.join(GIVE_UP_S + 30)
        site.end()
        said = {
            "uscc": drill.uscc, "asked": drill.asked, "movements": drill.movements, "drafts": drill.drafts,
        }  # fmt: skip
        if is_careless:
            _make_careful(environment)
        [outcome] = stores.in_processes(environment, found, [(said,)])
    return {
        "kills": dict(site.killed), "answers": dict(drill.answers),
        "slowest_restart_s": round(max(site.restarts), 1),
        "slow_restarts": [round(each, 1) for each in site.restarts if each > RESTART_S], **outcome,
    }  # fmt: skip


def _make_careful(environment: dict[str, str]) -> None:
    import psycopg

    with psycopg.connect(environment["DATABASE_URL"], autocommit=True) as admin:
        admin.execute("ALTER SYSTEM RESET ALL")
        admin.execute("SELECT pg_reload_conf()")


@contextmanager
def _broker(environment: dict[str, str]) -> Iterator[Any]:
    """Yield a broker for the scales that speak MQTT; None where there is no Mosquitto, and say so."""
    if not shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin"):
        print("no mosquitto here: THE GATEWAY IS LEFT OUT of this drill", file=sys.stderr)
        yield None
        return
    from tests.rooms.shopfloor.broker import Broker

    broker = Broker(Path(environment["WUFEI_DATA"]) / "broker").start()
    try:
        yield broker
    finally:
        broker.stop()


def _clients(drill: Drill, world: dict[str, Any], broker: Any) -> list[threading.Thread]:
    tokens, scales, sessions = world["tokens"], world["scales"], world["sessions"]
    clients = [Thread(target=work, args=(drill, tokens[n], n)) for n in range(WORKERS)]
    clients += [
        Thread(target=enter, args=(drill, n, session, 50 + n)) for n, session in enumerate(sessions, 1)
    ]
    clients += [Thread(target=weigh, args=(drill, *scale)) for scale in scales[:SCALES]]
    if broker:
        clients += [Thread(target=weigh_over_mqtt, args=(drill, *scale, broker)) for scale in scales[SCALES:]]
    clients += [Thread(target=draft, args=(drill, tokens[WORKERS], 99))]
    return clients


WRONG = ("lost", "double", "wrong_mass", "never_said", "faults", "slow_restarts")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.drill", description=__doc__)
    parser.add_argument("--database", choices=stores.DATABASES, action="append")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=7, help="of what is killed when")
    parser.add_argument("--up", type=float, default=1.0, help="seconds of work before a kill, on average")
    parser.add_argument(
        "--control", action="store_true", help="on a careless PostgreSQL; succeeds if it loses"
    )
    given = parser.parse_args()
    if given.control:
        outcome = run("postgresql", min(given.kills, 5), up_s=given.up, is_careless=True)
        print(json.dumps({"postgresql, careless": _told(outcome)}, ensure_ascii=False), flush=True)
        sys.exit(0 if outcome["lost"] else 1)
    is_sound = True
    for database in given.database or stores.DATABASES:
        outcome = run(database, given.kills, up_s=given.up, seed=given.seed)
        print(json.dumps({database: _told(outcome)}, ensure_ascii=False), flush=True)
        is_sound &= not any(outcome[key] for key in WRONG)
    sys.exit(0 if is_sound else 1)


def _told(outcome: dict[str, Any]) -> dict[str, Any]:
    """Count what is wrong row by row; name the rest."""
    return {
        key: len(value) if key in WRONG and key not in ("faults", "slow_restarts") else value
        for key, value in outcome.items()
    }


if __name__ == "__main__":
    main()
