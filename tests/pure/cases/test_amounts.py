from decimal import Decimal

import pytest

from wufei.cases import amounts


@pytest.mark.parametrize(
    ("tonnes", "written"),
    [
        ("0", "0.0000"),
        ("0.000001", "0.0000000001"),  # one gram
        ("0.3", "0.0000300"),
        ("1.25", "0.000125"),
        ("12", "0.00120"),
        ("123.454", "0.0123"),
        ("1234.49", "0.1234"),
        ("1234.5", "0.1235"),
        ("10000", "1.0000"),
        ("57827123.4567", "5782.7123"),
    ],
)
def test_amounts_in_10k_tonnes_are_rounded_half_up_and_small_ones_stay_visible(tonnes, written):
    assert amounts.in_10k_tonnes(Decimal(tonnes)) == written


@pytest.mark.parametrize(
    ("value", "written"), [("94.095", "94.10"), ("94.0949999", "94.09"), ("0", "0.00"), ("100", "100.00")]
)
def test_percentages_have_two_decimals(value, written):
    assert amounts.percentage(Decimal(value)) == written


def test_stated_values_are_written_as_they_were_stated():
    assert [amounts.stated(Decimal(v)) for v in ("185000.000000", "0", "0.125000", "1E+3")] == [
        "185000",
        "0",
        "0.125",
        "1000",
    ]
