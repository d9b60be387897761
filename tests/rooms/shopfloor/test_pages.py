"""The pages of the shop floor: who may, what they show, and in how many queries."""

import re
from datetime import date, timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.rooms.shopfloor.conftest import Voice
from wufei.registry.models import ParkMembership
from wufei.shopfloor import services
from wufei.shopfloor.models import AbandonedEntry, ReadingUse, Scale
from wufei.terms.mass import Mass

pytestmark = pytest.mark.django_db

INSIDERS = ("officer", "worker", "park", "district", "admin")
MAY = {
    "read": {"officer", "worker", "park", "district"},
    "post": {"officer", "worker"},
    "edit": {"officer", "admin"},
}
# route → what one must be allowed to, by method; what stands behind the organisation in its address.
TABLE: dict[str, tuple[str, dict[str, str]]] = {
    "scales": ("scales/", {"GET": "read"}),
    "new-scale": ("scales/new/", {"GET": "edit", "POST": "edit"}),
    "scale": ("scales/{code}/", {"GET": "read"}),
    "edit-scale": ("scales/{code}/edit/", {"GET": "edit", "POST": "edit"}),
    "renew-secret": ("scales/{code}/secret/", {"POST": "edit"}),
    "retire-scale": ("scales/{code}/retire/", {"POST": "edit"}),
    "set-aside": ("scales/{code}/readings/1/set-aside/", {"POST": "post"}),
    "abandoned": ("abandoned-entries/", {"GET": "read"}),
    "work": ("work/", {"GET": "post"}),
    "entries": ("work/entries/", {"POST": "post"}),
    "phone": ("work/phone/", {"POST": "post"}),
    "numbers": ("work/numbers/", {"POST": "post"}),
    "lots": ("work/lots/", {"GET": "post"}),
    "reading": ("work/readings/{code}/", {"GET": "post"}),
}
OPEN_TO_ALL = "worker"  # the service worker, which says nothing of anybody
ROUTES = frozenset(f"shopfloor:{name}" for name in (*TABLE, OPEN_TO_ALL))


@pytest.fixture
def people(floor, officer, make_user, make_organisation):
    own, park = floor.organisation, make_organisation("园区", kind="PARK")
    ParkMembership.objects.create(park=park, member=own, joined_on=date(2020, 1, 1))
    found = {
        "officer": officer,
        "worker": make_user("WORKER", own),
        "park": make_user("PARK_OFFICER", park),
        "district": make_user("AUTHORITY_OFFICER", make_organisation("区局", kind="AUTHORITY")),
        "admin": make_user("ADMINISTRATOR", make_organisation("平台", kind="AGENCY", division_code="310101")),
        "stranger": make_user("ENVIRONMENT_OFFICER", make_organisation("乙厂")),
        "far": make_user(
            "AUTHORITY_OFFICER", make_organisation("外省局", kind="AUTHORITY", division_code="440100")
        ),
    }
    return {name: _signed_in(user) for name, user in found.items()} | {"nobody": Client()}


def _signed_in(user):
    client = Client()
    client.force_login(user)
    return client


@pytest.mark.parametrize("route", TABLE)
def test_who_may_and_who_may_not(people, voice, route):
    voice.says()
    below, methods = TABLE[route]
    address = f"/o/{voice.scale.organisation.uscc}/{below.format(code=voice.scale.code)}"
    for method, needed in methods.items():
        for person, client in people.items():
            answer = client.get(address) if method == "GET" else client.post(address)
            told = (route, method, person, answer.status_code)
            if person == "nobody":
                assert answer.status_code == 302, told
            elif person not in INSIDERS:
                assert answer.status_code == 404, told
            elif person not in MAY[needed]:
                assert answer.status_code == 403, told
            else:
                assert answer.status_code in (200, 302, 422), told


def test_the_service_worker_is_open_and_says_nothing_of_anybody(floor):
    answer = Client().get(f"/o/{floor.organisation.uscc}/work/worker.js")
    text = answer.content.decode()
    assert answer["Content-Type"].startswith("text/javascript")
    assert f'const SCOPE = "/o/{floor.organisation.uscc}/work/";' in text
    assert floor.organisation.name not in text
    assets = re.search(r"const ASSETS = (\[.*\]);", text)
    assert assets
    assert "/static/work.js" in assets[1]


@pytest.fixture
def browser(officer):
    return _signed_in(officer)


@pytest.fixture
def here(floor):
    return f"/o/{floor.organisation.uscc}/"


SAID = {
    "name": "二号秤", "store": "库1", "capacity": "60", "division": "0.01", "calibrated_until": "2026-12-31",
    "stream": "", "version": "0",
}  # fmt: skip


def test_the_secret_is_shown_once_at_registration_and_never_again(browser, here):
    shown = browser.post(f"{here}scales/new/", SAID)
    row = Scale.objects.get()
    assert row.secret in shown.content.decode()
    assert "no-store" in shown["Cache-Control"]
    for page in ("scales/", f"scales/{row.code}/", f"scales/{row.code}/edit/", "audit/", "work/"):
        assert row.secret not in browser.get(f"{here}{page}").content.decode(), page

    renewed = browser.post(f"{here}scales/{row.code}/secret/")
    before, row = row.secret, Scale.objects.get()
    assert row.secret != before
    assert row.secret in renewed.content.decode()


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"store": ""}, "这个字段是必填项"),
        ({"division": "99"}, "不大于最大秤量"),
        ({"capacity": "60,5"}, "输入一个数字"),
        ({"capacity": "0"}, "大于或等于"),
        ({"stream": "W9"}, "W9"),
    ],
)
def test_a_wrong_form_says_what_is_wrong_at_its_field(browser, here, said, words):
    answer = browser.post(f"{here}scales/new/", SAID | said)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not Scale.objects.exists()


def test_a_scale_is_changed_and_a_stale_form_is_refused(browser, here, scale):
    address = f"{here}scales/{scale.code}/edit/"
    assert 'value="60"' in browser.get(address).content.decode()
    said = SAID | {"name": "新名", "stream": "W2", "version": "1"}
    assert browser.post(address, said).status_code == 302
    scale.refresh_from_db()
    assert (scale.name, scale.rule) == ("新名", "POST")
    assert browser.post(address, said).status_code == 422


def test_calibration_is_shown_as_valid_soon_over_and_a_retired_scale_as_such(
    browser, here, make_scale, officer, now, monkeypatch
):
    monkeypatch.setattr("django.utils.timezone.now", lambda: now)
    today = date(2026, 7, 1)
    for name, days in (("过期秤", -1), ("将到秤", 30), ("有效秤", 31)):
        make_scale(name=name, calibrated_until=today + timedelta(days=days))
    services.retire_scale(scale=make_scale(name="停用秤"), by=officer, now=now)
    page = browser.get(f"{here}scales/").content.decode()
    names = re.findall(r"scales/C\w{8}/\">(..秤)</a>", page)
    assert sorted(names) == sorted(["将到秤", "有效秤", "过期秤", "停用秤"])
    assert names[-1] == "停用秤"
    for name, word in (
        ("过期秤", "已过期"),
        ("将到秤", "即将到期"),
        ("有效秤", "有效"),
        ("停用秤", "已停用"),
    ):
        row = re.search(rf">{name}</a>(.*?)</tr>", page, re.DOTALL)
        assert row
        assert word in row[1], name


def test_readings_are_filtered_by_state_and_day(browser, here, voice, floor, officer, now):
    voice.says(12_340)
    voice.says(12_000, stable=False)
    voice.says(net="12,5")
    services.set_aside(
        organisation=floor.organisation, scale_code=voice.scale.code, sequence=1, reason="试秤", by=officer,
        now=now,
    )  # fmt: skip
    voice.says(13_000)

    def shown(query: str = "") -> list[str]:
        page = browser.get(f"{here}scales/{voice.scale.code}/{query}").content.decode()
        return re.findall(r"<td data-label=\"序号\">#(\d+)</td>", page)

    assert shown() == ["4", "3", "2", "1"]
    assert shown("?state=waiting") == ["4"]
    assert shown("?state=refused") == ["3", "2"]
    assert shown("?state=set_aside") == ["1"]
    assert shown("?state=taken") == []
    assert shown("?state=nonsense") == ["4", "3", "2", "1"]
    assert shown("?since=2026-07-01&through=2026-07-01") == ["4", "3", "2", "1"]
    assert shown("?since=2026-07-02") == []
    assert "12,5 g" in browser.get(f"{here}scales/{voice.scale.code}/").content.decode()


def test_a_reading_is_set_aside_with_its_reason_from_the_page(browser, here, voice):
    voice.says()
    address = f"{here}scales/{voice.scale.code}/readings/1/set-aside/"
    assert "请写明原因" in browser.post(address, {"reason": ""}, follow=True).content.decode()
    assert "已作废" in browser.post(address, {"reason": "试秤"}, follow=True).content.decode()
    assert ReadingUse.objects.get().reason == "试秤"
    assert "已经被取用" in browser.post(address, {"reason": "再试"}, follow=True).content.decode()


def queries_of(browser, address: str) -> int:
    browser.get(address)
    with CaptureQueriesContext(connection) as asked:
        assert browser.get(address).status_code == 200
    return len(asked)


def test_lists_take_the_same_queries_for_one_row_and_for_thirty(
    browser, here, voice, make_scale, floor, officer, now
):
    voice.says()
    services_said = {"organisation": floor.organisation, "refusal": "满", "reason": "试", "made_at": now}
    kept = {"abandoned_at": now, "abandoned_by": officer, "content": {"words": "废物"}}
    AbandonedEntry.objects.create(client_id=uuid4(), **services_said, **kept)
    pages = ("scales/", f"scales/{voice.scale.code}/", "abandoned-entries/", "work/")
    one = [queries_of(browser, here + page) for page in pages]
    for number in range(29):
        Voice(make_scale(name=f"秤{number}"), now).says()
        voice.says(10_000 + number, stable=number % 2 == 0)
        AbandonedEntry.objects.create(client_id=uuid4(), **services_said, **kept)
    floor.streams(*(f"X{number}" for number in range(29)))
    assert [queries_of(browser, here + page) for page in pages] == one


def test_without_streams_or_stores_the_pages_say_what_to_do_first(make_organisation, make_user):
    empty = make_organisation("空厂")
    client = _signed_in(make_user("ENVIRONMENT_OFFICER", empty))
    assert "先申报废物和贮存设施" in client.get(f"/o/{empty.uscc}/work/").content.decode()
    page = client.get(f"/o/{empty.uscc}/scales/").content.decode()
    assert "先申报贮存设施" in page
    assert "登记秤" not in page


def test_what_people_wrote_stands_in_the_page_as_text(browser, here, floor, make_scale, officer, now):
    make_scale(name="<script>alert(1)</script>", capacity=Mass(1000))
    for page in ("scales/", "work/"):
        assert "<script>alert(1)" not in browser.get(here + page).content.decode()
