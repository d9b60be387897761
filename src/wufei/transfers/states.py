"""Which states has a manifest, and which act of which party leads from where to where?"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Party(StrEnum):
    GENERATOR = "GENERATOR"  # 移出人
    CARRIER = "CARRIER"  # 承运人
    RECEIVER = "RECEIVER"  # 接受人


class State(StrEnum):
    DRAFT = "DRAFT"  # 草稿
    ISSUED = "ISSUED"  # 已签发，待起运
    IN_TRANSIT = "IN_TRANSIT"  # 运输中
    STORED_ON_THE_WAY = "STORED_ON_THE_WAY"  # 中途暂存
    DELIVERED = "DELIVERED"  # 已运抵，待确认
    ACCEPTED = "ACCEPTED"  # 已接受
    PARTLY_ACCEPTED = "PARTLY_ACCEPTED"  # 部分接受，待退回
    REFUSED = "REFUSED"  # 拒收，待退回
    PARTLY_RETURNED = "PARTLY_RETURNED"  # 部分接受，其余已退回
    RETURNED = "RETURNED"  # 已退回
    CANCELLED = "CANCELLED"  # 已作废


class Act(StrEnum):
    ISSUE = "ISSUE"  # 移出人签发
    CANCEL = "CANCEL"  # 作废
    LOAD = "LOAD"  # 首个承运人起运
    HAND_OVER = "HAND_OVER"  # 后一承运人接运
    STORE = "STORE"  # 中途暂存
    RESUME = "RESUME"  # 暂存后继续运输
    DELIVER = "DELIVER"  # 运抵
    ACCEPT = "ACCEPT"  # 接受
    PARTLY_ACCEPT = "PARTLY_ACCEPT"  # 部分接受
    REFUSE = "REFUSE"  # 拒收
    TAKE_BACK = "TAKE_BACK"  # 移出人收回


@dataclass(frozen=True, slots=True)
class Move:
    """Who brings a manifest from one state to another, and by what."""

    source: State
    act: Act
    party: Party
    target: State


# The only table of changes: what doesn't stand here is refused.
MOVES: tuple[Move, ...] = (
    Move(State.DRAFT, Act.ISSUE, Party.GENERATOR, State.ISSUED),
    Move(State.DRAFT, Act.CANCEL, Party.GENERATOR, State.CANCELLED),
    Move(State.ISSUED, Act.CANCEL, Party.GENERATOR, State.CANCELLED),
    Move(State.ISSUED, Act.LOAD, Party.CARRIER, State.IN_TRANSIT),
    Move(State.IN_TRANSIT, Act.HAND_OVER, Party.CARRIER, State.IN_TRANSIT),
    Move(State.IN_TRANSIT, Act.STORE, Party.CARRIER, State.STORED_ON_THE_WAY),
    Move(State.STORED_ON_THE_WAY, Act.RESUME, Party.CARRIER, State.IN_TRANSIT),
    Move(State.STORED_ON_THE_WAY, Act.HAND_OVER, Party.CARRIER, State.IN_TRANSIT),
    Move(State.IN_TRANSIT, Act.DELIVER, Party.CARRIER, State.DELIVERED),
    Move(State.DELIVERED, Act.ACCEPT, Party.RECEIVER, State.ACCEPTED),
    Move(State.DELIVERED, Act.PARTLY_ACCEPT, Party.RECEIVER, State.PARTLY_ACCEPTED),
    Move(State.DELIVERED, Act.REFUSE, Party.RECEIVER, State.REFUSED),
    Move(State.PARTLY_ACCEPTED, Act.TAKE_BACK, Party.GENERATOR, State.PARTLY_RETURNED),
    Move(State.REFUSED, Act.TAKE_BACK, Party.GENERATOR, State.RETURNED),
)
_BY_START: Mapping[tuple[State, Act], Move] = {(move.source, move.act): move for move in MOVES}

ENDED = frozenset({State.ACCEPTED, State.PARTLY_RETURNED, State.RETURNED, State.CANCELLED})  # nothing follows
ON_THE_ROAD = frozenset({State.IN_TRANSIT, State.STORED_ON_THE_WAY})
# From here on the waste is no longer in the generator's store.
LEFT = frozenset({*ON_THE_ROAD, State.DELIVERED, State.PARTLY_ACCEPTED, State.REFUSED})
# What holds a container, so that no second manifest may take it.
HOLDING = frozenset({State.ISSUED, *LEFT})

LABELS: Mapping[State, str] = {
    State.DRAFT: "草稿",
    State.ISSUED: "已签发",
    State.IN_TRANSIT: "运输中",
    State.STORED_ON_THE_WAY: "中途暂存",
    State.DELIVERED: "已运抵",
    State.ACCEPTED: "已接受",
    State.PARTLY_ACCEPTED: "部分接受",
    State.REFUSED: "已拒收",
    State.PARTLY_RETURNED: "部分退回",
    State.RETURNED: "已退回",
    State.CANCELLED: "已作废",
}
ACT_LABELS: Mapping[Act, str] = {
    Act.ISSUE: "签发",
    Act.CANCEL: "作废",
    Act.LOAD: "起运",
    Act.HAND_OVER: "接运",
    Act.STORE: "中途暂存",
    Act.RESUME: "继续运输",
    Act.DELIVER: "运抵",
    Act.ACCEPT: "接受",
    Act.PARTLY_ACCEPT: "部分接受",
    Act.REFUSE: "拒收",
    Act.TAKE_BACK: "收回",
}
PARTY_LABELS: Mapping[Party, str] = {
    Party.GENERATOR: "移出人",
    Party.CARRIER: "承运人",
    Party.RECEIVER: "接受人",
}


def move_of(state: State, act: Act) -> Move | None:
    """Return where the act leads from the state, and whose it is; None where it may not be done."""
    return _BY_START.get((state, act))


def acts_of(state: State, party: Party) -> tuple[Act, ...]:
    """Return what the party may do in the state."""
    return tuple(move.act for move in MOVES if move.source is state and move.party is party)


def address_of(act: Act) -> str:
    """
    Return what the act is called in an address.

    >>> address_of(Act.HAND_OVER)
    'hand-over'
    """
    return act.lower().replace("_", "-")
