"""What does a person read when a label, a number or a scanned code is refused? One sentence for each code."""

from collections.abc import Mapping

from wufei.labels import digital_id, payload
from wufei.labels.refusals import Code, LabelRefused

REFUSAL_TEXT: Mapping[Code, str] = {
    Code.NUMBERS_EXHAUSTED: "这一天这个废物代码的顺序号不够：顺序编码只有三位，每天至多 999 个；请减少数量，或用其他产生日期。",
    Code.COUNT_OUT_OF_RANGE: "一次预留 1 至 999 个；请改正数量。",
    Code.DAY_OUT_OF_RANGE: "预留的日期应在过去 31 天至今后 31 天之内；请改正日期。",
    Code.ORGANISATION_HAS_NO_VALID_CODE: "本单位的统一社会信用代码校验位不对，不能编数字识别码；请先更正单位信息。",
    Code.WASTE_NOT_HAZARDOUS: "只有危险废物的标签有数字识别码；请核对废物代码。",
    Code.NUMBER_OF_ANOTHER_ORGANISATION: "这个数字识别码是别的单位的；请核对标签。",
    Code.NUMBER_OF_ANOTHER_WASTE: "数字识别码中的废物代码与该批次不一致；请核对标签，或换一张。",
    Code.NUMBER_NOT_RESERVED: "这个顺序号没有预留过，不是本系统发出的；请用预留的号码。",
    Code.NUMBER_USED: "这个数字识别码已经用在另一个容器上，不能重复使用；请换一个号码。",
    Code.LOT_NUMBERED_ALREADY: "这个容器已有另一个数字识别码；需要时请重印原来的标签。",
    Code.LOT_UNKNOWN: "没有这个编码的容器或批次，或您无权查看；请核对编码。",
    Code.LOT_AMBIGUOUS: "有几家单位都用了这个批次编码；请改用数字识别码，或扫标签上的二维码。",
    Code.LOT_WITHOUT_NUMBER: "这个危险废物容器还没有数字识别码；请先编号，再打印标签。",
    Code.PRINT_COUNT_OUT_OF_RANGE: "每个容器一次打印 1 至 20 张，合计不超过 400 张；请改正张数，或分几次打印。",
    Code.REPRINT_WITHOUT_REASON: "这张标签已经打印过；重印须写明原因。",
    Code.CLIENT_ID_REUSED: "这个客户端编号已用于另一次操作；请换一个后重试。",
    Code.HAZARD_UNKNOWN: "危险特性只能写 T、C、I、R、In，用逗号分开；请改正。",
    Code.STALE_EDIT: "读取之后已被他人修改；请重新读取，核对后再保存。",
}

DIGITAL_ID_TEXT: Mapping[digital_id.Fault, str] = {
    digital_id.Fault.CODE_MISSING: "没有读到编码；请重新扫描或输入。",
    digital_id.Fault.CODE_OF_ANOTHER_SYSTEM: "这不是数字识别码，也不是本系统的标签；请核对是否扫错。",
    digital_id.Fault.CODE_TORN: "数字识别码不完整，应为 37 位；标签可能破损或没有扫全，请重新扫描。",
    digital_id.Fault.CODE_TOO_LONG: "数字识别码超过 37 位；可能连扫了两次，请重新扫描。",
    digital_id.Fault.CHECK_DIGIT_WRONG: "数字识别码中的统一社会信用代码校验位不对；请核对是否读错一位。",
    digital_id.Fault.WASTE_CODE_MALFORMED: "数字识别码中的危险废物代码不对；应为 8 位数字。",
    digital_id.Fault.DAY_IMPOSSIBLE: "数字识别码中的日期不存在；请核对。",
    digital_id.Fault.SEQUENCE_IMPOSSIBLE: "数字识别码中的顺序号应为 001 至 999；请核对。",
}

PAYLOAD_TEXT: Mapping[payload.Fault, str] = {
    payload.Fault.PAYLOAD_TORN: "二维码的内容不完整或读错了；请擦净标签重新扫描，或输入数字识别码。",
    payload.Fault.PAYLOAD_VERSION_UNKNOWN: "二维码是更新版本的系统所制，这里读不懂；请输入数字识别码。",
    payload.Fault.PAYLOAD_OF_ANOTHER_SYSTEM: "这是其他系统的二维码；请扫本系统的标签，或输入数字识别码。",
}


def words(refused: LabelRefused | digital_id.DigitalIdRefused | payload.PayloadRefused) -> str:
    """Return the sentence for whatever was refused."""
    match refused:
        case LabelRefused():
            return REFUSAL_TEXT[refused.code]
        case digital_id.DigitalIdRefused():
            return DIGITAL_ID_TEXT[refused.fault]
        case _:
            return PAYLOAD_TEXT[refused.fault]
