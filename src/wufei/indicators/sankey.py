"""Where did waste come from, and where did it go?"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from wufei.indicators.facts import INTO_STORE
from wufei.ledger.kinds import LABELS, Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowSum:
    """What moved of a stream in a period, by kind, method and counterparty; reversals taken off."""

    process: str
    stream: str
    stream_name: str
    kind: Kind
    method: str
    counterparty: str
    mass_g: int


@dataclass(frozen=True, slots=True)
class Link:
    """A band of the diagram, from one node to the next; a node is (layer, label)."""

    source: tuple[str, str]
    target: tuple[str, str]
    mass_g: int


def links(flows: Iterable[FlowSum]) -> list[Link]:
    """
    Return the bands: process (or 接收, 期初贮存, 盘盈) → stream → kind → method or counterparty.

    Only what is above nothing can be drawn; a net reversal is left out.
    """
    bands: dict[tuple[tuple[str, str], tuple[str, str]], int] = defaultdict(int)
    for flow in flows:
        stream = ("stream", f"{flow.stream_name}（{flow.stream}）")
        label = LABELS[flow.kind]
        if flow.kind in INTO_STORE:
            origin = flow.process if flow.kind is Kind.GENERATION else flow.counterparty or label
            bands[("origin", origin or label), stream] += flow.mass_g
        else:
            kind = ("kind", label)
            bands[stream, kind] += flow.mass_g
            if end := flow.counterparty or flow.method:
                bands[kind, ("end", end)] += flow.mass_g
    return [Link(source, target, grams) for (source, target), grams in bands.items() if grams > 0]
