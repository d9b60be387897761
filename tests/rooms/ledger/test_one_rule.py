"""Who may post is asked in one statement; it must be the rule that lists of organisations follow."""

from datetime import date

import pytest

from wufei.registry.access import Permission, Role
from wufei.registry.models import ParkMembership
from wufei.registry.queries import may, visible_organisations

pytestmark = pytest.mark.django_db
ON = date(2026, 7, 1)


@pytest.fixture
def district(make_organisation):
    """A park with a member, one who left, one yet to come; a stranger elsewhere; authorities of district and city."""
    park = make_organisation("园区", kind="PARK")
    member, left, coming = (make_organisation(name) for name in ("成员", "离园", "将入园"))
    for organisation, joined_on, left_on in (
        (member, ON, None),
        (left, date(2020, 1, 1), date(2026, 6, 30)),
        (coming, date(2026, 7, 2), None),
    ):
        ParkMembership.objects.create(park=park, member=organisation, joined_on=joined_on, left_on=left_on)
    return [
        park, member, left, coming,
        make_organisation("外地企业", division_code="440103"),
        make_organisation("区主管部门", kind="AUTHORITY", division_code="500110"),
        make_organisation("市主管部门", kind="AUTHORITY", division_code="500000"),
    ]  # fmt: skip


@pytest.mark.parametrize("role", list(Role))
def test_the_rule_for_one_organisation_is_the_rule_for_lists(district, make_user, role):
    allowed = 0
    for home in district:
        user = make_user(role, home)
        for permission in Permission:
            listed = set(visible_organisations(user=user, permission=permission, on=ON))
            for organisation in district:
                answer = may(user=user, permission=permission, organisation=organisation, on=ON)
                assert answer == (organisation in listed), (role, home, permission, organisation)
                allowed += answer
    assert (allowed > 0) == (role not in {Role.EXPERT, Role.AGENCY_STAFF})


def test_who_is_no_longer_active_may_nothing(district, make_user):
    user = make_user("ENVIRONMENT_OFFICER", district[1])
    user.is_active = False

    assert not may(user=user, permission=Permission.POST_MOVEMENTS, organisation=district[1], on=ON)
