"""Figures from a real ledger: down to the movements, in few queries."""

from datetime import date
from decimal import Decimal

import pytest
from django.db.models import F

from tests.tables import LedgerTable
from wufei.indicators import queries
from wufei.indicators.figure import MovementsBehind
from wufei.indicators.sankey import links
from wufei.ledger import queries as ledger_queries
from wufei.ledger import services as ledger_services
from wufei.ledger.kinds import Kind
from wufei.ledger.models import Balance, Movement
from wufei.ledger.queries import verifying
from wufei.ledger.services import reverse
from wufei.terms.period import Period

YEAR_2023 = """
    2023-01-31 A 产生     100 吨 - -
    2023-02-28 A 自行利用  40 吨 - - 制砖
    2023-03-31 A 委外利用  40 吨 - - 生产水泥 乙厂
    2023-04-30 A 委外处置  10 吨 - - 填埋 丙场
"""


def value(organisation, indicator: str, year: int = 2023, **said) -> Decimal | None:
    return queries.figure(organisation=organisation, indicator=indicator, year=year, **said).value


def test_figures_of_a_posted_ledger(organisation, play, operation, made):
    play(organisation, YEAR_2023)
    operation(organisation, 2023, value_added="400")
    made(organisation, 2023, "砖", "50", "万块")

    assert value(organisation, "generation_t") == 100
    assert value(organisation, "utilisation_t", stream="A") == 80
    assert value(organisation, "utilisation_by_way_t", dimension="制砖") == 40
    assert value(organisation, "utilisation_rate_pct", dimension="SW02") == 80
    assert value(organisation, "generation_intensity_t_per_10k_yuan") == Decimal("0.25")
    assert value(organisation, "generation_per_product") == 2
    assert value(organisation, "stock_t") == 10
    assert value(organisation, "general_utilisation_rate_pct") == 80
    assert value(organisation, "generation_t", 2022) is None


def test_what_there_is_no_figure_of_is_refused(organisation, make_organisation, play):
    play(organisation, YEAR_2023)
    park = make_organisation("园区", kind="PARK")

    for asked in (
        {"indicator": "no_such"},
        {"indicator": "generation_t", "stream": "Z"},
        {"indicator": "park_generation_t"},
        {"indicator": "utilisation_by_way_t", "dimension": "填海"},
    ):
        with pytest.raises(queries.UnknownIndicator):
            queries.figure(organisation=organisation, year=2023, **asked)
    for asked in ({"indicator": "own_utilisation_t"}, {"indicator": "generation_t", "stream": "A"}):
        with pytest.raises(queries.UnknownIndicator):
            queries.figure(organisation=park, year=2023, **asked)


def test_a_reversal_takes_away_in_the_month_of_its_own_day(organisation, play, operator, now):
    play(organisation, YEAR_2023)
    wrong = Movement.objects.get(kind=Kind.CONTRACTED_DISPOSAL)

    reverse(movement=wrong, reason="磅单记错", by=operator, now=now, moved_on=date(2023, 5, 31))

    months = queries.figures(organisation=organisation, from_year=2023, to_year=2023, months=True)
    disposed = {
        str(f.period): f.value for f in months
        if f.indicator == "disposal_t" and f.stream is None and f.period.is_month and f.value
    }  # fmt: skip
    assert disposed == {"2023-04": 10, "2023-05": -10}
    assert value(organisation, "disposal_t") == 0


def test_a_labelled_lot_is_stock_of_the_year_in_which_it_was_generated(organisation, play):
    play(
        organisation,
        """
        2022-12-01 A 产生     8 吨 - L1
        2023-01-01 A 产生     8 吨 - L2
        2023-02-01 A 自行利用 4 吨 - L1
        2023-02-01 A 自行利用 4 吨 - L2
        """,
    )

    assert value(organisation, "earlier_years_utilisation_t") == 4
    assert value(organisation, "utilisation_rate_pct") * 12 == 800


def every_leaf(figures):
    return [leaf for figure in figures for leaf in figure.leaves() if isinstance(leaf, MovementsBehind)]


def test_each_leaf_finds_exactly_the_movements_that_it_summed(organisation, play, operator, now):
    play(
        organisation,
        YEAR_2023
        + """
        2022-05-31 A 产生     20 吨 - -
        2023-06-30 B 接收     30 吨 - - - 电厂
        2023-06-30 B 产生     10 吨 - -
        2023-07-31 B 自行利用 20 吨 - - 制砖
        2023-07-31 B 产生      5 吨 - L1
        """,
    )
    reverse(movement=Movement.objects.get(kind=Kind.CONTRACTED_DISPOSAL), reason="记错", by=operator, now=now)
    found = queries.figures(
        organisation=organisation, from_year=2022, to_year=2023, months=True, by_category=True
    )

    leaves = {leaf for leaf in every_leaf(found) if leaf.count}
    assert leaves
    for leaf in leaves:
        rows = list(queries.movements_behind(leaf))
        assert len(rows) == leaf.count, leaf
        assert sum(row.sign * row.mass_g for row in rows) == leaf.mass_g, leaf
        assert queries.movement_documents(leaf)[0]["seq"] == rows[0].seq


def test_movements_behind_a_figure_come_page_by_page(organisation, play):
    play(organisation, YEAR_2023)
    whole = MovementsBehind(organisation=organisation.uscc, kinds=tuple(Kind), period=Period.year(2023))

    assert [m.seq for m in queries.movements_behind(whole, limit=2, offset=1)] == [2, 3]
    assert [m.seq for m in queries.movements_behind(whole, offset=3)] == [4]


@pytest.mark.parametrize(("streams", "years"), [(1, 1), (12, 5)])
def test_figures_cost_the_same_few_queries_however_many_streams_and_years(
    organisation, play, operation, django_assert_num_queries, streams, years
):
    rows = [
        f"{2024 - year}-01-31 S{stream} 产生 5 吨 - -" for year in range(years) for stream in range(streams)
    ]
    play(organisation, "\n".join(rows))
    operation(organisation, 2023, value_added="1")

    with django_assert_num_queries(5):
        found = queries.figures(organisation=organisation, from_year=2020, to_year=2024, months=True)

    assert found


@pytest.mark.parametrize("members", [1, 6])
def test_park_figures_cost_the_same_few_queries_however_many_members(
    make_organisation, play, join, django_assert_num_queries, members
):
    park = make_organisation("园区", kind="PARK")
    for number in range(members):
        member = make_organisation()
        play(member, YEAR_2023)
        join(park, member, joined_on=date(2023, 2, 10 + number))

    with django_assert_num_queries(8):
        queries.park_figures(park=park, from_year=2020, to_year=2024)
    with django_assert_num_queries(5):  # the flows are kept while the chains end where they ended
        queries.top_generators(park=park, year=2023)


def test_nothing_is_kept_beyond_a_posting_a_statement_or_a_name(organisation, play, operation):
    def now(indicator):
        return queries.figure(organisation=organisation, indicator=indicator, year=2023).value

    play(organisation, "2023-01-31 S1 产生 5 吨 - -")
    assert (now("generation_t"), now("generation_intensity_t_per_10k_yuan")) == (5, None)

    play(organisation, "2023-02-01 S1 产生 3 吨 - -")
    assert now("generation_t") == 8
    operation(organisation, 2023, value_added="4")
    assert now("generation_intensity_t_per_10k_yuan") == 2
    operation(organisation, 2023, value_added="2")
    assert now("generation_intensity_t_per_10k_yuan") == 4


def test_a_park_keeps_nothing_beyond_a_posting_of_a_member_or_a_membership(make_organisation, play, join):
    park, one, two = make_organisation("园区", kind="PARK"), make_organisation(), make_organisation()

    def now():
        [found] = [
            f
            for f in queries.park_figures(park=park, from_year=2023, to_year=2023)
            if f.indicator == "park_generation_t"
        ]
        return found.value

    join(park, one, joined_on=date(2022, 1, 1))
    play(one, "2023-01-31 S1 产生 5 吨 - -")
    play(two, "2023-01-31 S1 产生 7 吨 - -")
    assert now() == 5
    play(one, "2023-02-28 S1 产生 1 吨 - -")
    assert now() == 6
    join(park, two, joined_on=date(2022, 1, 1))
    assert now() == 13


@pytest.fixture
def park(make_organisation, play, join, operation):
    park = make_organisation("无废园区", kind="PARK")
    plant = make_organisation("电厂", industry_code="441")
    works = make_organisation("水泥厂", kind="UTILISER")
    play(
        plant,
        """
        2023-03-09 A 产生     50 吨 - -
        2023-03-20 A 产生     70 吨 - -
        2023-03-31 A 委外利用 40 吨 - - 生产水泥 水泥厂
        2023-04-30 A 委外利用 20 吨 - - 生产水泥 外地厂
        """,
    )
    play(works, "2023-03-31 R 接收 40 吨 - - - 电厂\n2023-04-30 R 自行利用 40 吨 - - 生产水泥")
    join(park, plant, joined_on=date(2023, 3, 10))
    join(park, works)
    operation(plant, 2023, value_added="100", output="900")
    return park


def test_a_member_counts_from_the_day_on_which_it_joined(park):
    assert value(park, "park_generation_t") == 70
    assert value(park, "park_utilisation_t") == 40
    assert value(park, "park_sent_out_utilisation_t") == 20


def test_the_plain_ids_of_a_park_are_its_own_figures(park, operation):
    operation(park, 2023, value_added="280")
    found = queries.figures(organisation=park, from_year=2023, to_year=2023)
    by_id = {f.indicator: f for f in found if f.dimension is None}

    for plain in (
        "generation_t", "utilisation_t", "disposal_t", "stock_t", "utilisation_rate_pct", "disposal_rate_pct",
        "generation_intensity_t_per_10k_yuan", "utilisation_rate_gain_pp", "ledger_movements_count",
    ):  # fmt: skip
        assert by_id[plain].value == by_id[f"park_{plain}"].value
        assert value(park, plain) == by_id[plain].value
    assert by_id["generation_intensity_t_per_10k_yuan"].value == Decimal("0.25")
    assert by_id["generation_per_product"].missing[0].code == "not_applicable"
    assert value(park, "generation_per_product") is None


def test_a_member_counts_through_the_day_on_which_it_left(park, make_organisation, play, join):
    member = make_organisation()
    play(member, "2022-05-10 A 产生 1 吨 - -\n2023-05-10 A 产生 3 吨 - -\n2023-05-11 A 产生 30 吨 - -")
    join(park, member, left_on=date(2023, 5, 10))

    assert value(park, "park_generation_t") == 73


def test_a_reversal_in_the_month_of_joining_takes_away(park, operator, now):
    made = Movement.objects.get(kind=Kind.GENERATION, moved_on=date(2023, 3, 20))
    used = Movement.objects.filter(kind=Kind.CONTRACTED_UTILISATION).order_by("-moved_on")
    for movement in (*used, made):
        reverse(movement=movement, reason="记错", by=operator, now=now, moved_on=movement.moved_on)

    assert value(park, "park_generation_t") == 0
    assert value(park, "park_utilisation_t") == 0


def test_read_by_month_or_by_year_the_figures_of_a_year_are_the_same(organisation, play, park):
    play(
        organisation,
        YEAR_2023
        + """
        2023-06-30 B 接收     31 吨 - - - 电厂
        2023-06-30 B 产生     10 吨 - -
        2023-07-31 B 自行利用 11 千克 - - 制砖
        2023-08-31 B 自行利用 7 克 - - 制瓦
        2023-09-30 B 自行利用 13 克 - - 制砖
        2023-09-30 B 自行处置 3 克 - - 填埋
        """,
    )
    for subject in (organisation, park):
        asked = {"organisation": subject, "from_year": 2023, "to_year": 2023}
        by_year = queries.figures(**asked)
        by_month = [f for f in queries.figures(**asked, months=True) if f.period.is_year]
        assert len(by_year) > 30
        key = lambda f: (f.indicator, f.stream or "", f.dimension or "")  # noqa: E731
        values = {key(f): f.value for f in by_year}
        assert {key(f): f.value for f in by_month if key(f) in values} == values


def test_each_leaf_of_a_park_finds_exactly_its_movements(park):
    found = queries.figures(organisation=park, from_year=2023, to_year=2023, months=True)

    leaves = {leaf for leaf in every_leaf(found) if leaf.count}
    assert any(leaf.counterparties == ("水泥厂",) for leaf in leaves)
    for leaf in leaves:
        rows = list(queries.movements_behind(leaf))
        assert (len(rows), sum(row.sign * row.mass_g for row in rows)) == (leaf.count, leaf.mass_g), leaf


def test_a_member_without_a_ledger_is_named(park, make_organisation, join):
    join(park, make_organisation("新厂"))

    got = queries.figure(organisation=park, indicator="generation_t", year=2023)

    assert (got.value, [m.label for m in got.missing]) == (None, ["新厂 2023 年台账"])


def test_the_largest_generators_fill_the_forms_table(park, make_organisation, join, made):
    plant = park.__class__.objects.get(name="电厂")
    made(plant, 2023, "电", "30", "万千瓦时")
    join(park, make_organisation("新厂"))

    top = queries.top_generators(park=park, year=2023, limit=1)

    (row,) = top.rows
    assert (row.rank, row.name, row.industry_name) == (1, "电厂", "电力生产")
    assert [(p.name, p.output, p.unit) for p in row.products] == [("电", 30, "万千瓦时")]
    assert row.output_value_10k_yuan.value == 900
    assert (row.generation.value, row.utilisation.value) == (70, 60)
    assert [m.label for m in top.missing] == ["新厂 2023 年台账"]


def test_flows_for_a_sankey(organisation, play):
    play(organisation, YEAR_2023)

    rows = queries.flows(organisation=organisation, period=Period.year(2023))

    bands = {(b.source[1], b.target[1]): b.mass_g // 10**6 for b in links(rows)}
    assert bands == {
        ("工序1", "废物A（A）"): 100,
        ("废物A（A）", "自行利用"): 40,
        ("自行利用", "制砖"): 40,
        ("废物A（A）", "委外利用"): 40,
        ("委外利用", "乙厂"): 40,
        ("废物A（A）", "委外处置"): 10,
        ("委外处置", "丙场"): 10,
    }
    assert queries.flows(organisation=organisation, period=Period.year(2022)) == []


def test_the_chain_is_verified_only_when_asked_and_once_for_each_head(organisation, play, monkeypatch):
    ledger: LedgerTable = play(organisation, YEAR_2023)
    asked = []
    really = ledger_queries.verify

    def verify(*, organisation):
        asked.append(organisation)
        return really(organisation=organisation)

    monkeypatch.setattr(verifying, "verify", verify)

    queries.figures(organisation=organisation, from_year=2023, to_year=2023)
    assert asked == []
    assert value(organisation, "ledger_chain_intact") == 1
    assert value(organisation, "ledger_chain_intact") == 1
    assert len(asked) == 1
    ledger.post("2023-06-30 A 产生 1 吨 - -")
    found = queries.figures(organisation=organisation, from_year=2023, to_year=2023, include_integrity=True)
    assert [f.value for f in found if f.indicator == "ledger_chain_intact"] == [1]
    assert len(asked) == 2


def test_a_fault_in_the_ledger_is_a_zero_and_an_empty_ledger_unknown(
    organisation, make_organisation, play, monkeypatch
):
    play(organisation, YEAR_2023)
    fault = ledger_queries.Verification(4, (object(),))
    monkeypatch.setattr(verifying, "verify", lambda *, organisation: fault)

    assert value(organisation, "ledger_chain_intact") == 0
    assert value(make_organisation(), "ledger_chain_intact") is None


def test_the_chain_of_a_member_without_a_ledger_is_unknown(park, make_organisation, join):
    join(park, make_organisation("新厂"))

    got = queries.figure(organisation=park, indicator="ledger_chain_intact", year=2023)

    assert (got.value, [m.label for m in got.missing]) == (None, ["新厂 2023 年台账"])
    assert [part.value for part in got.basis] == [1, 1, None]


def test_the_chains_of_a_park_are_those_of_its_members(park):
    found = queries.park_figures(park=park, from_year=2023, to_year=2023, include_integrity=True)
    (intact,) = [f for f in found if f.indicator == "park_ledger_chain_intact"]

    assert (intact.value, len(intact.basis)) == (1, 2)
    assert value(park, "ledger_chain_intact") == 1


def test_a_fault_that_a_whole_verification_finds_shows_at_once_and_until_it_is_mended(
    organisation, play, operator, now
):
    play(organisation, YEAR_2023)

    def verified() -> bool:
        return ledger_services.verify(organisation=None, by=operator, now=now).is_ok

    assert verified()
    assert value(organisation, "ledger_chain_intact") == 1
    Balance.objects.update(mass_g=F("mass_g") + 1)
    assert value(organisation, "ledger_chain_intact") == 1  # nothing was posted since
    assert not verified()
    assert value(organisation, "ledger_chain_intact") == 0
    play(organisation, "2023-06-30 A 产生 1 吨 - -")
    assert value(organisation, "ledger_chain_intact") == 0
    Balance.objects.update(mass_g=F("mass_g") - 1)
    assert verified()
    assert value(organisation, "ledger_chain_intact") == 1


def test_of_a_park_the_member_with_a_fault_is_told_apart(park, operator, now):
    faulty = Balance.objects.order_by("pk").first()
    Balance.objects.filter(pk=faulty.pk).update(mass_g=F("mass_g") + 1)
    ledger_services.verify(organisation=None, by=operator, now=now)

    got = queries.figure(organisation=park, indicator="ledger_chain_intact", year=2023)

    assert got.value == 0
    assert sorted(part.value for part in got.basis) == [0, 1]
