"""Why is something about storage refused? One exception; `wording` says each code in Chinese."""

from enum import StrEnum, auto


class Code(StrEnum):
    STORE_UNKNOWN = auto()
    SHEET_STANDS = auto()  # an earlier one of the store is open, or its differences are not posted
    SHEET_CLOSED = auto()
    CLIENT_ID_REUSED = auto()
    LOT_CODE_MISSING = auto()
    MASS_OUT_OF_RANGE = auto()
    COUNTED_ALREADY = auto()  # by the same person
    RECOUNTED_ALREADY = auto()
    STREAM_MISSING = auto()  # of a lot that the ledger doesn't know
    LOTS_NOT_COUNTED = auto()
    RECOUNT_MISSING = auto()
    REASON_MISSING = auto()
    SHEET_NOT_CLOSED = auto()
    NOTHING_TO_POST = auto()
    COUNTED_IT_ONESELF = auto()
    EXPLANATION_MISSING = auto()
    POSTED_ALREADY = auto()
    DAY_OUT_OF_RANGE = auto()
    TEXT_NOT_STORABLE = auto()
    ZONE_UNKNOWN = auto()
    ZONE_CODE_MISSING = auto()
    ZONE_CODE_USED = auto()
    ZONE_SIZE_WRONG = auto()
    ZONES_OVERLAP = auto()
    PERMITTED_UNKNOWN = auto()  # neither a stream of the organisation nor a category
    STALE_EDIT = auto()
    LOT_NOT_THERE = auto()  # the store holds nothing of it
    NOT_PERMITTED_IN_ZONE = auto()
    INCOMPATIBLE_IN_ZONE = auto()
    FACILITY_UNKNOWN = auto()  # no checklist of that kind of store
    REQUIREMENT_UNKNOWN = auto()
    NOTHING_LOOKED_AT = auto()
    WHAT_IS_WRONG_MISSING = auto()  # a requirement isn't met, and it isn't said in what
    DUE_DAY_WRONG = auto()
    RESPONSIBLE_UNKNOWN = auto()  # nobody of the organisation who could put it right
    INSPECTED_IN_FUTURE = auto()
    INSPECTED_LONG_AGO = auto()
    TOO_MANY_PHOTOS = auto()
    PHOTO_TOO_LARGE = auto()
    PHOTO_TOO_MANY_PIXELS = auto()
    PHOTO_TYPE = auto()
    PHOTO_DAMAGED = auto()
    PHOTO_MISSING = auto()
    CORRECTION_MISSING = auto()  # closed without saying what was done
    CORRECTED_ALREADY = auto()
    CORRECTED_ON_WRONG = auto()
    NOT_RESPONSIBLE = auto()


class StorageRefused(Exception):
    """Nothing was written; `code` says why, `detail` what it is about."""

    def __init__(self, code: Code, detail: str = ""):
        super().__init__(f"{code.value} {detail}".strip())
        self.code, self.detail = code, detail
