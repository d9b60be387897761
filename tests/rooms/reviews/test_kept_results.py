"""What is kept in memory between two requests is worked out again when something happens, and never mixed up."""

from datetime import timedelta

import pytest

from tests.conftest import NOW
from tests.rooms.api.world import Api, token
from tests.rooms.reviews import world as worlds
from tests.rooms.reviews.panels import STAGE, at_experts, drawn, officer, score
from wufei.reviews.models import Application, Assignment, Consultation
from wufei.reviews.queries import experts, ranking, rounds, tasks
from wufei.reviews.queries.applications_seen import visible
from wufei.reviews.services import assignments, consultations
from wufei.reviews.stages import Action
from wufei.terms.day import local_day

LATER = NOW + timedelta(days=1)


@pytest.fixture
def world(db):
    return worlds.build(experts=5)


@pytest.fixture
def round_(world):
    return worlds.round_of(world)


@pytest.fixture
def assigned(world, round_):
    """Two cases with three experts each; nobody has scored yet."""
    at_experts(world, round_, 2)
    drawn(world, round_, 4)
    assignments.assign_cases(round_=round_, by=officer(world), now=NOW)
    rows = Assignment.objects.filter(withdrawn_at=None).order_by("application_id", "pk")
    return list(rows.select_related("application__round__authority", "expert__user"))


def ranked(round_):
    """Return the ranking as a page shows it, which has to be as it is worked out."""
    shown = ranking.ranking_shown(round_=round_)
    assert shown == ranking.ranking(round_=round_)
    return {row.application: row.raw for row in shown.rows}


def loads(round_):
    """Return given and submitted of each drawn expert as a page shows them, which has to be as they are counted."""
    shown = {
        load.expert.pk: (load.given, load.submitted) for load in experts.loads_of(round_=round_, stage=STAGE)
    }
    rows = Assignment.objects.filter(application__round=round_, stage=STAGE, withdrawn_at=None)
    counted = dict.fromkeys(shown, (0, 0))
    for row in rows.select_related("sheet"):
        given, submitted = counted.get(row.expert_id, (0, 0))
        sheet = getattr(row, "sheet", None)
        counted[row.expert_id] = (
            given + 1,
            submitted + (sheet is not None and sheet.submitted_at is not None),
        )
    assert shown == counted
    return shown


def reached(round_, *, user=None):
    """Return how many reached each stage as a page shows it, which has to be as it is worked out."""
    seen = Application.objects.all() if user is None else visible(user=user, on=local_day(NOW))
    shown = rounds.statistics(round_=round_, among=seen).stages
    rounds._kept_funnel.cache_clear()
    assert shown == rounds.statistics(round_=round_, among=seen).stages
    return {row.id: (row.reached, row.now_there, row.ended_there) for row in shown}


# ---- the ranking and the loads ----------------------------------------------------------------


def test_a_sheet_that_is_handed_in_is_in_the_next_ranking_and_in_the_next_loads(round_, assigned):
    assert ranked(round_) == {}
    before = loads(round_)
    score(assigned[0], "10")
    assert set(ranked(round_)) == {assigned[0].application_id}
    given, submitted = before[assigned[0].expert_id]
    assert loads(round_)[assigned[0].expert_id] == (given, submitted + 1)
    score(assigned[1], "5")
    first = ranked(round_)
    assert set(first) == {assigned[0].application_id}
    score(assigned[3], "5")
    assert len(ranked(round_)) == 2


def test_a_draft_of_a_sheet_changes_neither(round_, assigned):
    ranked(round_), loads(round_)
    score(assigned[0], "10", submit=False)
    assert ranked(round_) == {}
    assert all(submitted == 0 for _, submitted in loads(round_).values())


def test_an_assignment_that_is_withdrawn_leaves_the_loads_and_its_sheet_the_ranking(world, round_, assigned):
    before = loads(round_)
    assignments.recuse(assignment=assigned[0], reason="有往来", by=assigned[0].expert.user, now=NOW)
    assert loads(round_)[assigned[0].expert_id][0] == before[assigned[0].expert_id][0] - 1


def test_a_case_that_is_withdrawn_and_handed_in_again_leaves_the_ranking_that_is_shown(
    world, round_, assigned
):
    for row in assigned:
        score(row, "10")
    assert len(ranked(round_)) == 2
    case, other = assigned[0].application, assigned[-1].application_id
    worlds.act(world, case, "APPLICANT", Action.WITHDRAW, now=NOW + timedelta(hours=1))
    assert set(ranked(round_)) == {other}
    worlds.handed_in(world, round_, case.organisation, now=LATER)
    worlds.advance(world, case, STAGE, now=LATER)
    assert set(ranked(round_)) == {other}
    assert ranking.ranking_shown(round_=round_).unscored == 1
    assert sum(given for given, _ in loads(round_).values()) == 3


def test_a_case_that_a_later_stage_returns_stays_ranked_by_what_was_concluded_of_it(world):
    made = worlds.round_of(world, worlds.CHONGQING_FACTORY_2024)
    case = worlds.advance(world, worlds.handed_in(world, made), "consultation")
    before = ranked(made)
    assert set(before) == {case.pk}
    worlds.act(world, case, "CITY_INDUSTRY", Action.RETURN, now=LATER)
    assert ranked(made) == before
    worlds.handed_in(world, made, world.works, now=LATER)
    assert ranked(made) == before


def test_a_case_that_comes_to_the_experts_is_counted_as_not_scored(world, round_, assigned):
    ranked(round_)
    assert ranking.ranking_shown(round_=round_).unscored == 2
    at_experts(world, round_, 1)
    assert ranking.ranking_shown(round_=round_).unscored == 3
    ranked(round_)


def test_one_round_s_results_are_not_another_s(world, round_, assigned):
    other = worlds.round_of(world, year=2025)
    score(assigned[0], "10")
    assert len(ranked(round_)) == 1
    assert ranked(other) == {}
    assert loads(other) == {}
    assert reached(other) != reached(round_)
    assert len(ranked(round_)) == 1


# ---- the funnel -------------------------------------------------------------------------------


def test_the_funnel_follows_an_act_a_return_and_a_withdrawal(world, round_):
    case = worlds.handed_in(world, round_)
    before = reached(round_)
    assert before["district-recommendation"] == (1, 1, 0)
    worlds.act(world, case, "DISTRICT_INDUSTRY", Action.RETURN)
    assert reached(round_)["self-check"] == (1, 1, 0)
    worlds.act(world, case, "APPLICANT", Action.WITHDRAW)
    assert reached(round_)["self-check"] == (1, 0, 1)


def test_the_funnel_of_one_person_is_not_shown_to_another(world, round_):
    worlds.handed_in(world, round_)
    worlds.handed_in(world, round_, worlds.applicant(world, "丙厂", worlds.OTHER_DISTRICT))
    people = [world.people[name] for name in ("DISTRICT_INDUSTRY", "OTHER_DISTRICT_INDUSTRY", "nobody")]
    seen = [
        rounds.statistics(round_=round_, among=visible(user=user, on=local_day(NOW))).stages[1].reached
        for user in people
    ]
    assert (seen, reached(round_)["district-recommendation"][0]) == ([1, 1, 0], 2)


def test_being_asked_shows_the_case_in_the_funnel_and_a_reply_leaves_it_there(world):
    made = worlds.round_of(world, worlds.CHONGQING_FACTORY)
    case = worlds.advance(world, worlds.handed_in(world, made), "consultation")
    department = world.people["DISTRICT_TAX"]
    assert reached(made, user=department)["self-check"][0] == 0
    consultations.consult(application=case, by=world.people["DISTRICT_INDUSTRY"], now=NOW)
    asked = reached(made, user=department)
    assert asked["consultation"] == (1, 1, 0)
    row = Consultation.objects.get(authority=world.authorities["DISTRICT_TAX"])
    consultations.reply(consultation=row, opinion="NO_OBJECTION", words="", by=department, now=NOW)
    assert reached(made, user=department) == asked


# ---- bounds -----------------------------------------------------------------------------------


def test_what_is_kept_is_bounded(world, round_, assigned):
    kept = {
        ranking._kept: 4, experts._kept_loads: 16, rounds._kept_funnel: 64, tasks._statement: 256,
    }  # fmt: skip
    assert {each: each.cache_info().maxsize for each in kept} == kept
    for row in assigned:  # each sheet makes a result anew
        score(row, "10")
        ranked(round_), loads(round_)
    assert ranking._kept.cache_info().currsize <= 4


def test_of_the_counter_only_the_question_is_kept(world, round_):
    user = world.people["DISTRICT_INDUSTRY"]

    def waiting():
        return tasks.counts(user=user, on=local_day(NOW)).tasks

    before = waiting()
    case = worlds.handed_in(world, round_)
    assert waiting() == before + 1
    worlds.act(world, case, "DISTRICT_INDUSTRY", "AGREE")
    assert waiting() == before
    assert tasks.counts(user=world.people["OTHER_DISTRICT_INDUSTRY"], on=local_day(NOW)).tasks == 0


def test_the_counter_follows_a_role_that_is_given_and_a_round_that_is_closed(world, round_):
    worlds.handed_in(world, round_)
    user = worlds.person("newcomer")
    assert tasks.counts(user=user, on=local_day(NOW)).tasks == 0
    user.role_assignments.create(
        role="AUTHORITY_OFFICER", organisation=world.authorities["DISTRICT_INDUSTRY"]
    )
    assert tasks.counts(user=user, on=local_day(NOW)).tasks == 1
    round_.closed_at, round_.closed_by = NOW, world.people["CITY_INDUSTRY"]
    round_.save()
    assert tasks.counts(user=user, on=local_day(NOW)).tasks == 0


# ---- the API's status -------------------------------------------------------------------------


def test_the_api_s_status_says_what_has_not_come_to_the_reader_s_level(world, round_):
    worlds.handed_in(world, round_)
    worlds.advance(world, worlds.handed_in(world, round_, worlds.applicant(world, "乙厂")), STAGE)
    told = Api(token(world.people["CITY_INDUSTRY"])).get(f"/rounds/{round_.pk}/status").json()
    assert (told["applications"], told["not_yet"]) == (2, 1)
    assert {row["id"]: (row["count"], row["not_yet"]) for row in told["stages"] if row["count"]} == {
        "district-recommendation": (1, 1), STAGE: (1, 0),
    }  # fmt: skip
    district = Api(token(world.people["DISTRICT_INDUSTRY"])).get(f"/rounds/{round_.pk}/status").json()
    assert (district["applications"], district["not_yet"]) == (2, 0)
