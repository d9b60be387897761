"""Laying down what submissions are compared by, so that a comparison reads no other's long texts."""

from collections.abc import Iterator, Sequence

from wufei.cases.models import Headline, SketchNumber, Submission, SubmittedEvidence

BATCH = 5_000


def keep_comparable(*, submissions: Sequence[Submission]) -> None:
    """Keep the sketches and the headlines of submissions that were just made, with their files, to be found by."""
    files = SubmittedEvidence.objects.filter(submission__in=submissions)
    sketched = files.exclude(shingles=[]).values_list("submission_id", "pk", "shingles")
    Headline.objects.bulk_create(
        Headline(
            submission=each, organisation_id=each.organisation_id, year=each.year,
            figures=each.content.get("headline") or {},
        )
        for each in submissions
    )  # fmt: skip
    SketchNumber.objects.bulk_create(_of_texts(submissions), batch_size=BATCH)
    SketchNumber.objects.bulk_create(
        (
            SketchNumber(submission_id=submission, file_id=file, number=number)
            for submission, file, numbers in sketched
            for number in numbers
        ),
        batch_size=BATCH,
    )


def _of_texts(submissions: Sequence[Submission]) -> Iterator[SketchNumber]:
    for each in submissions:
        for number in each.content.get("narrative") or ():
            yield SketchNumber(submission=each, number=number)
