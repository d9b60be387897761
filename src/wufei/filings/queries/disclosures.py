"""What reads disclosures: what the ledger says of a year now, and what was published of it."""

from datetime import date, timedelta

from django.db.models import Max, Min, OuterRef, Q, QuerySet, Subquery, Sum
from django.utils import timezone

from wufei.filings import disclosing
from wufei.filings.disclosing import Content, Flow, Published, Store, Waste
from wufei.filings.models import Disclosure
from wufei.ledger.kinds import Kind
from wufei.ledger.models import Head, MonthlyFlow, Stream, WasteClass
from wufei.ledger.queries import stores_of
from wufei.ledger.queries.inventory import held_by_stream
from wufei.registry.models import Organisation


def current_content(*, organisation: Organisation, year: int) -> Content:
    """Return what would be published of the year now, in the same few queries for any number of wastes."""
    last_day = date(year, 12, 31)
    closed = Head.objects.filter(organisation=organisation).values_list("closed_through", flat=True).first()
    flows = MonthlyFlow.objects.filter(organisation=organisation, month__lte=last_day)
    begun = flows.aggregate(first=Min("month"))["first"]
    before, after = _held(organisation, date(year, 1, 1) - timedelta(days=1)), _held(organisation, last_day)
    wastes = _wastes(organisation, year, begun, before, after)
    moved = (
        flows.filter(month__year=year)
        .values_list("stream__code", "kind", "method", "counterparty")
        .annotate(grams=Sum("mass_g"))
        .order_by()
    )
    stores = [
        Store(code=each.code, name=each.name, store_type=each.store_type, capacity_g=each.capacity_g)
        for each in stores_of(organisation=organisation)
    ]
    return disclosing.content(
        wastes=wastes, flows=(Flow(*row) for row in moved), stores=stores,
        is_closed=closed is not None and closed >= last_day,
    )  # fmt: skip


def _held(organisation: Organisation, on: date) -> dict[str, int]:
    found: dict[str, int] = {}
    for waste_class in WasteClass.values:
        found |= held_by_stream(organisation=organisation, on=on, waste_class=waste_class)
    return found


def _wastes(
    organisation: Organisation, year: int, begun: date | None, before: dict[str, int], after: dict[str, int]
) -> list[Waste]:
    known = MonthlyFlow.objects.filter(organisation=organisation, month__lte=date(year, 12, 31))
    rows = Stream.objects.filter(organisation=organisation).annotate(
        seen=Subquery(known.filter(stream=OuterRef("pk")).order_by().values("stream").annotate(m=Max("month")).values("m")),
        opened=Subquery(
            known.filter(stream=OuterRef("pk"), kind=Kind.OPENING_STOCK.value).order_by().values("stream")
            .annotate(m=Max("month")).values("m")
        ),
    )  # fmt: skip
    return [
        Waste(
            stream=row.code, name=row.name, waste_class=row.waste_class, waste_code=row.waste_code,
            waste_category=row.waste_category, stock_before_g=before.get(row.code, 0),
            stock_after_g=after.get(row.code, 0), is_known=row.seen is not None,
            begins_known=row.seen is not None
            and ((begun is not None and begun < date(year, 1, 1)) or row.opened is not None),
        )
        for row in rows.order_by("-waste_class", "code")
    ]  # fmt: skip


def disclosures_of(*, organisation: Organisation, year: int | None = None) -> QuerySet[Disclosure]:
    """Return what was published, the newest year and version first."""
    rows = Disclosure.objects.filter(organisation=organisation).select_related("published_by")
    return (rows if year is None else rows.filter(year=year)).order_by("-year", "-number")


def disclosure(*, uscc: str, year: int, number: int | None = None) -> Disclosure | None:
    """Return a published disclosure, for anybody; the version that holds where none is named."""
    rows = Disclosure.objects.filter(organisation__uscc=uscc, year=year).select_related("organisation")
    return (rows if number is None else rows.filter(number=number)).order_by("-number").first()


def published(*, text: str = "", year: int | None = None) -> QuerySet[Disclosure]:
    """Return the versions that hold, of everybody, the latest first: for the public's list."""
    newest = (
        Disclosure.objects.filter(organisation=OuterRef("organisation"), year=OuterRef("year"))
        .order_by("-number")
        .values("pk")[:1]
    )
    rows = Disclosure.objects.filter(pk=Subquery(newest)).select_related("organisation")
    if text:
        rows = rows.filter(
            Q(name_given__icontains=text) | Q(organisation__name__icontains=text) | Q(organisation__uscc=text)
        )
    if year is not None:
        rows = rows.filter(year=year)
    return rows.order_by("-published_at", "-pk")


def handed_out(row: Disclosure) -> Published:
    """Return a disclosure as documents say it."""
    at = timezone.localtime(row.published_at).isoformat(timespec="seconds")
    return Published(
        uscc=row.organisation.uscc, name=row.name_given, year=row.year, number=row.number, content=row.content,
        sha256=row.sha256, reason=row.reason, published_at=at, seq=row.seq, chain_hash=row.chain_hash,
        algorithm=row.algorithm, daily_root=row.daily_root,
    )  # fmt: skip
