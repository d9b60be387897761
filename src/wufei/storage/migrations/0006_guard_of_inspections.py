"""Inspections and their corrective actions are append-only; the database itself refuses to change or delete them."""

from django.db import migrations

TABLES = (
    "storage_inspection",
    "storage_inspectionline",
    "storage_correctiveaction",
    "storage_correction",
    "storage_inspectionphoto",
)


def guard(apps, schema_editor):
    for table in TABLES:
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
    dependencies = [("storage", "0005_inspections"), ("ledger", "0002_guards")]
    # No way back: a record of what was found proves nothing without its guard.
    operations = [migrations.RunPython(guard)]
