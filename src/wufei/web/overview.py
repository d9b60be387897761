"""
What does a home page say? The year so far, the stores, what is missing, and what comes next.

Everything is read through the rooms' queries; nothing is counted anew that a room counts already.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.core.cache import cache
from django.db.models import Max, QuerySet, Sum
from django.urls import reverse
from django.utils.translation import gettext as _

from wufei.indicators import queries as indicator_queries
from wufei.indicators.figure import Figure
from wufei.ledger.kinds import Kind
from wufei.ledger.models import Head, MonthlyFlow, Stream
from wufei.ledger.views.listing import CONTRACTED, Wanted, narrowed
from wufei.policies import queries as policy_queries
from wufei.policies.edition import Declared, Edition, StartsWith, leaves
from wufei.policies.models import Declaration
from wufei.registry.access import Permission
from wufei.registry.models import Organisation, OrganisationKind

SHOWN = ("generation_t", "utilisation_t", "disposal_t", "stock_t")
STATED = ("value_added_10k_yuan", "output_value_10k_yuan", "sales_10k_yuan", "main_product_output")
A_HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A mass of this year so far, beside the same months of last year; in 吨."""

    indicator: str
    name: str
    now: Decimal | None
    before: Decimal | None

    @property
    def change_pct(self) -> Decimal | None:
        if self.now is None or not self.before:
            return None
        return (self.now - self.before) * A_HUNDRED / self.before


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamLine:
    code: str
    name: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SoFar:
    """The year through the last month with a record, beside the same months of last year."""

    year: int
    through_month: int | None  # None: nothing is recorded of the year yet
    is_unfinished: bool  # that month is the one we are in
    total: tuple[Line, ...]
    streams: tuple[StreamLine, ...]

    @property
    def last_year(self) -> int:
        return self.year - 1

    @property
    def months(self) -> str:
        return "1" if self.through_month == 1 else f"1–{self.through_month}"


def year_so_far(*, organisation: Organisation, today: date) -> SoFar:
    """Return generation, utilisation, disposal and stock of the year, beside last year's same months."""
    now = indicator_queries.figures(organisation=organisation, from_year=today.year, to_year=today.year)
    this_year = {(f.stream, f.indicator): f for f in now if f.dimension is None}
    through = _last_recorded_month(organisation, today)
    before = _same_months_last_year(organisation, today.year - 1, through) if through else {}
    names = dict(
        Stream.objects.filter(organisation=organisation).order_by("code").values_list("code", "name")
    )

    def lines(stream: str | None) -> tuple[Line, ...]:
        return tuple(
            _line(indicator, this_year.get((stream, indicator)), before, stream) for indicator in SHOWN
        )

    streams = (StreamLine(code=code, name=name, lines=lines(code)) for code, name in names.items())
    return SoFar(
        year=today.year,
        through_month=through,
        is_unfinished=through == today.month,
        total=lines(None),
        streams=tuple(each for each in streams if any(line.now or line.before for line in each.lines)),
    )


def _line(
    indicator: str, figure: Figure | None, before: dict[tuple[str | None, str], Decimal], stream: str | None
) -> Line:
    return Line(
        indicator=indicator,
        name=figure.name.replace("工业固体废物", "") if figure else indicator,
        now=figure.value if figure else None,
        before=before.get((stream, indicator)),
    )


def _last_recorded_month(organisation: Organisation, today: date) -> int | None:
    """Return the last month of this year that has a record: with what comes after, nothing can be compared."""
    recorded = MonthlyFlow.objects.filter(
        organisation=organisation, month__range=(today.replace(month=1, day=1), today)
    )
    last: date | None = recorded.aggregate(last=Max("month"))["last"]
    return last.month if last else None


def _same_months_last_year(
    organisation: Organisation, last: int, through: int
) -> dict[tuple[str | None, str], Decimal]:
    """Return last year's masses through the month; kept as long as the chain has the same end."""
    head = Head.objects.filter(organisation=organisation).first()
    if head is None:
        return {}
    key = f"wufei:same-months:{organisation.pk}:{head.seq}:{head.chain_hash}:{last}-{through}"
    kept: dict[tuple[str | None, str], Decimal] | None = cache.get(key)
    if kept is not None:
        return kept
    found: dict[tuple[str | None, str], Decimal] = defaultdict(Decimal)
    for figure in indicator_queries.figures(
        organisation=organisation, from_year=last, to_year=last, months=True
    ):
        if not figure.period.is_month or figure.dimension or figure.value is None:
            continue
        month, at = figure.period.first_day.month, (figure.stream, figure.indicator)
        if figure.indicator == "stock_t":
            if month == through:
                found[at] = figure.value
        elif figure.indicator in SHOWN and month <= through:
            found[at] += figure.value
    cache.set(key, dict(found), timeout=3600)
    return dict(found)


# --- what is missing -------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Something that somebody should supply."""

    says: str
    where: str
    address: str = ""
    needs: Permission = Permission.VIEW_LEDGER  # to go to the address
    items: tuple[str, ...] = ()  # where it is several things of one kind
    is_folded: bool = True  # the items, until somebody asks for them


def gaps(*, organisation: Organisation, today: date, programme: str = "") -> list[Gap]:
    """
    Return what is missing of an enterprise's data, the most telling first.

    `programme` is the edition that the organisation applies by; its declarations come first.
    """
    return [
        *_unnamed(organisation),
        *_empty_months(organisation, today),
        *stated_gaps(
            indicator_queries.figures(
                organisation=organisation, from_year=today.year - 1, to_year=today.year - 1, streams=()
            ),
            organisation,
        ),
        *declaration_gaps(organisation=organisation, today=today, programme=programme),
    ]


def _unnamed(organisation: Organisation) -> Iterator[Gap]:
    flows = MonthlyFlow.objects.filter(organisation=organisation, kind__in=CONTRACTED, counterparty="")
    if not flows.exclude(mass_g=0).exists():
        return
    count = narrowed(organisation=organisation, wanted=Wanted(only="unnamed")).count()
    yield Gap(
        says=_("%(n)d 条委外记录没有对方单位，去向查不到。") % {"n": count},
        where=_("冲正后写明对方单位重记"),
        address=f"{reverse('ledger:movements', args=[organisation.uscc])}?only=unnamed",
    )


def _empty_months(organisation: Organisation, today: date) -> Iterator[Gap]:
    months = set(
        MonthlyFlow.objects.filter(organisation=organisation).values_list("month", flat=True).distinct()
    )
    if not months:
        yield Gap(
            says=_("台账还没有任何记录。"),
            where=_("导入数据工作簿，或逐笔记账"),
            address=reverse("ledger:movements", args=[organisation.uscc]),
        )
        return
    spans: list[list[date]] = []
    month = min(months)
    while month < today.replace(day=1):
        following = (month + timedelta(days=32)).replace(day=1)
        if month not in months:
            if spans and spans[-1][1] == month:
                spans[-1][1] = following
            else:
                spans.append([month, following])
        month = following
    for first, after in reversed(spans):
        last = after - timedelta(days=1)
        said = (
            f"{first:%Y-%m}"
            if (first.year, first.month) == (last.year, last.month)
            else f"{first:%Y-%m} 至 {last:%Y-%m}"
        )
        yield Gap(
            says=_("%(months)s 没有台账记录。") % {"months": said},
            where=_("台账；确实没有产生的不用补"),
            address=f"{reverse('ledger:movements', args=[organisation.uscc])}?since={first}&through={last}",
        )


def stated_gaps(figures: Iterable[Figure], organisation: Organisation) -> Iterator[Gap]:
    """Yield what people have to state before the figures are known, each once."""
    seen: set[tuple[str, str]] = set()
    for figure in figures:
        if figure.stream is not None or figure.indicator.removeprefix("park_") not in STATED:
            continue
        for missing in figure.missing:
            if (missing.label, missing.subject) not in seen:
                seen.add((missing.label, missing.subject))
                yield Gap(
                    says=_("没有填 %(label)s。") % {"label": missing.label},
                    where=missing.where,
                    address=reverse("indicators:latest-stated", args=[organisation.uscc]),
                    needs=Permission.EDIT_ORGANISATION,
                )


def concerning(*, organisation: Organisation) -> list[Edition]:
    """Return the editions that are for organisations of this kind and division."""
    kind = "PARK" if organisation.kind == OrganisationKind.PARK else "ENTERPRISE"
    return [
        edition
        for edition in policy_queries.known_editions().values()
        if edition.subject_kind == kind and _is_within(edition, organisation)
    ]


def _is_within(edition: Edition, organisation: Organisation) -> bool:
    asked = (leaf for c in edition.criteria if c.test for leaf in leaves(c.test))
    return all(
        organisation.division_code.startswith(leaf.starts_with)
        for leaf in asked
        if isinstance(leaf, StartsWith) and leaf.fact == "division_code"
    )


def declaration_gaps(*, organisation: Organisation, today: date, programme: str = "") -> Iterator[Gap]:
    """
    Yield the declarations that an evaluation of the last complete year would ask for.

    First those of the programme; without one, of the edition that is due next, or else of the newest.
    """
    year = today.year - 1
    given = set(Declaration.objects.filter(organisation=organisation).values_list("item", "year"))
    known = concerning(organisation=organisation)
    first = next((each for each in known if each.id == programme), None) or _most_likely(known, today)
    if first is None:
        return
    own = _lacking(_asked(first, today), given, year)
    if own:
        yield Gap(
            says=_("“%(edition)s”要问的声明还缺 %(n)d 项。") % {"edition": first.title, "n": len(own)},
            where=_("在线声明，或数据工作簿“声明”"),
            address=f"{reverse('policies:declarations', args=[organisation.uscc, year])}?edition={first.id}",
            needs=Permission.EDIT_ORGANISATION,
            items=tuple(own.values()),
            is_folded=False,
        )
    wanted: dict[str, int] = {}
    for edition in known:
        for item, years in _asked(edition, today).items():
            wanted[item] = max(wanted.get(item, 0), years)
    others = {item: said for item, said in _lacking(wanted, given, year).items() if own.get(item) != said}
    if others:
        yield Gap(
            says=_("其他政策要问的声明还缺 %(n)d 项。") % {"n": len(others)},
            where=_("要申报时再补：在线声明，或数据工作簿“声明”"),
            address=reverse("policies:latest-declarations", args=[organisation.uscc]),
            needs=Permission.EDIT_ORGANISATION,
            items=tuple(others.values()),
        )


def _most_likely(known: Iterable[Edition], today: date) -> Edition | None:
    """Return the edition whose next day is closest; where none has a day to come, the newest."""
    editions = list(known)
    due = [
        (each.on, edition.id, edition) for edition in editions for each in edition.dates if each.on >= today
    ]
    if due:
        return min(due, key=lambda row: row[:2])[2]
    return max(editions, key=lambda edition: (edition.in_force_from, edition.id), default=None)


def _asked(edition: Edition, today: date) -> dict[str, int]:
    """Return each declaration that the edition asks for, and for how many years."""
    wanted: dict[str, int] = {}
    for criterion in edition.criteria:
        for leaf in leaves(criterion.test) if criterion.test else ():
            if isinstance(leaf, Declared):
                dated = edition.parameter(criterion, leaf.window).on(today) if leaf.window else None
                years = int(dated.value) if dated else 1
                wanted[leaf.declaration] = max(wanted.get(leaf.declaration, 0), years)
    return wanted


def _lacking(wanted: dict[str, int], given: set[tuple[str, int]], year: int) -> dict[str, str]:
    """Return what is not declared yet, each item as a person reads it: with its years."""
    found = {}
    for item, window in wanted.items():
        open_years = [str(y) for y in range(year - window + 1, year + 1) if (item, y) not in given]
        if open_years:
            found[item] = f"{item}（{'、'.join(open_years)}）"
    return found


# --- what comes next -------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    on: date
    days: int
    label: str
    edition: str
    number: str
    clause: str


def deadlines(*, organisation: Organisation, today: date) -> tuple[list[Due], Due | None]:
    """Return the days to come of the editions that concern the organisation, and the last one that is over."""
    found = {
        (each.on, each.label, edition.norm.number): Due(
            on=each.on, days=(each.on - today).days, label=each.label, edition=edition.title,
            number=edition.norm.number, clause=each.clause,
        )
        for edition in concerning(organisation=organisation)
        for each in edition.dates
    }  # fmt: skip
    ordered = sorted(found.values(), key=lambda due: due.on)
    past = [due for due in ordered if due.on < today]
    return [due for due in ordered if due.on >= today], past[-1] if past else None


# --- an authority's district -----------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Overseen:
    organisation: Organisation
    generated_g: int | None  # None: nothing recorded in the year
    last_month: date | None
    closed_through: date | None


def overseen(*, organisations: Iterable[Organisation], year: int) -> list[Overseen]:
    """Return the organisations with what their ledgers say of the year, in three queries."""
    listed = list(organisations)
    flows = MonthlyFlow.objects.filter(organisation__in=listed)
    in_year = flows.filter(month__year=year)
    recorded = set(in_year.values_list("organisation", flat=True).distinct())
    generated = dict(
        in_year.filter(kind=Kind.GENERATION).values_list("organisation").annotate(g=Sum("mass_g")).order_by()
    )
    last = dict(flows.values_list("organisation").annotate(m=Max("month")).order_by())
    closed = dict(Head.objects.filter(organisation__in=listed).values_list("organisation", "closed_through"))
    return [
        Overseen(
            organisation=each,
            generated_g=int(generated.get(each.pk, 0)) if each.pk in recorded else None,
            last_month=last.get(each.pk),
            closed_through=closed.get(each.pk),
        )
        for each in listed
    ]


def generated_by(*, organisations: QuerySet[Organisation], year: int) -> int:
    """Return the grams that the organisations generated in the year, together."""
    flows = MonthlyFlow.objects.filter(organisation__in=organisations, kind=Kind.GENERATION, month__year=year)
    return int(flows.aggregate(g=Sum("mass_g"))["g"] or 0)
