"""What does a person read when the storage room refuses? One sentence for each code."""

from collections.abc import Mapping

from wufei.storage.checklists import Confidence, Facility, ItemResult
from wufei.storage.refusals import Code, StorageRefused
from wufei.storage.stocktaking import Progress
from wufei.storage.time_limits import Due
from wufei.storage.zoning import Fullness

REFUSAL_TEXT: Mapping[Code, str] = {
    Code.STORE_UNKNOWN: "没有这个贮存设施；请从本单位申报的设施中选择。",
    Code.SHEET_STANDS: "该设施有一张盘点表还没有办完；请先结束盘点、处理差异，或作废那张表。",
    Code.SHEET_CLOSED: "这张盘点表已经结束，不能再改；需要时请另开一张。",
    Code.CLIENT_ID_REUSED: "这个客户端编号已用于另一次操作；请刷新页面后重试。",
    Code.LOT_CODE_MISSING: "没有批次编码；请扫描或填写标签上的编码。",
    Code.MASS_OUT_OF_RANGE: "盘到的数量应大于零，且不超过 1 亿吨；没有找到的请选“未找到”。",
    Code.COUNTED_ALREADY: "您已经盘过这个批次，每人只盘一次；两人数量不一致时会要求复盘。",
    Code.RECOUNTED_ALREADY: "这个批次已经复盘，以复盘为准，不再接受新的数量。",
    Code.STREAM_MISSING: "账上没有这个批次；请选明它是哪一种废物，再登记。",
    Code.LOTS_NOT_COUNTED: "还有批次没有盘；找不到的也须登记为“未找到”。",
    Code.RECOUNT_MISSING: "还有批次两人盘得的数量不一致；请先复盘。",
    Code.REASON_MISSING: "作废须写明原因；请填写后重试。",
    Code.SHEET_NOT_CLOSED: "盘点还没有结束；请先结束盘点，再处理差异。",
    Code.NOTHING_TO_POST: "这张盘点表没有差异，不需要记账。",
    Code.COUNTED_IT_ONESELF: "盘点人不能处理自己盘点的差异；请由没有参加这次盘点的环保专员办理。",
    Code.EXPLANATION_MISSING: "每一项差异都须写明原因；请补全后再记账。",
    Code.POSTED_ALREADY: "这张盘点表的差异已经记账；请刷新后核对。",
    Code.DAY_OUT_OF_RANGE: "记账日期应不早于盘点日，也不晚于今天；请改正日期。",
    Code.TEXT_NOT_STORABLE: "文字过长，或含有换行等不能保存的字符；请缩短或改写。",
    Code.ZONE_UNKNOWN: "没有这个分区；请从该设施的分区中选择。",
    Code.ZONE_CODE_MISSING: "分区须有编码和名称；请填写。",
    Code.ZONE_CODE_USED: "该设施已有这个分区编码；请另编。",
    Code.ZONE_SIZE_WRONG: "分区的位置不得小于零，长宽、容量和容器数应大于零；请改正。",
    Code.ZONES_OVERLAP: "这个分区与同一设施的另一个分区重叠；请核对位置和长宽。",
    Code.PERMITTED_UNKNOWN: "允许存放的只能写本单位的废物编号或废物类别（如 HW08、SW17）；请改正。",
    Code.STALE_EDIT: "读取之后已被他人修改；请重新读取，核对后再保存。",
    Code.LOT_NOT_THERE: "该设施里没有这个批次；请核对编码，或先办入库、移库。",
    Code.NOT_PERMITTED_IN_ZONE: "这个分区不允许存放该废物；请放入别的分区，或由环保专员更改分区。",
    Code.INCOMPATIBLE_IN_ZONE: "与分区内已有的废物不相容，不得同区存放；请放入别的分区。",
    Code.FACILITY_UNKNOWN: "没有这一类设施的检查表；请从所列的类别中选择。",
    Code.REQUIREMENT_UNKNOWN: "检查表里没有这一项，或写了两次；请按检查表填写。",
    Code.NOTHING_LOOKED_AT: "一项也没有检查；请至少检查一项再保存。",
    Code.WHAT_IS_WRONG_MISSING: "不符合的项须写明哪里不符合；请填写说明。",
    Code.DUE_DAY_WRONG: "整改期限应不早于检查日，且在检查后一年以内；请改正日期。",
    Code.RESPONSIBLE_UNKNOWN: "整改责任人须是本单位能办理的人员；请从名单中选择。",
    Code.INSPECTED_IN_FUTURE: "检查时间晚于现在；请核对时间。",
    Code.INSPECTED_LONG_AGO: "检查时间在一年以前，不能再补录；请核对时间。",
    Code.TOO_MANY_PHOTOS: "照片过多，一次至多 30 张；请删去一些。",
    Code.PHOTO_TOO_LARGE: "照片文件超过 20 MB；请缩小后再上传。",
    Code.PHOTO_TOO_MANY_PIXELS: "照片像素超过 6500 万；请调低相机的分辨率后重拍。",
    Code.PHOTO_TYPE: "照片只接受 JPEG 和 PNG 格式；请换一张。",
    Code.PHOTO_DAMAGED: "照片文件损坏，读不出来；请重拍或换一张。",
    Code.PHOTO_MISSING: "办结整改须附整改后的照片；请拍照上传。",
    Code.CORRECTION_MISSING: "请写明做了哪些整改。",
    Code.CORRECTED_ALREADY: "这项整改已经办结；请刷新后核对。",
    Code.CORRECTED_ON_WRONG: "整改日期应不早于检查日，也不晚于今天；请改正日期。",
    Code.NOT_RESPONSIBLE: "这项整改由责任人或环保专员办结；请交由他们办理。",
}

PROGRESS_TEXT: Mapping[Progress, str] = {
    Progress.NOT_COUNTED: "待盘",
    Progress.COUNTED: "已盘",
    Progress.RECOUNT_ASKED: "待复盘",
    Progress.RECOUNTED: "已复盘",
}


DUE_TEXT: Mapping[Due, str] = {
    Due.NO_LIMIT: "无期限规定",
    Due.IN_TIME: "期限内",
    Due.SOON: "30 天内到期",
    Due.OVERDUE: "已超期",
}
FACILITY_TEXT: Mapping[Facility, str] = {
    Facility.HAZARDOUS_STORE: "危险废物贮存库、贮存场、贮存池或罐区",
    Facility.HAZARDOUS_POINT: "危险废物贮存点",
    Facility.GENERAL_STORE: "一般固废库房或包装贮存",
    Facility.GENERAL_SITE_1: "一般固废Ⅰ类贮存场、填埋场",
    Facility.GENERAL_SITE_2: "一般固废Ⅱ类贮存场、填埋场",
}
RESULT_TEXT: Mapping[ItemResult, str] = {
    ItemResult.MET: "符合",
    ItemResult.NOT_MET: "不符合",
    ItemResult.NOT_APPLICABLE: "不适用",
    ItemResult.NOT_LOOKED_AT: "未检查",
}
CONFIDENCE_TEXT: Mapping[Confidence, str] = {
    Confidence.VERIFIED: "",
    Confidence.SECONDARY: "据转引",
    Confidence.UNVERIFIED: "未核实",
}
FULLNESS_TEXT: Mapping[Fullness, str] = {
    Fullness.FREE: "有余量",
    Fullness.NEAR: "将满",
    Fullness.OVER: "超量",
}


def words(refused: StorageRefused) -> str:
    """Return the sentence for what was refused, with what it is about where that is known."""
    return REFUSAL_TEXT[refused.code] + (f"（{refused.detail}）" if refused.detail else "")
