"""
How far is an import? A small file beside the upload, read by any process.

Not a row: on SQLite the import's own transaction holds the only write lock, and on PostgreSQL a row
written in it is not seen before it ends. Not the cache: the default one is not shared by processes.
"""

import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path

SUFFIX = ".progress"
_INTERVAL_S = 0.2


@dataclass(frozen=True, slots=True)
class Step:
    phase: str  # "reading", "checking", "posting"
    done: int
    total: int


def write(upload: Path, step: Step) -> None:
    """Replace the file as a whole, so that a reader never sees half of it."""
    target, draft = Path(f"{upload}{SUFFIX}"), Path(f"{upload}{SUFFIX}.new")
    draft.write_text(json.dumps(asdict(step)))
    os.replace(draft, target)


def read(upload: Path) -> Step | None:
    """Return the last step; None where none was written."""
    try:
        return Step(**json.loads(Path(f"{upload}{SUFFIX}").read_text()))
    except FileNotFoundError:
        return None


def clear(upload: Path) -> None:
    """Take the file away."""
    Path(f"{upload}{SUFFIX}").unlink(missing_ok=True)


class Writer:
    """Write steps, but not oftener than a person can read."""

    def __init__(self, upload: Path) -> None:
        self._upload, self._phase, self._at = upload, "", 0.0

    def __call__(self, phase: str, done: int, total: int) -> None:
        moment = time.monotonic()
        if phase != self._phase or done == total or moment - self._at >= _INTERVAL_S:
            self._phase, self._at = phase, moment
            write(self._upload, Step(phase, done, total))
