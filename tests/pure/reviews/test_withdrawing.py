"""Whoever withdraws begins anew: what it counted towards is given back, so it must pass there again."""

from wufei.policies.edition import Stage
from wufei.reviews import stages
from wufei.reviews.stages import APPLICANT, Action, Outcome


def stage(name: str, kind: str, *by: str, quota: str | None = None) -> Stage:
    said = {
        "id": name,
        "kind": kind,
        "label": name,
        "applicant_label": name,
        "decided_by": by,
        "clause": "一",
    }
    return Stage.model_validate(said | {"quota": quota})


STAGES = (
    stage("write", "self_check", APPLICANT),
    stage("recommend", "shortlist", "DISTRICT_INDUSTRY", quota="per-city"),
    stage("check", "review", "CITY_INDUSTRY"),
    stage("decide", "decision", "CITY_INDUSTRY"),
)


def play(*said: tuple[Action, str]) -> stages.Standing:
    standing = stages.begin(STAGES)
    for action, role in said:
        standing = stages.after(STAGES, standing, action=action, role=role)
    return standing


TO_THE_CHECK = (
    (Action.SUBMIT, APPLICANT),
    (Action.AGREE, "DISTRICT_INDUSTRY"),
    (Action.RETURN, "CITY_INDUSTRY"),
)


def test_a_case_that_was_sent_back_goes_on_where_it_was_interrupted():
    assert play(*TO_THE_CHECK, (Action.SUBMIT, APPLICANT)).stage == "check"


def test_a_case_that_was_sent_back_and_then_withdrawn_begins_at_the_first_review():
    withdrawn = play(*TO_THE_CHECK, (Action.WITHDRAW, APPLICANT))
    assert withdrawn.outcome is Outcome.WITHDRAWN
    anew = stages.after(STAGES, withdrawn, action=Action.SUBMIT, role=APPLICANT)
    assert anew == stages.Standing(stage="recommend")
