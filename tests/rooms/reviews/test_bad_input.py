"""
What the issue calls bad input: each refused with its reason, and nothing half-done.

Elsewhere stand: two reviewers at the same moment (`test_applications`, both databases), an expert drawn twice and
a seed changed after the commitment (`test_experts`), a deadline in the past and a quota lowered below its use on the
page (`test_rounds`), an objection after the notice (`test_notices`), a package twice or for another round
(`test_packages`); over the API every act in every state (`test_stage_table`).
"""

from datetime import timedelta

import pytest
from django.db.models import Model

from tests.conftest import NOW
from tests.rooms.api.world import Api, token
from tests.rooms.reviews import world as worlds
from wufei.registry.models import AuditEntry
from wufei.reviews.clock import end_of
from wufei.reviews.models import Act, Application, Draw, LateAdmission, QuotaUse, Round
from wufei.reviews.refusals import ReviewRefused
from wufei.reviews.services import applying, rounds
from wufei.reviews.stages import Action, Outcome
from wufei.terms.day import local_day

KEPT: tuple[type[Model], ...] = (Act, Application, AuditEntry, Draw, LateAdmission, QuotaUse, Round)


@pytest.fixture
def world(db):
    return worlds.build()


def stored() -> list[list[tuple]]:
    return [list(model.objects.order_by("pk").values_list()) for model in KEPT]  # type: ignore[attr-defined]


def refused(code: str, do, **said) -> ReviewRefused:
    before = stored()
    with pytest.raises(ReviewRefused) as why:
        do(**said)
    assert why.value.code == code
    assert stored() == before
    return why.value


def test_a_decision_on_a_stage_that_moved_on_is_a_conflict_with_who_was_first(world):
    application = worlds.handed_in(world, worlds.round_of(world, worlds.CHONGQING_FACTORY))
    seen = application.version
    worlds.act(world, application, "DISTRICT_INDUSTRY", Action.AGREE)
    officer = world.people["DISTRICT_INDUSTRY_2"]
    said = {
        "application": application,
        "action": Action.RETURN,
        "said": worlds.Said(words="补正"),
        "by": officer,
    }

    why = refused("stale", worlds.deciding.decide, version=seen, now=NOW, **said)
    assert why.is_conflict


def test_over_the_api_too_who_comes_second_is_told_409_and_nothing_is_written(world, monkeypatch):
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)
    application = worlds.handed_in(world, worlds.round_of(world, worlds.CHONGQING_FACTORY))
    body = {"version": application.version, "action": "RETURN", "words": "补正"}
    first, second = (Api(token(world.people[who])) for who in ("DISTRICT_INDUSTRY", "DISTRICT_INDUSTRY_2"))
    address = f"/applications/{application.code}/acts"
    assert first.post(address, body).status_code == 201

    before = stored()
    answer = second.post(address, body)
    assert (answer.status_code, answer.json()["code"]) == (409, "stale")
    assert stored() == before


def test_what_a_stage_no_longer_offers_is_a_conflict_even_with_the_version_of_now(world):
    application = worlds.handed_in(world, worlds.round_of(world))
    done = worlds.advance(world, application, "city-experts")
    why = refused(
        "stage_moved_on", worlds.deciding.decide, application=done, version=done.version, action=Action.AGREE,
        by=world.people["CITY_INDUSTRY"], now=NOW,
    )  # fmt: skip
    assert why.is_conflict


def test_a_deadline_in_the_past_is_refused_wherever_one_is_set(world):
    round_, by = worlds.round_of(world), world.people["CITY_INDUSTRY"]
    yesterday = local_day(NOW) - timedelta(days=1)
    said = {"round_": round_, "by": by, "now": NOW}
    changes = {"submission_deadline": yesterday}

    refused("deadline_in_past", rounds.edit_round, version=round_.version, changes=changes, **said)
    refused(
        "deadline_in_past",
        rounds.admit_late,
        organisation=world.works,
        until=yesterday,
        reason="故障",
        **said,
    )
    late = worlds.round_of(world, worlds.CHONGQING_FACTORY, publish=False)
    then = end_of(late.submission_deadline) + timedelta(hours=1)
    refused("deadline_in_past", rounds.publish_round, round_=late, by=by, now=then)


def test_a_quota_is_not_lowered_below_what_is_recommended_already(world):
    round_, by = worlds.round_of(world), world.people["CITY_INDUSTRY"]
    for works in (world.works, worlds.applicant(world, "第二厂")):
        worlds.advance(world, worlds.handed_in(world, round_, works), "ministry-decision")
    round_ = Round.objects.get(pk=round_.pk)
    said = {"round_": round_, "version": round_.version, "by": by, "now": NOW}

    refused("quota_below_use", rounds.edit_round, changes={"quotas": {"per-province": 1}}, **said)
    rounds.edit_round(changes={"quotas": {"per-province": 2}}, **said)
    assert QuotaUse.objects.get(round=round_).cap == 2


def test_who_withdrew_in_time_is_not_handed_in_again_after_the_deadline_without_leave(world):
    round_ = worlds.round_of(world)
    case = worlds.ready_case(world, world.works)
    by = world.people["applicant"]
    application = applying.submit(round_=round_, case=case, by=by, now=NOW)
    worlds.act(world, application, "APPLICANT", Action.WITHDRAW)
    then = end_of(round_.submission_deadline) + timedelta(hours=2)

    refused("too_late", applying.submit, round_=round_, case=case, by=by, now=then)
    rounds.admit_late(
        round_=round_, organisation=world.works, until=local_day(then), reason="停电", now=then,
        by=world.people["CITY_INDUSTRY"],
    )  # fmt: skip
    again = applying.submit(round_=round_, case=case, by=by, now=then)
    assert (again.outcome, again.late_reason, again.stage) == ("", "停电", "district-recommendation")


def test_what_was_returned_is_handed_in_again_after_the_deadline_without_leave(world):
    round_ = worlds.round_of(world)
    case = worlds.ready_case(world, world.works)
    by = world.people["applicant"]
    application = applying.submit(round_=round_, case=case, by=by, now=NOW)
    worlds.act(world, application, "DISTRICT_INDUSTRY", Action.RETURN)
    then = end_of(round_.submission_deadline) + timedelta(hours=2)

    again = applying.submit(round_=round_, case=case, by=by, now=then)
    assert (again.stage, again.late_reason) == ("district-recommendation", "")


def test_a_second_application_of_one_organisation_is_refused_until_the_first_is_withdrawn(world):
    round_ = worlds.round_of(world)
    by = world.people["applicant"]
    first = worlds.ready_case(world, world.works)
    second = worlds.case_services.open_case(
        organisation=world.works, edition_id=worlds.CHONGQING, year=2024, by=by, now=NOW
    )
    type(second).objects.filter(pk=second.pk).update(
        state="READY", **{name: getattr(first, name) for name in worlds.case_services.LONG_TEXTS}
    )
    application = applying.submit(round_=round_, case=first, by=by, now=NOW)
    second.refresh_from_db()

    refused("applied_already", applying.submit, round_=round_, case=second, by=by, now=NOW)
    worlds.act(world, application, "APPLICANT", Action.WITHDRAW)
    assert applying.submit(round_=round_, case=second, by=by, now=NOW).outcome != Outcome.WITHDRAWN
