"""
Whose waste was used or disposed of, and of which years?

Our reading, per stream (standards.md, I):

- a labelled lot is what it was born as: received, or the organisation's own; it is stock
  of earlier years when it was generated before the year, or was 期初贮存;
- bulk in which own and received waste lie together leaves in proportion to what lay there
  when the year began plus what came in during the year;
- of the own bulk that is used or disposed of in a year, that year's own generation goes
  first; what exceeds it is stock of earlier years, split between use and disposal in
  proportion to their mass.

All in grams. A proportion that does not come out even is rounded down along the rows in a
fixed order (use before disposal, then by way, receiver and day): shares always sum to the whole, and the
last gram of a year goes to received waste, and of earlier years' stock to disposal.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import date

from wufei.indicators.facts import INTO_STORE, OUT_OF_STORE, OUTFLOWS, Flow
from wufei.ledger.kinds import Kind

_ORDER = {kind: place for place, kind in enumerate((*INTO_STORE, *OUT_OF_STORE))}


@dataclass(frozen=True, slots=True)
class Share:
    """A flow, and how much of it is the organisation's own waste, and of that stock of earlier years."""

    flow: Flow
    own_g: int
    earlier_g: int  # of `own_g`; only what is used or disposed of has any

    @property
    def received_g(self) -> int:
        return self.flow.mass_g - self.own_g


@dataclass(slots=True)
class _Heap:
    """What lies in bulk of a stream, by whose it is."""

    own_g: int = 0
    received_g: int = 0


def apportion(masses: Sequence[int], part: int, whole: int) -> list[int]:
    """
    Split the masses in the proportion part : whole, so that the split sums to the proportion of the sum.

    >>> apportion([1, 1, 1], 1, 2)
    [0, 1, 0]
    """
    shares, running, given = [], 0, 0
    for mass in masses:
        running += mass
        due = running * part // whole
        shares.append(due - given)
        given = due
    return shares


class Attribution:
    """The shares of an organisation's flows, with what lay in bulk when each year began."""

    def __init__(self, flows: Iterable[Flow]):
        self._flows: dict[str, dict[int, list[Flow]]] = defaultdict(lambda: defaultdict(list))
        for flow in flows:
            self._flows[flow.stream][flow.on.year].append(flow)
        self._heaps: dict[tuple[str, int], _Heap] = {}  # of a stream, when the year began

    def shares(self) -> list[Share]:
        """Return the shares of all flows, from the first day on."""
        found: list[Share] = []
        for stream, years in self._flows.items():
            heap = _Heap()
            for year in sorted(years):
                self._heaps[stream, year] = copy(heap)
                found += _year(years[year], heap)
        return found

    def shares_of(self, year: int, *, through: date) -> list[Share]:
        """Return the shares of a year's flows, as if the ledger had ended on the day."""
        if not self._heaps:
            self.shares()
        found: list[Share] = []
        for stream, years in self._flows.items():
            if flows := [flow for flow in years.get(year, ()) if flow.on <= through]:
                found += _year(flows, copy(self._heaps[stream, year]))
        return found


def attribute(flows: Iterable[Flow]) -> list[Share]:
    """Return the shares of all flows of an organisation, from its first day on."""
    return Attribution(flows).shares()


def _year(flows: Sequence[Flow], heap: _Heap) -> list[Share]:
    """Attribute a year's flows of one stream, and carry the heap to the year's end."""
    labelled = [_labelled(flow) for flow in flows if not flow.is_bulk]
    return labelled + _bulk_year([flow for flow in flows if flow.is_bulk], heap)


def _labelled(flow: Flow) -> Share:
    if flow.lot_origin == Kind.RECEIPT:
        return Share(flow, 0, 0)
    of_earlier = flow.lot_origin == Kind.OPENING_STOCK or flow.lot_origin_year < flow.on.year
    return Share(flow, flow.mass_g, flow.mass_g if of_earlier and flow.kind in OUTFLOWS else 0)


def _bulk_year(flows: list[Flow], heap: _Heap) -> list[Share]:
    """Attribute a year's bulk flows of one stream, and carry the heap to the year's end."""
    rows = sorted(flows, key=lambda f: (_ORDER[f.kind], f.method, f.counterparty, f.on, f.mass_g))
    certain = [f for f in rows if f.kind in INTO_STORE and f.kind is not Kind.STOCKTAKE_GAIN]
    for flow in certain:
        if flow.kind is Kind.RECEIPT:
            heap.received_g += flow.mass_g
        else:
            heap.own_g += flow.mass_g
    _settle(heap)
    shares = [Share(f, 0 if f.kind is Kind.RECEIPT else f.mass_g, 0) for f in certain]

    whole = heap.own_g + heap.received_g
    part, whole = (heap.own_g, whole) if whole > 0 else (1, 1)
    gains = [f for f in rows if f.kind is Kind.STOCKTAKE_GAIN]
    losses = [f for f in rows if f.kind is Kind.STOCKTAKE_LOSS]
    out = [f for f in rows if f.kind in OUTFLOWS]
    own_gains, own_losses, own_out = (
        apportion([f.mass_g for f in group], part, whole) for group in (gains, losses, out)
    )
    generated = sum(f.mass_g for f in certain if f.kind is Kind.GENERATION)
    earlier = _earlier(own_out, generated)
    shares += [Share(f, own, 0) for f, own in zip(gains, own_gains, strict=True)]
    shares += [Share(f, own, 0) for f, own in zip(losses, own_losses, strict=True)]
    shares += [Share(f, own, old) for f, own, old in zip(out, own_out, earlier, strict=True)]

    left = sum(own_gains) - sum(own_losses) - sum(own_out)
    moved = sum(f.mass_g for f in gains) - sum(f.mass_g for f in (*losses, *out))
    heap.own_g += left
    heap.received_g += moved - left
    _settle(heap)
    return shares


def _earlier(own_out: list[int], generated: int) -> list[int]:
    """Return how much of each own outflow is stock of earlier years: what the year's generation can't cover."""
    total = sum(own_out)
    excess = total - min(total, max(generated, 0))
    return apportion(own_out, excess, total) if excess > 0 else [0] * len(own_out)


def _settle(heap: _Heap) -> None:
    """Leave neither part below nothing: a reversed receipt that was already used takes from the other."""
    if heap.own_g < 0:
        heap.own_g, heap.received_g = 0, heap.received_g + heap.own_g
    elif heap.received_g < 0:
        heap.own_g, heap.received_g = heap.own_g + heap.received_g, 0
