"""A write that is sent again counts once, whatever became of the answer."""

import random
import threading
import uuid
from typing import Any

import pytest
from django.db import connection, connections

from tests.rooms.api.world import Api, World, build, generation, token
from wufei.ledger.models import Movement
from wufei.registry.api import idempotency
from wufei.registry.models import IdempotentAnswer

BODY = {"movements": [generation()]}


def movements(world: World) -> int:
    return Movement.objects.filter(organisation=world.mine).count()


def test_the_same_request_under_the_same_key_brings_the_same_answer_and_counts_once(world, officer_api):
    before = movements(world)
    first = officer_api.post(world.address("/movements"), BODY, key="k-1")
    again = officer_api.post(world.address("/movements"), BODY, key="k-1")

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert "Idempotent-Replay" not in first
    assert again["Idempotent-Replay"] == "true"
    assert again["Content-Type"] == first["Content-Type"]
    assert movements(world) == before + 1


@pytest.mark.parametrize("other", ["body", "path", "method"])
def test_the_key_of_another_request_is_refused_and_nothing_is_written(world, officer_api, other):
    officer_api.post(world.address("/movements"), BODY, key="k-1")
    before = movements(world)
    response = {
        "body": lambda: officer_api.post(
            world.address("/movements"), {"movements": [generation("3")]}, key="k-1"
        ),
        "path": lambda: officer_api.post(world.address("/movements/1/reverse"), {"reason": "错"}, key="k-1"),
        "method": lambda: officer_api.ask(
            "PATCH", world.address(), {"version": 1, "contact": "李四"}, key="k-1"
        ),
    }[other]()

    assert (response.status_code, response.json()["code"]) == (409, "idempotency_key_reused")
    assert movements(world) == before


def test_two_persons_may_hit_upon_the_same_key(world, officer_api):
    worker = world.api("worker")
    assert officer_api.post(world.address("/movements"), BODY, key="k-1").status_code == 201
    response = worker.post(world.address("/movements"), BODY, key="k-1")
    assert response.status_code == 201
    assert "Idempotent-Replay" not in response


def test_an_answer_is_not_told_again_to_somebody_who_may_no_longer_see_the_organisation(world, officer_api):
    assert officer_api.post(world.address("/movements"), BODY, key="k-1").status_code == 201
    world.people["officer"].role_assignments.all().delete()
    assert officer_api.post(world.address("/movements"), BODY, key="k-1").status_code == 404


def test_a_refused_write_is_not_kept_and_may_be_corrected_under_the_same_key(world, officer_api):
    path, before = world.address("/movements"), movements(world)
    refused = officer_api.post(path, {"movements": [generation(stream="没有")]}, key="k-1")
    assert refused.status_code == 409
    assert not IdempotentAnswer.objects.exists()
    assert movements(world) == before

    assert officer_api.post(path, BODY, key="k-1").status_code == 201


@pytest.mark.parametrize("key", ["", "a" * 129, "有", "a b"])
def test_a_write_needs_a_printable_key(world, officer_api, key):
    sent = {"Authorization": f"Bearer {officer_api.secret}"}
    if key:
        sent["Idempotency-Key"] = key
    response = officer_api.client.post(
        f"/api/v1{world.address('/movements')}", BODY, content_type="application/json", headers=sent
    )
    assert (response.status_code, response.json()["code"]) == (400, "idempotency_key_missing")


def test_an_upload_that_is_sent_again_is_known_though_its_boundary_differs(world, officer_api):
    from django.core.files.uploadedfile import SimpleUploadedFile

    from tests.rooms.api.world import PDF

    def upload(boundary: str) -> Any:
        from django.test.client import encode_multipart

        body = {"category": "PROOF", "file": SimpleUploadedFile("新.pdf", PDF.replace(b"9", b"7"))}
        return officer_api.client.generic(
            "POST", f"/api/v1{world.address(f'/cases/{world.case.pk}/evidence')}",
            encode_multipart(boundary, body), content_type=f"multipart/form-data; boundary={boundary}",
            headers={"Authorization": f"Bearer {officer_api.secret}", "Idempotency-Key": "u-1"},
        )  # fmt: skip

    first, again = upload("aaaa"), upload("bbbb")
    assert first.status_code == 201, first.content
    assert (again.status_code, again["Idempotent-Replay"]) == (201, "true")
    assert again.content == first.content


def test_removing_twice_under_one_key_answers_alike(world, officer_api):
    path = world.address(f"/cases/{world.case.pk}/evidence/{world.evidence.pk}")
    first = officer_api.ask("DELETE", path, key="d-1")
    again = officer_api.ask("DELETE", path, key="d-1")
    assert (first.status_code, again.status_code, again.content) == (204, 204, b"")
    assert officer_api.ask("DELETE", path, key="d-2").status_code == 404


def test_the_answer_is_kept_with_the_write_or_not_at_all(world, officer_api, monkeypatch):
    before = movements(world)

    def breaks(_: object) -> str:
        raise RuntimeError("planted")

    monkeypatch.setattr(idempotency, "as_text", breaks)
    with pytest.raises(RuntimeError):
        officer_api.post(world.address("/movements"), BODY, key="k-1")
    assert movements(world) == before
    assert not IdempotentAnswer.objects.exists()


def _in_threads(callers: list[Any]) -> None:
    def run(caller: Any) -> None:
        try:
            caller()
        finally:
            connections["default"].close()

    threads = [threading.Thread(target=run, args=(caller,)) for caller in callers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_requests_at_the_same_moment_under_one_key_count_once(own_store):
    world = build()
    secret = token(world.people["officer"])
    before = movements(world)
    answers: list[Any] = []
    barrier = threading.Barrier(4)

    def send() -> None:
        caller = Api(secret)
        barrier.wait()
        answers.append(caller.post(world.address("/movements"), BODY, key="k-1"))

    _in_threads([send] * 4)

    assert [answer.status_code for answer in answers] == [201] * 4
    assert len({answer.content for answer in answers}) == 1
    assert sum("Idempotent-Replay" in answer for answer in answers) == 3
    assert movements(world) == before + 1


def test_of_two_requests_under_one_key_at_the_same_moment_one_is_refused(own_store):
    world = build()
    secret = token(world.people["officer"])
    before = movements(world)
    statuses: list[int] = []
    barrier = threading.Barrier(2)

    def send(mass: str) -> None:
        caller = Api(secret)
        barrier.wait()
        body = {"movements": [generation(mass)]}
        statuses.append(caller.post(world.address("/movements"), body, key="k-1").status_code)

    _in_threads([lambda: send("1"), lambda: send("2")])

    assert sorted(statuses) == [201, 409]
    assert movements(world) == before + 1


class Lossy:
    """A line that drops some requests and some answers; the client sends again until it is answered."""

    def __init__(self, caller: Api, seed: int):
        self.caller, self.random = caller, random.Random(seed)

    def send(self, path: str, body: dict[str, Any], key: str) -> Any:
        for _ in range(100):
            if self.random.random() < 0.15:
                continue  # the request was lost
            response = self.caller.post(path, body, key=key)
            if self.random.random() >= 0.15:
                return response
        raise AssertionError("the line is dead")


@pytest.mark.parametrize("has_own_ids", [True, False])
def test_over_a_line_that_drops_a_third_each_request_sent_three_times_counts_once(
    world, officer_api, has_own_ids
):
    """L3: client-made ids, every request replayed three times, 30 % dropped."""
    line, before = Lossy(officer_api, seed=11), movements(world)
    sent = []
    for number in range(60):
        said = {"client_id": str(uuid.UUID(int=number + 1))} if has_own_ids else {}
        sent.append((f"k-{number}", {"movements": [generation(str(number + 1), **said)]}))
    shuffled = sent * 3
    random.Random(12).shuffle(shuffled)
    answers: dict[str, set[bytes]] = {}
    for key, body in shuffled:
        response = line.send(world.address("/movements"), body, key)
        assert response.status_code == 201
        answers.setdefault(key, set()).add(response.content)

    assert movements(world) == before + 60
    assert all(len(alike) == 1 for alike in answers.values())
    stock = officer_api.get(world.address("/stock")).json()["stock"]
    assert stock[0]["mass_g"] == (5 + sum(range(1, 61))) * 1_000_000
    assert officer_api.get(world.address("/verify")).json() == {
        "movements": before + 60, "ok": True, "faults": [],
    }  # fmt: skip


def test_a_clients_own_id_counts_once_even_under_a_fresh_key(world, officer_api):
    mine = str(uuid.uuid4())
    path = world.address("/movements")
    first = officer_api.post(path, {"movements": [generation(client_id=mine)]}, key="k-1")
    before = movements(world)
    again = officer_api.post(path, {"movements": [generation(client_id=mine)]}, key="k-2")
    assert again.json() == first.json()
    other = officer_api.post(path, {"movements": [generation("3", client_id=mine)]}, key="k-3")
    assert (other.status_code, other.json()["code"]) == (409, "client_id_reused")
    assert movements(world) == before


def test_the_check_itself_fails_where_keys_are_not_unique(world, officer_api):
    """The control of L3: without the constraint the second request is not recognised."""
    with connection.schema_editor() if connection.vendor == "postgresql" else _nothing() as editor:
        if editor is None:
            pytest.skip("SQLite can't drop a constraint inside a transaction; PostgreSQL shows it")
        editor.remove_constraint(IdempotentAnswer, IdempotentAnswer._meta.constraints[0])
        before = movements(world)
        officer_api.post(world.address("/movements"), BODY, key="k-1")
        with pytest.raises(IdempotentAnswer.MultipleObjectsReturned):
            officer_api.post(world.address("/movements"), BODY, key="k-1")
        assert movements(world) == before + 1


class _nothing:
    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        return None
