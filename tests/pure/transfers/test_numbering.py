import pytest
from hypothesis import given
from hypothesis import strategies as st

from wufei.transfers.numbering import (
    DivisionTooCoarse,
    ManifestNumber,
    NumberMalformed,
    SerialsExhausted,
    city_of,
    numbered,
    read_number,
)


def test_a_number_is_year_province_city_and_six_digits_of_the_city():
    assert str(numbered(year=2026, division_code="500110", serial=7, is_general=False)) == "20265001000007"
    assert str(numbered(year=2026, division_code="500110", serial=7, is_general=True)) == "G20265001000007"


@given(
    st.integers(1900, 9999), st.integers(1, 99), st.integers(1, 99), st.integers(1, 999_999), st.booleans()
)
def test_what_was_written_is_read_again(year, province, city, serial, is_general):
    number = ManifestNumber(year, f"{province:02}{city:02}", serial, is_general)
    assert read_number(str(number)) == number


@pytest.mark.parametrize(
    "text",
    ["", "2026500100000", "202650010000071", "20260001000007", "20265000000007", "20265001000000", "X20265001000007",
     "1899 50 01 000001", "２０２６五〇01000007"],
)  # fmt: skip
def test_what_is_no_number_is_refused(text):
    with pytest.raises(NumberMalformed):
        read_number(text)


def test_a_number_is_read_however_it_is_typed():
    assert str(read_number("ｇ２０２６-50 01-000007")) == "G20265001000007"


@pytest.mark.parametrize("code", ["500000", "000000", "5001", "ABCDEF", ""])
def test_a_place_without_its_city_gives_no_number(code):
    with pytest.raises(DivisionTooCoarse):
        city_of(code)


@pytest.mark.parametrize("serial", [0, -1, 1_000_000])
def test_serials_have_six_digits(serial):
    with pytest.raises(SerialsExhausted):
        numbered(year=2026, division_code="500110", serial=serial, is_general=False)
