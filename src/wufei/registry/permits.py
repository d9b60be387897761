"""
Does a permit cover this waste on this day?

Pure. A permit names codes (900-249-08) or whole categories (HW08); its groups each have a capacity for a year.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Wastes that a permit names together, with what may be taken of them in a year."""

    key: int
    waste_codes: tuple[str, ...]
    modes: tuple[str, ...]  # R9, D10; empty: none is named
    capacity_g: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Permit:
    """What is known of a permit."""

    key: int
    number: str
    valid_from: date
    valid_through: date
    revoked_on: date | None
    is_verified: bool
    groups: tuple[Group, ...]

    def holds_on(self, day: date) -> bool:
        """Return whether the permit is in date; on the day of a revocation it no longer is."""
        in_date = self.valid_from <= day <= self.valid_through
        return in_date and (self.revoked_on is None or day < self.revoked_on)


def category_of(waste_code: str) -> str:
    """
    Return the category that a code ends in.

    >>> category_of("900-249-08"), category_of("HW08"), category_of("900-002-S17")
    ('HW08', 'HW08', 'SW17')
    """
    last = waste_code.upper().rsplit("-", 1)[-1]
    if last.startswith(("HW", "SW")):
        return last
    return f"SW{last[1:]}" if last.startswith("S") else f"HW{last}"


def covers(waste_codes: Iterable[str], waste_code: str) -> bool:
    """Return whether a list of codes and categories has the code."""
    wanted = waste_code.upper()
    listed = {each.upper() for each in waste_codes}
    return wanted in listed or category_of(wanted) in listed


@dataclass(frozen=True, slots=True)
class Cover:
    """The permit and group that cover a waste; None where none does, and why."""

    permit: Permit | None
    group: Group | None
    lacks: str = ""  # missing, not_in_date, code


def cover(permits: Sequence[Permit], *, waste_code: str, on: date) -> Cover:
    """Return which permit and group take the waste on the day; of several, the one that lasts longest."""
    if not permits:
        return Cover(None, None, "missing")
    in_date = [each for each in permits if each.holds_on(on)]
    if not in_date:
        return Cover(None, None, "not_in_date")
    for permit in sorted(in_date, key=lambda p: p.valid_through, reverse=True):
        for group in permit.groups:
            if covers(group.waste_codes, waste_code):
                return Cover(permit, group)
    return Cover(None, None, "code")
