"""What does a person read when this room refuses? One sentence for each code."""

from collections.abc import Mapping

from wufei.collection.months import Word
from wufei.collection.refusals import Code, CollectionRefused

REFUSAL_TEXT: Mapping[Code, str] = {
    Code.USCC_MALFORMED: "统一社会信用代码不对：应为 18 位，最后一位为校验码；请对照营业执照核对。",
    Code.ORGANISATION_EXISTS: "这个统一社会信用代码已在平台登记，不必重复登记：请用本单位已有的账号登录，在“小微收运”中开通月度申报；没有账号或忘记密码的，请联系所在园区或平台管理员。",
    Code.REGISTRATION_PENDING: "这个统一社会信用代码已有一份登记在等待确认，请勿重复提交；可凭登记编号查询，或联系所选的收集单位、园区。",
    Code.FACT_MISSING: "这一项没有填；请填写。",
    Code.FACT_MALFORMED: "这一项填写得不对；请核对。",
    Code.DIVISION_UNKNOWN: "没有这个行政区划；请填写所在区县的六位代码。",
    Code.WASTES_MISSING: "还没有写明有哪些废物；请至少写一种。",
    Code.WASTE_CODE_UNKNOWN: "名录中没有这个废物代码；请从列出的代码中选择。",
    Code.WASTE_TWICE: "同一个废物代码写了两次；请合成一行。",
    Code.COLLECTOR_UNKNOWN: "没有这个收集单位，或它没有登记收集点；请重新选择。",
    Code.COLLECTOR_ELSEWHERE: "这个收集单位的收集范围不包括该区县；请选择别的收集单位。",
    Code.CONSENT_MISSING: "代为登记须取得该单位的书面同意；请写明同意书的编号或日期。",
    Code.NOT_CHECKED: "委托收集前，产废单位须核实收集单位的主体资格和技术能力（指南二（三）4）；请核实后勾选。",
    Code.NOT_YOURS_TO_CONFIRM: "这份登记由所选的收集单位、所在园区或当地主管部门确认；本单位不能确认。",
    Code.DECIDED_ALREADY: "这份登记已经办理；请刷新后查看。",
    Code.REASON_MISSING: "须写明原因；请填写后重试。",
    Code.CONTRACT_MISSING: "收集单位确认登记时，须写明与该单位所签收集合同的编号和有效期。",
    Code.CONTRACT_MALFORMED: "合同不能这样登记；请核对编号和起止日期。",
    Code.ACTIVATION_UNKNOWN: "登记编号与电话不符，或编号已经失效；请核对，或请确认登记的单位重发编号。",
    Code.ACTIVATED_ALREADY: "这份登记已经设过账号；请直接登录。",
    Code.ACCOUNT_REFUSED: "账号不能这样设；请按提示更正。",
    Code.NOT_A_SMALL_GENERATOR: "本单位没有开通小微企业月度申报；请先登记或开通。",
    Code.ENROLLED_ALREADY: "本单位已经开通月度申报；请直接申报。",
    Code.MONTH_OUT_OF_RANGE: "不能申报这个月：应在登记之后，且不晚于本月。",
    Code.STREAM_UNKNOWN: "没有这种废物；请先在废物清单中登记。",
    Code.STREAM_LEFT_OUT: "还有废物没有填写；没有新产生的请填 0，或勾选“本月没有产生”。",
    Code.MASS_OUT_OF_RANGE: "数量不对：应为零或正数，最细到克，不超过 1 亿吨。",
    Code.NOTHING_AND_SOMETHING: "勾选了“本月没有产生”，却又填了数量；请去掉其中之一。",
    Code.SAID_THE_SAME: "与已经申报的完全一样，没有需要更正的。",
    Code.CLIENT_ID_REUSED: "这个客户端编号已用于另一次操作；请刷新页面后重试。",
    Code.LEDGER_REFUSED: "台账没有接受这笔申报。",
    Code.TEXT_NOT_STORABLE: "文字过长，或含有换行等不能保存的字符；请缩短或改写。",
    Code.POINT_UNKNOWN: "本单位没有这个收集点；请先登记收集点。",
    Code.POINT_MALFORMED: "收集点不能这样登记；请核对收集范围、应急电话和应急措施。",
    Code.STORE_UNKNOWN: "没有这个贮存设施；请从本单位申报的设施中选择。",
    Code.NOTHING_CHOSEN: "没有选中要收的废物；请至少选一项。",
    Code.NOT_SERVED: "该单位与本单位没有有效的收集合同；请先签订并登记合同。",
    Code.NOT_READY: "该单位没有这么多可以收的废物；请刷新清单后重选。",
    Code.NOT_COVERED: "本单位的许可证、收集范围或合同不包括这种废物；不能列入收运。",
    Code.DAY_OUT_OF_RANGE: "收运日期不能早于今天；请改正日期。",
    Code.VEHICLE_MISSING: "还没有写明车辆、驾驶员或驾驶员电话；请填写。",
    Code.ROUND_NOT_NOW: "这个收运轮次现在不能这样办理；请刷新后查看。",
    Code.STOP_UNKNOWN: "这个收运轮次没有这一站；请刷新后查看。",
    Code.STOP_SETTLED: "这一站已经办完；请刷新后查看。",
    Code.STOPS_OPEN: "还有没有办完的站；请先装车，或写明原因略过。",
    Code.ORDER_MALFORMED: "顺序不对：每一站须恰好出现一次；请刷新后重排。",
    Code.WEIGHING_MISSING: "还有废物没有过磅，或没有选利用、处置方式；请逐种填写。",
    Code.MANIFEST_REFUSED: "转移联单没有通过。",
    Code.SIGNING_CODE_MISSING: "该单位还没有设签收码；请由该单位在自己的手机上签字，或先设签收码。",
    Code.SIGNING_CODE_MALFORMED: "签收码应为 6 至 12 位数字，不能全部相同或连续；请另设。",
    Code.SIGNING_CODE_WRONG: "签收码不对；连续 5 次不对将锁定 15 分钟。",
    Code.SIGNING_CODE_LOCKED: "签收码连续输错，已经锁定；请稍后再试，或由该单位在自己的手机上签字。",
    Code.NOT_SIGNED: "移出人还没有签字；请由该单位签字，或当场输入签收码。",
}

WORD_TEXT: Mapping[Word, str] = {
    Word.DECLARED: "已申报",
    Word.NOTHING: "申报为没有产生",
    Word.NOT_YET: "未到期",
    Word.SILENT: "未申报，数量未知",
    Word.BEFORE: "登记之前",
}


def words(refused: CollectionRefused) -> str:
    """Return the sentence for what was refused, with what it is about where that is known."""
    return REFUSAL_TEXT[refused.code] + (f"（{refused.detail}）" if refused.detail else "")
