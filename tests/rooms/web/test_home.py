"""Where each person lands, and what their home says."""

import re
from datetime import date
from decimal import Decimal

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.conftest import NOW
from tests.tables import LedgerTable
from wufei.cases.services import open_case
from wufei.indicators.services import state_operation
from wufei.policies import services as policy_services
from wufei.registry.models import ParkMembership
from wufei.web import overview
from wufei.web.flows import option, period_of


@pytest.fixture(autouse=True)
def today(settings, monkeypatch):
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)
    cache.clear()


def signed_in(user) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def text_of(response) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def play(organisation, by, *rows: str, **said) -> LedgerTable:
    ledger = LedgerTable(organisation=organisation, by=by, now=NOW)
    ledger.stores(库1="1000")
    ledger.streams(*sorted({row.split()[1] for row in rows}))
    ledger.post(*rows, **said)
    return ledger


YEARS = (
    "2025-02-10 A 产生 100 吨 库1 -", "2025-03-10 A 自行利用 60 吨 库1 -", "2025-09-10 A 产生 500 吨 库1 -",
    "2026-02-10 A 产生 150 吨 库1 -", "2026-05-10 A 自行利用 90 吨 库1 -", "2026-05-11 A 委外处置 5 吨 库1 -",
)  # fmt: skip


def test_an_enterprises_home_has_the_year_so_far_beside_the_same_months_of_last_year(
    officer, organisation, operator
):
    play(organisation, operator, *YEARS)

    shown = signed_in(officer).get(f"/o/{organisation.uscc}/")

    so_far = shown.context["so_far"]
    lines = {line.indicator: (line.now, line.before) for line in so_far.total}
    assert lines == {
        "generation_t": (150, 100), "utilisation_t": (90, 60), "disposal_t": (5, 0), "stock_t": (595, 40)
    }  # fmt: skip
    assert [each.code for each in so_far.streams] == ["A"]
    assert so_far.total[0].change_pct == 50
    assert "595 ／ 1,000 吨，已用 59%" in text_of(shown)


def test_the_year_so_far_ends_with_the_last_month_that_was_recorded(
    officer, organisation, operator, monkeypatch
):
    """The demo's ledgers end in June: in November they are compared with last year's first half alone."""
    play(organisation, operator, *YEARS)
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW.replace(month=11))

    shown = signed_in(officer).get(f"/o/{organisation.uscc}/")

    lines = {line.indicator: (line.now, line.before) for line in shown.context["so_far"].total}
    assert lines["generation_t"] == (150, 100), "not the 600 of January to November"
    assert "台账记到 5 月" in text_of(shown)
    assert "“上年同期”指 2025 年 1–5 月，5 月以后的月份不比较。" in text_of(shown)


def test_a_year_without_records_is_compared_with_nothing(officer, organisation, operator):
    play(organisation, operator, *YEARS[:3])

    shown = signed_in(officer).get(f"/o/{organisation.uscc}/")

    assert "2026 年还没有台账记录" in text_of(shown)
    assert [line.before for line in shown.context["so_far"].total] == [None] * 4
    assert "上年同期没有记录" not in text_of(shown)


def test_what_the_open_case_needs_comes_first_and_the_rest_is_folded(officer, organisation, operator):
    play(organisation, operator, *YEARS)
    open_case(
        organisation=organisation, edition_id="chongqing-2026-6-enterprise", year=2025, by=operator, now=NOW
    )

    shown = signed_in(officer).get(f"/o/{organisation.uscc}/")

    first, rest = [gap for gap in [*shown.context["gaps"], *shown.context["more_gaps"]] if gap.items]
    assert "无废企业" in first.says
    assert (first.is_folded, rest.is_folded) == (False, True)
    assert first.address.endswith("/declarations/2025/?edition=chongqing-2026-6-enterprise")
    assert "行政处罚（2023、2024、2025）" in first.items
    assert not set(first.items) & set(rest.items)
    assert f"其他政策要问的声明还缺 {len(rest.items)} 项" in rest.says


def test_without_a_case_the_edition_that_is_due_next_comes_first(organisation):
    first, _ = overview.declaration_gaps(organisation=organisation, today=date(2026, 7, 1))
    assert "?edition=chongqing-2026-green-factory" in first.address

    newest, _ = overview.declaration_gaps(organisation=organisation, today=date(2030, 7, 1))
    assert "?edition=chongqing-2026-green-factory" in newest.address

    spring, _ = overview.declaration_gaps(organisation=organisation, today=date(2026, 4, 1))
    assert "?edition=chongqing-2026-6-enterprise" in spring.address


def test_the_home_says_what_is_missing(officer, organisation, operator):
    play(organisation, operator, *YEARS)

    said = [gap.says for gap in overview.gaps(organisation=organisation, today=date(2026, 7, 1))]

    assert said[:3] == [
        "1 条委外记录没有对方单位，去向查不到。", "2026-06 没有台账记录。", "2026-03 至 2026-04 没有台账记录。",
    ]  # fmt: skip
    assert "没有填 2025 年工业增加值（万元）。" in said
    assert said[-1].startswith("其他政策要问的声明还缺")


def test_what_was_supplied_is_no_longer_missing(officer, organisation, operator):
    play(organisation, operator, *YEARS, counterparty="某公司")
    state_operation(
        organisation=organisation, year=2025, output_value_10k_yuan=Decimal(3), sales_10k_yuan=Decimal(2), value_added_10k_yuan=Decimal(1),
        source="测试", by=operator, now=NOW,
    )  # fmt: skip
    before = list(overview.declaration_gaps(organisation=organisation, today=date(2026, 7, 1)))
    for year in (2023, 2024, 2025):
        policy_services.declare(
            organisation=organisation, item="行政处罚", year=year, answer="NO", basis="信用中国", source="测试",
            by=operator, now=NOW,
        )  # fmt: skip

    gaps = overview.gaps(organisation=organisation, today=date(2026, 7, 1))
    assert not [gap for gap in gaps if "对方单位" in gap.says or "工业增加值" in gap.says]
    assert any(item.startswith("行政处罚（2023、2024、2025）") for gap in before for item in gap.items)
    assert not [item for gap in gaps for item in gap.items if item.startswith("行政处罚（")]


def test_deadlines_come_from_the_editions_that_concern_the_organisation(organisation):
    coming, _ = overview.deadlines(organisation=organisation, today=date(2026, 4, 1))
    assert (date(2026, 4, 13), 12) in [(due.on, due.days) for due in coming]
    assert not [due for due in coming if "广东" in due.edition]

    none, last = overview.deadlines(organisation=organisation, today=date(2030, 1, 1))
    assert none == []
    assert last is not None
    assert last.on < date(2030, 1, 1)


def test_a_worker_sees_the_stores_but_not_the_figures(make_user, organisation, operator):
    play(organisation, operator, *YEARS)

    shown = signed_in(make_user("WORKER", organisation)).get(f"/o/{organisation.uscc}/")

    assert "so_far" not in shown.context
    assert "导入工作簿" not in text_of(shown)
    assert "记一笔" in text_of(shown)


def test_another_organisations_home_is_not_found(make_user, make_organisation, organisation):
    stranger = signed_in(make_user("ENVIRONMENT_OFFICER", make_organisation()))

    assert stranger.get(f"/o/{organisation.uscc}/").status_code == 404
    assert stranger.get(f"/o/{organisation.uscc}/flows/").status_code == 404


@pytest.fixture
def park(make_organisation, operator):
    """A park with twelve members, each of which generated more than the one before."""
    park = make_organisation("试验园区", kind="PARK")
    for number in range(1, 13):
        member = make_organisation(f"成员{number:02d}")
        play(member, operator, f"2025-05-01 A 产生 {number} 吨 库1 -")
        ParkMembership.objects.create(park=park, member=member, joined_on=date(2015, 1, 1))
    return park


def test_a_parks_home_has_its_members_and_its_ten_largest_generators(park, make_user):
    shown = signed_in(make_user("PARK_OFFICER", park)).get(f"/o/{park.uscc}/")

    assert [row.name for row in shown.context["top"]] == [f"成员{n:02d}" for n in range(12, 2, -1)]
    assert len(shown.context["members"]) == 12
    figures = {figure.indicator: figure.value for figure in shown.context["figures"]}
    assert figures["park_generation_t"] == 78
    earlier = signed_in(make_user("PARK_OFFICER", park)).get(f"/o/{park.uscc}/", {"year": "2024"})
    assert earlier.context["top"] == ()
    assert any("2024" in gap.says for gap in [*earlier.context["gaps"], *earlier.context["more_gaps"]])


def test_a_parks_officer_sees_a_members_home_without_what_only_the_member_does(park, make_user):
    member = ParkMembership.objects.filter(park=park).first().member

    shown = signed_in(make_user("PARK_OFFICER", park)).get(f"/o/{member.uscc}/")

    assert "还缺什么" in text_of(shown)
    assert f"/o/{member.uscc}/ledger/new/" not in shown.content.decode()
    assert not [g for g in shown.context["gaps"] if "declarations" in g.address or "stated" in g.address]


def test_an_authoritys_home_lists_its_district_in_the_same_few_queries(park, make_user, make_organisation):
    authority = make_organisation("区生态环境局", kind="AUTHORITY")
    make_organisation("外区企业", division_code="440100")
    client = signed_in(make_user("AUTHORITY_OFFICER", authority))

    shown = client.get(f"/o/{authority.uscc}/", {"year": "2025"})
    rows = {row.organisation.name: row.generated_g for row in shown.context["rows"]}
    assert (rows["成员12"], rows["试验园区"], "外区企业" in rows) == (12_000_000, None, False)
    assert shown.context["generated_g"] == 78_000_000

    counts = []
    for text in ("成员12", "成员"):
        with CaptureQueriesContext(connection) as asked:
            client.get(f"/o/{authority.uscc}/", {"text": text})
        counts.append(len(asked))
    assert counts[0] == counts[1]


def test_everybody_lands_where_their_work_begins(make_user, organisation, make_organisation):
    authority = make_organisation(kind="AUTHORITY")

    for role, of in (
        ("ENVIRONMENT_OFFICER", organisation),
        ("WORKER", organisation),
        ("AUTHORITY_OFFICER", authority),
    ):
        answer = signed_in(make_user(role, of)).get("/")
        assert answer["Location"] == f"/o/{of.uscc}/"


# --- flows


def test_flows_are_drawn_and_stand_in_a_table_beside(officer, organisation, operator):
    play(organisation, operator, *YEARS, counterparty="工序1")

    shown = signed_in(officer).get(f"/o/{organisation.uscc}/flows/", {"year": "2026"})

    assert (shown.context["came_g"], shown.context["went_g"]) == (150_000_000, 95_000_000)
    assert "自行利用：工序1" in text_of(shown)
    series = shown.context["option"]["series"][0]
    names = [node["name"] for node in series["data"]]
    # The process and the counterparty are called alike, and yet two nodes: a ring can't be drawn.
    assert (len(names), len(set(names))) == (5, 5)
    assert {band["source"] for band in series["links"]} | {b["target"] for b in series["links"]} == set(names)


def test_flows_of_a_month_without_records_say_so(officer, organisation, operator):
    play(organisation, operator, *YEARS)

    shown = signed_in(officer).get(f"/o/{organisation.uscc}/flows/", {"year": "2026", "part": "06"})

    assert "这一时期没有记录" in text_of(shown)
    assert option([])["series"][0]["links"] == []


@pytest.mark.parametrize(("part", "days"), [("", 365), ("q1", 90), ("q4", 92), ("02", 28)])
def test_a_period_is_a_year_a_quarter_or_a_month(part, days):
    period = period_of(year=2025, part=part)

    assert (period.last_day - period.first_day).days + 1 == days
