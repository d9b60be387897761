"""What the official papers say, gathered from what is stored."""

from collections.abc import Iterable
from decimal import Decimal

from django.db.models import Max

from wufei.cases.case_file import SummaryRow
from wufei.cases.filling import province_name
from wufei.catalogue.divisions import path_names
from wufei.catalogue.industries import industry
from wufei.catalogue.working_days import nth_working_day
from wufei.policies import queries as policy_queries
from wufei.policies.edition import Edition, Stage, SubjectKind
from wufei.registry.models import Organisation, OrganisationKind
from wufei.registry.queries import levels_of
from wufei.reviews import documents, stages, telling
from wufei.reviews.documents import Listed, Norm
from wufei.reviews.models import (
    Act,
    Application,
    Assignment,
    Consultation,
    Discussion,
    PublicNotice,
    Round,
    ScoreSheet,
    Title,
)
from wufei.reviews.official_paper import day_words
from wufei.reviews.queries.experts import draws_of, expert_stage, scoring_of
from wufei.reviews.queries.packages import sent_upward
from wufei.reviews.queries.ranking import ranking
from wufei.reviews.queries.rounds import reporting_days
from wufei.reviews.queries.rounds_recommending import recommendation_list, recommending_stage
from wufei.reviews.refusals import ReviewRefused
from wufei.reviews.stages import Action
from wufei.reviews.wording import conflict_words
from wufei.terms.day import local_day

_METHODS = {"none": "得分取各专家总分的平均数。", "z_score": "得分按专家标准化（z 分数）后取平均数。"}
_SAID = (Action.AGREE, Action.DISAGREE, Action.SETTLE_FOR, Action.SETTLE_AGAINST, Action.RETURN)


def _norm(edition: Edition) -> Norm:
    return Norm(number=edition.norm.number, title=edition.norm.title)


def _place(code: str) -> str:
    try:
        return "".join(path_names(code)) or code
    except (KeyError, ValueError):
        return code


def _plain(number: Decimal | None) -> str:
    return "" if number is None else f"{number.quantize(Decimal('0.01')):f}"


def call(*, round_: Round) -> documents.Call:
    """Return the call of the round."""
    edition = policy_queries.edition(round_.edition)
    files = round_.documents.filter(is_public=True).order_by("pk").values_list("file_name", flat=True)
    stems = [name.rsplit(".", 1)[0] for name in files]
    return documents.Call(
        title=round_.title, issuer=round_.authority.name, addressees=documents.paragraphs(round_.addressees),
        text=round_.notice_text, norm=_norm(edition), deadline=round_.submission_deadline,
        reports=tuple((day.label, day.on) for day in reporting_days(round_=round_)),
        quotas=tuple(quota.says for quota in edition.quotas),
        attachments=(*(form.label for form in edition.forms), *stems),
        published_on=local_day(round_.published_at) if round_.published_at else None,
    )  # fmt: skip


def notice(*, notice: PublicNotice) -> documents.Notice:
    """Return a public notice as it was published, and what has come since: extensions, removals."""
    rows = list(notice.items.select_related("application").order_by("position"))
    extended = [
        f"{day_words(local_day(row.at))}延长公示期至{day_words(row.ends_on)}：{row.reason}"
        for row in notice.extensions.order_by("pk")
    ]
    removed = [
        f"{day_words(local_day(row.removed_at))}移出第{n}号{row.name_shown}：{row.removed_reason}"
        for n, row in enumerate(rows, start=1)
        if row.removed_at
    ]
    first_end = nth_working_day(notice.begins_on, notice.working_days) if extended else notice.ends_on
    return documents.Notice(
        title=notice.title, issuer=notice.round.authority.name, text=notice.text, contact=notice.contact,
        begins_on=notice.begins_on, ends_on=first_end, working_days=notice.working_days,
        rows=tuple(
            Listed(position=n, name=row.name_shown, place=_place(row.application.district_code))
            for n, row in enumerate(rows, start=1)
        ),
        since=(*extended, *removed),
    )  # fmt: skip


def opinions(*, application: Application) -> documents.Opinions:
    """Return what departments said of the application: those that act at its stages, then those consulted."""
    edition = policy_queries.edition(application.round.edition)
    return documents.Opinions(
        round_title=application.round.title, code=application.code, organisation=application.organisation.name,
        uscc=application.organisation.uscc, norm=_norm(edition),
        rows=(*_of_acts(application, edition), *_of_consulted(application)),
    )  # fmt: skip


def _of_acts(application: Application, edition: Edition) -> Iterable[documents.OpinionLine]:
    """The last word of each role at each stage of review: an earlier one was taken back by it."""
    kinds = {stage.id: stage for stage in edition.stages if stage.kind in stages.VOTED}
    last: dict[tuple[str, str], Act] = {}
    acts = application.acts.filter(action__in=_SAID, stage__in=kinds).select_related("acted_for")
    for act in acts.order_by("seq"):
        last[act.stage, act.role] = act
    for act in last.values():
        yield documents.OpinionLine(
            department=f"{act.acted_for.name}（{kinds[act.stage].label}）",
            opinion=telling.ACTION_WORDS[Action(act.action)], words=act.words, on=local_day(act.at),
        )  # fmt: skip


def _of_consulted(application: Application) -> Iterable[documents.OpinionLine]:
    for row in application.consultations.select_related("authority").order_by("pk"):
        name = row.authority.name if row.authority else row.department
        if row.opinion:
            opinion = str(Consultation.Opinion(row.opinion).label)
        else:
            opinion = "逾期未答复" if row.closed_unanswered_at else "尚未答复"
        on = local_day(row.answered_at) if row.answered_at else None
        yield documents.OpinionLine(department=name, opinion=opinion, words=row.words, on=on)


def score_paper(*, assignment: Assignment) -> documents.ScorePaper:
    """
    Return an expert's sheet; it knows the case by its code and the expert by its number.

    :raises ReviewRefused: `edition_has_no_scoring`, `sheets_missing` where it was not submitted
    """
    round_ = assignment.application.round
    scoring = scoring_of(edition=policy_queries.edition(round_.edition))
    sheet = ScoreSheet.objects.filter(assignment=assignment, submitted_at__isnull=False).first()
    if sheet is None:
        raise ReviewRefused("sheets_missing")
    lines = tuple(
        documents.ScoreLine(
            label=item.label, says=item.says, most=f"{item.max:f}", given=str(sheet.scores.get(item.id, "")),
            comment=str(sheet.comments.get(item.id, "")),
        )
        for item in scoring.rubric
    )  # fmt: skip
    return documents.ScorePaper(
        round_title=round_.title, code=assignment.application.code, expert=assignment.expert.number,
        turn=assignment.turn, lines=lines, full_marks=f"{scoring.full_marks:f}", total=_plain(sheet.total),
        words=sheet.words, submitted_on=local_day(sheet.submitted_at) if sheet.submitted_at else None,
    )  # fmt: skip


def minutes(*, round_: Round, stage: str = "") -> documents.Minutes:
    """
    Return what is held of the experts' meeting.

    :raises ReviewRefused: `no_expert_stage`, `edition_has_no_scoring`
    """
    edition = policy_queries.edition(round_.edition)
    at, scoring = expert_stage(edition=edition, stage=stage), scoring_of(edition=edition)
    found = ranking(round_=round_, stage=at.id)
    assigned = Assignment.objects.filter(application__round=round_, stage=at.id)
    live = assigned.filter(withdrawn_at=None).order_by("expert__number")
    gone = assigned.exclude(withdrawn_at=None).order_by("expert__number", "pk")
    said = Discussion.objects.filter(application__round=round_, stage=at.id).order_by(
        "application__code", "pk"
    )
    return documents.Minutes(
        round_title=round_.title, issuer=round_.authority.name, stage=at.label, norm=_norm(edition),
        experts=tuple(live.values_list("expert__number", flat=True).distinct()),
        draws=tuple(
            documents.DrawPart(
                number=d.number, commitment=d.commitment, seed=d.seed, drawn=tuple(d.drawn),
                committed_on=local_day(d.committed_at),
                excluded=tuple(
                    (each["number"], conflict_words(each["reason"]))
                    for each in d.excluded
                    if each["reason"] != "drawn_already"  # no conflict: it takes part already
                ),
            )
            for d in draws_of(round_=round_, stage=at.id).order_by("pk")
        ),
        recused=tuple(dict.fromkeys(gone.values_list("expert__number", "withdrawn_reason"))),
        sheets=sum(len(row.score.sheets) for row in found.rows), method=_METHODS[scoring.normalisation],
        ranking=tuple(
            documents.RankLine(
                rank=row.rank, code=row.code, organisation=row.organisation, raw=_plain(row.raw),
                normalised=_plain(row.normalised), decided_by="；".join(row.decided_by),
            )
            for row in found.rows
        ),
        remarks=tuple(
            documents.SaidLine(code=code, speaker=speaker, words=words)
            for code, speaker, words in said.values_list("application__code", "speaker", "words")
        ),
        unscored=found.unscored,
    )  # fmt: skip


def recommendation(*, round_: Round, authority: Organisation) -> documents.Recommendation:
    """
    Return the letter of an authority that recommends.

    :raises ReviewRefused: `not_your_stage` where it recommends nothing, `nothing_to_send` where nothing yet
    """
    edition = policy_queries.edition(round_.edition)
    stage = recommending_stage(edition=edition, authority=authority)
    if stage is None:
        raise ReviewRefused("not_your_stage")
    found = recommendation_list(round_=round_, authority=authority)
    rows = [row.application for row in found.rows if row.has_passed]
    if not rows:
        raise ReviewRefused("nothing_to_send")
    return documents.Recommendation(
        round_title=round_.title, issuers=_signing(stage, authority), addressee=_above(round_, edition, authority),
        norm=_norm(edition), stage=stage.label, quota=found.quota_says, rows=tuple(_lines(rows)),
    )  # fmt: skip


def _signing(stage: Stage, authority: Organisation) -> tuple[str, ...]:
    """Return who recommends: the authority, and with it those of its place that decide the stage together with it."""
    levels = levels_of(authority.division_code)
    branches = {role.split("_", 1)[1] for role in stages.deciders(stage) if role.split("_", 1)[0] in levels}
    beside = Organisation.objects.filter(
        kind=OrganisationKind.AUTHORITY,
        division_code=authority.division_code,
        branch__in=branches - {authority.branch},
    )
    return (authority.name, *beside.order_by("pk").values_list("name", flat=True))


def _above(round_: Round, edition: Edition, authority: Organisation) -> str:
    """Return to whom the letter goes: who runs the round, or the issuer of the edition above it."""
    if authority.pk != round_.authority_id:
        return round_.authority.name
    above = policy_queries.known_editions().get(edition.extends or "")
    return (above or edition).norm.issuer


def _lines(rows: Iterable[Application]) -> Iterable[Listed]:
    for position, row in enumerate(rows, start=1):
        yield Listed(
            position=position, name=row.organisation.name, place=_place(row.district_code),
            uscc=row.organisation.uscc,
        )  # fmt: skip


def _listed(round_: Round, edition: Edition) -> list[Application]:
    rows = list(sent_upward(round_=round_, edition=edition))
    if not rows:
        raise ReviewRefused("nothing_to_send")
    return rows


def title_list(*, round_: Round) -> documents.TitleList:
    """
    Return what the round recommends upward, or what it recognised where nobody is above.

    :raises ReviewRefused: `nothing_to_send` where there is nothing yet
    """
    edition = policy_queries.edition(round_.edition)
    rows = _listed(round_, edition)
    is_above = any(stage.kind == "above" for stage in edition.stages)
    given = edition.title_given.name if edition.title_given else edition.title
    numbers = {} if is_above else _numbers(rows)
    heading = f"{round_.year}年度{given}{'推荐名单' if is_above else '名单'}"
    lines = tuple(_numbered(_lines(rows), rows, numbers))
    return documents.TitleList(title=heading, issuer=round_.authority.name, rows=lines)


def _numbers(rows: Iterable[Application]) -> dict[int, tuple[str, str]]:
    found = Title.objects.filter(application__in=[row.pk for row in rows])
    return {
        key: (number, name)
        for key, number, name in found.values_list("application_id", "number", "name_given")
    }


def _numbered(
    lines: Iterable[Listed], rows: Iterable[Application], numbers: dict[int, tuple[str, str]]
) -> Iterable[Listed]:
    """Give each line its title's number, and the name under which the title was given."""
    for line, row in zip(lines, rows, strict=True):
        number, name = numbers.get(row.pk, ("", line.name))
        yield Listed(
            position=line.position, name=name, place=line.place, uscc=line.uscc, number=number
        )  # fmt: skip


def decision(*, round_: Round) -> documents.Decision:
    """
    Return the decision of a round that gives titles itself.

    :raises ReviewRefused: `edition_gives_no_title` where others decide, `nothing_to_send` where nobody is recognised
    """
    edition = policy_queries.edition(round_.edition)
    if edition.title_given is None or any(stage.kind == "above" for stage in edition.stages):
        raise ReviewRefused("edition_gives_no_title")
    rows = _listed(round_, edition)
    notices = PublicNotice.objects.filter(
        round=round_, items__application__in=[r.pk for r in rows], items__removed_at=None
    )
    of_titles = Title.objects.filter(application__round=round_)
    latest = of_titles.aggregate(on=Max("granted_on"))["on"]
    papers = set(of_titles.exclude(document="").values_list("document", flat=True))
    last = Act.objects.filter(application__round=round_, action=Action.RECOGNISE).aggregate(at=Max("at"))[
        "at"
    ]
    assert last is not None or not rows, "who is recognised was so by an act"
    return documents.Decision(
        round_title=round_.title, issuer=round_.authority.name,
        addressees=documents.paragraphs(round_.addressees), norm=_norm(edition),
        title_name=edition.title_given.name, year=round_.year, document=papers.pop() if len(papers) == 1 else "",
        notices=tuple(notices.order_by("begins_on").values_list("begins_on", "ends_on").distinct()),
        decided_on=latest or local_day(last), rows=tuple(_numbered(_lines(rows), rows, _numbers(rows))),
    )  # fmt: skip


def summary_rows(*, round_: Round) -> list[SummaryRow]:
    """
    Return the rows of 附件3: what the list names, with what was handed in of each.

    :raises ReviewRefused: `nothing_to_send`
    """
    edition = policy_queries.edition(round_.edition)
    word = "园区" if edition.subject_kind is SubjectKind.PARK else "企业"
    return [_summary(row, word) for row in _listed(round_, edition)]


def _summary(row: Application, word: str) -> SummaryRow:
    said, holder = row.submission.content.get("texts") or {}, row.organisation
    of = industry(holder.industry_code[:3]) if holder.industry_code else None

    def text(name: str, otherwise: str = "") -> str:
        return " ".join(str(said.get(name) or otherwise).split())

    return SummaryRow(
        province=province_name(holder.division_code), subject_kind=word, organisation=holder.name,
        title=text("title"), industry=text("leading_industry", f"{of.code} {of.name}" if of else ""),
        brief_description=text("brief_description"), contact=text("contact", holder.contact),
        phone=text("phone", holder.phone),
    )  # fmt: skip
