"""
What does a scale say of one weighing, and may it be used?

Pure. What a message can't be read as at all is no reading (`Unreadable`); a reading that may not be used is
refused with one code, the first of `Refused` that holds, and is kept with it.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum, auto
from typing import Any

from wufei.terms.day import local_day
from wufei.terms.mass import InexactMass, Mass

UNITS = {"g": "克", "kg": "千克", "t": "吨", "克": "克", "千克": "千克", "公斤": "千克", "吨": "吨"}
# How far a scale's clock may be ahead of ours before it is wrong.
CLOCK_TOLERANCE = timedelta(minutes=2)
LONGEST_TEXT = 40
LARGEST_SEQUENCE = 2**53 - 1  # what every JSON reader takes exactly
MOST_BYTES = 4096
FIELDS = ("scale", "sequence", "gross", "tare", "net", "unit", "stable", "taken_at")
_WEIGHT = re.compile(r"-?[0-9]{1,9}(\.[0-9]{1,6})?")


class Refused(StrEnum):
    """Why a reading may not be used, in order of precedence."""

    SEQUENCE_REUSED = auto()  # the scale said something else under this number
    UNIT_UNKNOWN = auto()
    WEIGHT_HAS_COMMA = auto()  # a decimal comma here is a thousands separator there
    WEIGHT_MALFORMED = auto()
    WEIGHT_TOO_FINE = auto()  # finer than a gram
    TIME_MALFORMED = auto()
    TIME_WITHOUT_ZONE = auto()
    SCALE_RETIRED = auto()
    TAKEN_IN_FUTURE = auto()
    CLOCK_BACKWARDS = auto()  # order of numbers and order of time disagree
    OUT_OF_CALIBRATION = auto()
    UNSTABLE = auto()
    NEGATIVE = auto()
    WEIGHTS_DISAGREE = auto()  # gross - tare is not net
    ZERO = auto()
    OVERLOAD = auto()


class Unreadable(Exception):
    """The message is no reading; `field` says what of it (or "" where it is no JSON object)."""

    def __init__(self, field: str):
        self.field = field
        super().__init__(field)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A reading as the scale wrote it: weights as whole numbers or decimal texts in the unit."""

    scale: str
    sequence: int
    gross: int | str
    tare: int | str
    net: int | str
    unit: str
    stable: bool
    taken_at: str

    @property
    def device(self) -> str:
        return self.scale

    def said(self) -> dict[str, int | str | bool]:
        return {name: getattr(self, name) for name in FIELDS}

    def canonical(self) -> str:
        """
        Return the text that the scale signs: a line for each field, its value as in JSON.

        >>> print(Message(scale="S1", sequence=7, gross=12, tare=0, net="12.0", unit="kg", stable=True,
        ...     taken_at="2026-07-01T10:00:00+08:00").canonical())
        wufei-reading-1
        scale="S1"
        sequence=7
        gross=12
        tare=0
        net="12.0"
        unit="kg"
        stable=true
        taken_at="2026-07-01T10:00:00+08:00"
        """
        lines = [f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in self.said().items()]
        return "\n".join(("wufei-reading-1", *lines))


def message_of(said: Any) -> Message:
    """
    Return the reading that a JSON value is.

    :raises Unreadable: if a field is missing, unknown, of another type or too long
    """
    if not isinstance(said, Mapping):
        raise Unreadable("")
    if unknown := sorted(map(str, said.keys() - set(FIELDS) - {"signature"})):
        raise Unreadable(unknown[0][:LONGEST_TEXT])
    for name in FIELDS:
        if not _is_sound(name, said.get(name)):
            raise Unreadable(name)
    return Message(**{name: said[name] for name in FIELDS})


def parsed(body: bytes) -> tuple[Message, str]:
    """
    Read a message from the wire: the reading, and the signature that stands in it ("" where none does).

    :raises Unreadable: if it is no reading
    """
    if len(body) > MOST_BYTES:
        raise Unreadable("")
    try:
        said = json.loads(body.decode("utf-8"), parse_float=Decimal)
    except (ValueError, RecursionError):
        raise Unreadable("") from None
    message = message_of(said)
    signature = said.get("signature", "")
    if not isinstance(signature, str) or len(signature) > 200:
        raise Unreadable("signature")
    return message, signature


def _is_sound(name: str, value: Any) -> bool:
    if name == "stable":
        return isinstance(value, bool)
    if isinstance(value, bool):
        return False
    if name == "sequence":
        return isinstance(value, int) and 0 < value <= LARGEST_SEQUENCE
    if isinstance(value, int):
        return name in ("gross", "tare", "net") and abs(value) <= 10**12
    return isinstance(value, str) and 0 < len(value) <= LONGEST_TEXT and value.isprintable()


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighing:
    """What a message means: whole grams at an instant."""

    gross_g: int
    tare_g: int
    net_g: int
    is_stable: bool
    taken_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of the scale when a reading comes in."""

    capacity_g: int
    calibrated_until: date  # its last day
    is_retired: bool = False
    is_reused: bool = False  # something else stands under the reading's sequence number
    # When the neighbours by sequence number were taken, of those that were accepted.
    before: datetime | None = None
    after: datetime | None = None


def weighing_of(message: Message) -> Weighing | Refused:
    """Return what the message means, or why it means nothing."""
    unit = UNITS.get(message.unit)
    if unit is None:
        return Refused.UNIT_UNKNOWN
    masses: list[int] = []
    for said in (message.gross, message.tare, message.net):
        found = _grams(said, unit)
        if isinstance(found, Refused):
            return found
        masses.append(found)
    try:
        taken_at = datetime.fromisoformat(message.taken_at)
    except ValueError:
        return Refused.TIME_MALFORMED
    if taken_at.utcoffset() is None:
        return Refused.TIME_WITHOUT_ZONE
    if not 2000 <= taken_at.year <= 2200:
        return Refused.TIME_MALFORMED
    gross, tare, net = masses
    return Weighing(gross_g=gross, tare_g=tare, net_g=net, is_stable=message.stable, taken_at=taken_at)


def _grams(said: int | str, unit: str) -> int | Refused:
    if isinstance(said, str):
        if "," in said or "，" in said:
            return Refused.WEIGHT_HAS_COMMA
        if not _WEIGHT.fullmatch(said):
            return Refused.WEIGHT_MALFORMED
    try:
        return Mass.of(Decimal(said), unit).grams
    except InexactMass:
        return Refused.WEIGHT_TOO_FINE


def refusal(weighing: Weighing, known: Known, now: datetime) -> Refused | None:
    """Return why the weighing may not be used; None where it may."""
    if known.is_reused:
        return Refused.SEQUENCE_REUSED
    if known.is_retired:
        return Refused.SCALE_RETIRED
    at = weighing.taken_at
    if at > now + CLOCK_TOLERANCE:
        return Refused.TAKEN_IN_FUTURE
    if (known.before is not None and at < known.before) or (known.after is not None and at > known.after):
        return Refused.CLOCK_BACKWARDS
    if local_day(at) > known.calibrated_until:
        return Refused.OUT_OF_CALIBRATION
    return _weighs_wrongly(weighing, known)


def _weighs_wrongly(weighing: Weighing, known: Known) -> Refused | None:
    if not weighing.is_stable:
        return Refused.UNSTABLE
    if min(weighing.gross_g, weighing.tare_g, weighing.net_g) < 0:
        return Refused.NEGATIVE
    if weighing.gross_g - weighing.tare_g != weighing.net_g:
        return Refused.WEIGHTS_DISAGREE
    if weighing.net_g == 0:
        return Refused.ZERO
    if weighing.gross_g > known.capacity_g:
        return Refused.OVERLOAD
    return None
