"""Why is something about labels refused? One exception; `wording` says each code in Chinese."""

from enum import StrEnum, auto


class Code(StrEnum):
    NUMBERS_EXHAUSTED = auto()  # 999 a day for each waste code
    COUNT_OUT_OF_RANGE = auto()
    DAY_OUT_OF_RANGE = auto()
    ORGANISATION_HAS_NO_VALID_CODE = auto()
    WASTE_NOT_HAZARDOUS = auto()  # only its labels bear numbers
    NUMBER_OF_ANOTHER_ORGANISATION = auto()
    NUMBER_OF_ANOTHER_WASTE = auto()
    NUMBER_NOT_RESERVED = auto()
    NUMBER_USED = auto()
    LOT_NUMBERED_ALREADY = auto()
    LOT_UNKNOWN = auto()
    LOT_AMBIGUOUS = auto()  # several organisations have a lot of this code
    LOT_WITHOUT_NUMBER = auto()
    PRINT_COUNT_OUT_OF_RANGE = auto()
    REPRINT_WITHOUT_REASON = auto()
    CLIENT_ID_REUSED = auto()
    HAZARD_UNKNOWN = auto()
    STALE_EDIT = auto()


class LabelRefused(Exception):
    """Nothing was written; `code` says why, `detail` what it is about."""

    def __init__(self, code: Code, detail: str = ""):
        super().__init__(code.value)
        self.code, self.detail = code, detail
