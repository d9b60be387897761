"""
What the database holds of transformations and of what is on the road.

- transformations, their reversals and the lineage of lots are append-only;
- a transformation's place may be drawn below zero, lot by lot: what comes out of it is another lot than what
  went in. A transit place may not: nothing arrives that was not loaded.
"""

from importlib import import_module

from django.db import migrations

guards = import_module("wufei.ledger.migrations.0002_guards")
one_row = import_module("wufei.ledger.migrations.0005_one_row_at_a_time")

APPEND_ONLY = ("ledger_transformation", "ledger_transformationreversal", "ledger_lineageedge")
SOURCES = "('PROCESS', 'OPENING', 'OUTSIDE', 'DISCREPANCY', 'TRANSFORMATION')"


def with_new_sources(statement):
    assert guards.SOURCES in statement, "the statement says which places may be drawn below zero"
    return statement.replace(guards.SOURCES, SOURCES)


def sqlite_statements():
    for table in APPEND_ONLY:
        for verb in ("UPDATE", "DELETE"):
            yield (
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                "BEGIN SELECT RAISE(ABORT, 'append_only'); END"
            )
    yield "DROP TRIGGER ledger_movement_moves_mass"
    yield with_new_sources(guards.SQLITE_MOVEMENT_MOVES_MASS)


def postgresql_statements():
    for table in APPEND_ONLY:
        yield (
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION ledger_append_only()"
        )
    move_one = one_row.MOVE_ONE.replace("{sources}", guards.SOURCES)
    yield with_new_sources(one_row.shortened(guards.POSTGRESQL_MOVEMENT_MOVES_MASS, move_one))


def guard(apps, schema_editor):
    by_vendor = {"sqlite": sqlite_statements, "postgresql": postgresql_statements}
    for statement in by_vendor[schema_editor.connection.vendor]():
        schema_editor.execute(statement, params=None)


class Migration(migrations.Migration):
    dependencies = [("ledger", "0006_transformations_and_containers")]
    # No way back: a ledger without its guards is not a ledger.
    operations = [migrations.RunPython(guard)]
