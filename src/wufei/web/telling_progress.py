"""How far a backup or a restoring is, and why it was refused, told to people on standard error."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from wufei.web.backup_file import BackupRefused, Tell

PHASES = {"copying": "取得一致的副本", "rows": "数据库", "files": "文件", "checking": "核对哈希"}


@contextmanager
def telling(for_people: bool) -> Iterator[Tell]:
    """Yield what takes how far it is; it shows a bar for each phase, to people only."""
    if not for_people:
        yield lambda _phase, _done, _total: None
        return
    shown = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    console = Console(stderr=True)
    with Progress(*shown, console=console, transient=True, disable=not console.is_terminal) as bar:
        bars: dict[str, Any] = {}

        def tell(phase: str, done: int, total: int) -> None:
            if phase not in bars:
                bars[phase] = bar.add_task(PHASES[phase], total=total or None)
            bar.update(bars[phase], completed=done, total=total or None)

        yield tell


def say_refused(refused: BackupRefused) -> NoReturn:
    click.echo(refused.words, err=True)
    sys.exit(1)
