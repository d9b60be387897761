"""What does a person, or the display of a scale, read when the shop floor refuses? One sentence for each code."""

from collections.abc import Mapping

from wufei.ledger.posting import Code as LedgerCode
from wufei.ledger.wording import REFUSAL_TEXT
from wufei.shopfloor.reading import Refused
from wufei.shopfloor.refusals import Code

READING_TEXT: Mapping[Refused, str] = {
    Refused.SEQUENCE_REUSED: "这个序号此前报过别的内容；请检查秤是否重新编号，改用没有用过的序号。",
    Refused.UNIT_UNKNOWN: "单位不认识；应为 g、kg 或 t。",
    Refused.WEIGHT_HAS_COMMA: "重量里有逗号，分不清是小数点还是千分位；请改用小数点，不写千分位。",
    Refused.WEIGHT_MALFORMED: "重量不是数；应写成 12.5 的形式。",
    Refused.WEIGHT_TOO_FINE: "重量精确到克为止；请减少小数位数。",
    Refused.TIME_MALFORMED: "时间看不懂；应写成 2026-07-01T10:00:00+08:00 的形式。",
    Refused.TIME_WITHOUT_ZONE: "时间没有写明时区；请加上 +08:00。",
    Refused.SCALE_RETIRED: "这台秤已停用；请换一台，或重新登记。",
    Refused.TAKEN_IN_FUTURE: "称重时间晚于现在；请校准秤的时钟。",
    Refused.CLOCK_BACKWARDS: "秤的时钟倒走了：序号在后而时间在前；请校准秤的时钟。",
    Refused.OUT_OF_CALIBRATION: "称重当天检定已过期；请先检定，并更新有效期。",
    Refused.UNSTABLE: "读数还没有稳定；请等指针停稳后再称。",
    Refused.NEGATIVE: "重量小于零；请清零、去皮后重新称。",
    Refused.WEIGHTS_DISAGREE: "毛重减皮重不等于净重；请检查秤的设置。",
    Refused.ZERO: "净重为零；请放上容器后再称。",
    Refused.OVERLOAD: "超过最大秤量；请分开称，或换一台大秤。",
}

TEXT: Mapping[Code, str] = {
    Code.NOT_READABLE: "送来的内容不是一条读数；请对照接口说明检查格式。",
    Code.SCALE_UNKNOWN: "没有登记过这台秤；请先登记，或核对秤编码。",
    Code.SIGNATURE_WRONG: "签名不对；请核对密钥，换过密钥的须写入秤里。",
    Code.NAME_MISSING: "请填写秤的名称，至多 60 字。",
    Code.CAPACITY_NOT_POSITIVE: "最大秤量应大于零。",
    Code.DIVISION_UNFIT: "分度值应大于零，且不大于最大秤量。",
    Code.STORE_UNKNOWN: "没有这个贮存设施；请先申报，或改选已有的。",
    Code.STREAM_UNKNOWN: "没有这个废物编号；请先申报，或改选已有的。",
    Code.STALE_EDIT: "读取之后已被他人修改；请重新读取，核对后再保存。",
    Code.ALREADY_RETIRED: "这台秤已经停用。",
    Code.READING_UNKNOWN: "没有这个可用的读数；请重新称，或手工输入重量。",
    Code.READING_TAKEN: "这个读数已经被取用；请重新称，或手工输入重量。",
    Code.READING_DIFFERS: "重量与秤的读数不一致；请重新取读数，或改为手工输入。",
    Code.REASON_MISSING: "请写明原因。",
    Code.MALFORMED: "手机送来的内容不完整，没有记账；请打开核对后重交。",
    Code.MADE_IN_FUTURE: "手机时间比系统时间快；请校准手机时间后重交。",
    Code.MASS_TOO_LARGE: "一个容器不会超过 100 吨；请检查重量。",
    Code.CODE_UNKNOWN: "没有这个容器：不是本单位的标签，或标签残缺；请重新扫描，或手工输入编码。",
    Code.CONTAINER_MOVED: "这个容器已经不在原来的设施，可能别人已移走；请核对后重交。",
    Code.NOT_IN_STORE: "这个容器已不在库中，可能已发运或用完；请核对。",
    Code.ALREADY_THERE: "这个容器已经在该设施里，不需要再移。",
    Code.CLIENT_ID_REUSED: "这条记录此前已经记过账，后来又改了内容；先前那一条仍在，请核对。",
}

# Why a reading that should have been posted by rule waits, beside the ledger's own codes.
RULE_TEXT: Mapping[str, str] = {
    "may_not_post": "设定自动记账的人已没有记账权限；请由环保专员重新保存这台秤的设置。",
    "client_id_reused": "同一编号已有另一条记录；请由工人取用。",
}


def words_of_reading(refusal: str, waits_because: str) -> str:
    """Return what the display of a scale shows: why it was refused, or that it arrived and what became of it."""
    if refusal:
        return READING_TEXT[Refused(refusal)]
    if not waits_because:
        return "已收到。"
    return f"已收到，但没有自动记账：{words_of_waiting(waits_because)}"


def words_of_waiting(code: str) -> str:
    """Return why a reading that should have been posted by rule waits for a person."""
    return RULE_TEXT.get(code) or REFUSAL_TEXT[LedgerCode(code)]
