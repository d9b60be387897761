"""
L7: a permit's capacity holds whoever issues at the same moment; numbers are given once, without a gap; a container
leaves once from two phones.

In the suite 8 writers × 12 rounds; `WUFEI_QUOTA_ROUNDS=300` asks for the whole promise.
"""

import os
import threading
import time
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from django.db import connection
from django.db.models import F

from tests.conftest import NOW
from tests.rooms.transfers import world as worlds
from wufei.registry.models import PermitGroup, PermitUse
from wufei.registry.services import permits
from wufei.registry.services.permits import GroupSaid
from wufei.terms.mass import Mass
from wufei.transfers import services
from wufei.transfers.models import Manifest, Signature
from wufei.transfers.refusals import Code, TransferRefused
from wufei.transfers.services import LegSaid, LineSaid

WRITERS = 8
ROUNDS = int(os.environ.get("WUFEI_QUOTA_ROUNDS", "12"))
EACH_G = 200_000


def at_once(tasks: Sequence[Callable[[], Any]]) -> list[Any]:
    """Run all at the same moment, each in a thread; return what each returned, or why it was refused."""
    barrier = threading.Barrier(len(tasks))
    found: list[Any] = [None] * len(tasks)
    broken: list[BaseException] = []

    def run(at: int) -> None:
        try:
            barrier.wait(timeout=120)
            try:
                found[at] = tasks[at]()
            except TransferRefused as refused:
                found[at] = refused.code
        except BaseException as error:
            broken.append(error)
            barrier.abort()
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(at,)) for at in range(len(tasks))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert broken == []
    return found


def groups(world: worlds.World, count: int) -> list[PermitGroup]:
    """A permit with as many groups, each with a capacity of its own below what the writers will ask for together."""
    said = [
        GroupSaid(waste_codes=["HW08"], name=f"第{at}组", capacity=Mass(EACH_G * (1 + at % (WRITERS - 1))))
        for at in range(count)
    ]
    permit = permits.record_permit(
        organisation=world.receiver, kind="COLLECTION", number="多组", valid_from=date(2024, 1, 1),
        valid_through=worlds.FAR, groups=said, by=world.taker, now=NOW,
    )  # fmt: skip
    return list(permit.groups.order_by("pk"))


def over_and_under(made: Sequence[PermitGroup], take: Callable[[PermitGroup], bool]) -> tuple[int, int]:
    """Return how many groups were let over their capacity, and how many stayed below though more was asked for."""
    over = under = 0
    for group in made:
        taken = sum(at_once([lambda group=group: take(group)] * WRITERS)) * EACH_G
        over += taken > group.capacity_g
        under += taken < group.capacity_g
    return over, under


def test_eight_writers_at_the_same_moment_fill_every_capacity_and_none_over(own_store):
    made = groups(worlds.build(), ROUNDS)
    found = over_and_under(
        made, lambda group: permits.take_capacity(group_id=group.pk, year=2026, grams=EACH_G)
    )
    assert found == (0, 0)
    used = dict(PermitUse.objects.values_list("group_id", "used_g"))
    assert used == {group.pk: group.capacity_g for group in made}
    print(f"{own_store}: {WRITERS} writers × {ROUNDS} rounds: 0 over, 0 under")


def test_the_race_itself_breaks_who_counts_and_then_inserts(own_store):
    made = groups(worlds.build(), 6)
    PermitUse.objects.bulk_create(PermitUse(group=group, year=2026) for group in made)

    def count_then_add(group: PermitGroup) -> bool:
        row = PermitUse.objects.get(group=group)
        if row.used_g + EACH_G > group.capacity_g:
            return False
        time.sleep(0.01)  # what else the request does
        PermitUse.objects.filter(pk=row.pk).update(used_g=F("used_g") + EACH_G)
        return True

    over, _ = over_and_under(made, count_then_add)
    assert over > 0


def test_manifests_issued_at_the_same_moment_do_not_overrun_the_permit(own_store):
    world = worlds.build(capacity="1")
    drafts = [world.draft() for _ in range(WRITERS)]
    found = at_once([lambda each=each: world.issue(each).number for each in drafts])
    assert found.count(Code.CAPACITY_EXHAUSTED) == WRITERS - 5
    assert world.used_g() == 5 * EACH_G
    numbers = sorted(each for each in found if each is not Code.CAPACITY_EXHAUSTED)
    assert numbers == [f"20265001{at:06}" for at in range(1, 6)]


def test_forty_drafts_at_the_same_moment_are_forty_and_their_numbers_follow_one_another(own_store):
    world = worlds.build()
    world.ledger.post("2026-06-20 F2 产生 1 吨 危废库 -")
    said = {
        "organisation": world.generator, "receiver": world.receiver.uscc, "said": worlds.SAID, "by": world.officer,
        "lines": [LineSaid(stream="F2", mass=Mass(1_000), said=worlds.OF_A_LINE)], "now": NOW,
        "legs": [LegSaid(carrier=world.carrier.uscc)],
    }  # fmt: skip
    drafts = []
    for _ in range(5):
        drafts += at_once([lambda: services.create_draft(**said)] * WRITERS)
    assert len({each.pk for each in drafts}) == Manifest.objects.count() == 40
    numbers = []
    for start in range(0, 40, WRITERS):
        some = drafts[start : start + WRITERS]
        numbers += at_once([lambda each=each: world.issue(each).number for each in some])
    assert sorted(numbers) == [f"20265001{at:06}" for at in range(1, 41)]


def test_one_draft_sent_by_eight_at_the_same_moment_is_one(own_store):
    world = worlds.build()
    world.drum("X")
    uid = worlds.new_id()

    assert len(set(at_once([lambda: world.draft("X", uid=uid).pk] * WRITERS))) == 1
    assert Manifest.objects.count() == 1


def test_a_container_dispatched_from_two_phones_leaves_once(own_store):
    world = worlds.build()
    for at in range(4):
        world.drum(f"X{at}")
        pair = [world.draft(f"X{at}"), world.draft(f"X{at}")]
        found = at_once([lambda each=each: world.issue(each).state for each in pair])
        assert sorted(str(each) for each in found) == ["ISSUED", "lot_on_another_manifest"]


def test_a_load_signed_by_two_phones_leaves_the_store_once(own_store):
    world = worlds.build()
    manifest = world.issued()
    found = at_once([lambda: world.load(manifest, now=NOW).state] * 2)
    assert sorted(str(each) for each in found) == ["IN_TRANSIT", "act_not_now"]
    assert Signature.objects.filter(act="LOAD").count() == 1
    assert world.ledger.holds("危废库") == Mass(0)


def test_what_arrives_at_the_same_moment_is_all_received(own_store):
    world = worlds.build()
    manifests = [world.delivered() for _ in range(6)]
    at = world.later(hours=1)
    found = at_once([lambda each=each: world.receive(each, "200", now=at).state for each in manifests])
    assert set(found) == {"ACCEPTED"}
    assert world.received.holds("接收库") == Mass(6 * EACH_G)


def test_two_that_send_to_each_other_do_not_wait_for_one_another(own_store):
    """Each receipt takes both chains; were they taken in the order of the parties, one would be broken off."""
    world = worlds.build()
    back = worlds.the_other_way(world)
    for _ in range(3):
        there, here = [world.delivered() for _ in range(2)], [back.delivered() for _ in range(2)]
        at = max(world.later(hours=1), back.later(hours=1))
        tasks = [lambda each=each, at=at: world.receive(each, "200", now=at).state for each in there]
        tasks += [lambda each=each, at=at: back.receive(each, "200", now=at).state for each in here]
        assert set(at_once(tasks)) == {"ACCEPTED"}


def test_one_weighing_of_many_and_single_receipts_do_not_wait_for_one_another(own_store):
    world = worlds.build()
    for _ in range(2):
        pooled, single = [world.delivered() for _ in range(3)], [world.delivered() for _ in range(3)]
        at = world.later(hours=1)

        def pool(pooled=pooled, at=at) -> str:
            services.receive_load(
                manifests=pooled, organisation=world.receiver, received=Mass(600_000), mode="R9",
                said=worlds.TAKEN, by=world.taker, now=at,
            )  # fmt: skip
            return "ACCEPTED"

        tasks = [lambda each=each, at=at: world.receive(each, "200", now=at).state for each in single]
        assert set(at_once([pool, *tasks])) == {"ACCEPTED"}
    assert world.received.holds("接收库") == Mass(12 * EACH_G)
