"""Indexes by which the lists of reviews are found, counted and put in order; nothing else."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("reviews", "0004_agency_withdrawal"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="act",
            index=models.Index(fields=["application", "by", "action"], name="reviews_act_by_case_and_person"),
        ),
        migrations.AddIndex(
            model_name="application",
            index=models.Index(
                fields=["round", "code", "district_code", "stage", "outcome"],
                name="reviews_application_in_order",
            ),
        ),
        migrations.AddIndex(
            model_name="application",
            index=models.Index(fields=["round", "version"], name="reviews_application_by_version"),
        ),
        migrations.AddIndex(
            model_name="assignment",
            index=models.Index(
                condition=models.Q(("withdrawn_at__isnull", False)),
                fields=["withdrawn_at"],
                name="reviews_assignment_withdrawn",
            ),
        ),
        migrations.AddIndex(
            model_name="assignment",
            index=models.Index(
                condition=models.Q(("withdrawn_at", None)),
                fields=["application", "stage", "turn", "expert"],
                name="reviews_assignment_live",
            ),
        ),
        migrations.AddIndex(
            model_name="changereport",
            index=models.Index(fields=["state", "due_on"], name="reviews_change_by_state"),
        ),
        migrations.AddIndex(
            model_name="consultation",
            index=models.Index(
                condition=models.Q(("answered_at", None), ("closed_unanswered_at", None)),
                fields=["authority", "due_on"],
                name="reviews_consultation_open",
            ),
        ),
        migrations.AddIndex(
            model_name="scoresheet",
            index=models.Index(
                condition=models.Q(("submitted_at__isnull", False)),
                fields=["assignment", "submitted_at"],
                name="reviews_sheet_submitted",
            ),
        ),
    ]
