"""
What number does a manifest have? 危险废物转移管理办法 第十五条

Fourteen digits: the year, the province and the city of the place it is moved from, and a serial number of six
within that city. A transfer record of general waste has no number by law; ours is the same with a letter before
it, so that the two are never taken for one another.
"""

import re
from dataclasses import dataclass

GENERAL_PREFIX = "G"
LAST_SERIAL = 999_999
_NUMBER = re.compile(rf"({GENERAL_PREFIX}?)([0-9]{{4}})([0-9]{{2}})([0-9]{{2}})([0-9]{{6}})", re.ASCII)
_FULL_WIDTH = str.maketrans("０１２３４５６７８９Ｇｇ", "0123456789Gg")


class NumberMalformed(ValueError):
    """The text is no manifest number."""


class DivisionTooCoarse(ValueError):
    """The place that the waste is moved from is known by its province only; a number needs the city."""


class SerialsExhausted(ValueError):
    """The city has given all its numbers of the year."""


@dataclass(frozen=True, slots=True)
class ManifestNumber:
    """A number, taken apart."""

    year: int
    city_code: str  # "5001": province and city
    serial: int
    is_general: bool = False

    def __str__(self) -> str:
        prefix = GENERAL_PREFIX if self.is_general else ""
        return f"{prefix}{self.year:04}{self.city_code}{self.serial:06}"


def read_number(text: str) -> ManifestNumber:
    """
    Return the number that the text says, however it is spaced.

    >>> read_number(" 2026 50 01 000123 ").serial
    123

    :raises NumberMalformed: if it isn't one
    """
    compact = re.sub(r"[\s-]", "", text).translate(_FULL_WIDTH).upper()
    found = _NUMBER.fullmatch(compact)
    if found is None:
        raise NumberMalformed(text)
    prefix, year, province, city, serial = found.groups()
    if int(year) < 1900 or int(serial) == 0 or province == "00" or city == "00":
        raise NumberMalformed(text)
    return ManifestNumber(int(year), province + city, int(serial), bool(prefix))


def city_of(division_code: str) -> str:
    """
    Return the four digits of province and city.

    >>> city_of("500110")
    '5001'

    :raises DivisionTooCoarse: if the division is a province or the country
    """
    if not re.fullmatch(r"[0-9]{6}", division_code, re.ASCII) or "00" in (
        division_code[:2],
        division_code[2:4],
    ):
        raise DivisionTooCoarse(division_code)
    return division_code[:4]


def numbered(*, year: int, division_code: str, serial: int, is_general: bool) -> ManifestNumber:
    """
    Return the manifest number of that serial.

    :raises DivisionTooCoarse: if the division names no city
    :raises SerialsExhausted: if the serial has more than six digits
    """
    if not 1 <= serial <= LAST_SERIAL:
        raise SerialsExhausted(str(serial))
    return ManifestNumber(year, city_of(division_code), serial, is_general)
