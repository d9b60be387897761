"""What was filed or published is append-only; the database itself refuses to change or delete it."""

from django.db import migrations

APPEND_ONLY = ("filings_filedplan", "filings_disclosure")


def guard(apps, schema_editor):
    for table in APPEND_ONLY:
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
    dependencies = [("filings", "0001_initial"), ("ledger", "0002_guards")]
    # No way back: what was filed stays.
    operations = [migrations.RunPython(guard)]
