"""What do people read when something of a case is refused? One sentence for each code, with what to do."""

from collections.abc import Mapping

from wufei.paper.attachments import REFUSAL_TEXT

REFUSALS: Mapping[str, str] = {
    # of evidence
    **REFUSAL_TEXT,
    "case_too_large": "本案例的证明材料合计超过 200 MB；请先移除不需要的材料。",
    "evidence_removed": "该材料已被移除。",
    # of drafts
    "stale_edit": "这份草稿已被他人或另一窗口修改；请刷新后再保存，您的文字仍在输入框中。",
    "field_unknown": "没有这一栏。",
    "text_too_long": "文字过长（超过 20 万字符），不能保存。",
    "number_not_whole": "应填整数，如 35。",
    "date_impossible": "日期不对，应如 2026-03-20。",
    # of producing
    "ledger_changing": "台账正在记账，未能取得一致的数据；请稍后再生成一次。",
    # of opening
    "edition_unknown": "没有这个政策版本；用 wufei editions 查看有哪些。",
    "edition_has_no_case_file": "该政策版本不要求申报书。",
    "subject_kind_differs": "单位类型与政策版本不符。",
    "year_absurd": "年度不对，应如 2025。",
}


def shortcoming(*, code: str, label: str, detail: str = "") -> str:
    """
    Return what a person reads of what a draft still lacks.

    >>> shortcoming(code="section_empty", label="创新点")
    '“创新点”还没有写。'
    """
    said = {
        "section_empty": "“{label}”还没有写。",
        "over_limit": "“{label}”超过字数限制（{detail}）；请删减。",
        "not_marked_ready": "还没有标为“{label}”；请先在“检查与下载”页核对并标记。",
    }
    return said[code].format(label=label, detail=detail)


def sentence(code: str) -> str:
    """Return what a person reads for the code."""
    return REFUSALS[code]
