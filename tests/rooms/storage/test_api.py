"""Storage over the API: what a program reads, writes once, and is refused."""

import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.conftest import NOW
from tests.rooms.api.world import Api, token
from wufei.ledger.models import Movement
from wufei.storage.models import Inspection, Placement, StocktakeCount, StocktakeSheet, Zone

DAY = "2026-07-01"


@pytest.fixture(autouse=True)
def first_of_july(monkeypatch):
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)


@pytest.fixture
def stock(ledger):
    ledger.stores(库1=None, 库2=None)
    ledger.streams("油", waste_code="900-249-08")
    ledger.streams("酸", waste_code="900-300-34")
    ledger.streams("碱", waste_code="900-352-35")
    ledger.post(
        "2026-06-20 油 产生 0.2 吨 库1 桶-1", "2026-06-11 酸 产生 0.5 吨 库1 酸-1", "2026-06-20 碱 产生 0.5 吨 库1 碱-1",
    )  # fmt: skip
    return ledger


class Caller:
    def __init__(self, user, organisation) -> None:
        self.api, self.root = Api(token(user)), f"/organisations/{organisation.uscc}/"

    def get(self, path: str):
        return self.api.get(self.root + path)

    def post(self, path: str, body=None, key=None):
        return self.api.post(self.root + path, body, key=key)

    def put(self, path: str, body):
        return self.api.ask("PUT", self.root + path, body)


@pytest.fixture
def people(stock, officer, make_user, organisation):
    workers = [make_user("WORKER", organisation, username=name) for name in ("甲", "乙")]
    return [Caller(user, organisation) for user in (officer, *workers)]


def zone(code: str, x: int = 0, **more) -> dict[str, object]:
    there = {"store": "库1", "code": code, "name": f"{code}区", "x_cm": x, "y_cm": 0, "width_cm": 300}
    return there | {"depth_cm": 200} | more


def placing(lot: str, code: str, **more) -> dict[str, object]:
    return {"store": "库1", "lot": lot, "zone": code, "client_id": str(uuid.uuid4())} | more


def told(answer) -> tuple[int, str]:
    return answer.status_code, answer.json().get("code", "")


def test_a_zone_is_declared_filled_and_shown_with_what_stands_in_it(people):
    officer, worker, _ = people
    made = officer.post("zones", zone("A", capacity_g=600_000, permitted=["HW34", "油"]))
    assert made.status_code == 201, made.content.decode()
    number = made.json()["id"]
    assert worker.post("placements", placing("酸-1", "A")).status_code == 201
    shown = worker.get(f"zones/{number}").json()
    assert (shown["mass_g"], shown["level"], shown["standing_containers"]) == (500_000, "NEAR", 1)
    assert [(lot["lot"], lot["mass_g"], lot["days"]) for lot in shown["lots"]] == [("酸-1", 500_000, 20)]
    listed = worker.get("zones").json()
    assert (listed["store"], [each["code"] for each in listed["zones"]], listed["loose_lots"]) == (
        "库1",
        ["A"],
        2,
    )
    changed = officer.put(
        f"zones/{number}", {k: v for k, v in zone("A").items() if k != "store"} | {"version": 1}
    )
    assert (changed.status_code, changed.json()["permitted"], changed.json()["version"]) == (200, [], 2)


def test_what_may_not_be_is_refused_with_its_reason(people):
    officer, worker, _ = people
    for code, x in (("A", 0), ("B", 500)):
        officer.post("zones", zone(code, x, permitted=["HW34", "HW35"] if code == "A" else ["HW08"]))
    worker.post("placements", placing("酸-1", "A"))
    assert told(worker.post("placements", placing("碱-1", "A"))) == (409, "incompatible_in_zone")
    assert told(worker.post("placements", placing("酸-1", "B"))) == (409, "not_permitted_in_zone")
    assert told(worker.post("placements", placing("没有", "A"))) == (409, "lot_not_there")
    assert told(worker.post("placements", placing("酸-1", "A", store="没有"))) == (404, "store_unknown")
    assert told(worker.post("zones", zone("C", 900))) == (403, "not_permitted")
    assert told(officer.post("zones", zone("C", 100))) == (409, "zones_overlap")
    assert told(officer.post("zones", zone("C", 900, width_cm=0))) == (422, "zone_size_wrong")
    assert told(officer.get("zones?store=没有")) == (404, "store_unknown")
    assert told(officer.get("zones/999")) == (404, "zone_unknown")
    [first, _] = Zone.objects.order_by("code")
    stale = {k: v for k, v in zone("A").items() if k != "store"} | {"version": 7}
    assert told(officer.put(f"zones/{first.pk}", stale)) == (409, "stale_edit")
    assert Placement.objects.count() == 1


def test_a_placement_sent_again_counts_once_whatever_key_it_bears(people):
    officer, worker, _ = people
    officer.post("zones", zone("A"))
    said = placing("桶-1", "A")
    for key in ("k-1", "k-1", "k-2"):
        assert worker.post("placements", said, key=key).status_code == 201
    assert Placement.objects.count() == 1
    other = said | {"lot": "酸-1"}
    assert told(worker.post("placements", other)) == (409, "client_id_reused")


def test_what_stands_too_long_comes_first_and_says_by_what(people, organisation, officer):
    from wufei.registry.models import OperatingPermit

    OperatingPermit.objects.create(
        organisation=organisation, kind="COLLECTION", number="1", valid_from=NOW.date(), valid_through="2030-12-31",
        recorded_at=NOW, recorded_by=officer,
    )  # fmt: skip
    rows = people[1].get("time-limits").json()
    assert rows["total"] == 3
    first = rows["lots"][0]
    assert (first["lot"], first["days"], first["last"], first["due"]) == ("酸-1", 20, "2027-06-11", "IN_TIME")
    assert first["confidence"] == "verified"
    assert "第八十一条" in first["source"]
    assert people[1].get("time-limits?due=OVERDUE").json() == {"total": 0, "lots": []}
    assert len(people[1].get("time-limits?limit=1&offset=2").json()["lots"]) == 1


def counting(lot: str, grams: int, **more) -> dict[str, object]:
    said = {"method": "WEIGHED", "mass_g": grams} if grams else {"method": "MISSING"}
    return {"lot": lot, "client_id": str(uuid.uuid4())} | said | more


def test_a_store_is_counted_blind_closed_and_its_difference_posted_once(people):
    officer, one, other = people
    opened = one.post("stocktakes", {"store": "库1", "client_id": str(uuid.uuid4())})
    assert (opened.status_code, opened.json()["state"]) == (201, "OPEN")
    assert "200000" not in opened.content.decode()
    assert told(one.post("stocktakes/1/counts", counting("桶-1", 0, method="WEIGHED"))) == (
        422,
        "mass_out_of_range",
    )
    first = counting("桶-1", 190_000)
    assert one.post("stocktakes/1/counts", first).status_code == 201
    assert one.post("stocktakes/1/counts", first).status_code == 201
    assert told(one.post("stocktakes/1/counts", counting("桶-1", 190_000))) == (409, "counted_already")
    seen = other.get("stocktakes/1").content.decode()
    assert "190000" not in seen
    assert "200000" not in seen
    mine = one.get("stocktakes/1").json()["to_count"]
    assert [count["mass_g"] for row in mine for count in row["mine"]] == [190_000]
    assert told(one.post("stocktakes/1/close")) == (409, "lots_not_counted")
    for lot in ("酸-1", "碱-1"):
        other.post("stocktakes/1/counts", counting(lot, 500_000))
    closed = one.post("stocktakes/1/close").json()
    assert (closed["state"], closed["differences"]) == ("TO_POST", 1)
    assert [(d["lot"], d["book_g"], d["counted_g"], d["due_g"]) for d in closed["found"]] == [
        ("桶-1", 200_000, 190_000, -10_000)
    ]
    said = {"moved_on": DAY, "explanations": [{"lot": "桶-1", "text": "挥发"}]}
    assert told(one.post("stocktakes/1/post", said)) == (403, "not_permitted")
    assert told(officer.post("stocktakes/1/post", said | {"explanations": []})) == (
        422,
        "explanation_missing",
    )
    for key in ("p-1", "p-1", "p-2"):
        posted = officer.post("stocktakes/1/post", said, key=key)
        assert (posted.status_code, posted.json()["state"]) == (200, "POSTED")
    [loss] = Movement.objects.filter(kind="STOCKTAKE_LOSS")
    assert (loss.mass_g, posted.json()["found"][0]["movement"]) == (10_000, loss.seq)
    assert [row["state"] for row in officer.get("stocktakes").json()["stocktakes"]] == ["POSTED"]


def test_who_counted_does_not_post_and_a_sheet_given_up_takes_no_count(people):
    officer, one, _ = people
    said = {"store": "库1", "client_id": str(uuid.uuid4())}
    one.post("stocktakes", said)
    assert told(one.post("stocktakes", {"store": "库1", "client_id": str(uuid.uuid4())})) == (
        409,
        "sheet_stands",
    )
    for lot, grams in (("桶-1", 190_000), ("酸-1", 500_000), ("碱-1", 500_000)):
        officer.post("stocktakes/1/counts", counting(lot, grams))
    officer.post("stocktakes/1/close")
    explained = {"moved_on": DAY, "explanations": [{"lot": "桶-1", "text": "挥发"}]}
    assert told(officer.post("stocktakes/1/post", explained)) == (403, "counted_it_oneself")
    one.post("stocktakes", {"store": "库2", "client_id": str(uuid.uuid4())})
    assert officer.post("stocktakes/2/give-up", {"reason": "选错"}).json()["state"] == "GIVEN_UP"
    assert told(one.post("stocktakes/2/counts", counting("桶-9", 5, stream="油"))) == (409, "sheet_closed")
    assert told(one.get("stocktakes/9")) == (404, "stocktake_unknown")
    assert StocktakeSheet.objects.count() == 2
    assert StocktakeCount.objects.count() == 3


def inspecting(*lines, **more) -> dict[str, object]:
    there = {"store": "库1", "facility": "HAZARDOUS_STORE", "client_id": str(uuid.uuid4())}
    return there | {"lines": list(lines) or [{"requirement": "hw-signs", "result": "MET"}]} | more


WRONG = {
    "requirement": "hw-signs", "result": "NOT_MET", "remark": "标签脱落", "due_on": "2026-07-08", "responsible": "甲",
}  # fmt: skip


def test_an_inspection_is_recorded_once_and_opens_what_is_to_be_put_right(people):
    officer, one, _ = people
    said = inspecting(WRONG, {"requirement": "hw-zones", "result": "MET"})
    for key in ("i-1", "i-1", "i-2"):
        made = one.post("inspections", said, key=key)
        assert made.status_code == 201, made.content.decode()
    assert Inspection.objects.count() == 1
    shown = officer.get("inspections/1").json()
    assert (shown["not_met"], shown["to_correct"], shown["inspected_by"]) == (1, 1, "甲")
    results = {line["requirement"]: line["result"] for line in shown["lines"]}
    assert (results["hw-signs"], results["hw-zones"], results["hw-gas"]) == (
        "NOT_MET",
        "MET",
        "NOT_LOOKED_AT",
    )
    [action] = officer.get("corrective-actions?state=open").json()["corrective_actions"]
    assert (action["number"], action["inspection"], action["responsible"], action["due_on"]) == (
        1,
        1,
        "甲",
        "2026-07-08",
    )
    assert officer.get("corrective-actions?state=closed").json()["corrective_actions"] == []
    listed = officer.get("inspections?store=库1").json()
    assert [row["number"] for row in listed["inspections"]] == [1]
    assert [(each["store"], each["is_overdue"]) for each in listed["stores"]] == [
        ("库2", True),
        ("库1", False),
    ]


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        (inspecting({"requirement": "hw-signs", "result": "PERHAPS"}), (422, "request_malformed")),
        (inspecting({"requirement": "gw-rain", "result": "MET"}), (422, "requirement_unknown")),
        (inspecting(WRONG | {"remark": ""}), (422, "what_is_wrong_missing")),
        (inspecting(WRONG | {"due_on": None}), (422, "due_day_wrong")),
        (inspecting(WRONG | {"responsible": "陌生人"}), (409, "responsible_unknown")),
        (inspecting(inspected_at="2026-07-02T12:00:00+08:00"), (422, "inspected_in_future")),
        (inspecting(inspected_at="0001-01-01T00:00:00+14:00"), (422, "inspected_long_ago")),
        (inspecting(inspected_at="2026-07-01T09:00:00"), (422, "request_malformed")),
        (inspecting(store="没有"), (404, "store_unknown")),
    ],
)
def test_an_inspection_that_cannot_be_so_is_refused(people, said, answer):
    assert told(people[1].post("inspections", said)) == answer
    assert not Inspection.objects.exists()


def test_the_checklists_say_how_sure_they_are(people):
    rows = people[1].api.get("/storage-checklists").json()["checklists"]
    by_name = {row["facility"]: row for row in rows}
    assert len(by_name) == 5
    assert by_name["HAZARDOUS_STORE"]["interval_confidence"] == "UNVERIFIED"
    signs = next(each for each in by_name["HAZARDOUS_STORE"]["requirements"] if each["id"] == "hw-signs")
    assert (signs["clause"], signs["confidence"]) == ("4.6", "SECONDARY")


def test_lists_page_and_ask_as_much_for_one_row_as_for_thirty(people, stock):
    officer, one, _ = people

    def asked(path: str) -> int:
        with CaptureQueriesContext(connection) as seen:
            assert officer.get(path).status_code == 200
        return len(seen)

    officer.post("zones", zone("A"))
    one.post("inspections", inspecting(WRONG))
    one.post("stocktakes", {"store": "库1", "client_id": str(uuid.uuid4())})
    paths = ("zones", "time-limits", "stocktakes", "inspections", "inspections/1", "corrective-actions")
    [asked(path) for path in paths]
    few = [asked(path) for path in paths]
    stock.stores(**{f"库{at}": None for at in range(3, 33)})
    stock.post(*(f"2026-06-21 油 产生 0.1 吨 库1 多-{at:03d}" for at in range(30)))
    for at in range(3, 33):
        one.post("stocktakes", {"store": f"库{at}", "client_id": str(uuid.uuid4())})
        one.post("inspections", inspecting(WRONG))
        officer.post("zones", zone(f"Z{at}", at * 400))
    assert [asked(path) for path in paths] == few
    for path, name in (
        ("stocktakes", "stocktakes"),
        ("inspections", "inspections"),
        ("corrective-actions", "corrective_actions"),
    ):
        first = officer.get(f"{path}?limit=20").json()
        second = officer.get(f"{path}?limit=20&cursor={first['next']}").json()
        numbers = [row["number"] for page in (first, second) for row in page[name]]
        assert numbers == sorted(range(1, 32), reverse=True)
        assert second["next"] is None


def test_a_stranger_is_told_of_nothing(people, make_user, make_organisation, organisation):
    people[0].post("zones", zone("A"))
    people[1].post("inspections", inspecting(WRONG))
    stranger = Caller(
        make_user("ENVIRONMENT_OFFICER", make_organisation("乙厂"), username="乙厂人"), organisation
    )
    for path in (
        "zones",
        f"zones/{Zone.objects.get().pk}",
        "inspections/1",
        "corrective-actions",
        "stocktakes",
    ):
        assert told(stranger.get(path)) == (404, "organisation_unknown")
