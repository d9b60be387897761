"""The background worker waits for a database that goes away, and goes on when it is back."""

import json
import os
import select
import signal
import subprocess
import sys
import time

import psycopg
import pytest

from tests import stores
from tests.conftest import postgresql


@pytest.mark.slow
def test_it_outlives_its_connection_and_does_what_waits(tmp_path, django_db_blocker):
    from wufei.reviews.tasks import mail_messages

    address = stores.new_database(postgresql(), f"worker_{os.getpid()}")
    environment = os.environ | {"DATABASE_URL": address, "WUFEI_DATA": str(tmp_path)}
    command = [sys.executable, "-m", "wufei.web.cli", "worker", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True) as worker:
        try:
            assert worker.stdout is not None
            assert json.loads(worker.stdout.readline()) == {"event": "ready"}
            # One that it lost between two questions it opens again without a word: end them until it speaks.
            speaks = any(
                _end_connections(address) and select.select([worker.stdout], [], [], 0.5)[0]
                for _ in range(40)
            )
            assert speaks, "it had connections, and lost them while it asked"
            told = json.loads(worker.stdout.readline())
            assert (told["event"], set(told)) == ("database_away", {"event", "reason"})
            with django_db_blocker.unblock(), stores.connected_to(stores.described(address)):
                waiting = mail_messages.enqueue([])
                until = time.monotonic() + 30
                while waiting.status != "SUCCESSFUL" and time.monotonic() < until:
                    time.sleep(0.2)
                    waiting.refresh()
                assert (waiting.status, waiting.return_value) == ("SUCCESSFUL", 0)
            assert worker.poll() is None
        finally:
            worker.send_signal(signal.SIGTERM)
    assert worker.returncode == 0


def _end_connections(address: str) -> int:
    """End them as a database does that is killed; wait until there is one."""
    with psycopg.connect(address, autocommit=True) as admin:
        for _ in range(100):
            rows = admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            ).fetchall()
            if rows:
                return len(rows)
            time.sleep(0.1)
    return 0
