"""A span of days, both ends included: a year, a month, or any other."""

import calendar
from dataclasses import dataclass
from datetime import date
from typing import Self


@dataclass(frozen=True, slots=True, order=True)
class Period:
    first_day: date
    last_day: date

    def __post_init__(self) -> None:
        if self.first_day > self.last_day:
            raise ValueError(f"A period ends after it begins: {self.first_day} to {self.last_day}.")

    @classmethod
    def year(cls, year: int) -> Self:
        """
        Return the calendar year.

        >>> str(Period.year(2025))
        '2025'
        """
        return cls(date(year, 1, 1), date(year, 12, 31))

    @classmethod
    def month(cls, year: int, month: int) -> Self:
        """
        Return the calendar month.

        >>> str(Period.month(2024, 2)), Period.month(2024, 2).last_day.day
        ('2024-02', 29)
        """
        return cls(date(year, month, 1), date(year, month, calendar.monthrange(year, month)[1]))

    def __contains__(self, day: date) -> bool:
        return self.first_day <= day <= self.last_day

    @property
    def is_year(self) -> bool:
        return self == Period.year(self.first_day.year)

    @property
    def is_month(self) -> bool:
        return self == Period.month(self.first_day.year, self.first_day.month)

    def __str__(self) -> str:
        if self.is_year:
            return f"{self.first_day.year}"
        if self.is_month:
            return f"{self.first_day:%Y-%m}"
        return f"{self.first_day}/{self.last_day}"
