"""Start-up refuses a store that could lose what it acknowledged (promise L2)."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection

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


@pytest.mark.slow
def test_the_command_line_refuses_to_start_on_an_unsafe_store(tmp_path: Path):
    """A PostgreSQL whose role has synchronous_commit=off."""
    import psycopg  # slow import

    from tests.conftest import postgresql

    ours = postgresql().get_uri()
    with psycopg.connect(ours, autocommit=True) as admin:
        admin.execute("DROP ROLE IF EXISTS careless")
        admin.execute("CREATE ROLE careless LOGIN SUPERUSER")
        admin.execute("ALTER ROLE careless SET synchronous_commit = off")
    address = ours.replace("postgres:@", "careless:@")
    environment = os.environ | {"DATABASE_URL": address, "WUFEI_DATA": str(tmp_path)}
    done = subprocess.run([*WUFEI, "verify"], env=environment, capture_output=True, text=True)

    assert done.returncode == 1
    assert "synchronous_commit=off" in done.stderr
    assert "拒绝启动" in done.stderr


@pytest.mark.any_database  # what SQLite is told
def test_what_one_lot_did_is_found_by_the_lot_and_not_among_all_movements(db):
    """SQLite once read every movement of the store before each posting: see migration 0011."""
    mine = Movement.objects.effective().filter(lot=1)
    assert "ledger_movement_by_lot" in mine.explain()
