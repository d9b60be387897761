import logging

import pytest
from django.core.signals import request_finished, request_started
from django.db import close_old_connections

from tests.rooms.api.world import Api, World, build
from wufei.registry.api import door


@pytest.fixture
def world(db) -> World:
    return build()


@pytest.fixture
def officer_api(world: World) -> Api:
    return world.api("officer")


@pytest.fixture
def unhurried(monkeypatch):
    monkeypatch.setattr(door, "REQUESTS_PER_MINUTE", 10**9)
    logging.disable(logging.WARNING)
    # The test's connection is the test's to close, not the request's (Django's own client does the same).
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)
    logging.disable(logging.NOTSET)
