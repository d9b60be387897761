"""Who opens a round, what a call can't do without, and by when those below report."""

import io
from datetime import date, timedelta

import pytest
from django.urls import reverse
from docx import Document

from tests.conftest import NOW
from tests.rooms.reviews import world as worlds
from wufei.policies import queries as policy_queries
from wufei.registry.models import Organisation
from wufei.registry.services import operator
from wufei.reviews.documents import call_notice
from wufei.reviews.models import Application, Message, Round
from wufei.reviews.queries import documents
from wufei.reviews.queries import rounds as queries
from wufei.reviews.queries.tasks import tasks_of
from wufei.reviews.refusals import ReviewRefused
from wufei.reviews.services import messages, rounds
from wufei.reviews.services.rounds_recommending import add_document, put_in_order
from wufei.reviews.stages import Action
from wufei.terms.day import local_day

CALLED = [e.id for e in policy_queries.known_editions().values() if e.stages]
OPENS = {"chongqing": "CITY_INDUSTRY", "guangdong": "PROVINCE_INDUSTRY", "miit": "MINISTRY_INDUSTRY"}
REPORTED_BY = date(2026, 7, 24)


@pytest.fixture
def world(db):
    return worlds.build()


def refused(code, act, **said):
    with pytest.raises(ReviewRefused) as why:
        act(**said)
    assert why.value.code == code


# ---- who opens one --------------------------------------------------------------------------


@pytest.mark.parametrize("edition", CALLED)
def test_only_the_issuer_of_an_edition_opens_its_round(world, edition):
    opens = OPENS[edition.split("-")[0]]
    opened, codes = set(), set()
    for key, authority in world.authorities.items():
        try:
            rounds.open_round(
                edition_id=edition, year=2026, authority=authority, by=world.people[key], now=NOW
            )
            opened.add(key)
        except ReviewRefused as why:
            codes.add(why.code)
    assert codes == {"not_the_issuer"}
    assert opened == {opens}
    assert Round.objects.count() == 1


def test_a_round_that_another_had_opened_is_not_published(world):
    district = world.people["DISTRICT_INDUSTRY"]
    stray = Round.objects.create(
        edition=worlds.CHONGQING_FACTORY, year=2026, authority=world.authorities["DISTRICT_INDUSTRY"], title="区里的",
        notice_text="正文", submission_deadline=date(2026, 7, 20), opened_at=NOW, opened_by=district,
    )  # fmt: skip
    refused("not_the_issuer", rounds.publish_round, round_=stray, by=district, now=NOW)


# ---- what a call can't do without -----------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"notice_text": "  \n"}, "notice_text_missing"), ({"submission_deadline": None}, "deadline_missing")],
)
def test_a_call_without_text_or_deadline_is_not_published(world, changes, code):
    made = worlds.round_of(world, publish=False)
    by = world.people["CITY_INDUSTRY"]
    made = rounds.edit_round(round_=made, version=made.version, changes=changes, by=by, now=NOW)
    refused(code, rounds.publish_round, round_=made, by=by, now=NOW)
    made.refresh_from_db()
    assert made.published_at is None


# ---- what a recommendation still lacks ------------------------------------------------------


def test_who_recommends_without_an_order_or_a_sealed_scan_is_warned_and_may(
    world, client, settings, tmp_path
):
    settings.STORAGES["default"]["OPTIONS"]["location"] = tmp_path
    made, by = worlds.round_of(world, worlds.CHONGQING_FACTORY), world.people["DISTRICT_INDUSTRY"]
    there = worlds.advance(world, worlds.handed_in(world, made), "district-review")
    authority = world.authorities["DISTRICT_INDUSTRY"]
    client.force_login(by)

    def page():
        return client.get(f"/reviews/applications/{there.code}/").content.decode()

    assert "的推荐名单" not in page()  # a first review is no recommendation
    there = worlds.advance(world, there, "district-recommendation")
    assert "綦江区经信委的推荐名单还没有保存排序，还没有上传盖章扫描件" in page()
    put_in_order(round_=made, authority=authority, codes=[there.code], by=by, now=NOW)
    assert "綦江区经信委的推荐名单还没有上传盖章扫描件" in page()
    add_document(
        round_=made, authority=authority, kind="recommendation", file_name="推荐.pdf", content=worlds.PDF,
        is_public=False, by=by, now=NOW,
    )  # fmt: skip
    assert "的推荐名单" not in page()
    assert worlds.act(world, there, "DISTRICT_INDUSTRY", Action.AGREE).stage == "conformity-check"


# ---- by when those below report -------------------------------------------------------------


def test_applicants_are_through_by_the_day_on_which_the_district_reports(world):
    made = worlds.round_of(world, worlds.CHONGQING_FACTORY, deadline=REPORTED_BY, publish=False)
    by = world.people["CITY_INDUSTRY"]
    later = {"submission_deadline": REPORTED_BY + timedelta(days=1)}
    refused(
        "deadline_after_report", rounds.edit_round, round_=made, version=made.version, changes=later, by=by,
        now=NOW,
    )  # fmt: skip
    [day] = queries.reporting_days(round_=made)
    assert (day.on, day.stage) == (REPORTED_BY, "district-recommendation")


def test_a_day_that_was_over_before_the_round_was_opened_binds_nobody(world):
    assert queries.reporting_days(round_=worlds.round_of(world, worlds.CHONGQING)) == []


def test_the_district_has_its_own_day_in_its_tasks_and_is_reminded_of_it(world):
    made = worlds.round_of(world, worlds.CHONGQING_FACTORY, deadline=date(2026, 7, 10))
    there = worlds.handed_in(world, made)
    there.refresh_from_db()
    assert there.due_on == REPORTED_BY
    [group] = tasks_of(user=world.people["DISTRICT_INDUSTRY"], on=local_day(NOW))
    assert [task.due_on for task in group.tasks] == [REPORTED_BY]

    near = NOW + timedelta(days=21)
    assert messages.remind(by=operator(), now=near).applications > 0
    told = Message.objects.filter(to=world.people["DISTRICT_INDUSTRY"])
    assert [REPORTED_BY.isoformat() in message.text for message in told] == [True]


def test_the_consultation_keeps_its_shorter_time(world):
    made = worlds.round_of(world, worlds.CHONGQING_FACTORY)
    there = worlds.advance(world, worlds.handed_in(world, made), "consultation")
    assert there.due_on == date(2026, 7, 8)
    there = worlds.advance(world, there, "conformity-check")
    assert there.due_on is None


def test_both_days_are_shown_by_their_names(world, client, monkeypatch):
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)
    made = worlds.round_of(world, worlds.CHONGQING_FACTORY, deadline=date(2026, 7, 10))
    client.force_login(world.people["CITY_INDUSTRY"])
    for address in (f"/reviews/rounds/{made.pk}/", reverse("portal:call", args=[made.pk])):
        page = client.get(address).content.decode()
        assert "申报单位报送截止</dt><dd>2026-07-10" in page
        assert "下级上报截止</dt><dd>2026-07-24，区县经信部门通过平台报送" in page
    form = client.get(f"/reviews/rounds/{made.pk}/edit/").content.decode()
    assert "最迟与下级上报同日（区县经信部门通过平台报送：2026-07-24）" in form
    text = "\n".join(
        p.text for p in Document(io.BytesIO(call_notice(documents.call(round_=made)))).paragraphs
    )
    assert "请申报单位于2026年7月10日前报送。" in text
    assert "区县经信部门通过平台报送的截止日期为2026年7月24日。" in text


def test_the_page_offers_each_authority_only_what_it_may_open(world, client):
    offered = {}
    for person in ("CITY_INDUSTRY", "PROVINCE_INDUSTRY", "DISTRICT_INDUSTRY", "CITY_ENVIRONMENT"):
        client.force_login(world.people[person])
        answer = client.get("/reviews/rounds/open/")
        shown = answer.context["form"].fields["edition"].choices if answer.status_code == 200 else []
        offered[person] = {edition.split("-")[0] for edition, _ in shown}
    assert offered == {
        "CITY_INDUSTRY": {"chongqing"}, "PROVINCE_INDUSTRY": {"guangdong"}, "DISTRICT_INDUSTRY": set(),
        "CITY_ENVIRONMENT": set(),
    }  # fmt: skip


def late_by_a_day(world):
    made = worlds.round_of(world, worlds.CHONGQING_FACTORY)
    there = worlds.advance(world, worlds.handed_in(world, made), "district-recommendation")
    return made, there, NOW + (REPORTED_BY - local_day(NOW)) + timedelta(days=1)


def test_a_recommendation_on_the_last_day_is_in_time(world):
    _, there, late = late_by_a_day(world)
    then = worlds.act(world, there, "DISTRICT_INDUSTRY", Action.AGREE, now=late - timedelta(days=1))
    assert then.stage == "conformity-check"


def test_a_recommendation_after_it_is_refused_and_nothing_moves(world):
    _, there, late = late_by_a_day(world)
    refused(
        "reported_too_late", worlds.act, world=world, application=there, role="DISTRICT_INDUSTRY",
        action=Action.AGREE, now=late,
    )  # fmt: skip
    assert Application.objects.get(pk=there.pk).stage == "district-recommendation"
    # a return or a rejection is no report
    assert worlds.act(world, there, "DISTRICT_INDUSTRY", Action.RETURN, now=late).stage == "self-check"


@pytest.mark.parametrize("whose", ["DISTRICT_INDUSTRY", "applicant"])
def test_with_leave_and_a_reason_it_is_admitted_late(world, whose):
    made, there, late = late_by_a_day(world)
    admitted: Organisation = world.works if whose == "applicant" else world.authorities[whose]
    rounds.admit_late(
        round_=made, organisation=admitted, until=local_day(late), reason="平台故障", by=world.people["CITY_INDUSTRY"],
        now=late,
    )  # fmt: skip
    then = worlds.act(world, there, "DISTRICT_INDUSTRY", Action.AGREE, now=late)
    assert then.stage == "conformity-check"
    assert then.acts.order_by("-seq").first().details["late_reason"] == "平台故障"


def test_leave_for_another_district_or_that_is_over_admits_nobody(world):
    made, there, late = late_by_a_day(world)
    by = world.people["CITY_INDUSTRY"]
    for key, until in (("OTHER_DISTRICT_INDUSTRY", late), ("DISTRICT_INDUSTRY", late - timedelta(days=1))):
        rounds.admit_late(
            round_=made, organisation=world.authorities[key], until=local_day(until), reason="平台故障", by=by,
            now=late - timedelta(days=1),
        )  # fmt: skip
    refused(
        "reported_too_late", worlds.act, world=world, application=there, role="DISTRICT_INDUSTRY",
        action=Action.AGREE, now=late,
    )  # fmt: skip
