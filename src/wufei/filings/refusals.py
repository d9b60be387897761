"""Why is something about a filing refused? One exception; `wording` says each code in Chinese."""

from enum import StrEnum, auto


class Code(StrEnum):
    YEAR_OUT_OF_RANGE = auto()
    DRAFT_STANDS = auto()
    DRAFT_MISSING = auto()
    STALE_EDIT = auto()
    CONTENT_UNTIDY = auto()
    FAULTS_LEFT = auto()
    NOTHING_CHANGED = auto()
    REASON_MISSING = auto()
    REASON_NOT_STORABLE = auto()
    NOT_OVER_YET = auto()


class FilingRefused(Exception):
    """Nothing was written; `code` says why, `detail` what it is about."""

    def __init__(self, code: Code, detail: str = ""):
        super().__init__(f"{code.value} {detail}".strip())
        self.code, self.detail = code, detail
