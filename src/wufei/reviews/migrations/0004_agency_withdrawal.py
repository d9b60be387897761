"""An agency's assignment may end without a report: declined, taken back, or the agency was excluded."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("reviews", "0003_batches_and_lists")]

    # Nullable and without a default: SQLite then adds the column in place, and keeps the table's triggers.
    operations = [
        migrations.AddField(
            model_name="agencyreport",
            name="withdrawn_at",
            field=models.DateTimeField(null=True, verbose_name="解除委托时间"),
        ),
        migrations.AddField(
            model_name="agencyreport",
            name="withdrawn_reason",
            field=models.CharField(max_length=200, null=True, verbose_name="解除委托原因"),
        ),
    ]
