"""The import as a job, run by a worker."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django_tasks import task

from wufei.capture import services
from wufei.capture.models import Upload
from wufei.registry.models import User


@task()
def run_import(upload_id: int) -> str:
    """Import a confirmed upload; return its state."""
    upload = Upload.objects.select_related("organisation", "confirmed_by").get(pk=upload_id)
    return str(services.run_upload(upload=upload, now=timezone.now()).state)


@transaction.atomic
def confirm_and_enqueue(*, upload: Upload, accept_valid: bool, by: User, now: datetime) -> Upload:
    """
    Confirm an upload and hand its import to a worker, both or neither.

    :raises UploadRefused: if it was confirmed before
    """
    upload = services.confirm(upload=upload, accept_valid=accept_valid, by=by, now=now)
    run_import.enqueue(upload.pk)
    return upload
