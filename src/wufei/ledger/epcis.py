"""
How is a trace told as GS1 EPCIS 2.0 (JSON-LD)?

Pure. A lot is a class of goods with a quantity, `urn:wufei:lot:<uscc>:<code>`, in grams (GRM): never rounded. What
the person may not see is left out with what touches it, for an event without its lots says nothing.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from wufei.ledger.kinds import Kind, PlaceKind
from wufei.ledger.tracing import TRANSFER, Edge, Node, Step, Trace

CONTEXT = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"
# The business steps of GS1's core vocabulary; what it has no word for is ours.
BUSINESS_STEPS: dict[Kind, str] = {
    Kind.OPENING_STOCK: "stock_taking",
    Kind.GENERATION: "commissioning",
    Kind.OWN_UTILISATION: "urn:wufei:bizstep:utilising",
    Kind.OWN_DISPOSAL: "destroying",
    Kind.CONTRACTED_UTILISATION: "shipping",
    Kind.CONTRACTED_DISPOSAL: "shipping",
    Kind.RECEIPT: "receiving",
    Kind.STOCKTAKE_GAIN: "stock_taking",
    Kind.STOCKTAKE_LOSS: "stock_taking",
    Kind.RELOCATION: "storing",
    Kind.DISPATCH: "departing",
    Kind.RETURN: "arriving",
}
_ADDS = frozenset({Kind.OPENING_STOCK, Kind.GENERATION})
_DELETES = frozenset({Kind.OWN_UTILISATION, Kind.OWN_DISPOSAL})


def epcis_document(trace: Trace, *, created_at: datetime) -> dict[str, Any]:
    """Return the trace as an EPCISDocument."""
    open_nodes = {node.lot: node for node in trace.nodes if node.is_open}
    events = [*_step_events(trace.steps, open_nodes), *_edge_events(trace.edges, open_nodes)]
    return {
        "@context": [CONTEXT],
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": _instant(created_at),
        "epcisBody": {"eventList": sorted(events, key=lambda event: str(event["eventTime"]))},
    }


def _step_events(steps: Iterable[Step], nodes: dict[str, Node]) -> Iterator[dict[str, Any]]:
    for step in steps:
        if step.lot not in nodes or step.kind not in BUSINESS_STEPS:
            continue  # what is transformed is told by the edges
        action = "ADD" if step.kind in _ADDS else "DELETE" if step.kind in _DELETES else "OBSERVE"
        event = {
            "type": "ObjectEvent",
            **_when(step.at),
            "eventID": f"urn:wufei:movement:{step.uscc}:{step.seq}",
            "action": action,
            "bizStep": BUSINESS_STEPS[step.kind],
            "quantityList": [_quantity(nodes[step.lot], step.mass_g)],
            "readPoint": {"id": _place(step.uscc, step.source)},
        }
        if step.target_kind == PlaceKind.STORE:
            event["bizLocation"] = {"id": _place(step.uscc, step.target)}
        if step.document:
            event["bizTransactionList"] = [_manifest(step.document)]
        yield event


def _edge_events(edges: Iterable[Edge], nodes: dict[str, Node]) -> Iterator[dict[str, Any]]:
    """One event for each transformation or manifest: what stands together happened together."""
    together: dict[tuple[str, str, datetime], list[Edge]] = {}
    for edge in edges:
        if edge.source in nodes and edge.target in nodes:
            together.setdefault((edge.kind, edge.document, edge.at), []).append(edge)
    for (kind, document, at), joined in together.items():
        event = {
            "type": "TransformationEvent",
            **_when(at),
            "inputQuantityList": _summed(((e.source, e.mass_g or 0) for e in joined), nodes),
            "outputQuantityList": _summed(((e.target, e.mass_g or 0) for e in joined), nodes),
            "bizStep": "receiving" if kind == TRANSFER else "repackaging",
        }
        if kind == TRANSFER:
            event["bizTransactionList"] = [_manifest(document)]
        else:
            uscc = nodes[joined[0].source].uscc
            event["transformationID"] = f"urn:wufei:transformation:{uscc}:{document.removeprefix('#')}"
        yield event


def _summed(lots: Iterable[tuple[str, int]], nodes: dict[str, Node]) -> list[dict[str, Any]]:
    sums: dict[str, int] = {}
    for lot, grams in lots:
        sums[lot] = sums.get(lot, 0) + grams
    return [_quantity(nodes[lot], grams) for lot, grams in sums.items()]


def _quantity(node: Node, grams: int) -> dict[str, Any]:
    return {
        "epcClass": f"urn:wufei:lot:{node.uscc}:{quote(node.code, safe='')}",
        "quantity": grams,
        "uom": "GRM",
    }


def _manifest(number: str) -> dict[str, str]:
    return {"type": "bol", "bizTransaction": f"urn:wufei:manifest:{quote(number, safe='')}"}


def _place(uscc: str, name: str) -> str:
    return f"urn:wufei:place:{uscc}:{quote(name or '-', safe='')}"


def _when(at: datetime) -> dict[str, str]:
    return {"eventTime": _instant(at), "recordTime": _instant(at), "eventTimeZoneOffset": "+08:00"}


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
