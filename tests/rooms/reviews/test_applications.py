"""Applications: who sees which, what may be done, what an applicant is told, and many at once."""

import random
import threading
from datetime import date, timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.conftest import NOW
from tests.rooms.api.world import Api, token
from tests.rooms.reviews import world as worlds
from wufei.cases.models import Case
from wufei.policies import queries as policy_queries
from wufei.registry.models import AuditEntry, RoleAssignment
from wufei.reviews import stages
from wufei.reviews.models import Act, Application, Batch, QuotaUse
from wufei.reviews.queries import applications as queries
from wufei.reviews.queries import tasks as task_queries
from wufei.reviews.queries.applications import Audience, Wanted
from wufei.reviews.queries.applications_seen import held_roles, visible
from wufei.reviews.refusals import ReviewRefused
from wufei.reviews.services import batches, deciding, messages
from wufei.reviews.services.deciding import Said
from wufei.reviews.stages import Action
from wufei.reviews.tasks import run_batch

TODAY = date(2026, 7, 1)


@pytest.fixture
def world(db):
    return worlds.build()


@pytest.fixture(autouse=True)
def today_is_the_first_of_july(monkeypatch, tmp_path, settings):
    from django.utils import timezone

    monkeypatch.setattr(timezone, "now", lambda: NOW)
    described = {**settings.STORAGES["default"], "OPTIONS": {"location": tmp_path}}
    settings.STORAGES = {**settings.STORAGES, "default": described}


def client_of(world, person: Any) -> Client:
    client = Client()
    client.force_login(world.people[person] if isinstance(person, str) else person)
    return client


def page(application: Application) -> str:
    return reverse("reviews:application", args=[application.code])


def seen_by(world) -> set[str]:
    """Return who sees something, by asking the one rule for everybody."""
    return {name for name, user in world.people.items() if visible(user=user, on=TODAY).exists()}


# ---- who sees which --------------------------------------------------------------------------

OF_THE_DISTRICT = {
    "DISTRICT_INDUSTRY",
    "DISTRICT_ENVIRONMENT",
    "DISTRICT_INDUSTRY_2",
    "DISTRICT_ENVIRONMENT_2",
}
OF_THE_CITY = {"CITY_INDUSTRY", "CITY_ENVIRONMENT", "CITY_INDUSTRY_2", "CITY_ENVIRONMENT_2"}


@pytest.mark.parametrize(
    ("stage", "also"),
    [
        ("district-recommendation", set()),
        ("site-check", set()),
        ("city-experts", OF_THE_CITY),
        ("provincial-recommendation", OF_THE_CITY),
        ("ministry-decision", OF_THE_CITY),
    ],
)
def test_an_officer_sees_an_application_from_its_levels_first_stage_on(world, stage, also):
    application = worlds.handed_in(world, worlds.round_of(world))
    worlds.advance(world, application, stage)
    assert seen_by(world) == {"applicant"} | OF_THE_DISTRICT | also


def test_who_settles_sees_what_is_contested_and_not_before(world):
    application = worlds.handed_in(world, worlds.round_of(world))
    worlds.act(world, application, "DISTRICT_INDUSTRY", "AGREE")
    assert not seen_by(world) & OF_THE_CITY
    worlds.act(world, application, "DISTRICT_ENVIRONMENT", "DISAGREE")
    assert seen_by(world) & OF_THE_CITY == {"CITY_INDUSTRY", "CITY_INDUSTRY_2"}


def test_what_was_returned_is_still_seen_by_who_returned_it(world):
    application = worlds.handed_in(world, worlds.round_of(world))
    worlds.act(world, application, "DISTRICT_INDUSTRY", "RETURN")
    both = {f"DISTRICT_{branch}{which}" for branch in ("INDUSTRY", "ENVIRONMENT") for which in ("", "_2")}
    assert seen_by(world) == {"applicant"} | both


def test_a_consulted_department_sees_what_it_is_asked_about(world):
    application = worlds.handed_in(world, worlds.round_of(world, worlds.CHONGQING_FACTORY))
    application = worlds.advance(world, application, "consultation")
    assert "DISTRICT_TAX" not in seen_by(world)
    application.consultations.create(
        stage="consultation", department="税务", authority=world.authorities["DISTRICT_TAX"], asked_at=NOW,
        asked_by=world.people["DISTRICT_INDUSTRY"], due_on=TODAY,
    )  # fmt: skip
    assert seen_by(world) & {"DISTRICT_TAX", "DISTRICT_MARKET"} == {"DISTRICT_TAX"}


def test_others_find_nothing_on_any_page_of_an_application(world):
    application = worlds.handed_in(world, worlds.round_of(world))
    for person in (
        "OTHER_DISTRICT_INDUSTRY",
        "CITY_INDUSTRY",
        "expert1",
        "agency",
        "administrator",
        "nobody",
    ):
        client = client_of(world, person)
        assert client.get(page(application)).status_code == 404, person
        assert client.get(page(application) + "case-file/").status_code == 404, person
        assert client.post(page(application) + "decide/", {"act": "AGREE:"}).status_code == 404, person
        assert client.post(page(application) + "pass-on/").status_code == 404, person
    assert Act.objects.count() == 1


# ---- the list --------------------------------------------------------------------------------


def codes(client: Client, round_: Any, **asked: str) -> list[str]:
    answer = client.get(reverse("reviews:applications", args=[round_.pk]), asked)
    return [row.application.code for row in answer.context["rows"]]


def test_the_list_filters_searches_and_sorts(world):
    made = worlds.round_of(world)
    first = worlds.handed_in(world, made)
    second = worlds.advance(
        world,
        worlds.handed_in(world, made, worlds.applicant(world, "渝北乙厂", worlds.OTHER_DISTRICT)),
        "city-experts",
    )
    third = worlds.advance(
        world, worlds.handed_in(world, made, worlds.applicant(world, "丙厂")), "provincial-recommendation"
    )
    Application.objects.filter(pk=second.pk).update(due_on=TODAY - timedelta(days=1))
    city, district = client_of(world, "CITY_INDUSTRY"), client_of(world, "DISTRICT_INDUSTRY")
    assert codes(district, made) == [first.code, third.code]
    assert codes(city, made) == [second.code, third.code]
    assert codes(city, made, sort="-code") == [third.code, second.code]
    assert codes(city, made, text="渝北") == codes(city, made, only="overdue") == [second.code]
    assert codes(city, made, text=third.code) == [third.code]
    assert codes(city, made, district=worlds.DISTRICT) == [third.code]
    assert codes(city, made, stage="city-experts") == [second.code]
    assert codes(city, made, outcome="RECOGNISED") == codes(city, made, only="contested") == []
    assert codes(client_of(world, "applicant"), made) == []


def test_the_list_takes_the_same_queries_for_one_and_for_three(world):
    made = worlds.round_of(world)
    client = client_of(world, "DISTRICT_INDUSTRY")
    address = reverse("reviews:applications", args=[made.pk])

    def asked() -> int:
        with CaptureQueriesContext(connection) as caught:
            assert client.get(address).status_code == 200
        return len(caught)

    worlds.handed_in(world, made)
    asked()
    before = asked()
    for name in "乙丙":
        worlds.handed_in(world, made, worlds.applicant(world, f"{name}厂"))
    assert asked() == before


def test_the_list_is_exported_as_it_is_filtered(world):
    made = worlds.round_of(world)
    worlds.handed_in(world, made)
    answer = client_of(world, "DISTRICT_INDUSTRY").get(
        reverse("reviews:applications", args=[made.pk]), {"export": "xlsx"}
    )
    assert answer.headers["Content-Type"].endswith("spreadsheetml.sheet")
    assert answer.content.startswith(b"PK")


# ---- what is done ----------------------------------------------------------------------------


def test_a_page_offers_what_the_stage_offers_the_reader_and_nothing_else(world):
    application = worlds.handed_in(world, worlds.round_of(world))
    offered = client_of(world, "DISTRICT_INDUSTRY").get(page(application)).context["offers"]
    assert [(each.offer.role, [a for a, _ in each.buttons]) for each in offered] == [
        ("DISTRICT_INDUSTRY", ["RETURN", "AGREE", "DISAGREE"])
    ]
    worlds.advance(world, application, "city-experts")
    assert client_of(world, "DISTRICT_INDUSTRY").get(page(application)).context["offers"] == []


def test_an_opinion_is_kept_with_its_ticks_comments_and_files(world):
    application = worlds.handed_in(world, worlds.round_of(world))
    criterion = policy_queries.edition(worlds.CHONGQING).criteria[0].id
    said = {
        "act": "AGREE:DISTRICT_INDUSTRY", "version": application.version, "words": "同意推荐。",
        f"tick-{criterion}": "YES", f"comment-{criterion}": "已核对台账。", "comment-practices": "写得清楚。",
        "documents": SimpleUploadedFile("意见.pdf", worlds.PDF),
    }  # fmt: skip
    answer = client_of(world, "DISTRICT_INDUSTRY").post(page(application) + "decide/", said)
    assert answer.status_code == 302
    act = Act.objects.get(seq=2)
    assert (act.action, act.role, act.words) == ("AGREE", "DISTRICT_INDUSTRY", "同意推荐。")
    assert act.comments == {criterion: "已核对台账。", "practices": "写得清楚。"}
    assert act.details["checklist"] == {criterion: {"tick": "YES", "words": "已核对台账。"}}
    document = act.documents.get()
    address = reverse("reviews:act-document", args=[application.code, document.pk])
    assert b"".join(client_of(world, "DISTRICT_ENVIRONMENT").get(address).streaming_content) == worlds.PDF
    assert client_of(world, "applicant").get(address).status_code == 404
    shown = client_of(world, "DISTRICT_ENVIRONMENT").get(page(application)).content.decode()
    assert "已核对台账。" in shown
    assert "尚未表态" in shown


def test_who_comes_second_gets_409_and_keeps_what_was_typed(world):
    application = worlds.handed_in(world, worlds.round_of(world))
    said = {"act": "AGREE:DISTRICT_INDUSTRY", "version": application.version, "words": "我的长篇意见"}
    assert client_of(world, "DISTRICT_INDUSTRY").post(page(application) + "decide/", said).status_code == 302
    late = said | {"act": "DISAGREE:DISTRICT_ENVIRONMENT"}
    answer = client_of(world, "DISTRICT_ENVIRONMENT").post(page(application) + "decide/", late)
    assert answer.status_code == 409
    assert "我的长篇意见" in answer.content.decode()
    assert Act.objects.count() == 2


def test_who_still_has_the_page_of_a_case_that_was_returned_gets_409_and_keeps_its_words(world):
    application = worlds.handed_in(world, worlds.round_of(world))
    client = client_of(world, "DISTRICT_ENVIRONMENT")
    client.get(page(application))
    worlds.act(world, application, "DISTRICT_INDUSTRY", Action.RETURN, words="缺少台账。")
    said = {
        "act": "AGREE:DISTRICT_ENVIRONMENT", "version": application.version, "words": "写了很久的意见",
        "comment-practices": "写得清楚。",
    }  # fmt: skip
    answer = client.post(page(application) + "decide/", said)
    assert answer.status_code == 409
    read = answer.content.decode()
    for kept in ("写了很久的意见", "写得清楚。", "缺少台账。"):
        assert kept in read
    api = Api(token(world.people["DISTRICT_ENVIRONMENT"]))
    said = {"version": application.version, "action": "AGREE", "words": "写了很久的意见"}
    answer = api.post(f"/applications/{application.code}/acts", said)
    assert (answer.status_code, answer.json()["code"]) == (409, "stale")
    assert Act.objects.filter(action="AGREE").count() == 0


def test_what_was_returned_is_read_by_who_had_it_on_the_desk_and_by_nobody_else(world):
    """Read-only, as it was handed in; what is written since is its applicant's alone until handed in again."""
    application = worlds.handed_in(world, worlds.round_of(world))
    worlds.act(world, application, "DISTRICT_INDUSTRY", Action.RETURN, words="缺少台账。")
    case = application.case
    Case.objects.filter(pk=case.pk).update(practices="还没报送的草稿")
    client = client_of(world, "DISTRICT_ENVIRONMENT")
    answer = client.get(page(application))
    assert answer.status_code == 200
    assert not answer.context["offers"]
    assert "还没报送的草稿" not in answer.content.decode()
    assert client.get(reverse("cases:case", args=[world.works.uscc, case.pk])).status_code == 403
    for other in ("CITY_INDUSTRY", "OTHER_DISTRICT_ENVIRONMENT", "DISTRICT_TAX", "MINISTRY_INDUSTRY"):
        assert client_of(world, other).get(page(application)).status_code == 404, other


def test_the_same_side_agrees_once_and_may_change_its_mind_until_the_stage_is_settled(world):
    application = worlds.handed_in(world, worlds.round_of(world))
    worlds.act(world, application, "DISTRICT_INDUSTRY", Action.AGREE)
    for second in (False, True):  # nor a colleague for the same side
        with pytest.raises(ReviewRefused) as refused:
            worlds.act(world, application, "DISTRICT_INDUSTRY", Action.AGREE, second=second)
        assert refused.value.code == "already_decided"
    buttons = [b for each in offers_shown(world, application, "DISTRICT_INDUSTRY") for b, _ in each.buttons]
    assert buttons == ["RETURN", "DISAGREE"]
    worlds.act(world, application, "DISTRICT_INDUSTRY", Action.DISAGREE)
    worlds.act(world, application, "DISTRICT_INDUSTRY", Action.AGREE)
    worlds.act(world, application, "DISTRICT_ENVIRONMENT", Action.AGREE)
    application.refresh_from_db()
    assert application.stage == "site-check"


def test_nobody_agrees_first_or_recognises_without_a_word_on_what_decides(world):
    """Each condition, veto and indicator is judged, or the words say why not."""
    made = worlds.round_of(world, worlds.CHONGQING_FACTORY)
    application = worlds.handed_in(world, made)
    deciding_ones = [c.id for c in edition_of(made).criteria if c.decides]
    client = client_of(world, "DISTRICT_INDUSTRY")
    read = client.get(page(application))
    assert [key for key, _ in read.context["unjudged"]] == deciding_ones
    said = {"act": "AGREE:DISTRICT_INDUSTRY", "version": application.version}
    ticked = {f"tick-{key}": "YES" for key in deciding_ones}
    left_out = dict(list(ticked.items())[1:])
    answer = client.post(page(application) + "decide/", said | left_out)
    assert (answer.status_code, [key for key, _ in answer.context["unjudged"]]) == (422, deciding_ones[:1])
    assert "还有条款没有审查结论" in answer.content.decode()
    api = Api(token(world.people["DISTRICT_INDUSTRY"]))
    body = {"version": application.version, "action": "AGREE"}
    answer = api.post(f"/applications/{application.code}/acts", body)
    assert (answer.status_code, answer.json()["code"]) == (409, "checks_missing")
    answer = api.post(f"/applications/{application.code}/acts", body | {"checks": {"no-such": "YES"}})
    assert (answer.status_code, answer.json()["code"]) == (422, "request_malformed")
    assert client.post(page(application) + "decide/", said | ticked).status_code == 302

    application = worlds.advance(world, application, "decision")
    with pytest.raises(ReviewRefused) as refused:
        worlds.act(world, application, "CITY_INDUSTRY", Action.RECOGNISE, words="", second=True)
    assert refused.value.code == "checks_missing"
    words = "经审查符合认定条件。"
    said = worlds.act(world, application, "CITY_INDUSTRY", Action.RECOGNISE, words=words, second=True)
    assert said.outcome == "RECOGNISED"


def test_over_the_api_the_checks_stand_with_the_act(world):
    application = worlds.handed_in(world, worlds.round_of(world, worlds.CHONGQING_FACTORY))
    checks = {c.id: "DOUBT" for c in queries.edition_of(application).criteria if c.decides}
    api = Api(token(world.people["DISTRICT_INDUSTRY"]))
    body = {"version": application.version, "action": "AGREE", "checks": checks}
    assert api.post(f"/applications/{application.code}/acts", body).status_code == 201
    kept = Act.objects.get(action="AGREE").details["checklist"]
    assert {key: said["tick"] for key, said in kept.items()} == checks


def offers_shown(world, application, person):
    return client_of(world, person).get(page(application)).context["offers"]


def test_a_disagreement_is_shown_and_settled(world):
    application = worlds.handed_in(world, worlds.round_of(world))
    worlds.act(world, application, "DISTRICT_INDUSTRY", "AGREE")
    worlds.act(world, application, "DISTRICT_ENVIRONMENT", "DISAGREE", words="排放超标")
    city = client_of(world, "CITY_INDUSTRY")
    shown = city.get(page(application))
    assert "意见不一致，待协调" in shown.content.decode()
    assert [[a for a, _ in each.buttons] for each in shown.context["offers"]] == [
        ["SETTLE_FOR", "SETTLE_AGAINST"]
    ]
    said = {"act": "SETTLE_FOR:CITY_INDUSTRY", "version": 3, "words": "已整改"}
    assert city.post(page(application) + "decide/", said).status_code == 302
    application.refresh_from_db()
    assert (application.stage, application.contested) == ("site-check", False)


def test_a_return_leads_the_applicant_to_the_field_that_it_concerns(world):
    application = worlds.handed_in(world, worlds.round_of(world))
    said = {
        "act": "RETURN:DISTRICT_INDUSTRY", "version": application.version, "words": "请补充。",
        "comment-practices": "缺年份。",
    }  # fmt: skip
    client_of(world, "DISTRICT_INDUSTRY").post(page(application) + "decide/", said)
    shown = client_of(world, "applicant").get(page(application)).content.decode()
    field = reverse("cases:case", args=[world.works.uscc, application.case_id]) + "#field-practices"
    assert "缺年份。" in shown
    assert field in shown
    assert "重新报送" in shown
    assert messages.queries.inbox(user=world.people["applicant"]).get().subject.startswith("申报被退回补正")


def test_an_applicant_withdraws_and_gives_its_quota_back(world):
    made = worlds.round_of(world, worlds.GUANGDONG)
    works = worlds.applicant(world, "广州甲", worlds.PROVINCE_CITY)
    application = worlds.advance(world, worlds.handed_in(world, made, works), "provincial-recommendation")
    assert QuotaUse.objects.get().used == 1
    client = client_of(world, world.applicant_of(works))
    version = client.get(page(application)).context["told"].version
    said = {"act": "WITHDRAW:APPLICANT", "version": version, "words": "另行申报"}
    assert client.post(page(application) + "decide/", said).status_code == 302
    application.refresh_from_db()
    assert (application.outcome, QuotaUse.objects.get().used) == ("WITHDRAWN", 0)
    again = worlds.handed_in(world, made, works)
    worlds.advance(world, again, "provincial-recommendation")
    assert {(use.quota, use.used) for use in QuotaUse.objects.all()} == {("per-city", 1)}


def test_an_applicant_may_do_nothing_but_withdraw(world):
    application = worlds.handed_in(world, worlds.round_of(world))
    for action in set(Action) - {Action.WITHDRAW}:
        answer = client_of(world, "applicant").post(
            page(application) + "decide/", {"act": f"{action}:", "version": 1, "words": "x"}
        )
        assert answer.status_code == 404, action
    assert Act.objects.count() == 1


@pytest.mark.parametrize("action", sorted(deciding.HAS_OWN_SERVICE))
def test_what_has_a_service_of_its_own_is_not_done_by_an_act_alone(world, action):
    """A case can't be recognised as after a notice that nobody put up, nor handed in without being frozen."""
    made = worlds.round_of(world, worlds.CHONGQING_FACTORY)
    application = worlds.advance(world, worlds.handed_in(world, made), "public-notice")
    worlds.noticed(world, application, stages.stage_of(edition_of(made).stages, "public-notice"))
    if action in (Action.CONFIRM, Action.REMOVE):
        application = worlds.act(world, application, "CITY_INDUSTRY", Action.PUBLISH)
    with pytest.raises(ReviewRefused) as refused:
        deciding.decide(
            application=application, version=application.version, action=action, said=Said(words="意见"),
            by=world.people["CITY_INDUSTRY"], now=NOW,
        )  # fmt: skip
    assert refused.value.code == "action_has_own_service"
    assert Application.objects.get(pk=application.pk).version == application.version


def edition_of(round_):
    return policy_queries.edition(round_.edition)


# ---- what an applicant is told ---------------------------------------------------------------


def test_a_held_decision_is_nowhere_to_be_read_before_it_is_released(world):
    made = worlds.round_of(world)
    application = worlds.advance(world, worlds.handed_in(world, made), "provincial-recommendation")
    worlds.act(world, application, "CITY_ENVIRONMENT", "DISAGREE", words="机密理由甲")
    worlds.act(world, application, "CITY_INDUSTRY", "DISAGREE", words="机密理由乙")
    application.refresh_from_db()
    assert application.outcome == "NOT_SELECTED"

    client = client_of(world, "applicant")
    read = (
        client.get(page(application)).content.decode() + client.get(reverse("reviews:mine")).content.decode()
    )
    assert "等待推荐结果" in read
    for secret in ("机密理由", "未入围", "不同意", "择优推荐至两部"):
        assert secret not in read
    entries = AuditEntry.objects.filter(organisation=world.works).values_list("action", flat=True)
    assert not {"reviews.disagree", "reviews.agree"} & set(entries)
    assert not messages.queries.inbox(user=world.people["applicant"]).exists()

    worlds.act(world, application, "", Action.RELEASE, by=world.people["CITY_INDUSTRY"])
    read = client.get(page(application)).content.decode()
    assert "未入围" in read
    assert messages.queries.inbox(user=world.people["applicant"]).count() == 1


def test_single_votes_are_between_those_who_decide(world):
    application = worlds.handed_in(world, worlds.round_of(world))
    worlds.act(world, application, "DISTRICT_INDUSTRY", "DISAGREE", words="内部分歧")
    told = queries.timeline(application, Audience.APPLICANT)
    assert [entry.act.action for entry in told] == ["SUBMIT"]
    known = queries.timeline(application, Audience.OFFICER)
    assert [(entry.act.action, entry.words) for entry in known] == [("SUBMIT", ""), ("DISAGREE", "内部分歧")]
    assert "内部分歧" not in client_of(world, "applicant").get(page(application)).content.decode()


def test_the_reason_of_a_refusal_is_told(world):
    application = worlds.handed_in(world, worlds.round_of(world))
    worlds.act(world, application, "DISTRICT_INDUSTRY", "DISAGREE", words="甲")
    worlds.act(world, application, "DISTRICT_ENVIRONMENT", "DISAGREE", words="近三年有事故")
    read = client_of(world, "applicant").get(page(application)).content.decode()
    assert "不予推荐" in read
    assert "近三年有事故" in read


def test_the_applicants_list_takes_the_same_queries_for_one_and_for_three(world):
    client = client_of(world, "applicant")

    def asked() -> int:
        with CaptureQueriesContext(connection) as caught:
            assert client.get(reverse("reviews:mine")).status_code == 200
        return len(caught)

    worlds.handed_in(world, worlds.round_of(world, year=2024, deadline=date(2026, 8, 1)))
    asked()
    before = asked()
    for year in (2025, 2026):
        worlds.handed_in(world, worlds.round_of(world, year=year, deadline=date(2026, 8, 1)))
    assert asked() == before


# ---- a successor, one person one duty, a deputy ----------------------------------------------


def test_an_open_case_passes_to_the_successor_on_record(world):
    application = worlds.advance(world, worlds.handed_in(world, worlds.round_of(world)), "city-experts")
    heir = worlds.applicant(world, "承继公司")
    said = {"uscc": heir.uscc, "words": "吸收合并"}
    assert client_of(world, "CITY_INDUSTRY").post(page(application) + "pass-on/", said).status_code == 302
    application.refresh_from_db()
    assert application.organisation == heir
    assert client_of(world, world.applicant_of(heir)).get(page(application)).status_code == 200
    assert client_of(world, "applicant").get(page(application)).status_code == 404


def test_nobody_recommends_and_approves_the_same_case(world):
    """S7: also not as somebody's deputy."""
    application = worlds.advance(world, worlds.handed_in(world, worlds.round_of(world)), "ministry-decision")
    with pytest.raises(ReviewRefused) as refused:
        worlds.act(world, application, "CITY_INDUSTRY", "RECOGNISE")
    assert refused.value.code == "acted_before"
    messages.delegate(
        principal=world.people["CITY_INDUSTRY_2"], deputy=world.people["CITY_INDUSTRY"], from_day=TODAY, to_day=TODAY,
        reason="", by=world.people["CITY_INDUSTRY_2"], now=NOW,
    )  # fmt: skip
    with pytest.raises(ReviewRefused) as refused:
        worlds.act(world, application, "CITY_INDUSTRY", "RECOGNISE")
    assert refused.value.code == "acted_before"
    done = worlds.act(world, application, "CITY_INDUSTRY", "RECOGNISE", second=True)
    assert done.outcome == "RECOGNISED"


def test_who_decided_does_not_hand_in_again(world):
    application = worlds.handed_in(world, worlds.round_of(world))
    judge = world.people["DISTRICT_INDUSTRY"]
    RoleAssignment.objects.create(user=judge, organisation=world.works, role="ENVIRONMENT_OFFICER")
    worlds.act(world, application, "DISTRICT_INDUSTRY", "RETURN")
    locked = deciding.lock(Application.objects.get())
    with pytest.raises(ReviewRefused) as refused:
        deciding.submit_again(locked, locked.submission, policy_queries.edition(worlds.CHONGQING), judge, NOW)
    assert refused.value.code == "acted_before"


def test_a_deputy_acts_for_its_principal_and_both_stand_in_the_act(world):
    application = worlds.handed_in(world, worlds.round_of(world))
    principal, deputy = world.people["DISTRICT_INDUSTRY"], worlds.person("deputy")
    RoleAssignment.objects.create(
        user=deputy, organisation=world.authorities["DISTRICT_INDUSTRY"], role="AUTHORITY_OFFICER"
    )
    messages.delegate(
        principal=principal, deputy=deputy, from_day=TODAY, to_day=TODAY, reason="出差", by=principal, now=NOW
    )
    RoleAssignment.objects.filter(user=deputy).delete()  # what it may do, it may as a deputy alone
    shown = client_of(world, deputy).get(page(application))
    assert [each.offer.on_behalf_of for each in shown.context["offers"]] == [principal]
    said = {"act": "AGREE:DISTRICT_INDUSTRY", "version": 1, "words": "同意。"}
    assert client_of(world, deputy).post(page(application) + "decide/", said).status_code == 302
    act = Act.objects.get(seq=2)
    assert (act.by, act.on_behalf_of) == (deputy, principal)
    tomorrow = TODAY + timedelta(days=1)
    assert held_roles(user=deputy, on=tomorrow) == []
    assert not visible(user=deputy, on=tomorrow).exists()


# ---- many at once ----------------------------------------------------------------------------


def five(world, stage: str = "provincial-recommendation", number: int = 6) -> tuple[Any, list[Application]]:
    made = worlds.round_of(world)
    found = []
    for at in range(number):
        works = worlds.applicant(world, f"第{at}厂")
        found.append(worlds.advance(world, worlds.handed_in(world, made, works), stage))
    return made, found


def test_a_preview_says_exactly_what_would_happen_and_does_nothing(world):
    made, six = five(world)
    for application in six:
        worlds.act(world, application, "CITY_ENVIRONMENT", "AGREE")
    acts = Act.objects.count()
    said = {
        "codes": [a.code for a in six], "role": "CITY_INDUSTRY", "action": "AGREE", "words": "同意",
    }  # fmt: skip
    client = client_of(world, "CITY_INDUSTRY")
    answer = client.post(reverse("reviews:plan-batch", args=[made.pk]), said)
    batch = Batch.objects.get()
    assert answer.headers["Location"] == reverse("reviews:batch", args=[batch.pk])
    foreseen = [(i.foreseen_stage, i.foreseen_refusal) for i in batch.items.order_by("position")]
    assert foreseen == [("ministry-decision", "")] * 5 + [("", "quota_used_up")]
    assert (Act.objects.count(), QuotaUse.objects.count()) == (acts, 0)
    assert "名额已经用完" in client.get(answer.headers["Location"]).content.decode()

    assert client.post(reverse("reviews:confirm-batch", args=[batch.pk])).status_code == 302
    run_batch.call(batch.pk)
    became = [(i.state, i.refusal) for i in batch.items.order_by("position")]
    assert became == [("DONE", "")] * 5 + [("REFUSED", "quota_used_up")]
    assert (QuotaUse.objects.get().used, Act.objects.count()) == (5, acts + 5)
    assert client.get(reverse("reviews:batch-progress", args=[batch.pk])).headers["HX-Refresh"] == "true"
    other = client_of(world, "CITY_INDUSTRY_2")
    for route in ("batch", "batch-progress"):
        assert other.get(reverse(f"reviews:{route}", args=[batch.pk])).status_code == 404


def test_a_batch_leaves_alone_what_somebody_acted_on_in_between(world):
    made, three = five(world, "district-recommendation", 3)
    by = world.people["DISTRICT_INDUSTRY"]
    batch = batches.plan_batch(
        round_=made, codes=[a.code for a in three], action=Action.AGREE, role="DISTRICT_INDUSTRY", words="同意。", by=by,
        now=NOW,
    )  # fmt: skip
    worlds.act(world, three[1], "DISTRICT_ENVIRONMENT", "RETURN")
    batches.confirm_batch(batch=batch, by=by, now=NOW)
    batches.run_batch(batch=batch, clock=lambda: NOW)
    assert [(i.state, i.refusal) for i in batch.items.order_by("position")] == [
        ("DONE", ""), ("REFUSED", "stale"), ("DONE", ""),
    ]  # fmt: skip


def test_a_stopped_batch_does_no_more(world):
    made, three = five(world, "district-recommendation", 3)
    by = world.people["DISTRICT_INDUSTRY"]
    batch = batches.plan_batch(
        round_=made, codes=[a.code for a in three], action=Action.AGREE, role="DISTRICT_INDUSTRY", words="同意。", by=by,
        now=NOW,
    )  # fmt: skip
    batches.confirm_batch(batch=batch, by=by, now=NOW)
    asked = iter(range(10))

    def clock() -> Any:
        if next(asked) == 1:  # while the second is handled
            batches.stop_batch(batch=batch, by=by, now=NOW)
        return NOW

    batches.run_batch(batch=batch, clock=clock)
    assert [i.state for i in batch.items.order_by("position")] == ["DONE", "DONE", "PLANNED"]
    batch.refresh_from_db()
    assert batch.ended_at is not None


def test_a_batch_takes_nothing_that_its_maker_does_not_see(world):
    made, three = five(world, "district-recommendation", 2)
    with pytest.raises(ReviewRefused) as refused:
        batches.plan_batch(
            round_=made, codes=[three[0].code], action=Action.AGREE, role="", words="",
            by=world.people["OTHER_DISTRICT_INDUSTRY"], now=NOW,
        )  # fmt: skip
    assert refused.value.code == "not_permitted"


# ---- two at the same moment; no act is lost --------------------------------------------------


def at_once(world, application: Application, *acts: tuple[str, Action]) -> list[str]:
    """Let the roles act on the same version at the same moment, and return what each was told."""
    start, results = threading.Barrier(len(acts)), []

    def decide(role: str, action: Action) -> None:
        try:
            start.wait()
            deciding.decide(
                application=application, version=application.version, action=action, said=Said(words="意见"), role=role,
                by=world.officer(role, worlds.DISTRICT), now=NOW,
            )  # fmt: skip
            results.append("done")
        except ReviewRefused as refused:
            results.append(refused.code)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=decide, args=act) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return sorted(results)


@pytest.mark.usefixtures("own_store")
def test_of_two_reviewers_at_the_same_moment_one_is_told_that_the_other_was_first():
    world = worlds.build(experts=0)
    made = worlds.round_of(world)
    for attempt in range(5):
        application = worlds.handed_in(world, made, worlds.applicant(world, f"第{attempt}厂"))
        both = (("DISTRICT_INDUSTRY", Action.AGREE), ("DISTRICT_ENVIRONMENT", Action.DISAGREE))
        assert at_once(world, application, *both) == ["done", "stale"]
        application.refresh_from_db()
        assert application.version == Act.objects.filter(application=application).count() == 2


def random_acts(world, made, works, seed: int) -> Application:
    """Let people of all roles do whatever comes to mind, permitted or not."""
    dice = random.Random(seed)
    edition = policy_queries.edition(made.edition)
    application = worlds.handed_in(world, made, works)
    everybody = [u for name, u in world.people.items() if "OTHER" not in name] + [world.applicant_of(works)]
    for _ in range(25):
        application.refresh_from_db()
        stage = stages.stage_of(edition.stages, application.stage)
        if dice.random() < 0.3 and stage.kind == "site_check":
            worlds.site_checked(world, application, stage.id)
        if dice.random() < 0.5 and stage.kind == "experts" and not application.assignments.exists():
            worlds.scored(world, application, stage.id)
        if dice.random() < 0.3 and application.outcome == "" and application.stage == edition.stages[0].id:
            application = worlds.handed_in(world, made, works)
            continue
        try:
            deciding.decide(
                application=application, version=application.version, action=dice.choice(list(Action)),
                said=Said(words="意见"), by=dice.choice(everybody), now=NOW,
            )  # fmt: skip
        except ReviewRefused:
            continue
    return Application.objects.select_related("round").get(pk=application.pk)


@pytest.mark.parametrize("seed", range(12))
def test_no_act_is_lost_and_the_row_is_what_the_acts_say(world, seed):
    made = worlds.round_of(world)
    application = random_acts(world, made, world.works, seed)
    edition = policy_queries.edition(made.edition)
    acts = list(application.acts.order_by("seq"))
    standing = stages.replay(edition.stages, acts)
    assert [act.seq for act in acts] == list(range(1, application.version + 1))
    row = (application.stage, application.outcome, application.contested)
    assert row == (standing.stage, standing.outcome or "", standing.is_contested)
    used = QuotaUse.objects.filter(round=made).first()
    beyond = application.stage == "ministry-decision" and application.outcome != "WITHDRAWN"
    assert (used.used if used else 0) == int(beyond)
    # what is to be done follows from the same acts: nobody is missing, nobody asked twice
    for person in world.people.values():
        held = [h for h in held_roles(user=person, on=TODAY) if not h.is_applicant]
        offered = queries.offers_to(
            user=person, held=held, application=application, edition=edition, standing=standing
        )
        deciders = stages.deciders(stages.stage_of(edition.stages, standing.stage))
        due = [o.role for o in offered if o.role in deciders and o.role not in standing.votes]
        own = {a.by_id for a in acts if a.action not in ("CONCLUDE", "RELEASE", "PASS_ON")}
        if standing.stage == "ministry-decision" and person.pk in own:
            due = []
        assert task_queries.to_decide(held, task_queries.open_rounds()).exists() == bool(due), person


# ---- how long it takes -----------------------------------------------------------------------


def test_the_list_is_narrowed_by_an_index_of_the_round(world):
    made = worlds.round_of(world)
    rows = queries.narrowed(
        among=queries.officers_list(user=world.people["CITY_INDUSTRY"], on=TODAY).filter(round=made),
        wanted=Wanted(stage="city-experts"), on=TODAY,
    )  # fmt: skip
    assert "reviews_" in queries.ordered(rows, "code").explain()
