"""
The table of who may do what, tried cell by cell through the service, the page and the API, over two whole editions.
"""

import logging
from collections.abc import Sequence
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse

from tests.conftest import NOW
from tests.rooms.api.world import Api, token
from tests.rooms.reviews import world as worlds
from wufei.policies import queries as policy_queries
from wufei.policies.edition import Stage
from wufei.registry.api import door
from wufei.registry.models import User
from wufei.reviews import stage_table, stages
from wufei.reviews.api.applications import BY_HAND
from wufei.reviews.models import Act, Application
from wufei.reviews.refusals import ReviewRefused
from wufei.reviews.services import deciding
from wufei.reviews.services.deciding import Said
from wufei.reviews.stages import APPLICANT, Action, Outcome
from wufei.reviews.views.applications import ELSEWHERE

REFUSALS = {"not_permitted", "not_your_stage", "stage_moved_on", "withdrawal_closed", "already_decided"}


@pytest.fixture(autouse=True)
def today_is_the_first_of_july(monkeypatch):
    from django.utils import timezone

    monkeypatch.setattr(timezone, "now", lambda: NOW)
    monkeypatch.setattr(door, "REQUESTS_PER_MINUTE", 10**9)
    logging.disable(logging.WARNING)  # a line for each refusal costs more than the refusal
    yield
    logging.disable(logging.NOTSET)


class Table:
    """A world with an application that can be put into any state of the edition, and somebody in every role."""

    def __init__(self, edition_id: str):
        self.world = worlds.build()
        self.edition = policy_queries.edition(edition_id)
        self.round = worlds.round_of(self.world, edition_id)
        self.made = 0

    def people(self, works: Any) -> dict[str, User]:
        """Return who acts in each role, none of whom had a part in the case before (S7)."""
        found = {APPLICANT: self.world.applicant_of(works)}
        for level in ("DISTRICT", "CITY"):
            for branch in ("INDUSTRY", "ENVIRONMENT"):
                found[f"{level}_{branch}"] = self.world.people[f"{level}_{branch}_2"]
        found["EXPERT"] = self.world.people["expert3"]
        found["OTHER_DISTRICT"] = self.world.people["OTHER_DISTRICT_INDUSTRY"]
        found["MINISTRY"] = self.world.people["MINISTRY_INDUSTRY"]
        return found

    def put(self, row: stage_table.Row) -> Application:
        """Bring a new application into the state."""
        self.made += 1
        works = worlds.applicant(self.world, f"第{self.made}厂")
        application = worlds.handed_in(self.world, self.round, works)
        first, second = self.edition.stages[:2]
        if row.stage == first:
            self._act(application, stages.deciders(second)[0], Action.RETURN)
        else:
            worlds.advance(self.world, application, row.stage.id)
            self._prepare(application, row.stage)
        for role, vote in row.standing.votes.items():
            self._act(application, role, vote)
        if row.standing.is_in_notice:
            self._act(application, row.stage.decided_by[0], Action.PUBLISH)
        if row.standing.outcome is not None:
            self._leave(application, row)
        application.refresh_from_db()
        return application

    def _act(self, application: Application, role: str, action: Action) -> None:
        worlds.act(self.world, application, role, action)

    def _prepare(self, application: Application, stage: Any) -> None:
        """Have everything there that an act may ask for, so that only role and state decide."""
        if stage.kind == "site_check":
            worlds.site_checked(self.world, application, stage.id)
        elif stage.kind == "consultation":
            worlds.consulted(self.world, application, stage)
        elif stage.kind == "experts":
            worlds.scored(self.world, application, stage.id)
        elif stage.kind == "notice":
            worlds.noticed(self.world, application, stage)

    def _leave(self, application: Application, row: stage_table.Row) -> None:
        ways = {
            Outcome.WITHDRAWN: Action.WITHDRAW, Outcome.RECOGNISED: Action.RECOGNISE, Outcome.REFUSED: Action.REFUSE,
            Outcome.REMOVED: Action.REMOVE, Outcome.REJECTED: Action.DISAGREE, Outcome.NOT_SELECTED: Action.DISAGREE,
        }  # fmt: skip
        action = ways[row.standing.outcome]  # type: ignore[index]
        if action is Action.WITHDRAW:
            return self._act(application, APPLICANT, action)
        if action is Action.REMOVE:
            self._act(application, row.stage.decided_by[0], Action.PUBLISH)
        for role in stages.deciders(row.stage):
            second = row.stage.kind in ("decision", "above")
            worlds.act(self.world, application, role, action, second=second)
        return None


def done_by_service(application: Application, user: User, action: Action) -> tuple[bool, str]:
    """Try it, take it back, and return whether it was done, else why not."""
    with transaction.atomic():
        try:
            do = deciding.carry_out if action in deciding.HAS_OWN_SERVICE else deciding.decide
            do(
                application=application, version=application.version, action=action, said=Said(words="意见"), by=user,
                now=NOW,
            )  # fmt: skip
            return True, ""
        except ReviewRefused as refused:
            return False, refused.code
        finally:
            transaction.set_rollback(True)


def shown_on_page(application: Application, user: User, role: str) -> set[str]:
    """Return what the page offers the person."""
    client = Client()
    client.force_login(user)
    answer = client.get(reverse("reviews:application", args=[application.code]))
    if answer.status_code == 404:
        return set()
    if role == APPLICANT:
        offered = {"WITHDRAW": answer.context["can_withdraw"], "SUBMIT": answer.context["can_submit"]}
        return {action for action, is_there in offered.items() if is_there}
    offered = answer.context["offers"]
    assert not any(each.barred for each in offered), "nobody here has had a part in the case"
    return {action for each in offered for action, _ in each.buttons}


def posted(
    application: Application, api: Api, action: Action, *, version: int | None = None
) -> tuple[int, str]:
    """Post the act, take it back, and return the status with the code of what was refused."""
    seen = application.version if version is None else version
    body = {"version": seen, "action": action.value, "words": "意见"}
    with transaction.atomic():
        answer = api.post(f"/applications/{application.code}/acts", body)
        transaction.set_rollback(True)
    said = answer.json()
    return answer.status_code, said["code"] if answer.status_code >= 400 else ""


@pytest.mark.parametrize(
    "edition_id",
    [worlds.CHONGQING, pytest.param(worlds.CHONGQING_FACTORY, marks=pytest.mark.any_database)],
)
def test_service_page_and_api_do_what_the_table_says_and_nothing_else(db, edition_id):
    table = Table(edition_id)
    tokens: dict[int, Api] = {}
    tried, sent = 0, 0
    # "编写中" is before there is an application.
    for row in stage_table.table(table.edition.stages)[1:]:
        application = table.put(row)
        assert (application.stage, application.outcome) == (row.stage.id, row.standing.outcome or "")
        for role, user in table.people(application.organisation).items():
            offered = row.offered.get(role, frozenset())
            told = told_to(role, row, offered, table.edition.stages)
            # An applicant withdraws as long as it knows of nothing that would forbid it.
            allowed = offered if role != APPLICANT else told & {Action.WITHDRAW} | offered - {Action.WITHDRAW}
            where = (row.stage.id, row.state, role)
            if user.pk not in tokens:
                tokens[user.pk] = Api(token(user))
            over_api, version = acts_over_api(application, tokens[user.pk], allowed, where)
            for action in set(Action) - {Action.SUBMIT, Action.RELEASE, Action.PASS_ON}:
                # The API only calls the service: each cell is tried once, at the outermost door that takes it.
                if action in over_api:
                    status, code = posted(application, tokens[user.pk], action, version=version)
                    assert status in (201, 403, 409), (*where, action, code)
                    done = status == 201
                else:
                    done, code = done_by_service(application, user, action)
                assert done == (action in allowed), (*where, action, code)
                assert done or code in REFUSALS, (*where, action, code)
                tried += 1
            sent += len(over_api)
            assert shown_on_page(application, user, role) == {a.value for a in told}, where
    assert tried > 1000
    assert sent > 300
    assert Act.objects.count() == sum(Application.objects.values_list("version", flat=True))


def acts_over_api(
    application: Application, api: Api, allowed: frozenset[Action], where: tuple[str, str, str]
) -> tuple[frozenset[Action], int]:
    """
    Return the acts that the API takes and the version it shows, which for an applicant is the one it was told of.

    None for who doesn't see the application, whatever is posted.
    """
    answer = api.get(f"/applications/{application.code}")
    if answer.status_code == 404:
        assert not allowed, where
        assert posted(application, api, Action.AGREE) == (404, "application_unknown"), where
        return frozenset(), 0
    [elsewhere, *_] = set(Action) - set(BY_HAND)  # to the schema they are all the same
    assert posted(application, api, elsewhere)[0] == 422, where
    return frozenset(BY_HAND), answer.json()["version"]


def told_to(
    role: str, row: stage_table.Row, allowed: frozenset[Action], all_stages: Sequence[Stage]
) -> frozenset[Action]:
    """Lists go into a notice and out of it on a page of their own; an applicant knows what it was told of."""
    if role != APPLICANT:
        return allowed - ELSEWHERE
    ids = [stage.id for stage in all_stages]
    before = all_stages[: ids.index(row.stage.id)]
    held = any(stage.is_held for stage in before) or (
        row.stage.is_held and row.standing.outcome not in (None, Outcome.WITHDRAWN)
    )
    published = (row.stage.kind == "notice" and row.state != "待办") or any(
        s.kind == "notice" for s in before
    )
    # Not told yet: it still stands before the decision, as far as it knows.
    return frozenset({Action.WITHDRAW}) if held and not published else allowed


def test_submitting_is_the_applicants_alone(db):
    """The service of handing in asks for the permission before anything else."""
    from wufei.registry.queries import NotPermitted
    from wufei.reviews.services.applying import submit

    table = Table(worlds.CHONGQING)
    [returned] = [r for r in stage_table.table(table.edition.stages) if r.state == "退回补正"]
    application = table.put(returned)
    for role, user in table.people(application.organisation).items():
        if role != APPLICANT:
            with pytest.raises(NotPermitted):
                submit(round_=table.round, case=application.case, by=user, now=NOW)
            body = {"round_id": table.round.pk, "case_id": application.case.pk}
            address = f"/organisations/{application.organisation.uscc}/applications"
            assert Api(token(user)).post(address, body).status_code in (403, 404)


def test_what_is_released_or_passed_on_is_the_round_authoritys(db):
    table = Table(worlds.CHONGQING)
    application = worlds.handed_in(table.world, table.round)
    may = {
        role
        for role, user in table.people(application.organisation).items()
        if done_by_service(application, user, Action.RELEASE)[0]
    }
    assert may == {"CITY_INDUSTRY"}
    # Over the API only who sees the application, which the city does once it came there.
    application = worlds.advance(table.world, application, "city-experts")
    over_api = {
        role
        for role, user in table.people(application.organisation).items()
        if posted(application, Api(token(user)), Action.RELEASE)[0] == 201
    }
    assert over_api == may


def test_the_table_is_shown_to_administrators_alone(db):
    world = worlds.build(experts=0, second_officers=False)
    address = reverse("reviews:stages")

    def asked(person: str) -> Any:
        client = Client()
        client.force_login(world.people[person])
        return client.get(address, {"edition": worlds.GUANGDONG})

    assert {p: asked(p).status_code for p in ("administrator", "CITY_INDUSTRY", "applicant", "nobody")} == {
        "administrator": 200, "CITY_INDUSTRY": 403, "applicant": 403, "nobody": 403,
    }  # fmt: skip
    shown = asked("administrator").content.decode()
    assert "地市推荐" in shown
    assert "协调后同意" in shown
