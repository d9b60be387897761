"""Workbooks for the tests, as a person fills the template."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

from openpyxl import Workbook

from wufei.capture.layout import SHEET_BY_NAME, SHEETS

USCC = "91110000600037341L"
ORGANISATION: dict[str, Any] = {
    "单位名称": "重庆试验铝业有限公司",
    "统一社会信用代码": USCC,
    "单位类型": "企业",
    "行业代码": "321",
    "省": "重庆市",
    "市": "重庆市",
    "区县": "綦江区",
}
STREAMS = [
    ["W01", "铝灰", "321-024-48", "熔铸", "固态", "氧化铝"],
    ["W02", "炉渣", "SW03", "锅炉", "固态", ""],
]
STORES = [["TS001", "危废暂存间", "贮存库", 500], ["TS002", "渣场", "贮存场", None]]


def filled(
    *,
    organisation: Mapping[str, Any] | None = None,
    ledger: Sequence[Sequence[Any]] = (),
    streams: Sequence[Sequence[Any]] = STREAMS,
    stores: Sequence[Sequence[Any]] = STORES,
    headers: Mapping[str, Sequence[str]] | None = None,
    more: Mapping[str, Sequence[Sequence[Any]]] | None = None,
) -> bytes:
    """Return a workbook; `more` has the rows of other sheets, known or not, headers first where unknown."""
    workbook = Workbook()
    workbook.remove(workbook.active)
    said = {
        "单位信息": [[item, value] for item, value in (ORGANISATION | dict(organisation or {})).items()],
        "废物清单": streams,
        "贮存设施": stores,
        "台账": ledger,
    } | dict(more or {})
    for name, rows in said.items():
        page = workbook.create_sheet(name)
        if name in SHEET_BY_NAME:
            page.append((headers or {}).get(name) or [c.name for c in SHEET_BY_NAME[name].columns])
        for row in rows:
            page.append(list(row))
    assert any(sheet.name in workbook.sheetnames for sheet in SHEETS), "it is a data workbook"
    stream = io.BytesIO()
    workbook.save(stream)
    return stream.getvalue()


def row(day: Any, stream: str, kind: str, amount: Any, unit: Any = "吨", **more: Any) -> list[Any]:
    """Return a ledger row: `row("2024-03-05", "W01", "产生", 5, store="TS001")`."""
    return [
        day, stream, kind, amount, unit, more.get("method"), more.get("counterparty"), more.get("store"),
        more.get("lot"), more.get("handler"), more.get("note"),
    ]  # fmt: skip
