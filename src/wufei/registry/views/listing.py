"""Every list page alike: filter, sort, page, export. For the views of all rooms."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from django import forms
from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from wufei.registry import exporting
from wufei.registry.models import User

ROWS_PER_PAGE = 50
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True, slots=True)
class Listing:
    """What a list's template needs: one page of rows, and how they are narrowed and sorted."""

    page: Page[Any]
    sort: str
    form: forms.Form | None
    is_filtered: bool


def reader(request: HttpRequest) -> User:
    """Return the person who reads the page, who has signed in."""
    assert isinstance(request.user, User), "LoginRequiredMiddleware saw to it"
    return request.user


def page_number(asked: str | None) -> str:
    """
    Return which page is meant, for a paginator to clamp at its end: below one is the first.

    >>> page_number("-1"), page_number("0"), page_number(" 7 "), page_number(None)
    ('1', '1', '7', '1')
    """
    said = (asked or "").strip()
    is_below_one = said.startswith("-") or not said.strip("0")
    return "1" if is_below_one else said


def page_at(paginator: Paginator[Any], asked: str | None) -> Page[Any]:
    """Return the page that was asked for, or the nearest; what is no number is the first."""
    return paginator.get_page(page_number(asked))


def filters(form: forms.Form) -> dict[str, Any]:
    """Return what was asked for; a filter that makes no sense is left out, and its field says so."""
    form.is_valid()
    return form.cleaned_data


def sorted_rows(
    *, request: HttpRequest, rows: QuerySet[Any], sorts: Mapping[str, Sequence[str]], default: str
) -> tuple[QuerySet[Any], str]:
    """Return the rows in the order that `?sort=` asks for; `-name` is the other way round."""
    asked = request.GET.get("sort", "")
    sort = asked if asked.removeprefix("-") in sorts else default
    names = sorts[sort.removeprefix("-")]
    if sort.startswith("-"):
        names = [name[1:] if name.startswith("-") else f"-{name}" for name in names]
    return rows.order_by(*names, "pk"), sort


def listing(
    *,
    request: HttpRequest,
    rows: QuerySet[Any],
    sorts: Mapping[str, Sequence[str]],
    default_sort: str,
    form: forms.Form | None = None,
    rows_per_page: int = ROWS_PER_PAGE,
    keys_first: bool = False,
) -> Listing:
    """
    Return the page of rows that the request asks for; a page past the end is the last one.

    `keys_first` is for rows of which much is worked out: only keys are put in order, and only the page's rows read.
    """
    ordered, sort = sorted_rows(request=request, rows=rows, sorts=sorts, default=default_sort)
    page = page_at(Paginator(ordered, rows_per_page), request.GET.get("page"))
    if keys_first:
        keys = list(page.object_list.values_list("pk", flat=True))  # type: ignore[attr-defined]
        found = {row.pk: row for row in rows.order_by().filter(pk__in=keys)}
        page.object_list = [found[key] for key in keys]
    is_filtered = form is not None and any(request.GET.get(name) for name in form.fields)
    return Listing(page, sort, form, is_filtered)


def export(
    *,
    title: str,
    columns: Sequence[tuple[str, Callable[[Any], exporting.Cell]]],
    rows: Iterable[Any],
) -> HttpResponse:
    """Return the rows as an .xlsx to be saved; each column is its heading and how a row gives its cell."""
    content = exporting.workbook(
        title=title,
        headings=[heading for heading, _ in columns],
        rows=([cell(row) for _, cell in columns] for row in rows),
    )
    response = HttpResponse(content, content_type=XLSX)
    response["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(title)}.xlsx"
    return response
