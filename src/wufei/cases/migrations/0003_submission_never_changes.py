"""What was handed in never changes, whoever writes to the database."""

from django.db import migrations

TABLES = ("cases_submission", "cases_submittedevidence")


def guard(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(
            "CREATE FUNCTION cases_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "RAISE EXCEPTION 'append_only' USING ERRCODE = 'check_violation'; END $$",
            params=None,
        )
    for table in TABLES:
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(
                f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION cases_append_only()",
                params=None,
            )
            continue
        for verb in ("UPDATE", "DELETE"):
            schema_editor.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                "BEGIN SELECT RAISE(ABORT, 'append_only'); END",
                params=None,
            )


class Migration(migrations.Migration):
    dependencies = [("cases", "0002_submission")]
    operations = [migrations.RunPython(guard)]
