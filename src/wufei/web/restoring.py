"""`wufei restore`: a backup into an empty data folder or database, checked before and verified after."""

import json
import shutil
import sys
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from django.apps import apps
from django.apps.registry import Apps
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from wufei.ledger import queries
from wufei.registry.services import audit, operator
from wufei.web.backing_up import heads, root_of_heads, uploads_folder
from wufei.web.backup_file import Backup, BackupRefused, Tell
from wufei.web.backup_rows import columns, guards_off, put, set_counters, store_is_empty, tables
from wufei.web.migrating import alone, is_behind
from wufei.web.telling_progress import say_refused, telling


def restore_from(path: Path, *, tell: Tell) -> dict[str, Any]:
    """
    Put back what is in the backup, all or nothing; return what stands then, verified.

    :raises BackupRefused: if there is something here already, or the backup is not whole
    """
    with Backup(path) as backup, alone():
        _refuse_unless_empty()
        said = backup.check(tell)
        models = _schema_of(backup)
        _put_back(backup, models, tell)
    if is_behind():
        call_command("migrate", verbosity=0, interactive=False)
    with transaction.atomic():
        audit(
            by=operator(), now=timezone.now(), action="store.restore", object_ref=said[:16],
            detail={"sha256": said, "made_at": backup.contents.said["made_at"]},
        )  # fmt: skip
    return _standing(backup, sha256=said)


def _refuse_unless_empty() -> None:
    if not store_is_empty():
        raise BackupRefused("not_empty", "数据库")
    folder = uploads_folder()
    if folder.exists() and any(folder.iterdir()):
        raise BackupRefused("not_empty", str(folder))


def _schema_of(backup: Backup) -> Apps:
    """Bring the empty database to where the backup's was, and return the models as they were then."""
    executor = MigrationExecutor(connection)
    graph, theirs = executor.loader.graph, backup.contents.migrations
    if unknown := sorted(theirs - graph.nodes.keys()):
        raise BackupRefused("newer_version", ".".join(unknown[0]))
    ends = [
        key for key in sorted(theirs) if not any(each.key in theirs and each.key[0] == key[0] for each in graph.node_map[key].children)
    ]  # fmt: skip
    plan = executor.migration_plan(ends)
    if any(is_backwards for _, is_backwards in plan):
        raise BackupRefused("database_ahead")
    executor.migrate(ends, plan=plan)
    if theirs >= graph.nodes.keys():
        return apps
    state: Apps = executor.loader.project_state(ends).apps
    return state


def _put_back(backup: Backup, models: Apps, tell: Tell) -> None:
    """Write files and rows; neither stands before both do."""
    ours, contents = tables(models), backup.contents
    for table in contents.tables.keys() | ours.keys():
        stated = contents.said["tables"].get(table, {}).get("columns", [])
        # In any order: a column that came later stands elsewhere in an older schema.
        if table not in ours or sorted(stated) != sorted(columns(ours[table])):
            raise BackupRefused("rows_wrong", table)
    folder = uploads_folder()
    arriving = folder.with_name(folder.name + ".restoring")
    shutil.rmtree(arriving, ignore_errors=True)  # of one that was cut off
    try:
        backup.put_files(arriving, tell)
        connection.disable_constraint_checking()  # SQLite: looked at when all rows are there
        with transaction.atomic():
            _put_rows(backup, ours, tell)
            if heads() != contents.said["ledgers"]:
                raise BackupRefused("rows_wrong", "ledger_head")
            if folder.exists():
                folder.rmdir()
            arriving.rename(folder)
    finally:
        shutil.rmtree(arriving, ignore_errors=True)
        connection.enable_constraint_checking()


def _put_rows(backup: Backup, ours: dict[str, Any], tell: Tell) -> None:
    listed = backup.contents.said["tables"]
    done, whole, table = 0, sum(each["rows"] for each in listed.values()), ""
    try:
        with guards_off(ours.values()):
            for table, model in ours.items():
                written = put(model, listed[table]["columns"], backup.rows(backup.contents.tables[table]))
                if written != listed[table]["rows"]:
                    raise BackupRefused("rows_wrong", table)
                done += written
                tell("rows", done, whole)
            table = ""
        set_counters(ours.values())
    except (DatabaseError, ValueError, TypeError, ArithmeticError, AttributeError) as error:
        raise BackupRefused("rows_wrong", f"{table} {error}".strip().splitlines()[0]) from error


def _standing(backup: Backup, *, sha256: str) -> dict[str, Any]:
    said, verified, ledgers = backup.contents.said, queries.verify(), heads()
    return {
        "file": str(backup.path), "sha256": sha256, "made_at": said["made_at"],
        "rows": sum(each["rows"] for each in said["tables"].values()), "files": len(said["files"]),
        "missing_files": said["missing_files"], "movements": verified.movements, "ok": verified.is_ok,
        "faults": [asdict(fault) for fault in verified.faults], "root": root_of_heads(ledgers),
        "ledgers": ledgers,
    }  # fmt: skip


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--json", "as_json", is_flag=True, help="供机器读取的输出。")
def restore(file: Path, as_json: bool) -> None:
    """把备份恢复到空的数据文件夹（--data）或空的数据库（DATABASE_URL）：先核对每个哈希，再核对每条链。"""
    try:
        with telling(not as_json) as tell:
            found = restore_from(file, tell=tell)
    except BackupRefused as refused:
        say_refused(refused)
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False))
    else:
        _show(found)
    sys.exit(0 if found["ok"] else 1)


def _show(found: dict[str, Any]) -> None:
    made_at = timezone.localtime(datetime.fromisoformat(found["made_at"]))
    click.echo(f"已恢复 {made_at:%Y-%m-%d %H:%M} 的备份：{found['rows']:,} 行，{found['files']:,} 个文件")
    for ledger in found["ledgers"][:50]:
        click.echo(f"{ledger['uscc']} 第 {ledger['seq']} 号 {ledger['algorithm']} {ledger['hash']}")
    if len(found["ledgers"]) > 50:
        click.echo(f"另有 {len(found['ledgers']) - 50} 条链（--json 列出全部）")
    click.echo(f"各链尾的总哈希 {found['root']}，与备份时相同")
    for missing in found["missing_files"][:20]:
        click.echo(f"注意：备份时磁盘上就没有的文件：{missing}", err=True)
    if found["ok"]:
        click.echo(f"{found['movements']:,} 条记录，链、结存、月度合计、日根全部相符。")
    for fault in found["faults"][:50]:
        click.echo(f"备份之前台账已有不符：{fault['message']}", err=True)
    if found["faults"]:
        click.echo("数据已照原样恢复，但台账核对不符；请用 wufei verify 逐条查看。", err=True)
