"""The draws of experts: what was committed to, what was drawn, and how to do it again."""

from django.contrib.auth.decorators import login_not_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from wufei.portal import queries
from wufei.portal.forms import SearchForm
from wufei.registry.views.listing import filters, page_at

ROWS = 30


@login_not_required
@require_safe
def draws(request: HttpRequest) -> HttpResponse:
    """List the draws."""
    form = SearchForm(request.GET)
    page = page_at(Paginator(queries.draws(text=filters(form).get("q", "")), ROWS), request.GET.get("page"))
    context = {"form": form, "page": page, "listing": {"is_filtered": bool(request.GET.get("q"))}}
    return render(request, "portal/draws.html", context)


@login_not_required
@require_safe
def draw(request: HttpRequest, draw_id: int) -> HttpResponse:
    """Show a draw, and the draw made anew from what is published."""
    found = queries.draws().filter(pk=draw_id).first()
    if found is None:
        raise Http404
    redone = queries.redone(found)
    context = {
        "draw": found, "redone": redone, "agrees": [each.number for each in redone] == found.drawn,
        "is_superseded": queries.is_superseded(found), "drawn": frozenset(found.drawn),
        "per_field": sorted(found.per_field.items()),
    }  # fmt: skip
    return render(request, "portal/draw.html", context)
