"""
Which counts hold, which lots must be counted once more, and where do the counts differ from the books?

Pure. All masses are as of the sheet's moment: what moved between then and the count is taken off the count, so that
two people who count at different times can be compared with each other and with the books.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple


class Count(NamedTuple):
    """What somebody found of a lot, in grams as of the sheet's moment."""

    grams: int
    is_recount: bool = False


class Progress(StrEnum):
    NOT_COUNTED = "NOT_COUNTED"
    COUNTED = "COUNTED"
    RECOUNT_ASKED = "RECOUNT_ASKED"  # two people found different masses
    RECOUNTED = "RECOUNTED"


class Difference(NamedTuple):
    """A lot of which there is more or less than the books say."""

    lot_code: str
    book_g: int
    counted_g: int


def progress_of(counts: Sequence[Count]) -> Progress:
    """
    >>> progress_of([Count(5), Count(5)]), progress_of([Count(5), Count(6)])
    (<Progress.COUNTED: 'COUNTED'>, <Progress.RECOUNT_ASKED: 'RECOUNT_ASKED'>)
    """
    if not counts:
        return Progress.NOT_COUNTED
    if any(count.is_recount for count in counts):
        return Progress.RECOUNTED
    return Progress.RECOUNT_ASKED if len({count.grams for count in counts}) > 1 else Progress.COUNTED


def holding(counts: Sequence[Count]) -> int:
    """Return the place of the count that holds: the third where there is one, else the first of those that agree."""
    return next((at for at, count in enumerate(counts) if count.is_recount), 0)


def unfinished(books: Iterable[str], counts: Mapping[str, Sequence[Count]]) -> dict[Progress, list[str]]:
    """Return the lots that keep the sheet from being closed, by what is missing."""
    open_: dict[Progress, list[str]] = {Progress.NOT_COUNTED: [], Progress.RECOUNT_ASKED: []}
    for code in sorted({*books, *counts}):
        progress = progress_of(counts.get(code, ()))
        if progress in open_:
            open_[progress].append(code)
    return open_


def differences(*, books: Mapping[str, int], counts: Mapping[str, Sequence[Count]]) -> list[Difference]:
    """Return every lot of which the holding count is not what the books held, by code."""
    found = []
    for code in sorted(counts):
        counted = counts[code][holding(counts[code])].grams
        if counted != books.get(code, 0):
            found.append(Difference(code, books.get(code, 0), counted))
    return found
