"""What a worker does: batches, and e-mails."""

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db import transaction
from django.utils import timezone
from django_tasks import task

from wufei.registry.models import User
from wufei.reviews.models import Batch, Message
from wufei.reviews.services import batches


@task()
def run_batch(batch_id: int) -> str:
    """Do a confirmed batch; return when it ended."""
    done = batches.run_batch(batch=Batch.objects.get(pk=batch_id), clock=timezone.now)
    assert done.ended_at is not None, "a batch that ran has ended"
    return done.ended_at.isoformat()


@transaction.atomic
def confirm_and_enqueue(*, batch: Batch, by: User) -> Batch:
    """
    Confirm a batch and hand it to a worker, both or neither.

    :raises NotPermitted, ReviewRefused:
    """
    confirmed = batches.confirm_batch(batch=batch, by=by, now=timezone.now())
    run_batch.enqueue(confirmed.pk)
    return confirmed


@task()
def mail_messages(pks: list[int]) -> int:
    """Send messages by e-mail to those who have an address; return how many were sent."""
    rows = Message.objects.filter(pk__in=pks, to__is_active=True).exclude(to__email="").select_related("to")
    mails = [
        EmailMessage(subject=row.subject, body=_body(row), from_email=settings.DEFAULT_FROM_EMAIL, to=[row.to.email])
        for row in rows.order_by("pk")
    ]  # fmt: skip
    return get_connection().send_messages(mails) or 0 if mails else 0


def _body(row: Message) -> str:
    address = f"{settings.SITE_ADDRESS}{row.link}" if settings.SITE_ADDRESS and row.link else ""
    return f"{row.text}\n\n{address}".strip()


def mail_when_told(sender: object, pks: list[int], **_: object) -> None:
    """Have messages mailed, where mail is set up."""
    if settings.MAIL_IS_ON:
        mail_messages.enqueue(pks)
