"""What changes the ledger. Every write is here, each in one transaction."""

from wufei.ledger.services.correcting import correct, drafted
from wufei.ledger.services.declaring import DeclarationRefused, declare_store, declare_stream
from wufei.ledger.services.identifying import IdentificationRefused, record_identification
from wufei.ledger.services.months import (
    ClosingRefused,
    attach_timestamp,
    close_month,
    seal_day,
    verify,
)
from wufei.ledger.services.moving import (
    ClientIdReused,
    MovementsRefused,
    ReversalRefused,
    post,
    reverse,
)
from wufei.ledger.services.reporting import WasteReportRefused, make_waste_report
from wufei.ledger.services.transforming import (
    Became,
    ContainerSaid,
    TransformationRefused,
    describe_container,
    describe_containers,
    record_lineage,
    reverse_transformation,
    transform,
)

__all__ = [
    "Became", "ClientIdReused", "ClosingRefused", "ContainerSaid", "DeclarationRefused", "IdentificationRefused", "MovementsRefused", "ReversalRefused", "TransformationRefused",
    "WasteReportRefused",
    "attach_timestamp", "close_month", "correct", "declare_store", "declare_stream", "describe_container", "describe_containers", "drafted", "make_waste_report", "post", "record_identification", "record_lineage", "reverse", "reverse_transformation",
    "seal_day", "transform", "verify",
]  # fmt: skip
