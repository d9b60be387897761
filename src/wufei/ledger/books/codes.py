"""
How is a record of an official ledger numbered, and what does such a code say?

HJ 1259-2022 recommends prefix + day + serial (HWCS20211031001). The serial is the record's place among those
of its prefix and day, in the order of the chain: it never changes, because the chain only grows at its end.
A record that was reversed keeps its serial, so that no other moves up. General waste has no such codes in
its norm; ours are made alike and are the enterprise's own numbering (本单位自编).
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple

from wufei.ledger.kinds import Kind, PlaceKind


class Series(StrEnum):
    """What is numbered together, day by day."""

    GENERATED = "GENERATED"  # 产生
    STORED = "STORED"  # 入库
    TAKEN_OUT = "TAKEN_OUT"  # 出库
    OWN_UTILISED = "OWN_UTILISED"  # 自行利用
    OWN_DISPOSED = "OWN_DISPOSED"  # 自行处置
    CONTRACTED_UTILISED = "CONTRACTED_UTILISED"  # 委外利用
    CONTRACTED_DISPOSED = "CONTRACTED_DISPOSED"  # 委外处置
    LEFT = "LEFT"  # 出厂: general waste only
    EXPORTED_UTILISED = "EXPORTED_UTILISED"  # 出口利用: read, never made
    EXPORTED_DISPOSED = "EXPORTED_DISPOSED"  # 出口处置: read, never made


_CONTRACTED = (Kind.CONTRACTED_UTILISATION, Kind.CONTRACTED_DISPOSAL)

# Which movements a series has. 期初贮存 and 盘点差异 put nothing into store and take nothing out: no record.
KINDS: dict[Series, tuple[Kind, ...]] = {
    Series.GENERATED: (Kind.GENERATION,),
    Series.STORED: (
        Kind.GENERATION, Kind.RECEIPT, Kind.RELOCATION, Kind.RETURN, Kind.TRANSFORMATION_OUTPUT,
    ),
    Series.TAKEN_OUT: (
        Kind.OWN_UTILISATION, Kind.OWN_DISPOSAL, *_CONTRACTED, Kind.RELOCATION, Kind.DISPATCH,
        Kind.TRANSFORMATION_INPUT,
    ),
    Series.OWN_UTILISED: (Kind.OWN_UTILISATION,),
    Series.OWN_DISPOSED: (Kind.OWN_DISPOSAL,),
    Series.CONTRACTED_UTILISED: (Kind.CONTRACTED_UTILISATION,),
    Series.CONTRACTED_DISPOSED: (Kind.CONTRACTED_DISPOSAL,),
    Series.LEFT: (*_CONTRACTED, Kind.DISPATCH),
    Series.EXPORTED_UTILISED: (),
    Series.EXPORTED_DISPOSED: (),
}  # fmt: skip
# What ends on the road was taken out of store, and left the plant, when it was dispatched.
FROM_STORE_ONLY = frozenset({Series.TAKEN_OUT, Series.LEFT})

# HJ 1259-2022, 附录B.
HAZARDOUS_PREFIXES: dict[Series, str] = {
    Series.GENERATED: "HWCS",
    Series.STORED: "HWRK",
    Series.TAKEN_OUT: "HWCK",
    Series.OWN_UTILISED: "HWZXLY",
    Series.OWN_DISPOSED: "HWZXCZ",
    Series.CONTRACTED_UTILISED: "HWWWLY",
    Series.CONTRACTED_DISPOSED: "HWWWCZ",
    Series.EXPORTED_UTILISED: "HWCKLY",
    Series.EXPORTED_DISPOSED: "HWCKCZ",
}
# Our own: 公告2021年第82号 leaves the numbering to the enterprise.
GENERAL_PREFIXES: dict[Series, str] = {
    Series.GENERATED: "GFCS",
    Series.STORED: "GFRK",
    Series.TAKEN_OUT: "GFCK",
    Series.LEFT: "GFCC",
    Series.OWN_UTILISED: "GFZXLY",
    Series.OWN_DISPOSED: "GFZXCZ",
}
_OF_PREFIX = {
    prefix: (series, is_hazardous)
    for prefixes, is_hazardous in ((HAZARDOUS_PREFIXES, True), (GENERAL_PREFIXES, False))
    for series, prefix in prefixes.items()
}
# HWCK is the beginning of HWCKLY: the longest is tried first.
_PREFIXES = sorted(_OF_PREFIX, key=lambda prefix: (-len(prefix), prefix))


class NotARecordCode(ValueError):
    """The text is no code of a record of an official ledger."""


@dataclass(frozen=True, slots=True)
class RecordCode:
    series: Series
    is_hazardous: bool
    day: date
    serial: int

    def __str__(self) -> str:
        """
        Write the code as the norm does; from the thousandth of a day on the serial has four digits.

        >>> str(RecordCode(Series.GENERATED, True, date(2021, 10, 31), 1))
        'HWCS20211031001'
        >>> str(RecordCode(Series.TAKEN_OUT, True, date(2021, 10, 31), 1000))
        'HWCK202110311000'
        """
        prefixes = HAZARDOUS_PREFIXES if self.is_hazardous else GENERAL_PREFIXES
        return f"{prefixes[self.series]}{self.day:%Y%m%d}{self.serial:03d}"


def read_record_code(text: str) -> RecordCode:
    """
    Read the code of a record.

    >>> read_record_code("HWCKLY20211031001").series
    <Series.EXPORTED_UTILISED: 'EXPORTED_UTILISED'>

    :raises NotARecordCode: if the prefix is unknown, the day is none, or the serial is not written as it should be
    """
    prefix = next((each for each in _PREFIXES if text.startswith(each)), None)
    digits = text.removeprefix(prefix) if prefix else ""
    if prefix is None or not digits.isdecimal() or not digits.isascii() or len(digits) < 11:
        raise NotARecordCode(text)
    try:
        day = datetime.strptime(digits[:8], "%Y%m%d").date()  # noqa: DTZ007 a day has no zone
    except ValueError as no_day:
        raise NotARecordCode(text) from no_day
    code = RecordCode(*_OF_PREFIX[prefix], day, int(digits[8:]))
    if code.serial == 0 or str(code) != text:  # 0001 is not how a first is written
        raise NotARecordCode(text)
    return code


class DayRow(NamedTuple):
    """A movement that is no reversal, as far as its number goes."""

    key: int
    moved_on: date
    kind: str
    source_kind: str


def series_of(kind: str, source_kind: str) -> list[Series]:
    """
    Return the series that a movement has a record in.

    >>> series_of("CONTRACTED_DISPOSAL", "TRANSIT")
    [<Series.CONTRACTED_DISPOSED: 'CONTRACTED_DISPOSED'>]
    """
    from_store = source_kind == PlaceKind.STORE
    return [
        series for series, kinds in KINDS.items()
        if kind in kinds and (from_store or series not in FROM_STORE_ONLY)
    ]  # fmt: skip


def serials(rows: Iterable[DayRow]) -> dict[tuple[Series, int], int]:
    """
    Number the movements of whole days, which come in the order of the chain: (series, movement) → serial.

    Those that were reversed are among them.
    """
    counted: Counter[tuple[Series, date]] = Counter()
    found: dict[tuple[Series, int], int] = {}
    for row in rows:
        for series in series_of(row.kind, row.source_kind):
            counted[series, row.moved_on] += 1
            found[series, row.key] = counted[series, row.moved_on]
    return found
