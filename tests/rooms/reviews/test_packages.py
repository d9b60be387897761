"""What a city recommends reaches the ministry's round as a signed package: whole, once, and only there."""

import pytest
from django.urls import reverse

from tests.conftest import NOW
from tests.rooms.reviews import world as worlds
from wufei.registry.queries import NotPermitted
from wufei.reviews.models import Application, Package, SigningKey
from wufei.reviews.package import new_key, seal
from wufei.reviews.queries.packages import course_below
from wufei.reviews.refusals import ReviewRefused
from wufei.reviews.services import packages
from wufei.reviews.stages import Action
from wufei.reviews.telling import ACTION_WORDS


@pytest.fixture
def world(db):
    return worlds.build()


@pytest.fixture
def city_round(world):
    round_ = worlds.round_of(world, worlds.CHONGQING)
    for works in (world.works, worlds.applicant(world, "綦江铝业有限公司")):
        worlds.advance(world, worlds.handed_in(world, round_, works), "ministry-decision")
    worlds.handed_in(world, round_, worlds.applicant(world, "綦江水泥有限公司"))  # not that far
    return round_


@pytest.fixture
def ministry_round(world):
    return worlds.round_of(world, worlds.MIIT)


def exported(world, round_):
    return packages.export_round(round_=round_, by=world.people["CITY_INDUSTRY"], now=NOW)


def loaded(world, round_, package):
    return packages.load_package(
        round_=round_, package=package, by=world.people["MINISTRY_INDUSTRY"], now=NOW
    )


def code_of(why) -> tuple[str, str]:
    return why.value.code, why.value.detail


def test_the_ministry_takes_in_what_the_city_recommended_and_nothing_else(world, city_round, ministry_round):
    sent = {
        a.organisation.name: a.submission for a in city_round.applications.filter(stage="ministry-decision")
    }

    taken = loaded(world, ministry_round, exported(world, city_round))

    assert {a.organisation.name: a.submission.content for a in taken} == {
        name: submission.content for name, submission in sent.items()
    }
    assert {(a.stage, a.outcome, a.is_direct) for a in taken} == {("ministry-experts", "", False)}
    assert Package.objects.filter(round=ministry_round, is_incoming=True).get().application_count == 2


def test_the_course_below_comes_with_the_case_and_is_read_by_officers(
    world, city_round, ministry_round, client
):
    [first, _] = loaded(world, ministry_round, exported(world, city_round))
    source = city_round.applications.get(organisation=first.organisation)

    told = [(each.action, each.authority, each.words, each.at) for each in course_below(first)]
    done = source.acts.select_related("acted_for").order_by("seq")
    assert told == [(ACTION_WORDS[Action(a.action)], a.acted_for.name, a.words, a.at) for a in done]
    assert {each.stage for each in course_below(first)} >= {"择优推荐至两部", "区县现场核实"}

    client.force_login(world.people["MINISTRY_INDUSTRY"])
    read = client.get(reverse("reviews:application", args=[first.code])).content.decode()
    assert read.count("下级办理") == len(told)
    worlds.act(world, source, "", Action.RELEASE, by=world.people["CITY_INDUSTRY"])
    client.force_login(world.applicant_of(first.organisation))
    read = client.get(reverse("reviews:application", args=[first.code])).content.decode()
    assert "下级办理" not in read


def test_what_came_in_goes_on_to_a_title(world, city_round, ministry_round):
    [first, _] = loaded(world, ministry_round, exported(world, city_round))

    assert worlds.advance(world, first).outcome == "RECOGNISED"


def test_a_package_is_taken_in_once(world, city_round, ministry_round):
    package = exported(world, city_round)
    loaded(world, ministry_round, package)

    for again in (package, exported(world, city_round)):
        with pytest.raises(ReviewRefused) as why:
            loaded(world, ministry_round, again)
        assert why.value.code == "package_loaded"
    assert ministry_round.applications.count() == 2


def test_a_package_for_another_round_is_refused(world, city_round):
    other_year = worlds.round_of(world, worlds.MIIT, 2027)

    with pytest.raises(ReviewRefused) as why:
        loaded(world, other_year, exported(world, city_round))

    assert code_of(why) == ("package_of_another_round", "miit-2025-539-enterprise 2026")
    assert not other_year.applications.exists()


def test_a_changed_byte_is_refused_and_nothing_is_taken_in(world, city_round, ministry_round):
    package = bytearray(exported(world, city_round))
    package[len(package) // 2] ^= 1

    with pytest.raises(ReviewRefused) as why:
        loaded(world, ministry_round, bytes(package))

    assert why.value.code == "package_broken"
    assert not ministry_round.applications.exists()


def test_a_package_signed_by_a_stranger_is_refused_until_its_key_is_trusted_for_that_authority(
    world, city_round, ministry_round
):
    manifest = packages.manifest_of(package=exported(world, city_round))
    private, public = new_key()
    forged = seal(
        manifest={key: value for key, value in manifest.items() if key != "files"} | {"applications": []},
        files={}, private_key=private,
    )  # fmt: skip
    with pytest.raises(ReviewRefused) as why:
        loaded(world, ministry_round, forged)
    assert code_of(why) == ("package_broken", "key_not_trusted")

    # Trusted for somebody else, it still does not sign for the city.
    other = world.authorities["PROVINCE_INDUSTRY"]
    SigningKey.objects.create(
        authority=other, public_key=public, made_at=NOW, trusted_by=world.people["applicant"]
    )
    with pytest.raises(ReviewRefused) as why:
        loaded(world, ministry_round, forged)
    assert code_of(why) == ("package_broken", "key_of_another_authority")


def test_who_does_not_run_the_round_neither_sends_nor_takes_in(world, city_round, ministry_round):
    package = exported(world, city_round)

    for person in ("applicant", "DISTRICT_INDUSTRY", "PROVINCE_INDUSTRY", "expert1", "nobody"):
        with pytest.raises(NotPermitted):
            packages.export_round(round_=city_round, by=world.people[person], now=NOW)
        with pytest.raises(NotPermitted):
            packages.load_package(round_=ministry_round, package=package, by=world.people[person], now=NOW)
    assert not Application.objects.filter(round=ministry_round).exists()


def test_a_round_that_recommends_nothing_has_nothing_to_send(world):
    round_ = worlds.round_of(world, worlds.CHONGQING)
    withdrawn = worlds.handed_in(world, round_)
    worlds.act(world, withdrawn, "APPLICANT", Action.WITHDRAW)

    with pytest.raises(ReviewRefused) as why:
        exported(world, round_)

    assert why.value.code == "nothing_to_send"
