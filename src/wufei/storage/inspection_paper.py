"""
How does the record of an inspection look on paper?

Pure. A table of what was looked at, with what is to be put right and what was, signed by who looked; the pictures
follow, named in the table and beneath them by the beginning of their hashes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO

from wufei.paper.sheets import Heading, Picture, Sheet, write_sheets

HEADINGS = (
    Heading("序号", width=5, is_number=True),
    Heading("要求", width=40),
    Heading("依据", width=18),
    Heading("结果", width=8, keeps_whole=True),
    Heading("说明", width=26),
    Heading("照片", width=10),
    Heading("整改（期限、责任人、办结）", width=28),
)
HASH_SHOWN = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    says: str
    source: str
    doubt: str  # how sure we are of the source; "" if it is verified
    result: str
    remark: str
    photos: Sequence[str]  # hashes
    action: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    name: str  # 检查3
    facts: Sequence[tuple[str, str]]
    rows: Sequence[Row]
    remark: str
    photos: Sequence[str]  # of the store as a whole
    made: str  # who had it printed, and when
    pictures: Sequence[tuple[str, str, bytes]] = ()  # of what, hash, JPEG


def write_record(out: BinaryIO, record: Record) -> int:
    """Write the record as landscape A4 pages; return how many."""
    looked = sum(row.result != "未检查" for row in record.rows)
    remarks = [f"共 {len(record.rows)} 项，检查了 {looked} 项。"]
    if record.remark:
        remarks.append(f"备注：{' '.join(record.remark.split())}")
    if record.photos:
        remarks.append(f"全景照片：{_hashes(record.photos)}。")
    if any(row.photos for row in record.rows) or record.photos:
        remarks.append(f"照片附后，以其 SHA-256 的前 {HASH_SHOWN} 位标识。")
    if any(row.doubt for row in record.rows):
        remarks.append(
            "“据转引”的条款引自二手资料，“未核实”的未见标准原文或为本系统的取值，使用时请核对标准原文。"
        )
    sheet = Sheet(
        number=record.name, title="贮存设施检查记录", facts=record.facts, headings=HEADINGS,
        rows=[_texts(number, row) for number, row in enumerate(record.rows, 1)], remarks=remarks,
        signatures=("检查人", "环保负责人", "日期"), footer=record.made,
        pictures=[Picture(f"{sha256[:HASH_SHOWN]} {of}", content) for of, sha256, content in record.pictures],
    )  # fmt: skip
    return write_sheets(out, sheet)


def _texts(number: int, row: Row) -> list[str]:
    source = f"{row.source}（{row.doubt}）" if row.doubt else row.source
    remark = " ".join(row.remark.split())
    return [str(number), row.says, source, row.result, remark, _hashes(row.photos), row.action]


def _hashes(found: Sequence[str]) -> str:
    return "、".join(each[:HASH_SHOWN] for each in found)
