"""
Which limits hold: how long may a vehicle stand, stray or be silent, and how long are its positions kept?

Pure. The numbers are data (`data/limits.yaml`), with where they are from.
"""

from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import yaml

LONGEST_BATCH = 500  # positions of one message


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """One limit as people read it."""

    id: str
    value: int
    unit: str
    says: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    stop_after: timedelta
    stop_radius_m: int
    place_radius_m: int
    corridor_m: int
    detour_after: timedelta
    silent_after: timedelta
    top_speed_kmh: int
    clock_ahead: timedelta
    backlog: timedelta
    kept: timedelta


@cache
def _said() -> dict[str, Any]:
    text = (Path(__file__).parent / "data" / "limits.yaml").read_text(encoding="utf-8")
    found: dict[str, Any] = yaml.safe_load(text)
    return found


@cache
def known_limits() -> tuple[Limit, ...]:
    """Return the limits that we ship, in their order."""
    return tuple(Limit(**row) for row in _said()["limits"])


def source() -> tuple[str, bool]:
    """Return where the limits are from, and whether that was verified."""
    return _said()["source"], _said()["confidence"] == "verified"


@cache
def limits() -> Limits:
    """Return the limits as the rules take them."""
    value = {each.id: each.value for each in known_limits()}
    found = Limits(
        stop_after=timedelta(minutes=value["stop_after"]), stop_radius_m=value["stop_radius"],
        place_radius_m=value["place_radius"], corridor_m=value["corridor"],
        detour_after=timedelta(minutes=value["detour_after"]),
        silent_after=timedelta(minutes=value["silent_after"]), top_speed_kmh=value["top_speed"],
        clock_ahead=timedelta(seconds=value["clock_ahead"]), backlog=timedelta(hours=value["backlog"]),
        kept=timedelta(days=value["kept"]),
    )  # fmt: skip
    # What was deleted can't be told from what never came: nothing so old may be taken again.
    assert found.backlog < found.kept, "positions are kept longer than they may be late"
    return found
