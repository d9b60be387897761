import pytest
from hypothesis import given
from hypothesis import strategies as st

from wufei.transfers.shares import shares

WEIGHTS = st.lists(st.integers(0, 10**12), min_size=1, max_size=60).filter(any)


@given(st.integers(0, 10**13), WEIGHTS)
def test_the_parts_sum_to_the_whole_and_none_is_off_by_a_gram(total, weights):
    parts = shares(total, weights)
    whole = sum(weights)
    assert sum(parts) == total
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part * whole - total * weight) < whole
        assert part == 0 or weight > 0


def test_what_is_left_goes_to_the_largest_remainders():
    assert shares(100, [1, 1, 1]) == [34, 33, 33]
    assert shares(10, [5, 3, 2]) == [5, 3, 2]
    assert shares(7, [3, 5, 6]) == [2, 2, 3]  # 1.5, 2.5, 3.0: of equal remainders the earlier


def test_rounding_each_by_itself_would_lose_a_gram():
    """The control."""
    assert sum(round(100 * w / 3) for w in (1, 1, 1)) == 99


@pytest.mark.parametrize(("total", "weights"), [(1, []), (1, [0, 0]), (-1, [1]), (1, [2, -1])])
def test_nothing_to_split_by_is_refused(total, weights):
    with pytest.raises(ValueError, match="Nothing to split"):
        shares(total, weights)
