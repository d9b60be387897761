"""The doors for machines: what a token may read, and how a scale itself speaks over HTTP."""

import json

import pytest
from django.core.cache import cache
from django.test import Client

from tests.rooms.api.world import Api, token
from tests.rooms.shopfloor.conftest import Voice
from wufei.ledger.models import Movement
from wufei.registry.models import RoleAssignment
from wufei.shopfloor import api as door
from wufei.shopfloor import services
from wufei.shopfloor.models import Reading
from wufei.shopfloor.reading import message_of
from wufei.shopfloor.signing import signature

pytestmark = pytest.mark.django_db


def send(said, *, signed: str | None, code: str | None = None, body: bytes | None = None):
    headers = {} if signed is None else {door.SIGNATURE: signed}
    return Client(enforce_csrf_checks=True).post(
        f"/api/v1/scales/{code or said['scale']}/readings",
        data=body if body is not None else json.dumps(said), content_type="application/json", headers=headers,
    )  # fmt: skip


@pytest.fixture
def at_work(voice: Voice, settings, monkeypatch, now):
    """The scale at the desk of the door: its clock is ours."""
    monkeypatch.setattr(door.timezone, "now", lambda: now)
    return voice


def say(voice: Voice, **said):
    message = voice.said(12_000, **said)
    return message, signature(message_of(message), voice.scale.secret)


def test_a_signed_reading_is_taken_and_answered_the_same_again(at_work):
    said, signed = say(at_work)
    first, again = (send(said, signed=signed) for _ in range(2))

    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json() == {
        "scale": at_work.scale.code, "sequence": 1, "received_at": "2026-07-01T10:00:00+08:00",
        "movement": None, "waits_because": None, "message": "已收到。",
    }  # fmt: skip
    assert again["Idempotent-Replay"] == "true"
    assert "Idempotent-Replay" not in first
    assert Reading.objects.count() == 1


def test_a_rule_says_as_what_it_posted_or_why_it_waits(make_scale, now, monkeypatch, officer):
    monkeypatch.setattr(door.timezone, "now", lambda: now)
    voice = Voice(make_scale(stream="W1"), now)
    said, signed = say(voice)
    assert send(said, signed=signed).json()["movement"] == Movement.objects.get().seq == 1
    RoleAssignment.objects.filter(user=officer).delete()
    said, signed = say(voice)
    answer = send(said, signed=signed).json()
    assert (answer["movement"], answer["waits_because"]) == (None, "may_not_post")
    assert answer["message"].startswith("已收到，但没有自动记账：")


def test_a_refused_reading_is_answered_with_its_code_each_time(at_work):
    said, signed = say(at_work, net="12,5")
    for _ in range(2):
        answer = send(said, signed=signed)
        assert (answer.status_code, answer.json()["code"]) == (422, "weight_has_comma")
    other, signed = say(at_work, sequence=1)
    reused = send(other, signed=signed)
    assert (reused.status_code, reused.json()["code"]) == (409, "sequence_reused")
    assert Reading.objects.count() == 2


def test_without_the_scales_own_signature_nothing_is_taken(at_work, make_scale):
    said, signed = say(at_work)
    other = signature(message_of(said), make_scale(name="二号秤").secret)
    for wrong in (None, "", "0" * 64, other):
        assert send(said, signed=wrong).status_code == 401
    assert send(said | {"net": 22_000, "gross": 23_500}, signed=signed).status_code == 401
    unknown = said | {"scale": "C00000000"}
    refused = send(unknown, signed=signed)
    assert refused.status_code == 401
    assert "签名不符" in refused.json()["message"]  # a scale has nowhere to sign in
    assert not Reading.objects.exists()


def test_what_is_no_reading_is_named_by_its_field(at_work):
    said, signed = say(at_work)
    answer = send(said | {"net": 12.5}, signed=signed)
    assert (answer.status_code, answer.json()["details"][0]["where"]) == (422, "body.net")
    assert send(said, signed=signed, body=b"{").status_code == 422
    assert send(said, signed=signed, code="C00000000").json()["details"][0]["code"] == "scale_unknown"
    assert send(said, signed=signed, body=b" " * 5000).status_code == 413
    assert send(said, signed=signed, body=b"x" * 2_000_000).status_code == 413


def test_a_scale_gone_wild_is_stopped_for_a_while(at_work, monkeypatch):
    cache.clear()  # of what devices before it were counted
    monkeypatch.setattr(door, "READINGS_PER_MINUTE", 2)
    statuses = [send(said, signed=signed).status_code for said, signed in (say(at_work) for _ in range(4))]
    assert statuses == [201, 201, 429, 429]


def test_a_token_reads_scales_and_readings_page_by_page(voice, officer, floor):
    for stable in (True, True, False):
        voice.says(12_000, stable=stable)
    services.set_aside(
        organisation=floor.organisation, scale_code=voice.scale.code, sequence=1, reason="试秤", by=officer,
        now=voice.now,
    )  # fmt: skip
    api, here = Api(token(officer)), f"/organisations/{floor.organisation.uscc}/scales"

    [row] = api.get(here).json()["scales"]
    assert (row["code"], row["waiting"], row["rule"], row["store"]) == (voice.scale.code, 1, "WAIT", "库1")
    assert "secret" not in row
    assert voice.scale.secret not in api.get(here).content.decode()
    first = api.get(f"{here}/{voice.scale.code}/readings?limit=2").json()
    assert [(r["sequence"], r["refusal"]) for r in first["readings"]] == [(3, "unstable"), (2, None)]
    last = api.get(f"{here}/{voice.scale.code}/readings?limit=2&before={first['next']}").json()
    assert [(r["sequence"], r["set_aside"]) for r in last["readings"]] == [(1, "试秤")]
    assert last["next"] is None
    waiting = api.get(f"{here}/{voice.scale.code}/readings?state=waiting").json()
    assert [r["sequence"] for r in waiting["readings"]] == [2]


def test_a_scale_of_another_factory_is_not_there(voice, make_organisation, make_user):
    elsewhere = make_organisation("乙厂")
    api = Api(token(make_user("ENVIRONMENT_OFFICER", elsewhere)))
    assert api.get(f"/organisations/{elsewhere.uscc}/scales").json() == {"scales": []}
    stolen = f"/organisations/{elsewhere.uscc}/scales/{voice.scale.code}/readings"
    assert api.get(stolen).json()["code"] == "scale_unknown"
