"""
The drill (`make drill`): clients work while the server, or the database, is killed without warning.

Workers post movements, scales send signed readings that post by rule, a clerk drafts manifests. Each says a thing
again and again until it is acknowledged, as a phone or a scale does. At random the whole server process group or,
with PostgreSQL, the postmaster gets SIGKILL, and is started again. At the end everything that was acknowledged must
stand exactly once, nothing that nobody said may stand, mass must be conserved and the chain verify (promise L1, L3).

    python -m benchmarks.drill [--database sqlite|postgresql] [--kills 50]
"""

import argparse
import json
import os
import random
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
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks import stores

WUFEI = Path(sys.executable).with_name("wufei")
WORKERS, SCALES, CLERKS = 5, 2, 1
UP = (0.4, 1.6)  # seconds between a start and the next kill
GIVE_UP_S = 60
AGAIN = 0.2  # of what was acknowledged is sent once more, to see that it is not counted twice


def prepare(people: int, scales: int) -> dict[str, Any]:
    """Make an organisation with people who hold tokens, and its scales; return what the clients must know."""
    from benchmarks.ground import STORES, STREAMS, open_ledger
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
    return {"uscc": organisation.uscc, "tokens": tokens, "scales": known}


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
        "wrong_mass": [each for each, grams in said["movements"].items() if masses.get(each) != grams],
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
            time.sleep(0.05)
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
    from benchmarks.ground import STORES, STREAMS

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


def weigh(drill: Drill, code: str, secret: str) -> None:
    """Send one signed reading after another."""
    from wufei.shopfloor import signing, simulating

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
    server = subprocess.Popen(
        [str(WUFEI), "serve", "--port", str(port), "--workers", "2"], env=said, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    until = time.monotonic() + GIVE_UP_S
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2):
                return server
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the server did not come back")


def kill_server(server: subprocess.Popen[bytes]) -> None:
    os.killpg(server.pid, signal.SIGKILL)
    server.wait()


def kill_database(folder: Path) -> None:
    """Kill the postmaster; its children see that it is gone and end by themselves."""
    postmaster = int((folder / "pg" / "postmaster.pid").read_text().split()[0])
    os.kill(postmaster, signal.SIGKILL)


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


def run(database: str, kills: int) -> dict[str, Any]:
    """Hold the drill, and return what was acknowledged and what is wrong."""
    chance, restarts = random.Random(7), []
    with stores.store(database) as environment:
        [world] = stores.in_processes(environment, prepare, [(WORKERS + CLERKS, SCALES)])
        port, folder = free_port(), Path(environment["WUFEI_DATA"])
        server = start_server(environment, port)
        drill = Drill(f"http://127.0.0.1:{port}", world["uscc"])
        tokens = world["tokens"]
        clients = [threading.Thread(target=work, args=(drill, tokens[n], n)) for n in range(WORKERS)]
        clients += [threading.Thread(target=weigh, args=(drill, *scale)) for scale in world["scales"]]
        clients += [threading.Thread(target=draft, args=(drill, tokens[WORKERS], 99))]
        for client in clients:
            client.start()
        killed: Counter[str] = Counter()
        for _ in range(kills):
            time.sleep(chance.uniform(*UP))
            what = chance.choice(("server", "database", "both")) if database == "postgresql" else "server"
            killed[what] += 1
            if what != "database":
                kill_server(server)
            if what != "server":
                kill_database(folder)
            begun = time.monotonic()
            if what != "server":
                start_database(folder)
            if what != "database":
                server = start_server(environment, port)
            restarts.append(time.monotonic() - begun)
        drill.stop.set()
        for client in clients:
            client.join(GIVE_UP_S + 30)
        kill_server(server)
        said = {
            "uscc": drill.uscc, "asked": drill.asked, "movements": drill.movements, "drafts": drill.drafts,
        }  # fmt: skip
        [outcome] = stores.in_processes(environment, found, [(said,)])
    return {
        "kills": dict(killed), "answers": dict(drill.answers), "slowest_restart_s": round(max(restarts), 1), **outcome
    }  # fmt: skip


WRONG = ("lost", "double", "wrong_mass", "never_said", "faults")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.drill", description=__doc__)
    parser.add_argument("--database", choices=stores.DATABASES, action="append")
    parser.add_argument("--kills", type=int, default=50)
    given = parser.parse_args()
    is_sound = True
    for database in given.database or stores.DATABASES:
        outcome = run(database, given.kills)
        told = {
            key: len(value) if key in WRONG and key != "faults" else value for key, value in outcome.items()
        }
        print(json.dumps({database: told}, ensure_ascii=False), flush=True)
        is_sound &= not any(outcome[key] for key in WRONG)
    sys.exit(0 if is_sound else 1)


if __name__ == "__main__":
    main()
