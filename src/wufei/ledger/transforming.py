"""
May these lots become those, and how much of which went into which?

Pure. What goes in equals what comes out and the declared loss, to the gram.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum, auto
from functools import cache
from itertools import combinations
from pathlib import Path

import yaml

from wufei.ledger.kinds import Kind, TransformationKind
from wufei.ledger.posting import BULK_PREFIX
from wufei.terms.mass import Mass


class TransformationCode(StrEnum):
    """Why a transformation is refused."""

    NOTHING_GOES_IN = auto()
    NOTHING_COMES_OUT = auto()
    SHAPE_WRONG = auto()  # a split of two lots, a merger into three
    STREAM_CHANGES = auto()  # by what changes the packing only
    LOT_TWICE = auto()
    LOT_IS_BULK = auto()  # a heap carries no label: weigh and label it first
    MASS_NOT_BALANCED = auto()
    LOSS_WITHOUT_REASON = auto()
    HAZARDOUS_WITH_GENERAL = auto()
    INCOMPATIBLE = auto()
    OWN_WITH_RECEIVED = auto()


@dataclass(frozen=True, slots=True)
class TransformationRefusal:
    code: TransformationCode
    detail: str  # of INCOMPATIBLE: why, in Chinese


@dataclass(frozen=True, slots=True)
class Input:
    """So much of a lot goes in, out of a store."""

    store_code: str
    lot_code: str
    mass: Mass


@dataclass(frozen=True, slots=True)
class Output:
    """A new lot comes out, into a store."""

    store_code: str
    lot_code: str
    stream_code: str
    mass: Mass
    packaging: str = ""
    volume_ml: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LotFacts:
    """What is known of a lot that goes in."""

    stream_code: str
    origin: str  # a Kind that puts into store
    origin_year: int
    is_bulk: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamNature:
    """What mixing asks of a stream."""

    waste_class: str  # GENERAL, HAZARDOUS
    waste_category: str  # HW34
    hazards: frozenset[str] = field(default_factory=frozenset)  # T, C, I, R, In


@dataclass(frozen=True, slots=True)
class Incompatible:
    """Two kinds of waste that may not touch: by category, or by hazard. `why` in Chinese, with the clause."""

    one: str
    other: str
    why: str


@cache
def known_incompatible() -> tuple[Incompatible, ...]:
    """Return the pairs that we ship; see the file for how sure they are."""
    said = yaml.safe_load((Path(__file__).parent / "data" / "incompatible.yaml").read_text(encoding="utf-8"))
    return tuple(Incompatible(**pair) for pair in said["pairs"])


_SAME_STREAM = frozenset({TransformationKind.SPLIT, TransformationKind.MERGE, TransformationKind.REPACK})


def refusals(
    kind: TransformationKind,
    inputs: Sequence[Input],
    outputs: Sequence[Output],
    *,
    loss: Mass,
    loss_reason: str,
    lots: Mapping[str, LotFacts],
    streams: Mapping[str, StreamNature],
    incompatible: Sequence[Incompatible] = (),
) -> list[TransformationRefusal]:
    """Return every reason against, as far as the lots and streams are known; what they hold the ledger asks."""
    found: list[TransformationRefusal] = []

    def refuse(code: TransformationCode, detail: str = "") -> None:
        found.append(TransformationRefusal(code, detail))

    if not inputs:
        refuse(TransformationCode.NOTHING_GOES_IN)
    if not outputs:
        refuse(TransformationCode.NOTHING_COMES_OUT)
    if wrong := _shape_fault(kind, len(inputs), len(outputs)):
        refuse(TransformationCode.SHAPE_WRONG, wrong)
    both: list[Input | Output] = [*inputs, *outputs]
    codes = [each.lot_code for each in both]
    for code in sorted({code for code in codes if codes.count(code) > 1}):
        refuse(TransformationCode.LOT_TWICE, code)
    for each in both:
        if each.lot_code.startswith(BULK_PREFIX) or (each.lot_code in lots and lots[each.lot_code].is_bulk):
            refuse(TransformationCode.LOT_IS_BULK, each.lot_code)
    known = [lots[each.lot_code] for each in inputs if each.lot_code in lots]
    went_in = {lot.stream_code for lot in known}
    if kind in _SAME_STREAM and len(went_in | {each.stream_code for each in outputs}) > 1:
        refuse(TransformationCode.STREAM_CHANGES)
    balance = _sum(inputs) - _sum(outputs) - loss.grams
    if balance:
        refuse(TransformationCode.MASS_NOT_BALANCED, f"{balance} g")
    if loss.grams and not loss_reason.strip():
        refuse(TransformationCode.LOSS_WITHOUT_REASON)
    if len({lot.origin == Kind.RECEIPT for lot in known}) > 1:
        refuse(TransformationCode.OWN_WITH_RECEIVED)
    natures = [streams[code] for code in sorted(went_in) if code in streams]
    if len({nature.waste_class for nature in natures}) > 1:
        refuse(TransformationCode.HAZARDOUS_WITH_GENERAL)
    for one, other in combinations(natures, 2):
        for rule in incompatible:
            if _touches(rule, one, other):
                refuse(TransformationCode.INCOMPATIBLE, rule.why)
    return found


def _sum(lines: Sequence[Input] | Sequence[Output]) -> int:
    return sum(line.mass.grams for line in lines)


def _shape_fault(kind: TransformationKind, went_in: int, came_out: int) -> str:
    """Return what is wrong with how many go in and come out, or ""."""
    match kind:
        case TransformationKind.SPLIT if went_in != 1 or came_out < 2:
            return "一个批次分成两个以上"
        case TransformationKind.MERGE if went_in < 2 or came_out != 1:
            return "两个以上批次并成一个"
        case TransformationKind.MIX if went_in < 2 or came_out != 1:
            return "两个以上批次混成一个"
        case TransformationKind.REPACK if went_in != 1 or came_out != 1:
            return "一个批次换成一个"
    return ""


def _touches(rule: Incompatible, one: StreamNature, other: StreamNature) -> bool:
    def is_a(nature: StreamNature, word: str) -> bool:
        return word == nature.waste_category or word in nature.hazards

    return (is_a(one, rule.one) and is_a(other, rule.other)) or (
        is_a(one, rule.other) and is_a(other, rule.one)
    )


def origin_of(lots: Sequence[LotFacts]) -> tuple[str, int]:
    """
    Return the origin and year that a lot made of these counts by.

    Our reading: the oldest. What was 期初贮存 or of an earlier year stays stock of earlier years, so that no
    share is made to look better by pouring it together with fresh waste.
    """
    eldest = min(lots, key=lambda lot: (lot.origin_year, lot.origin != Kind.OPENING_STOCK))
    return eldest.origin, eldest.origin_year


def shares(went_in: Sequence[int], came_out: Sequence[int]) -> list[list[int]]:
    """
    Return how many grams of each input are in each output: in proportion, and exact both ways.

    Every output's shares sum to its mass; what of an input is in no output was lost. Rounded along both sides at
    once; where grams are so few that this would give less than nothing, filled up one after another.

    >>> shares([60, 40], [50, 50])
    [[30, 30], [20, 20]]
    >>> shares([3], [1, 1])
    [[1, 1]]
    """
    whole = sum(went_in)
    upto: list[list[int]] = []
    for i in range(len(went_in) + 1):
        through = sum(went_in[:i])
        upto.append([through * sum(came_out[:j]) // whole for j in range(len(came_out) + 1)])
    cells = [
        [upto[i + 1][j + 1] - upto[i][j + 1] - upto[i + 1][j] + upto[i][j] for j in range(len(came_out))]
        for i in range(len(went_in))
    ]
    is_sound = all(cell >= 0 for row in cells for cell in row) and all(
        sum(row) <= mass for row, mass in zip(cells, went_in, strict=True)
    )
    return cells if is_sound else _filled_up(went_in, came_out)


def _filled_up(went_in: Sequence[int], came_out: Sequence[int]) -> list[list[int]]:
    left = list(came_out)
    cells = []
    for mass in went_in:
        row = []
        for j, free in enumerate(left):
            taken = min(mass, free)
            row.append(taken)
            mass, left[j] = mass - taken, free - taken
        cells.append(row)
    return cells
