"""What a tracker's message says, and which of its positions may be used."""

import doctest
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from wufei.shopfloor.signing import signature
from wufei.tracking import geometry, positions, route, topics
from wufei.tracking.limits import LONGEST_BATCH, known_limits, limits, source
from wufei.tracking.positions import Fix, Known, Refused, Unreadable, batch_of, judged, parsed
from wufei.tracking.refusals import Code
from wufei.tracking.wording import POSITION_TEXT, TEXT, words_of_answer

NOW = datetime(2026, 7, 1, 2, 0, tzinfo=UTC)
HERE = (29_028_000, 106_651_000)


def position(
    sequence: int = 1, minutes: float = -10, where: tuple[int, int] = HERE, **said: Any
) -> dict[str, Any]:
    return {
        "sequence": sequence, "at": (NOW + timedelta(minutes=minutes)).isoformat(), "latitude_udeg": where[0],
        "longitude_udeg": where[1],
    } | said  # fmt: skip


def batch(*rows: dict[str, Any], **said: Any) -> dict[str, Any]:
    return {"tracker": "T1", "datum": "WGS84", "positions": list(rows)} | said


def verdicts(*rows: dict[str, Any], **known: Any) -> list[str]:
    asked: dict[str, Any] = {"taken": frozenset(), "around": []}
    found = judged(batch_of(batch(*rows)).positions, Known(**(asked | known)), NOW, limits())
    return [each.refusal or ("outlier" if each.fix and each.fix.is_outlier else "taken") for each in found]


@pytest.mark.parametrize("module", [geometry, positions, route, topics])
def test_the_examples_in_the_docstrings_hold(module):
    assert doctest.testmod(module).failed == 0


def test_every_refusal_has_words_and_every_limit_is_said_to_be_unverified():
    assert set(POSITION_TEXT) == set(Refused)
    assert set(TEXT) == set(Code)
    assert all(each.value > 0 and each.says for each in known_limits())
    assert source()[1] is False
    assert limits().backlog < limits().kept


def test_the_reference_page_says_what_the_code_says():
    page = (Path(__file__).parents[3] / "docs/reference/trackers.md").read_text()
    assert [c for c, text in POSITION_TEXT.items() if f"| `{c.value}` | {text} |" not in page] == []
    assert [e.id for e in known_limits() if f"| {e.says} | {e.value} {e.unit} |" not in page] == []
    said = json.loads(re.search(r"```json\n(.*)\n```", page)[1])  # type: ignore[index]
    example = batch_of(said)
    assert f"```\n{example.canonical()}\n```" in page
    assert f"`{signature(example, 'secret')}`" in page


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ([], ""),
        (batch(), "positions"),
        (batch(*[position(n) for n in range(1, LONGEST_BATCH + 2)]), "positions"),
        (batch(position(), tracker=7), "tracker"),
        ({k: v for k, v in batch(position()).items() if k != "datum"}, "datum"),
        (batch(position(), speed=1), "speed"),
        (batch(position(), position(2, latitude_udeg=29.5)), "positions.1.latitude_udeg"),
        (batch(position(longitude_udeg=None)), "positions.0.longitude_udeg"),
        (batch(position(sequence=0)), "positions.0.sequence"),
        (batch(position(sequence=True)), "positions.0.sequence"),
        (batch(position(at=7)), "positions.0.at"),
        (batch(position(height=3)), "positions.0.height"),
    ],
)
def test_what_is_no_batch_is_named_by_its_field(said, field):
    with pytest.raises(Unreadable) as caught:
        parsed(json.dumps(said).encode())
    assert caught.value.field == field


def test_a_number_that_is_none_is_no_json():
    text = json.dumps(batch(position(latitude_udeg=0))).replace('"latitude_udeg": 0', '"latitude_udeg": NaN')
    with pytest.raises(Unreadable):
        parsed(text.encode())
    with pytest.raises(Unreadable):
        parsed(b"[" * 100_000)


@pytest.mark.parametrize(
    ("said", "verdict"),
    [
        ({}, "taken"),
        ({"latitude_udeg": "29.028"}, Refused.COORDINATE_MALFORMED),
        ({"latitude_udeg": 90_000_001}, Refused.LATITUDE_OUT_OF_RANGE),
        ({"longitude_udeg": -180_000_001}, Refused.LONGITUDE_OUT_OF_RANGE),
        ({"latitude_udeg": 0, "longitude_udeg": 0}, Refused.NO_FIX),
        ({"at": "昨天"}, Refused.TIME_MALFORMED),
        ({"at": "0026-07-01T10:00:00+08:00"}, Refused.TIME_MALFORMED),
        ({"at": "2026-07-01T10:00:00"}, Refused.TIME_WITHOUT_ZONE),
        ({"at": (NOW + timedelta(minutes=3)).isoformat()}, Refused.TAKEN_IN_FUTURE),
        ({"at": (NOW + timedelta(minutes=1)).isoformat()}, "taken"),
        ({"at": (NOW - timedelta(days=8)).isoformat()}, Refused.TOO_OLD),
        ({"at": (NOW - timedelta(days=6)).isoformat()}, "taken"),
    ],
)
def test_a_position_is_refused_for_one_reason(said, verdict):
    assert verdicts(position(**said)) == [verdict]


def test_a_number_that_is_taken_or_a_clock_that_runs_backwards_is_refused():
    before = Fix(5, NOW - timedelta(minutes=5), *HERE)
    after = Fix(9, NOW - timedelta(minutes=2), *HERE)
    known = {"taken": frozenset({5, 9}), "around": [before, after]}
    assert verdicts(position(5), **known) == [Refused.SEQUENCE_REUSED]
    assert verdicts(position(6, -6), **known) == [Refused.CLOCK_BACKWARDS]
    assert verdicts(position(6, -1), **known) == [Refused.CLOCK_BACKWARDS]
    assert verdicts(position(6, -3), position(7, -4), **known) == ["taken", Refused.CLOCK_BACKWARDS]
    assert verdicts(position(1), position(1, latitude_udeg=1)) == ["taken", Refused.SEQUENCE_REUSED]


def test_a_retired_tracker_and_a_phone_outside_its_trip_are_refused():
    assert verdicts(position(), is_retired=True) == [Refused.TRACKER_RETIRED]
    trip = (NOW - timedelta(minutes=5), NOW - timedelta(minutes=1))
    rows = [position(1, -6), position(2, -4), position(3, 0)]
    assert verdicts(*rows, trip=trip) == [Refused.OUTSIDE_TRIP, "taken", Refused.OUTSIDE_TRIP]
    assert verdicts(*rows, trip=(trip[0], None)) == [Refused.OUTSIDE_TRIP, "taken", "taken"]


def test_a_jump_is_kept_in_doubt_and_the_line_goes_on():
    there = (HERE[0] + 500_000, HERE[1])  # some 55 km in a minute
    near = (HERE[0] + 9_000, HERE[1])  # 1 km
    rows = [position(1, -9), position(2, -8, there), position(3, -7, near)]
    assert verdicts(*rows) == ["taken", "outlier", "taken"]


def test_three_that_agree_outweigh_the_one_before_them():
    there = (HERE[0] + 500_000, HERE[1])
    rows = [position(1, -9), *(position(n, -10 + n, there) for n in (2, 3, 4, 5))]
    assert verdicts(*rows) == ["taken", "outlier", "outlier", "taken", "taken"]


def test_the_order_in_a_batch_does_not_matter():
    rows = [position(n, -20 + n) for n in (3, 1, 2)]
    assert verdicts(*rows) == ["taken"] * 3


def test_a_display_says_the_first_refusal():
    assert words_of_answer({}, 0) == "已收到。"
    assert "2 个位置" in words_of_answer({}, 2)
    assert words_of_answer({7: Refused.NO_FIX, 3: Refused.TOO_OLD}, 0).startswith(
        "2 个位置没有收下；第 3 号："
    )
