"""The demo's two lorries: one stands on its way, of the other nothing is heard any more."""

from tests.rooms.tracking.world import alerts, dispatcher
from tests.rooms.transfers import world as worlds
from wufei.demo import tracks
from wufei.demo.road_data import road
from wufei.registry.services import permits
from wufei.tracking.models import Alert, PlannedRoute, Position, Track


def test_two_lorries_are_on_the_road_one_stopped_and_one_silent(db):
    world = worlds.build()
    for plate in road()["tracked_vehicles"]:
        permits.record_vehicle(
            organisation=world.carrier, plate=plate, permit_number=plate, valid_through=worlds.FAR,
            by=dispatcher(world), now=world.now,
        )  # fmt: skip
    lorries = tracks.equip(carrier=world.carrier, by=dispatcher(world), now=world.now)
    for lorry in lorries:
        manifest = world.issued()
        tracks.plan(manifest=manifest, organisation=world.carrier, by=world.driver, now=world.now)
        manifest = world.load(manifest, said=worlds.DRIVE | {"plate": lorry.plate})
        tracks.drive(lorry=lorry, manifest=manifest)

    assert [each.stands for each in lorries] == [True, False]
    assert sorted(alerts()) == [("SILENCE", False, False), ("STOP", True, False)]
    assert {row.kind: row.track.leg.said["plate"] for row in Alert.objects.all()} == {
        "STOP": lorries[0].plate, "SILENCE": lorries[1].plate,
    }  # fmt: skip
    assert PlannedRoute.objects.count() == 2
    assert not Position.objects.exclude(refusal="").exists()
    assert {row.outlier_count for row in Track.objects.all()} == {0}
