"""A collector's pages: what is ready where, the rounds that fetch it, the scale at their end."""

import re
from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from wufei.collection import queries, rules, services
from wufei.collection.forms import (
    ReadyFilter,
    ReweighedForm,
    RoundFilter,
    RoundForm,
    WeighedForm,
    are_valid,
    kilograms,
)
from wufei.collection.models import CollectionRound
from wufei.collection.queries import LACK_TEXT, Ready, Wanted
from wufei.collection.refusals import CollectionRefused
from wufei.collection.services import Pick, Weighing
from wufei.collection.views.registering import tell
from wufei.collection.wording import WORD_TEXT, words
from wufei.ledger.models import WasteClass
from wufei.ledger.views.desk import Desk, desk
from wufei.registry.access import Permission
from wufei.registry.models import Driver, Vehicle
from wufei.registry.permits import category_of
from wufei.registry.views.listing import export, filters, page_at
from wufei.registry.views.organisations import division_name
from wufei.terms.mass import Mass

ROWS = 50
PICK = re.compile(r"([0-9A-Z]{18})/(.{1,60})")


# --- what is ready


@require_http_methods(["GET", "POST"])
def ready(request: HttpRequest, uscc: str) -> HttpResponse:
    """List what is ready at which generator; what is ticked becomes a round."""
    posted = request.POST if request.method == "POST" else None
    at = desk(request, uscc, Permission.HANDLE_MANIFESTS if posted is not None else Permission.SIGN_MANIFESTS)
    everything = queries.ready(collector=at.organisation, user=at.user, on=at.today)
    form = ReadyFilter(request.GET, parks=[row.park for row in everything])
    rows = queries.narrowed(everything, _wanted(filters(form)))
    if posted is None and request.GET.get("export") == "xlsx":
        return export(title=_("可收清单"), columns=_columns(), rows=rows)
    plan = _plan_form(at, posted)
    if posted is not None and plan.is_valid() and (made := _planned(at, plan, posted.getlist("pick"))):
        messages.success(request, _("已建立第 %(n)s 轮次。") % {"n": made.number})
        return redirect("collection:round", at.uscc, made.number)
    page = page_at(Paginator(rows, ROWS), request.GET.get("page"))
    context = at.context(
        form=form, plan=plan, page=page, picked=posted.getlist("pick") if posted is not None else [],
        unknown=len({row.generator.pk for row in everything if row.is_unknown}),
        total_g=sum(row.mass_g or 0 for row in rows if row.may_be_collected),
        has_points=bool(plan.fields["point"].choices), limit=rules.known_rules()["point_limit_tonnes"],  # type: ignore[attr-defined]
        vehicles=Vehicle.objects.filter(organisation=at.organisation, ended_on=None).order_by("plate")[:200],
        drivers=Driver.objects.filter(organisation=at.organisation, ended_on=None).order_by("name")[:200],
        listing={"is_filtered": any(request.GET.get(name) for name in form.fields)},
    )  # fmt: skip
    return render(request, "collection/ready.html", context, status=422 if plan.errors else 200)


def _wanted(asked: dict[str, Any]) -> Wanted:
    mass = kilograms(asked.get("at_least"))
    return Wanted(
        text=asked.get("q") or "", division=asked.get("division") or "", park=asked.get("park") or "",
        waste=(asked.get("waste") or "").strip().upper(), at_least_g=mass.grams if mass else 0,
        at_least_days=asked.get("days") or 0, standing=asked.get("standing") or "",
    )  # fmt: skip


def _plan_form(at: Desk, posted: Any) -> RoundForm:
    own: dict[str, Any] = {"organisation": at.organisation, "ended_on": None}
    return RoundForm(
        posted, points=queries.points_of(organisation=at.organisation, on=at.today),
        vehicles=list(Vehicle.objects.filter(**own)[:2]), drivers=list(Driver.objects.filter(**own)[:2]),
        initial={"planned_on": at.today},
    )  # fmt: skip


def _planned(at: Desk, form: RoundForm, picked: Sequence[str]) -> CollectionRound | None:
    """Plan the round of what was ticked, in the order of the list; a part of the bulk is planned over the API."""
    said = form.cleaned_data
    point = queries.points_of(organisation=at.organisation, on=at.today).get(store__code=said["point"])
    picks = [
        Pick(generator=matched[1], stream_code=matched[2])
        for each in picked
        if (matched := PICK.fullmatch(each)) is not None
    ]
    try:
        return services.plan_round(
            organisation=at.organisation, point=point, planned_on=said["planned_on"], plate=said["plate"],
            driver=said["driver"], driver_phone=said["driver_phone"], picks=picks, uid=said["uid"], by=at.user, now=at.now,
        )  # fmt: skip
    except CollectionRefused as refused:
        tell(form, refused)
    return None


def _columns() -> list[tuple[str, Any]]:
    def of(row: Ready, name: str) -> str:
        return getattr(row.stream, name) if row.stream is not None else ""

    return [
        (_("单位"), lambda row: row.generator.name),
        (_("地址"), lambda row: row.generator.address),
        (_("联系人"), lambda row: row.generator.contact),
        (_("电话"), lambda row: row.generator.phone),
        (_("行政区划"), lambda row: division_name(row.generator.division_code)),
        (_("园区"), lambda row: row.park),
        (_("废物代码"), lambda row: of(row, "waste_code")),
        (_("废物"), lambda row: of(row, "name")),
        (_("可收（吨）"), lambda row: None if row.mass_g is None else Mass(row.mass_g).tonnes),
        (_("已安排（吨）"), lambda row: Mass(row.planned_g).tonnes),
        (_("存放自"), lambda row: row.since),
        (_("天数"), lambda row: row.days),
        (_("最迟"), lambda row: row.last),
        (_("最近申报月份"), lambda row: f"{row.declared_for:%Y-%m}" if row.declared_for else ""),
        (_("申报"), lambda row: WORD_TEXT[row.word]),
        (_("不能收的原因"), lambda row: LACK_TEXT.get(row.lacks, "")),
    ]


# --- rounds


@require_safe
def rounds(request: HttpRequest, uscc: str) -> HttpResponse:
    """List the rounds, the newest first."""
    at = desk(request, uscc, Permission.SIGN_MANIFESTS)
    form = RoundFilter(request.GET, states=CollectionRound.State.choices)
    rows = queries.rounds_of(organisation=at.organisation, user=at.user, on=at.today)
    if state := filters(form).get("state"):
        rows = rows.filter(state=state)
    page = page_at(Paginator(queries.listed_rounds(rows).order_by("-number"), ROWS), request.GET.get("page"))
    context = at.context(
        form=form, page=page, rows=[(row, _counted(row)) for row in page],
        listing={"is_filtered": bool(request.GET.get("state"))},
    )  # fmt: skip
    return render(request, "collection/rounds.html", context)


def _counted(row: CollectionRound) -> dict[str, int]:
    """Return how many stops there are of each state, and what is planned or loaded."""
    stops = list(row.stops.all())
    counted = {
        state: sum(stop.state == state for stop in stops) for state in ("WAITING", "LOADED", "LEFT_OUT")
    }
    declared = sum(stop.manifest.declared_g for stop in stops if stop.state != "LEFT_OUT")
    received = sum(stop.manifest.received_g or 0 for stop in stops)
    return counted | {"stops": len(stops), "declared_g": declared, "received_g": received}


def round_of(at: Desk, number: int) -> CollectionRound:
    rows = queries.rounds_of(organisation=at.organisation, user=at.user, on=at.today)
    found = rows.filter(number=number).order_by("-pk").first()
    if found is None:
        raise Http404
    return found


@require_safe
def round_(request: HttpRequest, uscc: str, number: int) -> HttpResponse:
    """Show a round with its stops in their order, and what may be done with it now."""
    at = desk(request, uscc, Permission.SIGN_MANIFESTS)
    row = round_of(at, number)
    stops = queries.stops_of(row)
    context = at.context(
        row=row, stops=stops, loads=_loads(row, stops), is_planned=row.state == "PLANNED", is_under_way=row.state == "UNDER_WAY",
        is_settled=all(stop.state != "WAITING" for stop in stops),
    )  # fmt: skip
    return render(request, "collection/round.html", context)


def _loads(row: CollectionRound, stops: Sequence[Any]) -> list[tuple[str, str, int, int | None]]:
    """Return what is on the round by waste: code, name, declared and received mass."""
    found: dict[str, tuple[str, int, int | None]] = {}
    for stop in stops:
        if stop.state == "LEFT_OUT":
            continue
        for line in stop.manifest.lines.all():
            name, declared, received = found.get(line.waste_code, (line.waste_name, 0, None))
            if line.received_g is not None:
                received = (received or 0) + line.received_g
            found[line.waste_code] = (name, declared + line.declared_g, received)
    return [(code, *said) for code, said in sorted(found.items())]


@require_POST
def act(request: HttpRequest, uscc: str, number: int) -> HttpResponse:
    """Start a round, call it off, or move a stop up or down."""
    what = request.POST.get("what", "")
    at = desk(request, uscc, Permission.HANDLE_MANIFESTS if what == "cancel" else Permission.SIGN_MANIFESTS)
    row = round_of(at, number)
    try:
        if what == "start":
            services.start_round(round_=row, by=at.user, now=at.now)
            return redirect("collection:drive", at.uscc, number)
        if what == "cancel":
            services.cancel_round(round_=row, words=request.POST.get("words", ""), by=at.user, now=at.now)
        elif moved := re.fullmatch(r"(up|down):(\d{1,18})", what):
            order = _moved([stop.pk for stop in queries.stops_of(row)], int(moved[2]), moved[1] == "up")
            services.reorder(round_=row, order=order, by=at.user, now=at.now)
    except CollectionRefused as refused:
        messages.error(request, words(refused))
    return redirect("collection:round", at.uscc, number)


def _moved(keys: list[int], key: int, is_up: bool) -> list[int]:
    """
    >>> _moved([1, 2, 3], 2, True), _moved([1, 2, 3], 3, False), _moved([1, 2], 9, True)
    ([2, 1, 3], [1, 2, 3], [1, 2])
    """
    if key not in keys:
        return keys
    at = keys.index(key)
    to = min(max(at + (-1 if is_up else 1), 0), len(keys) - 1)
    keys[at], keys[to] = keys[to], keys[at]
    return keys


@require_http_methods(["GET", "POST"])
def close(request: HttpRequest, uscc: str, number: int) -> HttpResponse:
    """Weigh each waste of the round once at the point; the manifests are confirmed, each with its share."""
    at = desk(request, uscc, Permission.SIGN_MANIFESTS)
    row = round_of(at, number)
    posted = request.POST if request.method == "POST" else None
    stops = queries.stops_of(row)
    loads = queries.loads_of(stops)
    weighed_forms = [
        WeighedForm(
            posted,
            waste_code=code,
            name=name,
            declared_g=grams,
            is_hazardous=category_of(code).startswith("HW"),
        )
        for code, (name, grams) in loads.items()
    ]
    sure = ReweighedForm(posted)
    if posted is not None and are_valid([sure, *weighed_forms]):
        weighed = [
            Weighing(
                waste_code=each.waste_code, received=kilograms(each.cleaned_data["received"]) or Mass(0),
                mode=each.cleaned_data["mode"],
            )
            for each in weighed_forms
        ]  # fmt: skip
        try:
            services.close_round(
                round_=row,
                weighings=weighed,
                is_reweighed=sure.cleaned_data["is_reweighed"],
                by=at.user,
                now=at.now,
            )
        except CollectionRefused as refused:
            sure.add_error(None, words(refused))
        else:
            messages.success(request, _("已收进收集点，每张联单的接受量已分摊到克。"))
            return redirect("collection:round", at.uscc, number)
    context = at.context(
        row=row, forms=weighed_forms, form=sure, waiting=sum(stop.state == "WAITING" for stop in stops),
        is_under_way=row.state == "UNDER_WAY", hazardous=WasteClass.HAZARDOUS,
    )  # fmt: skip
    is_wrong = any(each.errors for each in (sure, *weighed_forms))
    return render(request, "collection/close.html", context, status=422 if is_wrong else 200)
