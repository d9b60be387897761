"""Is one number of a published balance off by a unit (吨 for 万吨, 千克 for 吨)?"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

_POWERS = (-4, -3, -1, 1, 3, 4)


@dataclass(frozen=True, slots=True)
class UnitSlip:
    item: str
    stated: Decimal
    meant: Decimal  # what would close the balance
    gap: Decimal  # what is left open then


def unit_slips(
    *, total: Decimal, parts: Mapping[str, Decimal], tolerance: Decimal = Decimal("0.0001")
) -> tuple[UnitSlip, ...]:
    """
    Return which single part, taken in another unit, would make the parts sum to the total.

    Nothing where the sum already closes within the tolerance, a share of the total. A
    part that is deducted stands with a minus. The best candidate comes first; it is a
    question to whoever published, never a correction.

    >>> unit_slips(total=Decimal(10), parts={"a": Decimal(6), "b": Decimal("0.0004")})[0].meant
    Decimal('4.0000')
    """
    allowed = abs(total) * tolerance
    gap = total - sum(parts.values())
    if abs(gap) <= allowed:
        return ()
    found = []
    for item, stated in parts.items():
        for power in _POWERS:
            meant = stated * Decimal(10) ** power
            left = gap + stated - meant
            if stated and abs(left) <= allowed:
                found.append(UnitSlip(item, stated, meant, left))
    return tuple(sorted(found, key=lambda slip: abs(slip.gap)))
