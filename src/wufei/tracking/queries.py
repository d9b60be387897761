"""
What reads trackers, tracks and alerts.

A track is there for the parties of its manifest, from dispatch to receipt, and for the authority that supervises one of
them: who asks, asks as an organisation whose manifests they may see, and holds VIEW_TRACKS for it. A park doesn't.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from wufei.registry.access import Permission, granting
from wufei.registry.models import Organisation, RoleAssignment, User, Vehicle
from wufei.registry.queries import lineage_of, require
from wufei.tracking.geometry import Point
from wufei.tracking.incidents import AlertKind, Window
from wufei.tracking.limits import Limits
from wufei.tracking.models import Alert, PlannedRoute, Position, Track, Tracker
from wufei.tracking.positions import AGREEING, Fix, Known
from wufei.tracking.route import Stage
from wufei.transfers import queries as transfers
from wufei.transfers.models import Leg, Manifest, Signature
from wufei.transfers.states import ON_THE_ROAD, Act, Party, State

BEFORE = 4 * AGREEING  # accepted positions before a batch that it is held against


# --- trackers


def trackers(*, organisation: Organisation) -> QuerySet[Tracker]:
    """Return the organisation's devices with when they were last heard, in one query."""
    last = Position.objects.filter(tracker=OuterRef("pk")).order_by("-received_at").values("received_at")
    return (
        Tracker.objects.filter(organisation=organisation, kind=Tracker.Kind.DEVICE)
        .select_related("vehicle")
        .annotate(last_received_at=Subquery(last[:1]))
    )


def tracker_of(*, organisation: Organisation, code: str) -> Tracker | None:
    return trackers(organisation=organisation).filter(code=code).first()


def vehicles_of(*, organisation: Organisation) -> QuerySet[Vehicle]:
    """Return the vehicles in use."""
    return Vehicle.objects.filter(organisation=organisation, ended_on=None).order_by("plate")


def said_by(*, tracker: Tracker) -> QuerySet[Position]:
    """Return all that the tracker said and that is kept; order is the caller's."""
    return Position.objects.filter(tracker=tracker)


def next_sequence(*, tracker: Tracker) -> int:
    last = Position.objects.filter(tracker=tracker).order_by("-sequence").values_list("sequence", flat=True)
    return (last.first() or 0) + 1


_FIX = ("sequence", "at", "latitude_udeg", "longitude_udeg", "is_outlier")


def known_of(*, tracker: Tracker, sequences: Sequence[int], now: datetime, limits: Limits) -> Known:
    """Return what the batch with these numbers is to be held against; the caller has the tracker locked."""
    mine = Position.objects.filter(tracker=tracker)
    accepted = mine.filter(refusal="").order_by("sequence")
    first, last = min(sequences), max(sequences)
    taken = mine.filter(sequence__gte=first, sequence__lte=last).values_list("sequence", flat=True)
    # What is older than what may come is nobody's neighbour.
    recent = accepted.filter(at__gte=now - limits.backlog - limits.backlog)
    around = [
        *recent.filter(sequence__lt=first).order_by("-sequence").values_list(*_FIX)[:BEFORE],
        *accepted.filter(sequence__gte=first, sequence__lte=last).values_list(*_FIX),
        *accepted.filter(sequence__gt=last).values_list(*_FIX)[:1],
    ]
    trip = None
    if tracker.leg is not None and tracker.leg.signed_at is not None:
        trip = (tracker.leg.signed_at, tracker.leg.ended_at)
    return Known(
        taken=frozenset(taken), around=[Fix(*row) for row in around], is_retired=tracker.retired_at is not None,
        trip=trip,
    )  # fmt: skip


# --- the way of a leg


def heard_on(leg: Leg) -> QuerySet[Tracker]:
    """Return what may be heard on the leg: devices in its vehicle that were in use then, phones on it."""
    devices = Q(pk__in=[])
    if leg.vehicle_id is not None:
        devices = Q(vehicle_id=leg.vehicle_id) & (Q(retired_at=None) | Q(retired_at__gt=leg.signed_at))
        if leg.ended_at is not None:
            devices &= Q(registered_at__lt=leg.ended_at)
    return Tracker.objects.filter(devices | Q(leg=leg))


def legs_touched(tracker: Tracker, since: datetime, until: datetime) -> QuerySet[Leg]:
    """Return the legs on which the tracker was heard then."""
    if tracker.leg_id is not None:
        return Leg.objects.filter(pk=tracker.leg_id)
    rows = Leg.objects.filter(vehicle=tracker.vehicle, signed_at__lte=until)
    return rows.filter(Q(ended_at=None) | Q(ended_at__gte=since)).order_by("pk")


def windows_of(leg: Leg) -> list[Window]:
    """Return the stretches of the leg on which the load is on the vehicle: not while it is put down on the way."""
    assert leg.signed_at is not None, "a leg that was begun"
    acts = Signature.objects.filter(
        manifest_id=leg.manifest_id, act__in=[Act.STORE, Act.RESUME], signed_at__gte=leg.signed_at
    )
    if leg.ended_at is not None:
        acts = acts.filter(signed_at__lte=leg.ended_at)
    found: list[Window] = []
    start: datetime | None = leg.signed_at
    for act, at in acts.order_by("seq").values_list("act", "signed_at"):
        if act == Act.STORE and start is not None:
            found.append(Window(start, at))
            start = None
        elif act == Act.RESUME and start is None:
            start = at
    if start is not None:
        found.append(Window(start, leg.ended_at))
    return found


def fixes_of(leg: Leg, windows: Sequence[Window]) -> list[Fix]:
    """Return the accepted positions of the stretches, outliers too, in the order of time."""
    within = Q(pk__in=[])
    for window in windows:
        end = Q(at__lte=window.end) if window.end is not None else Q()
        within |= Q(at__gte=window.start) & end
    keys = list(heard_on(leg).values_list("pk", flat=True))
    rows = Position.objects.filter(within, tracker__in=keys, refusal="")
    return [Fix(*row) for row in rows.order_by("at", "tracker", "sequence").values_list(*_FIX)]


def split(fixes: Iterable[Fix], windows: Sequence[Window]) -> list[list[Fix]]:
    """Return the positions of each stretch."""
    parts: list[list[Fix]] = [[] for _ in windows]
    for fix in fixes:
        at = next((n for n, window in enumerate(windows) if window.holds(fix.at)), None)
        if at is not None:
            parts[at].append(fix)
    return parts


def route_of(manifest_id: int) -> PlannedRoute | None:
    """Return the way that was stated last."""
    rows = PlannedRoute.objects.filter(manifest_id=manifest_id).select_related("stated_for")
    return rows.order_by("-number").first()


def stages_of(route: PlannedRoute | None) -> tuple[Stage, ...]:
    return tuple(Stage(**each) for each in route.stages) if route else ()


def points_of(route: PlannedRoute | None) -> tuple[Point, ...]:
    return tuple(each.point for each in stages_of(route))


# --- who sees which


def may_be_seen(*, organisation: Organisation, user: User, on: date) -> QuerySet[Manifest]:
    """
    Return the manifests whose tracks the person may see as the organisation.

    :raises NotPermitted: if the person may see none of its tracks
    """
    require(user=user, permission=Permission.VIEW_TRACKS, organisation=organisation, on=on)
    return transfers.manifests(organisation=organisation, user=user, on=on)


def manifest_of(*, organisation: Organisation, user: User, reference: str, on: date) -> Manifest:
    """
    Return the manifest of that number or uid, if its track may be seen.

    :raises NotPermitted, Manifest.DoesNotExist:
    """
    require(user=user, permission=Permission.VIEW_TRACKS, organisation=organisation, on=on)
    return transfers.manifest_of(organisation=organisation, user=user, reference=reference, on=on)


def legs(*, organisation: Organisation, user: User, on: date, under_way: bool = True) -> QuerySet[Leg]:
    """Return the legs that are under way, or that are over; each with its manifest and its parties."""
    seen = may_be_seen(organisation=organisation, user=user, on=on)
    rows = Leg.objects.filter(manifest__in=seen.values("pk"), signed_at__isnull=False)
    if under_way:
        rows = rows.filter(ended_at=None, manifest__state__in=ON_THE_ROAD)
    else:
        rows = rows.filter(ended_at__isnull=False)
    return rows.select_related("manifest__generator", "manifest__receiver", "carrier", "vehicle")


class Concern:
    """What a list of vehicles may be narrowed to."""

    ALERT = "alert"
    WAITING = "waiting"
    NEVER_HEARD = "unheard"


def narrowed(rows: QuerySet[Leg], *, text: str = "", concern: str = "") -> QuerySet[Leg]:
    """Return the legs that are asked for."""
    alerts = Alert.objects.filter(track__leg=OuterRef("pk"), withdrawn_at=None)
    if concern == Concern.ALERT:
        rows = rows.filter(Exists(alerts.filter(ended_at=None)))
    elif concern == Concern.WAITING:
        rows = rows.filter(Exists(alerts.filter(acknowledged_at=None)))
    elif concern == Concern.NEVER_HEARD:
        rows = rows.filter(~Exists(Track.objects.filter(leg=OuterRef("pk"), position_count__gt=0)))
    if not text:
        return rows
    parties = Q(carrier__name__icontains=text) | Q(manifest__generator__name__icontains=text)
    parties |= Q(manifest__receiver__name__icontains=text)
    return rows.filter(Q(manifest__number__icontains=text) | Q(said__plate__icontains=text) | parties)


@dataclass(frozen=True, slots=True, kw_only=True)
class OnTheRoad:
    """A leg as lists show it."""

    leg: Leg
    track: Track | None
    alerts: Sequence[Alert]  # not withdrawn, and either going on or waiting for somebody

    @property
    def plate(self) -> str:
        return str(self.leg.said.get("plate", ""))

    @property
    def is_put_down(self) -> bool:
        return self.leg.manifest.state == State.STORED_ON_THE_WAY and self.leg.ended_at is None


def with_tracks(rows: Iterable[Leg]) -> list[OnTheRoad]:
    """Return the legs with their tracks and alerts: two statements however many there are."""
    found = list(rows)
    tracks = {track.leg_id: track for track in Track.objects.filter(leg__in=[leg.pk for leg in found])}
    alerts: dict[int, list[Alert]] = {}
    open_ones = Q(ended_at=None) | Q(acknowledged_at=None)
    mine = Alert.objects.filter(open_ones, track__in=[t.pk for t in tracks.values()], withdrawn_at=None)
    for alert in mine.order_by("began_at", "pk"):
        alerts.setdefault(alert.track_id, []).append(alert)
    return [
        OnTheRoad(leg=leg, track=track, alerts=alerts.get(track.pk, []) if track else [])
        for leg in found
        for track in (tracks.get(leg.pk),)
    ]


def legs_to_show(manifest: Manifest) -> list[Leg]:
    """Return the legs that were begun, in their order."""
    rows = Leg.objects.filter(manifest=manifest, signed_at__isnull=False)
    return list(rows.select_related("carrier", "vehicle", "manifest").order_by("position"))


@dataclass(frozen=True, slots=True, kw_only=True)
class LegTrack:
    """A leg with all that is known of its way."""

    leg: Leg
    track: Track | None
    ways: Sequence[Sequence[Fix]]  # of each stretch, in the order of time
    outliers: Sequence[Fix]
    alerts: Sequence[Alert]

    @property
    def plate(self) -> str:
        return str(self.leg.said.get("plate", ""))


def tracks_of(manifest: Manifest) -> list[LegTrack]:
    """Return the legs that were begun, each with its positions and alerts."""
    legs = legs_to_show(manifest)
    tracks = {row.leg_id: row for row in Track.objects.filter(leg__in=[leg.pk for leg in legs])}
    found = []
    for leg in legs:  # a manifest has few
        windows = windows_of(leg)
        fixes = fixes_of(leg, windows)
        line = [fix for fix in fixes if not fix.is_outlier]
        track = tracks.get(leg.pk)
        found.append(
            LegTrack(
                leg=leg, track=track, ways=split(line, windows), outliers=[f for f in fixes if f.is_outlier],
                alerts=list(alerts_of(track)) if track else [],
            )
        )  # fmt: skip
    return found


# --- alerts


def alerts(*, organisation: Organisation, user: User, on: date) -> QuerySet[Alert]:
    """Return the alerts of the tracks that the person may see, each with its leg and manifest."""
    seen = may_be_seen(organisation=organisation, user=user, on=on)
    return with_parties(Alert.objects.filter(track__leg__manifest__in=seen.values("pk")))


def with_parties(rows: QuerySet[Alert]) -> QuerySet[Alert]:
    return rows.select_related(
        "track__leg__carrier", "track__leg__manifest__generator", "track__leg__manifest__receiver",
        "acknowledged_by", "acknowledged_for",
    )  # fmt: skip


def alerts_of(track: Track) -> QuerySet[Alert]:
    return with_parties(Alert.objects.filter(track=track)).order_by("began_at", "pk")


STATES: dict[str, Q] = {
    "waiting": Q(acknowledged_at=None, withdrawn_at=None),
    "going_on": Q(ended_at=None, withdrawn_at=None),
    "acknowledged": Q(acknowledged_at__isnull=False),
    "withdrawn": Q(withdrawn_at__isnull=False),
}


def alerts_in(rows: QuerySet[Alert], *, state: str = "", kind: str = "", text: str = "") -> QuerySet[Alert]:
    """Return the alerts that are asked for."""
    if state in STATES:
        rows = rows.filter(STATES[state])
    if kind in set(AlertKind):
        rows = rows.filter(kind=kind)
    if not text:
        return rows
    plate = Q(track__leg__said__plate__icontains=text)
    return rows.filter(plate | Q(track__leg__manifest__number__icontains=text))


def who_answers(alert: Alert) -> set[int]:
    """Return the keys of those who say what was behind the alert: carrier and generator."""
    leg = alert.track.leg
    return {leg.manifest.generator_id, leg.carrier_id}


def waiting_for(*, user: User) -> QuerySet[Alert]:
    """Return the alerts that wait for a word of one of the person's own organisations, in one statement."""
    roles = {role.value for role, _relation in granting(Permission.SIGN_MANIFESTS)}
    own = RoleAssignment.objects.filter(user=user, role__in=roles).values("organisation_id")
    mine = Q(track__leg__carrier__in=own) | Q(track__leg__manifest__generator__in=own)
    return Alert.objects.filter(mine, STATES["waiting"])


def own_among(*, user: User, alerts: Iterable[Alert]) -> dict[int, str]:
    """Return as which of their organisations the person would answer each alert: its uscc."""
    held = RoleAssignment.objects.filter(user=user).select_related("organisation")
    own = {row.organisation_id: row.organisation.uscc for row in held}
    return {
        alert.pk: own.get(alert.track.leg.carrier_id) or own.get(alert.track.leg.manifest.generator_id, "")
        for alert in alerts
    }


# --- who is to be looked at by the clock


def legs_to_judge(now: datetime, limits: Limits) -> QuerySet[Leg]:
    """
    Return the legs of which something may be new though nothing was heard.

    Those that ended since; and those with something to hear on them that was not heard, which nobody has noticed yet.
    """
    track = Track.objects.filter(leg=OuterRef("pk"))
    silent = Alert.objects.filter(
        track__leg=OuterRef("pk"), kind=AlertKind.SILENCE, ended_at=None, withdrawn_at=None
    )
    heard_since = track.filter(last_at__gt=now - limits.silent_after)
    there = Tracker.objects.filter(Q(vehicle=OuterRef("vehicle"), retired_at=None) | Q(leg=OuterRef("pk")))
    begun = Leg.objects.filter(signed_at__isnull=False)
    running = begun.filter(Exists(there), ended_at=None, manifest__state__in=ON_THE_ROAD)
    running = running.filter(~Exists(heard_since), ~Exists(silent))
    ended = begun.filter(Exists(track.filter(ended_at=None)), ended_at__isnull=False)
    keys = Q(pk__in=running.values("pk")) | Q(pk__in=ended.values("pk"))
    return Leg.objects.filter(keys).select_related("manifest").order_by("pk")


def carried_by(*, organisation: Organisation, manifest: Manifest) -> Leg | None:
    """Return the leg on which the organisation carries the manifest now, or carried it last."""
    keys = lineage_of(organisation=organisation)
    mine = [leg for leg in legs_to_show(manifest) if leg.carrier_id in keys]
    return next((leg for leg in mine if leg.ended_at is None), mine[-1] if mine else None)


def parties_of(manifest: Manifest, organisation: Organisation) -> tuple[Party, ...]:
    return transfers.parties_of(manifest, organisation, transfers.legs_of(manifest))
