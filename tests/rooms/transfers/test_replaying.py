"""Nothing that is said of a manifest counts twice (promise L3): drafts by their uid, signatures by their client id."""

import uuid

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models.fields import UUIDField

from tests.rooms.api.world import Api, token
from tests.rooms.replaying import TIMES, replayed
from tests.rooms.transfers import world as worlds
from wufei.transfers.models import Manifest, Signature

COUNT = 12


@pytest.fixture
def world(db, monkeypatch):
    monkeypatch.setattr("django.utils.timezone.now", lambda: worlds.NOW)
    return worlds.build()


@pytest.fixture
def officer(world) -> Api:
    return Api(token(world.officer))


def address(world, *more: str) -> str:
    return "/".join([f"/organisations/{world.generator.uscc}/manifests", *more])


def body(world, *codes: str, **said):
    lines = [{"lot": code, "said": worlds.OF_A_LINE} for code in codes]
    legs = [{"carrier": world.carrier.uscc}]
    return {"receiver": world.receiver.uscc, "said": worlds.SAID, "legs": legs, "lines": lines} | said


def fresh() -> str:
    """Another key each time: what holds is the client's own id."""
    return uuid.uuid4().hex


def test_drafts_and_their_issue_over_a_lossy_line_count_once_each(world, officer):
    uids = [str(uuid.uuid4()) for _ in range(COUNT)]
    bodies = [body(world, world.drum(f"X{n}"), uid=uid) for n, uid in enumerate(uids)]

    def drafting(said):
        return lambda: officer.post(address(world), said, key=fresh())

    heard, sent = replayed([drafting(said) for said in bodies], seed=5)

    assert sent > TIMES * COUNT
    assert {answer.status_code for each in heard for answer in each} == {201}
    assert sorted(map(str, Manifest.objects.values_list("uid", flat=True))) == sorted(uids)

    ids = {uid: str(uuid.uuid4()) for uid in uids}

    def issuing(uid: str):
        """By the address of the draft each time: who lost the answer doesn't know its number."""
        said = {"act": "ISSUE", "client_id": ids[uid]}
        return lambda: officer.post(address(world, uid, "acts"), said, key=fresh())

    heard, sent = replayed([issuing(uid) for uid in uids], seed=6)

    assert sent > TIMES * COUNT
    assert {answer.status_code for each in heard for answer in each} == {200}
    assert Signature.objects.count() == COUNT
    numbers = sorted(Manifest.objects.values_list("number", flat=True))
    assert numbers == [f"20265001{at:06}" for at in range(1, COUNT + 1)]
    assert world.used_g() == COUNT * 200_000


@pytest.mark.parametrize(
    "change",
    [
        {"receiver": ""}, {"legs": []}, {"said": worlds.SAID | {"contact": "李四"}}, {"lines": []},
        {"lines": [{"lot": "Y", "said": worlds.OF_A_LINE}]},
        {"lines": [{"lot": "X", "said": worlds.OF_A_LINE, "mass_g": 100_000}]},
        {"lines": [{"lot": "X", "said": worlds.OF_A_LINE | {"packaging": "BAG"}}]},
        {"lines": [{"lot": "X", "said": worlds.OF_A_LINE, "package_count": 2}]},
    ],
)  # fmt: skip
def test_a_draft_under_the_same_uid_that_says_something_else_is_a_conflict(world, officer, change):
    world.drum("X")
    world.drum("Y")
    said = body(world, "X", uid=str(uuid.uuid4()))
    assert officer.post(address(world), said, key=fresh()).status_code == 201
    other = officer.post(address(world), said | change, key=fresh())
    assert (other.status_code, other.json()["code"]) == (409, "client_id_reused")
    assert officer.post(address(world), said, key=fresh()).status_code == 201
    assert Manifest.objects.count() == 1


def test_a_late_retry_of_a_draft_that_was_edited_since_brings_it_as_it_stands(world, officer):
    world.drum("X")
    said = body(world, "X", uid=str(uuid.uuid4()))
    made = officer.post(address(world), said, key=fresh()).json()
    edited = said | {"said": worlds.SAID | {"contact": "李四"}, "version": 1}
    edited.pop("uid")
    assert officer.ask("PUT", address(world, made["reference"]), edited, key=fresh()).status_code == 200
    again = officer.post(address(world), said, key=fresh())
    assert (again.status_code, again.json()["reference"]) == (201, made["reference"])


def again(manifest: Manifest) -> None:
    """Make the same draft once more, as if nobody had looked whether it is there."""
    manifest.pk = None
    manifest._state.adding = True
    with transaction.atomic():
        manifest.save(force_insert=True)


def test_the_database_itself_takes_a_uid_once(world):
    manifest = world.draft()
    with pytest.raises(IntegrityError):
        again(manifest)


def test_the_control_without_the_constraint_it_takes_it_twice(world):
    manifest = world.draft()
    if connection.vendor != "postgresql":
        pytest.skip("SQLite can't drop a constraint inside a transaction; PostgreSQL shows it")
    connection.check_constraints()  # what waits for the end of the transaction would forbid it
    with connection.schema_editor() as editor:
        unique = Manifest._meta.get_field("uid")
        loose = UUIDField(default=uuid.uuid4)
        loose.set_attributes_from_name("uid")
        loose.model = Manifest
        editor.alter_field(Manifest, unique, loose)
    again(manifest)
    assert Manifest.objects.filter(uid=manifest.uid).count() == 2
