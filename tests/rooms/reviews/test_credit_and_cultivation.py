"""Facts of credit with their source and date, and the tiered cultivation library."""

import io
from datetime import date

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from openpyxl import Workbook, load_workbook

from tests.conftest import NOW, valid_uscc
from tests.rooms.reviews import world as worlds
from wufei.registry.models import Succession
from wufei.registry.queries import NotPermitted
from wufei.reviews.credit_files import COLUMNS, FileRefused, read
from wufei.reviews.models import CreditFact, Cultivation
from wufei.reviews.queries.credit import facts_of, facts_seen_by
from wufei.reviews.queries.cultivation import cultivated
from wufei.reviews.refusals import ReviewRefused
from wufei.reviews.services import cultivation as services
from wufei.reviews.services.credit import import_credit_facts

TODAY = date(2026, 7, 1)
FACTORY = worlds.CHONGQING_FACTORY


@pytest.fixture(autouse=True)
def _on_the_first_of_july(monkeypatch):
    monkeypatch.setattr("django.utils.timezone.now", lambda: worlds.NOW)


@pytest.fixture
def world(db):
    return worlds.build(experts=0, second_officers=False)


def line(
    uscc,
    day="2026-03-01",
    words="超标排放",
    kind="行政处罚",
    source="信用中国",
    reference="渝环罚〔2026〕3号",
):
    return [uscc, kind, source, reference, day, words]


def as_csv(*rows, headings=COLUMNS, encoding="utf-8-sig"):
    return "\n".join(",".join(map(str, row)) for row in (headings, *rows)).encode(encoding)


def as_xlsx(*rows):
    book = Workbook()
    for row in (COLUMNS, *rows):
        book.active.append(row)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def imported(world, content, name="a.csv", by="CITY_INDUSTRY"):
    return import_credit_facts(
        authority=world.authorities["CITY_INDUSTRY"], name=name, content=content, by=world.people[by], now=NOW
    )


# ---- facts of credit


def test_facts_come_in_with_their_source_and_date_and_once(world):
    stranger = valid_uscc("91500110MA5X00001")
    rows = [line(world.works.uscc), line(stranger, words="拖欠税款", day="2026/04/01")]

    first = imported(world, as_csv(*rows))
    again = imported(world, as_xlsx([*rows[0][:4], date(2026, 3, 1), rows[0][5]], line(stranger)), "b.xlsx")

    assert (first.fresh, first.known, first.unregistered) == (2, 0, 1)
    assert (again.fresh, again.known) == (1, 1)
    fact = CreditFact.objects.get(uscc=world.works.uscc)
    assert (fact.kind, fact.source, fact.reference, fact.on, fact.words) == (
        "行政处罚", "信用中国", "渝环罚〔2026〕3号", date(2026, 3, 1), "超标排放",
    )  # fmt: skip
    assert imported(world, as_csv(*rows, encoding="gb18030")).fresh == 0


def test_every_fault_is_named_by_row_and_column_and_nothing_comes_in(world):
    good = world.works.uscc
    rows = [
        line(good),
        line("123"),
        ["", "", "", "", "", ""],
        line(good, day="昨天", words=""),
        line(good, "2026-07-02"),
    ]

    with pytest.raises(FileRefused) as refused:
        imported(world, as_csv(*rows))

    assert [(fault.row, fault.column) for fault in refused.value.faults] == [
        (3, "统一社会信用代码"), (5, "内容"), (5, "日期"), (6, "日期"),
    ]  # fmt: skip
    assert not CreditFact.objects.exists()


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.txt", b"x", "只接受 .csv 或 .xlsx"),
        ("a.csv", b"\xff\xfe\x00\x00", "不是文本文件"),
        ("a.csv", b"", "缺少列：统一社会信用代码"),
        ("a.csv", as_csv(headings=COLUMNS[:-1]), "缺少列：内容"),
        ("a.csv", as_csv(), "表头以下没有内容"),
        ("a.xlsx", b"PK\x03\x04", "不是完好的 .xlsx"),
    ],
)
def test_a_file_that_is_none_is_refused_in_words(name, content, words):
    with pytest.raises(FileRefused) as refused:
        read(name=name, content=content, today=TODAY)

    assert words in str(refused.value.faults[0])


def test_columns_may_stand_in_any_order_among_others(world):
    headings = ("备注", *reversed(COLUMNS))
    row = ("无", *reversed(line(world.works.uscc)))

    [fact] = read(name="a.csv", content=as_csv(row, headings=headings), today=TODAY)

    assert (fact.uscc, fact.words) == (world.works.uscc, "超标排放")


def test_only_an_authority_imports_for_itself_and_facts_never_change(world):
    for person in ("DISTRICT_INDUSTRY", "applicant", "administrator"):
        if person == "administrator":
            continue
        with pytest.raises(NotPermitted):
            imported(world, as_csv(line(world.works.uscc)), by=person)
    imported(world, as_csv(line(world.works.uscc)))
    for change in (lambda: CreditFact.objects.update(words="无"), lambda: CreditFact.objects.all().delete()):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()


def test_facts_are_seen_by_who_reviews_the_organisation_and_its_successors(world):
    other = worlds.applicant(world, "渝北公司", worlds.OTHER_DISTRICT)
    stranger = valid_uscc("91500110MA5X00001")
    imported(world, as_csv(line(world.works.uscc), line(other.uscc), line(stranger)))
    second = worlds.applicant(world, "承继公司")
    Succession.objects.create(
        predecessor=world.works, successor=second, kind="MERGER", on=TODAY, former_name="旧", recorded_at=NOW,
        recorded_by=world.people["CITY_INDUSTRY"],
    )  # fmt: skip

    def seen(person, **said):
        return {row.uscc for row in facts_seen_by(user=world.people[person], on=TODAY, **said)}

    assert seen("CITY_INDUSTRY") == {world.works.uscc, other.uscc, stranger}
    assert seen("DISTRICT_INDUSTRY") == {world.works.uscc}
    assert seen("PROVINCE_INDUSTRY") == seen("applicant") == set()
    assert seen("CITY_INDUSTRY", text="渝北", kind="行政处罚", since=date(2026, 3, 1)) == {other.uscc}
    assert [fact.uscc for fact in facts_of(organisation=second)] == [world.works.uscc]


# ---- the library


def entered(world, organisation=None, by="CITY_INDUSTRY", **said):
    defaults = {"programme": FACTORY, "tier": "SEED", "since": date(2026, 1, 1)}
    return services.enter_cultivation(
        authority=world.authorities[by], organisation=organisation or world.works, by=world.people[by], now=NOW,
        **(defaults | said),
    )  # fmt: skip


def code_of(call, *args, **said):
    with pytest.raises(ReviewRefused) as refused:
        call(*args, **said)
    return refused.value.code


def test_an_organisation_enters_moves_up_and_leaves_and_all_of_it_stays_on_record(world):
    by = {"by": world.people["CITY_INDUSTRY"], "now": NOW}
    row = entered(world)

    higher = services.move_cultivation(cultivation=row, tier="CITY", on=date(2026, 3, 1), **by)
    assert (
        code_of(services.move_cultivation, cultivation=row, tier="NATION", on=TODAY, **by) == "not_cultivated"
    )
    assert code_of(services.move_cultivation, cultivation=higher, tier="CITY", on=TODAY, **by) == "tier_same"
    assert (
        code_of(services.leave_cultivation, cultivation=higher, on=TODAY, note=" ", **by) == "words_missing"
    )
    services.leave_cultivation(cultivation=higher, on=date(2026, 6, 1), note="已停产", **by)

    def tiers(day):
        rows = cultivated(authority=world.authorities["CITY_INDUSTRY"], at=day)
        return [each.tier for each in rows]

    assert [tiers(date(2026, month, 1)) for month in (1, 2, 3, 5, 6)] == [
        ["SEED"],
        ["SEED"],
        ["CITY"],
        ["CITY"],
        [],
    ]
    assert Cultivation.objects.count() == 2
    assert entered(world, since=TODAY).tier == "SEED"


def test_what_is_not_so_does_not_enter(world):
    entered(world)
    assert code_of(entered, world) == "cultivated_already"
    assert code_of(entered, world, programme="chongqing-2026-green-park") == "subject_kind_differs"
    assert code_of(entered, world, worlds.applicant(world, "丙"), since=date(2026, 7, 2)) == "day_ahead"
    with pytest.raises(NotPermitted):
        entered(world, worlds.applicant(world, "广州公司", worlds.PROVINCE_CITY))
    assert entered(world, by="DISTRICT_INDUSTRY").authority == world.authorities["DISTRICT_INDUSTRY"]


# ---- pages


@pytest.fixture
def city(world):
    client = Client()
    client.force_login(world.people["CITY_INDUSTRY"])
    return client, f"/o/{world.authorities['CITY_INDUSTRY'].uscc}"


def test_facts_are_imported_listed_and_exported_on_the_page(world, city):
    client, own = city
    content = as_csv(line(world.works.uscc))

    faulty = client.post(f"{own}/credit-facts/", {"file": SimpleUploadedFile("a.csv", as_csv(line("123")))})
    done = client.post(f"{own}/credit-facts/", {"file": SimpleUploadedFile("a.csv", content)})
    page = client.get(f"{own}/credit-facts/", {"q": "超标"}).content.decode()
    sheet = load_workbook(io.BytesIO(client.get(f"{own}/credit-facts/?export=xlsx").content)).active

    assert faulty.status_code == 422
    assert "第 2 行“统一社会信用代码”" in faulty.content.decode()
    assert done.status_code == 302
    assert world.works.name in page
    assert sheet["A2"].value == world.works.uscc
    one = client.get(f"/o/{world.works.uscc}/credit/")
    assert "超标排放" in one.content.decode()
    client.force_login(world.people["applicant"])
    assert client.get(f"/o/{world.works.uscc}/credit/").status_code == 403


def test_the_library_is_kept_on_its_pages(world, city):
    client, own = city
    said = {
        "organisation": world.works.uscc,
        "programme": FACTORY,
        "tier": "SEED",
        "since": "2026-01-01",
        "note": "",
    }
    far = worlds.applicant(world, "广州公司", worlds.PROVINCE_CITY)

    outside = client.post(f"{own}/cultivation/enter/", said | {"organisation": far.uscc})
    assert outside.status_code == 422
    assert client.post(f"{own}/cultivation/enter/", said).status_code == 302
    row = Cultivation.objects.get()
    address = f"{own}/cultivation/{row.pk}/"
    assert client.get(address).status_code == 200
    assert client.post(address, {"tier": "OUT", "on": "2026-02-01", "note": ""}).status_code == 422
    assert client.post(address, {"tier": "DISTRICT", "on": "2026-02-01", "note": ""}).status_code == 302
    listed = client.get(f"{own}/cultivation/", {"tier": "DISTRICT", "q": "綦江", "programme": FACTORY})
    assert world.works.name in listed.content.decode()
    sheet = load_workbook(io.BytesIO(client.get(f"{own}/cultivation/?export=xlsx&state=all").content)).active
    assert {row[4].value for row in sheet.iter_rows(min_row=2)} == {"培育对象", "区县级"}
    moved = Cultivation.objects.get(until=None)
    other = Client()
    other.force_login(world.people["DISTRICT_INDUSTRY"])
    district = world.authorities["DISTRICT_INDUSTRY"].uscc
    assert other.get(f"/o/{district}/cultivation/{moved.pk}/").status_code == 404


@pytest.mark.parametrize("page", ["cultivation/", "credit-facts/"])
def test_the_lists_ask_the_same_number_of_queries_for_one_row_and_for_three(world, city, page):
    client, own = city
    client.get(f"{own}/{page}")
    counts = []
    for number in range(1, 4):
        organisation = worlds.applicant(world, f"企业{number}")
        entered(world, organisation)
        imported(world, as_csv(line(organisation.uscc)))
        if number != 2:
            with CaptureQueriesContext(connection) as asked:
                assert client.get(f"{own}/{page}").status_code == 200
            counts.append(len(asked))
    assert counts[0] == counts[1]
