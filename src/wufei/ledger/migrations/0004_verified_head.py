"""How far each ledger was verified as a whole, and what was found."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0005_one_row_at_a_time"),  # sic: written at the same time, and applied first
        ("registry", "0002_append_only"),
    ]

    operations = [
        migrations.CreateModel(
            name="VerifiedHead",
            fields=[
                (
                    "organisation",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="registry.organisation",
                    ),
                ),
                ("seq", models.PositiveIntegerField()),
                ("chain_hash", models.CharField(max_length=64)),
                ("movements", models.PositiveIntegerField()),
                ("faults", models.PositiveIntegerField()),
                ("first_fault", models.TextField()),
                ("verified_at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("faults", 0), ("first_fault", "")),
                            models.Q(("faults__gt", 0), models.Q(("first_fault", ""), _negated=True)),
                            _connector="OR",
                        ),
                        name="ledger_verified_head_fault_is_named",
                    )
                ],
            },
        ),
    ]
