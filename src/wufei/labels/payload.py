"""
What does the QR code of a label say, and what did a scanner read?

HJ 1276 wants the 数字识别码 and further contents of the label in it; their layout was not found, so this one is
ours (**unverified**): nine fields with "/" between them, in characters that every scanner can type, also one that
is a keyboard.

    WF1/H/<数字识别码>/<lot>/<hazards, "-" between>/<mass in grams>/<volume in ml>/<yyyymmdd>/<check>
    WF1/G/<USCC>.<waste code>/<lot>//<mass in grams>/<volume in ml>/<yyyymmdd>/<check>

What is not known is left empty. The lot's code is percent-encoded. The check is CRC-32 over all before the last "/",
as eight hexadecimal digits: it finds a torn or misread code, and is no protection against forgery.
"""

import re
import zlib
from dataclasses import dataclass
from datetime import date
from enum import StrEnum, auto
from urllib.parse import quote, unquote

from wufei.labels.digital_id import DigitalId, DigitalIdRefused
from wufei.labels.digital_id import Fault as IdFault

PREFIX = "WF1"
_FIELDS = 9
_GENERAL = re.compile(r"([0-9A-Z]{18})\.([0-9A-Z-]{4,16})")


class Fault(StrEnum):
    """Why what was scanned says nothing to us; beside the faults of a bare 数字识别码."""

    PAYLOAD_TORN = auto()
    PAYLOAD_VERSION_UNKNOWN = auto()
    PAYLOAD_OF_ANOTHER_SYSTEM = auto()


class PayloadRefused(Exception):
    """What was scanned is none of our labels."""

    def __init__(self, fault: Fault, detail: str = ""):
        super().__init__(fault.value)
        self.fault, self.code, self.detail = fault, fault.value, detail


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """What the QR code of one label says."""

    digital_id: DigitalId | None  # of hazardous waste
    uscc: str
    waste_code: str
    lot: str = ""
    hazards: tuple[str, ...] = ()
    mass_g: int | None = None
    volume_ml: int | None = None
    on: date | None = None

    def __str__(self) -> str:
        whose = f"H/{self.digital_id}" if self.digital_id else f"G/{self.uscc}.{self.waste_code}"
        day = f"{self.on:%Y%m%d}" if self.on else ""
        said = "/".join(
            (PREFIX, whose, quote(self.lot, safe=""), "-".join(self.hazards), _number(self.mass_g),
             _number(self.volume_ml), day)
        )  # fmt: skip
        return f"{said}/{_check(said)}"


def _number(value: int | None) -> str:
    return "" if value is None else str(value)


def _check(said: str) -> str:
    return f"{zlib.crc32(said.encode()):08X}"


def read_payload(text: str) -> Payload:
    """
    Read what a scanner read: a QR code of ours, or a bare 数字识别码.

    :raises PayloadRefused: if it is a QR code that is none of ours, or not whole
    :raises DigitalIdRefused: if it is no 数字识别码 either
    """
    said = text.strip()
    if said.upper().startswith(f"{PREFIX}/"):
        return _read_fields(said)
    if re.match(r"WF[0-9]+/", said):
        raise PayloadRefused(Fault.PAYLOAD_VERSION_UNKNOWN, said.split("/")[0])
    if re.match(r"WF[0-9]*$|[A-Za-z][A-Za-z0-9+.-]*://", said):
        raise PayloadRefused(
            Fault.PAYLOAD_TORN if said.startswith("WF") else Fault.PAYLOAD_OF_ANOTHER_SYSTEM, said[:60]
        )
    number = DigitalId.read(said)
    return Payload(digital_id=number, uscc=number.uscc, waste_code=number.waste_code, on=number.on)


def _read_fields(said: str) -> Payload:
    fields = said.split("/")
    whole, _, check = said.rpartition("/")
    if len(fields) != _FIELDS or check != _check(whole):
        raise PayloadRefused(Fault.PAYLOAD_TORN, f"{len(fields)}/{_FIELDS}")
    _, kind, whose, lot, hazards, mass, volume, day, _ = fields
    try:
        number, uscc, waste_code = _whose(kind, whose)
        return Payload(
            digital_id=number, uscc=uscc, waste_code=waste_code, lot=unquote(lot, errors="strict"),
            hazards=tuple(hazards.split("-")) if hazards else (), mass_g=int(mass) if mass else None,
            volume_ml=int(volume) if volume else None,
            on=date(int(day[:4]), int(day[4:6]), int(day[6:])) if day else None,
        )  # fmt: skip
    except ValueError:  # whole, and yet not made by us
        raise PayloadRefused(Fault.PAYLOAD_OF_ANOTHER_SYSTEM, said[:60]) from None


def _whose(kind: str, whose: str) -> tuple[DigitalId | None, str, str]:
    if kind == "H":
        try:
            number = DigitalId.read(whose)
        except DigitalIdRefused as refused:
            if refused.fault is IdFault.CODE_MISSING:
                raise ValueError("no number") from None
            raise
        return number, number.uscc, number.waste_code
    if kind == "G" and (matched := _GENERAL.fullmatch(whose)):
        return None, matched[1], matched[2]
    raise ValueError(kind)
