from datetime import date

import pytest

from wufei.transfers.tolerance import TOLERANCES, is_beyond, is_implausible, tolerance_on

NOW = tolerance_on(date(2026, 7, 1))


@pytest.mark.parametrize(
    ("declared", "received", "expected"),
    [
        (1_000_000, 970_000, False),  # 3 % on the mark
        (1_000_000, 969_999, True),
        (1_000_000, 1_030_000, False),
        (1_000_000, 1_030_001, True),
        (100_000, 80_000, False),  # 20 % but 20 kg
        (100_000, 79_999, True),
        (200_000, 200_000, False),
        (50_000, 0, True),
    ],
)
def test_a_difference_counts_where_it_is_beyond_both(declared, received, expected):
    assert is_beyond(declared_g=declared, received_g=received, tolerance=NOW) is expected


@pytest.mark.parametrize(
    ("declared", "received", "expected"),
    [(200_000, 2_000_000, True), (200_000, 1_999_999, False), (200_000, 20_000, True), (200_000, 20_001, False),
     (200_000, 0, False)],
)  # fmt: skip
def test_ten_times_is_a_slip_until_it_was_weighed_again(declared, received, expected):
    assert is_implausible(declared_g=declared, received_g=received) is expected


def test_the_tolerance_is_ours_and_says_so():
    assert all(each.is_our_reading and "本系统的理解" in each.says for each in TOLERANCES)
    assert tolerance_on(date(2000, 1, 1)) == TOLERANCES[0]
    assert [each.in_force_from for each in TOLERANCES] == sorted(each.in_force_from for each in TOLERANCES)
