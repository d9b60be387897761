"""
What has a store to be like, and when must it be looked at again?

Pure. The requirements are data (`data/gb_*.yaml`), each with its clause and how sure we are of it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import cache
from pathlib import Path

import yaml


class Facility(StrEnum):
    """What kind of store it is; it decides which requirements apply."""

    HAZARDOUS_STORE = "HAZARDOUS_STORE"
    HAZARDOUS_POINT = "HAZARDOUS_POINT"
    GENERAL_STORE = "GENERAL_STORE"
    GENERAL_SITE_1 = "GENERAL_SITE_1"
    GENERAL_SITE_2 = "GENERAL_SITE_2"


class Confidence(StrEnum):
    VERIFIED = "VERIFIED"
    SECONDARY = "SECONDARY"
    UNVERIFIED = "UNVERIFIED"


class ItemResult(StrEnum):
    MET = "MET"
    NOT_MET = "NOT_MET"
    NOT_APPLICABLE = "NOT_APPLICABLE"
    NOT_LOOKED_AT = "NOT_LOOKED_AT"


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    id: str
    says: str
    standard: str
    clause: str  # "" where we don't know it
    confidence: Confidence
    applies_to: frozenset[Facility]


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """How many days may pass from one inspection to the next."""

    days: int
    says: str
    standard: str
    clause: str
    confidence: Confidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Checklist:
    """What is looked at in a store of a kind."""

    facility: Facility
    standard: str
    title: str
    requirements: tuple[Requirement, ...]
    interval: Interval


@cache
def known_checklists() -> dict[Facility, Checklist]:
    """Return the checklist of each kind of store."""
    found: dict[Facility, Checklist] = {}
    for path in sorted((Path(__file__).parent / "data").glob("gb_*.yaml")):
        said = yaml.safe_load(path.read_text(encoding="utf-8"))
        standard = said["standard"]
        requirements = [
            Requirement(
                standard=standard, confidence=Confidence(row.pop("confidence")),
                applies_to=frozenset(Facility(each) for each in row.pop("applies_to")), **row,
            )
            for row in said["requirements"]
        ]  # fmt: skip
        interval = Interval(
            standard=standard, confidence=Confidence(said["interval"].pop("confidence")), **said["interval"]
        )
        for name in said["applies_to"]:
            facility = Facility(name)
            found[facility] = Checklist(
                facility=facility, standard=standard, title=said["title"], interval=interval,
                requirements=tuple(each for each in requirements if facility in each.applies_to),
            )  # fmt: skip
    return found


def next_due(*, last: date, facility: Facility) -> date:
    """Return the last day on which the store may be inspected again in time."""
    return last + timedelta(days=known_checklists()[facility].interval.days)


def likely_facility(waste_classes: Iterable[str]) -> Facility:
    """
    Return what kind of store it most likely is, by the classes of what stands in it.

    >>> likely_facility(["GENERAL", "HAZARDOUS"]), likely_facility([])
    (<Facility.HAZARDOUS_STORE: 'HAZARDOUS_STORE'>, <Facility.GENERAL_STORE: 'GENERAL_STORE'>)
    """
    return Facility.HAZARDOUS_STORE if "HAZARDOUS" in set(waste_classes) else Facility.GENERAL_STORE
