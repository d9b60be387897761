"""Tasks, counters, messages, reminders, hand-overs: computed, told once, and each to the right person."""

import json
from datetime import date, timedelta
from types import SimpleNamespace

import pytest
from click.testing import CliRunner
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.conftest import NOW
from tests.rooms.reviews import world as worlds
from wufei.registry.models import RoleAssignment
from wufei.registry.queries import NotPermitted
from wufei.registry.services import operator
from wufei.reviews.cli import round_group
from wufei.reviews.models import Application, Assignment, ChangeReport, Message, Objection, Title
from wufei.reviews.queries import messages as message_queries
from wufei.reviews.queries.tasks import counts, tasks_of
from wufei.reviews.refusals import ReviewRefused
from wufei.reviews.services import messages
from wufei.reviews.tasks import mail_messages

TODAY = date(2026, 7, 1)


@pytest.fixture
def world(db):
    return worlds.build()


@pytest.fixture(autouse=True)
def today_is_the_first_of_july(monkeypatch):
    from django.utils import timezone

    monkeypatch.setattr(timezone, "now", lambda: NOW)


def to_do(world, person: str, on: date = TODAY) -> dict[str, int]:
    groups = tasks_of(user=world.people[person], on=on)
    assert sum(group.count for group in groups) == counts(user=world.people[person], on=on).tasks
    return {group.kind.value: group.count for group in groups}


def client_of(world, person: str) -> Client:
    client = Client()
    client.force_login(world.people[person])
    return client


def test_a_case_is_on_the_list_of_whoever_has_to_act_and_on_no_others(world):
    application = worlds.handed_in(world, worlds.round_of(world))
    busy = {name for name in world.people if to_do(world, name)}
    assert busy == {
        "DISTRICT_INDUSTRY", "DISTRICT_INDUSTRY_2", "DISTRICT_ENVIRONMENT", "DISTRICT_ENVIRONMENT_2",
    }  # fmt: skip
    worlds.act(world, application, "DISTRICT_INDUSTRY", "AGREE")
    assert (to_do(world, "DISTRICT_INDUSTRY"), to_do(world, "DISTRICT_ENVIRONMENT")) == ({}, {"DECIDE": 1})
    worlds.act(world, application, "DISTRICT_ENVIRONMENT", "DISAGREE")
    assert (to_do(world, "DISTRICT_ENVIRONMENT"), to_do(world, "CITY_INDUSTRY")) == ({}, {"SETTLE": 1})
    worlds.act(world, application, "DISTRICT_INDUSTRY", "RETURN")
    assert (to_do(world, "applicant"), to_do(world, "CITY_INDUSTRY")) == ({"CORRECT": 1}, {})
    worlds.handed_in(world, application.round)
    assert to_do(world, "DISTRICT_INDUSTRY") == {"DECIDE": 1}, (
        "what was said before the return no longer counts"
    )


def test_an_approval_is_not_on_the_list_of_who_recommended(world):
    worlds.advance(world, worlds.handed_in(world, worlds.round_of(world)), "ministry-decision")
    assert (to_do(world, "CITY_INDUSTRY"), to_do(world, "CITY_INDUSTRY_2")) == ({}, {"DECIDE": 1})


def test_scoring_and_replying_are_on_the_lists_of_experts_and_departments(world):
    application = worlds.handed_in(world, worlds.round_of(world, worlds.CHONGQING_FACTORY))
    application = worlds.advance(world, application, "consultation")
    asked = application.consultations.create(
        stage="consultation", department="税务", authority=world.authorities["DISTRICT_TAX"], asked_at=NOW,
        asked_by=world.people["DISTRICT_INDUSTRY"], due_on=TODAY - timedelta(days=1),
    )  # fmt: skip
    assert to_do(world, "DISTRICT_TAX") == {"REPLY": 1}
    assert tasks_of(user=world.people["DISTRICT_TAX"], on=TODAY)[0].tasks[0].is_overdue
    asked.closed_unanswered_at = NOW
    asked.save()
    assert to_do(world, "DISTRICT_TAX") == {}
    Application.objects.filter(pk=application.pk).update(stage="expert-review")
    Assignment.objects.create(
        application=application, expert=world.experts[0], stage="expert-review", assigned_at=NOW,
        assigned_by=world.people["CITY_INDUSTRY"],
    )  # fmt: skip
    assert (to_do(world, "expert1"), to_do(world, "expert2")) == ({"SCORE": 1}, {})


def test_a_notice_that_is_over_and_an_objection_are_the_round_authoritys(world):
    made = worlds.round_of(world, worlds.CHONGQING_FACTORY)
    application = worlds.advance(world, worlds.handed_in(world, made), "public-notice")
    assert to_do(world, "CITY_INDUSTRY") == {"DECIDE": 1}, "to be put into a notice"
    stage = next(s for s in worlds.policy_queries.edition(made.edition).stages if s.id == "public-notice")
    item = worlds.noticed(world, application, stage)
    worlds.act(world, application, "CITY_INDUSTRY", "PUBLISH")
    assert to_do(world, "CITY_INDUSTRY", TODAY - timedelta(days=1)) == {}, "it still runs"
    assert to_do(world, "CITY_INDUSTRY") == {"NOTICE": 1}
    Objection.objects.create(
        item=item, code="Y1", objector_name="某某", objector_contact="电话", words="不实", received_at=NOW
    )
    assert to_do(world, "CITY_INDUSTRY") == {"NOTICE": 1, "OBJECTION": 1}
    assert to_do(world, "PROVINCE_INDUSTRY") == {}


def test_the_page_shows_the_notice_that_is_over_and_the_objection_and_leads_to_both(world):
    made = worlds.round_of(world, worlds.CHONGQING_FACTORY)
    application = worlds.advance(world, worlds.handed_in(world, made), "public-notice")
    stage = next(s for s in worlds.policy_queries.edition(made.edition).stages if s.id == "public-notice")
    item = worlds.noticed(world, application, stage)
    worlds.act(world, application, "CITY_INDUSTRY", "PUBLISH")
    objection = Objection.objects.create(
        item=item, code="Y1", objector_name="某某", objector_contact="电话", words="不实", received_at=NOW
    )
    page = client_of(world, "CITY_INDUSTRY").get(reverse("reviews:tasks"))
    shown = {
        group.kind.value: [(task.subject, task.what, task.due_on, address) for task, address in tasks]
        for _heading, group, tasks in page.context["groups"]
    }
    assert shown == {
        "OBJECTION": [(item.name_shown, "Y1", None, reverse("reviews:objection", args=["Y1"]))],
        "NOTICE": [
            (item.notice.title, made.title, item.notice.ends_on, reverse("reviews:notice", args=[item.notice_id]))
        ],
    }  # fmt: skip
    said = page.content.decode()
    for expected in ("异议，待处理", "公示期满，待办结", item.name_shown, item.notice.title):
        assert expected in said
    other = client_of(world, "DISTRICT_INDUSTRY").get(reverse("reviews:tasks"))
    assert (other.context["total"], item.name_shown in other.content.decode()) == (0, False)
    Objection.objects.filter(pk=objection.pk).update(
        decision="DISMISSED",
        decision_words="查无实据",
        decided_at=NOW,
        decided_by=world.people["CITY_INDUSTRY"],
    )
    kinds = [
        g.kind
        for _h, g, _t in client_of(world, "CITY_INDUSTRY").get(reverse("reviews:tasks")).context["groups"]
    ]
    assert kinds == ["NOTICE"], "what is decided is no task"


def test_a_change_goes_through_the_district_to_who_gave_the_title(world):
    title = Title.objects.create(
        edition=worlds.CHONGQING_FACTORY, name="绿色工厂", level="CITY", year=2025, number="1", organisation=world.works,
        name_given=world.works.name, authority=world.authorities["CITY_INDUSTRY"], granted_on=date(2025, 1, 1),
    )  # fmt: skip
    report = ChangeReport.objects.create(
        title=title, kind="RENAME", completed_on=TODAY, due_on=TODAY, reported_at=NOW,
        reported_by=world.people["applicant"],
    )  # fmt: skip
    assert (to_do(world, "DISTRICT_INDUSTRY"), to_do(world, "CITY_INDUSTRY")) == ({"CHANGE": 1}, {})
    assert to_do(world, "OTHER_DISTRICT_INDUSTRY") == {}
    ChangeReport.objects.filter(pk=report.pk).update(state="DISTRICT_AGREED")
    assert (to_do(world, "DISTRICT_INDUSTRY"), to_do(world, "CITY_INDUSTRY")) == ({}, {"CHANGE": 1})


def test_the_frame_counts_what_the_list_shows(world):
    made = worlds.round_of(world)
    for name in ("甲", "乙"):
        worlds.handed_in(world, made, worlds.applicant(world, f"{name}厂"))
    page = client_of(world, "DISTRICT_INDUSTRY").get(reverse("reviews:tasks"))
    assert page.context["total"] == 2
    assert [task.subject for task, _ in page.context["groups"][0][2]] == ["甲厂", "乙厂"]
    entry = next(link for link in page.context["shell"].groups[0].entries if link.label == "待办")
    assert entry.count == 2


@pytest.mark.parametrize("person", ["DISTRICT_INDUSTRY", "applicant", "expert1", "nobody"])
def test_the_counter_takes_three_queries_at_most(world, person, django_assert_max_num_queries):
    worlds.handed_in(world, worlds.round_of(world))
    with django_assert_max_num_queries(3):
        counts(user=world.people[person], on=TODAY)


def test_the_list_takes_the_same_queries_for_one_and_for_three(world):
    made = worlds.round_of(world)
    client = client_of(world, "DISTRICT_INDUSTRY")

    def asked() -> int:
        with CaptureQueriesContext(connection) as caught:
            assert client.get(reverse("reviews:tasks")).status_code == 200
        return len(caught)

    worlds.handed_in(world, made)
    asked()
    before = asked()
    for name in "乙丙":
        worlds.handed_in(world, made, worlds.applicant(world, f"{name}厂"))
    assert asked() == before


# ---- messages --------------------------------------------------------------------------------


def test_messages_are_read_by_their_owner_alone(world):
    worlds.act(world, worlds.handed_in(world, worlds.round_of(world)), "DISTRICT_INDUSTRY", "RETURN")
    message = Message.objects.get()
    assert message.to == world.people["applicant"]
    assert counts(user=world.people["applicant"], on=TODAY).unread == 1
    address = reverse("reviews:read-message", args=[message.pk])
    assert client_of(world, "DISTRICT_INDUSTRY").post(address).status_code == 404
    with pytest.raises(NotPermitted):
        messages.mark_read(message=message, by=world.people["nobody"], now=NOW)
    assert client_of(world, "applicant").post(address).headers["Location"] == message.link
    assert message.link == reverse("reviews:application", args=[Application.objects.get().code])
    message.refresh_from_db()
    assert message.read_at == NOW
    assert counts(user=world.people["applicant"], on=TODAY).unread == 0


def test_who_settles_is_told_when_a_stage_becomes_contested(world):
    application = worlds.handed_in(world, worlds.round_of(world))
    worlds.act(world, application, "DISTRICT_INDUSTRY", "AGREE")
    worlds.act(world, application, "DISTRICT_ENVIRONMENT", "DISAGREE")
    told = Message.objects.filter(subject__startswith="意见不一致").values_list("to__username", flat=True)
    assert set(told) == {"CITY_INDUSTRY", "CITY_INDUSTRY_2"}


def test_messages_are_mailed_after_the_commit_where_mail_is_set_up(
    world, settings, django_capture_on_commit_callbacks, monkeypatch
):
    sent: list[list[int]] = []
    worker = SimpleNamespace(enqueue=sent.append)
    monkeypatch.setattr("wufei.reviews.tasks.mail_messages", worker)
    application = worlds.handed_in(world, worlds.round_of(world))
    with django_capture_on_commit_callbacks(execute=True):
        worlds.act(world, application, "DISTRICT_INDUSTRY", "RETURN")
    assert sent == []
    settings.MAIL_IS_ON, settings.SITE_ADDRESS = True, "https://wufei.example"
    worlds.handed_in(world, application.round)
    with django_capture_on_commit_callbacks(execute=True):
        worlds.act(world, application, "DISTRICT_INDUSTRY", "RETURN")
        assert sent == [], "nothing leaves before the commit"
    assert len(sent) == 1
    assert mail_messages.call(sent[0]) == 1
    assert mail.outbox[0].to == ["applicant@example.com"]
    assert f"https://wufei.example{Message.objects.latest('pk').link}" in mail.outbox[0].body


# ---- reminders -------------------------------------------------------------------------------


def test_each_is_reminded_once_before_and_once_after(world):
    application = worlds.handed_in(world, worlds.round_of(world, deadline=TODAY + timedelta(days=2)))
    Application.objects.filter(pk=application.pk).update(due_on=TODAY + timedelta(days=2))
    first = messages.remind(by=operator(), now=NOW)
    assert (first.applications, first.deadlines) == (4, 0)
    assert messages.remind(by=operator(), now=NOW).total == 0
    after = messages.remind(by=operator(), now=NOW + timedelta(days=3))
    assert after.applications == 4
    assert messages.remind(by=operator(), now=NOW + timedelta(days=4)).total == 0
    told = Message.objects.filter(subject__startswith="已超过办理期限").values_list("to__username", flat=True)
    assert set(told) == {
        "DISTRICT_INDUSTRY", "DISTRICT_INDUSTRY_2", "DISTRICT_ENVIRONMENT", "DISTRICT_ENVIRONMENT_2",
    }  # fmt: skip
    with pytest.raises(NotPermitted):
        messages.remind(by=world.people["CITY_INDUSTRY"], now=NOW)


def test_who_has_a_draft_is_reminded_before_the_deadline(world):
    worlds.round_of(world, deadline=TODAY + timedelta(days=2))
    worlds.ready_case(world, world.works)
    done = CliRunner().invoke(round_group, ["remind", "--json"])
    assert (done.exit_code, json.loads(done.output)["deadlines"]) == (0, 1)
    assert message_queries.inbox(user=world.people["applicant"]).get().subject.startswith("报送即将截止")
    assert json.loads(CliRunner().invoke(round_group, ["remind", "--json"]).output)["reminded"] == 0


# ---- hand-over -------------------------------------------------------------------------------


def delegated(world, deputy: str = "DISTRICT_INDUSTRY_2", **said):
    principal = world.people["DISTRICT_INDUSTRY"]
    defaults = {"from_day": TODAY, "to_day": TODAY + timedelta(days=2), "reason": "出差", "by": principal}
    return messages.delegate(principal=principal, deputy=world.people[deputy], now=NOW, **(defaults | said))


@pytest.mark.parametrize(
    ("deputy", "said", "code"),
    [
        ("CITY_INDUSTRY", {}, "not_a_colleague"),
        ("DISTRICT_INDUSTRY", {}, "not_a_colleague"),
        ("applicant", {}, "not_a_colleague"),
        ("DISTRICT_INDUSTRY_2", {"to_day": TODAY - timedelta(days=1)}, "days_reversed"),
        (
            "DISTRICT_INDUSTRY_2",
            {"from_day": date(2026, 1, 1), "to_day": date(2026, 2, 1)},
            "deadline_in_past",
        ),
        ("DISTRICT_INDUSTRY_2", {"to_day": date(2028, 1, 1)}, "delegation_too_long"),
    ],
)
def test_a_hand_over_that_makes_no_sense_is_refused(world, deputy, said, code):
    with pytest.raises(ReviewRefused) as refused:
        delegated(world, deputy, **said)
    assert refused.value.code == code


def test_a_deputy_has_the_principals_tasks_for_those_days(world):
    works = world.works
    worlds.handed_in(world, worlds.round_of(world), works)
    deputy = worlds.person("deputy")
    world.people["deputy"] = deputy
    role = RoleAssignment.objects.create(
        user=deputy, organisation=world.authorities["DISTRICT_INDUSTRY"], role="AUTHORITY_OFFICER"
    )
    row = delegated(world, "deputy")
    role.delete()
    assert (to_do(world, "deputy"), to_do(world, "deputy", TODAY + timedelta(days=3))) == ({"DECIDE": 1}, {})
    with pytest.raises(ReviewRefused):
        delegated(world, "DISTRICT_INDUSTRY_2")
    assert (
        client_of(world, "nobody").post(reverse("reviews:end-delegation", args=[row.pk])).status_code == 404
    )
    assert client_of(world, "DISTRICT_INDUSTRY").post(
        reverse("reviews:end-delegation", args=[row.pk])
    ).status_code == 302  # fmt: skip
    assert to_do(world, "deputy") == {}


def test_tasks_are_handed_over_on_the_page(world):
    said = {
        "deputy": world.people["DISTRICT_INDUSTRY_2"].pk,
        "from_day": "2026-07-01",
        "to_day": "2026-07-03",
    }
    client = client_of(world, "DISTRICT_INDUSTRY")
    assert client.post(reverse("reviews:delegations"), said).status_code == 302
    assert "收回" in client.get(reverse("reviews:delegations")).content.decode()
    wrong = said | {"deputy": world.people["CITY_INDUSTRY"].pk}
    assert client.post(reverse("reviews:delegations"), wrong).status_code == 422
