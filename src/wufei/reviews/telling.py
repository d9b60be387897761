"""What is a person told of an act, a deadline, a hand-over? Pure: the words of messages and e-mails."""

from dataclasses import dataclass
from datetime import date

from wufei.reviews.stages import Action, Outcome


@dataclass(frozen=True, slots=True)
class Telling:
    """A message as it is read."""

    subject: str
    text: str
    link: str


OUTCOME_WORDS: dict[Outcome, str] = {
    Outcome.RECOGNISED: "已认定",
    Outcome.REFUSED: "不予认定",
    Outcome.REJECTED: "不予推荐",
    Outcome.NOT_SELECTED: "未入围",
    Outcome.REMOVED: "公示后移出",
    Outcome.WITHDRAWN: "已撤回",
}
ACTION_WORDS: dict[Action, str] = {
    Action.SUBMIT: "报送",
    Action.WITHDRAW: "撤回",
    Action.RETURN: "退回补正",
    Action.AGREE: "同意",
    Action.DISAGREE: "不同意",
    Action.SETTLE_FOR: "协调后同意",
    Action.SETTLE_AGAINST: "协调后不同意",
    Action.CONCLUDE: "本环节办结",
    Action.PUBLISH: "列入公示",
    Action.CONFIRM: "公示无异议",
    Action.REMOVE: "移出公示名单",
    Action.RECOGNISE: "认定",
    Action.REFUSE: "不予认定",
    Action.RELEASE: "告知申报单位",
    Action.PASS_ON: "转由承继单位",
}
_LEVELS = {"DISTRICT": "区县", "CITY": "市", "PROVINCE": "省", "MINISTRY": "国家"}
_BRANCHES = {
    "INDUSTRY": "经信部门", "ENVIRONMENT": "生态环境部门", "DEVELOPMENT": "发展改革部门", "EMERGENCY": "应急管理部门",
    "MARKET": "市场监管部门", "TAX": "税务部门",
}  # fmt: skip
_OTHER_ROLES = {
    "APPLICANT": "申报单位",
    "EXPERT": "评审专家",
    "AGENCY": "第三方机构",
    "CONSULTED_DEPARTMENTS": "被征求意见的部门",
}


def role_words(role: str) -> str:
    """
    Return what a role is called.

    >>> role_words("DISTRICT_INDUSTRY"), role_words("APPLICANT")
    ('区县经信部门', '申报单位')
    """
    if role in _OTHER_ROLES:
        return _OTHER_ROLES[role]
    level, _, branch = role.partition("_")
    return f"{_LEVELS[level]}{_BRANCHES[branch]}"


def application_link(code: str) -> str:
    """Return where an application is read."""
    return f"/reviews/applications/{code}/"


def of_return(*, code: str, round_title: str, by_whom: str, words: str, comments: int) -> Telling:
    more = f"，另有 {comments} 处逐项意见" if comments else ""
    text = f"{by_whom}将贵单位在“{round_title}”的申报（{code}）退回补正{more}：\n{words}\n\n请改好后重新报送；补正期间不计入办理期限。"
    return Telling(f"申报被退回补正：{round_title}", text, application_link(code))


def of_outcome(*, code: str, round_title: str, outcome: Outcome, words: str) -> Telling:
    said = f"\n{words}" if words else ""
    text = f"贵单位在“{round_title}”的申报（{code}）：{OUTCOME_WORDS[outcome]}。{said}"
    return Telling(f"申报结果：{OUTCOME_WORDS[outcome]}", text, application_link(code))


def of_release(*, code: str, round_title: str) -> Telling:
    text = f"贵单位在“{round_title}”的申报（{code}）有了新的进展，请查看。"
    return Telling(f"申报进展：{round_title}", text, application_link(code))


def of_contest(*, code: str, name: str, stage: str) -> Telling:
    text = f"{name}的申报（{code}）在“{stage}”环节，联合审核的部门意见不一致，请协调并作出决定。"
    return Telling(f"意见不一致，待协调：{name}", text, application_link(code))


def of_due(*, code: str, name: str, stage: str, due_on: date, is_over: bool) -> Telling:
    state = "已超过办理期限" if is_over else "即将到期"
    text = f"{name}的申报（{code}）在“{stage}”环节{state}：{due_on.isoformat()}。"
    return Telling(f"{state}：{name}（{stage}）", text, application_link(code))


def of_consultation_due(*, department: str, name: str, due_on: date, is_over: bool) -> Telling:
    state = "已超过答复期限" if is_over else "即将到期"
    text = f"就{name}的申报征求{department}意见，{state}：{due_on.isoformat()}。逾期未复的，登记为未复，不视为同意。"
    return Telling(f"征求意见{state}：{name}", text, "/reviews/tasks/")


def of_scoring_due(*, code: str, due_on: date, is_over: bool) -> Telling:
    state = "已超过期限" if is_over else "即将到期"
    text = f"分配给您评分的申报 {code} {state}：{due_on.isoformat()}。"
    return Telling(f"评分{state}：{code}", text, "/reviews/tasks/")


def of_deadline(*, round_title: str, deadline: date) -> Telling:
    text = f"“{round_title}”将于 {deadline.isoformat()} 截止报送，贵单位的申报案例还没有报送。"
    return Telling(f"报送即将截止：{round_title}", text, "/reviews/mine/")


def of_delegation(*, principal: str, from_day: date, to_day: date) -> Telling:
    text = f"{principal}把 {from_day.isoformat()} 至 {to_day.isoformat()} 的待办交由您代办；您的办理会同时记下两人的姓名。"
    return Telling(f"代办：{principal}", text, "/reviews/tasks/")


def of_agency_assigned(*, report: int, name: str, round_title: str) -> Telling:
    text = f"{name}在“{round_title}”的申报委托贵机构作第三方现场评价，请到现场评价后填写并提交评价报告。与其有利害关系的，请说明原因并退回委托。"
    return Telling(f"第三方评价委托：{name}", text, f"/reviews/agency-reports/{report}/")


def of_agency_withdrawn(*, code: str, agency: str, reason: str) -> Telling:
    text = f"{agency}对贵单位申报（{code}）的第三方评价委托已解除：{reason}。请另行委托。"
    return Telling(f"第三方评价委托已解除：{agency}", text, f"{application_link(code)}agency/")


def of_agency_excluded(*, authority: str, cause: str, on: date) -> Telling:
    text = f"自 {on.isoformat()} 起，{authority}取消贵机构在其辖区内的评价资格。事由：{cause}。未提交的评价委托已解除。"
    return Telling(f"评价资格被取消：{authority}", text, "/reviews/agency-reports/")
