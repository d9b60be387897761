"""The page of a batch shows a part of it, and what is confirmed there is all of it."""

import pytest
from django.test import Client
from django.urls import reverse

from tests.rooms.reviews import world as worlds
from wufei.reviews.models import Batch
from wufei.reviews.tasks import run_batch


@pytest.fixture
def world(db):
    return worlds.build()


def test_a_batch_is_read_page_by_page_and_confirmed_as_a_whole(world, monkeypatch):
    monkeypatch.setattr("wufei.reviews.views.batches.ROWS_PER_PAGE", 2)
    made = worlds.round_of(world)
    six = [
        worlds.advance(
            world,
            worlds.handed_in(world, made, worlds.applicant(world, f"第{n}厂")),
            "provincial-recommendation",
        )
        for n in range(6)
    ]
    for application in six:
        worlds.act(world, application, "CITY_ENVIRONMENT", "AGREE")
    client = Client()
    client.force_login(world.people["CITY_INDUSTRY"])
    said = {"codes": [a.code for a in six], "role": "CITY_INDUSTRY", "action": "AGREE", "words": "同意"}
    address = client.post(reverse("reviews:plan-batch", args=[made.pk]), said).headers["Location"]

    def codes(**asked):
        return [item.application.code for item, *_ in client.get(address, asked).context["rows"]]

    assert [codes(page=number) for number in (1, 2, 3)] == [
        [a.code for a in six[n : n + 2]] for n in (0, 2, 4)
    ]
    assert codes(only="refused") == [six[5].code]  # the quota is five
    first = client.get(address).content.decode()
    assert "共 6 件，其中 1 件将不能办理" in first
    assert "确认后办理全部 6 件" in first

    batch = Batch.objects.get()
    client.post(reverse("reviews:confirm-batch", args=[batch.pk]))
    run_batch.call(batch.pk)
    assert [item.state for item in batch.items.order_by("position")] == ["DONE"] * 5 + ["REFUSED"]
    assert codes(only="refused") == [six[5].code]
