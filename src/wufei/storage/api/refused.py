"""What does a machine read when the storage room refuses? And in which words does it ask?"""

from typing import Annotated

from ninja import Path
from pydantic import AfterValidator, Field, StringConstraints

from wufei.registry.api.door import ErrorDetail, Refused
from wufei.registry.api.fields import storable
from wufei.storage.refusals import Code, StorageRefused
from wufei.storage.wording import REFUSAL_TEXT, words

# What can't be in any request; the rest could be, and isn't now.
MALFORMED = frozenset(
    {
        Code.LOT_CODE_MISSING, Code.MASS_OUT_OF_RANGE, Code.REASON_MISSING, Code.EXPLANATION_MISSING,
        Code.TEXT_NOT_STORABLE, Code.ZONE_CODE_MISSING, Code.ZONE_SIZE_WRONG, Code.PERMITTED_UNKNOWN,
        Code.REQUIREMENT_UNKNOWN, Code.NOTHING_LOOKED_AT, Code.WHAT_IS_WRONG_MISSING, Code.DUE_DAY_WRONG,
        Code.INSPECTED_IN_FUTURE, Code.INSPECTED_LONG_AGO, Code.DAY_OUT_OF_RANGE,
    }
)  # fmt: skip
STATUSES = {
    422: MALFORMED,
    403: frozenset({Code.COUNTED_IT_ONESELF, Code.NOT_RESPONSIBLE}),
    404: frozenset({Code.STORE_UNKNOWN}),
}

Number = Annotated[int, Path(ge=1, le=2**31 - 1)]
Cursor = Annotated[str, Field(pattern=r"^[0-9]{1,18}$")]
LotCode = Annotated[str, StringConstraints(min_length=1, max_length=80), AfterValidator(storable)]
Text500 = Annotated[str, StringConstraints(max_length=500), AfterValidator(storable)]


def storage_refused(why: StorageRefused) -> Refused:
    status = next((status for status, codes in STATUSES.items() if why.code in codes), 409)
    details = [ErrorDetail(code=why.code.value, message=words(why))] if why.detail else []
    return Refused(status, why.code.value, REFUSAL_TEXT[why.code], details)
