"""The world that the other tests play in: every edition's stages can be passed by the right people."""

import pytest

from tests.rooms.reviews import world as worlds
from wufei.policies.queries import known_editions
from wufei.reviews.models import Act, Application

WITH_STAGES = [e.id for e in known_editions().values() if e.stages and e.subject_kind == "ENTERPRISE"]


@pytest.mark.parametrize("edition_id", WITH_STAGES)
def test_a_case_passes_every_stage_of_the_edition_by_the_right_people(db, edition_id):
    world = worlds.build()
    works = world.works
    if edition_id.startswith("guangdong"):
        works = worlds.applicant(world, "广州建材有限公司", worlds.PROVINCE_CITY)
    application = worlds.handed_in(world, worlds.round_of(world, edition_id), works)

    application = worlds.advance(world, application)

    assert application.outcome == "RECOGNISED"
    assert Act.objects.filter(application=application).count() == application.version


def test_a_ready_case_is_written_through_the_services(db):
    world = worlds.build(experts=0, second_officers=False)
    worlds.keep_ledger(world, world.works)

    assert worlds.ready_case(world, world.works).state == "READY"
    assert not Application.objects.exists()
