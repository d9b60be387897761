"""Alerts: opened and closed by positions and by the clock, acknowledged, withdrawn, never deleted."""

from datetime import timedelta

import pytest
from django.db import connection

from tests.rooms.tracking.world import HOME, Voice, alerts, along, drive, registered, stand, under_way
from tests.rooms.transfers import world as worlds
from wufei.registry.models import AuditEntry
from wufei.registry.queries import NotPermitted
from wufei.tracking import queries, services
from wufei.tracking.limits import limits
from wufei.tracking.models import Alert, Position, Track
from wufei.tracking.refusals import Code, TrackingRefused
from wufei.tracking.services.judging import sha256_of
from wufei.transfers import services as transfers
from wufei.transfers.models import Leg

MINUTE = timedelta(minutes=1)


def test_a_stop_is_noticed_when_it_is_long_enough_and_closed_when_it_drives_on(world, voice):
    _manifest, leg = under_way(world)
    start = world.now
    voice.says(*drive(start, 10))
    voice.says(*stand(start + 11 * MINUTE, 20, at=0.11))
    assert alerts() == []
    voice.says((start + 32 * MINUTE, along(0.11)))
    assert alerts() == [("STOP", False, False)]
    voice.says(*drive(start + 33 * MINUTE, 2, begin=0.12))
    assert alerts() == [("STOP", True, False)]
    row = Alert.objects.get()
    assert (row.began_at, row.ended_at) == (start + 11 * MINUTE, start + 32 * MINUTE)
    assert (row.latitude_udeg, row.longitude_udeg) == along(0.11)
    assert row.track.leg == leg


def test_silence_is_noticed_though_nothing_comes_and_over_when_something_does(world, voice):
    under_way(world)
    start = world.now
    assert services.watch(now=start + 5 * MINUTE) == 1  # nothing was heard yet
    assert alerts() == []
    voice.says(*drive(start, 5))
    assert services.watch(now=start + 19 * MINUTE) == 0
    assert services.watch(now=start + 21 * MINUTE) == 1
    assert alerts() == [("SILENCE", False, False)]
    assert services.watch(now=start + 22 * MINUTE) == 0  # it is known
    voice.says(*drive(start + 40 * MINUTE, 2, begin=0.2))
    assert alerts() == [("SILENCE", True, False)]


def test_where_no_tracker_is_registered_there_is_nothing_to_be_silent(world):
    _manifest, leg = under_way(world)
    assert services.watch(now=world.now + timedelta(hours=5)) == 0
    registered(world, now=world.now + timedelta(hours=5))
    assert services.watch(now=world.now + timedelta(hours=5, minutes=16)) == 1
    [row] = Alert.objects.all()
    assert (row.kind, row.began_at) == ("SILENCE", world.now + timedelta(hours=5))
    assert row.track.leg == leg


def test_a_detour_is_found_only_where_a_route_was_stated(world, voice):
    start = world.now
    manifest, _leg = under_way(world, route=False)
    away = [(start + timedelta(minutes=10 + n), (HOME[0] - 50_000 * n, HOME[1])) for n in range(8)]
    # Some 5.5 km a minute is too fast to be believed; half of it every minute is not.
    away = [(at, (HOME[0] - (HOME[0] - point[0]) // 4, point[1])) for at, point in away]
    voice.says(*away)
    assert alerts() == []
    assert queries.route_of(manifest.pk) is None


def test_a_detour_off_the_stated_route_is_noticed_with_how_far(world, voice):
    start = world.now + timedelta(minutes=10)
    under_way(world)
    away = [(start + timedelta(minutes=n), (HOME[0] - 12_500 * n, HOME[1])) for n in range(10)]
    voice.says(*away)
    [row] = Alert.objects.all()
    assert (row.kind, row.ended_at) == ("DETOUR", None)
    assert 12_000 < row.metres < 13_000  # 9 × 1.39 km south of where the route begins


def test_a_backlog_that_disproves_a_silence_withdraws_it_and_keeps_the_record(world, voice):
    under_way(world)
    start = world.now
    rows = drive(start, 40, each=0.01)
    voice.says(*rows[:3])
    backlog = voice.batch(*rows[3:40])
    voice.says(rows[40])
    assert alerts() == [("SILENCE", True, False)]
    services.receive(body=voice.signed(backlog), now=start + 41 * MINUTE)
    assert alerts() == [("SILENCE", True, True)]
    assert Track.objects.get().position_count == 41


def test_a_backlog_in_several_parts_withdraws_one_silence_and_opens_none(world, voice):
    under_way(world)
    start = world.now
    rows = drive(start, 60, each=0.005)
    voice.says(*rows[:3])
    late = start + 60 * MINUTE
    services.watch(now=late)
    for first in range(3, 61, 10):
        voice.says(*rows[first : first + 10], now=late)
    assert alerts() == [("SILENCE", False, True)]


def test_while_the_load_is_put_down_on_the_way_the_vehicle_is_not_looked_at(world, voice):
    manifest, leg = under_way(world)
    start = world.now
    voice.says(*drive(start, 5))
    said = {"manifest": manifest, "organisation": world.carrier, "by": world.driver}
    transfers.store_on_the_way(**said, place="江津", reason="封路", now=start + 6 * MINUTE)
    voice.says(*[(start + timedelta(minutes=10 + 5 * n), along(0.9)) for n in range(10)])
    services.watch(now=start + 120 * MINUTE)
    assert alerts() == []
    assert Track.objects.get().position_count == 6
    transfers.resume(**said, now=start + 130 * MINUTE)
    services.watch(now=start + 146 * MINUTE)
    assert alerts() == [("SILENCE", False, False)]
    assert [window.end for window in queries.windows_of(leg)] == [start + 6 * MINUTE, None]


def test_what_goes_on_ends_when_the_load_arrives(world, voice):
    manifest, leg = under_way(world)
    start = world.now
    voice.says(*drive(start, 5))
    services.watch(now=start + 30 * MINUTE)
    world.deliver(manifest)
    assert services.watch(now=world.now + MINUTE) == 1
    assert services.watch(now=world.now + 2 * MINUTE) == 0
    [row] = Alert.objects.all()
    leg.refresh_from_db()
    assert row.ended_at == leg.ended_at == world.now
    voice.says((world.now + MINUTE, along(0.5)))  # the lorry's next errand
    track = Track.objects.get()
    assert (track.position_count, track.ended_at) == (6, leg.ended_at)


def test_two_loads_on_one_lorry_have_a_track_each(world, voice):
    first, _ = under_way(world)
    second, _ = under_way(world)
    voice.says(*drive(world.now, 5))
    assert {row.leg.manifest_id: row.position_count for row in Track.objects.all()} == {
        first.pk: 6, second.pk: 6,
    }  # fmt: skip


def silence_of(world, voice) -> Alert:
    under_way(world)
    voice.says(*drive(world.now, 5))
    services.watch(now=world.now + 30 * MINUTE)
    return Alert.objects.get()


def refused(code: Code):
    return pytest.raises(TrackingRefused, match=f"^{code}")


def test_an_alert_is_acknowledged_once_with_a_remark_by_carrier_or_generator(world, voice):
    row = silence_of(world, voice)
    said = {
        "alert": row,
        "organisation": world.carrier,
        "by": world.driver,
        "now": world.now,
        "remark": "隧道",
    }
    with refused(Code.REMARK_MISSING):
        services.acknowledge(**(said | {"remark": "  "}))
    with refused(Code.NOT_YOUR_ALERT):
        services.acknowledge(**(said | {"organisation": world.receiver, "by": world.taker}))
    with pytest.raises(NotPermitted):
        services.acknowledge(**(said | {"by": world.officer}))
    assert queries.waiting_for(user=world.driver).count() == 1
    assert queries.waiting_for(user=world.officer).count() == 1
    assert queries.waiting_for(user=world.taker).count() == 0
    done = services.acknowledge(**said)
    assert (done.remark, done.acknowledged_for) == ("隧道", world.carrier)
    with refused(Code.ALREADY_ACKNOWLEDGED):
        services.acknowledge(**(said | {"organisation": world.generator, "by": world.officer}))
    assert queries.waiting_for(user=world.driver).count() == 0
    assert AuditEntry.objects.get(action="tracking.acknowledge").detail["remark"] == "隧道"
    voice.says(*drive(world.now + 40 * MINUTE, 2, begin=0.2))
    row.refresh_from_db()
    assert row.ended_at is not None
    assert row.remark == "隧道"


def test_positions_are_deleted_when_they_were_kept_long_enough_and_sums_stay(world, voice, operator):
    manifest, leg = under_way(world)
    start = world.now
    voice.says(*drive(start, 5))
    services.watch(now=start + 30 * MINUTE)
    world.deliver(manifest)
    fixes = queries.fixes_of(leg, queries.windows_of(Leg.objects.get()))
    with pytest.raises(NotPermitted):
        services.delete_old_positions(by=world.officer, now=world.now)
    soon = start + limits().kept - timedelta(days=1)
    assert services.delete_old_positions(by=operator, now=soon).positions == 0
    done = services.delete_old_positions(by=operator, now=start + limits().kept + timedelta(days=1))
    assert (done.positions, done.tracks) == (6, 1)
    assert not Position.objects.exists()
    track = Track.objects.get()
    assert (track.position_count, track.positions_sha256) == (6, sha256_of(fixes))
    assert track.length_m > 5000
    assert alerts() == [("SILENCE", True, False)]
    services.judge(leg=leg, now=world.now + timedelta(days=400))
    track.refresh_from_db()
    assert track.position_count == 6
    assert AuditEntry.objects.get(action="tracking.delete_old_positions").detail["positions"] == 6


def test_positions_of_a_load_still_under_way_are_kept(world, voice, operator):
    under_way(world)
    voice.says(*drive(world.now, 5))
    late = world.now + limits().kept + timedelta(days=1)
    assert services.delete_old_positions(by=operator, now=late).positions == 0
    other = Voice(registered(world, plate=another_vehicle(world)))
    other.says((world.now, HOME))
    assert services.delete_old_positions(by=operator, now=late).positions == 1


def another_vehicle(world) -> str:
    from tests.rooms.tracking.world import dispatcher
    from wufei.registry.services import permits

    permits.record_vehicle(
        organisation=world.carrier, plate="渝B00001", permit_number="2", valid_through=worlds.FAR,
        by=dispatcher(world), now=world.now,
    )  # fmt: skip
    return "渝B00001"


def test_two_that_watch_at_once_notice_a_silence_once(own_store):
    import threading

    world = worlds.build()
    voice = Voice(registered(world))
    for _ in range(3):
        under_way(world)
    voice.says((world.now, HOME))
    late = world.now + timedelta(hours=1)

    def look() -> None:
        try:
            services.watch(now=late)
        finally:
            connection.close()

    threads = [threading.Thread(target=look) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(row.track.leg_id for row in Alert.objects.filter(ended_at=None)) == sorted(
        Leg.objects.values_list("pk", flat=True)
    )
