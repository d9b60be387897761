from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import DatabaseError, connection, transaction

from tests.conftest import valid_uscc
from wufei.registry import queries, services
from wufei.registry.access import Permission, Role
from wufei.registry.models import ApiToken, AuditEntry, Organisation, ParkMembership, RoleAssignment, User
from wufei.registry.queries import NotPermitted
from wufei.registry.rules import InvalidUscc

GOOD = valid_uscc("91500110MA5U99999")


def register(by, now, **said):
    facts = {"uscc": GOOD, "name": "新企业", "kind": "ENTERPRISE", "division_code": "500110"} | said
    return services.register_organisation(**facts, by=by, now=now)


def actions() -> list[str]:
    return list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))


# --- organisations


def test_an_organisation_is_registered_with_an_audit_row(operator, now):
    made = register(operator, now, site_area_m2=Decimal("1200.5"))

    entry = AuditEntry.objects.get()
    assert (entry.action, entry.organisation, entry.by, entry.at) == (
        "registry.register_organisation", made, operator, now
    )  # fmt: skip


@pytest.mark.parametrize(
    "code", [GOOD[:-1] + ("0" if GOOD[-1] != "0" else "1"), GOOD[:-1], "", "91500110MA5U9999O0", "1" * 18]
)
def test_a_wrong_check_digit_is_refused(operator, now, code):
    with pytest.raises(InvalidUscc):
        register(operator, now, uscc=code)
    assert not Organisation.objects.exists()


def test_spaces_and_small_letters_in_a_code_are_read(operator, now):
    assert register(operator, now, uscc=f" {GOOD[:4].lower()} {GOOD[4:].lower()}").uscc == GOOD


def test_a_code_is_registered_once(operator, now):
    register(operator, now)

    with pytest.raises(services.OrganisationExists):
        register(operator, now, name="又一个")
    assert actions() == ["registry.register_organisation"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "长" * 201),
        ("kind", "SHOP"),
        ("division_code", "5001"),
        ("division_code", "５００１１０"),
    ],
)
def test_an_impossible_fact_is_refused_by_its_field(operator, now, field, value):
    with pytest.raises(services.OrganisationRefused) as refused:
        register(operator, now, **{field: value})
    assert list(refused.value.errors) == [field]


def test_only_an_administrator_registers(people, now):
    for role, user in people.items():
        if role is not Role.ADMINISTRATOR:
            with pytest.raises(NotPermitted):
                register(user, now)
    assert register(people[Role.ADMINISTRATOR], now).uscc == GOOD


def test_a_change_says_in_the_audit_row_what_it_was_before(organisation, officer, now):
    assert services.change_organisation(
        organisation=organisation, by=officer, now=now, contact="王五", version=1
    )

    organisation.refresh_from_db()
    assert (organisation.contact, organisation.version) == ("王五", 2)
    assert AuditEntry.objects.get().detail == {"changed": {"contact": ["", "王五"]}}


def test_an_unchanged_organisation_is_not_written(organisation, officer, now):
    assert not services.change_organisation(
        organisation=organisation, by=officer, now=now, name=organisation.name
    )

    organisation.refresh_from_db()
    assert organisation.version == 1
    assert actions() == []


def test_a_stale_edit_is_refused_and_shows_what_stands(organisation, officer, now):
    services.change_organisation(organisation=organisation, by=officer, now=now, contact="甲", version=1)

    with pytest.raises(services.StaleEdit) as stale:
        services.change_organisation(organisation=organisation, by=officer, now=now, contact="乙", version=1)
    assert stale.value.current.contact == "甲"


@pytest.mark.parametrize(("field", "value"), [("division_code", "440106"), ("kind", "AUTHORITY")])
def test_an_organisation_does_not_choose_who_supervises_it(
    organisation, officer, administrator, now, field, value
):
    with pytest.raises(NotPermitted):
        services.change_organisation(organisation=organisation, by=officer, now=now, **{field: value})

    assert services.change_organisation(
        organisation=organisation, by=administrator, now=now, **{field: value}
    )


def test_a_write_that_is_rolled_back_leaves_no_audit_row(organisation, officer, now):
    with transaction.atomic():
        services.change_organisation(organisation=organisation, by=officer, now=now, contact="王五")
        transaction.set_rollback(True)
    organisation.refresh_from_db()
    assert organisation.contact == ""
    assert actions() == []


def test_a_write_whose_audit_row_fails_is_not_done(organisation, officer, now, monkeypatch):
    def fail(**_):
        raise RuntimeError

    monkeypatch.setattr(services, "audit", fail)
    with pytest.raises(RuntimeError):
        services.change_organisation(organisation=organisation, by=officer, now=now, contact="王五")
    organisation.refresh_from_db()
    assert organisation.contact == ""


@pytest.mark.parametrize(
    "statement", ["UPDATE registry_auditentry SET action = 'x'", "DELETE FROM registry_auditentry"]
)
def test_the_database_refuses_to_change_the_audit_log(organisation, operator, now, statement):
    services.audit(by=operator, now=now, action="test", organisation=organisation)

    with (
        pytest.raises(DatabaseError, match="append_only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
    assert actions() == ["test"]


# --- who may see whom


def test_all_permissions_together_are_the_same_rule_as_each_alone(
    people, organisation, park, authority, another
):
    day = date(2026, 7, 1)
    for user in people.values():
        for place in (organisation, park, authority, another):
            each = {p for p in Permission if queries.may(user=user, permission=p, organisation=place, on=day)}
            assert queries.permissions_for(user=user, organisation=place, on=day) == each, (user, place)


def test_an_inactive_person_may_nothing(people, organisation):
    user = people[Role.ENVIRONMENT_OFFICER]
    user.is_active = False

    assert queries.permissions_for(user=user, organisation=organisation, on=date(2026, 7, 1)) == frozenset()
    assert not queries.visible_organisations(user=user, on=date(2026, 7, 1)).exists()


def test_a_park_sees_a_member_only_while_it_is_one(people, organisation, park, now):
    user = people[Role.PARK_OFFICER]
    services.leave_park(park=park, member=organisation, left_on=date(2025, 6, 30), by=user, now=now)

    def sees(day: date) -> bool:
        return Permission.VIEW_LEDGER in queries.permissions_for(user=user, organisation=organisation, on=day)

    assert [sees(date(2023, 12, 31)), sees(date(2024, 1, 1)), sees(date(2025, 6, 30)), sees(date(2025, 7, 1))] == [
        False, True, True, False
    ]  # fmt: skip


# --- park membership


def test_a_park_officer_enters_members_of_the_parks_own_division_only(
    people, park, make_organisation, another, now
):
    user, neighbour = people[Role.PARK_OFFICER], make_organisation()

    services.join_park(park=park, member=neighbour, joined_on=date(2025, 1, 1), by=user, now=now)
    with pytest.raises(NotPermitted):
        services.join_park(park=park, member=another, joined_on=date(2025, 1, 1), by=user, now=now)
    services.join_park(
        park=park, member=another, joined_on=date(2025, 1, 1), by=people[Role.ADMINISTRATOR], now=now
    )

    assert ParkMembership.objects.filter(park=park).count() == 3
    assert actions() == ["registry.join_park"] * 4  # for the park and for each member


def test_a_membership_is_refused_where_it_can_not_be(
    people, organisation, park, authority, make_organisation, now
):
    by = people[Role.ADMINISTRATOR]

    def code(change, **said) -> str:
        with pytest.raises(services.MembershipRefused) as refused:
            change(by=by, now=now, **said)
        return refused.value.code

    day = date(2025, 1, 1)
    assert code(services.join_park, park=organisation, member=park, joined_on=day) == "not_a_park"
    assert code(services.join_park, park=park, member=authority, joined_on=day) == "never_a_member"
    assert code(services.join_park, park=park, member=organisation, joined_on=day) == "already_member"
    assert code(services.leave_park, park=park, member=make_organisation(), left_on=day) == "not_a_member"
    assert (
        code(services.leave_park, park=park, member=organisation, left_on=date(2023, 1, 1))
        == "left_before_joined"
    )


def test_an_enterprise_does_not_enter_itself_into_a_park(officer, organisation, park, now):
    with pytest.raises(NotPermitted):
        services.join_park(park=park, member=organisation, joined_on=date(2025, 1, 1), by=officer, now=now)


# --- people


def test_a_password_has_to_keep_the_rules(administrator, now):
    for password in ("short1", "1234567890123", "password123", "newcomer-newcomer"[:8]):
        with pytest.raises(services.PasswordRefused):
            services.create_user(
                username="newcomer", password=password, full_name="新人", by=administrator, now=now
            )
    assert not User.objects.filter(username="newcomer").exists()


def test_a_username_is_taken_once(administrator, now):
    said = {
        "username": "newcomer",
        "password": "yu-nan-2026-x",
        "full_name": "新人",
        "by": administrator,
        "now": now,
    }
    services.create_user(**said)
    with pytest.raises(services.AccountRefused) as refused:
        services.create_user(**said)
    assert refused.value.code == "username_taken"


def test_a_role_fits_the_organisation_in_which_it_is_held(administrator, officer, organisation, now):
    """An authority's role in an enterprise would open the whole district."""
    for role in (Role.AUTHORITY_OFFICER, Role.PARK_OFFICER, Role.AGENCY_STAFF):
        with pytest.raises(services.AccountRefused) as refused:
            services.assign_role(
                user=officer, organisation=organisation, role=role, by=administrator, now=now
            )
        assert refused.value.code == "role_unfit"


def test_there_is_always_an_administrator(administrator, authority, make_user, now):
    second = make_user("ADMINISTRATOR", authority)
    services.set_active(user=administrator, is_active=False, by=second, now=now)

    with pytest.raises(services.AccountRefused) as refused:
        services.remove_role(user=second, organisation=authority, role=Role.ADMINISTRATOR, by=second, now=now)
    assert refused.value.code == "last_administrator"
    assert RoleAssignment.objects.filter(user=second).exists()
    with pytest.raises(services.AccountRefused, match="own_account"):
        services.set_active(user=second, is_active=False, by=second, now=now)


def test_nobody_but_an_administrator_manages_people(people, organisation, now):
    target = people[Role.WORKER]
    for role, by in people.items():
        if role is Role.ADMINISTRATOR:
            continue
        with pytest.raises(NotPermitted):
            services.assign_role(
                user=target, organisation=organisation, role=Role.ADMINISTRATOR, by=by, now=now
            )
        with pytest.raises(NotPermitted):
            services.create_user(username="x", password="yu-nan-2026-x", full_name="", by=by, now=now)
    assert actions() == []


# --- tokens


def issue(user, now, **said):
    defaults = {"name": "地磅", "scopes": ["ledger:write"], "expires_at": now + timedelta(days=30)}
    return services.issue_token(user=user, **(defaults | said), by=user, now=now)


def test_of_a_token_only_the_digest_is_kept(officer, now):
    token, secret = issue(officer, now)

    assert secret not in str(list(ApiToken.objects.values()))
    assert secret not in str(list(AuditEntry.objects.values()))
    found = queries.token_with(secret=secret, now=now)
    assert found == token
    assert found.scopes == ["ledger:write"]


def test_a_token_ends_by_time_by_revocation_and_with_its_person(officer, now):
    token, secret = issue(officer, now)
    assert queries.token_with(secret=secret, now=now + timedelta(days=30)) is None

    User.objects.filter(pk=officer.pk).update(is_active=False)
    assert queries.token_with(secret=secret, now=now) is None
    User.objects.filter(pk=officer.pk).update(is_active=True)

    services.revoke_token(token=token, by=officer, now=now)
    assert queries.token_with(secret=secret, now=now) is None
    with pytest.raises(services.TokenRefused, match="already_revoked"):
        services.revoke_token(token=token, by=officer, now=now)


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"scopes": []}, "scopes_missing"),
        ({"scopes": ["ledger:write", "everything"]}, "scope_unknown"),
        ({"expires_at": None, "scopes": ["no:such"]}, "scope_unknown"),
    ],
)
def test_a_token_that_can_not_be_is_refused(officer, now, said, code):
    with pytest.raises(services.TokenRefused) as refused:
        issue(officer, now, **said)
    assert refused.value.code == code


def test_nobody_acts_under_anothers_name(administrator, officer, now):
    with pytest.raises(NotPermitted):
        services.issue_token(
            user=officer, name="x", scopes=["ledger:read"], expires_at=None, by=administrator, now=now
        )
