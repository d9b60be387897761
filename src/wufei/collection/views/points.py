"""Collection points: what stands there, from whom, for how long and how full; and what is said of a point."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from wufei.collection import queries, services
from wufei.collection.forms import PointForm
from wufei.collection.refusals import CollectionRefused
from wufei.collection.views.registering import tell
from wufei.ledger.queries import stores_of
from wufei.ledger.views.desk import desk
from wufei.registry.access import Permission
from wufei.registry.views.listing import page_at
from wufei.storage import zoning
from wufei.storage.time_limits import Due
from wufei.storage.wording import FULLNESS_TEXT

ROWS = 50


@require_safe
def points(request: HttpRequest, uscc: str) -> HttpResponse:
    """Show what stands at a collection point."""
    at = desk(request, uscc)
    known = list(queries.points_of(organisation=at.organisation, on=at.today))
    asked = request.GET.get("point", "")
    point = next((each for each in known if each.store.code == asked), known[0] if known else None)
    rows = queries.stock_of_point(point=point, today=at.today) if point else []
    text = request.GET.get("q", "").strip()[:80]
    shown = [
        row
        for row in rows
        if not text
        or any(
            text in word for word in (row.timed.stream.name, row.timed.stream.waste_code, row.timed.lot_code)
        )
        or any(text in each.name for each in row.generators)
    ]
    held_g = sum(row.timed.mass_g for row in rows)
    level = zoning.level(used=held_g, limit=point.store.capacity_g) if point else None
    context = at.context(
        points=known, point=point, text=text, page=page_at(Paginator(shown, ROWS), request.GET.get("page")),
        held_g=held_g, level=level, level_text=FULLNESS_TEXT[level] if level else "",
        overdue=sum(row.timed.due is Due.OVERDUE for row in rows), soon=sum(row.timed.due is Due.SOON for row in rows),
        listing={"is_filtered": bool(text)},
    )  # fmt: skip
    return render(request, "collection/points.html", context)


@require_http_methods(["GET", "POST"])
def record(request: HttpRequest, uscc: str) -> HttpResponse:
    """Record a collection point, or change what is said of it."""
    at = desk(request, uscc, Permission.KEEP_PERMITS)
    stores = list(stores_of(organisation=at.organisation))
    known = {each.store.code: each for each in queries.points_of(organisation=at.organisation, on=at.today)}
    point = known.get(request.GET.get("point", ""))
    initial = {"address": at.organisation.address, "divisions": at.organisation.division_code}
    if point is not None:
        initial = {
            "store": point.store.code, "address": point.address, "divisions": "，".join(point.divisions),
            "emergency_phone": point.emergency_phone, "emergency_measures": point.emergency_measures,
        }  # fmt: skip
    form = PointForm(request.POST if request.method == "POST" else None, stores=stores, initial=initial)
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            services.record_point(
                organisation=at.organisation, store_code=said["store"], address=said["address"],
                divisions=said["divisions"].replace("，", ",").replace("、", ",").split(","),
                emergency_phone=said["emergency_phone"], emergency_measures=said["emergency_measures"], by=at.user,
                now=at.now,
            )  # fmt: skip
        except CollectionRefused as refused:
            tell(form, refused)
        else:
            messages.success(request, _("已登记收集点。"))
            return redirect("collection:points", at.uscc)
    context = at.context(form=form, has_stores=bool(stores))
    return render(request, "collection/record_point.html", context, status=422 if form.errors else 200)
