"""Whether waste is hazardous, and who says so: append-only, as the ledger beside it."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


TABLE = "ledger_hazardidentification"


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
        ('ledger', '0009_names_of_places'),
        ('registry', '0004_permits_and_contracts'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='HazardIdentification',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('basis', models.CharField(choices=[('CATALOGUE', '名录排查'), ('TESTS', 'GB 5085 检测'), ('EXPERT', '专家判断')], max_length=10, verbose_name='判别依据')),
                ('result', models.CharField(choices=[('HAZARDOUS', '属于危险废物'), ('NOT_HAZARDOUS', '不属于危险废物'), ('UNDETERMINED', '不能确定')], max_length=14, verbose_name='判别结果')),
                ('waste_code', models.CharField(blank=True, default='', max_length=16, verbose_name='危险废物代码')),
                ('properties', models.CharField(blank=True, default='', max_length=20, verbose_name='危险特性')),
                ('judged_by', models.CharField(max_length=120, verbose_name='检测机构或判别人')),
                ('report_number', models.CharField(blank=True, default='', max_length=80, verbose_name='报告编号')),
                ('judged_on', models.DateField(verbose_name='判别日期')),
                ('valid_through', models.DateField(blank=True, null=True, verbose_name='有效期至')),
                ('note', models.CharField(blank=True, default='', max_length=300, verbose_name='说明')),
                ('file_name', models.CharField(blank=True, default='', max_length=120, verbose_name='报告文件')),
                ('media_type', models.CharField(blank=True, default='', max_length=100)),
                ('size', models.PositiveBigIntegerField(default=0)),
                ('sha256', models.CharField(blank=True, default='', max_length=64, verbose_name='SHA-256')),
                ('stored', models.FileField(blank=True, default='', max_length=200, upload_to='')),
                ('replaced_because', models.CharField(blank=True, default='', max_length=200, verbose_name='更正原因')),
                ('client_id', models.UUIDField()),
                ('recorded_at', models.DateTimeField(verbose_name='登记时间')),
                ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='registry.organisation')),
                ('recorded_by', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('replaces', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='replaced_by', to='ledger.hazardidentification')),
                ('stream', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='ledger.stream')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('organisation', 'client_id'), name='ledger_identification_client_id_once'), models.CheckConstraint(condition=models.Q(models.Q(('result', 'HAZARDOUS'), models.Q(('waste_code', ''), _negated=True), models.Q(('properties', ''), _negated=True)), models.Q(models.Q(('result', 'HAZARDOUS'), _negated=True), ('properties', ''), ('waste_code', '')), _connector='OR'), name='ledger_identification_hazard_is_named'), models.CheckConstraint(condition=models.Q(models.Q(('replaced_because', ''), ('replaces', None)), models.Q(('replaces__isnull', False), models.Q(('replaced_because', ''), _negated=True)), _connector='OR'), name='ledger_identification_correction_has_reason'), models.CheckConstraint(condition=models.Q(('valid_through', None), ('valid_through__gte', models.F('judged_on')), _connector='OR'), name='ledger_identification_ends_after_it_begins')],
            },
        ),
        # No way back: what was found stays.
        migrations.RunPython(guard),
    ]
