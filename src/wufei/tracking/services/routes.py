"""The way that a load is to go is stated before it leaves."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Max

from wufei.registry.access import Permission
from wufei.registry.models import Organisation, User
from wufei.registry.queries import require
from wufei.registry.services import audit
from wufei.terms.day import local_day
from wufei.tracking import queries
from wufei.tracking.models import PlannedRoute
from wufei.tracking.refusals import Code, TrackingRefused
from wufei.tracking.route import RouteUnreadable, Stage, checked
from wufei.transfers.models import Manifest
from wufei.transfers.states import Party, State

OPEN_TO_CHANGE = (State.DRAFT, State.ISSUED)


@transaction.atomic
def state_route(
    *, manifest: Manifest, organisation: Organisation, stages: Sequence[Stage], by: User, now: datetime
) -> PlannedRoute:
    """
    State the way, for the generator or a carrier; once the load has left it stands. The same again is the same.

    :raises TrackingRefused: not_your_leg, route_malformed, route_sealed
    """
    require(user=by, permission=Permission.SIGN_MANIFESTS, organisation=organisation, on=local_day(now))
    row = Manifest.objects.select_for_update(of=("self",)).get(pk=manifest.pk)
    if not set(queries.parties_of(row, organisation)) & {Party.GENERATOR, Party.CARRIER}:
        raise TrackingRefused(Code.NOT_YOUR_LEG)
    try:
        sound = checked(stages)
    except RouteUnreadable as why:
        raise TrackingRefused(Code.ROUTE_MALFORMED, str(why.line)) from None
    said = [each.said() for each in sound]
    last = queries.route_of(row.pk)
    if last is not None and last.stages == said:
        return last
    if row.now_in not in OPEN_TO_CHANGE:
        raise TrackingRefused(Code.ROUTE_SEALED)
    number = PlannedRoute.objects.filter(manifest=row).aggregate(last=Max("number"))["last"] or 0
    route = PlannedRoute.objects.create(
        manifest=row, number=number + 1, stages=said, stated_for=organisation, stated_by=by, stated_at=now
    )
    audit(
        by=by, now=now, organisation=organisation, action="tracking.state_route", object_ref=row.reference,
        detail={"number": route.number, "points": len(said)},
    )  # fmt: skip
    return route
