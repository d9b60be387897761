"""Placements are append-only; the database itself refuses to change or delete them."""

from django.db import migrations


def guard(apps, schema_editor):
    table = "storage_placement"
    if schema_editor.connection.vendor == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            schema_editor.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                "BEGIN SELECT RAISE(ABORT, 'append_only'); END",
                params=None,
            )
    else:  # the function is the ledger's
        schema_editor.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION ledger_append_only()",
            params=None,
        )


class Migration(migrations.Migration):
    dependencies = [("storage", "0003_zones"), ("ledger", "0002_guards")]
    operations = [migrations.RunPython(guard)]
