"""Zones: what may stand in one, what is too near, how full, how long; on the services and on the pages."""

import re
import uuid
from datetime import date, timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.conftest import NOW
from tests.rooms.storage.test_pages import Person, text_of
from wufei.ledger.models import Place
from wufei.registry.models import AuditEntry, OperatingPermit
from wufei.registry.queries import NotPermitted
from wufei.storage import queries, services
from wufei.storage.models import Placement, Zone
from wufei.storage.refusals import Code, StorageRefused
from wufei.storage.services import ZoneSaid
from wufei.storage.time_limits import Due
from wufei.storage.zoning import Fullness, Rectangle
from wufei.terms.mass import Mass

TODAY = date(2026, 7, 1)


@pytest.fixture(autouse=True)
def static_folder(settings):
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)


@pytest.fixture
def stock(ledger):
    ledger.stores(库1=None, 库2=None)
    for code, waste_code in (
        ("油", "900-249-08"),
        ("酸", "900-300-34"),
        ("碱", "900-352-35"),
        ("砂", "SW02"),
    ):
        ledger.streams(code, waste_code=waste_code)
    ledger.post(
        "2026-06-20 油 产生 0.9 吨 库1 桶-1", "2026-06-21 油 产生 0.2 吨 库1 桶-2", "2026-06-11 酸 产生 0.5 吨 库1 酸-1",
        "2026-06-20 碱 产生 0.5 吨 库1 碱-1", "2026-06-20 砂 产生 5 吨 库1 -",
    )  # fmt: skip
    return ledger


@pytest.fixture
def worker(make_user, organisation):
    return make_user("WORKER", organisation, username="甲")


@pytest.fixture
def store(stock):
    return Place.objects.select_related("organisation").get(code="库1")


def said(code: str, x: int = 0, **more) -> ZoneSaid:
    return ZoneSaid(**{"code": code, "name": f"{code}区", "place": Rectangle(x, 0, 300, 200)} | more)


@pytest.fixture
def declare(store, officer):
    def declare(code: str, x: int = 0, by=officer, zone=None, version=0, **more) -> Zone:
        return services.declare_zone(
            store=store, said=said(code, x, **more), by=by, now=NOW, zone=zone, version=version
        )

    return declare


@pytest.fixture
def put(organisation, worker, stock):
    def put(lot: str, zone: str, client_id=None, by=worker, store="库1", now=NOW) -> Placement:
        return services.place_lot(
            organisation=organisation, store_code=store, lot_code=lot, zone_code=zone,
            client_id=client_id or uuid.uuid4(), by=by, now=now,
        )  # fmt: skip

    return put


def refusal(do, *args, **more) -> str:
    with pytest.raises(StorageRefused) as refused:
        do(*args, **more)
    return refused.value.code


def seen(store, today=TODAY) -> dict[str, tuple[list[str], Fullness, int]]:
    views, _ = queries.zone_views(store=store, today=today)
    return {v.zone.code: ([lot.lot_code for lot in v.lots], v.level, len(v.warnings)) for v in views}


def test_a_zone_is_declared_changed_and_not_overwritten_by_who_read_it_before(declare):
    zone = declare("A", permitted=("油", "HW34", "HW34"), capacity=Mass(5), containers=3)
    assert (zone.permitted, zone.capacity_g, zone.containers, zone.version) == (["HW34", "油"], 5, 3, 1)
    assert declare("A", zone=zone, version=1, name="新名").name == "新名"
    assert refusal(declare, "A", zone=zone, version=1) == Code.STALE_EDIT
    assert AuditEntry.objects.filter(action="storage.declare_zone").count() == 2


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"code": " "}, Code.ZONE_CODE_MISSING),
        ({"name": ""}, Code.ZONE_CODE_MISSING),
        ({"name": "一\n二"}, Code.TEXT_NOT_STORABLE),
        ({"code": "长" * 41}, Code.TEXT_NOT_STORABLE),
        ({"code": "A", "x": 900}, Code.ZONE_CODE_USED),
        ({"x": 299}, Code.ZONES_OVERLAP),
        ({"x": -1}, Code.ZONE_SIZE_WRONG),
        ({"x": 900, "place": Rectangle(900, 0, 0, 1)}, Code.ZONE_SIZE_WRONG),
        ({"x": 900, "containers": 0}, Code.ZONE_SIZE_WRONG),
        ({"x": 900, "capacity": Mass(0)}, Code.ZONE_SIZE_WRONG),
        ({"x": 900, "permitted": ("没有",)}, Code.PERMITTED_UNKNOWN),
    ],
)
def test_a_zone_that_cannot_be_so_is_refused(declare, more, code):
    declare("A")
    assert refusal(declare, **({"code": "B", "x": 900} | more)) == code
    assert Zone.objects.count() == 1


def test_zones_are_the_officers_and_placing_the_workers_and_nothing_a_strangers(
    declare, put, worker, make_user, make_organisation
):
    stranger = make_user("ENVIRONMENT_OFFICER", make_organisation("乙厂"))
    for by in (worker, stranger):
        with pytest.raises(NotPermitted):
            declare("A", by=by)
    declare("A")
    with pytest.raises(NotPermitted):
        put("桶-1", "A", by=stranger)
    assert not Placement.objects.exists()


def test_the_newest_placement_holds_and_a_retry_is_the_same(declare, put, store):
    declare("A"), declare("B", 500)
    client_id = uuid.uuid4()
    first = put("桶-1", "A", client_id)
    assert put("桶-1", "A", client_id) == first
    assert refusal(put, "桶-1", "B", client_id) == Code.CLIENT_ID_REUSED
    put("桶-2", "A"), put("桶-1", "B")
    assert {code: lots for code, (lots, _, _) in seen(store).items()} == {"A": ["桶-2"], "B": ["桶-1"]}
    put("桶-1", "")
    assert seen(store)["B"][0] == []
    _, loose = queries.zone_views(store=store, today=TODAY)
    assert [(lot.lot_code, lot.days) for lot in loose] == [
        ("散堆-砂", 11),
        ("桶-1", 11),
        ("碱-1", 11),
        ("酸-1", 20),
    ]


def test_what_is_not_there_not_permitted_or_not_known_is_refused(declare, put):
    declare("A", permitted=("HW34",))
    assert refusal(put, "桶-9", "A") == Code.LOT_NOT_THERE
    assert refusal(put, "桶-1", "A") == Code.NOT_PERMITTED_IN_ZONE
    assert refusal(put, "桶-1", "Z") == Code.ZONE_UNKNOWN
    assert refusal(put, "桶-1", "A", store="没有") == Code.STORE_UNKNOWN
    assert put("酸-1", "A").zone.code == "A"


def test_acid_and_lye_are_refused_in_one_zone_and_warned_of_side_by_side(declare, put, store):
    declare("A"), declare("B", 350), declare("C", 1000)
    put("酸-1", "A"), put("桶-1", "A")
    assert refusal(put, "碱-1", "A") == Code.INCOMPATIBLE_IN_ZONE
    put("碱-1", "B")
    assert [warnings for _, _, warnings in seen(store).values()] == [1, 1, 0]
    put("碱-1", "C")
    assert [warnings for _, _, warnings in seen(store).values()] == [0, 0, 0]


def test_what_a_zone_no_longer_permits_stays_and_is_warned_of(declare, put, store):
    zone = declare("A")
    put("桶-1", "A"), put("桶-2", "A")
    declare("A", zone=zone, version=1, permitted=("HW34",))
    [view], _ = queries.zone_views(store=store, today=TODAY)
    assert ([lot.lot_code for lot in view.lots], view.warnings) == (
        ["桶-1", "桶-2"],
        ["分区不再允许存放废物油"],
    )
    assert view.state == "有余量；有不合之处"


def test_how_full_is_by_mass_and_by_number_and_ends_when_the_lot_leaves(declare, put, store, stock):
    declare("A", capacity=Mass.of("1", "吨")), declare("B", 500, containers=1)
    put("桶-1", "A"), put("酸-1", "B")
    assert [each[1] for each in seen(store).values()] == [Fullness.NEAR, Fullness.NEAR]
    put("桶-2", "A"), put("桶-1", "B")
    assert [each[1] for each in seen(store).values()] == [Fullness.FREE, Fullness.OVER]
    stock.post("2026-07-01 油 委外处置 0.9 吨 库1 桶-1")
    assert seen(store)["B"] == (["酸-1"], Fullness.NEAR, 0)


def test_what_left_and_came_back_on_a_later_day_is_placed_anew(declare, put, store, stock):
    declare("A")
    put("桶-1", "A", now=NOW - timedelta(days=5))
    stock.post("2026-06-28 油 移库 0.9 吨 库1→库2 桶-1", "2026-06-30 油 移库 0.9 吨 库2→库1 桶-1")
    assert seen(store)["A"][0] == []
    put("桶-1", "A")
    assert seen(store)["A"][0] == ["桶-1"]


def test_placements_are_append_only(declare, put):
    declare("A")
    row = put("桶-1", "A")
    with pytest.raises(DatabaseError), transaction.atomic():
        Placement.objects.filter(pk=row.pk).update(zone=None)
    with pytest.raises(DatabaseError), transaction.atomic():
        Placement.objects.filter(pk=row.pk)._raw_delete("default")
    assert Placement.objects.filter(pk=row.pk, zone=F("zone")).exists()


def test_an_operators_hazardous_waste_has_a_year_and_a_producers_none(organisation, officer, stock):
    stock.post("2025-06-30 油 产生 0.1 吨 库1 旧-1", "2025-07-20 油 产生 0.1 吨 库1 旧-2")
    assert {row.due for row in queries.timed(organisation=organisation, today=TODAY)} == {Due.NO_LIMIT}
    OperatingPermit.objects.create(
        organisation=organisation, kind="COLLECTION", number="1", valid_from=date(2025, 1, 1),
        valid_through=date(2026, 12, 31), recorded_at=NOW, recorded_by=officer,
    )  # fmt: skip
    rows = queries.timed(organisation=organisation, today=TODAY)
    assert [(row.lot_code, row.due, row.days_left) for row in rows[:3]] == [
        ("旧-1", Due.OVERDUE, -1), ("旧-2", Due.SOON, 19), ("酸-1", Due.IN_TIME, 345),
    ]  # fmt: skip
    assert (rows[-1].lot_code, rows[-1].due) == ("散堆-砂", Due.NO_LIMIT)
    assert {row.due for row in queries.timed(organisation=organisation, today=date(2027, 1, 1))} == {
        Due.NO_LIMIT
    }


# --- pages


@pytest.fixture
def people(officer, worker, organisation, stock):
    return Person(officer, organisation.uscc), Person(worker, organisation.uscc)


def form(code: str, x: str = "0", **more) -> dict[str, str]:
    return {
        "code": code, "name": f"{code}区", "permitted": "", "tonnes": "1", "containers": "", "x": x, "y": "0", "width": "3",
        "depth": "2.5", "version": "0",
    } | more  # fmt: skip


def test_an_officer_draws_zones_and_a_worker_fills_them(people):
    officer, worker = people
    assert "还没有划分区" in text_of(officer.get("zones/"))
    assert officer.post("zones/new/?store=库1", **form("A", permitted="HW08，酸")).status_code == 302
    zone = Zone.objects.get()
    assert (zone.permitted, zone.capacity_g, zone.depth_cm) == (["HW08", "酸"], 1_000_000, 250)
    assert 'value="2.5"' in officer.get(f"zones/{zone.pk}/").content.decode()
    changed = officer.post(f"zones/{zone.pk}/", follow=True, **form("A", name="油区", version="1"))
    assert "油区" in text_of(changed)
    said = {"store": "库1", "lot": "桶-1", "zone": "A", "client_id": str(uuid.uuid4())}
    page = worker.post("zones/place/", follow=True, **said)
    assert "已放好“桶-1”" in text_of(page)
    drawn = re.search(r"<svg class=\"d-block\".*?</svg>", page.content.decode(), re.S)[0]
    days = (timezone.localdate() - date(2026, 6, 20)).days
    assert f"桶-1 {days} 天" in drawn
    assert "将满" in drawn
    assert 'width="300" height="250"' in drawn


def test_the_page_opens_on_the_store_that_has_zones(people, stock, officer):
    second = Place.objects.select_related("organisation").get(code="库2")
    services.declare_zone(store=second, said=said("Z9"), by=officer, now=NOW)
    page = people[0]
    assert "Z9区" in text_of(page.get("zones/"))
    assert "Z9区" not in text_of(page.get("zones/", store="库1"))


def test_what_is_refused_comes_back_with_its_reason(people):
    officer, worker = people
    officer.post("zones/new/?store=库1", **form("A", permitted="HW34"))
    said = {"store": "库1", "lot": "桶-1", "zone": "A", "client_id": str(uuid.uuid4())}
    answer = worker.post("zones/place/", **said)
    assert (answer.status_code, "不允许存放该废物" in text_of(answer)) == (422, True)
    answer = officer.post("zones/new/?store=库1", **form("B", "1"))
    assert (answer.status_code, "重叠" in text_of(answer)) == (422, True)
    assert officer.post("zones/new/?store=库1", **form("B", "很远")).status_code == 422
    assert officer.get("zones/", store="没有").status_code == 404


def test_the_limits_page_names_the_law_and_pages_its_rows(people, stock):
    officer, _ = people
    assert "第八十一条第三款" in text_of(officer.get("limits/"))
    stock.post(*(f"2026-06-21 油 产生 0.1 吨 库1 多-{at:03d}" for at in range(60)))
    assert "共 65 条，本页第 51–65 条" in text_of(officer.get("limits/", page="2"))


def test_pages_ask_as_much_for_one_lot_as_for_thirty(people, stock, declare, put):
    officer, _ = people

    def asked(path: str) -> int:
        with CaptureQueriesContext(connection) as seen:
            assert officer.get(path).status_code == 200
        return len(seen)

    declare("A")
    put("桶-1", "A")
    asked("zones/")
    few = [asked("zones/"), asked("limits/")]
    stock.post(*(f"2026-06-21 油 产生 0.1 吨 库1 多-{at:03d}" for at in range(30)))
    for at in range(15):
        put(f"多-{at:03d}", "A")
    for at in range(1, 10):
        declare(f"B{at}", at * 400)
    assert [asked("zones/"), asked("limits/")] == few
