"""The bottom share of a year, and three years running in it."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wufei.reviews.reevaluation import Year, runs, whole_years_after, year_of

FIVE = Decimal("5")


def scored(*scores: int | str) -> dict[str, Decimal]:
    return {f"T{number:02d}": Decimal(score) for number, score in enumerate(scores, 1)}


def bottom(scores: dict[str, Decimal], year: int = 2026) -> Year:
    return year_of(year, scores, share_pct=FIVE)


@pytest.mark.parametrize(
    ("n", "allowed", "expected"),
    [
        (19, 0, set()),
        (20, 1, {"T01"}),
        (21, 1, {"T01"}),
        (39, 1, {"T01"}),
        (40, 2, {"T01", "T02"}),
    ],
)
def test_the_bottom_five_per_cent_is_rounded_down(n, allowed, expected):
    year = bottom(scored(*range(1, n + 1)))

    assert (year.allowed, set(year.bottom), year.tied_at) == (allowed, expected, None)


@pytest.mark.parametrize(
    ("scores", "expected", "tied_at"),
    [
        # two share the lowest of 20 or 39: one place, so neither
        ([50, 50, *range(60, 78)], set(), 50),
        ([50, 50, *range(60, 97)], set(), 50),
        # two share the lowest of 40: both fit
        ([50, 50, *range(60, 98)], {"T01", "T02"}, None),
        # the lowest is alone, the next two tie at the boundary of 40: only the lowest
        ([49, 50, 50, *range(60, 97)], {"T01"}, 50),
        # three share the lowest of 40
        ([50, 50, 50, *range(60, 97)], set(), 50),
        # a tie above the boundary changes nothing
        ([48, 49, 50, 50, *range(60, 96)], {"T01", "T02"}, None),
        # all equal
        ([50] * 40, set(), 50),
        # equal scores written differently are equal
        (["50.0", "50.00", *range(60, 78)], set(), 50),
    ],
)
def test_a_tied_group_that_does_not_fit_is_left_out_as_a_whole(scores, expected, tied_at):
    year = bottom(scored(*scores))

    assert (set(year.bottom), year.tied_at) == (expected, tied_at)


def test_nobody_is_in_the_bottom_of_nobody():
    year = bottom({})

    assert (year.allowed, year.bottom, year.cut, year.ranks) == (0, frozenset(), None, {})


def test_the_cut_is_the_highest_score_within_the_bottom():
    assert bottom(scored(*range(1, 41))).cut == 2


def test_equal_scores_share_a_place_and_the_best_is_first():
    assert bottom(scored(70, 90, 90, 80)).ranks == {"T02": 1, "T03": 1, "T04": 3, "T01": 4}


def years(*per_year: dict[str, Decimal]) -> dict[int, Year]:
    first = 2027 - len(per_year)
    return {first + i: bottom(scores, first + i) for i, scores in enumerate(per_year)}


def test_three_years_running_are_counted_through_the_last():
    always = scored(*range(1, 21))

    assert runs(years(always, always, always), through=2026) == {"T01": 3}
    assert runs(years(always, always, always), through=2025) == {"T01": 2}


def test_a_year_in_which_another_was_last_breaks_the_run():
    always = scored(*range(1, 21))
    other = always | {"T01": Decimal(99)}

    assert runs(years(always, other, always), through=2026) == {"T01": 1}


def test_a_skipped_year_breaks_the_run():
    always = scored(*range(1, 41))
    skipped = {title: score for title, score in always.items() if title != "T01"}

    assert runs(years(always, skipped, always), through=2026) == {"T01": 1, "T02": 3}


def test_a_year_of_which_nothing_is_known_breaks_the_run():
    always = bottom(scored(*range(1, 21)))

    assert runs({2024: always, 2026: always}, through=2026) == {"T01": 1}


def test_a_newcomer_has_fewer_than_three_years():
    old = scored(*range(2, 22))
    new = old | {"NEW": Decimal(1)}

    assert runs(years(old, new, new), through=2026) == {"NEW": 2}


def test_each_year_has_its_own_population():
    small, large = scored(*range(1, 20)), scored(*range(1, 21))

    assert runs(years(large, small, large), through=2026) == {"T01": 1}  # 19 have no bottom


SCORES = st.dictionaries(
    st.sampled_from([f"T{i}" for i in range(60)]),
    st.integers(0, 12).map(Decimal),
    max_size=60,
)


@given(SCORES, st.sampled_from(["0", "5", "10", "33.3", "100"]).map(Decimal))
def test_the_bottom_is_whoever_is_within_the_share_with_all_that_score_no_more(scores, share):
    """The oracle asks of each title by itself: how many score as low or lower?"""
    expected = {
        title
        for title, score in scores.items()
        if sum(other <= score for other in scores.values()) * 100 <= len(scores) * share
    }

    assert year_of(2026, scores, share_pct=share).bottom == expected


@given(st.lists(SCORES, min_size=1, max_size=5))
def test_a_run_is_the_number_of_last_years_that_all_have_the_title_in_their_bottom(per_year):
    known = {2020 + i: year_of(2020 + i, s, share_pct=Decimal(20)) for i, s in enumerate(per_year)}
    last = max(known)

    def length(title: str) -> int:
        return next(
            (last - y for y in range(last, 2018, -1) if y not in known or title not in known[y].bottom), 0
        )

    expected = {title: length(title) for title in known[last].bottom}
    assert runs(known, through=last) == expected


@pytest.mark.parametrize(
    ("day", "last"),
    [
        (date(2026, 3, 10), date(2029, 3, 10)),
        (date(2028, 2, 29), date(2031, 2, 28)),
        (date(2028, 2, 28), date(2031, 2, 28)),
    ],
)
def test_three_whole_years_end_on_the_same_day_of_the_calendar(day, last):
    assert whole_years_after(day, 3) == last
