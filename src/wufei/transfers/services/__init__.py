"""What changes manifests. Every write is here, each in one transaction; the acts of a party are in `signing`."""

from wufei.transfers.services.approvals import record_approval
from wufei.transfers.services.carrying import deliver, hand_over, load, resume, store_on_the_way
from wufei.transfers.services.drafting import LegSaid, LineSaid, cancel, create_draft, draft, edit_draft
from wufei.transfers.services.issuing import issue
from wufei.transfers.services.receiving import LineReceived, receive, take_back
from wufei.transfers.services.revising import Change, answer_revision, propose_revision, withdraw_revision
from wufei.transfers.services.settling import settle_discrepancy
from wufei.transfers.services.weighing import receive_load, shares_of

__all__ = [
    "Change", "LegSaid", "LineReceived", "LineSaid", "answer_revision", "cancel", "create_draft", "deliver", "draft", "edit_draft",
    "hand_over", "issue", "load", "propose_revision", "receive", "receive_load", "record_approval", "resume",
    "settle_discrepancy", "shares_of", "store_on_the_way", "take_back", "withdraw_revision",
]  # fmt: skip
