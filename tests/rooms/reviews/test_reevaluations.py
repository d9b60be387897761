"""The yearly re-evaluation: answers, the bottom with its proof, who has not answered."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from io import BytesIO
from random import Random

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from openpyxl import load_workbook

from tests.conftest import NOW
from tests.rooms.reviews import world as worlds
from tests.rooms.reviews.titles import answered, given, happened
from wufei.policies.queries import edition
from wufei.registry.queries import NotPermitted
from wufei.reviews.models import Message, Reevaluation
from wufei.reviews.queries.reevaluations import as_document, reevaluation
from wufei.reviews.queries.reevaluations_paged import YearPaged
from wufei.reviews.queries.register import titles_seen_by
from wufei.reviews.refusals import ReviewRefused
from wufei.reviews.services import reevaluations as services
from wufei.reviews.services.register import warn_holder

F2024, F2026 = worlds.CHONGQING_FACTORY_2024, worlds.CHONGQING_FACTORY
NOT_ANSWERED = f"{F2026}/lifecycle-re-evaluation"


@pytest.fixture
def world(db):
    return worlds.build(experts=0, second_officers=False)


@pytest.fixture
def titles(world):
    """Forty titles given in 2022, T01 to T40."""
    return {
        f"T{n:02d}": given(world, worlds.organisation(f"企业{n:02d}"), f"T{n:02d}", on=date(2022, 5, 10))
        for n in range(1, 41)
    }


def play(world, titles, years, *, besides=None):
    """Let each title answer with its number as the score; `besides` is what is otherwise: (number, year)."""
    for year in years:
        for n, (number, title) in enumerate(titles.items(), 1):
            score = (besides or {}).get((number, year), str(50 + n))
            if score != "skip":
                answered(world, title, year, score)


def result(year=2026, of=F2026):
    return as_document(reevaluation(edition(of), year))


def due(year=2026):
    return [row["number"] for row in result(year)["removals_due"]]


def test_who_is_in_the_bottom_three_years_running_is_due_with_the_proof(world, titles):
    play(world, titles, (2024, 2025, 2026))

    said = result()

    assert (said["population"], said["allowed"], said["cut"], said["bottom"]) == (
        40,
        2,
        "52",
        ["T01", "T02"],
    )
    assert [row["number"] for row in said["removals_due"]] == ["T01", "T02"]
    assert said["removals_due"][0]["proof"]["years"] == [
        {"year": year, "population": 40, "allowed": 2, "cut": "52", "score": "51", "rank": 40}
        for year in (2024, 2025, 2026)
    ]
    first, last = said["scores"][0], said["scores"][-1]
    assert first == {
        "number": "T40", "organisation": titles["T40"].organisation.uscc, "holder": "企业40",
        "score": "90", "rank": 1, "in_bottom": False, "years_in_bottom": 0,
    }  # fmt: skip
    assert (last["number"], last["rank"], last["in_bottom"], last["years_in_bottom"]) == ("T01", 40, True, 3)
    assert [year["year"] for year in said["years"]] == [2024, 2025, 2026]
    assert said["years"][0]["scores"][0] == {"number": "T01", "score": "51"}
    assert said["no_answer"] == []


@pytest.mark.parametrize(
    ("n", "expected"), [(19, []), (20, ["T01"]), (21, ["T01"]), (39, ["T01"]), (40, ["T01", "T02"])]
)
def test_the_number_is_of_the_year_s_own_population(world, titles, n, expected):
    play(world, dict(list(titles.items())[:n]), (2024, 2025, 2026))

    assert (result()["bottom"], due()) == (expected, expected)


def test_a_tie_at_the_boundary_never_goes_against_the_holder(world, titles):
    play(world, titles, (2024, 2025, 2026), besides={("T03", 2025): "52"})

    said = result()

    assert said["years"][1]["tied_at"] == "52"
    assert said["years"][1]["bottom"] == ["T01"]
    assert due() == ["T01"]


def test_a_skipped_year_breaks_the_run_and_is_listed_as_not_answered(world, titles):
    play(world, titles, (2024, 2025, 2026), besides={("T01", 2025): "skip"})

    assert due() == ["T02"]
    assert result(2025)["no_answer"] == [
        {
            "number": "T01", "organisation": titles["T01"].organisation.uscc, "holder": "企业01",
            "answered": False, "warned_on": None,
        }
    ]  # fmt: skip


def test_an_answer_without_a_score_counts_as_none_and_is_listed(world, titles):
    play(world, titles, (2024, 2025, 2026), besides={("T01", 2026): None})

    said = result()

    assert (said["population"], said["allowed"], said["bottom"], due()) == (39, 1, ["T02"], ["T02"])
    assert said["no_answer"] == []  # it answered
    assert [(row["number"], row["answered"]) for row in said["no_score"]] == [("T01", True)]


def test_a_newcomer_is_not_due_before_its_third_year_and_not_asked_in_its_first(world, titles):
    new = given(world, worlds.organisation("新企业"), "NEW", on=date(2025, 3, 1))
    silent = given(world, worlds.organisation("新企业2"), "SILENT", on=date(2026, 3, 1))
    play(world, titles, (2024, 2025, 2026))
    for year in (2025, 2026):
        answered(world, new, year, "1")

    assert result()["bottom"] == ["NEW", "T01"]
    assert due() == ["T01"]
    assert result()["no_answer"] == []
    assert silent.number in [row["number"] for row in result(2027)["no_answer"]]


def test_who_was_removed_leaves_the_population_of_later_years_and_is_not_due_again(world, titles):
    play(world, titles, (2024, 2025, 2026))
    happened(world, titles["T01"], "REMOVED", date(2026, 8, 1), cause=f"{F2026}/lifecycle-bottom")
    happened(world, titles["T02"], "REMOVED", date(2025, 8, 1), cause=f"{F2026}/lifecycle-bottom")

    said = result()

    # T01 was in force within 2026: the year's list stays what it was when it led to the removal.
    assert (said["population"], said["bottom"], due()) == (39, ["T01"], [])
    assert "T02" not in [row["number"] for row in said["scores"] + said["no_answer"]]


def test_titles_of_other_programmes_are_no_part_of_it(world, titles):
    play(world, titles, (2026,))
    other = given(world, number="M", edition=worlds.MIIT, authority="MINISTRY_INDUSTRY", level="MINISTRY")
    park = given(world, number="P", edition="chongqing-2024-4-green-park", on=date(2022, 1, 1))
    for title in (other, park):
        answered(world, title, 2026, "1")

    assert result()["population"] == 40


def test_an_edition_without_the_rule_says_so(world):
    with pytest.raises(ReviewRefused) as refused:
        reevaluation(edition(worlds.MIIT), 2026)

    assert refused.value.code == "edition_has_no_bottom_rule"


def test_the_list_asks_the_same_number_of_queries_for_one_title_and_for_forty(world, titles):
    answered(world, titles["T01"], 2026, "1")
    with CaptureQueriesContext(connection) as one:
        result()
    play(world, dict(list(titles.items())[1:]), (2024, 2025, 2026))
    with CaptureQueriesContext(connection) as forty:
        result()

    assert len(one) == len(forty) == 3


# ---- not answered


def test_who_does_not_answer_after_a_warning_is_due_for_removal(world, titles):
    play(world, titles, (2026,), besides={("T05", 2026): "skip", ("T06", 2026): "skip"})
    warn_holder(
        title=titles["T05"], cause=NOT_ANSWERED, year=2026, words="限期完成。", now=NOW,
        by=world.people["CITY_INDUSTRY"],
    )  # fmt: skip

    said = result()

    assert [(row["number"], row["warned_on"]) for row in said["no_answer"]] == [
        ("T05", "2026-07-01"),
        ("T06", None),
    ]
    assert [(row["number"], row["reason"]) for row in said["removals_due"]] == [("T05", "no_answer")]
    answered(world, titles["T05"], 2026, "70")
    assert result()["removals_due"] == []


def test_holders_are_reminded_once_a_day_of_what_they_have_not_answered(world, titles):
    play(world, titles, (2026,), besides={("T05", 2026): "skip"})
    officer = worlds.person("officer5", "ENVIRONMENT_OFFICER", titles["T05"].organisation)
    worlds.person("officer6", "ENVIRONMENT_OFFICER", titles["T06"].organisation)
    said = {"authority": world.authorities["CITY_INDUSTRY"], "edition_id": F2026, "year": 2026}

    told = [
        services.remind(by=world.people["CITY_INDUSTRY"], now=now, **said)
        for now in (NOW, NOW, datetime(2026, 7, 2, 2, tzinfo=UTC))
    ]

    assert told == [1, 0, 1]
    message = Message.objects.filter(to=officer).first()
    assert "2026-07-24" in message.text
    assert message.link == f"/o/{titles['T05'].organisation.uscc}/titles/{titles['T05'].pk}/"
    with pytest.raises(NotPermitted):
        services.remind(by=world.people["DISTRICT_INDUSTRY"], now=NOW, **said)


# ---- answering


def record(world, title, year=2026, by="applicant", edition_id=F2026):
    return services.record_reevaluation(
        title=title, edition_id=edition_id, year=year, by=world.people[by], now=NOW
    )


def test_an_answer_freezes_the_evaluation_against_the_new_edition(world):
    row = record(world, given(world))

    assert (row.edition, row.year, row.score) == (F2026, 2026, None)  # much is missing: no score but a range
    assert row.evaluation["edition"] == F2026
    assert row.evaluation["year"] == 2025
    assert Decimal(row.evaluation["score_min"]) <= Decimal(row.evaluation["score_max"])
    assert json.dumps(row.evaluation)


def test_a_year_is_answered_once_by_the_holder_of_a_title_that_stands(world):
    title = given(world)
    for person in ("CITY_INDUSTRY", "nobody"):
        with pytest.raises(NotPermitted):
            record(world, title, by=person)
    record(world, title)
    ended = given(world, number="B")
    happened(world, ended, "REMOVED", date(2026, 1, 1), cause="revocation-2-failed")

    def code(*args, **said):
        with pytest.raises(ReviewRefused) as refused:
            record(world, *args, **said)
        return refused.value.code

    assert code(title) == "already_decided" == code(ended)
    assert code(title, 2027) == "year_absurd" == code(title, 2023)
    assert code(title, 2025, edition_id=worlds.MIIT) == "edition_of_another_programme"
    assert Reevaluation.objects.count() == 1


def test_a_title_that_was_handed_on_is_answered_by_its_new_holder(world):
    title, second = given(world), worlds.applicant(world, "承继公司")
    happened(world, title, "REORGANISED", date(2025, 6, 1), second)
    world.people["second"] = world.applicant_of(second)

    with pytest.raises(NotPermitted):
        record(world, title)
    assert record(world, title, by="second").evaluation["subject"] == second.uscc


# ---- page by page


def a_history(world, chance):
    """Make titles of which some tie, skip years, answer without a score, ended, expired, were warned or are another's."""
    made = {}
    for n in range(1, 31):
        year = chance.choice((2021, 2022, 2023, 2024, 2025, 2026))
        said = {"valid_to": date(2025, 6, 1)} if chance.random() < 0.1 and year < 2025 else {}
        number = f"R{n:02d}"
        made[number] = title = given(
            world, worlds.organisation(f"企业{n:02d}", division=chance.choice((worlds.DISTRICT, worlds.PROVINCE_CITY))),
            number, on=date(year, 5, 10), edition=chance.choice((F2024, F2026)),
            authority=chance.choice(("CITY_INDUSTRY", "CITY_INDUSTRY", "PROVINCE_INDUSTRY")), **said,
        )  # fmt: skip
        for answer in range(max(year - 1, 2023), 2027):  # also before it was given, which counts for nothing
            if chance.random() < 0.7:
                score = str(chance.randint(1, 6)) if chance.random() < 0.9 else None
                answered(world, title, answer, score)
        if chance.random() < 0.5:
            happened(
                world,
                title,
                "WARNED",
                date(2026, 6, 1),
                cause=f"{NOT_ANSWERED}#{chance.choice((2025, 2026))}",
            )
        if chance.random() < 0.4:
            happened(
                world, title, "REMOVED", date(chance.choice((2025, 2026)), 6, 1), cause="bottom_three_years"
            )
    return made


def paged_as_whole(whole, paged, seen, size):
    """Assert that the pages together say what the whole list says of the titles that the authority works with."""
    lines = [line for start in range(1, paged.line_count() + 1, size) for line in paged.lines(start, size)]
    assert lines == [line for line in whole.lines if line.title.pk in seen]
    keys = paged.due_keys()
    due = [each for start in range(0, len(keys), size) for each in paged.due(keys[start : start + size])]
    assert due == [each for each in whole.removals_due if each.title.pk in seen]
    silent = [
        each for start in range(1, paged.silent_count() + 1, size) for each in paged.silent(start, size)
    ]
    assert silent == [each for each in whole.no_answer if each.title.pk in seen]
    for year, of in paged.by_year.items():
        full = whole.by_year[year]
        assert (of.population, of.allowed, of.in_bottom, of.cut, of.tied_at) == (
            len(full.scores), full.allowed, len(full.bottom), full.cut, full.tied_at,
        )  # fmt: skip


@pytest.mark.parametrize("seed", range(8))
def test_the_pages_say_together_what_the_whole_list_says(world, monkeypatch, seed):
    chance = Random(seed)
    a_history(world, chance)
    share = Decimal(chance.choice((0, 5, 20, 40, 60, 100)))
    for module in ("reevaluations", "reevaluations_paged"):
        monkeypatch.setattr(
            f"wufei.reviews.queries.{module}.rule_of", lambda edition, year: (share, 2 + seed % 2)
        )
    for year in (2024, 2025, 2026):
        whole = reevaluation(edition(F2026), year)
        for authority in ("CITY_INDUSTRY", "DISTRICT_INDUSTRY", "PROVINCE_INDUSTRY"):
            seen = set(
                titles_seen_by(authority=world.authorities[authority], at=date.max).values_list(
                    "pk", flat=True
                )
            )
            paged = YearPaged(edition=edition(F2026), year=year, authority=world.authorities[authority])
            paged_as_whole(whole, paged, seen, size=chance.choice((1, 4, 50)))


def the_page(client, world, **asked):
    address = reverse("reviews:years-reevaluation", args=[world.authorities["CITY_INDUSTRY"].uscc])
    client.force_login(world.people["CITY_INDUSTRY"])
    return client.get(address, {"edition": F2026, "year": 2026} | asked)


def test_the_page_shows_the_first_of_each_part_and_leads_to_all_of_it(client, world, titles, monkeypatch):
    monkeypatch.setattr("wufei.reviews.views.reevaluations.FIRST", 3)
    monkeypatch.setattr("wufei.reviews.views.reevaluations.ROWS_PER_PAGE", 8)
    play(world, dict(list(titles.items())[:20]), (2024, 2025, 2026))

    page = the_page(client, world)
    text = page.content.decode()
    assert [len(page.context[part]) for part in ("due", "silent", "lines")] == [1, 3, 8]
    assert (page.context["silent_count"], "全部 20 个" in text) == (20, True)
    assert [line.rank for line in the_page(client, world, page=3).context["lines"]] == [17, 18, 19, 20]

    found = [
        each.title.number
        for number in (1, 2, 3)
        for each, _ in the_page(client, world, part="silent", page=number).context["silent"]
    ]
    assert found == [f"T{n}" for n in range(21, 41)]
    alone = the_page(client, world, part="due")
    assert [each.title.number for each, _ in alone.context["due"]] == ["T01"]
    assert "lines" not in alone.context
    exported = the_page(client, world, export="xlsx")
    assert load_workbook(BytesIO(exported.content)).active.max_row >= 21


def test_the_page_takes_the_same_queries_for_twenty_titles_and_for_forty(client, world, titles):
    play(world, dict(list(titles.items())[:20]), (2024, 2025, 2026))
    with CaptureQueriesContext(connection) as twenty:
        assert len(the_page(client, world).context["due"]) == 1
    for n, (number, title) in enumerate(list(titles.items())[20:], 21):
        for year in (2024, 2025, 2026):
            answered(world, title, year, "1" if number == "T40" else str(50 + n))
    with CaptureQueriesContext(connection) as forty:
        assert len(the_page(client, world).context["due"]) == 2
    assert len(forty) <= len(twenty)


def test_the_export_holds_what_the_authority_sees_and_no_more(client, world):
    own = given(world, worlds.organisation("本市企业"), "T-OWN")
    others = given(
        world,
        worlds.organisation("外省企业", division=worlds.PROVINCE_CITY),
        "T-OTHER",
        authority="PROVINCE_INDUSTRY",
    )
    for title in (own, others):
        answered(world, title, 2026, "60")
    sheet = load_workbook(BytesIO(the_page(client, world, export="xlsx").content)).active
    cells = {cell for row in sheet.iter_rows(values_only=True) for cell in row}
    assert "T-OWN" in cells
    assert "T-OTHER" not in cells
