"""What scales said, what became of it, and what workers gave up is append-only, whoever writes to the database."""

from django.db import migrations

TABLES = ("shopfloor_reading", "shopfloor_readinguse", "shopfloor_abandonedentry")
SQLITE = [
    f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
    "BEGIN SELECT RAISE(ABORT, 'append_only'); END"
    for table in TABLES
    for verb in ("UPDATE", "DELETE")
]
POSTGRESQL = [
    "CREATE FUNCTION shopfloor_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
    "RAISE EXCEPTION 'append_only' USING ERRCODE = 'check_violation'; END $$",
    *(
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION shopfloor_append_only()"
        for table in TABLES
    ),
]


def guard(apps, schema_editor):
    for statement in {"sqlite": SQLITE, "postgresql": POSTGRESQL}[schema_editor.connection.vendor]:
        schema_editor.execute(statement, params=None)


class Migration(migrations.Migration):
    dependencies = [("shopfloor", "0001_initial")]
    # No way back: a log without its guard is not a log.
    operations = [migrations.RunPython(guard)]
