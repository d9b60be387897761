"""The words of requests and answers: each refuses what the store couldn't keep, in Chinese."""

import re
from datetime import date, datetime
from typing import Annotated, Any

from django.utils import timezone
from ninja import Path
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StrictInt,
    StringConstraints,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

FIRST_YEAR, LAST_YEAR = 1949, 2200
PAGE_LIMIT = 200
# What a whole number in a request may be at most: far above 10⁸ tonnes in grams, far below 64 bits.
LARGEST = 10**17


class Asked(BaseModel):
    """A request's body: a key that it doesn't know is a slip, not something to pass over."""

    model_config = ConfigDict(extra="forbid")


class Answered(BaseModel):
    """An answer's body."""


def storable(text: str) -> str:
    if "\x00" in text:
        raise PydanticCustomError("text_not_storable", "含有不能保存的字符（NUL）；请删去后重试。")
    return text


def _day(said: Any) -> Any:
    if isinstance(said, date) and not isinstance(said, datetime):
        return said
    if not isinstance(said, str) or not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", said):
        raise PydanticCustomError("day_malformed", "日期应写成 2025-03-20 的形式。")
    try:
        day = date.fromisoformat(said)
    except ValueError:
        raise PydanticCustomError("day_impossible", "没有这一天；请核对日期。") from None
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise PydanticCustomError("day_out_of_range", "日期应在 1949 年至 2200 年之间。")
    return day


def _local(instant: datetime) -> str:
    return timezone.localtime(instant).isoformat()


Day = Annotated[date, BeforeValidator(_day), WithJsonSchema({"type": "string", "format": "date"})]
Year = Annotated[int, Field(ge=FIRST_YEAR, le=LAST_YEAR)]
Instant = Annotated[
    datetime,
    PlainSerializer(_local, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
Text4 = Annotated[str, StringConstraints(max_length=4), AfterValidator(storable)]
Text60 = Annotated[str, StringConstraints(max_length=60), AfterValidator(storable)]
Text120 = Annotated[str, StringConstraints(max_length=120), AfterValidator(storable)]
Text200 = Annotated[str, StringConstraints(max_length=200), AfterValidator(storable)]
Text300 = Annotated[str, StringConstraints(max_length=300), AfterValidator(storable)]
SearchText = Annotated[str, StringConstraints(max_length=100), AfterValidator(storable)]
Code = Annotated[str, StringConstraints(min_length=1, max_length=120), AfterValidator(storable)]
WholeNumber = Annotated[StrictInt, Field(ge=-LARGEST, le=LARGEST)]
Version = Annotated[StrictInt, Field(ge=1, le=2**31 - 1)]
PageLimit = Annotated[int, Field(ge=1, le=PAGE_LIMIT)]
Offset = Annotated[int, Field(ge=0, le=10**9)]

Uscc = Annotated[
    str,
    Path(pattern=r"^[0-9A-Z]{18}$", description="统一社会信用代码", example="91500110MA5U00001P"),
]
