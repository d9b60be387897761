"""Why does this room refuse? One exception, a code for each reason; the words are in `wording`."""

from enum import StrEnum, auto


class Code(StrEnum):
    # registration
    USCC_MALFORMED = auto()
    ORGANISATION_EXISTS = auto()
    REGISTRATION_PENDING = auto()
    FACT_MISSING = auto()
    FACT_MALFORMED = auto()
    DIVISION_UNKNOWN = auto()
    WASTES_MISSING = auto()
    WASTE_CODE_UNKNOWN = auto()
    WASTE_TWICE = auto()
    COLLECTOR_UNKNOWN = auto()
    COLLECTOR_ELSEWHERE = auto()
    CONSENT_MISSING = auto()
    NOT_CHECKED = auto()
    NOT_YOURS_TO_CONFIRM = auto()
    DECIDED_ALREADY = auto()
    REASON_MISSING = auto()
    CONTRACT_MISSING = auto()
    CONTRACT_MALFORMED = auto()
    ACTIVATION_UNKNOWN = auto()
    ACTIVATED_ALREADY = auto()
    ACCOUNT_REFUSED = auto()
    # declaration
    NOT_A_SMALL_GENERATOR = auto()
    ENROLLED_ALREADY = auto()
    MONTH_OUT_OF_RANGE = auto()
    STREAM_UNKNOWN = auto()
    STREAM_LEFT_OUT = auto()
    MASS_OUT_OF_RANGE = auto()
    NOTHING_AND_SOMETHING = auto()
    SAID_THE_SAME = auto()
    CLIENT_ID_REUSED = auto()
    LEDGER_REFUSED = auto()
    TEXT_NOT_STORABLE = auto()
    # collection point, rounds
    POINT_UNKNOWN = auto()
    POINT_MALFORMED = auto()
    STORE_UNKNOWN = auto()
    NOTHING_CHOSEN = auto()
    NOT_SERVED = auto()
    NOT_READY = auto()
    NOT_COVERED = auto()
    DAY_OUT_OF_RANGE = auto()
    VEHICLE_MISSING = auto()
    ROUND_NOT_NOW = auto()
    STOP_UNKNOWN = auto()
    STOP_SETTLED = auto()
    STOPS_OPEN = auto()
    ORDER_MALFORMED = auto()
    WEIGHING_MISSING = auto()
    MANIFEST_REFUSED = auto()
    # signing on the spot
    SIGNING_CODE_MISSING = auto()
    SIGNING_CODE_MALFORMED = auto()
    SIGNING_CODE_WRONG = auto()
    SIGNING_CODE_LOCKED = auto()
    NOT_SIGNED = auto()


class CollectionRefused(Exception):
    """Nothing was done; `code` says why, `detail` what it is about, `where` at which part of what was said."""

    def __init__(self, code: Code, detail: str = "", where: str = ""):
        self.code, self.detail, self.where = code, detail, where
        super().__init__(f"{where} {code} {detail}".strip())
