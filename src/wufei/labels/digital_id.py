"""
What is the 数字识别码 of a hazardous-waste label, and is this one?

HJ 1276-2022: four segments, 37 characters (known from a secondary source). How the 37 are shared among the
segments is **unverified**, from memory, and stands in `SEGMENTS`: 18 of the organisation, 8 of the waste code
without hyphens, 8 of the day, 3 of the sequence.
"""

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum, auto
from typing import Self

from stdnum.cn import uscc as check_digits
from stdnum.exceptions import InvalidChecksum, ValidationError

LENGTH = 37
LAST_SEQUENCE = 999  # of a day and a waste code: what three digits can say
SEGMENTS: tuple[tuple[str, int], ...] = (
    ("产生或收集单位编码", 18),
    ("危险废物代码", 8),
    ("产生或收集日期码", 8),
    ("顺序编码", 3),
)  # fmt: skip

_SHAPE = re.compile(r"([0-9A-HJ-NPQRTUWXY]{18})([0-9]{8})([0-9]{8})([0-9]{3})")
_WASTE_CODE = re.compile(r"[0-9]{3}-[0-9]{3}-[0-9]{2}")
_BLANKS = re.compile(r"[\s\u200b-\u200f\u2060\ufeff-]+")


class Fault(StrEnum):
    """Why a text is no 数字识别码."""

    CODE_MISSING = auto()
    CODE_OF_ANOTHER_SYSTEM = auto()
    CODE_TORN = auto()  # it begins like one, and is not whole
    CODE_TOO_LONG = auto()
    CHECK_DIGIT_WRONG = auto()
    WASTE_CODE_MALFORMED = auto()
    DAY_IMPOSSIBLE = auto()
    SEQUENCE_IMPOSSIBLE = auto()


class DigitalIdRefused(Exception):
    """The text is no 数字识别码; `fault` says why, `detail` which part of it."""

    def __init__(self, fault: Fault, detail: str = ""):
        super().__init__(fault.value)
        self.fault, self.code, self.detail = fault, fault.value, detail


@dataclass(frozen=True, slots=True, order=True)
class DigitalId:
    """One number of one label. What can't be one can't be built."""

    uscc: str
    waste_code: str  # 900-249-08
    on: date
    sequence: int

    def __post_init__(self) -> None:
        _check_uscc(self.uscc)
        if not _WASTE_CODE.fullmatch(self.waste_code):
            raise DigitalIdRefused(Fault.WASTE_CODE_MALFORMED, self.waste_code)
        if not 1 <= self.sequence <= LAST_SEQUENCE:
            raise DigitalIdRefused(Fault.SEQUENCE_IMPOSSIBLE, str(self.sequence))

    def __str__(self) -> str:
        return f"{self.uscc}{self.waste_code.replace('-', '')}{self.on:%Y%m%d}{self.sequence:03d}"

    @property
    def grouped(self) -> str:
        """
        Return it as people read it, its segments apart.

        >>> DigitalId("91110000600037341L", "900-249-08", date(2026, 7, 1), 7).grouped
        '91110000600037341L 90024908 20260701 007'
        """
        return f"{self.uscc} {self.waste_code.replace('-', '')} {self.on:%Y%m%d} {self.sequence:03d}"

    @classmethod
    def read(cls, text: str) -> Self:
        """
        Read a 数字识别码, however its segments are set apart.

        >>> DigitalId.read("91110000600037341L 90024908 20260701 007").sequence
        7

        :raises DigitalIdRefused: if it is none
        """
        plain = _BLANKS.sub("", text).upper()
        if not plain:
            raise DigitalIdRefused(Fault.CODE_MISSING)
        if (matched := _SHAPE.fullmatch(plain)) is None:
            raise _not_of_the_shape(plain)
        uscc, waste_code, day, sequence = matched.groups()
        try:
            on = date(int(day[:4]), int(day[4:6]), int(day[6:]))
        except ValueError:
            raise DigitalIdRefused(Fault.DAY_IMPOSSIBLE, day) from None
        return cls(uscc, f"{waste_code[:3]}-{waste_code[3:6]}-{waste_code[6:]}", on, int(sequence))


def _check_uscc(uscc: str) -> None:
    try:
        check_digits.validate(uscc)
    except InvalidChecksum:
        raise DigitalIdRefused(Fault.CHECK_DIGIT_WRONG, uscc) from None
    except ValidationError:
        raise DigitalIdRefused(Fault.CODE_OF_ANOTHER_SYSTEM, uscc) from None


def _not_of_the_shape(plain: str) -> DigitalIdRefused:
    """Return what is wrong: a part of one that begins rightly is torn, anything else is not ours."""
    begins_rightly = check_digits.is_valid(plain[:18])
    rest = plain[18:]
    if begins_rightly and len(plain) < LENGTH and (rest.isdecimal() or not rest):
        return DigitalIdRefused(Fault.CODE_TORN, f"{len(plain)}")
    if begins_rightly and len(plain) > LENGTH and rest.isdecimal():
        return DigitalIdRefused(Fault.CODE_TOO_LONG, f"{len(plain)}")
    return DigitalIdRefused(Fault.CODE_OF_ANOTHER_SYSTEM, plain[:60])
