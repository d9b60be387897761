"""Mass in integer grams, the only unit that the ledger knows."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Self

GRAMS_PER_UNIT = {"克": 1, "千克": 1_000, "吨": 1_000_000, "万吨": 10_000_000_000}
GRAMS_PER_TONNE = GRAMS_PER_UNIT["吨"]


class InexactMass(ValueError):
    """The amount is finer than one gram."""


@dataclass(frozen=True, slots=True, order=True)
class Mass:
    grams: int

    @classmethod
    def of(cls, amount: Decimal | str, unit: str) -> Self:
        """
        Read an amount as people write it.

        >>> Mass.of("1.25", "吨")
        Mass(grams=1250000)

        :raises InexactMass: if the amount is finer than one gram
        :raises KeyError: if the unit is none of `GRAMS_PER_UNIT`
        """
        grams = Decimal(amount) * GRAMS_PER_UNIT[unit]
        if grams != grams.to_integral_value():
            raise InexactMass(f"{amount} {unit} is finer than one gram.")
        return cls(int(grams))

    @property
    def tonnes(self) -> Decimal:
        """Return the mass in tonnes, exactly."""
        return Decimal(self.grams) / GRAMS_PER_TONNE

    def __add__(self, other: Self) -> Self:
        return type(self)(self.grams + other.grams)

    def __sub__(self, other: Self) -> Self:
        return type(self)(self.grams - other.grams)
