"""Readings are kept, used once, and posted by rule once, whatever comes twice, late or wrong."""

import json
from datetime import date, timedelta

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from tests.rooms.shopfloor.conftest import Voice
from wufei.ledger import services as ledger_services
from wufei.ledger.models import Movement
from wufei.registry.models import AuditEntry, RoleAssignment
from wufei.registry.queries import NotPermitted
from wufei.shopfloor import queries, services
from wufei.shopfloor.models import Reading, ReadingUse, Scale
from wufei.shopfloor.reading import Refused
from wufei.shopfloor.refusals import Code, ShopfloorRefused
from wufei.terms.mass import Mass

pytestmark = pytest.mark.django_db


def refused_with(code: Code, act) -> None:
    with pytest.raises(ShopfloorRefused) as why:
        act()
    assert why.value.code is code


def test_an_accepted_reading_waits_for_the_worker(voice, now):
    answer = voice.says(12_340)

    assert (answer.sequence, answer.refusal, answer.movement, answer.is_replay) == (1, "", None, False)
    offered = queries.offered(scale=voice.scale, now=now)
    assert offered is not None
    assert offered.net_g == 12_340
    assert not Movement.objects.exists()


def test_the_same_reading_again_is_answered_the_same_and_kept_once(voice, now):
    said = voice.signed(voice.said(12_340))
    first = services.receive(body=said, now=now)
    later = services.receive(body=said, now=now + timedelta(hours=3))

    assert later.is_replay
    assert (later.received_at, later.refusal, later.movement) == (first.received_at, "", None)
    assert Reading.objects.count() == 1


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"stable": False}, Refused.UNSTABLE),
        ({"gross": -100, "net": -1600}, Refused.NEGATIVE),
        ({"gross": 1500, "net": 0}, Refused.ZERO),
        ({"gross": 61_500, "net": 60_000}, Refused.OVERLOAD),
        ({"net": "12,5"}, Refused.WEIGHT_HAS_COMMA),
        ({"taken_at": "2026-07-01T10:00:00"}, Refused.TIME_WITHOUT_ZONE),
        ({"taken_at": "2027-01-01T00:00:00+08:00"}, Refused.TAKEN_IN_FUTURE),
    ],
)
def test_a_refused_reading_is_kept_with_its_reason_and_offered_to_nobody(voice, now, said, code):
    message = voice.said(12_000, **said)
    answers = [services.receive(body=voice.signed(message), now=now) for _ in range(2)]

    assert [(each.refusal, each.is_replay) for each in answers] == [(code, False), (code, True)]
    [row] = Reading.objects.all()
    assert row.refusal == code
    assert row.said == message
    assert queries.offered(scale=voice.scale, now=now) is None


def test_a_number_used_for_something_else_is_refused_also_after_a_refused_reading(voice, now):
    assert voice.says(12_000, stable=False, sequence=5).refusal == Refused.UNSTABLE
    assert voice.says(12_000, sequence=5).refusal == Refused.SEQUENCE_REUSED
    assert voice.says(13_000, sequence=5).refusal == Refused.SEQUENCE_REUSED
    assert voice.says(13_000, sequence=5, unit="lb").refusal == Refused.SEQUENCE_REUSED
    assert Reading.objects.filter(sequence=5).count() == 4


def test_a_clock_that_runs_backwards_is_refused_and_what_arrives_late_is_not(voice, now):
    at = now - timedelta(minutes=5)
    assert voice.says(sequence=10, taken_at=at.isoformat()).refusal == ""
    back = (at - timedelta(seconds=1)).isoformat()
    assert voice.says(sequence=11, taken_at=back).refusal == Refused.CLOCK_BACKWARDS
    assert voice.says(sequence=9, taken_at=back).refusal == ""  # late, but in order
    ahead = (at + timedelta(seconds=1)).isoformat()
    assert voice.says(sequence=8, taken_at=ahead).refusal == Refused.CLOCK_BACKWARDS


def test_out_of_calibration_on_the_day_it_weighed(make_scale, now):
    voice = Voice(make_scale(calibrated_until=date(2026, 6, 30)), now)
    assert voice.says().refusal == Refused.OUT_OF_CALIBRATION
    assert voice.says(sequence=2, taken_at="2026-06-30T23:59:59+08:00").refusal == ""


def test_a_wrong_signature_or_scale_is_nobodys_reading_and_nothing_is_kept(voice, now, make_scale):
    other = make_scale(name="二号秤")
    said = voice.said()
    refused_with(Code.SIGNATURE_WRONG, lambda: services.receive(body=voice.signed(said, "x"), now=now))
    refused_with(
        Code.SIGNATURE_WRONG, lambda: services.receive(body=voice.signed(said, other.secret), now=now)
    )
    unsigned = json.dumps(said).encode()
    refused_with(Code.SIGNATURE_WRONG, lambda: services.receive(body=unsigned, now=now))
    elsewhere = voice.signed(said | {"scale": "C00000000"})
    refused_with(Code.SCALE_UNKNOWN, lambda: services.receive(body=elsewhere, now=now))
    tampered = voice.signed(said).replace(b"12000", b"22000")
    refused_with(Code.SIGNATURE_WRONG, lambda: services.receive(body=tampered, now=now))
    refused_with(Code.NOT_READABLE, lambda: services.receive(body=b"12.5 kg", now=now))
    assert not Reading.objects.exists()


def test_another_secret_makes_the_one_before_useless(voice, officer, now):
    secret = services.renew_secret(scale=voice.scale, by=officer, now=now)
    refused_with(Code.SIGNATURE_WRONG, voice.says)
    voice.scale.refresh_from_db()
    assert voice.scale.secret == secret
    assert voice.says().refusal == ""


def test_a_retired_scale_is_refused_and_what_it_said_stays(voice, officer, now):
    voice.says()
    services.retire_scale(scale=voice.scale, by=officer, now=now)
    assert voice.says().refusal == Refused.SCALE_RETIRED
    refused_with(Code.ALREADY_RETIRED, lambda: services.retire_scale(scale=voice.scale, by=officer, now=now))
    assert Reading.objects.filter(refusal="").count() == 1


# --- posted by rule


def test_a_rule_posts_each_accepted_reading_once_as_generation(make_scale, now, floor):
    voice = Voice(make_scale(stream="W2"), now)
    message = voice.signed(voice.said(12_340))
    answers = [services.receive(body=message, now=now) for _ in range(3)]
    voice.says(12_000, stable=False)

    assert [answer.movement for answer in answers] == [1, 1, 1]
    [movement] = Movement.objects.select_related("stream", "target", "source")
    assert (movement.kind, movement.stream.code, movement.mass_g) == ("GENERATION", "W2", 12_340)
    assert (movement.target.code, movement.handler) == ("库1", "一号秤")
    assert movement.moved_on == date(2026, 7, 1)
    [use] = ReadingUse.objects.all()
    assert (use.movement_id, use.by_rule, use.reading.sequence) == (movement.pk, True, 1)


def test_what_a_rule_cannot_post_waits_for_a_person_with_the_ledgers_reason(make_scale, now, floor):
    voice = Voice(make_scale(stream="W1", capacity=Mass(2_000_000)), now)
    assert voice.says(900_000).movement == 1
    full = voice.says(200_000)  # 库1 takes 1 t
    assert (full.refusal, full.waits_because, full.movement) == ("", "target_over_capacity", None)
    assert voice.says(100_000).movement == 2
    waiting = queries.waiting(organisation=floor.organisation)
    assert [row.net_g for row in waiting] == [200_000]


def test_a_closed_month_makes_a_late_reading_wait(make_scale, now, floor, officer):
    voice = Voice(make_scale(stream="W1"), now)
    ledger_services.close_month(
        organisation=floor.organisation, through=date(2026, 5, 31), by=officer, now=now
    )
    late = voice.says(taken_at="2026-05-30T10:00:00+08:00")
    assert (late.refusal, late.waits_because) == ("", "month_closed")


def test_who_lost_the_right_to_post_posts_no_more_by_a_rule(make_scale, now, officer):
    voice = Voice(make_scale(stream="W1"), now)
    RoleAssignment.objects.filter(user=officer).delete()
    answer = voice.says()
    assert (answer.refusal, answer.waits_because) == ("", "may_not_post")
    assert not Movement.objects.exists()


def test_an_answer_stays_the_same_after_a_worker_took_the_reading(voice, floor, officer, now):
    message = voice.signed(voice.said(12_000))
    services.receive(body=message, now=now)
    floor.post("2026-07-01 W1 产生 12 千克 库1 L1")
    reading = Reading.objects.get()
    with transaction.atomic():
        services.take(reading=reading, movement=Movement.objects.get(), by=officer, now=now)
    assert services.receive(body=message, now=now).movement is None


# --- used once


def test_a_reading_is_taken_once(voice, floor, officer, now):
    voice.says()
    floor.post("2026-07-01 W1 产生 12 千克 库1 L1", "2026-07-01 W1 产生 12 千克 库1 L2")
    reading, (one, two) = Reading.objects.get(), Movement.objects.order_by("seq")
    services.take(reading=reading, movement=one, by=officer, now=now)
    refused_with(
        Code.READING_TAKEN, lambda: services.take(reading=reading, movement=two, by=officer, now=now)
    )
    with pytest.raises(IntegrityError), transaction.atomic():
        ReadingUse.objects.create(reading=reading, movement=two, at=now, by=officer)


def test_a_reading_that_weighed_no_waste_is_set_aside_with_the_reason(voice, floor, officer, now):
    voice.says()
    said = {"organisation": floor.organisation, "scale_code": voice.scale.code, "by": officer, "now": now}
    refused_with(Code.REASON_MISSING, lambda: services.set_aside(sequence=1, reason=" ", **said))
    refused_with(Code.READING_UNKNOWN, lambda: services.set_aside(sequence=2, reason="试秤", **said))
    services.set_aside(sequence=1, reason="试秤", **said)
    refused_with(Code.READING_TAKEN, lambda: services.set_aside(sequence=1, reason="再试", **said))
    assert queries.offered(scale=voice.scale, now=now) is None
    assert AuditEntry.objects.filter(action="shopfloor.set_aside").count() == 1


def test_another_factory_cannot_touch_the_reading(voice, make_organisation, make_user, now):
    voice.says()
    elsewhere = make_organisation("乙厂")
    stranger = make_user("WORKER", elsewhere)
    said = {"scale_code": voice.scale.code, "sequence": 1, "reason": "x", "by": stranger, "now": now}
    refused_with(Code.READING_UNKNOWN, lambda: services.set_aside(organisation=elsewhere, **said))
    with pytest.raises(NotPermitted):
        services.set_aside(organisation=voice.scale.organisation, **said)


def test_yesterdays_reading_is_not_offered(voice, now):
    voice.says()
    assert queries.offered(scale=voice.scale, now=now + timedelta(minutes=16)) is None


@pytest.mark.parametrize("verb", ["update", "delete"])
def test_the_database_keeps_what_a_scale_said(voice, floor, officer, now, verb):
    voice.says()
    services.set_aside(
        organisation=floor.organisation, scale_code=voice.scale.code, sequence=1, reason="试秤", by=officer,
        now=now,
    )  # fmt: skip
    for rows, change in (
        (Reading.objects.all(), {"sequence": 9}),
        (ReadingUse.objects.all(), {"reason": "x"}),
    ):
        with pytest.raises(DatabaseError, match="append_only"), transaction.atomic():
            rows._raw_delete(rows.db) if verb == "delete" else rows.update(**change)


# --- scales


def test_only_who_may_edit_registers_a_scale_and_no_log_has_the_secret(make_scale, make_user, floor, scale):
    worker = make_user("WORKER", floor.organisation)
    with pytest.raises(NotPermitted):
        make_scale(by=worker)
    logged = list(AuditEntry.objects.filter(action__startswith="shopfloor.").values_list("detail", flat=True))
    assert len(logged) == 1
    assert scale.secret not in str(logged)
    assert len(scale.secret) > 40


def test_who_may_not_post_sets_no_rule_that_posts(make_scale, make_user, make_organisation, scale, now):
    platform = make_organisation("平台", kind="AGENCY", division_code="310101")
    administrator = make_user("ADMINISTRATOR", platform)
    assert make_scale(by=administrator).rule == "WAIT"
    with pytest.raises(NotPermitted):
        make_scale(by=administrator, stream="W1")


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"name": "  "}, Code.NAME_MISSING),
        ({"name": "秤" * 61}, Code.NAME_MISSING),
        ({"capacity": Mass(0)}, Code.CAPACITY_NOT_POSITIVE),
        ({"division": Mass(0)}, Code.DIVISION_UNFIT),
        ({"division": Mass(60_001)}, Code.DIVISION_UNFIT),
        ({"store": "库9"}, Code.STORE_UNKNOWN),
        ({"store": "process:工序1"}, Code.STORE_UNKNOWN),
        ({"stream": "W9"}, Code.STREAM_UNKNOWN),
    ],
)
def test_what_cannot_be_said_of_a_scale_is_named(make_scale, said, code):
    refused_with(code, lambda: make_scale(**said))
    assert not Scale.objects.exists()


def test_a_stale_edit_is_refused_and_nothing_changed_writes_nothing(scale, officer, now):
    said = {
        "scale": scale, "name": "一号秤", "store": "库1", "capacity": Mass(60_000), "division": Mass(10),
        "calibrated_until": date(2026, 12, 31), "by": officer, "now": now,
    }  # fmt: skip
    assert services.change_scale(version=1, **said) is False
    assert services.change_scale(version=1, **(said | {"stream": "W1"})) is True
    refused_with(Code.STALE_EDIT, lambda: services.change_scale(version=1, **said))
    scale.refresh_from_db()
    assert (scale.rule, scale.version) == ("POST", 2)


def test_the_list_of_scales_takes_the_same_one_query_for_one_and_for_many(
    make_scale, floor, now, django_assert_num_queries
):
    for number in range(3):
        voice = Voice(make_scale(name=f"秤{number}"), now)
        voice.says()
        voice.says(stable=False)
    with django_assert_num_queries(1):
        rows = list(queries.scales(organisation=floor.organisation))
        assert [(row.waiting, row.store.code, row.stream) for row in rows] == [(1, "库1", None)] * 3
        assert all(row.last_received_at == now for row in rows)
