"""A site of one's own: a small store made by a script, served by the command, thrown away afterwards."""

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.browser.conftest import WUFEI, free_port

ROOT = Path(__file__).parents[2]
# What runs before the script: an empty store with `worlds` at hand. What runs after it says where the store is.
BEFORE = """
import shutil
from django.conf import settings, global_settings
from tests import conftest, stores
shutil.copy(stores.sqlite_template(), conftest._DATA / "wufei.sqlite3")
import django
django.setup()
settings.PASSWORD_HASHERS = global_settings.PASSWORD_HASHERS
from django.utils import timezone
from tests.rooms.reviews import world as worlds
now = timezone.now()
"""
AFTER = """
print(conftest._DATA)
"""


@dataclass(frozen=True)
class SmallSite:
    address: str
    data: Path
    said: tuple[str, ...]  # the lines that the script printed


@contextmanager
def small_site(folder: Path, script: str) -> Iterator[SmallSite]:
    """Serve a store that the script filled."""
    environment = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "WUFEI_TEST_DATABASE")}
    environment |= {
        "TMPDIR": str(folder),
        "PYTHONPATH": str(ROOT),
        "DJANGO_SETTINGS_MODULE": "wufei.web.settings",
    }
    made = subprocess.run(
        [sys.executable, "-c", BEFORE + script + AFTER], env=environment, cwd=ROOT, check=True,
        capture_output=True, text=True,
    )  # fmt: skip
    *said, data = made.stdout.splitlines()
    port = free_port()
    serving = [*WUFEI, "serve", "--port", str(port), "--workers", "1"]
    server = subprocess.Popen(serving, env=environment | {"WUFEI_DATA": data})
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(100):
            try:
                urllib.request.urlopen(f"{address}/healthz", timeout=2)
                break
            except OSError:
                time.sleep(0.3)
        yield SmallSite(address, Path(data), tuple(said))
    finally:
        server.terminate()
        server.wait(timeout=30)
