"""
L7: a quota holds whoever writes at the same moment, and whatever is done in whichever order.

In the suite 8 writers × 30 rounds; `WUFEI_QUOTA_ROUNDS=300` asks for the whole promise.
"""

import os
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import F
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import NOW
from tests.rooms.reviews import world as worlds
from wufei.policies import queries as policy_queries
from wufei.reviews.models import QuotaUse, Round
from wufei.reviews.refusals import ReviewRefused
from wufei.reviews.services import deciding, rounds

WRITERS = 8
ROUNDS = int(os.environ.get("WUFEI_QUOTA_ROUNDS", "30"))
QUOTA = "per-province"


def opened(number: int) -> list[Round]:
    """Open as many rounds, each with a cap of its own below what the writers will ask for together."""
    authority = worlds.organisation("重庆市经信委", "AUTHORITY", worlds.CITY, branch="INDUSTRY")
    by = worlds.person("runner", "AUTHORITY_OFFICER", authority)
    made = [
        Round(
            edition=worlds.CHONGQING, year=1000 + at, authority=authority, title="一轮", opened_at=NOW,
            opened_by=by, quotas={QUOTA: 1 + at % (2 * WRITERS - 1)},
        )
        for at in range(number)
    ]  # fmt: skip
    return Round.objects.bulk_create(made)


def race(made: list[Round], count: Callable[..., None]) -> dict[int, int]:
    """Let the writers count twice each towards every round at the same moment; return how often each let them."""
    edition = policy_queries.edition(worlds.CHONGQING)
    barrier, lock = threading.Barrier(WRITERS), threading.Lock()
    counted = dict.fromkeys((round_.pk for round_ in made), 0)
    broken: list[BaseException] = []

    def write() -> None:
        try:
            for round_ in made:
                barrier.wait(timeout=120)
                for _ in range(2):
                    try:
                        count(round_, edition)
                    except ReviewRefused as refused:
                        if refused.code != "quota_used_up":
                            raise
                    else:
                        with lock:
                            counted[round_.pk] += 1
        except BaseException as error:
            broken.append(error)
            barrier.abort()
        finally:
            connection.close()

    threads = [threading.Thread(target=write) for _ in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert broken == []
    return counted


def over_and_under(made: list[Round], counted: dict[int, int]) -> tuple[int, int]:
    caps = {round_.pk: round_.quotas[QUOTA] for round_ in made}
    over = sum(counted[pk] > cap for pk, cap in caps.items())
    return over, sum(counted[pk] < cap for pk, cap in caps.items())


def as_the_service_does(round_: Round, edition: Any) -> None:
    with transaction.atomic():
        deciding.use_quota(round_, edition, QUOTA, worlds.DISTRICT)


def test_eight_writers_at_the_same_moment_fill_every_quota_and_none_over(own_store):
    made = opened(ROUNDS)
    counted = race(made, as_the_service_does)

    assert over_and_under(made, counted) == (0, 0)
    stored = dict(QuotaUse.objects.values_list("round_id", "used"))
    assert stored == counted
    print(f"{own_store}: {WRITERS} writers × {ROUNDS} rounds: 0 over, 0 under")


def test_the_race_itself_breaks_who_counts_and_then_inserts(own_store):
    made = opened(10)
    QuotaUse.objects.bulk_create(
        QuotaUse(round=round_, quota=QUOTA, scope="500000", cap=round_.quotas[QUOTA]) for round_ in made
    )

    def count_then_insert(round_: Round, edition: Any) -> None:
        row = QuotaUse.objects.get(round=round_)
        if row.used >= row.cap:
            raise ReviewRefused("quota_used_up")
        time.sleep(0.002)  # what else the request does
        QuotaUse.objects.filter(pk=row.pk).update(used=row.used + 1)

    over, _ = over_and_under(made, race(made, count_then_insert))
    assert over > 0


# ---- whatever is done, in whichever order --------------------------------------------------------

STEPS = st.lists(
    st.one_of(st.just(("use", 0)), st.just(("back", 0)), st.tuples(st.just("cap"), st.integers(0, 6))),
    max_size=40,
)


@pytest.fixture
def round_(db):
    return worlds.round_of(worlds.build(experts=0, second_officers=False))


def play(round_: Round, steps: list[tuple[str, int]]) -> None:
    """Do the steps, beside a model of what they should come to."""
    edition, by = policy_queries.edition(round_.edition), round_.opened_by
    stage = next(stage.id for stage in edition.stages if stage.quota)
    case = type("Case", (), {"round": round_, "district_code": worlds.DISTRICT})
    used, cap = 0, rounds.quota_number(round_, QUOTA)
    for step, number in steps:
        fresh = Round.objects.select_related("authority").get(pk=round_.pk)
        case.round = fresh
        try:
            if step == "use":
                deciding.use_quota(fresh, edition, QUOTA, worlds.DISTRICT)
                used += 1
            elif step == "back":
                deciding.give_back_quota(case, edition, stage)  # type: ignore[arg-type]
                used = max(0, used - 1)
            else:
                rounds.edit_round(
                    round_=fresh, version=fresh.version, changes={"quotas": {QUOTA: number}}, by=by,
                    now=NOW + timedelta(days=1),
                )  # fmt: skip
                cap = number
        except ReviewRefused as refused:
            expected = {"use": ("quota_used_up", used >= cap), "cap": ("quota_below_use", number < used)}[
                step
            ]
            if (refused.code, True) != expected:
                pytest.fail(f"{step} {number} with {used} of {cap}: {refused}")
        row = QuotaUse.objects.filter(round=round_).first()
        assert (row.used if row else 0) == used <= cap


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=STEPS)
def test_a_quota_is_never_exceeded_nor_lowered_below_its_use(round_, steps):
    with transaction.atomic():
        play(round_, steps)
        transaction.set_rollback(True)


def test_the_property_itself_fails_where_a_quota_is_lowered_without_looking(round_, monkeypatch):
    def blind(round_: Round) -> None:
        QuotaUse.objects.filter(round=round_).update(cap=F("used"))

    monkeypatch.setattr(rounds, "_set_caps", blind)
    with pytest.raises(AssertionError):  # a cap of 1, and 2 used
        play(round_, [("use", 0), ("use", 0), ("cap", 1), ("use", 0)])
