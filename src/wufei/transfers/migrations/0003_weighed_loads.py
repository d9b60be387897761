"""Weighings of many manifests at once; what was weighed is append-only in the database itself."""

import django.db.models.deletion
import uuid
from django.conf import settings
from django.db import migrations, models

TABLE = "transfers_weighedload"


def guard(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        statements = [
            f"CREATE TRIGGER {TABLE}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {TABLE} "
            "FOR EACH STATEMENT EXECUTE FUNCTION registry_append_only()"
        ]
    else:
        statements = [
            f"CREATE TRIGGER {TABLE}_no_{verb.lower()} BEFORE {verb} ON {TABLE} "
            "BEGIN SELECT RAISE(ABORT, 'append_only'); END"
            for verb in ("UPDATE", "DELETE")
        ]
    for statement in statements:
        schema_editor.execute(statement, params=None)


class Migration(migrations.Migration):

    dependencies = [
        ('registry', '0004_permits_and_contracts'),
        ('transfers', '0002_append_only'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='WeighedLoad',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('client_id', models.UUIDField(default=uuid.uuid4, unique=True)),
                ('received_g', models.BigIntegerField(verbose_name='过磅量（克）')),
                ('declared_g', models.BigIntegerField(verbose_name='移出量合计（克）')),
                ('shares', models.JSONField()),
                ('mode', models.CharField(max_length=8, verbose_name='利用、处置方式')),
                ('plate', models.CharField(blank=True, default='', max_length=20, verbose_name='车牌号')),
                ('weighed_at', models.DateTimeField(verbose_name='过磅时间')),
                ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='registry.organisation')),
                ('weighed_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.AddField(
            model_name='manifest',
            name='weighed_load',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='manifests', to='transfers.weighedload'),
        ),
        migrations.AddIndex(
            model_name='weighedload',
            index=models.Index(fields=['organisation', '-id'], name='transfers_load_of'),
        ),
        migrations.AddConstraint(
            model_name='weighedload',
            constraint=models.CheckConstraint(condition=models.Q(('received_g__gt', 0), ('declared_g__gt', 0)), name='transfers_load_is_positive'),
        ),
        migrations.RunPython(guard),
    ]
