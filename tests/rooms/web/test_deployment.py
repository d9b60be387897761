"""Django's own check of a deployment finds nothing (promise S5)."""

import os
import subprocess
import sys
from pathlib import Path

# What the tests set for themselves, and a deployment does not.
OURS = {"DATABASE_URL", "DJANGO_ALLOW_ASYNC_UNSAFE"}


def test_the_deployment_check_finds_nothing(tmp_path: Path):
    environment = {key: value for key, value in os.environ.items() if key not in OURS}
    environment |= {
        "WUFEI_DATA": str(tmp_path), "WUFEI_HTTPS": "1", "DJANGO_SETTINGS_MODULE": "wufei.web.settings",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "django", "check", "--deploy", "--fail-level", "WARNING"],
        env=environment, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_without_https_the_same_check_complains(tmp_path: Path):
    """The control."""
    environment = {key: value for key, value in os.environ.items() if key not in OURS}
    environment |= {"WUFEI_DATA": str(tmp_path), "DJANGO_SETTINGS_MODULE": "wufei.web.settings"}
    done = subprocess.run(
        [sys.executable, "-m", "django", "check", "--deploy", "--fail-level", "WARNING"],
        env=environment, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 1
    assert "SECURE_SSL_REDIRECT" in done.stderr
