"""The official ledgers as views of movements: which records, which numbers, which sums."""

import io
from datetime import date, timedelta
from decimal import Decimal

import openpyxl
import pypdfium2
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from wufei.indicators import queries as indicators
from wufei.ledger import book_exports, services
from wufei.ledger.books.layouts import LAYOUTS
from wufei.ledger.models import Movement
from wufei.ledger.queries.books import BookTooLong, official_book
from wufei.registry.models import OperatingPermit
from wufei.terms.period import Period

YEAR = Period.year(2025)
MANIFEST = "transit:20255001000001"


def on_the_road(ledger, row: str, **said) -> None:
    """Post what is part of a manifest."""
    drafts = [ledger.draft(row, **said)]
    services.post(
        organisation=ledger.organisation, drafts=drafts, is_of_a_whole=True, by=ledger.by, now=ledger.now
    )


@pytest.fixture
def books(ledger):
    """A year of one general and one hazardous stream, with all that may happen to them."""
    ledger.stores(库1=None, 库2=None)
    ledger.streams("渣")
    ledger.streams("油", waste_code="900-249-08")
    ledger.post("2025-01-05 渣 期初贮存 7 吨 库1 -")
    ledger.post("2025-01-10 渣 产生 30 吨 库1 -", handler="张三")
    ledger.post("2025-01-20 渣 自行利用 4 吨 库1 -", method="回炉")
    ledger.post(
        "2025-02-10 渣 委外利用 10 吨 库1 -", counterparty="綦岭水泥", method="生产水泥", handler="李四"
    )
    ledger.post("2025-02-11 渣 盘亏 0.5 吨 库1 -")
    ledger.post("2025-02-20 渣 自行处置 1 吨 库1 -", method="填埋")
    ledger.post("2025-03-01 油 产生 0.2 吨 库1 桶1", "2025-03-01 油 产生 0.3 吨 库1 桶2", handler="张三")
    ledger.post("2025-03-05 油 移库 0.2 吨 库1→库2 桶1")
    on_the_road(ledger, f"2025-03-09 油 发运 0.2 吨 库2→{MANIFEST} 桶1", counterparty="处置厂")
    on_the_road(ledger, f"2025-03-12 油 委外处置 0.2 吨 {MANIFEST} 桶1", counterparty="处置厂", method="D10")
    ledger.post("2025-03-20 油 自行处置 0.3 吨 库1 桶2", method="D9")
    services.describe_container(
        organisation=ledger.organisation, lot_code="桶1", packaging="DRUM", digital_id="9" * 37, by=ledger.by,
        now=ledger.now,
    )  # fmt: skip
    return ledger


@pytest.fixture
def table(organisation):
    """Return a table: `table("hw-1")`, of the whole year."""

    def read(form: str, period: Period = YEAR, **said):
        return official_book(organisation=organisation, form=form, period=period, **({"most": 1000} | said))

    return read


def shown(book, *keys: str) -> list[tuple]:
    return [tuple(row.get(key) for key in keys) for row in book.rows]


# --- hazardous waste


def test_each_barrel_that_came_into_being_has_a_batch_code(books, table):
    book = table("hw-1")

    assert shown(book, "number", "code", "generated_on", "mass", "handler", "goes_to", "facility") == [
        (1, "HWCS20250301001", date(2025, 3, 1), Decimal("0.2"), "张三", "贮存 库1", "工序1"),
        (2, "HWCS20250301002", date(2025, 3, 1), Decimal("0.3"), "张三", "贮存 库1", "工序1"),
    ]
    assert shown(book, "container_code", "packaging", "container_count") == [
        ("9" * 37, "桶", 1),
        (None, None, None),
    ]
    assert {row["waste_code"] for row in book.rows} == {"900-249-08"}
    assert book.rows[0]["listed_name"]
    assert book.rows[0]["waste_category"] == "HW08"
    assert book.totals == {"mass": Decimal("0.5")}
    missing = {each.column.key: each.count for each in book.missing}
    assert missing == {"container_code": 1, "packaging": 1, "container_count": 1}


def test_what_is_put_into_store_goes_back_to_what_it_was_generated_as(books, table):
    assert shown(table("hw-2"), "code", "facility", "before") == [
        ("HWRK20250301001", "库1", "HWCS20250301001"),
        ("HWRK20250301002", "库1", "HWCS20250301002"),
        ("HWRK20250305001", "库2", "HWCS20250301001"),
    ]


def test_what_is_taken_out_goes_back_to_what_put_it_there(books, table):
    assert shown(table("hw-3"), "code", "facility", "before", "goes_to", "mass") == [
        ("HWCK20250305001", "库1", "HWRK20250301001", "移入 库2", Decimal("0.2")),
        ("HWCK20250309001", "库2", "HWRK20250305001", "发运 处置厂（联单 20255001000001）", Decimal("0.2")),
        ("HWCK20250320001", "库1", "HWRK20250301002", "自行处置", Decimal("0.3")),
    ]


def test_own_and_contracted_treatment_go_back_to_what_was_taken_out(books, table):
    own, contracted = table("hw-4"), table("hw-5")

    assert shown(own, "code", "before", "method", "finished_on") == [
        ("HWZXCZ20250320001", "HWCK20250320001", "D9", None)
    ]
    assert shown(contracted, "code", "before", "left_on", "permit_holder", "permit_number") == [
        ("HWWWCZ20250312001", "HWCK20250309001", date(2025, 3, 9), "处置厂", None)
    ]
    assert [each.column.key for each in contracted.missing] == ["receiver_type", "permit_number"]


def permitted(receiver, officer, now, number: str, first: date, last: date, **said) -> None:
    OperatingPermit.objects.create(
        organisation=receiver, kind=said.pop("kind", "COMPREHENSIVE"), number=number, valid_from=first, valid_through=last,
        recorded_at=now, recorded_by=officer, **said,
    )  # fmt: skip


def test_the_receivers_permit_is_that_of_the_day_on_which_the_waste_left(
    books, table, make_organisation, officer, now
):
    receiver = make_organisation("处置厂")
    permitted(receiver, officer, now, "CQ-1", date(2020, 1, 1), date(2025, 3, 10))
    permitted(receiver, officer, now, "CQ-2", date(2025, 3, 11), date(2030, 1, 1))
    permitted(receiver, officer, now, "CQ-T", date(2020, 1, 1), date(2030, 1, 1), kind="TRANSPORT")
    permitted(make_organisation("别的厂"), officer, now, "CQ-3", date(2020, 1, 1), date(2030, 1, 1))

    assert shown(table("hw-5"), "receiver_type", "permit_number") == [("危险废物经营许可证持有单位", "CQ-1")]


def test_a_permit_that_was_revoked_or_is_one_of_two_stays_blank(
    books, table, make_organisation, officer, now
):
    receiver = make_organisation("处置厂")
    permitted(receiver, officer, now, "CQ-1", date(2020, 1, 1), date(2030, 1, 1), revoked_on=date(2025, 3, 9))
    assert shown(table("hw-5"), "permit_number") == [(None,)]

    for number in ("CQ-2", "CQ-3"):
        permitted(receiver, officer, now, number, date(2020, 1, 1), date(2030, 1, 1))
    assert shown(table("hw-5"), "receiver_type", "permit_number") == [(None, None)]


def test_a_dispatch_of_long_ago_is_numbered_by_all_of_its_day(books, table):
    march_12 = Period(date(2025, 3, 12), date(2025, 3, 12))

    assert shown(table("hw-5", march_12), "before", "left_on") == [("HWCK20250309001", date(2025, 3, 9))]


def test_a_heap_goes_back_to_no_record(books, table):
    books.post("2025-04-01 油 产生 5 吨 库1 -", "2025-04-02 油 自行处置 1 吨 库1 -")
    april = Period.month(2025, 4)

    assert shown(table("hw-2", april), "before") == [("HWCS20250401001",)]
    assert shown(table("hw-3", april), "code", "before") == [("HWCK20250402001", None)]
    assert shown(table("hw-4", april), "before") == [("HWCK20250402001",)]


def test_a_reversed_record_is_gone_and_no_number_moves(books, table, officer, now):
    first = Movement.objects.get(moved_on="2025-03-01", lot__code="桶2")
    out = Movement.objects.get(moved_on="2025-03-20")
    for wrong in (out, first):
        services.reverse(movement=wrong, reason="录错", by=officer, now=now)
    books.post("2025-03-01 油 产生 0.4 吨 库1 桶3")

    book = table("hw-1")
    assert shown(book, "number", "code", "mass") == [
        (1, "HWCS20250301001", Decimal("0.2")), (2, "HWCS20250301003", Decimal("0.4")),
    ]  # fmt: skip
    assert table("hw-4").rows == []


def test_a_reversal_in_another_period_is_said_beneath_the_table(books, table, officer, now):
    services.close_month(organisation=books.organisation, through=date(2025, 3, 31), by=officer, now=now)
    wrong = Movement.objects.get(moved_on="2025-03-20")
    services.reverse(movement=wrong, reason="录错", moved_on=date(2025, 4, 2), by=officer, now=now)

    assert any("1 笔记录后来在期外冲正" in text for text in table("hw-4", Period.month(2025, 3)).remarks)
    assert any("1 笔冲正针对期外" in text for text in table("hw-3", Period.month(2025, 4)).remarks)
    assert not any("冲正" in text for text in table("hw-4").remarks)


# --- general waste


def test_the_list_of_what_is_generated_has_every_declared_stream(books, table):
    books.streams("灰")
    book = table("general-1")

    assert shown(book, "name", "process", "generated", "waste_class") == [
        ("废物渣", "工序1", 30, None), ("废物灰", "工序1", 0, None),
    ] or shown(book, "name", "process", "generated", "waste_class") == [
        ("废物灰", "工序1", 0, None), ("废物渣", "工序1", 30, None),
    ]  # fmt: skip  # as the database orders letters
    assert not book.layout.is_verified


def test_the_whereabouts_of_each_month(books, table):
    book = table("general-2", Period(date(2025, 1, 1), date(2025, 3, 31)))

    assert shown(book, "month", "generated", "stored", "stock", "own_utilised", "contracted_utilised") == [
        ("2025-01", 30, 26, 33, 4, 0), ("2025-02", 0, 0, Decimal("21.5"), 0, 10),
        ("2025-03", 0, 0, Decimal("21.5"), 0, 0),
    ]  # fmt: skip
    assert shown(book, "contracted_utilised_by")[1] == ("生产水泥",)
    assert any("期初贮存 7 吨、盘亏 0.5 吨" in text for text in book.remarks)
    assert "stock" not in book.totals


def test_the_stock_before_a_period_is_carried_into_it(books, table):
    assert shown(table("general-2", Period.month(2025, 3)), "stock", "generated") == [(Decimal("21.5"), 0)]


def test_what_leaves_the_plant_is_a_record_and_what_ends_on_the_road_is_none(books, table):
    on_the_road(books, "2025-05-01 渣 发运 3 吨 库1→transit:9 -", counterparty="砖厂")
    on_the_road(books, "2025-05-03 渣 委外利用 3 吨 transit:9 -", counterparty="砖厂")

    assert shown(table("general-3"), "code", "mass", "receiver", "handler", "carrier") == [
        ("GFCC20250210001", 10, "綦岭水泥", "李四", None), ("GFCC20250501001", 3, "砖厂", None, None),
    ]  # fmt: skip


def test_storage_has_what_came_in_and_what_went_out(books, table):
    book = table("general-5")

    assert shown(book, "code", "in_mass", "out_mass", "comes_from", "goes_to", "before") == [
        ("GFRK20250110001", 30, None, "工序1", None, "GFCS20250110001"),
        ("GFCK20250120001", None, 4, None, "自行利用", None),
        ("GFCK20250210001", None, 10, None, "委外利用 綦岭水泥", None),
        ("GFCK20250220001", None, 1, None, "自行处置", None),
    ]
    assert book.totals == {"in_mass": 30, "out_mass": 15}


def test_the_tables_of_one_class_have_nothing_of_the_other(books, table):
    for form, layout in LAYOUTS.items():
        codes = {row["waste_code"] for row in table(form).rows}
        assert codes <= ({"900-249-08"} if layout.is_hazardous else {"SW02"}), form


# --- the numbers are the ledger's


def figure(organisation, indicator: str) -> Decimal:
    found = indicators.figure(organisation=organisation, indicator=indicator, year=2025)
    assert found.value is not None
    return found.value


def test_the_sums_of_a_year_are_the_indicators_and_the_movements(books, table, organisation, officer, now):
    """Even where a reversal stands in another month than what it takes back."""
    services.close_month(organisation=organisation, through=date(2025, 1, 31), by=officer, now=now)
    wrong = Movement.objects.get(moved_on="2025-01-20")
    services.reverse(movement=wrong, reason="录错", moved_on=date(2025, 6, 1), by=officer, now=now)
    books.post("2025-06-02 渣 自行利用 3 吨 库1 -", "2025-07-01 渣 产生 8.000001 吨 库1 -")

    general, hazardous = (
        table("general-2").totals,
        {form: table(form).totals for form in ("hw-1", "hw-4", "hw-5")},
    )
    assert general["own_utilised"] + general["contracted_utilised"] == figure(organisation, "utilisation_t")
    assert general["generated"] + hazardous["hw-1"]["mass"] == figure(organisation, "generation_t")
    assert (
        general["own_disposed"] + general["contracted_disposed"] + hazardous["hw-4"]["mass"] + hazardous["hw-5"]["mass"]
        == figure(organisation, "disposal_t")
    )  # fmt: skip
    last = table("general-2").rows[-1]
    assert last["month"] == "2025-12"
    assert last["stock"] + table("hw-2").totals["mass"] - table("hw-3").totals["mass"] == figure(
        organisation, "stock_t"
    )
    assert table("general-1").totals["generated"] == general["generated"] == Decimal("38.000001")
    grams = sum(m.mass_g for m in Movement.objects.filter(kind="GENERATION", stream__code="渣"))
    assert general["generated"] * 1_000_000 == grams


# --- reading


@pytest.mark.parametrize("form", list(LAYOUTS))
def test_thirty_records_take_as_many_queries_as_one(books, table, form):
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as caught:
            assert table(form).rows
        return len(caught)

    books.post(
        "2025-04-01 油 自行处置 0.1 吨 库1 -", "2025-04-01 油 产生 90 吨 库1 -", "2025-04-01 渣 产生 90 吨 库1 -",
        "2025-04-01 渣 自行处置 0.1 吨 库1 -",
    )  # fmt: skip
    few = queries()
    days = [date(2025, 5, 1) + timedelta(days=n) for n in range(30)]
    for stream in ("油", "渣"):
        for kind in ("产生", "自行利用", "自行处置", "委外处置"):
            books.post(*(f"{day} {stream} {kind} 0.01 吨 库1 -" for day in days))

    assert queries() == few <= 8


def test_a_page_goes_on_where_the_one_before_ended(books, table):
    first, second = table("hw-1", part=slice(0, 1)), table("hw-1", part=slice(1, 2))

    assert (first.records, second.records) == (2, 2)
    assert shown(first, "number", "code") + shown(second, "number", "code") == shown(
        table("hw-1"), "number", "code"
    )
    assert first.totals == second.totals == {"mass": Decimal("0.5")}


def test_a_book_longer_than_a_file_takes_is_refused(books, table):
    with pytest.raises(BookTooLong) as long:
        table("hw-1", most=1)
    assert (long.value.records, long.value.most) == (2, 1)


def test_another_organisation_has_nothing_of_it(books, make_organisation):
    other = make_organisation()

    for form in LAYOUTS:
        assert official_book(organisation=other, form=form, period=YEAR, most=9).rows == [], form


# --- files


@pytest.fixture
def keeper(organisation, now):
    return book_exports.Keeper(
        name=organisation.name, uscc=organisation.uscc, made_at=now.replace(tzinfo=None), made_by="officer",
        head_seq=12, head_hash="ab" * 32,
    )  # fmt: skip


@pytest.mark.parametrize("form", list(LAYOUTS))
def test_a_workbook_has_the_official_columns_the_rows_and_the_sums(books, table, keeper, form):
    book, out = table(form), io.BytesIO()
    book_exports.write_xlsx(out, book, keeper)

    read = openpyxl.load_workbook(out)
    sheet, about = read[book.layout.number], read["说明"]
    labels = [
        sheet.cell(4, n).value or sheet.cell(3, n).value for n in range(1, len(book.layout.columns) + 1)
    ]
    assert labels == [column.label for column in book.layout.columns]
    assert book.layout.title in sheet["A1"].value
    assert keeper.uscc in sheet["A2"].value
    for row, written in zip(book.rows, sheet.iter_rows(min_row=5, max_row=4 + len(book.rows)), strict=True):
        for column, cell in zip(book.layout.columns, written, strict=True):
            value = row.get(column.key)
            if isinstance(value, Decimal):
                assert Decimal(str(cell.value)) == value
            elif isinstance(value, date):
                assert cell.value.date() == value
            else:
                assert cell.value == (value or None)
    sums = [cell.value for cell in sheet[5 + len(book.rows)]]
    assert [value for value in sums if isinstance(value, int | float)] == [
        float(book.totals[column.key]) for column in book.layout.columns if column.key in book.totals
    ]
    beneath = "".join(str(cell.value or "") for line in sheet.iter_rows(min_row=6) for cell in line)
    assert "负责人签字" in beneath
    assert all(remark in beneath for remark in book.remarks)
    said = "".join(str(cell.value or "") for line in about.iter_rows() for cell in line)
    assert ("未与公告全文核对" in said) is not book.layout.is_verified
    assert all(text in said for text in book_exports.missing_lines(book.missing))
    assert (sheet.page_setup.orientation, sheet.print_title_rows) == ("landscape", "$1:$4")


def test_what_people_typed_stays_text(books, table, keeper):
    books.post("2025-06-01 渣 自行利用 1 吨 库1 -", method="=1+1", handler="+852")
    out = io.BytesIO()
    book_exports.write_xlsx(out, table("general-6"), keeper)
    sheet = openpyxl.load_workbook(out)["附表6"]

    cells = {cell.value: cell.data_type for cell in sheet[6]}
    assert cells["=1+1"] == "s"
    assert cells["+852"] == "s"


@pytest.mark.parametrize("form", list(LAYOUTS))
def test_a_pdf_has_the_rows_and_the_sums(books, table, keeper, form):
    book, out = table(form), io.BytesIO()
    pages = book_exports.write_pdf(out, book, keeper)
    read = pypdfium2.PdfDocument(out.getvalue())
    text = "".join(page.get_textpage().get_text_range() for page in read).replace("\r", "").replace("\n", "")

    assert len(read) == pages
    assert book.layout.title in text
    assert keeper.uscc in text
    assert "负责人签字" in text
    for row in book.rows:
        assert [
            said
            for said in book_exports.texts(book, row)
            if said.replace(" ", "") not in text.replace(" ", "")
        ] == []
    assert "合计" in text
    assert ("未与公告2021年第82号附件全文核对" in text) is not book.layout.is_verified


def test_an_empty_book_is_a_file_that_says_so(books, table, keeper):
    empty, out = table("hw-1", Period.month(2024, 1)), io.BytesIO()
    book_exports.write_xlsx(out, empty, keeper)

    assert openpyxl.load_workbook(out)["表B.1"]["A5"].value == "本期没有记录。"
