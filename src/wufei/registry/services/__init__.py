"""
What changes organisations and people. Every write is here, each in one transaction.

`services.signing_in` has the second factor and what is recorded of signing in and out.
"""

import json
import secrets
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction

from wufei.registry import queries, rules
from wufei.registry.access import Permission, Role
from wufei.registry.models import (
    ApiToken,
    Organisation,
    OrganisationKind,
    ParkMembership,
    RoleAssignment,
    User,
)
from wufei.registry.rules import InvalidUscc
from wufei.terms.day import local_day

__all__ = ["InvalidUscc"]  # raised by `register_organisation`

OPERATOR_USERNAME = "operator"


class OrganisationExists(Exception):
    """There is an organisation with this 统一社会信用代码."""


class OrganisationRefused(Exception):
    """A fact of the organisation can't be so; `errors` has the messages by field."""

    def __init__(self, errors: dict[str, list[str]]):
        self.errors = errors
        super().__init__(errors)


class StaleEdit(Exception):
    """Somebody changed the row since the version that the edit began from; `current` is how it stands."""

    def __init__(self, current: Organisation):
        self.current = current
        super().__init__(f"version is {current.version} by now")


class MembershipRefused(Exception):
    """The membership can't be so; `code` says why."""

    def __init__(self, code: str):
        self.code = code  # not_a_park, never_a_member, already_member, not_a_member, left_before_joined
        super().__init__(code)


class AccountRefused(Exception):
    """The account can't be so; `code` says why."""

    def __init__(self, code: str):
        # username_taken, username_malformed, own_account, last_administrator, role_unfit, role_held,
        # role_not_held, email_malformed, email_unconfirmed
        self.code = code
        super().__init__(code)


class PasswordRefused(Exception):
    """The password breaks a rule; `reasons` says which, in the reader's language."""

    def __init__(self, reasons: list[str]):
        self.reasons = reasons
        super().__init__(reasons)


class TokenRefused(Exception):
    """The token can't be so; `code` is scope_unknown, scopes_missing, expires_in_past or already_revoked."""

    def __init__(self, code: str):
        self.code = code
        super().__init__(code)


AUDIT = (
    "INSERT INTO registry_auditentry (at, by_id, organisation_id, action, object_ref, detail) "
    "VALUES (%s, %s, %s, %s, %s, %s)"
)


def audit(
    *,
    by: User,
    now: datetime,
    action: str,
    organisation: Organisation | None = None,
    object_ref: str = "",
    detail: dict[str, Any] | None = None,
) -> None:
    """Record who did what; call it in the transaction of the write itself."""
    row = audit_row(
        by=by, now=now, action=action, organisation=organisation, object_ref=object_ref, detail=detail
    )
    queries.asked(row.sql, *row.parameters)


def audit_row(
    *,
    by: User,
    now: datetime,
    action: str,
    organisation: Organisation | None = None,
    object_ref: str = "",
    detail: dict[str, Any] | None = None,
) -> queries.Question:
    """Return the statement that records who did what, for who sends it together with the write itself."""
    # Past the ORM: every write pays this, and building the statement takes longer than running it.
    at = connection.ops.adapt_datetimefield_value(now)
    of = organisation.pk if organisation else None
    return queries.Question(AUDIT, (at, by.pk, of, action, object_ref, json.dumps(detail or {})))


@dataclass(frozen=True, slots=True, kw_only=True)
class Audited:
    """What is recorded of one of many that were done at once."""

    organisation: Organisation | None
    object_ref: str
    detail: dict[str, Any]


def audit_each(*, by: User, now: datetime, action: str, entries: Iterable[Audited]) -> None:
    """Record what was done to each of many, in one statement."""
    rows = [
        audit_row(
            by=by, now=now, action=action, organisation=each.organisation, object_ref=each.object_ref,
            detail=each.detail,
        ).parameters
        for each in entries
    ]  # fmt: skip
    with connection.cursor() as cursor:
        cursor.executemany(AUDIT, rows)


def operator() -> User:
    """Return the account behind the command line, which is the operator's door; it can't sign in."""
    user, created = User.objects.get_or_create(
        username=OPERATOR_USERNAME, defaults={"full_name": "命令行操作员", "is_superuser": True}
    )
    if created:
        user.set_unusable_password()
        user.save(update_fields=["password"])
    return user


# --- organisations


@transaction.atomic
def register_organisation(
    *,
    uscc: str,
    name: str,
    kind: str,
    division_code: str,
    branch: str = "",
    industry_code: str = "",
    address: str = "",
    established_on: date | None = None,
    head: str = "",
    contact: str = "",
    phone: str = "",
    fax: str = "",
    email: str = "",
    website: str = "",
    site_area_m2: Decimal | None = None,
    employee_count: int | None = None,
    by: User,
    now: datetime,
) -> Organisation:
    """
    Enter an organisation.

    :raises InvalidUscc: if the code's check digit, letters or length are wrong
    :raises OrganisationExists: if the code is taken
    :raises OrganisationRefused: if another fact can't be so
    :raises NotPermitted: if `by` is not an administrator
    """
    queries.require_as_operator(user=by, permission=Permission.EDIT_ORGANISATION)
    organisation = Organisation(
        uscc=rules.read_uscc(uscc),
        name=name.strip(),
        kind=kind,
        division_code=division_code,
        branch=branch,
        industry_code=industry_code,
        address=address,
        established_on=established_on,
        head=head,
        contact=contact,
        phone=phone,
        fax=fax,
        email=email,
        website=website,
        site_area_m2=site_area_m2,
        employee_count=employee_count,
        created_at=now,
    )
    _refuse_impossible(organisation)
    try:
        with transaction.atomic():
            organisation.save()
    except IntegrityError as taken:
        raise OrganisationExists(organisation.uscc) from taken
    audit(
        by=by, now=now, action="registry.register_organisation", organisation=organisation,
        object_ref=organisation.uscc, detail={"name": organisation.name, "kind": organisation.kind},
    )  # fmt: skip
    return organisation


@transaction.atomic
def register_organisations(
    *, wanted: Collection[Mapping[str, Any]], by: User, now: datetime
) -> list[Organisation]:
    """
    Enter many organisations, in the same few statements however many there are; none where one is refused.

    :raises InvalidUscc, OrganisationExists, OrganisationRefused, NotPermitted: as `register_organisation`
    """
    queries.require_as_operator(user=by, permission=Permission.EDIT_ORGANISATION)
    rows = [
        Organisation(
            **{**said, "uscc": rules.read_uscc(said["uscc"]), "name": said["name"].strip()}, created_at=now
        )
        for said in wanted
    ]
    for row in rows:
        _refuse_impossible(row)
    try:
        with transaction.atomic():
            made = Organisation.objects.bulk_create(rows)
    except IntegrityError as taken:
        raise OrganisationExists("、".join(row.uscc for row in rows)) from taken
    audit_each(
        by=by, now=now, action="registry.register_organisation",
        entries=[
            Audited(organisation=row, object_ref=row.uscc, detail={"name": row.name, "kind": row.kind})
            for row in made
        ],
    )  # fmt: skip
    return made


def _refuse_impossible(organisation: Organisation) -> None:
    errors: dict[str, list[str]] = {}
    try:
        organisation.clean_fields()
    except ValidationError as fault:
        errors = fault.message_dict
    code = organisation.division_code
    if "division_code" not in errors and not (len(code) == 6 and code.isascii() and code.isdecimal()):
        errors["division_code"] = ["行政区划代码须为六位数字。"]
    if organisation.branch and organisation.kind != OrganisationKind.AUTHORITY:
        errors["branch"] = ["只有主管部门有主管领域。"]
    if errors:
        raise OrganisationRefused(errors)


@transaction.atomic
def change_organisation(
    *, organisation: Organisation, by: User, now: datetime, version: int | None = None, **fields: Any
) -> bool:
    """
    Change facts of an organisation; return False, and write nothing, where they stand so already.

    :param version: the version that the edit began from; None where the last writer may win
    :raises StaleEdit: if somebody else changed the organisation since that version
    :raises OrganisationRefused: if a fact can't be so
    :raises NotPermitted: if `by` may not, or a field is the administrator's to change
    """
    unknown = fields.keys() - rules.OWN_FIELDS - rules.RESERVED_FIELDS
    assert not unknown, f"Not a field that can be changed: {unknown}"
    today = local_day(now)
    queries.require(
        user=by, permission=Permission.EDIT_ORGANISATION, organisation=organisation, on=today
    )  # fmt: skip
    current = Organisation.objects.select_for_update().get(pk=organisation.pk)
    if version is not None and version != current.version:
        raise StaleEdit(current)
    changed = {name: value for name, value in fields.items() if getattr(current, name) != value}
    if not changed:
        return False
    if changed.keys() & rules.RESERVED_FIELDS:
        queries.require_as_operator(user=by, permission=Permission.EDIT_ORGANISATION)
    before = {name: getattr(current, name) for name in changed}
    for name, value in changed.items():
        setattr(current, name, value)
    current.version += 1
    _refuse_impossible(current)
    current.save(update_fields=[*changed, "version"])
    detail = {name: [_plain(before[name]), _plain(value)] for name, value in changed.items()}
    audit(
        by=by, now=now, action="registry.change_organisation", organisation=current,
        object_ref=current.uscc, detail={"changed": detail},
    )  # fmt: skip
    return True


def _plain(value: Any) -> str | int | None:
    return value if value is None or isinstance(value, int) else str(value)


# --- park membership


@transaction.atomic
def join_park(
    *, park: Organisation, member: Organisation, joined_on: date, by: User, now: datetime
) -> ParkMembership:
    """
    Enter an organisation as a member of a park from the day on.

    :raises MembershipRefused: not_a_park, never_a_member, already_member
    :raises NotPermitted: if `by` may not edit the park, or the member lies outside the park's division
        and `by` is no administrator: membership opens the member's ledger to the park
    """
    today = local_day(now)
    queries.require(user=by, permission=Permission.EDIT_ORGANISATION, organisation=park, on=today)
    if park.kind != OrganisationKind.PARK:
        raise MembershipRefused("not_a_park")
    if member.kind in queries.NEVER_MEMBERS:
        raise MembershipRefused("never_a_member")
    if not queries.joinable(user=by, park=park).filter(pk=member.pk).exists():
        raise queries.NotPermitted(Permission.EDIT_ORGANISATION)
    Organisation.objects.select_for_update().get(pk=park.pk)  # one change of membership at a time
    rows = ParkMembership.objects.filter(park=park, member=member)
    if any(row.left_on is None or row.left_on >= joined_on for row in rows):
        raise MembershipRefused("already_member")
    membership = ParkMembership.objects.create(park=park, member=member, joined_on=joined_on)
    _audit_membership("registry.join_park", membership, by, now, {"joined_on": str(joined_on)})
    return membership


@transaction.atomic
def leave_park(
    *, park: Organisation, member: Organisation, left_on: date, by: User, now: datetime
) -> ParkMembership:
    """
    End a membership; the day is the last one on which it holds.

    :raises MembershipRefused: not_a_member, left_before_joined
    :raises NotPermitted: if `by` may not edit the park
    """
    today = local_day(now)
    queries.require(user=by, permission=Permission.EDIT_ORGANISATION, organisation=park, on=today)
    Organisation.objects.select_for_update().get(pk=park.pk)
    membership = ParkMembership.objects.filter(park=park, member=member, left_on=None).first()
    if membership is None:
        raise MembershipRefused("not_a_member")
    if left_on < membership.joined_on:
        raise MembershipRefused("left_before_joined")
    membership.left_on = left_on
    membership.save(update_fields=["left_on"])
    _audit_membership("registry.leave_park", membership, by, now, {"left_on": str(left_on)})
    return membership


def _audit_membership(
    action: str, membership: ParkMembership, by: User, now: datetime, detail: dict[str, str]
) -> None:
    """Record it for both: each finds it in its own log."""
    park, member = membership.park, membership.member
    audit(by=by, now=now, action=action, organisation=park, object_ref=member.uscc, detail=detail)
    audit(by=by, now=now, action=action, organisation=member, object_ref=park.uscc, detail=detail)


# --- people


@transaction.atomic
def create_user(
    *, username: str, password: str, full_name: str, by: User, now: datetime, phone: str = "", email: str = ""
) -> User:
    """
    Make an account; it may do nothing until it is given a role.

    :raises AccountRefused: username_taken, username_malformed, email_malformed
    :raises PasswordRefused: if the password breaks a rule
    :raises NotPermitted: if `by` is not an administrator
    """
    queries.require_as_operator(user=by, permission=Permission.MANAGE_USERS)
    user = User(
        username=username, full_name=full_name, phone=phone, email=valid_email(email), date_joined=now
    )
    try:
        User._meta.get_field("username").clean(username, user)
    except ValidationError as fault:
        raise AccountRefused("username_malformed") from fault
    _set_password(user, password)
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError as taken:
        raise AccountRefused("username_taken") from taken
    audit(by=by, now=now, action="registry.create_user", object_ref=ref(user))
    return user


def valid_email(said: str) -> str:
    """
    Return an address for e-mail as it is kept; empty stays empty.

    :raises AccountRefused: email_malformed
    """
    email = said.strip()
    if email:
        try:
            User._meta.get_field("email").clean(email, None)
        except ValidationError as fault:
            raise AccountRefused("email_malformed") from fault
    return email


@transaction.atomic
def change_password(*, user: User, password: str, by: User, now: datetime) -> None:
    """
    Set a new password; it ends the user's other sessions. The door asks for the old one.

    :raises PasswordRefused: if the password breaks a rule
    :raises NotPermitted: if it is another's password and `by` is not an administrator
    """
    require_self_or_administrator(user, by)
    _set_password(user, password)
    user.save(update_fields=["password"])
    audit(by=by, now=now, action="registry.change_password", object_ref=ref(user))


def _set_password(user: User, password: str) -> None:
    try:
        validate_password(password, user)
    except ValidationError as fault:
        raise PasswordRefused(fault.messages) from fault
    user.set_password(password)


@transaction.atomic
def set_active(*, user: User, is_active: bool, by: User, now: datetime) -> bool:
    """
    Let a person sign in, or no longer; return False where it stands so already.

    :raises AccountRefused: own_account, last_administrator
    :raises NotPermitted: if `by` is not an administrator
    """
    queries.require_as_operator(user=by, permission=Permission.MANAGE_USERS)
    current = User.objects.select_for_update().get(pk=user.pk)
    if current.is_active == is_active:
        return False
    if not is_active and current.pk == by.pk:
        raise AccountRefused("own_account")
    current.is_active = is_active
    current.save(update_fields=["is_active"])
    _refuse_without_administrator(by)
    audit(by=by, now=now, action="registry.set_active", object_ref=ref(user), detail={"is_active": is_active})
    return True


@transaction.atomic
def assign_role(
    *, user: User, organisation: Organisation, role: Role, by: User, now: datetime
) -> RoleAssignment:
    """
    Give a person a role in an organisation.

    :raises AccountRefused: role_unfit (for the organisation's kind), role_held
    :raises NotPermitted: if `by` is not an administrator
    """
    queries.require_as_operator(user=by, permission=Permission.MANAGE_USERS)
    if not rules.role_fits(Role(role), organisation.kind):
        raise AccountRefused("role_unfit")
    assignment, created = RoleAssignment.objects.get_or_create(
        user=user, organisation=organisation, role=Role(role).value
    )
    if not created:
        raise AccountRefused("role_held")
    audit(
        by=by, now=now, action="registry.assign_role", organisation=organisation, object_ref=ref(user),
        detail={"role": assignment.role},
    )  # fmt: skip
    return assignment


@transaction.atomic
def remove_role(*, user: User, organisation: Organisation, role: Role, by: User, now: datetime) -> None:
    """
    Take a role from a person.

    :raises AccountRefused: role_not_held, last_administrator
    :raises NotPermitted: if `by` is not an administrator
    """
    queries.require_as_operator(user=by, permission=Permission.MANAGE_USERS)
    held = RoleAssignment.objects.filter(user=user, organisation=organisation, role=Role(role).value)
    if not held.delete()[0]:
        raise AccountRefused("role_not_held")
    _refuse_without_administrator(by)
    audit(
        by=by, now=now, action="registry.remove_role", organisation=organisation, object_ref=ref(user),
        detail={"role": Role(role).value},
    )  # fmt: skip


def _refuse_without_administrator(by: User) -> None:
    """The command line can always make a new one; an administrator would lock everybody out."""
    rows = RoleAssignment.objects.filter(role=Role.ADMINISTRATOR.value, user__is_active=True)
    # Locked, so that two administrators can't take each other's role at once.
    if not by.is_superuser and not list(rows.select_for_update()):
        raise AccountRefused("last_administrator")


def require_self_or_administrator(user: User, by: User) -> None:
    """
    Let the caller go on where the account is one's own, or one administers accounts.

    :raises NotPermitted: otherwise
    """
    if user.pk != by.pk:
        queries.require_as_operator(user=by, permission=Permission.MANAGE_USERS)


def ref(user: User) -> str:
    """Return how the audit log names an account."""
    return f"user:{user.username}"[:120]


# --- tokens for machines


@transaction.atomic
def issue_token(
    *, user: User, name: str, scopes: Iterable[str], expires_at: datetime | None, by: User, now: datetime
) -> tuple[ApiToken, str]:
    """
    Make a token; return it with its secret, which is shown once and not kept.

    :raises TokenRefused: scope_unknown, scopes_missing, expires_in_past
    :raises NotPermitted: if the token is not one's own: nobody acts under another's name
    """
    if user.pk != by.pk and not by.is_superuser:
        raise queries.NotPermitted(Permission.MANAGE_USERS)
    wanted = sorted(set(scopes))
    if not wanted:
        raise TokenRefused("scopes_missing")
    if not set(wanted) <= {scope.value for scope in rules.Scope}:
        raise TokenRefused("scope_unknown")
    if expires_at is not None and expires_at <= now:
        raise TokenRefused("expires_in_past")
    secret = f"wufei_{secrets.token_urlsafe(32)}"
    token = ApiToken.objects.create(
        user=user, name=name, digest=queries.digest_of(secret), scopes=wanted, created_at=now,
        expires_at=expires_at,
    )  # fmt: skip
    detail = {"name": name, "scopes": wanted, "expires_at": _plain(expires_at)}
    audit(by=by, now=now, action="registry.issue_token", object_ref=f"token:{token.pk}", detail=detail)
    return token, secret


@transaction.atomic
def revoke_token(*, token: ApiToken, by: User, now: datetime) -> None:
    """
    End a token.

    :raises TokenRefused: already_revoked
    :raises NotPermitted: if the token is another's and `by` is not an administrator
    """
    require_self_or_administrator(token.user, by)
    if not ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=now):
        raise TokenRefused("already_revoked")
    audit(by=by, now=now, action="registry.revoke_token", object_ref=f"token:{token.pk}")
