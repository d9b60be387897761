"""A case that is handed in again may go to the same experts again: only live assignments are one of a kind."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("reviews", "0005_list_indexes")]

    # SQLite makes the table anew for this; `reviews_assignment` has no triggers that would be lost.
    operations = [
        migrations.RemoveConstraint(model_name="assignment", name="reviews_assignment_once"),
        migrations.AddConstraint(
            model_name="assignment",
            constraint=models.UniqueConstraint(
                condition=models.Q(("withdrawn_at", None)),
                fields=("application", "expert", "stage", "turn"),
                name="reviews_assignment_once",
            ),
        ),
    ]
