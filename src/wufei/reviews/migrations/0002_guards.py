"""
What the database itself holds of reviews, whoever writes to it.

- acts, documents, checks on site, titles and what happened to them are append-only;
- a score sheet that was submitted, a revealed seed and a decided objection never change.
"""

from django.db import migrations

APPEND_ONLY = (
    "reviews_act", "reviews_actdocument", "reviews_package", "reviews_lateadmission", "reviews_sitecheck",
    "reviews_sitecheckphoto", "reviews_discussion", "reviews_extension", "reviews_title",
    "reviews_titleevent", "reviews_reevaluation", "reviews_creditfact", "reviews_agencyexclusion",
    "reviews_spotcheck", "reviews_objectionevidence",
)
# Rows that may be written until they are final: table → the condition on the old row.
FINAL = {
    "reviews_scoresheet": "OLD.submitted_at IS NOT NULL",
    "reviews_draw": "OLD.revealed_at IS NOT NULL OR NEW.commitment <> OLD.commitment",
    "reviews_objection": "OLD.decided_at IS NOT NULL",
    "reviews_agencyreport": "OLD.submitted_at IS NOT NULL",
}


def guard(apps, schema_editor):
    statements = by_vendor[schema_editor.connection.vendor]
    for statement in statements():
        schema_editor.execute(statement, params=None)


def sqlite():
    for table in APPEND_ONLY:
        for verb in ("UPDATE", "DELETE"):
            yield (
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                "BEGIN SELECT RAISE(ABORT, 'append_only'); END"
            )
    for table, condition in FINAL.items():
        yield (
            f"CREATE TRIGGER {table}_is_final BEFORE UPDATE ON {table} WHEN {condition} "
            "BEGIN SELECT RAISE(ABORT, 'final'); END"
        )
        yield (
            f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} "
            "BEGIN SELECT RAISE(ABORT, 'append_only'); END"
        )


def postgresql():
    for name in ("append_only", "final"):
        yield (
            f"CREATE FUNCTION reviews_{name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"RAISE EXCEPTION '{name}' USING ERRCODE = 'check_violation'; END $$"
        )
    for table in APPEND_ONLY:
        yield (
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION reviews_append_only()"
        )
    for table, condition in FINAL.items():
        yield (
            f"CREATE TRIGGER {table}_is_final BEFORE UPDATE ON {table} FOR EACH ROW "
            f"WHEN ({condition}) EXECUTE FUNCTION reviews_final()"
        )
        yield (
            f"CREATE TRIGGER {table}_append_only BEFORE DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION reviews_append_only()"
        )


by_vendor = {"sqlite": sqlite, "postgresql": postgresql}


class Migration(migrations.Migration):
    dependencies = [("reviews", "0001_initial")]
    operations = [migrations.RunPython(guard)]
