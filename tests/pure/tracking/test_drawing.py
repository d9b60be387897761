"""A track drawn without a map from elsewhere, and written for other programs."""

import csv
import doctest
import io
import json
import re
import time
from datetime import UTC, datetime, timedelta

import pytest

from wufei.tracking import drawing, track_exports
from wufei.tracking.drawing import DEEP, WIDE, Mark, Marked, Scene, picture
from wufei.tracking.incidents import AlertKind
from wufei.tracking.positions import Fix
from wufei.tracking.route import Stage
from wufei.tracking.simulating import WAY, points
from wufei.tracking.track_exports import WrittenAlert, WrittenLeg, as_csv, geojson

START = datetime(2026, 7, 1, 2, 0, tzinfo=UTC)


def way(count: int, seconds: int = 30) -> list[Fix]:
    every = timedelta(seconds=seconds)
    return [
        Fix(n, START + every * n, *point)
        for n, point in enumerate(points(WAY, every=every, count=count, fault=None))
    ]


def numbers(path: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r"[ML](-?[\d.]+) (-?[\d.]+)", path)]


@pytest.mark.parametrize("module", [drawing, track_exports])
def test_the_examples_in_the_docstrings_hold(module):
    assert doctest.testmod(module).failed == 0


def test_the_way_lies_within_the_picture_north_up_and_east_to_the_right():
    drawn = picture(Scene(ways=[way(200)], marks=[]))
    assert drawn is not None
    line = numbers(drawn.track)
    assert all(0 <= x <= WIDE and 0 <= y <= DEEP for x, y in line)
    (first_x, first_y), (last_x, last_y) = line[0], line[-1]
    assert first_x < last_x
    assert first_y > last_y
    assert drawn.point_count == 200
    assert drawn.drawn_count < 12  # three straight pieces
    assert all(-90 < float(turned) < 0 for _x, _y, turned in drawn.arrows)


def test_the_scale_bar_is_as_long_as_it_says():
    drawn = picture(Scene(ways=[way(200)], marks=[]))
    assert drawn is not None
    kilometres = float(drawn.scale_words.removesuffix(" 公里"))
    line = numbers(drawn.track)
    across = ((line[-1][0] - line[0][0]) ** 2 + (line[-1][1] - line[0][1]) ** 2) ** 0.5
    ends = way(200)[0].point, way(200)[-1].point
    real = drawing.distance_m(*ends) / 1000
    assert float(drawn.scale_px) / kilometres == pytest.approx(across / real, rel=0.01)


def test_a_gap_is_dashed_and_not_driven():
    rows = way(60)
    late = [Fix(f.sequence, f.at + timedelta(hours=1), f.latitude_udeg, f.longitude_udeg) for f in rows[40:]]
    drawn = picture(Scene(ways=[[*rows[:40], *late]], marks=[]))
    assert drawn is not None
    assert len(numbers(drawn.gaps)) == 2
    assert drawn.track.count("M") == 2


def test_one_position_is_drawn_and_nothing_is_not():
    assert picture(Scene(ways=[], marks=[])) is None
    drawn = picture(Scene(ways=[way(1)], marks=[Marked(Mark.NOW, way(1)[0].point, "最后位置")]))
    assert drawn is not None
    assert drawn.track.endswith("h0.1")
    assert [(each.x, each.y) for each in drawn.marks] == [("240", "180")]
    assert drawn.scale_words == "1 公里"


def test_the_corridor_is_as_wide_as_what_is_allowed():
    route = (WAY[0], WAY[-1])
    drawn = picture(Scene(ways=[], marks=[], route=route, corridor_m=2000))
    assert drawn is not None
    unit = float(drawn.scale_px) / float(drawn.scale_words.split()[0])
    assert float(drawn.corridor_width) == pytest.approx(4 * unit, rel=0.05)


def test_meridians_and_parallels_bear_even_degrees():
    drawn = picture(Scene(ways=[way(200)], marks=[]))
    assert drawn is not None
    assert [line.text for line in drawn.graticule] == ["106.5°E", "107.0°E", "107.5°E", "29.0°N", "29.5°N"]
    far = picture(Scene(ways=[], marks=[], route=((-40_000_000, -70_000_000), (60_000_000, 100_000_000))))
    assert far is not None
    assert {"0°E", "50°W", "50°N"} <= {line.text for line in far.graticule}


def test_twenty_thousand_positions_are_drawn_in_no_time():
    rows = way(20_000, seconds=1)
    began = time.perf_counter()
    drawn = picture(Scene(ways=[rows], marks=[]))
    assert drawn is not None
    assert time.perf_counter() - began < 2
    assert len(drawn.track) < 20_000


LEG = WrittenLeg(
    number=1, plate="=1+1", carrier="顺达运输", ways=[way(3)], outliers=[Fix(9, START, -500_000, 1, True)],
    alerts=[
        WrittenAlert(
            kind=AlertKind.STOP, began_at=START, ended_at=None, latitude_udeg=29_028_000, longitude_udeg=106_651_000,
            remark="堵车",
        ),
        WrittenAlert(
            kind=AlertKind.SILENCE, began_at=START, ended_at=START, latitude_udeg=None, longitude_udeg=None, remark=""
        ),
    ],
)  # fmt: skip


def test_geojson_has_longitude_first_and_what_was_noticed():
    said = json.loads(geojson(manifest="2026", legs=[LEG], route=[Stage(1_500_000, 2, "甲"), Stage(3, 4)]))
    kinds = [(each["properties"]["what"], (each["geometry"] or {}).get("type")) for each in said["features"]]
    assert kinds == [
        ("track", "LineString"), ("outlier", "Point"), ("alert", "Point"), ("alert", None),
        ("planned route", "LineString"),
    ]  # fmt: skip
    track, outlier, alert, _silence, route = said["features"]
    assert track["geometry"]["coordinates"][0] == [106.651, 29.028]
    assert track["properties"]["times"][0] == "2026-07-01T10:00:00+08:00"
    assert outlier["geometry"]["coordinates"] == [0.000001, -0.5]
    assert (alert["properties"]["remark"], alert["properties"]["ended_at"]) == ("堵车", None)
    assert route["properties"]["names"] == ["甲", ""]


def test_csv_has_every_position_in_the_order_of_time_and_no_formula():
    text = as_csv(manifest="2026", legs=[LEG])
    assert text.startswith("﻿")
    rows = list(csv.reader(io.StringIO(text.removeprefix("﻿"))))
    assert [row[6] for row in rows[1:]] == ["", "是", "", ""]
    assert {row[2] for row in rows[1:]} == {"'=1+1"}
    assert rows[1][3:6] == ["2026-07-01T10:00:00+08:00", "29.028000", "106.651000"]
