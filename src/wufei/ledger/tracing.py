"""
What is a lot's way, and how is it drawn?

Pure. A trace has lots (nodes), what joins them (edges: transformations and manifests), and what was done with each
(steps: every movement with place, person and document).
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from wufei.ledger.kinds import LABELS, TRANSFORMATION_LABELS, Kind, PlaceKind, TransformationKind

TRANSFER = "TRANSFER"  # an edge that a manifest made
_CORRECTED = " 更正"  # between a manifest's number and that of its correction


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A lot. One that the person may not see has its place in the way and nothing else."""

    lot: str  # unique within the trace
    code: str = ""
    stream: str | None = None
    stream_name: str = ""
    waste_code: str = ""
    uscc: str = ""
    organisation: str | None = None
    created_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        return bool(self.uscc)


def corrected(document: str, correction: int) -> str:
    """
    Return what an edge is kept under that says anew what a manifest moved; the latest is the one that stands.

    >>> corrected("20265001000001", 3), manifest_of("20265001000001 更正3")
    ('20265001000001 更正3', '20265001000001')
    """
    return f"{document}{_CORRECTED}{correction}"


def manifest_of(document: str) -> str:
    """Return the number of the manifest that an edge is of, however often it was corrected."""
    return document.partition(_CORRECTED)[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    source: str
    target: str
    mass_g: int | None  # None between two lots that the person may not see, as `document` is empty then
    kind: str  # a TransformationKind, or TRANSFER
    at: datetime
    document: str
    uscc: str = ""  # whose transformation it is, where the person may see that

    @property
    def first_seq(self) -> str:
        """Return the number of the transformation; "" of a manifest."""
        return self.document[1:].partition("-")[0] if self.document.startswith("#") else ""

    @property
    def label(self) -> str:
        return "转移" if self.kind == TRANSFER else TRANSFORMATION_LABELS[TransformationKind(self.kind)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A movement of one of the lots."""

    lot: str
    kind: Kind
    source: str
    source_kind: str
    target: str
    target_kind: str
    mass_g: int
    on: date
    at: datetime
    person: str
    seq: int
    method: str = ""
    counterparty: str = ""
    document: str = ""
    uscc: str = ""
    organisation: str = ""

    @property
    def label(self) -> str:
        return LABELS[self.kind]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    code: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    steps: tuple[Step, ...]
    is_cut: bool = False  # there is more than is told


_BEGINS = frozenset({PlaceKind.PROCESS.value, PlaceKind.OPENING.value})
_ENDS = frozenset({PlaceKind.OWN_UTILISATION.value, PlaceKind.OWN_DISPOSAL.value, PlaceKind.OUTSIDE.value})


def document(trace: Trace) -> dict[str, Any]:
    """Return the trace as `wufei trace --json` and the API say it."""
    return {
        "code": trace.code,
        "nodes": [
            {
                "lot": node.lot, "stream": node.stream, "organisation": node.organisation,
                "created_at": node.created_at.isoformat() if node.created_at else None,
            }
            for node in trace.nodes
        ],
        "edges": [
            {
                "from": edge.source, "to": edge.target, "mass_g": edge.mass_g, "kind": edge.kind,
                "at": edge.at.isoformat(), "document": edge.document,
            }
            for edge in trace.edges
        ],
        "steps": [
            {
                "lot": step.lot, "kind": step.kind.value, "from": step.source, "to": step.target,
                "mass_g": step.mass_g, "on": step.on.isoformat(), "at": step.at.isoformat(),
                "person": step.person, "document": step.document, "organisation": step.organisation,
                "seq": step.seq,
            }
            for step in trace.steps
        ],
        "cut": trace.is_cut,
    }  # fmt: skip


def drawing(trace: Trace) -> dict[str, Any]:
    """Return the way as ECharts draws it: process → lot → lot → what became of it, as wide as the mass."""
    bands: dict[tuple[str, str], int] = defaultdict(int)
    for edge in trace.edges:
        bands[edge.source, edge.target] += edge.mass_g or 1  # a hair's breadth, where it isn't told
    sent = {(edge.source, edge.document) for edge in trace.edges if edge.kind == TRANSFER}
    came = {edge.target for edge in trace.edges if edge.kind == TRANSFER}
    for step in trace.steps:
        if step.source_kind in _BEGINS:
            bands[f"{step.label}：{step.source}", step.lot] += step.mass_g
        elif step.target_kind in _ENDS and (step.lot, step.document) not in sent:
            bands[step.lot, f"{step.label}：{step.counterparty or step.method or step.target}"] += step.mass_g
        elif step.kind is Kind.RECEIPT and step.lot not in came:
            bands[f"{step.label}：{step.counterparty}", step.lot] += step.mass_g
    names = dict.fromkeys([*(node.lot for node in trace.nodes), *(end for band in bands for end in band)])
    return {
        "tooltip": {"trigger": "item"},
        "series": [
            {
                "type": "sankey", "left": 4, "right": 150, "top": 8, "bottom": 8, "nodeGap": 12, "nodeWidth": 14,
                "emphasis": {"focus": "adjacency"}, "draggable": False,
                "lineStyle": {"color": "gradient", "opacity": 0.35},
                "label": {"width": 140, "overflow": "truncate", "fontSize": 12},
                "data": [{"name": name, **_marked(name, trace.code)} for name in names],
                "links": [
                    {"source": source, "target": target, "value": grams / 1_000_000}
                    for (source, target), grams in bands.items()
                ],
            }
        ],
    }  # fmt: skip


def _marked(name: str, code: str) -> dict[str, Any]:
    return {"itemStyle": {"color": "#d9480f"}} if name == code else {}


def in_order(trace: Trace) -> Sequence[Step | Edge]:
    """Return steps and edges as they happened; what went in and came out stands in the edges already."""
    told = (Kind.TRANSFORMATION_INPUT, Kind.TRANSFORMATION_OUTPUT)
    both: list[Step | Edge] = [*(step for step in trace.steps if step.kind not in told), *trace.edges]
    return sorted(both, key=lambda each: each.at)
