"""What reads organisations and people; the one place where 'who may see whom' meets the store."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import Any, NamedTuple

import psycopg
from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet
from django.utils import timezone
from django_otp.plugins.otp_static.models import StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from wufei.registry.access import GRANTS, Permission, Relation, Role, granting
from wufei.registry.models import (
    ApiToken,
    AuditEntry,
    Contract,
    Driver,
    DueDiligence,
    OperatingPermit,
    Organisation,
    OrganisationKind,
    ParkMembership,
    PermitKind,
    RoleAssignment,
    Succession,
    User,
    Vehicle,
)
from wufei.registry.permits import Group, Permit

# Who never is a member of a park.
NEVER_MEMBERS = (OrganisationKind.PARK, OrganisationKind.AUTHORITY)


class NotPermitted(Exception):
    """The person may not do this to the organisation; `permission` says what."""

    def __init__(self, permission: Permission):
        self.permission = permission
        super().__init__(permission)


def _members_on(day: date) -> Q:
    return Q(joined_on__lte=day) & (Q(left_on=None) | Q(left_on__gte=day))


def members_of(*, park: Organisation, on: date) -> QuerySet[Organisation]:
    """Return the organisations that are members of the park on the day."""
    rows = ParkMembership.objects.filter(_members_on(on), park=park)
    return Organisation.objects.filter(pk__in=rows.values("member_id"))


COUNTRY = "000000"  # of a ministry
MUNICIPALITIES = frozenset(
    {"110000", "120000", "310000", "500000"}
)  # a city's and a province's authority at once


def levels_of(division_code: str) -> frozenset[str]:
    """
    Return the levels at which an authority of the division works.

    >>> sorted(levels_of("500000")), sorted(levels_of("440100")), sorted(levels_of("500110"))
    (['CITY', 'PROVINCE'], ['CITY'], ['DISTRICT'])
    """
    if division_code == COUNTRY:
        return frozenset({"MINISTRY"})
    if division_code in MUNICIPALITIES:
        return frozenset({"CITY", "PROVINCE"})
    if division_code.endswith("0000"):
        return frozenset({"PROVINCE"})
    return frozenset({"CITY"}) if division_code.endswith("00") else frozenset({"DISTRICT"})


def lineage_of(*, organisation: Organisation) -> set[int]:
    """Return the keys of the organisation and of all that it came from, however far back."""
    before: dict[int, set[int]] = {}
    for successor, predecessor in Succession.objects.values_list("successor_id", "predecessor_id"):
        before.setdefault(successor, set()).add(predecessor)
    found, ahead = {organisation.pk}, [organisation.pk]
    while ahead:
        fresh = before.get(ahead.pop(), set()) - found
        found |= fresh
        ahead += fresh
    return found


def successions_of(*, organisation: Organisation) -> list[Succession]:
    """Return how the organisation came about and went on, the latest first: its names and whom it is from."""
    rows = Succession.objects.filter(Q(predecessor=organisation) | Q(successor=organisation))
    shown = rows.select_related("predecessor", "successor", "recorded_by")
    return list(shown.order_by("-on", "-pk"))


def name_on(*, organisation: Organisation, day: date) -> str:
    """Return the name that the organisation had on the day; a new name holds from its day on."""
    later = Succession.objects.filter(successor=organisation, kind=Succession.Kind.RENAME, on__gt=day)
    first = later.order_by("on", "pk").first()
    return first.former_name if first else organisation.name


def may_record_succession(*, user: User, organisation: Organisation, on: date) -> bool:
    """Return whether the user may record a new name, a successor or the end of the organisation."""
    if holds_as_operator(user=user, permission=Permission.EDIT_ORGANISATION):
        return True
    return may(user=user, permission=Permission.JUDGE, organisation=organisation, on=on)


def jurisdiction_prefix(division_code: str) -> str:
    """
    Return what the division codes within an authority's jurisdiction begin with.

    >>> jurisdiction_prefix("500000"), jurisdiction_prefix("440100"), jurisdiction_prefix("500110")
    ('50', '4401', '500110')
    """
    if division_code == COUNTRY:
        return ""
    for digits in (2, 4):
        if division_code[digits:] == "0" * (6 - digits):
            return division_code[:digits]
    return division_code


def visible_organisations(
    *, user: User, permission: Permission = Permission.VIEW_ORGANISATION, on: date
) -> QuerySet[Organisation]:
    """Return the organisations for which the user holds the permission on the day; refused by default."""
    if not user.is_active:
        return Organisation.objects.none()
    if user.is_superuser:  # only the operator behind the command line, who can't sign in
        return Organisation.objects.all()
    grants = granting(permission)
    condition = Q(pk__in=[])
    for held in RoleAssignment.objects.filter(user=user).select_related("organisation"):
        role, own = Role(held.role), held.organisation
        if (role, Relation.OPERATOR) in grants:
            return Organisation.objects.all()
        if (role, Relation.OWN) in grants:
            condition |= Q(pk=own.pk)
        if (role, Relation.PARK) in grants:
            members = ParkMembership.objects.filter(_members_on(on), park=own)
            condition |= Q(pk__in=members.values("member_id"))
        if (role, Relation.JURISDICTION) in grants:
            within = Q(division_code__startswith=jurisdiction_prefix(own.division_code))
            # An authority sees those it supervises, not its fellow authorities.
            condition |= within & ~Q(kind=OrganisationKind.AUTHORITY)
    return Organisation.objects.filter(condition)


PREPARED_AFTER = 2  # times that a connection ran a statement
FIRST_DAY, LAST_DAY = date(1949, 1, 1), date(2200, 12, 31)  # nothing was done before or after


class Question(NamedTuple):
    """A statement and its parameters."""

    sql: str
    parameters: Sequence[Any]


def asked(sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
    """
    Run a statement past Django's cursor, and return its rows.

    For what every posting runs: building a query takes the ORM longer than answering it takes SQLite, and
    Django's cursor has PostgreSQL plan each statement anew, which takes longer than running it.
    """
    default = connections[DEFAULT_DB_ALIAS]
    default.ensure_connection()
    driver: Any = default.connection
    with default.wrap_database_errors:
        if default.vendor == "sqlite":
            return driver.execute(_in_sqlite(sql), parameters).fetchall()
        if driver.prepare_threshold is None:  # Django's default; its own cursors never prepare
            driver.prepare_threshold = PREPARED_AFTER
        cursor = psycopg.Cursor(driver)
        cursor.execute(sql, parameters)
        return cursor.fetchall() if cursor.description else []


def insert_both(first: Question, second: Question) -> None:
    """Run two insertions; PostgreSQL takes them as one statement, which saves a way there and back."""
    if connection.vendor == "postgresql":
        asked(f"WITH put AS ({first.sql}) {second.sql}", *first.parameters, *second.parameters)
        return
    asked(first.sql, *first.parameters)
    asked(second.sql, *second.parameters)


@cache
def _in_sqlite(sql: str) -> str:
    return sql.replace("%s", "?")


# Past the ORM, because every posting asks it: the roles that a person holds, and what the organisation of
# each is to the organisation in question.
ROLES_TOWARDS = """
    SELECT 'role', own.id, a.role, NULL, own.division_code, (
      SELECT count(*) FROM registry_parkmembership m WHERE m.park_id = own.id AND m.member_id = %s
        AND m.joined_on <= %s AND (m.left_on IS NULL OR m.left_on >= %s)), NULL
    FROM registry_roleassignment a JOIN registry_organisation own ON own.id = a.organisation_id
    WHERE a.user_id = %s"""


def may(*, user: User, permission: Permission, organisation: Organisation, on: date) -> bool:
    """
    Return whether the user holds the permission for the organisation on the day.

    The same rule as `visible_organisations`, asked for one organisation in one statement.
    """
    found = roles_towards(user=user, organisation=organisation, on=on)
    roles = asked(found.sql, *found.parameters)
    return grants_it(user=user, permission=permission, organisation=organisation, roles=roles)


def roles_towards(*, user: User, organisation: Organisation, on: date) -> Question:
    """Return the question whose answer `grants_it` takes, for who asks it together with others."""
    day = connection.ops.adapt_datefield_value(on)
    return Question(ROLES_TOWARDS, (organisation.pk, day, day, user.pk))


def grants_it(
    *, user: User, permission: Permission, organisation: Organisation, roles: Iterable[tuple[Any, ...]]
) -> bool:
    """Return whether the answer to `roles_towards` grants the permission: `may`, for who has asked already."""
    if not user.is_active:
        return False
    if user.is_superuser:
        return organisation.pk is not None
    grants = granting(permission)
    for _, own, name, _, division, is_member, _ in roles:
        role = Role(name)
        within = organisation.division_code.startswith(jurisdiction_prefix(division))
        supervised = within and organisation.kind != OrganisationKind.AUTHORITY
        if (
            (role, Relation.OPERATOR) in grants
            or ((role, Relation.OWN) in grants and own == organisation.pk)
            or ((role, Relation.PARK) in grants and is_member)
            or ((role, Relation.JURISDICTION) in grants and supervised)
        ):
            return True
    return False


def require(*, user: User, permission: Permission, organisation: Organisation, on: date) -> None:
    """
    Let the caller go on only where the user holds the permission.

    :raises NotPermitted: otherwise
    """
    if not may(user=user, permission=permission, organisation=organisation, on=on):
        raise NotPermitted(permission)


def permissions_for(*, user: User, organisation: Organisation, on: date) -> frozenset[Permission]:
    """Return all that the user may do with the organisation on the day; the same rule as `may`."""
    if not user.is_active:
        return frozenset()
    if user.is_superuser:
        return frozenset(Permission)
    held = list(RoleAssignment.objects.filter(user=user).select_related("organisation"))
    parks: set[int] = set()
    if any(Role(h.role) is Role.PARK_OFFICER and h.organisation_id != organisation.pk for h in held):
        memberships = ParkMembership.objects.filter(_members_on(on), member=organisation)
        parks = set(memberships.values_list("park_id", flat=True))
    found: set[Permission] = set()
    for assignment in held:
        for relation in _relations(assignment.organisation, organisation, parks):
            found |= GRANTS.get((Role(assignment.role), relation), frozenset())
    return frozenset(found)


def _relations(own: Organisation, other: Organisation, parks: set[int]) -> Iterator[Relation]:
    yield Relation.OPERATOR
    if own.pk == other.pk:
        yield Relation.OWN
    if own.pk in parks:
        yield Relation.PARK
    within = other.division_code.startswith(jurisdiction_prefix(own.division_code))
    if within and other.kind != OrganisationKind.AUTHORITY:
        yield Relation.JURISDICTION


def organisation_for(*, user: User, uscc: str, permission: Permission, on: date) -> Organisation:
    """
    Return the organisation for a page that needs the permission.

    :raises Organisation.DoesNotExist: if there is none that the user may see, so that none is given away
    :raises NotPermitted: if the user may see it, but not do this
    """
    organisation = visible_organisations(user=user, on=on).get(uscc=uscc)
    if permission is not Permission.VIEW_ORGANISATION:
        require(user=user, permission=permission, organisation=organisation, on=on)
    return organisation


def own_organisations(*, user: User) -> QuerySet[Organisation]:
    """Return the organisations in which the user holds a role, by name."""
    held = RoleAssignment.objects.filter(user=user).values("organisation_id")
    return Organisation.objects.filter(pk__in=held).order_by("name", "pk")


def roles_of(*, user: User) -> list[RoleAssignment]:
    """Return the roles that the user holds, each with its organisation."""
    held = RoleAssignment.objects.filter(user=user).select_related("organisation")
    return list(held.order_by("organisation__name", "role"))


def holds_as_operator(*, user: User, permission: Permission) -> bool:
    """Return whether the user holds the permission for everybody: an administrator, or the command line."""
    if not user.is_active:
        return False
    roles = [role.value for role, relation in granting(permission) if relation is Relation.OPERATOR]
    return user.is_superuser or RoleAssignment.objects.filter(user=user, role__in=roles).exists()


def require_as_operator(*, user: User, permission: Permission) -> None:
    """
    Let the caller go on only where the user holds the permission for everybody.

    :raises NotPermitted: otherwise
    """
    if not holds_as_operator(user=user, permission=permission):
        raise NotPermitted(permission)


def found_organisations(
    *, among: QuerySet[Organisation], text: str = "", kind: str = "", division_code: str = ""
) -> QuerySet[Organisation]:
    """Narrow organisations by a part of present or former name or of code, by kind, and by division."""
    if text:
        formerly = Succession.objects.filter(former_name__icontains=text).values("successor_id")
        among = among.filter(Q(name__icontains=text) | Q(uscc__icontains=text) | Q(pk__in=formerly))
    if kind:
        among = among.filter(kind=kind)
    if division_code:
        among = among.filter(division_code__startswith=jurisdiction_prefix(division_code))
    return among


def memberships(*, park: Organisation, on: date | None = None, text: str = "") -> QuerySet[ParkMembership]:
    """Return who is a member of the park on the day, or who ever was, each with the member."""
    rows = ParkMembership.objects.filter(park=park).select_related("member")
    if on is not None:
        rows = rows.filter(_members_on(on))
    if text:
        rows = rows.filter(Q(member__name__icontains=text) | Q(member__uscc__icontains=text))
    return rows


def joinable(*, user: User, park: Organisation) -> QuerySet[Organisation]:
    """
    Return who may be entered as a member of the park.

    Membership opens a ledger to the park: its own officers enter those of its own division only.
    """
    candidates = Organisation.objects.exclude(kind__in=NEVER_MEMBERS)
    if holds_as_operator(user=user, permission=Permission.EDIT_ORGANISATION):
        return candidates
    return candidates.filter(division_code__startswith=jurisdiction_prefix(park.division_code))


def found_users(*, text: str = "", role: str = "", is_active: bool | None = None) -> QuerySet[User]:
    """Return the people who may sign in, with their roles fetched beside them."""
    people = User.objects.exclude(is_superuser=True)
    if text:
        people = people.filter(Q(username__icontains=text) | Q(full_name__icontains=text))
    if role:
        people = people.filter(pk__in=RoleAssignment.objects.filter(role=role).values("user_id"))
    if is_active is not None:
        people = people.filter(is_active=is_active)
    held = RoleAssignment.objects.select_related("organisation").order_by("organisation__name", "role")
    return people.prefetch_related(Prefetch("role_assignments", held))


def audit_entries(
    *,
    organisation: Organisation,
    text: str = "",
    action: str = "",
    since: date | None = None,
    through: date | None = None,
) -> QuerySet[AuditEntry]:
    """Return what was done with the organisation, each with the person."""
    rows = AuditEntry.objects.filter(organisation=organisation).select_related("by")
    if text:
        person = Q(by__username__icontains=text) | Q(by__full_name__icontains=text)
        rows = rows.filter(person | Q(object_ref__icontains=text))
    if action:
        rows = rows.filter(action=action)
    if since:
        rows = rows.filter(at__gte=_midnight(since))
    if through:
        rows = rows.filter(at__lt=_midnight(min(through, LAST_DAY) + timedelta(days=1)))
    return rows


def _midnight(day: date) -> datetime:
    """Return the day's beginning; of a day at the ends of the calendar, that of the first or last that can be."""
    known = min(max(day, FIRST_DAY), LAST_DAY)
    return timezone.make_aware(datetime.combine(known, time.min))


def audited_actions(*, organisation: Organisation) -> list[str]:
    """Return the kinds of action that the organisation's audit log has."""
    found = AuditEntry.objects.filter(organisation=organisation).order_by("action")
    return list(found.values_list("action", flat=True).distinct())


def digest_of(secret: str) -> str:
    """Return what is kept of a token's secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def token_with(*, secret: str, now: datetime) -> ApiToken | None:
    """Return the token of the secret with its user, if it still holds and the user is active."""
    found = ApiToken.objects.select_related("user").filter(
        digest=digest_of(secret), revoked_at=None, user__is_active=True
    )
    return found.filter(Q(expires_at=None) | Q(expires_at__gt=now)).first()


def tokens_of(*, user: User) -> QuerySet[ApiToken]:
    """Return the user's tokens, the newest first."""
    return ApiToken.objects.filter(user=user).order_by("-pk")


def second_factor(*, user: User) -> TOTPDevice | None:
    """Return the confirmed device that the user has to use at sign-in, if there is one."""
    return TOTPDevice.objects.filter(user=user, confirmed=True).first()


def recovery_codes_left(*, user: User) -> int:
    """Return how many recovery codes the user has not used."""
    return StaticToken.objects.filter(device__user=user, device__confirmed=True).count()


# --- permits, contracts, vehicles, drivers


def permits_of(*, organisation: Organisation, kinds: Iterable[str] = ()) -> QuerySet[OperatingPermit]:
    """Return the organisation's permits with their groups, the newest first."""
    rows = OperatingPermit.objects.filter(organisation=organisation)
    if kinds:
        rows = rows.filter(kind__in=list(kinds))
    return rows.select_related("verified_by").prefetch_related("groups").order_by("-valid_through", "-pk")


def read_permit(row: OperatingPermit) -> Permit:
    """Return the stored permit as `registry.permits` judges it."""
    groups = tuple(
        Group(
            key=each.pk,
            waste_codes=tuple(each.waste_codes),
            modes=tuple(each.modes),
            capacity_g=each.capacity_g,
        )
        for each in row.groups.all()
    )
    return Permit(
        key=row.pk, number=row.number, valid_from=row.valid_from, valid_through=row.valid_through,
        revoked_on=row.revoked_on, is_verified=row.verified_at is not None, groups=groups,
    )  # fmt: skip


RENEW_WITHIN = timedelta(
    days=60
)  # a renewal is asked for 30 working days before the end, and takes time to write


def lapsing_permits(*, organisations: QuerySet[Any], on: date) -> QuerySet[OperatingPermit]:
    """Return the permits of these organisations that end soon, or just ended, and have no successor of their kind."""
    later = OperatingPermit.objects.filter(
        organisation=OuterRef("organisation"), kind=OuterRef("kind"), revoked_on=None,
        valid_through__gt=OuterRef("valid_through"),
    )  # fmt: skip
    soon = (on - RENEW_WITHIN, on + RENEW_WITHIN)
    return OperatingPermit.objects.filter(
        ~Exists(later), organisation__in=organisations, revoked_on=None, valid_through__range=soon
    )


def organisations_where(*, user: User, permission: Permission) -> QuerySet[Any]:
    """Return the keys of the organisations in which one of the user's own roles grants the permission."""
    roles = [role.value for role, relation in granting(permission) if relation is Relation.OWN]
    return RoleAssignment.objects.filter(user=user, role__in=roles).values("organisation_id")


WASTE_PERMITS = (PermitKind.COMPREHENSIVE, PermitKind.COLLECTION)


def waste_permits(*, organisation: Organisation) -> list[Permit]:
    """Return the permits under which the organisation may take hazardous waste."""
    return [read_permit(row) for row in permits_of(organisation=organisation, kinds=WASTE_PERMITS)]


def contracts_of(*, organisation: Organisation) -> QuerySet[Contract]:
    """Return the organisation's contracts, those that last longest first."""
    rows = Contract.objects.filter(organisation=organisation).select_related("counterparty")
    return rows.order_by("-valid_through", "-pk")


def due_diligence_of(*, organisation: Organisation) -> QuerySet[DueDiligence]:
    """Return what the organisation found of those who are to take its waste, the latest first."""
    rows = DueDiligence.objects.filter(organisation=organisation).select_related("subject")
    return rows.order_by("-checked_on", "-pk")


def vehicles_of(*, organisation: Organisation) -> QuerySet[Vehicle]:
    """Return the organisation's vehicles by their plates, those that are out of use too."""
    return Vehicle.objects.filter(organisation=organisation).order_by("plate", "pk")


def drivers_of(*, organisation: Organisation) -> QuerySet[Driver]:
    """Return the organisation's drivers by name, those that have left too."""
    return Driver.objects.filter(organisation=organisation).order_by("name", "pk")


def contracts_on(*, organisation: Organisation, purpose: str, on: date) -> QuerySet[Contract]:
    """Return the organisation's contracts of that purpose that hold on the day."""
    return Contract.objects.filter(
        Q(ended_on=None) | Q(ended_on__gt=on), organisation=organisation, purpose=purpose, signed_on__lte=on,
        valid_through__gte=on,
    )  # fmt: skip


def due_diligence_on(*, organisation: Organisation, subject: Organisation, on: date) -> DueDiligence | None:
    """Return the latest record of what the organisation found of the other, if it holds on the day."""
    rows = DueDiligence.objects.filter(organisation=organisation, subject=subject, checked_on__lte=on)
    latest = rows.order_by("-checked_on", "-pk").first()
    return latest if latest is not None and latest.is_passed and latest.valid_through >= on else None
