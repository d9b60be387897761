"""The command line as the contract tests drive it: in this process, or as a process of its own."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests import stores

WUFEI = Path(sys.executable).with_name("wufei")


@dataclass(frozen=True)
class Answer:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Return the one JSON document that stands on standard output, and nothing beside it."""
        assert self.out.endswith("\n"), self.out
        return json.loads(self.out)


@pytest.fixture
def wufei(db, monkeypatch):
    """Run `wufei …` in this process, on the database of the test."""
    from wufei.web.cli import main

    monkeypatch.setenv("WUFEI_STORE_IS_OPEN", "1")

    def run(*said: Any) -> Answer:
        got = CliRunner().invoke(main, [str(s) for s in said], env={"COLUMNS": "200"})
        if got.exception is not None and not isinstance(got.exception, SystemExit):
            raise got.exception
        return Answer(got.exit_code, got.stdout, got.stderr)

    return run


@pytest.fixture
def process(tmp_path):
    """Run the installed command on a data folder of the test's own."""

    def run(*said: Any, database: str | None = None, options: tuple[Any, ...] = ()) -> Answer:
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("WUFEI", "DJANGO"))}
        environment.pop("DATABASE_URL", None)
        if database:
            environment["DATABASE_URL"] = database
        command = [str(WUFEI), "--data", str(tmp_path / "data"), *map(str, options), *map(str, said)]
        got = subprocess.run(
            command, capture_output=True, text=True, env=environment, timeout=180, cwd=tmp_path, check=False
        )
        return Answer(got.returncode, got.stdout, got.stderr)

    return run


@pytest.fixture
def on_a_store(process, tmp_path):
    """Run the installed command on a data folder whose store was migrated before."""
    (tmp_path / "data").mkdir()
    shutil.copy(stores.sqlite_template(), tmp_path / "data" / "wufei.sqlite3")
    return process
