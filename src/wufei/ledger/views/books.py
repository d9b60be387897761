"""The official ledgers on screen, and as files to take home."""

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Page, Paginator
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from wufei.ledger import book_exports
from wufei.ledger.books.layouts import LAYOUTS, Cell, Column, Row
from wufei.ledger.books.periods import PARTS, WHOLE_YEAR
from wufei.ledger.forms import BookForm
from wufei.ledger.models import Head, Movement, Stream, WasteClass
from wufei.ledger.queries.books import BookTooLong, OfficialBook, official_book
from wufei.ledger.views.desk import Desk, desk
from wufei.registry.views.listing import page_at, page_number

PAGE_SIZE = 50
CONTENT_TYPES = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf",
}


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of the upper row: a group over several columns, or a column that stands alone."""

    label: str
    span: int
    is_group: bool
    is_number: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """A cell as it is read."""

    column: Column
    text: str

    @property
    def label(self) -> str:
        return book_exports.label_of(self.column)

    @property
    def is_number(self) -> bool:
        return self.column.cell in (Cell.MASS, Cell.COUNT)

    @property
    def classes(self) -> str:
        return " ".join(["num"] * self.is_number + ["whole"] * self.column.keeps_whole)


@require_safe
def book(request: HttpRequest, uscc: str) -> HttpResponse:
    """Show a table of a period, a page at a time, with its sums and what is missing in it."""
    at = desk(request, uscc)
    form = _form(at, request.GET.dict())
    chosen = form.cleaned_data
    asked = page_number(request.GET.get("page"))
    start = (int(asked) - 1) * PAGE_SIZE if asked.isdecimal() and len(asked) < 8 else 0
    period = form.period
    found = official_book(
        organisation=at.organisation, form=chosen["form"], period=period, most=PAGE_SIZE,
        part=slice(start, start + PAGE_SIZE),
    )  # fmt: skip
    if start >= found.records > 0:  # the page asked for is past the end
        return redirect(_address(at, chosen))
    page: Page[Any] = page_at(Paginator(range(found.records), PAGE_SIZE), str(start // PAGE_SIZE + 1))
    context = at.context(
        form=form, book=found, page=page, headings=list(_headings(found)), columns=_grouped(found),
        rows=[_cells(found, row) for row in found.rows], totals=_totals(found), files=_files(at, chosen),
        missing=[(each.column, book_exports.label_of(each.column), each.count) for each in found.missing],
        part=PARTS[chosen["part"]],
    )  # fmt: skip
    return render(request, "ledger/books.html", context)


def _form(at: Desk, said: Mapping[str, str]) -> BookForm:
    """Return what was chosen; the usual table of this year where nothing was, or what can't be."""
    years = years_of(at)
    usual = {"form": _usual(at), "year": str(years[0]), "part": WHOLE_YEAR}
    form = BookForm(usual | {key: said[key] for key in usual if key in said}, years=years)
    if not form.is_valid():
        form = BookForm(usual, years=years)
        assert form.is_valid(), "the usual table can be chosen"
    return form


def years_of(at: Desk) -> range:
    """Return the years of the ledger, this one first."""
    first = Movement.objects.filter(organisation=at.organisation).order_by("moved_on", "seq").first()
    return range(at.today.year, (first.moved_on.year if first else at.today.year) - 1, -1)


def _usual(at: Desk) -> str:
    """Return the table that people come for: 流向汇总表, or 产生环节 where all waste is hazardous."""
    general = Stream.objects.filter(organisation=at.organisation, waste_class=WasteClass.GENERAL.value)
    hazardous = Stream.objects.filter(organisation=at.organisation, waste_class=WasteClass.HAZARDOUS.value)
    return "hw-1" if hazardous.exists() and not general.exists() else "general-2"


def _headings(found: OfficialBook) -> Iterator[Heading]:
    columns = found.layout.columns
    at = 0
    while at < len(columns):
        column, span = columns[at], 1
        while column.group and at + span < len(columns) and columns[at + span].group == column.group:
            span += 1
        is_number = column.cell in (Cell.MASS, Cell.COUNT)
        yield Heading(column.group or column.label, span, bool(column.group), is_number)
        at += span


def _grouped(found: OfficialBook) -> list[Shown]:
    return [Shown(column, column.label) for column in found.layout.columns if column.group]


def _cells(found: OfficialBook, row: Row) -> list[Shown]:
    texts = book_exports.texts(found, row)
    return [Shown(column, text) for column, text in zip(found.layout.columns, texts, strict=True)]


def _totals(found: OfficialBook) -> list[Shown]:
    texts = book_exports.total_texts(found)
    return [Shown(column, text) for column, text in zip(found.layout.columns, texts, strict=bool(texts))]


def _address(at: Desk, chosen: Mapping[str, Any]) -> str:
    query = urlencode({key: chosen[key] for key in ("form", "year", "part")})
    return f"{reverse('ledger:books', args=(at.uscc,))}?{query}"


def _files(at: Desk, chosen: Mapping[str, Any]) -> dict[str, str]:
    """Return where the whole table is to be had, by ending."""
    query = urlencode({key: chosen[key] for key in ("year", "part")})
    return {
        ending: f"{reverse('ledger:book-file', args=(at.uscc, chosen['form'], ending))}?{query}"
        for ending in book_exports.ENDINGS
    }


@require_safe
def download(request: HttpRequest, uscc: str, form: str, ending: str) -> HttpResponse | FileResponse:
    """Hand out the whole table of the period."""
    at = desk(request, uscc)
    if form not in LAYOUTS or ending not in book_exports.ENDINGS:
        raise Http404
    asked = _form(at, request.GET.dict() | {"form": form})
    chosen, period = asked.cleaned_data, asked.period
    try:
        found = official_book(
            organisation=at.organisation, form=form, period=period, most=book_exports.MOST_LINES[ending]
        )
    except BookTooLong as long:
        why = _("%(period)s 有 %(n)d 行，一个文件最多 %(most)d 行；请选较短的期间。")
        messages.error(request, why % {"period": period, "n": long.records, "most": long.most})
        return redirect(_address(at, chosen))
    out = io.BytesIO()
    book_exports.WRITERS[ending](out, found, _keeper(at))
    out.seek(0)
    name = f"{found.layout.number}{found.layout.title}-{at.organisation.name}-{period}.{ending}"
    return FileResponse(
        out, as_attachment=True, filename=name.replace("/", "至"), content_type=CONTENT_TYPES[ending]
    )


def _keeper(at: Desk) -> book_exports.Keeper:
    head = Head.objects.filter(organisation=at.organisation).first()
    return book_exports.Keeper(
        name=at.organisation.name, uscc=at.uscc, made_by=str(at.user),
        made_at=timezone.localtime(at.now).replace(tzinfo=None), head_seq=head.seq if head else 0,
        head_hash=head.chain_hash if head else "",
    )  # fmt: skip
