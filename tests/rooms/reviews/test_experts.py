"""The pool, the draw, and who scores what."""

import pytest
from django.db import IntegrityError, transaction

from tests.conftest import NOW
from tests.rooms.reviews import world as worlds
from tests.rooms.reviews.panels import SEED, STAGE, at_experts, drawn, officer, score
from wufei.policies import queries as policy_queries
from wufei.registry.models import RoleAssignment, Succession, User
from wufei.registry.queries import NotPermitted
from wufei.reviews import draw
from wufei.reviews.conflicts import Reason
from wufei.reviews.models import AgencyReport, Application, Assignment, Draw, Expert, ExpertTie, Message
from wufei.reviews.queries import experts as queries
from wufei.reviews.refusals import ReviewRefused
from wufei.reviews.services import assignments, deciding, draws, experts, sheets
from wufei.reviews.stages import Action


@pytest.fixture
def world(db):
    return worlds.build(experts=6)


@pytest.fixture
def round_(world):
    return worlds.round_of(world)


def refused(call, **said) -> ReviewRefused:
    with pytest.raises(ReviewRefused) as caught:
        call(**said)
    return caught.value


# ---- the pool ---------------------------------------------------------------------------


def enter(world, **said):
    user = said.pop("user", None) or worlds.person(f"new{User.objects.count()}")
    asked = {
        "number": "N1",
        "fields": ["清洁生产"],
        "employer_name": "某所",
        "by": officer(world),
        "now": NOW,
    }
    return experts.enter_expert(pool=world.authorities["CITY_INDUSTRY"], user=user, **(asked | said))


def test_a_person_enters_the_pool_and_gets_the_role_of_an_expert(world):
    made = enter(world, fields=["清洁生产", " 园区管理 ", "清洁生产"], employer_uscc=world.works.uscc.lower())
    assert made.fields == ["园区管理", "清洁生产"]
    assert made.employer_uscc == world.works.uscc
    assert RoleAssignment.objects.filter(user=made.user, role="EXPERT", organisation=made.pool).exists()


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"number": " "}, "number_missing"),
        ({"number": "A|B"}, "number_missing"),  # the bar parts the draw's key
        ({"number": "Z001"}, "number_taken"),
        ({"fields": ["  "]}, "field_missing"),
        ({"employer_name": ""}, "employer_missing"),
        ({"employer_uscc": "123"}, "uscc_wrong"),
    ],
)
def test_an_expert_that_is_not_told_well_is_refused(world, said, code):
    before = Expert.objects.count()
    assert refused(enter, world=world, **said).code == code
    assert Expert.objects.count() == before


def test_nobody_enters_a_pool_twice(world):
    assert refused(enter, world=world, user=world.people["expert1"]).code == "expert_there"


@pytest.mark.parametrize(
    "who", ["applicant", "expert1", "DISTRICT_INDUSTRY", "CITY_ENVIRONMENT", "administrator"]
)
def test_only_the_authority_itself_keeps_its_pool(world, who):
    with pytest.raises(NotPermitted):
        enter(world, by=world.people[who])


def test_a_change_upon_what_somebody_else_changed_is_stale(world):
    row = world.experts[0]
    said = {"expert": row, "version": 1, "by": officer(world), "now": NOW}
    experts.change_expert(changes={"is_active": False}, **said)
    row.refresh_from_db()
    assert not row.is_active
    assert refused(experts.change_expert, changes={"title": "教授"}, **said).is_conflict


def test_an_expert_may_declare_a_tie_but_not_lift_it(world):
    row, user = world.experts[0], world.people["expert1"]
    made = experts.declare_tie(expert=row, uscc=world.works.uscc, kind="KIN", by=user, now=NOW)
    with pytest.raises(NotPermitted):
        experts.end_tie(tie=made, by=user, now=NOW)
    assert refused(
        experts.declare_tie, expert=row, uscc=world.works.uscc, kind="KIN", by=user, now=NOW
    ).code == "tie_there"  # fmt: skip
    other = world.people["expert2"]
    assert refused(
        experts.declare_tie, expert=row, uscc=world.works.uscc, kind="GROUP", by=other, now=NOW
    ).code == "not_permitted"  # fmt: skip
    experts.end_tie(tie=made, by=officer(world), now=NOW)
    assert refused(experts.end_tie, tie=made, by=officer(world), now=NOW).is_conflict


# ---- the draw ---------------------------------------------------------------------------


def commit(world, round_, seed=SEED, number=2, **said):
    asked = {"round_": round_, "commitment": draw.commitment(seed), "number": number}
    return draws.commit_draw(by=officer(world), now=NOW, **(asked | said))


def reveal(world, row, seed=SEED):
    return draws.reveal_draw(draw_=row, seed=seed, by=officer(world), now=NOW)


def test_the_draw_is_what_anybody_computes_from_the_seed_and_the_published_list(world, round_):
    row = reveal(world, commit(world, round_, number=3))
    numbers = [candidate["number"] for candidate in row.candidates]
    assert row.drawn == sorted(numbers, key=lambda n: draw.commitment(f"{SEED}||{n}"))[:3]
    assert row.seed == SEED


def test_a_seed_changed_after_the_commitment_is_refused_and_nothing_is_drawn(world, round_):
    row = commit(world, round_)
    for seed in (SEED + " ", "另一颗", ""):
        assert refused(reveal, world=world, row=row, seed=seed).code == "seed_changed"
    row.refresh_from_db()
    assert (row.drawn, row.revealed_at) == ([], None)


def test_a_draw_is_revealed_once(world, round_):
    row = reveal(world, commit(world, round_))
    again = refused(reveal, world=world, row=row)
    assert (again.code, again.is_conflict) == ("already_drawn", True)


def test_the_database_keeps_commitment_and_result(world, round_):
    row = commit(world, round_)
    with pytest.raises(IntegrityError), transaction.atomic():
        Draw.objects.filter(pk=row.pk).update(commitment="0" * 64)
    reveal(world, row)
    with pytest.raises(IntegrityError), transaction.atomic():
        Draw.objects.filter(pk=row.pk).update(drawn=["Z999"])


def test_who_enters_after_the_commitment_is_not_drawn(world, round_):
    row = commit(world, round_, number=6)
    worlds.add_expert(world, 7)
    assert "Z007" not in reveal(world, row).drawn


def test_nobody_is_drawn_twice_for_a_stage(world, round_):
    first = reveal(world, commit(world, round_, number=4))
    second = commit(world, round_, seed="二", number=2)
    left_out = {row["number"]: row["reason"] for row in second.excluded}
    assert left_out == dict.fromkeys(first.drawn, "drawn_already")
    assert not set(reveal(world, second, "二").drawn) & set(first.drawn)
    assert refused(commit, world=world, round_=round_, seed="三", number=1).code == "not_enough_candidates"


def test_a_commitment_that_would_draw_somebody_twice_is_refused_at_the_reveal(world, round_):
    """Made past the service, as two committing at the same moment would have it."""
    reveal(world, row := commit(world, round_, number=1))
    late = Draw.objects.create(
        round=round_, stage=STAGE, number=6, candidates=row.candidates, commitment=draw.commitment(SEED),
        committed_at=NOW, committed_by=officer(world),
    )  # fmt: skip
    assert refused(reveal, world=world, row=late).code == "drawn_twice"


def test_a_commitment_is_not_dropped_unseen(world, round_):
    first = commit(world, round_)
    assert refused(commit, world=world, round_=round_, seed="二").code == "draw_open"
    second = commit(world, round_, seed="二", reason="种子遗失")
    assert refused(reveal, world=world, row=first).code == "draw_superseded"
    assert Draw.objects.filter(round=round_).count() == 2
    assert reveal(world, second, "二").drawn


def test_a_draw_by_field_takes_so_many_of_each(world, round_):
    fields = {expert.number: expert.fields for expert in world.experts}
    row = reveal(world, commit(world, round_, number=0, per_field={"清洁生产": 1, "绿色制造": 1}))
    assert sorted(fields[number][0] for number in row.drawn) == ["清洁生产", "绿色制造"]


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"commitment": "abc"}, "commitment_malformed"),
        ({"number": 0}, "number_missing"),
        ({"number": 7}, "not_enough_candidates"),
        ({"stage": "nowhere"}, "expert_stage_unknown"),
    ],
)
def test_what_can_not_be_drawn_is_refused(world, round_, said, code):
    assert refused(commit, world=world, round_=round_, **said).code == code


@pytest.mark.parametrize("who", ["applicant", "expert1", "DISTRICT_INDUSTRY", "CITY_ENVIRONMENT"])
def test_only_who_runs_the_round_draws(world, round_, who):
    with pytest.raises(NotPermitted):
        draws.commit_draw(round_=round_, commitment="0" * 64, number=1, by=world.people[who], now=NOW)


def tie(world, expert, works, kind):
    return experts.declare_tie(expert=expert, uscc=works.uscc, kind=kind, by=officer(world), now=NOW)


def test_who_is_in_conflict_with_a_case_of_the_round_is_left_out_with_the_reason(world, round_):
    [case] = at_experts(world, round_, 1)
    works, e = case.organisation, world.experts
    Expert.objects.filter(pk=e[0].pk).update(employer_uscc=works.uscc)
    old = worlds.organisation("旧厂")
    Succession.objects.create(
        predecessor=old, successor=works, kind="MERGER", on=NOW.date(), former_name="旧厂", recorded_at=NOW,
        recorded_by=officer(world),
    )  # fmt: skip
    Expert.objects.filter(pk=e[1].pk).update(employer_uscc=old.uscc)
    tie(world, e[2], works, "ADVISER")
    RoleAssignment.objects.create(user=e[3].user, organisation=world.agency, role="AGENCY_STAFF")
    AgencyReport.objects.create(
        agency=world.agency, organisation=works, edition=round_.edition, year=2026, assigned_at=NOW,
        assigned_by=officer(world),
    )  # fmt: skip
    lifted = tie(world, e[4], works, "KIN")
    experts.end_tie(tie=lifted, by=officer(world), now=NOW)
    row = commit(world, round_, number=2)
    assert {each["number"]: each["reason"] for each in row.excluded} == {
        "Z001": Reason.OWN_EMPLOYER, "Z002": Reason.FORMER_EMPLOYER, "Z003": Reason.ADVISER, "Z004": Reason.AGENCY,
    }  # fmt: skip
    assert sorted(reveal(world, row).drawn) == ["Z005", "Z006"]


# ---- assignments ------------------------------------------------------------------------


def assign(world, round_, **said):
    return assignments.assign_cases(round_=round_, by=officer(world), now=NOW, **said)


def test_every_case_gets_three_experts_loads_are_even_and_each_is_told(world, round_):
    cases = at_experts(world, round_, 5)
    drawn(world, round_, 6)
    given = assign(world, round_)
    assert (given.cases, given.assignments, given.smallest_load, given.largest_load) == (5, 15, 2, 3)
    for case in cases:
        assert case.assignments.count() == 3
    told = Message.objects.filter(subject="有新的评审任务")
    assert told.count() == 6
    names = [case.organisation.name for case in cases]
    assert not any(name in message.text for message in told for name in names)


def test_nobody_is_assigned_before_a_draw(world, round_):
    at_experts(world, round_, 1)
    assert refused(assign, world=world, round_=round_).code == "draw_missing"


def test_a_case_that_came_later_is_assigned_upon_the_loads_there_are(world, round_):
    at_experts(world, round_, 3)
    drawn(world, round_, 6)
    assign(world, round_)
    assert refused(assign, world=world, round_=round_).code == "nothing_to_assign"
    at_experts(world, round_, 2)
    given = assign(world, round_)
    assert (given.smallest_load, given.largest_load) == (2, 3)


def test_who_is_tied_after_the_draw_is_not_assigned_and_a_case_without_enough_is_named(world, round_):
    one, _ = at_experts(world, round_, 2)
    drawn(world, round_, 4)
    experts_drawn = queries.drawn_experts(round_=round_, stage=STAGE)
    tie(world, experts_drawn[0], one.organisation, "KIN")
    assign(world, round_)
    assert experts_drawn[0].pk not in one.assignments.values_list("expert_id", flat=True)
    [third] = at_experts(world, round_, 1)
    for expert in experts_drawn[:2]:
        tie(world, expert, third.organisation, "GROUP")
    none = refused(assign, world=world, round_=round_)
    assert (none.code, none.detail) == ("too_few_without_conflict", third.code)


def test_who_recommended_a_case_does_not_score_it(world, round_):
    """S7, with its control: without the look at who acted, the recommender would be assigned."""
    [case] = at_experts(world, round_, 1)
    recommender = world.people["DISTRICT_INDUSTRY"]
    Expert.objects.filter(pk__in=[e.pk for e in world.experts[3:]]).update(is_active=False)
    Expert.objects.filter(pk=world.experts[0].pk).update(user=recommender)
    drawn(world, round_, 3)
    none = refused(assign, world=world, round_=round_)
    assert (none.code, none.detail) == ("too_few_without_conflict", case.code)


def test_who_recommended_a_case_would_score_it_if_nobody_looked(world, round_, monkeypatch):
    [case] = at_experts(world, round_, 1)
    Expert.objects.filter(pk__in=[e.pk for e in world.experts[3:]]).update(is_active=False)
    Expert.objects.filter(pk=world.experts[0].pk).update(user=world.people["DISTRICT_INDUSTRY"])
    drawn(world, round_, 3)
    monkeypatch.setattr(queries, "acted", lambda **_: {})
    assign(world, round_)
    assert case.assignments.filter(expert__user=world.people["DISTRICT_INDUSTRY"]).exists()


def test_who_scores_a_case_does_not_decide_it(world, round_):
    [case] = at_experts(world, round_, 1)
    Expert.objects.filter(pk=world.experts[0].pk).update(user=world.people["CITY_ENVIRONMENT"])
    drawn(world, round_, 6)
    Assignment.objects.create(
        application=case, expert=world.experts[0], stage=STAGE, assigned_at=NOW, assigned_by=officer(world)
    )
    edition = policy_queries.edition(round_.edition)
    assert (
        deciding.other_duty(case, edition, world.people["CITY_ENVIRONMENT"], deciding.Duty.RECOMMEND)
        == "SCORE"
    )


@pytest.fixture
def panel(world, round_):
    [case] = at_experts(world, round_, 1)
    drawn(world, round_, 5)
    assign(world, round_)
    return list(
        case.assignments.select_related("application__round__authority", "expert__user").order_by("pk")
    )


def test_an_expert_who_steps_back_is_replaced_and_never_given_the_applicant_again(world, round_, panel):
    gone = panel[0]
    made = assignments.recuse(assignment=gone, reason="曾在该单位工作", by=gone.expert.user, now=NOW)
    assert made is not None
    assert made.expert_id not in {row.expert_id for row in panel}
    uscc = gone.application.organisation.uscc
    assert ExpertTie.objects.filter(expert=gone.expert, uscc=uscc, kind="DECLARED").exists()
    back = refused(
        assignments.replace_expert,
        assignment=made,
        expert=gone.expert,
        reason="换回",
        by=officer(world),
        now=NOW,
    )
    assert (back.code, back.detail) == ("conflict_of_interest", Reason.DECLARED)


def test_stepping_back_needs_a_reason_ones_own_task_and_an_open_sheet(world, panel):
    row, user = panel[0], panel[0].expert.user
    said = {"assignment": row, "now": NOW}
    assert refused(assignments.recuse, reason=" ", by=user, **said).code == "words_missing"
    assert refused(assignments.recuse, reason="x", by=panel[1].expert.user, **said).code == "not_permitted"
    score(row, "10")
    assert refused(assignments.recuse, reason="x", by=user, **said).code == "sheet_final"


def test_replacing_withdraws_and_gives_to_whom_was_named(world, panel, round_):
    free = [
        e
        for e in queries.drawn_experts(round_=round_, stage=STAGE)
        if e.pk not in {r.expert_id for r in panel}
    ]
    made = assignments.replace_expert(
        assignment=panel[0], expert=free[1], reason="生病", by=officer(world), now=NOW
    )
    assert made.expert == free[1]
    panel[0].refresh_from_db()
    assert panel[0].withdrawn_reason == "生病"
    undrawn = next(e for e in world.experts if e.number not in Draw.objects.get(round=round_).drawn)
    for expert, code in ((undrawn, "expert_not_drawn"), (panel[1].expert, "had_it_before")):
        why = refused(
            assignments.replace_expert, assignment=made, expert=expert, reason="x", by=officer(world), now=NOW
        )
        assert why.code == code
    made.refresh_from_db()
    assert made.withdrawn_at is None, "nothing is half-done"


def test_where_nobody_is_free_the_case_is_completed_after_another_draw(world, round_):
    [case] = at_experts(world, round_, 1)
    drawn(world, round_, 3)
    assign(world, round_)
    row = case.assignments.select_related("expert__user").first()
    assert assignments.recuse(assignment=row, reason="回避", by=row.expert.user, now=NOW) is None
    assert queries.unassigned(round_=round_, stage=STAGE, per_case=3).count() == 1
    drawn(world, round_, 1, seed="二")
    given = assign(world, round_)
    assert (given.cases, given.assignments) == (1, 1)
    assert case.assignments.filter(withdrawn_at=None).count() == 3


# ---- sheets -----------------------------------------------------------------------------


def save(row, version, scores, **said):
    asked = {"comments": {}, "by": row.expert.user, "now": NOW}
    return sheets.save_sheet(assignment=row, version=version, scores=scores, **(asked | said))


def test_a_draft_may_be_open_and_a_submitted_sheet_may_not(panel):
    row = panel[0]
    saved = save(row, 0, {"results": "25.5"}, comments={"results": "数据可核"})
    none = refused(sheets.submit_sheet, assignment=row, version=saved.version, by=row.expert.user, now=NOW)
    assert none.code == "score_missing"
    assert "模式先进性与创新点" in none.detail
    saved = save(
        row, saved.version,
        {"advancement": "20", "results": "25.5", "difficulty": "0", "replicability": "20", "material": "9.25"},
    )  # fmt: skip
    done = sheets.submit_sheet(assignment=row, version=saved.version, by=row.expert.user, now=NOW)
    done.refresh_from_db()
    assert str(done.total) == "74.7500"


@pytest.mark.parametrize("said", ["30.01", "-1", "x", "1.005", "NaN", "1e999", "Infinity"])
def test_points_outside_the_item_are_refused(panel, said):
    assert refused(save, row=panel[0], version=0, scores={"results": said}).code == "score_wrong"


def test_points_on_the_edges_are_taken(panel):
    save(panel[0], 0, {"results": "30", "difficulty": "0", "material": "10.00"})


def test_an_unknown_item_is_refused(panel):
    assert refused(save, row=panel[0], version=0, scores={"bonus": "5"}).code == "field_unknown"


def test_a_draft_saved_elsewhere_meanwhile_is_not_overwritten(panel):
    save(panel[0], 0, {"results": "20"})
    stale = refused(save, row=panel[0], version=0, scores={"results": "10"})
    assert (stale.code, stale.is_conflict) == ("stale", True)


def test_a_submitted_sheet_never_changes_not_even_past_the_service(panel):
    row = panel[0]
    score(row, "10")
    assert refused(save, row=row, version=2, scores={"results": "1"}).code == "sheet_final"
    from wufei.reviews.models import ScoreSheet

    with pytest.raises(IntegrityError), transaction.atomic():
        ScoreSheet.objects.filter(assignment=row).update(total=1)


def test_only_the_expert_whose_task_it_is_scores(panel):
    other = panel[1].expert.user
    assert refused(save, row=panel[0], version=0, scores={}, by=other).code == "not_permitted"


def test_a_withdrawn_task_is_not_scored(world, panel):
    assignments.replace_expert(assignment=panel[0], reason="x", by=officer(world), now=NOW)
    assert refused(save, row=panel[0], version=0, scores={}).code == "assignment_withdrawn"


def test_a_tie_registered_meanwhile_keeps_the_sheet_from_being_submitted(world, panel):
    row = panel[0]
    saved = save(
        row, 0, dict.fromkeys(["advancement", "results", "difficulty", "replicability", "material"], "5")
    )
    tie(world, row.expert, row.application.organisation, "KIN")
    none = refused(sheets.submit_sheet, assignment=row, version=saved.version, by=row.expert.user, now=NOW)
    assert (none.code, none.detail) == ("conflict_of_interest", "")  # the reason would tell whose case it is


def test_once_the_stage_has_moved_on_nothing_is_scored(world, panel):
    for row in panel:
        score(row, "10")
    case = worlds.act(world, panel[0].application, "CITY_INDUSTRY", Action.CONCLUDE)
    assert case.stage != STAGE
    assert refused(save, row=panel[0], version=2, scores={}).code == "stage_moved_on"


# ---- discussion and second turn ---------------------------------------------------------


def test_who_has_not_scored_hears_nobody_and_says_nothing(panel):
    row = panel[0]
    said = {"application": row.application, "by": row.expert.user, "now": NOW}
    assert refused(assignments.discuss, words="我看", **said).code == "sheet_first"
    score(row, "10")
    assert assignments.discuss(words="我看", **said).speaker == row.expert.number


def test_the_second_turn_needs_all_sheets_and_words_and_comes_once(world, panel):
    said = {"application": panel[0].application, "by": officer(world), "now": NOW}
    assert refused(assignments.second_turn, words="分歧大", **said).code == "sheets_missing"
    for row in panel:
        score(row, "10")
    assert refused(assignments.second_turn, words="", **said).code == "words_missing"
    assert len(assignments.second_turn(words="分歧大", **said)) == 3
    assert refused(assignments.second_turn, words="再来", **said).code == "second_turn_there"


def test_the_stage_is_not_concluded_before_the_second_turn_is_in(world, panel):
    for row in panel:
        score(row, "10")
    again = assignments.second_turn(
        application=panel[0].application, words="分歧大", by=officer(world), now=NOW
    )
    none = refused(
        worlds.act,
        world=world,
        application=panel[0].application,
        role="CITY_INDUSTRY",
        action=Action.CONCLUDE,
    )
    assert none.code == "sheets_missing"
    for row in again:
        row = Assignment.objects.select_related("application__round", "expert__user").get(pk=row.pk)
        score(row, "9")
    case = worlds.act(world, panel[0].application, "CITY_INDUSTRY", Action.CONCLUDE)
    assert Application.objects.get(pk=case.pk).stage != STAGE
