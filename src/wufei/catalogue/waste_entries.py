"""What is one line of the waste catalogue?"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class WasteClass(StrEnum):
    GENERAL = "GENERAL"  # 一般固体废物（工业源为一般工业固废）
    HAZARDOUS = "HAZARDOUS"  # 危险废物


@dataclass(frozen=True, slots=True, kw_only=True)
class WasteEntry:
    """
    One waste code, or one category (then `code` equals `category`), of one edition.

    `is_verified` says that the row was read in the full text of its own edition; whether
    that edition still holds is another question, which `read_waste_code` answers.
    """

    code: str  # "900-249-08", "900-001-S17"; of a category "HW08", "SW02"
    category: str  # "HW08", "SW17"
    category_name: str
    name: str
    industry: str  # as the list words it: "非特定行业"; "" where not stated
    hazard: str  # 危险特性, as printed, with ASCII separators: "T,I", "T/C"; "" where none
    waste_class: WasteClass
    edition: str  # "2021", "2025" of the hazardous list; "2024" of the solid-waste codes
    is_verified: bool
    in_force_from: date
    in_force_until: date | None  # the first day it no longer holds; None: still in force
    source: str

    @property
    def is_category(self) -> bool:
        return self.code == self.category
