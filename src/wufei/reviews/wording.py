"""What a person reads where something in a review was not done: the code, and what to do about it."""

import re
from collections.abc import Mapping

from wufei.reviews import telling
from wufei.reviews.duties import Duty
from wufei.reviews.refusals import ReviewRefused

WORDS = {
    "acted_before": "您在本案中已承担过其他职责，按“申报、推荐、评分、认定不得由同一人办理”的规定，请由他人办理。",
    "action_has_own_service": "这个动作不在这里办理：报送在“我的申报”里，列入公示、公示无异议和移出名单在公示页面，由承继单位继续在申报页面。",
    "agency_assigned": "已委托第三方机构，不能重复委托；要更换的，请先解除原委托。",
    "agency_excluded": "该机构的评价资格已被取消，不能再作评价。",
    "agency_false": "抽查发现该机构本年度的评价报告弄虚作假，不能列入推荐名单。",
    "agency_unknown": "请选择在本系统登记、有人员可办理的第三方机构。",
    "agency_withdrawn": "这项评价委托已经解除。",
    "already_decided": "已有人先作出处理，请刷新后查看。",
    "already_drawn": "这次抽取已经公布种子并完成，不能再抽；需要补充的，请另行发起抽取。",
    "already_published": "通知已经发布。",
    "application_of_another_round": "有申报不属于本轮。",
    "applications_open": "还有申报尚未办结，不能结束本轮。",
    "applied_already": "本单位在本轮，或在向本轮推荐的下级轮次，已有申报。",
    "assignment_withdrawn": "该件已改派给其他专家，不再由您评分。",
    "barred": "本单位（或其前身）的称号被撤销，限制申报期未满，期满后方可申报。",
    "batch_action_unknown": "这个动作不能批量办理，请逐件办理。",
    "before_last_change": "日期不能早于上一次持有人或名称的变化（或认定日期），请核对。",
    "case_incomplete": "申报书还没有写完，请先补齐。",
    "case_of_another_edition": "申报案例所用的政策版本与本轮不同，请按本轮的版本新建案例。",
    "cause_removes": "这项事由按文件规定是移出名单，不是撤销称号，请办理移出。",
    "cause_revokes": "这项事由按文件规定是撤销称号，不是移出名单，请办理撤销。",
    "cause_unknown": "政策版本中没有这项事由，请从列出的条款中选择。",
    "change_open": "该称号已有一项变更在办理，请等办结后再报。",
    "change_unknown": "请选择更名、重组或依法终止。",
    "checks_missing": "还有条款没有审查结论，请逐条选择“符合”“不符合”或“存疑”；确实不逐条填写的，请在意见中说明。",
    "client_id_reused": "这条核查记录的编号已用于另一条记录，请重新填写。",
    "clock_ahead": "手机时间比系统时间快，请校准手机时间后重新提交。",
    "commitment_malformed": "承诺值应为 64 位十六进制字符（种子的 SHA-256）。",
    "conflict_of_interest": "专家或机构与该申报单位有利害关系，应当回避，请改派。",
    "consultations_missing": "还没有向全部部门征求意见。",
    "consultations_open": "有部门尚未答复且答复期限未到。",
    "contact_missing": "请填写姓名和联系方式，以便核实和答复。",
    "criterion_answer_unknown": "逐项核查的结果应为“属实”“不属实”或“未核查”。",
    "criterion_unknown": "核查条目不在这个政策版本里。",
    "cultivated_already": "该单位已在本库的这个方向中，请直接调整梯度。",
    "day_ahead": "日期不能晚于今天。",
    "days_reversed": "结束日期早于开始日期，请改正。",
    "deadline_after_report": "申报单位的报送截止日不能晚于区县等下级上报的截止日，请提前，给审核留出时间。",
    "deadline_in_past": "日期已经过去，请填写今天或以后的日期。",
    "deadline_missing": "还没有定申报单位的报送截止日期，请先在“编辑通知”里填写，再发布。",
    "delegated_already": "这段时间已经交由他人代办，请先收回原来的交办。",
    "delegation_too_long": "代办一次最多一年，请分次交办。",
    "department_unknown": "这个环节不征求该部门的意见。",
    "draw_missing": "本环节还没有完成专家抽取，请先抽取并公布种子。",
    "draw_open": "上一次抽取还没有公布种子；确需重新抽取的，请填写理由，上一次随即作废。",
    "draw_superseded": "之后又发起了新的抽取，这一次已经作废，不能再公布种子。",
    "drawn_twice": "有专家已在本环节抽中过，不能重复抽取。",
    "edition_gives_no_title": "这个政策版本不授予称号。",
    "edition_has_no_bottom_rule": "这个政策版本没有末位移出的规定。",
    "edition_has_no_scoring": "这个政策版本没有评分办法。",
    "edition_has_no_stages": "这个政策版本没有办理环节，不能发起申报。",
    "edition_of_another_programme": "这个政策版本不适用于该称号。",
    "edition_revokes_nothing": "这个文件没有撤销称号并限制申报的规定，请办理移出。",
    "employer_missing": "请填写专家的工作单位。",
    "excluded_already": "该机构的评价资格已被取消过。",
    "expert_not_drawn": "该专家没有在本环节抽中，不能派给。",
    "expert_stage_unknown": "没有这个专家评审环节，请从括号中的环节里选。",
    "expert_there": "这个账号已在专家库中。",
    "field_missing": "请至少填写一个专业领域。",
    "field_unknown": "没有这个字段。",
    "granted_in_future": "认定日期不能晚于今天。",
    "granted_too_early": "认定日期不能早于作出认定的日期，也不能早于公示期满的次日。",
    "had_it_before": "该专家已有或曾有这件任务，请换一位。",
    "key_malformed": "公钥应为 64 位十六进制小写字符。",
    "key_of_another_authority": "这个公钥已登记在另一单位名下。",
    "listed_twice": "名单中有重复的申报。",
    "loads_too_uneven": "无法分配，请增加抽取人数。",
    "mark_wrong": "评分应为 0 至 100，至多两位小数。",
    "new_name_missing": "请填写与现名称不同的新名称。",
    "no_expert_stage": "这个政策版本没有专家评审环节。",
    "not_a_candidate": "该申报不在可推荐的范围内。",
    "not_a_colleague": "只能交由持有您全部相同角色的本单位同事代办。",
    "not_a_working_day": "公示应在工作日结束（双休日、节假日除外，调休上班日算工作日），请改为其后的第一个工作日。",
    "not_an_authority": "只有主管部门可以发起申报。",
    "not_cultivated": "该单位不在库中，或已出库。",
    "not_enough_candidates": "可抽取的专家不够，请减少人数或补充专家库。",
    "not_in_notice": "该单位已不在公示名单中。",
    "not_permitted": "您没有办理本案的权限。",
    "not_recognised": "该申报尚未认定，不能登记称号。",
    "not_the_issuer": "这个政策版本的申报由发文单位组织，本单位不能发起或发布。",
    "not_your_stage": "当前环节不由您办理。",
    "nothing_chosen": "请先勾选要办理的申报。",
    "nothing_to_assign": "本环节的申报都已分配，没有需要分配的。",
    "nothing_to_send": "本轮没有可以上报的推荐。",
    "notice_empty": "请至少选择一个单位列入公示。",
    "notice_missing": "还没有列入公示。",
    "notice_over": "公示已经结束。",
    "notice_running": "公示期未满。",
    "notice_text_missing": "通知还没有正文，请先在“编辑通知”里写明，再发布。",
    "number_missing": "请填写编号。",
    "number_taken": "这个编号已经用过，编号不能重复。",
    "objection_open": "还有异议没有处理完毕。",
    "opinion_unknown": "意见应为“无意见”“有意见建议”或“不同意”。",
    "package_beyond_jurisdiction": "上报包中有不在报送单位辖区内的申报单位，全部未接收，请报送单位核对。",
    "package_broken": "文件不是完整可信的上报包：内容被改动，或签名的公钥未被信任。请向报送单位核对公钥并重新获取。",
    "package_loaded": "这个上报包已经接收过。",
    "package_of_another_round": "这个上报包属于另一轮（版本或年度不同）。",
    "participants_missing": "请填写参加核查的人员。",
    "photo_type": "照片应为 JPG 或 PNG。",
    "position_impossible": "定位坐标不对。",
    "quota_below_use": "名额不能少于已经推荐的数量。",
    "quota_not_whole": "名额应为不小于 0 的整数。",
    "quota_used_up": "名额已经用完。",
    "removal_without_cause": "异议不成立的，不能据此移出名单。",
    "report_final": "评价报告已经提交，不能再改。",
    "report_incomplete": "评价报告还没有写完，请补齐。",
    "report_missing": "第三方评价报告还没有提交。",
    "report_says_otherwise": "这个意见与已提交的评价报告结论不一致。",
    "reported_too_late": "上报截止日已过，不能再推荐；确有正当理由的，请向组织单位申请，登记“逾期接收”（单位填本局）后再办理。",
    "round_closed": "本轮已经结束。",
    "round_not_open": "本轮尚未发布通知，不能报送。",
    "scan_missing": "代为登记部门意见的，请附上盖章扫描件。",
    "score_missing": "还有评分项没有打分，全部打分后才能提交。",
    "score_wrong": "得分应为 0 到该项满分之间的数，最多两位小数。",
    "second_turn_there": "已经发起过第二轮评分。",
    "seed_changed": "种子与公布的承诺值不符，请原样填写承诺时的种子。",
    "sheet_final": "评分已经提交，不能再改。",
    "sheet_first": "请先提交自己的评分，再参加讨论。",
    "sheets_missing": "还有专家没有提交评分，请等其提交，或改派给其他专家。",
    "sheets_too_few": "评审本件的专家少于规定人数，请在“专家评审”中补派专家（不够的先补充抽取），待其提交评分后再办理。",
    "site_check_missing": "还没有现场核查记录。",
    "spot_result_unknown": "抽查结果应为“属实”“有瑕疵”或“弄虚作假”。",
    "stage_moved_on": "案件已经进入其他环节，请刷新后查看。",
    "stale": "在您办理期间已有人处理了本案，请刷新后重新办理。",
    "subject_kind_differs": "单位类型与政策版本的对象（企业或园区）不符。",
    "successor_missing": "请填写承继单位，且不能是原持有人。",
    "term_running": "部门答复期限未到，期满后才能登记为未答复。",
    "tie_there": "这项关系已经登记。",
    "tie_unknown": "请选择关系。",
    "tier_same": "已在这一梯度。",
    "too_few_experts": "抽中的专家少于每件所需人数，请补充抽取。",
    "too_few_without_conflict": "回避以后，下列申报的专家不够，请补充抽取。",
    "too_late": "报送截止时间已过；确有正当理由的，请向组织单位申请逾期接收。",
    "too_many_chosen": "一次办理的太多，请分批办理。",
    "too_many_files": "附件太多。",
    "too_many_photos": "一次核查的照片太多，请分次提交。",
    "uscc_wrong": "统一社会信用代码不对，请核对。",
    "user_unknown": "该账号不能作为专家。",
    "withdrawal_closed": "本案的结果已经公布，不能再撤回；有异议的，请与组织单位联系。",
    "withdrawn_below": "本案由下一级推荐而来，不能在这里单独撤回；请在原申报轮次撤回，这里随之撤回。",
    "words_missing": "请填写意见或理由。",
    "words_too_short": "移出公示名单的理由太短，请写明查实了什么、依据哪一条，至少 10 个字。",
    "words_too_long": "文字太长。",
    "year_absurd": "年度不对。",
    "year_not_loaded": "该年度的节假日安排尚未导入，无法计算期限，请系统管理员导入后再报。",
}

DUTY_WORDS = {
    Duty.SUBMIT: "已办理申报",
    Duty.RECOMMEND: "已办理审核、推荐",
    Duty.SCORE: "已参加评分",
    Duty.APPROVE: "已办理认定",
}

# Why an expert is kept from a case or left out of a draw.
CONFLICTS_OF_INTEREST = {
    "ACTED": "曾报送、审核或推荐该案例",
    "ADVISER": "曾为申报单位提供咨询或评价",
    "AGENCY": "是为申报单位作第三方评价的机构的人员",
    "DECLARED": "本人申请回避",
    "EMPLOYER": "与申报单位有劳动关系",
    "FORMER_EMPLOYER": "所在单位与申报单位有更名、合并或分立关系",
    "GROUP": "与申报单位同属一个集团",
    "KIN": "近亲属在申报单位任职",
    "OWN_EMPLOYER": "本人所在单位申报",
    "drawn_already": "本环节已经抽中",
}


def conflict_words(reason: str) -> str:
    """Return why an expert is left out."""
    return CONFLICTS_OF_INTEREST.get(reason, reason)


# What is wrong with a package, by the code of who looked into it.
PACKAGE_FAULTS = {
    "content_differs": "内容与校验值不符",
    "content_malformed": "内容与清单不符",
    "key_not_trusted": "签名的公钥未被信任",
    "key_of_another_authority": "公钥属于另一单位",
    "manifest_malformed": "清单缺少内容，或写得不对",
    "not_a_package": "不是上报包",
    "nothing_in_it": "没有一件申报",
    "sender_not_an_authority": "报送单位不是主管部门",
    "signature_malformed": "签名格式不对",
    "signature_wrong": "签名与内容不符",
    "too_large": "文件太大",
}
_WORDS_BY_CODE: Mapping[str, Mapping[str, str]] = {
    "acted_before": {duty.value: words for duty, words in DUTY_WORDS.items()},
    "batch_action_unknown": {action.value: words for action, words in telling.ACTION_WORDS.items()},
    "conflict_of_interest": CONFLICTS_OF_INTEREST,
    "package_broken": PACKAGE_FAULTS,
}
# What these concern may be named as the code names it – a stage, a quota – which says nothing to who reads.
_NAMED = frozenset(
    {"no_expert_stage", "not_your_stage", "quota_not_whole", "quota_used_up", "stage_moved_on"}
)
_NAME = re.compile(r"[a-z]+([_-][a-z0-9]+)*")


def _detail_words(refused: ReviewRefused) -> str:
    """Return what a refusal concerns in words; "" where it is known by a name or number of the code's own."""
    if words := _WORDS_BY_CODE.get(refused.code):
        return words.get(refused.detail, "" if refused.code == "package_broken" else refused.detail)
    is_version = refused.code == "stale"
    return (
        "" if is_version or (refused.code in _NAMED and _NAME.fullmatch(refused.detail)) else refused.detail
    )


def words_of(refused: ReviewRefused) -> str:
    """Return what the person reads; a code without words would be a fault of ours, and shows itself."""
    said = WORDS[refused.code]
    detail = _detail_words(refused)
    return f"{said.rstrip('。')}（{detail}）。" if detail else said
