"""The monthly declaration: what it posts, how it is corrected, what silence means."""

import uuid
from datetime import UTC, date, datetime

import pytest
from django.db import DatabaseError, transaction

from tests.rooms.collection.world import JULY, JUNE
from wufei.collection import queries, services
from wufei.collection.models import Declaration
from wufei.collection.months import Word
from wufei.collection.refusals import Code, CollectionRefused
from wufei.collection.services import Said
from wufei.ledger import queries as ledger_queries
from wufei.ledger.models import Movement
from wufei.ledger.services import close_month, verify
from wufei.registry.queries import NotPermitted
from wufei.terms.mass import Mass


@pytest.fixture
def shop(world):
    return world.generator(date(2026, 5, 3))


def told(shop) -> list[tuple[str, str, int, str, bool]]:
    rows = Movement.objects.filter(organisation=shop[0]).select_related("stream").order_by("seq")
    return [
        (row.kind, row.stream.code, row.mass_g // 1000, row.moved_on.isoformat(), bool(row.reverses_id))
        for row in rows
    ]


def held(shop) -> dict[str, int]:
    return {row.stream_code: row.mass_g // 1000 for row in ledger_queries.stock(organisation=shop[0])}


def refusal(world, shop, *more, **said) -> CollectionRefused:
    with pytest.raises(CollectionRefused) as caught:
        world.declare(*shop, *more, **said)
    return caught.value


def test_what_is_new_is_generation_on_the_last_day_of_its_month(world, shop):
    made = world.declare(*shop, JUNE, F01="50", F02="8.5")
    assert told(shop) == [
        ("GENERATION", "F01", 50, "2026-06-30", False), ("GENERATION", "F02", 8, "2026-06-30", False),
    ]  # fmt: skip
    assert (made.number, made.is_nothing, made.posted_on) == (1, False, date(2026, 6, 30))
    assert verify(organisation=shop[0], by=shop[1], now=world.now).faults == ()


def test_a_running_month_is_posted_today(world, shop):
    world.declare(*shop, JULY, F01="5", F02="0")
    assert told(shop) == [("GENERATION", "F01", 5, "2026-07-01", False)]


def test_sent_twice_it_counts_once(world, shop):
    client_id = uuid.uuid4()
    first = world.declare(*shop, JUNE, F01="50", F02="0", client_id=client_id)
    assert world.declare(*shop, JUNE, F01="50", F02="0", client_id=client_id) == first
    assert held(shop) == {"F01": 50}
    refused = refusal(world, shop, JUNE, F01="51", F02="0", client_id=client_id)
    assert refused.code is Code.CLIENT_ID_REUSED


def test_more_is_posted_as_the_difference(world, shop):
    world.declare(*shop, JUNE, F01="50", F02="0")
    assert world.declare(*shop, JUNE, F01="62", F02="0").number == 2
    assert [row[2] for row in told(shop)] == [50, 12]
    assert held(shop) == {"F01": 62}


def test_less_is_taken_back_and_posted_anew(world, shop):
    world.declare(*shop, JUNE, F01="50", F02="0")
    world.declare(*shop, JUNE, F01="40", F02="0")
    assert [(row[2], row[4]) for row in told(shop)] == [(50, False), (40, False), (50, True)]
    world.declare(*shop, JUNE, is_nothing=True)
    assert held(shop) == {}
    world.declare(*shop, JUNE, F01="7", F02="0")
    assert held(shop) == {"F01": 7}


def test_less_than_was_collected_since_is_refused(world):
    shop = world.with_waste(F02="0")
    world.loaded(world.started(shop[0]), shop)
    world.declare(*shop, F01="60", F02="0")
    assert held(shop) == {"F01": 10}
    assert refusal(world, shop, JUNE, F01="40", F02="0").code is Code.LEDGER_REFUSED
    assert held(shop) == {"F01": 10}
    assert Declaration.objects.filter(organisation=shop[0]).count() == 2


def test_a_closed_month_is_posted_on_the_first_day_that_is_open(world, shop):
    world.declare(*shop, JUNE, F01="50", F02="0")
    close_month(organisation=shop[0], through=date(2026, 6, 30), by=shop[1], now=world.now)
    made = world.declare(*shop, JUNE, F01="40", F02="3")
    assert made.posted_on == date(2026, 7, 1)
    assert sorted(told(shop)[1:]) == [
        ("GENERATION", "F01", 40, "2026-07-01", False), ("GENERATION", "F01", 50, "2026-07-01", True),
        ("GENERATION", "F02", 3, "2026-07-01", False),
    ]  # fmt: skip
    notes = set(Movement.objects.filter(organisation=shop[0], reverses=None).values_list("note", flat=True))
    assert notes == {"2026-06 月度申报"}


def test_what_stood_there_before_the_first_declaration_is_opening_stock(world, shop):
    world.declare(*shop, JUNE, F01="50/80", F02="0")
    assert told(shop) == [
        ("GENERATION", "F01", 50, "2026-06-30", False), ("OPENING_STOCK", "F01", 30, "2026-06-30", False),
    ]  # fmt: skip


def test_what_stands_there_otherwise_than_the_books_needs_a_reason(world, shop):
    world.declare(*shop, JUNE, F01="50", F02="9")
    refused = refusal(world, shop, JULY, F01="5/45", F02="0/9")
    assert (refused.code, refused.where) == (Code.REASON_MISSING, "lines.F01")
    assert "账面 55 千克，现存 45 千克" in refused.detail
    assert len(told(shop)) == 2
    world.declare(*shop, JULY, F01="5/45:桶漏了", F02="0/10:少报")
    assert sorted(told(shop)[2:]) == [
        ("GENERATION", "F01", 5, "2026-07-01", False), ("STOCKTAKE_GAIN", "F02", 1, "2026-07-01", False),
        ("STOCKTAKE_LOSS", "F01", 10, "2026-07-01", False),
    ]  # fmt: skip
    assert held(shop) == {"F01": 45, "F02": 10}


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"F01": "50"}, Code.STREAM_LEFT_OUT),
        ({"F01": "50", "F02": "0", "F09": "1"}, Code.STREAM_UNKNOWN),
        ({"F01": "-1", "F02": "0"}, Code.MASS_OUT_OF_RANGE),
        ({"F01": "100000000001", "F02": "0"}, Code.MASS_OUT_OF_RANGE),
        ({"F01": "1", "F02": "0", "is_nothing": True}, Code.NOTHING_AND_SOMETHING),
        ({"F01": "1/2:漏\n了", "F02": "0"}, Code.TEXT_NOT_STORABLE),
    ],
)
def test_what_cannot_be_so_is_refused_and_nothing_is_posted(world, shop, said, code):
    assert refusal(world, shop, JUNE, **said).code is code
    assert told(shop) == []


@pytest.mark.parametrize("month", [date(2026, 4, 1), date(2026, 8, 1), date(2026, 6, 2)])
def test_a_month_before_the_registration_or_ahead_is_refused(world, shop, month):
    assert refusal(world, shop, month, is_nothing=True).code is Code.MONTH_OUT_OF_RANGE


def test_the_same_again_is_nothing_to_correct(world, shop):
    world.declare(*shop, JUNE, F01="50", F02="0")
    assert refusal(world, shop, JUNE, F01="50", F02="0").code is Code.SAID_THE_SAME


def test_silence_is_unknown_and_nothing_is_nothing(world, shop):
    world.declare(*shop, JUNE, is_nothing=True)
    rows = queries.months_said(organisation=shop[0], on=date(2026, 7, 1))
    assert [(row.month.month, row.word, row.new_g) for row in rows] == [
        (7, Word.NOT_YET, None), (6, Word.NOTHING, 0), (5, Word.SILENT, None),
    ]  # fmt: skip


def test_who_is_silent_is_listed_until_it_speaks(world, shop):
    day = date(2026, 7, 6)
    other = world.generator(date(2026, 5, 3))
    world.declare(*other, JUNE, is_nothing=True)
    assert [row.organisation for row in queries.silent(on=day)] == [shop[0]]
    assert [row.organisation for row in queries.silent(on=date(2026, 6, 5))] == []
    assert [row.organisation for row in queries.to_declare(on=date(2026, 7, 1))] == [shop[0]]
    world.declare(*shop, JUNE, is_nothing=True)
    assert not queries.silent(on=day).exists()
    assert not queries.to_declare(on=day).exists()


def test_the_next_month_begins_with_what_was_said_of_the_last(world, shop):
    line = Said(stream_code="F01", new=Mass(360_000), containers=2, usual=Mass(180_000))
    services.declare(
        organisation=shop[0], month=JUNE, lines=[line, Said(stream_code="F02", new=Mass(0))], client_id=uuid.uuid4(),
        by=shop[1], now=world.now,
    )  # fmt: skip
    oil, rags = queries.wastes_asked(organisation=shop[0], month=JULY)
    assert (oil.held_g, oil.before, oil.last.new_g, oil.usual_g, oil.packaging) == (
        360_000,
        None,
        360_000,
        180_000,
        "DRUM",
    )
    assert (rags.held_g, rags.last.new_g, rags.usual_g) == (0, 0, 10_000)


def test_who_is_no_small_generator_declares_nothing(world):
    with pytest.raises(CollectionRefused) as caught:
        world.declare(world.collector, world.officer, JUNE, is_nothing=True)
    assert caught.value.code is Code.NOT_A_SMALL_GENERATOR


def test_nobody_declares_for_another(world, shop):
    with pytest.raises(NotPermitted):
        world.declare(shop[0], world.officer, JUNE, is_nothing=True)


def test_what_was_declared_is_never_changed(world, shop):
    made = world.declare(*shop, JUNE, F01="1", F02="0")
    line = made.lines.first()
    for change in (
        lambda: Declaration.objects.update(is_nothing=True),
        lambda: made.lines.update(new_g=5),
        lambda: line.movements.all().delete(),
    ):
        with pytest.raises(DatabaseError, match="append_only"), transaction.atomic():
            change()


def test_a_year_of_declarations_is_one_list_in_the_same_few_queries(world, shop, django_assert_num_queries):
    later = datetime(2027, 3, 2, tzinfo=UTC).date()
    with django_assert_num_queries(2):
        assert len(queries.months_said(organisation=shop[0], on=date(2026, 7, 1))) == 3
    with django_assert_num_queries(2):
        assert len(queries.months_said(organisation=shop[0], on=later)) == 11
