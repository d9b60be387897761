from datetime import date

import pytest

from wufei.ledger.correcting import Short, changes, day_for, shortfalls, turn
from wufei.ledger.kinds import Kind, PlaceKind
from wufei.ledger.posting import Book, Draft
from wufei.ledger.tracing import corrected, manifest_of
from wufei.terms.mass import Mass

D1, D2, D3 = (date(2026, 7, day) for day in (1, 2, 3))
STORE, ROAD, OUT = PlaceKind.STORE, PlaceKind.TRANSIT, PlaceKind.OUTSIDE


def draft(kind: Kind, on: date, grams: int, store: str = "库", **said) -> Draft:
    return Draft(
        kind=kind, moved_on=on, stream_code="S", mass=Mass(grams), store_code=store, lot_code="L", **said
    )


def book(held: int, *later: tuple[date, int]) -> Book:
    return Book(
        today=D3, stores={"库": None}, streams=frozenset({"S"}), held={("库", "L"): held}, later={("库", "L"): later}
    )  # fmt: skip


@pytest.mark.parametrize(
    ("closed", "expected"), [(None, None), (date(2026, 6, 30), None), (D1, D3), (D2, D3)]
)
def test_all_is_corrected_on_its_own_day_or_all_today(closed, expected):
    assert day_for([D1, D2], closed_through=closed, today=D3) == expected


def test_a_correction_changes_what_is_held_by_the_difference():
    back = [draft(Kind.RECEIPT, D1, 170)]
    again = [draft(Kind.RECEIPT, D1, 150)]
    assert {key: dict(days) for key, days in changes(back, again).items()} == {("库", "L"): {D1: -20}}


def test_between_store_and_road_both_ends_change():
    back = [draft(Kind.DISPATCH, D1, 200, other_place="transit:1")]
    again = [draft(Kind.DISPATCH, D1, 190, other_place="transit:1")]
    found = {key: dict(days) for key, days in changes(back, again).items()}
    assert found == {("库", "L"): {D1: 10}, ("transit:1", "L"): {D1: -10}}


@pytest.mark.parametrize(
    ("less", "held", "later", "expected"),
    [
        (20, 20, (), []),
        (20, 19, (), [Short("库", "L", D1, 1)]),
        (20, 170, ((D2, -160), (D3, 100)), [Short("库", "L", D2, 10)]),  # it came back too late
        (20, 170, ((D2, 100), (D3, -250)), []),
    ],
)
def test_nothing_is_corrected_away_that_was_used_on_any_day(less, held, later, expected):
    changed = changes([draft(Kind.RECEIPT, D1, 100 + less)], [draft(Kind.RECEIPT, D1, 100)])
    assert list(shortfalls(book(held, *later), changed)) == expected


def test_what_comes_goes_first_and_what_leaves_last():
    steps = [
        turn(ROAD, OUT, is_reversal=False), turn(STORE, ROAD, is_reversal=False), turn(OUT, ROAD, is_reversal=True),
        turn(ROAD, STORE, is_reversal=True), turn(OUT, STORE, is_reversal=False),
    ]  # fmt: skip
    assert sorted(steps) == [steps[2], steps[4], steps[3], steps[1], steps[0]]


def test_a_corrected_edge_is_still_of_its_manifest():
    assert manifest_of(corrected("20265001000001", 7)) == "20265001000001"
    assert manifest_of("20265001000001") == "20265001000001"
