"""The published figures of cities come out of our formulas, and their slips are seen."""

from decimal import Decimal

import pytest

from tests.pure.indicators.rows import facts
from wufei.indicators.enterprise import Enterprise
from wufei.indicators.mass import balance_gap
from wufei.indicators.rates import quotient
from wufei.indicators.slip import unit_slips

OPENING_AS_A_STREAM = """
    2021-01 往年 期初贮存 1.07   万吨
    2021-03 往年 委外利用 0.56   万吨
    2021-04 往年 委外处置 0.51   万吨
"""
OPENING_AS_A_LOT = """
    2021-01 固废 期初贮存 1.07   万吨 - - 期初贮存 2020
    2021-03 固废 委外利用 0.56   万吨 - - 期初贮存 2020
    2021-04 固废 委外处置 0.51   万吨 - - 期初贮存 2020
"""
GUANGZHOU_2021 = """
    2021-12 固废 产生     613.98 万吨
    2021-12 固废 委外利用 577.71 万吨
    2021-12 固废 委外处置 33.85  万吨
"""


@pytest.mark.parametrize("opening", [OPENING_AS_A_STREAM, OPENING_AS_A_LOT])
def test_guangzhou_2021(opening):
    found = Enterprise(facts(GUANGZHOU_2021 + opening)).of_year(2021)

    def ten_thousand_tonnes(indicator: str) -> Decimal:
        return found[indicator].value / 10_000

    assert ten_thousand_tonnes("generation_t") == Decimal("613.98")
    assert ten_thousand_tonnes("utilisation_t") == Decimal("578.27")
    assert ten_thousand_tonnes("earlier_years_utilisation_t") == Decimal("0.56")
    assert ten_thousand_tonnes("disposal_t") == Decimal("34.36")
    assert ten_thousand_tonnes("earlier_years_disposal_t") == Decimal("0.51")
    assert round(found["utilisation_rate_pct"].value, 2) == Decimal("94.10")
    assert round(found["disposal_rate_pct"].value, 2) == Decimal("5.59")
    assert found["mass_balance_gap_t"].value == 0
    # The notice states 2.41 in store; the ledger's 2.42 is what closes exactly.
    assert abs(ten_thousand_tonnes("storage_t") - Decimal("2.41")) <= Decimal("0.01")


def test_the_published_balance_of_guangzhou_2021_closes_to_a_hundredth():
    published = map(Decimal, ("613.98", "578.27", "0.56", "34.36", "0.51", "2.41", "0"))

    assert balance_gap(*published) == Decimal("0.01")


def test_guangzhou_2022_leaves_out_the_use_of_earlier_stock():
    made, used = Decimal("692.95"), Decimal("660.94")

    assert round(quotient(used, made, scale=100), 2) == Decimal("95.38")
    assert round(quotient(used, made + Decimal("0.7"), scale=100), 2) == Decimal("95.28")


def test_meizhou_2024_with_its_growing_stock():
    found = Enterprise(
        facts("""
            2023-12 固废 期初贮存 67.95  万吨
            2024-06 固废 产生     219.23 万吨
            2024-06 固废 委外利用 217.21 万吨
            2024-06 固废 委外处置 1.29   万吨
        """)
    ).of_year(2024)

    assert round(found["utilisation_rate_pct"].value, 2) == Decimal("99.08")
    assert round(found["disposal_rate_pct"].value, 2) == Decimal("0.59")
    assert found["earlier_years_utilisation_t"].value == 0
    # Published 68.69: the ledger differs by the notice's own rounding of 0.01.
    assert abs(found["stock_t"].value / 10_000 - Decimal("68.69")) <= Decimal("0.01")


YUXI_2023 = {
    "利用": Decimal("1822.23"),
    "利用往年": Decimal("-1.89"),
    "贮存": Decimal("15.72"),
    "处置": Decimal("475.4"),
    "处置往年": Decimal("-439.7"),
}


def test_yuxi_2023_has_a_slip_of_the_unit_in_the_disposal_of_earlier_stock():
    found = unit_slips(total=Decimal("2310.94"), parts=YUXI_2023)

    assert [(slip.item, slip.meant) for slip in found] == [("处置往年", Decimal("-0.4397"))]
    rate = quotient(Decimal("1822.23"), Decimal("2310.94") + Decimal("1.89"), scale=100)
    assert round(rate, 2) == Decimal("78.79")


def test_the_other_wastes_of_qijiang_2020_are_in_10000_tonnes_not_in_tonnes():
    parts = {
        "锅炉灰渣": Decimal("51.57"),
        "脱硫石膏": Decimal("28.19"),
        "废品及加工废料": Decimal("1.49"),
        "残阳极炭块": Decimal("0.000172"),  # “1.72吨”
        "其他": Decimal("0.2759"),
    }

    found = unit_slips(total=Decimal("83.25"), parts=parts)

    assert [(slip.item, slip.meant) for slip in found] == [("残阳极炭块", Decimal("1.720000"))]


def test_a_balance_that_closes_has_no_slip():
    assert unit_slips(total=Decimal("2310.94"), parts=YUXI_2023 | {"处置往年": Decimal("-0.52")}) == ()
