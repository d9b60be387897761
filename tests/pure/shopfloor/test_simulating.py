"""A pretended scale is wrong in the way that it was asked to be, and in no other."""

import doctest
from datetime import date, datetime

import pytest

from wufei.shopfloor import broker
from wufei.shopfloor.reading import Known, Message, Refused, Weighing, refusal, weighing_of
from wufei.shopfloor.simulating import Fault, messages

NOW = datetime.fromisoformat("2026-07-01T10:00:00+08:00")
EXPECTED = {
    None: None,
    Fault.SIGNATURE: None,
    Fault.UNSTABLE: Refused.UNSTABLE,
    Fault.NEGATIVE: Refused.NEGATIVE,
    Fault.ZERO: Refused.ZERO,
    Fault.OVERLOAD: Refused.OVERLOAD,
    Fault.COMMA: Refused.WEIGHT_HAS_COMMA,
    Fault.FUTURE: Refused.TAKEN_IN_FUTURE,
    Fault.BACKWARDS: Refused.CLOCK_BACKWARDS,
    Fault.REUSED: Refused.SEQUENCE_REUSED,
}


def judged(said: list[Message]) -> list[Refused | None]:
    """Judge the readings one after another, as a scale's own history."""
    found: list[Refused | None] = []
    accepted: dict[int, datetime] = {}
    seen: set[int] = set()
    for message in said:
        before = [at for n, at in accepted.items() if n < message.sequence]
        known = Known(
            capacity_g=10**9, calibrated_until=date(2026, 12, 31), is_reused=message.sequence in seen,
            before=before[-1] if before else None,
        )  # fmt: skip
        seen.add(message.sequence)
        weighing = weighing_of(message)
        if isinstance(weighing, Weighing):
            found.append(refusal(weighing, known, NOW))
            if found[-1] is None:
                accepted[message.sequence] = weighing.taken_at
        else:
            found.append(weighing)
    return found


@pytest.mark.parametrize("fault", EXPECTED)
def test_each_fault_is_refused_by_its_name(fault):
    said = list(messages(scale="C1", first=5, count=1, fault=fault, now=NOW))
    assert judged(said)[-1] is EXPECTED[fault]
    assert judged(said)[:-1] == [None] * (len(said) - 1)


def test_sound_readings_follow_one_another_each_with_its_own_weight():
    said = list(messages(scale="C1", first=1, count=50, fault=None, now=NOW))
    assert [each.sequence for each in said] == list(range(1, 51))
    assert judged(said) == [None] * 50
    assert len({each.net for each in said}) == 50


def test_the_examples_of_addresses_hold():
    assert doctest.testmod(broker).failed == 0
    assert "secret" not in repr(broker.address_of("mqtt://floor:secret@host"))
