"""What a scale says, and whether it may be used: without a database, without a clock."""

import doctest
import json
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wufei.shopfloor import reading, scanned, signing
from wufei.shopfloor.reading import (
    Known,
    Message,
    Refused,
    Unreadable,
    Weighing,
    message_of,
    parsed,
    refusal,
    weighing_of,
)

NOW = datetime.fromisoformat("2026-07-01T10:00:00+08:00")
SCALE = Known(capacity_g=60_000, calibrated_until=date(2026, 7, 1))
SAID = {
    "scale": "C23456789", "sequence": 7, "gross": "13.5", "tare": "1.5", "net": "12", "unit": "kg",
    "stable": True, "taken_at": "2026-07-01T09:59:50+08:00",
}  # fmt: skip


def message(**said) -> Message:
    return message_of(SAID | said)


def judged(known: Known = SCALE, **said) -> Refused | None:
    found = weighing_of(message(**said))
    return found if isinstance(found, Refused) else refusal(found, known, NOW)


@pytest.mark.parametrize("module", [reading, signing, scanned])
def test_the_examples_hold(module):
    assert doctest.testmod(module).failed == 0


def test_a_reading_in_order_may_be_used_and_means_whole_grams():
    assert judged() is None
    found = weighing_of(message())
    assert isinstance(found, Weighing)
    assert (found.gross_g, found.tare_g, found.net_g) == (13_500, 1_500, 12_000)


@pytest.mark.parametrize(
    ("weights", "unit", "grams"),
    [
        ((12, 2, 10), "t", 10_000_000),
        (("0.010", 0, "0.01"), "kg", 10),
        ((13_500, 1_500, 12_000), "克", 12_000),
    ],
)
def test_weights_are_whole_numbers_or_decimal_texts_in_the_unit(weights, unit, grams):
    gross, tare, net = weights
    found = weighing_of(message(gross=gross, tare=tare, net=net, unit=unit))
    assert isinstance(found, Weighing)
    assert found.net_g == grams


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (Refused.UNIT_UNKNOWN, {"unit": "lb"}),
        (Refused.WEIGHT_HAS_COMMA, {"net": "1,2"}),
        (Refused.WEIGHT_HAS_COMMA, {"gross": "1，200"}),
        (Refused.WEIGHT_MALFORMED, {"net": "1.2e3"}),
        (Refused.WEIGHT_MALFORMED, {"net": "１２"}),
        (Refused.WEIGHT_MALFORMED, {"net": "NaN"}),
        (Refused.WEIGHT_MALFORMED, {"net": " 12"}),
        (Refused.WEIGHT_TOO_FINE, {"net": "12.0001"}),
        (Refused.TIME_MALFORMED, {"taken_at": "1 July"}),
        (Refused.TIME_MALFORMED, {"taken_at": "0001-01-01T00:00:00+08:00"}),
        (Refused.TIME_WITHOUT_ZONE, {"taken_at": "2026-07-01T09:59:50"}),
        (Refused.TAKEN_IN_FUTURE, {"taken_at": "2026-07-01T10:02:01+08:00"}),
        (Refused.UNSTABLE, {"stable": False}),
        (Refused.NEGATIVE, {"gross": "-1", "net": "-2.5"}),
        (Refused.NEGATIVE, {"tare": "-1.5", "net": "15"}),
        (Refused.WEIGHTS_DISAGREE, {"net": "12.001"}),
        (Refused.ZERO, {"gross": "1.5", "net": "0"}),
        (Refused.OVERLOAD, {"gross": "60.001", "net": "58.501"}),
    ],
)
def test_what_is_wrong_with_a_reading_is_named(code, said):
    assert judged(**said) is code


def test_a_reading_at_the_very_bounds_may_be_used():
    assert judged(gross="60", net="58.5") is None
    assert judged(taken_at="2026-07-01T10:02:00+08:00") is None


def test_out_of_calibration_is_a_matter_of_the_day_in_china():
    at = "2026-06-30T16:30:00+00:00"  # the first of July there
    assert judged(Known(capacity_g=60_000, calibrated_until=date(2026, 6, 30)), taken_at=at) is (
        Refused.OUT_OF_CALIBRATION
    )
    assert judged(Known(capacity_g=60_000, calibrated_until=date(2026, 7, 1)), taken_at=at) is None


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"before": NOW - timedelta(seconds=9)}, Refused.CLOCK_BACKWARDS),
        ({"after": NOW - timedelta(seconds=11)}, Refused.CLOCK_BACKWARDS),
        ({"before": NOW - timedelta(seconds=10)}, None),  # the same second
        ({"before": NOW - timedelta(hours=1), "after": NOW}, None),  # arrives late, between the two
        ({"is_retired": True}, Refused.SCALE_RETIRED),
        ({"is_reused": True}, Refused.SEQUENCE_REUSED),
    ],
)
def test_a_reading_is_held_against_what_is_known_of_the_scale(more, code):
    assert judged(Known(capacity_g=60_000, calibrated_until=date(2026, 7, 1), **more)) is code


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("sequence", 0), ("sequence", "7"), ("sequence", True), ("sequence", 2**53), ("gross", None),
        ("gross", 12.5), ("gross", Decimal("12.5")), ("net", 10**13), ("stable", 1), ("unit", ""),
        ("taken_at", 5), ("scale", "a\nb"), ("scale", "x" * 41), ("weight", 1),
    ],
)  # fmt: skip
def test_what_is_no_reading_is_said_by_its_field(field, value):
    with pytest.raises(Unreadable) as why:
        message_of(SAID | {field: value})
    assert why.value.field == field


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b"1", b"[" * 5000, b'{"scale":"' + b"x" * 5000])
def test_what_is_no_json_object_is_no_reading(body):
    with pytest.raises(Unreadable):
        parsed(body)


def test_a_binary_fraction_in_json_is_no_weight():
    body = json.dumps(SAID | {"gross": 13.5}).encode()
    with pytest.raises(Unreadable, match="gross"):
        parsed(body)


def test_the_signature_holds_every_field_and_nothing_else():
    first = message()
    signed = signing.signature(first, "secret")
    assert signing.is_signed(first, "secret", signed)
    assert signing.is_signed(first, "secret", signed.upper())
    assert not signing.is_signed(first, "another", signed)
    assert not signing.is_signed(first, "secret", "")
    assert not signing.is_signed(first, "secret", "密")
    others = {
        "scale": "C9", "sequence": 8, "gross": 13, "tare": 0, "net": "12.0", "unit": "g", "stable": False,
        "taken_at": "2026-07-01T09:59:51+08:00",
    }  # fmt: skip
    for name, value in others.items():
        assert not signing.is_signed(message(**{name: value}), "secret", signed), name


@given(st.text(min_size=1, max_size=40), st.text(min_size=1, max_size=40))
def test_no_two_contents_have_one_canonical_text(one, other):
    """No text in a field can pretend to be the next line."""
    try:
        texts = [message(unit=said).canonical() for said in (one, other)]
    except Unreadable:
        return
    assert (texts[0] == texts[1]) == (one == other)
    assert all(text.count("\n") == len(reading.FIELDS) for text in texts)


def test_each_reading_of_each_scale_has_a_client_id_of_its_own():
    ids = {signing.client_id(scale, n) for scale in ("C1", "C11") for n in range(1, 50)}
    assert len(ids) == 98
    assert signing.client_id("C1", 1) == signing.client_id("C1", 1)
