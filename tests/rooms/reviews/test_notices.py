"""A public notice runs all its working days; what is said against it is heard before anybody is recognised."""

from datetime import date, timedelta

import pytest
from django.db import DatabaseError, connection, transaction

from tests.conftest import NOW
from tests.rooms.reviews import world as worlds
from wufei.catalogue.working_days import is_working_day, nth_working_day, working_days_between
from wufei.registry.queries import NotPermitted
from wufei.reviews.clock import end_of
from wufei.reviews.models import NoticeItem, Objection, PublicNotice
from wufei.reviews.queries.notices import working_days_of
from wufei.reviews.refusals import ReviewRefused
from wufei.reviews.services import notices
from wufei.reviews.stages import Action, Outcome

# Tuesday before the National Day of 2026: off 1 to 7 October, worked on Saturday 10 October.
EVE = NOW.replace(year=2026, month=9, day=29)


@pytest.fixture
def world(db):
    made = worlds.build()
    made.now = EVE
    return made


@pytest.fixture
def two(world):
    round_ = worlds.round_of(world, worlds.CHONGQING_FACTORY, deadline=date(2026, 12, 1), now=EVE)
    works = (world.works, worlds.applicant(world, "綦江铝业有限公司"))
    return [
        worlds.advance(world, worlds.handed_in(world, round_, w), "public-notice", now=EVE) for w in works
    ]


def published(world, applications, *, now=EVE, by="CITY_INDUSTRY", **said):
    ordinary = {"title": "关于拟认定名单的公示", "text": "现予公示。", "contact": "023-00000000"}
    return notices.publish_notice(
        round_=applications[0].round,
        applications=applications,
        by=world.people[by],
        now=now,
        **(ordinary | said),
    )


def objected(notice, *, position=1, now=EVE + timedelta(days=1), **said):
    ordinary = {"name": "李四", "contact": "13800000000", "words": "该厂去年受过处罚。"}
    return notices.object_to(item=notice.items.get(position=position), now=now, **(ordinary | said))


def after_the_end(notice):
    return end_of(notice.ends_on) + timedelta(hours=9)


def code_of(why) -> str:
    return why.value.code


def test_five_working_days_are_counted_over_the_holiday_and_the_worked_saturday(world, two):
    notice = published(world, two)

    # 30 September, 8, 9, 10 (a Saturday that is worked) and 12 October.
    assert (notice.begins_on, notice.ends_on) == (date(2026, 9, 29), date(2026, 10, 12))
    assert [item.name_shown for item in notice.items.order_by("position")] == [
        "綦江建材有限公司",
        "綦江铝业有限公司",
    ]


def test_nobody_goes_on_before_the_last_day_has_ended(world, two):
    notice = published(world, two)
    for now in (EVE, end_of(notice.ends_on) - timedelta(seconds=1)):
        with pytest.raises(ReviewRefused) as why:
            notices.clear_notice(notice=notice, by=world.people["CITY_INDUSTRY"], now=now)
        assert code_of(why) == "notice_running"
        with pytest.raises(ReviewRefused) as why:
            worlds.act(world, two[0], "CITY_INDUSTRY", Action.CONFIRM, now=now)
        assert code_of(why) == "notice_running"

    cleared = notices.clear_notice(
        notice=notice, by=world.people["CITY_INDUSTRY"], now=end_of(notice.ends_on)
    )
    assert {application.stage for application in cleared} == {"decision"}


def test_an_open_objection_holds_all_back_until_it_is_decided(world, two):
    notice = published(world, two)
    objection = objected(notice)
    now, by = after_the_end(notice), world.people["CITY_INDUSTRY"]
    with pytest.raises(ReviewRefused) as why:
        notices.clear_notice(notice=notice, by=by, now=now)
    assert code_of(why) == "objection_open"
    assert not NoticeItem.objects.exclude(application__stage="public-notice").exists()

    notices.decide_objection(objection=objection, is_upheld=False, words="经核实不属实。", by=by, now=now)
    assert len(notices.clear_notice(notice=notice, by=by, now=now)) == 2


def test_an_upheld_objection_takes_the_application_off_the_list_and_the_other_goes_on(world, two):
    notice = published(world, two)
    objection = objected(notice)
    now, by = after_the_end(notice), world.people["CITY_INDUSTRY"]

    notices.decide_objection(
        objection=objection, is_upheld=True, words="处罚属实，不符合申报条件。", removes=True, by=by, now=now
    )
    [cleared] = notices.clear_notice(notice=notice, by=by, now=now)

    removed = notice.items.get(position=1)
    assert (removed.removed_reason, removed.application.outcome) == (
        "异议成立：处罚属实，不符合申报条件。", Outcome.REMOVED,
    )  # fmt: skip
    assert cleared == two[1]


def test_an_objection_is_decided_once_and_never_changes(world, two):
    notice, by = published(world, two), world.people["CITY_INDUSTRY"]
    objection = objected(notice)
    notices.decide_objection(objection=objection, is_upheld=False, words="不属实。", by=by, now=EVE)

    with pytest.raises(ReviewRefused) as why:
        notices.decide_objection(objection=objection, is_upheld=True, words="又属实。", by=by, now=EVE)
    assert code_of(why) == "already_decided"
    with pytest.raises(DatabaseError, match="final"), transaction.atomic():
        connection.cursor().execute("UPDATE reviews_objection SET decision_words = 'x'")


def test_after_the_notice_nothing_is_taken_in_and_on_its_last_day_it_still_is(world, two):
    notice = published(world, two)
    last = end_of(notice.ends_on)

    assert objected(notice, now=last - timedelta(seconds=1)).received_at < last
    with pytest.raises(ReviewRefused) as why:
        objected(notice, now=last)
    assert code_of(why) == "notice_over"


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"name": " "}, "contact_missing"),
        ({"contact": ""}, "contact_missing"),
        ({"words": ""}, "words_missing"),
        ({"words": "长" * 5001}, "words_too_long"),
        ({"files": [("a.pdf", worlds.PDF)] * 6}, "too_many_files"),
    ],
)
def test_an_unsound_objection_is_refused_and_leaves_nothing(world, two, said, code):
    notice = published(world, two)

    with pytest.raises(ReviewRefused) as why:
        objected(notice, **said)

    assert code_of(why) == code
    assert not Objection.objects.exists()


def test_a_notice_put_off_ends_later_and_is_never_cut_short(world, two):
    notice, by = published(world, two), world.people["CITY_INDUSTRY"]
    for ends_on in (notice.ends_on, notice.ends_on - timedelta(days=1)):
        with pytest.raises(ReviewRefused) as why:
            notices.extend_notice(notice=notice, ends_on=ends_on, reason="核实异议", by=by, now=EVE)
        assert code_of(why) == "deadline_in_past"

    later = notices.extend_notice(
        notice=notice, ends_on=date(2026, 10, 20), reason="核实异议", by=by, now=EVE
    )

    assert (later.ends_on, later.extensions.get().reason) == (date(2026, 10, 20), "核实异议")
    assert objected(later, now=end_of(date(2026, 10, 19)))
    with pytest.raises(ReviewRefused) as why:
        notices.extend_notice(
            notice=later, ends_on=date(2026, 11, 1), reason="迟了", by=by, now=after_the_end(later)
        )
    assert code_of(why) == "notice_over"


@pytest.mark.parametrize(
    ("ends_on", "code"),
    [
        (date(2026, 10, 17), "not_a_working_day"),  # a Saturday
        (date(2026, 10, 18), "not_a_working_day"),
        (date(2031, 10, 20), "year_not_loaded"),
    ],
)
def test_a_notice_is_put_off_to_a_working_day_that_the_calendar_knows(world, two, ends_on, code):
    notice, by = published(world, two), world.people["CITY_INDUSTRY"]

    with pytest.raises(ReviewRefused) as why:
        notices.extend_notice(notice=notice, ends_on=ends_on, reason="核实异议", by=by, now=EVE)

    assert code_of(why) == code
    assert not notice.extensions.exists()


def test_a_notice_is_put_off_to_a_swapped_saturday_and_counts_its_days_anew(world, two):
    notice, by = published(world, two), world.people["CITY_INDUSTRY"]
    first = working_days_of(notice)
    saturday = date(2026, 10, 10)
    assert is_working_day(saturday)
    if saturday <= notice.ends_on:
        saturday = nth_working_day(notice.ends_on, 2)
    later = notices.extend_notice(notice=notice, ends_on=saturday, reason="核实异议", by=by, now=EVE)
    assert (first, working_days_of(later)) == (5, working_days_between(notice.begins_on, saturday))
    assert working_days_of(later) > 5


@pytest.mark.parametrize("words", ["", "不符合", "不 符 合 要 求 啊 啊", "１２３４５６７８９"])
def test_nobody_is_taken_off_the_list_without_a_reason_that_says_something(world, two, words):
    notice, by = published(world, two), world.people["CITY_INDUSTRY"]
    objection = objected(notice)
    for act in (
        lambda: notices.remove_item(item=objection.item, words=words, by=by, now=EVE),
        lambda: notices.decide_objection(
            objection=objection, is_upheld=True, words=words, removes=True, by=by, now=EVE
        ),
    ):
        with pytest.raises(ReviewRefused) as why:
            act()
        assert code_of(why) == ("words_too_short" if words else "words_missing")
    objection.refresh_from_db()
    assert (objection.decision, notice.items.filter(removed_at=None).count()) == ("", 2)


def test_a_list_goes_up_whole_or_not_at_all(world, two):
    early = worlds.handed_in(world, two[0].round, worlds.applicant(world, "綦江水泥有限公司"))

    with pytest.raises(ReviewRefused) as why:
        published(world, [*two, early])

    assert code_of(why) in ("stage_moved_on", "not_your_stage")
    assert not PublicNotice.objects.exists()


@pytest.mark.parametrize(
    "person", ["applicant", "DISTRICT_INDUSTRY", "CITY_ENVIRONMENT", "expert1", "nobody"]
)
def test_only_who_runs_the_round_puts_up_puts_off_decides_and_clears(world, two, person):
    with pytest.raises(NotPermitted):
        published(world, two, by=person)
    notice = published(world, two)
    objection, by = objected(notice), world.people[person]
    for forbidden in (
        lambda: notices.extend_notice(notice=notice, ends_on=date(2026, 11, 1), reason="x", by=by, now=EVE),
        lambda: notices.decide_objection(objection=objection, is_upheld=False, words="x", by=by, now=EVE),
        lambda: notices.remove_item(item=objection.item, words="x", by=by, now=EVE),
        lambda: notices.clear_notice(notice=notice, by=by, now=after_the_end(notice)),
    ):
        with pytest.raises(NotPermitted):
            forbidden()
