"""Departments are asked with a term; what they say stands, and their silence stands as silence."""

from datetime import date, timedelta

import pytest
from django.test import Client
from django.urls import reverse

from tests.conftest import NOW
from tests.rooms.reviews import world as worlds
from wufei.catalogue.working_days import nth_working_day
from wufei.reviews.models import Consultation
from wufei.reviews.queries import consultations as queries
from wufei.reviews.refusals import ReviewRefused
from wufei.reviews.services import consultations
from wufei.reviews.stages import Action
from wufei.terms.day import local_day


@pytest.fixture
def world(db):
    return worlds.build(experts=0)


@pytest.fixture
def application(world):
    round_ = worlds.round_of(world, worlds.CHONGQING_FACTORY)
    return worlds.advance(world, worlds.handed_in(world, round_), "consultation")


@pytest.fixture
def asked(world, application):
    made = consultations.consult(application=application, by=world.people["DISTRICT_INDUSTRY"], now=NOW)
    return {row.department: row for row in made}


def refused(why) -> str:
    return why.value.code


def reply(world, row, opinion="NO_OBJECTION", *, by, now=NOW, words="", **said):
    return consultations.reply(
        consultation=row, opinion=opinion, words=words, by=world.people[by], now=now, **said
    )


def test_the_five_departments_of_the_call_are_asked_of_the_applicant_s_own_district(world, asked):
    due_on = nth_working_day(local_day(NOW), 5)

    assert {name: row.authority for name, row in asked.items()} == {
        "发展改革部门": world.authorities["DISTRICT_DEVELOPMENT"],
        "生态环境部门": world.authorities["DISTRICT_ENVIRONMENT"],
        "应急管理部门": world.authorities["DISTRICT_EMERGENCY"],
        "市场监管部门": world.authorities["DISTRICT_MARKET"],
        "税务部门": world.authorities["DISTRICT_TAX"],
    }
    assert {row.due_on for row in asked.values()} == {due_on}


def test_nobody_is_asked_twice(world, application, asked):
    assert consultations.consult(application=application, by=world.people["DISTRICT_INDUSTRY"], now=NOW) == []
    assert Consultation.objects.count() == 5


@pytest.mark.parametrize(
    "person", ["applicant", "OTHER_DISTRICT_INDUSTRY", "CITY_INDUSTRY", "DISTRICT_TAX", "nobody"]
)
def test_only_who_concludes_the_stage_asks(world, application, person):
    with pytest.raises(ReviewRefused) as why:
        consultations.consult(application=application, by=world.people[person], now=NOW)

    assert refused(why) == "not_permitted"
    assert not Consultation.objects.exists()


def test_a_department_replies_for_itself_and_only_once(world, asked):
    said = reply(world, asked["税务部门"], "OBJECTION", by="DISTRICT_TAX", words="欠税未清。")
    assert (said.opinion, said.words, said.answered_by) == (
        "OBJECTION",
        "欠税未清。",
        world.people["DISTRICT_TAX"],
    )

    with pytest.raises(ReviewRefused) as why:
        reply(world, said, by="DISTRICT_TAX")
    assert refused(why) == "already_decided"


def test_another_department_does_not_reply_for_it_and_who_asked_only_with_the_sealed_paper(world, asked):
    row = asked["税务部门"]
    with pytest.raises(ReviewRefused) as why:
        reply(world, row, by="DISTRICT_MARKET")
    assert refused(why) == "not_permitted"
    with pytest.raises(ReviewRefused) as why:
        reply(world, row, by="DISTRICT_INDUSTRY")
    assert refused(why) == "scan_missing"

    said = reply(world, row, by="DISTRICT_INDUSTRY", document=("复函.pdf", worlds.PDF))
    assert (said.opinion, said.file_name) == ("NO_OBJECTION", "复函.pdf")


def test_an_opinion_other_than_none_needs_words(world, asked):
    with pytest.raises(ReviewRefused) as why:
        reply(world, asked["税务部门"], "REMARKS", by="DISTRICT_TAX")
    assert refused(why) == "words_missing"


def test_silence_is_put_on_record_only_after_the_term_and_is_no_consent(world, application, asked):
    row, officer = asked["税务部门"], world.people["DISTRICT_INDUSTRY"]
    last_moment = NOW.replace(hour=15) + timedelta(
        days=(row.due_on - local_day(NOW)).days
    )  # the last day itself
    with pytest.raises(ReviewRefused) as why:
        consultations.close_unanswered(consultation=row, by=officer, now=last_moment)
    assert refused(why) == "term_running"

    after = last_moment + timedelta(days=1)
    closed = consultations.close_unanswered(consultation=row, by=officer, now=after)
    assert (closed.opinion, closed.answered_at, closed.closed_unanswered_at) == ("", None, after)

    late = reply(world, closed, "OBJECTION", by="DISTRICT_TAX", words="有欠税。", now=after)
    assert (late.opinion, late.closed_unanswered_at) == ("OBJECTION", None)  # late, but heard


def test_the_stage_ends_only_when_all_were_asked_and_have_replied_or_let_their_time_pass(world, application):
    def conclude(now=NOW):
        return worlds.act(world, application, "DISTRICT_INDUSTRY", Action.CONCLUDE, now=now)

    with pytest.raises(ReviewRefused) as why:
        conclude()
    assert refused(why) == "consultations_missing"

    rows = consultations.consult(application=application, by=world.people["DISTRICT_INDUSTRY"], now=NOW)
    for row in rows[:-1]:
        reply(world, row, by=f"DISTRICT_{row.authority.branch}")
    with pytest.raises(ReviewRefused) as why:
        conclude()
    assert refused(why) == "consultations_open"

    later = NOW + timedelta(days=30)
    consultations.close_unanswered(consultation=rows[-1], by=world.people["DISTRICT_INDUSTRY"], now=later)
    assert conclude(later).stage == "district-recommendation"


def test_a_reply_to_a_case_that_was_refused_is_kept_and_changes_nothing(world, application, asked):
    worlds.act(world, application, "DISTRICT_INDUSTRY", Action.DISAGREE)
    reply(world, asked["税务部门"], by="DISTRICT_TAX")
    application.refresh_from_db()
    assert application.outcome == "REJECTED"


def test_the_term_runs_over_a_holiday(world, application):
    eve = NOW.replace(year=2026, month=9, day=30)

    rows = consultations.consult(application=application, by=world.people["DISTRICT_INDUSTRY"], now=eve)

    # 2026: off 1 to 7 October, worked on Saturday the 10th; so 8, 9, 10, 12, 13.
    assert {row.due_on for row in rows} == {date(2026, 10, 13)}


def concluded_in_silence(world, application, asked):
    """Let all but one department reply, note the silence of that one, and conclude the stage."""
    row = asked["税务部门"]
    for name, branch in (
        ("发展改革部门", "DEVELOPMENT"), ("生态环境部门", "ENVIRONMENT"), ("应急管理部门", "EMERGENCY"), ("市场监管部门", "MARKET"),
    ):  # fmt: skip
        reply(world, asked[name], by=f"DISTRICT_{branch}")
    after = NOW + timedelta(days=(row.due_on - local_day(NOW)).days + 1)
    officer = world.people["DISTRICT_INDUSTRY"]
    consultations.close_unanswered(consultation=row, by=officer, now=after)
    moved = worlds.act(world, application, "DISTRICT_INDUSTRY", Action.CONCLUDE, now=after)
    assert moved.stage != "consultation"
    return row, after


def test_an_opinion_that_comes_when_the_stage_is_done_is_kept_as_late_and_moves_nothing(
    world, application, asked
):
    row, after = concluded_in_silence(world, application, asked)
    late = reply(world, row, "OBJECTION", by="DISTRICT_TAX", words="有欠税。", now=after + timedelta(hours=1))
    assert (late.opinion, late.words) == ("OBJECTION", "有欠税。")
    application.refresh_from_db()
    assert (application.stage, application.outcome) == ("district-recommendation", "")

    shown = queries.asked(
        user=world.people["DISTRICT_INDUSTRY"], application=application, on=local_day(after)
    )
    assert {each.department for each in shown.rows if each.is_late} == {"税务部门"}
    client = Client()
    client.force_login(world.people["DISTRICT_INDUSTRY"])
    read = client.get(reverse("reviews:application", args=[application.code])).content.decode()
    assert "征求部门意见 · 逾期答复" in read
    assert "有欠税。" in read
    client.force_login(world.people["applicant"])
    read = client.get(reverse("reviews:application", args=[application.code])).content.decode()
    assert "有欠税。" not in read


def test_a_paper_that_comes_late_is_entered_by_who_concluded_and_by_nobody_else(world, application, asked):
    row, after = concluded_in_silence(world, application, asked)
    paper = ("复函.pdf", worlds.PDF)
    with pytest.raises(ReviewRefused) as why:
        reply(world, row, by="CITY_INDUSTRY", document=paper, now=after)
    assert refused(why) == "not_permitted"
    assert reply(world, row, by="DISTRICT_INDUSTRY", document=paper, now=after).answered_at == after


def test_a_withdrawn_case_takes_no_more_opinions(world, application, asked):
    worlds.act(world, application, "APPLICANT", Action.WITHDRAW)
    with pytest.raises(ReviewRefused) as why:
        reply(world, asked["税务部门"], by="DISTRICT_TAX")
    assert refused(why) == "stage_moved_on"


def test_a_term_that_reaches_beyond_the_stage_s_own_says_so(world, application):
    later = NOW + timedelta(days=3)
    made = consultations.consult(application=application, by=world.people["DISTRICT_INDUSTRY"], now=later)
    assert made[0].due_on > application.due_on
    shown = queries.asked(
        user=world.people["DISTRICT_INDUSTRY"], application=application, on=local_day(later)
    )
    assert all(each.is_beyond for each in shown.rows)
    client = Client()
    client.force_login(world.people["DISTRICT_INDUSTRY"])
    read = client.get(reverse("reviews:application", args=[application.code])).content.decode()
    assert f"晚于本环节的办理期限 {application.due_on}" in read
