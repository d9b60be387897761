"""How does a public disclosure look as a PDF? The same as the page: kinds, amounts, flows, stores, and its marks."""

from typing import Any, BinaryIO

from wufei.filings.disclosing import AMOUNTS, CLASSES, UNKNOWN, Published
from wufei.filings.plan import tonnes
from wufei.ledger.kinds import LABELS, Kind
from wufei.paper.sheets import Heading, Sheet, write_sheets

OWN_LAYOUT = "版式为本平台自定，主管部门另有格式的以其为准（未核实）。“未知”为台账不能得知，不等于零。"


def amount_text(grams: int | None) -> str:
    """Return a mass in 吨; what is not known is said so."""
    return UNKNOWN if grams is None else tonnes(grams)


def write_pdf(out: BinaryIO, said: Published) -> int:
    """Write the disclosure as landscape A4 pages; return how many."""
    facts = [
        ("单位名称", said.name), ("统一社会信用代码", said.uscc), ("年度", str(said.year)),
        ("版本", f"第 {said.number} 版，{said.published_at[:10]} 公开" + (f"，变更原因：{said.reason}" if said.reason else "")),
    ]  # fmt: skip
    footer = f"内容 SHA-256 {said.sha256}；公开时台账到第 {said.seq} 号记录，链值 {said.chain_hash}"
    sheets = [
        _amounts(said, facts, footer), _ways(said, facts, footer), _stores(said, facts, footer)
    ]  # fmt: skip
    return write_sheets(out, *sheets, title=f"{said.name} {said.year} 年固体废物信息公开")


def _amounts(said: Published, facts: list[tuple[str, str]], footer: str) -> Sheet:
    rows = [
        [row["name"], CLASSES[row["waste_class"]], row["waste_code"], *(amount_text(row[key]) for key in AMOUNTS)]
        for row in said.content["wastes"]
    ]  # fmt: skip
    rows += [
        [f"{CLASSES[of]}合计", "", "", *(amount_text(total[key]) for key in AMOUNTS)]
        for of, total in said.content["totals"].items()
    ]
    closed = [] if said.content["is_closed"] else ["公开时该年台账尚未全部结账；没有记录的数为未知。"]
    return Sheet(
        number="一", title="种类、产生、贮存、利用和处置", facts=facts, rows=rows, footer=footer,
        headings=[
            Heading("废物", width=16), Heading("属性", width=12), Heading("代码", width=13, keeps_whole=True),
            *(Heading(f"{label}（吨）", width=10, is_number=True) for label, _ in AMOUNTS.values()),
        ],
        remarks=[OWN_LAYOUT, *closed],
    )  # fmt: skip


def _ways(said: Published, facts: list[tuple[str, str]], footer: str) -> Sheet:
    rows = [
        [row["name"], row["waste_code"], *_way(each)]
        for row in said.content["wastes"]
        for each in (*row["own"], *row["flows"])
    ]
    return Sheet(
        number="二", title="流向", facts=facts, rows=rows, footer=footer,
        headings=[
            Heading("废物", width=18), Heading("代码", width=13, keeps_whole=True), Heading("去向", width=10),
            Heading("接收单位", width=30), Heading("方式", width=12), Heading("数量（吨）", width=12, is_number=True),
        ],
    )  # fmt: skip


def _way(each: dict[str, Any]) -> list[str]:
    whom = each["receiver"] or ("本单位" if each["kind"].startswith("OWN_") else UNKNOWN)
    return [LABELS[Kind(each["kind"])], whom, each["method"] or UNKNOWN, tonnes(each["mass_g"])]


def _stores(said: Published, facts: list[tuple[str, str]], footer: str) -> Sheet:
    rows = [
        [each["code"], each["name"], each["store_type"] or UNKNOWN, amount_text(each["capacity_g"])]
        for each in said.content["stores"]
    ]
    return Sheet(
        number="三", title="贮存设施", facts=facts, rows=rows, footer=footer,
        headings=[
            Heading("设施编码", width=14), Heading("设施名称", width=30), Heading("类型", width=20),
            Heading("贮存能力（吨）", width=14, is_number=True),
        ],
        remarks=["自行监测：本平台的台账没有这方面的数据，未知。"],
    )  # fmt: skip
