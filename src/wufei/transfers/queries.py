"""
What reads manifests.

A manifest is there for its parties, and for who may look at them (a park, an authority); a draft is there for its
own organisation alone. Whoever asks, asks as an organisation: the one whose page or address it is.
"""

from collections.abc import Collection, Iterable
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, F, OuterRef, Prefetch, Q, QuerySet, Sum

from wufei.ledger.kinds import PlaceKind
from wufei.ledger.models import Balance, Container, Lot, Stream
from wufei.ledger.queries.above import Hands
from wufei.registry.access import Permission
from wufei.registry.models import Organisation, User, Vehicle
from wufei.registry.queries import lineage_of, may, require
from wufei.transfers import fields
from wufei.transfers.fields import Part
from wufei.transfers.models import (
    Discrepancy,
    Flag,
    Leg,
    Manifest,
    ManifestLine,
    Revision,
    Signature,
    TransferApproval,
    WeighedLoad,
)
from wufei.transfers.numbering import NumberMalformed, read_number
from wufei.transfers.states import ENDED, Act, Party, State, acts_of

# How many rows a statement names: SQLite takes some 32,000.
NAMED_AT_ONCE = 500


def manifests(*, organisation: Organisation, user: User, on: date) -> QuerySet[Manifest]:
    """
    Return the manifests that the organisation is a party to, as far as the person may see them; each once.

    :raises NotPermitted: if the person may see no manifest of the organisation
    """
    require(user=user, permission=Permission.VIEW_MANIFESTS, organisation=organisation, on=on)
    parties = lineage_of(organisation=organisation)
    carried = Q(pk__in=_carried(parties))
    mine = Q(generator__in=parties)
    if not may(user=user, permission=Permission.SIGN_MANIFESTS, organisation=organisation, on=on):
        mine &= Q(number__isnull=False)
    others = Q(number__isnull=False) & (Q(receiver__in=parties) | carried)
    return Manifest.objects.filter(mine | others)


def _carried(parties: Collection[int]) -> QuerySet[Leg, Any]:
    """Return the manifests that any of them carries: asked once, not of each manifest (SQLite would read all legs)."""
    return Leg.objects.filter(carrier__in=parties).values("manifest_id")


def listed(rows: QuerySet[Manifest]) -> QuerySet[Manifest]:
    """Return the rows with all that a list shows: the same three statements however many there are."""
    return rows.select_related("generator", "receiver").prefetch_related(
        Prefetch("lines", ManifestLine.objects.select_related("stream").order_by("position")),
        Prefetch("legs", Leg.objects.select_related("carrier").order_by("position")),
    )


def manifest_of(*, organisation: Organisation, user: User, reference: str, on: date) -> Manifest:
    """
    Return the manifest of that number or uid, with all that stands on it.

    :raises Manifest.DoesNotExist: if there is none that the person may see as that organisation
    """
    rows = manifests(organisation=organisation, user=user, on=on)
    return whole(rows.get(named(reference)))


def named(reference: str) -> Q:
    """Return the condition of a reference: a number, however it is spaced, or the uid of what has none yet."""
    try:
        return Q(number=str(read_number(reference)))
    except NumberMalformed:
        pass
    try:
        return Q(uid=UUID(reference))
    except ValueError:
        return Q(pk__in=[])


def whole(manifest: Manifest) -> Manifest:
    """Return the manifest with its lines, legs and parties read."""
    return listed(Manifest.objects.filter(pk=manifest.pk)).get()


def lines_of(manifest: Manifest) -> list[ManifestLine]:
    """Return the lines in their order, each with its stream and its lot."""
    return list(
        ManifestLine.objects.filter(manifest=manifest).select_related("stream", "lot").order_by("position")
    )


def legs_of(manifest: Manifest) -> list[Leg]:
    """Return the carriers' parts in turn."""
    return list(Leg.objects.filter(manifest=manifest).select_related("carrier").order_by("position"))


def lots_handed_to(lots: Collection[int], parties: QuerySet[Organisation]) -> set[int]:
    """Return those of the lots that are on an issued manifest which one of the organisations receives or carries."""
    carried = Exists(Leg.objects.filter(manifest=OuterRef("manifest"), carrier__in=parties))
    sent = Q(manifest__generator__in=parties, receipt_lot__in=lots)
    rows = ManifestLine.objects.filter(
        Q(lot__in=lots) | Q(receipt_lot__in=lots), manifest__number__isnull=False
    )
    rows = rows.filter(carried | Q(manifest__receiver__in=parties) | sent)
    return {key for both in rows.values_list("lot", "receipt_lot") for key in both if key in lots}


def hands_of(numbers: Collection[str]) -> dict[str, Hands]:
    """Return by number who issued each manifest, and who drove its first leg."""
    issued = Signature.objects.filter(manifest__number__in=numbers, act=Act.ISSUE.value)
    issuers = dict(issued.values_list("manifest__number", "signer_name"))
    legs = Leg.objects.filter(manifest__number__in=numbers).order_by("-position")
    drivers = {
        number: said.get("driver", "") for number, said in legs.values_list("manifest__number", "said")
    }
    return {number: Hands(issuers.get(number, ""), str(drivers.get(number, ""))) for number in numbers}


def signatures_of(manifest: Manifest) -> QuerySet[Signature]:
    return Signature.objects.filter(manifest=manifest).select_related("version").order_by("seq")


def flags_of(manifest: Manifest) -> QuerySet[Flag]:
    return Flag.objects.filter(manifest=manifest).order_by("pk")


def revisions_of(manifest: Manifest) -> QuerySet[Revision]:
    rows = Revision.objects.filter(manifest=manifest)
    return rows.select_related("proposed_for", "proposed_by", "answered_for", "answered_by").order_by("-pk")


def may_agree(*, revision: Revision, manifest: Manifest, organisation: Organisation) -> bool:
    """Return whether the organisation is one that may agree: to another mass, only generator and receiver."""
    own = lineage_of(organisation=organisation)
    if not any(each["field"] in fields.MASSES for each in revision.changes):
        return True
    return bool({manifest.generator_id, manifest.receiver_id} & own)


def discrepancies_of(manifest: Manifest) -> QuerySet[Discrepancy]:
    rows = Discrepancy.objects.filter(manifest=manifest)
    return rows.select_related("line", "settled_by").order_by("pk")


def open_discrepancies(*, organisation: Organisation) -> QuerySet[Discrepancy]:
    """Return the differences that the organisation has yet to settle: of its own waste."""
    rows = Discrepancy.objects.filter(manifest__generator__in=lineage_of(organisation=organisation))
    return rows.filter(settled_at=None).select_related("manifest", "line").order_by("opened_at", "pk")


def in_role(rows: QuerySet[Manifest], organisation: Organisation, role: Party) -> QuerySet[Manifest]:
    """Return those on which the organisation is that party."""
    parties = lineage_of(organisation=organisation)
    if role is Party.GENERATOR:
        return rows.filter(generator__in=parties)
    if role is Party.RECEIVER:
        return rows.filter(receiver__in=parties)
    return rows.filter(pk__in=_carried(parties))


def saying(rows: QuerySet[Manifest], text: str) -> QuerySet[Manifest]:
    """Return those that say the text in their number, a party, a waste or a container."""
    lines = ManifestLine.objects.filter(
        Q(waste_name__icontains=text) | Q(waste_code__icontains=text) | Q(lot_code__icontains=text),
        manifest=OuterRef("pk"),
    )
    legs = Leg.objects.filter(carrier__name__icontains=text, manifest=OuterRef("pk"))
    named = Q(number__icontains=text) | Q(generator__name__icontains=text) | Q(receiver__name__icontains=text)
    return rows.filter(named | Exists(lines) | Exists(legs))


def narrowed(
    rows: QuerySet[Manifest],
    organisation: Organisation,
    *,
    on: date,
    state: str | None = None,
    role: str | None = None,
    since: date | None = None,
    through: date | None = None,
    text: str = "",
    overdue: bool = False,
) -> QuerySet[Manifest]:
    """Return the rows that are asked for."""
    if state:
        rows = rows.filter(state=state)
    if role:
        rows = in_role(rows, organisation, Party(role))
    if since:
        rows = rows.filter(issued_on__gte=since)
    if through:
        rows = rows.filter(issued_on__lte=through)
    if overdue:
        rows = late(rows=rows, on=on)
    return saying(rows, text) if text else rows


def late(*, rows: QuerySet[Manifest], on: date) -> QuerySet[Manifest]:
    """Return those that arrived and should have been confirmed before the day."""
    return rows.filter(state=State.DELIVERED, confirm_due_on__lt=on)


def approvals_of(*, organisation: Organisation) -> QuerySet[TransferApproval]:
    """Return the approvals and filings of what the organisation moves out of its province."""
    rows = TransferApproval.objects.filter(generator=organisation)
    return rows.select_related("receiver").order_by("-valid_through", "-pk")


# --- what waits for somebody


def to_settle(*, organisations: QuerySet[Any]) -> QuerySet[Discrepancy]:
    """Return the differences that these organisations, as generators, have yet to explain."""
    return Discrepancy.objects.filter(settled_at=None, manifest__generator__in=organisations)


def to_confirm(*, organisations: QuerySet[Any]) -> QuerySet[Manifest]:
    """Return what has arrived at these organisations and is to be confirmed within five working days (第十八条)."""
    return Manifest.objects.filter(state=State.DELIVERED, receiver__in=organisations)


def to_take_back(*, organisations: QuerySet[Any]) -> QuerySet[Manifest]:
    """Return what was not taken from these organisations, and is theirs to take back into store."""
    states = (State.REFUSED, State.PARTLY_ACCEPTED)
    return Manifest.objects.filter(state__in=states, generator__in=organisations)


def to_answer(*, organisations: QuerySet[Any]) -> QuerySet[Revision]:
    """Return the revisions that wait for these organisations: the receiver for the generator's, who else's for that."""
    own = Q(proposed_for=F("manifest__generator"))
    waiting = (own & Q(manifest__receiver__in=organisations)) | (
        ~own & Q(manifest__generator__in=organisations)
    )
    return Revision.objects.filter(waiting, state=Revision.State.PROPOSED)


APPROVAL_ENDS_WITHIN = timedelta(days=30)


def lapsing_approvals(*, organisations: QuerySet[Any], on: date) -> QuerySet[TransferApproval]:
    """Return the approvals of which something is left, and that end soon; one that has a successor is left out."""
    later = TransferApproval.objects.filter(
        generator=OuterRef("generator"), receiver=OuterRef("receiver"), waste_code=OuterRef("waste_code"),
        valid_through__gt=OuterRef("valid_through"),
    )  # fmt: skip
    return TransferApproval.objects.filter(
        ~Exists(later), generator__in=organisations, used_g__lt=F("approved_g"),
        valid_through__range=(on, on + APPROVAL_ENDS_WITHIN),
    )  # fmt: skip


# --- who is what on it


def party_keys(manifest: Manifest, party: Party, legs: Iterable[Leg]) -> set[int]:
    """Return who the party is: of the carriers, all."""
    if party is Party.GENERATOR:
        return {manifest.generator_id}
    if party is Party.RECEIVER:
        return {manifest.receiver_id} if manifest.receiver_id else set()
    return {leg.carrier_id for leg in legs}


def parties_of(manifest: Manifest, organisation: Organisation, legs: Iterable[Leg]) -> tuple[Party, ...]:
    """Return what the organisation, or one that goes on in it, is on the manifest."""
    keys = lineage_of(organisation=organisation)
    legs = list(legs)
    return tuple(party for party in Party if party_keys(manifest, party, legs) & keys)


def next_leg(legs: Iterable[Leg]) -> Leg | None:
    """Return the leg that is to be signed next."""
    return next((leg for leg in legs if leg.signed_at is None), None)


def running_leg(legs: Iterable[Leg]) -> Leg | None:
    """Return the leg that is under way."""
    return next((leg for leg in legs if leg.signed_at is not None and leg.ended_at is None), None)


def on_vehicle(*, vehicle: Vehicle) -> int:
    """Return how many grams the manifests that the vehicle carries now declare together."""
    carried = Leg.objects.filter(
        manifest=OuterRef("pk"), vehicle=vehicle, signed_at__isnull=False, ended_at=None
    )
    total = Manifest.objects.filter(Exists(carried)).aggregate(grams=Sum("declared_g"))
    return total["grams"] or 0


def plate_of(*, manifests: Iterable[Manifest]) -> str:
    """Return the plate of the vehicle that brought them all; "" where they came on several."""
    legs = Leg.objects.filter(manifest__in=[each.pk for each in manifests]).order_by("manifest", "position")
    last = {leg.manifest_id: str(leg.said.get("plate", "")) for leg in legs}
    plates = set(last.values())
    return plates.pop()[:20] if len(plates) == 1 else ""


def to_weigh(*, organisation: Organisation, user: User, on: date) -> QuerySet[Manifest]:
    """Return what has arrived at the organisation and is to be weighed, with all that a list shows."""
    rows = manifests(organisation=organisation, user=user, on=on).filter(state=State.DELIVERED)
    return listed(in_role(rows, organisation, Party.RECEIVER)).order_by("delivered_at", "pk")


def loads_of(*, organisation: Organisation) -> QuerySet[WeighedLoad]:
    """Return the weighings of many manifests that the organisation did, the latest first."""
    rows = WeighedLoad.objects.filter(organisation=organisation).select_related("weighed_by")
    return rows.annotate(count=Count("manifests")).order_by("-pk")


def loads_saying(rows: QuerySet[WeighedLoad], text: str) -> QuerySet[WeighedLoad]:
    """Return the weighings of a vehicle, of a manifest, of a generator."""
    named = Manifest.objects.filter(
        Q(number__icontains=text) | Q(generator__name__icontains=text), weighed_load=OuterRef("pk")
    )
    return rows.filter(Q(plate__icontains=text) | Exists(named))


def load_lines(*, load: WeighedLoad) -> list[ManifestLine]:
    """Return the lines that were weighed together, each with its manifest, in the order of the shares."""
    rows = ManifestLine.objects.filter(manifest__weighed_load=load)
    return list(rows.select_related("manifest__generator").order_by("manifest__number", "position"))


def acts_for(*, manifest: Manifest, organisation: Organisation, user: User, on: date) -> tuple[Act, ...]:
    """Return what the person may do now with the manifest for the organisation."""
    may_handle = may(user=user, permission=Permission.HANDLE_MANIFESTS, organisation=organisation, on=on)
    may_sign = may_handle or may(
        user=user, permission=Permission.SIGN_MANIFESTS, organisation=organisation, on=on
    )
    if not may_sign or manifest.now_in in ENDED:
        return ()
    legs, keys = legs_of(manifest), lineage_of(organisation=organisation)
    found: list[Act] = []
    for party in Party:
        if party is Party.GENERATOR and not may_handle:
            continue
        if party is not Party.CARRIER and party_keys(manifest, party, legs) & keys:
            found += acts_of(manifest.now_in, party)
    coming, running = next_leg(legs), running_leg(legs)
    for act in acts_of(manifest.now_in, Party.CARRIER):
        leg = coming if act in (Act.LOAD, Act.HAND_OVER) else running
        is_last = coming is None
        if leg is not None and leg.carrier_id in keys and (act is not Act.DELIVER or is_last):
            found.append(act)
    return tuple(found)


# --- what stands in store


def codes_behind(*, organisation: Organisation, digital_ids: Iterable[str]) -> dict[str, str]:
    """Return the codes of the organisation's lots that bear the 数字识别码."""
    wanted = list(dict.fromkeys(digital_ids))[:NAMED_AT_ONCE]
    rows = Container.objects.filter(lot__organisation=organisation, digital_id__in=wanted)
    return (
        {str(number): code for number, code in rows.values_list("digital_id", "lot__code")} if wanted else {}
    )


def scannable(*, organisation: Organisation, codes: Iterable[str]) -> dict[str, tuple[Lot, dict[str, int]]]:
    """Return the organisation's lots of the codes, each with what which store holds of it."""
    wanted = list(dict.fromkeys(codes))[:NAMED_AT_ONCE]
    lots = {
        lot.code: lot
        for lot in Lot.objects.filter(organisation=organisation, code__in=wanted).select_related(
            "stream", "container"
        )
    }
    held: dict[int, dict[str, int]] = {lot.pk: {} for lot in lots.values()}
    balances = Balance.objects.filter(
        lot__in=[lot.pk for lot in lots.values()], place__kind=PlaceKind.STORE, mass_g__gt=0
    ).values_list("lot_id", "place__code", "mass_g")
    for lot_id, store, grams in balances:
        held[lot_id][store] = grams
    return {code: (lot, held[lot.pk]) for code, lot in lots.items()}


def streams_named(*, organisation: Organisation, codes: Iterable[str]) -> dict[str, Stream]:
    rows = Stream.objects.filter(organisation=organisation, code__in=list(dict.fromkeys(codes)))
    return {row.code: row for row in rows}


# --- what it says


def line_values(line: ManifestLine) -> dict[str, Any]:
    """Return what the line says, by the names of the table of fields."""
    own = {
        "stream": line.stream.code, "lot": line.lot_code, "declared_g": line.declared_g,
        "package_count": line.package_count, "received_g": line.received_g,
        "received_count": line.received_count, "mode": line.mode,
    }  # fmt: skip
    return {**line.said, **own}


def leg_values(leg: Leg) -> dict[str, Any]:
    return {**leg.said, "carrier": leg.carrier.uscc}


def manifest_values(manifest: Manifest) -> dict[str, Any]:
    return {**manifest.said, "receiver": manifest.receiver.uscc if manifest.receiver else None}


def document_of(manifest: Manifest, lines: Iterable[ManifestLine], legs: Iterable[Leg]) -> dict[str, Any]:
    """Return the whole content, as it is signed and kept."""
    receiver = manifest.receiver
    return {
        "number": manifest.number,
        "uid": str(manifest.uid),
        "waste_class": manifest.waste_class,
        "generator": {"uscc": manifest.generator.uscc, "name": manifest.generator.name},
        "receiver": {"uscc": receiver.uscc, "name": receiver.name} if receiver else None,
        "fields": _named_only(Part.MANIFEST, manifest_values(manifest)),
        "lines": [
            {
                "position": line.position, "waste_code": line.waste_code, "waste_name": line.waste_name,
                "returned_g": line.returned_g, **_named_only(Part.LINE, line_values(line)),
            }
            for line in lines
        ],
        "legs": [
            {
                "position": leg.position, "carrier_name": leg.carrier.name,
                **_named_only(Part.LEG, leg_values(leg)),
            }
            for leg in legs
        ],
    }  # fmt: skip


def _named_only(part: Part, values: dict[str, Any]) -> dict[str, Any]:
    known = [each.name for each in fields.FIELDS if each.part is part]
    return {name: values.get(name) for name in known if not fields.is_empty(values.get(name))}
