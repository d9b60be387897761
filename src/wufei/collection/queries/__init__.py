"""
What reads small generators: what they said, what is ready where, which rounds there are, what stands at the point.
"""

from wufei.collection.queries.declared import (
    MonthSaid,
    WasteAsked,
    is_small_generator,
    months_said,
    newest_declarations,
    overseen,
    silent,
    small_generators,
    to_declare,
    wastes_asked,
    words_of,
)
from wufei.collection.queries.ready import LACK_TEXT, Held, Ready, Wanted, narrowed, ready
from wufei.collection.queries.registered import (
    collectors,
    contracted,
    is_collector,
    pending_for,
    permits_shown,
    points_of,
    registrations_for,
    serves,
    within,
)
from wufei.collection.queries.rounds import (
    AtPoint,
    listed_rounds,
    loads_of,
    past_pickups_of,
    pickups_for,
    rounds_of,
    stock_of_point,
    stops_of,
)

__all__ = [
    "LACK_TEXT", "AtPoint", "Held", "MonthSaid", "Ready", "Wanted", "WasteAsked", "collectors", "contracted", "is_collector",
    "is_small_generator", "listed_rounds", "loads_of", "months_said", "narrowed", "newest_declarations", "overseen",
    "past_pickups_of", "pending_for", "permits_shown", "pickups_for", "points_of", "ready", "registrations_for", "rounds_of", "serves", "silent",
    "small_generators", "stock_of_point", "stops_of", "to_declare", "wastes_asked", "within", "words_of",
]  # fmt: skip
