"""
What became of a lot, and what was it made of? Through transformations, manifests and organisations.

What the person may not see of another organisation stands as a step without its details: the way is whole,
the rest is nobody's business.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime

from django.db.models import Q, QuerySet

from wufei.ledger.kinds import Kind, PlaceKind
from wufei.ledger.models import Balance, LineageEdge, Lot, Movement, TransformationReversal
from wufei.ledger.posting import TRANSIT_PREFIX
from wufei.ledger.queries.above import above
from wufei.ledger.tracing import TRANSFER, Edge, Node, Step, Trace, manifest_of
from wufei.registry.access import Permission
from wufei.registry.models import Organisation, User
from wufei.registry.queries import asked, visible_organisations

# A lot poured together from thousands has thousands of ancestors; a page that listed more would help nobody.
MOST_LOTS = 2_000
MOST_STEPS = 5_000
# So many lots of other organisations with one code are looked at.
MOST_NAMESAKES = 20

# Both ways at once; UNION, so that what is reached by many ways is walked from once.
WAY = """
    WITH RECURSIVE
    undone(transformation) AS (SELECT transformation_id FROM ledger_transformationreversal),
    back(lot) AS (
      SELECT {lots} UNION
      SELECT e.source_lot_id FROM back JOIN ledger_lineageedge e ON e.target_lot_id = back.lot
      WHERE {stands}),
    forth(lot) AS (
      SELECT {lots} UNION
      SELECT e.target_lot_id FROM forth JOIN ledger_lineageedge e ON e.source_lot_id = forth.lot
      WHERE {stands})
    SELECT lot FROM back UNION SELECT lot FROM forth"""
STANDS = "(e.transformation_id IS NULL OR e.transformation_id NOT IN (SELECT transformation FROM undone))"


class LotNotFound(LookupError):
    """No lot that the person may see has this code."""


class LotAmbiguous(LookupError):
    """Lots of several organisations have this code; `organisations` says whose."""

    def __init__(self, organisations: Sequence[Organisation]):
        self.organisations = list(organisations)
        super().__init__(", ".join(each.uscc for each in organisations))


def lot_coded(
    code: str, *, uscc: str = "", asking: Organisation | None = None, seen_by: User, on: date
) -> Lot:
    """
    Return the lot of a code: its own, the 数字识别码 of its label, or what a scanner read off it.

    A lot of another organisation is found too where its way leads to one that the person may see, or where it is on
    a manifest that such an organisation receives or carries; `trace` tells none of its details.

    :param uscc: whose lot it is, where several organisations have one of this code
    :param asking: for which organisation alone the person asks
    :raises LotNotFound: if there is none, or none that the person may see
    :raises LotAmbiguous: if several organisations have one
    :raises ScanRefused: if it is a torn label, or one of another system
    """
    text = code.strip()
    rows = Lot.objects.select_related("organisation", "stream").order_by("organisation__uscc")
    if uscc:
        rows = rows.filter(organisation__uscc=uscc)
    found = _told_of(
        rows.filter(Q(code=text) | Q(container__digital_id=text)), asking=asking, user=seen_by, on=on
    )
    if not found and (read := above.read_label(text)) is not None:
        named = (
            Q(container__digital_id=read.digital_id)
            if read.digital_id
            else Q(code=read.lot, organisation__uscc=read.uscc)
        )
        found = _told_of(rows.filter(named), asking=asking, user=seen_by, on=on)
    if not found:
        raise LotNotFound(code)
    if len(found) > 1:
        raise LotAmbiguous([lot.organisation for lot in found])
    return found[0]


def _told_of(rows: QuerySet[Lot], *, asking: Organisation | None, user: User, on: date) -> list[Lot]:
    """Return the lots that the person may see; of others, those that their own organisations have to do with."""
    seen = _seen(user, on)
    parties = visible_organisations(user=user, permission=Permission.VIEW_MANIFESTS, on=on)
    if asking is not None:
        seen, parties = seen.filter(pk=asking.pk), parties.filter(pk=asking.pk)
    if found := list(rows.filter(organisation__in=seen)[:MOST_NAMESAKES]):
        return found
    others = list(rows[:MOST_NAMESAKES])
    if not others:
        return []
    handed = above.lots_handed_to([lot.pk for lot in others], parties)
    if handed:
        return [lot for lot in others if lot.pk in handed]
    joined = [
        lot
        for lot in others
        if Lot.objects.filter(pk__in=lots_joined([lot.pk]), organisation__in=seen).exists()
    ]
    # Whose they are would be told by asking back.
    return joined if len(joined) == 1 else []


def _seen(user: User, on: date) -> QuerySet[Organisation]:
    return visible_organisations(user=user, permission=Permission.VIEW_LEDGER, on=on)


def lots_joined(lots: Collection[int]) -> set[int]:
    """Return the keys of all lots on the way back and forth from these, themselves included."""
    values = " UNION SELECT ".join("CAST(%s AS bigint)" for _ in lots)
    rows = asked(WAY.format(lots=values, stands=STANDS), *lots, *lots)
    return {lot for (lot,) in rows}


def edges_between(lots: Collection[int]) -> list[LineageEdge]:
    """Return what joins the lots: what was taken back joins nothing, and of what was corrected the last stands."""
    undone = TransformationReversal.objects.values("transformation")
    rows = LineageEdge.objects.filter(source_lot__in=lots, target_lot__in=lots)
    rows = rows.exclude(transformation__in=undone).order_by("at", "pk")
    standing: dict[tuple[int, int, int | None, str], LineageEdge] = {}
    for edge in rows.select_related("transformation"):
        key = (edge.source_lot_id, edge.target_lot_id, edge.transformation_id, manifest_of(edge.document))
        standing[key] = edge
    return list(standing.values())


def trace(*, lot: Lot, seen_by: User, on: date) -> Trace:
    """Return a lot's whole way, in at most eight queries however long it is."""
    joined = lots_joined([lot.pk])
    keys = sorted(joined, key=lambda key: key != lot.pk)[:MOST_LOTS]
    seen = set(_seen(seen_by, on).values_list("pk", flat=True))
    rows = Lot.objects.filter(pk__in=keys).select_related("organisation", "stream").order_by("pk")
    lots = {row.pk: row for row in rows}
    open_keys = {row.pk for row in lots.values() if row.organisation_id in seen}
    steps = _steps(open_keys)
    names = _names(lots.values(), open_keys)
    made = _made(steps)
    nodes = tuple(
        _node(row, names[row.pk], made.get(row.pk), is_open=row.pk in open_keys) for row in lots.values()
    )
    between = edges_between(lots)
    edges = tuple(_edge(edge, lots, names, open_keys) for edge in between)
    came_under = {edge.target_lot_id: manifest_of(edge.document) for edge in between if edge.kind == TRANSFER}
    told = tuple(_step(row, names[row.lot_id], came_under.get(row.lot_id, "")) for row in steps[:MOST_STEPS])
    is_cut = len(joined) > MOST_LOTS or len(steps) > MOST_STEPS
    return Trace(code=names[lot.pk], nodes=nodes, edges=edges, steps=told, is_cut=is_cut)


def _edge(
    edge: LineageEdge, lots: Mapping[int, Lot], names: Mapping[int, str], open_keys: Collection[int]
) -> Edge:
    """Return what joins two lots; between two that the person may not see, that it does."""
    is_open = edge.source_lot_id in open_keys or edge.target_lot_id in open_keys
    return Edge(
        source=names[edge.source_lot_id], target=names[edge.target_lot_id],
        mass_g=edge.mass_g if is_open else None, kind=edge.kind, at=edge.at,
        document=_document(edge) if is_open else "", uscc=_whose(lots, open_keys, edge),
    )  # fmt: skip


def _whose(lots: Mapping[int, Lot], open_keys: Collection[int], edge: LineageEdge) -> str:
    """Return whose transformation it is, where the person may see it."""
    is_open = edge.transformation_id is not None and edge.source_lot_id in open_keys
    return lots[edge.source_lot_id].organisation.uscc if is_open else ""


def _document(edge: LineageEdge) -> str:
    done = edge.transformation
    return manifest_of(edge.document) or (f"#{done.first_seq}-{done.last_seq}" if done else "")


def _names(lots: Iterable[Lot], open_keys: Collection[int]) -> dict[int, str]:
    """Name each lot by its code; where two organisations use one, with the organisation; the unseen by number."""
    rows = list(lots)
    by_code: dict[str, int] = defaultdict(int)
    for row in rows:
        by_code[row.code] += row.pk in open_keys
    names, unseen = {}, 0
    for row in rows:
        if row.pk not in open_keys:
            unseen += 1
            names[row.pk] = f"（无权查看的批次{unseen}）"
        else:
            names[row.pk] = row.code if by_code[row.code] == 1 else f"{row.code}@{row.organisation.uscc}"
    return names


def _node(row: Lot, name: str, made_at: datetime | None, *, is_open: bool) -> Node:
    if not is_open:
        return Node(lot=name)
    return Node(
        lot=name, code=row.code, stream=row.stream.code, stream_name=row.stream.name,
        waste_code=row.stream.waste_code, uscc=row.organisation.uscc, organisation=row.organisation.name,
        created_at=made_at,
    )  # fmt: skip


def _steps(lots: Collection[int]) -> list[Movement]:
    """Return all that stands of what was done with the lots, in the order of days."""
    rows = Movement.objects.filter(lot__in=lots).effective()
    rows = rows.select_related("source", "target", "lot", "organisation", "posted_by")
    return list(rows.order_by("moved_on", "organisation", "seq")[: MOST_STEPS + 1])


def _made(steps: Iterable[Movement]) -> dict[int, datetime]:
    made: dict[int, datetime] = {}
    for row in steps:
        made.setdefault(row.lot_id, row.posted_at)
        made[row.lot_id] = min(made[row.lot_id], row.posted_at)
    return made


def _step(row: Movement, name: str, came_under: str) -> Step:
    ends = (row.source, row.target)
    manifest = next((end.code.removeprefix(TRANSIT_PREFIX) for end in ends if end.kind == "TRANSIT"), "")
    return Step(
        lot=name, kind=Kind(row.kind), source=row.source.name, source_kind=row.source.kind,
        target=row.target.name, target_kind=row.target.kind, mass_g=row.mass_g, on=row.moved_on,
        at=row.posted_at, person=row.handler or str(row.posted_by), seq=row.seq, method=row.method,
        counterparty=row.counterparty, uscc=row.organisation.uscc,
        organisation=row.organisation.name,
        document=manifest or (came_under if row.kind == Kind.RECEIPT else ""),
    )  # fmt: skip


def lot_of_organisation(*, organisation: Organisation, code: str) -> Lot | None:
    """Return the organisation's lot of the code, a heap's too, with its stream."""
    return Lot.objects.filter(organisation=organisation, code=code).select_related("stream").first()


def lots_in_store(*, organisation: Organisation) -> QuerySet[Balance]:
    """Return what the stores hold of labelled lots, each with lot, stream, container and store."""
    return (
        Balance.objects.filter(
            place__organisation=organisation, place__kind=PlaceKind.STORE, mass_g__gt=0, lot__is_bulk=False
        )
        .select_related("lot__stream", "lot__container", "place")
        .order_by("lot__stream__code", "lot__code", "place__code")
    )


def lots_found(
    rows: QuerySet[Balance], *, text: str = "", stream: str = "", store: str = ""
) -> QuerySet[Balance]:
    """Narrow them to a code, a stream and a store."""
    if text:
        rows = rows.filter(Q(lot__code__icontains=text) | Q(lot__container__digital_id=text))
    if stream:
        rows = rows.filter(lot__stream__code=stream)
    if store:
        rows = rows.filter(place__code=store)
    return rows
