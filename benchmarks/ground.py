"""What is measured against: an organisation with a ledger, drafts, and tables that are bare."""

import random
import uuid
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from stdnum.cn import uscc

from wufei.ledger.kinds import Kind
from wufei.ledger.posting import Draft
from wufei.terms.mass import Mass

NOW = datetime(2026, 7, 1, 2, 0, tzinfo=UTC)
FIRST_DAY, LAST_DAY = date(2022, 1, 1), date(2025, 12, 31)
STORES = ("库1", "库2", "库3")
STREAMS = ("F1", "F2", "F3", "F4", "F5", "F6")
WAYS = (
    (Kind.OWN_UTILISATION, "自行综合利用", ""),
    (Kind.CONTRACTED_UTILISATION, "生产水泥", "某水泥有限公司"),
    (Kind.CONTRACTED_UTILISATION, "生产建材", "某新型建材有限公司"),
    (Kind.CONTRACTED_DISPOSAL, "安全填埋", "某环保有限公司"),
)


def open_ledger(number: int) -> tuple[Any, Any]:
    """Return an organisation with stores and streams, and its officer."""
    from wufei.ledger import services
    from wufei.registry.models import Organisation, RoleAssignment, User
    from wufei.registry.services import operator

    stem = f"91500110MA7{number:06d}"
    organisation = Organisation.objects.create(
        uscc=stem + uscc.calc_check_digit(stem), name=f"企业{number}", kind="ENTERPRISE",
        division_code="500110", created_at=NOW,
    )  # fmt: skip
    officer = User.objects.create(username=f"officer{number}")
    RoleAssignment.objects.create(user=officer, organisation=organisation, role="ENVIRONMENT_OFFICER")
    said: dict[str, Any] = {"organisation": organisation, "by": operator(), "now": NOW}
    for store in STORES:
        services.declare_store(code=store, name=store, **said)
    for stream in STREAMS:
        services.declare_stream(code=stream, name=stream, waste_code="SW02", process_name="工序1", **said)
    return organisation, officer


def drafts(count: int, *, seed: int = 1, first: date = FIRST_DAY, last: date = LAST_DAY) -> list[Draft]:
    """Return movements as an enterprise of six streams and three stores writes them, day after day."""
    chance = random.Random(seed)
    days, made = (last - first).days, []
    for n in range(count):
        coming = n % 2 == 0
        kind, method, party = (Kind.GENERATION, "", "") if coming else chance.choice(WAYS)
        made.append(
            Draft(
                kind=kind, moved_on=first + timedelta(days=days * n // count),
                stream_code=STREAMS[n // 2 % len(STREAMS)], store_code=STORES[n // 2 % len(STORES)],
                mass=Mass(chance.randrange(1_000_000, 9_000_000) if coming else chance.randrange(1, 1_000_000)),
                method=method, counterparty=party, handler="张三", fingerprint=f"{n:064x}",
                client_id=uuid.UUID(int=chance.getrandbits(128)),
            )
        )  # fmt: skip
    return made


def make_bare_tables() -> None:
    """
    Make what posting is measured against.

    `raw_indexed` is the movement table with its indexes and constraints, but without triggers; `raw_bare`
    has its columns and a key only; `raw_balance` one balance for each writer.
    """
    from django.db import connection

    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            _copy_sqlite_table(cursor)
        else:
            cursor.execute("CREATE TABLE raw_indexed (LIKE ledger_movement INCLUDING ALL)")
            cursor.execute("CREATE TABLE raw_bare (LIKE ledger_movement INCLUDING IDENTITY)")
            cursor.execute("ALTER TABLE raw_bare ADD PRIMARY KEY (id)")
            cursor.execute(
                "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint "
                "WHERE conrelid = 'ledger_movement'::regclass AND contype = 'f'"
            )
            for name, definition in cursor.fetchall():
                cursor.execute(f"ALTER TABLE raw_indexed ADD CONSTRAINT raw_{name[:50]} {definition}")
        cursor.execute("CREATE TABLE raw_balance (id integer PRIMARY KEY, mass_g bigint NOT NULL)")
        cursor.executemany("INSERT INTO raw_balance VALUES (%s, 0)", [(n,) for n in range(100)])


def _copy_sqlite_table(cursor: Any) -> None:
    cursor.execute("SELECT sql FROM sqlite_master WHERE tbl_name = 'ledger_movement' AND type = 'table'")
    [(table,)] = cursor.fetchall()
    cursor.execute(table.replace('"ledger_movement"', '"raw_indexed"'))
    cursor.execute(
        "SELECT name, sql FROM sqlite_master WHERE tbl_name = 'ledger_movement' AND type = 'index' AND sql <> ''"
    )
    for name, index in cursor.fetchall():
        cursor.execute(
            index.replace(name, f"raw_{name}").replace('"ledger_movement"', '"raw_indexed"'), params=None
        )
    cursor.execute("CREATE TABLE raw_bare AS SELECT * FROM ledger_movement WHERE 1 = 0")
    cursor.execute("DROP TABLE raw_bare")
    columns = ", ".join(_column_types(table))
    cursor.execute(f"CREATE TABLE raw_bare (id integer PRIMARY KEY, {columns})")


def _column_types(_table: str) -> list[str]:
    from wufei.ledger.services.moving import COLUMNS

    whole = {
        "seq",
        "mass_g",
        *(column for column in COLUMNS if column.endswith("_id") and column != "client_id"),
    }
    return [f"{column} {'bigint' if column in whole else 'text'}" for column in COLUMNS]


def stored_rows(organisation: Any, *, limit: int | None = None) -> list[tuple[Any, ...]]:
    """Return the organisation's movements as the driver takes them, without key."""
    from wufei.ledger.services.moving import COLUMNS
    from wufei.registry.queries import asked

    end = f" LIMIT {limit}" if limit else ""
    return asked(
        f"SELECT {', '.join(COLUMNS)} FROM ledger_movement WHERE organisation_id = %s ORDER BY seq{end}",
        organisation.pk,
    )


def insert_raw(table: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert the rows as fast as the driver can: many in a statement on SQLite, COPY on PostgreSQL."""
    from itertools import chain

    from django.db import connection, transaction

    from wufei.ledger.services.moving import COLUMNS, INTO_MOVEMENTS, ROWS_PER_STATEMENT, insertion
    from wufei.registry.queries import asked

    into = INTO_MOVEMENTS.replace("ledger_movement", table)
    assert len(COLUMNS) == len(rows[0])
    with transaction.atomic():
        if connection.vendor == "sqlite":
            for start in range(0, len(rows), ROWS_PER_STATEMENT):
                some = rows[start : start + ROWS_PER_STATEMENT]
                asked(insertion(len(some)).replace("ledger_movement", table), *chain.from_iterable(some))
            return
        with connection.cursor() as cursor, cursor.copy(f"COPY {into} FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
