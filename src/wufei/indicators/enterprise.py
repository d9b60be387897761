"""All figures of one organisation, from its facts."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import date

from wufei.indicators import change, intensity, ledger_quality, mass, rates, stated
from wufei.indicators.definitions import BY_CLASS, CLASS_PREFIXES, INDICATORS
from wufei.indicators.facts import Facts
from wufei.indicators.figure import Figure
from wufei.indicators.mass import Scope
from wufei.indicators.tallies import Tallies, Tally
from wufei.terms.period import Period


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """Which waste of the organisation: all, a stream, a category, or a class."""

    stream: str | None = None
    waste_category: str | None = None
    waste_class: str | None = None

    def streams(self, facts: Facts) -> list[str] | None:
        if self == Cut():
            return None
        return [
            code
            for code, stream in facts.streams.items()
            if self.stream in (None, code)
            and self.waste_category in (None, stream.waste_category)
            and self.waste_class in (None, stream.waste_class)
        ]


ALL = Cut()


class Enterprise:
    """An organisation's figures; each year's are computed once."""

    def __init__(self, facts: Facts, *, tallies: Tallies | None = None):
        self.facts = facts
        self.tallies = tallies or Tallies(facts)
        self._years: dict[tuple[int, Cut], dict[str, Figure]] = {}
        self._masses: dict[tuple[Period, Cut], dict[str, Figure]] = {}
        self._through: dict[date, Tallies] = {}
        self._so_far: dict[tuple[Period, Cut], dict[str, Figure]] = {}

    def cuts(self, *, by_category: bool = False, only: Collection[str] | None = None) -> list[Cut]:
        """Return all waste, then each stream (of those asked for), then each waste category if asked."""
        categories = sorted({stream.waste_category for stream in self.facts.streams.values()})
        cuts = [ALL, *(Cut(stream=code) for code in self.facts.streams if only is None or code in only)]
        return cuts + [Cut(waste_category=category) for category in categories] if by_category else cuts

    def scope(self, period: Period, cut: Cut = ALL) -> Scope:
        year, facts = period.first_day.year, self.facts
        lacking = (mass.ledger_missing(year=year, subject=facts.uscc),)
        return Scope(
            subject=facts.uscc,
            period=period,
            stream=cut.stream,
            waste_category=cut.waste_category,
            waste_class=cut.waste_class,
            dimension=cut.waste_category,
            missing=() if self.tallies.is_recorded(year) else lacking,
            stock_missing=() if self.tallies.has_stock_recorded(year) else lacking,
            first_year=self.tallies.first_year,
        )

    def masses(self, period: Period, cut: Cut = ALL) -> dict[str, Figure]:
        """Return the masses of a year or of a month, by id."""
        if (period, cut) not in self._masses:
            self._masses[period, cut] = self._masses_anew(period, cut)
        return self._masses[period, cut]

    def _masses_anew(self, period: Period, cut: Cut) -> dict[str, Figure]:
        scope, streams = self.scope(period, cut), cut.streams(self.facts)
        tally = self.tallies.over(period, streams)
        found = {figure.indicator: figure for figure in (of(scope, tally) for of in mass.OF_TALLY)}
        stock = mass.stock(scope, self.tallies.until(period.last_day, streams))
        found[stock.indicator] = stock
        gap = mass.mass_balance_gap(found)
        found[gap.indicator] = gap
        return found

    def of_year(self, year: int, cut: Cut = ALL) -> dict[str, Figure]:
        """Return the masses, rates and intensities of a year, by id."""
        if (year, cut) not in self._years:
            found = dict(self.masses(Period.year(year), cut))
            found |= _rates(found)
            if cut == ALL:
                found |= self._stated(year)
                found |= _intensities(found)
            self._years[year, cut] = found
        return self._years[year, cut]

    def _stated(self, year: int) -> dict[str, Figure]:
        uscc, operation = self.facts.uscc, self.facts.operations.get(year)
        amounts = [
            stated.stated_amount(indicator, subject=uscc, year=year, operation=operation)
            for indicator in ("output_value_10k_yuan", "sales_10k_yuan", "value_added_10k_yuan")
        ]
        products = self.facts.products.get(year, ())
        output = stated.main_product_output(subject=uscc, year=year, products=products)
        return {figure.indicator: figure for figure in (*amounts, output)}

    def changes(self, year: int, *, span: int = change.SPAN) -> list[Figure]:
        """Return how the year compares with the year `span` years before it."""
        new, old = self.of_year(year), self.of_year(year - span)
        rate, per_value = "utilisation_rate_pct", "generation_intensity_t_per_10k_yuan"
        per_product = "generation_per_product"
        return [
            change.gain_pp("utilisation_rate_gain_pp", new=new[rate], old=old[rate]),
            change.reduction_pct(
                "generation_intensity_reduction_pct", new=new[per_value], old=old[per_value]
            ),
            change.product_reduction_pct(new=new[per_product], old=old[per_product]),
        ]

    def year_figures(
        self,
        year: int,
        *,
        by_category: bool = False,
        span: int = change.SPAN,
        only: Collection[str] | None = None,
    ) -> Iterator[Figure]:
        """Yield everything that is known of a year: in total first, then cut by cut."""
        yield from self.of_year(year).values()
        yield from self.changes(year, span=span)
        yield from self.quality(Period.year(year))
        yield from self.ways(Period.year(year))
        yield from self._classes(year)
        for cut in self.cuts(by_category=by_category, only=only)[1:]:
            yield from self.of_year(year, cut).values()

    def month_figures(self, period: Period, *, only: Collection[str] | None = None) -> Iterator[Figure]:
        """
        Yield the masses of a month, and the rates from January through that month.

        A rate of a month alone would compare what was used with what another month
        generated; so the rates accumulate (累计), and December's are the year's.
        """
        for cut in self.cuts(only=only):
            yield from self.masses(period, cut).values()
            yield from self._rates_so_far(period, cut).values()
        yield from self.ways(period)

    def _rates_so_far(self, month: Period, cut: Cut) -> dict[str, Figure]:
        """Return the rates from January through the month, as the ledger stood at its end."""
        if (month, cut) not in self._so_far:
            period = Period(month.first_day.replace(month=1, day=1), month.last_day)
            then = Enterprise(self.facts, tallies=self._tallies_through(month.last_day))
            tally = then.tallies.over(period, cut.streams(self.facts))
            self._so_far[month, cut] = _rates(_masses_of_rates(then.scope(period, cut), tally))
        return self._so_far[month, cut]

    def _tallies_through(self, last_day: date) -> Tallies:
        if last_day not in self._through:
            self._through[last_day] = self.tallies.of_year_through(last_day)
        return self._through[last_day]

    def ways(self, period: Period) -> list[Figure]:
        """Return the utilisation by method."""
        return mass.utilisation_by_way(self.scope(period), self.tallies.over(period))

    def quality(self, period: Period) -> list[Figure]:
        scope, tally = self.scope(period), self.tallies.over(period)
        return [ledger_quality.movements_count(scope, tally), ledger_quality.destination_named(scope, tally)]

    def _classes(self, year: int) -> Iterator[Figure]:
        """Yield the figures of general and of hazardous waste under ids of their own."""
        for waste_class, prefix in CLASS_PREFIXES.items():
            found = self.of_year(year, Cut(waste_class=waste_class))
            for indicator in BY_CLASS:
                definition = INDICATORS[prefix + indicator]
                yield replace(found[indicator], indicator=definition.id, name=definition.name)


def _masses_of_rates(scope: Scope, tally: Tally) -> dict[str, Figure]:
    asked = (
        mass.generation, mass.utilisation, mass.disposal, mass.earlier_years_utilisation,
        mass.earlier_years_disposal,
    )  # fmt: skip
    return {figure.indicator: figure for figure in (of(scope, tally) for of in asked)}


def _rates(masses: dict[str, Figure]) -> dict[str, Figure]:
    generated = masses["generation_t"]
    used = rates.utilisation_rate(
        utilised=masses["utilisation_t"],
        generated=generated,
        earlier=masses["earlier_years_utilisation_t"],
    )
    disposed = rates.disposal_rate(
        disposed=masses["disposal_t"], generated=generated, earlier=masses["earlier_years_disposal_t"]
    )
    return {used.indicator: used, disposed.indicator: disposed}


def _intensities(found: dict[str, Figure]) -> dict[str, Figure]:
    generated = found["generation_t"]
    per_value = intensity.generation_intensity(generated=generated, value_added=found["value_added_10k_yuan"])
    per_product = intensity.generation_per_product(generated=generated, output=found["main_product_output"])
    return {per_value.indicator: per_value, per_product.indicator: per_product}
