import re
from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone
from django_otp.oath import totp
from django_otp.plugins.otp_static.models import StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from wufei.registry.models import AuditEntry, User
from wufei.registry.services import signing_in

PASSWORD = "a-long-pass-phrase-1"


def try_to_sign_in(client, username="officer", password=PASSWORD, **more):
    return client.post("/sign-in/", {"username": username, "password": password} | more)


@pytest.fixture
def officer(make_user, organisation):
    return make_user("ENVIRONMENT_OFFICER", organisation, username="officer")


def actions() -> list[str]:
    return list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))


def code_of(device: TOTPDevice, steps: int = 0) -> str:
    device.refresh_from_db()
    return f"{totp(device.bin_key, device.step, device.t0, device.digits, device.drift + steps):06d}"


@pytest.fixture
def device(officer, now):
    """A second factor in force, whose next codes are unused."""
    found = signing_in.begin_second_factor(user=officer, by=officer, now=now)
    signing_in.confirm_second_factor(user=officer, code=code_of(found), by=officer, now=now)
    TOTPDevice.objects.update(last_t=-1)
    return found


def test_an_officer_signs_in_and_out_and_both_are_recorded(client, officer, organisation):
    response = try_to_sign_in(client)
    assert response.url == "/"
    assert client.get(f"/o/{organisation.uscc}/profile/").status_code == 200

    client.post("/sign-out/")
    assert client.get(f"/o/{organisation.uscc}/profile/").status_code == 302
    assert actions() == ["registry.sign_in", "registry.sign_out"]


def test_a_wrong_password_is_recorded_without_what_was_typed(client, officer):
    response = try_to_sign_in(client, password="wrong-word-99")
    assert "用户名或密码不对" in response.content.decode()
    try_to_sign_in(client, username="my-secret-password", password="x")

    assert actions() == ["registry.refuse_sign_in"] * 2
    written = str(list(AuditEntry.objects.values()))
    assert "wrong-word-99" not in written
    assert "my-secret-password" not in written


def test_the_account_is_locked_after_five_wrong_passwords(client, officer, settings):
    answers = [try_to_sign_in(client, password="wrong").status_code for _ in range(5)]
    assert answers == [200, 200, 200, 200, 429]

    right = try_to_sign_in(client)  # even the right password waits
    assert right.status_code == 429
    page = right.content.decode()
    until = re.search(r"<strong>(\d\d:\d\d:\d\d)</strong>", page)
    assert until
    expected = timezone.localtime() + settings.AXES_COOLOFF_TIME
    assert abs((expected - timedelta(seconds=int(right["Retry-After"]))) - timezone.localtime()) < timedelta(
        seconds=5
    )
    assert actions() == ["registry.refuse_sign_in"] * 4 + ["registry.lock_out"]


def test_a_lock_out_holds_for_one_account_only(client, officer, make_user, organisation):
    make_user("WORKER", organisation, username="worker")
    for _ in range(6):
        try_to_sign_in(client, password="wrong")

    assert try_to_sign_in(client, username="worker").status_code == 302


def test_an_inactive_person_does_not_get_in_and_is_out_at_once(client, officer, organisation):
    try_to_sign_in(client)
    User.objects.filter(pk=officer.pk).update(is_active=False)

    assert client.get(f"/o/{organisation.uscc}/profile/").status_code == 302
    assert "用户名或密码不对" in try_to_sign_in(client).content.decode()


def test_a_session_ends_with_its_time(client, officer, organisation):
    try_to_sign_in(client)
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))

    response = client.get(f"/o/{organisation.uscc}/profile/")
    assert response.url.startswith("/sign-in/")


def test_one_lands_where_one_wanted_to_go_but_never_elsewhere(client, officer, organisation):
    wanted = f"/o/{organisation.uscc}/audit/"
    assert try_to_sign_in(client, next=wanted).url == wanted
    client.post("/sign-out/")
    assert try_to_sign_in(client, next="https://evil.example/").url == "/"


def test_the_operator_behind_the_command_line_can_not_sign_in(client, operator):
    response = try_to_sign_in(client, username=operator.username, password="")
    assert response.status_code == 200
    assert "_auth_user_id" not in client.session


def test_a_new_password_keeps_this_session_and_ends_the_others(client, officer, organisation):
    from django.test import Client

    other = Client()
    try_to_sign_in(client)
    try_to_sign_in(other)
    said = {
        "old_password": PASSWORD,
        "new_password1": "quite-another-77",
        "new_password2": "quite-another-77",
    }

    assert client.post("/account/password/", said).url == "/account/"
    assert client.get("/account/").status_code == 200
    assert other.get("/account/").status_code == 302
    assert actions()[-1] == "registry.change_password"


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"old_password": "wrong"}, "原密码不对"),
        ({"new_password2": "different-88"}, "不一样"),
        ({"new_password1": "1234567890", "new_password2": "1234567890"}, "数字"),
        ({"new_password1": "short-1", "new_password2": "short-1"}, "10"),
        ({"new_password1": "officer123", "new_password2": "officer123"}, "相似"),
    ],
)
def test_a_password_that_breaks_a_rule_is_refused_with_the_rule(client_of, officer, said, words):
    good = {
        "old_password": PASSWORD,
        "new_password1": "quite-another-77",
        "new_password2": "quite-another-77",
    }
    response = client_of(officer).post("/account/password/", good | said)

    errors = response.context["form"].errors
    assert words in str(errors)
    officer.refresh_from_db()
    assert officer.check_password(PASSWORD)


# --- the second factor


def test_the_second_factor_is_in_force_after_its_first_code(client_of, officer):
    client = client_of(officer)
    page = client.get("/account/second-factor/")
    assert page.context["qr"].startswith("data:image/svg+xml")
    found = TOTPDevice.objects.get(user=officer)
    assert not found.confirmed

    wrong = client.post("/account/second-factor/", {"code": "000000"})
    assert "code" in wrong.context["form"].errors
    TOTPDevice.objects.update(throttling_failure_count=0, throttling_failure_timestamp=None)
    right = client.post("/account/second-factor/", {"code": code_of(found)})

    assert len(right.context["codes"]) == 10
    assert client.get("/account/").status_code == 200  # this session has shown it
    assert actions() == ["registry.begin_second_factor", "registry.confirm_second_factor"]


@pytest.mark.parametrize(
    "address",
    ["/", "/account/", "/account/second-factor/", "/organisations/", "/o/{uscc}/profile/", "/permissions/"],
)
def test_a_session_without_the_second_factor_sees_nothing(client, officer, organisation, device, address):
    try_to_sign_in(client)

    response = client.get(address.format(uscc=organisation.uscc))
    assert response.url.startswith("/sign-in/code/?next=")
    assert client.post("/account/second-factor/remove/", {"password": PASSWORD}).url == "/sign-in/code/"
    assert TOTPDevice.objects.filter(user=officer, confirmed=True).exists()


def test_a_session_from_before_the_second_factor_has_to_show_it(client_of, officer, now):
    client = client_of(officer)
    assert client.get("/account/").status_code == 200
    found = signing_in.begin_second_factor(user=officer, by=officer, now=now)
    signing_in.confirm_second_factor(user=officer, code=code_of(found), by=officer, now=now)

    assert client.get("/account/").url.startswith("/sign-in/code/")


def test_the_code_opens_the_session_once(client, officer, organisation, device):
    from django.test import Client

    try_to_sign_in(client)
    code = code_of(device)
    wanted = f"/o/{organisation.uscc}/audit/"
    assert client.post("/sign-in/code/", {"code": code, "next": wanted}).url == wanted
    assert client.get(wanted).status_code == 200
    assert actions()[-2:] == ["registry.sign_in", "registry.verify_second_factor"]

    second = Client()
    try_to_sign_in(second)
    assert "不对或已用过" in second.post("/sign-in/code/", {"code": code}).content.decode()


def test_a_wrong_code_opens_nothing_and_makes_the_next_one_wait(client, officer, device):
    try_to_sign_in(client)
    for _ in range(3):
        response = client.post("/sign-in/code/", {"code": "000000"})

    assert response.context["retry_at"] > timezone.now()
    assert "以前输入的验证码不会被读取" in response.content.decode()
    refused = client.post("/sign-in/code/", {"code": code_of(device)})  # right, but too early
    assert refused.status_code == 200
    assert client.get("/account/").status_code == 302
    assert actions()[-1] == "registry.refuse_second_factor"


def test_a_recovery_code_replaces_the_phone_once(client, officer, device):
    from django.test import Client

    code = StaticToken.objects.first().token
    try_to_sign_in(client)
    assert client.post("/sign-in/code/", {"code": code.upper()}).status_code == 302
    assert client.get("/account/").context["recovery_codes_left"] == 9

    second = Client()
    try_to_sign_in(second)
    assert second.post("/sign-in/code/", {"code": code}).status_code == 200


def test_the_second_factor_is_given_up_with_the_password_only(client, officer, device):
    try_to_sign_in(client)
    client.post("/sign-in/code/", {"code": code_of(device)})

    assert "密码不对" in client.post("/account/second-factor/remove/", {"password": "x"}).content.decode()
    assert client.post("/account/second-factor/remove/", {"password": PASSWORD}).url == "/account/"
    assert not TOTPDevice.objects.exists()
    assert not StaticToken.objects.exists()


def test_fresh_recovery_codes_end_the_old_ones(client, officer, device):
    try_to_sign_in(client)
    client.post("/sign-in/code/", {"code": code_of(device)})
    old = set(StaticToken.objects.values_list("token", flat=True))

    codes = client.post("/account/recovery-codes/").context["codes"]
    assert set(StaticToken.objects.values_list("token", flat=True)) == set(codes)
    assert not old & set(codes)


def test_an_administrator_ends_the_second_factor_of_a_lost_phone(client_of, administrator, officer, device):
    client_of(administrator).post(f"/users/{officer.pk}/second-factor/remove/")

    assert not TOTPDevice.objects.exists()
    assert AuditEntry.objects.latest("pk").by == administrator
