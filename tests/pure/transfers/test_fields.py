from dataclasses import replace
from datetime import date

import pytest

from wufei.transfers import fields
from wufei.transfers.fields import (
    FIELDS,
    SIGNED_IN,
    SIGNING_LABELS,
    Part,
    Shape,
    Signing,
    fault,
    fields_of,
    is_sealed,
    missing,
    named,
)
from wufei.transfers.states import MOVES, Party, State

DAY = date(2026, 7, 1)
FULL = {
    "receiver": "x", "contact": "张三", "contact_phone": "023-48600000", "emergency_phone": "119",
    "emergency_measures": "围堵", "origin_address": "厂区", "consignor": "GENERATOR",
}  # fmt: skip


def names(found) -> list[str]:
    return [each.name for each in found]


def test_no_field_stands_twice_in_a_part():
    keys = [(each.part, each.name) for each in FIELDS]
    assert len(set(keys)) == len(keys)


def test_what_a_field_is_required_from_is_no_later_than_what_it_is_sealed_from():
    assert [
        each.name for each in FIELDS if each.required_from and each.required_from > each.sealed_from
    ] == []


def test_each_party_seals_what_it_fills_by_its_own_signature():
    by_itself = {
        Party.GENERATOR: Signing.GENERATOR,
        Party.CARRIER: Signing.CARRIER,
        Party.RECEIVER: Signing.RECEIVER,
    }
    # The generator names the carrier, who may still be another until one has loaded.
    odd = [each.name for each in FIELDS if each.sealed_from is not by_itself[each.filled_by]]
    assert odd == ["carrier"]


def test_what_no_article_names_is_shown_as_unverified():
    assert [each.name for each in FIELDS if each.is_verified and not each.clause] == []
    assert {"contact_phone", "driver"} <= {each.name for each in FIELDS if not each.is_verified}


def test_the_way_of_a_manifest_goes_from_signature_to_signature():
    """No act takes a signature away, and each party's own act brings a manifest to that party's seal."""
    assert set(SIGNED_IN) == set(State)
    for move in MOVES:
        if move.target is not State.CANCELLED:
            assert (SIGNED_IN[move.source] or 0) <= (SIGNED_IN[move.target] or 0), move
    assert [is_sealed(named(Part.MANIFEST, "opinion"), SIGNED_IN[state]) for state in SIGNED_IN] == [
        SIGNED_IN[state] is Signing.RECEIVER for state in SIGNED_IN
    ]
    assert not is_sealed(named(Part.MANIFEST, "contact"), SIGNED_IN[State.DRAFT])
    assert is_sealed(named(Part.LEG, "plate"), SIGNED_IN[State.IN_TRANSIT])
    assert not is_sealed(named(Part.LEG, "plate"), SIGNED_IN[State.ISSUED])


def test_what_is_missing_at_a_signature():
    def lacking(at, **said):
        return names(missing(Part.MANIFEST, FULL | said, at=at, on=DAY, is_hazardous=True))

    assert lacking(Signing.GENERATOR) == []
    assert lacking(Signing.GENERATOR, contact="", consignor=None) == ["contact", "consignor"]
    assert lacking(Signing.RECEIVER) == ["receiving_contact", "opinion"]


def test_general_waste_asks_for_less():
    said = {name: value for name, value in FULL.items() if not name.startswith(("emergency", "consignor"))}
    asked = {"at": Signing.GENERATOR, "on": DAY}
    assert names(missing(Part.MANIFEST, said, is_hazardous=False, **asked)) == []
    assert names(missing(Part.MANIFEST, said, is_hazardous=True, **asked)) == [
        "emergency_phone", "emergency_measures", "consignor",
    ]  # fmt: skip


def test_a_field_counts_only_while_it_is_in_force(monkeypatch):
    ended = replace(named(Part.MANIFEST, "contact"), in_force_through=date(2026, 6, 30))
    kept = [each for each in FIELDS if each.name != "contact"]
    monkeypatch.setattr(fields, "FIELDS", (ended, *kept))
    on_the_last = names(fields_of(Part.MANIFEST, on=date(2026, 6, 30), is_hazardous=True))
    on_the_first_without = names(fields_of(Part.MANIFEST, on=date(2026, 7, 1), is_hazardous=True))
    assert "contact" in on_the_last
    assert "contact" not in on_the_first_without


@pytest.mark.parametrize(
    ("part", "name", "value", "expected"),
    [
        (Part.LINE, "declared_g", 1, None),
        (Part.LINE, "declared_g", 0, "not_positive"),
        (Part.LINE, "declared_g", -5, "not_positive"),
        (Part.LINE, "declared_g", "1,5", "not_a_number"),
        (Part.LINE, "declared_g", True, "not_a_number"),
        (Part.LINE, "received_count", 0, None),
        (Part.LINE, "packaging", "DRUM", None),
        (Part.LINE, "packaging", "桶", "not_a_choice"),
        (Part.MANIFEST, "contact_phone", "023-4860 0000", None),
        (Part.MANIFEST, "contact_phone", "打我电话", "not_a_phone"),
        (Part.MANIFEST, "contact", "张\n三", "not_storable"),
        (Part.MANIFEST, "contact", "张" * 61, "too_long"),
        (Part.MANIFEST, "planned_on", "2026-07-32", "not_a_day"),
        (Part.MANIFEST, "planned_on", "2026-07-31", None),
        (Part.MANIFEST, "planned_on", None, None),
        (Part.LEG, "plate", 5, "not_storable"),
    ],
)
def test_what_is_wrong_with_a_value(part, name, value, expected):
    assert fault(named(part, name), value) == expected


def test_choices_have_choices():
    assert [each.name for each in FIELDS if (each.shape is Shape.CHOICE) != bool(each.choices)] == []
    assert list(SIGNING_LABELS) == list(Signing)
