"""Whose waste was used, and of which years: tables and laws."""

from collections import Counter
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.pure.indicators.rows import KINDS, facts, flow
from wufei.indicators.attribution import apportion, attribute
from wufei.indicators.facts import DISPOSAL, INTO_STORE, OUTFLOWS, UTILISATION, Flow
from wufei.indicators.tallies import Tallies
from wufei.ledger.kinds import BY_HAND, Kind
from wufei.terms.period import Period


def split(table: str, year: int) -> dict[str, tuple[int, int, int]]:
    """Return (own, of earlier years, received) tonnes by 环节 for a year."""
    rows = [flow(line) for line in table.splitlines() if line.strip()]
    own, earlier, received = Counter(), Counter(), Counter()
    for share in attribute(rows):
        if share.flow.on.year == year and share.flow.kind in OUTFLOWS:
            own[share.flow.kind] += share.own_g
            earlier[share.flow.kind] += share.earlier_g
            received[share.flow.kind] += share.received_g
    labels = {kind: label for label, kind in KINDS.items()}
    found = {}
    for kind in own:
        grams = (own[kind], earlier[kind], received[kind])
        found[labels[kind]] = tuple(g // 10**6 for g in grams)
    return found


def test_bulk_takes_the_years_own_generation_first_and_the_excess_is_earlier_stock():
    got = split(
        """
        2022-01 A 产生     100 吨
        2023-01 A 产生      60 吨
        2023-05 A 自行利用  90 吨
        2023-06 A 委外处置  30 吨
        """,
        2023,
    )

    # 120 out against 60 generated: 60 of earlier stock, split 3 to 1
    assert got == {"自行利用": (90, 45, 0), "委外处置": (30, 15, 0)}


def test_bulk_within_the_years_generation_is_not_earlier_stock():
    got = split("2022-01 A 产生 100 吨\n2023-01 A 产生 60 吨\n2023-02 A 自行利用 60 吨", 2023)

    assert got == {"自行利用": (60, 0, 0)}


def test_opening_stock_is_earlier_stock_in_the_year_in_which_it_is_entered():
    got = split("2022-01 A 期初贮存 40 吨\n2022-02 A 产生 10 吨\n2022-03 A 委外利用 30 吨", 2022)

    assert got == {"委外利用": (30, 20, 0)}


@pytest.mark.parametrize(
    ("origin", "origin_year", "expected"),
    [
        ("产生", "2023", (5, 0, 0)),
        ("产生", "2022", (5, 5, 0)),
        ("期初贮存", "2023", (5, 5, 0)),
        ("接收", "2022", (0, 0, 5)),
    ],
)
def test_a_labelled_lot_counts_by_how_and_when_it_came_to_be(origin, origin_year, expected):
    got = split(f"2023-04 A 自行利用 5 吨 - - {origin} {origin_year}", 2023)

    assert got == {"自行利用": expected}


def test_own_and_received_bulk_leave_in_proportion_to_what_lay_there():
    got = split(
        """
        2022-01 A 产生      30 吨
        2022-01 A 接收      10 吨
        2023-01 A 产生      10 吨
        2023-01 A 接收      30 吨
        2023-05 A 自行利用  40 吨
        """,
        2023,
    )

    # 40 own and 40 received lie there: half of what is used is own, of which 10 is of the year
    assert got == {"自行利用": (20, 10, 20)}


def test_only_received_waste_counts_nothing_as_own():
    assert split("2023-01 A 接收 9 吨\n2023-02 A 自行利用 9 吨", 2023) == {"自行利用": (0, 0, 9)}


def test_a_stocktake_gain_before_anything_else_is_own_waste():
    assert split("2023-01 A 盘盈 9 吨\n2023-02 A 自行利用 9 吨", 2023) == {"自行利用": (9, 9, 0)}


def test_a_reversal_in_its_own_month_counts_against_the_year():
    got = split("2023-01 A 产生 50 吨\n2023-02 A 自行利用 50 吨\n2023-03 A 自行利用 -20 吨", 2023)

    assert got == {"自行利用": (30, 0, 0)}


def test_a_reversed_receipt_that_was_already_used_leaves_no_negative_heap():
    table = """
        2022-01 A 产生     10 吨
        2022-01 A 接收     10 吨
        2022-02 A 自行利用 10 吨
        2023-01 A 接收    -10 吨
        2023-02 A 接收     10 吨
        2023-03 A 自行利用 10 吨
    """
    assert split(table, 2023) == {"自行利用": (5, 5, 5)}
    # net nothing received in 2023: five own and five received still lie there
    reversed_only = "\n".join(line for line in table.splitlines() if "2023-02" not in line)
    assert split(reversed_only.replace("2023-03 A 自行利用 10", "2023-03 A 自行利用 0"), 2023) == {
        "自行利用": (0, 0, 0)
    }


@settings(deadline=None)  # many run beside each other
@given(
    masses=st.lists(st.integers(-1000, 1000), max_size=8), part=st.integers(0, 50), rest=st.integers(0, 50)
)
def test_an_apportionment_sums_to_the_proportion_of_the_sum(masses, part, rest):
    whole = part + rest or 1
    assert sum(apportion(masses, part, whole)) == sum(masses) * part // whole


# --- laws ------------------------------------------------------------------------------

BULK = st.tuples(
    st.sampled_from("AB"),
    st.sampled_from(BY_HAND),
    st.integers(2021, 2023),
    st.integers(1, 12),
    st.integers(1, 10**7),
)


def believable(rows) -> list[Flow]:
    """Keep the rows that never take more bulk out of a stream than it holds, in the order of the days."""
    held: Counter[str] = Counter()
    kept = []
    for stream, kind, year, month, grams in sorted(rows, key=lambda r: (r[2], r[3], r[1] not in INTO_STORE)):
        if kind in INTO_STORE:
            held[stream] += grams
        else:
            grams = min(grams, held[stream])
            held[stream] -= grams
        if grams:
            kept.append(Flow(stream=stream, kind=kind, on=date(year, month, 1), mass_g=grams))
    return kept


@settings(deadline=None)  # many run beside each other
@given(rows=st.lists(BULK, max_size=30))
def test_attribution_conserves_every_gram_and_never_gives_more_than_there_is(rows):
    flows = believable(rows)
    shares = attribute(flows)

    assert Counter(id(s.flow) for s in shares) == Counter(id(f) for f in flows)
    for share in shares:
        assert 0 <= share.own_g <= share.flow.mass_g
        assert 0 <= share.earlier_g <= share.own_g
    # What is left of own and of received waste is never less than nothing.
    for stream in "AB":
        for year in (2021, 2022, 2023):
            mine = [s for s in shares if s.flow.stream == stream and s.flow.on.year <= year]
            signs = [1 if s.flow.kind in INTO_STORE else -1 for s in mine]
            assert sum(sign * s.own_g for sign, s in zip(signs, mine, strict=True)) >= -3
            assert sum(sign * s.received_g for sign, s in zip(signs, mine, strict=True)) >= -3


@settings(deadline=None)  # many run beside each other
@given(rows=st.lists(BULK, max_size=30))
def test_of_a_years_own_outflow_that_years_generation_goes_first(rows):
    shares = attribute(believable(rows))

    for stream in "AB":
        for year in (2021, 2022, 2023):
            mine = [s for s in shares if s.flow.stream == stream and s.flow.on.year == year]
            out = sum(s.own_g for s in mine if s.flow.kind in OUTFLOWS)
            made = sum(s.own_g for s in mine if s.flow.kind is Kind.GENERATION)
            earlier = sum(s.earlier_g for s in mine)
            assert earlier == max(0, out - made)


@settings(deadline=None)  # many run beside each other
@given(rows=st.lists(BULK, max_size=30))
def test_utilisation_disposal_and_the_change_of_stock_equal_what_came_in(rows):
    known = facts("", categories={"A": "SW02", "B": "HW08"})
    tallies = Tallies(type(known)(uscc="U", streams=known.streams, flows=tuple(believable(rows))))

    for year in (2021, 2022, 2023):
        tally = tallies.over(Period.year(year))
        before, after = (tallies.until(date(y, 12, 31)).stock_g for y in (year - 1, year))
        came_in = tally.moved((Kind.GENERATION, Kind.RECEIPT, Kind.OPENING_STOCK, Kind.STOCKTAKE_GAIN))
        went = tally.moved((*UTILISATION, *DISPOSAL, Kind.STOCKTAKE_LOSS))
        assert went + after - before == came_in
        assert after >= 0


def test_a_reversed_generation_that_was_already_used_leaves_no_negative_heap():
    table = """
        2022-01 A 产生     10 吨
        2022-01 A 接收     10 吨
        2022-02 A 自行利用 10 吨
        2023-01 A 产生    -10 吨
        2023-02 A 接收     15 吨
        2023-03 A 自行利用  5 吨
    """
    # five own less ten reversed: nothing own is left, and five are owed to the received heap
    assert split(table, 2023) == {"自行利用": (0, 0, 5)}


@settings(deadline=None)  # many run beside each other
@given(rows=st.lists(BULK, max_size=30), year=st.sampled_from((2021, 2022, 2023)), month=st.integers(1, 12))
def test_a_year_through_a_month_is_attributed_as_if_the_ledger_had_ended_there(rows, year, month):
    known = facts("", categories={"A": "SW02", "B": "HW08"})
    flows = tuple(believable(rows))
    last_day = Period.month(year, month).last_day
    so_far = Period(date(year, 1, 1), last_day)
    ended = tuple(each for each in flows if each.on <= last_day)

    then = Tallies(type(known)(uscc="U", streams=known.streams, flows=flows)).of_year_through(last_day)
    told = Tallies(type(known)(uscc="U", streams=known.streams, flows=ended))

    assert then.over(so_far) == told.over(so_far)
    assert then.is_recorded(year) == told.is_recorded(year)
    assert then.has_stock_recorded(year) == told.has_stock_recorded(year)
