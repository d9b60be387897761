"""A park's figures: over the members of each day, nothing twice, nothing from outside."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.pure.indicators.rows import facts
from tests.pure.indicators.test_attribution import BULK, believable
from wufei.indicators.document import figure_document
from wufei.indicators.enterprise import Enterprise
from wufei.indicators.facts import Facts, Operation
from wufei.indicators.figure import Figure, MovementsBehind
from wufei.indicators.mass import tonnes
from wufei.indicators.park import Membership, Park, as_plain
from wufei.terms.period import Period

SENDER = """
    2023-01 灰 产生     100 吨
    2023-02 灰 委外利用  60 吨 生产水泥 水泥（綦江）厂
    2023-03 灰 委外利用  20 吨 生产水泥 外地厂
    2023-04 灰 自行利用  10 吨 制砖
"""
RECEIVER = """
    2023-02 收灰 接收     60 吨 - 电厂
    2023-03 收灰 接收     40 吨 - 外地电厂
    2023-05 收灰 自行利用 100 吨 生产水泥
    2023-06 渣   产生      10 吨
    2023-06 渣   委外处置   4 吨 填埋 外地场
"""


def park(*members: Facts, memberships=None, own: Facts | None = None) -> Park:
    by_code = {member.uscc: member for member in members}
    stays = memberships or [Membership(member=code, first_day=date(2015, 1, 1)) for code in by_code]
    return Park(own or Facts(uscc="P", name="园区"), by_code, stays)


def two() -> Park:
    return park(
        facts(SENDER, uscc="S", name="电厂", value_added={2023: "300"}),
        facts(RECEIVER, uscc="R", name="水泥(綦江)厂", value_added={2023: "140"}),
    )


@pytest.mark.parametrize(
    ("indicator", "value"),
    [
        ("park_generation_t", "110"),
        (
            "park_utilisation_t",
            "70",
        ),  # 60 given to a member and 10 used by itself; not 20 sent out, nor 40 taken in
        ("park_sent_out_utilisation_t", "20"),
        ("park_disposal_t", "4"),
        ("park_stock_t", "16"),
        ("park_generation_intensity_t_per_10k_yuan", "0.25"),
    ],
)
def test_what_one_member_gives_to_another_counts_once_and_what_goes_out_not_at_all(indicator, value):
    assert two().of_year(2023)[indicator].value == Decimal(value)


def test_the_rate_inside_the_park():
    got = two().of_year(2023)["park_utilisation_rate_pct"]

    assert round(got.value, 4) == Decimal("63.6364")
    assert got.name == "工业固体废物园区内综合利用率"


def test_a_member_is_recognised_by_its_code_too():
    sender = facts(SENDER.replace("水泥（綦江）厂", "R"), uscc="S", name="电厂")

    assert (
        park(sender, facts(RECEIVER, uscc="R", name="水泥厂")).of_year(2023)["park_utilisation_t"].value == 70
    )


def test_a_utiliser_counts_as_inside_only_on_its_days_of_membership():
    members = (facts(SENDER, uscc="S", name="电厂"), facts(RECEIVER, uscc="R", name="水泥(綦江)厂"))
    left = [
        Membership(member="S", first_day=date(2015, 1, 1)),
        Membership(member="R", first_day=date(2015, 1, 1), last_day=date(2023, 1, 31)),
    ]

    found = park(*members, memberships=left).of_year(2023)

    assert found["park_utilisation_t"].value == 10
    assert found["park_generation_t"].value == 100
    assert found["park_stock_t"].value == 10


def test_days_before_joining_within_a_month_do_not_count():
    daily = """
        2023-03-09 A 产生     5 吨
        2023-03-10 A 产生     7 吨
        2023-03-31 A 自行利用 6 吨
    """
    joined = [Membership(member="U1", first_day=date(2023, 3, 10))]

    found = park(facts(daily), memberships=joined).of_year(2023)

    assert found["park_generation_t"].value == 7
    assert found["park_utilisation_t"].value == 6


def test_a_member_that_left_and_came_back_counts_on_both_stays():
    stays = [
        Membership(member="U1", first_day=date(2020, 1, 1), last_day=date(2023, 1, 31)),
        Membership(member="U1", first_day=date(2023, 3, 1)),
    ]
    table = "2023-01 A 产生 1 吨\n2023-02 A 产生 10 吨\n2023-03 A 产生 100 吨"

    assert park(facts(table), memberships=stays).of_year(2023)["park_generation_t"].value == 101


def test_stays_that_overlap_count_no_day_twice():
    stays = [
        Membership(member="U1", first_day=date(2020, 1, 1), last_day=date(2023, 6, 30)),
        Membership(member="U1", first_day=date(2023, 3, 1)),
    ]

    assert park(facts("2023-04 A 产生 1 吨"), memberships=stays).of_year(2023)["park_generation_t"].value == 1


def test_an_open_stay_swallows_a_later_one():
    stays = [
        Membership(member="U1", first_day=date(2020, 1, 1)),
        Membership(member="U1", first_day=date(2022, 1, 1), last_day=date(2022, 2, 1)),
    ]

    assert park(facts("2023-04 A 产生 1 吨"), memberships=stays).of_year(2023)["park_generation_t"].value == 1


def test_a_member_without_a_ledger_makes_the_park_unknown_and_is_named():
    one = park(facts(SENDER, uscc="S"), facts("", uscc="Q", name="丁厂"))

    for got in one.year_figures(2023):
        if "value" not in got.indicator:
            assert got.value is None, got.indicator
    (missing,) = one.of_year(2023)["park_generation_t"].missing
    assert (missing.code, missing.label, missing.subject) == ("ledger", "丁厂 2023 年台账", "Q")


def test_a_carrier_in_the_park_need_not_keep_a_ledger():
    one = park(facts(SENDER, uscc="S"), facts("", uscc="C", name="运输队", keeps_ledger=False))

    assert one.of_year(2023)["park_generation_t"].value == 100


def test_a_park_without_members_is_unknown():
    got = Park(Facts(uscc="P", name="园区"), {}, []).of_year(2023)["park_generation_t"]

    assert (got.value, [m.code for m in got.missing]) == (None, ["members"])


def test_value_added_that_the_park_states_goes_before_the_sum():
    own = Facts(uscc="P", name="园区", operations={2023: Operation(value_added=Decimal(220))})
    one = park(facts(SENDER, uscc="S"), facts(RECEIVER, uscc="R"), own=own)

    assert one.of_year(2023)["park_generation_intensity_t_per_10k_yuan"].value == Decimal("0.5")


def test_value_added_of_a_member_of_part_of_the_year_can_not_be_split():
    joined = [Membership(member="U1", first_day=date(2023, 3, 1))]
    one = park(facts("2023-03 A 产生 1 吨", value_added={2023: "9"}), memberships=joined)

    got = one.of_year(2023)["park_value_added_10k_yuan"]

    assert (got.value, [m.code for m in got.missing]) == (None, ["part_of_year"])


def test_value_added_of_a_member_that_stated_none_is_named():
    got = park(facts(SENDER, uscc="S", name="电厂")).of_year(2023)["park_value_added_10k_yuan"]

    assert (got.value, [m.label for m in got.missing]) == (None, ["电厂 2023 年工业增加值（万元）"])


def test_changes_of_a_park():
    table = """
        2020-01 A 产生     100 吨
        2020-02 A 自行利用  50 吨
        2020-03 A 委外处置  50 吨
        2023-01 A 产生      80 吨
        2023-02 A 自行利用  60 吨
    """
    gain, reduction = park(facts(table, value_added={2020: "100", 2023: "100"})).changes(2023)

    assert (gain.indicator, gain.value) == ("park_utilisation_rate_gain_pp", 25)
    assert (reduction.indicator, reduction.value) == ("park_generation_intensity_reduction_pct", 20)


def test_waste_by_name_the_largest_first():
    found = two().by_waste(Period.year(2023))

    got = [(f.indicator, f.dimension, f.value) for f in found]
    assert got == [
        ("park_generation_by_waste_t", "废物灰", 100),
        ("park_generation_by_waste_t", "废物渣", 10),
        ("park_generation_by_waste_t", "废物收灰", 0),
        ("park_utilisation_by_waste_t", "废物灰", 70),
        ("park_utilisation_by_waste_t", "废物收灰", 0),
        ("park_utilisation_by_waste_t", "废物渣", 0),
    ]


def test_a_park_figure_is_recomputed_from_its_leaves_and_asked_by_its_plain_id():
    figure = park(
        facts(SENDER, uscc="S"), facts("2023-01 A 产生 1 吨", uscc="R", name="水泥（綦江）厂")
    ).of_year(2023)["park_utilisation_t"]

    leaves = [leaf for leaf in figure.leaves() if isinstance(leaf, MovementsBehind)]
    assert tonnes(sum(leaf.sign * leaf.mass_g for leaf in leaves)) == figure.value == 70
    assert [leaf.counterparties for leaf in leaves if leaf.counterparties] == [("水泥（綦江）厂",)]
    plain = as_plain(figure)
    assert (plain.indicator, plain.value) == ("utilisation_t", 70)
    assert figure_document(figure)["reading"]


def test_ledger_quality_of_a_park_names_the_member():
    count, named = two().quality(Period.year(2023))
    assert (count.value, named.value) == (9, 100)

    lacking = park(facts(SENDER.replace(" 外地厂", ""), uscc="S", name="电厂"), facts(RECEIVER, uscc="R"))
    _, named = lacking.quality(Period.year(2023))
    assert (named.value, [m.subject for m in named.missing]) == (None, ["S"])


def test_received_waste_that_is_passed_on_to_a_member_is_not_the_passers_own():
    trader = facts(
        "2023-01 A 产生 30 吨\n2023-01 A 接收 10 吨\n2023-02 A 委外利用 20 吨 制砖 砖厂", uscc="T", name="商"
    )
    one = park(trader, facts("2023-01 B 产生 1 吨", uscc="B", name="砖厂"))

    got = one.of_year(2023)["park_utilisation_t"]

    assert got.value == 15
    deductions = [p for part in got.basis for p in part.basis if isinstance(p, Figure) and p.value < 0]
    assert [(d.name, d.value) for d in deductions] == [("减：利用接收废物量", -5)]


def test_a_members_year_for_the_form():
    found = two().member_year("S", 2023)

    assert found["generation_t"].value == 100
    assert found["utilisation_t"].value == 90  # anywhere: the form asks what the enterprise utilised
    assert found["utilisation_rate_pct"].value == 90


# --- laws ------------------------------------------------------------------------------


def member(rows) -> Facts:
    known = facts("", categories={"A": "SW02", "B": "HW08"})
    return Facts(uscc="U1", name="甲厂", streams=known.streams, flows=tuple(believable(rows)))


@settings(deadline=None)  # many run beside each other
@given(rows=st.lists(BULK.filter(lambda r: r[1] != "CONTRACTED_UTILISATION"), max_size=20))
def test_a_park_of_one_member_that_sends_nothing_out_equals_the_member(rows):
    one = member(rows)
    alone, of_park = Enterprise(one), park(one)
    for year in (2021, 2022, 2023):
        mine, ours = alone.of_year(year), of_park.of_year(year)
        for indicator in (
            "generation_t", "utilisation_t", "disposal_t", "earlier_years_utilisation_t",
            "utilisation_rate_pct", "disposal_rate_pct",
        ):  # fmt: skip
            assert ours[f"park_{indicator}"].value == mine[indicator].value, indicator


@settings(deadline=None)  # many run beside each other
@given(rows=st.lists(BULK, max_size=20), cut=st.dates(date(2021, 2, 1), date(2023, 12, 1)))
def test_two_stays_that_meet_count_as_one(rows, cut):
    one = member(rows)
    cut = cut.replace(day=1)
    stays = [
        Membership(member="U1", first_day=date(2015, 1, 1), last_day=cut - timedelta(days=1)),
        Membership(member="U1", first_day=cut),
    ]
    parted, whole = park(one, memberships=stays), park(one)
    for year in (2021, 2022, 2023):
        for indicator, figure in whole.masses(Period.year(year)).items():
            assert parted.masses(Period.year(year))[indicator].value == figure.value


def test_a_members_year_adds_up_its_stays():
    stays = [
        Membership(member="U1", first_day=date(2020, 1, 1), last_day=date(2023, 1, 31)),
        Membership(member="U1", first_day=date(2023, 3, 1)),
    ]
    table = "2023-01 A 产生 1 吨\n2023-02 A 产生 10 吨\n2023-03 A 产生 100 吨"

    assert park(facts(table), memberships=stays).member_year("U1", 2023)["generation_t"].value == 101
