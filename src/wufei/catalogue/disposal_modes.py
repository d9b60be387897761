"""
Which way of utilisation or disposal does a code name? HJ 1033 annex F 利用/处置方式代码

From secondary sources; not compared with the standard itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from wufei.catalogue import tables
from wufei.catalogue.waste_codes import normal_form

COLUMNS = ("code", "label", "kind", "status")
FILE = "disposal-mode-codes.csv"


class ModeKind(StrEnum):
    UTILISATION = "UTILISATION"  # 利用
    DISPOSAL = "DISPOSAL"  # 处置


_KINDS = {"利用": ModeKind.UTILISATION, "处置": ModeKind.DISPOSAL}


@dataclass(frozen=True, slots=True, kw_only=True)
class DisposalMode:
    code: str  # "R1", "D10", "C2"
    label: str
    kind: ModeKind
    is_verified: bool
    edition: str = "HJ 1033 附录F"
    source: str = "二手资料（两个企业系统一致），未与标准核对"


@cache
def disposal_modes() -> Mapping[str, DisposalMode]:
    """
    Return the modes by code, in the order of the annex.

    :raises TableRefused: if the shipped file is broken
    """
    path = tables.SHIPPED / FILE
    found: dict[str, DisposalMode] = {}
    for line, row in tables.read_rows(path, COLUMNS):
        if row["kind"] not in _KINDS or row["code"] in found:
            raise tables.refusal(path, line, f"方式代码“{row['code']}”重复，或不属于利用、处置。")
        found[row["code"]] = DisposalMode(
            code=row["code"],
            label=row["label"],
            kind=_KINDS[row["kind"]],
            is_verified=row["status"] == "verified",
        )
    return found


def disposal_mode(code: str) -> DisposalMode | None:
    """
    Return the mode of a code, however it is cased or spaced; None where there is none.

    >>> disposal_mode("ｒ1").label[:5]
    '作为燃料（'
    """
    return disposal_modes().get(normal_form(code))


def disposal_modes_named(part: str) -> tuple[DisposalMode, ...]:
    """Return the modes whose label contains the text: 焚烧, 填埋."""
    return tuple(mode for mode in disposal_modes().values() if part and part in mode.label)
