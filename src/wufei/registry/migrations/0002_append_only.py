"""The audit log is append-only in the database itself, whoever writes to it."""

from django.db import migrations

SQLITE = [
    f"CREATE TRIGGER registry_auditentry_no_{verb.lower()} BEFORE {verb} ON registry_auditentry "
    "BEGIN SELECT RAISE(ABORT, 'append_only'); END"
    for verb in ("UPDATE", "DELETE")
]
POSTGRESQL = [
    "CREATE FUNCTION registry_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
    "RAISE EXCEPTION 'append_only' USING ERRCODE = 'check_violation'; END $$",
    "CREATE TRIGGER registry_auditentry_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON registry_auditentry "
    "FOR EACH STATEMENT EXECUTE FUNCTION registry_append_only()",
]


def guard(apps, schema_editor):
    statements = {"sqlite": SQLITE, "postgresql": POSTGRESQL}[schema_editor.connection.vendor]
    for statement in statements:
        schema_editor.execute(statement, params=None)


class Migration(migrations.Migration):
    dependencies = [("registry", "0001_initial")]
    # No way back: a log without its guard is not a log.
    operations = [migrations.RunPython(guard)]
