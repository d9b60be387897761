"""Why is an act on a manifest refused? One exception, a code for each reason; the words are in `wording`."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum, auto


class Code(StrEnum):
    # the manifest as it stands
    ACT_NOT_NOW = auto()
    WRONG_PARTY = auto()
    STALE_EDIT = auto()
    CLOCK_BACKWARDS = auto()
    NUMBER_TAKEN = auto()
    NUMBER_MALFORMED = auto()
    NUMBER_OF_ANOTHER_PLACE = auto()
    DIVISION_TOO_COARSE = auto()
    SERIALS_EXHAUSTED = auto()
    PAPER_DAY_IN_FUTURE = auto()
    CLIENT_ID_REUSED = auto()
    SEALED = auto()
    NOT_SEALED = auto()
    # what is filled in
    FIELD_MISSING = auto()
    FIELD_MALFORMED = auto()
    FIELD_UNKNOWN = auto()
    FIELD_OF_ANOTHER_PARTY = auto()
    LINES_MISSING = auto()
    LEGS_MISSING = auto()
    MASS_NOT_POSITIVE = auto()
    MASS_ABSURD = auto()
    REASON_MISSING = auto()
    # who and with what
    PARTY_UNKNOWN = auto()
    PARTY_CLOSED = auto()
    PARTY_UNFIT = auto()
    SAME_PARTY = auto()
    STREAM_UNKNOWN = auto()
    WASTE_CLASS_MIXED = auto()
    SCAN_TORN = auto()
    SCAN_FOREIGN = auto()
    LOT_UNKNOWN = auto()
    LOT_TWICE = auto()
    LOT_ON_ANOTHER_MANIFEST = auto()
    LOT_NOT_WHOLE = auto()
    STOCK_SHORT = auto()
    PERMIT_MISSING = auto()
    PERMIT_NOT_IN_DATE = auto()
    PERMIT_LACKS_CODE = auto()
    CAPACITY_EXHAUSTED = auto()
    CONTRACT_MISSING = auto()
    DUE_DILIGENCE_MISSING = auto()
    TRANSPORT_PERMIT_MISSING = auto()
    VEHICLE_UNKNOWN = auto()
    VEHICLE_NOT_IN_DATE = auto()
    DRIVER_UNKNOWN = auto()
    DRIVER_NOT_IN_DATE = auto()
    APPROVAL_MISSING = auto()
    APPROVAL_EXHAUSTED = auto()
    APPROVAL_MALFORMED = auto()
    APPROVAL_TWICE = auto()
    # at the receiver's
    WEIGHT_IMPLAUSIBLE = auto()
    MODE_UNKNOWN = auto()
    RECEIVER_STREAM_MISSING = auto()
    LINE_UNKNOWN = auto()
    LINE_LEFT_OUT = auto()
    RETURN_TOO_LARGE = auto()
    NOTHING_RECEIVED = auto()
    SOMETHING_RETURNED = auto()
    # revisions, discrepancies
    REVISION_OPEN = auto()
    REVISION_NOT_OPEN = auto()
    REVISION_EMPTY = auto()
    NOT_REVISABLE = auto()
    OWN_REVISION = auto()
    ALREADY_SETTLED = auto()
    LEDGER_REFUSED = auto()


@dataclass(frozen=True, slots=True)
class Reason:
    code: Code
    where: str = ""  # "lines.0.declared_g"
    detail: str = ""  # for people: what is there, how much is left


class TransferRefused(Exception):
    """Nothing was done; `reasons` says why."""

    def __init__(self, *reasons: Reason):
        assert reasons, "a refusal has a reason"
        self.reasons: Sequence[Reason] = reasons
        super().__init__("; ".join(f"{r.where} {r.code} {r.detail}".strip() for r in reasons))

    @property
    def code(self) -> Code:
        return self.reasons[0].code


def refused(code: Code, detail: str = "", where: str = "") -> TransferRefused:
    """Return the refusal for one reason."""
    return TransferRefused(Reason(code, where, detail))
