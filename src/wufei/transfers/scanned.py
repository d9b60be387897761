"""Which container does a scanned text name: by the code on its label, by its 数字识别码, by the QR code?"""

from dataclasses import dataclass

from wufei.labels.digital_id import DigitalId, DigitalIdRefused
from wufei.labels.payload import PREFIX, Fault, PayloadRefused, read_payload
from wufei.transfers.refusals import Code

LONGEST = 300
DIGITS = 37


@dataclass(frozen=True, slots=True, kw_only=True)
class Scanned:
    """What was read: a lot's code, or a 数字识别码 that stands for one, or why it is neither."""

    lot: str = ""
    digital_id: str = ""
    refused: Code | None = None


def read_scanned(text: str) -> Scanned:
    """
    Read what a scanner, or a person, typed.

    >>> read_scanned(" T3-000012 ").lot
    'T3-000012'
    >>> read_scanned("https://example.org/x").refused, read_scanned("WF1/H/9150").refused
    (<Code.SCAN_FOREIGN: 'scan_foreign'>, <Code.SCAN_TORN: 'scan_torn'>)
    """
    said = text.strip()
    if len(said) > LONGEST or not said.isprintable() or "://" in said:
        return Scanned(refused=Code.SCAN_FOREIGN)
    if said.upper().startswith(f"{PREFIX}/"):
        return _label(said)
    if len(said) == DIGITS:
        try:
            return Scanned(digital_id=str(DigitalId.read(said)))
        except DigitalIdRefused:
            return Scanned(lot=said)  # as long as one by chance
    return Scanned(lot=said)


def _label(said: str) -> Scanned:
    try:
        payload = read_payload(said)
    except PayloadRefused as refused:
        return Scanned(refused=Code.SCAN_TORN if refused.fault is Fault.PAYLOAD_TORN else Code.SCAN_FOREIGN)
    except DigitalIdRefused:
        return Scanned(refused=Code.SCAN_TORN)
    if payload.lot:
        return Scanned(lot=payload.lot)
    return (
        Scanned(digital_id=str(payload.digital_id))
        if payload.digital_id
        else Scanned(refused=Code.SCAN_FOREIGN)
    )
