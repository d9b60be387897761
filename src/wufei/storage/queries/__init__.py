"""
What reads storage.

`stocktaking` sheets, counts and differences; `zones` what stands where, and for how long; `inspections` what was
found in a store, and what is to be put right.
"""

from wufei.storage.queries.inspections import (
    LineFound,
    StoreDue,
    actions_narrowed,
    actions_waiting_for,
    corrective_actions,
    inspections,
    lines_of,
    narrowed,
    photos_of_store,
    source_of,
    stores_due,
    who_can_correct,
)
from wufei.storage.queries.stocktaking import (
    ToCount,
    ToPost,
    counters_of,
    counts_of,
    head_seq,
    moved,
    net,
    reduced,
    sheets,
    to_count,
    to_post,
    unfinished_sheets,
)
from wufei.storage.queries.zones import (
    Standing,
    Timed,
    ZoneView,
    nature_of,
    placed,
    since_in,
    standing_in,
    timed,
    zone_views,
    zones_of,
)

__all__ = [
    "LineFound", "Standing", "StoreDue", "Timed", "ToCount", "ToPost", "ZoneView", "actions_narrowed",
    "actions_waiting_for", "corrective_actions", "counters_of", "counts_of", "head_seq", "inspections", "lines_of",
    "moved", "narrowed", "nature_of", "net", "photos_of_store", "placed", "reduced", "sheets", "since_in", "source_of",
    "standing_in", "stores_due", "timed", "to_count", "to_post", "unfinished_sheets", "who_can_correct", "zone_views",
    "zones_of",
]  # fmt: skip
