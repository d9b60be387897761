"""Disclosures for machines: previewed, published, and read."""

from typing import Any

from django.utils import timezone
from ninja import Router
from pydantic import Field

from wufei.filings import disclosing, queries, services
from wufei.filings.api.plans import YearInPath, refused
from wufei.filings.models import Disclosure
from wufei.filings.refusals import FilingRefused
from wufei.registry.access import Permission
from wufei.registry.api.door import ApiRequest, answers, organisation_of, scoped
from wufei.registry.api.fields import Answered, Asked, Instant, Text200, Uscc
from wufei.registry.api.idempotency import written_once

router = Router(tags=["管理计划和信息公开"])


class DisclosureOut(Answered):
    year: int
    number: int
    reason: str
    sha256: str
    seq: int
    chain_hash: str
    algorithm: str
    daily_root: str
    published_at: Instant
    content: dict[str, Any] = Field(description="数量为整数克；null 为未知，不等于零")


class ChangedSinceOut(Answered):
    waste: str
    what: str
    before_g: int | None
    after_g: int | None


class DisclosureState(Answered):
    year: int
    current: dict[str, Any] = Field(description="台账现在的数：预览")
    published: DisclosureOut | None = Field(description="现行公开的一版")
    differences: list[ChangedSinceOut] = Field(description="公开之后变了的数")


def _published(row: Disclosure) -> DisclosureOut:
    return DisclosureOut(
        year=row.year, number=row.number, reason=row.reason, sha256=row.sha256, seq=row.seq,
        chain_hash=row.chain_hash, algorithm=row.algorithm, daily_root=row.daily_root,
        published_at=row.published_at, content=row.content,
    )  # fmt: skip


@router.get(
    "/disclosures/{year}", response=answers(DisclosureState), summary="预览和核对一年的信息公开",
    **scoped("ledger:read"),
)  # fmt: skip
def get_disclosure(request: ApiRequest, uscc: Uscc, year: YearInPath) -> DisclosureState:
    """由台账生成；已公开的一版不随台账改变，不同之处列在 differences。"""
    organisation = organisation_of(request, uscc, Permission.VIEW_LEDGER)
    now = queries.current_content(organisation=organisation, year=year)
    row = queries.disclosures_of(organisation=organisation, year=year).first()
    found = disclosing.differences(row.content, now) if row else []
    return DisclosureState(
        year=year, current=now, published=_published(row) if row else None,
        differences=[
            ChangedSinceOut(waste=each.waste, what=each.what, before_g=each.before, after_g=each.after)
            for each in found
        ],
    )  # fmt: skip


class PublishIn(Asked):
    reason: Text200 = Field("", description="变更原因；第二版起必填")


@router.post(
    "/disclosures/{year}", response=answers(DisclosureOut, status=201, writes=True), summary="公开一年的信息",
    **scoped("ledger:write"),
)  # fmt: skip
@written_once(201)
def publish_disclosure(request: ApiRequest, uscc: Uscc, year: YearInPath, body: PublishIn) -> DisclosureOut:
    """公开之后任何人可见，内容固定；再公开一版须写明原因。"""
    organisation = organisation_of(request, uscc, Permission.CLOSE_MONTH)
    try:
        made = services.publish_disclosure(
            organisation=organisation, year=year, reason=body.reason, by=request.auth, now=timezone.now()
        )
    except FilingRefused as why:
        raise refused(why) from None
    return _published(made)
