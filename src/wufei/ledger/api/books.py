"""The official ledgers for machines, and what stood in the stores at a moment."""

from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any

from ninja import Query, Router
from pydantic import Field

from wufei.ledger.book_exports import label_of
from wufei.ledger.books.layouts import LAYOUTS, Row
from wufei.ledger.queries.books import official_book
from wufei.ledger.queries.inventory import inventory
from wufei.registry.access import Permission
from wufei.registry.api.door import ApiRequest, answers, malformed, organisation_of, scoped
from wufei.registry.api.fields import (
    FIRST_YEAR,
    LAST_YEAR,
    Answered,
    Asked,
    Day,
    Offset,
    PageLimit,
    Uscc,
)
from wufei.terms.period import Period

router = Router(tags=["官方台账"])
Form = StrEnum("Form", {layout.upper().replace("-", "_"): layout for layout in LAYOUTS})  # type: ignore[misc]


class BookAsked(Asked):
    from_: Day = Field(alias="from", description="起始日期")
    to: Day = Field(description="截止日期（含）")
    offset: Offset = Field(0, description="从第几条记录起")
    limit: PageLimit = 100


class BlankOut(Answered):
    column: str
    label: str
    rows: int = Field(description="本页空白的行数")
    source: str = Field(description="应由哪里补")


class BookOut(Answered):
    form: str
    title: str
    is_verified: bool = Field(description="栏目是否与标准全文核对过")
    columns: dict[str, str] = Field(description="栏目的名称，按表的次序")
    records: int = Field(description="整个期间的记录数")
    rows: list[dict[str, str | int | None]] = Field(
        description="没有的栏目不适用于该行；null 为没有记录；数量是吨"
    )
    totals: dict[str, str] = Field(description="整个期间的合计（吨）")
    missing: list[BlankOut]
    remarks: list[str]


@router.get("/books/{form}", response=answers(BookOut), summary="读取一张官方台账", **scoped("ledger:read"))
def read_book(request: ApiRequest, uscc: Uscc, form: Form, asked: Query[BookAsked]) -> BookOut:
    """一般工业固废附表 1–7，危险废物表 B.1–B.5；由台账生成，不另存。"""
    organisation = organisation_of(request, uscc, Permission.VIEW_LEDGER)
    if asked.from_ > asked.to:
        raise malformed("query.to", "period_reversed", "截止日期早于起始日期；请改正。")
    part = slice(asked.offset, asked.offset + asked.limit)
    book = official_book(
        organisation=organisation, form=form.value, period=Period(asked.from_, asked.to), most=asked.limit,
        part=part,
    )  # fmt: skip
    missing = [
        BlankOut(
            column=each.column.key, label=label_of(each.column), rows=each.count, source=each.column.source
        )
        for each in book.missing
    ]
    return BookOut(
        form=form.value, title=book.layout.title, is_verified=book.layout.is_verified,
        columns={column.key: label_of(column) for column in book.layout.columns}, records=book.records,
        rows=[_said(row) for row in book.rows], totals={key: _text(v) for key, v in book.totals.items()},
        missing=missing, remarks=book.remarks,
    )  # fmt: skip


def _said(row: Row) -> dict[str, str | int | None]:
    return {
        key: value if value is None or isinstance(value, int) else _text(value) for key, value in row.items()
    }


def _text(value: object) -> str:
    if isinstance(value, Decimal):
        return f"{value:f}"
    return value.isoformat() if isinstance(value, date) else str(value)


class StandingOut(Answered):
    place: str
    stream: str
    lot: str
    mass_g: int
    since: date = Field(description="自这一天起一直存放，中间没有一天结束时为空")


class InventoryOut(Answered):
    at: datetime | None
    stock: list[StandingOut]


class InventoryAsked(Asked):
    at: Annotated[datetime, Field(description="过去的时刻，须写明时区；缺省为现在")] | None = None


@router.get("/inventory", response=answers(InventoryOut), summary="某一时刻的存量", **scoped("ledger:read"))
def read_inventory(request: ApiRequest, uscc: Uscc, asked: Query[InventoryAsked]) -> dict[str, Any]:
    """前几天移动的都算，当天的只算那一时刻之前已经记账的。"""
    organisation = organisation_of(request, uscc, Permission.VIEW_LEDGER)
    if asked.at is not None and asked.at.tzinfo is None:
        raise malformed("query.at", "zone_missing", "时刻应写明时区，如 2026-06-30T12:00:00+08:00。")
    if asked.at is not None and not FIRST_YEAR < asked.at.year < LAST_YEAR:
        raise malformed(
            "query.at", "year_out_of_range", f"时刻应在 {FIRST_YEAR} 年以后、{LAST_YEAR} 年以前。"
        )
    # In UTC: a database takes no displacement of eighteen hours, though a clock may say one.
    at = asked.at and asked.at.astimezone(UTC)
    rows = inventory(organisation=organisation, at=at)
    return {"at": asked.at, "stock": [row._asdict() for row in rows]}
