"""The pages of small generators and collectors: who sees them, what they show, what they do."""

import re
from datetime import date

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.conftest import valid_uscc
from tests.rooms.collection import world as worlds
from tests.rooms.collection.world import AGREED, OIL, PASSWORD, PIN
from tests.rooms.transfers.world import organisation, person
from wufei.collection import queries, services
from wufei.collection.models import CollectionRound, Registration, SmallGenerator, Stop
from wufei.ledger import queries as ledger_queries
from wufei.registry.models import Contract, ParkMembership, User
from wufei.transfers.models import Manifest

# route -> what one has to be of the organisation in question, by method; asked below of everybody.
OFFICER, SIGNER, READER, ANY = "officer", "signer", "reader", "anybody who sees it"
OF_AN_ORGANISATION = {
    "home": (("GET", ANY),),
    "enrol": (("POST", OFFICER),),
    "agree": (("GET", OFFICER), ("POST", OFFICER)),
    "registrations": (("GET", OFFICER),),
    "register": (("GET", OFFICER), ("POST", OFFICER)),
    "registration": (("GET", OFFICER), ("POST", OFFICER)),
    "generators": (("GET", SIGNER),),
    "declarations": (("GET", READER),),
    "declare": (("GET", SIGNER), ("POST", SIGNER)),
    "pickups": (("GET", SIGNER),),
    "sign-pickup": (("POST", OFFICER),),
    "signing-code": (("POST", OFFICER),),
    "ready": (("GET", SIGNER), ("POST", OFFICER)),
    "rounds": (("GET", SIGNER),),
    "round": (("GET", SIGNER),),
    "act-on-round": (("POST", SIGNER),),
    "close-round": (("GET", SIGNER), ("POST", SIGNER)),
    "drive": (("GET", SIGNER),),
    "stop": (("GET", SIGNER), ("POST", SIGNER)),
    "points": (("GET", READER),),
    "record-point": (("GET", OFFICER), ("POST", OFFICER)),
}
MAY = {
    OFFICER: {"officer"}, SIGNER: {"officer", "worker"}, READER: {"officer", "worker", "park", "district"},
    ANY: {"officer", "worker", "park", "district"},
}  # fmt: skip
ROUTES = frozenset(f"collection:{name}" for name in (*OF_AN_ORGANISATION, "find-registration"))
NAMES = {
    "registration": ("registration_id",), "declare": ("year", "month"), "sign-pickup": ("stop_id",), "round": ("number",),
    "act-on-round": ("number",), "close-round": ("number",), "drive": ("number",), "stop": ("number", "stop_id"),
}  # fmt: skip


@pytest.fixture
def world(db, monkeypatch):
    made = worlds.build()
    monkeypatch.setattr("django.utils.timezone.now", lambda: made.now)
    return made


def client(user=None) -> Client:
    made = Client()
    if user is not None:
        made.force_login(user)
    return made


def at(route, organisation, **said) -> str:
    return reverse(f"collection:{route}", kwargs={"uscc": organisation.uscc, **said})


def text(response) -> str:
    """Return what a person reads: the page without its tags, its blanks as one."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


# --- who may


@pytest.fixture
def everybody(world, make_user):
    """People of the collector, of its park and district, strangers; and of the collector real objects."""
    shop, _owner = world.with_waste()
    world.generator()
    round_ = world.started(shop)
    waits, _receipt = world.registered()
    park, district = organisation(51, "园区", "PARK"), organisation(52, "区局", "AUTHORITY")
    ParkMembership.objects.create(park=park, member=world.collector, joined_on=date(2020, 1, 1))
    people = {
        "officer": world.officer, "worker": world.driver, "park": person("PARK_OFFICER", park, "园区干事"),
        "district": person("AUTHORITY_OFFICER", district, "区局干事"),
        "stranger": person("ENVIRONMENT_OFFICER", organisation(53, "别的厂", "ENTERPRISE"), "别人"),
        "far": person("AUTHORITY_OFFICER", organisation(54, "外区局", "AUTHORITY", "500102"), "外区"), "owner": _owner,
    }  # fmt: skip
    said = {
        "registration_id": waits.pk, "year": 2026, "month": 6, "stop_id": world.stop(round_, shop).pk, "number": 1,
    }  # fmt: skip
    return people, said


@pytest.mark.parametrize("route", OF_AN_ORGANISATION)
def test_who_may_ask_what(world, everybody, route):
    people, known = everybody
    address = at(route, world.collector, **{name: known[name] for name in NAMES.get(route, ())})
    for method, needs in OF_AN_ORGANISATION[route]:
        for name, user in people.items():
            ask = client(user)
            response = ask.get(address) if method == "GET" else ask.post(address, {})
            if name in MAY[needs]:
                # What one may do and is not there for this organisation is 404: the collector has no stop of its own.
                assert response.status_code in ({200, 302, 404, 422}), (route, method, name)
            elif name in MAY[ANY]:
                assert response.status_code in {403, 404}, (route, method, name)
            else:
                assert response.status_code == 404, (route, method, name)
        answer = client().get(address) if method == "GET" else client().post(address, {})
        assert answer.status_code == 302, (route, method)
        assert answer.url.startswith("/sign-in/")
    assert Registration.objects.get(pk=known["registration_id"]).state == "PENDING"
    assert CollectionRound.objects.get().state == "UNDER_WAY"


def test_a_reader_is_led_to_a_registration_only_where_it_may_be_confirmed(world, everybody):
    people, known = everybody
    address = reverse("collection:find-registration", args=[known["registration_id"]])
    assert client(world.officer).get(address).url == at(
        "registration", world.collector, registration_id=known["registration_id"]
    )
    assert client(people["district"]).get(address).status_code == 302
    for name in ("stranger", "far", "park", "owner"):
        assert client(people[name]).get(address).status_code == 404
    assert client().get(address).url.startswith("/sign-in/")


def test_a_park_and_a_district_see_the_small_generators_that_are_theirs(world, everybody):
    people, _known = everybody
    shop = SmallGenerator.objects.order_by("pk").first().organisation
    park = people["park"].role_assignments.get().organisation
    ParkMembership.objects.create(park=park, member=shop, joined_on=date(2020, 1, 1))
    told = text(client(people["park"]).get(at("generators", park)))
    assert "汽修店01" in told
    assert "汽修店02" not in told
    district = people["district"].role_assignments.get().organisation
    assert "汽修店02" in text(client(people["district"]).get(at("generators", district)))
    far = people["far"].role_assignments.get().organisation
    assert "汽修店" not in text(client(people["far"]).get(at("generators", far)))


def test_home_leads_to_what_there_is_to_do(world):
    shop, owner = world.generator()
    works = organisation(61, "没开通的厂", "ENTERPRISE")
    officer = person("ENVIRONMENT_OFFICER", works, "没开通")
    assert client(world.officer).get(at("home", world.collector)).url == at("ready", world.collector)
    assert client(owner).get(at("home", shop)).url == at("declarations", shop)
    page = client(officer).get(at("home", works))
    assert "开通月度申报" in text(page)
    assert client(officer).post(at("enrol", works)).url == at("home", works)
    assert queries.is_small_generator(organisation=works, on=date(2026, 7, 1))


# --- from the public page to the point


def registration(world, **said):
    return {
        "uscc": valid_uscc("91500110MA7W00001"), "name": "小陈汽修", "division_code": "500110", "address": "古南街道 9 号",
        "contact": "陈老板", "phone": "13900000001", "collector": world.collector.uscc, "has_checked_collector": "on",
        "waste1-waste_code": OIL, "waste1-name": "废机油", "waste1-form": "LIQUID", "waste1-packaging": "DRUM",
        "waste1-usual": "180",
    } | said  # fmt: skip


def test_the_whole_way_from_the_public_page_to_the_collection_point(world):
    visitor, officer, driver = client(), client(world.officer), client(world.driver)
    taken = visitor.post(reverse("portal:register-small-generator"), registration(world))
    assert taken.status_code == 302, text(taken)
    receipt = re.search(r'receipt">(\w{16})<', visitor.get(taken.url).content.decode())[1]
    row = Registration.objects.get()
    look = {"receipt": receipt, "phone": "139-0000-0001"}
    status = reverse("portal:small-generator-status")
    assert "待确认" in text(visitor.post(status, look))

    assert "小陈汽修" in text(officer.get(at("registrations", world.collector)))
    decide = at("registration", world.collector, registration_id=row.pk)
    assert "须写明与该单位所签收集合同" in text(officer.post(decide, {"what": "confirm"}))
    agreed = {"what": "confirm", "number": "XW-9", "signed_on": "2026-06-01", "valid_through": "2027-05-31"}
    assert officer.post(decide, agreed).status_code == 302

    assert "设自己的账号" in text(visitor.post(status, look))
    account = look | {"what": "activate", "username": "chen", "password": "short"}
    assert visitor.post(status, account).status_code == 422
    assert "已设好" in text(visitor.post(status, account | {"password": PASSWORD}))
    owner = client(User.objects.get(username="chen"))
    shop = SmallGenerator.objects.get().organisation

    page = at("declare", shop, year=2026, month=7)
    assert "废机油" in text(owner.get(page))
    [waste] = queries.wastes_asked(organisation=shop, month=date(2026, 7, 1))
    prefix = f"waste{waste.stream.pk}"
    form = {
        "client_id": "00000000-0000-4000-8000-000000000001",
        f"{prefix}-containers": "0.5",
        f"{prefix}-usual": "180",
    }
    assert owner.post(page, form).url == at("declarations", shop)
    assert "90" in text(owner.get(at("declarations", shop)))

    listed = officer.get(at("ready", world.collector))
    assert f"{shop.uscc}/F01" in listed.content.decode()
    plan = {
        "uid": "00000000-0000-4000-8000-000000000002", "point": "SJ1", "planned_on": "2026-07-02", "plate": "渝A12345",
        "driver": "李师傅", "driver_phone": "13800000001",
    }  # fmt: skip
    assert "没有选中要收的废物" in text(officer.post(at("ready", world.collector), plan))
    made = officer.post(at("ready", world.collector), plan | {"pick": f"{shop.uscc}/F01"})
    assert made.url == at("round", world.collector, number=1)
    assert "小陈汽修" in text(officer.get(made.url))
    started = driver.post(at("act-on-round", world.collector, number=1), {"what": "start"})
    assert started.url == at("drive", world.collector, number=1)

    weak = owner.post(at("signing-code", shop), {"code": "123456"})
    assert weak.status_code == 422
    assert owner.post(at("signing-code", shop), {"code": PIN}).status_code == 302
    stop = Stop.objects.get()
    door = at("stop", world.collector, number=1, stop_id=stop.pk)
    assert "请把手机交给移出人" in text(driver.get(door))
    assert "签收码不对" in text(driver.post(door, {"what": "sign", "mass1": "88.5", "code": "000001"}))
    world.later(minutes=5)
    assert driver.post(door, {"what": "sign", "mass1": "88.5", "code": PIN}).status_code == 302
    assert f"用 陈老板 的签收码在 {world.driver} 的手机上签字" in text(owner.get(at("pickups", shop)))

    world.later(hours=1)
    scale = at("close-round", world.collector, number=1)
    assert "各家移出共 88.5 公斤" in text(driver.get(scale))
    assert driver.post(scale, {f"waste-{OIL}-received": "", f"waste-{OIL}-mode": "R9"}).status_code == 422
    assert (
        driver.post(scale, {f"waste-{OIL}-received": "88.25", f"waste-{OIL}-mode": "R9"}).status_code == 302
    )
    assert Manifest.objects.get().received_g == 88_250
    told = text(officer.get(at("points", world.collector)))
    assert "小陈汽修" in told
    assert "88.25" in told


def test_a_code_that_is_known_says_what_to_do_and_nobodys_name(world):
    shop, _owner = world.generator()
    response = client().post(reverse("portal:register-small-generator"), registration(world, uscc=shop.uscc))
    assert response.status_code == 422
    assert "已在平台登记，不必重复登记" in text(response)
    assert shop.name not in text(response)


def test_an_address_that_tries_too_often_waits(world):
    visitor, address = client(), reverse("portal:register-small-generator")
    for _try in range(10):
        assert visitor.post(address, {}).status_code == 422
    assert visitor.post(address, registration(world)).status_code == 429
    assert not Registration.objects.exists()
    for _try in range(20):
        visitor.post(reverse("portal:small-generator-status"), {"receipt": "A", "phone": "1"})
    answer = visitor.post(reverse("portal:small-generator-status"), {"receipt": "A", "phone": "1"})
    assert answer.status_code == 429


def test_a_program_that_fills_everything_in_is_refused(world):
    response = client().post(reverse("portal:register-small-generator"), registration(world, website="x"))
    assert response.status_code == 422
    assert not Registration.objects.exists()


def test_a_receipt_is_shown_to_whoever_registered_and_to_nobody_else(world):
    assert client().get(reverse("portal:small-generator-received") + "?t=made-up").status_code == 404


# --- the declaration


def test_the_page_says_what_is_wrong_at_the_waste(world):
    shop, owner = world.generator(date(2026, 6, 3))
    page, user = at("declare", shop, year=2026, month=6), client(owner)
    oil, rags = (
        f"waste{each.stream.pk}" for each in queries.wastes_asked(organisation=shop, month=worlds.JUNE)
    )
    ids = {"client_id": "00000000-0000-4000-8000-000000000001"}
    assert "没有新产生的填 0" in text(user.post(page, ids | {f"{oil}-new": "5"}))
    wrong = {f"{oil}-new": "5", f"{oil}-containers": "1", f"{oil}-usual": "180", f"{rags}-new": "0"}
    assert "请只填一种" in text(user.post(page, ids | wrong))
    assert "还须填每个约多重" in text(user.post(page, ids | {f"{oil}-containers": "1", f"{rags}-new": "0"}))
    assert user.post(page, ids | {f"{oil}-new": "-1", f"{rags}-new": "0"}).status_code == 422
    nothing = user.post(page, ids | {"is_nothing": "on", f"{oil}-new": "5", f"{rags}-new": "0"})
    assert nothing.status_code == 302  # ticked: what was filled in beforehand does not count
    assert ledger_queries.stock(organisation=shop) == []


def test_the_months_are_listed_with_what_is_unknown_and_a_number_is_corrected(world):
    shop, owner = world.generator(date(2026, 4, 3))
    world.declare(shop, owner, date(2026, 5, 1), F01="5", F02="0")
    world.declare(shop, owner, date(2026, 5, 1), F01="7", F02="0")
    told = text(client(owner).get(at("declarations", shop)))
    assert "2026-04 未申报，数量未知 未知" in told
    assert "2026-05 已申报 第 2 次 7" in told
    assert "2026-07 未到期 —" in told
    assert "还没有有效的收集合同" not in told


def test_a_month_that_does_not_exist_is_not_there(world):
    shop, owner = world.generator()
    assert client(owner).get(at("declare", shop, year=2026, month=13)).status_code == 404
    later = client(owner).post(
        at("declare", shop, year=2026, month=9),
        {"client_id": "00000000-0000-4000-8000-000000000001", "is_nothing": "on"},
    )
    assert "不能申报这个月" in text(later)


def test_the_generator_signs_and_reads_why_it_was_left_out(world):
    shop, owner = world.with_waste(F02="0")
    round_ = world.started(shop)
    stop, user = world.stop(round_, shop), client(owner)
    assert "数量无误，签字" in text(user.get(at("pickups", shop)))
    assert user.post(at("sign-pickup", shop, stop_id=stop.pk)).status_code == 302
    assert Manifest.objects.get().state == "ISSUED"
    door = at("stop", world.collector, number=1, stop_id=stop.pk)
    driver = client(world.driver)
    assert "移出人已在自己的手机上签字" in text(driver.get(door))
    assert driver.post(door, {"what": "leave-out", "reason": ""}).status_code == 422
    assert driver.post(door, {"what": "leave-out", "reason": "NO_ROOM", "words": "改日"}).status_code == 302
    assert "车辆装不下，改日" in text(user.get(at("pickups", shop)))


def test_somebody_elses_stop_is_not_signed(world):
    shop, _owner = world.with_waste(F02="0")
    other, theirs = world.generator()
    stop = world.stop(world.started(shop), shop)
    assert client(theirs).post(at("sign-pickup", other, stop_id=stop.pk)).status_code == 404


def test_the_order_is_changed_by_hand(world):
    round_ = world.plan(world.with_waste()[0], world.with_waste()[0])
    first, second = queries.stops_of(round_)
    officer = client(world.officer)
    officer.post(at("act-on-round", world.collector, number=1), {"what": f"down:{first.pk}"})
    assert queries.stops_of(round_) == [second, first]
    officer.post(at("act-on-round", world.collector, number=1), {"what": "cancel"})
    assert CollectionRound.objects.get().state == "CANCELLED"


def test_a_list_is_narrowed_and_exported(world):
    shop, _owner = world.with_waste()
    world.generator(date(2026, 4, 3))
    officer = client(world.officer)
    ready = at("ready", world.collector)
    assert "汽修店02" in text(officer.get(ready))
    assert "汽修店02" not in text(officer.get(ready + "?at_least=10"))
    assert "废机油" not in text(officer.get(ready + "?waste=HW49&standing=collectable"))
    assert shop.name not in text(officer.get(ready + "?division=500102"))
    assert "汽修店02" in text(officer.get(ready + "?standing=unknown"))
    for route in ("ready", "generators"):
        response = officer.get(at(route, world.collector) + "?export=xlsx")
        assert response.content[:2] == b"PK"


def test_registering_for_somebody_needs_its_consent(world):
    officer = client(world.officer)
    form = registration(world) | {"number": "XW-3", "signed_on": "2026-06-01", "valid_through": "2027-05-31"}
    address = at("register", world.collector)
    assert officer.post(address, form).status_code == 422
    done = officer.post(address, form | {"consent": "委托书 2026-06-01"})
    assert done.status_code == 200
    assert "登记编号（只显示这一次）" in text(done)
    row = Registration.objects.get()
    renewed = officer.post(at("registration", world.collector, registration_id=row.pk), {"what": "renew"})
    assert "新的登记编号" in text(renewed)


def test_a_generator_agrees_with_a_collector_itself(world):
    works = organisation(71, "小厂", "ENTERPRISE")
    officer = client(person("ENVIRONMENT_OFFICER", works, "小厂专员"))
    page = officer.get(at("agree", works))
    assert "CQSJ0001" in text(page)
    form = {
        "collector": world.collector.uscc, "number": "X-1", "signed_on": "2026-06-01", "valid_through": "2027-05-31",
    }  # fmt: skip
    assert "须核实收集单位" in text(officer.post(at("agree", works), form))
    assert officer.post(at("agree", works), form | {"has_checked_collector": "on"}).status_code == 302
    assert Contract.objects.get().organisation == works


def test_a_point_is_recorded_and_changed(world):
    officer = client(world.officer)
    address = at("record-point", world.collector)
    form = {
        "store": "SJ1", "address": "新址", "divisions": "500110，500102", "emergency_phone": "119", "emergency_measures": "围堵",
    }  # fmt: skip
    assert officer.post(address, form | {"divisions": "12"}).status_code == 422
    assert officer.post(address, form).status_code == 302
    world.point.refresh_from_db()
    assert world.point.divisions == ["500110", "500102"]
    assert (
        "新址" in text(officer.get(address + "?point=SJ1"))
        or "新址" in officer.get(address + "?point=SJ1").content.decode()
    )


def test_what_waits_stands_in_the_list_of_tasks(world):
    shop, owner = world.generator(date(2026, 6, 3))
    row, _receipt = world.registered()
    told = text(client(owner).get(reverse("reviews:tasks")))
    assert "小微企业月度申报" in told
    assert "2026-06" in told
    assert row.name in text(client(world.officer).get(reverse("reviews:tasks")))
    world.declare(shop, owner, is_nothing=True)
    assert "小微企业月度申报" not in text(client(owner).get(reverse("reviews:tasks")))
    services.confirm(
        registration=row, organisation=world.collector, agreed=AGREED, by=world.officer, now=world.now
    )
    assert row.name not in text(client(world.officer).get(reverse("reviews:tasks")))


@pytest.mark.parametrize("route", ["ready", "generators", "rounds", "registrations", "points"])
def test_a_list_takes_the_same_queries_for_one_row_and_for_six(world, route):
    def filled(count: int) -> None:
        for _each in range(count):
            shop = world.with_waste(F02="0")
            world.close(world.loaded(world.started(shop[0]), shop), oil="50")
            world.with_waste()
            world.registered()

    officer = client(world.officer)
    filled(1)
    officer.get(at(route, world.collector))
    with CaptureQueriesContext(connection) as one:
        officer.get(at(route, world.collector))
    filled(5)
    officer = client(world.officer)  # hours have passed
    officer.get(at(route, world.collector))
    with CaptureQueriesContext(connection) as six:
        officer.get(at(route, world.collector))
    assert len(six) == len(one)
