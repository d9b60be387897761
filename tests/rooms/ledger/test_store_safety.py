"""Start-up refuses a store that could lose what it acknowledged (promise L2)."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.db import connection

from tests import stores
from tests.conftest import postgresql
from wufei.ledger.models import Movement
from wufei.ledger.queries import durability_faults, store_settings

WUFEI = [sys.executable, "-m", "wufei.web.cli"]


def test_our_own_settings_are_safe(own_store):
    assert durability_faults(store_settings()) == []
    assert set(store_settings()) == (
        {"synchronous", "journal_mode"}
        if own_store == "sqlite"
        else {"fsync", "synchronous_commit", "full_page_writes"}
    )


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("synchronous", "1"),
        ("synchronous", "0"),
        ("journal_mode", "memory"),
        ("journal_mode", "off"),
        ("fsync", "off"),
        ("synchronous_commit", "off"),
        ("full_page_writes", "off"),
    ],
)
def test_each_unsafe_setting_is_named(setting, value):
    assert durability_faults({setting: value}) == [f"{setting}={value}"]


def test_a_connection_that_was_made_unsafe_is_seen(own_store):
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA synchronous=NORMAL" if own_store == "sqlite" else "SET synchronous_commit=off")

    assert len(durability_faults(store_settings())) == 1


# Whatever writes: each process that is started looks for itself.
WRITERS = {
    "command": [*WUFEI, "verify"],
    "server": [*WUFEI, "serve", "--port", "1"],
    "worker": [*WUFEI, "worker"],
    "gateway": [*WUFEI, "gateway", "--broker", "127.0.0.1:1"],
    "restore": [*WUFEI, "restore", "none"],
    "gunicorn": [sys.executable, "-m", "gunicorn", "wufei.web.wsgi", "--preload", "--bind", "127.0.0.1:0"],
}


def refused(command: list[str], environment: dict[str, str]) -> str:
    """Return what a process says that doesn't start."""
    done = subprocess.run(
        command, env=os.environ | environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "拒绝启动" in done.stderr
    return done.stderr


@pytest.fixture
def careless_role() -> Iterator[str]:
    """Yield the address of a PostgreSQL whose role acknowledges before it writes."""
    ours = postgresql().get_uri()
    with psycopg.connect(ours, autocommit=True) as admin:
        admin.execute("DROP ROLE IF EXISTS careless")
        admin.execute("CREATE ROLE careless LOGIN SUPERUSER")
        admin.execute("ALTER ROLE careless SET synchronous_commit = off")
    yield ours.replace("postgres:@", "careless:@")
    with psycopg.connect(ours, autocommit=True) as admin:
        admin.execute("DROP ROLE careless")


@pytest.mark.any_database  # what SQLite is told
def test_what_one_lot_did_is_found_by_the_lot_and_not_among_all_movements(db):
    """SQLite once read every movement of the store before each posting: see migration 0011."""
    mine = Movement.objects.effective().filter(lot=1)
    assert "ledger_movement_by_lot" in mine.explain()


@pytest.mark.slow
@pytest.mark.parametrize("writer", WRITERS)
def test_nothing_starts_on_an_unsafe_postgresql(writer, careless_role, tmp_path: Path):
    said = refused(WRITERS[writer], {"DATABASE_URL": careless_role, "WUFEI_DATA": str(tmp_path)})
    assert "synchronous_commit=off" in said


@pytest.mark.slow
@pytest.mark.parametrize("writer", WRITERS)
def test_nothing_starts_on_an_unsafe_sqlite(writer, tmp_path: Path):
    """Our own settings are safe; these are those of somebody who wanted it faster."""
    (tmp_path / "careless.py").write_text(
        "from wufei.web.settings import *\n"
        'DATABASES["default"]["OPTIONS"] = {"init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"}\n'
    )
    paths = os.pathsep.join((str(tmp_path), os.environ.get("PYTHONPATH", "")))
    environment = {"DJANGO_SETTINGS_MODULE": "careless", "PYTHONPATH": paths, "WUFEI_DATA": str(tmp_path)}
    assert "synchronous=1" in refused(WRITERS[writer], environment)


@pytest.mark.slow
@pytest.mark.parametrize("setting", ["fsync", "full_page_writes"])
def test_a_server_that_does_not_sync_is_refused(setting, tmp_path: Path):
    ours = postgresql().get_uri()
    with psycopg.connect(ours, autocommit=True) as admin:
        try:
            admin.execute(f"ALTER SYSTEM SET {setting} = off")
            admin.execute("SELECT pg_reload_conf()")
            environment = {"DATABASE_URL": ours, "WUFEI_DATA": str(tmp_path)}
            assert f"{setting}=off" in refused(WRITERS["worker"], environment)
        finally:
            admin.execute(f"ALTER SYSTEM RESET {setting}")
            admin.execute("SELECT pg_reload_conf()")


@pytest.mark.slow
def test_a_safe_store_is_not_refused(on_both, tmp_path: Path):
    """The control of the refusals: the same command, the same database, our own settings."""
    done = subprocess.run(
        WRITERS["command"], env=os.environ | on_both, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(params=["sqlite", "postgresql"])
def on_both(request, tmp_path) -> dict[str, str]:
    if request.param == "sqlite":
        shutil.copy(stores.sqlite_template(), tmp_path / "wufei.sqlite3")
        return {"WUFEI_DATA": str(tmp_path)}
    return {"DATABASE_URL": stores.new_database(postgresql(), "safe"), "WUFEI_DATA": str(tmp_path)}
