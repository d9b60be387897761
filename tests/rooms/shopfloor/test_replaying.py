"""
Nothing that a scale or a phone says counts twice (promise L3), however often it is sent.

The controls take the constraint away that holds it: then the database takes the second row too, and the same count
that the promise rests on finds it.
"""

import json

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.utils import timezone

from tests.rooms.replaying import TIMES, replayed
from tests.rooms.shopfloor.conftest import Voice
from tests.rooms.shopfloor.test_entries import generated
from tests.rooms.shopfloor.test_scale_api import send
from wufei.ledger import queries as ledger_queries
from wufei.ledger.models import Movement
from wufei.shopfloor import services
from wufei.shopfloor.models import Reading, ReadingUse
from wufei.shopfloor.reading import message_of
from wufei.shopfloor.refusals import ShopfloorRefused
from wufei.shopfloor.signing import signature

pytestmark = pytest.mark.django_db
COUNT = 25


@pytest.fixture(autouse=True)
def clock(monkeypatch, now):
    monkeypatch.setattr(timezone, "now", lambda: now)


def test_readings_over_a_lossy_line_are_posted_once_each(make_scale, floor, now):
    voice = Voice(make_scale(stream="W1"), now)

    def saying(number: int):
        said = voice.said(1000 + 10 * number, sequence=number)
        signed = signature(message_of(said), voice.scale.secret)
        return lambda: send(said, signed=signed)

    heard, sent = replayed([saying(number) for number in range(1, COUNT + 1)], seed=3)

    assert sent > TIMES * COUNT, "answers were lost"
    assert {answer.status_code for each in heard for answer in each} == {201}
    assert all(len({answer.content for answer in each}) == 1 for each in heard)
    assert Reading.objects.count() == ReadingUse.objects.count() == Movement.objects.count() == COUNT
    assert floor.holds("库1").grams == sum(1000 + 10 * number for number in range(1, COUNT + 1))
    assert ledger_queries.verify().is_ok


def test_a_number_that_says_something_else_is_a_conflict(voice, now):
    first, other = voice.said(1000, sequence=1), voice.said(2000, sequence=1)
    for said, expected in ((first, 201), (other, 409), (first, 201), (other, 409)):
        assert send(said, signed=signature(message_of(said), voice.scale.secret)).status_code == expected
    assert Reading.objects.exclude(refusal="sequence_reused").count() == 1


def test_entries_of_phones_over_a_lossy_line_are_posted_once_each(make_user, floor):
    browser = Client()
    browser.force_login(make_user("WORKER", floor.organisation))
    at = f"/o/{floor.organisation.uscc}/work/entries/"

    def entering(number: int):
        said = json.dumps(generated(lot=f"T1-{number:06}", mass_g=1000 + number))
        return lambda: browser.post(at, said, content_type="application/json")

    heard, sent = replayed([entering(number) for number in range(1, COUNT + 1)], seed=4)

    assert sent > TIMES * COUNT
    assert {answer.status_code for each in heard for answer in each} == {201}
    assert Movement.objects.count() == COUNT
    assert floor.holds("库1").grams == sum(1000 + number for number in range(1, COUNT + 1))
    assert ledger_queries.verify().is_ok


def test_an_entry_under_the_same_id_that_says_something_else_is_a_conflict(make_user, floor):
    browser = Client()
    browser.force_login(make_user("WORKER", floor.organisation))
    said = generated()
    at = f"/o/{floor.organisation.uscc}/work/entries/"
    for body, expected in ((said, 201), (said | {"mass_g": 1}, 409), (said, 201)):
        assert browser.post(at, json.dumps(body), content_type="application/json").status_code == expected
    assert Movement.objects.count() == 1


def again(reading: Reading) -> Reading:
    """Keep the same reading once more, as if nobody had looked whether it is there."""
    reading.pk = None
    reading._state.adding = True
    with transaction.atomic():
        reading.save(force_insert=True)
    return reading


def test_the_database_itself_takes_a_reading_once(voice):
    voice.says()
    with pytest.raises(IntegrityError):
        again(Reading.objects.get())


def test_the_control_without_the_constraints_it_takes_it_twice(voice):
    voice.says()
    if connection.vendor != "postgresql":
        pytest.skip("SQLite can't drop a constraint inside a transaction; PostgreSQL shows it")
    connection.check_constraints()  # what waits for the end of the transaction would forbid it
    with connection.schema_editor() as editor:
        for each in Reading._meta.constraints:
            if each.name in ("shopfloor_reading_once", "shopfloor_reading_number_once"):
                editor.remove_constraint(Reading, each)
    again(Reading.objects.get())
    assert Reading.objects.values("digest").distinct().count() == 1
    assert Reading.objects.count() == 2


def test_a_reading_that_nobody_signed_is_kept_not_at_all(voice):
    with pytest.raises(ShopfloorRefused):
        services.receive(body=voice.signed(voice.said(), "wrong"), now=voice.now)
    assert not Reading.objects.exists()
