"""What is done to many applications at once asks the database as often for five as for one."""

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.conftest import NOW
from tests.rooms.reviews import world as worlds
from wufei.registry.models import AuditEntry, Organisation
from wufei.registry.services import operator
from wufei.reviews.clock import end_of
from wufei.reviews.models import Act, Application
from wufei.reviews.refusals import ReviewRefused
from wufei.reviews.services import messages, notices, packages
from wufei.reviews.stages import Action

EVE = NOW.replace(year=2026, month=9, day=29)


@pytest.fixture
def world(db):
    return worlds.build()


def counted(call, **said):
    with CaptureQueriesContext(connection) as asked:
        found = call(**said)
    return found, len(asked)


def applicants(world, n):
    return [worlds.applicant(world, f"綦江第{at}铝业有限公司") for at in range(n)]


# ---- packages ---------------------------------------------------------------------------------


def city_round(world, year, works):
    round_ = worlds.round_of(world, worlds.CHONGQING, year)
    for each in works:
        worlds.advance(world, worlds.handed_in(world, round_, each), "ministry-decision")
    return round_


def exported(world, round_):
    return counted(packages.export_round, round_=round_, by=world.people["CITY_INDUSTRY"], now=NOW)


def loaded(world, round_, package):
    return counted(
        packages.load_package, round_=round_, package=package, by=world.people["MINISTRY_INDUSTRY"], now=NOW
    )


def test_a_package_is_made_with_the_same_queries_for_five_as_for_one(world):
    by = world.people["CITY_INDUSTRY"]
    packages.make_key(authority=world.authorities["CITY_INDUSTRY"], by=by, now=NOW)
    one, five = city_round(world, 2026, [world.works]), city_round(world, 2025, applicants(world, 5))

    assert exported(world, five)[1] == exported(world, one)[1]


@pytest.mark.parametrize("are_known", [True, False])
def test_a_package_is_taken_in_with_the_same_queries_for_five_as_for_one(world, are_known):
    made = {2026: exported(world, city_round(world, 2026, [world.works]))[0]}
    made[2025] = exported(world, city_round(world, 2025, applicants(world, 5)))[0]
    into = {year: worlds.round_of(world, worlds.MIIT, year) for year in made}
    operator()
    if not are_known:
        forget(made.values())

    found = {year: loaded(world, into[year], made[year]) for year in sorted(made)}

    assert [len(taken) for taken, _ in found.values()] == [5, 1]
    assert found[2025][1] == found[2026][1]


def forget(made):
    """Call the organisations otherwise, so that the packages speak of some that nobody knows here."""
    for package in made:
        for row in packages.manifest_of(package=package)["applications"]:
            known = Organisation.objects.get(uscc=row["organisation"]["uscc"])
            known.uscc = worlds.organisation("替身").uscc[:-1] + "*"  # frees the code
            known.save(update_fields=["uscc"])


def test_whoever_was_unknown_is_registered_by_the_operator_on_record(world):
    package = exported(world, city_round(world, 2026, applicants(world, 2)))[0]
    forget([package])

    taken, _ = loaded(world, worlds.round_of(world, worlds.MIIT), package)

    recorded = AuditEntry.objects.filter(action="registry.register_organisation", by=operator())
    assert set(recorded.values_list("organisation", "object_ref")) == {
        (row.organisation_id, row.organisation.uscc) for row in taken
    }
    assert [row.code for row in taken] == sorted({row.code for row in taken})


def test_an_organisation_that_has_applied_already_refuses_the_whole_package_by_name(world):
    works = applicants(world, 2)
    package = exported(world, city_round(world, 2026, works))[0]
    into = worlds.round_of(world, worlds.MIIT)
    worlds.handed_in(world, into, works[1])

    with pytest.raises(ReviewRefused) as why:
        loaded(world, into, package)

    assert (why.value.code, why.value.detail) == ("applied_already", works[1].name)
    assert into.applications.count() == 1


# ---- notices ----------------------------------------------------------------------------------


def standing_before_the_notice(world, year, works):
    round_ = worlds.round_of(world, worlds.CHONGQING_FACTORY, year, deadline=date(2026, 12, 1), now=EVE)
    return [
        worlds.advance(world, worlds.handed_in(world, round_, w, now=EVE), "public-notice", now=EVE)
        for w in works
    ]


def published(world, applications):
    return counted(
        notices.publish_notice, round_=applications[0].round, applications=applications, title="公示",
        text="现予公示。", by=world.people["CITY_INDUSTRY"], now=EVE,
    )  # fmt: skip


def cleared(world, notice):
    by = world.people["CITY_INDUSTRY"]
    return counted(
        notices.clear_notice, notice=notice, by=by, now=end_of(notice.ends_on) + timedelta(hours=9)
    )


@pytest.fixture
def one_and_five(world):
    one = standing_before_the_notice(world, 2026, [world.works])
    return one, standing_before_the_notice(world, 2025, applicants(world, 5))


def test_a_notice_is_put_up_and_cleared_with_the_same_queries_for_five_as_for_one(world, one_and_five):
    of_one, of_five = (published(world, each) for each in one_and_five)
    assert of_five[1] == of_one[1]

    through_one, through_five = (cleared(world, notice) for notice, _ in (of_one, of_five))
    assert through_five[1] == through_one[1]
    assert [row.stage for row in through_five[0]] == ["decision"] * 5


def test_each_in_the_notice_has_its_acts_and_its_rows_in_the_log(world, one_and_five):
    notice, _ = published(world, one_and_five[1])
    cleared(world, notice)

    for application in Application.objects.filter(round=notice.round):
        last = Act.objects.filter(application=application).order_by("-seq")[:2]
        assert [(act.action, act.role, act.stage, act.seq) for act in last] == [
            (Action.CONFIRM, "CITY_INDUSTRY", "public-notice", application.version),
            (Action.PUBLISH, "CITY_INDUSTRY", "public-notice", application.version - 1),
        ]
        recorded = AuditEntry.objects.filter(object_ref=f"application:{application.code}").order_by("-pk")
        assert [row.action for row in recorded[:2]] == ["reviews.confirm", "reviews.publish"]
        assert application.stage_since == end_of(notice.ends_on) + timedelta(hours=9)


def test_one_that_was_acted_on_meanwhile_keeps_all_from_the_notice(world, one_and_five):
    five = one_and_five[1]
    Application.objects.filter(pk=five[3].pk).update(version=five[3].version + 1)

    with pytest.raises(ReviewRefused) as why:
        published(world, five)

    assert why.value.code == "stale"
    assert not Act.objects.filter(action=Action.PUBLISH).exists()


def test_the_same_application_stands_once_in_a_notice(world, one_and_five):
    with pytest.raises(ReviewRefused) as why:
        published(world, one_and_five[0] * 2)
    assert why.value.code == "listed_twice"


# ---- reminders --------------------------------------------------------------------------------


def test_reminders_take_the_same_queries_for_five_as_for_one(world):
    def reminded(works):
        round_ = worlds.round_of(world, worlds.CHONGQING, 2025 + len(works) // 5)
        for each in works:
            worlds.handed_in(world, round_, each)
        Application.objects.filter(round=round_).update(due_on=NOW.date())
        return counted(messages.remind, by=operator(), now=NOW)

    of_one, of_five = reminded([world.works]), reminded(applicants(world, 5))
    assert of_five[0].applications > of_one[0].applications > 0
    assert of_five[1] == of_one[1]
