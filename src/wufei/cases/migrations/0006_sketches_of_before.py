"""What was handed in before there were tables of sketches and headlines is laid down in them."""

from django.db import migrations

BATCH = 5_000


def lay_down(apps, schema_editor):
    model = lambda name: apps.get_model("cases", name)  # noqa: E731
    rows = model("Submission").objects.order_by("pk")
    columns = ("pk", "content__headline", "content__narrative")
    for pk, headline, numbers in rows.values_list(*columns).iterator(chunk_size=500):
        model("Headline").objects.create(submission_id=pk, figures=headline or {})
        _number(model("SketchNumber"), numbers or (), submission_id=pk)
    files = model("SubmittedEvidence").objects.exclude(shingles=[]).order_by("pk")
    for pk, submission, numbers in files.values_list("pk", "submission_id", "shingles").iterator(chunk_size=500):
        _number(model("SketchNumber"), numbers, submission_id=submission, file_id=pk)


def _number(model, numbers, **of):
    model.objects.bulk_create((model(number=number, **of) for number in numbers), batch_size=BATCH)


class Migration(migrations.Migration):
    dependencies = [("cases", "0005_sketches")]
    operations = [migrations.RunPython(lay_down, migrations.RunPython.noop)]
