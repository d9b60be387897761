"""In which roles may this person act on that application?"""

from collections.abc import Iterable
from datetime import date

from wufei.registry.access import Permission, Role
from wufei.registry.models import Organisation, OrganisationKind, RoleAssignment, User
from wufei.registry.queries import jurisdiction_prefix, levels_of, may, roles_of
from wufei.reviews.models import Application, Delegation
from wufei.reviews.queries.agencies import agency_at
from wufei.reviews.stages import APPLICANT


def roles_on(*, user: User, application: Application, on: date) -> dict[str, Organisation]:
    """
    Return the roles in which the person may act, each with the organisation acted for.

    An authority's officer acts at each level at which it works, where the applicant is within its
    jurisdiction: `CITY_INDUSTRY`, `DISTRICT_ENVIRONMENT`. Experts and agencies act by what is assigned to them.
    """
    if not user.is_active:
        return {}
    held = roles_of(user=user)
    found = dict(authority_roles_among(held, application.district_code))
    if may(user=user, permission=Permission.EDIT_CASE, organisation=application.organisation, on=on):
        found[APPLICANT] = application.organisation
    is_staff = any(each.role == Role.AGENCY_STAFF for each in held)  # the question is dear, and few are
    if is_staff and (agency := agency_at(user=user, application=application, on=on)):
        found["AGENCY"] = agency
    return found


def authority_roles(*, user: User, division_code: str) -> list[tuple[str, Organisation]]:
    """Return the roles that the person has as an authority's officer towards who is in the division."""
    return authority_roles_among(roles_of(user=user), division_code)


def authority_roles_among(
    assigned: Iterable[RoleAssignment], division_code: str
) -> list[tuple[str, Organisation]]:
    """Return which of a person's roles are an authority's officer's towards who is in the division."""
    return [
        (f"{level}_{held.organisation.branch}", held.organisation)
        for held in assigned
        if held.role == Role.AUTHORITY_OFFICER
        and held.organisation.kind == OrganisationKind.AUTHORITY
        and held.organisation.branch
        and division_code.startswith(jurisdiction_prefix(held.organisation.division_code))
        for level in sorted(levels_of(held.organisation.division_code))
    ]


def principals_of(*, user: User, on: date) -> list[User]:
    """Return for whom the person stands in on the day."""
    rows = Delegation.objects.filter(deputy=user, ended_at=None, from_day__lte=on, to_day__gte=on)
    return [row.principal for row in rows.select_related("principal")]
