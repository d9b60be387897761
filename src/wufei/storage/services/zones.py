"""What changes zones: one is declared, a lot is put into one."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from wufei.ledger.kinds import PlaceKind
from wufei.ledger.models import Balance, Place, Stream
from wufei.ledger.transforming import known_incompatible
from wufei.registry.access import Permission
from wufei.registry.models import Organisation, User
from wufei.registry.queries import require
from wufei.registry.services import audit
from wufei.storage import queries, zoning
from wufei.storage.models import Placement, Zone
from wufei.storage.refusals import Code, StorageRefused
from wufei.storage.zoning import Rectangle, Waste
from wufei.terms.day import local_day
from wufei.terms.mass import Mass


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneSaid:
    """What is said of a zone."""

    code: str
    name: str
    place: Rectangle
    permitted: tuple[str, ...] = ()
    capacity: Mass | None = None
    containers: int | None = None

    @property
    def columns(self) -> dict[str, Any]:
        return {
            "code": self.code.strip(), "name": self.name.strip(), "permitted": sorted(set(self.permitted)),
            "capacity_g": self.capacity.grams if self.capacity else None, "containers": self.containers,
            **self.place._asdict(),
        }  # fmt: skip


@transaction.atomic
def declare_zone(
    *, store: Place, said: ZoneSaid, by: User, now: datetime, zone: Zone | None = None, version: int = 0
) -> Zone:
    """
    Declare a zone of the store, or change one that was read at `version`; what stands in it stays.

    :raises StorageRefused: if it can't be so, or somebody changed it meanwhile
    """
    organisation = store.organisation
    require(user=by, permission=Permission.EDIT_ORGANISATION, organisation=organisation, on=local_day(now))
    store = _locked(store)
    _refuse_impossible(store, said, zone)
    if zone is None:
        zone = Zone.objects.create(store=store, **said.columns)
    elif not Zone.objects.filter(pk=zone.pk, store=store, version=version).update(
        **said.columns, version=version + 1
    ):
        raise StorageRefused(Code.STALE_EDIT)
    audit(
        by=by, now=now, organisation=organisation, action="storage.declare_zone",
        object_ref=f"{store.code} {said.code}", detail=said.columns,
    )  # fmt: skip
    zone.refresh_from_db()
    return zone


def _locked(store: Place) -> Place:
    """Keep others from the store's zones until the transaction ends."""
    locked = Place.objects.select_for_update(no_key=True).filter(pk=store.pk, kind=PlaceKind.STORE).first()
    if locked is None:
        raise StorageRefused(Code.STORE_UNKNOWN, store.code)
    return locked


def _refuse_impossible(store: Place, said: ZoneSaid, zone: Zone | None) -> None:
    for what, most in ((said.code, 40), (said.name, 80)):
        if not what.strip():
            raise StorageRefused(Code.ZONE_CODE_MISSING)
        if len(what.strip()) > most or not what.isprintable():
            raise StorageRefused(Code.TEXT_NOT_STORABLE, what[:20])
    grams = said.capacity.grams if said.capacity else None
    sizes = (said.place.width_cm, said.place.depth_cm, said.containers, grams)
    if min(said.place.x_cm, said.place.y_cm) < 0 or any(each is not None and each <= 0 for each in sizes):
        raise StorageRefused(Code.ZONE_SIZE_WRONG)
    others = [each for each in queries.zones_of(store=store) if zone is None or each.pk != zone.pk]
    if any(each.code == said.code.strip() for each in others):
        raise StorageRefused(Code.ZONE_CODE_USED, said.code)
    for each in others:
        if zoning.overlap(said.place, Rectangle(each.x_cm, each.y_cm, each.width_cm, each.depth_cm)):
            raise StorageRefused(Code.ZONES_OVERLAP, each.code)
    streams = Stream.objects.filter(organisation=store.organisation_id)
    known = {word for row in streams.values_list("code", "waste_category") for word in row}
    for word in said.permitted:
        if word not in known and not zoning.is_category(word):
            raise StorageRefused(Code.PERMITTED_UNKNOWN, word)


@transaction.atomic
def place_lot(
    *,
    organisation: Organisation,
    store_code: str,
    lot_code: str,
    zone_code: str,
    client_id: UUID,
    by: User,
    now: datetime,
) -> Placement:
    """
    Put a lot that is in the store into one of its zones; with zone "", out of the one that it is in.

    :raises StorageRefused: if it isn't there, or may not stand in the zone, or not beside what stands there
    """
    require(user=by, permission=Permission.POST_MOVEMENTS, organisation=organisation, on=local_day(now))
    store = Place.objects.filter(organisation=organisation, code=store_code, kind=PlaceKind.STORE).first()
    if store is None:
        raise StorageRefused(Code.STORE_UNKNOWN, store_code)
    store = _locked(store)
    lot_code, zone_code = lot_code.strip(), zone_code.strip()
    before = Placement.objects.filter(store=store, client_id=client_id).select_related("lot", "zone").first()
    if before is not None:
        if (before.lot.code, before.zone.code if before.zone else "") != (lot_code, zone_code):
            raise StorageRefused(Code.CLIENT_ID_REUSED, str(client_id))
        return before
    zone = queries.zones_of(store=store).filter(code=zone_code).first()
    if zone is None and zone_code:
        raise StorageRefused(Code.ZONE_UNKNOWN, zone_code)
    standing = queries.standing_in(store=store)
    held = next((row for row in standing if row.lot.code == lot_code), None)
    if held is None:
        raise StorageRefused(Code.LOT_NOT_THERE, lot_code)
    if zone is not None:
        _refuse_standing(store, zone, held, standing)
    row = Placement.objects.create(
        store=store, lot=held.lot, zone=zone, client_id=client_id, placed_at=now, placed_by=by
    )
    audit(
        by=by, now=now, organisation=organisation, action="storage.place_lot", object_ref=lot_code,
        detail={"store": store.code, "zone": zone_code},
    )  # fmt: skip
    return row


def _refuse_standing(store: Place, zone: Zone, held: Balance, standing: list[Balance]) -> None:
    stream = held.lot.stream
    if not zoning.is_permitted(
        permitted=zone.permitted, stream_code=stream.code, waste_category=stream.waste_category
    ):
        raise StorageRefused(Code.NOT_PERMITTED_IN_ZONE, f"{zone.code}：{'、'.join(zone.permitted)}")
    where = queries.placed(store=store, since=queries.since_in(store=store))
    beside = {row.lot.stream.code: row.lot.stream for row in standing if where.get(row.lot_id) == zone.pk}
    own = Waste(stream.code, queries.nature_of(stream))
    others = [Waste(code, queries.nature_of(other)) for code, other in beside.items()]
    if why := zoning.first_clash([own], others, known_incompatible()):
        raise StorageRefused(Code.INCOMPATIBLE_IN_ZONE, why)
