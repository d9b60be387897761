"""The tiered cultivation library: the list, entering, moving, taking out."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from wufei.ledger.views.desk import Desk
from wufei.policies.queries import known_editions
from wufei.registry.access import Permission
from wufei.registry.queries import visible_organisations
from wufei.registry.views.listing import export, filters, listing, sorted_rows
from wufei.registry.views.organisations import division_name
from wufei.reviews.forms.cultivation import CultivationFilter, EnterForm, MoveForm
from wufei.reviews.models import Cultivation
from wufei.reviews.queries.cultivation import cultivated
from wufei.reviews.refusals import ReviewRefused
from wufei.reviews.services import cultivation as services
from wufei.reviews.views.register import authority_desk, editions_with_titles
from wufei.reviews.wording import words_of

SORTS = {
    "name": ("organisation__name", "-since"),
    "tier": ("tier", "organisation__name"),
    "since": ("since",),
    "division": ("organisation__division_code", "organisation__name"),
}


@require_safe
def library(request: HttpRequest, uscc: str) -> HttpResponse:
    """List who is in the authority's library."""
    at = authority_desk(request, uscc)
    form = CultivationFilter(request.GET, editions=editions_with_titles())
    asked = filters(form)
    rows = cultivated(
        authority=at.organisation, at=None if asked.get("state") == "all" else at.today,
        programme=asked.get("programme", ""), tier=asked.get("tier", ""), text=asked.get("q", ""),
    )  # fmt: skip
    if request.GET.get("export") == "xlsx":
        ordered, _sort = sorted_rows(request=request, rows=rows, sorts=SORTS, default="name")
        return export(title=_("梯度培育库"), columns=_columns(), rows=ordered)
    shown = listing(request=request, rows=rows, sorts=SORTS, default_sort="name", form=form)
    known = known_editions()
    lines = [
        (row, known.get(row.programme), division_name(row.organisation.division_code)) for row in shown.page
    ]
    return render(request, "reviews/cultivation_list.html", at.context(listing=shown, rows=lines))


def _columns() -> list[tuple[str, Any]]:
    known = known_editions()
    titles = {edition.id: edition.title for edition in known.values()}
    return [
        (_("单位名称"), lambda row: row.organisation.name),
        (_("统一社会信用代码"), lambda row: row.organisation.uscc),
        (_("行政区划"), lambda row: division_name(row.organisation.division_code)),
        (_("方向"), lambda row: titles.get(row.programme, row.programme)),
        (_("梯度"), lambda row: str(row.get_tier_display())),
        (_("入库日期"), lambda row: row.since),
        (_("出库日期"), lambda row: row.until),
        (_("说明"), lambda row: row.note),
    ]


@require_http_methods(["GET", "POST"])
def enter(request: HttpRequest, uscc: str) -> HttpResponse:
    """Enter an organisation of the jurisdiction."""
    at = authority_desk(request, uscc)
    among = visible_organisations(user=at.user, permission=Permission.REVIEW_CASE, on=at.today)
    form = EnterForm(
        request.POST or None, editions=editions_with_titles(), among=among, initial={"since": at.today}
    )
    if request.method == "POST" and form.is_valid():
        try:
            services.enter_cultivation(authority=at.organisation, by=at.user, now=at.now, **form.cleaned_data)
        except ReviewRefused as refused:
            form.add_error(None, words_of(refused))
        else:
            messages.success(request, _("已入库。"))
            return redirect("reviews:cultivation", uscc)
    context = at.context(form=form, form_title=_("入库"))
    return render(request, "reviews/cultivation_form.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
def move(request: HttpRequest, uscc: str, cultivation_id: int) -> HttpResponse:
    """Move an organisation to another tier, or take it out."""
    at = authority_desk(request, uscc)
    row = cultivated(authority=at.organisation).filter(pk=cultivation_id).first()
    if row is None:
        raise Http404
    form = MoveForm(request.POST or None, initial={"on": at.today, "tier": row.tier})
    if request.method == "POST" and form.is_valid():
        try:
            _moved(row, form.cleaned_data, at)
        except ReviewRefused as refused:
            form.add_error(None, words_of(refused))
        else:
            messages.success(request, _("已调整。"))
            return redirect("reviews:cultivation", uscc)
    context = at.context(form=form, row=row, form_title=_("调整梯度"))
    return render(request, "reviews/cultivation_form.html", context, status=422 if form.errors else 200)


def _moved(row: Cultivation, said: dict[str, Any], at: Desk) -> None:
    if said["tier"] == "OUT":
        services.leave_cultivation(cultivation=row, on=said["on"], note=said["note"], by=at.user, now=at.now)
    else:
        services.move_cultivation(cultivation=row, by=at.user, now=at.now, **said)
