"""How much may leave a store on a day without leaving it short later?"""

from datetime import date

import pytest

from wufei.ledger.posting import Book, can_be_taken

DAYS = [date(2025, 1, day) for day in range(1, 10)]


def book(held: int, *later: tuple[int, int]) -> Book:
    moved = [(DAYS[day], grams) for day, grams in later]
    return Book(
        today=DAYS[-1], stores={"库1": None}, streams=frozenset({"F1"}), held={("库1", "L"): held},
        later={("库1", "L"): moved},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("known", "free"),
    [
        (book(5), 5),
        (book(5, (3, -2)), 3),
        (book(5, (3, 2)), 5),
        (book(5, (3, -4), (6, 9)), 1),
        (book(5, (3, 1), (3, -4)), 2),
        (book(5, (3, -8), (3, 8)), 5),  # what came in on a day counts before what went out
        (book(5, (1, 4), (6, -2)), 7),  # the day itself counts
    ],
)
def test_what_is_free_on_a_day_is_the_least_that_stands_from_then_on(known, free):
    assert can_be_taken(book=known, store_code="库1", lot_code="L", on=DAYS[1]) == free
