"""
Posts movements one after another on the store of its environment, for a test that watches what it writes.

    python -m tests.rooms.ledger.committing COUNT [STATEMENT …]

The statements are run on the connection first: a control makes it unsafe with them. It says which process writes
to the disk, waits for a line, posts, and waits for another.
"""

import os
import sys
from datetime import UTC, datetime

import django

NOW = datetime(2026, 7, 1, 2, 0, tzinfo=UTC)


def main(count: int, *statements: str) -> None:
    django.setup()
    from django.db import connection
    from stdnum.cn import uscc

    from tests.tables import LedgerTable
    from wufei.registry.models import Organisation, RoleAssignment, User

    stem = "91500110MA5U00001"
    organisation = Organisation.objects.create(
        uscc=stem + uscc.calc_check_digit(stem),
        name="企业",
        kind="ENTERPRISE",
        division_code="500110",
        created_at=NOW,
    )
    officer = User.objects.create(username="officer")
    RoleAssignment.objects.create(user=officer, organisation=organisation, role="ENVIRONMENT_OFFICER")
    table = LedgerTable(organisation=organisation, by=officer, now=NOW)
    table.stores(库1=None)
    table.streams("F1")
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
        if connection.vendor == "postgresql":
            cursor.execute("SELECT pg_backend_pid()")
            writer = cursor.fetchone()[0]
        else:
            writer = os.getpid()
    print(writer, flush=True)
    sys.stdin.readline()
    for _ in range(count):
        table.post("2026-06-01 F1 产生 1 吨 库1 -")
    print("end", flush=True)
    sys.stdin.readline()


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])
