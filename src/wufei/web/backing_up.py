"""`wufei backup`: the store and the uploaded files as of one moment, in one file, while the site goes on."""

import json
import os
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click
from django.apps import apps
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from wufei.ledger.chain import root_of
from wufei.ledger.models import Head
from wufei.registry.services import audit, operator
from wufei.web.backup_file import CHUNK, BackupRefused, BackupWriter, Tell
from wufei.web.backup_rows import LINE, columns, files_named, one_moment, rows_said, tables
from wufei.web.telling_progress import say_refused, telling

ROOT_ALGORITHM = "sha256"  # every machine has it; SM3 not every one


def uploads_folder() -> Path:
    stored: Any = settings.STORAGES["default"]
    return Path(stored["OPTIONS"]["location"])


def heads(*, using: str = "default") -> list[dict[str, Any]]:
    """Return where each organisation's chain ends."""
    rows = Head.objects.using(using).filter(seq__gt=0).order_by("organisation__uscc")
    return [
        {"uscc": uscc, "seq": seq, "algorithm": algorithm, "hash": end}
        for uscc, seq, algorithm, end in rows.values_list(
            "organisation__uscc", "seq", "algorithm", "chain_hash"
        )
    ]


def root_of_heads(ledgers: list[dict[str, Any]]) -> str:
    """Return one hash over the ends of all chains."""
    return root_of(
        algorithm=ROOT_ALGORITHM, heads=[(each["uscc"], each["seq"], each["hash"]) for each in ledgers]
    )


def back_up(path: Path, *, tell: Tell) -> dict[str, Any]:
    """
    Write the backup and return what is in it.

    :raises BackupRefused: if the file is there already or can't be written, or the store is damaged
    """
    now = timezone.now()
    path = path.resolve()
    if path.is_relative_to(uploads_folder().resolve()):
        raise BackupRefused("not_writable", f"{path}（上传文件的文件夹里，备份会备份自己）")
    with BackupWriter(path) as writer:
        with one_moment(path.parent) as using:
            tell("copying", 0, 0)
            contents: dict[str, Any] = {
                "made_at": now.isoformat(), "version": version("wufei"), "database": connection.vendor,
                "migrations": _migrations(using), "ledgers": heads(using=using),
            }  # fmt: skip
            contents["root"] = root_of_heads(contents["ledgers"])
            contents["tables"], named = _write_tables(writer, using=using, tell=tell)
        # After the rows: a file is stored before the row that names it, so none of theirs is missing.
        contents["files"] = _write_files(writer, tell)
        contents["missing_files"] = sorted(named - {each["path"] for each in contents["files"]})
        said = writer.finish(contents)
    with transaction.atomic():
        audit(by=operator(), now=now, action="store.back_up", object_ref=said[:16], detail={"sha256": said})
    return {
        "file": str(path), "bytes": path.stat().st_size, "sha256": said, "made_at": contents["made_at"],
        "rows": sum(each["rows"] for each in contents["tables"].values()), "tables": len(contents["tables"]),
        "files": len(contents["files"]), "missing_files": contents["missing_files"], "root": contents["root"],
        "ledgers": contents["ledgers"],
    }  # fmt: skip


def _migrations(using: str) -> list[list[str]]:
    from django.db import connections  # the alias is made a moment ago

    with connections[using].cursor() as cursor:
        cursor.execute("SELECT app, name FROM django_migrations ORDER BY app, name")
        return [list(row) for row in cursor.fetchall()]


def _write_tables(writer: BackupWriter, *, using: str, tell: Tell) -> tuple[dict[str, Any], set[str]]:
    """Write all rows; return what is listed of each table, and the uploaded files that rows name."""
    ours, done = tables(apps), 0
    listed: dict[str, Any] = {}
    named: set[str] = set()
    whole = sum(model._base_manager.using(using).count() for model in ours.values())
    for table, model in ours.items():
        files, count = files_named(model), 0
        with writer.member(f"tables/{table}.jsonl") as out:
            for row in rows_said(model, using=using):
                out.write(LINE(row).encode() + b"\n")
                named.update(row[n] for n in files if row[n])
                count += 1
                done += 1
                if done % 1000 == 0 or done == whole:
                    tell("rows", done, whole)
        listed[table] = {"columns": columns(model), "rows": count, **out.listed}
    return listed, named


def _write_files(writer: BackupWriter, tell: Tell) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = []
    folder = uploads_folder()
    found = list(_files_below(folder))
    for done, file in enumerate(found, start=1):
        try:
            opened = file.open("rb")
        except FileNotFoundError:
            continue  # it went away meanwhile: a note of how far an import is
        with opened, writer.member(f"files/{len(listed)}") as out:
            while some := opened.read(CHUNK):
                out.write(some)
        listed.append({"path": file.relative_to(folder).as_posix(), **out.listed})
        tell("files", done, len(found))
    return listed


def _files_below(folder: Path) -> Iterator[Path]:
    for within, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            file = Path(within) / name
            if file.is_file() and not file.is_symlink():
                yield file


@click.command()
@click.option(
    "--out", "path", required=True, type=click.Path(path_type=Path, dir_okay=False),
    help="备份文件；已存在的文件不会被覆盖。",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="供机器读取的输出。")
def backup(path: Path, as_json: bool) -> None:
    """把数据库内容和上传的文件备份成一个文件；网站照常运行。"""
    try:
        with telling(not as_json) as tell:
            made = back_up(path, tell=tell)
    except BackupRefused as refused:
        say_refused(refused)
    for missing in made["missing_files"][:20]:
        click.echo(f"注意：记录里的文件在磁盘上没有，未能备份：{missing}", err=True)
    if as_json:
        click.echo(json.dumps(made, ensure_ascii=False))
        return
    click.echo(f"已备份到 {made['file']}（{made['bytes']:,} 字节）")
    click.echo(f"{made['rows']:,} 行，{made['files']:,} 个文件，{len(made['ledgers'])} 条链")
    click.echo(f"各链尾的总哈希 {made['root']}")
    click.echo(f"文件 SHA-256 {made['sha256']}（请另行保存）")
