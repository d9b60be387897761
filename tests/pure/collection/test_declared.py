"""What a correction posts, and which month is due: laws and tables."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wufei.collection import declared, months, rules, wording
from wufei.collection.declared import Posted, steps
from wufei.collection.months import Word
from wufei.collection.refusals import Code
from wufei.terms.mass import Mass

MASSES = st.integers(1, 10**9)


@given(st.integers(0, 10**9), st.lists(MASSES, max_size=6))
def test_after_the_steps_the_month_has_exactly_what_is_said_now(wanted, posted):
    stands = [Posted(seq=at, grams=grams) for at, grams in enumerate(posted, 1)]
    found = steps(wanted_g=wanted, stands=stands)
    left = sum(each.grams for each in stands if each.seq not in found.take_back)
    assert found.generate_g >= 0
    assert left + found.generate_g == wanted
    assert not found.take_back or sum(posted) > wanted  # nothing is taken back where more is said


@pytest.mark.parametrize(
    ("said", "today", "expected"),
    [
        (True, date(2026, 7, 9), Word.DECLARED),
        (False, date(2026, 7, 9), Word.NOTHING),
        (None, date(2026, 7, 5), Word.NOT_YET),
        (None, date(2026, 7, 6), Word.SILENT),
    ],
)
def test_silence_is_unknown_once_the_day_has_passed(said, today, expected):
    june = date(2026, 6, 1)
    assert months.word_on(june, said=said, began_on=date(2026, 6, 30), today=today, due_day=5) is expected


def test_before_the_registration_nothing_was_asked():
    word = months.word_on(
        date(2026, 5, 1), said=None, began_on=date(2026, 6, 1), today=date(2026, 9, 1), due_day=5
    )
    assert word is Word.BEFORE


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)))
def test_the_month_before_the_month_after_is_the_month(day):
    month = months.month_of(day)
    assert months.month_before(months.month_after(month)) == month
    assert months.latest_due(day, 5) <= months.asked_for(day) < month


@given(st.integers(1, 10**7), st.integers(1, 10**6))
def test_containers_hold_what_there_is(grams, usual):
    count = declared.packages(grams=grams, usual_g=usual)
    assert (count - 1) * usual < grams <= count * usual


def test_every_refusal_and_every_word_has_its_sentence():
    assert list(wording.REFUSAL_TEXT) == list(Code)
    assert list(wording.WORD_TEXT) == list(Word)


def test_what_is_not_verified_says_so():
    known = rules.known_rules()
    assert {name for name, rule in known.items() if not rule.is_verified} == set(known)
    assert (rules.declaration_due_day(), rules.point_limit()) == (5, Mass.of("3", "吨"))
