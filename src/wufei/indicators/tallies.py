"""What adds up over a cut of the ledger: masses, counts and shares, by stream and month."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from wufei.indicators.attribution import Share, attribute
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


@dataclass(slots=True)
class Tally:
    """Sums of shares; two tallies of different rows add up to the tally of both."""

    mass: Counter[Kind] = field(default_factory=Counter)  # grams as moved
    count: Counter[Kind] = field(default_factory=Counter)
    own: Counter[Kind] = field(default_factory=Counter)  # of it, the organisation's own waste
    earlier: Counter[Kind] = field(default_factory=Counter)  # of that, stock of earlier years
    ways: Counter[str] = field(default_factory=Counter)  # own waste utilised, by method
    way_mass: Counter[str] = field(default_factory=Counter)  # utilised by method, as moved
    way_count: Counter[str] = field(default_factory=Counter)
    unnamed: Counter[Kind] = field(default_factory=Counter)  # grams contracted to nobody named
    unnamed_count: Counter[Kind] = field(default_factory=Counter)

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
            getattr(self, name).update(getattr(other, name))

    def moved(self, kinds: Iterable[Kind]) -> int:
        return sum(self.mass[kind] for kind in kinds)

    def records(self, kinds: Iterable[Kind]) -> int:
        return sum(self.count[kind] for kind in kinds)

    def own_of(self, kinds: Iterable[Kind]) -> int:
        return sum(self.own[kind] for kind in kinds)

    def earlier_of(self, kinds: Iterable[Kind]) -> int:
        return sum(self.earlier[kind] for kind in kinds)

    def received_of(self, kinds: Iterable[Kind]) -> int:
        return sum(self.mass[kind] - self.own[kind] for kind in kinds)

    @property
    def stock_g(self) -> int:
        """What came into stores less what went out, over the rows of this tally."""
        return self.moved(INTO_STORE) - self.moved(OUT_OF_STORE)

    @property
    def storage_g(self) -> int:
        """本期产生的贮存量: how much of what was generated in these rows is still in store."""
        change = self.stock_g + self.earlier_of(OUTFLOWS) - self.mass[Kind.OPENING_STOCK]
        received = self.mass[Kind.RECEIPT] - self.received_of(UTILISATION) - self.received_of(DISPOSAL)
        return change - received - self.mass[Kind.STOCKTAKE_GAIN] + self.mass[Kind.STOCKTAKE_LOSS]


def together(tallies: Iterable[Tally]) -> Tally:
    """Return one tally of all rows."""
    whole = Tally()
    for tally in tallies:
        whole.absorb(tally)
    return whole


class Tallies:
    """An organisation's tallies by stream and month, summed over what is asked."""

    def __init__(self, facts: Facts, *, through: date | None = None):
        """`through`: as the ledger stood when it ended on that day; None: all of it."""
        flows = [flow for flow in facts.flows if through is None or flow.on <= through]
        self.streams = tuple(facts.streams)
        self.shares = attribute(flows)
        self._months: dict[tuple[str, date], Tally] = defaultdict(Tally)
        self._years: dict[tuple[str, int], Tally] = defaultdict(Tally)
        self._recorded: set[int] = set()
        self._opened: set[int] = set()
        self.first_year = min((flow.on.year for flow in flows), default=None)
        for share in self.shares:
            on = share.flow.on
            self._months[share.flow.stream, on.replace(day=1)].add(share)
            known = self._opened if share.flow.kind is Kind.OPENING_STOCK else self._recorded
            known.add(on.year)
        for (stream, month), tally in self._months.items():
            self._years[stream, month.year].absorb(tally)

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
