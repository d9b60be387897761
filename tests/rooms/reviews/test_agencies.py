"""Third-party agencies: asked, kept from those they are tied to, heard once, judged, and shut out for falsehood."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import DatabaseError, connection, transaction

from tests.conftest import NOW
from tests.rooms.reviews import world as worlds
from wufei.registry.models import RoleAssignment, Succession
from wufei.registry.queries import NotPermitted
from wufei.reviews.duties import Duty
from wufei.reviews.models import Act, AgencyExclusion, AgencyReport, ExpertTie, Message
from wufei.reviews.queries import agencies as queries
from wufei.reviews.queries.experts import acted, conflict_with
from wufei.reviews.queries.roles import roles_on
from wufei.reviews.refusals import ReviewRefused
from wufei.reviews.services import agencies, agencies_reporting, deciding
from wufei.reviews.services.agencies_reporting import Written
from wufei.reviews.stages import Action
from wufei.terms.day import local_day

ITEMS = ("level", "cultivation", "evidence", "demonstration")
WHOLE = Written(
    visited_on=date(2026, 6, 30),
    scores=dict.fromkeys(ITEMS, "15.5"),
    comments={"level": "指标属实。"},
    conclusion="经现场评价，符合标准。",
    is_positive=True,
)


@pytest.fixture
def world(db):
    return worlds.build(experts=1)


@pytest.fixture
def application(world):
    return worlds.handed_in(world, worlds.round_of(world, worlds.CHONGQING_FACTORY_2024))


@pytest.fixture
def report(world, application):
    return assigned(world, application)


def assigned(world, application, *, by="applicant", agency=None, now=NOW):
    return agencies.assign_agency(
        application=application, agency=agency or world.agency, by=world.people[by], now=now
    )


def other_agency(world, name="第二评价公司"):
    made = worlds.organisation(name, "AGENCY", worlds.CITY)
    world.people[name] = worlds.person(name, "AGENCY_STAFF", made)
    return made


def complete(world, report, written=WHOLE, *, by="agency"):
    said = {"by": world.people[by], "now": NOW}
    report.refresh_from_db()
    kept = agencies_reporting.save_report(report=report, version=report.version, written=written, **said)
    return agencies_reporting.attach_report(
        report=kept, version=kept.version, name="评价报告.pdf", content=worlds.PDF, **said
    )


def submitted(world, report, **said):
    kept = complete(world, report, **said)
    return agencies_reporting.submit_report(
        report=kept, version=kept.version, by=world.people["agency"], now=NOW
    )


def refused(act, *arguments, **said) -> str:
    with pytest.raises(ReviewRefused) as why:
        act(*arguments, **said)
    return f"{why.value.code} {why.value.detail}".strip()


def code_of(act, *arguments, **said) -> str:
    return refused(act, *arguments, **said).split()[0]


# ---- who is asked ----------------------------------------------------------------------------


@pytest.mark.parametrize("person", ["applicant", "DISTRICT_INDUSTRY", "CITY_INDUSTRY"])
def test_the_applicant_chooses_an_agency_or_an_authority_gives_one(world, application, person):
    report = assigned(world, application, by=person)

    assert (report.agency, report.organisation, report.application) == (
        world.agency,
        world.works,
        application,
    )
    assert Message.objects.filter(
        to=world.people["agency"], link=f"/reviews/agency-reports/{report.pk}/"
    ).exists()


@pytest.mark.parametrize("person", ["agency", "OTHER_DISTRICT_INDUSTRY", "DISTRICT_TAX", "expert1", "nobody"])
def test_others_give_no_agency(world, application, person):
    assert code_of(assigned, world, application, by=person) == "not_permitted"
    assert not AgencyReport.objects.exists()


def test_one_agency_at_a_time_evaluates(world, application, report):
    second = other_agency(world)
    assert code_of(assigned, world, application, agency=second) == "agency_assigned"

    agencies.withdraw_agency(report=report, reason="回避", by=world.people["agency"], now=NOW)

    assert assigned(world, application, agency=second, now=NOW + timedelta(hours=1)).agency == second


def test_only_an_agency_with_people_here_is_asked(world, application):
    empty = worlds.organisation("无人机构", "AGENCY", worlds.CITY)
    enterprise = worlds.organisation("某企业")

    assert code_of(assigned, world, application, agency=empty) == "agency_unknown"
    assert code_of(assigned, world, application, agency=enterprise) == "agency_unknown"


def test_an_edition_without_an_agency_s_stage_asks_none(world):
    application = worlds.handed_in(world, worlds.round_of(world, worlds.CHONGQING_FACTORY))

    assert code_of(assigned, world, application) == "stage_moved_on"


# ---- conflicts of interest -------------------------------------------------------------------


def test_an_agency_of_the_applicant_s_lineage_is_kept_out(world, application):
    Succession.objects.create(
        predecessor=world.agency,
        successor=world.works,
        kind="MERGER",
        on=date(2020, 1, 1),
        former_name="x",
        recorded_at=NOW,
        recorded_by=world.people["CITY_INDUSTRY"],
    )
    assert refused(assigned, world, application) == "conflict_of_interest FORMER_EMPLOYER"


def test_an_agency_with_somebody_who_works_for_the_applicant_is_kept_out(world, application):
    RoleAssignment.objects.create(user=world.people["agency"], organisation=world.works, role="WORKER")

    assert refused(assigned, world, application) == "conflict_of_interest OWN_EMPLOYER"


@pytest.mark.parametrize("kind", ["ADVISER", "GROUP", "KIN", "EMPLOYER"])
def test_an_agency_whose_expert_is_tied_to_the_applicant_is_kept_out(world, application, kind):
    [expert] = world.experts
    expert.employer_uscc = world.agency.uscc
    expert.save()
    tie = ExpertTie.objects.create(
        expert=expert,
        uscc=world.works.uscc,
        kind=kind,
        declared_at=NOW,
        declared_by=world.people["expert1"],
    )
    assert refused(assigned, world, application) == f"conflict_of_interest {kind}"

    tie.ended_at = NOW
    tie.save()
    assert assigned(world, application).agency == world.agency


def test_a_conflict_that_arises_later_keeps_the_report_from_being_handed_in(world, report):
    kept = complete(world, report)
    RoleAssignment.objects.create(user=world.people["agency"], organisation=world.works, role="WORKER")

    said = {"report": kept, "version": kept.version, "by": world.people["agency"], "now": NOW}
    assert code_of(agencies_reporting.submit_report, **said) == "conflict_of_interest"


# ---- the report ------------------------------------------------------------------------------


def test_a_report_is_handed_in_whole_and_never_changes_after(world, report):
    done = submitted(world, report)

    assert (done.submitted_by, done.scores["level"]) == (world.people["agency"], "15.5")
    said = {"report": done, "version": done.version, "by": world.people["agency"], "now": NOW}
    assert code_of(agencies_reporting.save_report, written=WHOLE, **said) == "report_final"
    with pytest.raises(DatabaseError, match="final"), transaction.atomic():
        connection.cursor().execute("UPDATE reviews_agencyreport SET conclusion = 'x'")


@pytest.mark.parametrize(
    ("changed", "lacks"),
    [
        ({"visited_on": None}, "现场评价日期"),
        ({"scores": dict.fromkeys(ITEMS[1:], "1")}, "评价指标水平（优中选优）"),
        ({"conclusion": " "}, "评价结论"),
        ({"is_positive": None}, "是否合格"),
    ],
)
def test_an_incomplete_report_is_kept_but_not_handed_in(world, report, changed, lacks):
    whole = {name: getattr(WHOLE, name) for name in WHOLE.__slots__}
    kept = complete(world, report, Written(**(whole | changed)))

    said = {"report": kept, "version": kept.version, "by": world.people["agency"], "now": NOW}
    assert refused(agencies_reporting.submit_report, **said) == f"report_incomplete {lacks}"


def test_a_report_without_its_signed_file_is_not_handed_in(world, report):
    said = {"report": report, "by": world.people["agency"], "now": NOW}
    kept = agencies_reporting.save_report(version=1, written=WHOLE, **said)

    assert (
        refused(agencies_reporting.submit_report, version=kept.version, **said)
        == "report_incomplete 评价报告文件"
    )


@pytest.mark.parametrize("points", ["40.01", "-1", "1.234", "NaN", "多"])
def test_points_lie_within_the_item_s_and_are_exact(world, report, points):
    said = {"report": report, "version": report.version, "by": world.people["agency"], "now": NOW}

    assert (
        code_of(agencies_reporting.save_report, written=Written(scores={"level": points}), **said)
        == "score_wrong"
    )


def test_who_saves_second_is_told_that_somebody_was_first(world, report):
    said = {"report": report, "written": WHOLE, "by": world.people["agency"], "now": NOW}
    agencies_reporting.save_report(version=report.version, **said)

    assert code_of(agencies_reporting.save_report, version=report.version, **said) == "stale"


@pytest.mark.parametrize("person", ["applicant", "CITY_INDUSTRY", "expert1"])
def test_nobody_else_writes_the_report(world, report, person):
    said = {"report": report, "version": report.version, "by": world.people[person], "now": NOW}
    assert code_of(agencies_reporting.save_report, written=WHOLE, **said) == "not_permitted"


# ---- the agency acts -------------------------------------------------------------------------


def test_only_the_agency_that_was_asked_acts_as_agency(world, application, report):
    other_agency(world)
    on = local_day(NOW)

    assert roles_on(user=world.people["agency"], application=application, on=on) == {"AGENCY": world.agency}
    assert roles_on(user=world.people["第二评价公司"], application=application, on=on) == {}
    agencies.withdraw_agency(report=report, reason="不再委托", by=world.people["applicant"], now=NOW)
    assert roles_on(user=world.people["agency"], application=application, on=on) == {}


@pytest.mark.parametrize("action", [Action.AGREE, Action.DISAGREE])
def test_the_agency_says_nothing_before_its_report(world, application, report, action):
    complete(world, report)

    assert (
        code_of(worlds.act, world, application, "AGENCY", action, by=world.people["agency"])
        == "report_missing"
    )


def test_the_agency_says_what_its_report_concludes(world, application, report):
    submitted(world, report)
    act = {"by": world.people["agency"]}

    assert (
        code_of(worlds.act, world, application, "AGENCY", Action.DISAGREE, **act) == "report_says_otherwise"
    )
    assert worlds.act(world, application, "AGENCY", Action.AGREE, **act).stage == "district-review"
    assert Act.objects.get(action="AGREE").acted_for == world.agency


def test_report_and_decision_go_together_or_not_at_all(world, application, report):
    kept = complete(world, report)
    said = {"report": kept, "version": kept.version, "by": world.people["agency"], "now": NOW}

    assert code_of(agencies_reporting.hand_in, case_version=application.version + 5, **said) == "stale"
    report.refresh_from_db()
    assert report.submitted_at is None

    assert agencies_reporting.hand_in(case_version=application.version, **said).stage == "district-review"


def test_a_report_that_finds_the_applicant_wanting_ends_the_case(world, application, report):
    whole = {name: getattr(WHOLE, name) for name in WHOLE.__slots__}
    kept = complete(world, report, Written(**(whole | {"is_positive": False})))

    done = agencies_reporting.hand_in(
        report=kept,
        version=kept.version,
        case_version=application.version,
        by=world.people["agency"],
        now=NOW,
    )
    assert done.outcome == "REJECTED"


def test_the_agency_sends_a_case_back_and_goes_on_when_it_returns(world, application, report):
    worlds.act(world, application, "AGENCY", Action.RETURN, by=world.people["agency"], words="缺台账。")
    said = {"report": report, "version": report.version, "by": world.people["agency"], "now": NOW}
    assert code_of(agencies_reporting.save_report, written=WHOLE, **said) == "stage_moved_on"

    worlds.handed_in(world, application.round)
    assert submitted(world, report).submitted_at == NOW


def test_a_report_of_an_agency_replaced_since_carries_no_other_agency(world, application, report):
    """What the excluded agency handed in no longer speaks for the one that came after it."""
    submitted(world, report)
    excluded(world)
    second = other_agency(world)
    assigned(world, application, agency=second, now=NOW + timedelta(hours=1))

    assert (
        code_of(worlds.act, world, application, "AGENCY", Action.AGREE, by=world.people["第二评价公司"])
        == "report_missing"
    )


# ---- S7 --------------------------------------------------------------------------------------


def test_who_evaluated_for_an_agency_scores_no_case_of_the_applicant(world, application, report):
    [expert] = world.experts
    RoleAssignment.objects.create(
        user=world.people["expert1"], organisation=world.agency, role="AGENCY_STAFF"
    )
    assert conflict_with(expert=expert, application=application).reason == "AGENCY"


def test_who_handed_in_a_report_and_left_the_agency_does_not_score_either(world, application, report):
    done = complete(world, report)
    role = RoleAssignment.objects.create(
        user=world.people["expert1"], organisation=world.agency, role="AGENCY_STAFF"
    )
    agencies_reporting.submit_report(report=done, version=done.version, by=world.people["expert1"], now=NOW)
    role.delete()
    [expert] = world.experts
    edition = deciding.policy_queries.edition(application.round.edition)

    assert conflict_with(expert=expert, application=application) is None
    assert deciding.other_duty(application, edition, world.people["expert1"], Duty.SCORE) is Duty.RECOMMEND
    rows = type(application).objects.filter(pk=application.pk)
    assert acted(applications=rows, experts=[expert], edition=edition) == {application.pk: {expert.pk}}


# ---- judged, spot-checked, excluded ----------------------------------------------------------


def judged(world, *, by="CITY_INDUSTRY", agency=None, authority=None, **said):
    ordinary = {
        "strength": Decimal("90"),
        "report_quality": Decimal("85.5"),
        "process": Decimal("88"),
        "year": 2026,
    }
    return agencies.judge_agency(
        authority=world.authorities[authority or by],
        agency=agency or world.agency,
        by=world.people[by],
        now=NOW,
        **(ordinary | said),
    )


def excluded(world, *, by="CITY_INDUSTRY", **said):
    ordinary = {"cause": "评价报告弄虚作假", "document": "渝经信函〔2026〕1号"}
    return agencies.exclude_agency(
        authority=world.authorities[by],
        agency=world.agency,
        by=world.people[by],
        now=NOW,
        **(ordinary | said),
    )


def checked(world, report, result="FALSE", *, by="CITY_INDUSTRY", words="数据与台账不符。"):
    return agencies.spot_check(
        report=report,
        authority=world.authorities[by],
        result=result,
        words=words,
        by=world.people[by],
        now=NOW,
    )


def test_the_recommended_list_has_the_best_first_and_nobody_excluded(world):
    second, third = other_agency(world), other_agency(world, "第三评价公司")
    judged(world, is_recommended=True)
    judged(world, agency=second, strength=Decimal("99"), is_recommended=True)
    judged(world, agency=third)
    city = world.authorities["CITY_INDUSTRY"]

    rows = queries.recommended_agencies(authority=city, year=2026)
    assert [row.agency for row in rows] == [second, world.agency]

    excluded(world)
    assert [row.agency for row in queries.recommended_agencies(authority=city, year=2026)] == [second]
    assert queries.recommended_agencies(authority=city, year=2025) == []
    assert AgencyExclusion.objects.get(authority=city).agency == world.agency


@pytest.mark.parametrize("mark", ["100.01", "-0.01", "88.888", "NaN"])
def test_marks_are_exact_and_out_of_a_hundred(world, mark):
    assert code_of(judged, world, process=Decimal(mark)) == "mark_wrong"


def test_only_an_authority_of_industry_or_environment_judges_and_only_for_itself(world):
    with pytest.raises(NotPermitted):
        judged(world, by="DISTRICT_INDUSTRY", authority="CITY_INDUSTRY")
    assert code_of(judged, world, by="CITY_TAX") == "not_permitted"
    assert judged(world, by="DISTRICT_INDUSTRY").authority == world.authorities["DISTRICT_INDUSTRY"]


def test_a_report_found_false_takes_its_agency_off_the_list(world, report):
    done = submitted(world, report)
    judged(world, is_recommended=True)

    checked(world, done)

    assert queries.recommended_agencies(authority=world.authorities["CITY_INDUSTRY"], year=2026) == []
    assert code_of(judged, world, is_recommended=True) == "agency_false"
    assert not judged(world).is_recommended


def test_a_spot_check_needs_a_report_words_and_the_jurisdiction(world, report):
    assert code_of(checked, world, report) == "report_missing"
    done = submitted(world, report)
    assert code_of(checked, world, done, words=" ") == "words_missing"
    assert code_of(checked, world, done, "GOOD") == "spot_result_unknown"
    assert code_of(checked, world, done, by="PROVINCE_INDUSTRY") == "not_permitted"
    assert code_of(checked, world, done, by="OTHER_DISTRICT_INDUSTRY") == "not_permitted"


def test_an_excluded_agency_gets_no_assignment_and_its_people_are_refused(world, application, report):
    kept = complete(world, report)
    excluded(world)
    report.refresh_from_db()

    assert "取消" in report.withdrawn_reason
    assert code_of(assigned, world, application) == "agency_excluded"
    assert roles_on(user=world.people["agency"], application=application, on=local_day(NOW)) == {}
    said = {"report": report, "version": kept.version + 1, "by": world.people["agency"], "now": NOW}
    assert code_of(agencies_reporting.save_report, written=WHOLE, **said) == "agency_excluded"
    assert (
        code_of(worlds.act, world, application, "AGENCY", Action.RETURN, by=world.people["agency"])
        == "not_permitted"
    )
    told = Message.objects.filter(to=world.people["agency"], subject__contains="资格被取消")
    assert told.exists()
    assert Message.objects.filter(to=world.people["applicant"], subject__contains="委托已解除").exists()


def test_a_report_handed_in_before_does_not_let_an_excluded_agency_act(world, application, report):
    submitted(world, report)
    excluded(world)

    assert (
        code_of(worlds.act, world, application, "AGENCY", Action.AGREE, by=world.people["agency"])
        == "not_permitted"
    )


def test_an_exclusion_holds_where_its_authority_is_and_not_elsewhere(world, application):
    day = local_day(NOW)
    excluded(world, by="OTHER_DISTRICT_INDUSTRY")
    assert not queries.is_excluded(agency=world.agency, division_code=worlds.DISTRICT, on=day)
    assert queries.is_excluded(agency=world.agency, division_code=worlds.OTHER_DISTRICT, on=day)
    assert assigned(world, application).agency == world.agency

    excluded(world)
    assert queries.is_excluded(agency=world.agency, division_code=worlds.DISTRICT, on=day)
    assert not queries.is_excluded(agency=world.agency, division_code=worlds.PROVINCE_CITY, on=day)


def test_an_exclusion_stands_once_with_its_cause_and_for_good(world):
    assert code_of(excluded, world, cause="  ") == "words_missing"
    excluded(world)
    assert code_of(excluded, world) == "excluded_already"
    for sql in ("UPDATE reviews_agencyexclusion SET cause = 'x'", "DELETE FROM reviews_agencyexclusion"):
        with pytest.raises(DatabaseError, match="append_only"), transaction.atomic():
            connection.cursor().execute(sql)
    assert AgencyExclusion.objects.count() == 1


def test_the_guards_of_the_table_outlive_the_column_that_was_added(world, report):
    submitted(world, report)
    with pytest.raises(DatabaseError, match="append_only"), transaction.atomic():
        connection.cursor().execute("DELETE FROM reviews_agencyreport")


def test_an_assignment_ends_with_a_reason_and_by_whom_it_concerns(world, report):
    def withdraw(person, reason="与申报单位有业务往来"):
        return agencies.withdraw_agency(report=report, reason=reason, by=world.people[person], now=NOW)

    assert code_of(withdraw, "OTHER_DISTRICT_INDUSTRY") == "not_permitted"
    assert code_of(withdraw, "agency", " ") == "words_missing"
    assert withdraw("agency").withdrawn_reason == "与申报单位有业务往来"
    assert code_of(withdraw, "applicant") == "agency_withdrawn"


def test_a_report_that_was_handed_in_is_not_taken_back(world, report):
    done = submitted(world, report)
    said = {"report": done, "reason": "换", "by": world.people["applicant"], "now": NOW}

    assert code_of(agencies.withdraw_agency, **said) == "report_final"


def test_an_agency_that_gave_up_may_be_asked_again(world, application, report):
    agencies.withdraw_agency(report=report, reason="人手不足", by=world.people["agency"], now=NOW)

    again = assigned(world, application)

    assert (again.pk, again.withdrawn_at, again.withdrawn_reason) == (report.pk, None, None)
