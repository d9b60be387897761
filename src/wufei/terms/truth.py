"""Three-valued verdicts (Kleene): what is not known is neither met nor not met."""

from collections.abc import Iterable
from enum import StrEnum


class Truth(StrEnum):
    MET = "met"  # 满足
    NOT_MET = "not_met"  # 不满足
    UNKNOWN = "unknown"  # 未知


def all_of(truths: Iterable[Truth]) -> Truth:
    """
    Return NOT_MET if any leg is not met, else UNKNOWN if any is unknown, else MET.

    >>> all_of([Truth.MET, Truth.UNKNOWN]).value
    'unknown'
    """
    found = set(truths)
    if Truth.NOT_MET in found:
        return Truth.NOT_MET
    return Truth.UNKNOWN if Truth.UNKNOWN in found else Truth.MET


def any_of(truths: Iterable[Truth]) -> Truth:
    """
    Return MET if any leg is met, else UNKNOWN if any is unknown, else NOT_MET.

    >>> any_of([Truth.NOT_MET, Truth.UNKNOWN]).value
    'unknown'
    """
    found = set(truths)
    if Truth.MET in found:
        return Truth.MET
    return Truth.UNKNOWN if Truth.UNKNOWN in found else Truth.NOT_MET


def negation(truth: Truth) -> Truth:
    """Return MET for NOT_MET and the other way round; UNKNOWN stays."""
    match truth:
        case Truth.MET:
            return Truth.NOT_MET
        case Truth.NOT_MET:
            return Truth.MET
        case _:
            return Truth.UNKNOWN
