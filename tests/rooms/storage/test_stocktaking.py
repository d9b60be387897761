"""Stock-taking: counted blind, twice where two differ a third time, explained by another, posted once."""

import uuid
from datetime import date, timedelta

import pytest
from django.db import DatabaseError, transaction
from django.db.models import F

from tests.conftest import NOW
from wufei.ledger.models import Movement
from wufei.ledger.services import MovementsRefused
from wufei.registry.models import AuditEntry
from wufei.registry.queries import NotPermitted
from wufei.storage import models, queries, services
from wufei.storage.models import BookLine, StocktakeCount, StocktakeDifference, StocktakeSheet
from wufei.storage.refusals import Code, StorageRefused
from wufei.storage.services import Found
from wufei.storage.stocktaking import Progress
from wufei.terms.mass import Mass

TODAY = date(2026, 7, 1)
LATER = NOW + timedelta(hours=1)


@pytest.fixture
def stock(ledger):
    """Two labelled drums and a heap in store 1; a drum in store 2."""
    ledger.stores(库1=None, 库2=None)
    ledger.streams("油", "砂")
    ledger.post(
        "2026-06-20 油 产生 0.2 吨 库1 桶-1", "2026-06-20 油 产生 0.3 吨 库1 桶-2", "2026-06-20 砂 产生 5 吨 库1 -",
        "2026-06-20 油 产生 0.4 吨 库2 桶-9",
    )  # fmt: skip
    return ledger


@pytest.fixture
def people(make_user, organisation, stock):
    return [make_user("WORKER", organisation, username=name) for name in ("甲", "乙", "丙")]


@pytest.fixture
def sheet(organisation, people):
    return open_sheet(organisation, people[0])


def open_sheet(organisation, by, store="库1", client_id=None, now=NOW) -> StocktakeSheet:
    return services.open_sheet(
        organisation=organisation, store_code=store, client_id=client_id or uuid.uuid4(), by=by, now=now
    )


def count(sheet, by, lot, kilograms, client_id=None, now=LATER, **more) -> StocktakeCount:
    mass = Mass.of(str(kilograms), "千克")
    method = "WEIGHED" if mass.grams else "MISSING"
    found = Found(**{"lot_code": lot, "method": method, "mass": mass} | more)
    return services.count_lot(sheet=sheet, found=found, client_id=client_id or uuid.uuid4(), by=by, now=now)


def count_all(sheet, by, **instead) -> None:
    """Count what the books say, but for what is given instead."""
    for lot, kilograms in ({"桶-1": 200, "桶-2": 300, "散堆-砂": 5000} | instead).items():
        count(sheet, by, lot, kilograms)


def close(sheet, by, now=LATER):
    return services.close_sheet(sheet=sheet, by=by, now=now)


def settle(sheet, by, moved_on=TODAY, now=LATER, **texts):
    return services.post_differences(sheet=sheet, explanations=texts, moved_on=moved_on, by=by, now=now)


def refusal(do, *args, **more) -> str:
    with pytest.raises(StorageRefused) as refused:
        do(*args, **more)
    return refused.value.code


def differences(sheet) -> dict[str, tuple[int, int]]:
    return {row.lot_code: (row.book_g, row.counted_g) for row in sheet.differences.all()}


def test_a_sheet_freezes_what_the_books_hold_of_its_store(sheet, stock):
    stock.post("2026-06-30 油 产生 0.1 吨 库1 桶-3")
    held = dict(BookLine.objects.filter(sheet=sheet).values_list("lot__code", "mass_g"))
    assert held == {"桶-1": 200_000, "桶-2": 300_000, "散堆-砂": 5_000_000}
    assert (sheet.number, sheet.name, sheet.seq) == (1, "盘点表1", 4)


def test_asked_again_by_the_same_client_the_same_sheet_is_returned(organisation, people):
    client_id = uuid.uuid4()
    first = open_sheet(organisation, people[0], client_id=client_id)
    assert open_sheet(organisation, people[0], client_id=client_id) == first
    assert refusal(open_sheet, organisation, people[0], "库2", client_id) == Code.CLIENT_ID_REUSED
    assert AuditEntry.objects.filter(action="storage.open_sheet").count() == 1


def test_a_store_has_one_sheet_at_a_time_until_its_differences_are_posted(
    organisation, people, officer, sheet
):
    assert refusal(open_sheet, organisation, people[0]) == Code.SHEET_STANDS
    assert open_sheet(organisation, people[0], "库2").number == 2
    count_all(sheet, people[0], **{"桶-1": 190})
    close(sheet, people[0])
    assert refusal(open_sheet, organisation, people[0]) == Code.SHEET_STANDS
    settle(sheet, officer, **{"桶-1": "渗漏"})
    assert open_sheet(organisation, people[0]).number == 3
    assert refusal(open_sheet, organisation, people[0], "没有") == Code.STORE_UNKNOWN


def test_who_may_not_post_may_not_count_and_a_stranger_neither(
    make_user, make_organisation, organisation, sheet
):
    stranger = make_user("ENVIRONMENT_OFFICER", make_organisation("乙厂"))
    for by in (stranger, make_user("AUTHORITY_OFFICER", make_organisation("局", kind="AUTHORITY"))):
        for do in (
            lambda by=by: open_sheet(organisation, by, "库2"),
            lambda by=by: count(sheet, by, "桶-1", 1),
            lambda by=by: close(sheet, by),
            lambda by=by: settle(sheet, by),
            lambda by=by: services.give_up_sheet(sheet=sheet, reason="错", by=by, now=NOW),
        ):
            with pytest.raises(NotPermitted):
                do()
    assert not StocktakeCount.objects.exists()


def test_a_worker_neither_posts_differences_nor_gives_a_sheet_up(people, sheet):
    count_all(sheet, people[0], **{"桶-1": 190})
    close(sheet, people[0])
    with pytest.raises(NotPermitted):
        settle(sheet, people[1], **{"桶-1": "渗漏"})
    with pytest.raises(NotPermitted):
        services.give_up_sheet(sheet=sheet, reason="错", by=people[1], now=NOW)


def test_each_counts_a_lot_once_and_a_retry_is_the_same_count(people, sheet):
    client_id = uuid.uuid4()
    first = count(sheet, people[0], "桶-1", 200, client_id)
    assert count(sheet, people[0], "桶-1", 200, client_id) == first
    assert refusal(count, sheet, people[0], "桶-1", 201, client_id) == Code.CLIENT_ID_REUSED
    assert refusal(count, sheet, people[1], "桶-1", 200, client_id) == Code.CLIENT_ID_REUSED
    assert refusal(count, sheet, people[0], "桶-1", 200) == Code.COUNTED_ALREADY
    assert count(sheet, people[1], "桶-1", 200).is_recount is False
    assert StocktakeCount.objects.count() == 2


def test_where_two_differ_a_third_count_is_asked_for_and_holds(people, sheet):
    count_all(sheet, people[0], **{"桶-1": 190})
    count(sheet, people[1], "桶-1", 195)
    assert refusal(close, sheet, people[0]) == Code.RECOUNT_MISSING
    assert count(sheet, people[0], "桶-1", 194).is_recount
    assert refusal(count, sheet, people[2], "桶-1", 193) == Code.RECOUNTED_ALREADY
    close(sheet, people[0])
    assert differences(sheet) == {"桶-1": (200_000, 194_000)}


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"lot": "桶-1", "kilograms": 0, "method": "WEIGHED"}, Code.MASS_OUT_OF_RANGE),
        ({"lot": "桶-1", "kilograms": 1, "method": "MISSING"}, Code.MASS_OUT_OF_RANGE),
        ({"lot": "桶-1", "kilograms": -1}, Code.MASS_OUT_OF_RANGE),
        ({"lot": "桶-1", "kilograms": 10**12}, Code.MASS_OUT_OF_RANGE),
        ({"lot": " ", "kilograms": 1}, Code.LOT_CODE_MISSING),
        ({"lot": "新-1", "kilograms": 1}, Code.STREAM_MISSING),
        ({"lot": "散堆-无", "kilograms": 1, "stream_code": "油"}, Code.STREAM_MISSING),
        ({"lot": "桶" * 81, "kilograms": 1}, Code.TEXT_NOT_STORABLE),
        ({"lot": "桶-1", "kilograms": 1, "note": "一\n二"}, Code.TEXT_NOT_STORABLE),
    ],
)
def test_a_count_that_cannot_be_so_is_refused(people, sheet, more, code):
    lot, kilograms = more.pop("lot"), more.pop("kilograms")
    assert refusal(count, sheet, people[0], lot, kilograms, **more) == code
    assert not StocktakeCount.objects.exists()


def test_a_sheet_is_closed_only_when_every_lot_was_looked_for(people, sheet):
    count(sheet, people[0], "桶-1", 200)
    with pytest.raises(StorageRefused) as refused:
        close(sheet, people[0])
    assert (refused.value.code, refused.value.detail) == (Code.LOTS_NOT_COUNTED, "散堆-砂、桶-2")


def test_what_is_missing_what_is_found_and_what_is_less_are_posted_by_another(people, sheet, officer, stock):
    count_all(sheet, people[0], **{"桶-1": 190, "桶-2": 0, "散堆-砂": 5200})
    count(sheet, people[0], "桶-9", 400)  # of another store, on the books
    count(sheet, people[0], "新-1", 50, stream_code="油")  # on no book
    close(sheet, people[1])
    assert differences(sheet) == {
        "桶-1": (200_000, 190_000), "桶-2": (300_000, 0), "散堆-砂": (5_000_000, 5_200_000), "桶-9": (0, 400_000),
        "新-1": (0, 50_000),
    }  # fmt: skip
    texts = {"桶-1": "渗漏", "桶-2": "误装车", "散堆-砂": "密度", "桶-9": "放错库", "新-1": "漏贴"}
    settle(sheet, officer, **texts)
    posted = Movement.objects.filter(kind__startswith="STOCKTAKE").order_by("kind", "lot__code", "mass_g")
    assert {(m.kind, m.lot.code, m.mass_g, m.note) for m in posted} == {
        ("STOCKTAKE_LOSS", "桶-1", 10_000, "盘点表1：渗漏"),
        ("STOCKTAKE_LOSS", "桶-2", 300_000, "盘点表1：误装车"),
        ("STOCKTAKE_GAIN", "散堆-砂", 200_000, "盘点表1：密度"),
        ("STOCKTAKE_GAIN", "桶-9", 400_000, "盘点表1：放错库"),
        ("STOCKTAKE_GAIN", "散堆-油", 50_000, "盘点表1：漏贴（账上没有的批次：新-1）"),
    }
    assert stock.holds("库1").grams == 190_000 + 5_200_000 + 400_000 + 50_000
    assert models.Explanation.objects.filter(movement__isnull=False).count() == 5


def test_posted_again_the_same_settlement_stands_and_another_is_refused(people, sheet, officer, stock):
    count_all(sheet, people[0], **{"桶-1": 190})
    close(sheet, people[0])
    first = settle(sheet, officer, **{"桶-1": "渗漏"})
    assert settle(sheet, officer, **{"桶-1": "渗漏"}) == first
    assert refusal(settle, sheet, officer, **{"桶-1": "另一个"}) == Code.POSTED_ALREADY
    assert Movement.objects.filter(kind="STOCKTAKE_LOSS").count() == 1
    assert close(sheet, people[0]) == sheet.closing


def test_every_difference_is_explained_by_one_who_did_not_count(people, sheet, officer):
    count_all(sheet, people[0], **{"桶-1": 190, "桶-2": 0})
    assert refusal(settle, sheet, officer, **{"桶-1": "渗漏"}) == Code.SHEET_NOT_CLOSED
    count(sheet, officer, "散堆-砂", 5000)
    close(sheet, people[0])
    assert refusal(settle, sheet, officer, **{"桶-1": "渗漏", "桶-2": "失"}) == Code.COUNTED_IT_ONESELF
    assert not Movement.objects.filter(kind__startswith="STOCKTAKE").exists()


def test_a_difference_without_a_word_and_a_day_out_of_order_are_refused(people, sheet, officer):
    count_all(sheet, people[0], **{"桶-1": 190, "桶-2": 0})
    close(sheet, people[0])
    both = {"桶-1": "渗漏", "桶-2": "失"}
    assert refusal(settle, sheet, officer, **(both | {"桶-2": "  "})) == Code.EXPLANATION_MISSING
    for day in (TODAY - timedelta(days=1), TODAY + timedelta(days=1)):
        assert refusal(settle, sheet, officer, moved_on=day, **both) == Code.DAY_OUT_OF_RANGE


def test_a_sheet_without_differences_needs_no_posting_and_frees_its_store(
    people, sheet, officer, organisation
):
    count_all(sheet, people[0])
    close(sheet, people[0])
    assert not StocktakeDifference.objects.exists()
    assert refusal(settle, sheet, officer) == Code.NOTHING_TO_POST
    assert open_sheet(organisation, people[0]).number == 2


# --- what moves meanwhile


def test_what_moved_between_opening_and_counting_is_no_difference(people, sheet, stock):
    stock.post("2026-07-01 油 委外处置 0.2 吨 库1 桶-1", "2026-07-01 砂 产生 1 吨 库1 -")
    count(sheet, people[0], "桶-1", 0)
    count(sheet, people[0], "桶-2", 300)
    count(sheet, people[0], "散堆-砂", 5900)  # of 6000 by then
    close(sheet, people[0])
    assert differences(sheet) == {"散堆-砂": (5_000_000, 4_900_000)}


def test_two_who_count_before_and_after_a_movement_agree(people, sheet, stock):
    count_all(sheet, people[0])
    stock.post("2026-07-01 砂 自行利用 2 吨 库1 -")
    assert count(sheet, people[1], "散堆-砂", 3000).at_opening_g == 5_000_000
    close(sheet, people[0])
    assert differences(sheet) == {}


def test_what_moved_after_counting_stays_and_only_the_difference_is_posted(people, sheet, officer, stock):
    count_all(sheet, people[0], **{"散堆-砂": 4900})
    stock.post("2026-07-01 砂 自行利用 2 吨 库1 -")
    close(sheet, people[0])
    settle(sheet, officer, **{"散堆-砂": "称量"})
    assert stock.holds("库1").grams == 500_000 + 2_900_000


def test_what_is_posted_late_of_days_before_the_sheet_is_not_posted_twice(people, sheet, officer, stock):
    count_all(sheet, people[0], **{"散堆-砂": 4000, "桶-2": 0})
    count(sheet, people[0], "新-1", 50, stream_code="油")
    close(sheet, people[0])
    stock.post("2026-06-30 砂 自行利用 0.9 吨 库1 -", "2026-06-30 油 产生 0.05 吨 库1 新-1")
    found = {each.row.lot_code: (each.late_g, each.due_g) for each in queries.to_post(sheet=sheet)}
    assert found == {"散堆-砂": (-900_000, -100_000), "桶-2": (0, -300_000), "新-1": (50_000, 0)}
    settle(sheet, officer, **{"散堆-砂": "漏记", "桶-2": "失", "新-1": "已补记"})
    assert stock.holds("库1").grams == 200_000 + 4_000_000 + 50_000
    assert models.Explanation.objects.get(difference__lot_code="新-1").movement is None


def test_the_ledger_is_not_overdrawn_and_nothing_is_half_posted(people, sheet, officer, stock):
    count_all(sheet, people[0], **{"桶-1": 0, "桶-2": 290})
    stock.post("2026-07-01 油 委外处置 0.2 吨 库1 桶-1")
    close(sheet, people[0])
    with pytest.raises(MovementsRefused) as refused:
        settle(sheet, officer, **{"桶-1": "失", "桶-2": "渗漏"})
    [(_, [why])] = refused.value.refusals
    assert why.code == "source_overdrawn"
    assert not Movement.objects.filter(kind__startswith="STOCKTAKE").exists()
    assert not models.Explanation.objects.exists()
    assert not models.StocktakeSettlement.objects.exists()


def test_a_gain_above_the_capacity_is_a_fact(people, organisation, officer, ledger, sheet):
    ledger.stores(小库="1")
    ledger.post("2026-06-20 砂 产生 0.9 吨 小库 -")
    small = open_sheet(organisation, people[0], "小库")
    count(small, people[0], "散堆-砂", 1200)
    close(small, people[0])
    settle(small, officer, **{"散堆-砂": "称量"})
    assert ledger.holds("小库").grams == 1_200_000


# --- nothing changes


def test_a_given_up_sheet_says_why_and_takes_no_more(people, sheet, officer, organisation):
    count(sheet, people[0], "桶-1", 1)
    assert (
        refusal(services.give_up_sheet, sheet=sheet, reason=" ", by=officer, now=NOW) == Code.REASON_MISSING
    )
    services.give_up_sheet(sheet=sheet, reason="选错了库", by=officer, now=NOW)
    assert refusal(count, sheet, people[0], "桶-2", 1) == Code.SHEET_CLOSED
    assert refusal(close, sheet, people[0]) == Code.SHEET_CLOSED
    assert refusal(settle, sheet, officer) == Code.SHEET_NOT_CLOSED
    assert open_sheet(organisation, people[0]).number == 2


def test_the_database_itself_refuses_to_change_a_sheet(people, sheet, officer):
    count_all(sheet, people[0], **{"桶-1": 190})
    close(sheet, people[0])
    settle(sheet, officer, **{"桶-1": "渗漏"})
    tables = (
        models.StocktakeSheet, BookLine, StocktakeCount, models.StocktakeClosing, StocktakeDifference,
        models.StocktakeSettlement, models.Explanation,
    )  # fmt: skip
    for table in tables:
        first = table.objects.first()
        assert first is not None, table
        with pytest.raises(DatabaseError, match=r"append_only|append-only"), transaction.atomic():
            table.objects.filter(pk=first.pk).update(
                **{(name := table._meta.concrete_fields[1].attname): F(name)}
            )
        with pytest.raises(DatabaseError), transaction.atomic():
            table.objects.filter(pk=first.pk)._raw_delete("default")
    stray = StocktakeCount.objects.get(lot_code="桶-2")
    stray.pk, stray.client_id, stray.counted_by = None, uuid.uuid4(), officer
    with pytest.raises(DatabaseError, match="sheet_closed"), transaction.atomic():
        stray.save(force_insert=True)


# --- blind


def test_who_counts_sees_neither_the_books_nor_the_others_masses(people, sheet):
    count(sheet, people[0], "桶-1", 190)
    count(sheet, people[1], "桶-1", 195)
    count(sheet, people[0], "新-1", 5, stream_code="油")
    rows = {row.lot_code: row for row in queries.to_count(sheet=sheet, by=people[1])}
    assert {code: row.progress for code, row in rows.items()} == {
        "桶-1": Progress.RECOUNT_ASKED, "桶-2": Progress.NOT_COUNTED, "散堆-砂": Progress.NOT_COUNTED,
        "新-1": Progress.COUNTED,
    }  # fmt: skip
    assert [each.mass_g for row in rows.values() for each in row.mine] == [195_000]
    assert (rows["新-1"].is_on_books, rows["桶-2"].is_on_books) == (False, True)
    assert not any(hasattr(row, "mass_g") or hasattr(row, "book_g") for row in rows.values())
