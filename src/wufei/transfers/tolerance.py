"""
Is what arrived what was sent?

The measures ask that a mismatch of name, quantity, properties, form or packaging be told to the generator and
reported (第十八条); they name no tolerance of weight. The one here is our reading, as data with its day.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerance:
    """From the day on: a difference is a discrepancy where it is more than both."""

    in_force_from: date
    share: Decimal  # of what was declared
    mass_g: int
    clause: str
    is_our_reading: bool
    says: str


TOLERANCES: Sequence[Tolerance] = (
    Tolerance(
        in_force_from=date(2022, 1, 1),
        share=Decimal("0.03"),
        mass_g=20_000,
        clause="危险废物转移管理办法 第十八条",
        is_our_reading=True,
        says="办法没有规定重量允差。本系统的理解：接收量与移出量相差超过 3% 且超过 20 千克的，作为重大差异处理；件数有任何不符即为差异。",
    ),
)
# A weight so many times the other is a slip of the unit or of a digit, until somebody has weighed again.
IMPLAUSIBLE_TIMES = 10


def tolerance_on(day: date) -> Tolerance:
    """Return the tolerance in force on the day; before the first, the first."""
    known = [each for each in TOLERANCES if each.in_force_from <= day]
    return known[-1] if known else TOLERANCES[0]


def is_beyond(*, declared_g: int, received_g: int, tolerance: Tolerance) -> bool:
    """Return whether the weights differ by more than both parts of the tolerance."""
    difference = abs(received_g - declared_g)
    return difference > tolerance.mass_g and difference > tolerance.share * declared_g


def is_implausible(*, declared_g: int, received_g: int) -> bool:
    """Return whether one weight is ten times the other or more; nothing received is no slip but a refusal."""
    if received_g <= 0:
        return False
    return max(declared_g, received_g) >= IMPLAUSIBLE_TIMES * min(declared_g, received_g)
