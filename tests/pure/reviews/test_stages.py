"""The walk through the stages, over every edition that ships: every role × every action × every state."""

import pytest

from wufei.policies.queries import known_editions
from wufei.reviews import stage_table, stages
from wufei.reviews.stages import Action, DecisionNotOffered, NotYourDecision, Outcome, Standing

EDITIONS = {e.id: e.stages for e in known_editions().values() if e.stages}
# Everybody whom any edition names, so that another level is tried at every stage too.
EVERYBODY = sorted({role for all_stages in EDITIONS.values() for role in stage_table.roles(all_stages)})

# What the design says of each kind of stage, written down again by hand; the walk is held against it.
BY_KIND = {
    "third_party": {"AGREE", "DISAGREE", "RETURN"},
    "review": {"AGREE", "DISAGREE", "RETURN"},
    "site_check": {"AGREE", "DISAGREE", "RETURN"},
    "consultation": {"CONCLUDE", "DISAGREE", "RETURN"},
    "experts": {"CONCLUDE"},
    "shortlist": {"AGREE", "DISAGREE"},
    "notice": {"PUBLISH"},
    "decision": {"RECOGNISE", "REFUSE"},
    "above": {"RECOGNISE", "REFUSE"},
}
TOLD_THE_PUBLIC = {"notice", "decision", "above"}


def expected(row: stage_table.Row, role: str) -> set[str]:
    """Return what the role may do in the state, by the rules as they are written above."""
    stage, standing = row.stage, row.standing
    if standing.outcome is not None:
        return {"SUBMIT"} if standing.outcome == "WITHDRAWN" and role == "APPLICANT" else set()
    if stage.kind == "self_check":
        if role != "APPLICANT":
            return set()
        return {"SUBMIT", "WITHDRAW"} if standing.returned_from else {"SUBMIT"}
    found = set()
    if role in (stage.concluded_by or stage.decided_by):
        found |= {"CONFIRM", "REMOVE"} if standing.is_in_notice else BY_KIND[stage.kind]
        found -= {standing.votes.get(role)}  # said already
    if role in stage.settled_by and len(set(standing.votes.values())) == 2:
        found |= {"SETTLE_FOR", "SETTLE_AGAINST"}
    if role == "APPLICANT" and stage.kind not in TOLD_THE_PUBLIC:
        found |= {"WITHDRAW"}
    return found


@pytest.mark.parametrize("edition", EDITIONS)
def test_every_role_is_allowed_and_refused_in_every_state_as_the_rules_say(edition):
    all_stages = EDITIONS[edition]
    tried = 0
    for row in stage_table.table(all_stages):
        for role in EVERYBODY:
            allowed = expected(row, role)
            assert {a.value for a in row.offered.get(role, ())} == allowed, (row.stage.id, row.state, role)
            for action in set(Action) - {Action.RELEASE, Action.PASS_ON}:
                tried += 1
                if action in allowed:
                    stages.after(all_stages, row.standing, action=action, role=role)
                else:
                    with pytest.raises(DecisionNotOffered if allowed else NotYourDecision):
                        stages.after(all_stages, row.standing, action=action, role=role)
    assert tried == len(stage_table.table(all_stages)) * len(EVERYBODY) * 13


@pytest.mark.parametrize("edition", EDITIONS)
def test_the_table_has_every_state_that_a_case_can_reach(edition):
    """Walk every way that is offered; none leads where the table has no row."""
    all_stages = EDITIONS[edition]
    rows = {_shape(row.standing) for row in stage_table.table(all_stages)}
    seen, ahead = set(), [stages.begin(all_stages)]
    while ahead:
        standing = ahead.pop()
        if (key := repr(standing)) in seen:
            continue
        seen.add(key)
        assert _shape(standing) in rows, standing
        for role in stage_table.roles(all_stages):
            for action in stages.offers(all_stages, standing, role=role):
                ahead.append(stages.after(all_stages, standing, action=action, role=role))
    assert {shape[1] for shape in rows} >= {None, Outcome.RECOGNISED, Outcome.WITHDRAWN}


def _shape(standing: Standing) -> tuple[object, ...]:
    """Return what makes a difference to what is offered."""
    has_said = bool(standing.votes) and standing.outcome is None
    returned = bool(standing.returned_from) and standing.outcome is None
    return (
        standing.stage,
        standing.outcome,
        standing.is_contested,
        has_said,
        standing.is_in_notice,
        returned,
    )


@pytest.mark.parametrize("edition", EDITIONS)
def test_the_last_stage_of_an_edition_decides_and_the_first_is_the_applicants(edition):
    all_stages = EDITIONS[edition]
    assert all_stages[-1].kind in ("decision", "above")
    assert (all_stages[0].kind, all_stages[0].decided_by) == ("self_check", ("APPLICANT",))


# ---- what an applicant is told ---------------------------------------------------------------


class Said:
    def __init__(self, action: str, *, role: str = "CITY_INDUSTRY", pending: bool = False):
        self.stage, self.action, self.role, self.is_pending = "s", action, role, pending


def told(*acts: Said) -> list[str]:
    return [act.action for act in stages.told(acts)]


def test_what_is_held_back_hides_itself_and_what_follows_until_it_is_released():
    held, then = Said("AGREE", pending=True), Said("RECOGNISE")
    assert told(Said("SUBMIT"), held, then) == ["SUBMIT"]
    assert told(Said("SUBMIT"), held, then, Said("RELEASE")) == ["SUBMIT", "AGREE", "RECOGNISE", "RELEASE"]
    assert told(Said("SUBMIT"), held, Said("RELEASE"), Said("DISAGREE", pending=True)) == [
        "SUBMIT", "AGREE", "RELEASE",
    ]  # fmt: skip


def test_who_withdraws_knows_of_it_and_of_all_that_comes_after():
    held = Said("AGREE", pending=True)
    assert told(Said("SUBMIT"), held, Said("WITHDRAW"), Said("SUBMIT"), Said("AGREE")) == [
        "SUBMIT", "WITHDRAW", "SUBMIT", "AGREE",
    ]  # fmt: skip


def test_what_was_pending_when_the_applicant_withdrew_is_never_told_nor_waits_to_be():
    held, again = Said("AGREE", pending=True), Said("DISAGREE", pending=True)
    before = [Said("SUBMIT"), held, Said("WITHDRAW")]
    assert not stages.has_untold(before)
    assert told(*before, Said("SUBMIT"), Said("RELEASE")) == ["SUBMIT", "WITHDRAW", "SUBMIT", "RELEASE"]
    assert stages.has_untold([*before, Said("SUBMIT"), again])
    assert not stages.has_untold([*before, Said("SUBMIT"), again, Said("RELEASE")])


def test_a_withdrawal_wins_over_what_was_decided_and_not_told():
    """It stands where the applicant knew the case to be, whatever was decided of it since."""
    all_stages = EDITIONS["chongqing-2026-6-enterprise"]
    held = "provincial-recommendation"
    there = stages.Standing(stage=held)
    for vote, at in ((Action.AGREE, "ministry-decision"), (Action.DISAGREE, held)):
        acts = [SaidAt(held, vote, role) for role in ("CITY_INDUSTRY", "CITY_ENVIRONMENT")]
        assert stages.replay(all_stages, acts, starts_at=held).stage == at
        gone = stages.replay(all_stages, [*acts, SaidAt(held, "WITHDRAW", "APPLICANT")], starts_at=held)
        assert (gone.stage, gone.outcome) == (there.stage, Outcome.WITHDRAWN)


class SaidAt(Said):
    def __init__(self, stage: str, action: str, role: str):
        super().__init__(action, role=role)
        self.stage = stage


def test_what_is_published_is_told_to_the_applicant_too():
    held = Said("AGREE", pending=True)
    assert told(Said("SUBMIT"), held, Said("PUBLISH")) == ["SUBMIT", "AGREE", "PUBLISH"]
    assert told(Said("SUBMIT"), held, Said("PUBLISH", pending=True)) == ["SUBMIT"]
