"""Positions over the signed door: kept once, answered the same, judged at once."""

import threading
from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from tests.rooms.tracking.world import (
    GOAL,
    HOME,
    PLATE,
    ROUTE,
    Voice,
    along,
    dispatcher,
    drive,
    registered,
    under_way,
)
from tests.rooms.transfers import world as worlds
from wufei.registry.models import AuditEntry, Vehicle
from wufei.registry.queries import NotPermitted
from wufei.shopfloor.signing import signature
from wufei.tracking import queries, services
from wufei.tracking.models import Alert, PlannedRoute, Position, Track, Tracker
from wufei.tracking.positions import Refused
from wufei.tracking.refusals import Code, TrackingRefused
from wufei.tracking.services import Answer


def refused(code: Code):
    return pytest.raises(TrackingRefused, match=f"^{code}")


def test_a_tracker_is_registered_for_a_vehicle_in_use_by_who_keeps_its_papers(world):
    tracker = registered(world, name=" 车尾 ", plate="渝a12345")
    assert (tracker.name, tracker.vehicle.plate, tracker.kind) == ("车尾", PLATE, "DEVICE")
    assert AuditEntry.objects.get(action="tracking.register_tracker").detail == {
        "name": "车尾",
        "plate": PLATE,
    }
    assert tracker.secret not in str(list(AuditEntry.objects.values_list("detail", flat=True)))
    with refused(Code.NAME_MISSING):
        registered(world, name=" ")
    with refused(Code.VEHICLE_UNKNOWN):
        registered(world, plate="渝A00000")
    Vehicle.objects.update(ended_on=worlds.TODAY)
    with refused(Code.VEHICLE_UNKNOWN):
        registered(world)
    for person, of in ((world.driver, world.carrier), (world.officer, world.carrier)):
        with pytest.raises(NotPermitted):
            registered(world, by=person, organisation=of)


def test_a_batch_is_kept_once_and_answered_the_same(world, voice):
    batch = voice.batch(*drive(world.now, 3))
    said = {"batch": batch, "signature": signature(batch, voice.tracker.secret)}
    first = services.accept(**said, now=world.now + timedelta(minutes=3))
    again = services.accept(**said, now=world.now + timedelta(hours=3))
    assert first == Answer(
        tracker=voice.tracker.code, sequence=4, accepted=4, outliers=0, refusals={}, is_replay=False,
        received_at=world.now + timedelta(minutes=3),
    )  # fmt: skip
    assert (again.accepted, again.received_at, again.is_replay) == (4, first.received_at, True)
    assert Position.objects.count() == 4


def test_a_backlog_that_overlaps_what_came_before_adds_only_what_is_new(world, voice):
    rows = drive(world.now, 9)
    whole = voice.batch(*rows)
    for part in (whole.positions[:5], whole.positions):
        batch = type(whole)(tracker=whole.tracker, datum=whole.datum, positions=part)
        services.accept(
            batch=batch, signature=signature(batch, voice.tracker.secret), now=world.now + timedelta(hours=1)
        )
    assert Position.objects.count() == 10


def test_the_same_number_with_other_content_is_refused_each_time(world, voice):
    voice.says((world.now, HOME))
    voice.numbers = iter([1, 1])
    for _ in range(2):
        answer = voice.says((world.now, GOAL))
        assert (answer.accepted, answer.refusals) == (0, {1: Refused.SEQUENCE_REUSED})
    assert [(row.refusal, row.latitude_udeg) for row in Position.objects.order_by("pk")] == [
        ("", HOME[0]), ("sequence_reused", GOAL[0]),
    ]  # fmt: skip


def test_one_bad_position_does_not_hold_up_the_others(world, voice):
    answer = voice.says(
        (world.now, HOME), (world.now + timedelta(hours=9), HOME), (world.now + timedelta(minutes=1), (91_000_000, 0)),
        (world.now + timedelta(minutes=2), along(0.01)), now=world.now + timedelta(minutes=2),
    )  # fmt: skip
    assert (answer.accepted, answer.refusals) == (
        2, {2: Refused.TAKEN_IN_FUTURE, 3: Refused.LATITUDE_OUT_OF_RANGE},
    )  # fmt: skip


def test_what_is_nobodys_is_not_kept(world, voice):
    batch = voice.batch((world.now, HOME))
    right = signature(batch, voice.tracker.secret)
    with refused(Code.SIGNATURE_WRONG):
        services.accept(batch=batch, signature="0" * 64, now=world.now)
    with refused(Code.NOT_READABLE):
        services.receive(body=b"{", now=world.now)
    with refused(Code.TRACKER_UNKNOWN):
        services.accept(
            batch=type(batch)(tracker="T00000000", datum=batch.datum, positions=batch.positions),
            signature=right, now=world.now,
        )  # fmt: skip
    other = voice.batch((world.now, HOME), datum="GCJ02")
    with refused(Code.DATUM_UNFIT):
        services.receive(body=voice.signed(other), now=world.now)
    assert not Position.objects.exists()


def test_another_secret_or_retirement_ends_what_a_tracker_may_say(world, voice):
    services.renew_secret(tracker=voice.tracker, by=dispatcher(world), now=world.now)
    with refused(Code.SIGNATURE_WRONG):
        voice.says((world.now, HOME))
    voice.tracker.refresh_from_db()
    voice.says((world.now, HOME))
    services.retire_tracker(tracker=voice.tracker, by=dispatcher(world), now=world.now)
    assert set(voice.says((world.now, along(0.1))).refusals.values()) == {Refused.TRACKER_RETIRED}
    with refused(Code.ALREADY_RETIRED):
        services.retire_tracker(tracker=voice.tracker, by=dispatcher(world), now=world.now)
    with pytest.raises(NotPermitted):
        services.renew_secret(tracker=voice.tracker, by=world.driver, now=world.now)


def test_a_doubtful_position_is_kept_and_not_counted_into_the_way(world, voice):
    _manifest, leg = under_way(world)
    answer = voice.says(
        (world.now, HOME),
        (world.now + timedelta(minutes=1), GOAL),
        (world.now + timedelta(minutes=2), along(0.01)),
    )
    assert (answer.accepted, answer.outliers) == (3, 1)
    track = Track.objects.get(leg=leg)
    assert (track.position_count, track.outlier_count) == (2, 1)
    assert 900 < track.length_m < 1200


def test_a_batch_of_five_hundred_takes_as_many_statements_as_one_of_two(world, voice):
    under_way(world)

    def statements(count: int) -> int:
        nonlocal start
        rows = [(start + timedelta(seconds=10 * n), HOME) for n in range(count)]
        start = rows[-1][0] + timedelta(seconds=10)
        batch = voice.batch(*rows)
        with CaptureQueriesContext(
            connection,
        ) as asked:
            services.accept(batch=batch, signature=signature(batch, voice.tracker.secret), now=start)
        return len(asked)

    start = world.now
    statements(2)  # the first makes the track
    few, many = statements(2), statements(500)
    assert many - few <= 10  # SQLite inserts in parts
    assert few <= 24


def test_a_phone_reports_for_its_own_leg_while_it_is_under_way(world):
    manifest, leg = under_way(world)
    phone = worlds.new_id()
    said = {
        "manifest": manifest,
        "organisation": world.carrier,
        "phone": phone,
        "by": world.driver,
        "now": world.now,
    }

    def batch(at, number):
        rows = [
            {"sequence": number, "at": at.isoformat(), "latitude_udeg": HOME[0], "longitude_udeg": HOME[1]}
        ]
        from wufei.tracking.positions import batch_of

        return batch_of({"tracker": str(phone), "datum": "WGS84", "positions": rows})

    for _ in range(2):
        assert services.accept_from_phone(**said, batch=batch(world.now, 1)).accepted == 1
    assert Position.objects.count() == 1
    assert Track.objects.get(leg=leg).position_count == 1
    early = services.accept_from_phone(**said, batch=batch(world.now - timedelta(hours=1), 2))
    assert early.refusals == {2: Refused.OUTSIDE_TRIP}
    with pytest.raises(NotPermitted):
        services.accept_from_phone(**(said | {"by": world.officer}), batch=batch(world.now, 3))
    with refused(Code.NOT_YOUR_LEG):
        services.accept_from_phone(
            **(said | {"by": world.officer, "organisation": world.generator}), batch=batch(world.now, 3)
        )
    with refused(Code.PHONE_OF_ANOTHER):
        services.accept_from_phone(**(said | {"by": dispatcher(world)}), batch=batch(world.now, 3))

    before = world.now
    world.deliver(manifest)
    late = services.accept_from_phone(
        **(said | {"now": world.later(hours=1)}), batch=batch(before + timedelta(minutes=30), 4)
    )
    assert late.accepted == 1
    with refused(Code.NOT_UNDER_WAY):
        services.accept_from_phone(**(said | {"now": world.later(days=8)}), batch=batch(world.now, 5))


def test_a_phone_can_not_report_for_what_has_not_left(world):
    manifest = world.issued()
    with refused(Code.NOT_YOUR_LEG):
        services.accept_from_phone(
            manifest=manifest, organisation=world.carrier, phone=worlds.new_id(), by=world.driver, now=world.now,
            batch=Voice(Tracker(code="x")).batch((world.now, HOME)),
        )  # fmt: skip


def test_a_route_is_stated_before_the_load_leaves_and_every_one_is_kept(world):
    manifest = world.issued()
    said = {"manifest": manifest, "stages": ROUTE, "now": world.now}
    first = services.state_route(**said, organisation=world.generator, by=world.officer)
    assert services.state_route(**said, organisation=world.carrier, by=world.driver) == first
    second = services.state_route(
        **(said | {"stages": ROUTE[::-1]}), organisation=world.carrier, by=world.driver
    )
    assert (second.number, queries.route_of(manifest.pk)) == (2, second)
    with refused(Code.NOT_YOUR_LEG):
        services.state_route(**said, organisation=world.receiver, by=world.taker)
    with refused(Code.ROUTE_MALFORMED):
        services.state_route(**(said | {"stages": ROUTE[:1]}), organisation=world.generator, by=world.officer)
    with pytest.raises(NotPermitted):
        services.state_route(**said, organisation=world.generator, by=world.taker)
    world.load(manifest)
    with refused(Code.ROUTE_SEALED):
        services.state_route(**said, organisation=world.generator, by=world.officer)
    assert PlannedRoute.objects.count() == 2


def test_the_database_keeps_positions_routes_and_alerts_as_they_are(world, voice):
    manifest, leg = under_way(world)
    voice.says((world.now, HOME))
    services.judge(leg=leg, now=world.now + timedelta(hours=1), by_clock=True)
    for forbidden in (
        lambda: Position.objects.update(latitude_udeg=0),
        lambda: PlannedRoute.objects.update(number=9),
        lambda: PlannedRoute.objects.filter(manifest=manifest).delete(),
        lambda: Alert.objects.all().delete(),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            forbidden()
    assert Alert.objects.count() == PlannedRoute.objects.count() == 1


def test_the_same_batch_over_eight_connections_at_once_is_there_once(own_store):
    world = worlds.build()
    voice = Voice(registered(world))
    under_way(world)
    batches = [voice.batch(*drive(world.now + timedelta(minutes=5 * n), 4, begin=0.05 * n)) for n in range(3)]
    bodies = [voice.signed(batch) for batch in batches]
    answers: list[int] = []
    now = world.now + timedelta(hours=1)

    def send() -> None:
        try:
            answers.extend(services.receive(body=body, now=now).accepted for body in bodies)
        finally:
            connection.close()

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert answers == [5] * 24
    assert Position.objects.count() == 15
    assert Track.objects.count() == 1
    assert Track.objects.get().position_count == 15
