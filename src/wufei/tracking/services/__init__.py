"""What changes trackers, positions, routes and alerts. Every write is here, each in one transaction."""

from wufei.tracking.services.judging import acknowledge, judge, watch
from wufei.tracking.services.receiving import Answer, accept, accept_from_phone, is_from, receive
from wufei.tracking.services.retention import Deleted, delete_old_positions
from wufei.tracking.services.routes import state_route
from wufei.tracking.services.trackers import register_tracker, renew_secret, retire_tracker

__all__ = [
    "Answer", "Deleted", "accept", "accept_from_phone", "acknowledge", "delete_old_positions", "is_from", "judge",
    "receive", "register_tracker", "renew_secret", "retire_tracker", "state_route", "watch",
]  # fmt: skip
