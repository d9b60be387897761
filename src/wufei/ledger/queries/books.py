"""
The official ledgers of an organisation: which movements are records of a table, and how they are numbered.

A page of fifty lines and a whole year take the same few queries. What is left out and why, `books.remarks` says.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import (
    Case,
    Count,
    ExpressionWrapper,
    F,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.functions import TruncMonth

from wufei.catalogue.waste_codes import look_up_waste_code
from wufei.ledger.books import lines, summaries
from wufei.ledger.books.codes import FROM_STORE_ONLY, KINDS, DayRow, Series, serials
from wufei.ledger.books.layouts import LAYOUTS, Blanks, Layout, Missing, Row
from wufei.ledger.books.remarks import UNLISTED, LeftOut, remarks
from wufei.ledger.kinds import Kind, PlaceKind
from wufei.ledger.models import Container, Movement, MovementQuerySet, Stream, WasteClass
from wufei.ledger.queries.above import above
from wufei.ledger.queries.inventory import held_by_stream
from wufei.ledger.queries.verifying import SIGNED_MASS
from wufei.registry.models import OperatingPermit, Organisation, PermitKind
from wufei.terms.period import Period

# Permits under which hazardous waste may be taken in.
TAKES_WASTE = (PermitKind.COMPREHENSIVE.value, PermitKind.COLLECTION.value)


class BookTooLong(Exception):
    """The period has more records than one file takes."""

    def __init__(self, records: int, most: int):
        self.records, self.most = records, most
        super().__init__(f"{records} records, at most {most}")


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficialBook:
    """An official ledger of a period, or a page of it."""

    layout: Layout
    period: Period
    rows: list[Row]
    records: int  # of the whole period
    totals: dict[str, Any]  # of the whole period, in 吨
    missing: list[Missing]  # of `rows`
    remarks: list[str]


def official_book(
    *, organisation: Organisation, form: str, period: Period, most: int, part: slice | None = None
) -> OfficialBook:
    """
    Return a table of the period, or a part of its records.

    :raises BookTooLong: if the whole is asked for and has more than `most` records
    """
    layout = LAYOUTS[form]
    if form in lines.SERIES:
        rows, records, totals = _records(organisation, layout, period, most, part)
    else:
        every = _summary(organisation, layout, period)
        rows, records = every[part or slice(None)], len(every)
        totals = dict(summaries.totals(every, layout.sums))
    blanks = Blanks(layout)
    for row in rows:
        blanks.look_at(row)
    said = remarks(layout, _left_out(organisation, layout, period))
    return OfficialBook(
        layout=layout, period=period, rows=rows, records=records, totals=totals, missing=blanks.missing,
        remarks=said,
    )  # fmt: skip


# --- tables of records


def _class_of(layout: Layout) -> str:
    return (WasteClass.HAZARDOUS if layout.is_hazardous else WasteClass.GENERAL).value


def _of_series(series: Series) -> Q:
    wanted = Q(kind__in=[kind.value for kind in KINDS[series]])
    return wanted & Q(source__kind=PlaceKind.STORE.value) if series in FROM_STORE_ONLY else wanted


def _of_any(series: Iterable[Series]) -> Q:
    return reduce(or_, map(_of_series, series))


def _in_period(organisation: Organisation, layout: Layout, period: Period) -> MovementQuerySet:
    within = Movement.objects.within(period.first_day, period.last_day)
    return within.filter(organisation=organisation, stream__waste_class=_class_of(layout))


def _reversals(organisation: Organisation) -> QuerySet[Movement]:
    """Return the organisation's reversals, by way of the index that has reversals alone: they are few."""
    whose = ExpressionWrapper(F("organisation_id") + 0, IntegerField())
    return Movement.objects.annotate(whose=whose).filter(reverses__gt=0, whose=organisation.pk)


def _effective(organisation: Organisation, rows: QuerySet[Movement]) -> QuerySet[Movement]:
    """As `Movement.objects.effective()`; that looks for the reversal of each of a million rows, this for the few."""
    return rows.filter(reverses=None).exclude(pk__in=_reversals(organisation).values("reverses_id"))


# The column of masses of each series; a table of one such column has them all in it.
_SUMMED = {"general-5": {Series.STORED: "in_mass", Series.TAKEN_OUT: "out_mass"}}


def _records(
    organisation: Organisation, layout: Layout, period: Period, most: int, part: slice | None
) -> tuple[list[Row], int, dict[str, Any]]:
    series = lines.SERIES[layout.id]
    found = _effective(organisation, _in_period(organisation, layout, period)).filter(_of_any(series))
    keys = _SUMMED.get(layout.id, dict.fromkeys(series, "mass"))
    counted = found.aggregate(
        records=Count("pk"),
        **{f"g_{each}": Sum("mass_g", filter=_of_series(each), default=0) for each in series},
    )
    totals: dict[str, Any] = defaultdict(int)
    for each in series:
        totals[keys[each]] += counted[f"g_{each}"]
    if part is None and counted["records"] > most:
        raise BookTooLong(counted["records"], most)
    taken = part or slice(0, most)
    shown = _with_hands([_move(row) for row in _moves(found, series)[taken]])
    known = _serials(organisation, layout, shown, series)
    records = lines.numbered(layout.id, shown, known, is_hazardous=layout.is_hazardous)
    names = _listed_names(shown) if layout.is_hazardous else {}
    permits = _permits(shown) if layout.id == "hw-5" else {}
    rows = lines.rows(layout.id, records, names, start=1 + (taken.start or 0), permits=permits)
    return rows, counted["records"], {key: summaries.tonnes(int(grams)) for key, grams in totals.items()}


_PLACE = ("kind", "code", "name", "store_type")
# What `lines.Move` has, and where it stands.
_FIELDS = {
    "key": "pk", "kind": "kind", "moved_on": "moved_on", "mass_g": "mass_g", "method": "method",
    "counterparty": "counterparty", "handler": "handler", "stream_name": "stream__name",
    "waste_code": "stream__waste_code", "waste_category": "stream__waste_category",
    "process": "stream__process__name", "lot_code": "lot__code", "is_bulk": "lot__is_bulk",
    "packaging": "lot__container__packaging", "digital_id": "lot__container__digital_id",
    "before_key": "before_key", "before_on": "before_on",
}  # fmt: skip
_COLUMNS = (
    *_FIELDS.values(), *(f"source__{each}" for each in _PLACE), *(f"target__{each}" for each in _PLACE),
)  # fmt: skip


def _moves(found: QuerySet[Movement], series: Sequence[Series]) -> QuerySet[Any, Any]:
    """Return the movements in the order of the table, each with the movement that the record before it is of."""
    before = _before(series)
    asked = {
        "before_key": Subquery(before.values("pk")[:1]),
        "before_on": Subquery(before.values("moved_on")[:1]),
    }
    return found.annotate(**asked).order_by("moved_on", "seq").values_list(*_COLUMNS)


def _before(series: Sequence[Series]) -> QuerySet[Movement]:
    """
    Return where the record before stands, if it is of another movement; the latest one.

    Of a labelled lot: its 产生 for what is put into store, and what put it into this store for what is taken
    out. A heap has no days in it, so what was taken from it goes back to no record. What ends on the road
    goes back to its dispatch.
    """
    # What came in on a day counts before what went out, as in `posting`.
    earlier = Movement.objects.filter(lot=OuterRef("lot"), moved_on__lte=OuterRef("moved_on")).effective()
    earlier = earlier.order_by("-moved_on", "-seq")
    if Series.STORED in series:  # 出库 of 附表5 has no 前序
        return earlier.filter(_of_series(Series.GENERATED), lot__is_bulk=False)
    if Series.TAKEN_OUT in series:
        return earlier.filter(_of_series(Series.STORED), lot__is_bulk=False, target=OuterRef("source"))
    if Series.CONTRACTED_UTILISED in series:
        return earlier.filter(kind=Kind.DISPATCH.value, target=OuterRef("source"))
    return earlier.none()  # the table names none, or the movement itself is the one before


def _move(row: tuple[Any, ...]) -> lines.Move:
    many, ends = len(_FIELDS), len(_PLACE)
    said = dict(zip(_FIELDS, row[:many], strict=True))
    said |= {
        "kind": Kind(said["kind"]), "packaging": _packaging(said["packaging"]),
        "digital_id": said["digital_id"] or "",
    }  # fmt: skip
    return lines.Move(
        **said, source=lines.End(*row[many : many + ends]), target=lines.End(*row[many + ends :])
    )


def _with_hands(moves: Sequence[lines.Move]) -> list[lines.Move]:
    """Say of what left under a manifest who handed it over, and to which driver; the manifest knows both."""
    numbers = {move.key: move.target.code.partition(":")[2] for move in moves if move.kind is Kind.DISPATCH}
    if not numbers:
        return list(moves)
    hands = above.hands(set(numbers.values()))
    found = []
    for move in moves:
        known = hands.get(numbers.get(move.key, ""))
        found.append(
            replace(move, handler=known.issuer or move.handler, driver=known.driver) if known else move
        )
    return found


def _packaging(said: str | None) -> str:
    return str(Container.Packaging(said).label) if said else ""


def _serials(
    organisation: Organisation, layout: Layout, moves: Sequence[lines.Move], series: Sequence[Series]
) -> dict[tuple[Series, int], int]:
    """Number the records shown and those before them: whole days, with what was reversed."""
    days = {move.moved_on for move in moves} | {move.before_on for move in moves if move.before_on}
    wanted = {*series, *(lines.BEFORE[each] for each in series if each in lines.BEFORE)}
    kinds = {kind.value for each in wanted for kind in KINDS[each]}
    if not days:
        return {}
    rows = Movement.objects.filter(
        organisation=organisation, moved_on__in=days, stream__waste_class=_class_of(layout), reverses=None,
        kind__in=kinds,
    ).order_by("moved_on", "seq")  # fmt: skip
    return serials(DayRow(*row) for row in rows.values_list("pk", "moved_on", "kind", "source__kind"))


def _listed_names(moves: Iterable[lines.Move]) -> dict[str, str]:
    """Return what the national list calls each waste code; nothing where it doesn't know it."""
    found = {code: look_up_waste_code(code).entry for code in {move.waste_code for move in moves}}
    return {code: entry.name for code, entry in found.items() if entry and not entry.is_category}


def _permits(moves: Sequence[lines.Move]) -> dict[int, str]:
    """Return of each movement the permit that its receiver held when it left, where there is no doubt which."""
    held: dict[str, list[OperatingPermit]] = defaultdict(list)
    for permit in OperatingPermit.objects.filter(
        organisation__name__in={move.counterparty for move in moves}, kind__in=TAKES_WASTE
    ).select_related("organisation"):
        held[permit.organisation.name].append(permit)
    found = {}
    for move in moves:
        day = lines.left_on(move) or move.moved_on
        numbers = {permit.number for permit in held[move.counterparty] if _holds(permit, day)}
        if len(numbers) == 1:
            found[move.key] = numbers.pop()
    return found


def _holds(permit: OperatingPermit, day: date) -> bool:
    is_revoked = permit.revoked_on is not None and permit.revoked_on <= day
    return permit.valid_from <= day <= permit.valid_through and not is_revoked


# --- tables of months


def _summary(organisation: Organisation, layout: Layout, period: Period) -> list[Row]:
    streams = [
        summaries.StreamFacts(*row)
        for row in Stream.objects.filter(organisation=organisation, waste_class=_class_of(layout))
        .order_by("code")
        .values_list("code", "name", "waste_code", "process__name", "physical_form", "main_components")
    ]
    moved = [summaries.Moved(*row) for row in _moved(_in_period(organisation, layout, period))]
    if layout.id == "general-1":
        return summaries.generated_rows(streams, moved)
    eve = period.first_day - timedelta(days=1)
    stock = held_by_stream(organisation=organisation, on=eve, waste_class=_class_of(layout))
    return list(summaries.whereabouts_rows(streams, moved, stock, _months(period)))


def _into_store() -> Any:
    """Return what a movement puts into stores: with a minus what it takes out, nothing where both ends are stores."""
    store = PlaceKind.STORE.value
    return Sum(
        Case(
            When(~Q(source__kind=store) & Q(target__kind=store), then=F("mass_g")),
            When(Q(source__kind=store) & ~Q(target__kind=store), then=-F("mass_g")),
            default=Value(0),
        )
    )


def _moved(found: QuerySet[Movement]) -> QuerySet[Any, Any]:
    return (
        found.annotate(month=TruncMonth("moved_on"))
        .values_list("month", "stream__code", "kind", "method")
        .annotate(grams=Sum(SIGNED_MASS), into=_into_store())
        .order_by("month", "stream__code", "kind", "method")
    )


def _months(period: Period) -> list[date]:
    found, month = [], period.first_day.replace(day=1)
    while month <= period.last_day:
        found.append(month)
        month = (month + timedelta(days=31)).replace(day=1)
    return found


# --- what is not in them


def _left_out(organisation: Organisation, layout: Layout, period: Period) -> LeftOut:
    grams: dict[Kind, int] = {}
    if layout.id in UNLISTED:
        rows = _in_period(organisation, layout, period).values_list("kind")
        of_kinds = rows.filter(kind__in=UNLISTED[layout.id]).annotate(grams=Sum(SIGNED_MASS)).order_by()
        grams = {Kind(kind): int(mass) for kind, mass in of_kinds}
    kinds = {kind.value for each in lines.SERIES.get(layout.id, ()) for kind in KINDS[each]}
    inside = (period.first_day, period.last_day)
    is_inside, takes_back_inside = Q(moved_on__range=inside), Q(reverses__moved_on__range=inside)
    reversals = (
        _reversals(organisation)
        .filter(kind__in=kinds, stream__waste_class=_class_of(layout))
        .aggregate(
            outside=Count("pk", filter=takes_back_inside & ~is_inside),
            of_outside=Count("pk", filter=is_inside & ~takes_back_inside),
        )
    )
    return LeftOut(
        grams=grams,
        reversed_outside=reversals["outside"] or 0,
        reversals_of_outside=reversals["of_outside"] or 0,
    )
