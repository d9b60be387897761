"""What small generators declared, and what was signed with their codes, is append-only; the database itself refuses."""

from django.db import migrations

APPEND_ONLY = (
    "collection_declaration",
    "collection_declarationline",
    "collection_declaredmovement",
    "collection_spotsignature",
)


def sqlite_statements():
    for table in APPEND_ONLY:
        for verb in ("UPDATE", "DELETE"):
            yield (
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                "BEGIN SELECT RAISE(ABORT, 'append_only'); END"
            )


def postgresql_statements():
    for table in APPEND_ONLY:  # the function is the ledger's
        yield (
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION ledger_append_only()"
        )


def guard(apps, schema_editor):
    by_vendor = {"sqlite": sqlite_statements, "postgresql": postgresql_statements}
    for statement in by_vendor[schema_editor.connection.vendor]():
        schema_editor.execute(statement, params=None)


class Migration(migrations.Migration):
    dependencies = [
        ("collection", "0001_initial"),
        ("ledger", "0002_guards"),
    ]

    operations = [migrations.RunPython(guard, migrations.RunPython.noop)]
