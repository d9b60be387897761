"""Who scores what: the loads, assigning by the machine, replacing an expert."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from wufei.registry.views.listing import ROWS_PER_PAGE, page_at
from wufei.reviews.forms.experts import ReplaceForm
from wufei.reviews.models import Application, Assignment
from wufei.reviews.queries import experts as queries
from wufei.reviews.queries import sheets
from wufei.reviews.refusals import ReviewRefused
from wufei.reviews.services import assignments as services
from wufei.reviews.views.experts_desk import ScoredRound, scored_round
from wufei.reviews.wording import words_of

FIRST = 20  # of the experts, above the applications


@require_http_methods(["GET", "POST"])
def assignments(request: HttpRequest, round_id: int) -> HttpResponse:
    """Show loads and panels; give what has no experts yet."""
    of = scored_round(request, round_id)
    if request.method == "POST":
        try:
            given = services.assign_cases(round_=of.round, stage=of.stage.id, by=of.at.user, now=of.at.now)
            messages.success(request, _told(given))
        except ReviewRefused as refused:
            messages.error(request, words_of(refused))
            status = 409 if refused.is_conflict else 422
            return render(request, "reviews/assignments_page.html", _page(request, of), status=status)
        return redirect("reviews:assignments", round_id)
    return render(request, "reviews/assignments_page.html", _page(request, of))


def _told(given: services.Given) -> str:
    said = _("已分配 %(cases)s 件、%(n)s 人次；每位专家 %(low)s 至 %(high)s 件。") % {
        "cases": given.cases, "n": given.assignments, "low": given.smallest_load, "high": given.largest_load,
    }  # fmt: skip
    if not given.is_even:
        said += _("由于回避关系，任务不能再平均。")
    return said


def _page(request: HttpRequest, of: ScoredRound) -> dict[str, Any]:
    """Return the first of the experts with a page of the applications; or a page of the experts alone."""
    loads = queries.loads_of(round_=of.round, stage=of.stage.id)
    given = [load.given for load in loads]
    lacking = queries.unassigned(round_=of.round, stage=of.stage.id, per_case=of.scoring.experts_per_case)
    shown: dict[str, Any] = {
        "part": "loads" if request.GET.get("part") == "loads" else "", "experts": len(loads), "lacking": lacking.count(),
        "most": max(given, default=0), "least": min(given, default=0),
    }  # fmt: skip
    if shown["part"]:
        page = page_at(Paginator(loads, ROWS_PER_PAGE), request.GET.get("page"))
        return of.context(loads=page.object_list, page=page, **shown)
    here = Application.objects.filter(round=of.round, stage=of.stage.id, outcome="")
    rows = here.select_related("organisation").order_by("code")
    page = page_at(Paginator(rows, ROWS_PER_PAGE), request.GET.get("page"))
    matrix = sheets.matrix(round_=of.round, stage=of.stage.id, applications=list(page.object_list))
    return of.context(loads=loads[:FIRST], page=page, rows=matrix, **shown)


@require_http_methods(["GET", "POST"])
def replace(request: HttpRequest, round_id: int, assignment_id: int) -> HttpResponse:
    """Take a case from an expert and give it to another."""
    of = scored_round(request, round_id)
    rows = Assignment.objects.select_related("application__round__authority", "expert")
    row = rows.filter(application__round=of.round, withdrawn_at=None, pk=assignment_id).first()
    if row is None:
        raise Http404
    drawn = queries.drawn_experts(round_=of.round, stage=row.stage)
    form, status = ReplaceForm(request.POST or None, experts=[e for e in drawn if e.pk != row.expert_id]), 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            said = form.cleaned_data
            chosen = next((e for e in drawn if str(e.pk) == said["expert"]), None)
            try:
                made = services.replace_expert(
                    assignment=row, reason=said["reason"], expert=chosen, by=of.at.user, now=of.at.now
                )
                messages.success(request, _("已改派给 %(number)s。") % {"number": made.expert.number})
                return redirect("reviews:assignments", round_id)
            except ReviewRefused as refused:
                form.add_error(None, words_of(refused))
                status = 409 if refused.is_conflict else 422
    context = of.context(form=form, assignment=row)
    return render(request, "reviews/assignments_replace.html", context, status=status)
