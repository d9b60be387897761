"""What was handed in before there were tables of sketches and headlines is laid down in them."""

from django.db import migrations

BATCH = 5_000


def lay_down(apps, schema_editor):
    number, headline = apps.get_model("cases", "SketchNumber"), apps.get_model("cases", "Headline")
    rows = apps.get_model("cases", "Submission").objects.order_by("pk")
    columns = ("pk", "organisation_id", "year", "content__headline", "content__narrative")
    for pk, whose, year, figures, numbers in rows.values_list(*columns).iterator(chunk_size=500):
        headline.objects.create(submission_id=pk, organisation_id=whose, year=year, figures=figures or {})
        _keep(number, numbers or (), submission_id=pk)
    files = apps.get_model("cases", "SubmittedEvidence").objects.exclude(shingles=[]).order_by("pk")
    for pk, submission, numbers in files.values_list("pk", "submission_id", "shingles").iterator(chunk_size=500):
        _keep(number, numbers, submission_id=submission, file_id=pk)


def _keep(model, numbers, **of):
    model.objects.bulk_create((model(number=number, **of) for number in numbers), batch_size=BATCH)


class Migration(migrations.Migration):
    dependencies = [("cases", "0005_sketches")]
    operations = [migrations.RunPython(lay_down, migrations.RunPython.noop)]
