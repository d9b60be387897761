"""What changes storage. Every write is here, each in one transaction."""

from wufei.storage.services.inspections import (
    LONGEST_REMARK,
    InspectionSaid,
    LineSaid,
    close_corrective_action,
    record_inspection,
)
from wufei.storage.services.stocktaking import (
    LONGEST,
    Found,
    close_sheet,
    count_lot,
    give_up_sheet,
    open_sheet,
    post_differences,
)
from wufei.storage.services.zones import ZoneSaid, declare_zone, place_lot

__all__ = [
    "LONGEST", "LONGEST_REMARK", "Found", "InspectionSaid", "LineSaid", "ZoneSaid", "close_corrective_action",
    "close_sheet", "count_lot", "declare_zone", "give_up_sheet", "open_sheet", "place_lot", "post_differences",
    "record_inspection",
]  # fmt: skip
