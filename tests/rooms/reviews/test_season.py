"""
R6: a whole season, simulated with a seeded clock over the services alone; each rule with a fault it must see.

In the suite a few seeds; `WUFEI_SEASONS=1000` plays as many, beginning with `WUFEI_SEASON_FIRST`.
"""

import os
from collections import Counter
from datetime import timedelta

import pytest
from django.db import IntegrityError
from django.db.models import F

from tests.rooms.reviews import season as seasons
from tests.rooms.reviews.season import Season, taken_back
from tests.rooms.reviews.season_rules import faults
from wufei.catalogue.working_days import nth_working_day
from wufei.reviews import clock, stages
from wufei.reviews.conflicts import Index
from wufei.reviews.models import Application, QuotaUse
from wufei.reviews.queries import experts as expert_queries
from wufei.reviews.services import applying, deciding, notices, sheets
from wufei.reviews.stages import Standing
from wufei.terms.day import local_day

SEASONS = int(os.environ.get("WUFEI_SEASONS", "3"))
FIRST = int(os.environ.get("WUFEI_SEASON_FIRST", "1"))
MOST = 40  # seeds in which a planted fault must show


@pytest.fixture
def ground(db):
    return seasons.people()


def test_no_season_breaks_a_rule(ground):
    counts, wrong = Counter(), {}
    for seed in range(FIRST, FIRST + SEASONS):
        with taken_back():
            season = Season(ground, seed).play()
            found = {rule: said for rule, said in faults(season).items() if said}
            if found:
                wrong[seed] = found
                print(f"seed {seed}: {found}")
            counts += season.counts
            counts["cases done"] += sum(entry.is_done for entry in season.entries)
            counts["cases"] += len(season.entries)
    print(f"seasons {SEASONS}: {dict(sorted(counts.items()))}")
    assert wrong == {}
    assert counts["cases done"] > counts["cases"] * 9 // 10


def test_the_same_seed_brings_the_same_season_and_another_another(ground):
    def digest(seed: int) -> str:
        with taken_back():
            return Season(ground, seed).play().digest()

    first = digest(FIRST)
    assert digest(FIRST) == first
    assert digest(FIRST + 1) != first


# ---- each rule sees the fault that it is there for -----------------------------------------------


controls = pytest.mark.any_database


def seen(ground, rule: str, *, first: int = 1) -> list[str]:
    """Play seeds until the rule is broken: first the one that showed it last, which saves time and no more."""
    for seed in (first, *range(1, MOST)):
        with taken_back():
            if found := faults(Season(ground, seed).play())[rule]:
                print(f"{rule}: seen with seed {seed}")
                return found
    return []


@controls
def test_a_case_that_skips_a_stage_is_seen(ground, monkeypatch):
    whole = deciding._move

    def skips(application, edition, before, then, now):
        if then.outcome is None and then.stage == "site-check":
            index = [stage.id for stage in edition.stages].index(then.stage)
            then = Standing(stage=edition.stages[index + 1].id)
        whole(application, edition, before, then, now)

    monkeypatch.setattr(deciding, "_move", skips)
    assert seen(ground, "transitions", first=3)


@controls
def test_an_act_that_is_lost_is_seen(ground):
    with taken_back():
        season = Season(ground, FIRST).play()
        row = Application.objects.filter(round__in=season.rounds, version__gt=2).first()
        Application.objects.filter(pk=row.pk).update(version=row.version + 1)
        assert faults(season)["transitions"]


@controls
def test_a_notice_cleared_a_day_early_is_seen(ground, monkeypatch):
    monkeypatch.setattr(notices, "nth_working_day", lambda day, n: nth_working_day(day, n - 1))
    assert seen(ground, "notices")


@controls
def test_a_notice_that_takes_a_holiday_for_working_days_is_seen(ground, monkeypatch):
    monkeypatch.setattr(notices, "nth_working_day", lambda day, n: day + timedelta(days=7))
    assert seen(ground, "notices", first=3)


@controls
def test_one_recognised_with_an_open_objection_is_seen(ground, monkeypatch):
    one, many = deciding.unmet_before, deciding.unmet_in_notice

    def blind(**said):
        code = one(**said)
        return "" if code == "objection_open" else code

    def blind_to_all(**said):
        return {key: code for key, code in many(**said).items() if code != "objection_open"}

    monkeypatch.setattr(deciding, "unmet_before", blind)
    monkeypatch.setattr(deciding, "unmet_in_notice", blind_to_all)
    assert seen(ground, "objections", first=12)


@controls
def test_a_quota_that_is_not_counted_is_seen(ground, monkeypatch):
    monkeypatch.setattr(deciding, "use_quota", lambda *_: None)
    assert any(" of " in fault for fault in seen(ground, "quotas"))


def test_the_store_itself_keeps_an_unconditional_count_from_going_over(ground, monkeypatch):
    def unconditional(round_, edition, quota_id, division_code):
        scope = deciding.quota_scope(edition, quota_id, division_code)
        cap = deciding.quota_number(round_, quota_id)
        QuotaUse.objects.get_or_create(round=round_, quota=quota_id, scope=scope, defaults={"cap": cap})
        QuotaUse.objects.filter(round=round_, quota=quota_id, scope=scope).update(used=F("used") + 1)

    monkeypatch.setattr(deciding, "use_quota", unconditional)
    with pytest.raises(IntegrityError, match="quota_not_exceeded"):
        seen(ground, "quotas")


@controls
def test_a_scorer_in_conflict_is_seen(ground, monkeypatch):
    monkeypatch.setattr(Index, "conflicts", lambda *_: {})
    monkeypatch.setattr(sheets, "conflict_with", lambda **_: None)
    assert seen(ground, "conflicts")


@controls
def test_one_with_two_duties_is_seen(ground, monkeypatch):
    monkeypatch.setattr(deciding, "other_duty", lambda *_: None)
    monkeypatch.setattr(sheets, "other_duty", lambda *_: None)
    monkeypatch.setattr(expert_queries, "acted", lambda **_: {})
    assert seen(ground, "duties", first=2)


@controls
def test_one_who_comes_late_without_leave_is_seen(ground, monkeypatch):
    monkeypatch.setattr(applying, "_late_reason", lambda *_: "")
    assert seen(ground, "late")


@controls
def test_a_clock_that_begins_anew_after_a_return_is_seen(ground, monkeypatch):
    def anew(application, edition, before, then, now):
        days = stages.stage_of(edition.stages, then.stage).due_working_days
        return clock.due(local_day(now), days, nth=nth_working_day)

    monkeypatch.setattr(deciding, "_due", anew)
    assert seen(ground, "clocks")
