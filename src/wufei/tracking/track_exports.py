"""How is a track written for other programs: GeoJSON (RFC 7946), and CSV? Pure. WGS-84 both."""

import csv
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from wufei.terms.day import SHANGHAI
from wufei.tracking.geometry import degrees
from wufei.tracking.incidents import KIND_LABELS, AlertKind
from wufei.tracking.positions import Fix
from wufei.tracking.route import Stage

BOM = "﻿"  # a spreadsheet reads UTF-8 by it


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenAlert:
    kind: AlertKind
    began_at: datetime
    ended_at: datetime | None
    latitude_udeg: int | None
    longitude_udeg: int | None
    remark: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenLeg:
    """One carrier's part, as it is written."""

    number: int
    plate: str
    carrier: str
    ways: Sequence[Sequence[Fix]]
    outliers: Sequence[Fix]
    alerts: Sequence[WrittenAlert]


def _local(at: datetime | None) -> str | None:
    return at.astimezone(SHANGHAI).isoformat() if at is not None else None


def _pair(latitude: int, longitude: int) -> list[float]:
    return [float(degrees(longitude)), float(degrees(latitude))]


def geojson(*, manifest: str, legs: Iterable[WrittenLeg], route: Sequence[Stage]) -> str:
    """Return the track: a line for each stretch with the time of each point, a point for each alert, the route."""
    features: list[dict[str, Any]] = []
    for leg in legs:
        said = {"manifest": manifest, "leg": leg.number, "plate": leg.plate, "carrier": leg.carrier}
        for way in leg.ways:
            if len(way) > 1:
                line = {"type": "LineString", "coordinates": [_pair(*fix.point) for fix in way]}
                features.append(
                    _feature(line, said | {"what": "track", "times": [_local(f.at) for f in way]})
                )
            else:
                features += [_point(fix, said | {"what": "position", "time": _local(fix.at)}) for fix in way]
        features += [_point(fix, said | {"what": "outlier", "time": _local(fix.at)}) for fix in leg.outliers]
        for alert in leg.alerts:
            place = (
                {"type": "Point", "coordinates": _pair(alert.latitude_udeg, alert.longitude_udeg)}
                if alert.latitude_udeg is not None and alert.longitude_udeg is not None
                else None
            )
            told = {
                "what": "alert", "kind": alert.kind.value, "label": KIND_LABELS[alert.kind],
                "began_at": _local(alert.began_at), "ended_at": _local(alert.ended_at), "remark": alert.remark,
            }  # fmt: skip
            features.append(_feature(place, said | told))
    if len(route) > 1:
        line = {"type": "LineString", "coordinates": [_pair(*stage.point) for stage in route]}
        names = [stage.name for stage in route]
        features.append(_feature(line, {"manifest": manifest, "what": "planned route", "names": names}))
    return json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False)


def _feature(geometry: dict[str, Any] | None, said: dict[str, Any]) -> dict[str, Any]:
    return {"type": "Feature", "geometry": geometry, "properties": said}


def _point(fix: Fix, said: dict[str, Any]) -> dict[str, Any]:
    return _feature({"type": "Point", "coordinates": _pair(*fix.point)}, said)


HEADINGS = ("联单编号", "承运段", "车牌号", "定位时间", "纬度（WGS-84）", "经度（WGS-84）", "存疑")


def as_csv(*, manifest: str, legs: Iterable[WrittenLeg]) -> str:
    """Return a row for each position, the doubtful ones marked, in the order of time."""
    written = io.StringIO()
    written.write(BOM)
    rows = csv.writer(written)
    rows.writerow(HEADINGS)
    for leg in legs:
        fixes = [*(fix for way in leg.ways for fix in way), *leg.outliers]
        for fix in sorted(fixes, key=lambda each: (each.at, each.sequence)):
            rows.writerow(
                [
                    manifest, leg.number, _as_text(leg.plate), _local(fix.at), degrees(fix.latitude_udeg),
                    degrees(fix.longitude_udeg), "是" if fix.is_outlier else "",
                ]
            )  # fmt: skip
    return written.getvalue()


def _as_text(said: str) -> str:
    """Keep what people typed from being taken for a formula."""
    return f"'{said}" if said[:1] in ("=", "+", "-", "@") else said
