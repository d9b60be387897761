"""What does a person read when an act on a manifest is refused, or flagged? One sentence for each code."""

from collections.abc import Mapping

from wufei.terms.mass import Mass
from wufei.transfers.refusals import Code, Reason

REFUSAL_TEXT: Mapping[Code, str] = {
    Code.ACT_NOT_NOW: "联单现在的状态不能这样办理；请刷新后查看。",
    Code.WRONG_PARTY: "这一步不由本单位办理；请由联单上写明的单位签署。",
    Code.STALE_EDIT: "读取之后已被他人修改；请重新读取，核对后再保存。",
    Code.CLOCK_BACKWARDS: "签署时刻早于上一次签署；请核对设备的时钟。",
    Code.NUMBER_TAKEN: "这个联单编号已经用过；请核对编号。",
    Code.NUMBER_MALFORMED: "联单编号不对：应为 14 位数字（年 4 位、省 2 位、市 2 位、流水 6 位），一般固废记录前加 G。",
    Code.NUMBER_OF_ANOTHER_PLACE: "联单编号中的省、市与移出地不符，或类别不符；请核对编号。",
    Code.DIVISION_TOO_COARSE: "移出单位的行政区划没有写到设区的市，无法编号；请先更正单位信息。",
    Code.SERIALS_EXHAUSTED: "该市今年的六位流水号已经用完；请联系管理员。",
    Code.PAPER_DAY_IN_FUTURE: "纸质联单的转移完成日期在今天之后；请改正日期。",
    Code.CLIENT_ID_REUSED: "这个编号已用于另一份联单；请为新的联单换一个。",
    Code.SEALED: "该栏已经签署，不能直接修改；请提出更正，由对方同意。",
    Code.NOT_SEALED: "这一栏还没有签署，由填写方在签署时填写即可，不需要更正。",
    Code.FIELD_MISSING: "签署前须填写这一栏。",
    Code.FIELD_MALFORMED: "这一栏填写得不对；请核对。",
    Code.FIELD_UNKNOWN: "联单上没有这一栏。",
    Code.FIELD_OF_ANOTHER_PARTY: "这一栏由另一方填写。",
    Code.LINES_MISSING: "联单上还没有废物；请至少填一行，或扫描容器。",
    Code.LEGS_MISSING: "还没有承运人；请至少填一个。",
    Code.MASS_NOT_POSITIVE: "数量应大于零；请核对数量。",
    Code.MASS_ABSURD: "数量超过 1 亿吨；请检查单位是否填错。",
    Code.REASON_MISSING: "须写明原因；请填写后重试。",
    Code.PARTY_UNKNOWN: "没有这个单位；请核对统一社会信用代码。",
    Code.PARTY_CLOSED: "该单位已经终止，不能再开新的联单；请改为承继它的单位。",
    Code.PARTY_UNFIT: "该单位的类型不能担任这一方；请核对。",
    Code.SAME_PARTY: "移出人和接受人不能是同一单位。",
    Code.STREAM_UNKNOWN: "没有这个废物编号；请先申报该废物。",
    Code.WASTE_CLASS_MIXED: "危险废物和一般固废不能写在同一份联单上；请分开填写。",
    Code.SCAN_TORN: "二维码没有读全或读错；请重新扫描，或改输标签上的编码。",
    Code.SCAN_FOREIGN: "这不是本系统的标签；请扫描容器上的危险废物标签或批次标签。",
    Code.LOT_UNKNOWN: "本单位没有这个容器或批次，或它属于另一种废物；请核对标签。",
    Code.LOT_TWICE: "同一个容器在这份联单上写了两次；请删去一行。",
    Code.LOT_ON_ANOTHER_MANIFEST: "这个容器已经在另一份未办结的联单上；请核对是否重复发运。",
    Code.LOT_NOT_WHOLE: "容器须整个转移：填写的移出量与库中该容器的质量不同；请核对，或先分装。",
    Code.STOCK_SHORT: "库存不足；请核对数量和贮存设施。",
    Code.PERMIT_MISSING: "接受人没有登记危险废物经营许可证；不得转移。",
    Code.PERMIT_NOT_IN_DATE: "接受人的经营许可证不在有效期内；不得转移。",
    Code.PERMIT_LACKS_CODE: "接受人的经营许可证不含该废物代码；不得转移。",
    Code.CAPACITY_EXHAUSTED: "接受人本年度的许可能力所剩不足；请减少数量或改换接受人。",
    Code.CONTRACT_MISSING: "没有与该单位的、有效且含该废物的书面合同；请先登记合同（第十条）。",
    Code.DUE_DILIGENCE_MISSING: "没有对接受人主体资格和技术能力的有效核实记录；请先核实并登记（第十条）。",
    Code.TRANSPORT_PERMIT_MISSING: "承运人没有有效的危险货物道路运输许可；应当不予装载（第十三条）。",
    Code.VEHICLE_UNKNOWN: "承运人没有登记这辆车；请核对车牌号。",
    Code.VEHICLE_NOT_IN_DATE: "这辆车的营运证件不在有效期内；应当不予装载（第十三条）。",
    Code.DRIVER_UNKNOWN: "承运人没有登记这名驾驶员；请核对姓名。",
    Code.DRIVER_NOT_IN_DATE: "这名驾驶员的从业资格不在有效期内；应当不予装载（第十三条）。",
    Code.APPROVAL_MISSING: "跨省转移还没有有效的批准或备案；未经批准不得转移（第二十一条）。",
    Code.APPROVAL_EXHAUSTED: "跨省转移的批准数量所剩不足；请重新申请（第二十八条）。",
    Code.APPROVAL_MALFORMED: "批准或备案填写得不对：须有文号和数量，有效期不超过十二个月（第二十七条）。",
    Code.APPROVAL_TWICE: "这份批准或备案已经登记过；请核对文号和废物代码。",
    Code.WEIGHT_IMPLAUSIBLE: "接收量与移出量相差十倍以上，可能是单位或小数点填错；请复磅后确认，再提交。",
    Code.MODE_UNKNOWN: "没有这个利用、处置方式代码；请填 HJ 1033 附录F 的代码，例如 R9、D10。",
    Code.RECEIVER_STREAM_MISSING: "本单位的台账里没有这种废物；请先申报该废物，或指明记入哪个废物编号。",
    Code.LINE_UNKNOWN: "联单上没有这一行；请刷新后重试。",
    Code.LINE_LEFT_OUT: "有一行没有填接收结果；每一行都要填。",
    Code.RETURN_TOO_LARGE: "退回的量多于移出量；请核对。",
    Code.NOTHING_RECEIVED: "没有接受任何废物；全部不接受时请办理拒收。",
    Code.SOMETHING_RETURNED: "有废物要退回；请办理部分接受。",
    Code.REVISION_OPEN: "这份联单已有一项更正等待答复；请先答复或撤回。",
    Code.REVISION_NOT_OPEN: "这项更正已经答复过；请刷新后查看。",
    Code.REVISION_EMPTY: "更正与现在的内容相同；没有可更正的。",
    Code.NOT_REVISABLE: "这一栏在此阶段不能以更正修改；未起运的可作废后重开。",
    Code.OWN_REVISION: "自己提出的更正须由对方答复。",
    Code.ALREADY_SETTLED: "这项差异已经处理过；请刷新后查看。",
    Code.LEDGER_REFUSED: "台账不能记这笔出入库；请按说明处理后重试。",
}

FAULT_TEXT: Mapping[str, str] = {
    "not_a_number": "应为整数",
    "not_positive": "应大于零",
    "not_storable": "应为文字，且不含换行等字符",
    "too_long": "文字过长",
    "not_a_phone": "电话号码不对",
    "not_a_choice": "不在可选的范围内",
    "not_a_day": "日期应写成 2026-03-20 的形式",
}

FLAG_TEXT: Mapping[str, str] = {
    "permit_lapsed_on_the_road": "接受人的经营许可证在运输途中到期。",
    "permit_unverified": "接受人的经营许可证由其自行填报，尚未经主管部门核实。",
    "vehicle_permit_lapsed_on_the_road": "车辆的营运证件在运输途中到期。",
    "vehicle_overloaded": "这辆车上各联单的移出量合计超过它登记的核定载质量。",
    "weight_ten_times": "接收量与移出量相差十倍以上，接受人已复磅确认。",
    "confirmed_late": "接受人的确认晚于运抵后五个工作日（第十八条）。",
    "due_day_unknown": "确认期限无法计算：该年的放假安排尚未载入。",
    "not_in_plan": "移出人本年度备案的危险废物管理计划没有写到把这种废物转移给该接受人（第十四条）；请变更计划。",
    "entered_late": "纸质联单的补录晚于转移完成后十个工作日（第二十条）。",
    "party_closed_on_the_road": "有一方在联单办理期间终止，由其承继单位继续办理。",
}


def words(reason: Reason) -> str:
    """Return the sentence for a person, with what is known beside it."""
    text = REFUSAL_TEXT[reason.code]
    return f"{text}（{reason.detail}）" if reason.detail else text


def in_tonnes(grams: int) -> str:
    """
    Return grams as 吨, exactly.

    >>> in_tonnes(1_250_000), in_tonnes(200_000_000), in_tonnes(0)
    ('1.25', '200', '0')
    """
    text = f"{Mass(grams).tonnes:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
