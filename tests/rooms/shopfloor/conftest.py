"""A factory with a store, two streams and a scale, and the scale's own voice."""

import itertools
import json
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from wufei.shopfloor import services
from wufei.shopfloor.models import Scale
from wufei.shopfloor.reading import message_of
from wufei.shopfloor.services import Answer
from wufei.shopfloor.signing import signature
from wufei.terms.mass import Mass


@dataclass
class Voice:
    """What the scale says: each time the next number, ten seconds later."""

    scale: Scale
    now: datetime
    numbers: Any = field(default_factory=lambda: itertools.count(1))

    def said(self, net_g: int = 12_000, **said: Any) -> dict[str, Any]:
        number = said.pop("sequence", None) or next(self.numbers)
        defaults = {
            "scale": self.scale.code, "sequence": number, "gross": net_g + 1500, "tare": 1500, "net": net_g,
            "unit": "g", "stable": True,
            "taken_at": (self.now - timedelta(minutes=10) + timedelta(seconds=number)).isoformat(),
        }  # fmt: skip
        return defaults | said

    def signed(self, said: dict[str, Any], secret: str | None = None) -> bytes:
        signed = signature(message_of(said), secret or self.scale.secret)
        return json.dumps(said | {"signature": signed}).encode()

    def says(self, net_g: int = 12_000, **said: Any) -> Answer:
        return services.receive(body=self.signed(self.said(net_g, **said)), now=self.now)


@pytest.fixture
def floor(ledger):
    """The factory's ledger: 库1 takes 1 t, 库2 anything."""
    ledger.stores(库1="1", 库2=None)
    ledger.streams("W1", "W2")
    return ledger


@pytest.fixture
def make_scale(floor, officer, now):
    def make(**said: Any) -> Scale:
        defaults = {
            "organisation": floor.organisation, "name": "一号秤", "store": "库1", "capacity": Mass(60_000),
            "division": Mass(10), "calibrated_until": date(2026, 12, 31), "by": officer, "now": now,
        }  # fmt: skip
        scale, _ = services.register_scale(**(defaults | said))
        return scale

    return make


@pytest.fixture
def scale(make_scale):
    return make_scale()


@pytest.fixture
def voice(scale, now):
    return Voice(scale, now)
