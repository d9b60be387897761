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

__all__ = [
    "ClientIdReused", "ClosingRefused", "DeclarationRefused", "MovementsRefused", "ReversalRefused",
    "attach_timestamp", "close_month", "declare_store", "declare_stream", "post", "reverse",
    "seal_day", "verify",
]  # fmt: skip
