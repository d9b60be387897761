"""Which counts hold, and where do they differ from the books?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wufei.storage.refusals import Code, StorageRefused
from wufei.storage.stocktaking import (
    Count,
    Difference,
    Progress,
    differences,
    holding,
    progress_of,
    unfinished,
)
from wufei.storage.wording import PROGRESS_TEXT, REFUSAL_TEXT, words


@pytest.mark.parametrize(
    ("counts", "progress", "holds"),
    [
        ([Count(5)], Progress.COUNTED, 5),
        ([Count(0)], Progress.COUNTED, 0),
        ([Count(5), Count(5)], Progress.COUNTED, 5),
        ([Count(5), Count(6)], Progress.RECOUNT_ASKED, 5),
        ([Count(5), Count(6), Count(7, is_recount=True)], Progress.RECOUNTED, 7),
    ],
)
def test_a_third_count_is_asked_for_where_two_differ_and_holds(counts, progress, holds):
    assert progress_of(counts) is progress
    assert counts[holding(counts)].grams == holds


def test_what_nobody_counted_is_unfinished_and_so_is_what_two_found_different():
    counts = {"甲": [Count(1), Count(2)], "丙": [Count(1)], "外": [Count(3), Count(4)]}
    assert unfinished(["甲", "乙", "丙"], counts) == {
        Progress.NOT_COUNTED: ["乙"],
        Progress.RECOUNT_ASKED: ["外", "甲"],
    }
    assert progress_of(()) is Progress.NOT_COUNTED


def test_more_less_missing_and_found_are_differences_and_equal_is_none():
    books = {"多": 5, "少": 5, "失": 5, "同": 5}
    counts = {"多": [Count(6)], "少": [Count(4)], "失": [Count(0)], "同": [Count(5)], "来": [Count(2)]}
    assert differences(books=books, counts=counts) == [
        Difference("多", 5, 6), Difference("失", 5, 0), Difference("少", 5, 4), Difference("来", 0, 2),
    ]  # fmt: skip


@given(
    st.dictionaries(st.text(min_size=1, max_size=3), st.integers(0, 50)),
    st.dictionaries(st.text(min_size=1, max_size=3), st.integers(0, 50)),
)
def test_books_and_differences_together_are_what_was_counted(books, counted):
    found = differences(books=books, counts={code: [Count(grams)] for code, grams in counted.items()})
    changed = {each.lot_code: each.counted_g - each.book_g for each in found}
    assert all(changed.values())
    for code, grams in counted.items():
        assert books.get(code, 0) + changed.get(code, 0) == grams


def test_every_refusal_and_every_state_has_its_words():
    assert set(REFUSAL_TEXT) == set(Code)
    assert set(PROGRESS_TEXT) == set(Progress)
    assert len(set(REFUSAL_TEXT.values())) == len(Code)
    assert all(text.endswith("。") for text in REFUSAL_TEXT.values())


def test_words_say_what_it_is_about():
    assert words(StorageRefused(Code.LOTS_NOT_COUNTED, "桶-1")).endswith("（桶-1）")
    assert words(StorageRefused(Code.REASON_MISSING)) == REFUSAL_TEXT[Code.REASON_MISSING]
    assert str(StorageRefused(Code.SHEET_CLOSED, "盘点表1")) == "sheet_closed 盘点表1"
