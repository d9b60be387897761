"""Stock-taking is append-only, and a closed sheet takes no count; the database itself refuses it."""

from django.db import migrations

APPEND_ONLY = (
    "storage_stocktakesheet",
    "storage_bookline",
    "storage_stocktakecount",
    "storage_stocktakeclosing",
    "storage_stocktakedifference",
    "storage_stocktakesettlement",
    "storage_explanation",
)

SQLITE_CLOSED = """
CREATE TRIGGER storage_count_sheet_open BEFORE INSERT ON storage_stocktakecount
WHEN EXISTS (SELECT 1 FROM storage_stocktakeclosing WHERE sheet_id = NEW.sheet_id)
BEGIN SELECT RAISE(ABORT, 'sheet_closed'); END
"""

POSTGRESQL_CLOSED = """
CREATE FUNCTION storage_count_sheet_open() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF EXISTS (SELECT 1 FROM storage_stocktakeclosing WHERE sheet_id = NEW.sheet_id) THEN
    RAISE EXCEPTION 'sheet_closed' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$
"""

POSTGRESQL_CLOSED_TRIGGER = """
CREATE TRIGGER storage_count_sheet_open BEFORE INSERT ON storage_stocktakecount
FOR EACH ROW EXECUTE FUNCTION storage_count_sheet_open()
"""


def sqlite_statements():
    yield SQLITE_CLOSED
    for table in APPEND_ONLY:
        for verb in ("UPDATE", "DELETE"):
            yield (
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                "BEGIN SELECT RAISE(ABORT, 'append_only'); END"
            )


def postgresql_statements():
    yield POSTGRESQL_CLOSED
    yield POSTGRESQL_CLOSED_TRIGGER
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
    dependencies = [("storage", "0001_initial"), ("ledger", "0002_guards")]
    # No way back: a count without its guard proves nothing.
    operations = [migrations.RunPython(guard)]
