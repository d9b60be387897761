"""
Has this person a part in the case already that forbids this one?

S7: no one submits, recommends, scores and approves the same case. Each act belongs to a duty; a person has
at most one duty in a case.
"""

from enum import StrEnum

from wufei.policies.edition import StageKind
from wufei.reviews.stages import Action


class Duty(StrEnum):
    SUBMIT = "SUBMIT"  # 申报
    RECOMMEND = "RECOMMEND"  # 审核、推荐
    SCORE = "SCORE"  # 评分
    APPROVE = "APPROVE"  # 认定


_NO_DUTY = frozenset(
    {Action.RELEASE, Action.PASS_ON, Action.PUBLISH, Action.CONFIRM, Action.REMOVE, Action.CONCLUDE}
)


def duty_of(kind: StageKind, action: Action) -> Duty | None:
    """Return the duty that the act belongs to; None: it only carries out what others decided."""
    if action in (Action.SUBMIT, Action.WITHDRAW):
        return Duty.SUBMIT
    if action in _NO_DUTY:
        return None
    return Duty.APPROVE if kind in ("decision", "above") else Duty.RECOMMEND
