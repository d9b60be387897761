"""What stands in the stores, now or on a day; and which months are closed."""

import calendar
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from wufei.ledger import queries, services
from wufei.ledger.forms import ClosingForm, DayForm
from wufei.ledger.kinds import Kind
from wufei.ledger.models import Head, MonthClosing, MonthlyFlow, Place, Stream
from wufei.ledger.queries import Stock
from wufei.ledger.views.desk import Desk, desk
from wufei.ledger.views.listing import KindTotal, Wanted, flow_totals, narrowed
from wufei.ledger.wording import CLOSING_TEXT
from wufei.registry.access import Permission

LOTS_SHOWN = 50


@dataclass(slots=True)
class StreamStock:
    code: str
    name: str
    waste_code: str
    waste_class: str
    mass_g: int = 0
    lots: list[Stock] = field(default_factory=list)  # labelled only

    @property
    def lots_shown(self) -> list[Stock]:
        return self.lots[:LOTS_SHOWN]


@dataclass(slots=True)
class StoreStock:
    store: Place
    streams: dict[str, StreamStock] = field(default_factory=dict)

    @property
    def mass_g(self) -> int:
        return sum(each.mass_g for each in self.streams.values())

    @property
    def fullness_pct(self) -> int | None:
        """Return how full the store is, in whole per cent; None without a limit."""
        return self.mass_g * 100 // self.store.capacity_g if self.store.capacity_g else None

    @property
    def rows(self) -> list[StreamStock]:
        return list(self.streams.values())


def by_store(stores: Iterable[Place], rows: Iterable[Stock]) -> list[StoreStock]:
    """Return what each store holds, stream by stream; the empty ones too."""
    found = {store.code: StoreStock(store) for store in stores}
    for row in rows:
        streams = found[row.store_code].streams
        each = streams.setdefault(
            row.stream_code, StreamStock(row.stream_code, row.stream_name, row.waste_code, row.waste_class)
        )
        each.mass_g += row.mass_g
        if not row.is_bulk:
            each.lots.append(row)
    return list(found.values())


@require_safe
def stock(request: HttpRequest, uscc: str) -> HttpResponse:
    """Show what the stores hold now, or held at the end of a day."""
    at = desk(request, uscc)
    form = DayForm(request.GET)
    on = form.cleaned_data["on"] if form.is_valid() else None
    rows = queries.stock(organisation=at.organisation, on=on)
    by_stream: dict[tuple[str, str], int] = defaultdict(int)
    for row in rows:
        by_stream[row.stream_code, row.stream_name] += row.mass_g
    stores = by_store(queries.stores_of(organisation=at.organisation), rows)
    context = at.context(
        form=form, on=on, stores=stores, by_stream=sorted(by_stream.items()), total_g=sum(r.mass_g for r in rows),
        lots_shown=LOTS_SHOWN,
    )  # fmt: skip
    return render(request, "ledger/stock.html", context)


# --- months


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A line of the checklist before a month is closed."""

    is_fine: bool
    says: str
    address: str = ""  # the query of the list that shows what is meant


@require_safe
def months(request: HttpRequest, uscc: str) -> HttpResponse:
    """Show the closed months, and the checklist of the month that would be closed next."""
    at = desk(request, uscc)
    return _months_page(request, at, None)


def _months_page(request: HttpRequest, at: Desk, form: ClosingForm | None) -> HttpResponse:
    closings = MonthClosing.objects.filter(organisation=at.organisation).select_related("closed_by")
    open_months = _open_months(at)
    asked = _asked_month(request, open_months) or _latest_recorded(at, open_months)
    through = _month_end(asked) if asked else None
    context = at.context(
        closings=closings.order_by("-closed_through")[:60],
        open_months=open_months,
        month=asked,
        through=through,
        checks=_checks(at, open_months[0], asked) if asked else [],
        totals=_month_totals(at, open_months[0], asked) if asked else [],
        form=form or ClosingForm(initial={"through": through} if through else None),
    )
    return render(request, "ledger/months.html", context, status=422 if form else 200)


@require_POST
def close(request: HttpRequest, uscc: str) -> HttpResponse:
    """Close all months through the one that was checked."""
    at = desk(request, uscc, Permission.CLOSE_MONTH)
    form = ClosingForm(request.POST)
    if not form.is_valid():
        return _months_page(request, at, form)
    try:
        closing = services.close_month(
            organisation=at.organisation, through=form.cleaned_data["through"], by=at.user, now=at.now
        )
    except services.ClosingRefused as refused:
        form.add_error(None, _(CLOSING_TEXT[refused.code]))
        return _months_page(request, at, form)
    messages.success(request, _("已结账至 %(day)s。") % {"day": closing.closed_through.isoformat()})
    return redirect("ledger:months", at.uscc)


def _open_months(at: Desk) -> list[date]:
    """Return the first days of the months that are over and not closed, from the first with records on."""
    head = Head.objects.filter(organisation=at.organisation).first()
    if head is not None and head.closed_through:
        first = head.closed_through + timedelta(days=1)
    else:
        flows = MonthlyFlow.objects.filter(organisation=at.organisation).order_by("month")
        first = flows.values_list("month", flat=True).first() or at.today.replace(day=1)
    found = []
    while first < at.today.replace(day=1):
        found.append(first)
        first = _month_end(first) + timedelta(days=1)
    return found


def _asked_month(request: HttpRequest, open_months: list[date]) -> date | None:
    asked = request.GET.get("month", "")
    return next((m for m in open_months if f"{m:%Y-%m}" == asked), None)


def _latest_recorded(at: Desk, open_months: list[date]) -> date | None:
    """Return the last open month that has records, else the first open one."""
    if not open_months:
        return None
    flows = MonthlyFlow.objects.filter(organisation=at.organisation, month__in=open_months[-120:])
    return flows.order_by("-month").values_list("month", flat=True).first() or open_months[0]


def _month_end(month: date) -> date:
    return month.replace(day=calendar.monthrange(month.year, month.month)[1])


def _month_totals(at: Desk, first: date, last: date) -> list[KindTotal]:
    return flow_totals(organisation=at.organisation, wanted=Wanted(since=first, through=_month_end(last)))


def _checks(at: Desk, first: date, last: date) -> list[Check]:
    """Return what should be looked at before everything from the first month through the last is closed."""
    end = _month_end(last)
    flows = MonthlyFlow.objects.filter(organisation=at.organisation, month__range=(first, end))
    recorded = set(flows.values_list("month", flat=True).distinct())
    empty = [f"{m:%Y-%m}" for m in _open_months(at) if m <= last and m not in recorded]
    wanted = Wanted(since=first, through=end, only="unnamed")
    unnamed = narrowed(organisation=at.organisation, wanted=wanted).count()
    generated = set(flows.filter(kind=Kind.GENERATION).values_list("stream_id", flat=True))
    quiet = Stream.objects.filter(organisation=at.organisation).exclude(pk__in=generated).order_by("code")
    quiet_names = [f"{s.code} {s.name}" for s in quiet[:10]]
    query = f"since={first.isoformat()}&through={end.isoformat()}"
    return [
        Check(
            is_fine=not empty,
            says=_("每个月都有记录。") if not empty else _("这些月份没有任何记录：") + "、".join(empty[:12]),
        ),
        Check(
            is_fine=not unnamed,
            says=_("委外利用和处置都写明了对方单位。")
            if not unnamed
            else _("有 %(n)d 条委外记录没有对方单位，去向查不到。") % {"n": unnamed},
            address="" if not unnamed else f"{query}&only=unnamed",
        ),
        Check(
            is_fine=not quiet_names,
            says=_("每种废物在此期间都有产生记录。")
            if not quiet_names
            else _("这些废物在此期间没有产生记录，请确认确实没有产生：") + "、".join(quiet_names),
        ),
    ]
