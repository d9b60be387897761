"""The storage pages as people use them: a worker opens and counts, another counts, an officer explains and posts."""

import re
import uuid

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from wufei.ledger.models import Movement
from wufei.storage.models import StocktakeCount, StocktakeSheet

# What one must be allowed to: for tests/rooms/web/test_every_route.py.
ROWS = {
    "storage:stocktakes": {"GET": "read the ledger", "POST": "post"},
    "storage:stocktake": {"GET": "read the ledger"},
    "storage:count": {"POST": "post"},
    "storage:close": {"POST": "post"},
    "storage:give-up": {"POST": "reverse"},
    "storage:post": {"POST": "reverse"},
    "storage:zones": {"GET": "read the ledger"},
    "storage:new-zone": {"GET": "edit", "POST": "edit"},
    "storage:zone": {"GET": "edit", "POST": "edit"},
    "storage:place": {"POST": "post"},
    "storage:limits": {"GET": "read the ledger"},
}


@pytest.fixture(autouse=True)
def static_folder(settings):
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)


class Person:
    def __init__(self, user, uscc: str) -> None:
        self.client, self.root = Client(), f"/o/{uscc}/storage/"
        self.client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")

    def get(self, path: str, **said):
        return self.client.get(f"{self.root}{path}", said)

    def post(self, path: str, follow: bool = False, **said):
        return self.client.post(f"{self.root}{path}", said, follow=follow)

    def open(self, store: str = "库1"):
        return self.post("stocktakes/", store=store, client_id=str(uuid.uuid4()), follow=True)

    def count(self, lot: str, kilograms: str, follow: bool = True, **more):
        said = {
            "lot": lot, "method": "WEIGHED" if kilograms else "MISSING", "amount": kilograms, "unit": "千克", "stream": "",
            "note": "", "client_id": str(uuid.uuid4()),
        }  # fmt: skip
        return self.post("stocktakes/1/count/", follow=follow, **(said | more))


@pytest.fixture
def stock(ledger):
    ledger.stores(库1=None)
    ledger.streams("油", "砂")
    ledger.post("2026-06-20 油 产生 0.217 吨 库1 桶-1", "2026-06-20 砂 产生 5.431 吨 库1 -")
    return ledger


@pytest.fixture
def people(stock, officer, make_user, organisation):
    workers = [make_user("WORKER", organisation, username=name) for name in ("甲", "乙")]
    return [Person(user, organisation.uscc) for user in (officer, *workers)]


def text_of(response) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def test_a_store_is_counted_blind_and_the_difference_posted(people):
    officer, one, other = people
    shown = text_of(one.open())
    assert "盘点表1 · 库1" in shown
    assert "桶-1" in shown
    for reader in people:
        page = text_of(reader.get("stocktakes/1/"))
        assert "0.217" not in page
        assert "5.431" not in page
    assert "已登记“桶-1”" in text_of(one.count("桶-1", "200"))
    assert "0.2" not in text_of(other.get("stocktakes/1/"))
    assert "待复盘" in text_of(other.count("桶-1", "210"))
    one.count("桶-1", "211"), other.count("散堆-砂", "5431")
    closed = text_of(one.post("stocktakes/1/close/", follow=True))
    assert "0.217 0.211 -0.006" in closed
    assert "差异由没有参加盘点的环保专员" not in text_of(officer.get("stocktakes/1/"))
    assert "您参加了这次盘点" in closed
    why = re.findall(r'name="(why-\d+)"', officer.get("stocktakes/1/").content.decode())
    done = text_of(officer.post("stocktakes/1/post/", follow=True, moved_on=_day(), **{why[0]: "渗漏"}))
    assert "差异已记账" in done
    assert "渗漏" in done
    assert Movement.objects.get(kind="STOCKTAKE_LOSS").mass_g == 6_000


def _day() -> str:
    return StocktakeSheet.objects.get().opened_on.isoformat()


def test_a_wrong_entry_comes_back_with_its_reason_by_the_field(people):
    one = people[1]
    one.open()
    for said, words in (
        ({"lot": "桶-1", "kilograms": "很多"}, "输入"),
        ({"lot": "桶-1", "kilograms": "", "method": "WEIGHED"}, "请填写盘得的数量"),
        ({"lot": "桶-1", "kilograms": "0.0001"}, "精确到 1 克"),
        ({"lot": "桶-1", "kilograms": "-3"}, "应大于零"),
        ({"lot": "陌生", "kilograms": "3"}, "账上没有这个批次"),
    ):
        answer = one.count(said.pop("lot"), said.pop("kilograms"), follow=False, **said)
        assert answer.status_code == 422
        assert words in text_of(answer)
    assert not StocktakeCount.objects.exists()
    assert "还有批次没有盘" in text_of(one.post("stocktakes/1/close/", follow=True))


def test_an_unexplained_or_overdrawn_difference_stays_on_the_page(people, stock):
    officer, one, _ = people
    one.open(), one.count("桶-1", ""), one.count("散堆-砂", "5431"), one.post("stocktakes/1/close/")
    [why] = re.findall(r'name="(why-\d+)"', officer.get("stocktakes/1/").content.decode())
    assert officer.post("stocktakes/1/post/", moved_on=_day()).status_code == 422
    day = StocktakeSheet.objects.get().opened_on
    stock.now = StocktakeSheet.objects.get().opened_at
    stock.post(f"{day} 油 委外处置 0.1 吨 库1 桶-1")
    answer = officer.post("stocktakes/1/post/", moved_on=_day(), **{why: "失"})
    assert answer.status_code == 422
    assert "库存不足" in text_of(answer)
    assert not Movement.objects.filter(kind="STOCKTAKE_LOSS").exists()


def test_posting_before_the_end_or_without_differences_says_why(people):
    officer, one, _ = people
    one.open()
    assert "盘点还没有结束" in text_of(officer.post("stocktakes/1/post/", follow=True))
    one.count("桶-1", "217"), one.count("散堆-砂", "5431")
    assert "账实相符" in text_of(one.post("stocktakes/1/close/", follow=True))
    assert "没有差异，不需要记账" in text_of(officer.post("stocktakes/1/post/", follow=True))


def test_an_officer_gives_a_sheet_up_with_a_reason(people):
    officer, one, _ = people
    one.open()
    assert "该设施有一张盘点表还没有办完" in text_of(one.open())
    assert officer.post("stocktakes/1/give-up/", reason="").status_code == 422
    assert "选错了库" in text_of(officer.post("stocktakes/1/give-up/", reason="选错了库", follow=True))
    assert "盘点表2" in text_of(one.open())


def test_the_lots_of_a_sheet_are_found_and_paged(people, stock):
    one = people[1]
    stock.post(*(f"2026-06-21 油 产生 0.1 吨 库1 多-{at:03d}" for at in range(60)))
    one.open()
    assert "共 62 条，本页第 51–62 条" in text_of(one.get("stocktakes/1/", page="2"))
    assert "共 1 条" in text_of(one.get("stocktakes/1/", text="多-007"))
    one.count("桶-1", "217")
    assert "共 61 条" in text_of(one.get("stocktakes/1/", waits="yes"))
    assert "没有符合条件的记录" in text_of(one.get("stocktakes/1/", text="没有"))


def test_pages_ask_as_much_for_one_row_as_for_thirty(people, stock):
    officer, one, _ = people

    def asked(path: str) -> int:
        with CaptureQueriesContext(connection) as seen:
            assert officer.get(path).status_code == 200
        return len(seen)

    one.open(), one.count("桶-1", "217"), one.count("散堆-砂", "5000"), one.post("stocktakes/1/close/")
    stock.stores(**{f"库{at}": None for at in range(3, 33)})
    asked("stocktakes/")
    few, of_few = asked("stocktakes/"), asked("stocktakes/1/")
    for at in range(3, 33):
        one.open(f"库{at}")
    assert asked("stocktakes/") == few
    stock.stores(大=None)
    stock.post(*(f"2026-06-21 油 产生 0.1 吨 大 多-{at:03d}" for at in range(30)))
    one.open("大")
    number = StocktakeSheet.objects.get(store__code="大").number
    empty = StocktakeSheet.objects.get(store__code="库3").number
    assert asked(f"stocktakes/{number}/") == asked(f"stocktakes/{empty}/")
    for at in range(30):
        said = {"lot": f"多-{at:03d}", "method": "MISSING", "unit": "千克", "client_id": str(uuid.uuid4())}
        assert one.post(f"stocktakes/{number}/count/", **said).status_code == 302
    one.post(f"stocktakes/{number}/close/")
    assert asked(f"stocktakes/{number}/") == of_few


def test_without_a_store_the_page_says_what_comes_first(officer, organisation):
    assert "还没有申报贮存设施" in text_of(Person(officer, organisation.uscc).get("stocktakes/"))
