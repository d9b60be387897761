"""The agencies that are recommended, and those that may not evaluate any more: for everybody, and no more than that."""

from decimal import Decimal
from io import BytesIO

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from openpyxl import load_workbook

from tests.rooms.portal.conftest import EVE, words_of
from tests.rooms.reviews import world as worlds
from wufei.reviews.services import agencies

RECOMMENDED, EXCLUDED = "/public/agencies/", "/public/agencies/excluded/"


@pytest.fixture
def second(world):
    return worlds.organisation("第二评价公司", "AGENCY")


def judged(
    world, agency, *, marks="90", year=2026, by="CITY_INDUSTRY", is_recommended=True, words="内部评语"
):
    return agencies.judge_agency(
        authority=world.authorities[by], agency=agency, year=year, strength=Decimal(marks), words=words,
        report_quality=Decimal(marks), process=Decimal(marks), is_recommended=is_recommended,
        by=world.people[by], now=EVE,
    )  # fmt: skip


def excluded(world, agency, *, by="CITY_INDUSTRY", cause="出具虚假报告", now=EVE):
    return agencies.exclude_agency(
        authority=world.authorities[by], agency=agency, cause=cause, document="渝经信〔2026〕3号",
        by=world.people[by], now=now,
    )  # fmt: skip


def listed(client, address=RECOMMENDED, **asked):
    return [row.agency.name for row in client.get(address, asked).context["rows"]]


def sheet(client, address, **asked):
    book = load_workbook(BytesIO(client.get(address, asked | {"export": "xlsx"}).content))
    return [list(row) for row in book.active.iter_rows(values_only=True)]


def test_the_recommended_stand_in_the_list_with_authority_year_and_grade(client, world, second):
    judged(world, world.agency, marks="88.5")
    judged(world, second, marks="92")
    judged(world, second, marks="70", year=2025)

    shown = words_of(client.get(RECOMMENDED))

    assert listed(client) == [second.name, world.agency.name, second.name]
    assert world.authorities["CITY_INDUSTRY"].name in shown
    assert "88.5" in shown
    assert listed(client, year="2025") == [second.name]
    assert listed(client, q="第二", year="2026") == [second.name]
    assert listed(client, q=world.agency.uscc) == [world.agency.name]
    assert listed(client, authority=world.authorities["CITY_INDUSTRY"].uscc, year="2025") == [second.name]
    assert listed(client, sort="mean", year="2026") == [world.agency.name, second.name]


def test_a_mark_without_a_recommendation_and_what_was_written_of_it_are_nowhere(client, world, second):
    judged(world, world.agency)
    judged(world, second, marks="41.25", is_recommended=False)

    for address in (RECOMMENDED, EXCLUDED, "/public/"):
        shown = words_of(client.get(address))
        for hidden in (second.name, "41.25", "内部评语"):
            assert hidden not in shown
    cells = [str(cell) for row in sheet(client, RECOMMENDED) for cell in row]
    assert not any(hidden in cell for hidden in (second.name, "内部评语") for cell in cells)


def test_whoever_was_excluded_stands_in_the_announcement_and_on_no_list(client, world, second):
    judged(world, world.agency, year=2025)
    judged(world, second)
    judged(world, world.agency, by="DISTRICT_INDUSTRY")
    excluded(world, world.agency)
    excluded(world, worlds.organisation("去年除名公司", "AGENCY"), now=EVE.replace(year=2025))

    assert listed(client) == [second.name]  # nor where an authority below had recommended it
    shown = words_of(client.get(EXCLUDED))
    for said in (world.agency.name, "出具虚假报告", "渝经信〔2026〕3号", "2026-09-29"):
        assert said in shown
    assert listed(client, EXCLUDED, q="第二") == []
    assert listed(client, EXCLUDED, q="虚假", year="2026") == [world.agency.name]
    assert listed(client, EXCLUDED, year="2025") == ["去年除名公司"]


def test_an_exclusion_by_a_district_leaves_the_citys_list_alone(client, world):
    judged(world, world.agency)
    excluded(world, world.agency, by="DISTRICT_INDUSTRY")

    assert listed(client) == [world.agency.name]


def test_both_lists_are_exported_as_they_are_narrowed(client, world, second):
    judged(world, world.agency, marks="88.5")
    judged(world, second, year=2025)
    excluded(world, worlds.organisation("第三评价公司", "AGENCY"))

    rows = sheet(client, RECOMMENDED, year="2026")
    assert [row[2] for row in rows if row[0] == 2026] == [world.agency.name]
    assert not any(second.name in row for row in rows)
    assert any("第三评价公司" in row for row in sheet(client, EXCLUDED))


def test_the_lists_are_found_from_the_home_and_from_the_officers_page(client, world):
    judged(world, world.agency)
    assert RECOMMENDED in client.get("/public/").content.decode()
    client.force_login(world.people["CITY_INDUSTRY"], backend="django.contrib.auth.backends.ModelBackend")
    city = world.authorities["CITY_INDUSTRY"].uscc

    page = client.get(f"/o/{city}/agencies/{world.agency.uscc}/").content.decode()
    assert f"{RECOMMENDED}?q={world.agency.uscc}" in page
    excluded(world, world.agency)
    page = client.get(f"/o/{city}/agencies/{world.agency.uscc}/").content.decode()
    assert f"{EXCLUDED}?q={world.agency.uscc}" in page


@pytest.mark.parametrize("said", [{"year": "x"}, {"authority": "nobody"}, {"page": "-3"}, {"sort": "by"}])
def test_a_filter_that_makes_no_sense_is_left_out(client, world, said):
    judged(world, world.agency)

    assert listed(client, **said) == [world.agency.name]


def test_the_lists_ask_the_same_few_questions_however_long_they_are(client, world):
    def asked(address):
        with CaptureQueriesContext(connection) as captured:
            client.get(address)
        return len(captured)

    judged(world, world.agency)
    excluded(world, worlds.organisation("除名公司0", "AGENCY"))
    few = [asked(RECOMMENDED), asked(EXCLUDED)]
    for n in range(1, 4):
        judged(world, worlds.organisation(f"公司{n}", "AGENCY"))
        excluded(world, worlds.organisation(f"除名公司{n}", "AGENCY"))

    assert [asked(RECOMMENDED), asked(EXCLUDED)] == few
    assert max(few) <= 5
