"""What was reported of hazardous waste: append-only, as the ledger that it is drawn from."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


TABLE = "ledger_wastereport"


def guard(apps, schema_editor):
    if schema_editor.connection.vendor == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            schema_editor.execute(
                f"CREATE TRIGGER {TABLE}_no_{verb.lower()} BEFORE {verb} ON {TABLE} "
                "BEGIN SELECT RAISE(ABORT, 'append_only'); END",
                params=None,
            )
        return
    schema_editor.execute(
        f"CREATE TRIGGER {TABLE}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {TABLE} "
        "FOR EACH STATEMENT EXECUTE FUNCTION ledger_append_only()",
        params=None,
    )


class Migration(migrations.Migration):

    dependencies = [
        ('ledger', '0007_guards_of_transformations'),
        ('registry', '0004_permits_and_contracts'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='WasteReport',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('first_day', models.DateField(verbose_name='期间自')),
                ('last_day', models.DateField(verbose_name='期间至')),
                ('number', models.PositiveIntegerField(verbose_name='第几次')),
                ('control_class', models.CharField(blank=True, max_length=10)),
                ('content', models.JSONField()),
                ('seq', models.PositiveIntegerField(verbose_name='链序号')),
                ('chain_hash', models.CharField(max_length=64)),
                ('made_at', models.DateTimeField(verbose_name='生成时间')),
                ('made_by', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('organisation', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='registry.organisation')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('organisation', 'first_day', 'last_day', 'number'), name='ledger_waste_report_once'), models.CheckConstraint(condition=models.Q(('last_day__gte', models.F('first_day'))), name='ledger_waste_report_ends_after_it_begins')],
            },
        ),
        # No way back: what was reported stays.
        migrations.RunPython(guard),
    ]
