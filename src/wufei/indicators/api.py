"""Figures for machines, each down to the movements and statements that it rests on."""

from datetime import date
from typing import Annotated, Any, Literal

from django.utils import timezone
from ninja import Path, Query, Router
from pydantic import Field

from wufei.indicators import queries
from wufei.indicators.definitions import INDICATORS
from wufei.indicators.document import figure_document, line_document
from wufei.indicators.figure import Figure, MovementsBehind
from wufei.ledger.models import Movement
from wufei.registry.access import Permission
from wufei.registry.api.door import ApiRequest, Refused, answers, malformed, organisation_of, scoped
from wufei.registry.api.fields import Answered, Code, Instant, Offset, PageLimit, Uscc, Year
from wufei.registry.models import Organisation
from wufei.registry.queries import visible_organisations

router = Router(tags=["指标"])

MOST_YEARS = 20


class FigureLine(Answered):
    id: str
    name: str
    year: int
    stream: str | None
    value: str | None = Field(description="十进制数，未修约；未知为 null")
    unit: str
    missing: list[str] = Field(description="未知时，缺什么")
    dimension: str | None = None
    period: str | None = Field(None, description="不是整年时，如 2025-03")


class FigureLines(Answered):
    organisation: str
    figures: list[FigureLine]


class MissingOut(Answered):
    code: str
    label: str
    where: str
    subject: str


class StatedOut(Answered):
    type: Literal["stated"]
    organisation: str
    item: str
    label: str
    year: int
    value: str | None
    unit: str
    source: str


class MovementsOut(Answered):
    type: Literal["movements"]
    organisation: str
    kinds: list[str]
    first_day: date
    last_day: date
    stream: str | None
    stream_name: str | None
    waste_category: str | None
    waste_class: str | None
    method: str | None
    counterparties: list[str] | None
    sign: int
    mass_g: int
    count: int | None


class FigureOut(Answered):
    type: Literal["figure"]
    id: str
    name: str
    organisation: str
    year: int
    period: str
    stream: str | None
    dimension: str | None
    value: str | None = Field(description="十进制数，未修约；未知为 null")
    unit: str
    formula: str
    source: str
    says: str
    reading: str
    missing: list[MissingOut]
    basis: list["FigureOut | StatedOut | MovementsOut"] = Field(description="这个数由哪些数、记录、填报算出")


class BehindOut(Answered):
    organisation: str
    seq: int
    moved_on: date
    kind: str
    stream: str
    lot: str
    mass_g: int = Field(description="冲正为负")
    method: str
    counterparty: str
    reverses: bool
    posted_at: Instant
    chain_hash: str


class BehindPage(Answered):
    total: int
    movements: list[BehindOut]
    withheld: int = Field(description="您无权查看其台账的单位，有几家的记录未列出")


YearInPath = Annotated[int, Path(ge=1949, le=2200)]
IndicatorInPath = Annotated[str, Path(pattern=r"^[a-z0-9_]{1,80}$", description="指标编号，如 generation_t")]


@router.get("/indicators", response=answers(FigureLines), summary="列出各年指标", **scoped("indicators:read"))
def list_indicators(
    request: ApiRequest,
    uscc: Uscc,
    from_: Annotated[Year, Query(alias="from", description="起始年份")],
    to: Annotated[Year, Query(description="截止年份")],
    months: Annotated[bool, Query(description="另列各月的量")] = False,
    by_category: Annotated[bool, Query(description="另按废物类别汇总")] = False,
) -> FigureLines:
    """先列合计，再逐个废物。未知的数为 null，并说明缺什么；从不以 0 代替。"""
    organisation = organisation_of(request, uscc, Permission.VIEW_FIGURES)
    if not 0 <= to - from_ < MOST_YEARS:
        message = f"截止年份应不早于起始年份，一次至多 {MOST_YEARS} 年。"
        raise malformed("query.to", "years_out_of_range", message)
    found = queries.figures(
        organisation=organisation, from_year=from_, to_year=to, months=months, by_category=by_category
    )
    lines = [FigureLine.model_validate(line_document(each)) for each in found]
    return FigureLines(organisation=organisation.uscc, figures=lines)


@router.get(
    "/figures/{indicator}/{year}", response=answers(FigureOut), summary="查看一个数从哪里来",
    **scoped("indicators:read"),
)  # fmt: skip
def get_figure(
    request: ApiRequest,
    uscc: Uscc,
    indicator: IndicatorInPath,
    year: YearInPath,
    stream: Annotated[Code | None, Query(description="只看一个废物编号")] = None,
    dimension: Annotated[Code | None, Query(description="利用方式、废物类别或废物名称")] = None,
) -> FigureOut:
    """连同公式、出处和依据；依据中的台账记录另由 movements 分页给出。"""
    organisation = organisation_of(request, uscc, Permission.VIEW_FIGURES)
    found = _figure(organisation, indicator, year, stream, dimension)
    return FigureOut.model_validate(figure_document(found))


@router.get(
    "/figures/{indicator}/{year}/movements", response=answers(BehindPage), summary="列出一个数背后的台账记录",
    **scoped("indicators:read"),
)  # fmt: skip
def movements_behind_figure(
    request: ApiRequest,
    uscc: Uscc,
    indicator: IndicatorInPath,
    year: YearInPath,
    stream: Annotated[Code | None, Query(description="只看一个废物编号")] = None,
    dimension: Annotated[Code | None, Query(description="利用方式、废物类别或废物名称")] = None,
    limit: PageLimit = 50,
    offset: Offset = 0,
) -> BehindPage:
    """须有查看台账的权限。同一条记录出现在几项依据中时，只列一次。"""
    organisation = organisation_of(request, uscc, Permission.VIEW_LEDGER)
    found = _figure(organisation, indicator, year, stream, dimension)
    leaves = dict.fromkeys(leaf for leaf in found.leaves() if isinstance(leaf, MovementsBehind))
    subjects = {leaf.organisation for leaf in leaves}
    readable = _readable(request, subjects)
    rows = _union([leaf for leaf in leaves if leaf.organisation in readable])
    page = rows.order_by("organisation__uscc", "seq")[offset : offset + limit]
    return BehindPage(
        total=rows.count(),
        movements=[_behind(row) for row in page],
        withheld=len(subjects - readable),
    )


def _figure(
    organisation: Organisation, indicator: str, year: int, stream: str | None, dimension: str | None
) -> Figure:
    if indicator not in INDICATORS:
        raise Refused(404, "indicator_unknown", f"没有指标“{indicator}”；请先用 indicators 列出可用的编号。")
    try:
        return queries.figure(
            organisation=organisation, indicator=indicator, year=year, stream=stream, dimension=dimension
        )
    except queries.UnknownIndicator:
        message = "该单位没有这一项；请核对废物编号（stream）和分项（dimension）。"
        raise Refused(404, "figure_unknown", message) from None


def _readable(request: ApiRequest, subjects: set[str]) -> set[str]:
    """Return the organisations whose ledgers the person may read today."""
    seen = visible_organisations(
        user=request.auth, permission=Permission.VIEW_LEDGER, on=timezone.localdate()
    )
    return set(seen.filter(uscc__in=subjects).values_list("uscc", flat=True))


def _union(leaves: list[MovementsBehind]) -> Any:
    """Return the movements of any of the leaves, each once."""
    rows = Movement.objects.none()
    for leaf in leaves:
        rows = rows | queries.movements_behind(leaf).order_by()
    return rows


def _behind(row: Movement) -> BehindOut:
    return BehindOut(
        organisation=row.organisation.uscc, seq=row.seq, moved_on=row.moved_on, kind=row.kind,
        stream=row.stream.code, lot=row.lot.code, mass_g=row.sign * row.mass_g, method=row.method,
        counterparty=row.counterparty, reverses=row.reverses_id is not None, posted_at=row.posted_at,
        chain_hash=row.chain_hash,
    )  # fmt: skip
