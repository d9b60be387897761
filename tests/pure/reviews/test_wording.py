"""Whatever a review refuses, a person reads why and what to do."""

import re
from pathlib import Path
from typing import get_args

from wufei.policies.edition import StageKind
from wufei.reviews.refusals import ReviewRefused
from wufei.reviews.wording import WORDS, words_of

ROOM = Path(__file__).parents[3] / "src/wufei/reviews"


def codes_in_use() -> set[str]:
    raised = {
        code
        for path in ROOM.rglob("*.py")
        for code in re.findall(r"ReviewRefused\(\s*\"(\w+)\"", path.read_text())
    }
    named = re.findall(r"\"([a-z]+(?:_[a-z]+)+)\"", (ROOM / "queries/acting.py").read_text())
    return raised | set(named) - set(get_args(StageKind))


def test_every_refusal_has_words():
    assert len(codes_in_use()) > 50
    assert sorted(codes_in_use() - set(WORDS)) == []


def test_words_say_what_it_concerns():
    assert words_of(ReviewRefused("quota_used_up", "per-city")).endswith("（per-city）。")
    assert words_of(ReviewRefused("words_missing")) == WORDS["words_missing"]
