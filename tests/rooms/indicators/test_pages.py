"""The pages of figures, as an officer reads them."""

import io
import re
from datetime import date
from decimal import Decimal

import openpyxl
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from wufei.indicators.models import AnnualOperation, AnnualProduct
from wufei.ledger.services import reverse as reverse_movement
from wufei.registry.models import AuditEntry

ROWS = """
    2024-03-31 A 产生 100 吨 - -
    2024-04-30 A 自行利用 60 吨 - - 制砖 -
    2025-03-31 A 产生 200 吨 - -
    2025-04-30 A 自行利用 150.5 吨 - - 制砖 -
    2025-05-31 A 委外利用 30 吨 - - 生产水泥 綦江水泥厂
    2025-03-31 B 产生 5 吨 - -
"""


@pytest.fixture(autouse=True)
def today(monkeypatch, now, settings):
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
    monkeypatch.setattr("django.utils.timezone.now", lambda: now)


@pytest.fixture
def books(organisation, play):
    return play(organisation, ROWS)


@pytest.fixture
def page(client, officer, organisation):
    """Open a page of the organisation: `page('figures/')`; the text without mark-up is `.words`."""
    client.force_login(officer, backend="django.contrib.auth.backends.ModelBackend")

    def opened(path: str, **said):
        return read(client.get(f"/o/{organisation.uscc}/{path}", said))

    return opened


def read(response):
    if not response["Content-Type"].startswith("text/html"):
        return response
    html = re.sub(r"<(script|style|svg)\b.*?</\1>", "", response.content.decode(), flags=re.DOTALL)
    response.words = " ".join(re.sub(r"<[^>]+>", " ", html).split())
    return response


def cells(response, name: str) -> list[str]:
    """Return the cells of the row of that name, as they are read."""
    rows = re.findall(r"<tr>(.*?)</tr>", response.content.decode(), re.DOTALL)
    row = next(row for row in rows if re.search(rf'<th scope="row"[^>]*>{name}</th>', row))
    return [
        " ".join(re.sub(r"<[^>]+>", " ", cell).split())
        for cell in re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL)
    ]


def test_years_stand_side_by_side_and_the_unknown_is_never_a_zero(books, page):
    shown = page("figures/", since=2023, through=2025)

    assert cells(shown, "工业固体废物产生量") == ["吨", "未知 ，缺2023 年台账", "100", "205"]
    assert cells(shown, "生产水泥")[-1] == "30"
    assert cells(shown, "工业固体废物综合利用率")[-1] == "88.05"
    assert "2025 年工业增加值（万元）" in shown.words
    assert f"/o/{books.organisation.uscc}/figures/stated/2025/" in shown.content.decode()


def test_one_stream_is_shown_alone(books, page):
    shown = page("figures/", since=2025, through=2025, stream="B")

    assert cells(shown, "工业固体废物产生量") == ["吨", "5"]
    assert "工业增加值" not in shown.words


def test_the_export_has_numbers_as_numbers_and_no_formula(books, page, organisation):
    response = page("figures/", since=2024, through=2025, export="xlsx")
    sheet = openpyxl.load_workbook(io.BytesIO(response.content)).active
    rows = {row[1]: row for row in sheet.iter_rows(values_only=True)}

    assert rows["工业固体废物产生量"] == ("产生", "工业固体废物产生量", "吨", 100, 205)
    assert rows["工业固体废物产生强度"][3:] == ("未知", "未知")
    assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row)


def test_what_a_person_typed_is_no_formula_in_the_export(organisation, play, page):
    play(organisation, "2025-03-31 A 产生 9 吨 - -\n2025-04-30 A 自行利用 2 吨 - - =1+1 -")
    sheet = openpyxl.load_workbook(io.BytesIO(page("figures/", export="xlsx").content)).active

    assert [c.data_type for row in sheet.iter_rows() for c in row if c.value == "=1+1"] == ["s"]


def test_trends_are_data_and_an_unknown_year_is_a_gap(books, page):
    shown = page("figures/", since=2023, through=2025)
    masses = shown.context["charts"][0]["option"]

    assert masses["xAxis"]["data"] == ["2023", "2024", "2025"]
    assert masses["series"][0]["data"] == [None, "100.000000", "205.000000"]
    assert '<script id="chart-0" type="application/json">' in shown.content.decode()


def test_months_show_what_moved_and_rates_that_accumulate(books, page):
    shown = page("figures/2025/", stream="A")

    assert cells(shown, "工业固体废物产生量")[3:7] == ["200", "0", "0", "0"]
    rate = cells(shown, "工业固体废物综合利用率")
    assert [rate[month] for month in (3, 4, 5, 12)] == ["0.00", "75.25", "90.25", "90.25"]
    assert rate[13] == "90.25"


def test_a_figure_leads_back_to_the_single_movements(books, page, client, organisation):
    shown = page("figures/utilisation_rate_pct/2025/")
    assert "综合利用量÷（产生量＋综合利用往年贮存量）×100%" in shown.words
    assert "GB/T 36132-2025" in shown.words
    assert "我们的读法" in shown.words

    leaves = re.findall(r'href="([^"]+/movements/\d+/)"', shown.content.decode())
    assert leaves
    found = read(client.get(leaves[0]))
    assert re.search(r"#\d+", found.words)
    assert f"/o/{organisation.uscc}/ledger/" in found.content.decode()


def test_movements_behind_a_figure_are_paged_and_reversals_counted_off(books, page, officer, now):
    books.post(*(f"2025-06-{day:02} A 产生 1 吨 - -" for day in range(1, 29)))
    books.post(*(f"2025-07-{day:02} A 产生 1 吨 - -" for day in range(1, 29)))
    taken = books.post("2025-08-01 A 产生 7 吨 - -")
    reverse_movement(movement=taken[0], reason="重复", by=officer, now=now)

    first = page("figures/generation_t/2025/movements/0/")
    last = page("figures/generation_t/2025/movements/0/", page=2)

    assert (first.context["page"].paginator.count, len(first.context["page"])) == (60, 50)
    assert "合计 261 吨" in first.words
    assert "冲正" in last.words
    assert "−7" in last.words


def test_what_is_not_there_is_not_found(books, page):
    for path in (
        "figures/no_such/2025/", "figures/generation_t/1900/", "figures/generation_t/2099/",
        "figures/generation_t/2025/movements/99/", "figures/generation_t/2025/?stream=Z", "figures/2099/",
        "figures/stated/2099/", "figures/generation_t/2025/?month=13",
    ):  # fmt: skip
        assert page(path).status_code == 404, path


def test_others_see_nothing_and_a_worker_sees_no_figures(
    books, client, make_user, make_organisation, organisation
):
    paths = [
        f"/o/{organisation.uscc}/figures/{p}" for p in ("", "2025/", "generation_t/2025/", "stated/2025/")
    ]
    client.force_login(make_user("ENVIRONMENT_OFFICER", make_organisation()))
    assert [client.get(path).status_code for path in paths] == [404] * 4
    client.force_login(make_user("WORKER", organisation))
    assert [client.get(path).status_code for path in paths] == [403] * 4
    client.logout()
    assert {client.get(path).status_code for path in paths} == {302}


def test_a_park_reads_its_figures_and_the_movements_of_its_members(
    books, join, client, make_user, make_organisation, organisation
):
    park = make_organisation("綦江工业园区", kind="PARK")
    join(park, organisation)
    client.force_login(make_user("PARK_OFFICER", park))

    table = read(client.get(f"/o/{park.uscc}/figures/", {"since": 2025, "through": 2025}))
    shown = read(client.get(f"/o/{park.uscc}/figures/park_generation_t/2025/"))
    rows = read(client.get(f"/o/{park.uscc}/figures/park_generation_t/2025/movements/0/"))

    assert cells(table, "园区内工业固废产生量") == ["吨", "205"]
    assert organisation.name in shown.words
    assert "合计 205 吨" in rows.words


def test_a_park_that_lost_a_member_reads_its_movements_no_more(
    books, join, client, make_user, make_organisation, organisation
):
    park = make_organisation("綦江工业园区", kind="PARK")
    join(park, organisation, left_on=date(2025, 12, 31))
    client.force_login(make_user("PARK_OFFICER", park))

    shown = read(client.get(f"/o/{park.uscc}/figures/park_generation_t/2025/"))

    assert "您无权查看该单位的台账" in shown.words
    assert client.get(f"/o/{park.uscc}/figures/park_generation_t/2025/movements/0/").status_code == 404


@pytest.fixture
def large_park(join, make_organisation, play):
    """A park of 23 members, the last of which generated most: 1, 2, ... 23 tonnes."""
    park = make_organisation("大园区", kind="PARK")
    for number in range(1, 24):
        member = make_organisation(f"成员{number:02}")
        join(park, member)
        play(member, f"2025-03-31 A 产生 {number} 吨 - -")
    return park


def test_of_many_parts_the_largest_are_shown_and_the_others_on_pages_of_their_own(
    large_park, client, make_user
):
    client.force_login(make_user("PARK_OFFICER", large_park))
    address = f"/o/{large_park.uscc}/figures/park_generation_t/2025/"

    def members(response) -> list[str]:
        return list(dict.fromkeys(re.findall(r"成员\d\d", response.words)))

    def movements(response) -> list[str]:
        return re.findall(r'href="([^"]+/movements/\d+/[^"]*)"', response.content.decode())

    shown = read(client.get(address))
    assert members(shown) == [f"成员{n:02}" for n in range(23, 3, -1)]
    assert "全部 23 项" in shown.words

    rest = read(client.get(address, {"part": "", "page": 2}))
    assert members(rest) == ["成员03", "成员02", "成员01"]
    [*_, last] = movements(rest)
    assert "合计 1 吨" in read(client.get(last)).words  # page=2 isn't the movements' own
    assert "合计 23 吨" in read(client.get(movements(shown)[0])).words

    rate = f"/o/{large_park.uscc}/figures/park_utilisation_rate_pct/2025/"
    generated = read(client.get(rate, {"part": "1", "page": 2}))
    assert "part=1" in client.get(rate).content.decode()
    assert members(generated) == ["成员03", "成员02", "成员01"]
    assert "合计 2 吨" in read(client.get(movements(generated)[1])).words


@pytest.mark.parametrize("part", ["0.0.0.0.0", "99", "x", "1.0.0", "."])
def test_a_part_that_is_not_there_is_not_found(books, page, part):
    assert page("figures/utilisation_rate_pct/2025/", part=part).status_code == 404


def test_of_much_that_is_missing_what_the_reader_can_supply_comes_first(large_park, client, make_user):
    client.force_login(make_user("PARK_OFFICER", large_park))

    table = read(client.get(f"/o/{large_park.uscc}/figures/", {"since": 2022, "through": 2025}))
    whole = read(client.get(f"/o/{large_park.uscc}/figures/park_value_added_10k_yuan/2025/"))

    assert table.content.decode().count('class="what"') == 50
    assert "另有" in table.words
    assert "等 23 项" in table.words
    assert "成员17" in whole.words
    assert whole.content.decode().count('class="what"') == 23


def test_the_number_of_queries_does_not_grow_with_the_rows(books, page):
    def asked(path: str) -> int:
        page(path)
        with CaptureQueriesContext(connection) as captured:
            page(path)
        return len(captured)

    paths = (
        "figures/",
        "figures/2025/",
        "figures/generation_t/2025/",
        "figures/generation_t/2025/movements/0/",
    )
    before = [asked(path) for path in paths]
    books.streams("C", "D", "E")
    books.post(*(f"2025-06-{day:02} {stream} 产生 1 吨 - -" for day in range(1, 29) for stream in "ACDE"))

    assert [asked(path) for path in paths] == before


# ---- what is stated -------------------------------------------------------------------


def test_a_year_is_stated_and_comes_out_in_the_figures(books, page, client, organisation):
    address = f"/o/{organisation.uscc}/figures/stated/2025/"
    said = {"version": 0, "output_value_10k_yuan": "2000.5", "value_added_10k_yuan": "410"}
    assert client.post(address, said).status_code == 302

    row = AnnualOperation.objects.get(year=2025)
    assert (row.value_added_10k_yuan, row.sales_10k_yuan, row.version) == (Decimal(410), None, 1)
    assert cells(page("figures/", since=2025, through=2025), "工业固体废物产生强度") == ["吨/万元", "0.5000"]
    assert AuditEntry.objects.filter(action="indicators.state_operation").count() == 1


def test_a_stale_statement_is_refused_and_shows_what_is_kept(page, client, organisation, operation):
    operation(organisation, 2025, value_added="300")
    address = f"/o/{organisation.uscc}/figures/stated/2025/"
    page("figures/")

    refused = read(client.post(address, {"version": 0, "value_added_10k_yuan": "410"}))

    assert refused.status_code == 409
    assert "工业增加值 300" in refused.words
    assert 'value="410"' in refused.content.decode()
    assert AnnualOperation.objects.get().value_added_10k_yuan == 300
    again = {"version": refused.context["form"]["version"].value(), "value_added_10k_yuan": "410"}
    assert client.post(address, again).status_code == 302
    assert AnnualOperation.objects.get().value_added_10k_yuan == 410


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"output_value_10k_yuan": "-1"}, "不能小于零。"),
        ({"output_value_10k_yuan": "一百"}, "输入一个数字。"),
        ({"sales_10k_yuan": "99999999999999"}, "数额过大，请检查单位是否填错。"),
    ],
)
def test_an_amount_that_can_not_be_is_refused_in_its_field(page, client, organisation, said, words):
    page("figures/")
    refused = read(client.post(f"/o/{organisation.uscc}/figures/stated/2025/", {"version": 0, **said}))

    assert refused.status_code == 422
    assert words in refused.words
    assert not AnnualOperation.objects.exists()


def test_products_are_stated_and_changed(page, client, organisation):
    page("figures/")
    address = f"/o/{organisation.uscc}/figures/stated/2025/products/"
    said = {"version": 0, "name": "水泥", "output": "80", "unit": "万吨", "is_main": "on"}
    assert client.post(f"{address}new/", said).status_code == 302
    made = AnnualProduct.objects.get()
    assert (
        client.post(f"{address}{made.pk}/", said | {"version": 1, "output": "81", "name": "石灰"}).status_code
        == 302
    )

    made.refresh_from_db()
    assert (made.name, made.output, made.version) == ("水泥", 81, 2)
    assert client.post(f"{address}{made.pk}/", said | {"version": 1, "output": "82"}).status_code == 409
    assert "水泥" in page("figures/stated/2025/").words


def test_who_may_not_edit_is_offered_nothing_to_edit(client, make_user, make_organisation, organisation):
    authority = make_organisation("綦江区经信委", kind="AUTHORITY")
    client.force_login(make_user("AUTHORITY_OFFICER", authority))
    address = f"/o/{organisation.uscc}/figures/stated/2025/"

    shown = client.get(address)

    assert shown.status_code == 200
    assert "<textarea" not in shown.content.decode()
    assert "products/new/" not in shown.content.decode()
    assert client.post(address, {"version": 0}).status_code == 403
    assert client.get(f"{address}products/new/").status_code == 403


def test_who_may_not_import_is_not_sent_to_the_import(organisation, client, make_user, make_organisation):
    """An authority reads the figures; a link that would refuse it is no help."""
    said = {}
    for role, of in (
        ("ENVIRONMENT_OFFICER", organisation),
        ("AUTHORITY_OFFICER", make_organisation("綦江区经信委", kind="AUTHORITY")),
    ):
        client.force_login(make_user(role, of))
        said[role] = "去导入" in read(client.get(f"/o/{organisation.uscc}/figures/")).words
    assert said == {"ENVIRONMENT_OFFICER": True, "AUTHORITY_OFFICER": False}
