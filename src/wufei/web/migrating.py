"""Bring the store's schema up to date before the first command, one process at a time."""

import fcntl
from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

if TYPE_CHECKING:
    from collections.abc import Iterator

LOCK = 0x77756665  # "wufe": the advisory lock of a migration on PostgreSQL


def migrate_if_needed() -> None:
    """Apply what is missing; look first, for that is cheap."""
    if not is_behind():
        return
    with alone():
        if is_behind():
            call_command("migrate", verbosity=0, interactive=False)


def is_behind() -> bool:
    """Are there migrations that the store has not seen?"""
    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


@contextmanager
def alone() -> "Iterator[None]":
    """Let one process at a time change the schema, or fill the empty store."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])
            try:
                yield
            finally:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])
        return
    settings.DATA.mkdir(parents=True, exist_ok=True)
    with (settings.DATA / "migrate.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
