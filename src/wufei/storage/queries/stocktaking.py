"""What reads stock-taking: sheets, what is to be counted, where counts and books differ."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

from django.db.models import Case, Count, F, OuterRef, QuerySet, Subquery, Sum, When
from django.db.models.functions import Coalesce

from wufei.ledger.models import Head, Lot, Movement
from wufei.registry.models import Organisation, User
from wufei.storage import stocktaking
from wufei.storage.models import (
    BookLine,
    StocktakeCount,
    StocktakeDifference,
    StocktakeSheet,
)
from wufei.storage.stocktaking import Progress
from wufei.storage.wording import PROGRESS_TEXT


def sheets(*, organisation: Organisation) -> QuerySet[StocktakeSheet]:
    """Return the organisation's sheets with all that a list shows."""
    differences = (
        StocktakeDifference.objects.filter(sheet=OuterRef("pk")).order_by().values("sheet")
        .annotate(n=Count("pk")).values("n")
    )  # fmt: skip
    return (
        StocktakeSheet.objects.filter(organisation=organisation)
        .select_related("organisation", "store", "opened_by", "closing__closed_by", "settlement__settled_by")
        .annotate(difference_count=Coalesce(Subquery(differences), 0))
    )


def unfinished_sheets(*, store_id: int) -> QuerySet[StocktakeSheet]:
    """Return the store's sheets that are open, or of which differences are not posted."""
    of_store = StocktakeSheet.objects.filter(store=store_id)
    is_unposted = of_store.filter(closing__given_up_because="", differences__isnull=False, settlement=None)
    return cast("QuerySet[StocktakeSheet]", of_store.filter(closing=None) | is_unposted)


def head_seq(*, organisation: Organisation) -> int:
    return Head.objects.filter(organisation=organisation).values_list("seq", flat=True).first() or 0


def moved(*, sheet: StocktakeSheet, lot_codes: Iterable[str]) -> QuerySet[Movement]:
    """Return what moved of the lots into or out of the sheet's store after its moment."""
    lots = Lot.objects.filter(organisation=sheet.organisation_id, code__in=list(lot_codes))
    return Movement.objects.filter(organisation=sheet.organisation_id, seq__gt=sheet.seq, lot__in=lots)


def net(rows: QuerySet[Movement], store_id: int) -> dict[str, int]:
    """Return by lot how much came into the store, less what went out."""
    signed = Case(
        When(target=store_id, then=F("mass_g")), When(source=store_id, then=-F("mass_g")), default=0
    )
    return dict(rows.values_list("lot__code").annotate(g=Sum(signed)).order_by())


def counts_of(*, sheet: StocktakeSheet) -> dict[str, list[StocktakeCount]]:
    """Return every count of the sheet by lot, in the order of counting."""
    found: dict[str, list[StocktakeCount]] = defaultdict(list)
    for row in sheet.counts.select_related("stream", "counted_by").order_by("lot_code", "pk"):
        found[row.lot_code].append(row)
    return found


def reduced(rows: Iterable[StocktakeCount]) -> list[stocktaking.Count]:
    return [stocktaking.Count(row.at_opening_g, row.is_recount) for row in rows]


@dataclass(frozen=True, slots=True)
class ToCount:
    """A lot that is to be counted, or was found: nothing of what the books hold, nor of what others found."""

    lot_code: str
    stream_name: str
    waste_code: str
    is_on_books: bool
    progress: Progress
    mine: tuple[StocktakeCount, ...]

    @property
    def label(self) -> str:
        return PROGRESS_TEXT[self.progress]

    @property
    def can_count(self) -> bool:
        if self.progress is Progress.RECOUNTED:
            return False
        return self.progress is Progress.RECOUNT_ASKED or not self.mine


def to_count(*, sheet: StocktakeSheet, by: User) -> list[ToCount]:
    """Return the lots of an open sheet, for one who counts: first what waits, then what is done."""
    counts = counts_of(sheet=sheet)
    lines = BookLine.objects.filter(sheet=sheet).select_related("lot__stream")
    streams = {line.lot.code: line.lot.stream for line in lines}
    on_books = frozenset(streams)
    streams |= {code: rows[0].stream for code, rows in counts.items() if code not in on_books}
    rows = [
        ToCount(
            code, stream.name, stream.waste_code, code in on_books,
            stocktaking.progress_of(reduced(counts.get(code, ()))),
            tuple(row for row in counts.get(code, ()) if row.counted_by_id == by.pk),
        )
        for code, stream in streams.items()
    ]  # fmt: skip
    return sorted(rows, key=lambda row: (not row.can_count, row.lot_code))


@dataclass(frozen=True, slots=True)
class ToPost:
    """A difference with what the books have caught up with since the count."""

    row: StocktakeDifference
    late_g: int

    @property
    def due_g(self) -> int:
        """What is to be posted: a gain above zero, a loss below."""
        return self.row.difference_g - self.late_g

    @property
    def loss_g(self) -> int:
        return -self.due_g


def to_post(*, sheet: StocktakeSheet) -> list[ToPost]:
    """
    Return the sheet's differences, less what was posted after the count of days before the sheet.

    Such a movement is of the time before anybody counted: what it moved had moved when it was counted.
    """
    rows = list(
        sheet.differences.select_related("stream", "count__counted_by", "explanation__movement").order_by(
            "lot_code"
        )
    )
    counted_until = {row.lot_code: row.count.seq for row in rows}
    if not rows:
        return []
    later = moved(sheet=sheet, lot_codes=counted_until).filter(
        seq__gt=min(counted_until.values()), moved_on__lt=sheet.opened_on
    )
    late: dict[str, int] = defaultdict(int)
    for code, seq, source, target, grams in later.values_list(
        "lot__code", "seq", "source_id", "target_id", "mass_g"
    ):
        if seq > counted_until[code]:
            late[code] += grams * ((target == sheet.store_id) - (source == sheet.store_id))
    return [
        ToPost(row, row.explanation.late_g if hasattr(row, "explanation") else late[row.lot_code])
        for row in rows
    ]


def counters_of(*, sheet: StocktakeSheet) -> set[int]:
    return set(sheet.counts.values_list("counted_by_id", flat=True))
