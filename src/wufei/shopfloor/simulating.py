"""What would a scale say? Sound readings, or with a fault, to try the gateway with. Pure."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from wufei.shopfloor.reading import Message, message_of

TARE_G = 1500
FAR_ABOVE_ANY_SCALE_G = 10**11


class Fault(StrEnum):
    UNSTABLE = "unstable"
    NEGATIVE = "negative"
    ZERO = "zero"
    OVERLOAD = "overload"
    COMMA = "comma"
    FUTURE = "future"
    BACKWARDS = "backwards"
    REUSED = "reused"
    SIGNATURE = "signature"  # made by the sender


# Wrong only against a sound reading before it.
_AFTER_A_SOUND_ONE = frozenset({Fault.BACKWARDS, Fault.REUSED})


def messages(*, scale: str, first: int, count: int, fault: Fault | None, now: datetime) -> Iterator[Message]:
    """Give `count` readings from the sequence number `first` on; what is wrong against another comes after it."""
    if fault in _AFTER_A_SOUND_ONE:
        yield sound(scale, first, now)
        first += 1
    for number in range(first, first + count):
        yield message_of(sound(scale, number, now).said() | _wrong(fault, scale, number, now))


def sound(scale: str, sequence: int, now: datetime) -> Message:
    """Return a sound reading; its weight follows from its number, in whole decagrams."""
    net = 5_000 + sequence * 7_919 % 1_500 * 10
    return Message(
        scale=scale, sequence=sequence, gross=net + TARE_G, tare=TARE_G, net=net, unit="g", stable=True,
        taken_at=now.isoformat(timespec="milliseconds"),
    )  # fmt: skip


def _wrong(fault: Fault | None, scale: str, number: int, now: datetime) -> dict[str, Any]:
    net = sound(scale, number, now).net
    assert isinstance(net, int), "made above"
    wrong: dict[Fault | None, dict[str, Any]] = {
        None: {},
        Fault.SIGNATURE: {},
        Fault.UNSTABLE: {"stable": False},
        Fault.NEGATIVE: {"gross": -net, "net": -net - TARE_G},
        Fault.ZERO: {"gross": TARE_G, "net": 0},
        Fault.OVERLOAD: {"gross": FAR_ABOVE_ANY_SCALE_G + TARE_G, "net": FAR_ABOVE_ANY_SCALE_G},
        Fault.COMMA: {"net": f"{net // 1000},{net % 1000:03d}", "unit": "kg"},
        Fault.FUTURE: {"taken_at": (now + timedelta(days=1)).isoformat(timespec="milliseconds")},
        Fault.BACKWARDS: {"taken_at": (now - timedelta(days=1)).isoformat(timespec="milliseconds")},
        Fault.REUSED: {"sequence": number - 1, "gross": net + TARE_G + 10, "net": net + 10},
    }
    return wrong[fault]
