"""Why does tracking refuse? One exception for the room, named by a code; `wording` has a sentence for each."""

from enum import StrEnum, auto


class Code(StrEnum):
    # a message that is nobody's
    NOT_READABLE = auto()
    TRACKER_UNKNOWN = auto()
    SIGNATURE_WRONG = auto()
    DATUM_UNFIT = auto()
    # registering a tracker
    NAME_MISSING = auto()
    VEHICLE_UNKNOWN = auto()
    ALREADY_RETIRED = auto()
    # a phone
    NOT_YOUR_LEG = auto()
    NOT_UNDER_WAY = auto()
    PHONE_OF_ANOTHER = auto()
    # a planned route
    ROUTE_MALFORMED = auto()
    ROUTE_SEALED = auto()
    # an alert
    NOT_YOUR_ALERT = auto()
    REMARK_MISSING = auto()
    ALREADY_ACKNOWLEDGED = auto()


# What the present state is against, and not what was asked.
CONFLICTS = frozenset(
    {
        Code.ALREADY_RETIRED, Code.NOT_UNDER_WAY, Code.PHONE_OF_ANOTHER, Code.ROUTE_SEALED,
        Code.ALREADY_ACKNOWLEDGED,
    }
)  # fmt: skip


class TrackingRefused(Exception):
    """Nothing was written; `code` says why, `detail` of what."""

    def __init__(self, code: Code, detail: str = ""):
        self.code, self.detail = code, detail
        super().__init__(f"{code} {detail}")

    @property
    def is_conflict(self) -> bool:
        return self.code in CONFLICTS
