"""The 数字识别码: made and read, and every way in which a code is none."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import uscc as check_digits

from wufei.labels.digital_id import LENGTH, SEGMENTS, DigitalId, DigitalIdRefused, Fault

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
WHOLE = "91110000600037341L9002490820260701007"

usccs = st.builds(
    lambda head, division, rest: (
        f"{head}{division}{rest}" + check_digits.calc_check_digit(f"{head}{division}{rest}")
    ),
    st.sampled_from(["91", "92", "12", "51"]),
    st.sampled_from(["500110", "110000", "440300"]),
    st.text(ALPHABET, min_size=9, max_size=9),
)
waste_codes = st.builds(
    lambda a, b, c: f"{a:03d}-{b:03d}-{c:02d}", st.integers(0, 999), st.integers(0, 999), st.integers(1, 50)
)
ids = st.builds(
    DigitalId, usccs, waste_codes, st.dates(date(2000, 1, 1), date(2199, 12, 31)), st.integers(1, 999)
)


@given(ids)
def test_what_is_made_is_read_back(number: DigitalId):
    assert len(str(number)) == LENGTH == sum(length for _, length in SEGMENTS)
    assert DigitalId.read(str(number)) == number
    assert DigitalId.read(number.grouped.lower()) == number


@given(ids, st.integers(0, LENGTH - 1))
def test_a_part_of_a_number_is_never_another_number(number: DigitalId, length: int):
    with pytest.raises(DigitalIdRefused):
        DigitalId.read(str(number)[:length])


@given(ids, st.integers(0, 17), st.sampled_from(ALPHABET))
def test_a_misread_character_of_the_organisation_is_noticed(number: DigitalId, at: int, other: str):
    said = str(number)
    if said[at] == other:
        return
    with pytest.raises(DigitalIdRefused):
        DigitalId.read(said[:at] + other + said[at + 1 :])


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ("", Fault.CODE_MISSING),
        (" \n", Fault.CODE_MISSING),
        (WHOLE[:-1], Fault.CODE_TORN),
        (WHOLE[:18], Fault.CODE_TORN),
        (WHOLE + WHOLE, Fault.CODE_OF_ANOTHER_SYSTEM),
        (WHOLE + "0", Fault.CODE_TOO_LONG),
        ("M" + WHOLE[1:], Fault.CODE_OF_ANOTHER_SYSTEM),
        (WHOLE[:17] + "M" + WHOLE[18:], Fault.CHECK_DIGIT_WRONG),
        (WHOLE[:4] + "1" + WHOLE[5:], Fault.CHECK_DIGIT_WRONG),
        ("6901234567892", Fault.CODE_OF_ANOTHER_SYSTEM),  # a product's bar code
        ("HWCS20260701001", Fault.CODE_OF_ANOTHER_SYSTEM),
        (WHOLE[:26] + "20260231" + "001", Fault.DAY_IMPOSSIBLE),
        (WHOLE[:26] + "20261301" + "001", Fault.DAY_IMPOSSIBLE),
        (WHOLE[:34] + "000", Fault.SEQUENCE_IMPOSSIBLE),
    ],
)
def test_what_is_no_number_is_refused_with_the_reason(said: str, fault: Fault):
    with pytest.raises(DigitalIdRefused) as refused:
        DigitalId.read(said)
    assert refused.value.fault is fault


@pytest.mark.parametrize(
    ("waste_code", "sequence", "fault"),
    [
        ("90024908", 1, Fault.WASTE_CODE_MALFORMED),
        ("900-001-S17", 1, Fault.WASTE_CODE_MALFORMED),
        ("900-249-08", 0, Fault.SEQUENCE_IMPOSSIBLE),
        ("900-249-08", 1000, Fault.SEQUENCE_IMPOSSIBLE),
    ],
)
def test_a_number_that_cannot_be_is_not_made(waste_code: str, sequence: int, fault: Fault):
    with pytest.raises(DigitalIdRefused) as refused:
        DigitalId("91110000600037341L", waste_code, date(2026, 7, 1), sequence)
    assert refused.value.fault is fault
