import pytest

from tests.rooms.tracking import world as roads
from tests.rooms.transfers import world as worlds


@pytest.fixture
def world(db) -> worlds.World:
    return worlds.build()


@pytest.fixture
def voice(world) -> roads.Voice:
    return roads.Voice(roads.registered(world))
