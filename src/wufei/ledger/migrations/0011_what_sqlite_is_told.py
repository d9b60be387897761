"""
Tell SQLite that most movements reverse none.

Without statistics it takes "reverses nothing" for as rare as "reverses this one" and reads every movement of the
store where a handful of one lot would do. A later migration that makes the table anew has to tell it again.
"""

from django.db import migrations


def tell(apps, schema_editor):
    if schema_editor.connection.vendor != "sqlite":
        return
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("ANALYZE ledger_movement")  # makes the table of statistics
        cursor.execute("DELETE FROM sqlite_stat1 WHERE tbl = 'ledger_movement'")
        cursor.execute(
            "INSERT INTO sqlite_stat1 (tbl, idx, stat) "
            "SELECT 'ledger_movement', l.name, '1000000 10000' FROM pragma_index_list('ledger_movement') l "
            "WHERE (SELECT group_concat(i.name) FROM pragma_index_info(l.name) i) = 'reverses_id'"
        )


class Migration(migrations.Migration):
    dependencies = [("ledger", "0010_hazard_identification")]

    operations = [migrations.RunPython(tell, migrations.RunPython.noop)]
