import re
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from django.template import Context, Template

import wufei.web
from wufei.registry.access import Permission
from wufei.registry.forms import PERMISSION_LABELS, RELATION_LABELS, ROLE_LABELS, SCOPE_LABELS
from wufei.terms.truth import Truth
from wufei.web.templatetags.wufei import amount, local_time, percent, tonnes, truth_badge, wan_tonnes

SOURCES = Path(wufei.web.__file__).parent.parent
TEMPLATES = list(SOURCES.rglob("*.html"))


@pytest.fixture(autouse=True)
def static_folder(settings):
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (tonnes(1), "0.000001"),
        (tonnes(1_000_000), "1"),
        (tonnes(123_456_789_012_345_678), "123,456,789,012.345678"),
        (tonnes(-1_500_000), "-1.5"),
        (tonnes(None), "—"),
        (tonnes(1_234_565, 2), "1.23"),
        (wan_tonnes(10_000_000_000), "1"),
        (wan_tonnes(15_500_000_000, 1), "1.6"),  # half up
        (percent(Decimal("56.105")), "56.11%"),
        (percent(None), "—"),
        (amount(Decimal("1E+3")), "1,000"),
        (amount(0), "0"),
    ],
)
def test_amounts_are_written_as_people_read_them(written, expected):
    assert written == expected


def test_a_verdict_is_told_by_word_and_icon():
    for truth, words in ((Truth.MET, "满足"), (Truth.NOT_MET, "不满足"), (Truth.UNKNOWN, "未知")):
        badge = truth_badge(truth)
        assert f"</svg>{words}</span>" in badge


def test_an_instant_is_shown_in_chinese_time():
    assert ">2026-07-01 10:00</time>" in local_time(datetime(2026, 7, 1, 2, 0, tzinfo=UTC))


def test_everything_that_people_choose_from_has_a_chinese_name():
    from wufei.registry.access import Relation, Role
    from wufei.registry.rules import KINDS_OF_ROLE, Scope

    assert list(ROLE_LABELS) == list(Role) == list(KINDS_OF_ROLE)
    assert list(PERMISSION_LABELS) == list(Permission)
    assert list(RELATION_LABELS) == list(Relation)
    assert list(SCOPE_LABELS) == list(Scope)


def test_every_icon_that_a_page_names_is_in_the_sprite():
    sprite = (SOURCES / "web/static/vendor/tabler-icons/icons.svg").read_text()
    there = set(re.findall(r'<symbol id="([^"]+)"', sprite))
    texts = [p.read_text() for p in TEMPLATES] + [p.read_text() for p in SOURCES.rglob("*.py")]
    named = {
        name
        for text in texts
        for name in re.findall(r'{% icon "([^"]+)" %}|icon="([^"]+)"|symbol="([^"]+)"', text)
        for name in name
        if name
    }

    assert named
    assert named <= there


def test_no_page_has_a_script_or_handler_of_its_own():
    """The content security policy would refuse it."""
    for path in TEMPLATES:
        text = path.read_text()
        assert not re.search(r"<script(?![^>]*\ssrc=)", text), path
        assert not re.search(r"\son(?!ly=)[a-z]+=|hx-on|javascript:", text), path


def test_no_asset_comes_from_elsewhere():
    for path in [*TEMPLATES, *(SOURCES / "web/static").glob("*.*")]:
        assert not re.findall(r"(?:src|href)=[\"']https?://|url\(https?:|@import", path.read_text()), path


def test_each_vendored_asset_has_its_licence_and_version():
    folders = [p for p in (SOURCES / "web/static/vendor").iterdir() if p.is_dir()]
    assert {p.name for p in folders} == {"echarts", "htmx", "tabler", "tabler-icons"}
    for folder in folders:
        assert (folder / "LICENSE").read_text().strip()
        assert re.match(r"\S+ \d+\.\d+\.\d+", (folder / "VERSION").read_text())


def test_the_server_says_that_it_is_well(client, db):
    response = client.get("/healthz")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


def test_the_server_says_that_it_is_not_well(client, db, monkeypatch):
    from django.db import OperationalError, connection

    def fail():
        raise OperationalError

    with monkeypatch.context() as store:
        store.setattr(connection, "cursor", fail)
        assert client.get("/healthz").status_code == 503


def test_a_page_that_is_not_there_says_what_to_do(client, db):
    response = client.get("/no/such/page/")
    assert response.status_code == 404
    assert "请核对地址" in response.content.decode()


def test_every_page_forbids_scripts_from_elsewhere(client, db):
    policy = client.get("/sign-in/")["Content-Security-Policy"]
    assert "script-src 'self';" in f"{policy};"
    assert "frame-ancestors 'none'" in policy


def test_a_field_is_tied_to_its_help_and_its_errors():
    from django import forms

    class Form(forms.Form):
        amount = forms.IntegerField(label="数量", help_text="单位：吨。")

    page = Template('{% include "web/_field.html" %}').render(
        Context({"field": Form({"amount": "x"})["amount"]})
    )
    assert '<label class="form-label" for="id_amount">数量</label>' in page
    assert 'aria-describedby="id_amount_helptext id_amount_error"' in page
    assert 'aria-invalid="true"' in page
    assert 'id="id_amount_error"' in page
    assert 'id="id_amount_helptext"' in page


def test_the_switcher_offers_ones_own_organisations_only(client, make_user, make_organisation):
    from wufei.registry.models import RoleAssignment

    first, second, other = make_organisation("甲厂"), make_organisation("乙厂"), make_organisation("丙厂")
    user = make_user("WORKER", first)
    RoleAssignment.objects.create(user=user, organisation=second, role="WORKER")
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")

    page = client.get(f"/o/{second.uscc}/profile/").content.decode()
    assert re.findall(r'class="dropdown-item" href="/o/(\w+)/"( aria-current="true")?', page) == [
        (second.uscc, ' aria-current="true"'), (first.uscc, "")
    ]  # fmt: skip
    assert other.name not in page
