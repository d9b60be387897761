"""
A round of 500 cases from the call to the register, against what the script says by a count of its own.

Played once; the tests read what came of it. The last ones spoil what is counted and must see the comparison fail.
"""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import pytest
from django.conf import settings
from django.db import transaction

from tests.rooms.reviews import round_counted
from tests.rooms.reviews.round_counted import Fate, Result, Sheet, counted
from tests.rooms.reviews.round_played import CAP, CASES, DISTRICTS, WAYS, Play
from wufei.cases.models import Submission
from wufei.reviews.models import Assignment
from wufei.reviews.queries.rounds import status_of

# Without a database no store is made for the module; and one worker plays it, else each would.
pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("round of 500")]
SEED = 20260701


@dataclass(frozen=True)
class Came:
    """What came of it, as plain data."""

    fates: list[Fate]
    sheets: dict[tuple[int, str], Sheet]
    as_the_product_says: Result
    statistics: dict[str, int]
    refused: Counter[str]
    used: dict[str, int]
    notice_days: tuple[date, date]
    decided_by: Counter[str]
    submissions: Counter[int]
    panel_of_the_first: set[str]


@pytest.fixture(scope="module")
def came(django_db_setup, django_db_blocker) -> Came:
    before = settings.EDITION_FOLDERS
    settings.EDITION_FOLDERS = [Path(__file__).parent / "editions"]
    try:
        with django_db_blocker.unblock(), transaction.atomic():
            found = played()
            transaction.set_rollback(True)
    finally:
        settings.EDITION_FOLDERS = before
    return found


def played() -> Came:
    play = Play(SEED).play()
    first = Assignment.objects.filter(application__organisation=play.works[0], withdrawn_at=None)
    made = Submission.objects.filter(edition=play.round.edition)
    return Came(
        fates=play.fates, sheets=play.sheets, statistics=dict(status_of(round_=play.round).outcomes),
        as_the_product_says=Result(
            play.first_ranking, play.lines(), play.recommended, play.outcomes(), play.published_list()
        ),
        refused=play.refused, used=play.used, notice_days=play.notice_days, decided_by=play.decided_by(),
        submissions=Counter(play.case_of[key] for key in made.values_list("organisation_id", flat=True)),
        panel_of_the_first=set(first.values_list("expert__number", flat=True)),
    )  # fmt: skip


def differences(came: Came, result: Result) -> list[str]:
    """Return in which of its parts the round came out otherwise than counted."""
    return [
        part
        for part, there, ours in zip(Result._fields, came.as_the_product_says, result, strict=True)
        if there != ours
    ]


def test_the_published_list_and_the_ranking_are_those_that_were_counted_apart(came):
    ours = counted(came.fates, came.sheets, cap=CAP)
    assert differences(came, ours) == []
    assert len(ours.listed) == len(DISTRICTS) * CAP - 2
    assert came.statistics == Counter(ours.outcomes.values())


def test_all_five_hundred_came_in_and_none_was_lost(came):
    outcomes = came.as_the_product_says.outcomes
    assert len(outcomes) == sum(came.statistics.values()) == CASES
    assert "" not in outcomes.values()
    assert CASES not in outcomes, "the last came too late"
    again = WAYS["returned"] + WAYS["returned by the city"] + WAYS["withdraws and comes again"]
    assert Counter(came.submissions.values()) == {1: CASES - again, 2: again}


def test_no_district_was_given_more_places_than_it_has(came):
    places = Counter(came.fates[case].district for case in came.as_the_product_says.recommended)
    assert dict(places) == dict.fromkeys(DISTRICTS, CAP)
    assert came.used == places


def test_what_must_be_refused_was_refused(came):
    # 4 more than there are places, of each district; after the waverers' withdrawal the same again.
    wavered = sum(end == "WITHDRAWN" for end in came.as_the_product_says.outcomes.values())
    wavered -= WAYS["withdraws"] + WAYS["withdraws when scored"]
    assert came.refused == {
        "quota_used_up": len(DISTRICTS) * (4 + CAP + 4) - wavered, "round_not_open": 1, "too_late": 3,
        "seed_changed": 1, "sheets_missing": 2, "notice_running": 3, "acted_before": 1,
    }  # fmt: skip


def test_the_script_brings_all_that_a_round_is_to_hold(came):
    assert Counter(came.as_the_product_says.outcomes.values()).keys() == {
        "RECOGNISED", "REFUSED", "REMOVED", "NOT_SELECTED", "REJECTED", "WITHDRAWN",
    }  # fmt: skip
    assert came.as_the_product_says.first_ranking != came.as_the_product_says.ranking, "some wavered"
    assert all(came.decided_by[rule] for rule in ("指标水平分高者优先", "综合利用率高者优先", "unknown"))
    assert any(line.is_shared for line in came.as_the_product_says.ranking)
    assert "Z001" not in came.panel_of_the_first, "it employs that expert"


def test_the_notice_ran_five_working_days_from_the_day_after(came):
    # The deadline was 11 July, a Saturday: what was left to do was done on Sunday the 12th.
    assert came.notice_days == (date(2026, 7, 12), date(2026, 7, 17))


# ---- what is counted falsely is seen ----------------------------------------------------------------


def sheets_of(came: Came, case: int) -> dict[tuple[int, str], Sheet]:
    return {key: sheet for key, sheet in came.sheets.items() if key[0] == case}


def test_two_scores_that_are_swapped_are_seen(came):
    """A listed case and one that was passed over, given each other's sheets."""
    there = came.as_the_product_says
    first, last = there.listed[0], there.ranking[-1].case
    swapped = {key: sheet for key, sheet in came.sheets.items() if key[0] not in (first, last)}
    for one, other in ((first, last), (last, first)):
        swapped |= {(other, expert): sheet for (_, expert), sheet in sheets_of(came, one).items()}
    assert {"ranking", "outcomes", "listed"} <= set(differences(came, counted(came.fates, swapped, cap=CAP)))


def test_a_point_that_is_given_more_is_seen(came):
    key = max(came.sheets)
    more = came.sheets | {key: Sheet(came.sheets[key].total + 1, came.sheets[key].level)}
    assert "ranking" in differences(came, counted(came.fates, more, cap=CAP))


def test_a_place_more_or_fewer_is_seen(came):
    for cap in (CAP - 1, CAP + 1):
        assert "listed" in differences(came, counted(came.fates, came.sheets, cap=cap))


def test_scores_that_are_not_put_on_one_scale_are_seen(came, monkeypatch):
    monkeypatch.setattr(round_counted, "on_one_scale", lambda totals: dict(totals))
    assert {"ranking", "listed"} <= set(differences(came, counted(came.fates, came.sheets, cap=CAP)))


def changed(came: Came, **said) -> list[str]:
    """Return what differs where every fate is other in one thing; `said` tells from the fate what it would be."""
    fates = [replace(fate, **{name: to(fate) for name, to in said.items()}) for fate in came.fates]
    return differences(came, counted(fates, came.sheets, cap=CAP))


def test_ties_that_the_figure_does_not_settle_are_seen(came):
    assert "ranking" in changed(came, figure=lambda _: None, figure_later=lambda _: None)


def test_a_figure_that_is_not_the_one_handed_in_again_is_seen(came):
    assert "ranking" in changed(came, figure_later=lambda _: None)


def test_ties_that_the_level_does_not_settle_are_seen(came):
    level_alike = {key: sheet._replace(level=0) for key, sheet in came.sheets.items()}
    assert "ranking" in differences(came, counted(came.fates, level_alike, cap=CAP))


@pytest.mark.parametrize("way", ["withdraws when scored", "settled against", "rejected", "withdraws"])
def test_one_that_left_and_is_counted_as_if_it_had_not_is_seen(came, way):
    assert "outcomes" in changed(came, way=lambda fate: "settled for" if fate.way == way else fate.way)


def test_a_place_that_is_not_given_on_by_who_wavered_is_seen(came):
    assert {"recommended", "listed"} <= set(changed(came, wavers=lambda _: False))


def test_an_objection_that_removes_nobody_is_seen(came):
    there = came.as_the_product_says
    [removed] = [case for case, end in there.outcomes.items() if end == "REMOVED"]
    fates = [replace(f, lot=2.0 if case == removed else f.lot) for case, f in enumerate(came.fates)]
    assert "listed" in differences(came, counted(fates, came.sheets, cap=CAP))
