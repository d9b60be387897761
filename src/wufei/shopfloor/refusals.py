"""Why does the shop floor refuse? One exception for the room, named by a code; `wording` has a sentence for each."""

from enum import StrEnum, auto


class Code(StrEnum):
    # a message that is nobody's reading
    NOT_READABLE = auto()
    SCALE_UNKNOWN = auto()
    SIGNATURE_WRONG = auto()
    # registering a scale
    NAME_MISSING = auto()
    CAPACITY_NOT_POSITIVE = auto()
    DIVISION_UNFIT = auto()  # not positive, or above the capacity
    STORE_UNKNOWN = auto()
    STREAM_UNKNOWN = auto()
    STALE_EDIT = auto()
    ALREADY_RETIRED = auto()
    # using a reading
    READING_UNKNOWN = auto()
    READING_TAKEN = auto()
    READING_DIFFERS = auto()  # the weight or its day is not what the scale said
    REASON_MISSING = auto()
    # an entry of the phone
    MALFORMED = auto()
    MADE_IN_FUTURE = auto()
    MASS_TOO_LARGE = auto()
    CODE_UNKNOWN = auto()  # what was scanned names nothing here
    CONTAINER_MOVED = auto()  # it no longer stands where the phone saw it
    NOT_IN_STORE = auto()
    ALREADY_THERE = auto()
    CLIENT_ID_REUSED = auto()


# What the present state is against, and not what was asked: may be tried again when the state is another.
CONFLICTS = frozenset(
    {
        Code.STALE_EDIT, Code.ALREADY_RETIRED, Code.READING_TAKEN, Code.CONTAINER_MOVED, Code.NOT_IN_STORE,
        Code.ALREADY_THERE, Code.CLIENT_ID_REUSED,
    }
)  # fmt: skip


class ShopfloorRefused(Exception):
    """Nothing was written; `code` says why, `detail` of what."""

    def __init__(self, code: Code, detail: str = ""):
        self.code, self.detail = code, detail
        super().__init__(f"{code} {detail}")

    @property
    def is_conflict(self) -> bool:
        return self.code in CONFLICTS
