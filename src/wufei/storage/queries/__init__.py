"""What reads storage: `stocktaking` sheets, counts and differences; `zones` what stands where, and for how long."""

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
    "Standing", "Timed", "ToCount", "ToPost", "ZoneView", "counters_of", "counts_of", "head_seq", "moved",
    "nature_of", "net", "placed", "reduced", "sheets", "since_in", "standing_in", "timed", "to_count", "to_post",
    "unfinished_sheets", "zone_views", "zones_of",
]  # fmt: skip
