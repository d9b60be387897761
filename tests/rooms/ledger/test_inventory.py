"""What stood in the stores at a moment, and since when: compared with a plain replay of the movements."""

import random
from collections import defaultdict
from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.tables import LedgerTable
from wufei.ledger import queries, services
from wufei.ledger.models import Movement
from wufei.ledger.queries.inventory import Standing, inventory
from wufei.terms.day import SHANGHAI, local_day


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


@pytest.fixture
def stand(organisation):
    """Return what stands, as (store, lot, 吨, since): `stand("2025-01-31T12:00")`, or now."""

    def read(at: str | None = None) -> list[tuple]:
        rows = inventory(organisation=organisation, at=instant(at) if at else None)
        return [(row.place, row.lot, row.mass_g / 1_000_000, row.since.isoformat()) for row in rows]

    return read


@pytest.fixture
def at_the_time(organisation, officer):
    """Post each row on its own day, at noon."""

    def post(*rows: str) -> None:
        for row in rows:
            noon = instant(f"{row.split()[0]}T12:00")
            LedgerTable(organisation=organisation, by=officer, now=noon).post(row)

    return post


def test_a_lot_stands_since_it_came_and_after_a_gap_since_it_came_again(ledger, at_the_time, stand):
    ledger.stores(库1=None, 库2=None)
    ledger.streams("A")
    at_the_time(
        "2025-01-10 A 产生 3 吨 库1 -", "2025-01-12 A 自行利用 3 吨 库1 -", "2025-01-20 A 产生 2 吨 库1 -",
        "2025-01-21 A 自行利用 1 吨 库1 -", "2025-02-01 A 产生 5 吨 库2 桶1", "2025-02-03 A 移库 5 吨 库2→库1 桶1",
    )  # fmt: skip

    assert stand() == [("库1", "散堆-A", 1, "2025-01-20"), ("库1", "桶1", 5, "2025-02-03")]
    assert stand("2025-02-02T09:00") == [("库1", "散堆-A", 1, "2025-01-20"), ("库2", "桶1", 5, "2025-02-01")]
    assert stand("2025-01-11T09:00") == [("库1", "散堆-A", 3, "2025-01-10")]
    assert stand("2025-01-15T09:00") == stand("2024-12-31T09:00") == []


def test_of_a_day_itself_counts_what_was_posted_by_then(ledger, at_the_time, stand):
    ledger.stores(库1=None)
    ledger.streams("A")
    at_the_time("2025-01-10 A 产生 3 吨 库1 -")

    assert stand("2025-01-10T11:59:59") == []
    assert stand("2025-01-10T12:00:00") == [("库1", "散堆-A", 3, "2025-01-10")]


def test_what_was_written_down_later_stood_there_all_the_same(ledger, at_the_time, stand):
    """`ledger` posts in July 2026 what was moved in January 2025."""
    ledger.stores(库1=None)
    ledger.streams("A")
    ledger.post("2025-01-10 A 产生 3 吨 库1 -")

    assert stand("2025-01-11T00:00") == [("库1", "散堆-A", 3, "2025-01-10")]
    assert stand("2025-01-10T23:59") == []


def test_out_and_in_again_within_a_day_is_no_gap(ledger, at_the_time, stand):
    ledger.stores(库1=None)
    ledger.streams("A")
    ledger.post("2025-01-10 A 产生 3 吨 库1 -")
    ledger.post("2025-01-12 A 自行利用 3 吨 库1 -", "2025-01-12 A 产生 1 吨 库1 -")

    assert stand() == [("库1", "散堆-A", 1, "2025-01-10")]


def test_what_is_on_the_road_stands_in_no_store(ledger, stand):
    ledger.stores(库1=None)
    ledger.streams("A")
    ledger.post("2025-01-10 A 产生 3 吨 库1 桶1")
    services.post(
        organisation=ledger.organisation, drafts=[ledger.draft("2025-01-12 A 发运 3 吨 库1→transit:9 桶1")],
        is_of_a_whole=True, by=ledger.by, now=ledger.now,
    )  # fmt: skip

    assert stand() == []
    assert stand("2025-01-12T08:00") == [("库1", "桶1", 3, "2025-01-10")]


def test_another_organisations_stock_is_not_seen(ledger, make_organisation):
    ledger.stores(库1=None)
    ledger.streams("A")
    ledger.post("2025-01-10 A 产生 3 吨 库1 -")
    other = make_organisation()

    assert inventory(organisation=other) == []
    assert inventory(organisation=other, at=datetime(2026, 1, 1, tzinfo=UTC)) == []


# --- against a plain replay


def replayed(organisation, at: datetime) -> list[Standing]:
    """The same, slowly: every movement one by one."""
    day = local_day(at)
    held: dict[tuple[str, str, str], int] = defaultdict(int)
    since: dict[tuple[str, str, str], date] = {}
    rows = Movement.objects.filter(organisation=organisation).select_related(
        "source", "target", "lot", "stream"
    )
    by_day: dict[date, list[Movement]] = defaultdict(list)
    for row in rows:
        if row.moved_on < day or (row.moved_on == day and row.posted_at <= at):
            by_day[row.moved_on].append(row)
    for moved_on in sorted(by_day):
        empty = {key for key, grams in held.items() if not grams}
        for row in by_day[moved_on]:
            for place, sign in ((row.target, 1), (row.source, -1)):
                if place.kind == "STORE":
                    key = (place.code, row.stream.code, row.lot.code)
                    if key not in held:
                        empty.add(key)
                    held[key] += sign * row.mass_g
        since |= {key: moved_on for key in empty if held[key]}
    return sorted(Standing(*key, grams, since[key]) for key, grams in held.items() if grams)


@pytest.fixture
def busy(ledger, officer):
    """A quarter of movements of bulk and barrels in three stores; some reversed, some written down late."""
    ledger.stores(库1=None, 库2=None, 库3=None)
    ledger.streams("A", "B")
    dice = random.Random(7)
    held: dict[tuple[str, str, str], int] = defaultdict(int)
    made = 0
    for n in range(90):
        day = date(2025, 1, 2) + timedelta(days=n)
        noon = datetime.combine(day + timedelta(days=dice.choice((0, 0, 3))), time(12), SHANGHAI)
        table = LedgerTable(organisation=ledger.organisation, by=officer, now=noon)
        store, stream = dice.choice(("库1", "库2", "库3")), dice.choice("AB")
        standing = [key for key, grams in held.items() if grams]
        if not standing or dice.random() < 0.4:
            lot = "-" if dice.random() < 0.5 else f"桶{(made := made + 1)}"
            table.post(f"{day} {stream} 产生 4 吨 {store} {lot}")
            held[store, stream, lot] += 4
            continue
        key = dice.choice(standing)
        grams = dice.choice((held[key], 1))
        other = next(each for each in ("库1", "库2") if each != key[0])
        moves = {True: f"移库 {grams} 吨 {key[0]}→{other}", False: f"自行利用 {grams} 吨 {key[0]}"}
        is_moved = dice.random() < 0.5
        [row] = table.post(f"{day} {key[1]} {moves[is_moved]} {key[2]}")
        held[key] -= grams
        if is_moved:
            held[other, *key[1:]] += grams
        elif dice.random() < 0.3:
            services.reverse(movement=row, reason="录错", by=officer, now=noon)
            held[key] += grams
    return ledger


@pytest.mark.parametrize("closed", [None, date(2025, 2, 28), date(2025, 3, 31)])
def test_every_way_to_a_moment_leads_to_what_a_replay_finds(busy, organisation, officer, now, closed):
    if closed:
        for month in (date(2025, 1, 31), date(2025, 2, 28), date(2025, 3, 31)):
            if month <= closed:
                services.close_month(organisation=organisation, through=month, by=officer, now=now)
    moments = [
        datetime.combine(date(2024, 12, 30) + timedelta(days=n), time(hour), SHANGHAI)
        for n in range(0, 100, 4) for hour in (9, 13)
    ]  # fmt: skip
    for at in moments:
        assert inventory(organisation=organisation, at=at) == replayed(organisation, at), at
    assert inventory(organisation=organisation) == replayed(organisation, now)
    assert sum(len(replayed(organisation, at)) for at in moments) > 200


def test_the_end_of_a_day_is_what_the_stock_page_shows(busy, organisation):
    for day in (date(2025, 1, 20), date(2025, 3, 3), date(2025, 4, 20)):
        midnight = datetime.combine(day + timedelta(days=1), time.min, SHANGHAI)
        shown = {
            (row.store_code, row.stream_code, row.lot_code): row.mass_g
            for row in queries.stock(organisation=organisation, on=day)
        }
        assert (
            {row[:3]: row.mass_g for row in inventory(organisation=organisation, at=midnight)} == shown != {}
        )


def test_it_takes_the_same_few_queries_however_much_stands_there(ledger, organisation):
    ledger.stores(库1=None)
    ledger.streams("A")
    ledger.post("2025-01-10 A 产生 1 吨 库1 桶0")

    def count(at: datetime | None) -> int:
        with CaptureQueriesContext(connection) as caught:
            assert inventory(organisation=organisation, at=at)
        return len(caught)

    at = datetime(2025, 3, 1, tzinfo=UTC)
    few = count(None), count(at)
    ledger.post(*(f"2025-01-11 A 产生 1 吨 库1 桶{n}" for n in range(1, 40)))
    assert (count(None), count(at)) == few
    assert few[0] <= 2
    assert few[1] <= 6
