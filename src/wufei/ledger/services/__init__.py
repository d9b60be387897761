"""What changes the ledger. Every write is here, each in one transaction."""

from wufei.ledger.services.declaring import DeclarationRefused, declare_store, declare_stream
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
from wufei.ledger.services.transforming import (
    Became,
    TransformationRefused,
    describe_container,
    record_lineage,
    reverse_transformation,
    transform,
)

__all__ = [
    "Became", "ClientIdReused", "ClosingRefused", "DeclarationRefused", "MovementsRefused", "ReversalRefused", "TransformationRefused",
    "attach_timestamp", "close_month", "declare_store", "declare_stream", "describe_container", "post", "record_lineage", "reverse", "reverse_transformation",
    "seal_day", "transform", "verify",
]  # fmt: skip
