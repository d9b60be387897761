"""What reads figures. A handful of database queries, however many streams, years and members."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import reduce
from operator import or_
from typing import Any

from django.core.cache import cache
from django.db.models import BooleanField, Count, ExpressionWrapper, Q, QuerySet, Sum, TextField
from django.db.models.functions import Cast, Substr

from wufei.catalogue.industries import industry
from wufei.indicators import change, ledger_quality, sankey
from wufei.indicators.definitions import INDICATORS, PARK_COUNTERPARTS, park_id
from wufei.indicators.enterprise import Cut, Enterprise
from wufei.indicators.facts import COUNTED, Facts, Flow, Operation, Product, StreamFacts
from wufei.indicators.figure import Figure, Missing, MovementsBehind
from wufei.indicators.keeping import Kept
from wufei.indicators.mass import Scope
from wufei.indicators.models import AnnualOperation, AnnualProduct
from wufei.indicators.park import Membership, Park, as_plain, per_product_of_park
from wufei.indicators.stated import stated_amount
from wufei.ledger import queries as ledger_queries
from wufei.ledger.kinds import Kind
from wufei.ledger.models import Head, MonthlyFlow, Movement, Stream, VerifiedHead
from wufei.registry.models import Organisation, OrganisationKind, ParkMembership
from wufei.terms.period import Period

KEEPS_LEDGER = (OrganisationKind.ENTERPRISE, OrganisationKind.UTILISER)
CHAIN_INTACT = "ledger_chain_intact"


class UnknownIndicator(LookupError):
    """There is no such indicator, or not for this organisation, year or stream."""


def figures(
    *,
    organisation: Organisation,
    from_year: int,
    to_year: int,
    months: bool = False,
    by_category: bool = False,
    include_integrity: bool = False,
    span: int = change.SPAN,
    streams: Collection[str] | None = None,
) -> list[Figure]:
    """
    Return the organisation's figures of the years: totals first, then stream by stream.

    A park's are its `park_…` figures and the same under the plain ids. Months bring masses
    by month and rates from January on; categories bring figures with a `dimension`. The
    integrity of the chain is dear to compute and comes only when asked for. `streams` are
    those whose own figures are wanted; None: all; an empty one: the totals only.
    """
    if organisation.kind == OrganisationKind.PARK:
        found = park_figures(
            park=organisation, from_year=from_year, to_year=to_year, months=months, span=span,
            include_integrity=include_integrity,
        )  # fmt: skip
        return [*_plain_of(found, organisation, range(from_year, to_year + 1)), *found]
    enterprise = _enterprise(organisation, months=months)
    found = []
    for year in range(from_year, to_year + 1):
        found += enterprise.year_figures(year, by_category=by_category, span=span, only=streams)
        if include_integrity:
            found.append(_chain_intact(organisation, enterprise.scope(Period.year(year))))
        if months:
            for month in range(1, 13):
                found += enterprise.month_figures(Period.month(year, month), only=streams)
    return found


def figure(
    *,
    organisation: Organisation,
    indicator: str,
    year: int,
    stream: str | None = None,
    dimension: str | None = None,
    span: int = change.SPAN,
) -> Figure:
    """
    Return one figure of a year.

    :raises UnknownIndicator: if there is no such indicator for the organisation, stream or dimension
    """
    if indicator not in INDICATORS:
        raise UnknownIndicator(indicator)
    if organisation.kind == OrganisationKind.PARK:
        return _figure_of_park(organisation, indicator, year, stream, dimension, span)
    enterprise = _enterprise(organisation)
    if indicator == CHAIN_INTACT:
        return _chain_intact(organisation, enterprise.scope(Period.year(year)))
    if stream is None and dimension is None:
        found: Iterable[Figure] = enterprise.year_figures(year, span=span)
    elif stream is not None:
        if stream not in enterprise.facts.streams:
            raise UnknownIndicator(f"{indicator} of stream {stream}")
        found = enterprise.of_year(year, Cut(stream=stream)).values()
    else:
        found = (
            *enterprise.ways(Period.year(year)),
            *enterprise.of_year(year, Cut(waste_category=dimension)).values(),
        )
    return _pick(found, indicator, stream, dimension)


def _pick(found: Iterable[Figure], indicator: str, stream: str | None, dimension: str | None) -> Figure:
    for each in found:
        if (each.indicator, each.stream, each.dimension) == (indicator, stream, dimension):
            return each
    raise UnknownIndicator(indicator)


def _figure_of_park(
    organisation: Organisation,
    indicator: str,
    year: int,
    stream: str | None,
    dimension: str | None,
    span: int,
) -> Figure:
    park = _park(organisation)
    if stream is not None:
        raise UnknownIndicator(f"{indicator} of a stream of a park")
    if indicator == "generation_per_product":
        return per_product_of_park(park.facts, year)
    if indicator in (CHAIN_INTACT, park_id(CHAIN_INTACT)):
        return replace(_park_chain_intact(park, year), indicator=indicator)
    asked = park_id(indicator) if indicator in PARK_COUNTERPARTS else indicator
    return replace(_pick(park.year_figures(year, span=span), asked, None, dimension), indicator=indicator)


def park_figures(
    *,
    park: Organisation,
    from_year: int,
    to_year: int,
    months: bool = False,
    include_integrity: bool = False,
    span: int = change.SPAN,
) -> list[Figure]:
    """Return the park's figures over the members of each day, under their `park_…` ids."""
    of_park = _park(park, months=months)
    found: list[Figure] = []
    for year in range(from_year, to_year + 1):
        found += of_park.year_figures(year, span=span)
        if include_integrity:
            found.append(_park_chain_intact(of_park, year))
        if months:
            for month in range(1, 13):
                found += of_park.month_figures(Period.month(year, month))
    return found


def _plain_of(found: Sequence[Figure], park: Organisation, years: Iterable[int]) -> list[Figure]:
    plain = [each for each in map(as_plain, found) if each is not None]
    facts = Facts(uscc=park.uscc, name=park.name)
    return plain + [per_product_of_park(facts, year) for year in years]


@dataclass(frozen=True, slots=True, kw_only=True)
class TopGenerator:
    """A row of form table 1, 主要企业情况."""

    rank: int
    uscc: str
    name: str
    industry_code: str
    industry_name: str
    products: tuple[Product, ...]  # the main ones; all where none is flagged
    output_value_10k_yuan: Figure
    generation: Figure
    utilisation: Figure
    utilisation_rate: Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class TopGenerators:
    rows: tuple[TopGenerator, ...]
    missing: tuple[Missing, ...]  # of members without a ledger of the year: they could rank too


def top_generators(*, park: Organisation, year: int, limit: int = 10) -> TopGenerators:
    """Return the members that generated most in the year, over their days in the park."""
    of_park = _park(park)
    ranked = of_park.generators(year)
    rows = [
        _top_generator(rank, of_park.members[uscc], year, found)
        for rank, (uscc, found) in enumerate(ranked[:limit], start=1)
    ]
    return TopGenerators(rows=tuple(rows), missing=of_park.missing(Period.year(year)))


def _top_generator(rank: int, member: Facts, year: int, found: dict[str, Figure]) -> TopGenerator:
    products = member.products.get(year, ())
    known = industry(member.industry_code) if member.industry_code else None
    return TopGenerator(
        rank=rank,
        uscc=member.uscc,
        name=member.name,
        industry_code=member.industry_code,
        industry_name=known.name if known else "",
        products=tuple(p for p in products if p.is_main) or products,
        output_value_10k_yuan=stated_amount(
            "output_value_10k_yuan", subject=member.uscc, year=year, operation=member.operations.get(year)
        ),
        generation=found["generation_t"],
        utilisation=found["utilisation_t"],
        utilisation_rate=found["utilisation_rate_pct"],
    )


def movements_behind(
    behind: MovementsBehind, *, limit: int | None = None, offset: int = 0
) -> QuerySet[Movement]:
    """Return the movements that a figure sums, in the order of the chain."""
    rows = Movement.objects.filter(
        organisation__uscc=behind.organisation,
        kind__in=behind.kinds,
        moved_on__range=(behind.period.first_day, behind.period.last_day),
    )
    narrowing = {
        "stream__code": behind.stream,
        "stream__name": behind.stream_name,
        "stream__waste_category": behind.waste_category,
        "stream__waste_class": behind.waste_class,
        "method": behind.method,
    }
    rows = rows.filter(**{field: said for field, said in narrowing.items() if said is not None})
    if behind.counterparties is not None:
        rows = rows.filter(counterparty__in=behind.counterparties)
    rows = rows.select_related("stream", "lot", "organisation").order_by("seq")
    return rows if limit is None and not offset else rows[offset : None if limit is None else offset + limit]


def movement_documents(behind: MovementsBehind) -> list[dict[str, Any]]:
    """Return the movements behind a figure as JSON."""
    return [
        {
            "id": row.pk,
            "seq": row.seq,
            "date": row.moved_on.isoformat(),
            "kind": row.kind,
            "stream": row.stream.code,
            "lot": row.lot.code,
            "mass_g": row.sign * row.mass_g,
            "method": row.method,
            "counterparty": row.counterparty,
            "reverses": row.reverses_id,
            "posted_at": row.posted_at.isoformat(),
            "chain_hash": row.chain_hash,
        }
        for row in movements_behind(behind)
    ]


def flows(*, organisation: Organisation, period: Period) -> list[sankey.FlowSum]:
    """Return what moved in whole months of a period, by process, stream, kind, method and counterparty."""
    rows = (
        MonthlyFlow.objects.filter(
            organisation=organisation,
            kind__in=COUNTED,
            month__range=(period.first_day.replace(day=1), period.last_day),
        )
        .values_list(
            "stream__process__name", "stream__code", "stream__name", "kind", "method", "counterparty"
        )
        .annotate(total=Sum("mass_g"))
        .order_by("stream__code", "kind", "method", "counterparty")
    )
    return [
        sankey.FlowSum(
            process=process, stream=code, stream_name=name, kind=Kind(kind), method=method,
            counterparty=counterparty, mass_g=int(total),
        )
        for process, code, name, kind, method, counterparty, total in rows
        if total
    ]  # fmt: skip


_ENTERPRISES: Kept[Enterprise] = Kept(most=32)
_PARKS: Kept[Park] = Kept(most=4)


def _enterprise(organisation: Organisation, *, months: bool = False) -> Enterprise:
    stated, heads = _stated([organisation]), _heads([organisation])
    grain = _Grain(by_month=months)

    def anew() -> Enterprise:
        return Enterprise(_with_flows([organisation], stated, grain)[organisation.uscc])

    return _ENTERPRISES.get((organisation.uscc, months), (stated, heads), anew)


def _heads(organisations: Sequence[Organisation]) -> list[tuple[Any, ...]]:
    """Return where the chains end: as long as they end there, the flows are the same."""
    rows = Head.objects.filter(organisation__in=organisations).order_by("organisation")
    return list(rows.values_list("organisation", "seq", "chain_hash"))


def _with_flows(
    organisations: Sequence[Organisation], stated: dict[str, Facts], grain: "_Grain"
) -> dict[str, Facts]:
    """Return the facts with the flows as finely as asked."""
    moved = _flows_of([organisation.pk for organisation in organisations], grain)
    return {each.uscc: replace(stated[each.uscc], flows=tuple(moved[each.pk])) for each in organisations}


def _stated(organisations: Sequence[Organisation]) -> dict[str, Facts]:
    """Return the facts of the organisations, but for their flows."""
    keys = [organisation.pk for organisation in organisations]
    streams: dict[int, dict[str, StreamFacts]] = defaultdict(dict)
    for row in Stream.objects.filter(organisation__in=keys).select_related("process").order_by("pk"):
        streams[row.organisation_id][row.code] = StreamFacts(
            code=row.code, name=row.name, waste_code=row.waste_code, waste_category=row.waste_category,
            waste_class=row.waste_class, process=row.process.name,
        )  # fmt: skip
    operations: dict[int, dict[int, Operation]] = defaultdict(dict)
    for said in AnnualOperation.objects.filter(organisation__in=keys):
        operations[said.organisation_id][said.year] = Operation(
            output_value=said.output_value_10k_yuan, sales=said.sales_10k_yuan,
            value_added=said.value_added_10k_yuan, source=said.source,
        )  # fmt: skip
    products = _products_of(keys)
    return {
        each.uscc: Facts(
            uscc=each.uscc,
            name=each.name,
            keeps_ledger=each.kind in KEEPS_LEDGER,
            industry_code=each.industry_code,
            streams=streams[each.pk],
            operations=operations[each.pk],
            products={year: tuple(made) for year, made in products.get(each.pk, {}).items()},
        )
        for each in organisations
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Grain:
    """How finely flows are read: by year, but for the years by month and the months by day that are named."""

    by_month: bool = False  # all years by month
    monthly_years: frozenset[int] = frozenset()
    daily_months: frozenset[date] = frozenset()


def _flows_of(keys: Sequence[int], grain: _Grain) -> dict[int, list[Flow]]:
    moved: dict[int, list[Flow]] = defaultdict(list)
    rows = MonthlyFlow.objects.filter(organisation__in=keys, kind__in=COUNTED)
    cut = (
        "organisation_id", "stream__code", "kind", "method", "counterparty", "lot_origin", "lot_origin_year",
    )  # fmt: skip
    found: list[tuple[Any, ...]] = []
    if grain.by_month or grain.monthly_years:
        monthly = rows if grain.by_month else rows.filter(_in_years(grain.monthly_years))
        monthly = monthly.exclude(month__in=grain.daily_months)
        found += monthly.values_list(*cut, "month", "mass_g", "movement_count")
    if not grain.by_month:
        yearly = rows.exclude(_in_years(grain.monthly_years)) if grain.monthly_years else rows
        yearly = yearly.annotate(year=Substr(Cast("month", TextField()), 1, 4)).values_list(*cut, "year")
        sums: Iterable[Any] = yearly.annotate(total=Sum("mass_g"), records=Sum("movement_count"))
        found += ((*row[:7], date(int(row[7]), 1, 1), *row[8:]) for row in sums)
    for key, stream, kind, method, counterparty, origin, origin_year, on, grams, count in found:
        moved[key].append(
            Flow(
                stream=stream, kind=Kind(kind), on=on, mass_g=int(grams), method=method,
                counterparty=counterparty, lot_origin=origin, lot_origin_year=origin_year, count=count,
            )
        )  # fmt: skip
    if grain.daily_months:
        for key, flow in _daily_flows(keys, grain.daily_months):
            moved[key].append(flow)
    return moved


def _in_years(years: Iterable[int]) -> Q:
    """Return the condition as ranges, which an index serves; the year of a date is a call for each row."""
    return reduce(or_, (Q(month__range=(date(year, 1, 1), date(year, 12, 31))) for year in years))


def _daily_flows(keys: Sequence[int], months: frozenset[date]) -> Iterable[tuple[int, Flow]]:
    """Yield what moved day by day in the months, reversals taken off."""
    rows = Movement.objects.filter(organisation__in=keys, kind__in=COUNTED)
    within = rows.none()
    for month in sorted(months):
        whole = Period.month(month.year, month.month)
        within = within | rows.within(whole.first_day, whole.last_day)
    told_apart = within.annotate(is_first=ExpressionWrapper(Q(reverses=None), BooleanField()))
    by_day = told_apart.values_list(
        "organisation_id", "stream__code", "kind", "moved_on", "method", "counterparty", "lot__origin",
        "lot__origin_year", "is_first",
    ).annotate(total=Sum("mass_g"), records=Count("pk"))  # fmt: skip
    for key, stream, kind, day, method, counterparty, origin, origin_year, is_first, total, records in by_day:
        yield (
            key,
            Flow(
                stream=stream, kind=Kind(kind), on=day, mass_g=total if is_first else -total, method=method,
                counterparty=counterparty, lot_origin=origin, lot_origin_year=origin_year or 0, count=records,
            ),
        )  # fmt: skip


def _products_of(keys: Sequence[int]) -> dict[int, dict[int, list[Product]]]:
    products: dict[int, dict[int, list[Product]]] = defaultdict(lambda: defaultdict(list))
    for made in AnnualProduct.objects.filter(organisation__in=keys).order_by("pk"):
        products[made.organisation_id][made.year].append(
            Product(
                name=made.name, output=made.output, unit=made.unit, is_main=made.is_main,
                capacity=made.capacity, source=made.source,
            )
        )  # fmt: skip
    return products


def _park(park: Organisation, *, months: bool = False) -> Park:
    rows = list(ParkMembership.objects.filter(park=park).select_related("member").order_by("pk"))
    memberships = [
        Membership(member=row.member.uscc, first_day=row.joined_on, last_day=row.left_on) for row in rows
    ]
    organisations = list({row.member_id: row.member for row in rows}.values())
    grain = _Grain(
        by_month=months,
        monthly_years=frozenset(year for each in memberships for year in _years_cut(each)),
        daily_months=frozenset(month for each in memberships for month in _months_cut(each)),
    )
    everybody = [park, *organisations]
    stated, heads = _stated(everybody), _heads(everybody)

    def anew() -> Park:
        known = _with_flows(everybody, stated, grain)
        own = known.pop(park.uscc)
        return Park(own, known, memberships)

    return _PARKS.get((park.uscc, months), (stated, heads, memberships), anew)


def _years_cut(membership: Membership) -> Iterable[int]:
    """Yield the years that a membership begins or ends within."""
    first, last = membership.first_day, membership.last_day
    if (first.month, first.day) != (1, 1):
        yield first.year
    if last is not None and (last.month, last.day) != (12, 31):
        yield last.year


def _months_cut(membership: Membership) -> Iterable[date]:
    """Yield the months that a membership begins or ends within."""
    if membership.first_day.day != 1:
        yield membership.first_day.replace(day=1)
    last = membership.last_day
    if last is not None and (last + timedelta(days=1)).day != 1:
        yield last.replace(day=1)


def _chain_intact(organisation: Organisation, scope: Scope) -> Figure:
    movements, faults = _verified([organisation])[organisation.uscc]
    return ledger_quality.chain_intact(scope, movements=movements, faults=faults)


def _park_chain_intact(park: Park, year: int) -> Figure:
    """Return 1 where the ledgers of all members of the year verify."""
    period = Period.year(year)
    codes = {stay.facts.uscc for stay in park.stays(period) if stay.facts.keeps_ledger}
    verified = _verified(list(Organisation.objects.filter(uscc__in=codes).order_by("uscc")))
    scope = Scope(subject=park.facts.uscc, period=period, missing=park.missing(period))
    basis = tuple(
        ledger_quality.chain_intact(Scope(subject=uscc, period=period), movements=movements, faults=faults)
        for uscc, (movements, faults) in verified.items()
    )
    whole = ledger_quality.chain_intact(
        scope,
        movements=sum(movements for movements, _ in verified.values()),
        faults=sum(faults for _, faults in verified.values()),
    )
    definition = INDICATORS[park_id(CHAIN_INTACT)]
    return replace(
        whole, indicator=definition.id, name=definition.name, formula=definition.formula, basis=basis
    )


def _verified(organisations: Sequence[Organisation]) -> dict[str, tuple[int, int]]:
    """
    Return (movements, faults) of each ledger, verified from the last whole verification on.

    Asked once for each head of a chain, and anew after each whole verification. What it sees and what not, says
    `ledger.queries.verify_further`.
    """
    heads = {head.organisation_id: head for head in Head.objects.filter(organisation__in=organisations)}
    kept = {row.organisation_id: row for row in VerifiedHead.objects.filter(organisation__in=organisations)}
    found = {}
    for each in organisations:
        head, before = heads.get(each.pk), kept.get(each.pk)
        stamp = f"{before.verified_at.isoformat()}:{before.faults}" if before else ""
        key = f"wufei:chain-intact:{each.uscc}:{head.seq}:{head.chain_hash}:{stamp}" if head else None
        counted = cache.get(key) if key else None
        if counted is None:
            result = ledger_queries.verify_further(organisation=each, kept=before)
            counted = (result.movements, len(result.faults))
            # A fault can come to be, or be mended, without the head moving: never keep one long.
            if key:
                cache.set(key, counted, timeout=600)
        found[each.uscc] = counted
    return found
