"""
Two phones at the same moment: a zone's rule holds, a sheet is counted, closed and posted once, mass is conserved.

On both databases, in threads that really commit. The control shows that the race is one.
"""

import threading
import time
import uuid
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any

from django.contrib.auth.hashers import make_password
from django.db import connection
from django.db.models import Case, F, Sum, When

from tests.conftest import NOW, valid_uscc
from tests.tables import LedgerTable
from wufei.ledger.models import Balance, Movement, Place
from wufei.registry.models import Organisation, RoleAssignment, User
from wufei.storage import models, queries, services
from wufei.storage.checklists import ItemResult
from wufei.storage.models import Inspection, Placement, StocktakeCount, StocktakeSheet
from wufei.storage.refusals import Code, StorageRefused
from wufei.storage.services import Found, InspectionSaid, LineSaid, ZoneSaid
from wufei.storage.zoning import Rectangle
from wufei.terms.mass import Mass

TODAY = date(2026, 7, 1)
LATER = NOW + timedelta(hours=1)
ROUNDS = 5


def at_once(tasks: Sequence[Callable[[], Any]]) -> list[Any]:
    """Run all at the same moment, each in a thread; return what each returned, or why it was refused."""
    barrier = threading.Barrier(len(tasks))
    found: list[Any] = [None] * len(tasks)
    broken: list[BaseException] = []

    def run(at: int) -> None:
        try:
            barrier.wait(timeout=120)
            try:
                found[at] = tasks[at]()
            except StorageRefused as refused:
                found[at] = refused.code
        except BaseException as error:
            broken.append(error)
            barrier.abort()
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(at,)) for at in range(len(tasks))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert broken == []
    return found


class World:
    def __init__(self) -> None:
        self.organisation = Organisation.objects.create(
            uscc=valid_uscc("91500110MA5U00001"), name="甲厂", kind="ENTERPRISE", division_code="500110",
            created_at=NOW,
        )  # fmt: skip
        self.officer, self.one, self.other = (
            self.person(name, role)
            for name, role in (("officer", "ENVIRONMENT_OFFICER"), ("甲", "WORKER"), ("乙", "WORKER"))
        )
        self.ledger = LedgerTable(organisation=self.organisation, by=self.officer, now=NOW)
        self.ledger.stores(库1=None)
        self.ledger.streams("酸", waste_code="900-300-34")
        self.ledger.streams("碱", waste_code="900-352-35")

    def person(self, name: str, role: str) -> User:
        user = User.objects.create(username=name, password=make_password(None))
        RoleAssignment.objects.create(user=user, organisation=self.organisation, role=role)
        return user

    @property
    def store(self) -> Place:
        return Place.objects.select_related("organisation").get(organisation=self.organisation, code="库1")

    def zone(self, code: str, x: int) -> None:
        said = ZoneSaid(code=code, name=code, place=Rectangle(x, 0, 100, 100))
        services.declare_zone(store=self.store, said=said, by=self.officer, now=NOW)

    def place(self, lot: str, zone: str, by: User, client_id=None) -> str:
        services.place_lot(
            organisation=self.organisation, store_code="库1", lot_code=lot, zone_code=zone,
            client_id=client_id or uuid.uuid4(), by=by, now=LATER,
        )  # fmt: skip
        return "placed"

    def sheet(self, by: User | None = None) -> StocktakeSheet:
        return services.open_sheet(
            organisation=self.organisation,
            store_code="库1",
            client_id=uuid.uuid4(),
            by=by or self.one,
            now=NOW,
        )

    def count(self, sheet: StocktakeSheet, lot: str, grams: int, by: User, client_id=None) -> int:
        found = Found(lot_code=lot, method="WEIGHED" if grams else "MISSING", mass=Mass(grams))
        row = services.count_lot(
            sheet=sheet, found=found, client_id=client_id or uuid.uuid4(), by=by, now=LATER
        )
        return row.pk

    def post(self, sheet: StocktakeSheet, by: User, text: str = "渗漏") -> int:
        settled = services.post_differences(
            sheet=sheet, explanations={"酸-1": text}, moved_on=TODAY, by=by, now=LATER
        )
        return settled.pk

    def held(self, lot: str) -> int:
        return Balance.objects.filter(place=self.store, lot__code=lot).aggregate(g=Sum("mass_g"))["g"] or 0

    def moved(self, lot: str) -> int:
        """What the movements say that the store holds of the lot."""
        store = self.store.pk
        signed = Case(When(target=store, then=F("mass_g")), When(source=store, then=-F("mass_g")), default=0)
        return Movement.objects.filter(lot__code=lot).aggregate(g=Sum(signed))["g"]


def test_of_acid_and_lye_that_two_phones_put_into_one_zone_one_stands_there(own_store):
    world = World()
    for at in range(ROUNDS):
        world.ledger.post(f"2026-06-20 酸 产生 0.5 吨 库1 酸-{at}", f"2026-06-20 碱 产生 0.5 吨 库1 碱-{at}")
        world.zone(f"Z{at}", at * 300)
        found = at_once(
            [
                lambda at=at: world.place(f"酸-{at}", f"Z{at}", world.one),
                lambda at=at: world.place(f"碱-{at}", f"Z{at}", world.other),
            ]
        )
        assert sorted(map(str, found)) == ["incompatible_in_zone", "placed"]
    views, loose = queries.zone_views(store=world.store, today=TODAY)
    assert [len(view.lots) for view in views] == [1] * ROUNDS
    assert len(loose) == ROUNDS


def test_the_race_itself_lets_both_in_where_nobody_waits(own_store, monkeypatch):
    """The control: without the lock each looks at an empty zone, and both stand there."""
    if own_store == "sqlite":  # one writer at a time: the lock is the database's
        return
    world = World()
    monkeypatch.setattr(services.zones, "_locked", lambda store: store)
    slow = services.zones._refuse_standing

    def refuse_slowly(*args) -> None:
        slow(*args)
        time.sleep(0.2)

    monkeypatch.setattr(services.zones, "_refuse_standing", refuse_slowly)
    world.ledger.post("2026-06-20 酸 产生 0.5 吨 库1 酸-1", "2026-06-20 碱 产生 0.5 吨 库1 碱-1")
    world.zone("A", 0)
    found = at_once(
        [lambda: world.place("酸-1", "A", world.one), lambda: world.place("碱-1", "A", world.other)]
    )
    assert found == ["placed", "placed"]


def test_zones_for_which_there_is_room_for_one_are_one(own_store):
    world = World()
    found = at_once([lambda code=code: world.zone(code, 0) for code in ("A", "B")])
    assert sorted(map(str, found)) == ["None", "zones_overlap"]
    assert models.Zone.objects.count() == 1


def test_one_placement_sent_by_two_phones_is_one(own_store):
    world = World()
    world.ledger.post("2026-06-20 酸 产生 0.5 吨 库1 酸-1")
    world.zone("A", 0)
    client_id = uuid.uuid4()
    found = at_once([lambda: world.place("酸-1", "A", world.one, client_id)] * 2)
    assert found == ["placed", "placed"]
    assert Placement.objects.count() == 1


def test_two_sheets_opened_at_the_same_moment_are_one(own_store):
    world = World()
    world.ledger.post("2026-06-20 酸 产生 0.5 吨 库1 酸-1")
    found = at_once([lambda by=by: world.sheet(by).number for by in (world.one, world.other)])
    assert sorted(map(str, found)) == ["1", "sheet_stands"]


def test_one_person_on_two_phones_counts_a_lot_once_and_two_people_twice(own_store):
    world = World()
    world.ledger.post("2026-06-20 酸 产生 0.5 吨 库1 酸-1")
    sheet = world.sheet()
    found = at_once([lambda grams=grams: world.count(sheet, "酸-1", grams, world.one) for grams in (5, 6)])
    assert found.count(Code.COUNTED_ALREADY) == 1
    first = StocktakeCount.objects.get()
    client_id = uuid.uuid4()
    again = at_once([lambda: world.count(sheet, "酸-1", first.mass_g, world.other, client_id)] * 2)
    assert len(set(again)) == 1
    assert StocktakeCount.objects.count() == 2


def test_a_third_count_that_two_enter_at_the_same_moment_is_one(own_store):
    world = World()
    world.ledger.post("2026-06-20 酸 产生 0.5 吨 库1 酸-1")
    sheet = world.sheet()
    world.count(sheet, "酸-1", 490_000, world.one), world.count(sheet, "酸-1", 480_000, world.other)
    found = at_once(
        [
            lambda: world.count(sheet, "酸-1", 485_000, world.one),
            lambda: world.count(sheet, "酸-1", 486_000, world.other),
        ]
    )
    assert found.count(Code.RECOUNTED_ALREADY) == 1
    assert StocktakeCount.objects.filter(is_recount=True).count() == 1


def test_a_count_and_the_closing_at_the_same_moment_leave_no_count_outside(own_store):
    """Whichever comes first: the second count is in the closing, or is refused."""
    world = World()
    for at in range(ROUNDS):
        world.ledger.post(f"2026-06-20 酸 产生 0.5 吨 库1 酸-{at}")
        sheet = world.sheet()
        for row in queries.to_count(sheet=sheet, by=world.one):
            world.count(sheet, row.lot_code, world.held(row.lot_code), world.one)
        counted, closed = at_once(
            [
                lambda at=at, sheet=sheet: world.count(sheet, f"酸-{at}", 400_000, world.other),
                lambda sheet=sheet: services.close_sheet(sheet=sheet, by=world.one, now=LATER).pk,
            ]
        )
        assert (counted is Code.SHEET_CLOSED) != (closed is Code.RECOUNT_MISSING)
        if closed is Code.RECOUNT_MISSING:
            services.give_up_sheet(sheet=sheet, reason="再来", by=world.officer, now=LATER)
        assert models.StocktakeClosing.objects.filter(sheet=sheet).count() == 1


def test_a_sheet_closed_and_posted_by_two_at_the_same_moment_is_posted_once_and_mass_is_conserved(own_store):
    world = World()
    second = world.person("officer-2", "ENVIRONMENT_OFFICER")
    world.ledger.post("2026-06-20 酸 产生 0.5 吨 库1 酸-1")
    sheet = world.sheet()
    world.count(sheet, "酸-1", 490_000, world.one)
    closings = at_once(
        [
            lambda by=by: services.close_sheet(sheet=sheet, by=by, now=LATER).pk
            for by in (world.one, world.other)
        ]
    )
    assert len(set(closings)) == 1
    sheet.refresh_from_db()
    found = at_once([lambda by=by: world.post(sheet, by) for by in (world.officer, second)])
    assert found.count(Code.POSTED_ALREADY) == 1
    assert Movement.objects.filter(kind="STOCKTAKE_LOSS").count() == 1
    assert (world.held("酸-1"), world.moved("酸-1")) == (490_000, 490_000)


def test_a_difference_posted_while_the_lot_leaves_is_whole_or_not_at_all(own_store):
    """What left meanwhile is the ledger's; the books never hold less than nothing, nor more than what is there."""
    from wufei.ledger.services import MovementsRefused

    world = World()
    world.ledger.post("2026-06-20 酸 产生 0.5 吨 库1 酸-1")
    sheet = world.sheet()
    world.count(sheet, "酸-1", 490_000, world.one)
    services.close_sheet(sheet=sheet, by=world.one, now=LATER)
    sheet.refresh_from_db()
    world.ledger.now = LATER

    def or_refused(do: Callable[[], Any]) -> str:
        try:
            do()
        except MovementsRefused:
            return "refused"
        return "done"

    found = at_once(
        [
            lambda: or_refused(lambda: world.post(sheet, world.officer)),
            lambda: or_refused(lambda: world.ledger.post("2026-07-01 酸 委外处置 0.5 吨 库1 酸-1")),
        ]
    )
    assert sorted(found) == ["done", "refused"]
    assert world.held("酸-1") == world.moved("酸-1") == (490_000 if found[0] == "done" else 0)


def test_an_inspection_sent_by_two_phones_is_one_and_two_have_their_own_numbers(own_store):
    world = World()
    line = LineSaid(
        requirement="gw-rain",
        result=ItemResult.NOT_MET,
        remark="漏雨",
        due_on=TODAY + timedelta(days=7),
        responsible="甲",
    )
    said = InspectionSaid(store_code="库1", facility="GENERAL_STORE", inspected_at=NOW, lines=[line])

    def record(client_id: uuid.UUID) -> int:
        return services.record_inspection(
            organisation=world.organisation, said=said, client_id=client_id, by=world.one, now=NOW
        ).number

    same = uuid.uuid4()
    assert set(at_once([lambda: record(same)] * 2)) == {1}
    assert sorted(at_once([lambda: record(uuid.uuid4())] * 3)) == [2, 3, 4]
    assert Inspection.objects.count() == models.CorrectiveAction.objects.count() == 4
    numbers = models.CorrectiveAction.objects.values_list("number", flat=True)
    assert sorted(numbers) == [1, 2, 3, 4]
