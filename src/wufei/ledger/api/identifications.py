"""Whether each waste is hazardous, and who says so, for machines."""

from datetime import date
from typing import Annotated
from urllib.parse import quote
from uuid import UUID, uuid4

from django.http import HttpResponse
from django.utils import timezone
from ninja import File, Form, Path, Query, Router
from ninja.files import UploadedFile
from pydantic import Field

from wufei.ledger import services
from wufei.ledger.identifying import (
    LONGEST,
    Basis,
    IdentificationStanding,
    Result,
    Said,
)
from wufei.ledger.identifying import (
    Refused as Why,
)
from wufei.ledger.models import HazardIdentification
from wufei.ledger.queries import identifying as queries
from wufei.ledger.queries.identifying import StreamStanding
from wufei.ledger.wording import IDENTIFICATION_TEXT
from wufei.paper.attachments import REFUSAL_TEXT as FILE_TEXT
from wufei.paper.attachments import EvidenceRefused, check_size
from wufei.registry.access import Permission
from wufei.registry.api.door import ApiRequest, Refused, answers, malformed, organisation_of, scoped
from wufei.registry.api.fields import (
    Answered,
    Asked,
    Code,
    Day,
    Instant,
    Offset,
    PageLimit,
    Text120,
    Text200,
    Text300,
    Uscc,
)
from wufei.registry.api.idempotency import written_once
from wufei.terms.day import local_day

router = Router(tags=["危险性判别"])
KeyInPath = Annotated[int, Path(ge=1, le=2**63 - 1)]
CONFLICTS = (Why.CLIENT_ID_REUSED, Why.REPLACED_ALREADY)


class IdentificationRecordOut(Answered):
    id: int
    stream: str
    basis: Basis
    result: Result
    waste_code: str
    properties: list[str] = Field(description="危险特性：T、C、I、R、In")
    judged_by: str
    report_number: str
    judged_on: date
    valid_through: date | None
    note: str
    file_name: str
    sha256: str = Field(description="报告文件的 SHA-256；没有文件的为空")
    replaces: int | None
    replaced_because: str
    recorded_at: Instant
    recorded_by: str


class IdentificationOut(Answered):
    stream: str
    name: str
    waste_code: str
    standing: IdentificationStanding
    warns: bool = Field(description="没有有效的判别，或判别与管理相矛盾")
    words: str
    through: date | None = Field(description="有效期至；null 为没有写明")
    record: IdentificationRecordOut | None = Field(description="现行的记录；按名录的可以没有")


class Identifications(Answered):
    identifications: list[IdentificationOut]
    total: int


class IdentificationsAsked(Asked):
    warns: bool | None = Field(None, description="只要（或不要）需要处理的")
    offset: Offset = 0
    limit: PageLimit = 100


def _record(row: HazardIdentification) -> IdentificationRecordOut:
    return IdentificationRecordOut(
        id=row.pk, stream=row.stream.code, basis=Basis(row.basis), result=Result(row.result),
        waste_code=row.waste_code, properties=[each for each in row.properties.split(",") if each],
        judged_by=row.judged_by, report_number=row.report_number, judged_on=row.judged_on,
        valid_through=row.valid_through, note=row.note, file_name=row.file_name, sha256=row.sha256,
        replaces=row.replaces_id, replaced_because=row.replaced_because, recorded_at=row.recorded_at,
        recorded_by=str(row.recorded_by),
    )  # fmt: skip


def _standing(row: StreamStanding) -> IdentificationOut:
    return IdentificationOut(
        stream=row.stream.code, name=row.stream.name, waste_code=row.stream.waste_code,
        standing=row.identified.standing, warns=row.identified.warns, words=row.identified.words,
        through=row.identified.through, record=_record(row.record) if row.record else None,
    )  # fmt: skip


@router.get(
    "/identifications", response=answers(Identifications), summary="列出各种废物的危险性判别", **scoped("ledger:read")
)  # fmt: skip
def list_identifications(
    request: ApiRequest, uscc: Uscc, asked: Query[IdentificationsAsked]
) -> Identifications:
    """名录所列的危险废物按名录；其他废物须有登记的判别。"""
    organisation = organisation_of(request, uscc, Permission.VIEW_LEDGER)
    rows = queries.standings(organisation=organisation, on=local_day(timezone.now()))
    if asked.warns is not None:
        rows = [row for row in rows if row.identified.warns is asked.warns]
    part = rows[asked.offset : asked.offset + asked.limit]
    return Identifications(identifications=[_standing(row) for row in part], total=len(rows))


class IdentificationIn(Asked):
    stream: Code = Field(description="废物编号")
    basis: Basis
    result: Result
    judged_by: Text120
    judged_on: Day
    valid_through: Day | None = None
    waste_code: Annotated[str, Field(max_length=16)] = ""
    properties: Text120 = Field("", description="危险特性，用逗号分开，如 T,C")
    report_number: Annotated[Text120, Field(max_length=LONGEST["report_number"])] = ""
    note: Text300 = ""
    replaces: Annotated[int, Field(ge=1, le=2**63 - 1)] | None = Field(None, description="更正哪一条记录")
    reason: Text200 = ""
    client_id: UUID = Field(default_factory=uuid4, description="客户端编号；同一编号只登记一次")


@router.post(
    "/identifications", response=answers(IdentificationRecordOut, status=201, writes=True),
    summary="登记一种废物的危险性判别", **scoped("ledger:write"),
)  # fmt: skip
@written_once(201)
def record_identification(
    request: ApiRequest,
    uscc: Uscc,
    body: Form[IdentificationIn],
    file: Annotated[UploadedFile | None, File(description="pdf、docx、xlsx、jpg 或 png，至多 20 MB")] = None,
) -> IdentificationRecordOut:
    """登记之后不能改；有误的，用一条新的更正（replaces、reason）。"""
    organisation = organisation_of(request, uscc, Permission.EDIT_ORGANISATION)
    said = Said(
        basis=body.basis, result=body.result, judged_by=body.judged_by, judged_on=body.judged_on,
        valid_through=body.valid_through, waste_code=body.waste_code.strip(), report_number=body.report_number,
        properties=tuple(filter(None, (part.strip() for part in body.properties.split(",")))), note=body.note,
        has_report=file is not None,
    )  # fmt: skip
    try:
        if file is not None:
            check_size(file.size or 0)
        row = services.record_identification(
            organisation=organisation, stream_code=body.stream, said=said, client_id=body.client_id,
            file_name=file.name or "" if file else "", content=file.read() if file else None,
            replaces=body.replaces, reason=body.reason, by=request.auth, now=timezone.now(),
        )  # fmt: skip
    except EvidenceRefused as refused:
        if refused.code == "file_too_large":
            raise Refused(413, refused.code, FILE_TEXT[refused.code]) from None
        raise malformed("body.file", refused.code, FILE_TEXT[refused.code]) from None
    except services.IdentificationRefused as refused:
        raise _refused(refused.code) from None
    return _record(row)


def _refused(code: Why) -> Refused:
    if code in CONFLICTS:
        return Refused(409, code.value, IDENTIFICATION_TEXT[code])
    return malformed("body", code.value, IDENTIFICATION_TEXT[code])


@router.get(
    "/identifications/{identification_id}/report", response=answers(None), summary="下载判别报告",
    **scoped(
        "ledger:read",
        responses={
            200: {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}
        },
    ),
)  # fmt: skip
def read_identification_report(request: ApiRequest, uscc: Uscc, identification_id: KeyInPath) -> HttpResponse:
    """原样交出登记时上传的文件。"""
    organisation = organisation_of(request, uscc, Permission.VIEW_LEDGER)
    rows = queries.records_of(organisation=organisation).filter(pk=identification_id)
    row = rows.exclude(sha256="").first()
    if row is None:
        raise Refused(404, "report_unknown", "没有这份报告；请先列出判别记录。")
    with row.stored.open("rb") as kept:
        response = HttpResponse(kept.read(), content_type="application/octet-stream")
    response["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(row.file_name)}"
    return response
