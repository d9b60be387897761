"""A pretended lorry, and routes as people write them."""

import doctest
from datetime import UTC, datetime, timedelta

import pytest

from wufei.tracking import simulating
from wufei.tracking.incidents import AlertKind, Way, Window, incidents
from wufei.tracking.limits import limits
from wufei.tracking.positions import Known, Refused, judged
from wufei.tracking.route import RouteUnreadable, Stage, read_route, written
from wufei.tracking.simulating import WAY, Fault, batches

NOW = datetime(2026, 7, 1, 2, 0, tzinfo=UTC)
EVERY = timedelta(seconds=60)


def said(fault: Fault | None, count: int = 120):
    told = batches(tracker="T1", first=1, count=count, every=EVERY, until=NOW, size=50, fault=fault)
    return [each for batch in told for each in batch.positions]


def found(fault: Fault | None) -> list:
    return judged(said(fault), Known(taken=frozenset(), around=[]), NOW, limits())


def test_the_examples_in_the_docstrings_hold():
    assert doctest.testmod(simulating).failed == 0


def test_a_sound_lorry_is_taken_at_its_word():
    rows = found(None)
    assert len(rows) == 120
    assert {(each.refusal, each.fix.is_outlier) for each in rows} == {(None, False)}
    assert rows[-1].fix.at == NOW


@pytest.mark.parametrize(
    ("fault", "refusal"),
    [
        (Fault.RANGE, Refused.LATITUDE_OUT_OF_RANGE),
        (Fault.FUTURE, Refused.TAKEN_IN_FUTURE),
        (Fault.BACKWARDS, Refused.CLOCK_BACKWARDS),
        (Fault.REUSED, Refused.SEQUENCE_REUSED),
    ],
)
def test_a_fault_is_refused_for_what_it_is(fault, refusal):
    assert [each.refusal for each in found(fault) if each.refusal] == [refusal]


def test_a_jump_is_doubted_and_another_datum_is_said():
    assert [each.fix.is_outlier for each in found(Fault.JUMP)].count(True) == 1
    [first, *_] = batches(tracker="T1", first=1, count=3, every=EVERY, until=NOW, size=50, fault=Fault.DATUM)
    assert first.datum == "GCJ02"


@pytest.mark.parametrize(("fault", "kind"), [(Fault.STOP, AlertKind.STOP), (Fault.DETOUR, AlertKind.DETOUR)])
def test_what_happens_on_the_way_is_noticed(fault, kind):
    fixes = [each.fix for each in found(fault) if not each.fix.is_outlier]
    known = Way(places=(WAY[0], WAY[-1]), route=WAY, heard_from=None)
    rows = incidents(Window(fixes[0].at, None), fixes, known, now=NOW, limits=limits())
    assert [each.kind for each in rows] == [kind]


def test_a_route_is_read_as_it_is_written():
    stages = (Stage(29_028_100, 106_651_200, "綦江 收费站"), Stage(-29_712_100, 107_391_600))
    assert read_route(written(stages)) == stages
    assert read_route("29.1，106.5，甲\n\n29.2 106.6\n")[0] == Stage(29_100_000, 106_500_000, "甲")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", 0), ("29.1, 106.5", 0), ("29.1, 106.5\n29.1, 106.5", 0), ("29.1, 106.5\n涪陵", 2),
        ("29.1, 106.5\n91, 106", 2), ("29.1, 106.5\n29, 181", 2), ("1,2\n" * 50 + "3,4\n" * 51, 0),
        ("29.1, 106.5\n29.2, 106.6 " + "长" * 41, 2), ("1e5, 2\n1, 2", 1),
    ],
)  # fmt: skip
def test_what_is_no_route_is_named_by_its_line(text, line):
    with pytest.raises(RouteUnreadable) as caught:
        read_route(text)
    assert caught.value.line == line
