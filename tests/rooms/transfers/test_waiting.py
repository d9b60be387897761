"""What waits on manifests, and which permits end, stands among the tasks of those who must act, and of no others."""

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.rooms.transfers import world as worlds
from tests.rooms.transfers.test_correcting import received
from tests.rooms.transfers.test_revising import answer, propose
from wufei.registry.models import OperatingPermit, PermitKind
from wufei.registry.services import permits
from wufei.registry.services.permits import GroupSaid
from wufei.reviews.queries.tasks import TaskKind, counts, tasks_of
from wufei.reviews.views.tasks import ROUTES
from wufei.terms.mass import Mass
from wufei.transfers import services
from wufei.transfers.models import Discrepancy
from wufei.transfers.states import Act


def to_do(user, on: date = worlds.TODAY) -> dict[str, list[tuple[str, bool]]]:
    groups = tasks_of(user=user, on=on)
    assert sum(group.count for group in groups) == counts(user=user, on=on).tasks
    return {group.kind.value: [(task.subject, task.is_overdue) for task in group.tasks] for group in groups}


def everybody(world) -> dict[str, dict[str, list[tuple[str, bool]]]]:
    people = {"officer": world.officer, "driver": world.driver, "taker": world.taker}
    return {name: found for name, user in people.items() if (found := to_do(user))}


def test_what_arrived_waits_for_the_receiver_and_is_overdue_after_five_working_days(world):
    number = world.delivered().number
    assert everybody(world) == {"taker": {"CONFIRM": [(number, False)]}}
    worker = worlds.person("WORKER", world.receiver, "地磅员")  # who weighs in may confirm
    assert to_do(worker, date(2026, 7, 8)) == {"CONFIRM": [(number, False)]}
    assert to_do(worker, date(2026, 7, 9)) == {"CONFIRM": [(number, True)]}


def test_a_difference_waits_for_the_generators_officer_until_it_is_settled(world):
    number = world.receive(world.delivered(), "100").number
    assert everybody(world) == {"officer": {"DIFFERENCE": [(number, False)]}}
    assert to_do(worlds.person("WORKER", world.generator, "班组")) == {}
    services.settle_discrepancy(
        discrepancy=Discrepancy.objects.get(), organisation=world.generator, reason="蒸发", by=world.officer,
        now=world.now,
    )  # fmt: skip
    assert everybody(world) == {}


def test_what_was_refused_waits_to_be_taken_back(world):
    manifest = world.delivered()
    world.receive(manifest, act=Act.REFUSE, said={"receiving_contact": "王五", "opinion": "包装破损"})
    assert everybody(world) == {"officer": {"TAKE_BACK": [(manifest.number, False)]}}
    services.take_back(
        manifest=manifest, organisation=world.generator, by=world.officer, now=world.later(hours=1)
    )
    assert everybody(world) == {}


def test_a_revision_waits_for_the_other_side(world):
    manifest = world.receive(world.delivered(), "200")
    theirs = {"organisation": world.receiver, "by": world.taker}
    revision = propose(world, manifest)
    assert everybody(world) == {"taker": {"REVISION": [(manifest.number, False)]}}
    answer(world, revision)
    assert everybody(world) == {}
    propose(world, manifest, received(199), **theirs)
    assert everybody(world) == {"officer": {"REVISION": [(manifest.number, False)]}}


def test_a_permit_that_ends_soon_waits_for_its_holder_until_there_is_a_next_one(world):
    soon = worlds.TODAY + timedelta(days=60)
    OperatingPermit.objects.filter(pk=world.permit.pk).update(valid_through=soon + timedelta(days=1))
    assert everybody(world) == {}
    OperatingPermit.objects.filter(pk=world.permit.pk).update(valid_through=soon)
    assert everybody(world) == {"taker": {"PERMIT": [("CQ5001020001", False)]}}
    assert to_do(world.taker, soon + timedelta(days=1)) == {"PERMIT": [("CQ5001020001", True)]}
    permits.record_permit(
        organisation=world.receiver, kind=PermitKind.COMPREHENSIVE, number="新证", valid_from=soon,
        valid_through=worlds.FAR, groups=[GroupSaid(waste_codes=["HW08"], capacity=Mass(1))], by=world.taker,
        now=world.now,
    )  # fmt: skip
    assert everybody(world) == {}


def test_an_approval_that_ends_soon_waits_as_long_as_something_is_left_of_it(db):
    world = worlds.build(receiver_division="510100")
    said = {
        "organisation": world.generator, "receiver": world.receiver, "kind": "APPROVAL", "waste_code": worlds.OIL,
        "approved": Mass(400_000), "valid_from": date(2026, 1, 1), "by": world.officer, "now": world.now,
    }  # fmt: skip
    services.record_approval(number="渝环跨1号", valid_through=date(2026, 7, 31), **said)
    assert everybody(world) == {"officer": {"APPROVAL": [("渝环跨1号", False)]}}
    assert to_do(world.officer, date(2026, 6, 30)) == {}
    world.issued(), world.issued()  # all of it is used
    assert everybody(world) == {}
    services.record_approval(
        number="渝环跨2号", valid_through=date(2026, 12, 31), **(said | {"approved": Mass(1)})
    )
    assert everybody(world) == {}


def test_each_task_leads_to_where_it_is_done(world, monkeypatch):
    monkeypatch.setattr("django.utils.timezone.now", lambda: world.now)
    world.delivered()
    refused = world.delivered()
    world.receive(refused, act=Act.REFUSE, said={"receiving_contact": "王五", "opinion": "包装破损"})
    short = world.receive(world.delivered(), "100")
    propose(world, short)
    OperatingPermit.objects.filter(pk=world.permit.pk).update(valid_through=world.now.date())
    found = {}
    for user in (world.officer, world.taker):
        client = Client()
        client.force_login(user)
        page = client.get(reverse("reviews:tasks")).content.decode()
        for group in tasks_of(user=user, on=worlds.TODAY):
            for task in group.tasks:
                address = reverse(ROUTES[group.kind], args=task.key)
                assert f'<a href="{address}">{task.subject}</a>' in page
                found[group.kind] = client.get(address).status_code
    assert found == dict.fromkeys(
        (TaskKind.CONFIRM, TaskKind.TAKE_BACK, TaskKind.DIFFERENCE, TaskKind.REVISION, TaskKind.PERMIT), 200
    )


@pytest.mark.parametrize("who", ["officer", "taker"])
def test_the_list_takes_the_same_queries_for_one_and_for_four(world, who):
    user = getattr(world, who)

    def ask() -> int:
        with CaptureQueriesContext(connection) as seen:
            tasks_of(user=user, on=worlds.TODAY)
        return len(seen)

    def more() -> None:
        world.delivered()
        world.receive(world.delivered(), "100")

    more()
    ask()
    few = ask()
    for _ in range(3):
        more()
    assert ask() == few
