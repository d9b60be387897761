"""
The rows of the store in words that every database understands, and back.

A row is a JSON list in the order of the table's columns: days, moments and decimals as text, binary in base64.
So what was taken from SQLite can be put into PostgreSQL and the other way round.
"""

import base64
import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

from django.apps.registry import Apps
from django.core.management.color import no_style
from django.db import connection, connections, transaction
from django.db.models import Field, FileField, ForeignKey, Model

from wufei.web.backup_file import BackupRefused

# Who is signed in: signed with a key that is not in a backup, and nobody's loss.
LEFT_OUT = {"django_session"}
ROWS_AT_ONCE = 2_000

_SAME = {
    "AutoField", "BigAutoField", "IntegerField", "BigIntegerField", "PositiveIntegerField", "SmallIntegerField",
    "PositiveSmallIntegerField", "PositiveBigIntegerField", "BooleanField", "CharField", "TextField", "SlugField",
    "FileField", "EmailField", "URLField", "GenericIPAddressField", "FloatField",
}  # fmt: skip
# How a value is said in JSON, and read from it, where JSON has no such value.
_SAID: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "DateTimeField": (datetime.isoformat, datetime.fromisoformat),
    "DateField": (date.isoformat, date.fromisoformat),
    "DecimalField": (str, Decimal),
    "UUIDField": (lambda value: value.hex, UUID),
    "BinaryField": (lambda value: base64.b64encode(value).decode(), base64.b64decode),
    "JSONField": (lambda value: value, lambda value: value),
}


def tables(apps: Apps) -> dict[str, type[Model]]:
    """Return the model of each table that belongs into a backup."""
    models = apps.get_models(include_auto_created=True)
    found = {
        model._meta.db_table: model
        for model in models
        if model._meta.managed and not model._meta.proxy and model._meta.db_table not in LEFT_OUT
    }
    return dict(sorted(found.items()))


def columns(model: type[Model]) -> list[str]:
    return [str(field.column) for field in model._meta.local_concrete_fields]


def files_named(model: type[Model]) -> list[int]:
    """Return which columns, counted from 0, hold the paths of uploaded files."""
    return [n for n, field in enumerate(model._meta.local_concrete_fields) if isinstance(field, FileField)]


def _kind(field: Field[Any, Any]) -> str:
    """Return what a column holds; of a foreign key, what the key is."""
    while isinstance(field, ForeignKey):
        field = field.target_field
    kind = field.get_internal_type()
    assert kind in _SAME or kind in _SAID, f"{field} is a {kind}: say how a backup writes it"
    return kind


# ---- out ------------------------------------------------------------------------------------------


@contextmanager
def one_moment(beside: Path) -> Iterator[str]:
    """
    Yield the alias of a connection that sees the store as of one moment, while others go on writing.

    PostgreSQL: one repeatable-read snapshot. SQLite: an online copy in the folder `beside`, thrown away after, so
    that the log of what is written meanwhile can be folded in as ever.

    :raises BackupRefused: if the copy is damaged, as then the store is
    """
    if connection.vendor == "postgresql":
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield "default"
        return
    with TemporaryDirectory(dir=beside, prefix=".wufei-backup-") as folder:
        copy = Path(folder) / "copy.sqlite3"
        _copy_online(copy)
        connections.settings["copy"] = connections.settings["default"] | {"NAME": str(copy)}
        try:
            yield "copy"
        finally:
            connections["copy"].close()
            del connections["copy"]
            del connections.settings["copy"]


def _copy_online(target: Path) -> None:
    connection.ensure_connection()
    copy = sqlite3.connect(target)
    try:
        connection.connection.backup(copy)
        said = copy.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.DatabaseError as error:
        raise BackupRefused("store_damaged", str(error)) from error
    finally:
        copy.close()
    if said != "ok":
        raise BackupRefused("store_damaged", said)


def rows_said(model: type[Model], *, using: str) -> Iterator[list[Any]]:
    """Yield the table's rows as JSON can say them, in the order of their keys."""
    fields = model._meta.local_concrete_fields
    asked = model._base_manager.using(using).order_by("pk").values_list(*(field.attname for field in fields))
    kinds = [_kind(field) for field in fields]
    said = [(n, _SAID[kind][0]) for n, kind in enumerate(kinds) if kind in _SAID]
    for row in asked.iterator(chunk_size=ROWS_AT_ONCE):
        values = list(row)
        for n, say in said:
            if values[n] is not None:
                values[n] = say(values[n])
        yield values


LINE = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


# ---- in -------------------------------------------------------------------------------------------


def rows_read(fields: Sequence[Field[Any, Any]], rows: Iterable[list[Any]]) -> Iterator[list[Any]]:
    """Yield the rows as the database's driver takes them."""
    reads = [(n, field, _SAID[_kind(field)][1]) for n, field in enumerate(fields) if _kind(field) in _SAID]
    for row in rows:
        if len(row) != len(fields):
            raise ValueError(f"{len(row)} columns")
        for n, field, read in reads:
            if row[n] is not None:
                row[n] = field.get_db_prep_save(read(row[n]), connection)
        yield row


def store_is_empty() -> bool:
    """Is there nothing yet but what migrating makes?"""
    made = {"django_migrations", "django_content_type", "auth_permission"}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            if table not in made and not table.startswith("sqlite_"):  # its own: statistics
                cursor.execute(f"SELECT 1 FROM {connection.ops.quote_name(table)} LIMIT 1")  # noqa: S608 of the schema
                if cursor.fetchone():
                    return False
    return True


@contextmanager
def guards_off(models: Iterable[type[Model]]) -> Iterator[None]:
    """
    Let rows be written as they are: no trigger works, and foreign keys are looked at when all rows are there.

    Within one transaction: if it fails, the triggers stand as before.
    """
    named = [connection.ops.quote_name(model._meta.db_table) for model in models]
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            for table in named:
                cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            yield
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # all foreign keys are looked at here
            for table in named:
                cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY rowid")
        triggers = cursor.fetchall()
        for name, _sql in triggers:
            cursor.execute(f"DROP TRIGGER {connection.ops.quote_name(name)}")
        yield
        for _name, sql in triggers:
            cursor.execute(sql, None)
    connection.check_constraints()


def put(model: type[Model], stated: Sequence[str], rows: Iterable[list[Any]]) -> int:
    """Write the rows, whose columns are stated, into the table; return how many."""
    table = connection.ops.quote_name(model._meta.db_table)
    names = ", ".join(connection.ops.quote_name(column) for column in stated)
    fields = {str(field.column): field for field in model._meta.local_concrete_fields}
    made, written = rows_read([fields[column] for column in stated], rows), 0
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {table}")  # noqa: S608 a table of ours; what migrating made
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                for row in made:
                    copy.write_row(row)
                    written += 1
            return written
        sql = f"INSERT INTO {table} ({names}) VALUES ({', '.join(['%s'] * len(stated))})"  # noqa: S608 ours
        while some := list(islice(made, ROWS_AT_ONCE)):
            cursor.executemany(sql, some)
            written += len(some)
    return written


def set_counters(models: Iterable[type[Model]]) -> None:
    """Let keys go on after the highest that is there."""
    with connection.cursor() as cursor:
        for sql in connection.ops.sequence_reset_sql(no_style(), list(models)):
            cursor.execute(sql)
