"""The pages of the official ledgers: what is shown, paged, handed out, and to whom."""

import io
import re
from datetime import date, timedelta
from urllib.parse import unquote

import openpyxl
import pypdfium2
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from wufei.ledger import book_exports
from wufei.ledger.books.layouts import LAYOUTS


@pytest.fixture
def books(ledger):
    ledger.stores(库1=None)
    ledger.streams("渣")
    ledger.post("2025-01-10 渣 产生 30 吨 库1 -", "2025-05-10 渣 产生 1.5 吨 库1 -", handler="张三")
    ledger.post("2025-05-12 渣 委外利用 10 吨 库1 -", counterparty="綦岭水泥", method="生产水泥")
    return ledger


@pytest.fixture(autouse=True)
def _on_the_first_of_july(monkeypatch, now):
    monkeypatch.setattr("django.utils.timezone.now", lambda: now)


@pytest.fixture
def page(officer, organisation):
    client = Client()
    client.force_login(officer, backend="django.contrib.auth.backends.ModelBackend")

    def read(path: str = "", **said):
        return client.get(f"/o/{organisation.uscc}/books/{path}", said)

    return read


def text_of(response) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def table_of(response) -> list[list[str]]:
    return [[cell.text for cell in row] for row in response.context["rows"]]


def test_a_table_is_shown_with_its_sums_and_what_is_missing(books, page):
    shown = page(form="general-3", year="2025", part="05")

    assert table_of(shown) == [
        ["GFCC20250512001", "SW02", "废物渣", "2025-05-12", "10", "", "", "", "", "綦岭水泥", ""]
    ]
    assert [cell.text for cell in shown.context["totals"]][:5] == ["合计", "", "", "", "10"]
    said = text_of(shown)
    assert "2025 年 5 月" in said
    assert "出厂环节经办人" in said
    assert "记账时没有填写经办人" in said
    assert "未与公告2021年第82号附件全文核对" in said


def test_the_period_is_a_year_a_quarter_or_a_month(books, page):
    records = {
        part: page(form="general-4", year="2025", part=part).context["book"].records
        for part in ("", "Q1", "Q2", "Q3", "01", "05", "06")
    }

    assert records == {"": 2, "Q1": 1, "Q2": 1, "Q3": 0, "01": 1, "05": 1, "06": 0}


def test_without_a_choice_the_summary_of_this_year_is_shown(books, page):
    shown = page()

    assert (shown.context["book"].layout.id, str(shown.context["book"].period)) == ("general-2", "2026")
    assert [str(year) for year, _ in shown.context["form"].fields["year"].choices] == ["2026", "2025"]


def test_where_all_waste_is_hazardous_its_table_comes_first(ledger, page):
    ledger.streams("油", waste_code="900-249-08")

    assert page().context["book"].layout.id == "hw-1"


@pytest.mark.parametrize(
    "said",
    [{"form": "hw-9"}, {"year": "1848"}, {"part": "Q5"}, {"year": "二〇二五"}, {"page": "x"}, {"page": "-1"},
     {"page": "999999999999"}, {"page": "²"}],
)  # fmt: skip
def test_what_cannot_be_chosen_shows_the_usual(books, page, said):
    shown = page(**said)

    assert shown.status_code == 200
    assert shown.context["book"].layout.id == "general-2"


def test_an_empty_table_says_so(books, page):
    said = text_of(page(form="hw-1", year="2025"))

    assert "本期没有记录" in said
    assert "未填的栏目" not in said


def test_a_long_table_is_paged_and_its_sums_are_of_the_whole(books, page):
    days = [date(2025, 6, 1) + timedelta(days=n) for n in range(60)]
    books.post(*(f"{day} 渣 产生 1 吨 库1 -" for day in days))
    said = {"form": "general-4", "year": "2025", "part": ""}
    first, second, past = page(**said), page(**said, page="2"), page(**said, page="9")

    assert (len(table_of(first)), len(table_of(second))) == (50, 12)
    assert "合计为整个期间的数" in text_of(first)
    assert [cell.text for cell in second.context["totals"]].count("91.5") == 1
    assert table_of(second)[-1][0] == "GFCS20250730001"
    assert past.status_code == 302
    assert "page" not in past.url


def test_a_page_of_fifty_takes_as_many_queries_as_one_of_one(books, page):
    def queries(form: str) -> int:
        page(form=form, year="2025")
        with CaptureQueriesContext(connection) as caught:
            assert table_of(page(form=form, year="2025"))
        return len(caught)

    few = {form: queries(form) for form in ("general-3", "general-4", "general-5")}
    days = [date(2025, 6, 1) + timedelta(days=n) for n in range(60)]
    books.post(*(f"{day} 渣 产生 1 吨 库1 -" for day in days))
    books.post(*(f"{day} 渣 委外利用 0.5 吨 库1 -" for day in days))

    assert {form: queries(form) for form in few} == few


# --- files


def content(response) -> bytes:
    assert response.status_code == 200
    return b"".join(response.streaming_content)


def test_both_files_have_the_whole_period(books, page, organisation):
    sheet = page("general-2.xlsx", year="2025", part="Q1")
    paper = page("general-2.pdf", year="2025", part="Q1")

    assert f"附表2一般工业固体废物流向汇总表-{organisation.name}-2025-01-01至2025-03-31.xlsx" in unquote(
        sheet["Content-Disposition"]
    )
    read = openpyxl.load_workbook(io.BytesIO(content(sheet)))
    assert [cell.value for cell in read["附表2"]["A"]][4:7] == ["2025-01", "2025-02", "2025-03"]
    assert len(pypdfium2.PdfDocument(content(paper))) == 1
    assert paper["Content-Type"] == "application/pdf"


def test_the_page_offers_the_files_of_what_it_shows(books, page, organisation):
    shown = page(form="general-3", year="2025", part="05")

    for ending, address in shown.context["files"].items():
        assert address == f"/o/{organisation.uscc}/books/general-3.{ending}?year=2025&part=05"
        assert address.replace("&", "&amp;") in shown.content.decode()


@pytest.mark.parametrize("path", ["hw-9.xlsx", "hw-1.docx", "hw-1.XLSX"])
def test_a_file_that_there_is_not(books, page, path):
    assert page(path).status_code == 404


def test_a_period_too_long_for_a_file_leads_back_with_the_reason(books, page, monkeypatch):
    monkeypatch.setitem(book_exports.MOST_LINES, "pdf", 1)
    answer = page("general-4.pdf", year="2025")

    assert answer.status_code == 302
    assert "form=general-4&year=2025" in answer.url
    shown = page(form="general-4", year="2025")
    assert "2025 有 2 行，一个文件最多 1 行；请选较短的期间。" in text_of(shown)


# --- who


@pytest.mark.parametrize("path", ["", "general-2.xlsx", "hw-1.pdf"])
def test_who_may_not_read_the_ledger_gets_none_of_its_tables(
    books, make_user, make_organisation, organisation, path
):
    def status(user) -> int:
        client = Client()
        if user:
            client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        return client.get(f"/o/{organisation.uscc}/books/{path}").status_code

    assert status(make_user("WORKER", organisation)) == 200
    assert status(make_user("ENVIRONMENT_OFFICER", make_organisation())) == 404
    assert status(None) == 302


def test_every_table_can_be_chosen(page):
    groups = [choice for name, choice in page().context["form"].fields["form"].choices]

    assert [key for group in groups for key, _ in group] == list(LAYOUTS)
