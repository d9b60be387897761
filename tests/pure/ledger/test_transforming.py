"""Which lots may become which, and how much of which is in which."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wufei.ledger.kinds import TransformationKind
from wufei.ledger.transforming import (
    Input,
    LotFacts,
    Output,
    StreamNature,
    TransformationCode,
    known_incompatible,
    origin_of,
    refusals,
    shares,
)
from wufei.ledger.wording import TRANSFORMATION_TEXT
from wufei.terms.mass import Mass

SPLIT, MERGE, MIX, TREAT = (
    TransformationKind.SPLIT, TransformationKind.MERGE, TransformationKind.MIX, TransformationKind.TREAT,
)  # fmt: skip
NATURES = {
    "油": StreamNature(waste_class="HAZARDOUS", waste_category="HW08"),
    "酸": StreamNature(waste_class="HAZARDOUS", waste_category="HW34"),
    "氰": StreamNature(waste_class="HAZARDOUS", waste_category="HW33"),
    "渣": StreamNature(waste_class="GENERAL", waste_category="SW02"),
}


def lot(stream: str, origin: str = "GENERATION", year: int = 2025, is_bulk: bool = False) -> LotFacts:
    return LotFacts(stream_code=stream, origin=origin, origin_year=year, is_bulk=is_bulk)


def why(kind, went_in, came_out, lots, *, loss=0, reason=""):
    found = refusals(
        kind,
        [Input("库1", code, Mass(grams)) for code, grams in went_in],
        [Output("库1", code, stream, Mass(grams)) for code, stream, grams in came_out],
        loss=Mass(loss), loss_reason=reason, lots=lots, streams=NATURES, incompatible=known_incompatible(),
    )  # fmt: skip
    return [each.code for each in found]


def test_a_split_and_a_merger_that_balance_are_not_refused():
    assert why(SPLIT, [("A", 10)], [("B", "油", 4), ("C", "油", 6)], {"A": lot("油")}) == []
    lots = {"A": lot("油"), "B": lot("油")}
    assert why(MERGE, [("A", 4), ("B", 6)], [("C", "油", 9)], lots, loss=1, reason="挥发") == []


@pytest.mark.parametrize(("out", "loss"), [(9, 0), (11, 0), (10, 1), (9, 2)])
def test_what_goes_in_comes_out_or_is_lost_to_the_gram(out, loss):
    found = why(TREAT, [("A", 10)], [("B", "油", out)], {"A": lot("油")}, loss=loss, reason="挥发")
    assert found == [TransformationCode.MASS_NOT_BALANCED]


def test_a_loss_says_why():
    found = why(TREAT, [("A", 10)], [("B", "油", 9)], {"A": lot("油")}, loss=1, reason=" ")
    assert found == [TransformationCode.LOSS_WITHOUT_REASON]


def test_hazardous_waste_is_not_mixed_with_general():
    lots = {"A": lot("油"), "B": lot("渣")}
    found = why(MIX, [("A", 5), ("B", 5)], [("C", "油", 10)], lots)
    assert found == [TransformationCode.HAZARDOUS_WITH_GENERAL]


def test_acid_is_not_mixed_with_cyanide_whichever_is_named_first():
    for first, second in (("酸", "氰"), ("氰", "酸")):
        lots = {"A": lot(first), "B": lot(second)}
        found = why(MIX, [("A", 5), ("B", 5)], [("C", "酸", 10)], lots)
        assert found == [TransformationCode.INCOMPATIBLE]
    assert why(MIX, [("A", 5), ("B", 5)], [("C", "酸", 10)], {"A": lot("酸"), "B": lot("油")}) == []


def test_packing_does_not_change_the_waste():
    found = why(SPLIT, [("A", 10)], [("B", "油", 4), ("C", "酸", 6)], {"A": lot("油")})
    assert found == [TransformationCode.STREAM_CHANGES]


@pytest.mark.parametrize(
    ("kind", "ins", "outs"), [(SPLIT, 1, 1), (SPLIT, 2, 2), (MERGE, 1, 1), (MERGE, 2, 2), (MIX, 1, 1)]
)
def test_a_split_is_of_one_and_a_merger_into_one(kind, ins, outs):
    lots = {f"A{n}": lot("油") for n in range(ins)}
    went_in = [(code, 2 * outs) for code in lots]
    came_out = [(f"B{n}", "油", 2 * ins) for n in range(outs)]
    assert why(kind, went_in, came_out, lots) == [TransformationCode.SHAPE_WRONG]


def test_a_heap_is_not_transformed_and_no_lot_becomes_itself():
    assert TransformationCode.LOT_IS_BULK in why(
        TREAT, [("散堆-油", 10)], [("B", "油", 10)], {"散堆-油": lot("油", is_bulk=True)}
    )
    assert why(TREAT, [("A", 10)], [("A", "油", 10)], {"A": lot("油")}) == [TransformationCode.LOT_TWICE]


def test_own_and_received_waste_stay_apart():
    lots = {"A": lot("油"), "B": lot("油", origin="RECEIPT")}
    assert why(MERGE, [("A", 5), ("B", 5)], [("C", "油", 10)], lots) == [TransformationCode.OWN_WITH_RECEIVED]


def test_what_is_poured_together_counts_by_the_oldest():
    assert origin_of([lot("油", year=2025), lot("油", year=2024)]) == ("GENERATION", 2024)
    opening = lot("油", origin="OPENING_STOCK", year=2024)
    assert origin_of([lot("油", year=2024), opening]) == ("OPENING_STOCK", 2024)


def test_every_refusal_has_words():
    assert list(TRANSFORMATION_TEXT) == list(TransformationCode)


MASSES = st.lists(st.integers(1, 10**9), min_size=1, max_size=8)


@given(MASSES, st.lists(st.integers(1, 1000), min_size=1, max_size=8), st.integers(0, 1000))
def test_shares_are_exact_both_ways(went_in, weights, lost_permille):
    kept = sum(went_in) * (1000 - lost_permille) // 1000
    came_out = [kept * weight // sum(weights) for weight in weights]
    came_out[0] += kept - sum(came_out)

    cells = shares(went_in, came_out)

    assert [sum(column) for column in zip(*cells, strict=True)] == came_out
    assert all(cell >= 0 for row in cells for cell in row)
    assert all(sum(row) <= mass for row, mass in zip(cells, went_in, strict=True))
    if kept == sum(went_in):
        assert [sum(row) for row in cells] == went_in
