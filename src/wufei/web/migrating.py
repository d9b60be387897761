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
    if not _is_behind():
        return
    with _alone():
        if _is_behind():
            call_command("migrate", verbosity=0, interactive=False)


def _is_behind() -> bool:
    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


@contextmanager
def _alone() -> "Iterator[None]":
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
