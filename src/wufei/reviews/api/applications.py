"""Applications: handed in, listed, read in one's own words, acted on; departments asked and heard."""

from collections.abc import Mapping, Sequence
from datetime import date
from enum import StrEnum
from typing import Annotated, Any

from django.utils import timezone
from ninja import File, Form, Query, Router
from ninja.files import UploadedFile
from pydantic import Field

from wufei.cases.queries import NoCaseFile, visible_cases
from wufei.cases.refusals import sentence
from wufei.cases.services import LedgerChanging, NotReady
from wufei.paper.attachments import check_size
from wufei.registry.access import Permission
from wufei.registry.api.door import (
    ApiRequest,
    ErrorDetail,
    Refused,
    answers,
    malformed,
    not_permitted,
    organisation_of,
    scoped,
)
from wufei.registry.api.fields import Answered, Asked, Instant, Offset, PageLimit, SearchText, Uscc
from wufei.registry.api.idempotency import written_once
from wufei.reviews import claims, stages, telling
from wufei.reviews.api.desk import CodeInPath, KeyInPath, Words, application_of, in_words, round_of
from wufei.reviews.models import Act, Application, Consultation
from wufei.reviews.queries import applications as queries
from wufei.reviews.queries import consultations as consulted
from wufei.reviews.queries.applications import Audience, Entry, Wanted
from wufei.reviews.queries.applications_seen import held_roles
from wufei.reviews.services import consultations as consulting
from wufei.reviews.services import deciding
from wufei.reviews.services.applying import submit
from wufei.reviews.services.deciding import Said
from wufei.reviews.stages import Action, Outcome

router = Router(tags=["申报与评审"])

MOST_COMMENTS = 200
# What is done elsewhere: handing in by its own route, and what is done with a whole list at once.
BY_HAND = [
    action for action in Action
    if action not in (Action.SUBMIT, Action.PUBLISH, Action.CONFIRM, Action.REMOVE, Action.PASS_ON)
]  # fmt: skip
ActByHand = StrEnum("ActByHand", {action.name: action.value for action in BY_HAND})  # type: ignore[misc]


class Tick(StrEnum):
    YES = "YES"
    NO = "NO"
    DOUBT = "DOUBT"


class Only(StrEnum):
    OPEN = "open"
    CONTESTED = "contested"
    OVERDUE = "overdue"
    RETURNED = "returned"


class Sort(StrEnum):
    CODE = "code"
    DUE = "due"
    SINCE = "since"
    DISTRICT = "district"
    NAME = "name"


class ApplicationIn(Asked):
    round_id: Annotated[int, Field(strict=True, ge=1, le=2**63 - 1)]
    case_id: Annotated[int, Field(strict=True, ge=1, le=2**63 - 1)]


class ActIn(Asked):
    # From 0: what came in a package has no act of its own at first.
    version: Annotated[int, Field(strict=True, ge=0, le=2**31 - 1)] = Field(description="读取时的版本号")
    action: ActByHand = Field(description="须在 offers 之中；告知申报单位（RELEASE）由组织单位办理")
    role: Annotated[str, Field(pattern=r"^[A-Z_]{0,40}$", description="以哪个身份；只有一个身份时可不写")] = (
        ""
    )
    words: Words = ""
    comments: dict[str, Words] = Field(
        default={}, max_length=MOST_COMMENTS, description="案例的栏目或条款编号 → 意见"
    )
    checks: dict[str, Tick] = Field(
        default={},
        max_length=MOST_COMMENTS,
        description="条款编号 → 审查结论；首次审核同意和认定时逐条给出，或写意见",
    )


class ConsultationsIn(Asked):
    departments: Annotated[list[Words], Field(max_length=20)] | None = Field(
        default=None, description="不写：本环节的全部部门；已征求过的不再征求"
    )


class ApplicationLine(Answered):
    code: str
    round_id: int
    organisation: str
    organisation_name: str
    district_code: str
    stage: str
    stage_label: str
    outcome: Outcome | None
    outcome_label: str
    contested: bool
    stage_since: Instant
    due_on: date | None
    late_reason: str
    version: int = Field(description="办理时须带上")


class Applications(Answered):
    total: int
    applications: list[ApplicationLine]


class OwnLine(Answered):
    """An application in its applicant's words: what it was told of."""

    code: str
    round_id: int
    case_id: int | None
    organisation: str
    stage_label: str
    outcome: Outcome | None
    outcome_label: str
    is_returned: bool
    version: int


class OwnApplications(Answered):
    applications: list[OwnLine]


class OfferOut(Answered):
    role: str
    role_label: str
    actions: list[Action]


class DocumentOut(Answered):
    file_name: str
    size: int
    sha256: str


class EntryOut(Answered):
    seq: int
    stage: str
    action: Action
    action_label: str
    role: str
    role_label: str
    acted_for: str
    by: str | None = Field(description="对申报单位只写其本单位的人")
    on_behalf_of: str | None
    at: Instant
    words: str
    comments: dict[str, str]
    documents: list[DocumentOut]
    is_untold: bool = Field(description="尚未告知申报单位")


class ApplicationOut(Answered):
    code: str
    round_id: int
    organisation: str
    organisation_name: str
    audience: Audience = Field(description="以谁的口径：APPLICANT 只含已告知申报单位的内容")
    stage: str | None = Field(description="环节编号；对申报单位为 null")
    stage_label: str
    outcome: Outcome | None
    outcome_label: str
    contested: bool
    is_returned: bool
    due_on: date | None
    submission_number: int = Field(description="第几次报送")
    submission_sha256: str
    comments: dict[str, str] = Field(description="退回时对各栏目的意见")
    offers: list[OfferOut] = Field(description="您现在可以办理的")
    acts: list[EntryOut]
    version: int = Field(description="办理时须带上")


class ConsultationOut(Answered):
    id: int
    stage: str
    department: str
    authority: str | None
    asked_at: Instant
    due_on: date
    opinion: Consultation.Opinion | None
    opinion_label: str
    words: str
    answered_at: Instant | None
    closed_unanswered_at: Instant | None = Field(description="逾期未复登记时间；未复不视为同意")
    is_late: bool = Field(description="答复期限过后或环节办结后才答复；存档，不改变已办结的环节")
    file_name: str
    sha256: str


class Consultations(Answered):
    consultations: list[ConsultationOut]


def still_seen(request: ApiRequest, said: Mapping[str, Any]) -> None:
    """Let a kept answer be told only to who may still see the application."""
    application_of(request, said["code"])


def _outcome(outcome: str) -> tuple[Outcome | None, str]:
    known = Outcome(outcome) if outcome else None
    return known, telling.OUTCOME_WORDS[known] if known else ""


# --- lists -----------------------------------------------------------------------------


@router.get(
    "/rounds/{round_id}/applications", response=answers(Applications), summary="列出本轮申报",
    **scoped("reviews:read"),
)  # fmt: skip
def list_applications(
    request: ApiRequest,
    round_id: KeyInPath,
    stage: Annotated[str, Query(pattern=r"^[a-z0-9-]{0,80}$", description="环节编号")] = "",
    outcome: Outcome | None = None,
    district: Annotated[str, Query(pattern=r"^([0-9]{6})?$", description="区县代码")] = "",
    only: Only | None = None,
    q: Annotated[SearchText, Query("", description="单位名称、代码或申报编号")] = "",
    sort: Sort = Sort.CODE,
    limit: PageLimit = 50,
    offset: Offset = 0,
) -> Applications:
    """主管部门本辖区内、已到本级办理的申报；本单位的申报另见 organisations/{uscc}/applications。"""
    round_, today = round_of(request, round_id), timezone.localdate()
    edition_stages = queries.policy_queries.edition(round_.edition).stages
    wanted = Wanted(stage=stage, outcome=outcome or "", district=district, only=only or "", text=q)
    seen = queries.officers_list(user=request.auth, on=today).filter(round=round_)
    rows = queries.narrowed(among=seen, wanted=wanted, on=today, first_stages=[edition_stages[0].id])
    labels = {each.id: each.label for each in edition_stages}
    page = queries.ordered(rows, sort)[offset : offset + limit]
    return Applications(total=rows.count(), applications=[_line(row, labels[row.stage]) for row in page])


def _line(row: Application, label: str) -> ApplicationLine:
    outcome, outcome_label = _outcome(row.outcome)
    return ApplicationLine(
        code=row.code, round_id=row.round_id, organisation=row.organisation.uscc,
        organisation_name=row.organisation.name, district_code=row.district_code, stage=row.stage,
        stage_label=label, outcome=outcome, outcome_label=outcome_label, contested=row.contested,
        stage_since=row.stage_since, due_on=row.due_on, late_reason=row.late_reason, version=row.version,
    )  # fmt: skip


@router.get(
    "/organisations/{uscc}/applications", response=answers(OwnApplications), summary="列出本单位的申报",
    **scoped("reviews:read"),
)  # fmt: skip
def list_own_applications(request: ApiRequest, uscc: Uscc) -> OwnApplications:
    """以申报单位的口径：尚未告知的决定不在其中。"""
    organisation = organisation_of(request, uscc, Permission.EDIT_CASE)
    rows = queries.own_applications(user=request.auth, on=timezone.localdate())
    return OwnApplications(applications=[_own(row) for row in rows if row.organisation_id == organisation.pk])


def _own(row: Application) -> OwnLine:
    told = queries.told(row, list(row.acts.all()))
    outcome, outcome_label = _outcome(told.outcome)
    return OwnLine(
        code=row.code, round_id=row.round_id, case_id=row.case_id, organisation=row.organisation.uscc,
        stage_label=told.label, outcome=outcome, outcome_label=outcome_label, is_returned=told.is_returned,
        version=told.version,
    )  # fmt: skip


# --- one application -------------------------------------------------------------------


@router.get(
    "/applications/{code}", response=answers(ApplicationOut), summary="查看一件申报", **scoped("reviews:read")
)
def get_application(request: ApiRequest, code: CodeInPath) -> ApplicationOut:
    """环节、可以办理的动作、办理经过；申报单位看到的只有已告知的。"""
    return _document(request, application_of(request, code))


def _document(request: ApiRequest, application: Application) -> ApplicationOut:
    held = held_roles(user=request.auth, on=timezone.localdate())
    audience = queries.audience_of(held=held, application=application)
    acts, edition = queries.acts_of(application), queries.edition_of(application)
    told = queries.told(application, acts)
    is_own = audience is Audience.APPLICANT
    standing = told.standing if is_own else queries.standing_by(application, edition, acts)
    stage = stages.stage_of(edition.stages, standing.stage)
    offers = queries.offers_to(
        user=request.auth, held=[h for h in held if h.is_applicant or not is_own], application=application,
        edition=edition, standing=standing,
    )  # fmt: skip
    outcome, outcome_label = _outcome(standing.outcome or "")
    known = stages.told(acts) if is_own else acts
    shown = application.due_on if not is_own or told.is_returned else None
    return ApplicationOut(
        code=application.code, round_id=application.round_id, organisation=application.organisation.uscc,
        organisation_name=application.organisation.name, audience=audience,
        stage=None if is_own else application.stage, stage_label=told.label if is_own else stage.label,
        outcome=outcome, outcome_label=outcome_label, contested=not is_own and application.contested,
        is_returned=told.is_returned, due_on=shown, submission_number=application.submission.number,
        submission_sha256=application.submission.content_sha256,
        comments=queries.returned_comments(known) if told.is_returned else {}, offers=[_offer(o) for o in offers],
        acts=[_entry(entry) for entry in queries.timeline(application, audience, acts=acts)],
        version=told.version if is_own else application.version,
    )  # fmt: skip


def _offer(offer: queries.Offer) -> OfferOut:
    return OfferOut(role=offer.role, role_label=telling.role_words(offer.role), actions=list(offer.actions))


def _entry(entry: Entry) -> EntryOut:
    act: Act = entry.act
    person = str(act.by) if entry.shows_person else None
    return EntryOut(
        seq=entry.number, stage=entry.stage, action=Action(act.action),
        action_label=telling.ACTION_WORDS[Action(act.action)], role=act.role,
        role_label=telling.role_words(act.role), acted_for=act.acted_for.name, by=person,
        on_behalf_of=str(act.on_behalf_of) if act.on_behalf_of and entry.shows_person else None, at=act.at,
        words=entry.words, comments=dict(entry.comments), is_untold=entry.is_untold,
        documents=[DocumentOut(file_name=d.file_name, size=d.size, sha256=d.sha256) for d in entry.documents],
    )  # fmt: skip


@router.post(
    "/organisations/{uscc}/applications", response=answers(ApplicationOut, writes=True), summary="报送案例",
    **scoped("reviews:write"),
)  # fmt: skip
@written_once(200)
def submit_case(request: ApiRequest, uscc: Uscc, body: ApplicationIn) -> ApplicationOut:
    """首次报送或补正后再次报送；报送时案例按现状固定。"""
    organisation = organisation_of(request, uscc, Permission.EDIT_CASE)
    round_ = round_of(request, body.round_id)
    cases = visible_cases(user=request.auth, on=timezone.localdate())
    case = cases.filter(organisation=organisation, pk=body.case_id).first()
    if case is None:
        raise Refused(404, "case_unknown", "该单位没有这个案例；请先用 cases 列出已有的案例。")
    try:
        with in_words():
            made = submit(round_=round_, case=case, by=request.auth, now=timezone.now())
    except NotReady as refused:
        details = [
            ErrorDetail(where=s.field, code=s.code, message=f"“{s.label}”") for s in refused.shortcomings
        ]
        raise Refused(409, "not_ready", "案例还没有写完，或没有标记为待报送；请先补齐。", details) from None
    except (NoCaseFile, LedgerChanging) as refused_file:
        raise Refused(409, refused_file.code, sentence(refused_file.code)) from None
    return _document(request, application_of(request, made.code))


@router.post(
    "/applications/{code}/acts", response=answers(ApplicationOut, status=201, writes=True), summary="办理",
    **scoped("reviews:write"),
)  # fmt: skip
@written_once(201, still_seen=still_seen)
def act_on_application(request: ApiRequest, code: CodeInPath, body: ActIn) -> ApplicationOut:
    """须带上读取时的版本号（version）；其间已有人办理的，答复 409，什么也不写入。"""
    application = application_of(request, code)
    held = held_roles(user=request.auth, on=timezone.localdate())
    action = Action(body.action)
    is_own = queries.audience_of(held=held, application=application) is Audience.APPLICANT
    if is_own and action is not Action.WITHDRAW:
        raise not_permitted(Permission.REVIEW_CASE)
    _refuse_unknown_places(application, body.comments)
    _refuse_unknown_criteria(application, body.checks)
    comments = {k: v for k, v in sorted(body.comments.items()) if v.strip()}
    checks = {
        k: {"tick": tick.value, "words": comments.get(k, "")} for k, tick in sorted(body.checks.items())
    }
    said = Said(words=body.words, comments=comments, details={"checklist": checks} if checks else None)
    by = request.auth
    now = timezone.now()
    with in_words():
        if is_own:
            deciding.withdraw(
                application=application, told_version=body.version, role=body.role, said=said, by=by, now=now
            )
        else:
            deciding.decide(
                application=application,
                version=body.version,
                action=action,
                role=body.role,
                said=said,
                by=by,
                now=now,
            )
    return _document(request, application_of(request, code))


def _refuse_unknown_places(application: Application, comments: Mapping[str, str]) -> None:
    known = {name for name, _text in claims.texts(application.submission.content)}
    known |= {criterion.id for criterion in queries.edition_of(application).criteria}
    if unknown := sorted(comments.keys() - known):
        raise malformed("body.comments", "field_unknown", f"没有栏目或条款“{unknown[0][:80]}”。")


def _refuse_unknown_criteria(application: Application, checks: Mapping[str, Tick]) -> None:
    known = {criterion.id for criterion in queries.edition_of(application).criteria}
    if unknown := sorted(checks.keys() - known):
        raise malformed("body.checks", "field_unknown", f"没有条款“{unknown[0][:80]}”。")


# --- consultations ---------------------------------------------------------------------


def _officers(request: ApiRequest, code: str) -> Application:
    """Return the application for those who decide; its applicant isn't told whom they ask."""
    application = application_of(request, code)
    held = held_roles(user=request.auth, on=timezone.localdate())
    if queries.audience_of(held=held, application=application) is Audience.APPLICANT:
        raise not_permitted(Permission.REVIEW_CASE)
    return application


def _consulted(rows: Sequence[Consultation]) -> Consultations:
    late = consulted.late_among(rows)
    return Consultations(consultations=[_consultation(row, row.pk in late) for row in rows])


def _consultation(row: Consultation, is_late: bool) -> ConsultationOut:
    return ConsultationOut(
        id=row.pk, stage=row.stage, department=row.department,
        authority=row.authority.name if row.authority else None, asked_at=row.asked_at, due_on=row.due_on,
        opinion=Consultation.Opinion(row.opinion) if row.opinion else None,
        opinion_label=row.get_opinion_display() if row.opinion else "", words=row.words,
        answered_at=row.answered_at, closed_unanswered_at=row.closed_unanswered_at, is_late=is_late,
        file_name=row.file_name, sha256=row.sha256,
    )  # fmt: skip


@router.get(
    "/applications/{code}/consultations", response=answers(Consultations), summary="列出部门意见",
    **scoped("reviews:read"),
)  # fmt: skip
def list_consultations(request: ApiRequest, code: CodeInPath) -> Consultations:
    application = _officers(request, code)
    return _consulted(list(application.consultations.select_related("authority").order_by("pk")))


@router.post(
    "/applications/{code}/consultations", response=answers(Consultations, status=201, writes=True),
    summary="征求部门意见", **scoped("reviews:write"),
)  # fmt: skip
@written_once(201, still_seen=still_seen)
def ask_departments(request: ApiRequest, code: CodeInPath, body: ConsultationsIn) -> Consultations:
    """答复的是本环节征求过的全部部门，期限按工作日计算。"""
    application = _officers(request, code)
    with in_words():
        consulting.consult(
            application=application, names=body.departments, by=request.auth, now=timezone.now()
        )
    return _consulted(list(application.consultations.select_related("authority").order_by("pk")))


@router.post(
    "/applications/{code}/consultations/{consultation_id}/reply",
    response=answers(ConsultationOut, writes=True), summary="答复征求意见", **scoped("reviews:write"),
)  # fmt: skip
@written_once(200, still_seen=still_seen)
def reply_to_consultation(
    request: ApiRequest,
    code: CodeInPath,
    consultation_id: KeyInPath,
    opinion: Annotated[Consultation.Opinion, Form(description="意见")],
    words: Annotated[Words, Form("", description="意见内容；无意见的可不写")] = "",
    file: Annotated[UploadedFile | None, File(None, description="盖章扫描件；代为登记的须附")] = None,
) -> ConsultationOut:
    """部门自己答复，或由征求意见的一方附盖章扫描件代为登记；只答复一次。"""
    application = _officers(request, code)
    row = application.consultations.select_related("authority").filter(pk=consultation_id).first()
    if row is None:
        raise Refused(404, "consultation_unknown", "没有这项征求意见；请先列出本申报的征求意见。")
    with in_words():
        if file is not None:
            check_size(file.size or 0)
        replied = consulting.reply(
            consultation=row, opinion=opinion, words=words, by=request.auth, now=timezone.now(),
            document=(file.name or "", file.read()) if file is not None else None,
        )  # fmt: skip
    return _consultation(replied, bool(consulted.late_among([replied])))
