"""Where did an organisation's waste come from and go in a period? As a diagram's nodes and bands, and as a table."""

import calendar
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from wufei.indicators.facts import INTO_STORE
from wufei.indicators.sankey import FlowSum, Link, links
from wufei.terms.mass import Mass
from wufei.terms.period import Period

LAYERS = ("origin", "stream", "kind", "end")
MOST_ENDS = 16
# ECharts knows nodes by their name, and one name may stand in two layers: a mark that nobody sees keeps
# them apart.
_UNSEEN = "\u200b"
PARTS = [
    ("", "全年"), ("q1", "第一季度"), ("q2", "第二季度"), ("q3", "第三季度"), ("q4", "第四季度"),
    *((f"{month:02d}", f"{month} 月") for month in range(1, 13)),
]  # fmt: skip


def period_of(*, year: int, part: str) -> Period:
    """
    Return the year, quarter or month.

    >>> str(period_of(year=2025, part="q2")), str(period_of(year=2025, part="02"))
    ('2025-04-01/2025-06-30', '2025-02')
    """
    if part.startswith("q"):
        last = int(part[1]) * 3
        return Period(date(year, last - 2, 1), date(year, last, calendar.monthrange(year, last)[1]))
    return Period.month(year, int(part)) if part else Period.year(year)


def lumped(flows: Sequence[FlowSum]) -> list[FlowSum]:
    """Return the flows with all but the largest ends as one, so that the diagram can be read."""
    by_end: dict[str, int] = defaultdict(int)
    for flow in flows:
        by_end[flow.counterparty or flow.method] += flow.mass_g
    largest = sorted(by_end, key=lambda end: -by_end[end])[:MOST_ENDS]
    if len(by_end) <= MOST_ENDS + 1:
        return list(flows)
    rest = f"其余 {len(by_end) - MOST_ENDS} 个单位或方式"
    return [
        flow if (flow.counterparty or flow.method) in largest else replace(flow, counterparty=rest)
        for flow in flows
    ]


def option(flows: Sequence[FlowSum]) -> dict[str, Any]:
    """Return the diagram as ECharts takes it."""
    bands = links(lumped(flows))
    nodes = dict.fromkeys(node for band in bands for node in (band.source, band.target))
    return {
        "tooltip": {"trigger": "item"},
        "series": [
            {
                "type": "sankey", "left": 4, "right": 150, "top": 8, "bottom": 8, "nodeGap": 10, "nodeWidth": 14,
                "emphasis": {"focus": "adjacency"}, "draggable": False,
                "lineStyle": {"color": "gradient", "opacity": 0.35},
                "label": {"width": 140, "overflow": "truncate", "fontSize": 12},
                "data": [{"name": _name(node), "depth": LAYERS.index(node[0])} for node in nodes],
                "links": [
                    {"source": _name(b.source), "target": _name(b.target), "value": _drawn(b)} for b in bands
                ],
            }
        ],
    }  # fmt: skip


def _name(node: tuple[str, str]) -> str:
    return node[1] + _UNSEEN * LAYERS.index(node[0])


def _drawn(band: Link) -> float:
    """Return 吨 for the width of a band; the table beside it has the exact amount."""
    return float(Mass(band.mass_g).tonnes)


def table(flows: Sequence[FlowSum]) -> tuple[list[FlowSum], list[FlowSum]]:
    """Return what came in and what went out, the most first."""
    ordered = sorted(flows, key=lambda flow: -flow.mass_g)
    return [f for f in ordered if f.kind in INTO_STORE], [f for f in ordered if f.kind not in INTO_STORE]
