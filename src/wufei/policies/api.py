"""Editions and evaluations for machines."""

from datetime import date
from typing import Annotated, Any, Literal

from django.utils import timezone
from ninja import Path, Query, Router
from pydantic import Field

from wufei.indicators.api import FigureLine, MissingOut
from wufei.policies import queries
from wufei.policies.edition import Edition
from wufei.policies.explanations import as_json as evaluation_document
from wufei.registry.access import Permission
from wufei.registry.api.door import ApiRequest, Refused, answers, organisation_of, scoped
from wufei.registry.api.fields import Answered, Uscc, Year
from wufei.terms.truth import Truth

router = Router(tags=["评价"])
editions_router = Router(tags=["评价"])

EDITION_PATTERN = r"^[a-z0-9][a-z0-9-]{0,79}$"


class DateOut(Answered):
    id: str
    label: str
    on: date


class QuotaOut(Answered):
    id: str
    number: int
    per: str
    severity: str


class EditionLine(Answered):
    id: str
    title: str
    subject_kind: Literal["ENTERPRISE", "PARK"]
    document: str
    issuer: str
    in_force_from: date
    extends: str | None


class Editions(Answered):
    editions: list[EditionLine]


class CriterionLine(Answered):
    id: str
    clause: str
    says: str
    kind: str
    severity: str


class EditionOut(EditionLine):
    dates: list[DateOut]
    quotas: list[QuotaOut]
    addressees: list[str]
    criteria: list[CriterionLine]


class NodeOut(Answered):
    id: str
    clause: str
    says: str
    verdict: Truth
    explanation: str
    op: str
    operands: dict[str, Any] = Field(description="重算这一结论所需的原值；数为十进制字符串")
    figures: list[FigureLine]
    missing: list[MissingOut] = Field(description="未知时，须补充什么")
    children: list["NodeOut"]


class ExceptionOut(Answered):
    answer: str
    reason: str
    judged_by: str
    judged_on: date


class CriterionOut(NodeOut):
    document: str
    kind: str
    severity: str
    decides: bool
    our_reading: Any
    unverified: Any
    exception_required: bool
    exception_granted: bool
    exception: ExceptionOut | None
    weight: str | None
    score_min: str | None
    score_max: str | None


class EvaluationOut(Answered):
    edition: str
    title: str
    document: str
    subject: str
    year: int
    on: date
    judged_as_of: date
    verdict: Truth
    criteria: list[CriterionOut]
    score: str | None
    score_min: str | None
    score_max: str | None
    notes: list[str]


def _line(edition: Edition) -> EditionLine:
    return EditionLine(
        id=edition.id, title=edition.title, subject_kind=edition.subject_kind.value,
        document=edition.norm.number, issuer=edition.norm.issuer, in_force_from=edition.in_force_from,
        extends=edition.extends,
    )  # fmt: skip


def known_edition(edition_id: str) -> Edition:
    """
    Return the edition.

    :raises Refused: 404 if there is none of that id
    """
    try:
        return queries.edition(edition_id)
    except queries.UnknownEdition:
        message = f"没有政策版本“{edition_id}”；请先用 editions 列出可用的编号。"
        raise Refused(404, "edition_unknown", message) from None


@editions_router.get(
    "/editions", response=answers(Editions, named=False), summary="列出政策版本", **scoped("evaluation:read")
)
def list_editions(request: ApiRequest) -> Editions:
    return Editions(editions=[_line(edition) for edition in queries.known_editions().values()])


@editions_router.get(
    "/editions/{edition_id}",
    response=answers(EditionOut),
    summary="查看一个政策版本",
    **scoped("evaluation:read"),
)
def get_edition(request: ApiRequest, edition_id: Annotated[str, Path(pattern=EDITION_PATTERN)]) -> EditionOut:
    edition = known_edition(edition_id)
    return EditionOut(
        **_line(edition).model_dump(),
        dates=[DateOut(id=d.id, label=d.label, on=d.on) for d in edition.dates],
        quotas=[
            QuotaOut(id=q.id, number=q.number, per=q.per, severity=q.severity.value) for q in edition.quotas
        ],
        addressees=list(edition.addressees),
        criteria=[
            CriterionLine(
                id=c.id, clause=c.clause, says=c.says, kind=c.kind.value, severity=c.severity.value
            )
            for c in edition.criteria
        ],
    )  # fmt: skip


@router.get(
    "/evaluation", response=answers(EvaluationOut), summary="按政策版本评价", **scoped("evaluation:read")
)
def evaluate(
    request: ApiRequest,
    uscc: Uscc,
    edition: Annotated[str, Query(pattern=EDITION_PATTERN, description="政策版本编号")],
    year: Annotated[Year, Query(description="评价年份")],
) -> EvaluationOut:
    """逐条给出满足、不满足或未知，附解释树；未知时说明须补充什么。"""
    organisation = organisation_of(request, uscc, Permission.VIEW_FIGURES)
    asked = known_edition(edition)
    found = queries.evaluation(
        organisation=organisation, edition_id=asked.id, year=year, on=timezone.localdate()
    )
    return EvaluationOut.model_validate(evaluation_document(found))
