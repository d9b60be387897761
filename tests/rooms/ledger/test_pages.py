"""The ledger's pages, as people use them: what they read, what is posted, and what is refused."""

import io
import re
import uuid
from datetime import date

import openpyxl
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from wufei.ledger import services
from wufei.ledger.models import MonthClosing, Movement, Place, Stream
from wufei.ledger.posting import Code
from wufei.ledger.views.entry import FIELD_OF
from wufei.ledger.wording import REFUSAL_TEXT


@pytest.fixture(autouse=True)
def static_folder(settings):
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)


@pytest.fixture
def books(ledger):
    """Two stores, two streams, and a small year."""
    ledger.stores(库1="100", 库2=None)
    ledger.streams("A", "B")
    ledger.post("2025-01-10 A 产生 30 吨 库1 -", handler="张三", note="一号炉")
    ledger.post("2025-02-10 A 委外利用 10 吨 库1 -", counterparty="綦岭水泥", method="生产水泥")
    ledger.post("2025-03-10 B 产生 2 吨 库2 桶-01")
    ledger.post("2025-03-20 B 委外处置 1.5 吨 库2 桶-01")
    return ledger


def signed_in(user) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def page(officer, organisation):
    """Read a page of the organisation: `page("ledger/")`."""
    client = signed_in(officer)

    def read(path: str, **said):
        return client.get(f"/o/{organisation.uscc}/{path}", said)

    return read


def text_of(response) -> str:
    content = re.sub(r"<[^>]+>", " ", response.content.decode())
    return re.sub(r"\s+", " ", content)


def rows_of(response) -> list[int]:
    return [row.seq for row in response.context["listing"].rows]


def entry(organisation, **said) -> dict[str, str]:
    given = {
        "kind": "GENERATION", "stream": "A", "amount": "5", "unit": "吨", "moved_on": "2025-04-01", "store": "库1",
        "lot": "", "method": "", "counterparty": "", "handler": "李四", "note": "", "client_id": str(uuid.uuid4()),
    }  # fmt: skip
    return given | said


# --- the list


def test_the_list_shows_the_latest_first_with_totals_by_kind(books, page):
    shown = page("ledger/")

    assert rows_of(shown) == [4, 3, 2, 1]
    totals = {t.label: (t.count, t.mass_g) for t in shown.context["totals"]}
    assert totals == {
        "产生": (2, 32_000_000), "委外利用": (1, 10_000_000), "委外处置": (1, 1_500_000)
    }  # fmt: skip
    assert "綦岭水泥 · 生产水泥" in text_of(shown)


@pytest.mark.parametrize(
    ("said", "seqs"),
    [
        ({"since": "2025-02-01", "through": "2025-03-15"}, [3, 2]),
        ({"kind": "GENERATION"}, [3, 1]),
        ({"stream": "B"}, [4, 3]),
        ({"store": "库1"}, [2, 1]),
        ({"lot": "桶-01"}, [4, 3]),
        ({"party": "水泥"}, [2]),
        ({"text": "一号炉"}, [1]),
        ({"text": "张三"}, [1]),
        ({"text": "生产水泥"}, [2]),
        ({"text": "桶"}, [4, 3]),
        ({"text": "#3"}, [3]),
        ({"text": "没有这个"}, []),
        ({"only": "unnamed"}, [4]),
        ({"only": "reversed"}, []),
        ({"sort": "mass"}, [4, 3, 2, 1]),
        ({"sort": "day"}, [1, 2, 3, 4]),
        ({"sort": "nonsense"}, [4, 3, 2, 1]),
        ({"since": "2025-02-30", "kind": "GENERATION"}, [3, 1]),
    ],
)
def test_the_list_is_narrowed_and_sorted(books, page, said, seqs):
    shown = page("ledger/", **said)

    assert rows_of(shown) == seqs
    assert sum(t.count for t in shown.context["totals"]) == len(seqs)


def test_a_period_that_ends_before_it_begins_lists_nothing_and_says_why(books, page):
    asked = {"since": "2025-03-01", "through": "2025-02-01"}
    shown = page("ledger/", **asked)

    assert (rows_of(shown), shown.context["totals"]) == ([], [])
    assert "结束日期早于开始日期" in text_of(shown)
    assert page("ledger/", part="totals", **asked).context["totals"] == []
    content = b"".join(page("ledger/export.xlsx", **asked).streaming_content)
    sheet = openpyxl.load_workbook(io.BytesIO(content))["台账"]
    assert not [row for row in sheet.iter_rows(min_row=2, values_only=True) if any(row)]


@pytest.mark.parametrize(
    ("asked", "number"), [("0", 1), ("-1", 1), ("", 1), ("x", 1), ("2", 2), ("99", 2), ("00", 1)]
)
def test_a_page_below_the_first_is_the_first_and_past_the_last_the_last(ledger, page, asked, number):
    ledger.stores(库1="1000")
    ledger.streams("A")
    ledger.post(*(f"2025-01-{day:02d} A 产生 1 吨 库1 -" for day in range(1, 29)))
    ledger.post(*(f"2025-02-{day:02d} A 产生 1 吨 库1 -" for day in range(1, 29)))

    assert page("ledger/", page=asked).context["listing"].page.number == number


def test_only_reversed_shows_both_the_mistake_and_its_reversal(books, page, officer, now):
    mistake = Movement.objects.get(seq=2)
    services.reverse(movement=mistake, reason="磅单录错", by=officer, now=now)

    assert rows_of(page("ledger/", only="reversed")) == [5, 2]
    assert "已冲正" in text_of(page("ledger/"))
    # The totals take the reversal off.
    totals = {t.label: t.mass_g for t in page("ledger/").context["totals"]}
    assert totals["委外利用"] == 0


def test_totals_of_whole_months_equal_totals_that_were_counted(books, page):
    by_flow = page("ledger/", since="2025-01-01", through="2025-03-31")
    counted = page("ledger/", since="2025-01-02", through="2025-03-31")

    assert by_flow.context["totals"] == counted.context["totals"]


def test_too_many_rows_to_sum_at_once_are_summed_by_a_request_of_their_own(books, page, monkeypatch):
    monkeypatch.setattr("wufei.ledger.views.listing.MAX_COUNTED", 1)

    shown = page("ledger/", store="库1")
    assert (shown.context["totals"], shown.context["listing"].is_capped) == (None, True)
    assert rows_of(shown) == [2]
    later = page("ledger/", store="库1", part="totals")
    assert [(t.label, t.mass_g) for t in later.context["totals"]] == [
        ("产生", 30_000_000),
        ("委外利用", 10_000_000),
    ]


def test_a_list_asks_the_same_number_of_queries_for_one_row_and_for_a_hundred(ledger, page):
    ledger.stores(库1=None)
    ledger.streams("A")
    ledger.post("2025-01-10 A 产生 1 吨 库1 -", handler="甲")
    counts = []
    for search in ({}, {"text": "甲"}):
        with CaptureQueriesContext(
            connection,
        ) as asked:
            page("ledger/", **search)
        counts.append(len(asked))
    ledger.post(*["2025-01-11 A 产生 1 吨 库1 -"] * 99, handler="甲")
    for before, search in zip(counts, ({}, {"text": "甲"}), strict=True):
        with CaptureQueriesContext(connection) as asked:
            shown = page("ledger/", **search)
        assert (len(asked), len(rows_of(shown))) == (before, 50)


# --- who may see and do what


def test_another_organisations_people_find_nothing(books, make_user, make_organisation, organisation):
    stranger = signed_in(make_user("ENVIRONMENT_OFFICER", make_organisation()))
    base = f"/o/{organisation.uscc}/ledger/"
    row, store, stream = Movement.objects.first(), Place.objects.get(code="库1"), Stream.objects.get(code="A")

    for path in (
        "", "export.xlsx", "new/", "1/", "1/reverse/", "stock/", "months/", "streams/", "streams/new/", "stores/",
        "stores/new/", f"streams/{stream.pk}/", f"stores/{store.pk}/",
    ):  # fmt: skip
        assert stranger.get(base + path).status_code == 404, path
    for path in ("new/", "new/check/", f"{row.seq}/reverse/", "months/close/"):
        assert stranger.post(base + path, entry(organisation)).status_code == 404, path
    assert Movement.objects.count() == 4


def test_another_organisations_stream_is_not_opened_under_ones_own_address(
    books, make_organisation, make_user
):
    own = make_organisation()
    client = signed_in(make_user("ENVIRONMENT_OFFICER", own))

    for kind, row in (("streams", Stream.objects.get(code="A")), ("stores", Place.objects.get(code="库1"))):
        assert client.get(f"/o/{own.uscc}/ledger/{kind}/{row.pk}/").status_code == 404
    assert client.get(f"/o/{own.uscc}/ledger/1/").status_code == 404


def test_a_worker_posts_but_neither_reverses_nor_closes_nor_declares(books, make_user, organisation):
    worker = signed_in(make_user("WORKER", organisation))
    base = f"/o/{organisation.uscc}/ledger/"

    assert worker.post(base + "new/", entry(organisation)).status_code == 302
    assert "冲正" not in text_of(worker.get(base + "1/")).replace("链上", "")
    for path in ("1/reverse/", "months/close/", "streams/new/", "stores/new/"):
        assert worker.post(base + path, {"reason": "试试"}).status_code == 403, path
    assert not Movement.objects.filter(reverses__isnull=False).exists()


def test_nobody_reads_a_ledger_without_signing_in(books, organisation):
    answer = Client().get(f"/o/{organisation.uscc}/ledger/")

    assert (answer.status_code, "next=" in answer["Location"]) == (302, True)


# --- the export


def test_the_export_has_numbers_as_numbers_and_no_formula(books, page, officer, now):
    books.post("2025-05-01 A 产生 0.000001 吨 库1 -", note="=cmd|'/c calc'!A1", handler="@SUM(1)")
    services.reverse(movement=Movement.objects.get(seq=2), reason="+1", by=officer, now=now)

    answer = page("ledger/export.xlsx")
    content = b"".join(answer.streaming_content)
    book = openpyxl.load_workbook(io.BytesIO(content))
    sheet = book["台账"]
    cells = [cell for line in sheet.iter_rows() for cell in line]
    assert [cell.coordinate for cell in cells if cell.data_type == "f"] == []
    assert b"<f>" not in content
    amounts = {line[0].value: line[6].value for line in sheet.iter_rows(min_row=2)}
    assert amounts == {1: 30, 2: 10, 3: 2, 4: 1.5, 5: 0.000001, 6: -10}
    assert "=cmd|'/c calc'!A1" in [cell.value for cell in cells]
    assert book["说明"]["B2"].value == books.organisation.uscc


def test_the_export_has_what_the_filter_shows(books, page):
    content = b"".join(page("ledger/export.xlsx", stream="B").streaming_content)

    sheet = openpyxl.load_workbook(io.BytesIO(content))["台账"]
    assert [line[0].value for line in sheet.iter_rows(min_row=2)] == [3, 4]


# --- one movement


def test_a_movement_shows_its_facts_its_chain_and_its_lot_both_ways(books, page):
    shown = page("ledger/4/")

    read = text_of(shown)
    row = Movement.objects.get(seq=4)
    assert row.chain_hash in read
    assert row.previous_hash in read
    assert [r.seq for r in shown.context["came"]] == [3]
    assert [r.seq for r in page("ledger/3/").context["went"]] == [4]
    assert "缺对方单位" in text_of(page("ledger/"))


def test_there_is_no_page_of_a_movement_that_is_not(books, page):
    assert page("ledger/99/").status_code == 404
    assert page("ledger/99999999999999999999/").status_code == 404


# --- quick entry


def test_an_entry_is_posted_and_said(books, officer, organisation):
    client = signed_in(officer)
    said = entry(organisation, amount="1.25", method="", note="夜班")

    answer = client.post(f"/o/{organisation.uscc}/ledger/new/", said, follow=True)

    row = Movement.objects.get(seq=5)
    assert (row.mass_g, row.handler, row.note, str(row.client_id)) == (
        1_250_000,
        "李四",
        "夜班",
        said["client_id"],
    )
    assert "已记账：第 5 号，产生 废物A 1.25 吨。" in text_of(answer)


def test_the_same_form_sent_twice_posts_once(books, officer, organisation):
    client, said = signed_in(officer), entry(organisation)

    first = client.post(f"/o/{organisation.uscc}/ledger/new/", said)
    second = client.post(f"/o/{organisation.uscc}/ledger/new/", said)

    assert first["Location"] == second["Location"]
    assert Movement.objects.count() == 5


def test_the_same_form_with_other_content_is_not_posted(books, officer, organisation):
    client, said = signed_in(officer), entry(organisation)
    client.post(f"/o/{organisation.uscc}/ledger/new/", said)

    answer = client.post(f"/o/{organisation.uscc}/ledger/new/", said | {"amount": "6"})

    assert (answer.status_code, Movement.objects.count()) == (422, 5)
    assert "这张表此前已经记过账" in text_of(answer)
    # The next try carries another id.
    assert answer.context["form"]["client_id"].value() != said["client_id"]


@pytest.mark.parametrize(
    ("said", "field", "words"),
    [
        (
            {"kind": "CONTRACTED_UTILISATION", "amount": "21"},
            "amount",
            "差 1 吨。" + REFUSAL_TEXT[Code.SOURCE_OVERDRAWN],
        ),
        ({"amount": "81"}, "amount", "超出 1 吨。" + REFUSAL_TEXT[Code.TARGET_OVER_CAPACITY]),
        ({"moved_on": "2026-12-31"}, "moved_on", REFUSAL_TEXT[Code.MOVED_ON_IN_FUTURE]),
        ({"kind": "OWN_DISPOSAL", "lot": "桶-09"}, "lot", REFUSAL_TEXT[Code.LOT_UNKNOWN]),
        ({"lot": "桶-01"}, "lot", REFUSAL_TEXT[Code.LOT_CODE_USED]),
        ({"amount": "0"}, "amount", "数量应大于零；请核对数量。"),
        ({"amount": "0.0000001"}, "amount", None),
        ({"amount": "0.0005", "unit": "千克"}, "amount", "最小记到 1 克；请减少小数位数。"),
        ({"amount": "many"}, "amount", None),
        ({"stream": "Z"}, "stream", None),
        ({"kind": ""}, "kind", None),
    ],
)
def test_a_refused_entry_says_why_and_posts_nothing(
    books, officer, organisation, said, field, words, monkeypatch, now
):
    monkeypatch.setattr("django.utils.timezone.now", lambda: now)
    answer = signed_in(officer).post(f"/o/{organisation.uscc}/ledger/new/", entry(organisation, **said))

    errors = answer.context["form"].errors
    assert (answer.status_code, list(errors)) == (422, [field])
    if words:
        assert errors[field] == [words]
    assert Movement.objects.count() == 4


def test_every_refusal_has_words():
    assert list(REFUSAL_TEXT) == list(Code)
    assert set(FIELD_OF) == set(Code) - {Code.TEXT_NOT_STORABLE}


def test_the_check_says_beforehand_what_the_ledger_would_say(books, officer, organisation):
    client, address = signed_in(officer), f"/o/{organisation.uscc}/ledger/new/check/"
    taking = {"kind": "OWN_UTILISATION"}

    fine = client.post(address, entry(organisation, **taking, amount="20"))
    short = client.post(address, entry(organisation, **taking, amount="20.5"))
    incomplete = client.post(address, entry(organisation, amount=""))

    assert "现有 20 吨，记账后 0 吨" in text_of(fine)
    assert "差 0.5 吨。库存不足" in text_of(short)
    assert "填好环节" in text_of(incomplete)
    assert Movement.objects.count() == 4


def test_before_anything_is_declared_the_entry_page_says_what_to_do(organisation, page):
    assert "先申报至少一种废物和一处贮存设施" in text_of(page("ledger/new/"))


# --- reversal


def test_a_reversal_needs_a_reason_and_is_linked_both_ways(books, officer, organisation, page):
    client, address = signed_in(officer), f"/o/{organisation.uscc}/ledger/2/reverse/"

    refused = client.post(address, {"reason": " ", "moved_on": "2025-02-10"})
    assert (refused.status_code, refused.context["form"].errors["reason"]) == (422, ["请写明冲正原因。"])
    assert not Movement.objects.filter(reverses__isnull=False).exists()

    done = client.post(address, {"reason": "磅单\n录错", "moved_on": "2025-02-10"}, follow=True)
    reversal = Movement.objects.get(seq=5)
    assert (reversal.reverses.seq, reversal.reversal_reason) == (2, "磅单 录错")
    assert "已冲正第 2 号，冲正记录为第 5 号。" in text_of(done)
    assert "这条记录已被冲正" in text_of(page("ledger/2/"))
    assert "这是一条冲正记录" in text_of(page("ledger/5/"))

    again = client.post(address, {"reason": "再来", "moved_on": "2025-02-10"})
    assert "已经冲正过" in text_of(again)
    assert Movement.objects.count() == 5


def test_what_was_used_up_is_not_reversed(books, officer, organisation):
    answer = signed_in(officer).post(
        f"/o/{organisation.uscc}/ledger/1/reverse/", {"reason": "错", "moved_on": "2025-01-10"}
    )

    assert "请先冲正其后的出库记录" in text_of(answer)
    assert Movement.objects.count() == 4


def test_in_a_closed_month_the_reversal_is_offered_on_the_first_open_day(
    books, officer, organisation, page, now
):
    services.close_month(organisation=organisation, through=date(2025, 3, 31), by=officer, now=now)

    assert page("ledger/2/reverse/").context["form"]["moved_on"].value() == date(2025, 4, 1)


# --- stock and months


def test_the_stock_is_shown_now_and_as_of_a_day(books, page):
    assert "库存 · 20.5 吨" in text_of(page("ledger/stock/"))
    then = page("ledger/stock/", on="2025-01-31")
    assert "2025-01-31 日终库存 · 30 吨" in text_of(then)
    assert "30 ／ 100 吨，已用 30%" in text_of(then)


def test_a_month_is_closed_after_its_checklist(books, page, officer, organisation):
    shown = page("ledger/months/", month="2025-03")
    assert "有 1 条委外记录没有对方单位" in text_of(shown)
    assert shown.context["through"] == date(2025, 3, 31)

    client = signed_in(officer)
    answer = client.post(
        f"/o/{organisation.uscc}/ledger/months/close/", {"through": "2025-03-31"}, follow=True
    )
    assert "已结账至 2025-03-31。" in text_of(answer)
    again = client.post(f"/o/{organisation.uscc}/ledger/months/close/", {"through": "2025-03-31"})
    assert (again.status_code, MonthClosing.objects.count()) == (422, 1)
    refused = client.post(f"/o/{organisation.uscc}/ledger/new/", entry(organisation, moved_on="2025-03-01"))
    assert refused.context["form"].errors["moved_on"][0].startswith("已结账至 2025-03-31。")


def test_months_without_any_record_are_named_before_closing(books, page):
    books.post("2025-06-10 A 产生 1 吨 库1 -")

    assert "这些月份没有任何记录：2025-04、2025-05" in text_of(page("ledger/months/", month="2025-06"))


# --- streams and stores


def test_a_stream_is_declared_and_changed_but_its_code_stays(books, officer, organisation):
    client, base = signed_in(officer), f"/o/{organisation.uscc}/ledger/streams/"
    said = {"code": "C", "name": "废油", "waste_code": "900-249-08", "process_name": "机修", "version": "0"}

    assert client.post(base + "new/", said).status_code == 302
    row = Stream.objects.get(code="C")
    assert (row.waste_category, row.waste_class) == ("HW08", "HAZARDOUS")
    client.post(f"{base}{row.pk}/", said | {"code": "D", "name": "废矿物油", "version": str(row.version)})
    row.refresh_from_db()
    assert (row.code, row.name) == ("C", "废矿物油")


@pytest.mark.parametrize(
    ("said", "field"),
    [({"waste_code": "900-999-99"}, "waste_code"), ({"code": "A"}, "code"), ({"name": ""}, "name")],
)
def test_a_stream_that_cant_be_so_is_not_written(books, officer, organisation, said, field):
    given = {"code": "C", "name": "废油", "waste_code": "900-249-08", "process_name": "机修", "version": "0"}

    answer = signed_in(officer).post(f"/o/{organisation.uscc}/ledger/streams/new/", given | said)

    assert (answer.status_code, list(answer.context["form"].errors)) == (422, [field])
    assert Stream.objects.count() == 2


def test_a_stale_edit_of_a_store_is_refused(books, officer, organisation):
    client, store = signed_in(officer), Place.objects.get(code="库1")
    address = f"/o/{organisation.uscc}/ledger/stores/{store.pk}/"
    stale = str(store.version)

    assert client.post(address, {"name": "一号库", "capacity": "120", "version": stale}).status_code == 302
    answer = client.post(address, {"name": "旧名", "capacity": "90", "version": stale})

    assert "已被他人修改" in text_of(answer)
    store.refresh_from_db()
    assert (store.name, store.capacity_g) == ("一号库", 120_000_000)


def test_what_people_typed_is_shown_as_text(books, page):
    books.post("2025-05-01 A 产生 1 吨 库1 -", note="<script>alert(1)</script>", handler="<b>甲</b>")

    for path in ("ledger/", "ledger/5/"):
        content = page(path).content.decode()
        assert "<script>alert" not in content
        assert "<b>甲</b>" not in content
