"""What changes a person's address for e-mail, and the link that proves it to be theirs."""

from datetime import datetime, timedelta

from django.core import signing
from django.db import transaction

from wufei.registry.models import User
from wufei.registry.services import (
    AccountRefused,
    audit,
    ref,
    require_self_or_administrator,
    valid_email,
)

CONFIRM_WITHIN = timedelta(hours=24)
SALT = "wufei.registry.email"


@transaction.atomic
def set_email(*, user: User, email: str, by: User, now: datetime) -> User:
    """
    Keep where a person is mailed to; empty: nowhere. The door asks for the password, or for proof.

    :raises AccountRefused: email_malformed
    :raises NotPermitted: if it is another's and `by` is not an administrator
    """
    require_self_or_administrator(user, by)
    wanted = valid_email(email)
    current = User.objects.select_for_update().get(pk=user.pk)
    if current.email == wanted:
        return current
    detail = {"before": current.email, "after": wanted}
    current.email = wanted
    current.save(update_fields=["email"])
    audit(by=by, now=now, action="registry.set_email", object_ref=ref(user), detail=detail)
    return current


def confirmation(*, user: User, email: str, now: datetime) -> str:
    """
    Return what the link to the new address carries; it serves one person, once, for a day.

    :raises AccountRefused: email_malformed
    """
    said = {"user": user.pk, "email": valid_email(email), "was": user.email, "at": now.isoformat()}
    return signing.dumps(said, salt=SALT)


def email_to_confirm(*, user: User, token: str, now: datetime) -> str:
    """
    Return the address that a link proves.

    :raises AccountRefused: email_unconfirmed
    """
    try:
        said = signing.loads(token, salt=SALT)
    except signing.BadSignature as fault:
        raise AccountRefused("email_unconfirmed") from fault
    is_old = now > datetime.fromisoformat(said["at"]) + CONFIRM_WITHIN
    if is_old or said["user"] != user.pk or said["was"] != user.email:
        raise AccountRefused("email_unconfirmed")
    return str(said["email"])


@transaction.atomic
def confirm_email(*, user: User, token: str, by: User, now: datetime) -> User:
    """
    Keep the address that the link proves.

    :raises AccountRefused: email_unconfirmed
    """
    current = User.objects.select_for_update().get(pk=user.pk)
    return set_email(user=current, email=email_to_confirm(user=current, token=token, now=now), by=by, now=now)
