import pytest

from tests.rooms.api.world import Api, World, build


@pytest.fixture
def world(db) -> World:
    return build()


@pytest.fixture
def officer_api(world: World) -> Api:
    return world.api("officer")
