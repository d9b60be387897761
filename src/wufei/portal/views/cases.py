"""The published typical cases, and how far they are from what the policy wants."""

from django.contrib.auth.decorators import login_not_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from wufei.portal import queries
from wufei.portal.forms import SearchForm
from wufei.portal.views.visiting import today
from wufei.registry.views.listing import filters, page_at
from wufei.registry.views.organisations import division_name
from wufei.reviews.queries.targets import programmes_with_targets

ROWS = 30


@login_not_required
@require_safe
def cases(request: HttpRequest) -> HttpResponse:
    """List the typical cases with the progress towards the targets."""
    day, form = today(), SearchForm(request.GET)
    programmes = programmes_with_targets(on=day)
    rows = queries.cases(of=programmes, on=day, text=filters(form).get("q", ""))
    page = page_at(Paginator(rows, ROWS), request.GET.get("page"))
    context = {
        "form": form, "page": page, "programmes": programmes,
        "rows": [(row, division_name(row.holder_division)) for row in page],
        "listing": {"is_filtered": bool(request.GET.get("q"))},
    }  # fmt: skip
    return render(request, "portal/cases.html", context)
