"""What a package says was done below stands with the application that it brought."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("reviews", "0007_more_list_indexes")]

    # Null, so that SQLite adds a column and does not make the table anew.
    operations = [
        migrations.AddField(model_name="application", name="came_with", field=models.JSONField(null=True))
    ]
