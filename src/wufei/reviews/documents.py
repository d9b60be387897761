"""
What do the official papers of a round say?

Pure: facts in, .docx out. Each paper is a draft in official layout that is numbered, signed and sealed by hand;
what is not known is left open, never made up. Experts stand in them by number.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from wufei.reviews.official_paper import Paper, day_words

EMPTY = "—"


@dataclass(frozen=True, slots=True, kw_only=True)
class Norm:
    """What a paper goes by."""

    number: str
    title: str

    @property
    def words(self) -> str:
        return f"《{self.title}》（{self.number}）"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A line of a list."""

    position: int
    name: str
    place: str
    uscc: str = ""
    number: str = ""  # of the title, where it has one
    remark: str = ""


# ---- the call ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    title: str
    issuer: str
    addressees: tuple[str, ...]
    text: str
    norm: Norm
    deadline: date | None  # of those who apply
    quotas: tuple[str, ...]  # as the edition says them
    attachments: tuple[str, ...]
    published_on: date | None
    reports: tuple[tuple[str, date], ...] = ()  # who reports what they recommend to the issuer, by when


def call_notice(call: Call) -> bytes:
    """Return the call 申报通知."""
    title = call.title if call.title.endswith("通知") else f"关于开展{call.title}工作的通知"
    paper = Paper(title=title)
    paper.head(call.issuer)
    paper.title(title)
    paper.addressees(call.addressees)
    said = paragraphs(call.text)
    paper.paragraphs(said or (f"根据{call.norm.words}，现组织开展{call.title}工作，有关事项通知如下。",))
    paper.heading("报送要求")
    until = f"请申报单位于{day_words(call.deadline)}前报送。" if call.deadline else "报送截止日期另行通知。"
    until += "".join(f"{label}的截止日期为{day_words(on)}。" for label, on in call.reports)
    paper.paragraphs((until, *call.quotas))
    if call.attachments:
        paper.paragraphs(("附件：" + "；".join(f"{n}.{a}" for n, a in enumerate(call.attachments, 1)),))
    paper.signature((call.issuer,), call.published_on)
    return paper.bytes()


# ---- the public notice ------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    title: str
    issuer: str
    text: str
    contact: str
    begins_on: date
    ends_on: date
    working_days: int
    rows: tuple[Listed, ...]  # all that were shown, also who was removed since
    address: str = ""  # where objections are taken in
    since: tuple[str, ...] = ()  # what has come after: extensions, removals


def public_notice(notice: Notice) -> bytes:
    """Return the public notice 公示, with its list."""
    paper = Paper(title=notice.title)
    paper.title(notice.title, before=12)
    paper.paragraphs(paragraphs(notice.text))
    paper.paragraphs(
        (
            f"公示时间：{day_words(notice.begins_on)}至{day_words(notice.ends_on)}，共{notice.working_days}个工作日"
            "（自发布次日起算）。公示期内，任何单位或个人有异议的，请实名反映并提供依据。",
            f"联系方式：{notice.contact or EMPTY}",
        )
    )
    paper.paragraphs((f"附件：公示名单（{len(notice.rows)}家）",))
    paper.signature((notice.issuer,), notice.begins_on)
    paper.new_page()
    paper.title("公示名单")
    _list_table(paper, notice.rows)
    if notice.since:
        paper.heading("公示发布后的变动")
        paper.paragraphs(notice.since)
    return paper.bytes()


def _list_table(paper: Paper, rows: Sequence[Listed]) -> None:
    headings, widths, left = ["序号", "单位名称", "所在地"], [14, 84, 58], [1]
    cells = [[str(row.position), row.name, row.place] for row in rows]
    if any(row.number for row in rows):
        headings, widths = [*headings, "编号"], [14, 66, 42, 34]
        cells = [[*each, row.number or EMPTY] for each, row in zip(cells, rows, strict=True)]
    elif any(row.remark for row in rows):
        headings, widths = [*headings, "备注"], [14, 66, 42, 34]
        cells = [[*each, row.remark] for each, row in zip(cells, rows, strict=True)]
    paper.table(headings, cells, widths=widths, left=left)


# ---- opinions of departments ------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class OpinionLine:
    department: str
    opinion: str
    words: str
    on: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinions:
    round_title: str
    code: str
    organisation: str
    uscc: str
    norm: Norm
    rows: tuple[OpinionLine, ...]


def opinion_sheet(opinions: Opinions) -> bytes:
    """Return the sheet of the departments' opinions 部门意见表; no reply stands there as no reply."""
    paper = Paper(title="部门意见表")
    paper.title("部门意见表")
    paper.facts(
        (
            ("工作名称", opinions.round_title), ("申报编号", opinions.code), ("申报单位", opinions.organisation),
            ("统一社会信用代码", opinions.uscc), ("政策依据", opinions.norm.words),
        )
    )  # fmt: skip
    rows = [
        [row.department, row.opinion, row.words or EMPTY, day_words(row.on) if row.on else EMPTY]
        for row in opinions.rows
    ]
    paper.table(
        ("部门", "意见", "具体内容", "日期"), rows or [["", "", "", ""]], widths=(40, 24, 62, 30), left=(0, 2)
    )
    paper.paragraphs(("经办人（签字）：", "单位（盖章）："))
    return paper.bytes()


# ---- an expert's sheet ------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreLine:
    label: str
    says: str
    most: str
    given: str
    comment: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ScorePaper:
    """A sheet of scores as it may be seen by everybody in the review: numbers, no names."""

    round_title: str
    code: str
    expert: str  # number
    turn: int
    lines: tuple[ScoreLine, ...]
    full_marks: str
    total: str
    words: str
    submitted_on: date | None


def score_sheet(sheet: ScorePaper) -> bytes:
    """Return the expert's sheet 专家评分表."""
    paper = Paper(title="专家评分表")
    paper.title("专家评分表")
    turn = "首次评分" if sheet.turn == 1 else "讨论后复评"
    paper.facts(
        (("工作名称", sheet.round_title), ("申报编号", sheet.code), ("专家编号", f"{sheet.expert}（{turn}）"))
    )
    rows = [
        [line.label, line.says, line.most, line.given or EMPTY, line.comment or EMPTY] for line in sheet.lines
    ]
    rows.append(["合计", "", sheet.full_marks, sheet.total or EMPTY, ""])
    paper.table(
        ("评分项目", "评分要求", "满分", "得分", "评语"), rows, widths=(40, 36, 16, 18, 46), left=(0, 1, 4)
    )
    paper.facts((("总体评价", sheet.words or EMPTY),))
    paper.paragraphs((f"评分日期：{day_words(sheet.submitted_on)}", "专家（签字）："))
    return paper.bytes()


# ---- minutes ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawPart:
    number: int
    commitment: str
    seed: str  # "" while it is not published
    drawn: tuple[str, ...]
    committed_on: date
    excluded: tuple[tuple[str, str], ...] = ()  # number, why it was left out of the draw


@dataclass(frozen=True, slots=True, kw_only=True)
class RankLine:
    rank: int
    code: str
    organisation: str
    raw: str
    normalised: str
    decided_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SaidLine:
    code: str
    speaker: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Minutes:
    round_title: str
    issuer: str
    stage: str
    norm: Norm
    experts: tuple[str, ...]  # numbers
    draws: tuple[DrawPart, ...]
    recused: tuple[tuple[str, str], ...]  # number, reason
    sheets: int
    method: str
    ranking: tuple[RankLine, ...]
    remarks: tuple[SaidLine, ...]
    unscored: int


def meeting_minutes(minutes: Minutes) -> bytes:
    """Return the minutes of the experts' meeting 评审会议纪要: what the system holds of it."""
    paper = Paper(title="专家评审会议纪要")
    paper.title("专家评审会议纪要")
    paper.facts(
        (
            ("工作名称", minutes.round_title), ("组织单位", minutes.issuer), ("评审环节", minutes.stage),
            ("政策依据", minutes.norm.words), ("会议时间、地点", ""), ("主持人、记录人", ""),
            ("参加专家", f"{len(minutes.experts)}名：{'、'.join(minutes.experts) or EMPTY}"),
        )
    )  # fmt: skip
    paper.heading("一、专家抽取")
    paper.paragraphs(tuple(map(_draw_words, minutes.draws)) or ("没有抽取记录。",))
    paper.heading("二、回避和更换")
    left_out = [f"抽取时回避专家{n}：{why}。" for draw in minutes.draws for n, why in draw.excluded]
    replaced = [f"评审中更换专家{n}：{why}" for n, why in minutes.recused]
    paper.paragraphs((*dict.fromkeys(left_out), *replaced) or ("无。",))
    paper.heading("三、评分和排序")
    paper.paragraphs((_scored_words(minutes),))
    if minutes.ranking:
        paper.table(
            ("名次", "申报编号", "单位名称", "平均分", "标准化得分", "同分裁定"),
            [[str(r.rank), r.code, r.organisation, r.raw, r.normalised, r.decided_by or EMPTY] for r in minutes.ranking],
            widths=(12, 36, 44, 18, 22, 24), left=(2, 5),
        )  # fmt: skip
    paper.heading("四、讨论意见")
    paper.paragraphs(tuple(f"{r.code}，{r.speaker}：{r.words}" for r in minutes.remarks) or ("无。",))
    paper.paragraphs(("专家组组长（签字）：", "组织单位（盖章）："))
    return paper.bytes()


def _draw_words(draw: DrawPart) -> str:
    said = (
        f"{day_words(draw.committed_on)}公布种子承诺值（SHA-256）{draw.commitment}，拟抽取{draw.number}名。"
    )
    if not draw.seed:
        return said + "种子尚未公布。"
    return said + f"公布种子“{draw.seed}”，抽中{'、'.join(draw.drawn)}。任何人可据此重做。"


def _scored_words(minutes: Minutes) -> str:
    said = f"共评审{len(minutes.ranking)}件，收到评分表{minutes.sheets}份。{minutes.method}"
    return said + (f"尚有{minutes.unscored}件没有评分。" if minutes.unscored else "")


# ---- recommendation, list, decision -----------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommendation:
    round_title: str
    issuers: tuple[str, ...]  # who signs it: at a joint stage both departments
    addressee: str
    norm: Norm
    stage: str
    quota: str  # as the edition says it; "" where none is set
    rows: tuple[Listed, ...]


def recommendation_letter(letter: Recommendation) -> bytes:
    """Return the letter with which an authority recommends 推荐函."""
    title = f"关于报送{letter.round_title}推荐名单的函"
    paper = Paper(title=title)
    paper.head(letter.issuers[0], is_letter=True)
    paper.title(title)
    paper.addressees((letter.addressee,))
    quota = f"（{letter.quota.rstrip('。')}）" if letter.quota else ""
    paper.paragraphs(
        (
            f"根据{letter.norm.words}要求，申报材料已经审核并完成“{letter.stage}”环节，现推荐{len(letter.rows)}家"
            f"{quota}，按推荐顺序列于附件，请予审定。",
            f"附件：推荐名单（{len(letter.rows)}家）",
        )
    )
    paper.signature(letter.issuers, None)
    paper.new_page()
    paper.title("推荐名单")
    _list_table(paper, letter.rows)
    return paper.bytes()


@dataclass(frozen=True, slots=True, kw_only=True)
class TitleList:
    title: str
    issuer: str
    rows: tuple[Listed, ...]


def title_list(listed: TitleList) -> bytes:
    """Return the list 名单."""
    paper = Paper(title=listed.title)
    paper.title(listed.title)
    _list_table(paper, listed.rows)
    paper.signature((listed.issuer,), None)
    return paper.bytes()


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    round_title: str
    issuer: str
    addressees: tuple[str, ...]
    norm: Norm
    title_name: str  # what is given
    notices: tuple[tuple[date, date], ...]  # when it was shown to the public
    year: int
    document: str  # its number, where it has one
    decided_on: date | None
    rows: tuple[Listed, ...]


def decision_paper(decision: Decision) -> bytes:
    """Return the decision 认定文件, with its list."""
    title = f"关于公布{decision.year}年度{decision.title_name}名单的通知"
    paper = Paper(title=title)
    paper.head(decision.issuer, number=decision.document)
    paper.title(title)
    paper.addressees(decision.addressees)
    shown = "、".join(f"{day_words(begin)}至{day_words(end)}" for begin, end in decision.notices)
    through = f"经评审并于{shown}公示" if shown else "经评审"
    paper.paragraphs(
        (
            f"根据{decision.norm.words}，{through}，现认定{len(decision.rows)}家单位为{decision.title_name}，名单附后。",
            "请各有关单位加强指导服务，按规定开展年度自评价；名称变更、重组或终止的，按期报告。",
            f"附件：{decision.title_name}名单（{len(decision.rows)}家）",
        )
    )
    paper.signature((decision.issuer,), decision.decided_on)
    paper.new_page()
    paper.title(f"{decision.title_name}名单")
    _list_table(paper, decision.rows)
    return paper.bytes()


def paragraphs(text: str) -> tuple[str, ...]:
    """Return the paragraphs of what was typed."""
    return tuple(line.strip() for line in text.splitlines() if line.strip())
