from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wufei.reviews.scoring import Sheet, case_scores, median, outliers, scales

POINTS = Decimal(15)
totals = st.decimals(0, 100, places=2)


def sheets_of(given_by: dict[str, list[str]]) -> list[Sheet]:
    """`{"A": ["80", "70"]}`: expert A gave case 1 80 and case 2 70."""
    return [
        Sheet(case, expert, Decimal(total))
        for expert, given in given_by.items()
        for case, total in enumerate(given, start=1)
        if total
    ]


def normalised(sheets, method="z_score"):
    scores = case_scores(sheets, method=method, outlier_points=POINTS)
    return {case: score.normalised for case, score in scores.items()}


def test_a_strict_and_a_generous_expert_who_agree_on_the_order_count_alike():
    sheets = sheets_of({"strict": ["50", "60", "70"], "generous": ["80", "90", "100"]})
    scores = case_scores(sheets, method="z_score", outlier_points=POINTS)
    for score in scores.values():
        assert score.sheets[0].normalised == score.sheets[1].normalised
    assert [scores[case].raw for case in (1, 2, 3)] == [Decimal(65), Decimal(75), Decimal(85)]


def test_worked_by_hand():
    """All: 60, 80, 70, 70 – mean 70, variance 50. A: mean 70, deviation 10. B: alike, so the mean of all."""
    scores = case_scores(
        sheets_of({"A": ["60", "80"], "B": ["70", "70"]}), method="z_score", outlier_points=POINTS
    )
    root = Decimal("7.0711")  # √50
    assert [(s.expert, s.normalised) for s in scores[1].sheets] == [("A", 70 - root), ("B", Decimal(70))]
    assert scores[2].normalised == Decimal("73.5355")
    assert scores[1].normalised == Decimal("66.4645")


def test_an_expert_with_one_sheet_counts_as_the_mean_of_all():
    sheets = [*sheets_of({"A": ["60", "80"]}), Sheet(1, "B", Decimal(100))]
    scale = scales(sheets, method="z_score")["B"]
    assert (scale.factor, scale.shift) == (0, Decimal(80))
    [_, by_b] = case_scores(sheets, method="z_score", outlier_points=POINTS)[1].sheets
    assert by_b.normalised == 80


def test_where_all_sheets_are_alike_all_cases_are():
    assert set(normalised(sheets_of({"A": ["80", "80"], "B": ["80", "80"]})).values()) == {Decimal(80)}


def test_without_normalisation_the_score_is_the_mean():
    assert normalised(sheets_of({"A": ["80", "70"], "B": ["90", ""]}), "none") == {1: 85, 2: 70}


@st.composite
def fields_of_sheets(draw):
    cases = draw(st.integers(2, 5))
    return {
        expert: [str(draw(totals)) for _ in range(cases)]
        for expert in ("A", "B", "C")[: draw(st.integers(1, 3))]
    }


@given(fields_of_sheets(), st.decimals(-50, 50, places=1))
def test_points_that_an_expert_gives_to_all_alike_move_no_case(given_by, constant):
    """The law of the z-score; it is held exactly, on the scale-free z, and not on rounded output."""
    before = sheets_of(given_by)
    after = [Sheet(s.case, s.expert, s.total + constant if s.expert == "A" else s.total) for s in before]
    assert z_sums(before) == pytest.approx(z_sums(after))


def z_sums(sheets) -> list[float]:
    """Return the mean z of each case, computed anew and plainly."""
    by_expert = scales(sheets, method="z_score")
    sums: dict[int, list[float]] = {}
    for sheet in sheets:
        scale = by_expert[sheet.expert]
        z = (sheet.total - scale.mean) / scale.deviation if scale.deviation else Decimal(0)
        sums.setdefault(sheet.case, []).append(float(z))
    return [sum(zs) / len(zs) for _, zs in sorted(sums.items())]


@given(fields_of_sheets())
def test_the_ranking_is_that_of_the_mean_z(given_by):
    sheets = sheets_of(given_by)
    scores, sums = normalised(sheets), z_sums(sheets)
    for one in scores:
        for other in scores:
            if scores[one] > scores[other]:
                assert sums[one - 1] > sums[other - 1]


@given(fields_of_sheets(), st.randoms())
def test_the_order_in_which_sheets_come_changes_nothing(given_by, random):
    sheets = sheets_of(given_by)
    mixed = list(sheets)
    random.shuffle(mixed)
    asked = {"method": "z_score", "outlier_points": POINTS}
    assert case_scores(sheets, **asked) == case_scores(mixed, **asked)


@given(fields_of_sheets())
def test_normalising_keeps_the_mean_of_all_sheets(given_by):
    sheets = sheets_of(given_by)
    scores = case_scores(sheets, method="z_score", outlier_points=POINTS)
    put = [sheet.normalised for score in scores.values() for sheet in score.sheets]
    mean = sum(s.total for s in sheets) / len(sheets)
    assert abs(sum(put) / len(put) - mean) < Decimal("0.0002")


@pytest.mark.parametrize(
    ("given_totals", "far"),
    [
        (["80"], [False]),
        (["80", "66"], [False, False]),
        (["80", "65"], [True, True]),  # on the line is far
        (["80", "81", "60"], [False, False, True]),
        (["80", "81", "65.5"], [False, False, True]),  # 80.5 − 65.5
        (["80", "81", "65.51"], [False, False, False]),
        (["60", "80", "81", "82"], [True, False, False, False]),
    ],
)
def test_a_sheet_is_far_off_by_the_median_of_the_others(given_totals, far):
    assert outliers([Decimal(total) for total in given_totals], POINTS) == far


def test_the_median_of_an_even_number_is_the_mean_of_the_middle_two():
    assert median([Decimal(1), Decimal(9), Decimal(4), Decimal(2)]) == 3
