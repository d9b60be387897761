"""What adds up over a cut of the ledger: masses, counts and shares, by stream and month."""

from collections import defaultdict
from collections.abc import Iterable
from copy import copy
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from wufei.indicators.attribution import Attribution, Share
from wufei.indicators.facts import (
    CONTRACTED,
    DISPOSAL,
    INTO_STORE,
    OUT_OF_STORE,
    OUTFLOWS,
    UTILISATION,
    Facts,
)
from wufei.ledger.kinds import Kind
from wufei.terms.period import Period

OUTPUT, INPUT = (Kind.TRANSFORMATION_OUTPUT,), (Kind.TRANSFORMATION_INPUT,)


class Sums(dict[Any, int]):
    """Sums by key, 0 where there is none; reading changes nothing, and making one costs next to nothing."""

    def __missing__(self, _key: object) -> int:
        return 0


@dataclass(slots=True)
class Tally:
    """Sums of shares; two tallies of different rows add up to the tally of both."""

    mass: dict[Kind, int] = field(default_factory=Sums)  # grams as moved
    count: dict[Kind, int] = field(default_factory=Sums)
    own: dict[Kind, int] = field(default_factory=Sums)  # of it, the organisation's own waste
    earlier: dict[Kind, int] = field(default_factory=Sums)  # of that, stock of earlier years
    ways: dict[str, int] = field(default_factory=Sums)  # own waste utilised, by method
    way_mass: dict[str, int] = field(default_factory=Sums)  # utilised by method, as moved
    way_count: dict[str, int] = field(default_factory=Sums)
    unnamed: dict[Kind, int] = field(default_factory=Sums)  # grams contracted to nobody named
    unnamed_count: dict[Kind, int] = field(default_factory=Sums)

    def add(self, share: Share) -> None:
        flow = share.flow
        self.mass[flow.kind] += flow.mass_g
        self.count[flow.kind] += flow.count
        self.own[flow.kind] += share.own_g
        self.earlier[flow.kind] += share.earlier_g
        if flow.kind in UTILISATION:
            self.ways[flow.method] += share.own_g
            self.way_mass[flow.method] += flow.mass_g
            self.way_count[flow.method] += flow.count
        if flow.kind in CONTRACTED and not flow.counterparty.strip() and flow.mass_g:
            self.unnamed[flow.kind] += flow.mass_g
            self.unnamed_count[flow.kind] += flow.count

    def absorb(self, other: "Tally") -> None:
        for name in self.__slots__:
            if counted := getattr(other, name):
                mine = getattr(self, name)
                for key, number in counted.items():
                    mine[key] += number

    def moved(self, kinds: Iterable[Kind]) -> int:
        return sum([self.mass[kind] for kind in kinds])

    def records(self, kinds: Iterable[Kind]) -> int:
        return sum([self.count[kind] for kind in kinds])

    def own_of(self, kinds: Iterable[Kind]) -> int:
        return sum([self.own[kind] for kind in kinds])

    def earlier_of(self, kinds: Iterable[Kind]) -> int:
        return sum([self.earlier[kind] for kind in kinds])

    def received_of(self, kinds: Iterable[Kind]) -> int:
        return sum([self.mass[kind] - self.own[kind] for kind in kinds])

    @property
    def stock_g(self) -> int:
        """What came into stores less what went out, over the rows of this tally."""
        return self.moved(INTO_STORE) - self.moved(OUT_OF_STORE)

    @property
    def storage_g(self) -> int:
        """本期产生的贮存量: how much of what was generated in these rows is still in store."""
        change = self.stock_g + self.earlier_of(OUTFLOWS) - self.mass[Kind.OPENING_STOCK]
        received = self.mass[Kind.RECEIPT] - self.received_of(UTILISATION) - self.received_of(DISPOSAL)
        received += self.received_of(OUTPUT) - self.received_of(INPUT)
        return change - received - self.mass[Kind.STOCKTAKE_GAIN] + self.mass[Kind.STOCKTAKE_LOSS]


def together(tallies: Iterable[Tally]) -> Tally:
    """Return one tally of all rows."""
    whole = Tally()
    for tally in tallies:
        whole.absorb(tally)
    return whole


class Tallies:
    """An organisation's tallies by stream and month, summed over what is asked."""

    def __init__(self, facts: Facts):
        self.streams = tuple(facts.streams)
        self.first_year = min((flow.on.year for flow in facts.flows), default=None)
        self._ledger = Attribution(facts.flows)
        self.shares = self._ledger.shares()
        self._months: dict[tuple[str, date], Tally] = defaultdict(Tally)
        self._years: dict[tuple[str, int], Tally] = defaultdict(Tally)
        self._recorded: set[int] = set()
        self._opened: set[int] = set()
        self._add(self.shares)

    def _add(self, shares: Iterable[Share]) -> None:
        added: dict[tuple[str, date], Tally] = defaultdict(Tally)
        for share in shares:
            flow = share.flow
            added[flow.stream, flow.on.replace(day=1)].add(share)
            known = self._opened if flow.kind is Kind.OPENING_STOCK else self._recorded
            known.add(flow.on.year)
        for (stream, month), tally in added.items():
            self._months[stream, month].absorb(tally)
            self._years[stream, month.year].absorb(tally)

    def of_year_through(self, last_day: date) -> "Tallies":
        """Return the tallies of the year alone, as the ledger stood at the end of the day."""
        then = copy(self)
        then._months, then._years = defaultdict(Tally), defaultdict(Tally)
        then._recorded, then._opened = set(), set()
        then.shares = self._ledger.shares_of(last_day.year, through=last_day)
        then._add(then.shares)
        return then

    def is_recorded(self, year: int) -> bool:
        """Return whether anything but 期初贮存 stands in the ledger of the year."""
        return year in self._recorded

    def has_stock_recorded(self, year: int) -> bool:
        return year in self._recorded or year in self._opened

    def over(self, period: Period, streams: Iterable[str] | None = None) -> Tally:
        """Return the tally of a year, or of whole months of one year."""
        year = period.first_day.year
        assert period.last_day.year == year, "a tally is of one year"
        codes = self.streams if streams is None else tuple(streams)
        if period.is_year:
            return together(self._years[code, year] for code in codes if (code, year) in self._years)
        months = [date(year, month, 1) for month in range(period.first_day.month, period.last_day.month + 1)]
        keys = [(code, month) for code in codes for month in months]
        return together(self._months[key] for key in keys if key in self._months)

    def until(self, last_day: date, streams: Iterable[str] | None = None) -> Tally:
        """Return the tally of everything through the day, which ends a month."""
        codes = self.streams if streams is None else tuple(streams)
        year = last_day.year
        before = [(code, y) for code in codes for y in range(self.first_year or year, year)]
        this_year = Period(date(year, 1, 1), last_day)
        whole = together(self._years[key] for key in before if key in self._years)
        whole.absorb(self.over(this_year, codes))
        return whole
