"""
Stores that are made already: migrated ones once for a state of the migrations, the demo's once for a state of all
sources and a day; kept, and copied for each test process.

Migrating takes ten seconds of a core and most of it is Django rendering models, the same each time; the demo takes
more than a minute. That the commands themselves make a new store is tested by `tests/contract/test_process_contract.py`
and `tests/rooms/demo`.
"""

import fcntl
import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).parents[1]
_KEPT = _ROOT / ".pytest_cache" / "stores"
# What makes the tables: ours, and the packages that bring tables of their own.
_TABLES = ("*/migrations/*.py", "*/models.py", "*/models/*.py")
_DEMO = ("**/*.py", "**/*.yaml", "**/*.csv", "**/*.json")
_PACKAGES = ("django", "django-axes", "django-otp", "django-tasks", "django-tasks-db", "pgserver")
TEMPLATE = "template_wufei"


def _key(globs: Sequence[str]) -> str:
    said = hashlib.sha256("".join(f"{name}=={version(name)}\n" for name in _PACKAGES).encode())
    for path in sorted({path for glob in globs for path in (_ROOT / "src" / "wufei").glob(glob)}):
        said.update(f"{path}\n".encode() + path.read_bytes())
    return said.hexdigest()[:16]


def _made_once(suffix: str, make: Callable[[Path], None], *, key: str = "") -> Path:
    """Return the kept store; who comes first makes it while the others wait."""
    _KEPT.mkdir(parents=True, exist_ok=True)
    kept = _KEPT / f"{key or _key(_TABLES)}{suffix}"
    with (_KEPT / f"lock{suffix}").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            for old in _KEPT.glob(f"*{suffix}*"):  # also what a making that was cut short left
                if old.name != f"lock{suffix}":
                    shutil.rmtree(old) if old.is_dir() else old.unlink()
            making = _KEPT / f"making{suffix}"
            make(making)
            making.rename(kept)
    return kept


@contextmanager
def connected_to(described: dict[str, Any]) -> Iterator[None]:
    """Have Django's connection go to another database for a while."""
    from django.db import connections  # settings ready

    before, before_settings = connections["default"], connections.settings["default"]
    connections.settings["default"] = before_settings | described
    connections["default"] = connections.create_connection("default")
    try:
        yield
    finally:
        connections["default"].close()
        connections.settings["default"] = before_settings
        connections["default"] = before


def described(address: str) -> dict[str, Any]:
    """Return Django's settings for the database at the address."""
    import dj_database_url  # settings ready
    from django.conf import settings

    found = dict(dj_database_url.parse(address))
    if address.startswith("sqlite"):
        found["OPTIONS"] = settings.SQLITE_OPTIONS
    return found


def _migrate(address: str) -> None:
    """Let a process of its own migrate it: pytest-django keeps this one from any database until a test asks."""
    with tempfile.TemporaryDirectory() as data:
        said = {"DJANGO_SETTINGS_MODULE": "wufei.web.settings", "DATABASE_URL": address, "WUFEI_DATA": data}
        command = [sys.executable, "-m", "django", "migrate", "--verbosity", "0"]
        subprocess.run(command, env=os.environ | said, check=True)


# ---- SQLite -------------------------------------------------------------------------------


def sqlite_template() -> Path:
    """Return a migrated SQLite file, to be copied."""

    def make(making: Path) -> None:
        _migrate(f"sqlite:///{making}")
        with closing(sqlite3.connect(making)) as database:
            database.execute("PRAGMA journal_mode=DELETE")  # one file, that memory can take over

    return _made_once(".sqlite3", make)


def fill_from_template(database: sqlite3.Connection) -> None:
    """Make an empty database the migrated one."""
    with closing(sqlite3.connect(sqlite_template())) as template:
        template.backup(database)


def copy_demo(data: Path) -> dict[str, str]:
    """Put the store that `wufei demo` makes, and its files, into the folder; return what the command said."""

    def make(making: Path) -> None:
        environment = {key: value for key, value in os.environ.items() if key != "DATABASE_URL"}
        environment |= {"WUFEI_DATA": str(making), "COLUMNS": "80"}
        command = [sys.executable, "-m", "wufei.web.cli", "demo", "--no-serve"]
        made = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert made.returncode == 0, made.stderr
        said = made.stdout.replace("\n", "")  # a path may be broken by lines
        for path in (str(making), os.path.relpath(making)):
            said = said.replace(path, "DATA")
        (making / "said.json").write_text(json.dumps({"lines": made.stdout, "unbroken": said}))

    key = f"{_key(_DEMO)}-{datetime.now(UTC):%Y%m%d}"  # its dates are told from today
    shutil.copytree(_made_once(".demo", make, key=key), data, dirs_exist_ok=True)
    return json.loads((data / "said.json").read_text())


# ---- PostgreSQL ---------------------------------------------------------------------------


def start_postgresql(folder: Path) -> Any:
    """Start a server of this process on a copy of the kept data; its `TEMPLATE` is migrated."""
    import pgserver  # slow import

    kept = _made_once(".pg", lambda making: _make_postgresql(folder.with_name("pg-making"), making))
    # Not shutil: the owner is another than we are, where we are root.
    subprocess.run(["cp", "-a", "--reflink=auto", str(kept), str(folder)], check=True)
    return pgserver.get_server(folder, cleanup_mode="delete")


def _make_postgresql(folder: Path, making: Path) -> None:
    import pgserver  # slow import
    import psycopg

    server = pgserver.get_server(folder, cleanup_mode="stop")
    with psycopg.connect(server.get_uri(), autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {TEMPLATE}")
    _migrate(server.get_uri(TEMPLATE))
    server.cleanup()
    for left in ("postmaster.pid", ".handle_pids.json"):
        (folder / left).unlink(missing_ok=True)
    subprocess.run(["cp", "-a", str(folder), str(making)], check=True)
    shutil.rmtree(folder)


def new_database(server: Any, name: str, *, migrated: bool = True) -> str:
    """Make a database on the server, anew where there is one, and return its address."""
    import psycopg  # slow import

    with psycopg.connect(server.get_uri(), autocommit=True) as admin:
        admin.execute(f"DROP DATABASE IF EXISTS {name}")
        admin.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE if migrated else 'template1'}")
    return server.get_uri(name)
