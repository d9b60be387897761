"""Rounds: from the call to its end; what the pages of a round show, and to whom."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from tests.conftest import NOW
from tests.rooms.reviews import world as worlds
from wufei.registry.queries import NotPermitted
from wufei.reviews.models import Application, Round, RoundDocument
from wufei.reviews.queries import rounds as queries
from wufei.reviews.queries.rounds_recommending import recommendation_list
from wufei.reviews.refusals import ReviewRefused
from wufei.reviews.services import rounds as services
from wufei.reviews.services.rounds_recommending import put_in_order


@pytest.fixture
def world(db):
    return worlds.build(second_officers=True)


@pytest.fixture(autouse=True)
def files(tmp_path, settings):
    described = {**settings.STORAGES["default"], "OPTIONS": {"location": tmp_path}}
    settings.STORAGES = {**settings.STORAGES, "default": described}


def client_of(world, person: str) -> Client:
    client = Client()
    client.force_login(world.people[person])
    return client


def ended_before_now(monkeypatch):
    from django.utils import timezone

    monkeypatch.setattr(timezone, "now", lambda: NOW)


@pytest.fixture(autouse=True)
def today_is_the_first_of_july(monkeypatch):
    ended_before_now(monkeypatch)


def test_an_authority_opens_edits_and_publishes_a_round_on_its_pages(world):
    client = client_of(world, "CITY_INDUSTRY")
    authority = world.authorities["CITY_INDUSTRY"]
    said = {"edition": worlds.CHONGQING, "year": "2026", "authority": authority.uscc, "title": "2026年度征集"}

    opened = client.post(reverse("reviews:open-round"), said)
    made = Round.objects.get()
    assert opened.headers["Location"] == reverse("reviews:edit-round", args=[made.pk])
    edited = client.post(
        reverse("reviews:edit-round", args=[made.pk]),
        {
            "version": made.version, "title": "2026年度征集", "addressees": "各区县", "notice_text": "现予征集。",
            "submission_deadline": "2026-08-31", "grace_minutes": "15", "quota_per-province": "4",
        },
    )  # fmt: skip
    assert edited.status_code == 302
    client.post(reverse("reviews:publish-round", args=[made.pk]))

    made.refresh_from_db()
    assert (made.notice_text, made.submission_deadline, made.quotas) == (
        "现予征集。", date(2026, 8, 31), {"per-province": 4},
    )  # fmt: skip
    assert (made.published_at, made.published_by) == (NOW, world.people["CITY_INDUSTRY"])
    assert "现予征集。" in client.get(reverse("reviews:round", args=[made.pk])).content.decode()


def test_whoever_edits_a_stale_notice_is_told_and_loses_nothing_typed(world):
    made = worlds.round_of(world, publish=False)
    said = {"title": "甲", "addressees": "", "notice_text": "我写的", "submission_deadline": "2026-08-31",
            "grace_minutes": "15", "quota_per-province": "5"}  # fmt: skip
    services.edit_round(
        round_=made, version=made.version, changes={"title": "乙"}, by=world.people["CITY_INDUSTRY"], now=NOW
    )
    answer = client_of(world, "CITY_INDUSTRY_2").post(
        reverse("reviews:edit-round", args=[made.pk]), said | {"version": made.version}
    )

    assert answer.status_code == 409
    assert "我写的" in answer.content.decode()
    assert Round.objects.get().title == "乙"


def test_a_deadline_in_the_past_and_a_quota_below_its_use_are_refused(world):
    made = worlds.round_of(world, worlds.GUANGDONG)
    works = worlds.applicant(world, "广州甲", worlds.PROVINCE_CITY)
    worlds.advance(world, worlds.handed_in(world, made, works), "provincial-recommendation")
    by = world.people["PROVINCE_INDUSTRY"]
    for changes, code in (
        ({"submission_deadline": date(2026, 6, 30)}, "deadline_in_past"),
        ({"quotas": {"per-city": 0}}, "quota_below_use"),
    ):
        made.refresh_from_db()
        with pytest.raises(ReviewRefused) as refused:
            services.edit_round(round_=made, version=made.version, changes=changes, by=by, now=NOW)
        assert refused.value.code == code
    assert queries.quotas_of(round_=made)[0].used == 1


def test_only_who_runs_the_round_may_change_it(world):
    made = worlds.round_of(world)
    for person in ("DISTRICT_INDUSTRY", "applicant", "CITY_ENVIRONMENT", "PROVINCE_INDUSTRY", "nobody"):
        client = client_of(world, person)
        for route in ("edit-round", "admit-late"):
            assert client.get(reverse(f"reviews:{route}", args=[made.pk])).status_code == 403, person
        for route in ("publish-round", "close-round", "add-document"):
            assert client.post(reverse(f"reviews:{route}", args=[made.pk])).status_code == 403, person
        with pytest.raises(NotPermitted):
            services.close_round(round_=made, by=world.people[person], now=NOW)
    assert Round.objects.get().closed_at is None


def test_an_unpublished_round_is_not_there_for_others(world):
    made = worlds.round_of(world, publish=False)
    seen = {p: client_of(world, p).get(reverse("reviews:round", args=[made.pk])).status_code
            for p in ("CITY_INDUSTRY", "DISTRICT_INDUSTRY", "applicant")}  # fmt: skip
    assert seen == {"CITY_INDUSTRY": 200, "DISTRICT_INDUSTRY": 404, "applicant": 404}


def test_a_late_organisation_is_admitted_by_name_with_the_reason(world):
    made = worlds.round_of(world)
    said = {"uscc": world.works.uscc, "until": "2026-09-01", "reason": "系统故障"}
    answer = client_of(world, "CITY_INDUSTRY").post(reverse("reviews:admit-late", args=[made.pk]), said)
    assert answer.status_code == 302
    row = made.late_admissions.get()
    assert (row.organisation, row.reason, row.by) == (world.works, "系统故障", world.people["CITY_INDUSTRY"])


def three_in_a_round(world):
    made = worlds.round_of(world)
    first = worlds.handed_in(world, made)
    second = worlds.handed_in(world, made, worlds.applicant(world, "乙厂", worlds.DISTRICT))
    third = worlds.handed_in(world, made, worlds.applicant(world, "丙厂", worlds.OTHER_DISTRICT))
    worlds.advance(world, second, "city-experts", now=NOW + timedelta(days=3))
    for role in ("DISTRICT_INDUSTRY", "DISTRICT_ENVIRONMENT"):
        worlds.act(world, third, role, "DISAGREE")
    return made, first, second, third


def test_the_status_counts_every_application_once(world):
    made, *_ = three_in_a_round(world)
    status = queries.status_of(round_=made)
    assert {row.id: row.count for row in status.stages if row.count} == {
        "district-recommendation": 1, "city-experts": 1,
    }  # fmt: skip
    assert (dict(status.outcomes), status.applications) == ({"REJECTED": 1}, 3)


def test_the_status_takes_one_query(world, django_assert_num_queries):
    made, *_ = three_in_a_round(world)
    with django_assert_num_queries(1):
        queries.status_of(round_=made)


def test_the_funnel_says_who_reached_what_and_in_how_many_days(world):
    made, *_ = three_in_a_round(world)
    found = queries.statistics(round_=made)
    by_id = {row.id: row for row in found.stages}
    assert [by_id[s].reached for s in ("self-check", "district-recommendation", "site-check", "city-experts")] == [
        3, 3, 1, 1,
    ]  # fmt: skip
    # one waited three days for both opinions, one was refused at once
    assert by_id["district-recommendation"].mean_days == Decimal("1.5")
    assert by_id["district-recommendation"].ended_there == 1
    assert [(s.code, s.applications, s.not_selected) for s in found.districts] == [
        (worlds.DISTRICT, 2, 0), (worlds.OTHER_DISTRICT, 1, 1),
    ]  # fmt: skip
    assert [(s.code, s.applications) for s in found.industries] == [("", 2), ("30", 1)]


def test_a_district_sees_the_numbers_of_its_own_alone(world):
    made, *_ = three_in_a_round(world)
    page = client_of(world, "OTHER_DISTRICT_INDUSTRY").get(reverse("reviews:round", args=[made.pk]))
    assert page.context["status"].applications == 1
    assert (
        client_of(world, "applicant").get(reverse("reviews:round", args=[made.pk])).context["status"] is None
    )
    refused = client_of(world, "applicant").get(reverse("reviews:round", args=[made.pk]) + "?part=statistics")
    assert refused.status_code == 404
    shown = client_of(world, "CITY_INDUSTRY").get(
        reverse("reviews:round", args=[made.pk]) + "?part=statistics"
    )
    assert "綦江区" in shown.content.decode()


def test_who_runs_the_round_is_told_what_has_not_come_to_its_level(world):
    made, *_ = three_in_a_round(world)
    page = client_of(world, "CITY_INDUSTRY").get(reverse("reviews:round", args=[made.pk]))
    status = page.context["status"]
    listed = client_of(world, "CITY_INDUSTRY").get(reverse("reviews:applications", args=[made.pk]))
    assert (status.applications, status.not_yet, listed.context["listing"]["page"].paginator.count) == (
        3,
        2,
        1,
    )
    assert {row.id: (row.count, row.not_yet) for row in status.stages if row.count} == {
        "district-recommendation": (1, 1), "city-experts": (1, 0),
    }  # fmt: skip
    assert dict(status.outcomes_not_yet) == {"REJECTED": 1}
    assert "其中 2 件还没有到您这一级" in page.content.decode()
    district = client_of(world, "DISTRICT_INDUSTRY").get(reverse("reviews:round", args=[made.pk]))
    assert (district.context["status"].applications, district.context["status"].not_yet) == (2, 0)
    assert "还没有到您这一级" not in district.content.decode()


def test_the_funnel_is_worked_out_again_after_every_act(world):
    made, first, *_ = three_in_a_round(world)

    def reached() -> dict[str, tuple[int, int]]:
        return {row.id: (row.reached, row.ended_there) for row in queries.statistics(round_=made).stages}

    before = reached()
    assert reached() == before
    for role in ("DISTRICT_INDUSTRY", "DISTRICT_ENVIRONMENT"):
        worlds.act(world, first, role, "AGREE")
    assert (before["site-check"], reached()["site-check"]) == ((1, 0), (2, 0))


def test_the_list_of_rounds_takes_the_same_queries_for_one_and_for_three(
    world, django_assert_max_num_queries
):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client = client_of(world, "CITY_INDUSTRY")

    def asked() -> int:
        with CaptureQueriesContext(
            connection,
        ) as caught:
            assert client.get(reverse("reviews:rounds")).status_code == 200
        return len(caught)

    worlds.round_of(world, year=2024)
    asked()
    before = asked()
    worlds.round_of(world, year=2025)
    worlds.round_of(world, year=2026)
    assert asked() == before


def test_a_file_of_a_round_is_read_by_those_it_is_for(world):
    made = worlds.round_of(world)
    sealed = reverse(
        "reviews:sealed-recommendation", args=[made.pk, world.authorities["DISTRICT_INDUSTRY"].uscc]
    )
    file = SimpleUploadedFile("推荐.pdf", worlds.PDF)
    assert client_of(world, "DISTRICT_INDUSTRY").post(sealed, {"file": file}).status_code == 302
    row = RoundDocument.objects.get()
    assert (row.kind, row.authority) == ("recommendation", world.authorities["DISTRICT_INDUSTRY"])
    address = reverse("reviews:round-document", args=[made.pk, row.pk])
    seen = {p: client_of(world, p).get(address).status_code
            for p in ("CITY_INDUSTRY", "DISTRICT_INDUSTRY", "OTHER_DISTRICT_INDUSTRY", "applicant")}  # fmt: skip
    assert seen == {
        "CITY_INDUSTRY": 200,
        "DISTRICT_INDUSTRY": 200,
        "OTHER_DISTRICT_INDUSTRY": 404,
        "applicant": 404,
    }
    other = reverse(
        "reviews:sealed-recommendation", args=[made.pk, world.authorities["OTHER_DISTRICT_INDUSTRY"].uscc]
    )
    assert client_of(world, "DISTRICT_INDUSTRY").post(other, {"file": file}).status_code == 404


def test_a_recommendation_list_is_in_the_order_given_and_says_what_is_over_the_quota(world):
    made = worlds.round_of(world, worlds.GUANGDONG)
    authority = world.authorities["PROVINCE_CITY_INDUSTRY"]
    three = [
        worlds.handed_in(world, made, worlds.applicant(world, f"广州{n}", worlds.PROVINCE_CITY))
        for n in "甲乙丙"
    ]
    worlds.advance(world, three[0], "provincial-recommendation")
    found = recommendation_list(round_=made, authority=authority)
    assert [(r.application.pk, r.has_passed, r.is_over) for r in found.rows] == [
        (three[0].pk, True, False), (three[1].pk, False, False), (three[2].pk, False, True),
    ]  # fmt: skip
    assert (found.cap, found.used, found.over, found.is_placed) == (2, 1, 1, False)

    page = reverse("reviews:recommendations", args=[made.pk, authority.uscc])
    said = {f"position-{a.code}": str(3 - n) for n, a in enumerate(three)}
    assert client_of(world, "PROVINCE_CITY_INDUSTRY").post(page, said).status_code == 302
    found = recommendation_list(round_=made, authority=authority)
    assert [r.application.pk for r in found.rows] == [a.pk for a in reversed(three)]
    assert client_of(world, "PROVINCE_CITY_INDUSTRY").get(page + "?export=xlsx").status_code == 200
    assert client_of(world, "PROVINCE_INDUSTRY").get(page).status_code == 404
    with pytest.raises(ReviewRefused) as refused:
        put_in_order(
            round_=made, authority=authority, codes=["2026-000-00001"], by=world.people["PROVINCE_CITY_INDUSTRY"],
            now=NOW,
        )  # fmt: skip
    assert refused.value.code == "not_a_candidate"


def test_a_row_moves_to_any_place_of_the_recommendation_list_from_any_page(world, monkeypatch):
    monkeypatch.setattr("wufei.reviews.views.rounds_recommending.ROWS_PER_PAGE", 2)
    made = worlds.round_of(world, worlds.GUANGDONG)
    authority, officer = (
        world.authorities["PROVINCE_CITY_INDUSTRY"],
        client_of(world, "PROVINCE_CITY_INDUSTRY"),
    )
    five = [
        worlds.handed_in(world, made, worlds.applicant(world, f"广州{n}", worlds.PROVINCE_CITY)).code
        for n in "甲乙丙丁戊"
    ]
    address = reverse("reviews:recommendations", args=[made.pk, authority.uscc])

    def in_order() -> str:
        """Return the letters of the list in its order, read page by page."""
        found = ""
        for number in (1, 2, 3):
            page = officer.get(f"{address}?page={number}")
            assert (page.context["found"].total, page.context["found"].over) == (5, 3)
            for row in page.context["found"].rows:
                assert row.is_over == (row.position > 2)
                found += "甲乙丙丁戊"[five.index(row.application.code)]
            assert [row.position for row in page.context["found"].rows] == list(
                range(2 * number - 1, min(2 * number, 5) + 1)
            )
        return found

    def said(page: int, **numbers: int) -> dict[str, str]:
        """Return what the form of the page sends where these numbers were typed over those that stood there."""
        rows = officer.get(f"{address}?page={page}").context["found"].rows
        sent = {}
        for row in rows:
            letter = "甲乙丙丁戊"[five.index(row.application.code)]
            sent |= {f"was-{row.application.code}": row.position}
            sent |= {f"position-{row.application.code}": numbers.get(letter, row.position)}
        return sent

    assert in_order() == "甲乙丙丁戊"
    done = officer.post(f"{address}?page=3", said(3, 戊=1))
    assert (done.status_code, done.url, in_order()) == (302, f"{address}?page=3", "戊甲乙丙丁")
    officer.post(f"{address}?page=1", said(1, 戊=5))
    assert in_order() == "甲乙丙丁戊"
    officer.post(f"{address}?page=2", said(2, 丙=4, 丁=3))
    assert in_order() == "甲乙丁丙戊"
    officer.post(f"{address}?page=2", said(2))  # nothing typed: the order stands as it is
    assert in_order() == "甲乙丁丙戊"
    officer.post(f"{address}?page=2", said(2, 丙=3))  # twice the same number on one page
    assert in_order() == "甲乙丁丙戊"
    officer.post(f"{address}?page=2", said(2, 丁=0))
    assert in_order() == "甲乙丁丙戊"
    officer.post(f"{address}?page=2", {"by": "score"})
    assert in_order() == "甲乙丙丁戊"
    assert len(officer.get(address).context["found"].rows) == 2


def test_the_recommendation_list_takes_the_same_queries_for_one_and_for_five(world):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    made = worlds.round_of(world, worlds.GUANGDONG)
    authority, officer = (
        world.authorities["PROVINCE_CITY_INDUSTRY"],
        client_of(world, "PROVINCE_CITY_INDUSTRY"),
    )
    address = reverse("reviews:recommendations", args=[made.pk, authority.uscc])
    asked = []
    for n in "甲乙丙丁戊":
        worlds.handed_in(world, made, worlds.applicant(world, f"广州{n}", worlds.PROVINCE_CITY))
        with CaptureQueriesContext(connection) as queries_:
            officer.get(address)
        asked.append(len(queries_))
    assert asked[-1] == asked[0]


def test_a_recommendation_list_without_an_order_goes_by_the_experts_scores(world):
    made = worlds.round_of(world)
    low = worlds.advance(world, worlds.handed_in(world, made), "city-experts")
    high = worlds.handed_in(world, made, worlds.applicant(world, "乙厂"))
    high = worlds.advance(world, high, "city-experts")
    for application, points in ((low, 70), (high, 91)):
        worlds.scored(world, application, "city-experts", total=Decimal(points))
        worlds.act(world, application, "CITY_INDUSTRY", "CONCLUDE")
    found = recommendation_list(round_=made, authority=world.authorities["CITY_INDUSTRY"])
    assert [(r.application.pk, r.score) for r in found.rows] == [
        (high.pk, Decimal("91.00")), (low.pk, Decimal("70.00")),
    ]  # fmt: skip
    assert Application.objects.filter(pk=high.pk, stage="provincial-recommendation").exists()
