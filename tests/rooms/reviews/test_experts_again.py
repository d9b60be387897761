"""How many sheets a case needs, and that those of an earlier submission don't count for a later one."""

from datetime import timedelta

import pytest

from tests.conftest import NOW
from tests.rooms.reviews import world as worlds
from tests.rooms.reviews.panels import STAGE, at_experts, drawn, officer, score
from wufei.policies import queries as policy_queries
from wufei.reviews.duties import Duty
from wufei.reviews.models import Application, Assignment, ScoreSheet
from wufei.reviews.queries import sheets as queries
from wufei.reviews.queries.ranking import ranking
from wufei.reviews.refusals import ReviewRefused
from wufei.reviews.services import assignments, deciding
from wufei.reviews.stages import Action
from wufei.reviews.wording import WORDS

LATER = NOW + timedelta(days=1)


@pytest.fixture
def world(db):
    return worlds.build(experts=7)


@pytest.fixture
def round_(world):
    return worlds.round_of(world)


def conclude(world, case, **said):
    return worlds.act(world, case, "CITY_INDUSTRY", Action.CONCLUDE, **said)


def why_not(call, *args, **said) -> str:
    with pytest.raises(ReviewRefused) as caught:
        call(*args, **said)
    return caught.value.code


def live(case):
    rows = Assignment.objects.filter(application=case, withdrawn_at=None).order_by("pk")
    return list(rows.select_related("application__round__authority", "expert__user"))


# ---- as many as the edition asks for ------------------------------------------------------------


def test_a_case_is_not_concluded_with_fewer_sheets_than_the_edition_asks_for(world, round_):
    [case] = at_experts(world, round_, 1)
    for expert in world.experts[:2]:
        row = Assignment.objects.create(
            application=case, expert=expert, stage=STAGE, assigned_at=NOW, assigned_by=officer(world)
        )
        score(row, "10")
    assert why_not(conclude, world, case) == "sheets_too_few"

    third = Assignment.objects.create(
        application=case, expert=world.experts[2], stage=STAGE, assigned_at=NOW, assigned_by=officer(world)
    )
    assert why_not(conclude, world, case) == "sheets_missing"
    score(third, "10")
    assert conclude(world, case).stage != STAGE


def test_a_case_that_nobody_was_given_is_not_concluded_and_the_words_say_what_to_do(world, round_):
    [case] = at_experts(world, round_, 1)
    assert why_not(conclude, world, case) == "sheets_too_few"
    assert "补派" in WORDS["sheets_too_few"]


def test_an_expert_who_stepped_back_and_was_not_replaced_is_missed(world, round_):
    [case] = at_experts(world, round_, 1)
    drawn(world, round_, 3)
    assignments.assign_cases(round_=round_, by=officer(world), now=NOW)
    first, *others = live(case)
    for row in others:
        score(row, "10")
    assert assignments.recuse(assignment=first, reason="回避", by=first.expert.user, now=NOW) is None
    assert why_not(conclude, world, case) == "sheets_too_few"


def test_two_turns_of_an_expert_are_one_experts(world, round_):
    [case] = at_experts(world, round_, 1)
    for turn, expert in ((1, 0), (2, 0), (1, 1)):
        row = Assignment.objects.create(
            application=case, expert=world.experts[expert], stage=STAGE, turn=turn, assigned_at=NOW,
            assigned_by=officer(world),
        )  # fmt: skip
        score(row, "10")
    assert why_not(conclude, world, case) == "sheets_too_few"


# ---- handed in again ----------------------------------------------------------------------------


@pytest.fixture
def again(world, round_):
    """A case that was scored by three, withdrawn, handed in again, and stands before the experts once more."""
    [case] = at_experts(world, round_, 1)
    drawn(world, round_, 3)
    assignments.assign_cases(round_=round_, by=officer(world), now=NOW)
    for row in live(case):
        score(row, "10")
    worlds.act(world, case, "APPLICANT", Action.WITHDRAW, now=NOW + timedelta(hours=1))
    worlds.handed_in(world, round_, case.organisation, now=LATER)
    return worlds.advance(world, case, STAGE, now=LATER)


def test_what_was_scored_before_a_withdrawal_is_not_ranked(round_, again):
    found = ranking(round_=round_, stage=STAGE)
    assert (found.rows, found.unscored) == ((), 1)
    [row] = queries.matrix(round_=round_, stage=STAGE, applications=[again])
    assert row.marks == ()


def test_what_was_scored_before_a_withdrawal_does_not_conclude_the_new_submission(world, again):
    assert why_not(conclude, world, again, now=LATER) == "sheets_too_few"


def test_the_same_experts_score_the_new_submission_and_only_that_counts(world, round_, again):
    given = assignments.assign_cases(round_=round_, by=officer(world), now=LATER)
    assert (given.cases, given.assignments) == (1, 3)
    for row in live(again):
        score(row, "9")
    assert conclude(world, again, now=LATER).stage != STAGE
    [ranked] = ranking(round_=round_, stage=STAGE).rows
    assert {sheet.raw for sheet in ranked.score.sheets} == {
        row.total for row in ScoreSheet.objects.filter(assignment__in=live(again))
    }


def test_what_was_scored_before_stays_on_record_and_in_sight(client, world, round_, again):
    earlier = queries.earlier_sheets(application=again, stage=STAGE)
    assert [(row.assignment.withdrawn_at, row.submitted_at) for row in earlier] == [(LATER, NOW)] * 3

    client.force_login(officer(world))
    page = client.get(f"/reviews/rounds/{round_.pk}/scores/{again.code}/").content.decode()
    assert "此前报送版本的评分" in page
    for row in earlier:
        assert row.assignment.expert.number in page


def test_who_scored_the_earlier_submission_still_recommends_nothing_in_the_case(round_, again):
    edition = policy_queries.edition(round_.edition)
    row = queries.earlier_sheets(application=again, stage=STAGE)[0]
    user = row.assignment.expert.user
    assert deciding.other_duty(again, edition, user, Duty.RECOMMEND) is Duty.SCORE
    assert deciding.other_duty(again, edition, user, Duty.SCORE) is None


def test_a_draft_of_the_earlier_submission_is_closed_too(world, round_):
    [case] = at_experts(world, round_, 1)
    drawn(world, round_, 3)
    assignments.assign_cases(round_=round_, by=officer(world), now=NOW)
    [first, *_] = live(case)
    score(first, "10", submit=False)
    worlds.act(world, case, "APPLICANT", Action.WITHDRAW, now=NOW + timedelta(hours=1))
    worlds.handed_in(world, round_, case.organisation, now=LATER)
    assert live(case) == []


def test_a_case_returned_by_a_later_stage_goes_on_there_and_keeps_what_was_concluded_of_it(world):
    """Whoever judged before the interruption is not asked again: neither the district nor the experts."""
    round_ = worlds.round_of(world, worlds.CHONGQING_FACTORY_2024)
    case = worlds.advance(world, worlds.handed_in(world, round_), "consultation")
    worlds.act(world, case, "CITY_INDUSTRY", Action.RETURN, now=LATER)
    back = worlds.handed_in(world, round_, world.works, now=LATER)

    assert Application.objects.get(pk=back.pk).stage == "consultation"
    assert len(live(back)) == 3
    assert len(ranking(round_=round_).rows) == 1
