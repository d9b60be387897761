"""
What the ledger asks of the rooms above it, which it can't import: they answer here once their apps are ready.

Labels read what a scanner read; transfers know who is a party to a manifest, and who handed the waste over. Without
those rooms nothing is known.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from django.db.models import QuerySet

from wufei.registry.models import Organisation


@dataclass(frozen=True, slots=True, kw_only=True)
class Scanned:
    """What a scanned text names: a container by its 数字识别码, or a lot of an organisation."""

    digital_id: str = ""
    uscc: str = ""
    lot: str = ""


class ScanRefused(Exception):
    """What was scanned names no lot of ours: torn, or of another system; `words` say so in Chinese."""

    def __init__(self, code: str, words: str):
        super().__init__(code)
        self.code, self.words = code, words


@dataclass(frozen=True, slots=True)
class Hands:
    """Through whose hands the waste of a manifest left the generator's store."""

    issuer: str  # who issued the manifest
    driver: str


@dataclass(slots=True)
class Above:
    """The answers of the rooms above."""

    # None: the text is nothing like a label's. It raises ScanRefused.
    read_label: Callable[[str], Scanned | None]
    # Of the lots, those on an issued manifest that one of the organisations receives or carries.
    lots_handed_to: Callable[[Collection[int], QuerySet[Organisation]], set[int]]
    # By the manifest's number.
    hands: Callable[[Collection[str]], Mapping[str, Hands]]


above = Above(lambda _text: None, lambda _lots, _parties: set(), lambda _numbers: {})
