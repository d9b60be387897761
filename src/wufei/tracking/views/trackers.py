"""Which trackers are there, and what did they say? Their list, their form, their last positions."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import F
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from wufei.ledger.views.desk import Desk, desk
from wufei.registry.access import Permission
from wufei.registry.views.listing import ROWS_PER_PAGE, page_at
from wufei.tracking import queries, services
from wufei.tracking.forms import TrackerForm
from wufei.tracking.models import Position, Tracker
from wufei.tracking.positions import Refused
from wufei.tracking.refusals import Code, TrackingRefused
from wufei.tracking.wording import POSITION_TEXT, TEXT

FIELD_OF = {Code.NAME_MISSING: "name", Code.VEHICLE_UNKNOWN: "plate"}


@require_safe
def trackers(request: HttpRequest, uscc: str) -> HttpResponse:
    """List the trackers, those in use first, with when they were last heard."""
    at = desk(request, uscc, Permission.VIEW_TRACKS)
    in_use_first = F("retired_at").asc(nulls_first=True)
    text = request.GET.get("q", "").strip()[:40]
    rows = queries.trackers(organisation=at.organisation)
    if text:
        rows = rows.filter(vehicle__plate__icontains=text)
    ordered = rows.order_by(in_use_first, "vehicle__plate", "name", "pk")
    page = page_at(Paginator(ordered, ROWS_PER_PAGE), request.GET.get("page"))
    context = at.context(
        page=page, now=at.now, text=text, has_vehicles=queries.vehicles_of(organisation=at.organisation).exists()
    )  # fmt: skip
    return render(request, "tracking/trackers.html", context)


@never_cache
@require_http_methods(["GET", "POST"])
def new_tracker(request: HttpRequest, uscc: str) -> HttpResponse:
    """Register a tracker, and show its secret this once."""
    at = desk(request, uscc, Permission.KEEP_PERMITS)
    form = TrackerForm(
        request.POST if request.method == "POST" else None,
        vehicles=queries.vehicles_of(organisation=at.organisation),
    )
    if request.method == "POST" and form.is_valid():
        try:
            row, secret = services.register_tracker(
                organisation=at.organisation, by=at.user, now=at.now, **form.cleaned_data
            )
        except TrackingRefused as refused:
            form.add_error(FIELD_OF.get(refused.code), _(TEXT[refused.code]))
        else:
            return _secret_page(request, at, row, secret)
    return render(
        request, "tracking/tracker_form.html", at.context(form=form), status=422 if form.errors else 200
    )


def _tracker(at: Desk, code: str) -> Tracker:
    row = queries.tracker_of(organisation=at.organisation, code=code)
    if row is None:
        raise Http404
    return row


def _secret_page(request: HttpRequest, at: Desk, row: Tracker, secret: str) -> HttpResponse:
    return render(request, "tracking/tracker_secret.html", at.context(row=row, secret=secret))


@never_cache
@require_POST
def renew_secret(request: HttpRequest, uscc: str, code: str) -> HttpResponse:
    """Give the tracker another secret, and show it this once."""
    at = desk(request, uscc, Permission.KEEP_PERMITS)
    row = _tracker(at, code)
    return _secret_page(request, at, row, services.renew_secret(tracker=row, by=at.user, now=at.now))


@require_POST
def retire_tracker(request: HttpRequest, uscc: str, code: str) -> HttpResponse:
    at = desk(request, uscc, Permission.KEEP_PERMITS)
    row = _tracker(at, code)
    try:
        services.retire_tracker(tracker=row, by=at.user, now=at.now)
    except TrackingRefused as refused:
        messages.error(request, _(TEXT[refused.code]))
    else:
        messages.success(request, _("已停用“%(name)s”；它报过的位置都还在。") % {"name": row.name})
    return redirect("tracking:tracker", at.uscc, row.code)


@require_safe
def tracker(request: HttpRequest, uscc: str, code: str) -> HttpResponse:
    """
    Show a tracker and what came of what it said last.

    Where it was is shown on the tracks of manifests alone: what a driver does on another errand is nobody's business.
    """
    at = desk(request, uscc, Permission.VIEW_TRACKS)
    row = _tracker(at, code)
    said = queries.said_by(tracker=row).order_by("-received_at", "-pk")
    page = page_at(Paginator(said, ROWS_PER_PAGE), request.GET.get("page"))
    rows = [(each, _words(each)) for each in page]
    return render(request, "tracking/tracker.html", at.context(row=row, page=page, rows=rows))


def _words(row: Position) -> str:
    if row.refusal:
        return _(POSITION_TEXT[Refused(row.refusal)])
    return _("存疑：与前后相差过远，不画入轨迹。") if row.is_outlier else ""
