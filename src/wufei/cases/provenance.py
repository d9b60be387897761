"""
Which movements stand behind each number of the documents?

`provenance.json`: every number with its place, its exact value and its basis. A leaf of a basis lists
the `seq` of its movements in its organisation's chain; each movement is written out once, under
`movements`, by organisation and seq.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from wufei.cases import amounts
from wufei.cases.case_file import Attachment, Cell, OpenRequirement, Placed
from wufei.indicators.document import figure_document
from wufei.indicators.figure import Figure, MovementsBehind, StatedInput, plain

FORMAT = "wufei-provenance-1"


@dataclass(frozen=True, slots=True, kw_only=True)
class MovementRow:
    """A movement as provenance writes it out."""

    organisation: str
    seq: int
    id: int
    moved_on: date
    kind: str
    stream: str
    stream_name: str
    waste_category: str
    waste_class: str
    lot: str
    method: str
    counterparty: str
    mass_g: int
    is_reversal: bool
    chain_hash: str

    @property
    def signed_g(self) -> int:
        return -self.mass_g if self.is_reversal else self.mass_g

    def document(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "moved_on": self.moved_on.isoformat(),
            "kind": self.kind,
            "stream": self.stream,
            "stream_name": self.stream_name,
            "lot": self.lot,
            "method": self.method,
            "counterparty": self.counterparty,
            "mass_g": self.signed_g,
            "reversal": self.is_reversal,
            "chain_hash": self.chain_hash,
        }


class MovementIndex:
    """The movements of the organisations concerned, found again by the queries of the leaves."""

    def __init__(self, rows: Iterable[MovementRow]):
        self._by_key: dict[tuple[str, str, int], list[MovementRow]] = defaultdict(list)
        self._cited: dict[str, dict[int, MovementRow]] = defaultdict(dict)
        for row in rows:
            self._by_key[row.organisation, row.kind, row.moved_on.year].append(row)

    def behind(self, leaf: MovementsBehind) -> list[MovementRow]:
        """Return the movements that the leaf sums."""
        years = range(leaf.period.first_day.year, leaf.period.last_day.year + 1)
        return [
            row
            for kind in leaf.kinds
            for year in years
            for row in self._by_key[leaf.organisation, kind, year]
            if covers(leaf, row)
        ]

    def seqs_behind(self, leaf: MovementsBehind) -> list[int]:
        """Return which movements of the organisation's chain those are, and remember to write them out."""
        rows = self.behind(leaf)
        self._cited[leaf.organisation].update((row.seq, row) for row in rows)
        return [row.seq for row in rows]

    def adds_up_to(self, numbers: Iterable[Placed]) -> bool:
        """Return whether the movements found make every sum that the figures were computed from."""
        return all(
            sum(row.signed_g for row in self.behind(leaf)) == leaf.mass_g for leaf in movement_leaves(numbers)
        )

    def cited(self) -> dict[str, dict[str, Any]]:
        """Return every movement that a leaf listed, by organisation and seq."""
        return {
            uscc: {str(seq): row.document() for seq, row in sorted(rows.items())}
            for uscc, rows in sorted(self._cited.items())
        }


def movement_leaves(numbers: Iterable[Placed]) -> set[MovementsBehind]:
    """Return what of movements the numbers rest on, each once."""
    return {
        leaf
        for number in numbers
        if isinstance(number.cell.basis, Figure)
        for leaf in number.cell.basis.leaves()
        if isinstance(leaf, MovementsBehind)
    }


def covers(leaf: MovementsBehind, row: MovementRow) -> bool:
    """Return whether the movement is one of those that the leaf sums."""
    return (
        row.moved_on in leaf.period
        and leaf.stream in (None, row.stream)
        and leaf.stream_name in (None, row.stream_name)
        and leaf.waste_category in (None, row.waste_category)
        and leaf.waste_class in (None, row.waste_class)
        and leaf.method in (None, row.method)
        and (leaf.counterparties is None or row.counterparty in leaf.counterparties)
    )


def document(
    *,
    numbers: Iterable[Placed],
    movements: MovementIndex,
    files: Mapping[str, str],
    attachments: Iterable[Attachment],
    requirements: Iterable[OpenRequirement],
    about: Mapping[str, Any],
) -> bytes:
    """Return `provenance.json`; `files` are the SHA-256 of the documents by name."""
    said = {
        "format": FORMAT,
        **about,
        "rounding": amounts.ROUNDING,
        "documents": {name: {"sha256": digest} for name, digest in files.items()},
        "attachments": [_attachment(a) for a in attachments],
        "open_requirements": [requirement_document(r) for r in requirements],
        "numbers": [number_document(number, movements.seqs_behind) for number in numbers],
    }
    return _in_lines({**said, "movements": movements.cited()}).encode()


def _in_lines(said: Mapping[str, Any]) -> str:
    """Return JSON with one line for each thing: a file of many megabytes that can still be looked into."""
    parts = [f"{_compact(key)}: {_lined(value)}" for key, value in said.items()]
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _lined(value: Any) -> str:
    if isinstance(value, list) and value:
        return "[\n" + ",\n".join(map(_compact, value)) + "\n]"
    if isinstance(value, dict) and value:
        return "{\n" + ",\n".join(f"{_compact(key)}: {_compact(one)}" for key, one in value.items()) + "\n}"
    return _compact(value)


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def number_document(
    placed: Placed, movements: Callable[[MovementsBehind], list[Any]] | None = None
) -> dict[str, Any]:
    """Return one number of a document, with where it stands and what it rests on."""
    cell = placed.cell
    figure = cell.basis if isinstance(cell.basis, Figure) else None
    return {
        "document": placed.document,
        "where": {"table": placed.table, "row": placed.row, "column": placed.column},
        "text": cell.text,
        "value": plain(cell.value),
        "unit": cell.unit,
        "indicator": figure.indicator if figure else None,
        "year": figure.year if figure else _year(cell),
        "stream": figure.stream if figure else None,
        "dimension": figure.dimension if figure else None,
        "basis": figure_document(figure, movements=movements) if figure else _stated(cell),
    }


def _year(cell: Cell) -> int | None:
    said = [cell.basis] if isinstance(cell.basis, StatedInput) else list(cell.parts)
    return said[0].year if said else None


def _stated(cell: Cell) -> dict[str, Any]:
    said = [cell.basis] if isinstance(cell.basis, StatedInput) else list(cell.parts)
    return {"type": "stated", "inputs": [_input(one) for one in said]}


def _input(said: StatedInput) -> dict[str, Any]:
    return {
        "organisation": said.organisation,
        "item": said.item,
        "label": said.label,
        "year": said.year,
        "value": said.value if isinstance(said.value, str) else plain(said.value),
        "unit": said.unit,
        "source": said.source,
    }


def _attachment(attachment: Attachment) -> dict[str, Any]:
    return {
        "category": attachment.category,
        "file_name": attachment.file_name,
        "type": attachment.media_type,
        "size": attachment.size,
        "sha256": attachment.sha256,
    }


def requirement_document(requirement: OpenRequirement) -> dict[str, Any]:
    return {
        "id": requirement.id,
        "clause": requirement.clause,
        "verdict": requirement.verdict,
        "says": requirement.says,
        "explanation": requirement.explanation,
        "supply": list(requirement.supply),
    }
