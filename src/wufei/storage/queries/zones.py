"""What reads zones: what stands in which, for how long, how full it is, and what stands too near."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import Max, QuerySet

from wufei.catalogue.waste_codes import read_waste_code
from wufei.ledger.models import Balance, Place, Stream
from wufei.ledger.queries import inventory as inventory_
from wufei.ledger.transforming import StreamNature, known_incompatible
from wufei.registry.models import OperatingPermit, Organisation, PermitKind
from wufei.storage import time_limits, zoning
from wufei.storage.models import Placement, Zone
from wufei.storage.time_limits import Due, TimeLimit, known_time_limits
from wufei.storage.wording import DUE_TEXT, FULLNESS_TEXT
from wufei.storage.zoning import Fullness, Rectangle, Waste
from wufei.terms.day import local_day

OPERATING = (PermitKind.COMPREHENSIVE, PermitKind.COLLECTION)


def zones_of(*, store: Place) -> QuerySet[Zone]:
    return Zone.objects.filter(store=store).order_by("code")


def nature_of(stream: Stream) -> StreamNature:
    """Return what its neighbours mind of a stream."""
    entry = read_waste_code(stream.waste_code).entry
    hazards = frozenset(re.findall(r"In|[TCIR]", entry.hazard)) if entry else frozenset()
    return StreamNature(waste_class=stream.waste_class, waste_category=stream.waste_category, hazards=hazards)


def placed(*, store: Place, since: Mapping[str, date]) -> dict[int, int]:
    """
    Return the zone of each lot that stands in one of the store's, by lot.

    A lot that left the store and came back on a later day must be placed anew.
    """
    newest = Placement.objects.filter(store=store).values("lot").annotate(n=Max("pk")).values("n")
    rows = Placement.objects.filter(pk__in=newest).exclude(zone=None)
    return {
        lot: zone
        for lot, code, zone, at in rows.values_list("lot_id", "lot__code", "zone_id", "placed_at")
        if code in since and since[code] <= local_day(at)
    }


def since_in(*, store: Place) -> dict[str, date]:
    """Return since when each lot has stood in the store without a gap."""
    organisation = Organisation(pk=store.organisation_id)
    return {
        row.lot: row.since
        for row in inventory_.inventory(organisation=organisation)
        if row.place == store.code
    }


def standing_in(*, store: Place) -> list[Balance]:
    """Return what stands in the store now, by lot."""
    held = Balance.objects.filter(place=store, mass_g__gt=0)
    return list(held.select_related("lot__stream", "lot__container").order_by("lot__code"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A lot in a store."""

    lot_code: str
    stream: Stream
    mass_g: int
    is_bulk: bool
    days: int
    zone_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneView:
    """A zone with what stands in it."""

    zone: Zone
    lots: Sequence[Standing]
    level: Fullness
    warnings: Sequence[str]

    @property
    def mass_g(self) -> int:
        return sum(lot.mass_g for lot in self.lots)

    @property
    def containers(self) -> int:
        return sum(not lot.is_bulk for lot in self.lots)

    @property
    def state(self) -> str:
        return "；".join((FULLNESS_TEXT[self.level], *(["有不合之处"] if self.warnings else [])))


def zone_views(*, store: Place, today: date) -> tuple[list[ZoneView], list[Standing]]:
    """Return the store's zones with what stands in each, and what stands in none."""
    zones = list(zones_of(store=store))
    since = since_in(store=store)
    where = placed(store=store, since=since)
    lots = [
        Standing(
            lot_code=row.lot.code, stream=row.lot.stream, mass_g=row.mass_g, is_bulk=row.lot.is_bulk,
            days=(today - since.get(row.lot.code, today)).days, zone_id=where.get(row.lot_id),
        )
        for row in standing_in(store=store)
    ]  # fmt: skip
    inside: dict[int, list[Standing]] = {zone.pk: [] for zone in zones}
    loose: list[Standing] = []
    for lot in lots:
        (inside[lot.zone_id] if lot.zone_id is not None else loose).append(lot)
    warnings = _warnings(zones, inside)
    return [_view(zone, inside[zone.pk], warnings[zone.pk]) for zone in zones], loose


def _view(zone: Zone, lots: Sequence[Standing], warnings: Sequence[str]) -> ZoneView:
    by_mass = zoning.level(used=sum(lot.mass_g for lot in lots), limit=zone.capacity_g)
    by_number = zoning.level(used=sum(not lot.is_bulk for lot in lots), limit=zone.containers)
    return ZoneView(zone=zone, lots=lots, level=zoning.fuller(by_mass, by_number), warnings=warnings)


def _warnings(zones: Sequence[Zone], inside: Mapping[int, Sequence[Standing]]) -> dict[int, list[str]]:
    """Return of each zone what it no longer permits, and what in it and in a neighbour may not touch."""
    by_key = {zone.pk: zone for zone in zones}
    places = {z.pk: Rectangle(z.x_cm, z.y_cm, z.width_cm, z.depth_cm) for z in zones}
    wastes = {key: _wastes(lots) for key, lots in inside.items()}
    found = {zone.pk: _no_longer_permitted(zone, inside[zone.pk]) for zone in zones}
    for one, other in zoning.neighbours(places):
        if why := zoning.first_clash(wastes[one], wastes[other], known_incompatible()):
            found[one].append(f"与相邻的{by_key[other].code}：{why}")
            found[other].append(f"与相邻的{by_key[one].code}：{why}")
    return found


def _no_longer_permitted(zone: Zone, lots: Iterable[Standing]) -> list[str]:
    """What the zone permits may have been changed after a lot was put there."""
    streams = {lot.stream.code: lot.stream for lot in lots}
    return [
        f"分区不再允许存放{stream.name}"
        for code, stream in sorted(streams.items())
        if not zoning.is_permitted(
            permitted=zone.permitted, stream_code=code, waste_category=stream.waste_category
        )
    ]


def _wastes(lots: Iterable[Standing]) -> set[Waste]:
    streams = {lot.stream.code: lot.stream for lot in lots}
    return {Waste(code, nature_of(stream)) for code, stream in streams.items()}


# --- time limits


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """A lot in store with how long it has stood there, and how long it may."""

    place: str
    lot_code: str
    stream: Stream
    mass_g: int
    since: date
    days: int
    limit: TimeLimit | None
    last: date | None
    days_left: int | None
    due: Due

    @property
    def label(self) -> str:
        return DUE_TEXT[self.due]


def is_operator(*, organisation: Organisation, on: date) -> bool:
    """Does the organisation hold a permit for dealing with hazardous waste that is valid on the day?"""
    permits = OperatingPermit.objects.filter(
        organisation=organisation, kind__in=OPERATING, valid_from__lte=on, valid_through__gte=on
    )
    return permits.exclude(revoked_on__lte=on).exists()


def timed(*, organisation: Organisation, today: date) -> list[Timed]:
    """Return what stands in the stores, what is overdue or due first on top."""
    operates = is_operator(organisation=organisation, on=today)
    streams = {stream.code: stream for stream in Stream.objects.filter(organisation=organisation)}
    rows = [
        _timed(organisation, row, streams[row.stream], operates, today)
        for row in inventory_.inventory(organisation=organisation)
    ]
    return sorted(rows, key=lambda row: (row.last or date.max, row.since, row.lot_code))


def _timed(
    organisation: Organisation, row: inventory_.Standing, stream: Stream, operates: bool, today: date
) -> Timed:
    limit = time_limits.limit_for(
        limits=known_time_limits(), is_operator=operates, waste_class=stream.waste_class,
        division=organisation.division_code,
    )  # fmt: skip
    last = time_limits.last_day(row.since, limit.months) if limit else None
    return Timed(
        place=row.place, lot_code=row.lot, stream=stream, mass_g=row.mass_g, since=row.since,
        days=(today - row.since).days, limit=limit, last=last,
        days_left=(last - today).days if last else None, due=time_limits.due(last=last, today=today),
    )  # fmt: skip
