"""May it stand there, beside what, how full, and how long?"""

from datetime import date

import pytest

from wufei.ledger.transforming import StreamNature, known_incompatible
from wufei.storage.time_limits import Due, Holder, TimeLimit, due, known_time_limits, last_day, limit_for
from wufei.storage.wording import DUE_TEXT, FULLNESS_TEXT
from wufei.storage.zoning import (
    Fullness,
    Rectangle,
    Waste,
    clash,
    first_clash,
    fuller,
    is_category,
    is_permitted,
    level,
    neighbours,
    overlap,
)


def waste(code: str, category: str, hazards: str = "") -> Waste:
    return Waste(
        code, StreamNature(waste_class="HAZARDOUS", waste_category=category, hazards=frozenset(hazards))
    )


ACID, CYANIDE, OIL = waste("酸", "HW34", "C"), waste("氰", "HW33", "T"), waste("油", "HW08", "TI")


def test_a_zone_takes_what_it_names_by_stream_or_category_and_without_words_all():
    for permitted, right in (([], True), (["HW08"], True), (["油"], True), (["HW34", "酸"], False)):
        assert is_permitted(permitted=permitted, stream_code="油", waste_category="HW08") is right


def test_acid_may_not_stand_beside_cyanide_either_way_round_and_beside_oil_it_may():
    rules = known_incompatible()
    assert "氰化氢" in clash(ACID, CYANIDE, rules)
    assert clash(CYANIDE, ACID, rules) == clash(ACID, CYANIDE, rules)
    assert clash(ACID, OIL, rules) == ""
    assert "反应性" in clash(waste("反", "HW99", "R"), OIL, rules)


def test_a_stream_does_not_clash_with_itself():
    both = waste("反燃", "HW99", "RI")
    assert clash(both, both, known_incompatible()) == ""
    assert first_clash([both], [both, OIL], known_incompatible()) != ""
    assert first_clash([ACID], [], known_incompatible()) == ""


def test_zones_less_than_a_metre_apart_are_neighbours():
    row = {1: Rectangle(0, 0, 200, 200), 2: Rectangle(299, 0, 200, 200), 3: Rectangle(599, 0, 200, 200)}
    assert neighbours(row) == [(1, 2)]
    assert neighbours({1: row[1], 4: Rectangle(250, 300, 100, 100)}) == []
    assert neighbours({1: row[1], 4: Rectangle(0, 200, 100, 100)}) == [(1, 4)]


def test_zones_overlap_only_where_they_share_ground():
    one = Rectangle(100, 100, 100, 100)
    assert overlap(one, one)
    assert overlap(one, Rectangle(150, 150, 10, 10))
    for x, y in ((0, 100), (200, 100), (100, 0), (100, 200)):
        assert not overlap(one, Rectangle(x, y, 100, 100))


@pytest.mark.parametrize(
    ("used", "limit", "right"),
    [
        (0, 100, "FREE"),
        (80, 100, "FREE"),
        (81, 100, "NEAR"),
        (100, 100, "NEAR"),
        (101, 100, "OVER"),
        (9, None, "FREE"),
    ],
)
def test_above_four_fifths_is_near_and_above_all_is_over(used, limit, right):
    assert level(used=used, limit=limit) == right


def test_the_fuller_of_mass_and_number_counts():
    assert fuller(Fullness.NEAR, Fullness.OVER) is Fullness.OVER
    assert fuller(Fullness.NEAR, Fullness.FREE) is Fullness.NEAR


def test_only_two_letters_and_two_digits_are_a_category():
    assert [is_category(word) for word in ("HW08", "SW17", "HW8", "HW080", "hw08", "")] == [True, True] + [
        False
    ] * 4


def local(months: int, division: str = "50", **more) -> TimeLimit:
    said = {
        "id": "x",
        "holder": Holder.ANY,
        "waste_class": "HAZARDOUS",
        "source": "测试",
        "confidence": "unverified",
    }
    return TimeLimit(**said | {"months": months, "division": division} | more)


def limit(*limits: TimeLimit, is_operator: bool = False, waste_class: str = "HAZARDOUS") -> TimeLimit | None:
    return limit_for(limits=limits, is_operator=is_operator, waste_class=waste_class, division="500110")


def test_the_year_of_the_law_is_for_operators_and_their_hazardous_waste_only():
    assert limit(*known_time_limits(), is_operator=True).months == 12
    assert limit(*known_time_limits()) is None
    assert limit(*known_time_limits(), is_operator=True, waste_class="GENERAL") is None


def test_a_local_limit_holds_where_it_is_from_and_the_shortest_binds():
    assert limit(local(6)).months == 6
    assert limit(local(6, division="44")) is None
    assert limit(local(6), *known_time_limits(), is_operator=True).months == 6
    assert limit(local(24), *known_time_limits(), is_operator=True).months == 12


def test_every_limit_that_we_ship_has_a_source_and_says_how_sure_it_is():
    assert known_time_limits()
    for each in known_time_limits():
        assert "第" in each.source
        assert each.confidence in ("verified", "unverified")
        assert each.months > 0


def test_the_last_day_is_the_same_day_of_the_month_or_its_end():
    assert last_day(date(2025, 7, 1), 12) == date(2026, 7, 1)
    assert last_day(date(2025, 11, 30), 3) == date(2026, 2, 28)
    assert last_day(date(2025, 12, 31), 1) == date(2026, 1, 31)


def test_due_thirty_days_before_and_overdue_the_day_after():
    last = date(2026, 7, 31)
    assert due(last=last, today=date(2026, 6, 30)) is Due.IN_TIME
    assert due(last=last, today=date(2026, 7, 1)) is Due.SOON
    assert due(last=last, today=last) is Due.SOON
    assert due(last=last, today=date(2026, 8, 1)) is Due.OVERDUE
    assert due(last=None, today=last) is Due.NO_LIMIT


def test_every_state_has_its_words():
    assert set(DUE_TEXT) == set(Due)
    assert set(FULLNESS_TEXT) == set(Fullness)
