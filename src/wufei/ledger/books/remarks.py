"""What is said beneath an official ledger: what is not in it, and why its sums are still the ledger's."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from wufei.ledger.books.layouts import Layout
from wufei.ledger.kinds import LABELS, Kind

# What happens to waste and is a record of no table; and what is said where a table would seem to lack it.
NO_STORING = (Kind.OPENING_STOCK, Kind.STOCKTAKE_GAIN, Kind.STOCKTAKE_LOSS)
NO_WHEREABOUTS = (
    Kind.OPENING_STOCK, Kind.RECEIPT, Kind.STOCKTAKE_GAIN, Kind.STOCKTAKE_LOSS, Kind.TRANSFORMATION_INPUT,
    Kind.TRANSFORMATION_OUTPUT, Kind.TRANSFORMATION_LOSS,
)  # fmt: skip
UNLISTED: Mapping[str, tuple[Kind, ...]] = {
    "general-2": NO_WHEREABOUTS,
    "general-5": NO_STORING,
    "hw-2": NO_STORING,
    "hw-3": NO_STORING,
}


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What the period holds beside the records of a table."""

    grams: Mapping[Kind, int] = field(default_factory=dict)  # by kind, reversals taken off
    # Movements of the period that were reversed on a day outside it, and reversals in it of what lies outside.
    reversed_outside: int = 0
    reversals_of_outside: int = 0


def remarks(layout: Layout, left_out: LeftOut) -> list[str]:
    """Return what stands beneath the table."""
    said = list(layout.remarks)
    unlisted = [
        f"{LABELS[kind]} {_plain(left_out.grams[kind])} 吨"
        for kind in UNLISTED.get(layout.id, ()) if left_out.grams.get(kind)
    ]  # fmt: skip
    if unlisted:
        said.append(f"期间另有不属于本表环节的记录，未列入：{'、'.join(unlisted)}。")
    if layout.id == "general-2" and left_out.grams.get(Kind.RECEIPT):
        said.append("利用、处置数量含接收的外单位废物。")
    if left_out.reversed_outside and layout.id not in ("general-1", "general-2"):
        said.append(
            f"期间有 {left_out.reversed_outside} 笔记录后来在期外冲正，未列入；各月合计和指标在冲正当月扣减。"
        )
    if left_out.reversals_of_outside and layout.id not in ("general-1", "general-2"):
        said.append(f"期间有 {left_out.reversals_of_outside} 笔冲正针对期外的记录，未列入。")
    return said


def _plain(grams: int) -> str:
    return f"{Decimal(grams).scaleb(-6).normalize():f}"
