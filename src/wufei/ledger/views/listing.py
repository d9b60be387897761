"""
Which movements does a list show, how many are there, and what do they sum to?

A ledger has hundreds of thousands of rows, a page has fifty. Where whole months are asked for, count
and sums come from the monthly flows; otherwise at most `MAX_COUNTED` rows are looked at.
"""

import calendar
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import date
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Count, ExpressionWrapper, F, IntegerField, Q, QuerySet, Sum

from wufei.ledger import queries
from wufei.ledger.kinds import LABELS, Kind, PlaceKind
from wufei.ledger.models import Lot, MonthlyFlow, Movement, Place, Stream
from wufei.registry.models import Organisation
from wufei.registry.views.listing import page_at

PAGE_SIZE = 50
MAX_COUNTED = 5_000
CONTRACTED = (Kind.CONTRACTED_UTILISATION.value, Kind.CONTRACTED_DISPOSAL.value)
SORTS = {"day": ("moved_on", "seq"), "seq": ("seq",), "mass": ("mass_g", "seq")}
DEFAULT_SORT = "-day"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a person asked the list for."""

    since: date | None = None
    through: date | None = None
    kind: str = ""
    stream: str = ""
    store: str = ""
    lot: str = ""
    party: str = ""
    only: str = ""
    text: str = ""
    is_impossible: bool = False  # a period that ends before it begins: nothing is in it

    @classmethod
    def of(cls, said: dict[str, Any]) -> "Wanted":
        """Take what was understood of a filter form."""
        return cls(**{each.name: said[each.name] for each in fields(cls) if said.get(each.name)})

    @property
    def is_filtered(self) -> bool:
        return self != Wanted()

    @property
    def is_of_whole_months(self) -> bool:
        """Return whether the monthly flows know count and sums."""
        begins = self.since is None or self.since.day == 1
        end = self.through
        ends = end is None or end.day == calendar.monthrange(end.year, end.month)[1]
        return (
            begins and ends and not (self.is_impossible or self.store or self.lot or self.only or self.text)
        )


@dataclass(frozen=True, slots=True)
class KindTotal:
    kind: str
    label: str
    count: int
    mass_g: int  # reversals taken off


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A page of movements; `totals` is None where there are too many to sum at once."""

    page: Page[Any]
    rows: list[Movement]
    sort: str
    totals: list[KindTotal] | None
    is_capped: bool


def sort_of(said: str) -> str:
    """Return the sort that was asked for, else the usual one."""
    return said if said.removeprefix("-") in SORTS else DEFAULT_SORT


def narrowed(*, organisation: Organisation, wanted: Wanted) -> QuerySet[Movement]:
    """Return the movements that are wanted, in no order."""
    rows = Movement.objects.filter(organisation=organisation)
    if wanted.is_impossible:
        return rows.none()
    if wanted.since:
        rows = rows.filter(moved_on__gte=wanted.since)
    if wanted.through:
        rows = rows.filter(moved_on__lte=wanted.through)
    if wanted.kind:
        rows = rows.filter(kind=wanted.kind)
    if wanted.stream:
        rows = rows.filter(stream__in=_streams(organisation, Q(code=wanted.stream)))
    if wanted.store:
        stores = [s.pk for s in queries.stores_of(organisation=organisation) if s.code == wanted.store]
        rows = rows.filter(Q(source__in=stores) | Q(target__in=stores))
    if wanted.lot:
        lots = Lot.objects.filter(organisation=organisation, code=wanted.lot)
        rows = rows.filter(lot__in=list(lots.values_list("pk", flat=True)))
    if wanted.party:
        rows = rows.filter(counterparty__in=known(organisation, "counterparty", wanted.party))
    if wanted.text:
        rows = rows.filter(_says(organisation, wanted.text))
    return _only(rows, organisation, wanted.only)


def _streams(organisation: Organisation, condition: Q) -> list[int]:
    return list(Stream.objects.filter(condition, organisation=organisation).values_list("pk", flat=True))


def _says(organisation: Organisation, text: str) -> Q:
    """Return where a text is said; what repeats is looked up among its few spellings first."""
    if text.startswith("#") and text[1:].isdecimal() and len(text) <= 10:
        return Q(seq=int(text[1:]))
    found = Q(note__icontains=text) | Q(handler__icontains=text)
    named = Q(name__icontains=text) | Q(code__icontains=text) | Q(waste_code__icontains=text)
    if streams := _streams(organisation, named):
        found |= Q(stream__in=streams)
    flows = MonthlyFlow.objects.filter(organisation=organisation).order_by()
    spellings = list(flows.values_list("counterparty", "method").distinct())
    wanted = text.casefold()
    if parties := {party for party, _ in spellings if wanted in party.casefold()}:
        found |= Q(counterparty__in=parties)
    if methods := {method for _, method in spellings if wanted in method.casefold()}:
        found |= Q(method__in=methods)
    lots = Lot.objects.filter(organisation=organisation, is_bulk=False, code__icontains=text)
    if found_lots := list(lots.values_list("pk", flat=True)[:200]):
        found |= Q(lot__in=found_lots)
    return found


def _only(rows: QuerySet[Movement], organisation: Organisation, only: str) -> QuerySet[Movement]:
    if only == "unnamed":
        return _unnamed(rows, organisation)
    if only == "reversed":
        found = dict(_reversals(organisation).values_list("seq", "reverses_id")[: MAX_COUNTED + 1])
        if len(found) <= MAX_COUNTED:
            reversed_ones = Movement.objects.filter(pk__in=found.values()).values_list("seq", flat=True)
            return rows.filter(seq__in=sorted({*found, *reversed_ones}))
        reversals = _reversals(organisation)
        return rows.filter(Q(reverses__isnull=False) | Q(pk__in=reversals.values("reverses_id")))
    return rows


def _reversals(organisation: Organisation) -> QuerySet[Movement]:
    """Return the reversals, by way of the index that has them alone: they are few."""
    whose = ExpressionWrapper(F("organisation_id") + 0, IntegerField())
    return Movement.objects.annotate(whose=whose).filter(reverses__gt=0, whose=organisation.pk)


def _unnamed(rows: QuerySet[Movement], organisation: Organisation) -> QuerySet[Movement]:
    """Return what was contracted to nobody named; the monthly flows know of which streams and when."""
    flows = MonthlyFlow.objects.filter(organisation=organisation, kind__in=CONTRACTED, counterparty="")
    found = list(flows.values_list("stream", "month").distinct())
    if not found:
        return rows.none()
    months = [month for _, month in found]
    last = max(months)
    ends = last.replace(day=calendar.monthrange(last.year, last.month)[1])
    rows = rows.filter(stream__in={stream for stream, _ in found}, moved_on__range=(min(months), ends))
    return rows.filter(kind__in=CONTRACTED, counterparty="", reverses=None).exclude(
        pk__in=_reversals(organisation).values("reverses_id")
    )


def known(organisation: Organisation, column: str, text: str = "", *, limit: int = 500) -> list[str]:
    """Return the spellings that the ledger has of a method or counterparty, with the text in them."""
    rows = MonthlyFlow.objects.filter(organisation=organisation).exclude(**{column: ""})
    if text:
        rows = rows.filter(**{f"{column}__icontains": text})
    return list(rows.order_by(column).values_list(column, flat=True).distinct()[:limit])


def outside_parties(organisation: Organisation, *, limit: int = 500) -> list[str]:
    """Return the outside parties by name, to be suggested."""
    places = Place.objects.filter(organisation=organisation, kind=PlaceKind.OUTSIDE).order_by("name")
    # Nobody was named where the code has no name behind its colon.
    return list(places.exclude(code__endswith=":").values_list("name", flat=True)[:limit])


def listing(*, organisation: Organisation, wanted: Wanted, sort: str, page: str) -> Listing:
    """Return a page of what is wanted, with count and totals, in the same few queries however much there is."""
    columns = [f"-{c}" if sort.startswith("-") else c for c in SORTS[sort.removeprefix("-")]]
    rows = narrowed(organisation=organisation, wanted=wanted).order_by(*columns)
    if wanted.is_of_whole_months:
        totals: list[KindTotal] | None = flow_totals(organisation=organisation, wanted=wanted)
        count, is_capped = sum(total.count for total in totals or ()), False
        keys: Any = _Keys(rows, count)
    else:
        found = list(rows.values_list("seq", "kind", "mass_g", "reverses_id")[: MAX_COUNTED + 1])
        is_capped = len(found) > MAX_COUNTED
        keys = [row[0] for row in found[:MAX_COUNTED]]
        totals = None if is_capped else _summed(found)
    shown = page_at(Paginator(keys, PAGE_SIZE), page)
    asked = queries.movements(organisation=organisation).filter(seq__in=list(shown.object_list))
    by_seq = {row.seq: row for row in asked}
    return Listing(
        page=shown,
        rows=[by_seq[seq] for seq in shown.object_list],
        sort=sort,
        totals=totals,
        is_capped=is_capped,
    )


class _Keys:
    """Places in the chain that are counted beforehand and read a page at a time: joins are made for fifty rows only."""

    def __init__(self, rows: QuerySet[Movement], count: int) -> None:
        self._rows, self._count = rows, count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, part: slice) -> list[int]:
        return list(self._rows.values_list("seq", flat=True)[part])


def flow_totals(*, organisation: Organisation, wanted: Wanted) -> list[KindTotal]:
    """Return the totals of whole months."""
    rows = MonthlyFlow.objects.filter(organisation=organisation)
    if wanted.since:
        rows = rows.filter(month__gte=wanted.since)
    if wanted.through:
        rows = rows.filter(month__lte=wanted.through)
    if wanted.kind:
        rows = rows.filter(kind=wanted.kind)
    if wanted.stream:
        rows = rows.filter(stream__code=wanted.stream)
    if wanted.party:
        rows = rows.filter(counterparty__icontains=wanted.party).exclude(counterparty="")
    sums = rows.values_list("kind").annotate(n=Sum("movement_count"), g=Sum("mass_g")).order_by()
    return _in_order((kind, count, grams) for kind, count, grams in sums)


def counted_totals(*, organisation: Organisation, wanted: Wanted) -> list[KindTotal]:
    """Return the totals of everything that is wanted, however long it takes."""
    rows = narrowed(organisation=organisation, wanted=wanted)
    sums = rows.values_list("kind").annotate(n=Count("pk"), g=Sum(queries.SIGNED_MASS)).order_by()
    return _in_order((kind, count, grams) for kind, count, grams in sums)


def _summed(found: Iterable[tuple[int, str, int, int | None]]) -> list[KindTotal]:
    count: dict[str, int] = defaultdict(int)
    mass: dict[str, int] = defaultdict(int)
    for _, kind, grams, reverses in found:
        count[kind] += 1
        mass[kind] += grams if reverses is None else -grams
    return _in_order((kind, count[kind], mass[kind]) for kind in count)


def _in_order(sums: Iterable[tuple[str, int, int]]) -> list[KindTotal]:
    by_kind = {kind: (count, grams) for kind, count, grams in sums}
    return [
        KindTotal(kind.value, LABELS[kind], by_kind[kind][0], int(by_kind[kind][1]))
        for kind in Kind
        if kind in by_kind
    ]
