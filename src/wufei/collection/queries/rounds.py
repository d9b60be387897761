"""Rounds with their stops, and what stands at a collection point, from whom."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import Prefetch, QuerySet

from wufei.collection.models import CollectionPoint, CollectionRound, Stop
from wufei.ledger.kinds import PlaceKind
from wufei.ledger.models import Balance, LineageEdge
from wufei.registry.access import Permission
from wufei.registry.models import Organisation, User
from wufei.registry.queries import lineage_of, require
from wufei.storage.queries.zones import Timed, timed
from wufei.transfers.models import ManifestLine


def rounds_of(*, organisation: Organisation, user: User, on: date) -> QuerySet[CollectionRound]:
    """
    Return the rounds of the collector, for who may sign for it.

    :raises NotPermitted: otherwise
    """
    require(user=user, permission=Permission.SIGN_MANIFESTS, organisation=organisation, on=on)
    rows = CollectionRound.objects.filter(collector__in=lineage_of(organisation=organisation))
    return rows.select_related("point__store", "collector")


def listed_rounds(rows: QuerySet[CollectionRound]) -> QuerySet[CollectionRound]:
    """Return the rounds with their stops and manifests read."""
    return rows.prefetch_related(Prefetch("stops", stops_in_order()))


def stops_in_order() -> QuerySet[Stop]:
    """Return stops in their order, each with its generator, manifest and lines."""
    lines = Prefetch("manifest__lines", ManifestLine.objects.select_related("stream").order_by("position"))
    rows = Stop.objects.select_related("generator", "manifest", "manifest__generator", "settled_by")
    return rows.prefetch_related(lines).order_by("position", "pk")


def stops_of(round_: CollectionRound) -> list[Stop]:
    return list(stops_in_order().filter(round=round_))


def pickups_for(*, generator: Organisation) -> QuerySet[Stop]:
    """Return the stops at which the generator has something to hand over, the next first."""
    rows = stops_in_order().filter(
        generator=generator, state=Stop.State.WAITING,
        round__state__in=(CollectionRound.State.PLANNED, CollectionRound.State.UNDER_WAY),
    )  # fmt: skip
    return rows.select_related("round__collector", "round__point").order_by("round__planned_on", "pk")


def past_pickups_of(*, generator: Organisation) -> QuerySet[Stop]:
    """Return what became of the generator's stops, the newest first: with which code it was signed."""
    rows = stops_in_order().filter(generator=generator).exclude(state=Stop.State.WAITING)
    shown = rows.select_related("round__collector", "spot_signature__driver", "spot_signature__holder")
    return shown.order_by("-settled_at", "-pk")


def loads_of(stops: Iterable[Stop]) -> dict[str, tuple[str, int]]:
    """Return what is loaded on the round, by waste code: its name, and its declared mass."""
    found: dict[str, tuple[str, int]] = {}
    for stop in stops:
        if stop.state != Stop.State.LOADED:
            continue
        for line in stop.manifest.lines.all():
            name, grams = found.get(line.waste_code, (line.waste_name, 0))
            found[line.waste_code] = (name, grams + line.declared_g)
    return dict(sorted(found.items()))


# --- what stands at the point


@dataclass(frozen=True, slots=True, kw_only=True)
class AtPoint:
    """A lot at a collection point, how long it has stood there, and from whom it is."""

    timed: Timed
    generators: tuple[Organisation, ...]


def stock_of_point(*, point: CollectionPoint, today: date) -> list[AtPoint]:
    """Return what stands at the point, what is due first on top, each with the generators that it is from."""
    rows = [
        each for each in timed(organisation=point.organisation, today=today) if each.place == point.store.code
    ]
    codes = [each.lot_code for each in rows]
    origins = _origins(point.organisation, codes)
    return [AtPoint(timed=each, generators=origins.get(each.lot_code, ())) for each in rows]


MOST_STEPS = 50  # of lots into lots within one collector; a chain is never so deep


def _origins(organisation: Organisation, codes: Sequence[str]) -> dict[str, tuple[Organisation, ...]]:
    """Return from which generators each lot is, back through whatever was done to it at the collector's."""
    own = {
        balance.lot.code: balance.lot_id
        for balance in Balance.objects.filter(
            place__organisation=organisation, place__kind=PlaceKind.STORE, mass_g__gt=0
        ).select_related("lot")
    }
    behind: dict[int, set[int]] = {lot: {lot} for code, lot in own.items() if code in set(codes)}
    ahead = {lot for lots in behind.values() for lot in lots}
    sources: dict[int, set[int]] = defaultdict(set)
    for _step in range(MOST_STEPS):
        edges = LineageEdge.objects.filter(
            target_lot__in=ahead, source_lot__organisation=organisation
        ).values_list("source_lot_id", "target_lot_id")
        found = list(edges)
        for source, target in found:
            sources[target].add(source)
        ahead = {source for source, _target in found}
        if not ahead:
            break
    for lots in behind.values():
        front = set(lots)
        while front:
            front = {source for lot in front for source in sources[lot]} - lots
            lots |= front
    everything = {lot for lots in behind.values() for lot in lots}
    lines = ManifestLine.objects.filter(receipt_lot__in=everything).select_related("manifest__generator")
    whose = {line.receipt_lot_id: line.manifest.generator for line in lines}
    return {
        code: tuple(
            sorted({whose[lot] for lot in behind[own[code]] if lot in whose}, key=lambda each: each.name)
        )
        for code in codes
        if code in own
    }
