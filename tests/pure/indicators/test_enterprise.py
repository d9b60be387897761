"""An enterprise's figures: unknown is never 0, and the parts sum to the whole."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.pure.indicators.rows import facts, product
from tests.pure.indicators.test_attribution import BULK, believable
from wufei.indicators.definitions import INDICATORS
from wufei.indicators.document import figure_document, line_document
from wufei.indicators.enterprise import Cut, Enterprise
from wufei.indicators.facts import Facts
from wufei.indicators.figure import Figure, MovementsBehind
from wufei.indicators.mass import tonnes
from wufei.terms.period import Period

PLAIN = """
    2023-01 A 产生     100 吨
    2023-02 A 自行利用  40 吨 制砖
    2023-03 A 委外利用  40 吨 生产水泥 乙厂
    2023-04 A 委外处置  10 吨 填埋 丙场
    2023-01 B 产生       4 吨
    2023-05 B 委外处置   4 吨 焚烧 丙场
"""


def enterprise(table: str = PLAIN, **said) -> Enterprise:
    return Enterprise(facts(table, categories={"A": "SW02", "B": "HW08"}, **said))


def by_id(figures, indicator: str, **where) -> Figure:
    (found,) = [
        f for f in figures
        if f.indicator == indicator and all(getattr(f, name) == said for name, said in where.items())
    ]  # fmt: skip
    return found


@pytest.mark.parametrize(
    ("indicator", "value"),
    [
        ("generation_t", "104"),
        ("utilisation_t", "80"),
        ("own_utilisation_t", "40"),
        ("contracted_utilisation_t", "40"),
        ("received_utilisation_t", "0"),
        ("receipt_t", "0"),
        ("disposal_t", "14"),
        ("own_disposal_t", "0"),
        ("contracted_disposal_t", "14"),
        ("earlier_years_utilisation_t", "0"),
        ("earlier_years_disposal_t", "0"),
        ("stock_t", "10"),
        ("storage_t", "10"),
        ("mass_balance_gap_t", "0"),
    ],
)
def test_masses_of_a_year_in_total(indicator, value):
    got = enterprise().of_year(2023)[indicator]

    assert (got.value, got.unit, got.missing) == (Decimal(value), "吨", ())


def test_masses_of_a_stream_a_category_and_a_class():
    one = enterprise()

    assert one.of_year(2023, Cut(stream="A"))["utilisation_rate_pct"].value == 80
    assert one.of_year(2023, Cut(waste_category="HW08"))["disposal_t"].value == 4
    found = list(one.year_figures(2023))
    assert by_id(found, "general_utilisation_rate_pct").value == 80
    assert by_id(found, "hazardous_generation_t").value == 4


def test_utilisation_by_way():
    found = [f for f in enterprise().year_figures(2023) if f.indicator == "utilisation_by_way_t"]

    assert [(f.dimension, f.value) for f in found] == [("制砖", 40), ("生产水泥", 40)]


def test_every_figure_has_an_indicator_that_cites_its_source_and_totals_come_before_streams():
    found = list(enterprise().year_figures(2023, by_category=True))

    assert {f.indicator for f in found} <= set(INDICATORS)
    assert all(f.source and f.formula for f in found)
    totals = [f.indicator for f in found if f.stream is None and f.dimension is None]
    assert len(totals) == len(set(totals)), "one total for each indicator"


def test_a_year_without_a_ledger_is_unknown_for_every_figure():
    for got in enterprise().year_figures(2022):
        assert got.value is None, got.indicator
        assert got.missing


def test_an_unknown_mass_names_the_ledger_to_supply():
    (missing,) = enterprise().of_year(2022)["generation_t"].missing

    assert (missing.code, missing.label, missing.where) == ("ledger", "2022 年台账", "数据工作簿“台账”")


def test_a_year_with_nothing_but_opening_stock_knows_its_stock_alone():
    found = enterprise("2022-12 A 期初贮存 7 吨\n2023-01 A 产生 1 吨").of_year(2022)

    assert found["stock_t"].value == 7
    assert found["generation_t"].value is None


def test_a_kind_of_which_a_recorded_year_has_none_is_exactly_zero():
    got = enterprise("2023-01 A 产生 1 吨").of_year(2023)

    assert got["disposal_t"].value == 0
    assert got["utilisation_rate_pct"].value == 0


def test_a_rate_over_no_waste_at_all_is_unknown():
    got = enterprise("2023-01 A 接收 1 吨").of_year(2023)["utilisation_rate_pct"]

    assert (got.value, [m.code for m in got.missing]) == (None, ["denominator_zero"])


def test_waste_of_others_is_not_counted_as_own_utilisation():
    found = enterprise(
        """
        2023-01 A 产生      30 吨
        2023-01 A 接收      90 吨
        2023-02 A 自行利用  60 吨
        """
    ).of_year(2023)

    assert found["utilisation_t"].value == 15
    assert found["received_utilisation_t"].value == 45
    assert found["utilisation_rate_pct"].value == 50


@pytest.mark.parametrize(
    ("value_added", "value", "codes"),
    [
        ("416", "0.25", []),
        (None, None, ["value_added"]),
        ("0", None, ["value_added"]),
        ("-5", None, ["value_added"]),
    ],
)
def test_generation_intensity(value_added, value, codes):
    got = enterprise(value_added={2023: value_added}).of_year(2023)["generation_intensity_t_per_10k_yuan"]

    assert (got.value, got.unit) == (value and Decimal(value), "吨/万元")
    assert [m.code for m in got.missing] == codes


@pytest.mark.parametrize(
    ("products", "value", "unit", "codes"),
    [
        ((product("砖", "52", "万块"),), "2", "吨/万块", []),
        ((product("砖", "52", "万块"), product("灰", "26", is_main=True)), "4", "吨/吨", []),
        ((product("砖", "52"), product("灰", "26")), None, "吨/单位产品", ["main_product_not_flagged"]),
        (
            (product("砖", "52", is_main=True), product("灰", "26", is_main=True)),
            None, "吨/单位产品", ["main_product_ambiguous"],
        ),
        ((), None, "吨/单位产品", ["product"]),
        ((product("砖", "0", "万块"),), None, "吨/万块", ["output"]),
    ],
)  # fmt: skip
def test_generation_per_product(products, value, unit, codes):
    got = enterprise(products={2023: products}).of_year(2023)["generation_per_product"]

    assert (got.value, got.unit) == (value and Decimal(value), unit)
    assert [m.code for m in got.missing] == codes


FOUR_YEARS = """
    2020-01 A 产生     100 吨
    2020-02 A 自行利用  60 吨
    2020-03 A 委外处置  40 吨
    2023-01 A 产生     100 吨
    2023-02 A 自行利用  80 吨
"""


def test_changes_compare_with_the_third_year_before():
    one = enterprise(
        FOUR_YEARS,
        value_added={2020: "100", 2023: "125"},
        products={2020: (product("砖", "50"),), 2023: (product("砖", "100"),)},
    )
    gain, reduction, per_product = one.changes(2023)

    assert (gain.value, gain.unit) == (20, "个百分点")
    assert (reduction.value, reduction.unit) == (20, "%")
    assert per_product.value == 50


def test_a_change_against_an_unknown_year_names_that_year():
    gain, *_ = enterprise(FOUR_YEARS).changes(2022, span=1)

    assert [m.label for m in gain.missing] == ["2022 年台账", "2021 年台账"]


def test_another_main_product_can_not_be_compared():
    one = enterprise(FOUR_YEARS, products={2020: (product("砖", "50"),), 2023: (product("瓦", "100"),)})

    *_, got = one.changes(2023)

    assert (got.value, [m.code for m in got.missing]) == (None, ["main_product_changed"])


def test_another_unit_can_not_be_compared():
    one = enterprise(
        FOUR_YEARS, products={2020: (product("砖", "50", "吨"),), 2023: (product("砖", "100", "万块"),)}
    )

    *_, got = one.changes(2023)

    assert (got.value, [m.code for m in got.missing]) == (None, ["not_comparable"])


def test_a_reduction_from_nothing_is_unknown():
    one = enterprise("2020-01 A 接收 1 吨\n2023-01 A 产生 1 吨", value_added={2020: "1", 2023: "1"})

    _, got, _ = one.changes(2023)

    assert (got.value, [m.code for m in got.missing]) == (None, ["not_comparable"])


def test_destinations_are_named_or_the_share_is_unknown():
    count, named = enterprise().quality(Period.year(2023))
    assert (count.value, named.value) == (6, 100)

    lacking = enterprise(PLAIN.replace(" 填埋 丙场", " 填埋"))
    _, named = lacking.quality(Period.year(2023))
    assert named.value is None
    assert named.missing[0].label == "2023 年有 1 条委外利用、处置记录（10 吨）缺“对方单位”"

    _, named = enterprise("2023-01 A 产生 1 吨").quality(Period.year(2023))
    assert named.value == 100


def test_a_figure_is_recomputed_from_its_leaves():
    found = enterprise().of_year(2023)

    for indicator in ("generation_t", "utilisation_t", "disposal_t", "stock_t"):
        leaves = list(found[indicator].leaves())
        assert all(isinstance(leaf, MovementsBehind) for leaf in leaves)
        assert tonnes(sum(leaf.sign * leaf.mass_g for leaf in leaves)) == found[indicator].value


def test_a_figure_is_written_as_json_down_to_its_leaves():
    got = figure_document(
        enterprise().of_year(2023)["utilisation_rate_pct"], movements=lambda _: [{"seq": 1}]
    )

    used = got["basis"][0]
    assert (used["id"], used["value"]) == ("utilisation_t", "80")
    leaf = used["basis"][0]["basis"][0]
    assert (leaf["kinds"], leaf["mass_g"], leaf["movements"]) == (
        ["OWN_UTILISATION"],
        40 * 10**6,
        [{"seq": 1}],
    )


def test_a_stated_input_is_written_as_json():
    one = enterprise(value_added={2023: "416"})

    got = figure_document(one.of_year(2023)["generation_intensity_t_per_10k_yuan"])

    stated = got["basis"][1]["basis"][0]
    assert (stated["type"], stated["label"], stated["value"], stated["unit"]) == (
        "stated",
        "工业增加值",
        "416",
        "万元",
    )


def test_a_figure_that_is_unknown_says_why_and_is_never_a_float():
    said = {"indicator": "x", "name": "x", "unit": "吨", "period": Period.year(2023), "subject": "U"}
    with pytest.raises(ValueError, match="says what is missing"):
        Figure(value=None, **said)
    with pytest.raises(TypeError):
        Figure(value=0.5, **said)


def test_a_value_that_does_not_come_out_even_is_written_with_many_decimals():
    line = line_document(
        enterprise("2023-01 A 产生 3 吨\n2023-02 A 自行利用 1 吨").of_year(2023)["utilisation_rate_pct"]
    )

    assert line["value"].startswith("33.333333333333")
    assert line["missing"] == []


def test_rates_by_month_accumulate_and_december_is_the_year():
    one = enterprise("2023-01 A 产生 100 吨\n2023-02 A 自行利用 50 吨\n2023-11 A 自行利用 30 吨")

    def rate(month: int) -> Figure:
        return by_id(one.month_figures(Period.month(2023, month)), "utilisation_rate_pct", stream=None)

    assert [rate(m).value for m in (1, 2, 12)] == [0, 50, 80]
    assert rate(12).value == one.of_year(2023)["utilisation_rate_pct"].value
    assert rate(2).period == Period(date(2023, 1, 1), date(2023, 2, 28))


# --- laws ------------------------------------------------------------------------------

SUMMED = (
    "generation_t", "utilisation_t", "received_utilisation_t", "disposal_t", "receipt_t", "stock_t",
    "earlier_years_utilisation_t", "earlier_years_disposal_t", "storage_t",
)  # fmt: skip


def of_rows(rows) -> Enterprise:
    known = facts("", categories={"A": "SW02", "B": "HW08"})
    return Enterprise(Facts(uscc="U", streams=known.streams, flows=tuple(believable(rows))))


@settings(deadline=None)  # many run beside each other
@given(rows=st.lists(BULK, max_size=25))
def test_streams_sum_to_the_total_months_to_the_year_and_the_balance_closes(rows):
    one = of_rows(rows)
    for year in (2021, 2022, 2023):
        whole = one.of_year(year)
        if whole["generation_t"].value is None:
            continue
        for indicator in SUMMED:
            parts = [one.of_year(year, Cut(stream=code))[indicator].value for code in "AB"]
            assert sum(parts) == whole[indicator].value, indicator
            if indicator != "stock_t":
                months = [one.masses(Period.month(year, m))[indicator].value for m in range(1, 13)]
                assert sum(months) == whole[indicator].value, indicator
        assert whole["mass_balance_gap_t"].value == 0
        assert whole["storage_t"].value >= 0


@settings(deadline=None)  # many run beside each other
@given(rows=st.lists(BULK, max_size=25))
def test_without_reversals_no_rate_exceeds_a_hundred(rows):
    one = of_rows(rows)
    for year in (2021, 2022, 2023):
        for indicator in ("utilisation_rate_pct", "disposal_rate_pct"):
            value = one.of_year(year)[indicator].value
            assert value is None or 0 <= value <= 100
