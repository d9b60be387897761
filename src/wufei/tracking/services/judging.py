"""
Alerts are opened and closed: when positions arrive, and by the clock, since a silence says nothing.

A leg is judged anew from all its positions each time; what was found before and still stands keeps its record, what a
later backlog disproves is withdrawn, nothing is deleted.
"""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import transaction

from wufei.registry.access import Permission
from wufei.registry.models import Organisation, User
from wufei.registry.queries import lineage_of, require
from wufei.registry.services import audit
from wufei.terms.day import local_day
from wufei.tracking import queries
from wufei.tracking.geometry import length_m
from wufei.tracking.incidents import AlertKind, Incident, Way, Window, incidents
from wufei.tracking.limits import limits
from wufei.tracking.models import Alert, Track
from wufei.tracking.positions import Fix
from wufei.tracking.refusals import Code, TrackingRefused
from wufei.transfers.models import Leg

LONGEST_REMARK = 300


def watch(*, now: datetime) -> int:
    """
    Judge every leg of which something may be new though nothing was heard; return how many.

    Each in its own transaction: two that watch at once find the same, and write it once.
    """
    found = list(queries.legs_to_judge(now, limits()))
    for leg in found:
        judge(leg=leg, now=now, by_clock=True)
    return len(found)


@transaction.atomic
def judge(*, leg: Leg, now: datetime, by_clock: bool = False) -> Track:
    """
    Sum the leg's positions up, and open and close its alerts.

    That it is silent now is for the clock alone to notice: a backlog that comes in several parts is about to end it.
    """
    Track.objects.get_or_create(leg=leg, defaults={"judged_at": now})
    track = Track.objects.select_for_update().get(leg=leg)
    leg = Leg.objects.get(pk=leg.pk)  # it may have ended while we waited
    if track.purged_at is not None:
        return track
    windows = queries.windows_of(leg)
    fixes = queries.fixes_of(leg, windows)
    line = [fix for fix in fixes if not fix.is_outlier]
    way = _way(leg, line)
    found = [
        each
        for window, part in zip(windows, queries.split(line, windows), strict=True)
        for each in incidents(window, part, way, now=now, limits=limits())
    ]
    _write_alerts(track, found, now, by_clock=by_clock)
    _sum_up(track, leg, windows, fixes, now, is_heard=way.heard_from is not None)
    return track


def _way(leg: Leg, line: Sequence[Fix]) -> Way:
    """Where no route was stated, the load left from where it was first seen; where it goes is not known."""
    route = queries.points_of(queries.route_of(leg.manifest_id))
    places = (route[0], route[-1]) if route else tuple(fix.point for fix in line[:1])
    since = queries.heard_on(leg).order_by("registered_at").values_list("registered_at", flat=True)
    return Way(places=places, route=route, heard_from=since.first())


def _write_alerts(track: Track, found: Iterable[Incident], now: datetime, *, by_clock: bool) -> None:
    before = {(row.kind, row.began_at): row for row in Alert.objects.filter(track=track)}
    fresh = []
    for each in found:
        latitude, longitude = each.point or (None, None)
        said = {
            "ended_at": each.ended_at, "latitude_udeg": latitude, "longitude_udeg": longitude,
            "metres": each.metres, "withdrawn_at": None,
        }  # fmt: skip
        row = before.pop((each.kind.value, each.began_at), None)
        if row is None:
            if each.kind is AlertKind.SILENCE and each.ended_at is None and not by_clock:
                continue
            fresh.append(
                Alert(track=track, kind=each.kind.value, began_at=each.began_at, opened_at=now, **said)
            )
        elif any(getattr(row, name) != value for name, value in said.items()):
            Alert.objects.filter(pk=row.pk).update(**said)
    Alert.objects.bulk_create(fresh)
    disproved = [row.pk for row in before.values() if row.withdrawn_at is None]
    if disproved:
        Alert.objects.filter(pk__in=disproved).update(withdrawn_at=now)


def _sum_up(
    track: Track, leg: Leg, windows: Sequence[Window], fixes: Sequence[Fix], now: datetime, *, is_heard: bool
) -> None:
    line = [fix for fix in fixes if not fix.is_outlier]
    last = line[-1] if line else None
    track.judged_at, track.is_heard = now, is_heard
    track.position_count, track.outlier_count = len(line), len(fixes) - len(line)
    track.length_m = round(sum(length_m(fix.point for fix in part) for part in queries.split(line, windows)))
    track.first_at, track.last_at = (line[0].at, line[-1].at) if line else (None, None)
    track.last_latitude_udeg, track.last_longitude_udeg = last.point if last else (None, None)
    track.positions_sha256 = sha256_of(fixes) if fixes else ""
    track.ended_at = leg.ended_at
    track.save()


def sha256_of(fixes: Iterable[Fix]) -> str:
    """Return the hash of the positions, a line for each as the export writes them."""
    hashed = hashlib.sha256()
    for fix in fixes:
        hashed.update(f"{fix.at.timestamp():.6f} {fix.latitude_udeg} {fix.longitude_udeg}\n".encode())
    return hashed.hexdigest()


@transaction.atomic
def acknowledge(*, alert: Alert, organisation: Organisation, remark: str, by: User, now: datetime) -> Alert:
    """
    Say what was behind an alert, for the carrier or the generator; once, and for good.

    :raises TrackingRefused: not_your_alert, remark_missing, already_acknowledged
    """
    require(user=by, permission=Permission.SIGN_MANIFESTS, organisation=organisation, on=local_day(now))
    row = (
        Alert.objects.select_for_update(of=("self",)).select_related("track__leg__manifest").get(pk=alert.pk)
    )
    leg = row.track.leg
    if not queries.who_answers(row) & lineage_of(organisation=organisation):
        raise TrackingRefused(Code.NOT_YOUR_ALERT)
    remark = remark.strip()
    if not remark or len(remark) > LONGEST_REMARK or not remark.isprintable():
        raise TrackingRefused(Code.REMARK_MISSING)
    if row.acknowledged_at is not None:
        raise TrackingRefused(Code.ALREADY_ACKNOWLEDGED)
    row.acknowledged_at, row.acknowledged_by, row.acknowledged_for, row.remark = now, by, organisation, remark
    row.save(update_fields=["acknowledged_at", "acknowledged_by", "acknowledged_for", "remark"])
    audit(
        by=by, now=now, organisation=organisation, action="tracking.acknowledge",
        object_ref=leg.manifest.reference, detail={"alert": row.kind, "remark": remark},
    )  # fmt: skip
    return row
