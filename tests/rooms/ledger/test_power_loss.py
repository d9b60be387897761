"""
Each commit is on the disk before it is acknowledged (promise L2), witnessed by what the kernel is asked.

Killing a process can't show it: what was written and not yet synced outlives the process, not the power. The control
posts in the same way on a connection that was made careless, and the witness sees fewer.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests import stores
from tests.conftest import postgresql

pytestmark = pytest.mark.slow

COMMITS = 40
LOG = {"sqlite": "wufei.sqlite3-wal", "postgresql": "pg_wal/"}
CARELESS = {"sqlite": "PRAGMA synchronous=NORMAL", "postgresql": "SET synchronous_commit=off"}


@pytest.fixture
def witness() -> str:
    if found := shutil.which("strace"):
        return found
    if os.environ.get("CI") == "true":
        pytest.fail("CI 上没有 strace：tools/install_test_system 没有装上")
    pytest.skip("本机没有 strace，断电测试（L2）跳过！请装 strace 后重跑")


def syncs(witness: str, database: str, tmp_path: Path, *statements: str) -> int:
    """Post on a store of the test's own and return how often its log was synced meanwhile."""
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "wufei.web.settings", "WUFEI_DATA": str(tmp_path)}
    if database == "sqlite":
        shutil.copy(stores.sqlite_template(), tmp_path / "wufei.sqlite3")
    else:
        environment["DATABASE_URL"] = stores.new_database(postgresql(), f"power_{os.getpid()}")
    said = tmp_path / "strace"
    posting = subprocess.Popen(
        [sys.executable, "-m", "tests.rooms.ledger.committing", str(COMMITS), *statements], env=environment,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert posting.stdin is not None
    assert posting.stdout is not None
    writer = posting.stdout.readline().strip()
    watching = subprocess.Popen(
        [witness, "-f", "-y", "-e", "trace=fsync,fdatasync,msync,sync_file_range", "-o", said, "-p", writer],
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert watching.stderr is not None
    attached = watching.stderr.readline()
    try:
        if "attached" not in attached:
            pytest.skip(f"strace 不得附着到进程上，断电测试（L2）跳过！{attached}")
        posting.stdin.write("\n")
        posting.stdin.flush()
        assert posting.stdout.readline() == "end\n"
    finally:
        watching.terminate()
        watching.wait(30)
        posting.communicate("\n", timeout=60)
    calls = re.findall(r"^\d+ +(?:fsync|fdatasync)\(\d+<([^>]+)>\) += 0", said.read_text(), re.MULTILINE)
    return sum(LOG[database] in path for path in calls)


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_each_commit_is_synced_before_it_is_acknowledged(witness, database, tmp_path):
    assert syncs(witness, database, tmp_path) >= COMMITS


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_the_witness_sees_a_careless_connection(witness, database, tmp_path):
    """The control: the same postings, each acknowledged, and most of them not on the disk."""
    assert syncs(witness, database, tmp_path, CARELESS[database]) < COMMITS / 2
