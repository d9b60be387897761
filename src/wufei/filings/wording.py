"""What does a person read when a filing is refused? One sentence for each code."""

from collections.abc import Mapping

from wufei.filings.refusals import Code, FilingRefused

REFUSAL_TEXT: Mapping[Code, str] = {
    Code.YEAR_OUT_OF_RANGE: "年份不对；管理计划只为今年或明年编制，公开只为已有的年度。",
    Code.DRAFT_STANDS: "这一年已经有一份草稿；请接着改那一份。",
    Code.DRAFT_MISSING: "这一年没有草稿；请先编制。",
    Code.STALE_EDIT: "读取之后已被他人修改；请重新读取，核对后再保存。",
    Code.CONTENT_UNTIDY: "内容的格式不对；请改正后重试。",
    Code.FAULTS_LEFT: "还有没有改正的错误，不能备案；请按列出的逐条改正。",
    Code.NOTHING_CHANGED: "与上一版相同，没有需要变更的内容。",
    Code.REASON_MISSING: "变更须写明原因；请填写后重试。",
    Code.REASON_NOT_STORABLE: "原因应在 200 字以内，不含换行等不能保存的字符；请改写。",
    Code.NOT_OVER_YET: "这一年还没有结束，不能公开；请在年度结束之后办理。",
}


def words(refused: FilingRefused) -> str:
    """Return the sentence for what was refused, with what it is about where that is known."""
    return REFUSAL_TEXT[refused.code] + (f"（{refused.detail}）" if refused.detail else "")
