"""What a phone says: understood, or named as what makes no sense."""

import json
from uuid import uuid4

import pytest

from wufei.shopfloor.entry import (
    MOST_BYTES,
    PACKAGINGS,
    EntryMalformed,
    Generated,
    GivenUp,
    Relocated,
    entry_of,
    numbers_of,
    phone_of,
)

ABOUT = {"client_id": str(uuid4()), "made_at": "2026-07-01T01:59:00.123Z"}
GENERATED = ABOUT | {
    "kind": "generation", "stream": "W1", "lot": "T1-000001", "mass_g": 12_340, "store": "库1", "reading": None,
}  # fmt: skip
RELOCATED = ABOUT | {"kind": "relocation", "scanned": "T1-000001", "to_store": "库2", "seen_in": "库1"}
GIVEN_UP = ABOUT | {
    "kind": "abandonment",
    "content": {"words": "废酸"},
    "refusal": "已结账",
    "reason": "重复",
}


def understood(said):
    return entry_of(json.dumps(said).encode())


def test_the_three_kinds_are_understood():
    first = understood(GENERATED | {"reading": {"scale": "C1", "sequence": 7}})
    assert isinstance(first, Generated)
    assert (first.mass.grams, first.reading, first.made_at.year) == (12_340, ("C1", 7), 2026)
    second = understood(RELOCATED | {"seen_in": None})
    assert isinstance(second, Relocated)
    assert (second.to_store, second.seen_in) == ("库2", None)
    assert isinstance(understood(GIVEN_UP), GivenUp)


@pytest.mark.parametrize(
    ("said", "field"),
    [
        (GENERATED | {"client_id": "1"}, "client_id"),
        (GENERATED | {"made_at": "2026-07-01T10:00:00"}, "made_at"),
        (GENERATED | {"made_at": "yesterday"}, "made_at"),
        (GENERATED | {"kind": "disposal"}, "kind"),
        (GENERATED | {"mass_g": 0}, "mass_g"),
        (GENERATED | {"mass_g": -5}, "mass_g"),
        (GENERATED | {"mass_g": "12"}, "mass_g"),
        (GENERATED | {"mass_g": 1.5}, "mass_g"),
        (GENERATED | {"mass_g": True}, "mass_g"),
        (GENERATED | {"stream": " "}, "stream"),
        (GENERATED | {"lot": "x" * 81}, "lot"),
        (GENERATED | {"lot": "a\u0000"}, "lot"),
        (GENERATED | {"reading": 7}, "reading"),
        (GENERATED | {"reading": {"scale": "C1", "sequence": "7"}}, "reading"),
        (GENERATED | {"packaging": "CRATE"}, "packaging"),
        (GENERATED | {"packaging": ["DRUM"]}, "packaging"),
        (GENERATED | {"digital_id": "91110000600037341L9002490820260701"}, "digital_id"),
        (RELOCATED | {"scanned": None}, "scanned"),
        (RELOCATED | {"to_store": ["库2"]}, "to_store"),
        (GIVEN_UP | {"reason": ""}, "reason"),
        (GIVEN_UP | {"content": []}, "content"),
        (GIVEN_UP | {"content": {"words": "\u0000"}}, "content"),
        (GIVEN_UP | {"content": {"words": "\ud800"}}, "content"),
        ([], "body"),
    ],
)
def test_what_makes_no_sense_is_named(said, field):
    with pytest.raises(EntryMalformed) as why:
        understood(said)
    assert why.value.args[0] == field


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 9000, b" " * (MOST_BYTES + 1)])
def test_what_is_no_json_is_refused(body):
    with pytest.raises(EntryMalformed):
        entry_of(body)


def test_a_container_and_its_number_are_understood():
    said = {"packaging": "DRUM", "digital_id": "91110000600037341L9002490820260701007"}
    found = understood(GENERATED | said)
    assert isinstance(found, Generated)
    assert (found.packaging, str(found.digital_id)) == ("DRUM", said["digital_id"])
    plain = understood(GENERATED)
    assert isinstance(plain, Generated)
    assert (plain.packaging, plain.digital_id) == ("", None)


def test_the_packagings_are_the_ledgers():
    from wufei.ledger.models import Container

    assert tuple(Container.Packaging.values) == PACKAGINGS


def test_wanted_numbers_are_understood_or_refused():
    said = {"client_id": ABOUT["client_id"], "waste_code": "900-249-08", "on": "2026-07-01"}
    assert numbers_of(json.dumps(said).encode()).waste_code == "900-249-08"
    for wrong in ({"on": "1 July"}, {"waste_code": ""}, {"client_id": "x"}):
        with pytest.raises(EntryMalformed):
            numbers_of(json.dumps(said | wrong).encode())


def test_a_phone_says_its_id():
    one = uuid4()
    assert phone_of(json.dumps({"client_id": str(one)}).encode()) == one
    for wrong in (b"", b"[]", b"{}", b'{"client_id": 5}'):
        with pytest.raises(EntryMalformed):
            phone_of(wrong)
