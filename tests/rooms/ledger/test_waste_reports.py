"""Reports of hazardous waste: drawn from the ledger, made anew when it changed, never lost."""

import io
import json
from datetime import date

import openpyxl
import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from wufei.ledger import services
from wufei.ledger.models import Movement, WasteReport
from wufei.ledger.queries.books import official_book
from wufei.ledger.queries.waste_reports import control_class, report_content
from wufei.ledger.wording import WASTE_REPORT_TEXT
from wufei.registry.models import AuditEntry, OperatingPermit
from wufei.registry.queries import NotPermitted
from wufei.terms.period import Period

MARCH = Period.month(2025, 3)


@pytest.fixture
def books(ledger):
    ledger.stores(库1=None)
    ledger.streams("渣")
    ledger.streams("油", waste_code="900-249-08")
    ledger.post("2024-05-01 油 产生 12 吨 库1 桶0", "2024-06-01 油 委外处置 11 吨 库1 桶0")
    ledger.post("2025-03-01 油 产生 0.2 吨 库1 桶1", "2025-03-02 渣 产生 9 吨 库1 -")
    ledger.post("2025-03-20 油 委外处置 0.5 吨 库1 桶0", counterparty="处置厂", method="D10")
    return ledger


@pytest.fixture
def make(organisation, officer, now):
    def run(period: Period = MARCH, by=None) -> WasteReport:
        return services.make_waste_report(organisation=organisation, period=period, by=by or officer, now=now)

    return run


def test_a_report_is_what_the_ledger_says_of_the_hazardous_waste(books, make):
    made = make()

    assert (made.number, made.control_class) == (1, "SIMPLIFIED")
    [waste] = made.content
    assert [waste[key] for key in ("stream", "stock_before_t", "generated_t", "contracted_disposed_t", "stock_after_t")] == [
        "油", "1", "0.2", "0.5", "0.7",
    ]  # fmt: skip
    assert waste["contracted"] == [
        {"receiver": "处置厂", "mode": "D10", "kind": "CONTRACTED_DISPOSAL", "mass_t": "0.5"}
    ]
    assert AuditEntry.objects.filter(action="ledger.make_waste_report", object_ref="2025-03#1").exists()


def test_the_report_of_a_year_has_the_sums_of_its_tables(books, make, organisation):
    [waste] = make(Period.year(2025)).content
    sums = {
        form: official_book(organisation=organisation, form=form, period=Period.year(2025), most=99).totals[
            "mass"
        ]
        for form in ("hw-1", "hw-5")
    }

    assert {"hw-1": f"{sums['hw-1'].normalize():f}", "hw-5": f"{sums['hw-5'].normalize():f}"} == {
        "hw-1": waste["generated_t"], "hw-5": waste["contracted_disposed_t"],
    }  # fmt: skip


def test_without_a_change_the_last_one_stands_and_with_one_a_second_is_made(books, make, officer, now):
    first = make()
    assert make() == first

    services.reverse(movement=Movement.objects.get(moved_on="2025-03-20"), reason="录错", by=officer, now=now)
    second = make()

    assert (second.number, second.content[0]["contracted"]) == (2, [])
    assert WasteReport.objects.count() == 2


def test_a_report_is_never_changed_or_deleted(books, make):
    made = make()
    for change in (
        lambda: WasteReport.objects.update(number=9),
        lambda: WasteReport.objects.filter(pk=made.pk).delete(),
    ):
        with pytest.raises(DatabaseError, match="append_only"), transaction.atomic():
            change()


@pytest.mark.parametrize(
    ("period", "code"),
    [
        (Period(date(2025, 3, 1), date(2025, 3, 30)), "no_period"),
        (Period.month(2026, 7), "not_over_yet"),
        (Period.year(2026), "not_over_yet"),
    ],
)
def test_what_cannot_be_reported(books, make, period, code):
    with pytest.raises(services.WasteReportRefused) as refused:
        make(period)

    assert refused.value.code == code
    assert WASTE_REPORT_TEXT[code]
    assert not WasteReport.objects.exists()


def test_only_the_officer_of_the_enterprise_makes_it(books, make, make_user, make_organisation, organisation):
    for role, where in (("WORKER", organisation), ("ENVIRONMENT_OFFICER", make_organisation())):
        with pytest.raises(NotPermitted):
            make(by=make_user(role, where))


def test_the_class_comes_from_the_ledger_and_the_permits(books, organisation, officer, now):
    def found(year: int = 2025, on: date = date(2025, 12, 31)) -> str | None:
        return control_class(organisation=organisation, year=year, on=on).control_class

    assert (found(), found(2024), found(2028)) == ("SIMPLIFIED", None, "REGISTERED")
    permit = OperatingPermit.objects.create(
        organisation=organisation, kind="COLLECTION", number="1", valid_from=date(2025, 1, 1), revoked_on=date(2025, 9, 1),
        valid_through=date(2030, 1, 1), recorded_at=now, recorded_by=officer,
    )  # fmt: skip
    assert (found(on=date(2025, 8, 31)), found()) == ("KEY", "SIMPLIFIED")
    permit.delete()
    books.post("2025-04-01 油 自行处置 0.1 吨 库1 桶1")
    assert found() == "KEY"


def test_thirty_streams_take_as_many_queries_as_one(books, organisation):
    def queries() -> int:
        with CaptureQueriesContext(connection) as caught:
            assert report_content(organisation=organisation, period=MARCH)
        return len(caught)

    few = queries()
    books.streams(*(f"油{n}" for n in range(30)), waste_code="900-249-08")
    books.post(*(f"2025-03-03 油{n} 产生 1 吨 库1 -" for n in range(30)))

    assert queries() == few <= 12


# --- the page


@pytest.fixture(autouse=True)
def _on_the_first_of_july(monkeypatch, now):
    monkeypatch.setattr("django.utils.timezone.now", lambda: now)


@pytest.fixture
def client(officer):
    client = Client()
    client.force_login(officer, backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_it_is_made_on_the_page_and_taken_home(books, client, organisation):
    base = f"/o/{organisation.uscc}/books/reports/"
    said = {"year": "2025", "part": "03"}
    assert "本期还没有生成过申报" in client.get(base, said).content.decode()

    answer = client.post(f"{base}make/", said, follow=True)
    text = answer.content.decode()
    assert "已生成第 1 次申报" in text and "与第 1 次申报相同，没有变化" in text  # noqa: PT018
    assert (
        "与第 1 次申报相同，没有重新生成" in client.post(f"{base}make/", said, follow=True).content.decode()
    )
    made = WasteReport.objects.get()
    document = json.loads(client.get(f"{base}{made.pk}.json").content)
    assert (document["format"], document["number"], document["wastes"]) == (
        "wufei-hazardous-waste-report/1", 1, made.content,
    )  # fmt: skip
    sheet = openpyxl.load_workbook(io.BytesIO(client.get(f"{base}{made.pk}.xlsx").content)).active
    assert [cell.value for cell in sheet["A"]] == ["废物编号", "油"]

    books.post("2025-03-25 油 产生 0.3 吨 库1 桶5")
    changed = client.get(base, said).content.decode()
    assert "产生量：0.2 → 0.5 吨" in changed


def test_the_month_that_was_over_last_comes_first(books, client, organisation):
    shown = client.get(f"/o/{organisation.uscc}/books/reports/")

    assert str(shown.context["form"].period) == "2026-06"
    assert shown.context["due_on"] == date(2026, 7, 15)


def test_a_month_that_is_not_over_cannot_be_made(books, client, organisation):
    base = f"/o/{organisation.uscc}/books/reports/"
    said = {"year": "2026", "part": "07"}

    assert "结束之后才能生成" in client.get(base, said).content.decode()
    answer = client.post(f"{base}make/", said, follow=True)
    assert WASTE_REPORT_TEXT["not_over_yet"] in answer.content.decode()


def test_another_organisations_report_is_not_there(books, make, make_user, make_organisation, organisation):
    made, other = make(), make_organisation()
    client = Client()
    client.force_login(
        make_user("ENVIRONMENT_OFFICER", other), backend="django.contrib.auth.backends.ModelBackend"
    )

    for uscc in (organisation.uscc, other.uscc):
        assert client.get(f"/o/{uscc}/books/reports/{made.pk}.json").status_code == 404
