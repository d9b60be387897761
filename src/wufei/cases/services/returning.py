"""What stands beside a draft after it was sent back: left by who returned it, gone when it is handed in again."""

from collections.abc import Mapping
from datetime import datetime

from wufei.cases.models import Case


def leave_notes(
    *, case_id: int, by_whom: str, words: str, comments: Mapping[str, str], now: datetime
) -> None:
    """
    Leave what was said of the whole and of single fields and criteria; notes of a return before give way.

    It is no edit of the draft: its version stays, and so does whoever has it open.
    """
    said = {"by": by_whom, "at": now.isoformat(), "words": words, "comments": dict(comments)}
    Case.objects.filter(pk=case_id).update(returned=said)
