"""What do people read when something of a case is refused? One sentence for each code, with what to do."""

from collections.abc import Mapping

REFUSALS: Mapping[str, str] = {
    # of evidence
    "file_empty": "文件是空的（0 字节）；请重新选择文件。",
    "file_too_large": "文件超过 20 MB；请压缩图片或拆成几个文件后再上传。",
    "case_too_large": "本案例的证明材料合计超过 200 MB；请先移除不需要的材料。",
    "type_not_allowed": "只接受 pdf、docx、xlsx、jpg、png 文件；请另存为其中一种后再上传。",
    "content_does_not_fit_name": "文件内容与扩展名不符；请用原来的软件打开并另存为正确的格式。",
    "damaged": "文件不完整或已损坏；请重新导出或重新扫描后再上传。",
    "encrypted": "文件设有密码；请取消密码后再上传。",
    "active_content": "文件含有宏、脚本或内嵌程序；请另存为不含宏的文件，或打印为 PDF 后再上传。",
    "archive_unsafe": "文件内部结构异常（内容过多、压缩比过高或路径不安全）；请用 Office 或 WPS 另存后再上传。",
    "image_too_large": "图片尺寸过大（超过 1 亿像素）；请缩小后再上传。",
    "trailing_content": "文件末尾附有其他内容；请重新导出后再上传。",
    "name_missing": "文件没有名称；请改名后再上传。",
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
