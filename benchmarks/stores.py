"""A database of a benchmark's own, and processes that work on it."""

import os
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from traceback import format_exc
from typing import Any

DATABASES = ("sqlite", "postgresql")
_SPAWN = get_context("spawn")
_barrier: Any = None  # of the writers of this process pool


@contextmanager
def store(database: str) -> Iterator[dict[str, str]]:
    """Make an empty database, and yield the environment in which Wufei uses it."""
    with tempfile.TemporaryDirectory(prefix="wufei-bench-", ignore_cleanup_errors=True) as folder:
        environment = {"WUFEI_DATA": folder, "XDG_RUNTIME_DIR": folder, "DATABASE_URL": ""}
        if database == "sqlite":
            yield environment
            return
        os.environ["XDG_RUNTIME_DIR"] = folder
        import pgserver  # slow import

        server = pgserver.get_server(Path(folder) / "pg", cleanup_mode="delete")
        try:
            yield environment | {"DATABASE_URL": server.get_uri()}
        finally:
            server.cleanup()


def start(environment: dict[str, str], barrier: Any = None) -> None:
    """Begin a process: Django on the given database, brought up to date."""
    global _barrier  # one for the process
    _barrier = barrier
    os.environ.update({key: value for key, value in environment.items() if value})
    if not environment["DATABASE_URL"]:
        os.environ.pop("DATABASE_URL", None)
    os.environ["DJANGO_SETTINGS_MODULE"] = "wufei.web.settings"
    import django

    django.setup()
    from wufei.web.migrating import migrate_if_needed

    migrate_if_needed()


def wait_for_all() -> None:
    """Wait until all writers have come here."""
    if _barrier is not None:
        _barrier.wait(timeout=300)


def in_processes(
    environment: dict[str, str], function: Callable[..., Any], arguments: list[tuple[Any, ...]]
) -> list[Any]:
    """Run the function once for each tuple of arguments, all at the same time."""
    count = len(arguments)
    barrier = _SPAWN.Barrier(count)
    with ProcessPoolExecutor(count, _SPAWN, start, (environment, barrier)) as pool:
        return [each.result() for each in [pool.submit(_told, function, *given) for given in arguments]]


def _told(function: Callable[..., Any], *given: Any) -> Any:
    """Run it; what it raises may be of a class that only a process with Django can read."""
    try:
        return function(*given)
    except Exception:
        raise RuntimeError(format_exc()) from None


def use(environment: dict[str, str]) -> None:
    """Point Django to the store of the environment, wherever it points now."""
    import dj_database_url
    from django.conf import settings
    from django.db import connections

    url = environment["DATABASE_URL"] or f"sqlite:///{environment['WUFEI_DATA']}/wufei.sqlite3"
    described = connections.settings["default"] | dj_database_url.parse(url)
    if not environment["DATABASE_URL"]:
        described["OPTIONS"] = settings.SQLITE_OPTIONS
    connections["default"].close()
    connections.settings["default"] = described
    connections["default"] = connections.create_connection("default")
