"""What changes the shop floor. Every write is here, each in one transaction."""

from wufei.shopfloor.services.entries import (
    Entered,
    abandon,
    enter_generation,
    enter_relocation,
    register_phone,
)
from wufei.shopfloor.services.readings import Answer, accept, is_from, receive, set_aside, take
from wufei.shopfloor.services.scales import (
    change_scale,
    register_scale,
    renew_secret,
    retire_scale,
)

__all__ = [
    "Answer", "Entered", "abandon", "accept", "change_scale", "enter_generation", "enter_relocation",
    "is_from", "receive", "register_phone", "register_scale", "renew_secret", "retire_scale", "set_aside", "take",
]  # fmt: skip
