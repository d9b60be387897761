"""Whatever a review refuses, a person reads why and what to do."""

import re
from pathlib import Path
from typing import get_args

import pytest

from wufei.policies.edition import StageKind
from wufei.reviews.duties import Duty
from wufei.reviews.refusals import ReviewRefused
from wufei.reviews.wording import DUTY_WORDS, PACKAGE_FAULTS, WORDS, words_of

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
    assert words_of(ReviewRefused("quota_below_use", "3 > 2")).endswith("（3 > 2）。")
    assert words_of(ReviewRefused("words_missing")) == WORDS["words_missing"]


@pytest.mark.parametrize(
    ("code", "detail", "said"),
    [
        ("stage_moved_on", "district-recommendation", ""),
        ("stage_moved_on", "decision", ""),
        ("stage_moved_on", "区县初审", "（区县初审）"),
        ("not_your_stage", "site-check", ""),
        ("quota_used_up", "per-city", ""),
        ("stale", "4", ""),
        ("acted_before", Duty.RECOMMEND, "（已办理审核、推荐）"),
        ("package_broken", "signature_wrong", "（签名与内容不符）"),
        ("batch_action_unknown", "RECOGNISE", "（认定）"),
        ("conflict_of_interest", "ADVISER", "（曾为申报单位提供咨询或评价）"),
        ("had_it_before", "Z001", "（Z001）"),
    ],
)
def test_no_name_of_the_code_stands_in_a_sentence(code, detail, said):
    assert words_of(ReviewRefused(code, detail)) == WORDS[code].rstrip("。") + said + "。"


def test_every_fault_of_a_package_and_every_duty_has_words():
    raised = [
        fault
        for name in ("package.py", "manifest.py", "services/packages.py")
        for fault in re.findall(
            r"(?:PackageBroken\(|ReviewRefused\(\"package_broken\", )\"(\w+)\"", (ROOM / name).read_text()
        )
    ]
    assert len(raised) > 4
    assert set(raised) <= set(PACKAGE_FAULTS)
    assert set(DUTY_WORDS) == set(Duty)
