"""Acting on many at once, recommendation lists in their order, whose a round's document is, and indexes for lists."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0003_submission_never_changes"),
        ("registry", "0003_succession"),
        ("reviews", "0002_guards"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Batch",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "action",
                    models.CharField(
                        choices=[
                            ("SUBMIT", "SUBMIT"),
                            ("WITHDRAW", "WITHDRAW"),
                            ("RETURN", "RETURN"),
                            ("AGREE", "AGREE"),
                            ("DISAGREE", "DISAGREE"),
                            ("SETTLE_FOR", "SETTLE_FOR"),
                            ("SETTLE_AGAINST", "SETTLE_AGAINST"),
                            ("CONCLUDE", "CONCLUDE"),
                            ("PUBLISH", "PUBLISH"),
                            ("CONFIRM", "CONFIRM"),
                            ("REMOVE", "REMOVE"),
                            ("RECOGNISE", "RECOGNISE"),
                            ("REFUSE", "REFUSE"),
                            ("RELEASE", "RELEASE"),
                            ("PASS_ON", "PASS_ON"),
                        ],
                        max_length=16,
                        verbose_name="动作",
                    ),
                ),
                ("role", models.CharField(max_length=40, verbose_name="身份")),
                ("words", models.TextField(blank=True, default="", verbose_name="意见")),
                ("made_at", models.DateTimeField(verbose_name="预览时间")),
                ("confirmed_at", models.DateTimeField(null=True, verbose_name="确认时间")),
                ("stopped_at", models.DateTimeField(null=True, verbose_name="停止时间")),
                ("ended_at", models.DateTimeField(null=True, verbose_name="结束时间")),
            ],
        ),
        migrations.CreateModel(
            name="BatchItem",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("position", models.PositiveIntegerField()),
                ("version", models.PositiveIntegerField()),
                ("foreseen_stage", models.CharField(blank=True, default="", max_length=80)),
                ("foreseen_outcome", models.CharField(blank=True, default="", max_length=16)),
                ("foreseen_refusal", models.CharField(blank=True, default="", max_length=40)),
                (
                    "state",
                    models.CharField(
                        choices=[("PLANNED", "待办理"), ("DONE", "已办理"), ("REFUSED", "未办理")],
                        default="PLANNED",
                        max_length=8,
                        verbose_name="状态",
                    ),
                ),
                ("refusal", models.CharField(blank=True, default="", max_length=40)),
                ("detail", models.CharField(blank=True, default="", max_length=200)),
                ("handled_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="RecommendationPlace",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("position", models.PositiveIntegerField(verbose_name="推荐排序")),
                ("put_at", models.DateTimeField()),
            ],
        ),
        migrations.AddField(
            model_name="rounddocument",
            name="authority",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="registry.organisation",
            ),
        ),
        migrations.AddIndex(
            model_name="act",
            index=models.Index(fields=["action", "application"], name="reviews_act_by_action"),
        ),
        migrations.AddIndex(
            model_name="application",
            index=models.Index(
                condition=models.Q(("contested", True)),
                fields=["round"],
                name="reviews_application_contested",
            ),
        ),
        migrations.AddIndex(
            model_name="application",
            index=models.Index(
                fields=["round", "stage", "outcome", "district_code"], name="reviews_application_by_place"
            ),
        ),
        migrations.AddField(
            model_name="batch",
            name="made_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="batch",
            name="round",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="batches", to="reviews.round"
            ),
        ),
        migrations.AddField(
            model_name="batchitem",
            name="application",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="reviews.application"
            ),
        ),
        migrations.AddField(
            model_name="batchitem",
            name="batch",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="items", to="reviews.batch"
            ),
        ),
        migrations.AddField(
            model_name="recommendationplace",
            name="application",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="reviews.application"
            ),
        ),
        migrations.AddField(
            model_name="recommendationplace",
            name="authority",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="registry.organisation"
            ),
        ),
        migrations.AddField(
            model_name="recommendationplace",
            name="put_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="recommendationplace",
            name="round",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="reviews.round"
            ),
        ),
        migrations.AddConstraint(
            model_name="batch",
            constraint=models.CheckConstraint(
                condition=models.Q(("ended_at", None), ("confirmed_at__isnull", False), _connector="OR"),
                name="reviews_batch_ends_confirmed",
            ),
        ),
        migrations.AddConstraint(
            model_name="batchitem",
            constraint=models.UniqueConstraint(
                fields=("batch", "application"), name="reviews_batch_item_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="batchitem",
            constraint=models.UniqueConstraint(
                fields=("batch", "position"), name="reviews_batch_position_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="batchitem",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("handled_at", None), ("state", "PLANNED")),
                    models.Q(models.Q(("state", "PLANNED"), _negated=True), ("handled_at__isnull", False)),
                    _connector="OR",
                ),
                name="reviews_batch_item_handled_at",
            ),
        ),
        migrations.AddConstraint(
            model_name="recommendationplace",
            constraint=models.UniqueConstraint(
                fields=("authority", "application"), name="reviews_recommendation_place_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="recommendationplace",
            constraint=models.UniqueConstraint(
                fields=("round", "authority", "position"), name="reviews_recommendation_position_once"
            ),
        ),
    ]
