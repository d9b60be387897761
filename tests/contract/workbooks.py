"""
Workbooks as a stranger fills them who has read only the published description of the data workbook.

Nothing here comes from Wufei's own tables: names of sheets and columns are written out.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from openpyxl import Workbook

LEDGER = [
    "日期", "废物编号", "环节", "数量", "单位", "方式", "对方单位", "设施编码", "批次编码", "经办人", "备注",
]  # fmt: skip
OPERATIONS = ["年份", "产值(万元)", "销售额(万元)", "工业增加值(万元)"]
PRODUCTS = ["年份", "产品名称", "产能", "产量", "单位", "主产品"]
STREAMS = ["废物编号", "废物名称", "废物代码", "产生工序", "物理性状", "主要成分"]
STORES = ["设施编码", "设施名称", "类型", "能力(吨)"]
DECLARATIONS = ["项目", "年份", "结论", "依据"]
COLUMNS = {
    "年度经营": OPERATIONS, "产品": PRODUCTS, "废物清单": STREAMS, "贮存设施": STORES, "台账": LEDGER,
    "声明": DECLARATIONS,
}  # fmt: skip
_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)


def uscc(number: int, *, prefix: str = "91500110MA") -> str:
    """Return a valid 统一社会信用代码, by the algorithm of GB 32100 as the facts give it."""
    stem = f"{prefix}{number:0{17 - len(prefix)}d}"
    total = sum(_ALPHABET.index(c) * w for c, w in zip(stem, _WEIGHTS, strict=True))
    return stem + _ALPHABET[(31 - total) % 31]


def enterprise(code: str, **more: Any) -> dict[str, Any]:
    return {
        "单位名称": f"重庆合同{code[-6:]}有限公司", "统一社会信用代码": code, "单位类型": "企业",
        "省": "重庆市", "市": "重庆市", "区县": "綦江区", "行业代码": "321", "成立日期": "2010-05-18",
    } | more  # fmt: skip


def moved(day: Any, stream: str, kind: str, amount: Any, unit: Any = "吨", **more: Any) -> dict[str, Any]:
    """Return a row of 台账: `moved("2024-03-05", "W01", "产生", 5, 批次编码="B1")`."""
    return {"日期": day, "废物编号": stream, "环节": kind, "数量": amount, "单位": unit} | more


def waste(code: str, name: str = "炉渣", waste_code: str = "SW03", **more: Any) -> dict[str, Any]:
    return {"废物编号": code, "废物名称": name, "废物代码": waste_code, "产生工序": "锅炉"} | more


STORE = {"设施编码": "TS001", "设施名称": "渣场"}


def workbook(
    organisation: Mapping[str, Any],
    *,
    ledger: Iterable[Mapping[str, Any]] = (),
    streams: Iterable[Mapping[str, Any]] = (waste("W01"),),
    stores: Iterable[Mapping[str, Any]] = (STORE,),
    more: Mapping[str, Iterable[Mapping[str, Any]]] | None = None,
    columns: Mapping[str, Sequence[str]] | None = None,
) -> Workbook:
    """Return the workbook; `more` has rows of further sheets, `columns` another order or choice of them."""
    book = Workbook()
    page = book.active
    assert page is not None, "a new workbook has a sheet"
    page.title = "单位信息"
    page.append(["项目", "内容"])
    for item, value in organisation.items():
        page.append([item, value])
    sheets = {"废物清单": streams, "贮存设施": stores, "台账": ledger} | dict(more or {})
    for name, rows in sheets.items():
        titles = (columns or {}).get(name) or COLUMNS[name]
        page = book.create_sheet(name)
        page.append(list(titles))
        for row in rows:
            page.append([row.get(title) for title in titles])
    return book


def save(book: Workbook, path: Path) -> Path:
    book.save(path)
    return path
