"""`wufei manifest show NUMBER --json`: every key that the issue's item 6 needs, and the words for people."""

import pytest

from tests.rooms.transfers import world as worlds
from wufei.transfers.content import content_hash
from wufei.transfers.models import Discrepancy


@pytest.fixture
def world(db):
    return worlds.build()


def test_a_manifest_as_json(wufei, world):
    manifest = world.receive(world.delivered(), "170")
    got = wufei("manifest", "show", manifest.number, "--json")
    assert got.code == 0
    said = got.json
    assert (said["number"], said["state"], said["declared_g"], said["received_g"]) == (
        "20265001000001", "ACCEPTED", 200_000, 170_000,
    )  # fmt: skip
    assert (said["generator"]["name"], said["receiver"]["uscc"]) == ("綦江齿轮", world.receiver.uscc)
    assert [leg["carrier_name"] for leg in said["legs"]] == ["顺达运输"]
    [line] = said["lines"]
    assert (line["lot"], line["waste_code"], line["declared_g"], line["received_g"], line["mode"]) == (
        "D001", worlds.OIL, 200_000, 170_000, "R9",
    )  # fmt: skip
    assert [each["act"] for each in said["signatures"]] == ["ISSUE", "LOAD", "DELIVER", "ACCEPT"]
    assert said["discrepancies"] == [
        {"line": 1, "kind": "MASS", "declared": 200_000, "found": 170_000, "settled": False, "reason": ""}
    ]
    assert [flag["code"] for flag in said["flags"]] == ["permit_unverified"]
    assert Discrepancy.objects.get().settled_at is None


def test_what_was_signed_is_what_is_shown(wufei, world):
    manifest = world.issued()
    said = wufei("manifest", "show", manifest.number, "--json").json
    content = {
        name: said[name]
        for name in ("number", "uid", "waste_class", "generator", "receiver", "fields", "lines", "legs")
    }
    assert said["signatures"][0]["content_sha256"] == content_hash(content)


def test_a_manifest_in_words(wufei, world):
    manifest = world.receive(world.delivered(), "200")
    out = wufei("manifest", "show", f"{manifest.number[:4]} {manifest.number[4:]}").out
    for text in (
        "20265001000001",
        "已接受",
        "綦江齿轮 → 顺达运输 → 涪陵油品再生",
        "1. 签发",
        "4. 接受",
        "0.2",
        "2026-07-01 10:00",  # in China
    ):
        assert text in out, text


def test_a_number_that_isnt_there_is_said_so(wufei, world):
    got = wufei("manifest", "show", "20265001999999", "--json")
    assert (got.code, got.out) == (1, "")
    assert "没有编号为 20265001999999 的联单" in got.err
