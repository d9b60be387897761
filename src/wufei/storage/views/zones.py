"""The pages of zones: the plan of a store, one zone, a lot put into one, and what has stood how long."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from wufei.ledger.models import Place
from wufei.ledger.queries import stores_of
from wufei.ledger.views.desk import Desk, desk
from wufei.registry.access import Permission
from wufei.registry.views.listing import page_at
from wufei.storage import queries, services
from wufei.storage.forms import PlaceForm, StoreChoice, ZoneForm
from wufei.storage.models import Zone
from wufei.storage.queries import ZoneView
from wufei.storage.refusals import Code, StorageRefused
from wufei.storage.time_limits import Due, known_time_limits
from wufei.storage.wording import words
from wufei.storage.zoning import Fullness

ROWS = 50
MARGIN_CM = 40
LOTS_DRAWN = 4
MOST_WIDE_PX, MOST_DEEP_PX, LARGEST_PX = 900, 560, 17
# Each state by colour and by its outline, so that a print in grey says the same.
FILLS = {Fullness.FREE: "#e3f1e7", Fullness.NEAR: "#fdeecb", Fullness.OVER: "#f8d7d3"}
DASHES = {Fullness.FREE: "", Fullness.NEAR: "30 12", Fullness.OVER: "8 8"}


@dataclass(frozen=True, slots=True)
class Drawn:
    """A zone of the plan, in centimetres."""

    view: ZoneView
    fill: str
    dash: str
    size: int  # of its writing
    lines: Sequence[tuple[int, str]]  # (down from the upper edge, words)


@require_safe
def zones(request: HttpRequest, uscc: str) -> HttpResponse:
    """Show a store's zones to scale, and what stands in them."""
    at = desk(request, uscc)
    return _page(request, at, _store(at, request.GET.get("store", "")), None)


def _store(at: Desk, code: str) -> Place | None:
    """Return the store that is asked for; unasked the first that has zones, for it is what there is to see."""
    stores = list(stores_of(organisation=at.organisation))
    if code or not stores:
        return next((store for store in stores if store.code == code), None)
    zoned = Zone.objects.filter(store__in=stores).order_by("store").values_list("store_id", flat=True).first()
    return next((store for store in stores if store.pk == zoned), stores[0])


def _page(request: HttpRequest, at: Desk, store: Place | None, form: PlaceForm | None) -> HttpResponse:
    stores = list(stores_of(organisation=at.organisation))
    if store is None and stores:
        raise Http404
    views, loose = queries.zone_views(store=store, today=at.today) if store else ([], [])
    box = _box(views)
    context = at.context(
        store=store, views=views, plan=[_drawn(view, LARGEST_PX * box[0] // box[2]) for view in views], box=box, many=len(stores) > 1,
        choice=StoreChoice({"store": store.code} if store else None, stores=stores),
        page=page_at(Paginator(loose, ROWS), request.GET.get("page")),
        form=form or PlaceForm(
            zones=[view.zone for view in views], store=store.code if store else "", lot=request.GET.get("lot", "")[:80]
        ),
    )  # fmt: skip
    return render(request, "storage/zones.html", context, status=422 if form and form.errors else 200)


def _box(views: Sequence[ZoneView]) -> tuple[int, int, int, int]:
    """Return how wide and deep the drawn part of the store is, in centimetres and in pixels."""
    zones = [view.zone for view in views]
    width = max((zone.x_cm + zone.width_cm for zone in zones), default=0) + MARGIN_CM
    depth = max((zone.y_cm + zone.depth_cm for zone in zones), default=0) + MARGIN_CM
    wide = min(MOST_WIDE_PX, MOST_DEEP_PX * width // depth)
    return width, depth, wide, wide * depth // width


def _drawn(view: ZoneView, largest: int) -> Drawn:
    """Write as much into the zone as its size takes; all of it stands in the table beside the plan."""
    zone = view.zone
    words = [f"{zone.code} {zone.name}", view.state]
    lots = [f"{lot.lot_code} {lot.days} 天" for lot in sorted(view.lots, key=lambda lot: -lot.days)]
    words += lots[:LOTS_DRAWN] + ([f"等 {len(lots)} 个批次"] if len(lots) > LOTS_DRAWN else [])
    longest = max(sum(2 if ord(c) > 0x2E7F else 1 for c in line) for line in words)
    size = max(
        min(zone.width_cm * 2 // (longest + 4), zone.depth_cm * 10 // (len(words) * 13 + 6), largest), 6
    )
    lines = [(size * 13 * at // 10 + size * 16 // 10, line) for at, line in enumerate(words)]
    return Drawn(view, FILLS[view.level], "4 4" if view.warnings else DASHES[view.level], size, lines)


@require_http_methods(["GET", "POST"])
def new_zone(request: HttpRequest, uscc: str) -> HttpResponse:
    """Declare a zone of the store that the address names."""
    at = desk(request, uscc, Permission.EDIT_ORGANISATION)
    store = _store(at, request.GET.get("store", ""))
    if store is None:
        raise Http404
    return _zone_page(request, at, store, None)


@require_http_methods(["GET", "POST"])
def zone(request: HttpRequest, uscc: str, zone_id: int) -> HttpResponse:
    """Change what is said of a zone."""
    at = desk(request, uscc, Permission.EDIT_ORGANISATION)
    own = Zone.objects.filter(store__organisation=at.organisation).select_related("store__organisation")
    found = get_object_or_404(own, pk=zone_id)
    return _zone_page(request, at, found.store, found)


def _zone_page(request: HttpRequest, at: Desk, store: Place, zone: Zone | None) -> HttpResponse:
    form = ZoneForm(request.POST if request.method == "POST" else None, zone=zone)
    if request.method == "POST" and form.is_valid():
        try:
            services.declare_zone(
                store=store,
                said=form.said,
                by=at.user,
                now=at.now,
                zone=zone,
                version=form.cleaned_data["version"],
            )
        except StorageRefused as refused:
            form.add_error(None, words(refused))
        else:
            messages.success(request, _("已保存分区“%(code)s”。") % {"code": form.said.code})
            return redirect(_address(at, store))
    context = at.context(form=form, store=store, zone=zone, back=_address(at, store))
    return render(request, "storage/zone.html", context, status=422 if form.errors else 200)


def _address(at: Desk, store: Place) -> str:
    return f"{reverse('storage:zones', args=[at.uscc])}?{urlencode({'store': store.code})}"


@require_POST
def place(request: HttpRequest, uscc: str) -> HttpResponse:
    """Put a lot into a zone."""
    at = desk(request, uscc, Permission.POST_MOVEMENTS)
    store = _store(at, request.POST.get("store", ""))
    if store is None:
        raise Http404
    form = PlaceForm(request.POST, zones=queries.zones_of(store=store))
    if not form.is_valid():
        return _page(request, at, store, form)
    said: dict[str, Any] = form.cleaned_data
    try:
        services.place_lot(
            organisation=at.organisation, store_code=store.code, lot_code=said["lot"], zone_code=said["zone"],
            client_id=said["client_id"], by=at.user, now=at.now,
        )  # fmt: skip
    except StorageRefused as refused:
        form.add_error("lot" if refused.code is Code.LOT_NOT_THERE else "zone", words(refused))
        return _page(request, at, store, form)
    messages.success(request, _("已放好“%(lot)s”。") % {"lot": said["lot"]})
    return redirect(_address(at, store))


@require_safe
def limits(request: HttpRequest, uscc: str) -> HttpResponse:
    """List what has stood how long, what is overdue or due first on top."""
    at = desk(request, uscc)
    rows = queries.timed(organisation=at.organisation, today=at.today)
    context = at.context(
        page=page_at(Paginator(rows, ROWS), request.GET.get("page")), known=known_time_limits(),
        overdue=sum(row.due is Due.OVERDUE for row in rows), soon=sum(row.due is Due.SOON for row in rows),
    )  # fmt: skip
    return render(request, "storage/limits.html", context)
