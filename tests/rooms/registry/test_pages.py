import io
import re
from datetime import date
from zipfile import ZipFile

import openpyxl
import pytest
from django.urls import get_resolver, reverse

from tests.conftest import valid_uscc
from wufei.registry import services
from wufei.registry.access import Role
from wufei.registry.models import AuditEntry, Organisation, ParkMembership, RoleAssignment, User

E, W, P, A, X, G, S = (
    Role.ENVIRONMENT_OFFICER, Role.WORKER, Role.PARK_OFFICER, Role.AUTHORITY_OFFICER, Role.EXPERT,
    Role.AGENCY_STAFF, Role.ADMINISTRATOR,
)  # fmt: skip
ROLES = (E, W, P, A, X, G, S)
EVERYBODY = frozenset(ROLES)
NOBODY: frozenset[Role] = frozenset()

# Route: who gets the page (200, or 302 after a POST), and who may know that it is there (403); others get 404.
# Of one's own account and of the platform:
PLATFORM = {
    "account": ("GET", EVERYBODY),
    "change-password": ("GET", EVERYBODY),
    "change-email": ("GET", EVERYBODY),
    "confirm-email": ("GET", EVERYBODY),
    "enrol-second-factor": ("GET", EVERYBODY),
    "remove-second-factor": ("GET", EVERYBODY),
    "renew-recovery-codes": ("POST", EVERYBODY),
    "issue-token": ("GET", EVERYBODY),
    "permissions": ("GET", EVERYBODY),
    "organisations": ("GET", EVERYBODY),
    "register": ("GET", {S}),
    "users": ("GET", {S}),
    "create-user": ("GET", {S}),
    "user": ("GET", {S}),
    "assign-role": ("POST", {S}),
    "remove-role": ("POST", {S}),
    "set-active": ("POST", {S}),
    "set-password": ("POST", {S}),
    "set-email": ("POST", {S}),
    "remove-users-second-factor": ("POST", {S}),
}
# Of an organisation: (route, whose) -> method, who may, who is refused but may see the organisation.
MEMBER, PARK, OTHER, AUTHORITY = "the member", "the park", "another district's", "the authority"
ORGANISATION = {
    ("organisation", MEMBER): ("GET", {E, W, P, A, S}, NOBODY),
    ("organisation", PARK): ("GET", {P, A, S}, NOBODY),
    ("organisation", OTHER): ("GET", {S}, NOBODY),
    ("organisation", AUTHORITY): ("GET", {A, S}, NOBODY),
    ("edit-organisation", MEMBER): ("GET", {E, S}, {W, P, A}),
    ("edit-organisation", PARK): ("GET", {P, S}, {A}),
    ("edit-organisation", OTHER): ("GET", {S}, NOBODY),
    ("edit-organisation", AUTHORITY): ("GET", {S}, {A}),
    ("history", MEMBER): ("GET", {E, W, P, A, S}, NOBODY),
    ("history", OTHER): ("GET", {S}, NOBODY),
    ("rename", MEMBER): ("GET", {A, S}, {E, W, P}),
    ("rename", OTHER): ("GET", {S}, NOBODY),
    ("succeed", MEMBER): ("GET", {A, S}, {E, W, P}),
    ("close", MEMBER): ("GET", {A, S}, {E, W, P}),
    ("audit-log", MEMBER): ("GET", {E, S}, {W, P, A}),
    ("audit-log", PARK): ("GET", {P, S}, {A}),
    ("audit-log", OTHER): ("GET", {S}, NOBODY),
    ("audit-log", AUTHORITY): ("GET", {S}, {A}),
    ("members", PARK): ("GET", {P, A, S}, NOBODY),
    ("members", MEMBER): ("GET", NOBODY, NOBODY),  # it is no park
    ("join", PARK): ("GET", {P, S}, {A}),
    ("leave", PARK): ("GET", {P, S}, {A}),
}
OPEN = {"sign-in", "sign-out", "second-factor", "revoke-token"} | {  # test_signing_in.py; tokens below
    "permits", "record-permit", "verify-permit", "revoke-permit", "end-paper",  # tests/rooms/transfers/test_pages.py
}  # fmt: skip


@pytest.fixture
def places(organisation, park, another, authority):
    return {MEMBER: organisation, PARK: park, OTHER: another, AUTHORITY: authority}


def routes() -> set[str]:
    [registry] = [r for r in get_resolver().url_patterns if getattr(r, "app_name", "") == "registry"]
    return {pattern.name for pattern in registry.url_patterns}


def test_every_route_has_a_row():
    assert routes() == set(PLATFORM) | {route for route, _ in ORGANISATION} | OPEN


@pytest.mark.parametrize(("route", "whose"), ORGANISATION)
def test_who_gets_a_page_of_an_organisation(client_of, people, places, organisation, route, whose):
    _method, may, refused = ORGANISATION[route, whose]
    arguments = [places[whose].uscc] + ([organisation.uscc] if route == "leave" else [])
    address = reverse(f"registry:{route}", args=arguments)

    got = {role: client_of(user).get(address).status_code for role, user in people.items()}

    assert got == {role: 200 if role in may else 403 if role in refused else 404 for role in ROLES}


@pytest.mark.parametrize("route", PLATFORM)
def test_who_gets_a_page_of_the_platform(client_of, people, make_user, authority, organisation, route):
    method, may = PLATFORM[route]
    target = make_user("WORKER", organisation, username="target")
    held = RoleAssignment.objects.get(user=target)
    arguments = {"remove-role": [target.pk, held.pk]}.get(
        route, [target.pk] if route in ("user", "assign-role", "set-active", "set-password", "set-email", "remove-users-second-factor") else []
    )  # fmt: skip
    address = reverse(f"registry:{route}", args=arguments)
    for role in sorted(ROLES, key=lambda r: r in may):  # those who may come last: they change something
        client = client_of(people[role])
        response = client.get(address) if method == "GET" else client.post(address, {"is_active": "0"})
        assert (response.status_code in (200, 302)) == (role in may), role
        if role not in may:
            assert response.status_code == 403, role
            assert RoleAssignment.objects.filter(pk=held.pk).exists()
            target.refresh_from_db()
            assert target.is_active


def test_without_signing_in_no_page_is_shown(client, people, places):
    for (route, whose), _ in ORGANISATION.items():
        suffix = {"organisation": "profile/", "edit-organisation": "profile/edit/"}.get(route, "audit/")
        response = client.get(f"/o/{places[whose].uscc}/{suffix}")
        assert response.url.startswith("/sign-in/?next="), route
    for address in ("/", "/organisations/", "/users/", "/account/", "/permissions/"):
        assert client.get(address).url.startswith("/sign-in/?next=")


def test_a_refusal_says_which_permission_is_needed(client_of, people, organisation):
    page = client_of(people[W]).get(f"/o/{organisation.uscc}/profile/edit/").content.decode()
    assert "需要“修改单位信息”权限" in page


def without_token(response) -> str:
    return re.sub(r"[A-Za-z0-9]{64}", "", response.content.decode())


def test_another_organisation_is_not_told_from_none(client_of, officer, another):
    client = client_of(officer)
    there = client.get(f"/o/{another.uscc}/profile/")
    nowhere = client.get(f"/o/{valid_uscc('91500110MA5U77777')}/profile/")

    assert there.status_code == nowhere.status_code == 404
    assert without_token(there) == without_token(nowhere)


def test_nobody_revokes_anothers_token(client_of, people, officer, now):
    token, _ = services.issue_token(
        user=officer, name="x", scopes=["ledger:read"], expires_at=None, by=officer, now=now
    )
    assert client_of(people[S]).post(f"/account/tokens/{token.pk}/revoke/").status_code == 404
    assert client_of(officer).post(f"/account/tokens/{token.pk}/revoke/").url == "/account/"
    token.refresh_from_db()
    assert token.revoked_at is not None


# --- where one lands


def test_everybody_lands_where_their_work_begins(client_of, people, organisation, park, authority):
    landed = {role: client_of(user).get("/").url for role, user in people.items()}

    assert landed[E] == landed[W] == f"/o/{organisation.uscc}/"
    assert landed[P] == f"/o/{park.uscc}/"
    assert landed[A] == f"/o/{authority.uscc}/"
    assert landed[X] == landed[G] == "/account/"  # they see what a review assigns to them
    assert landed[S] == "/users/"


def test_a_person_without_a_role_is_told_so(client_of, make_user):
    client = client_of(make_user())
    assert client.get("/").url == "/account/"
    assert "您还没有任何角色" in client.get("/account/").content.decode()


# --- organisations


def facts(organisation: Organisation, **said) -> dict[str, str]:
    return {"name": organisation.name, "version": str(organisation.version)} | said


def test_an_officer_changes_the_facts(client_of, officer, organisation):
    address = f"/o/{organisation.uscc}/profile/"
    response = client_of(officer).post(
        f"{address}edit/", facts(organisation, contact="王五", industry_code="441")
    )

    assert response.url == address
    organisation.refresh_from_db()
    assert (organisation.contact, organisation.industry_code, organisation.version) == ("王五", "441", 2)
    assert AuditEntry.objects.get().by == officer


def test_a_stale_edit_is_shown_what_changed_and_may_be_sent_again(client_of, officer, organisation, now):
    services.change_organisation(organisation=organisation, by=officer, now=now, contact="别人改的")
    client, address = client_of(officer), f"/o/{organisation.uscc}/profile/edit/"

    response = client.post(address, facts(organisation, contact="我填的"))
    assert response.status_code == 409
    assert response.context["differences"] == [("联系人", "别人改的", "我填的")]
    organisation.refresh_from_db()
    assert organisation.contact == "别人改的"

    assert client.post(address, facts(organisation, contact="我填的", version="2")).status_code == 302
    organisation.refresh_from_db()
    assert organisation.contact == "我填的"


def test_an_officer_can_not_slip_in_a_field_of_the_administrator(client_of, officer, organisation):
    said = facts(organisation, division_code="440106", kind="AUTHORITY", uscc=valid_uscc("91500110MA5U66666"))
    client_of(officer).post(f"/o/{organisation.uscc}/profile/edit/", said)

    now_stands = Organisation.objects.get(pk=organisation.pk)
    assert (now_stands.division_code, now_stands.kind, now_stands.uscc) == (
        "500110",
        "ENTERPRISE",
        organisation.uscc,
    )


def test_a_wrong_code_is_refused_in_words(client_of, administrator, organisation):
    client = client_of(administrator)
    said = {"uscc": organisation.uscc, "name": "又一个", "kind": "ENTERPRISE", "division_code": "500110"}

    taken = client.post("/organisations/new/", said)
    assert taken.context["form"].errors == {
        "uscc": ["这个统一社会信用代码已经登记过了，请在单位名录中查找。"]
    }
    wrong = client.post("/organisations/new/", said | {"uscc": "91500110MA5U000000"})
    assert "校验码" in str(wrong.context["form"].errors["uscc"])
    bad = client.post(
        "/organisations/new/", said | {"uscc": valid_uscc("91500110MA5U55555"), "division_code": "990000"}
    )
    assert list(bad.context["form"].errors) == ["division_code"]
    good = client.post("/organisations/new/", said | {"uscc": valid_uscc("91500110MA5U55555").lower()})
    assert good.url == f"/o/{valid_uscc('91500110MA5U55555')}/profile/"


def names(response) -> list[str]:
    return [row.name for row in response.context["listing"].page]


def test_the_list_is_searched_filtered_and_sorted(client_of, administrator, authority, make_organisation):
    steel, cement = make_organisation("甲钢铁"), make_organisation("乙水泥", division_code="440106")
    client = client_of(administrator)

    assert names(client.get("/organisations/?q=钢")) == [steel.name]
    assert names(client.get(f"/organisations/?q={cement.uscc[5:]}")) == [cement.name]
    assert names(client.get("/organisations/?kind=AUTHORITY")) == [authority.name]
    assert names(client.get("/organisations/?division=440000")) == [cement.name]
    ascending = names(client.get("/organisations/?sort=uscc"))
    assert names(client.get("/organisations/?sort=-uscc")) == ascending[::-1]
    assert names(client.get("/organisations/?sort=password")) == names(client.get("/organisations/"))
    empty = client.get("/organisations/?q=无此单位").content.decode()
    assert "没有符合条件的记录" in empty


def test_a_long_list_is_shown_in_pages_that_keep_the_filter(client_of, administrator, make_organisation):
    for i in range(60):
        make_organisation(f"机械{i:02}")
    client = client_of(administrator)

    second = client.get("/organisations/?q=机械&page=2")
    assert names(second) == [f"机械{i:02}" for i in range(50, 60)]
    assert 'href="?q=%E6%9C%BA%E6%A2%B0&amp;page=1"' in second.content.decode()
    assert names(client.get("/organisations/?q=机械&page=99")) == names(second)


def test_an_export_holds_all_rows_and_no_live_formula(client_of, administrator, make_organisation):
    hostile = ["=1+1", "+cmd|' /C calc'!A0", "@SUM(A1)", "-2+3", '=HYPERLINK("http://x")', "http://x.example"]
    for i, name in enumerate(hostile):
        make_organisation(name, address=name, contact=f"\t={i}")
    for i in range(60):
        make_organisation(f"机械{i:02}")

    response = client_of(administrator).get("/organisations/?export=xlsx&q=")
    assert "UTF-8''%E5%8D%95%E4%BD%8D" in response["Content-Disposition"]
    sheet = openpyxl.load_workbook(io.BytesIO(response.content)).active
    assert sheet.max_row == 1 + Organisation.objects.count()
    assert {
        cell.data_type for row in sheet.iter_rows(min_row=2) for cell in row if cell.value is not None
    } == {"s"}
    assert set(hostile) <= {row[1].value for row in sheet.iter_rows(min_row=2)}
    xml = ZipFile(io.BytesIO(response.content)).read("xl/worksheets/sheet1.xml")
    assert b"<f>" not in xml
    assert b"hyperlink" not in xml


def test_an_export_holds_what_the_reader_may_see(client_of, officer, organisation, another):
    response = client_of(officer).get("/organisations/?export=xlsx")
    sheet = openpyxl.load_workbook(io.BytesIO(response.content)).active
    assert [row[0].value for row in sheet.iter_rows(min_row=2)] == [organisation.uscc]


@pytest.mark.parametrize(
    "address", ["/organisations/", "/users/", "/o/{park}/members/?state=all", "/o/{park}/audit/"]
)
def test_a_list_asks_the_store_equally_often_for_one_row_and_for_a_hundred(
    client_of, administrator, park, organisation, make_organisation, make_user, now, address,
    django_assert_max_num_queries,
):  # fmt: skip
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client = client_of(administrator)

    def fill(count: int) -> None:
        for _ in range(count):
            member = make_organisation()
            ParkMembership.objects.create(park=park, member=member, joined_on=date(2025, 1, 1))
            services.audit(by=make_user("WORKER", member), now=now, action="ledger.post", organisation=park)

    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as asked:
            assert client.get(address.format(park=park.uscc)).status_code == 200
        return len(asked)

    fill(1)
    queries()  # the first request also stores the session
    for_one = queries()
    fill(100)
    assert queries() == for_one
    assert for_one < 20


# --- park members


def test_a_park_officer_enters_and_ends_a_membership(client_of, people, park, make_organisation):
    newcomer, client = make_organisation("新成员"), client_of(people[P])

    client.post(f"/o/{park.uscc}/members/join/", {"uscc": newcomer.uscc, "joined_on": "2026-01-01"})
    membership = ParkMembership.objects.get(member=newcomer)
    assert membership.joined_on == date(2026, 1, 1)
    client.post(f"/o/{park.uscc}/members/{newcomer.uscc}/leave/", {"left_on": "2026-06-30"})
    membership.refresh_from_db()
    assert membership.left_on == date(2026, 6, 30)
    assert client.get(f"/o/{newcomer.uscc}/profile/").status_code == 404  # no longer to be seen


def test_a_park_officer_does_not_learn_who_is_registered_elsewhere(client_of, people, park, another):
    client, address = client_of(people[P]), f"/o/{park.uscc}/members/join/"

    there = client.post(address, {"uscc": another.uscc, "joined_on": "2026-01-01"})
    nowhere = client.post(address, {"uscc": valid_uscc("91500110MA5U77777"), "joined_on": "2026-01-01"})
    assert there.context["form"].errors == nowhere.context["form"].errors
    assert not ParkMembership.objects.filter(member=another).exists()


# --- people


def test_an_administrator_makes_an_account_and_gives_it_a_role(client_of, administrator, organisation):
    client = client_of(administrator)
    said = {"username": "newcomer", "full_name": "新人", "password": "yu-nan-2026-x", "phone": ""}

    made = client.post("/users/new/", said)
    newcomer = User.objects.get(username="newcomer")
    assert made.url == f"/users/{newcomer.pk}/"
    wrong = client.post(f"{made.url}roles/", {"uscc": organisation.uscc, "role": "AUTHORITY_OFFICER"})
    assert "不适用" in str(wrong.context["role_form"].errors)
    client.post(f"{made.url}roles/", {"uscc": organisation.uscc, "role": "WORKER"})
    assert [r.role for r in newcomer.role_assignments.all()] == ["WORKER"]
    weak = client.post("/users/new/", said | {"username": "another", "password": "1234567890"})
    assert "password" in weak.context["form"].errors


def test_the_operator_of_the_command_line_is_no_account_to_manage(client_of, administrator, operator):
    client = client_of(administrator)
    assert operator.username not in [row.username for row in client.get("/users/").context["listing"].page]
    assert client.post(f"/users/{operator.pk}/password/", {"password": "yu-nan-2026-x"}).status_code == 404


def test_a_tokens_secret_is_shown_once(client_of, officer):
    client = client_of(officer)
    made = client.post("/account/tokens/new/", {"name": "地磅", "scopes": ["ledger:write"], "days": "90"})
    secret = made.context["secret"]

    assert secret in made.content.decode()
    assert secret not in client.get("/account/").content.decode()
    assert (
        "请至少勾选一项" in client.post("/account/tokens/new/", {"name": "x", "days": "90"}).content.decode()
    )


# --- the audit log


def test_the_audit_log_shows_what_was_done_here_only(
    client_of, officer, organisation, make_organisation, operator, now
):
    services.change_organisation(organisation=organisation, by=officer, now=now, contact="<b>王五</b>")
    services.change_organisation(organisation=make_organisation(), by=operator, now=now, contact="别家")

    page = client_of(officer).get(f"/o/{organisation.uscc}/audit/")
    assert [lines for *_, lines in page.context["lines"]] == [["联系人：（空） → <b>王五</b>"]]
    text = page.content.decode()
    assert "&lt;b&gt;王五" in text
    assert "别家" not in text


def test_the_audit_log_is_filtered_by_day_in_local_time(client_of, officer, organisation):
    from datetime import UTC, datetime

    late = datetime(2026, 6, 30, 17, 0, tzinfo=UTC)  # 2026-07-01 01:00 in China
    services.change_organisation(organisation=organisation, by=officer, now=late, contact="王五")
    client, address = client_of(officer), f"/o/{organisation.uscc}/audit/"

    def count(query: str) -> int:
        return len(client.get(f"{address}?{query}").context["lines"])

    assert [count("since=2026-07-01"), count("through=2026-06-30"), count("action=registry.change_organisation")] == [
        1, 0, 1
    ]  # fmt: skip


def test_every_action_has_a_chinese_name():
    """Of those that are recorded with an organisation, and so are shown in its log."""
    from pathlib import Path

    import wufei
    from wufei.registry.forms import ACTION_LABELS

    root = Path(wufei.__file__).parent
    rooms = "registry|ledger|capture|labels|storage|filings|transfers|collection|shopfloor|tracking"
    sources = [p.read_text() for p in root.glob("*/services*.py")] + [
        p.read_text() for p in root.glob("*/services/*.py")
    ]
    written = {a for text in sources for a in re.findall(rf'action="((?:{rooms})\.[a-z_]+)"', text)}
    unseen = {"ledger.seal_day", "ledger.attach_timestamp"} | {
        f"registry.{a}"
        for a in (
            "create_user", "change_password", "set_email", "set_active", "issue_token", "revoke_token", "sign_in", "sign_out",
            "begin_second_factor", "confirm_second_factor", "remove_second_factor", "verify_second_factor",
            "refuse_second_factor", "renew_recovery_codes",
        )
    }  # fmt: skip
    assert written - unseen <= set(ACTION_LABELS)
