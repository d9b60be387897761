"""What an authority has before it when it recommends: scores only where experts judged before, in the ranking's order."""

from decimal import Decimal

import pytest

from tests.rooms.reviews import world as worlds
from tests.rooms.reviews.test_documents import client_of
from wufei.policies import queries as policy_queries
from wufei.reviews import stages
from wufei.reviews.queries.ranking import ranking
from wufei.reviews.queries.rounds_recommending import recommendation_list
from wufei.reviews.stages import Action


@pytest.fixture
def world(db):
    return worlds.build()


@pytest.fixture
def judged(world):
    """A round in which the experts have scored two cases, the later one higher; the first was put second."""
    round_ = worlds.round_of(world, worlds.CHONGQING)
    edition = policy_queries.edition(round_.edition)
    experts = next(stage for stage in edition.stages if stage.kind == "experts")
    for works, total in ((world.works, 70), (worlds.applicant(world, "綦江水泥有限公司"), 90)):
        application = worlds.advance(world, worlds.handed_in(world, round_, works), experts.id)
        worlds.scored(world, application, experts.id, total=Decimal(total))
        worlds.act(world, application, stages.deciders(experts)[0], Action.CONCLUDE)
    return round_


def test_a_district_recommends_before_the_experts_judge_and_sees_no_score(world, judged):
    district = world.authorities["DISTRICT_INDUSTRY"]

    found = recommendation_list(round_=judged, authority=district)

    assert found.total == 2
    assert not found.is_judged
    assert [row.score for row in found.rows] == [None, None]
    assert [row.application.code for row in found.rows] == sorted(row.application.code for row in found.rows)
    page = client_of(world, "DISTRICT_INDUSTRY").get(
        f"/reviews/rounds/{judged.pk}/recommendations/{district.uscc}/"
    )
    assert page.status_code == 200
    said = page.content.decode()
    assert "这里没有评分" in said
    assert "评审得分" not in said
    assert all(
        str(row.normalised.quantize(Decimal(1))) not in said.split("<main", 1)[1]
        for row in ranking(round_=judged).rows
    )


def test_the_city_has_the_ranking_before_it_and_its_order(world, judged):
    found = recommendation_list(round_=judged, authority=world.authorities["CITY_INDUSTRY"])

    ranked = ranking(round_=judged).rows
    assert found.is_judged
    assert [(row.application.pk, row.score) for row in found.rows] == [
        (row.application, row.normalised) for row in ranked
    ]
    assert found.rows[0].application.organisation.name == "綦江水泥有限公司"


def test_who_decides_together_reads_the_scores_and_a_district_does_not(world, judged):
    for page in ("scores", "ranking"):
        address = f"/reviews/rounds/{judged.pk}/{page}/"
        assert client_of(world, "CITY_ENVIRONMENT").get(address).status_code == 200, page
        for person in ("DISTRICT_INDUSTRY", "DISTRICT_ENVIRONMENT", "MINISTRY_INDUSTRY", "applicant"):
            assert client_of(world, person).get(address).status_code in (403, 404), (person, page)
