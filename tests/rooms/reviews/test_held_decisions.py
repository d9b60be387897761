"""What is decided and held shows nowhere to its applicant: not on a page, nor in a version, nor by a refusal."""

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests.conftest import NOW
from tests.rooms.api.world import Api, token
from tests.rooms.reviews import world as worlds
from wufei.registry.models import AuditEntry
from wufei.reviews.models import Application, QuotaUse
from wufei.reviews.queries import applications as queries
from wufei.reviews.queries.applications import Audience
from wufei.reviews.refusals import ReviewRefused
from wufei.reviews.services import applying, packages
from wufei.reviews.stages import Action


@pytest.fixture
def world(db):
    return worlds.build()


@pytest.fixture(autouse=True)
def today_is_the_first_of_july(monkeypatch):
    from django.utils import timezone

    monkeypatch.setattr(timezone, "now", lambda: NOW)


def client_of(world, person: Any) -> Client:
    client = Client()
    client.force_login(world.people[person] if isinstance(person, str) else person)
    return client


def page(application: Application) -> str:
    return reverse("reviews:application", args=[application.code])


HELD = "provincial-recommendation"


def decided_unknown(world, made, vote):
    """Let the authority decide on a new applicant at a stage that is held, and tell nobody."""
    works = worlds.applicant(world, f"第{vote}厂")
    application = worlds.advance(world, worlds.handed_in(world, made, works), HELD)
    for role in ("CITY_ENVIRONMENT", "CITY_INDUSTRY"):
        worlds.act(world, application, role, vote)
    application.refresh_from_db()
    return application


def undecided(world, made):
    works = worlds.applicant(world, "第零厂")
    return worlds.advance(world, worlds.handed_in(world, made, works), HELD)


def all_that_it_reads(world, application):
    """Return what the applicant can fetch of its case, without what names it."""
    works, code = application.organisation, application.code
    client, api = client_of(world, world.applicant_of(works)), Api(token(world.applicant_of(works)))
    found = [client.get(page(application)), client.get(reverse("reviews:mine"))]
    found += [api.get(f"/applications/{code}"), api.get(f"/organisations/{works.uscc}/applications")]
    assert [answer.status_code for answer in found] == [200] * 4
    own = (code, works.name, works.uscc, application.submission.content_sha256)
    own += (
        f"cases/{application.case_id}/",
        f"hand-in/{application.case_id}/",
        f'"case_id": {application.case_id},',
        str(world.applicant_of(works)),
    )
    token_of_a_form = r'csrf\w+" value="\w+"|X-CSRFToken": "\w+"'
    texts = [re.sub(token_of_a_form, "", answer.content.decode()) for answer in found]
    for each in own:
        texts = [text.replace(each, "·") for text in texts]
    return texts


def differences(world, *twins):
    """Return the lines that one of the twins' applicants reads and the other does not."""
    one, other = (all_that_it_reads(world, twin) for twin in twins)
    both = [zip(a.splitlines(), b.splitlines(), strict=True) for a, b in zip(one, other, strict=True)]
    return [(a, b) for lines in both for a, b in lines if a != b]


WAYS_IT_WAS_DECIDED = {
    "one said yes": [("CITY_ENVIRONMENT", Action.AGREE)],
    "one said no": [("CITY_ENVIRONMENT", Action.DISAGREE)],
    "contested": [("CITY_ENVIRONMENT", Action.DISAGREE), ("CITY_INDUSTRY", Action.AGREE)],
    "recommended": [("CITY_ENVIRONMENT", Action.AGREE), ("CITY_INDUSTRY", Action.AGREE)],
    "not selected": [("CITY_ENVIRONMENT", Action.DISAGREE), ("CITY_INDUSTRY", Action.DISAGREE)],
    "recognised above": [
        ("CITY_ENVIRONMENT", Action.AGREE), ("CITY_INDUSTRY", Action.AGREE), ("CITY_INDUSTRY", Action.RECOGNISE),
    ],
}  # fmt: skip


def held_twins(world, way):
    """Return an undecided application, and one on which the authority decided that way and told nobody."""
    made = worlds.round_of(world)
    works = worlds.applicant(world, "第一厂")
    decided = worlds.advance(world, worlds.handed_in(world, made, works), HELD)
    for role, action in WAYS_IT_WAS_DECIDED[way]:
        worlds.act(world, decided, role, action, second=action is Action.RECOGNISE)
    decided.refresh_from_db()
    return undecided(world, made), decided


@pytest.mark.parametrize("way", WAYS_IT_WAS_DECIDED)
def test_whatever_was_decided_and_held_the_applicant_reads_what_an_undecided_twin_reads(world, way):
    twins = held_twins(world, way)
    assert differences(world, *twins) == []


@pytest.mark.parametrize("way", WAYS_IT_WAS_DECIDED)
def test_an_applicant_withdraws_at_a_held_stage_whatever_was_decided(world, way):
    """It is offered and done alike; what was decided stays on record for officers and is never told."""
    twins = held_twins(world, way)
    answers = []
    for twin in twins:
        client = client_of(world, world.applicant_of(twin.organisation))
        shown = client.get(page(twin))
        said = {"act": "WITHDRAW:APPLICANT", "version": shown.context["told"].version, "words": "另行申报"}
        stale = client.post(page(twin) + "decide/", said | {"version": said["version"] + 1})
        done = client.post(page(twin) + "decide/", said)
        answers.append((shown.context["can_withdraw"], stale.status_code, done.status_code))
        twin.refresh_from_db()
        assert (twin.outcome, twin.stage) == ("WITHDRAWN", HELD)
    assert answers == [(True, 409, 302)] * 2
    assert differences(world, *twins) == []
    known = [entry.act.action for entry in queries.timeline(twins[1], Audience.OFFICER)]
    assert known[-1 - len(WAYS_IT_WAS_DECIDED[way]) :] == [a for _, a in WAYS_IT_WAS_DECIDED[way]] + [
        "WITHDRAW"
    ]
    assert {use.used for use in QuotaUse.objects.all()} <= {0}
    officer = client_of(world, "CITY_INDUSTRY").get(page(twins[1]))
    assert not officer.context["can_release"]


def test_over_the_api_too_a_held_case_is_withdrawn_by_the_version_that_was_told(world):
    for twin in held_twins(world, "not selected"):
        api = Api(token(world.applicant_of(twin.organisation)))
        said = {
            "version": api.get(f"/applications/{twin.code}").json()["version"],
            "action": "WITHDRAW",
            "words": "另",
        }
        answer = api.post(f"/applications/{twin.code}/acts", said | {"version": said["version"] + 3})
        assert (answer.status_code, answer.json()["code"]) == (409, "stale")
        assert api.post(f"/applications/{twin.code}/acts", said).status_code == 201


def test_to_be_refused_a_second_submission_tells_nothing_of_a_decision_that_is_held(world):
    found, made = [], worlds.round_of(world)
    for vote in (Action.AGREE, Action.DISAGREE):
        application = decided_unknown(world, made, vote)
        with pytest.raises(ReviewRefused) as refused:
            worlds.handed_in(world, made, application.organisation)
        found.append((refused.value.code, refused.value.detail))
    assert found == [("stage_moved_on", "等待推荐结果")] * 2


def test_before_the_decision_the_applicant_of_a_held_stage_withdraws_as_offered(world):
    made = worlds.round_of(world)
    application = worlds.advance(world, worlds.handed_in(world, made), HELD)
    worlds.act(world, application, "CITY_ENVIRONMENT", "DISAGREE")
    assert client_of(world, "applicant").get(page(application)).context["can_withdraw"]
    assert worlds.act(world, application, "APPLICANT", Action.WITHDRAW).outcome == "WITHDRAWN"


# ---- what the level above took in ---------------------------------------------------------------


def passed_up(world):
    """Return a twin that stands below, and one that was sent up and taken in there; nobody is told."""
    stays, goes = held_twins(world, "recommended")
    above = worlds.round_of(world, worlds.MIIT)
    package = packages.export_round(round_=goes.round, by=world.people["CITY_INDUSTRY"], now=NOW)
    by = world.people["MINISTRY_INDUSTRY"]
    [copy] = packages.load_package(round_=above, package=package, by=by, now=NOW)
    return stays, goes, copy


def release(world, application, by="CITY_INDUSTRY"):
    worlds.act(world, application, "", Action.RELEASE, by=world.people[by])


def sees(world, application) -> tuple[int, int, bool, bool]:
    """Return what page and API answer the applicant on it, and whether its lists name it."""
    works, code = application.organisation, application.code
    client, api = client_of(world, world.applicant_of(works)), Api(token(world.applicant_of(works)))
    listed = code in client.get(reverse("reviews:mine")).content.decode()
    over_api = code in api.get(f"/organisations/{works.uscc}/applications").content.decode()
    return (
        client.get(page(application)).status_code,
        api.get(f"/applications/{code}").status_code,
        listed,
        over_api,
    )


HIDDEN, SHOWN = (404, 404, False, False), (200, 200, True, True)


def test_what_the_level_above_took_in_is_not_shown_before_the_level_below_has_told_its_decision(world):
    stays, goes, copy = passed_up(world)
    assert differences(world, stays, goes) == []
    assert sees(world, copy) == HIDDEN
    worlds.advance(world, copy)
    assert sees(world, copy) == HIDDEN
    assert differences(world, stays, goes) == []

    release(world, goes)
    assert sees(world, copy) == SHOWN
    client = client_of(world, world.applicant_of(goes.organisation))
    assert client.get(page(copy)).context["told"].label == "等待公布"  # and no more: that one is held above


def test_what_is_released_before_the_decision_shows_no_copy_of_what_was_decided_after(world):
    """One vote was let out, the other, that decided, was not."""
    made = worlds.round_of(world)
    case = undecided(world, made)
    worlds.act(world, case, "CITY_ENVIRONMENT", Action.AGREE)
    release(world, case)
    worlds.act(world, case, "CITY_INDUSTRY", Action.AGREE)
    above = worlds.round_of(world, worlds.MIIT)
    package = packages.export_round(round_=made, by=world.people["CITY_INDUSTRY"], now=NOW)
    by = world.people["MINISTRY_INDUSTRY"]
    [copy] = packages.load_package(round_=above, package=package, by=by, now=NOW)
    assert sees(world, copy) == HIDDEN


def test_what_the_level_above_tells_itself_is_shown(world):
    """As where the level below works in another store, whose releases are not known here."""
    _stays, _goes, copy = passed_up(world)
    worlds.advance(world, copy)
    release(world, copy, by="MINISTRY_INDUSTRY")
    assert sees(world, copy) == SHOWN


@pytest.mark.parametrize("until", ["ministry-experts", "ministry-decision", ""])
def test_who_withdraws_below_is_withdrawn_above_however_far_it_came_and_learns_nothing(world, until):
    stays, goes, copy = passed_up(world)
    worlds.advance(world, copy, until)
    for twin in (stays, goes):
        worlds.act(world, twin, "APPLICANT", Action.WITHDRAW)
        twin.refresh_from_db()
    copy.refresh_from_db()
    assert (copy.outcome, sees(world, copy)) == ("WITHDRAWN", HIDDEN)
    assert differences(world, stays, goes) == []
    noted = [
        list(AuditEntry.objects.filter(organisation=twin.organisation).values_list("action", flat=True))
        for twin in (stays, goes)
    ]
    assert noted[0] == noted[1]


def test_what_came_in_a_package_is_not_withdrawn_alone(world):
    _stays, goes, copy = passed_up(world)
    release(world, goes)
    client = client_of(world, world.applicant_of(copy.organisation))
    shown = client.get(page(copy))
    assert not shown.context["can_withdraw"]
    version = shown.context["told"].version
    said = {"act": "WITHDRAW:APPLICANT", "version": version, "words": "另行申报"}
    answer = client.post(page(copy) + "decide/", said)
    assert (answer.status_code, "不能在这里单独撤回" in answer.content.decode()) == (422, True)
    api = Api(token(world.applicant_of(copy.organisation)))
    assert api.get(f"/applications/{copy.code}").json()["offers"] == []
    answer = api.post(
        f"/applications/{copy.code}/acts", {"version": version, "action": "WITHDRAW", "words": "另"}
    )
    assert (answer.status_code, answer.json()["code"]) == (409, "withdrawn_below")


def test_applying_above_tells_nothing_of_what_was_passed_up(world):
    """Who stands below applies once, there: it is refused above alike whether it was passed up or not."""
    stays, goes, copy = passed_up(world)
    found = []
    for twin in (stays, goes):
        case = worlds.ready_case(world, twin.organisation, edition_id=worlds.MIIT)
        with pytest.raises(ReviewRefused) as refused:
            applying.submit(round_=copy.round, case=case, by=world.applicant_of(twin.organisation), now=NOW)
        found.append((refused.value.code, refused.value.detail))
    assert found == [("applied_already", "")] * 2
