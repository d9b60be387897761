import pytest

from tests.rooms.collection import world as worlds


@pytest.fixture
def world(db) -> worlds.World:
    return worlds.build()
