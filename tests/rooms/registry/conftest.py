import pytest

from tests.conftest import valid_uscc
from wufei.registry.access import Role
from wufei.registry.models import ParkMembership, RoleAssignment


@pytest.fixture(autouse=True)
def quick_passwords(settings):
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # WhiteNoise warns where it is missing
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def client_of(client):
    """Sign a person in past the form: `client_of(user)`."""

    def sign_in(user):
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        return client

    return sign_in


@pytest.fixture
def park(make_organisation):
    return make_organisation("测试园区", kind="PARK")


@pytest.fixture
def authority(make_organisation):
    return make_organisation("测试区经信委", kind="AUTHORITY")


@pytest.fixture
def administrator(make_user, authority):
    return make_user("ADMINISTRATOR", authority, username="administrator")


@pytest.fixture
def people(make_user, make_organisation, organisation, park, authority, administrator):
    """One person for each role, by role; the officer's own enterprise is a member of the park."""
    from datetime import date

    ParkMembership.objects.create(park=park, member=organisation, joined_on=date(2024, 1, 1))
    agency = make_organisation("测试第三方", kind="AGENCY")
    home = {
        Role.ENVIRONMENT_OFFICER: organisation,
        Role.WORKER: organisation,
        Role.PARK_OFFICER: park,
        Role.AUTHORITY_OFFICER: authority,
        Role.EXPERT: agency,
        Role.AGENCY_STAFF: agency,
    }
    found = {role: make_user(role.value, where) for role, where in home.items()}
    assert RoleAssignment.objects.count() == 7
    return found | {Role.ADMINISTRATOR: administrator}


@pytest.fixture
def another(make_organisation):
    """An enterprise of another district, in no park."""
    return make_organisation("外区企业", uscc=valid_uscc("91440101MA5U90001"), division_code="440106")
