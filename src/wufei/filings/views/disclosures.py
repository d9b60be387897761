"""The pages of disclosure for those of the enterprise: the years, a preview with every figure's movements, publishing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Max, Min
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from wufei.filings import disclosing, queries, services
from wufei.filings.disclosing import AMOUNTS, CLASSES, Content
from wufei.filings.forms import ReasonForm
from wufei.filings.models import Disclosure
from wufei.filings.refusals import FilingRefused
from wufei.filings.wording import words
from wufei.ledger.models import MonthlyFlow
from wufei.ledger.views.desk import Desk, desk
from wufei.registry.access import Permission
from wufei.registry.views.listing import page_at

ROWS = 30


@require_safe
def disclosures(request: HttpRequest, uscc: str) -> HttpResponse:
    """List the years that are over, with what was published of each."""
    at = desk(request, uscc)
    latest: dict[int, Disclosure] = {}
    for row in queries.disclosures_of(organisation=at.organisation):
        latest.setdefault(row.year, row)
    spans = MonthlyFlow.objects.filter(organisation=at.organisation).aggregate(Min("month"), Max("month"))
    first = spans["month__min"].year if spans["month__min"] else at.today.year - 1
    years = sorted({*latest, *range(max(first, at.today.year - 20), at.today.year)}, reverse=True)
    page = page_at(Paginator([(year, latest.get(year)) for year in years], ROWS), request.GET.get("page"))
    return render(request, "filings/disclosures.html", at.context(page=page, duties=disclosing.duties()))


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of the page, and where its movements are; "" for who may not see them, or what has none."""

    label: str
    grams: int | None
    address: str


@require_safe
def disclosure(request: HttpRequest, uscc: str, year: int) -> HttpResponse:
    """Show what would be published now, beside what was, and what differs."""
    at = desk(request, uscc)
    return _page(request, at, year)


def _page(
    request: HttpRequest, at: Desk, year: int, form: ReasonForm | None = None, status: int = 200
) -> HttpResponse:
    if not 1949 <= year <= 2200:
        raise Http404
    now = queries.current_content(organisation=at.organisation, year=year)
    versions = list(queries.disclosures_of(organisation=at.organisation, year=year))
    context = at.context(
        year=year, rows=figured(now, _addresses(at, year)), content=now, versions=versions,
        totals=totalled(now),
        labels=[label for label, _ in AMOUNTS.values()], is_over=year < at.today.year,
        differences=disclosing.differences(versions[0].content, now) if versions else None,
        is_same=bool(versions) and versions[0].content == now, form=form or ReasonForm(),
        duties=disclosing.duties(),
    )  # fmt: skip
    return render(request, "filings/disclosure.html", context, status=status)


def _addresses(at: Desk, year: int) -> Any:
    """Return what makes the address of the movements behind a figure."""
    root = reverse("ledger:movements", args=(at.uscc,))

    def address(stream: str, kind: str) -> str:
        said = {"stream": stream, "kind": kind, "since": f"{year}-01-01", "through": f"{year}-12-31"}
        return f"{root}?{urlencode({key: value for key, value in said.items() if value})}"

    return address


def figured(content: Content, address: Any = None) -> list[tuple[dict[str, Any], Sequence[Figure]]]:
    """Return each waste with its figures, in the order of the columns."""
    return [
        (
            row,
            [
                Figure(
                    label,
                    row[key],
                    address(row["stream"], kind.value if kind else "") if address else "",
                )
                for key, (label, kind) in AMOUNTS.items()
            ],
        )
        for row in content["wastes"]
    ]


def totalled(content: Content) -> list[tuple[str, Sequence[Figure]]]:
    """Return the sums of each class of waste, in the order of the columns."""
    return [
        (CLASSES[of], [Figure(label, total[key], "") for key, (label, _) in AMOUNTS.items()])
        for of, total in content["totals"].items()
    ]


@require_POST
def publish(request: HttpRequest, uscc: str, year: int) -> HttpResponse:
    """Publish what the page shows; again, with a reason."""
    at = desk(request, uscc, Permission.CLOSE_MONTH)
    form = ReasonForm(request.POST)
    if not form.is_valid():
        return _page(request, at, year, form, 422)
    try:
        made = services.publish_disclosure(
            organisation=at.organisation, year=year, by=at.user, now=at.now, **form.cleaned_data
        )
    except FilingRefused as refused:
        form.add_error("reason" if refused.code.value.startswith("reason") else None, words(refused))
        return _page(request, at, year, form, 422)
    messages.success(request, _("已公开第 %(n)d 版，内容已固定。") % {"n": made.number})
    return redirect("filings:disclosure", uscc, year)
