"""Case files for machines: drafts, evidence, and the official documents."""

from datetime import date
from enum import StrEnum
from typing import Annotated
from urllib.parse import quote

from django.http import HttpResponse
from django.utils import timezone
from ninja import File, Form, Path, Router
from ninja.files import UploadedFile
from pydantic import AfterValidator, Field, StringConstraints

from wufei.cases import queries, services
from wufei.cases.case_file import CASE_FILE, PROVENANCE, SUMMARY
from wufei.cases.models import Case, CaseState, Evidence, EvidenceCategory
from wufei.cases.refusals import sentence
from wufei.paper.attachments import MEDIA_TYPES, EvidenceRefused, check_size
from wufei.policies.api import EDITION_PATTERN
from wufei.registry.access import Permission
from wufei.registry.api.door import (
    ApiRequest,
    ErrorDetail,
    Refused,
    answers,
    malformed,
    organisation_of,
    scoped,
    stale,
)
from wufei.registry.api.fields import (
    Answered,
    Asked,
    Day,
    Instant,
    Text60,
    Text120,
    Text200,
    Uscc,
    Version,
    Year,
    storable,
)
from wufei.registry.api.idempotency import written_once
from wufei.registry.models import Organisation

router = Router(tags=["案例"])

LongText = Annotated[str, StringConstraints(max_length=services.MAX_TEXT), AfterValidator(storable)]
KeyInPath = Annotated[int, Path(ge=1, le=2**63 - 1)]


class CaseIn(Asked):
    edition: Annotated[str, Field(pattern=EDITION_PATTERN, description="政策版本编号")]
    year: Annotated[Year, Field(strict=True, description="数据年度")]


class CasePatch(Asked):
    """What is to be changed; what isn't named stays."""

    version: Version
    title: LongText = ""
    brief_description: LongText = ""
    plan: LongText = ""
    practices: LongText = ""
    results: LongText = ""
    innovation: LongText = ""
    conditions: LongText = ""
    self_description: LongText = ""
    leading_industry: Text200 = ""
    filler_name: Text60 = ""
    filler_title: Text60 = ""
    filler_phone: Text60 = ""
    head_mobile: Text60 = ""
    contact: Text60 = ""
    phone: Text60 = ""
    email: Text120 = ""
    above_scale_count: Annotated[int, Field(strict=True, ge=0, le=9_999_999)] | None = None
    filed_on: Day | None = None


class ReadyIn(Asked):
    version: Version


class CaseLine(Answered):
    id: int
    organisation: str
    edition: str
    year: int
    state: CaseState
    state_label: str
    title: str
    version: int = Field(description="修改时须带上")
    updated_at: Instant
    updated_by: str


class Cases(Answered):
    cases: list[CaseLine]


class LimitOut(Answered):
    words: int = Field(description="字数")
    characters: int = Field(description="字符数（不计空格）")
    limit: int
    is_over: bool


class CaseOut(CaseLine):
    brief_description: str
    plan: str
    practices: str
    results: str
    innovation: str
    conditions: str
    self_description: str
    leading_industry: str
    filler_name: str
    filler_title: str
    filler_phone: str
    head_mobile: str
    contact: str
    phone: str
    email: str
    above_scale_count: int | None
    filed_on: date | None
    limits: dict[str, LimitOut] = Field(description="字数与表式的限制")


class EvidenceOut(Answered):
    id: int
    category: EvidenceCategory
    category_label: str
    file_name: str
    media_type: str
    size: int
    sha256: str
    uploaded_at: Instant
    uploaded_by: str


class EvidenceList(Answered):
    evidence: list[EvidenceOut]


class Document(StrEnum):
    CASE_FILE = "case-file.docx"
    SUMMARY = "summary.xlsx"
    PROVENANCE = "provenance.json"


FILE_NAMES = {
    Document.CASE_FILE: CASE_FILE,
    Document.SUMMARY: SUMMARY,
    Document.PROVENANCE: PROVENANCE,
}
DOCUMENT_TYPES = {
    Document.CASE_FILE: MEDIA_TYPES["docx"],
    Document.SUMMARY: MEDIA_TYPES["xlsx"],
    Document.PROVENANCE: "application/json",
}


def _line(case: Case) -> CaseLine:
    return CaseLine(
        id=case.pk, organisation=case.organisation.uscc, edition=case.edition, year=case.year,
        state=CaseState(case.state), state_label=case.get_state_display(), title=case.title,
        version=case.version, updated_at=case.updated_at, updated_by=str(case.updated_by),
    )  # fmt: skip


def _document(case: Case) -> CaseOut:
    said = {name: getattr(case, name) for name in services.FIELDS}
    return CaseOut(
        **(_line(case).model_dump() | {"updated_at": case.updated_at} | said), limits=_limits(case)
    )


def _limits(case: Case) -> dict[str, LimitOut]:
    try:
        edition = queries.edition_for(organisation=case.organisation, edition_id=case.edition)
        spec = queries.form_spec(edition=edition, year=case.year)
    except queries.NoCaseFile:  # the edition was taken away since
        return {}
    checks = queries.limits(texts=queries.texts_of(case), spec=spec)
    return {
        name: LimitOut(
            words=check.length.words, characters=check.length.characters, limit=check.limit,
            is_over=check.is_over,
        )
        for name, check in checks.items()
    }  # fmt: skip


def _evidence(row: Evidence) -> EvidenceOut:
    return EvidenceOut(
        id=row.pk, category=EvidenceCategory(row.category), category_label=row.get_category_display(),
        file_name=row.file_name, media_type=row.media_type, size=row.size, sha256=row.sha256,
        uploaded_at=row.uploaded_at, uploaded_by=str(row.uploaded_by),
    )  # fmt: skip


def _case(request: ApiRequest, uscc: str, case_id: int, permission: Permission) -> Case:
    organisation = organisation_of(request, uscc, permission)
    found = Case.objects.filter(organisation=organisation, pk=case_id)
    case = found.select_related("organisation", "updated_by").first()
    if case is None:
        raise Refused(404, "case_unknown", "该单位没有这个案例；请先用 cases 列出已有的案例。")
    return case


def _nothing_made(refused: queries.NoCaseFile | services.LedgerChanging) -> Refused:
    return Refused(409, refused.code, sentence(refused.code))


# --- drafts ----------------------------------------------------------------------------


@router.get("/cases", response=answers(Cases), summary="列出案例", **scoped("cases:read"))
def list_cases(request: ApiRequest, uscc: Uscc) -> Cases:
    organisation = organisation_of(request, uscc, Permission.VIEW_CASE)
    rows = Case.objects.filter(organisation=organisation).select_related("organisation", "updated_by")
    return Cases(cases=[_line(row) for row in rows.order_by("-year", "edition")])


@router.post("/cases", response=answers(CaseOut, writes=True), summary="新建案例", **scoped("cases:write"))
@written_once(200)
def open_case(request: ApiRequest, uscc: Uscc, body: CaseIn) -> CaseOut:
    """同一单位、政策版本、年度只有一个案例；已有的，答复的就是它。"""
    organisation = organisation_of(request, uscc, Permission.EDIT_CASE)
    try:
        case = services.open_case(
            organisation=organisation, edition_id=body.edition, year=body.year, by=request.auth,
            now=timezone.now(),
        )  # fmt: skip
    except queries.NoCaseFile as refused:
        raise _nothing_made(refused) from None
    except services.DraftRefused as refused:
        raise _draft_refused(refused) from None
    return _document(_again(case, organisation))


def _again(case: Case, organisation: Organisation) -> Case:
    return Case.objects.select_related("organisation", "updated_by").get(
        pk=case.pk, organisation=organisation
    )


def _draft_refused(refused: services.DraftRefused) -> Refused:
    return malformed(f"body.{refused.field}", refused.code, sentence(refused.code))


@router.get("/cases/{case_id}", response=answers(CaseOut), summary="查看一个案例", **scoped("cases:read"))
def get_case(request: ApiRequest, uscc: Uscc, case_id: KeyInPath) -> CaseOut:
    return _document(_case(request, uscc, case_id, Permission.VIEW_CASE))


@router.patch(
    "/cases/{case_id}", response=answers(CaseOut, writes=True), summary="修改案例", **scoped("cases:write")
)
@written_once(200)
def save_case(request: ApiRequest, uscc: Uscc, case_id: KeyInPath, body: CasePatch) -> CaseOut:
    """须带上读取时的版本号（version）；其间被他人修改过的，答复 409，不会覆盖。"""
    case = _case(request, uscc, case_id, Permission.EDIT_CASE)
    changes = body.model_dump(exclude_unset=True, exclude={"version"})
    try:
        services.save_draft(
            case=case, version=body.version, changes=changes, by=request.auth, now=timezone.now()
        )
    except services.StaleEdit as refused:
        raise stale(refused.actual) from None
    except services.DraftRefused as refused:
        raise _draft_refused(refused) from None
    return _document(_again(case, case.organisation))


@router.post(
    "/cases/{case_id}/ready", response=answers(CaseOut, writes=True), summary="标记为待报送",
    **scoped("cases:write"),
)  # fmt: skip
@written_once(200)
def mark_ready(request: ApiRequest, uscc: Uscc, case_id: KeyInPath, body: ReadyIn) -> CaseOut:
    """各栏写全、不超字数即可；未满足的条件不阻止报送，但会列在说明中。"""
    case = _case(request, uscc, case_id, Permission.EDIT_CASE)
    try:
        services.mark_ready(case=case, version=body.version, by=request.auth, now=timezone.now())
    except services.StaleEdit as refused:
        raise stale(refused.actual) from None
    except queries.NoCaseFile as refused:
        raise _nothing_made(refused) from None
    except services.NotReady as refused:
        details = [
            ErrorDetail(where=s.field, code=s.code, message=_shortcoming(s)) for s in refused.shortcomings
        ]
        raise Refused(409, "not_ready", "案例还没有写完；请按 details 逐项补齐。", details) from None
    return _document(_again(case, case.organisation))


def _shortcoming(found: queries.Shortcoming) -> str:
    if found.code == "over_limit":
        return f"“{found.label}”超过字数限制（{found.detail}）；请删减。"
    return f"“{found.label}”还没有写。"


# --- evidence --------------------------------------------------------------------------


@router.get(
    "/cases/{case_id}/evidence",
    response=answers(EvidenceList),
    summary="列出证明材料",
    **scoped("cases:read"),
)
def list_evidence(request: ApiRequest, uscc: Uscc, case_id: KeyInPath) -> EvidenceList:
    case = _case(request, uscc, case_id, Permission.VIEW_CASE)
    return EvidenceList(evidence=[_evidence(row) for row in queries.evidence_of(case=case)])


@router.post(
    "/cases/{case_id}/evidence", response=answers(EvidenceOut, status=201, writes=True),
    summary="上传证明材料", **scoped("cases:write"),
)  # fmt: skip
@written_once(201)
def attach_evidence(
    request: ApiRequest,
    uscc: Uscc,
    case_id: KeyInPath,
    category: Annotated[EvidenceCategory, Form(description="材料类别")],
    file: Annotated[UploadedFile, File(description="pdf、docx、xlsx、jpg 或 png，至多 20 MB")],
) -> EvidenceOut:
    """内容相同的文件只保存一次；再次上传时答复已有的那一份。"""
    case = _case(request, uscc, case_id, Permission.EDIT_CASE)
    try:
        check_size(file.size or 0)
        attached = services.attach_evidence(
            case=case, category=category, file_name=file.name or "", content=file.read(), by=request.auth,
            now=timezone.now(),
        )  # fmt: skip
    except EvidenceRefused as refused:
        raise _evidence_refused(refused) from None
    return _evidence(attached.evidence)


def _evidence_refused(refused: EvidenceRefused) -> Refused:
    if refused.code in ("file_too_large", "case_too_large"):
        return Refused(413, refused.code, sentence(refused.code))
    return malformed("body.file", refused.code, sentence(refused.code))


@router.delete(
    "/cases/{case_id}/evidence/{evidence_id}", response=answers(None, status=204, writes=True),
    summary="移除证明材料", **scoped("cases:write"),
)  # fmt: skip
@written_once(204)
def remove_evidence(request: ApiRequest, uscc: Uscc, case_id: KeyInPath, evidence_id: KeyInPath) -> None:
    """文件不再随案例报送；记录和内容留存备查。"""
    case = _case(request, uscc, case_id, Permission.EDIT_CASE)
    evidence = (
        queries.evidence_of(case=case).select_related("case__organisation").filter(pk=evidence_id).first()
    )
    if evidence is None:
        raise Refused(404, "evidence_unknown", "该案例没有这份材料，或已经移除；请先列出现有的材料。")
    try:
        services.remove_evidence(evidence=evidence, by=request.auth, now=timezone.now())
    except EvidenceRefused as refused:  # somebody else was faster
        raise Refused(409, refused.code, sentence(refused.code)) from None


# --- documents -------------------------------------------------------------------------


@router.get(
    "/cases/{case_id}/documents/{document}",
    response=answers(None) | {409: answers(None, writes=True)[409]},
    summary="下载申报书、汇总表或数据来源",
    **scoped(
        "cases:read",
        responses={
            200: {
                "content": {
                    media_type: {"schema": {"type": "string", "format": "binary"}}
                    if media_type != "application/json"
                    else {"schema": {"type": "object"}}
                    for media_type in DOCUMENT_TYPES.values()
                }
            }
        },
    ),
)
def produce_document(request: ApiRequest, uscc: Uscc, case_id: KeyInPath, document: Document) -> HttpResponse:
    """按此刻的台账生成；每次下载留有审计记录。"""
    case = _case(request, uscc, case_id, Permission.VIEW_CASE)
    try:
        produced = services.produce(case=case, by=request.auth, now=timezone.now())
    except (queries.NoCaseFile, services.LedgerChanging) as refused:
        raise _nothing_made(refused) from None
    name = FILE_NAMES[document]
    response = HttpResponse(produced.files[name], content_type=DOCUMENT_TYPES[document])
    response["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name)}"
    return response
