"""The pages of tracking: who may, what they show, and in how many queries."""

import json
import re
from datetime import date, timedelta
from io import BytesIO

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from openpyxl import load_workbook

from tests.rooms.tracking import world as roads
from tests.rooms.tracking.world import GOAL, HOME, PLATE, along, dispatcher, drive, stand, under_way
from tests.rooms.transfers import world as worlds
from wufei.registry.models import ParkMembership
from wufei.tracking import services
from wufei.tracking.models import Alert, PlannedRoute, Position, Tracker
from wufei.transfers.models import Leg

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)
# Parties, the authorities of the generator's and of the receiver's district, and who is none of these.
PARTIES = ("dispatcher", "driver", "officer", "taker")
OF = {
    "dispatcher": "carrier", "driver": "carrier", "officer": "generator", "taker": "receiver", "district": "generator",
    "their_district": "receiver", "city": "carrier", "park": "generator", "admin": "generator",
    "stranger": "generator", "far": "generator",
}  # fmt: skip
MAY = {
    "see": {*PARTIES, "district", "their_district", "city"},
    "sign": set(PARTIES),
    "keep": {"dispatcher", "officer", "taker"},
}
SEES_IT = {*MAY["see"], "park", "admin"}  # the organisation itself: these are told 403, the others 404
TABLE: dict[str, tuple[str, dict[str, str]]] = {
    "tracks": ("tracks/", {"GET": "see"}),
    "alerts": ("tracks/alerts/", {"GET": "see"}),
    "acknowledge": ("tracks/alerts/{alert}/", {"POST": "sign"}),
    "track": ("tracks/{number}/", {"GET": "see"}),
    "export-track": ("tracks/{number}/track.csv", {"GET": "see"}),
    "state-route": ("tracks/{number}/route/", {"POST": "sign"}),
    "report": ("tracks/{number}/report/", {"GET": "sign"}),
    "positions": ("tracks/{number}/positions/", {"POST": "sign"}),
    "trackers": ("trackers/", {"GET": "see"}),
    "new-tracker": ("trackers/new/", {"GET": "keep", "POST": "keep"}),
    "tracker": ("trackers/{code}/", {"GET": "see"}),
    "renew-secret": ("trackers/{code}/secret/", {"POST": "keep"}),
    "retire-tracker": ("trackers/{code}/retire/", {"POST": "keep"}),
}
ROUTES = frozenset(f"tracking:{name}" for name in TABLE)
ALLOWED = {200, 302, 409, 422}


@pytest.fixture
def world(db, monkeypatch):
    made = worlds.build()
    monkeypatch.setattr("django.utils.timezone.now", lambda: made.now)
    return made


def client(user) -> Client:
    made = Client()
    made.force_login(user)
    return made


@pytest.fixture
def people(world, make_user, make_organisation):
    park = make_organisation("园区", kind="PARK")
    ParkMembership.objects.create(park=park, member=world.generator, joined_on=date(2020, 1, 1))
    authority = {"kind": "AUTHORITY"}
    users = {
        "dispatcher": dispatcher(world), "driver": world.driver, "officer": world.officer, "taker": world.taker,
        "district": make_user("AUTHORITY_OFFICER", make_organisation("区局", **authority)),
        "their_district": make_user(
            "AUTHORITY_OFFICER", make_organisation("对方区局", division_code="500102", **authority)
        ),
        "city": make_user("AUTHORITY_OFFICER", make_organisation("市局", division_code="500000", **authority)),
        "park": make_user("PARK_OFFICER", park),
        "admin": make_user("ADMINISTRATOR", make_organisation("平台", kind="AGENCY", division_code="310101")),
        "stranger": make_user("ENVIRONMENT_OFFICER", make_organisation("乙厂")),
        "far": make_user("AUTHORITY_OFFICER", make_organisation("外省局", division_code="440100", **authority)),
    }  # fmt: skip
    return {name: client(user) for name, user in users.items()} | {"nobody": Client()}


@pytest.fixture
def on_the_road(world):
    """A load that stood too long on its way, and is silent now."""
    voice = roads.Voice(roads.registered(world))
    manifest, leg = under_way(world)
    start = world.now
    voice.says(*drive(start, 10), now=start + 200 * MINUTE)
    voice.says(*stand(start + 11 * MINUTE, 30, at=0.11), now=start + 200 * MINUTE)
    voice.says(*drive(start + 42 * MINUTE, 5, begin=0.12), now=start + 200 * MINUTE)
    world.later(minutes=70)
    services.watch(now=world.now)
    return manifest, leg, voice


@pytest.mark.parametrize("route", TABLE)
def test_who_may_and_who_may_not(world, people, on_the_road, route):
    manifest, _leg, voice = on_the_road
    below, methods = TABLE[route]
    place = below.format(number=manifest.number, code=voice.tracker.code, alert=Alert.objects.first().pk)
    for method, needed in methods.items():
        for person, who in people.items():
            organisation = getattr(world, OF.get(person, "generator"))
            address = f"/o/{organisation.uscc}/{place}"
            answer = who.get(address) if method == "GET" else who.post(address)
            told = (route, method, person, answer.status_code)
            if person == "nobody":
                assert answer.status_code == 302, told
            elif person in MAY[needed]:
                elsewhere = "{code}" in below and OF[person] != "carrier"  # another's tracker isn't there
                assert answer.status_code in ({404} if elsewhere else ALLOWED), told
            else:
                assert answer.status_code == (403 if person in SEES_IT else 404), told


def test_an_organisation_that_is_no_party_finds_no_track_under_its_own_address(world, people, on_the_road):
    manifest, _leg, _voice = on_the_road
    from wufei.registry.models import Organisation

    other = Organisation.objects.get(name="乙厂")
    for below in (f"tracks/{manifest.number}/", f"tracks/{manifest.number}/track.geojson"):
        assert people["stranger"].get(f"/o/{other.uscc}/{below}").status_code == 404
    assert PLATE not in people["stranger"].get(f"/o/{other.uscc}/tracks/").content.decode()
    assert PLATE not in people["stranger"].get(f"/o/{other.uscc}/tracks/alerts/").content.decode()
    alert = Alert.objects.first()
    answer = people["stranger"].post(f"/o/{other.uscc}/tracks/alerts/{alert.pk}/", {"remark": "x"})
    assert answer.status_code == 404


def test_the_track_is_drawn_and_told_in_a_table(world, on_the_road):
    manifest, _leg, _voice = on_the_road
    page = client(world.officer).get(f"/o/{world.generator.uscc}/tracks/{manifest.number}/").content.decode()
    assert page.count('class="way"') >= 1
    assert 'class="corridor"' in page
    assert "停车 1" in page
    assert "失联 2" in page
    assert "底图只有经纬网" in page
    assert "未核实" in page
    assert len(re.findall(r"<tr><th scope=\"row\"><time", page)) == Position.objects.count()
    assert "没有申报路线" not in page
    assert "仍在继续，已 23 分" in page
    assert "<script src=" in page
    assert not re.search(r"(src|href)=\"https?://", page)


def test_without_a_route_nothing_is_said_of_detours(world):
    voice = roads.Voice(roads.registered(world))
    manifest, _leg = under_way(world, route=False)
    voice.says(*drive(world.now, 10), now=world.later(minutes=11))
    page = client(world.driver).get(f"/o/{world.carrier.uscc}/tracks/{manifest.number}/").content.decode()
    assert "没有申报路线，是否偏离无从判断。" in page
    assert 'class="corridor"' not in page


def test_a_vehicle_without_a_tracker_says_so(world):
    manifest, _leg = under_way(world, route=False)
    driver = client(world.driver)
    page = driver.get(f"/o/{world.carrier.uscc}/tracks/{manifest.number}/").content.decode()
    assert "所以也不判断失联" in page
    assert '<svg class="track-map"' not in page
    assert "车上没有登记终端" in driver.get(f"/o/{world.carrier.uscc}/tracks/").content.decode()
    assert (
        "还没有起运"
        in driver.get(f"/o/{world.carrier.uscc}/tracks/{world.issued().number}/").content.decode()
    )


def test_when_positions_were_deleted_the_sums_and_alerts_are_shown(world, on_the_road, operator):
    manifest, _leg, _voice = on_the_road
    world.deliver(manifest)
    world.later(days=200)
    services.delete_old_positions(by=operator, now=world.now)
    assert not Position.objects.exists()
    page = client(world.officer).get(f"/o/{world.generator.uscc}/tracks/{manifest.number}/").content.decode()
    assert "位置保存期满" in page
    assert "公里" in page
    assert "异常停车" in page
    assert "沿途位置" not in page


def test_a_route_is_stated_on_the_page_and_its_datum_must_be_said(world):
    manifest = world.issued()
    officer, address = client(world.officer), f"/o/{world.generator.uscc}/tracks/{manifest.number}/route/"
    text = "29.028, 106.651 綦江\n29.712, 107.391 涪陵"
    for datum, words in (("GCJ02", "火星坐标"), ("", "")):
        answer = officer.post(address, {"datum": datum, "text": text})
        assert answer.status_code == 422
        assert words in answer.content.decode()
    answer = officer.post(address, {"datum": "WGS84", "text": "29.028, 106.651\n南天门"})
    assert "第 2 行：" in answer.content.decode()
    assert not PlannedRoute.objects.exists()
    assert officer.post(address, {"datum": "WGS84", "text": text}).status_code == 302
    assert PlannedRoute.objects.get().stages[1]["name"] == "涪陵"
    world.load(manifest)
    answer = officer.post(address, {"datum": "WGS84", "text": text.replace("29.712", "29.8")})
    assert "已经起运" in answer.content.decode() or answer.status_code == 422
    assert PlannedRoute.objects.count() == 1


def test_an_alert_is_acknowledged_on_the_page_and_leaves_the_tasks(world, on_the_road):
    manifest, _leg, _voice = on_the_road
    driver, officer = client(world.driver), client(world.officer)
    first = Alert.objects.order_by("began_at").first()
    assert "运输提醒，待说明" in officer.get("/reviews/tasks/").content.decode()
    address = f"/o/{world.carrier.uscc}/tracks/alerts/{first.pk}/"
    assert "请写明情况" in driver.post(address, {"remark": ""}, follow=True).content.decode()
    assert "已记下情况说明" in driver.post(address, {"remark": "服务区加水"}, follow=True).content.decode()
    page = officer.get(f"/o/{world.generator.uscc}/tracks/{manifest.number}/").content.decode()
    assert "服务区加水" in page
    services.acknowledge(
        alert=Alert.objects.get(acknowledged_at=None), organisation=world.generator, remark="隧道", by=world.officer,
        now=world.now,
    )  # fmt: skip
    tasks = officer.get("/reviews/tasks/").content.decode()
    assert "运输提醒，待说明" not in tasks
    assert "没有待办" in tasks


def test_the_list_is_narrowed_and_exported(world, on_the_road):
    manifest, _leg, _voice = on_the_road
    second, _ = under_way(world, route=False)
    driver, here = client(world.driver), f"/o/{world.carrier.uscc}/tracks/"

    def numbers(query: str) -> set[str]:
        page = driver.get(here + query).content.decode()
        return {each for each in (manifest.number, second.number) if each in page}

    assert numbers("") == {manifest.number, second.number}
    assert numbers(f"?q={second.number}") == {second.number}
    assert numbers("?q=渝A1") == {manifest.number, second.number}
    assert numbers("?q=没有这辆车") == set()
    assert numbers("?concern=alert") == {manifest.number}
    assert numbers("?concern=unheard") == {second.number}
    assert numbers("?way=ended") == set()
    world.deliver(manifest)
    services.watch(now=world.now)
    assert numbers("?way=ended") == {manifest.number}
    assert numbers("") == {second.number}
    book = load_workbook(BytesIO(driver.get(here + "?way=ended&export=xlsx").content))
    [_head, row] = list(book.active.values)
    assert row[:2] == (PLATE, manifest.number)
    assert row[12] == "异常停车、失联"


def test_alerts_are_narrowed(world, on_the_road):
    driver, here = client(world.driver), f"/o/{world.carrier.uscc}/tracks/alerts/"

    def kinds(query: str) -> set[str]:
        return set(
            re.findall(
                r"class=\"tag (?:warn|bad)\">(异常停车|失联)<", driver.get(here + query).content.decode()
            )
        )

    assert kinds("") == {"异常停车", "失联"}
    assert kinds("?kind=STOP") == {"异常停车"}
    assert kinds("?state=going_on") == {"失联"}
    assert kinds("?state=acknowledged") == set()
    assert kinds("?q=渝Z") == set()


def test_the_exports_hold_every_position(world, on_the_road):
    manifest, _leg, _voice = on_the_road
    officer, here = client(world.officer), f"/o/{world.generator.uscc}/tracks/{manifest.number}/track."
    rows = officer.get(f"{here}csv").content.decode("utf-8-sig").splitlines()
    assert len(rows) == Position.objects.count() + 1
    said = json.loads(officer.get(f"{here}geojson").content)
    whats = [each["properties"]["what"] for each in said["features"]]
    assert sorted(whats) == ["alert", "alert", "planned route", "track"]
    assert officer.get(f"{here}kml").status_code == 404


def test_a_tracker_is_registered_shown_renewed_and_retired(world):
    keeper, here = client(dispatcher(world)), f"/o/{world.carrier.uscc}/trackers/"
    assert "还没有定位终端" in keeper.get(here).content.decode()
    assert keeper.post(f"{here}new/", {"plate": "渝Z", "name": ""}).status_code == 422
    made = keeper.post(f"{here}new/", {"plate": PLATE, "name": "车头"})
    tracker = Tracker.objects.get()
    assert tracker.secret in made.content.decode()
    assert "no-store" in made["Cache-Control"]
    for address in (here, f"{here}{tracker.code}/"):
        page = keeper.get(address).content.decode()
        assert tracker.code in page
        assert tracker.secret not in page
    renewed = keeper.post(f"{here}{tracker.code}/secret/").content.decode()
    assert Tracker.objects.get().secret in renewed
    assert tracker.secret not in renewed
    voice = roads.Voice(Tracker.objects.get())
    voice.says((world.now, HOME), (world.now, GOAL), (world.now, (0, 0)))
    page = keeper.get(f"{here}{tracker.code}/").content.decode()
    assert "存疑" in page
    assert "没有定到位" in page
    assert "29.028" not in page  # where it was is not shown here
    assert "已停用" in keeper.post(f"{here}{tracker.code}/retire/", follow=True).content.decode()
    assert "已经停用" in keeper.post(f"{here}{tracker.code}/retire/", follow=True).content.decode()


def test_a_phone_reports_through_its_page(world):
    manifest, leg = under_way(world)
    driver = Client(enforce_csrf_checks=True)
    driver.force_login(world.driver)
    here = f"/o/{world.carrier.uscc}/tracks/{manifest.number}/"
    page = driver.get(f"{here}report/")
    assert "开始上报" in page.content.decode()
    token = driver.cookies["csrftoken"].value
    phone = str(worlds.new_id())

    def send(rows, **said):
        body = {"tracker": phone, "datum": "WGS84", "positions": rows} | said
        return driver.post(
            f"{here}positions/",
            json.dumps(body),
            content_type="application/json",
            headers={"X-CSRFToken": token},
        )

    row = {
        "sequence": 1, "at": world.now.isoformat(), "latitude_udeg": HOME[0], "longitude_udeg": HOME[1]
    }  # fmt: skip
    assert driver.post(f"{here}positions/", "{}", content_type="application/json").status_code == 403
    first, again = send([row]), send([row])
    assert first.json() == again.json() == {"accepted": 1, "refused": [], "message": "已收到。"}
    assert Position.objects.count() == 1
    assert send([row], datum="GCJ02").json()["code"] == "datum_unfit"
    assert send([row], tracker="T1").json()["code"] == "not_readable"
    assert send([]).status_code == 422
    late = send([row | {"sequence": 2, "at": (world.now - timedelta(days=1)).isoformat()}]).json()
    assert [each["code"] for each in late["refused"]] == ["outside_trip"]

    other = client(dispatcher(world)).post(
        f"{here}positions/",
        json.dumps({"tracker": phone, "datum": "WGS84", "positions": [row]}),
        content_type="application/json",
    )
    assert (other.status_code, other.json()["code"]) == (409, "phone_of_another")
    world.deliver(manifest)
    world.later(days=9)
    driver.force_login(world.driver)
    token = driver.get("/").wsgi_request.META["CSRF_COOKIE"]
    assert send([row | {"sequence": 3}]).json()["code"] == "not_under_way"
    assert "没有在运输途中" in driver.get(f"{here}report/").content.decode()
    assert (
        client(world.officer)
        .get(f"/o/{world.generator.uscc}/tracks/{manifest.number}/report/")
        .content.decode()
        .count("没有在运输途中")
    )
    assert Leg.objects.get(pk=leg.pk).ended_at is not None


def test_the_manifest_and_the_drivers_page_lead_here(world, on_the_road):
    manifest, _leg, _voice = on_the_road
    at = f"/o/{world.generator.uscc}/manifests/{manifest.number}/"
    assert (
        f"/o/{world.generator.uscc}/tracks/{manifest.number}/"
        in client(world.officer).get(at).content.decode()
    )
    carrying = client(world.driver).get(f"/o/{world.carrier.uscc}/manifests/carrying/").content.decode()
    assert f"/tracks/{manifest.number}/report/" in carrying


def test_lists_ask_as_many_questions_for_one_as_for_many(world, on_the_road):
    driver = client(world.driver)
    addresses = [f"/o/{world.carrier.uscc}/{below}" for below in ("tracks/", "tracks/alerts/", "trackers/")]

    def count(address: str) -> int:
        driver.get(address)
        with CaptureQueriesContext(connection) as asked:
            assert driver.get(address).status_code == 200
        return len(asked)

    one = [count(address) for address in addresses]
    for n in range(12):
        voice = roads.Voice(roads.registered(world, name=f"终端{n}"))
        under_way(world)
        voice.says((world.now, along(0.5)))
    world.later(hours=2)
    services.watch(now=world.now)
    assert Alert.objects.count() > 12
    assert [count(address) for address in addresses] == one
