from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wufei.policies.edition import TieRule
from wufei.reviews.ranking import Contender, Place, cut, rank

DIFFICULTY = TieRule(says="利用难度高者优先", item="difficulty")
GENERATION = TieRule(says="产生量大者优先", figure="generation_t")
INTENSITY = TieRule(says="产生强度低者优先", figure="intensity", better="lower")


def ranked(scores: dict[str, str], ties=(), **values: dict[str, str | None]) -> list[tuple[str, int]]:
    return [(name, place.rank) for name, place in places(scores, ties, **values)]


def places(scores, ties=(), **values) -> list[tuple[str, Place]]:
    names = sorted(scores)
    keys = {name: at for at, name in enumerate(names)}

    def values_of(rule, cases):
        said = values[rule.item or rule.figure]
        return {keys[n]: None if v is None else Decimal(v) for n, v in said.items() if keys[n] in cases}

    contenders = [Contender(keys[n], n, Decimal(score)) for n, score in scores.items()]
    return [(names[p.case], p) for p in rank(contenders, ties=ties, values_of=values_of)]


SAME = {"甲": "80", "乙": "80", "丙": "80"}


@pytest.mark.parametrize(
    ("scores", "ties", "values", "expected"),
    [
        ({"甲": "80", "乙": "90"}, (), {}, [("乙", 1), ("甲", 2)]),
        ({"甲": "80", "乙": "80"}, (), {}, [("乙", 1), ("甲", 1)]),  # no rule: they share, by code
        (SAME, (DIFFICULTY,), {"difficulty": {"甲": "9", "乙": "7", "丙": "8"}}, [("甲", 1), ("丙", 2), ("乙", 3)]),
        (SAME, (INTENSITY,), {"intensity": {"甲": "9", "乙": "7", "丙": "8"}}, [("乙", 1), ("丙", 2), ("甲", 3)]),
        (SAME, (GENERATION,), {"generation_t": {"甲": None, "乙": "1", "丙": "2"}}, [("丙", 1), ("乙", 2), ("甲", 3)]),
        (SAME, (GENERATION,), {"generation_t": {"丙": "2"}}, [("丙", 1), ("乙", 2), ("甲", 2)]),
        (
            SAME, (DIFFICULTY, GENERATION),
            {"difficulty": {"甲": "9", "乙": "9", "丙": "8"}, "generation_t": {"甲": "1", "乙": "5", "丙": "99"}},
            [("乙", 1), ("甲", 2), ("丙", 3)],
        ),
        ({"甲": "80", "乙": "80", "丙": "70"}, (DIFFICULTY,), {"difficulty": {"甲": "1", "乙": "1"}},
         [("乙", 1), ("甲", 1), ("丙", 3)]),
    ],
)  # fmt: skip
def test_ties_table(scores, ties, values, expected):
    assert ranked(scores, ties, **values) == expected


def test_each_place_says_which_rule_decided_and_what_was_not_known():
    found = dict(
        places(
            {"甲": "80", "乙": "80", "丙": "80", "丁": "90"}, (DIFFICULTY, GENERATION),
            difficulty={"甲": "9", "乙": "8", "丙": "8"}, generation_t={"甲": "1", "乙": None, "丙": "3"},
        )
    )  # fmt: skip
    assert found["丁"].decided_by == ()
    assert found["甲"].decided_by == ("利用难度高者优先",)
    assert found["丙"].decided_by == ("利用难度高者优先", "产生量大者优先")
    assert found["乙"].decided_by == ("产生量大者优先",)
    assert found["乙"].unknown == ("产生量大者优先",)
    assert found["丙"].unknown == ()


def test_a_rule_that_was_not_needed_is_not_reported_as_unknown():
    found = dict(places({"甲": "80", "乙": "80"}, (DIFFICULTY, GENERATION), difficulty={"甲": "9", "乙": "8"},
                        generation_t={}))  # fmt: skip
    assert found["甲"].unknown == ()


def test_rules_are_asked_only_for_those_that_are_tied():
    asked = []

    def values_of(rule, cases):
        asked.append(sorted(cases))
        return {}

    contenders = [Contender(1, "a", Decimal(9)), Contender(2, "b", Decimal(8)), Contender(3, "c", Decimal(8))]
    rank(contenders, ties=(DIFFICULTY,), values_of=values_of)
    assert asked == [[2, 3]]


@given(st.lists(st.tuples(st.integers(0, 3), st.none() | st.integers(0, 2)), max_size=12))
def test_ranks_go_up_scores_go_down_and_equal_ranks_are_equal_in_everything(rows):
    contenders = [Contender(at, f"{at:02d}", Decimal(score)) for at, (score, _) in enumerate(rows)]
    figures = {at: None if f is None else Decimal(f) for at, (_, f) in enumerate(rows)}
    found = rank(contenders, ties=(GENERATION,), values_of=lambda rule, cases: figures)
    assert sorted(place.case for place in found) == list(range(len(rows)))
    for at, place in enumerate(found, start=1):
        assert place.rank <= at
        same = [p for p in found if p.rank == place.rank]
        assert {rows[p.case] for p in same} == {rows[place.case]}
        assert place.is_shared == (len(same) > 1)
        assert place.rank == 1 + sum(p.rank < place.rank for p in found)


def test_the_cut_off_says_when_it_runs_through_a_tie():
    scores = {1: Decimal(90), 2: Decimal(80), 3: Decimal(80), 4: Decimal(70)}
    found = [Place(1, 1), Place(2, 2), Place(3, 2), Place(4, 4)]
    assert cut(found, scores, number=2).is_through_tie
    assert not cut(found, scores, number=3).is_through_tie
    of_three = cut(found, scores, number=3)
    assert (of_three.selected, of_three.last_score, of_three.next_score) == (3, 80, 70)


def test_a_least_score_may_leave_quota_unused():
    scores = {1: Decimal(90), 2: Decimal(80), 3: Decimal(59)}
    found = [Place(1, 1), Place(2, 2), Place(3, 3)]
    line = cut(found, scores, number=3, at_least=Decimal(60))
    assert (line.selected, line.passed_over) == (2, 1)
    assert cut(found, scores, number=None).selected == 3
    assert cut([], {}, number=5).selected == 0
