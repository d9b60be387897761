"""
What does a person read when the ledger refuses?

One sentence for each code: what is wrong, and what to do. Pages, import and API share them; a door
that knows more (the row, the store, how much is short) may say more.
"""

from collections.abc import Mapping

from wufei.ledger.identifying import LONGEST, Refused
from wufei.ledger.posting import Code
from wufei.ledger.transforming import TransformationCode

REFUSAL_TEXT: Mapping[Code, str] = {
    Code.MASS_NOT_POSITIVE: "数量应大于零；请核对数量。",
    Code.MASS_ABSURD: "数量超过 1 亿吨；请检查单位是否填错。",
    Code.MOVED_ON_IN_FUTURE: "日期晚于今天；请填写已经发生的日期。",
    Code.MONTH_CLOSED: "该日期所在月份已结账，不能再记账；请改用结账之后的日期。",
    Code.STREAM_UNKNOWN: "没有这个废物编号；请先申报该废物，或改为已有的编号。",
    Code.STORE_UNKNOWN: "没有这个设施编码；请先申报该贮存设施，或改为已有的编码。",
    Code.STORE_MISSING: "本单位还没有贮存设施；请先申报至少一个。",
    Code.GOES_NOWHERE: "移出和移入的是同一个设施；请另选移入的设施。",
    Code.NOT_BY_ITSELF: "这一步只能随转移联单或转化一起办理，不能单独记账；请到联单或转化页面办理。",
    Code.TEXT_NOT_STORABLE: "文字过长，或含有换行等不能保存的字符；请缩短或改写。",
    Code.LOT_CODE_RESERVED: "批次编码不能以“散堆-”开头；请另编。",
    Code.LOT_CODE_USED: "批次编码已经用过，入库的批次编码不得重复；请另编，或核对是否重复填报。",
    Code.LOT_UNKNOWN: "该批次没有入库记录；请先记它的产生、接收或期初贮存，或改正批次编码。",
    Code.LOT_OF_ANOTHER_STREAM: "该批次属于另一种废物；请改为一致的废物编号或批次编码。",
    Code.SOURCE_OVERDRAWN: "库存不足；请核对数量、日期和设施，或先补记此前的产生、接收或期初贮存。",
    Code.TARGET_OVER_CAPACITY: "超出贮存设施的能力；请核对数量和设施，或先出库、先更正设施能力。",
}

REVERSAL_TEXT: Mapping[str, str] = {
    "reason_missing": "冲正须写明原因；请填写后重试。",
    "is_a_reversal": "这条记录本身是冲正，不能再冲正；需要时请重新记账。",
    "already_reversed": "这条记录已经冲正过；请刷新后核对。",
    "day_out_of_order": "冲正日期应不早于原记录的日期，也不晚于今天；请改正日期。",
    "month_closed": "该月已结账；请给出一个未结账月份的冲正日期。",
    "part_of_whole": "这条记录属于一张转移联单或一次转化，不能单独冲正；请到联单或转化页面办理。",
    "source_overdrawn": "这批废物已经用去，库存不足以冲正；请先冲正其后的出库记录。",
}

CLOSING_TEXT: Mapping[str, str] = {
    "not_a_month_end": "结账日应为某月的最后一天；请改正日期。",
    "not_over_yet": "该月还没有结束，不能结账；请在下月初再结。",
    "already_closed": "该月已经结过账；请刷新后核对。",
}

DECLARATION_TEXT: Mapping[str, str] = {
    "waste_code_unknown": "废物代码不对；请核对《固体废物分类与代码目录》或《国家危险废物名录》。",
    "code_reserved": "编码不能含有冒号；请另编。",
    "stale_edit": "读取之后已被他人修改；请重新读取，核对后再保存。",
}

TRANSFORMATION_TEXT: Mapping[TransformationCode, str] = {
    TransformationCode.NOTHING_GOES_IN: "没有投入的批次；请至少选一个。",
    TransformationCode.NOTHING_COMES_OUT: "没有产出的批次；请至少填一个。",
    TransformationCode.SHAPE_WRONG: "投入和产出的批次数与方式不符；分装一进多出，合并、混合多进一出，换装一进一出。",
    TransformationCode.STREAM_CHANGES: "分装、合并、换装不改变废物种类，投入和产出须是同一种废物；确需混合或预处理的请另选方式。",
    TransformationCode.LOT_TWICE: "同一个批次编码出现了两次；请核对。",
    TransformationCode.LOT_IS_BULK: "散堆没有标签，不能转化；请先装入容器、称重并贴标签。",
    TransformationCode.MASS_NOT_BALANCED: "投入不等于产出加损耗；请核对各批次数量和损耗。",
    TransformationCode.LOSS_WITHOUT_REASON: "有损耗须写明原因（如水分蒸发）；请填写。",
    TransformationCode.HAZARDOUS_WITH_GENERAL: "危险废物不得混入一般固体废物（固体废物污染环境防治法第八十一条）；请分开处理。",
    TransformationCode.INCOMPATIBLE: "性质不相容的废物不得混合（固体废物污染环境防治法第八十一条、GB 18597-2023 第4.3条）；请分开处理。",
    TransformationCode.OWN_WITH_RECEIVED: "自产的与接收的废物须分开转化，否则无法分清来源；请分两次办理。",
}

WASTE_REPORT_TEXT: Mapping[str, str] = {
    "no_period": "申报的期间应是一个月、一个季度或一年；请改正。",
    "not_over_yet": "该期间还没有结束，不能申报；请在结束之后再办。",
}

IDENTIFICATION_TEXT: Mapping[Refused, str] = {
    Refused.STREAM_UNKNOWN: "没有这个废物编号；请先在废物清单中申报。",
    Refused.CODE_MISSING: "判别为危险废物的，须写明危险废物代码；名录没有对应代码的，用 900-000-××。",
    Refused.CODE_NOT_HAZARDOUS: "这不是危险废物代码；请核对《国家危险废物名录》。",
    Refused.CODE_NOT_ASKED: "判别结果不是危险废物，不应有危险废物代码；请改正结果或删去代码。",
    Refused.PROPERTIES_MISSING: "判别为危险废物的，须选明危险特性（毒性、腐蚀性、易燃性、反应性、感染性）。",
    Refused.PROPERTIES_NOT_ASKED: "判别结果不是危险废物，不应有危险特性；请改正结果或取消勾选。",
    Refused.JUDGE_MISSING: "请写明检测机构或判别人。",
    Refused.REPORT_MISSING: "以检测为依据的，须上传检测报告或鉴别报告。",
    Refused.DAY_IN_FUTURE: "判别日期晚于今天；请改正。",
    Refused.ENDS_BEFORE_BEGIN: "有效期至早于判别日期；请改正。",
    Refused.REASON_MISSING: "更正须写明原因；请填写后重试。",
    Refused.REPLACED_ALREADY: "这条记录已经更正过；请在更正后的记录上再更正。",
    Refused.REPLACED_UNKNOWN: "没有要更正的那条记录；请刷新后重试。",
    Refused.CLIENT_ID_REUSED: "这个客户端编号已用于另一次登记；请刷新页面后重试。",
    Refused.TEXT_NOT_STORABLE: f"文字过长（判别人 {LONGEST['judged_by']} 字、报告编号 {LONGEST['report_number']} 字、"
    f"说明 {LONGEST['note']} 字、原因 {LONGEST['reason']} 字以内），或含有换行等不能保存的字符；请缩短或改写。",
}
