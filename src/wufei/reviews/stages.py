"""
Which stage follows which act, and who may act now?

The stages of a programme are data of its edition; this file only walks them. Where a case stands follows from
its acts alone. A joint stage moves on when all its roles have said the same; where they disagree it stays,
visibly contested, until one of them changes its mind or whoever the edition names settles it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Protocol, TypeVar

from wufei.policies.edition import Stage, StageKind

APPLICANT = "APPLICANT"


class Action(StrEnum):
    SUBMIT = "SUBMIT"  # 报送
    WITHDRAW = "WITHDRAW"  # 撤回
    RETURN = "RETURN"  # 退回补正
    AGREE = "AGREE"  # 同意、推荐、列入
    DISAGREE = "DISAGREE"  # 不同意、不推荐、不列入
    SETTLE_FOR = "SETTLE_FOR"  # 分歧协调后同意
    SETTLE_AGAINST = "SETTLE_AGAINST"  # 分歧协调后不同意
    CONCLUDE = "CONCLUDE"  # 专家评审、征求意见结束
    PUBLISH = "PUBLISH"  # 列入公示
    CONFIRM = "CONFIRM"  # 公示无异议
    REMOVE = "REMOVE"  # 移出公示名单
    RECOGNISE = "RECOGNISE"  # 认定、发布
    REFUSE = "REFUSE"  # 不予认定
    RELEASE = "RELEASE"  # 告知申报单位
    PASS_ON = "PASS_ON"  # noqa: S105 - 申报单位更名、合并、终止后由承继单位继续


class Outcome(StrEnum):
    RECOGNISED = "RECOGNISED"  # 已认定
    REFUSED = "REFUSED"  # 不予认定
    REJECTED = "REJECTED"  # 不予推荐
    NOT_SELECTED = "NOT_SELECTED"  # 未入围
    REMOVED = "REMOVED"  # 公示后移出
    WITHDRAWN = "WITHDRAWN"  # 已撤回


class NotYourDecision(Exception):
    """None of the person's roles acts at this stage."""

    def __init__(self, stage: str):
        self.code = "not_your_decision"
        self.stage = stage
        super().__init__(stage)


class DecisionNotOffered(Exception):
    """The stage does not offer this action, or no longer."""

    def __init__(self, stage: str, action: Action):
        self.code = "decision_not_offered"
        self.stage, self.action = stage, action
        super().__init__(f"{action} at {stage}")


class Acted(Protocol):
    """What the walk needs to know of an act."""

    @property
    def stage(self) -> str: ...
    @property
    def action(self) -> str: ...
    @property
    def role(self) -> str: ...
    @property
    def is_pending(self) -> bool: ...


ActT = TypeVar("ActT", bound=Acted)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a case stands: at a stage, or with an outcome."""

    stage: str  # the stage that it is at, or left with the outcome
    outcome: Outcome | None = None
    votes: Mapping[str, Action] = field(default_factory=dict)  # of this stage, by role
    returned_from: str = ""  # the stage that sent it back; it goes on there
    is_in_notice: bool = False

    @property
    def is_contested(self) -> bool:
        return self.outcome is None and len(set(self.votes.values())) > 1


VOTED: frozenset[StageKind] = frozenset({"third_party", "review", "site_check", "shortlist"})
_VOTES = frozenset({Action.AGREE, Action.DISAGREE})
# What a stage offers by its kind to those who decide it.
OFFERED: Mapping[StageKind, frozenset[Action]] = {
    "self_check": frozenset({Action.SUBMIT}),
    "third_party": _VOTES | {Action.RETURN},
    "review": _VOTES | {Action.RETURN},
    "site_check": _VOTES | {Action.RETURN},
    "consultation": frozenset({Action.CONCLUDE, Action.DISAGREE, Action.RETURN}),
    "experts": frozenset({Action.CONCLUDE}),
    "shortlist": _VOTES,
    "notice": frozenset({Action.PUBLISH}),
    "decision": frozenset({Action.RECOGNISE, Action.REFUSE}),
    "above": frozenset({Action.RECOGNISE, Action.REFUSE}),
}
_IN_NOTICE = frozenset({Action.CONFIRM, Action.REMOVE})
# An applicant may still withdraw here; once the public was told, the authority decides.
WITHDRAWABLE: frozenset[StageKind] = frozenset(
    {"third_party", "review", "site_check", "consultation", "experts", "shortlist"}
)
# What an applicant isn't told of before the stage's decision is released.
HELD_BACK = frozenset(
    {
        Action.AGREE, Action.DISAGREE, Action.SETTLE_FOR, Action.SETTLE_AGAINST, Action.CONCLUDE, Action.PUBLISH,
        Action.CONFIRM, Action.REMOVE, Action.RECOGNISE, Action.REFUSE,
    }
)  # fmt: skip
_REFUSED_AT: Mapping[StageKind, Outcome] = {"shortlist": Outcome.NOT_SELECTED}


def begin(stages: Sequence[Stage]) -> Standing:
    """Return the standing of a case that nobody has acted on."""
    return Standing(stage=stages[0].id)


def stage_of(stages: Sequence[Stage], stage_id: str) -> Stage:
    """
    Return the stage of that id.

    :raises LookupError: if the edition has none
    """
    for stage in stages:
        if stage.id == stage_id:
            return stage
    raise LookupError(stage_id)


def entered_from_below(stages: Sequence[Stage]) -> str:
    """Return the stage at which a package from the level below puts a case."""
    return next(stage.id for stage in stages if stage.kind in ("experts", "decision"))


def deciders(stage: Stage) -> tuple[str, ...]:
    """Return the roles whose act moves the stage on; departments and experts only say their part."""
    return stage.concluded_by or stage.decided_by


def offers(stages: Sequence[Stage], standing: Standing, *, role: str) -> frozenset[Action]:
    """Return what the role may do with the case now."""
    stage = stage_of(stages, standing.stage)
    if standing.outcome is not None:
        again = standing.outcome is Outcome.WITHDRAWN and role == APPLICANT
        return frozenset({Action.SUBMIT}) if again else frozenset()
    found: frozenset[Action] = frozenset()
    if role in deciders(stage):
        found = _IN_NOTICE if standing.is_in_notice else OFFERED[stage.kind]
        found -= {standing.votes.get(role)}  # nobody says the same twice; to change one's mind stays open
    if role in stage.settled_by and standing.is_contested:
        found |= {Action.SETTLE_FOR, Action.SETTLE_AGAINST}
    if role == APPLICANT and (stage.kind in WITHDRAWABLE or standing.returned_from):
        found |= {Action.WITHDRAW}
    return found


def after(stages: Sequence[Stage], standing: Standing, *, action: Action, role: str) -> Standing:
    """
    Return where the case stands after the act.

    :raises NotYourDecision: if the role does nothing at this stage
    :raises DecisionNotOffered: if the stage offers the role something else
    """
    if action in (Action.RELEASE, Action.PASS_ON):
        return standing
    offered = offers(stages, standing, role=role)
    if not offered:
        raise NotYourDecision(standing.stage)
    if action not in offered:
        raise DecisionNotOffered(standing.stage, action)
    return _moved(stages, standing, action, role)


def _moved(stages: Sequence[Stage], standing: Standing, action: Action, role: str) -> Standing:
    stage = stage_of(stages, standing.stage)
    match action:
        case Action.SUBMIT:
            return _submitted(stages, standing)
        case Action.WITHDRAW:
            return Standing(stage=standing.stage, outcome=Outcome.WITHDRAWN)  # handed in again it begins anew
        case Action.RETURN:
            return Standing(stage=stages[0].id, returned_from=standing.stage)
        case Action.AGREE | Action.DISAGREE if stage.kind in VOTED:
            return _voted(stages, replace(standing, votes={**standing.votes, role: action}))
        case Action.DISAGREE | Action.SETTLE_AGAINST:
            return _left(stage, standing)
        case Action.SETTLE_FOR | Action.CONCLUDE | Action.CONFIRM:
            return _next(stages, standing)
        case Action.PUBLISH:
            return replace(standing, is_in_notice=True)
        case Action.REMOVE:
            return replace(standing, outcome=Outcome.REMOVED, votes={}, is_in_notice=False)
        case Action.RECOGNISE:
            return replace(standing, outcome=Outcome.RECOGNISED, votes={})
        case Action.REFUSE:
            return replace(standing, outcome=Outcome.REFUSED, votes={})
        case _:
            raise AssertionError(action)


def _submitted(stages: Sequence[Stage], standing: Standing) -> Standing:
    """A case that was sent back goes on where it was interrupted; everybody there judges it anew."""
    if standing.returned_from:
        return Standing(stage=standing.returned_from)
    return Standing(stage=stages[1].id)


def _voted(stages: Sequence[Stage], standing: Standing) -> Standing:
    stage = stage_of(stages, standing.stage)
    said = {standing.votes.get(role) for role in deciders(stage)}
    if said == {Action.AGREE}:
        return _next(stages, standing)
    if said == {Action.DISAGREE}:
        return _left(stage, standing)
    return standing


def _left(stage: Stage, standing: Standing) -> Standing:
    outcome = _REFUSED_AT.get(stage.kind, Outcome.REJECTED)
    return Standing(stage=standing.stage, outcome=outcome)


def _next(stages: Sequence[Stage], standing: Standing) -> Standing:
    index = [stage.id for stage in stages].index(standing.stage)
    assert index + 1 < len(stages), "the last stage is one that decides"
    return Standing(stage=stages[index + 1].id)


def replay(stages: Sequence[Stage], acts: Iterable[Acted], *, starts_at: str = "") -> Standing:
    """
    Return where a case stands after its acts; `starts_at` is where a package from below put it.

    A withdrawal stands at the stage that its applicant knew of: it wins over what was decided and not yet told.
    """
    standing = Standing(stage=starts_at) if starts_at else begin(stages)
    for act in acts:
        standing = after_act(stages, standing, act)
    return standing


def after_act(stages: Sequence[Stage], standing: Standing, act: Acted) -> Standing:
    """Return where the case stands after an act that is on record."""
    if act.action == Action.WITHDRAW:
        return Standing(stage=act.stage, outcome=Outcome.WITHDRAWN)
    return after(stages, standing, action=Action(act.action), role=act.role)


def told(acts: Sequence[ActT]) -> Sequence[ActT]:
    """
    Return the acts that the applicant was told of: pending ones wait for a release, and all that came after.

    What is published is told to everybody. An applicant that withdraws knows of it; what was pending then is
    past, and no later release tells it.
    """
    found: list[ActT] = []
    for visit in _visits(acts):
        released = max((i for i, act in enumerate(visit) if _lets_out(act)), default=-1)
        is_hidden = False
        for index, act in enumerate(visit):
            is_hidden = is_hidden or (act.is_pending and index > released)
            if not is_hidden or act.action == Action.WITHDRAW:
                found.append(act)
    return found


def has_untold(acts: Sequence[ActT]) -> bool:
    """Return whether something waits to be told to the applicant; what it withdrew from does not."""
    *_, last = _visits(acts)
    return len(told(last)) < len(last)


def _visits(acts: Sequence[ActT]) -> list[list[ActT]]:
    """Return the acts from each handing in to the withdrawal that ends it; the last, still open, may be empty."""
    found: list[list[ActT]] = [[]]
    for act in acts:
        found[-1].append(act)
        if act.action == Action.WITHDRAW:
            found.append([])
    return found


def _lets_out(act: Acted) -> bool:
    return act.action == Action.RELEASE or (act.action == Action.PUBLISH and not act.is_pending)


def roles_that_act(stages: Sequence[Stage]) -> set[str]:
    """Return every role that the stages name."""
    return {role for stage in stages for role in (*deciders(stage), *stage.settled_by, *stage.decided_by)}
