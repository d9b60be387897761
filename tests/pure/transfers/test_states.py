from wufei.transfers.states import (
    ACT_LABELS,
    ENDED,
    HOLDING,
    LABELS,
    MOVES,
    PARTY_LABELS,
    Act,
    Party,
    State,
    acts_of,
    move_of,
)


def test_the_usual_way():
    state = State.DRAFT
    for act, party in (
        (Act.ISSUE, Party.GENERATOR), (Act.LOAD, Party.CARRIER), (Act.HAND_OVER, Party.CARRIER),
        (Act.STORE, Party.CARRIER), (Act.RESUME, Party.CARRIER), (Act.DELIVER, Party.CARRIER),
        (Act.ACCEPT, Party.RECEIVER),
    ):  # fmt: skip
        move = move_of(state, act)
        assert move is not None, (state, act)
        assert move.party is party
        state = move.target
    assert state is State.ACCEPTED


def test_every_state_is_reached_and_every_state_that_is_no_end_is_left():
    reached, frontier = {State.DRAFT}, [State.DRAFT]
    while frontier:
        source = frontier.pop()
        fresh = {m.target for m in MOVES if m.source is source} - reached
        reached |= fresh
        frontier += fresh
    assert reached == set(State)
    assert {m.source for m in MOVES} == set(State) - ENDED


def test_what_may_be_cancelled_has_not_left():
    assert {m.source for m in MOVES if m.act is Act.CANCEL} == {State.DRAFT, State.ISSUED}


def test_what_doesnt_stand_in_the_table_is_not_done():
    allowed = {(m.source, m.act) for m in MOVES}
    for state in State:
        for act in Act:
            assert (move_of(state, act) is not None) == ((state, act) in allowed)
    assert len(allowed) == len(MOVES)


def test_each_party_is_offered_its_own_acts_only():
    assert acts_of(State.DELIVERED, Party.RECEIVER) == (Act.ACCEPT, Act.PARTLY_ACCEPT, Act.REFUSE)
    assert acts_of(State.DELIVERED, Party.GENERATOR) == ()
    assert acts_of(State.ISSUED, Party.CARRIER) == (Act.LOAD,)


def test_an_ended_manifest_holds_no_container():
    assert set() == HOLDING & ENDED
    assert State.DRAFT not in HOLDING


def test_everything_has_words():
    assert (list(LABELS), list(ACT_LABELS), list(PARTY_LABELS)) == (list(State), list(Act), list(Party))
