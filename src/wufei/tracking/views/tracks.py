"""Where are the vehicles, which way did a load go, what was noticed? Lists, the drawn track, its exports."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from urllib.parse import quote

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from wufei.ledger.views.desk import Desk, desk
from wufei.registry.access import Permission
from wufei.registry.queries import lineage_of
from wufei.registry.views.listing import ROWS_PER_PAGE, export, filters, listing, page_at, sorted_rows
from wufei.tracking import queries, services
from wufei.tracking.drawing import Mark, Marked, Scene, picture, sampled, speeds
from wufei.tracking.forms import AlertFilter, RemarkForm, RoadFilter, RouteForm
from wufei.tracking.geometry import degrees, distance_to_line_m
from wufei.tracking.incidents import KIND_LABELS, AlertKind
from wufei.tracking.limits import known_limits, limits, source
from wufei.tracking.models import Alert, PlannedRoute
from wufei.tracking.positions import WGS84
from wufei.tracking.queries import LegTrack, OnTheRoad
from wufei.tracking.refusals import Code, TrackingRefused
from wufei.tracking.route import RouteUnreadable, read_route, written
from wufei.tracking.services.routes import OPEN_TO_CHANGE
from wufei.tracking.track_exports import WrittenAlert, WrittenLeg, as_csv, geojson
from wufei.tracking.wording import TEXT, words
from wufei.transfers.models import Manifest
from wufei.transfers.states import LABELS, Party

SORTS = {"since": ("signed_at",), "number": ("manifest__number",)}
ROWS_LISTED = 30
SHORT = {AlertKind.STOP: "停车", AlertKind.DETOUR: "偏离", AlertKind.SILENCE: "失联"}


@require_safe
def tracks(request: HttpRequest, uscc: str) -> HttpResponse:
    """List the vehicles that are under way, with where they were last and what was noticed."""
    at = desk(request, uscc, Permission.VIEW_TRACKS)
    form = RoadFilter(request.GET)
    said = filters(form)
    rows = queries.legs(
        organisation=at.organisation, user=at.user, on=at.today, under_way=said.get("way") != "ended"
    )
    rows = queries.narrowed(rows, text=said.get("q", ""), concern=said.get("concern", ""))
    if request.GET.get("export") == "xlsx":
        ordered, _sort = sorted_rows(request=request, rows=rows, sorts=SORTS, default="-since")
        return export(title=_("在途车辆"), columns=_columns(), rows=queries.with_tracks(ordered))
    shown = listing(request=request, rows=rows, sorts=SORTS, default_sort="-since", form=form)
    every = queries.alerts(organisation=at.organisation, user=at.user, on=at.today)
    context = at.context(
        listing=shown, rows=[(row, _silent_since(row, at.now)) for row in queries.with_tracks(shown.page)], now=at.now,
        waiting=queries.alerts_in(every, state="waiting").count(),
    )  # fmt: skip
    return render(request, "tracking/tracks.html", context)


def _silent_since(row: OnTheRoad, now: datetime) -> datetime | None:
    """Return since when nothing was heard, where that is too long and there is something to hear."""
    if row.leg.ended_at is not None or row.is_put_down or row.track is None or not row.track.is_heard:
        return None
    last = row.track.last_at or row.leg.signed_at
    return last if last is not None and now - last > limits().silent_after else None


def _columns() -> list[tuple[str, Any]]:
    def local(instant: datetime | None) -> datetime | None:
        return timezone.localtime(instant) if instant else None

    def last(row: OnTheRoad, name: str) -> str:
        value = getattr(row.track, name) if row.track else None
        return "" if value is None else degrees(value)

    return [
        (_("车牌号"), lambda row: row.plate),
        (_("联单编号"), lambda row: row.leg.manifest.number or ""),
        (_("状态"), lambda row: LABELS[row.leg.manifest.now_in]),
        (_("移出人"), lambda row: row.leg.manifest.generator.name),
        (_("承运人"), lambda row: row.leg.carrier.name),
        (_("接受人"), lambda row: row.leg.manifest.receiver.name),
        (_("起运时间"), lambda row: local(row.leg.signed_at)),
        (_("运抵时间"), lambda row: local(row.leg.ended_at)),
        (_("最后位置时间"), lambda row: local(row.track.last_at) if row.track else None),
        (_("纬度（WGS-84）"), lambda row: last(row, "last_latitude_udeg")),
        (_("经度（WGS-84）"), lambda row: last(row, "last_longitude_udeg")),
        (_("里程（米）"), lambda row: row.track.length_m if row.track else None),
        (_("提醒"), lambda row: "、".join(KIND_LABELS[AlertKind(each.kind)] for each in row.alerts)),
    ]


# --- one load's way


def _manifest(at: Desk, reference: str) -> Manifest:
    try:
        return queries.manifest_of(
            organisation=at.organisation, user=at.user, reference=reference, on=at.today
        )
    except Manifest.DoesNotExist:
        raise Http404 from None


@require_safe
def track(request: HttpRequest, uscc: str, reference: str) -> HttpResponse:
    """Show which way a load went: drawn, and as a table."""
    at = desk(request, uscc, Permission.VIEW_TRACKS)
    return _track_page(request, at, _manifest(at, reference), None)


def _track_page(request: HttpRequest, at: Desk, manifest: Manifest, form: RouteForm | None) -> HttpResponse:
    legs, route = queries.tracks_of(manifest), queries.route_of(manifest.pk)
    numbered = list(enumerate((alert for leg in legs for alert in leg.alerts), 1))
    may_state = (
        manifest.now_in in OPEN_TO_CHANGE
        and Permission.SIGN_MANIFESTS in at.held
        and bool(set(queries.parties_of(manifest, at.organisation)) & {Party.GENERATOR, Party.CARRIER})
    )
    if may_state and form is None:
        stages = queries.stages_of(route)
        form = RouteForm(initial={"text": written(stages), "datum": WGS84} if stages else None)
    origin, is_verified = source()
    context = at.context(
        row=manifest, legs=legs, now=at.now, picture=picture(_scene(legs, route, numbered)),
        alerts=[
            (number, *each)
            for number, each in enumerate(_answerable(at, (alert for _number, alert in numbered)), 1)
        ],
        points=_listed(legs, route), route=route, stages=queries.stages_of(route), limits=known_limits(),
        limit_source=origin, is_verified=is_verified, form=form if may_state else None,
        can_report=_can_report(at, manifest),
    )  # fmt: skip
    return render(request, "tracking/track.html", context, status=422 if form and form.errors else 200)


def _answerable(at: Desk, rows: Iterable[Alert]) -> list[tuple[Alert, bool]]:
    """Return the alerts, each with whether the reader may say what was behind it."""
    own = lineage_of(organisation=at.organisation) if Permission.SIGN_MANIFESTS in at.held else set()
    return [
        (
            row,
            not row.acknowledged_at and not row.withdrawn_at and bool(queries.who_answers(row) & own),
        )
        for row in rows
    ]


def _can_report(at: Desk, manifest: Manifest) -> bool:
    if Permission.SIGN_MANIFESTS not in at.held:
        return False
    leg = queries.carried_by(organisation=at.organisation, manifest=manifest)
    return leg is not None and leg.ended_at is None


def _scene(legs: list[LegTrack], route: PlannedRoute | None, numbered: list[tuple[int, Alert]]) -> Scene:
    ways = [way for leg in legs for way in leg.ways if way]
    marks = []
    stages = queries.stages_of(route)
    if stages:
        first, last = stages[0], stages[-1]
        marks += [
            Marked(Mark.PLACE, first.point, first.name or _("移出地")),
            Marked(Mark.PLACE, last.point, last.name or _("接受地")),
        ]
    if ways:
        is_over = all(leg.leg.ended_at is not None for leg in legs)
        marks.append(Marked(Mark.START, ways[0][0].point, _("起")))
        end = ways[-1][-1].point
        marks.append(Marked(Mark.END, end, _("止")) if is_over else Marked(Mark.NOW, end, _("最后位置")))
    for number, alert in numbered:
        if alert.latitude_udeg is None or alert.longitude_udeg is None or alert.withdrawn_at:
            continue
        kind = AlertKind(alert.kind)
        where = (alert.latitude_udeg, alert.longitude_udeg)
        marks.append(Marked(Mark(kind.value), where, f"{SHORT[kind]} {number}"))
    return Scene(
        ways=ways, marks=marks, route=queries.points_of(route), corridor_m=limits().corridor_m,
        outliers=[fix.point for leg in legs for fix in leg.outliers],
    )  # fmt: skip


def _listed(legs: list[LegTrack], route: PlannedRoute | None) -> list[dict[str, Any]]:
    """Return the points of the track that the table lists: a sample, the first and the last among them."""
    line = queries.points_of(route)
    rows: list[dict[str, Any]] = []
    for leg in legs:
        for way in leg.ways:
            rows += [
                {"plate": leg.plate, "fix": fix, "speed": speed}
                for fix, speed in zip(way, speeds(way), strict=True)
            ]
    shown = [rows[at] for at in sampled(len(rows), ROWS_LISTED)]
    for each in shown:
        each["off_m"] = round(distance_to_line_m(each["fix"].point, line)) if line else None
        each["is_off"] = each["off_m"] is not None and each["off_m"] > limits().corridor_m
    return shown


@require_POST
def state_route(request: HttpRequest, uscc: str, reference: str) -> HttpResponse:
    """Take the way that the load is to go."""
    at = desk(request, uscc, Permission.SIGN_MANIFESTS)
    manifest = _manifest(at, reference)
    form = RouteForm(request.POST)
    if form.is_valid():
        try:
            if form.cleaned_data["datum"] != WGS84:
                raise TrackingRefused(Code.DATUM_UNFIT)
            stages = read_route(form.cleaned_data["text"])
            services.state_route(
                manifest=manifest, organisation=at.organisation, stages=stages, by=at.user, now=at.now
            )
        except RouteUnreadable as why:
            form.add_error("text", words(TrackingRefused(Code.ROUTE_MALFORMED, str(why.line))))
        except TrackingRefused as refused:
            form.add_error("datum" if refused.code is Code.DATUM_UNFIT else None, _(words(refused)))
        else:
            messages.success(request, _("路线已申报。"))
            return redirect("tracking:track", at.uscc, manifest.reference)
    return _track_page(request, at, manifest, form)


def _written(manifest: Manifest) -> list[WrittenLeg]:
    return [
        WrittenLeg(
            number=leg.leg.position, plate=leg.plate, carrier=leg.leg.carrier.name,
            ways=[way for way in leg.ways if way], outliers=leg.outliers,
            alerts=[
                WrittenAlert(
                    kind=AlertKind(row.kind), began_at=row.began_at, ended_at=row.ended_at, remark=row.remark,
                    latitude_udeg=row.latitude_udeg, longitude_udeg=row.longitude_udeg,
                )
                for row in leg.alerts
                if row.withdrawn_at is None
            ],
        )
        for leg in queries.tracks_of(manifest)
    ]  # fmt: skip


@require_safe
def export_track(request: HttpRequest, uscc: str, reference: str, ending: str) -> HttpResponse:
    """Give the track away as GeoJSON or CSV."""
    at = desk(request, uscc, Permission.VIEW_TRACKS)
    manifest = _manifest(at, reference)
    if ending == "csv":
        content, kind = as_csv(manifest=manifest.reference, legs=_written(manifest)), "text/csv"
    elif ending == "geojson":
        stages = queries.stages_of(queries.route_of(manifest.pk))
        content = geojson(manifest=manifest.reference, legs=_written(manifest), route=stages)
        kind = "application/geo+json"
    else:
        raise Http404
    response = HttpResponse(content, content_type=f"{kind}; charset=utf-8")
    name = quote(f"轨迹-{manifest.reference}.{ending}")
    response["Content-Disposition"] = f"attachment; filename*=UTF-8''{name}"
    return response


# --- what was noticed


@require_safe
def alerts(request: HttpRequest, uscc: str) -> HttpResponse:
    """List what was noticed on the road, the latest first."""
    at = desk(request, uscc, Permission.VIEW_TRACKS)
    form = AlertFilter(request.GET)
    said = filters(form)
    rows = queries.alerts(organisation=at.organisation, user=at.user, on=at.today)
    rows = queries.alerts_in(
        rows, state=said.get("state", ""), kind=said.get("kind", ""), text=said.get("q", "")
    )
    page = page_at(Paginator(rows.order_by("-began_at", "-pk"), ROWS_PER_PAGE), request.GET.get("page"))
    context = at.context(
        form=form, page=page, rows=_answerable(at, page), now=at.now,
        is_filtered=any(request.GET.get(name) for name in form.fields),
    )  # fmt: skip
    return render(request, "tracking/alerts.html", context)


@require_POST
def acknowledge(request: HttpRequest, uscc: str, alert_id: int) -> HttpResponse:
    """Take the word of carrier or generator on an alert."""
    at = desk(request, uscc, Permission.SIGN_MANIFESTS)
    rows = queries.alerts(organisation=at.organisation, user=at.user, on=at.today)
    row = rows.filter(pk=alert_id).first()
    if row is None:
        raise Http404
    form = RemarkForm(request.POST)
    remark = form.cleaned_data["remark"] if form.is_valid() else ""
    try:
        services.acknowledge(alert=row, organisation=at.organisation, remark=remark, by=at.user, now=at.now)
    except TrackingRefused as refused:
        messages.error(request, _(TEXT[refused.code]))
    else:
        messages.success(request, _("已记下情况说明。"))
    address = reverse("tracking:track", args=[at.uscc, row.track.leg.manifest.reference])
    return redirect(f"{address}#alerts")
