"""What changes at signing in and out: the second factor, recovery codes, and what is recorded."""

from datetime import datetime

from django.db import transaction
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from wufei.registry import queries
from wufei.registry.models import User
from wufei.registry.services import audit, operator, ref, require_self_or_administrator

RECOVERY_CODES = 10


class SecondFactorRefused(Exception):
    """The second factor can't be so; `code` is already_confirmed, not_begun, none or code_wrong."""

    def __init__(self, code: str, *, retry_at: datetime | None = None):
        self.code = code
        self.retry_at = retry_at  # too many wrong codes: not before then
        super().__init__(code)


# --- second factor


@transaction.atomic
def begin_second_factor(*, user: User, by: User, now: datetime) -> TOTPDevice:
    """
    Return a device that waits for its first code; begun again, it is the same.

    :raises SecondFactorRefused: already_confirmed
    """
    assert user.pk == by.pk, "Nobody sets up another's second factor"
    if queries.second_factor(user=user):
        raise SecondFactorRefused("already_confirmed")
    device = TOTPDevice.objects.filter(user=user, confirmed=False).first()
    if device is None:
        device = TOTPDevice.objects.create(user=user, name="totp", confirmed=False)
        audit(by=by, now=now, action="registry.begin_second_factor", object_ref=ref(user))
    return device


def confirm_second_factor(*, user: User, code: str, by: User, now: datetime) -> tuple[TOTPDevice, list[str]]:
    """
    Put the second factor in force; return the device and fresh recovery codes, which are shown once.

    :raises SecondFactorRefused: not_begun, already_confirmed, code_wrong
    """
    assert user.pk == by.pk, "Nobody sets up another's second factor"
    if queries.second_factor(user=user):
        raise SecondFactorRefused("already_confirmed")
    with transaction.atomic():
        device = TOTPDevice.objects.select_for_update().filter(user=user, confirmed=False).first()
        if device is None:
            raise SecondFactorRefused("not_begun")
        if device.verify_token(code):  # a wrong code is counted, so nothing is rolled back
            device.confirmed = True
            device.save(update_fields=["confirmed"])
            audit(by=by, now=now, action="registry.confirm_second_factor", object_ref=ref(user))
            return device, _fresh_codes(user)
    raise SecondFactorRefused("code_wrong", retry_at=_retry_at(device))


@transaction.atomic
def renew_recovery_codes(*, user: User, by: User, now: datetime) -> list[str]:
    """
    Return fresh recovery codes, shown once; the old ones no longer hold.

    :raises SecondFactorRefused: none, if there is no second factor
    """
    assert user.pk == by.pk, "Nobody reads another's recovery codes"
    if queries.second_factor(user=user) is None:
        raise SecondFactorRefused("none")
    audit(by=by, now=now, action="registry.renew_recovery_codes", object_ref=ref(user))
    return _fresh_codes(user)


def _fresh_codes(user: User) -> list[str]:
    StaticDevice.objects.filter(user=user).delete()
    device = StaticDevice.objects.create(user=user, name="recovery", confirmed=True)
    codes = [StaticToken.random_token() for _ in range(RECOVERY_CODES)]
    StaticToken.objects.bulk_create(StaticToken(device=device, token=code) for code in codes)
    return codes


@transaction.atomic
def remove_second_factor(*, user: User, by: User, now: datetime) -> None:
    """
    End the second factor: one's own, or as an administrator that of a person who lost the phone.

    :raises SecondFactorRefused: none, if there is none
    :raises NotPermitted: if it is another's and `by` is not an administrator
    """
    require_self_or_administrator(user, by)
    if queries.second_factor(user=user) is None:
        raise SecondFactorRefused("none")
    TOTPDevice.objects.filter(user=user).delete()
    StaticDevice.objects.filter(user=user).delete()
    audit(by=by, now=now, action="registry.remove_second_factor", object_ref=ref(user))


def verify_second_factor(*, user: User, code: str, now: datetime) -> TOTPDevice | StaticDevice:
    """
    Return the device that accepts the code: six digits of the app, or a recovery code, which is used up.

    :raises SecondFactorRefused: code_wrong, with the time before which no other code is read
    """
    compact = code.replace(" ", "").lower()
    model = TOTPDevice if compact.isdecimal() else StaticDevice
    with transaction.atomic():
        device = model.objects.select_for_update().filter(user=user, confirmed=True).first()
        if device is not None and device.verify_token(compact):
            audit(
                by=user, now=now, action="registry.verify_second_factor", object_ref=ref(user),
                detail={"recovery_code": model is StaticDevice},
            )  # fmt: skip
            return device
        audit(by=user, now=now, action="registry.refuse_second_factor", object_ref=ref(user))
    raise SecondFactorRefused("code_wrong", retry_at=_retry_at(device))


def _retry_at(device: TOTPDevice | StaticDevice | None) -> datetime | None:
    if device is None:
        return None
    allowed, reason = device.verify_is_allowed()
    return None if allowed or reason is None else reason["locked_until"]


# --- signing in and out


def record_sign_in(*, user: User, address: str, now: datetime) -> None:
    """Record that the password was right; whether a second factor follows is recorded when it does."""
    audit(by=user, now=now, action="registry.sign_in", object_ref=ref(user), detail={"address": address})


def record_sign_out(*, user: User, now: datetime) -> None:
    """Record that the person left."""
    audit(by=user, now=now, action="registry.sign_out", object_ref=ref(user))


def record_refused_sign_in(*, username: str, address: str, is_locked: bool, now: datetime) -> None:
    """
    Record a sign-in that failed.

    What was typed for an unknown name is not kept: people type their password there.
    """
    user = User.objects.filter(username=username).first()
    action = "registry.lock_out" if is_locked else "registry.refuse_sign_in"
    detail = {"address": address, "account_is_known": user is not None}
    audit(by=user or operator(), now=now, action=action, object_ref=ref(user) if user else "", detail=detail)
