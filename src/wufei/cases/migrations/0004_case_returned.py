from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0003_submission_never_changes"),
    ]

    operations = [
        migrations.AddField(
            model_name="case",
            name="returned",
            field=models.JSONField(blank=True, default=dict, verbose_name="退回意见"),
        ),
    ]
