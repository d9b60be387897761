"""Where the public comes in, the calls, and their documents."""

from django.contrib.auth.decorators import login_not_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from wufei.policies.queries import known_editions
from wufei.portal import queries
from wufei.portal.forms import CallFilter
from wufei.portal.views.visiting import today
from wufei.registry.views.listing import filters, page_at
from wufei.reviews.queries.rounds import reporting_days
from wufei.reviews.queries.targets import programmes_with_targets
from wufei.reviews.views.rounds import attached

ROWS = 30
ON_HOME = 6


@login_not_required
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Show what is open and what runs."""
    day = today()
    running = list(queries.notices(on=day, state="running")[:ON_HOME])
    context = {
        "today": day,
        "calls": [(row, True) for row in queries.calls(on=day, only_open=True)[:ON_HOME]],
        "notices": [(row, queries.days_left(row, on=day)) for row in running],
        "programmes": programmes_with_targets(on=day),
        "ended": list(queries.ended(on=day)[:ON_HOME]),
    }
    return render(request, "portal/home.html", context)


@login_not_required
@require_safe
def calls(request: HttpRequest) -> HttpResponse:
    """List the published calls."""
    day, form = today(), CallFilter(request.GET)
    asked = filters(form)
    rows = queries.calls(on=day, only_open=asked.get("state") == "open", text=asked.get("q", ""))
    page = page_at(Paginator(rows, ROWS), request.GET.get("page"))
    context = {
        "form": form, "page": page, "rows": [(row, queries.is_open(row, on=day)) for row in page],
        "listing": {"is_filtered": any(request.GET.get(name) for name in form.fields)},
    }  # fmt: skip
    return render(request, "portal/calls.html", context)


@login_not_required
@require_safe
def call(request: HttpRequest, round_id: int) -> HttpResponse:
    """Show a call with its documents."""
    found = queries.call(pk=round_id)
    if found is None:
        raise Http404
    context = {
        "round": found, "is_open": queries.is_open(found, on=today()), "edition": known_editions().get(found.edition),
        "reporting": reporting_days(round_=found) if found.edition in known_editions() else (),
    }  # fmt: skip
    return render(request, "portal/call.html", context)


@login_not_required
@require_safe
def document(request: HttpRequest, round_id: int, document_id: int) -> HttpResponseBase:
    """Hand out a public file of a published round."""
    found = queries.document(round_id=round_id, document_id=document_id)
    if found is None:
        raise Http404
    return attached(found.stored, found.file_name)
