"""Positions and planned routes never change, alerts never go away, whoever writes to the database."""

from django.db import migrations

# What may not be done to which table; positions may be deleted, for they are personal data.
FORBIDDEN = {
    "tracking_position": ("UPDATE",),
    "tracking_plannedroute": ("UPDATE", "DELETE"),
    "tracking_alert": ("DELETE",),
}
SQLITE = [
    f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
    "BEGIN SELECT RAISE(ABORT, 'append_only'); END"
    for table, verbs in FORBIDDEN.items()
    for verb in verbs
]
POSTGRESQL = [
    "CREATE FUNCTION tracking_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
    "RAISE EXCEPTION 'append_only' USING ERRCODE = 'check_violation'; END $$",
    *(
        f"CREATE TRIGGER {table}_append_only BEFORE "
        f"{' OR '.join((*verbs, 'TRUNCATE') if 'DELETE' in verbs else verbs)} ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION tracking_append_only()"
        for table, verbs in FORBIDDEN.items()
    ),
]


def guard(apps, schema_editor):
    for statement in {"sqlite": SQLITE, "postgresql": POSTGRESQL}[schema_editor.connection.vendor]:
        schema_editor.execute(statement, params=None)


class Migration(migrations.Migration):
    dependencies = [("tracking", "0001_initial")]
    # No way back: a log without its guard is not a log.
    operations = [migrations.RunPython(guard)]
