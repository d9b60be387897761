"""Rounds: listed, opened, edited, published; how far they are, and their ranking."""

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Annotated, Any

from django.utils import timezone
from ninja import Query, Router
from pydantic import Field, StringConstraints

from wufei.policies import queries as policy_queries
from wufei.policies.api import EDITION_PATTERN
from wufei.policies.queries import UnknownEdition
from wufei.registry.access import Permission
from wufei.registry.api.door import (
    ApiRequest,
    answers,
    malformed,
    not_permitted,
    organisation_of,
    scoped,
)
from wufei.registry.api.fields import (
    Answered,
    Asked,
    Day,
    Instant,
    Offset,
    PageLimit,
    SearchText,
    Text200,
    Version,
    Year,
)
from wufei.registry.api.idempotency import written_once
from wufei.registry.queries import may, visible_organisations
from wufei.reviews.api.desk import KeyInPath, Words, in_words, round_of, run_by
from wufei.reviews.models import Application, Round
from wufei.reviews.queries import rounds as queries
from wufei.reviews.queries.applications import officers_list
from wufei.reviews.queries.ranking import RankedCase, ranking
from wufei.reviews.services import rounds as services

router = Router(tags=["申报与评审"])

MOST_PLACES = 99_999
Title = Annotated[Text200, StringConstraints(min_length=1)]


class RoundState(StrEnum):
    UNPUBLISHED = "UNPUBLISHED"
    OPEN = "OPEN"
    CLOSED = "CLOSED"


class RoundIn(Asked):
    edition: Annotated[str, Field(pattern=EDITION_PATTERN, description="政策版本编号")]
    year: Annotated[Year, Field(strict=True)]
    authority: Annotated[str, Field(pattern=r"^[0-9A-Z]{18}$", description="组织单位的统一社会信用代码")]
    title: Text200 = ""
    notice_text: Words = Field(default="", description="通知正文；没有正文不能发布")
    submission_deadline: Day | None = Field(default=None, description="申报截止日期；没有截止日期不能发布")


class RoundPatch(Asked):
    """What is to be changed; what isn't named stays."""

    version: Version
    title: Title = ""
    notice_text: Words = ""
    addressees: Words = ""
    submission_deadline: Day | None = None
    grace_minutes: Annotated[int, Field(strict=True, ge=0, le=1440)] = 0
    quotas: dict[str, Annotated[int, Field(strict=True, ge=0, le=MOST_PLACES)]] = Field(
        default={}, description="名额编号 → 个数；不得少于已推荐的数量"
    )


class RoundLine(Answered):
    id: int
    edition: str
    year: int
    title: str
    authority: str
    authority_name: str
    state: RoundState
    submission_deadline: date | None
    version: int = Field(description="修改时须带上")


class Rounds(Answered):
    total: int
    rounds: list[RoundLine]


class RoundOut(RoundLine):
    uid: str
    notice_text: str
    addressees: str
    grace_minutes: int
    quotas: dict[str, int] = Field(description="名额编号 → 个数")
    opened_at: Instant
    published_at: Instant | None
    closed_at: Instant | None


class StageOut(Answered):
    id: str
    label: str
    count: int
    not_yet: int = Field(description="其中还没有到本级、不能查阅的件数")


class QuotaStandingOut(Answered):
    id: str
    says: str
    stage: str
    scope: str = Field(description="行政区划代码；空：全国")
    cap: int
    used: int


class StatusOut(Answered):
    applications: int
    contested: int
    stages: list[StageOut]
    outcomes: dict[str, int]
    not_yet: int = Field(description="还没有到本级、或在此之前已办结，只计数而不能查阅的件数")
    quotas: list[QuotaStandingOut] = Field(description="只有组织单位可见")


class SheetOut(Answered):
    expert: str
    raw: str
    normalised: str
    is_outlier: bool


class RankOut(Answered):
    rank: int
    application: str
    organisation_name: str
    district_code: str
    raw: str = Field(description="原始分")
    normalised: str = Field(description="标准化后的分")
    decided_by: list[str] = Field(description="并列时依次起作用的规则")
    unknown: list[str] = Field(description="因数据未知而未能比较的规则")
    is_shared: bool = Field(description="所有规则都不能区分的并列")
    sheets: list[SheetOut]


class RankingOut(Answered):
    stage: str
    unscored: int
    ranking: list[RankOut]


def _state(row: Round) -> RoundState:
    if row.closed_at is not None:
        return RoundState.CLOSED
    return RoundState.UNPUBLISHED if row.published_at is None else RoundState.OPEN


def _line(row: Round) -> RoundLine:
    return RoundLine(
        id=row.pk, edition=row.edition, year=row.year, title=row.title, authority=row.authority.uscc,
        authority_name=row.authority.name, state=_state(row), submission_deadline=row.submission_deadline,
        version=row.version,
    )  # fmt: skip


def _document(row: Round) -> RoundOut:
    return RoundOut(
        **_line(row).model_dump(), uid=str(row.uid), notice_text=row.notice_text, addressees=row.addressees,
        grace_minutes=row.grace_minutes, quotas=_numbers(row), opened_at=row.opened_at,
        published_at=row.published_at, closed_at=row.closed_at,
    )  # fmt: skip


def _numbers(row: Round) -> dict[str, int]:
    """Return every quota of the edition as the round has it."""
    known = policy_queries.known_editions().get(row.edition)
    return {quota.id: services.quota_number(row, quota.id) for quota in known.quotas} if known else {}


def still_seen(request: ApiRequest, said: Mapping[str, Any]) -> None:
    """Let a kept answer be told only to who may still see the round."""
    round_of(request, said["round_id"])


@router.get(
    "/rounds", response=answers(Rounds, named=False), summary="列出各轮申报", **scoped("reviews:read")
)
def list_rounds(
    request: ApiRequest,
    q: Annotated[SearchText, Query("", description="名称或组织单位的一部分")] = "",
    edition: Annotated[str, Query(pattern=r"^[a-z0-9-]{0,80}$", description="政策版本编号")] = "",
    state: RoundState | None = None,
    limit: PageLimit = 50,
    offset: Offset = 0,
) -> Rounds:
    """已发布的各轮人人可见；未发布的只有组织单位可见。"""
    rows = queries.found_rounds(
        among=queries.visible_rounds(user=request.auth, on=timezone.localdate()), text=q, edition=edition,
        state=state.lower() if state else "",
    )  # fmt: skip
    return Rounds(total=rows.count(), rounds=[_line(row) for row in rows[offset : offset + limit]])


@router.post(
    "/rounds", response=answers(RoundOut, writes=True), summary="发起一轮申报", **scoped("reviews:write")
)
@written_once(200)
def open_round(request: ApiRequest, body: RoundIn) -> RoundOut:
    """同一单位、政策版本、年度只有一轮；已有的，答复的就是它。"""
    authority = organisation_of(request, body.authority, Permission.RUN_ROUND)
    is_there = Round.objects.filter(authority=authority, edition=body.edition, year=body.year).exists()
    who: dict[str, Any] = {"by": request.auth, "now": timezone.now()}
    said = body.model_dump(include={"notice_text", "submission_deadline"}, exclude_defaults=True)
    try:
        with in_words():
            opened = services.open_round(
                edition_id=body.edition, year=body.year, authority=authority, title=body.title, **who
            )
            if said and not is_there:
                opened = services.edit_round(round_=opened, version=opened.version, changes=said, **who)
    except UnknownEdition:
        raise malformed("body.edition", "edition_unknown", "没有这个政策版本；请先列出政策版本。") from None
    return _document(opened)


@router.get(
    "/rounds/{round_id}", response=answers(RoundOut), summary="查看一轮申报", **scoped("reviews:read")
)
def get_round(request: ApiRequest, round_id: KeyInPath) -> RoundOut:
    return _document(round_of(request, round_id))


@router.patch(
    "/rounds/{round_id}", response=answers(RoundOut, writes=True), summary="修改通知、截止日期、名额",
    **scoped("reviews:write"),
)  # fmt: skip
@written_once(200, still_seen=still_seen)
def edit_round(request: ApiRequest, round_id: KeyInPath, body: RoundPatch) -> RoundOut:
    """须带上读取时的版本号（version）；其间被他人修改过的，答复 409，不会覆盖。"""
    round_ = run_by(request, round_id)
    changes = body.model_dump(exclude_unset=True, exclude={"version"})
    known = {quota.id for quota in policy_queries.edition(round_.edition).quotas}
    if unknown := sorted(set(changes.get("quotas", ())) - known):
        raise malformed("body.quotas", "quota_unknown", f"这个政策版本没有名额“{unknown[0]}”。")
    with in_words():
        edited = services.edit_round(
            round_=round_, version=body.version, changes=changes, by=request.auth, now=timezone.now()
        )
    return _document(edited)


@router.post(
    "/rounds/{round_id}/publish", response=answers(RoundOut, writes=True), summary="发布通知",
    **scoped("reviews:write"),
)  # fmt: skip
@written_once(200, still_seen=still_seen)
def publish_round(request: ApiRequest, round_id: KeyInPath) -> RoundOut:
    """发布后开始接收申报。"""
    round_ = run_by(request, round_id)
    with in_words():
        published = services.publish_round(round_=round_, by=request.auth, now=timezone.now())
    return _document(published)


@router.get(
    "/rounds/{round_id}/status", response=answers(StatusOut), summary="各环节件数", **scoped("reviews:read")
)
def round_status(request: ApiRequest, round_id: KeyInPath) -> StatusOut:
    """组织单位看全部；其他主管部门看本辖区的。"""
    round_ = round_of(request, round_id)
    user, today = request.auth, timezone.localdate()
    runs = may(user=user, permission=Permission.RUN_ROUND, organisation=round_.authority, on=today)
    if not runs and not visible_organisations(user=user, permission=Permission.RUN_ROUND, on=today).exists():
        raise not_permitted(Permission.RUN_ROUND)
    among = Application.objects.all() if runs else officers_list(user=user, on=today)
    openable = officers_list(user=user, on=today) if runs else None
    found = queries.status_of(round_=round_, among=among, openable=openable)
    quotas = queries.quotas_of(round_=round_) if runs else []
    return StatusOut(
        applications=found.applications, contested=found.contested, outcomes=dict(found.outcomes),
        not_yet=found.not_yet,
        stages=[StageOut(id=row.id, label=row.label, count=row.count, not_yet=row.not_yet) for row in found.stages],
        quotas=[
            QuotaStandingOut(id=q.id, says=q.says, stage=q.stage, scope=q.scope, cap=q.cap, used=q.used) for q in quotas
        ],
    )  # fmt: skip


@router.get(
    "/rounds/{round_id}/ranking", response=answers(RankingOut) | {409: answers(None, writes=True)[409]},
    summary="专家评分排序", **scoped("reviews:read"),
)  # fmt: skip
def get_ranking(request: ApiRequest, round_id: KeyInPath) -> RankingOut:
    """只有组织单位可见：原始分、标准化后的分，以及并列时起作用的规则。"""
    round_ = run_by(request, round_id)
    with in_words():
        found = ranking(round_=round_)
    return RankingOut(stage=found.stage, unscored=found.unscored, ranking=[_rank(row) for row in found.rows])


def _rank(row: RankedCase) -> RankOut:
    return RankOut(
        rank=row.rank, application=row.code, organisation_name=row.organisation, district_code=row.district_code,
        raw=f"{row.raw:f}", normalised=f"{row.normalised:f}", decided_by=list(row.decided_by),
        unknown=list(row.unknown), is_shared=row.is_shared,
        sheets=[
            SheetOut(expert=s.expert, raw=f"{s.raw:f}", normalised=f"{s.normalised:f}", is_outlier=s.is_outlier)
            for s in row.score.sheets
        ],
    )  # fmt: skip
