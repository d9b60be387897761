"""Which lot does a scanned text name? Pure: a label's QR code, or a code as it stands on the label."""

from wufei.labels.digital_id import DigitalIdRefused
from wufei.labels.payload import PREFIX, PayloadRefused, read_payload

LONGEST = 400


def lot_code_of(text: str) -> str:
    """
    Return the code of the lot, or "" where the text can't name one: torn, or of another system.

    >>> lot_code_of(" T3-000012 "), lot_code_of("https://example.org/x"), lot_code_of("WF1/H/9150")
    ('T3-000012', '', '')
    """
    said = text.strip()
    if not said or len(said) > LONGEST or not said.isprintable():
        return ""
    if said.upper().startswith(f"{PREFIX}/"):
        try:
            return read_payload(said).lot
        except (PayloadRefused, DigitalIdRefused):
            return ""
    return "" if "://" in said or len(said) > 80 else said
