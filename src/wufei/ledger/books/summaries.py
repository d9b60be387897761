"""
What was generated and where did it go, by stream and month? 附表1 and 附表2 of 公告2021年第82号.

Pure: sums plain rows. Reversals are taken off in the month in which they stand, as the indicators do it.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from wufei.ledger.books.layouts import Row
from wufei.ledger.kinds import Kind

WAYS: Mapping[Kind, str] = {
    Kind.OWN_UTILISATION: "own_utilised",
    Kind.CONTRACTED_UTILISATION: "contracted_utilised",
    Kind.OWN_DISPOSAL: "own_disposed",
    Kind.CONTRACTED_DISPOSAL: "contracted_disposed",
}


@dataclass(frozen=True, slots=True)
class StreamFacts:
    """A general stream as the tables describe it."""

    code: str
    name: str
    waste_code: str
    process: str
    physical_form: str
    components: str


class Moved(NamedTuple):
    """What moved of a stream in a month, by kind and way; what was reversed is taken off."""

    month: date  # its first day
    stream: str
    kind: str
    method: str
    mass_g: int
    into_store_g: int  # of it, into stores less out of stores


def tonnes(grams: int) -> Decimal:
    return Decimal(grams).scaleb(-6)


def generated_rows(streams: Sequence[StreamFacts], moved: Iterable[Moved]) -> list[Row]:
    """Return the lines of 附表1: every declared stream, with what was generated of it in the period."""
    generated: dict[str, int] = defaultdict(int)
    for row in moved:
        if row.kind == Kind.GENERATION:
            generated[row.stream] += row.mass_g
    return [
        {
            "number": number, "waste_code": stream.waste_code, "name": stream.name, "waste_class": None,
            "process": stream.process, "physical_form": stream.physical_form or None,
            "components": stream.components or None, "pollution": None,
            "generated": tonnes(generated[stream.code]),
        }
        for number, stream in enumerate(streams, start=1)
    ]  # fmt: skip


def whereabouts_rows(
    streams: Sequence[StreamFacts],
    moved: Iterable[Moved],
    stock_before: Mapping[str, int],
    months: Sequence[date],
) -> Iterator[Row]:
    """
    Yield the lines of 附表2: one for each month and stream with anything moved or in store.

    `stock_before` is what the stores held of each stream when the first month began.
    """
    by_month: dict[tuple[date, str], list[Moved]] = defaultdict(list)
    for row in moved:
        by_month[row.month, row.stream].append(row)
    stock = defaultdict(int, stock_before)
    for month in months:
        for stream in streams:
            of_month = by_month.get((month, stream.code), [])
            stock[stream.code] += sum(row.into_store_g for row in of_month)
            if of_month or stock[stream.code]:
                yield {"month": f"{month:%Y-%m}", **_month_row(stream, of_month, stock[stream.code])}


def _month_row(stream: StreamFacts, moved: Sequence[Moved], stock_g: int) -> Row:
    mass: dict[str, int] = defaultdict(int)
    methods: dict[str, set[str]] = defaultdict(set)
    for row in moved:
        mass[row.kind] += row.mass_g
        if row.mass_g:
            methods[row.kind].add(row.method)
    gone = sum(mass[kind] for kind in WAYS)
    said: Row = {
        "waste_code": stream.waste_code, "name": stream.name, "waste_class": None,
        "generated": tonnes(mass[Kind.GENERATION]),
        "stored": tonnes(max(0, mass[Kind.GENERATION] - gone)),
        "stock": tonnes(stock_g),
    }  # fmt: skip
    for kind, key in WAYS.items():
        said[key] = tonnes(mass[kind])
        if methods[kind]:
            said[f"{key}_by"] = "、".join(sorted(filter(None, methods[kind]))) or None
    return said


def totals(rows: Iterable[Row], keys: Iterable[str]) -> dict[str, Decimal]:
    """Return the sum of each column of masses that adds up."""
    found = {key: Decimal(0) for key in keys}
    for row in rows:
        for key in found:
            value = row.get(key)
            if isinstance(value, Decimal):
                found[key] += value
    return found
