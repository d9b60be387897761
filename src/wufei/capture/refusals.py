"""What does a refusal of the ledger say to the person who filled the workbook?"""

from collections.abc import Mapping, Sequence

from wufei.capture.faults import Fault
from wufei.capture.importing import LedgerRow
from wufei.capture.layout import LEDGER, STORES, STREAMS
from wufei.capture.reading import Table
from wufei.ledger.kinds import LABELS
from wufei.ledger.posting import Code, Refusal
from wufei.terms.mass import Mass

COLUMN: Mapping[Code, str] = {
    Code.MASS_NOT_POSITIVE: "数量",
    Code.MASS_ABSURD: "数量",
    Code.MOVED_ON_IN_FUTURE: "日期",
    Code.MONTH_CLOSED: "日期",
    Code.STREAM_UNKNOWN: "废物编号",
    Code.STORE_UNKNOWN: "设施编码",
    Code.STORE_MISSING: "设施编码",
    Code.GOES_NOWHERE: "设施编码",
    Code.NOT_BY_ITSELF: "设施编码",
    Code.TEXT_NOT_STORABLE: "备注",
    Code.LOT_CODE_RESERVED: "批次编码",
    Code.LOT_CODE_USED: "批次编码",
    Code.LOT_UNKNOWN: "批次编码",
    Code.LOT_OF_ANOTHER_STREAM: "批次编码",
    Code.SOURCE_OVERDRAWN: "数量",
    Code.TARGET_OVER_CAPACITY: "数量",
}


def ledger_fault(row: LedgerRow, refusal: Refusal, *, mistaken: Mapping[tuple[str, str], int]) -> Fault:
    """
    Return the fault of a row that the ledger refuses.

    `mistaken` holds where this workbook itself declares a stream or store, but wrongly.
    """
    message = _message(row, refusal, mistaken)
    return Fault(LEDGER.name, row.number, COLUMN[refusal.code], refusal.code.value, message)


def _message(row: LedgerRow, refusal: Refusal, mistaken: Mapping[tuple[str, str], int]) -> str:
    detail = refusal.detail
    match refusal.code:
        case Code.MASS_NOT_POSITIVE:
            return "数量应大于零。"
        case Code.MASS_ABSURD:
            return f"数量 {row.mass.tonnes:f} 吨超过 1 亿吨；请检查单位是否填错。"
        case Code.MOVED_ON_IN_FUTURE:
            return f"日期 {row.moved_on} 晚于今天；应为已经发生的日期。"
        case Code.MONTH_CLOSED:
            return f"{row.moved_on} 所在月份已结账（结账至 {detail}），不能再记账；应为结账之后的日期。"
        case Code.STREAM_UNKNOWN:
            if line := mistaken.get((STREAMS.name, row.stream_code)):
                return f"废物编号“{row.stream_code}”在“废物清单”第{line}行有错误；请先改正那一行。"
            return f"废物编号“{row.stream_code}”没有申报；请先在“废物清单”中填写该废物，或改为已有的编号。"
        case Code.STORE_UNKNOWN:
            if line := mistaken.get((STORES.name, row.store_code or "")):
                return f"设施编码“{row.store_code}”在“贮存设施”第{line}行有错误；请先改正那一行。"
            return f"设施编码“{row.store_code}”没有申报；请先在“贮存设施”中填写该设施，或改为已有的编码。"
        case Code.STORE_MISSING:
            return "本单位还没有贮存设施；请先在“贮存设施”中至少填写一个。"
        case Code.GOES_NOWHERE | Code.NOT_BY_ITSELF:
            return f"“{LABELS[row.kind]}”不能在工作簿里填报；请到联单、转化或移库页面办理。"
        case Code.TEXT_NOT_STORABLE:
            return f"“{detail}”过长或含有不能保存的字符；请缩短或重新填写。"
        case Code.LOT_CODE_RESERVED:
            return f"批次编码不能以“{detail}”开头；请另编。"
        case Code.LOT_CODE_USED:
            return f"批次编码“{row.lot_code}”已经用过，入库的批次编码不得重复；请另编，或核对是否重复填报。"
        case Code.LOT_UNKNOWN:
            return f"批次“{row.lot_code}”没有入库记录；请先填写它的产生、接收或期初贮存，或改正批次编码。"
        case Code.LOT_OF_ANOTHER_STREAM:
            return f"批次“{row.lot_code}”属于废物“{detail}”，不是“{row.stream_code}”；请改为一致。"
        case Code.SOURCE_OVERDRAWN:
            return _overdrawn(row, detail)
        case Code.TARGET_OVER_CAPACITY:
            return f"设施“{row.store_code or '（第一个设施）'}”装不下；请核对数量或设施能力。"


def _overdrawn(row: LedgerRow, detail: str) -> str:
    grams = detail.split()[0]
    short = f"，缺 {_plain(Mass(int(grams)))} 吨" if grams.isdecimal() else ""
    where = f"设施“{row.store_code}”" if row.store_code else "第一个贮存设施"
    lot = f"批次“{row.lot_code}”" if row.lot_code else f"废物“{row.stream_code}”"
    return (
        f"{LABELS[row.kind]} {_plain(row.mass)} 吨超过库存：到 {row.moved_on} 为止，{where}中{lot}"
        f"{short or '不足'}（含以后各日已记的出库）；请核对数量、日期和设施，或补填此前的产生、接收或期初贮存。"
    )


def _plain(mass: Mass) -> str:
    """Return tonnes without needless zeros: 1.5, 300."""
    text = f"{mass.tonnes:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def mistaken(tables: Mapping[str, Table], faults: Sequence[Fault]) -> dict[tuple[str, str], int]:
    """Return the streams and stores that the workbook declares wrongly, with their rows."""
    found: dict[tuple[str, str], int] = {}
    for sheet, column in ((STREAMS.name, "废物编号"), (STORES.name, "设施编码")):
        table = tables.get(sheet)
        bad = {fault.row for fault in faults if fault.sheet == sheet}
        if table is not None and column in table.places:
            at = table.places[column]
            found |= {(sheet, str(row[at]).strip()): n for n, row in table.rows if n in bad}
    return found


def overfull_notices(rows: Sequence[LedgerRow], over: Sequence[tuple[int, Refusal]]) -> list[str]:
    """Say where a store stood fuller than it may: a fact, which is not refused."""
    first: dict[str, LedgerRow] = {}
    for row in sorted((rows[index] for index, _refusal in over), key=lambda r: r.moved_on):
        first.setdefault(row.store_code or "（第一个设施）", row)
    return [
        f"设施“{store}”自 {row.moved_on}（台账第{row.number}行）起超过其贮存能力；已照实记账，请核对能力。"
        for store, row in first.items()
    ]
