"""
Which experts does a seed draw?

Commit and reveal, by a method that a stranger can redo with any SHA-256 calculator
(`docs/reference/draw.md`): the commitment is the SHA-256 of the seed; every candidate of a field gets the
SHA-256 of `seed|field|number` as its key, and the smallest keys are drawn. Nothing in it depends on the
machine, the language or the order in which the candidates were entered.
"""

import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

ALL_FIELDS = ""  # the field of a draw from everybody


class NotEnoughCandidates(Exception):
    """The field has fewer candidates than are to be drawn."""

    def __init__(self, field: str, wanted: int, available: int):
        self.code = "not_enough_candidates"
        self.field, self.wanted, self.available = field, wanted, available
        super().__init__(f"{field or 'all'}: {wanted} wanted, {available} there")


@dataclass(frozen=True, slots=True)
class Candidate:
    """Who may be drawn: the expert's number in its pool, and its fields."""

    number: str
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Drawn:
    """One who was drawn: for which field, with which key."""

    number: str
    field: str
    key: str


def commitment(seed: str) -> str:
    """
    Return what is published before the draw: the SHA-256 of the seed's UTF-8 bytes.

    >>> commitment("2026-07-01")[:16]
    'c46fa4a66c4ce2e1'
    """
    return _sha256(seed)


def keeps(seed: str, committed: str) -> bool:
    """Return whether the seed is the one that was committed to."""
    return hmac.compare_digest(commitment(seed), committed)


def key(seed: str, field: str, number: str) -> str:
    """Return the candidate's key for the field; the smaller is drawn first."""
    return _sha256(f"{seed}|{field}|{number}")


def draw(
    candidates: Iterable[Candidate], *, seed: str, number: int = 0, per_field: Mapping[str, int] | None = None
) -> tuple[Drawn, ...]:
    """
    Return who is drawn, in the order of the draw: `number` of all, or so many of each field.

    The fields come in the order of their names; who was drawn for one is no candidate for the next.

    :raises NotEnoughCandidates:
    """
    left = in_order(candidates)
    found: list[Drawn] = []
    for field, wanted in sorted((per_field or {ALL_FIELDS: number}).items()):
        of_field = [c for c in left if field == ALL_FIELDS or field in c.fields]
        if len(of_field) < wanted:
            raise NotEnoughCandidates(field, wanted, len(of_field))
        keyed = sorted((key(seed, field, c.number), c.number) for c in of_field)[:wanted]
        found += [Drawn(number=chosen, field=field, key=k) for k, chosen in keyed]
        gone = {chosen for _, chosen in keyed}
        left = [c for c in left if c.number not in gone]
    return tuple(found)


def in_order(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Return the candidates as they are published: by number, each once."""
    by_number: dict[str, Candidate] = {}
    for each in candidates:
        assert each.number not in by_number, f"{each.number} stands twice among the candidates"
        by_number[each.number] = each
    return [by_number[number] for number in sorted(by_number)]


def published(candidates: Sequence[Candidate]) -> list[dict[str, object]]:
    """Return the candidates as plain data."""
    return [{"number": each.number, "fields": list(each.fields)} for each in candidates]


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
