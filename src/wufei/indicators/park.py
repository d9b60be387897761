"""
All figures of a park, over the members of each day.

Used inside the park is what a member used of its own waste, and what a member gave to
another member for use: neither sent out nor taken from outside. Waste that a member took
in is counted at its sender, once.
"""

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from wufei.indicators import change, intensity, ledger_quality, mass, rates, stated
from wufei.indicators.attribution import Share
from wufei.indicators.definitions import INDICATORS, PARK_COUNTERPARTS, park_id
from wufei.indicators.facts import UTILISATION, Facts
from wufei.indicators.figure import Basis, Figure, Missing, MovementsBehind
from wufei.indicators.mass import Scope, behind, mass_figure, tonnes
from wufei.indicators.tallies import Tallies, Tally, together
from wufei.ledger.kinds import Kind
from wufei.terms.period import Period

MEMBERS = "园区成员"


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    member: str  # 统一社会信用代码
    first_day: date
    last_day: date | None = None  # None: still a member

    def within(self, period: Period) -> Period | None:
        """Return the days of the period on which it was a member, if any."""
        first = max(self.first_day, period.first_day)
        last = min(self.last_day or period.last_day, period.last_day)
        return Period(first, last) if first <= last else None

    def holds_on(self, day: date) -> bool:
        return self.first_day <= day and (self.last_day is None or day <= self.last_day)


@dataclass(slots=True)
class Stay:
    """What a member's waste did during one stretch of membership within a period."""

    facts: Facts
    period: Period
    tally: Tally = field(default_factory=Tally)
    inside_g: int = 0  # own waste utilised inside the park
    inside_earlier_g: int = 0
    # what was given to members: by the name as written and the days on which both were members
    given: dict[tuple[str, Period], tuple[int, int, int]] = field(default_factory=dict)
    by_waste: dict[str, "Stay"] = field(default_factory=dict)  # the same, by 废物名称


def without_overlap(memberships: Iterable[Membership]) -> list[Membership]:
    """Return the memberships with those of one member that overlap joined, so that no day counts twice."""
    found: list[Membership] = []
    for each in sorted(memberships, key=lambda m: (m.member, m.first_day)):
        last = found[-1] if found else None
        if last is None or last.member != each.member or not last.holds_on(each.first_day):
            found.append(each)
        elif last.last_day is not None:
            ends = None if each.last_day is None else max(last.last_day, each.last_day)
            found[-1] = replace(last, last_day=ends)
    return found


def plain_name(text: str) -> str:
    """
    Return a name or code as it is compared: without spaces, full-width forms folded.

    >>> plain_name("綦江石膏板（重庆）有限公司 ") == plain_name("綦江石膏板(重庆)有限公司")
    True
    """
    return "".join(unicodedata.normalize("NFKC", text).split()).upper()


class Park:
    """A park's figures; each period's are computed once."""

    def __init__(self, facts: Facts, members: Mapping[str, Facts], memberships: Sequence[Membership]):
        self.facts = facts
        self.members = members
        self.memberships = without_overlap(memberships)
        self.tallies = {uscc: Tallies(member) for uscc, member in members.items()}
        self._shares: dict[str, dict[int, list[Share]]] = {}
        for uscc, tallies in self.tallies.items():
            self._shares[uscc] = defaultdict(list)
            for share in tallies.shares:
                self._shares[uscc][share.flow.on.year].append(share)
        self._named: dict[str, list[Membership]] = defaultdict(list)
        for membership in self.memberships:
            member = members[membership.member]
            for said in {plain_name(member.uscc), plain_name(member.name)} - {""}:
                self._named[said].append(membership)
        self._stays: dict[Period, list[Stay]] = {}
        self._years: dict[int, dict[str, Figure]] = {}
        self._masses: dict[Period, dict[str, Figure]] = {}
        self._further: dict[int, list[Figure]] = {}
        self._generators: dict[int, list[tuple[str, dict[str, Figure]]]] = {}

    def stays(self, period: Period) -> list[Stay]:
        """Return the stretches of membership within the period, with what moved in them."""
        if period not in self._stays:
            found = []
            for membership in self.memberships:
                if (days := membership.within(period)) is not None:
                    stay = Stay(self.members[membership.member], days)
                    for share in self._shares[membership.member][period.first_day.year]:
                        if share.flow.on in days:
                            self._count(stay, share)
                            name = stay.facts.streams[share.flow.stream].name
                            self._count(stay.by_waste.setdefault(name, Stay(stay.facts, days)), share)
                    found.append(stay)
            self._stays[period] = found
        return self._stays[period]

    def _count(self, stay: Stay, share: Share) -> None:
        stay.tally.add(share)
        flow = share.flow
        if flow.kind is Kind.OWN_UTILISATION:
            stay.inside_g += share.own_g
            stay.inside_earlier_g += share.earlier_g
        elif flow.kind is Kind.CONTRACTED_UTILISATION:
            for membership in self._named.get(plain_name(flow.counterparty), ()):
                if membership.holds_on(flow.on):
                    stay.inside_g += share.own_g
                    stay.inside_earlier_g += share.earlier_g
                    days = membership.within(stay.period)
                    assert days is not None, "the day lies in both"
                    key = (flow.counterparty, days)
                    moved, own, count = stay.given.get(key, (0, 0, 0))
                    stay.given[key] = (moved + flow.mass_g, own + share.own_g, count + flow.count)
                    break

    def missing(self, period: Period) -> tuple[Missing, ...]:
        """Return whose ledger of the year is missing; or the members, where there are none."""
        year, stays = period.first_day.year, self.stays(period)
        lacking = [
            mass.ledger_missing(year=year, subject=stay.facts.uscc, name=stay.facts.name)
            for stay in stays
            if stay.facts.keeps_ledger and not self.tallies[stay.facts.uscc].is_recorded(year)
        ]
        if not any(stay.facts.keeps_ledger for stay in stays):
            lacking.append(
                Missing(code="members", label=f"{period} 园区成员", where=MEMBERS, subject=self.facts.uscc)
            )
        return tuple(dict.fromkeys(lacking))

    def _scope(self, period: Period) -> Scope:
        missing = self.missing(period)
        return Scope(subject=self.facts.uscc, period=period, missing=missing, stock_missing=missing)

    def _scope_of(self, stay: Stay) -> Scope:
        tallies, year = self.tallies[stay.facts.uscc], stay.period.first_day.year
        known = tallies.is_recorded(year)
        lacking = (mass.ledger_missing(year=year, subject=stay.facts.uscc, name=stay.facts.name),)
        return Scope(
            subject=stay.facts.uscc,
            period=stay.period,
            missing=() if known else lacking,
            stock_missing=() if known else lacking,
            first_year=tallies.first_year,
        )

    def masses(self, period: Period) -> dict[str, Figure]:
        """Return the park's masses of a year or a month, by id."""
        if period not in self._masses:
            self._masses[period] = self._masses_anew(period)
        return self._masses[period]

    def _masses_anew(self, period: Period) -> dict[str, Figure]:
        scope, stays = self._scope(period), self.stays(period)
        scopes = [(self._scope_of(stay), stay) for stay in stays]
        generated = [mass.generation(of, stay.tally) for of, stay in scopes]
        used = [_inside(of, stay) for of, stay in scopes]
        used_old = [_inside_earlier(of, stay) for of, stay in scopes]
        disposed = [mass.disposal(of, stay.tally) for of, stay in scopes]
        disposed_old = [mass.earlier_years_disposal(of, stay.tally) for of, stay in scopes]
        sent_out = [_sent_out(of, stay) for of, stay in scopes]
        parts = {
            "park_generation_t": generated,
            "park_utilisation_t": used,
            "park_earlier_years_utilisation_t": used_old,
            "park_disposal_t": disposed,
            "park_earlier_years_disposal_t": disposed_old,
            "park_sent_out_utilisation_t": sent_out,
            "park_stock_t": self._stocks(period),
        }
        return {indicator: _sum(indicator, scope, figures) for indicator, figures in parts.items()}

    def _stocks(self, period: Period) -> list[Figure]:
        """Return what is in store at each who is a member on the period's last day."""
        found = []
        for membership in self.memberships:
            if membership.holds_on(period.last_day):
                stay = Stay(self.members[membership.member], period)
                until = self.tallies[membership.member].until(period.last_day)
                found.append(mass.stock(self._scope_of(stay), until))
        return found

    def of_year(self, year: int) -> dict[str, Figure]:
        if year not in self._years:
            period = Period.year(year)
            found = dict(self.masses(period))
            found |= _rates(found)
            for indicator in ("output_value_10k_yuan", "value_added_10k_yuan"):
                found[park_id(indicator)] = self._amount(indicator, year)
            per_value = intensity.generation_intensity(
                generated=found["park_generation_t"], value_added=found["park_value_added_10k_yuan"]
            )
            found[park_id(per_value.indicator)] = _as_park(per_value)
            self._years[year] = found
        return self._years[year]

    def _amount(self, indicator: str, year: int) -> Figure:
        """Return what the park stated, else the sum over its members of the whole year."""
        own = stated.stated_amount(
            indicator, subject=self.facts.uscc, year=year, operation=self.facts.operations.get(year)
        )
        if own.value is not None:
            return _as_park(own)
        whole_year = Period.year(year)
        figures: list[Figure] = []
        missing: list[Missing] = []
        days: dict[str, int] = defaultdict(int)
        for stay in self.stays(whole_year):
            if stay.facts.keeps_ledger:
                days[stay.facts.uscc] += (stay.period.last_day - stay.period.first_day).days + 1
        for uscc, length in days.items():
            member = self.members[uscc]
            figure = stated.stated_amount(
                indicator, subject=uscc, year=year, operation=member.operations.get(year), name=member.name
            )
            if length < (whole_year.last_day - whole_year.first_day).days + 1:
                label = f"{year} 年{own.name}（万元）：{member.name}只有部分时间在园，不能分摊，请由园区填报"
                code = figure.missing[0].code if figure.missing else "part_of_year"
                figure = replace(
                    figure,
                    value=None,
                    missing=(
                        Missing(code=code, label=label, where=stated.OPERATIONS, subject=self.facts.uscc),
                    ),
                )
            figures.append(figure)
            missing += figure.missing
        if not figures:
            missing += own.missing
        known = [figure.value for figure in figures if figure.value is not None]
        total = None if missing else sum(known, Decimal(0))
        return _as_park(replace(own, value=total, basis=tuple(figures), missing=tuple(missing)))

    def changes(self, year: int, *, span: int = change.SPAN) -> list[Figure]:
        new, old = self.of_year(year), self.of_year(year - span)
        rate, per_value = "park_utilisation_rate_pct", "park_generation_intensity_t_per_10k_yuan"
        return [
            change.gain_pp("park_utilisation_rate_gain_pp", new=new[rate], old=old[rate]),
            change.reduction_pct(
                "park_generation_intensity_reduction_pct", new=new[per_value], old=old[per_value]
            ),
        ]

    def quality(self, period: Period) -> list[Figure]:
        scope = self._scope(period)
        scopes = [(self._scope_of(stay), stay) for stay in self.stays(period)]
        counts = [ledger_quality.movements_count(of, stay.tally) for of, stay in scopes]
        whole = together(stay.tally for _, stay in scopes)
        named = ledger_quality.destination_named(scope, whole)
        of_members = tuple(ledger_quality.destination_named(of, stay.tally) for of, stay in scopes)
        lacking = rates.together_missing(*of_members)
        named = replace(
            named, value=None if scope.missing or lacking else named.value, basis=of_members,
            missing=scope.missing or lacking,
        )  # fmt: skip
        total = None if scope.missing else sum((f.value for f in counts if f.value is not None), Decimal(0))
        count = replace(ledger_quality.movements_count(scope, whole), value=total, basis=tuple(counts))
        return [_as_park(count), _as_park(named)]

    def year_figures(self, year: int, *, span: int = change.SPAN) -> Iterator[Figure]:
        """Yield the park's figures, those of all indicators first."""
        yield from self.of_year(year).values()
        yield from self.changes(year, span=span)
        if year not in self._further:
            period = Period.year(year)
            self._further[year] = [*self.quality(period), *self.by_waste(period)]
        yield from self._further[year]

    def month_figures(self, period: Period) -> Iterator[Figure]:
        """Yield the masses of a month."""
        yield from self.masses(period).values()

    def by_waste(self, period: Period) -> list[Figure]:
        """Return generation and utilisation inside the park by 废物名称, the largest first."""
        scope = self._scope(period)
        if scope.missing:
            return []
        stays = self.stays(period)
        found: list[Figure] = []
        for name in sorted({name for stay in stays for name in stay.by_waste}):
            named = replace(scope, dimension=name)
            scopes = [
                (replace(self._scope_of(stay), stream_name=name), stay.by_waste[name])
                for stay in stays
                if name in stay.by_waste
            ]
            made = [mass.generation(of, part.tally) for of, part in scopes]
            used = [_inside(of, part) for of, part in scopes]
            found.append(_sum("park_generation_by_waste_t", named, made))
            found.append(_sum("park_utilisation_by_waste_t", named, used))
        return sorted(found, key=lambda f: (f.indicator, -(f.value or 0), f.dimension))

    def generators(self, year: int) -> list[tuple[str, dict[str, Figure]]]:
        """Return the figures of each member that has a ledger of the year, who generated most first."""
        if year not in self._generators:
            known = {
                stay.facts.uscc: self.member_year(stay.facts.uscc, year)
                for stay in self.stays(Period.year(year))
                if self.tallies[stay.facts.uscc].is_recorded(year)
            }
            self._generators[year] = sorted(
                known.items(), key=lambda item: (-(item[1]["generation_t"].value or 0), item[0])
            )
        return self._generators[year]

    def member_year(self, uscc: str, year: int) -> dict[str, Figure]:
        """Return a member's generation, utilisation (anywhere) and rate over its days in the park."""
        stays = [stay for stay in self.stays(Period.year(year)) if stay.facts.uscc == uscc]
        scope = replace(self._scope_of(stays[0]), period=Period.year(year))
        tally = together(stay.tally for stay in stays)
        if len(stays) == 1:
            scope = replace(scope, period=stays[0].period)
        made, used = mass.generation(scope, tally), mass.utilisation(scope, tally)
        old = mass.earlier_years_utilisation(scope, tally)
        rate = rates.utilisation_rate(utilised=used, generated=made, earlier=old)
        return {figure.indicator: figure for figure in (made, used, old, rate)}


def _inside(scope: Scope, stay: Stay) -> Figure:
    """Return what a member's waste was used inside the park, with the movements behind."""
    basis: list[Basis] = [mass.own_utilisation(scope, stay.tally)]
    by_days: dict[Period, list[str]] = defaultdict(list)
    for name, days in stay.given:
        by_days[days].append(name)
    for days, names in by_days.items():
        moved, own, count = (sum(n) for n in zip(*(stay.given[name, days] for name in names), strict=True))
        given = MovementsBehind(
            organisation=scope.subject,
            kinds=(Kind.CONTRACTED_UTILISATION.value,),
            period=days,
            stream_name=scope.stream_name,
            counterparties=tuple(sorted(names)),
            mass_g=moved,
            count=count,
        )
        basis.append(given)
        if moved != own:
            deduction = mass_figure("received_utilisation_t", scope, own - moved, [given])
            basis.append(replace(deduction, name=f"减：{deduction.name}"))
    figure = mass_figure("park_utilisation_t", scope, stay.inside_g, basis)
    return replace(figure, formula="自行利用量＋委托园区成员利用量")


def _inside_earlier(scope: Scope, stay: Stay) -> Figure:
    basis = mass.earlier_years_utilisation(scope, stay.tally)
    return mass_figure("park_earlier_years_utilisation_t", scope, stay.inside_earlier_g, [basis])


def _sent_out(scope: Scope, stay: Stay) -> Figure:
    grams = stay.tally.own_of(UTILISATION) - stay.inside_g
    whole = behind(scope, stay.tally, *UTILISATION)
    return mass_figure("park_sent_out_utilisation_t", scope, grams, [whole])


def _sum(indicator: str, scope: Scope, figures: Iterable[Figure]) -> Figure:
    parts = tuple(figures)
    whole = mass_figure(indicator, scope, 0, parts)
    known = [part.value for part in parts if part.value is not None]
    return whole if whole.value is None else replace(whole, value=sum(known, tonnes(0)))


def _rates(found: dict[str, Figure]) -> dict[str, Figure]:
    generated = found["park_generation_t"]
    used = rates.utilisation_rate(
        utilised=found["park_utilisation_t"],
        generated=generated,
        earlier=found["park_earlier_years_utilisation_t"],
    )
    disposed = rates.disposal_rate(
        disposed=found["park_disposal_t"],
        generated=generated,
        earlier=found["park_earlier_years_disposal_t"],
    )
    return {park_id(figure.indicator): _as_park(figure) for figure in (used, disposed)}


def _as_park(figure: Figure) -> Figure:
    definition = INDICATORS[park_id(figure.indicator)]
    return replace(
        figure,
        indicator=definition.id,
        name=definition.name,
        formula=definition.formula,
        source=str(definition.source),
    )


def as_plain(figure: Figure) -> Figure | None:
    """Return a park's figure under the id that an enterprise's has, where there is one."""
    plain = figure.indicator.removeprefix("park_")
    return replace(figure, indicator=plain) if plain in PARK_COUNTERPARTS else None


def per_product_of_park(park: Facts, year: int) -> Figure:
    """Return 单位产品产生量 of a park, which has no product: unknown, and says so."""
    definition = INDICATORS["generation_per_product"]
    missing = Missing(
        code="not_applicable", label="园区没有主产品，单位产品产生量不适用", where="", subject=park.uscc
    )
    return Figure(
        indicator=definition.id,
        name=definition.name,
        value=None,
        unit=definition.unit,
        period=Period.year(year),
        subject=park.uscc,
        formula=definition.formula,
        source=str(definition.source),
        missing=(missing,),
    )
