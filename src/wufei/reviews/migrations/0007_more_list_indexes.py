"""Indexes by which a year's re-evaluation and the facts of credit are found and put in order; nothing else."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("reviews", "0006_assigned_again"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="reevaluation",
            index=models.Index(fields=["year", "score", "title"], name="reviews_reevaluation_by_score"),
        ),
        migrations.AddIndex(
            model_name="creditfact",
            index=models.Index(fields=["on"], name="reviews_credit_by_day"),
        ),
        migrations.AddIndex(
            model_name="creditfact",
            index=models.Index(fields=["kind", "uscc", "imported_by"], name="reviews_credit_by_kind"),
        ),
    ]
