"""By which numbers does this room count? They are data (`data/rules.yaml`), each with its source."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from wufei.terms.mass import Mass


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    value: int
    source: str
    confidence: str  # verified, unverified

    @property
    def is_verified(self) -> bool:
        return self.confidence == "verified"


@cache
def known_rules() -> dict[str, Rule]:
    said = yaml.safe_load((Path(__file__).parent / "data" / "rules.yaml").read_text(encoding="utf-8"))
    return {name: Rule(**row) for name, row in said.items()}


def declaration_due_day() -> int:
    """Return the day of the next month through which a month is declared."""
    return known_rules()["declaration_due_day"].value


def point_limit() -> Mass:
    """Return how much hazardous waste may stand at a generator's storage point 贮存点 at any time."""
    return Mass.of(str(known_rules()["point_limit_tonnes"].value), "吨")
